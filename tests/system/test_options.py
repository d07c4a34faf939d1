#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Options of the command line by what they do to the process and to the guest.

usage: test_options.py REARM
"""
import os
import re
import signal
import subprocess
import sys
import time
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import guests
import test_qmp

UUID = '550e8411-e29b-41d4-a716-446655440101'

# Store the real-time clock's counter at RTC_DATA, and power off.
RTC_DATA = 0x40090000
RTC = [
    0xd2a12021,   # movz  x1, #0x0901, lsl #16
    0xd2a80123,   # movz  x3, #0x4009, lsl #16
    0xb9400022,   # ldr   w2, [x1]
    0xb9000062,   # str   w2, [x3]
    0xd2b08000,   # movz  x0, #0x8400, lsl #16
    0xf2800100,   # movk  x0, #8            PSCI SYSTEM_OFF
    0xd4000002,   # hvc   #0
]

# As RTC, but wait for ever.
RTC_WAIT = RTC[:4] + [0x14000000]


def print_item(key):
    """Print an item of fw_cfg up to a zero, and power off."""
    return [
        0xd2a12041,                                          # movz  x1, #0x0902, lsl #16
        0x52800003 | int.from_bytes(key.to_bytes(2, 'big'), 'little') << 5,   # movz w3, #key
        0x79001023,   # strh  w3, [x1, #8]
        0xd2a12002,   # movz  x2, #0x0900, lsl #16
        0x39400023,   # 1: ldrb w3, [x1]
        0x34000063,   # cbz   w3, 2f
        0x39000043,   # strb  w3, [x2]
        0x17fffffd,   # b     1b
        0xd2b08000,   # 2: movz x0, #0x8400, lsl #16
        0xf2800100,   # movk  x0, #8
        0xd4000002,   # hvc   #0
    ]


class OptionsTest(test_qmp.Program):
    def path(self, name):
        return os.path.join(self.dir, name)

    def guest(self, name, words):
        return guests.write(self.path(name), words)

    def run_rearm(self, *args, **kwargs):
        kwargs.setdefault('stdin', subprocess.DEVNULL)
        return subprocess.run([test_qmp.REARM, *args], cwd=self.dir, capture_output=True,
                              timeout=test_qmp.TIMEOUT, **kwargs)

    def good(self, *args, **kwargs):
        result = self.run_rearm(*args, **kwargs)
        self.assertEqual(result.returncode, 0, result.stderr)
        return result

    def refused(self, text, *args):
        result = self.run_rearm(*args)
        self.assertEqual(result.returncode, 1, result.stderr)
        self.assertEqual(result.stderr.count(b'\n'), 1, result.stderr)
        self.assertIn(text, result.stderr.decode())

    def wait_for(self, condition):
        end = time.monotonic() + test_qmp.TIMEOUT
        while not condition():
            self.assertLess(time.monotonic(), end)
            time.sleep(0.02)

    # ---- the process ----

    def daemon(self, *args, **kwargs):
        """The process id of a machine in the background."""
        self.good('-daemonize', '-pidfile', 'pid', '-kernel', self.spin, *args, **kwargs)
        with open(self.path('pid'), encoding='ascii') as f:
            pid = int(f.read())
        self.addCleanup(self.end, pid)
        return pid

    @staticmethod
    def alive(pid):
        try:
            with open(f'/proc/{pid}/stat', encoding='ascii') as f:
                return f.read().rsplit(')', 1)[1].split()[0] != 'Z'
        except OSError:
            return False

    def end(self, pid):
        if self.alive(pid):
            os.kill(pid, signal.SIGKILL)

    @staticmethod
    def status(pid, key):
        with open(f'/proc/{pid}/status', encoding='ascii') as f:
            return re.search(rf'^{key}:\s*(.*)$', f.read(), re.M)[1]

    def test_daemonize(self):
        """Back at once, with the machine running and its servers there; ends by a signal."""
        pid = self.daemon('-qmp', 'unix:q,server=on,wait=off', '-D', 'log', '-icount',
                          'shift=1,rr=record,rrfile=rec')
        self.assertNotEqual(os.getsid(pid), os.getsid(0))
        for fd in range(2):
            self.assertEqual(os.readlink(f'/proc/{pid}/fd/{fd}'), '/dev/null')
        client = self.client('q').negotiate()
        self.assertEqual(client.command('query-status')['status'], 'running')
        self.refused('-pidfile pid: another process has it', '-pidfile', 'pid', '-kernel', self.spin)
        self.assertTrue(os.path.exists(self.path('pid')))
        os.kill(pid, signal.SIGTERM)
        self.wait_for(lambda: not self.alive(pid))
        self.assertFalse(os.path.exists(self.path('pid')))
        # -nographic alone would be the terminal's.
        pid = self.daemon('-nographic', '-nodefaults')
        os.kill(pid, signal.SIGTERM)
        self.wait_for(lambda: not self.alive(pid))
        with open(self.path('log'), encoding='utf-8') as f:
            self.assertRegex(f.read(), r'^rearm: recorded \d+ instructions to rec ')

    def test_daemonize_failures(self):
        """What goes wrong is seen by who started it."""
        self.refused('cannot open kernel', '-daemonize', '-kernel', 'nofile')
        self.refused('nothing can be on stdio', '-daemonize', '-nographic', '-kernel', self.spin)
        self.refused('nothing can be on stdio', '-daemonize', '-serial', 'stdio', '-kernel', self.spin)
        self.refused("no snapshot", '-daemonize', '-kernel', self.spin, '-snapshot-file', 'nofile',
                     '-loadvm', 'a')
        self.assertEqual(self.run_rearm('-daemonize', '-M', 'virt,dumpdtb=dtb').returncode, 0)
        self.assertTrue(os.path.exists(self.path('dtb')))

    def test_name(self):
        pid = self.daemon('-name', 'guest=g,process=proc,debug-threads=on')
        with open(f'/proc/{pid}/comm', encoding='ascii') as f:
            self.assertEqual(f.read(), 'proc\n')

    @unittest.skipIf(os.getuid(), 'only root changes root and user')
    def test_chroot_and_runas(self):
        os.mkdir(self.path('jail'))
        pid = self.daemon('-chroot', 'jail', '-runas', '12345:23456')
        self.assertEqual(os.readlink(f'/proc/{pid}/root'), os.path.realpath(self.path('jail')))
        self.assertEqual(self.status(pid, 'Uid').split(), ['12345'] * 4)
        self.assertEqual(self.status(pid, 'Gid').split(), ['23456'] * 4)
        self.assertEqual(self.status(pid, 'Groups').split(), ['23456'])
        self.end(pid)
        self.wait_for(lambda: not self.alive(pid))
        pid = self.daemon('-run-with', 'user=daemon')
        self.assertEqual(self.status(pid, 'Uid').split(), ['1'] * 4)
        for text, args in (('-runas nobody-here: there is no such user', ['-runas', 'nobody-here']),
                           ('-chroot nodir: No such file', ['-chroot', 'nodir'])):
            self.refused(text, '-kernel', self.spin, *args)

    def test_sandbox(self):
        """Every run lives in it; what it denies is test-sandbox's."""
        # The leak sanitizer looks at the process with ptrace(), which is denied.
        env = {**os.environ, 'ASAN_OPTIONS': 'detect_leaks=0'}
        if b'without libseccomp' in self.run_rearm('-sandbox', 'on', '-kernel', self.spin, '-S',
                                                   input=b'\x01x', stdin=None, env=env).stderr:
            self.skipTest('built without libseccomp')
        deny = 'on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny'
        pid = self.daemon('-sandbox', deny, '-qmp', 'unix:q,server=on,wait=off', env=env)
        self.assertEqual(self.status(pid, 'Seccomp'), '2')
        client = self.client('q').negotiate()
        client.command('stop')
        client.command('cont')
        client.command('human-monitor-command', command_line='info mtree')
        client.command('quit')
        self.wait_for(lambda: not self.alive(pid))
        echo = guests.write(self.path('echo'), guests.ECHO, guests.ECHO_TEXT)
        for mode in ('record', 'replay'):
            result = self.good('-nographic', '-kernel', echo, '-sandbox', deny, '-icount',
                               f'shift=1,rr={mode},rrfile=rec', input=b'abcq', stdin=None, env=env)
            self.assertEqual(result.stdout, b'hello from the guest\nabcq')

    def test_mem_lock(self):
        with open(test_qmp.REARM, 'rb') as f:
            if re.search(rb'__[at]san_init', f.read()):
                self.skipTest('sanitizers lock no memory')
        try:
            pid = self.daemon('-overcommit', 'mem-lock=on', '-m', '16M', '-accel', 'tcg,tb-size=8')
        except AssertionError as e:
            self.assertIn('the host locks no memory', str(e))
            return
        self.assertGreater(int(self.status(pid, 'VmLck').split()[0]), 16000)

    def test_msg(self):
        result = self.run_rearm('-msg', 'timestamp=on,guest-name=on', '-name', 'g', '-kernel', 'nofile')
        self.assertRegex(result.stderr, rb'^20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z g rearm: cannot')

    def test_action(self):
        reset = self.guest('reset', [0xd2b08000, 0xf2800120, 0xd4000002])   # PSCI SYSTEM_RESET
        self.good('-display', 'none', '-kernel', reset, '-action', 'reboot=shutdown')

    # ---- memory ----

    def test_memory_backends(self):
        """The same machine, wherever its memory is: one recording replays with all of them."""
        echo = guests.write(self.path('echo'), guests.ECHO, guests.ECHO_TEXT)
        self.good('-m', '64M', '-nographic', '-kernel', echo, '-numa', 'node', '-icount',
                  'shift=1,rr=record,rrfile=rec', input=b'abcq', stdin=None)
        for args in ([], ['-mem-prealloc'], ['-mem-path', '/dev/shm'], ['-mem-path', 'new'],
                     ['-object', 'memory-backend-ram,id=m0,size=64M', '-machine', 'memory-backend=m0'],
                     ['-object', '{"qom-type": "memory-backend-memfd", "id": "m0", "size": 67108864}',
                      '-M', 'virt,memory-backend=m0'],
                     ['-object', f'memory-backend-file,id=m0,size=64M,mem-path={self.dir}',
                      '-numa', 'node,memdev=m0']):
            result = self.good('-nographic', '-icount', 'rr=replay,rrfile=rec', *args)
            self.assertIn(b'(equal)', result.stderr)
        self.assertFalse(os.path.exists(self.path('new')))

    def test_memory_of_a_file(self):
        """Private: where memory begins, part of what a recording needs. Shared: not recorded."""
        rtc = self.guest('rtc', RTC)
        memory = '-object', 'memory-backend-file,id=m,size=1M,mem-path=ram', '-machine', 'memory-backend=m'
        record = '-icount', 'shift=1,rr=record,rrfile=rec'
        with open(self.path('ram'), 'wb') as f:
            f.write(b'abcd')
        self.good('-display', 'none', '-kernel', rtc, *memory, *record)
        replay = '-display', 'none', '-icount', 'rr=replay,rrfile=rec'
        self.assertIn(b'(equal)', self.good(*replay, *memory).stderr)
        result = self.run_rearm(*replay)
        self.assertEqual(result.returncode, 2)
        self.assertIn(b"'ram-content' differs", result.stderr)
        with open(self.path('ram'), 'r+b') as f:
            f.write(b'abcx')
        self.assertEqual(self.run_rearm(*replay, *memory).returncode, 2)

        shared = memory[0], memory[1] + ',share=on', *memory[2:]
        self.refused("others can write to the guest's memory", '-display', 'none', '-kernel', rtc, *shared,
                     *record)
        self.good('-display', 'none', '-kernel', rtc, *shared, '-rtc', 'base=2030-05-02,clock=vm')
        with open(self.path('ram'), 'rb') as f:
            f.seek(RTC_DATA - 0x40000000)
            self.assertEqual(int.from_bytes(f.read(4), 'little'), 1903910400)

    def test_memory_refusals(self):
        for text, *args in (
                ("memory backend 'm0': there is no -object", '-machine', 'memory-backend=m0'),
                ("memory backend 'r': -object rng-builtin is none", '-object', 'rng-builtin,id=r',
                 '-machine', 'memory-backend=r'),
                ("memory backend 'm' has 1048576 bytes, but -m asks for 2097152", '-m', '2M', '-object',
                 'memory-backend-ram,id=m,size=1M', '-machine', 'memory-backend=m'),
                ('-numa node,mem=: the one node has all RAM', '-numa', 'node,mem=1M'),
                ('-numa node,cpus=: there is no CPU 4, as -smp makes 2', '-numa', 'node,cpus=0-4', '-smp',
                 '2'),
                ("-object: there is no object type 'iothread'", '-object', 'iothread,id=i')):
            self.refused(text, '-kernel', self.spin, *args)

    def test_numa(self):
        self.good('-M', 'virt,dumpdtb=dtb', '-smp', '2', '-numa', 'node,cpus=0-1')
        with open(self.path('dtb'), 'rb') as f:
            self.assertIn(b'numa-node-id\0', f.read())
        self.good('-M', 'virt,dumpdtb=dtb', '-smp', '2')
        with open(self.path('dtb'), 'rb') as f:
            self.assertNotIn(b'numa-node-id\0', f.read())

    # ---- what the guest is told ----

    def rtc_shows(self, *args, **kwargs):
        """The seconds since 1970 that a guest reads from its clock."""
        process = self.start('-display', 'none', '-kernel', self.guest('rtcw', RTC_WAIT), '-qmp',
                             'unix:r,server=on', *args, **kwargs)
        client = self.client('r').negotiate()
        value = 0
        end = time.monotonic() + test_qmp.TIMEOUT
        while not value and time.monotonic() < end:
            text = client.command('human-monitor-command', command_line=f'xp /1wx {RTC_DATA:#x}')
            value = int(text.split(':')[1], 16)
        client.command('quit')
        process.wait()
        return value

    def test_rtc(self):
        for clock in 'host', 'rt', 'vm':
            shown = self.rtc_shows('-rtc', f'base=2030-05-02T13:54:07,clock={clock}')
            self.assertGreaterEqual(shown, 1903960447)
            self.assertLess(shown, 1903960447 + 60)
            self.assertLess(abs(self.rtc_shows('-rtc', f'base=utc,clock={clock}') - time.time()), 60)
        shown = self.rtc_shows('-rtc', 'base=localtime', env={**os.environ, 'TZ': 'XXX-5:30'})
        self.assertLess(abs(shown - 19800 - time.time()), 60)

    def test_rtc_replays(self):
        """With virtual time nothing but the start has to be known, which the recording knows."""
        rtc = self.guest('rtc', RTC)
        for spec in 'base=utc,clock=vm', 'base=2030-05-02,clock=vm', 'base=localtime', 'clock=rt':
            self.good('-display', 'none', '-kernel', rtc, '-rtc', spec, '-icount',
                      'shift=1,rr=record,rrfile=rec,rroverwrite=on')
            time.sleep(1.1)
            for args in [], ['-rtc', spec]:
                result = self.good('-display', 'none', '-icount', 'rr=replay,rrfile=rec', *args)
                self.assertIn(b'(equal)', result.stderr)
            result = self.run_rearm('-display', 'none', '-icount', 'rr=replay,rrfile=rec', '-rtc',
                                    'base=2029-01-01')
            self.assertEqual(result.returncode, 2)
            self.assertIn(b"'rtc' differs", result.stderr)

    def test_fw_cfg(self):
        guest = self.guest('fw', print_item(0x20))
        with open(self.path('content'), 'wb') as f:
            f.write(b'from a file')
        for arg, text in (('name=opt/org.test,string=hello,,you', b'hello,you'),
                          ('opt/org.test,file=content', b'from a file')):
            result = self.good('-nographic', '-kernel', guest, '-fw_cfg', arg, '-icount',
                               'shift=1,rr=record,rrfile=rec,rroverwrite=on')
            self.assertEqual(result.stdout, text)
            result = self.good('-nographic', '-icount', 'rr=replay,rrfile=rec')
            self.assertEqual(result.stdout, text)
        with open(self.path('content'), 'wb') as f:
            f.write(b'another file')
        result = self.run_rearm('-nographic', '-icount', 'rr=replay,rrfile=rec')
        self.assertEqual(result.returncode, 2)
        self.assertIn(b"'fw_cfg opt/org.test' differs", result.stderr)
        self.refused('cannot open', '-kernel', guest, '-fw_cfg', 'opt/x,file=nofile')
        self.refused("fw_cfg file 'opt/x' is there already", '-kernel', guest, '-fw_cfg',
                     'opt/x,string=a', '-fw_cfg', 'opt/x,string=b')

    def test_smbios(self):
        """Nobody reads the tables without firmware, and yet a recording knows what was said."""
        guest = self.guest('fw', print_item(0x0e))
        with open(self.path('content'), 'wb') as f:
            f.write(b'from a file')
        self.good('-nographic', '-kernel', guest, '-smbios', 'type=1,serial=a,,b', '-smbios', 'type=11,value=x,path=content',
                  '-icount', 'shift=1,rr=record,rrfile=rec,rroverwrite=on')
        self.good('-nographic', '-icount', 'rr=replay,rrfile=rec')
        with open(self.path('content'), 'wb') as f:
            f.write(b'another file')
        result = self.run_rearm('-nographic', '-icount', 'rr=replay,rrfile=rec')
        self.assertEqual(result.returncode, 2)
        self.assertIn(b"'smbios' differs", result.stderr)
        self.refused('-smbios type=5: there are types 0, 1, 2', '-kernel', guest, '-smbios', 'type=5')
        self.refused('-smbios type=1', '-kernel', guest, '-smbios', 'type=1,seriel=x')

    def test_boot_menu(self):
        for menu, shown in ('on', b'\x01'), ('off', b''):
            result = self.good('-nographic', '-kernel', self.guest('fw', print_item(0x0e)), '-boot',
                               f'menu={menu},strict=on')
            self.assertEqual(result.stdout, shown)

    def test_uuid(self):
        result = self.good('-nographic', '-kernel', self.guest('fw', print_item(0x02)), '-uuid', UUID)
        self.assertEqual(result.stdout.hex(), UUID.replace('-', ''))
        self.start('-S', '-kernel', self.spin, '-qmp', 'unix:q,server=on', '-uuid', UUID.upper())
        client = self.client('q').negotiate()
        self.assertEqual(client.command('query-uuid'), {'UUID': UUID})

    # ---- files of options ----

    def test_config_files(self):
        """A command line and the file that was made of it are the same machine."""
        echo = guests.write(self.path('echo'), guests.ECHO, guests.ECHO_TEXT)
        self.good('-M', 'virt,dtb-randomness=off', '-m', '64M', '-kernel', echo, '-device',
                  '{"driver": "virtio-rng-device", "id": "r"}', '-set', 'device.r.event_idx=off',
                  '-chardev', 'stdio,id=c', '-serial', 'chardev:c', '-rtc', 'base=2030-05-02,clock=vm',
                  '-icount', 'shift=1,rr=record,rrfile=rec', '-writeconfig', 'config', input=b'q',
                  stdin=None)
        with open(self.path('config'), encoding='utf-8') as f:
            text = f.read()
        self.assertIn('\n[device "r"]\n  driver = "virtio-rng-device"\n  event_idx = "off"\n', text)
        with open(self.path('config'), 'w', encoding='utf-8') as f:
            f.write(text.replace('"record"', '"replay"').replace('"c"', '"d"'))
        result = self.good('-readconfig', 'config', '-serial', 'chardev:d')
        self.assertIn(b'(equal)', result.stderr)
        self.assertEqual(result.stdout, b'hello from the guest\nq')

    def test_object_help(self):
        for args, text in ((['-object', 'help'], b'\n  memory-backend-ram '),
                           (['-object', 'memory-backend-file,help'], b'\n  mem-path=<str> '),
                           (['-object', 'rng-builtin,help'], b'There are no options for rng-builtin.\n'),
                           (['-L', 'here', '-L', 'help'], b'here\n')):
            self.assertIn(text, self.good(*args).stdout)
        self.refused('-object x: there is no such type', '-object', 'x,help')


if __name__ == '__main__':
    test_qmp.REARM = os.path.abspath(sys.argv.pop(1))
    unittest.main()
