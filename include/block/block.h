/*
 * Disk images: the bytes that are in them, whatever the format.
 *
 * An image is a stack of nodes. A protocol node (file, null-co) ends it; a format node (raw, qcow2)
 * reads and writes through the node in `file`, and what it does not hold itself comes from the one in
 * `backing`. A driver is one const BlockDriver; its struct embeds BlockNode first.
 *
 * 1. All functions block. They run on a worker (hw/block/disk.c) or in a tool (rearm-img), one thread
 *    at a time for all nodes of a stack: drivers need no locks.
 * 2. Offsets and lengths are bytes, of any alignment. Callers of block_*() stay within block_bytes();
 *    drivers are never asked for more, nor for nothing.
 * 3. Results of I/O are 0 or -errno, as a guest is told of them; opening fails with a message.
 * 4. An image is untrusted input: what a driver reads in it is bounded and checked before use.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef BLOCK_BLOCK_H
#define BLOCK_BLOCK_H

#include "util/keyval.h"

typedef struct BlockNode BlockNode;
typedef struct BlockDriver BlockDriver;

/* How an image is opened; one word for the stack, except that what is behind is read-only. */
enum BlockFlags {
    BLOCK_WRITABLE = 1 << 0,
    BLOCK_NO_LOCK = 1 << 1,         /* do not ask whether other processes use the image */
    BLOCK_NO_BACKING = 1 << 2,      /* of the top node: leave `backing` alone (info, rebase) */
    BLOCK_CHECKING = 1 << 3,        /* for check and repair: also an image that is known to be damaged */
    BLOCK_PROBED = 1 << 4,          /* set by block_open(): nobody said that it is raw */
    BLOCK_UNSAFE = 1 << 5,          /* do not wait for the host's disk (cache=unsafe; tools) */
};

/* How much of what is not written yet gets room in the file. */
typedef enum BlockPreallocation {
    BLOCK_PREALLOCATE_OFF, BLOCK_PREALLOCATE_METADATA, BLOCK_PREALLOCATE_FALLOC, BLOCK_PREALLOCATE_FULL,
} BlockPreallocation;

/* An internal snapshot. */
typedef struct BlockSnapshot {
    char *id, *name;
    uint32_t seconds, nanoseconds;  /* when, since 1970 */
    uint64_t vm_clock_ns;
    uint64_t vm_state_bytes;
    uint64_t icount;                /* UINT64_MAX: not known */
} BlockSnapshot;

typedef enum BlockSnapshotVerb {
    BLOCK_SNAPSHOT_CREATE, BLOCK_SNAPSHOT_APPLY, BLOCK_SNAPSHOT_DELETE,
} BlockSnapshotVerb;

typedef enum BlockRepair { BLOCK_REPAIR_NOTHING, BLOCK_REPAIR_LEAKS, BLOCK_REPAIR_ALL } BlockRepair;

/* What check found and did. */
typedef struct BlockCheck {
    uint64_t corruptions, leaks;
    uint64_t corruptions_fixed, leaks_fixed;
    uint64_t end_offset;            /* of what is used of the file */
    uint64_t total_clusters, allocated_clusters, fragmented_clusters, compressed_clusters;
    void (*say)(const char *line);  /* each finding; NULL: nobody wants to know */
} BlockCheck;

/* What `create -o` takes. */
typedef struct BlockCreateOption {
    const char *name, *kind, *doc;
} BlockCreateOption;

typedef enum BlockChange {
    BLOCK_CHANGE_WRITE, BLOCK_CHANGE_ZERO, BLOCK_CHANGE_DISCARD, BLOCK_CHANGE_FLUSH,
} BlockChange;

/* What a stretch of an image is. */
typedef struct BlockExtent {
    uint64_t bytes;                 /* from the offset that was asked for on; at least 1 */
    bool allocated;                 /* this layer has it; else it comes from `backing`, or is zero */
    bool zero;                      /* reads as zeros */
    bool compressed;
    bool has_offset;                /* it lies at `offset` of the node in `file`, as it is */
    uint64_t offset;
} BlockExtent;

