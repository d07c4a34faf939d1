#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""QMP from outside: sessions on sockets and stdio, several at once, while recording.

usage: test_qmp.py REARM
"""
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import guests
import qmp

REARM = None
TIMEOUT = 20 * float(os.environ.get('REARM_SLOW', '1'))     # a slow build, a busy host


class Program(unittest.TestCase):
    """How it is started, and clients that connect to it."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.dir = folder.name
        self.connected = []
        self.addCleanup(folder.cleanup)
        self.echo = guests.write(os.path.join(self.dir, 'echo.elf'), guests.ECHO,
                                 guests.ECHO_TEXT)
        self.spin = guests.write(os.path.join(self.dir, 'spin.elf'), guests.SPIN)

    def start(self, *args, stdio='null', **kwargs):
        process = subprocess.Popen([REARM, '-display', 'none', '-serial', stdio, *args],
                                   cwd=self.dir, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE, **kwargs)
        self.addCleanup(self.reap, process)
        return process

    @staticmethod
    def reap(process):
        if process.poll() is None:
            process.kill()
        report = process.communicate()[1] or b''
        if b'Sanitizer' in report or b'runtime error' in report:
            print(report.decode(errors='replace'), file=sys.stderr)

    def connect(self, name):
        """A connected socket; the server may not be there yet."""
        s = qmp.connect(os.path.join(self.dir, name), TIMEOUT)
        self.addCleanup(s.close)
        return s

    def client(self, name):
        s = self.connect(name)
        self.connected.append(s)

        def send(data):
            if client.passing:
                socket.send_fds(s, [data], client.passing)
                client.passing = []
            else:
                s.sendall(data)
        client = qmp.Client(send, lambda: s.recv(65536), TIMEOUT)
        return client

    @staticmethod
    def stdio_client(process):
        def send(data):
            process.stdin.write(data)
            process.stdin.flush()
        return qmp.Client(send, lambda: os.read(process.stdout.fileno(), 65536), TIMEOUT)

    def end(self, process, client):
        """quit, and what comes of it."""
        client.events.clear()
        client.command('quit')
        self.assertEqual(client.wait('SHUTDOWN')['data'],
                         {'guest': False, 'reason': 'host-qmp-quit'})
        self.assertEqual(client.rest(), [])
        self.assertEqual(process.wait(TIMEOUT), 0)

    def type(self, serial, keys, expected=None):
        """Type, and wait for what the guest echoes."""
        serial.sendall(keys)
        seen = b''
        while not seen.endswith(expected or keys):
            more = serial.recv(65536)
            self.assertTrue(more, seen)
            seen += more

    def state(self, client):
        """All that a monitor can see of CPU, RAM and UART, and where the machine is."""
        client.command('pmemsave', val=guests.LOAD, size=0x2000, filename='state')
        with open(os.path.join(self.dir, 'state'), 'rb') as f:
            info = client.command('x-rearm-query-replay')
            return (f.read(), client.command('x-rearm-query-registers'), info['position'],
                    info['time'], info['icount'])

    def hmp(self, client, line):
        return client.command('human-monitor-command', command_line=line).replace('\r\n', '\n')

    def paused_state(self, client):
        client.command('stop')
        return self.state(client)


