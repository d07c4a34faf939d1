/*
 * What every device of every board has to keep, whatever it does: random treatment of a whole
 * board, of one device after the other above all, and then
 *
 * - two boards that were treated alike are equal: no host data, pointer or environment variable
 *   is in their state;
 * - an observer's look has no effect;
 * - a board that a state was loaded into, fresh or not, goes on like the one that it was saved from;
 * - a reset gives the state of power-on, but for what is listed here with its reason;
 * - each field of each device's state was saved and loaded with another value than that of
 *   power-on, but for what is listed here with its reason: what never changes is not tested.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "migration/fields.h"
#include "random-board.h"
#include "target/arm/cpu.h"

/* ---- fields ---- */

/* A line a field, "OWNER TABLE.FIELD=VALUE". */
static void add_lines(void *opaque, const char *owner, const FieldTable *table, const void *state)
{
    g_autoptr(GString) text = g_string_new(NULL);
    g_auto(GStrv) lines = NULL;

    fields_dump(table, state, text);
    lines = g_strsplit(text->str, "\n", -1);
    for (unsigned i = 0; lines[i] && *lines[i]; i++) {
        g_ptr_array_add(opaque, g_strdup_printf("%s %s.%s", owner, table->name, lines[i]));
    }
}

/* All devices' fields, in an order that stays the same. */
static GPtrArray *field_lines(Board *b)
{
    GPtrArray *lines = g_ptr_array_new_with_free_func(g_free);

    machine_visit_devices(b->m, add_lines, lines);
    return lines;
}

/* "TABLE.FIELD" of a line. */
static char *line_field(const char *line)
{
    const char *field = strchr(line, ' ') + 1;

    return g_strndup(field, strcspn(field, "="));
}

static bool equal_bytes(const GByteArray *a, const GByteArray *b)
{
    return a->len == b->len && (!a->len || memcmp(a->data, b->data, a->len) == 0);
}

/*
 * The second board should have what was loaded from the first, in one device or (NULL) in all:
 * show the field that it has not.
 */
static G_NORETURN void fail_load(Board *from, Board *to, const char *id)
{
    g_autofree char *owner = id ? g_strconcat(id, " ", NULL) : g_strdup("");
    g_autoptr(GPtrArray) saved = field_lines(from), loaded = field_lines(to);

    for (unsigned i = 0; i < saved->len; i++) {
        if (g_str_has_prefix(saved->pdata[i], owner) &&
            strcmp(saved->pdata[i], loaded->pdata[i]) != 0) {
            g_error("saved %.300s, loaded %.300s", (char *)saved->pdata[i],
                    (char *)loaded->pdata[i]);
        }
    }
    g_error("a load does not restore clock, CPUs or memory");
}

/* ---- the properties ---- */

static void check_equal(Board *a, Board *b, const Act *last)
{
    if (board_digest(a) != board_digest(b)) {
        g_error("two equal boards differ after a %s of %u bytes at 0x%" PRIx64 ", value 0x%" PRIx64,
                last->kind == ACT_READ ? "read" : last->kind == ACT_WRITE ? "write" : "pause",
                last->place.size, last->place.addr, last->value);
    }
}

/* Every register can be looked at, and a look changes nothing. */
static void check_peek(Board *b, const Registers *r)
{
    uint64_t before = board_digest(b);
    uint8_t bytes[4];

    for (hwaddr offset = 0; offset < MIN(r->size, REGISTERS_END); offset += 4) {
        if (!memory_peek(b->m->memory, r->base + offset, bytes, MIN(4, r->size - offset))) {
            g_error("'%s' cannot be looked at, at offset 0x%" PRIx64, r->name, offset);
        }
    }
    if (board_digest(b) != before) {
        g_error("a look at '%s' changes the machine", r->name);
    }
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
    if (!equal_bytes(saved, again)) {
        fail_load(from, to, NULL);
    }
    g_byte_array_unref(saved);
    g_byte_array_unref(again);
}

/* ---- coverage ---- */

/* Fields that keep the value of power-on as long as the machine lives, and why. */
static const struct Constant {
    const char *field, *why;
} constants[] = {
    { "pl011.pad", "is padding" },
    { "fw_cfg.pad", "is padding" },
    { "virtio-rng.virtio.pad", "is padding" },
    { "virtio-rng.virtio.in_use", "counts requests within a kick, which gives all of them back" },
    { "virtio-rng.virtio.packed_chains", "has requests within a kick, which gives all of them back" },
    { "gpex-root.pci.msix_table", "is of functions with messages, and it has none" },
    { "gpex-root.pci.msix_pending", "is of functions with messages, and it has none" },
    { "gpex-root.pci.intx", "is of functions with an interrupt, and it has none" },
    { "edu.pci.msix_table", "is of functions with MSI-X, and it has MSI" },
    { "edu.pci.msix_pending", "is of functions with MSI-X, and it has MSI" },
    { "edu.pad", "is padding" },
};

/*
 * Devices that no board here has, as they need a host's image and a worker, or a bus or an asking monitor: their
 * own tests carry their state.
 */
