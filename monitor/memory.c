/*
 * x, xp and print: memory and registers, without side effects on the guest.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "monitor/commands.h"
#include "monitor/expr.h"
#include "monitor/memdump.h"

/* A closure on the machine thread. */
typedef struct MemoryCall {
    MonitorEnv *env;
    MemFormat format;
    const char *text;      /* the expression */
    bool physical, print;
    GString *out;
    Error **errp;
} MemoryCall;

static bool find_register(void *opaque, const char *name, uint64_t *value)
{
    Vcpu *cpu = opaque;

    if (!cpu) {
        return false;
    }
    if (!strcmp(name, "pc")) {
        *value = cpu->pc;
        return true;
    }
    for (unsigned i = 0; i < cpu->ops->num_slots; i++) {
        if (!strcmp(cpu->ops->slot_names[i], name)) {
            *value = cpu->slot[i];
            return true;
        }
    }
    return false;
}

typedef struct EvalCall {
    MonitorEnv *env;
    const char *text;
    uint64_t value;
    Error *err;
} EvalCall;

static void eval_run(void *opaque)
{
    EvalCall *c = opaque;

    expr_eval(c->text, find_register, monitor_cpu(c->env), &c->value, &c->err);
}

bool monitor_eval(MonitorEnv *env, const char *text, uint64_t *out, Error **errp)
{
    EvalCall c = { .env = env, .text = text };

    machine_run_sync(env->loop, eval_run, &c);
    *out = c.value;
    error_propagate(errp, c.err);
    return c.err == NULL;
}

static void disassemble(Vcpu *cpu, uint64_t addr, const uint8_t *data, unsigned bytes,
                        GString *out)
{
    unsigned used;

    for (unsigned at = 0; at < bytes; at += used) {
        g_string_append_printf(out, "0x%08" PRIx64 ":  ", addr + at);
        used = cpu->ops->disassemble(cpu, addr + at, data + at, bytes - at, out);
        if (used == 0) {
            g_string_append(out, "(undefined)");
            used = 4;
        }
        if (out->str[out->len - 1] != '\n') {
            g_string_append_c(out, '\n');
        }
    }
}

/* Reads as far as there is memory; true when that is all. */
static unsigned read_memory(MemoryCall *c, Vcpu *cpu, uint64_t addr, uint8_t *data)
{
    Machine *m = exec_loop_machine(c->env->loop);
    unsigned size = c->format.size, looking = cpu ? cpu->index : 0, i;

    for (i = 0; i < c->format.count; i++) {
        uint64_t at = addr + (uint64_t)i * size;
        bool ok = c->physical ? machine_peek(m, looking, at, data + i * size, size)
                              : vcpu_peek(cpu, at, data + i * size, size);

        if (!ok) {
            break;
        }
    }
    return i;
}

static void memory_run(void *opaque)
{
    MemoryCall *c = opaque;
    Vcpu *cpu = monitor_cpu(c->env);
    g_autofree uint8_t *data = NULL;
    unsigned wanted = c->format.count;
    uint64_t addr;

    if (!cpu && !c->print && (!c->physical || c->format.format == 'i')) {
        error_setg(c->errp, "this machine has no CPU; xp shows physical memory");
        return;
    }
    if (!expr_eval(c->text, find_register, cpu, &addr, c->errp)) {
        return;
    }
    if (c->print) {
        memformat_value(&c->format, addr, c->out);
        g_string_append_c(c->out, '\n');
        return;
    }
    data = g_malloc((size_t)wanted * c->format.size + 1);
    c->format.count = read_memory(c, cpu, addr, data);
    if (c->format.count && c->format.format == 'i') {
        disassemble(cpu, addr, data, c->format.count * c->format.size, c->out);
    } else if (c->format.count) {
        memformat_dump(&c->format, addr, data, c->out);
    }
    if (c->format.count < wanted) {
        g_string_append_printf(c->out, "Cannot access memory at %saddress 0x%" PRIx64 "\n",
                               c->physical ? "physical " : "",
                               addr + (uint64_t)c->format.count * c->format.size);
    }
}

static bool run(MonitorEnv *env, const HmpArgs *args, const char *name, MemoryCall *c, GString *out,
                Error **errp)
{
    const char *format = hmp_text(args, "/FMT");
    Error *err = NULL;

    if (format && !memformat_parse(format, &c->format, errp)) {
        return false;
    }
    c->env = env;
    c->text = hmp_text(args, name);
    c->out = out;
    c->errp = &err;
    machine_run_sync(env->loop, memory_run, c);
    error_propagate(errp, err);
    return err == NULL;
}

bool hmp_x(MonitorEnv *env, const HmpArgs *args, GString *out, Error **errp)
{
    MemoryCall c = { .format = { 1, 'x', 4 } };

    return run(env, args, "ADDR", &c, out, errp);
}

bool hmp_xp(MonitorEnv *env, const HmpArgs *args, GString *out, Error **errp)
{
    MemoryCall c = { .format = { 1, 'x', 4 }, .physical = true };

    return run(env, args, "ADDR", &c, out, errp);
}

bool hmp_print(MonitorEnv *env, const HmpArgs *args, GString *out, Error **errp)
{
    MemoryCall c = { .format = { 1, 'd', 8 }, .print = true };

    return run(env, args, "EXPR", &c, out, errp);
}
