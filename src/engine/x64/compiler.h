/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The compiler's working data: one pass over the IR that plans
 * (plan.c), then one that gives registers and writes code
 * (regs.c, pending.c; ops.c, access.c, flow.c, vector.c by kind of operation).
 */
#ifndef REPRISE_ENGINE_X64_COMPILER_H
#define REPRISE_ENGINE_X64_COMPILER_H

#include "engine/x64/jit.h"

enum { NO_REG = 0xff, MAX_PENDING = 40, MAX_SITES = 2048, MAX_STUBS = 2048, MAX_SITE_PENDING = 16384 };

/* What x64_plan() finds out about a value; by ref. */
struct plan_value {
    uint32_t def;          /* op */
    uint32_t last_use;     /* 1 + op, of the root; 0: none */
    ir_ref root;           /* the value whose register this one shares, often itself */
    uint8_t pin;           /* hint: 1 + the pin that a PUT behind the definition writes; nothing in between minds */
    bool dirty;            /* W value with garbage in its register's upper half */
    bool fused;            /* no code of its own: part of its only user */
    bool is_const;
};

/* Where a value is now; by root. */
struct place {
    uint8_t reg;           /* host register (XMM for V), or NO_REG */
    uint8_t pending;       /* pending PUTs of it */
    uint16_t spill;        /* 1 + slot that holds it, or 0 */
};

/*
 * Accesses that ask the TLB once (group.c).  at: the first one's address; lo, hi: the range of addresses; from base,
 * or (IR_NONE) from 0.
 */
struct group {
    ir_ref base;
    bool wrap, either, write;
    uint8_t mode;
    int64_t at, lo, hi;
    int32_t disp;                    /* from the register that the first one's address was added in, where cut */
    uint32_t first, last, count;     /* ops */
};
enum { MAX_GROUPS = 64, MAX_GROUPED_OPS = 4096, MAX_ACTIVE_GROUPS = 6 };

/*
 * The range [address + lo, address + hi) and how it is accessed; registers for the page and the addend found.
 * is_const: it begins at lowest, and lies in one page; address is not looked at.
 */
struct asked {
    unsigned address, mode, access, page, addend;
    int32_t lo, hi;
    bool is_const;
    uint64_t lowest;
};

/* Code out of the main path, written behind it or in the block's cold part. */
struct stub {
    struct x64_label from, back;
    uint8_t kind;
    uint8_t address, value, result;  /* registers; address is base + disp */
    uint32_t insn, first_pending, n_pending;
    bool vectors;                    /* XMM registers hold values */
    /* What follows is set only where the kind asks for it. */
    uint8_t first_of_kind;
    uint8_t xmm[3];                  /* of a vector operation: its arguments' registers; op; what: to a general one */
    int32_t disp;
    uint64_t what;
    uint64_t fn;
    int32_t before, range;           /* of a group: bytes from its lowest address to this one, and in all */
    uint32_t slot, give_back;
    uint64_t pc;
    const struct ir_insn *op;
    struct stub *miss;               /* of STUB_RECENT, STUB_TRUST: where it goes if the TLB has another answer, too */
    struct asked asked;
};
enum { STUB_NONE, STUB_ACCESS, STUB_FILL, STUB_TRAP, STUB_SIDE, STUB_SHORT, STUB_FAULT, STUB_EXIT, STUB_LOOKUP,
       STUB_PAGE, STUB_VECTOR, STUB_RECENT, STUB_JUMP, STUB_DEEP,
       STUB_TRUST, STUB_LATE };