static const char *const elsewhere[] = {
    "virtio-blk" /* test-virtio-blk.c */, "virtio-serial", "virtserialport" /* test-virtio-serial.c */,
    "virtio-balloon" /* test-virtio-balloon.c */, "virtio-net" /* test-virtio-net.c */, "virtio-scsi", "scsi-disk" /* test-virtio-scsi.c */, NULL
};

/* The fields that have been saved and loaded with another value than that of power-on. */
static GHashTable *covered;

static bool is_equal(const Field *f, const void *a, const void *b)
{
    const void *x = (const char *)a + f->offset, *y = (const char *)b + f->offset;

    return f->size ? memcmp(x, y, (size_t)f->size * f->count) == 0
                   : equal_bytes(*(GByteArray *const *)x, *(GByteArray *const *)y);
}

static void note_coverage(Device *dev, Device *power_on)
{
    const FieldTable *table = dev->type->fields;

    for (unsigned i = 0; i < table->num_fields; i++) {
        const Field *f = &table->fields[i];

        if (!is_equal(f, device_state(dev), device_state(power_on))) {
            g_hash_table_add(covered, (void *)f);
        }
    }
}

static void check_field(const char *name, bool changed, bool used[], GString *wrong)
{
    const char *why = NULL;

    for (unsigned i = 0; i < ARRAY_SIZE(constants); i++) {
        if (strcmp(constants[i].field, name) == 0) {
            why = constants[i].why;
            used[i] = true;
        }
    }
    if (!changed && !why) {
        g_string_append_printf(wrong, "\n%s never left its value of power-on", name);
    } else if (changed && why) {
        g_string_append_printf(wrong, "\n%s changed, and is listed as a field that %s", name, why);
    }
}

static void check_coverage(void)
{
    g_autoptr(GString) wrong = g_string_new(NULL);
    bool used[ARRAY_SIZE(constants)] = { false };

    for (const DeviceType *const *type = device_types; *type; type++) {
        const FieldTable *table = (*type)->fields;

        if (!table || g_strv_contains(elsewhere, table->name)) {
            continue;
        }
        for (unsigned i = 0; i < table->num_fields; i++) {
            const Field *f = &table->fields[i];
            g_autofree char *name = g_strdup_printf("%s.%s", table->name, f->name);

            check_field(name, g_hash_table_contains(covered, f), used, wrong);
        }
    }
    for (unsigned i = 0; i < ARRAY_SIZE(constants); i++) {
        if (!used[i]) {
            g_string_append_printf(wrong, "\n%s is listed, and is no field", constants[i].field);
        }
    }
    if (wrong->len) {
        g_error("coverage of state:%s", wrong->str);
    }
}

/* ---- state of single devices ---- */

/* The state of one device, saved and loaded into another one: whether that saves the same. */
static bool carry_device(Device *from, Device *to)
{
    g_autoptr(GByteArray) saved = g_byte_array_new(), again = g_byte_array_new();
    uint64_t seed = 99;
    ByteReader in;

    device_save(from, saved);
    fields_scramble(to->type->fields, device_state(to), &seed);
    byte_reader_init(&in, saved->data, saved->len);
    g_assert_true(device_load(to, &in, NULL));
    device_save(to, again);
    return equal_bytes(saved, again);
}

/* ---- reset ---- */

/* Fields that a reset keeps, and why. */
static const char *const kept[] = {
    "pl031.offset",        /* like a battery-backed clock it goes on over a reset, */
    "pl031.lr",            /* and with it what it was set to */
    "pl031.last_dr",       /* ... and was seen at */
    "pl061.in",            /* its inputs are driven from outside */
    NULL
};

/* The world comes to rest: whoever pressed a button or drove a line lets go, and nobody types. */
static void come_to_rest(Board *b)
{
    const Act wait = { .kind = ACT_TIME, .value = 200000000 };

    act(b, &wait);
    for (unsigned i = 0; i < ARRAY_SIZE(b->input); i++) {
        irq_set(&b->input[i], false);
    }
    for (unsigned i = 0; i < b->m->serial->len; i++) {
        g_byte_array_set_size(char_port_queue(g_ptr_array_index(b->m->serial, i)), 0);
    }
}

static void check_reset(Board *b, Board *power_on)
{
    g_autoptr(GPtrArray) now = NULL, then = field_lines(power_on);

    come_to_rest(b);
    board_reset(b);
    now = field_lines(b);
    for (unsigned i = 0; i < now->len; i++) {
        g_autofree char *field = line_field(now->pdata[i]);

        if (strcmp(now->pdata[i], then->pdata[i]) != 0 && !g_strv_contains(kept, field)) {
            g_error("after a reset %.300s, at power-on %.300s", (char *)now->pdata[i],
                    (char *)then->pdata[i]);
        }
    }
    g_assert_cmpint(clock_next_deadline(b->m->clock), ==, CLOCK_NO_DEADLINE);
}

/* ---- */

typedef struct Treatment {
    const BoardType *type;
    unsigned num_cpus, added;
    GArray *registers;
    Board power_on;        /* stays as it is */
    Board other;           /* takes states of single devices */
    Rng rng;
} Treatment;

