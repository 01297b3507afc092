/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Integer operations.  Two-operand instructions write over their first operand:
 * the result's register may be that of either argument, and every function
 * here says what it does then.
 */
#include "engine/x64/compiler.h"

static enum x64_cc host_cond(enum ir_cond c)
{
    static const uint8_t cc[] = { [IR_EQ] = X64_E,   [IR_NE] = X64_NE, [IR_LTU] = X64_B,  [IR_GEU] = X64_AE,
                                  [IR_LEU] = X64_BE, [IR_GTU] = X64_A, [IR_LTS] = X64_L,  [IR_GES] = X64_GE,
                                  [IR_LES] = X64_LE, [IR_GTS] = X64_G };
    return (enum x64_cc)cc[c];
}

/* y c' x for x c y. */
static enum ir_cond swap_sides(enum ir_cond c)
{
    static const uint8_t swapped[] = { [IR_EQ] = IR_EQ,   [IR_NE] = IR_NE,   [IR_LTU] = IR_GTU, [IR_GEU] = IR_LEU,
                                       [IR_LEU] = IR_GEU, [IR_GTU] = IR_LTU, [IR_LTS] = IR_GTS, [IR_GES] = IR_LES,
                                       [IR_LES] = IR_GES, [IR_GTS] = IR_LTS };
    return (enum ir_cond)swapped[c];
}

enum x64_cc x64_compare(struct compiler *c, enum ir_cond cond, enum ir_type t, ir_ref x, ir_ref y)
{
    unsigned w = t == IR_X ? 64 : 32;
    int32_t imm;
    if (imm_of(c, x, w, &imm) && !imm_of(c, y, w, &imm)) {
        ir_ref z = x;
        x = y;
        y = z;
        cond = swap_sides(cond);
    }
    unsigned a = x64_use(c, x);
    if (!imm_of(c, y, w, &imm))
        x64_alu_rr(&c->a, X64_CMP, w, a, x64_use(c, y));
    else if (imm == 0)
        x64_test_rr(&c->a, w, a, a);
    else
        x64_alu_ri(&c->a, X64_CMP, w, a, imm);
    return host_cond(cond);
}

static void move(struct compiler *c, unsigned w, unsigned dst, unsigned src)
{
    if (dst != src)
        x64_mov_rr(&c->a, w, dst, src);
}

/* ---- two operands --------------------------------------------------------------------------- */

static void add(struct compiler *c, const struct ir_insn *i)
{
    struct x64_asm *a = &c->a;
    unsigned w = width_of(i);
    int32_t imm;
    if (c->plan[i->arg[1]].fused) {          /* a scaled index */
        const struct ir_insn *s = def_of(c, i->arg[1]);
        unsigned x = x64_use(c, i->arg[0]), y = x64_use(c, s->arg[0]);
        unsigned d = x64_def(c, i->dst);
        x64_lea(a, w, d, x64_index(x, y, (unsigned)def_of(c, s->arg[1])->imm, 0));
        return;
    }
    unsigned x = x64_use(c, i->arg[0]);
    if (imm_of(c, i->arg[1], w, &imm)) {
        unsigned d = x64_def(c, i->dst);
        if (d == x)
            x64_alu_ri(a, X64_ADD, w, d, imm);
        else
            x64_lea(a, w, d, x64_base(x, imm));
        return;
    }
    unsigned y = x64_use(c, i->arg[1]), d = x64_def(c, i->dst);
    if (d == x)
        x64_alu_rr(a, X64_ADD, w, d, y);
    else if (d == y)
        x64_alu_rr(a, X64_ADD, w, d, x);
    else
        x64_lea(a, w, d, x64_index(x, y, 0, 0));
}

