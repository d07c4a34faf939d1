"""Disks under Debian's kernel: its own virtio-blk driver and ext4, over PCI and over both virtio-mmio
interfaces; what is written stays in the image of a live machine, and leaves that of a recorded one alone.
Recorded, replayed in several shapes, travelled in, and going on from the middle.

SPDX-License-Identifier: GPL-2.0-or-later
"""
import os
import shutil
import subprocess
import time

import rearm
import travel
from disks import FILE_SYSTEM, PCI, SIZE, DiskCase, md5, need_disk
from rearm import Vm, machine

FSCK = shutil.which('e2fsck') or shutil.which('e2fsck', path='/sbin:/usr/sbin')


@need_disk
class Disk(DiskCase):
    """
    :avocado: tags=arch:aarch64
    :avocado: tags=machine:virt
    """

    queues = ['0']

    def use(self, vm):
        """Read, write, and read again what was written."""
        self.assertIn(self.sum, vm.run('md5sum /mnt/r'))
        self.assertEqual(vm.run('ls /sys/block/vda/mq').split(), self.queues)
        vm.run('cat /mnt/r /mnt/r > /mnt/s; rm /mnt/r; echo one > /mnt/t; sync')
        vm.run('echo 3 > /proc/sys/vm/drop_caches')
        vm.run('busybox umount /mnt')
        vm.run('busybox mount -t ext4 /dev/vda /mnt')
        self.assertIn('one', vm.run('cat /mnt/t'))
        vm.run('head -c 3200000 /mnt/s | md5sum > /tmp/m')
        self.assertIn(self.sum, vm.run('cat /tmp/m'))

    def drive(self, transport=PCI):
        def drive(vm):
            self.load(vm, transport)
            self.use(vm)
            vm.run('busybox umount /mnt')
            vm.send('poweroff -f\n')
        return drive

    def contents(self):
        """The file system is whole; a file in it."""
        check = subprocess.run([FSCK, '-fn', self.disk], capture_output=True, text=True)
        self.assertEqual(check.returncode, 0, check.stdout)
        return subprocess.run([FSCK.replace('e2fsck', 'debugfs'), '-R', 'cat t', self.disk],
                              capture_output=True, text=True).stdout

    def test_live(self):
        """The image has what was written, whatever the transport."""
        for transport, options in ((PCI, ()), (('virtio_mmio',), ('-device', 'virtio-blk-device,drive=d'))):
            shutil.copy(self.image, self.disk)
            drive = ',id=d' + (',if=none' if options else '')
            with Vm('-icount', 'shift=1,sleep=off', *self.machine(*options, drive=drive)) as vm:
                self.drive(transport)(vm)
                self.assertEqual(vm.wait(), 0, vm.stderr())
            self.assertEqual(self.contents(), 'one\n')

    def test_snapshot(self):
        """snapshot=on: nothing stays."""
        with Vm('-icount', 'shift=1,sleep=off', *self.machine(drive=',snapshot=on')) as vm:
            self.drive()(vm)
            self.assertEqual(vm.wait(), 0, vm.stderr())
        self.assertEqual(md5(self.disk), md5(self.image))

    def check(self, transport, *options, icount='shift=1,sleep=off'):
        log = self.path('a.rr')
        recording = self.record(log, self.drive(transport), *options, icount=icount,
                                rrcheck=',rrcheck=digest,rrcheckperiod=20000000,rrkeyframe=0.5')
        self.assertEqual(md5(self.disk), md5(self.image))
        self.assert_replays(log, recording)
        return log, recording

    def test_pci(self):
        """MSI-X, two CPUs with a queue each; in every shape, from keyframes, and from random places."""
        self.queues = ['0', '1']
        log, recording = self.check(PCI, *self.machine('-smp', '2', '-global', 'virtio-blk-pci.num-queues=2'),
                                    icount='shift=auto')
        self.assert_replays(log, recording, '-accel', 'tcg,unit-insns=7,link=off,state-chaos=3,'
                            'state-chaos-period=20000000', timeout=300)
        if rearm.SLOW_SUITE:
            travel.journeys(self, log, recording, 1, 200, *travel.SHAPES[0])
        self.changed_image(log)

    def test_readonly(self):
        """A disk that cannot be written to is known by its content, too."""
        def drive(vm):
            vm.shell()
            vm.send('poweroff -f\n')

        log = self.path('a.rr')
        recording = self.record(log, drive, *self.machine(drive=',readonly=on'))
        self.assert_replays(log, recording)
        self.changed_image(log)

    def test_errors(self):
        """A sector that cannot be read: the guest is told, and told so again at the same place."""
        def drive(vm):
            self.load(vm, PCI, mount=False)
            self.assertIn('Input/output error', vm.run('head -c 1000000 /dev/vda | md5sum'))
            self.assertIn('I/O error, dev vda, sector 512', vm.run('busybox dmesg | busybox tail -n 9'))
            vm.send('poweroff -f\n')

        log = self.path('a.rr')
        recording = self.record(
            log, drive, *machine(ram='256M', initrd=self.initrd, append=rearm.APPEND), '-drive',
            'driver=blkdebug,inject-error.0.event=read_aio,inject-error.0.sector=512,'
            'image.driver=raw,image.file.filename=' + self.disk)
        self.assert_replays(log, recording)

    def test_mmio(self):
        for legacy in ('on', 'off'):
            self.check(('virtio_mmio',), *self.machine(
                '-device', 'virtio-blk-device,drive=d', '-global', 'virtio-mmio.force-legacy=' + legacy,
                drive=',id=d,if=none'))

    def changed_image(self, log):
        """A recording knows its image."""
        with open(self.disk, 'r+b') as f:
            f.seek(SIZE - 100)
            f.write(b'x')
        code, _, stderr = self.replay(log)
        self.assertEqual(code, 2, stderr)
        self.assertRegex(stderr, r'drive\.drive0')
        os.unlink(self.disk)
        code, _, stderr = self.replay(log)
        self.assertEqual(code, 1, stderr)
        self.assertIn("cannot open '%s'" % self.disk, stderr)

    def test_back_and_live(self):
        """A session in memory goes back to before a write, and forward again: it is live with its disk; then
        it goes live in the past, where the file was never written."""
        qmp = self.path('qmp')
        with Vm('-icount', 'shift=auto,rr=record', '-qmp', 'unix:%s,server=on,wait=off' % qmp,
                *self.machine()) as vm:
            client = travel.Machine(vm, qmp)
            self.load(vm, PCI)
            client.command('stop')
            before, _ = client.place()
            client.command('cont')
            # What is typed while it still stands there arrives at this place, so it would be there again.
            while client.place()[0] == before:
                time.sleep(0.01)
            self.use(vm)
            client.command('stop')
            now = client.place()
            client.go('replay-seek', icount=before - 1000)
            self.assertEqual(client.go('replay-seek', icount=now[0]), now)
            client.command('cont')
            self.assertIn('one', vm.run('cat /mnt/t'))
            self.assertIn(self.sum, vm.run('head -c 3200000 /mnt/s | md5sum'))
            client.command('stop')
            client.go('replay-seek', icount=before)
            client.command('x-rearm-replay-golive')
            client.command('cont')
            self.assertIn('No such file', vm.run('cat /mnt/t'))
            self.assertIn(self.sum, vm.run('md5sum /mnt/r'))
            self.assertEqual(vm.power_off(), 0, vm.stderr())
        self.assertEqual(md5(self.disk), md5(self.image))
