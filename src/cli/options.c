/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The option table, and the walk over a command line. */
#include "cli/options.h"

#include <stdio.h>
#include <stdlib.h>

#include "cli/engine_option.h"
#include "cli/option_table.h"

const char *options_string(struct options *o, const char *s, size_t len)
{
    char *copy = arena_alloc(&o->strings, len + 1);
    memcpy(copy, s, len);
    copy[len] = 0;
    return copy;
}

/* argument without its dashes, or NULL if it is none of the table's.  "--name" means "-name", as in QEMU. */
static const struct option_entry *find(const char *argument)
{
    if (argument[0] != '-')
        return NULL;
    const char *name = argument + (argument[1] == '-' ? 2 : 1);
    for (const struct option_entry *e = option_table; e->name; e++)
        if (!strcmp(e->name, name))
            return e;
    return NULL;
}

/* What only the whole command line can tell. */
static bool finish(struct options *o, struct error *err)
{
    bool any_serial = o->n_serial != 0;
    for (unsigned i = 0; i < MACHINE_SERIALS; i++)
        any_serial |= o->serial[i] != 0;
    if (!any_serial && (o->nographic || !o->nodefaults) &&
        !chardev_option_device(o, "-serial", o->nographic ? "mon:stdio" : "null", "serial0", &o->serial[0], err))
        return false;
    for (unsigned i = 0; i < o->n_chardevs; i++)
        if (!o->chardev[i].used && !o->chardev[i].monitor)
            return error_set(err, "-chardev: no device uses '%s'", o->chardev[i].spec.id);
    if (o->initrd && !o->kernel)
        return error_set(err, "-initrd needs -kernel");
    if (o->machine.append && !o->kernel)
        return error_set(err, "-append needs -kernel");
    if (o->rr && !o->rrfile)
        return error_set(err, "-icount: rr=%s needs rrfile=FILE", o->rr == RR_RECORD ? "record" : "replay");
    if (!o->rr && o->rrfile)
        return error_set(err, "-icount: rrfile= needs rr=record or rr=replay");
    if (o->rrhash_given && o->rr != RR_RECORD)
        return error_set(err, "-icount: rrhash= needs rr=record");
    return true;
}

/* Sets what the options say: the back ends (-chardev), which others may name from anywhere, or all the others. */
static bool walk(struct options *o, int argc, char *const *argv, bool back_ends, struct error *err)
{
    for (int i = 1; i < argc; i++) {
        const struct option_entry *e = find(argv[i]);
        if (!e)
            return error_set(err, argv[i][0] == '-' ? "unknown option '%s'"
                                                    : "'%s' is no option; name disk images and kernels by theirs",
                             argv[i]);
        if (e->arg && i + 1 == argc)
            return error_set(err, "the option '%s' needs a value: %s", argv[i], e->arg);
        const char *value = e->arg ? argv[++i] : NULL;
        if ((e->set == chardev_option_backend) == back_ends && !e->set(o, value, err))
            return false;
    }
    return true;
}

bool options_parse(int argc, char *const *argv, const char *program, struct options *o, struct error *err)
{
    *o = (struct options){ .program = program };
    o->machine.machine = "pc";
    o->machine.is_64bit = strstr(program, "i386") == NULL;
    o->machine.cpus = 1;
    o->machine.ram_bytes = UINT64_C(128) << 20;
    o->machine.debugcon_port = DEFAULT_DEBUGCON_PORT;
    o->machine.debugcon_readback = DEFAULT_DEBUGCON_PORT;
    o->machine.panic_stops = true;
    o->machine.boot.fail_wait_ms = UINT32_MAX;
    o->machine.rtc_utc = true;
    o->machine.engine.kind = engine_default();
    o->sim = (struct sim_config){ .shift = DEFAULT_SHIFT, .sleep = true };
    if (!walk(o, argc, argv, true, err) || !walk(o, argc, argv, false, err))
        return false;
    return o->help || o->version || o->cpu_help || o->machine_help || o->device_help || o->trace_help || finish(o, err);
}

