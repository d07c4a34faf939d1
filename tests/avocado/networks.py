"""A network card under Debian's kernel: what its driver needs, and bringing it up.

SPDX-License-Identifier: GPL-2.0-or-later
"""
import http.server
import socket
import threading
import time

import modules

PCI = ('virtio_pci_legacy_dev', 'virtio_pci_modern_dev', 'virtio_pci')
NET = ('failover', 'net_failover', 'virtio_net')


class FileServer(http.server.ThreadingHTTPServer):
    """Whatever is asked for on a port of this host, these contents are the answer."""
    daemon_threads = True

    def __init__(self, contents):
        self.contents = contents
        super().__init__(('127.0.0.1', 0), FileHandler)
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def end(self):
        self.shutdown()
        self.server_close()


class FileHandler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.send_header('Content-Length', str(len(self.server.contents)))
        self.end_headers()
        self.wfile.write(self.server.contents)

    def log_message(self, *args):
        pass


def up(case, vm, address='10.0.2.15/24', transport=PCI):
    """From power-on to a card with an address."""
    modules.mount(vm)
    modules.load(case, vm, *transport, *NET)
    vm.run('busybox ip link set lo up; busybox ip link set eth0 up; busybox ip addr add %s dev eth0' % address)


def free_port(kind=socket.SOCK_STREAM):
    """A port of this host that nobody uses now."""
    with socket.socket(socket.AF_INET, kind) as s:
        s.bind(('127.0.0.1', 0))
        return s.getsockname()[1]


def wait_listening(port):
    """Until somebody listens there; nobody is connected to."""
    line = ':%04X 00000000:0000 0A ' % port
    while True:
        with open('/proc/net/tcp') as f:
            if line in f.read():
                return
        time.sleep(0.05)
