# SPDX-License-Identifier: GPL-2.0-or-later
"""The reference page, in Markdown: everything in the order of the schema files."""
import re

from parser import Doc


def prose(lines):
    """Lines of a comment: @NAME becomes code."""
    return re.sub(r'@([A-Za-z][\w-]*)', r'`\1`', '\n'.join(lines).strip())


def type_text(type_):
    if type_.kind == 'array':
        return f'array of {type_text(type_.element)}'
    return type_.name if type_.kind == 'builtin' else f'[{type_.name}](#{type_.name.lower()})'


def members(entity):
    for m in entity.described():
        notes = [type_text(m.type)] if m.type else []
        notes += ['optional'] if m.optional else []
        text = ' '.join(prose(entity.doc.args[m.name]).split())
        yield f'- `{m.name}`' + (f' ({", ".join(notes)})' if notes else '') + f': {text}'
    for struct in entity.data, entity.base:
        if struct and not struct.implicit:
            yield f'- the members of {type_text(struct)}'
    for b in entity.branches if entity.kind == 'union' else []:
        yield f'- if `{entity.tag}` is `{b.name}`: the members of {type_text(b.type)}'


def describe(entity):
    doc = entity.doc
    yield from ['', f'### {entity.name}', '', f'*{entity.kind}*', '', prose(doc.body), '']
    yield from members(entity)
    returns = prose(sum((lines for tag, lines in doc.sections if tag == 'Returns'), []))
    if entity.returns:
        yield f'\nReturns {type_text(entity.returns)}' + (f': {returns}' if returns else '.')
    for feature in entity.features:
        yield f'\nFeature `{feature}`: {prose(doc.features[feature])}'
    if entity.oob:
        yield '\nMay be run out of band.'
    if 'if' in entity.expr:
        yield f'\nOnly if: `{entity.expr["if"]}`'
    for tag, lines in doc.sections:
        if tag == 'Example':
            text = '\n'.join(lines).strip('\n')
            yield f'\nExample:\n\n```\n{text}\n```'
        elif tag != 'Returns':
            yield f'\n{tag}: {prose(lines)}'


def page(schema):
    lines = ['<!-- Generated from qapi/schema by scripts/qapigen. -->']
    for item in schema.prose:
        # Prose between definitions: a line that begins with = is a title.
        lines += ['', *(re.sub('^= ', '## ', line) for line in item.body)] \
            if isinstance(item, Doc) else describe(item)
    return re.sub(r'\n{3,}', '\n\n', '\n'.join(lines)).strip() + '\n'