struct BlockDriver {
    const char *name;               /* "qcow2", as driver= and format= have it */
    const char *doc;
    size_t size;                    /* of its struct */
    bool protocol;                  /* the end of a stack; else `file` is opened before open() */
    /* All that it has no function for is what its file does, and it is as long. */
    bool filter;
    const char *child;              /* what options call the node in `file`; NULL: that */
    /*
     * Whether a file that begins with these bytes (at most BLOCK_PROBE_BYTES) is of this format.
     * NULL: formats are told by name only.
     */
    bool (*probe)(const uint8_t *start, size_t length);
    /*
     * Options are named PREFIX.KEY, or KEY when prefix is empty (block_option() reads one). Sets
     * n->bytes. After a failure close() is not called.
     */
    bool (*open)(BlockNode *n, KeyVal *options, const char *prefix, Error **errp);
    void (*close)(BlockNode *n);                    /* writes out what it has; may be NULL */
    int (*read)(BlockNode *n, uint64_t offset, void *out, size_t length);
    /* NULL, here and below: -ENOTSUP, and open() has to refuse BLOCK_WRITABLE. */
    int (*write)(BlockNode *n, uint64_t offset, const void *data, size_t length);
    /* NULL: zeros are written. unmap: their room may be given back. */
    int (*write_zeroes)(BlockNode *n, uint64_t offset, uint64_t length, bool unmap);
    /* NULL: nothing is done. What is read afterwards is the old content or zeros. */
    int (*discard)(BlockNode *n, uint64_t offset, uint64_t length);
    /* Everything that write() has taken survives the host's power failure. NULL: `file`'s. */
    int (*flush)(BlockNode *n);
    /* Of a filter that refuses requests by rule: what it makes of a change that is not made. */
    int (*admit)(BlockNode *n, BlockChange change, uint64_t offset, uint64_t length);
    /* Change n->bytes. NULL: it cannot be. */
    int (*resize)(BlockNode *n, uint64_t bytes);
    /* NULL: all is data. out->bytes may be less than length, not more. */
    int (*extent)(BlockNode *n, uint64_t offset, uint64_t length, BlockExtent *out);
    /* More for `info`: "key: value" lines of this format; may be NULL. */
    void (*describe)(BlockNode *n, GString *out);
    /* NULL: cannot be compressed. A cluster at its place, or what is left of the disk. */
    int (*write_compressed)(BlockNode *n, uint64_t offset, const void *data, size_t length);
    /* Give room to what has none; NULL: only BLOCK_PREALLOCATE_OFF. */
    int (*preallocate)(BlockNode *n, uint64_t offset, uint64_t length, BlockPreallocation mode);
    /* Nothing of this layer is left: all comes from `backing`. NULL: it cannot be. */
    int (*make_empty)(BlockNode *n);
    /* Another name of the backing image, and its format; NULL: none. The image itself stays open. */
    bool (*set_backing)(BlockNode *n, const char *filename, const char *format, Error **errp);
    /* Internal snapshots; all NULL: none. Names: an id or a name. */
    GPtrArray *(*snapshot_list)(BlockNode *n);
    bool (*snapshot)(BlockNode *n, BlockSnapshotVerb verb, const char *name, Error **errp);
    /* Of an image that is open read-only: read what the snapshot has, from now on. */
    bool (*snapshot_load)(BlockNode *n, const char *name, Error **errp);
    bool (*check)(BlockNode *n, BlockRepair repair, BlockCheck *out, Error **errp);
    /* A new image at a path; options as in create_options, size= among them. NULL: cannot be made. */
    bool (*create)(const char *filename, KeyVal *options, Error **errp);
    const BlockCreateOption *create_options;    /* ends with a name of NULL */
};

struct BlockNode {
    const BlockDriver *driver;
    char *filename;                 /* of the image that it is the top of: for messages, never NULL */
    uint64_t bytes;                 /* size of the disk */
    unsigned flags;
    unsigned depth;                 /* nodes above it */
    gint hurried;                   /* atomic: block_hurry() */
    BlockNode *file;                /* below a format */
    BlockNode *backing;             /* what shines through: block_read_backing(); may be shorter */
    /* What a format with clusters says of itself; 0 and NULL without. */
    uint32_t cluster_bytes;
    char *backing_name, *backing_format;
    bool dirty;                     /* was not closed: refcounts may be wrong */
};

#define BLOCK_PROBE_BYTES 512
/* 8 EiB less a bit: offset + length never overflows. */
#define BLOCK_MAX_BYTES (INT64_MAX - (INT64_MAX % 65536))

/* ---- open ---- */

/* NULL-terminated, in block/block.c. */
extern const BlockDriver *const block_drivers[];
const BlockDriver *block_driver_find(const char *name, Error **errp);

/*
 * The image at a path or "PROTOCOL:..." name. format NULL: what its first bytes say. An image that is
 * raw because they say nothing has BLOCK_PROBED: what a guest writes there could make it
 * another format the next time (hw/block/disk.c forbids just that).
 */
BlockNode *block_open_image(const char *filename, const char *format, unsigned flags, Error **errp);
/*
 * From -blockdev's or -drive's options: driver=, what the driver takes, and file.*, backing.* for the
 * nodes below; filename= where it stands for the node below. Prefix: "" or "file" and the like.
 */
