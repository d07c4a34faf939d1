#!/usr/bin/env python3
"""A debugger goes back in a recorded boot of Debian's kernel. Run by our runner, or by avocado:

    tests/avocado/run.py reverse_debugging [ReverseDebugging.test_one_cpu]
    avocado run tests/avocado/reverse_debugging.py [-t arch:aarch64]

REARM_SLOW_SUITE=1: 100 rounds on one and on four CPUs, every other one on a busy host.

SPDX-License-Identifier: GPL-2.0-or-later
"""
import os
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import rearm    # noqa: E402
from gdbremote import GdbRemote    # noqa: E402
from rearm import TestCase, Vm, machine, need_guest    # noqa: E402

STEPS = 10
ROUNDS = 100 if rearm.SLOW_SUITE else 1
# A run over the whole recording.
TIMEOUT = 300
BUSY = [sys.executable, '-c', 'while True: pass']


def boot(vm):
    vm.shell()
    vm.run('echo one')
    vm.send('poweroff -f\n')


@need_guest()
class ReverseDebugging(TestCase):
    """
    Ten steps forth, back and forth; from near the end, back to the tenth of ten breakpoints.

    :avocado: tags=arch:aarch64
    :avocado: tags=machine:virt
    :avocado: tags=cpu:cortex-a57
    """

    def steps(self, gdb, packet):
        """The PCs behind each of ten steps."""
        pcs = []
        for _ in range(STEPS):
            self.assertRegex(gdb.ask(packet), '^T05')
            pcs.append(gdb.pc())
        return pcs

    def debug(self, gdb, near_end):
        first = gdb.pc()
        forth = self.steps(gdb, 'vCont;s:1;c')
        back = self.steps(gdb, 'bs')
        self.assertEqual(back, [*forth[-2::-1], first])
        self.assertEqual(self.steps(gdb, 'vCont;s:1;c'), forth)
        for pc in forth:
            self.assertEqual(gdb.ask('Z0,%x,4' % pc), 'OK')
        gdb.monitor('replay_break %d' % near_end)
        self.assertRegex(gdb.ask('c'), '^T05')
        self.assertEqual(gdb.position(), near_end)
        self.assertRegex(gdb.ask('bc'), '^T05.*swbreak')
        self.assertEqual((gdb.pc(), gdb.position()), (forth[-1], STEPS))

    def round(self, log, recording):
        socket = self.path('gdb')
        with Vm('-icount', 'rr=replay,rrfile=' + log, '-S', '-gdb',
                'unix:%s,server=on,wait=off' % socket, serial='null') as vm:
            gdb = GdbRemote(socket, TIMEOUT)
            gdb.ask('qSupported:swbreak+')
            self.debug(gdb, recording.icount - 1000)
            gdb.send('k')
            self.assertEqual(vm.wait(), 0, vm.stderr())
            gdb.close()

    def rounds(self, *options):
        log = self.path('a.rr')
        recording = self.record(log, boot, *machine(ram='256M'), *options)
        for n in range(ROUNDS):
            busy = [subprocess.Popen(BUSY) for _ in range(n % 2 * 2 * os.cpu_count())]
            try:
                with self.subTest(round=n):
                    self.round(log, recording)
            finally:
                for process in busy:
                    process.kill()
                    process.wait()

    def test_one_cpu(self):
        self.rounds()

    def test_four_cpus(self):
        """
        :avocado: tags=smp:4
        """
        self.rounds('-smp', '4')


if __name__ == '__main__':
    import unittest
    unittest.main()
