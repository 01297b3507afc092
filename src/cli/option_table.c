/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One handler for each option: checks the value and notes it in struct options. */
#include "cli/option_table.h"

#include <ctype.h>

#include "cli/engine_option.h"
#include "cli/option_time.h"
#include "cli/optvalue.h"

#define MAX_RAM (UINT64_C(8) << 30)
#define PAGE UINT64_C(4096)

/* An option whose value is kept as it is. */
#define STRING(name, field)                                               \
    static bool name(struct options *o, const char *v, struct error *err) \
    {                                                                     \
        o->field = v;                                                     \
        return true;                                                      \
    }
STRING(set_kernel, kernel)
STRING(set_initrd, initrd)
STRING(set_append, machine.append)
STRING(set_bios, bios)
STRING(set_log_path, log_path)

#define FLAG(name, field)                                                 \
    static bool name(struct options *o, const char *v, struct error *err) \
    {                                                                     \
        o->field = true;                                                  \
        return true;                                                      \
    }
FLAG(set_no_reboot, machine.no_reboot)
FLAG(set_no_shutdown, machine.no_shutdown)
FLAG(set_nodefaults, nodefaults)
FLAG(set_nographic, nographic)
FLAG(set_perf_map, perf_map)
FLAG(set_help, help)
FLAG(set_version, version)

static bool is_help(const char *v) { return !strcmp(v, "help") || !strcmp(v, "?"); }

static bool set_accel(struct options *o, const char *v, struct error *err)
{
    return engine_option("-accel", v, &o->machine.engine, err);
}

/* What other machines let one choose and this one has one way only. */
static const struct {
    const char *key;
    bool value;
} fixed_properties[] = { { "acpi", true }, { "hpet", true }, { "usb", false }, { "graphics", false },
                         { "vmport", false } };

static bool take_fixed_properties(struct optlist *l, struct error *err)
{
    for (size_t i = 0; i < ARRAY_LEN(fixed_properties); i++) {
        bool value = fixed_properties[i].value;
        if (!optlist_take_bool(l, fixed_properties[i].key, &value, err))
            return false;
        if (value != fixed_properties[i].value)
            return error_set(err, "-machine: this machine always has %s=%s", fixed_properties[i].key,
                             value ? "off" : "on");
    }
    return true;
}

static bool set_machine(struct options *o, const char *v, struct error *err)
{
    struct optlist l;
    if (is_help(v)) {
        o->machine_help = true;
        return true;
    }
    if (!optlist_parse(&l, "-machine", v, "type", err))
        return false;
    const char *type = optlist_take(&l, "type"), *accel = optlist_take(&l, "accel");
    if (type && !machine_known(type)) {
        error_set(err, "-machine: there is no machine '%s' (there is pc)", type);
        return optlist_fail(&l);
    }
    if (type)
        o->machine.machine = options_string(o, type, strlen(type));
    if ((accel && !engine_option_any("-machine", accel, &o->machine.engine, err)) || !take_fixed_properties(&l, err))
        return optlist_fail(&l);
    return optlist_done(&l, err);
}

static bool set_cpu(struct options *o, const char *v, struct error *err)
{
    o->cpu_help = is_help(v);
    o->machine.cpu = v;
    return true;
}

/* A number that is missing or the only one it can be. */
static bool is_number(struct optlist *l, const char *key, uint64_t only)
{
    const char *v = optlist_take(l, key);
    uint64_t n;
    return !v || (parse_number(v, only, &n) && n == only);
}

/* Every CPU is a socket of its own, so a topology may say that and nothing else. */
static bool set_smp(struct options *o, const char *v, struct error *err)
{
    struct optlist l;
    uint64_t n = 0;
    if (!optlist_parse(&l, "-smp", v, "cpus", err))
        return false;
    const char *cpus = optlist_take(&l, "cpus");
    if (!cpus || !parse_number(cpus, MACHINE_MAX_CPUS, &n) || !n || !is_number(&l, "cores", 1) ||
        !is_number(&l, "threads", 1) || !is_number(&l, "sockets", n) || !is_number(&l, "maxcpus", n)) {
        error_set(err, "-smp: '%s' is not a number of CPUs from 1 to %d, each a socket of its own", v,
                  MACHINE_MAX_CPUS);
        return optlist_fail(&l);
    }
    o->machine.cpus = (unsigned)n;
    return optlist_done(&l, err);
}

