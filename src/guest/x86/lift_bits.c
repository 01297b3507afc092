/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Multiplication, division, bits, BCD. */
#include "guest/x86/lift_int.h"

__extension__ typedef unsigned __int128 u128;
__extension__ typedef __int128 s128;

/* ---- multiplication ------------------------------------------------------------------------ */

static ir_ref extended(struct x86_lift *L, ir_ref v, unsigned size, bool is_signed)
{
    if (size == 4)
        return irb_un(L->b, is_signed ? IR_SEXT : IR_ZEXT, v);
    v = irb_cast(L->b, v, IR_X);
    return is_signed ? irb_sextract(L->b, v, 0, 8 * size) : v;
}

/* MUL (aux 0), IMUL (1): accumulator times op0, double width. */
void lift_mul(struct x86_lift *L, const struct x86_insn *I)
{
    struct ir_block *b = L->b;
    unsigned size = I->op[0].size, bits = 8 * size;
    bool is_signed = I->row->aux;
    ir_ref x = x86_rd(L, I, 0), a = x86_rd_reg(L, R_AX, size), low, high, over;
    if (size == 8) {
        low = irb_bin(b, IR_MUL, a, x);
        high = irb_bin(b, is_signed ? IR_MULHS : IR_MULHU, a, x);
    } else {
        ir_ref p = irb_bin(b, IR_MUL, extended(L, a, size, is_signed), extended(L, x, size, is_signed));
        low = irb_extract(b, p, 0, bits);
        high = irb_extract(b, p, bits, bits);
        if (size == 1) {
            x86_wr_reg(L, R_AX, 2, irb_extract(b, p, 0, 16));
            ir_ref sign = is_signed ? irb_extract(b, irb_sextract(b, low, 0, 8), 8, 8) : irb_x(b, 0);
            over = irb_setcond(b, IR_NE, high, sign);
            x86_set_cc(L, x86_cc_of(CC_MULB, size), low, over, IR_NONE);
            return;
        }
    }
    ir_ref sign = irb_x(b, 0);
    if (is_signed)
        sign = size == 8 ? irb_bini(b, IR_SAR, low, 63)
                         : irb_extract(b, irb_sextract(b, low, 0, bits), bits, bits);
    over = irb_setcond(b, IR_NE, high, sign);
    x86_wr_reg(L, R_AX, size, x86_as(L, low, size));
    x86_wr_reg(L, R_DX, size, x86_as(L, high, size));
    x86_set_cc(L, x86_cc_of(CC_MULB, size), low, over, IR_NONE);
}

/* IMUL with two or three operands: op0 = op[aux] * op[aux + 1]. */
void lift_imul2(struct x86_lift *L, const struct x86_insn *I)
{
    struct ir_block *b = L->b;
    unsigned size = I->op[0].size, k = I->row->aux;
    ir_ref x = x86_rd(L, I, k), y = x86_rd(L, I, k + 1), r, over;
    if (size == 8) {
        r = irb_bin(b, IR_MUL, x, y);
        over = irb_setcond(b, IR_NE, irb_bin(b, IR_MULHS, x, y), irb_bini(b, IR_SAR, r, 63));
    } else {                /* the whole product is for the flags, which mostly nobody reads */
        ir_ref p = irb_bin(b, IR_MUL, extended(L, x, size, true), extended(L, y, size, true));
        r = size == 4 ? irb_bin(b, IR_MUL, x, y) : p;
        over = irb_setcond(b, IR_NE, p, irb_sextract(b, p, 0, 8 * size));
    }
    x86_wr_reg(L, I->op[0].reg, size, x86_as(L, r, size));
    x86_set_cc(L, x86_cc_of(CC_MULB, size), r, over, IR_NONE);
}

/* ---- division --------------------------------------------------------------------------------- */

/* RDX:RAX by d, of which it is known that the quotient of unsigned numbers fits. */
static uint64_t do_div(struct vcpu *v, uint64_t d)
{
    struct x86_state *s = &x86_of(v)->s;
    u128 n = (u128)s->gpr[R_DX] << 64 | s->gpr[R_AX];
    s->gpr[R_AX] = (uint64_t)(n / d);
    s->gpr[R_DX] = (uint64_t)(n % d);
    return 0;
}

