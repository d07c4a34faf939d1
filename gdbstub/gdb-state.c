/*
 * gdb's commands on registers, memory and breakpoints. Each runs as a closure on the
 * machine thread.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "gdbstub-int.h"

enum { EINVAL_REPLY = 0x16, EFAULT_REPLY = 0x0e };

/* What a closure gets. */
typedef struct StateCall {
    GdbStub *g;
    Vcpu *cpu;
    const char *args;
    GString *reply;
    unsigned reg;
    uint64_t addr;
    uint8_t *data;
    size_t length;
    ExecWrite result;
    GdbWatch watch;
    bool ok;
} StateCall;

static void run(StateCall *c, void (*fn)(void *opaque))
{
    c->cpu = gdb_vcpu(c->g, c->g->cpu);
    machine_run_sync(c->g->env.loop, fn, c);
}

static bool finish(bool ok, unsigned error, GString *reply)
{
    if (ok) {
        g_string_append(reply, "OK");
    } else {
        gdb_error(reply, error);
    }
    return true;
}

/* error: when it failed. The text of a refusal is for gdb's user. */
static bool finish_write(ExecWrite result, unsigned error, GString *reply)
{
    if (result == EXEC_WRITE_REFUSED) {
        g_string_append(reply, "E." EXEC_WRITE_REFUSAL);
        return true;
    }
    return finish(result == EXEC_WRITE_DONE, error, reply);
}

/* ---- registers ---- */

static void put_register(StateCall *c, unsigned n)
{
    const GdbTarget *t = c->g->env.target;
    uint8_t value[GDB_MAX_REG_BYTES];

    t->read(c->cpu, n, value);
    gdb_put_hex(c->reply, value, t->size(n));
}

static ExecWrite take_register(StateCall *c, unsigned n, const char *hex)
{
    const GdbTarget *t = c->g->env.target;
    uint8_t value[GDB_MAX_REG_BYTES];

    if (!gdb_get_hex(hex, value, t->size(n))) {
        return EXEC_WRITE_FAILED;
    }
    return exec_loop_write_register(c->g->env.loop, c->cpu, n, value);
}

static void read_registers(void *opaque)
{
    StateCall *c = opaque;

    for (unsigned n = 0; n < c->g->env.target->num_g_regs; n++) {
        put_register(c, n);
    }
}

static void write_registers(void *opaque)
{
    StateCall *c = opaque;
    const GdbTarget *t = c->g->env.target;
    const char *hex = c->args;

    c->result = EXEC_WRITE_DONE;
    for (unsigned n = 0; n < t->num_g_regs && *hex && c->result == EXEC_WRITE_DONE; n++) {
        c->result = strlen(hex) < 2 * (size_t)t->size(n) ? EXEC_WRITE_FAILED :
                    take_register(c, n, hex);
        hex += 2 * t->size(n);
    }
}

static void read_register(void *opaque)
{
    StateCall *c = opaque;

    put_register(c, c->reg);
}

static void write_register(void *opaque)
{
    StateCall *c = opaque;

    c->result = take_register(c, c->reg, c->args);
}

bool gdb_read_registers(GdbStub *g, const char *args, size_t length, GString *reply)
{
    StateCall c = { .g = g, .reply = reply };

    run(&c, read_registers);
    return true;
}

bool gdb_write_registers(GdbStub *g, const char *args, size_t length, GString *reply)
{
    StateCall c = { .g = g, .args = args };

    run(&c, write_registers);
    return finish_write(c.result, EINVAL_REPLY, reply);
}

static bool parse_register(GdbStub *g, const char **args, unsigned *n)
{
    uint64_t number;

    if (!gdb_get_number(args, &number) || number >= g->env.target->num_regs()) {
        return false;
    }
    *n = (unsigned)number;
    return true;
}

bool gdb_read_register(GdbStub *g, const char *args, size_t length, GString *reply)
{
    StateCall c = { .g = g, .reply = reply };

    if (!parse_register(g, &args, &c.reg)) {
        gdb_error(reply, EINVAL_REPLY);
        return true;
    }
    run(&c, read_register);
    return true;
}

bool gdb_write_register(GdbStub *g, const char *args, size_t length, GString *reply)
{
    StateCall c = { .g = g, .result = EXEC_WRITE_FAILED };

    if (parse_register(g, &args, &c.reg) && *args == '=') {
        c.args = args + 1;
        run(&c, write_register);
    }
    return finish_write(c.result, EINVAL_REPLY, reply);
}

