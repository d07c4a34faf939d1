"""Drive a rearm process in tests: start it, talk to its serial port, read how
it ended. Standard library only.

SPDX-License-Identifier: GPL-2.0-or-later
"""
import os
import re
import select
import shutil
import subprocess
import sys
import tempfile
import time
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(os.path.dirname(HERE))
sys.path.append(os.path.join(TOP, 'tests', 'system'))
from qmp import connect    # noqa: E402, F401

REARM = os.environ.get('REARM', os.path.join(TOP, 'build', 'system', 'rearm'))
CACHE = os.environ.get('REARM_CACHE', os.path.join(TOP, 'cache'))
KERNEL = os.path.join(CACHE, 'linux')
INITRD = os.path.join(CACHE, 'initrd.gz')
SMALL_INITRD = os.path.join(CACHE, 'initrd-small')
# How much slower than a quiet machine with an optimised build a run may be.
SLOW = float(os.environ.get('REARM_SLOW', '1'))
# Whether slow tests run, and others take their time.
SLOW_SUITE = os.environ.get('REARM_SLOW_SUITE') == '1'

APPEND = 'console=ttyAMA0 rdinit=/bin/sh'
PROMPT = rb'[~/] # '
RECORDED = re.compile(r'rearm: recorded (\d+) instructions to (.*) \((\d+) bytes\), '
                      r'digest ([0-9a-f]{16}), cause (\S+)')
REPLAYED = re.compile(r'rearm: replayed (\d+) instructions, digest ([0-9a-f]{16}) \(equal\)')


def machine(cpu='cortex-a57', ram='1G', initrd=SMALL_INITRD, kernel=KERNEL, append=APPEND):
    """The options of a machine that boots Debian's kernel to a shell."""
    return ['-M', 'virt', '-cpu', cpu, '-m', ram, '-kernel', kernel, '-initrd', initrd,
            '-append', append]


class Ended(Exception):
    """The process ended while something was expected of it."""


class Vm:
    """One rearm process with its serial port on our pipes."""

    def __init__(self, *options, serial='stdio', stdin=subprocess.PIPE, env=None):
        self.command = [REARM, *options, '-display', 'none', '-monitor', 'none']
        if serial:
            self.command += ['-serial', serial]
        self.output = b''
        self.errors = tempfile.TemporaryFile()
        self.seen = 0
        self.started = time.monotonic()
        self.process = subprocess.Popen(self.command, stdin=stdin, stdout=subprocess.PIPE,
                                        stderr=self.errors, env=env)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self.process.stdout.close()
        if self.process.stdin:
            self.process.stdin.close()
        self.errors.close()

    def _read(self, deadline):
        left = deadline - time.monotonic()
        ready = left > 0 and select.select([self.process.stdout], [], [], left)[0]
        if not ready:
            raise TimeoutError('nothing for too long; the last output: %r'
                               % self.output[-400:])
        data = os.read(self.process.stdout.fileno(), 65536)
        self.output += data
        return data

    def expect(self, pattern, timeout=60):
        """Read until pattern (bytes) appears behind what was expected before."""
        deadline = time.monotonic() + timeout * SLOW
        while True:
            match = re.search(pattern, self.output[self.seen:])
            if match:
                self.seen += match.end()
                return match
            if not self._read(deadline):
                raise Ended('%r did not appear; the last output: %r; errors: %s'
                            % (pattern, self.output[-400:], self.stderr()))

    def send(self, text):
        self.process.stdin.write(text.encode())
        self.process.stdin.flush()

    def run(self, command, timeout=60):
        """Type a command at the shell's prompt; what it printed."""
        start = self.seen
        self.send(command + '\n')
        match = self.expect(PROMPT, timeout)
        text = self.output[start:self.seen - len(match.group(0))].decode('latin1')
        return text.replace('\r', '').replace('\x1b[6n', '').split('\n', 1)[-1]

    def shell(self, timeout=90):
        self.expect(PROMPT, timeout)
        self.expect(rb'\x1b\[6n')
        return self

    def wait(self, timeout=60):
        """Read to the end of the process; its exit code."""
        deadline = time.monotonic() + timeout * SLOW
        while self._read(deadline):
            pass
        return self.process.wait(max(deadline - time.monotonic(), 1))

    def stderr(self):
        self.errors.seek(0)
        return self.errors.read().decode('utf-8', 'replace')

    def power_off(self):
        self.send('poweroff -f\n')
        return self.wait()


class Recording:
    """What rearm said of a recording when it ended."""

    def __init__(self, stderr, seconds=0):
        match = RECORDED.search(stderr)
        if not match:
            raise AssertionError('no report of a recording in %r' % stderr)
        self.icount = int(match.group(1))
        self.size = int(match.group(3))
        self.digest = match.group(4)
        self.cause = match.group(5)
        self.seconds = seconds


class TestCase(unittest.TestCase):
    """With a scratch folder that goes away."""

    def setUp(self):
        self.dir = tempfile.mkdtemp(prefix='rearm-test-')
        self.addCleanup(shutil.rmtree, self.dir, ignore_errors=True)

    def path(self, name):
        return os.path.join(self.dir, name)

    def run_rearm(self, *options, timeout=60):
        """Run to the end without input: (exit code, stdout, stderr)."""
        run = subprocess.run([REARM, *options], stdin=subprocess.DEVNULL, capture_output=True,
                             timeout=timeout * SLOW)
        return (run.returncode, run.stdout.decode('latin1'),
                run.stderr.decode('utf-8', 'replace'))

    def replay(self, log, *options, timeout=120):
        return self.run_rearm('-icount', 'rr=replay,rrfile=' + log, '-display', 'none',
                              '-serial', 'null', '-monitor', 'none', *options, timeout=timeout)

    def assert_replays(self, log, recording, *options, timeout=120):
        """The recording is reproduced: same length, same digest."""
        code, _, stderr = self.replay(log, *options, timeout=timeout)
        match = REPLAYED.search(stderr)
        self.assertTrue(match, 'no equal replay: %s' % stderr)
        self.assertEqual(int(match.group(1)), recording.icount)
        self.assertEqual(match.group(2), recording.digest)
        self.assertEqual(code, 0)

    def record(self, log, drive, *options, icount='shift=1,sleep=off', rrcheck=''):
        """Record drive(vm); the Recording."""
        with Vm('-icount', '%s,rr=record,rrfile=%s%s' % (icount, log, rrcheck), *options) as vm:
            drive(vm)
            code = vm.wait()
            stderr = vm.stderr()
            self.assertEqual(code, 0, stderr)
            return Recording(stderr, time.monotonic() - vm.started)


def need_guest():
    """Decorator: skip when Debian's kernel was not fetched."""
    there = all(os.path.exists(f) for f in (KERNEL, INITRD, SMALL_INITRD))
    return unittest.skipUnless(there, 'no guest: run scripts/fetch-guest')


def slow():
    """Decorator: only in the slow suite."""
    return unittest.skipUnless(SLOW_SUITE, 'slow suite only')
