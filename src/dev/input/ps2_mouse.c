/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The PS/2 mouse: three buttons, and with the knocks of sample rates that
 * Microsoft's and others' drivers know, a wheel (id 3) and side buttons (id 4).
 *
 * Movement gathers in counters; a packet carries what fits and leaves the rest.
 */
#include <stdlib.h>

#include "dev/input/ps2.h"

enum { STATUS_REMOTE = 0x40, STATUS_ENABLED = 0x20, STATUS_SCALE_2 = 0x10 };

struct ps2_mouse_state {
    struct ps2_queue queue;
    uint32_t dx, dy, dz;              /* two's complement */
    uint8_t status, resolution, rate, id;
    uint8_t buttons, sent_buttons;
    uint8_t wrap;                     /* echoes everything but RESET and its end */
    uint8_t command;                  /* waiting for its parameter; 0: none */
    uint8_t knock[2];                 /* the two sample rates set before the last */
    uint8_t pad[2];
};

static const struct state_field fields[] = {
    STATE_STRUCT(struct ps2_mouse_state, queue, ps2_queue_desc, 1),
    STATE_UINT(struct ps2_mouse_state, dx),           STATE_UINT(struct ps2_mouse_state, dy),
    STATE_UINT(struct ps2_mouse_state, dz),           STATE_UINT(struct ps2_mouse_state, status),
    STATE_UINT(struct ps2_mouse_state, resolution),   STATE_UINT(struct ps2_mouse_state, rate),
    STATE_UINT(struct ps2_mouse_state, id),           STATE_UINT(struct ps2_mouse_state, buttons),
    STATE_UINT(struct ps2_mouse_state, sent_buttons), STATE_UINT(struct ps2_mouse_state, wrap),
    STATE_UINT(struct ps2_mouse_state, command),      STATE_ARRAY(struct ps2_mouse_state, knock, uint8_t),
    STATE_PAD(struct ps2_mouse_state, pad),
};
static STATE_DESC(mouse_desc, struct ps2_mouse_state, 1, fields);

struct ps2_mouse {
    struct ps2_mouse_state s;
    struct ps2_port port;
};

/* ---- packets ------------------------------------------------------------------------ */

/* Takes up to `limit` counts in either direction out of the counter. */
static int take(uint32_t *counter, int limit)
{
    int v = (int32_t)*counter;
    v = v > limit ? limit : v < -limit ? -limit : v;
    *counter -= (uint32_t)v;
    return v;
}

static unsigned make_packet(struct ps2_mouse *m, uint8_t out[4])
{
    int dx = take(&m->s.dx, 127), dy = take(&m->s.dy, 127);
    out[0] = (uint8_t)(8 | (dx < 0 ? 0x10 : 0) | (dy < 0 ? 0x20 : 0) | (m->s.buttons & 7));
    out[1] = (uint8_t)dx;
    out[2] = (uint8_t)dy;
    m->s.sent_buttons = m->s.buttons;
    if (m->s.id == 3)
        out[3] = (uint8_t)take(&m->s.dz, 127);
    if (m->s.id == 4)
        out[3] = (uint8_t)((take(&m->s.dz, 7) & 15) | (m->s.buttons << 1 & 0x30));
    return m->s.id ? 4 : 3;
}

static bool anything_new(const struct ps2_mouse *m)
{
    return m->s.dx || m->s.dy || (m->s.id && m->s.dz) || m->s.buttons != m->s.sent_buttons;
}

/* Streams while there is something new and room for it. */
static void stream(struct ps2_mouse *m)
{
    uint8_t packet[4];
    if ((m->s.status & (STATUS_REMOTE | STATUS_ENABLED)) != STATUS_ENABLED || m->s.wrap)
        return;
    while (anything_new(m) && m->s.queue.count + 4 <= PS2_QUEUE)
        ps2_put(&m->port, packet, make_packet(m, packet));
    if (!m->s.id)
        m->s.dz = 0;
}

void ps2_mouse_move(struct ps2_mouse *m, int dx, int dy, int dz)
{
    m->s.dx += (uint32_t)dx;
    m->s.dy += (uint32_t)dy;
    m->s.dz += (uint32_t)dz;
    stream(m);
}

void ps2_mouse_buttons(struct ps2_mouse *m, unsigned buttons)
{
    m->s.buttons = buttons & 31;
    stream(m);
}

/* ---- commands -------------------------------------------------------------------------- */

static void answer1(struct ps2_mouse *m, uint8_t b) { ps2_answer(&m->port, &b, 1); }

