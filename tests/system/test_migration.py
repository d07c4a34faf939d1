#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Migration: a machine's state goes out of one process and into another one, or does not.

usage: test_migration.py REARM
"""
import os
import random
import re
import socket
import subprocess
import sys
import time
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import test_qmp

SENT = ['setup', 'active', 'completed']
EVENTS = [{'capability': 'events', 'state': True}]


class MigrationTest(test_qmp.Program):
    def machine(self, *args, qmp='q', stdio='null', **kwargs):
        """A machine with a guest that echoes; its client, which is told of migrations."""
        kernel = () if '-kernel' in args else ('-kernel', self.echo)
        process = self.start(*kernel, '-icount', 'shift=2', '-qmp', f'unix:{qmp},server=on', *args,
                             stdio=stdio, **kwargs)
        client = self.client(qmp).negotiate()
        client.command('migrate-set-capabilities', capabilities=EVENTS)
        return process, client

    def ran(self, *args, **kwargs):
        """One that has done something, and stands still."""
        process, client = self.machine(*args, stdio='unix:s,server=on,wait=off', **kwargs)
        serial = self.connect('s')
        self.type(serial, b'abc')
        client.command('stop')
        client.wait('STOP')
        return process, client, serial

    def statuses(self, client, last):
        """What MIGRATION tells, up to the last one."""
        seen = []
        while not seen or seen[-1] != last:
            seen.append(client.wait('MIGRATION')['data']['status'])
        return seen

    def all_state(self, client):
        return self.state(client), client.command('x-rearm-query-digest')

    def refused(self, client, name, **arguments):
        return client.execute(name, **arguments)['error']['desc']

    def status(self, client):
        return client.command('query-status')['status']

    def ended(self, process, text, code=1):
        """It ends by itself, and says why in one line."""
        self.assertEqual(process.wait(test_qmp.TIMEOUT), code)
        report = process.stderr.read().decode()
        self.assertIn(text, report)
        self.assertEqual(report.count('\n'), 1, report)

    # ---- from one to another ----

    def wait_arrived(self, client):
        """The client may have come before the state did, or when all was over."""
        end = time.monotonic() + test_qmp.TIMEOUT
        while self.status(client) == 'inmigrate':
            self.assertLess(time.monotonic(), end)

    def arrived(self, process, client, state, serial='s2'):
        """The machine is in that state, and goes on."""
        self.wait_arrived(client)
        self.assertEqual(self.status(client), 'paused')
        self.assertEqual(self.all_state(client), state)
        self.assertEqual(client.command('query-migrate')['status'], 'completed')
        client.command('cont')
        self.type(self.connect(serial), b'def')
        self.end(process, client)

    def receiver(self, uri, *args, **kwargs):
        return self.machine('-S', '-incoming', uri, *args, qmp='q2', stdio='unix:s2,server=on,wait=off',
                            **kwargs)

    def test_files(self):
        """Also with something in front of it, through commands, and from an inherited descriptor."""
        process, client, _ = self.ran()
        state = self.all_state(client)
        with open(os.path.join(self.dir, 'head'), 'wb') as f:
            f.write(b'x' * 100000)
        for uri, back in (('file:plain', 'file:plain'), ('file:head,offset=1K', 'file:head,offset=1024'),
                          ("exec:gzip > 'a, b'", "exec:gunzip < 'a, b'"), ('file:plain', 'fd')):
            client.command('migrate', uri=uri)
            self.assertEqual(self.statuses(client, 'completed'), SENT)
            self.assertEqual(self.status(client), 'postmigrate')
            self.assertEqual(self.all_state(client), state)
            info = client.command('query-migrate')
            self.assertEqual((info['status'], info['ram']['remaining']), ('completed', 0))
            self.assertGreater(info['ram']['total'], info['ram']['transferred'])
            kept = {}
            if back == 'fd':
                fd = os.open(os.path.join(self.dir, 'plain'), os.O_RDONLY)
                self.addCleanup(os.close, fd)
                kept, back = {'pass_fds': [fd]}, f'fd:{fd}'
            self.arrived(*self.receiver(back, **kept), state)
        with open(os.path.join(self.dir, 'head'), 'rb') as f:
            self.assertEqual(f.read(1024 + 8), b'x' * 1024 + b'REARMSNP')
        self.assertEqual(os.stat(os.path.join(self.dir, 'plain')).st_mode & 0o777, 0o600)
        # A file of it is a snapshot file.
        loaded, reader = self.machine('-S', '-snapshot-file', 'plain', '-loadvm', 'migration', qmp='q2')
        self.assertEqual(self.all_state(reader), state)
        self.end(loaded, reader)
        # As it stands still for nobody any more, it may as well go on.
        client.command('cont')
        self.assertEqual(self.status(client), 'running')
        self.end(process, client)

    def test_plugged(self):
        """Devices that came and went: the other side has those of the state, whatever it began with."""
        ports = ('-device', 'pcie-root-port,id=p', '-device', 'pcie-root-port,id=q,slot=1', '-device',
                 'edu,id=e,bus=p')
        process, client, _ = self.ran(*ports)
        client.command('device_add', driver='virtio-rng-pci', bus='q', id='r')
        client.command('migrate', uri='file:sent')
        self.statuses(client, SENT[-1])
        state = client.command('x-rearm-query-digest')
        for given in ((*ports, '-device', 'edu,id=other,bus=q'), ports[:4]):
            receiver, other = self.receiver('file:sent', *given)
            self.wait_arrived(other)
            self.assertEqual(other.command('x-rearm-query-digest'), state)
            there = [p['name'] for p in other.command('qom-list', path='/machine/peripheral')]
            self.assertEqual([n for n in there if n in ('e', 'r', 'other')], ['e', 'r'])
            self.end(receiver, other)
        self.ended(self.start('-kernel', self.echo, '-icount', 'shift=2', '-incoming', 'file:sent', *ports[:2]),
                   "'device.1' differs: it was 'pcie-root-port,id=q,slot=1'")
        self.end(process, client)

    def test_sockets(self):
        process, client, _ = self.ran()
        state = self.all_state(client)
        with socket.socket() as s:
            s.bind(('127.0.0.1', 0))
            port = s.getsockname()[1]
        for uri in ('unix:sock', f'tcp:127.0.0.1:{port}'):
            receiver, other = self.receiver(uri)
            self.assertEqual(self.status(other), 'inmigrate')
            self.assertEqual(other.command('query-migrate')['status'], 'setup')
            client.command('migrate', uri=uri)
            self.assertEqual(self.statuses(client, 'completed'), SENT)
            self.arrived(receiver, other, state)
            self.assertFalse(os.path.exists(os.path.join(self.dir, 'sock')))
        # Who comes, sends a part and goes.
        receiver, other = self.receiver('unix:sock')
        sender = self.connect('sock')
        sender.sendall(b'REARMSNP')
        self.assertEqual(self.statuses(other, 'active'), ['active'])
        sender.close()
        self.assertEqual(self.statuses(other, 'failed'), ['failed'])
        self.assertEqual(receiver.wait(test_qmp.TIMEOUT), 1)
        self.assertIn("'unix:sock' ends before", receiver.stderr.read().decode())
        self.end(process, client)

    def test_given_descriptors(self):
        """getfd's, as managers of machines do it."""
        process, client, _ = self.ran()
        state = self.all_state(client)
        with open(os.path.join(self.dir, 'out'), 'w+b') as out:
            client.passing = [out.fileno()]
            client.command('getfd', fdname='there')
            client.command('migrate', uri='fd:there', detach=True, resume=False)
            self.assertEqual(self.statuses(client, 'completed'), SENT)
            self.assertEqual(self.refused(client, 'migrate', uri='fd:there'),
                             "File descriptor named 'there' not found")
            out.seek(0)
            receiver, other = self.receiver('defer')
            other.passing = [out.fileno()]
            other.command('getfd', fdname='here')
            other.command('migrate-incoming', uri='fd:here')
            self.assertEqual(self.statuses(other, 'completed'), SENT)
            self.arrived(receiver, other, state)
        self.end(process, client)

    def test_running(self):
        """It stops, and is not continued; the other one runs on by itself."""
        process, client = self.machine(stdio='unix:s,server=on,wait=off')
        self.type(self.connect('s'), b'abc')
        client.command('migrate', uri='file:sent')
        client.wait('STOP')
        self.statuses(client, 'completed')
        self.assertEqual(client.command('query-status'), {'running': False, 'status': 'postmigrate'})
        state = self.all_state(client)
        receiver, other = self.machine('-incoming', 'defer', qmp='q2', stdio='unix:s2,server=on,wait=off')
        other.command('migrate-incoming', uri='file:sent')
        other.wait('RESUME')
        self.type(self.connect('s2'), b'def')
        other.command('stop')
        other.command('migrate', uri='file:next')
        self.statuses(other, 'completed')
        self.assertNotEqual(self.all_state(other), state)
        self.end(receiver, other)
        self.end(process, client)

    def test_deferred(self):
        """What is said to a machine that waits counts when its state has come."""
        process, client, _ = self.ran()
        client.command('migrate', uri='file:sent')
        self.statuses(client, 'completed')
        for args, command, status in (((), 'stop', 'paused'), (('-S',), 'cont', 'running')):
            receiver, other = self.machine(*args, '-incoming', 'defer', qmp='q2')
            self.assertEqual(self.status(other), 'inmigrate')
            self.assertIn('There was no migration', self.hmp(other, 'info migrate'))
            other.command(command)
            self.assertEqual(self.status(other), 'inmigrate')
            self.assertEqual(self.refused(other, 'migrate', uri='file:x'),
                             'Guest is waiting for an incoming migration')
            for uri, text in (('file:none', "Could not open 'none': No such file"), ('ftp:x', 'unknown'),
                              ('unix:' + 200 * 'x', 'too long')):
                self.assertIn(text, self.refused(other, 'migrate-incoming', uri=uri))
            self.assertEqual(self.hmp(other, 'migrate_incoming file:sent'), '')
            self.assertEqual(self.statuses(other, 'completed'), SENT)
            self.assertEqual(self.status(other), status)
            self.assertIn('already been started',
                          self.refused(other, 'migrate-incoming', uri='file:sent'))
            self.end(receiver, other)
        self.assertIn('not specified', self.refused(client, 'migrate-incoming', uri='file:sent'))
        self.end(process, client)

    def test_recorded(self):
        """A recorded machine can be written; its recording knows nothing of it."""
        process = self.start('-kernel', self.echo, '-icount', 'shift=2,rr=record,rrfile=log', '-qmp',
                             'unix:q,server=on', stdio='unix:s,server=on,wait=off')
        serial, client = self.connect('s'), self.client('q').negotiate()
        self.type(serial, b'abc')
        client.command('migrate-set-capabilities', capabilities=EVENTS)
        client.command('migrate', uri='file:sent')
        self.statuses(client, 'completed')
        state = self.all_state(client)
        client.command('cont')
        self.type(serial, b'def')
        self.end(process, client)
        replay = self.start('-icount', 'rr=replay,rrfile=log')
        self.assertEqual(replay.wait(test_qmp.TIMEOUT), 0)
        self.assertIn('(equal', replay.stderr.read().decode())
        receiver, other = self.receiver('file:sent')
        self.wait_arrived(other)
        self.assertEqual(other.command('x-rearm-query-digest')['digest'], state[1]['digest'])
        self.end(receiver, other)

    # ---- what does not come through ----

    def test_cancel(self):
        process, client = self.machine(stdio='unix:s,server=on,wait=off')
        serial = self.connect('s')
        self.type(serial, b'abc')
        client.command('migrate-set-parameters', max_bandwidth=1)
        client.command('migrate', uri='file:sent')
        client.wait('STOP')
        self.assertEqual(self.statuses(client, 'active'), ['active'])
        self.assertEqual(self.status(client), 'finish-migrate')
        info = client.command('query-migrate')
        self.assertGreater(info['ram']['remaining'], 0)
        self.assertEqual(info['ram']['page-size'], 4096)
        self.assertEqual(self.refused(client, 'cont'), 'Migration is not finalized yet')
        for name, given in (('migrate', {'uri': 'file:y'}),
                            ('migrate-set-capabilities', {'capabilities': EVENTS})):
            self.assertEqual(self.refused(client, name, **given),
                             "There's a migration process in progress")
        client.command('migrate_cancel')
        client.command('migrate_cancel')
        self.assertEqual(self.statuses(client, 'cancelled'), ['cancelling', 'cancelled'])
        self.assertEqual(self.status(client), 'running')
        self.type(serial, b'def')
        client.command('migrate_cancel')
        self.assertEqual(client.command('query-migrate')['status'], 'cancelled')
        # Who has stopped it meanwhile finds it stopped.
        client.command('migrate', uri='file:sent')
        self.statuses(client, 'active')
        client.command('stop')
        client.command('migrate_cancel')
        self.statuses(client, 'cancelled')
        self.assertEqual(self.status(client), 'paused')
        # Where nobody takes it, the end of the program waits for nobody.
        client.command('migrate-set-parameters', max_bandwidth=0)
        client.command('migrate', uri='exec:cat > /dev/null; sleep 1000')
        self.statuses(client, 'active')
        self.end(process, client)

    def test_failures(self):
        """The machine goes on, and what has failed is told."""
        process, client = self.machine(stdio='unix:s,server=on,wait=off')
        serial = self.connect('s')
        self.type(serial, b'abc')
        for uri, text in (('file:/dev/full', 'No space left'), ('exec:exit 3', 'exit code 3|Broken pipe'),
                          ('exec:cat >/dev/null; exit 3', 'exit code 3'),
                          ('exec:cat >/dev/null; kill -9 $$', 'signal 9')):
            client.command('migrate', uri=uri)
            self.assertEqual(self.statuses(client, 'failed'), ['setup', 'active', 'failed'])
            self.assertEqual(self.status(client), 'running')
            self.assertRegex(client.command('query-migrate')['error-desc'], text)
            self.assertRegex(self.hmp(client, 'info migrate'), f'status: failed: .*({text})')
        for given, text in (
                ({'uri': 'state'}, "unknown migration protocol: 'state'"), ({'uri': ''}, 'unknown'),
                ({'uri': 'file:/none/x'}, "Could not open '/none/x': No such file"),
                ({'uri': 'file:x,offset=y'}, 'offset=y: expected a number of bytes'),
                ({'uri': 'fd:99'}, 'fd:99: Bad file descriptor'),
                ({'uri': 'fd:4'}, 'not inherited'), ({'uri': 'fd:x'}, "named 'x' not found"),
                ({'uri': 'fd:'}, "named '' not found"), ({'uri': 'fd:99999999999'}, 'expected the number'),
                ({'uri': 'unix:none'}, "cannot connect to 'none'"),
                ({'uri': 'tcp:1'}, 'expected tcp:HOST:PORT'), ({'uri': 'tcp::99999'}, 'a port of'),
                ({'uri': 'file:x', 'resume': True}, 'no paused migration'), ({}, 'is missing'),
                ({'uri': 5}, 'expected: string'), ({'uri': 'file:x', 'detach': 5}, 'expected: boolean')):
            self.assertIn(text, self.refused(client, 'migrate', **given))
            self.assertEqual(self.status(client), 'running')
        for name, given, text in (
                ('migrate-set-capabilities', {'capabilities': [{'capability': 'x', 'state': True}]},
                 "does not accept value 'x'"),
                ('migrate-set-capabilities', {'capabilities': [{}]}, 'is missing'),
                ('migrate-set-parameters', {'max_bandwidth': -1}, 'max-bandwidth'),
                ('migrate-set-parameters', {'downtime_limit': 1}, 'unexpected')):
            self.assertIn(text, self.refused(client, name, **given))
        self.type(serial, b'def')
        self.end(process, client)

    def test_human(self):
        process, client = self.machine('-monitor', 'unix:m,server=on,wait=off')
        self.assertEqual(self.hmp(client, 'info migrate_capabilities'), 'events: on\n')
        self.assertEqual(self.hmp(client, 'migrate_set_capability events off'), '')
        self.assertEqual(client.command('query-migrate-capabilities'),
                         [{'capability': 'events', 'state': False}])
        self.assertEqual(self.hmp(client, 'migrate_set_parameter max-bandwidth 3'), '')
        self.assertEqual(self.hmp(client, 'info migrate_parameters'), 'max-bandwidth: 3145728 bytes/second\n')
        self.assertEqual(client.command('query-migrate-parameters'), {'max-bandwidth': 3 << 20})
        self.assertEqual(self.hmp(client, 'migrate_set_parameter max-bandwidth 0'), '')
        for line, text in (('migrate_set_capability x on', "no capability 'x'"),
                           ('migrate_set_parameter x 1', "no parameter 'x'"),
                           ('migrate_set_parameter max-bandwidth x', 'expected a number'),
                           ('migrate', 'URI'), ('migrate -d x', 'unknown migration protocol'),
                           ('migrate_incoming file:x', 'not specified')):
            self.assertIn(text, self.hmp(client, line))
        self.assertIn("see 'info migrate'", self.hmp(client, 'migrate file:one'))
        human = self.connect('m')

        def typed(line, answer):
            human.sendall(line + b'\r')
            seen = b''
            while not seen.endswith(b'(rearm) ') or line not in seen:
                seen += human.recv(4096)
            self.assertRegex(seen, answer)
        while client.command('query-migrate')['status'] != 'completed':
            pass
        # Without -d the prompt comes when it is over.
        typed(b'migrate file:two', rb'two\x1b?.*\r\n')
        self.assertEqual(client.command('query-migrate')['status'], 'completed')
        typed(b'migrate file:/dev/full', rb'Error: .*No space left')
        typed(b'migrate -d file:three', rb'three')
        typed(b'migrate_cancel', rb'cancel')
        while client.command('query-migrate')['status'] not in ('completed', 'cancelled'):
            pass
        self.assertRegex(self.hmp(client, 'info migrate'), r'(?s)status: c.*\ntotal time: \d+ ms\n'
                         r'transferred: \d+ KiB\nremaining: \d+ KiB of \d+ KiB, .*Mbit/s\n$')
        self.end(process, client)

    def test_hostile_streams(self):
        """What is no state of this machine ends the program with a reason, whatever it is."""
        process, client, _ = self.ran()
        client.command('migrate', uri='file:good')
        self.statuses(client, 'completed')
        self.end(process, client)
        with open(os.path.join(self.dir, 'good'), 'rb') as f:
            good = f.read()
        rng = random.Random(5)
        bad = [(b'', 'ends before'), (good[:-1], 'ends before'), (b'#!/bin/sh\n' * 10, 'is not the state'),
               (good[:8] + b'\x09' + good[9:], 'has format 9')]
        for _ in range(20):
            at = rng.randrange(12, len(good))
            bad.append((good[:at] + bytes([good[at] ^ 1 << rng.randrange(8)]) + good[at + 1:],
                        'is damaged at offset'))
            bad.append((good[:rng.randrange(12, len(good))], 'ends before'))
        for data, text in bad:
            process = self.start('-kernel', self.echo, '-icount', 'shift=2', '-incoming', 'exec:cat bad')
            with open(os.path.join(self.dir, 'bad'), 'wb') as f:
                f.write(data)
            process = self.start('-kernel', self.echo, '-icount', 'shift=2', '-incoming', 'file:bad')
            self.ended(process, text)
        for args, text in ((('-icount', 'shift=3'), "'icount.shift' differs"),
                           (('-icount', 'shift=2', '-m', '64'), "'ram' differs"),
                           (('-icount', 'shift=2', '-smp', '2'), "'smp' differs")):
            process = self.start('-kernel', self.echo, '-incoming', 'file:good', *args)
            self.ended(process, text)
        for uri, text in (('file:none', "Could not open 'none'"), ('x', 'unknown migration protocol'),
                          ('fd:99', 'Bad file descriptor'), ('fd:x', "named 'x' not found")):
            self.ended(self.start('-kernel', self.echo, '-incoming', uri), text)

    def test_options(self):
        """What does not go together is refused at the start."""
        for args, text in (
                (('-icount', 'rr=record,rrfile=r'), 'a recording begins at power-on'),
                (('-icount', 'rr=replay,rrfile=r'), '-loadvm'), (('-rewind',), 'leave out -rewind'),
                (('-loadvm', 'x', '-snapshot-file', 'y'), 'in one state only')):
            self.ended(self.start('-kernel', self.echo, '-incoming', 'defer', *args), text)
        # The leak sanitizer looks at the process with ptrace(), which the sandbox denies.
        self.ended(self.start('-kernel', self.echo, '-sandbox', 'on,spawn=deny', '-incoming', 'exec:cat',
                              env={**os.environ, 'ASAN_OPTIONS': 'detect_leaks=0'}), 'spawn=deny')
        # A signal ends what waits for its state.
        process, client = self.machine('-incoming', 'unix:sock')
        client.command('quit')
        self.assertEqual(process.wait(test_qmp.TIMEOUT), 0)
        self.assertFalse(os.path.exists(os.path.join(self.dir, 'sock')))


if __name__ == '__main__':
    test_qmp.REARM = os.path.abspath(sys.argv.pop(1))
    unittest.main()
