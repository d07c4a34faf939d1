"""What tests of disks have in common: a file system in an image, and the modules that Debian's kernel
needs for it.

SPDX-License-Identifier: GPL-2.0-or-later
"""
import hashlib
import os
import shutil
import subprocess
import tempfile
import unittest

import modules
import rearm
from rearm import TestCase, machine, need_guest

PCI = ('virtio_pci_legacy_dev', 'virtio_pci_modern_dev', 'virtio_pci')
FILE_SYSTEM = ('crc16', 'mbcache', 'jbd2', 'crc32c_generic', 'libcrc32c', 'ext4')
MKFS = shutil.which('mke2fs') or shutil.which('mke2fs', path='/sbin:/usr/sbin')
SIZE = 48 << 20


def md5(path):
    with open(path, 'rb') as f:
        return hashlib.md5(f.read()).hexdigest()


def need_disk(case):
    """Decorator: skip without the guest, its modules and mke2fs."""
    case = unittest.skipUnless(MKFS, 'no mke2fs: install e2fsprogs')(case)
    return need_guest()(modules.need_modules()(case))


class DiskCase(TestCase):
    """A machine with a disk; self.disk is its image, self.sum the sum of the file r in it."""

    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.mkdtemp(prefix='rearm-disk-')
        cls.initrd = os.path.join(cls.folder, 'initrd')
        modules.with_modules(cls.initrd, *PCI, 'virtio_mmio', *FILE_SYSTEM, 'virtio_blk')
        files = os.path.join(cls.folder, 'files')
        os.mkdir(files)
        with open(os.path.join(files, 'r'), 'wb') as f:
            f.write(b''.join(hashlib.sha256(b'%d' % n).digest() for n in range(100000)))
        cls.sum = md5(os.path.join(files, 'r'))
        cls.image = os.path.join(cls.folder, 'image')
        subprocess.run([MKFS, '-q', '-t', 'ext4', '-d', files, cls.image, str(SIZE >> 10)], check=True,
                       stdout=subprocess.DEVNULL)

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.folder, ignore_errors=True)

    def setUp(self):
        super().setUp()
        self.disk = self.path('disk')
        shutil.copy(self.image, self.disk)

    def machine(self, *options, drive=''):
        return (*machine(ram='256M', initrd=self.initrd, append=rearm.APPEND), '-drive',
                'format=raw,file=%s%s' % (self.disk, drive), *options)

    def load(self, vm, transport, mount=True):
        modules.mount(vm)
        modules.load(self, vm, *transport, *FILE_SYSTEM, 'virtio_blk')
        if mount:
            vm.run('busybox mount -t ext4 /dev/vda /mnt')
