/*
 * The -d log.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include <fcntl.h>
#include "util/log.h"
#include "util/keyval.h"
#include "util/trace.h"
#include <glib.h>
#include <stdarg.h>

unsigned log_mask_bits;

typedef struct LogItem {
    unsigned mask;
    const char *name;
    const char *description;
} LogItem;

static const LogItem log_items[] = {
    { LOG_IN_ASM, "in_asm", "guest code of each translated unit" },
    { LOG_OP, "op", "IR of each unit before the passes" },
    { LOG_OP_OPT, "op_opt", "IR of each unit after the passes" },
    { LOG_OUT_ASM, "out_asm", "host code of each translated unit" },
    { LOG_INT, "int", "exceptions and interrupts" },
    { LOG_EXEC, "exec", "each unit entered from the execution loop" },
    { LOG_MMU, "mmu", "translations and TLB maintenance" },
    { LOG_GUEST_ERROR, "guest_errors", "what the guest must not do" },
    { LOG_UNIMP, "unimp", "what the guest may do and Rearm does not" },
};

typedef struct LogRange {
    uint64_t first, last;
} LogRange;

/* Where lines go and which addresses matter: set at start, together with the mask. */
static FILE *log_stream;      /* NULL: stderr */
static GMutex log_lock;       /* guards it: a monitor may set another one */
static GArray *log_filter;    /* LogRange; NULL: no filter */

void log_mask(unsigned mask, const char *fmt, ...)
{
    va_list ap;

    if (!log_enabled(mask)) {
        return;
    }
    va_start(ap, fmt);
    g_mutex_lock(&log_lock);
    vfprintf(log_stream ? log_stream : stderr, fmt, ap);
    g_mutex_unlock(&log_lock);
    va_end(ap);
}

void log_line(const char *line)
{
    g_mutex_lock(&log_lock);
    fputs(line, log_stream ? log_stream : stderr);
    g_mutex_unlock(&log_lock);
}

static bool item_mask(const char *name, unsigned *mask)
{
    unsigned all = 0;

    for (unsigned i = 0; i < ARRAY_SIZE(log_items); i++) {
        if (strcmp(name, log_items[i].name) == 0) {
            *mask |= log_items[i].mask;
            return true;
        }
        all |= log_items[i].mask;
    }
    if (strcmp(name, "all") == 0) {
        *mask |= all;
        return true;
    }
    return false;
}

static void unknown_item(const char *name, Error **errp)
{
    const char *names[ARRAY_SIZE(log_items) + 2] = { NULL };
    const char *near;

    for (unsigned i = 0; i < ARRAY_SIZE(log_items); i++) {
        names[i] = log_items[i].name;
    }
    names[ARRAY_SIZE(log_items)] = "all";
    near = suggest_nearest(name, names);
    if (near) {
        error_setg(errp, "unknown log item '%s', did you mean '%s'?", name, near);
    } else {
        error_setg(errp, "unknown log item '%s' (-d help lists them)", name);
    }
}

bool log_set_items(const char *items, Error **errp)
{
    char **names = g_strsplit(items, ",", -1);
    unsigned mask = 0;
    bool ok = true;

    for (char **name = names; *name && ok; name++) {
        if (g_str_has_prefix(*name, "trace:")) {
            ok = trace_set_pattern(*name + strlen("trace:"), errp);
        } else if (**name && !item_mask(*name, &mask)) {
            unknown_item(*name, errp);
            ok = false;
        }
    }
    g_strfreev(names);
    if (ok) {
        log_mask_bits = mask;
    }
    return ok;
}

FILE *log_open_file(const char *path, Error **errp)
{
    /* Appending, as the messages of a process in the background go there, too. */
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0666);
    FILE *f = fd < 0 ? NULL : fdopen(fd, "w");

    if (!f) {
        error_setg_errno(errp, errno, "cannot open the log file '%s'", path);
        return NULL;
    }
    setvbuf(f, NULL, _IOLBF, 0);
    return f;
}

bool log_set_file(const char *path, Error **errp)
{
    FILE *f = log_open_file(path, errp), *old;

    if (!f) {
        return false;
    }
    g_mutex_lock(&log_lock);
    old = log_stream;
    log_stream = f;
    g_mutex_unlock(&log_lock);
    if (old) {
        fclose(old);
    }
    return true;
}

/* One of "A..B" (inclusive), "A+LENGTH", "A-LENGTH" (the LENGTH bytes that end with A). */
static bool parse_range(const char *text, LogRange *range)
{
    char *dots = strstr(text, "..");
    const char *op = dots ? dots : strpbrk(text, "+-");
    uint64_t a, b;
    char *head;
    bool ok;

    if (!op) {
        return false;
    }
    head = g_strndup(text, (gsize)(op - text));
    ok = parse_u64(head, &a) && parse_u64(op + (dots ? 2 : 1), &b);
    g_free(head);
    if (!ok) {
        return false;
    }
    if (dots) {
        *range = (LogRange) { a, b };
        return a <= b;
    }
    if (b == 0) {
        return false;
    }
    if (*op == '+') {
        *range = (LogRange) { a, a + (b - 1) };
    } else {
        *range = (LogRange) { a - (b - 1), a };
    }
    return range->first <= range->last;
}

bool log_set_filter(const char *ranges, Error **errp)
{
    char **items = g_strsplit(ranges, ",", -1);
    GArray *filter = g_array_new(FALSE, FALSE, sizeof(LogRange));
    LogRange range;

    for (char **item = items; *item; item++) {
        if (!parse_range(*item, &range)) {
            error_setg(errp, "'%s' is not an address range: use A..B, A+LENGTH or A-LENGTH",
                       *item);
            g_array_free(filter, TRUE);
            g_strfreev(items);
            return false;
        }
        g_array_append_val(filter, range);
    }
    g_strfreev(items);
    if (log_filter) {
        g_array_free(log_filter, TRUE);
    }
    log_filter = filter;
    return true;
}

bool log_in_range(uint64_t addr)
{
    if (!log_filter || log_filter->len == 0) {
        return true;
    }
    for (unsigned i = 0; i < log_filter->len; i++) {
        const LogRange *r = &g_array_index(log_filter, LogRange, i);

        if (addr >= r->first && addr <= r->last) {
            return true;
        }
    }
    return false;
}

void log_print_items(FILE *out)
{
    for (unsigned i = 0; i < ARRAY_SIZE(log_items); i++) {
        fprintf(out, "%-12s  %s\n", log_items[i].name, log_items[i].description);
    }
    fprintf(out, "%-12s  %s\n", "trace:NAME", "trace events (-trace help lists them); NAME may have *");
}
