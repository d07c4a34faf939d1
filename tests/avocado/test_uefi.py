"""UEFI firmware (Debian's package qemu-efi-aarch64) in flash: its variables stay in their image, and a
recording leaves that alone. Recorded, replayed in several shapes, travelled in.

SPDX-License-Identifier: GPL-2.0-or-later
"""
import hashlib
import os
import shutil
import unittest

import rearm
import travel
from rearm import TestCase, Vm

CODE = '/usr/share/AAVMF/AAVMF_CODE.fd'
VARIABLES = '/usr/share/AAVMF/AAVMF_VARS.fd'
PROMPT = rb'Shell> '
NAME = 'Rearm -guid 6a2c1b6e-3d0f-4f5e-9b57-0d2f7c3a9e11'


def md5(path):
    with open(path, 'rb') as f:
        return hashlib.md5(f.read()).hexdigest()


@unittest.skipUnless(os.path.exists(CODE), 'no firmware: install qemu-efi-aarch64')
class Uefi(TestCase):
    """
    :avocado: tags=arch:aarch64
    :avocado: tags=machine:virt
    """

    def setUp(self):
        super().setUp()
        self.variables = self.path('vars.fd')
        shutil.copy(VARIABLES, self.variables)
        self.machine = ('-M', 'virt', '-m', '256M', '-drive', 'if=pflash,format=raw,readonly=on,file=' + CODE, '-drive',
                        'if=pflash,format=raw,file=' + self.variables)

    def command(self, vm, line):
        """Type a line at the shell's prompt; what it printed."""
        start = vm.seen
        vm.send(line + '\r')
        vm.expect(b'\r\n')
        vm.expect(PROMPT, 120)
        return vm.output[start:vm.seen].decode('latin1')

    def set_variable(self, vm):
        vm.expect(PROMPT, 120)
        self.command(vm, 'setvar %s -bs -nv =0x11aa55bb' % NAME)
        self.assertIn('BB 55 AA 11', self.command(vm, 'setvar ' + NAME))
        vm.send('reset -s\r')

    def test_live(self):
        with Vm('-icount', 'shift=1,sleep=off', *self.machine) as vm:
            self.set_variable(vm)
            self.assertEqual(vm.wait(), 0, vm.stderr())
            self.assertEqual(vm.stderr(), '')
        before = md5(self.variables)
        self.assertNotEqual(before, md5(VARIABLES))
        with Vm('-icount', 'shift=1,sleep=off', *self.machine, '-snapshot') as vm:
            vm.expect(PROMPT, 120)
            self.assertIn('BB 55 AA 11', self.command(vm, 'setvar ' + NAME))
            self.command(vm, 'setvar Other -bs -nv =0x11')
            vm.send('reset -s\r')
            self.assertEqual(vm.wait(), 0, vm.stderr())
        self.assertEqual(md5(self.variables), before)

    def test_replay(self):
        log = self.path('a.rr')
        recording = self.record(log, self.set_variable, *self.machine,
                                rrcheck=',rrcheck=digest,rrcheckperiod=20000000,rrkeyframe=0.5')
        self.assertEqual(md5(self.variables), md5(VARIABLES))
        self.assert_replays(log, recording)
        if rearm.SLOW_SUITE:
            self.assert_replays(log, recording, '-accel', 'tcg,unit-insns=7,link=off', timeout=300)
            self.assert_replays(log, recording, '-accel', 'tcg,state-chaos=3,state-chaos-period=20000000', timeout=300)
            travel.journeys(self, log, recording, 1, 100, *travel.SHAPES[0])
        with open(self.variables, 'r+b') as f:
            f.seek(40 << 20)
            f.write(b'x')
        code, _, stderr = self.replay(log)
        self.assertEqual(code, 2, stderr)
        self.assertRegex(stderr, r'drive\.drive1')
