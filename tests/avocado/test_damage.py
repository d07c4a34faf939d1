"""Logs that are damaged, cut off, or belong to another machine: a clear refusal
or report, exit code 2, never a crash or an endless run.

SPDX-License-Identifier: GPL-2.0-or-later
"""
import os

import guests
import rearm
from rearm import TestCase, need_guest, slow

BOARD = ('-M', 'virt', '-cpu', 'cortex-a57', '-m', '64M')


@guests.need_compiler()
class Damage(TestCase):
    def setUp(self):
        super().setUp()
        self.elf = guests.build('uart', self.dir)
        self.log = self.path('good.rr')
        self.recording = self.record(self.log, lambda vm: guests.drive(vm, 'uart'), *BOARD,
                                     '-kernel', self.elf,
                                     rrcheck=',rrcheck=digest,rrcheckperiod=1000')
        with open(self.log, 'rb') as f:
            self.bytes = f.read()

    def replay_bytes(self, data):
        log = self.path('bad.rr')
        with open(log, 'wb') as f:
            f.write(data)
        return self.replay(log, timeout=30)

    def assert_refused(self, result, *words):
        code, _, stderr = result
        self.assertEqual(code, 2, stderr)
        self.assertIn('rearm:', stderr)
        for word in words:
            self.assertIn(word, stderr)

    def flip(self, positions):
        for at in positions:
            data = bytearray(self.bytes)
            data[at] ^= 1 << (at % 8)
            with self.subTest(byte=at):
                self.assert_refused(self.replay_bytes(data))

    def test_good(self):
        self.assert_replays(self.log, self.recording)

    def test_flipped_bytes(self):
        self.flip(sorted(set(range(0, len(self.bytes), 23)) | set(range(24)) |
                         set(range(len(self.bytes) - 8, len(self.bytes)))))

    @slow()
    def test_every_flipped_byte(self):
        self.flip(range(len(self.bytes)))

    def test_truncated(self):
        """Cut anywhere: replayed to the last whole block and said so, or refused."""
        for length in sorted(set(range(0, len(self.bytes) - 1, 41)) | {1, len(self.bytes) - 1}):
            with self.subTest(length=length):
                code, _, stderr = self.replay_bytes(self.bytes[:length])
                self.assertIn(code, (0, 2), stderr)
                if code == 0:
                    self.assertRegex(stderr, r'cut off|\(equal\)')
                else:
                    self.assertIn('bad.rr', stderr)

    def test_not_a_log(self):
        for data in (b'', b'hello\n', b'\0' * 100000, self.bytes[:16] + b'\xff' * 1000,
                     os.urandom(5000)):
            with self.subTest(size=len(data)):
                self.assert_refused(self.replay_bytes(data), 'bad.rr')

    def test_garbage_behind_the_end(self):
        code, _, stderr = self.replay_bytes(self.bytes + b'more')
        self.assertIn(code, (0, 2), stderr)
        self.assertTrue(code == 2 or '(equal)' in stderr, stderr)

    def test_other_cpu(self):
        self.assert_refused(self.replay(self.log, '-cpu', 'cortex-a53'),
                            'cortex-a57', 'cortex-a53')

    def test_other_ram(self):
        self.assert_refused(self.replay(self.log, '-m', '128M'), 'ram', '67108864', '134217728')

    def test_other_kernel(self):
        other = guests.build('arith', self.dir)
        self.assert_refused(self.replay(self.log, '-kernel', other), 'kernel')

    def test_changed_kernel(self):
        with open(self.elf, 'r+b') as f:
            f.seek(-1, os.SEEK_END)
            last = f.read(1)[0]
            f.seek(-1, os.SEEK_END)
            f.write(bytes([last ^ 1]))
        self.assert_refused(self.replay(self.log), 'kernel')

    def test_missing_kernel(self):
        os.unlink(self.elf)
        code, _, stderr = self.replay(self.log)
        self.assertIn(code, (1, 2), stderr)
        self.assertIn('uart.elf', stderr)

    def test_other_smp(self):
        self.assert_refused(self.replay(self.log, '-smp', '2'), 'smp')

    def test_other_machine(self):
        self.assert_refused(self.replay(self.log, '-M', 'virt,gic-version=2,secure=off'),
                            'machine')

    def test_other_device(self):
        self.assert_refused(self.replay(self.log, '-device', 'virtio-rng-device'), 'device')

    def test_other_shift(self):
        code, _, stderr = self.run_rearm('-icount', 'shift=3,rr=replay,rrfile=' + self.log,
                                         '-display', 'none', '-serial', 'null')
        self.assert_refused((code, '', stderr), 'icount.shift')


@need_guest()
class OtherBoot(TestCase):
    """The same with Debian's kernel and initrd."""

    def test_other_initrd_and_append(self):
        def drive(vm):
            vm.shell()
            vm.send('poweroff -f\n')
        log = self.path('boot.rr')
        recording = self.record(log, drive, *rearm.machine())
        self.assert_replays(log, recording)
        for option, value, word in (('-initrd', rearm.INITRD, 'initrd'),
                                    ('-append', rearm.APPEND + ' quiet', 'append'),
                                    ('-kernel', rearm.SMALL_INITRD, 'kernel')):
            with self.subTest(option=option):
                code, _, stderr = self.replay(log, option, value)
                self.assertIn(code, (1, 2) if option == '-kernel' else (2,), stderr)
                self.assertIn(word, stderr)
