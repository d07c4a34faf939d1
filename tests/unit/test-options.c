/*
 * The command line: what options set, and the message for each bad input.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include <glib/gstdio.h>
#include <unistd.h>
#include "system/options.h"

/* Parse "rearm " + line, split as a shell does. */
static Options *parse(const char *line, Error **errp)
{
    g_autofree char *full = g_strdup_printf("%s%s", line[0] == '/' ? "" : "rearm ", line);
    g_auto(GStrv) argv = NULL;
    int argc;

    g_assert_true(g_shell_parse_argv(full, &argc, &argv, NULL));
    return options_parse(argc, argv, errp);
}

static Options *parse_ok(const char *line)
{
    Error *err = NULL;
    Options *o = parse(line, &err);

    if (!o) {
        g_error("%s: %s", line, error_get_pretty(err));
    }
    return o;
}

static const struct {
    const char *line, *message;
} bad[] = {
    { "-kernal x", "-kernal: no such option; did you mean -kernel?" },
    { "-xyzzyplugh", "-xyzzyplugh: no such option; -help lists them" },
    { "disk.img", "'disk.img' is not an option, and disks, which it may name, are not there yet" },
    { "-", "'-' is not an option, and disks, which it may name, are not there yet" },
    { "-kernel", "-kernel needs an argument: FILE" },
    { "-m 1X", "-m 1X: expected a size such as 512, 512M or 2G" },
    { "-m 0", "-m 0: the machine needs some RAM" },
    { "-m size=1G,slot=2", "-m: unknown option 'slot', did you mean 'slots'?" },
    { "-m 1G,slots=2,maxmem=2G", "-m 1G,slots=2,maxmem=2G: memory that is added while the machine runs is "
      "not there yet; leave out slots= and maxmem=" },
    { "-pflash x -pflash y -pflash z", "-drive if=pflash: there is no flash that has no drive yet: the board "
      "has 0, for firmware, and 1, for its variables" },
    { "-drive if=pflash,unit=2,file=x", "-drive if=pflash: there is no flash 2: the board has 0, for "
      "firmware, and 1, for its variables" },
    { "-drive if=pflash,index=1,file=x,id=a -drive if=pflash,unit=1,file=x",
      "-drive if=pflash,unit=1: that flash has drive 'a' already" },
    { "-smp 0", "-smp 0: cpus=0 is out of range: 1..1024" },
    { "-smp two", "cpus=two: expected a number" },
    { "-smp 3,cores=2", "-smp 3,cores=2: sockets=1 * clusters=1 * cores=2 * threads=1 is 2, and "
      "not maxcpus=3" },
    { "-smp 2,maxcpus=8,sockets=2,clusters=3", "-smp 2,maxcpus=8,sockets=2,clusters=3: sockets=2 "
      "* clusters=3 * cores=1 * threads=1 is 6, and not maxcpus=8" },
    { "-smp 1,sockets=4", "-smp 1,sockets=4: sockets=4 * clusters=1 * cores=1 * threads=1 is 4, "
      "and not maxcpus=1" },
    { "-smp 6,maxcpus=4", "-smp 6,maxcpus=4: cpus=6 is more than maxcpus=4" },
    { "-smp 2,cores=0", "-smp 2,cores=0: cores=0 is out of range: 1..1024" },
    { "-smp 99999", "-smp 99999: cpus=99999 is out of range: 1..1024" },
    { "-smp 4,dies=2", "-smp 4,dies=2: CPUs here have sockets, clusters, cores and threads, but "
      "no dies" },
    { "-smp 4,core=2", "-smp: unknown option 'core', did you mean 'cores'?" },
    { "-global x", "-global x: expected DRIVER.PROPERTY=VALUE" },
    { "-global .p=1", "-global .p=1: expected DRIVER.PROPERTY=VALUE" },
    { "-rtc base=tomorrow", "-rtc base=tomorrow: expected utc, localtime, or a date (UTC) such as "
      "2030-05-02 or 2030-05-02T13:54:07" },
    { "-rtc base=2030-02-31", "-rtc base=2030-02-31: expected utc, localtime, or a date (UTC) such as "
      "2030-05-02 or 2030-05-02T13:54:07" },
    { "-rtc clock=sun", "-rtc clock=sun: expected host, rt or vm" },
    { "-rtc driftfix=slew", "-rtc driftfix=slew is for the clock of a PC, whose interrupts may get "
      "lost; here none do, so leave it out" },
    { "-cpu host", "-cpu host: the host's CPU is for KVM; guests run on the translator, and -cpu max "
      "has all that it can do" },
    { "-accel kvm -accel hvf", "-accel kvm is not supported; only tcg is" },
    { "-accel kvm", "-accel kvm is not supported; only tcg is" },
    { "-accel tcg,backend=jot", "-accel backend=jot: expected 'jit' or 'interp'" },
    { "-accel tcg,unit-insns=0", "-accel unit-insns=0 is out of range: 1..512" },
    { "-accel tcg,unit-insns=513", "-accel unit-insns=513 is out of range: 1..512" },
    { "-accel tcg,lnk=off", "-accel tcg: unknown option 'lnk', did you mean 'link'?" },
    { "-accel tcg,link=maybe", "link=maybe: expected 'on' or 'off'" },
    { "-accel tcg,thread=multi", "-accel thread=multi: all CPUs run on one thread, so that runs "
      "can be repeated; only 'single' is possible" },
    { "-accel tcg,tlb-ways=3", "-accel tlb-ways=3: expected 1, 2, 4 or 8" },
    { "-accel tcg,tlb-entries=100",
      "-accel tlb-entries=100: expected a power of two, 16..65536" },
    { "-accel tcg,tb-size=0", "-accel tb-size=0 is out of range: 1..1024 MiB" },
    { "-display gtk", "-display gtk: displays are not there yet; only 'none' is accepted" },
    { "-net user -net user", "-net user: this is a second network; use -nic KIND for each" },
    { "-net nic -net nic", "-net nic: cards are joined in pairs, this is a second one; use -nic KIND for each" },
    { "-net nic,model=rtl8139", "-net nic model=rtl8139: the card of this machine is virtio-net-pci; others are added "
      "with -device" },
    { "-netdev ''", "-netdev '' names no kind: -netdev user,id=net0; -netdev help lists them" },
    { "-drive file=x,if=ide", "-drive if=ide: there are if=virtio and if=scsi, which bring their devices along, "
      "if=pflash for the board's flash, and if=none for a -device that names the drive" },
    { "-drive format=raw", "-drive needs file=IMAGE" },
    { "-blockdev driver=file,filename=x", "-blockdev needs node-name=NAME, by which a device or another "
      "-blockdev names it" },
    { "-sd x", "-sd: such disks are not there; -drive file=IMAGE,if=virtio is" },
    { "-vnc :0", "-vnc :0: displays are not there yet; only 'none' is accepted" },
    { "-vga std", "-vga std: displays are not there yet; only 'none' is accepted" },
    { "-parallel stdio", "-parallel stdio: virt has no parallel port, and -serial connects its serial "
      "one; only 'none' is accepted" },
    { "-audiodev pa,id=a", "-audiodev pa: sound is not there yet; only 'none' is accepted" },
    { "-usb", "-usb: USB is not there yet" },
    { "-tpmdev emulator,id=t", "-tpmdev: TPMs are not there yet" },
    { "-semihosting", "-semihosting: semihosting is not there yet; a guest prints on its serial port, "
      "and ends the run with PSCI's SYSTEM_OFF" },
    { "-enable-kvm", "-enable-kvm: other accelerators are not there: guests run on the translator; "
      "leave it out" },
    { "-fw_cfg opt/x", "-fw_cfg opt/x: expected either file=FILE or string=TEXT" },
    { "-fw_cfg opt/x,string=y,file=z", "-fw_cfg opt/x: expected either file=FILE or string=TEXT" },
    { "-fw_cfg string=y", "-fw_cfg: expected [name=]opt/NAME,file=FILE or string=TEXT" },
    { "-fw_cfg opt/x,gen_id=y", "-fw_cfg gen_id=y: no object makes content; use string= or file=" },
    { "-uuid 123", "-uuid 123: expected 32 hexadecimal digits as in "
      "550e8400-e29b-41d4-a716-446655440000" },
    { "-numa node -numa node", "-numa node: there is one already; more than one node is not there yet" },
    { "-numa node,nodeid=1", "-numa nodeid=1: there is one node, number 0; more are not there yet" },
    { "-numa node,cpus=3-1", "-numa cpus=3-1: expected a CPU's number, or first-last" },
    { "-numa dist,src=0,dst=1,val=20", "-numa dst=1: there is one node, number 0; more are not there "
      "yet" },
    { "-numa hmat-lb,initiator=0", "-numa hmat-lb: expected node, cpu or dist; memory attributes "
      "(hmat-...) need ACPI tables, which are not there" },
    { "-boot d", "-boot order=d: firmware does not learn of it yet: -kernel or -bios "
      "starts" },
    { "-boot menu=maybe", "menu=maybe: expected 'on' or 'off'" },
    { "-mem-path a -machine memory-backend=b", "-mem-path a and -machine memory-backend=b: both say "
      "where memory comes from" },
    { "-sandbox spawn=deny", "-sandbox: expected 'on' or 'off'" },
    { "-sandbox on,spawn=no", "-sandbox spawn=no: expected one of allow, deny" },
    { "-overcommit cpu-pm=on", "-overcommit cpu-pm=on is for guests that run on the host's CPUs (KVM); "
      "here they run on the translator" },
    { "-run-with async-teardown=on", "-run-with async-teardown=on: the guest's memory is freed when the "
      "process ends, and not later; leave it out" },
    { "-msg timestmp=on", "-msg: unknown option 'timestmp', did you mean 'timestamp'?" },
    { "-action reboot=pause", "-action reboot=pause: expected one of reset, shutdown" },
    { "-watchdog-action sleep", "-action watchdog=sleep: expected one of reset, shutdown, poweroff, "
      "pause, debug, none" },
    { "-watchdog-action inject-nmi", "-action watchdog=inject-nmi: the machine's interrupt controller has no "
      "non-maskable interrupt; use pause, shutdown or reset" },
    { "-action panic=reboot", "-action panic=reboot: expected one of shutdown, pause, exit-failure, none" },
    { "-object '{\"qom-type\": [1]}'", "'qom-type': expected a string, a whole number, true, false or null" },
    { "-set device.a.b", "-set device.a.b: expected GROUP.ID.KEY=VALUE" },
    { "-device x,id=a -set device.b.c=d", "-set device.b.c=d: there is no -device with id=b before it" },
    { "-set rtc.b.c=d", "-set rtc.b.c=d: 'rtc' is no group whose options have an id; device, object and "
      "chardev are" },
    { "-readconfig /nonexistent", "-readconfig: Failed to open file \xe2\x80\x9c/nonexistent\xe2\x80\x9d: No such "
      "file or directory" },
    { "-qxp", "-qxp: no such option; -help lists them" },
    { "-mon mode=control", "-mon needs chardev=ID" },
    { "-mon x,mode=qmp", "-mon mode=qmp: expected 'readline' or 'control'" },
    { "-mon x,pretty=on", "-mon pretty=on is for mode=control" },
    { "-mon x,mode=control,pretty=maybe", "pretty=maybe: expected 'on' or 'off'" },
    { "-mon x,mode=control,color=on", "-mon: unknown option 'color'" },
    { "-qmp", "-qmp needs an argument: DEV" },
    { "-echr 0", "-echr 0: expected a character's number, 1..255" },
    { "-icount 11", "-icount shift=11: expected 'auto' or 0..10" },
    { "-icount shift=-1", "-icount shift=-1: expected 'auto' or 0..10" },
    { "-icount shift=1,rr=recrod,rrfile=x", "-icount rr=recrod: expected 'record' or 'replay'" },
    { "-icount rr=replay", "-icount rr=replay needs rrfile=FILE" },
    { "-icount shift=1,rr=record,rrfile=", "-icount rrfile=: expected the name of a file; rr=record "
      "without rrfile= records in memory" },
    { "-icount shift=1,rr=record,rroverwrite=on",
      "-icount rroverwrite=on needs rr=record,rrfile=FILE" },
    { "-icount rr=replay,rrfile=", "-icount rr=replay needs rrfile=FILE" },
    { "-icount shift=1,rrfile=x", "-icount rrfile=x needs rr=record or rr=replay" },
    { "-icount shift=1,rr=record,rrfile=x,rrcheck=all",
      "-icount rrcheck=all: expected 'off', 'events' or 'digest'" },
    { "-icount rr=replay,rrfile=x,rrcheck=digest",
      "-icount rrcheck=digest is for rr=record; a replay checks what was recorded" },
    { "-icount shift=1,rr=record,rrfile=x,rrcheckperiod=5",
      "-icount rrcheckperiod=5 needs rrcheck=digest" },
    { "-icount shift=1,rr=record,rrfile=x,rrcheck=digest,rrcheckperiod=0",
      "-icount rrcheckperiod=0: expected instructions, at least 1" },
    { "-icount rr=replay,rrfile=x,rroverwrite=on", "-icount rroverwrite=on needs rr=record,rrfile=FILE" },
    { "-icount shift=1,rr=record,rrfile=x,rrkeyframe=often",
      "-icount rrkeyframe=often: expected seconds, 0.01 to 86400" },
    { "-icount shift=1,rr=record,rrfile=x,rrkeyframe=0",
      "-icount rrkeyframe=0: expected seconds, 0.01 to 86400" },
    { "-icount shift=1,rrkeyframe=1", "-icount rrkeyframe= needs rr=record or rr=replay" },
    { "-icount rr=replay,rrfile=x,rrpath=a", "-icount rrpath=a: expected OLD=NEW, a file's or folder's path in the "
      "recording, and where it is now" },
    { "-icount rr=replay,rrfile=x,rrpath=a=b,rrpath=a=", "-icount rrpath=a=: expected OLD=NEW, a file's or folder's path "
      "in the recording, and where it is now" },
    { "-icount shift=1,rr=record,rrpath=a=b", "-icount rrpath=a=b needs rr=replay" },
    { "-icount shift=1,rr=record,rrimage=most", "-icount rrimage=most: expected 'sampled' or 'full'" },
    { "-icount rr=replay,rrfile=x,rrimage=full", "-icount rrimage=full is for rr=record; a replay checks what was "
      "recorded" },
    { "-icount shift=1,rr=record,rrmem=1M",
      "-icount rrmem=1M: expected a size of at least 16M, such as 512M or 1G" },
    { "-icount shift=1,rr=record,rrmem=lots",
      "-icount rrmem=lots: expected a size of at least 16M, such as 512M or 1G" },
    { "-icount shift=1,rrmem=1G", "-icount rrmem=1024M needs rr=record or rr=replay" },
    { "-icount shift=1,rrsnapshot=a", "-icount rrsnapshot=a needs rr=record or rr=replay" },
    { "-icount rr=replay,rrfile=x,rrsnapshot=", "-icount rrsnapshot= needs the name of a snapshot" },
    { "-icount rr=replay,rrfile=x,rrsnapshot=a -loadvm b", "-loadvm b and rrsnapshot=a: the machine can "
      "begin in one state only" },
    { "-loadvm", "-loadvm needs an argument: NAME" },
    { "-rewind=", "-rewind=: expected a size of at least 16M, such as 512M or 1G" },
    { "-rewind=15", "-rewind=15: expected a size of at least 16M, such as 512M or 1G" },
    { "-rewind 1G", "'1G' is not an option, and disks, which it may name, are not there yet" },
    { "-kernel=x", "-kernel=x: no such option; did you mean -kernel?" },
    { "-rewind -icount rr=replay,rrfile=x", "-rewind is for a live session, and -icount rr=replay "
      "is none: leave -rewind out, a replay can be travelled in anyway" },
    { "-icount shift=auto,sleep=off",
      "-icount shift=auto and sleep=off are incompatible: give shift=0..10" },
    { "-icount shift=1,align=on", "-icount align=on is not supported; only align=off is" },
    { "-icount shift=1,rrsnapshit=x", "-icount: unknown option 'rrsnapshit', did you mean "
      "'rrsnapshot'?" },
    { "-icount shift=1,slep=off", "-icount: unknown option 'slep', did you mean 'sleep'?" },
    { "-name a,proces=b", "-name: unknown option 'proces', did you mean 'process'?" },
    { "-dfilter 0..1", "-dfilter 0..1 filters nothing without -d" },
    { "/usr/bin/qemu-system-aarch64 -m 1G", "no machine specified, and there is no default; use "
      "-machine help to list supported machines" },
};

