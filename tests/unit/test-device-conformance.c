/*
 * What every device of every board has to keep, whatever it does: random accesses to a whole
 * board, and then
 *
 * - two boards that were treated alike are equal: no host data, pointer or environment variable
 *   is in their state;
 * - an observer's look has no effect;
 * - a board that a state was loaded into goes on like the one that it was saved from;
 * - a reset gives the state of power-on, but for what is listed here with its reason.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "migration/fields.h"
#include "random-board.h"
#include "target/arm/cpu.h"

/* ---- the properties ---- */

static void check_equal(Board *a, Board *b, const Act *last)
{
    if (board_digest(a) != board_digest(b)) {
        g_error("two equal boards differ after a %s of %u bytes at 0x%" PRIx64 ", value 0x%" PRIx64,
                last->kind == ACT_READ ? "read" : last->kind == ACT_WRITE ? "write" : "pause",
                last->size, last->addr, last->value);
    }
}

/* Every register can be looked at, and a look changes nothing. */
static void check_peek(Board *b, const Registers *r)
{
    uint64_t before = board_digest(b);
    uint8_t bytes[4];

    for (hwaddr offset = 0; offset < MIN(r->size, 0x1200); offset += 4) {
        if (!memory_peek(b->m->memory, r->base + offset, bytes, 4)) {
            g_error("'%s' cannot be looked at, at offset 0x%" PRIx64, r->name, offset);
        }
    }
    if (board_digest(b) != before) {
        g_error("a look at '%s' changes the machine", r->name);
    }
}

static void treat_alike(Board *a, Board *b, Rng *rng, const GArray *registers, unsigned acts)
{
    Act last = { 0 };

    for (unsigned n = 0; n < acts; n++) {
        last = random_act(rng, registers, a->m->num_cpus);
        g_assert_cmphex(act(a, &last), ==, act(b, &last));
        if (n % 16 == 0) {
            check_equal(a, b, &last);
        }
        if (n % 8 == 0) {
            check_peek(a, &g_array_index(registers, Registers, rng_below(rng, registers->len)));
        }
    }
    check_equal(a, b, &last);
}

static void save(Board *b, GByteArray *out)
{
    machine_save_devices(b->m, out);
    for (unsigned i = 0; i < b->m->num_cpus; i++) {
        b->m->cpus[i]->ops->save(b->m->cpus[i], out);
    }
    g_assert_true(memory_save(b->m->memory, out, NULL));
}

static void transfer(Board *from, Board *to)
{
    GByteArray *saved = g_byte_array_new(), *again = g_byte_array_new();
    uint64_t seed = 99;
    ByteReader in;

    save(from, saved);
    machine_scramble_devices(to->m, &seed);
    byte_reader_init(&in, saved->data, saved->len);
    g_assert_true(machine_load_devices(to->m, &in, NULL));
    for (unsigned i = 0; i < to->m->num_cpus; i++) {
        g_assert_true(to->m->cpus[i]->ops->load(to->m->cpus[i], &in, NULL));
    }
    g_assert_true(memory_load(to->m->memory, &in, NULL));
    save(to, again);
    g_assert_cmpmem(again->data, again->len, saved->data, saved->len);
    g_byte_array_unref(saved);
    g_byte_array_unref(again);
}

/* ---- reset ---- */

/* Fields that a reset keeps, and why. */
static const struct Kept {
    const char *table, *field;
} kept[] = {
    { "pl031", "offset" },        /* like a battery-backed clock it goes on over a reset, */
    { "pl031", "lr" },            /* and with it what it was set to */
    { "pl031", "last_dr" },       /* ... and was seen at */
    { "pl061", "in" },            /* its inputs are driven from outside */
};

static bool is_kept(const FieldTable *table, const char *field)
{
    for (unsigned i = 0; i < ARRAY_SIZE(kept); i++) {
        if (strcmp(kept[i].table, table->name) == 0 && strcmp(kept[i].field, field) == 0) {
            return true;
        }
    }
    return false;
}

/* A device's state as text, a line a field, without the fields that are kept. */
static void dump_table(void *opaque, const char *owner, const FieldTable *table,
                       const void *state)
{
    g_autoptr(GString) text = g_string_new(NULL);
    g_auto(GStrv) lines = NULL;

    fields_dump(table, state, text);
    lines = g_strsplit(text->str, "\n", -1);
    for (unsigned i = 0; lines[i] && *lines[i]; i++) {
        g_autofree char *field = g_strndup(lines[i], strcspn(lines[i], "="));

        if (!is_kept(table, field)) {
            g_string_append_printf(opaque, "%s: %s\n", owner, lines[i]);
        }
    }
}

