"""Two machines whose cards are joined: files go there and back. Each one's recording replays alone, without the other, and from
the middle.

SPDX-License-Identifier: GPL-2.0-or-later
"""
import contextlib
import os
import shutil
import signal
import socket
import tempfile
import time

import modules
import networks
import rearm
import travel
from rearm import Recording, TestCase, Vm, machine, need_guest

ONE, OTHER = '10.0.0.1', '10.0.0.2'
PORT = 5000
FAST, SLOW = 2 << 20, 100 << 20


class Side:
    """One of the machines, which is recorded."""

    def __init__(self, case, stack, name, nic, *options, rrcheck=',rrkeyframe=0.5'):
        self.case = case
        self.log = case.path(name + '.rr')
        self.vm = stack.enter_context(Vm(
            '-icount', 'shift=auto,rr=record,rrfile=%s%s' % (self.log, rrcheck),
            *machine(ram='512M', initrd=case.initrd, append=rearm.APPEND), '-nic', nic, *options))

    def receive(self, name):
        """Begin to wait for a file. What nc reads must not end: it would close its side, and the other nc would leave."""
        self.vm.run('test -p /open || busybox mknod /open p; exec 3<>/open')
        self.vm.send('busybox nc -l -p %d <&3 > %s; md5sum %s\n' % (PORT, name, name))

    def sum(self, output):
        return output.split()[-2]

    def received(self, timeout):
        """It has come: its sum."""
        text = self.vm.expect(rb'([0-9a-f]{32})  /\S+\s', timeout).group(1).decode()
        self.vm.expect(rearm.PROMPT)
        return text

    def send(self, name, address, timeout):
        self.vm.run('until busybox nc %s %d < %s; do sleep 1; done' % (address, PORT, name), timeout)

    def end(self, timeout=60):
        self.vm.send('poweroff -f\n')
        code = self.vm.wait(timeout)
        stderr = self.vm.stderr()
        self.case.assertEqual(code, 0, stderr)
        return Recording(stderr)


@need_guest()
@modules.need_modules()
class Pair(TestCase):
    """
    :avocado: tags=arch:aarch64
    :avocado: tags=machine:virt
    """

    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.mkdtemp(prefix='rearm-pair-')
        cls.initrd = os.path.join(cls.folder, 'initrd')
        modules.with_modules(cls.initrd, *networks.PCI, *networks.NET)

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.folder, ignore_errors=True)

    def exchange(self, one, other, size, timeout):
        """A file to the other one, and from there back."""
        networks.up(self, one.vm, ONE + '/24')
        networks.up(self, other.vm, OTHER + '/24')
        one.vm.run('head -c %d /dev/urandom > /file' % size, timeout)
        file_sum = one.vm.run('md5sum /file', timeout).split()[0]
        other.receive('/there')
        one.send('/file', OTHER, timeout)
        self.assertEqual(other.received(timeout), file_sum)
        one.vm.run('rm /file')     # half of the memory is for files
        one.receive('/back')
        other.send('/there', ONE, timeout)
        self.assertEqual(one.received(timeout), file_sum)

    def check_replays(self, side, recording, timeout=120):
        """From the start, and from a place that is not."""
        self.assert_replays(side.log, recording, timeout=timeout)
        for part in (0.5, 0.9):
            with travel.Replay(self.dir, side.log) as replay:
                replay.go('replay-seek', icount=int(recording.icount * part))
                replay.command('cont')
                replay.end(self, recording, timeout)

    def check(self, first_nic, second_nic, size=FAST, timeout=120, wait=lambda: None):
        with contextlib.ExitStack() as stack:
            one = Side(self, stack, 'one', first_nic)
            wait()
            other = Side(self, stack, 'other', second_nic)
            self.exchange(one, other, size, timeout)
            recordings = one.end(), other.end()
        for side, recording in zip((one, other), recordings):
            self.check_replays(side, recording, timeout)

    def test_socket(self):
        port = networks.free_port()
        self.check('socket,listen=127.0.0.1:%d' % port, 'socket,connect=127.0.0.1:%d,mac=52:54:00:12:34:57' % port,
                   wait=lambda: networks.wait_listening(port))

    @rearm.slow()
    def test_socket_large(self):
        port = networks.free_port()
        self.check('socket,listen=127.0.0.1:%d' % port, 'socket,connect=127.0.0.1:%d,mac=52:54:00:12:34:57' % port, SLOW, 600,
                   wait=lambda: networks.wait_listening(port))

    @rearm.slow()
    def test_dgram(self):
        """Unix sockets, and UDP, and a group."""
        names = self.path('1'), self.path('2')
        unix = 'dgram,local.type=unix,local.path=%s,remote.type=unix,remote.path=%s,mac=52:54:00:12:34:%02d'
        ports = networks.free_port(socket.SOCK_DGRAM), networks.free_port(socket.SOCK_DGRAM)
        udp = 'socket,udp=127.0.0.1:%d,localaddr=127.0.0.1:%d,mac=52:54:00:12:34:%02d'
        group = 'socket,mcast=230.0.0.1:%d,localaddr=127.0.0.1,mac=52:54:00:12:34:%02d'
        self.check(unix % (*names, 1), unix % (*names[::-1], 2))
        self.check(udp % (*ports, 1), udp % (*ports[::-1], 2))
        self.check(group % (ports[0], 1), group % (ports[0], 2))

    @rearm.slow()
    def test_slow_and_gone(self):
        """
        The other machine stands still in the middle of a file, and goes on: the file arrives. Then it is killed in the middle
        of another: this one goes on, and meets the next one that comes.
        """
        path = self.path('socket')
        with contextlib.ExitStack() as stack:
            one = Side(self, stack, 'one', 'stream,server=on,addr.type=unix,addr.path=' + path)
            other = Side(self, stack, 'other', 'stream,mac=52:54:00:12:34:57,reconnect=1,addr.type=unix,addr.path=' + path)
            networks.up(self, one.vm, ONE + '/24')
            networks.up(self, other.vm, OTHER + '/24')
            one.vm.run('head -c %d /dev/urandom > /file' % (20 << 20), 120)
            file_sum = one.vm.run('md5sum /file').split()[0]
            other.receive('/there')
            one.vm.send('busybox nc %s %d < /file; echo sent\n' % (OTHER, PORT))
            for _ in range(3):
                time.sleep(0.3)
                other.vm.process.send_signal(signal.SIGSTOP)
                time.sleep(2)
                other.vm.process.send_signal(signal.SIGCONT)
            self.assertEqual(other.received(300), file_sum)
            one.vm.expect(rearm.PROMPT, 300)
            other.receive('/there')
            one.vm.run('(until cat /file /file /file /file | busybox nc %s %d; do sleep 1; done) & sleep 2' % (OTHER, PORT))
            other.vm.process.kill()
            self.assertIn('alive', one.vm.run('sleep 2; kill $! && echo alive'))
            one.vm.run('killall nc; sleep 1')
            third = Side(self, stack, 'third', 'stream,mac=52:54:00:12:34:57,addr.type=unix,addr.path=' + path)
            networks.up(self, third.vm, OTHER + '/24')
            third.receive('/there')
            one.send('/file', OTHER, 300)
            self.assertEqual(third.received(300), file_sum)
            recordings = one.end(), third.end()
        for side, recording in zip((one, third), recordings):
            self.check_replays(side, recording, 300)
