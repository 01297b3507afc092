/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Transmission takes no guest time: a byte is on the host's side when the
 * store returns, and THR is empty again.  Drivers cannot tell, and the console is
 * as fast as the CPU.  Reception is paced by the FIFO's room alone.  Word
 * length, parity and a sent break shape the line, which we do not have: a byte
 * is eight bits whatever LCR says, and only the FIFO's time-out is counted in
 * LCR's characters.
 */
#include "dev/uart.h"

#include <stdlib.h>

enum { RBR_THR, IER, IIR_FCR, LCR, MCR, LSR, MSR, SCR };
enum { IER_RDA = 1, IER_THRE = 2, IER_RLS = 4, IER_MSI = 8 };
enum { IIR_NONE = 1, IIR_MSI = 0, IIR_THRE = 2, IIR_RDA = 4, IIR_RLS = 6, IIR_TIMEOUT = 12, IIR_FIFO = 0xc0 };
enum { FCR_ENABLE = 1, FCR_CLEAR_RX = 2, FCR_DMA = 8, FCR_TRIGGER = 0xc0 };
enum { LCR_BITS = 3, LCR_STOP = 4, LCR_PARITY = 8, LCR_DLAB = 0x80 };
enum { MCR_DTR = 1, MCR_RTS = 2, MCR_OUT1 = 4, MCR_OUT2 = 8, MCR_LOOP = 16 };
enum { LSR_DR = 1, LSR_OE = 2, LSR_BI = 16, LSR_THRE = 32, LSR_TEMT = 64 };
enum { MSR_DELTA = 15, MSR_CTS = 16, MSR_DSR = 32, MSR_RI = 64, MSR_DCD = 128 };
enum { FIFO_SIZE = 16 };

struct uart_state {
    uint8_t ier, fcr, lcr, mcr, lsr_errors, msr, scr, thre_pending;
    uint16_t divisor;
    uint8_t rx_head, rx_count;
    uint8_t timeout;          /* bytes wait below the trigger level */
    uint8_t pad[3];
    uint8_t rx[FIFO_SIZE];
};

static const struct state_field fields[] = {
    STATE_UINT(struct uart_state, ier),        STATE_UINT(struct uart_state, fcr),
    STATE_UINT(struct uart_state, lcr),        STATE_UINT(struct uart_state, mcr),
    STATE_UINT(struct uart_state, lsr_errors), STATE_UINT(struct uart_state, msr),
    STATE_UINT(struct uart_state, scr),        STATE_UINT(struct uart_state, thre_pending),
    STATE_UINT(struct uart_state, divisor),    STATE_UINT(struct uart_state, rx_head),
    STATE_UINT(struct uart_state, rx_count),   STATE_UINT(struct uart_state, timeout),
    STATE_PAD(struct uart_state, pad),         STATE_ARRAY(struct uart_state, rx, uint8_t),
};
static STATE_DESC(uart_desc, struct uart_state, 1, fields);

struct uart {
    struct uart_state s;
    struct irq irq;
    struct chardev *chardev;
    struct sim_timer timeout;   /* four character times of silence (PC16550D, FIFO interrupt mode) */
    struct sim *sim;
};

static unsigned trigger(const struct uart *u)
{
    static const uint8_t levels[] = { 1, 4, 8, 14 };
    return u->s.fcr & FCR_ENABLE ? levels[u->s.fcr >> 6] : 1;
}

/* The highest pending interrupt (table III of the data sheet). */
static unsigned pending(const struct uart *u)
{
    const struct uart_state *s = &u->s;
    if (s->ier & IER_RLS && s->lsr_errors)
        return IIR_RLS;
    if (s->ier & IER_RDA && s->rx_count >= trigger(u))
        return IIR_RDA;
    if (s->ier & IER_RDA && s->timeout && s->rx_count)
        return IIR_TIMEOUT;
    if (s->ier & IER_THRE && s->thre_pending)
        return IIR_THRE;
    if (s->ier & IER_MSI && s->msr & MSR_DELTA)
        return IIR_MSI;
    return IIR_NONE;
}

static void update(struct uart *u) { irq_set(&u->irq, pending(u) != IIR_NONE && (u->s.mcr & MCR_OUT2)); }

