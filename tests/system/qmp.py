# SPDX-License-Identifier: GPL-2.0-or-later
"""A QMP client that compares each reply and event with the schema that the server tells.

It asks for the schema as soon as the negotiation is over, so that no test can see what was not
compared: `qmp_capabilities`, by whatever way, is followed by `query-qmp-schema`.
"""
import json
import socket
import time


ERROR_CLASSES = {'GenericError', 'CommandNotFound', 'DeviceNotActive', 'DeviceNotFound',
                 'KVMMissingCap'}


def connect(path, timeout, alive=lambda: True):
    """A connection to the Unix socket of a program that is about to listen; the path is there before. Who
    knows that nobody will says so by alive()."""
    deadline = time.monotonic() + timeout
    while True:
        connection = socket.socket(socket.AF_UNIX)
        connection.settimeout(timeout)
        try:
            connection.connect(path)
            return connection
        except OSError:
            connection.close()
            if not alive() or time.monotonic() > deadline:
                raise
            time.sleep(0.001)


class Schema:
    """The result of query-qmp-schema."""

    JSON = {'string': str, 'number': (int, float), 'int': int, 'boolean': bool,
            'null': type(None), 'object': dict, 'array': list, 'value': object}

    def __init__(self, entries):
        self.entries = {entry['name']: entry for entry in entries}
        assert len(self.entries) == len(entries), 'a name is there twice'

    def names(self, meta_type):
        return [n for n, e in self.entries.items() if e['meta-type'] == meta_type]

    def entry(self, name, meta_type):
        assert name in self.entries, f'the schema has no {meta_type} {name}'
        assert self.entries[name]['meta-type'] == meta_type, f'{name} is no {meta_type}'
        return self.entries[name]

    def check_reply(self, command, value):
        self.check(self.entry(command, 'command')['ret-type'], value, command)

    def check_event(self, event):
        name = event['event']
        entry = self.entry(name, 'event')
        bare = not self.members(entry['arg-type'], {})
        assert ('data' in event) != bare, f'{name}: data where it has none, or none where it has'
        self.check(entry['arg-type'], event.get('data', {}), name)

    def accepts(self, name, value, where):
        try:
            self.check(name, value, where)
        except AssertionError:
            return False
        return True

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
            json_type = entry['json-type']
            ok = isinstance(value, self.JSON[json_type])
            # To Python, True is an int.
            assert ok and (json_type in ('boolean', 'value') or not isinstance(value, bool)), \
                f'{where}: {value!r} is no {name}'
        elif kind == 'enum':
            assert value in [m['name'] for m in entry['members']], f'{where}: {value!r}'
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
        elif kind == 'alternate':
            assert any(self.accepts(m['type'], value, where) for m in entry['members']), \
                f'{where}: {value!r} is none of {name}'
        else:
            raise AssertionError(f'{where}: {kind} {name} is no type')


class Client:
    """On a pair of functions: send(bytes), and recv() -> bytes (empty at the end)."""

    def __init__(self, send, recv, timeout):
        self.send, self.recv, self.timeout = send, recv, timeout
        self.text = ''
        self.events = []
        self.passing = []           # descriptors to send along with the next command
        self.schema = None
        self.unchecked = []         # events that came before the schema
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
        assert set(event) <= {'event', 'timestamp', 'data'}, event
        assert set(event['timestamp']) == {'seconds', 'microseconds'}
        assert abs(event['timestamp']['seconds'] - time.time()) < 3600
        if self.schema:
            self.schema.check_event(event)
        else:
            self.unchecked.append(event)

    def reply(self):
        while True:
            message = self.message()
            assert message, 'the connection ended'
            if 'event' not in message:
                assert set(message) - {'id'} in ({'return'}, {'error'}), message
                if 'error' in message:
                    error = message['error']
                    assert set(error) == {'class', 'desc'}, error
                    assert error['class'] in ERROR_CLASSES and error['desc'], error
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
        if 'return' in reply:
            self.check(name, reply['return'])
        return reply

    def check(self, name, value):
        if self.schema:
            self.schema.check_reply(name, value)
            return
        assert name == 'qmp_capabilities', f'{name} was answered before the negotiation'
        entries = self.raw(b'{"execute": "query-qmp-schema"}')['return']
        self.schema = Schema(entries)
        self.schema.check_reply(name, value)
        self.schema.check_reply('query-qmp-schema', entries)
        version = self.schema.entry('query-version', 'command')['ret-type']
        self.schema.check(version, self.greeting['QMP']['version'], 'greeting')
        for event in self.unchecked:
            self.schema.check_event(event)

    def command(self, name, /, **arguments):
        """What it returns; an error is a failure."""
        reply = self.execute(name, **arguments)
        assert 'return' in reply, f'{name}: {reply}'
        return reply['return']

    def negotiate(self):
        assert self.command('qmp_capabilities') == {}
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
