/*
 * Trees of pages against plain arrays: what is set in one is not seen in another, a difference
 * names every page that differs, and all memory is accounted for and given back.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "rng.h"
#include <glib.h>
#include "migration/page-tree.h"

#define TREES 8

/* A page is known by its first byte; 0: zeros. */
typedef struct Model {
    uint64_t num_pages;
    uint8_t *page[TREES];
    PageTree *tree[TREES];
} Model;

static const uint8_t *content(uint8_t seed)
{
    static uint8_t buffer[PAGE_TREE_PAGE_SIZE];

    memset(buffer, seed, sizeof(buffer));
    return seed ? buffer : NULL;
}

static void check_page(const Model *m, unsigned t, uint64_t page)
{
    const uint8_t *found = page_tree_get(m->tree[t], page);

    g_assert_cmpuint(found ? found[PAGE_TREE_PAGE_SIZE - 1] : 0, ==, m->page[t][page]);
}

typedef struct Diff {
    uint8_t *page;
    uint64_t next;
    unsigned calls;
} Diff;

static void apply(void *opaque, uint64_t page, const uint8_t *data)
{
    Diff *d = opaque;

    g_assert_cmpuint(page, >=, d->next);
    d->next = page + 1;
    d->calls++;
    d->page[page] = data ? data[0] : 0;
}

static void check_diff(const Model *m, unsigned from, unsigned to)
{
    Diff d = { .page = g_memdup2(m->page[from], m->num_pages) };

    page_tree_diff(m->tree[from], m->tree[to], apply, &d);
    g_assert_cmpmem(d.page, m->num_pages, m->page[to], m->num_pages);
    g_free(d.page);
}

static void step(Model *m, Rng *rng)
{
    unsigned t = rng_below(rng, TREES), other = rng_below(rng, TREES);
    uint64_t page = rng_below(rng, (unsigned)m->num_pages);

    if (rng_percent(rng, 3) && t != other) {
        page_tree_free(m->tree[t]);
        m->tree[t] = page_tree_copy(m->tree[other]);
        memcpy(m->page[t], m->page[other], m->num_pages);
    } else {
        m->page[t][page] = (uint8_t)(rng_percent(rng, 20) ? 0 : rng_next(rng));
        page_tree_set(m->tree[t], page, content(m->page[t][page]));
    }
    check_page(m, other, page);
    if (rng_percent(rng, 2)) {
        check_diff(m, t, other);
    }
}

static void check_size(uint64_t num_pages, uint64_t seed)
{
    PageStore store = { 0 };
    Model m = { .num_pages = num_pages };
    Rng rng = { seed };

    for (unsigned t = 0; t < TREES; t++) {
        m.tree[t] = page_tree_new(&store, num_pages);
        m.page[t] = g_malloc0(num_pages);
    }
    for (unsigned n = 0; n < 20000; n++) {
        step(&m, &rng);
    }
    for (unsigned t = 0; t < TREES; t++) {
        for (uint64_t page = 0; page < num_pages; page++) {
            check_page(&m, t, page);
        }
        page_tree_free(m.tree[t]);
        g_free(m.page[t]);
    }
    g_assert_cmpuint(store.bytes, ==, 0);
    page_store_clear(&store);
}

static void test_random(void)
{
    check_size(1, 1);
    check_size(64, 2);
    check_size(65, 3);
    check_size(5000, 4);
}

static void test_shared(void)
{
    PageStore store = { 0 };
    PageTree *a = page_tree_new(&store, 1 << 18), *b;
    uint64_t before;
    Diff d = { .page = g_malloc0(1 << 18) };

    for (uint64_t page = 0; page < 1000; page++) {
        page_tree_set(a, page, content(1));
    }
    before = store.bytes;
    b = page_tree_copy(a);
    page_tree_set(b, 5, content(1));
    /* A version and its path, but no second copy of the content. */
    g_assert_cmpuint(store.bytes - before, <, 2048);
    page_tree_diff(a, b, apply, &d);
    g_assert_cmpuint(d.calls, ==, 0);
    /* One page and its path. */
    page_tree_set(b, 5, content(2));
    g_assert_cmpuint(store.bytes - before, <, 8192);
    page_tree_diff(a, b, apply, &d);
    g_assert_cmpuint(d.calls, ==, 1);
    g_assert_cmpuint(d.page[5], ==, 2);
    page_tree_free(a);
    page_tree_free(b);
    g_assert_cmpuint(store.bytes, ==, 0);
    page_store_clear(&store);
    g_free(d.page);
}

/* Whoever sets a page leaves a trace, whatever it is set to. */
static void test_versions(void)
{
    PageStore store = { 0 };
    PageTree *a = page_tree_new(&store, 100), *b, *c;

    page_tree_set(a, 7, content(1));
    b = page_tree_copy(a);
    g_assert_true(page_tree_same_version(a, b, 7));
    g_assert_true(page_tree_same_version(a, b, 8));
    page_tree_set(a, 7, content(1));
    page_tree_set(a, 8, NULL);
    g_assert_false(page_tree_same_version(a, b, 7));
    g_assert_false(page_tree_same_version(a, b, 8));
    g_assert_true(page_tree_same_version(a, b, 9));
    c = page_tree_copy(a);
    g_assert_true(page_tree_same_version(a, c, 8));
    page_tree_set(a, 8, content(2));
    page_tree_set(a, 8, NULL);
    g_assert_false(page_tree_same_version(a, c, 8));
    page_tree_free(a);
    page_tree_free(b);
    page_tree_free(c);
    g_assert_cmpuint(store.bytes, ==, 0);
    page_store_clear(&store);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/page-tree/random", test_random);
    g_test_add_func("/page-tree/shared", test_shared);
    g_test_add_func("/page-tree/versions", test_versions);
    return g_test_run();
}