static uint64_t do_idiv(struct vcpu *v, uint64_t divisor)
{
    struct x86_state *s = &x86_of(v)->s;
    int64_t d = (int64_t)divisor;
    s128 n = (s128)((u128)s->gpr[R_DX] << 64 | s->gpr[R_AX]);
    bool least = n == (s128)((u128)1 << 127);
    if (!d || (d == -1 && least) || n / d != (int64_t)(n / d)) {
        x86_raise(v, EXC_DE, false, 0);
        return 0;
    }
    s->gpr[R_AX] = (uint64_t)(n / d);
    s->gpr[R_DX] = (uint64_t)(n % d);
    return 0;
}

static const struct ir_helper
    helper_div = { "div", 1, HELPER_READS | HELPER_WRITES, IR_VOID, { IR_X }, { .f1 = do_div } },
    helper_idiv = { "idiv", 1, HELPER_MAY_EXIT | HELPER_READS | HELPER_WRITES, IR_VOID, { IR_X }, { .f1 = do_idiv } };

static void no_error(struct x86_lift *L, enum ir_cond error, ir_ref x, ir_ref y)
{
    irb_trap_if(L->b, error, x, y, &x86_helper_raise, irb_x(L->b, EXC_DE));
}

/* A divisor of up to 32 bits: the dividend of twice the width is one value. */
static void divide_narrow(struct x86_lift *L, ir_ref d, unsigned size, bool is_signed)
{
    struct ir_block *b = L->b;
    unsigned bits = 8 * size;
    ir_ref n = size == 1 ? x86_rd_reg(L, R_AX, 2) : x86_rd_reg(L, R_AX, size), q, r;
    if (size == 4)
        n = irb_bin(b, IR_OR, irb_un(b, IR_ZEXT, n), irb_bini(b, IR_SHL, irb_get(b, 8, X86_OFF_GPR(R_DX)), 32));
    if (size == 2)
        n = irb_deposit(b, n, x86_rd_reg(L, R_DX, 2), 16, 16);
    if (size == 4)
        d = irb_un(b, is_signed ? IR_SEXT : IR_ZEXT, d);
    else if (is_signed)
        d = irb_sextract(b, d, 0, bits);
    if (size == 1 && is_signed)
        n = irb_sextract(b, n, 0, 16);
    ir_ref zero = irb_const(b, size == 4 ? IR_X : IR_W, 0);
    no_error(L, IR_EQ, d, zero);
    q = irb_bin(b, is_signed ? IR_DIVS : IR_DIVU, n, d);
    if (is_signed)
        no_error(L, IR_NE, irb_sextract(b, q, 0, bits), q);
    else
        no_error(L, IR_GTU, q, irb_const(b, size == 4 ? IR_X : IR_W, mask64(bits)));
    r = irb_bin(b, IR_SUB, n, irb_bin(b, IR_MUL, q, d));
    if (size == 1) {
        x86_wr_reg(L, R_AX, 2, irb_deposit(b, q, r, 8, 8));
        return;
    }
    x86_wr_reg(L, R_AX, size, x86_as(L, q, size));
    x86_wr_reg(L, R_DX, size, x86_as(L, r, size));
}

