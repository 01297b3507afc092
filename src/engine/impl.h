/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Internal to engine/: translated blocks, their cache, and what each kind of
 * engine supplies.
 *
 * Invariants
 *  1. A block in the cache stands for the bytes now in memory: stores to them
 *     remove it first (ram_watch), also in the middle of its own run; it is
 *     freed only outside translated code.
 *  2. A block in the same page is chained directly: the mapping that let the first
 *     run holds for the second.  Every other way to a block asks the TLB.
 *  3. Nothing here is guest-visible: flushing at any time changes no result.
 */
#ifndef REPRISE_ENGINE_IMPL_H
#define REPRISE_ENGINE_IMPL_H

#include "base/pool.h"
#include "engine/engine.h"
#include "fp/fp.h"
#include "ir/ir.h"
#include "ir/vec/vec.h"
#include "vcpu/softmmu.h"

/* INSN_START's values: pc by its distance from the block's first. */
struct insn_info {
    uint16_t from_start, meta;
};

struct block;
enum { PLAIN = IR_MAX_INSNS + 1, METERED };

/* "from's exit `slot` jumps here", a node of the target's list; embedded in from. */
struct block_link {
    struct block *from, *to;
    struct block_link *next, **prev;
};

/* Lookups compare what comes first. */
struct block {
    struct block_key key;
    uint64_t ram_offset;
    struct block *hash_next;
    struct ram *ram;              /* of the first byte; NULL: not cacheable */
    uint32_t limit;               /* translated with at most so many instructions; 0: as many as fit; PLAIN: of those
                                     behind each other in memory; METERED: and the budget may end before any */
    uint32_t n_insns, guest_bytes, n_exits;
    uint32_t bytes;               /* of host memory, code left out where the kind bounds it itself */
    bool dead;
    bool follows;                 /* jumps (ir_block.followed) */
    struct ram *ram2;             /* crosses into another page: that page; else NULL */
    uint64_t ram2_offset;
    struct block *page_next[2];   /* in the lists of the pages it covers */
    struct block *beside;         /* the next block of the same place (beside.c), at last this one */
    struct block_link *incoming;
    void *code;                   /* the engine kind's */
    struct insn_info *insn;       /* n_insns; in the block's memory, behind the links */
    struct block_link link[];     /* n_exits; link[i].to is NULL while unchained */
};

static inline uint64_t block_insn_pc(const struct block *b, unsigned insn)
{
    return (b->key.pc + b->insn[insn].from_start) & b->key.va_mask;
}

/*
 * A vector FP op by its reference function, and what happens to the flags that it raises: an instruction of several
 * ops (ir/ops.h) has them judged with its last.  False: an unmasked one traps, *dst is as it was.
 */
static inline bool engine_fvec(struct vcpu *v, fvec_fn *fn, enum ir_fvec_part part, union v128 *dst,
                               const union v128 *x, const union v128 *y, const union v128 *z, uint64_t imm)
{
    struct fp_env *env = (struct fp_env *)(void *)((char *)v + v->ops->fp_env_offset);
    union v128 r;
    if (part != IR_FVEC_LAST)
        env->raised = 0;
    fn(env, &r, x, y, z, imm);
    if (part == IR_FVEC_FIRST) {
        *dst = r;
        return true;
    }
    if (unlikely(env->raised & ~env->masks & FP_ALL)) {
        v->ops->fp_trap(v);
        return false;
    }
    env->flags |= env->raised;
    env->raised = 0;
    *dst = r;
    return true;
}

enum { HASH_SIZE = 1 << 17, JUMP_SIZE = 1 << 15, PAGE_HASH_SIZE = 1 << 12, END_WORDS = 1 << 10 };

/* Blocks of one page of RAM. */
struct page_blocks {
    struct ram *ram;
    uint64_t page;
    struct block *first;
    struct page_blocks *next;
};

enum { ENGINE_MAX_VCPUS = 32, ENGINE_MAX_RAMS = 8 };

/* Why translated code returned. */
enum leave {
    LEAVE_LOOKUP = LEFT_LOOKUP,     /* the pc is in the state: find the next block */
    LEAVE_CHAIN = LEFT_UNCHAINED,   /* the same, and chain it to exit e->leave_slot of e->leave_block */
    LEAVE_LOOP = LEFT_LOOP,         /* ask for pending events first */
    LEAVE_SHORT = LEFT_SHORT,       /* what is left of the budget is less than the next block, or nothing */
    LEAVE_FAULT = LEFT_FAULT,       /* v->exit says why; state is restored, positions are given back */
};

