/*
 * Options for what is not there yet, in as far as they ask for nothing: scripts say -net none.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "system/options-handlers.h"

static bool only_none(const char *option, const char *arg, const char *why, Error **errp)
{
    if (strcmp(arg, "none")) {
        error_setg(errp, "%s %s: %s; only 'none' is accepted", option, arg, why);
        return false;
    }
    return true;
}

bool opt_display(Options *o, const char *arg, Error **errp)
{
    if (!only_none("-display", arg, "displays are not there yet", errp)) {
        return false;
    }
    o->display_none = true;
    return true;
}

bool opt_vga(Options *o, const char *arg, Error **errp)
{
    return only_none("-vga", arg, "displays are not there yet", errp);
}

bool opt_vnc(Options *o, const char *arg, Error **errp)
{
    return only_none("-vnc", arg, "displays are not there yet", errp);
}

bool opt_parallel(Options *o, const char *arg, Error **errp)
{
    return only_none("-parallel", arg, "virt has no parallel port, and -serial connects its serial one",
                     errp);
}

static bool no_sound(const char *option, const char *arg, Error **errp)
{
    g_autofree char *text = options_from_json(arg, errp);
    KeyVal *kv = text ? keyval_parse(text, "driver", errp) : NULL;
    const char *driver = kv ? keyval_get(kv, "driver") : NULL;
    bool ok = kv && only_none(option, driver ? driver : "", "sound is not there yet", errp);

    keyval_free(kv);
    return ok;
}

bool opt_audiodev(Options *o, const char *arg, Error **errp)
{
    return no_sound("-audiodev", arg, errp);
}

bool opt_audio(Options *o, const char *arg, Error **errp)
{
    return no_sound("-audio", arg, errp);
}

/* All devices can be saved. */
bool opt_only_migratable(Options *o, const char *arg, Error **errp)
{
    return true;
}

/* No file of options is read that nobody named. */
bool opt_no_user_config(Options *o, const char *arg, Error **errp)
{
    return true;
}