static void sub(struct compiler *c, const struct ir_insn *i)
{
    struct x64_asm *a = &c->a;
    unsigned w = width_of(i), x, y, d;
    int32_t imm;
    uint64_t zero;
    if (const_of(c, i->arg[0], &zero) && zero == 0) {
        y = x64_use(c, i->arg[1]);
        d = x64_def(c, i->dst);
        move(c, w, d, y);
        x64_unary_r(a, X64_NEG, w, d);
        return;
    }
    x = x64_use(c, i->arg[0]);
    if (imm_of(c, i->arg[1], w, &imm) && imm != INT32_MIN) {
        d = x64_def(c, i->dst);
        if (d == x)
            x64_alu_ri(a, X64_SUB, w, d, imm);
        else
            x64_lea(a, w, d, x64_base(x, -imm));
        return;
    }
    y = x64_use(c, i->arg[1]);
    d = x64_def(c, i->dst);
    if (d == y && d != x) {
        x64_unary_r(a, X64_NEG, w, d);
        x64_alu_rr(a, X64_ADD, w, d, x);
    } else {
        move(c, w, d, x);
        x64_alu_rr(a, X64_SUB, w, d, y);
    }
}

/* A sum cut to 32 bits. */
static void wrapped_sum(struct compiler *c, const struct ir_insn *i)
{
    struct address at = x64_address(c, i->arg[0]);
    unsigned base = x64_use(c, at.base), index = at.index ? x64_use(c, at.index) : HOST_NONE;
    x64_lea(&c->a, 32, x64_def(c, i->dst), x64_index(base, index, at.scale, at.disp));
}

/* AND, OR, XOR. */
static void logic(struct compiler *c, const struct ir_insn *i, enum x64_alu op)
{
    struct x64_asm *a = &c->a;
    unsigned w = width_of(i);
    uint64_t value;
    int32_t imm;
    if (c->plan[i->arg[0]].fused) {
        wrapped_sum(c, i);
        return;
    }
    unsigned x = x64_use(c, i->arg[0]);
    if (op == X64_AND && const_of(c, i->arg[1], &value) && (value == 0xff || value == 0xffff || value == UINT32_MAX)) {
        unsigned d = x64_def(c, i->dst);
        if (value == UINT32_MAX)
            x64_mov_rr(a, 32, d, x);
        else
            x64_movzx_rr(a, 32, d, value == 0xff ? 8 : 16, x);
        return;
    }
    if (imm_of(c, i->arg[1], w, &imm)) {
        unsigned d = x64_def(c, i->dst);
        move(c, w, d, x);
        x64_alu_ri(a, op, w, d, imm);
        return;
    }
    unsigned y = x64_use(c, i->arg[1]), d = x64_def(c, i->dst);
    if (d == y) {
        x64_alu_rr(a, op, w, d, x);
    } else {
        move(c, w, d, x);
        x64_alu_rr(a, op, w, d, y);
    }
}

static void andn(struct compiler *c, const struct ir_insn *i)
{
    unsigned x = x64_use(c, i->arg[0]), y = x64_use(c, i->arg[1]), d = x64_def(c, i->dst);
    x64_bmi_rrr(&c->a, X64_ANDN, width_of(i), d, y, x);    /* ~y & x */
}

static void multiply(struct compiler *c, const struct ir_insn *i)
{
    unsigned w = width_of(i), x = x64_use(c, i->arg[0]);
    int32_t imm;
    if (imm_of(c, i->arg[1], w, &imm)) {
        x64_imul_rri(&c->a, w, x64_def(c, i->dst), x, imm);
        return;
    }
    unsigned y = x64_use(c, i->arg[1]), d = x64_def(c, i->dst);
    if (d == y) {
        x64_imul_rr(&c->a, w, d, x);
    } else {
        move(c, w, d, x);
        x64_imul_rr(&c->a, w, d, y);
    }
}

