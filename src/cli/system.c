/* SPDX-License-Identifier: GPL-2.0-or-later */
/* reprise-system-x86_64 and reprise-system-i386: one machine, run to its end, recorded or replayed if asked. */
#include <stdio.h>
#include <stdlib.h>

#include "cli/options.h"
#include "guest/x86/cpu.h"
#include "host/chardev.h"
#include "host/host.h"
#include "reprise/version.h"
#include "rr/log.h"

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
    if (level < SINK_GUEST || (level == SINK_GUEST && o->log_guest_errors))
        fprintf(stderr, "%s: %s\r\n", PROGRAM, text);
}

/* ---- input files ------------------------------------------------------------------------- */

enum { MAX_FILES = 3, DEFAULT_HASH_INTERVAL = 1 << 28 };

struct inputs {
    struct host_file file[MAX_FILES];
    struct log_input_file logged[MAX_FILES];
    size_t n;
};

static bool read_input(struct inputs *in, const char *role, const char *path, struct machine_blob *b,
                       struct error *err)
{
    if (!path)
        return true;
    struct host_file *f = &in->file[in->n];
    if (!host_file_read(role, path, f, err))
        return false;
    in->logged[in->n++] = (struct log_input_file){ role, f->path, f->size, f->hash };
    *b = (struct machine_blob){ path, f->data, f->size };
    return true;
}

static void free_inputs(struct inputs *in)
{
    for (size_t i = 0; i < in->n; i++)
        host_file_free(&in->file[i]);
}

/* ---- character devices ----------------------------------------------------------------------- */

struct devices {
    struct chardev *open[OPTIONS_CHARDEVS];
};

static bool open_devices(struct options *o, struct devices *d, struct error *err)
{
    for (unsigned i = 0; i < o->n_chardevs; i++)
        if (o->chardev[i].present && !(d->open[i] = host_chardev_new(&o->chardev[i].spec, err)))
            return false;
    for (unsigned i = 0; i < MACHINE_SERIALS; i++)
        if (o->serial[i])
            o->machine.serial[i] = d->open[o->serial[i] - 1];
    if (o->debugcon)
        o->machine.debugcon = d->open[o->debugcon - 1];
    return true;
}

static void close_devices(struct devices *d)
{
    for (unsigned i = 0; i < OPTIONS_CHARDEVS; i++) {
        if (!d->open[i])
            continue;
        d->open[i]->ops->flush(d->open[i]);
        d->open[i]->ops->close(d->open[i]);
    }
}

/* ---- the input port ------------------------------------------------------------------------------ */

/* What must be equal between recording and replay besides the input files. */
static char *describe(const struct options *o)
{
    return alloc_format("-M %s -cpu %s -smp %u -m %lluK -append '%s'", o->machine.machine,
                        o->machine.cpu ? o->machine.cpu : "default", o->machine.cpus,
                        (unsigned long long)o->machine.ram_bytes / 1024, o->machine.append ? o->machine.append : "");
}

static bool same_files(const struct log_machine *m, const struct inputs *in, struct error *err)
{
    if (m->n_files != in->n)
        return error_set(err, "the recording has %zu input files, this command line %zu", m->n_files, in->n);
    for (size_t i = 0; i < in->n; i++) {
        if (strcmp(m->files[i].role, in->logged[i].role) != 0)
            return error_set(err, "the recording has a %s where this command line has a %s", m->files[i].role,
                             in->logged[i].role);
        if (m->files[i].size != in->logged[i].size || m->files[i].hash != in->logged[i].hash)
            return error_set(err, "%s '%s' is not the file that was recorded ('%s')", in->logged[i].role,
                             in->logged[i].path, m->files[i].path);
    }
    return true;
}

static bool same_machine(const struct log_machine *m, const struct options *o, const struct inputs *in,
                         struct error *err)
{
    char *mine = describe(o);
    bool ok = m->n_args == 1 && !strcmp(m->args[0], mine);
    if (strcmp(m->program, PROGRAM) != 0)
        ok = error_set(err, "the recording was made by %s", m->program);
    else if (!ok)
        error_set(err, "the recorded machine is \"%s\", this command line says \"%s\"", m->n_args ? m->args[0] : "",
                  mine);
    else if (m->sim.shift != o->sim.shift || m->sim.shift_auto != o->sim.shift_auto)
        ok = error_set(err, "the recording has -icount shift=%s%u, this command line shift=%s%u",
                       m->sim.shift_auto ? "auto, from " : "", m->sim.shift, o->sim.shift_auto ? "auto, from " : "",
                       o->sim.shift);
    free(mine);
    return ok && same_files(m, in, err);
}

