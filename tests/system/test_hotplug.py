#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""device_add and device_del as clients see them, on guests that take no part in it.

usage: test_hotplug.py REARM
"""
import functools
import os
import sys
import time
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import test_qmp
from test_qmp_commands import Commands


class HotplugTest(Commands):
    def test_ports(self):
        """Root ports take devices; a guest that does not take part keeps what it has switched on."""
        disk = os.path.join(self.dir, 'disk')
        with open(disk, 'wb') as f:
            f.write(bytes(1 << 20))
        process, client = self.machine(
            '-device', 'pcie-root-port,id=r1,slot=1', '-device', 'edu,bus=r1,id=first', '-device',
            'pcie-root-port,id=r0,slot=0', '-device', 'pcie-root-port,id=r2,slot=2', '-nic', 'none', '-device',
            'virtio-net-pci,bus=r2,id=card', '-drive', 'if=none,id=d,format=raw,file=' + disk)
        add = functools.partial(client.command, 'device_add')
        path = '/machine/peripheral/'
        add(driver='virtio-blk-pci', drive='d', id='disk')
        self.assertEqual(client.command('qom-get', path='disk', property='parent_bus'), path + 'r0/r0')
        for given, text in (
                ({'driver': 'edu', 'bus': 'pcie.0'}, "Bus 'pcie.0' does not support hotplugging"),
                ({'driver': 'edu', 'bus': 'r0'}, "bus 'r0' is a port with one slot, which 'disk' is in"),
                ({'driver': 'edu', 'bus': 'r0', 'addr': '0.1'}, "'disk' in that slot has no multifunction=on"),
                ({'driver': 'edu', 'bus': 'r0', 'addr': '1'}, 'addr=1: expected SLOT'),
                ({'driver': 'edu', 'bus': 'r0', 'id': 'disk'}, "Duplicate device ID 'disk'"),
                ({'driver': 'virtio-rng-device', 'bus': 'r0'}, "Device 'virtio-rng-device' can't go on PCI bus"),
                ({'driver': 'edu', 'bus': 'r0', 'x': 1}, "unknown option 'x'")):
            self.assertIn(text, self.refused(client, 'device_add', **given))
        # What is recorded of it needs its source from the start.
        for command, given in (('device_add', {'driver': 'virtio-net-pci', 'bus': 'r0'}), ('device_del', {'id': 'card'})):
            self.assertIn('there from the start', self.refused(client, command, **given))
        # The guest has never heard of it, so the slot is off: it goes at once.
        client.command('device_del', id='disk')
        self.assertEqual(client.wait('DEVICE_DELETED')['data'], {'device': 'disk', 'path': path + 'disk'})
        self.assertEqual(self.refused(client, 'device_del', 'DeviceNotFound', id='disk'), "Device 'disk' not found")
        for given, text in (({}, 'virtio-blk-device needs drive=ID'),
                            ({'drive': 'none'}, "there is no drive 'none'"),
                            ({'drive': 'd', 'addr': '0.1'}, 'only function 0 can be plugged')):
            self.assertIn(text, self.refused(client, 'device_add', driver='virtio-blk-pci', id='disk', **given))
        # Nothing is left of those.
        add(driver='virtio-blk-pci', drive='d', id='disk', bus='r0')
        self.assertIn('virtio-blk', self.hmp(client, 'info qtree'))
        client.command('device_del', id=path + 'disk')
        client.wait('DEVICE_DELETED')
        self.assertEqual(self.hmp(client, 'device_add virtio-rng-pci,bus=r0'), '')
        self.assertEqual(self.hmp(client, 'device_del virtio-rng-pci0'), '')
        client.wait('DEVICE_DELETED')
        # What is there from the start is switched on.
        client.command('device_del', id='first')
        for _ in range(2):
            self.assertEqual(self.refused(client, 'device_del', id='first'),
                             'Device first is already in the process of unplug')
        client.command('cont')
        client.command('system_reset')
        client.wait('RESET')
        client.command('device_del', id='first')
        self.end(process, client)

    def test_rewound(self):
        """Plugs and unplugs in a live recording: back over them, refused there, and forth to the newest place."""
        process, client = self.machine('-icount', 'shift=1,rr=record', '-device', 'pcie-root-port,id=r0')

        def there():
            return [p['name'] for p in client.command('qom-list', path='/machine/peripheral')
                    if p['name'] in ('one', 'two')]

        def place():
            return client.command('x-rearm-query-digest')['position'], client.command('x-rearm-query-digest')['digest']

        def seek(position):
            client.command('replay-seek', icount=position)
            while client.command('query-status')['running']:
                time.sleep(0.001)

        places = []
        for act, arguments in ((None, {}), ('device_add', {'driver': 'virtio-rng-pci', 'id': 'one'}),
                               ('device_del', {'id': 'one'}), ('device_add', {'driver': 'edu', 'id': 'two'})):
            if act:
                # Not at the place that is noted: who goes there comes behind what was done there.
                self.run_on(client)
                client.command(act, **arguments)
            self.run_on(client)
            places.append((*place(), there()))
        self.assertEqual([p[2] for p in places], [[], ['one'], [], ['two']])
        for n in (1, 0, 3, 2, 1, 3, 0, 2):
            seek(places[n][0])
            self.assertEqual((*place(), there()), places[n])
        for name, arguments in (('device_add', {'driver': 'edu', 'id': 'x'}), ('device_del', {'id': 'two'})):
            seek(places[0 if name == 'device_add' else 2][0])
            error = client.execute(name, **arguments)['error']
            self.assertTrue('replay_golive' in error['desc'] or error['class'] == 'DeviceNotFound', error)
        seek(places[1][0])
        self.assertIn('replay_golive', self.refused(client, 'device_del', id='one'))
        seek(places[3][0])
        client.command('device_del', id='two')
        self.assertEqual(there(), [])
        client.command('device_add', driver='edu', id='one')
        self.assertEqual(there(), ['one'])
        self.end(process, client)

    def test_refused(self):
        """Buses that do not take part; what else is wrong is told first."""
        process, client = self.machine('-device', 'virtio-rng-device,id=dice', '-device',
                                       'loader,addr=0x40000000,data=1,data-len=1,id=l')
        for given, text in (
                ({'driver': 'virtio-rng-device', 'id': 'r'},
                 "Bus 'virtio-mmio-bus.31' does not support hotplugging"),
                ({'driver': 'virtio-rng-device', 'bus': 'virtio-mmio-bus.3', 'id': 'r'},
                 "Bus 'virtio-mmio-bus.3' does not support hotplugging"),
                ({'driver': 'pvpanic', 'events': 1}, "Bus 'platform-bus' does not support hotplugging"),
                ({'driver': 'loader'}, "Device 'loader' does not support hotplugging"),
                ({}, "Parameter 'driver' is missing"),
                ({'driver': 5}, "'5' is not a valid device model name"),
                ({'driver': 'virtio-rng-devise'}, "'virtio-rng-devise' is not a valid device model name"),
                ({'driver': 'nvme'}, 'this kind of disk is not there yet'),
                ({'driver': 'pl011'}, "Parameter 'driver' expects a pluggable device type"),
                ({'driver': 'virtio-rng-device', 'bus': 'x'}, "Bus 'x' not found"),
                ({'driver': 'virtio-rng-device', 'bus': 'platform-bus'},
                 "Device 'virtio-rng-device' can't go on platform-bus bus"),
                ({'driver': 'virtio-rng-device', 'id': 'dice'}, "Duplicate device ID 'dice'"),
                ({'driver': 'pvpanic', 'events': 9}, 'events=9 is out of range'),
                ({'driver': 'pvpanic', 'color': 'a,b'}, "unknown option 'color'"),
                ({'driver': 'pvpanic', 'events': [1]}, "Parameter 'events' is neither")):
            self.assertIn(text, self.refused(client, 'device_add', **given))
        for id_, text in (('dice', "Bus 'virtio-mmio-bus.31' does not support hotplugging"),
                          ('l', "Device 'l' does not support hotplugging"),
                          ('/machine/peripheral/dice', 'does not support hotplugging'),
                          ('gic', "Device 'gic' does not support hotplugging"),
                          ('/machine', 'is not a hotpluggable device')):
            self.assertIn(text, self.refused(client, 'device_del', id=id_))
        self.assertEqual(self.refused(client, 'device_del', 'DeviceNotFound', id='none'),
                         "Device 'none' not found")
        self.assertIn("Bus 'virtio-mmio-bus.2' does not support hotplugging", self.hmp(
            client, 'device_add virtio-rng-device,bus=virtio-mmio-bus.2'))
        self.assertIn('valid device model name', self.hmp(client, 'device_add x'))
        self.assertIn('does not support hotplugging', self.hmp(client, 'device_del dice'))
        self.assertEqual(client.command('qom-get', path='dice', property='type'), 'virtio-rng-device')
        self.end(process, client)


if __name__ == '__main__':
    test_qmp.REARM = os.path.abspath(sys.argv.pop(1))
    unittest.main()