static void set_pc(void *opaque)
{
    StateCall *c = opaque;
    unsigned size = c->g->env.target->size(c->g->env.target->pc);
    uint8_t value[GDB_MAX_REG_BYTES];

    for (unsigned n = 0; n < size; n++) {
        value[n] = (uint8_t)(c->addr >> 8 * n);
    }
    c->result = exec_loop_write_register(c->g->env.loop, c->cpu, c->g->env.target->pc, value);
}

bool gdb_set_pc(GdbStub *g, unsigned cpu, uint64_t pc, GString *reply)
{
    StateCall c = { .g = g, .cpu = gdb_vcpu(g, cpu), .addr = pc };

    machine_run_sync(g->env.loop, set_pc, &c);
    if (c.result != EXEC_WRITE_DONE) {
        finish_write(c.result, EINVAL_REPLY, reply);
    }
    return c.result == EXEC_WRITE_DONE;
}

/* ---- memory ---- */

#define PIECE 4096u

/* As much as there is in front of the first hole, page by page. */
static void read_memory(void *opaque)
{
    StateCall *c = opaque;
    size_t done = 0;

    while (done < c->length) {
        uint64_t addr = c->addr + done;
        size_t n = MIN(c->length - done, PIECE - (addr & (PIECE - 1)));

        if (!(c->g->physical ? machine_peek(c->cpu->machine, c->cpu->index, addr, c->data + done, n)
                             : vcpu_peek(c->cpu, addr, c->data + done, n))) {
            break;
        }
        done += n;
    }
    c->length = done;
}

static void write_memory(void *opaque)
{
    StateCall *c = opaque;

    if (c->g->physical) {
        c->result = exec_loop_write_physical(c->g->env.loop, c->addr, c->data, c->length);
    } else {
        c->result = exec_loop_write_memory(c->g->env.loop, c->cpu, c->addr, c->data, c->length);
    }
}

/* "ADDR,LENGTH" and then end (a character, or NUL). */
static bool parse_range(const char **args, char end, uint64_t *addr, size_t *size)
{
    uint64_t number;

    if (!gdb_get_number(args, addr) || *(*args)++ != ',' || !gdb_get_number(args, &number) ||
        **args != end || number > GDB_MAX_PACKET) {
        return false;
    }
    *args += end != 0;
    *size = (size_t)number;
    return true;
}

bool gdb_read_memory(GdbStub *g, const char *args, size_t length, GString *reply)
{
    uint8_t data[GDB_MAX_PACKET / 2];
    StateCall c = { .g = g, .data = data };

    if (!parse_range(&args, 0, &c.addr, &c.length)) {
        gdb_error(reply, EINVAL_REPLY);
        return true;
    }
    c.length = MIN(c.length, sizeof(data));
    if (c.length == 0) {
        return finish(true, 0, reply);
    }
    run(&c, read_memory);
    if (c.length) {
        gdb_put_hex(reply, data, c.length);
    } else {
        gdb_error(reply, EFAULT_REPLY);
    }
    return true;
}

bool gdb_write_memory(GdbStub *g, const char *args, size_t length, GString *reply)
{
    uint8_t data[GDB_MAX_PACKET / 2];
    StateCall c = { .g = g, .data = data };

    if (!parse_range(&args, ':', &c.addr, &c.length) || strlen(args) != 2 * c.length ||
        c.length > sizeof(data) || !gdb_get_hex(args, data, c.length)) {
        gdb_error(reply, EINVAL_REPLY);
        return true;
    }
    if (c.length == 0) {
        return finish(true, 0, reply);
    }
    run(&c, write_memory);
    return finish_write(c.result, EFAULT_REPLY, reply);
}

bool gdb_write_memory_binary(GdbStub *g, const char *args, size_t length, GString *reply)
{
    const char *end = args + length;
    StateCall c = { .g = g };

    if (!parse_range(&args, ':', &c.addr, &c.length) || (size_t)(end - args) != c.length) {
        gdb_error(reply, EINVAL_REPLY);
        return true;
    }
    if (c.length == 0) {
        return finish(true, 0, reply);   /* how gdb asks whether X is supported */
    }
    c.data = (uint8_t *)args;
    run(&c, write_memory);
    return finish_write(c.result, EFAULT_REPLY, reply);
}

/* ---- breakpoints ---- */

static void insert_breakpoint(void *opaque)
{
    StateCall *c = opaque;

    tcg_breakpoint_insert(exec_loop_tcg(c->g->env.loop), c->addr);
}

static void remove_breakpoint(void *opaque)
{
    StateCall *c = opaque;

    tcg_breakpoint_remove(exec_loop_tcg(c->g->env.loop), c->addr);
}

