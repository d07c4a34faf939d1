"""An installed Debian, from its disk (scripts/make-disk): systemd comes up to a login, and gcc, git and sqlite3 work.
Recorded with several CPUs and replayed; the same from UEFI firmware, which starts the disk's GRUB.

SPDX-License-Identifier: GPL-2.0-or-later
"""
import contextlib
import hashlib
import os
import shutil
import socket
import subprocess
import time
import unittest

import rearm
import travel
from rearm import TestCase, Vm

FOLDER = os.path.join(rearm.CACHE, 'debian')
DISK = os.path.join(FOLDER, 'disk.qcow2')
FIRMWARE = '/usr/share/qemu-efi-aarch64/QEMU_EFI.fd'
PROMPT = rb'root@debian:[^ ]*# '
BUILD = """cat > hello.c <<EOF
#include <stdio.h>
#include <math.h>
int main(void) { for (int i = 1; i < 4; i++) printf("%d %.6f\\\\n", i, sqrt(i)); }
EOF
"""
SESSION_SECONDS = 60 * float(os.environ.get('REARM_SESSION_MINUTES', '2'))
THINK_SECONDS = 15
REPLAYS = 5 if SESSION_SECONDS > 600 else 1
# `sh work.sh STEP ROUND`: each step says that it was right in the end.
WORK = r"""
set -e
project() {
    rm -rf p; mkdir p; cd p
    for i in 1 2 3 4 5 6 7 8; do
        printf 'int f%d(int x) { int s = 0; for (int i = 0; i < x; i++) s += i * %d + %d; return s; }\n' $i $i $1 > f$i.c
    done
    printf '#include <stdio.h>\n%s\nint main(void) { printf("%%d\\n", %s); }\n' \
        "$(for i in 1 2 3 4 5 6 7 8; do printf 'int f%d(int); ' $i; done)" \
        "$(for i in 1 2 3 4 5 6 7 8; do printf 'f%d(100) + ' $i; done)0" > main.c
    printf 'CFLAGS = -O2 -Wall -g\nprog: main.o %s\n\t$(CC) -o $@ $^\n' "$(echo f1.o f2.o f3.o f4.o f5.o f6.o f7.o f8.o)" > Makefile
    make -s -j4
    [ "$(./prog)" = $((4950 * 36 + 800 * $1)) ]
}
package() {
    rm -rf repo; mkdir -p repo/tree/DEBIAN repo/tree/opt
    echo "contents $1" > repo/tree/opt/thing
    printf 'Package: thing\nVersion: 1.%d\nArchitecture: all\nMaintainer: A <a@b.c>\nDescription: a thing\n' $1 > repo/tree/DEBIAN/control
    dpkg-deb -b repo/tree repo/thing.deb > repo/log
    (cd repo; dpkg-deb -f thing.deb; echo "Filename: ./thing.deb"; echo "Size: $(stat -c %s thing.deb)";
     echo "SHA256: $(sha256sum thing.deb | cut -d' ' -f1)") > repo/Packages
    echo "deb [trusted=yes] file:$PWD/repo ./" > only.list
    apt-get -q -o Dir::Etc::SourceList=$PWD/only.list -o Dir::Etc::SourceParts=/dev/null update
    apt-get -q -y -o Dir::Etc::SourceList=$PWD/only.list -o Dir::Etc::SourceParts=/dev/null install thing
    grep -q "contents $1" /opt/thing
    dpkg -s thing | grep -q "Version: 1.$1"
    apt-get -q -y remove thing
    [ ! -e /opt/thing ]
}
history() {
    git config --global user.email a@b; git config --global user.name A; git config --global init.defaultBranch main
    [ -d r ] || git init -q r
    cd r; cp -r ../p/*.c ../p/Makefile .
    git add .; git commit -q --allow-empty -m "round $1"
    git checkout -q -b side$1; seq $1 2000 > numbers; git add .; git commit -q -m side
    git checkout -q main; git merge -q --no-ff -m merge side$1
    git gc -q; git fsck --strict
    [ "$(git log --oneline | wc -l)" = $((3 * $1 + 3)) ]
}
database() {
    rm -f t.db
    sqlite3 t.db "create table t(n integer primary key, s text, r blob);
        insert into t with recursive c(x) as (select 1 union all select x + 1 from c where x < 30000) select x, 'text ' || x * $1, randomblob(64) from c;
        create index i on t(s); delete from t where n % 3 = 0; update t set s = s || s where n % 5 = 0; vacuum;"
    [ "$(sqlite3 t.db 'pragma integrity_check; select count(*), sum(n) from t')" = "ok
20000|300000000" ]
}
($1 $2)
sync
echo "$1 $2 is right"
"""
need_ssh = unittest.skipUnless(shutil.which('ssh'), 'no ssh: install openssh-client')


