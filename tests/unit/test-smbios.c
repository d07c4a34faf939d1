/*
 * SMBIOS structures, walked as a reader walks them, and the entry point that firmware gets.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include <glib/gstdio.h>
#include <unistd.h>
#include "hw/core/machine.h"
#include "hw/misc/fw_cfg.h"
#include "hw/smbios/smbios.h"
#include "tests/unit/fake-replay.h"
#include "util/bytes.h"

#define GIB (1ull << 30)

typedef struct Tables {
    SmbiosConfig config;
    GPtrArray *options;
    GByteArray *bytes;
} Tables;

static void setup(Tables *t, const void *unused)
{
    t->options = g_ptr_array_new();
    t->config = (SmbiosConfig){
        .options = t->options, .version = "virt-1", .num_cpus = 2, .ram_base = GIB, .ram_size = GIB / 2,
    };
}

static void teardown(Tables *t, const void *unused)
{
    g_ptr_array_unref(t->options);
    g_clear_pointer(&t->bytes, g_byte_array_unref);
}

static void option(Tables *t, const char *text)
{
    g_ptr_array_add(t->options, (char *)text);
}

static void build(Tables *t)
{
    Error *err = NULL;

    g_clear_pointer(&t->bytes, g_byte_array_unref);
    t->bytes = smbios_build(&t->config, &err);
    g_assert_null(err);
}

/* Where the structure behind this one is: behind two zeros. */
static guint next(const Tables *t, guint at)
{
    guint end = at + t->bytes->data[at + 1];

    g_assert_cmpuint(t->bytes->data[at + 1], >=, 4);
    while (t->bytes->data[end] || t->bytes->data[end + 1]) {
        end++;
        g_assert_cmpuint(end + 1, <, t->bytes->len);
    }
    return end + 2;
}

/* The n-th structure of a type, or NULL; all up to the end are whole, and their handles differ. */
static const uint8_t *find(const Tables *t, unsigned type, unsigned n)
{
    const uint8_t *found = NULL;
    g_autoptr(GHashTable) handles = g_hash_table_new(NULL, NULL);
    guint at = 0;

    for (;;) {
        const uint8_t *s = t->bytes->data + at;

        g_assert_true(g_hash_table_add(handles, GUINT_TO_POINTER(load_le(s + 2, 2) + 1)));
        if (s[0] == type && n-- == 0) {
            found = s;
        }
        at = next(t, at);
        if (s[0] == 127) {
            break;
        }
    }
    g_assert_cmpuint(at, ==, t->bytes->len);
    return found;
}

/* The string whose number is at `offset`; "" for none. */
static const char *string_at(const uint8_t *s, unsigned offset)
{
    const char *text = (const char *)s + s[1];

    if (!s[offset]) {
        return "";
    }
    for (unsigned n = 1; n < s[offset]; n++) {
        g_assert_cmpuint(*text, !=, 0);
        text += strlen(text) + 1;
    }
    return text;
}

/* ---- without options ---- */

static void test_defaults(Tables *t, const void *unused)
{
    static const uint8_t no_uuid[16];
    const uint8_t *s;

    build(t);
    g_assert_null(find(t, 0, 0));
    g_assert_null(find(t, 2, 0));
    g_assert_null(find(t, 11, 0));
    s = find(t, 1, 0);
    g_assert_cmpuint(s[1], ==, 0x1b);
    g_assert_cmpstr(string_at(s, 4), ==, "QEMU");
    g_assert_cmpstr(string_at(s, 5), ==, "QEMU Virtual Machine");
    g_assert_cmpstr(string_at(s, 6), ==, "virt-1");
    g_assert_cmpstr(string_at(s, 7), ==, "");
    g_assert_cmpmem(s + 8, 16, no_uuid, 16);
    s = find(t, 3, 0);
    g_assert_cmpuint(s[1], ==, 0x16);
    g_assert_cmpstr(string_at(s, 4), ==, "QEMU");
    s = find(t, 32, 0);
    g_assert_cmpuint(s[1], ==, 11);
    g_assert_cmpuint(s[10], ==, 0);
}

/* A processor a socket, the last of which is not full. */
static void test_processors(Tables *t, const void *unused)
{
    const uint8_t *s;

    build(t);
    s = find(t, 4, 0);
    g_assert_cmpuint(s[1], ==, 48);
    g_assert_cmpstr(string_at(s, 4), ==, "CPU 0");
    g_assert_cmpuint(load_le(s + 20, 2), ==, 2000);
    g_assert_cmpuint(s[35], ==, 2);
    g_assert_cmpuint(s[37], ==, 2);
    g_assert_null(find(t, 4, 1));
    t->config.num_cpus = 6;
    t->config.topology = (CpuTopology){ .cpus = 6, .max_cpus = 8, .sockets = 2, .clusters = 1, .cores = 2, .threads = 2 };
    option(t, "type=4,sock_pfx=Slot,max-speed=3000,processor-id=0x123456789");
    build(t);
    s = find(t, 4, 0);
    g_assert_cmpuint(load_le(s + 42, 2), ==, 2);
    g_assert_cmpuint(load_le(s + 46, 2), ==, 4);
    g_assert_cmphex(load_le(s + 8, 8), ==, 0x123456789);
    s = find(t, 4, 1);
    g_assert_cmpstr(string_at(s, 4), ==, "Slot 1");
    g_assert_cmpuint(load_le(s + 20, 2), ==, 3000);
    g_assert_cmpuint(load_le(s + 42, 2), ==, 1);
    g_assert_cmpuint(load_le(s + 46, 2), ==, 2);
    g_assert_null(find(t, 4, 2));
}

