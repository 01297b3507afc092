/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The command line of the machine programs, in QEMU's spelling.
 *
 * options_parse() only understands: it opens nothing.  machine_setup.h opens
 * files and devices, run.h runs.  Strings in struct options live as long as
 * it does: until options_free().
 */
#ifndef REPRISE_CLI_OPTIONS_H
#define REPRISE_CLI_OPTIONS_H

#include "base/alloc.h"
#include "board/machine.h"
#include "debug/trace.h"
#include "host/chardev.h"
#include "sim/sim.h"

enum {
    OPTIONS_CHARDEVS = 16,
    OPTIONS_DIRS = 8,
    DEFAULT_SHIFT = 3,
    DEFAULT_DEBUGCON_PORT = 0xe9,
    DEFAULT_DEBUG_EXIT_PORT = 0x501,
    DEFAULT_DEBUG_EXIT_SIZE = 2,
    DEFAULT_PVPANIC_PORT = 0x505,
};

/* What becomes of the run when the guest panics: -action panic=. */
enum panic_action { PANIC_SHUTDOWN, PANIC_PAUSE, PANIC_EXIT_FAILURE, PANIC_NONE };

enum rr_mode { RR_NONE, RR_RECORD, RR_REPLAY };

/* A character device that the command line made: by -chardev, or inside -serial and the like. */
struct option_chardev {
    struct chardev_spec spec;
    bool used;      /* a device is connected to it */
    bool monitor;   /* a monitor is: alone, or (with spec.escapes) beside the device */
    bool present;   /* false: "none", the device is not to exist */
};

struct options {
    const char *program;              /* "reprise-system-x86_64" */
    struct machine_config machine;    /* scalars only; blobs and chardevs are set up later */
    struct sim_config sim;
    enum rr_mode rr;
    const char *rrfile;
    uint64_t rrhash;                  /* positions between state hashes; valid if rrhash_given */
    bool rrhash_given, shift_given;
    struct option_chardev chardev[OPTIONS_CHARDEVS];
    unsigned n_chardevs;
    unsigned serial[MACHINE_SERIALS]; /* 1 + index of chardev; 0: no such port */
    unsigned n_serial;                /* ports that -serial named, from 0 on */
    unsigned debugcon;                /* 1 + index of chardev; 0: none */
    enum panic_action panic;
    const char *kernel, *initrd, *bios;
    const char *initrd_moved;         /* where the (first) initrd is now; NULL: where `initrd` says */
    const char *fw_cfg_file[MACHINE_FW_CFG_FILES];   /* -fw_cfg file=; NULL: the string is in machine.fw_cfg */
    const char *dir[OPTIONS_DIRS];    /* -L */
    unsigned n_dirs;
    const char *name;
    const char *log_path;             /* -D */
    bool nographic, nodefaults, rtc_local;
    struct trace_config trace;        /* -d, -dfilter */
    bool perf_map;
    bool trace_help, help, version, cpu_help, machine_help, device_help;
    struct arena strings;
};

/* argv[0] is skipped.  program: NAME-x86_64 or NAME-i386.  False: err is the one sentence. */
bool options_parse(int argc, char *const *argv, const char *program, struct options *out, struct error *err);
void options_free(struct options *o);
void options_print_help(const char *program);
void options_print_devices(void);

/*
 * The command line without what the guest cannot see (rr, rrfile and rrhash
 * of -icount, the engine, traces): what a log keeps.  NULL-terminated, allocated in o.
 */
const char *const *options_machine_args(struct options *o, int argc, char *const *argv, size_t *n);

/* A copy of s that lives as long as o. */
const char *options_string(struct options *o, const char *s, size_t len);

/* ---- chardev_option.c: how character devices are written ------------------------- */

/*
 * A device as -serial takes it ("stdio", "tcp::4444,server=on", "chardev:ID",
 * "none").  *index is 1 + its place in o->chardev.
 */
bool chardev_option_device(struct options *o, const char *option, const char *text, const char *id, unsigned *index,
                           struct error *err);
/* -chardev */
bool chardev_option_backend(struct options *o, const char *text, struct error *err);
/* -monitor: a device of its own as for -serial, or chardev:ID. */
bool chardev_option_monitor(struct options *o, const char *option, const char *text, struct error *err);
/* -mon [chardev=]ID[,mode=readline] */
bool chardev_option_mon(struct options *o, const char *text, struct error *err);
/* Connects a device to the -chardev called id. */
bool chardev_option_use(struct options *o, const char *option, const char *id, unsigned *index, struct error *err);

/* ---- device_option.c ------------------------------------------------------------ */

bool device_option(struct options *o, const char *text, struct error *err);

#endif
