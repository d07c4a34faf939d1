/*
 * The human monitor: line editing, expressions, formats, and the commands against a
 * machine that is not run by an execution loop.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include <glib/gstdio.h>
#include "monitor-machine.h"
#include "monitor/commands.h"
#include "monitor/expr.h"
#include "monitor/memdump.h"
#include "monitor/readline.h"

static void expect(MonitorEnv *env, const char *line, const char *output)
{
    g_autoptr(GString) out = g_string_new("");

    monitor_run(env, line, out, NULL);
    g_assert_cmpstr(out->str, ==, output);
}

static void expect_contains(MonitorEnv *env, const char *line, const char *part)
{
    g_autoptr(GString) out = g_string_new("");

    monitor_run(env, line, out, NULL);
    if (!strstr(out->str, part)) {
        g_error("'%s' printed '%s' without '%s'", line, out->str, part);
    }
}

/* ---- expressions and formats ---- */

static bool two_registers(void *opaque, const char *name, uint64_t *value)
{
    *value = 7;
    return !strcmp(name, "x0");
}

static void test_expr(void)
{
    static const struct {
        const char *text;
        uint64_t value;
    } good[] = {
        { "1", 1 }, { " 0x10 ", 16 }, { "010", 8 }, { "2+3*4", 14 }, { "(2+3)*4", 20 },
        { "10-3-2", 5 }, { "1<<4|1", 17 }, { "~0", UINT64_MAX }, { "-1", UINT64_MAX },
        { "$x0+1", 8 }, { "'A'", 65 }, { "7%4/3", 1 }, { "6&3^1", 3 }, { "1<<64", 0 },
        { "0xffffffffffffffff>>63", 1 }, { "- - 2", 2 },
    };
    static const struct {
        const char *text, *message;
    } wrong[] = {
        { "", "expected a number at the end" }, { "1+", "expected a number at the end" },
        { "foo", "expected a number at 'foo'" }, { "1 2", "'2' makes no sense behind an expression" },
        { "(1", "')' is missing" }, { "1/0", "division by zero" }, { "5%(1-1)", "division by zero" },
        { "$x9", "unknown register '$x9'" }, { "0x1ffffffffffffffff",
          "'0x1ffffffffffffffff' is not a 64-bit number" },
        { "12ab", "'12ab' is not a 64-bit number" }, { "1)", "')' makes no sense behind an expression" },
    };
    g_autofree char *deep = g_strnfill(100000, '(');
    Error *err = NULL;
    uint64_t value;

    for (unsigned i = 0; i < ARRAY_SIZE(good); i++) {
        g_assert_true(expr_eval(good[i].text, two_registers, NULL, &value, NULL));
        g_assert_cmphex(value, ==, good[i].value);
    }
    for (unsigned i = 0; i < ARRAY_SIZE(wrong); i++) {
        err = NULL;
        g_assert_false(expr_eval(wrong[i].text, two_registers, NULL, &value, &err));
        g_assert_cmpstr(error_get_pretty(err), ==, wrong[i].message);
        error_free(err);
    }
    err = NULL;
    g_assert_false(expr_eval(deep, NULL, NULL, &value, &err));
    g_assert_cmpstr(error_get_pretty(err), ==, "the expression is nested too deeply");
    error_free(err);
}

static void check_format(const char *format, uint64_t value, const char *text)
{
    MemFormat f = { 1, 'x', 4 };
    g_autoptr(GString) out = g_string_new("");

    g_assert_true(memformat_parse(format, &f, NULL));
    memformat_value(&f, value, out);
    g_assert_cmpstr(out->str, ==, text);
}

static void test_formats(void)
{
    MemFormat f = { 1, 'x', 4 };
    Error *err = NULL;

    check_format("", 0x1234, "0x00001234");
    check_format("xg", 0x1234, "0x0000000000001234");
    check_format("db", 0xff, "-1");
    check_format("ub", 0xff, "255");
    check_format("oh", 0xffff, "0177777");
    check_format("c", 'z', "'z'");
    check_format("c", '\n', "'\\n'");
    check_format("c", 0x80, "'\\x80'");
    g_assert_true(memformat_parse("12gx", &f, NULL));
    g_assert_cmpuint(f.count, ==, 12);
    g_assert_cmpuint(f.size, ==, 8);
    g_assert_true(memformat_parse("3i", &f, NULL));
    g_assert_cmpuint(f.size, ==, 4);
    g_assert_false(memformat_parse("4q", &f, &err));
    g_assert_cmpstr(error_get_pretty(err), ==, "'/4q': unknown format letter 'q'; formats are "
                    "x d u o c i, sizes b h w g");
    error_free(err);
    err = NULL;
    g_assert_false(memformat_parse("99999999999999999999b", &f, &err));
    g_assert_cmpstr(error_get_pretty(err), ==, "'/99999999999999999999b' is too much: at most "
                    "65536 bytes");
    error_free(err);
}

