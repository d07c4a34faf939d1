"""Debian's libvirt runs the life of a domain whose emulator is Rearm: docs/examples/libvirt/domain.xml.

The daemon is a private one, in qemu:///session, of a user who is not root, with folders of its own.

SPDX-License-Identifier: GPL-2.0-or-later
"""
import hashlib
import os
import pty
import re
import select
import shutil
import signal
import subprocess
import termios
import time
import unittest

import initrd
import modules
import networks
import rearm
from rearm import TestCase, need_guest, slow

LIBVIRTD = '/usr/sbin/libvirtd'
DOMAIN = os.path.join(rearm.TOP, 'docs', 'examples', 'libvirt', 'domain.xml')
NOBODY = 65534
TIMEOUT = 120 * rearm.SLOW
REARM_IMG = os.path.join(os.path.dirname(os.path.dirname(rearm.REARM)), 'block', 'rearm-img')
MODULES = (*networks.PCI, 'virtio_blk', *networks.NET, 'gpio_keys')

# The first program of the guest: runs what is typed, and switches itself off when the button is pressed.
INIT = r"""#!/bin/sh
busybox mount -t proc proc /proc
busybox mount -t sysfs sysfs /sys
busybox mount -t devtmpfs devtmpfs /dev
for module in %s; do insmod /$module.ko; done
busybox ip link set eth0 up && busybox ip addr add 10.0.2.15/24 dev eth0
pressed() {
    while read irq count rest; do
        case "$rest" in *Poweroff*) [ "$count" = 0 ] || return 0;; esac
    done </proc/interrupts
    return 1
}
{
    until pressed; do busybox sleep 1; done
    echo "guest: the button"
    busybox poweroff -f
} &
n=0
echo "guest: ready"
while read line; do n=$((n + 1)); echo "guest: $n" $(eval "$line"); done
""" % ' '.join(MODULES)
DEVICES = """
    <disk type='file' device='disk'>
      <driver name='qemu' type='qcow2'/>
      <source file='%s'/>
      <target dev='vda' bus='virtio'/>
    </disk>
    <interface type='user'>
      <mac address='52:54:00:12:34:56'/>
      <model type='virtio'/>
    </interface>
"""


def make_initrd(path):
    """The small one with drivers, and behind it an archive with INIT."""
    modules.with_modules(path, *MODULES)
    with open(path, 'ab') as out:
        out.write(b'\0' * (-out.tell() % 4))
        initrd.write_entry(out, 1, 'init', 0o100755, (0, 0), INIT.encode())
        initrd.write_entry(out, 0, 'TRAILER!!!', 0, (0, 0), b'')


@slow()
@need_guest()
@modules.need_modules()
@unittest.skipIf(not os.path.exists(LIBVIRTD) or not shutil.which('virsh'),
                 'no libvirt: scripts/setup libvirt')