/* The product's high half.  32 bits: shifted down from the 64-bit product. */
static void multiply_high(struct compiler *c, const struct ir_insn *i, bool is_signed)
{
    struct x64_asm *a = &c->a;
    if (i->type == IR_W) {
        unsigned x = x64_use(c, i->arg[0]), y = x64_use(c, i->arg[1]), t = x64_temp(c);
        unsigned d = x64_def(c, i->dst);
        unsigned other = y;
        if (is_signed)
            x64_movsx_rr(a, 64, t, 32, y);
        else
            x64_mov_rr(a, 32, t, y);
        other = t;
        if (is_signed)
            x64_movsx_rr(a, 64, d, 32, x);
        else
            x64_mov_rr(a, 32, d, x);
        x64_imul_rr(a, 64, d, other);
        x64_shift_ri(a, X64_SHR, 64, d, 32);
        return;
    }
    unsigned rax = x64_temp_is(c, HOST_RAX), rdx = x64_temp_is(c, HOST_RDX);
    unsigned x = x64_use(c, i->arg[0]), y = x64_use(c, i->arg[1]);
    x64_mov_rr(a, 64, rax, x);
    x64_unary_r(a, is_signed ? X64_IMUL : X64_MUL, 64, y);
    x64_def_in(c, i->dst, rdx);
}

/*
 * The quotient.  By 0, and signed by -1, it is a product: the machine would trap.  64-bit division is slow where 32-bit
 * division is not, and mostly both numbers are small.
 */
static void divide(struct compiler *c, const struct ir_insn *i, bool is_signed)
{
    struct x64_asm *a = &c->a;
    unsigned w = width_of(i);
    struct x64_label plain = { 0 }, wide = { 0 }, done = { 0 }, done_too = { 0 };
    unsigned rax = x64_temp_is(c, HOST_RAX), rdx = x64_temp_is(c, HOST_RDX);
    unsigned x = x64_use(c, i->arg[0]), y = x64_use(c, i->arg[1]);
    x64_mov_rr(a, w, rax, x);
    x64_lea(a, w, rdx, x64_base(y, is_signed));
    x64_alu_ri(a, X64_CMP, w, rdx, is_signed);
    x64_jcc8(a, X64_A, &plain);
    x64_imul_rr(a, w, rax, y);
    x64_jmp8(a, &done);
    x64_bind(a, &plain);
    if (w == 64) {
        x64_mov_rr(a, 64, rdx, rax);
        x64_alu_rr(a, X64_OR, 64, rdx, y);
        x64_shift_ri(a, X64_SHR, 64, rdx, 32);
        x64_jcc8(a, X64_NE, &wide);
        x64_unary_r(a, X64_DIV, 32, y);
        x64_jmp8(a, &done_too);
        x64_bind(a, &wide);
    }
    if (is_signed)
        x64_cqo(a, w);
    else
        x64_zero(a, rdx);
    x64_unary_r(a, is_signed ? X64_IDIV : X64_DIV, w, y);
    x64_bind(a, &done);
    x64_bind(a, &done_too);
    x64_def_in(c, i->dst, rax);
}

/* ---- shifts ------------------------------------------------------------------------------------- */

static void shift(struct compiler *c, const struct ir_insn *i, enum x64_shift by_constant, enum x64_bmi variable)
{
    unsigned w = width_of(i);
    uint64_t n;
    unsigned x = x64_use(c, i->arg[0]);
    if (const_of(c, i->arg[1], &n)) {
        unsigned d = x64_def(c, i->dst);
        move(c, w, d, x);
        if (n & (w - 1))
            x64_shift_ri(&c->a, by_constant, w, d, (unsigned)n & (w - 1));
        else if (d == x && w == 32)
            x64_mov_rr(&c->a, 32, d, d);         /* the upper half may be dirty */
        return;
    }
    unsigned y = x64_use(c, i->arg[1]);
    x64_bmi_rrr(&c->a, variable, w, x64_def(c, i->dst), x, y);
}

