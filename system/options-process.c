/*
 * Options about the process: its name and id, what it may do, what it prints.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "system/options-handlers.h"

/* A value out of a list: its index, or -1 and an error that shows them. Absent: otherwise. */
static int choose(KeyVal *kv, const char *option, const char *key, const char *const *values,
                  int otherwise, Error **errp)
{
    const char *value = keyval_get(kv, key);
    g_autofree char *all = NULL;

    if (!value) {
        return otherwise;
    }
    for (int i = 0; values[i]; i++) {
        if (!strcmp(values[i], value)) {
            return i;
        }
    }
    all = g_strjoinv(", ", (char **)values);
    error_setg(errp, "%s %s=%s: expected one of %s", option, key, value, all);
    return -1;
}

/* ---- who it is ---- */

static bool name_options(Options *o, KeyVal *kv, Error **errp)
{
    bool debug_threads = true;

    g_free(o->name);
    g_free(o->process_name);
    o->name = g_strdup(keyval_get(kv, "guest"));
    o->process_name = g_strdup(keyval_get(kv, "process"));
    /* The threads have names anyway. */
    return keyval_get_bool(kv, "debug-threads", &debug_threads, errp) &&
           keyval_check_unused(kv, "-name", errp);
}

bool opt_name(Options *o, const char *arg, Error **errp)
{
    KeyVal *kv = keyval_parse(arg, "guest", errp);
    bool ok = kv && name_options(o, kv, errp);

    keyval_free(kv);
    return ok;
}

bool opt_pidfile(Options *o, const char *arg, Error **errp)
{
    g_free(o->pidfile);
    o->pidfile = g_strdup(arg);
    return true;
}

bool opt_daemonize(Options *o, const char *arg, Error **errp)
{
    o->daemonize = true;
    return true;
}

/* ---- what it may do ---- */

bool opt_runas(Options *o, const char *arg, Error **errp)
{
    g_free(o->runas);
    o->runas = g_strdup(arg);
    return true;
}

bool opt_chroot(Options *o, const char *arg, Error **errp)
{
    g_free(o->chroot);
    o->chroot = g_strdup(arg);
    return true;
}

static bool run_with_options(Options *o, KeyVal *kv, Error **errp)
{
    const char *root = keyval_get(kv, "chroot"), *user = keyval_get(kv, "user");
    bool teardown = false;

    if (!keyval_get_bool(kv, "async-teardown", &teardown, errp) ||
        !keyval_check_unused(kv, "-run-with", errp)) {
        return false;
    }
    if (teardown) {
        error_setg(errp, "-run-with async-teardown=on: the guest's memory is freed when the process "
                   "ends, and not later; leave it out");
        return false;
    }
    return (!root || opt_chroot(o, root, errp)) && (!user || opt_runas(o, user, errp));
}

bool opt_run_with(Options *o, const char *arg, Error **errp)
{
    KeyVal *kv = keyval_parse(arg, NULL, errp);
    bool ok = kv && run_with_options(o, kv, errp);

    keyval_free(kv);
    return ok;
}

static bool sandbox_options(SandboxOptions *s, KeyVal *kv, Error **errp)
{
    static const char *const deny[] = { "allow", "deny", NULL };
    static const char *const elevate[] = { "allow", "deny", "children", NULL };
    int obsolete, privileges, spawn, resources;

    if (!keyval_has(kv, "enable")) {
        error_setg(errp, "-sandbox: expected 'on' or 'off'");
        return false;
    }
    obsolete = choose(kv, "-sandbox", "obsolete", deny, 1, errp);
    privileges = obsolete < 0 ? -1 : choose(kv, "-sandbox", "elevateprivileges", elevate, 0, errp);
    spawn = privileges < 0 ? -1 : choose(kv, "-sandbox", "spawn", deny, 0, errp);
    resources = spawn < 0 ? -1 : choose(kv, "-sandbox", "resourcecontrol", deny, 0, errp);
    if (resources < 0 || !keyval_get_bool(kv, "enable", &s->enable, errp)) {
        return false;
    }
    s->deny_obsolete = obsolete;
    s->deny_privileges = privileges == 1;
    s->no_new_privileges = privileges == 2;
    s->deny_spawn = spawn;
    s->deny_resources = resources;
    return keyval_check_unused(kv, "-sandbox", errp);
}