/* ---- commands ---- */

static void test_commands(void)
{
    MonitorEnv env;
    ExecLoop *l = loop_new(&env);

    expect(&env, "   ", "");
    expect(&env, "contt", "Error: unknown command 'contt'; did you mean 'cont'?\n");
    expect(&env, "fnord", "Error: unknown command 'fnord'; try 'help'\n");
    expect(&env, "info statsu", "Error: unknown subject of info 'statsu'; did you mean "
           "'status'?\n");
    expect(&env, "stop/3", "Error: 'stop' takes no format\n");
    expect(&env, "stop now", "Error: unexpected argument 'now'\n");
    expect(&env, "info status", "VM status: running\n");
    expect(&env, "stop", "");
    g_assert_false(l->running);
    expect(&env, "info status", "VM status: paused\n");
    expect(&env, "c", "");
    g_assert_true(l->running);
    expect(&env, "system_reset", "");
    g_assert_cmpint(l->requested, ==, SHUTDOWN_CAUSE_HOST_RESET);
    expect(&env, "system_powerdown", "");
    g_assert_cmpint(l->requested, ==, SHUTDOWN_CAUSE_HOST_POWERDOWN);
    l->refuses = true;
    expect(&env, "system_reset", "Error: this has no effect in a replay, where only what was "
           "recorded happens: 'replay_golive [FILE]' makes the machine live from here on\n");
    expect(&env, "system_powerdown", "Error: this has no effect in a replay, where only what "
           "was recorded happens: 'replay_golive [FILE]' makes the machine live from here on\n");
    l->refuses = false;
    expect(&env, "q", "");
    g_assert_cmpint(l->requested, ==, SHUTDOWN_CAUSE_HOST_QUIT);
    expect(&env, "gdbserver", "Error: gdb cannot be served here\n");
    loop_free(l);
}

/* ---- arguments ---- */

static bool length_of(void *opaque, const char *text, uint64_t *out, Error **errp)
{
    *out = strlen(text);
    if (*text == '!') {
        error_setg(errp, "no expression");
    }
    return *text != '!';
}

#define SPEC "[-a] [-b] /FMT WORD N:uint [E:expr [on|off [R:rest]]]"

/* Each argument that was given, in the order of the spec. */
static void check_args(const char *spec, const char *line, const char *given)
{
    g_autoptr(GString) out = g_string_new("");
    g_auto(HmpArgs) args = { .num = 0 };

    if (!hmp_args_parse(&args, spec, "u", line, length_of, NULL, NULL)) {
        g_error("'%s' is no '%s'", line, spec);
    }
    for (unsigned i = 0; i < args.num; i++) {
        const HmpArg *a = &args.arg[i];

        if (hmp_given(&args, a->name)) {
            g_string_append_printf(out, "%s=%s", a->name, hmp_text(&args, a->name));
            if (a->type == HMP_UINT || a->type == HMP_EXPR) {
                g_string_append_printf(out, "(%u)", (unsigned)hmp_number(&args, a->name));
            }
            g_string_append_c(out, ' ');
        }
    }
    g_assert_cmpstr(out->str, ==, given);
}

static void check_wrong_args(const char *spec, const char *line, const char *message)
{
    g_auto(HmpArgs) args = { .num = 0 };
    Error *err = NULL;

    g_assert_false(hmp_args_parse(&args, spec, "u", line, length_of, NULL, &err));
    g_assert_cmpstr(error_get_pretty(err), ==, message);
    error_free(err);
}