static void rotate(struct compiler *c, const struct ir_insn *i, bool left)
{
    unsigned w = width_of(i);
    uint64_t n;
    if (const_of(c, i->arg[1], &n)) {
        unsigned x = x64_use(c, i->arg[0]), d = x64_def(c, i->dst);
        x64_rorx(&c->a, w, d, x, (unsigned)(left ? 0 - n : n) & (w - 1));
        return;
    }
    unsigned rcx = x64_temp_is(c, HOST_RCX);
    unsigned x = x64_use(c, i->arg[0]), y = x64_use(c, i->arg[1]);
    unsigned t = x64_temp(c);
    x64_mov_rr(&c->a, 32, rcx, y);
    x64_mov_rr(&c->a, w, t, x);
    x64_shift_rc(&c->a, left ? X64_ROL : X64_ROR, w, t);
    x64_def_in(c, i->dst, t);
}

/* ---- one operand ---------------------------------------------------------------------------------- */

static void unary(struct compiler *c, const struct ir_insn *i)
{
    unsigned w = width_of(i), x = x64_use(c, i->arg[0]), d = x64_def(c, i->dst);
    switch (i->op) {
    case IR_NOT:
    case IR_NEG:
        move(c, w, d, x);
        x64_unary_r(&c->a, i->op == IR_NOT ? X64_NOT : X64_NEG, w, d);
        break;
    case IR_BSWAP:
        move(c, w, d, x);
        x64_bswap(&c->a, w, d);
        break;
    default:
        x64_scan_rr(&c->a, i->op == IR_CLZ ? X64_LZCNT : i->op == IR_CTZ ? X64_TZCNT : X64_POPCNT, w, d, x);
    }
}

static void extract(struct compiler *c, const struct ir_insn *i, bool is_signed)
{
    struct x64_asm *a = &c->a;
    unsigned w = width_of(i), pos = i->aux, len = (unsigned)i->imm;
    unsigned x = x64_use(c, i->arg[0]), d = x64_def(c, i->dst);
    if (pos + len == w) {
        if (pos) {
            move(c, w, d, x);
            x64_shift_ri(a, is_signed ? X64_SAR : X64_SHR, w, d, pos);
        } else {
            x64_mov_rr(a, w, d, x);
        }
    } else if (is_signed) {
        if (pos == 0 && (len == 8 || len == 16 || len == 32)) {
            x64_movsx_rr(a, w, d, len, x);
        } else {
            move(c, w, d, x);
            x64_shift_ri(a, X64_SHL, w, d, w - pos - len);
            x64_shift_ri(a, X64_SAR, w, d, w - len);
        }
    } else {
        if (pos) {
            move(c, w, d, x);
            x64_shift_ri(a, X64_SHR, w, d, pos);
            x = d;
        }
        if (len == 8 || len == 16) {
            x64_movzx_rr(a, 32, d, len, x);
        } else if (len <= 31) {
            move(c, 32, d, x);
            x64_alu_ri(a, X64_AND, 32, d, (int32_t)mask64(len));
        } else if (len == 32) {
            x64_mov_rr(a, 32, d, x);
        } else {
            move(c, w, d, x);
            x64_shift_ri(a, X64_SHL, w, d, w - len);
            x64_shift_ri(a, X64_SHR, w, d, w - len);
        }
    }
}

static void deposit(struct compiler *c, const struct ir_insn *i)
{
    struct x64_asm *a = &c->a;
    unsigned w = width_of(i), pos = i->aux, len = (unsigned)i->imm;
    unsigned x = x64_use(c, i->arg[0]), y = x64_use(c, i->arg[1]), t = x64_temp(c), m = x64_temp(c);
    uint64_t mask = mask64(len) << pos;
    x64_mov_rr(a, w, t, y);
    if (pos)
        x64_shift_ri(a, X64_SHL, w, t, pos);
    x64_mov_ri(a, m, w == 32 ? (uint32_t)mask : mask);
    x64_alu_rr(a, X64_AND, w, t, m);
    x64_bmi_rrr(a, X64_ANDN, w, m, m, x);        /* ~mask & x */
    unsigned d = x64_def(c, i->dst);
    x64_alu_rr(a, X64_OR, w, t, m);
    move(c, w, d, t);
}

