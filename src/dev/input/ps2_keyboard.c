/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The PS/2 keyboard: scan code sets 1 to 3, typematic repeat, and its commands. */
#include <stdlib.h>

#include "dev/input/ps2.h"

/* ---- the queue, shared with the mouse -------------------------------------------- */

static const struct state_field queue_fields[] = {
    STATE_ARRAY(struct ps2_queue, byte, uint8_t), STATE_UINT(struct ps2_queue, first),
    STATE_UINT(struct ps2_queue, count),          STATE_UINT(struct ps2_queue, last),
    STATE_PAD(struct ps2_queue, pad),
};
STATE_DESC(ps2_queue_desc, struct ps2_queue, 1, queue_fields);

bool ps2_put(struct ps2_port *p, const uint8_t *bytes, unsigned n)
{
    struct ps2_queue *q = p->queue;
    if (q->count + n > PS2_QUEUE)
        return false;
    for (unsigned i = 0; i < n; i++)
        q->byte[(q->first + q->count++) % PS2_QUEUE] = bytes[i];
    if (p->changed)
        p->changed(p->controller);
    return true;
}

void ps2_answer(struct ps2_port *p, const uint8_t *bytes, unsigned n)
{
    p->queue->count = 0;
    ps2_put(p, bytes, n);
}

uint8_t ps2_take(struct ps2_queue *q)
{
    q->last = q->byte[q->first];
    q->first = (q->first + 1) % PS2_QUEUE;
    q->count--;
    return q->last;
}

/* ---- codes ------------------------------------------------------------------------- */

#define KEY_SET2(NAME, name, set2, set3) set2,
#define KEY_SET3(NAME, name, set2, set3) set3,
static const uint16_t set2_codes[KEY_COUNT] = { KEYS(KEY_SET2) };
static const uint8_t set3_codes[KEY_COUNT] = { KEYS(KEY_SET3) };

const uint8_t ps2_translate[256] = {
    0xff, 0x43, 0x41, 0x3f, 0x3d, 0x3b, 0x3c, 0x58, 0x64, 0x44, 0x42, 0x40, 0x3e, 0x0f, 0x29, 0x59,
    0x65, 0x38, 0x2a, 0x70, 0x1d, 0x10, 0x02, 0x5a, 0x66, 0x71, 0x2c, 0x1f, 0x1e, 0x11, 0x03, 0x5b,
    0x67, 0x2e, 0x2d, 0x20, 0x12, 0x05, 0x04, 0x5c, 0x68, 0x39, 0x2f, 0x21, 0x14, 0x13, 0x06, 0x5d,
    0x69, 0x31, 0x30, 0x23, 0x22, 0x15, 0x07, 0x5e, 0x6a, 0x72, 0x32, 0x24, 0x16, 0x08, 0x09, 0x5f,
    0x6b, 0x33, 0x25, 0x17, 0x18, 0x0b, 0x0a, 0x60, 0x6c, 0x34, 0x35, 0x26, 0x27, 0x19, 0x0c, 0x61,
    0x6d, 0x73, 0x28, 0x74, 0x1a, 0x0d, 0x62, 0x6e, 0x3a, 0x36, 0x1c, 0x1b, 0x75, 0x2b, 0x63, 0x76,
    0x55, 0x56, 0x77, 0x78, 0x79, 0x7a, 0x0e, 0x7b, 0x7c, 0x4f, 0x7d, 0x4b, 0x47, 0x7e, 0x7f, 0x6f,
    0x52, 0x53, 0x50, 0x4c, 0x4d, 0x48, 0x01, 0x45, 0x57, 0x4e, 0x51, 0x4a, 0x37, 0x49, 0x46, 0x54,
    0x80, 0x81, 0x82, 0x41, 0x54, 0x85, 0x86, 0x87, 0x88, 0x89, 0x8a, 0x8b, 0x8c, 0x8d, 0x8e, 0x8f,
    0x90, 0x91, 0x92, 0x93, 0x94, 0x95, 0x96, 0x97, 0x98, 0x99, 0x9a, 0x9b, 0x9c, 0x9d, 0x9e, 0x9f,
    0xa0, 0xa1, 0xa2, 0xa3, 0xa4, 0xa5, 0xa6, 0xa7, 0xa8, 0xa9, 0xaa, 0xab, 0xac, 0xad, 0xae, 0xaf,
    0xb0, 0xb1, 0xb2, 0xb3, 0xb4, 0xb5, 0xb6, 0xb7, 0xb8, 0xb9, 0xba, 0xbb, 0xbc, 0xbd, 0xbe, 0xbf,
    0xc0, 0xc1, 0xc2, 0xc3, 0xc4, 0xc5, 0xc6, 0xc7, 0xc8, 0xc9, 0xca, 0xcb, 0xcc, 0xcd, 0xce, 0xcf,
    0xd0, 0xd1, 0xd2, 0xd3, 0xd4, 0xd5, 0xd6, 0xd7, 0xd8, 0xd9, 0xda, 0xdb, 0xdc, 0xdd, 0xde, 0xdf,
    0xe0, 0xe1, 0xe2, 0xe3, 0xe4, 0xe5, 0xe6, 0xe7, 0xe8, 0xe9, 0xea, 0xeb, 0xec, 0xed, 0xee, 0xef,
    0xf0, 0xf1, 0xf2, 0xf3, 0xf4, 0xf5, 0xf6, 0xf7, 0xf8, 0xf9, 0xfa, 0xfb, 0xfc, 0xfd, 0xfe, 0xff,
};

