/*
 * gdb's remote protocol: framing, every command against a machine that stands still,
 * stop replies, and mutated packets. The other side of each interface (chardev,
 * execution loop, CPU) is a fake of gdbstub-machine.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "gdbstub-machine.h"

/* ---- framing ---- */

static GdbInput feed_text(GdbParser *p, const char *text, size_t length)
{
    GdbInput last = GDB_INPUT_NONE;

    for (size_t i = 0; i < length; i++) {
        last = gdb_parser_feed(p, (uint8_t)text[i]);
    }
    return last;
}

static void test_framing(void)
{
    g_autofree char *big = g_strnfill(GDB_MAX_PACKET + 1, 'a');
    g_autofree GdbParser *p = g_new0(GdbParser, 1);
    g_autoptr(GByteArray) frame = g_byte_array_new();

    gdb_parser_init(p);
    g_assert_cmpint(feed_text(p, "$OK#9a", 6), ==, GDB_INPUT_PACKET);
    g_assert_cmpuint(p->length, ==, 2);
    g_assert_cmpstr((char *)p->data, ==, "OK");
    g_assert_cmpint(feed_text(p, "$OK#9b", 6), ==, GDB_INPUT_BAD);
    g_assert_cmpint(feed_text(p, "$OK#9x", 6), ==, GDB_INPUT_BAD);
    g_assert_cmpint(feed_text(p, "$lost$OK#9A", 11), ==, GDB_INPUT_PACKET);
    g_assert_cmpint(feed_text(p, "+", 1), ==, GDB_INPUT_ACK);
    g_assert_cmpint(feed_text(p, "-", 1), ==, GDB_INPUT_NAK);
    g_assert_cmpint(feed_text(p, "\3", 1), ==, GDB_INPUT_INTERRUPT);
    g_assert_cmpint(feed_text(p, "$#00", 4), ==, GDB_INPUT_PACKET);
    g_assert_cmpuint(p->length, ==, 0);

    gdb_packet_frame(frame, "a#$}*b", 6);
    g_assert_cmpuint(frame->len, ==, 1 + 10 + 3);
    g_assert_cmpint(feed_text(p, (char *)frame->data, frame->len), ==, GDB_INPUT_PACKET);
    g_assert_cmpuint(p->length, ==, 6);
    g_assert_cmpmem(p->data, 6, "a#$}*b", 6);

    g_byte_array_set_size(frame, 0);
    gdb_packet_frame(frame, big, GDB_MAX_PACKET);
    g_assert_cmpint(feed_text(p, (char *)frame->data, frame->len), ==, GDB_INPUT_PACKET);
    g_byte_array_set_size(frame, 0);
    gdb_packet_frame(frame, big, GDB_MAX_PACKET + 1);
    g_assert_cmpint(feed_text(p, (char *)frame->data, frame->len), ==, GDB_INPUT_BAD);
    g_assert_cmpint(feed_text(p, "$OK#9a", 6), ==, GDB_INPUT_PACKET);
}

static void test_hex(void)
{
    const char *text = "1f,";
    uint64_t value;
    uint8_t bytes[2];

    g_assert_true(gdb_get_number(&text, &value));
    g_assert_cmphex(value, ==, 0x1f);
    g_assert_cmpstr(text, ==, ",");
    g_assert_false(gdb_get_number(&text, &value));
    text = "ffffffffffffffff";
    g_assert_true(gdb_get_number(&text, &value));
    g_assert_cmphex(value, ==, UINT64_MAX);
    text = "10000000000000000";
    g_assert_false(gdb_get_number(&text, &value));
    g_assert_true(gdb_get_hex("a0B1", bytes, 2));
    g_assert_cmphex(bytes[0], ==, 0xa0);
    g_assert_cmphex(bytes[1], ==, 0xb1);
    g_assert_false(gdb_get_hex("a0b", bytes, 2));
    g_assert_false(gdb_get_hex("a0g0", bytes, 2));
}

