/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The monitor's life, its prompt, and finding commands. */
#include "debug/monitor.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "debug/monitor_impl.h"

enum { MAX_TYPED = 65536 };   /* what waits for the simulation thread; more is dropped */

/* ---- output ------------------------------------------------------------------------------ */

/* A terminal in raw mode wants a carriage return before each line feed. */
void monitor_put(struct monitor *m, const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (text[i] == '\n')
            buf_put_byte(&m->out, '\r');
        buf_put_byte(&m->out, (unsigned char)text[i]);
    }
}

void monitor_printf(struct monitor *m, const char *fmt, ...)
{
    char text[1024];
    va_list args;
    va_start(args, fmt);
    int n = vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    monitor_put(m, text, n < 0 ? 0 : (size_t)n < sizeof text ? (size_t)n : sizeof text - 1);
}

static void flush(struct monitor *m)
{
    if (m->out.len)
        chardev_write(m->config.chardev, m->out.data, m->out.len);
    m->out.len = 0;
}

/* ---- commands ------------------------------------------------------------------------------ */

/* What follows `word` in line, blanks skipped: "", or arguments; NULL: line does not begin with this word. */
static const char *behind(const char *line, const char *word, size_t len)
{
    if (strncmp(line, word, len) != 0 || (line[len] && line[len] != ' '))
        return NULL;
    return line + len + strspn(line + len, " ");
}

/* The arguments, if line is this command by one of its names. */
static const char *arguments(const struct monitor_command *c, const char *line)
{
    for (const char *name = c->name; *name;) {
        size_t len = strcspn(name, "|");
        const char *args = behind(line, name, len);
        if (args)
            return args;
        name += len + (name[len] == '|');
    }
    return NULL;
}

/* The command of two words rather than that of its first alone. */
static const struct monitor_command *find(const char *line, const char **args)
{
    const struct monitor_command *found = NULL;
    for (const struct monitor_command *c = monitor_commands; c->name; c++) {
        const char *a = arguments(c, line);
        if (a && (!found || strlen(c->name) > strlen(found->name))) {
            found = c;
            *args = a;
        }
    }
    return found;
}

/* line with single blanks between words and none around. */
static void tidy(const char *line, char out[MONITOR_LINE])
{
    size_t n = 0;
    for (const char *p = line + strspn(line, " "); *p; p++)
        if (*p != ' ' || (p[1] && p[1] != ' '))
            out[n++] = *p;
    out[n] = 0;
}

void monitor_obey(struct monitor *m, const char *typed)
{
    char line[MONITOR_LINE];
    const char *args;
    tidy(typed, line);
    if (!*line)
        return;
    const struct monitor_command *c = find(line, &args);
    if (!c)
        monitor_printf(m, "unknown command: '%s' (help lists them)\n", line);
    else if (*args && !*c->args)
        monitor_printf(m, "%s: nothing may follow, so not '%s'\n", c->name, args);
    else if (c->changes && m->config.fixed)
        monitor_printf(m, "%s: not possible now: %s\n", c->name, m->config.fixed);
    else
        c->run(m, args);
}

/* ---- input ----------------------------------------------------------------------------------- */

static void receive(void *opaque, const void *data, size_t len)
{
    struct monitor *m = opaque;
    mtx_lock(&m->lock);
    if (m->typed.len + len <= MAX_TYPED)
        buf_put(&m->typed, data, len);
    mtx_unlock(&m->lock);
    input_ask_visit(m->config.port);
}

static void take(struct monitor *m)
{
    mtx_lock(&m->lock);
    m->taken.len = 0;
    buf_put(&m->taken, m->typed.data, m->typed.len);
    m->typed.len = 0;
    mtx_unlock(&m->lock);
}

static void greet(struct monitor *m)
{
    if (!m->greeted)
        monitor_printf(m, "%s monitor - type 'help' for more information\n", m->config.version);
    m->greeted = true;
}

static void visit(void *opaque)
{
    struct monitor *m = opaque;
    take(m);
    for (size_t i = 0; i < m->taken.len; i++) {
        if (!monitor_line_type(&m->line, (char)m->taken.data[i], &m->out))
            continue;
        greet(m);
        monitor_obey(m, m->line.text);
        monitor_printf(m, "(reprise) ");
        flush(m);
    }
    flush(m);
}

/* ---- life --------------------------------------------------------------------------------------- */

struct monitor *monitor_new(const struct monitor_config *config)
{
    struct monitor *m = NEW(struct monitor);
    m->config = *config;
    require(mtx_init(&m->lock, mtx_plain) == thrd_success);
    m->visitor = (struct input_visitor){ .visit = visit, .opaque = m };
    input_add_visitor(config->port, &m->visitor);
    config->chardev->receive = receive;
    config->chardev->receive_opaque = m;
    config->chardev->ops->attach(config->chardev, NULL);
    return m;
}

void monitor_stopped(struct monitor *m, const char *why)
{
    m->stopped = true;
    m->config.fixed = why;
}

void monitor_free(struct monitor *m)
{
    if (!m)
        return;
    mtx_destroy(&m->lock);
    buf_free(&m->typed);
    buf_free(&m->taken);
    buf_free(&m->out);
    free(m);
}
