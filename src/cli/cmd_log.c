/* SPDX-License-Identifier: GPL-2.0-or-later */
/* reprise log: a recording's events as text, or as JSON lines for other programs. */
#include <ctype.h>

#include "cli/command.h"
#include "cli/optvalue.h"

static const char *clock_name(uint32_t clock)
{
    static const char *const names[SIM_CLOCK_COUNT] = { "realtime", "virtual", "host", "virtual_rt" };
    return clock < SIM_CLOCK_COUNT ? names[clock] : "?";
}

static const char *request_name(uint64_t request)
{
    static const char *const names[] = { "?", "quit", "shutdown", "reset", "power-button" };
    return request < ARRAY_LEN(names) ? names[request] : "?";
}

static const char *checkpoint_name(uint64_t mark)
{
    static const char *const names[] = { "?", "host timers", "virtual_rt timers", "warp start", "warp account",
                                         "reset", "init" };
    return mark < ARRAY_LEN(names) ? names[mark] : "?";
}

static void print_text(const uint8_t *p, size_t len)
{
    putchar('"');
    for (size_t i = 0; i < len; i++) {
        if (p[i] == '"' || p[i] == '\\')
            printf("\\%c", p[i]);
        else if (p[i] == '\n')
            printf("\\n");
        else if (p[i] == '\r')
            printf("\\r");
        else if (isprint(p[i]))
            putchar(p[i]);
        else
            printf("\\x%02x", p[i]);
    }
    putchar('"');
}

static void print_hex(const uint8_t *p, size_t len)
{
    for (size_t i = 0; i < len; i++)
        printf("%02x", p[i]);
}

static void print_plain(const struct log_event *e)
{
    unsigned long long v = e->value;
    printf("%12llu", (unsigned long long)e->position);
    if (e->idles)
        printf("+%llu", (unsigned long long)e->idles);
    printf("  %-10s ", log_kind_name(e->kind));
    switch (e->kind) {
    case LOG_INPUT:
        printf("source %u, %zu bytes: ", e->number, e->len);
        print_text(e->data, e->len);
        break;
    case LOG_REQUEST:
        printf("%s", request_name(v));
        break;
    case LOG_CLOCK:
        printf("%s %llu ns", clock_name(e->number), v);
        break;
    case LOG_CHECKPOINT:
        printf("%s", checkpoint_name(v));
        break;
    case LOG_WARP:
        printf("%llu ns", v);
        break;
    case LOG_SEED:
        print_hex(e->data, e->len);
        break;
    case LOG_HASH:
        printf("%016llx", v);
        break;
    case LOG_END:
        printf("%016llx ", v);
        print_text(e->data, e->len);
        break;
    default:
        printf("%llu", v);
    }
    putchar('\n');
}

/* Bytes as JSON: text cannot hold them all, so they are hexadecimal. */
static void print_json(const struct log_event *e)
{
    unsigned long long v = e->value;
    printf("{\"position\":%llu,\"idles\":%llu,\"kind\":\"%s\"", (unsigned long long)e->position,
           (unsigned long long)e->idles, log_kind_name(e->kind));
    switch (e->kind) {
    case LOG_INPUT:
        printf(",\"source\":%u", e->number);
        break;
    case LOG_REQUEST:
        printf(",\"request\":\"%s\"", request_name(v));
        break;
    case LOG_CLOCK:
        printf(",\"clock\":\"%s\",\"ns\":%llu", clock_name(e->number), v);
        break;
    case LOG_CHECKPOINT:
        printf(",\"checkpoint\":\"%s\"", checkpoint_name(v));
        break;
    case LOG_WARP:
        printf(",\"ns\":%llu", v);
        break;
    case LOG_HASH:
    case LOG_END:
        printf(",\"hash\":\"%016llx\"", v);
        break;
    case LOG_SEED:
        break;
    default:
        printf(",\"value\":%llu", v);
    }
    if (e->kind == LOG_INPUT || e->kind == LOG_SEED || e->kind == LOG_END) {
        printf(",\"data\":\"");
        print_hex(e->data, e->len);
        printf("\"");
    }
    puts("}");
}

static int show(const struct command *self, const char *path, bool json, uint64_t from, uint64_t to)
{
    struct error err;
    struct log_machine m;
    struct log_event e;
    struct log_reader *log = open_log(path, &m, &err);
    if (!log)
        return command_fail(self, &err);
    bool more;
    if (from)
        log_seek(log, from);
    while ((more = log_next(log, &e)) && e.position <= to) {
        if (e.position < from)
            continue;
        if (json)
            print_json(&e);
        else
            print_plain(&e);
    }
    if (!more && log_cut(log))
        command_error(self, "%s", log_cut(log));
    log_close(log);
    return 0;
}

static int run(const struct command *self, int argc, char **argv)
{
    struct arguments a = { argc, 1, argv };
    struct error err;
    bool json = false;
    uint64_t from = 0, to = UINT64_MAX;
    const char *path = NULL, *arg, *value;
    while ((arg = argument_next(&a))) {
        bool is_from = argument_is(arg, "--from");
        if (!strcmp(arg, "--json")) {
            json = true;
        } else if (is_from || argument_is(arg, "--to")) {
            const char *name = is_from ? "--from" : "--to";
            if (!(value = argument_value(&a, arg, name, &err)))
                return command_fail(self, &err);
            if (!parse_number(value, UINT64_MAX, is_from ? &from : &to))
                return command_error(self, "%s: '%s' is not a position", name, value);
        } else if (!argument_recording(self, arg, &path)) {
            return 1;
        }
    }
    if (from > to)
        return command_error(self, "--from %llu is behind --to %llu", (unsigned long long)from, (unsigned long long)to);
    return path ? show(self, path, json, from, to) : command_error(self, "name the recording");
}

const struct command cmd_log = {
    .name = "log",
    .summary = "a recording's events as text or JSON",
    .help = "FILE [--json] [--from POSITION] [--to POSITION]\n\n"
            "Prints the events of FILE, one a line: position (+ sleeps begun there), kind, contents.\n\n"
            "  --json             one JSON object a line; bytes in hexadecimal\n"
            "  --from, --to       only events at these positions, both included\n\n"
            "examples:\n"
            "  reprise log boot.rr --from 1000000 --to 2000000\n"
            "  reprise log boot.rr --json | jq 'select(.kind == \"input\")'\n",
    .run = run,
};
