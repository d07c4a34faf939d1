#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""scripts/kernel-symbols: what gdb knows of a program that is built like the kernel, of which it
has nothing but the names that /proc/kallsyms would have.

usage: test_symbols.py REARM
"""
import os
import re
import shutil
import subprocess
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import gdbcase

HERE = os.path.dirname(os.path.abspath(__file__))
TOOL = os.path.join(HERE, '..', '..', 'scripts', 'kernel-symbols')
COMPILER = 'aarch64-linux-gnu-gcc'
NM = 'aarch64-linux-gnu-nm'
# As the kernel's: room for the tracer, paciasp, frame pointers.
FLAGS = ['-O1', '-ffreestanding', '-fno-pic', '-no-pie', '-mgeneral-regs-only', '-nostdlib',
         '-fno-omit-frame-pointer', '-fpatchable-function-entry=2',
         '-mbranch-protection=pac-ret+leaf', '-static', '-Wl,--build-id=none',
         '-Wl,-Ttext-segment=0x40200000']


@unittest.skipUnless(shutil.which(COMPILER), f'no {COMPILER}')
class SymbolsTest(gdbcase.GdbCase):
    def setUp(self):
        super().setUp()
        self.kernel = os.path.join(self.folder.name, 'guest.elf')
        subprocess.run([COMPILER, *FLAGS, '-o', self.kernel, os.path.join(HERE, 'reverse.c')],
                       check=True)
        names = subprocess.run([NM, self.kernel], check=True, capture_output=True, text=True)
        self.symbols = self.convert(
            'a line of a console\r\n' + names.stdout.replace('\n', '\r\n') +
            '0000000040000000 t $x\n0000000040000000 t in_module\t[module]\n')

    def convert(self, text, code=0):
        kallsyms, out = (os.path.join(self.folder.name, name) for name in ('kallsyms', 'symbols'))
        with open(kallsyms, 'w', encoding='ascii') as f:
            f.write(text)
        done = subprocess.run([TOOL, kallsyms, out], capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, code, done.stderr)
        return done.stderr if code else out

    def test_backtrace(self):
        """At the first instruction of a function, and behind its prologue."""
        self.start('-S')
        out = self.gdb('break *inner', 'continue', 'backtrace', 'break *store', 'delete 1',
                       'continue', 'backtrace', 'delete', 'break *outer+24', 'continue',
                       'backtrace', 'info registers x19', 'up', 'info registers x19',
                       'info symbol 0x40000000', 'kill')
        frames = re.findall(r'^#(\d+) .* in (\w+) \(\)$', out, re.M)
        self.assertEqual(frames[:7], [('0', 'inner'), ('1', 'outer'), ('2', 'start'),
                                      ('0', 'store'), ('1', 'start'),
                                      ('0', 'outer'), ('1', 'start')])
        self.assertRegex(out, r'x19 +0x')
        self.assertRegex(out, r'x19 +<not saved>')
        self.assertIn('No symbol matches', out)

    def test_refused(self):
        self.assertIn('no functions', self.convert('nothing\n', 1))
        self.assertIn('read by root', self.convert('0000000000000000 T start_kernel\n', 1))


if __name__ == '__main__':
    gdbcase.main()
