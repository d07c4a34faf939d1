#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Everybody at once: two programs (QMP), a person's monitor, a debugger and somebody who types let the
machine run, stop, reset, travel and tell, at random, while it is recorded; then others do so in the replay.

Nobody waits for ever, nothing ends before it is told to, and the digests are equal.

usage: test_storm.py REARM

REARM_SEED (1): what they do; which of them comes first is up to the host. REARM_SECONDS (2; 60 in the slow
suite, REARM_SLOW_SUITE=1): how long each storm takes.
"""
import collections
import os
import random
import re
import socket
import sys
import threading
import time
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
sys.path.append(os.path.join(HERE, '..', 'avocado'))
import guests
import rearm
import test_qmp
from gdbremote import GdbRemote

SEED = int(os.environ.get('REARM_SEED', '1'))
SECONDS = float(os.environ.get('REARM_SECONDS', '60' if rearm.SLOW_SUITE else '2'))
LAST = 12               # steps that a report names
PROMPT = b'(rearm) '
BEHIND_ALL = 1 << 62


class Client:
    """One of them: a thread that does one thing after the other until the storm is over."""

    name = ''

    def __init__(self, storm):
        self.storm = storm
        self.random = random.Random(f'{SEED} {self.name} {storm.replaying}')
        self.done = collections.deque(maxlen=LAST)
        self.count = 0
        self.failure = None
        self.thread = threading.Thread(target=self.run, name=self.name, daemon=True)

    def actions(self):
        """What it may do, and how often compared to the others."""
        raise NotImplementedError

    def run(self):
        try:
            actions = self.actions()
            while time.monotonic() < self.storm.end and not self.storm.failed.is_set():
                action, = self.random.choices(list(actions), list(actions.values()))
                self.done.append(action.__name__)
                action()
                self.count += 1
        except Exception as e:      # told by the thread that waits for all of them
            self.failure = f'{type(e).__name__}: {e}'
            self.storm.failed.set()

    def did(self, what):
        self.done.append(what)
        return what

    def wait(self):
        time.sleep(self.random.uniform(0, 0.02))

    def position(self):
        return self.random.randrange(1 + self.storm.newest)


class Program(Client):
    """One that speaks QMP. Each reply and event is compared with the schema."""

    # What wants a descriptor or more than a moment, or ends the machine, is none of it.
    QUERIES = re.compile(r'^(x-rearm-)?query-(?!qmp-schema)')
    LINES = ('info status', 'info registers -a', 'info cpus', 'info replay', 'info irq', 'info jit',
             'info mtree -f', 'info snapshots', 'x/8xg 0x40080000', 'xp/8i 0x40080000', 'print/x $pc',
             'stop', 'cont', 'replay_console', 'help')

    def __init__(self, storm, path):
        self.name = path
        super().__init__(storm)
        self.qmp = storm.case.client(path).negotiate()
        self.queries = [n for n in self.qmp.schema.names('command') if self.QUERIES.match(n)]

    def ask(self, name, /, **arguments):
        self.did(name)
        reply = self.qmp.execute(name, **arguments)
        for event in self.qmp.events:
            if event['event'] == 'REPLAY_DIVERGED':
                raise AssertionError(event['data']['report'])
        self.qmp.events.clear()
        return reply.get('return')

    def actions(self):
        return {self.cont: 8, self.stop: 5, self.query: 6, self.line: 3, self.digest: 2, self.reset: 1,
                self.seek: 1, self.newest_place: 0 if self.storm.replaying else 4, self.set_break: 1, self.drop_breaks: 1, self.wait: 4}

    def cont(self):
        self.ask('cont')

    def stop(self):
        self.ask('stop')

    def query(self):
        self.ask(self.random.choice(self.queries))

    def line(self):
        line = self.did(self.random.choice(self.LINES))
        self.ask('human-monitor-command', command_line=line, cpu_index=self.random.randrange(2))

    def digest(self):
        """In a replay, the state at a place is always the same."""
        here = self.ask('x-rearm-query-digest')
        if here and self.storm.replaying:
            first = self.storm.visited.setdefault(here['position'], here['digest'])
            if here['digest'] != first:
                raise AssertionError(f'position {here["position"]}: {here["digest"]}, before: {first}')
        self.storm.newest = max(self.storm.newest, here['position'] if here else 0)

    def reset(self):
        self.ask('system_reset')

    def seek(self):
        if self.random.random() < 0.4:
            self.ask('replay-seek', icount=self.position())
        else:
            self.ask('x-rearm-replay-seek', place=self.random.choice(
                ('50%', '+3ms', '-3ms', '@"a"', '+@"b"', '-@"c"', '@"d"#5', '+0ns')))

    def newest_place(self):
        """Where a recording is live again."""
        self.ask('x-rearm-replay-seek', place='100%')

    def set_break(self):
        self.ask('replay-break', icount=self.position())

    def drop_breaks(self):
        self.ask('replay-delete-break')


class Person(Client):
    """One that types at a monitor, a line at a time, and waits for the prompt."""

    name = 'person'
    LINES = {'stop': 4, 'cont': 8, 'system_reset': 1, 'info status': 3, 'info registers -a': 2, 'info cpus': 1,
             'info replay': 2, 'info history': 1, 'info qtree': 1, 'x/4xw $pc': 1, 'replay_seek -2ms': 1,
             'replay_seek 30%': 1, 'replay_seek 100%': 2, 'replay_delete_break': 1, 'replay_console': 1,
             f'replay_last_write {guests.STORM_DATA}': 1, 'nonsense': 1}

    def __init__(self, storm):
        super().__init__(storm)
        self.socket = storm.case.connect('hmp')
        self.answer()

    def answer(self):
        text = b''
        while not text.endswith(PROMPT):
            more = self.socket.recv(65536)
            if not more:
                raise ConnectionError(f'the monitor was closed behind {text[-400:]}')
            text += more

    def actions(self):
        return {self.type: 8, self.wait: 2}

    def type(self):
        line, = self.random.choices(list(self.LINES), list(self.LINES.values()))
        self.did(line)
        self.socket.sendall(line.encode() + b'\r')
        self.answer()


class Debugger(Client):
    """One that speaks gdb's remote protocol."""

    name = 'gdb'
    POINTS = (f'0,{guests.STORM_LOOP:x},4', f'1,{guests.STORM_SECOND:x},4', f'2,{guests.STORM_DATA:x},8',
              f'4,{guests.STORM_DATA + 8:x},8')

    def __init__(self, storm):
        super().__init__(storm)
        self.points = []
        self.open()

    def open(self):
        self.gdb = GdbRemote(os.path.join(self.storm.case.dir, 'gdb'), test_qmp.TIMEOUT / rearm.SLOW)
        self.gdb.ask('qSupported:swbreak+')
        self.points = []

    def actions(self):
        return {self.go: 6, self.step: 4, self.back: 0.5, self.look: 4, self.write: 2, self.set_point: 2,
                self.drop_point: 3, self.monitor: 2, self.again: 1, self.wait: 3}

    def run_for(self, packet, most=0.1):
        self.did(packet)
        reply = self.gdb.run(packet, self.random.uniform(0, most))
        if not re.match('[TE]', reply):
            raise AssertionError(f'{packet}: {reply}')

    def go(self):
        self.run_for(self.random.choice(('c', 'vCont;c')))

    def step(self):
        self.gdb.ask(f'Hc{self.random.randrange(1, 3):x}')
        for _ in range(self.random.choice((1, 5))):
            self.run_for('s')

    def back(self):
        """Not everywhere: then it says that it is at the beginning, or cannot."""
        self.run_for(self.random.choice(('bs', 'bc')), 0.3)

    def look(self):
        self.gdb.registers(self.random.randrange(1, 3))
        self.gdb.ask(f'm{guests.STORM_DATA:x},10')

    def write(self):
        """Refused in a replay and in the past."""
        self.gdb.ask(f'P9={self.random.getrandbits(64):016x}')
        self.gdb.ask(f'M{guests.STORM_DATA + 16:x},1:{self.random.getrandbits(8):02x}')

    def set_point(self):
        point = self.random.choice(self.POINTS)
        if point not in self.points and self.gdb.ask('Z' + point) == 'OK':
            self.points.append(point)

    def drop_point(self):
        if self.points:
            self.gdb.ask('z' + self.points.pop())

    def monitor(self):
        self.gdb.monitor(self.did(self.random.choice(('info registers', 'info replay', 'stop', 'cont',
                                                      'system_reset', 'nonsense'))))

    def again(self):
        """It goes away, with its breakpoints set and perhaps in the middle, and another one comes."""
        if self.random.random() < 0.5:
            self.gdb.send(self.random.choice(('c', 's', 'bc', 'D', 'g')))
        self.gdb.close()
        self.open()


