/*
 * The execution loop's interface as the monitor uses it, for one machine that stands
 * still: two CPUs, and 256 bytes at virtual and physical 0x1000.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TESTS_MONITOR_MACHINE_H
#define TESTS_MONITOR_MACHINE_H

#include "accel/tcg/exec-history.h"
#include "accel/tcg/gdb-target.h"
#include "hw/core/hotplug.h"
#include "hw/core/user-object.h"
#include "monitor/monitor.h"
#include "replay/replay.h"
#include "tests/unit/fake-replay.h"

struct ExecLoop {
    Machine machine;
    Vcpu cpu[2], *cpus[2];
    bool running;
    bool refuses;            /* requests, as a replay does */
    ShutdownCause requested;
    ExecActions actions;     /* the last change that was asked for */
    ExecListener listener;
    uint8_t ram[256];        /* at virtual and physical 0x1000 */
};

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
    if (l->running) {
        l->listener.stopped(l->listener.opaque, EXEC_STOP_PAUSED, l->cpus[0]);
    }
    l->running = false;
}

void exec_loop_cont(ExecLoop *l)
{
    if (!l->running) {
        l->listener.event(l->listener.opaque, EXEC_EVENT_RESUMED, SHUTDOWN_CAUSE_NONE);
    }
    l->running = true;
}

bool exec_loop_running(ExecLoop *l)
{
    return l->running;
}

bool exec_loop_request(ExecLoop *l, ShutdownCause cause)
{
    l->requested = cause;
    return !l->refuses;
}

bool exec_loop_set_actions(ExecLoop *l, const ExecActions *actions)
{
    l->actions = *actions;
    return !l->refuses;
}

Machine *exec_loop_machine(ExecLoop *l)
{
    return &l->machine;
}

TcgContext *exec_loop_tcg(ExecLoop *l)
{
    return NULL;
}

/* Breaks stand in an array; where a seek leads, and what else is asked, is taken note of. */
static GArray *fake_breaks;
static uint64_t fake_sought;
static int64_t fake_sought_ns;
static char fake_asked[64];
/* Of a replay, if not 0. */
static uint64_t fake_end;

uint64_t exec_loop_digest(ExecLoop *l)
{
    return 0;
}

const GArray *exec_loop_breaks(ExecLoop *l)
{
    if (!fake_breaks) {
        fake_breaks = g_array_new(false, false, sizeof(uint64_t));
    }
    return fake_breaks;
}

bool exec_loop_remove_break(ExecLoop *l, uint64_t position)
{
    for (guint n = 0; n < exec_loop_breaks(l)->len; n++) {
        if (g_array_index(fake_breaks, uint64_t, n) == position) {
            g_array_remove_index(fake_breaks, n);
            return true;
        }
    }
    return false;
}

bool exec_loop_add_break(ExecLoop *l, uint64_t position)
{
    bool is_new = !exec_loop_remove_break(l, position);

    g_array_append_val(fake_breaks, position);
    return is_new;
}

bool exec_loop_seek(ExecLoop *l, uint64_t position, Error **errp)
{
    fake_sought = position;
    return true;
}

bool exec_loop_seek_by(ExecLoop *l, int64_t ns, Error **errp)
{
    fake_sought_ns = ns;
    return true;
}

/* Two writes, or what the fake was told to say instead; the question stays in fake_asked. */
static const char *fake_history_error;
static bool fake_interrupted;

static void fake_add_write(ExecHistory *h, const ExecMemoryWrite *w)
{
    ExecMemoryWrite copy = *w;

    copy.before = g_memdup2(w->before, w->length);
    copy.after = g_memdup2(w->after, w->length);
    g_array_append_val(h->writes, copy);
}

ExecHistory *exec_history_new(ExecHistoryKind kind)
{
    ExecHistory *h = g_new0(ExecHistory, 1);

    h->kind = kind;
    h->writes = g_array_new(false, false, sizeof(ExecMemoryWrite));
    return h;
}

void exec_history_free(ExecHistory *h)
{
    for (guint n = 0; n < h->writes->len; n++) {
        g_free(g_array_index(h->writes, ExecMemoryWrite, n).before);
        g_free(g_array_index(h->writes, ExecMemoryWrite, n).after);
    }
    g_array_unref(h->writes);
    if (h->err) {
        error_free(h->err);
    }
    g_free(h);
}

