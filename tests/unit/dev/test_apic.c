/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Local APICs (SDM vol. 3, ch. 10) of three CPUs, the I/O APIC (82093AA), and the 8259 behind LINT0. */
#include "dev.h"
#include "dev/ioapic.h"

#define LAPIC UINT64_C(0xfee00000)
#define IOAPIC UINT64_C(0xfec00000)
enum { CPUS = 3 };
enum { ID = 0x20, VERSION = 0x30, TPR = 0x80, PPR = 0xa0, EOI = 0xb0, LDR = 0xd0, DFR = 0xe0, SVR = 0xf0, ISR = 0x100,
       TMR = 0x180, IRR = 0x200, ESR = 0x280, ICR_LOW = 0x300, ICR_HIGH = 0x310, LVT_TIMER = 0x320, LVT_LINT0 = 0x350,
       LVT_LINT1 = 0x360, LVT_ERROR = 0x370, INITIAL = 0x380, CURRENT = 0x390, DIVIDE = 0x3e0 };
enum { MASKED = 1 << 16, PERIODIC = 1 << 17, DEADLINE = 2 << 17, ENABLED = 0x1ff };
enum { MSR_X2 = 0x800, SELF = 0x83f };

struct fixture {
    struct bench *b;
    struct pic *pic;
    struct x86_cpu *cpu[CPUS];
    struct apic *apic[CPUS];
    struct apic_bus bus;
    struct ioapic *io;
};

static void intr(void *opaque, unsigned n, bool level)
{
    struct fixture *f = opaque;
    if (f->apic[0])
        apic_set_extint(f->apic[0], level);
}

static int setup(void **state)
{
    static struct fixture f;
    struct error err;
    f = (struct fixture){ .b = bench_new() };
    f.pic = pic_new(f.b->sim, f.b->io, (struct irq){ intr, &f, 0 });
    for (unsigned i = 0; i < CPUS; i++) {
        f.cpu[i] = x86_cpu_new(i, "max", i ? f.cpu[0] : NULL, f.b->sim, f.b->mem, f.b->io, &err);
        assert_non_null(f.cpu[i]);
        f.apic[i] = apic_new(f.b->sim, f.cpu[i], &f.bus, f.b->mem, f.pic);
    }
    f.io = ioapic_new(f.b->sim, f.b->mem, &f.bus);
    *state = &f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    ioapic_free(f->io);
    for (unsigned i = 0; i < CPUS; i++)
        apic_free(f->apic[i]);
    for (unsigned i = CPUS; i-- > 0;)
        x86_cpu_free(f->cpu[i]);
    pic_free(f->pic);
    bench_free(f->b);
    return 0;
}

/* The registers are those of the CPU that runs. */
static uint32_t get(struct fixture *f, unsigned cpu, unsigned reg)
{
    f->cpu[cpu]->v.pos.in_block = 1;
    uint32_t v = (uint32_t)space_load(f->b->mem, LAPIC + reg, 4);
    f->cpu[cpu]->v.pos.in_block = 0;
    return v;
}

static void set(struct fixture *f, unsigned cpu, unsigned reg, uint32_t v)
{
    f->cpu[cpu]->v.pos.in_block = 1;
    space_store(f->b->mem, LAPIC + reg, 4, v);
    f->cpu[cpu]->v.pos.in_block = 0;
}

static bool pending(struct fixture *f, unsigned cpu) { return f->cpu[cpu]->s.irq & X86_IRQ_INTR; }
static int take(struct fixture *f, unsigned cpu) { return f->cpu[cpu]->apic->take_vector(f->cpu[cpu]->apic_opaque); }
static bool bit(struct fixture *f, unsigned cpu, unsigned reg, unsigned v)
{
    return get(f, cpu, reg + v / 32 * 16) >> v % 32 & 1;
}

static void enable(struct fixture *f)
{
    for (unsigned i = 0; i < CPUS; i++)
        set(f, i, SVR, ENABLED);
}

