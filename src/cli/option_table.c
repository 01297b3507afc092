/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One handler for each option: checks the value and notes it in struct options. */
#include "cli/option_table.h"

#include <ctype.h>

#include "cli/engine_option.h"
#include "cli/option_time.h"
#include "cli/optvalue.h"

#define MAX_RAM (UINT64_C(8) << 30)
#define PAGE UINT64_C(4096)

/* An option whose value is kept as it is. */
#define STRING(name, field)                                               \
    static bool name(struct options *o, const char *v, struct error *err) \
    {                                                                     \
        o->field = v;                                                     \
        return true;                                                      \
    }
STRING(set_kernel, kernel)
STRING(set_initrd, initrd)
STRING(set_append, machine.append)
STRING(set_bios, bios)
STRING(set_log_path, log_path)

#define FLAG(name, field)                                                 \
    static bool name(struct options *o, const char *v, struct error *err) \
    {                                                                     \
        o->field = true;                                                  \
        return true;                                                      \
    }
FLAG(set_no_reboot, machine.no_reboot)
FLAG(set_no_shutdown, machine.no_shutdown)
FLAG(set_nodefaults, nodefaults)
FLAG(set_nographic, nographic)
FLAG(set_help, help)
FLAG(set_version, version)

static bool is_help(const char *v) { return !strcmp(v, "help") || !strcmp(v, "?"); }

static bool set_accel(struct options *o, const char *v, struct error *err)
{
    return engine_option("-accel", v, &o->machine.engine, err);
}

/* What other machines let one choose and this one has one way only. */
static const struct {
    const char *key;
    bool value;
} fixed_properties[] = { { "acpi", true }, { "hpet", true }, { "usb", false }, { "graphics", false },
                         { "vmport", false } };

static bool take_fixed_properties(struct optlist *l, struct error *err)
{
    for (size_t i = 0; i < ARRAY_LEN(fixed_properties); i++) {
        bool value = fixed_properties[i].value;
        if (!optlist_take_bool(l, fixed_properties[i].key, &value, err))
            return false;
        if (value != fixed_properties[i].value)
            return error_set(err, "-machine: this machine always has %s=%s", fixed_properties[i].key, value ? "off" : "on");
    }
    return true;
}

static bool set_machine(struct options *o, const char *v, struct error *err)
{
    struct optlist l;
    if (is_help(v)) {
        o->machine_help = true;
        return true;
    }
    if (!optlist_parse(&l, "-machine", v, "type", err))
        return false;
    const char *type = optlist_take(&l, "type"), *accel = optlist_take(&l, "accel");
    if (type && !machine_known(type)) {
        error_set(err, "-machine: there is no machine '%s' (there is pc)", type);
        return optlist_fail(&l);
    }
    if (type)
        o->machine.machine = options_string(o, type, strlen(type));
    if ((accel && !engine_option_any("-machine", accel, &o->machine.engine, err)) || !take_fixed_properties(&l, err))
        return optlist_fail(&l);
    return optlist_done(&l, err);
}

static bool set_cpu(struct options *o, const char *v, struct error *err)
{
    o->cpu_help = is_help(v);
    o->machine.cpu = v;
    return true;
}

/* A number that is missing or the only one it can be. */
static bool is_number(struct optlist *l, const char *key, uint64_t only)
{
    const char *v = optlist_take(l, key);
    uint64_t n;
    return !v || (parse_number(v, only, &n) && n == only);
}

/* Every CPU is a socket of its own, so a topology may say that and nothing else. */
static bool set_smp(struct options *o, const char *v, struct error *err)
{
    struct optlist l;
    uint64_t n = 0;
    if (!optlist_parse(&l, "-smp", v, "cpus", err))
        return false;
    const char *cpus = optlist_take(&l, "cpus");
    if (!cpus || !parse_number(cpus, MACHINE_MAX_CPUS, &n) || !n || !is_number(&l, "cores", 1) ||
        !is_number(&l, "threads", 1) || !is_number(&l, "sockets", n) || !is_number(&l, "maxcpus", n)) {
        error_set(err, "-smp: '%s' is not a number of CPUs from 1 to %d, each a socket of its own", v,
                  MACHINE_MAX_CPUS);
        return optlist_fail(&l);
    }
    o->machine.cpus = (unsigned)n;
    return optlist_done(&l, err);
}

