/*
 * rearm-replay: look into recordings. Works on files alone, needs no machine.
 *
 * Exit status: 0 fine; 1 recordings differ, or one was cut off; 2 damaged or
 * unreadable file, wrong usage.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include <sys/stat.h>
#include "replay/rearm-replay.h"
#include "replay/replay-kinds.h"

typedef struct Command {
    const char *name;
    const char *arguments;
    const char *doc;
    int min_files, max_files;
    const char *option;       /* that it takes; or NULL */
    int (*run)(char **files, bool option);
} Command;

int tool_complain(Error *err)
{
    fprintf(stderr, "rearm-replay: %s\n", error_get_pretty(err));
    error_free(err);
    return STATUS_TROUBLE;
}

static ReplayCursor *open_log(const char *path)
{
    Error *err = NULL;
    ReplayCursor *c = replay_cursor_open(path, &err);

    if (!c) {
        tool_complain(err);
    }
    return c;
}

/* After the last record: the file's state, on stderr unless it is complete. */
static int final_status(const ReplayCursor *c, const char *path)
{
    switch (replay_cursor_status(c)) {
    case REPLAY_LOG_FINISHED:
        return STATUS_OK;
    case REPLAY_LOG_DAMAGED:
        fprintf(stderr, "rearm-replay: %s: %s; the %" PRIu64 " records before are good\n", path,
                replay_cursor_damage(c), replay_cursor_count(c));
        return STATUS_TROUBLE;
    default:
        fprintf(stderr, "rearm-replay: %s: was cut off; its %" PRIu64 " records can be "
                "replayed\n", path, replay_cursor_count(c));
        return STATUS_DIFFERENT;
    }
}

/* ---- info ---- */

typedef struct Totals {
    uint64_t records[64];
    uint64_t bytes[64];
    uint64_t last_pos;
    uint64_t warps;
    uint64_t timed_warps;     /* to the next timer: the log does not say how long */
    int64_t idle_ns;
    uint32_t frames;
    int end_cause;            /* -1: no end record */
} Totals;

static void count_record(Totals *t, const ReplayRecord *rec)
{
    ByteReader in;

    byte_reader_init(&in, rec->payload, rec->length);
    t->records[rec->kind]++;
    t->bytes[rec->kind] += rec->length;
    t->last_pos = rec->pos;
    if (rec->kind == REPLAY_KIND_WARP) {
        t->warps++;
        t->timed_warps += rec->length == 0;
        t->idle_ns += rec->length ? bytes_get_svarint(&in) : 0;
    } else if (rec->kind == REPLAY_KIND_END) {
        t->end_cause = bytes_get_u8(&in);
    }
}

static void print_description(const ReplayDescription *d)
{
    printf("build:     %s\nengine:    revision %" PRIu64 "\n", d->build, d->engine);
    printf("checks:    %s", replay_check_name(d->check));
    if (d->check == REPLAY_CHECK_DIGEST) {
        printf(", every %" PRIu64 " instructions", d->check_period);
    }
    printf("\n");
    for (guint i = 0; i < d->ancestors->len; i++) {
        const ReplayPlace *p = &g_array_index(d->ancestors, ReplayPlace, i);
        char id[2 * REPLAY_LOG_ID_SIZE + 1];

        replay_id_format(p->id, id);
        printf("branch of: %s, from position %" PRIu64 ", record %" PRIu64 " on\n", id, p->pos,
               p->records);
    }
    printf("machine:\n");
    for (guint i = 0; i < d->names->len; i++) {
        printf("  %s = %s\n", (char *)g_ptr_array_index(d->names, i),
               (char *)g_ptr_array_index(d->values, i));
    }
    printf("sources:\n");
    for (guint i = 0; i < d->sources->len; i++) {
        const ReplayDescribedSource *s = replay_description_source(d, i);

        printf("  %s %s\n", replay_kind_info(s->kind)->name, s->name);
    }
}

static void print_totals(const Totals *t)
{
    printf("records:\n");
    for (unsigned k = 0; k < ARRAY_SIZE(t->records); k++) {
        if (t->records[k]) {
            printf("  %-12s %10" PRIu64 "  %10" PRIu64 " bytes\n", replay_kind_info(k)->name,
                   t->records[k], t->bytes[k]);
        }
    }
    printf("frames:    %" PRIu32 "\n", t->frames);
    printf("position:  %" PRIu64 " at the last record, %" PRIu64 " of it idle warps\n",
           t->last_pos, t->warps);
    printf("idle time: %" PRId64 ".%09" PRId64 " s, and %" PRIu64 " times to the next timer\n",
           t->idle_ns / 1000000000, t->idle_ns % 1000000000, t->timed_warps);
    if (t->end_cause >= 0) {
        printf("end:       cause %d\n", t->end_cause);
    } else {
        printf("end:       none recorded\n");
    }
}

