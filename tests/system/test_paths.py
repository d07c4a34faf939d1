#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Recordings whose files were moved, changed or lost: rrpath=, rrimage=, and what a replay says.

usage: test_paths.py REARM
"""
import os
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import guests
import test_qmp

SIZE = 64 << 20      # more than is read whole


class PathsTest(test_qmp.Program):
    def setUp(self):
        super().setUp()
        os.makedirs(os.path.join(self.dir, 'a', 'b'))
        self.kernel = guests.write(os.path.join(self.dir, 'a', 'guest.elf'), guests.panic(1))
        self.disk = os.path.join(self.dir, 'a', 'b', 'd,isk.img')
        with open(self.disk, 'wb') as f:
            f.write(b'begin')
            f.truncate(SIZE)

    def run_rearm(self, *args):
        process = self.start(*args)
        out, err = process.communicate(timeout=test_qmp.TIMEOUT)
        return process.returncode, err.decode()

    def record(self, more=''):
        code, err = self.run_rearm('-icount', 'shift=1,sleep=off,rr=record,rrfile=log' + more, '-kernel', self.kernel,
                                   '-drive', 'format=raw,file=' + self.disk.replace(',', ',,'), '-device',
                                   'pvpanic-mmio', '-monitor', 'none')
        self.assertEqual(code, 0, err)

    def replay(self, *moves):
        return self.run_rearm('-icount', ','.join(('rr=replay,rrfile=log', *moves)), '-monitor', 'none')

    def good(self, *moves):
        code, err = self.replay(*moves)
        self.assertIn('(equal)', err)
        self.assertEqual(code, 0, err)

    def refused(self, status, *moves):
        code, err = self.replay(*moves)
        self.assertEqual(code, status, err)
        return err

    def path(self, *names):
        return os.path.join(self.dir, *names)

    def test_moved(self):
        self.record()
        self.good()
        # The disk alone: named, with the way out; by its path, relative to here, and by its folder.
        os.rename(self.path('a', 'b'), self.path('c'))
        err = self.refused(1)
        for text in (f"cannot open '{self.disk}'", "the recording's disk image", f'-icount rrpath={self.disk}=PATH'):
            self.assertIn(text, err)
        old = self.disk.replace(',', ',,')
        self.good(f'rrpath={old}=' + self.path('c', 'd,,isk.img'))
        self.good(f'rrpath={old}=c/d,,isk.img')
        self.good('rrpath=%s=c' % self.path('a', 'b'))
        self.good('rrpath=%s/=c' % self.path('a', 'b'))
        # And the kernel; the last one that fits counts.
        os.rename(self.path('a'), self.path('e'))
        self.assertIn(f"cannot open '{self.kernel}', the recording's kernel", self.refused(1))
        self.good('rrpath=%s=e' % self.path('a'), 'rrpath=%s=c' % self.path('a', 'b'))
        self.assertIn("cannot open '%s'" % self.path('e', 'b', 'd,isk.img'),
                      self.refused(1, 'rrpath=%s=c' % self.path('a', 'b'), 'rrpath=%s=e' % self.path('a')))

    def test_none_of_its(self):
        """Half a name is none, and a name that does nothing is a mistake."""
        self.record()
        for old in (self.path('a', 'b', 'd'), '/nowhere'):
            err = self.refused(1, f'rrpath={old}=c')
            self.assertIn(f'-icount rrpath={old}=c', err)
            self.assertIn(self.kernel, err)

    def change(self, offset):
        with open(self.disk, 'r+b') as f:
            f.seek(offset)
            f.write(b'x')

    def test_changed(self):
        """What sampled covers, and what full covers more."""
        between = (8 << 20) + 5000
        self.record()
        self.change(between)
        self.good()
        for offset in (100, SIZE - 100, 8 << 20):
            self.record()
            self.change(offset)
            err = self.refused(2)
            self.assertIn("'drive.drive0' differs", err)
            self.assertIn('rrpath=', err)
            self.change(offset)
        self.record(',rrimage=full')
        self.good()
        with open(self.disk, 'r+b') as f:
            f.seek(between)
            f.write(b'y')
        self.assertIn("'drive.drive0' differs", self.refused(2))


if __name__ == '__main__':
    test_qmp.REARM = os.path.abspath(sys.argv.pop(1))
    unittest.main()
