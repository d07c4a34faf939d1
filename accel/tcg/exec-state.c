/*
 * The execution loop: the state of the whole machine, saved and loaded.
 *
 * 1. Saved is all that the guest can see, and all that the order of a replay depends on: the
 *    place in the recording, the clock with its timers, devices, CPUs, turns, memory. Nothing of
 *    translations, TLBs or slices is, since no guest can see these.
 * 2. It is saved and loaded in a closure on a settled boundary (exec-loop.c), so that no request,
 *    due timer or delivery is half done.
 * 3. A saved state is untrusted input. One that does not fit is refused with what differs; by then
 *    part of it may have been loaded, so the machine must not run on.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "accel/tcg/exec-loop-internal.h"
#include "hw/core/hotplug.h"
#include "migration/fields.h"
#include "util/host-clock.h"

/* The second one has a list of devices that may go (hw/core/hotplug.h) behind the loop's state. */
#define STATE_MAGIC "REARMST1"
#define STATE_MAGIC_PLUGGED "REARMST2"

/* What the loop itself knows that is not in the clock. */
typedef struct LoopState {
    uint64_t warps;
    int64_t left;
    uint64_t ran[EXEC_MAX_CPUS];
    uint8_t asleep[EXEC_MAX_CPUS];
    uint32_t cpu;
    uint32_t current_cpu;
    uint32_t num_cpus;
    uint8_t woken;            /* the next choice looks at sleepers */
    uint8_t actions[4];
    uint8_t pad[7];
} LoopState;

#define LOOP_FIELDS(F, S)   \
    F(S, U64, warps)        \
    F(S, U64, left)         \
    F(S, ARRAY_U64, ran)    \
    F(S, ARRAY_U8, asleep)  \
    F(S, U32, cpu)          \
    F(S, U32, current_cpu)  \
    F(S, U32, num_cpus)     \
    F(S, U8, woken)         \
    F(S, ARRAY_U8, actions) \
    F(S, ARRAY_U8, pad)

FIELD_TABLE(loop_fields, "loop", 2, LoopState, LOOP_FIELDS);

static LoopState loop_state_get(const ExecLoop *l)
{
    LoopState s = { .warps = l->warps, .left = l->sched.left, .cpu = l->sched.cpu,
                    .current_cpu = l->machine->current_cpu, .num_cpus = l->machine->num_cpus,
                    .woken = tcg_woken(l->tcg) };

    memcpy(s.ran, l->sched.ran, sizeof(s.ran));
    memcpy(s.asleep, l->sched.asleep, sizeof(s.asleep));
    memcpy(s.actions, &l->actions, sizeof(s.actions));
    return s;
}

void loop_visit_state(ExecLoop *l, MachineStateFn *fn, void *opaque)
{
    LoopState s = loop_state_get(l);

    fn(opaque, "execution loop", &loop_fields, &s);
}

static void loop_state_set(ExecLoop *l, const LoopState *s)
{
    l->warps = s->warps;
    l->sched.left = s->left;
    l->sched.cpu = s->cpu;
    memcpy(l->sched.ran, s->ran, sizeof(s->ran));
    memcpy(l->sched.asleep, s->asleep, sizeof(s->asleep));
    l->machine->current_cpu = s->current_cpu;
    /* Without a recording it is the user who says what becomes of the machine, not the state. */
    if (replay_is_recording(l->replay) || !replay_is_live(l->replay)) {
        loop_set_actions(l, s->actions);
    }
}

static void save_machine(ExecLoop *l, GByteArray *out)
{
    Machine *m = l->machine;
    LoopState state = loop_state_get(l);
    bool none = hotplug_is_empty(m);

    bytes_put_data(out, none ? STATE_MAGIC : STATE_MAGIC_PLUGGED, strlen(STATE_MAGIC));
    replay_save(l->replay, out);
    fields_save(&loop_fields, &state, out);
    if (!none) {
        hotplug_save(m, out);
    }
    machine_save_devices(m, out);
    for (unsigned n = 0; n < m->num_cpus; n++) {
        m->cpus[n]->ops->save(m->cpus[n], out);
    }
}

