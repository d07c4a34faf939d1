"""Hot-plugging under Debian's kernel: its own pciehp finds what is plugged into a root port, and lets go of
what is to be taken out. Recorded, replayed in several shapes, and travelled in over every change.

SPDX-License-Identifier: GPL-2.0-or-later
"""
import hashlib
import os
import random
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
        self.marks = []        # positions of what is done from outside, and in front of them
        connection = rearm.connect(path, 30)
        case.addCleanup(connection.close)
        self.qmp = Client(connection.sendall, lambda: connection.recv(1 << 16), 60)
        self.qmp.negotiate()

    def prepare(self):
        modules.mount(self.vm)
        modules.load(self.case, self.vm, *MODULES)

    def act(self, name, **arguments):
        """Where the machine stands; that place is before or behind it, as one looks at it."""
        self.qmp.command('stop')
        self.qmp.command(name, **arguments)
        self.marks.append(self.qmp.command('x-rearm-query-replay')['position'])

    def plug(self, device):
        self.act('device_add', **device)
        self.qmp.command('cont')

    def unplug(self, name):
        # While it stands the guest cannot let go of it.
        self.act('device_del', id=name)
        error = self.qmp.execute('device_del', id=name)['error']
        self.case.assertEqual(error['desc'], 'Device %s is already in the process of unplug' % name)
        self.qmp.command('cont')
        event = self.qmp.wait('DEVICE_DELETED')
        self.case.assertEqual(event['data'], {'device': name, 'path': '/machine/peripheral/' + name})
        self.case.assertEqual(self.qmp.execute('device_del', id=name)['error']['class'], 'DeviceNotFound')
        self.vm.run('echo behind it')

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
                'if=none,id=d,format=raw,file=' + self.image, '-device', 'pcie-root-port,id=rp2,slot=4',
                '-device', 'edu,id=first,bus=rp2')

    def drive(self, vm, qmp):
        """One device after another in the same slot; the disk comes back with what was written."""
        p = Plugger(self, vm, qmp)
        p.prepare()
        p.plug(RNG)
        p.use_rng()
        p.unplug('dice')
        p.unplug('first')
        p.plug(DISK)
        written = p.use_disk(self.sum)
        self.assertNotEqual(written, self.sum)
        p.unplug('disk')
        p.plug({**DISK, 'id': 'again'})
        p.wait_for('/dev/vda')
        self.assertIn(written, vm.run('md5sum /dev/vda'))
        vm.send('poweroff -f\n')
        self.marks = p.marks

    def test_blockdev_add(self):
        """An image that was opened while the guest ran is its disk, and is whole when it is closed."""
        image, qmp = self.path('late'), self.path('qmp')
        shutil.copy(self.image, image)
        with Vm(*machine(ram='256M', initrd=self.initrd, append=rearm.APPEND), '-device',
                'pcie-root-port,id=rp,chassis=1,slot=3', '-qmp', 'unix:%s,server=on,wait=off' % qmp) as vm:
            p = Plugger(self, vm, qmp)
            p.prepare()
            p.qmp.command('blockdev-add', driver='raw', **{
                'node-name': 'late', 'file': {'driver': 'file', 'filename': image}})
            p.qmp.command('device_add', **{**DISK, 'drive': 'late'})
            written = p.use_disk(self.sum)
            p.qmp.command('device_del', id='disk')
            p.qmp.wait('DEVICE_DELETED')
            p.qmp.command('blockdev-del', **{'node-name': 'late'})
            self.assertEqual(p.qmp.command('query-named-block-nodes'), [])
            with open(image, 'rb') as f:
                self.assertEqual(hashlib.md5(f.read()).hexdigest(), written)

    def make(self, rrcheck=''):
        log, qmp = self.path('a.rr'), self.path('qmp')
        return log, self.record(log, lambda vm: self.drive(vm, qmp), *self.machine(), '-qmp',
                                'unix:%s,server=on,wait=off' % qmp, rrcheck=rrcheck)

    def test_replay(self):
        log, recording = self.make(',rrcheck=digest,rrcheckperiod=20000000')
        self.assert_replays(log, recording)
        self.assert_replays(log, recording, '-accel', 'tcg,state-chaos=3,state-chaos-period=30000000', timeout=300)
        self.assert_replays(log, recording, *travel.SHAPES[0])
        if rearm.SLOW_SUITE:
            self.assert_replays(log, recording, '-accel', 'tcg,backend=interp', timeout=600)
            travel.journeys(self, log, recording, 1, 20, *travel.SHAPES[0])

    def check_refused(self, replay):
        for name, arguments in (('device_add', RNG), ('device_del', {'id': 'rp'})):
            error = replay.qmp.execute(name, **arguments)['error']['desc']
            self.assertIn('replay_golive' if name == 'device_add' else 'does not support', error)

    def there(self, replay):
        """What was plugged and is there."""
        return [p['name'] for p in replay.command('qom-list', path='/machine/peripheral')
                if p['name'] in ('first', 'dice', 'disk', 'again')]

    def test_travel(self):
        """Back and forth over every plug and unplug, by seeks and by states in a file, and another way from there."""
        log, recording = self.make(',rrkeyframe=1' if rearm.SLOW_SUITE else '')
        dice, no_dice, no_first, disk, no_disk, again = self.marks
        places = {dice - 1: ['first'], dice + 1: ['first', 'dice'], no_dice + 1: ['first', 'dice'],
                  no_first - 1: ['first'], no_first + 1: ['first'], disk - 1: [], disk + 1: ['disk'],
                  no_disk + 1: ['disk'], again - 1: [], again + 1: ['again']}
        visited, order = {}, sorted(places) + sorted(places, reverse=True)
        random.Random(1).shuffle(order)
        states = self.path('states')
        with travel.Replay(self.dir, log, '-snapshot-file', states, serial='stdio') as replay:
            for position in order:
                here, digest = replay.go('replay-seek', icount=position)
                self.assertEqual((here, self.there(replay)), (position, places[position]))
                self.assertEqual(visited.setdefault(position, digest), digest)
                replay.command('x-rearm-savevm', name='s%d' % position)
            for position in random.Random(2).sample(order, 8):
                self.assertEqual(replay.go('x-rearm-loadvm', name='s%d' % position), (position, visited[position]))
                self.assertEqual(self.there(replay), places[position])
            replay.go('replay-seek', icount=dice - 1)
            self.check_refused(replay)
            branch = self.branch(replay, self.path('b.rr'))
        travel.compare(self, self.dir, log, recording, visited, 'not as in a straight run')
        self.assert_replays(self.path('b.rr'), branch)

    def branch(self, replay, log):
        """Live from before the first plug on, another device is plugged."""
        replay.command('x-rearm-replay-golive', file=log)
        replay.command('device_add', **{**DISK, 'id': 'other'})
        replay.command('cont')
        replay.vm.send('\nwhile ! test -e /dev/vda; do sleep 1; done; md5sum /dev/vda\n')
        replay.vm.expect(self.sum.encode())
        replay.vm.send('poweroff -f\n')
        self.assertEqual(replay.vm.wait(), 0, replay.vm.stderr())
        return rearm.Recording(replay.vm.stderr())
