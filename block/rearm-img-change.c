/*
 * rearm-img: create, check, snapshot, resize.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include <json-c/json.h>
#include "rearm-img.h"

/* ---- create ---- */

bool img_wants_option_help(const ImgLine *line)
{
    return !strcmp(line->options->str, "help") || !strcmp(line->options->str, "?");
}

int img_option_help(const char *format)
{
    Error *err = NULL;
    const BlockDriver *driver = block_driver_find(format ? format : "raw", &err);

    if (!driver) {
        return img_fail(IMG_FAILED, err);
    }
    printf("Supported options:\n");
    for (const BlockCreateOption *o = driver->create_options; o && o->name; o++) {
        g_autofree char *left = g_strdup_printf("%s=<%s>", o->name, o->kind);

        printf("  %-22s - %s\n", left, o->doc);
    }
    return IMG_OK;
}

bool img_make(const char *filename, const char *format, const char *options, uint64_t size)
{
    g_autoptr(GString) text = g_string_new(options);
    g_autofree char *number = g_strdup_printf("%" PRIu64, size);
    Error *err = NULL;
    KeyVal *kv;
    bool ok;

    keyval_append(text, "size", number);
    kv = keyval_parse(text->str, NULL, &err);
    ok = kv && block_create(filename, format, kv, &err);
    keyval_free(kv);
    if (!ok) {
        img_complain(IMG_FAILED, "%s: %s", filename, error_get_pretty(err));
        error_free(err);
    }
    return ok;
}

/* What of a KeyVal "Formatting" shows, and what it is without. */
static void show_options(const char *filename, const char *format, KeyVal *options, uint64_t size)
{
    static const char *const names[][2] = {
        { "cluster_size", "65536" }, { "extended_l2", "off" }, { "preallocation", NULL },
        { "compression_type", "zlib" }, { "size", NULL }, { "backing_file", NULL }, { "backing_fmt", NULL },
        { "compat", NULL }, { "lazy_refcounts", "off" }, { "refcount_bits", "16" },
    };
    bool qcow2 = !strcmp(format, "qcow2");
    uint64_t cluster;

    printf("Formatting '%s', fmt=%s", filename, format);
    for (unsigned i = 0; i < ARRAY_SIZE(names); i++) {
        const char *value = keyval_get(options, names[i][0]);

        value = value ? value : qcow2 ? names[i][1] : NULL;
        if (!strcmp(names[i][0], "size")) {
            printf(" size=%" PRIu64, size);
        } else if (value && !strcmp(names[i][0], "cluster_size") && parse_size(value, 1, &cluster)) {
            printf(" cluster_size=%" PRIu64, cluster);
        } else if (value) {
            printf(" %s=%s", names[i][0], value);
        }
    }
    printf("\n");
}

/* The backing file is there, and of that format; its size. */
static bool look_at_backing(const ImgLine *line, const char *filename, const char *backing, const char *format,
                            uint64_t *bytes)
{
    g_autofree char *path = block_path_beside(filename, backing);
    BlockNode *n;

    if (!format) {
        n = img_open(line, path, NULL, BLOCK_NO_LOCK);
        if (n) {
            img_complain(IMG_FAILED, "%s: the backing file '%s' needs its format, too: -F %s, as it seems", filename,
                         backing, n->driver->name);
        }
        block_close(n);
        return false;
    }
    n = img_open(line, path, format, BLOCK_NO_LOCK);
    if (n) {
        *bytes = n->bytes;
    }
    block_close(n);
    return n;
}

int img_create(ImgLine *line)
{
    const char *filename = line->files[0], *format = line->set['f'] ? line->value['f'] : "raw";
    const char *backing, *backing_format, *size_text;
    uint64_t size = UINT64_MAX, bytes = UINT64_MAX;
    Error *err = NULL;
    KeyVal *options;

    if (line->set['b']) {
        keyval_append(line->options, "backing_file", line->value['b']);
    }
    if (line->set['F']) {
        keyval_append(line->options, "backing_fmt", line->value['F']);
    }
    options = keyval_parse(line->options->str, NULL, &err);
    if (!options) {
        return img_fail(IMG_FAILED, err);
    }
    backing = keyval_get(options, "backing_file");
    backing_format = keyval_get(options, "backing_fmt");
    size_text = line->num_files > 1 ? line->files[1] : keyval_get(options, "size");
    if (size_text && !parse_size(size_text, 1, &size)) {
        keyval_free(options);
        return img_complain(IMG_FAILED, "'%s' is no size; it is a number, with k, M, G, T, P or E behind it", size_text);
    }
    if (backing && *backing && !line->set['u'] &&
        !look_at_backing(line, filename, backing, backing_format, &bytes)) {
        keyval_free(options);
        return IMG_FAILED;
    }
    size = size == UINT64_MAX ? bytes : size;
    if (size == UINT64_MAX) {
        keyval_free(options);
        return img_complain(IMG_FAILED, "%s: Image creation needs a size parameter", filename);
    }
    size = (size + 511) & ~511ull;
    if (!line->set['q']) {
        show_options(filename, format, options, size);
    }
    keyval_remove(options, "size");
    g_autofree char *text = keyval_format(options);

    keyval_free(options);
    return img_make(filename, format, text, size) ? IMG_OK : IMG_FAILED;
}

