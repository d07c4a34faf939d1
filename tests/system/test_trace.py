#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Trace events: by option and by command; no recording and no guest notices them.

usage: test_trace.py REARM
"""
import os
import re
import subprocess
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import guests
import test_qmp
import test_qmp_commands

SENT = 0x1000
LINE = re.compile(r'[a-z][a-z0-9_]+ [ -~]+')


class TraceTest(test_qmp_commands.Commands):
    def run_once(self, *args):
        """Its exit status, what it printed, and its errors."""
        run = subprocess.run([test_qmp.REARM, '-display', 'none', '-monitor', 'none', *args],
                             cwd=self.dir, stdin=subprocess.DEVNULL, capture_output=True,
                             text=True, timeout=3 * test_qmp.TIMEOUT, check=False)
        return run.returncode, run.stdout, run.stderr

    def write(self, name, text):
        with open(os.path.join(self.dir, name), 'w', encoding='utf-8') as f:
            f.write(text)

    def lines(self, name):
        with open(os.path.join(self.dir, name), encoding='ascii') as f:
            lines = f.read().splitlines()
        for line in lines:
            self.assertTrue(LINE.fullmatch(line), line)
        return lines

    def kinds(self, name):
        return {line.split()[0] for line in self.lines(name)}

    def flood(self):
        """A guest that prints SENT characters, and powers off."""
        words = list(guests.FLOOD)
        words[1] = 0xd2820005       # mov   x5, #0x1000
        return guests.write(os.path.join(self.dir, 'flood.elf'), words)

    # ---- options ----

    def test_help(self):
        code, out, _ = self.run_once('-trace', 'help')
        names = [line.split()[0] for line in out.splitlines()]
        self.assertEqual(code, 0)
        self.assertGreaterEqual(len(names), 30)
        self.assertIn('pl011_sent', names)
        self.assertIn('trace:NAME', self.run_once('-d', 'help')[1])

    def test_options(self):
        self.write('events', '# two kinds\nmachine_re*\nqmp_*\n-qmp_event\n')
        for args, file, kinds in (
                (('-trace', 'pl011_sent', '-D', 'log'), 'log', {'pl011_sent'}),
                (('-trace', 'enable=pl011_sent,file=t'), 't', {'pl011_sent'}),
                (('-trace', 'file=t', '-trace', 'machine_*'), 't',
                 {'machine_reset', 'machine_request_shutdown'}),
                (('-trace', 'events=events,file=t'), 't',
                 {'machine_reset', 'machine_request_shutdown'}),
                (('-d', 'guest_errors,trace:machine_reset', '-D', 'log'), 'log', {'machine_reset'})):
            code, _, err = self.run_once('-kernel', self.flood(), '-serial', 'null', *args)
            self.assertEqual((code, err), (0, ''))
            self.assertEqual(self.kinds(file), kinds)
        # A character each, as many as there were.
        self.run_once('-kernel', self.flood(), '-serial', 'null', '-trace', 'pl011_sent,file=t')
        lines = self.lines('t')
        self.assertEqual(len(lines), SENT)
        self.assertEqual(lines[:2], ['pl011_sent uart0 0x30', 'pl011_sent uart0 0x31'])

    def test_refused(self):
        self.write('events', 'pl011_sent\npl011_sended\n')
        for arg, text in (('pl011_sen', "-trace: no trace event is called 'pl011_sen', did you mean "),
                          ('xyz*', "-trace: no trace event is called 'xyz*' (-trace help lists them)"),
                          ('events=events', 'events, line 2: no trace event'),
                          ('events=none', 'cannot read the trace events'),
                          ('*,file=/none/x', "cannot open the log file '/none/x'"),
                          ('*,fil=x', "unknown option 'fil'")):
            code, _, err = self.run_once('-kernel', self.spin, '-trace', arg)
            self.assertEqual(code, 1, err)
            self.assertIn(text, err)
        self.assertIn('-d: no trace event', self.run_once('-d', 'trace:x')[2])

    # ---- nothing of it is seen ----

    def test_recordings(self):
        """With all events on and with none: the same recording, and replays of either."""
        def digest(*args):
            code, _, err = self.run_once('-serial', 'null', *args)
            self.assertEqual(code, 0, err)
            return re.search('digest ([0-9a-f]{16})', err).group(1)

        kernel = ('-kernel', self.flood(), '-device', 'virtio-rng-device', '-rtc',
                  'base=2030-01-01,clock=vm', '-M', 'virt,dtb-randomness=off')
        all_on = ('-trace', '*,file=t')
        icount = 'shift=1,sleep=off,rr=%s,rrfile=%s%s'
        check = ',rrcheck=digest,rrcheckperiod=10000'
        plain = digest(*kernel, '-icount', icount % ('record', 'a', check))
        self.assertEqual(digest(*kernel, *all_on, '-icount', icount % ('record', 'b', check)), plain)
        self.assertGreater(len(self.kinds('t')), 10)
        for log, args in (('a', all_on), ('b', ()), ('b', (*all_on, '-accel', 'tcg,backend=interp'))):
            self.assertEqual(digest('-icount', 'rr=replay,rrfile=' + log, *args), plain)

    def test_travel(self):
        """On a journey, too."""
        self.run_once('-kernel', self.flood(), '-serial', 'null', '-icount',
                      'shift=1,sleep=off,rr=record,rrfile=log')
        process = self.start('-S', '-icount', 'rr=replay,rrfile=log', '-trace', '*,file=t', '-qmp',
                             'unix:q,server=on')
        client = self.client('q').negotiate()
        seen = {}
        for place in ('50%', '20%', '70%', '20%', '50%'):
            client.command('x-rearm-replay-seek', place=place)
            client.wait('STOP')
            digest = client.command('x-rearm-query-digest')
            self.assertEqual(seen.setdefault(place, digest), digest)
        client.command('quit')
        self.assertEqual(process.wait(test_qmp.TIMEOUT), 0)
        self.assertLessEqual({'exec_stopped', 'exec_snapshot', 'exec_restore', 'qmp_command',
                              'qmp_event', 'chardev_received', 'pl011_sent', 'memory_io_write'},
                             self.kinds('t'))

    # ---- commands ----

    def test_commands(self):
        process, client = self.machine('-D', 'log')

        def states(name):
            return {e['name']: e['state'] for e in client.command('trace-event-get-state', name=name)}

        events = states('*')
        self.assertGreaterEqual(len(events), 30)
        self.assertEqual(set(events.values()), {'disabled'})
        client.command('trace-event-set-state', name='qmp_*', enable=True)
        self.assertEqual(states('qmp_*'), {'qmp_command': 'enabled', 'qmp_event': 'enabled'})
        client.command('trace-event-set-state', name='qmp_event', enable=False,
                       ignore_unavailable=True)
        self.assertEqual(states('qmp_event'), {'qmp_event': 'disabled'})
        self.assertEqual(states('none_*'), {})
        client.command('query-name')
        client.command('trace-event-set-state', name='*', enable=False)
        client.command('query-uuid')
        self.assertIn('qmp_command query-name', self.lines('log'))
        self.assertNotIn('qmp_command query-uuid', self.lines('log'))
        self.assertEqual(self.hmp(client, 'trace-event hmp_* on'), '')
        self.assertEqual(self.hmp(client, 'info trace-events hmp_command'), 'hmp_command : state 1\n')
        self.assertEqual(self.hmp(client, 'trace-event hmp_command off'), '')
        self.assertEqual(len(self.hmp(client, 'info trace-events').splitlines()), len(events))
        self.assertEqual(self.hmp(client, 'log trace:hmp_command'), '')
        self.assertEqual(self.hmp(client, 'info trace-events hmp_command'), 'hmp_command : state 1\n')
        self.assertIn('hmp_command info trace-events hmp_command', self.lines('log'))
        for line, text in (('trace-event x on', 'unknown event "x"'),
                           ('trace-event qmp_event', 'on|off'),
                           ('trace-event qmp_event maybe', 'expected'),
                           ('info trace-events x', 'unknown event "x"')):
            self.assertIn(text, self.hmp(client, line))
        for name, given, text in (
                ('trace-event-get-state', {'name': 'x'}, 'unknown event "x"'),
                ('trace-event-get-state', {}, "Parameter 'name' is missing"),
                ('trace-event-get-state', {'name': '*', 'vcpu': 0}, 'none is of a single CPU'),
                ('trace-event-set-state', {'name': 'x', 'enable': True}, 'unknown event "x"'),
                ('trace-event-set-state', {'name': '*', 'enable': 1}, "'enable'"),
                ('trace-event-set-state', {'name': '*', 'enable': True, 'vcpu': 0}, 'single CPU')):
            self.assertIn(text, self.refused(client, name, **given))
        self.end(process, client)


if __name__ == '__main__':
    test_qmp.REARM = os.path.abspath(sys.argv.pop())
    unittest.main(verbosity=0)
