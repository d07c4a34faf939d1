"""Bad input: one clear line on stderr that names the thing, exit code 1, and
nothing half-made left behind.

SPDX-License-Identifier: GPL-2.0-or-later
"""
import os
import signal
import socket
import struct

import guests
import rearm
from rearm import TestCase, Vm

# options -> words that the message has to contain
TABLE = (
    (('-frobnicate',), ('-frobnicate',)),
    (('-kernle', 'x'), ('-kernle', 'kernel')),
    (('-cpu',), ('-cpu',)),
    (('-M', 'vrit'), ('vrit', 'virt')),
    (('-M', 'virt,gic-versoin=2'), ('gic-versoin', 'gic-version')),
    (('-M', 'virt,gic-version=9'), ('gic-version', '9')),
    (('-cpu', 'cortex-a75x'), ('cortex-a75x', 'cortex-a')),
    (('-cpu', 'cortex-a57,frob=on'), ('frob',)),
    (('-device', 'virtio-rgn-device'), ('virtio-rgn-device', 'virtio-rng-device')),
    (('-device', 'virtio-rng-device,max-byts=1'), ('max-byts',)),
    (('-device', 'virtio-rng-device,event_idx=7'), ('event_idx=7', "'on'")),
    (('-device', 'pl011'), ('pl011', 'board', '-serial')),
    (('-device', 'cortex-a57-arm-cpu'), ('cortex-a57-arm-cpu', '-cpu cortex-a57', '-smp')),
    (('-device', 'arm_gic'), ('arm_gic', '-machine gic-version=')),
    (('-device', 'cfi.pflash01'), ('cfi.pflash01', '-bios')),
    (('-global', 'arm_gic.num-irq=64'), ('arm_gic.num-irq=64', 'num-irq=288')),
    (('-global', 'cfi.pflash01.drive=d'), ("drive 'd'", '-drive')),
    (('-global', 'max-arm-cpu.sve=on'), ('sve=on', 'SVE')),
    (('-device', 'virtio-rgn-device,help'), ('virtio-rng-device',)),
    (('-M', 'vrit,help'), ('vrit', 'virt')),
    (('-m', 'lots'), ('-m', 'lots')),
    (('-m', '0'), ('-m',)),
    (('-m', '1000T'), ('-m', 'RAM')),
    (('-smp', '0'), ('-smp',)),
    (('-smp', '999'), ('-smp', '999')),
    (('-smp', 'many'), ('many',)),
    (('-accel', 'kvm'), ('kvm', 'tcg')),
    (('-accel', 'tcg,backend=gpu'), ('backend', 'gpu')),
    (('-accel', 'tcg,unit-insns=0'), ('unit-insns',)),
    (('-accel', 'tcg,unit-insns=513'), ('unit-insns', '512')),
    (('-accel', 'tcg,frob=1'), ('frob',)),
    (('-icount', 'shift=11'), ('shift', '11')),
    (('-icount', 'shift=auto,sleep=off'), ('sleep',)),
    (('-icount', 'rr=rewind,rrfile=x'), ('rewind', 'replay')),
    (('-icount', 'rr=replay'), ('rrfile',)),
    (('-icount', 'rrfile=x'), ('rr=',)),
    (('-icount', 'shift=1,rr=record,rrfile=x,rrcheck=often'), ('rrcheck', 'often')),
    (('-icount', 'shift=1,shfit=2'), ('shfit', 'shift')),
    (('-serial', 'srdio'), ('srdio', 'stdio')),
    (('-serial', 'tcp:nowhere'), ('nowhere',)),
    (('-serial', 'null', '-serial', 'null', '-serial', 'null', '-serial', 'null'), ('-serial',)),
    (('-chardev', 'null'), ('id',)),
    (('-chardev', 'nil,id=a'), ('nil', 'help')),
    (('-chardev', 'null,id=a', '-chardev', 'null,id=a'), ('a',)),
    (('-serial', 'chardev:nobody'), ('nobody',)),
    (('-mon', 'chardev=nobody'), ('nobody',)),
    (('-display', 'sdl'), ('sdl', 'none')),
    (('-d', 'in_ams'), ('in_ams', 'in_asm')),
    (('-dfilter', 'zero..one'), ('zero',)),
    (('-initrd', '/etc/hostname'), ('-kernel',)),
    (('-append', 'quiet'), ('-kernel',)),
    (('-rtc', 'base=tomorrow'), ('tomorrow',)),
    (('-echr', '999'), ('999',)),
    (('-global', 'nonsense'), ('nonsense',)),
    (('-global', 'virtio-mmoi.force-legacy=off'), ('virtio-mmoi', "'virtio-mmio'")),
    (('-global', 'virtio-mmio.force_legacy=off'), ('force_legacy', "'force-legacy'")),
    (('-global', 'virtio-mmio.force-legacy=2'), ('force-legacy=2', "'on'")),
)

