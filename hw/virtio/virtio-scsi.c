/*
 * virtio-scsi: the SCSI controller (virtio 1.2 5.6). Wiring: a queue for task management, one for events, and
 * num_queues for commands; a SCSI bus (hw/scsi/scsi.h).
 *
 * A command in flight is known by its queue and the head of its chain, which stays where it is.
 *
 * Not modelled: events (none is offered, so the driver's buffers for them stay where they are), protection
 * information, asynchronous notifications (a subscription is answered with none).
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/scsi/scsi.h"
#include "hw/virtio/virtio-scsi.h"
#include "util/bitops.h"
#include "util/bytes.h"
#include "virtio-internal.h"

enum { QUEUE_CONTROL, QUEUE_EVENT, QUEUE_REQUEST };

#define MAX_REQUEST_QUEUES 4
#define QUEUE_SIZE 256
#define CONFIG_BYTES 36
#define CONFIG_SENSE_SIZE 20
#define CONFIG_CDB_SIZE 24
#define INITIAL_SENSE_SIZE 96
#define INITIAL_CDB_SIZE 32
#define MAX_SENSE_SIZE 252
#define MAX_CDB_SIZE 260

#define LUN_BYTES 8
#define REQUEST_ID 8             /* offset of the driver's id for a command */
#define REQUEST_CDB 19
#define REPLY_SENSE 12
#define REPLY_RESPONSE 11

enum ControlType { CONTROL_TMF = 0, CONTROL_AN_QUERY = 1, CONTROL_AN_SUBSCRIBE = 2 };

enum TaskFunction {
    TMF_ABORT_TASK = 0,
    TMF_ABORT_TASK_SET = 1,
    TMF_CLEAR_TASK_SET = 3,
    TMF_NEXUS_RESET = 4,
    TMF_UNIT_RESET = 5,
    TMF_QUERY_TASK = 6,
    TMF_QUERY_TASK_SET = 7,
};

enum Response {
    RESPONSE_OK = 0,
    RESPONSE_OVERRUN = 1,
    RESPONSE_ABORTED = 2,
    RESPONSE_BAD_TARGET = 3,
    RESPONSE_RESET = 4,
    RESPONSE_FUNCTION_SUCCEEDED = 10,
    RESPONSE_FUNCTION_REJECTED = 11,
    RESPONSE_INCORRECT_LUN = 12,
};

typedef struct VirtioScsiState {
    VirtioState virtio;
    uint32_t sense_size, cdb_size;    /* the driver's to choose */
} VirtioScsiState;

typedef struct VirtioScsiConfig {
    VirtioConfig virtio;
    uint32_t num_queues, max_sectors, cmd_per_lun;
} VirtioScsiConfig;

typedef struct VirtioScsi {
    VirtioDevice parent;
    VirtioScsiState state;
    VirtioScsiConfig config;
    VirtioDeviceType vtype;       /* with the queues of this one */
    ScsiBus *scsi;
    VirtqElement element;         /* scratch */
    bool in_kick;                 /* element is the chain that is being begun */
    bool used;                    /* chains were pushed in this kick */
} VirtioScsi;

#define VIRTIO_SCSI_FIELDS(F, S) VIRTIO_FIELDS(F, S) F(S, U32, sense_size) F(S, U32, cdb_size)

FIELD_TABLE(virtio_scsi_fields, "virtio-scsi", 1, VirtioScsiState, VIRTIO_SCSI_FIELDS);

static VirtioScsi *virtio_scsi(VirtioDevice *v)
{
    return container_of(v, VirtioScsi, parent);
}

static uint64_t tag_of(unsigned q, uint16_t head)
{
    return (uint64_t)q << 16 | head;
}

/* 5.6.6.1: 1, the target, and the unit in two bytes of the flat format. */
static bool parse_lun(const uint8_t *p, unsigned *target, unsigned *lun)
{
    *target = p[1];
    *lun = (unsigned)load_be(p + 2, 2) & 0x3fff;
    return p[0] == 1 && load_be(p + 4, 4) == 0 && p[2] < 0x80;
}

