/*
 * Stage 1 translation with 64 KiB pages (granule.inc): mappings, faults, permissions,
 * access flag, TLB maintenance, AT.
 *
 *     expect x19 = 0x1122334455667788    the last bytes but eight of a page
 *     expect x20 = 0x89abcdef99aabbcc    across two pages that do not follow each other
 *     expect x21 = 0x0000000000002507    load from an invalid level 3 entry
 *     expect x22 = 0x0000000000000000    FAR_EL1 of it, less its address
 *     expect x23 = 0x000000000000254f    store to a read-only page
 *     expect x24 = 0x000000000000250b    load with the access flag clear
 *     expect x25 = 0x00000000aaaa5555    after remapping and TLBI: the other page
 *     expect x26 = 0x000000000000210f    instruction fetch from a PXN page
 *     expect x27 = 0x00000000000b3000    AT: 0x3000 into the page; beyond the tables, level 1
 *     expect x28 = 0x0000000000002505    load through an invalid level 1 entry
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#define GRANULE 16
#include "granule.inc"