static void test_args(void)
{
    g_autoptr(GString) usage = g_string_new("");

    check_args("", "", "");
    check_args(SPEC, "w 5", "WORD=w N=5(5) ");
    check_args(SPEC, "-b  -a /4x w\t0x10 ab on to the  end ",
               "-a= -b= /FMT=4x WORD=w N=0x10(16) E=ab(2) on|off=on R=to the  end  ");
    check_args(SPEC, "\"a b\\\"c\" 5 abc off", "WORD=a b\"c N=5(5) E=abc(3) on|off=off ");
    check_args(SPEC, "-c 5", "WORD=-c N=5(5) ");
    check_args("A:expr", "1 + 2", "A=1 + 2(5) ");
    check_args("[A:rest]", "-a \"x", "A=-a \"x ");
    check_args("/p A", "/p x", "/p=p A=x ");
    check_args("A[,B]", "1,2", "A[,B]=1,2 ");
    check_wrong_args("", "x y", "unexpected argument 'x y'");
    check_wrong_args("A", "", "A is missing: u");
    check_wrong_args(SPEC, "w", "N is missing: u");
    check_wrong_args(SPEC, "w x", "'x' is no number; expected N");
    check_wrong_args(SPEC, "w 1 !", "no expression");
    check_wrong_args(SPEC, "w 1 e maybe", "'maybe': expected on|off");
    check_wrong_args("[-a] [-b]", "-c", "unexpected argument '-c'; known are -a, -b");
    check_wrong_args("A", "\"x", "\"x: the quotes do not end");
    check_wrong_args("A", "\"x\" y", "unexpected argument 'y'");
    check_wrong_args("/p A", "/q x", "'/q': only /p can stand there");
    hmp_args_usage(SPEC, usage);
    g_assert_cmpstr(usage->str, ==, "[-a] [-b] /FMT WORD N [E [on|off [R]]]");
}

/* Every row of both tables has a spec that can be read, and help. */
static void test_tables(void)
{
    const MonitorCommand *const tables[] = { monitor_commands, monitor_info_commands };

    for (unsigned t = 0; t < ARRAY_SIZE(tables); t++) {
        for (const MonitorCommand *row = tables[t]; row->name || row->group; row++) {
            g_auto(HmpArgs) args = { .num = 0 };

            if (row->name) {
                hmp_args_parse(&args, row->args, "", "", length_of, NULL, NULL);
                g_assert_true(*row->help && row->run);
            }
        }
    }
}

static void test_more(void)
{
    MonitorEnv env;
    ExecLoop *l = loop_new(&env);

    env.chardevs = chardev_set_new(NULL);
    expect(&env, "gva2gpa 0x1004", "gpa: 0x1004\n");
    expect(&env, "gva2gpa $pc+0x1000", "Unmapped\n");
    expect_contains(&env, "gpa2hva 0x1000", "Host virtual address for 0x1000 (virt.ram) is 0x");
    expect(&env, "gpa2hva 0x4000", "Error: No memory is mapped at address 0x4000\n");
    /* As sum(1) has it for the bytes 0, 1, 2, 3. */
    expect(&env, "sum 0x1000 4", "16388\n");
    expect(&env, "sum 0x1000 0", "00000\n");
    expect(&env, "sum 0x1ff0 0x20", "Error: Cannot access memory at physical address 0x2000\n");
    expect(&env, "i/x 0x60", "Error: Arm has no I/O ports: device registers are memory, which 'xp' "
           "shows, and gdb writes\n");
    expect_contains(&env, "o/b 0x60 1", "Arm has no I/O ports");
    expect(&env, "one-insn-per-tb", "");
    g_assert_cmpstr(fake_asked, ==, "one insn 1");
    expect(&env, "one-insn-per-tb off", "");
    g_assert_cmpstr(fake_asked, ==, "one insn 0");
    expect(&env, "one-insn-per-tb maybe", "Error: 'maybe': expected on|off\n");
    expect(&env, "chardev-add ringbuf,id=r,size=16", "");
    expect(&env, "ringbuf_write r some text", "");
    expect(&env, "ringbuf_read r 4", "some\n");
    expect(&env, "ringbuf_read s 4", "Error: Device 's' not found\n");
    expect(&env, "chardev-send-break r", "");
    expect(&env, "chardev-remove r", "");
    expect(&env, "chardev-remove r", "Error: Chardev 'r' not found\n");
    expect(&env, "object_add rng-builtin,id=dice", "");
    expect(&env, "object_add rng-bulitin,id=x", "Error: there is no object type 'rng-bulitin'; did "
           "you mean 'rng-builtin'?\n");
    expect(&env, "qom-list /objects", "type (str)\ndice (child<rng-builtin>)\n");
    expect(&env, "qom-get /objects/dice type", "\"rng-builtin\"\n");
    expect(&env, "qom-set /objects/dice type x", "Error: Property 'rng-builtin.type' is not "
           "writable\n");
    expect(&env, "info qom-tree /objects", "/objects (container)\n  /dice (rng-builtin)\n");
    expect(&env, "object_del dice", "");
    expect(&env, "object_del dice", "Error: object 'dice' not found\n");
    expect(&env, "balloon 5", "Error: No balloon device has been activated\n");
    expect(&env, "info balloon", "Error: No balloon device has been activated\n");
    expect_contains(&env, "nmi", "not currently supported");
    expect(&env, "info irq", "Error: this machine has no interrupt controller\n");
    expect(&env, "info mem", "addresses are not translated (the MMU is off)\n");
    expect(&env, "info ramblock", "Block Name               PSize          Address             Size\n"
           "virt.ram                 4 KiB 0000000000001000 0000000000001000\n");
    expect(&env, "info memory_size_summary", "base memory: 4096\nplugged memory: 0\n");
    expect(&env, "info numa", "0 nodes\n");
    expect(&env, "info dump", "Status: none\n");
    expect(&env, "info migrate", "There was no migration.\n");
    expect(&env, "info history", "Error: nobody types here, so there is no history\n");
    expect_contains(&env, "help", "cont|c -- let the machine go on\n");
    expect_contains(&env, "help", "\n\nMemory and registers:\ncpu N -- choose");
    expect_contains(&env, "help info", "info mtree [-f] -- the physical");
    chardev_set_free(env.chardevs);
    loop_free(l);
}

