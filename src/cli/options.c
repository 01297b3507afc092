/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/options.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>

struct option {
    const char *name;
    const char *arg;       /* NULL: takes none */
    bool (*set)(struct options *o, const char *value, struct error *err);
    const char *help;
};

/* ---- values --------------------------------------------------------------------------------- */

static bool is(const char *item, size_t len, const char *want) { return strlen(want) == len && !memcmp(item, want, len); }

static bool parse_number(const char *s, size_t len, uint64_t max, uint64_t *v)
{
    char text[32], *end;
    if (!len || len >= sizeof text || !isdigit((unsigned char)*s))
        return false;
    memcpy(text, s, len);
    text[len] = 0;
    *v = strtoull(text, &end, 0);
    return !*end && *v <= max;
}

/* A size: digits with K, M, G or T; MiB without. */
static bool parse_size(const char *s, size_t len, uint64_t *bytes)
{
    static const char units[] = "KMGT";
    unsigned shift = 20;
    const char *u = len ? memchr(units, toupper((unsigned char)s[len - 1]), 4) : NULL;
    if (u) {
        shift = 10 * (unsigned)(u - units + 1);
        len--;
    }
    uint64_t v;
    if (!parse_number(s, len, UINT64_MAX >> shift, &v))
        return false;
    *bytes = v << shift;
    return true;
}

/* Calls item for each comma-separated part of value. */
static bool each(struct options *o, const char *option, const char *value,
                 bool (*item)(struct options *o, const char *key, size_t key_len, const char *val, size_t val_len),
                 struct error *err)
{
    while (*value) {
        size_t len = strcspn(value, ",");
        const char *eq = memchr(value, '=', len);
        size_t key = eq ? (size_t)(eq - value) : len;
        if (!item(o, value, key, eq ? eq + 1 : "", eq ? len - key - 1 : 0))
            return error_set(err, "%s: '%.*s' is not understood", option, (int)len, value);
        value += len + (value[len] == ',');
    }
    return true;
}

/* ---- handlers ----------------------------------------------------------------------------------- */

static bool set_machine(struct options *o, const char *v, struct error *err)
{
    if (strchr(v, ','))
        return error_set(err, "-machine: properties are not supported: '%s'", v);
    o->machine.machine = v;
    return true;
}

static bool set_cpu(struct options *o, const char *v, struct error *err)
{
    (void)err;
    o->cpu_help = !strcmp(v, "help") || !strcmp(v, "?");
    o->machine.cpu = v;
    return true;
}

static bool set_smp(struct options *o, const char *v, struct error *err)
{
    uint64_t n;
    size_t skip = !strncmp(v, "cpus=", 5) ? 5 : 0;
    if (!parse_number(v + skip, strlen(v + skip), MACHINE_MAX_CPUS, &n) || !n)
        return error_set(err, "-smp: '%s' is not a number of CPUs from 1 to %d", v, MACHINE_MAX_CPUS);
    o->machine.cpus = (unsigned)n;
    return true;
}

static bool set_memory(struct options *o, const char *v, struct error *err)
{
    size_t skip = !strncmp(v, "size=", 5) ? 5 : 0;
    if (!parse_size(v + skip, strlen(v + skip), &o->machine.ram_bytes) || o->machine.ram_bytes > UINT64_C(8) << 30)
        return error_set(err, "-m: '%s' is not a memory size of up to 8 GiB", v);
    return true;
}

#define STRING(name, field)                                                          \
    static bool name(struct options *o, const char *v, struct error *err)            \
    {                                                                                \
        (void)err;                                                                   \
        o->field = v;                                                                \
        return true;                                                                 \
    }
STRING(set_kernel, kernel)
STRING(set_initrd, initrd)
STRING(set_append, machine.append)
STRING(set_bios, bios)
STRING(set_debugcon, debugcon)

