/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * forms OUT.s OUT.bin OUT.lines: assembles every form with many operands, and writes the same instructions as text for
 * the GNU assembler.  OUT.lines holds where in OUT.bin each line's code ends.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "engine/x64/asm.h"

static uint8_t buffer[1 << 22];
static struct x64_asm A = { .p = buffer, .end = buffer + sizeof buffer };
static struct x64_asm *const a = &A;
static FILE *text, *lines;

/* The text of what has just been assembled. */
static PRINTF_LIKE(1, 2) void is(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vfprintf(text, format, args);
    fputc('\n', text);
    va_end(args);
    fprintf(lines, "%td\n", a->p - buffer);
}

static const char *const names64[] = { "rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi",
                                       "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15" };
static const char *const names32[] = { "eax", "ecx", "edx", "ebx", "esp", "ebp", "esi", "edi",
                                       "r8d", "r9d", "r10d", "r11d", "r12d", "r13d", "r14d", "r15d" };
static const char *const names16[] = { "ax", "cx", "dx", "bx", "sp", "bp", "si", "di",
                                       "r8w", "r9w", "r10w", "r11w", "r12w", "r13w", "r14w", "r15w" };
static const char *const names8[] = { "al", "cl", "dl", "bl", "spl", "bpl", "sil", "dil",
                                      "r8b", "r9b", "r10b", "r11b", "r12b", "r13b", "r14b", "r15b" };
static const unsigned widths[] = { 8, 16, 32, 64 };

static const char *reg(unsigned w, unsigned r)
{
    return (w == 8 ? names8 : w == 16 ? names16 : w == 32 ? names32 : names64)[r];
}
static const char *size(unsigned w)
{
    return w == 8 ? "byte ptr" : w == 16 ? "word ptr" : w == 32 ? "dword ptr" : "qword ptr";
}

/* ---- memory operands -------------------------------------------------------------------------------- */

static struct x64_mem mems[256];
static char mem_text[256][64];
static unsigned n_mems;

static void add_mem(struct x64_mem m)
{
    char *t = mem_text[n_mems];
    mems[n_mems++] = m;
    t += sprintf(t, "[");
    if (m.base != HOST_NONE)
        t += sprintf(t, "%s", names64[m.base]);
    if (m.index != HOST_NONE)
        t += sprintf(t, "%s%s*%u", m.base != HOST_NONE ? "+" : "", names64[m.index], 1u << m.scale);
    sprintf(t, "%s%lld]", m.base == HOST_NONE && m.index == HOST_NONE ? "" : "+", (long long)m.disp);
}

static void make_mems(void)
{
    static const int32_t disps[] = { 0, 1, 127, 128, -128, -129, 0x12345678 };
    for (unsigned base = 0; base < 16; base++) {
        for (unsigned i = 0; i < ARRAY_LEN(disps); i += base % 3 + 1)
            add_mem(x64_base(base, disps[i]));
        for (unsigned k = 0; k < 5; k++) {
            unsigned index = (base + 3 * k + 1) % 16;
            if (index != HOST_RSP)
                add_mem(x64_index(base, index, k % 4, disps[(base + k) % ARRAY_LEN(disps)]));
        }
    }
    for (unsigned index = 0; index < 16; index++)
        if (index != HOST_RSP)
            add_mem(x64_index(HOST_NONE, index, 3 - index % 3, (int32_t)index - 7));
    add_mem(x64_index(HOST_NONE, HOST_NONE, 0, 0x1234));
    add_mem(x64_index(HOST_NONE, HOST_NONE, 0, -8));
}

/* Runs the body with i over registers and memory operands, all of them if `all`. */
static unsigned some_mem(void)
{
    static unsigned next;
    return next++ % n_mems;
}
static unsigned some_reg(void)
{
    static unsigned next;
    return (next += 5) % 16;
}
#define WIDTHS_FROM(first) for (unsigned iw = (first), w; iw < 4 && (w = widths[iw]); iw++)
#define REGS(r) for (unsigned r = 0; r < 16; r++)
#define TIMES(n) for (unsigned t_ = 0, m, r; t_ < (n) && (m = some_mem(), r = some_reg(), (void)r, true); t_++)

