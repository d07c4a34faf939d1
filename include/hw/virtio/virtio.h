/*
 * Virtio devices, apart from the transport that a driver reaches them by
 * (virtio 1.2 chapter 2). A device is a VirtioDeviceType (what it offers and
 * what it does when a queue is kicked); the transport (hw/virtio/virtio-mmio.c)
 * owns the registers and calls virtio_*() here; virtqueue_*() is for devices.
 *
 * 1. Everything runs on the machine thread: inside the guest's register write, or, for a request that
 *    took time, in its delivery. Which chains are out is in the device's own state.
 * 2. Rings are split (2.7) or packed (2.8), as the driver has chosen; a device cannot tell, and names a
 *    chain by VirtqElement.head in either.
 * 3. Rings and descriptors are untrusted. A walk is bounded by VIRTQUEUE_MAX_SIZE
 *    buffers, a device sees only buffers that lie in RAM, and whatever breaks
 *    the rules stops the device (DEVICE_NEEDS_RESET) until the driver resets it.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_VIRTIO_VIRTIO_H
#define HW_VIRTIO_VIRTIO_H

#include "hw/core/machine.h"

#define VIRTIO_MAX_QUEUES 64     /* of a console device with 31 ports */
#define VIRTQUEUE_MAX_SIZE 1024

enum VirtioId {
    VIRTIO_ID_NET = 1,
    VIRTIO_ID_BLOCK = 2,
    VIRTIO_ID_CONSOLE = 3,
    VIRTIO_ID_RNG = 4,
    VIRTIO_ID_BALLOON = 5,
    VIRTIO_ID_SCSI = 8,
    VIRTIO_ID_9P = 9,
};

/* Device status bits (virtio 1.2 2.1). */
enum VirtioStatus {
    VIRTIO_STATUS_ACKNOWLEDGE = 1,
    VIRTIO_STATUS_DRIVER = 2,
    VIRTIO_STATUS_DRIVER_OK = 4,
    VIRTIO_STATUS_FEATURES_OK = 8,
    VIRTIO_STATUS_NEEDS_RESET = 64,
    VIRTIO_STATUS_FAILED = 128,
};

/* Feature bits of every device (virtio 1.2 chapter 6; 24 and 27 are legacy). */
enum VirtioFeature {
    VIRTIO_F_NOTIFY_ON_EMPTY = 24,
    VIRTIO_F_ANY_LAYOUT = 27,
    VIRTIO_F_INDIRECT_DESC = 28,
    VIRTIO_F_EVENT_IDX = 29,
    VIRTIO_F_VERSION_1 = 32,
    VIRTIO_F_RING_PACKED = 34,
};

/* Those of the interface before 1.0 alone. */
#define VIRTIO_LEGACY_FEATURES (1u << VIRTIO_F_NOTIFY_ON_EMPTY | 1u << VIRTIO_F_ANY_LAYOUT)

/* A vector that is none (virtio 1.2 4.1.4.3); all are after a reset. */
#define VIRTIO_NO_VECTOR 0xffff

/* Interrupt status bits (virtio 1.2 4.2.2). */
enum VirtioIsr {
    VIRTIO_ISR_QUEUE = 1,
    VIRTIO_ISR_CONFIG = 2,
};

/*
 * The guest-visible state that all devices share. A device's own state struct
 * has it as its first member, called `virtio`, and its field table starts with
 * VIRTIO_FIELDS.
 */
typedef struct VirtioState {
    uint64_t driver_features;
    uint64_t queue_desc[VIRTIO_MAX_QUEUES];     /* guest-physical; 0: not set up */
    uint64_t queue_avail[VIRTIO_MAX_QUEUES];    /* packed: the driver's event suppression */
    uint64_t queue_used[VIRTIO_MAX_QUEUES];     /* packed: the device's */
    uint32_t queue_num[VIRTIO_MAX_QUEUES];
    /* Of a packed ring, a position is a slot, and the wrap counter in bit 15 (2.8.1), as in 2.9. */
    uint16_t last_avail[VIRTIO_MAX_QUEUES];     /* next available entry to take */
    uint16_t used_idx[VIRTIO_MAX_QUEUES];       /* next used entry to write */
    uint16_t in_use[VIRTIO_MAX_QUEUES];         /* popped and not yet pushed */
    uint16_t signalled_used[VIRTIO_MAX_QUEUES]; /* used_idx at the last notification check */
    uint16_t queue_vector[VIRTIO_MAX_QUEUES];   /* of a transport with messages: for used buffers */
    uint16_t config_vector;                     /* ... and for configuration changes */
    uint8_t signalled_valid[VIRTIO_MAX_QUEUES];
    uint8_t queue_ready[VIRTIO_MAX_QUEUES];
    uint8_t status;
    uint8_t isr;
    uint8_t broken;                             /* nothing is processed until a reset */
    uint8_t pad[7];
    uint32_t config_generation;
    /* Of packed rings: the chains that are popped and not yet pushed (virtqueue-packed.c). */
    GByteArray *packed_chains;
} VirtioState;

