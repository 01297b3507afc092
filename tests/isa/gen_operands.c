/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Operands with which an instruction does something: addresses inside the mapped window nearly
 * always (and at its edges sometimes), targets that are the exit stubs, selectors that both sides know.
 */
#include <string.h>

#include "gen_impl.h"

enum { CODE_START = ISA_CODE + 0x800 };

static bool is(const struct x86_insn *I, const char *name) { return !strcmp(I->row->name, name); }

static bool starts(const struct x86_insn *I, const char *prefix)
{
    return !strncmp(I->row->name, prefix, strlen(prefix));
}

/* Writes to initial memory; what lies outside the window is not initialised, so it is left alone. */
static void put(struct isa_case *c, uint64_t at, unsigned size, uint64_t v)
{
    if (at >= ISA_WINDOW && at + size <= ISA_WINDOW + ISA_WINDOW_SIZE)
        store_le(c->in.window + (at - ISA_WINDOW), size, v);
}

static uint64_t get(const struct isa_case *c, uint64_t at, unsigned size)
{
    bool inside = at >= ISA_WINDOW && at + size <= ISA_WINDOW + ISA_WINDOW_SIZE;
    return inside ? load_le(c->in.window + (at - ISA_WINDOW), size) : 0;
}

/* ---- memory operands ---------------------------------------------------------------- */

/* FXSAVE and its like: the whole area must lie in the window. */
static bool is_area(const struct x86_insn *I)
{
    static const char *const names[] = { "fxsave", "fxrstor", "fnstenv", "fldenv", "fnsave", "frstor" };
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (is(I, names[i]))
            return true;
    return false;
}

/* Between the canonical halves, away from their ends: #GP, or #SS where the stack is meant. */
static uint64_t not_canonical(struct isa_gen *g)
{
    return (UINT64_C(1) << (47 + gen_below(g, 16))) + 128 + (gen_below(g, 2) ? gen_below(g, 64) : gen_next(g) >> 20);
}

/* Where an access may fault for another reason: at either end of what is mapped, in a read-only page. */
static uint64_t edge(struct isa_gen *g)
{
    switch (gen_below(g, 4)) {
    case 0:
        return ISA_DATA - 4 + gen_below(g, 8);
    case 1:
        return ISA_DATA + ISA_DATA_SIZE - 36 + gen_below(g, 40);
    case 2:
        return ISA_READ_ONLY - 36 + gen_below(g, 72);
    default:
        return ISA_READ_ONLY + 0x1000 - 36 + gen_below(g, 40);
    }
}

/*
 * Near 4 GiB: not across, in 32-bit code, where the access may fault or not (SDM vol. 3, 5.3: "implementation-specific
 * and may vary from one execution to another").
 */
static uint64_t target_address(struct isa_gen *g, const struct isa_case *c, const struct x86_insn *I)
{
    if (I->asz == 4 && !is_area(I) && gen_seldom(g, 60))
        return (c->mode32 ? UINT32_MAX - 64 : UINT32_MAX) - gen_below(g, 36);
    if (I->asz == 8 && I->has_modrm && I->base != 16 && gen_seldom(g, 60))
        return not_canonical(g);
    if (is_area(I))
        return ISA_WINDOW + 0x100 + (gen_below(g, 8) ? 0 : gen_below(g, 16));
    if (gen_seldom(g, 20))
        return edge(g);
    if (gen_seldom(g, 40))
        return ISA_DATA + 0x1000 - 34 + gen_below(g, 36);            /* across pages, both mapped */
    return ISA_WINDOW + 0x80 + (gen_below(g, 0x280) & ~(gen_below(g, 4) ? 15u : 0u));
}

static bool uses_memory(const struct x86_insn *I)
{
    for (int i = 0; i < 4; i++)
        if (I->op[i].kind == OPK_MEM && I->op[i].code != OP_Xb && I->op[i].code != OP_Xv && I->op[i].code != OP_Yb &&
            I->op[i].code != OP_Yv)
            return true;
    return false;
}

static uint64_t effective_address(const struct isa_case *c, const struct x86_insn *I)
{
    uint64_t at = (uint64_t)I->disp + (I->base == 16 ? (uint64_t)CODE_START + c->len : 0);
    at += I->base >= 0 && I->base < 16 ? c->in.gpr[I->base] : 0;
    at += I->index >= 0 ? c->in.gpr[I->index] << I->scale : 0;
    return at & mask64(8u * I->asz);
}