class Typist(Client):
    """Types at the guest's console; 'r' is a reset by the guest."""

    name = 'typist'

    def __init__(self, storm):
        super().__init__(storm)
        self.socket = storm.case.connect('serial')
        self.socket.setblocking(False)

    def actions(self):
        return {self.type: 1, self.read: 1, self.wait: 4}

    def type(self):
        try:
            self.socket.send(self.random.choice('abcdefghijklmnopqrstuvwxyz').encode())
        except BlockingIOError:
            pass                # the machine stands still

    def read(self):
        try:
            self.socket.recv(65536)
        except BlockingIOError:
            pass


class Storm:
    def __init__(self, case, newest=0):
        self.case = case
        self.replaying = bool(newest)
        self.newest = newest            # a position, for who wants to go somewhere
        self.visited = {}
        self.failed = threading.Event()
        self.programs = [Program(self, 'qmp-a'), Program(self, 'qmp-b')]
        self.clients = [*self.programs, Person(self), Debugger(self), Typist(self)]

    def rage(self, process):
        """All of them, until the time is up; then the machine is left alone."""
        self.end = time.monotonic() + SECONDS
        for client in self.clients:
            client.thread.start()
        for client in self.clients:
            client.thread.join(SECONDS + 3 * test_qmp.TIMEOUT)
        hanging = [c.name for c in self.clients if c.thread.is_alive()]
        if hanging or self.failed.is_set():
            self.case.fail(self.report(hanging, process))
        for client in self.clients:
            self.case.assertGreater(client.count, 5, client.name)
        self.clients[3].gdb.close()
        self.programs[0].drop_breaks()

    def report(self, hanging, process):
        lines = [f'REARM_SEED={SEED}; the program has ended: {process.poll()}; hanging: {hanging}']
        for client in self.clients:
            lines.append(f'{client.name}, after {client.count}: {", ".join(client.done)}: '
                         f'{client.failure}')
        return '\n'.join(lines)


