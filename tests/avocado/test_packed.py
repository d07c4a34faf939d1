"""Packed rings (virtio 1.2 2.8) under Linux's own drivers: a disk, a network card and a source of random bytes, over both
transports. Recorded, replayed in several shapes, and travelled in.

SPDX-License-Identifier: GPL-2.0-or-later
"""
import hashlib
import os
import shutil
import tempfile

import modules
import rearm
import travel
from networks import NET, PCI, FileServer
from rearm import TestCase, machine, need_guest

RING_PACKED = 34
MIB = 1 << 20
# Of one queue's descriptors in one go, and many more than it has.
COPY = 'busybox dd if=/dev/%s of=/dev/%s bs=64k iflag=direct oflag=direct 2>/dev/null'


@need_guest()
@modules.need_modules()
class Packed(TestCase):
    """
    :avocado: tags=arch:aarch64
    :avocado: tags=machine:virt
    """

    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.mkdtemp(prefix='rearm-packed-')
        cls.initrd = os.path.join(cls.folder, 'initrd')
        modules.with_modules(cls.initrd, *PCI, 'virtio_mmio', *NET, 'virtio_blk', 'virtio-rng')
        cls.contents = b''.join(hashlib.sha256(b'%d' % n).digest() for n in range(4 * MIB // 32))
        cls.sum = hashlib.md5(cls.contents).hexdigest()
        cls.server = FileServer(cls.contents)

    @classmethod
    def tearDownClass(cls):
        cls.server.end()
        shutil.rmtree(cls.folder, ignore_errors=True)

    def machine(self, kind, *options):
        disks = (self.path('from'), self.path('to'))
        for path, contents in zip(disks, (self.contents, bytes(4 * MIB))):
            with open(path, 'wb') as f:
                f.write(contents)
        devices = ['virtio-blk-%s,drive=d%d' % (kind, n) for n in range(2)]
        devices += ['virtio-net-%s,netdev=n' % kind, 'virtio-rng-' + kind]
        drives = ['if=none,format=raw,id=d%d,file=%s' % (n, path) for n, path in enumerate(disks)]
        return (*machine(ram='256M', initrd=self.initrd), '-netdev', 'user,id=n', *options,
                *(word for text in drives for word in ('-drive', text)),
                *(word for text in devices for word in ('-device', text + ',packed=on')))

    def drive(self, transport, disks):
        def drive(vm):
            modules.mount(vm)
            modules.load(self, vm, *transport, *NET, 'virtio_blk', 'virtio-rng')
            features = vm.run('cat /sys/bus/virtio/devices/*/features').split()
            self.assertEqual([f[RING_PACKED] for f in features], ['1'] * 4)
            vm.run(COPY % disks)
            vm.run('echo 3 > /proc/sys/vm/drop_caches')
            self.assertIn(self.sum, vm.run('md5sum /dev/' + disks[1]))
            vm.run('busybox ip link set eth0 up; busybox ip addr add 10.0.2.15/24 dev eth0')
            self.assertIn(self.sum, vm.run('busybox wget -q -O - http://10.0.2.2:%d/f | md5sum'
                                           % self.server.server_port))
            self.assertNotEqual(*(vm.run('head -c 32 /dev/hwrng | md5sum') for _ in range(2)))
            vm.send('poweroff -f\n')
        return drive

    def check(self, transport, disks, *options):
        log = self.path('a.rr')
        recording = self.record(log, self.drive(transport, disks), *options, icount='shift=auto',
                                rrcheck=',rrcheck=digest,rrcheckperiod=20000000,rrkeyframe=0.5')
        self.assert_replays(log, recording)
        return log, recording

    def test_pci(self):
        log, recording = self.check(PCI, ('vda', 'vdb'), *self.machine('pci', '-smp', '2'))
        self.assert_replays(log, recording, '-accel', 'tcg,unit-insns=7,link=off,state-chaos=3,'
                            'state-chaos-period=20000000', timeout=300)
        if rearm.SLOW_SUITE:
            travel.journeys(self, log, recording, 1, 200, *travel.SHAPES[0])

    def test_mmio(self):
        # Linux finds the last transport first.
        self.check(('virtio_mmio',), ('vdb', 'vda'), *self.machine('device', '-global', 'virtio-mmio.force-legacy=off'))
