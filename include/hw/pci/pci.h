/*
 * PCI: functions, their configuration space and base address registers, interrupts, and the buses
 * they sit on. A function is a device whose type names PCI_BUS and whose realize calls pci_init();
 * a host bridge (hw/pci/pci-host.h) has the root bus and gives the CPUs access to all of it.
 *
 * 1. What a guest may change of the configuration space is masks, made from tables when the
 *    function is realized. Everything that follows from it, places of memory above all, is derived
 *    again after each write (pci_config_write()), so no order of writes matters.
 * 2. A base address takes effect while the function decodes that kind of space, is in D0, and
 *    the whole BAR is within the windows of the bridges above. Where BARs overlap each
 *    other, the memory map decides; they do not cover what the board has put there.
 * 3. A function does not hear itself: accesses to its own BARs that come of what it does for an
 *    access, or of a message that it sends, are dropped. So no guest makes a device's code run
 *    within itself.
 * 4. A function that is not a bus master sends no messages and reads and writes no memory.
 *
 * There are no extended capabilities: the space from 0x100 on reads as zero.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_PCI_PCI_H
#define HW_PCI_PCI_H

#include "hw/core/bus.h"
#include "hw/pci/pci-regs.h"

/* DeviceType.bus of all functions. */
#define PCI_BUS "PCI"

#define PCI_CONFIG_SIZE 256         /* what is stored of a function's 4096 bytes */
#define PCI_NUM_BARS 6
#define PCI_NUM_DEVFN 256           /* of a bus: 32 slots of 8 functions */
#define PCI_NUM_PINS 4
#define PCI_MSIX_MAX 64             /* vectors of a function */

#define PCI_VENDOR_REDHAT 0x1b36
#define PCI_VENDOR_REDHAT_QUMRANET 0x1af4
#define PCI_SUBSYSTEM_DEFAULT 0x1100

static inline unsigned pci_slot(uint8_t devfn)
{
    return devfn >> 3;
}
static inline unsigned pci_function(uint8_t devfn)
{
    return devfn & 7;
}

/*
 * The guest-visible state of every function. Its own state struct has it as its first member,
 * called `pci`, and its field table starts with PCI_FIELDS.
 */
typedef struct PciState {
    uint8_t config[PCI_CONFIG_SIZE];
    uint32_t msix_table[4 * PCI_MSIX_MAX];
    uint32_t msix_pending[PCI_MSIX_MAX / 32];
    uint32_t intx;                  /* whether the function asks for its line interrupt */
} PciState;

#define PCI_FIELDS(F, S)           \
    F(S, ARRAY_U8, pci.config)        \
    F(S, ARRAY_U32, pci.msix_table)   \
    F(S, ARRAY_U32, pci.msix_pending) \
    F(S, U32, pci.intx)

/*
 * What users choose of every function. Its own config struct has it as its first member, called
 * `pci`, and its property table starts with PCI_PROPERTIES.
 */
typedef struct PciConfig {
    char *addr;                     /* "SLOT" or "SLOT.FUNCTION", hexadecimal; NULL: a free slot */
    bool multifunction;
    uint32_t bootindex;             /* accepted, and not told to firmware */
} PciConfig;

#define PCI_PROPERTIES(S)                                                                        \
    PROP_STRING("addr", S, pci.addr, NULL,                                                       \
                "its slot, or SLOT.FUNCTION, in hexadecimal (default: the first free slot)"),    \
    PROP_BOOL("multifunction", S, pci.multifunction, "off",                                      \
              "whether its slot has further functions"),                                         \
    PROP_UINT("bootindex", S, pci.bootindex, "4294967295", 0, UINT32_MAX,                        \
              "no effect: firmware looks for what it boots in an order of its own"),             \
    PROP_FIXED("romfile", PROPERTY_STRING, "functions have no option ROM here",                  \
               "option ROM: none", ""),                                                          \
    PROP_FIXED("rombar", PROPERTY_ENUM, NULL, "no effect: there is no option ROM", "0", "1")

typedef struct PciDevice PciDevice;
typedef struct PciBus PciBus;

typedef struct PciDeviceType {
    uint16_t vendor_id, device_id;
    uint16_t subsystem_vendor_id, subsystem_id;     /* not of bridges */
    uint32_t class_code;            /* base class, subclass, interface */
    uint8_t revision;
    bool bridge;                    /* header type 1 */
    bool pin;                       /* it has a line interrupt, INTA */
    /* Before the guest reads these bytes; may be NULL. */
    void (*config_read)(PciDevice *d, unsigned offset, unsigned size);
    /* After the guest has written them, and what follows of the header is done; may be NULL. */
    void (*config_written)(PciDevice *d, unsigned offset, unsigned size);
} PciDeviceType;

