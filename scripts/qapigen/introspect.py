# SPDX-License-Identifier: GPL-2.0-or-later
"""query-qmp-schema: what commands and events there are, and every type that they reach."""
import json


def name_of(type_):
    if type_ is None:
        return '0'              # the object without members
    if type_.kind == 'array':
        return f'[{name_of(type_.element)}]'
    if type_.kind == 'builtin' and type_.json == 'int':
        return 'int'            # whatever its size
    return f'q_obj_{type_.name}-arg' if type_.implicit else type_.name


class Introspection:
    def __init__(self, schema):
        self.names, self.order = set(), []      # of types, in the order of first use
        entries = []
        for entity in [*schema.commands.values(), *schema.events.values()]:
            entry = {'name': entity.name, 'meta-type': entity.kind,
                     'arg-type': self.use(entity.data)}
            if entity.kind == 'command':
                entry['ret-type'] = self.use(entity.returns)
                if entity.oob:
                    entry['allow-oob'] = True
            entries.append((entry, entity))
        for type_ in self.order:            # describing a type may append others
            entries.append(({'name': name_of(type_), **self.describe(type_)}, type_))
        for entry, entity in entries:
            if entity and entity.features:
                entry['features'] = entity.features
        self.strings = [json.dumps(entry, separators=(',', ':')) for entry, _ in entries]

    def use(self, type_):
        name = name_of(type_)
        if name not in self.names:
            self.names.add(name)
            self.order.append(type_)
        return name

    def member(self, member):
        entry = {'name': member.name, 'type': self.use(member.type)}
        return {**entry, 'default': None} if member.optional else entry

    def describe(self, type_):
        if type_ is None:
            return {'meta-type': 'object', 'members': []}
        if type_.kind == 'builtin':
            return {'meta-type': 'builtin', 'json-type': type_.json}
        if type_.kind == 'array':
            return {'meta-type': 'array', 'element-type': self.use(type_.element)}
        if type_.kind == 'enum':
            names = [m.name for m in type_.members]
            return {'meta-type': 'enum', 'members': [{'name': name} for name in names],
                    'values': names}
        if type_.kind == 'alternate':
            return {'meta-type': 'alternate',
                    'members': [{'type': self.use(b.type)} for b in type_.branches]}
        members = type_.all_members()
        entry = {'meta-type': 'object', 'members': [self.member(m) for m in members]}
        if type_.tag:
            values = next(m for m in members if m.name == type_.tag).type.members
            branches = {b.name: b.type for b in type_.branches}
            entry.update(tag=type_.tag, variants=[
                {'case': v.name, 'type': self.use(branches.get(v.name))} for v in values])
        return entry