unsigned isa_fxsave_mask_at(const struct x86_insn *insn, const struct isa_case *c)
{
    return (unsigned)(effective_address(c, insn) + 24 - ISA_WINDOW);
}

/* Absolute and RIP-relative addresses: the constant is in the code. */
static bool patch_address(struct isa_gen *g, struct isa_case *c, struct x86_insn *I, uint64_t target)
{
    bool moffs = !I->has_modrm;
    unsigned size = moffs ? I->asz : 4;
    uint64_t want = I->base == 16 ? target - ((uint64_t)CODE_START + c->len) : target;
    const struct x86_row *row = I->row;
    for (unsigned at = moffs ? c->len - size : 1; at + size <= c->len; at++) {
        uint64_t old = load_le(c->code + at, size);
        if (old != ((uint64_t)I->disp & mask64(8 * size)))
            continue;
        store_le(c->code + at, size, want);
        if (gen_decode(g, c, I) && I->row == row && I->len == c->len && effective_address(c, I) == target)
            return true;
        store_le(c->code + at, size, old);
        gen_decode(g, c, I);
    }
    return false;
}

static bool aim(struct isa_gen *g, struct isa_case *c, struct x86_insn *I)
{
    uint64_t *gpr = c->in.gpr;
    uint64_t target = target_address(g, c, I);
    if (I->asz == 2)
        return !is_area(I) && gen_below(g, 4) == 0;   /* reaches no mapped page: CR2 is what there is to compare */
    if (I->base == 16 || (I->base < 0 && I->index < 0))
        return patch_address(g, c, I, target);
    if (I->index >= 0 && I->base < 0) {
        gpr[I->index] = (target - (uint64_t)I->disp) >> I->scale;
    } else if (I->index >= 0 && I->index != I->base) {
        gpr[I->index] = gen_below(g, 64);
        gpr[I->base] = target - (uint64_t)I->disp - (gpr[I->index] << I->scale);
    } else if (I->index < 0) {
        gpr[I->base] = target - (uint64_t)I->disp;
    } else {
        return false;
    }
    if (I->asz == 4) {
        gpr[I->base >= 0 ? I->base : I->index] &= UINT32_MAX;
        gpr[I->index >= 0 ? I->index : I->base] &= UINT32_MAX;
    }
    return true;
}

/* Indices that stay near the base, whether they are read as 32 or 64 bits; one in some hundred goes astray. */
static void aim_gather(struct isa_gen *g, struct isa_case *c, const struct x86_insn *I)
{
    for (unsigned lane = 0; lane < 4; lane++) {
        uint8_t *p = lane < 2 ? c->in.fx + 160 + 16 * I->vsib + 8 * lane : c->in.high[I->vsib] + 8 * (lane - 2);
        uint64_t low = (uint64_t)(int64_t)((int)gen_below(g, 64) - 16);
        uint64_t high = (uint64_t)(int64_t)((int)gen_below(g, 64) - 16);
        bool wide = gen_below(g, 2);
        store_le(p, 8, gen_seldom(g, 120) ? gen_next(g) : wide ? low : (uint32_t)low | high << 32);
    }
    if (gen_below(g, 4) == 0) {      /* every element */
        memset(c->in.fx + 160 + 16 * I->op[2].reg, 0xff, 16);
        memset(c->in.high[I->op[2].reg], 0xff, 16);
    }
}

/* At either end of the mapping, so that the mask decides. */
static void aim_masked(struct isa_gen *g, struct isa_case *c, const struct x86_insn *I)
{
    if (I->base < 0 || I->base == 16 || I->index >= 0)
        return;
    uint64_t target = gen_below(g, 2) ? ISA_DATA - 4 * gen_below(g, 9) : ISA_DATA + ISA_DATA_SIZE - 4 * gen_below(g, 9);
    c->in.gpr[I->base] = target - (uint64_t)I->disp;
    if (I->asz == 4)
        c->in.gpr[I->base] &= UINT32_MAX;
}

static bool is_string(const struct x86_insn *I)
{
    for (int i = 0; i < 4; i++)
        if (I->row->op[i] >= OP_Xb && I->row->op[i] <= OP_Yv)
            return true;
    return I->row->flags & ROW_REP;
}