/* ---- integer ------------------------------------------------------------------------------------------ */

static void moves(void)
{
    static const uint64_t imms[] = { 0, 1, 0x7fffffff, 0x80000000, 0xffffffff, 0x100000000, UINT64_MAX,
                                     0xffffffff80000000, 0xffffffff7fffffff, 0x123456789abcdef0 };
    WIDTHS_FROM(0)
    {
        REGS(x) REGS(y) x64_mov_rr(a, w, x, y), is("mov %s, %s", reg(w, x), reg(w, y));
        for (unsigned i = 0; i < n_mems; i++) {
            unsigned x = some_reg(), rax_moves_64 = mems[i].base == HOST_NONE && mems[i].index == HOST_NONE;
            x = x == HOST_RAX && rax_moves_64 ? HOST_RCX : x; /* the moffs forms are not used */
            x64_mov_rm(a, w, x, mems[i]), is("mov %s, %s", reg(w, x), mem_text[i]);
            x64_mov_mr(a, w, mems[i], x), is("mov %s, %s", mem_text[i], reg(w, x));
        }
        TIMES(20) x64_mov_mi(a, w, mems[m], (int)r - 8), is("mov %s %s, %d", size(w), mem_text[m], (int)r - 8);
    }
    REGS(x) for (unsigned i = 0; i < ARRAY_LEN(imms); i++) {
        x64_mov_ri(a, x, imms[i]);
        if (imms[i] <= UINT32_MAX)
            is("mov %s, %lld", names32[x], (long long)imms[i]);
        else if ((int64_t)imms[i] == (int32_t)imms[i])
            is("mov %s, %lld", names64[x], (long long)imms[i]);
        else
            is("movabs %s, %lld", names64[x], (long long)imms[i]);
    }
    REGS(x) x64_zero(a, x), is("xor %s, %s", names32[x], names32[x]);
    for (unsigned from = 8; from <= 16; from *= 2)
        WIDTHS_FROM(from == 8 ? 1 : 2)
        {
            REGS(x) REGS(y) x64_movzx_rr(a, w, x, from, y), is("movzx %s, %s", reg(w, x), reg(from, y));
            REGS(x) REGS(y) x64_movsx_rr(a, w, x, from, y), is("movsx %s, %s", reg(w, x), reg(from, y));
            TIMES(20) x64_movzx_rm(a, w, r, from, mems[m]), is("movzx %s, %s %s", reg(w, r), size(from), mem_text[m]);
            TIMES(20) x64_movsx_rm(a, w, r, from, mems[m]), is("movsx %s, %s %s", reg(w, r), size(from), mem_text[m]);
        }
    REGS(x) REGS(y) x64_movsx_rr(a, 64, x, 32, y), is("movsxd %s, %s", names64[x], names32[y]);
    TIMES(20) x64_movsx_rm(a, 64, r, 32, mems[m]), is("movsxd %s, dword ptr %s", names64[r], mem_text[m]);
    WIDTHS_FROM(1)
    {
        for (unsigned i = 0; i < n_mems; i++)
            x64_lea(a, w, i % 16, mems[i]), is("lea %s, %s", reg(w, i % 16), mem_text[i]);
        TIMES(20) x64_movbe_rm(a, w, r, mems[m]), is("movbe %s, %s", reg(w, r), mem_text[m]);
        TIMES(20) x64_movbe_mr(a, w, mems[m], r), is("movbe %s, %s", mem_text[m], reg(w, r));
        if (w >= 32)
            REGS(x) x64_bswap(a, w, x), is("bswap %s", reg(w, x));
    }
    WIDTHS_FROM(0)
    {
        REGS(x) REGS(y) if (x != y || x) /* XCHG EAX, EAX is no NOP in 64-bit mode; the assembler has its own idea */
            x64_xchg_rr(a, w, x, y), is("xchg %s, %s", reg(w, x), reg(w, y));
        TIMES(20) x64_xchg_mr(a, w, mems[m], r), is("xchg %s, %s", mem_text[m], reg(w, r));
    }
    REGS(x) x64_push(a, x), is("push %s", names64[x]), x64_pop(a, x), is("pop %s", names64[x]);
    TIMES(10) x64_push_m(a, mems[m]), is("push qword ptr %s", mem_text[m]), x64_pop_m(a, mems[m]),
        is("pop qword ptr %s", mem_text[m]);
    for (int i = -130; i < 130; i += 13)
        x64_push_i(a, i), is("push %d", i);
}

