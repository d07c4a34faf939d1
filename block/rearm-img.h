/*
 * rearm-img: what its parts share.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef BLOCK_REARM_IMG_H
#define BLOCK_REARM_IMG_H

#include "block/block.h"

/* Exit statuses; those of check and compare are their own. */
enum {
    IMG_OK = 0,
    IMG_FAILED = 1,
    IMG_CORRUPTIONS = 2, IMG_LEAKS = 3, IMG_NO_CHECK = 63,
    IMG_DIFFERENT = 1, IMG_TROUBLE = 2,
};

/* Options of more than a letter. */
enum {
    IMG_OUTPUT = 1, IMG_CHAIN, IMG_SHRINK, IMG_PREALLOCATION, IMG_OPTS, IMG_START, IMG_LENGTH, IMG_TARGET_IS_ZERO,
    IMG_HELP,
};

/* A command line: options by letter (or the enumeration above), and what else there is. */
typedef struct ImgLine {
    bool set[128];
    const char *value[128];
    GString *options;           /* all of -o */
    char **files;
    int num_files;
    bool json;
} ImgLine;

typedef struct ImgProgress {
    bool shown;
    double last;
} ImgProgress;

typedef struct ImgCommand {
    const char *name;
    const char *letters;        /* as getopt() has them */
    const char *arguments, *doc;
    int min_files, max_files;
    int (*run)(ImgLine *line);
} ImgCommand;

/* ---- rearm-img.c ---- */

/* "rearm-img: MESSAGE"; the status. Frees err. */
int img_fail(int status, Error *err);
int img_complain(int status, const char *format, ...) PRINTF_LIKE(2, 3);
/* -q: nothing of this is printed. */
void img_say(const ImgLine *line, const char *format, ...) PRINTF_LIKE(2, 3);
/* With --image-opts, the name is a list of options. Prints what is wrong. */
BlockNode *img_open(const ImgLine *line, const char *filename, const char *format, unsigned flags);
/* -t, -T: what caching means for flags; prints what is wrong. */
bool img_cache_flags(const char *mode, unsigned *flags);
/* "1.5 MiB"; to be freed. */
char *img_size_text(uint64_t bytes);

void img_progress_begin(ImgProgress *p, const ImgLine *line);
void img_progress(ImgProgress *p, uint64_t done, uint64_t of);
void img_progress_end(ImgProgress *p);

/* ---- the commands ---- */

int img_create(ImgLine *line);
int img_check(ImgLine *line);
int img_snapshot(ImgLine *line);
int img_resize(ImgLine *line);
int img_info(ImgLine *line);
int img_map(ImgLine *line);
int img_convert(ImgLine *line);
int img_compare(ImgLine *line);
int img_commit(ImgLine *line);
int img_rebase(ImgLine *line);

/* Make a new image, from a list of options without size=; prints what is wrong. */
bool img_make(const char *filename, const char *format, const char *options, uint64_t size);
/* "-o help": list them. */
bool img_wants_option_help(const ImgLine *line);
int img_option_help(const char *format);
void img_print_snapshots(GPtrArray *list);

#endif
