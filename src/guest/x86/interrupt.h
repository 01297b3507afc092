/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Events and their delivery through the IDT or IVT (SDM vol. 3, ch. 6). */
#ifndef REPRISE_GUEST_X86_INTERRUPT_H
#define REPRISE_GUEST_X86_INTERRUPT_H

#include "guest/x86/cpu.h"

/* How an event reached the CPU; decides what is pushed and which checks apply. */
enum x86_event {
    EVENT_FAULT,      /* an exception; RF is pushed as 1 */
    EVENT_TRAP,       /* an exception behind its instruction (#DB single step, watchpoints) */
    EVENT_EXTERNAL,   /* INTR, NMI */
    EVENT_SOFTWARE,   /* INT n, INT3, INTO: gate DPL is checked, EXT is 0 */
    EVENT_ICEBP,      /* INT1: as a trap, no DPL check */
};

/*
 * Delivers one event; faults on the way become the next event by the rules of
 * SDM vol. 3, 6.15 (double fault, shutdown).  RIP is where the handler returns to.
 */
void x86_deliver(struct x86_cpu *c, unsigned vector, enum x86_event kind, bool has_error, uint32_t error);

/* INT n, INT3, INTO, INT1: a fault in it belongs to the instruction and is left pending with v->exit set. */
void x86_deliver_software(struct x86_cpu *c, unsigned vector, enum x86_event kind);

/* INT n in virtual-8086 mode redirected to the task's own IVT.  Returns 0; a fault is pending if v->exit is set. */
uint64_t x86_v86_interrupt(struct x86_cpu *c, unsigned vector);

/* A debug trap (single step, watchpoint): pending behind the instruction. */
void x86_raise_debug(struct x86_cpu *c, uint64_t dr6_bits, enum x86_event kind);

/* One stack-switch target from the TSS: SS:ESP of a level (legacy), or RSPn/ISTn (long mode). */
bool x86_tss_stack(struct x86_cpu *c, unsigned level, uint16_t *ss, uint64_t *sp);

/* Task switch (task.c): to the TSS that selector names. */
enum task_source { TASK_JUMP, TASK_CALL, TASK_IRET, TASK_EVENT };
bool x86_task_switch(struct x86_cpu *c, uint16_t selector, enum task_source source, bool has_error, uint32_t error);

/* Far control transfers (gate.c); RIP is that of the next instruction when they begin. */
bool x86_far_jump(struct x86_cpu *c, uint16_t selector, uint64_t offset, unsigned osz);
bool x86_far_call(struct x86_cpu *c, uint16_t selector, uint64_t offset, unsigned osz);
bool x86_far_return(struct x86_cpu *c, unsigned osz, unsigned extra);
bool x86_iret(struct x86_cpu *c, unsigned osz);

/* A stack of any width being written or read in steps before SP is committed. */
struct x86_stack {
    struct x86_cpu *c;
    struct x86_segment ss;
    uint64_t sp, mask;
    unsigned mmu_mode;
    bool own;         /* of the privilege level that runs: alignment and watchpoints are checked */
};
void x86_stack_begin(struct x86_stack *s, struct x86_cpu *c);
bool x86_stack_push(struct x86_stack *s, unsigned size, uint64_t v);
bool x86_stack_pop(struct x86_stack *s, unsigned size, uint64_t *v);
void x86_stack_commit(struct x86_stack *s);

#endif
