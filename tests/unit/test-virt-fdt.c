/*
 * The virt board's device tree, parsed with libfdt: what the kernel will find.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include <libfdt.h>
#include "hw/arm/boot-fdt.h"
#include "hw/arm/virt-fdt.h"
#include "hw/arm/virt-map.h"
#include "hw/core/platform-bus.h"

static GByteArray *build(unsigned num_cpus, bool seeds)
{
    VirtFdtConfig config = {
        .num_cpus = num_cpus, .cpu_compatible = "arm,cortex-a53", .devices = virt_devices,
        .random_seeds = seeds,
    };
    BootFdtInfo info = {
        .ram_base = 0x40000000, .ram_size = 0x140000000ull, .bootargs = "console=ttyAMA0",
        .initrd_start = 0x48000000, .initrd_end = 0x48123456, .psci_method = "hvc",
    };
    GByteArray *fdt = virt_fdt_build(&config);

    g_assert_true(boot_fdt_complete(fdt, &info, NULL));
    boot_fdt_pack(fdt);
    g_assert_cmpint(fdt_check_full(fdt->data, fdt->len), ==, 0);
    return fdt;
}

static GByteArray *build_grouped(unsigned num_cpus, CpuTopology topology)
{
    VirtFdtConfig config = {
        .num_cpus = num_cpus, .cpu_compatible = "arm,cortex-a53", .devices = virt_devices,
        .topology = topology,
    };

    return virt_fdt_build(&config);
}

static void assert_cells(GByteArray *fdt, const char *path, const char *name,
                         const uint32_t *cells, unsigned num)
{
    int length, node = fdt_path_offset(fdt->data, path);
    const fdt32_t *value = node < 0 ? NULL : fdt_getprop(fdt->data, node, name, &length);

    g_test_message("%s %s", path, name);
    g_assert_nonnull(value);
    g_assert_cmpint(length, ==, num * 4);
    for (unsigned i = 0; i < num; i++) {
        g_assert_cmphex(fdt32_to_cpu(value[i]), ==, cells[i]);
    }
}

#define ASSERT_CELLS(fdt, path, name, ...)                                 \
    assert_cells(fdt, path, name, (const uint32_t[]){ __VA_ARGS__ },       \
                 sizeof((const uint32_t[]){ __VA_ARGS__ }) / 4)

/* A list of strings is given with "|" between its members. */
static void assert_strings(GByteArray *fdt, const char *path, const char *name,
                           const char *expected)
{
    int node = fdt_path_offset(fdt->data, path), length;
    g_auto(GStrv) want = g_strsplit(expected, "|", 0);

    g_test_message("%s %s", path, name);
    g_assert_cmpint(node, >=, 0);
    g_assert_cmpint(fdt_stringlist_count(fdt->data, node, name), ==, (int)g_strv_length(want));
    for (int i = 0; want[i]; i++) {
        g_assert_cmpstr(fdt_stringlist_get(fdt->data, node, name, i, &length), ==, want[i]);
    }
}

static void test_addresses(void)
{
    GByteArray *fdt = build(2, true);

    ASSERT_CELLS(fdt, "/memory@40000000", "reg", 0, 0x40000000, 1, 0x40000000);
    ASSERT_CELLS(fdt, "/flash@0", "reg", 0, 0, 0, 0x4000000, 0, 0x4000000, 0, 0x4000000);
    ASSERT_CELLS(fdt, "/intc@8000000", "reg", 0, 0x8000000, 0, 0x10000, 0, 0x8010000, 0, 0x10000);
    ASSERT_CELLS(fdt, "/intc@8000000/v2m@8020000", "reg", 0, 0x8020000, 0, 0x1000);
    ASSERT_CELLS(fdt, "/pl011@9000000", "reg", 0, 0x9000000, 0, 0x1000);
    ASSERT_CELLS(fdt, "/pl031@9010000", "reg", 0, 0x9010000, 0, 0x1000);
    ASSERT_CELLS(fdt, "/pl061@9030000", "reg", 0, 0x9030000, 0, 0x1000);
    ASSERT_CELLS(fdt, "/fw-cfg@9020000", "reg", 0, 0x9020000, 0, 0x18);
    ASSERT_CELLS(fdt, "/virtio_mmio@a000000", "reg", 0, 0xa000000, 0, 0x200);
    ASSERT_CELLS(fdt, "/virtio_mmio@a003e00", "reg", 0, 0xa003e00, 0, 0x200);
    g_byte_array_unref(fdt);
}

