/* SPDX-License-Identifier: GPL-2.0-or-later */
/* reprise-system-x86_64 and reprise-system-i386: one machine, run to its end. */
#include <stdio.h>
#include <stdlib.h>

#include "cli/options.h"
#include "guest/x86/cpu.h"
#include "host/chardev.h"
#include "host/host.h"
#include "reprise/version.h"

#ifdef PROGRAM_IS_I386
#define PROGRAM "reprise-system-i386"
enum { IS_64BIT = 0 };
#else
#define PROGRAM "reprise-system-x86_64"
enum { IS_64BIT = 1 };
#endif

static int fail(const struct error *err)
{
    fprintf(stderr, "%s: %s\n", PROGRAM, err->text);
    return 1;
}

static void print_line(void *opaque, const char *text)
{
    (void)opaque;
    puts(text);
}

static void sink_line(void *opaque, enum sink_level level, const char *text)
{
    const struct options *o = opaque;
    if (level < SINK_GUEST || (level == SINK_GUEST && o->guest_errors))
        fprintf(stderr, "%s: %s\r\n", PROGRAM, text);
}

static bool read_blob(const char *role, const char *path, struct machine_blob *b, struct error *err)
{
    struct host_file f;
    if (!path)
        return true;
    if (!host_file_read(role, path, &f, err))
        return false;
    *b = (struct machine_blob){ path, f.data, f.size };
    return true;
}

static struct chardev *open_chardev(const char *text, struct error *err)
{
    struct chardev_spec spec = { .id = "serial" };
    if (!strcmp(text, "stdio") || !strcmp(text, "mon:stdio"))
        spec.kind = CHARDEV_STDIO;
    else if (!strncmp(text, "file:", 5)) {
        spec.kind = CHARDEV_FILE;
        spec.path = text + 5;
    } else if (strcmp(text, "null") != 0) {
        error_set(err, "-serial: unknown device '%s'", text);
        return NULL;
    }
    return host_chardev_new(&spec, err);
}

static bool open_chardevs(struct options *o, struct error *err)
{
    for (unsigned i = 0; i < o->n_serial; i++)
        if (strcmp(o->serial[i], "none") != 0 && !(o->machine.serial[i] = open_chardev(o->serial[i], err)))
            return false;
    if (o->debugcon && !(o->machine.debugcon = open_chardev(o->debugcon, err)))
        return false;
    o->machine.debugcon_port = 0xe9;
    return true;
}

static void close_chardevs(struct options *o)
{
    for (unsigned i = 0; i < MACHINE_SERIALS; i++)
        if (o->machine.serial[i])
            o->machine.serial[i]->ops->close(o->machine.serial[i]);
}

static int run(struct options *o)
{
    struct error err;
    if (!host_signals_start(&err))
        return fail(&err);
    o->machine.is_64bit = IS_64BIT;
    o->machine.memory = host_memory;
    o->machine.engine.kind = "interp";
    o->machine.sink = (struct sink){ sink_line, o };
    if (!o->kernel && !o->bios)
        o->bios = "/usr/share/seabios/bios-256k.bin";
    if (!read_blob("kernel", o->kernel, &o->machine.kernel, &err) ||
        !read_blob("initrd", o->initrd, &o->machine.initrd, &err) ||
        !read_blob("BIOS image", o->bios, &o->machine.bios, &err))
        return fail(&err);
    struct sim *sim = sim_new(&o->sim, &o->machine.sink);
    struct host_clock *clock = host_clock_new(false, &err);
    if (!clock)
        return fail(&err);
    struct input_port *port = input_live_new(sim, host_clock_sim(clock));
    sim_set_port(sim, port);
    if (!open_chardevs(o, &err))
        return fail(&err);
    host_signals_set_port(port);
    struct machine *m = machine_new(&o->machine, sim, port, &err);
    if (!m)
        return fail(&err);
    enum machine_stop why = machine_run(m, UINT64_MAX);
    int status = why == MACHINE_DEBUG_EXIT ? machine_exit_code(m) : why == MACHINE_PANIC;
    close_chardevs(o);
    fprintf(stderr, "%s: %s at position %llu\n", PROGRAM, machine_stop_text(m, why),
            (unsigned long long)sim_position(sim));
    machine_free(m);
    return status;
}

int main(int argc, char **argv)
{
    struct options o;
    struct error err;
    if (!options_parse(argc, argv, &o, &err))
        return fail(&err);
    if (o.help)
        options_help(PROGRAM);
    else if (o.version)
        printf("%s %s\n", PROGRAM, REPRISE_VERSION);
    else if (o.cpu_help)
        x86_cpu_list(print_line, NULL);
    else
        return run(&o);
    return 0;
}