static bool set_serial(struct options *o, const char *v, struct error *err)
{
    if (o->n_serial == MACHINE_SERIALS)
        return error_set(err, "-serial: the machine has %d serial ports", MACHINE_SERIALS);
    o->serial[o->n_serial++] = v;
    return true;
}

static bool icount_item(struct options *o, const char *key, size_t kl, const char *val, size_t vl)
{
    uint64_t n;
    if (is(key, kl, "shift")) {
        o->sim.shift_auto = is(val, vl, "auto");
        if (o->sim.shift_auto)
            o->sim.shift = 3;
        else if (parse_number(val, vl, 10, &n))
            o->sim.shift = (unsigned)n;
        else
            return false;
        return true;
    }
    bool on = is(val, vl, "on"), off = is(val, vl, "off");
    if (is(key, kl, "sleep"))
        o->sim.sleep = on;
    else if (is(key, kl, "align"))
        o->sim.align = on;
    else
        return false;
    return on || off;
}

static bool set_icount(struct options *o, const char *v, struct error *err)
{
    return each(o, "-icount", v, icount_item, err);
}

static bool device_exit_item(struct options *o, const char *key, size_t kl, const char *val, size_t vl)
{
    uint64_t n;
    if (is(key, kl, "isa-debug-exit"))
        return true;
    if (is(key, kl, "iobase") && parse_number(val, vl, 0xffff, &n))
        o->machine.debug_exit_port = (uint16_t)n;
    else if (is(key, kl, "iosize") && parse_number(val, vl, 4, &n))
        o->machine.debug_exit_size = (uint16_t)n;
    else
        return false;
    return true;
}

static bool set_device(struct options *o, const char *v, struct error *err)
{
    size_t len = strcspn(v, ",");
    if (!is(v, len, "isa-debug-exit"))
        return error_set(err, "-device: unknown device '%.*s'", (int)len, v);
    o->machine.debug_exit_port = 0x501;
    o->machine.debug_exit_size = 2;
    return each(o, "-device isa-debug-exit", v, device_exit_item, err);
}

static bool only(const char *option, const char *v, const char *allowed, struct error *err)
{
    return !strcmp(v, allowed) || error_set(err, "%s: only '%s' is supported, not '%s'", option, allowed, v);
}

static bool set_display(struct options *o, const char *v, struct error *err)
{
    (void)o;
    return only("-display", v, "none", err);
}

static bool set_monitor(struct options *o, const char *v, struct error *err)
{
    (void)o;
    return only("-monitor", v, "none", err);
}

static bool set_net(struct options *o, const char *v, struct error *err)
{
    (void)o;
    return only("-net", v, "none", err);
}

static bool set_vga(struct options *o, const char *v, struct error *err)
{
    (void)o;
    return only("-vga", v, "none", err);
}

static bool set_log(struct options *o, const char *v, struct error *err)
{
    if (strcmp(v, "guest_errors") != 0)
        return error_set(err, "-d: unknown item '%s' (there is: guest_errors)", v);
    o->guest_errors = true;
    return true;
}

static bool accel_item(struct options *o, const char *key, size_t kl, const char *val, size_t vl)
{
    (void)o;
    (void)val;
    return !vl && (is(key, kl, "tcg") || is(key, kl, "interp"));
}

static bool set_accel(struct options *o, const char *v, struct error *err)
{
    return each(o, "-accel", v, accel_item, err);
}

#define FLAG(name, field)                                                            \
    static bool name(struct options *o, const char *v, struct error *err)            \
    {                                                                                \
        (void)v;                                                                     \
        (void)err;                                                                   \
        o->field = true;                                                             \
        return true;                                                                 \
    }
FLAG(set_no_reboot, machine.no_reboot)
FLAG(set_no_shutdown, machine.no_shutdown)
FLAG(set_help, help)
FLAG(set_version, version)

static bool set_nodefaults(struct options *o, const char *v, struct error *err)
{
    (void)o;
    (void)v;
    (void)err;
    return true;              /* there are no default devices beyond the board's own */
}

