/*
 * What the virt board takes from -machine.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/arm/virt-options.h"
#include "hw/core/board.h"

/* Parse; NULL when accepted, else the message. */
static char *parse(const char *machine, VirtOptions *options)
{
    const BoardType type = { .name = "virt", .properties = virt_properties };
    BoardConfig config = { .ram_size = 4ull << 30 };
    Error *err = NULL;
    char *message = NULL;

    config.machine_options = keyval_parse(machine, "type", NULL);
    g_assert_nonnull(config.machine_options);
    if (!board_parse_options(&type, options, &config, &err)) {
        message = g_strdup(error_get_pretty(err));
        error_free(err);
    }
    keyval_free(config.machine_options);
    return message;
}

static void assert_refused(const char *machine, const char *expected)
{
    VirtOptions options;
    g_autofree char *message = parse(machine, &options);

    g_assert_cmpstr(message, ==, expected);
}

static void test_accepted(void)
{
    VirtOptions options;

    g_assert_null(parse("virt", &options));
    g_assert_true(options.random_seeds);
    g_assert_true(options.highmem);
    g_assert_null(parse("virt,gic-version=2,secure=off,virtualization=no,highmem=on,its=off,"
                        "acpi=off,iommu=none,mte=false,usb=off,graphics=on,accel=tcg", &options));
    g_assert_null(parse("virt,gic-version=max,dtb-randomness=off,highmem=n", &options));
    g_assert_false(options.random_seeds);
    g_assert_false(options.highmem);
    g_assert_cmpuint(options.acpi, ==, VIRT_ACPI_AUTO);
    g_assert_null(parse("virt,acpi=on", &options));
    g_assert_cmpuint(options.acpi, ==, VIRT_ACPI_ON);
    g_assert_null(parse("virt,dtb-kaslr-seed=off", &options));
    g_assert_false(options.random_seeds);
}

static void test_refused(void)
{
    assert_refused("virt,secure=on",
                   "-machine virt: secure=on is not supported; the CPUs have no EL3");
    assert_refused("virt,secure=yes",
                   "-machine virt: secure=yes is not supported; the CPUs have no EL3");
    assert_refused("virt,virtualization=on",
                   "-machine virt: virtualization=on is not supported; the CPUs have no EL2");
    assert_refused("virt,secure=maybe", "-machine virt: secure=maybe: expected 'on' or 'off'");
    assert_refused("virt,gic-version=3", "-machine virt: gic-version=3 is not supported; the "
                   "board has a GICv2 only; use gic-version=2");
    assert_refused("virt,iommu=smmuv3",
                   "-machine virt: iommu=smmuv3 is not supported; the board has no IOMMU");
    assert_refused("virt,acpi=atuo",
                   "-machine virt: acpi=atuo: expected 'off', 'on' or 'auto'; did you mean 'auto'?");
    assert_refused("virt,secur=off",
                   "-machine virt: unknown option 'secur', did you mean 'secure'?");
    assert_refused("virt,dtb-randomness=1",
                   "-machine virt: dtb-randomness=1: expected 'on' or 'off'");
    assert_refused("virt,accel=kvm", "-machine virt: accel=kvm is not supported; guests run on "
                   "the translator");
    assert_refused("virt,usb=on",
                   "-machine virt: usb=on is not supported; the board has no USB controller");
}

/* -machine kernel=... says the same as -kernel, which goes before it. */
static void test_paths(void)
{
    const BoardType type = { .name = "virt", .properties = virt_properties };
    BoardConfig config = { .kernel = "a" };
    VirtOptions options;

    config.machine_options = keyval_parse("virt,kernel=b,append=c,firmware=d", "type", NULL);
    g_assert_true(board_parse_options(&type, &options, &config, NULL));
    g_assert_cmpstr(config.kernel, ==, "a");
    g_assert_cmpstr(config.append, ==, "c");
    g_assert_cmpstr(config.bios, ==, "d");
    g_assert_null(config.initrd);
    keyval_free(config.machine_options);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/virt-options/accepted", test_accepted);
    g_test_add_func("/virt-options/refused", test_refused);
    g_test_add_func("/virt-options/paths", test_paths);
    return g_test_run();
}