static void arithmetic(void)
{
    static const char *const alu[] = { "add", "or", "adc", "sbb", "and", "sub", "xor", "cmp" };
    static const char *const unary[] = { "", "", "not", "neg", "mul", "imul", "div", "idiv", "inc", "dec" };
    static const int32_t imms[] = { 0, 1, -1, 127, -128, 128, -129, 0x7fff, 0x12345678, INT32_MIN };
    WIDTHS_FROM(0)
    {
        unsigned n_imms = w == 8 ? 5 : w == 16 ? 8 : 10;
        for (unsigned op = 0; op < 8; op++) {
            REGS(x) REGS(y) x64_alu_rr(a, op, w, x, y), is("%s %s, %s", alu[op], reg(w, x), reg(w, y));
            TIMES(30) x64_alu_rm(a, op, w, r, mems[m]), is("%s %s, %s", alu[op], reg(w, r), mem_text[m]);
            TIMES(30) x64_alu_mr(a, op, w, mems[m], r), is("%s %s, %s", alu[op], mem_text[m], reg(w, r));
            for (unsigned i = 0; i < n_imms; i++) {
                REGS(x) x64_alu_ri(a, op, w, x, imms[i]), is("%s %s, %d", alu[op], reg(w, x), imms[i]);
                TIMES(3) x64_alu_mi(a, op, w, mems[m], imms[i]),
                    is("%s %s %s, %d", alu[op], size(w), mem_text[m], imms[i]);
            }
        }
        REGS(x) REGS(y) x64_test_rr(a, w, x, y), is("test %s, %s", reg(w, x), reg(w, y));
        TIMES(30) x64_test_mr(a, w, mems[m], r), is("test %s, %s", mem_text[m], reg(w, r));
        for (unsigned i = 0; i < n_imms; i++) {
            REGS(x) x64_test_ri(a, w, x, imms[i]), is("test %s, %d", reg(w, x), imms[i]);
            TIMES(3) x64_test_mi(a, w, mems[m], imms[i]), is("test %s %s, %d", size(w), mem_text[m], imms[i]);
        }
        for (unsigned op = X64_NOT; op <= X64_DEC; op++) {
            REGS(x) x64_unary_r(a, op, w, x), is("%s %s", unary[op], reg(w, x));
            TIMES(10) x64_unary_m(a, op, w, mems[m]), is("%s %s %s", unary[op], size(w), mem_text[m]);
        }
    }
    WIDTHS_FROM(1)
    {
        REGS(x) REGS(y) x64_imul_rr(a, w, x, y), is("imul %s, %s", reg(w, x), reg(w, y));
        TIMES(20) x64_imul_rm(a, w, r, mems[m]), is("imul %s, %s", reg(w, r), mem_text[m]);
        for (unsigned i = 0; i < (w == 16 ? 8 : 10); i++) {
            REGS(x) x64_imul_rri(a, w, x, 15 - x, imms[i]), is("imul %s, %s, %d", reg(w, x), reg(w, 15 - x), imms[i]);
            TIMES(3) x64_imul_rmi(a, w, r, mems[m], imms[i]), is("imul %s, %s, %d", reg(w, r), mem_text[m], imms[i]);
        }
    }
    x64_cqo(a, 16), is("cwd"), x64_cqo(a, 32), is("cdq"), x64_cqo(a, 64), is("cqo");
    x64_cbw(a, 16), is("cbw"), x64_cbw(a, 32), is("cwde"), x64_cbw(a, 64), is("cdqe");
}

