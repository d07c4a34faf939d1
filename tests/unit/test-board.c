/*
 * A board of the test's own, of the same tables as virt: options, rows of devices, their wiring
 * and device tree, -device and -global. It has no GIC, no CPU and no RAM.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include <libfdt.h>
#include "fake-replay.h"
#include "hw/arm/board-fdt.h"
#include "hw/arm/boot-fdt.h"
#include "hw/gpio/gpio-key.h"
#include "hw/gpio/pl061.h"
#include "hw/rtc/pl031.h"
#include "hw/virtio/virtio-mmio.h"
#include "hw/virtio/virtio-rng.h"

/* ---- an interrupt controller that remembers ---- */

typedef struct Collector {
    Device dev;
    bool level[64];
} Collector;

static void collector_set(void *opaque, unsigned n, bool level)
{
    ((Collector *)opaque)->level[n] = level;
}

static IrqLine collector_input(Device *dev, unsigned n)
{
    Collector *c = container_of(dev, Collector, dev);

    g_assert_cmpuint(n, <, ARRAY_SIZE(c->level));
    return (IrqLine) { collector_set, c, n };
}

static const DeviceType collector_type = {
    .name = "collector", .size = sizeof(Collector), .input = collector_input,
};

/* ---- the board ---- */

typedef struct TinyOptions {
    bool button;
    uint32_t number;
} TinyOptions;

static const Property tiny_properties[] = {
    PROP_BOOL("button", TinyOptions, button, "on", "a power button"),
    PROP_UINT("number", TinyOptions, number, "5", 1, 9, "a number"),
    PROP_END
};

enum { PHANDLE_CLOCK = 1, PHANDLE_GPIO };

static void fdt_mark(GByteArray *fdt, const BoardDevice *row)
{
    g_autofree char *path = board_fdt_path(row);

    boot_fdt_set_string(fdt, path, "mark", row->id);
}

static const BoardDevice tiny_devices[] = {
    { &pl061_type, "gpio", 0x1000, .irq = 3, .phandle = PHANDLE_GPIO },
    { &gpio_key_type, "button", .irq = 6, .to = "gpio" },
    { &pl031_type, "clock", 0x5000, .irq = 4, .fdt = fdt_mark },
    { &virtio_mmio_type, "slot", 0x8000, .irq = 10, .count = 3 },
    { .type = NULL }
};

static void press(void *opaque)
{
    gpio_key_press(opaque);
}

static bool tiny_create(Machine *m, BoardConfig *config, Error **errp)
{
    const TinyOptions *options = config->options;

    device_new(&collector_type, m, "collector");
    g_assert_cmpuint(options->number, ==, 7);
    if (!board_add_devices(m, tiny_devices, "collector", errp)) {
        return false;
    }
    if (options->button) {
        m->powerdown = press;
        m->powerdown_opaque = machine_find_device(m, "button");
    }
    return board_plug_devices(m, config, errp);
}

static const BoardType tiny_board = {
    .name = "tiny", .properties = tiny_properties, .options_size = sizeof(TinyOptions),
    .create = tiny_create,
};

static const DeviceType *const types[] = { &virtio_mmio_type, &virtio_rng_type, NULL };

static Machine *create(const char *options, const char *device, const char *global, Error **errp)
{
    g_autoptr(GPtrArray) devices = g_ptr_array_new(), globals = g_ptr_array_new();
    BoardConfig config = { .devices = devices, .globals = globals };
    Machine *m = machine_new(NULL);

    memset(&fake_replay, 0, sizeof(fake_replay));
    m->device_types = types;
    clock_use_icount(m->clock, 0);
    if (device) {
        g_ptr_array_add(devices, (char *)device);
    }
    if (global) {
        g_ptr_array_add(globals, (char *)global);
    }
    config.machine_options = keyval_parse(options, "type", NULL);
    if (!board_create(&tiny_board, m, &config, errp)) {
        g_clear_pointer(&m, machine_free);
    } else {
        machine_reset_devices(m);
    }
    keyval_free(config.machine_options);
    return m;
}

static uint32_t rd(Machine *m, hwaddr addr)
{
    uint64_t value = 0;

    g_assert_true(memory_io_read(m->memory, addr, 4, &value));
    return (uint32_t)value;
}

static void wr(Machine *m, hwaddr addr, uint32_t value)
{
    g_assert_true(memory_io_write(m->memory, addr, 4, value));
}

static void test_devices(void)
{
    static const char *const ids[] = {
        "collector", "gpio", "button", "clock", "slot.0", "slot.1", "slot.2", "virtio-rng0",
    };
    Machine *m = create("tiny,number=7", "virtio-rng-device,bus=virtio-mmio-bus.1",
                        "virtio-mmio.force-legacy=off", NULL);

    g_assert_nonnull(m);
    g_assert_cmpuint(m->devices->len, ==, ARRAY_SIZE(ids));
    for (unsigned i = 0; i < ARRAY_SIZE(ids); i++) {
        g_assert_cmpstr(((Device *)g_ptr_array_index(m->devices, i))->id, ==, ids[i]);
    }
    g_assert_cmphex(rd(m, 0x1fe0), ==, 0x61);
    g_assert_cmphex(rd(m, 0x5fe0), ==, 0x31);
    for (unsigned i = 0; i < 3; i++) {
        g_assert_cmphex(rd(m, 0x8004 + i * 0x200), ==, 2);
        g_assert_cmphex(rd(m, 0x8008 + i * 0x200), ==, i == 1 ? 4 : 0);
    }
    g_assert_null(memory_find(m->memory, 0x8600));
    machine_free(m);
}

