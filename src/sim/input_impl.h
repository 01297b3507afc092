/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * For implementations of the input port only (sim/input_live.c, rr/): the
 * common part and the operations each of them supplies.  Devices include
 * sim/input.h.
 *
 * The common part keeps sources, their queues of posted bytes, asynchronous
 * requests and completions.  A port decides when they are delivered.
 */
#ifndef REPRISE_SIM_INPUT_IMPL_H
#define REPRISE_SIM_INPUT_IMPL_H

#include <stdatomic.h>
#include <threads.h>

#include "sim/completion.h"
#include "sim/input.h"

enum { INPUT_QUEUE_BYTES = 65536, INPUT_MAX_FRAME = 65536 };

struct input_source {
    struct input_port *port;
    struct input_source *next;
    char *name;
    enum input_kind kind;
    uint32_t number;                 /* creation order; names the source in the log */
    const struct input_source_ops *ops;
    void *opaque;
    struct buf queue;                /* posted, not yet delivered; framed: u32 length before each; port->lock */
    size_t head;                     /* consumed bytes of queue */
};

struct completion {
    struct completion *next;
    uint64_t number;                 /* submission order among replayable ones; 0-based */
    enum completion_kind kind;
    bool finished;                   /* the work is done; port->lock */
    int result;
    int (*work)(void *opaque);
    void (*done)(void *opaque, int result);
    void (*bottom_half)(void *opaque);
    void *opaque;
    struct input_port *port;
};

struct input_port_ops {
    void (*poll)(struct input_port *port);
    uint64_t (*next_position)(struct input_port *port);
    uint64_t (*clock_ns)(struct input_port *port, enum sim_clock clock);
    void (*seed)(struct input_port *port, const char *use, void *out, size_t len);
    bool (*checkpoint)(struct input_port *port, enum checkpoint mark);
    bool (*timers_due)(struct input_port *port, enum sim_clock clock, uint64_t deadline_ns);
    bool (*idle)(struct input_port *port, uint64_t deadline_ns);
    void (*finish)(struct input_port *port);     /* may be NULL */
    enum input_status (*status)(struct input_port *port);
    const char *(*status_text)(struct input_port *port);
    void (*close)(struct input_port *port, const char *how);   /* frees the port's own struct */
};

struct input_port {
    const struct input_port_ops *ops;
    struct sim *sim;
    const struct sim_host *host;
    struct input_source *sources, **last_source;
    uint32_t n_sources;
    mtx_t lock;
    cnd_t finished;                  /* some completion's work has finished */
    atomic_bool pending;
    bool accept_posts;               /* false in replay */
    struct input_visitor *visitors;  /* simulation thread */
    atomic_bool visit_asked;
    uint8_t requests[16];            /* posted enum input_request; lock */
    unsigned n_requests;
    struct completion *completions, **last_completion;   /* submission order; simulation thread */
    uint64_t n_completions;
    struct work_pool pool;
    void (*on_request)(void *opaque, enum input_request);
    void *request_opaque;
    uint64_t (*on_hash)(void *opaque);
    void *hash_opaque;
    /* shift=auto and align=on: where both clocks stood at the last look; never guest-visible */
    uint64_t pace_host, pace_virtual;
    uint64_t overslept;              /* ns that sleeps took too long, to be made up for */
};

void input_port_init(struct input_port *port, const struct input_port_ops *ops, struct sim *sim,
                     const struct sim_host *host, bool accept_posts);
void input_port_fini(struct input_port *port);

struct input_source *input_source_by_number(struct input_port *port, uint32_t number);

/*
 * Takes one delivery from a source's queue into out (empty: nothing to deliver
 * now).  Unframed: up to the device's room; framed: one frame if there is room.
 */
bool input_source_take(struct input_source *source, struct buf *out);
/* Takes one posted request; 0: none. */
unsigned input_take_request(struct input_port *port);

/* Runs the oldest finished completion of the kind and unlinks it; returns its number, UINT64_MAX: there is none. */
uint64_t completion_run_finished(struct input_port *port, enum completion_kind kind);
/* The number of the oldest finished replayable completion, or UINT64_MAX. */
uint64_t completion_next_finished(struct input_port *port);
/* Replay: waits for the replayable completion with this number and runs it.  False: never submitted. */
bool completion_run_number(struct input_port *port, uint64_t number);
bool completion_any(const struct input_port *port);

/* How much virtual time a sleep until deadline takes; NO_DEADLINE: for ever. */
uint64_t input_idle_ns(struct input_port *port, uint64_t deadline_ns);
/* How long the host sleeps for it, if nothing wakes it: the same, or nothing with sleep=off. */
uint64_t input_sleep_ns(struct input_port *port, uint64_t deadline_ns);

/*
 * What live and record do when everything sleeps: wait at most until
 * deadline, or until something is posted.  Returns the ns to warp by (0..ns).
 * cut: the sleep ended before the deadline.
 */
uint64_t input_sleep(struct input_port *port, uint64_t deadline_ns, bool *cut);

/* align=on: waits until the host's clock has come to where virtual time is, or until something is posted. */
void input_align(struct input_port *port);

/* The new shift that keeps pace with the host, or the present one (shift=auto). */
unsigned input_pace(struct input_port *port);

#endif