/* ---- commands ---- */

static uint64_t request_bytes(const VirtioScsi *s)
{
    return REQUEST_CDB + s->state.cdb_size;
}

static uint64_t reply_bytes(const VirtioScsi *s)
{
    return REPLY_SENSE + s->state.sense_size;
}

static void push(VirtioScsi *s, unsigned q, const VirtqElement *e, uint64_t written)
{
    virtqueue_push(&s->parent, q, e, (uint32_t)written);
    if (s->in_kick) {
        s->used = true;
    } else {
        virtqueue_notify(&s->parent, q);
    }
}

/* result NULL: there is but the response. */
static void finish(VirtioScsi *s, unsigned q, const VirtqElement *e, enum Response response, const ScsiResult *result)
{
    uint8_t reply[REPLY_SENSE + MAX_SENSE_SIZE] = { 0 };
    uint64_t room = e->in_bytes - reply_bytes(s), length = 0, expected;

    if (result) {
        length = result->data ? virtqueue_write(&s->parent, e, reply_bytes(s), result->data, MIN(result->length, room))
                              : 0;
        expected = room ? room - length : e->out_bytes - request_bytes(s);
        if (!room && result->status == SCSI_GOOD) {
            expected = 0;
        }
        store_le(reply + 4, MIN(expected, UINT32_MAX), 4);
        reply[10] = (uint8_t)result->status;
        if (result->status == SCSI_CHECK_CONDITION) {
            uint32_t sense = MIN(s->state.sense_size, SCSI_SENSE_BYTES);

            store_le(reply, sense, 4);
            memcpy(reply + REPLY_SENSE, result->sense, sense);
        }
    }
    reply[REPLY_RESPONSE] = (uint8_t)response;
    virtqueue_write(&s->parent, e, 0, reply, reply_bytes(s));
    push(s, q, e, reply_bytes(s) + length);
}

/* A chain that was taken before: whole still. In a loaded state that makes no sense there may be none. */
static bool take_again(VirtioScsi *s, unsigned q, uint16_t head, VirtqElement *e)
{
    if (q < QUEUE_REQUEST || q >= s->vtype.num_queues) {
        return false;
    }
    if (!s->state.virtio.in_use[q]) {
        virtio_error(&s->parent, "a command in flight has no chain");
        return false;
    }
    if (!virtqueue_again(&s->parent, q, head, e)) {
        return false;
    }
    if (e->in_bytes < reply_bytes(s) || e->out_bytes < request_bytes(s)) {
        virtio_error(&s->parent, "a command in flight lost its header");
        return false;
    }
    return true;
}

static size_t read_data(void *opaque, uint64_t offset, void *out, size_t length)
{
    VirtioScsi *s = opaque;

    return virtqueue_read(&s->parent, &s->element, request_bytes(s) + offset, out, length);
}

static void command_done(void *opaque, uint64_t tag, const ScsiResult *result)
{
    VirtioScsi *s = opaque;
    unsigned q = (unsigned)(tag >> 16);

    if (s->in_kick || take_again(s, q, (uint16_t)tag, &s->element)) {
        finish(s, q, &s->element, RESPONSE_OK, result);
    }
}

static const ScsiBusOps bus_ops = { .read = read_data, .done = command_done };

static void begin(VirtioScsi *s, unsigned q, const VirtqElement *e)
{
    ScsiCommand c = { .tag = tag_of(q, e->head) };
    uint8_t lun_bytes[LUN_BYTES];
    unsigned target, lun;

    virtqueue_read(&s->parent, e, 0, lun_bytes, sizeof(lun_bytes));
    virtqueue_read(&s->parent, e, REQUEST_CDB, c.cdb, MIN(s->state.cdb_size, sizeof(c.cdb)));
    c.out_bytes = e->out_bytes - request_bytes(s);
    c.in_bytes = e->in_bytes - reply_bytes(s);
    if (!parse_lun(lun_bytes, &target, &lun) || !scsi_bus_has_target(s->scsi, target)) {
        finish(s, q, e, RESPONSE_BAD_TARGET, NULL);
    } else {
        scsi_bus_request(s->scsi, target, lun, &c);
    }
}

