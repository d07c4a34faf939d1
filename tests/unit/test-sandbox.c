/*
 * The sandbox: in a process of its own, each call ends it or does not, as the options say.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "config-host.h"
#include <glib.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include "system/session.h"

#ifdef REARM_SECCOMP

static void call_swapoff(void)
{
    syscall(SYS_swapoff, "/nonexistent");
}

static void call_ustat(void)
{
    syscall(SYS_ustat, 0, NULL);
}

static void call_setuid(void)
{
    syscall(SYS_setuid, getuid());
}

static void call_fork(void)
{
    pid_t child = fork();

    if (child == 0) {
        _exit(0);
    }
    waitpid(child, NULL, 0);
}

static void call_execve(void)
{
    syscall(SYS_execve, "/nonexistent", NULL, NULL);
}

static void call_setpriority(void)
{
    setpriority(PRIO_PROCESS, 0, 0);
}

static gpointer thread(gpointer opaque)
{
    return opaque;
}

/* The filter must not be in the way of what every run needs. */
static void call_thread(void)
{
    if (g_thread_join(g_thread_new("t", thread, &thread)) != &thread) {
        _exit(3);
    }
}

static void call_prctl(void)
{
    if (prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1) {
        _exit(4);
    }
}

/* Whether the child lives through the call. */
static bool survives(const SandboxOptions *options, void (*call)(void))
{
    pid_t child = fork();
    int status;

    if (child == 0) {
        setrlimit(RLIMIT_CORE, &(struct rlimit){ 0, 0 });
        if (!session_enter_sandbox(options, NULL)) {
            _exit(2);
        }
        call();
        _exit(0);
    }
    g_assert_cmpint(waitpid(child, &status, 0), ==, child);
    if (WIFSIGNALED(status)) {
        g_assert_cmpint(WTERMSIG(status), ==, SIGSYS);
        return false;
    }
    g_assert_cmpint(WEXITSTATUS(status), ==, 0);
    return true;
}

static void test_groups(void)
{
    static const struct {
        void (*call)(void);
        size_t option;       /* the member that denies it; 0: always denied */
    } rows[] = {
        { call_swapoff, 0 },
        { call_ustat, offsetof(SandboxOptions, deny_obsolete) },
        { call_setuid, offsetof(SandboxOptions, deny_privileges) },
        { call_fork, offsetof(SandboxOptions, deny_spawn) },
        { call_execve, offsetof(SandboxOptions, deny_spawn) },
        { call_setpriority, offsetof(SandboxOptions, deny_resources) },
    };

    for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
        SandboxOptions options = { .enable = true };

        g_assert_cmpint(survives(&options, rows[i].call), ==, rows[i].option != 0);
        if (rows[i].option) {
            *((bool *)&options + rows[i].option) = true;
            g_assert_false(survives(&options, rows[i].call));
        }
    }
}

static void test_allowed(void)
{
    SandboxOptions options = {
        .enable = true, .deny_obsolete = true, .deny_privileges = true, .deny_spawn = true,
        .deny_resources = true, .no_new_privileges = true,
    };

    g_assert_true(survives(&options, call_thread));
    g_assert_true(survives(&options, call_prctl));
    options.enable = false;
    g_assert_true(survives(&options, call_swapoff));
}

#else

static void test_groups(void)
{
    const SandboxOptions options = { .enable = true };
    Error *err = NULL;

    g_assert_false(session_enter_sandbox(&options, &err));
    g_assert_nonnull(strstr(error_get_pretty(err), "libseccomp"));
    error_free(err);
}

static void test_allowed(void)
{
    const SandboxOptions options = { 0 };

    g_assert_true(session_enter_sandbox(&options, NULL));
}

#endif

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/sandbox/groups", test_groups);
    g_test_add_func("/sandbox/allowed", test_allowed);
    return g_test_run();
}