/* Start bit, 5 to 8 data bits, parity, one or two stop bits, each 16 clocks of 1.8432 MHz divided. */
static uint64_t char_ns(const struct uart *u)
{
    uint64_t divisor = u->s.divisor ? u->s.divisor : 1;
    unsigned bits = 1 + 5 + (u->s.lcr & LCR_BITS) + (u->s.lcr & LCR_PARITY ? 1 : 0) + (u->s.lcr & LCR_STOP ? 2 : 1);
    return divisor * 16 * bits * NS_PER_SEC / 1843200;
}

static void timed_out(void *opaque)
{
    struct uart *u = opaque;
    if (u->s.rx_count)
        u->s.timeout = 1;
    update(u);
}

/* When there is no room the FIFO keeps its bytes, and the lone buffer is overwritten. */
static void receive(struct uart *u, uint8_t byte)
{
    struct uart_state *s = &u->s;
    bool fifo = s->fcr & FCR_ENABLE;
    if (s->rx_count >= (fifo ? FIFO_SIZE : 1)) {
        s->lsr_errors |= LSR_OE;
        if (!fifo)
            s->rx[s->rx_head] = byte;
    } else {
        s->rx[(s->rx_head + s->rx_count) % FIFO_SIZE] = byte;
        s->rx_count++;
    }
    if (fifo)
        timer_arm(&u->timeout, sim_now(u->sim) + 4 * char_ns(u));
}

static void deliver(void *opaque, const void *data, size_t len)
{
    struct uart *u = opaque;
    for (size_t i = 0; i < len; i++)
        receive(u, ((const uint8_t *)data)[i]);
    update(u);
}

static size_t room(void *opaque)
{
    const struct uart *u = opaque;
    unsigned size = u->s.fcr & FCR_ENABLE ? FIFO_SIZE : 1;
    if (u->s.mcr & MCR_LOOP)
        return 0;
    return size - u->s.rx_count;
}

/* A break: a zero byte, and the line status says what it was.  It waits for an empty FIFO: both are to be one thing. */
static void deliver_break(void *opaque, const void *data, size_t len)
{
    struct uart *u = opaque;
    u->s.lsr_errors |= LSR_BI;
    receive(u, 0);
    update(u);
}

static size_t break_room(void *opaque)
{
    const struct uart *u = opaque;
    return !u->s.rx_count && !(u->s.mcr & MCR_LOOP);
}

static uint8_t loop_msr(uint8_t mcr)
{
    return (uint8_t)((mcr & MCR_RTS ? MSR_CTS : 0) | (mcr & MCR_DTR ? MSR_DSR : 0) | (mcr & MCR_OUT1 ? MSR_RI : 0) |
                     (mcr & MCR_OUT2 ? MSR_DCD : 0));
}

static void set_modem(struct uart *u, uint8_t lines)
{
    uint8_t old = u->s.msr & 0xf0, delta = (uint8_t)((old ^ lines) >> 4);
    if (!(old & MSR_RI) || lines & MSR_RI)
        delta &= (uint8_t)~4;           /* RI reports its trailing edge only */
    u->s.msr = (uint8_t)(lines | (u->s.msr & MSR_DELTA) | delta);
}

static uint8_t read_rbr(struct uart *u)
{
    struct uart_state *s = &u->s;
    if (!s->rx_count)
        return 0;
    uint8_t v = s->rx[s->rx_head];
    s->rx_head = (uint8_t)((s->rx_head + 1) % FIFO_SIZE);
    s->rx_count--;
    s->timeout = 0;
    timer_cancel(&u->timeout);
    if (s->rx_count && s->fcr & FCR_ENABLE)
        timer_arm(&u->timeout, sim_now(u->sim) + 4 * char_ns(u));
    return v;
}