static void test_interrupts(void)
{
    GByteArray *fdt = build(2, true);
    uint32_t gic = fdt_get_phandle(fdt->data, fdt_path_offset(fdt->data, "/intc@8000000"));

    g_assert_cmphex(gic, !=, 0);
    ASSERT_CELLS(fdt, "/", "interrupt-parent", gic);
    ASSERT_CELLS(fdt, "/intc@8000000", "#interrupt-cells", 3);
    ASSERT_CELLS(fdt, "/pl011@9000000", "interrupts", 0, 1, 4);
    ASSERT_CELLS(fdt, "/pl031@9010000", "interrupts", 0, 2, 4);
    ASSERT_CELLS(fdt, "/pl061@9030000", "interrupts", 0, 7, 4);
    ASSERT_CELLS(fdt, "/virtio_mmio@a000000", "interrupts", 0, 16, 1);
    ASSERT_CELLS(fdt, "/virtio_mmio@a003e00", "interrupts", 0, 47, 1);
    ASSERT_CELLS(fdt, "/timer", "interrupts", 1, 13, 0x304, 1, 14, 0x304, 1, 11, 0x304,
                 1, 10, 0x304);
    g_byte_array_unref(fdt);
    fdt = build(8, true);
    ASSERT_CELLS(fdt, "/timer", "interrupts", 1, 13, 0xff04, 1, 14, 0xff04, 1, 11, 0xff04,
                 1, 10, 0xff04);
    g_byte_array_unref(fdt);
}

static void test_identification(void)
{
    GByteArray *fdt = build(1, true);
    uint32_t clock = fdt_get_phandle(fdt->data, fdt_path_offset(fdt->data, "/apb-pclk"));
    uint32_t gpio = fdt_get_phandle(fdt->data, fdt_path_offset(fdt->data, "/pl061@9030000"));

    assert_strings(fdt, "/", "compatible", "linux,dummy-virt");
    assert_strings(fdt, "/intc@8000000", "compatible", "arm,cortex-a15-gic");
    assert_strings(fdt, "/intc@8000000/v2m@8020000", "compatible", "arm,gic-v2m-frame");
    assert_cells(fdt, "/intc@8000000/v2m@8020000", "msi-controller", NULL, 0);
    assert_strings(fdt, "/pl011@9000000", "compatible", "arm,pl011|arm,primecell");
    assert_strings(fdt, "/pl011@9000000", "clock-names", "uartclk|apb_pclk");
    assert_strings(fdt, "/timer", "compatible", "arm,armv8-timer|arm,armv7-timer");
    assert_strings(fdt, "/psci", "compatible", "arm,psci-1.0|arm,psci-0.2|arm,psci");
    assert_strings(fdt, "/psci", "method", "hvc");
    ASSERT_CELLS(fdt, "/psci", "cpu_on", 0xc4000003);
    ASSERT_CELLS(fdt, "/apb-pclk", "clock-frequency", 24000000);
    ASSERT_CELLS(fdt, "/pl011@9000000", "clocks", clock, clock);
    ASSERT_CELLS(fdt, "/gpio-keys/poweroff", "gpios", gpio, 3, 0);
    ASSERT_CELLS(fdt, "/gpio-keys/poweroff", "linux,code", 116);
    /* what the board has not */
    g_assert_false(boot_fdt_has_node(fdt, "/pmu"));
    g_byte_array_unref(fdt);
}

/* Three cells of a PCI address, two of the CPUs', two of the size. */
#define RANGE(kind, pci, cpu, size)                                                     \
    kind, (uint32_t)((pci) >> 32), (uint32_t)(pci), (uint32_t)((cpu) >> 32), (uint32_t)(cpu), \
    (uint32_t)((size) >> 32), (uint32_t)(size)

