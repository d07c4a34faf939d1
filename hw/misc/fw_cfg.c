/*
 * The firmware configuration device, memory-mapped variant ("qemu,fw-cfg-mmio").
 * Wiring: one window of 0x18 bytes, no interrupt:
 *
 *   0x00  data      reads the selected item; bytes keep their order at any width
 *   0x08  selector  16 bits, big-endian; selecting an item rewinds it
 *   0x10  DMA       64 bits, big-endian: the address of a control block; writing
 *                   the low half starts the transfer; reads as "QEMU CFG"
 *
 * Items are read-only: writes to them are refused, as QEMU does for items that
 * no device made writable.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/misc/fw_cfg.h"
#include "hw/core/fdt-binding.h"
#include "util/bitops.h"
#include "util/bytes.h"
#include "util/log.h"
#include "util/trace.h"

enum Offset {
    REG_DATA = 0x00,
    REG_SELECTOR = 0x08,
    REG_DMA_HIGH = 0x10,
    REG_DMA_LOW = 0x14,
};

/* The control block: be32 control, be32 length, be64 address. */
enum DmaControl {
    DMA_ERROR = 1 << 0,
    DMA_READ = 1 << 1,
    DMA_SKIP = 1 << 2,
    DMA_SELECT = 1 << 3,
    DMA_WRITE = 1 << 4,
    DMA_SELECT_SHIFT = 16,
};

#define DMA_BLOCK_SIZE 16
#define DMA_SIGNATURE 0x51454d5520434647ull     /* "QEMU CFG" */
#define ID_TRADITIONAL (1 << 0)
#define ID_DMA (1 << 1)
/* Selector bits that do not number an item. */
#define KEY_WRITE_CHANNEL 0x4000
#define KEY_ARCH_LOCAL 0x8000
#define KEY_NONE 0xffff
#define NUM_ITEMS (FW_CFG_FILE_FIRST + FW_CFG_MAX_FILES)
#define DIR_ENTRY_SIZE 64

typedef struct FwCfgState {
    uint64_t dma_address;
    uint32_t offset;
    uint16_t key;
    uint16_t pad;
} FwCfgState;

#define FW_CFG_FIELDS(F, S) \
    F(S, U64, dma_address)  \
    F(S, U32, offset)       \
    F(S, U16, key)          \
    F(S, U16, pad)

FIELD_TABLE(fw_cfg_fields, "fw_cfg", 1, FwCfgState, FW_CFG_FIELDS);

typedef struct FwCfgFile {
    char *name;
    GBytes *data;
} FwCfgFile;

struct FwCfg {
    Device dev;
    FwCfgState state;
    GBytes *item[NUM_ITEMS];     /* files too, from FW_CFG_FILE_FIRST on, by name */
    GArray *files;               /* FwCfgFile, sorted by name */
};

static const uint8_t *selected_item(const FwCfg *f, size_t *length)
{
    uint16_t key = f->state.key;

    *length = 0;
    if (key >= NUM_ITEMS || !f->item[key]) {
        return NULL;
    }
    return g_bytes_get_data(f->item[key], length);
}

static void select_item(FwCfg *f, uint16_t key)
{
    size_t length;

    trace_fw_cfg_select(key);
    f->state.offset = 0;
    f->state.key = key & KEY_ARCH_LOCAL ? KEY_NONE : key & (uint16_t)~KEY_WRITE_CHANNEL;
    if (!selected_item(f, &length)) {
        f->state.key = KEY_NONE;
    }
}

/* The item's byte at the current position + i; zero behind its end. */
static uint8_t item_byte(const FwCfg *f, uint32_t i)
{
    size_t length;
    const uint8_t *data = selected_item(f, &length);
    uint64_t pos = (uint64_t)f->state.offset + i;

    return pos < length ? data[pos] : 0;
}

static void advance(FwCfg *f, uint64_t by)
{
    size_t length;

    selected_item(f, &length);
    f->state.offset = (uint32_t)MIN((uint64_t)f->state.offset + by, length);
}

/* ---- DMA ---- */

static uint64_t get_be(const uint8_t *p, unsigned size)
{
    uint64_t value = 0;

    for (unsigned i = 0; i < size; i++) {
        value = value << 8 | p[i];
    }
    return value;
}

static void put_be(uint8_t *p, uint64_t value, unsigned size)
{
    for (unsigned i = size; i-- > 0; value >>= 8) {
        p[i] = (uint8_t)value;
    }
}

/* Copy the item to RAM; what lies behind its end is zero. */
static bool dma_read_item(FwCfg *f, uint64_t address, uint32_t length)
{
    static const uint8_t zeros[PAGE_SIZE];
    MemoryMap *map = f->dev.machine->memory;
    size_t size, left;
    const uint8_t *data = selected_item(f, &size);

    if (length == 0) {
        return true;
    }
    /* Checked first, as the guest may give any length. */
    if (!memory_is_writable_ram(map, address, length)) {
        return false;
    }
    left = MIN(length, size - f->state.offset);
    if (left && !memory_write(map, address, data + f->state.offset, left)) {
        return false;
    }
    for (uint32_t done = (uint32_t)left; done < length; ) {
        uint32_t n = MIN(length - done, PAGE_SIZE);

        if (!memory_write(map, address + done, zeros, n)) {
            return false;
        }
        done += n;
    }
    advance(f, length);
    return true;
}

