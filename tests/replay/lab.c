/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lab.h"

#include <stdio.h>
#include <stdlib.h>

#include "host/host.h"

/* ---- the host ----------------------------------------------------------------------- */

static void post_due(struct lab *lab)
{
    for (; lab->done < lab->n_steps && lab->steps[lab->done].at_ns <= lab->ns; lab->done++) {
        const struct lab_step *s = &lab->steps[lab->done];
        if (s->text)
            input_post(lab->serial, s->text, strlen(s->text));
        else
            input_post_request(lab->port, s->request);
    }
}

static uint64_t clock_ns(void *opaque, enum sim_clock clock)
{
    struct lab *lab = opaque;
    lab->ns += 100000;
    if (lab->machine)
        post_due(lab);
    return clock == SIM_CLOCK_HOST ? UINT64_C(1700000000000000000) + lab->ns : lab->ns;
}

static void wait(void *opaque, uint64_t ns)
{
    struct lab *lab = opaque;
    uint64_t next = lab->done < lab->n_steps ? lab->steps[lab->done].at_ns : lab->ns + 1000000;
    uint64_t longest = next > lab->ns ? next - lab->ns : 0;
    lab->ns += ns < longest ? ns : longest;
    post_due(lab);
}

static void notify(void *opaque) { (void)opaque; }

static void entropy(void *opaque, void *out, size_t len)
{
    (void)opaque;
    memset(out, 0x5a, len);
}

void lab_host_init(struct lab *lab) { lab->host = (struct sim_host){ clock_ns, wait, notify, entropy, lab }; }

/* ---- logs ------------------------------------------------------------------------------ */

static bool append(void *opaque, const void *data, size_t len, struct error *err)
{
    struct memory_log *m = opaque;
    if (m->room && len > m->room - m->bytes.len)
        return error_set(err, "no room for the log beyond its first %zu bytes", m->bytes.len);
    buf_put(&m->bytes, data, len);
    return true;
}

static bool read_at(void *opaque, uint64_t offset, void *out, size_t len, struct error *err)
{
    const struct memory_log *m = opaque;
    if (offset > m->size || len > m->size - offset)
        return error_set(err, "read beyond the end");
    memcpy(out, m->data + offset, len);
    return true;
}

static uint64_t log_size(void *opaque) { return ((struct memory_log *)opaque)->size; }
static void no_close(void *opaque) { (void)opaque; }

struct log_file memory_log_file(struct memory_log *m)
{
    return (struct log_file){ append, read_at, log_size, no_close, m };
}

/* ---- the machine --------------------------------------------------------------------------- */

const struct log_machine lab_machine = { .program = "reprise-system-i386", .sim = { .shift = 7, .sleep = true },
                                         .hash_interval = 20000 };

static struct lab *lab_of(struct chardev *c) { return (struct lab *)((char *)c - offsetof(struct lab, device)); }
static void device_write(struct chardev *c, const void *data, size_t len) { buf_put(&lab_of(c)->output, data, len); }
static void device_attach(struct chardev *c, struct input_source *s) { lab_of(c)->serial = s; }
static void device_nothing(struct chardev *c) { (void)c; }
static const struct chardev_ops device_ops = { device_write, device_attach, device_nothing, device_nothing };

static _Noreturn void give_up(const struct error *err)
{
    fprintf(stderr, "lab: %s\n", err->text);
    exit(1);
}

static const struct host_file *guest_image(void)
{
    static struct host_file image;
    struct error err;
    if (!image.data && !host_file_read("kernel", ECHO_GUEST, &image, &err))
        give_up(&err);
    return &image;
}

static void wire(struct lab *lab, struct error *err)
{
    const struct host_file *image = guest_image();
    lab->device = (struct chardev){ &device_ops, "serial0" };
    struct machine_config c = { .machine = "pc", .cpus = 1, .ram_bytes = 4 << 20, .no_reboot = false,
                                .kernel = { image->path, image->data, image->size }, .serial = { &lab->device },
                                .debug_exit_port = 0xf4, .debug_exit_size = 4, .memory = host_memory,
                                .engine = { .kind = "interp" } };
    sim_set_port(lab->sim, lab->port);
    lab->machine = machine_new(&c, lab->sim, lab->port, err);
    if (!lab->machine)
        give_up(err);
    if (lab->wired)
        lab->wired(lab, lab->opaque);
}

static void conclude(struct lab *lab, enum machine_stop why, struct lab_result *r)
{
    const char *text = input_status_text(lab->port);
    *r = (struct lab_result){ .why = why, .status = input_status(lab->port), .position = sim_position(lab->sim),
                              .virtual_ns = sim_now(lab->sim), .hash = machine_hash(lab->machine) };
    if (r->status != INPUT_RUNNING || why != MACHINE_INPUT_END)
        error_set(&r->text, "%s", r->status != INPUT_RUNNING ? text ? text : "" : machine_stop_text(lab->machine, why));
    input_port_close(lab->port, r->text.text);
    machine_free(lab->machine);
    sim_free(lab->sim);
    lab->machine = NULL;
}

void lab_record(struct lab *lab, const struct log_machine *m, struct memory_log *out, struct lab_result *result)
{
    struct error err;
    struct log_file file = memory_log_file(out);
    lab_host_init(lab);
    lab->sim = sim_new(&m->sim, NULL);
    lab->port = rr_record_new(lab->sim, &lab->host, m, &file, &err);
    if (!lab->port)
        give_up(&err);
    wire(lab, &err);
    conclude(lab, machine_run(lab->machine, UINT64_MAX), result);
    out->data = out->bytes.data;
    out->size = out->bytes.len;
}

struct machine *lab_replay_start(struct lab *lab, const struct log_machine *m, struct log_reader *log)
{
    struct error err;
    lab_host_init(lab);
    lab->sim = sim_new(&m->sim, NULL);
    lab->port = rr_replay_new(lab->sim, &lab->host, log, &err);
    wire(lab, &err);
    return lab->machine;
}

void lab_replay_stop(struct lab *lab, enum machine_stop why, struct lab_result *result)
{
    if (why != MACHINE_LIMIT && why != MACHINE_INPUT_END)
        input_finish(lab->port);
    conclude(lab, why, result);
}

void lab_replay(struct lab *lab, const struct log_machine *m, struct log_reader *log, uint64_t limit,
                struct lab_result *result)
{
    lab_replay_stop(lab, machine_run(lab_replay_start(lab, m, log), limit), result);
}

void lab_free(struct lab *lab) { buf_free(&lab->output); }
