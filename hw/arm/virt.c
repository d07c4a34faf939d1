/*
 * The virt board: QEMU 7.2's "-M virt" memory map, interrupts and device tree with
 * a GICv2 and up to eight CPUs.
 *
 *   0x00000000  flash, two banks of 64 MiB; -bios goes into the first, at each reset
 *   0x08000000  GICv2 distributor, CPU interface at 0x08010000
 *   0x08020000  GICv2m frame        SPI 48 to 111, for messages
 *   0x09000000  devices: virt_devices[] in virt-devices.c
 *   0x0c000000  the platform bus: SPI 112 to 175, for what -device adds
 *   0x10000000  memory of PCIe, I/O ports at 0x3eff0000; INTx is SPI 3 to 6
 *   0x40000000  RAM
 *   0x4010000000  configuration space of PCIe, memory from 0x8000000000 on; without highmem the
 *               first is at 0x3f000000, and the second is not there
 *
 * Guests that firmware starts find their hardware by ACPI tables (virt-acpi.c) and its names by SMBIOS tables; others
 * by the device tree. The power button is both a key of the tree and an event of ACPI's: a guest listens to one of them.
 *
 * Not modelled: SMMU.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "arm-boards.h"
#include "boot-image.h"
#include "fw-cfg-files.h"
#include "hw/acpi/ged.h"
#include "hw/arm/boot.h"
#include "hw/core/memory-backend.h"
#include "hw/core/platform-bus.h"
#include "hw/gpio/gpio-key.h"
#include "hw/intc/gicv2.h"
#include "hw/misc/fw_cfg.h"
#include "hw/smbios/smbios.h"
#include "target/arm/cpu.h"
#include "util/uuid.h"
#include "virt-acpi.h"
#include "virt-fdt.h"
#include "virt-map.h"
#include "virt-options.h"

#define DEFAULT_CPU "cortex-a72"

static bool check_config(const BoardConfig *config, const VirtOptions *options, Error **errp)
{
    const uint64_t low = (4ull << 30) - VIRT_RAM_BASE;

    if (config->num_cpus < 1 || config->num_cpus > VIRT_MAX_CPUS) {
        error_setg(errp, "-smp %u: board virt has 1 to %d CPUs", config->num_cpus,
                   VIRT_MAX_CPUS);
        return false;
    }
    if (config->ram_size == 0 || config->ram_size > VIRT_RAM_MAX ||
        config->ram_size % PAGE_SIZE) {
        g_autofree char *size = boot_format_size(config->ram_size);

        error_setg(errp, "-m: board virt takes 4 KiB to %llu GiB of RAM in steps of 4 KiB, not %s",
                   VIRT_RAM_MAX >> 30, size);
        return false;
    }
    if (config->bios && options->flash[0]) {
        error_setg(errp, "-bios '%s' and drive '%s' are both for the first flash: leave out one of them", config->bios,
                   options->flash[0]);
        return false;
    }
    if (!options->highmem && config->ram_size > low) {
        error_setg(errp, "-machine: highmem=off limits RAM to %" PRIu64 " MiB, but -m asks for %"
                   PRIu64 " MiB", low >> 20, config->ram_size >> 20);
        return false;
    }
    return true;
}

static bool add_cpus(Machine *m, const BoardConfig *config, Error **errp)
{
    const char *model = config->cpu_model ? config->cpu_model : DEFAULT_CPU;

    m->cpus = g_new0(Vcpu *, config->num_cpus);
    for (unsigned i = 0; i < config->num_cpus; i++) {
        ArmCpu *cpu = arm_cpu_new(model, m, i, errp);

        if (!cpu) {
            return false;
        }
        cpu->psci_conduit_smc = false;
        /* The others wait for PSCI CPU_ON, after each reset and now. */
        cpu->start_powered_off = i > 0;
        cpu->vcpu.powered_off = cpu->vcpu.halted = i > 0;
        m->cpus[i] = &cpu->vcpu;
        m->num_cpus = i + 1;
    }
    return true;
}

