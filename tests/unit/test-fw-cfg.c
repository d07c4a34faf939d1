/*
 * fw_cfg: items by data port at each width, files, DMA and its misuse.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/misc/fw_cfg.h"

#define BASE 0x09020000ull
#define RAM 0x40000000ull
#define RAM_SIZE 0x100000ull
#define BLOCK (RAM + 0x100)
#define BUFFER (RAM + 0x1000)

static Machine *machine;
static FwCfg *fw;

static void setup(void)
{
    g_autoptr(GBytes) kernel = g_bytes_new_static("0123456789abcdef", 16);

    machine = machine_new(NULL);
    g_assert_nonnull(memory_add_ram(machine->memory, "ram", RAM, RAM_SIZE, false, NULL));
    fw = fw_cfg(device_add(machine, &fw_cfg_type, "fw_cfg", BASE, IRQ_NONE, NULL));
    fw_cfg_add_u16(fw, FW_CFG_NB_CPUS, 4);
    fw_cfg_add_u32(fw, FW_CFG_KERNEL_SIZE, 0x12345678);
    fw_cfg_add_bytes(fw, FW_CFG_KERNEL_DATA, kernel);
    machine_reset_devices(machine);
}

static void teardown(void)
{
    machine_free(machine);
}

static void select_key(uint16_t key)
{
    g_assert_true(memory_io_write(machine->memory, BASE + 8, 2, GUINT16_SWAP_LE_BE(key)));
}

static uint64_t data(unsigned size)
{
    uint64_t value = 0;

    g_assert_true(memory_io_read(machine->memory, BASE, size, &value));
    return value;
}

static void test_items(void)
{
    setup();
    select_key(FW_CFG_SIGNATURE);
    g_assert_cmphex(data(4), ==, 0x554d4551);       /* 'Q' is the first byte */
    g_assert_cmphex(data(1), ==, 0);                /* behind the end */
    select_key(FW_CFG_ID);
    g_assert_cmphex(data(4), ==, 3);
    select_key(FW_CFG_NB_CPUS);
    g_assert_cmphex(data(2), ==, 4);
    select_key(FW_CFG_KERNEL_SIZE);
    g_assert_cmphex(data(1), ==, 0x78);
    g_assert_cmphex(data(2), ==, 0x3456);
    g_assert_cmphex(data(4), ==, 0x12);
    select_key(FW_CFG_KERNEL_DATA);
    g_assert_cmphex(data(8), ==, 0x3736353433323130ull);
    g_assert_cmphex(data(1), ==, '8');
    select_key(FW_CFG_KERNEL_DATA);
    g_assert_cmphex(data(1), ==, '0');
    /* keys that do not exist read as zero */
    select_key(0x18);
    g_assert_cmphex(data(8), ==, 0);
    select_key(0x3fff);
    g_assert_cmphex(data(8), ==, 0);
    select_key(0x8000);
    g_assert_cmphex(data(8), ==, 0);
    teardown();
}

static void test_files(void)
{
    g_autoptr(GBytes) one = g_bytes_new_static("one", 3);
    g_autoptr(GBytes) two = g_bytes_new_static("second", 6);
    g_autofree char *too_long = g_strnfill(56, 'x');
    char name[56];
    Error *err = NULL;

    setup();
    g_assert_true(fw_cfg_add_file(fw, "opt/z", two, NULL));
    g_assert_true(fw_cfg_add_file(fw, "etc/a", one, NULL));
    g_assert_false(fw_cfg_add_file(fw, "etc/a", one, &err));
    g_assert_nonnull(strstr(error_get_pretty(err), "etc/a"));
    error_free(err);
    g_assert_false(fw_cfg_add_file(fw, too_long, one, NULL));
    g_assert_false(fw_cfg_add_file(fw, "", one, NULL));
    for (unsigned i = 2; i < FW_CFG_MAX_FILES; i++) {
        g_snprintf(name, sizeof(name), "opt/%u", i);
        g_assert_true(fw_cfg_add_file(fw, name, one, NULL));
    }
    g_assert_false(fw_cfg_add_file(fw, "opt/one-too-many", one, NULL));

    select_key(FW_CFG_FILE_DIR);
    g_assert_cmphex(data(4), ==, GUINT32_SWAP_LE_BE(FW_CFG_MAX_FILES));
    /* "etc/a" sorts first and so has the first key */
    g_assert_cmphex(data(4), ==, GUINT32_SWAP_LE_BE(3));
    g_assert_cmphex(data(2), ==, GUINT16_SWAP_LE_BE(0x20));
    g_assert_cmphex(data(2), ==, 0);
    g_assert_cmphex(data(8), ==, 0x612f637465ull);
    select_key(FW_CFG_FILE_FIRST);
    g_assert_cmphex(data(4), ==, 0x00656e6f);
    select_key(FW_CFG_FILE_FIRST + FW_CFG_MAX_FILES - 1);
    g_assert_cmphex(data(4), ==, 0x6f636573);
    teardown();
}