static char *dump(Board *b)
{
    GString *text = g_string_new(NULL);

    machine_visit_devices(b->m, dump_table, text);
    return g_string_free(text, false);
}

/* The world comes to rest: whoever pressed a button lets go, and nobody types. */
static void come_to_rest(Board *b)
{
    const Act wait = { .kind = ACT_TIME, .value = 200000000 };

    act(b, &wait);
    for (unsigned i = 0; i < b->m->serial->len; i++) {
        g_byte_array_set_size(char_port_queue(g_ptr_array_index(b->m->serial, i)), 0);
    }
}

static void check_reset(Board *b, const char *power_on)
{
    g_autofree char *text = NULL;

    come_to_rest(b);
    board_reset(b);
    text = dump(b);
    if (strcmp(text, power_on) != 0) {
        g_auto(GStrv) now = g_strsplit(text, "\n", -1), then = g_strsplit(power_on, "\n", -1);

        for (unsigned i = 0; now[i] && then[i]; i++) {
            if (strcmp(now[i], then[i]) != 0) {
                g_error("after a reset %.300s, at power-on %.300s", now[i], then[i]);
            }
        }
    }
    g_assert_cmpint(clock_next_deadline(b->m->clock), ==, CLOCK_NO_DEADLINE);
}

/* ---- */

static void check_board(const BoardType *type, unsigned num_cpus, unsigned list, uint64_t seed)
{
    g_autofree char *power_on = NULL;
    Rng rng = { seed };
    GArray *registers;
    Board a, b;

    make_board(&a, type, num_cpus, list);
    make_board(&b, type, num_cpus, list);
    board_reset(&a);
    board_reset(&b);
    power_on = dump(&a);
    registers = board_registers(&a);
    for (unsigned round = 0; round < 6; round++) {
        treat_alike(&a, &b, &rng, registers, 400);
        /* B goes elsewhere, and is called back. */
        for (unsigned n = 0; n < 200; n++) {
            Act other = random_act(&rng, registers, num_cpus);

            act(&b, &other);
        }
        transfer(&a, &b);
        treat_alike(&a, &b, &rng, registers, 400);
        if (round % 2) {
            check_reset(&a, power_on);
            check_reset(&b, power_on);
        }
    }
    g_array_unref(registers);
    board_free(&a);
    board_free(&b);
}

/* REARM_SEEDS: so many seeds instead of a few. */
static unsigned num_seeds(const char *text)
{
    return text ? (unsigned)atoi(text) : 4;
}

/* What users see is there, and the values that they are told of are what they may write. */
static void check_properties(const char *owner, const Property *table)
{
    for (const Property *p = table; p && p->name; p++) {
        g_test_message("%s.%s", owner, p->name);
        g_assert_true(property_find(table, p->name) == p);
        g_assert_true(p->doc || (p->refused && !p->values));
        g_assert_true(!property_default(p) || property_set(table, NULL, p->name,
                                                           property_default(p), "", NULL));
    }
}

static void test_types(void)
{
    for (const DeviceType *const *type = device_types; *type; type++) {
        g_test_message("%s", (*type)->name);
        g_assert_nonnull((*type)->doc);
        g_assert_true(!(*type)->pluggable || (*type)->size >= sizeof(Device));
        g_assert_true(!(*type)->size || !(*type)->window == (!(*type)->bank && !(*type)->ops));
        check_properties((*type)->name, (*type)->properties);
        for (const DeviceType *const *other = device_types; other < type; other++) {
            g_assert_cmpstr((*other)->name, !=, (*type)->name);
        }
    }
}

static void test_board_properties(void)
{
    for (const BoardType *const *type = board_types; *type; type++) {
        check_properties((*type)->name, (*type)->properties);
    }
    check_properties("-machine", board_common_properties);
}

static unsigned seeds;

static void test_boards(void)
{
    for (unsigned n = 0; board_types[n]; n++) {
        /* An empty board has nothing to treat. */
        for (unsigned seed = 1; board_types[n]->default_cpu && seed <= seeds; seed++) {
            unsigned num_cpus = MIN(1 + seed % 3, board_types[n]->max_cpus);

            check_board(board_types[n], num_cpus, seed % ARRAY_SIZE(device_lists), seed);
        }
    }
    g_assert_cmpuint(requests_done, >, 0);
}

int main(int argc, char **argv)
{
    seeds = 4;
    for (char **e = environ; *e; e++) {
        if (g_str_has_prefix(*e, "REARM_SEEDS=")) {
            seeds = num_seeds(*e + strlen("REARM_SEEDS="));
        }
    }
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/device-conformance/types", test_types);
    g_test_add_func("/device-conformance/board-properties", test_board_properties);
    g_test_add_func("/device-conformance/boards", test_boards);
    return g_test_run();
}
