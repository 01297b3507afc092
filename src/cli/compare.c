/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Both sides are parsed to struct options, and every trait that the guest can
 * see is written as text: comparing and telling are then the same for all.
 */
#include "cli/compare.h"

#include <stdlib.h>

enum { TRAIT_TEXT = 200 };

struct trait {
    const char *option;
    void (*write)(const struct options *o, char *out, size_t size);
};

static const char *or_default(const char *s) { return s ? s : "(default)"; }

#define TRAIT(name, ...)                                                     \
    static void name(const struct options *o, char *out, size_t size)        \
    {                                                                        \
        snprintf(out, size, __VA_ARGS__);                                    \
    }
TRAIT(write_program, "%s", o->program)
TRAIT(write_machine, "%s", o->machine.machine)
TRAIT(write_cpu, "%s", or_default(o->machine.cpu))
TRAIT(write_smp, "%u", o->machine.cpus)
TRAIT(write_memory, "%llu KiB", (unsigned long long)(o->machine.ram_bytes >> 10))
TRAIT(write_append, "%s", or_default(o->machine.append))
TRAIT(write_boot, "order=%s,once=%s,menu=%s,splash-time=%d,reboot-timeout=%d,strict=%s",
      or_default(o->machine.boot.order), or_default(o->machine.boot.once), o->machine.boot.menu ? "on" : "off",
      o->machine.boot.has_menu_wait ? o->machine.boot.menu_wait_ms : -1, (int)o->machine.boot.fail_wait_ms,
      o->machine.boot.strict ? "on" : "off")
TRAIT(write_debug_exit, "iobase=0x%x,iosize=%u", o->machine.debug_exit_port, o->machine.debug_exit_size)
TRAIT(write_debugcon, "iobase=0x%x,readback=0x%x", o->debugcon ? o->machine.debugcon_port : 0,
      o->machine.debugcon_readback)
TRAIT(write_pvpanic, "ioport=0x%x,events=%u,%s", o->machine.pvpanic_port, o->machine.pvpanic_events,
      o->machine.panic_stops ? "stopping" : "not stopping")
TRAIT(write_no_reboot, "%s", o->machine.no_reboot ? "given" : "not given")
TRAIT(write_rtc, "base=%llu,clock=%s",
      (unsigned long long)o->machine.rtc_start, o->machine.rtc_clock_vm ? "vm" : "host")

static void write_serial(const struct options *o, char *out, size_t size)
{
    size_t n = (size_t)snprintf(out, size, "ports");
    for (unsigned i = 0; i < MACHINE_SERIALS; i++)
        if (o->serial[i] && o->chardev[o->serial[i] - 1].present)
            n += (size_t)snprintf(out + n, size - n, " %u", i);
    if (n == 5)
        snprintf(out, size, "no ports");
}

static void write_shift(const struct options *o, char *out, size_t size)
{
    if (o->sim.shift_auto)
        snprintf(out, size, "shift=auto");
    else
        snprintf(out, size, "shift=%u", o->sim.shift);
}

/* FNV-1a, with the ending zero. */
static uint64_t digest(uint64_t h, const char *s)
{
    do
        h = (h ^ (uint8_t)*s) * UINT64_C(0x100000001b3);
    while (*s++);
    return h;
}

/* Names in order and strings, as one number; files are compared by their own hashes. */
static void write_fw_cfg(const struct options *o, char *out, size_t size)
{
    uint64_t h = UINT64_C(0xcbf29ce484222325);
    for (unsigned i = 0; i < o->machine.n_fw_cfg; i++)
        h = digest(digest(h, o->machine.fw_cfg[i].name), o->fw_cfg_file[i] ? "" : o->machine.fw_cfg[i].data);
    snprintf(out, size, "%u files, digest %016llx", o->machine.n_fw_cfg, (unsigned long long)h);
}

static void write_uuid(const struct options *o, char *out, size_t size)
{
    size_t n = 0;
    for (unsigned i = 0; i < sizeof o->machine.uuid; i++)
        n += (size_t)snprintf(out + n, size - n, "%02x", o->machine.uuid[i]);
}

static const struct trait traits[] = {
    { "the program", write_program },
    { "-M", write_machine },
    { "-cpu", write_cpu },
    { "-smp", write_smp },
    { "-m", write_memory },
    { "-icount", write_shift },
    { "-append", write_append },
    { "-serial", write_serial },
    { "-boot", write_boot },
    { "-rtc", write_rtc },
    { "-device isa-debug-exit", write_debug_exit },
    { "-debugcon", write_debugcon },
    { "-device pvpanic", write_pvpanic },
    { "-fw_cfg", write_fw_cfg },
    { "-uuid", write_uuid },
    { "-no-reboot", write_no_reboot },
};

bool parse_recorded(const struct log_machine *recorded, struct options *o, struct error *err)
{
    char **argv = NEW_ARRAY(char *, recorded->n_args + 2);
    argv[0] = (char *)recorded->program;
    for (size_t i = 0; i < recorded->n_args; i++)
        argv[i + 1] = (char *)recorded->args[i];
    bool ok = !strncmp(recorded->program, "reprise-system-", 15) ||
              error_set(err, "it was made by '%s', which is none of our programs", recorded->program);
    ok = ok && options_parse((int)recorded->n_args + 1, argv, recorded->program, o, err);
    if (ok && (o->help || o->version || o->cpu_help || o->machine_help || o->device_help || o->rr))
        ok = error_set(err, "its options are not those of a machine");
    if (ok)
        o->sim = recorded->sim;
    free(argv);
    return ok ? ok : error_prefix(err, "the log's header cannot be used");
}

bool compare_options(const struct options *here, const struct log_machine *recorded, struct error *err)
{
    struct options there, mine = *here;
    if (!parse_recorded(recorded, &there, err)) {
        options_free(&there);
        return false;
    }
    if (!here->shift_given)
        mine.sim = there.sim;
    bool same = true;
    for (size_t i = 0; same && i < ARRAY_LEN(traits); i++) {
        char a[TRAIT_TEXT], b[TRAIT_TEXT];
        traits[i].write(&mine, a, sizeof a);
        traits[i].write(&there, b, sizeof b);
        if (strcmp(a, b) != 0)
            same = error_set(err, "the recording was made on another machine: %s is '%s' here and '%s' there",
                             traits[i].option, a, b);
    }
    options_free(&there);
    return same;
}

bool compare_files(const struct setup *s, const struct log_machine *recorded, struct error *err)
{
    for (size_t i = 0; i < recorded->n_files; i++) {
        const struct log_input_file *want = &recorded->files[i], *have = NULL;
        for (size_t k = 0; k < s->n_listed; k++)
            if (!strcmp(s->listed[k].role, want->role))
                have = &s->listed[k];
        if (!have)
            return error_set(err, "the recording was made with a %s ('%s'), and there is none here", want->role,
                             want->path);
        if (have->size != want->size)
            return error_set(err, "'%s' is not the %s that was recorded: it has %llu bytes, not %llu", have->path,
                             want->role, (unsigned long long)have->size, (unsigned long long)want->size);
        if (have->hash != want->hash)
            return error_set(err, "'%s' is not the %s that was recorded: its contents differ", have->path, want->role);
    }
    if (s->n_listed > recorded->n_files)
        for (size_t k = 0; k < s->n_listed; k++) {
            bool known = false;
            for (size_t i = 0; i < recorded->n_files; i++)
                known |= !strcmp(s->listed[k].role, recorded->files[i].role);
            if (!known)
                return error_set(err, "the recording was made without a %s, and here is '%s'", s->listed[k].role,
                                 s->listed[k].path);
        }
    return true;
}
