/*
 * The machine: memory map, virtual clock, devices and the run-state requests
 * that devices may make. Boards (hw/arm/) fill it; the execution loop runs it.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_CORE_MACHINE_H
#define HW_CORE_MACHINE_H

#include <glib.h>
#include "hw/core/clock.h"
#include "hw/core/device.h"
#include "hw/core/memory.h"

typedef struct Balloon Balloon;
typedef struct Chardev Chardev;
typedef struct CharPort CharPort;
typedef struct NetSet NetSet;
typedef struct Replay Replay;
typedef struct Vcpu Vcpu;

/* Why the machine stops or resets; numbers reach the log: never renumber. */
typedef enum ShutdownCause {
    SHUTDOWN_CAUSE_NONE = 0,
    SHUTDOWN_CAUSE_GUEST_SHUTDOWN = 1,
    SHUTDOWN_CAUSE_GUEST_RESET = 2,
    SHUTDOWN_CAUSE_GUEST_PANIC = 3,
    SHUTDOWN_CAUSE_HOST_QUIT = 4,      /* monitor quit, signal, gdb kill */
    SHUTDOWN_CAUSE_HOST_RESET = 5,     /* monitor system_reset */
    SHUTDOWN_CAUSE_HOST_POWERDOWN = 6, /* monitor system_powerdown: a request to the guest */
} ShutdownCause;

/* What a device tells of the guest; what comes of it is the user's choice (-action). */
typedef enum MachineReport {
    MACHINE_REPORT_CRASHLOADED,     /* the guest has crashed, and takes care of it itself */
    MACHINE_REPORT_PANICKED,        /* it has crashed */
    MACHINE_REPORT_SHUTDOWN,        /* it asks, by other means than PSCI, to be shut down */
    MACHINE_REPORT_WATCHDOG,        /* a watchdog has expired */
    MACHINE_REPORT_IO_ERROR,        /* a disk cannot go on: the machine has to stop */
    MACHINE_NUM_REPORTS
} MachineReport;

/* An error of a disk's image. */
typedef enum MachineDiskAction { MACHINE_DISK_REPORT, MACHINE_DISK_IGNORE, MACHINE_DISK_STOP } MachineDiskAction;

typedef struct MachineDiskError {
    const char *device, *drive;     /* ids */
    bool writing;                   /* it was no read */
    MachineDiskAction action;
    bool no_space;
    const char *reason;             /* for people */
} MachineDiskError;

/* For devices with work outside the guest; machine thread. Each may be NULL. */
typedef struct MachineRunHooks {
    void (*resumed)(void *opaque);                  /* the machine goes on after a stop */
    bool (*can_save)(void *opaque, Error **errp);   /* a saved state is complete now */
} MachineRunHooks;

/* What a device tells users of, with its id and a number; nothing comes of it. */
typedef enum MachineNotice {
    MACHINE_NOTICE_RTC,             /* the guest set a clock: seconds ahead of the host's */
    MACHINE_NOTICE_PORT,            /* it opened (1) or closed (0) its end of a port */
    MACHINE_NOTICE_BALLOON,         /* it has another amount of memory: bytes */
} MachineNotice;

/* A port whose back end the property chardev= of a device names; chr: its back end, once it is found. */
typedef struct CharLink {
    const Device *dev;
    const char *chardev;
    CharPort *port;
    Chardev *chr;
} CharLink;

/*
 * The wall clock that guests see: of the host, or one that counts with the host's monotonic clock
 * or with virtual time. All zero: the host's.
 */
typedef enum RtcClock { RTC_CLOCK_HOST, RTC_CLOCK_RT, RTC_CLOCK_VM } RtcClock;

typedef struct RtcConfig {
    RtcClock clock;
    int64_t offset_ns;              /* nanoseconds since 1970 = that clock + offset_ns */
} RtcConfig;