static void ipi(struct fixture *f, unsigned from, uint32_t dest, uint32_t low)
{
    set(f, from, ICR_HIGH, dest << 24);
    set(f, from, ICR_LOW, low);
}

static void x2(struct fixture *f, unsigned cpu)
{
    const struct x86_apic_ops *ops = f->cpu[cpu]->apic;
    ops->set_base(f->cpu[cpu]->apic_opaque, ops->get_base(f->cpu[cpu]->apic_opaque) | 1 << 10);
}

static bool msr_write(struct fixture *f, unsigned cpu, uint32_t msr, uint64_t v)
{
    return f->cpu[cpu]->apic->x2_write(f->cpu[cpu]->apic_opaque, msr, v);
}

static uint64_t msr_read(struct fixture *f, unsigned cpu, uint32_t msr)
{
    uint64_t v = 0;
    assert_true(f->cpu[cpu]->apic->x2_read(f->cpu[cpu]->apic_opaque, msr, &v));
    return v;
}

/* ---- local APIC ------------------------------------------------------------------------------------ */

static void test_reset_state(void **state)
{
    struct fixture *f = *state;
    for (unsigned i = 0; i < CPUS; i++) {
        assert_int_equal(get(f, i, ID), i << 24);
        assert_int_equal(get(f, i, VERSION) & 0xff, 0x14);
        assert_int_equal(get(f, i, SVR), 0xff);
        assert_int_equal(get(f, i, DFR), UINT32_MAX);
        for (unsigned reg = LVT_TIMER; reg <= LVT_ERROR; reg += 0x10)
            assert_int_equal(get(f, i, reg), MASKED);
    }
    set(f, 0, LVT_TIMER, 0x40);              /* stays masked while software has the APIC disabled */
    assert_int_equal(get(f, 0, LVT_TIMER), MASKED | 0x40);
    set(f, 0, SVR, UINT32_MAX);
    assert_int_equal(get(f, 0, SVR), ENABLED);
    set(f, 0, LVT_TIMER, 0x40);
    assert_int_equal(get(f, 0, LVT_TIMER), 0x40);
    set(f, 0, LVT_LINT0, UINT32_MAX & ~(uint32_t)MASKED);
    assert_int_equal(get(f, 0, LVT_LINT0), 0xa7ff);
    set(f, 0, SVR, 0xff);
    assert_int_equal(get(f, 0, LVT_TIMER), MASKED | 0x40);
}

static void test_priorities(void **state)
{
    struct fixture *f = *state;
    enable(f);
    ipi(f, 1, 0, 0x41);
    ipi(f, 1, 0, 0x61);
    ipi(f, 1, 0, 0x62);
    assert_true(bit(f, 0, IRR, 0x41) && bit(f, 0, IRR, 0x61) && bit(f, 0, IRR, 0x62));
    assert_int_equal(take(f, 0), 0x62);
    assert_int_equal(get(f, 0, PPR), 0x60);
    assert_true(bit(f, 0, ISR, 0x62) && !bit(f, 0, IRR, 0x62));
    assert_false(pending(f, 0));             /* 0x61 is of the same class */
    ipi(f, 1, 0, 0x70);
    assert_true(pending(f, 0));
    assert_int_equal(take(f, 0), 0x70);
    set(f, 0, EOI, 0);
    assert_false(pending(f, 0));
    set(f, 0, EOI, 0);
    assert_true(pending(f, 0));
    set(f, 0, TPR, 0x65);                    /* the task priority holds it back */
    assert_false(pending(f, 0));
    assert_int_equal(get(f, 0, PPR), 0x65);
    assert_int_equal(take(f, 0), 0xff);      /* gone by the time of the acknowledge: spurious */
    assert_int_equal(f->cpu[0]->apic->get_tpr(f->cpu[0]->apic_opaque), 6);
    f->cpu[0]->apic->set_tpr(f->cpu[0]->apic_opaque, 3);
    assert_int_equal(get(f, 0, TPR), 0x30);
    assert_int_equal(take(f, 0), 0x61);
    set(f, 0, EOI, 0);
    assert_int_equal(take(f, 0), 0x41);
    set(f, 0, EOI, 0);
    assert_int_equal(take(f, 0), 0xff);
}

