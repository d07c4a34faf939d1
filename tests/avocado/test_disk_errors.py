"""Disks that fail, under Debian's kernel: werror= and rerror=. The machine stops and tries again, and the
guest sees nothing; or the guest is told. Replayed, all of it happens at the same places.

SPDX-License-Identifier: GPL-2.0-or-later
"""
import os
import subprocess

import rearm
import travel
from disks import PCI, SIZE, DiskCase, need_disk
from rearm import REARM, Vm, machine

# For BLOCK records: flag 0x20 is a stop, then the error's number.
REPLAY_TOOL = os.path.join(os.path.dirname(REARM), '..', 'replay', 'rearm-replay')

# Once, there is no space for sector 512; once, sector 2048 cannot be read.
RULES = ('inject-error.0.event=write_aio,inject-error.0.sector=512,inject-error.0.errno=28,inject-error.0.once=on,'
         'inject-error.1.event=read_aio,inject-error.1.sector=2048,inject-error.1.once=on')
WRITE = 'busybox dd if=/bin/busybox of=/dev/vda bs=512 seek=512 count=8 conv=fsync'
READ = 'busybox dd if=/dev/vda of=/tmp/r bs=512 skip=2048 count=8'


@need_disk
class DiskErrors(DiskCase):
    """
    :avocado: tags=arch:aarch64
    :avocado: tags=machine:virt
    """

    def failing(self, more):
        return (*machine(ram='256M', initrd=self.initrd, append=rearm.APPEND), '-drive',
                'driver=blkdebug,image.driver=raw,image.file.filename=%s,%s%s' % (self.disk, RULES, more))

    def stops(self, client, operation):
        """It stops for an error, and goes on; the position."""
        event = client.qmp.wait('BLOCK_IO_ERROR')['data']
        self.assertEqual((event['device'], event['operation'], event['action'], event['nospace']),
                         ('drive0', operation, 'stop', operation == 'write'))
        client.qmp.wait('STOP')
        self.assertEqual(client.command('query-status'), {'running': False, 'status': 'io-error'})
        position = client.place()[0]
        client.command('cont')
        return event, position

    def resized(self, vm, qmp):
        """The driver hears of another size."""
        qmp.command('block_resize', device='drive0', size=2 * SIZE)
        vm.run('until [ "$(cat /sys/block/vda/size)" = %d ]; do busybox usleep 1000; done' % (2 * SIZE // 512))
        self.assertIn('size', vm.run('busybox dmesg | busybox tail -n 2'))

    def use(self, vm, more=None):
        qmp = travel.Machine(vm, self.path('qmp'))
        self.load(vm, PCI, mount=False)
        found = []
        for command, operation in ((WRITE, 'write'), (READ, 'read')):
            vm.send(command + '\n')
            found.append(self.stops(qmp, operation))
            vm.expect(rb'8\+0 records out')
            vm.expect(rearm.PROMPT)
        stats = qmp.command('query-blockstats')[0]['stats']
        self.assertGreaterEqual(stats['wr_bytes'], 4096)
        self.assertEqual((stats['failed_wr_operations'], stats['failed_rd_operations']), (0, 0))
        self.assertNotIn('I/O error', vm.run('busybox dmesg | busybox tail -n 9'))
        if more:
            more(vm, qmp)
        vm.send('poweroff -f\n')
        return found

    def options(self):
        return ('-qmp', 'unix:%s,server=on,wait=off' % self.path('qmp'), *self.failing(',rerror=stop'))

    def test_live(self):
        """What was to be written is in the image after the second try."""
        with Vm('-icount', 'shift=1,sleep=off', *self.options()) as vm:
            self.use(vm, self.resized)
            self.assertEqual(vm.wait(), 0, vm.stderr())
        with open(self.disk, 'rb') as f:
            f.seek(512 * 512)
            self.assertEqual(f.read(4), b'\x7fELF')

    def test_stop(self):
        """Recorded. A replay tells of the errors, stops for none of them, and asks the image nothing twice."""
        log = self.path('a.rr')
        found = []
        recording = self.record(log, lambda vm: found.extend(self.use(vm)), *self.options(),
                                rrcheck=',rrcheck=digest,rrcheckperiod=20000000,rrkeyframe=0.5')
        self.assert_replays(log, recording, *self.options()[2:])
        self.assert_replays(log, recording, '-accel', 'tcg,state-chaos=3,state-chaos-period=20000000', timeout=300)
        dump = subprocess.run([REPLAY_TOOL, 'dump', log], capture_output=True, text=True, check=True).stdout
        for (_, position), end in zip(found, ('22 1c', '21 05')):
            self.assertRegex(dump, r'position %d BLOCK .*: 3 bytes .. %s ' % (position, end))
        with travel.Replay(self.path(''), log) as replay:
            replay.qmp.command('cont')
            for event, _ in found:
                self.assertEqual(replay.qmp.wait('BLOCK_IO_ERROR')['data'], event)
            replay.end(self, recording)
        if rearm.SLOW_SUITE:
            travel.journeys(self, log, recording, 1, 100, *travel.SHAPES[0])

    def test_report(self):
        """The guest is told."""
        def use(vm):
            self.load(vm, PCI, mount=False)
            self.assertRegex(vm.run(WRITE), 'No space left|rror')
            self.assertIn('I/O error, dev vda, sector 512', vm.run('busybox dmesg | busybox tail -n 9'))
            vm.send('poweroff -f\n')

        log = self.path('a.rr')
        recording = self.record(log, use, *self.failing(',werror=report'))
        self.assert_replays(log, recording)
