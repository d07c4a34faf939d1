/*
 * -smp: how many CPUs, and how they are grouped. What is left out is computed as QEMU's
 * documentation says: one of cpus and maxcpus from the other, or both from the groups; of
 * the groups, clusters is 1, and then cores come before sockets and those before threads in taking
 * what the others leave.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "system/options-handlers.h"

#define MAX_CPUS 1024

typedef struct Level {
    const char *key;
    uint64_t value;               /* 0: left out */
} Level;

enum { CPUS, MAXCPUS, SOCKETS, CLUSTERS, CORES, THREADS, NUM_LEVELS };

/* Groups that QEMU has on other machines. One of each is what every machine has. */
static const char *const other_levels[] = { "drawers", "books", "dies", "modules" };

static bool get_level(KeyVal *kv, const char *arg, const char *key, uint64_t *value,
                      Error **errp)
{
    if (!keyval_get_u64(kv, key, value, errp)) {
        return false;
    }
    if (keyval_has(kv, key) && (*value < 1 || *value > MAX_CPUS)) {
        error_setg(errp, "-smp %s: %s=%" PRIu64 " is out of range: 1..%d", arg, key, *value,
                   MAX_CPUS);
        return false;
    }
    return true;
}

static bool get_levels(KeyVal *kv, const char *arg, Level *levels, Error **errp)
{
    for (unsigned i = 0; i < NUM_LEVELS; i++) {
        if (!get_level(kv, arg, levels[i].key, &levels[i].value, errp)) {
            return false;
        }
    }
    for (unsigned i = 0; i < ARRAY_SIZE(other_levels); i++) {
        uint64_t value = 1;

        if (!get_level(kv, arg, other_levels[i], &value, errp)) {
            return false;
        }
        if (value != 1) {
            error_setg(errp, "-smp %s: CPUs here have sockets, clusters, cores and threads, but "
                       "no %s", arg, other_levels[i]);
            return false;
        }
    }
    return keyval_check_unused(kv, "-smp", errp);
}

/* What is left of maxcpus for one level; 0 when the others are too many already. */
static uint64_t remainder_of(const Level *levels, unsigned level)
{
    uint64_t others = 1;

    for (unsigned i = SOCKETS; i < NUM_LEVELS; i++) {
        others *= i == level ? 1 : MAX(levels[i].value, 1);
    }
    return levels[MAXCPUS].value / others;
}

static uint64_t product(const Level *levels)
{
    return MAX(levels[SOCKETS].value, 1) * MAX(levels[CLUSTERS].value, 1) *
           MAX(levels[CORES].value, 1) * MAX(levels[THREADS].value, 1);
}

static void compute_missing(Level *levels)
{
    static const unsigned order[] = { CORES, SOCKETS, THREADS };
    bool taken = false;

    if (!levels[MAXCPUS].value) {
        levels[MAXCPUS].value = levels[CPUS].value ? levels[CPUS].value : product(levels);
    }
    if (!levels[CPUS].value) {
        levels[CPUS].value = levels[MAXCPUS].value;
    }
    for (unsigned i = 0; i < ARRAY_SIZE(order); i++) {
        if (!levels[order[i]].value && !taken) {
            levels[order[i]].value = MAX(remainder_of(levels, order[i]), 1);
            taken = true;
        }
    }
    for (unsigned i = SOCKETS; i < NUM_LEVELS; i++) {
        levels[i].value = MAX(levels[i].value, 1);
    }
}

static bool check(const Level *levels, const char *arg, Error **errp)
{
    if (product(levels) != levels[MAXCPUS].value) {
        error_setg(errp, "-smp %s: sockets=%" PRIu64 " * clusters=%" PRIu64 " * cores=%" PRIu64
                   " * threads=%" PRIu64 " is %" PRIu64 ", and not maxcpus=%" PRIu64, arg,
                   levels[SOCKETS].value, levels[CLUSTERS].value, levels[CORES].value,
                   levels[THREADS].value, product(levels), levels[MAXCPUS].value);
        return false;
    }
    if (levels[CPUS].value > levels[MAXCPUS].value) {
        error_setg(errp, "-smp %s: cpus=%" PRIu64 " is more than maxcpus=%" PRIu64, arg,
                   levels[CPUS].value, levels[MAXCPUS].value);
        return false;
    }
    return true;
}

bool options_parse_smp(const char *arg, CpuTopology *t, Error **errp)
{
    KeyVal *kv = keyval_parse(arg, "cpus", errp);
    Level levels[NUM_LEVELS] = {
        [CPUS] = { "cpus", 0 }, [MAXCPUS] = { "maxcpus", 0 }, [SOCKETS] = { "sockets", 0 },
        [CLUSTERS] = { "clusters", 0 }, [CORES] = { "cores", 0 }, [THREADS] = { "threads", 0 },
    };
    bool ok = kv && get_levels(kv, arg, levels, errp);

    keyval_free(kv);
    if (!ok) {
        return false;
    }
    compute_missing(levels);
    if (!check(levels, arg, errp)) {
        return false;
    }
    *t = (CpuTopology){
        .cpus = (unsigned)levels[CPUS].value,
        .max_cpus = (unsigned)levels[MAXCPUS].value,
        .sockets = (unsigned)levels[SOCKETS].value,
        .clusters = (unsigned)levels[CLUSTERS].value,
        .cores = (unsigned)levels[CORES].value,
        .threads = (unsigned)levels[THREADS].value,
    };
    return true;
}

char *options_format_smp(const CpuTopology *t)
{
    return g_strdup_printf("cpus=%u,maxcpus=%u,sockets=%u,clusters=%u,cores=%u,threads=%u",
                           t->cpus, t->max_cpus, t->sockets, t->clusters, t->cores, t->threads);
}

bool opt_smp(Options *o, const char *arg, Error **errp)
{
    return options_parse_smp(arg, &o->smp, errp);
}
