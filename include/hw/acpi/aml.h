/*
 * Writing AML, the byte code of ACPI's definition blocks (ACPI 6.4 chapter 20). AML is prefix notation, so what is
 * called in the order of the ASL text comes out right: an operator, then its operands.
 *
 *     aml_device(a, "PWRB");
 *     aml_name(a, "_HID"), aml_eisa_id(a, "PNP0C0C");
 *     aml_end(a);
 *
 * Names are our own: a wrong one is a bug, and asserts. Nothing here is guest input.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_ACPI_AML_H
#define HW_ACPI_AML_H

#include <glib.h>
#include "util/osdep.h"

#define AML_MAX_DEPTH 8

typedef struct Aml {
    GByteArray *bytes;              /* whoever makes it gives it */
    guint open[AML_MAX_DEPTH];      /* where the lengths of open packages go */
    unsigned depth;
} Aml;

/* Operators (20.2.5). Those above 255 have the prefix 0x5b. */
enum AmlOp {
    AML_STORE = 0x70,
    AML_AND = 0x7b,
    AML_OR = 0x7d,
    AML_NOTIFY = 0x86,
    AML_CREATE_DWORD_FIELD = 0x8a,
    AML_LNOT = 0x92,
    AML_LEQUAL = 0x93,
    AML_RETURN = 0xa4,
    AML_LOCAL0 = 0x60,
    AML_ARG0 = 0x68,                /* Arg1 is the next one, and so on */
    AML_ARG1 = 0x69,
    AML_ARG3 = 0x6b,
};

void aml_op(Aml *a, enum AmlOp op);
/* "\\_SB.PCI0", "ESEL": short segments are filled up. */
void aml_ref(Aml *a, const char *name);
void aml_int(Aml *a, uint64_t value);
void aml_string(Aml *a, const char *text);
void aml_unicode(Aml *a, const char *text);
void aml_buffer(Aml *a, const uint8_t *data, unsigned length);
/* The numbers that EISAID("PNP0A08") and ToUUID("33DB4D5B-...") stand for. */
void aml_eisa_id(Aml *a, const char *id);
void aml_uuid(Aml *a, const char *text);

/* What has a length: each is closed by aml_end(). */
void aml_scope(Aml *a, const char *name);
void aml_device(Aml *a, const char *name);
void aml_method(Aml *a, const char *name, unsigned args, bool serialized);
void aml_if(Aml *a);                /* then its condition */
void aml_else(Aml *a);
void aml_package(Aml *a, unsigned elements);
void aml_end(Aml *a);

/* Name(NAME, ...): its value comes next. */
void aml_name(Aml *a, const char *name);
/* An operation region in memory, and a field of 32 bits that is all of it. */
void aml_memory_register(Aml *a, const char *region, const char *field, uint32_t address);

/*
 * Resource descriptors (ACPI 6.4 6.4), appended to a buffer of their own, which aml_resources() turns into a
 * ResourceTemplate.
 */
void aml_res_memory32(GByteArray *res, uint32_t base, uint32_t size);
/* A GSI of the interrupt controller that a device takes, active high. */
void aml_res_interrupt(GByteArray *res, uint32_t gsi, bool edge);

enum AmlSpace { AML_SPACE_MEMORY = 0, AML_SPACE_IO = 1, AML_SPACE_BUS = 2 };

/* What a bridge passes on, in descriptors of 2, 4 and 8 bytes a number; translated: the host's address - the bus's. */
void aml_res_window(GByteArray *res, unsigned bytes, enum AmlSpace space, uint64_t base, uint64_t size,
                    uint64_t translated);
/* Memory above 4 GiB that a device takes. */
void aml_res_memory64(GByteArray *res, uint64_t base, uint64_t size);
/* Takes `res`. */
void aml_resources(Aml *a, GByteArray *res);

#endif