static void test_destinations(void **state)
{
    struct fixture *f = *state;
    enable(f);
    ipi(f, 0, 2, 0x50);                      /* physical */
    assert_true(!pending(f, 0) && !pending(f, 1) && pending(f, 2));
    take(f, 2), set(f, 2, EOI, 0);
    ipi(f, 0, 0xff, 0x50);                   /* broadcast */
    for (unsigned i = 0; i < CPUS; i++)
        take(f, i), assert_true(bit(f, i, ISR, 0x50)), set(f, i, EOI, 0);
    static const struct {
        uint32_t shorthand;
        bool to[CPUS];
    } cases[] = { { 1 << 18, { 0, 1, 0 } }, { 2 << 18, { 1, 1, 1 } }, { 3 << 18, { 1, 0, 1 } } };
    for (unsigned k = 0; k < ARRAY_LEN(cases); k++) {
        ipi(f, 1, 0, cases[k].shorthand | 0x51);
        for (unsigned i = 0; i < CPUS; i++) {
            assert_int_equal(pending(f, i), cases[k].to[i]);
            if (pending(f, i))
                take(f, i), set(f, i, EOI, 0);
        }
    }
    for (unsigned i = 0; i < CPUS; i++)      /* logical, flat model */
        set(f, i, LDR, 1u << (24 + i));
    ipi(f, 0, 6, 1 << 11 | 0x52);
    assert_true(!pending(f, 0) && pending(f, 1) && pending(f, 2));
    take(f, 1), set(f, 1, EOI, 0), take(f, 2), set(f, 2, EOI, 0);
    for (unsigned i = 0; i < CPUS; i++) {    /* cluster model: cluster 2 has CPUs 0 and 1, cluster 3 CPU 2 */
        set(f, i, DFR, 0x0fffffff);
        set(f, i, LDR, (i < 2 ? 0x20000000u : 0x30000000u) | (i == 1 ? 2u : 1u) << 24);
    }
    ipi(f, 0, 0x23, 1 << 11 | 0x53);
    assert_true(pending(f, 0) && pending(f, 1) && !pending(f, 2));
    ipi(f, 0, 0x31, 1 << 11 | 0x53);
    assert_true(pending(f, 2));
}

static void test_lowest_priority(void **state)
{
    struct fixture *f = *state;
    enable(f);
    set(f, 0, TPR, 0x30);
    set(f, 1, TPR, 0x10);
    set(f, 2, TPR, 0x20);
    ipi(f, 0, 0xff, 1 << 8 | 0x80);
    assert_true(!pending(f, 0) && pending(f, 1) && !pending(f, 2));
    take(f, 1);                              /* in service it has the highest priority now */
    ipi(f, 0, 0xff, 1 << 8 | 0x81);
    assert_true(pending(f, 2));
    ipi(f, 1, 0, 3 << 18 | 1 << 8 | 0x82);   /* others than the sender: still one alone */
    assert_int_equal(bit(f, 0, IRR, 0x82) + bit(f, 2, IRR, 0x82), 1);
    set(f, 2, SVR, 0xff);
    set(f, 1, SVR, 0xff);
    ipi(f, 0, 0xff, 1 << 8 | 0x83);          /* who is disabled takes no part */
    assert_true(bit(f, 0, IRR, 0x83));
}

static void test_init_sipi_nmi(void **state)
{
    struct fixture *f = *state;
    enable(f);
    set(f, 1, TPR, 0x20);
    ipi(f, 1, 2, 4 << 8);
    assert_true(f->cpu[2]->s.irq & X86_IRQ_NMI);
    ipi(f, 0, 1, 0x4500);
    assert_true(f->cpu[1]->s.irq & X86_IRQ_INIT);
    assert_int_equal(get(f, 1, TPR), 0);
    assert_int_equal(get(f, 1, SVR), 0xff);
    assert_int_equal(get(f, 1, ID), 1 << 24);
    ipi(f, 0, 2, 5 << 8 | 1 << 15);          /* level de-assert does nothing */
    assert_false(f->cpu[2]->s.irq & X86_IRQ_INIT);
    ipi(f, 0, 1, 0x4600 | 0x9a);
    assert_true(f->cpu[1]->s.irq & X86_IRQ_SIPI);
    assert_int_equal(f->cpu[1]->s.sipi_vector, 0x9a);
}

