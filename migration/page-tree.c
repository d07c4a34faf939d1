/*
 * Persistent trees of page contents: nodes of 64 children with reference counts. A node that only
 * one tree leads to is changed in place, another one is copied first. Each page_tree_set() makes a
 * version of the page, so that trees which share one know that it was not set in between.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include <glib.h>
#include "migration/page-tree.h"
#include "util/host-memory.h"

#define NODE_BITS 6
#define NODE_CHILDREN (1u << NODE_BITS)
#define MAX_LEVELS 6

/* A version of a page or a node: what both begin with. */
typedef struct Shared {
    unsigned refs;
} Shared;

typedef struct Content {
    unsigned refs;
    uint8_t *bytes;           /* PAGE_TREE_PAGE_SIZE, of the store */
} Content;

/* A version; several may have the same content. */
typedef struct Page {
    Shared shared;
    Content *content;         /* NULL: zeros */
} Page;

/* Children are nodes of the level below, or, at level 1, pages. NULL: zeros, never set. */
typedef struct Node {
    Shared shared;
    Shared *child[NODE_CHILDREN];
} Node;

struct PageTree {
    PageStore *store;
    unsigned levels;
    Shared *root;
};

/* ---- the store ---- */

/*
 * Memory of the host for many pages: as single allocations each would be a few page faults, and a
 * system call in threads other than the first one. Blocks get larger, up to a huge page.
 */
typedef struct PageBlock {
    struct PageBlock *next;
    uint8_t *start;
    size_t size;
} PageBlock;

#define FIRST_BLOCK (64u << 10)
#define MAX_BLOCK (2u << 20)

static void new_block(PageStore *store)
{
    size_t size = store->blocks ? MIN(store->blocks->size * 2, MAX_BLOCK) : FIRST_BLOCK;
    PageBlock *block = g_new(PageBlock, 1);

    *block = (PageBlock){ store->blocks, g_aligned_alloc(1, size, size), size };
    host_memory_will_fill(block->start, size);
    store->blocks = block;
    store->used = 0;
}

static uint8_t *store_get(PageStore *store)
{
    void **page = store->unused;

    store->bytes += PAGE_TREE_PAGE_SIZE;
    if (page) {
        store->unused = *page;
        return (uint8_t *)page;
    }
    if (!store->blocks || store->used == store->blocks->size) {
        new_block(store);
    }
    store->used += PAGE_TREE_PAGE_SIZE;
    return store->blocks->start + store->used - PAGE_TREE_PAGE_SIZE;
}

static void store_put(PageStore *store, uint8_t *page)
{
    store->bytes -= PAGE_TREE_PAGE_SIZE;
    *(void **)page = store->unused;
    store->unused = page;
}

void page_store_clear(PageStore *store)
{
    assert(store->bytes == 0);
    while (store->blocks) {
        PageBlock *block = store->blocks;

        store->blocks = block->next;
        g_aligned_free(block->start);
        g_free(block);
    }
    *store = (PageStore){ 0 };
}

/* ---- nodes ---- */

static size_t shared_size(unsigned level)
{
    return level ? sizeof(Node) : sizeof(Page);
}

static void content_unref(PageStore *store, Content *c)
{
    if (c && !--c->refs) {
        store->bytes -= sizeof(*c);
        store_put(store, c->bytes);
        g_free(c);
    }
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
    if (level == 0) {
        content_unref(store, ((Page *)s)->content);
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

static const uint8_t *content_bytes(const Shared *page)
{
    const Content *c = page ? ((const Page *)page)->content : NULL;

    return c ? c->bytes : NULL;
}

static bool same_bytes(const uint8_t *a, const uint8_t *b)
{
    return a == b || (a && b && memcmp(a, b, PAGE_TREE_PAGE_SIZE) == 0);
}

/* A new content, or old when that is the same. The caller's reference. */
static Content *make_content(PageStore *store, Content *old, const uint8_t *bytes)
{
    Content *c;

    if (same_bytes(old ? old->bytes : NULL, bytes)) {
        if (old) {
            old->refs++;
        }
        return old;
    }
    if (!bytes) {
        return NULL;
    }
    c = g_new(Content, 1);
    store->bytes += sizeof(*c);
    c->refs = 1;
    c->bytes = store_get(store);
    memcpy(c->bytes, bytes, PAGE_TREE_PAGE_SIZE);
    return c;
}

/* A version that nobody else has. */
static void set_page(PageStore *store, Shared **place, const uint8_t *bytes)
{
    Page *old = (Page *)*place, *page = g_new(Page, 1);

    store->bytes += sizeof(*page);
    page->shared.refs = 1;
    page->content = make_content(store, old ? old->content : NULL, bytes);
    shared_unref(store, *place, 0);
    *place = &page->shared;
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

static const Shared *find(const PageTree *tree, uint64_t page)
{
    const Shared *s = tree->root;

    for (unsigned level = tree->levels; s && level; level--) {
        s = ((const Node *)s)->child[child_number(page, level)];
    }
    return s;
}

const uint8_t *page_tree_get(const PageTree *tree, uint64_t page)
{
    return content_bytes(find(tree, page));
}

bool page_tree_same_version(const PageTree *a, const PageTree *b, uint64_t page)
{
    return find(a, page) == find(b, page);
}

void page_tree_set(PageTree *tree, uint64_t page, const uint8_t *content)
{
    Shared **place = &tree->root;

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
        if (content_bytes(from) != content_bytes(to)) {
            fn(opaque, first, content_bytes(to));
        }
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