/* ---- commands ---- */

static void test_refused(Fixture *f, gconstpointer data)
{
    static const char *const writes[] = {
        "P0=0102030405060708", "G0102030405060708", "M40000010,2:abcd", "X40000010,2:zz",
        "c40000020", "s40000020",
    };

    f->loop.refuses = true;
    for (unsigned i = 0; i < ARRAY_SIZE(writes); i++) {
        expect(f, writes[i], "E.the guest of a replay cannot be changed: "
                             "make it live first (replay_golive)");
    }
    g_assert_cmphex(f->loop.cpu[0].slot[0], ==, 0x1122334455667788);
    g_assert_cmphex(f->loop.cpu[0].pc, ==, MEM_BASE);
    g_assert_cmpuint(f->loop.mem[0x10], ==, 0x10);
    g_assert_cmpuint(f->loop.steps + f->loop.conts, ==, 0);
    /* Looking is allowed, and gdb's question whether it may send binary data. */
    expect(f, "p0", "8877665544332211");
    expect(f, "X40000010,0:", "OK");
}

static void test_registers(Fixture *f, gconstpointer data)
{
    expect(f, "g", "8877665544332211" "0000000000000000" "0000004000000000");
    expect(f, "p0", "8877665544332211");
    expect(f, "p3", "00000000000000000000000000000000");
    expect(f, "p4", "E16");
    expect(f, "p", "E16");
    expect(f, "P0=0102030405060708", "OK");
    g_assert_cmphex(f->loop.cpu[0].slot[0], ==, 0x0807060504030201);
    expect(f, "P0=01", "E16");
    expect(f, "P1=00000000000000ff", "E16");     /* the target refuses */
    expect(f, "P0", "E16");
    expect(f, "Hg2", "OK");
    expect(f, "p2", "0001004000000000");
    expect(f, "Hg3", "E16");
    expect(f, "Hg0", "OK");
    expect(f, "p2", "0001004000000000");
    expect(f, "G" "0100000000000000" "0200000000000000" "0300000000000000", "OK");
    g_assert_cmphex(f->loop.cpu[1].slot[1], ==, 2);
    g_assert_cmphex(f->loop.cpu[1].pc, ==, 3);
    expect(f, "G01", "E16");
}

static void test_memory(Fixture *f, gconstpointer data)
{
    expect(f, "m40000010,4", "10111213");
    expect(f, "m40001ffe,10", "feff");
    expect(f, "m3fffffff,4", "E0e");
    expect(f, "m40000000", "E16");
    expect(f, "m40000000,", "E16");
    expect(f, "m40000000,0", "OK");
    expect(f, "M40000000,2:aabb", "OK");
    g_assert_cmphex(f->loop.mem[1], ==, 0xbb);
    expect(f, "M40000000,2:aa", "E16");
    expect(f, "M40000000,2:aazz", "E16");
    expect(f, "M50000000,1:aa", "E0e");
    request_bytes(f, "X40000004,4:#$}\0", 16);
    g_assert_cmpstr(f->chr.out->str, ==, "+$OK#9a");
    g_assert_cmpmem(f->loop.mem + 4, 4, "#$}\0", 4);
    expect(f, "X40000000,0:", "OK");
    expect(f, "X40000000,5:abc", "E16");
}

/* What memory holds to the end of a page is read, though the next page is missing. */
static void test_memory_hole(Fixture *f, gconstpointer data)
{
    request_bytes(f, "m40001f00,1000", 14);
    g_assert_cmpuint(f->chr.out->len, ==, strlen("+$#00") + 2 * 0x100);
    request_bytes(f, "m40000f00,1200", 14);
    g_assert_cmpuint(f->chr.out->len, ==, strlen("+$#00") + 2 * 0x1100);
    expect(f, "m40002000,10", "E0e");
}

