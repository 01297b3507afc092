/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Internal to engine/x64: how a block of IR becomes code for an x86-64 host.
 *
 * Register map
 *   RBP        VCPU_NEAR bytes into the guest's state, which lies right behind struct vcpu
 *   RSP        where the guest's calls return to (returns.c), 16-byte aligned between instructions; the host's stack
 *              below.  struct x64_frame lies near the code
 *   pins       RBX R12..R15 R9..R11: the guest's hot registers (guest_ops.hot), in every block
 *   temps      RAX RCX RDX RSI RDI R8: values within a block
 *   XMM0..12   vector values within a block; XMM13..15 are scratch
 *
 * Invariants
 *  1. Between blocks every value is in the guest's state or its pin; a pin's word in the state is stale
 *     while translated code runs.
 *  2. A PUT to an unpinned word is pending until its value's register is wanted, a helper may look, or the
 *     block is left: then it is written.  Where an operation may fault, its site (struct x64_site) lists the pending
 *     ones, so that the main path need not write what a later PUT overwrites.
 *  3. The upper half of a register that holds a W value is zero, unless plan->dirty says otherwise.
 *  4. The MXCSR has the guest's rounding, DAZ and FTZ, all exceptions masked; what translated code raised is there and
 *     not yet in the guest's fp_env.flags, until a helper that sees that (HELPER_FP) is called or translated code is
 *     left.
 *     C code called from it uses no floating point (a fence checks that).
 *  5. Code is written through one mapping and runs through another; none is both writable and executable.
 */
#ifndef REPRISE_ENGINE_X64_JIT_H
#define REPRISE_ENGINE_X64_JIT_H

#include "engine/impl.h"
#include "engine/x64/asm.h"
#include "engine/x64/host.h"
#include "ir/vec/vec.h"

enum { N_PINS = 8, N_TEMPS = 6, N_XMM = 13, N_SPILLS = 160, N_VSPILLS = 64 };

/* What translated code and the C code that it calls have for themselves. */
struct x64_frame {
    uint64_t address, value;         /* a slow path's operands */
    uint64_t result;
    uint64_t what;                   /* enum x64_slow_kind, and its arguments */
    uint64_t fn;                     /* host function, or struct ir_helper */
    struct vcpu *v;
    uint32_t mxcsr, outer_mxcsr;     /* the guest's as the host has it; the caller's */
    uint32_t may_run;                /* instructions of the METERED block that runs */
    union v128 vec[3];               /* a slow path's vector operands; vec[0] is also its result */
    uint64_t spill[N_SPILLS];
    union v128 vspill[N_VSPILLS];
    uint64_t reg[16];                /* all registers as they were at a slow path's call, by host number */
    union v128 xmm[16];
};
#define FRAME(j, field) x64_at(&(j)->data->frame.field)

/* frame.what: kind | mmu mode << 8 | log2 size << 12 | flags.  SLOW_FVEC's follow enum ir_fvec_part. */
/* SLOW_FILL: frame.value = bytes before the address | bytes in all << 32 of a group. */
enum x64_slow_kind { SLOW_LOAD, SLOW_STORE, SLOW_LOADV, SLOW_STOREV, SLOW_FILL, SLOW_VEC, SLOW_FVEC, SLOW_FVEC_FIRST,
                     SLOW_FVEC_LAST, SLOW_TRAP };
enum { SLOW_MODE_SHIFT = 8, SLOW_SIZE_SHIFT = 12, SLOW_SIGNED = 1 << 14, SLOW_X = 1 << 15, SLOW_INTENT = 1 << 16,
       SLOW_LAST = 1 << 17,
       SLOW_WRITE = 1 << 18,            /* SLOW_FILL: for stores, too */
       SLOW_KEEPS = 1 << 19,            /* addresses for stores are kept beyond this access (group.c) */
       /* Of an access, the host registers of its address and of its value or result; or the value is a constant, or
          the address is no register's but what is added to it. */
       SLOW_ADDRESS_SHIFT = 20, SLOW_OPERAND_SHIFT = 24, SLOW_CONST = 1 << 28, SLOW_ABSOLUTE = 1 << 29,
       SLOW_CUT = 1 << 30 };            /* of the sum of register and displacement, the low 32 bits */

