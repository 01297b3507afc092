/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * MOVS CMPS STOS LODS SCAS, with and without REP.  Without, they are lifted like any other instruction;
 * the rest is REP's.
 *
 * One iteration is one position.  The block was charged one; a helper that
 * runs k iterations takes k - 1 more, never beyond the budget.  Between plain
 * RAM pages many iterations run at once; anything else (devices, code pages,
 * elements across pages) is one iteration a call, so that interrupts and
 * clock reads see the right position.  Registers are updated for the
 * iterations that completed, also when the next one faults.
 */
#include "guest/x86/debug.h"
#include "guest/x86/lift_int.h"
#include "guest/x86/segment.h"

enum string_op { STR_MOVS, STR_CMPS, STR_STOS, STR_LODS, STR_SCAS };

struct string {
    struct x86_cpu *c;
    unsigned op, size, asz, rep, seg;
    unsigned log2_size;     /* dividing by size would take longer than most runs */
    bool single;            /* one iteration a call: single step, the end of an interrupt shadow, or code outside RAM */
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
    s->log2_size = (unsigned)__builtin_ctz(s->size);
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
    s->stopped = (a == b) != (s->rep == X86_REPE);
}

/* What the lifter puts before a load or store of its own. */
static bool access_checks(struct string *s, uint64_t linear, bool write)
{
    if (s->c->mode_flags & MODE_AC_CHECK && linear & (s->size - 1)) {
        x86_fault(s->c, EXC_AC, 0);
        return false;
    }
    if (s->c->mode_flags & MODE_DEBUG)
        x86_check_watch(s->c, linear, s->size, write);
    return true;
}

static bool load(struct string *s, int seg, unsigned pointer, uint64_t *value)
{
    uint64_t linear;
    return x86_seg_linear(s->c, seg, s->c->s.gpr[pointer] & s->mask, s->size, false, &linear) &&
           access_checks(s, linear, false) && vcpu_load(&s->c->v, linear, s->size, s->mode, 0, value);
}

static bool store(struct string *s, uint64_t value)
{
    uint64_t linear;
    return x86_seg_linear(s->c, SEG_ES, s->c->s.gpr[R_DI] & s->mask, s->size, true, &linear) &&
           access_checks(s, linear, true) && vcpu_store(&s->c->v, linear, s->size, s->mode, value);
}

/*
 * One iteration through the checked paths.  False: a fault is pending, nothing has changed.  The source's faults, of
 * whatever kind, come before the destination's.
 */
static bool one(struct string *s)
{
    uint64_t a = 0, b = 0, acc = s->c->s.gpr[R_AX] & mask64(8 * s->size);
    if (s->uses_si && !load(s, (int)s->seg, R_SI, &a))
        return false;
    switch (s->op) {
    case STR_MOVS:
    case STR_STOS:
        if (!store(s, s->op == STR_MOVS ? a : acc))
            return false;
        break;
    case STR_LODS:
        set_acc(s, a);
        break;
    default:
        if (!load(s, SEG_ES, R_DI, &b))
            return false;
        compare(s, s->op == STR_SCAS ? acc : a, b);
    }
    advance(s, 1);
    return true;
}

/* ---- many iterations at once ------------------------------------------------------------------- */

/* One side of the transfer: n elements from `low` on in host memory, walked upwards or downwards. */
struct run {
    uint64_t linear;
    uint64_t n;
    uint8_t *low;
};

/* Elements from seg:offset on that stay in one page, inside the segment, and do not wrap. */
static uint64_t run_length(const struct string *s, int seg, uint64_t offset, bool write, uint64_t *linear)
{
    uint64_t reach = x86_seg_reach(s->c, seg, offset, write, linear);
    uint64_t page = *linear & (PAGE_SIZE - 1), n, wrap;
    if (reach < s->size || page + s->size > PAGE_SIZE)
        return 0;
    if (s->step < 0) {
        n = (page >> s->log2_size) + 1;
        wrap = (offset >> s->log2_size) + 1;
    } else {
        n = (PAGE_SIZE - page) >> s->log2_size;
        wrap = (s->mask - offset) >> s->log2_size;
        n = n < reach >> s->log2_size ? n : reach >> s->log2_size;
    }
    return n < wrap ? n : wrap;
}

