/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The toy as a plain interpreter: every access walks the table, every position is one step. */
#include "toy.h"

static bool fault(struct toy *t, uint64_t va)
{
    t->s.pending = CAUSE_PAGE;
    t->s.fault_va = va;
    return false;
}

static bool walk(struct toy *t, uint64_t va, enum access access, uint64_t *pa)
{
    struct space *mem = t->v.mem;
    *pa = va;
    if (!t->s.paging)
        return true;
    uint64_t at = TOY_TABLE + 8 * (va >> PAGE_BITS & 511), e = space_load(mem, at, 8);
    if (va >> 21 || !(e & PTE_P) || (access == ACCESS_WRITE && !(e & PTE_W)))
        return fault(t, va);
    space_store(mem, at, 8, e | PTE_A | (access == ACCESS_WRITE ? PTE_D : 0));
    *pa = (e & 0xfffff000) | (va & (PAGE_SIZE - 1));
    return true;
}

static bool pages(struct toy *t, uint64_t va, unsigned len, enum access access, uint64_t pa[2], unsigned *first)
{
    unsigned room = PAGE_SIZE - (unsigned)(va & (PAGE_SIZE - 1));
    *first = room < len ? room : len;
    return walk(t, va, access, &pa[0]) && (*first == len || walk(t, va + *first, access, &pa[1]));
}

static bool load(struct toy *t, uint64_t va, void *out, unsigned len, enum access access)
{
    uint64_t pa[2];
    unsigned first;
    if (!pages(t, va, len, access, pa, &first))
        return false;
    space_read(t->v.mem, pa[0], out, first);
    if (first < len)
        space_read(t->v.mem, pa[1], (char *)out + first, len - first);
    return true;
}

static bool store(struct toy *t, uint64_t va, const void *data, unsigned len)
{
    uint64_t pa[2];
    unsigned first;
    if (!pages(t, va, len, ACCESS_WRITE, pa, &first))
        return false;
    space_write(t->v.mem, pa[0], data, first);
    if (first < len)
        space_write(t->v.mem, pa[1], (const char *)data + first, len - first);
    return true;
}

/* A device register is accessed whole if it lies in one page, whatever its alignment. */
static bool load_int(struct toy *t, uint64_t va, unsigned size, uint64_t *out)
{
    uint64_t pa[2], v = 0;
    unsigned first;
    if (!pages(t, va, size, ACCESS_READ, pa, &first))
        return false;
    if (first == size)
        v = space_load(t->v.mem, pa[0], size);
    else
        load(t, va, &v, size, ACCESS_READ);
    *out = v;
    return true;
}

static bool store_int(struct toy *t, uint64_t va, unsigned size, uint64_t value)
{
    uint64_t pa[2];
    unsigned first;
    if (!pages(t, va, size, ACCESS_WRITE, pa, &first))
        return false;
    if (first == size)
        space_store(t->v.mem, pa[0], size, value & mask64(8 * size));
    else
        store(t, va, &value, size);
    return true;
}

static void result(struct toy_state *s, unsigned rd, uint64_t value, uint64_t src, uint32_t op)
{
    s->r[rd] = value;
    s->cc_dst = value;
    s->cc_src = src;
    s->cc_op = op;
}

static bool raise(struct toy *t, uint32_t cause)
{
    t->s.pending = cause;
    return false;
}

static bool memory_op(struct toy *t, unsigned op, unsigned rd, uint64_t at)
{
    struct toy_state *s = &t->s;
    uint64_t x = 0;
    switch (op) {
    case T_LD8:
    case T_LD16:
    case T_LD32:
    case T_LD64:
        return load_int(t, at, 1u << (op - T_LD8), &s->r[rd]);
    case T_LDS8:
        if (!load_int(t, at, 1, &x))
            return false;
        s->r[rd] = (uint64_t)sign_extend(x, 8);
        return true;
    case T_LDS32:
        if (!load_int(t, at, 4, &x))
            return false;
        s->r[rd] = (uint64_t)sign_extend(x, 32);
        return true;
    case T_ST8:
    case T_ST16:
    case T_ST32:
    case T_ST64:
        return store_int(t, at, 1u << (op - T_ST8), s->r[rd]);
    case T_LDX:
        return load_int(t, at + (s->r[1] << 3), 8, &s->r[rd]);
    case T_LDV:
        return load(t, at, s->vec[rd & 3], 16, ACCESS_READ);
    case T_STV:
        return store(t, at, s->vec[rd & 3], 16);
    default: {                                   /* T_RMW64 */
        uint64_t pa[2];
        unsigned first;
        if (!pages(t, at, 8, ACCESS_WRITE, pa, &first) || !load_int(t, at, 8, &x))
            return false;
        if (!store_int(t, at, 8, x + s->r[rd]))
            return false;
        s->cc_dst = x + s->r[rd];
        return true;
    }
    }
}