/*
 * What follows a call of the access thunks: all that an access's stub has to say.  The address is a register's
 * contents + disp; value: a constant to store, or a group's bytes before the address | bytes in all << 16.
 */
struct access_mark {
    uint32_t what;
    int32_t disp, value;
} __attribute__((packed));

/* What follows a call of the fault thunks: the block, and its site that is there. */
struct fault_mark {
    struct block *block;
    uint16_t site;
} __attribute__((packed));

/* What follows a call of leave_site: the block and its exit, or SITE_MARK_SHORT. */
struct site_mark {
    struct block *block;
    uint16_t slot;
} __attribute__((packed));

/* A pending PUT, written when a fault or an exit needs the state. */
struct x64_pending {
    uint32_t offset : 24;            /* in the vCPU struct */
    uint32_t size : 5;               /* 1, 2, 4, 8, 16 */
    uint32_t where : 3;              /* enum below */
    int32_t value;                   /* register, spill slot or constant */
};
enum { IN_REG, IN_SPILL, IN_CONST, IN_XMM, IN_VSPILL };

/* A place where code calls the slow thunk, found by its return address. */
struct x64_site {
    uint32_t ret;                    /* offset in the block's code */
    uint8_t index;                   /* instruction */
    uint8_t n_pending;
    uint16_t pending;                /* first in x64_code.pending; sites share */
};

/* The way out of an EXIT_JUMP or EXIT_IF, or to a RETURN_POINT. */
struct x64_exit {
    uint32_t field;                  /* offset of the jump's displacement */
    uint32_t stub;                   /* where it goes while it is not chained */
    /* Of a target in another page: offsets of the TLB addend that is expected, and of the ends of the instructions
       that look at the page's word and that trust it (links.c); or 0. */
    uint32_t addend, trusted, trust;
    uint64_t pc;
};

/* block->code.  Offsets are from start, also those of what lies in the cold part. */
struct x64_code {
    uint8_t *start, *cold;           /* as written */
    uint32_t size, cold_size;
    uint32_t n_sites;
    uint32_t bytes;                  /* of this and its tables */
    uint16_t recent;                 /* 1 + the first of its recent pages (jit.recent_of), or 0 */
    uint8_t stops;                   /* budgets that ended at it, each soon after the one before, while it is not hot */
    bool hot;
    uint32_t gives_way;              /* where it is left when what is left of the budget is too short for it */
    uint64_t stopped_at;             /* jit.n_samples at the last of them */
    uint32_t second;                 /* of a block that crosses: offset of the TLB addend expected of the second page;
                                        or 0 */
    uint32_t checked;                /* where the check of that is passed */
    struct x64_site *site;           /* ascending */
    struct x64_exit *exit;
    struct x64_pending *pending;
};

/* Blocks by address within a region of the code memory, in which all main paths lie before all cold parts. */
struct x64_region {
    struct x64_place {
        uint8_t *start, *cold;
        struct block *block;         /* NULL: freed */
    } *place;
    uint32_t n, cap;
    size_t code_bytes;
};
enum { N_REGIONS = 16 };

/* Where EXIT_INDIRECT looks: blocks with cs_base 0 by pc, at its index, and at the index with the last bit changed. */
struct x64_jump {
    uint64_t pc;
    const void *code;                /* where to jump: to the block while it is trusted to be mapped as it was, else to
                                        the thunk doubt, which asks the TLB */
    uint64_t addend;                 /* what the TLB must say */
    uint32_t flags;                  /* NO_BLOCK: the entry is empty */
    uint32_t where;                  /* offset of the block's code in the code memory, | the fetches' mmu mode */
};
#define NO_BLOCK UINT32_MAX
enum { CODE_ALIGN = 16 };
_Static_assert((int)MMU_MODES <= CODE_ALIGN, "x64_jump.where");
enum { JUMP_BITS = 15, JUMP_ENTRIES = 1 << JUMP_BITS };