/* Each operand for itself: so that sometimes both would fault. */
static void aim_strings(struct isa_gen *g, struct isa_case *c, const struct x86_insn *I)
{
    static const unsigned pointers[] = { R_SI, R_DI };
    c->in.gpr[R_SI] = ISA_WINDOW + 0x180 + gen_below(g, 64);
    c->in.gpr[R_DI] = ISA_WINDOW + 0x200 + gen_below(g, 64) - 32;
    c->in.gpr[R_CX] = gen_below(g, 8) ? gen_below(g, 12) : 0;
    for (unsigned i = 0; i < 2; i++) {
        if (I->asz == 8 && gen_seldom(g, 40))
            c->in.gpr[pointers[i]] = not_canonical(g);
        else if (gen_seldom(g, 15))
            c->in.gpr[pointers[i]] = edge(g);
    }
}

/* Bit offsets of BT with a memory operand reach far: keep them inside the window. */
static void tame_bit_offset(struct isa_gen *g, struct isa_case *c, const struct x86_insn *I)
{
    if (starts(I, "bt") && I->op[0].kind == OPK_MEM && I->op[1].kind == OPK_REG && I->op[1].reg != (uint8_t)I->base &&
        I->op[1].reg != (uint8_t)I->index)
        c->in.gpr[I->op[1].reg] = (uint64_t)(int64_t)((int)gen_below(g, 512) - 256);
}

/* ---- near branches --------------------------------------------------------------------- */

static uint64_t branch_stub(const struct isa_case *c) { return (uint64_t)CODE_START + c->len + ISA_STUB_GAP; }

static bool set_branch(struct isa_gen *g, struct isa_case *c, const struct x86_insn *I)
{
    unsigned size = I->row->op[0] == OP_Jb ? 1 : I->osz == 2 ? 2 : 4;
    if (I->osz == 2 || I->p66)
        return false;              /* truncates the instruction pointer (on AMD in 64-bit mode too) */
    store_le(c->code + c->len - size, size, gen_below(g, 2) ? ISA_STUB_GAP : 0);
    return true;
}

static bool set_near(struct isa_case *c, const struct x86_insn *I)
{
    if (I->osz == 2 || (!c->mode32 && I->p66))
        return false;
    if (is(I, "ret"))
        put(c, c->in.gpr[R_SP], I->osz, branch_stub(c));
    else if (I->op[0].kind == OPK_REG)
        c->in.gpr[I->op[0].reg] = branch_stub(c);
    else
        put(c, effective_address(c, I), I->osz, branch_stub(c));
    return true;
}

/* ---- segments ------------------------------------------------------------------------------ */

/* Selectors that fault wherever they are loaded, for their privilege, type, absence or place. */
static uint16_t bad_selector(struct isa_gen *g)
{
    static const uint16_t list[] = { 0x08, 0x10, 0x13, 0x18, 0x1b, 0x38, 0x3b, 0x40, 0x43, 0x47, 0x24, 0x80, 0xfff8 };
    return list[gen_below(g, ARRAY_LEN(list))];
}

/* For a load of the segment.  FS and GS hold bases of the host's; 32-bit code needs its DS to get out again. */
static uint16_t data_selector(struct isa_gen *g, const struct isa_case *c, int seg)
{
    static const uint16_t good[] = { DATA, CODE32, 0x28, 0x20, CODE64, 0, 3 };
    if (seg == SEG_FS || seg == SEG_GS || gen_below(g, 4) == 0)
        return bad_selector(g);
    if (seg == SEG_SS)
        return gen_below(g, 4) ? DATA : good[gen_below(g, ARRAY_LEN(good))];
    return good[gen_below(g, seg == SEG_DS && c->mode32 ? 5 : ARRAY_LEN(good))];
}

static uint16_t code_selector(struct isa_gen *g, const struct isa_case *c)
{
    uint16_t own = c->mode32 ? CODE32 : CODE64;
    const uint16_t list[] = { 0, own & ~3, DATA };
    if (gen_below(g, 4))
        return own;
    return gen_below(g, 2) ? bad_selector(g) : list[gen_below(g, ARRAY_LEN(list))];
}