static bool set_memory(struct options *o, const char *v, struct error *err)
{
    struct optlist l;
    uint64_t bytes = 0;
    if (!optlist_parse(&l, "-m", v, "size", err))
        return false;
    const char *size = optlist_take(&l, "size");
    if (!size || !parse_size(size, &bytes) || bytes < (1 << 20) || bytes > MAX_RAM || bytes % PAGE) {
        error_set(err, "-m: '%s' is not a memory size from 1 MiB to 8 GiB in whole pages", size ? size : v);
        return optlist_fail(&l);
    }
    o->machine.ram_bytes = bytes;
    return optlist_done(&l, err);
}

static bool set_dir(struct options *o, const char *v, struct error *err)
{
    if (o->n_dirs == OPTIONS_DIRS)
        return error_set(err, "-L: there are more than %d directories", OPTIONS_DIRS);
    o->dir[o->n_dirs++] = v;
    return true;
}

static bool set_serial(struct options *o, const char *v, struct error *err)
{
    char id[] = "serial0";
    if (o->n_serial == MACHINE_SERIALS || o->serial[o->n_serial])
        return error_set(err, "-serial: the machine has %d serial ports", MACHINE_SERIALS);
    id[6] = (char)('0' + o->n_serial);
    return chardev_option_device(o, "-serial", v, id, &o->serial[o->n_serial++], err);
}

static bool set_debugcon(struct options *o, const char *v, struct error *err)
{
    if (o->debugcon)
        return error_set(err, "-debugcon: there is a debug console already");
    return chardev_option_device(o, "-debugcon", v, "debugcon", &o->debugcon, err);
}

static bool only_none(const char *option, const char *v, const char *what, struct error *err)
{
    return !strcmp(v, "none") || error_set(err, "%s: there is no %s yet, so '%s' cannot be had; say '%s none'", option,
                                           what, v, option);
}

static bool set_display(struct options *o, const char *v, struct error *err)
{
    return only_none("-display", v, "display", err);
}

static bool set_vga(struct options *o, const char *v, struct error *err)
{
    return only_none("-vga", v, "display adapter", err);
}

static bool set_monitor(struct options *o, const char *v, struct error *err)
{
    return chardev_option_monitor(o, "-monitor", v, err);
}

static bool set_net(struct options *o, const char *v, struct error *err)
{
    return only_none("-net", v, "network", err);
}

static bool set_nic(struct options *o, const char *v, struct error *err)
{
    return only_none("-nic", v, "network", err);
}

static bool boot_letters(struct options *o, struct optlist *l, const char *key, const char **out, struct error *err)
{
    const char *order = optlist_take(l, key);
    if (order && (!*order || order[strspn(order, "acdn")]))
        return error_set(err, "-boot: %s is made of the letters a, c, d and n, not '%s'", key, order);
    for (const char *p = order; p && *p; p++)
        if (strchr(p + 1, *p))
            return error_set(err, "-boot: %s names '%c' twice", key, *p);
    if (order)
        *out = options_string(o, order, strlen(order));
    return true;
}

static bool set_boot(struct options *o, const char *v, struct error *err)
{
    struct optlist l;
    struct machine_boot *b = &o->machine.boot;
    uint64_t menu_wait = UINT64_MAX, fail_wait = UINT64_MAX;
    if (!optlist_parse(&l, "-boot", v, "order", err))
        return false;
    const char *timeout = optlist_take(&l, "reboot-timeout");
    if (timeout && strcmp(timeout, "-1") != 0 && !parse_number(timeout, 0xffff, &fail_wait)) {
        error_set(err, "-boot: reboot-timeout is -1 or a number of milliseconds up to 65535, not '%s'", timeout);
        return optlist_fail(&l);
    }
    if (!boot_letters(o, &l, "order", &b->order, err) || !boot_letters(o, &l, "once", &b->once, err) ||
        !optlist_take_bool(&l, "menu", &b->menu, err) || !optlist_take_bool(&l, "strict", &b->strict, err) ||
        !optlist_take_number(&l, "splash-time", 0xffff, &menu_wait, err))
        return optlist_fail(&l);
    if (menu_wait != UINT64_MAX) {
        b->has_menu_wait = true;
        b->menu_wait_ms = (uint16_t)menu_wait;
    }
    if (timeout)
        b->fail_wait_ms = (uint32_t)fail_wait;
    return optlist_done(&l, err);
}

static bool set_name(struct options *o, const char *v, struct error *err)
{
    struct optlist l;
    if (!optlist_parse(&l, "-name", v, "guest", err))
        return false;
    const char *name = optlist_take(&l, "guest");
    o->name = name ? options_string(o, name, strlen(name)) : NULL;
    return optlist_done(&l, err);
}

