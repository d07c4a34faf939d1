/*
 * Where a machine's RAM comes from.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include <fcntl.h>
#include <linux/magic.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>
#include "hw/core/memory-backend.h"
#include "hw/core/memory-internal.h"

typedef struct BackendConfig {
    uint64_t size;
    bool share, prealloc, hugetlb;
    uint64_t hugetlbsize;
    char *path;
} BackendConfig;

typedef struct Backend {
    UserObject object;       /* first */
    BackendConfig config;
} Backend;

static Backend *backend_of(UserObject *o)
{
    return container_of(o, Backend, object);
}

/* ---- properties ---- */

#define ONE_HOST "the host decides where memory lies"
#define COMMON_PROPERTIES(share_)                                                              \
    PROP_SIZE("size", BackendConfig, size, NULL, 0, 0, "how much, in whole pages"),            \
    PROP_BOOL("share", BackendConfig, share, share_, "others may map it, too"),                \
    PROP_BOOL("prealloc", BackendConfig, prealloc, "off", "take it from the host at the start"), \
    PROP_FIXED("merge", PROPERTY_BOOL, NULL, "no effect", "on", "off"),                        \
    PROP_FIXED("dump", PROPERTY_BOOL, NULL, "no effect", "on", "off"),                         \
    PROP_FIXED("reserve", PROPERTY_BOOL, NULL, "no effect", "on", "off"),                      \
    PROP_FIXED("policy", PROPERTY_ENUM, ONE_HOST, "of the host's NUMA nodes", "default"),      \
    PROP_REFUSED("host-nodes", ONE_HOST),                                                      \
    PROP_REFUSED("prealloc-threads", "one thread does it; leave it out"),                      \
    PROP_REFUSED("prealloc-context", "one thread does it; leave it out"),                      \
    PROP_FIXED("x-use-canonical-path-for-ramblock-id", PROPERTY_BOOL, NULL, "no effect", "on", "off")

static const Property ram_properties[] = { COMMON_PROPERTIES("off"), PROP_END };

static const Property file_properties[] = {
    COMMON_PROPERTIES("off"),
    PROP_STRING("mem-path", BackendConfig, path, NULL, "the file, or a folder for a nameless one"),
    PROP_FIXED("discard-data", PROPERTY_BOOL, NULL, "no effect", "on", "off"),
    PROP_FIXED("readonly", PROPERTY_BOOL, "guests write to their RAM", "whether RAM is ROM", "off"),
    PROP_FIXED("pmem", PROPERTY_BOOL, "the host's persistent memory is not supported",
               "persistent memory", "off"),
    PROP_REFUSED("align", "memory is aligned as the file system wants it; leave it out"),
    PROP_REFUSED("offset", "memory begins at the file's start; leave it out"),
    PROP_END
};

static const Property memfd_properties[] = {
    COMMON_PROPERTIES("on"),
    PROP_BOOL("hugetlb", BackendConfig, hugetlb, "off", "of huge pages"),
    PROP_SIZE("hugetlbsize", BackendConfig, hugetlbsize, "0", 0, 0, "their size; 0: the host's"),
    PROP_FIXED("seal", PROPERTY_BOOL, NULL, "no effect", "on", "off"),
    PROP_END
};

static bool backend_complete(UserObject *o, Error **errp)
{
    const BackendConfig *c = &backend_of(o)->config;

    if (!c->size || c->size % PAGE_SIZE) {
        error_setg(errp, "object '%s': size=%" PRIu64 ": expected a size in whole pages of 4 KiB",
                   o->id, c->size);
        return false;
    }
    if (o->type == &memory_backend_file && !c->path) {
        error_setg(errp, "object '%s': a memory-backend-file needs mem-path=", o->id);
        return false;
    }
    if (c->hugetlbsize & (c->hugetlbsize - 1)) {
        error_setg(errp, "object '%s': hugetlbsize=%" PRIu64 " is no power of two", o->id,
                   c->hugetlbsize);
        return false;
    }
    return true;
}

#define BACKEND_TYPE(name_, doc_, table)                                              \
    { .name = name_, .doc = doc_, .properties = table, .size = sizeof(Backend),       \
      .config_offset = offsetof(Backend, config), .complete = backend_complete }

const UserObjectType memory_backend_ram =
    BACKEND_TYPE("memory-backend-ram", "memory of the process", ram_properties);
const UserObjectType memory_backend_file =
    BACKEND_TYPE("memory-backend-file", "memory that is, or begins as, a file", file_properties);
