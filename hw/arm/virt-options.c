/*
 * The virt board's -machine options. QEMU's names are all known: one that asks
 * for what the board does not do is refused with the reason, never ignored.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "virt-options.h"
#include "util/keyval.h"

/* Options that change nothing, as far as they are accepted. */
typedef struct FixedOption {
    const char *name;
    const char *accepted[4];     /* NULL-terminated; "on"/"off" stand for any spelling */
    const char *why;             /* why the other values are not */
} FixedOption;

static const FixedOption fixed_options[] = {
    { "gic-version", { "2", "max" }, "the board has a GICv2 only; use gic-version=2" },
    { "secure", { "off" }, "the CPUs have no EL3" },
    { "virtualization", { "off" }, "the CPUs have no EL2" },
    { "mte", { "off" }, "the CPUs have no memory tagging" },
    { "ras", { "off" }, "memory errors are not reported to guests" },
    { "acpi", { "off", "auto" }, "there are no ACPI tables; guests use the device tree" },
    { "iommu", { "none" }, "the board has no IOMMU" },
    { "usb", { "off" }, "the board has no USB controller" },
    { "default-bus-bypass-iommu", { "off" }, "the board has no IOMMU" },
    { "suppress-vmdesc", { "off" }, "snapshots have another format" },
    /* No ITS, no high memory regions (but RAM), no display: nothing to switch. */
    { "its", { "on", "off" }, NULL },
    { "graphics", { "on", "off" }, NULL },
    { "dump-guest-core", { "on", "off" }, NULL },
    { "mem-merge", { "on", "off" }, NULL },
};

static bool is_bool_option(const FixedOption *o)
{
    return strcmp(o->accepted[0], "on") == 0 || strcmp(o->accepted[0], "off") == 0;
}

static bool accepts(const FixedOption *o, const char *value)
{
    for (unsigned i = 0; i < ARRAY_SIZE(o->accepted) && o->accepted[i]; i++) {
        if (strcmp(o->accepted[i], value) == 0) {
            return true;
        }
    }
    return false;
}

static bool check_fixed(KeyVal *kv, const FixedOption *o, Error **errp)
{
    const char *value = keyval_get(kv, o->name);
    bool on;

    if (!value || accepts(o, value)) {
        return true;
    }
    if (is_bool_option(o)) {
        if (!keyval_get_bool(kv, o->name, &on, errp)) {
            return false;
        }
        if (accepts(o, on ? "on" : "off")) {
            return true;
        }
    }
    error_setg(errp, "-machine: %s=%s is not supported; %s", o->name, value, o->why);
    return false;
}

static bool parse_seeds(VirtOptions *options, KeyVal *kv, Error **errp)
{
    /* The second is the deprecated name of the first. */
    return keyval_get_bool(kv, "dtb-randomness", &options->random_seeds, errp) &&
           keyval_get_bool(kv, "dtb-kaslr-seed", &options->random_seeds, errp);
}

/* RAM is the only thing of ours that can lie above 4 GiB. */
static bool check_highmem(const BoardConfig *config, KeyVal *kv, Error **errp)
{
    const uint64_t low = (4ull << 30) - VIRT_RAM_BASE;
    bool highmem = true;

    if (!keyval_get_bool(kv, "highmem", &highmem, errp)) {
        return false;
    }
    if (!highmem && config->ram_size > low) {
        error_setg(errp, "-machine: highmem=off limits RAM to %" PRIu64 " MiB, but -m asks for %"
                   PRIu64 " MiB", low >> 20, config->ram_size >> 20);
        return false;
    }
    return true;
}

/* -machine kernel=... is another way to say -kernel ... */
static void take_paths(BoardConfig *config, KeyVal *kv)
{
    const struct {
        const char *key;
        const char **field;
    } paths[] = {
        { "kernel", &config->kernel }, { "initrd", &config->initrd },
        { "append", &config->append }, { "dtb", &config->dtb },
        { "firmware", &config->bios }, { "dumpdtb", &config->dumpdtb },
    };

    for (unsigned i = 0; i < ARRAY_SIZE(paths); i++) {
        const char *value = keyval_get(kv, paths[i].key);

        if (value && !*paths[i].field) {
            *paths[i].field = value;
        }
    }
}

static bool parse_machine(VirtOptions *options, BoardConfig *config, Error **errp)
{
    KeyVal *kv = config->machine_options;

    if (!kv) {
        return true;
    }
    keyval_get(kv, "type");
    for (unsigned i = 0; i < ARRAY_SIZE(fixed_options); i++) {
        if (!check_fixed(kv, &fixed_options[i], errp)) {
            return false;
        }
    }
    take_paths(config, kv);
    return parse_seeds(options, kv, errp) && check_highmem(config, kv, errp) &&
           keyval_check_unused(kv, "-machine virt", errp);
}

static bool parse_global(VirtOptions *options, const char *text, Error **errp)
{
    static const char *const known[] = { "virtio-mmio.force-legacy", NULL };
    KeyVal *kv = keyval_parse(text, NULL, errp);
    bool ok = kv && keyval_get_bool(kv, known[0], &options->legacy_virtio, errp);

    if (ok && !keyval_has(kv, known[0])) {
        g_autofree char *key = g_strndup(text, strcspn(text, "="));
        const char *near = suggest_nearest(key, known);

        error_setg(errp, "-global %s: no device of this board has such a property%s%s%s", text,
                   near ? ", did you mean '" : "", near ? near : "", near ? "'?" : "");
        ok = false;
    }
    if (ok) {
        ok = keyval_check_unused(kv, "-global", errp);
    }
    keyval_free(kv);
    return ok;
}

bool virt_options_parse(VirtOptions *options, BoardConfig *config, Error **errp)
{
    *options = (VirtOptions){ .random_seeds = true, .legacy_virtio = true };
    if (!parse_machine(options, config, errp)) {
        return false;
    }
    for (unsigned i = 0; config->globals && i < config->globals->len; i++) {
        if (!parse_global(options, g_ptr_array_index(config->globals, i), errp)) {
            return false;
        }
    }
    return true;
}
