/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A machine from a log's header alone. */
#include "cli/command.h"
#include "cli/engine_option.h"

bool rebuild_file_option(struct rebuild *b, const char *text, struct error *err)
{
    const char *eq = strchr(text, '=');
    for (unsigned i = 0; eq && i < ROLES; i++) {
        if (strlen(role_names[i]) == (size_t)(eq - text) && !memcmp(text, role_names[i], (size_t)(eq - text))) {
            b->file[i] = eq + 1;
            return true;
        }
    }
    return error_set(err, "--file: '%s' is not ROLE=PATH with ROLE kernel, initrd or bios", text);
}

static const char *recorded_path(const struct log_machine *m, const char *role)
{
    for (size_t i = 0; i < m->n_files; i++)
        if (!strcmp(m->files[i].role, role))
            return m->files[i].path;
    return NULL;
}

static bool choose_files(const struct log_machine *m, const struct rebuild *b, struct options *o, struct error *err)
{
    const char **path[ROLES] = { &o->kernel, &o->initrd, &o->bios };
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

/* Takes every back end away from the devices. */
static void silence(struct options *o)
{
    for (unsigned i = 0; i < o->n_chardevs; i++)
        o->chardev[i].spec = (struct chardev_spec){ .kind = CHARDEV_NULL, .id = o->chardev[i].spec.id };
}

static bool choose_serials(const struct rebuild *b, struct options *o, struct error *err)
{
    unsigned given = 0;
    for (unsigned i = 0; i < MACHINE_SERIALS && !b->silent; i++) {
        if (!o->serial[i] || !o->chardev[o->serial[i] - 1].present)
            continue;
        const char *device = given < b->n_serial ? b->serial[given] : !given && !b->n_serial ? "stdio" : "null";
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
    o->log_path = NULL;
    if (b->engine && !engine_option("--engine", b->engine, &o->machine.engine, err))
        return false;
    silence(o);
    return choose_files(recorded, b, o, err) && choose_serials(b, o, err);
}