/* The GIC's wires to and from each CPU. */
static void wire_cpus(Machine *m)
{
    GicV2 *gic = gicv2(machine_find_device(m, VIRT_GIC));

    for (unsigned i = 0; i < m->num_cpus; i++) {
        ArmCpu *cpu = arm_cpu(m->cpus[i]);

        cpu->timer_irq[0] = gicv2_ppi(gic, i, VIRT_PPI_TIMER_PHYS);
        cpu->timer_irq[1] = gicv2_ppi(gic, i, VIRT_PPI_TIMER_VIRT);
        cpu->timer_irq[2] = gicv2_ppi(gic, i, VIRT_PPI_TIMER_HYP);
        cpu->timer_irq[3] = gicv2_ppi(gic, i, VIRT_PPI_TIMER_SECURE);
        gicv2_connect_cpu(gic, i, cpu->irq_in, cpu->fiq_in);
    }
}

/* The drives of the flashes. */
static void add_flash_drives(BoardDevice *rows, const VirtOptions *options)
{
    for (unsigned i = 0; i < ARRAY_SIZE(options->flash); i++) {
        g_autofree char *id = g_strdup_printf("flash%u", i);

        for (BoardDevice *row = rows; options->flash[i] && row->type; row++) {
            if (!strcmp(row->id, id)) {
                g_autoptr(GString) text = g_string_new(row->properties);

                keyval_append(text, "drive", options->flash[i]);
                row->properties = g_intern_string(text->str);
            }
        }
    }
}

static void press_power_button(void *opaque)
{
    Machine *m = opaque;

    gpio_key_press(machine_find_device(m, VIRT_POWER_KEY));
    ged_event(machine_find_device(m, VIRT_GED), GED_POWER_DOWN);
}

/* The rows of virt_devices[], and what they do not say. */
static bool add_devices(Machine *m, const BoardConfig *config, Error **errp)
{
    const VirtOptions *options = config->options;
    g_autofree BoardDevice *rows = virt_device_rows(options->highmem);
    FwCfg *fw;

    add_flash_drives(rows, options);
    if (!board_add_devices(m, rows, VIRT_GIC, errp)) {
        return false;
    }
    wire_cpus(m);
    m->powerdown = press_power_button;
    m->powerdown_opaque = m;
    fw = fw_cfg(machine_find_device(m, VIRT_FW_CFG));
    fw_cfg_add_u16(fw, FW_CFG_NB_CPUS, (uint16_t)config->num_cpus);
    fw_cfg_add_u16(fw, FW_CFG_NOGRAPHIC, 1);
    fw_cfg_add_u16(fw, FW_CFG_BOOT_MENU, config->boot_menu);
    if (config->uuid) {
        g_autoptr(GBytes) uuid = g_bytes_new(config->uuid, UUID_SIZE);

        fw_cfg_add_bytes(fw, FW_CFG_UUID, uuid);
    }
    return fw_cfg_add_user_files(m, fw, config->fw_cfg, errp) && board_plug_devices(m, config, errp);
}

/* The compatible string of the CPU binding; "max" is no part, and goes by QEMU's name. */
static char *cpu_compatible(Machine *m)
{
    const char *model = arm_cpu_model_name(arm_cpu(m->cpus[0]));

    return g_strdup_printf("arm,%s", strcmp(model, "max") == 0 ? "cortex-a57" : model);
}

