/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The keyboard controller (Intel 8042 as IBM programmed it).
 *
 * One output buffer holds a byte from the controller itself, the keyboard or
 * the mouse.  Interrupt lines follow the buffer: up while it holds a byte of that
 * device and the configuration byte enables the interrupt.
 */
#include <stdlib.h>

#include "dev/input/ps2.h"

enum { STATUS_OBF = 1, STATUS_SYS = 4, STATUS_COMMAND = 8, STATUS_UNLOCKED = 16, STATUS_MOUSE = 32 };
enum { CFG_IRQ1 = 1, CFG_IRQ12 = 2, CFG_SYS = 4, CFG_NO_KEYBOARD = 16, CFG_NO_MOUSE = 32, CFG_TRANSLATE = 64 };
enum { OUT_RESET = 1, OUT_A20 = 2, OUT_OBF = 16, OUT_MOUSE_OBF = 32 };
enum from { FROM_CONTROLLER, FROM_KEYBOARD, FROM_MOUSE };

struct i8042_state {
    uint8_t full;        /* the output buffer holds a byte */
    uint8_t from;        /* enum from */
    uint8_t output;
    uint8_t config;
    uint8_t command;     /* waiting for its data byte at port 0x60; 0: none */
    uint8_t last_was_command;
    uint8_t release;     /* translation: F0 was met */
    uint8_t pad;
    uint8_t ram[32];
};

static const struct state_field fields[] = {
    STATE_UINT(struct i8042_state, full),    STATE_UINT(struct i8042_state, from),
    STATE_UINT(struct i8042_state, output),  STATE_UINT(struct i8042_state, config),
    STATE_UINT(struct i8042_state, command), STATE_UINT(struct i8042_state, last_was_command),
    STATE_UINT(struct i8042_state, release), STATE_PAD(struct i8042_state, pad),
    STATE_ARRAY(struct i8042_state, ram, uint8_t),
};
static STATE_DESC(i8042_desc, struct i8042_state, 1, fields);

struct i8042 {
    struct i8042_state s;
    struct i8042_config config;
    struct ps2_port *keyboard, *mouse;
};

/* ---- the output buffer ----------------------------------------------------------------- */

static void update_lines(struct i8042 *c)
{
    bool from_mouse = c->s.from == FROM_MOUSE;
    irq_set(&c->config.keyboard, c->s.full && !from_mouse && c->s.config & CFG_IRQ1);
    irq_set(&c->config.mouse, c->s.full && from_mouse && c->s.config & CFG_IRQ12);
}

static void fill(struct i8042 *c, enum from from, uint8_t byte)
{
    c->s.full = 1;
    c->s.from = (uint8_t)from;
    c->s.output = byte;
    update_lines(c);
}

/* A byte from the keyboard after translation to set 1, or -1: it only sets the release bit of the next. */
static int translated(struct i8042 *c, uint8_t byte)
{
    if (!(c->s.config & CFG_TRANSLATE))
        return byte;
    if (byte == 0xf0) {
        c->s.release = 0x80;
        return -1;
    }
    uint8_t code = ps2_translate[byte] | c->s.release;
    c->s.release = 0;
    return code;
}

/* Moves the next waiting byte into the free buffer, keyboard first. */
static void refill(struct i8042 *c)
{
    while (!c->s.full && !(c->s.config & CFG_NO_KEYBOARD) && c->keyboard->queue->count) {
        int code = translated(c, ps2_take(c->keyboard->queue));
        if (code >= 0)
            fill(c, FROM_KEYBOARD, (uint8_t)code);
    }
    if (!c->s.full && !(c->s.config & CFG_NO_MOUSE) && c->mouse->queue->count)
        fill(c, FROM_MOUSE, ps2_take(c->mouse->queue));
}

static void changed(void *opaque) { refill(opaque); }

/* ---- commands ------------------------------------------------------------------------------ */

static uint8_t output_port(const struct i8042 *c)
{
    return OUT_RESET | (c->config.get_a20(c->config.opaque) ? OUT_A20 : 0) |
           (c->s.full ? (c->s.from == FROM_MOUSE ? OUT_MOUSE_OBF : OUT_OBF) : 0);
}

static void write_output_port(struct i8042 *c, uint8_t v)
{
    c->config.set_a20(c->config.opaque, v & OUT_A20);
    if (!(v & OUT_RESET))
        c->config.reset(c->config.opaque);
}

static void set_config(struct i8042 *c, uint8_t v)
{
    c->s.config = v;
    update_lines(c);
    refill(c);
}

static void answer(struct i8042 *c, uint8_t byte) { fill(c, FROM_CONTROLLER, byte); }

