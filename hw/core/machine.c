/*
 * The machine: what holds memory, clock and devices together.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/core/machine.h"
#include "hw/core/hotplug.h"
#include "hw/core/user-object.h"
#include "util/trace.h"

typedef struct RunHook {
    const MachineRunHooks *hooks;
    void *opaque;
} RunHook;

Machine *machine_new(Replay *replay)
{
    static const DeviceType *const no_types[] = { NULL };
    Machine *m = g_new0(Machine, 1);

    m->replay = replay;
    m->device_types = no_types;
    m->memory = memory_map_new();
    m->clock = clock_new();
    m->devices = g_ptr_array_new();
    m->buses = g_ptr_array_new_with_free_func(bus_free);
    m->plugged = g_ptr_array_new_with_free_func(plugged_free);
    m->ejected = g_ptr_array_new();
    m->globals = g_ptr_array_new_with_free_func(global_free);
    m->objects = g_ptr_array_new_with_free_func(user_object_free);
    m->drives = g_ptr_array_new();
    m->serial = g_ptr_array_new();
    m->net_ports = g_ptr_array_new();
    m->run_hooks = g_array_new(false, false, sizeof(RunHook));
    m->char_links = g_array_new(false, false, sizeof(CharLink));
    return m;
}

void machine_free(Machine *m)
{
    if (!m) {
        return;
    }
    for (unsigned i = m->devices->len; i-- > 0; ) {
        device_free(g_ptr_array_index(m->devices, i));
    }
    g_ptr_array_free(m->devices, TRUE);
    g_ptr_array_free(m->buses, TRUE);
    g_ptr_array_free(m->plugged, TRUE);
    g_ptr_array_free(m->ejected, TRUE);
    g_ptr_array_free(m->globals, TRUE);
    g_ptr_array_free(m->objects, TRUE);
    g_ptr_array_free(m->drives, TRUE);
    g_ptr_array_free(m->serial, TRUE);
    g_ptr_array_free(m->net_ports, TRUE);
    g_array_free(m->run_hooks, true);
    g_array_free(m->char_links, TRUE);
    memory_map_free(m->memory);
    clock_free(m->clock);
    g_free(m->cpus);
    g_free(m);
}

void machine_notice(Machine *m, MachineNotice what, const char *id, int64_t value)
{
    if (m->notice) {
        m->notice(m->notice_opaque, what, id, value);
    }
}

void machine_disk_error(Machine *m, const MachineDiskError *error)
{
    if (m->disk_error) {
        m->disk_error(m->disk_error_opaque, error);
    }
}

void machine_add_run_hooks(Machine *m, const MachineRunHooks *hooks, void *opaque)
{
    const RunHook hook = { hooks, opaque };

    g_array_append_val(m->run_hooks, hook);
}

void machine_remove_run_hooks(Machine *m, void *opaque)
{
    for (unsigned i = m->run_hooks->len; i-- > 0; ) {
        if (g_array_index(m->run_hooks, RunHook, i).opaque == opaque) {
            g_array_remove_index(m->run_hooks, i);
        }
    }
}

void machine_resumed(Machine *m)
{
    for (unsigned i = 0; i < m->run_hooks->len; i++) {
        const RunHook *h = &g_array_index(m->run_hooks, RunHook, i);

        if (h->hooks->resumed) {
            h->hooks->resumed(h->opaque);
        }
    }
}

bool machine_can_save(Machine *m, Error **errp)
{
    for (unsigned i = 0; i < m->run_hooks->len; i++) {
        const RunHook *h = &g_array_index(m->run_hooks, RunHook, i);

        if (h->hooks->can_save && !h->hooks->can_save(h->opaque, errp)) {
            return false;
        }
    }
    return true;
}

void machine_describe(Machine *m, const char *name, const char *value)
{
    if (m->describe) {
        m->describe(m->describe_opaque, name, value);
    }
}

void machine_reset_devices(Machine *m)
{
    trace_machine_reset(m->devices->len);
    for (unsigned i = 0; i < m->devices->len; i++) {
        Device *dev = g_ptr_array_index(m->devices, i);

        if (dev->type->reset) {
            dev->type->reset(dev);
        }
    }
}

bool machine_peek(Machine *m, unsigned cpu, hwaddr addr, void *out, size_t length)
{
    unsigned current = m->current_cpu;
    bool ok;

    m->current_cpu = cpu;
    ok = memory_peek(m->memory, addr, out, length);
    m->current_cpu = current;
    return ok;
}

void machine_request_shutdown(Machine *m, ShutdownCause cause)
{
    trace_machine_request_shutdown(cause);
    if (!m->shutdown_request) {
        m->shutdown_request = cause;
    }
}

void machine_request_reset(Machine *m, ShutdownCause cause)
{
    trace_machine_request_reset(cause);
    if (!m->reset_request) {
        m->reset_request = cause;
    }
}

void machine_report(Machine *m, MachineReport report)
{
    trace_machine_report(report);
    m->reports |= 1u << report;
}

void machine_digest_devices(Machine *m, Digest *digest)
{
    clock_digest(m->clock, digest);
    for (unsigned i = 0; i < m->devices->len; i++) {
        device_digest(g_ptr_array_index(m->devices, i), digest);
    }
}

void machine_save_devices(Machine *m, GByteArray *out)
{
    clock_save(m->clock, out);
    bytes_put_varint(out, m->devices->len);
    for (unsigned i = 0; i < m->devices->len; i++) {
        device_save(g_ptr_array_index(m->devices, i), out);
    }
}

bool machine_load_devices(Machine *m, ByteReader *in, Error **errp)
{
    uint64_t count;

    if (!clock_load(m->clock, in, errp)) {
        return false;
    }
    count = bytes_get_varint(in);
    if (count != m->devices->len) {
        error_setg(errp, "the snapshot has %" PRIu64 " devices, this machine %u", count,
                   m->devices->len);
        return false;
    }
    for (unsigned i = 0; i < m->devices->len; i++) {
        if (!device_load(g_ptr_array_index(m->devices, i), in, errp)) {
            return false;
        }
    }
    return true;
}

void machine_visit_devices(Machine *m, MachineStateFn *fn, void *opaque)
{
    for (unsigned i = 0; i < m->devices->len; i++) {
        Device *dev = g_ptr_array_index(m->devices, i);

        if (dev->type->fields) {
            fn(opaque, dev->id, dev->type->fields, device_state(dev));
        }
    }
}

void machine_scramble_devices(Machine *m, uint64_t *seed)
{
    for (unsigned i = 0; i < m->devices->len; i++) {
        Device *dev = g_ptr_array_index(m->devices, i);

        if (dev->type->fields) {
            fields_scramble(dev->type->fields, device_state(dev), seed);
        }
    }
    clock_scramble(m->clock);
}

Device *machine_find_device(Machine *m, const char *id)
{
    for (unsigned i = 0; i < m->devices->len; i++) {
        Device *dev = g_ptr_array_index(m->devices, i);

        if (strcmp(dev->id, id) == 0) {
            return dev;
        }
    }
    return NULL;
}
