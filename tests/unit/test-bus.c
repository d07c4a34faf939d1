/*
 * Buses, -device and -global, with a device type and a bus of the test's own.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/core/bus.h"

typedef struct Card {
    Device dev;
    struct CardConfig {
        uint32_t speed;
        char *label;
    } config;
    bool attached, realized;
} Card;

/* A box has a card in it. */
typedef struct Box {
    Card card;
    struct BoxConfig {
        uint32_t size;
    } config;
} Box;

static bool card_realize(Device *dev, Error **errp)
{
    Card *card = container_of(dev, Card, dev);

    if (card->config.speed == 13) {
        error_setg(errp, "13 is unlucky");
        return false;
    }
    /* What the bus did and what the user said is known by now. */
    g_assert_true(card->attached);
    card->realized = true;
    return true;
}

static void rack_attach(Bus *bus, Device *dev)
{
    Card *card = container_of(dev, Card, dev);

    g_assert_false(card->realized);
    card->attached = true;
}

static bool rack_realize(Device *dev, Error **errp)
{
    g_autofree char *name = g_strdup_printf("slot.%s", dev->id);

    bus_new(dev, "slot", name, 2, rack_attach);
    return true;
}

static const Property card_properties[] = {
    PROP_UINT("speed", struct CardConfig, speed, "10", 1, 1000, "how fast"),
    PROP_STRING("label", struct CardConfig, label, NULL, "what it is called"),
    PROP_END
};

static const DeviceType card_type = {
    .name = "card-device", .bus = "slot", .pluggable = true, .size = sizeof(Card),
    .properties = card_properties, .config_offset = offsetof(Card, config),
    .realize = card_realize,
};
static const DeviceType rack_type = {
    .name = "rack", .bus = SYSTEM_BUS, .size = sizeof(Device), .realize = rack_realize,
};
static const Property box_properties[] = {
    PROP_UINT("size", struct BoxConfig, size, "3", 1, 9, "how large"),
    PROP_END
};
static const DeviceType box_type = {
    .name = "box-slot", .alias = "box", .doc = "a card in a box", .bus = "slot", .pluggable = true,
    .size = sizeof(Box), .properties = box_properties, .config_offset = offsetof(Box, config),
    .part = &card_type, .part_name = "card",
};
static const DeviceType usb_type = { .name = "usb-stick", .bus = "usb", .pluggable = true };
static const DeviceType *const types[] = { &card_type, &rack_type, &usb_type, &box_type, NULL };

/* Two racks, a and b, with room for two cards each. */
static Machine *machine(void)
{
    Machine *m = machine_new(NULL);

    m->device_types = types;
    device_add(m, &rack_type, "a", 0, IRQ_NONE, NULL);
    device_add(m, &rack_type, "b", 0, IRQ_NONE, NULL);
    return m;
}

static const Card *card(Machine *m, const char *id)
{
    Device *dev = machine_find_device(m, id);

    g_assert_nonnull(dev);
    g_assert_true(dev->type == &card_type);
    return container_of(dev, Card, dev);
}

static void test_plug(void)
{
    Machine *m = machine();

    g_assert_true(device_plug(m, "card-device", NULL));
    g_assert_true(device_plug(m, "card-device,id=mine,bus=slot.a,speed=20,label=l", NULL));
    g_assert_true(device_plug(m, "driver=card-device,speed=1,speed=2", NULL));
    g_assert_true(device_plug(m, "card-device", NULL));
    /* The last bus with room, numbers in the order of creation. */
    g_assert_cmpstr(card(m, "card0")->dev.bus->name, ==, "slot.b");
    g_assert_cmpstr(card(m, "card1")->dev.bus->name, ==, "slot.b");
    g_assert_cmpstr(card(m, "card2")->dev.bus->name, ==, "slot.a");
    g_assert_cmpuint(card(m, "card0")->config.speed, ==, 10);
    g_assert_cmpuint(card(m, "card1")->config.speed, ==, 2);
    g_assert_cmpuint(card(m, "mine")->config.speed, ==, 20);
    g_assert_cmpstr(card(m, "mine")->config.label, ==, "l");
    g_assert_true(card(m, "mine")->realized);
    machine_free(m);
}

static void assert_refused(Machine *m, const char *text, const char *message)
{
    unsigned devices = m->devices->len;
    Error *err = NULL;

    g_assert_false(device_plug(m, text, &err));
    g_assert_cmpstr(error_get_pretty(err), ==, message);
    error_free(err);
    g_assert_cmpuint(m->devices->len, ==, devices);
}