static uint64_t uart_read(void *opaque, uint64_t addr, unsigned size)
{
    struct uart *u = opaque;
    struct uart_state *s = &u->s;
    uint8_t v = 0xff;
    (void)size;
    switch (addr) {
    case RBR_THR:
        v = s->lcr & LCR_DLAB ? (uint8_t)s->divisor : read_rbr(u);
        break;
    case IER:
        v = s->lcr & LCR_DLAB ? (uint8_t)(s->divisor >> 8) : s->ier;
        break;
    case IIR_FCR:
        v = (uint8_t)pending(u);
        if (v == IIR_THRE)
            s->thre_pending = 0;
        v |= s->fcr & FCR_ENABLE ? IIR_FIFO : 0;
        break;
    case LCR:
        v = s->lcr;
        break;
    case MCR:
        v = s->mcr;
        break;
    case LSR:
        v = (uint8_t)(LSR_THRE | LSR_TEMT | (s->rx_count ? LSR_DR : 0) | s->lsr_errors);
        s->lsr_errors = 0;
        break;
    case MSR:
        v = s->msr;
        s->msr &= (uint8_t)~MSR_DELTA;
        break;
    case SCR:
        v = s->scr;
        break;
    }
    update(u);
    return v;
}

/* The holding register is full and empty again: its interrupt goes and comes back, an edge for the controller. */
static void transmit(struct uart *u, uint8_t v)
{
    u->s.thre_pending = 0;
    update(u);
    if (u->s.mcr & MCR_LOOP)
        receive(u, v);
    else
        chardev_write(u->chardev, &v, 1);
    u->s.thre_pending = 1;
}

/* The other bits are programmed only together with the enable. */
static void write_fcr(struct uart *u, uint8_t v)
{
    struct uart_state *s = &u->s;
    if ((v ^ s->fcr) & FCR_ENABLE || (v & FCR_ENABLE && v & FCR_CLEAR_RX)) {
        s->rx_head = s->rx_count = s->timeout = 0;
        timer_cancel(&u->timeout);
    }
    s->fcr = v & FCR_ENABLE ? v & (FCR_ENABLE | FCR_DMA | FCR_TRIGGER) : 0;
}

static void uart_write(void *opaque, uint64_t addr, unsigned size, uint64_t value)
{
    struct uart *u = opaque;
    struct uart_state *s = &u->s;
    uint8_t v = (uint8_t)value;
    (void)size;
    switch (addr) {
    case RBR_THR:
        if (s->lcr & LCR_DLAB)
            s->divisor = (uint16_t)((s->divisor & 0xff00) | v);
        else
            transmit(u, v);
        break;
    case IER:
        if (s->lcr & LCR_DLAB) {
            s->divisor = (uint16_t)((s->divisor & 0xff) | v << 8);
        } else {
            if (v & IER_THRE && !(s->ier & IER_THRE))
                s->thre_pending = 1;
            s->ier = v & 15;
        }
        break;
    case IIR_FCR:
        write_fcr(u, v);
        break;
    case LCR:
        s->lcr = v;
        break;
    case MCR:
        s->mcr = v & 31;
        set_modem(u, s->mcr & MCR_LOOP ? loop_msr(s->mcr) : MSR_CTS | MSR_DSR | MSR_DCD);
        break;
    case SCR:
        s->scr = v;
        break;
    }
    update(u);
}

static const struct io_ops uart_ops = { uart_read, uart_write, 1, 1 };
static const struct input_source_ops source_ops = { deliver, room, false };
static const struct input_source_ops break_ops = { deliver_break, break_room, false };

void uart_reset(struct uart *u)
{
    timer_cancel(&u->timeout);
    u->s = (struct uart_state){ .msr = MSR_CTS | MSR_DSR | MSR_DCD, .divisor = 12 };
    irq_set(&u->irq, false);
}

struct uart *uart_new(const char *name, struct sim *sim, struct space *io, uint16_t base, struct irq irq,
                      struct chardev *chardev)
{
    struct uart *u = NEW(struct uart);
    u->irq = irq;
    u->chardev = chardev;
    u->sim = sim;
    state_set_add(sim_state(sim), name, &uart_desc, &u->s, NULL, NULL, NULL);
    timer_init(&u->timeout, sim, SIM_CLOCK_VIRTUAL, name, timed_out, u);
    struct input_source *source = input_source_new(sim_port(sim), INPUT_BYTES, name, &source_ops, u);
    struct input_source *line_break = input_source_new(sim_port(sim), INPUT_BREAK, name, &break_ops, u);
    if (chardev) {
        chardev->line_break = line_break;
        chardev->ops->attach(chardev, source);
    }
    space_map_io(io, name, base, 8, 0, &uart_ops, u);
    uart_reset(u);
    return u;
}

void uart_free(struct uart *u) { free(u); }
