/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * MOVS CMPS STOS LODS SCAS, with and without REP.
 *
 * One iteration is one position.  The block was charged one; a helper that
 * runs k iterations takes k - 1 more, never beyond the budget.  Between plain
 * RAM pages many iterations run at once; anything else (devices, code pages,
 * elements across pages) is one iteration a call, so that interrupts and
 * clock reads see the right position.  Registers are updated for the
 * iterations that completed, also when the next one faults.
 */
#include "guest/x86/lift_int.h"
#include "guest/x86/segment.h"

enum string_op { STR_MOVS, STR_CMPS, STR_STOS, STR_LODS, STR_SCAS };

struct string {
    struct x86_cpu *c;
    unsigned op, size, asz, rep, seg;
    bool single;            /* one iteration a call: single step */
    int64_t step;           /* +size or -size */
    uint64_t mask;          /* of SI, DI, CX */
    unsigned mode;
    bool uses_si, uses_di, compares;
    uint64_t last_a, last_b;   /* the last comparison: a - b */
    bool compared, stopped;
};

/* What the helper gets: op, log2 size, asz, rep, segment, single. */
static uint64_t pack(unsigned op, const struct x86_insn *I, bool single)
{
    return op | (uint64_t)I->op[0].size << 4 | (uint64_t)I->asz << 8 | (uint64_t)I->rep << 12 |
           (uint64_t)(uint8_t)I->seg << 16 | (uint64_t)single << 24;
}

static void unpack(struct string *s, struct vcpu *v, uint64_t what)
{
    *s = (struct string){ .c = x86_of(v), .op = what & 15, .size = what >> 4 & 15, .asz = what >> 8 & 15,
                          .rep = what >> 12 & 3, .seg = what >> 16 & 0xff, .single = what >> 24 & 1 };
    s->step = s->c->s.rflags & FLAG_DF ? -(int64_t)s->size : (int64_t)s->size;
    s->mask = mask64(8 * s->asz);
    s->mode = x86_data_mode(s->c);
    s->uses_si = s->op == STR_MOVS || s->op == STR_CMPS || s->op == STR_LODS;
    s->uses_di = s->op != STR_LODS;
    s->compares = s->op == STR_CMPS || s->op == STR_SCAS;
}

static void advance_reg(struct string *s, unsigned reg, uint64_t by)
{
    uint64_t *r = &s->c->s.gpr[reg];
    uint64_t v = (*r + by) & s->mask;
    *r = s->asz == 2 ? (*r & ~s->mask) | v : v;
}

static void advance(struct string *s, uint64_t n)
{
    if (s->uses_si)
        advance_reg(s, R_SI, n * (uint64_t)s->step);
    if (s->uses_di)
        advance_reg(s, R_DI, n * (uint64_t)s->step);
    if (s->rep)
        advance_reg(s, R_CX, (uint64_t)0 - n);
}

static void set_acc(struct string *s, uint64_t v)
{
    uint64_t *r = &s->c->s.gpr[R_AX];
    *r = s->size == 8 ? v : s->size == 4 ? (uint32_t)v : bits_set(*r, 0, 8 * s->size, v);
}

static void compare(struct string *s, uint64_t a, uint64_t b)
{
    s->last_a = a;
    s->last_b = b;
    s->compared = true;
    s->stopped = s->rep && (a == b) != (s->rep == X86_REPE);
}

static bool addresses(struct string *s, uint64_t *src, uint64_t *dst)
{
    struct x86_state *st = &s->c->s;
    bool writes = s->op == STR_MOVS || s->op == STR_STOS;
    return (!s->uses_si || x86_seg_linear(s->c, (int)s->seg, st->gpr[R_SI] & s->mask, s->size, false, src)) &&
           (!s->uses_di || x86_seg_linear(s->c, SEG_ES, st->gpr[R_DI] & s->mask, s->size, writes, dst));
}

/* One iteration through the checked paths.  False: a fault is pending, nothing has changed. */
static bool one(struct string *s)
{
    struct vcpu *v = &s->c->v;
    uint64_t src = 0, dst = 0, a = 0, b = 0, acc = s->c->s.gpr[R_AX] & mask64(8 * s->size);
    if (!addresses(s, &src, &dst))
        return false;
    if (s->uses_si && !vcpu_load(v, src, s->size, s->mode, 0, &a))
        return false;
    switch (s->op) {
    case STR_MOVS:
    case STR_STOS:
        if (!vcpu_store(v, dst, s->size, s->mode, s->op == STR_MOVS ? a : acc))
            return false;
        break;
    case STR_LODS:
        set_acc(s, a);
        break;
    default:
        if (!vcpu_load(v, dst, s->size, s->mode, 0, &b))
            return false;
        compare(s, s->op == STR_SCAS ? acc : a, b);
    }
    advance(s, 1);
    return true;
}

/* Elements from `offset` on (in a 64 KiB or 4 GiB window of the address size) that stay in one page and one direction. */
static uint64_t run_length(const struct string *s, uint64_t linear, uint64_t offset)
{
    uint64_t page = linear & (PAGE_SIZE - 1), n, wrap;
    if (s->step > 0) {
        n = (PAGE_SIZE - page) / s->size;
        wrap = (s->mask - offset) / s->size;
    } else {
        n = page + s->size <= PAGE_SIZE ? page / s->size + 1 : 0;
        wrap = offset / s->size;
    }
    return n < wrap ? n : wrap;
}

static void *bulk_ptr(struct string *s, uint64_t linear, uint64_t n, enum access access)
{
    uint64_t low = s->step > 0 ? linear : linear - (n - 1) * s->size;
    char *p = vcpu_host_ptr(&s->c->v, low, (unsigned)(n * s->size), access, s->mode);
    return p ? p + (linear - low) : NULL;
}