# The smallest file that passes for an arm64 Image (Documentation/arm64/booting.rst).
IMAGE = struct.pack('<IIQQQQQQ4sI', 0x14000000, 0, 0, 4096, 0, 0, 0, 0, b'ARM\x64',
                    0).ljust(4096, b'\0')


class Errors(TestCase):
    def assert_refused(self, options, words):
        code, out, stderr = self.run_rearm(*options, timeout=20)
        self.assertEqual(code, 1, stderr)
        self.assertEqual(len(stderr.strip().splitlines()), 1, stderr)
        self.assertTrue(stderr.startswith('rearm: '), stderr)
        self.assertEqual(out, '')
        for word in words:
            self.assertIn(word, stderr)

    def test_table(self):
        quiet = ('-display', 'none')
        before = os.listdir(self.dir)
        os.chdir(self.dir)
        self.addCleanup(os.chdir, rearm.TOP)
        for options, words in TABLE:
            with self.subTest(options=' '.join(options)):
                extra = () if '-display' in options else quiet
                self.assert_refused(extra + options, words)
                self.assertEqual(os.listdir(self.dir), before)

    def check_file(self, option, data, *words, more=()):
        path = self.path('file')
        with open(path, 'wb') as f:
            f.write(data)
        self.assert_refused((*more, option, path, '-display', 'none'), ('file', *words))

    def sparse(self, size):
        path = self.path('big')
        with open(path, 'wb') as f:
            f.write(b'\0' * 64)
            f.truncate(size)
        return path

    def test_missing_files(self):
        kernel = self.path('k')
        with open(kernel, 'wb') as f:
            f.write(IMAGE)
        nothing = self.path('nothing')
        for options in (('-kernel', nothing), ('-kernel', kernel, '-initrd', nothing),
                        ('-kernel', kernel, '-dtb', nothing), ('-bios', nothing),
                        ('-icount', 'rr=replay,rrfile=' + nothing)):
            with self.subTest(options=options):
                self.assert_refused((*options, '-display', 'none'), ('nothing',))
        self.assertEqual(sorted(os.listdir(self.dir)), ['k'])

    def test_folders_instead_of_files(self):
        kernel = self.path('k')
        with open(kernel, 'wb') as f:
            f.write(IMAGE)
        for option in ('-kernel', '-bios', '-dtb'):
            with self.subTest(option=option):
                more = ('-kernel', kernel) if option == '-dtb' else ()
                self.assert_refused((*more, option, self.dir, '-display', 'none'), (self.dir,))

    def test_bad_kernels(self):
        gz = b'\x1f\x8b\x08\0\0\0\0\0\0\3' + b'rubbish' * 10
        elf32 = b'\x7fELF\x01\x01\x01' + b'\0' * 9 + b'\2\0\x28\0' + b'\0' * 60
        x86 = b'\x7fELF\x02\x01\x01' + b'\0' * 9 + b'\2\0\x3e\0' + b'\0' * 60
        for data in (b'', gz, elf32, x86, b'\x7fELF'):
            with self.subTest(data=data[:20]):
                self.check_file('-kernel', data)

    def test_truncated_image(self):
        """An EFI header tells how long the file has to be."""
        image = bytearray(IMAGE)
        image[:2] = b'MZ'
        struct.pack_into('<I', image, 0x3c, 64)
        struct.pack_into('<4sHH12xHH', image, 64, b'PE\0\0', 0xaa64, 1, 0, 0)
        struct.pack_into('<8s4I', image, 88, b'.text', 0, 0, 4096 - 512, 512)
        self.check_file('-kernel', image[:4000], 'truncated', '4096', '4000')

    def test_bad_dtb(self):
        with open(self.path('k'), 'wb') as f:
            f.write(IMAGE)
        for data in (b'', b'not a device tree', b'\xd0\x0d\xfe\xed' + b'\xff' * 60):
            with self.subTest(data=data[:20]):
                self.check_file('-dtb', data, more=('-kernel', self.path('k')))

    def test_too_big(self):
        big = self.sparse(3 << 30)
        self.assert_refused(('-m', '1G', '-kernel', big, '-display', 'none'), ('big',))
        with open(self.path('k'), 'wb') as f:
            f.write(IMAGE)
        self.assert_refused(('-m', '1G', '-kernel', self.path('k'), '-initrd', big, '-display',
                             'none'), ('big',))

    def test_ram_that_does_not_fit(self):
        self.assert_refused(('-m', '100T', '-display', 'none'), ('-m', 'RAM'))

    def test_port_in_use(self):
        with socket.socket() as taken:
            taken.bind(('127.0.0.1', 0))
            taken.listen()
            port = taken.getsockname()[1]
            for options in (('-serial', 'tcp:127.0.0.1:%d,server=on,wait=off' % port),
                            ('-gdb', 'tcp:127.0.0.1:%d' % port)):
                with self.subTest(options=options):
                    self.assert_refused((*options, '-display', 'none'), (str(port),))

    def test_socket_in_use(self):
        path = self.path('sock')
        with socket.socket(socket.AF_UNIX) as taken:
            taken.bind(path)
            taken.listen()
            self.assert_refused(('-serial', 'unix:%s,server=on,wait=off' % path, '-display',
                                 'none'), (path,))
            self.assertTrue(os.path.exists(path))    # it is not ours to remove

    def test_connection_refused(self):
        self.assert_refused(('-serial', 'unix:' + self.path('nobody'), '-display', 'none'),
                            ('nobody',))

    def test_unwritable(self):
        for options in (('-icount', 'shift=1,rr=record,rrfile=/proc/no/log'),
                        ('-serial', 'file:/proc/no/out'), ('-D', '/proc/no/log', '-d', 'int'),
                        ('-pidfile', '/proc/no/pid'), ('-M', 'virt,dumpdtb=/proc/no/dtb')):
            with self.subTest(options=options):
                self.assert_refused((*options, '-display', 'none'), ('/proc/no/',))

    def test_nothing_left_behind(self):
        """What was made before the mistake was noticed is removed again."""
        self.assert_refused(('-pidfile', self.path('pid'), '-serial',
                             'unix:%s,server=on,wait=off' % self.path('sock'), '-icount',
                             'shift=1,rr=record,rrfile=' + self.path('log'), '-display', 'none',
                             '-kernel', self.path('nothing')), ('nothing',))
        self.assertEqual(os.listdir(self.dir), [])

    def test_recording_kept(self):
        """A recording that is there already is not lost to a mistyped option."""
        log = self.path('log')
        with open(log, 'wb') as f:
            f.write(b'precious')
        self.assert_refused(('-icount', 'shift=1,rr=record,rrfile=' + log, '-display', 'none',
                             '-kernel', self.path('nothing')), ('nothing',))
        with open(log, 'rb') as f:
            self.assertEqual(f.read(), b'precious')


