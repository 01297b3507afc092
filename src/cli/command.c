/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What subcommands say when they fail, and the walk over their arguments. */
#include "cli/command.h"

#include <stdarg.h>

#include "cli/say.h"

int command_fail(const struct command *self, const struct error *err)
{
    char who[32];
    snprintf(who, sizeof who, "reprise %s", self->name);
    return say_error(who, err);
}

int command_error(const struct command *self, const char *fmt, ...)
{
    struct error err;
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(err.text, sizeof err.text, fmt, ap);
    va_end(ap);
    return command_fail(self, &err);
}

const char *argument_next(struct arguments *a) { return a->at < a->argc ? a->argv[a->at++] : NULL; }

bool argument_is(const char *arg, const char *name)
{
    size_t n = strlen(name);
    return !strncmp(arg, name, n) && (!arg[n] || arg[n] == '=');
}

const char *argument_value(struct arguments *a, const char *arg, const char *name, struct error *err)
{
    const char *value = arg[strlen(name)] == '=' ? arg + strlen(name) + 1 : argument_next(a);
    if (!value)
        error_set(err, "%s needs a value", name);
    return value;
}

bool argument_recording(const struct command *self, const char *arg, const char **path)
{
    if (arg[0] == '-') {
        command_error(self, "unknown option '%s'", arg);
    } else if (*path) {
        command_error(self, "there is one recording to name, not '%s' too", arg);
    } else {
        *path = arg;
        return true;
    }
    return false;
}
