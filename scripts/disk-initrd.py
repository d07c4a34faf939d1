#!/usr/bin/env python3
"""Make the initrd that ends the making of a Debian disk: it has the modules for a disk, and its /init runs
/stage2.sh on it.

    disk-initrd.py OUT

SPDX-License-Identifier: GPL-2.0-or-later
"""
import os
import sys

sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'tests', 'avocado'))
import initrd    # noqa: E402
import modules    # noqa: E402

MODULES = ('virtio_pci_modern_dev', 'virtio_pci_legacy_dev', 'virtio_pci', 'crc16', 'crc32c_generic', 'libcrc32c',
           'mbcache', 'jbd2', 'ext4', 'virtio_blk')
INIT = """#!/bin/sh
busybox mount -t proc none /proc
busybox mount -t devtmpfs none /dev
for name in %s; do
    insmod /$name.ko
done
busybox mount -t ext4 /dev/vda /mnt
chroot /mnt /bin/sh /stage2.sh
busybox umount /mnt
poweroff -f
"""


def main():
    modules.with_modules(sys.argv[1], *MODULES)
    with open(sys.argv[1], 'ab') as out:
        out.write(b'\0' * (-out.tell() % 4))
        initrd.write_entry(out, 1, 'init', 0o100755, (0, 0), (INIT % ' '.join(MODULES)).encode())
        initrd.write_entry(out, 0, 'TRAILER!!!', 0, (0, 0), b'')


if __name__ == '__main__':
    main()