static void command(struct i8042 *c, uint8_t v)
{
    c->s.last_was_command = 1;
    c->s.command = 0;
    if (v >= 0x20 && v < 0x40) {
        answer(c, v == 0x20 ? c->s.config : c->s.ram[v - 0x20]);
        return;
    }
    if ((v >= 0x60 && v < 0x80) || (v >= 0xd1 && v <= 0xd4)) {
        c->s.command = v;
        return;
    }
    switch (v) {
    case 0xa4:          /* is a password installed?  No. */
        answer(c, 0xf1);
        break;
    case 0xa7:
        set_config(c, c->s.config | CFG_NO_MOUSE);
        break;
    case 0xa8:
        set_config(c, c->s.config & ~CFG_NO_MOUSE);
        break;
    case 0xa9:          /* test the mouse's, the keyboard's lines: no error */
    case 0xab:
        answer(c, 0);
        break;
    case 0xaa:
        c->s.config |= CFG_SYS;
        answer(c, 0x55);
        break;
    case 0xad:
        set_config(c, c->s.config | CFG_NO_KEYBOARD);
        break;
    case 0xae:
        set_config(c, c->s.config & ~CFG_NO_KEYBOARD);
        break;
    case 0xc0:          /* input port: keyboard not locked */
        answer(c, 0x80);
        break;
    case 0xe0:          /* test inputs: both clocks are at rest, which is high */
        answer(c, 3);
        break;
    case 0xd0:
        answer(c, output_port(c));
        break;
    case 0xdd:
    case 0xdf:
        c->config.set_a20(c->config.opaque, v == 0xdf);
        break;
    default:
        if (v >= 0xf0 && !(v & OUT_RESET))      /* pulses the output port's bits that are 0 */
            c->config.reset(c->config.opaque);
    }
}

static void data(struct i8042 *c, uint8_t v)
{
    uint8_t waiting = c->s.command;
    c->s.command = 0;
    c->s.last_was_command = 0;
    if (waiting == 0x60)
        set_config(c, v);
    else if (waiting > 0x60 && waiting < 0x80)
        c->s.ram[waiting - 0x60] = v;
    else if (waiting == 0xd1)
        write_output_port(c, v);
    else if (waiting == 0xd2)
        fill(c, FROM_KEYBOARD, v);
    else if (waiting == 0xd3)
        fill(c, FROM_MOUSE, v);
    else if (waiting == 0xd4)
        c->mouse->command(c->mouse->opaque, v);
    else {
        c->s.config &= (uint8_t)~CFG_NO_KEYBOARD;    /* sending to the keyboard enables it */
        c->keyboard->command(c->keyboard->opaque, v);
    }
}

/* ---- ports ------------------------------------------------------------------------------------ */

static uint64_t data_read(void *opaque, uint64_t addr, unsigned size)
{
    struct i8042 *c = opaque;
    uint8_t v = c->s.output;
    (void)addr;
    (void)size;
    if (c->s.full) {
        c->s.full = 0;
        update_lines(c);
        refill(c);
    }
    return v;
}

static void data_write(void *opaque, uint64_t addr, unsigned size, uint64_t value)
{
    (void)addr;
    (void)size;
    data(opaque, (uint8_t)value);
}

static uint64_t status_read(void *opaque, uint64_t addr, unsigned size)
{
    const struct i8042 *c = opaque;
    (void)addr;
    (void)size;
    return STATUS_UNLOCKED | (c->s.full ? STATUS_OBF : 0) | (c->s.config & CFG_SYS ? STATUS_SYS : 0) |
           (c->s.last_was_command ? STATUS_COMMAND : 0) | (c->s.full && c->s.from == FROM_MOUSE ? STATUS_MOUSE : 0);
}

static void command_write(void *opaque, uint64_t addr, unsigned size, uint64_t value)
{
    (void)addr;
    (void)size;
    command(opaque, (uint8_t)value);
}

static const struct io_ops data_ops = { data_read, data_write, 1, 1 };
static const struct io_ops command_ops = { status_read, command_write, 1, 1 };

struct i8042 *i8042_new(struct sim *sim, struct space *io, const struct i8042_config *config, struct ps2_port *keyboard,
                        struct ps2_port *mouse)
{
    struct i8042 *c = NEW(struct i8042);
    c->config = *config;
    c->keyboard = keyboard;
    c->mouse = mouse;
    keyboard->changed = mouse->changed = changed;
    keyboard->controller = mouse->controller = c;
    state_set_add(sim_state(sim), "i8042", &i8042_desc, &c->s, NULL, NULL, NULL);
    space_map_io(io, "i8042.data", 0x60, 1, 0, &data_ops, c);
    space_map_io(io, "i8042.command", 0x64, 1, 0, &command_ops, c);
    return c;
}

void i8042_free(struct i8042 *c) { free(c); }

void i8042_reset(struct i8042 *c)
{
    c->s = (struct i8042_state){ .config = CFG_IRQ1 | CFG_IRQ12 };
    update_lines(c);
}

void i8042_firmware_setup(struct i8042 *c) { set_config(c, CFG_IRQ1 | CFG_IRQ12 | CFG_SYS | CFG_TRANSLATE); }
