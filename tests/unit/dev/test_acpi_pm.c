/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ACPI fixed hardware (ACPI 6.4, 4.8): the timer, the power button's SCI, S5; and the chipset's reset port. */
#include "dev.h"
#include "dev/acpi_pm.h"
#include "dev/pci.h"

enum { BASE = 0x600, STATUS = BASE, ENABLE = BASE + 2, CONTROL = BASE + 4, TIMER = BASE + 8, SMI = 0xb2, GPE = 0xafe0 };
enum { POWER_BUTTON = 1 << 8, SCI_EN = 1, SLP_EN = 1 << 13 };

struct fixture {
    struct bench *b;
    struct acpi_pm *pm;
    unsigned off;
};

static void power_off(void *opaque) { ((struct fixture *)opaque)->off++; }

static int setup(void **state)
{
    static struct fixture f;
    f.off = 0;
    f.b = bench_new();
    f.pm = acpi_pm_new(f.b->sim, f.b->io, bench_wire(f.b, 9), power_off, &f);
    acpi_pm_map(f.pm, BASE, true);
    *state = &f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    acpi_pm_free(f->pm);
    bench_free(f->b);
    return 0;
}

/* 3.579545 MHz, 24 bits; TMR_STS when bit 23 changes. */
static void test_timer(void **state)
{
    struct bench *b = ((struct fixture *)*state)->b;
    advance_to(b, NS_PER_SEC);
    assert_int_equal(inl(b, TIMER), PM_TIMER_HZ);
    assert_int_equal(inw(b, STATUS), 0);
    uint64_t half = (UINT64_C(1) << 23) * NS_PER_SEC / PM_TIMER_HZ + 1;
    advance_to(b, half);
    assert_int_equal(inl(b, TIMER), 1 << 23);
    assert_int_equal(inw(b, STATUS), 1);
    outw(b, STATUS, 1);
    assert_int_equal(inw(b, STATUS), 0);
    outb(b, SMI, 0xf1);
    outw(b, ENABLE, 1);
    advance_to(b, 2 * half - 1000);
    assert_false(b->wire[9].level);
    advance_to(b, 2 * half);
    assert_true(b->wire[9].level);
    assert_int_equal(inl(b, TIMER), 0);
    outw(b, STATUS, 1);
    assert_false(b->wire[9].level);
    advance_to(b, 3 * half);
    assert_true(b->wire[9].level);
}

static void test_power_button(void **state)
{
    struct fixture *f = *state;
    struct bench *b = f->b;
    assert_int_equal(inw(b, CONTROL) & SCI_EN, 0);
    outw(b, ENABLE, POWER_BUTTON);
    acpi_pm_power_button(f->pm);
    assert_false(b->wire[9].level);          /* ACPI is not enabled */
    outb(b, SMI, 0xf1);
    assert_int_equal(inw(b, CONTROL) & SCI_EN, SCI_EN);
    assert_true(b->wire[9].level);
    outb(b, STATUS + 1, 1);                  /* bytes are as good */
    assert_false(b->wire[9].level);
    outb(b, ENABLE + 1, 0);
    assert_int_equal(inw(b, ENABLE), 0);
    acpi_pm_power_button(f->pm);
    assert_int_equal(inw(b, STATUS), POWER_BUTTON);
    assert_false(b->wire[9].level);
    outl(b, STATUS, (uint32_t)POWER_BUTTON << 16);
    assert_int_equal(inl(b, STATUS), (uint32_t)POWER_BUTTON << 16 | POWER_BUTTON);
    assert_true(b->wire[9].level);
    outb(b, SMI, 0xf0);
    assert_false(b->wire[9].level);
}

static void test_sleep(void **state)
{
    struct fixture *f = *state;
    struct bench *b = f->b;
    outw(b, CONTROL, 5 << 10 | SLP_EN);      /* a sleep that we lack */
    assert_int_equal(f->off, 0);
    outw(b, CONTROL, 1 << 1);
    assert_int_equal(f->off, 0);
    outw(b, CONTROL, SLP_EN);
    assert_int_equal(f->off, 1);
    assert_int_equal(inw(b, CONTROL) & SLP_EN, 0);
    outb(b, CONTROL + 1, SLP_EN >> 8);
    assert_int_equal(f->off, 2);
    outw(b, CONTROL, SCI_EN);                /* SCI_EN is not software's to set */
    assert_int_equal(inw(b, CONTROL) & SCI_EN, 0);
}

static void test_map(void **state)
{
    struct fixture *f = *state;
    struct bench *b = f->b;
    acpi_pm_map(f->pm, 0xb000, true);
    advance_to(b, NS_PER_SEC);
    assert_int_equal(inl(b, 0xb008), PM_TIMER_HZ);
    assert_int_equal(inl(b, TIMER), UINT32_MAX);
    acpi_pm_map(f->pm, 0xb000, false);
    assert_int_equal(inl(b, 0xb008), UINT32_MAX);
    outb(b, GPE + 2, 0x5a);
    assert_int_equal(inb(b, GPE + 2), 0x5a);
}

static void count(void *opaque) { ++*(unsigned *)opaque; }

/* 82371SB, 2.5.4: a rising CPU-reset bit resets; the same place in the PCI address register is not touched. */
static void test_reset_port(void **state)
{
    struct bench *b = ((struct fixture *)*state)->b;
    unsigned resets = 0;
    struct pci *p = pci_new(b->sim, b->io, count, &resets);
    outl(b, 0xcf8, 0x8000f840);
    outb(b, 0xcf9, 2);
    assert_int_equal(resets, 0);
    assert_int_equal(inb(b, 0xcf9), 2);
    outb(b, 0xcf9, 6);
    assert_int_equal(resets, 1);
    outb(b, 0xcf9, 6);
    assert_int_equal(resets, 1);
    outb(b, 0xcf9, 0);
    outb(b, 0xcf9, 4);
    assert_int_equal(resets, 2);
    assert_int_equal(inl(b, 0xcf8), 0x8000f840);
    pci_free(p);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_timer), TEST(test_power_button), TEST(test_sleep), TEST(test_map), TEST(test_reset_port),
    };
    return cmocka_run_group_tests_name("acpi_pm", tests, NULL, NULL);
}
