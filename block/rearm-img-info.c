/*
 * rearm-img: info and map.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include <json-c/json.h>
#include <sys/stat.h>
#include "rearm-img.h"

static void print_json(json_object *o)
{
    printf("%s\n", json_object_to_json_string_ext(o, JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_NOSLASHESCAPE |
                                                     JSON_C_TO_STRING_SPACED));
}

static json_object *json_u64(uint64_t value)
{
    return json_object_new_uint64(value);
}

/* ---- snapshots ---- */

void img_print_snapshots(GPtrArray *list)
{
    printf("Snapshot list:\n%-10s%-17s%8s%20s%13s%11s\n", "ID", "TAG", "VM SIZE", "DATE", "VM CLOCK", "ICOUNT");
    for (guint i = 0; i < list->len; i++) {
        const BlockSnapshot *s = g_ptr_array_index(list, i);
        g_autoptr(GDateTime) when = g_date_time_new_from_unix_local(s->seconds);
        g_autofree char *date = g_date_time_format(when, "%Y-%m-%d %H:%M:%S");
        g_autofree char *size = img_size_text(s->vm_state_bytes);
        g_autofree char *icount = s->icount == UINT64_MAX ? g_strdup("") : g_strdup_printf("%" PRIu64, s->icount);
        uint64_t ms = s->vm_clock_ns / 1000000;

        printf("%-9s %-16s %8s%20s %02u:%02u:%02u.%03u%11s\n", s->id, s->name, size, date,
               (unsigned)(ms / 3600000), (unsigned)(ms / 60000 % 60), (unsigned)(ms / 1000 % 60),
               (unsigned)(ms % 1000), icount);
    }
}

static json_object *snapshots_json(GPtrArray *list)
{
    json_object *all = json_object_new_array();

    for (guint i = 0; i < list->len; i++) {
        const BlockSnapshot *s = g_ptr_array_index(list, i);
        json_object *o = json_object_new_object();

        if (s->icount != UINT64_MAX) {
            json_object_object_add(o, "icount", json_u64(s->icount));
        }
        json_object_object_add(o, "id", json_object_new_string(s->id));
        json_object_object_add(o, "name", json_object_new_string(s->name));
        json_object_object_add(o, "vm-state-size", json_u64(s->vm_state_bytes));
        json_object_object_add(o, "date-sec", json_u64(s->seconds));
        json_object_object_add(o, "date-nsec", json_u64(s->nanoseconds));
        json_object_object_add(o, "vm-clock-sec", json_u64(s->vm_clock_ns / 1000000000));
        json_object_object_add(o, "vm-clock-nsec", json_u64(s->vm_clock_ns % 1000000000));
        json_object_array_add(all, o);
    }
    return all;
}

/* ---- info ---- */

/* What the file takes on the host; false: it is no file. */
static bool disk_bytes(const BlockNode *n, uint64_t *out)
{
    struct stat st;

    while (n->file) {
        n = n->file;
    }
    if (stat(n->filename, &st) < 0) {
        return false;
    }
    *out = (uint64_t)st.st_blocks * 512;
    return true;
}

/* The driver's lines. */
static char **details(BlockNode *n)
{
    g_autoptr(GString) text = g_string_new(NULL);

    if (n->driver->describe) {
        n->driver->describe(n, text);
    }
    g_strchomp(text->str);
    return g_strsplit(text->str, "\n", -1);
}