/* Flashes are numbered as they come; the machine is told of them, wherever it is named. */
static void test_flash(void)
{
    static const char *const rows[][2] = {
        { "-pflash x", "type=virt,pflash0=drive0" },
        { "-drive if=pflash,file=x,id=a -pflash y -M virt,acpi=off", "type=virt,acpi=off,pflash0=a,pflash1=drive1" },
        { "-M virt -drive if=pflash,unit=1,file=x,readonly=on -pflash y", "type=virt,pflash0=drive1,pflash1=drive0" },
        { "-M virt -drive file=x", "type=virt" },
    };

    for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
        Options *o = parse_ok(rows[i][0]);

        g_assert_cmpstr(o->machine, ==, rows[i][1]);
        options_free(o);
    }
}

static void test_bad(void)
{
    for (unsigned i = 0; i < ARRAY_SIZE(bad); i++) {
        Error *err = NULL;
        Options *o = parse(bad[i].line, &err);

        g_test_message("%s", bad[i].line);
        g_assert_null(o);
        g_assert_nonnull(err);
        g_assert_cmpstr(error_get_pretty(err), ==, bad[i].message);
        error_free(err);
    }
}

static void test_defaults(void)
{
    Options *o = parse_ok("");

    g_assert_cmpint(o->action, ==, ACTION_RUN);
    g_assert_null(o->machine);
    g_assert_cmpuint(o->ram_size, ==, 0);
    g_assert_cmpuint(o->smp.cpus, ==, 0);
    g_assert_false(o->exec.icount);
    g_assert_true(o->exec.sleep);
    g_assert_cmpint(o->replay.mode, ==, REPLAY_MODE_NONE);
    g_assert_cmpstr(o->command_line, ==, "rearm");
    options_free(o);
}