static void test_errors(void **state)
{
    struct fixture *f = *state;
    enable(f);
    set(f, 0, LVT_ERROR, 0x99);
    ipi(f, 0, 1, 0x05);                      /* send illegal vector */
    assert_int_equal(get(f, 0, ESR), 0);
    assert_int_equal(take(f, 0), 0x99);
    set(f, 0, EOI, 0);
    set(f, 0, ESR, 0);
    assert_int_equal(get(f, 0, ESR), 0x20);
    set(f, 0, ESR, 0);
    assert_int_equal(get(f, 0, ESR), 0);
    get(f, 0, 0x40);                         /* reserved register */
    assert_true(pending(f, 0));
    set(f, 0, ESR, 0);
    assert_int_equal(get(f, 0, ESR), 0x80);
    take(f, 0), set(f, 0, EOI, 0);
    set(f, 0, LVT_ERROR, 0x05);              /* an error interrupt that is itself in error ends */
    set(f, 0, LVT_TIMER, 0x0f);
    set(f, 0, INITIAL, 1);
    advance(f->b, 10);
    set(f, 0, ESR, 0);
    assert_int_equal(get(f, 0, ESR), 0x40);
    assert_false(pending(f, 0));
}

static void test_timer(void **state)
{
    struct fixture *f = *state;
    struct bench *b = f->b;
    enable(f);
    set(f, 0, DIVIDE, 0xb);                  /* by 1 */
    set(f, 0, LVT_TIMER, 0x40);
    set(f, 0, INITIAL, 1000);
    advance(b, 400);
    assert_int_equal(get(f, 0, CURRENT), 600);
    set(f, 0, DIVIDE, 0x3);                  /* by 16: the 600 that are left take 9600 ns */
    assert_int_equal(get(f, 0, CURRENT), 600);
    advance(b, 9599);
    assert_false(pending(f, 0));
    assert_int_equal(get(f, 0, CURRENT), 1);
    advance(b, 1);
    assert_int_equal(take(f, 0), 0x40);
    assert_int_equal(get(f, 0, CURRENT), 0);
    set(f, 0, EOI, 0);
    advance(b, NS_PER_SEC);
    assert_false(pending(f, 0));

    static const unsigned divide[8] = { 0, 1, 2, 3, 8, 9, 10, 11 }, by[8] = { 2, 4, 8, 16, 32, 64, 128, 1 };
    for (unsigned i = 0; i < 8; i++) {
        set(f, 0, DIVIDE, divide[i]);
        set(f, 0, INITIAL, 1000);
        advance(b, 100 * by[i]);
        assert_int_equal(get(f, 0, CURRENT), 900);
    }
    set(f, 0, INITIAL, 0);                   /* stops it */
    advance(b, NS_PER_SEC);
    assert_false(pending(f, 0));

    set(f, 0, DIVIDE, 0xb);
    set(f, 0, LVT_TIMER, PERIODIC | 0x41);
    set(f, 0, INITIAL, 1000);
    unsigned n = 0;
    for (uint64_t end = now(b) + 10000; now(b) < end;) {
        advance(b, 100);
        if (pending(f, 0))
            n++, assert_int_equal(take(f, 0), 0x41), set(f, 0, EOI, 0);
    }
    assert_int_equal(n, 10);
    set(f, 0, LVT_TIMER, MASKED | PERIODIC | 0x41);
    advance(b, 5000);
    assert_false(pending(f, 0));
}

