/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/machine_setup.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "board/boot.h"
#include "cli/say.h"
#include "reprise/version.h"

#define DEFAULT_BIOS "bios-256k.bin"

const char *const role_names[ROLES] = { "kernel", "initrd", "bios" };

/* ---- files ---------------------------------------------------------------------------- */

/* Firmware by name: as given, else in the -L directories, else where Debian has it. */
static char *find_firmware(const struct options *o, const char *name)
{
    static const char *const system[] = { "/usr/share/seabios", "/usr/share/qemu" };
    if (!*name || host_file_exists(name) || strchr(name, '/'))
        return alloc_string(name);
    for (unsigned i = 0; i < o->n_dirs + ARRAY_LEN(system); i++) {
        char *path = alloc_format("%s/%s", i < o->n_dirs ? o->dir[i] : system[i - o->n_dirs], name);
        if (host_file_exists(path))
            return path;
        free(path);
    }
    return alloc_string(name);
}

/* role: as the log knows it; what: as messages call it. */
static bool read_listed(struct setup *s, struct host_file *f, const char *role, const char *what, const char *path,
                        struct error *err)
{
    if (!host_file_read(what, path, f, err))
        return false;
    s->listed[s->n_listed++] = (struct log_input_file){ role, f->path, f->size, f->hash };
    return true;
}

static bool read_role(struct setup *s, enum input_role role, const char *path, struct machine_blob *blob,
                      struct error *err)
{
    struct host_file *f = &s->file[role];
    if (!read_listed(s, f, role_names[role], role == ROLE_BIOS ? "BIOS image" : role_names[role], path, err))
        return false;
    *blob = (struct machine_blob){ f->path, f->data, f->size };
    return true;
}

/* One item of a Multiboot -initrd: "PATH ARGUMENTS"; the kernel sees the file's own name and the arguments. */
static bool read_module(struct setup *s, const char *item, struct error *err)
{
    unsigned i = s->config.n_modules;
    if (i == MACHINE_MODULES)
        return error_set(err, "-initrd: there are more than %d modules", MACHINE_MODULES);
    size_t path_len = strcspn(item, " ");
    const char *path = options_string(s->o, item, path_len), *slash = strrchr(path, '/');
    char *numbered = alloc_format("module%u", i);
    const char *role = i ? options_string(s->o, numbered, strlen(numbered)) : role_names[ROLE_INITRD];
    free(numbered);
    struct host_file *f = &s->file[ROLE_MODULE + i];
    if (!read_listed(s, f, role, i ? "module" : role, i == 0 && s->o->initrd_moved ? s->o->initrd_moved : path, err))
        return false;
    s->config.module[s->config.n_modules++] = (struct machine_module){
        { f->path, f->data, f->size }, slash ? item + (slash + 1 - path) : item };
    return true;
}

/* Modules are separated by commas; a comma within one is written twice. */
static bool read_modules(struct setup *s, struct error *err)
{
    char *list = arena_alloc(&s->o->strings, strlen(s->o->initrd) + 1), *item = list, *to = list;
    for (const char *p = s->o->initrd;; p++) {
        if (p[0] == ',' && p[1] == ',') {
            *to++ = *++p;
        } else if (*p && *p != ',') {
            *to++ = *p;
        } else {
            *to++ = 0;
            if (!read_module(s, item, err))
                return false;
            item = to;
            if (!*p)
                return true;
        }
    }
}

static bool read_initrd(struct setup *s, struct error *err)
{
    if (!s->o->initrd)
        return true;
    if (multiboot_detect(&s->config.kernel))
        return read_modules(s, err);
    return read_role(s, ROLE_INITRD, s->o->initrd_moved ? s->o->initrd_moved : s->o->initrd, &s->config.initrd, err);
}

static bool read_fw_cfg(struct setup *s, struct error *err)
{
    for (unsigned i = 0; i < s->config.n_fw_cfg; i++) {
        struct machine_fw_cfg_file *to = &s->config.fw_cfg[i];
        struct host_file *f = &s->file[ROLE_FW_CFG + i];
        if (!s->o->fw_cfg_file[i])
            continue;
        char *text = alloc_format("fw_cfg:%s", to->name);
        const char *role = options_string(s->o, text, strlen(text));
        free(text);
        if (!read_listed(s, f, role, role, s->o->fw_cfg_file[i], err))
            return false;
        to->data = f->data;
        to->size = f->size;
    }
    return true;
}

