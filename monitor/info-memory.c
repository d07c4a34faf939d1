/*
 * "info" about memory, translation and interrupts.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "monitor/commands.h"
#include "monitor/qom-tree.h"
#include "monitor/qmp.h"

/* ---- translation ---- */

/* More is for a program to look at: dump-guest-memory -p. */
#define MAX_LINES 20000

typedef struct MapCall {
    Vcpu *cpu;
    GString *out;
    VcpuMappings found;
    VcpuMapping range;         /* of info mem: what the lines so far have not told */
    unsigned lines;
} MapCall;

static void rights(uint32_t attrs, GString *out)
{
    g_string_append_printf(out, "%c%c%c", attrs & TLB_READ ? 'r' : '-',
                           attrs & TLB_WRITE ? 'w' : '-', attrs & TLB_EXEC ? 'x' : '-');
}

/* Of privileged code and of programs. */
static void both_rights(const VcpuMapping *m, GString *out)
{
    g_string_append_c(out, ' ');
    rights(m->attrs, out);
    g_string_append_c(out, '/');
    rights(m->user_attrs, out);
    g_string_append(out, m->attrs & TLB_DEVICE ? " device\n" : "\n");
}

static bool tlb_line(void *opaque, const VcpuMapping *m)
{
    MapCall *c = opaque;

    g_string_append_printf(c->out, "%016" PRIx64 ": %016" PRIx64 " %08" PRIx64, m->vaddr, m->phys,
                           m->length);
    both_rights(m, c->out);
    return ++c->lines < MAX_LINES;
}

static void mem_line(MapCall *c)
{
    const VcpuMapping *r = &c->range;

    if (r->length) {
        g_string_append_printf(c->out, "%016" PRIx64 "-%016" PRIx64 " %016" PRIx64, r->vaddr,
                               r->vaddr + (r->length - 1), r->length);
        both_rights(r, c->out);
        c->lines++;
    }
}

/* One line for what is side by side with the same rights. */
static bool mem_part(void *opaque, const VcpuMapping *m)
{
    MapCall *c = opaque;
    VcpuMapping *r = &c->range;

    if (r->length && r->vaddr + r->length == m->vaddr && r->attrs == m->attrs &&
        r->user_attrs == m->user_attrs) {
        r->length += m->length;
        return true;
    }
    mem_line(c);
    *r = *m;
    return c->lines < MAX_LINES;
}

static void tlb_run(void *opaque)
{
    MapCall *c = opaque;

    c->found = vcpu_foreach_mapping(c->cpu, tlb_line, c);
}

static void mem_run(void *opaque)
{
    MapCall *c = opaque;

    c->found = vcpu_foreach_mapping(c->cpu, mem_part, c);
    mem_line(c);
}

static bool show_mappings(MonitorEnv *env, void (*run)(void *opaque), GString *out, Error **errp)
{
    MapCall c = { .cpu = monitor_need_cpu(env, errp), .out = out };

    if (!c.cpu) {
        return false;
    }
    machine_run_sync(env->loop, run, &c);
    if (c.found == VCPU_MAPPINGS_OFF) {
        g_string_append(out, "addresses are not translated (the MMU is off)\n");
    } else if (c.found == VCPU_MAPPINGS_PART) {
        g_string_append(out, "... and more\n");
    }
    return true;
}

bool hmp_info_tlb(MonitorEnv *env, const HmpArgs *args, GString *out, Error **errp)
{
    return show_mappings(env, tlb_run, out, errp);
}

bool hmp_info_mem(MonitorEnv *env, const HmpArgs *args, GString *out, Error **errp)
{
    return show_mappings(env, mem_run, out, errp);
}

/* ---- pieces of memory ---- */

typedef struct RegionCall {
    MemoryMap *memory;
    GString *out;
    bool roms;
} RegionCall;

static void region_line(MemRegion *r, void *opaque)
{
    RegionCall *c = opaque;

    if (!r->host) {
        return;
    }
    if (!c->roms) {
        g_string_append_printf(c->out, "%-20s %5u KiB %016" PRIx64 " %016" PRIx64 "\n", r->name,
                               PAGE_SIZE / 1024, r->base, r->size);
    } else if (r->readonly || r->ops) {
        g_string_append_printf(c->out, "addr=%016" PRIx64 " size=0x%" PRIx64 " mem=%s "
                               "name=\"%s\"\n", r->base, r->size, r->ops ? "flash" : "rom", r->name);
    }
}

static void regions_run(void *opaque)
{
    RegionCall *c = opaque;

    memory_foreach(c->memory, region_line, c);
}

static void show_regions(MonitorEnv *env, bool roms, GString *out)
{
    RegionCall c = { exec_loop_machine(env->loop)->memory, out, roms };

    machine_run_sync(env->loop, regions_run, &c);
}

bool hmp_info_ramblock(MonitorEnv *env, const HmpArgs *args, GString *out, Error **errp)
{
    g_string_append_printf(out, "%-20s %9s %16s %16s\n", "Block Name", "PSize", "Address", "Size");
    show_regions(env, false, out);
    return true;
}

static void loaded_line(const char *what, const char *path, GString *out)
{
    if (path) {
        g_string_append_printf(out, "%s: %s\n", what, path);
    }
}

