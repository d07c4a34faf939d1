"""The watchdog under Linux's own driver, which Debian has as a module.

SPDX-License-Identifier: GPL-2.0-or-later
"""
import re

import modules
from rearm import TestCase, machine, need_guest


@need_guest()
@modules.need_modules()
class Watchdog(TestCase):
    def archive(self):
        path = self.path('initrd')
        modules.with_modules(path, 'sbsa_gwdt')
        return path

    def drive(self, vm):
        """Refresh it for longer than it waits, then no more."""
        vm.shell()
        for kind, place in (('proc', '/proc'), ('devtmpfs', '/dev'), ('sysfs', '/sys')):
            vm.run('busybox mount -t %s none %s' % (kind, place))
        vm.run('insmod /sbsa_gwdt.ko')
        self.assertIn('Initialized with 10s timeout @ 62500000 Hz', vm.run('busybox dmesg'))
        text = vm.run('exec 3>/dev/watchdog; for i in 1 2 3 4 5 6 7 8; do busybox sleep 2; echo >&3; done; '
                      'cat /proc/uptime', timeout=120)
        self.assertGreater(float(re.search(r'^([\d.]+) [\d.]+$', text, re.M).group(1)), 16)

    def test_expires(self):
        log = self.path('log')
        recording = self.record(log, self.drive, *machine(ram='256M', initrd=self.archive()),
                                '-device', 'sbsa-gwdt', '-action', 'watchdog=poweroff',
                                '-trace', 'sbsa_gwdt_timeout,file=' + self.path('trace'))
        self.assertEqual(recording.cause, 'guest-shutdown')
        with open(self.path('trace'), encoding='ascii') as f:
            self.assertEqual(f.read(), 'sbsa_gwdt_timeout sbsa-gwdt0 WCS 0x3\n'
                                       'sbsa_gwdt_timeout sbsa-gwdt0 WCS 0x7\n')
        for shape in ((), ('-accel', 'tcg,unit-insns=512,opt=off'),
                      ('-accel', 'tcg,state-chaos=1,state-chaos-period=200000000')):
            self.assert_replays(log, recording, *shape)