static bool set_nographic(struct options *o, const char *v, struct error *err)
{
    (void)v;
    return set_serial(o, "mon:stdio", err);
}

static const struct option table[] = {
    { "M", "MACHINE", set_machine, "the board: pc" },
    { "machine", "MACHINE", set_machine, NULL },
    { "cpu", "MODEL[,+F,-F]", set_cpu, "the CPU model and features; -cpu help lists them" },
    { "smp", "N", set_smp, "number of CPUs" },
    { "m", "SIZE", set_memory, "memory, in MiB or with K, M, G" },
    { "kernel", "FILE", set_kernel, "boot this Linux bzImage or Multiboot image directly" },
    { "initrd", "FILE", set_initrd, "its initial RAM disk" },
    { "append", "TEXT", set_append, "its command line" },
    { "bios", "FILE", set_bios, "firmware image" },
    { "serial", "DEV", set_serial, "next serial port: stdio, mon:stdio, null, file:PATH" },
    { "debugcon", "DEV", set_debugcon, "debug console at port 0xe9, as -serial" },
    { "device", "NAME[,P=V]", set_device, "isa-debug-exit,iobase=N,iosize=N" },
    { "icount", "shift=N|auto[,sleep=on|off]", set_icount, "virtual time per position: 1 << N ns" },
    { "accel", "NAME", set_accel, "the engine: interp (tcg means the same)" },
    { "display", "none", set_display, "no display" },
    { "vga", "none", set_vga, NULL },
    { "monitor", "none", set_monitor, "no monitor" },
    { "net", "none", set_net, "no network" },
    { "nic", "none", set_net, NULL },
    { "d", "guest_errors", set_log, "report what guests do wrong" },
    { "no-reboot", NULL, set_no_reboot, "end when the guest resets" },
    { "no-shutdown", NULL, set_no_shutdown, NULL },
    { "nodefaults", NULL, set_nodefaults, NULL },
    { "nographic", NULL, set_nographic, "serial port on stdio" },
    { "version", NULL, set_version, "print the version" },
    { "h", NULL, set_help, "this help" },
    { "help", NULL, set_help, NULL },
    { "-help", NULL, set_help, NULL },
};

bool options_parse(int argc, char **argv, struct options *out, struct error *err)
{
    *out = (struct options){ 0 };
    out->machine.machine = "pc";
    out->machine.cpus = 1;
    out->machine.ram_bytes = 128 << 20;
    out->sim = (struct sim_config){ .shift = 3, .sleep = true };
    for (int i = 1; i < argc; i++) {
        const struct option *o = NULL;
        const char *name = argv[i] + (argv[i][0] == '-' && argv[i][1] == '-' && argv[i][2]);
        for (size_t k = 0; k < ARRAY_LEN(table) && name[0] == '-'; k++)
            if (!strcmp(table[k].name, name + 1))
                o = &table[k];
        if (!o)
            return error_set(err, argv[i][0] == '-' ? "unknown option '%s'" : "unexpected argument '%s'", argv[i]);
        if (o->arg && i + 1 == argc)
            return error_set(err, "option '%s' needs a value: %s", argv[i], o->arg);
        if (!o->set(out, o->arg ? argv[++i] : NULL, err))
            return false;
    }
    return true;
}

void options_help(const char *program)
{
    printf("usage: %s [OPTIONS]\n\nRuns a whole PC.\n\n", program);
    for (size_t k = 0; k < ARRAY_LEN(table); k++)
        if (table[k].help)
            printf("  -%s %-*s %s\n", table[k].name, 28 - (int)strlen(table[k].name), table[k].arg ? table[k].arg : "",
                   table[k].help);
    printf("\nexample:\n  %s -M pc -m 512 -display none -serial stdio -monitor none -no-reboot -net none \\\n"
           "    -icount shift=7 -kernel linux -initrd initrd.gz -append console=ttyS0\n", program);
}
