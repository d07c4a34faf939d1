#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Commands of QMP one by one: what they answer, and how they refuse.

usage: test_qmp_commands.py REARM
"""
import functools
import os
import shutil
import struct
import subprocess
import sys
import time
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import guests
import test_qmp


class Commands(test_qmp.Program):
    """What tests of commands share."""

    def machine(self, *args, **kwargs):
        """A machine that stands still; its client."""
        process = self.start('-S', '-kernel', self.spin, '-qmp', 'unix:q,server=on', *args, **kwargs)
        return process, self.client('q').negotiate()

    def refused(self, client, name, class_='GenericError', /, **arguments):
        """The message of an error of this class."""
        error = client.execute(name, **arguments)['error']
        self.assertEqual(error['class'], class_, error)
        return error['desc']

    def run_on(self, client):
        """Some instructions further."""
        def position():
            return client.command('x-rearm-query-replay')['position']

        before, end = position(), time.monotonic() + test_qmp.TIMEOUT
        client.command('cont')
        while position() == before:
            self.assertLess(time.monotonic(), end)
        client.command('stop')

    @staticmethod
    def read_elf(path):
        """Segments as {virtual address: (physical address, bytes)}, and notes as [(type, bytes)]."""
        with open(path, 'rb') as f:
            data = f.read()
        fields = struct.unpack_from('<16sHHIQQQIHHHHHH', data)
        assert fields[0][:7] == b'\x7fELF\2\1\1' and fields[1:3] == (4, 183), fields
        segments, notes = {}, []
        for n in range(fields[10]):
            type_, _, offset, vaddr, paddr, size, memory, _ = struct.unpack_from(
                '<IIQQQQQQ', data, fields[5] + n * fields[9])
            assert size == memory and offset + size <= len(data)
            part = data[offset:offset + size]
            if type_ == 1:
                assert vaddr not in segments
                segments[vaddr] = (paddr, part)
            while type_ == 4 and part:
                name, length, kind = struct.unpack_from('<III', part)
                assert part[12:12 + name] == b'CORE\0'
                notes.append((kind, part[20:20 + length]))
                part = part[20 + (length + 3 & ~3):]
        return segments, notes


class CommandsTest(Commands):
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
                     'query-block', 'query-blockstats', 'query-named-block-nodes'):
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

    def test_balloon(self):
        """What a guest without a driver has, and what is no size or number."""
        process, client = self.machine('-device', 'virtio-balloon-pci,id=b0')
        actual = client.command('query-balloon')['actual']
        self.assertEqual(actual, client.command('query-memory-size-summary')['base-memory'])
        client.command('balloon', value=actual // 2)
        self.assertEqual(client.command('query-balloon'), {'actual': actual})
        for value in (0, -5):
            self.assertEqual(self.refused(client, 'balloon', value=value), "Parameter 'target' expects a size")
        self.refused(client, 'balloon', value='x')

        def hmp(line):
            return client.command('human-monitor-command', command_line=line)

        self.assertEqual(hmp('balloon 64'), '')
        self.assertEqual(hmp('info balloon'), 'balloon: actual=%d\r\n' % (actual >> 20))
        where = {'path': '/machine/peripheral/b0', 'property': 'guest-stats-polling-interval'}
        for value in (-1, 'x', 1 << 40):
            self.assertIn('is not a number of seconds', self.refused(client, 'qom-set', value=value, **where))
        client.command('qom-set', value=7, **where)
        stats = client.command('qom-get', path=where['path'], property='guest-stats')
        self.assertEqual(stats['last-update'], 0)
        self.assertEqual(stats['stats']['stat-free-memory'], (1 << 64) - 1)
        self.assertEqual(hmp('qom-set /machine/peripheral/b0 guest-stats-polling-interval 3'), '')
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

    # ---- disks ----

    def test_disks(self):
        with open(os.path.join(self.dir, 'disk'), 'wb') as f:
            f.truncate(1 << 20)
        process, client = self.machine('-drive', 'file=disk,format=raw,id=d,if=none,snapshot=on', '-device',
                                       'virtio-blk-device,drive=d,id=mine')
        disk, = client.command('query-block')
        self.assertEqual((disk['device'], disk['qdev'], disk['removable']), ('d', '/machine/peripheral/mine', False))
        self.assertEqual((disk['inserted']['drv'], disk['inserted']['ro']), ('raw', True))
        self.assertEqual(disk['inserted']['image']['virtual-size'], 1 << 20)
        self.assertEqual(client.command('query-named-block-nodes', flat=True), [disk['inserted']])
        stats, = client.command('query-blockstats')
        self.assertEqual((stats['device'], stats['qdev'], stats['stats']['rd_operations']), ('d', '/machine/peripheral/mine', 0))
        node, = client.command('query-blockstats', **{'query-nodes': True})
        self.assertEqual(node, {'node-name': 'd', 'stats': stats['stats']})
        self.assertIn('d: rd_bytes=0 ', self.hmp(client, 'info blockstats'))
        self.assertIn('d: %s (raw, read-only)' % os.path.realpath(os.path.join(self.dir, 'disk')),
                      self.hmp(client, 'info block'))
        self.assertIn('stays in memory', self.refused(client, 'block_resize', device='d', size=2 << 20))
        self.end(process, client)
        process, client = self.machine('-drive', 'file=disk,format=raw,id=d')
        client.command('block_resize', device='d', size=2 << 20)
        self.assertEqual(os.path.getsize(os.path.join(self.dir, 'disk')), 2 << 20)
        self.assertEqual(self.hmp(client, 'block_resize d 3M'), '')
        self.assertEqual(client.command('query-block')[0]['inserted']['image']['virtual-size'], 3 << 20)
        self.assertIn("Cannot find device='x'", self.refused(client, 'block_resize', device='x', size=512))
        self.assertIn('expected sectors', self.refused(client, 'block_resize', node_name='d', size=513))
        self.assertIn('is no size', self.hmp(client, 'block_resize d huge'))
        self.end(process, client)
        for options, error in ((('-drive', 'file=none'), "cannot open '"),
                               (('-drive', 'format=raw'), '-drive needs file=IMAGE'),
                               (('-drive', 'file=disk,if=ide'), '-drive if=ide: there are if=virtio'),
                               (('-drive', 'file=disk,format=rwa'), "there is no block driver 'rwa'"),
                               (('-drive', 'file=disk,if=none,serial=1'), 'it is a property of the device'),
                               (('-drive', 'file=disk,format=raw,fnord=1'), "'fnord'"),
                               (('-blockdev', 'driver=file,filename=disk'), 'needs node-name=NAME'),
                               (('-blockdev', 'driver=raw,node-name=a,file=b'), 'file=b: there is no other'),
                               (('-blockdev', 'driver=raw,node-name=a,file=a'), 'in a circle'),
                               (('-device', 'virtio-blk-device,drive=x'), "there is no drive 'x'"),
                               (('-device', 'virtio-blk-device'), 'needs drive=ID')):
            refused = self.start('-kernel', self.spin, *options)
            self.assertEqual(refused.wait(test_qmp.TIMEOUT), 1)
            self.assertIn(error, refused.stderr.read().decode())

    def test_blockdev_add(self):
        """Images that come and go; a device has one; a recorded machine has those of its command line."""
        with open(os.path.join(self.dir, 'late'), 'wb') as f:
            f.truncate(1 << 20)
        node = {'driver': 'raw', 'node-name': 'n', 'file': {'driver': 'file', 'filename': 'late', 'node-name': 'f'}}
        process, client = self.machine('-device', 'pcie-root-port,id=rp', '-nic', 'none')
        for _ in range(2):
            client.command('blockdev-add', **node)
            shown, = client.command('query-named-block-nodes')
            self.assertEqual((shown['node-name'], shown['ro'], shown['image']['virtual-size']), ('n', False, 1 << 20))
            self.assertIn("'n' is that of another", self.refused(
                client, 'blockdev-add', **{**node, 'read-only': True, 'file': {'driver': 'null-co'}}))
            client.command('blockdev-del', **{'node-name': 'n'})
            self.assertEqual(client.command('query-named-block-nodes'), [])
        client.command('blockdev-add', **{**node, 'read-only': True, 'cache': {'direct': True}})
        client.command('device_add', driver='virtio-blk-pci', bus='rp', id='mine', drive='n')
        disk, = client.command('query-block')
        self.assertEqual((disk['qdev'], disk['inserted']['ro']), ('/machine/peripheral/mine/virtio-backend', True))
        self.assertIn("the disk of device 'mine.virtio'", self.refused(client, 'blockdev-del', **{'node-name': 'n'}))
        self.assertIn("node-name='x'", self.refused(client, 'blockdev-del', **{'node-name': 'x'}))
        for change, error in (({'node-name': '1'}, 'expects an identifier'), ({'file': 'f'}, 'in place'),
                              ({'driver': 'rwa'}, "no block driver 'rwa'"), ({'sise': 5, 'file': {'driver': 'null-co'}}, "'sise'"),
                              ({'file': {'driver': 'file', 'filename': 'none'}}, 'cannot open')):
            self.assertIn(error, self.refused(client, 'blockdev-add', **{**node, **change}))
        self.assertEqual(self.hmp(client, 'drive_add 0 file=late,format=raw,if=none,id=h,readonly=on'), '')
        self.assertIn('h: ', self.hmp(client, 'info block'))
        self.assertEqual(self.hmp(client, 'drive_del h'), '')
        self.assertIn('if=none', self.hmp(client, 'drive_add 0 file=late,format=raw,id=h'))
        self.end(process, client)
        process, client = self.machine('-icount', 'shift=1,rr=record', '-device', 'pcie-root-port,id=rp', '-drive',
                                       'file=late,format=raw,if=none,id=d,readonly=on')
        self.assertIn('recorded or replayed', self.refused(
            client, 'blockdev-add', **{**node, 'file': {'driver': 'null-co'}}))
        self.assertIn('recorded or replayed', self.refused(client, 'blockdev-del', **{'node-name': 'd'}))
        self.assertEqual(len(client.command('query-named-block-nodes')), 1)
        self.end(process, client)

    def test_blockdevs(self):
        with open(os.path.join(self.dir, 'disk'), 'wb') as f:
            f.truncate(1 << 20)
        process, client = self.machine(
            '-blockdev', '{"driver": "file", "filename": "disk", "node-name": "f"}',
            '-blockdev', 'driver=raw,file=f,node-name=d,size=65536', '-drive',
            'driver=blkreplay,if=none,image=d,id=e', '-device', 'virtio-blk-pci,drive=e')
        disk, = client.command('query-block')
        self.assertEqual((disk['device'], disk['inserted']['image']['virtual-size']), ('e', 65536))
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
        terminal = add('p', 'pty')['pty']
        self.assertRegex(terminal, '^/dev/pts/[0-9]+$')
        self.assertEqual(labels()['p'], 'pty:' + terminal)
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

    # ---- PCI ----

    def test_pci(self):
        process, client = self.machine('-device', 'pcie-root-port,id=rp,addr=4,chassis=1', '-device',
                                       'edu,id=far,bus=rp', '-device', 'virtio-rng,id=dice,addr=3')
        buses = client.command('query-pci')
        self.assertEqual([bus['bus'] for bus in buses], [0])
        found = {d['qdev_id']: d for d in buses[0]['devices']}
        self.assertEqual([(d['qdev_id'], d['slot'], d['function']) for d in buses[0]['devices']],
                         [('gpex-root', 0, 0), ('dice', 3, 0), ('rp', 4, 0)])
        self.assertEqual(found['gpex-root']['id'], {'vendor': 0x1b36, 'device': 8,
                                                    'subsystem-vendor': 0x1af4, 'subsystem': 0x1100})
        self.assertEqual(found['gpex-root']['class_info'], {'desc': 'Host bridge', 'class': 0x600})
        self.assertEqual(found['gpex-root']['irq_pin'], 0)
        self.assertEqual(found['dice']['irq_pin'], 1)
        self.assertEqual(found['dice']['regions'], [
            {'bar': 0, 'type': 'io', 'address': -1, 'size': 32},
            {'bar': 1, 'type': 'memory', 'address': -1, 'size': 4096, 'prefetch': False,
             'mem_type_64': False},
            {'bar': 4, 'type': 'memory', 'address': -1, 'size': 16384, 'prefetch': True,
             'mem_type_64': True}])
        bridge = found['rp']['pci_bridge']
        self.assertEqual([d['qdev_id'] for d in bridge['devices']], ['far'])
        self.assertEqual(bridge['bus']['io_range'], {'base': 0, 'limit': 0xfff})
        text = client.command('human-monitor-command', command_line='info pci').replace('\r', '')
        self.assertIn('  Bus  0, device   3, function 0:\n    Class 0255: PCI device 1af4:1005\n'
                      '      PCI subsystem 1af4:0004\n      IRQ 0, pin A\n'
                      '      BAR0: I/O at nowhere, 0x20 bytes\n'
                      '      BAR1: 32 bit memory at nowhere, 0x1000 bytes\n'
                      '      BAR4: 64 bit prefetchable memory at nowhere, 0x4000 bytes\n'
                      '      id "dice"\n', text)
        self.assertIn('    PCI bridge: PCI device 1b36:000c\n', text)
        self.assertIn('      prefetchable memory range [0x00000000, 0x000fffff]\n', text)
        self.assertIn('PCI device 1234:11e8', text)
        client.command('quit')
        self.assertEqual(process.wait(test_qmp.TIMEOUT), 0)

    # ---- the tree of objects ----

    def test_qom(self):
        process, client = self.machine('-smp', '2', '-M', 'virt,dtb-randomness=off', '-device',
                                       'virtio-rng-device,id=dice', '-cpu', 'cortex-a53,cntfrq=1000',
                                       '-device', 'virtio-rng-pci,id=card,event_idx=off')

        def names(path):
            return {p['name']: p['type'] for p in client.command('qom-list', path=path)}

        def value(path, name):
            return client.command('qom-get', path=path, property=name)

        self.assertEqual(names('/'), {'type': 'str', 'machine': 'child<virt-machine>',
                                      'objects': 'child<container>', 'chardevs': 'child<container>'})
        self.assertEqual(value('/', 'machine'), '/machine')
        self.assertEqual(value('/machine', 'dtb-randomness'), False)
        self.assertEqual(value('/machine', 'kernel'), self.spin)
        self.assertEqual(value('/machine', 'initrd'), '')
        self.assertEqual(value('/machine', 'gic-version'), '2')
        for cpu in client.command('query-cpus-fast'):
            self.assertEqual(value(cpu['qom-path'], 'type'), 'cortex-a53-arm-cpu')
            self.assertEqual(value(cpu['qom-path'], 'cntfrq'), 1000)
        self.assertEqual(names('/machine/unattached')['uart0'], 'child<pl011>')
        self.assertEqual(value('/machine/unattached/gic', 'num-irq'), 288)
        self.assertEqual(value('gic', 'num-irq'), 288)
        self.assertEqual(value('unattached/gic', 'realized'), True)
        # A device and its bus lead to each other.
        bus = value('/machine/peripheral/dice', 'parent_bus')
        self.assertEqual(bus, '/machine/unattached/virtio-mmio.31/virtio-mmio-bus.31')
        self.assertEqual(value(bus, 'type'), 'virtio-bus')
        self.assertEqual(value(bus, 'child[0]'), '/machine/peripheral/dice')
        self.assertEqual(names(bus), {'type': 'str', 'child[0]': 'link<virtio-rng-device>'})
        self.assertEqual(names('/chardevs')['monitor0'], 'child<chardev-socket>')
        # A device that is another one's part, and both of their properties.
        self.assertEqual(value('/machine/peripheral/card', 'parent_bus'),
                         '/machine/unattached/pcie/pcie.0')
        self.assertEqual(value('card', 'vectors'), 4294967295)
        self.assertEqual(value('card/virtio-backend', 'event_idx'), False)
        self.assertEqual(names('/machine/peripheral/card')['virtio-backend'], 'child<virtio-rng-device>')
        # Whatever is listed has a value, and each child is a place.
        places = ['/']
        while places:
            path = places.pop()
            for name, type_ in names(path).items():
                got = value(path, name)
                if type_.startswith('child<'):
                    self.assertEqual(got, f'{path.rstrip("/")}/{name}')
                    self.assertEqual(f'child<{value(got, "type")}>', type_)
                    places.append(got)
        for type_ in ('virt-machine', 'virt-7.2-machine', 'pl011', 'max-arm-cpu', 'rng-random'):
            self.assertIn('type', [p['name'] for p in client.command('qom-list-properties',
                                                                     typename=type_)])
        self.assertEqual(self.refused(client, 'qom-list-properties', 'DeviceNotFound',
                                      typename='virt'), "Class 'virt' not found")
        for path in ('/none', '/machine/gic', 'none', '', '/machine/unattached/gic/x'):
            self.assertEqual(self.refused(client, 'qom-list', 'DeviceNotFound', path=path),
                             f"Device '{path}' not found")
        self.assertEqual(self.refused(client, 'qom-get', path='/machine', property='x'),
                         "Property 'virt-machine.x' not found")
        for path, name, text in (
                ('gic', 'num-irq', "Attempt to set property 'num-irq' on device 'gic' (type 'arm_gic') "
                 'after it was realized'),
                ('gic', 'x', "Property 'arm_gic.x' not found"),
                ('/machine', 'kernel', "Property 'virt-machine.kernel' is not writable"),
                ('/machine/unattached/device[1]', 'cntfrq',
                 "Property 'cortex-a53-arm-cpu.cntfrq' is not writable")):
            self.assertEqual(self.refused(client, 'qom-set', path=path, property=name, value=1), text)
        self.assertEqual(value('gic', 'num-irq'), 288)
        self.end(process, client)

    def test_objects(self):
        process, client = self.machine()
        secret = os.path.join(self.dir, 's,1')
        with open(secret, 'wb') as f:
            f.write(b'\xff')
        add = functools.partial(client.command, 'object-add')
        add(qom_type='rng-builtin', id='r')
        add(qom_type='rng-random', id='d')
        add(qom_type='rng-random', id='f', filename=secret)
        add(qom_type='secret', id='s', data='a,b=c', format='raw')
        add(qom_type='secret', id='k', file=secret)
        client.command('object-del', id='k')
        self.assertEqual([p['name'] for p in client.command('qom-list', path='/objects')],
                         ['type', 'r', 'd', 'f', 's'])
        self.assertEqual(client.command('qom-get', path='/objects/f', property='filename'), secret)
        self.assertEqual(client.command('qom-get', path='/objects/d', property='filename'),
                         '/dev/urandom')
        client.command('object-del', id='d')
        add(qom_type='memory-backend-ram', id='m', size=1 << 20, prealloc=True)
        add(qom_type='memory-backend-file', id='mf', size=1 << 20, share=True, mem_path='a,b')
        add(qom_type='memory-backend-memfd', id='md', size=1 << 20)
        self.assertEqual(client.command('qom-get', path='/objects/mf', property='mem-path'), 'a,b')
        self.assertEqual(client.command('qom-get', path='/objects/mf', property='share'), True)
        self.assertEqual(client.command('qom-get', path='/objects/m', property='size'), 1 << 20)
        for name in ('m', 'mf', 'md'):
            client.command('object-del', id=name)
        for given, text in (
                ({'qom_type': 'memory-backend-ram', 'id': 'x'}, "Parameter 'size' is missing"),
                ({'qom_type': 'memory-backend-ram', 'id': 'x', 'size': 5}, 'size'),
                ({'qom_type': 'memory-backend-file', 'id': 'x', 'size': 4096},
                 "Parameter 'mem-path' is missing"),
                ({'qom_type': 'rng-egd', 'id': 'x'}, "Parameter 'qom-type' does not accept value"),
                ({'qom_type': 'secret'}, "Parameter 'id' is missing"),
                ({'qom_type': 'secret', 'id': ''}, 'identifier'),
                ({'qom_type': 'secret', 'id': 'x'}, "Must provide 'file' or 'data'"),
                ({'qom_type': 'secret', 'id': 'x', 'data': 'a', 'file': 'b'}, 'mutually exclusive'),
                ({'qom_type': 'secret', 'id': 'x', 'data': 'a?', 'format': 'base64'}, 'not valid'),
                ({'qom_type': 'secret', 'id': 'x', 'file': 'none'}, 'Unable to read none'),
                ({'qom_type': 'secret', 'id': 'x', 'file': secret, 'format': 'base64'}, 'not valid'),
                ({'qom_type': 'rng-random', 'id': 'x', 'filename': '/none'}, "Could not open '/none'"),
                ({'qom_type': 'rng-builtin', 'id': 'x', 'filename': 'f'}, 'unexpected'),
                ({'qom_type': 'rng-builtin', 'id': 'r'}, "duplicate property 'r'")):
            self.assertIn(text, self.refused(client, 'object-add', **given))
        self.assertEqual(self.refused(client, 'object-del', id='d'), "object 'd' not found")
        self.assertEqual([p['name'] for p in client.command('qom-list', path='/objects')],
                         ['type', 'r', 'f', 's'])
        self.end(process, client)
        process, client = self.machine('-icount', 'shift=1,rr=record')
        self.assertIn('not possible while a run is recorded',
                      self.refused(client, 'object-add', qom_type='rng-random', id='x'))
        client.command('object-add', qom_type='rng-builtin', id='x')
        self.end(process, client)

    # ---- file descriptors ----

    def test_descriptors(self):
        process, client = self.machine()

        def give(fds, name, **arguments):
            client.passing = fds
            return client.execute(name, **arguments)

        def open_in_rearm():
            return len(os.listdir(f'/proc/{process.pid}/fd'))

        before = open_in_rearm()
        with open(os.path.join(self.dir, 'out'), 'w+b') as out, \
                open(os.path.join(self.dir, 'in'), 'w+b') as other:
            read_only = os.open(other.name, os.O_RDONLY)
            self.addCleanup(os.close, read_only)
            first = give([read_only], 'add-fd', opaque='to read')['return']
            self.assertEqual(first['fdset-id'], 0)
            second = give([out.fileno()], 'add-fd', fdset_id=0)['return']
            third = give([out.fileno()], 'add-fd')['return']
            self.assertEqual(third['fdset-id'], 1)
            self.assertEqual(client.command('query-fdsets'), [
                {'fdset-id': 0, 'fds': [{'fd': first['fd'], 'opaque': 'to read'},
                                        {'fd': second['fd']}]},
                {'fdset-id': 1, 'fds': [{'fd': third['fd']}]}])
            client.command('pmemsave', val=guests.LOAD, size=64, filename='/dev/fdset/0')
            client.command('memsave', val=guests.LOAD, size=64, filename='/dev/fdset/1')
            out.seek(0)
            self.assertEqual(out.read(), guests.code(guests.SPIN).ljust(64, b'\0')[:64] * 2)
            client.command('remove-fd', fdset_id=0, fd=second['fd'])
            self.assertIn('Permission denied', self.refused(
                client, 'pmemsave', val=guests.LOAD, size=64, filename='/dev/fdset/0'))
            client.command('remove-fd', fdset_id=0)
            client.command('remove-fd', fdset_id=1)
            self.assertEqual(client.command('query-fdsets'), [])
            for path in ('/dev/fdset/0', '/dev/fdset/x'):
                self.assertIn('No such file', self.refused(client, 'pmemsave', val=guests.LOAD,
                                                           size=64, filename=path))
            self.assertEqual(open_in_rearm(), before)
            self.assertEqual(give([out.fileno()], 'getfd', fdname='a')['return'], {})
            self.assertEqual(give([out.fileno()], 'getfd', fdname='a')['return'], {})
            self.assertEqual(give([out.fileno()], 'getfd', fdname='b')['return'], {})
            self.assertEqual(client.command('query-fdsets'), [])
            self.assertEqual(open_in_rearm(), before + 2)
            client.command('closefd', fdname='a')
            client.command('closefd', fdname='b')
            # What nobody takes is closed with the next ones, and the last with the connection.
            for n in range(50):
                give([out.fileno()] * 16, 'query-name')
            self.assertLessEqual(open_in_rearm(), before + 16)
        for name, given, text in (
                ('getfd', {'fdname': '1a'}, 'a name not starting with a digit'),
                ('getfd', {'fdname': ''}, 'a name not starting with a digit'),
                ('closefd', {'fdname': 'a'}, "File descriptor named 'a' not found"),
                ('add-fd', {'fdset_id': -1}, 'expects a non-negative value'),
                ('remove-fd', {'fdset_id': 1}, "File descriptor named 'fdset-id:1' not found"),
                ('remove-fd', {'fdset_id': 1, 'fd': 2},
                 "File descriptor named 'fdset-id:1, fd:2' not found")):
            self.assertEqual(self.refused(client, name, **given).count(text), 1)
        self.end(process, client)
        process, client = self.machine('-qmp', 'stdio')
        for name, given in (('getfd', {'fdname': 'a'}), ('add-fd', {})):
            self.assertEqual(self.refused(client, name, **given),
                             'No file descriptor supplied via SCM_RIGHTS')
        self.end(process, client)

    # ---- jobs ----

    def job(self, client, name, tag, job='j', **arguments):
        """Run it to its end; the states it went through, and its error."""
        if name != 'snapshot-delete':
            arguments.setdefault('vmstate', 'snapshot-file')
        arguments.setdefault('devices', [])
        client.events.clear()
        client.command(name, job_id=job, tag=tag, **arguments)
        states = []
        while not states or states[-1] != 'concluded':
            data = client.wait('JOB_STATUS_CHANGE')['data']
            self.assertEqual(data['id'], job)
            states.append(data['status'])
        info, = client.command('query-jobs')
        self.assertEqual((info['id'], info['type'], info['status']), (job, name, 'concluded'))
        client.command('job-dismiss', id=job)
        self.assertEqual(client.wait('JOB_STATUS_CHANGE')['data'], {'id': job, 'status': 'null'})
        self.assertEqual(client.command('query-jobs'), [])
        return states, info.get('error')

    def test_snapshot_jobs(self):
        process, client = self.machine('-icount', 'shift=2', '-snapshot-file', 'snap')
        good = ['created', 'running', 'waiting', 'pending', 'concluded']
        bad = ['created', 'running', 'aborting', 'concluded']
        self.assertEqual(self.job(client, 'snapshot-save', 'start'), (good, None))
        start = client.command('x-rearm-query-digest')
        self.run_on(client)
        self.assertNotEqual(client.command('x-rearm-query-digest'), start)
        self.assertEqual(self.job(client, 'snapshot-save', 'later', 'a-long.name_1'), (good, None))
        self.assertEqual(self.job(client, 'snapshot-load', 'start'), (good, None))
        self.assertEqual(client.command('x-rearm-query-digest'), start)
        self.assertEqual([s['name'] for s in client.command('x-rearm-query-snapshots')],
                         ['start', 'later'])
        self.assertEqual(self.job(client, 'snapshot-delete', 'later'), (good, None))
        for name, tag, arguments, text in (
                ('snapshot-load', 'later', {}, "there is no snapshot 'later'"),
                ('snapshot-delete', 'later', {}, "there is no snapshot 'later'"),
                ('snapshot-save', '', {}, 'cannot be the name of a snapshot'),
                ('snapshot-save', 'x', {'vmstate': 'disk0'}, "block device 'disk0' does not exist"),
                ('snapshot-load', 'start', {'devices': ['d']}, "No block device node 'd'"),
                ('snapshot-delete', 'start', {'devices': ['d']}, "No block device node 'd'")):
            states, error = self.job(client, name, tag, **arguments)
            self.assertEqual(states, bad)
            self.assertIn(text, error)
        self.assertEqual([s['name'] for s in client.command('x-rearm-query-snapshots')], ['start'])
        # All in one piece, so that the first has not begun when the others come.
        client.send(b'{"execute": "snapshot-delete", "arguments": {"job-id": "j", "tag": "start", '
                    b'"devices": []}} {"execute": "job-dismiss", "arguments": {"id": "j"}}'
                    b'{"execute": "job-cancel", "arguments": {"id": "j"}}')
        self.assertEqual(client.reply(), {'return': {}})
        self.assertIn("in state 'created' cannot accept command verb 'dismiss'",
                      client.reply()['error']['desc'])
        self.assertEqual(client.reply(), {'return': {}})
        info, = client.command('query-jobs')
        self.assertEqual((info['status'], info['error']), ('concluded', 'Operation canceled'))
        for name, given, text in (
                ('job-cancel', {'id': 'j'}, "in state 'concluded' cannot accept command verb 'cancel'"),
                ('job-cancel', {'id': 'k'}, 'Job not found'),
                ('job-dismiss', {'id': 'k'}, 'Job not found'),
                ('snapshot-delete', {'job_id': 'j', 'tag': 'x', 'devices': []},
                 "Job ID 'j' already in use"),
                ('snapshot-delete', {'job_id': '1', 'tag': 'x', 'devices': []}, "Invalid job ID '1'"),
                ('snapshot-delete', {'job_id': 'a b', 'tag': 'x', 'devices': []}, 'Invalid job ID')):
            self.assertIn(text, self.refused(client, name, **given))
        self.assertEqual([s['name'] for s in client.command('x-rearm-query-snapshots')], ['start'])
        self.end(process, client)

    def test_snapshot_jobs_of_a_recording(self):
        """In a replay it is a place; a state of another run is refused."""
        process, client = self.machine('-icount', 'shift=2,rr=record,rrfile=log')
        self.run_on(client)
        self.assertIsNone(self.job(client, 'snapshot-save', 'here')[1])
        here = client.command('x-rearm-query-digest')
        self.end(process, client)
        process = self.start('-S', '-icount', 'rr=replay,rrfile=log', '-qmp', 'unix:q,server=on')
        client = self.client('q').negotiate()
        self.assertIsNone(self.job(client, 'snapshot-load', 'here')[1])
        self.assertEqual(client.command('x-rearm-query-digest'), here)
        client.command('quit')
        self.assertEqual(process.wait(test_qmp.TIMEOUT), 0)

    # ---- dumps ----

    def gdb(self, *commands):
        argv = ['gdb-multiarch', '-nx', '-batch', '-ex', 'set architecture aarch64']
        for command in commands:
            argv += ['-ex', command]
        return subprocess.run(argv, cwd=self.dir, capture_output=True, text=True,
                              timeout=3 * test_qmp.TIMEOUT, stdin=subprocess.DEVNULL).stdout

    def run_to(self, client, address):
        """Until CPU 0 is there."""
        end = time.monotonic() + test_qmp.TIMEOUT
        client.command('cont')
        while client.command('x-rearm-query-cpus')[0]['pc'] != address:
            self.assertLess(time.monotonic(), end)
        client.command('stop')

    def test_dump(self):
        process, client = self.machine('-smp', '2', '-m', '16M')
        self.assertEqual(client.command('query-dump'), {'status': 'none', 'completed': 0, 'total': 0})
        self.run_on(client)
        digest = client.command('x-rearm-query-digest')
        client.command('dump-guest-memory', paging=False, protocol='file:core')
        self.assertEqual(client.command('x-rearm-query-digest'), digest)
        self.assertEqual(client.command('query-dump'), {'status': 'completed', 'completed': 16 << 20,
                                                        'total': 16 << 20})
        client.command('pmemsave', val=0x40000000, size=16 << 20, filename='ram')
        with open(os.path.join(self.dir, 'ram'), 'rb') as f:
            ram = f.read()
        segments, notes = self.read_elf(os.path.join(self.dir, 'core'))
        self.assertEqual(list(segments), [0x40000000])
        self.assertTrue(segments[0x40000000] == (0x40000000, ram))
        self.assertEqual([(kind, len(note)) for kind, note in notes], [(1, 392), (2, 528)] * 2)
        pc = client.command('x-rearm-query-cpus')[0]['pc']
        self.assertEqual(struct.unpack_from('<Q', notes[0][1], 112 + 32 * 8)[0], pc)
        self.assertEqual([struct.unpack_from('<I', note, 32)[0] for kind, note in notes[::2]], [1, 2])
        # With paging, but without translation, it is the same.
        client.command('dump-guest-memory', paging=True, protocol='file:same')
        self.assertEqual(self.read_elf(os.path.join(self.dir, 'same')), (segments, notes))
        client.command('dump-guest-memory', paging=False, protocol='file:part', begin=guests.LOAD,
                       length=5000)
        part, _ = self.read_elf(os.path.join(self.dir, 'part'))
        self.assertEqual(part, {guests.LOAD: (guests.LOAD, ram[0x80000:0x80000 + 5000])})
        client.command('dump-guest-memory', paging=False, protocol='file:late', detach=True)
        event = client.wait('DUMP_COMPLETED')['data']
        self.assertEqual(event, {'result': client.command('query-dump')})
        self.assertEqual(self.read_elf(os.path.join(self.dir, 'late')), (segments, notes))
        client.passing = [os.open(os.path.join(self.dir, 'by-fd'), os.O_RDWR | os.O_CREAT)]
        client.command('getfd', fdname='d')
        client.command('dump-guest-memory', paging=False, protocol='fd:d')
        self.assertEqual(self.read_elf(os.path.join(self.dir, 'by-fd')), (segments, notes))
        for given, text in (
                ({'paging': False, 'protocol': 'fd:d'}, "File descriptor named 'd' not found"),
                ({'paging': False, 'protocol': 'tcp:x'}, "Invalid parameter 'protocol'"),
                ({'paging': False, 'protocol': 'file:/none/x'}, "Could not open '/none/x'"),
                ({'paging': False, 'protocol': 'file:x', 'begin': 5}, "'length' is missing"),
                ({'paging': False, 'protocol': 'file:x', 'length': 5}, "'begin' is missing"),
                ({'paging': False, 'protocol': 'file:x', 'begin': 5, 'length': 0}, 'positive'),
                ({'paging': False, 'protocol': 'file:x', 'begin': -5, 'length': 1}, 'an address'),
                ({'paging': True, 'protocol': 'file:x', 'begin': 5, 'length': 1}, 'with paging'),
                ({'paging': False, 'protocol': 'file:/dev/full'}, 'No space left'),
                ({'protocol': 'file:x'}, "Parameter 'paging' is missing")):
            self.assertIn(text, self.refused(client, 'dump-guest-memory', **given))
        self.assertEqual(client.command('query-dump')['status'], 'failed')
        client.command('dump-guest-memory', paging=False, protocol='file:/dev/full', detach=True)
        event = client.wait('DUMP_COMPLETED')['data']
        self.assertEqual(event['result']['status'], 'failed')
        self.assertIn('No space left', event['error'])
        self.end(process, client)
        if shutil.which('gdb-multiarch'):
            text = self.gdb('core-file core', 'info threads', 'p/x $pc', f'x/2xw {guests.LOAD}',
                            'thread 2', 'p $x0')
            self.assertIn(f'$1 = {pc:#x}', text)
            self.assertIn('2    LWP 2', text)
            self.assertIn(f'{guests.LOAD:#x}:\t{guests.SPIN[0]:#010x}\t{guests.SPIN[1]:#010x}', text)

    def test_dump_with_paging(self):
        """Virtual addresses are those of the guest's tables."""
        guest = guests.write(os.path.join(self.dir, 'mmu.elf'), guests.MMU)
        process = self.start('-S', '-kernel', guest, '-m', '16M', '-qmp', 'unix:q,server=on')
        client = self.client('q').negotiate()
        self.run_to(client, guests.LOAD + 4 * (len(guests.MMU) - 1))
        client.command('dump-guest-memory', paging=True, protocol='file:core')
        segments, _ = self.read_elf(os.path.join(self.dir, 'core'))
        high = guests.MMU_HIGH
        self.assertEqual({vaddr: (paddr, len(part)) for vaddr, (paddr, part) in segments.items()}, {
            0x40000000: (0x40000000, 16 << 20),
            # Two blocks side by side.
            high + (6 << 20): (0x40000000, 4 << 20),
            high + (10 << 20) + 0x7000: (guests.LOAD, 0x1000)})
        ram = segments[0x40000000][1]
        self.assertTrue(segments[high + (6 << 20)][1] == ram[:4 << 20])
        self.assertEqual(segments[high + (10 << 20) + 0x7000][1], ram[0x80000:0x81000])
        self.end(process, client)
        if shutil.which('gdb-multiarch'):
            address = high + (10 << 20) + 0x7000
            self.assertIn(f'{address:#x}:\t{guests.MMU[0]:#010x}',
                          self.gdb('core-file core', f'x/1xw {address}'))

    # ---- events ----

    def test_rtc_change(self):
        """The first one at once, the others as one a second later; with equal offsets on replay."""
        guest = guests.write(os.path.join(self.dir, 'rtc.elf'), guests.RTC)
        process = self.start('-S', '-kernel', guest, '-icount', 'shift=1,rr=record,rrfile=log',
                             '-qmp', 'unix:q,server=on')
        client = self.client('q').negotiate()
        now = int(time.time())
        client.command('cont')
        first = client.wait('RTC_CHANGE')
        last = client.wait('RTC_CHANGE')
        for event, value in (first, 1000), (last, 5000):
            self.assertEqual(event['data']['qom-path'], '/machine/unattached/rtc')
            self.assertLess(abs(event['data']['offset'] - (value - now)), 30)
        self.assertEqual(client.command('qom-get', path=first['data']['qom-path'], property='type'),
                         'pl031')
        self.end(process, client)
        process = self.start('-S', '-no-shutdown', '-icount', 'rr=replay,rrfile=log', '-qmp',
                             'unix:q,server=on')
        client = self.client('q').negotiate()
        client.command('cont')
        self.assertEqual(client.wait('RTC_CHANGE')['data'], first['data'])
        self.assertEqual(client.wait('RTC_CHANGE')['data'], last['data'])
        client.command('quit')
        self.assertEqual(process.wait(test_qmp.TIMEOUT), 0)

    def test_replay_events(self):
        process, client = self.machine('-icount', 'shift=2,rr=record,rrfile=log')
        self.run_on(client)
        end = client.command('x-rearm-query-replay')['position']
        self.end(process, client)
        process = self.start('-S', '-no-shutdown', '-icount', 'rr=replay,rrfile=log', '-qmp',
                             'unix:q,server=on')
        client = self.client('q').negotiate()
        client.command('replay-break', icount=10)
        client.command('cont')
        self.assertEqual(client.wait('REPLAY_BREAK_REACHED')['data'], {'position': 10})
        client.wait('STOP')
        self.assertEqual(client.command('x-rearm-query-replay')['position'], 10)
        client.command('replay-seek', icount=20)
        client.wait('RESUME')
        client.wait('STOP')
        client.command('replay-seek', icount=5)
        while client.wait('STOP') and client.command('x-rearm-query-replay')['position'] != 5:
            pass
        self.assertNotIn('REPLAY_BREAK_REACHED', [e['event'] for e in client.events])
        for again in range(2):
            client.events.clear()
            client.command('replay-seek', icount=5)
            client.wait('STOP')
            client.command('replay-delete-break') if not again else None
            client.command('cont')
            self.assertEqual(client.wait('REPLAY_END_REACHED')['data'], {'position': end})
            client.wait('STOP')
        client.command('quit')
        self.assertEqual(process.wait(test_qmp.TIMEOUT), 0)
        # One that nobody watches ends, and says so first.
        process = self.start('-S', '-icount', 'rr=replay,rrfile=log', '-qmp', 'unix:q,server=on')
        client = self.client('q').negotiate()
        client.command('cont')
        self.assertIn('REPLAY_END_REACHED', client.rest())
        self.assertEqual(process.wait(test_qmp.TIMEOUT), 0)

    # ---- the human monitor ----

    def test_translation(self):
        guest = guests.write(os.path.join(self.dir, 'mmu.elf'), guests.MMU)
        process = self.start('-S', '-kernel', guest, '-m', '16M', '-qmp', 'unix:q,server=on')
        client = self.client('q').negotiate()
        self.assertEqual(self.hmp(client, 'info mem'),
                         'addresses are not translated (the MMU is off)\n')
        self.run_to(client, guests.LOAD + 4 * (len(guests.MMU) - 1))
        digest = client.command('x-rearm-query-digest')
        self.assertEqual(self.hmp(client, 'info tlb'),
                         '0000000000000000: 0000000000000000 40000000 rwx/--x\n'
                         '0000000040000000: 0000000040000000 40000000 rwx/--x\n'
                         'ffffff8000600000: 0000000040000000 00200000 rwx/--x\n'
                         'ffffff8000800000: 0000000040200000 00200000 rwx/--x\n'
                         'ffffff8000a07000: 0000000040080000 00001000 r-x/r-x\n')
        self.assertEqual(self.hmp(client, 'info mem'),
                         '0000000000000000-000000007fffffff 0000000080000000 rwx/--x\n'
                         'ffffff8000600000-ffffff80009fffff 0000000000400000 rwx/--x\n'
                         'ffffff8000a07000-ffffff8000a07fff 0000000000001000 r-x/r-x\n')
        self.assertEqual(self.hmp(client, 'gva2gpa 0xffffff8000a07123'), 'gpa: 0x40080123\n')
        self.assertEqual(self.hmp(client, 'gva2gpa 0xffffff8000a08000'), 'Unmapped\n')
        self.assertEqual(client.command('x-rearm-query-digest'), digest)
        self.end(process, client)

    def test_hmp(self):
        process, client = self.machine('-icount', 'shift=1', '-name', 'box')
        self.run_on(client)
        digest = client.command('x-rearm-query-digest')
        self.assertEqual(self.hmp(client, 'dump-guest-memory -p "a b"'), '')
        self.assertEqual(list(self.read_elf(os.path.join(self.dir, 'a b'))[0]), [0x40000000])
        self.assertEqual(self.hmp(client, 'info dump'), 'Status: completed\nFinished: 100.00 %\n')
        self.assertEqual(self.hmp(client, f'dump-guest-memory c {guests.LOAD:#x} 0x1000*2'), '')
        self.assertEqual(self.read_elf(os.path.join(self.dir, 'c'))[0][guests.LOAD][1][:4],
                         struct.pack('<I', guests.SPIN[0]))
        self.hmp(client, f'pmemsave {guests.LOAD:#x} 5000 part')
        with open(os.path.join(self.dir, 'part'), 'rb') as f:
            total = 0
            for byte in f.read():
                total = (total >> 1 | (total & 1) << 15) + byte & 0xffff
        self.assertEqual(self.hmp(client, f'sum {guests.LOAD:#x} 5000'), f'{total:05}\n')
        self.assertIn(f'kernel: {self.spin}\n', self.hmp(client, 'info roms'))
        self.assertIn('mem=flash name="flash0"', self.hmp(client, 'info roms'))
        self.assertRegex(self.hmp(client, 'info ramblock'), r'\nram +4 KiB 0000000040000000 ')
        self.assertIn('memory backend: ram\n  size:  ', self.hmp(client, 'info memdev'))
        self.assertIn('\n  /uart0 (pl011)\n', self.hmp(client, 'info qom-tree unattached'))
        self.assertEqual(self.hmp(client, 'info uuid'), '00000000-0000-0000-0000-000000000000\n')
        self.assertEqual(self.hmp(client, 'info kvm'), 'kvm support: not compiled\n')
        self.assertEqual(self.hmp(client, 'qom-get gic num-irq'), '288\n')
        self.assertEqual(self.hmp(client, 'logfile log'), '')
        self.assertIn('cannot', self.hmp(client, 'logfile /none/x').lower())
        # What looks changes nothing; every subject of info has something to say, or an error.
        for line in self.hmp(client, 'info').splitlines():
            subject = line.split()[1].split('|')[0]
            self.assertTrue(self.hmp(client, f'info {subject}'), subject)
        self.assertEqual(client.command('x-rearm-query-digest'), digest)
        self.end(process, client)

    def test_one_insn(self):
        """Whatever the units are, the run is the same."""
        digests = []
        for lines in ((), ('one-insn-per-tb on',), ('one-insn-per-tb', 'one-insn-per-tb off')):
            process = self.start('-S', '-kernel', self.spin, '-icount', 'shift=1,rr=record', '-qmp',
                                 'unix:q,server=on', '-M', 'virt,dtb-randomness=off')
            client = self.client('q').negotiate()
            for line in lines:
                self.assertEqual(self.hmp(client, line), '')
            client.command('replay-break', icount=20000)
            client.command('cont')
            client.wait('REPLAY_BREAK_REACHED')
            client.wait('STOP')
            digests.append(client.command('x-rearm-query-digest'))
            digests[-1]['one'] = '(1.0 guest' in self.hmp(client, 'info jit')
            self.end(process, client)
        self.assertEqual(digests[0]['digest'], digests[1]['digest'])
        self.assertEqual(digests[0]['digest'], digests[2]['digest'])
        self.assertEqual([d['one'] for d in digests], [False, True, False])

    def test_interrupts(self):
        guest = guests.write(os.path.join(self.dir, 'irq.elf'), guests.IRQ)
        process = self.start('-S', '-kernel', guest, '-smp', '2', '-qmp', 'unix:q,server=on')
        client = self.client('q').negotiate()
        self.assertEqual(self.hmp(client, 'info irq'),
                         'No interrupt is enabled, pending or active.\n')
        self.run_to(client, guests.LOAD + 4 * (len(guests.IRQ) - 1))
        spi = '  33 SPI  enabled pending priority 0xa0 CPUs 0x01\n'
        self.assertEqual(self.hmp(client, 'info irq'), '  27 PPI  enabled priority 0x00\n' + spi)
        # The other CPU has private interrupts of its own.
        self.hmp(client, 'cpu 1')
        self.assertEqual(self.hmp(client, 'info pic'), spi)
        self.end(process, client)

    def test_history(self):
        process = self.start('-S', '-kernel', self.spin, '-monitor', 'unix:h,server=on,wait=off')
        human = self.connect('h')
        human.sendall(b'info status\rinfo name\rinfo history\r')
        seen = b''
        while b"2: 'info history'" not in seen:
            seen += human.recv(4096)
        self.assertIn(b"0: 'info status'\r\n1: 'info name'\r\n", seen)
        human.sendall(b'quit\r')
        self.assertEqual(process.wait(test_qmp.TIMEOUT), 0)


if __name__ == '__main__':
    test_qmp.REARM = os.path.abspath(sys.argv.pop(1))
    unittest.main()
