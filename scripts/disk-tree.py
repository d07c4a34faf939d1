#!/usr/bin/env python3
"""Unpack Debian packages into a folder that becomes the root file system of a guest, with dpkg's database saying that
they are unpacked: `dpkg --configure -a`, in the guest, does what is left. dpkg itself would run programs of the guest's
architecture here. Run it under fakeroot, so that owners and modes are those of the packages.

    disk-tree.py FOLDER PACKAGE.deb...

SPDX-License-Identifier: GPL-2.0-or-later
"""
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile

# Debian 12 has these folders in /usr alone. No package has the links: they come before all of them.
MERGED = ('bin', 'lib', 'sbin')
# What nobody reads in a test. The guest's dpkg leaves it out, too.
EXCLUDED = ('usr/share/doc/', 'usr/share/man/', 'usr/share/info/', 'usr/share/locale/', 'usr/share/lintian/')


def read_fields(text):
    """The fields of a control file, with their further lines."""
    name, fields = None, {}
    for line in text.splitlines():
        if line[:1] in ' \t':
            fields[name] += '\n' + line
        elif ':' in line:
            name, value = line.split(':', 1)
            fields[name] = value.strip()
    return fields


class Tree:
    """The folder, and what dpkg's database will say of it."""

    def __init__(self, root):
        self.root = root
        self.admin = os.path.join(root, 'var/lib/dpkg')
        self.status, self.files, self.triggers = [], [], {}
        for name in MERGED:
            os.makedirs(os.path.join(root, 'usr', name), exist_ok=True)
            os.symlink('usr/' + name, os.path.join(root, name))
        for name in ('info', 'updates', 'triggers', 'alternatives', 'parts'):
            os.makedirs(os.path.join(self.admin, name), exist_ok=True)

    def unpack(self, deb):
        """Its files; their names."""
        exclude = ['--exclude=./%s*' % folder for folder in EXCLUDED]
        packed = subprocess.Popen(['dpkg-deb', '--fsys-tarfile', deb], stdout=subprocess.PIPE)
        listed = subprocess.run(['tar', '-x', '-v', '-p', '--numeric-owner', '--keep-directory-symlink', '-C', self.root,
                                 *exclude], stdin=packed.stdout, stdout=subprocess.PIPE, check=True)
        if packed.wait():
            raise SystemExit('dpkg-deb cannot unpack %s' % deb)
        # A name that tar would have to quote is in no package of ours.
        return [name[1:].rstrip('/') or '/.' for name in listed.stdout.decode().splitlines()]

    def checksum(self, name):
        with open(self.root + name, 'rb') as f:
            return hashlib.md5(f.read()).hexdigest()

    def add_triggers(self, package, path):
        with open(path, encoding='utf-8') as f:
            words = [line.split('#')[0].split() for line in f]
        for kind, name in (w for w in words if w and w[0].startswith('interest')):
            who = package + ('/noawait' if kind == 'interest-noawait' else '')
            if name.startswith('/'):
                self.files.append('%s %s' % (name, who))
            else:
                self.triggers.setdefault(name, []).append(who)

    def add(self, deb):
        with tempfile.TemporaryDirectory() as control:
            subprocess.run(['dpkg-deb', '--control', deb, control], check=True)
            with open(os.path.join(control, 'control'), encoding='utf-8') as f:
                fields = read_fields(f.read())
            package = fields['Package']
            stem = package
            if fields.get('Multi-Arch') == 'same':
                stem += ':' + fields['Architecture']
            names = self.unpack(deb)
            fields['Status'] = 'install ok unpacked'
            conffiles = os.path.join(control, 'conffiles')
            if os.path.exists(conffiles):
                with open(conffiles, encoding='utf-8') as f:
                    there = [n for n in f.read().split('\n') if n.startswith('/')]
                fields['Conffiles'] = ''.join('\n %s %s' % (n, self.checksum(n)) for n in there)
            if os.path.exists(os.path.join(control, 'triggers')):
                self.add_triggers(stem, os.path.join(control, 'triggers'))
            for name in sorted(os.listdir(control)):
                if name != 'control':
                    shutil.copy(os.path.join(control, name), os.path.join(self.admin, 'info', '%s.%s' % (stem, name)))
        with open(os.path.join(self.admin, 'info', stem + '.list'), 'w', encoding='utf-8') as f:
            f.write(''.join(name + '\n' for name in names))
        self.status.append(''.join('%s: %s\n' % field for field in fields.items()))

    def write(self, name, text):
        with open(os.path.join(self.admin, name), 'w', encoding='utf-8') as f:
            f.write(text)

    def finish(self):
        self.write('status', '\n'.join(self.status))
        self.write('available', '')
        self.write('info/format', '1\n')
        self.write('triggers/File', ''.join(line + '\n' for line in self.files))
        self.write('triggers/Unincorp', '')
        for name, who in self.triggers.items():
            self.write('triggers/' + name, ''.join(line + '\n' for line in who))
        folder = os.path.join(self.root, 'etc/dpkg/dpkg.cfg.d')
        os.makedirs(folder, exist_ok=True)
        with open(os.path.join(folder, 'small'), 'w', encoding='utf-8') as f:
            f.write(''.join('path-exclude=/%s*\n' % name for name in EXCLUDED))


def main():
    tree = Tree(sys.argv[1])
    for number, deb in enumerate(sys.argv[2:], 1):
        print('%3d/%d %s' % (number, len(sys.argv) - 2, os.path.basename(deb)), flush=True)
        tree.add(deb)
    tree.finish()


if __name__ == '__main__':
    main()
