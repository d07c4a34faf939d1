/*
 * NOR flash with the Intel command set: CFI (JESD68.01), primary vendor command set 0x0001
 * (Intel StrataFlash, 290667 and 251902).
 *
 * Wiring: one region of memory that reads as what was programmed, without a look at the
 * chip, until a command makes it show its status, its identifier or the CFI table. Two
 * 16-bit chips stand side by side on a 32-bit bus and get the same commands: a command
 * counts by its lowest byte, and what chips answer is repeated in both halves of the bus.
 *
 * Contents are guest state and survive resets. With a drive they begin as its image and go back to it
 * (flash-image.h); a read-only drive protects all blocks. A bank without one is zero, not erased.
 *
 * Not modelled: times (every operation is done at once), suspend, block locks (all blocks
 * are unlocked; the commands are accepted), protection registers.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/block/pflash_cfi01.h"
#include "flash-image.h"
#include "hw/core/machine.h"
#include "util/bitops.h"
#include "util/log.h"
#include "util/trace.h"

#define BANK_WIDTH 4                  /* bytes on the bus */
#define NUM_CHIPS 2
#define BUFFER_SIZE_BITS 11           /* of a chip's write buffer */
#define BUFFER_SIZE (NUM_CHIPS << BUFFER_SIZE_BITS)

/* Status register. */
#define STATUS_READY 0x80
#define STATUS_ERASE_ERROR 0x20
#define STATUS_PROGRAM_ERROR 0x10
#define STATUS_LOCKED 0x02
/* Both errors: a wrong command sequence. */
#define STATUS_SEQUENCE_ERROR (STATUS_ERASE_ERROR | STATUS_PROGRAM_ERROR)

/* What reads return. */
enum PflashMode { MODE_ARRAY, MODE_STATUS, MODE_ID, MODE_QUERY };

/* What the next write is. */
enum PflashPhase {
    PHASE_COMMAND,
    PHASE_PROGRAM,                    /* the data of a word program */
    PHASE_ERASE,                      /* the confirmation of a block erase */
    PHASE_LOCK,                       /* which lock operation */
    PHASE_COUNT,                      /* of buffered writes, minus one */
    PHASE_BUFFER,                     /* data for the buffer */
    PHASE_BUFFER_CONFIRM,
};

enum PflashFill { FILL_EMPTY, FILL_PLACED, FILL_BROKEN };

typedef struct PflashState {
    uint8_t mode;
    uint8_t phase;
    uint8_t status;
    uint8_t buffer_fill;              /* enum PflashFill */
    uint32_t buffer_base;             /* where the buffer will go */
    uint32_t buffer_left;             /* writes that it still takes */
    uint8_t buffer[BUFFER_SIZE];
} PflashState;

#define PFLASH_FIELDS(F, S)    \
    F(S, U8, mode)             \
    F(S, U8, phase)            \
    F(S, U8, status)           \
    F(S, U8, buffer_fill)      \
    F(S, U32, buffer_base)     \
    F(S, U32, buffer_left)     \
    F(S, ARRAY_U8, buffer)

FIELD_TABLE(pflash_fields, "cfi.pflash01", 1, PflashState, PFLASH_FIELDS);

typedef struct PflashConfig {
    uint32_t num_blocks;
    char *drive;
} PflashConfig;

typedef struct Pflash {
    Device dev;                       /* its region has the content */
    PflashState state;
    PflashConfig config;
    FlashImage *image;                /* NULL: contents are the machine's alone */
} Pflash;

/* ---- reads ---- */

static uint32_t cfi_size(const Pflash *f)
{
    return (uint32_t)(f->dev.region[0]->size / NUM_CHIPS);
}

