/*
 * The virt board as a whole: what is where, how it resets, what it refuses.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "accel/tcg/tcg.h"
#include "hw/core/board.h"
#include "hw/gpio/pl061.h"
#include "replay/replay.h"
#include "target/arm/cpu.h"
#include "util/keyval.h"

#define MIB (1ull << 20)

typedef struct Board {
    Replay *replay;
    Machine *m;
    TcgContext *tcg;
    BoardConfig config;
} Board;

static char *create(Board *b)
{
    ReplayConfig replay = { .mode = REPLAY_MODE_NONE };
    const BoardType *type = board_find("virt", NULL);
    Error *err = NULL;
    char *message;

    g_assert_nonnull(type);
    b->replay = replay_new(&replay, NULL);
    b->m = machine_new(b->replay);
    b->m->device_types = device_types;
    if (board_create(type, b->m, &b->config, &err)) {
        TcgConfig tcg = { .interp = true };

        g_assert_true(replay_start(b->replay, NULL));
        b->tcg = tcg_new(b->m, &tcg, NULL);
        for (unsigned i = 0; i < b->m->num_cpus; i++) {
            tcg_add_vcpu(b->tcg, b->m->cpus[i]);
        }
        return NULL;
    }
    message = g_strdup(error_get_pretty(err));
    error_free(err);
    return message;
}

static void destroy(Board *b)
{
    tcg_free(b->tcg);
    for (unsigned i = 0; i < b->m->num_cpus; i++) {
        b->m->cpus[i]->ops->free(b->m->cpus[i]);
    }
    machine_free(b->m);
    replay_free(b->replay);
}

static uint32_t io_read(Board *b, hwaddr addr)
{
    uint64_t value = 0;

    g_assert_true(memory_io_read(b->m->memory, addr, 4, &value));
    return (uint32_t)value;
}

static void io_write(Board *b, hwaddr addr, uint32_t value)
{
    g_assert_true(memory_io_write(b->m->memory, addr, 4, value));
}

static void test_map(void)
{
    Board b = { .config = { .ram_size = 128 * MIB, .num_cpus = 2 } };
    g_autoptr(GPtrArray) devices = g_ptr_array_new();
    const MemRegion *ram;

    g_ptr_array_add(devices, (char *)"virtio-rng-device");
    b.config.devices = devices;
    g_assert_null(create(&b));
    machine_reset_devices(b.m);
    g_assert_cmpuint(b.m->num_cpus, ==, 2);
    g_assert_cmpuint(b.m->serial->len, ==, 1);
    ram = memory_find(b.m->memory, 0x40000000);
    g_assert_nonnull(ram);
    g_assert_cmphex(ram->size, ==, 128 * MIB);
    g_assert_null(memory_find(b.m->memory, 0x48000000));
    g_assert_true(memory_find(b.m->memory, 0)->readonly);
    g_assert_true(memory_find(b.m->memory, 0x7ffffff)->readonly);
    /* PrimeCell IDs of PL011, PL031, PL061; GICD_TYPER for 288 ids and 2 CPUs */
    g_assert_cmphex(io_read(&b, 0x09000fe0), ==, 0x11);
    g_assert_cmphex(io_read(&b, 0x09010fe0), ==, 0x31);
    g_assert_cmphex(io_read(&b, 0x09030fe0), ==, 0x61);
    g_assert_cmphex(io_read(&b, 0x08000004) & 0xff, ==, 0x28);
    g_assert_cmphex(io_read(&b, 0x0a003e08), ==, 4);
    g_assert_cmphex(io_read(&b, 0x0a003c08), ==, 0);
    g_assert_cmphex(io_read(&b, 0x0a000000), ==, 0x74726976);
    destroy(&b);
}