struct Machine {
    MemoryMap *memory;
    VirtualClock *clock;
    Replay *replay;                 /* always there; mode none when unused */
    GPtrArray *devices;             /* Device *, creation order */
    /* What -device and -global may name, NULL-terminated; set by who makes the machine. */
    const DeviceType *const *device_types;
    GPtrArray *buses;               /* Bus *, in the order made */
    GPtrArray *plugged;             /* devices of buses that take part in hot-plugging (hw/core/hotplug.h) */
    bool plugging;                  /* one is made while the machine runs */
    GPtrArray *ejected;             /* Bus *: the guest has let go of what is on it; a request as below */
    bool (*before_hotplug)(Machine *m, Error **errp);   /* called before the first one is made; or NULL */
    GPtrArray *globals;             /* -global, for devices that are made (hw/core/bus.h) */
    GPtrArray *objects;             /* UserObject * (hw/core/user-object.h), in the order made */
    RtcConfig rtc;                  /* set by who makes the machine */
    GPtrArray *drives;              /* Drive * (hw/block/drive.h), in the order made */
    NetSet *net;                    /* network back ends (net/net.h); set by who makes the machine; may be NULL */
    GPtrArray *net_ports;           /* NetPort * of network cards, in the order made */
    GPtrArray *serial;              /* CharPort * of serial ports, in order, for -serial */
    GArray *char_links;             /* CharLink, in the order made */
    const Balloon *balloon;         /* hw/core/balloon.h; NULL: there is none */
    Vcpu **cpus;
    unsigned num_cpus;
    /* The CPU that executes, set by the execution loop: banked registers of
     * interrupt controllers are this CPU's. */
    unsigned current_cpu;
    /* Requests, taken by the execution loop after the current instruction. */
    ShutdownCause shutdown_request;
    ShutdownCause reset_request;
    uint32_t reports;               /* a bit for each MachineReport */
    /* system_powerdown: the board's power button; may be NULL. */
    void (*powerdown)(void *opaque);
    void *powerdown_opaque;
    /* Told what machine_notice() is; may be NULL. */
    void (*notice)(void *opaque, MachineNotice what, const char *id, int64_t value);
    void *notice_opaque;
    void (*disk_error)(void *opaque, const MachineDiskError *error);    /* may be NULL */
    void *disk_error_opaque;
    GArray *run_hooks;              /* of devices */
    /* Told what machine_describe() is; may be NULL. */
    void (*describe)(void *opaque, const char *name, const char *value);
    void *describe_opaque;
};

/* Empty: memory map, clock and no device. replay stays the caller's. */
Machine *machine_new(Replay *replay);
/* Frees devices in reverse order, memory, clock; not the CPUs: VcpuOps.free comes first. */
void machine_free(Machine *m);

/* An input that a replay must find unchanged: "kernel" -> "123 bytes, xxh3:...". */
void machine_describe(Machine *m, const char *name, const char *value);

void machine_notice(Machine *m, MachineNotice what, const char *id, int64_t value);
void machine_disk_error(Machine *m, const MachineDiskError *error);

/* hooks: for as long as they are there. */
void machine_add_run_hooks(Machine *m, const MachineRunHooks *hooks, void *opaque);
void machine_remove_run_hooks(Machine *m, void *opaque);
void machine_resumed(Machine *m);
bool machine_can_save(Machine *m, Error **errp);

/* In the order in which they were made; the CPUs are the execution loop's to reset. */
void machine_reset_devices(Machine *m);
/*
 * memory_peek() as CPU number `cpu` would see it: registers that each CPU has of its own are those
 * of that CPU. Changes nothing.
 */
bool machine_peek(Machine *m, unsigned cpu, hwaddr addr, void *out, size_t length);
/* The first cause stands until the execution loop takes it. */
void machine_request_shutdown(Machine *m, ShutdownCause cause);
void machine_request_reset(Machine *m, ShutdownCause cause);
/* Of several of a kind that come before the execution loop takes them, one counts. */
void machine_report(Machine *m, MachineReport report);

/* True when a device asked the execution loop to leave after this instruction:
 * a request above. */
static inline bool machine_has_request(const Machine *m)
{
    return m->shutdown_request || m->reset_request || m->reports || m->ejected->len;
}

/* Clock, timers and device state (all field tables, creation order) into a digest. */
void machine_digest_devices(Machine *m, Digest *digest);
/* The same, saved. After a failed load the machine must not run on. */
void machine_save_devices(Machine *m, GByteArray *out);
bool machine_load_devices(Machine *m, ByteReader *in, Error **errp);
/* Each device with a field table, by its id. */
typedef void MachineStateFn(void *opaque, const char *owner, const FieldTable *table,
                            const void *state);
void machine_visit_devices(Machine *m, MachineStateFn *fn, void *opaque);
/* For tests: scramble all that a load restores (fields_scramble()). */
void machine_scramble_devices(Machine *m, uint64_t *seed);
Device *machine_find_device(Machine *m, const char *id);

#endif
