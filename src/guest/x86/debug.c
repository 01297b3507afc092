/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "guest/x86/debug.h"

#include "guest/x86/interrupt.h"
#include "guest/x86/mode.h"

enum { DR6_BS = 1 << 14 };

/*
 * Runs behind an instruction that was lifted under MODE_TF or MODE_DEBUG.  TF
 * counts as it was before the instruction, which is what the block was lifted
 * under; POPF that sets it takes effect one instruction later.
 */
static uint64_t do_single_step(struct vcpu *v)
{
    struct x86_cpu *c = x86_of(v);
    uint64_t bits = c->s.db_hits;
    if (c->s.shadow == X86_SHADOW_SS)
        return 0;                    /* MOV or POP to SS: data breakpoints wait for the next instruction */
    c->s.db_hits = 0;
    if (c->s.step_armed)
        bits |= DR6_BS;
    if (bits && !c->s.pending.valid)
        x86_raise_debug(c, bits, EVENT_TRAP);
    return 0;
}

const struct ir_helper x86_helper_single_step = { "single_step", 0, HELPER_READS | HELPER_WRITES, IR_VOID, { 0 },
                                                  { .f0 = do_single_step } };

static bool enabled(const struct x86_cpu *c, unsigned i) { return c->s.dr[7] >> 2 * i & 3; }
static unsigned kind(const struct x86_cpu *c, unsigned i) { return c->s.dr[7] >> (16 + 4 * i) & 3; }

static unsigned length(const struct x86_cpu *c, unsigned i)
{
    static const uint8_t bytes[4] = { 1, 2, 8, 4 };
    return bytes[c->s.dr[7] >> (18 + 4 * i) & 3];
}

static uint64_t do_check_exec_bp(struct vcpu *v, uint64_t linear)
{
    struct x86_cpu *c = x86_of(v);
    uint64_t hits = 0;
    if (c->s.shadow == X86_SHADOW_SS)
        return 0;
    for (unsigned i = 0; i < 4; i++)
        if (enabled(c, i) && kind(c, i) == 0 && c->s.dr[i] == linear)
            hits |= UINT64_C(1) << i;
    if (hits) {
        x86_raise_debug(c, hits, EVENT_FAULT);
        v->exit = EXIT_EXCEPTION;
    }
    return 0;
}

const struct ir_helper x86_helper_check_exec_bp = { "check_exec_bp", 1, HELPER_MAY_EXIT, IR_VOID, { IR_X },
                                                    { .f1 = do_check_exec_bp } };

/* Does the breakpoint's range meet [start, start + size)? */
static bool meets(const struct x86_cpu *c, unsigned i, uint64_t start, unsigned size)
{
    unsigned n = length(c, i);
    uint64_t at = c->s.dr[i] & ~(uint64_t)(n - 1);
    return enabled(c, i) && start < at + n && at < start + size;
}

/* Data and I/O breakpoints are traps: remembered here, reported behind the instruction. */
void x86_check_watch(struct x86_cpu *c, uint64_t linear, unsigned size, bool write)
{
    for (unsigned i = 0; i < 4; i++)
        if ((kind(c, i) == 3 || (kind(c, i) == 1 && write)) && meets(c, i, linear, size))
            c->s.db_hits |= (uint8_t)(1u << i);
}

void x86_check_io_watch(struct x86_cpu *c, uint64_t port, unsigned size)
{
    for (unsigned i = 0; i < 4 && c->s.cr4 & CR4_DE; i++)
        if (kind(c, i) == 2 && meets(c, i, port, size))
            c->s.db_hits |= (uint8_t)(1u << i);
}

static uint64_t do_check_watch(struct vcpu *v, uint64_t linear, uint64_t access)
{
    x86_check_watch(x86_of(v), linear, access & 0xff, access >> 8);
    return 0;
}

const struct ir_helper x86_helper_check_watch = { "check_watch", 2, 0, IR_VOID, { IR_X, IR_X },
                                                  { .f2 = do_check_watch } };
