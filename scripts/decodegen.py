#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Compile a .decode file into a C decoder: see docs/devel/decode-format.md.

Three steps: parse lines into patterns, refuse overlaps, and emit a tree of
switches over the bits that all remaining patterns have fixed.
"""
import argparse
import re
import sys

INSN_BITS = 32
IDENT = re.compile(r'[A-Za-z_][A-Za-z0-9_]*$')
FIELD = re.compile(r'([A-Za-z_][A-Za-z0-9_]*):(s?)([0-9]+)$')
LITERAL = re.compile(r'[01.]+$')


class DecodeError(Exception):
    """A mistake in the input; the message starts with FILE:LINE."""


class Pattern:
    """One line: fixed bits as mask and value, fields as lists of segments."""

    def __init__(self, name, where):
        self.name = name
        self.where = where
        self.mask = 0
        self.value = 0
        self.fields = {}        # name -> [(position, length, signed)], high part first

    def members(self):
        return [self]

    def overlaps(self, other):
        return not (self.value ^ other.value) & self.mask & other.mask


class Group:
    """Patterns tried in order; as a whole it has the bits that all of them share."""

    def __init__(self, where):
        self.where = where
        self.patterns = []
        self.mask = 0
        self.value = 0

    def members(self):
        return self.patterns

    def close(self):
        mask = (1 << INSN_BITS) - 1
        first = self.patterns[0]
        for p in self.patterns:
            mask &= p.mask & ~(p.value ^ first.value)
        self.mask = mask
        self.value = first.value & mask


def add_field(pattern, token, top):
    name, sign, length = FIELD.match(token).groups()
    length = int(length)
    if not 1 <= length <= top:
        raise DecodeError(f'{pattern.where}: field {token} does not fit')
    segments = pattern.fields.setdefault(name, [])
    if segments and sign:
        raise DecodeError(f'{pattern.where}: only the first part of {name} may be signed')
    segments.append((top - length, length, sign == 's'))
    return top - length


def parse_pattern(words, where):
    if not IDENT.match(words[0]):
        raise DecodeError(f'{where}: bad pattern name {words[0]}')
    p = Pattern(words[0], where)
    top = INSN_BITS
    for token in words[1:]:
        if LITERAL.match(token):
            if len(token) > top:
                raise DecodeError(f'{where}: {p.name} has more than {INSN_BITS} bits')
            for c in token:
                top -= 1
                p.mask |= (c != '.') << top
                p.value |= (c == '1') << top
        elif FIELD.match(token):
            top = add_field(p, token, top)
        else:
            raise DecodeError(f'{where}: bad token {token}')
    if top:
        raise DecodeError(f'{where}: {p.name} has {INSN_BITS - top} bits, not {INSN_BITS}')
    return p


def parse(path):
    """The file's items: patterns and groups, in order."""
    items, group, names = [], None, {}
    with open(path, encoding='utf-8') as f:
        for number, line in enumerate(f, 1):
            where = f'{path}:{number}'
            words = line.split('#')[0].split()
            if not words:
                continue
            if words == ['{']:
                if group:
                    raise DecodeError(f'{where}: group inside the group of {group.where}')
                group = Group(where)
            elif words == ['}']:
                if not group or not group.patterns:
                    raise DecodeError(f'{where}: no group to close, or an empty one')
                group.close()
                items.append(group)
                group = None
            else:
                p = parse_pattern(words, where)
                if p.name in names:
                    raise DecodeError(f'{where}: {p.name} is also at {names[p.name]}')
                names[p.name] = where
                (group.patterns if group else items).append(p)
    if group:
        raise DecodeError(f'{group.where}: group is not closed')
    if not items:
        raise DecodeError(f'{path}: no patterns')
    return items


def refuse_overlaps(items):
    for i, a in enumerate(items):
        for b in items[i + 1:]:
            for p in a.members():
                for q in b.members():
                    if p.overlaps(q):
                        raise DecodeError(f'{q.where}: {q.name} overlaps {p.name} at {p.where}')