static void test_machine(void)
{
    Options *o = parse_ok("-M virt,gic-version=2 -machine secure=off -cpu cortex-a57 -m 1.5G "
                          "-smp 2,sockets=1,cores=2 -kernel Image -append 'a b' --nodefaults "
                          "-device x,y=1 -device z -global virtio-mmio.force-legacy=false");

    g_assert_cmpstr(o->machine, ==, "type=virt,gic-version=2,secure=off");
    g_assert_cmpstr(o->cpu, ==, "cortex-a57");
    g_assert_cmpuint(o->ram_size, ==, 1536ull << 20);
    g_assert_cmpuint(o->smp.cpus, ==, 2);
    g_assert_cmpstr(o->append, ==, "a b");
    g_assert_true(o->nodefaults);
    g_assert_cmpuint(o->devices->len, ==, 2);
    g_assert_cmpstr(g_ptr_array_index(o->devices, 0), ==, "x,y=1");
    g_assert_cmpstr(g_ptr_array_index(o->globals, 0), ==, "virtio-mmio.force-legacy=false");
    g_assert_true(g_str_has_suffix(o->command_line, "-device z -global "
                                   "virtio-mmio.force-legacy=false"));
    g_assert_nonnull(strstr(o->command_line, "-append 'a b'"));
    options_free(o);
    o = parse_ok("-m 64");
    g_assert_cmpuint(o->ram_size, ==, 64ull << 20);
    options_free(o);
    o = parse_ok("/x/qemu-system-arm -M virt");
    g_assert_true(o->machine_required);
    options_free(o);
}

