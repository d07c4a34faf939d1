/*
 * virtio-rng behind both versions of virtio-mmio, with scripted random bytes.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "fake-replay.h"
#include "hw/virtio/virtio-rng.h"
#include "virtio-driver.h"

static void setup(Driver *d, bool legacy)
{
    memset(&fake_replay, 0, sizeof(fake_replay));
    driver_init_machine(d, NULL);
    driver_add_transport(d, MMIO_BASE, legacy, &virtio_rng_type, "virtio-rng0");
    machine_reset_devices(d->m);
}

/* What the driver may choose from follows the properties. */
static void test_properties(void)
{
    static const struct {
        const char *property;
        uint32_t missing[2];      /* of version 1 and 2 */
    } rows[] = {
        { "indirect_desc", { 1u << 28, 1u << 28 } }, { "event_idx", { 1u << 29, 1u << 29 } },
        { "notify_on_empty", { 1u << 24, 0 } }, { "any_layout", { 1u << 27, 0 } },
    };

    for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
        for (unsigned version = 1; version <= 2; version++) {
            const DeviceType *const types[] = { &virtio_rng_type, NULL };
            g_autofree char *global = g_strdup_printf("virtio-rng-device.%s=off",
                                                      rows[i].property);
            uint32_t all, some;
            Driver d;

            setup(&d, version == 1);
            all = reg_read(&d, 0x10);
            driver_free(&d);
            memset(&fake_replay, 0, sizeof(fake_replay));
            driver_init_machine(&d, NULL);
            d.m->device_types = types;
            g_assert_true(globals_add(d.m, global, NULL));
            driver_add_transport(&d, MMIO_BASE, version == 1, &virtio_rng_type, "virtio-rng0");
            some = reg_read(&d, 0x10);
            g_assert_cmphex(all & ~some, ==, rows[i].missing[version - 1]);
            g_assert_cmphex(some & ~all, ==, 0);
            /* A driver that accepts a feature which is not offered does not get it. */
            reg_write(&d, 0x20, UINT32_MAX);
            g_assert_cmphex((uint32_t)d.v->s->driver_features, ==, some);
            driver_free(&d);
        }
    }
}

static void fill_one(Driver *d)
{
    fake_replay.next_byte = 0x30;
    put_desc(d, d->desc, 5, BUFFER_BASE, 64, DESC_WRITE, 0);
    make_available(d, 5);
    kick(d);
    g_assert_cmpuint(used_index(d), ==, 1);
    g_assert_cmpuint(used_id(d, 0), ==, 5);
    g_assert_cmpuint(used_length(d, 0), ==, 64);
    g_assert_cmphex(ram_read(d, BUFFER_BASE, 8), ==, 0x3736353433323130ull);
    g_assert_cmphex(ram_read(d, BUFFER_BASE + 63, 1), ==, 0x30 + 63);
    g_assert_cmphex(ram_read(d, BUFFER_BASE + 64, 1), ==, 0);
    g_assert_true(d->irq);
    g_assert_cmphex(reg_read(d, 0x60), ==, 1);
    reg_write(d, 0x64, 1);
    g_assert_false(d->irq);
}

static void test_source(void)
{
    Driver d;

    setup(&d, true);
    g_assert_cmpuint(fake_replay.num_sources, ==, 1);
    g_assert_cmpint(fake_replay.sources[0].kind, ==, REPLAY_KIND_RANDOM);
    g_assert_cmpstr(fake_replay.sources[0].name, ==, "virtio-rng0");
    driver_start_legacy(&d, 0, 8);
    fill_one(&d);
    g_assert_true(fake_replay.last_source == &fake_replay.sources[0]);
    g_assert_cmpuint(fake_replay.num_values, ==, 1);
    driver_free(&d);
}

static void test_modern(void)
{
    Driver d;

    setup(&d, false);
    driver_start_modern(&d, 0, 8);
    g_assert_cmphex(reg_read(&d, 0x70), ==, 15);
    fill_one(&d);
    driver_free(&d);
}

/* One value per buffer, split over its segments; a huge buffer is filled in part. */
static void test_segments(void)
{
    Driver d;

    setup(&d, true);
    driver_start_legacy(&d, 0, 8);
    fake_replay.next_byte = 1;
    put_desc(&d, d.desc, 0, BUFFER_BASE, 3, DESC_WRITE | DESC_NEXT, 1);
    put_desc(&d, d.desc, 1, BUFFER_BASE + 0x100, 5, DESC_WRITE, 0);
    put_desc(&d, d.desc, 2, BUFFER_BASE + 0x1000, 0x20000, DESC_WRITE, 0);
    make_available(&d, 0);
    make_available(&d, 2);
    kick(&d);
    g_assert_cmpuint(fake_replay.num_values, ==, 2);
    g_assert_cmphex(ram_read(&d, BUFFER_BASE, 4), ==, 0x00030201);
    g_assert_cmphex(ram_read(&d, BUFFER_BASE + 0x100, 8), ==, 0x0000000807060504ull);
    g_assert_cmpuint(used_length(&d, 0), ==, 8);
    g_assert_cmpuint(used_length(&d, 1), ==, 4096);
    g_assert_cmpuint(fake_replay.last_length, ==, 4096);
    driver_free(&d);
}

/* Nothing to write to: given back empty, and no value is drawn. */
static void test_read_only_buffer(void)
{
    Driver d;

    setup(&d, true);
    driver_start_legacy(&d, 0, 8);
    put_desc(&d, d.desc, 0, BUFFER_BASE, 16, 0, 0);
    make_available(&d, 0);
    kick(&d);
    g_assert_cmpuint(used_index(&d), ==, 1);
    g_assert_cmpuint(used_length(&d, 0), ==, 0);
    g_assert_cmpuint(fake_replay.num_values, ==, 0);
    driver_free(&d);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/virtio-rng/legacy", test_source);
    g_test_add_func("/virtio-rng/modern", test_modern);
    g_test_add_func("/virtio-rng/segments", test_segments);
    g_test_add_func("/virtio-rng/properties", test_properties);
    g_test_add_func("/virtio-rng/read-only-buffer", test_read_only_buffer);
    return g_test_run();
}
