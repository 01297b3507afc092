/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The input port: the one way in for everything that is not deterministic.
 *
 * Three implementations: live (sim/input_live.c), record and replay (rr/).
 * Devices and the run loop never know which one they have.
 *
 * There are two directions of asking:
 *  - asynchronous: a host thread posts bytes to a *source* (a serial port's
 *    receiver, a key queue, the machine's request line).  The simulation
 *    thread delivers them between runs, at a position that the recorder logs
 *    and the replayer reproduces;
 *  - synchronous: the simulation thread reads a logged clock, asks for seed
 *    bytes, or passes a checkpoint.  Its position is deterministic, so the log
 *    only proves it and carries the value.
 *
 * Invariants
 *  1. Sources are numbered in creation order, which is wiring order.
 *  2. A source's deliver callback runs on the simulation thread, outside any
 *     run of the engine.
 *  3. Between two deliveries to one source at one position, nothing else of
 *     the machine changes: batches may be joined or split by the port without
 *     the guest seeing it.
 *  4. In replay nothing posted by the host reaches the guest.
 */
#ifndef REPRISE_SIM_INPUT_H
#define REPRISE_SIM_INPUT_H

#include "sim/sim.h"

struct input_port;
struct input_source;

/* What a source carries; part of the log format, so values never change meaning. */
enum input_kind {
    INPUT_REQUEST = 1,  /* one byte: enum input_request */
    INPUT_BYTES = 2,    /* a character device's received bytes */
    INPUT_KEY = 3,      /* key events */
    INPUT_POINTER = 4,  /* pointer events */
    INPUT_PACKET = 5,   /* one delivery is one packet */
    INPUT_AUDIO = 6,
    INPUT_USB = 7,
    INPUT_MONITOR = 8,  /* monitor commands that change the guest */
    INPUT_BREAK = 9,    /* breaks on a serial line: how many, one byte each */
};

enum input_request {
    REQUEST_QUIT = 1,       /* the host asked the emulator to stop (signal, Ctrl-A x) */
    REQUEST_SHUTDOWN = 2,   /* as if the guest had powered off */
    REQUEST_RESET = 3,
    REQUEST_POWER_BUTTON = 4,
};

/* Synchronisation marks. */
enum checkpoint {
    CHECKPOINT_TIMERS_HOST = 1,  /* before a group of host-clock timers runs */
    CHECKPOINT_TIMERS_VIRTUAL_RT = 2,
    CHECKPOINT_WARP_START = 3,   /* every vCPU went to sleep */
    CHECKPOINT_WARP_ACCOUNT = 4, /* the sleep ended; carries the ns to account */
    CHECKPOINT_RESET = 5,        /* the machine resets */
    CHECKPOINT_INIT = 6,         /* wiring is done, the first run starts */
};

struct input_source_ops {
    /* The bytes of one delivery.  len >= 1. */
    void (*deliver)(void *opaque, const void *data, size_t len);
    /* How many bytes the device can take now (0: keep them queued).  NULL: no limit. */
    size_t (*room)(void *opaque);
    /* True: each post is one unit that is delivered whole (packets, events). */
    bool framed;
};

/* Creates a source; name is copied ("serial0").  Simulation thread, while wiring. */
struct input_source *input_source_new(struct input_port *port, enum input_kind kind, const char *name,
                                      const struct input_source_ops *ops, void *opaque);

/*
 * Posts data to the source.  Any thread.  Returns the number of bytes queued,
 * which is less than len only when the source's queue (64 KiB) is full: the
 * backend keeps the rest and tries again (input_source_backlog tells).
 */
size_t input_post(struct input_source *source, const void *data, size_t len);
size_t input_source_backlog(struct input_source *source);

/* Posts an asynchronous request.  Any thread, and from a signal-woken thread. */
void input_post_request(struct input_port *port, enum input_request request);

/*
 * A visitor: whoever wants to look at the machine, or ask something of it through this port, without being part of it
 * (the monitor).  visit() runs on the simulation thread outside any run of the engine, soon after input_ask_visit(), in
 * replay too; the log knows nothing of it (but that a sleep was cut short).  Simulation thread, while wiring; the
 * caller owns the struct, which must live until the port closes.
 */
struct input_visitor {
    void (*visit)(void *opaque);
    void *opaque;
    struct input_visitor *next;   /* the port's */
};
void input_add_visitor(struct input_port *port, struct input_visitor *visitor);
void input_ask_visit(struct input_port *port);   /* any thread */

/* Asked by host threads and the run loop: has anything been posted since the last poll?  Any thread. */
bool input_pending(struct input_port *port);

/* ---- called by the simulation thread ------------------------------------------- */

/* Visits that were asked for; input_poll() does so, and whoever keeps a machine that has stopped. */
void input_visit(struct input_port *port);

/*
 * Delivers what is due at this position: posted data (live, record) or logged
 * events (replay), and due completions (sim/completion.h).
 */
void input_poll(struct input_port *port);

/*
 * The position that the next run must not pass: UINT64_MAX (live, record), the
 * next logged event's, or a state hash's due position.
 */
uint64_t input_next_position(struct input_port *port);

/* Reads a logged clock (SIM_CLOCK_HOST: ns since 1970-01-01 UTC; SIM_CLOCK_VIRTUAL_RT: monotonic ns). */
uint64_t input_clock_ns(struct input_port *port, enum sim_clock clock);

/* Host time for what never touches the guest; not logged. */
uint64_t input_realtime_ns(struct input_port *port);

/*
 * Is the group of timers of a logged clock due?  Live and recording: has the host's clock
 * reached deadline (peeked at, not logged); in replay: does the log have the group's checkpoint here?
 */
bool input_timers_due(struct input_port *port, enum sim_clock clock, uint64_t deadline_ns);

/* Fills out with seed bytes for this use ("rdrand0"); logged, same on replay.  Wiring time only. */
void input_seed(struct input_port *port, const char *use, void *out, size_t len);

/*
 * Passes a synchronisation mark.  Returns true when what it guards may run now:
 * always live and recording; in replay only if the log has the mark here.
 */
bool input_checkpoint(struct input_port *port, enum checkpoint mark);

/*
 * Every vCPU is halted and no timer is due.  Waits (live, record with
 * sleep=on) until deadline_ns of virtual time or until something is posted;
 * moves virtual time on with sim_warp().  Replay does not wait.  Returns
 * false when nothing can ever wake the machine (no deadline, replay at its end).
 */
bool input_idle(struct input_port *port, uint64_t deadline_ns);

/*
 * Registers the function that gets asynchronous requests (the machine), and
 * the one that hashes the machine's whole state (record writes it, replay
 * compares).
 */
void input_on_request(struct input_port *port, void (*request)(void *opaque, enum input_request), void *opaque);
void input_on_hash(struct input_port *port, uint64_t (*hash)(void *opaque), void *opaque);

/* Why a replay cannot go on, or NULL.  The run loop stops when it is set. */
enum input_status {
    INPUT_RUNNING,
    INPUT_END_OF_LOG,   /* replay has reached the recording's end (clean, or cut short) */
    INPUT_DIVERGED,     /* replay met something that the log does not have here */
    INPUT_LOG_ERROR,    /* the log is damaged, or (record) could not be written */
};
enum input_status input_status(struct input_port *port);
/* One sentence for the status; valid until the next call on the port. */
const char *input_status_text(struct input_port *port);

/* The machine has stopped by itself (power off, quit): a replay compares its final state. */
void input_finish(struct input_port *port);

/*
 * Flushes and closes a recording (how: why the run ended, one line for `info`;
 * NULL: there was no run and may be no machine), releases everything.
 */
void input_port_close(struct input_port *port, const char *how);

/* ---- what the host provides -------------------------------------------------- */

struct sim_host {
    uint64_t (*clock_ns)(void *opaque, enum sim_clock clock);   /* REALTIME, HOST, VIRTUAL_RT */
    /* Sleeps until notify() or for at most timeout_ns (NO_DEADLINE: for ever). */
    void (*wait)(void *opaque, uint64_t timeout_ns);
    void (*notify)(void *opaque);                               /* any thread */
    void (*random)(void *opaque, void *out, size_t len);        /* entropy */
    void *opaque;
};

/* The live port: passes everything through.  host is borrowed. */
struct input_port *input_live_new(struct sim *sim, const struct sim_host *host);

#endif