static void info_human(BlockNode *n)
{
    g_autofree char *size = img_size_text(n->bytes), *disk = NULL;
    g_autoptr(GPtrArray) snapshots = block_snapshot_list(n);
    g_auto(GStrv) lines = details(n);
    uint64_t used;

    printf("image: %s\nfile format: %s\nvirtual size: %s (%" PRIu64 " bytes)\n", n->filename, n->driver->name,
           size, n->bytes);
    if (disk_bytes(n, &used)) {
        disk = img_size_text(used);
        printf("disk size: %s\n", disk);
    }
    if (n->dirty) {
        printf("cleanly shut down: no\n");
    }
    if (n->cluster_bytes) {
        printf("cluster_size: %u\n", n->cluster_bytes);
    }
    if (n->backing_name) {
        g_autofree char *path = block_path_beside(n->filename, n->backing_name);

        printf("backing file: %s", n->backing_name);
        if (strcmp(path, n->backing_name)) {
            printf(" (actual path: %s)", path);
        }
        printf("\n");
        if (n->backing_format) {
            printf("backing file format: %s\n", n->backing_format);
        }
    }
    if (snapshots && snapshots->len) {
        img_print_snapshots(snapshots);
    }
    if (lines[0] && *lines[0]) {
        printf("Format specific information:\n");
    }
    for (unsigned i = 0; lines[i] && *lines[i]; i++) {
        printf("    %s\n", lines[i]);
    }
}

/* "refcount bits: 16" as a member of an object. */
static void add_detail(json_object *o, const char *line)
{
    const char *colon = strstr(line, ": ");
    g_autofree char *key = g_strndup(line, (gsize)(colon - line));
    const char *value = colon + 2;
    uint64_t number;

    g_strdelimit(key, " ", '-');
    json_object_object_add(o, key, !strcmp(value, "true") || !strcmp(value, "false")
                                       ? json_object_new_boolean(value[0] == 't')
                                   : parse_u64(value, &number) ? json_u64(number)
                                                               : json_object_new_string(value));
}

static json_object *info_json(BlockNode *n)
{
    g_autoptr(GPtrArray) snapshots = block_snapshot_list(n);
    json_object *o = json_object_new_object();
    g_auto(GStrv) lines = details(n);
    uint64_t used;

    if (snapshots && snapshots->len) {
        json_object_object_add(o, "snapshots", snapshots_json(snapshots));
    }
    json_object_object_add(o, "filename", json_object_new_string(n->filename));
    json_object_object_add(o, "format", json_object_new_string(n->driver->name));
    json_object_object_add(o, "virtual-size", json_u64(n->bytes));
    if (disk_bytes(n, &used)) {
        json_object_object_add(o, "actual-size", json_u64(used));
    }
    json_object_object_add(o, "dirty-flag", json_object_new_boolean(n->dirty));
    if (n->cluster_bytes) {
        json_object_object_add(o, "cluster-size", json_u64(n->cluster_bytes));
    }
    if (n->backing_name) {
        g_autofree char *path = block_path_beside(n->filename, n->backing_name);

        json_object_object_add(o, "backing-filename", json_object_new_string(n->backing_name));
        json_object_object_add(o, "full-backing-filename", json_object_new_string(path));
        if (n->backing_format) {
            json_object_object_add(o, "backing-filename-format", json_object_new_string(n->backing_format));
        }
    }
    if (lines[0] && *lines[0]) {
        json_object *specific = json_object_new_object(), *data = json_object_new_object();

        for (unsigned i = 0; lines[i] && *lines[i]; i++) {
            add_detail(data, lines[i]);
        }
        json_object_object_add(specific, "type", json_object_new_string(n->driver->name));
        json_object_object_add(specific, "data", data);
        json_object_object_add(o, "format-specific", specific);
    }
    return o;
}

int img_info(ImgLine *line)
{
    unsigned flags = line->set[IMG_CHAIN] ? 0 : BLOCK_NO_BACKING;
    BlockNode *top = img_open(line, line->files[0], line->value['f'], flags);
    json_object *all = json_object_new_array();

    for (BlockNode *n = top; n; n = n->backing) {
        if (line->json) {
            json_object_array_add(all, info_json(n));
            continue;
        }
        printf("%s", n == top ? "" : "\n");
        info_human(n);
    }
    if (top && line->json) {
        print_json(line->set[IMG_CHAIN] ? all : json_object_array_get_idx(all, 0));
    }
    json_object_put(all);
    block_close(top);
    return top ? IMG_OK : IMG_FAILED;
}

/* ---- map ---- */

typedef struct Stretch {
    uint64_t start;
    unsigned depth;
    const BlockNode *node;
    BlockExtent e;
} Stretch;

