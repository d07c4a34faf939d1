"""Debian's kernel boots to a shell, and the ways to end.

SPDX-License-Identifier: GPL-2.0-or-later
"""
import fcntl
import os
import pty
import select
import signal
import subprocess
import termios
import time

import rearm
from rearm import TestCase, Vm, machine, need_guest, slow

ICOUNT = ('-icount', 'shift=1,sleep=off')
# CPU -> its MIDR_EL1 part number as /proc/cpuinfo shows it
PARTS = {'cortex-a53': '0xd03', 'cortex-a57': '0xd07', 'cortex-a72': '0xd08'}


@need_guest()
class Boot(TestCase):
    def boot(self, cpu, ram, initrd=rearm.SMALL_INITRD, icount=ICOUNT):
        with Vm(*machine(cpu, ram, initrd), *icount) as vm:
            vm.shell()
            vm.run('busybox mount -t proc proc /proc')
            self.assertIn('CPU part\t: ' + PARTS[cpu], vm.run('cat /proc/cpuinfo'))
            mib = int(vm.run('cat /proc/meminfo').split()[1]) // 1024
            given = int(ram[:-1]) * (1024 if ram[-1] == 'G' else 1)
            # The kernel keeps some 80 MB and a 64th (struct page) for itself.
            self.assertTrue(given * 0.95 - 110 < mib < given, '%d of %d MiB' % (mib, given))
            self.assertEqual(vm.run('echo $((6 * 7))'), '42\n')
            # Applets that the archive lacks for want of memory: ask busybox itself.
            vm.send('poweroff -f || busybox poweroff -f\n')
            self.assertEqual(vm.wait(), 0, vm.stderr())
            self.assertIn(b'reboot: Power down', vm.output)
            self.assertIn(b'GICv2m: range[mem 0x08020000-0x08020fff], SPI[80:143]', vm.output)
            self.assertEqual(vm.stderr(), '')

    def test_debian_initrd(self):
        self.boot('cortex-a57', '1G', rearm.INITRD)

    def test_smallest(self):
        self.boot('cortex-a53', '256M')

    def test_largest(self):
        self.boot('cortex-a72', '4G')

    def test_without_icount(self):
        self.boot('cortex-a57', '512M', icount=())

    def test_shift_auto(self):
        self.boot('cortex-a57', '512M', icount=('-icount', 'shift=auto'))

    @slow()
    def test_matrix(self):
        for cpu in PARTS:
            for ram in ('256M', '512M', '1G', '2G', '3G', '4G'):
                with self.subTest(cpu=cpu, ram=ram):
                    self.boot(cpu, ram)
                if ram not in ('256M',):
                    with self.subTest(cpu=cpu, ram=ram, initrd='debian'):
                        self.boot(cpu, ram, rearm.INITRD)

    def test_reboot(self):
        with Vm(*machine(), *ICOUNT) as vm:
            vm.shell()
            vm.send('reboot -f\n')
            vm.expect(rb'reboot: Restarting system')
            vm.expect(rb'Booting Linux on physical CPU')
            vm.shell()
            self.assertEqual(vm.run('echo again'), 'again\n')
            self.assertEqual(vm.power_off(), 0)

    def test_no_reboot(self):
        with Vm(*machine(), *ICOUNT, '-no-reboot') as vm:
            vm.shell()
            vm.send('reboot -f\n')
            self.assertEqual(vm.wait(), 0, vm.stderr())
            self.assertEqual(vm.output.count(b'Booting Linux'), 1)

    def test_panic(self):
        append = rearm.APPEND + ' panic=-1'
        with Vm(*machine(append=append), *ICOUNT, '-no-reboot') as vm:
            vm.shell()
            vm.send('exit\n')     # init must not
            self.assertEqual(vm.wait(), 0, vm.stderr())
            self.assertIn(b'Kernel panic - not syncing: Attempted to kill init', vm.output)

    def test_smp(self):
        with Vm(*machine(), *ICOUNT, '-smp', '4') as vm:
            vm.shell()
            vm.run('busybox mount -t proc proc /proc')
            self.assertEqual(vm.run('cat /proc/cpuinfo').count('processor'), 4)
            self.assertEqual(vm.power_off(), 0)

    def test_key_wakes_the_machine(self):
        """An idle machine takes input when it comes, not at its next timer."""
        with Vm(*machine(), '-icount', 'shift=1,sleep=on') as vm:
            vm.shell()
            time.sleep(1.5)
            delays = []
            for key in 'abcdefghi':
                start = time.monotonic()
                vm.send(key)
                vm.expect(key.encode())
                delays.append(time.monotonic() - start)
                time.sleep(0.1)
            # The kernel's longest sleep is half a second; a key takes a millisecond or two.
            self.assertLess(sorted(delays)[len(delays) // 2], 0.15 * rearm.SLOW, delays)

    def test_devices(self):
        """The kernel found what the board has."""
        with Vm(*machine(), *ICOUNT) as vm:
            vm.shell()
            vm.run('busybox mount -t proc proc /proc')
            interrupts = vm.run('cat /proc/interrupts')
            self.assertRegex(interrupts, r'GIC\S* +27 Level +arch_timer')
            self.assertRegex(interrupts, r'GIC\S* +33 Level +uart-pl011')
            iomem = vm.run('cat /proc/iomem')
            self.assertRegex(iomem, r'09000000-09000fff : .*pl011')
            self.assertRegex(iomem, r'09010000-09010fff : .*pl031')
            self.assertEqual(vm.power_off(), 0)


@need_guest()
class Terminal(TestCase):
    """-nographic on a real terminal."""

    def start(self, *options):
        master, slave = pty.openpty()
        before = termios.tcgetattr(slave)
        process = subprocess.Popen([rearm.REARM, *machine(), *ICOUNT, '-nographic', *options],
                                   stdin=slave, stdout=slave, stderr=slave,
                                   start_new_session=True,
                                   preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0))
        self.addCleanup(os.close, master)
        self.addCleanup(os.close, slave)
        self.addCleanup(lambda: process.poll() is None and process.kill())
        return process, master, slave, before

    def expect(self, master, text, timeout=60):
        deadline = time.monotonic() + timeout * rearm.SLOW
        got = b''
        while text not in got:
            ready = select.select([master], [], [], max(deadline - time.monotonic(), 0))[0]
            self.assertTrue(ready, '%r did not appear in %r' % (text, got[-400:]))
            got += os.read(master, 65536)
        return got

    def test_escape_quits(self):
        process, master, slave, before = self.start()
        self.expect(master, b'/ # ')
        self.assertNotEqual(termios.tcgetattr(slave)[3], before[3])    # raw
        os.write(master, b'\x01h')
        self.expect(master, b'C-a x')
        os.write(master, b'\x01c')
        self.expect(master, b'(rearm)')
        os.write(master, b'info status\n')
        self.expect(master, b'VM status: running')
        os.write(master, b'\x01c')
        os.write(master, b'echo ba""ck\n')
        self.expect(master, b'\nback')
        os.write(master, b'\x01x')
        self.assertEqual(process.wait(30), 0)
        self.assertEqual(termios.tcgetattr(slave), before)

    def test_signal_restores(self):
        process, master, slave, before = self.start()
        self.expect(master, b'/ # ')
        process.send_signal(signal.SIGTERM)
        process.wait(30)
        self.assertEqual(termios.tcgetattr(slave), before)

    def test_poweroff_restores(self):
        process, master, slave, before = self.start()
        self.expect(master, b'/ # ')
        os.write(master, b'poweroff -f\n')
        self.expect(master, b'Power down')
        self.assertEqual(process.wait(30), 0)
        self.assertEqual(termios.tcgetattr(slave), before)
