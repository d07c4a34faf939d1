# SPDX-License-Identifier: GPL-2.0-or-later
"""Write C: types with their descriptors, events, commands.

All that walks values (JSON to C, C to JSON, free) is qapi/visit.c; here are the tables
that it walks by.
"""
import json
import re

KEYWORDS = set('auto break case char const continue default do double else enum extern float for '
               'goto if inline int long register return short signed sizeof static struct switch '
               'typedef union unsigned void volatile while '
               # Macros of the compiler.
               'linux unix'.split())


def c_name(name):
    name = re.sub('[-.]', '_', name)
    return 'q_' + name if name in KEYWORDS or name[0].isdigit() else name


def camel(name):
    """query-status or SHUTDOWN -> QueryStatus, Shutdown."""
    return ''.join(part.capitalize() for part in re.split('[-_]', name))


def upper(name):
    """ShutdownCause -> SHUTDOWN_CAUSE."""
    return re.sub('(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])', '_', name).upper()


def type_name(type_):
    """The name of a type without prefix: Foo, FooList, StrList, MemsaveArgs."""
    if type_.kind == 'array':
        return type_name(type_.element) + 'List'
    if type_.kind == 'builtin':
        return type_.name.capitalize()
    if type_.implicit:
        return camel(type_.name) + ('Args' if 'command' in type_.expr else 'Event')
    return type_.name


def is_pointer(type_):
    return type_.c_type.endswith('*') if type_.kind == 'builtin' else type_.kind != 'enum'


def has_flag(member):
    """Whether has_NAME tells that it is there, instead of a pointer that is not NULL."""
    return member.optional and (member.type.kind == 'array' or not is_pointer(member.type))


