/*
 * Register rows.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/core/register.h"
#include "util/log.h"
#include "util/trace.h"

static const RegisterRow *find_row(const RegisterBank *bank, hwaddr offset)
{
    unsigned low = 0, high = bank->num_rows;

    while (low < high) {
        unsigned mid = (low + high) / 2;

        if (bank->rows[mid].offset == offset) {
            return &bank->rows[mid];
        }
        if (bank->rows[mid].offset < offset) {
            low = mid + 1;
        } else {
            high = mid;
        }
    }
    return NULL;
}

static uint32_t *row_field(const RegisterBank *bank, void *dev, const RegisterRow *row)
{
    return (uint32_t *)((char *)dev + bank->state_offset + row->field - 1);
}

static uint32_t read_row(const RegisterBank *bank, void *dev, const RegisterRow *row,
                         uint32_t (*hook)(void *dev))
{
    uint32_t value;

    if (hook) {
        value = hook(dev);
    } else if (!row->field) {
        value = row->reset;
    } else {
        value = *row_field(bank, dev, row);
    }
    return value & row->readable;
}

uint32_t register_read(const RegisterBank *bank, void *dev, hwaddr offset)
{
    const RegisterRow *row = find_row(bank, offset);
    uint32_t value;

    if (!row) {
        log_mask(LOG_GUEST_ERROR, "%s: read of bad offset 0x%" PRIx64 "\n", bank->device, offset);
        return 0;
    }
    if (!row->readable) {
        log_mask(LOG_GUEST_ERROR, "%s: read of write-only register %s\n", bank->device,
                 row->name);
        return 0;
    }
    value = read_row(bank, dev, row, row->read);
    trace_register_read(bank->device, row->name, value);
    return value;
}

uint32_t register_peek(const RegisterBank *bank, void *dev, hwaddr offset)
{
    const RegisterRow *row = find_row(bank, offset);

    return row ? read_row(bank, dev, row, row->peek ? row->peek : row->read) : 0;
}

void register_write(const RegisterBank *bank, void *dev, hwaddr offset, uint32_t value)
{
    const RegisterRow *row = find_row(bank, offset);

    if (!row) {
        log_mask(LOG_GUEST_ERROR, "%s: write of 0x%" PRIx32 " to bad offset 0x%" PRIx64 "\n",
                 bank->device, value, offset);
        return;
    }
    if (!row->writable) {
        log_mask(LOG_GUEST_ERROR, "%s: write of 0x%" PRIx32 " to read-only register %s\n",
                 bank->device, value, row->name);
        return;
    }
    trace_register_write(bank->device, row->name, value);
    if (row->write) {
        row->write(dev, value & row->writable);
    } else if (row->field) {
        uint32_t *field = row_field(bank, dev, row);

        *field = (*field & ~row->writable) | (value & row->writable);
    }
    if (row->after_write) {
        row->after_write(dev);
    }
}

void register_bank_check(const RegisterBank *bank)
{
    for (unsigned i = 0; i < bank->num_rows; i++) {
        const RegisterRow *row = &bank->rows[i];

        assert(i == 0 || bank->rows[i - 1].offset < row->offset);
        assert(!row->writable || row->field || row->write);
    }
}

void register_reset(const RegisterBank *bank, void *dev)
{
    for (unsigned i = 0; i < bank->num_rows; i++) {
        const RegisterRow *row = &bank->rows[i];

        if (row->field) {
            *row_field(bank, dev, row) = row->reset;
        }
    }
}
