/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Position, clocks and timers of one machine.
 *
 * Contract: everything here is called on the simulation thread, except where
 * said.  The position counts vCPU transitions (an instruction retired, one
 * iteration of a REP string instruction, an exception or interrupt delivered).
 *
 * Invariants
 *  1. The position never goes down and names exactly one machine state.
 *  2. Virtual time is a function of position and of logged input only:
 *     ns = base_ns + ((position - base_position) << shift) + warp.
 *     (base_* change only with shift=auto, by a logged adjustment.)
 *  3. Due timers of one clock run in order of (deadline, creation number);
 *     creation order is wiring order, so it never depends on the host.
 */
#ifndef REPRISE_SIM_SIM_H
#define REPRISE_SIM_SIM_H

#include "base/error.h"
#include "base/sink.h"
#include "state/state.h"

/*
 * The counter an engine runs on; embedded in the vCPU so that translated code
 * reaches it from its base register.
 *
 * While a vCPU runs: end - deferred - left is the position at which the block
 * being run will finish; a block subtracts its instruction count from left
 * when it starts, and the engine gives back what did not retire.  Devices are
 * entered only from the last instruction of a block (engine/ guarantees it),
 * so that position "now" = end - deferred - left - in_block.
 */
struct position_counter {
    int64_t deferred;   /* what sim_request_exit took out of left */
    uint64_t end;       /* the position at which left + deferred reach 0 */
    uint64_t in_block;  /* 1 while translated code runs, 0 outside */
    int64_t left;       /* positions until the engine must leave, minus the running block's */
};

enum sim_clock {
    SIM_CLOCK_REALTIME,    /* host time; callbacks must not touch the guest; never logged */
    SIM_CLOCK_VIRTUAL,     /* from the position; needs no log */
    SIM_CLOCK_HOST,        /* wall time for devices that model it; every read is logged */
    SIM_CLOCK_VIRTUAL_RT,  /* host time used only to warp the virtual clock; every read is logged */
    SIM_CLOCK_COUNT
};

#define NS_PER_SEC UINT64_C(1000000000)
#define NO_DEADLINE UINT64_MAX

struct input_port;
struct sim;

struct sim_config {
    unsigned shift;          /* 0..10: ns per position = 1 << shift */
    bool shift_auto;         /* adapt shift so that virtual time keeps pace with host time */
    bool sleep;              /* true: idle time passes at host speed; false: it is skipped */
    bool align;              /* true: slow down when virtual time is ahead of host time */
};

/* The sim owns its state_set; devices add themselves to it.  sink is borrowed. */
struct sim *sim_new(const struct sim_config *config, const struct sink *sink);
void sim_free(struct sim *sim);

struct state_set *sim_state(struct sim *sim);
const struct sink *sim_sink(const struct sim *sim);

/* Set once, before the machine is wired; borrowed. */
void sim_set_port(struct sim *sim, struct input_port *port);
struct input_port *sim_port(struct sim *sim);

/* ---- position ---------------------------------------------------------------- */

/* The number of transitions completed so far (see position_counter for the middle of a run). */
uint64_t sim_position(const struct sim *sim);

/*
 * Run bracket, used by the machine's run loop: between begin and end, `pc` is
 * the authority on the position.  end() takes over the reached position.
 */
void sim_run_begin(struct sim *sim, struct position_counter *pc, uint64_t budget);
void sim_run_end(struct sim *sim);

/* Makes the engine leave after the instruction that is running now.  No-op outside a run. */
void sim_request_exit(struct sim *sim);

/* Makes the engine leave at this position, or as sim_request_exit() does if it is there already. */
void sim_shorten_run(struct sim *sim, uint64_t position);

/* ---- clocks ---------------------------------------------------------------- */

/* Nanoseconds on the clock.  HOST and VIRTUAL_RT go through the input port (logged). */
uint64_t sim_clock_ns(struct sim *sim, enum sim_clock clock);

/* Virtual time now: sim_clock_ns(sim, SIM_CLOCK_VIRTUAL). */
uint64_t sim_now(const struct sim *sim);

/* shift=auto's adjustment: virtual time stays continuous.  Only the input port calls it (it is logged). */
void sim_set_shift(struct sim *sim, unsigned shift);
unsigned sim_shift(const struct sim *sim);
const struct sim_config *sim_get_config(const struct sim *sim);

/* Moves virtual time on by ns without executing (all vCPUs halted). */
void sim_warp(struct sim *sim, uint64_t ns);

/* The position at which virtual time first reaches deadline (>= now's position). */
uint64_t sim_position_of(const struct sim *sim, uint64_t deadline_ns);

/* ---- timers ------------------------------------------------------------------ */

/*
 * A one-shot timer.  Embedded in its owner; timer_init registers it (deadline
 * and armed flag are saved and hashed as "timer.<name>"; name is copied and
 * unique in the machine).
 */
struct timer_state {
    uint64_t deadline;  /* ns on the timer's clock; 0 when not armed */
    uint64_t armed;     /* 0 or 1 */
};

struct sim_timer {
    struct timer_state s;
    struct sim *sim;
    enum sim_clock clock;
    uint32_t number;               /* creation order: the tie-break */
    uint32_t heap_slot;            /* 1-based place in the queue, 0: not queued */
    void (*fire)(void *opaque);    /* runs disarmed; may arm again */
    void *opaque;
};

void timer_init(struct sim_timer *t, struct sim *sim, enum sim_clock clock, const char *name,
                void (*fire)(void *opaque), void *opaque);

/* Arms or re-arms for deadline (absolute ns; in the past: due at once, never recursively). */
void timer_arm(struct sim_timer *t, uint64_t deadline_ns);
void timer_cancel(struct sim_timer *t);

/* The earliest armed deadline of the clock, or NO_DEADLINE. */
uint64_t sim_next_deadline(const struct sim *sim, enum sim_clock clock);

/*
 * Runs every due timer of the virtual clock, then the due groups of the logged
 * clocks, each group behind its checkpoint (sim/input.h).  Called by the run
 * loop between runs.
 */
void sim_run_timers(struct sim *sim);
/* The due timers of the realtime clock alone; also while the machine sleeps. */
void sim_run_realtime(struct sim *sim);

#endif