static struct input_port *record_port(struct options *o, struct sim *sim, const struct sim_host *host,
                                      const struct inputs *in, struct host_log **log, struct error *err)
{
    struct log_file file;
    char *args[1] = { describe(o) };
    struct log_machine m = { .program = PROGRAM, .args = (const char *const *)args, .n_args = 1, .sim = o->sim,
                             .files = in->logged, .n_files = in->n,
                             .hash_interval = o->rrhash_given ? o->rrhash : DEFAULT_HASH_INTERVAL,
                             .start_realtime = host_seconds_since_1970() };
    struct input_port *port = NULL;
    if ((*log = host_log_create(o->rrfile, &file, err)))
        port = rr_record_new(sim, host, &m, &file, err);
    free(args[0]);
    return port;
}

static struct input_port *replay_port(struct options *o, struct sim *sim, const struct sim_host *host,
                                      const struct inputs *in, struct error *err)
{
    struct log_file file;
    struct log_machine m;
    if (!host_log_open(o->rrfile, &file, err))
        return NULL;
    struct log_reader *log = log_open(&file, &m, err);
    if (!log) {
        error_prefix(err, "'%s'", o->rrfile);
        return NULL;
    }
    if (!same_machine(&m, o, in, err)) {
        log_close(log);
        return NULL;
    }
    return rr_replay_new(sim, host, log, err);
}

/* ---- running ---------------------------------------------------------------------------------------- */

struct session {
    struct inputs inputs;
    struct devices devices;
    struct host_clock *clock;
    struct sim *sim;
    struct input_port *port;
    struct host_log *log;
    struct machine *machine;
};

static bool start(struct session *s, struct options *o, struct error *err)
{
    o->machine.is_64bit = IS_64BIT;
    o->machine.memory = host_memory;
    o->machine.engine.kind = "interp";
    o->machine.sink = (struct sink){ sink_line, o };
    if (!o->kernel && !o->bios)
        o->bios = "/usr/share/seabios/bios-256k.bin";
    if (!host_signals_start(err) || !read_input(&s->inputs, "kernel", o->kernel, &o->machine.kernel, err) ||
        !read_input(&s->inputs, "initrd", o->initrd, &o->machine.initrd, err) ||
        !read_input(&s->inputs, "BIOS image", o->bios, &o->machine.bios, err) ||
        !(s->clock = host_clock_new(o->rtc_local, err)))
        return false;
    const struct sim_host *host = host_clock_sim(s->clock);
    s->sim = sim_new(&o->sim, &o->machine.sink);
    s->port = o->rr == RR_RECORD   ? record_port(o, s->sim, host, &s->inputs, &s->log, err)
              : o->rr == RR_REPLAY ? replay_port(o, s->sim, host, &s->inputs, err)
                                   : input_live_new(s->sim, host);
    if (!s->port)
        return false;
    sim_set_port(s->sim, s->port);
    if (!open_devices(o, &s->devices, err))
        return false;
    host_signals_set_port(s->port);
    s->machine = machine_new(&o->machine, s->sim, s->port, err);
    return s->machine && (!s->log || host_log_commit(s->log, err));
}

/* What the user is told, and the exit status. */
static int report(struct session *s, enum machine_stop why)
{
    input_finish(s->port);
    enum input_status status = input_status(s->port);
    fprintf(stderr, "%s: %s at position %llu\n", PROGRAM, machine_stop_text(s->machine, why),
            (unsigned long long)sim_position(s->sim));
    if (status != INPUT_RUNNING && why != MACHINE_INPUT_END)
        fprintf(stderr, "%s: %s\n", PROGRAM, input_status_text(s->port));
    if (status == INPUT_DIVERGED || status == INPUT_LOG_ERROR || why == MACHINE_PANIC || why == MACHINE_STUCK)
        return 1;
    return why == MACHINE_DEBUG_EXIT ? machine_exit_code(s->machine) : 0;
}

static int run(struct options *o)
{
    struct session s = { 0 };
    struct error err;
    if (!start(&s, o, &err))
        return fail(&err);
    enum machine_stop why = machine_run(s.machine, UINT64_MAX);
    int status = report(&s, why);
    host_signals_set_port(NULL);
    close_devices(&s.devices);
    input_port_close(s.port, machine_stop_text(s.machine, why));
    machine_free(s.machine);
    sim_free(s.sim);
    host_clock_free(s.clock);
    free_inputs(&s.inputs);
    return status;
}

int main(int argc, char **argv)
{
    struct options o;
    struct error err;
    int status = 0;
    if (!options_parse(argc, argv, PROGRAM, &o, &err))
        return fail(&err);
    if (o.help)
        options_print_help(PROGRAM);
    else if (o.version)
        printf("%s %s\n", PROGRAM, REPRISE_VERSION);
    else if (o.cpu_help)
        x86_cpu_list(print_line, NULL);
    else if (o.machine_help)
        puts("machines:\n  pc    i440FX and PIIX3");
    else if (o.device_help)
        options_print_devices();
    else
        status = run(&o);
    options_free(&o);
    return status;
}