static void test_breakpoints(Fixture *f, gconstpointer data)
{
    expect(f, "Z0,40000010,4", "OK");
    expect(f, "Z0,40000010,4", "OK");
    expect(f, "Z1,40000020,4", "OK");
    g_assert_cmpuint(g_hash_table_size(f->loop.breakpoints), ==, 2);
    expect(f, "z0,40000010,4", "OK");
    g_assert_cmpuint(g_hash_table_size(f->loop.breakpoints), ==, 1);
    expect(f, "z0,40000010,4", "OK");
    expect(f, "Z0,", "E16");
    expect(f, "Z0,40000010", "E16");
    expect(f, "D", "OK");
    g_assert_cmpuint(g_hash_table_size(f->loop.breakpoints), ==, 0);
    g_assert_true(f->loop.running);
}

static void test_run(Fixture *f, gconstpointer data)
{
    expect(f, "?", "T05thread:1;");
    expect(f, "s", "T05thread:1;");
    g_assert_cmphex(f->loop.cpu[0].pc, ==, MEM_BASE + 4);
    expect(f, "s40000080", "T05thread:1;");
    g_assert_cmphex(f->loop.cpu[0].pc, ==, MEM_BASE + 0x84);
    expect(f, "vCont?", "vCont;c;C;s;S");
    expect(f, "vCont;s:2", "T05thread:2;");
    g_assert_true(f->loop.stepped == &f->loop.cpu[1]);
    expect(f, "vCont;s:1;c", "T05thread:1;");
    g_assert_true(f->loop.stepped == &f->loop.cpu[0]);
    expect(f, "vCont;S05:1", "T05thread:1;");
    expect(f, "vCont;x", "E16");
    expect(f, "vCont;", "E16");
    expect(f, "vCont;s:9", "E16");
    expect(f, "sxyz", "E16");

    expect(f, "vCont;c", NULL);
    g_assert_true(f->loop.running);
    g_string_truncate(f->chr.out, 0);
    feed(f, "\3", 1);
    g_assert_cmpstr(f->chr.out->str, ==, "$T02thread:1;#d4");
    g_assert_false(f->loop.running);
    g_string_truncate(f->chr.out, 0);
    feed(f, "\3", 1);                        /* already stopped */
    g_assert_cmpstr(f->chr.out->str, ==, "");
}

static void hit(Fixture *f, ExecStopReason reason, unsigned cpu, const char *reply)
{
    g_autoptr(GByteArray) frame = g_byte_array_new();

    expect(f, "c", NULL);
    g_string_truncate(f->chr.out, 0);
    f->loop.running = false;
    f->loop.listener.stopped(f->loop.listener.opaque, reason, &f->loop.cpu[cpu]);
    while (g_main_context_iteration(NULL, FALSE)) {
    }
    gdb_packet_frame(frame, reply, strlen(reply));
    g_assert_cmpmem(f->chr.out->str, f->chr.out->len, frame->data, frame->len);
}

static void test_backwards(Fixture *f, gconstpointer data)
{
    expect(f, "bs", "E.there is no recording to travel in");
    expect(f, "bc", "E.there is no recording to travel in");
    expect(f, "bx", "");
    f->loop.travels = true;
    expect(f, "qSupported:", "PacketSize=4000;qXfer:features:read+;vContSupported+;"
           "QStartNoAckMode+;swbreak+;multiprocess+;ReverseStep+;ReverseContinue+");
    f->loop.cpu[1].pc = 0x1000;
    expect(f, "Hc2", "OK");
    expect(f, "bs", "T05thread:2;");
    g_assert_cmphex(f->loop.cpu[1].pc, ==, 0xffc);
    expect(f, "bc", "T05thread:1;replaylog:begin;");
}

