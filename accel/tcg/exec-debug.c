/*
 * The execution loop: what a debugger's user writes to the guest.
 *
 * 1. A write is input like any other: it has a record (kind MONITOR), which is in the log
 *    before the guest sees it and is delivered again at its position on replay.
 * 2. A write happens in a closure on a settled boundary (exec-loop.c): due timers and
 *    input come first, on replay as in the recording.
 * 3. Whether a well-formed write succeeds follows from the guest's state, so one that
 *    failed fails on replay, too.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "accel/tcg/exec-loop-internal.h"
#include "accel/tcg/gdb-target.h"

/* The payload's first byte; numbers are the log's. */
enum WriteKind {
    WRITE_REGISTER = 1,   /* varint cpu, varint register in gdb's numbering, value */
    WRITE_MEMORY = 2,     /* varint cpu, le64 virtual address, bytes */
    WRITE_PHYSICAL = 3,   /* le64 physical address, bytes */
    WRITE_PLUG = 4,       /* a device's text, as -device has it */
    WRITE_UNPLUG = 5,     /* a device's id */
};

static Vcpu *get_cpu(ExecLoop *l, ByteReader *in)
{
    uint64_t index = bytes_get_varint(in);

    return !in->failed && index < l->machine->num_cpus ? l->machine->cpus[index] : NULL;
}

static bool deliver_register(ExecLoop *l, ByteReader *in)
{
    Vcpu *cpu = get_cpu(l, in);
    uint64_t reg = bytes_get_varint(in);
    const GdbTarget *t = cpu ? cpu->ops->gdb : NULL;

    if (!t || in->failed || reg >= t->num_regs() || byte_reader_left(in) != t->size(reg)) {
        return false;
    }
    /* It may be the PC: what stops execution there has not been met yet. */
    cpu->skip_breakpoint = cpu->skip_watch = false;
    l->written = t->write(cpu, (unsigned)reg, bytes_get_data(in, t->size(reg)));
    return true;
}

static bool deliver_memory(ExecLoop *l, ByteReader *in)
{
    Vcpu *cpu = get_cpu(l, in);
    uint64_t addr = bytes_get_le64(in);
    size_t length = byte_reader_left(in);

    if (!cpu || in->failed || length == 0) {
        return false;
    }
    l->written = vcpu_poke(cpu, addr, bytes_get_data(in, length), length);
    return true;
}

static bool deliver_physical(ExecLoop *l, ByteReader *in)
{
    uint64_t addr = bytes_get_le64(in);
    size_t length = byte_reader_left(in);

    if (in->failed || length == 0) {
        return false;
    }
    l->written = memory_write(l->machine->memory, addr, bytes_get_data(in, length), length);
    return true;
}

static bool deliver(ExecLoop *l, ByteReader *in)
{
    switch (bytes_get_u8(in)) {
    case WRITE_REGISTER:
        return deliver_register(l, in);
    case WRITE_MEMORY:
        return deliver_memory(l, in);
    case WRITE_PHYSICAL:
        return deliver_physical(l, in);
    case WRITE_PLUG:
        return loop_deliver_plug(l, in);
    case WRITE_UNPLUG:
        return loop_deliver_unplug(l, in);
    default:
        return false;
    }
}

bool loop_deliver_write(void *opaque, const uint8_t *payload, size_t length)
{
    ExecLoop *l = opaque;
    ByteReader in;
    bool ok;

    l->written = false;
    byte_reader_init(&in, payload, length);
    l->debugger_writes = true;
    ok = deliver(l, &in);
    l->debugger_writes = false;
    return ok;
}

/* Takes the payload. */
static ExecWrite do_write(ExecLoop *l, GByteArray *payload, const void *data, size_t length)
{
    bool done;

    assert(length <= EXEC_MAX_WRITE);
    bytes_put_data(payload, data, length);
    done = replay_act(l->write_source, payload->data, payload->len);
    g_byte_array_unref(payload);
    return !done ? EXEC_WRITE_REFUSED : l->written ? EXEC_WRITE_DONE : EXEC_WRITE_FAILED;
}

ExecWrite loop_write_plug(ExecLoop *l, bool plug, const char *text)
{
    GByteArray *payload = g_byte_array_new();

    bytes_put_u8(payload, plug ? WRITE_PLUG : WRITE_UNPLUG);
    return do_write(l, payload, text, strlen(text));
}

ExecWrite exec_loop_write_register(ExecLoop *l, Vcpu *cpu, unsigned reg, const uint8_t *data)
{
    GByteArray *payload = g_byte_array_new();

    bytes_put_u8(payload, WRITE_REGISTER);
    bytes_put_varint(payload, cpu->index);
    bytes_put_varint(payload, reg);
    return do_write(l, payload, data, cpu->ops->gdb->size(reg));
}

ExecWrite exec_loop_write_memory(ExecLoop *l, Vcpu *cpu, uint64_t vaddr, const void *data,
                                 size_t length)
{
    GByteArray *payload = g_byte_array_new();

    bytes_put_u8(payload, WRITE_MEMORY);
    bytes_put_varint(payload, cpu->index);
    bytes_put_le64(payload, vaddr);
    return do_write(l, payload, data, length);
}

ExecWrite exec_loop_write_physical(ExecLoop *l, hwaddr addr, const void *data, size_t length)
{
    GByteArray *payload = g_byte_array_new();

    bytes_put_u8(payload, WRITE_PHYSICAL);
    bytes_put_le64(payload, addr);
    return do_write(l, payload, data, length);
}