/* A row's interrupt arrives at the input that it names. */
static void test_interrupts(void)
{
    Machine *m = create("tiny,number=7", NULL, NULL, NULL);
    const Collector *c = container_of(machine_find_device(m, "collector"), Collector, dev);

    g_assert_nonnull(m->powerdown);
    /* The button is on GPIO line 6, the GPIO on 3: both edges of that line interrupt. */
    wr(m, 0x1408, 1u << 6);
    wr(m, 0x1410, 1u << 6);
    m->powerdown(m->powerdown_opaque);
    g_assert_cmphex(rd(m, 0x1414), ==, 1u << 6);
    g_assert_true(c->level[3]);
    wr(m, 0x141c, 1u << 6);
    g_assert_false(c->level[3]);
    /* The clock's alarm, which is due at once, on 4. */
    wr(m, 0x5010, 1);
    wr(m, 0x5004, rd(m, 0x5000) + 0x01010101u * 8);
    clock_warp(m->clock, INT64_MAX / 2);
    clock_run_timers(m->clock);
    g_assert_true(c->level[4]);
    machine_free(m);
}

static void test_options(void)
{
    static const struct {
        const char *options, *device, *global, *message;
    } bad[] = {
        { "tiny,number=7,buton=off", NULL, NULL,
          "-machine tiny: unknown option 'buton', did you mean 'button'?" },
        { "tiny,number=10", NULL, NULL, "-machine tiny: number=10 is out of range: 1..9" },
        { "tiny,number=7", "virtio-rng-device,bus=virtio-mmio-bus.3", NULL,
          "-device virtio-rng-device: no bus 'virtio-mmio-bus.3'; there are virtio-mmio-bus.0 to "
          "virtio-mmio-bus.2" },
        { "tiny,number=7", NULL, "pl031.x=1",
          "-global pl031.x=1: unknown device 'pl031'; -device takes: virtio-rng-device" },
    };
    Machine *m = create("tiny,number=7,button=off", NULL, NULL, NULL);

    g_assert_null(m->powerdown);
    machine_free(m);
    for (unsigned i = 0; i < ARRAY_SIZE(bad); i++) {
        Error *err = NULL;

        g_assert_null(create(bad[i].options, bad[i].device, bad[i].global, &err));
        g_assert_cmpstr(error_get_pretty(err), ==, bad[i].message);
        error_free(err);
    }
}

static void assert_cells(GByteArray *fdt, const char *path, const char *name,
                         const uint32_t *cells, int num)
{
    int length, node = fdt_path_offset(fdt->data, path);
    const fdt32_t *value = fdt_getprop(fdt->data, node, name, &length);

    g_test_message("%s %s", path, name);
    g_assert_nonnull(value);
    g_assert_cmpint(length, ==, num * 4);
    for (int i = 0; i < num; i++) {
        g_assert_cmphex(fdt32_to_cpu(value[i]), ==, cells[i]);
    }
}

#define ASSERT_CELLS(fdt, path, name, ...)                                 \
    assert_cells(fdt, path, name, (const uint32_t[]){ __VA_ARGS__ },       \
                 sizeof((const uint32_t[]){ __VA_ARGS__ }) / 4)

static void test_tree(void)
{
    GByteArray *fdt = boot_fdt_new();
    int length;

    board_fdt_add_devices(fdt, tiny_devices, PHANDLE_CLOCK);
    ASSERT_CELLS(fdt, "/pl061@1000", "reg", 0, 0x1000, 0, 0x1000);
    ASSERT_CELLS(fdt, "/pl061@1000", "interrupts", 0, 3, 4);
    ASSERT_CELLS(fdt, "/pl061@1000", "phandle", PHANDLE_GPIO);
    ASSERT_CELLS(fdt, "/pl061@1000", "#gpio-cells", 2);
    ASSERT_CELLS(fdt, "/pl031@5000", "clocks", PHANDLE_CLOCK);
    ASSERT_CELLS(fdt, "/virtio_mmio@8400", "reg", 0, 0x8400, 0, 0x200);
    ASSERT_CELLS(fdt, "/virtio_mmio@8400", "interrupts", 0, 12, 1);
    g_assert_cmpstr(fdt_getprop(fdt->data, fdt_path_offset(fdt->data, "/pl031@5000"), "mark",
                                &length), ==, "clock");
    /* What has no binding has no node. */
    g_assert_cmpint(fdt_path_offset(fdt->data, "/gpio-key@0"), <, 0);
    g_byte_array_unref(fdt);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/board/devices", test_devices);
    g_test_add_func("/board/interrupts", test_interrupts);
    g_test_add_func("/board/options", test_options);
    g_test_add_func("/board/tree", test_tree);
    return g_test_run();
}
