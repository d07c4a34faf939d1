"""Virtio consoles and serial ports under Linux's own driver, which Debian has as a module: a shell on hvc0, and
a program that answers on a port with a name. Recorded, replayed without their back ends, in several shapes, and
travelled in.

SPDX-License-Identifier: GPL-2.0-or-later
"""
import os
import shutil
import socket
import tempfile

import modules
import rearm
import travel
from qmp import Client
from rearm import TestCase, Vm, machine, need_guest

PCI = ('virtio_pci_legacy_dev', 'virtio_pci_modern_dev', 'virtio_pci')
ECHO = ('(exec 4<>/dev/vport0p5; while read line <&4; do echo "got $line" >&4; done) &')


class Peer:
    """The other end of a port."""

    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(60 * rearm.SLOW)
        self.socket.connect(path)
        self.text = b''

    def send(self, text):
        self.socket.sendall(text.encode())

    def expect(self, text):
        while text.encode() not in self.text:
            data = self.socket.recv(65536)
            if not data:
                raise AssertionError('%r did not come; there is %r' % (text, self.text))
            self.text += data
        self.text = self.text.split(text.encode(), 1)[1]

    def close(self):
        self.socket.close()


@need_guest()
@modules.need_modules()
class Serial(TestCase):
    """
    :avocado: tags=arch:aarch64
    :avocado: tags=machine:virt
    """

    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.mkdtemp(prefix='rearm-serial-')
        cls.initrd = os.path.join(cls.folder, 'initrd')
        modules.with_modules(cls.initrd, *PCI, 'virtio_mmio', 'virtio_console')

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.folder, ignore_errors=True)

    def machine(self, bus='virtio-serial-pci'):
        return machine(ram='256M', initrd=self.initrd) + [
            '-device', bus + ',id=vs', '-device', 'virtconsole,chardev=con',
            '-device', 'virtserialport,chardev=chan,name=org.example.echo,nr=5,id=chan']

    def back_ends(self):
        return ['-chardev', 'socket,id=con,server=on,wait=off,path=' + self.path('con'),
                '-chardev', 'socket,id=chan,server=on,wait=off,path=' + self.path('chan')]

    def load(self, vm, transport):
        modules.mount(vm)
        modules.load(self, vm, *transport, 'virtio_console')

    def use_console(self, vm):
        console = Peer(self.path('con'))
        vm.run('sh -i </dev/hvc0 >/dev/hvc0 2>&1 &')
        console.expect('# ')
        console.send('echo $((6 * 7))\n')
        console.expect('42\r\n')
        # More than one buffer of the driver's.
        console.send('true %s\n' % ('x' * 3000))
        console.send('head -c 20000 /dev/zero | tr "\\0" y; echo; echo done\n')
        console.expect('y' * 20000)
        console.expect('done')
        console.close()

    def use_channel(self, vm):
        """What is sent before the program is there waits for it; so it does when nobody was connected."""
        self.assertIn('org.example.echo', vm.run('cat /sys/class/virtio-ports/vport0p5/name'))
        chan = Peer(self.path('chan'))
        chan.send('early\n')
        vm.run(ECHO)
        chan.expect('got early\n')
        for n in range(20):
            chan.send('line %d\n' % n)
            chan.expect('got line %d\n' % n)
        chan.close()

    def drive(self, transport=PCI):
        def drive(vm):
            self.load(vm, transport)
            self.use_console(vm)
            self.use_channel(vm)
            vm.send('poweroff -f\n')
        return drive

    def check(self, transport, bus, icount):
        log = self.path('log')
        recording = self.record(log, self.drive(transport), *self.machine(bus), *self.back_ends(), icount=icount,
                                rrcheck=',rrcheck=digest,rrcheckperiod=20000000,rrkeyframe=0.5')
        self.assert_replays(log, recording)
        return log, recording

    def test_pci(self):
        log, recording = self.check(PCI, 'virtio-serial-pci', 'shift=auto')
        self.assert_replays(log, recording, '-accel', 'tcg,unit-insns=7,link=off,state-chaos=3,'
                            'state-chaos-period=50000000', timeout=300)
        if rearm.SLOW_SUITE:
            travel.journeys(self, log, recording, 1, 200, *travel.SHAPES[0])

    def test_mmio(self):
        self.check(('virtio_mmio',), 'virtio-serial-device,max_ports=8', 'shift=1,sleep=off')

    def monitor(self, vm):
        connection = rearm.connect(self.path('qmp'), 60, lambda: vm.process.poll() is None)
        return Client(connection.sendall, lambda: connection.recv(1 << 16), 60).negotiate()

    def test_events(self):
        """A monitor is told when the guest opens and closes a port."""
        with Vm('-icount', 'shift=1,sleep=off', '-qmp', 'unix:%s,server=on,wait=off' % self.path('qmp'),
                *self.machine(), *self.back_ends()) as vm:
            client = self.monitor(vm)
            self.load(vm, PCI)
            for command, is_open in (('exec 4<>/dev/vport0p5', True), ('exec 4>&-', False)):
                vm.run(command)
                event = client.wait('VSERPORT_CHANGE')['data']
                while event['id'] != 'chan':
                    event = client.wait('VSERPORT_CHANGE')['data']
                self.assertEqual(event, {'id': 'chan', 'open': is_open})
            self.assertEqual(vm.power_off(), 0, vm.stderr())

    def test_errors(self):
        for text, options in (
                ("there is no chardev 'nix'", ['-device', 'virtconsole,chardev=nix']),
                ("this machine has no virtio-serial-bus", None),
                ("nr=5 is that of 'chan'", ['-device', 'virtserialport,nr=5']),
                ("nr=31: 'vs.0' has ports 0 to 30", ['-device', 'virtserialport,nr=31']),
                ("nr=0 is for virtconsole", ['-device', 'virtserialport,nr=0']),
                ("chardev 'chan' is already in use", ['-device', 'virtserialport,chardev=chan'])):
            given = self.machine() + options if options else machine() + ['-device', 'virtconsole']
            code, _, stderr = self.run_rearm(*given, *self.back_ends(), '-display', 'none')
            self.assertEqual(code, 1)
            self.assertIn(text, stderr)
