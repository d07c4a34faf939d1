"""The memory balloon under Linux's own driver, which Debian has as a module: a monitor shrinks and grows the guest's
memory and reads its statistics. Recorded, replayed in several shapes, and travelled in.

SPDX-License-Identifier: GPL-2.0-or-later
"""
import re

import modules
import rearm
import travel
from qmp import Client
from rearm import TestCase, Vm, machine, need_guest

PCI = ('virtio_pci_legacy_dev', 'virtio_pci_modern_dev', 'virtio_pci')
MIB = 1 << 20


@need_guest()
@modules.need_modules()
class Balloon(TestCase):
    """
    :avocado: tags=arch:aarch64
    :avocado: tags=machine:virt
    """

    def machine(self, device):
        initrd = self.path('initrd')
        modules.with_modules(initrd, *PCI, 'virtio_mmio', 'virtio_balloon')
        return machine(ram='256M', initrd=initrd) + [
            '-device', device, '-qmp', 'unix:%s,server=on,wait=off' % self.path('qmp')]

    def monitor(self, vm):
        connection = rearm.connect(self.path('qmp'), 60, lambda: vm.process.poll() is None)
        return Client(connection.sendall, lambda: connection.recv(1 << 16), 60).negotiate()

    def available(self, vm):
        return int(re.search(r'MemFree: +(\d+)', vm.run('cat /proc/meminfo')).group(1)) >> 10

    def resize(self, vm, client, mib):
        """Ask for a size, and wait until the guest has it."""
        client.command('balloon', value=mib * MIB)
        while client.command('query-balloon')['actual'] != mib * MIB:
            vm.run('busybox sleep 0.1')

    def use(self, vm, transport):
        client = self.monitor(vm)
        modules.mount(vm)
        self.assertEqual(client.command('query-balloon'), {'actual': 256 * MIB})
        modules.load(self, vm, *transport, 'virtio_balloon')
        before = self.available(vm)
        self.resize(vm, client, 192)
        self.assertAlmostEqual(before - self.available(vm), 64, delta=8)
        self.assertEqual(client.wait('BALLOON_CHANGE')['event'], 'BALLOON_CHANGE')
        self.resize(vm, client, 240)
        self.assertAlmostEqual(before - self.available(vm), 16, delta=8)
        # Memory that was given up and taken back is memory.
        vm.run('busybox mount -t tmpfs none /mnt; head -c 8000000 /dev/zero | tr "\\0" x > /mnt/x')
        self.assertIn('8000000', vm.run('tr -d -c x < /mnt/x | busybox wc -c; rm /mnt/x'))
        self.statistics(vm, client)

    def statistics(self, vm, client):
        where = '/machine/peripheral/b0'
        client.command('qom-set', path=where, property='guest-stats-polling-interval', value=1)
        vm.run('busybox sleep 2')
        stats = client.command('qom-get', path=where, property='guest-stats')
        self.assertAlmostEqual(stats['stats']['stat-free-memory'] >> 20, self.available(vm), delta=8)
        self.assertGreater(stats['stats']['stat-minor-faults'], 100)
        self.assertGreater(stats['last-update'], 1)
        self.assertEqual(client.command('qom-get', path=where, property='guest-stats-polling-interval'), 1)

    def drive(self, transport):
        def drive(vm):
            self.use(vm, transport)
            vm.send('poweroff -f\n')
        return drive

    def check(self, transport, device, icount):
        log = self.path('log')
        recording = self.record(log, self.drive(transport), *self.machine(device), icount=icount,
                                rrcheck=',rrcheck=digest,rrcheckperiod=20000000,rrkeyframe=0.5')
        self.assert_replays(log, recording)
        return log, recording

    def test_pci(self):
        log, recording = self.check(PCI, 'virtio-balloon-pci,id=b0', 'shift=auto')
        self.assert_replays(log, recording, '-accel', 'tcg,unit-insns=7,link=off,state-chaos=3,'
                            'state-chaos-period=100000000', timeout=300)
        if rearm.SLOW_SUITE:
            travel.journeys(self, log, recording, 1, 200, *travel.SHAPES[0])
        self.refused(log)

    def refused(self, log):
        """In a replay nothing is asked of the guest, and its statistics can be looked at."""
        with Vm('-icount', 'rr=replay,rrfile=' + log, '-S', '-qmp',
                'unix:%s,server=on,wait=off' % self.path('qmp2'), serial='null') as vm:
            connection = rearm.connect(self.path('qmp2'), 60, lambda: vm.process.poll() is None)
            client = Client(connection.sendall, lambda: connection.recv(1 << 16), 60).negotiate()
            for name, arguments in (('balloon', {'value': 100 * MIB}), ('qom-set', {
                    'path': '/machine/peripheral/b0', 'property': 'guest-stats-polling-interval', 'value': 5})):
                reply = client.execute(name, **arguments)
                self.assertIn('no effect in a replay', reply['error']['desc'])
            self.assertEqual(client.command('query-balloon'), {'actual': 256 * MIB})
            client.command('quit')
            vm.wait()

    def test_mmio(self):
        self.check(('virtio_mmio',), 'virtio-balloon-device,id=b0,deflate-on-oom=on', 'shift=1,sleep=off')
