/*
 * rearm-img: make, look at, change and check disk images. Its commands, options, output and exit statuses
 * are those of qemu-img, so that people and scripts need not learn others.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include <getopt.h>
#include <signal.h>
#include "config-host.h"
#include "rearm-img.h"

static const ImgCommand commands[] = {
    { "check", "f:qUr:T:", "[-f FMT] [--output=human|json] [-r leaks|all] [-q] [-U] FILE",
      "look for errors and leaks, and repair them", 1, 1, img_check },
    { "commit", "f:t:b:dpqr:", "[-f FMT] [-t CACHE] [-b BASE] [-d] [-p] [-q] FILE",
      "write what an image has into its backing file", 1, 1, img_commit },
    { "compare", "f:F:T:pqsU", "[-f FMT] [-F FMT] [-p] [-q] [-s] [-U] FILE1 FILE2",
      "whether two images have the same content", 2, 2, img_compare },
    { "convert", "Uccpqnf:t:T:O:B:F:o:S:l:m:W",
      "[-c] [-n] [-p] [-q] [-U] [-W] [-f FMT] [-O FMT] [-B BACKING [-F FMT]] [-o OPTIONS] [-S SIZE] [-l SNAPSHOT] "
      "[-t CACHE] [-m N] FILE... OUTPUT",
      "copy images into one of another format", 2, INT_MAX, img_convert },
    { "create", "qf:b:F:uo:", "[-q] [-f FMT] [-b BACKING -F FMT] [-u] [-o OPTIONS] FILE [SIZE]",
      "make an image", 1, 2, img_create },
    { "info", "f:U", "[-f FMT] [--output=human|json] [--backing-chain] [-U] FILE",
      "what an image is", 1, 1, img_info },
    { "map", "f:U", "[-f FMT] [--output=human|json] [--start-offset=N] [--max-length=N] [-U] FILE",
      "where the content of an image lies", 1, 1, img_map },
    { "rebase", "Uf:t:T:pqub:F:", "[-f FMT] [-t CACHE] [-p] [-q] [-U] [-u] -b BACKING [-F FMT] FILE",
      "change the backing file of an image", 1, 1, img_rebase },
    { "resize", "f:q", "[-f FMT] [--preallocation=MODE] [-q] [--shrink] FILE [+|-]SIZE",
      "change the size of the disk", 2, 2, img_resize },
    { "snapshot", "Uqf:la:c:d:", "[-f FMT] [-q] [-U] [-l | -a NAME | -c NAME | -d NAME] FILE",
      "list, apply, create and delete snapshots in an image", 1, 1, img_snapshot },
};

static const struct option long_options[] = {
    { "help", no_argument, NULL, 'h' },
    { "output", required_argument, NULL, IMG_OUTPUT },
    { "backing-chain", no_argument, NULL, IMG_CHAIN },
    { "shrink", no_argument, NULL, IMG_SHRINK },
    { "preallocation", required_argument, NULL, IMG_PREALLOCATION },
    { "image-opts", no_argument, NULL, IMG_OPTS },
    { "start-offset", required_argument, NULL, IMG_START },
    { "max-length", required_argument, NULL, IMG_LENGTH },
    { "target-is-zero", no_argument, NULL, IMG_TARGET_IS_ZERO },
    { "force-share", no_argument, NULL, 'U' },
    { NULL }
};

/* ---- messages ---- */

int img_fail(int status, Error *err)
{
    fprintf(stderr, "rearm-img: %s\n", error_get_pretty(err));
    error_free(err);
    return status;
}

int img_complain(int status, const char *format, ...)
{
    va_list ap;

    va_start(ap, format);
    fputs("rearm-img: ", stderr);
    vfprintf(stderr, format, ap);
    fputs("\n", stderr);
    va_end(ap);
    return status;
}

void img_say(const ImgLine *line, const char *format, ...)
{
    va_list ap;

    if (!line->set['q']) {
        va_start(ap, format);
        vprintf(format, ap);
        va_end(ap);
    }
}