static void test_info(void)
{
    MonitorEnv env;
    ExecLoop *l = loop_new(&env);

    expect(&env, "info version", "9.9\n");
    expect(&env, "info name", "box\n");
    expect(&env, "info registers", "PC=1000\n");
    expect(&env, "info registers -a", "CPU#0\nPC=1000\n\nCPU#1\nPC=1010\n");
    expect(&env, "info cpus", "* CPU #0: pc=0x0000000000001000\n"
           "  CPU #1: pc=0x0000000000001010\n");
    expect(&env, "cpu 2", "Error: '2' is no CPU; expected 0..1\n");
    expect(&env, "log", "Error: ITEM[,ITEM...] is missing: log ITEM[,ITEM...]\n");
    expect(&env, "log none", "");
    l->cpu[1].halted = 1;
    expect(&env, "cpu 1", "");
    expect(&env, "info registers", "PC=1010\n");
    expect(&env, "info cpus", "  CPU #0: pc=0x0000000000001000\n"
           "* CPU #1: pc=0x0000000000001010 (halted)\n");
    expect(&env, "info mtree", "memory\n  0000000000001000-0000000000001fff (prio 0, ram): "
           "virt.ram\n");
    expect(&env, "info jit", "units 3\n");
    expect(&env, "info replay", "mode none\ninstructions: 0, position: 0, virtual time: "
           "0.000000000 s\n");
    expect_contains(&env, "info", "info registers [-a] -- registers of");
    expect_contains(&env, "help", "cont|c -- let the machine go on");
    expect(&env, "help quit", "quit|q -- end the emulator\n");
    loop_free(l);
}

/* A register that each CPU has of its own. */
static uint64_t bar_read(void *opaque, hwaddr offset, unsigned size)
{
    return 0x100 + ((const Machine *)opaque)->current_cpu;
}

static void bar_write(void *opaque, hwaddr offset, uint64_t value, unsigned size)
{
}

static void test_mtree(void)
{
    static const MmioOps ops = { .read = bar_read, .write = bar_write, .peek = bar_read,
                                 .min_size = 4, .max_size = 4 };
    MonitorEnv env;
    ExecLoop *l = loop_new(&env);
    MemoryMap *map = l->machine.memory;
    MemRegion *bar = memory_new_mmio(map, "bar0", 0x200, &ops, &l->machine);

    memory_set_priority(map, bar, 2);
    memory_move(map, bar, 0x1100);
    expect(&env, "info mtree", "memory\n"
           "  0000000000001000-0000000000001fff (prio 0, ram): virt.ram\n"
           "  0000000000001100-00000000000012ff (prio 2, i/o): bar0 [disabled]\n");
    expect(&env, "info mtree -f", "flat view\n"
           "  0000000000001000-0000000000001fff (prio 0, ram): virt.ram\n");
    memory_set_enabled(map, bar, true);
    expect(&env, "info mtree -f", "flat view\n"
           "  0000000000001000-00000000000010ff (prio 0, ram): virt.ram\n"
           "  0000000000001100-00000000000012ff (prio 2, i/o): bar0\n"
           "  0000000000001300-0000000000001fff (prio 0, ram): virt.ram @0000000000000300\n");
    expect(&env, "xp 0x1100", "0000000000001100: 0x00000100\n");
    expect(&env, "cpu 1", "");
    expect(&env, "xp 0x1100", "0000000000001100: 0x00000101\n");
    g_assert_cmpuint(l->machine.current_cpu, ==, 0);
    expect(&env, "info mtree -o", "Error: unexpected argument '-o'; known are -f\n");
    loop_free(l);
}

