/*
 * What the virt board takes from -machine, -global and -device.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "fake-replay.h"
#include "hw/arm/virt-options.h"
#include "util/keyval.h"

/* Parse; NULL when accepted, else the message. */
static char *parse(const char *machine, const char *global, VirtOptions *options)
{
    BoardConfig config = { .ram_size = 4ull << 30 };
    Error *err = NULL;
    char *message = NULL;
    VirtOptions scratch;

    config.machine_options = keyval_parse(machine, "type", NULL);
    g_assert_nonnull(config.machine_options);
    if (global) {
        config.globals = g_ptr_array_new();
        g_ptr_array_add(config.globals, (char *)global);
    }
    if (!virt_options_parse(options ? options : &scratch, &config, &err)) {
        message = g_strdup(error_get_pretty(err));
        error_free(err);
    }
    if (config.globals) {
        g_ptr_array_free(config.globals, TRUE);
    }
    keyval_free(config.machine_options);
    return message;
}

static void assert_refused(const char *machine, const char *global, const char *part)
{
    g_autofree char *message = parse(machine, global, NULL);

    g_test_message("%s: %s", machine, message);
    g_assert_nonnull(message);
    g_assert_nonnull(strstr(message, part));
}

static void test_machine(void)
{
    VirtOptions options;

    g_assert_null(parse("virt", NULL, &options));
    g_assert_true(options.random_seeds);
    g_assert_true(options.legacy_virtio);
    g_assert_null(parse("virt,gic-version=2,secure=off,virtualization=no,highmem=on,its=off,"
                        "acpi=off,iommu=none,mte=false", NULL, &options));
    g_assert_null(parse("virt,gic-version=max,dtb-randomness=off", NULL, &options));
    g_assert_false(options.random_seeds);
    g_assert_null(parse("virt,dtb-kaslr-seed=off", NULL, &options));
    g_assert_false(options.random_seeds);

    assert_refused("virt,secure=on", NULL, "secure=on is not supported; the CPUs have no EL3");
    assert_refused("virt,secure=yes", NULL, "secure=yes");
    assert_refused("virt,virtualization=on", NULL, "EL2");
    assert_refused("virt,secure=maybe", NULL, "maybe");
    assert_refused("virt,gic-version=3", NULL, "use gic-version=2");
    assert_refused("virt,iommu=smmuv3", NULL, "iommu=smmuv3");
    assert_refused("virt,acpi=on", NULL, "ACPI");
    assert_refused("virt,highmem=off", NULL, "3072 MiB");
    assert_refused("virt,secur=off", NULL, "'secure'");
    assert_refused("virt,dtb-randomness=1", NULL, "dtb-randomness");
}

static void test_global(void)
{
    VirtOptions options;

    g_assert_null(parse("virt", "virtio-mmio.force-legacy=false", &options));
    g_assert_false(options.legacy_virtio);
    g_assert_null(parse("virt", "virtio-mmio.force-legacy=on", &options));
    g_assert_true(options.legacy_virtio);
    assert_refused("virt", "virtio-mmio.force-legac=on", "'virtio-mmio.force-legacy'");
    assert_refused("virt", "virtio-net-pci.vectors=0", "virtio-net-pci.vectors=0");
    assert_refused("virt", "virtio-mmio.force-legacy=2", "force-legacy");
}

/* Which device ID stands at each transport, after -device of each string. */
static char *add(const char *const *strings, const char *rng, uint32_t ids[VIRT_NUM_VIRTIO])
{
    static const IrqLine irq[VIRT_NUM_VIRTIO];
    VirtOptions options = { .legacy_virtio = true };
    BoardConfig config = { .rng = rng, .devices = g_ptr_array_new() };
    Machine *m = machine_new(NULL);
    Error *err = NULL;
    char *message = NULL;

    for (unsigned i = 0; strings[i]; i++) {
        g_ptr_array_add(config.devices, (char *)strings[i]);
    }
    if (!virt_add_devices(m, &config, &options, irq, &err)) {
        message = g_strdup(error_get_pretty(err));
        error_free(err);
    } else {
        for (unsigned i = 0; i < VIRT_NUM_VIRTIO; i++) {
            uint64_t value = 0;

            g_assert_true(memory_io_read(m->memory, 0x0a000008 + i * 0x200, 4, &value));
            ids[i] = (uint32_t)value;
        }
    }
    g_ptr_array_free(config.devices, TRUE);
    machine_free(m);
    return message;
}

#define STRINGS(...) ((const char *const[]){ __VA_ARGS__, NULL })

static void test_devices(void)
{
    uint32_t ids[VIRT_NUM_VIRTIO];

    memset(&fake_replay, 0, sizeof(fake_replay));
    g_assert_null(add(STRINGS("virtio-rng-device", "virtio-rng-device,id=mine",
                              "virtio-rng-device,bus=virtio-mmio-bus.3",
                              "driver=virtio-rng-device"), "on", ids));
    for (unsigned i = 0; i < VIRT_NUM_VIRTIO; i++) {
        g_assert_cmpuint(ids[i], ==, i >= 28 || i == 3 ? 4 : 0);
    }
    g_assert_cmpstr(fake_replay.sources[0].name, ==, "virtio-rng0");
    g_assert_cmpstr(fake_replay.sources[1].name, ==, "virtio-rng1");
    g_assert_cmpstr(fake_replay.sources[2].name, ==, "mine");
    g_assert_cmpstr(fake_replay.sources[3].name, ==, "virtio-rng2");
}

static void assert_no_device(const char *const *strings, const char *part)
{
    uint32_t ids[VIRT_NUM_VIRTIO];
    g_autofree char *message = add(strings, NULL, ids);

    g_test_message("%s", message);
    g_assert_nonnull(message);
    g_assert_nonnull(strstr(message, part));
}

static void test_bad_devices(void)
{
    const char *many[VIRT_NUM_VIRTIO + 2] = { NULL };

    assert_no_device(STRINGS("virtio-rng-devise"), "did you mean 'virtio-rng-device'");
    assert_no_device(STRINGS("e1000"), "board virt has: virtio-rng-device");
    assert_no_device(STRINGS("virtio-rng-device,max-bytes=5"), "max-bytes=5");
    assert_no_device(STRINGS("virtio-rng-device,idd=5"), "'id'");
    assert_no_device(STRINGS("id=x"), "names no driver");
    assert_no_device(STRINGS("=x"), "=x");
    assert_no_device(STRINGS("virtio-rng-device,id="), "empty");
    assert_no_device(STRINGS("virtio-rng-device,id=a", "virtio-rng-device,id=a"), "taken");
    assert_no_device(STRINGS("virtio-rng-device,bus=pcie.0"), "pcie.0");
    assert_no_device(STRINGS("virtio-rng-device,bus=virtio-mmio-bus.32"), "virtio-mmio-bus.31");
    assert_no_device(STRINGS("virtio-rng-device,bus=virtio-mmio-bus.1",
                             "virtio-rng-device,bus=virtio-mmio-bus.1"), "'virtio-rng0'");
    for (unsigned i = 0; i <= VIRT_NUM_VIRTIO; i++) {
        many[i] = "virtio-rng-device";
    }
    assert_no_device(many, "all 32");
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/virt-options/machine", test_machine);
    g_test_add_func("/virt-options/global", test_global);
    g_test_add_func("/virt-options/devices", test_devices);
    g_test_add_func("/virt-options/bad-devices", test_bad_devices);
    return g_test_run();
}
