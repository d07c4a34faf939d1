"""Types of a Linux kernel out of the BTF that its image carries (Documentation/bpf/btf.rst of Linux).

SPDX-License-Identifier: GPL-2.0-or-later
"""
import struct

HEADER = bytes.fromhex('9feb010018000000')      # magic, version 1, no flags, 24 bytes of header
STRUCT, UNION = 4, 5
# Bytes behind a type: of all its kind, or for each of its members.
FIXED = {1: 4, 3: 12, 14: 4, 17: 4}
EACH = {STRUCT: 12, UNION: 12, 6: 8, 13: 8, 15: 12, 19: 12}


class Btf:
    def __init__(self, image):
        """From the bytes of an Image; ValueError: it has none."""
        at = image.index(HEADER)
        types, length, strings, _ = struct.unpack_from('<IIII', image, at + 8)
        self.strings = image[at + 24 + strings:]
        self.types = [None]
        self.named = {}
        at, end = at + 24 + types, at + 24 + types + length
        while at < end:
            name, info, _ = struct.unpack_from('<III', image, at)
            kind, members = info >> 24 & 31, info & 0xffff
            size = FIXED.get(kind, 0) + EACH.get(kind, 0) * members
            rows = []
            if kind in (STRUCT, UNION):
                rows = list(struct.iter_unpack('<III', image[at + 12:at + 12 + size]))
                self.named.setdefault(self.text(name), len(self.types))
            self.types.append((info >> 31, rows))
            at += 12 + size

    def text(self, at):
        return self.strings[at:self.strings.index(b'\0', at)].decode()

    def offset(self, structure, member):
        """Of a member, in bytes; those of unnamed structures within count as its own."""
        return self.find(self.named[structure], member) // 8

    def find(self, number, member):
        bitfields, rows = self.types[number]
        for name, kind, offset in rows:
            offset = offset & 0xffffff if bitfields else offset
            if self.text(name) == member:
                return offset
            if not name and self.types[kind][1]:
                try:
                    return offset + self.find(kind, member)
                except KeyError:
                    pass
        raise KeyError(member)
