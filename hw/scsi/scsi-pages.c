/*
 * What SCSI disks say of themselves: INQUIRY (SPC-4 6.6, 7.8; SBC-3 6.6), mode pages (SPC-4 7.5), and what is known
 * of a CD (MMC-6 6.25, 6.6, 6.7, 6.21).
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "scsi-internal.h"
#include "util/bytes.h"

#define MAX_SERIAL 36

/* Left-aligned, with blanks behind. */
static void put_text(uint8_t *out, const char *text, size_t length)
{
    size_t n = text ? MIN(strlen(text), length) : 0;

    memset(out, ' ', length);
    if (n) {
        memcpy(out, text, n);
    }
}

static uint8_t device_kind(const ScsiUnit *u)
{
    return scsi_unit_is_cd(u) ? 5 : 0;
}

/* ---- INQUIRY ---- */

static size_t put_serial(const ScsiUnit *u, uint8_t *out)
{
    size_t n = u->config.serial ? MIN(strlen(u->config.serial), MAX_SERIAL) : 0;

    if (n) {
        memcpy(out, u->config.serial, n);
    }
    return n;
}

/* The name of the device or its drive in ASCII, and the world wide name. */
static size_t put_identification(const ScsiUnit *u, uint8_t *out)
{
    const char *name = u->config.serial ? u->config.serial : u->dev.id;
    size_t n = MIN(strlen(name), MAX_SERIAL), length = 4 + n;

    out[0] = 2;
    out[3] = (uint8_t)n;
    memcpy(out + 4, name, n);
    if (u->config.wwn) {
        out[length] = 1;
        out[length + 1] = 3;      /* NAA */
        out[length + 3] = 8;
        store_be(out + length + 4, u->config.wwn, 8);
        length += 12;
    }
    return length;
}

static size_t put_limits(const ScsiUnit *u, uint8_t *out)
{
    uint64_t most = MIN(MAX_TRANSFER_BLOCKS, DISK_MAX_REQUEST / u->block);

    out[0] = 1;                                       /* WSNZ */
    store_be(out + 4, most, 4);                       /* transfer length: maximum, optimal */
    if (!scsi_unit_is_readonly(u)) {
        store_be(out + 16, MAX_RANGE_BLOCKS, 4);      /* unmap: blocks, ranges */
        store_be(out + 20, 1, 4);
        store_be(out + 24, 1, 4);                     /* optimal granularity */
        store_be(out + 32, MAX_RANGE_BLOCKS, 8);      /* write same */
    }
    return 60;
}

static size_t put_vpd(const ScsiUnit *u, uint8_t page, uint8_t *out)
{
    static const uint8_t pages[] = { 0x00, 0x80, 0x83, 0xb0, 0xb1, 0xb2 };

    switch (page) {
    case 0x00:
        memcpy(out, pages, sizeof(pages));
        return scsi_unit_is_cd(u) ? 3 : sizeof(pages);
    case 0x80:
        return put_serial(u, out);
    case 0x83:
        return put_identification(u, out);
    case 0xb0:
        return put_limits(u, out);
    case 0xb1:
        store_be(out, 1, 2);                          /* does not rotate */
        return 60;
    default:
        out[1] = scsi_unit_is_readonly(u) ? 0 : 0xe4; /* UNMAP, WRITE SAME 16 and 10 unmap; zeros are read then */
        out[2] = 2;                                   /* thin */
        return 4;
    }
}

size_t scsi_inquiry(const ScsiUnit *u, const uint8_t *cdb, uint8_t *out)
{
    uint8_t page = cdb[2];
    size_t length;

    out[0] = device_kind(u);
    if (cdb[1] & 1) {
        if (page != 0 && page != 0x80 && page != 0x83 && (scsi_unit_is_cd(u) || page < 0xb0 || page > 0xb2)) {
            return 0;
        }
        length = put_vpd(u, page, out + 4);
        out[1] = page;
        store_be(out + 2, length, 2);
        return 4 + length;
    }
    if (page) {
        return 0;
    }
    out[1] = scsi_unit_is_cd(u) || u->config.removable ? 0x80 : 0;
    out[2] = 6;                                       /* SPC-4 */
    out[3] = 0x12;                                    /* HISUP, this format */
    out[4] = 36 - 5;
    out[7] = 2;                                       /* CMDQUE */
    put_text(out + 8, u->config.vendor, 8);
    put_text(out + 16, u->config.product, 16);
    put_text(out + 32, u->config.ver, 4);
    return 36;
}

/* ---- mode pages ---- */

/* changeable: the mask of what MODE SELECT may change, which is nothing. Their length, 0: no such page. */
static size_t put_page(const ScsiUnit *u, uint8_t page, bool changeable, uint8_t *out)
{
    bool cd = scsi_unit_is_cd(u);

    out[0] = page;
    switch (page) {
    case 0x01:
        out[1] = 10;
        out[2] = changeable ? 0 : 0x80;               /* AWRE */
        return 12;
    case 0x08:
        out[1] = 18;
        out[2] = changeable || cd ? 0 : 4;            /* WCE */
        return 20;
    case 0x2a:
        if (!cd) {
            return 0;
        }
        out[1] = 20;
        if (!changeable) {
            out[2] = 0x3b;                            /* reads CD-R, CD-RW, DVDs */
            out[4] = 0x70;                            /* mode 2, several sessions */
            out[6] = (uint8_t)(0x29 | (u->state.locked ? 2 : 0));    /* a tray that locks and ejects */
            store_be(out + 8, 50 * 176, 2);           /* speed */
            store_be(out + 12, 2048, 2);              /* buffer, KiB */
            store_be(out + 14, 16 * 176, 2);
        }
        return 22;
    default:
        return 0;
    }
}

