"""Recordings of four CPUs under a debugger that acts, replayed with equal digests.

SPDX-License-Identifier: GPL-2.0-or-later
"""
import os
import random
import signal
import time

import rearm
from gdbremote import GdbRemote
from rearm import TestCase, machine, need_guest

CPUS = 4
ACTIONS = 60
# All four CPUs compute, sleep, fork, and write to the console.
BUSY = ('for i in 1 2 3; do while :; do :; done & done; '
        'while :; do cat /proc/version >/dev/null; echo $RANDOM; sleep 0.01; done\n')


class Session:
    """What a person at gdb does, at random."""

    def __init__(self, gdb, seed):
        self.gdb = gdb
        self.random = random.Random(seed)
        self.points = []
        self.stops = {'watch': 0, 'swbreak': 0, 'other': 0}
        self.writes = 0

    def drop_point(self):
        if self.points:
            point = self.points.pop(self.random.randrange(len(self.points)))
            self.expect_ok('z' + point)

    def expect_ok(self, packet):
        reply = self.gdb.ask(packet)
        if reply != 'OK':
            raise AssertionError('%s: %s' % (packet, reply))

    def set_point(self, regs):
        """A breakpoint where execution comes to, or a watchpoint where a register points."""
        # Small negative numbers are no addresses, and a range behind one would wrap around.
        kernel = [r for r in regs[:32] if 0xffff << 48 <= r < (1 << 64) - 4096] or [regs[31]]
        if self.random.random() < 0.4:
            point = '0,%x,4' % self.random.choice((regs[30], regs[32], regs[32] + 4))
        else:
            point = '%d,%x,%x' % (self.random.choice((2, 3, 4)), self.random.choice(kernel),
                                  self.random.choice((1, 4, 8, 8, 8, 100)))
        if point not in self.points and len(self.points) < 8:
            self.expect_ok('Z' + point)
            self.points.append(point)

    def write(self, regs):
        """Memory below the stack, which nobody needs; or a register, as it is."""
        if regs[31] >> 48 == 0xffff and self.random.random() < 0.6:
            data = self.random.randbytes(self.random.randrange(1, 32))
            packet = 'M%x,%x:%s' % (regs[31] - 512, len(data), data.hex())
        else:
            reg = self.random.randrange(31)
            packet = 'P%x=%s' % (reg, regs[reg].to_bytes(8, 'little').hex())
        self.writes += self.gdb.ask(packet) == 'OK'

    def go(self, thread):
        step = 'vCont;s:%x;c' % thread
        reply = self.gdb.run(step if self.random.random() < 0.3 else 'c',
                             self.random.random() * 0.03)
        kind = 'watch' if 'watch:' in reply else 'swbreak' if 'swbreak:' in reply else 'other'
        self.stops[kind] += 1

    def act(self):
        thread = self.random.randrange(1, CPUS + 1)
        regs = self.gdb.registers(thread)
        for _ in range(self.random.randrange(1, 4)):
            self.random.choice((self.set_point, self.set_point, self.write,
                                lambda _: self.drop_point()))(regs)
        self.go(thread)

    def end(self):
        while self.points:
            self.drop_point()
        self.expect_ok('D')
        self.gdb.close()


@need_guest()
class Debugged(TestCase):
    def drive(self, seed, socket):
        def drive(vm):
            vm.shell()
            vm.run('busybox mount -t proc proc /proc')
            vm.send(BUSY)
            time.sleep(0.2)
            session = Session(GdbRemote(socket), seed)
            session.gdb.ask('qSupported:swbreak+')
            for n in range(ACTIONS):
                if n % 7 == 0:
                    vm.send('key\n')
                session.act()
            session.end()
            time.sleep(0.1)
            vm.process.send_signal(signal.SIGTERM)
            self.sessions.append(session)
        return drive

    def test_sessions(self):
        """REARM_SLOW_SUITE=1: 50 sessions instead of 2."""
        count = 50 if rearm.SLOW_SUITE else 2
        self.sessions = []
        for seed in range(1, count + 1):
            log, socket = self.path('%d.rr' % seed), self.path('%d.sock' % seed)
            recording = self.record(log, self.drive(seed, socket), *machine(), '-smp', str(CPUS),
                                    '-gdb', 'unix:%s,server=on,wait=off' % socket)
            with self.subTest(seed=seed, backend='jit'):
                self.assert_replays(log, recording)
            with self.subTest(seed=seed, backend='chaos'):
                self.assert_replays(log, recording, '-accel', 'tcg,unit-insns=7,tlb-chaos=9')
            os.unlink(log)
        for kind in ('watch', 'swbreak', 'other'):
            self.assertGreater(sum(s.stops[kind] for s in self.sessions), count)
        self.assertGreater(sum(s.writes for s in self.sessions), count)
