#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""What `ninja install` installs: in a folder of its own, used from there.

usage: test_install.py MESON SOURCE_DIR BUILD_DIR PREFIX
       test_install.py --tree FOLDER PREFIX     what somebody else has installed
"""
import gzip
import os
import shutil
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import guests
import test_command_lines

MESON = SOURCE = BUILD = PREFIX = TREE = None
TIMEOUT = 60 * float(os.environ.get('REARM_SLOW', '1'))


def run(*command, **kwargs):
    return subprocess.run(command, check=True, capture_output=True, text=True, timeout=TIMEOUT,
                          stdin=subprocess.DEVNULL, **kwargs).stdout


class InstallTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.root = TREE
        if not TREE:
            dest = os.path.join(cls.folder.name, 'dest')
            run(MESON, 'install', '-C', BUILD, '--no-rebuild', '--destdir', dest)
            cls.root = os.path.join(dest, PREFIX.lstrip('/'))
        cls.rearm = os.path.join(cls.root, 'bin', 'rearm')

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    def path(self, *names):
        return os.path.join(self.root, *names)

    def options(self):
        """All options that -help shows."""
        lines = run(self.rearm, '-help').split('\n')
        heads = [line.strip() for line in lines if line.startswith('  -')]
        return {word.split('[')[0].rstrip(',') for head in heads
                for word in head.split()[:3 if ', -' in head else 1] if word[0] == '-'}

    def test_programs(self):
        for name in 'rearm', 'rearm-replay', 'rearm-img':
            self.assertTrue(os.access(self.path('bin', name), os.X_OK))
        # Nothing beside what this file knows of.
        self.assertEqual(sorted(os.listdir(self.path('bin')) + os.listdir(self.path('share'))),
                         sorted(['rearm', 'rearm-replay', 'rearm-img', 'bash-completion', 'doc', 'man', 'rearm'] +
                                [n for n in ('qemu-system-aarch64', 'qemu-system-arm')
                                 if os.path.islink(self.path('bin', n))]))
        documents = os.listdir(self.path('share', 'doc', 'rearm'))
        self.assertTrue({'options.md', 'options.md.gz'} & set(documents), documents)

    def test_guest(self):
        """A guest runs, is recorded and replayed; the recording can be looked into."""
        echo = guests.write(os.path.join(self.folder.name, 'echo'), guests.ECHO, guests.ECHO_TEXT)
        log = os.path.join(self.folder.name, 'rec')
        for command in (['-kernel', echo, '-icount', f'shift=auto,rr=record,rrfile={log}'],
                        ['-icount', f'rr=replay,rrfile={log}']):
            result = subprocess.run([self.rearm, '-nographic', *command], input=b'abq', check=True,
                                    capture_output=True, timeout=TIMEOUT)
            self.assertEqual(result.stdout, b'hello from the guest\nabq')
        self.assertIn(b'(equal)', result.stderr)
        run(self.path('bin', 'rearm-replay'), 'verify', log)

    def test_firmware(self):
        """-bios NAME is found in share/rearm, also of a tree that was moved; -L comes first."""
        firmware = self.path('share', 'rearm', 'fw.bin')
        with open(firmware, 'wb') as f:
            f.write(guests.code(test_command_lines.OK))
        self.assertEqual(run(self.rearm, '-nographic', '-bios', 'fw.bin', cwd='/'), 'ok')
        self.assertIn(self.path('share', 'rearm'), run(self.rearm, '-L', 'help').split('\n'))
        self.assertIn(os.path.join(PREFIX, 'share', 'rearm'), run(self.rearm, '-L', 'help').split('\n'))
        other = tempfile.mkdtemp(dir=self.folder.name)
        with open(os.path.join(other, 'fw.bin'), 'wb') as f:
            f.write(guests.code([test_command_lines.OK[0], 0x52800f03] + test_command_lines.OK[2:]))
        self.assertEqual(run(self.rearm, '-nographic', '-L', other, '-bios', 'fw.bin', cwd='/'), 'xk')
        os.unlink(firmware)

    def man(self, name):
        page = self.path('share', 'man', 'man1', name)
        if not shutil.which('groff'):
            self.skipTest('there is no groff')
        with gzip.open(page + '.gz', 'rt') if os.path.exists(page + '.gz') else open(page) as f:
            text = f.read()
        result = subprocess.run(['groff', '-man', '-Tascii', '-ww', '-P-cbou'], input=text, check=True,
                                text=True, capture_output=True, timeout=TIMEOUT)
        self.assertEqual(result.stderr, '')
        return result.stdout

    def test_manual(self):
        """The page of each program has all of its options or commands."""
        text = self.man('rearm.1')
        words = set(text.replace(',', ' ').split())
        options = self.options()
        self.assertGreater(len(options), 60)
        self.assertLess(options - {'-rewind'}, words)
        self.assertIn('-rewind[=SIZE]', words)
        self.assertIn('EXIT STATUS', text)
        text = self.man('rearm-replay.1')
        for command in 'info FILE', 'dump FILE [--json]', 'verify FILE', 'compare A B', 'pack IN OUT [--no-keyframes]', 'keyframes FILE [SECONDS]':
            self.assertIn(command, text)
        text = self.man('rearm-img.1')
        for command in 'convert [-c]', 'snapshot [-f FMT]', '--backing-chain', 'EXIT STATUS':
            self.assertIn(command, text)

    def complete(self, program, *words):
        """What bash offers behind these words."""
        script = self.path('share', 'bash-completion', 'completions', program)
        function = '_' + program.replace('-', '_')
        listed = ' '.join(f"'{w}'" for w in (self.path('bin', program), *words))
        return run('bash', '-uc', f'source "{script}"; COMP_WORDS=({listed}); COMP_CWORD={len(words)}; '
                   f'{function} "${{COMP_WORDS[0]}}"; printf "%s\\n" "${{COMPREPLY[@]}}"',
                   cwd=self.path()).split('\n')[:-1]

    def test_completion(self):
        self.assertEqual(set(self.complete('rearm', '-')), self.options())
        self.assertEqual(self.complete('rearm', '-M', 'virt', '-kern'), ['-kernel'])
        self.assertEqual(self.complete('rearm', '--kern'), ['-kernel'])
        for words, some in ((['-M', ''], {'virt', 'virt-7.2', 'none'}),
                            (['-cpu', 'cortex-a5'], {'cortex-a53', 'cortex-a57'}),
                            (['-device', ''], {'help', 'loader', 'virtio-rng-device'}),
                            (['-object', 'memory-'], {'memory-backend-ram'}),
                            (['-d', 'in'], {'in_asm', 'int'}),
                            (['-chardev', 's'], {'socket', 'stdio'}),
                            (['-display', ''], {'none'}),
                            (['-kernel', 'sh'], {'share'}), (['-L', ''], {'share', 'bin'})):
            found = set(self.complete('rearm', *words))
            self.assertLessEqual(some, found)
            self.assertTrue(all(f.startswith(words[-1]) for f in found), found)
        self.assertEqual(self.complete('rearm', '-append', ''), [''])
        self.assertEqual(set(self.complete('rearm-replay', '')),
                         {'info', 'dump', 'verify', 'compare', 'pack', 'keyframes'})
        self.assertEqual(self.complete('rearm-replay', 'info', 'sh'), ['share'])
        self.assertLessEqual({'create', 'info', 'convert', 'check'}, set(self.complete('rearm-img', '')))
        self.assertEqual(self.complete('rearm-img', 'info', '--b'), ['--backing-chain'])
        self.assertEqual(self.complete('rearm-img', 'info', 'sh'), ['share'])

    def test_qemu_names(self):
        """With the option, QEMU's names lead to the program."""
        if TREE:
            self.skipTest('of the source')
        build, dest = (os.path.join(self.folder.name, n) for n in ('build', 'named'))
        names = os.path.join(dest, 'usr', 'bin')
        os.makedirs(names)
        shutil.copy(self.rearm, names)
        run(MESON, 'setup', build, SOURCE, '-Dqemu_names=true', '--prefix', '/usr')
        run(MESON, 'install', '-C', build, '--no-rebuild', '--tags', 'qemu-names', '--destdir', dest)
        self.assertEqual(sorted(os.listdir(names)), ['qemu-system-aarch64', 'qemu-system-arm', 'rearm'])
        for name in 'qemu-system-aarch64', 'qemu-system-arm':
            result = subprocess.run([os.path.join(names, name), '-kernel', 'x'], capture_output=True,
                                    text=True, timeout=TIMEOUT)
            self.assertIn('no machine specified, and there is no default', result.stderr)


if __name__ == '__main__':
    if sys.argv[1] == '--tree':
        PREFIX, TREE = (sys.argv.pop() for _ in range(2))
        del sys.argv[1]
        unittest.main()
    PREFIX, BUILD, SOURCE, MESON = (sys.argv.pop() for _ in range(4))
    unittest.main()
