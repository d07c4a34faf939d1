"""Bare-metal guests: expected registers, on every variant of the engine, and
the same on the oracle where it is installed.

SPDX-License-Identifier: GPL-2.0-or-later
"""
import shutil
import subprocess
import time
import unittest

import guests
import rearm
import travel
from rearm import TestCase, Vm

ORACLE = 'qemu-system-aarch64'
VARIANTS = ('backend=jit', 'backend=interp', 'unit-insns=1', 'unit-insns=7', 'unit-insns=512',
            'link=off', 'opt=off', 'backend=interp,opt=off',
            # Saved, scrambled and loaded some thousand times over all guests.
            'state-chaos=1,state-chaos-period=100',
            'backend=interp,state-chaos=2,state-chaos-period=100')
CHECKS = ('', ',rrcheck=digest,rrcheckperiod=1000', ',rrcheck=events')


@guests.need_compiler()
class Guests(TestCase):
    def check(self, name, output):
        self.assertEqual({r: hex(v) for r, v in guests.reported(output).items()
                          if r in guests.expected(name)},
                         {r: hex(v) for r, v in guests.expected(name).items()}, output)

    def run_guest(self, elf, name, *options, cpu='cortex-a57'):
        with Vm(*guests.board(name, cpu), '-kernel', elf, *options) as vm:
            guests.drive(vm, name)
            code = vm.wait(30)
            self.assertEqual(code, 0, vm.stderr())
            self.check(name, vm.output.decode('latin1').replace('\r', ''))
            return vm.stderr()

    def test_variants(self):
        """Recorded once, replayed by every variant: registers and digests."""
        for name in guests.names():
            elf = guests.build(name, self.dir)
            log = self.path(name + '.rr')
            stderr = self.run_guest(elf, name, '-icount',
                                    'shift=1,sleep=off,rr=record,rrfile=%s,'
                                    'rrcheck=digest,rrcheckperiod=1000' % log)
            recording = rearm.Recording(stderr)
            for variant in VARIANTS:
                with self.subTest(guest=name, variant=variant):
                    self.assert_replays(log, recording, '-accel', 'tcg,' + variant)

    @rearm.slow()
    def test_state_often(self):
        """Some ten thousand times saved, scrambled and loaded."""
        for name in guests.names():
            elf = guests.build(name, self.dir)
            log = self.path(name + '.rr')
            recording = rearm.Recording(self.run_guest(
                elf, name, '-icount', 'shift=1,sleep=off,rr=record,rrfile=%s,'
                'rrcheck=digest,rrcheckperiod=1000' % log))
            period = max(recording.icount // 1200, 1)
            for seed in (1, 2):
                with self.subTest(guest=name, seed=seed):
                    self.assert_replays(log, recording, '-accel',
                                        'tcg,state-chaos=%d,state-chaos-period=%d' % (seed, period),
                                        timeout=600)

    def test_travel(self):
        """Back and forth in each recording: the same states everywhere, and the same end."""
        for n, name in enumerate(guests.names()):
            log = self.path(name + '.rr')
            recording = rearm.Recording(self.run_guest(
                guests.build(name, self.dir), name, '-icount', 'shift=1,sleep=%s,rr=record,'
                'rrfile=%s%s' % (('off', 'on')[n % 2], log, CHECKS[n % len(CHECKS)])))
            for seed in range(1, 1 + (40 if rearm.SLOW_SUITE else 2)):
                shape = travel.SHAPES[(n + seed) % len(travel.SHAPES)]
                with self.subTest(guest=name, seed=seed, shape=shape):
                    travel.journeys(self, log, recording, seed, 25, *shape)

    def test_without_icount(self):
        for name in guests.names():
            with self.subTest(guest=name):
                self.run_guest(guests.build(name, self.dir), name)

    def test_in_memory(self):
        """-rewind: recorded without a file, saved, scrambled and loaded meanwhile."""
        for name in guests.names():
            elf = guests.build(name, self.dir)
            for options in (('-rewind',), ('-rewind=64M', '-icount', 'shift=1,sleep=off', '-accel',
                                           'tcg,state-chaos=3,state-chaos-period=100')):
                with self.subTest(guest=name, options=options):
                    self.assertRegex(self.run_guest(elf, name, *options),
                                     r'recorded \d+ instructions in memory, digest [0-9a-f]{16}, '
                                     r'cause guest-shutdown\n')

    def test_cpus(self):
        for cpu in ('cortex-a53', 'cortex-a72', 'max'):
            for name in guests.names():
                with self.subTest(guest=name, cpu=cpu):
                    self.run_guest(guests.build(name, self.dir), name, '-icount',
                                   'shift=1,sleep=off', cpu=cpu)

    @unittest.skipUnless(shutil.which(ORACLE), 'no %s' % ORACLE)
    def test_oracle(self):
        """The expected values are not our invention."""
        for name in filter(guests.on_oracle, guests.names()):
            elf = guests.build(name, self.dir)
            with self.subTest(guest=name), subprocess.Popen(
                    [ORACLE, *guests.board(name), '-icount', 'shift=1,sleep=off', '-kernel', elf,
                     '-display', 'none', '-monitor', 'none', '-serial', 'stdio', '-nic', 'none'],
                    stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                    text=True) as oracle:
                if name == 'uart':
                    oracle.stdout.read(1)
                    time.sleep(0.2)
                    oracle.stdin.write(guests.UART_INPUT)
                    oracle.stdin.flush()
                output = oracle.communicate(timeout=30)[0]
                self.check(name, output)