class Libvirt(TestCase):
    def setUp(self):
        super().setUp()
        # The paths of sockets are short.
        self.top = subprocess.check_output(['mktemp', '-d', '/tmp/lv-XXXXXX'], encoding='utf-8').strip()
        self.addCleanup(shutil.rmtree, self.top, True)
        self.user = {'user': NOBODY, 'group': NOBODY, 'extra_groups': []} if os.geteuid() == 0 else {}
        for name in ('run', 'config/libvirt', 'cache', 'data', 'out'):
            os.makedirs(self.path(name))
        # Whoever the daemon is, it can read these.
        shutil.copy(rearm.REARM, self.path('rearm'))
        shutil.copy(rearm.KERNEL, self.path('linux'))
        make_initrd(self.path('initrd'))
        for name, text in (('qemu.conf', 'stdio_handler = "file"\n'),
                           ('libvirtd.conf', 'log_outputs = "2:file:%s"\n' % self.path('out/libvirtd.log'))):
            with open(self.path('config/libvirt/' + name), 'w', encoding='utf-8') as f:
                f.write(text)
        self.env = {'PATH': '/usr/sbin:/usr/bin:/sbin:/bin', 'HOME': self.top, 'LC_ALL': 'C',
                    'XDG_RUNTIME_DIR': self.path('run'), 'XDG_CONFIG_HOME': self.path('config'),
                    'XDG_CACHE_HOME': self.path('cache'), 'XDG_DATA_HOME': self.path('data'),
                    'LIBVIRT_DEFAULT_URI': 'qemu:///session'}
        if self.user:
            subprocess.run(['chown', '-R', '%d:%d' % (NOBODY, NOBODY), self.top], check=True)
        self.start_daemon()

    def path(self, name):
        return os.path.join(self.top, name)

    def start_daemon(self):
        with open(self.path('daemon.out'), 'wb') as out:
            daemon = subprocess.Popen([LIBVIRTD], env=self.env, cwd=self.top, stdin=subprocess.DEVNULL,
                                      stdout=out, stderr=out, **self.user)
        self.addCleanup(self.end_daemon, daemon)
        deadline = time.monotonic() + TIMEOUT
        while not os.path.exists(self.path('run/libvirt/libvirt-sock')):
            self.assertIsNone(daemon.poll())
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.1)

    def end_daemon(self, daemon):
        """And the domains that a failed test has left."""
        subprocess.run(['virsh', 'destroy', 'rearm'], env=self.env, capture_output=True, check=False,
                       timeout=TIMEOUT, **self.user)
        daemon.send_signal(signal.SIGTERM)
        daemon.wait(TIMEOUT)

    # ---- virsh ----

    def run_virsh(self, *words):
        return subprocess.run(['virsh', *words], env=self.env, cwd=self.top, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, encoding='utf-8',
                              timeout=TIMEOUT, check=False, **self.user)

    def virsh(self, *words):
        run = self.run_virsh(*words)
        if run.returncode:
            log = self.path('cache/libvirt/qemu/log/rearm.log')
            more = open(log, encoding='utf-8').read()[-2000:] if os.path.exists(log) else ''
            self.fail('virsh %s: %s\n%s' % (' '.join(words), run.stdout, more))
        return run.stdout.strip()

    def refused(self, *words):
        run = self.run_virsh(*words)
        self.assertNotEqual(run.returncode, 0, run.stdout)
        return run.stdout

    def state(self):
        return self.virsh('domstate', 'rearm')

    def wait_for(self, condition):
        deadline = time.monotonic() + TIMEOUT
        while not condition():
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.1)

    def wait_state(self, state):
        self.wait_for(lambda: self.state() == state)

    def read_until(self, fd, seen, pattern):
        deadline = time.monotonic() + TIMEOUT
        while not re.search(pattern, seen):
            self.assertLess(time.monotonic(), deadline, seen)
            if select.select([fd], [], [], 1)[0]:
                seen += os.read(fd, 65536)
        return seen

    def console(self, text, answer):
        """Type a line into virsh console until the guest gives this answer to it."""
        pid, fd = pty.fork()
        if pid == 0:
            if self.user:
                os.setgroups([])
                os.setgid(NOBODY)
                os.setuid(NOBODY)
            os.execvpe('virsh', ['virsh', 'console', '--force', 'rearm'], self.env)
        try:
            seen = self.read_until(fd, b'', rb'Escape character[^\n]*\n')
            # What was typed before virsh changes the terminal would be lost.
            self.wait_for(lambda: not termios.tcgetattr(fd)[3] & termios.ECHO)
            if text:
                os.write(fd, text.encode() + b'\r')
            self.read_until(fd, seen, re.escape(answer.encode()))
            os.write(fd, b'\x1d')             # the escape character
            self.read_until(fd, b'', rb'\n')
        finally:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
            os.close(fd)

    def define(self, *arguments, devices=''):
        """The example, with our paths, with these arguments behind its own, and with more devices."""
        with open(DOMAIN, encoding='utf-8') as f:
            xml = f.read()
        for name, ours in (('/var/lib/rearm/linux', 'linux'), ('/var/lib/rearm/initrd', 'initrd'),
                           ('/usr/bin/rearm', 'rearm')):
            self.assertIn(name, xml)
            xml = xml.replace(name, self.path(ours))
        if arguments:
            xml = re.sub('(?s)<qemu:arg.*/>', ''.join("<qemu:arg value='%s'/>" % a for a in arguments), xml)
        xml = xml.replace('</emulator>', '</emulator>' + devices)
        with open(self.path('out/domain.xml'), 'w', encoding='utf-8') as f:
            f.write(xml)
        self.virsh('define', self.path('out/domain.xml'))

    # ---- tests ----

    def test_life(self):
        self.define()
        self.virsh('start', 'rearm')
        self.console('', 'guest: ready')
        self.console('echo one', 'guest: 1 one')
        self.virsh('suspend', 'rearm')
        self.assertEqual(self.state(), 'paused')
        self.virsh('resume', 'rearm')
        self.assertEqual(self.state(), 'running')
        self.console('echo two', 'guest: 2 two')

        saved = self.path('out/saved')
        self.virsh('save', 'rearm', saved)
        self.assertEqual(self.state(), 'shut off')
        self.virsh('restore', saved)
        self.assertEqual(self.virsh('domstate', 'rearm', '--reason'), 'running (restored)')
        self.console('echo three', 'guest: 3 three')
        self.virsh('managedsave', 'rearm')
        self.assertEqual(self.state(), 'shut off')
        self.virsh('start', 'rearm')
        self.console('echo four', 'guest: 4 four')

        self.assertIn('None', self.virsh('domjobinfo', 'rearm'))
        self.assertRegex(self.virsh('domjobinfo', 'rearm', '--completed'),
                         r'(?s)Completed.*Operation: +Save.*Data remaining: +0.000 B')
        self.virsh('dump', 'rearm', self.path('out/core'), '--memory-only')
        with open(self.path('out/core'), 'rb') as f:
            self.assertEqual(f.read(20)[:4], b'\x7fELF')
        self.virsh('dump', 'rearm', self.path('out/state'))
        self.assertEqual(self.state(), 'running')
        self.console('echo five', 'guest: 5 five')

        self.assertIn('VM status: running', self.virsh('qemu-monitor-command', 'rearm', '--hmp',
                                                       'info status'))
        self.assertIn('"mode":"none"', self.virsh('qemu-monitor-command', 'rearm',
                                                  '{"execute": "query-replay"}'))
        self.virsh('reset', 'rearm')
        self.console('', 'guest: ready')
        self.console('echo again', 'guest: 1 again')
        self.virsh('shutdown', 'rearm')
        self.wait_state('shut off')
        self.assertEqual(self.virsh('domstate', 'rearm', '--reason'), 'shut off (shutdown)')

        self.virsh('start', 'rearm')
        self.virsh('destroy', 'rearm')
        self.assertEqual(self.virsh('domstate', 'rearm', '--reason'), 'shut off (destroyed)')
        self.virsh('undefine', 'rearm')
        self.assertIn('failed to get domain', self.refused('domstate', 'rearm'))

    def test_recorded(self):
        """A recorded domain is replayed; as a recording begins at power-on, it is not restored."""
        log = self.path('out/log')
        self.define('-icount', 'shift=auto,rr=record,rrfile=%s' % log)
        self.virsh('start', 'rearm')
        self.console('', 'guest: ready')
        self.console('echo one', 'guest: 1 one')
        self.virsh('shutdown', 'rearm')
        self.wait_state('shut off')
        with open(self.path('cache/libvirt/qemu/log/rearm.log'), encoding='utf-8') as f:
            digest = rearm.RECORDED.search(f.read()).group(4)
        replay = subprocess.run([rearm.REARM, '-nodefaults', '-display', 'none', '-icount',
                                 'rr=replay,rrfile=%s' % log], capture_output=True, encoding='utf-8',
                                timeout=TIMEOUT, check=True)
        self.assertEqual(rearm.REPLAYED.search(replay.stderr).group(2), digest)

        self.virsh('start', 'rearm')
        self.virsh('save', 'rearm', self.path('out/saved'))
        # libvirt shows what the program said, or that its monitor was gone, whichever it sees first.
        self.refused('restore', self.path('out/saved'))
        with open(self.path('cache/libvirt/qemu/log/rearm.log'), encoding='utf-8') as f:
            self.assertIn('a recording begins at power-on', f.read())

    def test_disk_and_network(self):
        """The same life with a disk and a network card; the image is whole in the end."""
        contents = os.urandom(300000)
        server = networks.FileServer(contents)
        self.addCleanup(server.end)
        disk = self.path('out/disk.qcow2')
        subprocess.run([REARM_IMG, 'create', '-q', '-f', 'qcow2', disk, '64M'], check=True)
        if self.user:
            os.chown(disk, NOBODY, NOBODY)

        def use(n):
            """The disk has the number that was written first; the network brings the file."""
            self.console('busybox head -c 7 /dev/vda', 'guest: %d kept-42' % n)
            self.console('busybox wget -q -O - http://10.0.2.2:%d/ | md5sum' % server.server_port,
                         'guest: %d %s' % (n + 1, hashlib.md5(contents).hexdigest()))

        self.define(devices=DEVICES % disk)
        self.virsh('start', 'rearm')
        self.console('', 'guest: ready')
        self.console('echo kept-$((6 * 7)) >/dev/vda; sync', 'guest: 1')
        use(2)
        self.assertRegex(self.virsh('domblkinfo', 'rearm', 'vda'), r'Capacity: +67108864')
        self.assertRegex(self.virsh('domblkstat', 'rearm', 'vda'), r'wr_req [1-9]')
        self.assertRegex(self.virsh('domiflist', 'rearm'), r'user +.* virtio +52:54:00:12:34:56')
        self.virsh('suspend', 'rearm')
        self.virsh('resume', 'rearm')
        saved = self.path('out/saved')
        self.virsh('save', 'rearm', saved)
        self.virsh('restore', saved)
        use(4)

        self.virsh('blockresize', 'rearm', 'vda', '96M')
        self.console('cat /sys/block/vda/size', 'guest: 6 196608')
        self.virsh('dump', 'rearm', self.path('out/core'), '--memory-only')
        self.virsh('reset', 'rearm')
        self.console('', 'guest: ready')
        use(1)
        self.virsh('shutdown', 'rearm')
        self.wait_state('shut off')
        check = subprocess.run([REARM_IMG, 'check', disk], capture_output=True, text=True)
        self.assertEqual(check.returncode, 0, check.stdout)
        self.virsh('start', 'rearm')
        self.virsh('destroy', 'rearm')
