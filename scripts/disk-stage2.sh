#!/bin/sh
# The end of making a Debian disk (scripts/make-disk), in the guest: packages that are unpacked get
# configured. What is asked for by name here is in the tree already.
#
# SPDX-License-Identifier: GPL-2.0-or-later
export PATH=/usr/sbin:/usr/bin HOME=/root LC_ALL=C.UTF-8
export DEBIAN_FRONTEND=noninteractive DEBCONF_NONINTERACTIVE_SEEN=true
admin=/var/lib/dpkg

# dpkg runs this when it unpacks; nothing but a new system has a use for most of them.
first() {
    DPKG_MAINTSCRIPT_PACKAGE=$1 DPKG_MAINTSCRIPT_NAME=preinst DPKG_MAINTSCRIPT_ARCH=arm64 DPKG_ADMINDIR=$admin \
        DPKG_ROOT='' DPKG_MAINTSCRIPT_PACKAGE_REFCOUNT=1 DPKG_RUNNING_VERSION=1.21 "$2" install || echo "$1: preinst: $?"
}

configure() {
    first base-passwd $admin/info/base-passwd.preinst
    for script in $admin/info/*.preinst; do
        name=${script##*/}
        name=${name%.preinst}
        [ "$name" = base-passwd ] || first "${name%:*}" "$script"
    done
    printf '#!/bin/sh\nexit 101\n' >/usr/sbin/policy-rc.d
    chmod 755 /usr/sbin/policy-rc.d
    dpkg --configure -a || return 1
    rm -f /usr/sbin/policy-rc.d
    passwd -d root
    systemctl enable systemd-networkd || return 1
    rm -f /etc/machine-id /var/lib/dbus/machine-id /var/log/*.log
    : >/etc/machine-id
    [ -s /boot/initrd.img-* ] && [ -z "$(dpkg --audit)" ]
}

mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs dev /dev
mkdir -p /dev/pts
mount -t devpts devpts /dev/pts
mount -t tmpfs run /run
if configure; then
    rm -f /stage2.sh
    verdict=complete
else
    dpkg --audit
    verdict=broken
fi
umount /run /dev/pts /dev /sys /proc
sync
echo "rearm-disk: $verdict"
