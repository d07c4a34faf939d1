/*
 * Commands of the human monitor that act on the machine and on what is around it. Most are QMP's,
 * with nothing to print.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "monitor/commands.h"
#include "monitor/qmp.h"
#include "qapi/json.h"
#include "util/log.h"

#define SIMPLE(handler, qmp)                                                                     \
    bool hmp_##handler(MonitorEnv *env, const HmpArgs *args, GString *out, Error **errp)         \
    {                                                                                            \
        return qmp(&(QmpContext){ .env = env }, errp);                                           \
    }

SIMPLE(stop, qmp_stop)
SIMPLE(cont, qmp_cont)
SIMPLE(quit, qmp_quit)
SIMPLE(system_reset, qmp_system_reset)
SIMPLE(system_powerdown, qmp_system_powerdown)
SIMPLE(system_wakeup, qmp_system_wakeup)
SIMPLE(nmi, qmp_inject_nmi)

bool hmp_watchdog_action(MonitorEnv *env, const HmpArgs *args, GString *out, Error **errp)
{
    const char *word = hmp_text(args, "reset|shutdown|poweroff|pause|debug|none");
    int action = qapi_enum_find(&qapi_type_WatchdogAction, word);
    QapiWatchdogSetActionArgs a = { (QapiWatchdogAction)action };

    return qmp_watchdog_set_action(&(QmpContext){ .env = env }, &a, errp);
}

Vcpu *monitor_need_cpu(MonitorEnv *env, Error **errp)
{
    Vcpu *cpu = monitor_cpu(env);

    if (!cpu) {
        error_setg(errp, "this machine has no CPU; -cpu MODEL gives it one");
    }
    return cpu;
}

bool hmp_cpu(MonitorEnv *env, const HmpArgs *args, GString *out, Error **errp)
{
    uint64_t n = hmp_number(args, "N");
    unsigned num_cpus = exec_loop_machine(env->loop)->num_cpus;

    if (!monitor_need_cpu(env, errp)) {
        return false;
    }
    if (n >= num_cpus) {
        error_setg(errp, "'%s' is no CPU; expected 0..%u", hmp_text(args, "N"), num_cpus - 1);
        return false;
    }
    env->current_cpu = (unsigned)n;
    return true;
}

/* ---- the emulator ---- */

bool hmp_gdbserver(MonitorEnv *env, const HmpArgs *args, GString *out, Error **errp)
{
    const char *device = hmp_given(args, "DEV") ? hmp_text(args, "DEV") : "tcp::1234";
    QmpContext ctx = { .env = env };

    if (!qmp_x_rearm_gdbserver(&ctx, &(QapiXRearmGdbserverArgs){ (char *)device }, errp)) {
        return false;
    }
    g_string_append_printf(out, "Waiting for gdb connection on device '%s'\n", device);
    return true;
}

bool hmp_log(MonitorEnv *env, const HmpArgs *args, GString *out, Error **errp)
{
    char *items = hmp_text(args, "ITEM[,ITEM...]");
    QmpContext ctx = { .env = env };

    return qmp_x_rearm_log(&ctx, &(QapiXRearmLogArgs){ strcmp(items, "none") ? items : "" }, errp);
}

typedef struct EmulatorCall {
    MonitorEnv *env;
    const char *file;
    bool on, ok;
    Error **errp;
} EmulatorCall;

static void logfile_run(void *opaque)
{
    EmulatorCall *c = opaque;

    c->ok = log_set_file(c->file, c->errp);
}

/* The machine thread writes to it all the time. */
bool hmp_logfile(MonitorEnv *env, const HmpArgs *args, GString *out, Error **errp)
{
    EmulatorCall c = { .file = hmp_text(args, "FILE"), .errp = errp };

    machine_run_sync(env->loop, logfile_run, &c);
    return c.ok;
}

static void one_insn_run(void *opaque)
{
    EmulatorCall *c = opaque;

    tcg_set_one_insn(exec_loop_tcg(c->env->loop), c->on);
}

bool hmp_one_insn(MonitorEnv *env, const HmpArgs *args, GString *out, Error **errp)
{
    EmulatorCall c = { .env = env, .on = g_strcmp0(hmp_text(args, "on|off"), "off") != 0 };

    machine_run_sync(env->loop, one_insn_run, &c);
    return true;
}