static bool dma_command(FwCfg *f, uint32_t control, uint32_t length, uint64_t address)
{
    trace_fw_cfg_dma(control, length, address);
    if (control & DMA_SELECT) {
        select_item(f, (uint16_t)(control >> DMA_SELECT_SHIFT));
    }
    if (control & DMA_READ) {
        return dma_read_item(f, address, length);
    }
    if (control & DMA_WRITE) {
        log_mask(LOG_GUEST_ERROR, "%s: write to item 0x%x, which is read-only\n", f->dev.id,
                 f->state.key);
        return false;
    }
    if (control & DMA_SKIP) {
        advance(f, length);
    }
    return true;
}

static void dma_run(FwCfg *f)
{
    MemoryMap *map = f->dev.machine->memory;
    uint64_t block = f->state.dma_address;
    uint8_t raw[DMA_BLOCK_SIZE];
    bool ok;

    f->state.dma_address = 0;
    if (!memory_is_writable_ram(map, block, sizeof(raw)) ||
        !memory_read(map, block, raw, sizeof(raw))) {
        log_mask(LOG_GUEST_ERROR, "%s: no control block at 0x%" PRIx64 "\n", f->dev.id, block);
        return;
    }
    ok = dma_command(f, (uint32_t)get_be(raw, 4), (uint32_t)get_be(raw + 4, 4),
                     get_be(raw + 8, 8));
    put_be(raw, ok ? 0 : DMA_ERROR, 4);
    memory_write(map, block, raw, 4);
}

/* ---- registers ---- */

static uint64_t peek_value(const FwCfg *f, hwaddr offset, unsigned size)
{
    uint8_t raw[8] = { 0 };

    if (offset < REG_SELECTOR) {
        for (unsigned i = 0; i < size; i++) {
            raw[i] = item_byte(f, i);
        }
    } else if (offset >= REG_DMA_HIGH && offset + size <= FW_CFG_SIZE) {
        uint8_t signature[8];

        put_be(signature, DMA_SIGNATURE, 8);
        memcpy(raw, signature + (offset - REG_DMA_HIGH), size);
    }
    return load_le(raw, size);
}

static uint64_t fw_cfg_read(void *opaque, hwaddr offset, unsigned size)
{
    FwCfg *f = opaque;
    uint64_t value = peek_value(f, offset, size);

    if (offset < REG_SELECTOR) {
        advance(f, size);
    }
    return value;
}

static uint64_t fw_cfg_peek(void *opaque, hwaddr offset, unsigned size)
{
    return peek_value(opaque, offset, size);
}

static void fw_cfg_write(void *opaque, hwaddr offset, uint64_t value, unsigned size)
{
    FwCfg *f = opaque;
    uint64_t be = __builtin_bswap64(value) >> (64 - 8 * size);

    if (offset == REG_SELECTOR && size == 2) {
        select_item(f, (uint16_t)be);
    } else if (offset == REG_DMA_HIGH && size == 8) {
        f->state.dma_address = be;
        dma_run(f);
    } else if (offset == REG_DMA_HIGH && size == 4) {
        f->state.dma_address = be << 32;
    } else if (offset == REG_DMA_LOW && size == 4) {
        f->state.dma_address |= be;
        dma_run(f);
    } else {
        log_mask(LOG_GUEST_ERROR, "%s: %u-byte write at 0x%02" PRIx64 "\n", f->dev.id, size,
                 offset);
    }
}

static const MmioOps fw_cfg_ops = {
    .read = fw_cfg_read,
    .write = fw_cfg_write,
    .peek = fw_cfg_peek,
    .min_size = 1,
    .max_size = 8,
};

/* ---- items ---- */

static void set_item(FwCfg *f, unsigned key, GBytes *data)
{
    if (f->item[key]) {
        g_bytes_unref(f->item[key]);
    }
    f->item[key] = data;
}

void fw_cfg_add_bytes(FwCfg *f, enum FwCfgKey key, GBytes *data)
{
    assert(key < FW_CFG_FILE_FIRST && !f->item[key]);
    set_item(f, key, g_bytes_ref(data));
}

static void add_le(FwCfg *f, enum FwCfgKey key, uint32_t value, unsigned size)
{
    uint8_t raw[4] = { (uint8_t)value, (uint8_t)(value >> 8), (uint8_t)(value >> 16),
                       (uint8_t)(value >> 24) };

    assert(!f->item[key]);
    set_item(f, key, g_bytes_new(raw, size));
}

void fw_cfg_add_u16(FwCfg *f, enum FwCfgKey key, uint16_t value)
{
    add_le(f, key, value, 2);
}

void fw_cfg_add_u32(FwCfg *f, enum FwCfgKey key, uint32_t value)
{
    add_le(f, key, value, 4);
}

