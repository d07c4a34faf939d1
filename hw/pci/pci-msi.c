/*
 * Messages of PCI functions: MSI (PCI 3.0 6.8.1) and MSI-X (6.8.2). A vector that is masked, by
 * itself or with all others, becomes pending, and its message is sent when it is masked no more.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/core/msi.h"
#include "pci-internal.h"
#include "util/bitops.h"
#include "util/log.h"

#define MSIX_BAR_SIZE 4096
#define MSIX_PBA_OFFSET 2048
#define MSIX_ENTRY_WORDS (PCI_MSIX_ENTRY_SIZE / 4)
#define MSI_MAX_VECTORS 32

enum { ENTRY_ADDRESS, ENTRY_ADDRESS_HIGH, ENTRY_DATA, ENTRY_CONTROL };

/* Messages are writes of a bus master. One to a BAR of the sender itself is dropped there. */
static void send(PciDevice *d, const MsiMessage *message)
{
    bool busy = d->busy;

    if (!pci_is_master(d)) {
        log_mask(LOG_GUEST_ERROR, "%s: message of a function that is no bus master\n", d->dev.id);
        return;
    }
    d->busy = true;
    msi_send(d->dev.machine->memory, message);
    d->busy = busy;
}

/* ---- MSI ---- */

void pci_add_msi(PciDevice *d, unsigned vectors, bool maskable)
{
    unsigned log2 = (unsigned)__builtin_ctz(vectors);
    unsigned flags = PCI_MSI_FLAGS_64BIT | log2 << PCI_MSI_FLAGS_CAPABLE_SHIFT;
    uint32_t all = (uint32_t)mask64(vectors);
    const PciConfigRow rows[] = {
        { PCI_MSI_FLAGS, 2, .value = flags, .writable = PCI_MSI_FLAGS_ENABLE | PCI_MSI_FLAGS_SIZE },
        { PCI_MSI_ADDRESS_LO, 4, .writable = ~3u },
        { PCI_MSI_ADDRESS_HI, 4, .writable = UINT32_MAX },
        { PCI_MSI_DATA, 2, .writable = 0xffff },
    };
    const PciConfigRow mask_rows[] = {
        { PCI_MSI_FLAGS, 2, .value = flags | PCI_MSI_FLAGS_MASKBIT, .writable = rows[0].writable },
        { PCI_MSI_MASK, 4, .writable = all },
        { PCI_MSI_PENDING, 4, .dynamic = all },
    };

    assert(vectors == 1u << log2 && vectors <= MSI_MAX_VECTORS);
    d->cap.msi = (uint8_t)pci_add_capability(d, PCI_CAP_ID_MSI,
                                             maskable ? PCI_MSI_MASK_SIZEOF : PCI_MSI_SIZEOF);
    pci_add_rows(d, d->cap.msi, rows, ARRAY_SIZE(rows));
    if (maskable) {
        pci_add_rows(d, d->cap.msi, mask_rows, ARRAY_SIZE(mask_rows));
    }
}

bool pci_msi_enabled(const PciDevice *d)
{
    return d->cap.msi && (pci_config_word(d, d->cap.msi + PCI_MSI_FLAGS) & PCI_MSI_FLAGS_ENABLE);
}

static bool msi_has_mask(const PciDevice *d)
{
    return pci_config_word(d, d->cap.msi + PCI_MSI_FLAGS) & PCI_MSI_FLAGS_MASKBIT;
}

/* The guest may allow fewer vectors than the function has: the upper ones share the last bits. */
static unsigned msi_vector(const PciDevice *d, unsigned vector)
{
    unsigned flags = pci_config_word(d, d->cap.msi + PCI_MSI_FLAGS);
    unsigned capable = extract32(flags, PCI_MSI_FLAGS_CAPABLE_SHIFT, 3);
    unsigned allowed = MIN(extract32(flags, PCI_MSI_FLAGS_SIZE_SHIFT, 3), capable);

    return vector & ((1u << allowed) - 1);
}

static void msi_send_vector(PciDevice *d, unsigned vector)
{
    const uint8_t *cap = d->s->config + d->cap.msi;
    const MsiMessage message = {
        .address = load_le(cap + PCI_MSI_ADDRESS_LO, 8),
        .data = (uint32_t)load_le(cap + PCI_MSI_DATA, 2) | vector,
    };

    send(d, &message);
}

static void msi_raise(PciDevice *d, unsigned vector)
{
    uint8_t *pending = d->s->config + d->cap.msi + PCI_MSI_PENDING;

    vector = msi_vector(d, vector);
    if (msi_has_mask(d) && (pci_config_long(d, d->cap.msi + PCI_MSI_MASK) & BIT(vector))) {
        store_le(pending, load_le(pending, 4) | BIT(vector), 4);
    } else {
        msi_send_vector(d, vector);
    }
}

static void msi_flush(PciDevice *d)
{
    uint8_t *pending = d->s->config + d->cap.msi + PCI_MSI_PENDING;
    uint32_t ready;

    if (!pci_msi_enabled(d) || !msi_has_mask(d)) {
        return;
    }
    ready = (uint32_t)load_le(pending, 4) & ~pci_config_long(d, d->cap.msi + PCI_MSI_MASK);
    store_le(pending, load_le(pending, 4) & ~ready, 4);
    for (unsigned vector = 0; vector < MSI_MAX_VECTORS; vector++) {
        if (ready & BIT(vector)) {
            msi_send_vector(d, vector);
        }
    }
}

/* ---- MSI-X ---- */

static uint32_t *msix_entry(const PciDevice *d, unsigned vector)
{
    return d->s->msix_table + MSIX_ENTRY_WORDS * vector;
}

static unsigned msix_flags(const PciDevice *d)
{
    return pci_config_word(d, d->cap.msix + PCI_MSIX_FLAGS);
}