static void test_pcie(void)
{
    const char *path = "/pcie@10000000";
    g_autofree BoardDevice *low = virt_device_rows(false);
    VirtFdtConfig config = { .num_cpus = 1, .cpu_compatible = "arm,cortex-a53", .devices = low };
    GByteArray *fdt = build(1, true);
    uint32_t gic = fdt_get_phandle(fdt->data, fdt_path_offset(fdt->data, "/intc@8000000"));
    uint32_t msi = fdt_get_phandle(fdt->data,
                                   fdt_path_offset(fdt->data, "/intc@8000000/v2m@8020000"));
    const fdt32_t *map;

    assert_strings(fdt, path, "compatible", "pci-host-ecam-generic");
    ASSERT_CELLS(fdt, path, "reg", 0x40, 0x10000000, 0, 0x10000000);
    ASSERT_CELLS(fdt, path, "bus-range", 0, 255);
    ASSERT_CELLS(fdt, path, "msi-map", 0, msi, 0, 0x10000);
    assert_cells(fdt, path, "dma-coherent", NULL, 0);
    ASSERT_CELLS(fdt, path, "interrupt-map-mask", 0x1800, 0, 0, 7);
    ASSERT_CELLS(fdt, path, "ranges",
                 RANGE(0x1000000, 0ull, 0x3eff0000ull, 0x10000ull),
                 RANGE(0x2000000, 0x10000000ull, 0x10000000ull, 0x2eff0000ull),
                 RANGE(0x3000000, 0x8000000000ull, 0x8000000000ull, 0x8000000000ull));
    map = (const void *)boot_fdt_value(fdt, path, "interrupt-map", 16 * 10 * 4);
    g_assert_nonnull(map);
    /* Slot 2, INTC: line 0 again. */
    for (unsigned i = 0; i < 10; i++) {
        const uint32_t entry[] = { 0x1000, 0, 0, 3, gic, 0, 0, 0, 3, 4 };

        g_assert_cmphex(fdt32_to_cpu(map[10 * (4 * 2 + 2) + i]), ==, entry[i]);
    }
    g_byte_array_unref(fdt);
    fdt = virt_fdt_build(&config);
    ASSERT_CELLS(fdt, path, "reg", 0, 0x3f000000, 0, 0x1000000);
    ASSERT_CELLS(fdt, path, "bus-range", 0, 15);
    ASSERT_CELLS(fdt, path, "ranges",
                 RANGE(0x1000000, 0ull, 0x3eff0000ull, 0x10000ull),
                 RANGE(0x2000000, 0x10000000ull, 0x10000000ull, 0x2eff0000ull));
    g_byte_array_unref(fdt);
}

static void test_cpus(void)
{
    GByteArray *fdt = build(3, true);
    uint32_t phandle = fdt_get_phandle(fdt->data, fdt_path_offset(fdt->data, "/cpus/cpu@2"));

    ASSERT_CELLS(fdt, "/cpus/cpu@0", "reg", 0);
    ASSERT_CELLS(fdt, "/cpus/cpu@2", "reg", 2);
    assert_strings(fdt, "/cpus/cpu@2", "compatible", "arm,cortex-a53");
    assert_strings(fdt, "/cpus/cpu@2", "enable-method", "psci");
    ASSERT_CELLS(fdt, "/cpus/cpu-map/socket0/cluster0/core2", "cpu", phandle);
    g_assert_false(boot_fdt_has_node(fdt, "/cpus/cpu@3"));
    /* the kernel numbers CPUs in tree order */
    g_assert_cmpint(fdt_path_offset(fdt->data, "/cpus/cpu@0"), <,
                    fdt_path_offset(fdt->data, "/cpus/cpu@1"));
    g_byte_array_unref(fdt);
}

static bool has(GByteArray *fdt, const char *path, const char *name)
{
    return fdt_getprop(fdt->data, fdt_path_offset(fdt->data, path), name, NULL) != NULL;
}

/* Linux's numa.txt: memory and CPUs name their node. */
static void test_numa(void)
{
    VirtFdtConfig config = {
        .num_cpus = 2, .cpu_compatible = "arm,cortex-a53", .devices = virt_devices, .numa = true,
    };
    BootFdtInfo info = { .ram_base = 0x40000000, .ram_size = 0x8000000, .numa = true };
    GByteArray *fdt = virt_fdt_build(&config), *plain = build(1, false);

    g_assert_true(boot_fdt_complete(fdt, &info, NULL));
    ASSERT_CELLS(fdt, "/memory@40000000", "numa-node-id", 0);
    ASSERT_CELLS(fdt, "/cpus/cpu@0", "numa-node-id", 0);
    ASSERT_CELLS(fdt, "/cpus/cpu@1", "numa-node-id", 0);
    g_assert_false(has(plain, "/memory@40000000", "numa-node-id"));
    g_assert_false(has(plain, "/cpus/cpu@0", "numa-node-id"));
    g_byte_array_unref(fdt);
    g_byte_array_unref(plain);
}