/* 64 bits: the dividend mostly is one word, extended. */
static void divide_wide(struct x86_lift *L, ir_ref d, bool is_signed)
{
    struct ir_block *b = L->b;
    ir_ref n = irb_get(b, 8, X86_OFF_GPR(R_AX)), high = irb_get(b, 8, X86_OFF_GPR(R_DX)), q;
    unsigned two_words = irb_label_new(b), done = irb_label_new(b);
    if (!is_signed)
        no_error(L, IR_GEU, high, d);
    irb_brcond(b, IR_NE, high, is_signed ? irb_bini(b, IR_SAR, n, 63) : irb_x(b, 0), two_words);
    if (is_signed)
        no_error(L, IR_EQ, d, irb_x(b, 0));
    q = irb_bin(b, is_signed ? IR_DIVS : IR_DIVU, n, d);
    if (is_signed) {        /* the least number by -1 */
        ir_ref overflow = irb_bin(b, IR_OR, irb_bini(b, IR_XOR, n, UINT64_C(1) << 63), irb_un(b, IR_NOT, d));
        no_error(L, IR_EQ, overflow, irb_x(b, 0));
    }
    irb_put(b, 8, X86_OFF_GPR(R_AX), q);
    irb_put(b, 8, X86_OFF_GPR(R_DX), irb_bin(b, IR_SUB, n, irb_bin(b, IR_MUL, q, d)));
    irb_br(b, done);
    irb_label(b, two_words);
    irb_call(b, is_signed ? &helper_idiv : &helper_div, d, IR_NONE, IR_NONE, IR_NONE);
    irb_label(b, done);
}

/* DIV (aux 0), IDIV (1).  Flags are undefined: left as they are. */
void lift_div(struct x86_lift *L, const struct x86_insn *I)
{
    unsigned size = I->op[0].size;
    ir_ref d = x86_rd(L, I, 0);
    if (size == 8)
        divide_wide(L, d, I->row->aux);
    else
        divide_narrow(L, d, size, I->row->aux);
}

/* ---- bits ---------------------------------------------------------------------------------------- */

enum { BT_TEST, BT_SET, BT_RESET, BT_COMPLEMENT };

static ir_ref bt_result(struct x86_lift *L, unsigned kind, ir_ref x, ir_ref bit)
{
    switch (kind) {
    case BT_SET:
        return irb_bin(L->b, IR_OR, x, bit);
    case BT_RESET:
        return irb_bin(L->b, IR_ANDN, x, bit);
    default:
        return irb_bin(L->b, IR_XOR, x, bit);
    }
}

/* A register bit offset with a memory operand addresses a bit string around it (SDM vol. 2, BT). */
static ir_ref bt_address(struct x86_lift *L, const struct x86_insn *I, ir_ref offset, unsigned size)
{
    struct ir_block *b = L->b;
    ir_ref a = x86_ea(L, I);
    ir_ref n = size == 8 ? offset : size == 4 ? irb_un(b, IR_SEXT, offset)
                                              : irb_sextract(b, irb_cast(b, offset, IR_X), 0, 16);
    unsigned log = size == 8 ? 6 : size == 4 ? 5 : 4;
    ir_ref words = irb_bini(b, IR_SAR, n, log);
    a = irb_bin(b, IR_ADD, a, irb_bini(b, IR_SHL, words, log - 3));
    return I->asz == 8 ? a : irb_bini(b, IR_AND, a, mask64(8u * I->asz));
}

void lift_bt(struct x86_lift *L, const struct x86_insn *I)
{
    struct ir_block *b = L->b;
    unsigned size = I->op[0].size, kind = I->row->aux;
    enum ir_type t = size == 8 ? IR_X : IR_W;
    ir_ref linear = IR_NONE, x, n = x86_rd(L, I, 1);
    if (I->op[0].kind == OPK_MEM) {
        ir_ref a = I->op[1].kind == OPK_REG ? bt_address(L, I, n, size) : x86_ea(L, I);
        linear = x86_linear_seg(L, I->seg, a, size, kind != BT_TEST);
        x = x86_ld(L, linear, size, kind != BT_TEST);
    } else {
        x = x86_rd(L, I, 0);
    }
    n = irb_bini(b, IR_AND, n, 8 * size - 1);
    ir_ref cf = irb_bini(b, IR_AND, irb_bin(b, IR_SHR, x, n), 1);
    if (kind != BT_TEST)
        x86_wr_rmw(L, I, 0, linear, bt_result(L, kind, x, irb_bin(b, IR_SHL, irb_const(b, t, 1), n)));
    x86_set_carry(L, cf);
}

