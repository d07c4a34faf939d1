# SPDX-License-Identifier: GPL-2.0-or-later
"""A reader of compressed dumps of kdump, written from makedumpfile's IMPLEMENTATION document alone:
what the emulator writes is held against it."""
import struct
import zlib


def unflatten(data):
    """A flattened file as what it stands for."""
    assert data[:16] == b'makedumpfile'.ljust(16, b'\0'), data[:16]
    assert struct.unpack_from('>qq', data, 16) == (1, 1)
    out, at = bytearray(), 4096
    while True:
        offset, size = struct.unpack_from('>qq', data, at)
        at += 16
        if offset < 0:
            assert (offset, size, at) == (-1, -1, len(data))
            return bytes(out)
        assert size > 0 and at + size <= len(data)
        if len(out) < offset + size:
            out.extend(bytes(offset + size - len(out)))
        out[offset:offset + size] = data[at:at + size]
        at += size


class Dump:
    """pages: {number: bytes}; notes: [(type, bytes)]."""

    def __init__(self, data):
        self.data = data
        self.signature, self.version = struct.unpack_from('<8si', data)
        assert (self.signature, self.version) == (b'KDUMP   ', 6)
        self.machine = data[12 + 4 * 65:12 + 5 * 65].rstrip(b'\0')
        self.seconds, _ = struct.unpack_from('<qq', data, 408)
        (self.status, self.block, sub_blocks, bitmap_blocks, self.max_mapnr, self.ram_blocks, _, _, _,
         self.cpus) = struct.unpack_from('<IiiIIIIIIi', data, 424)
        sub = struct.unpack_from('<QiiQQQQQQQQQQQ', data, self.block)
        self.phys_base, self.level, self.split = sub[:3]
        self.max_mapnr_64 = sub[13]
        note_at, note_size = sub[7:9]
        assert self.block + 104 <= note_at and note_at + note_size <= self.block * (1 + sub_blocks)
        self.notes = list(self.read_notes(data[note_at:note_at + note_size]))
        bitmaps = data[self.block * (1 + sub_blocks):self.block * (1 + sub_blocks + bitmap_blocks)]
        self.memory, here = (self.numbers(half) for half in (
            bitmaps[:len(bitmaps) // 2], bitmaps[len(bitmaps) // 2:]))
        self.pages = self.read_pages(here, self.block * (1 + sub_blocks + bitmap_blocks))

    @staticmethod
    def read_notes(part):
        while part:
            name, length, kind = struct.unpack_from('<III', part)
            assert part[12:12 + name] == b'CORE\0'
            yield kind, part[20:20 + length]
            part = part[20 + (length + 3 & ~3):]

    @staticmethod
    def numbers(bitmap):
        return [8 * n + bit for n, byte in enumerate(bitmap) if byte for bit in range(8)
                if byte >> bit & 1]

    def read_pages(self, numbers, at):
        pages, unpacked = {}, {}
        end = at + 24 * len(numbers)
        for n, number in enumerate(numbers):
            offset, size, flags, _ = struct.unpack_from('<QIIQ', self.data, at + 24 * n)
            assert end <= offset and offset + size <= len(self.data) and flags in (0, 1)
            if offset not in unpacked:
                part = self.data[offset:offset + size]
                unpacked[offset] = zlib.decompress(part) if flags else part
                assert len(unpacked[offset]) == self.block
            pages[number] = unpacked[offset]
        return pages