static void bits(void)
{
    static const char *const shift[] = { "rol", "ror", "rcl", "rcr", "shl", "shr", "", "sar" };
    static const char *const bit[] = { "bt", "bts", "btr", "btc" };
    static const struct {
        const char *name;
        enum x64_scan op;
    } scans[] = { { "bsf", X64_BSF }, { "bsr", X64_BSR }, { "tzcnt", X64_TZCNT }, { "lzcnt", X64_LZCNT },
                  { "popcnt", X64_POPCNT } };
    WIDTHS_FROM(0) for (unsigned op = 0; op < 8; op++)
    {
        if (op == 6)
            continue;
        for (unsigned n = 1; n < w; n += 5) {
            REGS(x) x64_shift_ri(a, op, w, x, n), is("%s %s, %u", shift[op], reg(w, x), n);
            TIMES(2) x64_shift_mi(a, op, w, mems[m], n), is("%s %s %s, %u", shift[op], size(w), mem_text[m], n);
        }
        REGS(x) x64_shift_rc(a, op, w, x), is("%s %s, cl", shift[op], reg(w, x));
        TIMES(10) x64_shift_mc(a, op, w, mems[m]), is("%s %s %s, cl", shift[op], size(w), mem_text[m]);
    }
    WIDTHS_FROM(1)
    {
        REGS(x) REGS(y)
        {
            x64_double_rri(a, X64_SHLD, w, x, y, x + y), is("shld %s, %s, %u", reg(w, x), reg(w, y), x + y);
            x64_double_rri(a, X64_SHRD, w, x, y, x + y), is("shrd %s, %s, %u", reg(w, x), reg(w, y), x + y);
            x64_double_rrc(a, X64_SHLD, w, x, y), is("shld %s, %s, cl", reg(w, x), reg(w, y));
            x64_double_rrc(a, X64_SHRD, w, x, y), is("shrd %s, %s, cl", reg(w, x), reg(w, y));
        }
        for (unsigned op = 0; op < 4; op++) {
            REGS(x) REGS(y) x64_bit_rr(a, X64_BT + op, w, x, y), is("%s %s, %s", bit[op], reg(w, x), reg(w, y));
            REGS(x) x64_bit_ri(a, X64_BT + op, w, x, x), is("%s %s, %u", bit[op], reg(w, x), x);
            TIMES(10) x64_bit_mr(a, X64_BT + op, w, mems[m], r), is("%s %s, %s", bit[op], mem_text[m], reg(w, r));
            TIMES(10) x64_bit_mi(a, X64_BT + op, w, mems[m], r), is("%s %s %s, %u", bit[op], size(w), mem_text[m], r);
        }
        for (unsigned i = 0; i < ARRAY_LEN(scans); i++) {
            REGS(x) REGS(y) x64_scan_rr(a, scans[i].op, w, x, y), is("%s %s, %s", scans[i].name, reg(w, x), reg(w, y));
            TIMES(10) x64_scan_rm(a, scans[i].op, w, r, mems[m]),
                is("%s %s, %s", scans[i].name, reg(w, r), mem_text[m]);
        }
    }
}

