"""SCSI disks under Debian's kernel: its own virtio_scsi and sd drivers, and ext4; recorded and replayed.

SPDX-License-Identifier: GPL-2.0-or-later
"""
import os

import modules
import rearm
from disks import FILE_SYSTEM, PCI, DiskCase, md5, need_disk

SCSI = ('crct10dif_common', 'crc-t10dif', 'crc64', 'crc64-rocksoft', 't10-pi', 'scsi_common', 'scsi_mod', 'sd_mod', 'virtio_scsi')


@need_disk
class Scsi(DiskCase):
    """
    :avocado: tags=arch:aarch64
    :avocado: tags=machine:virt
    """

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.initrd = os.path.join(cls.folder, 'initrd-scsi')
        modules.with_modules(cls.initrd, *PCI, *FILE_SYSTEM, *SCSI)

    def use(self, vm):
        modules.mount(vm)
        modules.load(self, vm, *PCI, *FILE_SYSTEM, *SCSI)
        vm.run('while ! [ -e /dev/sda ]; do busybox sleep 1; done')
        vm.run('busybox mount -t ext4 /dev/sda /mnt')
        self.assertIn(self.sum, vm.run('md5sum /mnt/r'))
        vm.run('cat /mnt/r > /mnt/s; sync; echo 3 > /proc/sys/vm/drop_caches')
        self.assertIn(self.sum, vm.run('md5sum /mnt/s'))
        vm.run('busybox umount /mnt')
        vm.send('poweroff -f\n')

    def test_pci(self):
        log = self.path('a.rr')
        recording = self.record(log, self.use, *self.machine(drive=',if=scsi'), icount='shift=auto',
                                rrcheck=',rrcheck=digest,rrcheckperiod=20000000,rrkeyframe=0.5')
        self.assertEqual(md5(self.disk), md5(self.image))
        self.assert_replays(log, recording)
        if rearm.SLOW_SUITE:
            self.assert_replays(log, recording, '-accel', 'tcg,unit-insns=7,link=off,state-chaos=3,'
                                'state-chaos-period=20000000', timeout=300)
