#!/usr/bin/env python3
"""Boot a machine again and again, recorded, until a boot fails its check; keep that recording.

    docs/examples/find-the-flaky-boot.py --expect 'Run /bin/sh' --within 20 -- \\
        -M virt -cpu cortex-a57 -m 1G -kernel cache/linux -initrd cache/initrd.gz \\
        -append "console=ttyAMA0 rdinit=/bin/sh"

A boot passes when a regular expression (--expect) appears on the console within so many seconds
of the guest's own time (--within). With --prompt and --type, a line is typed when the prompt has
come, after a random pause, and --expect must come behind it, within as many seconds:

    ... --prompt '~ # ' --type 'dmesg | grep -c WARNING' --expect '\\n0\\n' --within 30 -- ...

Each boot has other randomness from the host: the numbers in its device tree, the time of day, the
length of pauses. "{seed}" in a machine's option or in the typed line stands for the boot's
number, for a guest that is told what to vary (-append "console=ttyAMA0 test.seed={seed}").

A boot that passes leaves nothing. The first one that fails is left in --recording, and what to type
to see it again and to debug it is printed. Exit code: 0, one was found; 1, all passed; 2, an error.

REARM is the program (default: build/system/rearm).

SPDX-License-Identifier: GPL-2.0-or-later
"""
import argparse
import os
import random
import re
import select
import shlex
import subprocess
import sys
import tempfile

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(TOP, 'tests', 'system'))
import qmp    # noqa: E402

REARM = os.environ.get('REARM', os.path.join(TOP, 'build', 'system', 'rearm'))
PATIENCE = 60 * float(os.environ.get('REARM_SLOW', '1'))    # seconds for an answer by QMP
LOOK = 0.05             # seconds between two looks at the guest's clock
PAUSE = 0.1             # seconds of the guest's, at most, before a line is typed
LAST_LINES = 8
NEVER = r'(?!)'         # a pattern that never matches


class Error(Exception):
    """What is no fault of the guest's."""


class Boot:
    """One recorded run of the machine, with its console on our pipes."""

    def __init__(self, folder, recording, icount, machine):
        path = os.path.join(folder, 'qmp')
        self.output = ''
        self.errors = tempfile.TemporaryFile()
        self.process = subprocess.Popen(
            [REARM, *machine, '-display', 'none', '-monitor', 'none', '-serial', 'stdio', '-qmp',
             f'unix:{path},server=on', '-icount', f'{icount},rr=record,rrfile={recording}'],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.errors)
        self.socket = self.connect(path)
        self.qmp = qmp.Client(self.socket.sendall, lambda: self.socket.recv(65536), PATIENCE)
        self.qmp.negotiate()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
        self.process.communicate()
        self.errors.close()

    def connect(self, path):
        """The machine does not start before somebody has connected."""
        try:
            return qmp.connect(path, PATIENCE, lambda: self.process.poll() is None)
        except OSError:
            raise Error(self.stderr() or 'rearm does not answer') from None

    def stderr(self):
        self.errors.seek(0)
        return self.errors.read().decode(errors='replace').strip()

    def read(self, seconds):
        """What is put out within this time; False: there is nothing to come."""
        if select.select([self.process.stdout], [], [], seconds)[0]:
            data = os.read(self.process.stdout.fileno(), 65536)
            self.output += data.decode(errors='replace').replace('\r', '')
            return bool(data)
        return True

    def seconds(self):
        """Of the guest's own time, since power-on; None when it has ended."""
        try:
            self.qmp.events.clear()
            return self.qmp.command('x-rearm-query-replay')['time'] / 1e9
        except (AssertionError, OSError):
            return None

    def wait(self, pattern, start, until):
        """Where the pattern ends behind start on the console, or None: it has not come by then."""
        while True:
            now = self.seconds()
            # What was put out up to that moment is read before it is judged.
            going = self.read(LOOK)
            while going and select.select([self.process.stdout], [], [], 0)[0]:
                going = self.read(0)
            match = re.search(pattern, self.output[start:], re.M)
            if match:
                return start + match.end()
            if not going or now is None or now > until:
                return None

    def type(self, line):
        try:
            self.process.stdin.write(line.encode() + b'\n')
            self.process.stdin.flush()
        except BrokenPipeError:
            pass            # it has ended; the answer does not come

    def end(self):
        """The recording is complete then. A guest that powered off has ended by itself."""
        try:
            self.qmp.execute('quit')
        except (AssertionError, OSError):
            pass
        while self.read(PATIENCE):
            pass
        if self.process.wait(PATIENCE) != 0:
            raise Error(self.stderr())