static size_t put_pages(const ScsiUnit *u, uint8_t page, bool changeable, uint8_t *out)
{
    static const uint8_t all[] = { 0x01, 0x08, 0x2a };
    size_t length = 0;

    if (page != 0x3f) {
        return put_page(u, page, changeable, out);
    }
    for (unsigned i = 0; i < sizeof(all); i++) {
        size_t n = put_page(u, all[i], changeable, out + length);

        if (!n) {
            out[length] = 0;
        }
        length += n;
    }
    return length;
}

size_t scsi_mode_sense(const ScsiUnit *u, const uint8_t *cdb, uint8_t *out)
{
    bool ten = cdb[0] == OP_MODE_SENSE_10, descriptor = !(cdb[1] & 8) && !scsi_unit_is_cd(u);
    size_t header = ten ? 8 : 4, at = header + (descriptor ? 8 : 0), length;
    unsigned control = cdb[2] >> 6;

    if (control == 3 || (cdb[3] && cdb[3] != 0xff)) {
        return 0;
    }
    length = put_pages(u, cdb[2] & 0x3f, control == 1, out + at);
    if (!length) {
        return 0;
    }
    if (descriptor) {
        store_be(out + header, MIN(scsi_unit_blocks(u), 0xffffffffu), 4);
        store_be(out + header + 5, u->block, 3);
        out[header + 4] = 0;
    }
    out[ten ? 3 : 2] = !scsi_unit_is_cd(u) && scsi_unit_is_readonly(u) ? 0x80 : 0;
    if (ten) {
        store_be(out, at + length - 2, 2);
        out[7] = descriptor ? 8 : 0;
    } else {
        out[0] = (uint8_t)(at + length - 1);
        out[3] = descriptor ? 8 : 0;
    }
    return at + length;
}

/* ---- CDs ---- */

static void put_address(uint8_t *out, uint64_t block, bool msf)
{
    if (msf) {
        uint64_t frames = block + 150;

        out[1] = (uint8_t)MIN(frames / 75 / 60, 255);
        out[2] = (uint8_t)(frames / 75 % 60);
        out[3] = (uint8_t)(frames % 75);
    } else {
        store_be(out, block, 4);
    }
}

/* One data track and the lead-out. */
size_t scsi_read_toc(const ScsiUnit *u, const uint8_t *cdb, uint8_t *out)
{
    bool msf = cdb[1] & 2;
    unsigned format = cdb[2] & 0xf, first = cdb[6];
    size_t length = 4;

    out[2] = out[3] = 1;
    if (format == 1) {
        out[5] = 0x14;
        out[6] = 1;
        put_address(out + 8, 0, msf);
        length = 12;
    } else if (format == 0 && (first <= 1 || first == 0xaa)) {
        if (first <= 1) {
            out[5] = 0x14;
            out[6] = 1;
            put_address(out + 8, 0, msf);
            length = 12;
        }
        out[length + 1] = 0x16;
        out[length + 2] = 0xaa;
        put_address(out + length + 4, scsi_unit_blocks(u), msf);
        length += 8;
    } else {
        return 0;
    }
    store_be(out, length - 2, 2);
    return length;
}

/* Profiles (CD-ROM), core, removable medium. */
size_t scsi_configuration(const ScsiUnit *u, const uint8_t *cdb, uint8_t *out)
{
    static const uint8_t features[] = {
        0x00, 0x00, 0x03, 4, 0x00, 0x08, 0x00, 0,                 /* list of profiles; byte 6: current */
        0x00, 0x01, 0x0b, 8, 0, 0, 0, 1, 1, 0, 0, 0,
        0x00, 0x03, 0x07, 4, 0x39, 0, 0, 0,
    };
    unsigned kind = cdb[1] & 3, from = (unsigned)load_be(cdb + 2, 2);
    bool medium = scsi_unit_has_medium(u);
    size_t length = 8;

    for (size_t at = 0; at < sizeof(features); at += 4u + features[at + 3]) {
        unsigned number = (unsigned)load_be(features + at, 2);

        if (kind == 2 ? number == from : number >= from) {
            memcpy(out + length, features + at, 4u + features[at + 3]);
            if (number == 0) {
                out[length + 6] = medium;
            }
            length += 4u + features[at + 3];
        }
    }
    store_be(out, length - 4, 4);
    store_be(out + 6, medium ? 8 : 0, 2);
    return kind == 3 ? 0 : length;
}

/* Polled alone; of media, no event. */
size_t scsi_event_status(const ScsiUnit *u, const uint8_t *cdb, uint8_t *out)
{
    bool media = cdb[4] & 0x10;

    if (!(cdb[1] & 1)) {
        return 0;
    }
    out[3] = 0x10;
    if (!media) {
        out[1] = 2;
        out[2] = 0x80;        /* none of these classes */
        return 4;
    }
    out[1] = 6;
    out[2] = 4;
    out[5] = (uint8_t)(u->state.tray_open | (u->disk ? 2 : 0));
    return 8;
}

/* A complete disc of one session. */
size_t scsi_disc_information(const ScsiUnit *u, uint8_t *out)
{
    store_be(out, 32, 2);
    out[2] = 0x0e;
    out[3] = out[4] = out[5] = out[6] = 1;
    out[7] = 0x20;
    memset(out + 16, 0xff, 8);
    return 34;
}