static void take_commands(VirtioScsi *s, unsigned q)
{
    VirtqElement *e = &s->element;

    s->used = false;
    while (virtqueue_pop(&s->parent, q, e)) {
        if (e->out_bytes < request_bytes(s) || e->in_bytes < reply_bytes(s)) {
            virtio_error(&s->parent, "a command without a header");
            return;
        }
        s->in_kick = true;
        begin(s, q, e);
        s->in_kick = false;
    }
    if (s->used) {
        virtqueue_notify(&s->parent, q);
    }
}

/* ---- task management (5.6.6.2) ---- */

typedef struct Task {
    enum TaskFunction function;
    unsigned target, lun;
    uint64_t id;
} Task;

static bool concerns(VirtioScsi *s, const Task *t, uint64_t tag)
{
    bool one = t->function == TMF_ABORT_TASK || t->function == TMF_QUERY_TASK;
    unsigned target, lun;
    uint8_t id[8];

    if (!scsi_bus_find(s->scsi, tag, &target, &lun) || target != t->target ||
        (lun != t->lun && t->function != TMF_NEXUS_RESET) ||
        !take_again(s, (unsigned)(tag >> 16), (uint16_t)tag, &s->element)) {
        return false;
    }
    virtqueue_read(&s->parent, &s->element, REQUEST_ID, id, sizeof(id));
    return !one || load_le(id, 8) == t->id;
}

/* s->element is the chain. A driver that breaks the rules has it in flight several times: each one ends. */
static void end_all(VirtioScsi *s, unsigned q, uint64_t tag, enum Response response)
{
    for (unsigned n = scsi_bus_cancel(s->scsi, tag, tag); n && s->state.virtio.in_use[q]; n--) {
        finish(s, q, &s->element, response, NULL);
    }
}

/* Those in flight that it concerns: how many; they end with this response, or go on with RESPONSE_OK. */
static unsigned each_task(VirtioScsi *s, const Task *t, enum Response response)
{
    unsigned count = 0;

    for (unsigned q = QUEUE_REQUEST; q < s->vtype.num_queues; q++) {
        for (unsigned head = 0; head < QUEUE_SIZE; head++) {
            uint64_t tag = tag_of(q, (uint16_t)head);

            if (!concerns(s, t, tag)) {
                continue;
            }
            count++;
            if (response != RESPONSE_OK) {
                end_all(s, q, tag, response);
            }
        }
    }
    return count;
}

static enum Response manage(VirtioScsi *s, const Task *t)
{
    if (!scsi_bus_has_target(s->scsi, t->target)) {
        return RESPONSE_BAD_TARGET;
    }
    if (t->function != TMF_NEXUS_RESET && !scsi_bus_has_unit(s->scsi, t->target, t->lun)) {
        return RESPONSE_INCORRECT_LUN;
    }
    switch (t->function) {
    case TMF_ABORT_TASK:
    case TMF_ABORT_TASK_SET:
    case TMF_CLEAR_TASK_SET:
        each_task(s, t, RESPONSE_ABORTED);
        return RESPONSE_OK;
    case TMF_NEXUS_RESET:
        each_task(s, t, RESPONSE_RESET);
        for (unsigned lun = 0; lun <= SCSI_MAX_LUN; lun++) {
            scsi_bus_reset_unit(s->scsi, t->target, lun);
        }
        return RESPONSE_OK;
    case TMF_UNIT_RESET:
        each_task(s, t, RESPONSE_RESET);
        scsi_bus_reset_unit(s->scsi, t->target, t->lun);
        return RESPONSE_OK;
    case TMF_QUERY_TASK:
    case TMF_QUERY_TASK_SET:
        return each_task(s, t, RESPONSE_OK) ? RESPONSE_FUNCTION_SUCCEEDED : RESPONSE_OK;
    }
    return RESPONSE_FUNCTION_REJECTED;
}

