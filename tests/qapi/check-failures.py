#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""qapigen must refuse each fail-*.json with the text of its `# expect:` lines."""
import glob
import os
import subprocess
import sys
import tempfile


def check(generator, path):
    with open(path, encoding='utf-8') as f:
        expected = [l.split('expect:', 1)[1].strip() for l in f if l.startswith('# expect:')]
    with tempfile.TemporaryDirectory() as tmp:
        r = subprocess.run([sys.executable, generator, path, '--output-dir', tmp,
                            '--config', 'CONFIG_ON=1'], capture_output=True, text=True)
        wrote = os.listdir(tmp)
    bad = [e for e in expected if e not in r.stderr]
    if r.returncode == 0 or wrote or bad or not expected or 'Traceback' in r.stderr:
        print(f'{path}: status {r.returncode}, not found: {bad}\n{r.stderr}')
        return False
    return True


def main():
    generator, folder = sys.argv[1:]
    paths = sorted(glob.glob(os.path.join(folder, 'fail-*.json')))
    ok = [check(generator, p) for p in paths]
    sys.exit(0 if ok and all(ok) else 1)


main()