enum { LINK_BITS = 14, LINK_PAGES = 1 << LINK_BITS };

/* Near the code. */
struct x64_data {
    struct x64_frame frame;
    struct x64_returns {             /* returns.c */
        uint64_t outer, base, limit; /* RSP before entering; with no entry; with as many as may be */
        uint64_t bottom;             /* jit.bottom */
    } returns;
    struct recent recent;            /* the running vCPU's */
    _Alignas(64) struct x64_jump jump[JUMP_ENTRIES];
    uint64_t link[LINK_PAGES];       /* links.c: 0, or recent.doubt */
};

struct x64_left {
    uint64_t why, ret;               /* enum leave, or LEFT_SITE: where code called leave_site from; a mark is there */
};
enum { LEFT_SITE = 0x100, SITE_MARK_SHORT = 0xffff };

/* Samples count the more the fewer instructions a block has: they are taken in proportion to those. */
enum { OFTEN_PLACES = 1 << 12, OFTEN_SAMPLE = 1 << 10 };

/* engine->own */
struct jit {
    struct code_memory memory;
    struct x64_data *data;
    ptrdiff_t exec_delta;
    struct x64_host host;
    /* Thunks, as they run. */
    struct x64_left (*enter)(struct vcpu *v, const void *code);
    const void *leave_site, *leave_plain, *lookup, *loop, *find_page, *doubt, *second, *astray, *bottom, *slow,
        *slow_vector, *access, *access_vector, *fault, *fault_vector, *sync_out, *sync_in, *sync_out_fp, *sync_in_fp;
    uint8_t *regions;                /* begin of the first */
    size_t region_bytes;
    struct x64_region region[N_REGIONS];
    unsigned current;
    uint64_t *written;               /* by chunk of the written mapping: it was touched lately (memory.c) */
    unsigned n_written;
    uint8_t *next, *next_cold;       /* free space in the current region */
    struct x64_jump *jump;
    uint64_t n_samples;              /* budgets that ended at a block */
    struct x64_window {              /* of samples: do recent pages pay? (jit.c) */
        uint64_t began, rest_until;  /* n_samples then; when they may be used again */
        unsigned rest_bits;
        uint64_t positions, dropped; /* run in it; recent.n_dropped when it began */
    } window;
    uint32_t n_noted;                /* entries of it, since all trust was last dropped */
    struct block *ended;             /* the metered block that the budget ended in, until the run loop hears of it */
    bool modified;                   /* code was written since translated code last ran */
    uint64_t ungrouped[1024];        /* by a hash of the place in RAM: instructions whose accesses join no group */
    uint64_t hot[1024];              /* likewise: blocks that run much, translated with recent pages */
    uint32_t often[OFTEN_PLACES];    /* likewise: how often blocks there were come to, of late (recent.c) */
    uint64_t wide[1024];             /* likewise: instructions whose accesses seldom find the page that they found
                                        last, so look at several */
    uint64_t wandering[1024];        /* likewise: those that seldom find it even so */
    struct recent *recent;
    uint16_t recent_free;            /* 1 + a free one, or 0 */
    struct x64_recent {
        uint16_t next;               /* in its list: 1 + another one, or 0 */
        uint16_t size;               /* bytes of the access */
        uint8_t insn;                /* its instruction in its block */
        uint8_t mode, access;        /* mmu mode; enum access */
        bool wide;                   /* of several pages, found by samples only */
        uint8_t strikes;             /* samples in a row after which it was outside of them often */
    } recent_of[RECENT_PAGES];
    bool recent_freed;               /* since a free one was last taken */
    struct x64_link_page {               /* links.c: whose the words are; a hash table */
        uint64_t key;                    /* page | mode of fetches | LINK_USED, or 0: nobody's */
        uint64_t addend;
    } link_page[LINK_PAGES];
    unsigned n_link_pages;
    bool few_links;                      /* they are soon used up: a perturbation */
    uint64_t evictions;
    uint8_t pin[16];                 /* by host register: 1 + index of the pin, or 0 */
    uint8_t pin_of_word[1024];       /* by state word behind struct vcpu, likewise */
};

