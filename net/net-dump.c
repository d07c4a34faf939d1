/*
 * Writing pcap files.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "net/net-dump.h"
#include "util/bytes.h"

#define PCAP_MAGIC 0xa1b2c3d4        /* times in microseconds */
#define LINKTYPE_ETHERNET 1

struct NetDump {
    char *path;
    FILE *file;                      /* NULL after a failure */
    uint32_t max_bytes;
};

static bool put(NetDump *d, const void *data, size_t length)
{
    if (fwrite(data, 1, length, d->file) == length) {
        return true;
    }
    warn_report("filter-dump: cannot write '%s': %s; it ends here", d->path, g_strerror(errno));
    fclose(d->file);
    d->file = NULL;
    return false;
}

NetDump *net_dump_new(const char *path, uint32_t max_bytes, Error **errp)
{
    uint8_t header[24] = { 0 };
    FILE *file = fopen(path, "wbe");
    NetDump *d;

    if (!file) {
        error_setg(errp, "filter-dump: cannot create '%s': %s", path, g_strerror(errno));
        return NULL;
    }
    d = g_new0(NetDump, 1);
    d->path = g_strdup(path);
    d->file = file;
    d->max_bytes = max_bytes;
    store_le(header, PCAP_MAGIC, 4);
    store_le(header + 4, 2, 2);
    store_le(header + 6, 4, 2);
    store_le(header + 16, max_bytes, 4);
    store_le(header + 20, LINKTYPE_ETHERNET, 4);
    put(d, header, sizeof(header));
    return d;
}

void net_dump_frame(NetDump *d, int64_t ns, const uint8_t *frame, size_t length)
{
    size_t kept = MIN(length, d->max_bytes);
    uint8_t header[16];

    store_le(header, (uint64_t)(ns / 1000000000), 4);
    store_le(header + 4, (uint64_t)(ns % 1000000000 / 1000), 4);
    store_le(header + 8, kept, 4);
    store_le(header + 12, length, 4);
    if (d->file && put(d, header, sizeof(header))) {
        put(d, frame, kept);
    }
}

void net_dump_free(NetDump *d)
{
    if (d->file && fclose(d->file)) {
        warn_report("filter-dump: cannot write '%s': %s", d->path, g_strerror(errno));
    }
    g_free(d->path);
    g_free(d);
}
