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
CPU = re.compile(r'run with -cpu (\S+?)\.?$', re.M)
OPTIONS = re.compile(r'run with (-(?!cpu ).*)$', re.M)
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


def source(name):
    with open(os.path.join(FOLDER, name + '.S'), encoding='utf-8') as f:
        return f.read()


def board(name, default='cortex-a57'):
    """The machine's options; a program may need a CPU model or more."""
    cpu, options = CPU.search(source(name)), OPTIONS.search(source(name))
    return ['-M', 'virt', '-m', '64M', '-cpu', cpu.group(1) if cpu else default,
            *(options.group(1).split() if options else ())]


def names():
    return sorted(f[:-2] for f in os.listdir(FOLDER) if f.endswith('.S'))


def on_oracle(name):
    """False for guests of what QEMU does not do; their header says what that is."""
    with open(os.path.join(FOLDER, name + '.S'), encoding='utf-8') as f:
        return 'not on the oracle:' not in f.read()


def expected(name):
    return {reg: int(value, 16) for reg, value in EXPECT.findall(source(name))}


def reported(output):
    """The registers that a guest printed."""
    return {m.group(1): int(m.group(2), 16)
            for m in re.finditer(r'^(x\d+)=([0-9a-f]{16})', output, re.M)}


def drive(vm, name):
    """Feed the programs that read from the serial port."""
    if name == 'uart':
        vm.expect(rb'>')
        vm.send(UART_INPUT)