static int run_info(char **files, bool option)
{
    ReplayCursor *c = open_log(files[0]);
    Totals totals = { .end_cause = -1 };
    char id[2 * REPLAY_LOG_ID_SIZE + 1];
    const ReplayRecord *rec;
    struct stat st;
    int status;

    if (!c) {
        return STATUS_TROUBLE;
    }
    printf("file:      %s\n", files[0]);
    if (stat(files[0], &st) == 0) {
        printf("size:      %" PRId64 " bytes\n", (int64_t)st.st_size);
    }
    replay_id_format(replay_cursor_id(c), id);
    printf("format:    %u\nid:        %s\n", replay_cursor_format(c), id);
    print_description(replay_cursor_description(c));
    while ((rec = replay_cursor_peek(c)) != NULL) {
        count_record(&totals, rec);
        totals.frames = replay_cursor_frame(c) + 1;
        replay_cursor_advance(c);
    }
    print_totals(&totals);
    status = tool_print_keyframes(c, files[0]) ? STATUS_OK : STATUS_TROUBLE;
    status = MAX(status, final_status(c, files[0]));
    replay_cursor_free(c);
    return status;
}

/* ---- dump ---- */

void tool_json_add_int(struct json_object *o, const char *name, uint64_t value)
{
    json_object_object_add(o, name, json_object_new_int64((int64_t)value));
}

static void dump_json(const ReplayRecord *rec, const ReplayDescription *d)
{
    struct json_object *o = json_object_new_object();
    GString *text = g_string_new(NULL);

    tool_json_add_int(o, "number", rec->number);
    tool_json_add_int(o, "position", rec->pos);
    json_object_object_add(o, "kind", json_object_new_string(replay_kind_info(rec->kind)->name));
    if (rec->source != REPLAY_NO_SOURCE) {
        const char *name = replay_description_source(d, rec->source)->name;

        json_object_object_add(o, "source", json_object_new_string(name));
    }
    if (rec->checkpoints || rec->again) {
        tool_json_add_int(o, "checkpoints", rec->checkpoints);
        json_object_object_add(o, "again", json_object_new_boolean(rec->again));
    }
    replay_payload_format(text, rec->kind, rec->payload, rec->length);
    json_object_object_add(o, "value", json_object_new_string(text->str));
    g_string_truncate(text, 0);
    for (uint32_t i = 0; i < rec->length; i++) {
        g_string_append_printf(text, "%02x", rec->payload[i]);
    }
    json_object_object_add(o, "payload", json_object_new_string(text->str));
    puts(json_object_to_json_string_ext(o, JSON_C_TO_STRING_PLAIN));
    g_string_free(text, true);
    json_object_put(o);
}

static void dump_text(const ReplayRecord *rec, const ReplayDescription *d)
{
    GString *text = g_string_new(NULL);

    replay_record_format(text, rec, d);
    if (rec->checkpoints || rec->again) {
        g_string_append_printf(text, "  (after %" PRIu32 " checkpoints%s)", rec->checkpoints,
                               rec->again ? ", a new batch" : "");
    }
    puts(text->str);
    g_string_free(text, true);
}

static int run_dump(char **files, bool json)
{
    ReplayCursor *c = open_log(files[0]);
    const ReplayRecord *rec;
    ToolKeyframes k;
    int status;

    if (!c) {
        return STATUS_TROUBLE;
    }
    tool_keyframes_open(&k, c, files[0]);
    while ((rec = replay_cursor_peek(c)) != NULL) {
        tool_dump_keyframes(&k, rec->number, json);
        (json ? dump_json : dump_text)(rec, replay_cursor_description(c));
        replay_cursor_advance(c);
    }
    tool_dump_keyframes(&k, replay_cursor_count(c), json);
    tool_keyframes_close(&k);
    status = MAX(final_status(c, files[0]), k.damaged ? STATUS_TROUBLE : STATUS_OK);
    replay_cursor_free(c);
    return status;
}

/* ---- verify ---- */

static int run_verify(char **files, bool option)
{
    ReplayCursor *c = open_log(files[0]);
    bool end = false;
    const ReplayRecord *rec;
    int status;

    if (!c) {
        return STATUS_TROUBLE;
    }
    while ((rec = replay_cursor_peek(c)) != NULL) {
        end = rec->kind == REPLAY_KIND_END;
        replay_cursor_advance(c);
    }
    status = final_status(c, files[0]);
    if (!tool_check_keyframes(c, files[0])) {
        status = STATUS_TROUBLE;
    }
    if (status == STATUS_OK) {
        printf("%s: good, %" PRIu64 " records%s\n", files[0], replay_cursor_count(c),
               end ? "" : ", no end record: the run was left before its end");
    }
    replay_cursor_free(c);
    return status;
}