static uint64_t bulk_elements(struct string *s, char *src, char *dst, uint64_t n)
{
    uint64_t acc = s->c->s.gpr[R_AX], k;
    for (k = 0; k < n && !s->stopped; k++) {
        int64_t at = (int64_t)k * s->step;
        uint64_t a = src ? load_le(src + at, s->size) : acc & mask64(8 * s->size);
        if (s->compares)
            compare(s, a, load_le(dst + at, s->size));
        else if (s->op == STR_LODS)
            set_acc(s, a);
        else
            store_le(dst + at, s->size, a);
    }
    return k;
}

/* Up to max iterations between plain pages; 0: use one(). */
static uint64_t bulk(struct string *s, uint64_t max)
{
    struct x86_state *st = &s->c->s;
    uint64_t src = 0, dst = 0, n = max;
    char *from = NULL, *to = NULL;
    if (s->single || !(s->c->mode_flags & MODE_CS64 || s->c->mode_flags & MODE_FLAT_DATA) ||
        (s->seg != SEG_DS && s->uses_si) || s->c->mode_flags & (MODE_DEBUG | MODE_AC_CHECK))
        return 0;
    if (s->uses_si) {
        src = st->gpr[R_SI] & s->mask;
        uint64_t k = run_length(s, src, src);
        n = n < k ? n : k;
    }
    if (s->uses_di) {
        dst = st->gpr[R_DI] & s->mask;
        uint64_t k = run_length(s, dst, dst);
        n = n < k ? n : k;
    }
    if (n < 2)
        return 0;
    bool writes = s->op == STR_MOVS || s->op == STR_STOS;
    if (s->uses_si && !(from = bulk_ptr(s, src, n, ACCESS_READ)))
        return 0;
    if (s->uses_di && !(to = bulk_ptr(s, dst, n, writes ? ACCESS_WRITE : ACCESS_READ)))
        return 0;
    uint64_t bytes = n * s->size;
    if (s->op == STR_MOVS && s->step > 0 && (to + bytes <= from || from + bytes <= to))
        memcpy(to, from, bytes);
    else if (s->op == STR_STOS && s->size == 1 && s->step > 0)
        memset(to, (int)(st->gpr[R_AX] & 0xff), bytes);
    else
        n = bulk_elements(s, from, to, n);
    advance(s, n);
    return n;
}

static void set_flags(struct string *s)
{
    struct x86_state *st = &s->c->s;
    if (!s->compared)
        return;
    st->cc_op = CC_SUBB + x86_width(s->size);
    st->cc_src2 = s->last_a;
    st->cc_src = s->last_b;
    st->cc_dst = s->last_a - s->last_b;
}

/* Returns 1 when the instruction is finished, 0 when iterations remain. */
static uint64_t do_string(struct vcpu *v, uint64_t what)
{
    struct string s;
    uint64_t done = 0;
    unpack(&s, v, what);
    if (!s.rep) {
        if (one(&s))
            set_flags(&s);
        return 1;
    }
    uint64_t *cx = &s.c->s.gpr[R_CX];
    if (!(*cx & s.mask))
        return 1;
    uint64_t budget = s.single ? 1 : 1 + (uint64_t)v->pos.left;
    while (done < budget && *cx & s.mask && !s.stopped) {
        uint64_t want = *cx & s.mask;
        uint64_t n = bulk(&s, want < budget - done ? want : budget - done);
        if (v->exit)
            break;
        if (!n) {
            if (done)
                break;               /* a fresh call does the slow iteration alone */
            if (!one(&s))
                break;
            done = 1;
            break;
        }
        done += n;
    }
    set_flags(&s);
    if (v->exit && !done)
        return 0;
    if (v->exit == EXIT_EXCEPTION) {
        /* What completed counts; the engine gives back the faulting iteration. */
        v->pos.left -= (int64_t)done;
        return 0;
    }
    v->pos.left -= (int64_t)done - 1;
    return !(*cx & s.mask) || s.stopped;
}

static const struct ir_helper helper_string = {
    "string", 1, HELPER_MAY_EXIT | HELPER_READS | HELPER_WRITES | HELPER_MEMORY, IR_W, { IR_X }, { .f1 = do_string }
};

/* MOVS CMPS STOS LODS SCAS: aux. */
void lift_string(struct x86_lift *L, const struct x86_insn *I)
{
    struct ir_block *b = L->b;
    bool single = L->flags & (MODE_TF | MODE_DEBUG);
    struct x86_insn J = *I;
    bool compares = I->row->aux == STR_CMPS || I->row->aux == STR_SCAS;
    if (J.rep == X86_REPNE && !compares)
        J.rep = X86_REPE;            /* F2 repeats the others just as F3 */
    if (J.rep && L->n_insns > 1) {
        /* Positions taken beyond one are counted from a block's last instruction: begin a block here. */
        L->b->n--;
        L->b->n_insns--;
        x86_jump(L, 0, L->pc);
        return;
    }
    ir_ref done = irb_call(b, &helper_string, irb_x(b, pack(I->row->aux, &J, single)), IR_NONE, IR_NONE, IR_NONE);
    if (compares)
        x86_cc_dynamic(L);
    if (!J.rep)
        return;
    unsigned more = irb_label_new(b);
    irb_brcond(b, IR_EQ, done, irb_w(b, 0), more);
    x86_jump(L, 0, L->next_pc);
    irb_label(b, more);
    irb_put(b, 8, X86_OFF(rip), irb_x(b, L->pc));
    x86_end_loop_pc_set(L);
}
