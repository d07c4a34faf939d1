#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Going backwards with gdb-multiarch in recordings of reverse.c, as a user does it.

usage: test_reverse.py REARM
"""
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import gdbcase
from gdbcase import TIMEOUT

HERE = os.path.dirname(os.path.abspath(__file__))
COMPILER = 'aarch64-linux-gnu-gcc'
FLAGS = ['-g', '-O1', '-ffreestanding', '-fno-pic', '-no-pie', '-mgeneral-regs-only', '-nostdlib',
         '-static', '-Wl,--build-id=none', '-Wl,-Ttext=0x40200000']
NO_MORE = 'No more reverse-execution history'

WHERE = 'printf "pc=%lx\\n", $pc'
# The line within its function.
LINE = ('python f = gdb.selected_frame(); print("at=%s:%d" % (f.name(), f.find_sal().line - '
        'gdb.lookup_global_symbol(f.name()).line))')
THREAD = 'printf "thread=%d\\n", $_thread'
POSITION = 'monitor info replay'
STOP = [THREAD, WHERE, POSITION]


def lines(out):
    return re.findall(r'^at=(.*)$', out, re.M)


def pcs(out):
    return re.findall(r'^pc=(.*)$', out, re.M)


def positions(out):
    return [int(n) for n in re.findall(r'^(?:\(gdb\) )?position: (\d+)$', out, re.M)]


def stops(out):
    """(thread, pc, position) of each STOP."""
    return list(zip(re.findall(r'^thread=(\d+)$', out, re.M), pcs(out), positions(out)))


def values(out):
    return [int(n) for n in re.findall(r'^(?:Old value|New value|Value) = (\d+)', out, re.M)]


@unittest.skipUnless(shutil.which(COMPILER), f'no {COMPILER}')
class ReverseTest(gdbcase.GdbCase):
    @classmethod
    def setUpClass(cls):
        cls.shared = tempfile.TemporaryDirectory()
        cls.addClassCleanup(cls.shared.cleanup)
        cls.kernel = cls.symbols = os.path.join(cls.shared.name, 'reverse.elf')
        subprocess.run([COMPILER, *FLAGS, '-o', cls.kernel, os.path.join(HERE, 'reverse.c')],
                       check=True)
        cls.digests = {}

    def record(self, cpus):
        """Until CPU 0, which has its second turn last, has done 20 rounds; made once."""
        log = os.path.join(self.shared.name, f'{cpus}.rr')
        if cpus not in self.digests:
            process = self.start('-S', '-smp', str(cpus), '-icount',
                                 f'shift=0,rr=record,rrfile={log}')
            self.gdb('watch rounds[0] if rounds[0] == 20', 'continue', 'kill')
            _, stderr = process.communicate(timeout=TIMEOUT)
            self.digests[cpus] = re.search(rb'digest ([0-9a-f]+)', stderr).group(1)
        return log

    def replay(self, *commands, cpus=1, options=()):
        """gdb's output; the replay is left in the past, or ends equal when gdb detaches."""
        process = self.start('-S', '-icount', f'rr=replay,rrfile={self.record(cpus)}', *options)
        out = self.gdb(*commands)
        _, stderr = process.communicate(timeout=TIMEOUT)
        self.assertEqual(process.returncode, 0, stderr)
        if commands[-1] != 'kill':
            self.assertIn(b'digest ' + self.digests[cpus] + b' (equal)', stderr, out)
        return out

    def test_instructions(self):
        """Ten forth, ten back, through calls and returns."""
        forth = ['stepi', WHERE] * 40
        back = ['reverse-stepi', WHERE] * 40
        out = self.replay('break inner', 'continue', 'delete', WHERE, POSITION, *forth, *back,
                          POSITION, 'detach')
        seen = pcs(out)
        self.assertEqual(len(seen), 81)
        self.assertEqual(seen[40:], seen[40::-1])
        self.assertEqual(positions(out)[0], positions(out)[1])

    def test_source_lines(self):
        """reverse-step goes into functions, reverse-next over them, reverse-finish to the call."""
        out = self.replay(
            'break store if n == 3', 'continue', LINE,              # in store()
            'reverse-finish', LINE,                                 # the call
            'reverse-next', LINE, 'reverse-next', LINE, 'reverse-next', LINE,   # over outer()
            'continue', *(['reverse-step'] * 4), LINE,              # into outer()
            'reverse-next', LINE, 'reverse-next', LINE,             # over inner(), twice
            'reverse-step', LINE, 'detach')
        seen = lines(out)
        self.assertEqual(seen[0], 'store:2')
        self.assertEqual(seen[1], 'start:9')
        self.assertEqual(seen[2:5], ['start:9', 'start:8', 'start:6'])
        self.assertEqual(seen[5][:6], 'outer:')
        self.assertEqual(seen[6:8], ['outer:3', 'outer:2'])
        self.assertEqual(seen[8], 'start:6')

    def check_breakpoints(self, *commands):
        """What stopped it forwards stops it backwards, each once, in the other order."""
        out = self.replay(*commands, *(['continue', *STOP] * 6), *(['reverse-continue', *STOP] * 6),
                          *(['continue', *STOP] * 6), 'detach')
        seen = stops(out)
        self.assertEqual(len(seen), 18)
        self.assertEqual(len(set(seen[:6])), 6)
        self.assertEqual(seen[6:11], seen[4::-1])
        self.assertEqual(seen[11][2], 0)
        self.assertEqual(seen[12:], seen[:6])
        self.assertEqual(out.count(NO_MORE), 1)

    def test_breakpoints(self):
        self.check_breakpoints('break inner')

    def test_hardware_breakpoints(self):
        self.check_breakpoints('hbreak outer')

    def test_conditional_breakpoints(self):
        self.check_breakpoints('break inner if n == 3')

    def test_always_inserted(self):
        self.check_breakpoints('set breakpoint always-inserted on', 'break inner')

    def check_watch(self, *options):
        out = self.replay('watch total', *(['continue', WHERE] * 4),
                          *(['reverse-continue', WHERE, 'printf "m=%lu\\n", total'] * 4),
                          *(['continue', WHERE] * 4), 'delete', 'detach', options=options)
        seen, where = values(out), pcs(out)
        forth = seen[:8]
        self.assertEqual(len(seen), 24)
        self.assertEqual(seen[8:16], forth[::-1])
        self.assertEqual(seen[16:], forth)
        store, behind = int(where[4], 16), int(where[0], 16)
        self.assertEqual(behind, store + 4)
        self.assertEqual([int(n, 16) for n in where], [behind] * 4 + [store] * 4 + [behind] * 4)
        # The value that was there before the store on which it stands.
        self.assertEqual([int(n) for n in re.findall(r'^m=(\d+)', out, re.M)], forth[::2][::-1])

    def test_watch(self):
        self.check_watch()

    def test_watch_interpreter(self):
        self.check_watch('-accel', 'tcg,backend=interp')

    def test_watch_always_inserted(self):
        out = self.replay('set breakpoint always-inserted on', 'watch total', 'continue',
                          'continue', WHERE, 'reverse-continue', WHERE, 'reverse-continue', WHERE,
                          'detach')
        behind, *stores = [int(n, 16) for n in pcs(out)]
        self.assertEqual(stores, [behind - 4] * 2)

    def test_read_and_access(self):
        """Loads and stores of one round: the same, in the other order."""
        acts = ['rwatch limit', 'awatch table[3]', 'watch rounds[0]']
        out = self.replay('break store if n == 2', 'continue', 'delete', *acts,
                          *(['continue', WHERE] * 5), *(['reverse-continue', WHERE] * 5),
                          'delete', 'detach')
        forth, back = [int(n, 16) for n in pcs(out)[:5]], [int(n, 16) for n in pcs(out)[5:]]
        self.assertEqual(len(set(forth)), 3)
        self.assertEqual(back, [n - 4 for n in forth[::-1]])
        for kind in ('Hardware read watchpoint', 'Hardware access (read/write) watchpoint',
                     'Hardware watchpoint'):
            self.assertGreaterEqual(out.count('\n' + kind), 2, out)

    def test_second_access(self):
        """An instruction whose second access is watched is left behind it forwards, and before it
        backwards: by a search, and by a step."""
        out = self.replay('watch wide[2]', *(['continue', WHERE] * 3),
                          *(['reverse-continue', WHERE, 'printf "m=%lu\\n", wide[2]'] * 2),
                          'printf "pc=%lx\\n", &pair', 'delete', 'stepi', 'watch wide[2]',
                          'reverse-stepi', WHERE, 'delete', 'detach')
        forth, back, (pair, stepped) = pcs(out)[:3], pcs(out)[3:5], pcs(out)[5:]
        self.assertEqual(back, [pair] * 2)
        self.assertEqual(stepped, pair)
        self.assertEqual(len(set(forth)), 1)
        self.assertEqual(values(out), [0, 1, 1, 2, 2, 3, 3, 2, 2, 1, 2, 1])
        self.assertEqual(re.findall(r'^m=(\d+)', out, re.M), ['2', '1'])

    def test_step_over_watched(self):
        """A step back over a watched store shows the values, as one forwards does."""
        out = self.replay('watch total', 'continue', 'continue', 'reverse-stepi', WHERE, 'stepi',
                          WHERE, 'reverse-next', WHERE, 'reverse-stepi', WHERE, 'detach')
        before, after = values(out)[2:4]
        self.assertEqual(values(out)[4:], [after, before, before, after, after, before])
        store = int(pcs(out)[0], 16)
        self.assertEqual([int(n, 16) for n in pcs(out)], [store, store + 4, store, store - 4])

    def test_break_and_watch(self):
        """A breakpoint on the watched store: both are told at once, and neither twice."""
        out = self.replay('watch total', 'continue', 'reverse-continue', 'python pc = '
                          'int(gdb.parse_and_eval("$pc"))', 'python gdb.execute("break *%d" % pc)',
                          *(['continue'] * 7), POSITION,
                          *(['reverse-continue', WHERE, POSITION] * 3), 'delete', 'detach')
        self.assertEqual(len(set(pcs(out))), 1)
        self.assertEqual(positions(out), sorted(set(positions(out)), reverse=True), out)

    def test_ends(self):
        """At the beginning and at the end there is no more history; and it goes on from there."""
        out = self.replay('reverse-stepi', POSITION, 'reverse-continue', POSITION, 'continue',
                          POSITION, 'continue', POSITION, 'reverse-stepi', POSITION, 'stepi',
                          POSITION, 'reverse-continue', POSITION, 'stepi', POSITION, 'detach')
        end = positions(out)[2]
        self.assertEqual(positions(out), [0, 0, end, end, end - 1, end, 0, 1])
        self.assertGreater(end, 1000)
        self.assertEqual(out.count(NO_MORE), 5, out)

    def test_position_breaks(self):
        """monitor passes HMP: breaks at positions, seeks, and what gdb reads is the state there."""
        flush = 'maintenance flush register-cache'
        out = self.replay('break inner', 'continue', 'delete', 'monitor replay_break 1000',
                          'continue', WHERE, POSITION, 'monitor replay_seek 1500', flush, WHERE,
                          'reverse-continue', WHERE, POSITION, 'monitor replay_seek 1500', flush,
                          WHERE, 'monitor replay_seek 1000', flush, WHERE, 'reverse-stepi',
                          'monitor info status', 'reverse-continue', 'monitor replay_delete_break',
                          'detach')
        self.assertEqual(positions(out), [1000, 1000])
        at_break, after, again, after_again, sought = pcs(out)
        self.assertEqual((again, sought), (at_break, at_break))
        self.assertEqual(after, after_again)
        self.assertIn('VM status: paused', out)
        self.assertEqual(out.count(NO_MORE), 1)

    def test_refused_writes(self):
        """Nothing changes, and the way out is named."""
        out = self.replay('break store', 'continue', 'reverse-stepi', 'set $x0 = 77',
                          'set var total = 77', 'printf "x0=%lu\\n", $x0',
                          'printf "m=%lu\\n", total', 'monitor system_reset',
                          'monitor system_powerdown', 'delete', 'detach')
        self.assertIn('cannot be changed: make it live first (replay_golive)', out)
        self.assertEqual(out.count("no effect in a replay, where only what was recorded happens: "
                                   "'replay_golive [FILE]'"), 2)
        self.assertNotEqual(self.value(out, 'x0'), '77')
        self.assertNotEqual(self.value(out, 'm'), '77')

    def check_threads(self, cpus):
        """Every CPU's start, both ways; and steps of one CPU while others have the turn."""
        out = self.replay('break start', *(['continue', *STOP] * cpus),
                          *(['reverse-continue', *STOP] * (cpus - 1)),
                          *(['continue', *STOP] * (cpus - 1)), 'delete', 'thread 1', 'stepi', *STOP,
                          'reverse-stepi', *STOP, 'stepi', *STOP, 'detach', cpus=cpus)
        seen = stops(out)
        self.assertEqual([int(s[0]) for s in seen[:cpus]], list(range(1, cpus + 1)))
        self.assertEqual(seen[cpus:2 * cpus - 1], seen[cpus - 2::-1])
        self.assertEqual(seen[2 * cpus - 1:3 * cpus - 2], seen[1:cpus])
        forth, back, again = seen[3 * cpus - 2:]
        self.assertEqual(forth, again)
        self.assertEqual((back[0], back[2]), ('1', forth[2] - 1))

    def test_threads(self):
        self.check_threads(2)
        self.check_threads(4)

    def test_watch_threads(self):
        """All CPUs store to one variable, and the turn changes between."""
        out = self.replay('break start if cpu == 3', 'continue', 'delete', 'watch total',
                          *(['continue', *STOP] * 3), *(['reverse-continue', *STOP] * 9),
                          'delete', 'detach', cpus=4)
        seen, shown = stops(out), values(out)
        self.assertEqual({s[0] for s in seen[:3]}, {'4'})
        self.assertEqual(shown[6:12], shown[5::-1])
        self.assertEqual({s[0] for s in seen[6:]}, {'3'})
        self.assertEqual(len(set(seen[3:])), 9)
        for new, old in zip(shown[6::2], shown[7::2]):
            self.assertGreater(new, old)

    @staticmethod
    def type(gdb, *commands):
        gdb.stdin.write(''.join(c + '\n' for c in commands).encode())
        gdb.stdin.flush()

    def test_interrupt(self):
        """Ctrl-C while gdb goes back from one false condition to the next."""
        process = self.start('-S', '-icount', f'rr=replay,rrfile={self.record(4)}')
        gdb = subprocess.Popen(['gdb-multiarch', '-nx', '-q', self.symbols],
                               stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                               stderr=subprocess.STDOUT)
        self.addCleanup(self.reap, gdb)
        self.type(gdb, *self.gdb_script(), 'continue', 'break inner if n == 12345',
                  'set debug remote 1', 'reverse-continue')
        seen = b''
        while seen.count(b'$bc#') < 3:
            data = os.read(gdb.stdout.fileno(), 4096)
            self.assertTrue(data, seen)
            seen += data
        gdb.send_signal(signal.SIGINT)
        self.type(gdb, 'set debug remote 0', 'delete', POSITION, 'reverse-stepi', POSITION, 'detach',
                  'quit')
        out = gdb.communicate(timeout=TIMEOUT)[0].decode()
        # It stops with SIGINT, or at the breakpoint, when gdb could not evaluate its condition.
        self.assertEqual(len(positions(out)), 2, out[-2000:])
        stopped, back = positions(out)
        self.assertGreater(stopped, 0)
        self.assertLess(back, stopped)
        process.communicate(timeout=TIMEOUT)
        self.assertEqual(process.returncode, 0)

    def test_live_session(self):
        """Recorded in memory: back, forth, live again; it ends as a recording does."""
        process = self.start('-S', '-rewind', '-icount', 'shift=0')
        out = self.gdb('break store if n == 5', 'continue', POSITION, 'watch total',
                       'reverse-continue', 'set $x0 = 1', 'reverse-continue', POSITION, 'delete',
                       'break store if n == 6', 'continue', POSITION, 'set $x0 = 6', 'delete',
                       'detach')
        first, past, last = positions(out)
        self.assertLess(past, first)
        self.assertLess(first, last)
        self.assertEqual(out.count('cannot be changed'), 1)      # not when it is live again
        process.terminate()
        _, stderr = process.communicate(timeout=TIMEOUT)
        self.assertIn(b'in memory', stderr)
        self.assertEqual(process.returncode, 0)

    def test_nothing_to_travel_in(self):
        self.start('-S')
        self.assertIn('does not support this command', self.gdb('reverse-stepi', 'kill'))


if __name__ == '__main__':
    gdbcase.main()
