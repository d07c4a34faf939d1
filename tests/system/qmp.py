# SPDX-License-Identifier: GPL-2.0-or-later
"""A QMP client that compares each reply and event with the schema that the server tells."""
import json
import time


class Schema:
    """The result of query-qmp-schema."""

    JSON = {'string': str, 'number': (int, float), 'int': int, 'boolean': bool,
            'null': type(None), 'object': dict, 'array': list, 'value': object}

    def __init__(self, entries):
        self.entries = {entry['name']: entry for entry in entries}
        assert len(self.entries) == len(entries), 'a name is there twice'

    def names(self, meta_type):
        return [n for n, e in self.entries.items() if e['meta-type'] == meta_type]

    def members(self, name, value):
        """All members that an object of this type may have, by name."""
        entry = self.entries[name]
        members = {m['name']: m for m in entry['members']}
        for variant in entry.get('variants', []):
            if value.get(entry['tag']) == variant['case']:
                members.update(self.members(variant['type'], value))
        return members

    def check(self, name, value, where):
        entry = self.entries[name]
        kind = entry['meta-type']
        if kind == 'builtin':
            ok = isinstance(value, self.JSON[entry['json-type']])
            assert ok and (name == 'bool' or name == 'any' or not isinstance(value, bool)), \
                f'{where}: {value!r} is no {name}'
        elif kind == 'enum':
            assert value in entry['values'], f'{where}: {value!r}'
        elif kind == 'array':
            assert isinstance(value, list), where
            for i, element in enumerate(value):
                self.check(entry['element-type'], element, f'{where}[{i}]')
        elif kind == 'object':
            assert isinstance(value, dict), where
            members = self.members(name, value)
            assert not set(value) - set(members), f'{where}: unexpected {set(value) - set(members)}'
            for member in members.values():
                if member['name'] in value:
                    self.check(member['type'], value[member['name']], f'{where}.{member["name"]}')
                else:
                    assert 'default' in member, f'{where}: {member["name"]} is missing'
        else:
            raise AssertionError(f'{where}: {kind} {name} is no type')


class Client:
    """On a pair of functions: send(bytes), and recv() -> bytes (empty at the end)."""

    def __init__(self, send, recv, timeout):
        self.send, self.recv, self.timeout = send, recv, timeout
        self.text = ''
        self.events = []
        self.schema = None
        self.greeting = self.message()

    def message(self):
        """The next message, or None at the end."""
        while True:
            self.text = self.text.lstrip()
            try:
                message, end = json.JSONDecoder().raw_decode(self.text)
                self.text = self.text[end:]
                return message
            except json.JSONDecodeError:
                piece = self.recv()
                if not piece:
                    assert not self.text, self.text
                    return None
                self.text += piece.decode('ascii')

    def note(self, event):
        self.events.append(event)
        assert set(event['timestamp']) == {'seconds', 'microseconds'}
        assert abs(event['timestamp']['seconds'] - time.time()) < 3600
        if self.schema:
            entry = self.schema.entries[event['event']]
            assert entry['meta-type'] == 'event'
            self.schema.check(entry['arg-type'], event.get('data', {}), event['event'])

    def reply(self):
        while True:
            message = self.message()
            assert message, 'the connection ended'
            if 'event' not in message:
                return message
            self.note(message)

    def raw(self, text):
        self.send(text)
        return self.reply()

    def execute(self, name, /, **arguments):
        """The whole reply; underscores in names of arguments are dashes."""
        request = {'execute': name, 'id': name}
        if arguments:
            request['arguments'] = {k.replace('_', '-'): v for k, v in arguments.items()}
        reply = self.raw(json.dumps(request).encode())
        assert reply.pop('id') == name
        if 'return' in reply and self.schema:
            self.schema.check(self.schema.entries[name]['ret-type'], reply['return'], name)
        return reply

    def command(self, name, /, **arguments):
        """What it returns; an error is a failure."""
        reply = self.execute(name, **arguments)
        assert 'return' in reply, f'{name}: {reply}'
        return reply['return']

    def negotiate(self):
        assert self.command('qmp_capabilities') == {}
        self.schema = Schema(self.command('query-qmp-schema'))
        return self

    def wait(self, name):
        """The next event of this name; others before it are dropped."""
        end = time.monotonic() + self.timeout
        while time.monotonic() < end:
            while self.events:
                event = self.events.pop(0)
                if event['event'] == name:
                    return event
            message = self.message()
            assert message and 'event' in message, message
            self.note(message)
        raise AssertionError(f'no event {name}')

    def rest(self):
        """Names of all events to the end of the connection."""
        message = self.message()
        while message:
            self.note(message)
            message = self.message()
        return [event['event'] for event in self.events]
