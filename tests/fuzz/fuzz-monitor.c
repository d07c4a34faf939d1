/*
 * Fuzz target: what is typed into the human monitor. The first byte of the input says
 * what the rest is:
 *   0  command lines, as from gdb's "monitor"
 *   1  bytes of a terminal: line editing, completion, and the lines that come of it
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "tests/fuzz/fuzz.h"
#include "tests/unit/monitor-machine.h"
#include "monitor/commands.h"
#include "monitor/readline.h"

enum { LINES, TERMINAL, NUM_FORMS };

static bool refuse_gdb(void *opaque, const char *device, Error **errp)
{
    error_setg(errp, "%s: no gdb here", device);
    return false;
}

static void run_line(void *opaque, const char *line)
{
    g_autoptr(GString) out = g_string_new("");

    monitor_run(opaque, line, out, NULL);
    /* Whatever is printed ends its line, or the prompt would follow it. */
    assert(!out->len || out->str[out->len - 1] == '\n');
}

static void swallow(void *opaque, const char *data, size_t length)
{
}

static void complete(void *opaque, const char *prefix, GPtrArray *words)
{
    monitor_complete(prefix, words);
}

static void run_lines(MonitorEnv *env, const uint8_t *data, size_t size)
{
    g_autofree char *text = g_strndup((const char *)data, size);
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);

    for (char **line = lines; *line; line++) {
        run_line(env, *line);
    }
}

static void type(MonitorEnv *env, const uint8_t *data, size_t size)
{
    static const ReadlineHost host = { swallow, run_line, complete };
    Readline *r = readline_new("> ", &host, env);

    readline_feed(r, data, size);
    readline_feed(r, (const uint8_t *)"\r", 1);
    readline_free(r);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    MonitorEnv env;
    ExecLoop *loop;

    if (!size) {
        return 0;
    }
    loop = loop_new(&env);
    env.chardevs = chardev_set_new(NULL);
    env.gdbserver = refuse_gdb;
    if (data[0] % NUM_FORMS == LINES) {
        run_lines(&env, data + 1, size - 1);
    } else {
        type(&env, data + 1, size - 1);
    }
    chardev_set_free(env.chardevs);
    loop_free(loop);
    return 0;
}

GByteArray *fuzz_seed(unsigned n)
{
    static const struct {
        uint8_t form;
        const char *text;
    } seeds[] = {
        { LINES, "help info\ninfo\ninfo registers -a\ninfo mtree\ninfo chardev\ncpu 1\ninfo cpus" },
        { LINES, "x/8xb 0x1000\nx /3i $pc\nxp/2gd 0x1000+8*2\nx/16cb 0x10f8\nx/2og $sp" },
        { LINES, "print/x ($x0 << 4 | ~'A') % 0x1f - -3 * (2 ^ 1)\np/c 65\np/i 1/0" },
        { LINES, "log int,exec\nlog none\ngdbserver tcp::1\nsystem_reset\nstop\ncont\nquit" },
        { LINES, "sum 0x1000 $x0&7\ngva2gpa \"0x1000\"\ngpa2hva 0x1000\ni/x 1\none-insn-per-tb off\n"
          "replay_history /p 0x1000,8 1 2\nchardev-add null,id=x,mux=on\nchardev-remove \"x\"" },
        { LINES, "object_add secret,id=s,data=a,,b\nqom-get objects/s data\nqom-set s data y\n"
          "info qom-tree /objects\nobject_del s\ninfo mem\ninfo irq\ninfo ramblock\nhelp sum" },
        { TERMINAL, "he\t inf\t\x1b[D\x1b[C\x01x\x05y\x0b\x15print 1\rinfo st\t\r\x1b[A\x1b[A\r"
          "\x1b[3~\x7f\x08" },
    };

    return n < ARRAY_SIZE(seeds) ? fuzz_text(seeds[n].form, seeds[n].text) : NULL;
}
