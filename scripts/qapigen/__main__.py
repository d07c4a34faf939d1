# SPDX-License-Identifier: GPL-2.0-or-later
"""Compile a schema in QAPI syntax (docs/devel/qapi.md) into C, or into the reference page."""
import argparse
import os
import sys

sys.dont_write_bytecode = True

# pylint: disable=wrong-import-position
from document import page
from emit import Emitter
from introspect import Introspection
from parser import SchemaError, read
from schema import Schema


def write(path, text, check=False):
    with open(path, 'r' if check else 'w', encoding='utf-8') as f:
        if not check:
            f.write(text)
        elif f.read() != text:
            sys.exit(f'{path} is out of date: write it again with scripts/qapigen --doc')


def main():
    ap = argparse.ArgumentParser(prog='qapigen', description=__doc__)
    ap.add_argument('input')
    ap.add_argument('--prefix', default='qapi', help='of file names and of C names')
    ap.add_argument('--config', action='append', default=[], metavar='NAME=0|1',
                    help="a condition of the schema ('if') and whether it holds")
    ap.add_argument('--output-dir', help='where PREFIX-types.[hc] and PREFIX-commands.[hc] go')
    ap.add_argument('--doc', metavar='FILE', help='write the reference page')
    ap.add_argument('--check', action='store_true', help='only compare the reference page')
    args = ap.parse_args()
    config = {name: value == '1' for name, _, value in (c.partition('=') for c in args.config)}
    try:
        schema = Schema(read(args.input, set()), config)
        if args.doc:
            write(args.doc, page(schema), args.check)
        if args.output_dir:
            emitter = Emitter(schema, args.prefix, os.path.basename(args.input))
            path = os.path.join(args.output_dir, args.prefix)
            write(f'{path}-types.h', emitter.types_header())
            write(f'{path}-types.c', emitter.types_source(Introspection(schema).strings))
            write(f'{path}-commands.h', emitter.commands_header())
            write(f'{path}-commands.c', emitter.commands_source())
    except (SchemaError, OSError) as e:
        sys.exit(f'qapigen: {e}')


main()
