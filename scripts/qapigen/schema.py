# SPDX-License-Identifier: GPL-2.0-or-later
"""What the definitions mean: types, commands, events; conditions. Every rule is checked here."""
import re
from collections import namedtuple

from parser import SchemaError

# name -> (JSON type of introspection, C type of a value)
BUILTINS = {
    'str': ('string', 'char *'), 'number': ('number', 'double '), 'bool': ('boolean', 'bool '),
    'any': ('value', 'json_object *'), 'null': ('null', None), 'int': ('int', 'int64_t '),
    'size': ('int', 'uint64_t '),
    **{f'int{n}': ('int', 'int64_t ') for n in (8, 16, 32, 64)},
    **{f'uint{n}': ('int', 'uint64_t ') for n in (8, 16, 32, 64)},
}
# kind -> (pattern of names, keys that must be there, keys that may be)
TYPE = r'[A-Z][A-Za-z0-9]*'
NAME = r'[a-z][a-z0-9]*([-_][a-z0-9]+)*'
VALUE = r'[a-z0-9]+([-_.][a-z0-9]+)*'
KINDS = {
    'enum': (TYPE, ['data'], []),
    'struct': (TYPE, ['data'], ['base']),
    'union': (TYPE, ['base', 'discriminator', 'data'], []),
    'alternate': (TYPE, ['data'], []),
    'command': (NAME, [], ['data', 'returns', 'gen', 'boxed', 'allow-oob']),
    'event': (r'[A-Z][A-Z0-9_]*', [], ['data']),
}


# A member of an object, a value of an enum, a branch of a union or alternate.
Member = namedtuple('Member', 'name type optional')


class Entity:
    """A definition, a builtin or an array; kind says which."""

    def __init__(self, kind, name, expr=None, doc=None, where=None):
        self.kind, self.name, self.expr, self.doc, self.where = kind, name, expr, doc, where
        self.json = {'enum': 'string', 'struct': 'object', 'union': 'object', 'array': 'array',
                     'alternate': 'value'}.get(kind)
        if kind == 'builtin':
            self.json, self.c_type = BUILTINS[name]
        self.members = []       # of objects and enums; without the base's
        self.branches = []      # of unions and alternates
        self.features = []
        self.element = None     # of an array
        self.base = None        # a struct; of a union it may be an implicit one
        self.tag = None         # the union's discriminator
        self.data = None        # of commands and events: a struct, or None
        self.returns = None
        self.gen = True
        self.oob = False        # of a command: may overtake others
        self.implicit = False   # a struct whose members are given in place

    def all_members(self):
        return (self.base.all_members() if self.base else []) + self.members

    def described(self):
        """The members that this definition's comment has to describe."""
        own = [s.members for s in (self.data, self.base) if s and s.implicit]
        return self.members + sum(own, []) + (self.branches if self.kind == 'alternate' else [])

    def fail(self, message):
        raise SchemaError(f'{self.where}: {message}')