void exec_loop_ask_history(ExecLoop *l, ExecHistory *h)
{
    snprintf(fake_asked, sizeof(fake_asked), "%u %d 0x%" PRIx64 "+%u %" PRIu64 "..%" PRId64 " %u",
             h->kind, h->cpu ? (int)h->cpu->index : -1, h->addr, h->length, h->from, (int64_t)h->to,
             h->max);
    h->searched = 77;
    h->interrupted = fake_interrupted;
    if (fake_history_error) {
        error_setg(&h->err, "%s", fake_history_error);
    } else if (!fake_interrupted) {
        fake_add_write(h, &(ExecMemoryWrite){ 123, EXEC_WRITER_CPU, NULL, 1, 0x4000, 0, 4,
                                              (uint8_t *)"\0\0\0\0", (uint8_t *)"\x78\x56\x34\x12" });
        fake_add_write(h, &(ExecMemoryWrite){ 456, EXEC_WRITER_DEVICE, "disk", 0, 0x8000, 1, 3,
                                              (uint8_t *)"abc", (uint8_t *)"xyz" });
    }
    h->done(h);
}

void exec_loop_interrupt_history(ExecLoop *l)
{
    fake_interrupted = true;
}

const char *replay_report(Replay *r)
{
    return "it went \xff astray\n";
}

static void fake_note(const char *what, const char *text)
{
    snprintf(fake_asked, sizeof(fake_asked), "%s %s", what, text ? text : "-");
}

bool exec_loop_seek_text(ExecLoop *l, const char *text, ExecTextFrom from, uint64_t number,
                         Error **errp)
{
    static const char *const names[] = { "text", "next text", "previous text" };

    snprintf(fake_asked, sizeof(fake_asked), "%s #%" PRIu64 " %s", names[from], number, text);
    return true;
}

/* As the machine does it, without a guest's recording. */
bool exec_loop_plug(ExecLoop *l, const char *text, Error **errp)
{
    return hotplug_add(exec_loop_machine(l), text, errp);
}

bool exec_loop_unplug(ExecLoop *l, const char *id, Error **errp)
{
    return hotplug_del(exec_loop_machine(l), id, errp);
}

bool exec_loop_go_live(ExecLoop *l, const char *file, Error **errp)
{
    fake_note("live", file);
    return true;
}

void exec_loop_snapshot_info(ExecLoop *l, ExecSnapshotInfo *out)
{
    *out = (ExecSnapshotInfo){ 3, fake_end ? 5 << 20 : 0, fake_end ? 64 << 20 : 0 };
}

bool replay_save_log(Replay *r, const char *file, bool overwrite, Error **errp)
{
    fake_note("save", file);
    return true;
}

bool replay_output_text(Replay *r, const char *name, uint64_t upto, GString *out, Error **errp)
{
    if (name && strcmp(name, "uart0")) {
        error_setg(errp, "there is no character port '%s'", name);
        return false;
    }
    g_string_append_len(out, "boot\xff\0ed", 8);
    return true;
}

/* A machine whose state is its memory. */
bool machine_save(ExecLoop *l, GByteArray *out, Error **errp)
{
    g_byte_array_append(out, l->ram, sizeof(l->ram));
    return true;
}

bool exec_loop_load(ExecLoop *l, const uint8_t *data, size_t length, Error **errp)
{
    if (length != sizeof(l->ram)) {
        error_setg(errp, "the state has %zu bytes", length);
        return false;
    }
    memcpy(l->ram, data, length);
    return true;
}

/* What the machine is called now. */
static const char *fake_machine = "box";

char *replay_machine_text(Replay *r)
{
    return g_strdup(fake_machine);
}

bool replay_machine_is(Replay *r, const char *text, Error **errp)
{
    if (strcmp(text, fake_machine)) {
        error_setg(errp, "it is of machine %s", text);
        return false;
    }
    return true;
}

bool replay_is_live(Replay *r)
{
    return !fake_end;
}

bool replay_last_position(Replay *r, uint64_t *position)
{
    *position = fake_end;
    return fake_end > 0;
}

uint64_t exec_loop_position(ExecLoop *l)
{
    return fake_end / 4;
}

void tcg_info(TcgContext *t, GString *out)
{
    g_string_append(out, "units 3\n");
}

const char *replay_mode_name(const Replay *r)
{
    return "none";
}

const char *replay_file(const Replay *r)
{
    return NULL;
}

void replay_info(Replay *r, GString *out)
{
    g_string_append(out, "mode none\n");
}