static void set_defaults(struct ps2_mouse *m)
{
    m->s.status = 0;
    m->s.resolution = 2;
    m->s.rate = 100;
    m->s.dx = m->s.dy = m->s.dz = 0;
}

/* 200, 100, 80 makes it a wheel mouse, 200, 200, 80 one with five buttons. */
static void set_rate(struct ps2_mouse *m, uint8_t rate)
{
    if (m->s.knock[0] == 200 && m->s.knock[1] == 100 && rate == 80)
        m->s.id = 3;
    if (m->s.knock[0] == 200 && m->s.knock[1] == 200 && rate == 80)
        m->s.id = 4;
    m->s.knock[0] = m->s.knock[1];
    m->s.knock[1] = rate;
    m->s.rate = rate;
}

static void answer_data(struct ps2_mouse *m)
{
    uint8_t out[5] = { PS2_ACK };
    ps2_answer(&m->port, out, 1 + make_packet(m, out + 1));
}

static void answer_status(struct ps2_mouse *m)
{
    unsigned b = m->s.buttons;
    uint8_t out[4] = { PS2_ACK, (uint8_t)(m->s.status | (b & 1) << 2 | (b >> 2 & 1) << 1 | (b >> 1 & 1)),
                       m->s.resolution, m->s.rate };
    ps2_answer(&m->port, out, 4);
}

static void change_status(struct ps2_mouse *m, unsigned clear, unsigned set)
{
    m->s.status = (uint8_t)((m->s.status & ~clear) | set);
    answer1(m, PS2_ACK);
}

static void reset_command(struct ps2_mouse *m)
{
    static const uint8_t passed[3] = { PS2_ACK, PS2_PASSED, 0 };
    ps2_mouse_reset(m);
    ps2_answer(&m->port, passed, 3);
}

static void plain_command(struct ps2_mouse *m, uint8_t v)
{
    uint8_t identity[2] = { PS2_ACK, m->s.id };
    switch (v) {
    case 0xe6: change_status(m, STATUS_SCALE_2, 0); break;
    case 0xe7: change_status(m, 0, STATUS_SCALE_2); break;
    case 0xe9: answer_status(m); break;
    case 0xea: change_status(m, STATUS_REMOTE, 0); break;
    case 0xeb: answer_data(m); break;
    case 0xf0: change_status(m, 0, STATUS_REMOTE); break;
    case 0xf2: ps2_answer(&m->port, identity, 2); break;
    case 0xf4: change_status(m, 0, STATUS_ENABLED); break;
    case 0xf5: change_status(m, STATUS_ENABLED, 0); break;
    case 0xfe: answer1(m, m->s.queue.last); break;
    case 0xff: reset_command(m); break;
    case 0xe8: case 0xf3:
        m->s.command = v;
        answer1(m, PS2_ACK);
        break;
    case 0xee:
        m->s.wrap = 1;
        answer1(m, PS2_ACK);
        break;
    case 0xf6:
        set_defaults(m);
        answer1(m, PS2_ACK);
        break;
    default:
        answer1(m, v == 0xec ? PS2_ACK : PS2_RESEND);
    }
}

static void command(void *opaque, uint8_t v)
{
    struct ps2_mouse *m = opaque;
    uint8_t waiting = m->s.command;
    m->s.command = 0;
    if (m->s.wrap && v != 0xec && v != 0xff) {
        answer1(m, v);
        return;
    }
    m->s.wrap = 0;
    if (waiting == 0xe8 && v < 4) {
        m->s.resolution = v;
        answer1(m, PS2_ACK);
    } else if (waiting == 0xf3) {
        set_rate(m, v);
        answer1(m, PS2_ACK);
    } else {
        plain_command(m, v);
    }
}

/* ---- life ------------------------------------------------------------------------------------ */

struct ps2_mouse *ps2_mouse_new(struct sim *sim)
{
    struct ps2_mouse *m = NEW(struct ps2_mouse);
    m->port = (struct ps2_port){ .queue = &m->s.queue, .command = command, .opaque = m };
    state_set_add(sim_state(sim), "mouse", &mouse_desc, &m->s, NULL, NULL, NULL);
    return m;
}

void ps2_mouse_free(struct ps2_mouse *m) { free(m); }
struct ps2_port *ps2_mouse_port(struct ps2_mouse *m) { return &m->port; }

void ps2_mouse_reset(struct ps2_mouse *m)
{
    m->s = (struct ps2_mouse_state){ .wrap = 0 };
    set_defaults(m);
}
