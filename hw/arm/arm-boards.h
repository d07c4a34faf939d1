/*
 * The boards of hw/arm/, for the table in boards.c.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_ARM_ARM_BOARDS_H
#define HW_ARM_ARM_BOARDS_H

#include "hw/core/board.h"

extern const BoardType none_board;
extern const BoardType virt_board;

#endif
