#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Commands of QMP one by one: what they answer, and how they refuse.

usage: test_qmp_commands.py REARM
"""
import os
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
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


if __name__ == '__main__':
    test_qmp.REARM = os.path.abspath(sys.argv.pop(1))
    unittest.main()