/* ---- check ---- */

static void say_finding(const char *line)
{
    fprintf(stderr, "%s\n", line);
}

static double percent(uint64_t part, uint64_t of)
{
    return of ? 100.0 * (double)part / (double)of : 0;
}

static void check_human(const ImgLine *line, const BlockCheck *c)
{
    if (c->corruptions_fixed || c->leaks_fixed) {
        img_say(line, "The following inconsistencies were found and repaired:\n\n    %" PRIu64 " leaked clusters\n"
                "    %" PRIu64 " corruptions\n\nDouble checking the fixed image now...\n", c->leaks_fixed,
                c->corruptions_fixed);
    }
    if (!c->corruptions && !c->leaks) {
        img_say(line, "No errors were found on the image.\n");
    }
    if (c->corruptions) {
        img_say(line, "\n%" PRIu64 " errors were found on the image.\n"
                "Data may be corrupted, or further writes to the image may corrupt it.\n", c->corruptions);
    }
    if (c->leaks) {
        img_say(line, "\n%" PRIu64 " leaked clusters were found on the image.\n"
                "This means waste of disk space, but no harm to data.\n", c->leaks);
    }
    if (c->total_clusters && c->allocated_clusters) {
        img_say(line, "%" PRIu64 "/%" PRIu64 " = %.2f%% allocated, %.2f%% fragmented, %.2f%% compressed clusters\n",
                c->allocated_clusters, c->total_clusters, percent(c->allocated_clusters, c->total_clusters),
                percent(c->fragmented_clusters, c->allocated_clusters),
                percent(c->compressed_clusters, c->allocated_clusters));
    }
    if (c->end_offset) {
        img_say(line, "Image end offset: %" PRIu64 "\n", c->end_offset);
    }
}

static void check_json(const BlockNode *n, const BlockCheck *c)
{
    json_object *o = json_object_new_object();
    const struct { const char *name; uint64_t value; bool always; } members[] = {
        { "image-end-offset", c->end_offset, true }, { "total-clusters", c->total_clusters, true },
        { "check-errors", 0, true }, { "corruptions", c->corruptions }, { "leaks", c->leaks },
        { "corruptions-fixed", c->corruptions_fixed }, { "leaks-fixed", c->leaks_fixed },
        { "allocated-clusters", c->allocated_clusters }, { "fragmented-clusters", c->fragmented_clusters },
        { "compressed-clusters", c->compressed_clusters },
    };

    json_object_object_add(o, "filename", json_object_new_string(n->filename));
    json_object_object_add(o, "format", json_object_new_string(n->driver->name));
    for (unsigned i = 0; i < ARRAY_SIZE(members); i++) {
        if (members[i].always || members[i].value) {
            json_object_object_add(o, members[i].name, json_object_new_uint64(members[i].value));
        }
    }
    printf("%s\n", json_object_to_json_string_ext(o, JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_SPACED |
                                                     JSON_C_TO_STRING_NOSLASHESCAPE));
    json_object_put(o);
}

int img_check(ImgLine *line)
{
    const char *what = line->value['r'];
    BlockRepair repair = !what ? BLOCK_REPAIR_NOTHING : !strcmp(what, "leaks") ? BLOCK_REPAIR_LEAKS : BLOCK_REPAIR_ALL;
    BlockCheck c = { .say = say_finding };
    Error *err = NULL;
    BlockNode *n;
    int status = IMG_OK;

    if (what && strcmp(what, "leaks") && strcmp(what, "all")) {
        return img_complain(IMG_FAILED, "-r %s: there are leaks and all", what);
    }
    n = img_open(line, line->files[0], line->value['f'],
                 BLOCK_CHECKING | BLOCK_NO_BACKING | (repair ? BLOCK_WRITABLE : 0));
    if (!n) {
        return IMG_FAILED;
    }
    if (!block_can_check(n)) {
        img_complain(IMG_NO_CHECK, "This image format does not support checks");
        status = IMG_NO_CHECK;
    } else if (!block_check(n, repair, &c, &err)) {
        status = img_fail(IMG_FAILED, err);
    } else {
        line->json ? check_json(n, &c) : check_human(line, &c);
        status = c.corruptions ? IMG_CORRUPTIONS : c.leaks ? IMG_LEAKS : IMG_OK;
    }
    block_close(n);
    return status;
}