/* ---- state ----------------------------------------------------------------------------- */

enum { DEFAULT_TYPEMATIC = 0x2b };    /* 500 ms, 10.9 a second */

struct ps2_keyboard_state {
    struct ps2_queue queue;
    uint8_t scanning, set, leds, typematic;
    uint8_t command;                  /* waiting for its parameter; 0: none */
    uint8_t repeating;                /* key + 1 that is repeated; 0: none */
    uint8_t pad[2];
    uint8_t down[KEY_COUNT + (8 - KEY_COUNT % 8) % 8];
};

static const struct state_field fields[] = {
    STATE_STRUCT(struct ps2_keyboard_state, queue, ps2_queue_desc, 1),
    STATE_UINT(struct ps2_keyboard_state, scanning),  STATE_UINT(struct ps2_keyboard_state, set),
    STATE_UINT(struct ps2_keyboard_state, leds),      STATE_UINT(struct ps2_keyboard_state, typematic),
    STATE_UINT(struct ps2_keyboard_state, command),   STATE_UINT(struct ps2_keyboard_state, repeating),
    STATE_PAD(struct ps2_keyboard_state, pad),        STATE_ARRAY(struct ps2_keyboard_state, down, uint8_t),
};
static STATE_DESC(keyboard_desc, struct ps2_keyboard_state, 1, fields);

struct ps2_keyboard {
    struct ps2_keyboard_state s;
    struct sim *sim;
    struct ps2_port port;
    struct sim_timer repeat;
};

/* ---- sending keys ------------------------------------------------------------------------ */

struct bytes {
    uint8_t b[8];
    unsigned n;
};

static void add(struct bytes *out, uint8_t b) { out->b[out->n++] = b; }

/* One code of set 2, as set 2 or, by translation, as set 1. */
static void add_code(const struct ps2_keyboard *k, struct bytes *out, unsigned code, bool down)
{
    if (code >> 8 == 0xe0)
        add(out, 0xe0);
    if (k->s.set == 1) {
        add(out, ps2_translate[code & 0xff] | (down ? 0 : 0x80));
        return;
    }
    if (!down)
        add(out, 0xf0);
    add(out, (uint8_t)code);
}

static void add_key(const struct ps2_keyboard *k, struct bytes *out, enum key key, bool down)
{
    if (k->s.set == 3) {
        if (!down)
            add(out, 0xf0);
        add(out, set3_codes[key]);
    } else if (key == KEY_PAUSE) {       /* down and up at once; no code when it is let go */
        static const uint8_t set1[6] = { 0xe1, 0x1d, 0x45, 0xe1, 0x9d, 0xc5 };
        static const uint8_t set2[8] = { 0xe1, 0x14, 0x77, 0xe1, 0xf0, 0x14, 0xf0, 0x77 };
        for (unsigned i = 0; down && i < (k->s.set == 1 ? 6 : 8); i++)
            add(out, k->s.set == 1 ? set1[i] : set2[i]);
    } else if (key == KEY_PRINT_SCREEN) {   /* with a shift of its own */
        add_code(k, out, down ? 0xe012 : 0xe07c, down);
        add_code(k, out, down ? 0xe07c : 0xe012, down);
    } else {
        add_code(k, out, set2_codes[key], down);
    }
}

static void send_key(struct ps2_keyboard *k, enum key key, bool down)
{
    struct bytes out = { .n = 0 };
    add_key(k, &out, key, down);
    ps2_put(&k->port, out.b, out.n);
}

/* Typematic byte: bits 6..5 delay in quarters of a second, 4..0 rate (IBM, keyboard command F3). */
static uint64_t delay_ns(const struct ps2_keyboard *k)
{
    return ((k->s.typematic >> 5 & 3) + 1u) * UINT64_C(250000000);
}

