#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The arrows between folders, and other rules that a text search can check.

usage: layers.py SOURCE_DIR

ALLOWED is the table of docs/architecture.md in machine-readable form: what the sources
of a folder (X/ and include/X/) may include. A name allows the folder and what lies
below it; a name with a dot is one header. A folder may always include itself.
"""
import os
import re
import sys

BACKENDS = ['chardev', 'block', 'net']
TESTED = ['util', 'fpu', 'qapi', 'replay', *BACKENDS, 'migration', 'hw', 'accel', 'target',
          'monitor', 'gdbstub', 'system', 'include']

ALLOWED = {
    'util': [],
    'fpu': ['util'],
    'qapi': ['util'],
    'replay': ['util', 'qapi'],
    'chardev': ['util', 'qapi', 'replay/sources.h'],
    'block': ['util', 'qapi', 'replay/sources.h'],
    'net': ['util', 'qapi', 'replay/sources.h'],
    'migration': ['util', 'qapi'],
    'hw/core': ['util', 'qapi', 'migration', 'replay/sources.h'],
    'accel/tcg': ['util', 'hw/core', 'migration', 'replay/replay.h', 'replay/sources.h'],
    'target/arm': ['util', 'fpu', 'hw/core', 'migration', 'accel/tcg'],
    # A device knows neither the recorder nor a CPU; its sources come in through
    # replay/sources.h alone.
    'hw': ['util', 'hw/core', 'migration', 'replay/sources.h', *BACKENDS],
    'hw/arm': ['util', 'hw', 'migration', 'replay/sources.h', 'target/arm', 'accel/tcg/vcpu.h',
               *BACKENDS],
    'monitor': ['util', 'qapi', 'fpu', 'replay', 'migration', 'hw', 'accel', 'target',
                *BACKENDS],
    'gdbstub': ['util', 'qapi', 'fpu', 'replay', 'migration', 'hw', 'accel', 'target',
                'monitor', *BACKENDS],
    'system': ['util', 'qapi', 'fpu', 'replay', 'migration', 'hw', 'accel', 'target',
               'monitor', 'gdbstub', *BACKENDS],
}

# Only the execution loop may see the whole of replay/replay.h.
ONLY_IN = {
    'replay/replay.h': ['replay/', 'monitor/', 'gdbstub/', 'system/', 'include/replay/',
                        'accel/tcg/exec-'],
}

INCLUDE = re.compile(r'^\s*#\s*include\s*"([^"]+)"', re.M)
COMMENT = re.compile(r'/\*.*?\*/|//[^\n]*', re.S)
STRING = re.compile(r'"(?:[^"\\\n]|\\.)*"')

# (pattern, where it is allowed, why)
FORBIDDEN = [
    (r'\breplay_mode\b', ['replay/'], 'nobody outside replay/ asks for the mode'),
    (r'\bREPLAY_MODE_\w+', ['replay/', 'include/replay/', 'system/'],
     'nobody outside replay/ asks for the mode (system/ sets it from the command line)'),
    (r'\b(time|clock_gettime|gettimeofday|clock|ftime)\s*\(\s*(NULL|0|CLOCK_\w+|&)',
     ['util/host-clock.c'], 'host time comes from util/host-clock.h'),
    (r'\b(g_get_real_time|g_get_monotonic_time|g_date_time_new_now\w*)\b', ['util/host-clock.c'],
     'host time comes from util/host-clock.h'),
    (r'\b(g_random_\w+|g_rand_new|rand|random|srand|srandom|getrandom|arc4random)\s*\(',
     ['util/host-random.c'], 'host randomness comes from util/host-random.h'),
    (r'\b__builtin_ia32_rdtsc|\b__rdtsc\b|\b_rdrand', ['util/host-'],
     'host time and randomness come from util/host-*'),
]


def folder_of(path):
    """The row of ALLOWED that a source or header belongs to."""
    if path.startswith('include/'):
        path = path[len('include/'):]
    parts = path.split('/')[:-1]
    for n in range(len(parts), 0, -1):
        name = '/'.join(parts[:n])
        if name in ALLOWED:
            return name
    return None


def is_within(path, name):
    return path == name if name.endswith('.h') else path.startswith(name + '/')


def sources(root):
    for top in TESTED:
        for folder, _, names in os.walk(os.path.join(root, top)):
            for name in sorted(names):
                if name.endswith(('.c', '.h', '.def')):
                    yield os.path.relpath(os.path.join(folder, name), root)


def resolve(root, source, name):
    """The project path an #include names, or None for system and other generated headers."""
    for base in ['include', '.', os.path.dirname(source)]:
        if os.path.isfile(os.path.join(root, base, name)):
            return os.path.normpath(os.path.join('' if base == 'include' else base, name))
    # Generated headers of qapi/ stand in the build folder.
    return name if name.startswith('qapi/') else None


