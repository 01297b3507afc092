/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The x86 CPU's state.
 *
 * Names follow the Intel SDM.  `struct x86_state` is what is saved and hashed;
 * everything after it in `struct x86_cpu` is derived or wiring.
 *
 * Invariants
 *  1. Arithmetic flags are lazy: cc_op and the other cc_ words stand for OF SF ZF
 *     AF PF CF (flags.h); `rflags` holds the other bits, with those six clear.
 *     x86_get_rflags() puts them together.  Before hashing or saving, the lazy
 *     form is brought to CC_EFLAGS, so that a hash does not depend on how flags were made.
 *  2. `rip` is the instruction pointer register (16, 32 or 64 bits wide by mode).
 *  3. Segment caches hold the descriptor as the CPU has loaded it; base of
 *     ES/CS/SS/DS is 0 in 64-bit mode only if loaded so: the lifter ignores it there.
 *  4. `cpl` is the current privilege level.
 */
#ifndef REPRISE_GUEST_X86_CPU_H
#define REPRISE_GUEST_X86_CPU_H

#include "fp/fp.h"
#include "vcpu/softmmu.h"
#include "vcpu/vcpu.h"

enum { R_AX, R_CX, R_DX, R_BX, R_SP, R_BP, R_SI, R_DI, R_8, R_9, R_10, R_11, R_12, R_13, R_14, R_15 };
enum { SEG_ES, SEG_CS, SEG_SS, SEG_DS, SEG_FS, SEG_GS, SEG_LDTR, SEG_TR, SEG_COUNT };

enum { /* EFLAGS */
    FLAG_CF = 1 << 0, FLAG_PF = 1 << 2, FLAG_AF = 1 << 4, FLAG_ZF = 1 << 6, FLAG_SF = 1 << 7,
    FLAG_TF = 1 << 8, FLAG_IF = 1 << 9, FLAG_DF = 1 << 10, FLAG_OF = 1 << 11, FLAG_IOPL = 3 << 12,
    FLAG_NT = 1 << 14, FLAG_RF = 1 << 16, FLAG_VM = 1 << 17, FLAG_AC = 1 << 18, FLAG_VIF = 1 << 19,
    FLAG_VIP = 1 << 20, FLAG_ID = 1 << 21,
    FLAGS_ARITH = FLAG_CF | FLAG_PF | FLAG_AF | FLAG_ZF | FLAG_SF | FLAG_OF,
};

enum { /* CR0, CR4, EFER */
    CR0_PE = 1u << 0, CR0_MP = 1u << 1, CR0_EM = 1u << 2, CR0_TS = 1u << 3, CR0_ET = 1u << 4, CR0_NE = 1u << 5,
    CR0_WP = 1u << 16, CR0_AM = 1u << 18, CR0_NW = 1u << 29, CR0_CD = 1u << 30,
    CR4_VME = 1u << 0, CR4_PVI = 1u << 1, CR4_TSD = 1u << 2, CR4_DE = 1u << 3, CR4_PSE = 1u << 4,
    CR4_PAE = 1u << 5, CR4_MCE = 1u << 6, CR4_PGE = 1u << 7, CR4_PCE = 1u << 8, CR4_OSFXSR = 1u << 9,
    CR4_OSXMMEXCPT = 1u << 10, CR4_UMIP = 1u << 11, CR4_FSGSBASE = 1u << 16, CR4_PCIDE = 1u << 17,
    CR4_OSXSAVE = 1u << 18, CR4_SMEP = 1u << 20, CR4_SMAP = 1u << 21,
    EFER_SCE = 1u << 0, EFER_LME = 1u << 8, EFER_LMA = 1u << 10, EFER_NXE = 1u << 11,
};
#define CR0_PG (1u << 31)

enum { /* exception vectors */
    EXC_DE = 0, EXC_DB = 1, EXC_NMI = 2, EXC_BP = 3, EXC_OF = 4, EXC_BR = 5, EXC_UD = 6, EXC_NM = 7, EXC_DF = 8,
    EXC_TS = 10, EXC_NP = 11, EXC_SS = 12, EXC_GP = 13, EXC_PF = 14, EXC_MF = 16, EXC_AC = 17, EXC_MC = 18,
    EXC_XM = 19,
};

