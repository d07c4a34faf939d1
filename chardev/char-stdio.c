/*
 * Back end "stdio": standard input and output. A terminal is put into raw mode and
 * given back on every way out: at exit, on fatal signals and abort, and around a
 * job-control stop.
 *
 * signal=on (default): Ctrl-C and the other signal keys act on the emulator; off: they
 * reach the guest.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include <fcntl.h>
#include <signal.h>
#include <termios.h>
#include <unistd.h>
#include "chardev/chardev-int.h"

typedef struct CharStdio {
    Chardev chr;
    CharFd fd;
    int out;          /* standard output, or our own way to its terminal */
} CharStdio;

/*
 * The state of the controlling terminal, of which a process has one. It is global because
 * signal and exit handlers get no argument to find it by.
 */
static struct {
    struct termios cooked, raw;
    volatile sig_atomic_t is_raw;
    bool handlers_set;
} terminal;

static void terminal_restore(void)
{
    if (terminal.is_raw) {
        terminal.is_raw = 0;
        tcsetattr(STDIN_FILENO, TCSANOW, &terminal.cooked);
    }
}

static void terminal_fatal_signal(int signal_number)
{
    terminal_restore();
    signal(signal_number, SIG_DFL);
    raise(signal_number);
}

/* Ctrl-Z with signal=on: leave the shell a sane terminal; take it back afterwards. */
static void terminal_stop_signal(int signal_number)
{
    int saved_errno = errno;
    bool was_raw = terminal.is_raw;

    terminal_restore();
    kill(getpid(), SIGSTOP);
    if (was_raw && tcsetattr(STDIN_FILENO, TCSANOW, &terminal.raw) == 0) {
        terminal.is_raw = 1;
    }
    errno = saved_errno;
}

static void terminal_set_handlers(void)
{
    /* The main loop handles the last three later; until then, they must restore the terminal. */
    static const int fatal[] = {
        SIGABRT, SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGQUIT, SIGINT, SIGTERM, SIGHUP,
    };
    struct sigaction action = { .sa_handler = terminal_fatal_signal };

    if (terminal.handlers_set) {
        return;
    }
    terminal.handlers_set = true;
    for (unsigned i = 0; i < ARRAY_SIZE(fatal); i++) {
        sigaction(fatal[i], &action, NULL);
    }
    action.sa_handler = terminal_stop_signal;
    action.sa_flags = SA_RESTART;
    sigaction(SIGTSTP, &action, NULL);
    atexit(terminal_restore);
}

static void terminal_make_raw(bool signals)
{
    /* A background job must not touch the terminal: it would be stopped. */
    if (!isatty(STDIN_FILENO) || tcgetpgrp(STDIN_FILENO) != getpgrp() ||
        tcgetattr(STDIN_FILENO, &terminal.cooked) < 0) {
        return;
    }
    terminal_set_handlers();
    terminal.raw = terminal.cooked;
    terminal.raw.c_iflag &= ~(tcflag_t)(IGNBRK | BRKINT | PARMRK | ISTRIP | INLCR | IGNCR |
                                        ICRNL | IXON);
    terminal.raw.c_oflag |= OPOST;
    terminal.raw.c_lflag &= ~(tcflag_t)(ECHO | ECHONL | ICANON | IEXTEN);
    if (!signals) {
        terminal.raw.c_lflag &= ~(tcflag_t)ISIG;
    }
    terminal.raw.c_cflag = (terminal.raw.c_cflag & ~(tcflag_t)(CSIZE | PARENB)) | CS8;
    terminal.raw.c_cc[VMIN] = 1;
    terminal.raw.c_cc[VTIME] = 0;
    if (tcsetattr(STDIN_FILENO, TCSANOW, &terminal.raw) == 0) {
        terminal.is_raw = 1;
    }
}

/*
 * The terminal is opened once more for output, without blocking. A write to one that nobody
 * reads may block although poll() called it writable, and setting O_NONBLOCK on the
 * descriptor that we were given would set it for the shell, too.
 */
static int open_output(void)
{
    int fd = -1;

    if (isatty(STDOUT_FILENO)) {
        fd = open("/proc/self/fd/1", O_WRONLY | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
    }
    return fd >= 0 ? fd : STDOUT_FILENO;
}

static void find_stdio(Chardev *c, void *opaque)
{
    bool *found = opaque;

    *found |= c->type == &chardev_stdio_type;
}

static bool stdio_open(Chardev *c, KeyVal *options, Error **errp)
{
    CharStdio *s = container_of(c, CharStdio, chr);
    bool signals = true, taken = false;

    if (!keyval_get_bool(options, "signal", &signals, errp) ||
        !keyval_check_unused(options, "-chardev stdio", errp)) {
        return false;
    }
    chardev_foreach(c->set, find_stdio, &taken);
    if (taken) {
        error_setg(errp, "standard input and output are already in use by another chardev; "
                   "mux=on (or mon:stdio) lets several share them");
        return false;
    }
    terminal_make_raw(signals);
    s->out = open_output();
    char_fd_start(&s->fd, c, STDIN_FILENO, s->out, NULL);
    chardev_event(c, CHAR_EVENT_OPENED);
    return true;
}

static void stdio_close(Chardev *c)
{
    CharStdio *s = container_of(c, CharStdio, chr);

    if (!s->fd.chr) {
        return;
    }
    char_fd_stop(&s->fd);
    if (chardev_has_output(c)) {
        /* The terminal's queue is full; the message about lost output needs room in it. */
        tcflush(s->out, TCOFLUSH);
    }
    if (s->out != STDOUT_FILENO) {
        close(s->out);
    }
    terminal_restore();
}

static ssize_t stdio_write(Chardev *c, const uint8_t *data, size_t length)
{
    return char_fd_write(&container_of(c, CharStdio, chr)->fd, data, length);
}

static int stdio_write_fd(Chardev *c)
{
    return container_of(c, CharStdio, chr)->out;
}

const ChardevType chardev_stdio_type = {
    .name = "stdio",
    .help = "standard input and output: [,signal=on|off]",
    .size = sizeof(CharStdio),
    .open = stdio_open,
    .close = stdio_close,
    .write = stdio_write,
    .write_fd = stdio_write_fd,
};