static void setcond(struct compiler *c, const struct ir_insn *i)
{
    enum x64_cc cc = x64_compare(c, (enum ir_cond)i->aux, (enum ir_type)i->type, i->arg[0], i->arg[1]);
    unsigned d = x64_def(c, i->dst);
    x64_setcc_r(&c->a, cc, d);
    x64_movzx_rr(&c->a, 32, d, 8, d);
}

static void select(struct compiler *c, const struct ir_insn *i)
{
    unsigned w = width_of(i), yes = x64_use(c, i->arg[1]), no = x64_use(c, i->arg[2]);
    enum x64_cc cc;
    if (c->plan[i->arg[0]].fused) {
        const struct ir_insn *s = def_of(c, i->arg[0]);
        cc = x64_compare(c, (enum ir_cond)s->aux, (enum ir_type)s->type, s->arg[0], s->arg[1]);
    } else {
        unsigned f = x64_use(c, i->arg[0]);
        x64_test_rr(&c->a, 32, f, f);
        cc = X64_NE;
    }
    /* Moves leave the flags alone. */
    unsigned d = x64_def(c, i->dst);
    if (d == yes && d != no) {
        x64_cmov_rr(&c->a, x64_invert(cc), w, d, no);
    } else {
        move(c, w, d, no);
        x64_cmov_rr(&c->a, cc, w, d, yes);
    }
}

static void widen(struct compiler *c, const struct ir_insn *i)
{
    uint64_t value;
    if (c->plan[i->dst].root != i->dst)
        return;                                   /* shares its argument's register */
    if (const_of(c, i->arg[0], &value)) {
        unsigned d = x64_def(c, i->dst);
        x64_mov_ri(&c->a, d, i->op == IR_SEXT ? (uint64_t)(int64_t)(int32_t)value : (uint32_t)value);
        return;
    }
    unsigned x = x64_use(c, i->arg[0]), d = x64_def(c, i->dst);
    if (i->op == IR_SEXT)
        x64_movsx_rr(&c->a, 64, d, 32, x);
    else
        x64_mov_rr(&c->a, 32, d, x);
}

/* ---- all -------------------------------------------------------------------------------------------- */

void x64_op(struct compiler *c, const struct ir_insn *i)
{
    switch (i->op) {
    case IR_ADD:
        add(c, i);
        break;
    case IR_SUB:
        sub(c, i);
        break;
    case IR_MUL:
        multiply(c, i);
        break;
    case IR_MULHU:
    case IR_MULHS:
        multiply_high(c, i, i->op == IR_MULHS);
        break;
    case IR_DIVU:
    case IR_DIVS:
        divide(c, i, i->op == IR_DIVS);
        break;
    case IR_AND:
        logic(c, i, X64_AND);
        break;
    case IR_OR:
        logic(c, i, X64_OR);
        break;
    case IR_XOR:
        logic(c, i, X64_XOR);
        break;
    case IR_ANDN:
        andn(c, i);
        break;
    case IR_SHL:
        shift(c, i, X64_SHL, X64_SHLX);
        break;
    case IR_SHR:
        shift(c, i, X64_SHR, X64_SHRX);
        break;
    case IR_SAR:
        shift(c, i, X64_SAR, X64_SARX);
        break;
    case IR_ROTL:
    case IR_ROTR:
        rotate(c, i, i->op == IR_ROTL);
        break;
    case IR_ZEXT:
    case IR_SEXT:
    case IR_TRUNC:
        widen(c, i);
        break;
    case IR_EXTRACT:
    case IR_SEXTRACT:
        extract(c, i, i->op == IR_SEXTRACT);
        break;
    case IR_DEPOSIT:
        deposit(c, i);
        break;
    case IR_SETCOND:
        setcond(c, i);
        break;
    case IR_SELECT:
        select(c, i);
        break;
    default:
        unary(c, i);
    }
}