/* What gdb sends for an access that was met backwards: no watchpoint, a step, the values. */
static void test_watch_backwards(Fixture *f, gconstpointer data)
{
    Vcpu *cpu = &f->loop.cpu[0];

    f->loop.travels = f->loop.watch_behind = true;
    cpu->watch_hit = (WatchHit){ WATCH_WRITES, true, 0x40000012 };
    expect(f, "Z2,40000010,4", "OK");
    expect(f, "bc", "T05thread:1;watch:40000012;");
    expect(f, "z2,40000010,4", "OK");
    expect(f, "bs", "T05thread:1;");
    g_assert_cmphex(cpu->pc, ==, 0x1000);    /* in front of the access */
    expect(f, "bs", "T05thread:1;");
    g_assert_cmphex(cpu->pc, ==, 0xffc);

    /* Who leaves the watchpoint where it is wants to go back. */
    expect(f, "Z2,40000010,4", "OK");
    expect(f, "bc", "T05thread:1;watch:40000012;");
    expect(f, "bs", "T05thread:1;");
    g_assert_cmphex(cpu->pc, ==, 0xffc);
    expect(f, "bc", "T05thread:1;watch:40000012;");
    expect(f, "z2,40000010,4", "OK");
    expect(f, "s", "T05thread:1;");
    g_assert_cmphex(cpu->pc, ==, 0x1004);
    expect(f, "bs", "T05thread:1;");
    g_assert_cmphex(cpu->pc, ==, 0x1000);
}

/* gdb reads what it finds behind a "monitor" that travels. */
static void test_journey(Fixture *f, gconstpointer data)
{
    request_bytes(f, "qRcmd,7365656b", 14);
    g_assert_cmpstr(f->chr.out->str, ==, "+$O3c7365656b3e#55");
    g_string_truncate(f->chr.out, 0);
    f->loop.travelling = false;
    f->loop.listener.stopped(f->loop.listener.opaque, EXEC_STOP_POSITION, &f->loop.cpu[1]);
    while (g_main_context_iteration(NULL, FALSE)) {
    }
    g_assert_cmpstr(f->chr.out->str, ==, "$OK#9a");
    expect(f, "bc", "E.there is no recording to travel in");

    /* Ctrl-C ends the journey. */
    request_bytes(f, "qRcmd,7365656b", 14);
    f->loop.running = true;
    g_string_truncate(f->chr.out, 0);
    feed(f, "\3", 1);
    g_assert_cmpstr(f->chr.out->str, ==, "$OK#9a");
    g_assert_false(f->loop.running);
}

/* gdb believes a connection dead that says nothing for two seconds. */
static void test_patience(Fixture *f, gconstpointer data)
{
    request_bytes(f, "qRcmd,6c61746572", 16);
    g_string_truncate(f->chr.out, 0);
    while (!*f->chr.out->str) {
        g_main_context_iteration(NULL, TRUE);
    }
    g_assert_cmpstr(f->chr.out->str, ==, "$O#4f");
    fake_later.answer(fake_later.opaque, "us");
    /* Then it is silent: nobody waits for console output. */
    g_string_truncate(f->chr.out, 0);
    g_main_context_iteration(NULL, TRUE);
    g_assert_cmpstr(f->chr.out->str, ==, "");
}

/* Ctrl-C between two runs of one command is not lost; one from before gdb's prompt has no effect. */
static void test_interrupt_between(Fixture *f, gconstpointer data)
{
    feed(f, "\3", 1);
    expect(f, "c", "T02thread:1;");
    g_assert_false(f->loop.running);
    feed(f, "\3", 1);
    expect(f, "s", "T05thread:1;");          /* it stops before it can be stopped */
    expect(f, "c", "T02thread:1;");
    feed(f, "\3", 1);
    expect(f, "qfThreadInfo", "m1,2");
    expect(f, "c", NULL);
    g_assert_true(f->loop.running);
}

/* gdb fails when it steps a thread over a breakpoint and hears of another one. */
static void test_interrupted_step(Fixture *f, gconstpointer data)
{
    f->loop.travels = f->loop.keeps_running = true;
    expect(f, "Hc2", "OK");
    expect(f, "bs", NULL);
    g_string_truncate(f->chr.out, 0);
    feed(f, "\3", 1);                        /* while CPU 0 runs */
    g_assert_cmpstr(f->chr.out->str, ==, "$T02thread:2;#d5");
}

