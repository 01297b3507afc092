/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Integer encodings (Intel SDM vol. 2, appendix A). */
#include "guest/x86/cpuid.h"
#include "guest/x86/lift_int.h"

#define OPS(a, b, c) { OP_##a, OP_##b, OP_##c, OP_NONE }
/* A row without ModRM constraint, and one with ModRM.reg = r. */
#define R(map, op, name, a, b, c, fn, aux, flags) \
    { map, op, 0, PFX_ANY, -1, -1, OPS(a, b, c), F_NONE, flags, aux, name, fn }
#define RS(map, op, span, name, a, b, c, fn, aux, flags) \
    { map, op, span, PFX_ANY, -1, -1, OPS(a, b, c), F_NONE, flags, aux, name, fn }
#define G(map, op, r, name, a, b, c, fn, aux, flags) \
    { map, op, 0, PFX_ANY, r, -1, OPS(a, b, c), F_NONE, flags, aux, name, fn }
#define F(map, op, pfx, r, feature, name, a, b, c, fn, aux, flags) \
    { map, op, 0, pfx, r, -1, OPS(a, b, c), feature, flags, aux, name, fn }

#define ALU(op, name, k, lock)                                     \
    R(MAP_1, op + 0, name, Eb, Gb, NONE, lift_alu, k, lock),       \
    R(MAP_1, op + 1, name, Ev, Gv, NONE, lift_alu, k, lock),       \
    R(MAP_1, op + 2, name, Gb, Eb, NONE, lift_alu, k, 0),          \
    R(MAP_1, op + 3, name, Gv, Ev, NONE, lift_alu, k, 0),          \
    R(MAP_1, op + 4, name, AL, Ib, NONE, lift_alu, k, 0),          \
    R(MAP_1, op + 5, name, rAX, Iz, NONE, lift_alu, k, 0),         \
    G(MAP_1, 0x80, k, name, Eb, Ib, NONE, lift_alu, k, lock),      \
    G(MAP_1, 0x81, k, name, Ev, Iz, NONE, lift_alu, k, lock),      \
    G(MAP_1, 0x82, k, name, Eb, Ib, NONE, lift_alu, k, lock | ROW_NO64), \
    G(MAP_1, 0x83, k, name, Ev, Ibs, NONE, lift_alu, k, lock)

#define SHIFT(r, name, k)                                          \
    G(MAP_1, 0xc0, r, name, Eb, Ib, NONE, lift_shift, k, 0),       \
    G(MAP_1, 0xc1, r, name, Ev, Ib, NONE, lift_shift, k, 0),       \
    G(MAP_1, 0xd0, r, name, Eb, I1, NONE, lift_shift, k, 0),       \
    G(MAP_1, 0xd1, r, name, Ev, I1, NONE, lift_shift, k, 0),       \
    G(MAP_1, 0xd2, r, name, Eb, CL, NONE, lift_shift, k, 0),       \
    G(MAP_1, 0xd3, r, name, Ev, CL, NONE, lift_shift, k, 0)

