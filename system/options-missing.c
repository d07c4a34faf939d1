/*
 * Options of QEMU's that are not there (yet), and what to do instead: whoever brings a command line
 * learns that from the message, and not that the option is unknown.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "system/options-handlers.h"

static const struct {
    const char *feature;
    const char *names[16];
} missing[] = {
    { "such disks are not there; -drive file=IMAGE,if=virtio is",
      { "sd", "mtdblock", "fda", "fdb", "iscsi" } },
    { "it is -nic, or -netdev and -device, these days", { "nicdev" } },
    { "displays are not there yet; -nographic or -display none is accepted",
      { "spice", "sdl", "gtk", "curses", "full-screen", "k", "rotate", "portrait",
        "no-quit", "alt-grab", "ctrl-grab", "no-frame", "g" } },
    { "USB is not there yet", { "usb", "usbdevice" } },
    { "sound is not there yet; -audiodev none,id=ID is accepted", { "soundhw", "audio-help" } },
    { "folders shared with the host are not there yet; -initrd FILE can bring files into the guest",
      { "fsdev", "virtfs" } },
    { "TPMs are not there yet", { "tpmdev" } },
    { "option ROMs are not there; -device loader,file=FILE,addr=N puts a file into memory",
      { "option-rom" } },
    { "firmware gets the machine's own ACPI tables, and no others", { "acpitable" } },
    { "it is for other machines than virt; leave it out", { "no-hpet" } },
    { "it is a property of the translator: -accel tcg,one-insn-per-tb=on", { "singlestep" } },
    { "it is a property of the translator: -accel tcg,tb-size=MIB", { "tb-size" } },
    { "semihosting is not there yet; a guest prints on its serial port, and ends the run with PSCI's "
      "SYSTEM_OFF", { "semihosting", "semihosting-config" } },
    { "plugins are not there yet; -d ITEM,... writes a log, -d help lists its items", { "plugin" } },
    { "other accelerators are not there: guests run on the translator; leave it out",
      { "enable-kvm", "no-kvm", "enable-hax", "xen-attach", "xen-domid", "xen-domid-restrict" } },
    { "descriptors on the command line are not there yet; QMP's add-fd and getfd take them",
      { "add-fd" } },
    { "random numbers of the guest come from the host, and a recording (-icount rr=record) repeats "
      "them", { "seed" } },
    { "it is a device: -device sbsa-gwdt", { "watchdog" } },
    { "Rearm has one set of defaults, so there is nothing to be compatible with; leave it out",
      { "compat" } },
    { "Bluetooth is not there", { "bt" } },
    { "it is for other machines than virt; leave it out",
      { "prom-env", "old-param", "win2k-hack", "no-fd-bootchk", "debugcon" } },
    { "it is for people who work on QEMU; leave it out",
      { "dump-vmstate", "enable-sync-profile", "qtest", "qtest-log", "perfmap", "jitdump" } },
    { "it frees the guest's memory when the process ends, and nothing else is done here; leave it out",
      { "async-teardown" } },
};

const char *option_missing(const char *name, const char *arg)
{
    for (unsigned i = 0; i < ARRAY_SIZE(missing); i++) {
        if (g_strv_contains(missing[i].names, name)) {
            return missing[i].feature;
        }
    }
    return NULL;
}
