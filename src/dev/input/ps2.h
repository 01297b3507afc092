/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * PS/2 keyboard and mouse, and the 8042 controller that they are plugged into
 * (IBM PS/2 Hardware Interface Technical Reference; Microsoft's IntelliMouse extensions).
 *
 * A device has a queue of bytes on their way to the host; the controller
 * takes them one by one while its output buffer is free.  Commands answer at
 * once and drop what was queued before them.
 */
#ifndef REPRISE_DEV_INPUT_PS2_H
#define REPRISE_DEV_INPUT_PS2_H

#include "dev/input/keys.h"
#include "dev/irq.h"
#include "mem/space.h"
#include "sim/sim.h"

enum { PS2_QUEUE = 32 };

/* State, embedded in a device's. */
struct ps2_queue {
    uint8_t byte[PS2_QUEUE];
    uint8_t first, count;
    uint8_t last;          /* given to the host most recently, for RESEND */
    uint8_t pad[5];
};
extern const struct state_desc ps2_queue_desc;

/* What the controller needs of a device. */
struct ps2_port {
    struct ps2_queue *queue;
    void (*command)(void *opaque, uint8_t byte);   /* from the host */
    void (*changed)(void *controller);             /* set by the controller: the queue has more */
    void *opaque, *controller;
};

/* Appends what fits whole; false: nothing was appended. */
bool ps2_put(struct ps2_port *p, const uint8_t *bytes, unsigned n);
/* An answer to a command: replaces what waits. */
void ps2_answer(struct ps2_port *p, const uint8_t *bytes, unsigned n);
uint8_t ps2_take(struct ps2_queue *q);

enum { PS2_ACK = 0xfa, PS2_RESEND = 0xfe, PS2_ECHO = 0xee, PS2_PASSED = 0xaa };

/* ---- keyboard -------------------------------------------------------------------- */

struct ps2_keyboard;
struct ps2_keyboard *ps2_keyboard_new(struct sim *sim);
void ps2_keyboard_free(struct ps2_keyboard *k);
void ps2_keyboard_reset(struct ps2_keyboard *k);
struct ps2_port *ps2_keyboard_port(struct ps2_keyboard *k);
/*
 * A key goes down or up (simulation thread).  A second "down" without an "up" is ignored: the keyboard repeats by
 * itself.
 */
void ps2_keyboard_key(struct ps2_keyboard *k, enum key key, bool down);
/* Bits 0 scroll, 1 num, 2 caps, as the guest set them. */
unsigned ps2_keyboard_leds(const struct ps2_keyboard *k);
/* Set 2 to set 1, as the controller translates (index and value below 0x100). */
extern const uint8_t ps2_translate[256];

/* ---- mouse -------------------------------------------------------------------------- */

struct ps2_mouse;
struct ps2_mouse *ps2_mouse_new(struct sim *sim);
void ps2_mouse_free(struct ps2_mouse *m);
void ps2_mouse_reset(struct ps2_mouse *m);
struct ps2_port *ps2_mouse_port(struct ps2_mouse *m);
/* Movement in counts: x to the right, y up, z wheel towards the user (simulation thread). */
void ps2_mouse_move(struct ps2_mouse *m, int dx, int dy, int dz);
/* Bits 0 left, 1 right, 2 middle, 3 and 4 the side buttons. */
void ps2_mouse_buttons(struct ps2_mouse *m, unsigned buttons);

/* ---- controller ------------------------------------------------------------------------ */

struct i8042_config {
    struct irq keyboard, mouse;                 /* IRQ 1 and 12 */
    void (*set_a20)(void *opaque, bool on);
    bool (*get_a20)(void *opaque);
    void (*reset)(void *opaque);                /* output port bit 0 low */
    void *opaque;
};

struct i8042;
/* Ports 0x60 and 0x64.  The devices are borrowed. */
struct i8042 *i8042_new(struct sim *sim, struct space *io, const struct i8042_config *config, struct ps2_port *keyboard,
                        struct ps2_port *mouse);
void i8042_free(struct i8042 *c);
void i8042_reset(struct i8042 *c);
/* As firmware leaves it: self test done, interrupts on, translation to set 1. */
void i8042_firmware_setup(struct i8042 *c);

#endif
