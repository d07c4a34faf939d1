"""Recordings of several CPUs, replayed in every shape of execution and of the soft TLB.

SPDX-License-Identifier: GPL-2.0-or-later
"""
import os
import random
import time

import rearm
from rearm import TestCase, machine, need_guest, slow

SHAPES = ('backend=jit', 'backend=interp', 'unit-insns=1', 'unit-insns=7', 'unit-insns=512',
          'link=off', 'opt=off', 'tb-size=4', 'tlb-chaos=1', 'backend=interp,unit-insns=1',
          'backend=interp,tlb-chaos=2', 'unit-insns=7,link=off,tlb-ways=8,tlb-chaos=3')
FAST_SHAPES = ('unit-insns=7,tlb-ways=1,tlb-chaos=1', 'unit-insns=512,link=off')
# Every CPU has something to do: processes of their own, and some that come and go.
WORK = ('for i in 1 2 3 4 5 6 7 8; do (n=0; while [ $n -lt 300 ]; do n=$((n+1)); done; '
        'head -c 100000 /bin/busybox | md5sum) & done; wait\n')


def work(vm):
    vm.shell()
    vm.run('busybox mount -t proc proc /proc')
    vm.send(WORK)
    vm.expect(rearm.PROMPT)
    vm.run('cat /proc/interrupts; for i in 1 2 3 4 5; do cat /proc/uptime & done; wait')
    vm.send('poweroff -f\n')


def any_shape(rng):
    """Options of -accel tcg at random, those of the TLB always among them."""
    entries = rng.choice((0, 16, 64, 256, 1024, 4096, 16384, 65536))
    shape = ['tlb-ways=%d' % rng.choice((1, 2, 4, 8))]
    shape += ['tlb-entries=%d' % entries] if entries else []
    shape += ['tlb-chaos=%d' % rng.randrange(1, 1 << 32)] if rng.random() < 0.7 else []
    shape += ['unit-insns=%d' % rng.choice((1, 7, 64, 512))] if rng.random() < 0.3 else []
    shape += ['backend=interp'] if rng.random() < 0.1 else []
    return ','.join(shape)


@need_guest()
class Smp(TestCase):
    def replay_all(self, cpus, shapes):
        log = self.path('%d.rr' % cpus)
        recording = self.record(log, work, *machine(), '-smp', str(cpus))
        for shape in shapes:
            with self.subTest(cpus=cpus, shape=shape):
                self.assert_replays(log, recording, '-accel', 'tcg,' + shape, timeout=1800)

    def test_four(self):
        self.replay_all(4, FAST_SHAPES)

    @slow()
    def test_four_in_all_shapes(self):
        self.replay_all(4, SHAPES)

    @slow()
    def test_eight_in_all_shapes(self):
        self.replay_all(8, SHAPES)


@need_guest()
class Campaign(TestCase):
    @slow()
    def test_tlb(self):
        """For REARM_SECONDS (600), shapes of the TLB from REARM_SEED (1) on; 4 CPUs."""
        seed = int(os.environ.get('REARM_SEED', '1'))
        end = time.monotonic() + float(os.environ.get('REARM_SECONDS', '600'))
        log = self.path('campaign.rr')
        recording = self.record(log, work, *machine(), '-smp', '4')
        first = seed
        while time.monotonic() < end:
            shape = any_shape(random.Random(seed))
            with self.subTest(seed=seed, shape=shape):
                self.assert_replays(log, recording, '-accel', 'tcg,' + shape, timeout=1800)
            seed += 1
        print('# %d replays, seeds %d to %d' % (seed - first, first, seed - 1))