/* BSF, BSR: a zero source sets ZF and leaves the destination (upper half included) as CPUs do. */
static void bit_scan(struct x86_lift *L, const struct x86_insn *I, bool reverse)
{
    struct ir_block *b = L->b;
    unsigned size = I->op[0].size;
    ir_ref x = x86_rd(L, I, 1), r;
    if (reverse) {
        unsigned width = size == 8 ? 64 : 32;
        r = irb_bin(b, IR_SUB, irb_const(b, size == 8 ? IR_X : IR_W, width - 1), irb_un(b, IR_CLZ, x));
    } else {
        r = irb_un(b, IR_CTZ, x);
    }
    ir_ref zero = irb_setcondi(b, IR_EQ, x, 0);
    if (size == 4) {
        ir_ref old = irb_get(b, 8, X86_OFF_GPR(I->op[0].reg));
        irb_put(b, 8, X86_OFF_GPR(I->op[0].reg), irb_select(b, zero, old, irb_cast(b, r, IR_X)));
    } else {
        x86_wr_reg(L, I->op[0].reg, size, irb_select(b, zero, x86_rd_reg(L, I->op[0].reg, size), r));
    }
    x86_set_cc(L, x86_cc_of(CC_LOGICB, size), x, IR_NONE, IR_NONE);
}

void lift_bsf(struct x86_lift *L, const struct x86_insn *I) { bit_scan(L, I, false); }
void lift_bsr(struct x86_lift *L, const struct x86_insn *I) { bit_scan(L, I, true); }

static void count_zeros(struct x86_lift *L, const struct x86_insn *I, enum ir_op op)
{
    struct ir_block *b = L->b;
    unsigned size = I->op[0].size;
    ir_ref x = x86_rd(L, I, 1), y = x;
    if (size == 2)
        y = op == IR_CTZ ? irb_bini(b, IR_OR, x, 0x10000) : irb_bini(b, IR_OR, irb_bini(b, IR_SHL, x, 16), 0x8000);
    ir_ref r = irb_un(b, op, y);
    ir_ref cf = irb_setcondi(b, IR_EQ, x, 0);
    x86_wr(L, I, 0, r);
    x86_set_cc(L, x86_cc_of(CC_BMILOGICB, size), r, cf, IR_NONE);
}

void lift_tzcnt(struct x86_lift *L, const struct x86_insn *I) { count_zeros(L, I, IR_CTZ); }
void lift_lzcnt(struct x86_lift *L, const struct x86_insn *I) { count_zeros(L, I, IR_CLZ); }

void lift_popcnt(struct x86_lift *L, const struct x86_insn *I)
{
    ir_ref x = x86_rd(L, I, 1);
    x86_wr(L, I, 0, irb_un(L->b, IR_POPCNT, x));
    ir_ref zero = irb_setcondi(L->b, IR_EQ, x, 0);
    x86_set_cc_eflags(L, irb_bini(L->b, IR_SHL, zero, 6));
}

void lift_movbe(struct x86_lift *L, const struct x86_insn *I)
{
    ir_ref v = irb_un(L->b, IR_BSWAP, x86_rd(L, I, 1));
    x86_wr(L, I, 0, I->op[0].size == 2 ? irb_extract(L->b, v, 16, 16) : v);
}

/* CRC32C, polynomial 11EDC6F41 reflected, a byte at a time (SDM vol. 2, CRC32). */
static uint64_t do_crc32(struct vcpu *v, uint64_t crc, uint64_t data, uint64_t size)
{
    (void)v;
    crc &= UINT32_MAX;
    for (unsigned i = 0; i < size; i++) {
        crc ^= data >> 8 * i & 0xff;
        for (int k = 0; k < 8; k++)
            crc = crc >> 1 ^ (crc & 1 ? 0x82f63b78 : 0);
    }
    return crc;
}

static const struct ir_helper helper_crc32 = {
    "crc32", 3, HELPER_PURE, IR_X, { IR_X, IR_X, IR_X }, { .f3 = do_crc32 }
};

void lift_crc32(struct x86_lift *L, const struct x86_insn *I)
{
    struct ir_block *b = L->b;
    ir_ref data = irb_cast(b, x86_rd(L, I, 1), IR_X);
    ir_ref r = irb_call(b, &helper_crc32, irb_get(b, 8, X86_OFF_GPR(I->op[0].reg)), data,
                        irb_x(b, I->op[1].size), IR_NONE);
    irb_put(b, 8, X86_OFF_GPR(I->op[0].reg), r);
}

