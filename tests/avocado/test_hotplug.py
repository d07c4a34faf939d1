"""Hot-plugging under Debian's kernel: its own pciehp finds what is plugged into a root port, and lets go of
what is to be taken out. Recorded, replayed in several shapes, and travelled in over every change.

SPDX-License-Identifier: GPL-2.0-or-later
"""
import hashlib
import os
import shutil
import tempfile

import modules
import rearm
import travel
from qmp import Client
from rearm import TestCase, Vm, machine, need_guest

MODULES = ('virtio_pci_legacy_dev', 'virtio_pci_modern_dev', 'virtio_pci', 'virtio-rng', 'virtio_blk')
RNG = dict(driver='virtio-rng-pci', bus='rp', id='dice')
DISK = dict(driver='virtio-blk-pci', bus='rp', id='disk', drive='d')
SECTORS = 4096


class Plugger:
    """A guest that runs, and its QMP client."""

    def __init__(self, case, vm, path):
        self.case = case
        self.vm = vm
        connection = rearm.connect(path, 30)
        case.addCleanup(connection.close)
        self.qmp = Client(connection.sendall, lambda: connection.recv(1 << 16), 60)
        self.qmp.negotiate()

    def prepare(self):
        self.vm.shell()
        for kind, where in (('sysfs', '/sys'), ('proc', '/proc'), ('devtmpfs', '/dev')):
            self.vm.run('busybox mount -t %s none %s' % (kind, where))
        for module in MODULES:
            self.case.assertNotIn('rror', self.vm.run('insmod /%s.ko' % module))

    def plug(self, device):
        self.qmp.command('device_add', **device)

    def unplug(self, name):
        # While it stands the guest cannot let go of it.
        self.qmp.command('stop')
        self.qmp.command('device_del', id=name)
        error = self.qmp.execute('device_del', id=name)['error']
        self.case.assertEqual(error['desc'], 'Device %s is already in the process of unplug' % name)
        self.qmp.command('cont')
        event = self.qmp.wait('DEVICE_DELETED')
        self.case.assertEqual(event['data'], {'device': name, 'path': '/machine/peripheral/' + name})
        self.case.assertEqual(self.qmp.execute('device_del', id=name)['error']['class'], 'DeviceNotFound')

    def wait_for(self, path):
        self.vm.run('while ! test -e %s; do sleep 1; done' % path)

    def use_rng(self):
        self.wait_for('/sys/devices/virtual/misc/hw_random/rng_current')
        self.vm.run('until grep -q virtio /sys/devices/virtual/misc/hw_random/rng_current; do '
                    'sleep 1; done')
        self.case.assertRegex(self.vm.run('head -c 32 /dev/hwrng | md5sum'), r'^[0-9a-f]{32} ')

    def use_disk(self, first):
        """What it has at first, and then what is written."""
        self.wait_for('/dev/vda')
        self.case.assertIn(first, self.vm.run('md5sum /dev/vda'))
        self.vm.run('head -c 8192 /dev/urandom > /dev/vda')
        self.vm.run('sync; echo 3 > /proc/sys/vm/drop_caches')
        return self.vm.run('md5sum /dev/vda').split()[0]


@need_guest()
class Hotplug(TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.mkdtemp(prefix='rearm-hotplug-')
        cls.initrd = os.path.join(cls.folder, 'initrd')
        modules.with_modules(cls.initrd, *MODULES)
        cls.image = os.path.join(cls.folder, 'image')
        content = b''.join(hashlib.sha256(b'%d' % n).digest() for n in range(SECTORS * 16))
        with open(cls.image, 'wb') as f:
            f.write(content)
        cls.sum = hashlib.md5(content).hexdigest()

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.folder, ignore_errors=True)

    def machine(self):
        return (*machine(ram='256M', initrd=self.initrd, append=rearm.APPEND),
                '-device', 'pcie-root-port,id=rp,chassis=1,slot=3', '-drive',
                'if=none,id=d,format=raw,file=' + self.image)

    def drive(self, vm, qmp):
        """One device after another in the same slot; the disk comes back with what was written."""
        p = Plugger(self, vm, qmp)
        p.prepare()
        p.plug(RNG)
        p.use_rng()
        p.unplug('dice')
        p.plug(DISK)
        written = p.use_disk(self.sum)
        self.assertNotEqual(written, self.sum)
        p.unplug('disk')
        p.plug({**DISK, 'id': 'again'})
        p.wait_for('/dev/vda')
        self.assertIn(written, vm.run('md5sum /dev/vda'))
        vm.send('poweroff -f\n')

    def test_hotplug(self):
        log, qmp = self.path('a.rr'), self.path('qmp')
        recording = self.record(log, lambda vm: self.drive(vm, qmp), *self.machine(), '-qmp',
                                'unix:%s,server=on,wait=off' % qmp, rrcheck=',rrcheck=digest,rrcheckperiod=20000000')
        self.assert_replays(log, recording)
        self.assert_replays(log, recording, '-accel', 'tcg,state-chaos=3,state-chaos-period=30000000', timeout=300)
        travel.journeys(self, log, recording, 1, 8, *travel.SHAPES[0])
