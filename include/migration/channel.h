/*
 * Where a machine's state goes to, or comes from, in one piece:
 *
 *     file:PATH[,offset=N]   a file; what is in front of the offset stays
 *     fd:N                   a descriptor that was inherited
 *     exec:COMMAND           the standard input, or output, of a command of the shell
 *     unix:PATH              a Unix socket, and
 *     tcp:HOST:PORT          a TCP one: who sends connects, who receives listens
 *
 * A channel is opened by one thread and used by one thread, which may be another. Whoever waits for the
 * other side is woken up by migration_channel_cancel().
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef MIGRATION_CHANNEL_H
#define MIGRATION_CHANNEL_H

#include "util/error.h"

typedef struct MigrationChannel MigrationChannel;

/* Does not wait for the other side. NULL on failure. spawn false: exec: is refused. */
MigrationChannel *migration_channel_open(const char *uri, bool incoming, bool spawn, Error **errp);
/* On a descriptor, which is the channel's from then on. */
MigrationChannel *migration_channel_new(const char *uri, int fd);
/* A command finds the end of its pipe; if it was cancelled, it is ended by SIGTERM. */
void migration_channel_free(MigrationChannel *c);

const char *migration_channel_uri(const MigrationChannel *c);

/* Wait for the other side, once, before the first byte. */
bool migration_channel_connect(MigrationChannel *c, Error **errp);
/* All of it. */
bool migration_channel_read(MigrationChannel *c, void *data, size_t length, Error **errp);
bool migration_channel_write(MigrationChannel *c, const void *data, size_t length, Error **errp);
/* Wait so many microseconds. */
bool migration_channel_pause(MigrationChannel *c, int64_t us, Error **errp);
/* There will be no more: it is on its way, and a command has ended well. */
bool migration_channel_finish(MigrationChannel *c, Error **errp);

/* Any thread: whatever waits, or will, fails. */
void migration_channel_cancel(MigrationChannel *c);

#endif
