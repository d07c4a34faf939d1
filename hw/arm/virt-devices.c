/*
 * The virt board's -device: virtio devices on its 32 virtio-mmio transports.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/virtio/virtio-mmio.h"
#include "hw/virtio/virtio-rng.h"
#include "util/keyval.h"
#include "virt-options.h"

typedef struct DeviceKind {
    const char *name;               /* after -device */
    const char *id_prefix;          /* of devices without id= */
    VirtioDevice *(*create)(Machine *m, const char *id);
    /* Properties of QEMU's device that ours has not, and why; ends with a NULL name. */
    struct {
        const char *name, *why;
    } refused[8];
} DeviceKind;

static const DeviceKind device_kinds[] = {
    {
        .name = "virtio-rng-device", .id_prefix = "virtio-rng", .create = virtio_rng_new,
        .refused = {
            { "rng", "the bytes always come from the host's random source" },
            { "max-bytes", "the rate is not limited" },
            { "period", "the rate is not limited" },
        },
    },
};

const char *const virt_device_names[] = { "virtio-rng-device", NULL };

_Static_assert(ARRAY_SIZE(virt_device_names) == ARRAY_SIZE(device_kinds) + 1,
               "every kind of device has to be named");

/* Which device stands behind each transport. */
typedef struct Slots {
    VirtioDevice *device[VIRT_NUM_VIRTIO];
} Slots;

static const DeviceKind *find_kind(const char *name, Error **errp)
{
    const char *near;

    for (unsigned i = 0; i < ARRAY_SIZE(device_kinds); i++) {
        if (strcmp(device_kinds[i].name, name) == 0) {
            return &device_kinds[i];
        }
    }
    near = suggest_nearest(name, virt_device_names);
    if (near) {
        error_setg(errp, "-device: unknown device '%s', did you mean '%s'?", name, near);
    } else {
        g_autofree char *list = g_strjoinv(", ", (char **)virt_device_names);

        error_setg(errp, "-device: unknown device '%s'; board virt has: %s", name, list);
    }
    return NULL;
}

static bool check_refused(const DeviceKind *kind, KeyVal *kv, Error **errp)
{
    for (unsigned i = 0; i < ARRAY_SIZE(kind->refused) && kind->refused[i].name; i++) {
        const char *value = keyval_get(kv, kind->refused[i].name);

        if (value) {
            error_setg(errp, "-device %s: %s=%s is not supported; %s", kind->name,
                       kind->refused[i].name, value, kind->refused[i].why);
            return false;
        }
    }
    return true;
}

/* "virtio-mmio-bus.N", QEMU's name for transport N. */
static bool parse_bus(const char *text, const Slots *slots, unsigned *slot, Error **errp)
{
    static const char prefix[] = "virtio-mmio-bus.";
    uint64_t n;

    if (!g_str_has_prefix(text, prefix) || !parse_u64(text + strlen(prefix), &n) ||
        n >= VIRT_NUM_VIRTIO) {
        error_setg(errp, "-device: no bus '%s'; there are %s0 to %s%d", text, prefix, prefix,
                   VIRT_NUM_VIRTIO - 1);
        return false;
    }
    if (slots->device[n]) {
        error_setg(errp, "-device: bus '%s' has a device already ('%s')", text,
                   slots->device[n]->dev.id);
        return false;
    }
    *slot = (unsigned)n;
    return true;
}

static bool choose_slot(KeyVal *kv, const Slots *slots, unsigned *slot, Error **errp)
{
    const char *bus = keyval_get(kv, "bus");

    if (bus) {
        return parse_bus(bus, slots, slot, errp);
    }
    for (unsigned i = VIRT_NUM_VIRTIO; i-- > 0; ) {
        if (!slots->device[i]) {
            *slot = i;
            return true;
        }
    }
    error_setg(errp, "-device: all %d virtio-mmio transports are taken", VIRT_NUM_VIRTIO);
    return false;
}

/* The user's id, or "virtio-rng0" and so on: the name in recordings. */
static char *choose_id(Machine *m, const DeviceKind *kind, KeyVal *kv, Error **errp)
{
    const char *given = keyval_get(kv, "id");

    if (given) {
        if (!*given || machine_find_device(m, given)) {
            error_setg(errp, "-device %s: id '%s' is %s", kind->name, given,
                       *given ? "taken" : "empty");
            return NULL;
        }
        return g_strdup(given);
    }
    for (unsigned n = 0; ; n++) {
        char *id = g_strdup_printf("%s%u", kind->id_prefix, n);

        if (!machine_find_device(m, id)) {
            return id;
        }
        g_free(id);
    }
}

static bool add_device(Machine *m, Slots *slots, const char *text, Error **errp)
{
    KeyVal *kv = keyval_parse(text, "driver", errp);
    const char *driver = kv ? keyval_get(kv, "driver") : NULL;
    const DeviceKind *kind;
    char *id = NULL;
    unsigned slot = 0;
    bool created = false;

    if (kv && !driver) {
        error_setg(errp, "-device '%s' names no driver", text);
    }
    kind = driver ? find_kind(driver, errp) : NULL;
    if (kind && check_refused(kind, kv, errp) && choose_slot(kv, slots, &slot, errp)) {
        id = choose_id(m, kind, kv, errp);
    }
    if (id && keyval_check_unused(kv, "-device", errp)) {
        slots->device[slot] = kind->create(m, id);
        created = true;
    }
    g_free(id);
    keyval_free(kv);
    return created;
}

bool virt_add_devices(Machine *m, BoardConfig *config, const VirtOptions *options,
                      const IrqLine irq[VIRT_NUM_VIRTIO], Error **errp)
{
    Slots slots = { 0 };

    if (config->rng && strcmp(config->rng, "on") == 0 &&
        !add_device(m, &slots, "virtio-rng-device", errp)) {
        return false;
    }
    for (unsigned i = 0; config->devices && i < config->devices->len; i++) {
        if (!add_device(m, &slots, g_ptr_array_index(config->devices, i), errp)) {
            return false;
        }
    }
    for (unsigned i = 0; i < VIRT_NUM_VIRTIO; i++) {
        hwaddr base = VIRT_VIRTIO_BASE + i * VIRTIO_MMIO_SIZE;

        if (slots.device[i]) {
            g_autofree char *id = g_strdup_printf("virtio-mmio.%u", i);

            virtio_mmio_new(m, id, "virtio-mmio", base, options->legacy_virtio, irq[i],
                            slots.device[i]);
        } else {
            virtio_mmio_new_empty(m, "virtio-mmio", base, options->legacy_virtio);
        }
    }
    return true;
}
