/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A machine: what a board wires together, and the loop that runs it.
 *
 * Lifecycle: fill a machine_config (cli does), machine_new() wires the board
 * on a sim and an input port, machine_run() until it says why it stopped,
 * machine_free().  Two machines can live in one process.
 */
#ifndef REPRISE_BOARD_MACHINE_H
#define REPRISE_BOARD_MACHINE_H

#include "base/error.h"
#include "dev/chardev.h"
#include "engine/engine.h"
#include "mem/ram.h"
#include "sim/input.h"

enum { MACHINE_SERIALS = 4, MACHINE_MAX_CPUS = 32, MACHINE_FW_CFG_FILES = 16, MACHINE_MODULES = 16 };

/* A file's contents, read by the host before wiring (so that it can be hashed into the log). */
struct machine_blob {
    const char *path;      /* for messages; NULL: not given */
    const uint8_t *data;
    size_t size;
};

/* What a Multiboot kernel gets beside itself. */
struct machine_module {
    struct machine_blob blob;
    const char *text;      /* its name and arguments, as the kernel sees them */
};

/* A file that the user gives to the firmware or guest through fw_cfg: -fw_cfg. */
struct machine_fw_cfg_file {
    const char *name;      /* at most 55 characters */
    const void *data;
    size_t size;
};

/* -boot.  Letters: a floppy, c disk, d CD-ROM, n network. */
struct machine_boot {
    const char *order;     /* NULL: "cad" */
    const char *once;      /* in place of order until the first reset */
    bool menu, strict;     /* strict: nothing but what order names */
    bool has_menu_wait;
    uint16_t menu_wait_ms; /* splash-time: how long the menu's prompt stays, if has_menu_wait */
    uint32_t fail_wait_ms; /* reboot-timeout: from a failed boot to the next try; UINT32_MAX: for ever */
};

struct machine_config {
    const char *machine;        /* "pc" (or "pc-i440fx-*"): -M */
    const char *cpu;            /* -cpu, or NULL for the board's default */
    bool is_64bit;              /* reprise-system-x86_64 rather than -i386 */
    unsigned cpus;              /* -smp */
    uint64_t ram_bytes;         /* -m */
    struct machine_blob bios;   /* firmware image; used when there is no kernel, or always if given by -bios */
    struct machine_blob kernel, initrd;         /* the initrd of a Linux kernel */
    struct machine_module module[MACHINE_MODULES];   /* of a Multiboot kernel */
    unsigned n_modules;
    const char *append;
    struct chardev *serial[MACHINE_SERIALS];   /* -serial; NULL: no UART (or none for slots the user did not name) */
    struct chardev *debugcon;   /* isa-debugcon's output, NULL: absent */
    uint16_t debugcon_port;     /* 0xe9 unless said */
    uint16_t debug_exit_port;   /* isa-debug-exit, 0: absent */
    uint16_t debug_exit_size;
    uint8_t debugcon_readback;  /* what reads of it give: 0xe9 unless said */
    uint16_t pvpanic_port;      /* 0: absent; 0x505 unless said */
    uint8_t pvpanic_events;     /* dev/isa_debug.h: those that the guest is told of */
    bool panic_stops;           /* a panic reported through pvpanic ends the run */
    uint8_t uuid[16];           /* -uuid, in the order in which it is written; all zero: none given */
    bool no_reboot, no_shutdown;
    bool rtc_utc;               /* -rtc base */
    bool rtc_clock_vm;          /* -rtc clock=vm: the RTC follows virtual time */
    uint64_t rtc_start;         /* -rtc base=DATE: seconds since 1970; 0: host time now */
    struct machine_boot boot;
    struct machine_fw_cfg_file fw_cfg[MACHINE_FW_CFG_FILES];
    unsigned n_fw_cfg;
    uint64_t quantum;           /* positions a vCPU runs in turn; 0: default */
    struct engine_config engine;
    struct host_memory memory;
    struct sink sink;
};

struct machine;

/* Is this a name of a machine that there is? */
bool machine_known(const char *name);

/* sim and port are borrowed; port is already sim's. */
struct machine *machine_new(const struct machine_config *config, struct sim *sim, struct input_port *port,
                            struct error *err);
void machine_free(struct machine *m);

enum machine_stop {
    MACHINE_QUIT,        /* the host asked (signal, Ctrl-A x), recorded */
    MACHINE_POWEROFF,    /* the guest powered off */
    MACHINE_RESET_STOP,  /* the guest reset and -no-reboot was given */
    MACHINE_DEBUG_EXIT,  /* isa-debug-exit: exit status in machine_exit_code */
    MACHINE_GUEST_PANIC, /* the guest reported through pvpanic that it panicked, and panic_stops */
    MACHINE_BROKEN,      /* the machine could not be reset; machine_stop_text says why */
    MACHINE_INPUT_END,   /* replay's end, divergence, or log error: see input_status */
    MACHINE_LIMIT,       /* reached the position given to machine_run */
    MACHINE_STUCK,       /* every vCPU halted for ever */
};

/* Runs until it stops or the position reaches limit (UINT64_MAX: none).  May be called again after MACHINE_LIMIT. */
enum machine_stop machine_run(struct machine *m, uint64_t limit);
int machine_exit_code(const struct machine *m);     /* for MACHINE_DEBUG_EXIT */
const char *machine_stop_text(const struct machine *m, enum machine_stop why);  /* one phrase: "guest powered off" */

/* State hash of everything: descriptors, RAM. */
uint64_t machine_hash(struct machine *m);

struct sim *machine_sim(struct machine *m);
struct vcpu *machine_vcpu(struct machine *m, unsigned i);
unsigned machine_vcpus(const struct machine *m);
unsigned machine_current(const struct machine *m);      /* the vCPU whose turn it is */
struct engine *machine_engine(struct machine *m);
struct space *machine_memory(struct machine *m);
struct ram *machine_ram(struct machine *m);

#endif
