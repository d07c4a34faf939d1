#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Random A64 code, run by Rearm and by another implementation, compared.

First each pattern of the .decode files gives single instructions; what the other
side finds valid is then mixed into sequences, some of them loops. The first
difference is minimised and shown with its disassembly.

    oracle.py --rearm build/tests/oracle/rearm-a64-test --native .../a64-native
    oracle.py ... --chapter simd --pattern 'S*_vec' --seed 7 --singles 500 --variant jit
"""
import argparse
import collections
import fnmatch
import glob
import os
import random
import shutil
import subprocess
import sys
import tempfile

import cases
import patterns

SKIP = 77
MAX_CRASHES = 30
EMULATOR = 'qemu-aarch64'
# What Rearm's `max` has not. With SVE or SME, the other side's signal frames would have records
# that a64-native.c does not write, and returning from a signal would fail.
EMULATOR_OPTIONS = {'max': ',sve=off,sme=off,pauth=off'}
# Words (mask, value) on which the two sides' models of this name differ rightfully.
MODELS_DIFFER = {'max': [
    (0xfe400000, 0x68000000),   # STGP: user mode cannot do without MTE
    (0xffffffe0, 0xd50b7420),   # DC ZVA: the size of its block is IMPLEMENTATION DEFINED
]}
VARIANTS = {                    # name -> arguments of rearm-a64-test
    'interp': ['--interp', '--no-opt'],
    'interp-1': ['--interp', '--no-opt', '--unit-insns', '1', '--sp-align'],
    'opt': ['--interp'],
    'opt-7': ['--interp', '--unit-insns', '7', '--sp-align'],
    'jit': [],
    'jit-7': ['--unit-insns', '7', '--sp-align'],
    'jit-plain': ['--no-opt', '--no-link', '--unit-insns', '512'],
}


class Runners:
    """Run lists of cases on either side; results are lists of cases.Result."""

    def __init__(self, args, folder):
        self.args = args
        self.folder = folder

    def run(self, command, list_of_cases):
        """A program that dies gives a crash as the result of the case that it died of."""
        inp = os.path.join(self.folder, 'cases')
        out = os.path.join(self.folder, 'results')
        results, crashes = [], 0
        while len(results) < len(list_of_cases):
            with open(inp, 'wb') as f:
                f.write(b''.join(c.pack() for c in list_of_cases[len(results):]))
            r = subprocess.run([*command, inp, out], capture_output=True, text=True)
            results += cases.read_results(out)
            if len(results) < len(list_of_cases):
                results.append(cases.Result.crash(f'status {r.returncode}: {r.stderr.strip()}'))
                crashes += 1
            if crashes == MAX_CRASHES:
                missing = cases.Result.crash('not run: too many crashes')
                results += [missing] * (len(list_of_cases) - len(results))
        return results

    def native(self, list_of_cases):
        return self.run([*self.args.emulator, self.args.native], list_of_cases)

    def rearm(self, variant, list_of_cases):
        return self.run([self.args.rearm, '--cpu', self.args.cpu, *VARIANTS[variant]],
                        list_of_cases)


def disassemble(words, folder):
    path = os.path.join(folder, 'words')
    with open(path, 'wb') as f:
        f.write(b''.join(w.to_bytes(4, 'little') for w in words))
    tool = shutil.which('aarch64-linux-gnu-objdump')
    if not tool:
        return [f'{w:08x}' for w in words]
    start = cases.CODE_BASE + cases.CODE_START
    r = subprocess.run([tool, '-D', '-b', 'binary', '-m', 'aarch64', f'--adjust-vma={start}', path],
                       capture_output=True, text=True)
    return [l.split(':', 1)[1].strip() for l in r.stdout.splitlines() if ':\t' in l]


def minimise(runners, variant, case):
    """Drop instructions as long as the two sides still differ."""
    while len(case.words) > 1:
        smaller = [case.without(n) for n in range(len(case.words))
                   if case.names[n] not in ('LOOP', 'BRK', 'RET')]
        pairs = zip(runners.native(smaller), runners.rearm(variant, smaller))
        failing = [c for c, (a, b) in zip(smaller, pairs) if a != b]
        if not failing:
            break
        case = failing[0]
    return case


def report(runners, variant, case, seed):
    case = minimise(runners, variant, case)
    expected = runners.native([case])[0]
    found = runners.rearm(variant, [case])[0]
    print(f'\nDIFFERENCE in variant {variant}, seed {seed}: {" ".join(case.names)}')
    for line in disassemble(case.words, runners.folder):
        print('   ', line)
    for line in cases.describe(case, expected, found):
        print('   ', line)


def compare(runners, args, list_of_cases, expected):
    """Print differences by pattern; the number of cases that differ."""
    total = 0
    for variant in args.variants:
        found = runners.rearm(variant, list_of_cases)
        bad = [c for c, a, b in zip(list_of_cases, expected, found) if a != b]
        total += len(bad)
        if bad:
            by_name = collections.Counter(c.names[-1] for c in bad if len(c.names) == 1)
            print(f'variant {variant}: {len(bad)} of {len(list_of_cases)} cases differ',
                  ', '.join(f'{n} {k}' for n, k in by_name.most_common()))
            shown = set()
            for c in sorted(bad, key=lambda c: len(c.words)):
                if len(shown) < args.show and c.names[-1] not in shown:
                    shown.add(c.names[-1])
                    report(runners, variant, c, args.seed)
            break
    return total


def load_patterns(args):
    found = []
    for path in sorted(glob.glob(os.path.join(args.decode, 'a64-*.decode'))):
        chapter = os.path.basename(path)[len('a64-'):-len('.decode')]
        if args.chapter and chapter not in args.chapter:
            continue
        for p in patterns.load(path, chapter):
            if not args.pattern or any(fnmatch.fnmatch(p.name, g) for g in args.pattern):
                found.append(p)
    return found


def untested(names, list_of_cases, results):
    """Print the patterns of which no instruction ran to its end; how many there are."""
    seen = {name: collections.Counter() for name in names}
    for c, r in zip(list_of_cases, results):
        seen[c.names[0]][r.status] += 1
    bad = 0
    for name, count in sorted(seen.items()):
        if count[cases.END] == 0:
            statuses = ', '.join(f'{n} {cases.STATUS[s]}' for s, n in count.most_common())
            print(f'error: {name} is not tested: none of {sum(count.values())} ran to the end '
                  f'({statuses or "no case was made"})')
            bad += 1
    return bad


def comparable(word, cpu):
    return not any(word & mask == value for mask, value in MODELS_DIFFER.get(cpu, []))


def run(args, folder):
    rng = random.Random(args.seed)
    runners = Runners(args, folder)
    found = load_patterns(args)
    if not found:
        sys.exit('no pattern matches')
    singles = [patterns.single(rng, p) for p in found for _ in range(args.singles)]
    singles = [c for c in singles if c and comparable(c.words[0], args.cpu)]
    expected = runners.native(singles)
    not_tested = untested([p.name for p in found], singles, expected)
    bad = compare(runners, args, singles, expected)
    usable = [c for c, r in zip(singles, expected)
              if r.status == cases.END and patterns.may_mix(c)]
    simd = any(p.chapter.startswith(patterns.SIMD_CHAPTERS) for p in found)
    sequences = [patterns.sequence(rng, usable, args.length, simd)
                 for _ in range(args.sequences if usable else 0)]
    if not bad and sequences:
        bad = compare(runners, args, sequences, runners.native(sequences))
    print(f'{len(found)} patterns, {len(singles)} instructions, {len(sequences)} sequences, '
          f'variants {" ".join(args.variants)}, seed {args.seed}: {bad} differ')
    return 1 if bad or not_tested else 0


def main():
    ap = argparse.ArgumentParser(description=__doc__,
                                 formatter_class=argparse.RawDescriptionHelpFormatter)
    here = os.path.dirname(os.path.abspath(__file__))
    ap.add_argument('--rearm', required=True, help='rearm-a64-test')
    ap.add_argument('--native', required=True, help='a64-native; empty: skip')
    ap.add_argument('--emulator', default=EMULATOR, help='what runs it; empty: itself')
    ap.add_argument('--cpu', default='cortex-a72', help='model on both sides')
    ap.add_argument('--decode', default=os.path.join(here, '../../target/arm'))
    ap.add_argument('--chapter', action='append', help='dpimm, branch, ldst, fp, ...')
    ap.add_argument('--pattern', action='append', help='pattern names (shell wildcards)')
    ap.add_argument('--seed', type=int, default=1)
    ap.add_argument('--singles', type=int, default=40, help='instructions a pattern')
    ap.add_argument('--sequences', type=int, default=1000)
    ap.add_argument('--length', type=int, default=16, help='longest sequence (at most 50)')
    ap.add_argument('--show', type=int, default=3, help='differences shown in full')
    ap.add_argument('--variant', dest='variants', action='append', choices=sorted(VARIANTS))
    args = ap.parse_args()
    args.variants = args.variants or list(VARIANTS)
    if not args.native or (args.emulator and not shutil.which(args.emulator)):
        print('the cross compiler or qemu-aarch64 is missing')
        sys.exit(SKIP)
    args.emulator = [args.emulator, '-cpu', args.cpu + EMULATOR_OPTIONS.get(args.cpu, '')] \
        if args.emulator else []
    with tempfile.TemporaryDirectory() as folder:
        sys.exit(run(args, folder))


if __name__ == '__main__':
    main()
