/*
 * Errors of configuration and I/O. A function that can fail returns bool
 * (true: success) or a pointer (NULL: failure) and takes `Error **errp` last.
 * On failure it sets *errp once, when errp is not NULL. The message names the
 * thing, the value and the way out, starts in lower case and has no full stop.
 * Only system/ and the programs' main() print errors and exit; warnings of what goes on
 * all the same may come from anywhere.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef UTIL_ERROR_H
#define UTIL_ERROR_H

#include "util/osdep.h"

typedef struct Error Error;

/* Set *errp to a new error; *errp must be NULL before. errp may be NULL. */
void error_setg(Error **errp, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* As error_setg, with ": " and strerror(os_errno) behind the message. */
void error_setg_errno(Error **errp, int os_errno, const char *fmt, ...)
    PRINTF_LIKE(3, 4);

/*
 * What kind of error it is, for clients of QMP: they act on the class, people read the
 * message. Errors are of the class GENERIC unless error_set_class() says otherwise, right
 * after the error was set; errp and *errp may be NULL.
 */
typedef enum ErrorClass {
    ERROR_CLASS_GENERIC,
    ERROR_CLASS_COMMAND_NOT_FOUND,
    ERROR_CLASS_DEVICE_NOT_ACTIVE,
    ERROR_CLASS_DEVICE_NOT_FOUND,
} ErrorClass;

void error_set_class(Error **errp, ErrorClass class_);
ErrorClass error_get_class(const Error *err);

/* Put text before an error's message. No-op when errp or *errp is NULL. */
void error_prepend(Error **errp, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* Hand err over to *errp (freed when errp is NULL). err may be NULL. */
void error_propagate(Error **errp, Error *err);

/* The message; owned by err. */
const char *error_get_pretty(const Error *err);

void error_free(Error *err);

/*
 * What else stands in front of each message that is printed: the host's time (UTC), and a guest's
 * name (copied; NULL: none). Set at start.
 */
void error_set_prefix(bool timestamp, const char *guest);

/* Print "rearm: MESSAGE\n" to stderr. */
void error_report(const char *fmt, ...) PRINTF_LIKE(1, 2);
void warn_report(const char *fmt, ...) PRINTF_LIKE(1, 2);

/* Print and free. */
void error_report_err(Error *err);

#endif
