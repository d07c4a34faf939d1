"""The watchdog under Linux's own driver, which Debian has as a module: it is not in the installer's archive,
so it is looked for as sbsa_gwdt.ko in the cache folder. It comes out of the package linux-image of the
very kernel there:

    dpkg-deb --fsys-tarfile linux-image-*-arm64_*.deb | tar -x --strip-components=7 \\
        --wildcards '*/sbsa_gwdt.ko'

SPDX-License-Identifier: GPL-2.0-or-later
"""
import os
import re
import unittest

import initrd
import rearm
from rearm import TestCase, machine, need_guest

MODULE = os.path.join(rearm.CACHE, 'sbsa_gwdt.ko')


@need_guest()
@unittest.skipUnless(os.path.exists(MODULE), 'no %s' % MODULE)
class Watchdog(TestCase):
    def archive(self):
        """The small one, and behind it one with the module."""
        path = self.path('initrd')
        with open(rearm.SMALL_INITRD, 'rb') as f, open(MODULE, 'rb') as module, \
                open(path, 'wb') as out:
            out.write(f.read())
            out.write(bytes(-out.tell() % 4))
            initrd.write_entry(out, 1, 'sbsa_gwdt.ko', 0o100644, (0, 0), module.read())
            initrd.write_entry(out, 2, 'TRAILER!!!', 0, (0, 0), b'')
        return path

    def drive(self, vm):
        """Refresh it for longer than it waits, then no more."""
        vm.shell()
        for kind, place in (('proc', '/proc'), ('devtmpfs', '/dev'), ('sysfs', '/sys')):
            vm.run('busybox mount -t %s none %s' % (kind, place))
        vm.run('busybox insmod /sbsa_gwdt.ko')
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
