/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Character devices on the command line: -chardev KIND,id=ID,.. and the short forms of -serial. */
#include "cli/options.h"
#include "cli/optvalue.h"

enum { MAX_RECONNECT = 3600 };

static const char *keep(struct options *o, const char *s) { return s ? options_string(o, s, strlen(s)) : NULL; }

static bool add(struct options *o, const char *option, const struct chardev_spec *spec, bool used, bool present,
                unsigned *index, struct error *err)
{
    if (o->n_chardevs == OPTIONS_CHARDEVS)
        return error_set(err, "%s: there are more than %d character devices", option, OPTIONS_CHARDEVS);
    for (unsigned i = 0; i < o->n_chardevs; i++) {
        if (spec->kind == CHARDEV_STDIO && o->chardev[i].present && o->chardev[i].spec.kind == CHARDEV_STDIO)
            return error_set(err, "%s: standard input and output are already taken by '%s'", option,
                             o->chardev[i].spec.id);
        if (!strcmp(o->chardev[i].spec.id, spec->id))
            return error_set(err, "%s: there are two character devices called '%s'", option, spec->id);
    }
    o->chardev[o->n_chardevs++] = (struct option_chardev){ .spec = *spec, .used = used, .present = present };
    *index = o->n_chardevs;
    return true;
}

bool chardev_option_use(struct options *o, const char *option, const char *id, unsigned *index, struct error *err)
{
    for (unsigned i = 0; i < o->n_chardevs; i++) {
        struct option_chardev *c = &o->chardev[i];
        if (strcmp(c->spec.id, id) != 0)
            continue;
        if (c->used || (c->monitor && !c->spec.escapes))
            return error_set(err, "%s: the character device '%s' is already in use", option, id);
        c->used = true;
        *index = i + 1;
        return true;
    }
    return error_set(err, "%s: there is no -chardev with id '%s'", option, id);
}

/* The properties that all stream sockets share. */
static bool socket_properties(struct optlist *l, struct chardev_spec *spec, struct error *err)
{
    uint64_t seconds = 0;
    bool delay = false, nodelay = true;    /* "nodelay" alone is read as delay=off */
    spec->wait = true;
    if (!optlist_take_bool(l, "server", &spec->server, err) || !optlist_take_bool(l, "wait", &spec->wait, err) ||
        !optlist_take_bool(l, "delay", &delay, err) || !optlist_take_bool(l, "nodelay", &nodelay, err) ||
        !optlist_take_number(l, "reconnect", MAX_RECONNECT, &seconds, err))
        return false;
    if (delay || !nodelay)
        return error_set(err, "%s: bytes are always sent without delay", l->option);
    if (spec->server && seconds)
        return error_set(err, "%s: reconnect= is for clients, and server=on was said", l->option);
    spec->reconnect = (unsigned)seconds;
    return true;
}

/* "[HOST]:PORT" with HOST perhaps in brackets. */
static bool split_address(struct options *o, const char *option, const char *address, struct chardev_spec *spec,
                          struct error *err)
{
    const char *colon = strrchr(address, ':');
    if (!colon || !colon[1])
        return error_set(err, "%s: 'tcp:%s' is not tcp:[HOST]:PORT", option, address);
    size_t len = (size_t)(colon - address);
    if (len >= 2 && address[0] == '[' && address[len - 1] == ']') {
        address++;
        len -= 2;
    }
    spec->host = len ? options_string(o, address, len) : NULL;
    spec->port = keep(o, colon + 1);
    return true;
}

/* "tcp:ADDRESS,.." or "unix:PATH,.." behind the colon. */
static bool short_socket(struct options *o, const char *option, const char *text, struct chardev_spec *spec,
                         struct error *err)
{
    struct optlist l;
    if (!optlist_parse(&l, option, text, "address", err))
        return false;
    const char *address = optlist_take(&l, "address");
    if (!address || !*address) {
        error_set(err, "%s: a socket needs an address", option);
        return optlist_fail(&l);
    }
    bool ok = socket_properties(&l, spec, err);
    if (spec->kind == CHARDEV_TCP)
        ok = ok && split_address(o, option, address, spec, err);
    else
        spec->path = keep(o, address);
    return ok ? optlist_done(&l, err) : optlist_fail(&l);
}

static const char *after(const char *text, const char *prefix)
{
    size_t n = strlen(prefix);
    return strncmp(text, prefix, n) ? NULL : text + n;
}

/* The short forms.  False with err set if text is none of them. */
static bool short_form(struct options *o, const char *option, const char *text, struct chardev_spec *spec,
                       struct error *err)
{
    const char *rest;
    if (!strcmp(text, "null"))
        spec->kind = CHARDEV_NULL;
    else if (!strcmp(text, "stdio"))
        spec->kind = CHARDEV_STDIO;
    else if (!strcmp(text, "pty"))
        spec->kind = CHARDEV_PTY;
    else if ((rest = after(text, "file:")) && *rest)
        *spec = (struct chardev_spec){ .kind = CHARDEV_FILE, .id = spec->id, .path = keep(o, rest) };
    else if ((rest = after(text, "pipe:")) && *rest)
        *spec = (struct chardev_spec){ .kind = CHARDEV_PIPE, .id = spec->id, .path = keep(o, rest) };
    else if ((rest = after(text, "tcp:"))) {
        spec->kind = CHARDEV_TCP;
        return short_socket(o, option, rest, spec, err);
    } else if ((rest = after(text, "unix:"))) {
        spec->kind = CHARDEV_UNIX;
        return short_socket(o, option, rest, spec, err);
    } else
        return error_set(err, "%s: there is no character device '%s' (there are stdio, mon:stdio, pty, null, none, "
                              "file:PATH, pipe:PATH, tcp:[HOST]:PORT, unix:PATH, chardev:ID)", option, text);
    return true;
}