const struct x86_row x86_rows_int[] = {
    ALU(0x00, "add", ALU_ADD, ROW_LOCK),
    ALU(0x08, "or", ALU_OR, ROW_LOCK),
    ALU(0x10, "adc", ALU_ADC, ROW_LOCK),
    ALU(0x18, "sbb", ALU_SBB, ROW_LOCK),
    ALU(0x20, "and", ALU_AND, ROW_LOCK),
    ALU(0x28, "sub", ALU_SUB, ROW_LOCK),
    ALU(0x30, "xor", ALU_XOR, ROW_LOCK),
    ALU(0x38, "cmp", ALU_CMP, 0),

    R(MAP_1, 0x27, "daa", NONE, NONE, NONE, lift_bcd, 0, ROW_NO64),
    R(MAP_1, 0x2f, "das", NONE, NONE, NONE, lift_bcd, 0, ROW_NO64),
    R(MAP_1, 0x37, "aaa", NONE, NONE, NONE, lift_bcd, 0, ROW_NO64),
    R(MAP_1, 0x3f, "aas", NONE, NONE, NONE, lift_bcd, 0, ROW_NO64),
    R(MAP_1, 0xd4, "aam", Ib, NONE, NONE, lift_aad, 0, ROW_NO64),
    R(MAP_1, 0xd5, "aad", Ib, NONE, NONE, lift_aad, 0, ROW_NO64),

    RS(MAP_1, 0x40, 7, "inc", Zv, NONE, NONE, lift_incdec, 0, ROW_NO64),
    RS(MAP_1, 0x48, 7, "dec", Zv, NONE, NONE, lift_incdec, 1, ROW_NO64),
    RS(MAP_1, 0x50, 7, "push", Zv, NONE, NONE, lift_push, 0, ROW_D64),
    RS(MAP_1, 0x58, 7, "pop", Zv, NONE, NONE, lift_pop, 0, ROW_D64),
    R(MAP_1, 0x60, "pusha", NONE, NONE, NONE, lift_pusha, 0, ROW_NO64),
    R(MAP_1, 0x61, "popa", NONE, NONE, NONE, lift_popa, 0, ROW_NO64),
    R(MAP_1, 0x62, "bound", Gv, Ma, NONE, lift_bound, 0, ROW_NO64 | ROW_MOD_MEM),
    R(MAP_1, 0x63, "movsxd", Gv, Ed, NONE, lift_movsxd, 0, ROW_ONLY64),
    R(MAP_1, 0x68, "push", Iz, NONE, NONE, lift_push, 0, ROW_D64),
    R(MAP_1, 0x69, "imul", Gv, Ev, Iz, lift_imul2, 1, 0),
    R(MAP_1, 0x6a, "push", Ibs, NONE, NONE, lift_push, 0, ROW_D64),
    R(MAP_1, 0x6b, "imul", Gv, Ev, Ibs, lift_imul2, 1, 0),
    RS(MAP_1, 0x70, 15, "jcc", Jb, NONE, NONE, lift_jcc, 0, ROW_F64),

    R(MAP_1, 0x84, "test", Eb, Gb, NONE, lift_alu, ALU_TEST, 0),
    R(MAP_1, 0x85, "test", Ev, Gv, NONE, lift_alu, ALU_TEST, 0),
    R(MAP_1, 0x86, "xchg", Eb, Gb, NONE, lift_xchg, 0, ROW_LOCK),
    R(MAP_1, 0x87, "xchg", Ev, Gv, NONE, lift_xchg, 0, ROW_LOCK),
    R(MAP_1, 0x88, "mov", Eb, Gb, NONE, lift_mov, 0, 0),
    R(MAP_1, 0x89, "mov", Ev, Gv, NONE, lift_mov, 0, 0),
    R(MAP_1, 0x8a, "mov", Gb, Eb, NONE, lift_mov, 0, 0),
    R(MAP_1, 0x8b, "mov", Gv, Ev, NONE, lift_mov, 0, 0),
    R(MAP_1, 0x8d, "lea", Gv, M, NONE, lift_lea, 0, ROW_MOD_MEM),
    G(MAP_1, 0x8f, 0, "pop", Ev, NONE, NONE, lift_pop, 0, ROW_D64),

    /* 90 is NOP, F3 90 is PAUSE, unless REX.B makes them XCHG r8. */
    RS(MAP_1, 0x90, 7, "xchg", Zv, rAX, NONE, lift_xchg, 0, 0),
    R(MAP_1, 0x98, "cbw", NONE, NONE, NONE, lift_cbw, 0, 0),
    R(MAP_1, 0x99, "cwd", NONE, NONE, NONE, lift_cwd, 0, 0),
    R(MAP_1, 0x9e, "sahf", NONE, NONE, NONE, lift_sahf, 0, ROW_NO64),
    F(MAP_1, 0x9e, PFX_ANY, -1, F_LAHF_LM, "sahf", NONE, NONE, NONE, lift_sahf, 0, ROW_ONLY64),
    R(MAP_1, 0x9f, "lahf", NONE, NONE, NONE, lift_lahf, 0, ROW_NO64),
    F(MAP_1, 0x9f, PFX_ANY, -1, F_LAHF_LM, "lahf", NONE, NONE, NONE, lift_lahf, 0, ROW_ONLY64),

    R(MAP_1, 0xa0, "mov", AL, Ob, NONE, lift_mov, 0, 0),
    R(MAP_1, 0xa1, "mov", rAX, Ov, NONE, lift_mov, 0, 0),
    R(MAP_1, 0xa2, "mov", Ob, AL, NONE, lift_mov, 0, 0),
    R(MAP_1, 0xa3, "mov", Ov, rAX, NONE, lift_mov, 0, 0),
    R(MAP_1, 0xa4, "movs", Yb, Xb, NONE, lift_string, 0, ROW_REP),
    R(MAP_1, 0xa5, "movs", Yv, Xv, NONE, lift_string, 0, ROW_REP),
    R(MAP_1, 0xa6, "cmps", Xb, Yb, NONE, lift_string, 1, ROW_REP),
    R(MAP_1, 0xa7, "cmps", Xv, Yv, NONE, lift_string, 1, ROW_REP),
    R(MAP_1, 0xa8, "test", AL, Ib, NONE, lift_alu, ALU_TEST, 0),
    R(MAP_1, 0xa9, "test", rAX, Iz, NONE, lift_alu, ALU_TEST, 0),
    R(MAP_1, 0xaa, "stos", Yb, NONE, NONE, lift_string, 2, ROW_REP),
    R(MAP_1, 0xab, "stos", Yv, NONE, NONE, lift_string, 2, ROW_REP),
    R(MAP_1, 0xac, "lods", Xb, NONE, NONE, lift_string, 3, ROW_REP),
    R(MAP_1, 0xad, "lods", Xv, NONE, NONE, lift_string, 3, ROW_REP),
    R(MAP_1, 0xae, "scas", Yb, NONE, NONE, lift_string, 4, ROW_REP),
    R(MAP_1, 0xaf, "scas", Yv, NONE, NONE, lift_string, 4, ROW_REP),
    RS(MAP_1, 0xb0, 7, "mov", Zb, Ib, NONE, lift_mov, 0, 0),
    RS(MAP_1, 0xb8, 7, "mov", Zv, Iv, NONE, lift_mov, 0, 0),

    SHIFT(0, "rol", SH_ROL),
    SHIFT(1, "ror", SH_ROR),
    SHIFT(2, "rcl", SH_RCL),
    SHIFT(3, "rcr", SH_RCR),
    SHIFT(4, "shl", SH_SHL),
    SHIFT(5, "shr", SH_SHR),
    SHIFT(6, "sal", SH_SAL),
    SHIFT(7, "sar", SH_SAR),
    R(MAP_1, 0xc2, "ret", Iw, NONE, NONE, lift_ret, 0, ROW_F64),
    R(MAP_1, 0xc3, "ret", NONE, NONE, NONE, lift_ret, 0, ROW_F64),
    G(MAP_1, 0xc6, 0, "mov", Eb, Ib, NONE, lift_mov, 0, 0),
    G(MAP_1, 0xc7, 0, "mov", Ev, Iz, NONE, lift_mov, 0, 0),
    R(MAP_1, 0xc8, "enter", Iw, Ib, NONE, lift_enter, 0, ROW_D64),
    R(MAP_1, 0xc9, "leave", NONE, NONE, NONE, lift_leave, 0, ROW_D64),
    R(MAP_1, 0xd6, "salc", NONE, NONE, NONE, lift_salc, 0, ROW_NO64),
    R(MAP_1, 0xd7, "xlat", NONE, NONE, NONE, lift_xlat, 0, 0),
    RS(MAP_1, 0xe0, 2, "loop", Jb, NONE, NONE, lift_loop, 0, ROW_F64),
    R(MAP_1, 0xe3, "jcxz", Jb, NONE, NONE, lift_jcxz, 0, ROW_F64),
    R(MAP_1, 0xe8, "call", Jz, NONE, NONE, lift_call, 0, ROW_F64),
    R(MAP_1, 0xe9, "jmp", Jz, NONE, NONE, lift_jmp, 0, ROW_F64),
    R(MAP_1, 0xeb, "jmp", Jb, NONE, NONE, lift_jmp, 0, ROW_F64),
    R(MAP_1, 0xf5, "cmc", NONE, NONE, NONE, lift_flagop, 0, 0),
    RS(MAP_1, 0xf8, 1, "clc", NONE, NONE, NONE, lift_flagop, 0, 0),
    RS(MAP_1, 0xfc, 1, "cld", NONE, NONE, NONE, lift_flagop, 0, 0),

    G(MAP_1, 0xf6, 0, "test", Eb, Ib, NONE, lift_alu, ALU_TEST, 0),
    G(MAP_1, 0xf6, 1, "test", Eb, Ib, NONE, lift_alu, ALU_TEST, 0),
    G(MAP_1, 0xf6, 2, "not", Eb, NONE, NONE, lift_not, 0, ROW_LOCK),
    G(MAP_1, 0xf6, 3, "neg", Eb, NONE, NONE, lift_neg, 0, ROW_LOCK),
    G(MAP_1, 0xf6, 4, "mul", Eb, NONE, NONE, lift_mul, 0, 0),
    G(MAP_1, 0xf6, 5, "imul", Eb, NONE, NONE, lift_mul, 1, 0),
    G(MAP_1, 0xf6, 6, "div", Eb, NONE, NONE, lift_div, 0, 0),
    G(MAP_1, 0xf6, 7, "idiv", Eb, NONE, NONE, lift_div, 1, 0),
    G(MAP_1, 0xf7, 0, "test", Ev, Iz, NONE, lift_alu, ALU_TEST, 0),
    G(MAP_1, 0xf7, 1, "test", Ev, Iz, NONE, lift_alu, ALU_TEST, 0),
    G(MAP_1, 0xf7, 2, "not", Ev, NONE, NONE, lift_not, 0, ROW_LOCK),
    G(MAP_1, 0xf7, 3, "neg", Ev, NONE, NONE, lift_neg, 0, ROW_LOCK),
    G(MAP_1, 0xf7, 4, "mul", Ev, NONE, NONE, lift_mul, 0, 0),
    G(MAP_1, 0xf7, 5, "imul", Ev, NONE, NONE, lift_mul, 1, 0),
    G(MAP_1, 0xf7, 6, "div", Ev, NONE, NONE, lift_div, 0, 0),
    G(MAP_1, 0xf7, 7, "idiv", Ev, NONE, NONE, lift_div, 1, 0),
    G(MAP_1, 0xfe, 0, "inc", Eb, NONE, NONE, lift_incdec, 0, ROW_LOCK),
    G(MAP_1, 0xfe, 1, "dec", Eb, NONE, NONE, lift_incdec, 1, ROW_LOCK),
    G(MAP_1, 0xff, 0, "inc", Ev, NONE, NONE, lift_incdec, 0, ROW_LOCK),
    G(MAP_1, 0xff, 1, "dec", Ev, NONE, NONE, lift_incdec, 1, ROW_LOCK),
    G(MAP_1, 0xff, 2, "call", Ev, NONE, NONE, lift_call_ind, 0, ROW_F64),
    G(MAP_1, 0xff, 4, "jmp", Ev, NONE, NONE, lift_jmp_ind, 0, ROW_F64),
    G(MAP_1, 0xff, 6, "push", Ev, NONE, NONE, lift_push, 0, ROW_D64),

    /* ---- 0F ------------------------------------------------------------------------------ */
    R(MAP_0F, 0x0b, "ud2", NONE, NONE, NONE, lift_ud, 0, 0),
    R(MAP_0F, 0xb9, "ud1", Gv, Ev, NONE, lift_ud, 0, 0),
    R(MAP_0F, 0xff, "ud0", Gv, Ev, NONE, lift_ud, 0, 0),
    R(MAP_0F, 0x0d, "prefetchw", M, NONE, NONE, lift_nop, 0, ROW_MOD_MEM),
    RS(MAP_0F, 0x18, 7, "nop", Ev, NONE, NONE, lift_nop, 0, ROW_MODRM),
    RS(MAP_0F, 0x40, 15, "cmovcc", Gv, Ev, NONE, lift_cmov, 0, 0),
    RS(MAP_0F, 0x80, 15, "jcc", Jz, NONE, NONE, lift_jcc, 0, ROW_F64),
    RS(MAP_0F, 0x90, 15, "setcc", Eb, NONE, NONE, lift_setcc, 0, 0),
    R(MAP_0F, 0xa3, "bt", Ev, Gv, NONE, lift_bt, 0, 0),
    R(MAP_0F, 0xab, "bts", Ev, Gv, NONE, lift_bt, 1, ROW_LOCK),
    R(MAP_0F, 0xb3, "btr", Ev, Gv, NONE, lift_bt, 2, ROW_LOCK),
    R(MAP_0F, 0xbb, "btc", Ev, Gv, NONE, lift_bt, 3, ROW_LOCK),
    G(MAP_0F, 0xba, 4, "bt", Ev, Ib, NONE, lift_bt, 0, 0),
    G(MAP_0F, 0xba, 5, "bts", Ev, Ib, NONE, lift_bt, 1, ROW_LOCK),
    G(MAP_0F, 0xba, 6, "btr", Ev, Ib, NONE, lift_bt, 2, ROW_LOCK),
    G(MAP_0F, 0xba, 7, "btc", Ev, Ib, NONE, lift_bt, 3, ROW_LOCK),
    R(MAP_0F, 0xa4, "shld", Ev, Gv, Ib, lift_shiftd, 0, 0),
    R(MAP_0F, 0xa5, "shld", Ev, Gv, CL, lift_shiftd, 0, 0),
    R(MAP_0F, 0xac, "shrd", Ev, Gv, Ib, lift_shiftd, 1, 0),
    R(MAP_0F, 0xad, "shrd", Ev, Gv, CL, lift_shiftd, 1, 0),
    R(MAP_0F, 0xaf, "imul", Gv, Ev, NONE, lift_imul2, 0, 0),
    R(MAP_0F, 0xb0, "cmpxchg", Eb, Gb, NONE, lift_cmpxchg, 0, ROW_LOCK),
    R(MAP_0F, 0xb1, "cmpxchg", Ev, Gv, NONE, lift_cmpxchg, 0, ROW_LOCK),
    R(MAP_0F, 0xb6, "movzx", Gv, Eb, NONE, lift_movx, 0, 0),
    R(MAP_0F, 0xb7, "movzx", Gv, Ew, NONE, lift_movx, 0, 0),
    R(MAP_0F, 0xbe, "movsx", Gv, Eb, NONE, lift_movx, 1, 0),
    R(MAP_0F, 0xbf, "movsx", Gv, Ew, NONE, lift_movx, 1, 0),
    F(MAP_0F, 0xb8, PFX_F3, -1, F_POPCNT, "popcnt", Gv, Ev, NONE, lift_popcnt, 0, 0),
    F(MAP_0F, 0xbc, PFX_F3, -1, F_BMI1, "tzcnt", Gv, Ev, NONE, lift_tzcnt, 0, 0),
    F(MAP_0F, 0xbd, PFX_F3, -1, F_ABM, "lzcnt", Gv, Ev, NONE, lift_lzcnt, 0, 0),
    R(MAP_0F, 0xbc, "bsf", Gv, Ev, NONE, lift_bsf, 0, 0),
    R(MAP_0F, 0xbd, "bsr", Gv, Ev, NONE, lift_bsr, 0, 0),
    R(MAP_0F, 0xc0, "xadd", Eb, Gb, NONE, lift_xadd, 0, ROW_LOCK),
    R(MAP_0F, 0xc1, "xadd", Ev, Gv, NONE, lift_xadd, 0, ROW_LOCK),
    F(MAP_0F, 0xc3, PFX_NP, -1, F_SSE2, "movnti", My, Gy, NONE, lift_mov, 0, ROW_MOD_MEM),
    F(MAP_0F, 0xc7, PFX_ANY, 1, F_CX8, "cmpxchg8b", M, NONE, NONE, lift_cmpxchg8b, 0, ROW_LOCK | ROW_MOD_MEM | ROW_W0),
    F(MAP_0F, 0xc7, PFX_ANY, 1, F_CX16, "cmpxchg16b", M, NONE, NONE, lift_cmpxchg8b, 0,
      ROW_LOCK | ROW_MOD_MEM | ROW_W1),
    RS(MAP_0F, 0xc8, 7, "bswap", Zv, NONE, NONE, lift_bswap, 0, 0),

    /* ---- 0F 38, 0F 3A ---------------------------------------------------------------------- */
    F(MAP_0F38, 0xf0, PFX_F2, -1, F_SSE4_2, "crc32", Gy, Eb, NONE, lift_crc32, 0, 0),
    F(MAP_0F38, 0xf1, PFX_F2, -1, F_SSE4_2, "crc32", Gy, Ev, NONE, lift_crc32, 0, 0),
    F(MAP_0F38, 0xf0, PFX_NP | PFX_66, -1, F_MOVBE, "movbe", Gv, Mv, NONE, lift_movbe, 0, ROW_MOD_MEM),
    F(MAP_0F38, 0xf1, PFX_NP | PFX_66, -1, F_MOVBE, "movbe", Mv, Gv, NONE, lift_movbe, 0, ROW_MOD_MEM),
    F(MAP_0F38, 0xf6, PFX_66, -1, F_ADX, "adcx", Gy, Ey, NONE, lift_adx, FLAG_CF, 0),
    F(MAP_0F38, 0xf6, PFX_F3, -1, F_ADX, "adox", Gy, Ey, NONE, lift_adx, FLAG_OF, 0),
    F(MAP_0F38, 0xf2, PFX_NP, -1, F_BMI1, "andn", Gy, By, Ey, lift_andn, 0, ROW_VEX | ROW_VEX_L0),
    F(MAP_0F38, 0xf3, PFX_NP, 1, F_BMI1, "blsr", By, Ey, NONE, lift_bls, 0, ROW_VEX | ROW_VEX_L0),
    F(MAP_0F38, 0xf3, PFX_NP, 2, F_BMI1, "blsmsk", By, Ey, NONE, lift_bls, 0, ROW_VEX | ROW_VEX_L0),
    F(MAP_0F38, 0xf3, PFX_NP, 3, F_BMI1, "blsi", By, Ey, NONE, lift_bls, 0, ROW_VEX | ROW_VEX_L0),
    F(MAP_0F38, 0xf5, PFX_NP, -1, F_BMI2, "bzhi", Gy, Ey, By, lift_bzhi, 0, ROW_VEX | ROW_VEX_L0),
    F(MAP_0F38, 0xf5, PFX_F2, -1, F_BMI2, "pdep", Gy, By, Ey, lift_pdep, 0, ROW_VEX | ROW_VEX_L0),
    F(MAP_0F38, 0xf5, PFX_F3, -1, F_BMI2, "pext", Gy, By, Ey, lift_pdep, 1, ROW_VEX | ROW_VEX_L0),
    F(MAP_0F38, 0xf6, PFX_F2, -1, F_BMI2, "mulx", Gy, By, Ey, lift_mulx, 0, ROW_VEX | ROW_VEX_L0),
    F(MAP_0F38, 0xf7, PFX_NP, -1, F_BMI1, "bextr", Gy, Ey, By, lift_bextr, 0, ROW_VEX | ROW_VEX_L0),
    F(MAP_0F38, 0xf7, PFX_66, -1, F_BMI2, "shlx", Gy, Ey, By, lift_shiftx, IR_SHL, ROW_VEX | ROW_VEX_L0),
    F(MAP_0F38, 0xf7, PFX_F2, -1, F_BMI2, "shrx", Gy, Ey, By, lift_shiftx, IR_SHR, ROW_VEX | ROW_VEX_L0),
    F(MAP_0F38, 0xf7, PFX_F3, -1, F_BMI2, "sarx", Gy, Ey, By, lift_shiftx, IR_SAR, ROW_VEX | ROW_VEX_L0),
    F(MAP_0F3A, 0xf0, PFX_F2, -1, F_BMI2, "rorx", Gy, Ey, Ib, lift_rorx, 0, ROW_VEX | ROW_VEX_L0),
    { .lift = NULL },
};