/* A fault is the first element's, also when the others lie below it. */
static bool map_run(struct string *s, struct run *r, enum access access)
{
    uint64_t low = s->step > 0 ? r->linear : r->linear - (r->n - 1) * s->size;
    struct tlb_side side;
    r->low = tlb_host(&s->c->v, low, (unsigned)(r->n * s->size), access, s->mode);
    if (r->low)
        return true;
    if (!tlb_resolve(&s->c->v, r->linear, access, s->mode, &side))
        return false;
    r->low = vcpu_host_ptr(&s->c->v, low, (unsigned)(r->n * s->size), access, s->mode);
    return r->low;
}

/* Elements that stay in the granule of r's first one: code and page tables in use are marked by granules. */
static uint64_t in_granule(const struct string *s, const struct run *r)
{
    uint64_t size = UINT64_C(1) << RAM_GRANULE_BITS, at = r->linear & (size - 1);
    return s->step > 0 ? (size - at) >> s->log2_size : (at >> s->log2_size) + 1;
}

/* A pattern of size bytes, over and over. */
static void fill(uint8_t *to, uint64_t bytes, unsigned size, uint64_t value)
{
    uint64_t word = value * (UINT64_MAX / mask64(8 * size));
    if (word == (word & 0xff) * (UINT64_MAX / 0xff)) {
        memset(to, (int)(word & 0xff), bytes);
        return;
    }
    uint64_t k = 0;
    for (; k + 8 <= bytes; k += 8)
        store_le(to + k, 8, word);
    for (; k < bytes; k++)
        to[k] = (uint8_t)(word >> 8 * (k & 7));
}

/* Element by element; from NULL: the accumulator. */
static uint64_t each(struct string *s, const uint8_t *from, uint8_t *to, uint64_t n)
{
    uint64_t acc = s->c->s.gpr[R_AX] & mask64(8 * s->size), k;
    int64_t first = s->step > 0 ? 0 : (int64_t)(n - 1) * s->size;
    for (k = 0; k < n && !s->stopped; k++) {
        int64_t at = first + (int64_t)k * s->step;
        uint64_t a = from ? load_le(from + at, s->size) : acc;
        if (s->compares)
            compare(s, a, load_le(to + at, s->size));
        else
            store_le(to + at, s->size, a);
    }
    return k;
}

/* Does copying in this direction give what memmove gives?  If not, the source is overwritten on the way. */
static bool like_memmove(const struct string *s, const uint8_t *from, const uint8_t *to, uint64_t bytes)
{
    return to + bytes <= from || from + bytes <= to || (s->step > 0 ? to <= from : to >= from);
}

/* The transfer itself, of n elements; returns how many were done before a comparison ended it. */
static uint64_t transfer(struct string *s, const struct run *src, const struct run *dst, uint64_t n)
{
    uint64_t bytes = n * s->size;
    switch (s->op) {
    case STR_MOVS:
        if (!like_memmove(s, src->low, dst->low, bytes))
            return each(s, src->low, dst->low, n);
        memmove(dst->low, src->low, bytes);
        return n;
    case STR_STOS:
        fill(dst->low, bytes, s->size, s->c->s.gpr[R_AX] & mask64(8 * s->size));
        return n;
    case STR_LODS:
        set_acc(s, load_le(src->low + (s->step > 0 ? bytes - s->size : 0), s->size));
        return n;
    default:
        return each(s, src->low, dst->low, n);
    }
}