static bool read_bios(struct setup *s, struct error *err)
{
    const char *name = s->o->bios;
    if (!name && s->o->kernel)
        return true;    /* direct boot needs no firmware */
    if (!name)
        name = DEFAULT_BIOS;
    char *path = find_firmware(s->o, name);
    bool ok = read_role(s, ROLE_BIOS, path, &s->config.bios, err);
    if (!ok && !s->o->bios)
        error_prefix(err, "there is no -kernel and the default firmware is missing (Debian's package seabios)");
    free(path);
    return ok;
}

static void print_line(void *opaque, enum sink_level level, const char *text)
{
    struct setup *s = opaque;
    if (level == SINK_DEBUG || (level == SINK_GUEST && !(s->o->trace.items & TRACE_GUEST_ERRORS)))
        return;
    FILE *to = level == SINK_GUEST ? s->messages : stderr;
    fprintf(to, "%s: ", s->o->program);
    say_text(to, text);
    fputc('\n', to);
}

bool setup_files(struct setup *s, struct options *o, struct error *err)
{
    *s = (struct setup){ .o = o, .config = o->machine, .messages = stderr };
    s->config.memory = host_memory;
    s->config.engine.code = &host_code;
    s->config.sink = (struct sink){ print_line, s };
    bool ok = (!o->kernel || read_role(s, ROLE_KERNEL, o->kernel, &s->config.kernel, err)) &&
              read_initrd(s, err) && read_bios(s, err) && read_fw_cfg(s, err);
    if (!ok)
        setup_free(s, false);
    return ok;
}

/* ---- outputs ------------------------------------------------------------------------------ */

/* Writing to path for option would destroy what else the run reads or writes. */
static bool check_output(const struct setup *s, const char *option, const char *path, struct error *err)
{
    const struct options *o = s->o;
    for (size_t i = 0; i < s->n_listed; i++)
        if (host_same_file(path, s->listed[i].path))
            return error_set(err, "%s: '%s' is the %s of this machine", option, path, s->listed[i].role);
    if (o->rrfile && path != o->rrfile && host_same_file(path, o->rrfile))
        return error_set(err, "%s: '%s' is the log of this run", option, path);
    if (o->log_path && path != o->log_path && host_same_file(path, o->log_path))
        return error_set(err, "%s: '%s' is also what -D names", option, path);
    return true;
}

static bool check_outputs(const struct setup *s, struct error *err)
{
    const struct options *o = s->o;
    if (o->rr == RR_RECORD && !check_output(s, "rrfile", o->rrfile, err))
        return false;
    if (o->log_path && !check_output(s, "-D", o->log_path, err))
        return false;
    for (unsigned i = 0; i < o->n_chardevs; i++) {
        const struct chardev_spec *a = &o->chardev[i].spec;
        if (a->kind != CHARDEV_FILE)
            continue;
        if (!check_output(s, a->id, a->path, err))
            return false;
        for (unsigned k = 0; k < i; k++)
            if (o->chardev[k].spec.kind == CHARDEV_FILE && host_same_file(a->path, o->chardev[k].spec.path))
                return error_set(err, "%s: '%s' is also the file of %s", a->id, a->path, o->chardev[k].spec.id);
    }
    return true;
}

static void put_trace(void *opaque, const char *text, size_t len)
{
    const struct setup *s = opaque;
    fwrite(text, 1, len, s->messages);
}

static void name_code(void *opaque, uint64_t address, size_t size, const char *name)
{
    const struct setup *s = opaque;
    host_perf_map_add(s->perf_map, address, size, name);
}

/* Until the run starts the file stays as it is. */
static bool open_trace_file(struct setup *s, const char *path, struct error *err)
{
    if (!host_output_open(&s->trace_file, path, false, err))
        return error_prefix(err, "-D");
    FILE *f = open_memstream(&s->early, &s->early_len);
    if (!f)
        return error_set(err, "-D: %s", strerror(errno));
    s->messages = f;
    return true;
}

