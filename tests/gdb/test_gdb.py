#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""gdb-multiarch against the program: registers, memory, breakpoints, watchpoints, steps,
Ctrl-C.

usage: test_gdb.py REARM
"""
import os
import re
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'system'))
import gdbcase
import guests
from gdbcase import TIMEOUT


class GdbTest(gdbcase.GdbCase):
    def setUp(self):
        super().setUp()
        self.kernel = guests.write(os.path.join(self.folder.name, 'spin.elf'), guests.SPIN)

    def test_registers_and_memory(self):
        self.start('-S')
        out = self.gdb(
            'printf "pc=%lx\\n", $pc', 'printf "cpsr=%x\\n", $cpsr',
            'printf "code=%x\\n", *(unsigned int *)0x40080000',
            'set $x5 = 0x1234567890abcdef', 'printf "x5=%lx\\n", $x5',
            'set $v3.u64x2[1] = 0x55', 'printf "v3=%lx\\n", $v3.u64x2[1]',
            'set {unsigned long}0x40090000 = 0xfeedface12345678',
            'printf "mem=%lx\\n", *(unsigned long *)0x40090000',
            'printf "d=%d\\n", $fpcr',
            'info threads', 'kill')
        self.assertEqual(self.value(out, 'code'), 'd2a00603')
        self.assertEqual(self.value(out, 'cpsr'), '3c5')     # EL1h, DAIF masked
        self.assertEqual(self.value(out, 'x5'), '1234567890abcdef')
        self.assertEqual(self.value(out, 'v3'), '55')
        self.assertEqual(self.value(out, 'mem'), 'feedface12345678')
        self.assertIn('CPU#0 [running]', out)

    def test_system_registers(self):
        """By the manual's names; storage can be written, what does more cannot."""
        self.start('-S', '-icount', 'shift=0')
        out = self.gdb(
            'printf "midr=%lx\\n", $MIDR_EL1', 'printf "el=%lx\\n", $CurrentEL',
            'printf "sctlr=%lx\\n", $SCTLR_EL1', 'set $TPIDR_EL1 = 0x1234',
            'printf "tpidr=%lx\\n", $TPIDR_EL1', 'set $SCTLR_EL1 = 0',
            'printf "after=%lx\\n", $SCTLR_EL1', 'set $MIDR_EL1 = 0',
            'printf "count=%lx\\n", $CNTVCT_EL0', 'info registers cp_regs', 'kill')
        self.assertEqual(self.value(out, 'midr'), '410fd083')     # Cortex-A72 r0p3
        self.assertEqual(self.value(out, 'el'), '4')
        self.assertEqual(self.value(out, 'tpidr'), '1234')
        self.assertEqual(self.value(out, 'after'), self.value(out, 'sctlr'))
        self.assertIn('Could not write register "SCTLR_EL1"', out)
        self.assertIn('Could not write register "MIDR_EL1"', out)
        self.assertEqual(self.value(out, 'count'), '0')
        for name in ('VBAR_EL1', 'TTBR0_EL1', 'ESR_EL1', 'FAR_EL1', 'CNTV_CTL_EL0',
                     'ID_AA64PFR0_EL1'):
            self.assertRegex(out, rf'(?m)^{name} ')

    def test_breakpoints_and_steps(self):
        process = self.start('-S')
        out = self.gdb(
            f'break *{guests.SPIN_FUNCTION:#x}', 'continue', 'printf "a=%lx,%ld\\n", $pc, $x0',
            'continue', 'printf "b=%lx,%ld\\n", $pc, $x0',
            'stepi', 'printf "c=%lx,%lx\\n", $pc, $v0.u64x2[0]',
            'stepi', 'stepi', 'printf "d=%lx\\n", $pc',
            'stepi', 'stepi', 'printf "e=%lx,%ld\\n", $pc, $x0',
            f'printf "m=%ld\\n", *(long *){guests.SPIN_DATA:#x}',
            'delete', f'hbreak *{guests.SPIN_LOOP:#x} if $x0 == 1000', 'continue',
            'printf "f=%ld\\n", $x0', 'kill')
        self.assertEqual(self.value(out, 'a'), f'{guests.SPIN_FUNCTION:x},1')
        self.assertEqual(self.value(out, 'b'), f'{guests.SPIN_FUNCTION:x},2')
        self.assertEqual(self.value(out, 'c'), f'{guests.SPIN_FUNCTION + 4:x},2')
        self.assertEqual(self.value(out, 'd'), f'{guests.SPIN_LOOP + 12:x}')
        self.assertEqual(self.value(out, 'e'), f'{guests.SPIN_LOOP + 4:x},3')
        self.assertEqual(self.value(out, 'm'), '2')
        self.assertEqual(self.value(out, 'f'), '1000')
        self.assertEqual(process.wait(TIMEOUT), 0)           # kill ends the emulator

    def use_accesses(self):
        self.kernel = guests.write(os.path.join(self.folder.name, 'access.elf'), guests.ACCESS)

    def check_watchpoints(self, *args):
        """gdb shows the values around the access and the address of the next instruction."""
        self.use_accesses()
        self.start('-S', *args)
        data, where = guests.SPIN_DATA, 'printf "pc=%lx\\n", $pc'
        out = self.gdb(
            f'watch *(long *){data:#x}', 'continue', where, 'continue', where, 'delete',
            f'rwatch *(long *){data:#x}', 'continue', where, 'continue', where, 'delete',
            f'awatch *(long *){data:#x}', 'continue', where, 'continue', where, 'delete',
            f'watch *(char *){data + 24:#x} if *(char *){data + 24:#x} == 9', 'continue', where,
            'printf "x=%ld\\n", $x0', 'kill')
        stores, loads, pairs = (f'pc={guests.ACCESS_LOOP + n:x}' for n in (8, 12, 16))
        self.assertEqual(re.findall(r'pc=\w+', out),
                         [stores, stores, loads, loads, stores, loads, pairs], out)
        self.assertEqual(re.findall(r'(?:Old value|New value|Value) = (\d+)', out)[:6],
                         ['0', '1', '1', '2', '2', '3'], out)
        self.assertEqual(self.value(out, 'x'), '9')

    def test_watchpoints(self):
        self.check_watchpoints()

    def test_watchpoints_interpreter(self):
        self.check_watchpoints('-accel', 'tcg,backend=interp')

    def test_watched_recording(self):
        """Watchpoints leave no trace in a recording, nor in its replay."""
        self.use_accesses()
        log, data = os.path.join(self.folder.name, 'a.log'), guests.SPIN_DATA
        process = self.start('-S', '-smp', '4', '-icount', f'shift=0,rr=record,rrfile={log}')
        out = self.gdb(f'watch *(long *){data:#x}', f'awatch *(long *){data + 24:#x}', 'continue',
                       'continue', 'set $x0 = 1000', f'set {{long}}{data:#x} = 77', 'continue',
                       'continue', 'printf "m=%ld\\n", *(long *)' + hex(data), 'delete', 'detach')
        self.assertEqual(self.value(out, 'm'), '1001')
        time.sleep(0.2)
        process.terminate()
        _, stderr = process.communicate(timeout=TIMEOUT)
        digest = re.search(rb'digest ([0-9a-f]+)', stderr).group(1)
        for acts in ([], [f'rwatch *(long *){data:#x}', *['continue'] * 5, 'delete']):
            process = self.start('-S', '-icount', f'rr=replay,rrfile={log}')
            self.gdb(*acts, 'detach')
            _, stderr = process.communicate(timeout=TIMEOUT)
            self.assertIn(b'digest ' + digest + b' (equal)', stderr)
            self.assertEqual(process.returncode, 0)

    def test_replay_end(self):
        """The end of a replay is a stop while gdb is there; without it, the process ends."""
        log = os.path.join(self.folder.name, 'a.log')
        process = self.start('-S', '-icount', f'shift=0,rr=record,rrfile={log}')
        out = self.gdb(f'break *{guests.SPIN_FUNCTION:#x}', *['continue'] * 50, 'detach')
        process.terminate()
        _, stderr = process.communicate(timeout=TIMEOUT)
        digest = re.search(rb'digest ([0-9a-f]+)', stderr).group(1)
        process = self.start('-S', '-icount', f'rr=replay,rrfile={log}')
        out = self.gdb('continue', 'printf "pc=%lx\\n", $pc', 'continue', 'stepi',
                       'printf "again=%lx\\n", $pc', 'detach')
        self.assertEqual(out.count('No more reverse-execution history'), 3, out)
        self.assertEqual(self.value(out, 'pc'), self.value(out, 'again'))
        _, stderr = process.communicate(timeout=TIMEOUT)
        self.assertIn(b'digest ' + digest + b' (equal)', stderr)
        self.assertEqual(process.returncode, 0)

    def test_too_many_watchpoints(self):
        self.start('-S')
        commands = [f'awatch *(char *){guests.SPIN_DATA + n:#x}' for n in range(65)]
        out = self.gdb(*commands, 'continue', 'kill')
        self.assertRegex(out, 'Could not insert hardware watchpoint 65|no more than 64 watchpoints')

    def test_interrupt_and_monitor(self):
        """gdb stops a running machine, asks its monitor, detaches: it runs on."""
        process = self.start()
        out = self.gdb('printf "in=%d\\n", $pc >= 0x40080000 && $pc < 0x4008003c',
                       'monitor info status', 'printf "x=%ld\\n", $x0', 'detach')
        self.assertEqual(self.value(out, 'in'), '1')
        self.assertIn('VM status: paused', out)
        first = int(self.value(out, 'x'))
        time.sleep(0.2)
        out = self.gdb('printf "x=%ld\\n", $x0', 'monitor quit', 'disconnect')
        self.assertGreater(int(self.value(out, 'x')), first)
        self.assertEqual(process.wait(TIMEOUT), 0)

    def test_second_cpu(self):
        self.start('-S', '-smp', '2')
        out = self.gdb('info threads', 'thread 2', 'printf "t=%d\\n", $_thread', 'thread 1',
                       'stepi', 'printf "pc=%lx\\n", $pc', 'kill')
        self.assertIn('CPU#1 [off]', out)
        self.assertEqual(self.value(out, 't'), '2')

    def test_debugged_replay_is_equal(self):
        """Breakpoints and steps leave no trace: the digest is that of the recording."""
        log = os.path.join(self.folder.name, 'a.log')
        process = self.start('-icount', f'shift=0,rr=record,rrfile={log}')
        time.sleep(0.3)
        process.terminate()
        _, stderr = process.communicate(timeout=TIMEOUT)
        digest = re.search(rb'digest ([0-9a-f]+)', stderr).group(1)
        process = self.start('-S', '-icount', f'rr=replay,rrfile={log}')
        out = self.gdb(f'break *{guests.SPIN_FUNCTION:#x}', 'continue', 'continue', 'stepi',
                       'stepi', 'printf "x=%ld\\n", $x0', 'delete', 'detach')
        self.assertEqual(self.value(out, 'x'), '2')
        _, stderr = process.communicate(timeout=TIMEOUT)
        self.assertIn(b'digest ' + digest + b' (equal)', stderr)
        self.assertEqual(process.returncode, 0)

    def test_writes_are_recorded(self):
        """What gdb changes is in the recording; its replay is equal, and refuses changes."""
        log = os.path.join(self.folder.name, 'a.log')
        process = self.start('-S', '-icount', f'shift=0,rr=record,rrfile={log}')
        out = self.gdb(f'break *{guests.SPIN_FUNCTION:#x}', 'continue', 'continue',
                       'set $x0 = 1000',
                       f'set {{unsigned}}{guests.SPIN_FUNCTION + 4:#x} = 0xd503201f',
                       'continue', 'printf "x=%ld\\n", $x0', 'stepi',
                       'set $v5.u64x2[0] = 7', 'maint packet Qqemu.PhyMemMode:1',
                       f'set {{long}}{guests.SPIN_DATA + 8:#x} = 99',
                       'maint packet Qqemu.PhyMemMode:0',
                       f'printf "m=%ld\\n", *(long *){guests.SPIN_DATA + 8:#x}',
                       'delete', f'set $pc = {guests.SPIN_LOOP:#x}', 'detach')
        self.assertEqual(self.value(out, 'x'), '1001')
        self.assertEqual(self.value(out, 'm'), '99')
        time.sleep(0.2)
        process.terminate()
        _, stderr = process.communicate(timeout=TIMEOUT)
        digest = re.search(rb'digest ([0-9a-f]+)', stderr).group(1)
        process = self.start('-S', '-icount', f'rr=replay,rrfile={log}')
        out = self.gdb(f'break *{guests.SPIN_FUNCTION:#x}', 'continue', 'continue', 'continue',
                       'set $x0 = 5', 'printf "x=%ld\\n", $x0', 'monitor system_reset',
                       'delete', 'detach')
        self.assertIn('the guest of a replay cannot be changed: make it live first', out)
        self.assertIn('this has no effect in a replay', out)
        self.assertEqual(self.value(out, 'x'), '1001')
        _, stderr = process.communicate(timeout=TIMEOUT)
        self.assertIn(b'digest ' + digest + b' (equal)', stderr)
        self.assertEqual(process.returncode, 0)


if __name__ == '__main__':
    gdbcase.main()
