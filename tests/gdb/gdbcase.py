# SPDX-License-Identifier: GPL-2.0-or-later
"""What tests with gdb-multiarch share: the program with a gdb server, gdb with commands."""
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
import unittest

TIMEOUT = 30 * float(os.environ.get('REARM_SLOW', '1'))     # a slow build, a busy host


class GdbCase(unittest.TestCase):
    rearm = None
    kernel = None
    symbols = None          # the program that gdb is given

    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.socket = os.path.join(self.folder.name, 'gdb.sock')

    def start(self, *args):
        process = subprocess.Popen(
            [self.rearm, '-display', 'none', '-serial', 'null', '-kernel', self.kernel,
             '-gdb', f'unix:{self.socket},server=on,wait=off', *args],
            cwd=self.folder.name, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE)
        self.addCleanup(self.reap, process)
        end = time.monotonic() + TIMEOUT
        while not os.path.exists(self.socket) and time.monotonic() < end:
            time.sleep(0.01)
        return process

    @staticmethod
    def reap(process):
        if process.poll() is None:
            process.kill()
        process.communicate()

    def gdb_script(self, connect=True):
        script = ['set confirm off', 'set pagination off', 'set architecture aarch64',
                  'set remotetimeout 10']
        if connect:
            script.append(f'target remote {self.socket}')
        return script

    def gdb(self, *commands, connect=True):
        args = ['gdb-multiarch', '-nx', '-batch']
        for command in [*self.gdb_script(connect), *commands]:
            args += ['-ex', command]
        if self.symbols:
            args.append(self.symbols)
        result = subprocess.run(args, capture_output=True, text=True, timeout=TIMEOUT,
                                stdin=subprocess.DEVNULL, check=False)
        return result.stdout + result.stderr

    def value(self, output, name):
        match = re.search(rf'^{name}=(.*)$', output, re.M)
        self.assertTrue(match, output)
        return match.group(1)


def main():
    """usage: test_NAME.py REARM; exit code 77 (skipped) without gdb-multiarch."""
    if not shutil.which('gdb-multiarch'):
        sys.exit(77)
    GdbCase.rearm = os.path.abspath(sys.argv.pop(1))
    unittest.main(module='__main__')