/* One of the words of a list that ends with NULL: its index. */
static bool take_word(struct optlist *l, const char *key, const char *const *words, unsigned *out, struct error *err)
{
    const char *v = optlist_take(l, key);
    for (unsigned i = 0; v && words[i]; i++) {
        if (!strcmp(v, words[i])) {
            *out = i;
            return true;
        }
    }
    return !v || error_set(err, "%s: there is no %s=%s", l->option, key, v);
}

static bool set_action(struct options *o, const char *v, struct error *err)
{
    static const char *const on_reboot[] = { "reset", "shutdown", NULL };
    static const char *const on_shutdown[] = { "poweroff", "pause", NULL };
    static const char *const on_panic[] = { "shutdown", "pause", "exit-failure", "none", NULL };
    struct optlist l;
    unsigned reboot = o->machine.no_reboot, shutdown = o->machine.no_shutdown, panic_ = o->panic;
    if (!optlist_parse(&l, "-action", v, NULL, err))
        return false;
    if (!take_word(&l, "reboot", on_reboot, &reboot, err) || !take_word(&l, "shutdown", on_shutdown, &shutdown, err) ||
        !take_word(&l, "panic", on_panic, &panic_, err))
        return optlist_fail(&l);
    o->machine.no_reboot = reboot;
    o->machine.no_shutdown = shutdown;
    o->panic = (enum panic_action)panic_;
    o->machine.panic_stops = o->panic != PANIC_NONE;
    return optlist_done(&l, err);
}

static bool set_fw_cfg(struct options *o, const char *v, struct error *err)
{
    struct optlist l;
    unsigned n = o->machine.n_fw_cfg;
    if (n == MACHINE_FW_CFG_FILES)
        return error_set(err, "-fw_cfg: there are more than %d files", MACHINE_FW_CFG_FILES);
    if (!optlist_parse(&l, "-fw_cfg", v, "name", err))
        return false;
    const char *name = optlist_take(&l, "name"), *file = optlist_take(&l, "file"), *text = optlist_take(&l, "string");
    bool ok = true;
    if (!name || !*name || strlen(name) > 55)
        ok = error_set(err, "-fw_cfg: name= is missing or not of 1 to 55 characters");
    else if (!file == !text || (text && !*text))
        ok = error_set(err, "-fw_cfg: '%s' needs either file=PATH or string=TEXT", name);
    for (unsigned i = 0; ok && i < n; i++)
        if (!strcmp(o->machine.fw_cfg[i].name, name))
            ok = error_set(err, "-fw_cfg: '%s' is there already", name);
    if (!ok)
        return optlist_fail(&l);
    struct machine_fw_cfg_file *f = &o->machine.fw_cfg[o->machine.n_fw_cfg++];
    f->name = options_string(o, name, strlen(name));
    if (file)
        o->fw_cfg_file[n] = options_string(o, file, strlen(file));
    else
        *f = (struct machine_fw_cfg_file){ f->name, options_string(o, text, strlen(text)), strlen(text) };
    return optlist_done(&l, err);
}

/* 8-4-4-4-12 hexadecimal digits. */
static bool set_uuid(struct options *o, const char *v, struct error *err)
{
    static const char form[] = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";
    unsigned digits = 0;
    for (size_t i = 0; i < sizeof form; i++) {
        if (form[i] == 'x' ? !isxdigit((unsigned char)v[i]) : v[i] != form[i])
            return error_set(err, "-uuid: '%s' is not of the form %s", v, form);
        if (form[i] != 'x')
            continue;
        unsigned value = isdigit((unsigned char)v[i]) ? v[i] - '0' : (v[i] | 32) - 'a' + 10;
        uint8_t *byte = &o->machine.uuid[digits++ / 2];
        *byte = (uint8_t)(*byte << 4 | value);
    }
    return true;
}

static bool set_trace(struct options *o, const char *v, struct error *err)
{
    o->trace_help = is_help(v);
    return o->trace_help || trace_parse_items(v, &o->trace, err);
}

static bool set_trace_filter(struct options *o, const char *v, struct error *err)
{
    return trace_parse_filter(v, &o->trace, err);
}