/* ---- compare ---- */

static bool same_source(const ReplayRecord *a, const ReplayDescription *da,
                        const ReplayRecord *b, const ReplayDescription *db)
{
    if (a->source == REPLAY_NO_SOURCE || b->source == REPLAY_NO_SOURCE) {
        return a->source == b->source;
    }
    return strcmp(replay_description_source(da, a->source)->name,
                  replay_description_source(db, b->source)->name) == 0;
}

static bool same_record(const ReplayRecord *a, const ReplayDescription *da,
                        const ReplayRecord *b, const ReplayDescription *db)
{
    return a && b && a->kind == b->kind && a->pos == b->pos && a->length == b->length &&
           a->checkpoints == b->checkpoints && a->again == b->again &&
           memcmp(a->payload, b->payload, a->length) == 0 && same_source(a, da, b, db);
}

static void print_side(const char *file, const ReplayRecord *rec, const ReplayDescription *d)
{
    GString *text = g_string_new(NULL);

    if (rec) {
        replay_record_format(text, rec, d);
    } else {
        g_string_append(text, "(no more records)");
    }
    printf("  %s: %s\n", file, text->str);
    g_string_free(text, true);
}

static bool compare_machines(ReplayCursor *a, ReplayCursor *b, char **files)
{
    Error *err = NULL;

    if (replay_description_compare(replay_cursor_description(a), replay_cursor_description(b),
                                   true, &err)) {
        return true;
    }
    printf("the machines differ ('when recording': %s, 'now': %s): %s\n", files[0], files[1],
           error_get_pretty(err));
    error_free(err);
    return false;
}

/* How far a run had got after some seconds says nothing about the guest. */
static const ReplayRecord *peek_compared(ReplayCursor *c)
{
    const ReplayRecord *rec;

    while ((rec = replay_cursor_peek(c)) != NULL && rec->kind == REPLAY_KIND_PROGRESS) {
        replay_cursor_advance(c);
    }
    return rec;
}

static int compare_records(ReplayCursor *a, ReplayCursor *b, char **files)
{
    const ReplayDescription *da = replay_cursor_description(a);
    const ReplayDescription *db = replay_cursor_description(b);

    for (;;) {
        const ReplayRecord *ra = peek_compared(a);
        const ReplayRecord *rb = peek_compared(b);

        if (!ra && !rb) {
            return MAX(final_status(a, files[0]), final_status(b, files[1]));
        }
        if (!same_record(ra, da, rb, db)) {
            printf("the recordings differ, after %" PRIu64 " equal records, in:\n",
                   replay_cursor_count(a));
            print_side(files[0], ra, da);
            print_side(files[1], rb, db);
            return STATUS_DIFFERENT;
        }
        replay_cursor_advance(a);
        replay_cursor_advance(b);
    }
}

static int run_compare(char **files, bool option)
{
    ReplayCursor *a = open_log(files[0]);
    ReplayCursor *b = a ? open_log(files[1]) : NULL;
    int status = STATUS_TROUBLE;

    if (b) {
        bool same = compare_machines(a, b, files);

        status = compare_records(a, b, files);
        if (status == STATUS_OK) {
            printf("%" PRIu64 " equal records\n", replay_cursor_count(a));
            status = same ? STATUS_OK : STATUS_DIFFERENT;
        }
        replay_cursor_free(b);
    }
    if (a) {
        replay_cursor_free(a);
    }
    return status;
}

/* ---- pack ---- */

static bool same_file(const char *a, const char *b)
{
    struct stat sa, sb;

    return stat(a, &sa) == 0 && stat(b, &sb) == 0 && sa.st_dev == sb.st_dev &&
           sa.st_ino == sb.st_ino;
}

static void copy(ReplayCursor *c, ReplayLogWriter *w, bool keyframes)
{
    ReplayCopier *copier = replay_copier_new(c, w);

    if (keyframes) {
        replay_copier_with_keyframes(copier);
    }
    replay_copier_run(copier, UINT64_MAX, UINT64_MAX);
    replay_copier_free(copier);
}