/* The layer that has what is at an offset, and how far. */
static int find_stretch(BlockNode *top, uint64_t offset, uint64_t length, Stretch *out)
{
    BlockNode *n = top;
    unsigned depth = 0;

    *out = (Stretch){ .start = offset, .node = top };
    for (;;) {
        int rc = block_extent(n, offset, length, &out->e);

        if (rc || out->e.allocated) {
            out->node = n;
            out->depth = depth;
            return rc;
        }
        length = out->e.bytes;
        if (!n->backing || offset >= n->backing->bytes) {
            break;
        }
        n = n->backing;
        depth++;
        length = MIN(length, n->bytes - offset);
    }
    out->e = (BlockExtent){ .bytes = length, .zero = true };
    return 0;
}

static bool continues(const Stretch *a, const Stretch *b)
{
    return a->depth == b->depth && a->node == b->node && a->e.allocated == b->e.allocated &&
           a->e.zero == b->e.zero && a->e.compressed == b->e.compressed && a->e.has_offset == b->e.has_offset &&
           (!a->e.has_offset || a->e.offset + a->e.bytes == b->e.offset);
}

static bool print_stretch(const ImgLine *line, const Stretch *s, bool first)
{
    bool data = s->e.allocated && !s->e.zero;

    if (line->json) {
        printf("%s{ \"start\": %" PRIu64 ", \"length\": %" PRIu64 ", \"depth\": %u, \"present\": %s, \"zero\": %s, "
               "\"data\": %s", first ? "[" : ",\n", s->start, s->e.bytes, s->depth, s->e.allocated ? "true" : "false",
               s->e.zero ? "true" : "false", data ? "true" : "false");
        if (s->e.has_offset) {
            printf(", \"offset\": %" PRIu64, s->e.offset);
        }
        printf("}");
    } else if (data && !s->e.has_offset) {
        return false;
    } else if (data) {
        printf("%#-16" PRIx64 "%#-16" PRIx64 "%#-16" PRIx64 "%s\n", s->start, s->e.bytes, s->e.offset,
               s->node->filename);
    }
    return true;
}

static int map_all(const ImgLine *line, BlockNode *n, uint64_t at, uint64_t end)
{
    Stretch last = { .node = NULL };
    bool first = true, shown = true;

    while (at < end && shown) {
        Stretch s;
        int rc = find_stretch(n, at, end - at, &s);

        if (rc) {
            return img_complain(IMG_FAILED, "cannot read the map of '%s': %s", n->filename, strerror(-rc));
        }
        at += s.e.bytes;
        if (last.node && continues(&last, &s)) {
            last.e.bytes += s.e.bytes;
            continue;
        }
        if (last.node) {
            shown = print_stretch(line, &last, first);
            first = false;
        }
        last = s;
    }
    shown = shown && (!last.node || print_stretch(line, &last, first));
    return shown ? IMG_OK : img_complain(IMG_FAILED, "'%s' has compressed clusters, which lie nowhere as they are; "
                                         "--output=json maps them", n->filename);
}

int img_map(ImgLine *line)
{
    BlockNode *n = img_open(line, line->files[0], line->value['f'], 0);
    uint64_t start = 0, length = UINT64_MAX;
    int status;

    if (!n) {
        return IMG_FAILED;
    }
    if ((line->set[IMG_START] && !parse_size(line->value[IMG_START], 1, &start)) ||
        (line->set[IMG_LENGTH] && !parse_size(line->value[IMG_LENGTH], 1, &length))) {
        block_close(n);
        return img_complain(IMG_FAILED, "--start-offset and --max-length are sizes, as 64k");
    }
    start = MIN(start, n->bytes);
    if (!line->json) {
        printf("%-16s%-16s%-16s%s\n", "Offset", "Length", "Mapped to", "File");
    } else if (start == n->bytes || !length) {
        printf("[");
    }
    status = map_all(line, n, start, start + MIN(length, n->bytes - start));
    if (line->json) {
        printf("]\n");
    }
    block_close(n);
    return status;
}
