/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What needs no op gets none: a GET of what is known (forward.h), an operation on constants, and what cuts or widens a
 * value that is narrow anyway.
 */
#include "ir/build.h"

#include "ir/fold.h"
#include "ir/forward.h"

static __attribute__((noinline)) void grow(struct ir_block *b)
{
    b->cap *= 2;
    b->insn = alloc_resize(b->insn, b->cap, sizeof *b->insn);
}

static inline struct ir_insn *append(struct ir_block *b, enum ir_op op, enum ir_type t)
{
    if (unlikely(b->n == b->cap))
        grow(b);
    struct ir_insn *i = &b->insn[b->n++];
    *i = (struct ir_insn){ .op = (uint8_t)op, .type = (uint8_t)t };
    return i;
}

static inline ir_ref new_value(struct ir_block *b, enum ir_type t)
{
    require(b->n_values < IR_MAX_VALUES);
    b->type_of[b->n_values] = (uint8_t)t;
    b->bits_of[b->n_values] = t == IR_W ? 32 : 64;
    b->def_of[b->n_values] = b->n - 1;
    return (ir_ref)b->n_values++;
}

static enum ir_type type_of(const struct ir_block *b, ir_ref r) { return (enum ir_type)b->type_of[r]; }

static inline struct ir_insn *define(struct ir_block *b, enum ir_op op, enum ir_type t, enum ir_type result)
{
    struct ir_insn *i = append(b, op, t);
    i->dst = new_value(b, result);
    return i;
}

void irb_insn_start(struct ir_block *b, uint64_t pc, uint32_t meta)
{
    struct ir_insn *i = append(b, IR_INSN_START, IR_VOID);
    require(meta <= UINT16_MAX && b->n_insns < IR_MAX_INSNS);
    i->imm = pc;
    i->aux32 = meta;
    b->start[b->n_insns].pc = pc;
    b->start[b->n_insns++].meta = (uint16_t)meta;
}

static const struct ir_insn *def_of(const struct ir_block *b, ir_ref r) { return &b->insn[b->def_of[r]]; }
static bool is_const(const struct ir_block *b, ir_ref r) { return def_of(b, r)->op == IR_CONST; }

static unsigned width_of(uint64_t v) { return v ? 64 - (unsigned)__builtin_clzll(v) : 0; }

ir_ref irb_const(struct ir_block *b, enum ir_type t, uint64_t v)
{
    struct ir_insn *i = define(b, IR_CONST, t, t);
    i->imm = t == IR_W ? (uint32_t)v : v;
    b->bits_of[i->dst] = (uint8_t)width_of(i->imm);
    return i->dst;
}

bool irb_is_const(const struct ir_block *b, ir_ref ref, uint64_t *v)
{
    *v = def_of(b, ref)->imm;
    return is_const(b, ref);
}

/* ---- guest state ------------------------------------------------------------------------- */

/* In what the state holds, another type than the one asked for may be known. */
static ir_ref get(struct ir_block *b, enum ir_op op, enum ir_type t, unsigned size, uint32_t offset)
{
    ir_ref held = ir_held(b, offset, size);
    if (held && type_of(b, held) == t)
        return held;
    struct ir_insn *i = define(b, op, t, t);
    i->imm = offset;
    if (size < 4)
        b->bits_of[i->dst] = (uint8_t)(8 * size);
    else if (size == 8 && offset - b->narrow < 8 * b->n_narrow)
        b->bits_of[i->dst] = 32;
    ir_remember(b, offset, size, i->dst);
    return i->dst;
}

static void put(struct ir_block *b, enum ir_op op, unsigned size, uint32_t offset, ir_ref v)
{
    struct ir_insn *i = append(b, op, type_of(b, v));
    i->arg[0] = v;
    i->imm = offset;
    ir_forget_put(b, offset, size);
    /* A PUT that truncates leaves something else than its value. */
    if (size >= 4 || b->bits_of[v] <= 8 * size)
        ir_remember(b, offset, size, v);
}

