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
#include "util/trace.h"

typedef struct GpioKeyState {
    uint64_t down;
} GpioKeyState;

#define GPIO_KEY_FIELDS(F, S) F(S, U64, down)

FIELD_TABLE(gpio_key_fields, "gpio-key", 2, GpioKeyState, GPIO_KEY_FIELDS);

typedef struct GpioKey {
    Device dev;
    GpioKeyState state;
    IrqLine out;
    Timer release;
} GpioKey;

static void gpio_key_release(void *opaque)
{
    GpioKey *key = opaque;

    timer_del(&key->release);
    key->state = (GpioKeyState) { 0 };
    irq_set(&key->out, false);
}

void gpio_key_press(Device *dev)
{
    GpioKey *key = container_of(dev, GpioKey, dev);

    trace_gpio_key_press(dev->id);
    key->state.down = 1;
    timer_mod(&key->release, clock_now(dev->machine->clock) + GPIO_KEY_PRESS_NS);
    irq_set(&key->out, true);
}

static bool gpio_key_realize(Device *dev, Error **errp)
{
    GpioKey *key = container_of(dev, GpioKey, dev);

    timer_init(&key->release, dev->machine->clock, gpio_key_release, key, "gpio-key release");
    return true;
}

static void gpio_key_free(Device *dev)
{
    GpioKey *key = container_of(dev, GpioKey, dev);

    timer_del(&key->release);
    g_free(key);
}

const DeviceType gpio_key_type = {
    .name = "gpio-key", .doc = "a push button on a GPIO line", .bus = SYSTEM_BUS,
    .instead = "the monitor's system_powerdown presses the one of machine virt",
    .size = sizeof(GpioKey), .fields = &gpio_key_fields,
    .state_offset = offsetof(GpioKey, state), .irq_offset = offsetof(GpioKey, out),
    .realize = gpio_key_realize, .free = gpio_key_free,
};