/* What QEMU 7.2 makes of the same text. */
static void test_smp(void)
{
    static const struct {
        const char *text, *complete;
    } cases[] = {
        { "4", "cpus=4,maxcpus=4,sockets=1,clusters=1,cores=4,threads=1" },
        { "4,sockets=1", "cpus=4,maxcpus=4,sockets=1,clusters=1,cores=4,threads=1" },
        { "4,sockets=2", "cpus=4,maxcpus=4,sockets=2,clusters=1,cores=2,threads=1" },
        { "cores=2", "cpus=2,maxcpus=2,sockets=1,clusters=1,cores=2,threads=1" },
        { "4,cores=2", "cpus=4,maxcpus=4,sockets=2,clusters=1,cores=2,threads=1" },
        { "threads=2", "cpus=2,maxcpus=2,sockets=1,clusters=1,cores=1,threads=2" },
        { "8,threads=2", "cpus=8,maxcpus=8,sockets=1,clusters=1,cores=4,threads=2" },
        { "8,sockets=2,cores=2", "cpus=8,maxcpus=8,sockets=2,clusters=1,cores=2,threads=2" },
        { "2,maxcpus=8", "cpus=2,maxcpus=8,sockets=1,clusters=1,cores=8,threads=1" },
        { "maxcpus=4", "cpus=4,maxcpus=4,sockets=1,clusters=1,cores=4,threads=1" },
        { "3,sockets=2,cores=2,maxcpus=4",
          "cpus=3,maxcpus=4,sockets=2,clusters=1,cores=2,threads=1" },
        { "8,clusters=2", "cpus=8,maxcpus=8,sockets=1,clusters=2,cores=4,threads=1" },
        { "clusters=2,sockets=2,cores=2,dies=1",
          "cpus=8,maxcpus=8,sockets=2,clusters=2,cores=2,threads=1" },
        { "", "cpus=1,maxcpus=1,sockets=1,clusters=1,cores=1,threads=1" },
    };

    for (unsigned i = 0; i < ARRAY_SIZE(cases); i++) {
        /* The complete form means itself: it is what a recording holds. */
        for (unsigned again = 0; again < 2; again++) {
            const char *text = again ? cases[i].complete : cases[i].text;
            g_autofree char *line = g_strdup_printf("-smp '%s'", text);
            Options *o = parse_ok(line);
            g_autofree char *complete = options_format_smp(&o->smp);

            g_assert_cmpstr(complete, ==, cases[i].complete);
            options_free(o);
        }
    }
}