ir_ref irb_get(struct ir_block *b, unsigned size, uint32_t offset)
{
    static const uint8_t ops[] = { [1] = IR_GET8, [2] = IR_GET16, [4] = IR_GET32, [8] = IR_GET64 };
    return get(b, (enum ir_op)ops[size], size == 8 ? IR_X : IR_W, size, offset);
}

void irb_put(struct ir_block *b, unsigned size, uint32_t offset, ir_ref v)
{
    static const uint8_t ops[] = { [1] = IR_PUT8, [2] = IR_PUT16, [4] = IR_PUT32, [8] = IR_PUT64 };
    require(type_of(b, v) == (size == 8 ? IR_X : IR_W));
    put(b, (enum ir_op)ops[size], size, offset, v);
}

void irb_discard(struct ir_block *b, uint32_t offset, unsigned mask)
{
    struct ir_insn *i = append(b, IR_DISCARD, IR_VOID);
    i->imm = offset;
    i->aux = (uint16_t)mask;
}

ir_ref irb_getv(struct ir_block *b, uint32_t offset) { return get(b, IR_GETV, IR_V, 16, offset); }
void irb_putv(struct ir_block *b, uint32_t offset, ir_ref v) { put(b, IR_PUTV, 16, offset, v); }

/* ---- values ------------------------------------------------------------------------------ */

static unsigned least(unsigned x, unsigned y) { return x < y ? x : y; }

/* Makes the op a constant if all of its arguments are, and it can be computed. */
static bool fold(struct ir_block *b, struct ir_insn *i)
{
    uint64_t v[4] = { 0 }, out;
    for (unsigned k = 0; k < 4 && i->arg[k]; k++)
        if (!irb_is_const(b, i->arg[k], &v[k]))
            return false;
    if (!ir_fold(i, v, &out))
        return false;
    enum ir_type t = type_of(b, i->dst);
    *i = (struct ir_insn){ .op = IR_CONST, .type = (uint8_t)t, .dst = i->dst,
                           .imm = t == IR_W ? (uint32_t)out : out };
    b->bits_of[i->dst] = (uint8_t)width_of(i->imm);
    return true;
}

/* The op just appended is taken back: its result is that value. */
static ir_ref needless(struct ir_block *b, ir_ref value)
{
    b->n--;
    b->n_values--;
    return value;
}

/*
 * The op just appended, which computes a value from integers alone: its result.  It may be (a part of) what its
 * argument was made from, or the argument itself; and how many of its low bits may be other than zero is noted.
 */
static ir_ref settled(struct ir_block *b, struct ir_insn *i)
{
    ir_ref a = i->arg[0];
    const struct ir_insn *d = def_of(b, a);
    unsigned bits = b->bits_of[i->dst], x = b->bits_of[a], y = b->bits_of[i->arg[1]];
    uint64_t v;
    switch (i->op) {
    case IR_TRUNC:
        if (d->op == IR_ZEXT)
            return needless(b, d->arg[0]);
        bits = least(x, 32);
        break;
    case IR_ZEXT:
        if (d->op == IR_TRUNC && b->bits_of[d->arg[0]] <= 32)
            return needless(b, d->arg[0]);
        bits = least(x, 32);
        break;
    case IR_EXTRACT:
        if (i->aux == 0 && x <= i->imm)
            return needless(b, a);
        bits = (unsigned)i->imm;
        break;
    case IR_AND:
        if (irb_is_const(b, i->arg[1], &v) && !(mask64(x) & ~v))
            return needless(b, a);
        if (a == i->arg[1])
            return needless(b, a);
        bits = least(x, y);
        break;
    case IR_OR:
        if (a == i->arg[1])
            return needless(b, a);
        bits = x > y ? x : y;
        break;
    case IR_XOR:
        bits = x > y ? x : y;
        break;
    case IR_SHR:
        if (irb_is_const(b, i->arg[1], &v))
            bits = x - least(x, (unsigned)v & ((i->type == IR_X ? 64 : 32) - 1));
        break;
    case IR_SELECT:
        bits = b->bits_of[i->arg[2]] > y ? b->bits_of[i->arg[2]] : y;
        break;
    case IR_SETCOND:
        bits = 1;
        break;
    default:
        break;
    }
    if (d->op != IR_CONST || !fold(b, i))
        b->bits_of[i->dst] = (uint8_t)bits;
    return i->dst;
}