/* Nobody would wait for the stop at the end of a journey. */
static void test_lost_on_journey(Fixture *f, gconstpointer data)
{
    unsigned stops;

    request_bytes(f, "qRcmd,7365656b", 14);
    f->loop.running = true;
    stops = f->loop.stops;
    f->chr.client->event(f->chr.opaque, CHAR_EVENT_CLOSED);
    g_assert_cmpuint(f->loop.stops, ==, stops + 1);
    g_assert_true(f->loop.running);
    f->chr.client->event(f->chr.opaque, CHAR_EVENT_OPENED);
}

/* What stops the machine between detaching and the connection's end is not gdb's to undo. */
static void test_stopped_after_detach(Fixture *f, gconstpointer data)
{
    expect(f, "D", "OK");
    g_assert_true(f->loop.running);
    f->loop.running = false;
    f->chr.client->event(f->chr.opaque, CHAR_EVENT_CLOSED);
    g_assert_false(f->loop.running);
    f->chr.client->event(f->chr.opaque, CHAR_EVENT_OPENED);
}

static void test_stops(Fixture *f, gconstpointer data)
{
    hit(f, EXEC_STOP_BREAKPOINT, 1, "T05thread:2;");
    expect(f, "qC", "QC2");
    expect(f, "qSupported:swbreak+;hwbreak+", "PacketSize=4000;qXfer:features:read+;"
           "vContSupported+;QStartNoAckMode+;swbreak+;multiprocess+");
    hit(f, EXEC_STOP_BREAKPOINT, 0, "T05thread:1;swbreak:;");
    hit(f, EXEC_STOP_REPLAY_END, 0, "T05thread:1;replaylog:end;");
    hit(f, EXEC_STOP_SHUTDOWN, 0, "T02thread:1;");
    /* A stop that gdb did not wait for is not told. */
    g_string_truncate(f->chr.out, 0);
    f->loop.listener.stopped(f->loop.listener.opaque, EXEC_STOP_PAUSED, &f->loop.cpu[0]);
    while (g_main_context_iteration(NULL, FALSE)) {
    }
    g_assert_cmpstr(f->chr.out->str, ==, "");
}

static void test_watchpoints(Fixture *f, gconstpointer data)
{
    Vcpu *cpu = &f->loop.cpu[1];

    expect(f, "Z2,40000010,4", "OK");
    expect(f, "Z2,40000010,4", "OK");
    expect(f, "Z3,ffffffc000000010,100", "OK");
    g_assert_cmpstr(f->loop.watches->str, ==, "2:40000010:4 1:ffffffc000000010:100 ");
    expect(f, "Z4,40000010,4", "E.no more than 64 watchpoints: delete one first");
    expect(f, "z2,40000010,4", "OK");
    expect(f, "z2,40000010,4", "OK");
    expect(f, "Z4,40000010,1", "OK");
    g_assert_cmpstr(f->loop.watches->str, ==, "1:ffffffc000000010:100 3:40000010:1 ");
    expect(f, "Z2,40000010,0", "E16");
    expect(f, "Z2,ffffffffffffffff,2", "E16");
    expect(f, "Z5,40000010,1", "E16");
    expect(f, "z2,40000010", "E16");
    cpu->watch_hit = (WatchHit){ WATCH_WRITES, true, 0xffffffc000000012 };
    hit(f, EXEC_STOP_WATCHPOINT, 1, "T05thread:2;watch:ffffffc000000012;");
    cpu->watch_hit.kind = WATCH_READS;
    hit(f, EXEC_STOP_WATCHPOINT, 1, "T05thread:2;rwatch:ffffffc000000012;");
    cpu->watch_hit.kind = WATCH_ACCESSES;
    hit(f, EXEC_STOP_WATCHPOINT, 1, "T05thread:2;awatch:ffffffc000000012;");
    hit(f, EXEC_STOP_BREAKPOINT, 1, "T05thread:2;");
    expect(f, "D", "OK");
    g_assert_cmpstr(f->loop.watches->str, ==, "");
}