static void test_tsc_deadline(void **state)
{
    struct fixture *f = *state;
    struct bench *b = f->b;
    const struct x86_apic_ops *ops = f->cpu[0]->apic;
    void *a = f->cpu[0]->apic_opaque;
    enable(f);
    ops->set_tsc_deadline(a, 5000);          /* not the mode: ignored */
    assert_int_equal(ops->get_tsc_deadline(a), 0);
    set(f, 0, LVT_TIMER, DEADLINE | 0x42);
    set(f, 0, INITIAL, 100);                 /* and the count is, in this one */
    assert_int_equal(get(f, 0, INITIAL), 0);
    uint64_t deadline = x86_read_tsc(f->cpu[0]) + 5000;
    ops->set_tsc_deadline(a, deadline);
    advance(b, 4999);
    assert_false(pending(f, 0));
    assert_int_equal(ops->get_tsc_deadline(a), deadline);
    advance(b, 1);
    assert_int_equal(take(f, 0), 0x42);
    set(f, 0, EOI, 0);
    assert_int_equal(ops->get_tsc_deadline(a), 0);
    ops->set_tsc_deadline(a, 1);             /* in the past: at once */
    advance(b, 0);
    assert_int_equal(take(f, 0), 0x42);
    set(f, 0, EOI, 0);
    ops->set_tsc_deadline(a, x86_read_tsc(f->cpu[0]) + 100);
    ops->set_tsc_deadline(a, 0);             /* disarms */
    advance(b, 1000);
    assert_false(pending(f, 0));
    ops->set_tsc_deadline(a, x86_read_tsc(f->cpu[0]) + 100);
    set(f, 0, LVT_TIMER, 0x42);              /* so does leaving the mode */
    advance(b, 1000);
    assert_false(pending(f, 0));
    set(f, 0, LVT_TIMER, DEADLINE | 0x42);
    ops->set_tsc_deadline(a, x86_read_tsc(f->cpu[0]) + 100);
    f->cpu[0]->s.tsc_offset -= 1000;         /* the counter is set back: it is that much later */
    advance(b, 1099);
    assert_false(pending(f, 0));
    advance(b, 1);
    assert_true(pending(f, 0));
}

static void test_x2apic(void **state)
{
    struct fixture *f = *state;
    uint64_t v;
    enable(f);
    assert_false(f->cpu[1]->apic->x2_read(f->cpu[1]->apic_opaque, 0x802, &v));     /* #GP before it is enabled */
    for (unsigned i = 0; i < CPUS; i++)
        x2(f, i);
    assert_int_equal(msr_read(f, 1, 0x802), 1);
    assert_int_equal(msr_read(f, 2, 0x80d), 1 << 2);           /* logical id: cluster 0, bit 2 */
    assert_int_equal(msr_read(f, 1, 0x80f), ENABLED);
    assert_true(msr_write(f, 1, 0x830, UINT64_C(2) << 32 | 0x50));
    assert_int_equal(take(f, 2), 0x50);
    assert_true(msr_write(f, 2, 0x80b, 0));
    assert_true(msr_write(f, 1, 0x830, UINT64_C(5) << 32 | 1 << 11 | 0x51));       /* CPUs 0 and 2, logically */
    assert_true(pending(f, 0) && !pending(f, 1) && pending(f, 2));
    assert_true(msr_write(f, 1, 0x830, UINT64_C(0xffffffff) << 32 | 0x52));
    assert_true(pending(f, 1));
    assert_int_equal(take(f, 1), 0x52);
    assert_true(msr_write(f, 1, 0x80b, 0));
    assert_true(msr_write(f, 1, SELF, 0x53));
    assert_int_equal(take(f, 1), 0x53);
    assert_int_equal(msr_read(f, 1, 0x830) & 0xffffffff, 0x52);
    static const uint32_t bad_write[] = { 0x802, 0x803, 0x80a, 0x80d, 0x80e, 0x831, 0x839, 0x804, 0x820 };
    for (unsigned i = 0; i < ARRAY_LEN(bad_write); i++)
        assert_false(msr_write(f, 1, bad_write[i], 0));
    static const uint32_t bad_read[] = { 0x80b, 0x80e, 0x831, SELF, 0x804, 0x829, 0x83c };
    for (unsigned i = 0; i < ARRAY_LEN(bad_read); i++)
        assert_false(f->cpu[1]->apic->x2_read(f->cpu[1]->apic_opaque, bad_read[i], &v));
    assert_false(msr_write(f, 1, 0x80b, 1));
    assert_false(msr_write(f, 1, 0x80f, UINT64_C(1) << 32));
    assert_int_equal(get(f, 1, ID), 0);                        /* the page is not there in this mode */
}

