/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Port I/O and its permission (SDM vol. 1, ch. 19). */
#include "guest/x86/segment.h"
#include "guest/x86/debug.h"
#include "guest/x86/mode.h"
#include "guest/x86/sys.h"

/* IOPL, else the TSS's bitmap (SDM vol. 1, 19.5.2). */
static bool io_allowed(struct x86_cpu *c, uint64_t port, unsigned size)
{
    const struct x86_segment *tr = &c->s.seg[SEG_TR];
    uint64_t map, bits;
    if (!(c->s.cr0 & CR0_PE) || (!x86_vm86(c) && c->s.cpl <= x86_iopl(c)))
        return true;
    unsigned mode = x86_system_mode(c);
    if ((tr->attr & ATTR_TYPE) < 9 || tr->limit < 0x67)
        goto denied;
    if (!vcpu_load(&c->v, tr->base + 0x66, 2, mode, 0, &map))
        return false;
    if (map + port / 8 + 1 > tr->limit)
        goto denied;
    if (!vcpu_load(&c->v, tr->base + map + port / 8, 2, mode, 0, &bits))
        return false;
    if (!(bits >> (port & 7) & mask64(size)))
        return true;
denied:
    x86_fault(c, EXC_GP, 0);
    return false;
}

static uint64_t read_port(struct x86_cpu *c, uint64_t port, unsigned size)
{
    if (c->mode_flags & MODE_DEBUG)
        x86_check_io_watch(c, port, size);
    return space_load(c->v.io, port, size);
}

static void write_port(struct x86_cpu *c, uint64_t port, unsigned size, uint64_t value)
{
    if (c->mode_flags & MODE_DEBUG)
        x86_check_io_watch(c, port, size);
    space_store(c->v.io, port, size, value);
}

uint64_t sys_in(struct vcpu *v, uint64_t port, uint64_t size)
{
    struct x86_cpu *c = x86_of(v);
    port &= 0xffff;
    return io_allowed(c, port, (unsigned)size) ? read_port(c, port, (unsigned)size) : 0;
}

uint64_t sys_out(struct vcpu *v, uint64_t port, uint64_t size, uint64_t value)
{
    struct x86_cpu *c = x86_of(v);
    port &= 0xffff;
    if (io_allowed(c, port, (unsigned)size))
        write_port(c, port, (unsigned)size, value);
    return 0;
}

static void advance(struct x86_cpu *c, unsigned reg, unsigned asz, uint64_t by)
{
    uint64_t m = mask64(8 * asz), *r = &c->s.gpr[reg], value = (*r + by) & m;
    *r = asz == 2 ? (*r & ~m) | value : value;
}

/* What: size, asz << 4, rep << 8, seg << 16.  Returns 1 when finished. */
static uint64_t string_io(struct vcpu *v, uint64_t what, bool in)
{
    struct x86_cpu *c = x86_of(v);
    unsigned size = what & 15, asz = what >> 4 & 15, rep = what >> 8 & 1, reg = in ? R_DI : R_SI;
    int seg = in ? SEG_ES : (int)(what >> 16 & 15);
    uint64_t linear, value, m = mask64(8 * asz), port = c->s.gpr[R_DX] & 0xffff;
    if (!io_allowed(c, port, size))
        return 0;                          /* also with a count of 0 */
    if (rep && !(c->s.gpr[R_CX] & m))
        return 1;
    if (!x86_seg_linear(c, seg, c->s.gpr[reg] & m, size, in, &linear))
        return 0;
    unsigned mode = x86_data_mode(c);
    if (c->mode_flags & MODE_AC_CHECK && linear & (size - 1)) {
        x86_fault(c, EXC_AC, 0);
        return 0;
    }
    if (c->mode_flags & MODE_DEBUG)
        x86_check_watch(c, linear, size, in);
    if (in) {
        if (!vcpu_probe(v, linear, size, ACCESS_WRITE, mode))
            return 0;
        value = read_port(c, port, size);
        vcpu_store(v, linear, size, mode, value);
    } else {
        if (!vcpu_load(v, linear, size, mode, 0, &value))
            return 0;
        write_port(c, port, size, value);
    }
    advance(c, reg, asz, c->s.rflags & FLAG_DF ? (uint64_t)0 - size : size);
    if (rep)
        advance(c, R_CX, asz, UINT64_MAX);
    return !rep || !(c->s.gpr[R_CX] & m);
}

uint64_t sys_ins(struct vcpu *v, uint64_t what) { return string_io(v, what, true); }
uint64_t sys_outs(struct vcpu *v, uint64_t what) { return string_io(v, what, false); }