static void test_queries(Fixture *f, gconstpointer data)
{
    expect(f, "qAttached", "1");
    expect(f, "qfThreadInfo", "m1,2");
    expect(f, "qsThreadInfo", "l");
    expect(f, "qThreadExtraInfo,2", "4350552331205b72756e6e696e675d");
    expect(f, "T2", "OK");
    expect(f, "T3", "E16");
    expect(f, "qXfer:features:read:target.xml:0,8", "m<target>");
    expect(f, "qXfer:features:read:target.xml:12,100", "l</target>");
    expect(f, "qXfer:features:read:other.xml:0,8", "E00");
    expect(f, "qXfer:features:read:target.xml:fff,8", "E00");
    expect(f, "qXfer:features:read:target.xml", "E00");
    expect(f, "qXfer:memory:read::0,8", "");
    expect(f, "qUnknown", "");
    expect(f, "vMustReplyEmpty", "");
    expect(f, "!", "");
    expect(f, "", "");
    request_bytes(f, "qRcmd,7573", 10);
    g_assert_cmpstr(f->chr.out->str, ==, "+$O3c75733e#53$OK#9a");
    expect(f, "qRcmd,7", "E16");
    expect(f, "vKill;1", "OK");
    g_assert_cmpint(f->loop.requested, ==, SHUTDOWN_CAUSE_HOST_QUIT);
}

/* gdb waits for the answer, and may give up; one that comes too late goes nowhere. */
static void test_late_answer(Fixture *f, gconstpointer data)
{
    request_bytes(f, "qRcmd,6c61746572", 16);
    g_assert_cmpstr(f->chr.out->str, ==, "+$O3c6c617465723e#bc");
    feed(f, "\x03", 1);
    g_assert_cmpuint(fake_interrupts, ==, 1);
    g_string_truncate(f->chr.out, 0);
    fake_later.answer(fake_later.opaque, "us");
    g_assert_cmpstr(f->chr.out->str, ==, "$O7573#25$OK#9a");
    expect(f, "?", "T05thread:1;");
    /* It does not wait any more. */
    request_bytes(f, "qRcmd,6c61746572", 16);
    expect(f, "?", "T05thread:1;");
    g_assert_cmpuint(fake_interrupts, ==, 2);
    request_bytes(f, "qRcmd,6c61746572", 16);
    f->chr.client->event(f->chr.opaque, CHAR_EVENT_CLOSED);
    g_string_truncate(f->chr.out, 0);
    fake_later.answer(fake_later.opaque, "us");
    g_assert_cmpstr(f->chr.out->str, ==, "");
    f->chr.client->event(f->chr.opaque, CHAR_EVENT_OPENED);
}

static void test_qemu_packets(Fixture *f, gconstpointer data)
{
    expect(f, "qqemu.Supported", "sstepbits;sstep;PhyMemMode");
    expect(f, "qqemu.sstepbits", "ENABLE=1");
    expect(f, "qqemu.sstep", "0x1");
    expect(f, "Qqemu.sstep=1", "OK");
    expect(f, "Qqemu.sstep=7", "E16");
    expect(f, "Qqemu.sstep=", "E16");
    expect(f, "Qqemu.sstep=1x", "E16");
    expect(f, "Qqemu.unknown", "");

    expect(f, "qqemu.PhyMemMode", "0");
    expect(f, "m10,2", "E0e");
    expect(f, "Qqemu.PhyMemMode:1", "OK");
    expect(f, "qqemu.PhyMemMode", "1");
    expect(f, "m10,2", "1011");
    expect(f, "M10,2:aabb", "OK");
    g_assert_cmphex(f->loop.mem[0x11], ==, 0xbb);
    expect(f, "X12,1:z", "OK");
    g_assert_cmphex(f->loop.mem[0x12], ==, 'z');
    expect(f, "m40000010,2", "E0e");
    expect(f, "Qqemu.PhyMemMode:2", "E16");
    expect(f, "Qqemu.PhyMemMode:0", "OK");
    expect(f, "m40000010,2", "aabb");
    /* The next gdb starts with virtual addresses. */
    expect(f, "Qqemu.PhyMemMode:1", "OK");
    f->chr.client->event(f->chr.opaque, CHAR_EVENT_CLOSED);
    f->chr.client->event(f->chr.opaque, CHAR_EVENT_OPENED);
    expect(f, "qqemu.PhyMemMode", "0");
}

