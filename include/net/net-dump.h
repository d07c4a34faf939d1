/*
 * Frames in a file of pcap's format (https://www.tcpdump.org/manpages/pcap-savefile.5.html), which tcpdump and Wireshark read.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef NET_NET_DUMP_H
#define NET_NET_DUMP_H

#include "util/error.h"

typedef struct NetDump NetDump;

/* Makes the file, or empties it. max_bytes: what is kept of a frame. */
NetDump *net_dump_new(const char *path, uint32_t max_bytes, Error **errp);
/* A frame at that time. The first failure is a warning, and ends the dump. */
void net_dump_frame(NetDump *d, int64_t ns, const uint8_t *frame, size_t length);
void net_dump_free(NetDump *d);

#endif