static void insert_watchpoint(void *opaque)
{
    StateCall *c = opaque;

    c->ok = tcg_watchpoint_insert(exec_loop_tcg(c->g->env.loop), c->watch.kind, c->watch.addr,
                                  c->watch.length);
}

static void remove_watchpoint(void *opaque)
{
    StateCall *c = opaque;

    tcg_watchpoint_remove(exec_loop_tcg(c->g->env.loop), c->watch.kind, c->watch.addr,
                          c->watch.length);
}

/*
 * "TYPE,ADDR,KIND". Types 0 and 1, software and hardware breakpoints, are the same here. 2 to 4 are
 * watchpoints, on KIND bytes.
 */
static bool parse_breakpoint(const char *args, StateCall *c)
{
    static const WatchKind kinds[] = {
        WATCH_NONE, WATCH_NONE, WATCH_WRITES, WATCH_READS, WATCH_ACCESSES,
    };

    if (*args < '0' || *args > '4' || args[1] != ',') {
        return false;
    }
    c->watch.kind = kinds[*args - '0'];
    args += 2;
    if (!gdb_get_number(&args, &c->addr) || *args++ != ',' ||
        !gdb_get_number(&args, &c->watch.length)) {
        return false;
    }
    c->watch.addr = c->addr;
    return !c->watch.kind || (c->watch.length && c->addr + (c->watch.length - 1) >= c->addr);
}

/* Its index, or -1. */
static int find_watch(GdbStub *g, const GdbWatch *watch)
{
    for (unsigned n = 0; n < g->watches->len; n++) {
        const GdbWatch *w = &g_array_index(g->watches, GdbWatch, n);

        if (w->kind == watch->kind && w->addr == watch->addr && w->length == watch->length) {
            return (int)n;
        }
    }
    return -1;
}

static bool insert_watch(StateCall *c, GString *reply)
{
    if (find_watch(c->g, &c->watch) < 0) {
        run(c, insert_watchpoint);
        if (!c->ok) {
            g_string_append_printf(reply, "E.no more than %u watchpoints: delete one first",
                                   TCG_MAX_WATCHPOINTS);
            return true;
        }
        g_array_append_val(c->g->watches, c->watch);
    }
    return finish(true, 0, reply);
}

static bool remove_watch(StateCall *c, GString *reply)
{
    int n = find_watch(c->g, &c->watch);

    if (n >= 0) {
        g_array_remove_index(c->g->watches, (unsigned)n);
        run(c, remove_watchpoint);
    }
    return finish(true, 0, reply);
}

#define MAX_BREAKPOINTS 4096

bool gdb_insert_breakpoint(GdbStub *g, const char *args, size_t length, GString *reply)
{
    StateCall c = { .g = g };

    if (!parse_breakpoint(args, &c) ||
        g_hash_table_size(g->breakpoints) >= MAX_BREAKPOINTS) {
        gdb_error(reply, EINVAL_REPLY);
        return true;
    }
    if (c.watch.kind) {
        return insert_watch(&c, reply);
    }
    if (!g_hash_table_contains(g->breakpoints, &c.addr)) {
        g_hash_table_add(g->breakpoints, g_memdup2(&c.addr, sizeof(c.addr)));
        run(&c, insert_breakpoint);
    }
    return finish(true, 0, reply);
}

bool gdb_remove_breakpoint(GdbStub *g, const char *args, size_t length, GString *reply)
{
    StateCall c = { .g = g };

    if (!parse_breakpoint(args, &c)) {
        gdb_error(reply, EINVAL_REPLY);
        return true;
    }
    if (c.watch.kind) {
        return remove_watch(&c, reply);
    }
    if (g_hash_table_remove(g->breakpoints, &c.addr)) {
        run(&c, remove_breakpoint);
    }
    return finish(true, 0, reply);
}

void gdb_clear_breakpoints(GdbStub *g)
{
    GHashTableIter iter;
    gpointer addr;

    g_hash_table_iter_init(&iter, g->breakpoints);
    while (g_hash_table_iter_next(&iter, &addr, NULL)) {
        StateCall c = { .g = g, .addr = *(uint64_t *)addr };

        run(&c, remove_breakpoint);
    }
    g_hash_table_remove_all(g->breakpoints);
    for (unsigned n = 0; n < g->watches->len; n++) {
        StateCall c = { .g = g, .watch = g_array_index(g->watches, GdbWatch, n) };

        run(&c, remove_watchpoint);
    }
    g_array_set_size(g->watches, 0);
}
