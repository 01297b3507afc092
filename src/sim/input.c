/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The common part of the three input ports, and the dispatch to them. */
#include "sim/input.h"

#include <stdlib.h>

#include "sim/impl.h"
#include "sim/input_impl.h"

void input_port_init(struct input_port *port, const struct input_port_ops *ops, struct sim *sim,
                     const struct sim_host *host, bool accept_posts)
{
    port->ops = ops;
    port->sim = sim;
    port->host = host;
    port->last_source = &port->sources;
    port->last_completion = &port->completions;
    port->accept_posts = accept_posts;
    require(mtx_init(&port->lock, mtx_plain) == thrd_success);
    require(cnd_init(&port->finished) == thrd_success);
}

void input_port_fini(struct input_port *port)
{
    while (port->sources) {
        struct input_source *s = port->sources;
        port->sources = s->next;
        buf_free(&s->queue);
        free(s->name);
        free(s);
    }
    while (port->completions) {
        struct completion *c = port->completions;
        port->completions = c->next;
        free(c);
    }
    cnd_destroy(&port->finished);
    mtx_destroy(&port->lock);
}

/* ---- sources ---------------------------------------------------------------------- */

struct input_source *input_source_new(struct input_port *port, enum input_kind kind, const char *name,
                                      const struct input_source_ops *ops, void *opaque)
{
    struct input_source *s = NEW(struct input_source);
    *s = (struct input_source){ .port = port, .name = alloc_string(name), .kind = kind, .number = port->n_sources++,
                                .ops = ops, .opaque = opaque };
    *port->last_source = s;
    port->last_source = &s->next;
    return s;
}

struct input_source *input_source_by_number(struct input_port *port, uint32_t number)
{
    struct input_source *s = port->sources;
    while (s && s->number != number)
        s = s->next;
    return s;
}

static void wake(struct input_port *port)
{
    atomic_store(&port->pending, true);
    port->host->notify(port->host->opaque);
}

size_t input_post(struct input_source *source, const void *data, size_t len)
{
    struct input_port *port = source->port;
    size_t taken = len;
    if (!port->accept_posts)
        return len;
    mtx_lock(&port->lock);
    size_t room = INPUT_QUEUE_BYTES - (source->queue.len - source->head);
    if (source->ops->framed) {
        uint8_t head[4];
        store_le(head, 4, len);
        if (len + 4 > room || len > INPUT_MAX_FRAME)
            taken = 0;
        else
            buf_put(&source->queue, head, 4);
    } else if (taken > room) {
        taken = room;
    }
    buf_put(&source->queue, data, taken);
    mtx_unlock(&port->lock);
    if (taken)
        wake(port);
    return taken;
}

size_t input_source_backlog(struct input_source *source)
{
    mtx_lock(&source->port->lock);
    size_t n = source->queue.len - source->head;
    mtx_unlock(&source->port->lock);
    return n;
}

/* Under the lock: n bytes leave the queue. */
static void consume(struct input_source *s, struct buf *out, size_t n)
{
    buf_put(out, s->queue.data + s->head, n);
    s->head += n;
    if (s->head == s->queue.len)
        s->head = s->queue.len = 0;
}

bool input_source_take(struct input_source *source, struct buf *out)
{
    size_t room = source->ops->room ? source->ops->room(source->opaque) : INPUT_QUEUE_BYTES;
    out->len = 0;
    mtx_lock(&source->port->lock);
    size_t have = source->queue.len - source->head;
    if (source->ops->framed) {
        size_t frame = have ? (size_t)load_le(source->queue.data + source->head, 4) : 0;
        if (have && frame <= room) {
            source->head += 4;
            consume(source, out, frame);
        }
    } else if (have && room) {
        consume(source, out, have < room ? have : room);
    }
    mtx_unlock(&source->port->lock);
    return out->len != 0;
}

void input_post_request(struct input_port *port, enum input_request request)
{
    mtx_lock(&port->lock);
    if (port->n_requests < ARRAY_LEN(port->requests) && (port->accept_posts || request == REQUEST_QUIT))
        port->requests[port->n_requests++] = (uint8_t)request;
    mtx_unlock(&port->lock);
    wake(port);
}

unsigned input_take_request(struct input_port *port)
{
    unsigned r = 0;
    mtx_lock(&port->lock);
    if (port->n_requests) {
        r = port->requests[0];
        memmove(port->requests, port->requests + 1, --port->n_requests);
    }
    mtx_unlock(&port->lock);
    return r;
}

void input_add_visitor(struct input_port *port, struct input_visitor *visitor)
{
    visitor->next = port->visitors;
    port->visitors = visitor;
}

void input_ask_visit(struct input_port *port)
{
    atomic_store(&port->visit_asked, true);
    wake(port);
}

void input_visit(struct input_port *port)
{
    if (!atomic_load(&port->visit_asked) || !atomic_exchange(&port->visit_asked, false))
        return;
    for (struct input_visitor *v = port->visitors; v; v = v->next)
        v->visit(v->opaque);
}

bool input_pending(struct input_port *port) { return atomic_load_explicit(&port->pending, memory_order_relaxed); }

/* ---- sleeping and pacing -------------------------------------------------------------- */

static uint64_t host_clock(struct input_port *port, enum sim_clock clock)
{
    return port->host->clock_ns(port->host->opaque, clock);
}

uint64_t input_idle_ns(struct input_port *port, uint64_t deadline_ns)
{
    uint64_t now = sim_now(port->sim);
    return deadline_ns == NO_DEADLINE ? NO_DEADLINE : deadline_ns > now ? deadline_ns - now : 0;
}

