/*
 * Message-signalled interrupts.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/core/msi.h"

bool msi_send(MemoryMap *memory, const MsiMessage *message)
{
    return memory_io_write(memory, message->address, sizeof(message->data), message->data);
}
