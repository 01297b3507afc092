/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "rr/lockstep.h"

#include <stdio.h>

enum { STRIDES = 64 };

struct pair {
    const struct lockstep_side *side;
    struct machine *m[2];
    bool ended;             /* one of them did not reach the position it was to run to */
    enum machine_stop why;  /* of the first, at its end */
};

static void stop_both(struct pair *p)
{
    for (int i = 0; i < 2; i++) {
        if (p->m[i])
            p->side[i].stop(p->side[i].opaque, p->m[i]);
        p->m[i] = NULL;
    }
}

static bool start_both(struct pair *p, struct error *err)
{
    p->ended = false;
    for (int i = 0; i < 2; i++)
        if (!(p->m[i] = p->side[i].start(p->side[i].opaque, err))) {
            stop_both(p);
            return false;
        }
    return true;
}

/* Runs both to the position; true: they are equal there. */
static bool run_both(struct pair *p, uint64_t position)
{
    enum machine_stop why[2];
    for (int i = 0; i < 2; i++) {
        why[i] = machine_run(p->m[i], position);
        p->ended |= why[i] != MACHINE_LIMIT;
    }
    p->why = why[0];
    return why[0] == why[1] && sim_position(machine_sim(p->m[0])) == sim_position(machine_sim(p->m[1])) &&
           machine_hash(p->m[0]) == machine_hash(p->m[1]);
}

/* The next instruction of the first machine. */
static void note_instruction(struct machine *m, struct lockstep_difference *d)
{
    struct block_key key;
    struct vcpu *v = machine_vcpu(m, machine_current(m));
    uint64_t pa;
    v->ops->block_key(v, &key);
    d->pc = key.pc;
    for (d->n_code = 0; d->n_code < sizeof d->code; d->n_code++) {
        uint64_t va = (key.va + d->n_code) & key.va_mask;
        if (!v->ops->debug_walk(v, va, &pa) || !space_lookup(machine_memory(m), pa).ram)
            break;
        d->code[d->n_code] = (uint8_t)space_load(machine_memory(m), pa, 1);
    }
}

static bool note(void *opaque, const char *path, uint64_t a, uint64_t b)
{
    struct lockstep_difference *d = opaque;
    if (d->field[0]) {
        d->more++;
    } else {
        snprintf(d->field, sizeof d->field, "%s", path);
        d->value[0] = a;
        d->value[1] = b;
    }
    return true;
}

static void name_difference(struct pair *p, struct lockstep_difference *d)
{
    struct buf a = { 0 }, b = { 0 };
    struct error err;
    state_set_encode(sim_state(machine_sim(p->m[0])), &a);
    state_set_encode(sim_state(machine_sim(p->m[1])), &b);
    if (!state_set_diff(sim_state(machine_sim(p->m[0])), a.data, a.len, b.data, b.len, note, d, &err))
        snprintf(d->field, sizeof d->field, "the set of devices");
    else if (!d->field[0])
        snprintf(d->field, sizeof d->field, "memory");
    buf_free(&a);
    buf_free(&b);
}

/* One pass over [*from, *to]; narrows it to the stride in which the two part.  True: they do. */
static bool narrow(struct pair *p, uint64_t *from, uint64_t *to, struct lockstep_difference *d)
{
    uint64_t stride = (*to - *from + STRIDES - 1) / STRIDES;
    bool equal = run_both(p, *from);
    if (!equal)
        *to = *from;        /* further back than believed */
    for (uint64_t at = *from; equal && at < *to && !p->ended;) {
        uint64_t next = *to - at < stride ? *to : at + stride;
        note_instruction(p->m[0], d);
        equal = run_both(p, next);
        if (equal)
            *from = next;
        else
            *to = next;
        at = next;
    }
    return !equal;
}

enum lockstep_outcome lockstep_search(const struct lockstep_side side[2], uint64_t from, uint64_t to,
                                      struct lockstep_difference *d, struct error *err)
{
    struct pair p = { .side = side };
    for (;;) {
        *d = (struct lockstep_difference){ .position = 0 };
        if (!start_both(&p, err))
            return LOCKSTEP_FAILED;
        uint64_t begin = from;
        bool differ = narrow(&p, &from, &to, d);
        if (!differ) {
            stop_both(&p);
            return LOCKSTEP_EQUAL;
        }
        if (to - from <= 1 && begin != to) {
            d->position = to;
            name_difference(&p, d);
            stop_both(&p);
            return LOCKSTEP_DIFFERENT;
        }
        stop_both(&p);
        if (begin == to && !begin) {
            error_set(err, "the machines differ from the start");
            return LOCKSTEP_FAILED;
        }
        if (begin == to)
            from = 0;
    }
}

/* *equal: the last position at which they were. */
static enum lockstep_outcome follow(struct pair *p, const struct lockstep_walk *w, uint64_t *equal, struct error *err)
{
    for (uint64_t next = w->every; run_both(p, next); next += w->every) {
        if (p->ended)
            return w->ended(w->opaque, p->why, err) ? LOCKSTEP_EQUAL : LOCKSTEP_FAILED;
        *equal = next;
        if (!w->progress(w->opaque, next, err))
            return LOCKSTEP_FAILED;
    }
    return LOCKSTEP_DIFFERENT;
}

enum lockstep_outcome lockstep_follow(const struct lockstep_side side[2], const struct lockstep_walk *walk,
                                      struct lockstep_difference *d, struct error *err)
{
    struct pair p = { .side = side };
    uint64_t equal = 0;
    if (!start_both(&p, err))
        return LOCKSTEP_FAILED;
    enum lockstep_outcome o = follow(&p, walk, &equal, err);
    uint64_t at[2] = { sim_position(machine_sim(p.m[0])), sim_position(machine_sim(p.m[1])) };
    stop_both(&p);
    if (o != LOCKSTEP_DIFFERENT)
        return o;
    o = lockstep_search(side, equal, at[0] > at[1] ? at[0] : at[1], d, err);
    if (o != LOCKSTEP_EQUAL)
        return o;
    error_set(err, "they differed at position %llu, but not when they were run again", (unsigned long long)at[0]);
    return LOCKSTEP_FAILED;
}