static void bmi(void)
{
    static const struct {
        const char *name;
        enum x64_bmi op;
    } ops[] = { { "andn", X64_ANDN }, { "mulx", X64_MULX }, { "pdep", X64_PDEP }, { "pext", X64_PEXT },
                { "shlx", X64_SHLX }, { "shrx", X64_SHRX }, { "sarx", X64_SARX }, { "bextr", X64_BEXTR },
                { "bzhi", X64_BZHI } };
    static const char *const lowest[] = { "", "blsr", "blsmsk", "blsi" };
    WIDTHS_FROM(2)
    {
        for (unsigned i = 0; i < ARRAY_LEN(ops); i++) {
            REGS(x) REGS(y)
            {
                unsigned z = (3 * x + 5 * y) % 16;
                x64_bmi_rrr(a, ops[i].op, w, x, y, z);
                if (ops[i].op == X64_MULX)
                    is("mulx %s, %s, %s", reg(w, y), reg(w, x), reg(w, z));
                else
                    is("%s %s, %s, %s", ops[i].name, reg(w, x), reg(w, y), reg(w, z));
            }
            TIMES(20)
            {
                x64_bmi_rrm(a, ops[i].op, w, r, 15 - r, mems[m]);
                if (x64_bmi_is_shift(ops[i].op))
                    is("%s %s, %s, %s", ops[i].name, reg(w, r), mem_text[m], reg(w, 15 - r));
                else if (ops[i].op == X64_MULX)
                    is("mulx %s, %s, %s", reg(w, 15 - r), reg(w, r), mem_text[m]);
                else
                    is("%s %s, %s, %s", ops[i].name, reg(w, r), reg(w, 15 - r), mem_text[m]);
            }
        }
        REGS(x) REGS(y)
        {
            x64_rorx(a, w, x, y, x + y), is("rorx %s, %s, %u", reg(w, x), reg(w, y), x + y);
            x64_adcx_rr(a, w, x, y), is("adcx %s, %s", reg(w, x), reg(w, y));
            x64_adox_rr(a, w, x, y), is("adox %s, %s", reg(w, x), reg(w, y));
            for (unsigned op = X64_BLSR; op <= X64_BLSI; op++)
                x64_lowest_rr(a, op, w, x, y), is("%s %s, %s", lowest[op], reg(w, x), reg(w, y));
        }
    }
    WIDTHS_FROM(0) REGS(x) REGS(y)
        x64_crc32_rr(a, w, x, y), is("crc32 %s, %s", reg(w == 64 ? 64 : 32, x), reg(w, y));
}

static void conditions(void)
{
    static const char *const cc[] = { "o", "no", "b", "ae", "e", "ne", "be", "a", "s", "ns", "p", "np", "l", "ge",
                                      "le", "g" };
    for (unsigned c = 0; c < 16; c++) {
        REGS(x) x64_setcc_r(a, c, x), is("set%s %s", cc[c], names8[x]);
        TIMES(5) x64_setcc_m(a, c, mems[m]), is("set%s byte ptr %s", cc[c], mem_text[m]);
        WIDTHS_FROM(1)
        {
            REGS(x) x64_cmov_rr(a, c, w, x, (x + c) % 16), is("cmov%s %s, %s", cc[c], reg(w, x), reg(w, (x + c) % 16));
            TIMES(5) x64_cmov_rm(a, c, w, r, mems[m]), is("cmov%s %s, %s", cc[c], reg(w, r), mem_text[m]);
        }
        x64_jcc_to(a, c, a->p + 0x1234), is(".byte 0x0f; .byte 0x%x; .long 0x%x", 0x80 | c, 0x1234 - 6);
    }
    x64_lahf(a), is("lahf"), x64_sahf(a), is("sahf"), x64_pushfq(a), is("pushfq"), x64_popfq(a), is("popfq");
    x64_stc(a), is("stc"), x64_clc(a), is("clc"), x64_cmc(a), is("cmc");
    x64_ret(a), is("ret"), x64_ud2(a), is("ud2"), x64_int3(a), is("int3");
    REGS(x) x64_jmp_r(a, x), is("jmp %s", names64[x]), x64_call_r(a, x), is("call %s", names64[x]);
    TIMES(40) x64_jmp_m(a, mems[m]), is("jmp qword ptr %s", mem_text[m]), x64_call_m(a, mems[m]),
        is("call qword ptr %s", mem_text[m]);
}