static void close_messages(struct setup *s)
{
    if (s->messages != stderr)
        fclose(s->messages);
    s->messages = stderr;
}

bool setup_start_outputs(struct setup *s, struct error *err)
{
    if (!s->trace_file.path)
        return true;
    FILE *f = fdopen(dup(s->trace_file.fd), "w");
    if (!f)
        return error_set(err, "-D: cannot write '%s': %s", s->trace_file.path, strerror(errno));
    host_output_start(&s->trace_file);
    close_messages(s);
    s->messages = f;
    fwrite(s->early, 1, s->early_len, f);
    return true;
}

bool setup_outputs(struct setup *s, struct error *err)
{
    const struct options *o = s->o;
    if (!check_outputs(s, err) || (o->log_path && !open_trace_file(s, o->log_path, err)))
        return false;
    if (o->perf_map && !(s->perf_map = host_perf_map_new(err)))
        return false;
    if (o->perf_map || o->trace.items & ~(unsigned)TRACE_GUEST_ERRORS) {
        s->trace = trace_new(&o->trace, &(struct trace_output){ put_trace, o->perf_map ? name_code : NULL, s });
        trace_wire_engine(s->trace, &s->config.engine.trace);
    }
    return true;
}

/* ---- character devices ------------------------------------------------------------------ */

static struct chardev *device(struct setup *s, unsigned index) { return index ? s->chardev[index - 1] : NULL; }

bool setup_chardevs(struct setup *s, struct error *err)
{
    for (unsigned i = 0; i < s->o->n_chardevs; i++) {
        const struct option_chardev *c = &s->o->chardev[i];
        struct chardev_spec spec = c->spec;
        spec.monitor = c->monitor && c->used;
        if (c->present && !(s->chardev[i] = host_chardev_new(&spec, err))) {
            setup_close_chardevs(s, false);
            return false;
        }
    }
    for (unsigned i = 0; i < MACHINE_SERIALS; i++)
        s->config.serial[i] = device(s, s->o->serial[i]);
    s->config.debugcon = device(s, s->o->debugcon);
    return true;
}

static void quit(void *opaque) { host_quit(); }

void setup_monitors(struct setup *s, struct machine *machine, struct input_port *port, const char *fixed)
{
    for (unsigned i = 0; i < s->o->n_chardevs; i++) {
        const struct option_chardev *c = &s->o->chardev[i];
        if (!c->monitor || !c->present)
            continue;
        struct chardev *front = c->used ? chardev_stdio_monitor(s->chardev[i]) : s->chardev[i];
        s->monitor[i] = monitor_new(&(struct monitor_config){ machine, port, front, "reprise " REPRISE_VERSION, fixed,
                                                              quit, NULL });
    }
}

void setup_stop_monitors(struct setup *s, const char *why)
{
    for (unsigned i = 0; i < OPTIONS_CHARDEVS; i++)
        if (s->monitor[i])
            monitor_stopped(s->monitor[i], why);
}

void setup_close_chardevs(struct setup *s, bool started)
{
    for (unsigned i = 0; i < OPTIONS_CHARDEVS; i++) {
        if (s->chardev[i]) {
            if (started)
                s->chardev[i]->ops->flush(s->chardev[i]);
            s->chardev[i]->ops->close(s->chardev[i]);
            s->chardev[i] = NULL;
        }
    }
}

void setup_free(struct setup *s, bool started)
{
    setup_close_chardevs(s, false);
    for (unsigned i = 0; i < OPTIONS_CHARDEVS; i++)
        monitor_free(s->monitor[i]);
    for (unsigned i = 0; i < SETUP_FILES; i++)
        host_file_free(&s->file[i]);
    trace_free(s->trace);
    host_perf_map_close(s->perf_map, started);
    s->trace = NULL;
    s->perf_map = NULL;
    close_messages(s);
    free(s->early);
    s->early = NULL;
    host_output_close(&s->trace_file);
}