/* JESD68.01 table 1 and what follows it; index is in 16-bit words of one chip. */
static uint8_t cfi_query(const Pflash *f, uint32_t index)
{
    static const uint8_t table[] = {
        [0x10] = 'Q', 'R', 'Y',
        [0x13] = 0x01, 0x00,          /* Intel command set */
        [0x15] = 0x31, 0x00,          /* where its extended table is */
        [0x1b] = 0x45, 0x55,          /* VCC 4.5 to 5.5 V */
        [0x1f] = 7, 7, 10, 0,         /* 2^n us a word, a buffer; 2^n ms a block */
        [0x23] = 4, 4, 4, 0,          /* at most 2^n times that */
        [0x28] = 2, 0,                /* 8 and 16 bits wide */
        [0x2a] = BUFFER_SIZE_BITS, 0,
        [0x2c] = 1,                   /* one region of blocks of the same size */
        [0x31] = 'P', 'R', 'I', '1', '0',
        [0x3f] = 1,                   /* protection fields */
    };
    uint32_t blocks = (uint32_t)(f->dev.region[0]->size / PFLASH_BLOCK_SIZE);

    switch (index) {
    case 0x27:
        return (uint8_t)(31 - __builtin_clz(cfi_size(f)));
    case 0x2d:
        return (uint8_t)(blocks - 1);
    case 0x2e:
        return (uint8_t)((blocks - 1) >> 8);
    case 0x2f:
        return (uint8_t)(PFLASH_BLOCK_SIZE / NUM_CHIPS >> 8);
    case 0x30:
        return (uint8_t)(PFLASH_BLOCK_SIZE / NUM_CHIPS >> 16);
    default:
        return index < ARRAY_SIZE(table) ? table[index] : 0;
    }
}

/* Manufacturer, device, lock state of a block (unlocked). */
static uint8_t identifier(uint32_t index)
{
    static const uint8_t ids[] = { 0x89, 0x18 };

    return index < ARRAY_SIZE(ids) ? ids[index] : 0;
}

static uint32_t chip_answer(const Pflash *f, hwaddr offset)
{
    uint32_t index = (uint32_t)(offset / BANK_WIDTH);

    switch (f->state.mode) {
    case MODE_STATUS:
        return f->state.status;
    case MODE_ID:
        return identifier(index % (PFLASH_BLOCK_SIZE / BANK_WIDTH));
    default:
        return cfi_query(f, index);
    }
}

static uint64_t pflash_read(void *opaque, hwaddr offset, unsigned size)
{
    const Pflash *f = opaque;
    uint64_t le = 0;

    if (f->state.mode == MODE_ARRAY) {
        memcpy(&le, f->dev.region[0]->host + offset, size);
        return GUINT64_FROM_LE(le);
    }
    return (uint64_t)(chip_answer(f, offset) * 0x00010001u) >> (8 * (offset % BANK_WIDTH));
}

/* ---- the array ---- */

/* Whether the array may change; error: the status of what fails otherwise. */
static bool is_writable(Pflash *f, uint8_t error)
{
    if (f->image && flash_image_is_readonly(f->image)) {
        log_mask(LOG_GUEST_ERROR, "%s: its drive is read-only\n", f->dev.id);
        f->state.status |= error | STATUS_LOCKED;
        return false;
    }
    return true;
}

/* Programming clears bits; only erasing sets them. */
static void program(Pflash *f, hwaddr offset, const uint8_t *data, unsigned size)
{
    MemRegion *region = f->dev.region[0];

    if (!is_writable(f, STATUS_PROGRAM_ERROR)) {
        return;
    }
    memory_mark_written(f->dev.machine->memory, region, region->base + offset, size);
    for (unsigned i = 0; i < size; i++) {
        region->host[offset + i] &= data[i];
    }
    if (f->image) {
        flash_image_written(f->image, offset, size);
    }
}

static void erase_block(Pflash *f, hwaddr offset)
{
    hwaddr block = offset & ~(hwaddr)(PFLASH_BLOCK_SIZE - 1);
    MemRegion *region = f->dev.region[0];

    if (!is_writable(f, STATUS_ERASE_ERROR)) {
        return;
    }
    memory_mark_written(f->dev.machine->memory, region, region->base + block, PFLASH_BLOCK_SIZE);
    memset(region->host + block, 0xff, PFLASH_BLOCK_SIZE);
    if (f->image) {
        flash_image_written(f->image, block, PFLASH_BLOCK_SIZE);
    }
}

/* ---- commands ---- */

static void set_mode(Pflash *f, uint8_t mode)
{
    f->state.mode = mode;
    memory_set_io_reads(f->dev.machine->memory, f->dev.region[0], mode != MODE_ARRAY);
}

static void expect(Pflash *f, uint8_t phase)
{
    f->state.phase = phase;
    set_mode(f, MODE_STATUS);
}