static void test_memory(void)
{
    MonitorEnv env;
    ExecLoop *l = loop_new(&env);

    expect(&env, "x 0x1000", "0000000000001000: 0x03020100\n");
    expect(&env, "x/5xw 0x1000", "0000000000001000: 0x03020100 0x07060504 0x0b0a0908 0x0f0e0d0c\n"
           "0000000000001010: 0x13121110\n");
    expect(&env, "x /2xb $pc+8", "0000000000001008: 0x08 0x09\n");
    expect(&env, "xp/1xg 0x1010", "0000000000001010: 0x1716151413121110\n");
    expect(&env, "xp/1 0x3000", "Cannot access memory at physical address 0x3000\n");
    expect(&env, "x/3xg 0x10f0", "00000000000010f0: 0xf7f6f5f4f3f2f1f0 0xfffefdfcfbfaf9f8\n"
           "Cannot access memory at address 0x1100\n");
    expect(&env, "x/2i $pc", "0x00001000:  insn 00\n0x00001004:  insn 04\n");
    expect(&env, "x", "Error: ADDR is missing: x/FMT ADDR\n");
    expect(&env, "p", "Error: EXPR is missing: print/FMT EXPR\n");
    expect(&env, "memsave 0x1000 5", "Error: FILE is missing: memsave ADDR SIZE FILE\n");
    expect(&env, "memsave 0x2000 5 /dev/null", "Error: Invalid addr 0x0000000000002000/size 5 "
           "specified\n");
    expect(&env, "memsave 0x1000 256 /dev/null", "");
    expect(&env, "pmemsave 0x1000 4096 /dev/null", "");
    expect(&env, "pmemsave 0x1000 4097 /dev/null", "Error: Invalid addr 0x0000000000001000/size "
           "4097 specified\n");
    expect(&env, "p $x0 + 1", "65521\n");
    expect(&env, "p/x $x0", "0x000000000000fff0\n");
    expect(&env, "p/xw -1", "0xffffffff\n");
    expect(&env, "p $bogus", "Error: unknown register '$bogus'\n");
    loop_free(l);
}

/* ---- line editing ---- */

typedef struct Editor {
    Readline *r;
    GString *screen;
    GPtrArray *lines;
} Editor;

static void editor_write(void *opaque, const char *data, size_t length)
{
    g_string_append_len(((Editor *)opaque)->screen, data, (gssize)length);
}

static void editor_line(void *opaque, const char *line)
{
    g_ptr_array_add(((Editor *)opaque)->lines, g_strdup(line));
}

static void editor_complete(void *opaque, const char *prefix, GPtrArray *words)
{
    monitor_complete(prefix, words);
}

static const ReadlineHost editor_host = { editor_write, editor_line, editor_complete };

static void editor_init(Editor *e)
{
    e->r = readline_new("> ", &editor_host, e);
    e->screen = g_string_new("");
    e->lines = g_ptr_array_new_with_free_func(g_free);
}

static void editor_clear(Editor *e)
{
    readline_free(e->r);
    g_string_free(e->screen, TRUE);
    g_ptr_array_unref(e->lines);
}

/* Type keys; the last line entered is `line`. */
static void typed(Editor *e, const char *keys, const char *line)
{
    readline_feed(e->r, (const uint8_t *)keys, strlen(keys));
    g_assert_cmpuint(e->lines->len, >, 0);
    g_assert_cmpstr(g_ptr_array_index(e->lines, e->lines->len - 1), ==, line);
}

