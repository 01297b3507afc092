/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "dev/isa_debug.h"

#include <stdlib.h>

struct isa_debug {
    uint8_t readback;                                /* of every read: debugcon's mark, pvpanic's events */
    struct chardev *chardev;
    void (*exit)(void *opaque, int status);
    void (*report)(void *opaque, uint8_t events);
    void *opaque;
};

static uint64_t constant_read(void *opaque, uint64_t addr, unsigned size)
{
    (void)addr;
    (void)size;
    return ((struct isa_debug *)opaque)->readback;
}

static void exit_write(void *opaque, uint64_t addr, unsigned size, uint64_t value)
{
    struct isa_debug *d = opaque;
    (void)addr;
    (void)size;
    d->exit(d->opaque, (int)(value << 1 | 1) & 0xff);   /* a process has eight bits to end with */
}

static void console_write(void *opaque, uint64_t addr, unsigned size, uint64_t value)
{
    uint8_t byte = (uint8_t)value;
    (void)addr;
    (void)size;
    chardev_write(((struct isa_debug *)opaque)->chardev, &byte, 1);
}

static void panic_write(void *opaque, uint64_t addr, unsigned size, uint64_t value)
{
    struct isa_debug *d = opaque;
    uint8_t events = (uint8_t)value & d->readback;
    (void)addr;
    (void)size;
    if (events)
        d->report(d->opaque, events);
}

static const struct io_ops exit_ops = { constant_read, exit_write, 1, 4 };
static const struct io_ops console_ops = { constant_read, console_write, 1, 1 };
static const struct io_ops panic_ops = { constant_read, panic_write, 1, 1 };

static struct isa_debug *map(struct space *io, const char *name, uint16_t base, uint16_t size, const struct io_ops *ops,
                             struct isa_debug init)
{
    struct isa_debug *d = NEW(struct isa_debug);
    *d = init;
    space_map_io(io, name, base, size, 1, ops, d);
    return d;
}

struct isa_debug *debug_exit_new(struct space *io, uint16_t base, uint16_t size,
                                 void (*ask)(void *opaque, int status), void *opaque)
{
    return map(io, "isa-debug-exit", base, size, &exit_ops, (struct isa_debug){ .exit = ask, .opaque = opaque });
}

struct isa_debug *debugcon_new(struct space *io, uint16_t base, uint8_t readback, struct chardev *chardev)
{
    return map(io, "isa-debugcon", base, 1, &console_ops,
               (struct isa_debug){ .readback = readback, .chardev = chardev });
}

struct isa_debug *pvpanic_new(struct space *io, uint16_t base, uint8_t events,
                              void (*report)(void *opaque, uint8_t events), void *opaque)
{
    return map(io, "pvpanic", base, 1, &panic_ops,
               (struct isa_debug){ .readback = events & PVPANIC_EVENTS, .report = report, .opaque = opaque });
}

void isa_debug_free(struct isa_debug *d) { free(d); }