static bool set_memory(struct options *o, const char *v, struct error *err)
{
    struct optlist l;
    uint64_t bytes = 0;
    if (!optlist_parse(&l, "-m", v, "size", err))
        return false;
    const char *size = optlist_take(&l, "size");
    if (!size || !parse_size(size, &bytes) || bytes < (1 << 20) || bytes > MAX_RAM || bytes % PAGE) {
        error_set(err, "-m: '%s' is not a memory size from 1 MiB to 8 GiB in whole pages", size ? size : v);
        return optlist_fail(&l);
    }
    o->machine.ram_bytes = bytes;
    return optlist_done(&l, err);
}

static bool set_dir(struct options *o, const char *v, struct error *err)
{
    if (o->n_dirs == OPTIONS_DIRS)
        return error_set(err, "-L: there are more than %d directories", OPTIONS_DIRS);
    o->dir[o->n_dirs++] = v;
    return true;
}

static bool set_serial(struct options *o, const char *v, struct error *err)
{
    char id[] = "serial0";
    if (o->n_serial == MACHINE_SERIALS || o->serial[o->n_serial])
        return error_set(err, "-serial: the machine has %d serial ports", MACHINE_SERIALS);
    id[6] = (char)('0' + o->n_serial);
    return chardev_option_device(o, "-serial", v, id, &o->serial[o->n_serial++], err);
}

static bool set_debugcon(struct options *o, const char *v, struct error *err)
{
    if (o->debugcon)
        return error_set(err, "-debugcon: there is a debug console already");
    return chardev_option_device(o, "-debugcon", v, "debugcon", &o->debugcon, err);
}

static bool only_none(const char *option, const char *v, const char *what, struct error *err)
{
    return !strcmp(v, "none") || error_set(err, "%s: there is no %s yet, so '%s' cannot be had; say '%s none'", option,
                                           what, v, option);
}

static bool set_display(struct options *o, const char *v, struct error *err)
{
    return only_none("-display", v, "display", err);
}

static bool set_vga(struct options *o, const char *v, struct error *err)
{
    return only_none("-vga", v, "display adapter", err);
}

static bool set_monitor(struct options *o, const char *v, struct error *err)
{
    return only_none("-monitor", v, "monitor", err);
}

static bool set_net(struct options *o, const char *v, struct error *err)
{
    return only_none("-net", v, "network", err);
}

static bool set_nic(struct options *o, const char *v, struct error *err)
{
    return only_none("-nic", v, "network", err);
}

/* order: a floppy, c disk, d CD-ROM, n network. */
static bool set_boot(struct options *o, const char *v, struct error *err)
{
    struct optlist l;
    if (!optlist_parse(&l, "-boot", v, "order", err))
        return false;
    const char *order = optlist_take(&l, "order");
    if (order && (!*order || order[strspn(order, "acdn")])) {
        error_set(err, "-boot: order is made of the letters a, c, d and n, not '%s'", order);
        return optlist_fail(&l);
    }
    if (order)
        o->machine.boot_order = options_string(o, order, strlen(order));
    return optlist_take_bool(&l, "menu", &o->machine.boot_menu, err) ? optlist_done(&l, err) : optlist_fail(&l);
}

static bool set_name(struct options *o, const char *v, struct error *err)
{
    struct optlist l;
    if (!optlist_parse(&l, "-name", v, "guest", err))
        return false;
    const char *name = optlist_take(&l, "guest");
    o->name = name ? options_string(o, name, strlen(name)) : NULL;
    return optlist_done(&l, err);
}

/* 8-4-4-4-12 hexadecimal digits. */
static bool set_uuid(struct options *o, const char *v, struct error *err)
{
    static const char form[] = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";
    unsigned digits = 0;
    for (size_t i = 0; i < sizeof form; i++) {
        if (form[i] == 'x' ? !isxdigit((unsigned char)v[i]) : v[i] != form[i])
            return error_set(err, "-uuid: '%s' is not of the form %s", v, form);
        if (form[i] != 'x')
            continue;
        unsigned value = isdigit((unsigned char)v[i]) ? v[i] - '0' : (v[i] | 32) - 'a' + 10;
        uint8_t *byte = &o->machine.uuid[digits++ / 2];
        *byte = (uint8_t)(*byte << 4 | value);
    }
    return true;
}