static void test_chosen(void)
{
    GByteArray *fdt = build(1, true);

    assert_strings(fdt, "/chosen", "stdout-path", "/pl011@9000000");
    assert_strings(fdt, "/chosen", "bootargs", "console=ttyAMA0");
    ASSERT_CELLS(fdt, "/chosen", "linux,initrd-start", 0x48000000);
    ASSERT_CELLS(fdt, "/chosen", "linux,initrd-end", 0x48123456);
    ASSERT_CELLS(fdt, "/chosen", "kaslr-seed", 0, 0);
    g_assert_nonnull(boot_fdt_value(fdt, "/chosen", "rng-seed", 32));
    g_assert_null(boot_fdt_value(fdt, "/chosen", "rng-seed", 31));
    g_assert_null(boot_fdt_value(fdt, "/nowhere", "rng-seed", 32));
    g_byte_array_unref(fdt);
    fdt = build(1, false);
    g_assert_null(boot_fdt_value(fdt, "/chosen", "rng-seed", 32));
    g_assert_null(boot_fdt_value(fdt, "/chosen", "kaslr-seed", 8));
    g_byte_array_unref(fdt);
}

/* Same configuration, same bytes: recordings compare them. */
static void test_deterministic(void)
{
    GByteArray *a = build(4, true), *b = build(4, true), *c = build(5, true);

    g_assert_cmpmem(a->data, a->len, b->data, b->len);
    g_assert_cmpuint(a->len, !=, c->len);
    g_byte_array_unref(a);
    g_byte_array_unref(b);
    g_byte_array_unref(c);
}

/* A user's tree: memory replaced, the rest kept, one-cell addresses respected. */
static void test_user_tree(void)
{
    BootFdtInfo info = {
        .ram_base = 0x40000000, .ram_size = 0x8000000, .bootargs = "quiet", .psci_method = "hvc",
    };
    GByteArray *user = boot_fdt_new(), *fdt;
    Error *err = NULL;

    BOOT_FDT_CELLS(user, "/", "#address-cells", 1);
    BOOT_FDT_CELLS(user, "/", "#size-cells", 1);
    boot_fdt_set_string(user, "/memory@80000000", "device_type", "memory");
    boot_fdt_set_string(user, "/memory", "device_type", "memory");
    boot_fdt_set_string(user, "/ram", "device_type", "memory");
    boot_fdt_set_string(user, "/chosen", "bootargs", "old");
    boot_fdt_set_string(user, "/psci", "method", "smc");
    boot_fdt_pack(user);

    fdt = boot_fdt_parse("user.dtb", user->data, user->len, NULL);
    g_assert_nonnull(fdt);
    g_assert_true(boot_fdt_complete(fdt, &info, NULL));
    boot_fdt_pack(fdt);
    ASSERT_CELLS(fdt, "/memory@40000000", "reg", 0x40000000, 0x8000000);
    g_assert_false(boot_fdt_has_node(fdt, "/memory@80000000"));
    g_assert_false(boot_fdt_has_node(fdt, "/ram"));
    assert_strings(fdt, "/chosen", "bootargs", "quiet");
    assert_strings(fdt, "/psci", "method", "smc");

    info.ram_size = 1ull << 32;
    g_assert_false(boot_fdt_complete(fdt, &info, &err));
    g_assert_nonnull(strstr(error_get_pretty(err), "4096 MiB"));
    error_free(err);
    g_byte_array_unref(fdt);
    g_byte_array_unref(user);
}

static void test_damaged_tree(void)
{
    GByteArray *good = build(1, true);
    Error *err = NULL;

    for (unsigned length = 0; length < good->len; length += 97) {
        g_autofree uint8_t *copy = g_malloc(length + 1);

        memcpy(copy, good->data, length);
        g_assert_null(boot_fdt_parse("cut.dtb", copy, length, NULL));
    }
    good->data[fdt_off_dt_struct(good->data) + 3] = 0x77;
    g_assert_null(boot_fdt_parse("bad.dtb", good->data, good->len, &err));
    g_assert_nonnull(strstr(error_get_pretty(err), "bad.dtb"));
    error_free(err);
    g_byte_array_unref(good);
}