static uint64_t period_ns(const struct ps2_keyboard *k)
{
    unsigned mantissa = 8 + (k->s.typematic & 7), exponent = k->s.typematic >> 3 & 3;
    return (uint64_t)(mantissa << exponent) * 4170000;
}

static void repeat(void *opaque)
{
    struct ps2_keyboard *k = opaque;
    if (!k->s.repeating || !k->s.scanning)
        return;
    send_key(k, (enum key)(k->s.repeating - 1), true);
    timer_arm(&k->repeat, sim_now(k->sim) + period_ns(k));
}

void ps2_keyboard_key(struct ps2_keyboard *k, enum key key, bool down)
{
    if (!k->s.scanning || k->s.down[key] == down)
        return;
    k->s.down[key] = down;
    send_key(k, key, down);
    if (down && key != KEY_PAUSE) {
        k->s.repeating = (uint8_t)(key + 1);
        timer_arm(&k->repeat, sim_now(k->sim) + delay_ns(k));
    } else if (k->s.repeating == key + 1) {
        k->s.repeating = 0;
        timer_cancel(&k->repeat);
    }
}

/* ---- commands ----------------------------------------------------------------------------- */

static void answer1(struct ps2_keyboard *k, uint8_t b) { ps2_answer(&k->port, &b, 1); }

static void set_defaults(struct ps2_keyboard *k)
{
    k->s.set = 2;
    k->s.typematic = DEFAULT_TYPEMATIC;
    k->s.repeating = 0;
    timer_cancel(&k->repeat);
}

static void parameter(struct ps2_keyboard *k, uint8_t command, uint8_t v)
{
    if (command == 0xed)
        k->s.leds = v & 7;
    if (command == 0xf3)
        k->s.typematic = v & 0x7f;
    if (command == 0xf0 && v == 0) {
        uint8_t now[2] = { PS2_ACK, k->s.set };
        ps2_answer(&k->port, now, 2);
        return;
    }
    if (command == 0xf0 && v <= 3)
        k->s.set = v;
    answer1(k, command == 0xf0 && v > 3 ? PS2_RESEND : PS2_ACK);
}

static void command(void *opaque, uint8_t v)
{
    static const uint8_t identity[3] = { PS2_ACK, 0xab, 0x83 }, passed[2] = { PS2_ACK, PS2_PASSED };
    struct ps2_keyboard *k = opaque;
    uint8_t waiting = k->s.command;
    k->s.command = 0;
    if (waiting && v < 0x80) {
        parameter(k, waiting, v);
        return;
    }
    switch (v) {
    case 0xed:
    case 0xf0:
    case 0xf3:
        k->s.command = v;
        answer1(k, PS2_ACK);
        break;
    case 0xee:
        answer1(k, PS2_ECHO);
        break;
    case 0xf2:
        ps2_answer(&k->port, identity, 3);
        break;
    case 0xf4:
    case 0xf5:
    case 0xf6:
        if (v != 0xf4)
            set_defaults(k);
        k->s.scanning = v != 0xf5;
        answer1(k, PS2_ACK);
        break;
    case 0xfe:
        answer1(k, k->s.queue.last);
        break;
    case 0xff:
        ps2_keyboard_reset(k);
        ps2_answer(&k->port, passed, 2);
        break;
    default:
        /* F7 to FD set key types of set 3, which we keep all the same. */
        answer1(k, v >= 0xf7 && v <= 0xfd ? PS2_ACK : PS2_RESEND);
    }
}

/* ---- life -------------------------------------------------------------------------------------- */

struct ps2_keyboard *ps2_keyboard_new(struct sim *sim)
{
    struct ps2_keyboard *k = NEW(struct ps2_keyboard);
    k->sim = sim;
    k->port = (struct ps2_port){ .queue = &k->s.queue, .command = command, .opaque = k };
    state_set_add(sim_state(sim), "keyboard", &keyboard_desc, &k->s, NULL, NULL, NULL);
    timer_init(&k->repeat, sim, SIM_CLOCK_VIRTUAL, "keyboard", repeat, k);
    return k;
}

void ps2_keyboard_free(struct ps2_keyboard *k) { free(k); }
struct ps2_port *ps2_keyboard_port(struct ps2_keyboard *k) { return &k->port; }
unsigned ps2_keyboard_leds(const struct ps2_keyboard *k) { return k->s.leds; }

void ps2_keyboard_reset(struct ps2_keyboard *k)
{
    timer_cancel(&k->repeat);
    k->s = (struct ps2_keyboard_state){ .scanning = 1 };
    set_defaults(k);
}