bool vcpu_peek(Vcpu *cpu, uint64_t vaddr, void *out, size_t length)
{
    ExecLoop *l = container_of(cpu->machine, ExecLoop, machine);

    if (vaddr < 0x1000 || vaddr > 0x1100 || length > 0x1100 - vaddr) {
        return false;
    }
    memcpy(out, l->ram + (vaddr - 0x1000), length);
    return true;
}

bool vcpu_translate(Vcpu *cpu, uint64_t vaddr, uint64_t *phys)
{
    *phys = vaddr;
    return vaddr >= 0x1000 && vaddr < 0x2000;
}

void tcg_set_one_insn(TcgContext *t, bool on)
{
    snprintf(fake_asked, sizeof(fake_asked), "one insn %d", on);
}

VcpuMappings vcpu_foreach_mapping(Vcpu *cpu, VcpuMappingFn *fn, void *opaque)
{
    return VCPU_MAPPINGS_OFF;
}

static unsigned fake_disassemble(Vcpu *cpu, uint64_t pc, const uint8_t *code, unsigned bytes,
                                 GString *out)
{
    g_string_append_printf(out, "insn %02x", code[0]);
    return 4;
}

static void fake_dump(Vcpu *cpu, GString *out)
{
    g_string_append_printf(out, "PC=%" PRIx64 "\n", cpu->pc);
}

static unsigned fake_register_size(unsigned n)
{
    return 8;
}

static void fake_register_read(Vcpu *cpu, unsigned n, uint8_t *out)
{
    store_le(out, cpu->index << 8 | n, 8);
}

static const GdbTarget fake_gdb = { .size = fake_register_size, .read = fake_register_read };

static const char *const slot_names[] = { "x0", "x1", "sp" };
static const VcpuOps fake_ops = {
    .gdb = &fake_gdb,
    .num_slots = 3,
    .slot_names = slot_names,
    .disassemble = fake_disassemble,
    .dump = fake_dump,
};

static const BoardType fake_board = {
    .name = "virt", .alias = "virt-7.2", .default_cpu = "cortex-a57", .max_cpus = 8,
};
static const BoardType *const fake_boards[] = { &fake_board, NULL };
static const DeviceType *const fake_types[] = { NULL };
static const char *const fake_models[] = { "cortex-a53", "cortex-a57", NULL };

static MonitorEnv *fake_env;

static ExecLoop *loop_new(MonitorEnv *env)
{
    ExecLoop *l = g_new0(ExecLoop, 1);

    l->running = true;
    l->machine.cpus = l->cpus;
    l->machine.num_cpus = 2;
    l->machine.memory = memory_map_new();
    l->machine.clock = clock_new();
    clock_use_icount(l->machine.clock, 0);
    l->machine.devices = g_ptr_array_new();
    l->machine.buses = g_ptr_array_new();
    l->machine.drives = g_ptr_array_new();
    l->machine.objects = g_ptr_array_new_with_free_func(user_object_free);
    l->machine.device_types = fake_types;
    memory_add_ram(l->machine.memory, "virt.ram", 0x1000, 0x1000, false, NULL);
    for (unsigned i = 0; i < 2; i++) {
        l->cpus[i] = &l->cpu[i];
        l->cpu[i].ops = &fake_ops;
        l->cpu[i].machine = &l->machine;
        l->cpu[i].index = i;
        l->cpu[i].pc = 0x1000 + i * 0x10;
        l->cpu[i].slot[0] = 0xfff0 + i;
    }
    for (unsigned i = 0; i < 256; i++) {
        l->ram[i] = (uint8_t)i;
    }
    memory_write(l->machine.memory, 0x1000, l->ram, 256);
    fake_env = env;
    *env = (MonitorEnv){ .loop = l, .version = "9.9", .name = "box", .boards = fake_boards,
                         .cpu_models = fake_models };
    env->events = monitor_events_new(l);
    return l;
}

static void loop_free(ExecLoop *l)
{
    monitor_env_clear(fake_env);
    monitor_events_free(l->listener.opaque);
    memory_map_free(l->machine.memory);
    clock_free(l->machine.clock);
    g_ptr_array_unref(l->machine.devices);
    g_ptr_array_unref(l->machine.buses);
    g_ptr_array_unref(l->machine.drives);
    g_ptr_array_unref(l->machine.objects);
    g_free(l);
}

#endif
