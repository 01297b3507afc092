/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The written list of what is architecturally undefined: flags (Intel SDM vol. 2, each
 * instruction's "Flags Affected"), and general registers behind one fault.  Nothing else may differ from the host.
 */
#include <string.h>

#include "gen.h"
#include "guest/x86/cpu.h"

struct undefined {
    const char *name;     /* the row's mnemonic */
    uint64_t flags;
};

static const struct undefined list[] = {
    { "aaa", FLAG_OF | FLAG_SF | FLAG_ZF | FLAG_PF },
    { "aas", FLAG_OF | FLAG_SF | FLAG_ZF | FLAG_PF },
    { "aad", FLAG_OF | FLAG_AF | FLAG_CF },
    { "aam", FLAG_OF | FLAG_AF | FLAG_CF },
    { "daa", FLAG_OF },
    { "das", FLAG_OF },
    { "and", FLAG_AF },
    { "or", FLAG_AF },
    { "xor", FLAG_AF },
    { "test", FLAG_AF },
    { "andn", FLAG_AF | FLAG_PF },
    { "bextr", FLAG_SF | FLAG_AF | FLAG_PF },
    { "blsi", FLAG_AF | FLAG_PF },
    { "blsmsk", FLAG_AF | FLAG_PF },
    { "blsr", FLAG_AF | FLAG_PF },
    { "bzhi", FLAG_AF | FLAG_PF },
    { "bsf", FLAGS_ARITH & ~FLAG_ZF },
    { "bsr", FLAGS_ARITH & ~FLAG_ZF },
    { "tzcnt", FLAG_OF | FLAG_SF | FLAG_AF | FLAG_PF },
    { "lzcnt", FLAG_OF | FLAG_SF | FLAG_AF | FLAG_PF },
    { "bt", FLAG_OF | FLAG_SF | FLAG_AF | FLAG_PF },
    { "bts", FLAG_OF | FLAG_SF | FLAG_AF | FLAG_PF },
    { "btr", FLAG_OF | FLAG_SF | FLAG_AF | FLAG_PF },
    { "btc", FLAG_OF | FLAG_SF | FLAG_AF | FLAG_PF },
    { "div", FLAGS_ARITH },
    { "idiv", FLAGS_ARITH },
    { "mul", FLAG_SF | FLAG_ZF | FLAG_AF | FLAG_PF },
    { "imul", FLAG_SF | FLAG_ZF | FLAG_AF | FLAG_PF },
};

/* Shifts and rotates: by count (SDM: OF is defined for 1-bit shifts only, CF only below the width for SHL/SHR). */
static uint64_t undefined_shift(const struct x86_insn *insn, const struct isa_case *c)
{
    const char *name = insn->row->name;
    bool twin = !strcmp(name, "shld") || !strcmp(name, "shrd");
    const struct x86_operand *by = &insn->op[twin ? 2 : 1];
    unsigned size = insn->op[0].size;
    uint64_t count = by->kind == OPK_REG ? c->in.gpr[R_CX] : by->imm;
    count &= size == 8 ? 63 : 31;
    if (!count)
        return 0;
    uint64_t undefined = count != 1 ? FLAG_OF : 0;
    if (!strcmp(name, "shl") || !strcmp(name, "shr") || !strcmp(name, "sar") || !strcmp(name, "sal") || twin)
        undefined |= FLAG_AF;
    if (count > 8u * size)
        undefined |= twin ? FLAGS_ARITH : 0;
    if (count >= 8u * size && (!strcmp(name, "shl") || !strcmp(name, "shr") || !strcmp(name, "sal")))
        undefined |= FLAG_CF;
    return undefined;
}

static bool is_shift(const char *name)
{
    static const char *const names[] = { "shl", "shr", "sar", "sal", "rol", "ror", "rcl", "rcr", "shld", "shrd" };
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (!strcmp(name, names[i]))
            return true;
    return false;
}

uint64_t isa_undefined_flags(const struct x86_insn *insn, const struct isa_case *c)
{
    const char *name = insn->row->name;
    if (is_shift(name))
        return undefined_shift(insn, c);
    for (size_t i = 0; i < ARRAY_LEN(list); i++)
        if (!strcmp(name, list[i].name))
            return list[i].flags;
    return 0;
}

/* SDM vol. 3, 6.5: POPA may have changed general registers when it faults; the stack pointer is not among them. */
uint32_t isa_undefined_gprs(const struct x86_insn *insn)
{
    return strcmp(insn->row->name, "popa") ? 0 : 0xff & ~(1u << R_SP);
}