static bool short_op(struct toy *t, unsigned op, unsigned rd, unsigned rs, uint64_t *next)
{
    struct toy_state *s = &t->s;
    uint64_t a = s->r[rd], b = s->r[rs];
    uint8_t byte = (uint8_t)a;
    switch (op) {
    case T_ADD:
        result(s, rd, a + b, b, 1);
        break;
    case T_SUB:
        result(s, rd, a - b, b, 2);
        break;
    case T_MUL:
        s->r[rd] = a * b;
        break;
    case T_XOR:
        s->r[rd] = a ^ b;
        break;
    case T_SHL:
        s->r[rd] = a << (b & 63);
        break;
    case T_SARW:
        s->r[rd] = (uint32_t)((int32_t)a >> (b & 31));
        break;
    case T_ADDW:
        result(s, rd, (uint32_t)(a + b), (uint32_t)b, 3);
        break;
    case T_MOV:
        s->r[rd] = b;
        break;
    case T_JR:
        *next = a;
        break;
    case T_DIV:
        if (!b)
            return raise(t, CAUSE_DIV);
        s->r[rd] = a / b;
        break;
    case T_DIVU:
        s->r[rd] = b ? a / b : 0;
        break;
    case T_DIVS:
        s->r[rd] = b + 1 == 0 ? 0 - a : b ? (uint64_t)((int64_t)a / (int64_t)b) : 0;
        break;
    case T_DIVSW:
        s->r[rd] = (uint32_t)b ? (uint32_t)((int64_t)(int32_t)a / (int32_t)b) : 0;
        break;
    case T_HLT:
        s->halted = 1;
        break;
    case T_EI:
    case T_DI:
        s->enabled = op == T_EI;
        break;
    case T_ERET:
        s->enabled = 1;
        *next = s->epc - TOY_CODE < TOY_CODE_USED ? s->epc + TOY_LENGTH * (1 + (s->r[11] & 15)) : TOY_CODE;
        break;
    case T_FILL:
        if (!a)
            break;
        if (!store_int(t, b, 1, byte))
            return false;
        s->r[rs]++;
        if (--s->r[rd])
            *next = s->pc;
        break;
    case T_TRAP:
        return raise(t, CAUSE_TRAP);
    case T_VADD:
        s->vec[rd & 3][0] += s->vec[rs & 3][0];
        s->vec[rd & 3][1] += s->vec[rs & 3][1];
        break;
    case T_VROT: {
        uint64_t low = s->vec[3][0];
        s->vec[3][0] = s->vec[3][1] + s->r[rs];
        s->vec[3][1] = low;
        break;
    }
    case T_CLOCK:
        s->r[rd] = toy_position(t->m);
        break;
    default:
        break;
    }
    return true;
}

static bool long_op(struct toy *t, unsigned op, unsigned rd, unsigned rs, int64_t imm, uint64_t *next)
{
    struct toy_state *s = &t->s;
    uint64_t a = s->r[rd], b = s->r[rs];
    switch (op) {
    case T_ADDI:
        result(s, rd, a + (uint64_t)imm, (uint64_t)imm, 4);
        break;
    case T_MOVI:
        s->r[rd] = (uint64_t)imm;
        break;
    case T_XORI:
        s->r[rd] = a ^ (uint64_t)imm;
        break;
    case T_JMP:
        *next = s->pc + (uint64_t)imm;
        break;
    case T_JNZ:
        if (s->cc_dst)
            *next = s->pc + (uint64_t)imm;
        break;
    case T_JLTU:
        if (a < b)
            *next = s->pc + (uint64_t)imm;
        break;
    case T_CMOV:
        s->r[0] = (int64_t)a < (int64_t)b ? a : (uint64_t)imm;
        break;
    default:
        return memory_op(t, op, rd, b + (uint64_t)imm);
    }
    return true;
}

static bool execute(struct toy *t)
{
    uint8_t bytes[6];
    uint64_t next;
    if (!load(t, t->s.pc, bytes, 1, ACCESS_EXEC))
        return false;
    unsigned len = bytes[0] < T_COUNT ? TOY_LENGTH : 1, rd, rs;
    if (!load(t, t->s.pc, bytes, len, ACCESS_EXEC))
        return false;
    rd = bytes[1] >> 4;
    rs = bytes[1] & 15;
    next = t->s.pc + len;
    if (bytes[0] >= T_COUNT)
        return raise(t, CAUSE_OPCODE);
    bool ok = bytes[0] < T_ADDI ? short_op(t, bytes[0], rd, rs, &next)
                       : long_op(t, bytes[0], rd, rs, (int32_t)load_le(bytes + 2, 4), &next);
    if (ok)
        t->s.pc = next;
    return ok;
}

bool toy_ref_step(struct toy_machine *m)
{
    struct toy *t = &m->cpu;
    /* A fault found is no transition: its delivery is. */
    while (!toy_ops.pending(&t->v)) {
        if (t->s.halted)
            return false;
        if (execute(t)) {
            m->ref_position++;
            return true;
        }
    }
    toy_ops.service(&t->v);
    m->ref_position++;
    return true;
}