class Schema:
    """config: condition name -> bool. What is conditional and false is as if not written."""

    def __init__(self, items, config):
        self.config = config
        self.prose = []         # Entities and Docs in the order of the files
        self.types = {name: Entity('builtin', name) for name in BUILTINS}
        self.commands, self.events = {}, {}
        for expr, doc, where in items:
            entity = self.declare(expr, doc, where) if expr else doc
            if entity:
                self.prose.append(entity)
        self.entities = [item for item in self.prose if isinstance(item, Entity)]
        for step in self.resolve, check_bases, check_members, check_doc:
            for entity in self.entities:
                step(entity)

    def declare(self, expr, doc, where):
        kinds = [kind for kind in KINDS if kind in expr]
        if len(kinds) != 1:
            raise SchemaError(f'{where}: expected one of {", ".join(KINDS)}, include')
        kind = kinds[0]
        entity = Entity(kind, expr[kind], expr, doc, where)
        pattern, required, optional = KINDS[kind]
        if not isinstance(entity.name, str) or not re.fullmatch(pattern, entity.name):
            entity.fail(f"bad name '{entity.name}' of a {kind}")
        for key in set(required) - set(expr):
            entity.fail(f"{entity.name} needs the key '{key}'")
        for key in set(expr) - {kind, 'if', 'features', *required, *optional}:
            entity.fail(f"{entity.name} has an unknown key '{key}'")
        if not doc or doc.symbol != entity.name:
            entity.fail(f'a comment that begins with @{entity.name}: must stand before it')
        if not self.holds(expr, entity):
            return None
        table = {'command': self.commands, 'event': self.events}.get(kind, self.types)
        if entity.name in table:
            entity.fail(f'{entity.name} is already defined')
        table[entity.name] = entity
        return entity

    def holds(self, expr, entity):
        """Whether the condition of an expression is true, if it has one."""
        def test(cond):
            if isinstance(cond, str) and cond in self.config:
                return self.config[cond]
            if isinstance(cond, dict) and len(cond) == 1:
                (operator, rest), = cond.items()
                if operator == 'not':
                    return not test(rest)
                if operator in ('all', 'any') and isinstance(rest, list):
                    return {'all': all, 'any': any}[operator]([test(c) for c in rest])
            return entity.fail(f'{cond} is no known condition')
        return test(expr['if']) if 'if' in expr else True

    def type_of(self, spec, entity):
        if isinstance(spec, list) and len(spec) == 1 and isinstance(spec[0], str):
            array = Entity('array', f'[{spec[0]}]')
            array.element = self.type_of(spec[0], entity)
            return array
        if not isinstance(spec, str) or spec not in self.types:
            entity.fail(f'no type {spec}')
        return self.types[spec]

    def members_of(self, data, pattern, entity):
        """NAME: TYPE, or an array of names; a star before the name of a member: optional."""
        if isinstance(data, list):
            data = [(spec, spec) if isinstance(spec, str) else (spec.get('name'), spec)
                    for spec in data if isinstance(spec, (str, dict))]
        elif isinstance(data, dict):
            data = data.items()
        else:
            entity.fail(f"'data' of {entity.name} is neither an object nor an array")
        result = []
        for key, spec in data:
            name = key.lstrip('*') if isinstance(key, str) and pattern == NAME else key
            if not isinstance(name, str) or not re.fullmatch(pattern, name, re.I):
                entity.fail(f"bad name '{key}' in {entity.name}")
            spec = spec if isinstance(spec, dict) else {'type': spec}
            if set(spec) - {'name', 'type', 'if'}:
                entity.fail(f"'{name}' of {entity.name} has unknown keys")
            if name in [m.name for m in result]:
                entity.fail(f"'{name}' is twice in {entity.name}")
            if self.holds(spec, entity):
                type_ = None if entity.kind == 'enum' else self.type_of(spec.get('type'), entity)
                result.append(Member(name, type_, name != key))
        return result

    def struct(self, entity, key):
        """The struct that a key names, or an implicit one made of the members there."""
        spec = entity.expr.get(key)
        if spec is None:
            return None
        if not isinstance(spec, str):
            struct = Entity('struct', entity.name, entity.expr, entity.doc, entity.where)
            struct.implicit = True
            struct.members = self.members_of(spec, NAME, struct)
            return struct
        # Arguments are a struct of C anyway; 'boxed' is what QEMU's language needs for unions.
        kinds = ('struct', 'union') if entity.expr.get('boxed') and key == 'data' else ('struct',)
        if self.type_of(spec, entity).kind not in kinds:
            entity.fail(f"'{spec}' is not a struct")
        return self.types[spec]

    def resolve(self, entity):
        expr = entity.expr
        entity.features = expr.get('features', [])
        entity.base = self.struct(entity, 'base')
        if entity.kind in ('enum', 'struct'):
            pattern = VALUE if entity.kind == 'enum' else NAME
            entity.members = self.members_of(expr['data'], pattern, entity)
        elif entity.kind in ('union', 'alternate'):
            entity.tag = expr.get('discriminator')
            entity.branches = self.members_of(expr['data'], VALUE, entity)
        else:
            entity.data = self.struct(entity, 'data')
            entity.gen = expr.get('gen', True)
            entity.oob = expr.get('allow-oob', False)
            if 'returns' in expr:
                entity.returns = self.type_of(expr['returns'], entity)


# ---- rules that need everything resolved ----

def check_bases(entity):
    seen, base = [], entity
    while base.base:
        if base in seen:
            entity.fail(f'{base.name} is its own base')
        seen.append(base)
        base = base.base


def check_members(entity):
    objects = [s.all_members() for s in (entity, entity.data) if s]
    if entity.kind == 'union':
        check_union(entity)
        objects += [entity.all_members() + b.type.all_members() for b in entity.branches]
    for members in objects:
        names = [m.name.replace('-', '_') for m in members]
        for member in members:
            if names.count(member.name.replace('-', '_')) > 1:
                entity.fail(f'{entity.name} has two members {member.name}')
            if member.type and member.type.json == 'null':
                entity.fail("'null' is for alternates")
    if entity.kind == 'alternate':
        seen = {}
        for branch in entity.branches:
            json = branch.type.json.replace('int', 'number')
            if json == 'value' or json in seen:
                entity.fail(f"branch '{branch.name}' cannot be told apart from "
                            f"'{seen.get(json, 'others')}'")
            seen[json] = branch.name


def check_union(union):
    tag = {m.name: m for m in union.base.all_members()}.get(union.tag)
    if not tag or tag.optional or tag.type.kind != 'enum':
        union.fail(f"the discriminator '{union.tag}' must be a member of the base, of an enum "
                   'type, and not optional')
    for branch in union.branches:
        if branch.name not in [v.name for v in tag.type.members]:
            union.fail(f"'{branch.name}' is no value of {tag.type.name}")
        if branch.type.kind != 'struct':
            union.fail(f"branch '{branch.name}' is not a struct")


def check_doc(entity):
    for what, names, documented in (
            ('member', [m.name for m in entity.described()], entity.doc.args),
            ('feature', entity.features, entity.doc.features)):
        for name in [n for n in names if n not in documented]:
            entity.fail(f'{what} @{name} of {entity.name} is not documented')
        for name in [n for n in documented if n not in names]:
            # What a condition took away may still be described.
            if not re.search(rf"'\*?{re.escape(name)}'", str(entity.expr)):
                entity.fail(f'{entity.name} has no {what} @{name}, which its comment describes')