const UserObjectType memory_backend_memfd =
    BACKEND_TYPE("memory-backend-memfd", "memory of a nameless file", memfd_properties);

/* ---- mapping ---- */

/* What RAM will be of. */
typedef struct Mapping {
    int fd;                  /* -1: anonymous memory ... */
    bool shared;             /* else the file itself, or a private copy of it */
    int content;             /* a file to copy from; -1: none */
} Mapping;

static bool is_hugetlbfs(int fd)
{
    struct statfs fs;

    return fstatfs(fd, &fs) == 0 && (unsigned long)fs.f_type == HUGETLBFS_MAGIC;
}

/* The file is as long as the memory at least. */
static bool extend(int fd, uint64_t size)
{
    struct stat st;

    return fstat(fd, &st) == 0 && ((uint64_t)st.st_size >= size || ftruncate(fd, (off_t)size) == 0);
}

/* A file that nobody else can open; hugetlbfs has no O_TMPFILE on older hosts. */
static int open_nameless(const char *folder)
{
    g_autofree char *path = g_build_filename(folder, "rearm-ram.XXXXXX", NULL);
    int fd = g_mkstemp_full(path, O_RDWR | O_CLOEXEC, 0600);

    if (fd >= 0) {
        unlink(path);
    }
    return fd;
}

static bool open_file(const BackendConfig *c, Mapping *map)
{
    if (g_file_test(c->path, G_FILE_TEST_IS_DIR)) {
        map->fd = open_nameless(c->path);
        /* Private memory of huge pages is still of that file system. */
        map->shared = c->share;
        return map->fd >= 0 && extend(map->fd, c->size);
    }
    if (c->share) {
        map->fd = open(c->path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
        map->shared = true;
        return map->fd >= 0 && extend(map->fd, c->size);
    }
    map->content = open(c->path, O_RDONLY | O_CLOEXEC);
    if (map->content >= 0 && is_hugetlbfs(map->content)) {
        map->fd = map->content;
        map->content = -1;
    }
    return map->content >= 0 || map->fd >= 0 || errno == ENOENT;
}

static bool open_memfd(const BackendConfig *c, Mapping *map)
{
    unsigned flags = MFD_CLOEXEC;

    if (c->hugetlb) {
        flags |= MFD_HUGETLB;
        flags |= c->hugetlbsize ? (unsigned)__builtin_ctzll(c->hugetlbsize) << MAP_HUGE_SHIFT : 0;
    }
    map->fd = memfd_create("rearm-ram", flags);
    map->shared = c->share;
    return map->fd >= 0 && extend(map->fd, c->size);
}

static void *map_memory(const BackendConfig *c, const Mapping *map)
{
    int flags = map->fd < 0 ? MAP_PRIVATE | MAP_ANONYMOUS : map->shared ? MAP_SHARED : MAP_PRIVATE;

    return mmap(NULL, c->size, PROT_READ | PROT_WRITE, flags | MAP_NORESERVE, map->fd, 0);
}

/* The next part of the file, from *from on, that is no hole; false: there is none before size. */
static bool next_data(int fd, uint64_t size, uint64_t *from, uint64_t *to)
{
    off_t start = *from < size ? lseek(fd, (off_t)*from, SEEK_DATA) : -1;
    off_t end = start < 0 ? -1 : lseek(fd, start, SEEK_HOLE);

    if (end < 0 || (uint64_t)start >= size) {
        return false;
    }
    *from = (uint64_t)start;
    *to = MIN((uint64_t)end, size);
    return true;
}

static bool read_part(void *host, uint64_t from, uint64_t to, int fd)
{
    while (from < to) {
        ssize_t n = pread(fd, (char *)host + from, MIN(to - from, 1u << 30), (off_t)from);

        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n <= 0) {
            return n == 0;
        }
        from += (uint64_t)n;
    }
    return true;
}

/* Read what the file has; what it has not, stays zero. */
static bool copy_content(void *host, uint64_t size, int fd)
{
    uint64_t to;

    for (uint64_t from = 0; next_data(fd, size, &from, &to); from = to) {
        if (!read_part(host, from, to, fd)) {
            return false;
        }
    }
    return true;
}

