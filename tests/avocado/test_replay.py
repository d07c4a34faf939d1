"""One recorded interactive boot, replayed in every variant: equal digests.

SPDX-License-Identifier: GPL-2.0-or-later
"""
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time

import rearm
from rearm import TestCase, Vm, machine, need_guest, slow


def type_at_the_shell(vm):
    """What a user does: some commands, one line edited, control characters."""
    vm.shell()
    vm.run('busybox mount -t proc proc /proc')
    vm.run('cat /proc/uptime; date')
    vm.run('for i in 1 2 3 4 5; do echo $i $RANDOM; done')
    vm.run('cat /bin/busybox | md5sum; head -c 64 /dev/urandom | sha256sum')
    vm.send('echo misst\x7f\x7ftyped\n')
    vm.expect(rearm.PROMPT)
    vm.send('sleep 1000\n')
    time.sleep(0.3)
    vm.send('\x03')
    vm.expect(rearm.PROMPT)
    vm.send('poweroff -f\n')


@need_guest()
class Replay(TestCase):
    """The recording is made once for all tests of the class."""

    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.mkdtemp(prefix='rearm-replay-')
        cls.log = os.path.join(cls.folder, 'boot.rr')
        cls.failure = None
        maker = TestCase()
        maker.setUp()
        try:
            cls.recording = maker.record(cls.log, type_at_the_shell, *machine(),
                                         rrcheck=',rrcheck=digest,rrcheckperiod=1000000')
        except Exception as error:    # every test then fails with the reason
            cls.failure = error
        maker.doCleanups()

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.folder, ignore_errors=True)

    def setUp(self):
        super().setUp()
        if self.failure:
            self.fail('recording failed: %s' % self.failure)

    def test_as_recorded(self):
        self.assertEqual(self.recording.cause, 'guest-shutdown')
        self.assert_replays(self.log, self.recording)

    def test_again_and_again(self):
        for _ in range(3):
            self.assert_replays(self.log, self.recording)

    def test_units(self):
        for count in (1, 7, 512):
            with self.subTest(unit_insns=count):
                self.assert_replays(self.log, self.recording, '-accel',
                                    'tcg,unit-insns=%d' % count, timeout=300)

    def test_state(self):
        """The whole state saved, scrambled and loaded now and then."""
        self.assert_replays(self.log, self.recording, '-accel',
                            'tcg,state-chaos=3,state-chaos-period=100000000', timeout=300)

    @slow()
    def test_state_often(self):
        for seed in (4, 5):
            self.assert_replays(self.log, self.recording, '-accel',
                                'tcg,state-chaos=%d,state-chaos-period=400000' % seed,
                                timeout=3600)

    def test_no_link(self):
        self.assert_replays(self.log, self.recording, '-accel', 'tcg,link=off', timeout=300)

    def test_no_optimiser(self):
        self.assert_replays(self.log, self.recording, '-accel', 'tcg,opt=off', timeout=300)

    def test_small_code_cache(self):
        """Translations are thrown away all the time."""
        self.assert_replays(self.log, self.recording, '-accel', 'tcg,tb-size=4', timeout=300)

    def test_tlb_shapes(self):
        """The soft TLB is invisible: any shape, emptied and filled ahead at any moment."""
        slow_ones = ('tlb-ways=8,tlb-entries=64', 'tlb-entries=65536', 'tlb-chaos=1')
        for shape in ('tlb-entries=16', 'tlb-ways=1,tlb-chaos=2', *(slow_ones if rearm.SLOW_SUITE else ())):
            with self.subTest(shape=shape):
                self.assert_replays(self.log, self.recording, '-accel', 'tcg,' + shape,
                                    timeout=300)

    def test_interpreter(self):
        self.assert_replays(self.log, self.recording, '-accel', 'tcg,backend=interp',
                            timeout=600)

    @slow()
    def test_interpreter_units(self):
        for count in (1, 7):
            with self.subTest(unit_insns=count):
                self.assert_replays(self.log, self.recording, '-accel',
                                    'tcg,backend=interp,unit-insns=%d' % count, timeout=1800)

    def test_same_console(self):
        """The console shows on replay what it showed."""
        out = self.path('console')
        code, _, stderr = self.run_rearm('-icount', 'rr=replay,rrfile=' + self.log, '-display',
                                         'none', '-monitor', 'none', '-serial', 'file:' + out)
        self.assertEqual(code, 0, stderr)
        with open(out, 'rb') as f:
            text = f.read()
        self.assertEqual(text.count(b'Booting Linux'), 1)
        self.assertIn(b'mistyped', text)
        self.assertIn(b'reboot: Power down', text)

    def test_options_given(self):
        """All options given again, as they were."""
        self.assert_replays(self.log, self.recording, *machine())

    def test_input_is_ignored(self):
        """What is typed during a replay reaches nobody."""
        with Vm('-icount', 'rr=replay,rrfile=' + self.log) as vm:
            vm.expect(rb'Booting Linux')
            vm.send('echo disturbance\n' * 20)
            self.assertEqual(vm.wait(120), 0, vm.stderr())
            self.assertIn(self.recording.digest + ' (equal)', vm.stderr())
            self.assertNotIn(b'disturbance', vm.output)

    @slow()
    def test_20_of_20(self):
        """Half of them while the host is kept busy."""
        busy = None
        try:
            for n in range(20):
                if n == 10:
                    busy = [subprocess.Popen([sys.executable, '-c', 'while True: pass'])
                            for _ in range(os.cpu_count() or 1)]
                self.assert_replays(self.log, self.recording, timeout=300)
        finally:
            for process in busy or []:
                process.kill()
                process.wait()


