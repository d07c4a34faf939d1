"""Random journeys in a recording: what a person does with gdb and a monitor, and what must hold.

1. At each place that was visited the state's digest is the one that a straight run has there.
2. Backwards or forwards, execution stops at the breakpoint or watchpoint that comes next, at none before.
3. The end is the recording's.

SPDX-License-Identifier: GPL-2.0-or-later
"""
import os
import random
import time

import rearm
from gdbremote import GdbRemote
from rearm import Vm
from qmp import Client    # rearm has put the way to it into sys.path

# Shapes of execution in which journeys are made; the first ones are fast.
SHAPES = ((), ('-accel', 'tcg,unit-insns=512,tlb-ways=1'), ('-accel', 'tcg,unit-insns=7,tlb-chaos=5'),
          ('-accel', 'tcg,unit-insns=1,link=off'), ('-accel', 'tcg,backend=interp,opt=off'))
BEHIND_ALL = 1 << 62


class Machine:
    """A machine that a program asks (QMP)."""

    def __init__(self, vm, qmp):
        self.vm = vm
        timeout = 60 * rearm.SLOW
        connection = rearm.connect(qmp, timeout)
        self.qmp = Client(connection.sendall, lambda: connection.recv(1 << 16), timeout)
        self.qmp.negotiate()

    def command(self, name, /, **arguments):
        self.qmp.events.clear()
        return self.qmp.command(name, **arguments)

    def place(self):
        """Position and digest of where it stands."""
        here = self.command('x-rearm-query-digest')
        return here['position'], here['digest']

    def wait(self):
        while self.command('query-status')['running']:
            time.sleep(0.001)

    def go(self, name, /, **arguments):
        """A command that lets the machine run, and where it came to."""
        self.command(name, **arguments)
        self.wait()
        return self.place()


class Replay(Machine):
    """One that stands still in a recording."""

    def __init__(self, folder, log, *options, memory='', serial='null'):
        self.folder = folder
        qmp = os.path.join(folder, 'qmp')
        super().__init__(Vm('-icount', 'rr=replay,rrfile=%s%s' % (log, memory), '-S', '-qmp',
                            'unix:%s,server=on,wait=off' % qmp, *options, serial=serial), qmp)

    def __enter__(self):
        return self

    def __exit__(self, *args):
        self.vm.__exit__(*args)

    def end(self, case, recording, timeout=60):
        """It has come to the end, which is the recording's."""
        code = self.vm.wait(timeout)
        match = rearm.REPLAYED.search(self.vm.stderr())
        case.assertTrue(match, self.vm.stderr())
        case.assertEqual((code, int(match.group(1)), match.group(2)),
                         (0, recording.icount, recording.digest))


