/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Timers: a binary heap per clock, ordered by (deadline, creation number), so
 * that the order of firing depends on nothing else (sim.h, invariant 3).
 */
#include <stdio.h>

#include "sim/impl.h"

static const struct state_field timer_fields[] = {
    STATE_UINT(struct timer_state, deadline),
    STATE_UINT(struct timer_state, armed),
};
static STATE_DESC(timer_desc, struct timer_state, 1, timer_fields);

static bool earlier(const struct sim_timer *a, const struct sim_timer *b)
{
    return a->s.deadline != b->s.deadline ? a->s.deadline < b->s.deadline : a->number < b->number;
}

static void put_slot(struct timer_queue *q, size_t i, struct sim_timer *t)
{
    q->heap[i] = t;
    t->heap_slot = (uint32_t)i;
}

static void sift_up(struct timer_queue *q, size_t i)
{
    struct sim_timer *t = q->heap[i];
    for (; i > 1 && earlier(t, q->heap[i / 2]); i /= 2)
        put_slot(q, i, q->heap[i / 2]);
    put_slot(q, i, t);
}

static void sift_down(struct timer_queue *q, size_t i)
{
    struct sim_timer *t = q->heap[i];
    for (size_t child; (child = 2 * i) <= q->n; i = child) {
        if (child < q->n && earlier(q->heap[child + 1], q->heap[child]))
            child++;
        if (!earlier(q->heap[child], t))
            break;
        put_slot(q, i, q->heap[child]);
    }
    put_slot(q, i, t);
}

static void enqueue(struct sim_timer *t)
{
    struct timer_queue *q = &t->sim->queue[t->clock];
    if (q->n + 2 > q->cap) {
        q->cap = q->cap ? q->cap * 2 : 16;
        q->heap = alloc_resize(q->heap, q->cap, sizeof *q->heap);
    }
    q->heap[++q->n] = t;
    sift_up(q, q->n);
}

static void dequeue(struct sim_timer *t)
{
    struct timer_queue *q = &t->sim->queue[t->clock];
    size_t i = t->heap_slot;
    t->heap_slot = 0;
    struct sim_timer *last = q->heap[q->n--];
    if (last == t)
        return;
    put_slot(q, i, last);
    sift_up(q, i);
    sift_down(q, last->heap_slot);
}

/* After a snapshot load: the queue follows the decoded state. */
static void timer_loaded(void *opaque)
{
    struct sim_timer *t = opaque;
    if (t->heap_slot)
        dequeue(t);
    if (t->s.armed)
        enqueue(t);
}

void timer_init(struct sim_timer *t, struct sim *sim, enum sim_clock clock, const char *name,
                void (*fire)(void *opaque), void *opaque)
{
    char full[96];
    *t = (struct sim_timer){ .sim = sim, .clock = clock, .number = sim->n_timers++, .fire = fire, .opaque = opaque };
    if (clock == SIM_CLOCK_REALTIME)
        return;
    snprintf(full, sizeof full, "timer.%s", name);
    state_set_add(sim->set, full, &timer_desc, &t->s, NULL, timer_loaded, t);
}

void timer_arm(struct sim_timer *t, uint64_t deadline_ns)
{
    if (t->heap_slot)
        dequeue(t);
    t->s = (struct timer_state){ deadline_ns, 1 };
    enqueue(t);
    /* The run that is under way was given a budget without knowing of this deadline. */
    if (t->sim->active && t->clock == SIM_CLOCK_VIRTUAL)
        sim_shorten_run(t->sim, sim_position_of(t->sim, deadline_ns));
}

void timer_cancel(struct sim_timer *t)
{
    if (t->heap_slot)
        dequeue(t);
    t->s = (struct timer_state){ 0, 0 };
}

uint64_t sim_next_deadline(const struct sim *sim, enum sim_clock clock)
{
    const struct timer_queue *q = &sim->queue[clock];
    return q->n ? q->heap[1]->s.deadline : NO_DEADLINE;
}

/* Runs the timers that are due at `now`, in order, with those that they arm for no later than that. */
static void run_group(struct sim *sim, enum sim_clock clock, uint64_t now)
{
    struct timer_queue *q = &sim->queue[clock];
    while (q->n && q->heap[1]->s.deadline <= now) {
        struct sim_timer *t = q->heap[1];
        dequeue(t);
        t->s = (struct timer_state){ 0, 0 };
        t->fire(t->opaque);
    }
}

void sim_run_realtime(struct sim *sim)
{
    if (sim->queue[SIM_CLOCK_REALTIME].n)
        run_group(sim, SIM_CLOCK_REALTIME, sim_clock_ns(sim, SIM_CLOCK_REALTIME));
}

static void run_logged_group(struct sim *sim, enum sim_clock clock, enum checkpoint mark)
{
    if (sim->queue[clock].n && input_timers_due(sim->port, clock, sim_next_deadline(sim, clock)) &&
        input_checkpoint(sim->port, mark))
        run_group(sim, clock, sim_clock_ns(sim, clock));
}

void sim_run_timers(struct sim *sim)
{
    run_group(sim, SIM_CLOCK_VIRTUAL, sim_now(sim));
    sim_run_realtime(sim);
    run_logged_group(sim, SIM_CLOCK_HOST, CHECKPOINT_TIMERS_HOST);
}
