"""A client of gdb's remote protocol, for tests that act faster than gdb does.

SPDX-License-Identifier: GPL-2.0-or-later
"""
import re
import select
import struct

import rearm


class GdbRemote:
    """One connection; the machine stands still from here on."""

    def __init__(self, path, timeout=30):
        self.socket = rearm.connect(path, timeout * rearm.SLOW)
        self.input = b''
        self.interrupt_left = False
        self.ask('QStartNoAckMode')
        self.input = self.input.lstrip(b'+')

    def close(self):
        self.socket.close()

    def send(self, packet):
        data = packet.encode()
        self.socket.sendall(b'$%s#%02x' % (data, sum(data) & 0xff))

    def receive(self, timeout=None):
        """The next packet's text; None when there is none in time."""
        while b'#' not in self.input[:-2]:
            if timeout is not None and not select.select([self.socket], [], [], timeout)[0]:
                return None
            data = self.socket.recv(65536)
            if not data:
                raise ConnectionError('the connection was closed')
            self.input += data
        start, end = self.input.index(b'$'), self.input.index(b'#')
        packet, self.input = self.input[start + 1:end], self.input[end + 3:]
        return packet.decode('latin1')

    def ask(self, packet):
        self.send(packet)
        return self.receive()

    def registers(self, thread):
        """X0 to X30, SP, PC."""
        self.ask('Hg%x' % thread)
        return struct.unpack('<33Q', bytes.fromhex(self.ask('g')[:33 * 16]))

    def pc(self):
        """Of the thread that stopped."""
        return struct.unpack('<Q', bytes.fromhex(self.ask('p20')))[0]

    def monitor(self, line):
        """What it prints."""
        text, reply = '', self.ask('qRcmd,' + line.encode().hex())
        while reply != 'OK':
            if not reply.startswith('O'):
                raise AssertionError('%s: %s' % (line, reply))
            text += bytes.fromhex(reply[1:]).decode()
            reply = self.receive()
        return text

    def position(self):
        return int(re.search(r'^position: (\d+)', self.monitor('info replay'), re.M).group(1))

    def run(self, packet, seconds):
        """Let it run, for some time at most; the stop reply."""
        self.send(packet)
        reply = self.receive(seconds)
        if reply is None:
            self.socket.sendall(b'\x03')
            reply = self.receive()
            # It stopped by itself before that came: the next run is the one that is interrupted.
            self.interrupt_left = not reply.startswith('T02')
        return reply

    def resume(self, packet):
        """Let it run; the stop reply. An interrupt that is left over from before is none of it."""
        reply = self.ask(packet)
        if self.interrupt_left and reply.startswith('T02'):
            self.interrupt_left = False
            reply = self.ask(packet)
        return reply