/* -rewind records in memory, whatever else is said about time, in any order. */
static void test_rewind(void)
{
    Options *o = parse_ok("-rewind");
    uint64_t by_default = o->exec.travel_memory;

    g_assert_true(o->exec.icount);
    g_assert_true(o->exec.shift_auto);
    g_assert_cmpint(o->replay.mode, ==, REPLAY_MODE_RECORD);
    g_assert_null(o->replay.file);
    g_assert_cmpuint(by_default, >, 0);
    g_assert_cmpuint(by_default, <=, 2ull << 30);
    options_free(o);
    o = parse_ok("-rewind=512M -icount shift=3");
    g_assert_false(o->exec.shift_auto);
    g_assert_cmpuint(o->exec.shift, ==, 3);
    g_assert_cmpint(o->replay.mode, ==, REPLAY_MODE_RECORD);
    g_assert_cmpuint(o->exec.travel_memory, ==, 512u << 20);
    options_free(o);
    o = parse_ok("-icount shift=2,rr=record,rrfile=a.bin,rrcheck=events --rewind=64");
    g_assert_cmpuint(o->exec.shift, ==, 2);
    g_assert_cmpstr(o->replay.file, ==, "a.bin");
    g_assert_cmpint(o->replay.check, ==, REPLAY_CHECK_EVENTS);
    g_assert_cmpuint(o->exec.travel_memory, ==, 64u << 20);
    options_free(o);
    o = parse_ok("-icount shift=2,rrkeyframe=0.5 -rewind");
    g_assert_true(o->replay.keyframes);
    g_assert_cmpint(o->exec.keyframe_ns, ==, 500000000);
    options_free(o);
    o = parse_ok("-icount rr=replay,rrfile=a.bin,rrmem=3G");
    g_assert_cmpuint(o->exec.travel_memory, ==, 3ull << 30);
    options_free(o);
    o = parse_ok("-icount rr=record");
    g_assert_null(o->replay.file);
    g_assert_cmpuint(o->exec.travel_memory, ==, by_default);
    g_assert_true(o->exec.snapshot_always);
    options_free(o);
    o = parse_ok("-icount rr=record,rrfile=a.bin");
    g_assert_cmpuint(o->exec.travel_memory, ==, 0);
    options_free(o);
    o = parse_ok("-icount rr=replay,rrfile=a.bin");
    g_assert_cmpuint(o->exec.travel_memory, ==, by_default);
    g_assert_false(o->exec.snapshot_always);
    options_free(o);
}