#define VIRTIO_FIELDS(F, S)                \
    F(S, U64, virtio.driver_features)      \
    F(S, ARRAY_U64, virtio.queue_desc)     \
    F(S, ARRAY_U64, virtio.queue_avail)    \
    F(S, ARRAY_U64, virtio.queue_used)     \
    F(S, ARRAY_U32, virtio.queue_num)      \
    F(S, ARRAY_U16, virtio.last_avail)     \
    F(S, ARRAY_U16, virtio.used_idx)       \
    F(S, ARRAY_U16, virtio.in_use)         \
    F(S, ARRAY_U16, virtio.signalled_used) \
    F(S, ARRAY_U16, virtio.queue_vector)   \
    F(S, U16, virtio.config_vector)        \
    F(S, ARRAY_U8, virtio.signalled_valid) \
    F(S, ARRAY_U8, virtio.queue_ready)     \
    F(S, U8, virtio.status)                \
    F(S, U8, virtio.isr)                   \
    F(S, U8, virtio.broken)                \
    F(S, ARRAY_U8, virtio.pad)             \
    F(S, U32, virtio.config_generation)    \
    F(S, BYTES, virtio.packed_chains)

/* The kind of bus that transports offer: DeviceType.bus of all virtio devices. */
#define VIRTIO_BUS "virtio-bus"

/*
 * What users choose of every virtio device. A device's own config struct has it as its first
 * member, called `virtio`, and its property table starts with VIRTIO_PROPERTIES.
 */
typedef struct VirtioConfig {
    bool indirect_desc, event_idx, notify_on_empty, any_layout, packed;
} VirtioConfig;

#define VIRTIO_PROPERTIES(S)                                                                \
    PROP_BOOL("indirect_desc", S, virtio.indirect_desc, "on",                               \
              "offer descriptors in tables of their own"),                                  \
    PROP_BOOL("event_idx", S, virtio.event_idx, "on",                                       \
              "offer to say when the next notification is due"),                            \
    PROP_BOOL("notify_on_empty", S, virtio.notify_on_empty, "on",                           \
              "offer an interrupt when a queue runs empty (legacy interface)"),             \
    PROP_BOOL("any_layout", S, virtio.any_layout, "on",                                     \
              "offer any split of headers over descriptors (legacy interface)"),                \
    PROP_BOOL("packed", S, virtio.packed, "off",                                            \
              "offer packed rings (not over the legacy interface)")

typedef struct VirtioDevice VirtioDevice;

typedef struct VirtioDeviceType {
    uint16_t device_id;           /* VirtioId */
    uint16_t num_queues;
    uint16_t queue_size;          /* the largest a driver may choose; a power of two */
    uint16_t config_size;         /* bytes of configuration space */
    uint64_t features;            /* the device's own bits; ring bits are added */
    /* The driver kicked queue q. A chain that is popped may be pushed later. */
    void (*handle_queue)(VirtioDevice *v, unsigned q);
    /* Chains of queue q that were popped and not pushed are no more; NULL: there never are any. */
    void (*forget_queue)(VirtioDevice *v, unsigned q);
    /* One byte of configuration space, offset < config_size; NULL without one. */
    uint8_t (*config_read)(VirtioDevice *v, unsigned offset);
    void (*config_write)(VirtioDevice *v, unsigned offset, uint8_t value);   /* may be NULL */
    /* The driver has set DRIVER_OK, and may have put chains into queues before; may be NULL. */
    void (*driver_ok)(VirtioDevice *v);
    /* The device's own part of a reset; may be NULL. */
    void (*reset)(VirtioDevice *v);
} VirtioDeviceType;