def field_expr(segments):
    """C for a field: its parts from high to low, concatenated."""
    total = sum(length for _, length, _ in segments)
    parts, below = [], total
    for position, length, signed in segments:
        below -= length
        get = f'sextract64(insn, {position}, {length})' if signed else \
              f'extract32(insn, {position}, {length})'
        parts.append(f'(int)((uint32_t){get} << {below})' if below else f'(int){get}')
    return ' | '.join(parts)


class Emitter:
    def __init__(self, out):
        self.out = out

    def line(self, depth, text):
        self.out.write('    ' * depth + text + '\n')

    def call(self, p, depth):
        """arg_X a = {...}; the caller has opened a block."""
        self.line(depth, f'arg_{p.name} a = {{')
        for name, segments in p.fields.items():
            self.line(depth + 1, f'.{name} = {field_expr(segments)},')
        self.line(depth, '};')

    def pattern(self, p, known, depth, in_group):
        rest = p.mask & ~known
        test = f'if ((insn & 0x{rest:08x}) == 0x{p.value & rest:08x}) {{' if rest else '{'
        self.line(depth, f'/* {p.where.rsplit("/", 1)[-1]} */')
        self.line(depth, test)
        self.call(p, depth + 1)
        if in_group:
            self.line(depth + 1, f'if (trans_{p.name}(s, &a)) {{')
            self.line(depth + 2, 'return true;')
            self.line(depth + 1, '}')
        else:
            self.line(depth + 1, f'return trans_{p.name}(s, &a);')
        self.line(depth, '}')

    def tree(self, items, known, depth):
        if len(items) == 1:
            item = items[0]
            for p in item.members():
                self.pattern(p, known, depth, isinstance(item, Group))
            return
        common = ~known & ((1 << INSN_BITS) - 1)
        for item in items:
            common &= item.mask
        if common:
            self.switch(items, common, known, depth)
            return
        # No bit is fixed in all: split off those that share the most popular bit.
        bits = [1 << n for n in range(INSN_BITS) if not known >> n & 1]
        bit = max(bits, key=lambda b: sum(bool(i.mask & b) for i in items))
        having = [i for i in items if i.mask & bit]
        if not having:
            for item in items:
                self.tree([item], known, depth)
            return
        self.tree(having, known, depth)
        self.tree([i for i in items if not i.mask & bit], known, depth)

    def switch(self, items, common, known, depth):
        cases = {}
        for item in items:
            cases.setdefault(item.value & common, []).append(item)
        self.line(depth, f'switch (insn & 0x{common:08x}) {{')
        for value in sorted(cases):
            self.line(depth, f'case 0x{value:08x}:')
            self.tree(cases[value], known | common, depth + 1)
            self.line(depth + 1, 'break;')
        self.line(depth, '}')

    def file(self, items, name, source):
        self.line(0, f'/* Generated from {source.rsplit("/", 1)[-1]} by decodegen.py. */')
        self.line(0, '#include "util/bitops.h"\n')
        for p in (p for item in items for p in item.members()):
            self.line(0, f'typedef struct arg_{p.name} {{')
            for field in p.fields:
                self.line(1, f'int {field};')
            self.line(0, f'}} arg_{p.name};')
            self.line(0, f'static bool trans_{p.name}(DisasContext *s, arg_{p.name} *a);\n')
        self.line(0, f'static bool decode_{name}(DisasContext *s, uint32_t insn)')
        self.line(0, '{')
        self.tree(items, 0, 1)
        self.line(1, 'return false;')
        self.line(0, '}')


def main():
    ap = argparse.ArgumentParser(description=__doc__)
    ap.add_argument('input')
    ap.add_argument('--name', required=True, help='decode_NAME is the function')
    ap.add_argument('-o', '--output', required=True)
    args = ap.parse_args()
    try:
        items = parse(args.input)
        refuse_overlaps(items)
    except (DecodeError, OSError) as e:
        sys.exit(f'decodegen: {e}')
    with open(args.output, 'w', encoding='utf-8') as out:
        Emitter(out).file(items, args.name, args.input)


if __name__ == '__main__':
    main()