static void *make(UserObject *o, Mapping *map, Error **errp)
{
    const BackendConfig *c = &backend_of(o)->config;
    bool ok = o->type == &memory_backend_file ? open_file(c, map) :
              o->type == &memory_backend_memfd ? open_memfd(c, map) : true;
    void *host = ok ? map_memory(c, map) : MAP_FAILED;

    if (host != MAP_FAILED && map->content >= 0 && !copy_content(host, c->size, map->content)) {
        int error = errno;

        munmap(host, c->size);
        host = MAP_FAILED;
        errno = error;
    }
    if (host == MAP_FAILED) {
        error_setg_errno(errp, errno, "object '%s': cannot make %" PRIu64 " MiB of memory%s%s", o->id,
                         c->size >> 20, c->path ? " of " : "", c->path ? c->path : "");
        return NULL;
    }
    return host;
}

/* The mapping keeps what it needs. */
static void close_files(const Mapping *map)
{
    if (map->fd >= 0) {
        close(map->fd);
    }
    if (map->content >= 0) {
        close(map->content);
    }
}

/* ---- RAM ---- */

/* Pages that are not zero have been written, as far as anybody asks. */
static bool note_part(Machine *m, MemRegion *region, uint64_t from, uint64_t to, Digest *digest)
{
    bool any = false;

    for (hwaddr page = from & ~(hwaddr)(PAGE_SIZE - 1); page < to; page += PAGE_SIZE) {
        if (!memory_page_is_zero(region->host + page)) {
            memory_mark_written(m->memory, region, region->base + page, PAGE_SIZE);
            digest_u64(digest, page);
            digest_update(digest, region->host + page, PAGE_SIZE);
            any = true;
        }
    }
    return any;
}

/* What is there at the start, which a replay needs, too. */
static void note_content(Machine *m, MemRegion *region, int fd)
{
    Digest *digest = digest_new();
    bool any = false;
    uint64_t to;

    for (uint64_t from = 0; next_data(fd, region->size, &from, &to); from = to) {
        any |= note_part(m, region, from, to, digest);
    }
    if (any) {
        g_autofree char *value = g_strdup_printf("xxh3:%016" PRIx64, digest_value(digest));

        machine_describe(m, "ram-content", value);
    }
    digest_free(digest);
}

/* The host gives pages when they are touched. */
static void touch(uint8_t *host, uint64_t size)
{
    for (uint64_t at = 0; at < size; at += PAGE_SIZE) {
        volatile uint8_t *page = host + at;

        *page = *page;
    }
}

UserObject *memory_backend_find(Machine *m, const char *id, Error **errp)
{
    UserObject *o = user_object_find(m, id);

    if (!o) {
        error_setg(errp, "memory backend '%s': there is no -object memory-backend-...,id=%s", id, id);
        return NULL;
    }
    if (o->type->complete != backend_complete) {
        error_setg(errp, "memory backend '%s': -object %s is none; memory-backend-ram is", id,
                   o->type->name);
        return NULL;
    }
    return o;
}

uint64_t memory_backend_size(UserObject *backend)
{
    return backend_of(backend)->config.size;
}

static bool check_use(const UserObject *o, uint64_t have, uint64_t size, Error **errp)
{
    if (o->users) {
        error_setg(errp, "memory backend '%s' is in use already", o->id);
        return false;
    }
    if (have != size) {
        error_setg(errp, "memory backend '%s' has %" PRIu64 " bytes, but -m asks for %" PRIu64, o->id,
                   have, size);
        return false;
    }
    return true;
}

const char *memory_backend_unrecordable(UserObject *backend)
{
    return backend->type == &memory_backend_file && backend_of(backend)->config.share ?
        "with share=on others can write to the guest's memory" : NULL;
}

MemRegion *memory_backend_add_ram(Machine *m, const char *id, const char *name, hwaddr base,
                                  hwaddr size, Error **errp)
{
    UserObject *o = id ? memory_backend_find(m, id, errp) : NULL;
    Mapping map = { .fd = -1, .content = -1 };
    const BackendConfig *c;
    MemRegion *region = NULL;
    void *host;

    if (!id) {
        return memory_add_ram(m->memory, name, base, size, false, errp);
    }
    if (!o || !check_use(o, backend_of(o)->config.size, size, errp)) {
        return NULL;
    }
    c = &backend_of(o)->config;
    host = make(o, &map, errp);
    if (host) {
        o->users++;
        region = memory_add_mapped_ram(m->memory, name, base, size, host);
        if (map.content >= 0 || map.fd >= 0) {
            note_content(m, region, map.content >= 0 ? map.content : map.fd);
        }
        if (c->prealloc) {
            touch(host, size);
        }
    }
    close_files(&map);
    return region;
}
