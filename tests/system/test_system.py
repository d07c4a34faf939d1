#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The program from outside: exit codes, what is left behind, the terminal, monitors.

usage: test_system.py REARM
"""
import fcntl
import os
import pty
import random
import re
import resource
import select
import signal
import subprocess
import sys
import tempfile
import termios
import time
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import guests
import qmp

REARM = None
TIMEOUT = 20 * float(os.environ.get('REARM_SLOW', '1'))     # a slow build, a busy host


class Terminal:
    """The program on a pseudo-terminal of its own."""

    def __init__(self, args, cwd):
        self.master, self.slave = pty.openpty()
        self.before = termios.tcgetattr(self.slave)
        pid = os.fork()
        if pid == 0:
            try:
                os.setsid()
                fcntl.ioctl(self.slave, termios.TIOCSCTTY, 0)
                for fd in range(3):
                    os.dup2(self.slave, fd)
                os.chdir(cwd)
                os.execv(REARM, ['rearm', *args])
            finally:
                os._exit(127)
        self.pid = pid
        self.seen = b''

    def expect(self, pattern):
        """Wait for the pattern; what was seen up to it is dropped and returned."""
        end = time.monotonic() + TIMEOUT
        while True:
            match = re.search(pattern, self.seen)
            if match:
                text = self.seen[:match.end()]
                self.seen = self.seen[match.end():]
                return text
            left = end - time.monotonic()
            if left <= 0 or not select.select([self.master], [], [], left)[0]:
                raise AssertionError(f'no {pattern!r} in {self.seen!r}')
            self.seen += os.read(self.master, 4096)

    def type(self, keys):
        os.write(self.master, keys)

    def wait_paused(self):
        """Come to the monitor, and wait until the machine is stopped."""
        self.expect(rb'\(rearm\) ')
        end = time.monotonic() + TIMEOUT
        while time.monotonic() < end:
            self.type(b'info status\r')
            if b'paused' in self.expect(rb'VM status: \w+'):
                return
            time.sleep(0.05)
        raise AssertionError('the machine does not stop')

    def raw(self):
        return not termios.tcgetattr(self.slave)[3] & termios.ICANON

    def wait(self):
        """The exit status, as os.waitpid has it."""
        end = time.monotonic() + TIMEOUT
        while time.monotonic() < end:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self.pid = None
                return status
            if select.select([self.master], [], [], 0.02)[0]:
                self.seen += os.read(self.master, 4096)
        raise AssertionError('the program did not end')

    def close(self):
        if self.pid:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
        os.close(self.master)
        os.close(self.slave)


class SystemTest(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.dir = self.folder.name
        self.addCleanup(self.folder.cleanup)
        self.echo = guests.write(os.path.join(self.dir, 'echo.elf'), guests.ECHO,
                                 guests.ECHO_TEXT)
        self.files = sorted(os.listdir(self.dir))

    def run_rearm(self, *args, **kwargs):
        kwargs.setdefault('stdin', subprocess.DEVNULL)
        return subprocess.run([REARM, *args], cwd=self.dir, capture_output=True, timeout=TIMEOUT,
                              **kwargs)

    def start(self, *args, **kwargs):
        process = subprocess.Popen([REARM, *args], cwd=self.dir, stdin=subprocess.PIPE,
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, **kwargs)
        self.addCleanup(self.reap, process)
        return process

    @staticmethod
    def reap(process):
        if process.poll() is None:
            process.kill()
        process.communicate()

    def terminal(self, *args):
        terminal = Terminal(args, self.dir)
        self.addCleanup(terminal.close)
        return terminal

    # ---- usage ----

    def test_bad_usage(self):
        """One line, exit code 1, nothing left behind."""
        log = '-icount', 'shift=1,rr=record,rrfile=new.log'
        sock = '-serial', 'unix:s.sock,server=on,wait=off', '-monitor', 'none'
        for args, message in [
                (['-kernal', 'x'], '-kernal: no such option; did you mean -kernel?'),
                (['-kernel', 'nofile', *log, *sock, '-pidfile', 'p'],
                 "cannot open kernel 'nofile': No such file or directory"),
                (['-kernel', self.echo, *sock, '-pidfile', '/nonexistent/p', *log],
                 '-pidfile /nonexistent/p: No such file or directory'),
                (['-kernel', self.echo, '-smp', '99', *log],
                 "-smp 99: machine 'virt' has at most 8 CPUs"),
                (['-kernel', self.echo, '-smp', '2,maxcpus=99', *log],
                 "-smp maxcpus=99: machine 'virt' has at most 8 CPUs"),
                (['-kernel', self.echo, '-serial', 'null', '-serial', 'null'],
                 "-serial null: machine 'virt' has only 1 serial port"),
                (['-append', 'x'], '-append is only used with -kernel'),
                (['-kernel', self.echo, '-serial', 'stdio', '-monitor', 'stdio'],
                 '-monitor: standard input and output are already in use by another chardev; '
                 'mux=on (or mon:stdio) lets several share them'),
                (['-icount', 'rr=replay,rrfile=nolog'],
                 "cannot open the recording 'nolog': No such file or directory")]:
            result = self.run_rearm(*args)
            self.assertEqual(result.stderr.decode(), f'rearm: {message}\n')
            self.assertEqual(result.stdout, b'')
            self.assertEqual(result.returncode, 1)
            self.assertEqual(sorted(os.listdir(self.dir)), self.files)

    def test_failed_start_keeps_an_old_log(self):
        path = os.path.join(self.dir, 'old.log')
        with open(path, 'wb') as f:
            f.write(b'x')
        self.run_rearm('-kernel', 'nofile', '-icount', 'shift=1,rr=record,rrfile=old.log')
        self.assertTrue(os.path.exists(path))

    def test_help(self):
        for args in '-help', '-M help', '-cpu help', '-device help', '-d help':
            result = self.run_rearm(*args.split())
            self.assertEqual(result.returncode, 0)
            self.assertEqual(result.stderr, b'')
            self.assertGreater(result.stdout.count(b'\n'), 1)
            self.assertLessEqual(max(map(len, result.stdout.splitlines())), 100)
        for args, text in [
                (['-device', 'help'], b'name "virtio-rng-device", bus virtio-bus, desc "'),
                (['-device', 'virtio-rng-device,help'], b'  event_idx=<on|off> '),
                (['-device', 'virtio-mmio,help'], b'  force-legacy=<on|off> '),
                (['-device', 'arm_gic,help'], b'  num-irq=<32..992> '),
                (['-device', 'cortex-a57-arm-cpu,help'], b' frequency in Hz (default: 62500000)\n'),
                (['-device', 'pl031,help'], b'There are no options for pl031.\n'),
                (['-M', 'virt,help'], b'  gic-version=<2|max> ')]:
            result = self.run_rearm(*args)
            self.assertEqual((result.returncode, result.stderr), (0, b''))
            self.assertIn(text, result.stdout)
        self.assertRegex(self.run_rearm('-version').stdout, rb'^Rearm emulator version [0-9.]+\n$')

    def test_other_name(self):
        os.symlink(REARM, os.path.join(self.dir, 'qemu-system-aarch64'))
        result = subprocess.run(['./qemu-system-aarch64', '-kernel', self.echo], cwd=self.dir,
                                capture_output=True, timeout=TIMEOUT)
        self.assertEqual(result.returncode, 1)
        self.assertIn(b'no machine specified', result.stderr)

    # ---- runs ----

    def test_echo(self):
        result = self.run_rearm('-nographic', '-kernel', self.echo, stdin=None, input=b'abcq')
        self.assertEqual(result.stdout, b'hello from the guest\nabcq')
        self.assertEqual((result.returncode, result.stderr), (0, b''))

    def test_raw_binary(self):
        """Code without a header is loaded where QEMU loads it."""
        with open(os.path.join(self.dir, 'raw.bin'), 'wb') as f:
            f.write(guests.code(guests.ECHO, guests.ECHO_TEXT))
        result = self.run_rearm('-nographic', '-kernel', 'raw.bin', stdin=None, input=b'q')
        self.assertEqual(result.stdout, b'hello from the guest\nq')
        self.assertEqual((result.returncode, result.stderr), (0, b''))

    def test_nothing_to_run(self):
        """It is said once, and the machine is there all the same, for a debugger."""
        process = self.start('-display', 'none', '-serial', 'null', '-monitor', 'stdio')
        process.stdin.write(b'info status\nquit\n')
        process.stdin.flush()
        output, stderr = process.communicate(timeout=TIMEOUT)
        self.assertIn(b'VM status: running', output)
        self.assertEqual(stderr, b'rearm: warning: there is no -kernel and no -bios: the guest has '
                         b'nothing to run\n')
        self.assertEqual(process.returncode, 0)

    # ---- the empty board, and the loader ----

    def monitor(self, commands, *args):
        """What the monitor answers, and what comes on stderr."""
        process = self.start(*args, '-monitor', 'stdio')
        process.stdin.write(''.join(f'{c}\n' for c in [*commands, 'quit']).encode())
        process.stdin.flush()
        output, stderr = process.communicate(timeout=TIMEOUT)
        self.assertEqual(process.returncode, 0)
        return output.decode(), stderr.decode()

    def test_empty_board(self):
        """No CPU, no memory: monitors work all the same, and say what is not there."""
        no_cpu = 'Error: this machine has no CPU; '
        output, stderr = self.monitor(
            ['info status', 'info cpus', 'info registers', 'x/1xw 0', 'xp/1xw 0', 'cpu 0',
             'info mtree', 'print 1+2', 'stop', 'cont', 'system_reset', 'gdbserver'], '-M', 'none')
        self.assertEqual(stderr, '')
        self.assertIn('VM status: running', output)
        self.assertEqual(output.count(no_cpu + '-cpu MODEL gives it one'), 2)
        self.assertIn(no_cpu + 'xp shows physical memory', output)
        self.assertIn('Cannot access memory at physical address 0x0', output)
        self.assertIn('Error: -gdb tcp::1234: this machine has no CPU to debug', output)
        for args, message in [
                (['-s'], '-gdb tcp::1234: this machine has no CPU to debug; -cpu MODEL gives it '
                 'one'),
                (['-kernel', self.echo], f'-kernel {self.echo}: board none boots nothing; -device '
                 'loader,file=FILE puts a program into its memory'),
                (['-smp', '2'], "-smp 2: machine 'none' has at most 1 CPU"),
                (['-serial', 'null'], "-serial null: machine 'none' has only 0 serial ports"),
                (['-device', 'virtio-rng-device'],
                 '-device virtio-rng-device: this machine has no virtio-bus')]:
            result = self.run_rearm('-M', 'none', *args)
            self.assertEqual(result.stderr.decode(), f'rearm: {message}\n')
            self.assertEqual(result.returncode, 1)

    def test_device_tree(self):
        """info qtree has each device once, under its bus, with what the user chose."""
        output, _ = self.monitor(['info qtree', 'info qdm'], '-serial', 'null', '-display', 'none',
                                 '-device', 'virtio-rng-device,id=mine,event_idx=off',
                                 '-global', 'virtio-mmio.force-legacy=off')
        output = output.replace('\r', '')
        self.assertIn('\nbus: main-system-bus\n  type System\n', output)
        self.assertIn('\n  dev: pl011, id "uart0"\n    mmio 0000000009000000/0000000000001000\n',
                      output)
        self.assertIn('\n  dev: arm_gic, id "gic"\n    num-cpu = 0\n    num-irq = 288\n'
                      '    mmio 0000000008000000/0000000000001000\n'
                      '    mmio 0000000008010000/0000000000002000\n'
                      '  dev: arm-gicv2m, id "gicv2m"\n    base-spi = 80\n    num-spi = 64\n'
                      '    mmio 0000000008020000/0000000000001000\n', output)
        self.assertIn('\n  dev: cfi.pflash01, id "flash1"\n    num-blocks = 256\n'
                      '    mmio 0000000004000000/0000000004000000\n', output)
        self.assertIn('\n  dev: virtio-mmio, id "virtio-mmio.31"\n    force-legacy = off\n'
                      '    mmio 000000000a003e00/0000000000000200\n'
                      '    bus: virtio-mmio-bus.31\n      type virtio-bus\n'
                      '      dev: virtio-rng-device, id "mine"\n        indirect_desc = on\n'
                      '        event_idx = off\n', output)
        self.assertEqual(output.count('dev: virtio-rng-device'), 1)
        self.assertIn('\nname "loader", desc "a file', output)

    def test_cpu_properties(self):
        """They come with -cpu and -global, and a recording knows them."""
        record = ('-display', 'none', '-kernel', self.echo, '-serial', 'stdio', '-icount')
        result = self.run_rearm(*record, 'shift=3,rr=record,rrfile=c.log', '-cpu',
                                'cortex-a57,cntfrq=24000000', '-global',
                                'cortex-a57-arm-cpu.midr=0x411fd071', stdin=None, input=b'q')
        self.assertRegex(result.stderr, rb'recorded \d+ instructions')
        for more, code, message in (
                ((), 0, rb'\(equal\)'),
                (('-cpu', 'cortex-a57'), 2, rb"'cpu' differs: it was 'cortex-a57,cntfrq=24000000'"),
                (('-global', 'cortex-a57-arm-cpu.midr=1'), 2, rb"'global.0' differs")):
            replay = self.run_rearm('-display', 'none', '-icount', 'rr=replay,rrfile=c.log', *more)
            self.assertEqual(replay.returncode, code)
            self.assertRegex(replay.stderr, message)

    def test_empty_board_on_a_terminal(self):
        """Without a serial port the terminal belongs to the monitor."""
        terminal = self.terminal('-M', 'none')
        terminal.expect(rb'\(rearm\) ')
        terminal.type(b'quit\r')
        self.assertEqual(terminal.wait(), 0)

    def test_loader(self):
        """A program and its data on the empty board: run, looked at, recorded, replayed."""
        path = os.path.join(self.dir, 'add.bin')
        with open(path, 'wb') as f:
            f.write(guests.code(guests.ADD))
        machine = ('-M', 'none', '-cpu', 'cortex-a53', '-m', '1', '-device',
                   'loader,file=add.bin,addr=0x1000,cpu-num=0', '-device',
                   f'loader,addr={guests.ADD_DATA},data=0x11223344,data-len=4', '-device',
                   f'loader,addr={guests.ADD_DATA + 16},data=0x1234,data-len=2,data-be=on')
        record = 'shift=3,rr=record,rrfile=a.log'
        result = self.run_rearm(*machine, '-display', 'none', '-icount', record)
        self.assertRegex(result.stderr, rb'recorded 7 instructions .* cause guest-shutdown')
        replay = self.run_rearm('-display', 'none', '-icount', 'rr=replay,rrfile=a.log')
        self.assertRegex(replay.stderr, rb'replayed 7 instructions, digest \w+ \(equal\)')
        process = self.start(*machine, '-no-shutdown', '-monitor', 'stdio')
        output = b''
        while b'paused' not in output:
            process.stdin.write(b'info status\n')
            process.stdin.flush()
            output = os.read(process.stdout.fileno(), 4096)
        process.stdin.write(f'xp/5xw {guests.ADD_DATA}\nquit\n'.encode())
        process.stdin.flush()
        output, _ = process.communicate(timeout=TIMEOUT)
        self.assertRegex(output, rb'0x11223344 0x00000000 0x11223345 0x00000000\r?\n'
                         rb'0*2010: 0x00003412')
        with open(path, 'ab') as f:
            f.write(b'more')
        replay = self.run_rearm('-icount', 'rr=replay,rrfile=a.log')
        self.assertEqual(replay.returncode, 2)
        self.assertIn(b'loader0.0', replay.stderr)

    def test_loader_starts_an_elf_file(self):
        """On a board that boots otherwise."""
        result = self.run_rearm('-nographic', '-device', f'loader,file={self.echo},cpu-num=0',
                                stdin=None, input=b'q')
        self.assertEqual(result.stdout, b'hello from the guest\nq')
        self.assertEqual((result.returncode, result.stderr), (0, b''))

    def test_loader_errors(self):
        for options, message in [
                ('file=nofile', "cannot open file 'nofile': No such file or directory"),
                ('addr=0x1000', 'expected file=, data= with data-len=, or cpu-num='),
                ('cpu-num=1', 'cpu-num=1: this machine has 1 CPUs'),
                ('addr=0xffffe,data=1,data-len=4', 'there is no memory for 4 bytes at 0xffffe'),
                ('addr=0xfffffffffffffffe,data=1,data-len=4',
                 'there is no memory for 4 bytes at 0xfffffffffffffffe'),
                ('data=0x100,data-len=1', 'data=0x100 has more than data-len=1 bytes'),
                ('data=1,data-len=9', 'data-len=9 is out of range: 0..8'),
                (f'file={self.echo},data-len=1',
                 'file= and data-len= exclude each other: use two loaders'),
                (f'file={self.echo}', 'there is no memory for '),
                ('file=f,bus=pci', 'bus=pci: this device sits on no bus')]:
            result = self.run_rearm('-M', 'none', '-cpu', 'cortex-a53', '-m', '1', '-device',
                                    f'loader,{options}')
            self.assertTrue(result.stderr.decode().startswith(f'rearm: -device loader: {message}'),
                            result.stderr)
            self.assertEqual(result.returncode, 1)

    def test_record_and_replay(self):
        result = self.run_rearm('-nographic', '-kernel', self.echo, '-m', '256', '-icount',
                                'shift=3,rr=record,rrfile=a.log', stdin=None, input=b'xyq')
        self.assertEqual(result.returncode, 0)
        size = os.path.getsize(os.path.join(self.dir, 'a.log'))
        match = re.fullmatch(r'rearm: recorded (\d+) instructions to a\.log \((\d+) bytes\), '
                             r'digest ([0-9a-f]{16}), cause guest-shutdown\n',
                             result.stderr.decode())
        self.assertTrue(match, result.stderr)
        self.assertEqual(int(match.group(2)), size)
        # Machine options left out; what is typed now does not count.
        replay = self.run_rearm('-icount', 'rr=replay,rrfile=a.log', stdin=None, input=b'zzzz')
        self.assertEqual(replay.stdout, result.stdout)
        self.assertEqual(replay.stderr.decode(), f'rearm: replayed {match.group(1)} instructions, '
                         f'digest {match.group(3)} (equal)\n')
        self.assertEqual(replay.returncode, 0)
        # Another machine is refused, with both values.
        other = self.run_rearm('-m', '512', '-icount', 'rr=replay,rrfile=a.log')
        self.assertEqual(other.returncode, 2)
        self.assertIn(b'ram', other.stderr)
        self.assertIn(b'268435456', other.stderr)
        self.assertIn(b'536870912', other.stderr)

    def test_signals(self):
        """SIGINT, SIGTERM and SIGHUP end a recording properly."""
        for number in signal.SIGINT, signal.SIGTERM, signal.SIGHUP:
            process = self.start('-nographic', '-kernel', self.echo, '-pidfile', 'pid', '-icount',
                                 'shift=3,rr=record,rrfile=a.log')
            self.assertEqual(process.stdout.read(6), b'hello ')
            with open(os.path.join(self.dir, 'pid'), encoding='ascii') as f:
                self.assertEqual(int(f.read()), process.pid)
            process.send_signal(number)
            _, stderr = process.communicate(timeout=TIMEOUT)
            self.assertEqual(process.returncode, 0)
            self.assertIn(b'cause host-quit', stderr)
            self.assertFalse(os.path.exists(os.path.join(self.dir, 'pid')))
            replay = self.run_rearm('-icount', 'rr=replay,rrfile=a.log')
            self.assertIn(b'(equal)', replay.stderr)

    def test_two_recorders(self):
        """The second one is refused; the first one's recording is whole."""
        record = '-nographic', '-kernel', self.echo, '-icount', 'shift=3,rr=record,rrfile=a.log'
        first = self.start(*record)
        self.assertEqual(first.stdout.read(6), b'hello ')
        second = self.run_rearm(*record)
        self.assertEqual(second.stderr.decode(), "rearm: 'a.log' is being written by another "
                         'recorder: let that one end, or give this one another file\n')
        self.assertEqual(second.returncode, 1)
        _, stderr = first.communicate(b'q', timeout=TIMEOUT)
        self.assertIn(b'cause guest-shutdown', stderr)
        self.assertEqual(sorted(os.listdir(self.dir)), sorted([*self.files, 'a.log']))
        self.assertIn(b'(equal)', self.run_rearm('-icount', 'rr=replay,rrfile=a.log').stderr)

    def test_old_recording(self):
        """It is kept under another name, or overwritten when told to."""
        def record(how):
            return self.run_rearm('-nographic', '-kernel', self.echo, '-icount',
                                  'shift=3,rr=record,rrfile=a.log' + how, stdin=None, input=b'q')

        def content(name):
            with open(os.path.join(self.dir, name), 'rb') as f:
                return f.read()

        record('')
        old = content('a.log')
        self.assertRegex(record('').stderr, rb"^rearm: 'a\.log' existed: the old file is now "
                         rb"'a\.log\.old'\nrearm: recorded ")
        self.assertEqual(content('a.log.old'), old)
        self.assertNotEqual(content('a.log'), old)
        self.assertRegex(record(',rroverwrite=on').stderr, rb'^rearm: recorded ')
        self.assertEqual(content('a.log.old'), old)
        for name in 'a.log', 'a.log.old':
            replay = self.run_rearm('-icount', 'rr=replay,rrfile=' + name)
            self.assertIn(b'(equal)', replay.stderr)

    def test_full_disk(self):
        """A recording that stops early is told of, and replays as far as it goes."""
        def limit():
            resource.setrlimit(resource.RLIMIT_FSIZE, (1200, 1200))

        text = bytes(random.Random(1).choices(range(0x21, 0x70), k=4000))
        # Code memory counts as a file: no room for it within the limit.
        result = self.run_rearm('-nographic', '-kernel', self.echo, '-accel',
                                'tcg,backend=interp', '-icount',
                                'shift=3,rr=record,rrfile=a.log', stdin=None,
                                input=text + b'q', preexec_fn=limit)
        self.assertEqual(result.stdout, guests.ECHO_TEXT + text + b'q')
        self.assertRegex(result.stderr.decode(), r"^rearm: warning: recording to 'a\.log' stops: "
                         r'File too large; .*\nrearm: the recording a\.log is incomplete: ')
        self.assertEqual(result.returncode, 1)
        replay = self.run_rearm('-icount', 'rr=replay,rrfile=a.log')
        self.assertIn(b'was cut off', replay.stderr)
        self.assertEqual(replay.returncode, 0)

    def test_slow_reader(self):
        """Not a byte of a flood is lost on a pipe that is read late and slowly."""
        flood = guests.write(os.path.join(self.dir, 'flood.elf'), guests.FLOOD)
        process = self.start('-nographic', '-kernel', flood)
        time.sleep(0.5)
        text = b''
        while True:
            piece = os.read(process.stdout.fileno(), 3000)
            if not piece:
                break
            text += piece
        self.assertEqual(text, guests.flood_text())
        self.assertEqual(process.wait(TIMEOUT), 0)

    def test_unix_serial(self):
        path = os.path.join(self.dir, 's.sock')
        process = self.start('-display', 'none', '-kernel', self.echo, '-serial',
                             'unix:s.sock,server=on')
        with qmp.connect(path, TIMEOUT) as s:
            s.sendall(b'q')
            text = b''
            while piece := s.recv(100):
                text += piece
        # wait=on: the guest starts when somebody listens, so nothing is missed.
        self.assertEqual(text, guests.ECHO_TEXT + b'q')
        self.assertEqual(process.wait(TIMEOUT), 0)
        self.assertFalse(os.path.exists(path))

    def test_wait_interrupted(self):
        process = self.start('-display', 'none', '-kernel', self.echo, '-serial',
                             'unix:s.sock,server=on', '-icount', 'shift=1,rr=record,rrfile=a.log')
        self.assertIn(b'waiting for a connection on unix:s.sock', process.stderr.readline())
        process.terminate()
        _, stderr = process.communicate(timeout=TIMEOUT)
        self.assertEqual(stderr, b'rearm: interrupted while waiting for a connection\n')
        self.assertEqual(process.returncode, 1)
        self.assertEqual(sorted(os.listdir(self.dir)), self.files)

    # ---- terminal and monitor ----

    def test_terminal_restored(self):
        for how in 'shutdown', 'ctrl-a x', signal.SIGTERM, signal.SIGABRT, signal.SIGSEGV:
            terminal = self.terminal('-nographic', '-kernel', self.echo)
            terminal.expect(b'hello from the guest')
            self.assertTrue(terminal.raw())
            if how == 'shutdown':
                terminal.type(b'q')
            elif how == 'ctrl-a x':
                terminal.type(b'\1x')
            else:
                os.kill(terminal.pid, how)
            status = terminal.wait()
            self.assertEqual(termios.tcgetattr(terminal.slave), terminal.before, how)
            if how in (signal.SIGABRT, signal.SIGSEGV):
                self.assertEqual(os.WTERMSIG(status), how)
            else:
                self.assertEqual(status, 0)

    def test_stopped_reader(self):
        """A terminal that nobody reads keeps nobody from ending the program."""
        flood = guests.write(os.path.join(self.dir, 'flood.elf'), guests.FLOOD)
        terminal = self.terminal('-nographic', '-kernel', flood, '-no-shutdown')
        time.sleep(1)
        os.kill(terminal.pid, signal.SIGTERM)
        # The output gets three seconds to be read, and is dropped then.
        for _ in range(80):
            time.sleep(0.1)
            pid, status = os.waitpid(terminal.pid, os.WNOHANG)
            if pid:
                terminal.pid = None
                break
        self.assertIsNone(terminal.pid)
        self.assertEqual(status, 0)
        terminal.expect(rb"rearm: warning: chardev '[a-z0-9-]+': nobody reads its output; "
                        rb'\d+ bytes are lost')

    def test_ctrl_c_reaches_the_guest(self):
        terminal = self.terminal('-nographic', '-kernel', self.echo)
        terminal.expect(b'hello from the guest')
        terminal.type(b'\3b')
        terminal.expect(b'\x03b')
        terminal.type(b'q')
        self.assertEqual(terminal.wait(), 0)

    def test_monitor(self):
        terminal = self.terminal('-nographic', '-name', 'box', '-kernel', self.echo)
        terminal.expect(b'hello from the guest')
        terminal.type(b'\1c')
        terminal.expect(rb"Rearm [0-9.]+ monitor - type 'help' for more information\r+\n\(rearm\) ")
        terminal.type(b'stop\r')
        terminal.expect(rb'\(rearm\) ')
        terminal.type(b'info status\r')
        terminal.expect(rb'VM status: paused\r+\n\(rearm\) ')
        terminal.type(b'info name\r')
        terminal.expect(rb'box\r+\n\(rearm\) ')
        terminal.type(b'info registers\r')
        terminal.expect(rb'PC=\s*(0x)?00000000400800[12][048c]')
        terminal.expect(rb'\(rearm\) ')
        terminal.type(b'x/1xw 0x40080000\r')
        terminal.expect(rb'0000000040080000: 0x10000201\r+\n')
        terminal.type(b'xp/2i 0x4008000c\r')
        terminal.expect(rb'0x4008000c: .*cbz.*\r+\n.*strb')
        terminal.type(b'p/x $x2\r')
        terminal.expect(rb'0x0000000009000000\r+\n')
        terminal.type(b'info mtree\r')
        terminal.expect(rb'0000000009000000-0000000009000fff \(prio 0, i/o\): ')
        terminal.type(b'info jit\r')
        terminal.expect(rb'\(rearm\) ')
        terminal.type(b'quot\r')
        terminal.expect(rb"unknown command 'quot'; did you mean 'quit'\?")
        terminal.type(b'cont\r')
        terminal.type(b'\1c')
        terminal.type(b'k')
        terminal.expect(rb'k')
        terminal.type(b'\1c')
        terminal.expect(rb'\(rearm\) ')
        terminal.type(b'log int\rlog none\rquit\r')
        terminal.expect(rb'quit\r+\n')
        self.assertEqual(terminal.wait(), 0)
        self.assertEqual(terminal.seen, b'')

    def test_reset(self):
        """system_reset starts the guest again, and a replay of it is equal."""
        terminal = self.terminal('-nographic', '-kernel', self.echo, '-icount',
                                 'shift=3,rr=record,rrfile=a.log')
        terminal.expect(b'hello from the guest')
        terminal.type(b'\1c')
        terminal.expect(rb'\(rearm\) ')
        terminal.type(b'system_reset\r')
        terminal.expect(b'hello from the guest')
        terminal.type(b'\1cq')
        self.assertEqual(terminal.wait(), 0)
        replay = self.run_rearm('-icount', 'rr=replay,rrfile=a.log')
        self.assertEqual(replay.stdout.count(b'hello from the guest'), 2)
        self.assertIn(b'(equal)', replay.stderr)

    def test_no_shutdown(self):
        """A shutdown stops the machine; a replay goes on where the user did."""
        terminal = self.terminal('-nographic', '-no-shutdown', '-kernel', self.echo, '-icount',
                                 'shift=3,rr=record,rrfile=a.log')
        terminal.expect(b'hello from the guest')
        terminal.type(b'q\1c')
        terminal.wait_paused()
        terminal.type(b'system_reset\rcont\r')
        terminal.expect(b'hello from the guest')
        terminal.type(b'quit\r')
        self.assertEqual(terminal.wait(), 0)
        replay = self.run_rearm('-icount', 'rr=replay,rrfile=a.log')
        self.assertEqual(replay.stdout.count(b'hello from the guest'), 2)
        self.assertIn(b'(equal)', replay.stderr)
        self.assertEqual(replay.returncode, 0)

    def test_stop_at_end(self):
        """-no-shutdown makes the end of a replay a stop, whatever the recording had."""
        terminal = self.terminal('-nographic', '-kernel', self.echo, '-icount',
                                 'shift=3,rr=record,rrfile=a.log')
        terminal.expect(b'hello from the guest')
        terminal.type(b'q')
        self.assertEqual(terminal.wait(), 0)
        terminal = self.terminal('-nographic', '-no-shutdown', '-icount', 'rr=replay,rrfile=a.log')
        terminal.expect(b'hello from the guest')
        terminal.type(b'\1c')
        terminal.wait_paused()
        terminal.type(b'info registers\r')
        terminal.expect(rb'PC=\w+')
        terminal.type(b'quit\r')
        terminal.expect(rb'\(equal\)')
        self.assertEqual(terminal.wait(), 0)


if __name__ == '__main__':
    REARM = os.path.abspath(sys.argv.pop(1))
    unittest.main()