static void test_readline(void)
{
    Editor e;

    editor_init(&e);
    typed(&e, "one\r\n", "one");
    g_assert_cmpuint(e.lines->len, ==, 1);           /* CR LF is one end of line */
    typed(&e, "two\n", "two");
    typed(&e, "ab\177c\r", "ac");                    /* backspace */
    typed(&e, "ac\033[Db\r", "abc");                 /* left */
    typed(&e, "bc\001a\005d\r", "abcd");             /* home, end */
    typed(&e, "bc\033[Ha\033[Fd\r", "abcd");
    typed(&e, "\033[1~x\033[4~y\r", "xy");
    typed(&e, "axb\033[D\033[D\033[3~\r", "ab");     /* delete */
    typed(&e, "hello wide  \027world\r", "hello world");
    typed(&e, "junk\025new\r", "new");
    typed(&e, "keep drop\001\006\006\006\006\013\r", "keep");
    typed(&e, "lost\003kept\r", "kept");             /* Ctrl-C starts over */
    typed(&e, "\033[A\r", "kept");                   /* history */
    typed(&e, "\033[A\033[A\r", "keep");
    typed(&e, "half\033[A\033[B!\r", "half!");       /* back to what was typed */
    typed(&e, "\033[A\033[A\033[A\033[A\033[B\020\016\r", "kept");
    typed(&e, "ex\t\r", "ex");                       /* nothing to complete */
    typed(&e, "system_p\t\r", "system_powerdown ");
    typed(&e, "info v\t\r", "info version ");
    typed(&e, "syst\tr\t\r", "system_reset ");
    editor_clear(&e);
}

static void test_readline_bounds(void)
{
    g_autofree char *flood = g_strnfill(100000, 'a');
    Editor e;
    GRand *r = g_rand_new_with_seed(5);

    editor_init(&e);
    readline_feed(e.r, (const uint8_t *)flood, 100000);
    readline_feed(e.r, (const uint8_t *)"\r", 1);
    g_assert_cmpuint(strlen(g_ptr_array_index(e.lines, 0)), ==, READLINE_MAX);
    for (unsigned i = 0; i < 200000; i++) {
        uint8_t key = (uint8_t)g_rand_int_range(r, 0, i % 3 ? 256 : 32);

        readline_feed(e.r, &key, 1);
        if (e.screen->len > 100000) {
            g_string_truncate(e.screen, 0);
        }
    }
    g_rand_free(r);
    editor_clear(&e);
}

static void test_travel(void)
{
    MonitorEnv env;
    ExecLoop *l = loop_new(&env);

    expect(&env, "replay_break 17", "");
    expect(&env, "replay_break 17", "Error: there is a break at position 17 already\n");
    expect(&env, "replay_break 4", "");
    expect(&env, "replay_delete_break 5", "Error: there is no break at position 5\n");
    expect(&env, "replay_delete_break 17", "");
    g_assert_cmpuint(exec_loop_breaks(l)->len, ==, 1);
    expect(&env, "replay_delete_break", "");
    g_assert_cmpuint(exec_loop_breaks(l)->len, ==, 0);
    loop_free(l);
}

/* Places as users write them, and where they lead. */
static void test_seek(void)
{
    static const struct {
        const char *place;
        uint64_t position;
    } positions[] = {
        { "99", 99 }, { "0x10", 16 }, { "50%", 500 }, { "0%", 0 }, { "12.5%", 125 },
        { "100%", 1000 },
    };
    static const struct {
        const char *place;
        int64_t ns;
    } times[] = {
        { "+1.5s", 1500000000 }, { "-200ms", -200000000 }, { "+3us", 3000 }, { "-7ns", -7 },
        { "+0.001us", 1 }, { "-90000s", -90000000000000 },
    };
    static const struct {
        const char *place, *text;
    } texts[] = {
        { "@\"Freeing unused\"", "text #1 Freeing unused" }, { "@login:", "text #1 login:" },
        { "@\"a\\\"b\\n\"", "text #1 a\"b\n" }, { "@\" # \"", "text #1  # " },
        { "@\"", "text #1 \"" }, { "@\"login:\"#3", "text #3 login:" },
        { "@\"a\"b\"#0x10", "text #16 a\"b" }, { "@a#2", "text #1 a#2" },
        { "@\"a\"b", "text #1 \"a\"b" }, { "+@\"login:\"", "next text #1 login:" },
        { "+@\"login:\"#2", "next text #2 login:" }, { "-@login:", "previous text #1 login:" },
        { "-@\"login:\"#1", "previous text #1 login:" },
    };
    static const char *const wrong[] = {
        "", "-1", "soon", "1 2", "+5", "-s", "+1.5", "+1m", "101%", "%", "-5%", "1e99%",
        "+1e99s", "18446744073709551615", "+@", "-@\"\"", "@\"a\"#0", "@\"a\"#", "@\"a\"#x",
        "-@\"a\"#2",
    };
    MonitorEnv env;
    ExecLoop *l = loop_new(&env);

    fake_end = 1000;
    for (unsigned i = 0; i < ARRAY_SIZE(positions); i++) {
        g_autofree char *line = g_strdup_printf("replay_seek %s", positions[i].place);

        expect(&env, line, "");
        g_assert_cmpuint(fake_sought, ==, positions[i].position);
    }
    for (unsigned i = 0; i < ARRAY_SIZE(times); i++) {
        g_autofree char *line = g_strdup_printf("replay_seek %s", times[i].place);

        expect(&env, line, "");
        g_assert_cmpint(fake_sought_ns, ==, times[i].ns);
    }
    for (unsigned i = 0; i < ARRAY_SIZE(texts); i++) {
        g_autofree char *line = g_strdup_printf("replay_seek %s", texts[i].place);

        expect(&env, line, "");
        g_assert_cmpstr(fake_asked, ==, texts[i].text);
    }
    for (unsigned i = 0; i < ARRAY_SIZE(wrong); i++) {
        g_autofree char *line = g_strdup_printf("replay_seek %s", wrong[i]);

        expect_contains(&env, line, "Error: ");
    }
    expect(&env, "replay_seek 2x", "Error: '2x' is no place: give a position as 'info replay' shows "
           "it, a part (50%), a time from now (+1.5s, -200ms) or a console's text (@\"login:\")\n");
    expect(&env, "replay_seek -5", "Error: '-5' is no time: expected a number and s, ms, us or ns, "
           "as in -200ms\n");
    expect(&env, "replay_seek @", "Error: a text is missing behind the @, as in @\"login:\"\n");
    expect(&env, "replay_seek @\"a\"#-1", "Error: '#-1': expected a number from 1 on, as in "
           "@\"login:\"#2\n");
    expect(&env, "replay_seek -@\"a\"#2", "Error: -@ goes to the last time before here; #2 counts "
           "forwards only\n");
    fake_end = 0;
    expect(&env, "replay_seek 50%", "Error: nothing is recorded or replayed here\n");
    loop_free(l);
}

