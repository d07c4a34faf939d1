#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""rearm-img and its qcow2 images, beside qemu-img and qemu-io.

usage: test_img.py REARM_IMG EXERCISE

REARM_SLOW_SUITE=1: 10,000 random operations instead of 400, 100 kills instead of 6. REARM_SEED (1): where they begin.
"""
import json
import os
import random
import re
import resource
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import time
import unittest

IMG = EXERCISE = None
TIMEOUT = 120
SLOW = os.environ.get('REARM_SLOW_SUITE') == '1'
SEED = int(os.environ.get('REARM_SEED', '1'))
HAVE_QEMU = shutil.which('qemu-img') and shutil.which('qemu-io')
MEMORY = '/dev/shm' if os.path.isdir('/dev/shm') else None


class ImgTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(dir=MEMORY)
        self.addCleanup(folder.cleanup)
        self.dir = folder.name

    def path(self, name):
        return os.path.join(self.dir, name)

    def call(self, *args, **more):
        """Exit status, standard output and standard error."""
        done = subprocess.run([str(a) for a in args], cwd=self.dir, stdin=subprocess.DEVNULL, text=True,
                              capture_output=True, check=False, timeout=TIMEOUT, **more)
        return done.returncode, done.stdout, done.stderr

    def run_ok(self, *args):
        status, out, err = self.call(*args)
        self.assertEqual(status, 0, f'{args}: {out}{err}')
        return out

    def img(self, *args):
        return self.run_ok(IMG, *args)

    def refused(self, what, *args, status=1):
        found, out, err = self.call(IMG, *args)
        self.assertEqual(found, status, out + err)
        self.assertIn(what, err)

    def write(self, name, data):
        with open(self.path(name), 'wb') as f:
            f.write(data)

    def raw(self, name, megabytes=2, seed=1):
        """A file with data, zeros and holes."""
        rng = random.Random(seed)
        data = bytearray(megabytes << 20)
        for _ in range(12):
            at, length = rng.randrange(len(data)) & ~511, rng.randrange(1, 150000)
            data[at:at + length] = rng.randbytes(500) * (length // 500 + 1)
        self.write(name, data[:megabytes << 20])

    def content(self, name, format='qcow2'):
        self.img('convert', '-f', format, '-O', 'raw', name, 'content.tmp')
        with open(self.path('content.tmp'), 'rb') as f:
            return f.read()


class AloneTest(ImgTest):
    """What can be said without another program."""

    def test_wrong_usage(self):
        self.refused("no command 'frob'", 'frob')
        self.refused('what is to be done?')
        self.refused('a file name is missing', 'info')
        self.refused("info has no option '-x'", 'info', '-x', 'a')
        self.refused("info has no option '--shrink'", 'info', '--shrink', 'a')
        self.refused("option '-f' needs an argument", 'info', 'a', '-f')
        self.refused('--output=xml: there are human and json', 'info', '--output=xml', 'a')
        self.refused('one argument too many: b', 'info', 'a', 'b')
        self.refused("cannot open 'a': No such file", 'info', 'a')
        self.refused("cannot open 'a'", 'compare', 'a', 'a', status=2)
        self.refused('there are leaks and all', 'check', '-r', 'some', 'a')
        self.refused('needs a size', 'create', '-f', 'qcow2', 'a')
        self.refused("'5x' is no size", 'create', '-f', 'qcow2', 'a', '5x')
        self.refused("no block driver 'qcow3'; did you mean 'qcow2'?", 'create', '-f', 'qcow3', 'a', '1M')
        self.refused("did you mean 'cluster_size'?", 'create', '-f', 'qcow2', '-o', 'clustersize=4k', 'a', '1M')
        for option, why in (('cluster_size=5k', 'power of two'), ('refcount_bits=3', 'power of two'),
                            ('compat=0.9', 'there are 0.10'), ('compression_type=lz4', 'there are zlib and zstd'),
                            ('preallocation=some', 'there are off'), ('compat=v2,refcount_bits=8', 'needs compat=1.1'),
                            ('compat=v2,lazy_refcounts=on', 'needs compat=1.1')):
            self.refused(why, 'create', '-f', 'qcow2', '-o', option, 'a', '1M')
        self.refused('too large for clusters of 512', 'create', '-f', 'qcow2', '-o', 'cluster_size=512', 'a', '1T')
        self.assertFalse(os.path.exists(self.path('a')))
        self.assertIn('convert', self.img('--help'))
        self.assertIn('cluster_size=', self.img('create', '-f', 'qcow2', '-o', 'help'))

    def test_sizes(self):
        for text, size in (('1M', 1 << 20), ('1.5M', 3 << 19), ('1000', 1024), ('3T', 3 << 40), ('10b', 512)):
            self.img('create', '-q', '-f', 'qcow2', 'a', text)
            self.assertEqual(json.loads(self.img('info', '--output=json', 'a'))['virtual-size'], size)
        self.img('create', '-q', '-f', 'qcow2', '-o', 'cluster_size=2M', 'a', '1P')
        self.img('resize', '-q', 'a', '+1P')
        self.assertIn('virtual size: 2 PiB', self.img('info', 'a'))

    def test_resize(self):
        self.raw('r')
        self.img('convert', '-O', 'qcow2', 'r', 'q')
        before = self.content('q')
        self.refused('--shrink', 'resize', 'q', '1M')
        self.refused('is no size', 'resize', 'q', '-3M')
        self.img('resize', '-q', '--shrink', 'q', '1M')
        self.img('resize', '-q', '--preallocation=falloc', 'q', '+2M')
        self.assertEqual(self.content('q'), before[:1 << 20] + bytes(2 << 20))
        self.assertEqual(self.img('resize', '-f', 'raw', 'r', '4M'), 'Image resized.\n')
        self.assertEqual(os.path.getsize(self.path('r')), 4 << 20)

    def test_convert_keeps_content(self):
        self.raw('r')
        self.raw('r2', 1, 2)
        with open(self.path('r'), 'rb') as f, open(self.path('r2'), 'rb') as g:
            first, second = f.read(), g.read()
        for args in ([], ['-c'], ['-c', '-o', 'compression_type=zstd'], ['-S', '0'], ['-S', '64k'],
                     ['-o', 'preallocation=metadata'], ['-c', '-o', 'cluster_size=2M']):
            with self.subTest(args=args):
                self.img('convert', '-f', 'raw', '-O', 'qcow2', *args, 'r', 'r2', 'q')
                self.assertEqual(self.content('q'), first + second)
                self.assertIn('No errors', self.img('check', 'q'))
        self.img('convert', '-n', '-O', 'qcow2', 'r', 'q')
        self.assertEqual(self.content('q'), first + second)
        self.refused('smaller than input', 'convert', '-n', '-O', 'qcow2', 'r', 'r', 'r', 'q')
        self.refused('Compression not supported', 'convert', '-c', 'r', 'x')
        self.refused('-S 5', 'convert', '-S', '5', 'r', 'x')

    def test_progress(self):
        self.raw('r')
        out = self.img('convert', '-p', '-f', 'raw', '-O', 'qcow2', 'r', 'q')
        # Python makes newlines of the carriage returns.
        self.assertRegex(out, r'^    \(0\.00/100%\)\n(    \(\d+\.\d\d/100%\)\n)*    \(100\.00/100%\)\n$')
        self.assertEqual(self.img('convert', '-p', '-q', '-f', 'raw', '-O', 'qcow2', 'r', 'q'), '')

    def test_snapshots(self):
        self.raw('r')
        self.raw('other', 2, 7)
        self.img('convert', '-O', 'qcow2', 'r', 'q')
        first = self.content('q')
        self.img('snapshot', '-c', 'one', 'q')
        self.img('convert', '-n', '-O', 'qcow2', 'other', 'q')
        second = self.content('q')
        self.img('snapshot', '-c', 'two', 'q')
        self.assertNotEqual(first, second)
        names = [s['name'] for s in json.loads(self.img('info', '--output=json', 'q'))['snapshots']]
        self.assertEqual(names, ['one', 'two'])
        self.img('convert', '-l', 'one', '-O', 'raw', 'q', 'was')
        with open(self.path('was'), 'rb') as f:
            self.assertEqual(f.read(), first)
        self.img('snapshot', '-a', 'one', 'q')
        self.assertEqual(self.content('q'), first)
        self.img('snapshot', '-d', 'one', 'q')
        self.img('snapshot', '-a', '2', 'q')
        self.assertEqual(self.content('q'), second)
        self.img('snapshot', '-d', 'two', 'q')
        self.assertEqual(self.img('snapshot', '-l', 'q'), '')
        self.assertEqual(self.content('q'), second)
        self.assertIn('No errors', self.img('check', 'q'))
        self.refused("has no snapshot 'one'", 'snapshot', '-d', 'one', 'q')
        self.refused('only one of', 'snapshot', '-d', 'one', '-l', 'q')
        self.write('ones', b'x' * (1 << 20))
        self.img('convert', '-O', 'qcow2', '-o', 'refcount_bits=1', 'ones', 'w')
        self.refused('refcounts of 1 bits', 'snapshot', '-c', 's', 'w')
        self.assertIn('No errors', self.img('check', 'w'))

    def chain(self):
        self.raw('base', 2, 1)
        self.img('create', '-q', '-f', 'qcow2', '-b', 'base', '-F', 'raw', 'mid')
        self.img('create', '-q', '-f', 'qcow2', '-b', 'mid', '-F', 'qcow2', 'top', '3M')

    def write_data(self, name, at, data):
        """Through a copy that is raw."""
        self.write('piece', data)
        content = bytearray(self.content(name))
        content[at:at + len(data)] = data
        self.write('whole', content)
        self.img('convert', '-n', '-O', 'qcow2', 'whole', name)

    def test_chain(self):
        self.chain()
        base = self.content('top')
        with open(self.path('base'), 'rb') as f:
            self.assertEqual(base, f.read() + bytes(1 << 20))
        self.write_data('top', 100000, b'hello' * 1000)
        want = self.content('top')
        self.assertIn('backing file: mid', self.img('info', 'top'))
        out = self.img('info', '--backing-chain', '--output=json', 'top')
        self.assertEqual([i['filename'] for i in json.loads(out)], ['top', 'mid', 'base'])
        # From another folder, the names are beside the images.
        self.assertEqual(self.call(IMG, 'compare', os.path.join(self.dir, 'top'), self.path('whole'))[0], 0)
        # Another base, the same content; then none.
        self.raw('base2', 1, 9)
        self.img('rebase', '-b', 'base2', '-F', 'raw', 'top')
        self.assertEqual(self.content('top'), want)
        self.img('rebase', '-p', '-b', '', 'top')
        self.assertEqual(self.content('top'), want)
        self.assertNotIn('backing', self.img('info', 'top'))
        self.refused('needs its format', 'rebase', '-b', 'base2', 'top')
        self.refused('-b BACKING', 'rebase', 'top')

    def test_rebase_unsafe(self):
        self.chain()
        os.rename(self.path('mid'), self.path('renamed'))
        self.refused("cannot open 'mid'", 'convert', 'top', 'x')
        self.img('rebase', '-u', '-b', 'renamed', '-F', 'qcow2', 'top')
        with open(self.path('base'), 'rb') as f:
            self.assertEqual(self.content('top'), f.read() + bytes(1 << 20))

    def test_rebase_zeros(self):
        """An image that says nothing gets a base that has something: its zeros stay."""
        for compat in '0.10', '1.1':
            self.img('create', '-q', '-f', 'qcow2', '-o', 'compat=' + compat, 'top', '1M')
            self.raw('base2', 2, 9)
            self.img('rebase', '-b', 'base2', '-F', 'raw', 'top')
            self.assertEqual(self.content('top'), bytes(1 << 20))

    def test_commit(self):
        self.chain()
        self.write_data('top', 1000, b'hello' * 50000)
        want = self.content('top')
        self.assertEqual(self.img('commit', 'top'), 'Image committed.\n')
        self.assertEqual(self.content('mid'), want)
        self.assertEqual(self.content('top'), want)
        self.assertFalse(any(e['depth'] == 0 and e['data'] for e in json.loads(self.img('map', '--output=json', 'top'))))
        self.write_data('top', 5000, b'again' * 50000)
        want = self.content('top')
        self.img('commit', '-q', '-d', '-b', 'base', '-f', 'qcow2', 'top')
        self.assertEqual(self.content('base', 'raw'), want)
        self.refused('has no backing file', 'commit', '-f', 'raw', 'base')
        self.refused("is not behind", 'commit', '-b', 'nothing', 'top')

    def test_create_with_backing(self):
        self.raw('base')
        self.refused('needs its format, too: -F raw', 'create', '-f', 'qcow2', '-b', 'base', 'x')
        self.refused("cannot open 'nothing'", 'create', '-f', 'qcow2', '-b', 'nothing', '-F', 'raw', 'x')
        self.img('create', '-q', '-u', '-f', 'qcow2', '-b', 'nothing', '-F', 'raw', 'x', '1M')
        self.refused('stands on another image', 'convert', 'x', 'y')
        self.assertIn('backing file: nothing', self.img('info', 'x'))
        self.img('create', '-q', '-f', 'qcow2', '-b', 'loop', '-F', 'qcow2', '-u', 'loop', '1M')
        self.refused('more than 64 images', 'convert', 'loop', 'y')

    def test_compare(self):
        self.raw('a')
        self.img('convert', '-O', 'qcow2', 'a', 'b')
        self.assertEqual(self.call(IMG, 'compare', 'a', 'b'), (0, 'Images are identical.\n', ''))
        self.img('resize', '-q', 'b', '+1M')
        self.assertEqual(self.call(IMG, 'compare', 'a', 'b')[:2],
                         (0, 'Warning: Image size mismatch!\nImages are identical.\n'))
        self.assertEqual(self.call(IMG, 'compare', '-s', 'a', 'b')[:2],
                         (1, 'Strict mode: Image size mismatch!\n'))
        self.write_data('b', 1500000, b'difference')
        self.assertEqual(self.call(IMG, 'compare', 'a', 'b')[:2], (1, f'Content mismatch at offset {1500000 & ~511}!\n'))
        self.assertEqual(self.call(IMG, 'compare', '-q', 'b', 'a')[:2], (1, ''))

    def limited(self, size, *args):
        """As call(), with files of at most that size."""
        return self.call(*args, preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (size, size)))

    def test_full_disk(self):
        for options in '', 'lazy_refcounts=on', 'cluster_size=512', 'compat=0.10,cluster_size=4k':
            for limit in 700000, 3000001, 4096 * 300:
                with self.subTest(options=options, limit=limit):
                    self.img('create', '-q', '-f', 'qcow2', *(['-o', options] if options else []), 'q', '8M')
                    status, out, err = self.limited(limit, EXERCISE, 'fill', 'q')
                    self.assertEqual((status, out), (0, 'File too large\n'), err)
                    self.assertIn(self.call(IMG, 'check', 'q')[0], (0, 3))
                    if options == 'lazy_refcounts=on':
                        self.assertIn(self.call(IMG, 'check', '-r', 'all', 'q')[0], (0,))
                    self.assertEqual(self.run_ok(EXERCISE, 'fill', 'q'), 'full\n')
                    self.assertEqual(self.content('q'), b'x' * (8 << 20))
        self.write('r', b'x' * (4 << 20))
        status, _, err = self.limited(1 << 20, IMG, 'convert', '-O', 'qcow2', 'r', 'q')
        self.assertEqual(status, 1)
        self.assertIn('error while writing', err)
        self.assertIn('File too large', err)

    def damage(self, name, at, data):
        with open(self.path(name), 'r+b') as f:
            f.seek(at)
            f.write(data)

    def field(self, name, at, length=8):
        with open(self.path(name), 'rb') as f:
            f.seek(at)
            return int.from_bytes(f.read(length), 'big')

    def damaged(self, what):
        """q, with one thing wrong; its content, which repair is to keep."""
        self.raw('r')
        self.img('convert', '-O', 'qcow2', 'r', 'q')
        want = self.content('q')
        table = self.field('q', 48)
        block = self.field('q', table)
        l1 = self.field('q', 40)
        l2 = self.field('q', l1) & 0xfffffffffffe00
        entries = [i for i in range(32) if self.field('q', l2 + i * 8)]
        cluster = (self.field('q', l2 + entries[0] * 8) & 0xfffffffffffe00) // 65536
        if what == 'leak':
            self.damage('q', block + 2 * 2, b'\0\2')
        elif what == 'free':
            self.damage('q', block + 2 * cluster, b'\0\0')
        elif what == 'copied':
            self.damage('q', l2 + entries[0] * 8, b'\0')
        elif what == 'block':
            self.damage('q', table, struct.pack('>Q', block + 512))
        elif what == 'no blocks':
            self.damage('q', table, bytes(8))
        elif what == 'mark':
            self.damage('q', 79, b'\2')
        elif what == 'dirty':
            self.damage('q', 79, b'\1')
            self.damage('q', block + 2 * cluster, b'\0\0')
        return want

    def test_repair(self):
        for what, status in (('leak', 3), ('free', 2), ('copied', 2), ('block', 2), ('no blocks', 2)):
            with self.subTest(what=what):
                want = self.damaged(what)
                self.assertEqual(self.call(IMG, 'check', 'q')[0], status)
                found = json.loads(self.call(IMG, 'check', '--output=json', 'q')[1])
                self.assertGreater(found['leaks' if status == 3 else 'corruptions'], 0)
                status, out, _ = self.call(IMG, 'check', '-r', 'all', 'q')
                self.assertEqual(status, 0, out)
                self.assertIn('The following inconsistencies were found and repaired', out)
                self.assertEqual(self.content('q'), want)
                self.assertEqual(self.call(IMG, 'check', 'q')[0], 0)
                if HAVE_QEMU:
                    self.run_ok('qemu-img', 'check', 'q')
        self.damaged('leak')
        self.assertEqual(self.call(IMG, 'check', '-r', 'leaks', 'q')[0], 0)
        self.damaged('free')
        self.assertEqual(self.call(IMG, 'check', '-r', 'leaks', 'q')[0], 2)

    def test_marks(self):
        """A damaged image is read only; one that was not closed is repaired when it is written to."""
        want = self.damaged('mark')
        self.assertEqual(self.content('q'), want)
        self.assertIn('corrupt: true', self.img('info', 'q'))
        self.refused('is marked as damaged', 'resize', 'q', '+1M')
        self.img('check', '-r', 'all', 'q')
        self.img('resize', 'q', '+1M')
        want = self.damaged('dirty')
        self.assertIn('cleanly shut down: no', self.img('info', 'q'))
        self.assertEqual(self.call(IMG, 'check', 'q')[0], 2)
        self.img('resize', 'q', '+1M')
        self.assertEqual(self.call(IMG, 'check', 'q')[0], 0)
        self.assertEqual(self.content('q'), want + bytes(1 << 20))
        self.assertNotIn('cleanly', self.img('info', 'q'))

    def kills(self, options):
        self.img('create', '-q', '-f', 'qcow2', '-o', options, 'q', '6M')
        rng = random.Random(SEED)
        for i in range(100 if SLOW else 6):
            with subprocess.Popen([EXERCISE, 'write', str(SEED * 1000 + i), 'q'], cwd=self.dir,
                                  stdout=subprocess.PIPE) as p:
                self.assertEqual(p.stdout.readline(), b'writing\n')
                time.sleep(rng.random() * 0.2)
                p.send_signal(signal.SIGKILL)
            yield

    def check_after_kill(self):
        status, out, err = self.call(IMG, 'check', 'q')
        self.assertIn(status, (0, 3), out + err)
        if HAVE_QEMU:
            status, out, err = self.call('qemu-img', 'check', 'q')
            self.assertIn(status, (0, 3), out + err)

    def test_kill(self):
        for options in 'cluster_size=64k', 'cluster_size=512,refcount_bits=64', 'compat=0.10,cluster_size=4k':
            with self.subTest(options=options):
                for _ in self.kills(options):
                    self.check_after_kill()
                self.img('check', '-r', 'leaks', 'q')
                self.assertEqual(self.call(IMG, 'check', 'q')[0], 0)

    def test_kill_lazy(self):
        """Refcounts that are written late are repaired: by the next one who writes, here."""
        for _ in self.kills('lazy_refcounts=on,cluster_size=4k'):
            self.assertIn('cleanly shut down: no', self.img('info', 'q'))
        self.img('check', '-r', 'all', 'q')
        self.assertEqual(self.call(IMG, 'check', 'q')[0], 0)

    def test_random(self):
        """Operations on random images, compared with a model in memory."""
        for seed in range(SEED, SEED + (125 if SLOW else 8)):
            with self.subTest(seed=seed):
                folder = self.path(str(seed))
                os.mkdir(folder)
                self.run_ok(EXERCISE, 'random', seed, 80 if SLOW else 50, folder)
                image, model = os.path.join(folder, 'image.qcow2'), os.path.join(folder, 'model.raw')
                self.assertEqual(self.call(IMG, 'compare', '-f', 'raw', '-F', 'qcow2', model, image)[0], 0)
                if HAVE_QEMU:
                    self.run_ok('qemu-img', 'check', '-q', '-f', 'qcow2', image)
                    self.run_ok('qemu-img', 'compare', '-q', '-f', 'raw', '-F', 'qcow2', model, image)
                shutil.rmtree(folder)


GEOMETRIES = ['compat=0.10', 'cluster_size=512', 'cluster_size=2M', 'refcount_bits=1', 'refcount_bits=64,cluster_size=4k',
              'lazy_refcounts=on', 'compression_type=zstd', 'preallocation=metadata', 'preallocation=full,cluster_size=1k']


@unittest.skipUnless(HAVE_QEMU, 'needs qemu-img and qemu-io (package qemu-utils)')
class BesideTest(ImgTest):
    """The same with the other program's."""

    def qemu(self, *args):
        return self.run_ok('qemu-img', *args)

    def io(self, image, *commands):
        args = [a for c in commands for a in ('-c', c)]
        self.run_ok('qemu-io', '-f', 'qcow2', *args, image)

    def test_images_of_ours(self):
        """They are whole for it, and it may write to them; then they are whole for us."""
        for options in GEOMETRIES:
            with self.subTest(options=options):
                self.img('create', '-q', '-f', 'qcow2', '-o', options, 'q', '3M')
                self.qemu('check', 'q')
                self.io('q', 'write -P 5 100k 300k', 'write -z 200k 1M', 'write -P 9 2500k 100k', 'discard 110k 10k',
                        'write -P 3 2M 64k')
                self.assertIn('No errors', self.img('check', 'q'))
                self.qemu('convert', '-O', 'raw', 'q', 'r')
                self.assertIn('identical', self.img('compare', 'q', 'r'))
                self.qemu('resize', '-q', 'q', '5M')
                if 'refcount_bits=1' not in options.split(','):
                    self.qemu('snapshot', '-c', 'theirs', 'q')
                    self.img('snapshot', '-c', 'ours', 'q')
                    self.qemu('check', 'q')
                    self.io('q', 'write -P 1 0 2M')
                    self.img('snapshot', '-a', 'theirs', 'q')
                    self.qemu('check', 'q')
                    self.img('snapshot', '-d', 'theirs', 'q')
                    self.qemu('snapshot', '-d', 'ours', 'q')
                    self.qemu('check', 'q')
                    self.assertIn('No errors', self.img('check', 'q'))
                self.img('resize', '-q', '--shrink', 'q', '3M')
                self.assertIn('identical', self.qemu('compare', 'q', 'r'))

    def test_images_of_theirs(self):
        for options in GEOMETRIES:
            with self.subTest(options=options):
                self.qemu('create', '-q', '-f', 'qcow2', '-o', options, 'q', '3M')
                self.io('q', 'write -P 5 100k 300k', 'write -z 200k 1M')
                self.assertIn('No errors', self.img('check', 'q'))
                self.raw('r', 3)
                self.img('convert', '-n', '-O', 'qcow2', 'r', 'q')
                self.qemu('check', 'q')
                self.assertIn('identical', self.qemu('compare', 'q', 'r'))

    def test_compressed(self):
        self.raw('r', 3)
        for args in ([], ['-o', 'compression_type=zstd'], ['-o', 'cluster_size=512'], ['-o', 'cluster_size=2M'],
                     ['-o', 'refcount_bits=1']):
            with self.subTest(args=args):
                self.img('convert', '-c', '-O', 'qcow2', *args, 'r', 'ours')
                self.qemu('convert', '-c', '-O', 'qcow2', *args, 'r', 'theirs')
                self.qemu('check', 'ours')
                self.assertIn('No errors', self.img('check', 'theirs'))
                self.assertIn('identical', self.qemu('compare', 'ours', 'r'))
                self.assertIn('identical', self.img('compare', 'theirs', 'r'))
                # Written over, a cluster at a time.
                self.io('ours', 'write -P 1 5k 700k')
                self.qemu('check', 'ours')
                self.img('convert', '-n', '-O', 'qcow2', 'ours', 'theirs')
                self.assertIn('identical', self.qemu('compare', 'ours', 'theirs'))
                self.qemu('check', 'theirs')

    def same(self, *args, status=0):
        """Both print the same, with the same status."""
        ours, theirs = self.call(IMG, *args), self.call('qemu-img', *args)
        self.assertEqual(ours[:2], theirs[:2], args)
        self.assertEqual(ours[0], status, ours)

    def same_json(self, *args, status=0):
        ours, theirs = self.call(IMG, *args), self.call('qemu-img', *args)
        self.assertEqual((json.loads(ours[1]), ours[0]), (json.loads(theirs[1]), theirs[0]), args)
        self.assertEqual(ours[0], status, ours)

    def test_output(self):
        """What is printed about images of all kinds."""
        self.raw('base', 1)
        self.img('create', '-q', '-f', 'qcow2', '-b', 'base', '-F', 'raw', 'mid')
        self.img('create', '-q', '-f', 'qcow2', '-b', './mid', '-F', 'qcow2', '-o', 'compat=0.10', 'top', '2M')
        self.io('mid', 'write -P 5 300k 100k', 'write -z 600k 100k')
        self.io('top', 'write -P 5 0 4k', 'write -P 7 256k 128k', 'write -P 1 1500k 1k')
        self.qemu('snapshot', '-c', 'first one', 'mid')
        self.img('convert', '-c', '-O', 'qcow2', '-o', 'compression_type=zstd,lazy_refcounts=on', 'mid', 'packed')
        for image in 'base', 'mid', 'top', 'packed':
            self.same('info', image)
            self.same('info', '--backing-chain', image)
            self.same_json('info', '--output=json', image)
            self.same_json('info', '--backing-chain', '--output=json', image)
            self.same_json('map', '--output=json', image)
            self.same_json('map', '--output=json', '--start-offset=100k', '--max-length=700k', image)
            self.same('snapshot', '-l', image)
            if image != 'base':
                self.same('check', image)
                self.same_json('check', '--output=json', image)
            if image != 'packed':
                self.same('map', image)
            for other in 'base', 'top':
                self.same('compare', image, other, status=int(image != other and 'top' in (image, other) or
                                                              image in ('mid', 'packed')))
        self.same('check', 'base', status=63)
        self.same('map', 'packed', status=1)
        self.same('info', 'nothing', status=1)
        self.same('compare', 'nothing', 'base', status=2)
        for args in (['-f', 'qcow2', 'n1', '10M'], ['-f', 'raw', 'n2', '1.5M'],
                     ['-f', 'qcow2', '-b', 'base', '-F', 'raw', 'n3'],
                     ['-f', 'qcow2', '-o', 'cluster_size=4k,compat=0.10', 'n4', '1G'],
                     ['-f', 'qcow2', '-o', 'preallocation=full,lazy_refcounts=on', 'n5', '1M']):
            self.same('create', *args)
        self.same('resize', 'n1', '20M')
        self.same('resize', '--shrink', '-f', 'raw', 'n2', '1M')
        self.same('commit', 'n3')

    def test_refused_features(self):
        for options, name in (('extended_l2=on', 'extended L2 entries'), ('data_file=data', 'external data file'),
                              ('encrypt.format=aes,encrypt.key-secret=s', 'encrypted (AES)')):
            self.qemu('create', '-q', '--object', 'secret,id=s,data=x', '-f', 'qcow2', '-o', options, 'q', '1M')
            self.refused(name, 'info', 'q')

    def test_bitmaps(self):
        """They are kept until somebody writes."""
        self.qemu('create', '-q', '-f', 'qcow2', 'q', '4M')
        self.qemu('bitmap', '--add', 'q', 'b')
        self.io('q', 'write -P 1 0 1M')
        self.assertIn('No errors', self.img('check', 'q'))
        self.assertEqual(len(json.loads(self.qemu('info', '--output=json', 'q'))['format-specific']['data']['bitmaps']), 1)
        self.img('resize', '-q', 'q', '4M')
        self.assertIn('bitmaps', self.qemu('info', 'q'))
        self.raw('r')
        self.img('convert', '-n', '-O', 'qcow2', 'r', 'q')
        self.assertNotIn('bitmaps', self.qemu('info', 'q'))
        self.qemu('check', 'q')
        self.assertIn('No errors', self.img('check', 'q'))

    def test_locks(self):
        self.img('create', '-q', '-f', 'qcow2', 'q', '1M')
        with subprocess.Popen(['qemu-io', '-f', 'qcow2', self.path('q')], stdin=subprocess.PIPE,
                              stdout=subprocess.PIPE, text=True) as p:
            # It has the image open when it has answered.
            p.stdin.write('length\n')
            p.stdin.flush()
            while 'MiB' not in (line := p.stdout.readline()) and line:
                pass
            self.refused('is in use', 'resize', 'q', '2M')
            self.refused('is in use', 'info', 'q')
            self.img('info', '-U', 'q')
            p.stdin.close()
            p.wait(TIMEOUT)
        self.img('resize', '-q', 'q', '2M')


if __name__ == '__main__':
    EXERCISE = os.path.abspath(sys.argv.pop(2))
    IMG = os.path.abspath(sys.argv.pop(1))
    unittest.main(verbosity=2)