static void sequence_error(Pflash *f, const char *what, uint32_t value)
{
    log_mask(LOG_GUEST_ERROR, "%s: %s 0x%x\n", f->dev.id, what, value);
    f->state.status |= STATUS_SEQUENCE_ERROR;
}

static void first_cycle(Pflash *f, uint8_t command)
{
    trace_pflash_command(f->dev.id, command);
    switch (command) {
    case 0xff:
        set_mode(f, MODE_ARRAY);
        break;
    case 0x70:
        set_mode(f, MODE_STATUS);
        break;
    case 0x90:
        set_mode(f, MODE_ID);
        break;
    case 0x98:
        set_mode(f, MODE_QUERY);
        break;
    case 0x50:
        f->state.status = STATUS_READY;
        break;
    case 0x10:
    case 0x40:
        expect(f, PHASE_PROGRAM);
        break;
    case 0x20:
        expect(f, PHASE_ERASE);
        break;
    case 0x60:
        expect(f, PHASE_LOCK);
        break;
    case 0xe8:
        expect(f, PHASE_COUNT);
        break;
    case 0xb0:
    case 0xd0:
        break;   /* suspend and resume: nothing is under way */
    case 0xf0:
        /* Reset for the other vendor's chips: probing code tries both. */
        set_mode(f, MODE_ARRAY);
        break;
    default:
        sequence_error(f, "unknown command", command);
        break;
    }
}

/* The second cycle of an erase: confirmed, or a wrong sequence. */
static void confirm_erase(Pflash *f, hwaddr offset, uint8_t command)
{
    if (command == 0xd0) {
        erase_block(f, offset);
    } else {
        sequence_error(f, "an erase is not confirmed, but", command);
    }
}

/* Lock, lock down, unlock. */
static void lock_block(Pflash *f, uint8_t command)
{
    if (command != 0x01 && command != 0x2f && command != 0xd0) {
        sequence_error(f, "unknown lock operation", command);
    }
}

static void start_buffer(Pflash *f, uint32_t count)
{
    PflashState *s = &f->state;

    if (count >= BUFFER_SIZE / BANK_WIDTH) {
        sequence_error(f, "the write buffer does not hold this many words, minus one:", count);
        s->phase = PHASE_COMMAND;
        return;
    }
    s->buffer_left = count + 1;
    s->buffer_fill = FILL_EMPTY;
    memset(s->buffer, 0xff, BUFFER_SIZE);
    s->phase = PHASE_BUFFER;
}

/* The first word tells where the buffer goes; a word elsewhere breaks the sequence. */
static void fill_buffer(Pflash *f, hwaddr offset, const uint8_t *data, unsigned size)
{
    PflashState *s = &f->state;
    uint32_t base = (uint32_t)offset & ~(BUFFER_SIZE - 1u);

    if (s->buffer_fill == FILL_EMPTY) {
        s->buffer_base = base;
        s->buffer_fill = FILL_PLACED;
    }
    if (base == s->buffer_base) {
        memcpy(s->buffer + offset % BUFFER_SIZE, data,
               MIN(size, BUFFER_SIZE - offset % BUFFER_SIZE));
    } else {
        s->buffer_fill = FILL_BROKEN;
        sequence_error(f, "a word lies outside of the write buffer, at", (uint32_t)offset);
    }
    if (--s->buffer_left == 0) {
        s->phase = PHASE_BUFFER_CONFIRM;
    }
}

static void confirm_buffer(Pflash *f, uint8_t command)
{
    PflashState *s = &f->state;

    if (command != 0xd0) {
        sequence_error(f, "a buffered program is not confirmed, but", command);
    } else if (s->buffer_fill == FILL_PLACED) {
        program(f, s->buffer_base, s->buffer, BUFFER_SIZE);
    }
}

