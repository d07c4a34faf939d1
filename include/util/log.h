/*
 * The -d log: one mask, one stream (stderr or -D FILE), one address filter. The three
 * are globals that are set at start. Lines may be written from any thread.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef UTIL_LOG_H
#define UTIL_LOG_H

#include "util/error.h"

enum {
    LOG_IN_ASM = 1 << 0,       /* guest code of each translated unit */
    LOG_OP = 1 << 1,           /* IR before the passes */
    LOG_OP_OPT = 1 << 2,       /* IR after the passes */
    LOG_OUT_ASM = 1 << 3,      /* host code */
    LOG_INT = 1 << 4,          /* exceptions and interrupts */
    LOG_EXEC = 1 << 5,         /* each unit entered from the execution loop */
    LOG_MMU = 1 << 6,          /* translations and TLB maintenance */
    LOG_GUEST_ERROR = 1 << 7,  /* what the guest must not do */
    LOG_UNIMP = 1 << 8,        /* what the guest may do and Rearm does not */
};

extern unsigned log_mask_bits;

static inline bool log_enabled(unsigned mask)
{
    return UNLIKELY((log_mask_bits & mask) != 0);
}

/* Write one formatted piece when any bit of mask is on. */
void log_mask(unsigned mask, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* The same for a whole line that was asked for otherwise. */
void log_line(const char *line);

/*
 * Set the mask from "-d" items ("int,exec"); "help" is the caller's business.
 * Unknown items fail and name the nearest known one. trace:PATTERN switches trace events on.
 */
bool log_set_items(const char *items, Error **errp);

/* A file for such lines; NULL: it cannot be written. */
FILE *log_open_file(const char *path, Error **errp);
/* Send the log to a file instead of stderr. */
bool log_set_file(const char *path, Error **errp);

/*
 * Restrict address-bound log lines to ranges: "0x1000..0x1fff,0x4000+0x100,
 * 0x9000-0x10". log_in_range() is true when no filter is set.
 */
bool log_set_filter(const char *ranges, Error **errp);
bool log_in_range(uint64_t addr);

/* One "name  description" line an item, for -d help. */
void log_print_items(FILE *out);

#endif