/* Bytes of RAM, as the structures of each kind have them. */
static void check_memory(Tables *t, uint64_t bytes, unsigned dimms, uint16_t last_size)
{
    const uint8_t *s;

    t->config.ram_size = bytes;
    build(t);
    s = find(t, 16, 0);
    g_assert_cmpuint(load_le(s + 13, 2), ==, dimms);
    g_assert_cmpuint(load_le(s + 7, 4) < 1u << 31 ? load_le(s + 7, 4) << 10 : load_le(s + 15, 8), ==, bytes);
    s = find(t, 17, dimms - 1);
    g_assert_cmphex(load_le(s + 12, 2), ==, last_size);
    g_assert_cmphex(load_le(s + 4, 2), ==, 0x1000);
    g_assert_null(find(t, 17, dimms));
    s = find(t, 19, 0);
    if (load_le(s + 8, 4) == UINT32_MAX) {
        g_assert_cmphex(load_le(s + 15, 8), ==, GIB);
        g_assert_cmphex(load_le(s + 23, 8), ==, GIB + bytes - 1);
    } else {
        g_assert_cmphex(load_le(s + 4, 4), ==, GIB >> 10);
        g_assert_cmphex(load_le(s + 8, 4), ==, ((GIB + bytes) >> 10) - 1);
    }
}

static void test_memory(Tables *t, const void *unused)
{
    check_memory(t, GIB / 2, 1, 512);
    check_memory(t, 12288, 1, 0x8000 | 12);
    check_memory(t, 16 * GIB, 1, 16384);
    check_memory(t, 17 * GIB, 2, 1024);
    check_memory(t, 2048 * GIB, 128, 16384);
    check_memory(t, 4095 * GIB, 256, 15 * 1024);
    option(t, "type=17,loc_pfx=Bank,bank=b,speed=1600,serial=7");
    build(t);
    g_assert_cmpstr(string_at(find(t, 17, 255), 16), ==, "Bank 255");
    g_assert_cmpstr(string_at(find(t, 17, 0), 24), ==, "7");
    g_assert_cmpuint(load_le(find(t, 17, 0) + 21, 2), ==, 1600);
}

/* ---- with options ---- */

static void test_identity(Tables *t, const void *unused)
{
    static const uint8_t uuid[16] = { 0x55, 0x0e, 0x84, 0x00, 0xe2, 0x9b, 0x41, 0xd4, 0xa7, 0x16, 0x44, 0x66, 0x55, 0x44, 0, 9 };
    static const uint8_t swapped[16] = { 0x00, 0x84, 0x0e, 0x55, 0x9b, 0xe2, 0xd4, 0x41, 0xa7, 0x16, 0x44, 0x66, 0x55, 0x44, 0, 9 };
    const uint8_t *s;

    t->config.uuid = uuid;
    build(t);
    g_assert_cmpmem(find(t, 1, 0) + 8, 16, swapped, 16);
    option(t, "type=0,vendor=Us,version=1,,2,date=01/02/2030,release=2.8,uefi=on");
    option(t, "type=1,manufacturer=Acme,serial=S1,uuid=00000000-0000-0000-0000-00000000000a");
    option(t, "type=1,serial=S2,sku=K,family=F");
    option(t, "type=2,location=here");
    option(t, "type=3,asset=A");
    build(t);
    s = find(t, 0, 0);
    g_assert_cmpuint(s[1], ==, 24);
    g_assert_cmpstr(string_at(s, 4), ==, "Us");
    g_assert_cmpstr(string_at(s, 5), ==, "1,2");
    g_assert_cmpstr(string_at(s, 8), ==, "01/02/2030");
    g_assert_cmphex(s[19], ==, 0x18);
    g_assert_cmpuint(s[20], ==, 2);
    g_assert_cmpuint(s[21], ==, 8);
    s = find(t, 1, 0);
    g_assert_cmpstr(string_at(s, 4), ==, "Acme");
    g_assert_cmpstr(string_at(s, 7), ==, "S2");
    g_assert_cmpuint(s[23], ==, 10);
    g_assert_cmpstr(string_at(s, 25), ==, "K");
    g_assert_cmpstr(string_at(s, 26), ==, "F");
    s = find(t, 2, 0);
    g_assert_cmpstr(string_at(s, 10), ==, "here");
    g_assert_cmphex(load_le(s + 11, 2), ==, load_le(find(t, 3, 0) + 2, 2));
    g_assert_cmpstr(string_at(find(t, 3, 0), 8), ==, "A");
}

