/*
 * A push button on a GPIO line: pressed, it drives the line high for 100 ms of
 * virtual time (a "gpio-keys" node of the device tree).
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_GPIO_GPIO_KEY_H
#define HW_GPIO_GPIO_KEY_H

#include "hw/core/machine.h"

#define GPIO_KEY_PRESS_NS 100000000

/* Its interrupt is the line that the button drives. */
extern const DeviceType gpio_key_type;

/* Machine thread. */
void gpio_key_press(Device *key);

#endif
