/*
 * Programs that set up an interface of the host. Both wait for the program's end.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef NET_NET_HELPER_H
#define NET_NET_HELPER_H

#include "util/error.h"

/* The interface that a helper has put on the bridge, the caller's, not blocking; -1 on failure. */
int net_helper_run(const char *program, const char *bridge, Error **errp);
/* script IFNAME */
bool net_script_run(const char *script, const char *ifname, Error **errp);

#endif
