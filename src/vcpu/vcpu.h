/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What an engine and a guest front end agree on: the head of every guest CPU
 * struct, the reasons for leaving translated code, and the guest's operations.
 *
 * A guest's CPU struct starts with struct vcpu.  IR names guest state by byte
 * offset from its start.
 *
 * How a block ends before its last instruction
 *   Any operation that may fault (memory access, helper flagged MAY_EXIT)
 *   leaves v->exit != 0.  The engine then gives back the positions of the
 *   instructions that did not retire, the faulting one included, calls
 *   ops->restore(v, pc, meta) with that instruction's insn_start values, and
 *   returns to its run loop.  State is then exactly as before the instruction
 *   (the front end writes guest registers only after an instruction's last
 *   operation that may fault).
 *
 * How device access stays exact
 *   A device may be entered only from the last instruction of a block.  When
 *   the soft MMU meets a device page, or a store to translated code or to a page-table
 *   entry in use, in an earlier instruction, it leaves with EXIT_RETRY_LAST: the engine
 *   runs that one instruction again as a block of its own.  Port I/O and
 *   everything else that reads the clock ends its block by construction.
 */
#ifndef REPRISE_VCPU_VCPU_H
#define REPRISE_VCPU_VCPU_H

#include "mem/space.h"
#include "mem/table.h"
#include "sim/sim.h"

struct vcpu;
struct tlb;
struct ir_block;

/* Why translated code left early (v->exit). */
enum vcpu_exit {
    EXIT_NONE = 0,
    EXIT_EXCEPTION,    /* the guest has recorded a pending exception in its own state */
    EXIT_RETRY_LAST,   /* run this instruction as the last of its block */
    EXIT_SHUTDOWN,     /* the guest cannot go on (triple fault): the machine decides */
};

enum access { ACCESS_READ, ACCESS_WRITE, ACCESS_EXEC };

/* Flags of a memory access by a helper or an IR memory op. */
enum {
    MEM_WRITE_INTENT = 1,  /* a load whose store follows: faults as a write (read-modify-write) */
};

enum { VCPU_TEMPS = 768 };

/*
 * Where single accesses of translated code found their pages last.  Code reads its access's at a constant address:
 * nothing need be computed first.  An access of n bytes at va may go to va + addend when va - page < span, unsigned,
 * where span was made for n bytes, at most a page: of one page, or of several that are neighbours on the host, too.
 * Each is as good as TLB entries of all of them, and dropped whenever any of those is (tlb_drop_recent).
 */
enum { RECENT_PAGES = 8192, RECENT_TRUSTED = 5 << 14 };
struct recent {
    struct recent_page {
        uint64_t page;     /* the first */
        uint64_t span;     /* bytes of the pages - n + 1; 0: nothing was found, and the list does not name it */
        uint64_t addend;
        uint32_t missed_at; /* code's own: the position counter when it last found something else */
        uint32_t wanders;   /* how often that was soon after the time before; outside several, how often */
    } at[RECENT_PAGES];
    uint64_t missed[RECENT_PAGES];    /* code's own, of those with several: the page that it last found outside */
    uint32_t n, list[RECENT_PAGES];   /* those that have something */
    uint64_t n_dropped;               /* of those, so far */
    /* Words of the engine's that are good while no mapping changes; they are set to what they were then,
       changed to 1. */
    uint64_t doubt;
    uint32_t changed;
    uint32_t n_trusted;
    uint64_t *trusted[RECENT_TRUSTED];
};

enum { MMU_MODES = 4 };    /* privilege/attribute combinations a guest may distinguish */

/* What names a translated block: same key and same bytes, same translation. */
struct block_key {
    uint64_t pc;       /* the guest's program counter register */
    uint64_t va;       /* linear/virtual address that pc fetches from */
    uint64_t flags;    /* guest-defined: everything of CPU state that translation depends on */
    uint64_t cs_base;  /* guest-defined, also compared */
    uint64_t va_mask;  /* a function of flags: va = (pc + cs_base) & va_mask, and no pc has other bits */
    unsigned fetch_mode; /* mmu mode of instruction fetches; a function of flags */
};

/* A page-table entry that a walk read (mmu_read_entry(), vcpu/softmmu.h). */
struct mmu_entry {
    struct ram *ram;       /* NULL: not in RAM that tells of stores */
    uint64_t offset;       /* in ram */
    struct table_use use;  /* of its table */
};

/*
 * What walks for an aligned 2 MiB of virtual addresses have in common, in the guest's terms: where the last
 * level's table lies, or the large page and its rights.
 */
enum { MMU_REGION_BITS = 21 };
struct mmu_region {
    uint64_t at, rights;
};

/* The answer of a page walk, for one 4 KiB page. */
struct mmu_page {
    uint64_t pa;       /* physical address of the page */
    uint8_t prot;      /* bits 1 << enum access that are allowed in this mmu mode now; a page
                          that is not yet dirty in the page table must not allow ACCESS_WRITE */
    /* The page-table entries it comes from.  While the TLB holds the page, a store to one takes it back: the TLB is
     * never out of step with memory, and filling or flushing it at any time cannot change what the guest
     * sees (accessed bits that the guest clears and looks at again). */
    struct mmu_entry entry[4];
    unsigned n_entries;
    /* Kept for mmu_region() if set; it comes from the same entries. */
    bool has_region;
    struct mmu_region region;
};

/* Bits of the guest's state: a mask of the 32-bit word at this offset of the CPU struct. */
struct guest_bits {
    uint32_t offset, mask;
};