static int file_order(gconstpointer a, gconstpointer b)
{
    return strcmp(((const FwCfgFile *)a)->name, ((const FwCfgFile *)b)->name);
}

static void file_clear(void *p)
{
    FwCfgFile *file = p;

    g_free(file->name);
    g_bytes_unref(file->data);
}

/* be32 count, then {be32 size, be16 key, u16 reserved, char name[56]} a file. */
static void build_directory(FwCfg *f)
{
    GByteArray *dir = g_byte_array_new();
    uint8_t raw[DIR_ENTRY_SIZE];

    put_be(raw, f->files->len, 4);
    g_byte_array_append(dir, raw, 4);
    for (unsigned i = 0; i < f->files->len; i++) {
        FwCfgFile *file = &g_array_index(f->files, FwCfgFile, i);

        memset(raw, 0, sizeof(raw));
        put_be(raw, g_bytes_get_size(file->data), 4);
        put_be(raw + 4, FW_CFG_FILE_FIRST + i, 2);
        memcpy(raw + 8, file->name, strlen(file->name));
        g_byte_array_append(dir, raw, sizeof(raw));
        set_item(f, FW_CFG_FILE_FIRST + i, g_bytes_ref(file->data));
    }
    set_item(f, FW_CFG_FILE_DIR, g_byte_array_free_to_bytes(dir));
}

bool fw_cfg_add_file(FwCfg *f, const char *name, GBytes *data, Error **errp)
{
    FwCfgFile file;

    if (!*name || strlen(name) > FW_CFG_MAX_FILE_NAME) {
        error_setg(errp, "fw_cfg file name '%s' is not 1 to %d characters long", name,
                   FW_CFG_MAX_FILE_NAME);
        return false;
    }
    if (g_bytes_get_size(data) > UINT32_MAX) {
        error_setg(errp, "fw_cfg file '%s' is larger than 4 GiB", name);
        return false;
    }
    if (f->files->len == FW_CFG_MAX_FILES) {
        error_setg(errp, "no room for fw_cfg file '%s': at most %d files", name,
                   FW_CFG_MAX_FILES);
        return false;
    }
    for (unsigned i = 0; i < f->files->len; i++) {
        if (strcmp(g_array_index(f->files, FwCfgFile, i).name, name) == 0) {
            error_setg(errp, "fw_cfg file '%s' is there already", name);
            return false;
        }
    }
    file = (FwCfgFile){ .name = g_strdup(name), .data = g_bytes_ref(data) };
    g_array_append_val(f->files, file);
    g_array_sort(f->files, file_order);
    build_directory(f);
    return true;
}

/* ---- shell ---- */

static void fw_cfg_reset(Device *dev)
{
    FwCfg *f = container_of(dev, FwCfg, dev);

    f->state.dma_address = 0;
    select_item(f, FW_CFG_SIGNATURE);
}

/* A snapshot is input like any other: never point behind an item's end. */
static void fw_cfg_post_load(Device *dev)
{
    advance(container_of(dev, FwCfg, dev), 0);
}

static void fw_cfg_free(Device *dev)
{
    FwCfg *f = container_of(dev, FwCfg, dev);

    for (unsigned i = 0; i < NUM_ITEMS; i++) {
        set_item(f, i, NULL);
    }
    g_array_free(f->files, TRUE);
    g_free(f);
}

static bool fw_cfg_realize(Device *dev, Error **errp)
{
    FwCfg *f = container_of(dev, FwCfg, dev);

    f->files = g_array_new(FALSE, FALSE, sizeof(FwCfgFile));
    g_array_set_clear_func(f->files, file_clear);
    set_item(f, FW_CFG_SIGNATURE, g_bytes_new_static("QEMU", 4));
    add_le(f, FW_CFG_ID, ID_TRADITIONAL | ID_DMA, 4);
    build_directory(f);
    fw_cfg_reset(dev);
    return true;
}

static const FdtBinding fw_cfg_fdt = {
    .node = "fw-cfg", .compatible = { "qemu,fw-cfg-mmio" }, .dma_coherent = true,
};

static const Property fw_cfg_properties[] = {
    PROP_FIXED("dma_enabled", PROPERTY_BOOL, "a guest need not use it", "the DMA interface", "on"),
    PROP_END
};

const DeviceType fw_cfg_type = {
    .name = "fw_cfg_mem", .doc = "QEMU's firmware configuration device", .bus = SYSTEM_BUS,
    .size = sizeof(FwCfg), .fields = &fw_cfg_fields, .state_offset = offsetof(FwCfg, state),
    .properties = fw_cfg_properties,
    .window = FW_CFG_SIZE, .ops = &fw_cfg_ops, .fdt = &fw_cfg_fdt,
    .realize = fw_cfg_realize, .reset = fw_cfg_reset, .post_load = fw_cfg_post_load,
    .free = fw_cfg_free,
};

FwCfg *fw_cfg(Device *dev)
{
    assert(dev->type == &fw_cfg_type);
    return container_of(dev, FwCfg, dev);
}