def in_cache(name):
    return os.path.join(FOLDER, name)


def kernel():
    """A kernel from the host boots the disk."""
    return ('-kernel', in_cache('vmlinuz'), '-initrd', in_cache('initrd.img'),
            '-append', 'root=/dev/vda1 console=ttyAMA0')


def machine(*options, cpus=4):
    return ('-M', 'virt', '-cpu', 'cortex-a72', '-smp', str(cpus), '-m', '2G', *options,
            '-drive', 'file=%s,if=virtio,snapshot=on' % DISK)


@unittest.skipUnless(os.path.exists(in_cache('sha256')), 'no disk: run scripts/make-disk')
class Debian(TestCase):
    """
    :avocado: tags=arch:aarch64
    :avocado: tags=machine:virt
    """

    def command(self, vm, line, timeout=300):
        """Type a line at root's prompt; what it printed."""
        start = vm.seen
        vm.send(line + '\n')
        vm.expect(PROMPT, timeout)
        return vm.output[start:vm.seen].decode('latin1').replace('\r', '')

    def log_in(self, vm):
        vm.expect(PROMPT, 300)
        self.command(vm, 'bind "set enable-bracketed-paste off"; cd; systemctl is-system-running --wait')
        self.assertIn('running\n', self.command(vm, 'systemctl is-system-running'))

    def work(self, vm):
        """What people do on a machine that they have logged in to."""
        self.log_in(vm)
        for line in BUILD.splitlines():
            vm.send(line + '\n')
        vm.expect(PROMPT)
        self.assertIn('3 1.732051', self.command(vm, 'gcc -O2 -Wall -o hello hello.c -lm && ./hello'))
        self.command(vm, 'git config --global user.email a@b; git config --global user.name A; git init -q r; cd r')
        self.command(vm, 'cp ../hello.c .; git add .; git commit -q -m first; echo "// more" >> hello.c')
        self.assertIn('1 insertion', self.command(vm, 'git commit -a -m second; git fsck'))
        self.assertIn('5000050000', self.command(
            vm, 'sqlite3 t.db "create table t(n); insert into t with recursive c(x) as (select 1 union all select '
            'x + 1 from c where x < 100000) select x from c; select sum(n) from t; pragma integrity_check;"'))
        self.assertIn('ii  gcc ', self.command(vm, 'sync; dpkg -l gcc git | cat'))

    def session(self, vm):
        self.work(vm)
        vm.send('poweroff\n')

    def test_live(self):
        with Vm('-icount', 'shift=1,sleep=off', *machine(*kernel())) as vm:
            self.session(vm)
            self.assertEqual(vm.wait(300), 0, vm.stderr())
            self.assertIn(b'reboot: Power down', vm.output)

    def ssh(self, command, **options):
        """Run by root in the guest, which ssh_server() has made reachable."""
        return subprocess.run(['ssh', '-i', self.key, '-p', str(self.port), '-o', 'StrictHostKeyChecking=no', '-o',
                               'UserKnownHostsFile=/dev/null', '-o', 'LogLevel=ERROR', 'root@127.0.0.1', command],
                              capture_output=True, timeout=300, check=True, **options).stdout

    @contextlib.contextmanager
    def ssh_server(self):
        """A port of the host for `-nic user,hostfwd=`, and the key."""
        with socket.socket() as probe:
            probe.bind(('127.0.0.1', 0))
            self.port = probe.getsockname()[1]
        # ssh wants a key that nobody else can read.
        self.key = self.path('key')
        shutil.copy(in_cache('key'), self.key)
        os.chmod(self.key, 0o600)
        yield ('-nic', 'user,hostfwd=tcp:127.0.0.1:%d-:22' % self.port)

    @rearm.slow()
    @need_ssh
    def test_ssh(self):
        """Logged in over the network, a file goes in and comes out again; replayed without any network."""
        contents = os.urandom(2000000)

        def drive(vm):
            self.log_in(vm)
            self.ssh('cat > f', input=contents)
            self.assertEqual(self.ssh('cat f'), contents)
            self.assertIn(hashlib.md5(contents).hexdigest().encode(), self.ssh('md5sum f'))
            vm.send('poweroff\n')

        log = self.path('a.rr')
        with self.ssh_server() as nic:
            recording = self.record(log, drive, *machine(*kernel(), *nic),
                                    icount='shift=auto', rrcheck=',rrcheck=digest,rrcheckperiod=100000000,rrkeyframe=5')
        self.assert_replays(log, recording, timeout=600)

    @rearm.slow()
    @need_ssh
    def test_long_session(self):
        """SESSION_SECONDS of work over ssh, with pauses to think; replayed REPLAYS times, and from keyframes."""
        def drive(vm):
            self.log_in(vm)
            self.ssh('cat > work.sh', input=WORK.encode())
            end, rounds = time.monotonic() + SESSION_SECONDS, 0
            while time.monotonic() < end:
                for step in ('project', 'package', 'history', 'database'):
                    self.assertIn(b'%s %d is right' % (step.encode(), rounds),
                                  self.ssh('sh work.sh %s %d 2>&1' % (step, rounds)))
                    time.sleep(THINK_SECONDS)
                rounds += 1
            vm.send('poweroff\n')

        log = self.path('a.rr')
        with self.ssh_server() as nic:
            recording = self.record(log, drive, *machine(*kernel(), *nic),
                                    icount='shift=auto', rrcheck=',rrcheck=digest,rrcheckperiod=100000000,rrkeyframe=10')
        for _ in range(REPLAYS):
            self.assert_replays(log, recording, timeout=3600)
        for part in (1, 2, 3):
            with travel.Replay(self.dir, log) as replay:
                replay.go('replay-seek', icount=recording.icount * part // 4)
                replay.command('cont')
                replay.end(self, recording, 3600)

    def replayed(self, drive, *options):
        """Recorded, and replayed in the shape that it was recorded in and in another, and from keyframes."""
        log = self.path('a.rr')
        recording = self.record(log, drive, *machine(*options), icount='shift=1,sleep=off',
                                rrcheck=',rrcheck=digest,rrcheckperiod=100000000,rrkeyframe=5')
        self.assert_replays(log, recording, timeout=600)
        self.assert_replays(log, recording, '-accel', 'tcg,unit-insns=7,link=off', timeout=1800)
        with travel.Replay(self.dir, log) as replay:
            replay.go('replay-seek', icount=recording.icount * 3 // 4)
            replay.command('cont')
            replay.end(self, recording, 600)

    @rearm.slow()
    def test_replay(self):
        self.replayed(self.session, *kernel())

    def start(self, vm):
        vm.expect(b'GNU GRUB', 300)
        vm.expect(b'EFI stub: Booting Linux Kernel', 300)
        self.log_in(vm)

    @rearm.slow()
    @unittest.skipUnless(os.path.exists(FIRMWARE), 'no firmware: install qemu-efi-aarch64')
    def test_uefi(self):
        """Firmware finds GRUB on the disk, and GRUB the kernel; once more after a reboot."""
        def drive(vm):
            self.start(vm)
            self.command(vm, 'echo written > kept')
            vm.send('reboot\n')
            self.start(vm)
            self.assertIn('written\n', self.command(vm, 'cat kept'))
            self.assertIn('BootCurrent', self.command(vm, 'ls /sys/firmware/efi/efivars | cat'))
            vm.send('poweroff\n')

        self.replayed(drive, '-bios', FIRMWARE)
