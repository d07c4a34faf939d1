"""Debian's kernel modules in an initrd.

SPDX-License-Identifier: GPL-2.0-or-later
"""
import gzip
import os
import shutil
import unittest

import initrd
import rearm

# What the installer's initrd does not have (scripts/fetch-guest).
FETCHED = os.path.join(rearm.CACHE, 'modules')
TOOLS = ('bin/kmod', 'sbin/insmod', 'usr/lib/libkmod.so.2', 'usr/lib/libkmod.so.2.4.0')


def need_modules():
    """Decorator: skip when Debian's modules were not fetched."""
    return unittest.skipUnless(os.path.isdir(FETCHED), 'no modules: run scripts/fetch-guest all')


def fetched(name):
    path = os.path.join(FETCHED, name + '.ko')
    if not os.path.exists(path):
        return None
    with open(path, 'rb') as f:
        return f.read()


def with_modules(out, *modules):
    """The small initrd, and behind it what loads modules, and these as /NAME.ko."""
    missing, number = set(modules) | set(TOOLS), 1
    shutil.copy(rearm.SMALL_INITRD, out)
    with gzip.open(rearm.INITRD) as packed, open(out, 'ab') as archive:
        def put(name, mode, contents):
            nonlocal number
            initrd.write_entry(archive, number, name, mode, (0, 0), contents)
            number += 1

        archive.write(b'\0' * (-archive.tell() % 4))
        put('usr/lib', 0o40755, b'')
        for name, mode, _, contents in initrd.read_archive(packed.read()):
            short = os.path.basename(name)[:-3] if name.endswith('.ko') else name
            if short in missing:
                put(short + '.ko' if name.endswith('.ko') else name, mode, contents)
                missing.remove(short)
        for module in sorted(missing):
            contents = fetched(module)
            if contents:
                put(module + '.ko', 0o100644, contents)
                missing.remove(module)
        initrd.write_entry(archive, 0, 'TRAILER!!!', 0, (0, 0), b'')
    assert not missing, missing


def mount(vm):
    """What modules and programs look for, once there is a shell."""
    vm.shell()
    for kind, where in (('sysfs', '/sys'), ('proc', '/proc'), ('devtmpfs', '/dev')):
        vm.run('busybox mount -t %s none %s' % (kind, where))


def load(case, vm, *names):
    """Modules of with_modules(), in this order."""
    for name in names:
        case.assertNotIn('rror', vm.run('insmod /%s.ko' % name))