static void test_icount(void)
{
    Options *o = parse_ok("-icount 3");

    g_assert_true(o->exec.icount);
    g_assert_false(o->exec.shift_auto);
    g_assert_cmpuint(o->exec.shift, ==, 3);
    options_free(o);
    o = parse_ok("-icount auto");
    g_assert_true(o->exec.shift_auto);
    options_free(o);
    o = parse_ok("-icount shift=10,sleep=off,align=off,rr=record,rrfile=a.bin,rrcheck=digest,"
                 "rrcheckperiod=1000");
    g_assert_cmpuint(o->exec.shift, ==, 10);
    g_assert_false(o->exec.sleep);
    g_assert_cmpint(o->replay.mode, ==, REPLAY_MODE_RECORD);
    g_assert_cmpstr(o->replay.file, ==, "a.bin");
    g_assert_cmpint(o->replay.check, ==, REPLAY_CHECK_DIGEST);
    g_assert_cmpuint(o->replay.check_period, ==, 1000);
    g_assert_false(o->replay.overwrite);
    options_free(o);
    o = parse_ok("-icount shift=1,rr=record,rrfile=a.bin,rroverwrite=on");
    g_assert_true(o->replay.overwrite);
    options_free(o);
    o = parse_ok("-icount shift=1,rr=record,rrfile=a.bin,rrcheck=digest");
    g_assert_cmpuint(o->replay.check_period, ==, 1000000);
    options_free(o);
    o = parse_ok("/usr/bin/qemu-system-aarch64 -icount rr=replay,rrfile=a.bin");
    g_assert_cmpint(o->replay.mode, ==, REPLAY_MODE_PLAY);
    g_assert_true(o->exec.icount);
    g_assert_false(o->shift_given);
    g_assert_false(o->sleep_given);
    options_free(o);
}

static void test_accel(void)
{
    Options *o = parse_ok("-accel tcg,backend=interp,unit-insns=7,link=off,opt=off,tb-size=32");

    g_assert_true(o->tcg.interp);
    g_assert_cmpuint(o->tcg.unit_insns, ==, 7);
    g_assert_true(o->tcg.no_link);
    g_assert_true(o->tcg.no_opt);
    g_assert_cmpuint(o->tcg.cache_bytes, ==, 32u << 20);
    options_free(o);
    o = parse_ok("-accel tcg,tlb-ways=8,tlb-entries=1024,tlb-chaos=7");
    g_assert_cmpuint(o->tcg.tlb_ways, ==, 8);
    g_assert_cmpuint(o->tcg.tlb_entries, ==, 1024);
    g_assert_cmpuint(o->tcg.tlb_chaos, ==, 7);
    options_free(o);
    o = parse_ok("-accel tcg,one-insn-per-tb=on,thread=single");
    g_assert_cmpuint(o->tcg.unit_insns, ==, 1);
    g_assert_false(o->tcg.no_link);
    options_free(o);
}

static void expect_monitor(const Options *o, unsigned n, const char *device, MonitorMode mode)
{
    const MonitorOption *m = g_ptr_array_index(o->monitors, n);

    g_assert_cmpstr(m->device, ==, device);
    g_assert_cmpint(m->mode, ==, mode);
}

static void test_back_ends(void)
{
    Options *o = parse_ok("-nographic -serial mon:stdio -serial null -monitor none -mon mux0 "
                          "-qmp unix:q,server=on -qmp-pretty stdio -mon a,mode=control "
                          "-mon chardev=b,mode=control,pretty=on "
                          "-chardev stdio,id=mux0,mux=on -s -S -no-reboot -no-shutdown "
                          "-d int,exec -D log -dfilter 0..1 -echr 0x14 -name guest=x");

    g_assert_true(o->nographic);
    g_assert_cmpuint(o->serials->len, ==, 2);
    expect_monitor(o, 0, "none", MONITOR_HMP);
    expect_monitor(o, 1, "chardev:mux0", MONITOR_HMP);
    expect_monitor(o, 2, "unix:q,server=on", MONITOR_QMP);
    expect_monitor(o, 3, "stdio", MONITOR_QMP_PRETTY);
    expect_monitor(o, 4, "chardev:a", MONITOR_QMP);
    expect_monitor(o, 5, "chardev:b", MONITOR_QMP_PRETTY);
    g_assert_cmpstr(o->gdb, ==, "tcp::1234");
    g_assert_true(o->exec.start_paused && o->exec.actions.reboot == EXEC_REBOOT_SHUTDOWN &&
                  o->exec.actions.shutdown == EXEC_SHUTDOWN_PAUSE);
    g_assert_cmpint(o->escape, ==, 0x14);
    g_assert_cmpstr(o->name, ==, "x");
    options_free(o);
}

static void test_guest(void)
{
    Options *o = parse_ok("-rtc base=2030-05-02T13:54:07,clock=vm,driftfix=none -numa node,cpus=0,cpus=2-3 "
                          "-numa cpu,node-id=0,core-id=1 -uuid 550E8400-E29B-41D4-A716-446655440000 "
                          "-boot menu=on,strict=on -fw_cfg name=opt/a,string=x,,y "
                          "-mem-path /dev/shm -mem-prealloc "
                          "-object '{\"qom-type\": \"secret\", \"id\": \"a,b\", \"size\": 5, \"on\": true}' "
                          "-object rng-builtin,id=r");
    g_autofree char *rtc = options_format_rtc(&o->rtc);

    g_assert_cmpint(o->rtc.date, ==, 1903960447);
    g_assert_cmpstr(rtc, ==, "base=2030-05-02T13:54:07,clock=vm");
    g_assert_true(o->numa.node && o->boot_menu && o->mem_prealloc);
    g_assert_cmpuint(o->numa.last_cpu, ==, 3);
    g_assert_cmpstr(o->uuid, ==, "550e8400-e29b-41d4-a716-446655440000");
    g_assert_cmpstr(g_ptr_array_index(o->fw_cfg, 0), ==, "name=opt/a,string=x,,y");
    g_assert_cmpstr(o->mem_path, ==, "/dev/shm");
    g_assert_cmpstr(g_ptr_array_index(o->objects, 0), ==, "qom-type=secret,id=a,,b,size=5,on=on");
    g_assert_cmpstr(g_ptr_array_index(o->objects, 1), ==, "rng-builtin,id=r");
    options_free(o);
}