static void put_be(uint64_t addr, uint64_t value, unsigned size)
{
    uint8_t raw[8];

    for (unsigned i = 0; i < size; i++) {
        raw[i] = (uint8_t)(value >> (8 * (size - 1 - i)));
    }
    g_assert_true(memory_write(machine->memory, addr, raw, size));
}

static uint64_t ram(uint64_t addr, unsigned size)
{
    uint64_t value = 0;

    g_assert_true(memory_read(machine->memory, addr, &value, size));
    return value;
}

/* Run one DMA command by two 32-bit writes; the control word afterwards. */
static uint32_t dma(uint32_t control, uint32_t length, uint64_t address)
{
    put_be(BLOCK, control, 4);
    put_be(BLOCK + 4, length, 4);
    put_be(BLOCK + 8, address, 8);
    g_assert_true(memory_io_write(machine->memory, BASE + 0x10, 4, 0));
    g_assert_true(memory_io_write(machine->memory, BASE + 0x14, 4,
                                  GUINT32_SWAP_LE_BE((uint32_t)BLOCK)));
    return GUINT32_SWAP_LE_BE((uint32_t)ram(BLOCK, 4));
}

static void test_dma(void)
{
    uint64_t value;

    setup();
    g_assert_true(memory_io_read(machine->memory, BASE + 0x10, 8, &value));
    g_assert_cmphex(value, ==, GUINT64_SWAP_LE_BE(0x51454d5520434647ull));
    g_assert_true(memory_io_read(machine->memory, BASE + 0x14, 4, &value));
    g_assert_cmphex(value, ==, GUINT32_SWAP_LE_BE(0x20434647));

    /* select and read, then skip, then read over the end: zero fill */
    g_assert_cmphex(dma(FW_CFG_KERNEL_DATA << 16 | 8 | 2, 4, BUFFER), ==, 0);
    g_assert_cmphex(ram(BUFFER, 4), ==, 0x33323130);
    g_assert_cmphex(dma(4, 8, 0), ==, 0);
    put_be(BUFFER, UINT64_MAX, 8);
    g_assert_cmphex(dma(2, 6, BUFFER), ==, 0);
    g_assert_cmphex(ram(BUFFER, 8), ==, 0xffff000066656463ull);
    g_assert_cmphex(data(1), ==, 0);

    /* the same by one 64-bit write */
    put_be(BLOCK, FW_CFG_KERNEL_DATA << 16 | 8 | 2, 4);
    put_be(BLOCK + 4, 2, 4);
    g_assert_true(memory_io_write(machine->memory, BASE + 0x10, 8, GUINT64_SWAP_LE_BE(BLOCK)));
    g_assert_cmphex(ram(BUFFER, 2), ==, 0x3130);
    g_assert_cmphex(data(1), ==, '2');
    teardown();
}

static void test_dma_misuse(void)
{
    setup();
    /* outside RAM, over its end, at the top of the address space, huge */
    g_assert_cmphex(dma(FW_CFG_KERNEL_DATA << 16 | 8 | 2, 4, 0x1000), ==, 1);
    g_assert_cmphex(dma(2, 4, RAM + RAM_SIZE - 3), ==, 1);
    g_assert_cmphex(dma(2, 4, UINT64_MAX - 1), ==, 1);
    g_assert_cmphex(dma(2, 0xffffffff, BUFFER), ==, 1);
    g_assert_cmphex(dma(2, 4, BASE), ==, 1);
    g_assert_cmphex(data(1), ==, '0');
    /* items are read-only */
    g_assert_cmphex(dma(16, 4, BUFFER), ==, 1);
    /* a skip of 4 GiB stops at the end; no item: zeros */
    g_assert_cmphex(dma(4, 0xffffffff, 0), ==, 0);
    g_assert_cmphex(data(1), ==, 0);
    put_be(BUFFER, UINT64_MAX, 8);
    g_assert_cmphex(dma(0x777u << 16 | 8 | 2, 8, BUFFER), ==, 0);
    g_assert_cmphex(ram(BUFFER, 8), ==, 0);
    /* a control block that is not in RAM */
    g_assert_true(memory_io_write(machine->memory, BASE + 0x10, 8, UINT64_MAX));
    g_assert_true(memory_io_write(machine->memory, BASE + 0x10, 8, 0));
    g_assert_true(memory_io_write(machine->memory, BASE + 0x10, 1, 0xff));
    g_assert_true(memory_io_write(machine->memory, BASE, 4, 0xff));
    teardown();
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/fw-cfg/items", test_items);
    g_test_add_func("/fw-cfg/files", test_files);
    g_test_add_func("/fw-cfg/dma", test_dma);
    g_test_add_func("/fw-cfg/dma-misuse", test_dma_misuse);
    return g_test_run();
}