class Traveller(Replay):
    """Random journeys; what fails names the seed and the steps that led there."""

    def __init__(self, case, folder, log, recording, seed, *options, memory=''):
        gdb = os.path.join(folder, 'gdb')
        super().__init__(folder, log, '-gdb', 'unix:%s,server=on,wait=off' % gdb, *options,
                         memory=memory)
        self.case, self.recording, self.seed = case, recording, seed
        self.random = random.Random(seed)
        self.gdb = GdbRemote(gdb)
        self.gdb.ask('qSupported:swbreak+')
        self.cpus = len(self.command('query-cpus-fast'))
        self.can_save = 'x-rearm-savevm' in [c['name'] for c in self.command('query-commands')]
        self.points, self.breaks, self.visited, self.done, self.saved = [], [], {}, [], {}
        self.total, digest = self.go('replay-seek', icount=BEHIND_ALL)
        self.position = self.total
        case.assertEqual(digest, recording.digest)
        self.note()

    # ---- what must hold ----

    def why(self):
        return 'seed %d, at %d, after %s' % (self.seed, self.position, ', '.join(self.done[-12:]))

    def note(self):
        """The digest here is what it was here before; the straight run compares later."""
        self.position, digest = self.place()
        self.case.assertEqual(self.visited.setdefault(self.position, digest), digest, self.why())

    def stopped(self, reply):
        """A stop reply: the reason. A breakpoint stops at its address."""
        self.note()
        if 'swbreak' in reply:
            thread = int(reply.split('thread:')[1].split(';')[0], 16)
            pc = self.gdb.registers(thread)[32]
            self.case.assertIn('0,%x,4' % pc, self.points, self.why())
            return 'break'
        return ('watch' if 'watch:' in reply else 'begin' if 'replaylog:begin' in reply else
                'end' if 'replaylog:end' in reply else 'other')

    def check_nothing_between(self, upto):
        """On from here, nothing stops the machine before upto but what it stands on."""
        here = self.position
        added = upto < self.total and upto not in self.breaks
        if added:
            self.command('replay-break', icount=upto)
        reason = self.stopped(self.gdb.resume('c'))
        if self.position == here or (self.position == here + 1 < upto and reason == 'watch'):
            self.stopped(self.gdb.resume('c'))
        self.case.assertGreaterEqual(self.position, upto, self.why())
        if added:
            self.command('replay-delete-break', icount=upto)

    # ---- what is done ----

    def somewhere(self):
        """A position: anywhere, or near here."""
        if self.random.random() < 0.5 or self.position in (0, self.total):
            return self.random.randrange(self.total + 1)
        distance = int(10 ** self.random.uniform(0, 6))
        return min(max(self.position + self.random.choice((-distance, distance)), 0), self.total)

    def seek(self):
        goal = self.somewhere()
        self.go('replay-seek', icount=goal)
        self.note()
        self.case.assertEqual(self.position, goal, self.why())

    def choose_thread(self):
        self.gdb.ask('Hc%x' % self.random.randrange(1, self.cpus + 1))

    def step(self):
        self.choose_thread()
        for _ in range(self.random.choice((1, 1, 3))):
            start = self.position
            if self.stopped(self.gdb.resume('s')) == 'other':
                self.case.assertGreater(self.position, start, self.why())

    def step_back(self):
        self.choose_thread()
        for _ in range(self.random.choice((1, 1, 5))):
            start = self.position
            if self.stopped(self.gdb.resume('bs')) == 'begin':
                self.case.assertEqual(self.position, 0, self.why())
            else:
                self.case.assertLess(self.position, start, self.why())

    def go_back(self):
        """reverse-continue; nothing lies between where it stops and where it began."""
        self.want_point()
        start = self.position
        reason = self.stopped(self.gdb.resume('bc'))
        if reason == 'begin':
            self.case.assertEqual(self.position, 0, self.why())
        else:
            self.case.assertLess(self.position, start, self.why())
        if self.position < start:
            self.check_nothing_between(start)

    def go_on(self):
        self.want_point()
        self.stopped(self.gdb.run('c', 20))

    def interrupted(self):
        """Stopped on the way, in either direction."""
        self.stopped(self.gdb.run(self.random.choice(('c', 'bc', 'bc')),
                                  self.random.random() * 0.02))

    def set_point(self):
        """A breakpoint where execution comes by, or a watchpoint where a register points."""
        regs = self.gdb.registers(self.random.randrange(1, self.cpus + 1))
        if self.random.random() < 0.5:
            point = '0,%x,4' % self.random.choice((regs[30] & ~3, regs[32], regs[32] + 4))
        else:
            valid = [r for r in regs[:32] if 4096 < r < (1 << 64) - 4096] or [regs[32]]
            point = '%d,%x,%x' % (self.random.choice((2, 3, 4)), self.random.choice(valid),
                                  self.random.choice((1, 4, 8, 8, 100)))
        if point not in self.points and len(self.points) < 6:
            self.case.assertEqual(self.gdb.ask('Z' + point), 'OK', self.why())
            self.points.append(point)

    def want_point(self):
        """Mostly there is something to stop at."""
        if not self.points and self.random.random() < 0.8:
            self.set_point()

    def drop_point(self):
        if self.points:
            point = self.points.pop(self.random.randrange(len(self.points)))
            self.case.assertEqual(self.gdb.ask('z' + point), 'OK', self.why())

    def set_break(self):
        position = self.somewhere()
        if position not in self.breaks and len(self.breaks) < 6:
            self.command('replay-break', icount=position)
            self.breaks.append(position)

    def drop_break(self):
        if self.breaks:
            position = self.breaks.pop(self.random.randrange(len(self.breaks)))
            self.command('replay-delete-break', icount=position)

    def save_state(self):
        name = 's%d-%d' % (self.seed, self.random.randrange(3))
        reply = self.qmp.execute('x-rearm-savevm', name=name)
        if 'error' in reply:
            self.case.assertEqual(self.position, self.total, self.why())
            self.case.assertIn('the replay has ended', reply['error']['desc'])
            return
        self.saved[name] = self.place()

    def load_state(self):
        if self.saved:
            name = self.random.choice(sorted(self.saved))
            place = self.go('x-rearm-loadvm', name=name)
            self.case.assertEqual(place, self.saved[name], self.why())
            self.note()

    def travel(self, count):
        """So many operations at random."""
        actions = {self.seek: 5, self.step: 3, self.step_back: 4, self.go_back: 2, self.go_on: 1,
                   self.interrupted: 1, self.set_point: 3, self.drop_point: 2, self.set_break: 1,
                   self.drop_break: 1, self.seek_place: 2}
        if self.can_save:
            actions.update({self.save_state: 1, self.load_state: 2})
        for action in self.random.choices(list(actions), list(actions.values()), k=count):
            self.done.append(action.__name__)
            action()

    def seek_place(self):
        """A part of the recording, or a time from here: back by it is where one was."""
        if self.random.random() < 0.3:
            part = self.random.uniform(0, 100)
            self.go('x-rearm-replay-seek', place='%.4f%%' % part)
            self.note()
            self.case.assertAlmostEqual(self.position, self.total * part / 100,
                                        delta=1 + self.total / 10 ** 6)
            return
        ns = int(10 ** self.random.uniform(0, 9))
        start, then = self.position, self.command('x-rearm-query-replay')['time']
        self.go('x-rearm-replay-seek', place='%s%dns' % (self.random.choice('+-'), ns))
        self.note()
        now = self.command('x-rearm-query-replay')['time']
        if now != then:
            self.go('x-rearm-replay-seek', place='%+dns' % (then - now))
            self.note()
            self.case.assertEqual(self.position, start, self.why())

    # ---- the end ----

    def finish(self):
        """To the end without a debugger: it is the recording's. Then compare with a straight run."""
        self.command('replay-delete-break')
        while self.points:
            self.drop_point()
        if self.position == self.total:
            self.go('replay-seek', icount=self.total // 2)
        self.case.assertEqual(self.gdb.ask('D'), 'OK')
        self.end(self.case, self.recording)


def compare(case, folder, log, recording, visited, message):
    """Each place that was visited, a position and its digest, is as in a straight run."""
    with Replay(folder, log) as straight:
        for position in visited:
            if position:
                straight.command('replay-break', icount=position)
        for position in sorted(visited):
            here = straight.go('cont') if position else straight.place()
            case.assertEqual(here, (position, visited[position]), message)
        straight.command('cont')
        straight.end(case, recording)


def journeys(case, log, recording, seed, count, *options, memory=''):
    """Random journeys in a new process; the traveller, for who wants to know where it was."""
    folder = os.path.join(case.dir, 'travel')
    os.makedirs(folder, exist_ok=True)
    with Traveller(case, folder, log, recording, seed, *options, memory=memory) as traveller:
        traveller.travel(count)
        traveller.finish()
    visited = {p: digest for p, digest in traveller.visited.items() if p < traveller.total}
    compare(case, folder, log, recording, visited, 'seed %d: not as in a straight run' % seed)
    return traveller
