/*
 * Disk images: finding the drivers, and putting nodes together.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "block-int.h"

/* As long a chain as anybody makes; a chain of files that name each other ends here. */
#define MAX_DEPTH 64

const BlockDriver *const block_drivers[] = {
    &block_raw, &block_qcow2, &block_file, &block_host_device, &block_null, &block_blkdebug,
    &block_copy_on_read, &block_throttle, NULL
};

const BlockDriver *block_driver_find(const char *name, Error **errp)
{
    const char *names[ARRAY_SIZE(block_drivers)] = { NULL };
    const char *near;
    g_autofree char *all = NULL;

    for (unsigned i = 0; block_drivers[i]; i++) {
        names[i] = block_drivers[i]->name;
        if (!strcmp(names[i], name)) {
            return block_drivers[i];
        }
    }
    near = suggest_nearest(name, names);
    if (near) {
        error_setg(errp, "there is no block driver '%s'; did you mean '%s'?", name, near);
    } else {
        all = g_strjoinv(", ", (char **)names);
        error_setg(errp, "there is no block driver '%s'; there are %s", name, all);
    }
    return NULL;
}

char *block_option_name(const char *prefix, const char *key)
{
    return *prefix ? g_strdup_printf("%s.%s", prefix, key) : g_strdup(key);
}

const char *block_option(KeyVal *options, const char *prefix, const char *key)
{
    g_autofree char *name = block_option_name(prefix, key);

    return keyval_get(options, name);
}

/* ---- what a file is ---- */

static const BlockDriver *probe_start(const uint8_t *start, size_t length)
{
    for (unsigned i = 0; block_drivers[i]; i++) {
        if (block_drivers[i]->probe && block_drivers[i]->probe(start, length)) {
            return block_drivers[i];
        }
    }
    return &block_raw;
}

const char *block_probe_name(const uint8_t *start, size_t length)
{
    return probe_start(start, length)->name;
}

static const BlockDriver *probe(BlockNode *file, Error **errp)
{
    uint8_t start[BLOCK_PROBE_BYTES];
    size_t length = (size_t)MIN(file->bytes, sizeof(start));
    int rc = block_read(file, 0, start, length);

    if (rc < 0) {
        error_setg_errno(errp, -rc, "cannot read '%s'", file->filename);
        return NULL;
    }
    return probe_start(start, length);
}

/* ---- nodes ---- */

static BlockNode *open_node(KeyVal *options, const char *prefix, const char *filename, unsigned flags,
                            unsigned depth, Error **errp);

/* The node under a format or filter: file.driver=, or what the name says, or a plain file. */
static BlockNode *open_file(KeyVal *options, const char *prefix, const BlockDriver *driver,
                            const char *filename, unsigned flags, unsigned depth, Error **errp)
{
    g_autofree char *below = block_option_name(prefix, driver && driver->child ? driver->child : "file");

    return open_node(options, below, filename, flags & ~BLOCK_NO_BACKING, depth + 1, errp);
}

static const BlockDriver *protocol_of(const char *filename)
{
    return g_str_has_prefix(filename, "null-co:") ? &block_null
         : g_str_has_prefix(filename, "/dev/") && g_file_test(filename, G_FILE_TEST_EXISTS) &&
           !g_file_test(filename, G_FILE_TEST_IS_REGULAR) ? &block_host_device
         : &block_file;
}

/* "file", "backing.file", "file.image": the node below another one. */
static bool is_below(const char *prefix)
{
    const char *last = strrchr(prefix, '.');

    last = last ? last + 1 : prefix;
    return !strcmp(last, "file") || !strcmp(last, "image");
}

/* driver=, or what it is to be without: of a node below a format a protocol, else what is in it. */
static const BlockDriver *choose_driver(KeyVal *options, const char *prefix, const char *filename,
                                        BlockNode **file, unsigned *flags, unsigned depth, Error **errp)
{
    const char *name = block_option(options, prefix, "driver");
    const BlockDriver *driver;

    if (name) {
        return block_driver_find(name, errp);
    }
    if (is_below(prefix)) {
        if (!filename) {
            error_setg(errp, "'%s' has no file name: %s.filename=NAME gives it one", prefix, prefix);
            return NULL;
        }
        return protocol_of(filename);
    }
    *file = open_file(options, prefix, NULL, filename, *flags, depth, errp);
    driver = *file ? probe(*file, errp) : NULL;
    *flags |= driver == &block_raw ? BLOCK_PROBED : 0;
    return driver;
}