static void test_multiprocess(Fixture *f, gconstpointer data)
{
    /* Understood in any case, spoken when gdb says that it does. */
    expect(f, "Hgp1.2", "OK");
    expect(f, "qC", "QC2");
    expect(f, "qSupported:multiprocess+", "PacketSize=4000;qXfer:features:read+;"
           "vContSupported+;QStartNoAckMode+;swbreak+;multiprocess+");
    expect(f, "qC", "QCp1.2");
    expect(f, "qfThreadInfo", "mp1.1,p1.2");
    expect(f, "?", "T05thread:p1.1;");
    expect(f, "Tp1.2", "OK");
    expect(f, "Tp1.3", "E16");
    expect(f, "Tp2.1", "E16");
    expect(f, "Tp", "E16");
    expect(f, "Tp1.", "E16");
    expect(f, "Hgp0.0", "OK");
    expect(f, "Hgp-1.-1", "OK");
    expect(f, "qThreadExtraInfo,p1.2", "4350552331205b72756e6e696e675d");
    expect(f, "qAttached:1", "1");
    expect(f, "vCont;s:p1.2", "T05thread:p1.2;");
    expect(f, "vCont;s:p1.1;c:p1.-1", "T05thread:p1.1;");
    expect(f, "vKill;2", "E16");
    expect(f, "D;2", "E16");
    expect(f, "D;1", "OK");
    g_assert_true(f->loop.running);
}

/* Which of several actions is whose. */
static void test_vcont(Fixture *f, gconstpointer data)
{
    expect(f, "Hc2", "OK");
    expect(f, "vCont;s", "T05thread:2;");           /* all; the chosen one counts */
    expect(f, "Hc1", "OK");
    expect(f, "vCont;c:1;s", "T05thread:2;");
    expect(f, "vCont;s:2;s:1", "T05thread:2;");     /* chosen by the stop before */
    expect(f, "vCont;s:1;s:2;c", "T05thread:2;");
    expect(f, "vCont;c:2;s:1", "T05thread:1;");
    expect(f, "vCont;s:1;c:1", "T05thread:1;");     /* the first one is the thread's */
    expect(f, "vCont;c;s:1", NULL);
    g_assert_true(f->loop.running);
    feed(f, "\3", 1);
    expect(f, "vCont;c:1;s:1;c", NULL);
    feed(f, "\3", 1);
    expect(f, "vCont;S05:1;C05:2;", "E16");
    expect(f, "vCont;S:1", "E16");
    expect(f, "vCont;s:1,2", "E16");
}

static void test_acks(Fixture *f, gconstpointer data)
{
    expect(f, "p2", "0000004000000000");
    g_string_truncate(f->chr.out, 0);
    feed(f, "-", 1);
    g_assert_true(g_str_has_prefix(f->chr.out->str, "$0000004000000000#"));
    g_string_truncate(f->chr.out, 0);
    feed(f, "$g#00", 5);
    g_assert_cmpstr(f->chr.out->str, ==, "-");
    expect(f, "QStartNoAckMode", "OK");
    request_bytes(f, "qC", 2);
    g_assert_cmpstr(f->chr.out->str, ==, "$QC1#c5");
    /* The next gdb starts with acknowledgements. */
    f->chr.client->event(f->chr.opaque, CHAR_EVENT_CLOSED);
    g_assert_true(f->loop.running);
    f->chr.client->event(f->chr.opaque, CHAR_EVENT_OPENED);
    g_assert_false(f->loop.running);
    expect(f, "qC", "QC1");
}

