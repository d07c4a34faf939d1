/*
 * The execution loop: where two states differ. With each digest goes a byte for each part of
 * the state (fields_parts(): CPUs, the loop, devices), one for the clock, and the pages that
 * were written since the check before, as memory_digest_dirty() lists them. A replay whose
 * digest differs holds
 * these against its own, and the report names the parts. A byte that is equal by chance hides
 * one part in 256.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "accel/tcg/exec-loop-internal.h"
#include "migration/fields.h"

/* Lines of the report. */
#define MAX_PARTS_SHOWN 24
#define MAX_PAGES_SHOWN 16

/* ---- the walk over all tables, in an order that does not change ---- */

typedef struct CpuVisit {
    MachineStateFn *fn;
    void *opaque;
    char *owner;
} CpuVisit;

static void visit_cpu_table(void *opaque, const FieldTable *table, const void *state)
{
    CpuVisit *v = opaque;

    v->fn(v->opaque, v->owner, table, state);
}

static void visit_tables(ExecLoop *l, MachineStateFn *fn, void *opaque)
{
    for (unsigned n = 0; n < l->machine->num_cpus; n++) {
        Vcpu *cpu = l->machine->cpus[n];
        CpuVisit v = { fn, opaque, g_strdup_printf("cpu %u", n) };

        cpu->ops->visit_state(cpu, visit_cpu_table, &v);
        g_free(v.owner);
    }
    loop_visit_state(l, fn, opaque);
    machine_visit_devices(l->machine, fn, opaque);
}

/* ---- make ---- */

static void add_parts(void *opaque, const char *owner, const FieldTable *table,
                      const void *state)
{
    fields_parts(table, state, opaque);
}

static uint8_t clock_part(ExecLoop *l)
{
    Digest *d = digest_new();
    uint64_t value;

    clock_digest(l->machine->clock, d);
    value = digest_value(d);
    digest_free(d);
    return (uint8_t)value;
}

void loop_make_details(ExecLoop *l, const GByteArray *pages)
{
    g_byte_array_set_size(l->details, 0);
    visit_tables(l, add_parts, l->details);
    bytes_put_u8(l->details, clock_part(l));
    l->num_parts = l->details->len;
    bytes_put_data(l->details, pages->data, pages->len);
    /* Details are bounded. A difference in what is cut off is found by the digest alone. */
    g_byte_array_set_size(l->details, MIN(l->details->len, REPLAY_MAX_DETAILS));
}

/* ---- compare ---- */

typedef struct Compare {
    const uint8_t *recorded;
    const uint8_t *now;
    guint length;             /* of both */
    guint done;               /* parts that have been compared */
    unsigned shown, more;
    GString *out;
} Compare;

static bool room(Compare *c)
{
    if (c->shown == MAX_PARTS_SHOWN) {
        c->more++;
        return false;
    }
    c->shown++;
    return true;
}

static void compare_table(void *opaque, const char *owner, const FieldTable *table,
                          const void *state)
{
    GByteArray *parts = g_byte_array_new();
    Compare *c = opaque;

    fields_parts(table, state, parts);
    for (guint n = 0; n < parts->len && c->done < c->length; n++, c->done++) {
        if (c->recorded[c->done] != c->now[c->done] && room(c)) {
            g_string_append_printf(c->out, "    %s: ", owner);
            fields_part_dump(table, state, n, c->out);
            g_string_append(c->out, " here\n");
        }
    }
    g_byte_array_unref(parts);
}

typedef struct PageReader {
    ByteReader in;
    uint64_t number;          /* UINT64_MAX: no more */
    uint8_t content;
} PageReader;

static void next_page(PageReader *p)
{
    uint64_t distance = bytes_get_varint(&p->in);

    p->content = bytes_get_u8(&p->in);
    p->number = p->in.failed ? UINT64_MAX : p->number + distance;
}

static void start_pages(PageReader *p, const uint8_t *data, size_t length)
{
    *p = (PageReader){ .number = 0 };
    byte_reader_init(&p->in, data, length);
    next_page(p);
}

/* Both lists ascend. */
static void compare_pages(PageReader *recorded, PageReader *now, GString *out)
{
    unsigned shown = 0, more = 0;

    while (recorded->number != UINT64_MAX || now->number != UINT64_MAX) {
        uint64_t number = MIN(recorded->number, now->number);
        bool then = recorded->number == number, here = now->number == number;

        if (then && here && recorded->content == now->content) {
            /* equal */
        } else if (shown == MAX_PAGES_SHOWN) {
            more++;
        } else {
            shown++;
            g_string_append_printf(out, "    memory: page 0x%" PRIx64 "%s\n", number << PAGE_BITS,
                                   !then ? ", written here alone" :
                                   !here ? ", written in the recording alone" : "");
        }
        if (then) {
            next_page(recorded);
        }
        if (here) {
            next_page(now);
        }
    }
    if (more) {
        g_string_append_printf(out, "    memory: %u pages more\n", more);
    }
}

void loop_describe_digest(void *opaque, const uint8_t *recorded, size_t length, GString *out)
{
    ExecLoop *l = opaque;
    Compare c = { .recorded = recorded, .now = l->details->data, .out = out,
                  .length = (guint)MIN(length, l->num_parts) };
    PageReader then, now;

    visit_tables(l, compare_table, &c);
    if (c.done < c.length && c.recorded[c.done] != c.now[c.done]) {
        g_string_append(out, "    clock: instruction count, time, or a timer\n");
    }
    if (c.more) {
        g_string_append_printf(out, "    %u parts more\n", c.more);
    }
    if (length > l->num_parts) {
        start_pages(&then, recorded + l->num_parts, length - l->num_parts);
        start_pages(&now, l->details->data + l->num_parts, l->details->len - l->num_parts);
        compare_pages(&then, &now, out);
    }
}