/* Labels, and operands relative to RIP; the assembler is given the same distances by labels of its own. */
static void places(void)
{
    for (unsigned gap = 0; gap < 300; gap += 7) {
        struct x64_label back = { 0 }, ahead = { 0 }, far = { 0 };
        x64_bind(a, &back), is("back%u:", gap);
        x64_jcc8(a, X64_NE, &ahead), is("jne ahead%u", gap);
        x64_jmp8(a, &ahead), is("jmp ahead%u", gap);
        for (unsigned i = 0; i < gap % 100; i++)
            x64_stc(a), is("stc");
        x64_bind(a, &ahead), is("ahead%u:", gap);
        x64_jmp(a, &far), is(".byte 0xe9; .long far%u - . - 4", gap);
        x64_jcc(a, X64_G, &far), is(".byte 0x0f, 0x8f; .long far%u - . - 4", gap);
        for (unsigned i = 0; i < gap; i++)
            x64_clc(a), is("clc");
        x64_jmp(a, &back), is("jmp back%u", gap);
        x64_jcc(a, X64_L, &back), is("jl back%u", gap);
        x64_call(a, &far), is("call far%u", gap);
        x64_call(a, &back), is("call back%u", gap);
        x64_lea_label(a, gap % 16, &far), is("lea %s, [rip + far%u]", names64[gap % 16], gap);
        x64_lea_label(a, gap % 16, &back), is("lea %s, [rip + back%u]", names64[gap % 16], gap);
        uint8_t *to = a->p;
        x64_mov_rm(a, 64, gap % 16, x64_at(to + gap)), is("1: mov %s, [rip + 1b + %u]", names64[gap % 16], gap);
        to = a->p;
        x64_alu_mi(a, X64_ADD, 32, x64_at(to), (int)gap), is("1: add dword ptr [rip + 1b], %u", gap);
        to = a->p;
        x64_mov_mi(a, 16, x64_at(to), (int)gap), is("1: mov word ptr [rip + 1b], %u", gap);
        to = a->p;
        x64_vex_rmi(a, X64_VEX(1, 1, 0, 0x70), 9, 0, x64_at(to), 27), is("1: vpshufd xmm9, [rip + 1b], 27");
        to = a->p;
        x64_call_to(a, to), is("1: call 1b");
        to = a->p;
        x64_jmp_to(a, to), is("1: .byte 0xe9; .long 1b - . - 4");
        x64_bind(a, &far), is("far%u:", gap);
    }
    for (unsigned n = 1; n < 10; n++)
        x64_nop(a, n), is(".nops %u", n);
}

/* ---- vectors ------------------------------------------------------------------------------------------- */

