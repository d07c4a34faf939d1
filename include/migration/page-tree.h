/*
 * The content of a memory's pages at one moment, as a persistent tree: trees share all that is
 * equal in them, so many moments cost what changed between them, and going from one to
 * another costs their difference.
 *
 * A tree is immutable once somebody else holds it, too. Trees with equal PageStore may share
 * parts. One thread.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef MIGRATION_PAGE_TREE_H
#define MIGRATION_PAGE_TREE_H

#include <stdbool.h>
#include <stdint.h>

#define PAGE_TREE_PAGE_SIZE 4096

typedef struct PageTree PageTree;

/* Where trees have their pages. It begins as zeros. */
typedef struct PageStore {
    uint64_t bytes;           /* that all trees together take */
    struct PageBlock *blocks; /* the newest one first */
    size_t used;              /* bytes of that one that were given out */
    void *unused;             /* pages that were given back, each with a pointer to the next one */
} PageStore;

/* When there is no tree any more. */
void page_store_clear(PageStore *store);

/* num_pages pages of zeros, at most 2^36. store must outlive the tree. */
PageTree *page_tree_new(PageStore *store, uint64_t num_pages);
/* The same pages; what is set in one of both later is not seen in the other. O(1). */
PageTree *page_tree_copy(const PageTree *tree);
void page_tree_free(PageTree *tree);

/*
 * A new version of the page, also when its content stays the same (which costs a few bytes then).
 * content: PAGE_TREE_PAGE_SIZE bytes, copied; NULL: zeros.
 */
void page_tree_set(PageTree *tree, uint64_t page, const uint8_t *content);
/* The same for content that stays where and as it is as long as the store has trees: not copied. */
void page_tree_set_lasting(PageTree *tree, uint64_t page, const uint8_t *content);
/* NULL: zeros. Valid until the tree is changed or freed. */
const uint8_t *page_tree_get(const PageTree *tree, uint64_t page);
/*
 * Whether both trees have got the page from the same page_tree_set(), if it was ever set: of a tree and
 * a copy, that it was set in neither since, not even to what it was.
 */
bool page_tree_same_version(const PageTree *a, const PageTree *b, uint64_t page);

/* Calls fn for each page in which both may differ, in order, with the content in `to`. */
typedef void PageTreeFn(void *opaque, uint64_t page, const uint8_t *content);
void page_tree_diff(const PageTree *from, const PageTree *to, PageTreeFn *fn, void *opaque);

#endif