/* A segment register with its hidden part. */
struct x86_segment {
    uint64_t base;
    uint32_t limit;      /* in bytes, granularity applied */
    uint32_t attr;       /* descriptor's second word, bits 8..15 and 20..23 at bits 0..7 and 12..15 (as in VMX) */
    uint16_t selector;
    uint16_t pad0;
    uint32_t pad1;
};
enum { /* x86_segment.attr */
    ATTR_TYPE = 0xf, ATTR_ACCESSED = 1, ATTR_RW = 2, ATTR_DC = 4, ATTR_CODE = 8, ATTR_S = 1 << 4, ATTR_DPL_SHIFT = 5,
    ATTR_DPL = 3 << 5, ATTR_P = 1 << 7, ATTR_AVL = 1 << 12, ATTR_L = 1 << 13, ATTR_DB = 1 << 14, ATTR_G = 1 << 15,
    ATTR_UNUSABLE = 1 << 16,
};

struct x86_table { /* GDTR, IDTR */
    uint64_t base;
    uint32_t limit;
    uint32_t pad0;
};

/* x87: st[] holds physical registers; ST(i) is st[(top + i) & 7]; MMi is st[i].mant. */
struct x86_x87 {
    struct {
        uint64_t mant;
        uint64_t se;      /* low 16 bits */
    } st[8];
    uint16_t cw, sw;      /* sw without TOP (bits 11..13 clear) */
    uint8_t top;
    uint8_t empty;        /* bit i: physical register i is empty */
    uint16_t fop;
    uint64_t fip, fdp;
    uint16_t fcs, fds;
    uint32_t pad0;
};

/* What a pending exception is made of (interrupt.c). */
struct x86_pending {
    uint8_t valid;        /* an exception waits to be delivered before anything else */
    uint8_t vector;
    uint8_t has_error;
    uint8_t kind;         /* enum x86_event in interrupt.h: fault, trap, software interrupt ... */
    uint32_t error;
    uint64_t cr2;         /* EXC_PF */
    uint64_t dr6;         /* EXC_DB: bits to set */
    /* For x86_restore, of an address that is not canonical: cr2 is the address, dr6 whether it was to be written. */
};

/* Lines into the CPU core and requests from its local APIC or board. */
enum { /* x86_state.irq */
    X86_IRQ_INTR = 1,     /* the local APIC (or the 8259) has a vector; level */
    X86_IRQ_NMI = 2,      /* latched */
    X86_IRQ_INIT = 4,     /* latched */
    X86_IRQ_SIPI = 8,     /* latched; vector in sipi_vector */
    X86_IRQ_SMI = 16,
    X86_IRQ_RESET = 32,
};

/* x86_state.shadow: what waits one instruction.  STI: INTR.  MOV or POP to SS: INTR, NMI and #DB. */
enum { X86_SHADOW_STI = 1, X86_SHADOW_SS = 2 };

enum { XSAVE_X87 = 1, XSAVE_SSE = 2, XSAVE_AVX = 4 };

struct x86_state {
    uint64_t gpr[16];           /* first what translated code uses most (VCPU_NEAR) */
    uint32_t cc_op;             /* lazy flags: flags.h */
    uint32_t cpl;
    uint64_t cc_dst, cc_src, cc_src2;
    uint64_t cc_inc, cc_rot, cc_carry, cc_zero;
    uint64_t rip;
    uint64_t rflags;            /* without the six arithmetic flags (invariant 1) */
    struct x86_segment seg[SEG_COUNT];
    struct x86_table gdt, idt;
    uint64_t cr0, cr2, cr3, cr4, cr8, efer, xcr0;
    uint64_t pdpte[4];          /* PAE: loaded with CR3 */
    uint64_t dr[8];             /* dr[4], dr[5] unused: 0 */
    uint64_t star, lstar, cstar, fmask, kernel_gs_base;
    uint64_t sysenter_cs, sysenter_esp, sysenter_eip;
    uint64_t pat, tsc_offset, tsc_aux, tsc_deadline, apic_base, misc_enable, mcg_status, mcg_ctl, spec_ctrl;
    uint64_t mtrr_def_type, mtrr_fixed[11], mtrr_base[8], mtrr_mask[8];
    uint64_t mc_bank[4 * 10];
    struct x86_x87 x87;
    uint64_t ymm[16][4];        /* XMM i is the low two words; upper two for AVX */
    struct fp_env sse_env;      /* MXCSR in parts: x86_get_mxcsr() */
    struct fp_env x87_env;      /* derived from x87.cw on FLDCW etc.; flags unused */
    struct x86_pending pending;
    uint32_t irq;               /* X86_IRQ_* */
    uint32_t sipi_vector;
    uint8_t halted;             /* HLT */
    uint8_t wait_sipi;          /* after INIT on an AP */
    uint8_t nmi_blocked;        /* until IRET */
    uint8_t shadow;             /* X86_SHADOW_*, until the next instruction ends */
    uint8_t a20;                /* 1: A20 enabled */
    uint8_t shutdown;           /* triple fault happened */
    uint8_t step_armed;         /* the instruction being run began with TF set */
    uint8_t db_hits;            /* data breakpoints it has met so far, by DR6 bit */
    uint64_t rng[2];            /* RDRAND/RDSEED generator state, seeded from the log */
};

