#!/usr/bin/env python3
"""The second half of scripts/demo: record a session at the serial console of
Debian's arm64 kernel, replay it, compare.

    demo.py REARM CACHE

Exit code 0 when the replay is equal. The recording stays in CACHE/demo.rr.

SPDX-License-Identifier: GPL-2.0-or-later
"""
import os
import re
import select
import socket
import subprocess
import sys
import tempfile
import time

COMMANDS = (
    'uname -a',
    'mount -t proc proc /proc',
    'grep -m1 part /proc/cpuinfo; free',
    'mount -t devtmpfs dev /dev',
    'head -c 16 /dev/urandom | md5sum',
    'for i in 1 2 3; do echo "$i squared is $((i * i))"; done',
    'date; sleep 2; date',
    'poweroff -f',
)
PROMPT = re.compile(rb'[~/] # \x1b\[6n')
PATIENCE = 300    # seconds without a sign of life
REPORT = re.compile(r'(?:recorded|replayed) (\d+) instructions.*digest ([0-9a-f]{16})')


class Trouble(Exception):
    pass


def step(text):
    print('==> ' + text, flush=True)


class Console:
    """The serial port's end of a Unix socket."""

    def __init__(self, path, process):
        self.process = process
        self.seen = b''
        self.pending = ''
        self.socket = socket.socket(socket.AF_UNIX)
        deadline = time.monotonic() + 30
        while True:
            try:
                self.socket.connect(path)
                return
            except OSError:
                if process.poll() is not None or time.monotonic() > deadline:
                    raise Trouble('rearm did not start') from None
                time.sleep(0.05)

    def read(self):
        if not select.select([self.socket], [], [], PATIENCE)[0]:
            raise Trouble('the guest has been silent for %d seconds' % PATIENCE)
        try:
            data = self.socket.recv(65536)
        except ConnectionResetError:
            data = b''
        self.show(data)
        self.seen += data
        return data

    def show(self, data):
        """The console without what is meant for a terminal: the shell asks where its cursor is."""
        self.pending += data.decode('latin1').replace('\r', '')
        keep = self.pending.rfind('\x1b')
        keep = len(self.pending) if keep < 0 or len(self.pending) - keep >= 4 else keep
        text, self.pending = self.pending[:keep], self.pending[keep:]
        sys.stdout.write(text.replace('\x1b[6n', '').replace('\n', '\n    | '))
        sys.stdout.flush()

    def expect_prompt(self):
        while not PROMPT.search(self.seen):
            if not self.read():
                raise Trouble('rearm ended before the shell was there')
        self.seen = b''

    def type(self, line):
        # As a person would: a character at a time.
        for char in line + '\n':
            self.socket.sendall(char.encode())
            time.sleep(0.02)


def finish(process, what):
    """The process's report: (instructions, digest)."""
    stderr = process.communicate()[1]
    match = REPORT.search(stderr)
    if process.returncode != 0 or not match:
        raise Trouble('%s ended with exit code %d: %s'
                      % (what, process.returncode, stderr.strip() or 'nothing was said'))
    return int(match.group(1)), match.group(2)


def record(rearm, cache, log, folder):
    path = os.path.join(folder, 'serial')
    command = [rearm, '-M', 'virt', '-cpu', 'cortex-a57', '-m', '1G', '-display', 'none',
               '-kernel', os.path.join(cache, 'linux'),
               '-initrd', os.path.join(cache, 'initrd.gz'),
               '-append', 'console=ttyAMA0 rdinit=/bin/sh',
               '-icount', 'shift=1,rr=record,rrfile=' + log,
               '-serial', 'unix:%s,server=on,wait=on' % path]
    start = time.monotonic()
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                          stderr=subprocess.PIPE, text=True) as process:
        try:
            console = Console(path, process)
            sys.stdout.write('    | ')
            for line in COMMANDS:
                console.expect_prompt()
                console.type(line)
            while console.read():
                pass
            print()
            return finish(process, 'the recording'), time.monotonic() - start
        except BaseException:
            process.kill()
            raise


def replay(rearm, log):
    start = time.monotonic()
    command = [rearm, '-icount', 'rr=replay,rrfile=' + log, '-display', 'none',
               '-serial', 'null']
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                          stderr=subprocess.PIPE, text=True) as process:
        try:
            while process.poll() is None:
                if sys.stdout.isatty():
                    sys.stdout.write('\r==> replay ... %d s' % (time.monotonic() - start))
                    sys.stdout.flush()
                time.sleep(0.2)
            if sys.stdout.isatty():
                print()
            return finish(process, 'the replay'), time.monotonic() - start
        except BaseException:
            process.kill()
            raise


def table(log, first, first_seconds, second, second_seconds):
    equal = first == second
    print()
    print('%-14s %16s %16s' % ('', 'recording', 'replay'))
    print('%-14s %16d %16d' % ('instructions', first[0], second[0]))
    print('%-14s %14.1f s %14.1f s' % ('wall time', first_seconds, second_seconds))
    print('%-14s %16s %16s' % ('final digest', first[1], second[1]))
    print('%-14s %10d bytes' % ('log size', os.path.getsize(log)))
    print('%-14s %16s' % ('equal', 'yes' if equal else 'NO'))
    return equal


def main():
    rearm, cache = sys.argv[1:3]
    log = os.path.join(cache, 'demo.rr')
    try:
        step('record: boot Debian\'s kernel (cortex-a57, 1 GiB), type %d commands'
             % len(COMMANDS))
        with tempfile.TemporaryDirectory(prefix='rearm-demo-') as folder:
            first, first_seconds = record(rearm, cache, log, folder)
        step('replay: nobody types now')
        second, second_seconds = replay(rearm, log)
    except (Trouble, OSError) as trouble:
        print('\nerror: %s' % trouble, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print('\ninterrupted', file=sys.stderr)
        return 1
    equal = table(log, first, first_seconds, second, second_seconds)
    if equal:
        print('\nThe recording is in %s; to watch it again:\n    %s -nographic -icount '
              'rr=replay,rrfile=%s' % (log, rearm, log))
    return 0 if equal else 2


if __name__ == '__main__':
    sys.exit(main())