class Information(TestCase):
    def run_ok(self, *options):
        code, out, stderr = self.run_rearm(*options)
        self.assertEqual((code, stderr), (0, ''))
        return out

    def test_lists(self):
        self.assertIn('virt', self.run_ok('-M', 'help'))
        self.assertIn('cortex-a57', self.run_ok('-cpu', 'help'))
        self.assertIn('virtio-rng-device', self.run_ok('-device', 'help'))
        self.assertIn('stdio', self.run_ok('-chardev', 'help'))
        self.assertIn('in_asm', self.run_ok('-d', 'help'))
        self.assertIn('tcg', self.run_ok('-accel', 'help'))
        self.assertRegex(self.run_ok('-version'), r'Rearm emulator version \d+\.\d+')

    def test_help_is_complete(self):
        """Every option of the table is in -help."""
        text = self.run_ok('-help')
        with open(os.path.join(rearm.TOP, 'system', 'options.def'), encoding='utf-8') as f:
            names = [line.split('"')[1] for line in f if line.startswith('OPTION(')]
        self.assertGreater(len(names), 30)
        for name in names:
            self.assertRegex(text, r'\n  -%s[ ,\n[]' % name)

    def test_dumpdtb(self):
        path = self.path('dtb')
        self.run_ok('-M', 'virt,dumpdtb=' + path, '-display', 'none')
        with open(path, 'rb') as f:
            self.assertEqual(f.read(4), b'\xd0\x0d\xfe\xed')

    @guests.need_compiler()
    def test_pidfile_and_signals(self):
        elf = guests.build('uart', self.dir)
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            with self.subTest(signal=number):
                with Vm('-kernel', elf, '-pidfile', self.path('pid'), '-m', '64M') as vm:
                    vm.expect(b'>')
                    with open(self.path('pid'), encoding='ascii') as f:
                        self.assertEqual(int(f.read()), vm.process.pid)
                    vm.process.send_signal(number)
                    vm.wait(20)
                    self.assertFalse(os.path.exists(self.path('pid')))

    @guests.need_compiler()
    def test_sockets(self):
        """The serial port on a Unix socket; the socket goes when rearm ends."""
        elf = guests.build('uart', self.dir)
        path = self.path('sock')
        with Vm('-kernel', elf, '-m', '64M', serial='unix:%s,server=on,wait=on' % path) as vm:
            with rearm.connect(path, 20 * rearm.SLOW) as client:
                text = b''
                while b'>' not in text:
                    text += client.recv(100)
                client.sendall(b'q')
                while b'x28=' not in text:
                    text += client.recv(1000)
            self.assertEqual(vm.wait(20), 0, vm.stderr())
            self.assertFalse(os.path.exists(path))