typedef struct PciBar {
    PciDevice *d;
    MemRegion *region;              /* NULL: there is none */
    char *name;                     /* of the region */
    MmioOps guarded;                /* of the region: they call ops, unless d is busy */
    const MmioOps *ops;
    void *opaque;
    uint64_t size;
    unsigned flags;                 /* PCI_BASE_ADDRESS_... */
} PciBar;

/* Where in the configuration space a capability is; 0: there is none. */
typedef struct PciCapabilities {
    uint8_t pm, msi, msix, exp;
} PciCapabilities;

struct PciDevice {
    Device dev;                     /* first */
    const PciDeviceType *ptype;
    PciState *s;                    /* in the function's own state struct */
    PciBus *bus;                    /* NULL until it is plugged in */
    PciBus *secondary;              /* a bridge's */
    uint8_t devfn;
    bool busy;                      /* during an access to a BAR, or a message */
    PciBar bar[PCI_NUM_BARS];
    PciCapabilities cap;
    unsigned cap_end;               /* where the next capability goes */
    unsigned msix_vectors;
    /* What the configuration space is after a reset, which bits a write changes or clears, and
     * which change by themselves. */
    uint8_t initial[PCI_CONFIG_SIZE];
    uint8_t writable[PCI_CONFIG_SIZE];
    uint8_t clearable[PCI_CONFIG_SIZE];
    uint8_t dynamic[PCI_CONFIG_SIZE];
};

/* ---- from a function's realize ---- */

/* The header, and its place on the bus: fails if that is taken, or there is none. */
bool pci_init(PciDevice *d, const PciDeviceType *ptype, Error **errp);

/* One register of 1, 2 or 4 bytes: its value after a reset, and what a guest can do with it. */
typedef struct PciConfigRow {
    uint8_t offset, size;
    uint32_t value;
    uint32_t writable;
    uint32_t clearable;             /* bits that a one clears */
    uint32_t dynamic;               /* other bits that do not stay what they are after a reset */
} PciConfigRow;

/* Rows at `base`, a capability's place, or 0. */
void pci_add_rows(PciDevice *d, unsigned base, const PciConfigRow *rows, unsigned num);
/* The place of a new capability of `size` bytes, ahead of those that there are. */
unsigned pci_add_capability(PciDevice *d, uint8_t id, unsigned size);
void pci_add_power_management(PciDevice *d);
/* `vectors` is a power of two up to 32. */
void pci_add_msi(PciDevice *d, unsigned vectors, bool maskable);
/* Table and pending bits have BAR number `bar` for themselves: 4 KiB of 32-bit memory. */
void pci_add_msix(PciDevice *d, unsigned bar, unsigned vectors);
/* PCI Express: PCI_EXP_TYPE_..., and a root port's number. */
void pci_add_express(PciDevice *d, unsigned type, unsigned port);

/*
 * `size` is a power of two, from 16 on; flags are PCI_BASE_ADDRESS_...; ops and opaque as those of
 * a memory region. One of 64 bits takes two numbers.
 */
void pci_add_bar(PciDevice *d, unsigned n, unsigned flags, uint64_t size, const MmioOps *ops,
                 void *opaque);

/* ---- life ---- */

void pci_reset(PciDevice *d);
/* Bounds what was loaded. */
void pci_post_load(PciDevice *d);
/* Off its bus, with its memory; does not free d. */
void pci_exit(PciDevice *d);

/* DeviceType.reset, .post_load and .free of functions that have nothing to add. */
void pci_device_reset(Device *dev);
void pci_device_post_load(Device *dev);
void pci_device_free(Device *dev);

/* ---- while it runs ---- */

static inline uint16_t pci_config_word(const PciDevice *d, unsigned offset)
{
    return (uint16_t)load_le(d->s->config + offset, 2);
}
static inline uint32_t pci_config_long(const PciDevice *d, unsigned offset)
{
    return (uint32_t)load_le(d->s->config + offset, 4);
}

/* Its line interrupt: asked for, or not any more. With MSI or MSI-X on, the line stays low. */
void pci_set_intx(PciDevice *d, bool level);
bool pci_msi_enabled(const PciDevice *d);
bool pci_msix_enabled(const PciDevice *d);
/*
 * Send the message of a vector, or leave it pending while it is masked. False: messages are off,
 * and the line is to be used.
 */
