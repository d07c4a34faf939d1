/*
 * What the options that only tell something tell.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "config-host.h"
#include "hw/core/bus.h"
#include "hw/core/user-object.h"
#include "net/net.h"
#include "system/session.h"
#include "target/arm/cpu.h"
#include "util/log.h"
#include "util/trace.h"

static void print_machines(void)
{
    printf("Supported machines are:\n");
    for (const BoardType *const *b = board_types; *b; b++) {
        printf("%-20s %s%s\n", (*b)->name, (*b)->description,
               b == board_types ? " (default)" : "");
        if ((*b)->alias) {
            printf("%-20s %s (alias of %s)\n", (*b)->alias, (*b)->description, (*b)->name);
        }
    }
}

static void print_cpus(void)
{
    printf("Available CPUs:\n");
    for (const char *const *name = arm_cpu_model_names(); *name; name++) {
        printf("  %s", *name);
        for (const BoardType *const *b = board_types; *b; b++) {
            if (!g_strcmp0((*b)->default_cpu, *name)) {
                printf(" (default of machine %s)", (*b)->name);
            }
        }
        printf("\n");
    }
}

static void print_devices(void)
{
    GString *text = g_string_new(NULL);

    device_types_help(device_types, text);
    fputs(text->str, stdout);
    g_string_free(text, TRUE);
}

static void print_properties(const Property *table)
{
    GString *text = g_string_new(NULL);

    properties_help(table, text);
    fputs(text->str, stdout);
    g_string_free(text, TRUE);
}

static bool print_device_properties(const char *name, Error **errp)
{
    const DeviceType *type = device_type_need(device_types, name, "-device", errp);

    if (!type) {
        return false;
    }
    printf(type->properties ? "%s options:\n" : "There are no options for %s.\n", name);
    print_properties(type->properties);
    print_properties(type->part ? type->part->properties : NULL);
    return true;
}

static bool print_machine_properties(const char *name, Error **errp)
{
    const BoardType *board = board_find(name, errp);

    if (!board) {
        return false;
    }
    printf("%s options:\n", name);
    print_properties(board->properties);
    print_properties(board_common_properties);
    return true;
}

static void print_objects(void)
{
    for (const UserObjectType *const *t = user_object_types; *t; t++) {
        printf("  %-24s %s\n", (*t)->name, (*t)->doc);
    }
}

static bool print_object_properties(const char *name, Error **errp)
{
    const UserObjectType *type = user_object_type_find(name);

    if (!type) {
        error_setg(errp, "-object %s: there is no such type; -object help lists them", name);
        return false;
    }
    printf(type->properties ? "%s options:\n" : "There are no options for %s.\n", name);
    print_properties(type->properties);
    return true;
}

bool options_print_topic(const Options *o, Error **errp)
{
    switch (o->action) {
    case ACTION_RUN:
        break;
    case ACTION_HELP:
        options_print_help(stdout);
        break;
    case ACTION_VERSION:
        printf("Rearm emulator version %s\n", REARM_VERSION);
        break;
    case ACTION_MACHINE_HELP:
        print_machines();
        break;
    case ACTION_MACHINE_PROPERTIES:
        return print_machine_properties(o->help_topic, errp);
    case ACTION_CPU_HELP:
        print_cpus();
        break;
    case ACTION_DEVICE_HELP:
        print_devices();
        break;
    case ACTION_DEVICE_PROPERTIES:
        return print_device_properties(o->help_topic, errp);
    case ACTION_OBJECT_HELP:
        print_objects();
        break;
    case ACTION_OBJECT_PROPERTIES:
        return print_object_properties(o->help_topic, errp);
    case ACTION_FIRMWARE_DIRS:
        session_print_firmware_dirs(o, stdout);
        break;
    case ACTION_NETDEV_HELP:
        netdev_print_kinds(stdout);
        break;
    case ACTION_CHARDEV_HELP:
        chardev_print_kinds(stdout);
        break;
    case ACTION_LOG_HELP:
        log_print_items(stdout);
        break;
    case ACTION_TRACE_HELP:
        trace_print_events(stdout);
        break;
    case ACTION_ACCEL_HELP:
        printf("Accelerators supported:\ntcg\n");
        break;
    }
    return true;
}