bool machine_save(ExecLoop *l, GByteArray *out, Error **errp)
{
    if (l->over || l->ended) {
        error_setg(errp, "the %s has ended: there is no state to save that goes on",
                   l->over ? "replay" : "machine");
        return false;
    }
    if (!machine_can_save(l->machine, errp)) {
        return false;
    }
    save_machine(l, out);
    return memory_save(l->machine->memory, out, errp);
}

void loop_save_state(ExecLoop *l, GByteArray *out)
{
    save_machine(l, out);
    memory_save_places(l->machine->memory, out);
}

/* ---- load ---- */

static bool check_magic(ByteReader *in, bool *none, Error **errp)
{
    const uint8_t *magic = bytes_get_data(in, strlen(STATE_MAGIC));

    *none = magic && memcmp(magic, STATE_MAGIC, strlen(STATE_MAGIC)) == 0;
    if (!magic || (!*none && memcmp(magic, STATE_MAGIC_PLUGGED, strlen(STATE_MAGIC)) != 0)) {
        error_setg(errp, "this is not the saved state of a machine (no %s at its start)",
                   STATE_MAGIC);
        return false;
    }
    return true;
}

static bool load_loop(ExecLoop *l, LoopState *s, ByteReader *in, Error **errp)
{
    if (!fields_load(&loop_fields, s, in, errp)) {
        return false;
    }
    if (s->num_cpus != l->machine->num_cpus) {
        error_setg(errp, "the state has %" PRIu32 " CPUs, this machine %u", s->num_cpus,
                   l->machine->num_cpus);
        return false;
    }
    if (s->cpu >= MAX(s->num_cpus, 1) || s->current_cpu >= MAX(s->num_cpus, 1)) {
        error_setg(errp, "the state of the execution loop is damaged");
        return false;
    }
    loop_state_set(l, s);
    return true;
}

static bool load_machine(ExecLoop *l, LoopState *s, ByteReader *in, Error **errp)
{
    Machine *m = l->machine;
    bool none;

    if (!check_magic(in, &none, errp) || !replay_load(l->replay, in, errp) ||
        !load_loop(l, s, in, errp) || !hotplug_load(m, none ? NULL : in, errp) ||
        !machine_load_devices(m, in, errp)) {
        return false;
    }
    for (unsigned n = 0; n < m->num_cpus; n++) {
        if (!m->cpus[n]->ops->load(m->cpus[n], in, errp)) {
            return false;
        }
    }
    return true;
}

/* What is derived from the state, or not part of it. */
static bool loaded(ExecLoop *l, const LoopState *s, const ByteReader *in, Error **errp)
{
    if (byte_reader_left(in)) {
        error_setg(errp, "%zu bytes follow the machine's state", byte_reader_left(in));
        return false;
    }
    /* Behind everything else: a CPU's interrupt that is pending wakes it. */
    tcg_set_woken(l->tcg, s->woken);
    l->over = false;
    l->result = (ExecResult){ 0 };
    l->icount = clock_icount(l->machine->clock);
    clock_set_slice(l->machine->clock, l->icount, &l->zero);
    loop_start_checks(l);
    l->adapt_time = host_monotonic_ns();
    l->adapt_icount = l->icount;
    l->adapt_idle = 0;
    for (unsigned n = 0; n < l->machine->num_cpus; n++) {
        Vcpu *cpu = l->machine->cpus[n];

        cpu->skip_breakpoint = cpu->skip_watch = false;
    }
    return true;
}

static bool may_load(ExecLoop *l, Error **errp)
{
    if (l->ended) {
        error_setg(errp, "the machine has ended: a state can be loaded into a running one only");
    }
    return !l->ended;
}

bool machine_load(ExecLoop *l, const uint8_t *data, size_t length, Error **errp)
{
    ByteReader in;
    LoopState s;

    byte_reader_init(&in, data, length);
    return may_load(l, errp) && load_machine(l, &s, &in, errp) &&
           memory_load(l->machine->memory, &in, errp) && loaded(l, &s, &in, errp);
}