ir_ref irb_bin(struct ir_block *b, enum ir_op op, ir_ref x, ir_ref y)
{
    enum ir_type t = type_of(b, x);
    require(type_of(b, y) == t);
    struct ir_insn *i = define(b, op, t, t);
    i->arg[0] = x;
    i->arg[1] = y;
    return settled(b, i);
}

ir_ref irb_bini(struct ir_block *b, enum ir_op op, ir_ref x, uint64_t y)
{
    bool identity = (op == IR_ADD || op == IR_SUB || op == IR_OR || op == IR_XOR || op == IR_SHL || op == IR_SHR ||
                     op == IR_SAR) && y == 0;
    if (op == IR_SUB) {        /* one form for all steps */
        op = IR_ADD;
        y = type_of(b, x) == IR_X ? 0 - y : (uint32_t)(0 - y);
    }
    return identity ? x : irb_bin(b, op, x, irb_const(b, type_of(b, x), y));
}

ir_ref irb_un(struct ir_block *b, enum ir_op op, ir_ref x)
{
    enum ir_type t = type_of(b, x), result = t;
    if (op == IR_ZEXT || op == IR_SEXT || op == IR_VLO || op == IR_VHI)
        result = IR_X;
    if (op == IR_TRUNC)
        result = IR_W;
    struct ir_insn *i = define(b, op, result, result);
    i->arg[0] = x;
    return t == IR_V ? i->dst : settled(b, i);
}

static ir_ref bitfield(struct ir_block *b, enum ir_op op, ir_ref x, ir_ref y, unsigned pos, unsigned len)
{
    enum ir_type t = type_of(b, x);
    struct ir_insn *i = define(b, op, t, t);
    i->arg[0] = x;
    i->arg[1] = y;
    i->aux = (uint16_t)pos;
    i->imm = len;
    return settled(b, i);
}

ir_ref irb_extract(struct ir_block *b, ir_ref x, unsigned pos, unsigned len)
{
    return bitfield(b, IR_EXTRACT, x, IR_NONE, pos, len);
}

ir_ref irb_sextract(struct ir_block *b, ir_ref x, unsigned pos, unsigned len)
{
    return bitfield(b, IR_SEXTRACT, x, IR_NONE, pos, len);
}

ir_ref irb_deposit(struct ir_block *b, ir_ref x, ir_ref y, unsigned pos, unsigned len)
{
    require(type_of(b, x) == type_of(b, y));
    return bitfield(b, IR_DEPOSIT, x, y, pos, len);
}

ir_ref irb_setcond(struct ir_block *b, enum ir_cond c, ir_ref x, ir_ref y)
{
    struct ir_insn *i = define(b, IR_SETCOND, type_of(b, x), IR_W);
    require(type_of(b, x) == type_of(b, y));
    i->aux = (uint16_t)c;
    i->arg[0] = x;
    i->arg[1] = y;
    return settled(b, i);
}

ir_ref irb_setcondi(struct ir_block *b, enum ir_cond c, ir_ref x, uint64_t y)
{
    return irb_setcond(b, c, x, irb_const(b, type_of(b, x), y));
}

ir_ref irb_select(struct ir_block *b, ir_ref cond, ir_ref yes, ir_ref no)
{
    enum ir_type t = type_of(b, yes);
    require(type_of(b, no) == t && type_of(b, cond) == IR_W);
    struct ir_insn *i = define(b, IR_SELECT, t, t);
    i->arg[0] = cond;
    i->arg[1] = yes;
    i->arg[2] = no;
    return settled(b, i);
}

