/*
 * Fuzz target: what comes from the command line, up to the point where something would
 * be opened or made. The first byte of the input says what the rest is:
 *   0  a command line, one argument a line; -machine, -global and -device go on to a board
 *   1  the short form of a character back end (-serial, -monitor, -gdb)
 *   2  a key=value list, asked for each kind of value
 *   3  a log filter
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "tests/fuzz/fuzz.h"
#include "chardev/chardev-int.h"
#include "hw/arm/virt-options.h"
#include "hw/core/board.h"
#include "hw/core/bus.h"
#include "system/options.h"
#include "util/log.h"

enum { COMMAND_LINE, CHARDEV, KEY_VALUES, LOG_FILTER, NUM_FORMS };

/* An error is set exactly when something failed, and says something. Clears it. */
static void check_error(bool ok, Error **err)
{
    assert(ok == (*err == NULL));
    if (*err) {
        assert(*error_get_pretty(*err));
        error_free(*err);
        *err = NULL;
    }
}

/* ---- a device with a property of each type, and a bus for it ---- */

typedef struct Thing {
    Device dev;
    struct ThingConfig {
        bool on;
        uint8_t number;
        uint64_t size;
        char *text;
        unsigned word;
    } config;
} Thing;

static void slot_attach(Bus *bus, Device *dev)
{
}

static bool slot_realize(Device *dev, Error **errp)
{
    bus_new(dev, "slot", "slot.0", 2, slot_attach);
    return true;
}

static const Property thing_properties[] = {
    PROP_BOOL("on", struct ThingConfig, on, "on", "a bool"),
    PROP_UINT("number", struct ThingConfig, number, "7", 1, 100, "a number"),
    PROP_SIZE("size", struct ThingConfig, size, "4K", 1, 1 << 20, "a size"),
    PROP_STRING("text", struct ThingConfig, text, "abc", "a string"),
    PROP_ENUM("word", struct ThingConfig, word, "one", "a word", "one", "two"),
    PROP_REFUSED("odd", "it is odd"),
    PROP_END
};

static const DeviceType slot_type = {
    .name = "slot", .bus = SYSTEM_BUS, .size = sizeof(Device), .realize = slot_realize,
};

static const DeviceType thing_type = {
    .name = "thing", .bus = "slot", .pluggable = true, .size = sizeof(Thing),
    .properties = thing_properties, .config_offset = offsetof(Thing, config),
};

static const DeviceType *const types[] = { &slot_type, &thing_type, NULL };

static bool make_devices(Machine *m, BoardConfig *config, Error **errp)
{
    const BoardDevice rows[] = { { &slot_type, "slot" }, { .type = NULL } };
    bool ok = board_add_devices(m, rows, NULL, errp) && board_plug_devices(m, config, errp);

    for (unsigned i = 1; ok && i < m->devices->len; i++) {
        Thing *thing = g_ptr_array_index(m->devices, i);

        assert(thing->config.number >= 1 && thing->config.number <= 100);
        assert(thing->config.size <= 1 << 20 && thing->config.text && thing->config.word <= 1);
    }
    return ok;
}

static void parse_board(Options *o)
{
    const BoardType board = {
        .name = "virt", .properties = virt_properties, .options_size = sizeof(VirtOptions),
        .create = make_devices,
    };
    BoardConfig config = {
        .ram_size = o->ram_size, .globals = o->globals, .devices = o->devices,
    };
    Machine *m = machine_new(NULL);
    Error *err = NULL;

    m->device_types = types;
    if (o->machine) {
        config.machine_options = keyval_parse(o->machine, "type", &err);
    }
    check_error(!o->machine || config.machine_options, &err);
    if (config.machine_options || !o->machine) {
        check_error(board_create(&board, m, &config, &err), &err);
    }
    machine_free(m);
    keyval_free(config.machine_options);
}

