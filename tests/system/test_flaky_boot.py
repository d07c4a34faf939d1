#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""docs/examples/find-the-flaky-boot.py, with a guest that fails when it is given certain numbers.

usage: test_flaky_boot.py REARM
"""
import os
import re
import subprocess
import sys
import tempfile
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
import guests

EXAMPLE = os.path.join(HERE, '..', '..', 'docs', 'examples', 'find-the-flaky-boot.py')
REARM = None
SLOW = float(os.environ.get('REARM_SLOW', '1'))
TIMEOUT = 60 * SLOW


class FlakyBootTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.dir = folder.name
        guests.write(os.path.join(self.dir, 'seed.elf'), guests.SEED, guests.SEED_TEXT)

    def run_it(self, *command):
        run = subprocess.run(command, cwd=self.dir, capture_output=True, text=True, timeout=TIMEOUT,
                             env={**os.environ, 'REARM': REARM}, stdin=subprocess.DEVNULL, check=False)
        return run.returncode, run.stdout, run.stderr

    def find(self, *args, within=2, machine=()):
        return self.run_it(
            sys.executable, EXAMPLE, '--within', str(within * SLOW), *args, '--', '-M', 'virt', '-m', '64M',
            '-kernel', 'seed.elf', '-device',
            f'loader,addr={guests.SEED_DATA:#x},data={{seed}},data-len=4', *machine)

    def left(self):
        return sorted(os.listdir(self.dir))

    def replayed(self):
        """What the recording that was left puts out, by the command that was printed."""
        code, stdout, stderr = self.run_it(REARM, '-display', 'none', '-monitor', 'none', '-serial', 'stdio',
                                           '-icount', 'rr=replay,rrfile=flaky.rr')
        self.assertEqual(code, 0, stderr)
        self.assertIn('(equal)', stderr)
        return stdout

    def test_console(self):
        """The boot with a 5 hangs; its recording is the only one that is left, and shows that."""
        code, stdout, stderr = self.find('--expect', '^ready$', '--seed', '3')
        self.assertEqual(code, 0, stderr)
        self.assertEqual(re.findall(r'^boot .*', stdout, re.M)[:3],
                         ['boot 1, seed 3: passed', 'boot 2, seed 4: passed',
                          f'boot 3, seed 5: no /^ready$/ within {2 * SLOW:g} s. The console ends with'])
        self.assertEqual(self.left(), ['flaky.rr', 'seed.elf'])
        self.assertEqual(self.replayed(), 'boot')

    def test_typed(self):
        """A wrong answer at the prompt; the line that was typed is in the recording, too."""
        code, stdout, stderr = self.find('--prompt', '^> ', '--type', 'what is {seed}?', '--expect',
                                         'answer [0189]')
        self.assertEqual(code, 0, stderr)
        self.assertIn('boot 1, seed 1: passed\nboot 2, seed 2: no /answer [0189]/ within', stdout)
        self.assertIn('    > what is 2?\n    answer 2\n', stdout)
        self.assertEqual(self.left(), ['flaky.rr', 'seed.elf'])
        self.assertRegex(self.replayed(), r'^boot\nready\n> what is 2\?\nanswer 2\nready\n> $')

    def test_debugged(self):
        """The options that it says to debug with."""
        self.find('--expect', 'ready', '--seed', '5', '--recording', 'a b.rr')
        self.assertEqual(self.left(), ['a b.rr', 'seed.elf'])
        code, stdout, _ = self.find('--expect', 'ready', '--seed', '5', within=0.1)
        self.assertEqual(code, 0)
        line = re.search(r'^    (.*) -S -s &$', stdout, re.M).group(1)
        code, _, stderr = self.run_it('sh', '-c', f'exec {line} -serial null -monitor none')
        self.assertEqual(code, 0, stderr)
        self.assertIn('(equal)', stderr)

    def test_powered_off(self):
        """A guest that ends before its text has come has failed."""
        guests.write(os.path.join(self.dir, 'seed.elf'), guests.ECHO, guests.ECHO_TEXT)
        code, stdout, stderr = self.find('--prompt', 'guest', '--type', 'q', '--expect', 'never', within=100)
        self.assertEqual(code, 0, stderr)
        self.assertIn('boot 1, seed 1: no /never/ within', stdout)
        self.assertEqual(self.replayed(), 'hello from the guest\nq')

    def test_all_pass(self):
        code, stdout, stderr = self.find('--expect', 'boot', '--boots', '3')
        self.assertEqual((code, stderr), (1, ''))
        self.assertIn('all 3 boots passed', stdout)
        self.assertEqual(self.left(), ['seed.elf'])

    def test_errors(self):
        """No recording is left, and none is written over."""
        for args, machine, text in (
                (('--expect', 'x'), ('-no-such-option',), 'no-such-option'),
                (('--expect', 'x('), (), '--expect: '),
                (('--expect', 'x', '--type', 'x'), (), '--prompt and --type belong together'),
                (('--expect', 'x', '--recording', 'seed.elf'), (), "'seed.elf' is there already"),
                (('--expect', 'x', '--recording', 'a,b'), (), 'a comma')):
            code, _, stderr = self.find(*args, machine=machine)
            self.assertEqual(code, 2, args)
            self.assertIn(text, stderr)
            self.assertNotIn('Traceback', stderr)
            self.assertEqual(self.left(), ['seed.elf'])


if __name__ == '__main__':
    REARM = os.path.abspath(sys.argv.pop(1))
    unittest.main(verbosity=2)