/* ---- BCD -------------------------------------------------------------------------------------------- */

static void set_flags(struct x86_state *s, uint32_t f)
{
    s->cc_op = CC_EFLAGS;
    s->cc_src = f;
}

/* DAA DAS AAA AAS by opcode (SDM vol. 2). */
static uint64_t do_bcd(struct vcpu *v, uint64_t opcode, uint64_t eflags)
{
    struct x86_state *s = &x86_of(v)->s;
    unsigned al = s->gpr[R_AX] & 0xff, ax = s->gpr[R_AX] & 0xffff, old = al;
    bool cf = eflags & FLAG_CF, low = (al & 15) > 9 || eflags & FLAG_AF;
    if (opcode == 0x27 || opcode == 0x2f) {
        bool add = opcode == 0x27, high = old > 0x99 || cf, carried = false;
        if (low) {
            carried = cf || (add ? al + 6 > 0xff : al < 6);
            al = (add ? al + 6 : al - 6) & 0xff;
        }
        if (high)
            al = (add ? al + 0x60 : al - 0x60) & 0xff;
        cf = high || carried;
        s->gpr[R_AX] = bits_set(s->gpr[R_AX], 0, 8, al);
        set_flags(s, (x86_compute_flags(CC_LOGICB, al, 0, 0) & ~(uint32_t)(FLAG_CF | FLAG_AF)) | (cf ? FLAG_CF : 0) |
                         (low ? FLAG_AF : 0));
        return 0;
    }
    if (low)
        ax = opcode == 0x37 ? ax + 0x106 : ax - 0x106;
    ax &= 0xff0f;
    s->gpr[R_AX] = bits_set(s->gpr[R_AX], 0, 16, ax);
    set_flags(s, (x86_compute_flags(CC_LOGICB, ax, 0, 0) & ~(uint32_t)(FLAG_CF | FLAG_AF)) |
                     (low ? FLAG_CF | FLAG_AF : 0));
    return 0;
}

/* AAM (D4), AAD (D5) with their base. */
static uint64_t do_aad(struct vcpu *v, uint64_t opcode, uint64_t base)
{
    struct x86_state *s = &x86_of(v)->s;
    unsigned al = s->gpr[R_AX] & 0xff, ah = s->gpr[R_AX] >> 8 & 0xff;
    if (opcode == 0xd4) {
        if (!base) {
            x86_raise(v, EXC_DE, false, 0);
            return 0;
        }
        ah = al / (unsigned)base;
        al = al % (unsigned)base;
    } else {
        al = (al + ah * (unsigned)base) & 0xff;
        ah = 0;
    }
    s->gpr[R_AX] = bits_set(s->gpr[R_AX], 0, 16, ah << 8 | al);
    set_flags(s, x86_compute_flags(CC_LOGICB, al, 0, 0));
    return 0;
}

static const struct ir_helper helper_bcd = { "bcd", 2, HELPER_READS | HELPER_WRITES, IR_VOID, { IR_X, IR_W },
                                             { .f2 = do_bcd } };
static const struct ir_helper helper_aad = { "aad", 2, HELPER_MAY_EXIT | HELPER_READS | HELPER_WRITES, IR_VOID,
                                             { IR_X, IR_X }, { .f2 = do_aad } };

void lift_bcd(struct x86_lift *L, const struct x86_insn *I)
{
    irb_call(L->b, &helper_bcd, irb_x(L->b, I->opcode), x86_get_cc_eflags(L), IR_NONE, IR_NONE);
    x86_cc_dynamic(L);
}

void lift_aad(struct x86_lift *L, const struct x86_insn *I)
{
    irb_call(L->b, &helper_aad, irb_x(L->b, I->opcode), irb_x(L->b, I->op[0].imm & 0xff), IR_NONE, IR_NONE);
    x86_cc_dynamic(L);
}
