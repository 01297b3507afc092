/* SPDX-License-Identifier: GPL-2.0-or-later */
/* -device NAME,key=value,..: one handler for each device that can be added. */
#include "cli/options.h"
#include "cli/optvalue.h"
#include "dev/isa_debug.h"

#include <stdio.h>

static bool connect_chardev(struct options *o, struct optlist *l, const char *device, unsigned *index,
                            struct error *err)
{
    const char *id = optlist_take(l, "chardev");
    if (!id)
        return error_set(err, "-device %s: chardev= is missing", device);
    return chardev_option_use(o, "-device", id, index, err);
}

static bool isa_serial(struct options *o, struct optlist *l, struct error *err)
{
    uint64_t slot = MACHINE_SERIALS;
    unsigned chardev;
    if (!optlist_take_number(l, "index", MACHINE_SERIALS - 1, &slot, err) ||
        !connect_chardev(o, l, "isa-serial", &chardev, err))
        return false;
    for (unsigned i = 0; slot == MACHINE_SERIALS && i < MACHINE_SERIALS; i++)
        if (!o->serial[i])
            slot = i;
    if (slot == MACHINE_SERIALS)
        return error_set(err, "-device isa-serial: all %d serial ports are taken", MACHINE_SERIALS);
    if (o->serial[slot])
        return error_set(err, "-device isa-serial: serial port %u is already there", (unsigned)slot);
    o->serial[slot] = chardev;
    return true;
}

static bool isa_debugcon(struct options *o, struct optlist *l, struct error *err)
{
    uint64_t port = DEFAULT_DEBUGCON_PORT, readback = DEFAULT_DEBUGCON_PORT;
    if (o->debugcon)
        return error_set(err, "-device isa-debugcon: there is a debug console already");
    if (!optlist_take_number(l, "iobase", 0xffff, &port, err) ||
        !optlist_take_number(l, "readback", 0xff, &readback, err))
        return false;
    o->machine.debugcon_port = (uint16_t)port;
    o->machine.debugcon_readback = (uint8_t)readback;
    return connect_chardev(o, l, "isa-debugcon", &o->debugcon, err);
}

static bool isa_debug_exit(struct options *o, struct optlist *l, struct error *err)
{
    uint64_t port = DEFAULT_DEBUG_EXIT_PORT, size = DEFAULT_DEBUG_EXIT_SIZE;
    if (!optlist_take_number(l, "iobase", 0xffff, &port, err) || !optlist_take_number(l, "iosize", 4, &size, err))
        return false;
    if (o->machine.debug_exit_port)
        return error_set(err, "-device isa-debug-exit: there is one already");
    if (!port || !size || port + size > 0x10000)
        return error_set(err, "-device isa-debug-exit: iobase and iosize must not be 0, and end below port 0x10000");
    o->machine.debug_exit_port = (uint16_t)port;
    o->machine.debug_exit_size = (uint16_t)size;
    return true;
}

static bool pvpanic(struct options *o, struct optlist *l, struct error *err)
{
    uint64_t port = DEFAULT_PVPANIC_PORT, events = PVPANIC_EVENTS;
    if (o->machine.pvpanic_port)
        return error_set(err, "-device pvpanic: there is one already");
    if (!optlist_take_number(l, "ioport", 0xffff, &port, err) || !optlist_take_number(l, "events", 0xff, &events, err))
        return false;
    if (!port || !events || events & ~(uint64_t)PVPANIC_EVENTS)
        return error_set(err, "-device pvpanic: ioport must not be 0, and events is a sum of 1 (panicked) and "
                              "2 (crash loaded)");
    o->machine.pvpanic_port = (uint16_t)port;
    o->machine.pvpanic_events = (uint8_t)events;
    return true;
}

static const struct {
    const char *name, *help;
    bool (*add)(struct options *o, struct optlist *l, struct error *err);
} devices[] = {
    { "isa-serial", "chardev=ID[,index=0..3]   a 16550A serial port", isa_serial },
    { "isa-debugcon", "chardev=ID[,iobase=PORT][,readback=V]   bytes written to PORT (0xe9) come out", isa_debugcon },
    { "isa-debug-exit", "[iobase=PORT,iosize=N]   a write of V to PORT (0x501) ends with status V*2+1",
      isa_debug_exit },
    { "pvpanic", "[ioport=PORT][,events=1..3]   the guest tells of its panic at PORT (0x505); see -action", pvpanic },
};

bool device_option(struct options *o, const char *text, struct error *err)
{
    struct optlist l;
    if (!strcmp(text, "help") || !strcmp(text, "?")) {
        o->device_help = true;
        return true;
    }
    if (!optlist_parse(&l, "-device", text, "driver", err))
        return false;
    const char *driver = optlist_take(&l, "driver");
    optlist_take(&l, "id");   /* nothing refers to devices by name yet; harmless */
    char option[64];
    l.option = option;
    for (size_t i = 0; driver && i < ARRAY_LEN(devices); i++) {
        if (strcmp(driver, devices[i].name) != 0)
            continue;
        snprintf(option, sizeof option, "-device %s", driver);
        return devices[i].add(o, &l, err) ? optlist_done(&l, err) : optlist_fail(&l);
    }
    error_set(err, "-device: there is no device '%s' (-device help lists them)", driver ? driver : text);
    return optlist_fail(&l);
}

void options_print_devices(void)
{
    for (size_t i = 0; i < ARRAY_LEN(devices); i++)
        printf("%-16s %s\n", devices[i].name, devices[i].help);
}