bool chardev_option_device(struct options *o, const char *option, const char *text, const char *id, unsigned *index,
                           struct error *err)
{
    const char *rest = after(text, "chardev:");
    struct chardev_spec spec = { .id = keep(o, id) };
    if (rest)
        return chardev_option_use(o, option, rest, index, err);
    if (!strcmp(text, "none"))
        return add(o, option, &spec, true, false, index, err);
    rest = after(text, "mon:");
    if (rest && strcmp(rest, "stdio") != 0)
        return error_set(err, "%s: a monitor is only understood on 'mon:stdio', not '%s'", option, text);
    spec.escapes = rest != NULL;
    if (!short_form(o, option, rest ? rest : text, &spec, err) || !add(o, option, &spec, true, true, index, err))
        return false;
    o->chardev[*index - 1].monitor = spec.escapes;
    return true;
}

/* With mux=on the monitor is beside what else is connected, otherwise alone. */
static bool monitor_on(struct options *o, const char *option, const char *id, struct error *err)
{
    unsigned index = 0;
    while (index < o->n_chardevs && strcmp(o->chardev[index].spec.id, id) != 0)
        index++;
    if (index == o->n_chardevs)
        return error_set(err, "%s: there is no -chardev with id '%s'", option, id);
    struct option_chardev *c = &o->chardev[index];
    if (c->monitor || (c->used && !c->spec.escapes))
        return error_set(err, "%s: the character device '%s' is already in use", option, id);
    c->monitor = true;
    return true;
}

bool chardev_option_monitor(struct options *o, const char *option, const char *text, struct error *err)
{
    char id[] = "monitor00";
    const char *rest = after(text, "chardev:");
    unsigned index;
    if (rest)
        return monitor_on(o, option, rest, err);
    if (!strcmp(text, "none"))
        return true;
    if (after(text, "mon:"))
        return error_set(err, "%s: this is a monitor already, so '%s' without 'mon:'", option, text);
    id[7] = (char)('0' + o->n_chardevs / 10);
    id[8] = (char)('0' + o->n_chardevs % 10);
    if (!chardev_option_device(o, option, text, id, &index, err))
        return false;
    o->chardev[index - 1].used = false;
    o->chardev[index - 1].monitor = true;
    return true;
}

bool chardev_option_mon(struct options *o, const char *text, struct error *err)
{
    struct optlist l;
    if (!optlist_parse(&l, "-mon", text, "chardev", err))
        return false;
    const char *id = optlist_take(&l, "chardev"), *mode = optlist_take(&l, "mode");
    if (!id || !*id) {
        error_set(err, "-mon: '%s' names no chardev=ID", text);
        return optlist_fail(&l);
    }
    if (mode && strcmp(mode, "readline") != 0) {
        error_set(err, "-mon: there is no mode=%s (there is readline)", mode);
        return optlist_fail(&l);
    }
    id = keep(o, id);
    return optlist_done(&l, err) && monitor_on(o, "-mon", id, err);
}

/* ---- -chardev ------------------------------------------------------------------------ */

static bool needs_path(struct options *o, struct optlist *l, const char *kind, struct chardev_spec *spec,
                       struct error *err)
{
    spec->path = keep(o, optlist_take(l, "path"));
    return (spec->path && *spec->path) || error_set(err, "-chardev %s: path= is missing", kind);
}

static bool backend_properties(struct options *o, struct optlist *l, const char *kind, struct chardev_spec *spec,
                               struct error *err)
{
    if (!strcmp(kind, "null")) {
        spec->kind = CHARDEV_NULL;
    } else if (!strcmp(kind, "stdio")) {
        spec->kind = CHARDEV_STDIO;
        return optlist_take_bool(l, "signal", &spec->signals, err) && optlist_take_bool(l, "mux", &spec->escapes, err);
    } else if (!strcmp(kind, "pty")) {
        spec->kind = CHARDEV_PTY;
    } else if (!strcmp(kind, "file")) {
        spec->kind = CHARDEV_FILE;
        return needs_path(o, l, kind, spec, err) && optlist_take_bool(l, "append", &spec->append, err);
    } else if (!strcmp(kind, "pipe")) {
        spec->kind = CHARDEV_PIPE;
        return needs_path(o, l, kind, spec, err);
    } else if (!strcmp(kind, "socket")) {
        spec->path = keep(o, optlist_take(l, "path"));
        spec->host = keep(o, optlist_take(l, "host"));
        spec->port = keep(o, optlist_take(l, "port"));
        spec->kind = spec->path ? CHARDEV_UNIX : CHARDEV_TCP;
        if (!spec->path == !spec->port)
            return error_set(err, "-chardev socket: give either path= or port=");
        return socket_properties(l, spec, err);
    } else {
        return error_set(err, "-chardev: there is no backend '%s' (there are stdio, pty, null, file, pipe, socket)",
                         kind);
    }
    return true;
}

bool chardev_option_backend(struct options *o, const char *text, struct error *err)
{
    struct optlist l;
    struct chardev_spec spec = { 0 };
    unsigned index;
    if (!optlist_parse(&l, "-chardev", text, "backend", err))
        return false;
    const char *kind = optlist_take(&l, "backend");
    spec.id = keep(o, optlist_take(&l, "id"));
    bool ok = kind && spec.id && *spec.id;
    if (!ok)
        error_set(err, "-chardev: '%s' is not BACKEND,id=ID,..", text);
    ok = ok && backend_properties(o, &l, kind, &spec, err);
    return ok ? optlist_done(&l, err) && add(o, "-chardev", &spec, false, true, &index, err) : optlist_fail(&l);
}
