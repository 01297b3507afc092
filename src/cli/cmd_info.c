/* SPDX-License-Identifier: GPL-2.0-or-later */
/* reprise info: what a recording is. */
#include <time.h>

#include "cli/command.h"
#include "cli/say.h"

struct summary {
    uint64_t count[LOG_KINDS], bytes[LOG_KINDS];
    uint64_t events, position, virtual_ns, host_ns;
    uint64_t final_hash;
    char ended[512];
    bool has_end;
};

static void sum_up(struct log_reader *log, struct summary *s)
{
    struct log_event e;
    while (log_next(log, &e)) {
        s->events++;
        s->count[e.kind]++;
        s->bytes[e.kind] += e.bytes;
        s->position = e.position;
        if (e.kind == LOG_END) {
            s->has_end = true;
            s->final_hash = e.value;
            snprintf(s->ended, sizeof s->ended, "%.*s", (int)(e.len < 500 ? e.len : 500), (const char *)e.data);
        }
    }
    const struct log_mark *end = log_complete_to(log);
    if (end->position > s->position)
        s->position = end->position;
    s->virtual_ns = end->virtual_ns;
    s->host_ns = end->host_ns;
}

/* Quotes what a shell would not take as one word. */
static void print_argument(const char *s)
{
    if (*s && !s[strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_=+,./:@%")]) {
        printf(" %s", s);
        return;
    }
    printf(" '");
    for (; *s; s++)
        say_text(stdout, *s == '\'' ? "'\\''" : (char[]){ *s, 0 });
    printf("'");
}

static void print_file(const struct log_input_file *f)
{
    say_text(stdout, f->role);
    printf("%*s ", (int)(strlen(f->role) < 12 ? 12 - strlen(f->role) : 0), "");
    say_text(stdout, f->path);
    printf(" (%llu bytes, xxh3 %016llx)\n", (unsigned long long)f->size, (unsigned long long)f->hash);
}

static void print_machine(const struct log_machine *m)
{
    time_t t = (time_t)m->start_realtime;
    struct tm tm;
    char date[64] = "?";
    if (gmtime_r(&t, &tm))
        strftime(date, sizeof date, "%Y-%m-%d %H:%M:%S UTC", &tm);
    printf("recorded     %s\n", date);
    printf("machine      ");
    say_text(stdout, m->program);
    for (size_t i = 0; i < m->n_args; i++)
        print_argument(m->args[i]);
    putchar('\n');
    for (size_t i = 0; i < m->n_files; i++)
        print_file(&m->files[i]);
    printf(m->sim.shift_auto ? "shift        auto\n" : "shift        %u\n", m->sim.shift);
}

static void print_seconds(const char *what, uint64_t ns)
{
    printf("%-12s %llu.%03llu s\n", what, (unsigned long long)(ns / NS_PER_SEC),
           (unsigned long long)(ns % NS_PER_SEC / 1000000));
}

static void print_events(const struct log_reader *log, const struct summary *s)
{
    printf("events       %llu\n", (unsigned long long)s->events);
    for (unsigned k = 1; k < LOG_KINDS; k++)
        if (s->count[k])
            printf("  %-14s %10llu  %12llu bytes\n", log_kind_name((enum log_kind)k), (unsigned long long)s->count[k],
                   (unsigned long long)s->bytes[k]);
    uint64_t size = log_bytes(log);
    printf("file         %llu bytes", (unsigned long long)size);
    if (s->position >= 1000000)
        printf(", %.4f bytes for 1000 positions", (double)size * 1000 / (double)s->position);
    putchar('\n');
}

static int info(const struct command *self, const char *path)
{
    struct error err;
    struct log_machine m;
    struct summary s = { 0 };
    struct log_reader *log = open_log(path, &m, &err);
    if (!log)
        return command_fail(self, &err);
    sum_up(log, &s);
    print_machine(&m);
    printf("length       %llu positions\n", (unsigned long long)s.position);
    print_seconds("virtual time", s.virtual_ns);
    print_seconds("real time", s.host_ns);
    print_events(log, &s);
    if (s.has_end)
        printf("final state  %016llx\n", (unsigned long long)s.final_hash);
    const char *cut = log_cut(log);
    printf(cut ? "end          cut short: " : "end          clean: ");
    say_text(stdout, cut ? cut : s.ended);
    putchar('\n');
    log_close(log);
    return 0;
}

static int run(const struct command *self, int argc, char **argv)
{
    if (argc == 2 && argv[1][0] != '-')
        return info(self, argv[1]);
    return argc > 1 && argv[1][0] == '-' ? command_error(self, "unknown option '%s'", argv[1])
                                         : command_error(self, "name one recording");
}

const struct command cmd_info = {
    .name = "info",
    .summary = "what a recording is: machine, length, events",
    .help = "FILE\n\n"
            "Prints the recorded machine, its input files, the recording's length, its events by kind\n"
            "with their number and size, and whether it ends cleanly or was cut short.\n\n"
            "examples:\n"
            "  reprise info boot.rr\n"
            "  reprise info boot.rr | grep '^end'\n",
    .run = run,
};