static void test_process(void)
{
    Options *o = parse_ok("-name x,process=p,debug-threads=on -daemonize -pidfile f -chroot /a -runas u:g "
                          "-sandbox on,elevateprivileges=children,spawn=deny,resourcecontrol=allow "
                          "-overcommit mem-lock=on,cpu-pm=off -msg timestamp=on,guest-name=on "
                          "-action reboot=shutdown,shutdown=pause,panic=none -watchdog-action pause");

    g_assert_cmpstr(o->name, ==, "x");
    g_assert_cmpstr(o->process_name, ==, "p");
    g_assert_cmpstr(o->chroot, ==, "/a");
    g_assert_cmpstr(o->runas, ==, "u:g");
    g_assert_true(o->daemonize && o->mem_lock && o->msg_timestamp && o->msg_guest_name);
    g_assert_true(o->sandbox.enable && o->sandbox.deny_spawn && o->sandbox.deny_obsolete);
    g_assert_true(o->sandbox.no_new_privileges);
    g_assert_false(o->sandbox.deny_privileges || o->sandbox.deny_resources);
    g_assert_cmpint(o->exec.actions.reboot, ==, EXEC_REBOOT_SHUTDOWN);
    g_assert_cmpint(o->exec.actions.shutdown, ==, EXEC_SHUTDOWN_PAUSE);
    g_assert_cmpint(o->exec.actions.panic, ==, EXEC_PANIC_NONE);
    g_assert_cmpint(o->exec.actions.watchdog, ==, EXEC_WATCHDOG_PAUSE);
    g_assert_cmpstr(options_action_text(&o->exec.actions, "panic"), ==, "none");
    g_assert_cmpstr(options_action_text(&o->exec.actions, "watchdog"), ==, "pause");
    g_assert_true(o->panic_given && o->watchdog_given);
    options_free(o);

    o = parse_ok("-run-with chroot=/b,user=v -no-reboot -action reboot=reset -sandbox off");
    g_assert_cmpstr(o->chroot, ==, "/b");
    g_assert_cmpstr(o->runas, ==, "v");
    g_assert_cmpint(o->exec.actions.reboot, ==, EXEC_REBOOT_RESET);
    g_assert_false(o->sandbox.enable || o->panic_given);
    options_free(o);
}

/* What is there elsewhere, and asks for nothing. */
static void test_none(void)
{
    options_free(parse_ok("-vga none -vnc none -net none -nic none -parallel none -display none "
                          "-audiodev none,id=a -audiodev '{\"id\": \"a\", \"driver\": \"none\"}' -audio none "
                          "-snapshot -only-migratable -no-acpi -no-user-config -nodefaults "
                          "-mon chardev=a,id=m,mode=control -accel kvm -accel tcg"));
}

/* What -writeconfig writes is the same command line for -readconfig. */
static void test_config(void)
{
    static const char expected[] =
        "# rearm config file\n\n"
        "[machine]\n  type = \"virt\"\n  acpi = \"off\"\n\n"
        "[machine]\n  kernel = \"a,b\"\n\n"
        "[memory]\n  size = \"1G\"\n\n"
        "[smp-opts]\n  cpus = \"2\"\n  cores = \"2\"\n\n"
        "[device \"d\"]\n  driver = \"x\"\n  p = \"1,2\"\n\n"
        "[global]\n  driver = \"x\"\n  property = \"q\"\n  value = \"a=b\"\n\n"
        "[chardev \"c\"]\n  backend = \"null\"\n\n"
        "[mon]\n  chardev = \"c\"\n  mode = \"control\"\n\n"
        "[rtc]\n  clock = \"vm\"\n";
    g_autofree char *dir = g_dir_make_tmp("rearm-options-XXXXXX", NULL);
    g_autofree char *first = g_build_filename(dir, "first", NULL);
    g_autofree char *second = g_build_filename(dir, "second", NULL);
    g_autofree char *line = g_strdup_printf(
        "-M virt,acpi=off -kernel a,b -m 1G -smp 2,cores=2 -device x,id=d -set device.d.p=1,2 "
        "-global x.q=a=b -chardev null,id=c -mon c,mode=control -rtc clock=vm -writeconfig %s", first);
    g_autofree char *again = g_strdup_printf("-readconfig %s -writeconfig %s", first, second);
    g_autofree char *text = NULL, *text2 = NULL;
    Options *o = parse_ok(line);

    g_assert_true(options_config_write(o, NULL));
    options_free(o);
    g_assert_true(g_file_get_contents(first, &text, NULL, NULL));
    g_assert_cmpstr(text, ==, expected);
    o = parse_ok(again);
    g_assert_true(options_config_write(o, NULL));
    g_assert_true(g_file_get_contents(second, &text2, NULL, NULL));
    g_assert_cmpstr(text2, ==, expected);
    g_assert_cmpstr(o->machine, ==, "type=virt,acpi=off");
    g_assert_cmpstr(o->kernel, ==, "a,b");
    g_assert_cmpuint(o->ram_size, ==, 1ull << 30);
    g_assert_cmpuint(o->smp.cpus, ==, 2);
    g_assert_cmpstr(g_ptr_array_index(o->devices, 0), ==, "x,id=d,p=1,,2");
    g_assert_cmpstr(g_ptr_array_index(o->globals, 0), ==, "driver=x,property=q,value=a=b");
    expect_monitor(o, 0, "chardev:c", MONITOR_QMP);
    g_assert_cmpint(o->rtc.clock, ==, RTC_CLOCK_VM);
    options_free(o);
    g_unlink(first);
    g_unlink(second);
    g_rmdir(dir);
}