/* An exception or interrupt that a vCPU takes now, as the guest names it. */
struct vcpu_event {
    const char *kind;        /* "interrupt", "exception", .. */
    unsigned vector;
    bool has_error, has_address;
    uint32_t error;
    uint64_t address;        /* of a page fault */
    uint64_t pc;             /* where the vCPU stands */
};

/* Who is told of them.  It must only look. */
struct vcpu_listener {
    void (*event)(void *opaque, struct vcpu *v, const struct vcpu_event *e);
    void *opaque;
};

struct guest_ops {
    const char *name;                 /* "x86" */
    uint32_t cpu_size;                /* sizeof the guest's CPU struct */
    uint32_t pc_offset;               /* of the 64-bit program counter */
    uint32_t fp_env_offset;           /* of the struct fp_env that vector FP ops use */
    const uint32_t *hot;              /* offsets of the 64-bit registers that code uses most, the most used first:
                                         a JIT keeps them in host registers.  Helpers that read or write them say so */
    uint32_t n_hot;
    /*
     * While all of these are zero, pending() and halted() are false and block_key()'s flags are just the 64-bit
     * word at key_flags_offset; flags without cs_base (block_key.cs_base 0) differ from those with one.  So an engine
     * can find the next block by itself.  n_calm 0: it cannot.
     */
    const struct guest_bits *calm;
    uint32_t n_calm, key_flags_offset;

    /* Fills in the key of the next instruction. */
    void (*block_key)(struct vcpu *v, struct block_key *key);

    /*
     * Lifts up to max_insns instructions at key into ir (already reset).
     * Returns false when not even the first could be fetched: v->exit is then
     * EXIT_EXCEPTION with the fetch fault pending.  All instructions of a block come
     * from one page, except that a block of a single instruction may cross into the next page.
     */
    bool (*translate)(struct vcpu *v, const struct block_key *key, unsigned max_insns, struct ir_block *ir);

    /* Puts pc and what meta stands for (insn_start's values) into the state. */
    void (*restore)(struct vcpu *v, uint64_t pc, uint32_t meta);

    /*
     * Walks the page tables for va.  False: the fault is pending, v->exit set.
     * mmu_mode is one of the guest's own indices (< MMU_MODES).  *out has no
     * entries and no region before, the rest is undefined.  What else the walk depends on, the guest has
     * told tlb_select().
     */
    bool (*mmu_walk)(struct vcpu *v, uint64_t va, enum access access, unsigned mmu_mode, struct mmu_page *out);

    /*
     * Is there an exception, interrupt, NMI, INIT... to be taken before the
     * next instruction?  Called by the engine's run loop before each block
     * that it enters from outside translated code; must be cheap.
     */
    bool (*pending)(struct vcpu *v);

    /*
     * Takes exactly one of them.  Returns the positions it cost (0 or 1);
     * may leave another pending.  Called only with at least one position left.
     */
    unsigned (*service)(struct vcpu *v);

    /* The vCPU sleeps and pending() is false. */
    bool (*halted)(struct vcpu *v);

    /* A vector FP op raised an unmasked exception (fp_env.raised): make it pending, set v->exit. */
    void (*fp_trap)(struct vcpu *v);

    /* Debug access: walks without side effects; false if not mapped. */
    bool (*debug_walk)(struct vcpu *v, uint64_t va, uint64_t *pa);
};

/*
 * Where the TLB entries (struct tlb_entry, vcpu/softmmu.h) of an mmu mode are now: that of va is at
 * base + ((va >> (PAGE_BITS - 5)) & mask).  Any slow path and any helper may change both.
 */
struct tlb_view {
    uint64_t base;     /* host address of the array */
    uint64_t mask;     /* (number of entries, a power of two, - 1) * sizeof(struct tlb_entry) */
};

/*
 * What follows the temporaries is what translated code touches all the time; the guest's
 * registers come right behind (each guest's CPU struct starts its state with them), so that a JIT reaches
 * both with short displacements from one base register.
 */
struct vcpu {
    const struct guest_ops *ops;
    struct tlb *tlb;              /* vcpu/softmmu.h; derived */
    struct space *mem;            /* physical memory as this vCPU sees it */
    struct space *io;             /* port space, or NULL */
    struct sim *sim;
    void *engine_data;            /* the engine's; derived */
    struct recent *recent;        /* the engine's, while this vCPU has it; or NULL */
    const struct vcpu_listener *listener;   /* NULL: nobody listens */
    uint32_t index;               /* 0 for the boot CPU */
    uint64_t temp[VCPU_TEMPS];    /* the portable engine's values: beside the guest's registers, so that one
                                     index names either; never read before it is written, never saved */
    bool at_last_insn;            /* engine: the instruction running is its block's last (device access allowed) */
    uint32_t exit;                /* enum vcpu_exit */
    uint64_t stores_narrowed;     /* counts the pages of RAM whose stores must take the slow path from now on
                                     (tlb_protect, tlb_close): whoever keeps a host address for stores across a slow
                                     path or helper must drop it when this has moved.  Addresses for loads keep: a
                                     mapping changes only in a block's last instruction */
    struct tlb_view view[MMU_MODES];
    struct position_counter pos;
};

/*
 * Translated code keeps a pointer to VCPU_NEAR bytes behind this struct: what lies within 128 bytes of there has the
 * shortest operands.
 */
enum { VCPU_NEAR = 32 };

/* Fills the head: allocates the TLB, registers map listeners.  The rest of the struct is the guest's. */
void vcpu_init(struct vcpu *v, unsigned index, const struct guest_ops *ops, struct sim *sim, struct space *mem,
               struct space *io);
void vcpu_fini(struct vcpu *v);

#endif
