/*
 * Options of the guest that take some work: objects and memory, clock, NUMA node, id.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/core/memory-backend.h"
#include "system/session.h"
#include "util/host-clock.h"
#include "util/uuid.h"

#define NS_PER_SECOND 1000000000ll

/* ---- objects and memory ---- */

bool session_add_objects(Session *s, Error **errp)
{
    const GPtrArray *objects = s->options->objects;

    for (unsigned i = 0; i < objects->len; i++) {
        UserObject *o = user_object_add(s->machine, g_ptr_array_index(objects, i), errp);

        if (!o) {
            error_prepend(errp, "-object: ");
            return false;
        }
        if (o->type->unrecordable) {
            g_autofree char *what = g_strdup_printf("-object %s", o->type->name);

            replay_source_refuse(s->replay, what, o->type->unrecordable);
        }
    }
    return true;
}

/* -mem-path and -mem-prealloc stand for an object. */
#define RAM_OBJECT "ram"

static bool add_ram_object(Session *s, Error **errp)
{
    const Options *o = s->options;
    const UserObjectType *type = o->mem_path ? &memory_backend_file : &memory_backend_ram;
    g_autoptr(GString) text = g_string_new(NULL);
    g_autofree char *size = g_strdup_printf("%" PRIu64, s->config.ram_size);

    keyval_append(text, "qom-type", type->name);
    keyval_append(text, "id", RAM_OBJECT);
    keyval_append(text, "size", size);
    if (o->mem_path) {
        keyval_append(text, "mem-path", o->mem_path);
    }
    keyval_append(text, "prealloc", o->mem_prealloc ? "on" : "off");
    if (!user_object_add(s->machine, text->str, errp)) {
        error_prepend(errp, o->mem_path ? "-mem-path: " : "-mem-prealloc: ");
        return false;
    }
    s->config.memory_backend = RAM_OBJECT;
    return true;
}

/* The size of RAM is known from here on, and where it comes from. */
bool session_choose_memory(Session *s, Error **errp)
{
    const Options *o = s->options;
    BoardConfig *c = &s->config;
    UserObject *backend;

    c->memory_backend = o->memory_backend ? o->memory_backend : o->numa.memdev;
    c->ram_size = o->ram_size ? o->ram_size : s->board->default_ram;
    if (c->memory_backend) {
        backend = memory_backend_find(s->machine, c->memory_backend, errp);
        if (!backend) {
            return false;
        }
        c->ram_size = o->ram_size ? o->ram_size : memory_backend_size(backend);
        if (memory_backend_unrecordable(backend)) {
            g_autofree char *what = g_strdup_printf("-object %s,id=%s", backend->type->name,
                                                    c->memory_backend);

            replay_source_refuse(s->replay, what, memory_backend_unrecordable(backend));
        }
        return true;
    }
    return (!o->mem_path && !o->mem_prealloc) || !c->ram_size || add_ram_object(s, errp);
}

/* ---- NUMA ---- */

bool session_check_numa(const Session *s, Error **errp)
{
    const NumaOptions *numa = &s->options->numa;

    if (!numa->node) {
        return true;
    }
    if (numa->last_cpu >= s->config.topology.max_cpus) {
        error_setg(errp, "-numa node,cpus=: there is no CPU %" PRIu64 ", as -smp makes %u",
                   numa->last_cpu, s->config.topology.max_cpus);
        return false;
    }
    if (numa->mem && numa->mem != s->config.ram_size) {
        error_setg(errp, "-numa node,mem=: the one node has all RAM, %" PRIu64 " bytes, and not %"
                   PRIu64, s->config.ram_size, numa->mem);
        return false;
    }
    return true;
}

/* ---- the clock ---- */

/* Nanoseconds since 1970 that the guest's clock shows at the start. */
static int64_t rtc_start(const RtcOptions *rtc)
{
    switch (rtc->base) {
    case RTC_BASE_UTC: return host_realtime_ns();
    case RTC_BASE_LOCALTIME: return host_realtime_ns() + host_utc_offset() * NS_PER_SECOND;
    case RTC_BASE_DATE: return rtc->date * NS_PER_SECOND;
    }
    return 0;
}

static int64_t clock_at_start(RtcClock clock)
{
    return clock == RTC_CLOCK_VM ? 0 :
           clock == RTC_CLOCK_RT ? host_monotonic_ns() : host_realtime_ns();
}

/*
 * With virtual time the guest's clock depends on nothing but its start, which a recording
 * therefore knows; with the host's clocks each look at them is recorded.
 */
void session_set_rtc(Session *s)
{
    const RtcOptions *rtc = &s->options->rtc;
    RtcConfig *c = &s->machine->rtc;
    const char *recorded = replay_described(s->replay, "info.rtc-offset");
    g_autofree char *spec = NULL, *offset = NULL;

    c->clock = rtc->clock;
    if (rtc->base == RTC_BASE_UTC && rtc->clock == RTC_CLOCK_HOST) {
        return;
    }
    c->offset_ns = recorded ? g_ascii_strtoll(recorded, NULL, 10)
                            : rtc_start(rtc) - clock_at_start(rtc->clock);
    spec = options_format_rtc(rtc);
    offset = g_strdup_printf("%" PRId64, c->offset_ns);
    replay_describe(s->replay, "rtc", spec);
    replay_describe(s->replay, "info.rtc-offset", offset);
}

/* ---- who it is ---- */

void session_set_uuid(Session *s)
{
    uint8_t bytes[UUID_SIZE];

    if (s->options->uuid && uuid_parse(s->options->uuid, bytes)) {
        s->config.uuid = g_memdup2(bytes, UUID_SIZE);
        g_ptr_array_add(s->strings, (void *)s->config.uuid);
        replay_describe(s->replay, "uuid", s->options->uuid);
    }
}