static void test_strings(Tables *t, const void *unused)
{
    g_autofree char *path = NULL, *text = NULL;
    int fd = g_file_open_tmp("test-smbios-XXXXXX", &path, NULL);
    const uint8_t *s;

    g_assert_cmpint(write(fd, "file", 4), ==, 4);
    close(fd);
    text = g_strdup_printf("type=11,path=%s,value=c", path);
    option(t, "type=11,value=a=b,value=b,,c");
    option(t, text);
    build(t);
    s = find(t, 11, 0);
    g_assert_cmpuint(s[4], ==, 4);
    g_assert_cmpstr((const char *)s + 5, ==, "a=b");
    g_assert_cmpstr((const char *)s + 9, ==, "b,c");
    g_assert_cmpstr((const char *)s + 13, ==, "file");
    g_assert_cmpstr((const char *)s + 18, ==, "c");
    g_unlink(path);
}

static void test_refused(Tables *t, const void *unused)
{
    static const struct {
        const char *option, *message;
    } cases[] = {
        { "", "-smbios : expected type=N,KEY=VALUE,..." },
        { "type=x", "-smbios type=x: expected type=N,KEY=VALUE,..." },
        { "type=5", "-smbios type=5: there are types 0, 1, 2, 3, 4, 11 and 17" },
        { "type=0,release=2", "-smbios type=0,release=2: expected two numbers up to 255, as in 2.8" },
        { "type=0,release=2.256", "-smbios type=0,release=2.256: expected two numbers up to 255, as in 2.8" },
        { "type=11", "-smbios type=11: expected value=TEXT or path=FILE" },
        { "type=1,uuid=1", "-smbios type=1,uuid=1: expected 32 hexadecimal digits as in "
          "550e8400-e29b-41d4-a716-446655440000" },
        { "file=x", "-smbios file=x: whole structures are not taken; type=N,KEY=VALUE,... says what is in one" },
    };

    option(t, NULL);
    for (unsigned i = 0; i < ARRAY_SIZE(cases); i++) {
        Error *err = NULL;

        t->options->pdata[0] = (char *)cases[i].option;
        g_assert_null(smbios_build(&t->config, &err));
        g_assert_cmpstr(error_get_pretty(err), ==, cases[i].message);
        error_free(err);
    }
    for (unsigned i = 0; i < 3; i++) {
        static const char *const others[] = { "type=1,serail=x", "type=4,max-speed=65536", "type=11,path=/no/such" };

        t->options->pdata[0] = (char *)others[i];
        g_assert_null(smbios_build(&t->config, NULL));
    }
}

/* ---- the entry point ---- */

#define FW_CFG_BASE 0x09020000

static void read_item(Machine *m, uint16_t key, uint8_t *out, size_t length)
{
    g_assert_true(memory_io_write(m->memory, FW_CFG_BASE + 8, 2, GUINT16_SWAP_LE_BE(key)));
    for (size_t i = 0; i < length; i++) {
        uint64_t byte = 0;

        g_assert_true(memory_io_read(m->memory, FW_CFG_BASE, 1, &byte));
        out[i] = (uint8_t)byte;
    }
}

static GByteArray *read_file(Machine *m, const char *name)
{
    uint8_t dir[4 + 64 * 4];
    GByteArray *file = g_byte_array_new();

    read_item(m, FW_CFG_FILE_DIR, dir, sizeof(dir));
    for (unsigned i = 0; i < load_be(dir, 4); i++) {
        const uint8_t *entry = dir + 4 + 64 * i;

        if (!strcmp((const char *)entry + 8, name)) {
            g_byte_array_set_size(file, (guint)load_be(entry, 4));
            read_item(m, (uint16_t)load_be(entry + 4, 2), file->data, file->len);
        }
    }
    return file;
}

static void test_anchor(Tables *t, const void *unused)
{
    Machine *m = machine_new(NULL);
    Device *dev = device_add(m, &fw_cfg_type, "fw_cfg", FW_CFG_BASE, IRQ_NONE, NULL);
    g_autoptr(GByteArray) tables = NULL, anchor = NULL;
    uint8_t sum = 0;

    build(t);
    g_assert_true(smbios_add(fw_cfg(dev), t->bytes, NULL));
    tables = read_file(m, "etc/smbios/smbios-tables");
    anchor = read_file(m, "etc/smbios/smbios-anchor");
    g_assert_cmpmem(tables->data, tables->len, t->bytes->data, t->bytes->len);
    g_assert_cmpuint(anchor->len, ==, 24);
    g_assert_cmpmem(anchor->data, 5, "_SM3_", 5);
    for (guint i = 0; i < anchor->len; i++) {
        sum = (uint8_t)(sum + anchor->data[i]);
    }
    g_assert_cmpuint(sum, ==, 0);
    g_assert_cmpuint(load_le(anchor->data + 12, 4), ==, tables->len);
    machine_free(m);
}

#define TEST(name) g_test_add("/smbios/" #name, Tables, NULL, setup, test_##name, teardown)

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    TEST(defaults);
    TEST(processors);
    TEST(memory);
    TEST(identity);
    TEST(strings);
    TEST(refused);
    TEST(anchor);
    return g_test_run();
}