static bool is_below(const Device *dev, const Device *parent)
{
    for (; dev->bus; dev = dev->bus->parent) {
        if (dev->bus->parent == parent) {
            return true;
        }
    }
    return false;
}

/* Save and load the state of the window's device, and of those on its bus. */
static void carry_state(Treatment *t, Board *b, const Registers *r)
{
    const Device *parent = b->m->devices->pdata[r->device];

    for (unsigned i = r->device; i < b->m->devices->len; i++) {
        Device *dev = b->m->devices->pdata[i];

        if (dev->type->fields && (dev == parent || is_below(dev, parent))) {
            if (!carry_device(dev, t->other.m->devices->pdata[i])) {
                fail_load(b, &t->other, dev->id);
            }
            note_coverage(dev, t->power_on.m->devices->pdata[i]);
        }
    }
}

/* The same of a whole board. */
static void carry_board(Treatment *t, Board *from, Board *to)
{
    transfer(from, to);
    for (unsigned i = 0; i < from->m->devices->len; i++) {
        Device *dev = from->m->devices->pdata[i];

        if (dev->type->fields) {
            note_coverage(dev, t->power_on.m->devices->pdata[i]);
        }
    }
}

static void treat_alike(Treatment *t, Board *a, Board *b, const Registers *focus)
{
    Act last = { 0 };

    for (unsigned n = 0; n < 50; n++) {
        last = random_act(&t->rng, t->registers, focus, t->num_cpus);
        g_assert_cmphex(act(a, &last), ==, act(b, &last));
        if (n % 16 == 0) {
            check_equal(a, b, &last);
        }
        if (n % 8 == 0) {
            check_peek(a, &g_array_index(t->registers, Registers,
                                         rng_below(&t->rng, t->registers->len)));
        }
        if (focus) {
            carry_state(t, a, focus);
        }
    }
    check_equal(a, b, &last);
}

/* B becomes a fresh board, or goes elsewhere: what is loaded into it has to be the whole state. */
static void lead_astray(Treatment *t, Board *b, const Registers *focus)
{
    if (rng_percent(&t->rng, 50)) {
        board_free(b);
        make_board(b, t->type, t->num_cpus, t->added);
        board_reset(b);
        return;
    }
    for (unsigned n = 0; n < 200; n++) {
        Act other = random_act(&t->rng, t->registers, focus, t->num_cpus);

        act(b, &other);
    }
}

static void check_focus(Treatment *t, Board *a, Board *b, const Registers *focus)
{
    for (unsigned i = 0; i < 8; i++) {
        treat_alike(t, a, b, focus);
        lead_astray(t, b, focus);
        carry_board(t, a, b);
    }
    treat_alike(t, a, b, focus);
}

static void check_board(const BoardType *type, unsigned num_cpus, unsigned added, uint64_t seed)
{
    Treatment t = { .type = type, .num_cpus = num_cpus, .added = added, .rng = { seed },
                    .registers = board_registers(type, num_cpus, added) };
    Board a, b;

    make_board(&a, type, num_cpus, added);
    make_board(&b, type, num_cpus, added);
    make_board(&t.power_on, type, num_cpus, added);
    make_board(&t.other, type, num_cpus, added);
    board_reset(&a);
    board_reset(&b);
    board_reset(&t.power_on);
    for (unsigned n = 0; n <= t.registers->len; n++) {
        check_focus(&t, &a, &b, n < t.registers->len ? &g_array_index(t.registers, Registers, n)
                                                     : NULL);
        if (n % 2) {
            check_reset(&a, &t.power_on);
            check_reset(&b, &t.power_on);
        }
    }
    g_array_unref(t.registers);
    board_free(&a);
    board_free(&b);
    board_free(&t.power_on);
    board_free(&t.other);
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

/* So many reach every field; REARM_SEEDS: another number. */
#define SEEDS 4

static unsigned seeds = SEEDS;

static void test_boards(void)
{
    for (unsigned n = 0; board_types[n]; n++) {
        /* An empty board has nothing to treat. */
        for (unsigned seed = 1; board_types[n]->default_cpu && seed <= seeds; seed++) {
            unsigned num_cpus = MIN(1 + seed % 3, board_types[n]->max_cpus);

            check_board(board_types[n], num_cpus, seed % ARRAY_SIZE(additions), seed);
        }
    }
    g_assert_cmpuint(requests_done, >, 0);
    if (seeds >= SEEDS) {
        check_coverage();
    }
}

int main(int argc, char **argv)
{
    covered = g_hash_table_new(NULL, NULL);
    for (char **e = environ; *e; e++) {
        if (g_str_has_prefix(*e, "REARM_SEEDS=")) {
            seeds = (unsigned)atoi(*e + strlen("REARM_SEEDS="));
        }
    }
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/device-conformance/types", test_types);
    g_test_add_func("/device-conformance/board-properties", test_board_properties);
    g_test_add_func("/device-conformance/boards", test_boards);
    return g_test_run();
}
