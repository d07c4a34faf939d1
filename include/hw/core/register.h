/*
 * Register rows: offset, name, where the value is stored, readable and writable bits, reset,
 * hooks, for devices whose registers are 32-bit words. The engine does masks, logging of
 * bad accesses and plain storage; behaviour is in named hooks.
 *
 *     static const RegisterRow pl031_rows[] = {
 *         REG_ROW(0x000, "RTCDR", REG_UNSTORED, .readable = UINT32_MAX, .read = read_dr),
 *         REG_ROW(0x010, "RTCIMSC", REG_FIELD(Pl031State, imsc), .readable = 1, .writable = 1),
 *         REG_ID_ROW(0xfe0, "RTCPeriphID0", 0x31),
 *     };
 *
 * Both masks also apply to what hooks return and get. An unstored row without a read hook
 * reads as its reset value (identification registers); a row with readable == 0 is
 * write-only, with writable == 0 read-only.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_CORE_REGISTER_H
#define HW_CORE_REGISTER_H

#include "hw/core/memory.h"

typedef struct RegisterRow {
    const char *name;       /* the manual's; first, so that a row without REG_ROW() is an error */
    uint16_t offset;
    uint32_t readable;      /* bits that read as stored; others read as zero */
    uint32_t writable;      /* bits a write changes */
    uint32_t reset;
    uint32_t field;         /* REG_FIELD() or REG_UNSTORED */
    uint32_t (*read)(void *dev);               /* instead of the field; may be NULL */
    void (*write)(void *dev, uint32_t value);  /* instead of the field; may be NULL */
    void (*after_write)(void *dev);            /* e.g. update_irq; may be NULL */
    uint32_t (*peek)(void *dev);               /* observer, when read has side effects */
} RegisterRow;

/* Where a row's value is: in `member` of the state struct S, a uint32_t (else an error), ... */
#define REG_FIELD(S, member) \
    (1 + (uint32_t)offsetof(S, member) + 0 * _Generic(((S *)0)->member, uint32_t: 1))
/* ... or nowhere: hooks make it from other state, or it never changes. */
#define REG_UNSTORED 0

/* A row, whose storage cannot be forgotten; what follows it are the other members by name. */
#define REG_ROW(at, label, stored, ...) \
    { .offset = at, .name = label, .field = stored, __VA_ARGS__ }

/* The row of an identification register: a byte that never changes. */
#define REG_ID_ROW(at, label, value) \
    REG_ROW(at, label, REG_UNSTORED, .readable = 0xff, .reset = value)

typedef struct RegisterBank {
    const char *device;          /* for log lines */
    const RegisterRow *rows;     /* ascending offsets */
    unsigned num_rows;
    size_t state_offset;         /* of the state in the device struct */
} RegisterBank;

/*
 * What a guest does at `offset` of the device. dev is the struct that state_offset and the
 * hooks know. An offset without a row, and a row that is not for reading (or writing), is
 * logged as the guest's error; such a read is zero, such a write does nothing.
 */
uint32_t register_read(const RegisterBank *bank, void *dev, hwaddr offset);
void register_write(const RegisterBank *bank, void *dev, hwaddr offset, uint32_t value);
/* For gdb and monitors: no side effects and nothing in the log; zero where nothing is. */
uint32_t register_peek(const RegisterBank *bank, void *dev, hwaddr offset);
/*
 * Assert what the engine relies on: ascending offsets, and a field or a hook wherever a
 * guest may write.
 */
void register_bank_check(const RegisterBank *bank);
/* Set every field to its row's reset value. */
void register_reset(const RegisterBank *bank, void *dev);

#endif
