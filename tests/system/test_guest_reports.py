#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Guests that tell of panics, and watchdogs that expire: events, actions, and all of it replayed.

usage: test_guest_reports.py REARM
"""
import os
import re
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import guests
import test_qmp
import test_qmp_commands


class ReportsTest(test_qmp_commands.Commands):
    def guest(self, device, action, *more, log=None):
        """A guest that writes to the device, on a machine that stands still yet; and its client."""
        if device.startswith('pvpanic'):
            words = guests.panic(int(device[-1]))
            device = 'pvpanic-mmio'
        else:
            words = guests.WATCHDOG
        kernel = guests.write(os.path.join(self.dir, 'guest.elf'), words)
        icount = 'shift=1,sleep=off' + (',rr=record,rrfile=' + log if log else '')
        process = self.start('-S', '-kernel', kernel, '-device', device, '-icount', icount, '-qmp',
                             'unix:q,server=on', *(('-action', action) if action else ()), *more)
        return process, self.client('q').negotiate()

    def go(self, client):
        client.command('cont')
        client.wait('RESUME')

    def ends(self, process, client, code=0, **shutdown):
        """It has ended by itself: SHUTDOWN's data, and the exit status; what it said."""
        self.assertEqual(client.wait('SHUTDOWN')['data'], shutdown)
        self.assertEqual(client.rest(), [])
        self.assertEqual(process.wait(test_qmp.TIMEOUT), code)
        return process.stderr.read().decode()

    def replays(self, log, recorded, *options):
        """The recording again, without options: the same end."""
        digest = re.search('digest ([0-9a-f]{16}), cause', recorded).group(1)
        process = self.start('-icount', 'rr=replay,rrfile=' + log, '-monitor', 'none', *options)
        self.assertEqual(process.wait(test_qmp.TIMEOUT), 0)
        self.assertIn(f'digest {digest} (equal)', process.stderr.read().decode())

    # ---- panics ----

    def test_panic_ends(self):
        for action, code in ((None, 0), ('panic=shutdown', 0), ('panic=exit-failure', 1)):
            with self.subTest(action=action):
                process, client = self.guest('pvpanic1', action, log='log')
                self.go(client)
                self.assertEqual(client.wait('GUEST_PANICKED')['data'], {'action': 'poweroff'})
                said = self.ends(process, client, code, guest=True, reason='guest-panic')
                self.assertIn('cause guest-panic', said)
                self.replays('log', said)

    def test_panic_pauses(self):
        process, client = self.guest('pvpanic1', 'panic=pause', log='log')
        self.go(client)
        self.assertEqual(client.wait('GUEST_PANICKED')['data'], {'action': 'pause'})
        client.wait('STOP')
        self.assertEqual(client.command('query-status'),
                         {'running': False, 'status': 'guest-panicked'})
        self.assertEqual(self.hmp(client, 'info status'), 'VM status: paused (guest-panicked)\n')
        # It stands behind the store.
        pc = int(re.search(r' PC=([0-9a-f]+)', self.hmp(client, 'info registers')).group(1), 16)
        self.assertEqual(pc, guests.PANIC_LOOP)
        self.go(client)
        self.assertEqual(client.command('query-status')['status'], 'running')
        self.run_on(client)
        self.end(process, client)
        self.replays('log', process.stderr.read().decode())

    def test_panic_goes_on(self):
        """Nothing is done; nor about a crash that the guest takes care of."""
        for device, event in (('pvpanic1', 'GUEST_PANICKED'), ('pvpanic2', 'GUEST_CRASHLOADED')):
            process, client = self.guest(device, 'panic=none', log='log')
            self.go(client)
            self.assertEqual(client.wait(event)['data'], {'action': 'run'})
            self.run_on(client)
            self.end(process, client)
            self.replays('log', process.stderr.read().decode())

    def test_both_kinds(self):
        process, client = self.guest('pvpanic3', None)
        self.go(client)
        client.wait('GUEST_CRASHLOADED')
        client.wait('GUEST_PANICKED')
        self.ends(process, client, guest=True, reason='guest-panic')

    def test_pvshutdown(self):
        process, client = self.guest('pvpanic4', 'shutdown=pause')
        self.go(client)
        client.wait('GUEST_PVSHUTDOWN')
        self.assertEqual(client.wait('SHUTDOWN')['data'], {'guest': True, 'reason': 'guest-shutdown'})
        client.wait('STOP')
        self.assertEqual(client.command('query-status')['status'], 'shutdown')
        self.end(process, client)

    # ---- watchdogs ----

    def test_watchdog_pauses(self):
        """Under replay it expires at the very same instruction."""
        process, client = self.guest('sbsa-gwdt', 'watchdog=pause', log='log')
        self.go(client)
        self.assertEqual(client.wait('WATCHDOG')['data'], {'action': 'pause'})
        client.wait('STOP')
        self.assertEqual(client.command('query-status'), {'running': False, 'status': 'watchdog'})
        position = client.command('x-rearm-query-replay')['position']
        self.run_on(client)
        self.end(process, client)
        self.replays('log', process.stderr.read().decode())
        process = self.start('-S', '-icount', 'rr=replay,rrfile=log', '-qmp', 'unix:r,server=on')
        client = self.client('r').negotiate()
        for place in (position - 1, position + 1, position - 1, position):
            client.command('x-rearm-replay-seek', place=str(place))
            client.wait('STOP')
            client.command('pmemsave', val=0x0c000000, size=4, filename='wcs')
            with open(os.path.join(self.dir, 'wcs'), 'rb') as f:
                # Enabled, WS0, and from the moment on that it expired WS1.
                self.assertEqual(f.read()[0], 7 if place >= position else 3)
        client.command('quit')
        self.assertEqual(process.wait(test_qmp.TIMEOUT), 0)

    def test_watchdog_resets(self):
        process, client = self.guest('sbsa-gwdt', None, log='log')
        self.go(client)
        for _ in range(3):
            self.assertEqual(client.wait('WATCHDOG')['data'], {'action': 'reset'})
            self.assertEqual(client.wait('RESET')['data'], {'guest': True, 'reason': 'guest-reset'})
        self.end(process, client)
        self.replays('log', process.stderr.read().decode())
        process, client = self.guest('sbsa-gwdt', 'reboot=shutdown')
        self.go(client)
        client.wait('WATCHDOG')
        self.ends(process, client, guest=True, reason='guest-reset')

    def test_watchdog_ends(self):
        process, client = self.guest('sbsa-gwdt', 'watchdog=poweroff')
        self.go(client)
        self.assertEqual(client.wait('WATCHDOG')['data'], {'action': 'poweroff'})
        self.ends(process, client, guest=True, reason='guest-shutdown')

    def test_watchdog_is_told_only(self):
        for action in ('shutdown', 'debug', 'none'):
            process, client = self.guest('sbsa-gwdt', 'watchdog=' + action)
            self.go(client)
            self.assertEqual(client.wait('WATCHDOG')['data'], {'action': action})
            self.run_on(client)
            if action == 'shutdown':
                # The power button is down, at the first input of the GPIO chip's four highest ones.
                client.command('pmemsave', val=0x09030020, size=1, filename='gpio')
                with open(os.path.join(self.dir, 'gpio'), 'rb') as f:
                    self.assertEqual(f.read(), b'\x08')
            self.end(process, client)
            self.assertEqual("the guest's watchdog has expired, at position" in
                             process.stderr.read().decode(), action == 'debug')

    # ---- set-action ----

    def test_set_action(self):
        """A change while a run is recorded is there in its replay, and refused in it."""
        process, client = self.guest('sbsa-gwdt', 'watchdog=none', log='log')
        client.command('set-action', watchdog='pause', panic='none')
        self.go(client)
        self.assertEqual(client.wait('WATCHDOG')['data'], {'action': 'pause'})
        client.wait('STOP')
        client.command('watchdog-set-action', action='none')
        self.assertEqual(self.hmp(client, 'watchdog_action reset'), '')
        self.assertIn('expected', self.hmp(client, 'watchdog_action bark'))
        client.command('set-action', reboot='shutdown', shutdown='poweroff')
        self.go(client)
        for name, given, text in (
                ('set-action', {'panic': 'reset'}, "does not accept value 'reset'"),
                ('set-action', {'watchdog': 'inject-nmi'}, 'no non-maskable interrupt'),
                ('watchdog-set-action', {'action': 'inject-nmi'}, 'no non-maskable interrupt'),
                ('watchdog-set-action', {}, "Parameter 'action' is missing")):
            self.assertIn(text, self.refused(client, name, **given))
        # A machine without a watchdog: what is left to it is to be reset.
        client.command('system_reset')
        said = self.ends(process, client, guest=False, reason='host-qmp-system-reset')
        self.replays('log', said)
        process = self.start('-S', '-icount', 'rr=replay,rrfile=log', '-qmp', 'unix:r,server=on')
        client = self.client('r').negotiate()
        self.assertIn('no effect in a replay', self.refused(client, 'set-action', panic='none'))
        client.command('quit')
        self.assertEqual(process.wait(test_qmp.TIMEOUT), 0)

    def test_other_action(self):
        """A replay with another action is refused by its name."""
        process, client = self.guest('pvpanic1', 'panic=none', log='log')
        self.end(process, client)
        process = self.start('-icount', 'rr=replay,rrfile=log', '-action', 'panic=pause')
        self.assertEqual(process.wait(test_qmp.TIMEOUT), 2)
        self.assertRegex(process.stderr.read().decode(), 'action.panic.*none.*pause')

    # ---- devices ----

    def test_places(self):
        """Slots of the platform bus, in the order of the options."""
        process, client = self.machine('-device', 'sbsa_gwdt,id=dog', '-device', 'pvpanic,events=1')
        self.assertIn('bus: platform-bus', self.hmp(client, 'info qtree'))
        self.assertRegex(self.hmp(client, 'info mtree -f'),
                         r'000000000c000000-000000000c001fff.*dog\n'
                         r'(.*\n)?.*000000000c010000-000000000c010001.*pvpanic-mmio0')
        self.assertEqual(client.command('qom-get', path='/machine/peripheral/dog', property='type'),
                         'sbsa-gwdt')
        self.assertEqual({p['name'] for p in client.command('device-list-properties',
                                                            typename='pvpanic-mmio')}, {'events'})
        self.end(process, client)
        for option, text in (('pvpanic,events=8', 'events=8 is out of range: 0..7'),
                             ('pvpanic-pci', 'pvpanic-mmio is the same'),
                             ('sbsa-gwdt,clock-frequency=0', 'clock-frequency=0')):
            process = self.start('-device', option, '-kernel', self.spin)
            self.assertEqual(process.wait(test_qmp.TIMEOUT), 1)
            self.assertIn(text, process.stderr.read().decode())


if __name__ == '__main__':
    test_qmp.REARM = os.path.abspath(sys.argv.pop())
    unittest.main(verbosity=0)
