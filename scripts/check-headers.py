#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Each header compiles alone: `ninja check-headers`.

usage: check-headers.py SOURCE_DIR BUILD_DIR COMPILER...

.def files are fragments and are left out.
"""
import concurrent.futures
import os
import subprocess
import sys


def headers(source):
    for folder, _, names in os.walk(os.path.join(source, 'include')):
        for name in sorted(names):
            if name.endswith('.h'):
                yield os.path.relpath(os.path.join(folder, name), os.path.join(source, 'include'))


def check(compiler, flags, header):
    text = f'#include "util/osdep.h"\n#include "{header}"\n#include "{header}"\n'
    command = compiler + flags + ['-x', 'c', '-fsyntax-only', '-']
    run = subprocess.run(command, input=text, capture_output=True, text=True)
    return header, run.returncode, run.stderr


def main():
    source, build = sys.argv[1:3]
    compiler = sys.argv[3:]
    glib = subprocess.run(['pkg-config', '--cflags', 'glib-2.0'], check=True, text=True,
                          capture_output=True).stdout.split()
    flags = glib + ['-std=gnu11', '-Wall', '-Wextra', '-Werror', '-Wno-unused-parameter',
                     '-D_GNU_SOURCE', '-I' + os.path.join(source, 'include'), '-I' + source,
                     '-I' + build]
    failed = 0
    names = list(headers(source))
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        for header, code, output in pool.map(lambda h: check(compiler, flags, h), names):
            if code:
                failed += 1
                print(f'{header} does not compile alone:\n{output}')
    print(f'{len(names)} headers, {failed} failed')
    return 1 if failed or not names else 0


if __name__ == '__main__':
    sys.exit(main())