const struct option_entry option_table[] = {
    { "M", "MACHINE", set_machine, "the board: pc (-M help lists them)" },
    { "machine", "MACHINE", set_machine, NULL },
    { "cpu", "MODEL[,+F,-F]", set_cpu, "the CPU model and its features (-cpu help lists them)" },
    { "smp", "N", set_smp, "number of CPUs, 1 to 32 (1)" },
    { "m", "SIZE", set_memory, "memory in MiB, or with K, M, G; up to 8G (128)" },
    { "kernel", "FILE", set_kernel, "boot this Linux bzImage or Multiboot image directly" },
    { "initrd", "FILE", set_initrd, "its initial RAM disk (Multiboot: its modules, \"FILE ARGS,FILE ARGS\")" },
    { "append", "TEXT", set_append, "its command line" },
    { "bios", "FILE", set_bios, "firmware image (/usr/share/seabios/bios-256k.bin)" },
    { "L", "DIR", set_dir, "look for firmware here first" },
    { "boot", "[order=ORDER][,once=ORDER][,menu=on][,splash-time=MS][,reboot-timeout=MS][,strict=on]", set_boot,
      "what the firmware boots: a floppy, c disk, d CD-ROM, n network" },
    { "fw_cfg", "[name=]NAME,file=PATH|string=TEXT", set_fw_cfg, "a file for the firmware or the guest" },
    { "serial", "DEV", set_serial,
      "next serial port: stdio, mon:stdio, pty, null, none, file:PATH, pipe:PATH, "
      "tcp:[HOST]:PORT[,server=on][,wait=off][,reconnect=SECONDS], unix:PATH[,..], chardev:ID (null)" },
    { "chardev", "BACKEND,id=ID[,..]", chardev_option_backend,
      "a device to connect by its id: stdio[,signal=on][,mux=on] | pty | null | file,path=PATH[,append=on] | "
      "pipe,path=PATH | socket,path=PATH or socket,port=PORT[,host=HOST], "
      "[,server=on][,wait=off][,reconnect=SECONDS]" },
    { "debugcon", "DEV", set_debugcon, "debug console at port 0xe9; DEV as for -serial" },
    { "device", "NAME[,KEY=VALUE..]", device_option, "add a device (-device help lists them)" },
    { "icount", "[shift=]N|auto[,..]", set_icount,
      "a position lasts 1 << N ns (3); sleep=on|off, align=on|off; "
      "rr=record|replay,rrfile=FILE[,rrhash=POSITIONS]" },
    { "rtc", "[base=utc|localtime|DATE][,clock=host|vm]", set_rtc, "the guest's calendar clock" },
    { "accel", "ENGINE[,tb-size=MB][,perturb=SEED]", set_accel,
      "the engine: interp, jit, or tcg for the fastest there is; memory for its translations; "
      "a test of it: vary at random what must not matter", true },
    { "display", "none", set_display, "no display (which is the default)" },
    { "vga", "none", set_vga, "no display adapter" },
    { "monitor", "DEV", set_monitor, "a monitor there; DEV as for -serial, none (which is the default) for none" },
    { "mon", "[chardev=]ID[,mode=readline]", chardev_option_mon,
      "the same on a -chardev; with mux=on beside its serial port, behind Ctrl-A c" },
    { "net", "none", set_net, "no network" },
    { "nic", "none", set_nic, NULL },
    { "nographic", NULL, set_nographic, "first serial port on this terminal: -serial mon:stdio" },
    { "nodefaults", NULL, set_nodefaults, "no serial port unless one is named" },
    { "no-reboot", NULL, set_no_reboot, "end when the guest resets" },
    { "no-shutdown", NULL, set_no_shutdown, "wait for a signal when the guest powers off" },
    { "action", "panic=WHAT[,reboot=..][,shutdown=..]", set_action,
      "panic=shutdown|pause|exit-failure|none (with pvpanic); "
      "reboot=shutdown is -no-reboot, shutdown=pause -no-shutdown" },
    { "name", "NAME", set_name, "a name for the machine, kept in recordings" },
    { "uuid", "UUID", set_uuid, "the machine's identity, for firmware" },
    { "d", "ITEM[,..]", set_trace, "show what happens: in_asm, exec, int, .. (-d help lists them), on stderr", true },
    { "D", "FILE", set_log_path, "show it in FILE", true },
    { "dfilter", "RANGE[,..]", set_trace_filter,
      "of blocks show those whose pc is in FIRST..LAST, START+SIZE or END-SIZE", true },
    { "perfmap", NULL, set_perf_map, "write /tmp/perf-PID.map, so that `perf report` names translated code", true },
    { "version", NULL, set_version, "print the version" },
    { "h", NULL, set_help, "print this help" },
    { "help", NULL, set_help, NULL },
    { NULL, NULL, NULL, NULL },
};