/* Mutated packets: nothing may crash, and a good packet works afterwards. */
static void test_fuzz(Fixture *f, gconstpointer data)
{
    static const char *const seeds[] = {
        "g", "p1f", "P0=0102030405060708", "m40000010,40", "M40000000,2:aabb", "X40000000,3:abc",
        "Z0,40000010,4", "z0,40000010,4", "Hg1", "Hc-1", "T2", "vCont;s:1;c", "vCont;C05:2",
        "s40000000", "qSupported:multiprocess+;swbreak+", "qXfer:features:read:target.xml:0,ffb",
        "qThreadExtraInfo,1", "qRcmd,696e666f", "qfThreadInfo", "Hgp1.1", "vCont;s:p1.1;c:p1.-1",
        "D;1", "qqemu.sstepbits", "Qqemu.sstep=1", "Qqemu.PhyMemMode:1", "qqemu.PhyMemMode", "?", "D", "vKill;1", "c", "k",
    };
    GRand *r = g_rand_new_with_seed(20240229);

    for (unsigned i = 0; i < 200000; i++) {
        uint8_t packet[128];
        size_t length = g_strlcpy((char *)packet, seeds[i % ARRAY_SIZE(seeds)], sizeof(packet));

        for (int edits = g_rand_int_range(r, 0, 4); edits > 0; edits--) {
            size_t at = (size_t)g_rand_int_range(r, 0, (gint32)length + 1);

            switch (g_rand_int_range(r, 0, 3)) {
            case 0:
                packet[at] = (uint8_t)g_rand_int(r);
                length = MAX(length, at + 1);
                break;
            case 1:
                length = at;
                break;
            default:
                packet[at] = (uint8_t)"0123456789abcdef,;:=-#$}"[g_rand_int_range(r, 0, 24)];
                length = MAX(length, at + 1);
                break;
            }
        }
        request_bytes(f, packet, length);
        if (i % 7 == 0) {
            feed(f, packet, length);         /* unframed */
        }
        feed(f, "\3", 1);
    }
    g_rand_free(r);
    feed(f, "#00\3", 4);
    f->chr.client->event(f->chr.opaque, CHAR_EVENT_CLOSED);
    f->chr.client->event(f->chr.opaque, CHAR_EVENT_OPENED);
    expect(f, "qAttached", "1");
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/gdbstub/framing", test_framing);
    g_test_add_func("/gdbstub/hex", test_hex);
#define ADD(path, fn) g_test_add("/gdbstub/" path, Fixture, NULL, setup, fn, teardown)
    ADD("refused", test_refused);
    ADD("registers", test_registers);
    ADD("memory", test_memory);
    ADD("memory-hole", test_memory_hole);
    ADD("breakpoints", test_breakpoints);
    ADD("run", test_run);
    ADD("backwards", test_backwards);
    ADD("watch-backwards", test_watch_backwards);
    ADD("journey", test_journey);
    ADD("patience", test_patience);
    ADD("interrupt-between", test_interrupt_between);
    ADD("interrupted-step", test_interrupted_step);
    ADD("lost-on-journey", test_lost_on_journey);
    ADD("stopped-after-detach", test_stopped_after_detach);
    ADD("stops", test_stops);
    ADD("watchpoints", test_watchpoints);
    ADD("queries", test_queries);
    ADD("late-answer", test_late_answer);
    ADD("qemu-packets", test_qemu_packets);
    ADD("multiprocess", test_multiprocess);
    ADD("vcont", test_vcont);
    ADD("acks", test_acks);
    ADD("fuzz", test_fuzz);
    return g_test_run();
}