class StormTest(test_qmp.Program):
    def machine(self, *options):
        return self.start('-no-shutdown', '-qmp', 'unix:qmp-a,server=on,wait=off', '-qmp',
                          'unix:qmp-b,server=on,wait=off', '-monitor', 'unix:hmp,server=on,wait=off',
                          '-gdb', 'unix:gdb,server=on,wait=off', *options,
                          stdio='unix:serial,server=on,wait=off')

    def stderr(self, process):
        """It ends by quit; what it says then."""
        _, stderr = process.communicate(timeout=test_qmp.TIMEOUT)
        text = stderr.decode(errors='replace')
        self.assertEqual(process.returncode, 0, f'REARM_SEED={SEED}: {text}')
        return text

    def wait(self, what, condition):
        end = time.monotonic() + test_qmp.TIMEOUT
        while not condition():
            self.assertLess(time.monotonic(), end, f'REARM_SEED={SEED}: not {what}')
            time.sleep(0.01)

    def record(self, *options):
        kernel = guests.write(os.path.join(self.dir, 'storm.elf'), guests.STORM)
        process = self.machine('-kernel', kernel, '-smp', '2', *options)
        storm = Storm(self)
        storm.rage(process)
        client = storm.programs[0]
        client.cont()
        self.wait('live', lambda: 'end' not in client.ask('x-rearm-query-replay'))
        client.stop()
        client.digest()
        client.ask('quit')
        return rearm.Recording(self.stderr(process)), storm.newest

    def replay(self, recording, newest, *options):
        process = self.machine('-icount', 'rr=replay,rrfile=log', *options)
        storm = Storm(self, newest)
        storm.rage(process)
        client = storm.programs[0]
        client.ask('stop')
        client.ask('replay-seek', icount=BEHIND_ALL)
        self.wait('at the end', lambda: not client.ask('query-status')['running'])
        here = client.ask('x-rearm-query-digest')
        self.assertEqual(here['digest'], recording.digest, f'REARM_SEED={SEED}')
        client.ask('quit')
        self.assertIn(f'replayed {recording.icount} instructions, digest {recording.digest} (equal)',
                      self.stderr(process))

    def test_checked(self):
        """With the digests compared all along."""
        made = self.record('-icount', 'shift=1,rr=record,rrfile=log,rrcheck=digest,rrcheckperiod=1000000')
        self.replay(*made)

    def test_past(self):
        """A recording that one goes back in while it is made, with keyframes; the replay has little memory."""
        made = self.record('-icount', 'shift=auto,rr=record,rrfile=log,rrmem=64M,rrkeyframe=0.5')
        self.replay(*made, '-accel', 'tcg,unit-insns=7')


if __name__ == '__main__':
    test_qmp.REARM = os.path.abspath(sys.argv.pop(1))
    unittest.main(verbosity=2)
