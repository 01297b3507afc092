/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Instruction tests against the host CPU.
 *
 * A case is one instruction, or a sequence of some, with a whole user-mode register state and a window
 * of memory.  The host runs it in a child process (host_exec.c), Reprise runs
 * it on its own CPU model (emu_exec.c), and every architecturally defined bit
 * of the outcome must agree.
 */
#ifndef REPRISE_TESTS_ISA_H
#define REPRISE_TESTS_ISA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Virtual addresses that both sides use; all below 2 GiB, so that 32-bit code reaches them. */
enum {
    ISA_CODE = 0x10000000,    /* one page; the instruction ends where its exit stub begins */
    ISA_DATA = 0x20000000,    /* two pages, unmapped on both sides; each case finds isa_data_fill()'s contents */
    ISA_DATA_SIZE = 0x2000,
    ISA_WINDOW = 0x20000e00,  /* 1 KiB around the page boundary: what the case brings along */
    ISA_WINDOW_SIZE = 0x400,
    ISA_READ_ONLY = 0x20010000, /* one page of zeros, unmapped on both sides */
    ISA_CONTEXT = 0x30000000, /* host only */
    ISA_STUB_GAP = 32,        /* a taken branch lands this far behind the fall-through stub */
};

struct isa_state {
    uint64_t gpr[16];         /* in the ModRM order: AX CX DX BX SP BP SI DI 8.. */
    uint64_t rflags;
    uint8_t fx[512] __attribute__((aligned(16)));   /* FXSAVE64 image */
    uint8_t high[16][16];     /* the YMM registers' upper halves; zero where the host has no AVX */
    uint8_t window[ISA_WINDOW_SIZE];
};

/* How the instruction ended. */
enum isa_end {
    ISA_FELL_THROUGH,
    ISA_BRANCHED,             /* reached the second stub */
    ISA_FAULT,                /* vector says which */
    ISA_LOST,                 /* ran somewhere else: of the emulator alone */
};

struct isa_case {
    uint8_t code[64];
    uint8_t len;
    uint8_t insns, split;     /* of a sequence: how many, and how many of them are run first, apart from the rest */
    bool mode32;
    uint32_t row;             /* for messages */
    struct isa_state in;
};

struct isa_result {
    enum isa_end end;
    uint8_t vector;
    bool has_cr2;
    uint32_t error;           /* the error code, or 0 */
    uint64_t rip;             /* faults and traps: the saved instruction pointer */
    uint64_t cr2;             /* page faults: the faulting address */
    struct isa_state out;
    uint64_t outside;         /* hash of the data pages around the window */
};

/* The data pages before the case: its window, and around that a pattern that is the same for all. */
void isa_data_fill(uint8_t *data, const struct isa_case *c);
/* What became of them. */
void isa_data_result(const uint8_t *data, struct isa_result *r);

/* Selectors of user segments in the host's descriptor table (Linux), and so in ours. */
enum { CODE32 = 0x23, DATA = 0x2b, CODE64 = 0x33 };

/* Runs n cases in the child.  False: the child could not be used (message printed). */
bool isa_host_start(void);
bool isa_host_run(const struct isa_case *cases, struct isa_result *results, size_t n);
void isa_host_stop(void);
/* Has the host AVX, and its operating system enabled it? */
bool isa_host_has_avx(void);
/* Can 32-bit code be run in the child at all? */
bool isa_host_has_mode32(void);

struct isa_emu;
struct isa_emu *isa_emu_new(const char *engine);
void isa_emu_free(struct isa_emu *e);
void isa_emu_run(struct isa_emu *e, const struct isa_case *c, struct isa_result *r);

#endif
