/*
 * file and host_device: a file of the host, or a block device.
 *
 * Locks are byte locks of open file descriptions, those that other emulators and their tools take, too:
 * byte 100 + N stands for "I use permission N", byte 200 + N for "nobody else may". So nobody
 * writes to an image that another process uses.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include <fcntl.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>
#include "block-int.h"

typedef struct FileNode {
    BlockNode node;
    int fd;
    bool no_zero_range, no_punch;   /* the file system cannot */
} FileNode;

static FileNode *file(BlockNode *n)
{
    return container_of(n, FileNode, node);
}

/* ---- locks ---- */

enum { PERM_READ = 0, PERM_WRITE = 1, PERM_RESIZE = 3 };
#define LOCK_USED 100
#define LOCK_NOT_SHARED 200

/* 0, or -errno: a shared lock of ours. */
static int lock_byte(int fd, off_t byte)
{
    struct flock l = { .l_type = F_RDLCK, .l_whence = SEEK_SET, .l_start = byte, .l_len = 1 };

    return fcntl(fd, F_OFD_SETLK, &l) == 0 ? 0 : -errno;
}

/* Whether another one has a lock there. */
static bool is_locked(int fd, off_t byte)
{
    struct flock l = { .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = byte, .l_len = 1 };

    return fcntl(fd, F_OFD_GETLK, &l) == 0 && l.l_type != F_UNLCK;
}

static bool lock_image(FileNode *f, const char *path, Error **errp)
{
    static const int perms[] = { PERM_READ, PERM_WRITE, PERM_RESIZE };
    bool writes = block_is_writable(&f->node);

    for (unsigned i = 0; i < ARRAY_SIZE(perms); i++) {
        bool uses = perms[i] == PERM_READ || writes;
        bool alone = perms[i] != PERM_READ;
        int rc = uses ? lock_byte(f->fd, LOCK_USED + perms[i]) : 0;

        rc = rc || !alone ? rc : lock_byte(f->fd, LOCK_NOT_SHARED + perms[i]);
        if (rc < 0 && rc != -EAGAIN) {
            return true;    /* a file system without locks: nobody else can have one, either */
        }
        if (rc < 0 || (uses && is_locked(f->fd, LOCK_NOT_SHARED + perms[i])) ||
            (alone && is_locked(f->fd, LOCK_USED + perms[i]))) {
            error_setg(errp, "'%s' is in use: another process %s", path,
                       writes ? "has it open; close that, or use a copy or snapshot=on"
                              : "writes to it; close that, or use a copy");
            return false;
        }
    }
    return true;
}

/* ---- open ---- */

static bool measure(FileNode *f, const char *path, bool device, Error **errp)
{
    struct stat st;
    uint64_t bytes = 0;

    if (fstat(f->fd, &st) < 0) {
        error_setg_errno(errp, errno, "cannot look at '%s'", path);
        return false;
    }
    if (device && (S_ISBLK(st.st_mode) || S_ISCHR(st.st_mode))) {
        if (ioctl(f->fd, BLKGETSIZE64, &bytes) < 0) {
            error_setg_errno(errp, errno, "cannot tell the size of the device '%s'", path);
            return false;
        }
    } else if (!S_ISREG(st.st_mode)) {
        error_setg(errp, "'%s' is %s, not a disk image", path,
                   S_ISDIR(st.st_mode) ? "a folder" : device ? "no block device" : "no plain file");
        return false;
    } else {
        bytes = (uint64_t)st.st_size;
    }
    f->node.bytes = bytes;
    return true;
}

static bool open_path(BlockNode *n, KeyVal *options, const char *prefix, bool device, Error **errp)
{
    const char *scheme = device ? "host_device:" : "file:";
    const char *path = n->filename;
    FileNode *f = file(n);

    block_option(options, prefix, "locking");
    if (g_str_has_prefix(path, scheme)) {
        path += strlen(scheme);
    }
    f->fd = open(path, (block_is_writable(n) ? O_RDWR : O_RDONLY) | O_CLOEXEC);
    if (f->fd < 0) {
        error_setg_errno(errp, errno, "cannot open '%s'%s", path,
                         block_is_writable(n) && (errno == EACCES || errno == EROFS)
                             ? " for writing (readonly=on or snapshot=on need not)" : "");
        return false;
    }
    if (!measure(f, path, device, errp) ||
        (!(n->flags & BLOCK_NO_LOCK) && !lock_image(f, path, errp))) {
        close(f->fd);
        return false;
    }
    return true;
}

static bool file_open(BlockNode *n, KeyVal *options, const char *prefix, Error **errp)
{
    return open_path(n, options, prefix, false, errp);
}