/* Up to max iterations between plain pages; 0: use one(). */
static uint64_t bulk(struct string *s, uint64_t max)
{
    struct x86_state *st = &s->c->s;
    struct run src = { 0 }, dst = { 0 };
    uint64_t n = max;
    bool writes = s->op == STR_MOVS || s->op == STR_STOS;
    if (s->single || s->c->mode_flags & (MODE_DEBUG | MODE_AC_CHECK))
        return 0;
    if (s->uses_si) {
        uint64_t k = run_length(s, (int)s->seg, st->gpr[R_SI] & s->mask, false, &src.linear);
        n = n < k ? n : k;
    }
    if (s->uses_di) {
        uint64_t k = run_length(s, SEG_ES, st->gpr[R_DI] & s->mask, writes, &dst.linear);
        n = n < k ? n : k;
    }
    src.n = dst.n = n;
    if (n < 2 || (s->uses_si && !map_run(s, &src, ACCESS_READ)))
        return 0;
    if (s->uses_di && !map_run(s, &dst, writes ? ACCESS_WRITE : ACCESS_READ)) {
        uint64_t k = in_granule(s, &dst);
        src.n = dst.n = n = n < k ? n : k;
        if (s->c->v.exit || n < 2 || !writes || !map_run(s, &dst, ACCESS_WRITE) ||
            (s->uses_si && !map_run(s, &src, ACCESS_READ)))
            return 0;
    }
    n = transfer(s, &src, &dst, n);
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

enum { STRING_HELPER = HELPER_MAY_EXIT | HELPER_READS | HELPER_WRITES | HELPER_MEMORY };
static const struct ir_helper helper_string = { "string", 1, STRING_HELPER, IR_W, { IR_X }, { .f1 = do_string } };

/* ---- short runs --------------------------------------------------------------------------------- */

/*
 * MOVS and STOS where offsets are linear addresses and nothing is checked: kernels copy and clear a few words at a
 * time.  All of it at once, upwards, within a page on either side, if the budget and the TLB allow; or do_string().
 */
static uint64_t do_flat_string(struct vcpu *v, uint64_t what)
{
    struct x86_cpu *c = x86_of(v);
    uint64_t *gpr = c->s.gpr, mask = mask64(8 * (what >> 8 & 15));
    uint64_t n = gpr[R_CX] & mask, si = gpr[R_SI] & mask, di = gpr[R_DI] & mask;
    unsigned size = what >> 4 & 15;
    bool moves = (what & 15) == STR_MOVS;
    if (n - 1 >= PAGE_SIZE / size || n > 1 + (uint64_t)v->pos.left || c->s.rflags & FLAG_DF)
        return do_string(v, what);
    unsigned bytes = (unsigned)n * size, mode = x86_data_mode(c);
    const uint8_t *from = moves ? tlb_host(v, si, bytes, ACCESS_READ, mode) : NULL;
    uint8_t *to = tlb_host(v, di, bytes, ACCESS_WRITE, mode);
    if (!to || (moves && (!from || (from < to && to < from + bytes))))
        return do_string(v, what);
    if (moves)
        memmove(to, from, bytes);
    else
        fill(to, bytes, size, gpr[R_AX] & mask64(8 * size));
    if (moves)
        gpr[R_SI] = (si + bytes) & mask;
    gpr[R_DI] = (di + bytes) & mask;
    gpr[R_CX] = 0;
    v->pos.left -= (int64_t)n - 1;
    return 1;
}

static const struct ir_helper helper_flat_string = { "flat_string", 1, STRING_HELPER, IR_W, { IR_X },
                                                     { .f1 = do_flat_string } };

static bool is_flat(const struct x86_lift *L, const struct x86_insn *I, bool single)
{
    bool writes = I->row->aux == STR_MOVS || I->row->aux == STR_STOS;
    if (!writes || single || L->flags & (MODE_AC_CHECK | MODE_DEBUG))
        return false;
    if (lift_64(L))
        return I->asz == 8 && I->seg != SEG_FS && I->seg != SEG_GS;
    return I->asz == 4 && L->flags & MODE_FLAT_DATA && (I->seg == SEG_DS || I->seg == SEG_ES);
}

/* ---- lifting ----------------------------------------------------------------------------------- */

static ir_ref pointer(struct x86_lift *L, const struct x86_insn *I, unsigned reg)
{
    ir_ref r = irb_get(L->b, 8, X86_OFF_GPR(reg));
    return I->asz == 8 ? r : irb_bini(L->b, IR_AND, r, mask64(8u * I->asz));
}

static void advance_pointer(struct x86_lift *L, const struct x86_insn *I, unsigned reg, ir_ref step)
{
    ir_ref r = irb_bin(L->b, IR_ADD, irb_get(L->b, 8, X86_OFF_GPR(reg)), step);
    x86_wr_reg(L, reg, I->asz, irb_cast(L->b, r, I->asz == 8 ? IR_X : IR_W));
}

/* Without REP. */
static void lift_once(struct x86_lift *L, const struct x86_insn *I)
{
    struct ir_block *b = L->b;
    unsigned op = I->row->aux, size = I->op[0].size;
    bool uses_si = op == STR_MOVS || op == STR_CMPS || op == STR_LODS, uses_di = op != STR_LODS;
    bool writes = op == STR_MOVS || op == STR_STOS;
    ir_ref dst = IR_NONE, x, y;
    if (uses_si)
        x = x86_ld(L, x86_linear_seg(L, I->seg, pointer(L, I, R_SI), size, false), size, false);
    else
        x = x86_rd_reg(L, R_AX, size);
    if (uses_di)
        dst = x86_linear_seg(L, SEG_ES, pointer(L, I, R_DI), size, writes);
    y = uses_di && !writes ? x86_ld(L, dst, size, false) : IR_NONE;
    if (writes)
        x86_st(L, dst, size, x);
    else if (op == STR_LODS)
        x86_wr_reg(L, R_AX, size, x);
    ir_ref down = irb_extract(b, irb_get(b, 8, X86_OFF(rflags)), 10, 1);     /* DF */
    ir_ref step = irb_bin(b, IR_SUB, irb_x(b, size), irb_bin(b, IR_MUL, down, irb_x(b, 2 * size)));
    if (uses_si)
        advance_pointer(L, I, R_SI, step);
    if (uses_di)
        advance_pointer(L, I, R_DI, step);
    if (y)
        x86_set_cc(L, CC_SUBB + x86_width(size), IR_NONE, y, x);
}

/* MOVS CMPS STOS LODS SCAS: aux. */
void lift_string(struct x86_lift *L, const struct x86_insn *I)
{
    struct ir_block *b = L->b;
    bool single = L->flags & (MODE_TF | MODE_DEBUG | MODE_SHADOW) || L->from_device;
    struct x86_insn J = *I;
    bool compares = I->row->aux == STR_CMPS || I->row->aux == STR_SCAS;
    if (J.rep == X86_REPNE && !compares)
        J.rep = X86_REPE;            /* F2 repeats the others just as F3 */
    if (!J.rep) {
        lift_once(L, I);
        return;
    }
    /* Positions taken beyond one are counted from a block's last instruction. */
    if (x86_begins_later(L))
        return;
    const struct ir_helper *h = is_flat(L, &J, single) ? &helper_flat_string : &helper_string;
    ir_ref done = irb_call(b, h, irb_x(b, pack(I->row->aux, &J, single)), IR_NONE, IR_NONE, IR_NONE);
    unsigned more = irb_label_new(b);
    irb_brcond(b, IR_EQ, done, irb_w(b, 0), more);
    x86_jump(L, L->next_pc);
    irb_label(b, more);
    irb_put(b, 8, X86_OFF(rip), irb_x(b, L->pc));
    x86_end_loop_pc_set(L);
}
