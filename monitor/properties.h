/*
 * Properties of devices, CPUs and boards as QMP shows them.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef MONITOR_PROPERTIES_H
#define MONITOR_PROPERTIES_H

#include "hw/core/property.h"
#include "qapi/qapi-types.h"

/* "bool", "uint8", "size", "str"; to be freed. */
char *qmp_property_type(const Property *p);
/* A value that is written as users do, as JSON; NULL: there is none. */
json_object *qmp_property_json(const Property *p, const char *text);
/* The other way round, whatever the property; to be freed. NULL: it is no value of a property. */
char *qmp_property_text(json_object *value);
/* Whether it is shown: one that is always refused is not. */
bool qmp_property_shown(const Property *p);
/* One row. */
QapiObjectPropertyInfo *qmp_property_info(const Property *p);

#endif
