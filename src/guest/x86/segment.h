/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Segmentation: checked addresses and descriptor loads (SDM vol. 3, ch. 3 and 5). */
#ifndef REPRISE_GUEST_X86_SEGMENT_H
#define REPRISE_GUEST_X86_SEGMENT_H

#include "guest/x86/cpu.h"

/* The linear address of seg:offset for an access of size bytes.  False: #GP(0) or #SS(0) is pending. */
bool x86_seg_linear(struct x86_cpu *c, int seg, uint64_t offset, unsigned size, bool write, uint64_t *linear);

/*
 * The same without faulting, for a run of accesses: how many bytes from offset on may be accessed one
 * after the other; 0 if not even one, or if the segment is one of those that take a closer look (expand-down).
 */
uint64_t x86_seg_reach(const struct x86_cpu *c, int seg, uint64_t offset, bool write, uint64_t *linear);

/* Data accesses of this CPL now, and implicit supervisor accesses. */
unsigned x86_data_mode(const struct x86_cpu *c);
unsigned x86_system_mode(const struct x86_cpu *c);

/* The eight bytes of the descriptor that selector names, or a fault (vector, selector as error code). */
bool x86_read_descriptor(struct x86_cpu *c, uint16_t selector, unsigned vector, uint64_t *desc);
/* Writes the accessed (or busy) bit back. */
bool x86_write_descriptor(struct x86_cpu *c, uint16_t selector, uint64_t desc);

/* Fills a hidden part from a descriptor. */
void x86_unpack_descriptor(uint64_t desc, uint16_t selector, struct x86_segment *out);

/* Loads DS, ES, FS, GS or SS by the rules of MOV to a segment register, in any mode.  False: fault pending. */
bool x86_load_segment(struct x86_cpu *c, int seg, uint16_t selector);
/* The real-mode and virtual-8086 way. */
void x86_load_real_segment(struct x86_cpu *c, int seg, uint16_t selector);

void x86_set_cpl(struct x86_cpu *c, unsigned cpl);

/* Raises a fault with an error code. */
void x86_fault(struct x86_cpu *c, unsigned vector, uint32_t error);

static inline bool x86_protected(const struct x86_cpu *c) { return c->s.cr0 & CR0_PE && !(c->s.rflags & FLAG_VM); }
static inline bool x86_long(const struct x86_cpu *c) { return c->s.efer & EFER_LMA; }
static inline bool x86_mode64(const struct x86_cpu *c) { return x86_long(c) && c->s.seg[SEG_CS].attr & ATTR_L; }
static inline bool x86_canonical(uint64_t va) { return (uint64_t)((int64_t)(va << 16) >> 16) == va; }

#endif