static inline struct jit *jit_of(const struct engine *e) { return e->own; }

extern const uint8_t x64_pins[N_PINS], x64_temps[N_TEMPS];

/* State at a byte offset of the vCPU struct. */
static inline struct x64_mem x64_state(uint64_t offset)
{
    return x64_base(HOST_RBP, (int32_t)(offset - sizeof(struct vcpu)) - VCPU_NEAR);
}
#define TLB_TAG(access) ((int32_t)(offsetof(struct tlb_entry, tag) + 8 * (unsigned)(access)))
#define TLB_ADDEND ((int32_t)offsetof(struct tlb_entry, addend))
#define VCPU_FIELD(field) x64_state(offsetof(struct vcpu, field))

/* Is a block of this key one that EXIT_INDIRECT finds by its pc? */
static inline bool x64_jumps_to(const struct block_key *k)
{
    return k->cs_base == 0 && k->flags < NO_BLOCK && (k->va_mask == UINT64_MAX || k->va_mask == UINT32_MAX);
}
enum { JUMP_FACTOR = 0x2545f491 };   /* an odd number without pattern: functions begin at multiples of 16 */
static inline unsigned x64_jump_index(uint64_t pc) { return (uint32_t)pc * (uint32_t)JUMP_FACTOR >> (32 - JUMP_BITS); }

/* ---- thunks.c ------------------------------------------------------------------------------ */

/* Writes the thunks at the start of the code memory; returns the bytes used.  They lie in the order of struct jit. */
size_t x64_write_thunks(struct jit *j, const struct guest_ops *ops);
/*
 * (thunk find_page) Gives the TLB the page of the pc in the state, so that an exit may look again.  AL: it has it now.
 * Otherwise a fetch fault may be pending.  No registers but pins are kept.
 */
/*
 * Jumps to the block with these flags at the pc in RAX, if the jump cache knows it; otherwise leaves with
 * LEAVE_LOOKUP.  flags NULL: they are in RDX.  All temporaries are used.
 */
void x64_write_jump(struct x64_asm *a, const struct jit *j, const uint64_t *flags);

/* Puts a word, whose address is in a register, on the list of those to be set to recent.doubt.  t, u: for the way. */
void x64_write_trust(struct x64_asm *a, const struct jit *j, unsigned word, unsigned t, unsigned u);

/* ---- returns.c, for thunks.c ------------------------------------------------------------------ */

/* Code is entered: the stack is as it was left to C code's, and has no entries.  RAX is used. */
void x64_write_no_returns(struct x64_asm *a, const struct jit *j);
/* If mappings have changed there are no entries. */
void x64_write_keep_returns(struct x64_asm *a, const struct jit *j);
/* A return to RAX that has found a wrong entry, or (bottom) none. */
const void *x64_write_astray(struct x64_asm *a, const struct jit *j, const struct guest_ops *ops, bool bottom);

/* ---- slow.c -------------------------------------------------------------------------------- */

/* What thunks call with all registers in the frame.  Returns whether the block is left (LEAVE_FAULT). */
bool x64_slow(struct vcpu *v, struct x64_frame *f, uint64_t ret);
/* The same of an access that the mark before ret describes. */
bool x64_access(struct vcpu *v, struct x64_frame *f, uint64_t ret);
/* The block is left: an instruction has faulted (v->exit), or, in a metered block, the budget ends before it.  True. */
bool x64_fault(struct vcpu *v, struct x64_frame *f, uint64_t mark);
/* What the thunk find_page calls. */
bool x64_find_page(struct vcpu *v);

/* ---- memory.c ------------------------------------------------------------------------------ */

bool x64_memory_init(struct engine *e, struct error *err);
void x64_memory_fini(struct engine *e);
/*
 * Room of X64_MAX_CODE bytes at j->next and at j->next_cold in the current region, evicting the oldest blocks when it
 * is used up.
 */
