# SPDX-License-Identifier: GPL-2.0-or-later
"""Read schema files: documentation comments, expressions, includes.

Without its documentation comments a schema is a list of literals that Python can parse,
but for the words true and false.
"""
import ast
import os
import re

SYMBOL = re.compile(r'@(\S+):\s*(.*)')
SECTION = re.compile(r'(Returns|Since|Note|Example):\s*(.*)')


class SchemaError(Exception):
    """A mistake in the input; the message starts with FILE:LINE."""


class Doc:
    """A documentation comment. symbol is None for prose that belongs to no definition."""

    def __init__(self, lines, where):
        self.where = where
        self.symbol = None
        self.body = current = []
        self.args = names = {}  # @NAME: of members and arguments -> lines
        self.features = {}
        self.sections = []      # (tag, lines), in order
        for number, line in enumerate(lines):
            if not re.match(r'#( |$)', line):
                raise SchemaError(f'{where}: lines of a comment begin with "# "')
            symbol, section = SYMBOL.fullmatch(line[2:]), SECTION.fullmatch(line[2:])
            if symbol and number == 0:
                self.symbol = symbol[1]
                current.append(symbol[2])
            elif symbol and self.symbol:
                if symbol[1] in names:
                    raise SchemaError(f'{where}: @{symbol[1]} is documented twice')
                current = names[symbol[1]] = [symbol[2]]
            elif section and self.symbol:
                current = [section[2]]
                self.sections.append((section[1], current))
            elif line[2:] == 'Features:':
                names = self.features
            else:
                current.append(line[2:])


def cut_docs(path, lines):
    """Take the blocks between two lines of ## out; returns {line number: Doc}."""
    docs, start = {}, None
    for number, line in enumerate(lines):
        if line.rstrip() == '##':
            if start is not None:
                docs[start] = Doc(lines[start + 1:number], f'{path}:{start + 1}')
                lines[start:number + 1] = [''] * (number + 1 - start)
            start = number if start is None else None
    if start is not None:
        raise SchemaError(f'{path}:{start + 1}: the comment has no end')
    return docs


def value(node, path):
    """Python's syntax tree to objects, arrays, strings, true and false."""
    where = f'{path}:{node.lineno}'
    if isinstance(node, ast.List):
        return [value(element, path) for element in node.elts]
    if isinstance(node, ast.Dict):
        keys = [key and value(key, path) for key in node.keys]
        for key in keys:
            if not isinstance(key, str) or keys.count(key) > 1:
                raise SchemaError(f"{where}: key '{key}' is there twice, or is not a string")
        return dict(zip(keys, [value(v, path) for v in node.values]))
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.Name) and node.id in ('true', 'false'):
        return node.id == 'true'
    raise SchemaError(f'{where}: expected an object, array, string, true or false')


def read(path, seen):
    """(expression or None, Doc or None, where) of a file and what it includes, each once."""
    seen.add(os.path.realpath(path))
    with open(path, encoding='utf-8') as f:
        lines = f.read().splitlines()
    docs = cut_docs(path, lines)
    try:
        items = [(s.lineno - 1, s) for s in ast.parse('\n'.join(lines)).body]
    except SyntaxError as e:
        raise SchemaError(f'{path}:{e.lineno}: {e.msg}') from e
    doc = None
    for number, item in sorted(items + list(docs.items()), key=lambda pair: pair[0]) + [(0, None)]:
        where = f'{path}:{number + 1}'
        if doc and not isinstance(item, ast.stmt):
            raise SchemaError(f'{doc.where}: no definition of @{doc.symbol} follows')
        if isinstance(item, Doc) and item.symbol:
            doc = item
        elif isinstance(item, Doc):
            yield None, item, where
        elif item:
            expr = value(getattr(item, 'value', item), path)
            if not isinstance(expr, dict):
                raise SchemaError(f'{where}: expected an object')
            inner = os.path.join(os.path.dirname(path), str(expr.get('include')))
            if 'include' not in expr:
                yield expr, doc, where
            elif not os.path.isfile(inner):
                raise SchemaError(f"{where}: no file '{expr['include']}'")
            elif os.path.realpath(inner) not in seen:
                yield from read(inner, seen)
            doc = None
