/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Internal to the monitor: its command table and its line editor. */
#ifndef REPRISE_DEBUG_MONITOR_IMPL_H
#define REPRISE_DEBUG_MONITOR_IMPL_H

#include <threads.h>

#include "debug/monitor.h"

enum { MONITOR_LINE = 256 };

/* A line being typed. */
struct monitor_line {
    char text[MONITOR_LINE];
    size_t len;
    unsigned escape;               /* within an escape sequence, which is ignored: 0 no, 1 behind ESC, 2 behind ESC [ */
    bool after_cr;                 /* a line feed that follows belongs to it */
};

/* Takes one typed byte and appends its echo to out.  True: the line is complete, in text as a string. */
bool monitor_line_type(struct monitor_line *l, char c, struct buf *out);

struct monitor {
    struct monitor_config config;
    struct input_visitor visitor;
    mtx_t lock;
    struct buf typed;              /* lock; by the chardev's thread */
    struct buf taken, out;         /* simulation thread */
    struct monitor_line line;
    bool greeted, stopped;
};

struct monitor_command {
    const char *name;              /* one word or two: "quit", "info status"; another name behind a '|' */
    const char *args, *help;
    bool changes;                  /* the guest: refused where that cannot be */
    void (*run)(struct monitor *m, const char *args);   /* args without blanks around; "" if there are none */
};
extern const struct monitor_command monitor_commands[];   /* ends with a NULL name */

/* Runs one line. */
void monitor_obey(struct monitor *m, const char *line);

/* Text for the user; '\n' ends a line. */
void PRINTF_LIKE(2, 3) monitor_printf(struct monitor *m, const char *fmt, ...);
void monitor_put(struct monitor *m, const char *text, size_t len);

#endif
