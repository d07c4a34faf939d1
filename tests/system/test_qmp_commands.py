#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Commands of QMP one by one: what they answer, and how they refuse.

usage: test_qmp_commands.py REARM
"""
import os
import sys
import time
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import guests
import test_qmp


class CommandsTest(test_qmp.Program):
    def machine(self, *args, **kwargs):
        """A machine that stands still; its client."""
        process = self.start('-S', '-kernel', self.spin, '-qmp', 'unix:q,server=on', *args, **kwargs)
        return process, self.client('q').negotiate()

    def refused(self, client, name, class_='GenericError', **arguments):
        """The message of an error of this class."""
        error = client.execute(name, **arguments)['error']
        self.assertEqual(error['class'], class_, error)
        return error['desc']

    def hmp(self, client, line):
        return client.command('human-monitor-command', command_line=line).replace('\r\n', '\n')

    # ---- what there is ----

    def test_cpu_models(self):
        process, client = self.machine('-global', 'cortex-a53-arm-cpu.midr=0x410fd030')

        def expand(name, type_='full', **props):
            model = {'name': name, **({'props': props} if props else {})}
            return client.command('query-cpu-model-expansion', type=type_, model=model)['model']

        model = expand('cortex-a57')
        self.assertEqual(model['name'], 'cortex-a57')
        self.assertLessEqual({'cntfrq': 62500000, 'aarch64': True, 'has_el2': False, 'midr': 0}.items(),
                             model['props'].items())
        self.assertNotIn('mp-affinity', model['props'])
        self.assertEqual(expand('cortex-a57', 'static'), model)
        self.assertEqual(expand('cortex-a57', cntfrq=1000, aarch64=True)['props'],
                         {**model['props'], 'cntfrq': 1000})
        self.assertEqual(expand('cortex-a53')['props']['midr'], 0x410fd030)
        self.assertEqual(expand('max')['props']['sve'], False)
        for model in client.command('query-cpu-definitions'):
            self.assertEqual(expand(model['name'])['name'], model['name'])
        for model, text in (({'name': 'm68k'}, "The CPU type 'm68k' is not a recognized ARM CPU type"),
                            ({'name': 'max', 'props': {'sve': True}}, 'there is no SVE yet'),
                            ({'name': 'max', 'props': {'cntfreq': 5}}, "did you mean 'cntfrq'?"),
                            ({'name': 'max', 'props': {'cntfrq': -5}}, 'cntfrq=-5: expected a number'),
                            ({'name': 'max', 'props': {'cntfrq': [1]}}, 'neither a boolean'),
                            ({'name': 'max', 'props': 5}, 'expected: object')):
            self.assertIn(text, self.refused(client, 'query-cpu-model-expansion', type='full',
                                             model=model))
        self.assertIn('does not accept value', self.refused(
            client, 'query-cpu-model-expansion', type='half', model={'name': 'max'}))
        self.end(process, client)

    def test_inventory(self):
        process, client = self.machine('-m', '192M')
        self.assertEqual(client.command('query-gic-capabilities'),
                         [{'version': 2, 'emulated': True, 'kernel': False}])
        self.assertEqual(client.command('query-memory-size-summary'),
                         {'base-memory': 192 << 20, 'plugged-memory': 0})
        memdev, = client.command('query-memdev')
        self.assertEqual((memdev['size'], memdev['share']), (192 << 20, False))
        for name in ('query-iothreads', 'query-tpm-models', 'query-tpm-types',
                     'query-migrate-capabilities'):
            self.assertEqual(client.command(name), [])
        self.assertEqual(client.command('query-migrate'), {})
        self.assertEqual(client.command('query-current-machine'), {'wakeup-suspend-support': False})
        self.assertEqual(sorted(e['name'] for e in client.command('query-events')),
                         sorted(client.schema.names('event')))
        for name in ('query-balloon', 'balloon'):
            given = {'value': 1 << 30} if name == 'balloon' else {}
            self.assertEqual(self.refused(client, name, 'DeviceNotActive', **given),
                             'No balloon device has been activated')
        self.end(process, client)

    def test_options(self):
        process, client = self.machine()
        options = {o['option']: {p['name']: p['type'] for p in o['parameters']}
                   for o in client.command('query-command-line-options')}
        self.assertLessEqual({'machine', 'kernel', 'smp', 'icount', 'chardev', 'qmp'}, set(options))
        self.assertEqual(options['smp'], {'cpus': 'number', 'maxcpus': 'number', 'sockets': 'number',
                                          'clusters': 'number', 'cores': 'number',
                                          'threads': 'number'})
        self.assertEqual(options['icount']['rrmem'], 'size')
        self.assertEqual(options['accel']['link'], 'boolean')
        self.assertEqual(options['mon']['mode'], 'string')
        self.assertEqual(options['kernel'], {})
        self.assertEqual(client.command('query-command-line-options', option='rtc'),
                         [{'option': 'rtc', 'parameters': [{'name': 'base', 'type': 'string'},
                                                           {'name': 'clock', 'type': 'string'}]}])
        self.assertEqual(self.refused(client, 'query-command-line-options', option='fnord'),
                         'invalid option name: fnord')
        self.end(process, client)

    # ---- character back ends ----

    def test_chardevs(self):
        process, client = self.machine('-chardev', 'null,id=m,mux=on')

        def add(id_, type_, **data):
            return client.command('chardev-add', id=id_, backend={'type': type_, 'data': data})

        def labels():
            return {c['label']: c['filename'] for c in client.command('query-chardev')}

        kinds = {b['name'] for b in client.command('query-chardev-backends')}
        self.assertEqual(kinds, set(client.schema.entries['ChardevBackendKind']['values']))
        before = labels()
        self.assertEqual(add('n', 'null'), {})
        self.assertRegex(add('p', 'pty')['pty'], '^/dev/pts/[0-9]+$')
        add('f', 'file', out=os.path.join(self.dir, 'a,b'))
        add('s', 'socket', addr={'type': 'unix', 'data': {'path': os.path.join(self.dir, 's,t')}})
        add('t', 'socket', addr={'type': 'inet', 'data': {'host': 'localhost', 'port': '0'}},
            server=True, nodelay=True)
        self.assertTrue(os.path.exists(os.path.join(self.dir, 's,t')))
        self.assertRegex(labels()['t'], r'tcp:localhost:[1-9][0-9]*,server=on$')
        self.connect('s,t')
        self.assertEqual(client.execute('chardev-remove', id='s')['return'], {})
        self.assertFalse(os.path.exists(os.path.join(self.dir, 's,t')))
        for name in 'nptf':
            client.command('chardev-remove', id=name)
        self.assertTrue(os.path.exists(os.path.join(self.dir, 'a,b')))
        client.command('chardev-remove', id='m')
        self.assertEqual(set(labels()), set(before) - {'m', 'm-base'})
        for name, given, text in (
                ('chardev-add', {'id': 'monitor0', 'backend': {'type': 'null', 'data': {}}},
                 "Chardev with id 'monitor0' already exists"),
                ('chardev-add', {'id': '', 'backend': {'type': 'null', 'data': {}}}, 'identifier'),
                ('chardev-add', {'id': 'x', 'backend': {'type': 'udp', 'data': {}}},
                 "Parameter 'backend.type' does not accept value 'udp'"),
                ('chardev-add', {'id': 'x', 'backend': {'type': 'file', 'data': {}}},
                 "Parameter 'backend.data.out' is missing"),
                ('chardev-add', {'id': 'x', 'backend': {'type': 'file', 'data': {'out': '/'}}},
                 'Is a directory'),
                ('chardev-add', {'id': 'x', 'backend': {'type': 'socket', 'data': {
                    'addr': {'type': 'unix', 'data': {'path': 'w'}}, 'wait': True}}}, 'cannot wait'),
                ('chardev-add', {'id': 'x', 'backend': {'type': 'ringbuf', 'data': {'size': 100}}},
                 'size of ringbuf chardev must be power of two'),
                ('chardev-add', {'id': 'x', 'backend': {'type': 'ringbuf', 'data': {'size': -1}}},
                 'expected a size'),
                ('chardev-remove', {'id': 'n'}, "Chardev 'n' not found"),
                ('chardev-remove', {'id': 'monitor0'}, "Chardev 'monitor0' is busy"),
                ('chardev-send-break', {'id': 'n'}, "Chardev 'n' not found")):
            self.assertIn(text, self.refused(client, name, **given))
        self.assertEqual(set(labels()), set(before) - {'m', 'm-base'})
        self.end(process, client)

    def test_ringbuf(self):
        """What the guest prints is kept, and read."""
        process = self.start('-kernel', self.echo, '-chardev', 'ringbuf,id=r,size=32', '-no-shutdown', '-qmp',
                             'unix:q,server=on,wait=off', stdio='chardev:r')
        client = self.client('q').negotiate()
        seen, end = '', time.monotonic() + test_qmp.TIMEOUT
        while len(seen) < len(guests.ECHO_TEXT):
            self.assertLess(time.monotonic(), end)
            seen += client.command('ringbuf-read', device='r', size=5)
        self.assertEqual(seen, guests.ECHO_TEXT.decode())
        client.command('ringbuf-write', device='r', data='h\u00e9')
        client.command('ringbuf-write', device='r', data='AP+A', format='base64')
        self.assertEqual(client.command('ringbuf-read', device='r', size=3, format='base64'),
                         'aMOp')
        self.assertEqual(client.command('ringbuf-read', device='r', size=10), '\ufffd' * 3)
        self.assertEqual(client.command('ringbuf-read', device='r', size=10), '')
        client.command('ringbuf-write', device='r', data='0123456789' * 4)
        self.assertEqual(client.command('ringbuf-read', device='r', size=100),
                         ('0123456789' * 4)[-32:])
        for name, given, text in (
                ('ringbuf-read', {'device': 'x', 'size': 1}, "Device 'x' not found"),
                ('ringbuf-read', {'device': 'monitor0', 'size': 1}, 'monitor0 is not a ringbuf device'),
                ('ringbuf-read', {'device': 'r', 'size': 0}, 'size must be greater than zero'),
                ('ringbuf-read', {'device': 'r', 'size': -1}, 'size must be greater than zero'),
                ('ringbuf-write', {'device': 'x', 'data': ''}, "Device 'x' not found"),
                ('ringbuf-write', {'device': 'r', 'data': 'abc', 'format': 'base64'}, 'not valid'),
                ('ringbuf-write', {'device': 'r', 'data': 'abc', 'format': 'utf7'},
                 "does not accept value 'utf7'")):
            self.assertIn(text, self.refused(client, name, **given))
        self.end(process, client)

    def uart_breaks(self, client):
        """BERIS of the UART's raw interrupt status."""
        client.command('pmemsave', val=0x0900003c, size=4, filename='ris')
        with open(os.path.join(self.dir, 'ris'), 'rb') as f:
            return int.from_bytes(f.read(), 'little') >> 9 & 1

    def test_break(self):
        """A break is input: recorded, there again on replay, and refused in it."""
        process = self.start('-kernel', self.spin, '-icount', 'shift=2,rr=record,rrfile=log',
                             '-chardev', 'null,id=c,mux=on', '-qmp', 'unix:q,server=on,wait=off',
                             stdio='chardev:c')
        client = self.client('q').negotiate()
        self.assertEqual(self.uart_breaks(client), 0)
        client.command('chardev-send-break', id='c')
        end = time.monotonic() + test_qmp.TIMEOUT
        while not self.uart_breaks(client):
            self.assertLess(time.monotonic(), end)
        self.end(process, client)
        process = self.start('-S', '-icount', 'rr=replay,rrfile=log', '-chardev', 'null,id=c',
                             '-qmp', 'unix:q,server=on', stdio='chardev:c')
        client = self.client('q').negotiate()
        self.assertIn('no effect in a replay', self.refused(client, 'chardev-send-break', id='c'))
        client.command('x-rearm-replay-seek', place='100%')
        client.wait('STOP')
        self.assertEqual(self.uart_breaks(client), 1)
        client.command('quit')
        self.assertEqual(process.wait(test_qmp.TIMEOUT), 0)


if __name__ == '__main__':
    test_qmp.REARM = os.path.abspath(sys.argv.pop(1))
    unittest.main()