/* ---- 8259 behind LINT0 ------------------------------------------------------------------------------- */

static void init_pics(struct bench *b)
{
    outb(b, 0x20, 0x11), outb(b, 0x21, 0x30), outb(b, 0x21, 4), outb(b, 0x21, 1);
    outb(b, 0xa0, 0x11), outb(b, 0xa1, 0x38), outb(b, 0xa1, 2), outb(b, 0xa1, 1);
    outb(b, 0x21, 0), outb(b, 0xa1, 0);
}

static void test_extint(void **state)
{
    struct fixture *f = *state;
    struct irq line = pic_line(f->pic, 5);
    init_pics(f->b);
    irq_set(&line, true);
    assert_false(pending(f, 0));             /* LINT0 is masked */
    set(f, 0, SVR, ENABLED);
    set(f, 0, LVT_LINT0, 7 << 8);
    assert_true(pending(f, 0));
    assert_int_equal(take(f, 0), 0x35);
    outb(f->b, 0x20, 0x20);
    assert_false(pending(f, 0));
    irq_set(&line, false);
    irq_set(&line, true);
    ipi(f, 1, 0, 0x20);
    assert_int_equal(take(f, 0), 0x20);      /* the APIC's own come first */
    assert_int_equal(take(f, 0), 0x35);
    outb(f->b, 0x20, 0x20);
    /* Fixed and level: requested again at the EOI while the line is up. */
    set(f, 0, EOI, 0);
    set(f, 0, LVT_LINT0, 1 << 15 | 0x77);
    irq_set(&line, false);
    irq_set(&line, true);
    assert_int_equal(take(f, 0), 0x77);
    assert_int_equal(get(f, 0, LVT_LINT0), 1 << 15 | 1 << 14 | 0x77);
    assert_false(pending(f, 0));
    set(f, 0, EOI, 0);
    assert_int_equal(take(f, 0), 0x77);
    irq_set(&line, false);
    set(f, 0, EOI, 0);
    assert_false(pending(f, 0));
}

/* ---- I/O APIC ---------------------------------------------------------------------------------------------- */

static void io_set(struct fixture *f, unsigned reg, uint32_t v)
{
    space_store(f->b->mem, IOAPIC, 4, reg);
    space_store(f->b->mem, IOAPIC + 0x10, 4, v);
}

static uint32_t io_get(struct fixture *f, unsigned reg)
{
    space_store(f->b->mem, IOAPIC, 4, reg);
    return (uint32_t)space_load(f->b->mem, IOAPIC + 0x10, 4);
}

static void rte(struct fixture *f, unsigned pin, uint32_t dest, uint32_t low)
{
    io_set(f, 0x11 + 2 * pin, dest << 24);
    io_set(f, 0x10 + 2 * pin, low);
}

static void test_ioapic_registers(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(io_get(f, 1), 0x00170011);
    io_set(f, 0, 0x0f000000);
    assert_int_equal(io_get(f, 0), 0x0f000000);
    assert_int_equal(io_get(f, 2), 0x0f000000);
    assert_int_equal(io_get(f, 0x10 + 2 * 23), MASKED);
    rte(f, 23, 0xa5, UINT32_MAX);
    assert_int_equal(io_get(f, 0x11 + 2 * 23), 0xa5000000);
    assert_int_equal(io_get(f, 0x10 + 2 * 23), 0x1afff);       /* delivery status and remote IRR are read-only */
    assert_int_equal(io_get(f, 0x40), 0);
}

