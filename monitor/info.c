/*
 * "info SUBJECT": what the monitor shows.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "monitor/commands.h"
#include "replay/replay.h"

static MonitorFn info_status, info_registers, info_replay, info_mtree, info_version, info_jit,
                 info_cpus, info_chardev, info_name;

const MonitorCommand monitor_info_commands[] = {
    { "chardev", NULL, "", "character back ends", info_chardev },
    { "cpus", NULL, "", "the CPUs and where they are", info_cpus },
    { "jit", NULL, "", "the translation cache", info_jit },
    { "mtree", NULL, "", "the physical memory map", info_mtree },
    { "name", NULL, "", "the name given by -name", info_name },
    { "registers", NULL, "[-a]", "registers of the current CPU, or of all", info_registers },
    { "replay", NULL, "", "recording or replay", info_replay },
    { "status", NULL, "", "whether the machine runs", info_status },
    { "version", NULL, "", "Rearm's version", info_version },
    { NULL }
};

/* What a closure on the machine thread gets. */
typedef struct InfoCall {
    MonitorEnv *env;
    GString *out;
    bool all;
} InfoCall;

Vcpu *monitor_cpu(MonitorEnv *env)
{
    Machine *m = exec_loop_machine(env->loop);

    return m->cpus[env->current_cpu < m->num_cpus ? env->current_cpu : 0];
}

static bool info_run(MonitorEnv *env, void (*fn)(void *), bool all, GString *out)
{
    InfoCall call = { .env = env, .out = out, .all = all };

    machine_run_sync(env->loop, fn, &call);
    return true;
}

static bool info_status(MonitorEnv *env, const char *args, GString *out, Error **errp)
{
    g_string_append_printf(out, "VM status: %s\n",
                           exec_loop_running(env->loop) ? "running" : "paused");
    return true;
}

static bool info_version(MonitorEnv *env, const char *args, GString *out, Error **errp)
{
    g_string_append_printf(out, "%s\n", env->version);
    return true;
}

static bool info_name(MonitorEnv *env, const char *args, GString *out, Error **errp)
{
    if (env->name) {
        g_string_append_printf(out, "%s\n", env->name);
    }
    return true;
}

static void chardev_line(Chardev *c, void *opaque)
{
    g_string_append_printf(opaque, "%s: filename=%s%s\n", chardev_id(c), chardev_label(c),
                           chardev_is_open(c) ? "" : " (disconnected)");
}

static bool info_chardev(MonitorEnv *env, const char *args, GString *out, Error **errp)
{
    chardev_foreach(env->chardevs, chardev_line, out);
    return true;
}

/* ---- on the machine thread ---- */

static void registers_run(void *opaque)
{
    InfoCall *c = opaque;
    Machine *m = exec_loop_machine(c->env->loop);

    for (unsigned i = 0; i < m->num_cpus; i++) {
        Vcpu *cpu = m->cpus[i];

        if (c->all) {
            g_string_append_printf(c->out, "%sCPU#%u\n", i ? "\n" : "", i);
        } else if (cpu != monitor_cpu(c->env)) {
            continue;
        }
        cpu->ops->dump(cpu, c->out);
    }
    if (c->out->len && c->out->str[c->out->len - 1] != '\n') {
        g_string_append_c(c->out, '\n');
    }
}

static bool info_registers(MonitorEnv *env, const char *args, GString *out, Error **errp)
{
    if (*args && strcmp(args, "-a")) {
        error_setg(errp, "unexpected argument '%s'; only -a is known", args);
        return false;
    }
    return info_run(env, registers_run, *args, out);
}

static void cpus_run(void *opaque)
{
    InfoCall *c = opaque;
    Machine *m = exec_loop_machine(c->env->loop);

    for (unsigned i = 0; i < m->num_cpus; i++) {
        Vcpu *cpu = m->cpus[i];

        g_string_append_printf(c->out, "%c CPU #%u: pc=0x%016" PRIx64 "%s\n",
                               cpu == monitor_cpu(c->env) ? '*' : ' ', i, cpu->pc,
                               cpu->powered_off ? " (off)" : cpu->halted ? " (halted)" : "");
    }
}

static bool info_cpus(MonitorEnv *env, const char *args, GString *out, Error **errp)
{
    return info_run(env, cpus_run, false, out);
}

static void mtree_line(const MemRegion *r, void *opaque)
{
    g_string_append_printf(opaque, "  %016" PRIx64 "-%016" PRIx64 " (%s): %s\n", r->base,
                           r->base + r->size - 1,
                           !r->host ? "i/o" : r->ops ? "romd" : r->readonly ? "rom" : "ram",
                           r->name);
}

static void mtree_run(void *opaque)
{
    InfoCall *c = opaque;

    g_string_append(c->out, "memory\n");
    memory_foreach(exec_loop_machine(c->env->loop)->memory, mtree_line, c->out);
}

static bool info_mtree(MonitorEnv *env, const char *args, GString *out, Error **errp)
{
    return info_run(env, mtree_run, false, out);
}

static void jit_run(void *opaque)
{
    InfoCall *c = opaque;

    tcg_info(exec_loop_tcg(c->env->loop), c->out);
}

static bool info_jit(MonitorEnv *env, const char *args, GString *out, Error **errp)
{
    return info_run(env, jit_run, false, out);
}

static void replay_run(void *opaque)
{
    InfoCall *c = opaque;
    Machine *m = exec_loop_machine(c->env->loop);

    replay_info(m->replay, c->out);
    g_string_append_printf(c->out, "instructions: %" PRId64 ", position: %" PRIu64 "\n",
                           clock_icount(m->clock), exec_loop_position(c->env->loop));
}

static bool info_replay(MonitorEnv *env, const char *args, GString *out, Error **errp)
{
    return info_run(env, replay_run, false, out);
}
