/*
 * The empty board, -M none: RAM from address 0 if -m is given, one CPU if -cpu is, and what
 * -device adds. It boots nothing. A program that a debugger or the loader device put into
 * memory calls PSCI by HVC to end the run.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "arm-boards.h"
#include "hw/core/memory-backend.h"
#include "target/arm/cpu.h"

static bool refuse_images(const BoardConfig *config, Error **errp)
{
    const struct {
        const char *option, *value;
    } images[] = {
        { "kernel", config->kernel }, { "bios", config->bios }, { "dtb", config->dtb },
        { "machine dumpdtb", config->dumpdtb },
    };

    for (unsigned i = 0; i < ARRAY_SIZE(images); i++) {
        if (images[i].value) {
            error_setg(errp, "-%s %s: board none boots nothing; -device loader,file=FILE puts a "
                       "program into its memory", images[i].option, images[i].value);
            return false;
        }
    }
    return true;
}

static bool none_create(Machine *m, BoardConfig *config, Error **errp)
{
    m->cpus = g_new0(Vcpu *, 1);
    if (!refuse_images(config, errp)) {
        return false;
    }
    if (config->ram_size &&
        !memory_backend_add_ram(m, config->memory_backend, "ram", 0, config->ram_size, errp)) {
        return false;
    }
    if (config->num_cpus) {
        ArmCpu *cpu = arm_cpu_new(config->cpu_model, m, 0, errp);

        if (!cpu) {
            return false;
        }
        m->cpus[0] = &cpu->vcpu;
        m->num_cpus = 1;
    }
    return board_plug_devices(m, config, errp);
}

const BoardType none_board = {
    .name = "none",
    .description = "empty machine",
    .max_cpus = 1,
    .create = none_create,
};
