"""ACPI tables under Debian's firmware (package qemu-efi-aarch64) and kernel: without a device tree the guest finds its CPUs,
interrupts, PCI, virtio transports and power button, and by SMBIOS tables what it is called. Recorded, replayed in several shapes, and travelled in.

SPDX-License-Identifier: GPL-2.0-or-later
"""
import hashlib
import os
import re
import struct
import unittest

import modules
import rearm
import travel
from rearm import TestCase, Vm, machine, need_guest
from networks import PCI

FIRMWARE = '/usr/share/qemu-efi-aarch64/QEMU_EFI.fd'
TABLES = ['APIC', 'DBG2', 'DSDT', 'FACP', 'GTDT', 'MCFG', 'PPTT', 'SPCR']
# struct input_event without its time: EV_KEY, KEY_POWER, down.
UUID = '550e8400-e29b-41d4-a716-446655440000'
NAMES = {'sys_vendor': 'QEMU', 'product_name': 'QEMU Virtual Machine', 'product_version': 'virt-7.2', 'product_serial': 'S, 1',
         'product_family': 'F', 'product_uuid': UUID, 'chassis_asset_tag': 'A', 'board_name': 'B'}
POWER_KEY = struct.pack('<HHi', 1, 116, 1)


@unittest.skipUnless(os.path.exists(FIRMWARE), 'no firmware: install qemu-efi-aarch64')
@need_guest()
@modules.need_modules()
class Acpi(TestCase):
    """
    :avocado: tags=arch:aarch64
    :avocado: tags=machine:virt
    """

    def machine(self, *options):
        initrd = self.path('initrd')
        modules.with_modules(initrd, *PCI, 'virtio_mmio', 'virtio-rng', 'evdev', 'sbsa_gwdt')
        return [*machine(ram='256M', initrd=initrd), '-bios', FIRMWARE, '-smp', '2', '-device', 'virtio-rng-pci',
                '-device', 'virtio-rng-device', '-uuid', UUID, '-smbios', 'type=1,serial=S,, 1,family=F',
                '-smbios', 'type=2,product=B', '-smbios', 'type=3,asset=A', *options]

    def check_names(self, vm):
        for name, value in NAMES.items():
            self.assertEqual(vm.run('cat /sys/class/dmi/id/' + name).strip(), value, name)
        # Firmware adds its own structure to ours, of which one is there for each of these types.
        found = vm.run('ls /sys/firmware/dmi/entries').split()
        for structure in '0-0', '1-0', '2-0', '3-0', '4-0', '16-0', '17-0', '19-0', '32-0':
            self.assertIn(structure, found)

    def check_tables(self, vm):
        found = vm.run('ls /sys/firmware/acpi/tables').split()
        self.assertEqual(sorted(name for name in found if name.isupper()), TABLES)
        self.assertIn('No such file', vm.run('ls /proc/device-tree/memory@40000000'))
        self.assertEqual(vm.run('cat /sys/devices/system/cpu/online').strip(), '0-1')
        self.assertEqual(vm.run('cat /sys/devices/system/cpu/cpu1/topology/core_siblings_list').strip(), '0-1')

    def check_devices(self, vm):
        """By messages, and by lines that the tables name."""
        modules.load(self, vm, *PCI, 'virtio_mmio', 'virtio-rng')
        for n in range(2):
            vm.run('cd /sys/class/misc/hw_random; echo virtio_rng.%d > rng_current; cd /' % n)
            self.assertRegex(vm.run('head -c 32 /dev/hwrng | md5sum'), '^[0-9a-f]{32} ')
        interrupts = vm.run('cat /proc/interrupts')
        self.assertRegex(interrupts, r': +[1-9]\d* +\d+ +MSI .*virtio\d-input')
        self.assertRegex(interrupts, r': +[1-9]\d* +\d+ +GIC-0 +79 Edge +virtio\d')
        self.assertRegex(interrupts, r': +[1-9]\d* +\d+ +GIC-0 +33 Level +uart-pl011')

    def press(self, vm, client):
        modules.load(self, vm, 'evdev')
        vm.run('busybox dd if=/dev/input/event0 bs=24 count=1 of=/tmp/e 2>/dev/null & busybox sleep 1')
        client.command('system_powerdown')
        vm.run('wait')
        self.assertIn(hashlib.md5(POWER_KEY).hexdigest(), vm.run('tail -c 8 /tmp/e | md5sum'))
        self.assertRegex(vm.run('grep Ged /proc/interrupts'), r' 1 .* 41 Edge +ACPI:Ged')

    def test_acpi(self):
        qmp, log = self.path('qmp'), self.path('a.rr')

        def drive(vm):
            client = travel.Machine(vm, qmp)
            modules.mount(vm)
            self.check_tables(vm)
            self.check_names(vm)
            self.check_devices(vm)
            self.press(vm, client)
            vm.send('poweroff -f\n')

        recording = self.record(log, drive, *self.machine('-qmp', 'unix:%s,server=on,wait=off' % qmp),
                                rrcheck=',rrcheck=digest,rrcheckperiod=50000000,rrkeyframe=1')
        self.assert_replays(log, recording)
        if rearm.SLOW_SUITE:
            self.assert_replays(log, recording, '-accel', 'tcg,unit-insns=7,link=off,state-chaos=3,'
                                'state-chaos-period=100000000', timeout=600)
            travel.journeys(self, log, recording, 1, 100, *travel.SHAPES[0])

    def test_variants(self):
        """A watchdog that a table names, and PCI below 4 GiB; the device tree, where there are no tables."""
        with Vm('-icount', 'shift=1,sleep=off', *self.machine('-device', 'sbsa-gwdt', '-M', 'highmem=off')) as vm:
            modules.mount(vm)
            modules.load(self, vm, 'sbsa_gwdt')
            self.assertIn('sbsa-gwdt', vm.run('cat /sys/bus/platform/devices/sbsa-gwdt*/modalias'))
            self.assertRegex(vm.run('dmesg | grep ECAM'), r'ECAM at \[mem 0x3f000000-0x3fffffff\] for \[bus 00-0f\]')
            self.assertEqual(vm.power_off(), 0, vm.stderr())
        with Vm('-icount', 'shift=1,sleep=off', *self.machine('-M', 'acpi=off')) as vm:
            modules.mount(vm)
            self.assertIn('No such file', vm.run('ls /sys/firmware/acpi/tables'))
            self.assertTrue(re.search('reg', vm.run('ls /proc/device-tree/memory@40000000')))
            self.assertEqual(vm.power_off(), 0, vm.stderr())
