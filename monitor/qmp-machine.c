/*
 * Commands of QMP about boards, CPUs and memory.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include <unistd.h>
#include "monitor/commands.h"
#include "monitor/qmp.h"

#define PAGE_BYTES 4096

/* ---- what there is ---- */

bool qmp_query_target(QmpContext *ctx, QapiTargetInfo **ret, Error **errp)
{
    *ret = g_new0(QapiTargetInfo, 1);
    (*ret)->arch = QAPI_SYS_EMU_TARGET_AARCH64;
    return true;
}

bool qmp_query_kvm(QmpContext *ctx, QapiKvmInfo **ret, Error **errp)
{
    *ret = g_new0(QapiKvmInfo, 1);
    return true;
}

static char *cpu_type_name(const char *model)
{
    return model ? g_strdup_printf("%s-arm-cpu", model) : NULL;
}

bool qmp_query_machines(QmpContext *ctx, QapiMachineInfoList **ret, Error **errp)
{
    for (const BoardType *const *b = ctx->env->boards; *b; b++) {
        QapiMachineInfo *info = g_new0(QapiMachineInfo, 1);

        info->name = g_strdup((*b)->name);
        info->alias = g_strdup((*b)->alias);
        info->has_is_default = info->is_default = b == ctx->env->boards;
        info->cpu_max = (*b)->max_cpus;
        info->default_cpu_type = cpu_type_name((*b)->default_cpu);
        QAPI_APPEND(ret, info);
    }
    return true;
}

bool qmp_query_cpu_definitions(QmpContext *ctx, QapiCpuDefinitionInfoList **ret, Error **errp)
{
    for (const char *const *model = ctx->env->cpu_models; *model; model++) {
        QapiCpuDefinitionInfo *info = g_new0(QapiCpuDefinitionInfo, 1);

        info->name = g_strdup(*model);
        info->typename = cpu_type_name(*model);
        QAPI_APPEND(ret, info);
    }
    return true;
}

/* ---- CPUs ---- */

Vcpu *qmp_cpu(MonitorEnv *env, bool has, int64_t index, Error **errp)
{
    Machine *m = exec_loop_machine(env->loop);

    if (!has) {
        index = 0;
    }
    if (index < 0 || index >= m->num_cpus) {
        error_setg(errp, "Parameter 'cpu-index' expects a CPU number");
        return NULL;
    }
    return m->cpus[index];
}

static void thread_run(void *opaque)
{
    *(int64_t *)opaque = gettid();
}

bool qmp_query_cpus_fast(QmpContext *ctx, QapiCpuInfoFastList **ret, Error **errp)
{
    int64_t thread;

    machine_run_sync(ctx->env->loop, thread_run, &thread);
    for (unsigned i = 0; i < exec_loop_machine(ctx->env->loop)->num_cpus; i++) {
        QapiCpuInfoFast *info = g_new0(QapiCpuInfoFast, 1);

        info->cpu_index = i;
        info->qom_path = g_strdup_printf("/machine/unattached/device[%u]", i);
        info->thread_id = thread;
        info->target = QAPI_SYS_EMU_TARGET_AARCH64;
        QAPI_APPEND(ret, info);
    }
    return true;
}

/* A closure on the machine thread that makes a list or a text. */
typedef struct QueryCall {
    MonitorEnv *env;
    void *list;
    GString *text;
    Vcpu *cpu;             /* NULL: all */
} QueryCall;

static void cpus_run(void *opaque)
{
    QueryCall *c = opaque;
    Machine *m = exec_loop_machine(c->env->loop);
    QapiXRearmCpuStateList **tail = (QapiXRearmCpuStateList **)&c->list;

    for (unsigned i = 0; i < m->num_cpus; i++) {
        QapiXRearmCpuState *state = g_new0(QapiXRearmCpuState, 1);

        state->cpu_index = i;
        state->pc = m->cpus[i]->pc;
        state->halted = m->cpus[i]->halted;
        state->powered_off = m->cpus[i]->powered_off;
        QAPI_APPEND(tail, state);
    }
}

bool qmp_x_rearm_query_cpus(QmpContext *ctx, QapiXRearmCpuStateList **ret, Error **errp)
{
    QueryCall c = { .env = ctx->env };

    machine_run_sync(ctx->env->loop, cpus_run, &c);
    *ret = c.list;
    return true;
}

static QapiHumanReadableText *readable(GString *text)
{
    QapiHumanReadableText *out = g_new0(QapiHumanReadableText, 1);

    out->human_readable_text = g_string_free(text, FALSE);
    return out;
}

static void registers_run(void *opaque)
{
    QueryCall *c = opaque;
    Machine *m = exec_loop_machine(c->env->loop);

    for (unsigned i = 0; i < m->num_cpus; i++) {
        if (!c->cpu) {
            g_string_append_printf(c->text, "%sCPU#%u\n", i ? "\n" : "", i);
        } else if (c->cpu != m->cpus[i]) {
            continue;
        }
        m->cpus[i]->ops->dump(m->cpus[i], c->text);
    }
    if (c->text->len && c->text->str[c->text->len - 1] != '\n') {
        g_string_append_c(c->text, '\n');
    }
}

