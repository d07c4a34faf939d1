/*
 * rearm-img: copying.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef BLOCK_REARM_IMG_COPY_H
#define BLOCK_REARM_IMG_COPY_H

#include "util/osdep.h"

/* So much is read at once. */
#define IMG_PIECE (2u << 20)

bool img_is_zero(const uint8_t *data, size_t length);

#endif