static void test_refused(void)
{
    g_autofree char *long_id = g_strnfill(65, 'x');
    g_autofree char *with_long_id = g_strdup_printf("card-device,id=%s", long_id);
    g_autofree char *too_long = g_strdup_printf("-device card-device: id '%s' is too long",
                                                long_id);
    Machine *m = machine();
    Error *err = NULL;

    assert_refused(m, "card-devise", "-device: unknown device 'card-devise', did you mean "
                   "'card-device'?");
    assert_refused(m, "e2000", "-device: unknown device 'e2000'; -device takes: card-device, "
                   "usb-stick, box-slot");
    assert_refused(m, "e1000e,id=x", "-device e1000e: networks are not there yet; -nic none is accepted");
    assert_refused(m, "pcie-switch", "-device pcie-switch: this PCI device is not there yet");
    assert_refused(m, "rack", "-device rack: this device comes with a board and cannot be added; "
                   "-device help lists those that can");
    assert_refused(m, "id=x", "-device 'id=x' names no driver; -device help lists them");
    assert_refused(m, "=x", "'=x' is not a list of key=value: an element has no key");
    assert_refused(m, "usb-stick", "-device usb-stick: this machine has no usb");
    assert_refused(m, "usb-stick,bus=usb.0", "-device usb-stick: this machine has no usb");
    assert_refused(m, "card-device,id=", "-device card-device: id '' is empty");
    assert_refused(m, "card-device,id=a", "-device card-device: id 'a' is taken");
    assert_refused(m, with_long_id, too_long);
    assert_refused(m, "card-device,bus=pcie.0", "-device card-device: no bus 'pcie.0'; there are "
                   "slot.a to slot.b");
    assert_refused(m, "card-device,spede=5", "-device card-device: unknown option 'spede', did "
                   "you mean 'speed'?");
    assert_refused(m, "card-device,idd=5", "-device card-device: unknown option 'idd', did you "
                   "mean 'id'?");
    assert_refused(m, "card-device,speed=0", "-device card-device: speed=0 is out of range: "
                   "1..1000");
    for (unsigned i = 0; i < 2; i++) {
        g_assert_true(device_plug(m, "card-device,bus=slot.a", NULL));
    }
    assert_refused(m, "card-device,bus=slot.a", "-device card-device: bus 'slot.a' is full: it has "
                   "2 devices");
    for (unsigned i = 0; i < 2; i++) {
        g_assert_true(device_plug(m, "card-device", NULL));
    }
    assert_refused(m, "card-device", "-device card-device: each slot has a device already (all 2 "
                   "of them)");
    machine_free(m);

    /* One that cannot be realized gives its place and its id back. */
    m = machine();
    for (unsigned i = 0; i < 3; i++) {
        g_assert_false(device_plug(m, "card-device,bus=slot.a,id=c,speed=13", &err));
        g_assert_cmpstr(error_get_pretty(err), ==, "-device card-device: 13 is unlucky");
        g_clear_pointer(&err, error_free);
        g_assert_null(machine_find_device(m, "c"));
    }
    for (unsigned i = 0; i < 2; i++) {
        g_assert_true(device_plug(m, "card-device,bus=slot.a", NULL));
    }
    machine_free(m);
}

static void test_globals(void)
{
    static const struct {
        const char *text, *message;
    } bad[] = {
        { "card-device.spede=1", "-global card-device.spede=1: no such property 'spede', did you "
          "mean 'speed'?" },
        { "card-devic.speed=1", "-global card-devic.speed=1: unknown device 'card-devic', did you "
          "mean 'card-device'?" },
        { "card-device.speed=0", "-global card-device.speed=0: speed=0 is out of range: 1..1000" },
        { "rack.speed=1", "-global rack.speed=1: no such property 'speed'" },
        { "driver=card-device,property=speed", "-global driver=card-device,property=speed: "
          "expected DRIVER.PROPERTY=VALUE or driver=DRIVER,property=NAME,value=VALUE" },
    };
    Machine *m = machine();

    g_assert_true(device_plug(m, "card-device,id=before", NULL));
    g_assert_true(globals_add(m, "card-device.speed=50", NULL));
    g_assert_true(globals_add(m, "driver=card-device,property=label,value=a.b=c", NULL));
    for (unsigned i = 0; i < ARRAY_SIZE(bad); i++) {
        Error *err = NULL;

        g_assert_false(globals_add(m, bad[i].text, &err));
        g_assert_cmpstr(error_get_pretty(err), ==, bad[i].message);
        error_free(err);
    }
    g_assert_true(device_plug(m, "card-device,id=after", NULL));
    g_assert_true(device_plug(m, "card-device,id=own,speed=60", NULL));
    g_assert_cmpuint(card(m, "before")->config.speed, ==, 10);
    g_assert_cmpuint(card(m, "after")->config.speed, ==, 50);
    g_assert_cmpstr(card(m, "after")->config.label, ==, "a.b=c");
    g_assert_cmpuint(card(m, "own")->config.speed, ==, 60);
    machine_free(m);
}

/* What a device has in it takes the device's properties, and goes by its id. */
static void test_parts(void)
{
    Machine *m = machine();
    Box *box;

    g_assert_true(globals_add(m, "box.speed=30", NULL));
    g_assert_true(globals_add(m, "box-slot.size=4", NULL));
    g_assert_true(device_plug(m, "box,id=x,speed=20", NULL));
    g_assert_true(device_plug(m, "box-slot,id=y,size=5,label=l", NULL));
    g_assert_true(device_plug(m, "card-device,id=plain", NULL));
    box = container_of(machine_find_device(m, "x"), Box, card.dev);
    g_assert_true(box->card.dev.part == machine_find_device(m, "x.card"));
    g_assert_cmpuint(box->config.size, ==, 4);
    g_assert_cmpuint(card(m, "x.card")->config.speed, ==, 20);
    box = container_of(machine_find_device(m, "y"), Box, card.dev);
    g_assert_cmpuint(box->config.size, ==, 5);
    g_assert_cmpuint(card(m, "y.card")->config.speed, ==, 30);
    g_assert_cmpstr(card(m, "y.card")->config.label, ==, "l");
    g_assert_cmpuint(card(m, "plain")->config.speed, ==, 10);
    assert_refused(m, "box,id=z,speed=0", "-device box-slot: speed=0 is out of range: 1..1000");
    assert_refused(m, "box,id=z,lable=0", "-device box-slot: unknown option 'lable', did you mean "
                   "'label'?");
    machine_free(m);

    m = machine();
    g_assert_true(device_plug(m, "card-device,id=x.card", NULL));
    assert_refused(m, "box,id=x", "-device box-slot: id 'x' is taken");
    machine_free(m);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/bus/plug", test_plug);
    g_test_add_func("/bus/refused", test_refused);
    g_test_add_func("/bus/globals", test_globals);
    g_test_add_func("/bus/parts", test_parts);
    return g_test_run();
}