void img_progress_begin(ImgProgress *p, const ImgLine *line)
{
    *p = (ImgProgress){ .shown = line->set['p'] && !line->set['q'], .last = -1 };
    img_progress(p, 0, 100);
}

void img_progress(ImgProgress *p, uint64_t done, uint64_t of)
{
    double percent = of ? 100.0 * (double)done / (double)of : 100;

    if (p->shown && (percent >= p->last + 1 || (percent >= 100 && p->last < 100))) {
        printf("    (%3.2f/100%%)\r", percent);
        fflush(stdout);
        p->last = percent;
    }
}

void img_progress_end(ImgProgress *p)
{
    img_progress(p, 100, 100);
    if (p->shown) {
        printf("\n");
    }
}

/* ---- numbers ---- */

char *img_size_text(uint64_t bytes)
{
    static const char *const units[] = { "B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB" };
    double value = (double)bytes;
    unsigned i;

    /* Three digits. */
    for (i = 0; value >= 1000 && i + 1 < ARRAY_SIZE(units); i++) {
        value /= 1024;
    }
    return g_strdup_printf("%.3g %s", value, units[i]);
}

bool img_cache_flags(const char *mode, unsigned *flags)
{
    static const char *const modes[] = { "none", "off", "writeback", "writethrough", "directsync", "unsafe" };

    for (unsigned i = 0; mode && i < ARRAY_SIZE(modes); i++) {
        if (!strcmp(mode, modes[i])) {
            *flags |= !strcmp(mode, "unsafe") ? BLOCK_UNSAFE : 0;
            return true;
        }
    }
    if (mode) {
        img_complain(IMG_FAILED, "there is no cache mode '%s'; there are none, writeback, writethrough, directsync and unsafe",
                     mode);
    }
    return !mode;
}

/* ---- images ---- */

BlockNode *img_open(const ImgLine *line, const char *filename, const char *format, unsigned flags)
{
    Error *err = NULL;
    KeyVal *options;
    BlockNode *n;

    flags |= line->set['U'] ? BLOCK_NO_LOCK : 0;
    if (!line->set[IMG_OPTS]) {
        n = block_open_image(filename, format, flags, &err);
    } else {
        options = keyval_parse(filename, NULL, &err);
        n = options ? block_open(options, "", flags, &err) : NULL;
        if (n && !keyval_check_unused(options, "--image-opts", &err)) {
            block_close(n);
            n = NULL;
        }
        keyval_free(options);
    }
    if (!n) {
        g_autofree char *text = g_strdup(error_get_pretty(err));

        error_free(err);
        img_complain(IMG_FAILED, "Could not open '%s': %s", filename, text);
        return NULL;
    }
    if (n->flags & BLOCK_PROBED && flags & BLOCK_WRITABLE) {
        fprintf(stderr, "rearm-img: warning: '%s' is taken for raw because nothing in it says otherwise; -f raw says so\n",
                filename);
    }
    return n;
}

/* ---- the command line ---- */

static void usage(void)
{
    printf("usage: rearm-img COMMAND [OPTION]... FILE...\n\n"
           "Make, look at, change and check disk images: raw, qcow2.\n\n");
    for (unsigned i = 0; i < ARRAY_SIZE(commands); i++) {
        printf("  %s %s  %s\n", commands[i].name, commands[i].arguments, commands[i].doc);
    }
    printf("\nExit status: 0 fine; 1 failed. check: 2 errors found, 3 leaks found, 63 the format cannot be checked.\n"
           "compare: 1 different, 2 failed.\n");
}

static int wrong_usage(const ImgCommand *cmd, const char *format, ...) PRINTF_LIKE(2, 3);
static int wrong_usage(const ImgCommand *cmd, const char *format, ...)
{
    va_list ap;

    va_start(ap, format);
    fputs("rearm-img: ", stderr);
    vfprintf(stderr, format, ap);
    va_end(ap);
    if (cmd) {
        fprintf(stderr, "\nrearm-img %s %s\n", cmd->name, cmd->arguments);
    } else {
        fprintf(stderr, "\nTry 'rearm-img --help'\n");
    }
    return cmd && cmd->run == img_compare ? IMG_TROUBLE : IMG_FAILED;
}