struct compiler {
    struct x64_asm a;                    /* failed: a table is full, too; compile less of the block */
    struct engine *e;
    struct jit *j;
    struct block *b;
    const struct ir_block *ir;
    const struct guest_ops *ops;
    uint32_t at, insn, started;          /* op; index of its instruction; instructions begun */
    uint32_t room;                       /* bytes, for each of the block's two parts */
    struct plan_value plan[IR_MAX_VALUES];
    struct place place[IR_MAX_VALUES];
    ir_ref holds[16], holds_xmm[16];     /* root in a register; of a pin: the value equal to the guest's, or 0 */
    uint32_t locked, locked_xmm;         /* registers that the current op uses */
    uint8_t temp[N_TEMPS];               /* in order of preference */
    struct {
        uint32_t offset;
        uint8_t size;
        ir_ref value;
    } pending[MAX_PENDING];
    unsigned n_pending;
    struct slots {
        uint16_t n, used, n_free;        /* in all; ever used in this block; used ones that are free again */
        uint16_t free[N_SPILLS];
    } spills, vspills;
    struct group group[MAX_GROUPS];
    unsigned n_groups;
    uint16_t active[MAX_ACTIVE_GROUPS];  /* the last n_active: an access may still join them */
    unsigned n_active;
    bool may_group, has_groups;          /* has: of more than one access */
    uint16_t group_of[MAX_GROUPED_OPS];  /* by access's op, if has_groups: 1 + group, or 0 */
    struct stub stub[MAX_STUBS];
    unsigned n_stubs;
    struct x64_site site[MAX_SITES];
    struct x64_exit exit[IR_MAX_EXITS];
    struct x64_pending site_pending[MAX_SITE_PENDING];
    uint32_t main_size;
    uint32_t n_sites, n_site_pending;
    uint32_t last_list, n_last_list;     /* the list in site_pending made last: one that is the same is that one */
    uint32_t second;                     /* as x64_code.second, first the end of the operand that names it */
    uint32_t checked, gives_way;         /* as in x64_code */
    struct x64_label label[IR_MAX_LABELS];
    uint32_t skip;                       /* op that is done with the one before it */
    bool any_vectors;                    /* an XMM register was given */
    bool hot;                            /* accesses look at their recent page first */
    uint16_t recent;                     /* 1 + the first of those that are the block's, or 0 */
    const struct ir_insn *returns;       /* the RETURN_POINT of the exit that follows, or NULL */
    uint32_t late;                       /* the TRAP_IF that is asked late (plan.c), or UINT32_MAX; */
    unsigned late_pin;                   /* then the stack pointer's register, what the return adds to it, */
    int64_t late_step;
    struct stub *late_stub;              /* and, while it is ahead, its stub */
};

/* ---- plan.c ---- */

/* may_group: accesses may share what they ask of the TLB. */
void x64_plan(struct compiler *c, bool may_group);

static inline const struct ir_insn *def_of(const struct compiler *c, ir_ref v) { return &c->ir->insn[c->plan[v].def]; }
static inline ir_ref root_of(const struct compiler *c, ir_ref v) { return c->plan[v].root; }
static inline bool const_of(const struct compiler *c, ir_ref v, uint64_t *value)
{
    if (!c->plan[v].is_const)
        return false;
    *value = def_of(c, v)->imm;
    return true;
}
static inline bool fits32(uint64_t v) { return (int64_t)v == (int32_t)v; }
/* A constant that an instruction of w bits can hold. */
static inline bool imm_of(const struct compiler *c, ir_ref v, unsigned w, int32_t *imm)
{
    uint64_t value;
    if (!const_of(c, v, &value))
        return false;
    *imm = (int32_t)value;
    return w == 32 || fits32(value);
}
static inline bool x64_is_vector(const struct compiler *c, ir_ref v)
{
    return v < c->ir->n_values && c->ir->type_of[v] == IR_V;
}
static inline struct x64_mem x64_spill_at(const struct compiler *c, unsigned slot)
{
    return FRAME(c->j, spill[slot]);
}
static inline struct x64_mem x64_vspill_at(const struct compiler *c, unsigned slot)
{
    return FRAME(c->j, vspill[slot]);
}
static inline unsigned width_of(const struct ir_insn *i) { return i->type == IR_X ? 64 : 32; }
/* The pin of a state offset: its index, or -1. */
static inline int pin_at(const struct compiler *c, uint64_t offset)
{
    uint64_t word = (offset - sizeof(struct vcpu)) / 8;
    return offset >= sizeof(struct vcpu) && word < ARRAY_LEN(c->j->pin_of_word) ? c->j->pin_of_word[word] - 1 : -1;
}
/* A memory operand's address: base + index << scale + disp, cut to 32 bits if wrap. */
struct address {
    ir_ref base, index;
    unsigned scale;
    int32_t disp;
    bool wrap;
};
struct address x64_address(const struct compiler *c, ir_ref v);