ir_ref irb_cast(struct ir_block *b, ir_ref x, enum ir_type t)
{
    if (type_of(b, x) == t)
        return x;
    return irb_un(b, t == IR_X ? IR_ZEXT : IR_TRUNC, x);
}

ir_ref irb_vfrom64(struct ir_block *b, ir_ref lo, ir_ref hi)
{
    struct ir_insn *i = define(b, IR_VFROM64, IR_V, IR_V);
    i->arg[0] = lo;
    i->arg[1] = hi;
    return i->dst;
}

static ir_ref vector(struct ir_block *b, enum ir_op op, unsigned what, ir_ref x, ir_ref y, ir_ref z, uint64_t imm)
{
    struct ir_insn *i = define(b, op, IR_V, IR_V);
    i->aux = (uint16_t)what;
    i->arg[0] = x;
    i->arg[1] = y;
    i->arg[2] = z;
    i->imm = imm;
    return i->dst;
}

ir_ref irb_vec(struct ir_block *b, unsigned op, ir_ref x, ir_ref y, ir_ref z, uint64_t imm)
{
    return vector(b, IR_VEC, op, x, y, z, imm);
}

ir_ref irb_fvec(struct ir_block *b, unsigned op, ir_ref x, ir_ref y, ir_ref z, uint64_t imm)
{
    return vector(b, IR_FVEC, op, x, y, z, imm);
}

ir_ref irb_fvec_part(struct ir_block *b, enum ir_fvec_part part, unsigned op, ir_ref x, ir_ref y, ir_ref z,
                     uint64_t imm)
{
    ir_ref r = vector(b, IR_FVEC, op, x, y, z, imm);
    b->insn[b->n - 1].aux32 = part;
    return r;
}

/* ---- memory, calls --------------------------------------------------------------------- */

ir_ref irb_ld(struct ir_block *b, enum ir_type t, unsigned mem, unsigned mmu_mode, ir_ref addr)
{
    require(type_of(b, addr) == IR_X);
    struct ir_insn *i = define(b, IR_LD, t, t);
    if (!(mem & IR_MEM_SIGNED))
        b->bits_of[i->dst] = (uint8_t)(8u << (mem & IR_MEM_SIZE));
    i->aux = (uint16_t)mem;
    i->imm = mmu_mode;
    i->arg[0] = addr;
    return i->dst;
}

void irb_st(struct ir_block *b, unsigned mem, unsigned mmu_mode, ir_ref addr, ir_ref v)
{
    require(type_of(b, addr) == IR_X);
    struct ir_insn *i = append(b, IR_ST, type_of(b, v));
    i->aux = (uint16_t)mem;
    i->imm = mmu_mode;
    i->arg[0] = addr;
    i->arg[1] = v;
}

ir_ref irb_ldv(struct ir_block *b, unsigned mmu_mode, ir_ref addr)
{
    struct ir_insn *i = define(b, IR_LDV, IR_V, IR_V);
    i->imm = mmu_mode;
    i->arg[0] = addr;
    return i->dst;
}

void irb_stv(struct ir_block *b, unsigned mmu_mode, ir_ref addr, ir_ref v)
{
    struct ir_insn *i = append(b, IR_STV, IR_V);
    i->imm = mmu_mode;
    i->arg[0] = addr;
    i->arg[1] = v;
}

static void forget_written(struct ir_block *b, const struct ir_helper *h)
{
    if (!(h->flags & HELPER_WRITES))
        return;
    if (ir_helper_has_part(h) && h->part.to - h->part.from <= 8 * IR_PIECE_WORDS)
        ir_forget_overlap(b, h->part.from, h->part.to - h->part.from);
    else
        ir_forget_all(b);
}