static BlockNode *open_node(KeyVal *options, const char *prefix, const char *filename, unsigned flags,
                            unsigned depth, Error **errp)
{
    const char *named = block_option(options, prefix, "filename");
    const BlockDriver *driver;
    BlockNode *file = NULL, *n;

    filename = named ? named : filename;
    if (depth > MAX_DEPTH) {
        error_setg(errp, "'%s': more than %d images stand on one another", filename, MAX_DEPTH);
        return NULL;
    }
    driver = choose_driver(options, prefix, filename, &file, &flags, depth, errp);
    if (driver && !driver->protocol && !file) {
        file = open_file(options, prefix, driver, filename, flags, depth, errp);
    }
    if (!driver || (!driver->protocol && !file)) {
        block_close(file);
        return NULL;
    }
    n = g_malloc0(driver->size);
    n->driver = driver;
    n->flags = flags;
    n->depth = depth;
    n->file = file;
    n->filename = g_strdup(filename ? filename : file ? file->filename : driver->name);
    if (!driver->open(n, options, prefix, errp)) {
        block_close(n->backing);
        block_close(n->file);
        g_free(n->filename);
        g_free(n);
        return NULL;
    }
    assert(n->bytes <= BLOCK_MAX_BYTES);
    return n;
}

BlockNode *block_open(KeyVal *options, const char *prefix, unsigned flags, Error **errp)
{
    return open_node(options, prefix, NULL, flags, 0, errp);
}

/* Options that say nothing but the driver. */
static KeyVal *driver_option(const char *prefix, const char *format)
{
    g_autofree char *name = block_option_name(prefix, "driver");
    g_autoptr(GString) text = g_string_new(NULL);

    if (format) {
        keyval_append(text, name, format);
    }
    return keyval_parse(text->str, NULL, NULL);
}

BlockNode *block_open_image(const char *filename, const char *format, unsigned flags, Error **errp)
{
    KeyVal *options = driver_option("", format);
    BlockNode *n = options ? open_node(options, "", filename, flags, 0, errp) : NULL;

    keyval_free(options);
    return n;
}

char *block_path_beside(const char *image, const char *filename)
{
    g_autofree char *folder = g_path_get_dirname(image);

    return g_path_is_absolute(filename) || !strchr(image, '/') || strchr(filename, ':')
               ? g_strdup(filename) : g_build_filename(folder, filename, NULL);
}

bool block_open_backing(BlockNode *n, KeyVal *options, const char *prefix, const char *filename,
                        const char *format, Error **errp)
{
    unsigned flags = n->flags & ~(BLOCK_WRITABLE | BLOCK_CHECKING | BLOCK_PROBED);
    g_autofree char *below = block_option_name(prefix, "backing");
    const char *driver = block_option(options, below, "driver");
    const char *named = block_option(options, below, "filename");

    if (driver || named) {
        n->backing = open_node(options, below, NULL, flags, n->depth + 1, errp);
    } else {
        KeyVal *own = driver_option(below, format);
        g_autofree char *path = block_path_beside(n->filename, filename);

        n->backing = own ? open_node(own, below, path, flags, n->depth + 1, errp) : NULL;
        keyval_free(own);
    }
    if (!n->backing) {
        error_prepend(errp, "'%s' stands on another image: ", n->filename);
    }
    return n->backing != NULL;
}

BlockNode *block_open_protocol(const char *filename, unsigned flags, Error **errp)
{
    KeyVal *options = driver_option("", protocol_of(filename)->name);
    BlockNode *n = open_node(options, "", filename, flags, 0, errp);

    keyval_free(options);
    return n;
}

void block_close(BlockNode *n)
{
    if (!n) {
        return;
    }
    if (n->driver->close) {
        n->driver->close(n);
    }
    block_close(n->backing);
    block_close(n->file);
    g_free(n->filename);
    g_free(n);
}
