/*
 * The gdb stub on fakes: an execution loop, CPUs and a connection that note what is asked of them.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TESTS_GDBSTUB_MACHINE_H
#define TESTS_GDBSTUB_MACHINE_H

#include "util/osdep.h"
#include "accel/tcg/exec-history.h"
#include "gdbstub/gdbstub.h"
#include "gdbstub/packet.h"
#define MEM_BASE 0x40000000ull
#define MEM_SIZE 0x2000

struct ExecLoop {
    Machine machine;
    Vcpu cpu[2], *cpus[2];
    ExecListener listener;
    bool running;
    bool refuses;           /* as a replay does: nothing can be written */
    unsigned stops, conts, steps;
    int watchers;
    Vcpu *stepped;
    ShutdownCause requested;
    bool travels, travelling;
    bool keeps_running;     /* a journey takes its time */
    bool watch_behind;      /* what stops the machine backwards is a watchpoint */
    uint8_t mem[MEM_SIZE];
    GHashTable *breakpoints;
    GString *watches;       /* "KIND:ADDR:LENGTH " each */
};

struct Chardev {
    const ChardevClient *client;
    void *opaque;
    GString *out;
};

struct TcgContext {
    ExecLoop *loop;
};

static TcgContext fake_tcg;

void chardev_set_client(Chardev *c, const ChardevClient *client, void *opaque)
{
    c->client = client;
    c->opaque = opaque;
}

void chardev_write(Chardev *c, const uint8_t *data, size_t length)
{
    g_string_append_len(c->out, (const char *)data, (gssize)length);
}

void machine_run_sync(ExecLoop *l, void (*fn)(void *opaque), void *opaque)
{
    fn(opaque);
}

void exec_loop_add_listener(ExecLoop *l, const ExecListener *listener)
{
    l->listener = *listener;
}

void exec_loop_stop(ExecLoop *l)
{
    l->stops++;
    if (l->running) {
        l->running = false;
        l->listener.stopped(l->listener.opaque, EXEC_STOP_PAUSED, l->cpus[0]);
    }
}

void exec_loop_cont(ExecLoop *l)
{
    l->conts++;
    l->running = true;
}

void exec_loop_watch(ExecLoop *l, bool watch)
{
    l->watchers += watch ? 1 : -1;
}

bool exec_loop_can_travel(ExecLoop *l)
{
    return l->travels;
}

/* Backwards by an instruction; there is nothing before address 0. */
static bool go_back(ExecLoop *l, Vcpu *cpu, uint64_t pc, ExecStopReason reason, Error **errp)
{
    if (!l->travels) {
        error_setg(errp, "there is no recording to travel in");
        return false;
    }
    if (l->keeps_running) {
        l->running = true;
        return true;
    }
    cpu->pc = pc;
    l->listener.stopped(l->listener.opaque, reason, cpu);
    return true;
}

bool exec_loop_reverse_step(ExecLoop *l, Vcpu *cpu, Error **errp)
{
    return go_back(l, cpu, cpu->pc - 4, EXEC_STOP_STEPPED, errp);
}

bool exec_loop_reverse_cont(ExecLoop *l, Error **errp)
{
    return l->watch_behind ? go_back(l, l->cpus[0], 0x1000, EXEC_STOP_WATCHPOINT, errp) :
                             go_back(l, l->cpus[0], 0, EXEC_STOP_REPLAY_BEGIN, errp);
}

bool exec_loop_travelling(ExecLoop *l)
{
    return l->travelling;
}

void exec_loop_step(ExecLoop *l, Vcpu *cpu)
{
    l->steps++;
    l->stepped = cpu;
    cpu->pc += 4;
    l->listener.stopped(l->listener.opaque, EXEC_STOP_STEPPED, cpu);
}

bool exec_loop_request(ExecLoop *l, ShutdownCause cause)
{
    l->requested = cause;
    return true;
}

Machine *exec_loop_machine(ExecLoop *l)
{
    return &l->machine;
}

TcgContext *exec_loop_tcg(ExecLoop *l)
{
    fake_tcg.loop = l;
    return &fake_tcg;
}

