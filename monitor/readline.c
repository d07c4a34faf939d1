/*
 * The line editor.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "monitor/readline.h"

#define CTRL(c) ((c) & 0x1f)

typedef enum EscapeState { ESC_NONE, ESC_START, ESC_CSI, ESC_SS3 } EscapeState;

struct Readline {
    const ReadlineHost *host;
    void *opaque;
    char *prompt;
    GString *line;
    size_t cursor;
    GPtrArray *history;      /* char *, oldest first */
    unsigned history_pos;    /* history->len: the line being typed */
    char *typed;             /* saved while the history is shown */
    EscapeState escape;
    unsigned escape_number;
    bool after_cr;
};

static void put(Readline *r, const char *text)
{
    r->host->write(r->opaque, text, strlen(text));
}

Readline *readline_new(const char *prompt, const ReadlineHost *host, void *opaque)
{
    Readline *r = g_new0(Readline, 1);

    r->host = host;
    r->opaque = opaque;
    r->prompt = g_strdup(prompt);
    r->line = g_string_new("");
    r->history = g_ptr_array_new_with_free_func(g_free);
    return r;
}

void readline_free(Readline *r)
{
    g_free(r->prompt);
    g_string_free(r->line, TRUE);
    g_ptr_array_unref(r->history);
    g_free(r->typed);
    g_free(r);
}

void readline_show(Readline *r)
{
    size_t back = r->line->len - r->cursor;
    g_autofree char *move = back ? g_strdup_printf("\033[%zuD", back) : NULL;

    put(r, r->prompt);
    put(r, r->line->str);
    if (move) {
        put(r, move);
    }
}

static void redraw(Readline *r)
{
    put(r, "\r\033[K");
    readline_show(r);
}

static void set_line(Readline *r, const char *text)
{
    g_string_assign(r->line, text);
    r->cursor = r->line->len;
    redraw(r);
}

static void insert(Readline *r, char c)
{
    if (r->line->len >= READLINE_MAX) {
        put(r, "\a");
        return;
    }
    g_string_insert_c(r->line, (gssize)r->cursor++, c);
    if (r->cursor == r->line->len) {
        r->host->write(r->opaque, &c, 1);
    } else {
        redraw(r);
    }
}

static void erase(Readline *r, size_t start, size_t end)
{
    if (start < end) {
        g_string_erase(r->line, (gssize)start, (gssize)(end - start));
        r->cursor = start;
        redraw(r);
    }
}

static void move_to(Readline *r, size_t cursor)
{
    if (cursor <= r->line->len && cursor != r->cursor) {
        r->cursor = cursor;
        redraw(r);
    }
}

static void erase_word(Readline *r)
{
    size_t start = r->cursor;

    while (start && r->line->str[start - 1] == ' ') {
        start--;
    }
    while (start && r->line->str[start - 1] != ' ') {
        start--;
    }
    erase(r, start, r->cursor);
}

/* ---- history ---- */

const GPtrArray *readline_history(const Readline *r)
{
    return r->history;
}

static void history_add(Readline *r, const char *line)
{
    unsigned n = r->history->len;

    if (*line && (n == 0 || strcmp(g_ptr_array_index(r->history, n - 1), line))) {
        if (n == READLINE_HISTORY) {
            g_ptr_array_remove_index(r->history, 0);
        }
        g_ptr_array_add(r->history, g_strdup(line));
    }
    r->history_pos = r->history->len;
}

static void history_move(Readline *r, int step)
{
    unsigned n = r->history->len;

    if ((step < 0 && r->history_pos == 0) || (step > 0 && r->history_pos == n)) {
        return;
    }
    if (r->history_pos == n) {
        g_free(r->typed);
        r->typed = g_strdup(r->line->str);
    }
    r->history_pos += (unsigned)step;
    set_line(r, r->history_pos == n ? r->typed : g_ptr_array_index(r->history, r->history_pos));
}

/* ---- completion ---- */

static size_t common_prefix(const GPtrArray *words)
{
    const char *first = g_ptr_array_index(words, 0);
    size_t length = strlen(first);

    for (unsigned i = 1; i < words->len; i++) {
        const char *word = g_ptr_array_index(words, i);
        size_t n = 0;

        while (n < length && word[n] == first[n]) {
            n++;
        }
        length = n;
    }
    return length;
}