struct VirtioDevice {
    Device dev;                   /* first */
    const VirtioDeviceType *vtype;
    VirtioState *s;               /* in the device's own state struct */
    const VirtioConfig *config;   /* in the device's own config struct */
    uint64_t host_features;       /* what is offered */
    /* Set by the transport before the device is realized. */
    bool legacy;                  /* the interface before virtio 1.0 ... */
    bool transitional;            /* ... and the present one, whichever the driver takes */
    void (*update_irq)(void *opaque);
    /*
     * Of a transport with messages: send the one of a vector, if it is one. False: messages are
     * off, and the interrupt status and its line tell the driver. NULL: there are none.
     */
    bool (*send)(void *opaque, uint16_t vector);
    void *transport;              /* the opaque of both */
};

/* ---- for device implementations ---- */

/* From the device's realize: tie the shared part to the type, the state and the config. */
void virtio_init(VirtioDevice *v, const VirtioDeviceType *vtype, VirtioState *s,
                 const VirtioConfig *config);

/* DeviceType.reset and .post_load of devices that have nothing to add. */
void virtio_device_reset(Device *dev);
void virtio_device_post_load(Device *dev);

typedef struct VirtqSegment {
    hwaddr addr;
    uint32_t length;
} VirtqSegment;

/* One buffer chain: num_out device-readable segments, then num_in writable ones. */
typedef struct VirtqElement {
    uint16_t head;                /* its name among the chains of its queue that are out */
    unsigned num_out, num_in;
    uint64_t out_bytes, in_bytes;
    VirtqSegment segment[VIRTQUEUE_MAX_SIZE];
} VirtqElement;

/* Take the next available chain; false when there is none or the ring is broken. */
bool virtqueue_pop(VirtioDevice *v, unsigned q, VirtqElement *e);
/* The chain that virtqueue_pop() would take, which stays where it is. */
bool virtqueue_peek(VirtioDevice *v, unsigned q, VirtqElement *e);
/*
 * Once more the chain with this head, which was popped and not pushed: its buffers lie in the guest's memory
 * as long. False when the driver has broken it meanwhile; the device stops then.
 */
bool virtqueue_again(VirtioDevice *v, unsigned q, uint16_t head, VirtqElement *e);
/* The last n chains that were popped, in a row and not pushed, are to be popped again. */
void virtqueue_rewind(VirtioDevice *v, unsigned q, unsigned n);
/* Copy from the readable part at offset / to the writable part; bytes copied. */
size_t virtqueue_read(VirtioDevice *v, const VirtqElement *e, uint64_t offset,
                      void *out, size_t length);
size_t virtqueue_write(VirtioDevice *v, const VirtqElement *e, uint64_t offset,
                       const void *data, size_t length);
/* Give the chain back with `written` bytes in its writable part. */
void virtqueue_push(VirtioDevice *v, unsigned q, const VirtqElement *e, uint32_t written);
/* Interrupt the driver for what was pushed, if it asked for that. */
void virtqueue_notify(VirtioDevice *v, unsigned q);

/* The configuration space changed: new generation and an interrupt. */
void virtio_config_changed(VirtioDevice *v);

static inline bool virtio_has_feature(const VirtioDevice *v, enum VirtioFeature bit)
{
    return (v->s->driver_features >> bit) & 1;
}

/* ---- for transports ---- */

void virtio_reset(VirtioDevice *v);
void virtio_set_status(VirtioDevice *v, uint8_t status);
void virtio_set_driver_features(VirtioDevice *v, unsigned word, uint32_t value);
void virtio_set_queue_num(VirtioDevice *v, unsigned q, uint32_t num);
/* Use a queue whose rings are one block at `base`, the used ring aligned (2.7.2, legacy). */
void virtio_set_legacy_ring(VirtioDevice *v, unsigned q, uint64_t base, uint64_t align);
/* Stop using a queue, and forget its rings and position. */
void virtio_reset_queue(VirtioDevice *v, unsigned q);
/* The driver kicked queue q (any value it may have written). */
void virtio_kick(VirtioDevice *v, uint32_t q);
uint32_t virtio_config_read(VirtioDevice *v, hwaddr offset, unsigned size);
void virtio_config_write(VirtioDevice *v, hwaddr offset, uint32_t value, unsigned size);

#endif