@need_guest()
class Record(TestCase):
    def drive_short(self, vm):
        vm.shell()
        vm.run('echo one; echo two')
        vm.send('poweroff -f\n')

    def check(self, icount, *options, rrcheck='', rounds=2, initrd=rearm.SMALL_INITRD):
        log = self.path('a.rr')
        recording = self.record(log, self.drive_short, *machine(initrd=initrd), *options,
                                icount=icount, rrcheck=rrcheck)
        for _ in range(rounds):
            self.assert_replays(log, recording)
        return recording

    def test_log_size(self):
        """Boot to a shell with little typing: under 50 KB."""
        recording = self.check('shift=1,sleep=off', initrd=rearm.INITRD, rounds=1)
        self.assertLess(recording.size, 50000)

    def test_shift_auto(self):
        recording = self.check('shift=auto')
        self.assertLess(recording.size, 50000)

    def test_sleep_on(self):
        recording = self.check('shift=3,sleep=on')
        self.assertLess(recording.size, 50000)

    def test_check_events(self):
        self.check('shift=1,sleep=off', rrcheck=',rrcheck=events', rounds=1)

    def test_smp(self):
        self.check('shift=1,sleep=off', '-smp', '2')

    def test_rng_device(self):
        """Random bytes from the host are in the log."""
        def drive(vm):
            vm.shell()
            vm.run('busybox mount -t sysfs sysfs /sys')
            vm.run('cat /sys/devices/virtual/misc/hw_random/rng_current')
            vm.send('poweroff -f\n')
        log = self.path('a.rr')
        recording = self.record(log, drive, *machine(), '-device', 'virtio-rng-device')
        self.assert_replays(log, recording)

    def test_reboot_inside(self):
        def drive(vm):
            vm.shell()
            vm.send('reboot -f\n')
            vm.expect(rb'Booting Linux')
            vm.shell()
            vm.send('poweroff -f\n')
        log = self.path('a.rr')
        recording = self.record(log, drive, *machine())
        self.assert_replays(log, recording)

    def test_quit_by_signal(self):
        """A recording ended by the host replays to its end."""
        def drive(vm):
            vm.shell()
            vm.process.send_signal(signal.SIGTERM)
        log = self.path('a.rr')
        recording = self.record(log, drive, *machine())
        self.assertEqual(recording.cause, 'host-quit')
        self.assert_replays(log, recording)

    def test_killed(self):
        """kill -9 in mid-run: the log replays to its last whole block."""
        log = self.path('a.rr')
        with Vm('-icount', 'shift=1,sleep=off,rr=record,rrfile=' + log, *machine()) as vm:
            vm.shell()
            for n in range(40):
                vm.run('echo %d' % n)
            time.sleep(1.5)
            vm.process.kill()
            vm.process.wait()
        first = self.replay(log)
        self.assertEqual(first[0], 0, first[2])
        self.assertIn('the recording was cut off', first[2])
        instructions = int(first[2].split('replayed ')[1].split()[0])
        self.assertGreater(instructions, 100000000)
        second = self.replay(log, '-accel', 'tcg,unit-insns=7')
        self.assertEqual(second[2].splitlines()[-1], first[2].splitlines()[-1])

