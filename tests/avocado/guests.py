"""The bare-metal programs of tests/guest/: assemble them, read what they expect.

SPDX-License-Identifier: GPL-2.0-or-later
"""
import os
import re
import shutil
import subprocess
import unittest

import rearm

FOLDER = os.path.join(rearm.TOP, 'tests', 'guest')
COMPILER = 'aarch64-linux-gnu-gcc'
EXPECT = re.compile(r'expect (x\d+) = 0x([0-9a-fA-F]+)')
# What the echo program is sent, and its answer to the prompt of one character.
UART_INPUT = 'abc\nq'


def need_compiler():
    return unittest.skipUnless(shutil.which(COMPILER), 'no %s' % COMPILER)


def build(name, folder):
    out = os.path.join(folder, name + '.elf')
    subprocess.run([COMPILER, '-nostdlib', '-static', '-Wl,--build-id=none',
                    '-Wl,-Ttext=0x40200000', '-o', out, os.path.join(FOLDER, name + '.S')],
                   check=True)
    return out


def names():
    return sorted(f[:-2] for f in os.listdir(FOLDER) if f.endswith('.S'))


def on_oracle(name):
    """False for guests of what QEMU does not do; their header says what that is."""
    with open(os.path.join(FOLDER, name + '.S'), encoding='utf-8') as f:
        return 'not on the oracle:' not in f.read()


def expected(name):
    with open(os.path.join(FOLDER, name + '.S'), encoding='utf-8') as f:
        return {reg: int(value, 16) for reg, value in EXPECT.findall(f.read())}


def reported(output):
    """The registers that a guest printed."""
    return {m.group(1): int(m.group(2), 16)
            for m in re.finditer(r'^(x\d+)=([0-9a-f]{16})', output, re.M)}


def drive(vm, name):
    """Feed the programs that read from the serial port."""
    if name == 'uart':
        vm.expect(rb'>')
        vm.send(UART_INPUT)
