#!/usr/bin/env python3
"""Debian's u-boot recorded and travelled in. Run by our runner, or by avocado:

    tests/avocado/run.py replay_uboot [ReplayUboot.test_one_cpu]
    avocado run tests/avocado/replay_uboot.py [-t arch:aarch64]

REARM_SLOW_SUITE=1: 1,000 operations in each recording instead of 40, in all shapes of execution.

SPDX-License-Identifier: GPL-2.0-or-later
"""
import os
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import rearm    # noqa: E402
import travel    # noqa: E402
from rearm import TestCase, slow    # noqa: E402

# Of Debian's package u-boot-qemu.
UBOOT = '/usr/lib/u-boot/qemu_arm64/u-boot.bin'
PROMPT = rb'\n=> $'
OPERATIONS = 1000 if rearm.SLOW_SUITE else 40


def to_prompt(vm):
    vm.expect(rb'Hit any key to stop autoboot')
    vm.send('\n')
    vm.expect(PROMPT)


def say(vm, line, answer=b''):
    vm.send(line + '\n')
    vm.expect(answer)
    vm.expect(PROMPT)


def session(vm):
    """Typed at the prompt, before and behind a reset, which a variable does not outlive."""
    to_prompt(vm)
    say(vm, 'setenv place before')
    say(vm, 'echo it is $place', rb'\nit is before\r')
    say(vm, 'mw.l 0x41000000 0x1234567 0x100; crc32 0x41000000 0x400', rb'crc32 for .* ==> \w{8}')
    vm.send('reset\n')
    vm.expect(rb'resetting')
    to_prompt(vm)
    say(vm, 'echo it is ${place}behind', rb'\nit is behind\r')
    say(vm, 'md.l 0x40000000 8', rb'\n40000000: edfe0dd0')
    vm.send('poweroff\n')


@unittest.skipUnless(os.path.exists(UBOOT), 'no %s: install u-boot-qemu' % UBOOT)
class ReplayUboot(TestCase):
    """
    Random journeys in recordings of u-boot, to both sides of a reset.

    :avocado: tags=arch:aarch64
    :avocado: tags=machine:virt
    :avocado: tags=cpu:cortex-a57
    """

    def travel(self, shapes, *options, icount='shift=1,sleep=off', rrcheck=''):
        """The operations, shared by journeys in these shapes of execution."""
        log = self.path('a.rr')
        recording = self.record(log, session, '-M', 'virt', '-cpu', 'cortex-a57', '-m', '128M', '-bios',
                                UBOOT, *options, icount=icount, rrcheck=rrcheck)
        self.assertEqual(recording.cause, 'guest-shutdown')
        reset = self.place_of_reset(log)
        for seed, shape in enumerate(shapes, 1):
            with self.subTest(seed=seed, shape=shape):
                traveller = travel.journeys(self, log, recording, seed, OPERATIONS // len(shapes), *shape)
                sides = {position < reset for position in traveller.visited}
                self.assertEqual(sides, {False, True}, 'seed %d' % seed)

    def place_of_reset(self, log):
        with travel.Replay(self.dir, log) as replay:
            position, _ = replay.go('x-rearm-replay-seek', place='@"resetting"')
            before = self.seen(replay)
            # The text that comes behind the reset.
            replay.go('x-rearm-replay-seek', place='@"it is behind"')
            self.assertEqual((before.count('U-Boot 20'), self.seen(replay).count('U-Boot 20')), (1, 2))
            # Back across it, and forth: as a straight run.
            second = replay.go('x-rearm-replay-seek', place='@"U-Boot 20"#2')[0]
            self.assertEqual(replay.go('x-rearm-replay-seek', place='-@"resetting"')[0], position)
            self.assertEqual(replay.go('x-rearm-replay-seek', place='+@"U-Boot 20"')[0], second)
            self.assertEqual(replay.go('replay-seek', icount=position)[0], position)
            self.assertEqual(self.seen(replay), before)
        return position

    def seen(self, replay):
        return replay.command('human-monitor-command', command_line='replay_console')

    def test_one_cpu(self):
        self.travel(travel.SHAPES if rearm.SLOW_SUITE else travel.SHAPES[:1])

    @slow()
    def test_two_cpus(self):
        """
        Idle time passes, and the shift changes.

        :avocado: tags=smp:2
        """
        self.travel(travel.SHAPES[:2], '-smp', '2', icount='shift=auto',
                    rrcheck=',rrcheck=digest,rrcheckperiod=10000000')


if __name__ == '__main__':
    unittest.main()