static void complete(Readline *r)
{
    g_autoptr(GPtrArray) words = g_ptr_array_new();
    g_autofree char *prefix = g_strndup(r->line->str, r->cursor);
    const char *first;
    size_t length;

    if (!r->host->complete || r->cursor != r->line->len) {
        return;
    }
    r->host->complete(r->opaque, prefix, words);
    if (words->len == 0) {
        return;
    }
    first = g_ptr_array_index(words, 0);
    length = common_prefix(words);
    if (length > r->line->len) {
        g_string_assign(r->line, "");
        g_string_append_len(r->line, first, (gssize)length);
        if (words->len == 1) {
            g_string_append_c(r->line, ' ');
        }
        r->cursor = r->line->len;
        redraw(r);
    } else if (words->len > 1) {
        put(r, "\n");
        for (unsigned i = 0; i < words->len; i++) {
            put(r, g_ptr_array_index(words, i));
            put(r, "\n");
        }
        readline_show(r);
    }
}

/* ---- keys ---- */

static void enter(Readline *r)
{
    g_autofree char *line = g_strdup(r->line->str);

    put(r, "\n");
    history_add(r, line);
    g_string_assign(r->line, "");
    r->cursor = 0;
    r->host->line(r->opaque, line);
}

static void escape_key(Readline *r, uint8_t c)
{
    if (c >= '0' && c <= '9') {
        r->escape_number = MIN(r->escape_number * 10 + (c - '0'), 1000);
        return;
    }
    if (c == ';') {
        r->escape_number = 0;   /* a modifier follows: the final letter is what counts */
        return;
    }
    r->escape = ESC_NONE;
    if (c == 'A') {
        history_move(r, -1);
    } else if (c == 'B') {
        history_move(r, 1);
    } else if (c == 'C') {
        move_to(r, r->cursor + 1);
    } else if (c == 'D' && r->cursor) {
        move_to(r, r->cursor - 1);
    } else if (c == 'H' || (c == '~' && (r->escape_number == 1 || r->escape_number == 7))) {
        move_to(r, 0);
    } else if (c == 'F' || (c == '~' && (r->escape_number == 4 || r->escape_number == 8))) {
        move_to(r, r->line->len);
    } else if (c == '~' && r->escape_number == 3 && r->cursor < r->line->len) {
        erase(r, r->cursor, r->cursor + 1);
    }
}

static void control_key(Readline *r, uint8_t c)
{
    switch (c) {
    case CTRL('A'):
        move_to(r, 0);
        break;
    case CTRL('B'):
        move_to(r, r->cursor ? r->cursor - 1 : 0);
        break;
    case CTRL('C'):
        put(r, "^C\n");
        g_string_assign(r->line, "");
        r->cursor = 0;
        readline_show(r);
        break;
    case CTRL('D'):
        erase(r, r->cursor, MIN(r->cursor + 1, r->line->len));
        break;
    case CTRL('E'):
        move_to(r, r->line->len);
        break;
    case CTRL('F'):
        move_to(r, r->cursor + 1);
        break;
    case CTRL('H'):
    case 0x7f:
        erase(r, r->cursor ? r->cursor - 1 : 0, r->cursor);
        break;
    case CTRL('I'):
        complete(r);
        break;
    case CTRL('K'):
        erase(r, r->cursor, r->line->len);
        break;
    case CTRL('L'):
        put(r, "\033[2J\033[H");
        readline_show(r);
        break;
    case CTRL('N'):
        history_move(r, 1);
        break;
    case CTRL('P'):
        history_move(r, -1);
        break;
    case CTRL('U'):
        erase(r, 0, r->cursor);
        break;
    case CTRL('W'):
        erase_word(r);
        break;
    case CTRL('['):
        r->escape = ESC_START;
        break;
    }
}

static void key(Readline *r, uint8_t c)
{
    bool after_cr = r->after_cr;

    r->after_cr = c == '\r';
    switch (r->escape) {
    case ESC_START:
        r->escape = c == '[' ? ESC_CSI : c == 'O' ? ESC_SS3 : ESC_NONE;
        r->escape_number = 0;
        break;
    case ESC_CSI:
    case ESC_SS3:
        escape_key(r, c);
        break;
    case ESC_NONE:
        if (c == '\r' || (c == '\n' && !after_cr)) {
            enter(r);
        } else if (c < 0x20 || c == 0x7f) {
            control_key(r, c);
        } else {
            insert(r, (char)c);
        }
        break;
    }
}

void readline_feed(Readline *r, const uint8_t *data, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        key(r, data[i]);
    }
}
