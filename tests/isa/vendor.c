/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The written list of where Intel's processors and AMD's differ although both follow the architecture.  Ours do as
 * AMD's, whose models are the default; so on an Intel host just what is here is let off, all the rest of an outcome
 * being compared.  On an AMD host nothing is, but for two things that Zen 4 does otherwise than its predecessors, and
 * there what it does is checked.
 */
#include <string.h>

#include <cpuid.h>

#include "gen_impl.h"
#include "guest/x86/segment.h"

static const struct {
    const char *name;        /* the row's mnemonic, or its beginning with a * behind */
    uint32_t let;            /* ISA_LET_* */
} on_fault[] = {             /* of instructions that fault on both sides */
    /* Two operands may both fault: which one comes first, and in what order #AC, #PF and #GP are looked for, is left
       open (SDM vol. 3, 6.9); flags of a REP that faults are those of before, or of the last iteration. */
    { "cmps", ISA_LET_FAULT | ISA_LET_FLAGS },
    { "scas", ISA_LET_FAULT | ISA_LET_FLAGS },
    { "bound", ISA_LET_FAULT },
    /* CR2: the first element that is stored or loaded, or the operand. */
    { "maskmovdqu", ISA_LET_CR2 },
    { "vmaskmov*", ISA_LET_CR2 },
    { "vpmaskmov*", ISA_LET_CR2 },
    /* Elements that came before the fault have been loaded, more or less of them, and the order is the processor's
       (SDM vol. 2, VGATHER). */
    { "vgather*", ISA_LET_SIMD | ISA_LET_FAULT },
    { "vpgather*", ISA_LET_SIMD | ISA_LET_FAULT },
    /* Ten bytes across pages are stored in parts. */
    { "fstp", ISA_LET_MEMORY },
    { "fbstp", ISA_LET_MEMORY },
    /* The change to MMX state, or the conversion's exceptions, come before the store or after it. */
    { "movd", ISA_LET_X87 },
    { "movq", ISA_LET_X87 },
    { "movntq", ISA_LET_X87 },
    { "vcvtps2ph", ISA_LET_MXCSR | ISA_LET_FAULT },
    /* To an address that is not canonical: the return address is pushed before that is found, or after. */
    { "call", ISA_LET_MEMORY },
    /* Outside long mode: unknown, or not for CPL 3. */
    { "sysret", ISA_LET_FAULT },
};

static bool matches(const char *pattern, const char *name)
{
    size_t n = strlen(pattern);
    return pattern[n - 1] == '*' ? !strncmp(pattern, name, n - 1) : !strcmp(pattern, name);
}

bool isa_host_is_intel(void)
{
    uint32_t a, b, c, d;
    return __get_cpuid(0, &a, &b, &c, &d) && b == signature_INTEL_ebx && c == signature_INTEL_ecx;
}

/* Alignment is checked by AMD's of these, too. */
static bool is_unchecked(const struct x86_insn *I)
{
    if (I->memory && (matches("vcvtph2ps", I->row->name) || matches("vcvtps2ph", I->row->name)))
        return true;
    for (unsigned k = 0; k < 4; k++)
        if (I->op[k].kind == OPK_MEM && I->op[k].size >= 16)
            return true;
    return false;
}

/* Of a segment register to a slot of four bytes Intel's write two: the others are zero before. */
static bool avoid_push(struct isa_case *c)
{
    uint64_t at = (uint32_t)c->in.gpr[R_SP] - 4 - (uint64_t)ISA_WINDOW;
    if (at > ISA_WINDOW_SIZE - 4)
        return false;
    store_le(c->in.window + at + 2, 2, 0);
    c->in.rflags &= ~(uint64_t)FLAG_AC;
    return true;
}

bool isa_avoid_vendor(struct isa_case *c, const struct x86_insn *I)
{
    if (is_unchecked(I))
        c->in.rflags &= ~(uint64_t)FLAG_AC;
    bool half = matches("push", I->row->name) && I->op[0].kind == OPK_SEG && I->osz == 4;
    return !half || avoid_push(c);
}

/* An unmasked x87 exception is pending: Intel's do not try the store, whose memory AMD's ask for first. */
static bool store_given_up(const struct x86_insn *I, const struct isa_result *host, const struct isa_result *ours)
{
    enum { ES = 0x80 };
    return I->row->flags & ROW_X87 && I->memory && host->end == ISA_FELL_THROUGH && ours->end == ISA_FAULT &&
           load_le(host->out.fx + 2, 2) & ES;
}

/* Is it the fault of CMPS's destination, where both operands have one?  DI is the faulting iteration's. */
static bool is_destinations_fault(const struct x86_insn *I, const struct isa_result *host)
{
    uint64_t size = I->op[0].size, first = host->out.gpr[R_DI] & mask64(8 * I->asz), last = first + size - 1;
    switch (host->vector) {
    case EXC_PF:
        return host->cr2 >= first && host->cr2 <= last;
    case EXC_GP:
        return host->error == 0 && !(x86_canonical(first) && x86_canonical(last));
    default:
        return host->vector == EXC_AC && host->out.rflags & FLAG_AC && first & (size - 1);
    }
}

/* Of CMPS's operands Zen 4 looks at the destination first; and masked elements wrap with the address's size. */
static uint32_t zen4_lets(const struct x86_insn *I, const struct isa_result *host, const struct isa_result *ours)
{
    if (host->end != ISA_FAULT || ours->end != ISA_FAULT)
        return 0;
    if (matches("cmps", I->row->name))
        return is_destinations_fault(I, host) ? ISA_LET_FAULT : 0;
    bool masked = matches("vmaskmov*", I->row->name) || matches("vpmaskmov*", I->row->name);
    bool wrapped = I->asz < 8 && host->vector == EXC_PF && ours->vector == EXC_PF &&
                   host->error == ours->error && host->cr2 == (ours->cr2 & mask64(8 * I->asz));
    return masked && wrapped ? ISA_LET_CR2 : 0;
}

uint32_t isa_vendor_lets(const struct x86_insn *I, const struct isa_result *host, const struct isa_result *ours,
                         bool intel)
{
    uint32_t let = 0;
    if (!intel)
        return zen4_lets(I, host, ours);
    if (store_given_up(I, host, ours))
        return ISA_LET_ALL;
    /* In which order the sums of products, and so their NaNs, are formed is left open. */
    if (matches("dpp*", I->row->name) || matches("vdpp*", I->row->name))
        let |= ISA_LET_NANS;
    for (size_t k = 0; host->end == ISA_FAULT && ours->end == ISA_FAULT && k < ARRAY_LEN(on_fault); k++)
        if (matches(on_fault[k].name, I->row->name))
            let |= on_fault[k].let;
    return let;
}