static void simd(void)
{
    TIMES(40)
    {
        unsigned w = r & 1 ? 64 : 32;
        x64_ldmxcsr(a, mems[m]), is("ldmxcsr %s", mem_text[m]);
        x64_stmxcsr(a, mems[m]), is("stmxcsr %s", mem_text[m]);
        x64_movaps_xm(a, r, mems[m]), is("movaps xmm%u, %s", r, mem_text[m]);
        x64_movaps_mx(a, mems[m], r), is("movaps %s, xmm%u", mem_text[m], r);
        x64_movups_xm(a, r, mems[m]), is("movups xmm%u, %s", r, mem_text[m]);
        x64_movups_mx(a, mems[m], r), is("movups %s, xmm%u", mem_text[m], r);
        x64_movdqu_xm(a, r, mems[m]), is("movdqu xmm%u, %s", r, mem_text[m]);
        x64_movdqu_mx(a, mems[m], r), is("movdqu %s, xmm%u", mem_text[m], r);
        x64_movd_xm(a, w, r, mems[m]), is("mov%c xmm%u, %s", w == 64 ? 'q' : 'd', r, mem_text[m]);
        x64_movd_mx(a, w, mems[m], r), is("mov%c %s, xmm%u", w == 64 ? 'q' : 'd', mem_text[m], r);
        x64_vmovaps_xm(a, r, mems[m]), is("vmovaps xmm%u, %s", r, mem_text[m]);
        x64_vmovaps_mx(a, mems[m], r), is("vmovaps %s, xmm%u", mem_text[m], r);
        x64_vmovups_xm(a, r, mems[m]), is("vmovups xmm%u, %s", r, mem_text[m]);
        x64_vmovups_mx(a, mems[m], r), is("vmovups %s, xmm%u", mem_text[m], r);
        x64_vmovdqu_xm(a, r, mems[m]), is("vmovdqu xmm%u, %s", r, mem_text[m]);
        x64_vmovdqu_mx(a, mems[m], r), is("vmovdqu %s, xmm%u", mem_text[m], r);
        x64_vmovd_xm(a, w, r, mems[m]), is("vmov%c xmm%u, %s", w == 64 ? 'q' : 'd', r, mem_text[m]);
        x64_vmovd_mx(a, w, mems[m], r), is("vmov%c %s, xmm%u", w == 64 ? 'q' : 'd', mem_text[m], r);
        x64_vex_rm(a, X64_VEX(0, 1, 0, 0x5c), r, 15 - r, mems[m]),
            is("vsubps xmm%u, xmm%u, %s", r, 15 - r, mem_text[m]);
        x64_vex_rm(a, X64_VEX(1, 2, 0, 0x00), r, 15 - r, mems[m]),
            is("vpshufb xmm%u, xmm%u, %s", r, 15 - r, mem_text[m]);
        x64_vex_rmi(a, X64_VEX(1, 3, 0, 0x0f), r, 15 - r, mems[m], 5),
            is("vpalignr xmm%u, xmm%u, %s, 5", r, 15 - r, mem_text[m]);
    }
    REGS(x) REGS(y)
    {
        x64_movaps_xx(a, x, y), is("movaps xmm%u, xmm%u", x, y);
        x64_vmovaps_xx(a, x, y), is("vmovaps xmm%u, xmm%u", x, y);
        x64_vmovq_xx(a, x, y);
        if (x < 8 && y >= 8) /* here the assembler prefers the store form */
            is(".byte 0xc4, 0xc1, 0x7a, 0x7e, 0x%x", 0xc0 | x << 3 | (y & 7));
        else
            is("vmovq xmm%u, xmm%u", x, y);
        for (unsigned w = 32; w <= 64; w += 32) {
            char c = w == 64 ? 'q' : 'd';
            x64_movd_xr(a, w, x, y), is("mov%c xmm%u, %s", c, x, reg(w, y));
            x64_movd_rx(a, w, x, y), is("mov%c %s, xmm%u", c, reg(w, x), y);
            x64_vmovd_xr(a, w, x, y), is("vmov%c xmm%u, %s", c, x, reg(w, y));
            x64_vmovd_rx(a, w, x, y), is("vmov%c %s, xmm%u", c, reg(w, x), y);
        }
        unsigned z = (5 * x + 3 * y + 1) % 16;
        x64_vex_rr(a, X64_VEX(0, 1, 0, 0x5c), x, y, z), is("vsubps xmm%u, xmm%u, xmm%u", x, y, z);
        x64_vex_rr(a, X64_VEX(3, 1, 0, 0x5e), x, y, z), is("vdivsd xmm%u, xmm%u, xmm%u", x, y, z);
        x64_vex_rr(a, X64_VEX(1, 2, 0, 0x00), x, y, z), is("vpshufb xmm%u, xmm%u, xmm%u", x, y, z);
        x64_vex_rri(a, X64_VEX(1, 3, 0, 0x4c), x, y, z, 16 * y), is("vpblendvb xmm%u, xmm%u, xmm%u, xmm%u", x, y, z, y);
        x64_vex_rri(a, X64_VEX(1, 3, 1, 0x22), x, y, z, 1), is("vpinsrq xmm%u, xmm%u, %s, 1", x, y, names64[z]);
    }
    REGS(x) x64_vzero(a, x), is("vxorps xmm%u, xmm%u, xmm%u", x, x & 7, x & 7);
}

int main(int argc, char **argv)
{
    FILE *bin = argc == 4 ? fopen(argv[2], "wb") : NULL;
    text = argc == 4 ? fopen(argv[1], "w") : NULL;
    lines = argc == 4 ? fopen(argv[3], "w") : NULL;
    if (!bin || !text || !lines) {
        fprintf(stderr, "forms OUT.s OUT.bin OUT.lines: cannot write\n");
        return 1;
    }
    fprintf(text, ".intel_syntax noprefix\n");
    make_mems();
    moves();
    arithmetic();
    bits();
    bmi();
    conditions();
    places();
    simd();
    fwrite(buffer, 1, (size_t)(a->p - buffer), bin);
    if (a->failed)
        fprintf(stderr, "forms: the buffer is full, or something did not reach\n");
    return a->failed || fclose(bin) || fclose(text) || fclose(lines);
}
