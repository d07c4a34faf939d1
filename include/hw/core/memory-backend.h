/*
 * Where a machine's RAM comes from: objects of the types memory-backend-ram, -file and -memfd, that
 * -machine memory-backend=ID names. Without one, RAM is anonymous zero memory.
 *
 * The content that a file has is copied at the start, and described: a recording replays with an
 * equal file only. Only with share=on is RAM the file itself, for others to look into.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_CORE_MEMORY_BACKEND_H
#define HW_CORE_MEMORY_BACKEND_H

#include "hw/core/user-object.h"

extern const UserObjectType memory_backend_ram, memory_backend_file, memory_backend_memfd;

/* The backend of that id; NULL, and why, when there is none or it is something else. */
UserObject *memory_backend_find(Machine *m, const char *id, Error **errp);
/* Its size= in bytes. */
uint64_t memory_backend_size(UserObject *backend);

/* Why a machine with such memory cannot be recorded; NULL: it can. */
const char *memory_backend_unrecordable(UserObject *backend);

/*
 * As memory_add_ram(), of the backend with that id, whose size has to be the region's; id NULL:
 * anonymous. One region a backend.
 */
MemRegion *memory_backend_add_ram(Machine *m, const char *id, const char *name, hwaddr base,
                                  hwaddr size, Error **errp);

#endif
