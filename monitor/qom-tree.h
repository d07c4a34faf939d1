/*
 * The tree of objects: places over what the machine has anyway. Nothing is registered; a place is
 * found by walking from the root. Objects and back ends are the main thread's, and devices and buses,
 * which come and go, the machine thread's. So a walk is a closure of the machine thread that the main
 * thread waits for: monitor_on_machine().
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef MONITOR_QOM_TREE_H
#define MONITOR_QOM_TREE_H

#include "hw/core/bus.h"
#include "hw/core/user-object.h"
#include "monitor/monitor.h"

typedef enum QomKind {
    QOM_ROOT, QOM_MACHINE, QOM_UNATTACHED, QOM_PERIPHERAL, QOM_OBJECTS, QOM_CHARDEVS,
    QOM_CPU, QOM_DEVICE, QOM_BUS, QOM_OBJECT, QOM_CHARDEV,
} QomKind;

/* A place; which member of the union is valid follows from the kind. */
typedef struct QomNode {
    QomKind kind;
    union {
        Vcpu *cpu;
        Device *device;
        Bus *bus;
        UserObject *object;
        Chardev *chardev;
    };
} QomNode;

/* fn as such a closure; *errp and the result are its. Main thread. */
typedef bool MonitorRunFn(void *opaque, Error **errp);
bool monitor_on_machine(MonitorEnv *env, MonitorRunFn *fn, void *opaque, Error **errp);

/* Each child of a place under its name; false from fn ends the walk, and is returned. */
typedef bool QomChildFn(void *opaque, const char *name, const QomNode *child);
bool qom_foreach_child(MonitorEnv *env, const QomNode *node, QomChildFn *fn, void *opaque);

/* "/machine/unattached/gic", or the end of a path that only one place has. */
bool qom_find(MonitorEnv *env, const char *path, QomNode *out, Error **errp);
/* To be freed. */
char *qom_type_name(MonitorEnv *env, const QomNode *node);
char *qom_device_path(const Device *dev);

/* Its tables of properties, counted from 0; NULL: it has not so many. */
const Property *qom_properties(MonitorEnv *env, const QomNode *node, unsigned table);
/* The value as a user would write it, to be freed; NULL: none. */
char *qom_property_text(MonitorEnv *env, const QomNode *node, unsigned table, const Property *p);

#endif