static void test_ioapic_edge(void **state)
{
    struct fixture *f = *state;
    enable(f);
    rte(f, 4, 1, MASKED | 0x60);
    ioapic_set_pin(f->io, 4, true);
    rte(f, 4, 1, 0x60);
    assert_false(pending(f, 1));             /* an edge at a masked pin is lost */
    ioapic_set_pin(f->io, 4, false);
    ioapic_set_pin(f->io, 4, true);
    assert_int_equal(take(f, 1), 0x60);
    assert_false(bit(f, 1, TMR, 0x60));
    ioapic_set_pin(f->io, 4, true);
    assert_false(pending(f, 1));
    set(f, 1, EOI, 0);
    assert_false(pending(f, 1));
}

static void test_ioapic_level(void **state)
{
    struct fixture *f = *state;
    enable(f);
    rte(f, 9, 2, MASKED | 1 << 15 | 0x61);
    ioapic_set_pin(f->io, 9, true);
    assert_false(pending(f, 2));
    rte(f, 9, 2, 1 << 15 | 0x61);            /* a level waits for the mask to open */
    assert_int_equal(io_get(f, 0x10 + 18), 1 << 15 | 1 << 14 | 0x61);
    assert_int_equal(take(f, 2), 0x61);
    assert_true(bit(f, 2, TMR, 0x61));
    assert_false(pending(f, 2));
    set(f, 2, EOI, 0);                       /* still up: again */
    assert_int_equal(take(f, 2), 0x61);
    ioapic_set_pin(f->io, 9, false);
    set(f, 2, EOI, 0);
    assert_false(pending(f, 2));
    assert_int_equal(io_get(f, 0x10 + 18), 1 << 15 | 0x61);
    /* Nobody accepts: remote IRR does not block the pin for ever. */
    set(f, 2, SVR, 0xff);
    ioapic_set_pin(f->io, 9, true);
    assert_int_equal(io_get(f, 0x10 + 18) & 1 << 14, 0);
    set(f, 2, SVR, ENABLED);
    rte(f, 9, 2, 1 << 15 | 0x61);
    assert_int_equal(take(f, 2), 0x61);
}

static void test_ioapic_modes(void **state)
{
    struct fixture *f = *state;
    enable(f);
    for (unsigned i = 0; i < CPUS; i++)
        set(f, i, LDR, 1u << (24 + i));
    set(f, 1, TPR, 0x50);
    rte(f, 3, 6, 1 << 11 | 1 << 8 | 0x62);   /* lowest priority of CPUs 1 and 2 */
    ioapic_set_pin(f->io, 3, true);
    assert_true(!pending(f, 0) && !bit(f, 1, IRR, 0x62) && pending(f, 2));
    rte(f, 5, 1, 4 << 8 | 1 << 15);          /* NMI: an edge, whatever the entry says */
    ioapic_set_pin(f->io, 5, true);
    assert_true(f->cpu[1]->s.irq & X86_IRQ_NMI);
    f->cpu[1]->s.irq = 0;
    rte(f, 5, 1, 4 << 8 | 1 << 15);
    assert_false(f->cpu[1]->s.irq & X86_IRQ_NMI);
    /* ExtINT: the CPU asks the 8259 for the vector. */
    init_pics(f->b);
    rte(f, 6, 0, 7 << 8);
    struct irq line = pic_line(f->pic, 3);
    irq_set(&line, true);
    ioapic_set_pin(f->io, 6, true);
    assert_true(pending(f, 0));
    assert_int_equal(take(f, 0), 0x33);
    assert_false(pending(f, 0));
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_reset_state), TEST(test_priorities), TEST(test_destinations), TEST(test_lowest_priority),
        TEST(test_init_sipi_nmi), TEST(test_errors), TEST(test_timer), TEST(test_tsc_deadline), TEST(test_x2apic),
        TEST(test_extint), TEST(test_ioapic_registers), TEST(test_ioapic_edge), TEST(test_ioapic_level),
        TEST(test_ioapic_modes),
    };
    return cmocka_run_group_tests_name("apic", tests, NULL, NULL);
}