def fails(boot, args, seed):
    """What is wrong with this boot, or None."""
    start, until = 0, args.within
    if args.type is not None:
        start = boot.wait(args.prompt, 0, until)
        if start is None:
            return f'no prompt /{args.prompt}/ within {args.within:g} s'
        typed = (boot.seconds() or 0) + random.Random(seed).uniform(0, PAUSE)
        boot.wait(NEVER, start, typed)
        start, until = len(boot.output), typed + args.within
        boot.type(args.type.replace('{seed}', str(seed)))
    if boot.wait(args.expect, start, until) is None:
        return f'no /{args.expect}/ within {args.within:g} s'
    return None


def parse():
    parser = argparse.ArgumentParser(
        usage='%(prog)s --expect REGEX [--prompt REGEX --type LINE] [...] -- OPTION...',
        description=__doc__.split('\n', maxsplit=1)[0])
    parser.add_argument('--expect', required=True, help='what must appear on the console')
    parser.add_argument('--within', type=float, default=30, help="seconds of the guest's time (30)")
    parser.add_argument('--prompt', help='when this has appeared, type the line')
    parser.add_argument('--type', help='the line; --expect is what must come behind it')
    parser.add_argument('--boots', type=int, default=1000, help='how many at most (1000)')
    parser.add_argument('--seed', type=int, default=1, help="the first boot's number (1)")
    parser.add_argument('--icount', default='shift=auto', help='how time passes (shift=auto)')
    parser.add_argument('--recording', default='flaky.rr', help='the file that is left (flaky.rr)')
    parser.add_argument('machine', nargs='+', help="the machine's options, behind --")
    args = parser.parse_args()
    if (args.prompt is None) != (args.type is None):
        parser.error('--prompt and --type belong together')
    for name in 'expect', 'prompt':
        try:
            re.compile(getattr(args, name) or '')
        except re.error as e:
            parser.error(f'--{name}: {e}')
    if os.path.exists(args.recording):
        parser.error(f"'{args.recording}' is there already: move it away, or name another --recording")
    if ',' in args.recording:
        parser.error(f"'{args.recording}': a comma in an option of rearm's separates, take another name")
    return args


def tell(boot, args, number, seed, what):
    """What was found, and what to do with it."""
    rearm, file = shlex.quote(REARM), shlex.quote(args.recording)
    print(f'boot {number}, seed {seed}: {what}. The console ends with')
    for line in boot.output.rstrip().split('\n')[-LAST_LINES:]:
        print('    ' + line)
    print(f'''
It is recorded in {args.recording}. See it again:

    {rearm} -nographic -icount rr=replay,rrfile={file}

Debug it (VMLINUX is the guest's program, if it has symbols):

    {rearm} -display none -icount rr=replay,rrfile={file} -S -s &
    gdb-multiarch VMLINUX -ex 'target remote :1234' -ex 'monitor replay_seek 100%' \\
        -ex 'maintenance flush register-cache'

gdb stands at the end then; reverse-stepi, reverse-continue and watchpoints lead back from there
(docs/gdb.md), and so does monitor replay_seek @"TEXT", to when that was printed (docs/time-travel.md).''')


def find(args, folder):
    for number in range(1, args.boots + 1):
        seed = args.seed + number - 1
        machine = [word.replace('{seed}', str(seed)) for word in args.machine]
        found = False
        try:
            with Boot(folder, args.recording, args.icount, machine) as boot:
                what = fails(boot, args, seed)
                boot.end()
                found = what is not None
                if found:
                    tell(boot, args, number, seed, what)
                    return 0
        finally:
            if not found and os.path.exists(args.recording):
                os.remove(args.recording)
        print(f'boot {number}, seed {seed}: passed', flush=True)
    print(f'all {args.boots} boots passed')
    return 1


def main():
    args = parse()
    with tempfile.TemporaryDirectory() as folder:
        try:
            return find(args, folder)
        except Error as e:
            print(e, file=sys.stderr)
        except KeyboardInterrupt:
            print('interrupted; no boot has failed', file=sys.stderr)
        return 2


if __name__ == '__main__':
    sys.exit(main())