/* ---- budget.c ---- */

/* The cold part of what a block does when it is longer than what is left. */
void x64_write_gives_way(struct compiler *c);
/* A metered block's first code, and what lies before each other instruction. */
void x64_begin_metered(struct compiler *c);
void x64_meter(struct compiler *c);

/* ---- group.c ---- */

/* While planning, in order. */
void x64_begin_groups(struct compiler *c, bool allowed);
void x64_group(struct compiler *c, const struct ir_insn *i, uint32_t n, unsigned insn, bool begun);
void x64_end_groups(struct compiler *c);
void x64_settle_groups(struct compiler *c);
/* The group of the current op, an access, if it shares one: 1 + its index, or 0. */
static inline unsigned x64_group_here(const struct compiler *c) { return c->has_groups ? c->group_of[c->at] : 0; }
/*
 * The value that a group keeps: what the TLB adds to its addresses; or where those are cut to 32 bits, which each would
 * have to be made for itself, the first one's place on the host, from which the others have fixed distances: none of
 * them is cut where the first one is not, for the range lies in one page.
 */
static inline ir_ref x64_group_ref(const struct compiler *c, unsigned group)
{
    return (ir_ref)(c->ir->n_values + group);
}
/* Bytes from the group's first access to access i of it. */
int32_t x64_group_offset(const struct compiler *c, const struct group *g, const struct ir_insn *i);
/* Does some group keep an address for stores, from before this op to behind it? */
bool x64_keeps_stores(const struct compiler *c);

/* ---- access.c ---- */

/* Behind the main path: asks the TLB for what the recent page was not, and keeps the answer there. */
void x64_write_recent(struct compiler *c, struct stub *r);

/* ---- returns.c ---- */

/* Are the block's calls and returns the host's? */
bool x64_uses_returns(const struct compiler *c);
/* Before the host's CALL of one that returns to pc.  RCX may be used. */
void x64_write_push(struct compiler *c, uint64_t pc);
/* Behind it: goes on if that is where RAX wants to return.  RCX is used. */
void x64_write_landing(struct compiler *c);
void x64_write_deep(struct compiler *c, struct stub *s);

/* ---- recent.c ---- */

/* A recent page for the access that is being compiled: 1 + its number; 0: it is to do without. */
unsigned x64_recent_take(struct compiler *c, const struct asked *q);

/* ---- regs.c ---- */

void x64_regs_init(struct compiler *c);
/* A free temporary, locked until the op's end; something else may be spilled for it. */
unsigned x64_temp(struct compiler *c);
/* This very temporary, likewise. */
unsigned x64_temp_is(struct compiler *c, unsigned reg);
/* The register that holds v, locked; brought there if need be. */
unsigned x64_use(struct compiler *c, ir_ref v);
/* The same with the upper half of a W value zeroed. */
unsigned x64_use_clean(struct compiler *c, ir_ref v);
/* A register for the op's result: its pin by hint, or a temporary.  May be that of an argument that ends here. */
unsigned x64_def(struct compiler *c, ir_ref v);
/* A temporary for a value that no op defines, until its last use. */
unsigned x64_def_temp(struct compiler *c, ir_ref v);
/* A result that is in a temporary already; it moves to its pin by hint. */
void x64_def_in(struct compiler *c, ir_ref v, unsigned reg);
unsigned x64_use_xmm(struct compiler *c, ir_ref v);
unsigned x64_def_xmm(struct compiler *c, ir_ref v);
/* The op is done: arguments that end here give their registers back, locks are dropped. */
void x64_end_op(struct compiler *c, const struct ir_insn *i);
/* PUT of a whole word that is a pin. */
void x64_put_pin(struct compiler *c, unsigned pin, ir_ref v);
/* A pin is about to be written: a value that lives there and is still wanted moves. */
void x64_vacate_pin(struct compiler *c, unsigned pin);
/* Every value that is wanted later goes to memory, no register holds one. */
void x64_spill_all(struct compiler *c);
/* The same around a call, but registers hold their values until forgotten.  pins: the guest's registers change. */
void x64_spill_for_call(struct compiler *c, bool pins);
void x64_forget_for_call(struct compiler *c, bool pins);
/* Is v wanted after the current op? */
static inline bool x64_lives(const struct compiler *c, ir_ref root)
{
    return c->plan[root].last_use > c->at + 1 || c->place[root].pending;
}

