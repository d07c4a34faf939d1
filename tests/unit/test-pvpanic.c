/*
 * pvpanic: what it says that it knows, what it tells the machine, what a user switches off.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "device-test.h"
#include "hw/misc/pvpanic.h"

#define BASE 0xc000000
#define BIT_OF(report) (1u << MACHINE_REPORT_##report)

static Machine *make(const char *events)
{
    Machine *m = machine_new(NULL);

    add_device(m, &pvpanic_mmio_type, "pvpanic0", events, BASE, 0);
    machine_reset_devices(m);
    return m;
}

/* What the machine was told by a write. */
static uint32_t told(Machine *m, hwaddr addr, unsigned size, uint64_t value)
{
    uint32_t reports;

    io_write(m, addr, size, value);
    reports = m->reports;
    g_assert_true(machine_has_request(m) == (reports != 0));
    m->reports = 0;
    return reports;
}

static void test_registers(void)
{
    Machine *m = make("events=7");
    uint8_t byte;

    g_assert_cmphex(io_read(m, BASE, 1), ==, 7);
    g_assert_cmphex(io_read(m, BASE, 2), ==, 7);
    g_assert_cmphex(io_read(m, BASE + 1, 1), ==, 0);
    g_assert_true(memory_peek(m->memory, BASE, &byte, 1));
    g_assert_cmphex(byte, ==, 7);
    g_assert_false(memory_peek(m->memory, BASE + 2, &byte, 1));
    machine_free(m);
}

static void test_reports(void)
{
    Machine *m = make("events=7");

    g_assert_cmphex(told(m, BASE, 1, 0), ==, 0);
    g_assert_cmphex(told(m, BASE, 1, PVPANIC_PANICKED), ==, BIT_OF(PANICKED));
    g_assert_cmphex(told(m, BASE, 1, PVPANIC_CRASHLOADED), ==, BIT_OF(CRASHLOADED));
    g_assert_cmphex(told(m, BASE, 1, PVPANIC_SHUTDOWN), ==, BIT_OF(SHUTDOWN));
    g_assert_cmphex(told(m, BASE, 2, 0xff03), ==, BIT_OF(PANICKED) | BIT_OF(CRASHLOADED));
    g_assert_cmphex(told(m, BASE, 1, 0xf8), ==, 0);
    g_assert_cmphex(told(m, BASE + 1, 1, 0xff), ==, 0);
    machine_free(m);
}

/* What is switched off is neither told nor said to be there. */
static void test_events(void)
{
    for (unsigned events = 0; events <= PVPANIC_EVENTS; events++) {
        g_autofree char *property = g_strdup_printf("events=%u", events);
        Machine *m = make(property);
        uint32_t expected = (events & PVPANIC_PANICKED ? BIT_OF(PANICKED) : 0) |
                            (events & PVPANIC_CRASHLOADED ? BIT_OF(CRASHLOADED) : 0) |
                            (events & PVPANIC_SHUTDOWN ? BIT_OF(SHUTDOWN) : 0);

        g_assert_cmphex(io_read(m, BASE, 1), ==, events);
        g_assert_cmphex(told(m, BASE, 1, 0xff), ==, expected);
        machine_free(m);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/pvpanic/registers", test_registers);
    g_test_add_func("/pvpanic/reports", test_reports);
    g_test_add_func("/pvpanic/events", test_events);
    return g_test_run();
}
