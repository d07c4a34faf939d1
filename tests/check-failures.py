#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""A generator or the compiler must refuse each FOLDER/fail-* with the text of its expectations.

usage: check-failures.py FOLDER COMMAND...

In COMMAND, {in} is the file and {out} an empty folder, in which a refused file leaves nothing.
A file says what has to be in the message in lines with 'expect: TEXT'. If FOLDER has files
control*, the command must accept these: else everything is refused for a reason of its own.
"""
import glob
import os
import re
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor

EXPECT = re.compile(r'\bexpect: *(.*?) *(?:\*/)?$', re.M)


def run(command, path):
    """The result of the command, and whether it left something in {out}."""
    with tempfile.TemporaryDirectory() as out:
        args = [a.replace('{in}', path).replace('{out}', out) for a in command]
        return subprocess.run(args, capture_output=True, text=True), bool(os.listdir(out))


def refused(command, path):
    with open(path, encoding='utf-8') as f:
        expected = EXPECT.findall(f.read())
    result, wrote = run(command, path)
    missing = [e for e in expected if e not in result.stderr]
    if result.returncode and expected and not missing and not wrote \
            and 'Traceback' not in result.stderr:
        return True
    print(f'{path}: status {result.returncode}, not in the message: {missing}\n{result.stderr}')
    return False


def accepted(command, path):
    result, _ = run(command, path)
    if result.returncode:
        print(f'{path}: status {result.returncode}\n{result.stderr}')
    return not result.returncode


def main():
    folder, *command = sys.argv[1:]
    bad = sorted(glob.glob(os.path.join(folder, 'fail-*')))
    good = sorted(glob.glob(os.path.join(folder, 'control*')))
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        ok = [*pool.map(lambda p: refused(command, p), bad),
              *pool.map(lambda p: accepted(command, p), good)]
    sys.exit(0 if bad and all(ok) else 1)


main()