class QmpTest(Program):
    # ---- sessions ----

    def test_session(self):
        """From the greeting to the end, on a socket that is waited for."""
        process = self.start('-kernel', self.spin, '-name', 'box', '-smp', '2', '-S', '-qmp',
                             'unix:q,server=on')
        client = self.client('q')
        version = client.greeting['QMP']['version']
        self.assertEqual(set(version['qemu']), {'major', 'minor', 'micro'})
        self.assertRegex(version['package'], r'^Rearm [0-9.]+$')
        self.assertEqual(client.greeting['QMP']['capabilities'], ['oob'])
        self.assertEqual(client.execute('query-status')['error']['class'], 'CommandNotFound')
        client.negotiate()
        self.assertEqual(client.command('query-version'), version)
        self.assertEqual(client.command('query-name'), {'name': 'box'})
        self.assertEqual(client.command('query-status'), {'running': False, 'status': 'prelaunch'})
        self.assertEqual(client.command('human-monitor-command', command_line='info status'),
                         'VM status: paused (prelaunch)\r\n')
        client.command('cont')
        client.wait('RESUME')
        self.assertEqual(client.command('query-status'), {'running': True, 'status': 'running'})
        client.command('stop')
        client.wait('STOP')
        cpus = client.command('query-cpus-fast')
        self.assertEqual([cpu['cpu-index'] for cpu in cpus], [0, 1])
        threads = os.listdir(f'/proc/{process.pid}/task')
        self.assertIn(str(cpus[0]['thread-id']), threads)
        self.assertNotEqual(cpus[0]['thread-id'], process.pid)
        self.assertEqual(client.command('query-status'), {'running': False, 'status': 'paused'})
        self.end(process, client)
        self.assertFalse(os.path.exists(os.path.join(self.dir, 'q')))

    def test_every_command(self):
        """Each one that the schema has, with arguments that it takes and with ones it does not."""
        arguments = {
            'human-monitor-command': {'command_line': 'info status'},
            'memsave': {'val': guests.LOAD, 'size': 6000, 'filename': 'm', 'cpu_index': 0},
            'pmemsave': {'val': guests.LOAD, 'size': 6000, 'filename': 'p'},
            'device-list-properties': {'typename': 'virtio-mmio'},
            'x-rearm-log': {'items': ''},
            'trace-event-get-state': {'name': 'qmp_*'},
            'trace-event-set-state': {'name': 'qmp_event', 'enable': False},
            'x-rearm-gdbserver': {'device': 'unix:g'},
            'replay-break': {'icount': 5},
            'replay-seek': {'icount': 10 ** 15},
            'x-rearm-replay-seek': {'place': '0%'},
            'x-rearm-replay-save': {'file': 'f'},
            'x-rearm-replay-console': {'port': 'uart0'},
            'x-rearm-replay-find-writes': {'kind': 'last', 'address': guests.LOAD, 'physical': True},
            'x-rearm-savevm': {'name': 's'},
            'chardev-add': {'id': 'ring', 'backend': {'type': 'ringbuf', 'data': {}}},
            'chardev-send-break': {'id': 'ring'},
            'chardev-remove': {'id': 'spare'},
            'ringbuf-write': {'device': 'ring', 'data': 'x'},
            'ringbuf-read': {'device': 'ring', 'size': 5},
            'qom-list': {'path': '/'},
            'qom-get': {'path': '/machine', 'property': 'type'},
            'qom-list-properties': {'typename': 'pl011'},
            'object-add': {'qom_type': 'rng-builtin', 'id': 'r'},
            'object-del': {'id': 'r'},
            'set-action': {'panic': 'pause'},
            'set_link': {'name': 'nic0', 'up': False},
            'watchdog-set-action': {'action': 'none'},
            'add-fd': {'fdset_id': 7},
            'getfd': {'fdname': 'f'},
            'closefd': {'fdname': 'f'},
            'remove-fd': {'fdset_id': 7},
            'snapshot-delete': {'job_id': 'a', 'tag': 'none', 'devices': []},
            'snapshot-load': {'job_id': 'b', 'tag': 'none', 'vmstate': '', 'devices': ['x']},
            'snapshot-save': {'job_id': 'c', 'tag': 'c', 'vmstate': 'snapshot-file', 'devices': []},
            'dump-guest-memory': {'paging': False, 'protocol': 'file:core'},
            'query-cpu-model-expansion': {'type': 'full', 'model': {'name': 'max'}},
            'migrate': {'uri': 'file:migrated'},
            'migrate-set-capabilities': {'capabilities': [{'capability': 'events', 'state': False}]},
        }
        with_fd = {'add-fd', 'getfd'}
        late = ['closefd',                   # wants what a command of a later name makes
                'migrate']                   # is at work for a while
        # What fails here whatever is asked.
        refused = {
            'x-rearm-replay-golive': ({}, 'live already'),
            'x-rearm-delvm': ({'name': 'none'}, 'no snapshot'),
            'x-rearm-loadvm': ({'name': 'none'}, 'no snapshot'),
            'qom-set': ({'path': '/machine', 'property': 'type', 'value': 'x'}, 'not writable'),
            'job-cancel': ({'id': 'no-job'}, 'Job not found'),
            'job-dismiss': ({'id': 'no-job'}, 'Job not found'),
            'migrate-incoming': ({'uri': 'file:f'}, 'not specified on the command line'),
            'system_wakeup': ({}, 'wake-up from suspend is not supported by this guest'),
            'inject-nmi': ({}, 'not currently supported'),
            'blockdev-add': ({'driver': 'null-co', 'node-name': 'n'}, 'recorded or replayed'),
            'blockdev-del': ({'node-name': 'n'}, 'Failed to find node'),
            'device_add': ({'driver': 'virtio-rng-device'}, 'does not support hotplugging'),
            'device_del': ({'id': 'gic'}, 'does not support hotplugging'),
            'block_resize': ({'device': 'd', 'size': 512}, 'Cannot find device'),
            'query-balloon': ({}, 'No balloon device has been activated'),
            'balloon': ({'value': 1 << 20}, 'No balloon device has been activated'),
        }
        process = self.start('-kernel', self.spin, '-icount', 'shift=1,rr=record', '-snapshot-file', 's', '-chardev',
                             'null,id=spare', '-nic', 'user', '-qmp', 'unix:q,server=on,wait=off')
        client = self.client('q').negotiate()
        names = client.schema.names('command')
        self.assertEqual(sorted(c['name'] for c in client.command('query-commands')), sorted(names))
        self.assertLess(set(arguments) | set(refused), set(names))
        for name in sorted(set(names) - set(late)) + late:
            error = client.execute(name, no_such_argument=1)['error']
            self.assertEqual(error['class'], 'GenericError')
            self.assertRegex(error['desc'], r"^Parameter '(no-such-argument' is unexpected|"
                                            r"[-a-z]+' is missing)$")
            if name in refused:
                given, text = refused[name]
                self.assertIn(text, client.execute(name, **given)['error']['desc'])
            elif name not in ('quit', 'qmp_capabilities'):
                client.passing = [0] if name in with_fd else []
                client.command(name, **arguments.get(name, {}))
        for name in 'abc':
            while client.wait('JOB_STATUS_CHANGE')['data'] != {'id': name, 'status': 'concluded'}:
                pass
            client.command('job-dismiss', id=name)
        client.command('x-rearm-delvm', name='c')
        client.command('x-rearm-savevm', name='t')
        self.assertEqual([s['name'] for s in client.command('x-rearm-query-snapshots')], ['s', 't'])
        client.command('x-rearm-loadvm', name='s')
        client.command('x-rearm-delvm', name='s')
        client.command('stop')
        self.assertEqual(client.command('query-status')['running'], False)
        with open(os.path.join(self.dir, 'm'), 'rb') as m, \
                open(os.path.join(self.dir, 'p'), 'rb') as p:
            virtual, physical = m.read(), p.read()
        self.assertEqual(len(virtual), 6000)
        self.assertEqual(virtual[:4 * len(guests.SPIN)], guests.elf(guests.SPIN)[0x1000:][:-1])
        self.assertEqual(virtual[:0x1000], physical[:0x1000])
        self.assertEqual(client.command('query-target'), {'arch': 'aarch64'})
        self.assertIn('cortex-a57', [c['name'] for c in client.command('query-cpu-definitions')])
        self.assertIn({'name': 'pl011', 'parent': 'sys-bus-device'},
                      client.command('qom-list-types'))
        self.assertEqual(client.command('qom-list-types', implements='virtio-rng-device'),
                         [{'name': 'virtio-rng-device', 'parent': 'virtio-device'}])
        self.assertIn({'name': 'device', 'parent': 'object', 'abstract': True},
                      client.command('qom-list-types', abstract=True))
        types = client.command('qom-list-types')
        for name, parent in (('secret', 'object'), ('virt-machine', 'machine'), ('tcg-accel', 'accel')):
            self.assertIn({'name': name, 'parent': parent}, types)
        self.assertEqual(client.command('qom-list-types', implements='accel'),
                         [{'name': 'tcg-accel', 'parent': 'accel'}])
        cpus = client.command('qom-list-types', implements='cpu', abstract=True)
        self.assertEqual(cpus[:3], [{'name': 'cpu', 'parent': 'device', 'abstract': True},
                                    {'name': 'arm-cpu', 'parent': 'cpu', 'abstract': True},
                                    {'name': 'aarch64-cpu', 'parent': 'arm-cpu', 'abstract': True}])
        self.assertEqual({cpu['name'] for cpu in cpus[3:]},
                         {cpu['typename'] for cpu in client.command('query-cpu-definitions')})
        self.assertEqual(client.command('qom-list-types', implements='no-such-type'), [])
        self.assertIn({'name': 'cntfrq', 'type': 'uint64', 'default-value': 62500000,
                       'description': "the generic timer's frequency in Hz"},
                      client.command('device-list-properties', typename='cortex-a57-arm-cpu'))
        self.assertIn({'name': 'revision', 'type': 'uint32', 'default-value': 2,
                       'description': 'architecture version'},
                      client.command('device-list-properties', typename='arm_gic'))
        self.assertIn({'name': 'cpu-num', 'type': 'uint32', 'description': "the CPU to start at "
                       "the ELF file's entry or addr=; 0xffffffff: none",
                       'default-value': 0xffffffff},
                      client.command('device-list-properties', typename='loader'))
        self.assertIn({'name': 'file', 'type': 'str', 'description': 'an AArch64 ELF file, or a '
                       'raw one for addr='},
                      client.command('device-list-properties', typename='loader'))
        self.assertIn({'name': 'force-legacy', 'type': 'bool', 'description': 'the interface '
                       'before virtio 1.0 (version 1); off: version 2', 'default-value': True},
                      client.command('device-list-properties', typename='virtio-mmio'))
        self.assertNotIn('max-bytes', [p['name'] for p in client.command(
            'device-list-properties', typename='virtio-rng-device')])
        self.assertEqual(client.execute('device-list-properties', typename='nvme')
                         ['error']['class'], 'DeviceNotFound')
        self.assertEqual([m['name'] for m in client.command('query-machines')
                          if m.get('is-default')], ['virt'])
        self.end(process, client)

    def test_stdio(self):
        process = self.start('-kernel', self.echo, '-qmp-pretty', 'stdio')
        client = self.stdio_client(process)
        client.negotiate()
        client.send(b'{"execute": "query-kvm"}')
        while '"return"' not in client.text:
            client.text += client.recv().decode()
        self.assertIn('{\r\n    "return": {\r\n        "enabled": false,', client.text)
        client.reply()
        self.end(process, client)
        self.assertEqual(process.stderr.read(), b'')

    def test_hostile_input(self):
        """Whatever is sent, the next good command is answered."""
        process = self.start('-kernel', self.spin, '-qmp', 'unix:q,server=on,wait=off')
        client = self.client('q').negotiate()
        for text in [b'{"execute": \n"query-name"}}', b'[' * 5000 + b']' * 5000,
                     b'{"execute": "' + b'x' * 3000000 + b'"}', b'{"execute": "query\xff',
                     b'{"execute": "\xc3\x28"}', b'\x00\x01\n', b'nonsense\n',
                     b'{"execute": "stop", "arguments": {"\xe2\x82\xac": [' + b'1,' * 50000 +
                     b'1]}}']:
            client.send(text)
            client.send(b'\xff{"execute": "query-name", "id": "end"}')
            replies = []
            while not replies or replies[-1].get('id') != 'end':
                replies.append(client.reply())
            self.assertEqual(replies[-1]['return'], {})
            self.assertTrue([r for r in replies if r.get('error', {}).get('class')
                             in ('GenericError', 'CommandNotFound')], text[:40])
        self.end(process, client)

    def test_out_of_band(self):
        """A command that may overtakes those that wait; the rest keep their order."""
        process = self.start('-kernel', self.spin, '-qmp', 'unix:q,server=on,wait=off')
        client = self.client('q')
        client.command('qmp_capabilities', enable=['oob'])
        entries = client.schema.entries
        self.assertEqual({n for n in client.schema.names('command') if entries[n].get('allow-oob')},
                         {'query-status', 'query-jobs', 'query-dump', 'job-cancel'})

        def say(*messages):
            """All in one piece; the replies."""
            client.send(' '.join(messages).replace("'", '"').encode())
            return [client.reply() for _ in messages]

        slow = "{'execute': 'pmemsave', 'arguments': {'val': 1073741824, 'size': 67108864, " \
               "'filename': '/dev/null'}, 'id': %u}"
        replies = say(slow % 1, slow % 2, "{'execute': 'query-name', 'id': 3}",
                      "{'exec-oob': 'query-status', 'id': 4}", "{'id': 5}",
                      "{'exec-oob': 'query-jobs', 'id': 6}")
        self.assertEqual([r['id'] for r in replies], [4, 6, 1, 2, 3, 5])
        self.assertEqual(replies[0]['return'], {'running': True, 'status': 'running'})
        # More than may wait: all are answered, in order.
        replies = say(*["{'execute': 'query-name', 'id': %u}" % n for n in range(300)])
        self.assertEqual([r['id'] for r in replies], list(range(300)))
        for message, error in (
                ("{'exec-oob': 'stop'}", 'The command stop does not support OOB'),
                ("{'exec-oob': 'fnord'}", 'The command fnord has not been found'),
                ("{'exec-oob': 1}", "QMP input member 'exec-oob' must be a string"),
                ("{'exec-oob': 'query-jobs', 'execute': 'stop'}",
                 "QMP input member 'execute' clashes with 'exec-oob'"),
                ('null ', 'QMP input must be a JSON object'), ('@ ', 'JSON parse error')):
            self.assertIn(error, say(message)[0]['error']['desc'])
        # Who leaves while commands wait leaves nothing behind, and the next one starts without oob.
        client.send((slow % 1 * 7).replace("'", '"').encode())
        self.connected[-1].close()
        client = self.client('q').negotiate()
        self.assertEqual(client.raw(b'{"exec-oob": "query-jobs"}')['error']['desc'],
                         "QMP input member 'exec-oob' is unexpected")
        self.end(process, client)

    def test_next_client(self):
        """One leaves in the middle of a message; the next one starts from the greeting."""
        process = self.start('-kernel', self.spin, '-qmp', 'unix:q,server=on,wait=off')
        s = self.connect('q')
        self.assertIn(b'QMP', s.recv(4096))
        s.sendall(b'{"execute": "qmp_capabilities"}{"execute":')
        self.assertIn(b'return', s.recv(4096))
        s.close()
        client = self.client('q')
        self.assertIn('QMP', client.greeting)
        self.assertEqual(client.execute('stop')['error']['class'], 'CommandNotFound')
        self.end(process, client.negotiate())

    # ---- several ----

    def test_several_monitors(self):
        """Programs and a person see the same machine; every program gets every event."""
        process = self.start('-kernel', self.spin, '-qmp', 'unix:a,server=on,wait=off',
                             '-chardev', 'socket,id=c,path=b,server=on,wait=off',
                             '-mon', 'chardev=c,mode=control,pretty=on',
                             '-monitor', 'unix:h,server=on,wait=off')
        human = self.connect('h')
        clients = [self.client('a').negotiate(), self.client('b').negotiate()]
        labels = [c['label'] for c in clients[0].command('query-chardev')]
        self.assertEqual(sorted(labels), ['c', 'monitor0', 'monitor2', 'serial0'])
        for n in range(20):
            stopper = clients[n % 2]
            stopper.command('stop')
            for client in clients:
                client.wait('STOP')
            if n % 3:
                clients[n % 2 - 1].command('cont')
            else:
                human.sendall(b'cont\r')
            for client in clients:
                client.wait('RESUME')
        human.sendall(b'info status\r')
        seen = b''
        while b'VM status: running' not in seen:
            seen += human.recv(4096)
        clients[0].command('system_reset')
        for client in clients:
            self.assertEqual(client.wait('RESET')['data'],
                             {'guest': False, 'reason': 'host-qmp-system-reset'})
        clients[0].command('system_powerdown')
        clients[1].wait('POWERDOWN')
        self.end(process, clients[1])
        self.assertIn('SHUTDOWN', clients[0].rest())

    # ---- the end ----

    def test_guest_shutdown(self):
        for keep in False, True:
            process = self.start(*['-no-shutdown'] * keep, '-kernel', self.echo,
                                 '-qmp', 'unix:q,server=on', stdio='unix:s,server=on,wait=off')
            client = self.client('q').negotiate()
            console = self.connect('s')
            self.assertEqual(console.sendall(b'q'), None)
            self.assertEqual(client.wait('SHUTDOWN')['data'],
                             {'guest': True, 'reason': 'guest-shutdown'})
            if keep:
                client.wait('STOP')
                self.assertEqual(client.command('query-status'),
                                 {'running': False, 'status': 'shutdown'})
                self.end(process, client)
            else:
                self.assertEqual(client.rest(), [])
                self.assertEqual(process.wait(TIMEOUT), 0)

    def test_signal(self):
        process = self.start('-kernel', self.spin, '-qmp', 'unix:q,server=on')
        client = self.client('q').negotiate()
        process.send_signal(signal.SIGTERM)
        self.assertEqual(client.wait('SHUTDOWN')['data'],
                         {'guest': False, 'reason': 'host-signal'})
        self.assertEqual(process.wait(TIMEOUT), 0)

    # ---- record and replay ----

    def storm(self, client, seconds):
        """Run, stop, reset and look; make and remove what is the client's own."""
        own = f'own-{threading.get_ident()}'
        ring = {'type': 'ringbuf', 'data': {}}
        commands = [
            ('stop', {}), ('x-rearm-query-registers', {}), ('cont', {}), ('query-replay', {}),
            ('chardev-add', {'id': own, 'backend': ring}), ('cont', {}), ('system_reset', {}),
            ('ringbuf-write', {'device': own, 'data': 'x'}), ('query-status', {}),
            ('x-rearm-query-mtree', {}), ('chardev-remove', {'id': own}), ('query-memdev', {}),
            ('object-add', {'qom_type': 'rng-builtin', 'id': own}),
            ('qom-list', {'path': '/machine/unattached'}), ('object-del', {'id': own}),
            ('dump-guest-memory', {'paging': True, 'protocol': 'file:/dev/null'}),
        ]
        commands += [('human-monitor-command', {'command_line': line}) for line in
                     ('info irq', 'info tlb', 'cpu 0', f'sum {guests.LOAD:#x} 4096', 'info qom-tree',
                      'one-insn-per-tb', 'gva2gpa $pc', 'one-insn-per-tb off')]
        end = time.monotonic() + seconds
        n = 0
        while time.monotonic() < end or n % len(commands):
            name, arguments = commands[n % len(commands)]
            client.command(name, **arguments)
            n += 1
        client.command('cont')

    def test_recording(self):
        """Two clients do what they like while recording; the replay is equal, and says so."""
        process = self.start('-kernel', self.echo, '-icount', 'shift=3,rr=record,rrfile=log',
                             '-qmp', 'unix:a,server=on', '-qmp', 'unix:b,server=on,wait=off')
        clients = [self.client('a').negotiate(), self.client('b').negotiate()]
        info = clients[0].command('query-replay')
        self.assertEqual((info['mode'], info['filename']), ('record', 'log'))
        threads = [threading.Thread(target=self.storm, args=(c, 1.5)) for c in clients]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.end(process, clients[0])
        report = process.stderr.read().decode()
        digest = re.search(r'digest ([0-9a-f]{16}), cause host-quit', report)
        self.assertTrue(digest, report)
        replay = self.start('-S', '-icount', 'rr=replay,rrfile=log', '-qmp', 'unix:a,server=on')
        client = self.client('a').negotiate()
        info = client.command('query-replay')
        self.assertEqual((info['mode'], info['filename'], info['icount']), ('play', 'log', 0))
        client.command('cont')
        self.assertIn('RESET', client.rest())
        self.assertEqual(replay.wait(TIMEOUT), 0)
        self.assertIn(f'digest {digest.group(1)} (equal)', replay.stderr.read().decode())

    # ---- time travel ----

    def travel(self, client, place):
        """To that place; where it is."""
        client.events.clear()
        client.command('x-rearm-replay-seek', place=place)
        client.wait('STOP')
        return client.command('x-rearm-query-replay')['position']

    def console(self, client):
        return client.command('x-rearm-replay-console')['human-readable-text']

    def replayed(self, file):
        """Replay it as a whole; the report."""
        process = self.start('-icount', f'rr=replay,rrfile={file}')
        self.assertEqual(process.wait(TIMEOUT), 0)
        report = process.stderr.read().decode()
        self.assertRegex(report, r'digest [0-9a-f]{16} \(equal')
        return report

    def test_travel_live(self):
        """Back in a live session, forward, live again; then another future; both are saved."""
        process = self.start('-kernel', self.echo, '-rewind', '-qmp', 'unix:q,server=on',
                             stdio='unix:s,server=on')
        serial, client = self.connect('s'), self.client('q').negotiate()
        hello = guests.ECHO_TEXT.decode()
        self.type(serial, b'', guests.ECHO_TEXT)
        self.type(serial, b'abc')
        self.type(serial, b'def')
        self.type(serial, b'ghi')
        client.command('stop')
        newest = client.command('x-rearm-query-replay')
        self.assertEqual(newest['mode'], 'record')
        self.assertNotIn('end', newest)
        self.assertGreater(newest['snapshots'], 0)
        client.command('x-rearm-replay-save', file='whole')
        def_at = self.travel(client, '@"def"')
        self.assertEqual(self.console(client), hello + 'abcdef')
        info = client.command('x-rearm-query-replay')
        self.assertEqual(info['end'], newest['position'])
        self.assertIn('mode: travelling', info['detail'])
        self.assertLess(self.travel(client, '@abc'), def_at)
        self.assertEqual(self.console(client), hello + 'abc')
        self.assertEqual(self.travel(client, '50%'), newest['position'] // 2)
        self.assertEqual(self.travel(client, str(def_at)), def_at)
        self.assertEqual(self.console(client), hello + 'abcdef')
        self.assertEqual(self.travel(client, '100%'), newest['position'])
        # Beyond, it is live: that text is only to come.
        client.command('x-rearm-replay-seek', place='@"jk"')
        serial.sendall(b'jkl')
        client.wait('STOP')
        self.assertTrue(self.console(client).endswith('defghijk'))
        self.travel(client, '@"def"')
        reply = client.execute('system_powerdown')
        self.assertIn('no effect in a replay', reply['error']['desc'])
        client.command('x-rearm-replay-golive')
        client.command('cont')
        self.type(serial, b'xyz')
        self.assertEqual(self.console(client), hello + 'abcdefxyz')
        client.command('x-rearm-replay-save', file='branch')
        self.end(process, client)
        self.replayed('whole')
        self.replayed('branch')

    def test_travel_replay(self):
        """Places of a recorded run, by name, time and part; and live from one of them."""
        process = self.start('-kernel', self.echo, '-icount', 'shift=2,rr=record,rrfile=log',
                             '-qmp', 'unix:q,server=on', stdio='unix:s,server=on')
        serial, client = self.connect('s'), self.client('q').negotiate()
        self.type(serial, b'one.')
        self.type(serial, b'two.')
        self.type(serial, b'three.')
        self.end(process, client)
        process = self.start('-S', '-icount', 'rr=replay,rrfile=log', '-qmp', 'unix:q,server=on',
                             stdio='unix:t,server=on,wait=off')
        client = self.client('q').negotiate()
        two = self.travel(client, '@"two."')
        self.assertTrue(self.console(client).endswith('one.two.'))
        time_two = client.command('x-rearm-query-replay')['time']
        # 2^2 ns each, and nobody waits.
        self.assertEqual(self.travel(client, '+4us'), two + 1000)
        self.assertEqual(self.travel(client, '-4.001us'), two)
        self.assertEqual(client.command('x-rearm-query-replay')['time'], time_two)
        self.assertEqual(self.travel(client, '-1000s'), 0)
        client.command('x-rearm-replay-golive', file='other')
        self.assertEqual(client.command('query-replay')['mode'], 'record')
        client.command('cont')
        serial = self.connect('t')
        self.type(serial, b'four.')
        self.end(process, client)
        self.replayed('log')
        self.replayed('other')

    def check_occurrences(self, client, seek):
        """The text was typed five times, at these places."""
        places = [seek(client, f'@"<x>"#{n}') for n in range(1, 6)]
        self.assertEqual(places, sorted(set(places)))
        self.assertEqual(seek(client, '@"<x>"'), places[0])
        self.assertEqual([seek(client, '+@"<x>"') for _ in range(4)], places[1:])
        self.assertEqual([seek(client, '-@"<x>"') for _ in range(4)], places[3::-1])
        self.assertEqual(seek(client, '+@"<x>"#3'), places[3])
        self.assertEqual(seek(client, str(places[3] - 1)), places[3] - 1)
        self.assertEqual(seek(client, '-@"<x>"'), places[2])
        return places

    def test_travel_occurrences(self):
        """The nth time, the next one and the one before: live, in a replay, and by keyframes."""
        process = self.start('-kernel', self.echo, '-icount', 'shift=2,rr=record,rrfile=log,rrmem=64M,'
                             'rrkeyframe=0.01', '-qmp', 'unix:q,server=on', stdio='unix:s,server=on')
        serial, client = self.connect('s'), self.client('q').negotiate()
        for n in range(5):
            self.type(serial, b'<x>')
            self.type(serial, b'%d.' % n)
        client.command('stop')
        client.events.clear()
        places = self.check_occurrences(client, self.travel)
        # Not there yet: as soon as it is typed.
        self.travel(client, '100%')
        client.command('x-rearm-replay-seek', place='+@"<x>"')
        serial.sendall(b'<x>')
        client.wait('STOP')
        self.assertTrue(self.console(client).endswith('4.<x>'))
        self.assertEqual(self.travel(client, '-@"<x>"'), places[4])
        client.command('quit')
        self.assertEqual(process.wait(TIMEOUT), 0)
        for n, memory in enumerate(('', ',rrmem=16M')):
            process = self.start('-S', '-no-shutdown', '-icount', f'rr=replay,rrfile=log{memory}', '-qmp',
                                 f'unix:r{n},server=on')
            client = self.client(f'r{n}').negotiate()
            self.assertEqual(self.travel(client, str(places[4] + 1)), places[4] + 1)
            # Nothing was seen on the way here, by keyframes.
            self.assertEqual(self.travel(client, '-@"<x>"'), places[4])
            self.assertEqual(self.check_occurrences(client, self.travel), places)
            client.command('quit')
            self.assertEqual(process.wait(TIMEOUT), 0)

    def test_travel_occurrences_unknown(self):
        """A process that begins in the middle of a recording runs through what it has not seen."""
        process = self.start('-kernel', self.echo, '-icount', 'shift=2,rr=record,rrfile=log', '-qmp',
                             'unix:q,server=on', stdio='unix:s,server=on')
        serial, client = self.connect('s'), self.client('q').negotiate()
        for n in range(5):
            self.type(serial, b'<x>')
            self.type(serial, b'%d.' % n)
        client.command('stop')
        client.command('x-rearm-savevm', name='middle')
        client.command('cont')
        self.type(serial, b'<x>')
        client.command('quit')
        self.assertEqual(process.wait(TIMEOUT), 0)
        for n, first in enumerate(('-@"nowhere"', '-@"<x>"', '@"<x>"#3', '+@"<x>"')):
            process = self.start('-S', '-no-shutdown', '-loadvm', 'middle', '-icount',
                                 'rr=replay,rrfile=log', '-qmp', f'unix:r{n},server=on')
            client = self.client(f'r{n}').negotiate()
            begin = client.command('x-rearm-query-replay')['position']
            place = self.travel(client, first)
            places = self.check_occurrences(client, self.travel)
            self.assertEqual(place, {0: begin, 1: places[4], 2: places[2],
                                     3: self.travel(client, '@"<x>"#6')}[n])
            self.assertLess(places[4], begin)
            client.command('quit')
            self.assertEqual(process.wait(TIMEOUT), 0)

    def test_travel_in_vain(self):
        process = self.start('-kernel', self.echo, '-icount', 'shift=2,rr=record,rrfile=log',
                             stdio='stdio')
        process.stdin.write(b'abcq')
        process.stdin.flush()
        self.assertEqual(process.wait(TIMEOUT), 0)
        process = self.start('-S', '-icount', 'rr=replay,rrfile=log', '-qmp', 'unix:q,server=on')
        client = self.client('q').negotiate()
        end = client.command('x-rearm-query-replay')['end']
        self.assertEqual(self.travel(client, '@"nowhere"'), end)
        reply = client.execute('x-rearm-replay-seek', place='-@"nowhere"')
        self.assertIn('not put out before this place', reply['error']['desc'])
        self.assertEqual(client.command('x-rearm-query-replay')['position'], end)
        self.assertLess(self.travel(client, '@abc'), end)
        self.assertEqual(self.travel(client, '+@"abc"'), end)
        self.assertEqual(self.travel(client, '@"abc"#2'), end)
        self.assertEqual(self.travel(client, '+1000s'), end)
        for place in ('', '1%%', '+5', '200%', '@'):
            self.assertIn('error', client.execute('x-rearm-replay-seek', place=place))
        reply = client.execute('x-rearm-replay-save', file='f')
        self.assertIn('this is a replay', reply['error']['desc'])
        client.command('quit')
        self.assertEqual(process.wait(TIMEOUT), 0)
        self.assertIn('the text was not put out', process.stderr.read().decode())
        process = self.start('-kernel', self.spin, '-qmp', 'unix:q,server=on')
        client = self.client('q').negotiate()
        for command, arguments, error in (
                ('x-rearm-replay-seek', {'place': '5'}, 'no recording to travel in'),
                ('x-rearm-replay-seek', {'place': '5%'}, 'nothing is recorded or replayed'),
                ('x-rearm-replay-golive', {}, 'live already'),
                ('x-rearm-replay-save', {'file': 'f'}, 'nothing is being recorded')):
            self.assertIn(error, client.execute(command, **arguments)['error']['desc'])
        self.end(process, client)

    # ---- snapshots in a file ----

    def test_snapshots_without_recording(self):
        """Back to what was saved, in this process and in the next one."""
        machine = ('-kernel', self.echo, '-icount', 'shift=2', '-snapshot-file', 's.snap', '-qmp',
                   'unix:q,server=on')
        process = self.start(*machine, stdio='unix:s,server=on')
        serial, client = self.connect('s'), self.client('q').negotiate()
        self.type(serial, b'abc')
        saved = self.paused_state(client)
        self.assertEqual(self.hmp(client, 'info snapshots'), 'There is no snapshot available.\n')
        self.assertEqual(self.hmp(client, 'savevm abc'), '')
        client.command('cont')
        self.type(serial, b'def')
        self.assertEqual(self.hmp(client, 'savevm while it runs'), '')
        self.assertNotEqual(self.paused_state(client), saved)
        self.assertEqual(self.hmp(client, 'loadvm abc'), '')
        self.assertEqual(self.state(client), saved)
        client.command('cont')
        self.type(serial, b'xyz')
        self.assertEqual(self.hmp(client, 'loadvm while it runs'), '')
        self.assertEqual(client.command('query-status')['running'], True)
        self.type(serial, b'ghi')
        self.assertRegex(self.hmp(client, 'info snapshots'), r'^TAG +VM SIZE .*\n'
                         r'abc +[0-9.]+ MiB [-0-9]{10} [:0-9]{8} 00:00:00\.\d{3} +\d+ +\d+\n'
                         r'while it runs +[0-9.]+ MiB .*\n$')
        self.end(process, client)
        process = self.start(*machine, '-S', '-loadvm', 'abc', stdio='unix:s,server=on')
        serial, client = self.connect('s'), self.client('q').negotiate()
        self.assertEqual(self.state(client), saved)
        client.command('cont')
        self.type(serial, b'again')
        # What does not fit changes nothing.
        with open(os.path.join(self.dir, 's.snap'), 'r+b') as f:
            f.seek(2000)
            byte = f.read(1)
            f.seek(2000)
            f.write(bytes([byte[0] ^ 1]))
        before = self.paused_state(client)
        self.assertIn('is damaged', self.hmp(client, 'loadvm abc'))
        self.assertEqual(self.state(client), before)
        client.command('cont')
        self.type(serial, b'!')
        self.end(process, client)

    def test_snapshots_of_another_machine(self):
        """Each difference is named, and the program does not start, or the machine goes on."""
        def start(*args):
            process = self.start('-S', '-snapshot-file', 's', '-qmp', 'unix:q,server=on', *args)
            return process, self.client('q').negotiate()

        process, client = start('-kernel', self.echo, '-icount', 'shift=2')
        client.command('x-rearm-savevm', name='a')
        self.end(process, client)
        for args, error in ((('-kernel', self.spin, '-icount', 'shift=2'), "'kernel"),
                            (('-kernel', self.echo, '-icount', 'shift=2', '-m', '256'), "'ram' differs"),
                            (('-kernel', self.echo, '-icount', 'shift=2', '-smp', '2'), "'smp' differs"),
                            (('-kernel', self.echo, '-icount', 'shift=2', '-cpu', 'cortex-a53'),
                             "'cpu' differs"),
                            (('-kernel', self.echo, '-icount', 'shift=3'), "'icount.shift' differs")):
            process, client = start(*args)
            desc = client.execute('x-rearm-loadvm', name='a')['error']['desc']
            self.assertIn("cannot load the snapshot 'a': ", desc)
            self.assertIn(error, desc)
            self.end(process, client)
        for args, error in ((('-loadvm', 'b', '-snapshot-file', 's'), "there is no snapshot 'b' in 's'"),
                            (('-loadvm', 'b'), 'there is no snapshot file'),
                            (('-loadvm', 'b', '-snapshot-file', 'echo.elf'), 'is not a snapshot file'),
                            (('-loadvm', 'a', '-snapshot-file', 's', '-icount', 'shift=2,rr=record'),
                             'a recording begins at power-on')):
            icount = () if '-icount' in args else ('-icount', 'shift=2')
            process = self.start('-kernel', self.echo, *icount, *args)
            self.assertEqual(process.wait(TIMEOUT), 1)
            report = process.stderr.read().decode()
            self.assertIn(error, report)
            self.assertEqual(report.count('\n'), 1, report)

    def test_snapshots_of_a_recording(self):
        """Saved while recording, gone back to there; and places of the replay."""
        process = self.start('-kernel', self.echo, '-icount', 'shift=2,rr=record,rrfile=log,'
                             'rrsnapshot=start', '-qmp', 'unix:q,server=on', stdio='unix:s,server=on')
        serial, client = self.connect('s'), self.client('q').negotiate()
        self.type(serial, b'abc')
        client.command('stop')
        client.command('x-rearm-savevm', name='abc')
        saved = self.state(client)
        client.command('cont')
        self.type(serial, b'def')
        newest = self.paused_state(client)
        client.command('x-rearm-loadvm', name='abc')
        self.assertEqual(self.state(client), saved)
        self.assertIn('mode: travelling', self.hmp(client, 'info replay'))
        client.command('x-rearm-savevm', name='again')
        client.command('x-rearm-loadvm', name='start')
        self.assertEqual(self.state(client)[2], 0)
        # Through what is recorded, in which nobody can type, and live again behind it.
        client.command('cont')
        end = time.monotonic() + TIMEOUT
        while 'mode: record' not in self.hmp(client, 'info replay'):
            self.assertLess(time.monotonic(), end)
        self.type(serial, b'ghi')
        self.assertGreater(self.paused_state(client)[2], newest[2])
        client.command('x-rearm-savevm', name='end')
        self.assertEqual([(s['name'], s['position']) for s in
                          client.command('x-rearm-query-snapshots')][:3],
                         [('start', 0), ('abc', saved[2]), ('again', saved[2])])
        self.end(process, client)
        self.assertTrue(os.path.exists(os.path.join(self.dir, 'log.snap')))
        digest = re.search('digest ([0-9a-f]{16})', process.stderr.read().decode()).group(1)
        for begin in ((), ('-loadvm', 'abc'), ('-loadvm', 'end')):
            process = self.start('-icount', 'rr=replay,rrfile=log', *begin)
            self.assertEqual(process.wait(TIMEOUT), 0)
            self.assertIn(f'digest {digest} (equal)', process.stderr.read().decode())
        process = self.start('-S', '-icount', 'rr=replay,rrfile=log,rrsnapshot=again', '-qmp',
                             'unix:q,server=on')
        client = self.client('q').negotiate()
        self.assertEqual(self.state(client), saved)
        # This process has not been where that was printed.
        self.assertIn('is not known here', self.console(client))
        self.assertEqual(self.travel(client, '@ab'), self.travel(client, '@"uest\\nab"'))
        self.assertEqual(self.console(client), guests.ECHO_TEXT.decode() + 'ab')
        client.command('x-rearm-loadvm', name='start')
        client.command('x-rearm-loadvm', name='end')
        self.assertEqual(self.travel(client, str(saved[2])), saved[2])
        self.assertEqual(self.state(client), saved)
        self.assertEqual(self.travel(client, '0%'), 0)
        client.command('x-rearm-savevm', name='from a replay')
        client.command('x-rearm-loadvm', name='abc')
        self.assertEqual(self.travel(client, str(newest[2])), newest[2])
        self.assertEqual(self.state(client), newest)
        client.command('cont')
        client.rest()
        self.assertEqual(process.wait(TIMEOUT), 0)
        self.assertIn(f'digest {digest} (equal)', process.stderr.read().decode())


if __name__ == '__main__':
    REARM = os.path.abspath(sys.argv.pop(1))
    unittest.main()