void tcg_breakpoint_insert(TcgContext *t, uint64_t vaddr)
{
    g_assert_true(g_hash_table_add(t->loop->breakpoints, g_memdup2(&vaddr, 8)));
}

/* Room for two. */
bool tcg_watchpoint_insert(TcgContext *t, WatchKind kind, uint64_t vaddr, uint64_t length)
{
    GString *w = t->loop->watches;

    if (w->len && strchr(w->str, ' ') != strrchr(w->str, ' ')) {
        return false;
    }
    g_string_append_printf(w, "%d:%" PRIx64 ":%" PRIx64 " ", kind, vaddr, length);
    return true;
}

bool tcg_watchpoint_remove(TcgContext *t, WatchKind kind, uint64_t vaddr, uint64_t length)
{
    g_autofree char *entry = g_strdup_printf("%d:%" PRIx64 ":%" PRIx64 " ", kind, vaddr, length);
    const char *at = strstr(t->loop->watches->str, entry);

    g_assert_nonnull(at);
    g_string_erase(t->loop->watches, at - t->loop->watches->str, (gssize)strlen(entry));
    return true;
}

bool tcg_breakpoint_remove(TcgContext *t, uint64_t vaddr)
{
    return g_hash_table_remove(t->loop->breakpoints, &vaddr);
}

static uint8_t *memory_at(Vcpu *cpu, uint64_t vaddr, size_t length)
{
    ExecLoop *l = container_of(cpu->machine, ExecLoop, machine);

    if (vaddr < MEM_BASE || length > MEM_SIZE || vaddr - MEM_BASE > MEM_SIZE - length) {
        return NULL;
    }
    return l->mem + (vaddr - MEM_BASE);
}

bool vcpu_peek(Vcpu *cpu, uint64_t vaddr, void *out, size_t length)
{
    const uint8_t *p = memory_at(cpu, vaddr, length);

    if (p) {
        memcpy(out, p, length);
    }
    return p != NULL;
}

/* Physical addresses begin at 0. */
bool machine_peek(Machine *m, unsigned cpu, hwaddr addr, void *out, size_t length)
{
    return vcpu_peek(fake_tcg.loop->cpus[0], MEM_BASE + addr, out, length);
}

ExecWrite exec_loop_write_memory(ExecLoop *l, Vcpu *cpu, uint64_t vaddr, const void *data,
                                 size_t length)
{
    uint8_t *p = memory_at(cpu, vaddr, length);

    if (l->refuses) {
        return EXEC_WRITE_REFUSED;
    }
    if (p) {
        memcpy(p, data, length);
    }
    return p ? EXEC_WRITE_DONE : EXEC_WRITE_FAILED;
}

/* Four registers: r0, r1 (8 bytes), pc, and v (16 bytes, not in "g"). */
static unsigned fake_size(unsigned n)
{
    return n == 3 ? 16 : 8;
}

static uint64_t *fake_register(Vcpu *cpu, unsigned n)
{
    return n == 2 ? &cpu->pc : &cpu->slot[n];
}

static void fake_read(Vcpu *cpu, unsigned n, uint8_t *out)
{
    g_assert_cmpuint(n, <, 4);
    memcpy(out, fake_register(cpu, n), fake_size(n));
}

static bool fake_write(Vcpu *cpu, unsigned n, const uint8_t *data)
{
    g_assert_cmpuint(n, <, 4);
    if (n == 1 && data[7] == 0xff) {
        return false;
    }
    memcpy(fake_register(cpu, n), data, fake_size(n));
    return true;
}

ExecWrite exec_loop_write_physical(ExecLoop *l, hwaddr addr, const void *data, size_t length)
{
    return exec_loop_write_memory(l, l->cpus[0], MEM_BASE + addr, data, length);
}

ExecWrite exec_loop_write_register(ExecLoop *l, Vcpu *cpu, unsigned reg, const uint8_t *data)
{
    if (l->refuses) {
        return EXEC_WRITE_REFUSED;
    }
    return fake_write(cpu, reg, data) ? EXEC_WRITE_DONE : EXEC_WRITE_FAILED;
}