/* LAR LSL VERR VERW ARPL: anything; 0x78 holds the host's CPU number. */
static uint16_t any_selector(struct isa_gen *g)
{
    static const uint16_t good[] = { DATA, CODE32, 0x28, 0x20, CODE64, 0x30, 0, 3, 0x50, 0x60, 0x63 };
    return gen_below(g, 2) ? bad_selector(g) : good[gen_below(g, ARRAY_LEN(good))];
}

static void set_word(struct isa_case *c, const struct x86_insn *I, unsigned n, uint16_t v)
{
    if (I->op[n].kind == OPK_REG)
        c->in.gpr[I->op[n].reg] = bits_set(c->in.gpr[I->op[n].reg], 0, 16, v);
    else
        put(c, effective_address(c, I), 2, v);
}

static bool set_segment_load(struct isa_gen *g, struct isa_case *c, const struct x86_insn *I)
{
    uint64_t at = effective_address(c, I);
    if (uses_memory(I) && (at < ISA_WINDOW || at + 10 > ISA_WINDOW + ISA_WINDOW_SIZE))
        return false;                 /* any selector might be there */
    if (is(I, "pop")) {
        put(c, c->in.gpr[R_SP], 2, data_selector(g, c, I->op[0].reg));
    } else if (is(I, "mov")) {
        if (I->op[0].reg == SEG_CS || I->op[0].reg > SEG_GS)
            return true;
        set_word(c, I, 1, data_selector(g, c, I->op[0].reg));
    } else {                          /* LDS and its like; a 64-bit offset is Intel's alone */
        put(c, effective_address(c, I) + I->osz, 2, data_selector(g, c, (int)I->row->aux));
        return I->osz != 8;
    }
    return true;
}

/* ---- far transfers and flags ------------------------------------------------------------------ */

static uint64_t flags_image(struct isa_gen *g)
{
    return 0x202 | (gen_next(g) & (FLAGS_ARITH | FLAG_DF | FLAG_ID | FLAG_IOPL)) | (gen_below(g, 8) ? 0 : FLAG_AC);
}

static bool set_far(struct isa_gen *g, struct isa_case *c, const struct x86_insn *I)
{
    bool stack = is(I, "retf") || is(I, "iret");
    uint64_t at = stack ? c->in.gpr[R_SP] : effective_address(c, I);
    uint16_t cs = code_selector(g, c);
    if (I->osz == 2 || (I->osz == 8 && !stack))
        return false;
    if (I->op[0].code == OP_Ap) {
        store_le(c->code + c->len - 6, 4, branch_stub(c));
        store_le(c->code + c->len - 2, 2, cs);
        return true;
    }
    if (I->opcode == 0xca)             /* AMD's look behind the immediate before they refuse a selector's RPL */
        store_le(c->code + c->len - 2, 2, 16 * gen_below(g, 4));
    put(c, at, I->osz, branch_stub(c));
    put(c, at + I->osz, 2, cs);
    if (is(I, "iret")) {
        put(c, at + 2 * I->osz, I->osz, flags_image(g));
        put(c, at + 3 * I->osz, I->osz, ISA_WINDOW + 0x100 + 8 * gen_below(g, 16));
        put(c, at + 4 * I->osz, I->osz, gen_below(g, 4) ? DATA : any_selector(g));
    }
    return true;
}

/* ---- by instruction ------------------------------------------------------------------------------ */

/* SHLD, SHRD of 16 bits by more than 16: even the result is undefined. */
static bool undefined_result(const struct isa_case *c, const struct x86_insn *I)
{
    if (!is(I, "shld") && !is(I, "shrd"))
        return false;
    uint64_t count = (I->op[2].kind == OPK_IMM ? I->op[2].imm : c->in.gpr[R_CX]) & 31;
    return I->op[0].size == 2 && count > 16;
}

/* AMD has one more bit in MXCSR: not that one. */
static void set_mxcsr(struct isa_gen *g, struct isa_case *c, uint64_t at)
{
    uint64_t v = get(c, at, 4) & (gen_below(g, 8) ? 0xffff : 0xfffdffff);
    put(c, at, 4, v);
}

