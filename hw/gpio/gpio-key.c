/*
 * A push button on a GPIO line.
 *
 * Wiring: one output, high while the button is down. A press lasts 100 ms of
 * virtual time: longer than the debouncing of the guest's driver. A reset of the machine does not
 * lift the finger.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/gpio/gpio-key.h"

typedef struct GpioKeyState {
    uint64_t down;
} GpioKeyState;

#define GPIO_KEY_FIELDS(F, S) F(S, U64, down)

FIELD_TABLE(gpio_key_fields, "gpio-key", 2, GpioKeyState, GPIO_KEY_FIELDS);

struct GpioKey {
    Device dev;
    GpioKeyState state;
    IrqLine out;
    Timer release;
};

static void gpio_key_release(void *opaque)
{
    GpioKey *key = opaque;

    timer_del(&key->release);
    key->state = (GpioKeyState) { 0 };
    irq_set(&key->out, false);
}

void gpio_key_press(GpioKey *key)
{
    key->state.down = 1;
    timer_mod(&key->release, clock_now(key->dev.machine->clock) + GPIO_KEY_PRESS_NS);
    irq_set(&key->out, true);
}

static void powerdown(void *opaque)
{
    gpio_key_press(opaque);
}

void gpio_key_set_powerdown(GpioKey *key)
{
    key->dev.machine->powerdown = powerdown;
    key->dev.machine->powerdown_opaque = key;
}

static void gpio_key_free(Device *dev)
{
    GpioKey *key = container_of(dev, GpioKey, dev);

    timer_del(&key->release);
    g_free(key);
}

static const DeviceType gpio_key_type = {
    .name = "gpio-key", .fields = &gpio_key_fields,
    .state_offset = offsetof(GpioKey, state),
    .free = gpio_key_free,
};

GpioKey *gpio_key_new(Machine *machine, const char *id, IrqLine out)
{
    GpioKey *key = g_new0(GpioKey, 1);

    device_init(&key->dev, &gpio_key_type, machine, id);
    key->out = out;
    timer_init(&key->release, machine->clock, gpio_key_release, key, "gpio-key release");
    return key;
}
