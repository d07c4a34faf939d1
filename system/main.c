/*
 * rearm: the program.
 *
 * Exit codes: 0 the run ended normally; 1 bad usage or environment, or the recording is
 * incomplete; 2 a replay did not reproduce its recording, or the recording is damaged or
 * of another machine.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "config-host.h"
#include "system/session.h"
#include "target/arm/cpu.h"
#include "util/log.h"

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
            if (!strcmp((*b)->default_cpu, *name)) {
                printf(" (default of machine %s)", (*b)->name);
            }
        }
        printf("\n");
    }
}

static void print_devices(void)
{
    for (const BoardType *const *b = board_types; *b; b++) {
        printf("Devices for machine %s:\n", (*b)->name);
        for (const char *const *d = (*b)->devices; d && *d; d++) {
            printf("  %s\n", *d);
        }
    }
}

static int print_for(OptionsAction action)
{
    switch (action) {
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
    case ACTION_CPU_HELP:
        print_cpus();
        break;
    case ACTION_DEVICE_HELP:
        print_devices();
        break;
    case ACTION_CHARDEV_HELP:
        chardev_print_kinds(stdout);
        break;
    case ACTION_LOG_HELP:
        log_print_items(stdout);
        break;
    case ACTION_ACCEL_HELP:
        printf("Accelerators supported:\ntcg\n");
        break;
    }
    return fflush(stdout) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

int main(int argc, char **argv)
{
    Error *err = NULL;
    Options *options = options_parse(argc, argv, &err);
    Session *session;
    int code;

    if (!options) {
        error_report_err(err);
        return EXIT_FAILURE;
    }
    if (options->action != ACTION_RUN) {
        code = print_for(options->action);
        options_free(options);
        return code;
    }
    session = session_new(options, &code, &err);
    if (!session) {
        error_report_err(err);
        return code;
    }
    code = session_run(session);
    session_free(session);
    return code;
}