uint64_t input_sleep_ns(struct input_port *port, uint64_t deadline_ns)
{
    uint64_t ns = input_idle_ns(port, deadline_ns);
    return sim_get_config(port->sim)->sleep || ns == NO_DEADLINE ? ns : 0;
}

/* How long until a timer of one of the host's clocks is due. */
static uint64_t until_host_timer(struct input_port *port, enum sim_clock clock)
{
    uint64_t deadline = sim_next_deadline(port->sim, clock);
    if (deadline == NO_DEADLINE)
        return NO_DEADLINE;
    uint64_t now = host_clock(port, clock);
    return deadline > now ? deadline - now : 0;
}

/* Waking up takes the host a while; sleeps make up for what the ones before them overslept, up to this much. */
enum { MAX_OVERSLEPT_NS = 500000000 };

uint64_t input_sleep(struct input_port *port, uint64_t deadline_ns, bool *cut)
{
    uint64_t ns = input_sleep_ns(port, deadline_ns), elapsed = port->overslept;
    uint64_t start = host_clock(port, SIM_CLOCK_VIRTUAL_RT) - elapsed;
    *cut = false;
    if (!ns)
        return input_idle_ns(port, deadline_ns);
    while (elapsed < ns && !atomic_load(&port->pending)) {
        uint64_t timer = until_host_timer(port, SIM_CLOCK_HOST), refresh = until_host_timer(port, SIM_CLOCK_REALTIME);
        if (!timer)
            break;
        if (!refresh)
            sim_run_realtime(port->sim);
        uint64_t left = ns == NO_DEADLINE ? ns : ns - elapsed;
        left = timer < left ? timer : left;
        port->host->wait(port->host->opaque, refresh < left ? refresh : left);
        elapsed = host_clock(port, SIM_CLOCK_VIRTUAL_RT) - start;
    }
    *cut = elapsed < ns;
    port->overslept = *cut ? 0 : elapsed - ns < MAX_OVERSLEPT_NS ? elapsed - ns : MAX_OVERSLEPT_NS;
    return *cut ? elapsed : ns;
}

/* A machine that is this far ahead of the host waits for it. */
enum { ALIGN_NS = 2000000 };

void input_align(struct input_port *port)
{
    uint64_t host = host_clock(port, SIM_CLOCK_VIRTUAL_RT), now = sim_now(port->sim);
    if (!port->pace_host) {
        port->pace_host = host;
        port->pace_virtual = now;
    }
    uint64_t due = port->pace_host + (now - port->pace_virtual);
    if (due < host) {     /* behind: what is lost is not caught up */
        port->pace_host = host;
        port->pace_virtual = now;
    }
    if (due > host + ALIGN_NS)
        port->host->wait(port->host->opaque, due - host);
}

/*
 * shift=auto: one position lasts as long as it takes.  Called at most once per
 * run slice; compares how far virtual and host time went since the last look
 * (at least 50 ms) and moves shift one step towards the host.
 */
unsigned input_pace(struct input_port *port)
{
    enum { LOOK_NS = 50000000 };
    unsigned shift = sim_shift(port->sim);
    uint64_t host = host_clock(port, SIM_CLOCK_VIRTUAL_RT), now = sim_now(port->sim);
    if (!port->pace_host)
        goto restart;
    uint64_t host_ns = host - port->pace_host, virtual_ns = now - port->pace_virtual;
    if (host_ns < LOOK_NS)
        return shift;
    if (virtual_ns < host_ns / 2 && shift < 10)
        shift++;
    else if (virtual_ns / 2 > host_ns && shift > 0)
        shift--;
restart:
    port->pace_host = host;
    port->pace_virtual = now;
    return shift;
}

/* ---- dispatch ------------------------------------------------------------------------- */

/* Visits come behind poll(), which takes `pending`: a visit asked for in between leaves it set, and no sleep begins. */
void input_poll(struct input_port *port)
{
    port->ops->poll(port);
    input_visit(port);
}
uint64_t input_next_position(struct input_port *port) { return port->ops->next_position(port); }
uint64_t input_clock_ns(struct input_port *port, enum sim_clock clock) { return port->ops->clock_ns(port, clock); }
uint64_t input_realtime_ns(struct input_port *port) { return host_clock(port, SIM_CLOCK_REALTIME); }

void input_seed(struct input_port *port, const char *use, void *out, size_t len)
{
    port->ops->seed(port, use, out, len);
}

bool input_checkpoint(struct input_port *port, enum checkpoint mark) { return port->ops->checkpoint(port, mark); }

bool input_timers_due(struct input_port *port, enum sim_clock clock, uint64_t deadline_ns)
{
    return port->ops->timers_due(port, clock, deadline_ns);
}

bool input_idle(struct input_port *port, uint64_t deadline_ns) { return port->ops->idle(port, deadline_ns); }

void input_on_request(struct input_port *port, void (*request)(void *opaque, enum input_request), void *opaque)
{
    port->on_request = request;
    port->request_opaque = opaque;
}

void input_on_hash(struct input_port *port, uint64_t (*hash)(void *opaque), void *opaque)
{
    port->on_hash = hash;
    port->hash_opaque = opaque;
}

void input_finish(struct input_port *port)
{
    if (port->ops->finish)
        port->ops->finish(port);
}

enum input_status input_status(struct input_port *port) { return port->ops->status(port); }
const char *input_status_text(struct input_port *port) { return port->ops->status_text(port); }
void input_port_close(struct input_port *port, const char *how) { port->ops->close(port, how); }
void input_set_work_pool(struct input_port *port, const struct work_pool *pool) { port->pool = *pool; }