bool opt_sandbox(Options *o, const char *arg, Error **errp)
{
    KeyVal *kv = keyval_parse(arg, "enable", errp);
    bool ok = kv && sandbox_options(&o->sandbox, kv, errp);

    keyval_free(kv);
    return ok;
}

static bool overcommit_options(Options *o, KeyVal *kv, Error **errp)
{
    bool cpu_pm = false;

    if (!keyval_get_bool(kv, "mem-lock", &o->mem_lock, errp) ||
        !keyval_get_bool(kv, "cpu-pm", &cpu_pm, errp) ||
        !keyval_check_unused(kv, "-overcommit", errp)) {
        return false;
    }
    if (cpu_pm) {
        error_setg(errp, "-overcommit cpu-pm=on is for guests that run on the host's CPUs (KVM); "
                   "here they run on the translator");
        return false;
    }
    return true;
}

bool opt_overcommit(Options *o, const char *arg, Error **errp)
{
    KeyVal *kv = keyval_parse(arg, NULL, errp);
    bool ok = kv && overcommit_options(o, kv, errp);

    keyval_free(kv);
    return ok;
}

/* ---- what it prints ---- */

static bool msg_options(Options *o, KeyVal *kv, Error **errp)
{
    return keyval_get_bool(kv, "timestamp", &o->msg_timestamp, errp) &&
           keyval_get_bool(kv, "guest-name", &o->msg_guest_name, errp) &&
           keyval_check_unused(kv, "-msg", errp);
}

bool opt_msg(Options *o, const char *arg, Error **errp)
{
    KeyVal *kv = keyval_parse(arg, NULL, errp);
    bool ok = kv && msg_options(o, kv, errp);

    keyval_free(kv);
    return ok;
}

/* ---- what becomes of the machine ---- */

/* The values of each are in the order of its enum. */
static const struct {
    const char *event, *values[8];
    size_t offset;
} actions[] = {
    { "reboot", { "reset", "shutdown" }, offsetof(ExecActions, reboot) },
    { "shutdown", { "poweroff", "pause" }, offsetof(ExecActions, shutdown) },
    { "panic", { "shutdown", "pause", "exit-failure", "none" }, offsetof(ExecActions, panic) },
    { "watchdog", { "reset", "shutdown", "poweroff", "pause", "debug", "none" },
      offsetof(ExecActions, watchdog) },
};

static bool action_options(Options *o, KeyVal *kv, Error **errp)
{
    if (!g_strcmp0(keyval_get(kv, "watchdog"), "inject-nmi")) {
        error_setg(errp, "-action watchdog=inject-nmi: the machine's interrupt controller has no "
                   "non-maskable interrupt; use pause, shutdown or reset");
        return false;
    }
    for (unsigned i = 0; i < ARRAY_SIZE(actions); i++) {
        uint8_t *action = (uint8_t *)&o->exec.actions + actions[i].offset;
        int value = choose(kv, "-action", actions[i].event, actions[i].values, *action, errp);

        if (value < 0) {
            return false;
        }
        *action = (uint8_t)value;
    }
    o->panic_given |= keyval_get(kv, "panic") != NULL;
    o->watchdog_given |= keyval_get(kv, "watchdog") != NULL;
    return keyval_check_unused(kv, "-action", errp);
}

const char *options_action_text(const ExecActions *chosen, const char *event)
{
    for (unsigned i = 0; i < ARRAY_SIZE(actions); i++) {
        if (!strcmp(actions[i].event, event)) {
            return actions[i].values[((const uint8_t *)chosen)[actions[i].offset]];
        }
    }
    g_assert_not_reached();
}

bool opt_action(Options *o, const char *arg, Error **errp)
{
    KeyVal *kv = keyval_parse(arg, NULL, errp);
    bool ok = kv && action_options(o, kv, errp);

    keyval_free(kv);
    return ok;
}

bool opt_watchdog_action(Options *o, const char *arg, Error **errp)
{
    g_autofree char *text = g_strdup_printf("watchdog=%s", arg);

    return opt_action(o, text, errp);
}