static void set_bases(struct isa_gen *g, struct isa_case *c, const struct x86_insn *I)
{
    if (is(I, "xlat"))
        c->in.gpr[R_BX] = ISA_WINDOW + 0x100;
    if (is(I, "maskmovq") || is(I, "maskmovdqu") || is(I, "vmaskmovdqu"))
        c->in.gpr[R_DI] = gen_below(g, 4)   ? ISA_WINDOW + 0x100 + gen_below(g, 64)
                          : gen_below(g, 2) ? ISA_DATA - gen_below(g, 18)
                                            : ISA_DATA + ISA_DATA_SIZE - gen_below(g, 18);
    if (is(I, "leave") || is(I, "enter"))
        c->in.gpr[R_BP] = ISA_WINDOW + 0x180 + gen_below(g, 128);
    if (is(I, "enter"))
        store_le(c->code + c->len - 3, 2, gen_below(g, 64));
    if (is(I, "arpl"))
        set_word(c, I, 0, any_selector(g));
    if (is(I, "lar") || is(I, "lsl"))
        set_word(c, I, 1, any_selector(g));
    if (is(I, "verr") || is(I, "verw"))
        set_word(c, I, 0, any_selector(g));
    if (is(I, "popf"))
        put(c, c->in.gpr[R_SP], I->osz, flags_image(g));
    if (is(I, "ldmxcsr") || is(I, "vldmxcsr"))
        set_mxcsr(g, c, effective_address(c, I));
    if (is(I, "fxsave") || is(I, "fxrstor"))
        c->in.rflags &= ~(uint64_t)FLAG_AC;       /* misaligned: #GP or #AC, as the CPU likes */
    if (is(I, "fxrstor"))
        set_mxcsr(g, c, effective_address(c, I) + 24);
}

static bool loads_segment(const struct x86_insn *I)
{
    bool pop = is(I, "pop") && I->op[0].kind == OPK_SEG, mov = is(I, "mov") && I->op[0].kind == OPK_SEG;
    return pop || mov || is(I, "lds") || is(I, "les") || is(I, "lss") || is(I, "lfs") || is(I, "lgs");
}

/* Selectors and flags are popped from the window alone, where gen_operands() has put some that both sides know. */
static bool pops_system(const struct x86_insn *I)
{
    return is(I, "retf") || is(I, "iret") || is(I, "popf") || (is(I, "pop") && I->op[0].kind == OPK_SEG);
}

/* Mapped, but outside the window: whatever stores have left there. */
static bool left_over(uint64_t at)
{
    bool inside = at >= ISA_WINDOW && at + 4 <= ISA_WINDOW + ISA_WINDOW_SIZE;
    return !inside && at + 4 > ISA_DATA && at < ISA_DATA + ISA_DATA_SIZE;
}

bool gen_operands(struct isa_gen *g, struct isa_case *c, struct x86_insn *I)
{
    if (is(I, "movsxd") && I->osz == 2)
        return false;              /* Intel reads 16 bits, AMD 32 */
    if (is(I, "int") && I->op[0].imm == 0x80)
        return false;              /* a system call */
    if (is_string(I) && I->asz != 2)
        aim_strings(g, c, I);
    if (uses_memory(I) && !aim(g, c, I))
        return false;
    if (I->row->flags & ROW_VSIB)
        aim_gather(g, c, I);
    if ((starts(I, "vmaskmovp") || starts(I, "vpmaskmov")) && gen_below(g, 2))
        aim_masked(g, c, I);
    if (!c->mode32 && I->base != R_SP && gen_seldom(g, 60))
        c->in.gpr[R_SP] = not_canonical(g);
    else if (I->base != R_SP && !pops_system(I) && gen_seldom(g, 60))
        c->in.gpr[R_SP] = edge(g);
    if ((is(I, "ldmxcsr") || is(I, "vldmxcsr")) && left_over(effective_address(c, I)))
        return false;              /* it may have AMD's bit */
    tame_bit_offset(g, c, I);
    set_bases(g, c, I);
    if (I->row->op[0] == OP_Jb || I->row->op[0] == OP_Jz)
        return set_branch(g, c, I);
    if (is(I, "ret") || is(I, "jmp") || is(I, "call"))
        return set_near(c, I);
    if (is(I, "retf") || is(I, "iret") || is(I, "jmpf") || is(I, "callf"))
        return set_far(g, c, I);
    if (loads_segment(I))
        return set_segment_load(g, c, I);
    return !undefined_result(c, I);
}