static bool host_device_open(BlockNode *n, KeyVal *options, const char *prefix, Error **errp)
{
    return open_path(n, options, prefix, true, errp);
}

static void file_close(BlockNode *n)
{
    close(file(n)->fd);
}

/* ---- I/O ---- */

static int file_read(BlockNode *n, uint64_t offset, void *out, size_t length)
{
    while (length) {
        ssize_t done = pread(file(n)->fd, out, length, (off_t)offset);

        if (done < 0 && errno == EINTR) {
            continue;
        }
        if (done < 0) {
            return -errno;
        }
        if (done == 0) {
            return -EIO;    /* somebody has made it shorter */
        }
        out = (char *)out + done;
        offset += (uint64_t)done;
        length -= (size_t)done;
    }
    return 0;
}

static int file_write(BlockNode *n, uint64_t offset, const void *data, size_t length)
{
    while (length) {
        ssize_t done = pwrite(file(n)->fd, data, length, (off_t)offset);

        if (done < 0 && errno == EINTR) {
            continue;
        }
        if (done < 0) {
            return -errno;
        }
        data = (const char *)data + done;
        offset += (uint64_t)done;
        length -= (size_t)done;
    }
    return 0;
}

/* By the file system; false where it cannot. */
static bool allocate(FileNode *f, int mode, bool *cannot, uint64_t offset, uint64_t length, int *rc)
{
    if (*cannot) {
        return false;
    }
    while ((*rc = fallocate(f->fd, mode | FALLOC_FL_KEEP_SIZE, (off_t)offset, (off_t)length)) < 0 &&
           errno == EINTR) {
    }
    if (*rc < 0) {
        *rc = -errno;
        *cannot = *rc == -EOPNOTSUPP || *rc == -ENODEV || *rc == -EINVAL || *rc == -ENOSYS;
    }
    return !*cannot;
}

static int write_zero_bytes(BlockNode *n, uint64_t offset, uint64_t length)
{
    static const uint8_t zeros[65536];
    int rc = 0;

    for (uint64_t done = 0; done < length && rc == 0; done += sizeof(zeros)) {
        rc = file_write(n, offset + done, zeros, (size_t)MIN(length - done, sizeof(zeros)));
    }
    return rc;
}

static int file_write_zeroes(BlockNode *n, uint64_t offset, uint64_t length, bool unmap)
{
    FileNode *f = file(n);
    int rc;

    if ((unmap && allocate(f, FALLOC_FL_PUNCH_HOLE, &f->no_punch, offset, length, &rc)) ||
        allocate(f, FALLOC_FL_ZERO_RANGE, &f->no_zero_range, offset, length, &rc)) {
        return rc;
    }
    return write_zero_bytes(n, offset, length);
}

static int file_discard(BlockNode *n, uint64_t offset, uint64_t length)
{
    FileNode *f = file(n);
    int rc;

    return allocate(f, FALLOC_FL_PUNCH_HOLE, &f->no_punch, offset, length, &rc) ? rc : 0;
}

static int file_flush(BlockNode *n)
{
    return fdatasync(file(n)->fd) == 0 ? 0 : -errno;
}

static int file_resize(BlockNode *n, uint64_t bytes)
{
    if (ftruncate(file(n)->fd, (off_t)bytes) < 0) {
        return -errno;
    }
    n->bytes = bytes;
    return 0;
}

static int file_extent(BlockNode *n, uint64_t offset, uint64_t length, BlockExtent *out)
{
    int fd = file(n)->fd;
    off_t data = lseek(fd, (off_t)offset, SEEK_DATA), end;

    out->has_offset = true;
    out->offset = offset;
    if (data < 0) {
        out->zero = errno == ENXIO;     /* a hole up to the end; else there is no telling */
    } else if ((uint64_t)data > offset) {
        out->zero = true;
        out->bytes = MIN(length, (uint64_t)data - offset);
    } else {
        end = lseek(fd, (off_t)offset, SEEK_HOLE);
        out->bytes = end > (off_t)offset ? MIN(length, (uint64_t)end - offset) : length;
    }
    return 0;
}

const BlockDriver block_file = {
    .name = "file", .doc = "a file of the host; filename=PATH", .size = sizeof(FileNode), .protocol = true,
    .open = file_open, .close = file_close, .read = file_read, .write = file_write,
    .write_zeroes = file_write_zeroes, .discard = file_discard, .flush = file_flush,
    .resize = file_resize, .extent = file_extent,
};

const BlockDriver block_host_device = {
    .name = "host_device", .doc = "a block device of the host; filename=PATH", .size = sizeof(FileNode),
    .protocol = true,
    .open = host_device_open, .close = file_close, .read = file_read, .write = file_write,
    .write_zeroes = file_write_zeroes, .discard = file_discard, .flush = file_flush,
};
