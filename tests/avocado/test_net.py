"""Networks under Debian's kernel: its own virtio_net driver, and user networking with a server on the host. Recorded,
replayed in several shapes without any network, and travelled in; what goes out and comes in is in a file that tcpdump reads.

SPDX-License-Identifier: GPL-2.0-or-later
"""
import hashlib
import os
import shutil
import struct
import tempfile
import unittest

import modules
import networks
import rearm
import travel
from networks import NET, PCI
from rearm import TestCase, Vm, machine, need_guest

SIZE = 3000000
MAC = '52:54:00:ab:cd:ef'


def frames(path):
    """The frames of a pcap file."""
    with open(path, 'rb') as f:
        data = f.read()
    magic, _, _, _, _, _, link = struct.unpack('<IHHiIII', data[:24])
    assert (magic, link) == (0xa1b2c3d4, 1)
    at, found = 24, []
    while at < len(data):
        _, _, kept, length = struct.unpack('<IIII', data[at:at + 16])
        assert kept == length
        found.append(data[at + 16:at + 16 + kept])
        at += 16 + kept
    return found


@need_guest()
@modules.need_modules()
class Net(TestCase):
    """
    :avocado: tags=arch:aarch64
    :avocado: tags=machine:virt
    """

    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.mkdtemp(prefix='rearm-net-')
        cls.initrd = os.path.join(cls.folder, 'initrd')
        modules.with_modules(cls.initrd, *PCI, 'virtio_mmio', *NET)
        cls.contents = b''.join(hashlib.sha256(b'%d' % n).digest() for n in range(SIZE // 32))
        cls.sum = hashlib.md5(cls.contents).hexdigest()
        cls.server = networks.FileServer(cls.contents)

    @classmethod
    def tearDownClass(cls):
        cls.server.end()
        shutil.rmtree(cls.folder, ignore_errors=True)

    def machine(self, *options, nic='user,mac=' + MAC):
        return (*machine(ram='256M', initrd=self.initrd, append=rearm.APPEND), *(('-nic', nic) if nic else ()),
                *options)

    def up(self, vm, transport=PCI):
        networks.up(self, vm, transport=transport)
        vm.run('busybox ip route add default via 10.0.2.2')

    def fetch(self, vm):
        self.assertIn(self.sum, vm.run('busybox wget -q -O - http://10.0.2.2:%d/f | md5sum' %
                                       self.server.server_port))

    def drive(self, transport=PCI):
        def drive(vm):
            self.up(vm, transport)
            self.assertIn(MAC, vm.run('cat /sys/class/net/eth0/address'))
            self.fetch(vm)
            vm.send('poweroff -f\n')
        return drive

    def test_pci(self):
        log, dump, again = self.path('a.rr'), self.path('a.pcap'), self.path('b.pcap')
        recording = self.record(log, self.drive(), *self.machine('-object', 'filter-dump,id=f,netdev=nic0,file=' + dump),
                                icount='shift=auto', rrcheck=',rrcheck=digest,rrcheckperiod=20000000,rrkeyframe=0.5')
        self.assertTrue(any(bytes.fromhex(MAC.replace(':', '')) == f[:6] for f in frames(dump)))
        self.assert_replays(log, recording, '-object', 'filter-dump,id=f,netdev=nic0,file=' + again)
        with open(dump, 'rb') as one, open(again, 'rb') as two:
            self.assertEqual(one.read(), two.read())
        self.assert_replays(log, recording, '-accel', 'tcg,unit-insns=7,link=off,state-chaos=3,'
                            'state-chaos-period=20000000', timeout=300)
        if rearm.SLOW_SUITE:
            travel.journeys(self, log, recording, 1, 200, *travel.SHAPES[0])

    def test_mmio(self):
        """The other transport, with both of its interfaces."""
        for legacy in ('on', 'off'):
            log = self.path('a.rr')
            recording = self.record(log, self.drive(('virtio_mmio',)), *self.machine(
                '-netdev', 'user,id=n', '-device', 'virtio-net-device,netdev=n,mac=' + MAC,
                '-global', 'virtio-mmio.force-legacy=' + legacy, nic=None), icount='shift=auto')
            self.assert_replays(log, recording)

    def test_link(self):
        """The cable is pulled and plugged in again; a replay does the same."""
        qmp = self.path('qmp')

        def drive(vm):
            client = travel.Machine(vm, qmp)
            self.up(vm)
            self.assertIn('1', vm.run('cat /sys/class/net/eth0/carrier'))
            client.command('set_link', name='nic0', up=False)
            vm.run('while grep -q 1 /sys/class/net/eth0/carrier; do sleep 0.1; done')
            self.assertIn('link down', client.command('human-monitor-command', **{'command-line': 'info network'}))
            client.command('set_link', name='nic0', up=True)
            vm.run('while grep -q 0 /sys/class/net/eth0/carrier; do sleep 0.1; done')
            self.fetch(vm)
            vm.send('poweroff -f\n')

        log = self.path('a.rr')
        recording = self.record(log, drive, *self.machine('-qmp', 'unix:%s,server=on,wait=off' % qmp), icount='shift=auto')
        self.assert_replays(log, recording)
