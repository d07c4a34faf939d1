#!/usr/bin/env python3
"""Debian's kernel recorded and travelled in. Run by our runner, or by avocado:

    tests/avocado/run.py replay_kernel [ReplayKernel.test_one_cpu]
    avocado run tests/avocado/replay_kernel.py [-t arch:aarch64]

REARM_SLOW_SUITE=1: 1,000 operations on one and on four CPUs instead of 100, in all shapes of execution.

SPDX-License-Identifier: GPL-2.0-or-later
"""
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import rearm    # noqa: E402
import travel    # noqa: E402
from rearm import TestCase, machine, need_guest, slow    # noqa: E402

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
        self.travel(asleep, OPERATIONS // 2, travel.SHAPES[:1], '-smp', '2', icount='shift=auto',
                    rrcheck=',rrcheck=digest,rrcheckperiod=10000000')

    @slow()
    def test_reset(self):
        self.travel(twice, OPERATIONS // 2, travel.SHAPES[:2])


if __name__ == '__main__':
    import unittest
    unittest.main()