bool qmp_x_rearm_query_registers(QmpContext *ctx, const QapiXRearmQueryRegistersArgs *args,
                                 QapiHumanReadableText **ret, Error **errp)
{
    QueryCall c = { .env = ctx->env };

    if (args->has_cpu_index) {
        c.cpu = qmp_cpu(ctx->env, true, args->cpu_index, errp);
        if (!c.cpu) {
            return false;
        }
    }
    c.text = g_string_new("");
    machine_run_sync(ctx->env->loop, registers_run, &c);
    *ret = readable(c.text);
    return true;
}

static void jit_run(void *opaque)
{
    QueryCall *c = opaque;

    tcg_info(exec_loop_tcg(c->env->loop), c->text);
}

bool qmp_x_query_jit(QmpContext *ctx, QapiHumanReadableText **ret, Error **errp)
{
    QueryCall c = { .env = ctx->env, .text = g_string_new("") };

    machine_run_sync(ctx->env->loop, jit_run, &c);
    *ret = readable(c.text);
    return true;
}

/* ---- memory ---- */

typedef struct MtreeCall {
    ExecLoop *loop;
    bool flat;
    QapiXRearmRegionList *list, **tail;
} MtreeCall;

static void append_range(const MemRange *range, void *opaque)
{
    MtreeCall *c = opaque;
    const MemRegion *r = range->region;
    QapiXRearmRegion *out = g_new0(QapiXRearmRegion, 1);

    *out = (QapiXRearmRegion){
        .name = g_strdup(r->name),
        .kind = !r->host ? QAPI_X_REARM_REGION_KIND_MMIO :
                r->ops ? QAPI_X_REARM_REGION_KIND_ROMD :
                r->readonly ? QAPI_X_REARM_REGION_KIND_ROM : QAPI_X_REARM_REGION_KIND_RAM,
        .start = range->first, .end = range->last, .offset = range->offset,
        .priority = r->priority, .enabled = r->enabled,
    };
    QAPI_APPEND(c->tail, out);
}

static void append_region(MemRegion *r, void *opaque)
{
    append_range(&(MemRange){ .first = r->base, .last = r->base + (r->size - 1), .region = r },
                 opaque);
}

static void mtree_run(void *opaque)
{
    MtreeCall *c = opaque;
    MemoryMap *memory = exec_loop_machine(c->loop)->memory;

    if (c->flat) {
        memory_foreach_range(memory, append_range, c);
    } else {
        memory_foreach(memory, append_region, c);
    }
}

bool qmp_x_rearm_query_mtree(QmpContext *ctx, const QapiXRearmQueryMtreeArgs *args,
                             QapiXRearmRegionList **ret, Error **errp)
{
    MtreeCall c = { .loop = ctx->env->loop, .flat = args->has_flat && args->flat };

    c.tail = &c.list;
    machine_run_sync(ctx->env->loop, mtree_run, &c);
    *ret = c.list;
    return true;
}

typedef struct SaveCall {
    Machine *machine;
    Vcpu *cpu;             /* who looks; a machine without a CPU has physical memory all the same */
    bool physical;
    uint64_t addr, size;
    FILE *file;
    bool unmapped, failed;
} SaveCall;

/* Page by page, all at one moment of the guest. */
static void save_run(void *opaque)
{
    SaveCall *c = opaque;
    uint8_t page[PAGE_BYTES];
    uint64_t addr = c->addr, left = c->size;

    while (left) {
        size_t n = MIN(left, PAGE_BYTES - addr % PAGE_BYTES);
        bool ok = c->physical ? machine_peek(c->machine, c->cpu ? c->cpu->index : 0, addr, page, n)
                              : vcpu_peek(c->cpu, addr, page, n);

        c->unmapped = !ok;
        if (!ok) {
            return;
        }
        if (fwrite(page, 1, n, c->file) != n) {
            c->failed = true;
            return;
        }
        addr += n;
        left -= n;
    }
}

static bool save(MonitorEnv *env, SaveCall *c, const char *filename, Error **errp)
{
    c->machine = exec_loop_machine(env->loop);
    c->file = monitor_create_file(env, filename, errp);
    if (!c->file) {
        return false;
    }
    machine_run_sync(env->loop, save_run, c);
    c->failed |= fclose(c->file) != 0;
    if (c->unmapped) {
        error_setg(errp, "Invalid addr 0x%016" PRIx64 "/size %" PRIu64 " specified", c->addr,
                   c->size);
    } else if (c->failed) {
        error_setg_errno(errp, errno, "Could not write '%s'", filename);
    }
    return !c->unmapped && !c->failed;
}

bool qmp_memsave(QmpContext *ctx, const QapiMemsaveArgs *args, Error **errp)
{
    SaveCall c = { .addr = args->val, .size = args->size };

    c.cpu = qmp_cpu(ctx->env, args->has_cpu_index, args->cpu_index, errp);
    return c.cpu && save(ctx->env, &c, args->filename, errp);
}

bool qmp_pmemsave(QmpContext *ctx, const QapiPmemsaveArgs *args, Error **errp)
{
    SaveCall c = { .cpu = monitor_cpu(ctx->env), .physical = true, .addr = args->val,
                   .size = args->size };

    return save(ctx->env, &c, args->filename, errp);
}