/* One message: type (4), then subtype (4), lun (8), id (8); or lun (8), events (4). */
static void control(VirtioScsi *s, VirtqElement *e)
{
    uint8_t in[24] = { 0 }, out[5] = { 0 };
    Task t;

    virtqueue_read(&s->parent, e, 0, in, sizeof(in));
    if (load_le(in, 4) != CONTROL_TMF) {
        out[4] = load_le(in, 4) > CONTROL_AN_SUBSCRIBE ? RESPONSE_FUNCTION_REJECTED : RESPONSE_OK;
        virtqueue_write(&s->parent, e, 0, out, sizeof(out));
        virtqueue_push(&s->parent, QUEUE_CONTROL, e, sizeof(out));
        return;
    }
    t.function = (enum TaskFunction)load_le(in + 4, 4);
    t.id = load_le(in + 16, 8);
    if (!parse_lun(in + 8, &t.target, &t.lun)) {
        out[0] = RESPONSE_BAD_TARGET;
    } else {
        out[0] = (uint8_t)manage(s, &t);
    }
    virtqueue_write(&s->parent, e, 0, out, 1);
    virtqueue_push(&s->parent, QUEUE_CONTROL, e, 1);
}

static void take_control(VirtioScsi *s)
{
    g_autofree VirtqElement *e = g_new(VirtqElement, 1);
    bool used = false;

    while (virtqueue_pop(&s->parent, QUEUE_CONTROL, e)) {
        control(s, e);
        used = true;
    }
    if (used) {
        virtqueue_notify(&s->parent, QUEUE_CONTROL);
    }
}

static void virtio_scsi_handle_queue(VirtioDevice *v, unsigned q)
{
    if (q == QUEUE_CONTROL) {
        take_control(virtio_scsi(v));
    } else if (q >= QUEUE_REQUEST) {
        take_commands(virtio_scsi(v), q);
    }
}

static void virtio_scsi_forget_queue(VirtioDevice *v, unsigned q)
{
    VirtioScsi *s = virtio_scsi(v);

    if (s->scsi) {
        scsi_bus_cancel(s->scsi, tag_of(q, 0), tag_of(q, UINT16_MAX));
    }
}

/* ---- configuration space (5.6.4) ---- */

static uint8_t virtio_scsi_config_read(VirtioDevice *v, unsigned offset)
{
    const VirtioScsi *s = virtio_scsi(v);
    uint8_t c[CONFIG_BYTES] = { 0 };

    store_le(c, s->config.num_queues, 4);
    store_le(c + 4, QUEUE_SIZE - 2, 4);               /* seg_max */
    store_le(c + 8, s->config.max_sectors, 4);
    store_le(c + 12, s->config.cmd_per_lun, 4);
    store_le(c + 16, 16, 4);                          /* event_info_size */
    store_le(c + CONFIG_SENSE_SIZE, s->state.sense_size, 4);
    store_le(c + CONFIG_CDB_SIZE, s->state.cdb_size, 4);
    store_le(c + 30, SCSI_MAX_TARGET, 2);
    store_le(c + 32, SCSI_MAX_LUN, 4);
    return c[offset];
}

static void set_byte(uint32_t *value, unsigned n, uint8_t byte, uint32_t max)
{
    *value = MIN((*value & ~(0xffu << (8 * n))) | (uint32_t)byte << (8 * n), max);
}