static void assert_cpu_at(GByteArray *fdt, unsigned cpu, const char *place)
{
    g_autofree char *node = g_strdup_printf("/cpus/cpu@%u", cpu);
    g_autofree char *path = g_strdup_printf("/cpus/cpu-map/%s", place);
    uint32_t phandle = fdt_get_phandle(fdt->data, fdt_path_offset(fdt->data, node));

    g_assert_cmphex(phandle, !=, 0);
    ASSERT_CELLS(fdt, path, "cpu", phandle);
}

static void test_topology(void)
{
    GByteArray *fdt = build_grouped(8, (CpuTopology){ 8, 8, 2, 1, 2, 2 });

    assert_cpu_at(fdt, 0, "socket0/cluster0/core0/thread0");
    assert_cpu_at(fdt, 3, "socket0/cluster0/core1/thread1");
    assert_cpu_at(fdt, 4, "socket1/cluster0/core0/thread0");
    assert_cpu_at(fdt, 7, "socket1/cluster0/core1/thread1");
    g_byte_array_unref(fdt);

    fdt = build_grouped(8, (CpuTopology){ 8, 8, 2, 2, 2, 1 });
    assert_cpu_at(fdt, 0, "socket0/cluster0/core0");
    assert_cpu_at(fdt, 2, "socket0/cluster1/core0");
    assert_cpu_at(fdt, 7, "socket1/cluster1/core1");
    g_byte_array_unref(fdt);

    /* CPUs that could be added later have no node. */
    fdt = build_grouped(3, (CpuTopology){ 3, 4, 2, 1, 2, 1 });
    assert_cpu_at(fdt, 2, "socket1/cluster0/core0");
    g_assert_false(boot_fdt_has_node(fdt, "/cpus/cpu-map/socket1/cluster0/core1"));
    g_byte_array_unref(fdt);
}

/* What -device puts on the platform bus: addresses of one cell, and an interrupt for each slot. */
static void test_platform_bus(void)
{
    Machine *m = machine_new(NULL);
    Device *pb = device_add(m, &platform_bus_type, "pb", VIRT_PLATFORM_BUS_BASE, IRQ_NONE, NULL);
    VirtFdtConfig config = {
        .num_cpus = 1, .cpu_compatible = "arm,cortex-a53", .devices = virt_devices,
        .platform_bus = platform_bus(pb),
    };
    GByteArray *fdt;

    m->device_types = device_types;
    g_assert_true(device_plug(m, "pvpanic-mmio", NULL));
    g_assert_true(device_plug(m, "sbsa-gwdt", NULL));
    fdt = virt_fdt_build(&config);
    assert_strings(fdt, "/platform-bus@c000000/pvpanic@0", "compatible", "qemu,pvpanic-mmio");
    ASSERT_CELLS(fdt, "/platform-bus@c000000/pvpanic@0", "reg", 0, 2);
    assert_strings(fdt, "/platform-bus@c000000/watchdog@10000", "compatible", "arm,sbsa-gwdt");
    ASSERT_CELLS(fdt, "/platform-bus@c000000/watchdog@10000", "reg", 0x10000, 0x1000, 0x11000,
                 0x1000);
    ASSERT_CELLS(fdt, "/platform-bus@c000000/watchdog@10000", "interrupts", 0, 113, 4);
    ASSERT_CELLS(fdt, "/platform-bus@c000000", "ranges", 0, 0, 0x0c000000, 0x02000000);
    g_byte_array_unref(fdt);
    machine_free(m);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/virt-fdt/addresses", test_addresses);
    g_test_add_func("/virt-fdt/interrupts", test_interrupts);
    g_test_add_func("/virt-fdt/identification", test_identification);
    g_test_add_func("/virt-fdt/pcie", test_pcie);
    g_test_add_func("/virt-fdt/cpus", test_cpus);
    g_test_add_func("/virt-fdt/topology", test_topology);
    g_test_add_func("/virt-fdt/numa", test_numa);
    g_test_add_func("/virt-fdt/chosen", test_chosen);
    g_test_add_func("/virt-fdt/deterministic", test_deterministic);
    g_test_add_func("/virt-fdt/user-tree", test_user_tree);
    g_test_add_func("/virt-fdt/damaged-tree", test_damaged_tree);
    g_test_add_func("/virt-fdt/platform-bus", test_platform_bus);
    return g_test_run();
}