struct x86_model;               /* cpuid.h */

/* The wires from the CPU to its local APIC; set by the board. */
struct x86_apic_ops {
    int (*take_vector)(void *opaque);              /* acknowledge: the vector to deliver, or -1 (spurious, none) */
    uint64_t (*get_base)(void *opaque);
    void (*set_base)(void *opaque, uint64_t value);/* IA32_APIC_BASE written (validity checked by the CPU) */
    uint8_t (*get_tpr)(void *opaque);              /* CR8 */
    void (*set_tpr)(void *opaque, uint8_t cr8);
    bool (*x2_read)(void *opaque, uint32_t msr, uint64_t *value);   /* false: #GP */
    bool (*x2_write)(void *opaque, uint32_t msr, uint64_t value);
    void (*set_tsc_deadline)(void *opaque, uint64_t tsc);
    uint64_t (*get_tsc_deadline)(void *opaque);
};

struct x86_cpu {
    struct vcpu v;              /* first */
    struct x86_state s;
    /* ---- derived or wiring: not saved ---- */
    const struct x86_model *model;
    uint64_t features[8];       /* CPUID feature words in effect, x86_feature indices in cpuid.h */
    const struct x86_apic_ops *apic;
    void *apic_opaque;
    void (*ferr)(void *opaque, bool level);        /* FERR# to IRQ13 when CR0.NE is 0 */
    void *ferr_opaque;
    const struct x86_decoder *decoder;             /* decode.h; shared by the vCPUs */
    bool owns_decoder;
    uint32_t n_cpus;            /* of the machine, for CPUID; the board sets it */
    uint32_t signature;         /* EDX after reset */
    uint32_t mmu_mode;          /* data accesses by this CPL now: x86_update_mode() */
    uint32_t partial_gs;        /* GS is not one that MODE_WHOLE_GS means: x86_update_mode() */
    uint64_t mode_flags;        /* block key flags: x86_update_mode(), bits in mode.h */
};

static inline struct x86_cpu *x86_of(struct vcpu *v) { return (struct x86_cpu *)(void *)v; }

/* Offset of a field of struct x86_state from the vCPU pointer, for IR. */
#define X86_OFF(field) ((uint32_t)(offsetof(struct x86_cpu, s) + offsetof(struct x86_state, field)))
#define X86_OFF_GPR(n) (X86_OFF(gpr) + 8u * (uint32_t)(n))
#define X86_OFF_XMM(n) (X86_OFF(ymm) + 32u * (uint32_t)(n))
#define X86_OFF_MMX(n) (X86_OFF(x87.st) + 16u * (uint32_t)(n))

extern const struct guest_ops x86_guest_ops;
extern const struct state_desc x86_state_desc;

/*
 * Creates a CPU: model is QEMU's -cpu syntax ("qemu64,+avx,-sse4.2"); shared is NULL
 * for the first CPU and that CPU for the others.  Registers its state as "cpuN".
 * Power-on reset state; index > 0 waits for SIPI.
 */
struct x86_cpu *x86_cpu_new(unsigned index, const char *model, struct x86_cpu *shared, struct sim *sim,
                            struct space *mem, struct space *io, struct error *err);
void x86_cpu_free(struct x86_cpu *c);
void x86_cpu_reset(struct x86_cpu *c);   /* RESET#; INIT is a request in irq */

/*
 * A helper that finds a fault calls this: records the pending exception and sets
 * v->exit = EXIT_EXCEPTION; the helper then returns at once (any value).
 */
void x86_raise(struct vcpu *v, unsigned vector, bool has_error, uint32_t error);
/* #GP(0) for an address that is not canonical, which x86_restore makes #SS(0) where the access was the stack's. */
void x86_raise_astray(struct vcpu *v, uint64_t address, bool write);

/* Lists model names to print for `-cpu help`: calls line for each. */
void x86_cpu_list(void (*line)(void *opaque, const char *text), void *opaque);

/* Lines (simulation thread).  Level for INTR; NMI, INIT, SIPI latch on. */
void x86_cpu_set_irq(struct x86_cpu *c, uint32_t line, bool level);
void x86_cpu_sipi(struct x86_cpu *c, uint8_t vector);
void x86_cpu_set_a20(struct x86_cpu *c, bool enabled);

/* The time-stamp counter: see docs/design/time.md.  Hz is fixed by the model. */
uint64_t x86_read_tsc(struct x86_cpu *c);
enum { X86_TSC_HZ = 1000000000 };        /* 1 GHz: one tick per ns of virtual time */

#endif