static bool load_boot(Machine *m, BoardConfig *config, const VirtOptions *options, Error **errp)
{
    g_autofree char *compatible = cpu_compatible(m);
    g_autofree BoardDevice *rows = virt_device_rows(options->highmem);
    const VirtFdtConfig fdt_config = {
        .num_cpus = config->num_cpus,
        .numa = config->numa,
        .topology = config->topology,
        .cpu_compatible = compatible,
        .platform_bus = platform_bus(machine_find_device(m, VIRT_PLATFORM_BUS)),
        .devices = rows,
        .random_seeds = options->random_seeds,
    };
    GByteArray *fdt = virt_fdt_build(&fdt_config);
    const ArmBootBoard board = {
        .ram_base = VIRT_RAM_BASE, .ram_size = config->ram_size,
        .flash_base = VIRT_FLASH_BASE, .flash_size = VIRT_FLASH_SIZE,
        .fdt = fdt, .fw_cfg = fw_cfg(machine_find_device(m, VIRT_FW_CFG)),
        .has_firmware = options->flash[0] != NULL,
        .random_seeds = options->random_seeds, .numa = config->numa,
        .psci_method = "hvc",
    };
    ArmBootEntry entry;
    bool ok = arm_boot_load(m, config, &board, &entry, errp);

    g_byte_array_unref(fdt);
    /* Firmware, in the first flash, starts where the CPUs do (rvbar). */
    if (ok && config->kernel && !config->bios && !board.has_firmware) {
        arm_cpu_set_boot(arm_cpu(m->cpus[0]), entry.pc, entry.x0);
    }
    return ok;
}

static bool add_acpi(Machine *m, const BoardConfig *config, Error **errp)
{
    const VirtOptions *options = config->options;
    g_autofree BoardDevice *rows = virt_device_rows(options->highmem);
    const VirtAcpiConfig acpi = {
        .num_cpus = config->num_cpus, .topology = config->topology, .devices = rows,
        .platform_bus = platform_bus(machine_find_device(m, VIRT_PLATFORM_BUS)),
        .ram_size = config->ram_size, .highmem = options->highmem, .numa = config->numa,
    };

    /* Nobody but firmware reads them. */
    return options->acpi == VIRT_ACPI_OFF || !(config->bios || options->flash[0]) ||
           virt_acpi_add(fw_cfg(machine_find_device(m, VIRT_FW_CFG)), &acpi, errp);
}

/* What the user said is checked, and known to recordings, also where there is no firmware to read it. */
static bool add_smbios(Machine *m, const BoardConfig *config, Error **errp)
{
    const VirtOptions *options = config->options;
    const SmbiosConfig smbios = {
        .options = config->smbios, .version = virt_board.alias, .uuid = config->uuid,
        .num_cpus = config->num_cpus, .topology = config->topology,
        .ram_base = VIRT_RAM_BASE, .ram_size = config->ram_size,
    };
    g_autoptr(GByteArray) structures = smbios_build(&smbios, errp);

    if (!structures) {
        return false;
    }
    if (config->smbios && config->smbios->len) {
        g_autofree char *value = boot_describe_bytes(structures->data, structures->len);

        machine_describe(m, "smbios", value);
    }
    return !(config->bios || options->flash[0]) ||
           smbios_add(fw_cfg(machine_find_device(m, VIRT_FW_CFG)), structures, errp);
}

static bool virt_create(Machine *m, BoardConfig *config, Error **errp)
{
    const VirtOptions *options = config->options;

    return check_config(config, options, errp) &&
           memory_backend_add_ram(m, config->memory_backend, "ram", VIRT_RAM_BASE, config->ram_size,
                                  errp) &&
           add_cpus(m, config, errp) && add_devices(m, config, errp) && add_acpi(m, config, errp) &&
           add_smbios(m, config, errp) && load_boot(m, config, options, errp);
}

const BoardType virt_board = {
    .name = "virt",
    .alias = "virt-7.2",
    .description = "Arm virtual machine, laid out as QEMU 7.2's",
    .default_cpu = DEFAULT_CPU,
    .default_ram = 128ull << 20,
    .max_cpus = VIRT_MAX_CPUS,
    .properties = virt_properties,
    .options_size = sizeof(VirtOptions),
    .create = virt_create,
};