bool pci_msix_enabled(const PciDevice *d)
{
    return d->cap.msix && (msix_flags(d) & PCI_MSIX_FLAGS_ENABLE);
}

static bool msix_is_masked(const PciDevice *d, unsigned vector)
{
    return (msix_flags(d) & PCI_MSIX_FLAGS_MASKALL) ||
           (msix_entry(d, vector)[ENTRY_CONTROL] & PCI_MSIX_ENTRY_CTRL_MASKBIT);
}

static void msix_send_vector(PciDevice *d, unsigned vector)
{
    const uint32_t *entry = msix_entry(d, vector);
    const MsiMessage message = {
        .address = (uint64_t)entry[ENTRY_ADDRESS_HIGH] << 32 | entry[ENTRY_ADDRESS],
        .data = entry[ENTRY_DATA],
    };

    send(d, &message);
}

static void msix_raise(PciDevice *d, unsigned vector)
{
    if (vector >= d->msix_vectors) {
        return;
    }
    if (msix_is_masked(d, vector)) {
        d->s->msix_pending[vector / 32] |= BIT(vector % 32);
    } else {
        msix_send_vector(d, vector);
    }
}

static void msix_flush(PciDevice *d)
{
    for (unsigned vector = 0; pci_msix_enabled(d) && vector < d->msix_vectors; vector++) {
        uint32_t *pending = &d->s->msix_pending[vector / 32];

        if ((*pending & BIT(vector % 32)) && !msix_is_masked(d, vector)) {
            *pending &= ~BIT(vector % 32);
            msix_send_vector(d, vector);
        }
    }
}

static uint32_t msix_read_word(const PciDevice *d, hwaddr offset)
{
    if (offset < d->msix_vectors * PCI_MSIX_ENTRY_SIZE) {
        return d->s->msix_table[offset / 4];
    }
    if (offset >= MSIX_PBA_OFFSET && (offset - MSIX_PBA_OFFSET) / 4 < PCI_MSIX_MAX / 32) {
        return d->s->msix_pending[(offset - MSIX_PBA_OFFSET) / 4];
    }
    return 0;
}

static uint64_t msix_read(void *opaque, hwaddr offset, unsigned size)
{
    return msix_read_word(opaque, offset & ~(hwaddr)3);
}

/* The pending bits are the function's; a write to them does nothing. */
static void msix_write(void *opaque, hwaddr offset, uint64_t value, unsigned size)
{
    PciDevice *d = opaque;
    static const uint32_t writable[] = { ~3u, UINT32_MAX, UINT32_MAX, PCI_MSIX_ENTRY_CTRL_MASKBIT };

    if (offset % 4 == 0 && offset < d->msix_vectors * PCI_MSIX_ENTRY_SIZE) {
        d->s->msix_table[offset / 4] = (uint32_t)value & writable[offset / 4 % MSIX_ENTRY_WORDS];
        msix_flush(d);
    } else {
        log_mask(LOG_GUEST_ERROR, "%s: write at offset 0x%" PRIx64 " of the MSI-X table\n",
                 d->dev.id, offset);
    }
}

static const MmioOps msix_ops = {
    .read = msix_read, .write = msix_write, .peek = msix_read, .min_size = 4, .max_size = 4,
};

void pci_add_msix(PciDevice *d, unsigned bar, unsigned vectors)
{
    const PciConfigRow rows[] = {
        { PCI_MSIX_FLAGS, 2, .value = vectors - 1,
          .writable = PCI_MSIX_FLAGS_ENABLE | PCI_MSIX_FLAGS_MASKALL },
        { PCI_MSIX_TABLE, 4, .value = bar },
        { PCI_MSIX_PBA, 4, .value = MSIX_PBA_OFFSET | bar },
    };

    assert(vectors >= 1 && vectors <= PCI_MSIX_MAX);
    d->cap.msix = (uint8_t)pci_add_capability(d, PCI_CAP_ID_MSIX, PCI_MSIX_SIZEOF);
    pci_add_rows(d, d->cap.msix, rows, ARRAY_SIZE(rows));
    d->msix_vectors = vectors;
    pci_add_bar(d, bar, 0, MSIX_BAR_SIZE, &msix_ops, d);
}

/* All vectors are masked after a reset. */
void pci_msix_reset(PciDevice *d)
{
    memset(d->s->msix_table, 0, sizeof(d->s->msix_table));
    memset(d->s->msix_pending, 0, sizeof(d->s->msix_pending));
    for (unsigned vector = 0; vector < d->msix_vectors; vector++) {
        msix_entry(d, vector)[ENTRY_CONTROL] = PCI_MSIX_ENTRY_CTRL_MASKBIT;
    }
}

void pci_msix_post_load(PciDevice *d)
{
    for (unsigned vector = 0; vector < PCI_MSIX_MAX; vector++) {
        uint32_t *entry = msix_entry(d, vector);

        if (vector < d->msix_vectors) {
            entry[ENTRY_ADDRESS] &= ~3u;
            entry[ENTRY_CONTROL] &= PCI_MSIX_ENTRY_CTRL_MASKBIT;
        } else {
            memset(entry, 0, PCI_MSIX_ENTRY_SIZE);
            d->s->msix_pending[vector / 32] &= ~BIT(vector % 32);
        }
    }
}

/* ---- both ---- */

bool pci_send_message(PciDevice *d, unsigned vector)
{
    if (pci_msix_enabled(d)) {
        msix_raise(d, vector);
        return true;
    }
    if (pci_msi_enabled(d)) {
        msi_raise(d, vector);
        return true;
    }
    return false;
}

void pci_msi_flush(PciDevice *d)
{
    msi_flush(d);
    msix_flush(d);
}
