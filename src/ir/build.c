/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ir/build.h"

#include "ir/fold.h"

static struct ir_insn *append(struct ir_block *b, enum ir_op op, enum ir_type t)
{
    if (b->n == b->cap) {
        b->cap *= 2;
        b->insn = alloc_resize(b->insn, b->cap, sizeof *b->insn);
    }
    struct ir_insn *i = &b->insn[b->n++];
    *i = (struct ir_insn){ .op = (uint8_t)op, .type = (uint8_t)t };
    return i;
}

static ir_ref new_value(struct ir_block *b, enum ir_type t)
{
    require(b->n_values < IR_MAX_VALUES);
    b->type_of[b->n_values] = (uint8_t)t;
    return (ir_ref)b->n_values++;
}

static enum ir_type type_of(const struct ir_block *b, ir_ref r) { return (enum ir_type)b->type_of[r]; }

static struct ir_insn *define(struct ir_block *b, enum ir_op op, enum ir_type t, enum ir_type result)
{
    struct ir_insn *i = append(b, op, t);
    i->dst = new_value(b, result);
    return i;
}

void irb_insn_start(struct ir_block *b, uint64_t pc, uint32_t meta)
{
    struct ir_insn *i = append(b, IR_INSN_START, IR_VOID);
    require(meta <= UINT16_MAX);
    i->imm = pc;
    i->aux32 = meta;
    b->n_insns++;
}

ir_ref irb_const(struct ir_block *b, enum ir_type t, uint64_t v)
{
    struct ir_insn *i = define(b, IR_CONST, t, t);
    i->imm = t == IR_W ? (uint32_t)v : v;
    return i->dst;
}

/* Constants are defined shortly before their use: look back a few ops, not through the block. */
bool irb_is_const(const struct ir_block *b, ir_ref ref, uint64_t *v)
{
    enum { WINDOW = 24 };
    for (uint32_t k = 0; k < WINDOW && k < b->n; k++) {
        const struct ir_insn *i = &b->insn[b->n - 1 - k];
        if (i->dst == ref) {
            *v = i->imm;
            return i->op == IR_CONST;
        }
    }
    return false;
}

ir_ref irb_get(struct ir_block *b, unsigned size, uint32_t offset)
{
    static const uint8_t ops[] = { [1] = IR_GET8, [2] = IR_GET16, [4] = IR_GET32, [8] = IR_GET64 };
    enum ir_type t = size == 8 ? IR_X : IR_W;
    struct ir_insn *i = define(b, (enum ir_op)ops[size], t, t);
    i->imm = offset;
    return i->dst;
}

void irb_put(struct ir_block *b, unsigned size, uint32_t offset, ir_ref v)
{
    static const uint8_t ops[] = { [1] = IR_PUT8, [2] = IR_PUT16, [4] = IR_PUT32, [8] = IR_PUT64 };
    require(type_of(b, v) == (size == 8 ? IR_X : IR_W));
    struct ir_insn *i = append(b, (enum ir_op)ops[size], type_of(b, v));
    i->arg[0] = v;
    i->imm = offset;
}

ir_ref irb_getv(struct ir_block *b, uint32_t offset)
{
    struct ir_insn *i = define(b, IR_GETV, IR_V, IR_V);
    i->imm = offset;
    return i->dst;
}

void irb_putv(struct ir_block *b, uint32_t offset, ir_ref v)
{
    struct ir_insn *i = append(b, IR_PUTV, IR_V);
    i->arg[0] = v;
    i->imm = offset;
}

/* Replaces the op just appended by a constant when all its arguments are. */
static ir_ref folded(struct ir_block *b, struct ir_insn *i)
{
    uint64_t v[4] = { 0 }, out;
    struct ir_insn op = *i;
    b->n--;
    bool all = true;
    for (int k = 0; k < 4 && all && op.arg[k]; k++)
        all = irb_is_const(b, op.arg[k], &v[k]);
    b->n++;
    if (all && ir_fold(&op, v, &out)) {
        enum ir_type t = type_of(b, op.dst);
        *i = (struct ir_insn){ .op = IR_CONST, .type = (uint8_t)t, .dst = op.dst,
                               .imm = t == IR_W ? (uint32_t)out : out };
    }
    return op.dst;
}

ir_ref irb_bin(struct ir_block *b, enum ir_op op, ir_ref x, ir_ref y)
{
    enum ir_type t = type_of(b, x);
    require(type_of(b, y) == t);
    struct ir_insn *i = define(b, op, t, t);
    i->arg[0] = x;
    i->arg[1] = y;
    return folded(b, i);
}

ir_ref irb_bini(struct ir_block *b, enum ir_op op, ir_ref x, uint64_t y)
{
    bool identity = (op == IR_ADD || op == IR_SUB || op == IR_OR || op == IR_XOR || op == IR_SHL || op == IR_SHR ||
                     op == IR_SAR) && y == 0;
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
    return t == IR_V ? i->dst : folded(b, i);
}

static ir_ref bitfield(struct ir_block *b, enum ir_op op, ir_ref x, ir_ref y, unsigned pos, unsigned len)
{
    enum ir_type t = type_of(b, x);
    struct ir_insn *i = define(b, op, t, t);
    i->arg[0] = x;
    i->arg[1] = y;
    i->aux = (uint16_t)pos;
    i->imm = len;
    return folded(b, i);
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
    return folded(b, i);
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
    return folded(b, i);
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
    if (h->ret == IR_VOID)
        return IR_NONE;
    ir_ref dst = new_value(b, (enum ir_type)h->ret);
    b->insn[b->n - 1].dst = dst;
    return dst;
}

/* ---- control flow ------------------------------------------------------------------------ */

unsigned irb_label_new(struct ir_block *b)
{
    require(b->n_labels < IR_MAX_LABELS);
    return b->n_labels++;
}

void irb_label(struct ir_block *b, unsigned label) { append(b, IR_LABEL, IR_VOID)->imm = label; }
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

void irb_exit_lookup(struct ir_block *b) { append(b, IR_EXIT_LOOKUP, IR_VOID); }
void irb_exit_loop(struct ir_block *b) { append(b, IR_EXIT_LOOP, IR_VOID); }
