#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""What the documents name is there: files, folders, links, functions.

usage: docs.py SOURCE_DIR

A file may be named by the end of its path ('units.c', 'opt/opt.c'). Names with NAME or <class>
in them stand for many and are left out, as are the examples below.
"""
import glob
import os
import re
import sys

SOURCES = ('util', 'fpu', 'qapi', 'replay', 'chardev', 'block', 'net', 'migration', 'hw', 'accel', 'target',
           'monitor', 'gdbstub', 'system', 'include', 'tests', 'scripts', 'docs')
# Functions of examples in the text, or made by a generator.
EXAMPLES = {'qmp_query_weather', 'qapi_event_name'}
# Folders that building and testing make.
MADE = {'build', 'cache'}
# Generated from tables, names of other programs included.
GENERATED = ['docs/qmp.md']

SPAN = re.compile(r'`([^`\n]+)`')
BLOCK = re.compile(r'^```.*?^```', re.S | re.M)
LINK = re.compile(r'\]\(([^)#\s]+)')
FILE = re.compile(r'[\w./-]+\.(?:c|h|S|py|def|decode|json|md|build)')
FUNCTION = re.compile(r'(\w+)\(.*\)')


def tree(root):
    """The paths of all files from the top."""
    found = [name for name in os.listdir(root) if os.path.isfile(os.path.join(root, name))]
    for top in SOURCES:
        for folder, _, names in os.walk(os.path.join(root, top)):
            found += [os.path.relpath(os.path.join(folder, n), root) for n in names]
    return found


def words_of(root, files):
    words = set()
    for name in files:
        if name.endswith(('.c', '.h', '.py', '.def', '.S')):
            with open(os.path.join(root, name), encoding='utf-8') as f:
                words |= set(re.findall(r'\w+', f.read()))
    return words


def check(root, document, ends, words):
    """Names and links in one document that lead nowhere."""
    with open(os.path.join(root, document), encoding='utf-8') as f:
        text = BLOCK.sub('', f.read())
    for link in LINK.findall(text):
        if '://' not in link and \
                not os.path.exists(os.path.join(root, os.path.dirname(document), link)):
            yield f'{document}: a link to {link}'
    for span in SPAN.findall(text):
        function = FUNCTION.fullmatch(span)
        if 'NAME' in span or '<' in span:
            continue
        if FILE.fullmatch(span) and span not in ends:
            yield f'{document}: the file {span}'
        elif function and function[1] not in words | EXAMPLES:
            yield f'{document}: the function {span}'
        elif re.fullmatch(r'(?:[\w-]+/)+', span) and span.rstrip('/') not in ends | MADE:
            yield f'{document}: the folder {span}'


def main():
    root = sys.argv[1]
    files = tree(root)
    # Each file and folder, by each end of its path.
    paths = set(files)
    for name in files:
        while name := os.path.dirname(name):
            paths.add(name)
    ends = {'/'.join(p.split('/')[n:]) for p in paths for n in range(p.count('/') + 1)}
    words = words_of(root, files)
    documents = sorted(glob.glob('docs/**/*.md', root_dir=root, recursive=True))
    documents = [d for d in documents if d not in GENERATED] + ['README.md', 'CONTRIBUTING.md']
    problems = [p for d in documents for p in check(root, d, ends, words)]
    for problem in problems:
        print(f'{problem} does not exist')
    print(f'{len(documents)} documents, {len(problems)} problems')
    return 1 if problems or len(documents) < 5 else 0


if __name__ == '__main__':
    sys.exit(main())