enum { X64_MAX_CODE = 32 << 10 };
void x64_memory_room(struct engine *e);
/* size bytes of code, at most X64_MAX_CODE, are about to be changed at p, as it is written. */
void x64_memory_writes(struct engine *e, const uint8_t *p, size_t size);
void x64_memory_take(struct engine *e, struct block *b);
void x64_memory_forget(struct engine *e, struct block *b);
/* The block whose code holds this address (as it runs), and the site that returns there. */
struct block *x64_find_block(struct engine *e, uint64_t ret);
const struct x64_site *x64_find_site(const struct engine *e, const struct block *b, uint64_t ret);

static inline unsigned x64_place_hash(const struct ram *ram, uint64_t offset)
{
    return (unsigned)(((offset + ram->size) * UINT64_C(0x9e3779b97f4a7c15)) >> 48);
}
static inline unsigned x64_often_index(const struct ram *ram, uint64_t offset)
{
    return x64_place_hash(ram, offset) & (OFTEN_PLACES - 1);
}
/* A set of places in RAM, by a hash: now and then there is one in it that was not put there. */
static inline bool x64_has_place(const uint64_t set[1024], const struct ram *ram, uint64_t offset)
{
    unsigned h = x64_place_hash(ram, offset);
    return set[h / 64] >> h % 64 & 1;
}
static inline void x64_add_place(uint64_t set[1024], const struct ram *ram, uint64_t offset)
{
    unsigned h = x64_place_hash(ram, offset);
    set[h / 64] |= UINT64_C(1) << h % 64;
}
static inline void x64_remove_place(uint64_t set[1024], const struct ram *ram, uint64_t offset)
{
    unsigned h = x64_place_hash(ram, offset);
    set[h / 64] &= ~(UINT64_C(1) << h % 64);
}

/* Where in RAM b's instruction lies, if b lies in one page. */
static inline uint64_t x64_insn_place(const struct block *b, unsigned insn)
{
    return align_down(b->ram_offset, PAGE_SIZE) + ((b->ram_offset + b->insn[insn].from_start) & (PAGE_SIZE - 1));
}

/* ---- recent.c ------------------------------------------------------------------------------ */

void x64_recent_init(struct jit *j);
/* Gives back a list of recent pages: 1 + the first, or 0. */
void x64_recent_free(struct engine *e, uint16_t list);
/* The recent pages are v's from now on. */
void x64_recent_turn(struct engine *e, struct vcpu *v);
/*
 * The budget ended in this block, or in what stands for it where it follows jumps, of so many instructions: a sample of
 * what runs much.  The block may be dead then, to be translated anew.
 */
void x64_recent_sample(struct engine *e, struct block *b, unsigned n_insns);

/* ---- budget.c ------------------------------------------------------------------------------ */

/* engine_kind.gives_way. */
void x64_gives_way(struct engine *e, struct block *from, struct block *to);
/* Code was left because the budget ended in this block. */
void x64_budget_ended(struct engine *e, struct block *metered);

/* ---- links.c ------------------------------------------------------------------------------- */

enum { LINK_USED = 0x800 };          /* above all modes */
_Static_assert((int)MMU_MODES <= (int)LINK_USED && (int)LINK_USED < (int)PAGE_SIZE, "x64_link_page.key");
/* No page has a word.  recent.doubt is known. */
void x64_links_init(struct jit *j);
void x64_chained(struct engine *e, struct block *b, unsigned slot);
void x64_unchained(struct engine *e, struct block *b, unsigned slot);
/* What the TLB adds to addresses of the page at va while it maps that place in RAM. */
uint64_t x64_addend(const struct ram *ram, uint64_t offset, uint64_t va);

/* ---- jit.c ---------------------------------------------------------------------------------- */

/* Tells whoever wants to know of new code: a block's, or (key NULL) what is called name. */
void x64_show(const struct engine *e, const struct block_key *key, const char *name, const uint8_t *start, size_t size);

/* ---- compile.c ----------------------------------------------------------------------------- */

/* False: too much for one block. */
bool x64_compile(struct engine *e, struct block *b, const struct ir_block *ir);

#endif