static void parse_command_line(const char *text)
{
    g_auto(GStrv) argv = g_strsplit(text, "\n", -1);
    Error *err = NULL;
    Options *o = options_parse((int)g_strv_length(argv), argv, &err);

    check_error(o != NULL, &err);
    if (o) {
        parse_board(o);
        options_free(o);
    }
}

static void rewrite_chardev(const char *text)
{
    g_autoptr(GString) options = g_string_new("");
    Error *err = NULL;
    bool ok = chardev_rewrite(options, text, &err);
    KeyVal *kv;

    check_error(ok, &err);
    if (!ok) {
        return;
    }
    /* No short form may swallow what is put behind it. */
    g_string_append(options, ",id=name");
    kv = keyval_parse(options->str, "backend", NULL);
    if (kv) {
        assert(g_strcmp0(keyval_get(kv, "id"), "name") == 0);
        assert(keyval_get(kv, "backend"));
    }
    keyval_free(kv);
}

static void ask(KeyVal *kv, const char *key)
{
    uint64_t number = 0;
    bool flag = false;
    Error *err = NULL;

    check_error(keyval_get_bool(kv, key, &flag, &err), &err);
    check_error(keyval_get_u64(kv, key, &number, &err), &err);
}

static void parse_key_values(const char *text)
{
    Error *err = NULL;
    KeyVal *kv = keyval_parse(text, "type", &err);

    check_error(kv != NULL, &err);
    if (kv) {
        ask(kv, "type");
        ask(kv, "size");
        check_error(keyval_check_unused(kv, "-thing", &err), &err);
    }
    keyval_free(kv);
}

static void set_filter(const char *text)
{
    Error *err = NULL;

    check_error(log_set_filter(text, &err), &err);
    log_in_range(0x1000);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static void (*const forms[NUM_FORMS])(const char *text) = {
        [COMMAND_LINE] = parse_command_line, [CHARDEV] = rewrite_chardev,
        [KEY_VALUES] = parse_key_values, [LOG_FILTER] = set_filter,
    };

    if (size) {
        g_autofree char *text = g_strndup((const char *)data + 1, size - 1);

        forms[data[0] % NUM_FORMS](text);
    }
    return 0;
}

GByteArray *fuzz_seed(unsigned n)
{
    static const struct {
        uint8_t form;
        const char *text;
    } seeds[] = {
        { COMMAND_LINE, "rearm\n-M\nvirt,gic-version=2,highmem=off\n-m\n1.5G\n-smp\n2,cores=2\n"
          "-icount\nshift=3,sleep=off,rr=record,rrfile=f,rrcheck=digest,rrcheckperiod=9,rrmem=64M,rrkeyframe=0.5\n-rewind=1G" },
        { COMMAND_LINE, "rearm\n-icount\nrr=replay,rrfile=f,rrpath=/a=b,rrpath=/c/d=e\n-drive\nfile=x,werror=stop,rerror=report" },
        { COMMAND_LINE, "rearm\n-accel\ntcg,tb-size=64,unit-insns=7,link=off\n-rtc\nbase=utc\n"
          "-global\nthing.number=0x10\n-mon\nchardev=a,mode=control,pretty=on\n-echr\n0x1f" },
        { COMMAND_LINE, "qemu-system-arm\n-machine\nvirt\n-name\nguest=x\n-d\nint\n-dfilter\n"
          "0x10+4\n-serial\nmon:stdio\n-nographic\n--append\na,b\n-device\nthing,on=off,id=a,bus=slot.0,text=x,word=two,size=1K" },
        { CHARDEV, "tcp:[::1]:1234,server=on,wait=off" },
        { CHARDEV, "unix:dir/a,,b,server=on" },
        { CHARDEV, "file:dir/a,b" },
        { CHARDEV, "stdio,signal=off" },
        { KEY_VALUES, "virt,size=0x10M,a,,b=c,noflag,size=1.25T" },
        { LOG_FILTER, "0x1000..0x1fff,0x4000+0x100,0x9000-0x10" },
    };

    return n < ARRAY_SIZE(seeds) ? fuzz_text(seeds[n].form, seeds[n].text) : NULL;
}