BlockNode *block_open(KeyVal *options, const char *prefix, unsigned flags, Error **errp);
/* The file or device itself, whatever is in it. */
BlockNode *block_open_protocol(const char *filename, unsigned flags, Error **errp);
/* With all below. NULL is fine. */
void block_close(BlockNode *n);

/* The format of a file that begins so; "raw" when nothing tells. */
const char *block_probe_name(const uint8_t *start, size_t length);

/* For drivers: the option KEY of theirs, or NULL; the full name of one, to be freed. */
const char *block_option(KeyVal *options, const char *prefix, const char *key);
char *block_option_name(const char *prefix, const char *key);
/*
 * For drivers: open n->backing, read-only: with options backing.* if there are any, else the image
 * that n itself names, of that format (NULL: probed). A relative name is relative to n's.
 */
bool block_open_backing(BlockNode *n, KeyVal *options, const char *prefix, const char *filename,
                        const char *format, Error **errp);

/* ---- I/O ---- */

static inline uint64_t block_bytes(const BlockNode *n)
{
    return n->bytes;
}

static inline bool block_is_writable(const BlockNode *n)
{
    return n->flags & BLOCK_WRITABLE;
}

int block_read(BlockNode *n, uint64_t offset, void *out, size_t length);
int block_write(BlockNode *n, uint64_t offset, const void *data, size_t length);
int block_write_zeroes(BlockNode *n, uint64_t offset, uint64_t length, bool unmap);
int block_discard(BlockNode *n, uint64_t offset, uint64_t length);
int block_flush(BlockNode *n);
/*
 * Of an image whose changes are kept elsewhere: whether filters on top of it have rules about changes, and what
 * those say of one, 0 or -errno.
 */
bool block_has_rules(const BlockNode *n);
int block_admit(BlockNode *n, BlockChange change, uint64_t offset, uint64_t length);
/* The image itself, below filters: neither limits nor injected errors are its own. */
BlockNode *block_below_filters(BlockNode *n);
/* For drivers: change the size of a node. */
int block_set_bytes(BlockNode *n, uint64_t bytes);
/* For drivers that take their time: so many nanoseconds, or until somebody hurries. */
void block_wait(BlockNode *n, int64_t ns);
/* Any thread: nobody in this stack waits any more, as it is about to be closed. */
void block_hurry(BlockNode *n);
/* At most BLOCK_MAX_BYTES. Fails with a message that names the image. */
bool block_resize(BlockNode *n, uint64_t bytes, Error **errp);
/* length > 0 */
int block_extent(BlockNode *n, uint64_t offset, uint64_t length, BlockExtent *out);
/* The same through all backing nodes: allocated means in any of them. */
int block_extent_deep(BlockNode *n, uint64_t offset, uint64_t length, BlockExtent *out);
/*
 * What is read of [offset, offset + length) of a node's backing, for drivers: zeros where that is
 * shorter, or not there.
 */
int block_read_backing(BlockNode *n, uint64_t offset, void *out, size_t length);

/*
 * Compressed, where the driver can: offset is a multiple of n->cluster_bytes, and length is one, or ends
 * with the disk.
 */
int block_write_compressed(BlockNode *n, uint64_t offset, const void *data, size_t length);
int block_preallocate(BlockNode *n, uint64_t offset, uint64_t length, BlockPreallocation mode);
int block_make_empty(BlockNode *n);

/* ---- the image as a whole ---- */

/*
 * A new image, size= bytes long; options that the format does not have are refused. What is there is
 * overwritten.
 */
bool block_create(const char *filename, const char *format, KeyVal *options, Error **errp);
/* For drivers: an empty file; size bytes of nothing. */
bool block_create_file(const char *filename, uint64_t size, Error **errp);
bool block_parse_preallocation(const char *text, BlockPreallocation *out, Error **errp);
/* The path of a name that the image n has of another one: relative to where n is. To be freed. */
char *block_path_beside(const char *image, const char *filename);

bool block_set_backing(BlockNode *n, const char *filename, const char *format, Error **errp);
/* BlockSnapshot *, freed with the array; NULL: the format has none. */
GPtrArray *block_snapshot_list(BlockNode *n);
bool block_snapshot(BlockNode *n, BlockSnapshotVerb verb, const char *name, Error **errp);
bool block_snapshot_load(BlockNode *n, const char *name, Error **errp);
bool block_can_check(const BlockNode *n);
bool block_check(BlockNode *n, BlockRepair repair, BlockCheck *out, Error **errp);

/*
 * What a recording keeps of an image to know it again: its size and a digest of its first and last
 * mebibytes and of 1024 pages in between ("sampled"), or of all of it. To be freed.
 */
char *block_identity(BlockNode *n, bool whole);

#endif