static int pack(ReplayCursor *c, ReplayLogWriter *w, char **files, bool keyframes)
{
    int status;

    copy(c, w, keyframes);
    status = final_status(c, files[0]);
    if (status == STATUS_TROUBLE || !replay_log_writer_finish(w)) {
        replay_log_writer_discard(w);
        fprintf(stderr, "rearm-replay: %s is not written\n", files[1]);
        return STATUS_TROUBLE;
    }
    if (replay_log_writer_old(w)) {
        printf("'%s' existed: the old file is now '%s'\n", files[1], replay_log_writer_old(w));
    }
    printf("%s: %" PRIu64 " records and %u keyframes in %" PRIu64 " bytes\n", files[1],
           replay_log_writer_records(w), replay_log_writer_keyframes(w),
           replay_log_writer_bytes(w));
    return STATUS_OK;
}

static int run_pack(char **files, bool no_keyframes)
{
    Error *err = NULL;
    ReplayLogWriter *w;
    ReplayCursor *c;
    char *text;
    int status;

    if (same_file(files[0], files[1])) {
        error_setg(&err, "'%s' and '%s' are the same file: give another name for the output",
                   files[0], files[1]);
        return tool_complain(err);
    }
    c = open_log(files[0]);
    if (!c) {
        return STATUS_TROUBLE;
    }
    w = replay_log_writer_new(&replay_log_packing);
    /* What belongs to the one, states in a file for example, belongs to the other. */
    replay_log_writer_set_id(w, replay_cursor_id(c));
    text = replay_description_to_json(replay_cursor_description(c));
    status = replay_log_writer_open(w, files[1], text, false, &err) ?
             pack(c, w, files, !no_keyframes) : tool_complain(err);
    g_free(text);
    replay_log_writer_free(w);
    replay_cursor_free(c);
    return status;
}

/* ---- main ---- */

static const Command commands[] = {
    { "info", "FILE", "what machine it is of, what is in it, how it ends", 1, 1, NULL, run_info },
    { "dump", "FILE [--json]", "all records and keyframes, a line each (an object each)", 1, 1,
      "--json", run_dump },
    { "verify", "FILE", "check every CRC, the order and the decoding", 1, 1, NULL, run_verify },
    { "compare", "A B", "the first record in which two recordings differ", 2, 2, NULL,
      run_compare },
    { "pack", "IN OUT [--no-keyframes]", "write it again, compressed as far as it goes", 2, 2,
      "--no-keyframes", run_pack },
    { "keyframes", "FILE [SECONDS]", "replay it, so that it gets keyframes, as rrkeyframe= (1)", 1, 2,
      NULL, tool_run_keyframes },
};

static void usage(FILE *out)
{
    fprintf(out, "usage: rearm-replay COMMAND FILE...\n\n"
            "Look into recordings made with rearm -icount rr=record,rrfile=FILE.\n\n");
    for (unsigned i = 0; i < ARRAY_SIZE(commands); i++) {
        fprintf(out, "  %-9s %-23s  %s\n", commands[i].name, commands[i].arguments,
                commands[i].doc);
    }
    fprintf(out, "\nExit status: 0 fine; 1 recordings differ, or one was cut off; 2 damaged or\n"
            "unreadable file, wrong usage.\n");
}

static int wrong_usage(const char *what, const char *value)
{
    fprintf(stderr, "rearm-replay: %s%s; see rearm-replay --help\n", what, value);
    return STATUS_TROUBLE;
}

static int run_command(const Command *cmd, int argc, char **argv)
{
    char *files[2] = { NULL };
    bool option = false;
    int n = 0;

    for (int i = 0; i < argc; i++) {
        if (cmd->option && strcmp(argv[i], cmd->option) == 0) {
            option = true;
        } else if (strcmp(argv[i], "--help") == 0) {
            usage(stdout);
            return STATUS_OK;
        } else if (argv[i][0] == '-' && argv[i][1]) {
            return wrong_usage("unknown option ", argv[i]);
        } else if (n == cmd->max_files) {
            return wrong_usage("one file too many: ", argv[i]);
        } else {
            files[n++] = argv[i];
        }
    }
    if (n < cmd->min_files) {
        return wrong_usage("a file is missing: rearm-replay COMMAND ", cmd->arguments);
    }
    return cmd->run(files, option);
}

int main(int argc, char **argv)
{
    if (argc < 2) {
        usage(stderr);
        return STATUS_TROUBLE;
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) {
        usage(stdout);
        return STATUS_OK;
    }
    for (unsigned i = 0; i < ARRAY_SIZE(commands); i++) {
        if (strcmp(argv[1], commands[i].name) == 0) {
            int status = run_command(&commands[i], argc - 2, argv + 2);

            if (fflush(stdout) != 0 || ferror(stdout)) {
                return wrong_usage("cannot write the output", "");
            }
            return status;
        }
    }
    return wrong_usage("unknown command ", argv[1]);
}