static void pflash_write(void *opaque, hwaddr offset, uint64_t value, unsigned size)
{
    Pflash *f = opaque;
    uint64_t le = GUINT64_TO_LE(value);
    uint8_t command = (uint8_t)value, data[4];
    uint8_t phase = f->state.phase;

    memcpy(data, &le, sizeof(data));
    if (phase != PHASE_COUNT && phase != PHASE_BUFFER) {
        f->state.phase = PHASE_COMMAND;
    }
    switch (phase) {
    case PHASE_COMMAND:
        first_cycle(f, command);
        break;
    case PHASE_PROGRAM:
        program(f, offset, data, size);
        break;
    case PHASE_ERASE:
        confirm_erase(f, offset, command);
        break;
    case PHASE_LOCK:
        lock_block(f, command);
        break;
    case PHASE_COUNT:
        start_buffer(f, value & (size == 1 ? 0xff : 0xffff));
        break;
    case PHASE_BUFFER:
        fill_buffer(f, offset, data, size);
        break;
    case PHASE_BUFFER_CONFIRM:
        confirm_buffer(f, command);
        break;
    }
}

static const MmioOps pflash_ops = {
    .read = pflash_read, .write = pflash_write, .min_size = 1, .max_size = 4,
};

/* ---- the shell ---- */

static void pflash_reset(Device *dev)
{
    Pflash *f = container_of(dev, Pflash, dev);

    memset(&f->state, 0, sizeof(f->state));
    f->state.status = STATUS_READY;
    set_mode(f, MODE_ARRAY);
}

static void pflash_post_load(Device *dev)
{
    Pflash *f = container_of(dev, Pflash, dev);

    memory_set_io_reads(f->dev.machine->memory, f->dev.region[0], f->state.mode != MODE_ARRAY);
    f->state.buffer_base &= (uint32_t)(f->dev.region[0]->size - 1) & ~(BUFFER_SIZE - 1u);
    if (f->image) {
        flash_image_stale(f->image);
    }
}

static bool pflash_realize(Device *dev, Error **errp)
{
    Pflash *f = container_of(dev, Pflash, dev);
    uint32_t blocks = f->config.num_blocks;

    if (blocks & (blocks - 1)) {
        error_setg(errp, "num-blocks=%u is not a power of two", blocks);
        return false;
    }
    if (f->config.drive) {
        f->image = flash_image_new(dev, f->config.drive, (uint64_t)blocks * PFLASH_BLOCK_SIZE, errp);
        if (!f->image) {
            return false;
        }
    }
    f->state.status = STATUS_READY;
    return true;
}

static bool pflash_map(Device *dev, hwaddr base, hwaddr base2, Error **errp)
{
    Pflash *f = container_of(dev, Pflash, dev);
    hwaddr size = (hwaddr)f->config.num_blocks * PFLASH_BLOCK_SIZE;

    dev->region[0] = memory_add_rom_device(dev->machine->memory, dev->id, base, size, &pflash_ops,
                                           f, errp);
    return dev->region[0] && (!f->image || flash_image_load(f->image, dev->region[0], errp));
}

static void pflash_free(Device *dev)
{
    Pflash *f = container_of(dev, Pflash, dev);

    flash_image_free(f->image);
    g_free(f);
}

static const Property pflash_properties[] = {
    PROP_UINT("num-blocks", PflashConfig, num_blocks, "1", 1, 4096, "blocks; a power of two"),
    PROP_FIXED("sector-length", PROPERTY_UINT, "blocks have one size", "bytes of a block",
               G_STRINGIFY(PFLASH_BLOCK_SIZE)),
    PROP_FIXED("width", PROPERTY_UINT, "the bus has one width", "bytes on the bus", "4"),
    PROP_FIXED("device-width", PROPERTY_UINT, "there are two chips side by side",
               "bytes of each chip", "2"),
    PROP_FIXED("big-endian", PROPERTY_BOOL, "the bus is little-endian", "byte order", "off"),
    PROP_FIXED("secure", PROPERTY_BOOL, "the CPUs have no EL3", "writable for EL3 alone", "off"),
    PROP_STRING("drive", PflashConfig, drive, NULL, "what is in it: a -drive's or -blockdev's name"),
    PROP_END
};

const DeviceType pflash_cfi01_type = {
    .name = "cfi.pflash01", .doc = "NOR flash with the Intel command set", .bus = SYSTEM_BUS,
    .instead = "machine virt has two; -bios FILE fills the first, -drive if=pflash either",
    .size = sizeof(Pflash), .fields = &pflash_fields, .state_offset = offsetof(Pflash, state),
    .properties = pflash_properties, .config_offset = offsetof(Pflash, config),
    .map = pflash_map, .realize = pflash_realize, .reset = pflash_reset,
    .post_load = pflash_post_load, .free = pflash_free,
};
