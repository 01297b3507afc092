/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A machine from a log's header alone, and its run. */
#include "cli/command.h"
#include "cli/engine_option.h"

static bool file_option(struct rebuild *b, const char *text, struct error *err)
{
    const char *eq = strchr(text, '=');
    for (unsigned i = 0; eq && i < ROLES; i++) {
        if (strlen(role_names[i]) == (size_t)(eq - text) && !memcmp(text, role_names[i], (size_t)(eq - text))) {
            b->file[i] = eq + 1;
            return true;
        }
    }
    if (eq && !strncmp(text, "fw_cfg:", 7) && b->n_fw_cfg < MACHINE_FW_CFG_FILES) {
        b->fw_cfg[b->n_fw_cfg++] = text;
        return true;
    }
    return error_set(err, "--file: '%s' is not ROLE=PATH with ROLE kernel, initrd, bios or fw_cfg:NAME", text);
}

bool rebuild_argument(struct rebuild *b, struct arguments *a, const char *arg, bool *ok, struct error *err)
{
    struct engine_config any = { 0 };
    const char *value;
    if (argument_is(arg, "--file"))
        *ok = (value = argument_value(a, arg, "--file", err)) && file_option(b, value, err);
    else if (argument_is(arg, "--engine"))
        *ok = (b->engine = argument_value(a, arg, "--engine", err)) &&
              engine_option("--engine", b->engine, &any, err);
    else
        return false;
    return true;
}

static const char *recorded_path(const struct log_machine *m, const char *role)
{
    for (size_t i = 0; i < m->n_files; i++)
        if (!strcmp(m->files[i].role, role))
            return m->files[i].path;
    return NULL;
}

/* Is text "fw_cfg:NAME=PATH"?  The path. */
static const char *moved_to(const char *text, const char *name)
{
    size_t n = strlen(name);
    return !strncmp(text + 7, name, n) && text[7 + n] == '=' ? text + 8 + n : NULL;
}

static bool choose_fw_cfg_files(const struct rebuild *b, struct options *o, struct error *err)
{
    for (unsigned k = 0; k < b->n_fw_cfg; k++) {
        bool used = false;
        for (unsigned i = 0; i < o->machine.n_fw_cfg && !used; i++) {
            const char *path = o->fw_cfg_file[i] ? moved_to(b->fw_cfg[k], o->machine.fw_cfg[i].name) : NULL;
            if (path)
                o->fw_cfg_file[i] = path;
            used = path != NULL;
        }
        if (!used)
            return error_set(err, "--file: the recorded machine has no file '%s'", b->fw_cfg[k]);
    }
    for (unsigned i = 0; i < o->machine.n_fw_cfg; i++)
        if (o->fw_cfg_file[i] && !host_file_exists(o->fw_cfg_file[i]))
            return error_set(err, "the file '%s' for fw_cfg is no longer there: say --file fw_cfg:%s=PATH",
                             o->fw_cfg_file[i], o->machine.fw_cfg[i].name);
    return true;
}

static bool choose_files(const struct log_machine *m, const struct rebuild *b, struct options *o, struct error *err)
{
    const char **path[ROLES] = { &o->kernel, &o->initrd_moved, &o->bios };
    for (unsigned i = 0; i < ROLES; i++)
        if (b->file[i] && !recorded_path(m, role_names[i]))
            return error_set(err, "--file: the recorded machine has no %s", role_names[i]);
    for (unsigned i = 0; i < ROLES; i++) {
        const char *recorded = recorded_path(m, role_names[i]);
        *path[i] = b->file[i] ? b->file[i] : recorded;
        if (!b->file[i] && recorded && !host_file_exists(recorded))
            return error_set(err, "the %s '%s' is no longer there: say --file %s=PATH", role_names[i], recorded,
                             role_names[i]);
    }
    return true;
}

/* Takes every back end away from the devices: a log from elsewhere is no reason to write any file. */
static void silence(struct options *o)
{
    o->log_path = NULL;
    o->trace = (struct trace_config){ 0 };
    o->perf_map = false;
    for (unsigned i = 0; i < o->n_chardevs; i++)
        o->chardev[i].spec = (struct chardev_spec){ .kind = CHARDEV_NULL, .id = o->chardev[i].spec.id };
    for (unsigned i = 0; i < o->n_chardevs; i++)
        o->chardev[i].monitor = false;
}

static bool choose_serials(const struct rebuild *b, struct options *o, struct error *err)
{
    unsigned given = 0;
    for (unsigned i = 0; i < MACHINE_SERIALS && !b->silent; i++) {
        if (!o->serial[i] || !o->chardev[o->serial[i] - 1].present)
            continue;
        const char *device = given < b->n_serial ? b->serial[given] : !given && !b->n_serial ? "mon:stdio" : "null";
        char id[] = "replay0";
        id[6] = (char)('0' + i);
        if (!strcmp(device, "none"))
            device = "null";   /* the guest has the port, whether we look or not */
        if (!chardev_option_device(o, "--serial", device, id, &o->serial[i], err))
            return false;
        given++;
    }
    return given >= b->n_serial || b->silent ||
           error_set(err, "--serial: the recorded machine has %u serial ports", given);
}

bool rebuild_options(const struct log_machine *recorded, const struct rebuild *b, struct options *o,
                     struct error *err)
{
    if (!parse_recorded(recorded, o, err))
        return false;
    o->rr = RR_REPLAY;
    o->rrfile = b->log;
    if (b->engine && !engine_option("--engine", b->engine, &o->machine.engine, err))
        return false;
    silence(o);
    return choose_files(recorded, b, o, err) && choose_fw_cfg_files(b, o, err) && choose_serials(b, o, err);
}

bool rebuild_run(const struct command *self, const char *path, const struct rebuild *b, struct rebuilt *r)
{
    struct error err;
    struct run_request q = { .o = &r->o, .recorded = &r->recorded, .progress = self->name };
    r->o = (struct options){ 0 };
    bool ok = host_signals_start(&err) && (q.log = open_log(path, &r->recorded, &err));
    if (ok && !(ok = rebuild_options(&r->recorded, b, &r->o, &err))) {
        log_close(q.log);
        options_free(&r->o);
    }
    if (ok)
        r->ok = run_machine(&q, &r->result);
    else
        command_fail(self, &err);
    return ok;
}