static bool set_log_items(struct options *o, const char *v, struct error *err)
{
    while (*v) {
        size_t len = strcspn(v, ",");
        if (len == 12 && !memcmp(v, "guest_errors", 12))
            o->log_guest_errors = true;
        else if (len == 2 && !memcmp(v, "op", 2))
            o->log_op = true;
        else
            return error_set(err, "-d: there is no item '%.*s' (there are guest_errors, op)", (int)len, v);
        v += len + (v[len] == ',');
    }
    return true;
}

const struct option_entry option_table[] = {
    { "M", "MACHINE", set_machine, "the board: pc (-M help lists them)" },
    { "machine", "MACHINE", set_machine, NULL },
    { "cpu", "MODEL[,+F,-F]", set_cpu, "the CPU model and its features (-cpu help lists them)" },
    { "smp", "N", set_smp, "number of CPUs, 1 to 32 (1)" },
    { "m", "SIZE", set_memory, "memory in MiB, or with K, M, G; up to 8G (128)" },
    { "kernel", "FILE", set_kernel, "boot this Linux bzImage or Multiboot image directly" },
    { "initrd", "FILE", set_initrd, "its initial RAM disk (Multiboot: its modules)" },
    { "append", "TEXT", set_append, "its command line" },
    { "bios", "FILE", set_bios, "firmware image (/usr/share/seabios/bios-256k.bin)" },
    { "L", "DIR", set_dir, "look for firmware here first" },
    { "boot", "[order=ORDER][,menu=on]", set_boot, "what the firmware boots: a, c, d, n" },
    { "serial", "DEV", set_serial,
      "next serial port: stdio, mon:stdio, pty, null, none, file:PATH, pipe:PATH, "
      "tcp:[HOST]:PORT[,server=on][,wait=off][,reconnect=SECONDS], unix:PATH[,..], chardev:ID (null)" },
    { "chardev", "BACKEND,id=ID[,..]", chardev_option_backend,
      "a device to connect by its id: stdio[,signal=on][,mux=on] | pty | null | file,path=PATH[,append=on] | "
      "pipe,path=PATH | socket,path=PATH or socket,port=PORT[,host=HOST], [,server=on][,wait=off][,reconnect=SECONDS]" },
    { "debugcon", "DEV", set_debugcon, "debug console at port 0xe9; DEV as for -serial" },
    { "device", "NAME[,KEY=VALUE..]", device_option, "add a device (-device help lists them)" },
    { "icount", "[shift=]N|auto[,..]", set_icount,
      "a position lasts 1 << N ns (3); sleep=on|off, align=on|off; "
      "rr=record|replay,rrfile=FILE[,rrhash=POSITIONS]" },
    { "rtc", "[base=utc|localtime|DATE][,clock=host|vm]", set_rtc, "the guest's calendar clock" },
    { "accel", "ENGINE[,tb-size=MB]", set_accel,
      "the engine: interp, jit, or tcg for the fastest there is; memory for its translations", true },
    { "display", "none", set_display, "no display (which is the default)" },
    { "vga", "none", set_vga, "no display adapter" },
    { "monitor", "none", set_monitor, "no monitor" },
    { "net", "none", set_net, "no network" },
    { "nic", "none", set_nic, NULL },
    { "nographic", NULL, set_nographic, "first serial port on this terminal: -serial mon:stdio" },
    { "nodefaults", NULL, set_nodefaults, "no serial port unless one is named" },
    { "no-reboot", NULL, set_no_reboot, "end when the guest resets" },
    { "no-shutdown", NULL, set_no_shutdown, "wait for a signal when the guest powers off" },
    { "name", "NAME", set_name, "a name for the machine, kept in recordings" },
    { "uuid", "UUID", set_uuid, "the machine's identity, for firmware" },
    { "d", "ITEM[,..]", set_log_items, "say more: guest_errors, op", true },
    { "D", "FILE", set_log_path, "say it into FILE", true },
    { "version", NULL, set_version, "print the version" },
    { "h", NULL, set_help, "print this help" },
    { "help", NULL, set_help, NULL },
    { NULL, NULL, NULL, NULL },
};