bool hmp_info_roms(MonitorEnv *env, const HmpArgs *args, GString *out, Error **errp)
{
    const BoardConfig *config = env->board_config;

    show_regions(env, true, out);
    if (config) {
        loaded_line("kernel", config->kernel, out);
        loaded_line("initrd", config->initrd, out);
        loaded_line("dtb", config->dtb, out);
        loaded_line("bios", config->bios, out);
    }
    return true;
}

bool hmp_info_memdev(MonitorEnv *env, const HmpArgs *args, GString *out, Error **errp)
{
    g_autoptr(QapiMemdevList) list = NULL;

    if (!qmp_query_memdev(&(QmpContext){ .env = env }, &list, errp)) {
        return false;
    }
    for (const QapiMemdevList *node = list; node; node = node->next) {
        const QapiMemdev *m = node->value;

        g_string_append_printf(out, "memory backend: %s\n  size:  %" PRIu64 "\n  merge: %s\n"
                               "  dump: %s\n  prealloc: %s\n  share: %s\n  policy: %s\n", m->id,
                               m->size, m->merge ? "true" : "false", m->dump ? "true" : "false",
                               m->prealloc ? "true" : "false", m->share ? "true" : "false",
                               qapi_type_HostMemPolicy.values[m->policy]);
    }
    return true;
}

bool hmp_info_memory_size_summary(MonitorEnv *env, const HmpArgs *args, GString *out, Error **errp)
{
    g_autoptr(QapiMemoryInfo) info = NULL;

    if (!qmp_query_memory_size_summary(&(QmpContext){ .env = env }, &info, errp)) {
        return false;
    }
    g_string_append_printf(out, "base memory: %" PRIu64 "\nplugged memory: %" PRIu64 "\n",
                           info->base_memory, info->plugged_memory);
    return true;
}

/* ---- interrupts: the registers of the GIC's distributor (IHI 0048) ---- */

#define GIC_TYPE "arm_gic"
#define GICD_TYPER 0x004
#define GICD_ISENABLER 0x100
#define GICD_ISPENDR 0x200
#define GICD_ISACTIVER 0x300
#define GICD_IPRIORITYR 0x400
#define GICD_ITARGETSR 0x800
#define GIC_FIRST_SPI 32u

typedef struct IrqCall {
    Machine *machine;
    const Device *gic;
    unsigned cpu;              /* who looks: the first 32 interrupts are its own */
    GString *out;
    bool any;
} IrqCall;

static uint32_t gicd_word(const IrqCall *c, hwaddr offset)
{
    uint8_t bytes[4] = { 0 };

    machine_peek(c->machine, c->cpu, c->gic->region[0]->base + offset, bytes, sizeof(bytes));
    return (uint32_t)load_le(bytes, sizeof(bytes));
}

static bool gicd_bit(const IrqCall *c, hwaddr offset, unsigned irq)
{
    return gicd_word(c, offset + irq / 32 * 4) >> irq % 32 & 1;
}

static uint8_t gicd_byte(const IrqCall *c, hwaddr offset, unsigned irq)
{
    return (uint8_t)(gicd_word(c, offset + irq / 4 * 4) >> irq % 4 * 8);
}

static void irq_run(void *opaque)
{
    IrqCall *c = opaque;
    unsigned number = ((gicd_word(c, GICD_TYPER) & 0x1f) + 1) * 32;

    for (unsigned irq = 0; irq < number; irq++) {
        bool enabled = gicd_bit(c, GICD_ISENABLER, irq);
        bool pending = gicd_bit(c, GICD_ISPENDR, irq), active = gicd_bit(c, GICD_ISACTIVER, irq);

        /* Of SGIs, all are always enabled: only what happens is of interest. */
        if (!pending && !active && (!enabled || irq < 16)) {
            continue;
        }
        c->any = true;
        g_string_append_printf(c->out, "%4u %-4s%s%s%s priority 0x%02x", irq,
                               irq < 16 ? "SGI" : irq < GIC_FIRST_SPI ? "PPI" : "SPI",
                               enabled ? " enabled" : "", pending ? " pending" : "",
                               active ? " active" : "", gicd_byte(c, GICD_IPRIORITYR, irq));
        if (irq >= GIC_FIRST_SPI) {
            g_string_append_printf(c->out, " CPUs 0x%02x", gicd_byte(c, GICD_ITARGETSR, irq));
        }
        g_string_append_c(c->out, '\n');
    }
}

static bool irq_call(void *opaque, Error **errp)
{
    IrqCall *c = opaque;

    for (unsigned i = 0; i < c->machine->devices->len; i++) {
        const Device *dev = g_ptr_array_index(c->machine->devices, i);

        if (!strcmp(dev->type->name, GIC_TYPE)) {
            c->gic = dev;
        }
    }
    if (!c->gic || !c->gic->region[0]) {
        error_setg(errp, "this machine has no interrupt controller");
        return false;
    }
    irq_run(c);
    return true;
}

bool hmp_info_irq(MonitorEnv *env, const HmpArgs *args, GString *out, Error **errp)
{
    IrqCall c = { .machine = exec_loop_machine(env->loop), .cpu = env->current_cpu, .out = out };

    if (!monitor_on_machine(env, irq_call, &c, errp)) {
        return false;
    }
    if (!c.any) {
        g_string_append(out, "No interrupt is enabled, pending or active.\n");
    }
    return true;
}
