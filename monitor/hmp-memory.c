/*
 * Commands of the human monitor about where memory is and what is in it, besides x and xp.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "monitor/commands.h"
#include "monitor/qmp.h"

/* A closure on the machine thread. */
typedef struct PlaceCall {
    MonitorEnv *env;
    Vcpu *cpu;
    uint64_t addr, size;
    uint64_t phys;
    char *name;                /* of the region that is there; NULL: none */
    const uint8_t *host;       /* NULL: it is no memory */
    uint16_t sum;
    bool ok;
} PlaceCall;

/* ---- addresses ---- */

static void translate_run(void *opaque)
{
    PlaceCall *c = opaque;

    c->ok = vcpu_translate(c->cpu, c->addr, &c->phys);
}

bool hmp_gva2gpa(MonitorEnv *env, const HmpArgs *args, GString *out, Error **errp)
{
    PlaceCall c = { .cpu = monitor_need_cpu(env, errp), .addr = hmp_number(args, "ADDR") };

    if (!c.cpu) {
        return false;
    }
    machine_run_sync(env->loop, translate_run, &c);
    if (c.ok) {
        g_string_append_printf(out, "gpa: 0x%" PRIx64 "\n", c.phys);
    } else {
        g_string_append(out, "Unmapped\n");
    }
    return true;
}

static void find_run(void *opaque)
{
    PlaceCall *c = opaque;

    const MemRegion *region = memory_find(exec_loop_machine(c->env->loop)->memory, c->addr);

    if (region) {
        c->name = g_strdup(region->name);
        c->host = region->host ? region->host + (c->addr - region->base) : NULL;
    }
}

bool hmp_gpa2hva(MonitorEnv *env, const HmpArgs *args, GString *out, Error **errp)
{
    PlaceCall c = { .env = env, .addr = hmp_number(args, "ADDR") };
    g_autofree char *name = NULL;

    machine_run_sync(env->loop, find_run, &c);
    name = c.name;
    if (!name) {
        error_setg(errp, "No memory is mapped at address 0x%" PRIx64, c.addr);
    } else if (!c.host) {
        error_setg(errp, "Memory at address 0x%" PRIx64 " is not RAM", c.addr);
    } else {
        g_string_append_printf(out, "Host virtual address for 0x%" PRIx64 " (%s) is %p\n", c.addr,
                               name, (const void *)c.host);
    }
    return c.host != NULL;
}

bool hmp_io(MonitorEnv *env, const HmpArgs *args, GString *out, Error **errp)
{
    error_setg(errp, "Arm has no I/O ports: device registers are memory, which 'xp' shows, and gdb "
               "writes");
    return false;
}

/* ---- contents ---- */

/* BSD's checksum, which is 16 bits wide. */
static void sum_run(void *opaque)
{
    PlaceCall *c = opaque;
    Machine *m = exec_loop_machine(c->env->loop);
    uint8_t page[PAGE_SIZE];

    for (c->ok = true; c->size; ) {
        size_t n = MIN(c->size, PAGE_SIZE - c->addr % PAGE_SIZE);

        c->ok = memory_peek(m->memory, c->addr, page, n);
        if (!c->ok) {
            return;
        }
        for (size_t i = 0; i < n; i++) {
            c->sum = (uint16_t)((c->sum >> 1 | c->sum << 15) + page[i]);
        }
        c->addr += n;
        c->size -= n;
    }
}

bool hmp_sum(MonitorEnv *env, const HmpArgs *args, GString *out, Error **errp)
{
    PlaceCall c = { .env = env, .addr = hmp_number(args, "ADDR"),
                    .size = hmp_number(args, "SIZE") };

    machine_run_sync(env->loop, sum_run, &c);
    if (!c.ok) {
        error_setg(errp, "Cannot access memory at physical address 0x%" PRIx64, c.addr);
        return false;
    }
    g_string_append_printf(out, "%05u\n", c.sum);
    return true;
}

bool hmp_memsave(MonitorEnv *env, const HmpArgs *args, GString *out, Error **errp)
{
    QapiMemsaveArgs a = {
        .val = hmp_number(args, "ADDR"), .size = hmp_number(args, "SIZE"),
        .filename = hmp_text(args, "FILE"), .has_cpu_index = true, .cpu_index = env->current_cpu,
    };

    return qmp_memsave(&(QmpContext){ .env = env }, &a, errp);
}

bool hmp_pmemsave(MonitorEnv *env, const HmpArgs *args, GString *out, Error **errp)
{
    QapiPmemsaveArgs a = { .val = hmp_number(args, "ADDR"), .size = hmp_number(args, "SIZE"),
                           .filename = hmp_text(args, "FILE") };

    return qmp_pmemsave(&(QmpContext){ .env = env }, &a, errp);
}

bool hmp_dump(MonitorEnv *env, const HmpArgs *args, GString *out, Error **errp)
{
    g_autofree char *protocol = g_strdup_printf("file:%s", hmp_text(args, "FILE"));
    QapiDumpGuestMemoryArgs a = {
        .paging = hmp_given(args, "-p"), .protocol = protocol,
        .has_detach = true, .detach = hmp_given(args, "-d"),
        .has_begin = hmp_given(args, "BEGIN"), .begin = (int64_t)hmp_number(args, "BEGIN"),
        .has_length = hmp_given(args, "LENGTH"), .length = (int64_t)hmp_number(args, "LENGTH"),
        .has_format = hmp_given(args, "-z") || hmp_given(args, "-R"),
        .format = hmp_given(args, "-R") ? QAPI_DUMP_GUEST_MEMORY_FORMAT_KDUMP_RAW_ZLIB
                                        : QAPI_DUMP_GUEST_MEMORY_FORMAT_KDUMP_ZLIB,
    };

    return qmp_dump_guest_memory(&(QmpContext){ .env = env }, &a, errp);
}