ir_ref irb_call(struct ir_block *b, const struct ir_helper *h, ir_ref a0, ir_ref a1, ir_ref a2, ir_ref a3)
{
    const ir_ref arg[4] = { a0, a1, a2, a3 };
    struct ir_insn *i = append(b, IR_CALL, (enum ir_type)h->ret);
    for (unsigned k = 0; k < 4; k++) {
        require((k < h->n_args) == (arg[k] != IR_NONE));
        require(k >= h->n_args || type_of(b, arg[k]) == h->arg[k]);
        i->arg[k] = arg[k];
    }
    i->imm = (uint64_t)(uintptr_t)h;
    forget_written(b, h);
    if (h->ret != IR_VOID)
        i->dst = new_value(b, (enum ir_type)h->ret);
    return i->dst;
}

/* ---- control flow ------------------------------------------------------------------------ */

unsigned irb_label_new(struct ir_block *b)
{
    require(b->n_labels < IR_MAX_LABELS);
    return b->n_labels++;
}

void irb_label(struct ir_block *b, unsigned label)
{
    append(b, IR_LABEL, IR_VOID)->imm = label;
    ir_forget_all(b);
}

void irb_br(struct ir_block *b, unsigned label) { append(b, IR_BR, IR_VOID)->imm = label; }

void irb_brcond(struct ir_block *b, enum ir_cond c, ir_ref x, ir_ref y, unsigned label)
{
    struct ir_insn *i = append(b, IR_BRCOND, type_of(b, x));
    require(type_of(b, x) == type_of(b, y));
    i->aux = (uint16_t)c;
    i->arg[0] = x;
    i->arg[1] = y;
    i->imm = label;
}

void irb_trap_if(struct ir_block *b, enum ir_cond c, ir_ref x, ir_ref y, const struct ir_helper *h, ir_ref arg)
{
    require(type_of(b, x) == type_of(b, y) && h->n_args == 1 && type_of(b, arg) == IR_X);
    struct ir_insn *i = append(b, IR_TRAP_IF, type_of(b, x));
    i->aux = (uint16_t)c;
    i->imm = (uint64_t)(uintptr_t)h;
    i->arg[0] = x;
    i->arg[1] = y;
    i->arg[2] = arg;
}

void irb_exit_if(struct ir_block *b, enum ir_cond c, ir_ref x, ir_ref y, uint64_t pc)
{
    require(type_of(b, x) == type_of(b, y) && b->n_exits < IR_MAX_EXITS);
    struct ir_insn *i = append(b, IR_EXIT_IF, type_of(b, x));
    i->aux = (uint16_t)(c | b->n_exits++ << 8);
    i->imm = pc;
    i->arg[0] = x;
    i->arg[1] = y;
}

void irb_exit_jump(struct ir_block *b, uint64_t pc)
{
    require(b->n_exits < IR_MAX_EXITS);
    struct ir_insn *i = append(b, IR_EXIT_JUMP, IR_VOID);
    i->imm = pc;
    i->aux = (uint16_t)b->n_exits++;
}

void irb_exit_indirect(struct ir_block *b, ir_ref pc)
{
    require(type_of(b, pc) == IR_X);
    append(b, IR_EXIT_INDIRECT, IR_X)->arg[0] = pc;
}

void irb_exit_return(struct ir_block *b, ir_ref pc)
{
    require(type_of(b, pc) == IR_X);
    struct ir_insn *i = append(b, IR_EXIT_INDIRECT, IR_X);
    i->aux = 1;
    i->arg[0] = pc;
}

void irb_return_point(struct ir_block *b, uint64_t pc)
{
    require(b->n_exits < IR_MAX_EXITS);
    struct ir_insn *i = append(b, IR_RETURN_POINT, IR_VOID);
    i->imm = pc;
    i->aux = (uint16_t)b->n_exits++;
}

void irb_exit_lookup(struct ir_block *b) { append(b, IR_EXIT_LOOKUP, IR_VOID); }
void irb_exit_loop(struct ir_block *b) { append(b, IR_EXIT_LOOP, IR_VOID); }