static void test_interrupt_wiring(void)
{
    Board b = { .config = { .ram_size = 128 * MIB, .num_cpus = 2 } };
    const ArmCpu *cpu;

    g_assert_null(create(&b));
    machine_reset_devices(b.m);
    cpu = arm_cpu(b.m->cpus[1]);
    /* the virtual timer's PPI is pending on its own CPU only: id 27 */
    irq_set(&cpu->timer_irq[1], true);
    g_assert_cmphex(io_read(&b, 0x08000200) & (1u << 27), ==, 0);
    b.m->current_cpu = 1;
    g_assert_cmphex(io_read(&b, 0x08000200) & (1u << 27), ==, 1u << 27);
    irq_set(&cpu->timer_irq[1], false);
    b.m->current_cpu = 0;
    for (unsigned i = 0; i < 4; i++) {
        static const unsigned ids[] = { 30, 27, 26, 29 };

        cpu = arm_cpu(b.m->cpus[0]);
        irq_set(&cpu->timer_irq[i], true);
        g_assert_cmphex(io_read(&b, 0x08000200) & (1u << ids[i]), ==, 1u << ids[i]);
        irq_set(&cpu->timer_irq[i], false);
    }
    /* messages: the frame's first and last id, as its own register tells them, edge-triggered */
    g_assert_cmphex(io_read(&b, 0x08020008), ==, 80 << 16 | 64);
    for (unsigned id = 80; id < 144; id += 63) {
        io_write(&b, 0x08000c00 + id / 16 * 4, UINT32_MAX);
        io_write(&b, 0x08020040, id);
        g_assert_cmphex(io_read(&b, 0x08000200 + id / 32 * 4), ==, 1u << id % 32);
    }
    destroy(&b);
}

static void test_power_button(void)
{
    Board b = { .config = { .ram_size = 128 * MIB, .num_cpus = 1 } };

    g_assert_null(create(&b));
    machine_reset_devices(b.m);
    /* PL061 line 3: interrupt on its rising edge, which is SPI 7 (id 39) */
    io_write(&b, 0x0903040c, 1u << 3);
    io_write(&b, 0x09030410, 1u << 3);
    g_assert_nonnull(b.m->powerdown);
    b.m->powerdown(b.m->powerdown_opaque);
    g_assert_cmphex(io_read(&b, 0x09030418), ==, 1u << 3);
    g_assert_cmphex(io_read(&b, 0x08000204) & (1u << 7), ==, 1u << 7);
    destroy(&b);
}

static void test_cpus_at_reset(void)
{
    Board b = { .config = { .ram_size = 128 * MIB, .num_cpus = 3, .cpu_model = "cortex-a53" } };

    g_assert_null(create(&b));
    for (unsigned i = 0; i < 3; i++) {
        b.m->cpus[i]->ops->reset(b.m->cpus[i]);
        g_assert_cmphex(arm_cpu(b.m->cpus[i])->mpidr & 0xff, ==, i);
        g_assert_cmpint(b.m->cpus[i]->powered_off, ==, i > 0);
        g_assert_cmpint(arm_cpu(b.m->cpus[i])->s.el, ==, 1);
        g_assert_false(arm_cpu(b.m->cpus[i])->psci_conduit_smc);
    }
    /* nothing to boot: the CPU starts in flash, or where the user says */
    g_assert_cmphex(b.m->cpus[0]->pc, ==, 0);
    destroy(&b);
    b.config.cpu_model = "cortex-a53,rvbar=0x4000000";
    g_assert_null(create(&b));
    b.m->cpus[0]->ops->reset(b.m->cpus[0]);
    g_assert_cmphex(b.m->cpus[0]->pc, ==, 0x4000000);
    destroy(&b);
}

static void test_kernel_entry(void)
{
    uint8_t image[4096] = { 0 };
    g_autofree char *path = NULL;
    int fd = g_file_open_tmp("test-virt-XXXXXX", &path, NULL);
    Board b = { .config = { .ram_size = 128 * MIB, .num_cpus = 1 } };

    g_assert_cmpint(fd, >=, 0);
    memcpy(image + 56, "ARM\x64", 4);
    image[17] = 0x10;       /* image_size 4096 */
    g_assert_true(g_file_set_contents(path, (const char *)image, sizeof(image), NULL));
    b.config.kernel = path;
    g_assert_null(create(&b));
    b.m->cpus[0]->ops->reset(b.m->cpus[0]);
    g_assert_cmphex(b.m->cpus[0]->pc, ==, 0x40200000);
    g_assert_cmphex(b.m->cpus[0]->slot[0], ==, 0x44000000);
    destroy(&b);
    remove(path);
}

static void assert_refused(BoardConfig config, const char *part)
{
    Board b = { .config = config };
    g_autofree char *message = create(&b);

    g_test_message("%s", message ? message : "accepted");
    g_assert_nonnull(message);
    g_assert_nonnull(strstr(message, part));
    destroy(&b);
}