/* ---- back ends ---- */

bool hmp_chardev_add(MonitorEnv *env, const HmpArgs *args, GString *out, Error **errp)
{
    return chardev_create(env->chardevs, hmp_text(args, "KIND,id=ID[,KEY=VALUE...]"), errp);
}

bool hmp_chardev_remove(MonitorEnv *env, const HmpArgs *args, GString *out, Error **errp)
{
    QapiChardevRemoveArgs a = { hmp_text(args, "ID") };

    return qmp_chardev_remove(&(QmpContext){ .env = env }, &a, errp);
}

bool hmp_chardev_send_break(MonitorEnv *env, const HmpArgs *args, GString *out, Error **errp)
{
    QapiChardevSendBreakArgs a = { hmp_text(args, "ID") };

    return qmp_chardev_send_break(&(QmpContext){ .env = env }, &a, errp);
}

bool hmp_ringbuf_write(MonitorEnv *env, const HmpArgs *args, GString *out, Error **errp)
{
    QapiRingbufWriteArgs a = { .device = hmp_text(args, "ID"), .data = hmp_text(args, "DATA") };

    return qmp_ringbuf_write(&(QmpContext){ .env = env }, &a, errp);
}

bool hmp_ringbuf_read(MonitorEnv *env, const HmpArgs *args, GString *out, Error **errp)
{
    QapiRingbufReadArgs a = { .device = hmp_text(args, "ID"),
                              .size = (int64_t)MIN(hmp_number(args, "SIZE"), INT64_MAX) };
    g_autofree char *text = NULL;

    if (!qmp_ringbuf_read(&(QmpContext){ .env = env }, &a, &text, errp)) {
        return false;
    }
    g_string_append_printf(out, "%s\n", text);
    return true;
}

/* ---- objects ---- */

bool hmp_object_add(MonitorEnv *env, const HmpArgs *args, GString *out, Error **errp)
{
    return monitor_object_add(env, hmp_text(args, "TYPE,id=ID[,KEY=VALUE...]"), errp);
}

bool hmp_object_del(MonitorEnv *env, const HmpArgs *args, GString *out, Error **errp)
{
    QapiObjectDelArgs a = { hmp_text(args, "ID") };

    return qmp_object_del(&(QmpContext){ .env = env }, &a, errp);
}

bool hmp_qom_list(MonitorEnv *env, const HmpArgs *args, GString *out, Error **errp)
{
    QapiQomListArgs a = { hmp_given(args, "PATH") ? hmp_text(args, "PATH") : (char *)"/" };
    g_autoptr(QapiObjectPropertyInfoList) list = NULL;

    if (!qmp_qom_list(&(QmpContext){ .env = env }, &a, &list, errp)) {
        return false;
    }
    for (const QapiObjectPropertyInfoList *node = list; node; node = node->next) {
        g_string_append_printf(out, "%s (%s)\n", node->value->name, node->value->type);
    }
    return true;
}

bool hmp_qom_get(MonitorEnv *env, const HmpArgs *args, GString *out, Error **errp)
{
    QapiQomGetArgs a = { hmp_text(args, "PATH"), hmp_text(args, "PROPERTY") };
    json_object *value = NULL;

    if (!qmp_qom_get(&(QmpContext){ .env = env }, &a, &value, errp)) {
        return false;
    }
    json_write(out, value, false, "\n");
    g_string_append_c(out, '\n');
    json_object_put(value);
    return true;
}

bool hmp_qom_set(MonitorEnv *env, const HmpArgs *args, GString *out, Error **errp)
{
    json_object *value = json_object_new_string(hmp_text(args, "VALUE"));
    QapiQomSetArgs a = { hmp_text(args, "PATH"), hmp_text(args, "PROPERTY"), value };
    bool ok = qmp_qom_set(&(QmpContext){ .env = env }, &a, errp);

    json_object_put(value);
    return ok;
}

bool hmp_balloon(MonitorEnv *env, const HmpArgs *args, GString *out, Error **errp)
{
    QapiBalloonArgs a = { (int64_t)(MIN(hmp_number(args, "MIB"), INT64_MAX >> 20) << 20) };

    return qmp_balloon(&(QmpContext){ .env = env }, &a, errp);
}
