/*
 * What users say about SMBIOS structures: -smbios type=N,....
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_SMBIOS_SMBIOS_OPTIONS_H
#define HW_SMBIOS_SMBIOS_OPTIONS_H

#include "hw/smbios/smbios.h"

/* Strings that are NULL are not in the structure, or are what the machine says. */
typedef struct SmbiosOptions {
    bool has_firmware, has_board;     /* types 0 and 2 are there if the user says something about them */
    struct SmbiosFirmware {
        char *vendor, *version, *date, *release;
        bool uefi;
    } firmware;
    struct SmbiosSystem {
        char *manufacturer, *product, *version, *serial, *uuid, *sku, *family;
    } system;
    struct SmbiosBoard {
        char *manufacturer, *product, *version, *serial, *asset, *location;
    } board;
    struct SmbiosChassis {
        char *manufacturer, *version, *serial, *asset, *sku;
    } chassis;
    struct SmbiosProcessor {
        char *socket, *manufacturer, *version, *serial, *asset, *part;
        uint16_t max_speed, current_speed;
        uint64_t id;
    } processor;
    struct SmbiosMemory {
        char *locator, *bank, *manufacturer, *serial, *asset, *part;
        uint16_t speed;
    } memory;
    GPtrArray *strings;               /* of type 11, char * */
} SmbiosOptions;

/* From a zeroed struct; to be cleared, also after a failure. options may be NULL. */
bool smbios_options_parse(SmbiosOptions *o, const GPtrArray *options, Error **errp);
void smbios_options_clear(SmbiosOptions *o);

/* The two numbers of type=0,release=N.N, each up to 255. */
bool smbios_parse_release(const char *text, uint8_t out[2]);

#endif