class Emitter:
    def __init__(self, schema, prefix, source):
        self.prefix, self.events = prefix, list(schema.events.values())
        self.commands = [schema.commands[name] for name in sorted(schema.commands)]
        self.head = f'/* Generated from {source} by scripts/qapigen. */\n'
        self.enums = [e for e in schema.entities if e.kind == 'enum']
        # Unions come behind the structs that they embed.
        structs = [e for e in schema.entities if e.kind == 'struct']
        structs += [e.data for e in schema.entities if e.data and e.data.implicit]
        self.objects = structs + [e for e in schema.entities if e.branches]
        used = [m.type for o in self.objects for m in o.all_members() + o.branches]
        used += [c.returns for c in self.commands if c.returns]
        self.lists = list({type_name(t): t for t in used if t.kind == 'array'}.values())

    # ---- names ----

    def c_type(self, type_):
        return self.prefix.capitalize() + type_name(type_)

    def value(self, type_):
        """C's type of a value, as it stands before a name."""
        if type_.kind == 'builtin':
            return type_.c_type
        return self.c_type(type_) + (' *' if is_pointer(type_) else ' ')

    def descriptor(self, type_):
        if type_ is None:
            return 'NULL'
        prefix = 'qapi' if type_.kind == 'builtin' else self.prefix
        return f'&{prefix}_type_' + (type_.name if type_.kind == 'builtin' else type_name(type_))

    # ---- types ----

    def enum(self, enum):
        prefix = f'{self.prefix}_{upper(enum.name)}_'.upper()
        names = ''.join(f'    {prefix}{re.sub("[-.]", "_", v.name).upper()},\n'
                        for v in enum.members)
        return (f'typedef enum {self.c_type(enum)} {{\n{names}    {prefix}_MAX\n'
                f'}} {self.c_type(enum)};\nextern const QapiType {self.descriptor(enum)[1:]};\n\n')

    def fields(self, type_):
        """What stands between the braces of the C struct."""
        if type_.kind == 'array':
            return f'    {self.c_type(type_)} *next;\n    {self.value(type_.element)}value;\n'
        text = ''
        for m in type_.all_members():
            text += f'    bool has_{c_name(m.name)};\n' if has_flag(m) else ''
            text += f'    {self.value(m.type)}{c_name(m.name)};\n'
        if type_.kind == 'alternate':
            text += '    unsigned branch;          /* which of u, counted from 0 */\n'
        if type_.branches:
            c_type = self.value if type_.kind == 'alternate' else lambda t: self.c_type(t) + ' '
            values = [f'        {c_type(b.type)}{c_name(b.name)};\n' for b in type_.branches
                      if b.type.json != 'null']
            text += '    union {\n' + ''.join(values) + '    } u;\n'
        return text or '    char empty;\n'

    def types_header(self):
        types = self.objects + self.lists
        text = f'{self.head}#pragma once\n#include "qapi/dispatch.h"\n\n'
        text += ''.join(self.enum(e) for e in self.enums)
        text += ''.join(f'typedef struct {self.c_type(t)} {self.c_type(t)};\n' for t in types)
        for t in types:
            name, free = self.c_type(t), f'{self.prefix}_free_{type_name(t)}'
            text += (f'\nstruct {name} {{\n{self.fields(t)}}};\n'
                     f'extern const QapiType {self.descriptor(t)[1:]};\n'
                     f'void {free}({name} *value);\n'
                     f'G_DEFINE_AUTOPTR_CLEANUP_FUNC({name}, {free})\n')
        text += ''.join(f'\n{self.event_prototype(e)};' for e in self.events)
        return text + '\n\n/* SchemaInfo objects as JSON; ends with NULL. */\n' \
                      f'extern const char *const {self.prefix}_introspection[];\n'

    def table(self, kind, type_, rows):
        """A static array of a descriptor, and how the descriptor names it."""
        if not rows:
            return '', ''
        name = f'{kind}_table_{type_name(type_)}'
        text = ''.join(f'    {{ {row} }},\n' for row in rows)
        plural = 'branches' if kind == 'branch' else 'members'
        return (f'static const Qapi{kind.capitalize()} {name}[] = {{\n{text}}};\n',
                f'\n    .{plural} = {name}, .num_{plural} = {len(rows)},')

    def object(self, type_):
        name, members = self.c_type(type_), type_.all_members()
        rows = [f'"{m.name}", {self.descriptor(m.type)}, offsetof({name}, {c_name(m.name)}), ' +
                (f'offsetof({name}, has_{c_name(m.name)})' if has_flag(m) else '-1') +
                f', {str(m.optional).lower()}' for m in members]
        head, parts = self.table('member', type_, rows)
        tag = next((m for m in members if m.name == type_.tag), None)
        values = [v.name for v in tag.type.members] if tag else [b.name for b in type_.branches]
        rows = [f'{values.index(b.name)}, {self.descriptor(b.type)}' for b in type_.branches]
        head2, parts2 = self.table('branch', type_, rows)
        if type_.branches:
            parts2 += f'\n    .tag = {members.index(tag) if tag else 0}, ' \
                      f'.branch_offset = offsetof({name}, u),'
        if type_.kind == 'alternate':
            parts2 += f'\n    .tag_offset = offsetof({name}, branch),'
        kind = 'ALTERNATE' if type_.kind == 'alternate' else 'OBJECT'
        return head + head2, f'.kind = QAPI_{kind}, .size = sizeof({name}),{parts}{parts2}'

    def types_source(self, introspection):
        text = f'{self.head}#include "util/osdep.h"\n#include "qapi/{self.prefix}-types.h"\n\n'
        for t in self.enums + self.objects + self.lists:
            before, parts = '', f'.kind = QAPI_LIST, .element = {self.descriptor(t.element)},'
            if t.kind == 'enum':
                values = ''.join(f'"{v.name}", ' for v in t.members)
                before = f'static const char *const values_{t.name}[] = {{ {values}NULL }};\n'
                parts = f'.kind = QAPI_ENUM, .values = values_{t.name},'
            elif t.kind != 'array':
                before, parts = self.object(t)
            text += f'{before}const QapiType {self.descriptor(t)[1:]} = {{\n' \
                    f'    .name = "{type_name(t)}", {parts}\n}};\n'
            if t.kind != 'enum':
                text += f'void {self.prefix}_free_{type_name(t)}({self.c_type(t)} *value)\n' \
                        f'{{\n    qapi_free({self.descriptor(t)}, &value);\n}}\n'
            text += '\n'
        for event in self.events:
            text += f'{self.event_prototype(event)}\n{{\n    qapi_event_emit(sink, ' \
                    f'"{event.name}", {self.descriptor(event.data)}, ' \
                    f'{"data" if event.data else "NULL"});\n}}\n\n'
        text += f'const char *const {self.prefix}_introspection[] = {{\n'
        return text + ''.join(f'    {json.dumps(s)},\n' for s in introspection) + '    NULL\n};\n'

    def event_prototype(self, event):
        data = f', const {self.c_type(event.data)} *data' if event.data else ''
        return f'void {self.prefix}_event_{event.name.lower()}(const QapiEventSink *sink{data})'

    # ---- commands ----

    def parameters(self, command):
        """(type, name, descriptor) of the arguments and the result of a command's function."""
        args, ret, any_ = command.data, command.returns, '&qapi_type_any'
        if args:
            yield (f'const {self.c_type(args)} *', 'args', self.descriptor(args)) \
                if command.gen else ('json_object *', 'args', any_)
        if ret:
            yield (f'{self.value(ret)}*', 'ret', self.descriptor(ret)) \
                if command.gen else ('json_object **', 'ret', any_)

    def commands_header(self):
        text = f'{self.head}#pragma once\n#include "qapi/{self.prefix}-types.h"\n\n'
        for command in self.commands:
            parameters = ''.join(f'{t}{n}, ' for t, n, _ in self.parameters(command))
            text += f'bool qmp_{c_name(command.name)}(QmpContext *ctx, {parameters}Error **errp);\n'
        return f'{text}\n/* Sorted by name; ends with a NULL name. */\n' \
               f'extern const QapiCommand {self.prefix}_commands[];\n'

    def commands_source(self):
        text, rows = f'{self.head}#include "util/osdep.h"\n' \
                     f'#include "qapi/{self.prefix}-commands.h"\n\n', ''
        for command in self.commands:
            name, parameters = c_name(command.name), list(self.parameters(command))
            types = {n: d for _, n, d in parameters}
            text += f'static bool call_{name}(QmpContext *ctx, void *args, void *ret, ' \
                    f'Error **errp)\n{{\n    return qmp_{name}(ctx, ' \
                    f'{"".join(n + ", " for n in types)}errp);\n}}\n\n'
            rows += f'    {{ "{command.name}", call_{name}, {types.get("args", "NULL")}, ' \
                    f'{types.get("ret", "NULL")}, {str(command.oob).lower()} }},\n'
        return f'{text}const QapiCommand {self.prefix}_commands[] = {{\n{rows}    {{ NULL }}\n}};\n'
