"""The worked examples of docs/, made again: what the text promises is found.

SPDX-License-Identifier: GPL-2.0-or-later
"""
import os
import re
import shutil
import subprocess
import unittest

import rearm
from rearm import TestCase, need_guest, slow

TOOLS = ('gdb-multiarch', 'aarch64-linux-gnu-gcc', 'make', 'apt-get')
MISSING = [tool for tool in TOOLS if not shutil.which(tool)]


@slow()
@need_guest()
@unittest.skipIf(MISSING, 'no %s' % ', '.join(MISSING))
class Oops(TestCase):
    """docs/time-travel-example.md: the module is built, crashes, and gdb goes back to the store."""

    def test_oops(self):
        script = os.path.join(rearm.TOP, 'docs', 'examples', 'oops', 'run')
        run = subprocess.run([script, self.dir], stdin=subprocess.DEVNULL, capture_output=True,
                             encoding='utf-8', timeout=1200 * rearm.SLOW, check=False,
                             env={**os.environ, 'REARM': rearm.REARM, 'REARM_CACHE': rearm.CACHE})
        text = run.stdout
        self.assertEqual(run.returncode, 0, text[-3000:] + run.stderr)
        self.assertIn('Unable to handle kernel paging request', text)
        at_oops, at_store = re.findall(r'^\(gdb\) backtrace\n(.*?)^\(gdb\)', text, re.M | re.S)
        # It shows where the pointer is used, and is caused where a name is written.
        self.assertRegex(at_oops, r'in __wake_up \(\)\n.* in take_reading \(')
        self.assertNotIn('set_name', at_oops)
        self.assertRegex(at_store, r'(?s)^#0 .* in set_name .* in meters_write .* in vfs_write \(')
        # Both ways to it lead to one instruction, which writes behind the name.
        pc = re.search(r'^position \d+: CPU 0 at pc 0x(\w+),', text, re.M).group(1)
        self.assertIn('#0  0x%s in set_name' % pc, at_store)
        number = re.search(r'^\(gdb\) print out - m->name\n\$\d+ = (\d+)$', text, re.M)
        self.assertGreater(int(number.group(1)), 16)
        # With the pointer mended the kernel lives on: each meter was read twice more.
        live = text.split('monitor replay_golive', 1)[1]
        self.assertNotIn('in die ()', live)
        self.assertEqual(re.findall(r'readings = (\d+)', live), ['3', '2', '116', '2'])