static void test_replay(void)
{
    MonitorEnv env;
    ExecLoop *l = loop_new(&env);

    expect(&env, "replay_golive", "");
    g_assert_cmpstr(fake_asked, ==, "live -");
    expect(&env, "replay_golive other.rr", "");
    g_assert_cmpstr(fake_asked, ==, "live other.rr");
    expect(&env, "replay_save", "Error: FILE is missing: replay_save FILE\n");
    expect(&env, "replay_save so far.rr", "");
    g_assert_cmpstr(fake_asked, ==, "save so far.rr");
    expect(&env, "replay_console", "boot\xef\xbf\xbd\xef\xbf\xbd""ed\n");
    expect(&env, "replay_console uart9", "Error: there is no character port 'uart9'\n");
    fake_end = 1000;
    expect(&env, "replay_break 17", "");
    expect(&env, "replay_break 900", "");
    expect(&env, "info replay", "mode none\ninstructions: 0, position: 250 of 1000 (25.0%), "
           "virtual time: 0.000000000 s\nbreaks: 17 900\nsnapshots in memory: 3, 5 of 64 MiB\n");
    expect(&env, "replay_delete_break", "");
    fake_end = 0;
    loop_free(l);
}

/* ---- answers that come later ---- */

static void append_answer(void *opaque, const char *text)
{
    g_string_append(opaque, text);
}

/* The output, now or later, and what was asked of the engine. */
static void expect_later(MonitorEnv *env, const char *line, const char *asked, const char *output)
{
    g_autoptr(GString) out = g_string_new(""), late = g_string_new("");
    const MonitorLater later = { append_answer, late };

    fake_asked[0] = 0;
    if (!monitor_run(env, line, out, &later)) {
        while (!late->len) {
            g_main_context_iteration(NULL, true);
        }
    }
    g_assert_cmpstr(fake_asked, ==, asked);
    g_string_append(out, late->str);
    g_assert_cmpstr(out->str, ==, output);
}

