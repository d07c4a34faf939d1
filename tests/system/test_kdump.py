#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Compressed dumps: all of memory and each CPU's registers are in them, as a reader of our own sees it,
and makedumpfile and libkdumpfile where they are installed.

usage: test_kdump.py REARM
"""
import os
import shutil
import subprocess
import sys
import threading
import time
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import guests
import kdump
import test_qmp
import test_qmp_commands

RAM = 0x40000000
PAGE = 4096
# Of Debian's Python, for which python3-libkdumpfile is made: prints the bytes at a physical address.
PYTHON = '/usr/bin/python3'
JUDGE = '''
import sys, kdumpfile
k = kdumpfile.kdumpfile(sys.argv[1])
sys.stdout.buffer.write(k.read(kdumpfile.KDUMP_MACHPHYSADDR, int(sys.argv[2]), int(sys.argv[3])))
'''


def has_judge():
    return os.path.exists(PYTHON) and subprocess.run(
        [PYTHON, '-c', 'import kdumpfile'], stderr=subprocess.DEVNULL).returncode == 0


class KdumpTest(test_qmp_commands.Commands):
    def read(self, name):
        with open(os.path.join(self.dir, name), 'rb') as f:
            return f.read()

    def ram(self, client, size):
        client.command('pmemsave', val=RAM, size=size, filename='ram')
        return self.read('ram')

    def check(self, data, ram, client, cpus):
        dump = kdump.Dump(data)
        self.assertEqual((dump.machine, dump.status, dump.block), (b'aarch64', 1, PAGE))
        self.assertEqual((dump.phys_base, dump.level, dump.split), (RAM, 0, 0))
        self.assertLess(abs(dump.seconds - time.time()), 3600)
        self.assertEqual(dump.cpus, cpus)
        self.assertEqual(dump.memory, list(range(RAM // PAGE, (RAM + len(ram)) // PAGE)))
        self.assertEqual(list(dump.pages), dump.memory)
        self.assertEqual(dump.max_mapnr, (RAM + len(ram)) // PAGE)
        self.assertEqual(dump.max_mapnr_64, dump.max_mapnr)
        self.assertEqual(dump.ram_blocks, len(ram) // PAGE)
        self.assertTrue(b''.join(dump.pages.values()) == ram)
        client.command('dump-guest-memory', paging=False, protocol='file:core')
        _, notes = self.read_elf(os.path.join(self.dir, 'core'))
        self.assertEqual(dump.notes, notes)

    def test_formats(self):
        """Flattened, and as it is."""
        size = 16 << 20
        process, client = self.machine('-smp', '2', '-m', '16M')
        self.run_on(client)
        self.assertEqual(client.command('query-dump-guest-memory-capability'),
                         {'formats': ['elf', 'kdump-zlib', 'kdump-raw-zlib']})
        # What cannot be compressed is there, too.
        ram = self.ram(client, size)
        digest = client.command('x-rearm-query-digest')
        client.command('dump-guest-memory', paging=False, protocol='file:flat', format='kdump-zlib')
        self.assertEqual(client.command('query-dump'),
                         {'status': 'completed', 'completed': size, 'total': size})
        client.command('dump-guest-memory', paging=False, protocol='file:raw',
                       format='kdump-raw-zlib', detach=True)
        self.assertEqual(client.wait('DUMP_COMPLETED')['data']['result']['status'], 'completed')
        self.assertEqual(client.command('x-rearm-query-digest'), digest)
        raw = self.read('raw')
        self.check(raw, ram, client, 2)
        # The time of day differs.
        flat = kdump.unflatten(self.read('flat'))
        self.assertEqual(flat[:408] + flat[424:], raw[:408] + raw[424:])
        self.assertLess(len(raw), size // 20)
        self.assertEqual(self.hmp(client, 'dump-guest-memory -z h'), '')
        self.assertEqual(kdump.unflatten(self.read('h'))[424:], raw[424:])
        self.assertEqual(self.hmp(client, 'info dump'), 'Status: completed\nFinished: 100.00 %\n')
        self.assertEqual(self.hmp(client, 'dump-guest-memory -z -R h'), '')
        self.assertEqual(self.read('h')[424:], raw[424:])
        self.end(process, client)
        self.judge(ram)

    def judge(self, ram):
        """What other programs see in the files `flat` and `raw`."""
        if shutil.which('makedumpfile'):
            with open(os.path.join(self.dir, 'flat'), 'rb') as f:
                run = subprocess.run(['makedumpfile', '-R', 'made'], cwd=self.dir, stdin=f,
                                     capture_output=True, timeout=test_qmp.TIMEOUT)
            self.assertEqual(run.returncode, 0, run)
            self.assertEqual(self.read('made')[424:], self.read('raw')[424:])
        if has_judge():
            run = subprocess.run([PYTHON, '-c', JUDGE, 'raw', str(RAM), str(len(ram))],
                                 cwd=self.dir, capture_output=True, timeout=3 * test_qmp.TIMEOUT)
            self.assertEqual(run.returncode, 0, run.stderr)
            self.assertTrue(run.stdout == ram)

    def test_incompressible(self):
        """Random pages are in the file as they are."""
        noise = os.urandom(5 * PAGE)
        with open(os.path.join(self.dir, 'noise'), 'wb') as f:
            f.write(noise)
        process, client = self.machine('-m', '4M', '-device', 'loader,file=noise,addr=0x40300800')
        ram = self.ram(client, 4 << 20)
        self.assertIn(noise, ram)
        client.command('dump-guest-memory', paging=False, protocol='file:raw',
                       format='kdump-raw-zlib')
        self.check(self.read('raw'), ram, client, 1)
        self.end(process, client)

    def test_pipe(self):
        """Flattened it goes through a pipe, of which nobody can seek."""
        process, client = self.machine('-m', '4M')
        ram = self.ram(client, 4 << 20)
        got = []
        for format_, good in (('kdump-zlib', True), ('kdump-raw-zlib', False)):
            reader, writer = os.pipe()
            client.passing = [writer]
            client.command('getfd', fdname='p')
            os.close(writer)

            def drain():
                with open(reader, 'rb') as f:
                    got.append(f.read())

            thread = threading.Thread(target=drain)
            thread.start()
            given = {'paging': False, 'protocol': 'fd:p', 'format': format_}
            if good:
                client.command('dump-guest-memory', **given)
            else:
                self.assertIn('kdump-zlib can go through a pipe',
                              self.refused(client, 'dump-guest-memory', **given))
            thread.join()
        self.check(kdump.unflatten(got[0]), ram, client, 1)
        self.end(process, client)

    def test_no_cpu(self):
        """A machine of memory alone."""
        process = self.start('-S', '-M', 'none', '-m', '1M', '-qmp', 'unix:q,server=on', stdio='none')
        client = self.client('q').negotiate()
        client.command('dump-guest-memory', paging=False, protocol='file:raw',
                       format='kdump-raw-zlib')
        dump = kdump.Dump(self.read('raw'))
        self.assertEqual((dump.cpus, dump.notes, dump.phys_base), (0, [], 0))
        self.assertEqual(list(dump.pages), list(range(256)))
        self.end(process, client)

    def test_refused(self):
        process, client = self.machine('-m', '1M')
        for given, text in (
                ({'format': 'kdump-zlib', 'paging': True}, "doesn't support paging or filter"),
                ({'format': 'kdump-raw-zlib', 'begin': RAM, 'length': PAGE}, 'paging or filter'),
                ({'format': 'kdump-lzo'}, "does not accept value 'kdump-lzo'"),
                ({'format': 'kdump-zlib', 'protocol': 'file:/dev/full'}, 'No space left')):
            self.assertIn(text, self.refused(client, 'dump-guest-memory', **{
                'paging': False, 'protocol': 'file:x', **given}))
        self.end(process, client)


if __name__ == '__main__':
    test_qmp.REARM = os.path.abspath(sys.argv.pop())
    unittest.main(verbosity=0)
