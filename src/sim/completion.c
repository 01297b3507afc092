/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sim/completion.h"

#include <stdlib.h>

#include "sim/input_impl.h"

static struct completion *add(struct input_port *port, enum completion_kind kind, void *opaque)
{
    struct completion *c = NEW(struct completion);
    *c = (struct completion){ .kind = kind, .opaque = opaque, .port = port };
    if (kind == COMPLETION_REPLAYABLE)
        c->number = port->n_completions++;
    *port->last_completion = c;
    port->last_completion = &c->next;
    return c;
}

static void mark_finished(struct completion *c, int result)
{
    struct input_port *port = c->port;
    mtx_lock(&port->lock);
    c->result = result;
    c->finished = true;
    cnd_broadcast(&port->finished);
    mtx_unlock(&port->lock);
    atomic_store(&port->pending, true);
    port->host->notify(port->host->opaque);
}

void completion_schedule(struct input_port *port, enum completion_kind kind, void (*done)(void *opaque), void *opaque)
{
    struct completion *c = add(port, kind, opaque);
    c->bottom_half = done;
    mark_finished(c, 0);
}

static void run_work(void *arg)
{
    struct completion *c = arg;
    mark_finished(c, c->work(c->opaque));
}

void completion_submit(struct input_port *port, enum completion_kind kind, int (*work)(void *opaque),
                       void (*done)(void *opaque, int result), void *opaque)
{
    struct completion *c = add(port, kind, opaque);
    c->work = work;
    c->done = done;
    if (port->pool.run)
        port->pool.run(port->pool.opaque, run_work, c);
    else
        run_work(c);
}

static void finish(struct input_port *port, struct completion **link)
{
    struct completion *c = *link;
    *link = c->next;
    if (!c->next)
        port->last_completion = link;
    if (c->bottom_half)
        c->bottom_half(c->opaque);
    else
        c->done(c->opaque, c->result);
    free(c);
}

uint64_t completion_run_finished(struct input_port *port, enum completion_kind kind)
{
    for (struct completion **link = &port->completions; *link; link = &(*link)->next) {
        mtx_lock(&port->lock);
        bool ready = (*link)->kind == kind && (*link)->finished;
        mtx_unlock(&port->lock);
        if (ready) {
            uint64_t number = (*link)->number;
            finish(port, link);
            return number;
        }
    }
    return UINT64_MAX;
}

uint64_t completion_next_finished(struct input_port *port)
{
    uint64_t number = UINT64_MAX;
    mtx_lock(&port->lock);
    for (const struct completion *c = port->completions; c && number == UINT64_MAX; c = c->next)
        if (c->kind == COMPLETION_REPLAYABLE && c->finished)
            number = c->number;
    mtx_unlock(&port->lock);
    return number;
}

bool completion_run_number(struct input_port *port, uint64_t number)
{
    for (struct completion **link = &port->completions; *link; link = &(*link)->next) {
        if ((*link)->kind != COMPLETION_REPLAYABLE || (*link)->number != number)
            continue;
        mtx_lock(&port->lock);
        while (!(*link)->finished)
            cnd_wait(&port->finished, &port->lock);
        mtx_unlock(&port->lock);
        finish(port, link);
        return true;
    }
    return false;
}

bool completion_any(const struct input_port *port) { return port->completions != NULL; }