struct engine_kind {
    const char *name;
    bool bounded;            /* keeps its code within cache_bytes itself */
    bool meters;             /* has METERED blocks, so needs none of the very length that is left of a budget */
    bool checks_mapping;     /* an exit to another page asks the TLB before it follows its chain */
    size_t scratch_bytes;
    /* What the kind needs beside blocks (scratch is there); NULL: nothing.  False: err says why it cannot run here. */
    bool (*init)(struct engine *e, struct error *err);
    void (*fini)(struct engine *e);
    /* NULL: nothing.  e->n_vcpus counts it. */
    void (*vcpu_added)(struct engine *e, struct vcpu *v);
    /* Translates ir into b->code; adds to b->bytes.  False: too much for one block; never for a single instruction. */
    bool (*compile)(struct engine *e, struct block *b, const struct ir_block *ir);
    void (*free_code)(struct engine *e, struct block *b);
    /* Exit slot of b was chained (b->link[slot].to) or unchained; NULL: the kind looks itself. */
    void (*chained)(struct engine *e, struct block *b, unsigned slot);
    void (*unchained)(struct engine *e, struct block *b, unsigned slot);
    /* Is the block there worth following jumps (ir_block.guide)?  NULL: none is. */
    bool (*follows)(const struct engine *e, const struct ram *ram, uint64_t offset);
    /* ir_guide.is_likely, by places in RAM; NULL: not known. */
    bool (*is_likely)(const struct engine *e, const struct ram *ram, uint64_t begin, uint64_t target);
    /* No way leads to b from now on; NULL: nothing. */
    void (*killed)(struct engine *e, struct block *b);
    /* Where the budget is too short for `from`, code goes on with `to` from now on, or (NULL) leaves.  NULL: it always
       leaves. */
    void (*gives_way)(struct engine *e, struct block *from, struct block *to);
    enum leave (*exec)(struct engine *e, struct vcpu *v, struct block *b);
    /* Fills in what the kind counts itself; NULL: nothing. */
    void (*count)(const struct engine *e, struct engine_stats *out);
};

struct engine {
    const struct engine_kind *kind;
    struct engine_config config;
    struct ir_block ir;
    struct vcpu *vcpu[ENGINE_MAX_VCPUS];
    unsigned n_vcpus;
    struct ram *ram[ENGINE_MAX_RAMS];
    unsigned n_rams;
    struct ram_watch watch;
    struct block **hash;
    struct block **jump;                 /* by va: what cache_guess() tries */
    struct page_blocks **pages;
    struct end_place *ends;             /* ends.c: n_ends of them, and bits by a hash */
    size_t n_ends;
    uint64_t ends_bits[END_WORDS];
    struct block *graveyard;             /* dead, freed outside translated code */
    struct block *uncached;              /* the last block from memory that cannot be cached */
    size_t bytes;
    struct block *leave_block;
    unsigned leave_slot;
    bool ending;                        /* nothing will run any more */
    enum leave left_by;                 /* how translated code was left last */
    int64_t budget;                     /* positions that the run under way was given */
    uint64_t rng;
    struct pool pool;                    /* blocks, and what kinds have for each */
    struct engine_stats stats;
    void *scratch;                       /* kind->scratch_bytes, for compile() */
    void *own;                           /* the kind's */
};

extern const struct engine_kind interp_kind, x64_kind;

/* ---- ends.c: places in RAM of instructions that must be the last of their block ----------------- */

void ends_init(struct engine *e);
void ends_fini(struct engine *e);
bool ends_has(struct engine *e, const struct ram *ram, uint64_t offset);
void ends_add(struct engine *e, const struct ram *ram, uint64_t offset);

/* ---- beside.c: blocks of one place --------------------------------------------------------------- */

/*
 * b, found with whole, is beside it from now on, unless one of them is not cached, or whole has a limit or died when b
 * was made.  Returns b; it may be NULL.
 */
struct block *beside_join(struct engine *e, struct block *whole, struct block *b);
void beside_leave(struct engine *e, struct block *b);
/* The whole block of b's place, if it is beside it; else NULL. */
struct block *beside_whole(struct block *b);
/* Instructions of the plain block beside whole, or of whole itself. */
unsigned beside_insns(struct block *whole);

/* ---- cache.c -------------------------------------------------------------------------- */

void cache_init(struct engine *e);
void cache_fini(struct engine *e);
void cache_flush(struct engine *e);
/*
 * Instruction insn of b was to be its block's last, for it enters a device or writes what is watched: b goes, and
 * blocks end there from now on.
 */
void cache_ends_block(struct engine *e, struct block *b, unsigned insn);
/* Takes b out of the cache; it is freed by the next sweep. */
void cache_kill(struct engine *e, struct block *b);
bool cache_is_full(const struct engine *e);
/* Frees what died; when the cache is over its limit, flushes it.  Outside translated code only. */
void cache_sweep(struct engine *e);

/* Where a key's blocks are, as the TLB has it now. */
struct cache_place {
    struct tlb_side side;
    uint64_t offset;                     /* in side.ram */
    uint64_t hash;
};

/* False: the fetch faulted, v->exit is set. */
bool cache_place(struct vcpu *v, const struct block_key *key, struct cache_place *at);
/*
 * The block there for v, translated if need be, of at most limit instructions (0: as many as fit).  NULL: the fetch
 * faulted, v->exit is set.
 */
struct block *cache_find(struct engine *e, struct vcpu *v, const struct block_key *key, const struct cache_place *at,
                         unsigned limit);

/* The block at pc with the flags and base of `from`, if it is cached and the TLB agrees; no side effects. */
struct block *cache_guess(struct engine *e, struct vcpu *v, const struct block *from, uint64_t pc);

/* No exit leads to another page from now on, but one. */
void cache_unchain_pages(struct engine *e, const struct block_link *except);
void cache_chain(struct engine *e, struct block *from, unsigned slot, struct block *to);
void cache_code_written(void *opaque, struct ram *ram, uint64_t offset, uint64_t len);

static inline size_t jump_slot(uint64_t va) { return (size_t)((va ^ va >> 12) & (JUMP_SIZE - 1)); }

#endif
