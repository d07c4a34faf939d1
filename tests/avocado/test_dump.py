"""Dumps of a running Debian kernel: gdb walks its list of tasks in the core file, and a compressed dump has
the same memory.

SPDX-License-Identifier: GPL-2.0-or-later
"""
import os
import re
import shutil
import struct
import subprocess
import sys
import unittest

import btf
import rearm
import travel
from rearm import TestCase, Vm, machine, need_guest

sys.path.append(os.path.join(rearm.TOP, 'tests', 'system'))
import kdump    # noqa: E402

SYMBOLS = os.path.join(rearm.TOP, 'scripts', 'kernel-symbols')
# In gdb: a line "pid name" for each task, from the first one on until it comes up again.
WALK = '''set $first = (char *)%(first)d
set $task = $first
set $n = 0
while $n == 0 || $task != $first
  printf "task %%d %%s\\n", *(int *)($task + %(pid)d), $task + %(comm)d
  set $task = *(char **)($task + %(tasks)d + %(next)d) - %(tasks)d
  set $n = $n + 1
end
'''


@need_guest()
@unittest.skipUnless(shutil.which('gdb-multiarch'), 'no gdb-multiarch')
class Dump(TestCase):
    maxDiff = None

    def offsets(self):
        with open(rearm.KERNEL, 'rb') as f:
            types = btf.Btf(f.read())
        return {'next': types.offset('list_head', 'next'),
                **{m: types.offset('task_struct', m) for m in ('pid', 'comm', 'tasks')}}

    def first_task(self, offsets):
        """Where init_task is. Debian's kernel has no variables in its kallsyms, so it is looked for: a task with
        the first one's name and number, in the kernel's image."""
        with open(self.path('kallsyms'), encoding='latin1') as f:
            image = int(re.search(r'^([0-9a-f]{16}) T _stext', f.read(), re.M).group(1), 16)
        with open(self.path('core'), 'rb') as f:
            core = f.read()
        table, _, _, _, size, number = struct.unpack_from('<QQIHHH', core, 32)
        found = set()
        for n in range(number):
            kind, _, offset, vaddr, _, length = struct.unpack_from('<IIQQQQ', core, table + n * size)
            if kind != 1 or not image - length < vaddr < image + (128 << 20):
                continue
            for m in re.finditer(rb'swapper/0\0', core[offset:offset + length]):
                task = m.start() - offsets['comm']
                if task >= 0 and core[offset + task + offsets['pid']:][:4] == bytes(4):
                    found.add(vaddr + task)
        self.assertEqual(len(found), 1, found)
        return found.pop()

    def gdb(self, *commands):
        argv = ['gdb-multiarch', '-nx', '-batch', '-ex', 'set architecture aarch64']
        for command in commands:
            argv += ['-ex', command]
        run = subprocess.run(argv, cwd=self.dir, capture_output=True, text=True, errors='replace',
                             stdin=subprocess.DEVNULL, timeout=120 * rearm.SLOW)
        return run.stdout + run.stderr

    def test_tasks(self):
        """By the dump, the guest has the tasks that its own ps shows."""
        with Vm(*machine(ram='256M'), '-smp', '2', '-icount', 'shift=1,sleep=off',
                '-qmp', 'unix:%s,server=on,wait=off' % self.path('qmp')) as vm:
            vm.shell()
            vm.run('busybox mount -t proc proc /proc')
            with open(self.path('kallsyms'), 'w', encoding='latin1') as f:
                f.write(vm.run('cat /proc/kallsyms', timeout=300))
            # In the background, as long as the machine lives: threads of more than the kernel.
            vm.run('busybox sleep 100000 & busybox sleep 100001 &')
            listed = vm.run('for p in /proc/[0-9]*; do read line < $p/stat; echo "task $line"; done')
            at = travel.Machine(vm, self.path('qmp'))
            at.command('stop')
            for name, given in (('core', {'paging': True}),
                                ('flat', {'paging': False, 'format': 'kdump-zlib'})):
                at.command('dump-guest-memory', protocol='file:' + self.path(name), **given)
            at.command('pmemsave', val=0x40000000, size=256 << 20, filename=self.path('ram'))
            at.command('quit')
            self.assertEqual(vm.wait(), 0, vm.stderr())
        subprocess.run([sys.executable, SYMBOLS, self.path('kallsyms'), self.path('symbols')],
                       check=True)
        with open(self.path('walk'), 'w', encoding='ascii') as f:
            offsets = self.offsets()
            f.write(WALK % {**offsets, 'first': self.first_task(offsets)})
        text = self.gdb('core-file core', 'symbol-file symbols', 'source walk', 'info threads',
                        'backtrace 3')
        walked = {int(pid): name for pid, name in re.findall(r'^task (\d+) (.*)$', text, re.M)}
        # /proc has names of the kernel's threads that are longer than comm.
        expected = {int(pid): name[:15] for pid, name in
                    re.findall(r'^task (\d+) \((.*)\) ', listed, re.M)}
        self.assertEqual(walked.pop(0, None), 'swapper/0', text)
        self.assertGreater(len(expected), 20, listed)
        # Workers of the kernel come and go, and change their names as they work.
        for tasks in (walked, expected):
            for pid in [p for p, name in tasks.items() if name.startswith('kworker')]:
                del tasks[pid]
        self.assertEqual(walked, expected)
        self.assertEqual(sorted(walked.values()).count('busybox'), 2)
        self.assertRegex(text, r'2 +LWP 2')
        self.assertRegex(text, r'#1 .* in \w+ \(')
        self.check_kdump()

    def check_kdump(self):
        with open(self.path('flat'), 'rb') as f:
            dump = kdump.Dump(kdump.unflatten(f.read()))
        with open(self.path('ram'), 'rb') as f:
            ram = f.read()
        self.assertEqual(list(dump.pages), list(range(0x40000, 0x50000)))
        for number, page in dump.pages.items():
            at = (number << 12) - 0x40000000
            self.assertTrue(page == ram[at:at + 4096], 'page 0x%x' % number)