/* No register or slot holds the root any more. */
void x64_release(struct compiler *c, ir_ref root);

/* ---- pending.c ---- */

/* PUT of another whole word or vector: pending; a constant of more than 32 bits is written. */
void x64_put(struct compiler *c, uint32_t offset, unsigned size, ir_ref v);
/* Pending PUTs of those words (of eight bytes, from offset on, by mask) need not be written. */
void x64_discard(struct compiler *c, uint32_t offset, unsigned mask);
/* Writes the pending PUTs that overlap. */
void x64_write_pending(struct compiler *c, uint64_t offset, unsigned size);
void x64_write_all_pending(struct compiler *c);
/* Lists the pending PUTs for a site, n in all; returns the first's index. */
uint32_t x64_list_pending(struct compiler *c, uint32_t *n);
/* Writes listed ones. */
void x64_emit_pending(struct compiler *c, uint32_t first, uint32_t n);
/* Writes those of a value that nothing else wants. */
void x64_write_pending_of(struct compiler *c, ir_ref root);

/* ---- ops.c and its like ---- */

void x64_op(struct compiler *c, const struct ir_insn *i);
void x64_op_get(struct compiler *c, const struct ir_insn *i);
void x64_op_put(struct compiler *c, const struct ir_insn *i);
void x64_op_memory(struct compiler *c, const struct ir_insn *i);
void x64_op_vector(struct compiler *c, const struct ir_insn *i);
/* A vector operation of whose second argument only the low word counts, and may be in a general register. */
bool x64_takes_word(const struct ir_insn *i);
void x64_write_vector_stub(struct compiler *c, struct stub *s);
void x64_op_flow(struct compiler *c, const struct ir_insn *i);
void x64_op_call(struct compiler *c, const struct ir_insn *i);
/* Compares x and y of i's type; returns the host condition of c. */
enum x64_cc x64_compare(struct compiler *c, enum ir_cond cond, enum ir_type t, ir_ref x, ir_ref y);
/* The jump of an exit; it goes to the stub s until it is chained. */
void x64_jump_out(struct compiler *c, struct stub *s);
/*
 * Goes on only where the TLB maps va's page, for fetches (unmapped: it does not), with an addend in a constant of the
 * block (otherwise: another one): the end of the operand that names the constant is returned.  Uses RAX and RCX.
 */
uint32_t x64_check_mapping(struct compiler *c, uint64_t va, struct x64_label *unmapped, struct x64_label *otherwise);
/* The site of the call that was just written. */
void x64_site_here(struct compiler *c, uint32_t insn, uint32_t first_pending, uint32_t n_pending);
/* The offset of what is written next. */
static inline uint32_t x64_here(const struct compiler *c) { return (uint32_t)(c->a.p - c->j->next); }

/* ---- stubs.c ---- */

/* A stub of that kind at the current instruction. */
struct stub *x64_stub(struct compiler *c, unsigned kind);
/* The PUTs pending now, where it is jumped to, and the registers in use are its. */
void x64_stub_pending(struct compiler *c, struct stub *s);
/* Those that belong to the main path; then, in the cold part, the others. */
void x64_write_stubs(struct compiler *c, bool cold);
/* Out of b, by the exit of that slot or (SITE_MARK_SHORT) for the budget: the block and the slot lie behind a call. */
void x64_write_leave(struct x64_asm *a, const struct jit *j, struct block *b, unsigned slot);
#endif
