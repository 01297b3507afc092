/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Writes a log again with one thing changed and every checksum right:
 *
 *     tamper IN OUT drop|later|value KIND N
 *
 * drop leaves out the Nth event of the kind, later moves it by one position,
 * value changes what it says by one.
 */
#include <stdio.h>
#include <stdlib.h>

#include "host/host.h"
#include "rr/log.h"

struct change {
    const char *how, *kind;
    unsigned long n, seen;
};

static void fail(const struct error *err)
{
    fprintf(stderr, "tamper: %s\n", err->text);
    exit(1);
}

static void put_event(struct log_writer *w, const struct log_event *e)
{
    log_begin_event(w, e->kind, e->position, e->idles);
    switch (e->kind) {
    case LOG_INPUT:
        put_varint(&w->raw, e->number);
        put_bytes(&w->raw, e->data, e->len);
        break;
    case LOG_CLOCK:
        log_put_clock(w, (enum sim_clock)e->number, e->value);
        break;
    case LOG_SEED:
        put_bytes(&w->raw, e->data, e->len);
        break;
    case LOG_HASH:
    case LOG_END:
        put_u64(&w->raw, e->value);
        put_bytes(&w->raw, e->state, e->state_len);
        if (e->kind == LOG_END)
            put_bytes(&w->raw, e->data, e->len);
        break;
    default:
        put_varint(&w->raw, e->value);
    }
}

/* False: leave it out. */
static bool change_event(struct change *c, struct log_event *e)
{
    static uint8_t changed[LOG_MAX_PAYLOAD];
    if (strcmp(log_kind_name(e->kind), c->kind) != 0 || ++c->seen != c->n)
        return true;
    if (!strcmp(c->how, "drop"))
        return false;
    if (!strcmp(c->how, "later")) {
        e->position++;
        return true;
    }
    if (e->len && e->kind != LOG_END) {
        memcpy(changed, e->data, e->len);
        changed[0] ^= 1;
        e->data = changed;
    } else {
        e->value += e->kind == LOG_CLOCK ? NS_PER_SEC : 1;
    }
    return true;
}

int main(int argc, char **argv)
{
    struct error err;
    struct log_file in, out;
    struct log_machine machine;
    struct log_writer w;
    struct log_event e;
    if (argc != 6) {
        fprintf(stderr, "usage: tamper IN OUT drop|later|value KIND N\n");
        return 1;
    }
    struct change c = { .how = argv[3], .kind = argv[4], .n = strtoul(argv[5], NULL, 10) };
    if (!host_log_open(argv[1], &in, &err))
        fail(&err);
    struct log_reader *r = log_open(&in, &machine, &err);
    struct host_log *log = r ? host_log_create(argv[2], &out, &err) : NULL;
    if (!log || !host_log_commit(log, &err) || !log_write_header(&w, &machine, &out, &err))
        fail(&err);
    log_rewind(r);
    struct log_mark end = { 0, 0, 0 };
    while (log_next(r, &e)) {
        struct log_mark now = *log_complete_to(r);
        if (now.position != end.position || now.virtual_ns != end.virtual_ns) {
            log_flush(&w, &end);
            end = now;
        }
        if (change_event(&c, &e))
            put_event(&w, &e);
        end.position = end.position < e.position ? e.position : end.position;
    }
    log_flush(&w, &end);
    log_write_index(&w);
    log_writer_close(&w);
    log_close(r);
    if (c.seen < c.n) {
        fprintf(stderr, "tamper: the log has only %lu events '%s'\n", c.seen, c.kind);
        return 1;
    }
    return 0;
}
