#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Who wrote this?, asked of the program: by QMP, a person's monitor and gdb.

usage: test_history.py REARM
"""
import os
import re
import shutil
import subprocess
import sys
import time
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import guests
import test_qmp

STORE = guests.ACCESS_LOOP + 4          # counts at DATA
DATA = guests.LOAD + 0x1000
LOOP_INSNS = 5


class HistoryTest(test_qmp.Program):
    def setUp(self):
        super().setUp()
        kernel = guests.write(os.path.join(self.dir, 'access.elf'), guests.ACCESS)
        process = self.start('-kernel', kernel, '-icount', 'shift=1,rr=record,rrfile=log',
                             '-qmp', 'unix:r,server=on')
        client = self.client('r').negotiate()
        while client.command('query-replay')['icount'] < 20_000_000:
            time.sleep(0.01)
        client.command('quit')
        self.assertEqual(process.wait(test_qmp.TIMEOUT), 0)

    def replay(self, *args):
        self.start('-S', '-no-shutdown', '-icount', 'rr=replay,rrfile=log', '-qmp',
                   'unix:q,server=on', *args)
        client = self.client('q').negotiate()
        client.events.clear()
        client.command('replay-seek', icount=10_000_000)
        client.wait('STOP')
        return client

    def find(self, client, **arguments):
        client.command('x-rearm-replay-find-writes', **arguments)
        answer = client.wait('X_REARM_REPLAY_WRITES')['data']
        self.assertFalse(answer['interrupted'])
        self.assertNotIn('error', answer)
        self.assertEqual(client.command('query-replay')['icount'], 10_000_000)
        return answer

    def print(self, client, what):
        return int(client.command('human-monitor-command', command_line=f'print/x {what}'), 16)

    def test_qmp(self):
        client = self.replay()
        count = int(client.command('human-monitor-command', command_line=f'xp/1xg {DATA}')
                    .split()[1], 16)
        last, = self.find(client, kind='last', address=DATA)['writes']
        self.assertEqual((last['writer'], last['cpu-index'], last['pc'], last['address']),
                         ('cpu', 0, STORE, DATA))
        self.assertEqual(last['before'], (count - 1).to_bytes(8, 'little').hex())
        self.assertEqual(last['after'], count.to_bytes(8, 'little').hex())
        following, = self.find(client, kind='next', address=DATA, physical=True)['writes']
        self.assertEqual(following['position'], last['position'] + LOOP_INSNS)
        self.assertEqual(following['before'], last['after'])
        answer = self.find(client, kind='all', address=DATA + 1, length=4, max=10, to=12_000_000,
                           **{'from': last['position']})
        self.assertTrue(answer['full'])
        self.assertEqual([w['position'] for w in answer['writes']],
                         [last['position'] + LOOP_INSNS * n for n in range(10)])
        # The image was there before everything.
        nobody = self.find(client, kind='last', address=guests.LOAD, length=4)
        self.assertEqual((nobody['writes'], nobody['searched']), ([], 0))
        # One stands in front of the store, with the old value.
        client.events.clear()
        client.command('replay-seek', icount=last['position'])
        client.wait('STOP')
        self.assertEqual(self.print(client, '$pc'), STORE)
        self.assertEqual(self.print(client, '$x0'), count)

    def test_refused(self):
        client = self.replay()
        client.command('x-rearm-replay-find-writes', kind='last', address=0x09000000, physical=True)
        answer = client.wait('X_REARM_REPLAY_WRITES')['data']
        self.assertIn('there is no memory at physical address 0x9000000', answer['error'])
        reply = client.execute('x-rearm-replay-find-writes', kind='last', address=0, length=5000)
        self.assertIn('5000 bytes: expected 1 to 4096', reply['error']['desc'])

    def test_monitor(self):
        """Lines typed while the answer is under way come behind it."""
        self.replay('-monitor', 'unix:m,server=on,wait=off')
        monitor = self.connect('m')
        monitor.sendall(f'replay_last_write {DATA}\rreplay_history/p {DATA} 9999990\r'
                        'info status\r'.encode())
        seen = b''
        while b'VM status' not in seen:
            more = monitor.recv(65536)
            self.assertTrue(more, seen)
            seen += more
        lines = [line for line in seen.decode().replace('\r', '').split('\n')
                 if re.match('position|VM', line)]
        self.assertRegex(lines[0], rf'^position 999999\d: CPU 0 at pc {STORE:#x}, 8 bytes at '
                                   rf'{DATA:#x}: 0x[0-9a-f]{{16}} -> 0x[0-9a-f]{{16}}$')
        self.assertEqual([re.match('position|VM', line).group() for line in lines],
                         ['position'] * 3 + ['VM'])
        self.assertEqual(lines[0], lines[2])

    @unittest.skipUnless(shutil.which('gdb-multiarch'), 'no gdb-multiarch')
    def test_gdb(self):
        client = self.replay('-gdb', 'unix:g,server=on,wait=off')
        gdb = subprocess.run(
            ['gdb-multiarch', '-nx', '-batch', '-ex', 'set architecture aarch64',
             '-ex', f'target remote {self.dir}/g', '-ex', 'monitor replay_last_write $x1',
             '-ex', 'monitor replay_next_write $x1', '-ex', 'print $pc', '-ex', 'detach'],
            capture_output=True, text=True, timeout=test_qmp.TIMEOUT,
            stdin=subprocess.DEVNULL, check=False)
        found = re.findall(r'^position (\d+): CPU 0 at pc ' + f'{STORE:#x}', gdb.stderr, re.M)
        self.assertEqual(len(found), 2, gdb.stdout + gdb.stderr)
        self.assertEqual(int(found[1]), int(found[0]) + LOOP_INSNS)


if __name__ == '__main__':
    test_qmp.REARM = os.path.abspath(sys.argv.pop(1))
    unittest.main(verbosity=2)
