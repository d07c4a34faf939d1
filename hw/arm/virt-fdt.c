/*
 * The virt board's device tree. Nodes, properties and their order are those that
 * QEMU 7.2 hands to the kernel, so that probing goes the same way. libfdt
 * puts a new node before its siblings: what is created last is probed first.
 *
 * Left out because the machine does not have it: the PMU.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "board-fdt.h"
#include "boot-fdt.h"
#include "hw/core/fdt-binding.h"
#include "virt-fdt.h"
#include "virt-map.h"

#define PPI_CPU_MASK_SHIFT 8

#define CLOCK_HZ 24000000
#define KASLR_SEED_SIZE 8
#define RNG_SEED_SIZE 32

static void flag(GByteArray *fdt, const char *path, const char *name)
{
    boot_fdt_set(fdt, path, name, "", 0);
}

static void add_root(GByteArray *fdt)
{
    boot_fdt_set_string(fdt, "/", "compatible", "linux,dummy-virt");
    BOOT_FDT_CELLS(fdt, "/", "#address-cells", 2);
    BOOT_FDT_CELLS(fdt, "/", "#size-cells", 2);
    boot_fdt_set_string(fdt, "/", "model", "linux,dummy-virt");
}

static void add_chosen(GByteArray *fdt, bool random_seeds)
{
    static const uint8_t zeros[RNG_SEED_SIZE];

    boot_fdt_node(fdt, "/chosen");
    if (random_seeds) {
        boot_fdt_set(fdt, "/chosen", "kaslr-seed", zeros, KASLR_SEED_SIZE);
        boot_fdt_set(fdt, "/chosen", "rng-seed", zeros, RNG_SEED_SIZE);
    }
}

static void add_clock(GByteArray *fdt)
{
    const char *path = "/apb-pclk";

    boot_fdt_set_string(fdt, path, "compatible", "fixed-clock");
    BOOT_FDT_CELLS(fdt, path, "#clock-cells", 0);
    BOOT_FDT_CELLS(fdt, path, "clock-frequency", CLOCK_HZ);
    boot_fdt_set_string(fdt, path, "clock-output-names", "clk24mhz");
    BOOT_FDT_CELLS(fdt, path, "phandle", VIRT_PHANDLE_CLOCK);
}

static void add_timer(GByteArray *fdt, unsigned num_cpus)
{
    uint32_t flags = ((1u << num_cpus) - 1) << PPI_CPU_MASK_SHIFT | FDT_IRQ_LEVEL_HIGH;

    boot_fdt_set_strings(fdt, "/timer", "compatible", "arm,armv8-timer", "arm,armv7-timer", NULL);
    flag(fdt, "/timer", "always-on");
    BOOT_FDT_CELLS(fdt, "/timer", "interrupts",
                   FDT_GIC_PPI, VIRT_PPI_TIMER_SECURE, flags, FDT_GIC_PPI, VIRT_PPI_TIMER_PHYS, flags,
                   FDT_GIC_PPI, VIRT_PPI_TIMER_VIRT, flags, FDT_GIC_PPI, VIRT_PPI_TIMER_HYP, flags);
}

static void add_cpus(GByteArray *fdt, const VirtFdtConfig *config)
{
    boot_fdt_node(fdt, "/cpus");
    BOOT_FDT_CELLS(fdt, "/cpus", "#address-cells", 1);
    BOOT_FDT_CELLS(fdt, "/cpus", "#size-cells", 0);
    for (unsigned i = config->num_cpus; i-- > 0; ) {
        g_autofree char *path = g_strdup_printf("/cpus/cpu@%u", i);

        boot_fdt_set_string(fdt, path, "device_type", "cpu");
        boot_fdt_set_string(fdt, path, "compatible", config->cpu_compatible);
        if (config->num_cpus > 1) {
            boot_fdt_set_string(fdt, path, "enable-method", "psci");
        }
        BOOT_FDT_CELLS(fdt, path, "reg", i);
        if (config->numa) {
            BOOT_FDT_CELLS(fdt, path, "numa-node-id", 0);
        }
        BOOT_FDT_CELLS(fdt, path, "phandle", VIRT_PHANDLE_CPU + i);
    }
}

/* The CPU topology binding (cpu/cpu-topology.txt): a core without threads is a leaf. */
static void add_cpu_map(GByteArray *fdt, const VirtFdtConfig *config)
{
    unsigned threads = MAX(config->topology.threads, 1);
    unsigned cores = config->topology.cores ? config->topology.cores : config->num_cpus;
    unsigned clusters = MAX(config->topology.clusters, 1);

    boot_fdt_node(fdt, "/cpus/cpu-map");
    for (unsigned i = config->num_cpus; i-- > 0; ) {
        unsigned core = i / threads;
        unsigned cluster = core / cores;
        g_autofree char *path =
            g_strdup_printf("/cpus/cpu-map/socket%u/cluster%u/core%u", cluster / clusters,
                            cluster % clusters, core % cores);

        if (threads > 1) {
            g_autofree char *thread = g_strdup_printf("%s/thread%u", path, i % threads);

            BOOT_FDT_CELLS(fdt, thread, "cpu", VIRT_PHANDLE_CPU + i);
        } else {
            BOOT_FDT_CELLS(fdt, path, "cpu", VIRT_PHANDLE_CPU + i);
        }
    }
}

/* Empty where -device has put nothing there. */
static void add_platform_bus(GByteArray *fdt, const Bus *bus)
{
    const char *path = "/platform-bus@c000000";

    boot_fdt_set_strings(fdt, path, "compatible", "qemu,platform", "simple-bus", NULL);
    BOOT_FDT_CELLS(fdt, path, "#size-cells", 1);
    BOOT_FDT_CELLS(fdt, path, "#address-cells", 1);
    BOOT_FDT_CELLS(fdt, path, "ranges", 0, 0, (uint32_t)VIRT_PLATFORM_BUS_BASE,
                   (uint32_t)VIRT_PLATFORM_BUS_SIZE);
    BOOT_FDT_CELLS(fdt, path, "interrupt-parent", VIRT_PHANDLE_GIC);
    if (bus) {
        board_fdt_add_bus(fdt, path, VIRT_PLATFORM_BUS_BASE, bus, VIRT_PLATFORM_BUS_IRQ,
                          VIRT_PHANDLE_CLOCK);
    }
}

GByteArray *virt_fdt_build(const VirtFdtConfig *config)
{
    GByteArray *fdt = boot_fdt_new();

    add_root(fdt);
    add_chosen(fdt, config->random_seeds);
    add_clock(fdt);
    add_timer(fdt, config->num_cpus);
    add_cpus(fdt, config);
    add_cpu_map(fdt, config);
    board_fdt_add_devices(fdt, config->devices, VIRT_PHANDLE_CLOCK);
    add_platform_bus(fdt, config->platform_bus);
    return fdt;
}
