#!/usr/bin/env python3
"""Make a small initrd out of Debian's: busybox, its links, the libraries it
needs, and the folders to mount on. Uncompressed: unpacking it takes no time.

    initrd.py INITRD.GZ OUT

SPDX-License-Identifier: GPL-2.0-or-later
"""
import gzip
import os
import stat
import sys

MAGIC = b'070701'
KEEP_FOLDERS = ('bin', 'sbin', 'usr', 'usr/bin', 'usr/sbin', 'lib', 'dev', 'proc', 'sys',
                'tmp', 'run', 'mnt', 'etc')


def read_archive(data):
    """Yield (name, mode, rdev, contents) of a newc archive."""
    at = 0
    while True:
        header = data[at:at + 110]
        if header[:6] != MAGIC:
            raise ValueError('not a newc archive at byte %d' % at)
        field = [int(header[6 + 8 * n:14 + 8 * n], 16) for n in range(13)]
        mode, size, rdev, name_size = field[1], field[6], (field[9], field[10]), field[11]
        name = data[at + 110:at + 110 + name_size - 1].decode()
        start = (at + 110 + name_size + 3) & ~3
        if name == 'TRAILER!!!':
            return
        yield os.path.normpath(name), mode, rdev, data[start:start + size]
        at = (start + size + 3) & ~3


def write_entry(out, number, name, mode, rdev, contents):
    encoded = name.encode() + b'\0'
    fields = (number, mode, 0, 0, 2 if stat.S_ISDIR(mode) else 1, 0, len(contents), 0, 0,
              rdev[0], rdev[1], len(encoded), 0)
    out.write(MAGIC + b''.join(b'%08x' % f for f in fields) + encoded)
    out.write(b'\0' * (-(110 + len(encoded)) % 4) + contents + b'\0' * (-len(contents) % 4))


def is_wanted(name, mode, contents):
    if stat.S_ISDIR(mode):
        return name in KEEP_FOLDERS or name == 'lib/aarch64-linux-gnu'
    if name in ('bin/busybox', 'bin/sh', 'dev/console', 'dev/null', 'dev/zero'):
        return True
    if stat.S_ISLNK(mode) and os.path.basename(contents.decode()) == 'busybox':
        return True
    base = os.path.basename(name)
    return name.startswith('lib/') and (
        base.startswith('ld-linux-aarch64') or base.startswith('libc.so'))


def main():
    with gzip.open(sys.argv[1]) as packed:
        data = packed.read()
    with open(sys.argv[2], 'wb') as out:
        number = 0
        for name, mode, rdev, contents in read_archive(data):
            if is_wanted(name, mode, contents):
                number += 1
                write_entry(out, number, name, mode, rdev, contents)
        write_entry(out, 0, 'TRAILER!!!', 0, (0, 0), b'')


if __name__ == '__main__':
    main()