void options_free(struct options *o) { arena_free(&o->strings); }

/* A list without the items that begin with prefix; NULL: nothing is left. */
static const char *without(struct options *o, const char *value, const char *prefix)
{
    char *rest = arena_alloc(&o->strings, strlen(value) + 1);
    size_t out = 0;
    for (const char *p = value; *p;) {
        size_t len = strcspn(p, ",");
        while (p[len] == ',' && p[len + 1] == ',')   /* a doubled comma is part of a value */
            len += 2 + strcspn(p + len + 2, ",");
        if (strncmp(p, prefix, strlen(prefix)) != 0) {
            if (out)
                rest[out++] = ',';
            memcpy(rest + out, p, len);
            out += len;
        }
        p += len + (p[len] == ',');
    }
    rest[out] = 0;
    return out ? rest : NULL;
}

/* What a recording keeps of an option's value; NULL: nothing. */
static const char *recorded_value(struct options *o, const struct option_entry *e, const char *value)
{
    if (!strcmp(e->name, "icount"))
        return without(o, value, "rr");
    if (!strcmp(e->name, "M") || !strcmp(e->name, "machine"))
        return without(o, value, "accel=");
    return value;
}

const char *const *options_machine_args(struct options *o, int argc, char *const *argv, size_t *n)
{
    const char **args = arena_alloc(&o->strings, ((size_t)argc + 1) * sizeof *args);
    *n = 0;
    for (int i = 1; i < argc; i++) {
        const struct option_entry *e = find(argv[i]);
        require(e);
        const char *name = argv[i], *value = e->arg ? recorded_value(o, e, argv[++i]) : NULL;
        if (e->not_recorded || (e->arg && !value))
            continue;
        args[(*n)++] = name;
        if (value)
            args[(*n)++] = value;
    }
    args[*n] = NULL;
    return args;
}

enum { HELP_COLUMN = 32, HELP_WIDTH = 110 };

/* text from the help column on, broken at blanks; the cursor is in column `at`. */
static void print_wrapped(int at, const char *text)
{
    if (at > HELP_COLUMN - 2) {
        putchar('\n');
        at = 0;
    }
    while (*text) {
        size_t len = strlen(text), room = HELP_WIDTH - HELP_COLUMN;
        for (size_t fits = room; len > room; fits--)
            if (!fits || text[fits] == ' ')
                len = fits ? fits : room;
        printf("%*s%.*s\n", HELP_COLUMN - at, "", (int)len, text);
        text += len + (text[len] == ' ');
        at = 0;
    }
}

void options_print_help(const char *program)
{
    printf("usage: %s [OPTIONS]\n\nRuns a whole PC; records it and replays it exactly.\n\n", program);
    for (const struct option_entry *e = option_table; e->name; e++) {
        if (!e->help)
            continue;
        int width = printf("  -%s", e->name);
        for (const struct option_entry *other = e + 1; other->name && !other->help; other++)
            width += printf(", -%s", other->name);
        width += printf("%s%s", e->arg ? " " : "", e->arg ? e->arg : "");
        print_wrapped(width, e->help);
    }
    printf("\nexamples:\n"
           "  boot a kernel on this terminal (Ctrl-A x quits):\n"
           "    %s -m 512 -nographic -kernel linux -initrd initrd.gz -append console=ttyS0\n"
           "  record it, then replay it:\n"
           "    %s -m 512 -nographic -no-reboot -net none -icount shift=7,rr=record,rrfile=r.bin \\\n"
           "        -kernel linux -initrd initrd.gz -append console=ttyS0\n"
           "    %s (the same options) -icount shift=7,rr=replay,rrfile=r.bin ...\n"
           "  or leave the options to the recording:  reprise replay r.bin\n",
           program, program, program);
}
