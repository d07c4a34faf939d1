#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Keyframes in recordings, as users make and use them.

usage: test_keyframes.py REARM REARM_REPLAY
"""
import os
import re
import signal
import subprocess
import sys
import time
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import guests
import test_qmp

REARM_REPLAY = None


class KeyframesTest(test_qmp.Program):
    def setUp(self):
        super().setUp()
        self.work = guests.write(os.path.join(self.dir, 'work.elf'), guests.WORK)

    def run_program(self, *args):
        """Exit status and all that it said."""
        done = subprocess.run(args, cwd=self.dir, stdin=subprocess.DEVNULL, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False,
                              timeout=test_qmp.TIMEOUT)
        return done.returncode, done.stdout

    def rearm(self, icount, *args):
        return self.run_program(test_qmp.REARM, '-display', 'none', '-serial', 'null', '-icount',
                                icount, *args)

    def tool(self, *args):
        return self.run_program(REARM_REPLAY, *args)

    def record(self, how=''):
        """The digest at the end."""
        status, text = self.rearm(f'shift=1,rr=record,rrfile=log{how}', '-kernel', self.work)
        self.assertEqual(status, 0, text)
        return re.search('digest ([0-9a-f]{16})', text).group(1)

    def content(self, name='log'):
        with open(os.path.join(self.dir, name), 'rb') as f:
            return f.read()

    def keyframes(self, name='log'):
        status, text = self.tool('info', name)
        self.assertEqual(status, 0, text)
        return int(re.search(r'^keyframes: *(\d+)', text, re.M).group(1))

    # ---- a recording that is there already ----

    def test_add(self):
        digest = self.record()
        before = self.content()
        self.assertEqual(self.keyframes(), 0)
        status, text = self.tool('keyframes', 'log', '0.05')
        self.assertEqual(status, 0, text)
        self.assertIn(f'digest {digest} (equal)', text)
        self.assertRegex(text, r'log has \d+ keyframes now; as it was before it is .*log\.old')
        self.assertGreater(self.keyframes(), 2)
        self.assertEqual(self.content('log.old'), before)
        self.assertEqual(self.tool('compare', 'log.old', 'log')[0], 0)
        self.assertEqual(self.tool('verify', 'log')[0], 0)
        status, text = self.rearm('rr=replay,rrfile=log')
        self.assertEqual(status, 0, text)
        self.assertIn(f'digest {digest} (equal)', text)
        # Once more, with others.
        self.assertEqual(self.rearm('rr=replay,rrfile=log,rrkeyframe=0.2')[0], 0)
        self.assertLess(self.keyframes('log'), self.keyframes('log.old'))

    def begin_to_add(self):
        process = subprocess.Popen([REARM_REPLAY, 'keyframes', 'log', '0.02'], cwd=self.dir,
                                   stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                   stderr=subprocess.PIPE)
        self.addCleanup(process.kill)
        end = time.monotonic() + test_qmp.TIMEOUT
        while not os.path.exists(os.path.join(self.dir, 'log.keyframes')):
            self.assertLess(time.monotonic(), end)
            time.sleep(0.001)
        return process

    def test_killed(self):
        """At some moment; and what is left is not in the next one's way."""
        self.record()
        before = self.content()
        for n in range(8):
            process = self.begin_to_add()
            time.sleep(0.02 * n)
            process.kill()
            process.communicate()
            if self.content() != before:        # it was done already
                self.assertEqual(self.content('log.old'), before)
                os.rename(os.path.join(self.dir, 'log.old'), os.path.join(self.dir, 'log'))
        self.assertEqual(self.tool('keyframes', 'log')[0], 0)
        self.assertEqual(self.tool('compare', 'log.old', 'log')[0], 0)
        self.assertEqual(sorted(os.listdir(self.dir)),
                         ['echo.elf', 'log', 'log.old', 'spin.elf', 'work.elf'])

    def test_interrupted(self):
        self.record()
        before = self.content()
        process = self.begin_to_add()
        process.send_signal(signal.SIGINT)
        _, text = process.communicate(timeout=test_qmp.TIMEOUT)
        self.assertEqual(process.returncode, 1, text)
        self.assertIn(b'log has got no keyframes and is what it was: the replay did not come to '
                      b'its end', text)
        self.assertEqual(self.content(), before)
        self.assertFalse(os.path.exists(os.path.join(self.dir, 'log.keyframes')))

    def test_refused(self):
        status, text = self.tool('keyframes', 'nothing')
        self.assertEqual(status, 1, text)
        self.assertIn('nothing', text)
        self.record()
        status, text = self.tool('keyframes', 'log', 'often')
        self.assertEqual(status, 1, text)
        self.assertIn('rrkeyframe=often: expected seconds', text)


if __name__ == '__main__':
    REARM_REPLAY = os.path.abspath(sys.argv.pop(2))
    test_qmp.REARM = os.path.abspath(sys.argv.pop(1))
    unittest.main(verbosity=2)
