#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Command lines that people have: each of command-lines.txt runs, or is refused and told what is missing.

usage: test_command_lines.py REARM
"""
import gzip
import os
import shlex
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import guests

REARM = None
TIMEOUT = 20 * float(os.environ.get('REARM_SLOW', '1'))     # a slow build, a busy host
LINES = os.path.join(os.path.dirname(os.path.abspath(__file__)), 'command-lines.txt')
MANY = 60

# Print "ok" and power off.
OK = [
    0xd2a12002,   # movz  x2, #0x0900, lsl #16
    0x52800de3,   # movz  w3, #'o'
    0x39000043,   # strb  w3, [x2]
    0x52800d63,   # movz  w3, #'k'
    0x39000043,   # strb  w3, [x2]
    0xd2b08000,   # movz  x0, #0x8400, lsl #16
    0xf2800100,   # movk  x0, #8            PSCI SYSTEM_OFF
    0xd4000002,   # hvc   #0
]


def image(words):
    """A kernel's Image (Documentation/arch/arm64/booting.rst) that runs the code behind its header."""
    code = guests.code(words)
    branch = 0x14000000 | 64 // 4
    return struct.pack('<IIQQQQQQ4sI', branch, 0, 0, 64 + len(code), 0, 0, 0, 0, b'ARM\x64', 0) + code


def entries():
    """(number of the line, command line, expectation) of each entry in the file."""
    line = None
    with open(LINES, encoding='utf-8') as f:
        for number, text in enumerate(f, 1):
            text = text.rstrip('\n')
            if text.startswith('$ '):
                assert line is None, f'{LINES}:{number}: two commands'
                line = text[2:]
            elif text.startswith('= '):
                yield number, line, text[2:]
                line = None
            else:
                assert line is None and (not text or text[0] == '#'), f'{LINES}:{number}: {text}'
    assert line is None


def qcow2(size):
    """An empty image: its header, and in a cluster each a table of reference counts, a block of them, and an L1 table."""
    cluster = 1 << 16
    header = struct.pack('>4sIQIIQIIQQIIQ', b'QFI\xfb', 2, 0, 0, 16, size, 0, 1, 3 * cluster, cluster, 1, 0, 0)
    parts = header, struct.pack('>Q', 2 * cluster), struct.pack('>HHHH', 1, 1, 1, 1), b''
    return b''.join(part.ljust(cluster, b'\0') for part in parts)


class CommandLinesTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.dir = folder.name
        self.addCleanup(folder.cleanup)
        for name in 'aarch64', 'arm':
            os.symlink(REARM, self.path(f'qemu-system-{name}'))
        files = {
            'Image': image(OK), 'zImage': image(OK), 'Image.gz': gzip.compress(image(OK)),
            'hello.elf': guests.elf(OK), 'xen': guests.elf(OK), 'firmware.elf': guests.elf(OK),
            'master-key.aes': b'secret', 'virt.cfg': b'[memory]\n  size = "1G"\n',
        }
        for name in 'hello.bin', 'QEMU_EFI.fd', 'u-boot.bin', 'bl1.bin', 'flash0.img':
            files[name] = guests.code(OK)
        for name in ('rootfs.cpio.gz', 'disk.qcow2', 'rootfs.ext4', 'debian.iso', 'disk.img',
                     'vexpress-v2p-ca9.dtb'):
            files[name] = bytes(512)
        files['hda.qcow2'] = qcow2(1 << 20)
        for name, content in files.items():
            with open(self.path(name), 'wb') as f:
                f.write(content)
        for name in 'flash0.img', 'flash1.img':
            with open(self.path(name), 'ab') as f:
                f.truncate(64 << 20)
        # Daemons that a line may connect to.
        for name in 'vhost.sock', 'swtpm-sock':
            s = socket.socket(socket.AF_UNIX)
            self.addCleanup(s.close)
            s.bind(self.path(name))
            s.listen()

    def path(self, name):
        return os.path.join(self.dir, name)

    def start(self, line, *more):
        words = shlex.split(line) + list(more)
        # The leak sanitizer looks at the process with ptrace(), which the sandbox denies.
        env = {**os.environ, 'ASAN_OPTIONS': 'detect_leaks=0'} if '-sandbox on' in line else None
        return subprocess.Popen([os.path.join('.', words[0]), *words[1:]], cwd=self.dir, env=env,
                                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    def finish(self, process):
        try:
            out, err = process.communicate(timeout=TIMEOUT)
        finally:
            process.kill()
        return process.returncode, out.decode(), err.decode()

    def wait_for_file(self, name, process=None):
        """Until there is something in it; the process, if any, has to stay alive."""
        end = time.monotonic() + TIMEOUT
        while not os.path.exists(self.path(name)) or not os.path.getsize(self.path(name)):
            self.assertIsNone(process and process.poll())
            self.assertLess(time.monotonic(), end)
            time.sleep(0.01)

    # ---- what is expected ----

    def runs(self, line, text):
        """It ends well, having printed this."""
        code, out, err = self.finish(self.start(line))
        self.assertEqual((code, text in out), (0, True), (out, err))

    def makes(self, line, name):
        """It ends well; a file holds what the guest printed, or whatever it may be."""
        code, out, err = self.finish(self.start(line))
        self.assertEqual((code, out), (0, ''), err)
        self.wait_for_file(name)

    def waits(self, line, _text):
        """It is ready, and goes on until a signal ends it."""
        process = self.start(line, '-pidfile', 'ready')
        self.wait_for_file('ready', process)
        process.send_signal(signal.SIGTERM)
        code, _, err = self.finish(process)
        self.assertEqual(code, 0, err)

    def refused(self, line, text):
        """One line that has this says why not."""
        code, _, err = self.finish(self.start(line))
        self.assertEqual(code, 1, err)
        self.assertEqual(err.count('\n'), 1, err)
        self.assertIn(text, err)
        self.assertNotIn('no such option', err)

    def has_sandbox(self):
        return 'without libseccomp' not in self.finish(
            self.start('qemu-system-aarch64 -M virt -sandbox on -display none -kernel Image'))[2]

    def test_lines(self):
        count = 0
        sandbox = self.has_sandbox()
        for number, line, expected in entries():
            verb, _, text = expected.partition(' ')
            if not sandbox:
                line = line.replace('-sandbox on', '-sandbox off')
            check = {'runs': self.runs, 'makes': self.makes, 'waits': self.waits,
                     'refused': self.refused}[verb]
            with self.subTest(line=number, command=line):
                check(line, text)
            if os.path.exists(self.path('ready')):
                os.unlink(self.path('ready'))
            count += 1
        self.assertGreaterEqual(count, MANY)


if __name__ == '__main__':
    REARM = os.path.abspath(sys.argv.pop(1))
    unittest.main()