static void expect_config_error(const char *content, const char *message)
{
    g_autofree char *dir = g_dir_make_tmp("rearm-options-XXXXXX", NULL);
    g_autofree char *path = g_build_filename(dir, "c", NULL);
    g_autofree char *line = g_strdup_printf("-readconfig %s", path);
    g_autofree char *expected = g_strdup_printf("%s:%s", path, message);
    Error *err = NULL;

    g_assert_true(g_file_set_contents(path, content, -1, NULL));
    g_assert_null(parse(line, &err));
    g_assert_cmpstr(error_get_pretty(err), ==, expected);
    error_free(err);
    g_unlink(path);
    g_rmdir(dir);
}

static void test_config_errors(void)
{
    expect_config_error("# a\n\n[devise]\n", "3: [devise]: there is no such group of options");
    expect_config_error("a = \"b\"\n", "1: expected [GROUP], [GROUP \"ID\"] or KEY = \"VALUE\"");
    expect_config_error("[rtc]\na = b\n", "2: expected [GROUP], [GROUP \"ID\"] or KEY = \"VALUE\"");
    expect_config_error("[rtc]\nclock = \"x\"\n[name]\n",
                        "3: -rtc clock=x: expected host, rt or vm");
}

static void test_help(void)
{
    static const struct {
        const char *line;
        OptionsAction action;
    } rows[] = {
        { "-help", ACTION_HELP }, { "-h", ACTION_HELP }, { "--help", ACTION_HELP },
        { "-version", ACTION_VERSION }, { "-M help", ACTION_MACHINE_HELP },
        { "-M virt,help", ACTION_MACHINE_PROPERTIES },
        { "-M virt -machine acpi=off,help", ACTION_MACHINE_PROPERTIES },
        { "-cpu help", ACTION_CPU_HELP }, { "-device ?", ACTION_DEVICE_HELP },
        { "-device x,help", ACTION_DEVICE_PROPERTIES },
        { "-device id=a,driver=x,?", ACTION_DEVICE_PROPERTIES },
        { "-d help", ACTION_LOG_HELP }, { "-chardev help", ACTION_CHARDEV_HELP },
        { "-accel help", ACTION_ACCEL_HELP }, { "-object help", ACTION_OBJECT_HELP },
        { "-object x,help", ACTION_OBJECT_PROPERTIES }, { "-L help", ACTION_FIRMWARE_DIRS },
        { "/bin/qemu-system-arm -M help", ACTION_MACHINE_HELP },
    };
    g_autofree char *path = NULL, *text = NULL;
    FILE *out;

    for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
        Options *o = parse_ok(rows[i].line);

        g_assert_cmpint(o->action, ==, rows[i].action);
        g_assert_cmpstr(o->help_topic, ==, rows[i].action == ACTION_MACHINE_PROPERTIES ? "virt" :
                        rows[i].action == ACTION_DEVICE_PROPERTIES ||
                        rows[i].action == ACTION_OBJECT_PROPERTIES ? "x" : NULL);
        options_free(o);
    }
    path = g_build_filename(g_get_tmp_dir(), "rearm-help-XXXXXX", NULL);
    close(g_mkstemp(path));
    out = fopen(path, "w");
    options_print_help(out);
    fclose(out);
    g_assert_true(g_file_get_contents(path, &text, NULL, NULL));
    g_unlink(path);
    g_assert_nonnull(strstr(text, "\nTime, record and replay:\n"));
    g_assert_nonnull(strstr(text, "\n  -machine, -M [type=]NAME[,KEY=VALUE...]\n"));
    g_assert_nonnull(strstr(text, "\n  -kernel FILE                    a Linux Image, an"));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/options/bad", test_bad);
    g_test_add_func("/options/flash", test_flash);
    g_test_add_func("/options/defaults", test_defaults);
    g_test_add_func("/options/machine", test_machine);
    g_test_add_func("/options/smp", test_smp);
    g_test_add_func("/options/icount", test_icount);
    g_test_add_func("/options/rewind", test_rewind);
    g_test_add_func("/options/accel", test_accel);
    g_test_add_func("/options/guest", test_guest);
    g_test_add_func("/options/process", test_process);
    g_test_add_func("/options/none", test_none);
    g_test_add_func("/options/config", test_config);
    g_test_add_func("/options/config-errors", test_config_errors);
    g_test_add_func("/options/back-ends", test_back_ends);
    g_test_add_func("/options/help", test_help);
    return g_test_run();
}