/* Bytes come one by one, so a size is bounded as they do. */
static void virtio_scsi_config_write(VirtioDevice *v, unsigned offset, uint8_t value)
{
    VirtioScsiState *state = &virtio_scsi(v)->state;

    if (state->virtio.status & VIRTIO_STATUS_DRIVER_OK) {
        return;    /* commands in flight have the sizes that they began with */
    }
    if (offset >= CONFIG_SENSE_SIZE && offset < CONFIG_SENSE_SIZE + 4) {
        set_byte(&state->sense_size, offset - CONFIG_SENSE_SIZE, value, MAX_SENSE_SIZE);
    } else if (offset >= CONFIG_CDB_SIZE && offset < CONFIG_CDB_SIZE + 4) {
        set_byte(&state->cdb_size, offset - CONFIG_CDB_SIZE, value, MAX_CDB_SIZE);
    }
}

/* ---- shell ---- */

static void virtio_scsi_reset(VirtioDevice *v)
{
    VirtioScsi *s = virtio_scsi(v);

    s->state.sense_size = INITIAL_SENSE_SIZE;
    s->state.cdb_size = INITIAL_CDB_SIZE;
}

static const VirtioDeviceType virtio_scsi_vtype = {
    .device_id = VIRTIO_ID_SCSI,
    .queue_size = QUEUE_SIZE,
    .config_size = CONFIG_BYTES,
    .handle_queue = virtio_scsi_handle_queue,
    .forget_queue = virtio_scsi_forget_queue,
    .config_read = virtio_scsi_config_read,
    .config_write = virtio_scsi_config_write,
    .reset = virtio_scsi_reset,
};

static bool virtio_scsi_realize(Device *dev, Error **errp)
{
    VirtioScsi *s = container_of(dev, VirtioScsi, parent.dev);
    /* The bus is called by the device that users know: the function whose part this is, if there is one. */
    const Device *outer = dev->bus && dev->bus->parent->part == dev ? dev->bus->parent : dev;
    g_autofree char *name = g_strdup_printf("%s.0", outer->id);

    s->vtype = virtio_scsi_vtype;
    s->vtype.num_queues = (uint16_t)(QUEUE_REQUEST + s->config.num_queues);
    virtio_init(&s->parent, &s->vtype, &s->state.virtio, &s->config.virtio);
    s->scsi = scsi_bus_new(dev, name, &bus_ops, s);
    return true;
}

static void virtio_scsi_post_load(Device *dev)
{
    VirtioScsi *s = container_of(dev, VirtioScsi, parent.dev);

    s->state.sense_size = MIN(s->state.sense_size, MAX_SENSE_SIZE);
    s->state.cdb_size = MIN(s->state.cdb_size, MAX_CDB_SIZE);
    virtio_device_post_load(dev);
}

static void virtio_scsi_free(Device *dev)
{
    VirtioScsi *s = container_of(dev, VirtioScsi, parent.dev);

    scsi_bus_free(s->scsi);
    g_free(s);
}

static const Property virtio_scsi_properties[] = {
    VIRTIO_PROPERTIES(VirtioScsiConfig),
    PROP_UINT("num_queues", VirtioScsiConfig, num_queues, "1", 1, MAX_REQUEST_QUEUES, "queues for commands"),
    PROP_UINT("max_sectors", VirtioScsiConfig, max_sectors, "65535", 1, 65535, "the most of one command"),
    PROP_UINT("cmd_per_lun", VirtioScsiConfig, cmd_per_lun, "128", 1, 65535, "commands of a unit at a time"),
    PROP_END
};

const DeviceType virtio_scsi_type = {
    .name = "virtio-scsi-device", .doc = "a SCSI controller", .bus = VIRTIO_BUS,
    .stays = "the disks on its bus are there from the start",
    .pluggable = true, .size = sizeof(VirtioScsi),
    .fields = &virtio_scsi_fields, .state_offset = offsetof(VirtioScsi, state),
    .properties = virtio_scsi_properties, .config_offset = offsetof(VirtioScsi, config),
    .realize = virtio_scsi_realize, .reset = virtio_device_reset,
    .post_load = virtio_scsi_post_load, .free = virtio_scsi_free,
};