static void test_history(void)
{
    static const char writes[] =
        "position 123: CPU 1 at pc 0x4000, 4 bytes at 0x1000: 0x00000000 -> 0x12345678\n"
        "position 456: device disk, accessed by CPU 0 at pc 0x8000, 3 bytes at 0x1001: 61 62 63 -> "
        "78 79 7a\n";
    MonitorEnv env;
    ExecLoop *l = loop_new(&env);

    expect_later(&env, "replay_last_write 0xff0 + 16", "0 0 0x1000+8 0..-1 1000", writes);
    expect(&env, "cpu 1", "");
    expect_later(&env, "replay_next_write 0x1000,4", "1 1 0x1000+4 0..-1 1000", writes);
    expect_later(&env, "replay_next_write/p 0x1000,4", "1 -1 0x1000+4 0..-1 1000", writes);
    expect_later(&env, "replay_history /p 0x1000,16 5 99", "2 -1 0x1000+16 5..99 1000", writes);
    expect_later(&env, "replay_history 0x1000 5", "2 1 0x1000+8 5..-1 1000", writes);
    expect_later(&env, "replay_last_write", "", "Error: ADDR[,LEN] is missing: "
                 "replay_last_write/p ADDR[,LEN]\n");
    expect_later(&env, "replay_last_write/x 1", "",
                 "Error: '/x': only /p can stand there\n");
    expect_later(&env, "replay_last_write 1,0", "", "Error: 0 bytes: expected 1 to 4096\n");
    expect_later(&env, "replay_last_write 1,4097", "", "Error: 4097 bytes: expected 1 to 4096\n");
    expect_later(&env, "replay_history 1 2 3 4", "", "Error: unexpected argument '4'\n");
    expect_later(&env, "replay_history 1 x", "", "Error: 'x' is no number; expected FROM\n");
    fake_history_error = "no recording";
    expect_later(&env, "replay_last_write 0x1000", "0 1 0x1000+8 0..-1 1000",
                 "Error: no recording\n");
    fake_history_error = NULL;
    fake_interrupted = true;
    expect_later(&env, "replay_last_write 0x1000", "0 1 0x1000+8 0..-1 1000",
                 "interrupted: what comes before position 77 has not been searched\n");
    fake_interrupted = false;
    expect(&env, "replay_last_write 0x1000", "Error: the answer comes later than "
           "human-monitor-command waits: use x-rearm-replay-find-writes\n");
    loop_free(l);
}

static void test_snapshots(void)
{
    g_autofree char *dir = g_dir_make_tmp("monitor-XXXXXX", NULL);
    g_autofree char *file = g_build_filename(dir, "s.snap", NULL);
    g_autofree char *missing = g_strdup_printf("Error: there is no snapshot 'three' in '%s'\n",
                                               file);
    MonitorEnv env;
    ExecLoop *l = loop_new(&env);

    expect(&env, "savevm one", "Error: there is no snapshot file: it goes beside a recording in a "
           "file, or start with -snapshot-file FILE\n");
    env.snapshot_file = file;
    expect(&env, "info snapshots", "There is no snapshot available.\n");
    expect(&env, "savevm", "Error: NAME is missing: savevm NAME\n");
    expect(&env, "savevm one", "");
    l->ram[7] = 99;
    expect(&env, "savevm and two", "");
    expect(&env, "loadvm one", "");
    g_assert_cmpuint(l->ram[7], ==, 7);
    expect(&env, "loadvm and two", "");
    g_assert_cmpuint(l->ram[7], ==, 99);
    expect_contains(&env, "info snapshots", "TAG                      VM SIZE DATE");
    expect_contains(&env, "info snapshots", "\none                      0.0 MiB 20");
    expect_contains(&env, "info snapshots", " 00:00:00.000            0            0\nand two    ");
    expect(&env, "loadvm three", missing);
    expect(&env, "delvm three", missing);
    fake_machine = "crate";
    expect(&env, "loadvm one", "Error: cannot load the snapshot 'one': it is of machine box\n");
    fake_machine = "box";
    expect(&env, "delvm one", "");
    expect(&env, "delvm and two", "");
    g_assert_false(g_file_test(file, G_FILE_TEST_EXISTS));
    g_assert_cmpint(g_rmdir(dir), ==, 0);
    loop_free(l);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/monitor/expr", test_expr);
    g_test_add_func("/monitor/formats", test_formats);
    g_test_add_func("/monitor/commands", test_commands);
    g_test_add_func("/monitor/info", test_info);
    g_test_add_func("/monitor/args", test_args);
    g_test_add_func("/monitor/tables", test_tables);
    g_test_add_func("/monitor/more", test_more);
    g_test_add_func("/monitor/mtree", test_mtree);
    g_test_add_func("/monitor/memory", test_memory);
    g_test_add_func("/monitor/travel", test_travel);
    g_test_add_func("/monitor/seek", test_seek);
    g_test_add_func("/monitor/replay", test_replay);
    g_test_add_func("/monitor/history", test_history);
    g_test_add_func("/monitor/snapshots", test_snapshots);
    g_test_add_func("/monitor/readline", test_readline);
    g_test_add_func("/monitor/readline-bounds", test_readline_bounds);
    return g_test_run();
}