bool pci_send_message(PciDevice *d, unsigned vector);

/* Whether it and the bridges above it may access memory by themselves. */
bool pci_is_master(const PciDevice *d);
/* memory_read() and memory_write() as a bus master; false also where it is none. */
bool pci_dma_read(PciDevice *d, hwaddr addr, void *out, size_t length);
bool pci_dma_write(PciDevice *d, hwaddr addr, const void *data, size_t length);

/* Reset all on a bus, and behind it, but for a function that is at an access. */
void pci_bus_reset(PciBus *bus);

/* Behind a PCI Express port, not on the root bus. */
bool pci_is_behind_port(const PciDevice *d);

/* ---- configuration accesses: size is 1, 2 or 4, and offset a multiple of it below 4096 ---- */

uint32_t pci_config_read(PciDevice *d, unsigned offset, unsigned size);
uint32_t pci_config_peek(const PciDevice *d, unsigned offset, unsigned size);
void pci_config_write(PciDevice *d, unsigned offset, unsigned size, uint32_t value);
/* An access to a BAR by way of something else; false: there is no such place. */
bool pci_bar_read(PciDevice *d, unsigned bar, uint32_t offset, unsigned size, uint64_t *out);
bool pci_bar_write(PciDevice *d, unsigned bar, uint32_t offset, unsigned size, uint64_t value);
/* Where a BAR is, for whoever shows it; false: it is not decoded. */
bool pci_bar_address(const PciDevice *d, unsigned bar, hwaddr *address);

/* ---- buses ---- */

typedef struct PciRange {
    uint64_t base, size;
} PciRange;

/* How CPUs see what is behind a host bridge: memory as it is, ports from a place on. */
typedef struct PciWindows {
    PciRange memory, high;          /* PCI addresses; a size of 0: none */
    PciRange ports;                 /* the CPU's address of port 0, and how many there are */
} PciWindows;

struct PciBus {
    Bus *bus;
    PciDevice *bridge;              /* NULL: a root bus */
    unsigned slots;                 /* how many it has */
    bool off;                       /* its slot has no power: derived, by the port */
    PciDevice *device[PCI_NUM_DEVFN];
    /* Of a root bus. */
    PciWindows windows;
    IrqLine intx[PCI_NUM_PINS];
};

/* What a bridge lets through to what is behind it: from base to limit, nothing if that is below. */
typedef struct PciBridgeWindow {
    uint64_t base, limit;
} PciBridgeWindow;

static inline PciBridgeWindow pci_bridge_ports(const PciDevice *b)
{
    return (PciBridgeWindow){
        (uint64_t)pci_config_word(b, PCI_IO_BASE_UPPER16) << 16 |
            (b->s->config[PCI_IO_BASE] & 0xf0u) << 8,
        (uint64_t)pci_config_word(b, PCI_IO_LIMIT_UPPER16) << 16 |
            (b->s->config[PCI_IO_LIMIT] & 0xf0u) << 8 | 0xfff,
    };
}
static inline PciBridgeWindow pci_bridge_memory(const PciDevice *b)
{
    return (PciBridgeWindow){
        (uint64_t)(pci_config_word(b, PCI_MEMORY_BASE) & 0xfff0) << 16,
        (uint64_t)(pci_config_word(b, PCI_MEMORY_LIMIT) & 0xfff0) << 16 | 0xfffff,
    };
}
static inline PciBridgeWindow pci_bridge_prefetchable(const PciDevice *b)
{
    return (PciBridgeWindow){
        (uint64_t)pci_config_long(b, PCI_PREF_BASE_UPPER32) << 32 |
            (uint64_t)(pci_config_word(b, PCI_PREF_MEMORY_BASE) & 0xfff0) << 16,
        (uint64_t)pci_config_long(b, PCI_PREF_LIMIT_UPPER32) << 32 |
            (uint64_t)(pci_config_word(b, PCI_PREF_MEMORY_LIMIT) & 0xfff0) << 16 | 0xfffff,
    };
}

/* `name` is copied. The root bus of host bridge `parent`, or the one behind a bridge. */
void pci_bus_init(PciBus *bus, Device *parent, PciDevice *bridge, const char *name,
                  unsigned slots);
static inline unsigned pci_bus_number(const PciBus *bus)
{
    return bus->bridge ? bus->bridge->s->config[PCI_SECONDARY_BUS] : 0;
}
/* Bus `number` of those below a root bus, as the bridges are programmed; NULL: there is none. */
PciBus *pci_bus_find(PciBus *root, unsigned number);

#endif
