#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The tests' QMP client notices what the schema does not have."""
import json
import time
import unittest

import qmp

BUILTIN = [{'name': name, 'meta-type': 'builtin', 'json-type': json_type}
           for name, json_type in (('str', 'string'), ('int', 'int'), ('bool', 'boolean'),
                                   ('number', 'number'), ('any', 'value'))]


def members(**types):
    return [{'name': name.rstrip('_'), 'type': type_,
             **({'default': None} if name[-1] == '_' else {})}
            for name, type_ in types.items()]


ENTRIES = BUILTIN + [
    {'name': '0', 'meta-type': 'object', 'members': []},
    {'name': 'Color', 'meta-type': 'enum', 'members': [{'name': 'red'}, {'name': 'blue'}],
     'values': ['red', 'blue']},
    {'name': '[int]', 'meta-type': 'array', 'element-type': 'int'},
    {'name': 'Blue', 'meta-type': 'object', 'members': members(depth='int')},
    {'name': 'Paint', 'meta-type': 'object', 'members': members(color='Color', note_='str'),
     'tag': 'color', 'variants': [{'case': 'blue', 'type': 'Blue'}, {'case': 'red', 'type': '0'}]},
    {'name': 'Either', 'meta-type': 'alternate', 'members': [{'type': 'str'}, {'type': '[int]'}]},
    {'name': 'paint', 'meta-type': 'command', 'arg-type': '0', 'ret-type': 'Paint'},
    {'name': 'DRY', 'meta-type': 'event', 'arg-type': '0'},
    {'name': 'WET', 'meta-type': 'event', 'arg-type': 'Blue'},
]


class SchemaTest(unittest.TestCase):
    def setUp(self):
        self.schema = qmp.Schema(ENTRIES)

    def test_values(self):
        good = (('str', 'a'), ('int', 5), ('bool', True), ('number', 5), ('number', 0.5),
                ('any', None), ('any', True), ('Color', 'red'), ('[int]', []), ('[int]', [1, 2]),
                ('Paint', {'color': 'red'}), ('Paint', {'color': 'red', 'note': 'x'}),
                ('Paint', {'color': 'blue', 'depth': 3}), ('Either', 'x'), ('Either', [1]))
        bad = (('str', 5), ('str', None), ('int', 'a'), ('int', True), ('int', 0.5),
               ('number', False), ('bool', 1), ('Color', 'green'), ('[int]', ['a']),
               ('[int]', {}), ('Paint', {}), ('Paint', {'color': 'blue'}),
               ('Paint', {'color': 'red', 'depth': 3}), ('Paint', {'color': 'red', 'note': 1}),
               ('Paint', {'color': 'red', 'size': 1}), ('Paint', 'red'), ('Either', 1),
               ('Either', ['x']), ('DRY', {}))
        for name, value in good:
            self.schema.check(name, value, name)
        for name, value in bad:
            with self.assertRaises(AssertionError, msg=f'{name} {value}'):
                self.schema.check(name, value, name)

    def test_events(self):
        self.schema.check_event({'event': 'DRY'})
        self.schema.check_event({'event': 'WET', 'data': {'depth': 1}})
        for event in ({'event': 'DRY', 'data': {}}, {'event': 'WET'}, {'event': 'paint'},
                      {'event': 'DAMP'}, {'event': 'WET', 'data': {'depth': 'x'}}):
            with self.assertRaises(AssertionError, msg=str(event)):
                self.schema.check_event(event)


class ClientTest(unittest.TestCase):
    """A server that says what the test tells it to."""

    def client(self, *said):
        version = {'name': 'query-version', 'meta-type': 'command', 'arg-type': '0',
                   'ret-type': 'Paint'}
        commands = [{'name': name, 'meta-type': 'command', 'arg-type': '0', 'ret-type': 'any'}
                    for name in ('qmp_capabilities', 'query-qmp-schema')]
        messages = [{'QMP': {'version': {'color': 'red'}, 'capabilities': []}}, *said,
                    {'return': ENTRIES + [version] + commands}]
        text = [' '.join(json.dumps(m) for m in messages).encode(), b'']
        return qmp.Client(lambda data: None, lambda: text.pop(0), 1)

    def test_negotiation(self):
        reply = {'return': {}, 'id': 'qmp_capabilities'}
        self.assertTrue(self.client(reply).negotiate().schema)
        stamp = {'seconds': int(time.time()), 'microseconds': 0}
        self.client({'event': 'DRY', 'timestamp': stamp}, reply).negotiate()
        for said in ([{'event': 'DAMP', 'timestamp': stamp}, reply],
                     [{'event': 'DRY', 'timestamp': {'seconds': 0, 'microseconds': 0}}, reply],
                     [{'event': 'DRY', 'timestamp': stamp, 'more': 1}, reply],
                     [{'return': {}, 'error': {}, 'id': 'qmp_capabilities'}],
                     [{'error': {'class': 'NoSuchClass', 'desc': 'x'}, 'id': 'qmp_capabilities'}],
                     [{'error': {'class': 'GenericError'}, 'id': 'qmp_capabilities'}]):
            with self.assertRaises(AssertionError, msg=str(said)):
                self.client(*said).negotiate()


if __name__ == '__main__':
    unittest.main()
