#!/usr/bin/env python3
"""Add up what `meson test` ran: one line, `N passed, N failed[, N skipped]`.

    test-summary.py TESTLOG.JSON...

Tests that speak TAP count point by point, the others as one each. What failed is named
in front of the line, with the name of its log. Exit code 1 when something failed or nothing ran.

SPDX-License-Identifier: GPL-2.0-or-later
"""
import json
import os
import re
import sys

POINT = re.compile(r'^(not )?ok\b[^#\n]*(#\s*(skip|todo))?', re.I | re.M)
FAILED = ('FAIL', 'ERROR', 'TIMEOUT', 'UNEXPECTEDPASS', 'INTERRUPT')


def count(test, totals):
    """Count one meson test; whether all of it passed."""
    points = list(POINT.finditer(test.get('stdout') or ''))
    bad = sum(1 for p in points if p.group(1) and not p.group(2))
    skipped = sum(1 for p in points if p.group(2))
    failed = test['result'] in FAILED
    if not points:
        totals['skipped' if test['result'] == 'SKIP' else 'failed' if failed else 'passed'] += 1
    else:
        totals['passed'] += len(points) - bad - skipped
        totals['skipped'] += skipped
        # A program that died counts even when all it printed was fine.
        totals['failed'] += bad or failed
    return not failed and not bad


def main():
    totals = {'passed': 0, 'failed': 0, 'skipped': 0}
    failures = []
    for path in sys.argv[1:]:
        label = os.path.splitext(os.path.basename(path))[0]
        with open(path, encoding='utf-8') as f:
            for line in f:
                test = json.loads(line)
                if not count(test, totals):
                    failures.append('%s, %s: %s' % (label, test['name'], test['result']))
    for failure in failures:
        print('FAILED ' + failure)
    text = '%(passed)d passed, %(failed)d failed' % totals
    if totals['skipped']:
        text += ', %(skipped)d skipped' % totals
    print(text)
    return 1 if totals['failed'] or not totals['passed'] else 0


if __name__ == '__main__':
    sys.exit(main())
