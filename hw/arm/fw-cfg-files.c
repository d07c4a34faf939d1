/*
 * -fw_cfg: the files that a user gives to firmware and guest.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "boot-image.h"
#include "fw-cfg-files.h"

static bool add_file(Machine *m, FwCfg *fw, KeyVal *kv, Error **errp)
{
    const char *name = keyval_get(kv, "name");
    const char *file = keyval_get(kv, "file"), *string = keyval_get(kv, "string");
    g_autofree char *key = g_strdup_printf("fw_cfg %s", name);
    g_autoptr(GBytes) data =
        file ? boot_read_file("fw_cfg file", file, UINT32_MAX, "a fw_cfg file can be", errp)
             : g_bytes_new(string, strlen(string));
    g_autofree char *value = NULL;

    if (!keyval_check_unused(kv, "-fw_cfg", errp) || !data) {
        return false;
    }
    if (!g_str_has_prefix(name, "opt/")) {
        warn_report("-fw_cfg %s: the names of users' files begin with opt/", name);
    }
    if (!fw_cfg_add_file(fw, name, data, errp)) {
        return false;
    }
    value = boot_describe_bytes(g_bytes_get_data(data, NULL), g_bytes_get_size(data));
    machine_describe(m, key, value);
    return true;
}

bool fw_cfg_add_user_files(Machine *m, FwCfg *fw, const GPtrArray *list, Error **errp)
{
    bool ok = true;

    for (unsigned i = 0; ok && list && i < list->len; i++) {
        KeyVal *kv = keyval_parse(g_ptr_array_index(list, i), "name", errp);

        ok = kv && add_file(m, fw, kv, errp);
        keyval_free(kv);
    }
    return ok;
}
