#!/usr/bin/env python3
"""Debian's kernel recorded and travelled in. Run by our runner, or by avocado:

    tests/avocado/run.py replay_kernel [ReplayKernel.test_one_cpu]
    avocado run tests/avocado/replay_kernel.py [-t arch:aarch64]

REARM_SLOW_SUITE=1: 1,000 operations on one and on four CPUs instead of 100, in all shapes of execution.

SPDX-License-Identifier: GPL-2.0-or-later
"""
import os
import random
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import rearm    # noqa: E402
import travel    # noqa: E402
from rearm import TestCase, Vm, machine, need_guest, slow    # noqa: E402

RAM = '256M'
OPERATIONS = 1000 if rearm.SLOW_SUITE else 100


def short(vm):
    vm.shell()
    vm.run('echo one')
    vm.send('poweroff -f\n')


def twice(vm):
    """A reset in the middle."""
    vm.shell()
    vm.send('reboot -f\n')
    vm.expect(rb'Booting Linux')
    short(vm)


def asleep(vm):
    """All CPUs wait: for a timer, and for who types."""
    vm.shell()
    vm.run('sleep 0.5; echo one; sleep 0.1')
    vm.send('poweroff -f\n')


@need_guest()
class ReplayKernel(TestCase):
    """
    Random journeys in recordings of a boot.

    :avocado: tags=arch:aarch64
    :avocado: tags=machine:virt
    :avocado: tags=cpu:cortex-a57
    """

    def travel(self, drive, operations, shapes, *options, icount='shift=1,sleep=off', rrcheck=''):
        """So many operations, shared by journeys in these shapes of execution."""
        log = self.path('a.rr')
        recording = self.record(log, drive, *machine(ram=RAM), *options, icount=icount,
                                rrcheck=rrcheck)
        for seed, shape in enumerate(shapes, 1):
            with self.subTest(seed=seed, shape=shape):
                travel.journeys(self, log, recording, seed, operations // len(shapes), *shape)

    def test_one_cpu(self):
        self.travel(short, OPERATIONS, travel.SHAPES if rearm.SLOW_SUITE else travel.SHAPES[:1])

    def test_four_cpus(self):
        """
        :avocado: tags=smp:4
        """
        self.travel(short, OPERATIONS, travel.SHAPES if rearm.SLOW_SUITE else travel.SHAPES[1:2],
                    '-smp', '4')

    def test_sleep(self):
        """Idle time passes, and the shift changes."""
        self.travel(asleep, OPERATIONS // 4, travel.SHAPES[:1], '-smp', '2', icount='shift=auto',
                    rrcheck=',rrcheck=digest,rrcheckperiod=10000000')

    @slow()
    def test_reset(self):
        self.travel(twice, OPERATIONS // 2, travel.SHAPES[:2])


@need_guest()
class NewProcesses(TestCase):
    """
    Seeks in recordings with keyframes, each in a new process.

    :avocado: tags=arch:aarch64
    :avocado: tags=machine:virt
    """

    PLACES = 100 if rearm.SLOW_SUITE else 15

    def place(self, rng, total, time):
        """By position, part, time or text."""
        kind = rng.randrange(4)
        if kind == 0:
            return str(rng.randrange(total))
        if kind == 1:
            return '%.3f%%' % rng.uniform(0, 99.9)
        if kind == 2:
            return '+%dns' % rng.randrange(time)
        return '@"%s"' % rng.choice(('Booting Linux', 'Memory: ', 'smp: Brought up', 'Freeing ',
                                     'Run /bin/sh', 'echo one', '/ # ', 'not there'))

    def go(self, log, place):
        """Where it leads to: position, digest, virtual time."""
        with travel.Replay(self.dir, log) as replay:
            here = replay.go('x-rearm-replay-seek', place=place)
            return *here, replay.command('x-rearm-query-replay')['time']

    def check(self, *options, icount='shift=1,sleep=off', rrcheck=''):
        log, visited, rng = self.path('a.rr'), {}, random.Random(4)
        recording = self.record(log, short, *machine(), *options, icount=icount,
                                rrcheck=',rrkeyframe=0.3' + rrcheck)
        total, _, time = self.go(log, '100%')
        for _ in range(self.PLACES):
            place = self.place(rng, total, time)
            position, digest, _ = self.go(log, place)
            self.assertEqual(position == total, 'not there' in place, place)
            self.assertEqual(visited.setdefault(position, digest), digest, place)
        visited.pop(total, None)
        travel.compare(self, self.dir, log, recording, visited, 'not as in a straight run')

    def test_one_cpu(self):
        self.check()

    def test_four_cpus(self):
        """
        :avocado: tags=smp:4
        """
        self.check('-smp', '4', icount='shift=auto,sleep=on', rrcheck=',rrcheck=digest')


@need_guest()
class LiveSessions(TestCase):
    """
    Sessions that are recorded in memory, gone back in, and live again.

    :avocado: tags=arch:aarch64
    :avocado: tags=machine:virt
    """

    def rewind(self, session):
        """Back and forth, and live again where it was: the same state, and the prompt answers."""
        session.command('stop')
        newest, digest = session.place()
        for _ in range(5):
            goal = self.random.randrange(newest)
            self.assertEqual(session.go('replay-seek', icount=goal)[0], goal)
            session.vm.send('echo lost\n')
        self.assertEqual(session.go('replay-seek', icount=newest), (newest, digest))
        session.command('cont')
        seen = len(session.vm.output)
        self.assertEqual(session.vm.run('echo $((6 * 7))').strip(), '42')
        self.assertNotIn(b'Booting Linux', session.vm.output[seen:])
        self.assertNotIn(b'lost', session.vm.output[seen:])

    def save(self, session, log):
        """What is recorded so far; the state that it has to end in."""
        session.command('stop')
        session.command('x-rearm-replay-save', file=log)
        place = session.place()
        session.command('cont')
        return place

    def session(self, log, rounds, *options):
        qmp = self.path('live')
        with Vm('-rewind', *machine(ram=RAM), '-qmp', 'unix:%s,server=on,wait=off' % qmp,
                *options) as vm:
            session = travel.Machine(vm, qmp)
            vm.shell()
            for _ in range(rounds):
                self.rewind(session)
                vm.run('sleep 0.1')
            place = self.save(session, log)
            code = vm.power_off()
            self.assertEqual(code, 0, vm.stderr())
            self.assertRegex(vm.stderr(), r'recorded \d+ instructions in memory, digest')
        return place

    def check_saved(self, log, place):
        with travel.Replay(self.dir, log, '-no-shutdown') as replay:
            self.assertEqual(replay.go('replay-seek', icount=travel.BEHIND_ALL), place)

    def branch(self, log, at, branch):
        """Live in the middle of a replay, typed at, powered off: it replays equal from the start."""
        with travel.Replay(self.dir, log, serial='stdio') as replay:
            vm = replay.vm
            replay.go('replay-seek', icount=at)
            replay.command('x-rearm-replay-golive', file=branch)
            replay.command('cont')
            vm.send('\n')
            vm.expect(rearm.PROMPT)
            vm.send('echo branch $((6 * 7)); poweroff -f\n')
            vm.expect(rb'branch 42')
            self.assertEqual(vm.wait(), 0, vm.stderr())
            recording = rearm.Recording(vm.stderr())
        self.assertEqual(recording.cause, 'guest-shutdown')
        self.assert_replays(branch, recording)

    def check(self, *options):
        self.random = random.Random(1)
        log = self.path('saved.rr')
        place = self.session(log, 10 if rearm.SLOW_SUITE else 2, *options)
        self.check_saved(log, place)
        self.branch(log, place[0] - 1000000, self.path('branch.rr'))

    def test_one_cpu(self):
        self.check()

    @slow()
    def test_four_cpus(self):
        """
        :avocado: tags=smp:4
        """
        self.check('-smp', '4', '-icount', 'shift=1,sleep=on')


if __name__ == '__main__':
    import unittest
    unittest.main()
