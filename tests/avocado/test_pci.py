"""PCI under Debian's kernel: what it finds, and virtio-rng as a PCI function by each interface and
kind of interrupt; recorded, replayed and travelled in.

SPDX-License-Identifier: GPL-2.0-or-later
"""
import os
import re
import shutil
import tempfile
import unittest

import modules
import rearm
import travel
from rearm import TestCase, Vm, machine, need_guest

UBOOT = '/usr/lib/u-boot/qemu_arm64/u-boot.bin'
# In the order in which they are loaded.
MODULES = ('virtio_pci_legacy_dev', 'virtio_pci_modern_dev', 'virtio_pci', 'virtio-rng')
# No longer than a line of the terminal.
LINK = 'ln -s /sys/bus/pci/devices /p'
LIST = 'for d in /p/*; do echo ${d#/p/} $(cd $d; cat vendor device class); done'


@need_guest()
class Pci(TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.mkdtemp(prefix='rearm-pci-')
        cls.initrd = os.path.join(cls.folder, 'initrd')
        modules.with_modules(cls.initrd, *MODULES)

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.folder, ignore_errors=True)

    def machine(self, append=''):
        return machine(ram='256M', initrd=self.initrd, append=rearm.APPEND + append)

    def shell(self, vm):
        vm.shell()
        for kind, where in (('sysfs', '/sys'), ('proc', '/proc'), ('devtmpfs', '/dev')):
            vm.run('busybox mount -t %s none %s' % (kind, where))

    def check_functions(self, vm, expected):
        vm.run(LINK)
        found = vm.run(LIST).split('\n')[:-1]
        self.assertEqual(found, expected)

    def check_rng(self, vm, interrupt):
        """Bytes that are not the same twice, and an interrupt of this kind for them."""
        modules.load(self, vm, *MODULES)
        self.assertEqual(vm.run('cat /sys/devices/virtual/misc/hw_random/rng_current').strip(),
                         'virtio_rng.0')
        bytes_read = [vm.run('head -c 32 /dev/hwrng | md5sum') for _ in range(2)]
        self.assertRegex(bytes_read[0], r'^[0-9a-f]{32} ')
        self.assertNotEqual(*bytes_read)
        lines = [line for line in vm.run('cat /proc/interrupts').split('\n') if 'virtio0' in line]
        used = [line for line in lines if int(line.split()[1])]
        self.assertEqual(len(used), 1, lines)
        self.assertRegex(used[0], interrupt)

    def drive(self, functions, interrupt):
        def drive(vm):
            self.shell(vm)
            self.check_functions(vm, functions)
            self.check_rng(vm, interrupt)
            vm.send('poweroff -f\n')
        return drive

    def test_modern(self):
        """MSI-X; replayed in every shape, and from random places."""
        functions = ['0000:00:00.0 0x1b36 0x0008 0x060000',
                     '0000:00:02.0 0x1af4 0x1044 0x00ff00']
        log = self.path('a.rr')
        recording = self.record(log, self.drive(functions, r'MSI.*virtio0-input'), *self.machine(),
                                '-device', 'virtio-rng-pci,addr=2,disable-legacy=on',
                                rrcheck=',rrcheck=digest,rrcheckperiod=10000000')
        self.assert_replays(log, recording)
        if rearm.SLOW_SUITE:
            self.assert_replays(log, recording, '-accel', 'tcg,backend=interp', timeout=600)
            travel.journeys(self, log, recording, 1, 100, *travel.SHAPES[0])
        self.assert_replays(log, recording, '-accel',
                            'tcg,state-chaos=3,state-chaos-period=20000000', timeout=300)

    def test_legacy(self):
        """Ports and the line interrupt, in slot 3: INTA comes out at SPI 6."""
        functions = ['0000:00:00.0 0x1b36 0x0008 0x060000',
                     '0000:00:03.0 0x1af4 0x1005 0x00ff00']
        log = self.path('a.rr')
        recording = self.record(log, self.drive(functions, r' 38 Level +virtio0'),
                                *self.machine(' pci=nomsi'), '-device',
                                'virtio-rng,id=dice,bus=pcie.0,addr=03.0,disable-modern=on')
        self.assert_replays(log, recording)

    def test_port(self):
        """A device behind a root port, on a bus that the kernel gives its number."""
        functions = ['0000:00:00.0 0x1b36 0x0008 0x060000',
                     '0000:00:01.0 0x1b36 0x000c 0x060400',
                     '0000:01:00.0 0x1af4 0x1044 0x00ff00']
        log = self.path('a.rr')
        recording = self.record(log, self.drive(functions, r'MSI.*virtio0-input'), *self.machine(),
                                '-device', 'pcie-root-port,id=rp,chassis=1,slot=3',
                                '-device', 'virtio-rng-pci,bus=rp')
        self.assert_replays(log, recording)

    def test_low(self):
        """Without highmem all of it is below 4 GiB."""
        functions = ['0000:00:00.0 0x1b36 0x0008 0x060000',
                     '0000:00:01.0 0x1af4 0x1005 0x00ff00']
        with Vm('-icount', 'shift=1,sleep=off', *self.machine(), '-machine', 'highmem=off',
                '-device', 'virtio-rng-pci') as vm:
            self.drive(functions, r'MSI.*virtio0-input')(vm)
            self.assertEqual(vm.wait(), 0, vm.stderr())
            self.assertTrue(re.search(rb'ECAM at \[mem 0x3f000000-0x3fffffff\] for \[bus 00-0f\]',
                                      vm.output))


@unittest.skipUnless(os.path.exists(UBOOT), 'no u-boot for qemu_arm64')
class PciUboot(TestCase):
    def drive(self, vm):
        """u-boot numbers the buses, and places the BARs."""
        vm.expect(rb'Hit any key')
        vm.send('\n')
        vm.expect(rb'=> ')
        vm.send('pci enum; pci\n')
        vm.expect(rb'00.00.00 +0x1b36 +0x0008.*\r\n'
                  rb'00.01.00 +0x1af4 +0x1005.*\r\n'
                  rb'00.02.00 +0x1b36 +0x000c.*\r\n'
                  rb'01.00.00 +0x1234 +0x11e8.*\r\n')
        vm.send('pci bar 0.1.0\n')
        vm.expect(rb' 0 +0x0{12}1000 +0x0{14}20 +32 +I/O +\r\n'
                  rb' 1 +0x0{8}10000000 +0x0{12}1000 +32 +MEM +\r\n'
                  rb' 4 +0x0{8}10004000 +0x0{12}4000 +64 +MEM +Prefetchable\r\n')
        # The identification register of the device behind the port.
        vm.send('pci display.l 1.0.0 10 1\n')
        base = vm.expect(rb'00000010: ([0-9a-f]{8})').group(1).decode()
        vm.send('md.l %s 1\n' % base)
        vm.expect(base.encode() + rb': 010000ed')
        vm.send('poweroff\n')

    def test_uboot(self):
        log = self.path('a.rr')
        recording = self.record(log, self.drive, '-M', 'virt', '-cpu', 'cortex-a57', '-m', '256M',
                                '-bios', UBOOT, '-device', 'virtio-rng-pci', '-device',
                                'pcie-root-port,id=rp', '-device', 'edu,bus=rp')
        self.assert_replays(log, recording)
