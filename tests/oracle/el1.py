#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Random code at EL0 and EL1, with page tables and exceptions, on Rearm and on QEMU.

Each seed is a bare-metal image of random sequences (el1_cases.py, el1/). It prints a digest
after each one; at the first difference, sequences are left out as long as it stays, and
what is left is printed: code, and every exception on both sides.

    el1.py --rearm build/system/rearm --seed 7 --seeds 20
    el1.py --rearm build/system/rearm --seed 7 --sequence 31     one of them, with its trace
"""
import argparse
import difflib
import os
import shutil
import subprocess
import sys
import tempfile

import el1_cases

SKIP = 77
HERE = os.path.dirname(os.path.abspath(__file__))
COMPILER = 'aarch64-linux-gnu-gcc'
JUDGE = 'qemu-system-aarch64'
TIMEOUT = 120
ACCELS = ('backend=jit', 'backend=interp', 'unit-insns=7,tlb-ways=1,tlb-chaos=1')


class Sides:
    """Build images and run them on either side."""

    def __init__(self, args, folder):
        self.args = args
        self.folder = folder
        self.objects = []
        for name in ('start.S', 'main.c'):
            self.objects.append(os.path.join(folder, name + '.o'))
            self.compile('-c', os.path.join(HERE, 'el1', name), '-o', self.objects[-1])

    def compile(self, *arguments):
        subprocess.run([COMPILER, '-O2', '-Wall', '-Werror', '-ffreestanding', '-nostdlib',
                        '-mgeneral-regs-only', '-fno-pie', *arguments], check=True)

    def build(self, image, kept, trace):
        source = os.path.join(self.folder, 'cases.S')
        elf = os.path.join(self.folder, 'image.elf')
        with open(source, 'w', encoding='ascii') as f:
            f.write(image.assembly(kept, trace))
        self.compile('-static', '-no-pie', '-Wl,--build-id=none', '-Wl,-z,norelro',
                     '-Wl,-Ttext=0x40200000', '-Wl,-Tdata=0x40400000', '-o', elf, self.objects[0],
                     self.objects[1], source)
        return elf

    def run(self, program, elf, *options):
        command = [program, '-M', 'virt', '-cpu', self.args.cpu, '-m', '64', '-kernel', elf,
                   '-display', 'none', '-monitor', 'none', '-serial', 'stdio', *options]
        try:
            r = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True,
                               timeout=TIMEOUT)
        except subprocess.TimeoutExpired as late:
            return (late.stdout or b'').decode('latin1').splitlines() + ['no end']
        return (r.stdout + r.stderr).decode('latin1').splitlines()

    def judge(self, elf):
        return self.run(JUDGE, elf, '-nic', 'none')

    def rearm(self, elf, accel):
        return self.run(self.args.rearm, elf, '-icount', 'shift=1,sleep=off', '-accel',
                        'tcg,' + accel)


def first_difference(expected, found, kept):
    """The number of the first sequence that differs, or None."""
    if expected == found and found[-1:] == ['done'] and len(found) == len(kept) + 2:
        return None
    same = [a == b for a, b in zip(expected, found)] + [False]
    return sorted(kept)[min(same.index(False), len(kept) - 1)]


def differs(sides, image, kept, accel):
    elf = sides.build(image, kept, False)
    return first_difference(sides.judge(elf), sides.rearm(elf, accel), kept) is not None


def minimise(sides, image, first, accel):
    """Numbers of few sequences that still differ; the last one is where it shows."""
    kept = list(range(first + 1))
    step = len(kept)
    while step:
        n = 0
        while n < len(kept) - 1:
            fewer = kept[:n] + kept[min(n + step, len(kept) - 1):]
            if differs(sides, image, set(fewer), accel):
                kept = fewer
            else:
                n += step
        step //= 2
    return kept


def report(sides, image, kept, accel):
    numbers = ' '.join('--sequence %d' % n for n in kept)
    print('\nDIFFERENCE: --cpu %s --accel %s --seed %d --count %d %s' % (
        sides.args.cpu, accel, image.seed, len(image.sequences), numbers))
    for s in image.sequences:
        if s.number in kept:
            print('\n'.join(s.text()))
    elf = sides.build(image, kept, True)
    print('\n'.join(difflib.unified_diff(sides.judge(elf), sides.rearm(elf, accel), JUDGE, 'rearm',
                                         lineterm='', n=12)))


def check(sides, seed):
    """True when all print the same."""
    args = sides.args
    image = el1_cases.Image(seed, args.count)
    kept = args.sequence or list(range(args.count))
    elf = sides.build(image, kept, False)
    expected = sides.judge(elf)
    for accel in args.accel:
        first = first_difference(expected, sides.rearm(elf, accel), kept)
        if first is not None:
            if not args.sequence:
                kept = minimise(sides, image, first, accel)
            report(sides, image, kept, accel)
            return False
    return True


def main():
    ap = argparse.ArgumentParser(description=__doc__,
                                 formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument('--rearm', required=True)
    ap.add_argument('--cpu', default='cortex-a57', help='model on both sides')
    ap.add_argument('--accel', action='append', help="Rearm's -accel tcg options; all of: %s"
                    % ' '.join(ACCELS))
    ap.add_argument('--seed', type=int, default=1, help='the first one')
    ap.add_argument('--seeds', type=int, default=1, help='how many')
    ap.add_argument('--count', type=int, default=300, help='sequences a seed')
    ap.add_argument('--sequence', type=int, action='append', help='only these, with a trace')
    args = ap.parse_args()
    args.accel = args.accel or ACCELS
    if not shutil.which(COMPILER) or not shutil.which(JUDGE):
        print('%s or %s is missing' % (COMPILER, JUDGE))
        sys.exit(SKIP)
    bad = []
    with tempfile.TemporaryDirectory() as folder:
        sides = Sides(args, folder)
        for seed in range(args.seed, args.seed + args.seeds):
            if not check(sides, seed):
                bad.append(seed)
    print('%d sequences a seed, %d seeds from %d, %s: %s' % (
        args.count, args.seeds, args.seed, args.cpu,
        'seeds %s differ' % bad if bad else 'equal'))
    sys.exit(1 if bad else 0)


if __name__ == '__main__':
    main()
