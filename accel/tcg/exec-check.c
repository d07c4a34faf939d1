/*
 * The execution loop: what rrcheck= compares. State digests and exceptions taken.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "accel/tcg/exec-loop-internal.h"
#include "migration/fields.h"

static void add_table(void *opaque, const char *owner, const FieldTable *table,
                      const void *state)
{
    fields_digest(table, state, opaque);
}

static void digest_cpus(ExecLoop *l, Digest *d)
{
    Machine *m = l->machine;

    for (unsigned n = 0; n < m->num_cpus; n++) {
        m->cpus[n]->ops->digest(m->cpus[n], d);
    }
    loop_visit_state(l, add_table, d);
    machine_digest_devices(m, d);
}

/* CPUs, devices and the pages written since the last check. */
static void check_digest(ExecLoop *l)
{
    GByteArray *pages = g_byte_array_new();

    digest_reset(l->digest);
    digest_cpus(l, l->digest);
    memory_digest_dirty(l->machine->memory, l->digest, pages);
    loop_make_details(l, pages);
    replay_check_digest(l->replay, digest_value(l->digest), l->details->data, l->details->len);
    g_byte_array_unref(pages);
}

uint64_t exec_loop_digest(ExecLoop *l)
{
    digest_reset(l->digest);
    digest_cpus(l, l->digest);
    memory_digest_all(l->machine->memory, l->digest);
    return digest_value(l->digest);
}

void loop_run_check(ExecLoop *l)
{
    if (l->next_check && (uint64_t)l->icount >= l->next_check) {
        l->next_check += replay_check_period(l->replay);
        check_digest(l);
    }
}

static void exception_taken(void *opaque, unsigned vector, uint64_t pc)
{
    ExecLoop *l = opaque;

    replay_check_event(l->replay, vector, pc);
}

void loop_start_checks(ExecLoop *l)
{
    ReplayCheck check = replay_check_kind(l->replay);

    l->next_check = 0;
    if (check == REPLAY_CHECK_DIGEST) {
        uint64_t period = replay_check_period(l->replay);

        l->next_check = ((uint64_t)l->icount / period + 1) * period;
    } else if (check == REPLAY_CHECK_EVENTS) {
        for (unsigned n = 0; n < l->machine->num_cpus; n++) {
            l->machine->cpus[n]->exception_hook = exception_taken;
            l->machine->cpus[n]->exception_hook_opaque = l;
        }
    }
}