def check_include(root, source, name):
    target = resolve(root, source, name)
    if target is None:
        return None
    here, there = folder_of(source), folder_of(target)
    if here is None:
        return f'{source}: its folder has no row in tests/layers/layers.py'
    if there is None:
        return f'{source} includes {name}, whose folder has no row in tests/layers/layers.py'
    for header, users in ONLY_IN.items():
        if target == header and not source.startswith(tuple(users)):
            return f'{source} includes {name}: only {", ".join(users)} may'
    if here == there or any(is_within(target, allowed) for allowed in ALLOWED[here]):
        return None
    return f'{source} includes {name}: {here}/ may not include {there}/'


def check_text(source, text):
    plain = STRING.sub('""', COMMENT.sub(lambda m: '\n' * m.group().count('\n'), text))
    for pattern, places, why in FORBIDDEN:
        if source.startswith(tuple(places)):
            continue
        for match in re.finditer(pattern, plain):
            line = plain.count('\n', 0, match.start()) + 1
            yield f'{source}:{line}: {match.group().strip()}: {why}'


def check_style(source, text):
    if not source.endswith('.def') and 'SPDX-License-Identifier: GPL-2.0-or-later' not in text:
        yield f'{source}: no SPDX line'
    if source.endswith('.c'):
        first = INCLUDE.search(text)
        if not first or first.group(1) != 'util/osdep.h':
            yield f'{source}: util/osdep.h must be the first include'


def cycle(rows):
    """A path of rows that leads back to its start, or None."""
    def visit(row, path):
        if row in path:
            return path[path.index(row):] + [row]
        for allowed in rows[row]:
            if not allowed.endswith('.h') and allowed in rows and allowed != row:
                found = visit(allowed, path + [row])
                if found:
                    return found
        return None
    for row in rows:
        found = visit(row, [])
        if found:
            return found
    return None


def missing(root):
    """Folders and headers of the tables that do not exist."""
    names = {*ALLOWED, *TESTED, *(name for row in ALLOWED.values() for name in row), *ONLY_IN}
    names |= {p for _, places, _ in FORBIDDEN for p in places if p.endswith('.c')}
    for name in sorted(names):
        if not any(os.path.exists(os.path.join(root, base, name)) for base in ('', 'include')):
            yield f'tests/layers/layers.py names {name}, which does not exist'


def self_test():
    """The checks find what they are for."""
    assert folder_of('include/hw/core/machine.h') == 'hw/core'
    assert folder_of('hw/char/pl011.c') == 'hw'
    assert folder_of('accel/tcg/x86_64/emit.c') == 'accel/tcg'
    assert list(check_text('hw/char/x.c', 'int a = time(NULL);\n'))
    assert list(check_text('hw/char/x.c', 'if (replay_mode == 1) {\n'))
    assert list(check_text('hw/char/x.c', 'x = REPLAY_MODE_PLAY;\n'))
    assert not list(check_text('hw/char/x.c', '/* time(NULL) */ f("time(NULL)");\n'))
    assert not list(check_text('util/host-clock.c', 'clock_gettime(CLOCK_MONOTONIC, &ts);\n'))
    assert list(check_style('hw/x.c', '#include <stdio.h>\n#include "hw/x.h"\n'))
    assert cycle({'a': ['b'], 'b': ['a']}) == ['a', 'b', 'a']
    assert cycle(ALLOWED) is None
    assert check_include('.', 'hw/x.c', 'qapi/qapi-types.h')
    assert not check_include('.', 'monitor/x.c', 'qapi/qapi-types.h')


def main():
    root = sys.argv[1]
    problems = []
    edges = count = 0
    self_test()
    problems += missing(root)
    for source in sources(root):
        with open(os.path.join(root, source), encoding='utf-8') as f:
            text = f.read()
        count += 1
        for name in INCLUDE.findall(text):
            edges += 1
            problem = check_include(root, source, name)
            if problem:
                problems.append(problem)
        problems += check_text(source, text)
        problems += check_style(source, text)
    for problem in problems:
        print(problem)
    print(f'{count} files, {edges} includes, {len(problems)} problems')
    return 1 if problems or count < 20 else 0


if __name__ == '__main__':
    sys.exit(main())