static bool fake_describe(const char *file, GString *out)
{
    g_string_append(out, "<target>0123456789</target>");
    return !strcmp(file, "target.xml");
}

static unsigned fake_num_regs(void)
{
    return 4;
}

static const GdbTarget fake_target = {
    .num_regs = fake_num_regs, .num_g_regs = 3, .pc = 2, .size = fake_size, .read = fake_read, .write = fake_write,
    .describe = fake_describe,
};

/* To "later" it answers when fake_answer() is called. */
static struct {
    void (*answer)(void *opaque, const char *text);
    void *opaque;
} fake_later;

static bool fake_monitor(void *opaque, const char *line, GString *out,
                         void (*answer)(void *opaque, const char *text), void *answer_opaque)
{
    fake_later.answer = answer;
    fake_later.opaque = answer_opaque;
    g_string_append_printf(out, "<%s>", line);
    fake_tcg.loop->travelling = !strcmp(line, "seek");
    return strcmp(line, "later");
}

static unsigned fake_interrupts;

void exec_loop_interrupt_history(ExecLoop *l)
{
    fake_interrupts++;
}

typedef struct Fixture {
    ExecLoop loop;
    Chardev chr;
    GdbStub *g;
} Fixture;

static void setup(Fixture *f, gconstpointer data)
{
    GdbEnv env = { .loop = &f->loop, .target = &fake_target, .monitor = fake_monitor };

    fake_tcg.loop = &f->loop;
    f->loop.machine.cpus = f->loop.cpus;
    f->loop.machine.num_cpus = 2;
    f->loop.running = true;
    f->loop.breakpoints = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, NULL);
    f->loop.watches = g_string_new("");
    for (unsigned i = 0; i < 2; i++) {
        f->loop.cpus[i] = &f->loop.cpu[i];
        f->loop.cpu[i].machine = &f->loop.machine;
        f->loop.cpu[i].index = i;
        f->loop.cpu[i].slot[0] = 0x1122334455667788 + i;
        f->loop.cpu[i].pc = MEM_BASE + i * 0x100;
    }
    for (unsigned i = 0; i < MEM_SIZE; i++) {
        f->loop.mem[i] = (uint8_t)i;
    }
    f->chr.out = g_string_new("");
    f->g = gdbstub_new(&env, NULL, &f->chr);
    f->chr.client->event(f->chr.opaque, CHAR_EVENT_OPENED);
    g_assert_false(f->loop.running);
}

static void teardown(Fixture *f, gconstpointer data)
{
    gdbstub_free(f->g);
    g_assert_cmpuint(f->chr.out->len, >=, 7);
    g_assert_cmpstr(f->chr.out->str + f->chr.out->len - 7, ==, "$W00#b7");
    g_string_free(f->chr.out, TRUE);
    g_hash_table_unref(f->loop.breakpoints);
    g_string_free(f->loop.watches, TRUE);
}

static void feed(Fixture *f, const void *data, size_t length)
{
    f->chr.client->receive(f->chr.opaque, data, length);
    while (g_main_context_iteration(NULL, FALSE)) {
    }
}

/* Send a packet; what came back, without framing, is in f->chr.out. */
static void request_bytes(Fixture *f, const void *data, size_t length)
{
    g_autoptr(GByteArray) frame = g_byte_array_new();

    g_string_truncate(f->chr.out, 0);
    gdb_packet_frame(frame, data, length);
    feed(f, frame->data, frame->len);
}

static void expect(Fixture *f, const char *packet, const char *reply)
{
    g_autoptr(GByteArray) frame = g_byte_array_new();
    g_autofree char *expected = NULL;

    request_bytes(f, packet, strlen(packet));
    if (reply) {
        gdb_packet_frame(frame, reply, strlen(reply));
    }
    expected = g_strdup_printf("+%.*s", (int)frame->len, (const char *)frame->data);
    g_assert_cmpstr(f->chr.out->str, ==, expected);
}

#endif
