/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Internal to board/: what machine.c's loop needs from a board, and the machine struct they share. */
#ifndef REPRISE_BOARD_BOARD_H
#define REPRISE_BOARD_BOARD_H

#include "board/machine.h"
#include "guest/x86/cpu.h"

/* Guest-visible state of the run loop itself; registered as "machine". */
struct machine_state {
    uint64_t current;      /* the vCPU whose turn it is */
    uint64_t quantum_left; /* positions until the next one's */
    uint64_t resets;
};

struct pc;

struct machine {
    struct machine_state s;
    struct machine_config config;
    struct sim *sim;
    struct input_port *port;
    struct engine *engine;
    struct space *mem, *io;
    struct ram *ram, *rom;
    unsigned n_cpus;
    struct x86_cpu *cpu[MACHINE_MAX_CPUS];
    struct pc *pc;
    /* requests from devices and the port, acted on between runs */
    bool want_reset, want_poweroff, want_quit, want_exit, want_panic;
    int exit_code;
    struct error load_error;   /* a kernel that could not be loaded again at a reset */
};

/* Devices call these; they take effect behind the running instruction. */
void machine_request_reset(struct machine *m);
void machine_request_poweroff(struct machine *m);
void machine_request_exit(struct machine *m, int code);
void machine_request_panic(struct machine *m);

bool pc_create(struct machine *m, struct error *err);
bool pc_reset(struct machine *m, struct error *err);
void pc_free(struct machine *m);
void pc_power_button(struct machine *m);

#endif