static void test_refused(void)
{
    BoardConfig good = { .ram_size = 128 * MIB, .num_cpus = 1 }, c;
    g_autoptr(GPtrArray) globals = g_ptr_array_new();
    Error *err = NULL;

    c = good, c.num_cpus = 9;
    assert_refused(c, "-smp 9");
    c = good, c.num_cpus = 0;
    assert_refused(c, "-smp 0");
    c = good, c.ram_size = 4097;
    assert_refused(c, "4097 bytes");
    c = good, c.ram_size = 256ull << 30;
    assert_refused(c, "255 GiB");
    c = good, c.cpu_model = "cortex-a5x";
    assert_refused(c, "cortex-a5x");
    c = good, c.ram_size = 4096 * MIB;
    c.machine_options = keyval_parse("virt,highmem=off", "type", NULL);
    assert_refused(c, "highmem=off limits RAM to 3072 MiB, but -m asks for 4096 MiB");
    keyval_free(c.machine_options);

    c = good, c.cpu_model = "cortex-a57,pmu=on";
    assert_refused(c, "-cpu cortex-a57: pmu=on is not supported");
    c = good, c.globals = globals;
    g_ptr_array_add(globals, (char *)"arm_gic.num-irq=64");
    assert_refused(c, "-global arm_gic.num-irq=64: this machine needs num-irq=288 for 'gic'");
    globals->pdata[0] = (char *)"cfi.pflash01.num-blocks=64";
    assert_refused(c, "-global cfi.pflash01.num-blocks=64: this machine needs num-blocks=256 for "
                   "'flash0'");
    globals->pdata[0] = (char *)"arm_gic.num-cpu=9";
    assert_refused(c, "num-cpu=9 is out of range: 0..8");
    globals->pdata[0] = (char *)"arm_gic.num-cpu=2";
    assert_refused(c, "device 'gic': num-cpu=2: this machine has 1 (-smp)");

    g_assert_null(board_find("vrit", &err));
    g_assert_nonnull(strstr(error_get_pretty(err), "did you mean 'virt'"));
    error_free(err);
    g_assert_true(board_find("virt-7.2", NULL) == board_find("virt", NULL));
}

/* Which device ID stands at each transport, with each of the strings after -device. */
static char *plug(const char *const *strings, const char *global, uint32_t ids[32])
{
    g_autoptr(GPtrArray) devices = g_ptr_array_new(), globals = g_ptr_array_new();
    Board b = { .config = { .ram_size = 128 * MIB, .num_cpus = 1 } };
    char *message;

    for (unsigned i = 0; strings[i]; i++) {
        g_ptr_array_add(devices, (char *)strings[i]);
    }
    if (global) {
        g_ptr_array_add(globals, (char *)global);
    }
    b.config.devices = devices;
    b.config.globals = globals;
    message = create(&b);
    for (unsigned i = 0; !message && i < 32; i++) {
        ids[i] = io_read(&b, 0x0a000008 + i * 0x200);
        g_assert_cmphex(io_read(&b, 0x0a000004 + i * 0x200), ==, global ? 2 : 1);
    }
    destroy(&b);
    return message;
}

#define STRINGS(...) ((const char *const[]){ __VA_ARGS__, NULL })

static void test_devices(void)
{
    const char *many[34] = { NULL };
    g_autofree char *message = NULL;
    uint32_t ids[32];

    g_assert_null(plug(STRINGS("virtio-rng-device", "virtio-rng-device,id=mine",
                               "virtio-rng-device,bus=virtio-mmio-bus.3",
                               "driver=virtio-rng-device"), NULL, ids));
    for (unsigned i = 0; i < 32; i++) {
        g_assert_cmpuint(ids[i], ==, i >= 29 || i == 3 ? 4 : 0);
    }
    g_assert_null(plug(STRINGS("virtio-rng-device"), "virtio-mmio.force-legacy=off", ids));
    for (unsigned i = 0; i <= 32; i++) {
        many[i] = "virtio-rng-device";
    }
    message = plug(many, NULL, ids);
    g_assert_cmpstr(message, ==, "-device virtio-rng-device: each virtio-bus has a device already "
                    "(all 32 of them)");
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/virt-board/map", test_map);
    g_test_add_func("/virt-board/interrupt-wiring", test_interrupt_wiring);
    g_test_add_func("/virt-board/power-button", test_power_button);
    g_test_add_func("/virt-board/cpus-at-reset", test_cpus_at_reset);
    g_test_add_func("/virt-board/kernel-entry", test_kernel_entry);
    g_test_add_func("/virt-board/refused", test_refused);
    g_test_add_func("/virt-board/devices", test_devices);
    return g_test_run();
}