/* The arguments of a command mention a long option, or it goes with all. */
static bool takes_long(const ImgCommand *cmd, const char *name)
{
    g_autofree char *word = g_strdup_printf("--%s", name);

    return !strcmp(name, "help") || !strcmp(name, "image-opts") || strstr(cmd->arguments, word) ||
           (!strcmp(name, "force-share") && strchr(cmd->letters, 'U')) ||
           (!strcmp(name, "target-is-zero") && cmd->run == img_convert);
}

static int parse_line(const ImgCommand *cmd, int argc, char **argv, ImgLine *line)
{
    g_autofree char *letters = g_strdup_printf(":h%s", cmd->letters);
    int c, which = 0;
    /* "-1M" is a size, not an option. */
    int sizes = cmd->run == img_resize && argc > 2 && argv[argc - 1][0] == '-' && g_ascii_isdigit(argv[argc - 1][1]);

    optind = 1;
    opterr = 0;
    while ((c = getopt_long(argc - sizes, argv, letters, long_options, &which)) != -1) {
        if (c == ':') {
            return wrong_usage(cmd, "option '%s' needs an argument", argv[optind - 1]);
        }
        if (c == '?' || (c < ' ' && !takes_long(cmd, long_options[which].name))) {
            return wrong_usage(cmd, "%s has no option '%s'", cmd->name, argv[optind - 1]);
        }
        if (c == 'o') {
            g_string_append_printf(line->options, "%s%s", line->options->len ? "," : "", optarg);
        }
        line->set[c] = true;
        line->value[c] = optarg;
    }
    line->files = argv + optind;
    line->num_files = argc - optind;
    return -1;
}

static int run_command(const ImgCommand *cmd, int argc, char **argv)
{
    g_autoptr(GString) options = g_string_new(NULL);
    ImgLine line = { .options = options };
    const char *output;
    int status = parse_line(cmd, argc, argv, &line);

    if (status >= 0) {
        return status;
    }
    if (line.set['h']) {
        usage();
        return IMG_OK;
    }
    output = line.value[IMG_OUTPUT];
    line.json = output && !strcmp(output, "json");
    if (output && !line.json && strcmp(output, "human")) {
        return wrong_usage(cmd, "--output=%s: there are human and json", output);
    }
    if (img_wants_option_help(&line)) {
        return img_option_help(line.value[cmd->run == img_convert ? 'O' : 'f']);
    }
    if (line.num_files < cmd->min_files) {
        return wrong_usage(cmd, line.num_files || cmd->min_files == 1 ? "a file name is missing"
                                                                      : "file names are missing");
    }
    if (line.num_files > cmd->max_files) {
        return wrong_usage(cmd, "one argument too many: %s", line.files[cmd->max_files]);
    }
    return cmd->run(&line);
}

int main(int argc, char **argv)
{
    /* A limit on the size of files is an error of the write, as a full disk is. */
    signal(SIGXFSZ, SIG_IGN);
    if (argc < 2) {
        return wrong_usage(NULL, "what is to be done?");
    }
    if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h")) {
        usage();
        return IMG_OK;
    }
    if (!strcmp(argv[1], "--version") || !strcmp(argv[1], "-V")) {
        printf("rearm-img version %s\n", REARM_VERSION);
        return IMG_OK;
    }
    for (unsigned i = 0; i < ARRAY_SIZE(commands); i++) {
        if (!strcmp(argv[1], commands[i].name)) {
            int status = run_command(&commands[i], argc - 1, argv + 1);

            if (fflush(stdout) != 0 || ferror(stdout)) {
                return img_complain(IMG_FAILED, "cannot write the output");
            }
            return status;
        }
    }
    return wrong_usage(NULL, "there is no command '%s'", argv[1]);
}
