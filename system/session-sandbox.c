/*
 * -sandbox: a filter of the host's kernel, by libseccomp, that ends the process at calls which an
 * emulator has no use for. Whoever breaks out of the guest finds them gone.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "config-host.h"
#include "system/session.h"

#ifdef REARM_SECCOMP
#include <sched.h>
#include <seccomp.h>
#include <sys/prctl.h>

/* Those that administer the host, look into other processes, or are there for debuggers. */
static const int always[] = {
    SCMP_SYS(acct), SCMP_SYS(add_key), SCMP_SYS(adjtimex), SCMP_SYS(bpf), SCMP_SYS(clock_adjtime),
    SCMP_SYS(clock_settime), SCMP_SYS(delete_module), SCMP_SYS(finit_module), SCMP_SYS(init_module),
    SCMP_SYS(ioperm), SCMP_SYS(iopl), SCMP_SYS(kcmp), SCMP_SYS(kexec_file_load),
    SCMP_SYS(kexec_load), SCMP_SYS(keyctl), SCMP_SYS(lookup_dcookie), SCMP_SYS(migrate_pages),
    SCMP_SYS(modify_ldt), SCMP_SYS(mount), SCMP_SYS(move_pages), SCMP_SYS(name_to_handle_at),
    SCMP_SYS(open_by_handle_at), SCMP_SYS(perf_event_open), SCMP_SYS(personality),
    SCMP_SYS(pivot_root), SCMP_SYS(process_vm_readv), SCMP_SYS(process_vm_writev), SCMP_SYS(ptrace),
    SCMP_SYS(quotactl), SCMP_SYS(reboot), SCMP_SYS(request_key), SCMP_SYS(sethostname),
    SCMP_SYS(setdomainname), SCMP_SYS(setns), SCMP_SYS(settimeofday), SCMP_SYS(stime),
    SCMP_SYS(swapoff), SCMP_SYS(swapon), SCMP_SYS(syslog), SCMP_SYS(umount), SCMP_SYS(umount2),
    SCMP_SYS(unshare), SCMP_SYS(userfaultfd), SCMP_SYS(vhangup),
};
static const int obsolete[] = {
    SCMP_SYS(_sysctl), SCMP_SYS(afs_syscall), SCMP_SYS(bdflush), SCMP_SYS(create_module),
    SCMP_SYS(get_kernel_syms), SCMP_SYS(getpmsg), SCMP_SYS(nfsservctl), SCMP_SYS(putpmsg),
    SCMP_SYS(query_module), SCMP_SYS(readdir), SCMP_SYS(security), SCMP_SYS(sysfs),
    SCMP_SYS(tuxcall), SCMP_SYS(uselib), SCMP_SYS(ustat), SCMP_SYS(vserver),
};
static const int privileges[] = {
    SCMP_SYS(setgid), SCMP_SYS(setuid), SCMP_SYS(setregid), SCMP_SYS(setreuid),
    SCMP_SYS(setresgid), SCMP_SYS(setresuid), SCMP_SYS(setfsgid), SCMP_SYS(setfsuid),
    SCMP_SYS(setgroups), SCMP_SYS(capset), SCMP_SYS(chroot),
};
/* Not clone(), which makes threads; the rule for it is below. */
static const int spawn[] = {
    SCMP_SYS(execve), SCMP_SYS(execveat), SCMP_SYS(fork), SCMP_SYS(vfork),
};
static const int resources[] = {
    SCMP_SYS(ioprio_set), SCMP_SYS(mbind), SCMP_SYS(sched_setaffinity), SCMP_SYS(sched_setattr),
    SCMP_SYS(sched_setparam), SCMP_SYS(sched_setscheduler), SCMP_SYS(set_mempolicy),
    SCMP_SYS(setpriority), SCMP_SYS(setrlimit),
};

/* A call that this host has not cannot be made, and needs no rule. */
static int deny(scmp_filter_ctx filter, const int *calls, unsigned num)
{
    int rc = 0;

    for (unsigned i = 0; !rc && i < num; i++) {
        if (calls[i] >= 0) {
            rc = seccomp_rule_add(filter, SCMP_ACT_KILL_PROCESS, calls[i], 0);
        }
    }
    return rc;
}

/*
 * A clone that is no thread is a process. clone3() keeps its flags in memory, where no filter looks:
 * it is as if the host had none, and the C library takes clone().
 */
static int deny_processes(scmp_filter_ctx filter)
{
    int rc = seccomp_rule_add(filter, SCMP_ACT_KILL_PROCESS, SCMP_SYS(clone), 1,
                              SCMP_A0(SCMP_CMP_MASKED_EQ, CLONE_THREAD, 0));

    return rc ? rc : seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0);
}

static int add_rules(scmp_filter_ctx filter, const SandboxOptions *o)
{
    int rc = deny(filter, always, ARRAY_SIZE(always));

    rc = rc || !o->deny_obsolete ? rc : deny(filter, obsolete, ARRAY_SIZE(obsolete));
    rc = rc || !o->deny_privileges ? rc : deny(filter, privileges, ARRAY_SIZE(privileges));
    rc = rc || !o->deny_spawn ? rc : deny(filter, spawn, ARRAY_SIZE(spawn));
    rc = rc || !o->deny_spawn ? rc : deny_processes(filter);
    return rc || !o->deny_resources ? rc : deny(filter, resources, ARRAY_SIZE(resources));
}

bool session_enter_sandbox(const SandboxOptions *o, Error **errp)
{
    scmp_filter_ctx filter;
    int rc;

    if (!o->enable) {
        return true;
    }
    if (o->no_new_privileges && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0) {
        error_setg_errno(errp, errno, "-sandbox elevateprivileges=children");
        return false;
    }
    filter = seccomp_init(SCMP_ACT_ALLOW);
    rc = filter ? seccomp_attr_set(filter, SCMP_FLTATR_CTL_TSYNC, 1) : -ENOMEM;
    rc = rc ? rc : add_rules(filter, o);
    rc = rc ? rc : seccomp_load(filter);
    seccomp_release(filter);
    if (rc) {
        error_setg_errno(errp, -rc, "-sandbox on: the host takes no filter");
    }
    return rc == 0;
}

#else

bool session_enter_sandbox(const SandboxOptions *o, Error **errp)
{
    if (o->enable) {
        error_setg(errp, "-sandbox on: this program was built without libseccomp; leave it out, or "
                   "build with libseccomp-dev installed");
        return false;
    }
    return true;
}

#endif
