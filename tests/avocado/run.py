#!/usr/bin/env python3
"""Run end-to-end tests and print TAP (Test Anything Protocol).

    run.py MODULE [NAME...]      e.g. run.py test_replay Replay.test_units

REARM is the program (default build/system/rearm), REARM_CACHE the guest's folder.
Slow tests: REARM_SLOW_SUITE=1; a slow build: REARM_SLOW=10 (longer waits).

SPDX-License-Identifier: GPL-2.0-or-later
"""
import os
import sys
import time
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))


class TapResult(unittest.TestResult):
    def __init__(self):
        super().__init__()
        self.number = 0
        self.failed = False

    def startTest(self, test):
        super().startTest(test)
        self.started = time.monotonic()
        self.bad_parts = []

    def line(self, verdict, test, note=''):
        self.number += 1
        name = test.id().split('.', 1)[-1]
        print('%s %d - %s%s' % (verdict, self.number, name, note), flush=True)
        print('# %.1f s' % (time.monotonic() - self.started), flush=True)

    def bad(self, test, text):
        self.failed = True
        self.line('not ok', test)
        for part in text.splitlines():
            print('# ' + part, flush=True)

    def addSuccess(self, test):
        if not self.bad_parts:
            self.line('ok', test)

    def addFailure(self, test, err):
        self.bad(test, self._exc_info_to_string(err, test))

    addError = addFailure

    def addSubTest(self, test, subtest, err):
        if err is not None:
            self.bad_parts.append(subtest)
            self.bad(subtest, self._exc_info_to_string(err, test))

    def addSkip(self, test, reason):
        self.line('ok', test, ' # SKIP ' + reason)


def main():
    module, names = sys.argv[1], sys.argv[2:]
    loader = unittest.TestLoader()
    if names:
        suite = loader.loadTestsFromNames([module + '.' + n for n in names])
    else:
        suite = loader.loadTestsFromName(module)
    result = TapResult()
    print('TAP version 13')
    suite.run(result)
    print('1..%d' % result.number)
    return 1 if result.failed else 0


if __name__ == '__main__':
    sys.exit(main())
