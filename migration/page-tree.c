/*
 * Persistent trees of page contents: nodes of 64 children with reference counts. A node that only
 * one tree leads to is changed in place, another one is copied first.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include <glib.h>
#include "migration/page-tree.h"

#define NODE_BITS 6
#define NODE_CHILDREN (1u << NODE_BITS)
#define MAX_LEVELS 6

/* A page or a node: what both begin with. */
typedef struct Shared {
    unsigned refs;
} Shared;

typedef struct Page {
    Shared shared;
    uint8_t content[PAGE_TREE_PAGE_SIZE];
} Page;

/* Children are nodes of the level below, or, at level 1, pages. NULL: all zeros. */
typedef struct Node {
    Shared shared;
    Shared *child[NODE_CHILDREN];
} Node;

struct PageTree {
    PageStore *store;
    unsigned levels;
    Shared *root;
};

static size_t shared_size(unsigned level)
{
    return level ? sizeof(Node) : sizeof(Page);
}

static Shared *shared_ref(Shared *s)
{
    if (s) {
        s->refs++;
    }
    return s;
}

static void shared_unref(PageStore *store, Shared *s, unsigned level)
{
    if (!s || --s->refs) {
        return;
    }
    for (unsigned n = 0; level && n < NODE_CHILDREN; n++) {
        shared_unref(store, ((Node *)s)->child[n], level - 1);
    }
    store->bytes -= shared_size(level);
    g_free(s);
}

/* *place becomes a node that nobody else has. */
static Node *own_node(PageStore *store, Shared **place)
{
    Node *old = (Node *)*place, *node;

    if (old && old->shared.refs == 1) {
        return old;
    }
    node = g_new0(Node, 1);
    store->bytes += sizeof(Node);
    node->shared.refs = 1;
    for (unsigned n = 0; old && n < NODE_CHILDREN; n++) {
        node->child[n] = shared_ref(old->child[n]);
    }
    if (old) {
        old->shared.refs--;
    }
    *place = &node->shared;
    return node;
}

static void set_page(PageStore *store, Shared **place, const uint8_t *content)
{
    Page *page = (Page *)*place;

    if (!content) {
        shared_unref(store, *place, 0);
        *place = NULL;
        return;
    }
    if (!page || page->shared.refs > 1) {
        shared_unref(store, *place, 0);
        page = g_new(Page, 1);
        store->bytes += sizeof(Page);
        page->shared.refs = 1;
        *place = &page->shared;
    }
    memcpy(page->content, content, PAGE_TREE_PAGE_SIZE);
}

PageTree *page_tree_new(PageStore *store, uint64_t num_pages)
{
    PageTree *tree = g_new0(PageTree, 1);

    tree->store = store;
    tree->levels = 1;
    while (num_pages > 1ull << (NODE_BITS * tree->levels)) {
        tree->levels++;
    }
    assert(tree->levels <= MAX_LEVELS);
    return tree;
}

PageTree *page_tree_copy(const PageTree *tree)
{
    PageTree *copy = g_memdup2(tree, sizeof(*tree));

    shared_ref(copy->root);
    return copy;
}

void page_tree_free(PageTree *tree)
{
    shared_unref(tree->store, tree->root, tree->levels);
    g_free(tree);
}

static unsigned child_number(uint64_t page, unsigned level)
{
    return (page >> (NODE_BITS * (level - 1))) % NODE_CHILDREN;
}

const uint8_t *page_tree_get(const PageTree *tree, uint64_t page)
{
    const Shared *s = tree->root;

    for (unsigned level = tree->levels; s && level; level--) {
        s = ((const Node *)s)->child[child_number(page, level)];
    }
    return s ? ((const Page *)s)->content : NULL;
}

static bool same_content(const uint8_t *a, const uint8_t *b)
{
    return a == b || (a && b && memcmp(a, b, PAGE_TREE_PAGE_SIZE) == 0);
}

void page_tree_set(PageTree *tree, uint64_t page, const uint8_t *content)
{
    Shared **place = &tree->root;

    if (same_content(page_tree_get(tree, page), content)) {
        return;
    }
    for (unsigned level = tree->levels; level; level--) {
        place = &own_node(tree->store, place)->child[child_number(page, level)];
    }
    set_page(tree->store, place, content);
}

static void diff(Shared *from, Shared *to, unsigned level, uint64_t first, PageTreeFn *fn,
                 void *opaque)
{
    if (from == to) {
        return;
    }
    if (level == 0) {
        fn(opaque, first, to ? ((Page *)to)->content : NULL);
        return;
    }
    for (unsigned n = 0; n < NODE_CHILDREN; n++) {
        diff(from ? ((Node *)from)->child[n] : NULL, to ? ((Node *)to)->child[n] : NULL, level - 1,
             first + ((uint64_t)n << (NODE_BITS * (level - 1))), fn, opaque);
    }
}

void page_tree_diff(const PageTree *from, const PageTree *to, PageTreeFn *fn, void *opaque)
{
    assert(from->levels == to->levels);
    diff(from->root, to->root, from->levels, 0, fn, opaque);
}