bool loop_load_state(ExecLoop *l, const uint8_t *data, size_t length, const MemSnapshot *memory,
                     Error **errp)
{
    ByteReader in;
    LoopState s;

    byte_reader_init(&in, data, length);
    if (!may_load(l, errp) || !load_machine(l, &s, &in, errp) ||
        !memory_load_places(l->machine->memory, &in, errp)) {
        return false;
    }
    memory_snapshot_restore(l->machine->memory, memory);
    return loaded(l, &s, &in, errp);
}

/* What was there before the state that did not fit. */
static void put_back(ExecLoop *l, const GByteArray *before, bool over, const ExecResult *result)
{
    Error *err = NULL;

    if (!machine_load(l, before->data, before->len, &err)) {
        error_report("cannot go back to the state before: %s", error_get_pretty(err));
        error_free(err);
        l->result.exit_code = 2;
        l->ended = true;
        return;
    }
    l->over = over;
    l->result = *result;
}

bool exec_loop_load(ExecLoop *l, const uint8_t *data, size_t length, Error **errp)
{
    const ExecResult result = l->result;
    GByteArray *before;
    bool over = l->over, ok = false;

    if (!may_load(l, errp)) {
        return false;
    }
    before = g_byte_array_new();
    save_machine(l, before);
    if (memory_save(l->machine->memory, before, errp)) {
        ok = machine_load(l, data, length, errp);
        if (!ok) {
            put_back(l, before, over, &result);
        }
        loop_arrived(l);
    }
    g_byte_array_unref(before);
    return ok;
}

/* ---- chaos: save, scramble and load all state at random moments, unseen by the guest ---- */

static uint64_t chaos_random(ExecLoop *l)
{
    l->chaos ^= l->chaos << 13;
    l->chaos ^= l->chaos >> 7;
    l->chaos ^= l->chaos << 17;
    return l->chaos >> 8;
}

static void scramble(ExecLoop *l)
{
    /* What can go is not there, so a load has to make it. */
    hotplug_remove_all(l->machine);
    /* CPUs first: their timers' outputs go to interrupt controllers. */
    for (unsigned n = 0; n < l->machine->num_cpus; n++) {
        l->machine->cpus[n]->ops->reset(l->machine->cpus[n]);
    }
    memset(&l->sched, 0xa5, sizeof(l->sched));
    l->sched.cpu = 0;
    l->warps = chaos_random(l);
    l->machine->current_cpu = 0;
    machine_scramble_devices(l->machine, &l->chaos);
    memory_scramble(l->machine->memory);
}

static void chaos_round(ExecLoop *l)
{
    GByteArray *before = g_byte_array_new(), *after = g_byte_array_new();
    Error *err = NULL;

    if (!machine_can_save(l->machine, NULL)) {
        return;
    }
    if (!machine_save(l, before, &err)) {
        g_error("state-chaos: %s", error_get_pretty(err));
    }
    /* In a recording the place decides whether this goes back in time. */
    l->scrambled_at = exec_loop_position(l);
    l->scrambled = true;
    scramble(l);
    if (!machine_load(l, before->data, before->len, &err)) {
        g_error("state-chaos: %s", error_get_pretty(err));
    }
    l->scrambled = false;
    if (!machine_save(l, after, &err)) {
        g_error("state-chaos: %s", error_get_pretty(err));
    }
    if (before->len != after->len || memcmp(before->data, after->data, before->len) != 0) {
        g_error("state-chaos: what was loaded at position %" PRIu64 " is not what was saved",
                exec_loop_position(l));
    }
    g_byte_array_unref(before);
    g_byte_array_unref(after);
}

void loop_state_chaos(ExecLoop *l)
{
    uint64_t position = exec_loop_position(l);

    if (!l->chaos || position < l->chaos_at) {
        return;
    }
    if (l->chaos_at) {
        chaos_round(l);
    }
    l->chaos_at = position + 1 + chaos_random(l) % (2 * l->config.state_chaos_period);
}
