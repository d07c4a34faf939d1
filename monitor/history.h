/*
 * Who wrote to memory: the commands of both monitors, whose answers come later.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef MONITOR_HISTORY_H
#define MONITOR_HISTORY_H

#include "accel/tcg/exec-history.h"
#include "monitor/commands.h"

MonitorFn monitor_replay_last_write, monitor_replay_next_write, monitor_replay_history;

#endif