/* ---- snapshot ---- */

static int list_snapshots(BlockNode *n)
{
    g_autoptr(GPtrArray) list = block_snapshot_list(n);

    if (list && list->len) {
        img_print_snapshots(list);
    }
    return IMG_OK;
}

int img_snapshot(ImgLine *line)
{
    static const struct { char letter; BlockSnapshotVerb verb; } verbs[] = {
        { 'a', BLOCK_SNAPSHOT_APPLY }, { 'c', BLOCK_SNAPSHOT_CREATE }, { 'd', BLOCK_SNAPSHOT_DELETE },
    };
    int given = line->set['l'] + line->set['a'] + line->set['c'] + line->set['d'], status = IMG_OK;
    bool list = line->set['l'] || !given;
    Error *err = NULL;
    BlockNode *n;

    if (given > 1) {
        return img_complain(IMG_FAILED, "only one of -l, -a, -c and -d can be done at a time");
    }
    n = img_open(line, line->files[0], line->value['f'], BLOCK_NO_BACKING | (list ? 0 : BLOCK_WRITABLE));
    if (!n) {
        return IMG_FAILED;
    }
    if (list) {
        status = list_snapshots(n);
    }
    for (unsigned i = 0; i < ARRAY_SIZE(verbs); i++) {
        if (line->set[(unsigned)verbs[i].letter] &&
            !block_snapshot(n, verbs[i].verb, line->value[(unsigned)verbs[i].letter], &err)) {
            status = img_fail(IMG_FAILED, err);
        }
    }
    block_close(n);
    return status;
}

/* ---- resize ---- */

static bool new_size(const char *text, uint64_t old, uint64_t *out)
{
    bool relative = *text == '+' || *text == '-';
    uint64_t size;

    if (!parse_size(text + relative, 1, &size) || size > BLOCK_MAX_BYTES) {
        return false;
    }
    size = (size + 511) & ~511ull;
    if (*text == '-') {
        if (size > old) {
            return false;
        }
        size = old - size;
    } else if (*text == '+') {
        size += old;
    }
    *out = size;
    return true;
}

int img_resize(ImgLine *line)
{
    const char *text = line->files[1], *room = line->value[IMG_PREALLOCATION];
    BlockPreallocation mode = BLOCK_PREALLOCATE_OFF;
    uint64_t old, size;
    Error *err = NULL;
    BlockNode *n;
    int status = IMG_OK, rc;

    if (room && !block_parse_preallocation(room, &mode, &err)) {
        return img_fail(IMG_FAILED, err);
    }
    n = img_open(line, line->files[0], line->value['f'], BLOCK_WRITABLE);
    if (!n) {
        return IMG_FAILED;
    }
    old = n->bytes;
    if (!new_size(text, old, &size)) {
        status = img_complain(IMG_FAILED, "'%s' is no size for '%s', which has %" PRIu64 " bytes", text, n->filename, old);
    } else if (size < old && !line->set[IMG_SHRINK]) {
        status = img_complain(IMG_FAILED, "'%s' would become smaller, and what is behind %" PRIu64 " bytes would be lost: "
                              "Use the --shrink option to perform a shrink operation.", n->filename, size);
    } else if (size < old && mode) {
        status = img_complain(IMG_FAILED, "--preallocation=%s: '%s' becomes smaller", room, n->filename);
    } else if (!block_resize(n, size, &err)) {
        status = img_fail(IMG_FAILED, err);
    } else if (size > old && (rc = block_preallocate(n, old, size - old, mode)) != 0) {
        status = img_complain(IMG_FAILED, "cannot preallocate '%s': %s", n->filename, strerror(-rc));
    } else {
        img_say(line, "Image resized.\n");
    }
    rc = block_flush(n);
    block_close(n);
    return rc && status == IMG_OK ? img_complain(IMG_FAILED, "cannot write: %s", strerror(-rc)) : status;
}
