/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fw_cfg by port and by DMA (QEMU's docs/specs/fw_cfg.rst), and the debug ports beside it. */
#include <string.h>

#include "dev.h"
#include "dev/fw_cfg.h"
#include "dev/isa_debug.h"

enum { SELECTOR = 0x510, DATA = 0x511, DMA = 0x514 };
enum { ERROR = 1, READ = 2, SKIP = 4, SELECT = 8, WRITE = 16 };
enum { DESCRIPTOR = 0x1000, BUFFER = 0x2ffa };   /* the buffer crosses a page */

struct fixture {
    struct bench *b;
    struct fw_cfg *f;
};

static int setup(void **state)
{
    static struct fixture f;
    f.b = bench_new();
    f.f = fw_cfg_new(f.b->sim, f.b->io, f.b->mem);
    fw_cfg_add_file(f.f, "etc/first", "abcdefghij", 10);
    fw_cfg_add_file(f.f, "opt/second", "XY", 2);
    *state = &f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    fw_cfg_free(f->f);
    bench_free(f->b);
    return 0;
}

static unsigned big(struct bench *b, unsigned bytes)
{
    unsigned v = 0;
    while (bytes--)
        v = v << 8 | inb(b, DATA);
    return v;
}

/* Where the directory says that the file is. */
static unsigned find(struct bench *b, const char *name, unsigned *size)
{
    outw(b, SELECTOR, FW_CFG_FILE_DIR);
    unsigned n = big(b, 4), found = 0;
    for (unsigned i = 0; i < n; i++) {
        char this[56];
        unsigned bytes = big(b, 4), key = big(b, 2);
        assert_int_equal(big(b, 2), 0);
        for (unsigned k = 0; k < sizeof this; k++)
            this[k] = (char)inb(b, DATA);
        if (!strcmp(this, name)) {
            found = key;
            *size = bytes;
        }
    }
    return found;
}

static void test_port(void **state)
{
    struct bench *b = ((struct fixture *)*state)->b;
    unsigned size;
    outw(b, SELECTOR, FW_CFG_SIGNATURE);
    assert_int_equal(big(b, 4), 0x51454d55);     /* "QEMU" */
    outw(b, SELECTOR, FW_CFG_ID);
    assert_int_equal(inb(b, DATA), 3);           /* little-endian: port and DMA */
    assert_int_equal(find(b, "etc/first", &size), FW_CFG_FILE_FIRST);
    assert_int_equal(size, 10);
    outw(b, SELECTOR, find(b, "opt/second", &size));
    assert_int_equal(size, 2);
    assert_int_equal(inb(b, DATA), 'X');
    assert_int_equal(inb(b, DATA), 'Y');
    assert_int_equal(inb(b, DATA), 0);           /* nothing behind the end */
    assert_int_equal(find(b, "etc/none", &size), 0);
    outw(b, SELECTOR, 0x1ff);
    assert_int_equal(inb(b, DATA), 0);
}

static void be(struct bench *b, uint64_t at, unsigned bytes, uint64_t v)
{
    for (unsigned i = 0; i < bytes; i++)
        space_store(b->mem, at + i, 1, v >> 8 * (bytes - 1 - i) & 0xff);
}

/* Runs one command; what the control word has become. */
static uint32_t dma(struct bench *b, unsigned key, unsigned control, uint32_t length, uint64_t address)
{
    be(b, DESCRIPTOR, 4, (uint32_t)key << 16 | control);
    be(b, DESCRIPTOR + 4, 4, length);
    be(b, DESCRIPTOR + 8, 8, address);
    outl(b, DMA, 0);
    outl(b, DMA + 4, __builtin_bswap32(DESCRIPTOR));
    uint32_t v = 0;
    for (unsigned i = 0; i < 4; i++)
        v = v << 8 | (uint32_t)space_load(b->mem, DESCRIPTOR + i, 1);
    return v;
}

static void test_dma(void **state)
{
    struct bench *b = ((struct fixture *)*state)->b;
    char got[16];
    assert_int_equal(inl(b, DMA), 0x554d4551);   /* "QEMU CFG" in its bytes' order */
    assert_int_equal(inl(b, DMA + 4), 0x47464320);
    memset(got, '.', sizeof got);
    space_write(b->mem, BUFFER, got, sizeof got);
    assert_int_equal(dma(b, FW_CFG_FILE_FIRST, SELECT | READ, 8, BUFFER), 0);
    space_read(b->mem, BUFFER, got, sizeof got);
    assert_memory_equal(got, "abcdefgh........", 16);
    assert_int_equal(dma(b, 0, READ, 4, BUFFER), 0);             /* goes on; zeros behind the end */
    space_read(b->mem, BUFFER, got, sizeof got);
    assert_memory_equal(got, "ij\0\0efgh........", 16);
    assert_int_equal(dma(b, FW_CFG_FILE_FIRST, SELECT | SKIP, 7, 0), 0);
    assert_int_equal(dma(b, 0, READ, 1, BUFFER), 0);
    assert_int_equal(space_load(b->mem, BUFFER, 1), 'h');
    assert_int_equal(inb(b, DATA), 'i');                         /* the port goes on from there */
    assert_int_equal(dma(b, 0, SKIP, UINT32_MAX, 0), 0);
    assert_int_equal(dma(b, 0, READ, 1, BUFFER), 0);
    assert_int_equal(space_load(b->mem, BUFFER, 1), 0);
    assert_int_equal(dma(b, 0x777, SELECT, 0, 0), 0);            /* an item that there is not reads as zeros */
    assert_int_equal(dma(b, 0, READ, 4, BUFFER + 4), 0);
    assert_int_equal(space_load(b->mem, BUFFER + 4, 4), 0);
}

static void test_dma_errors(void **state)
{
    struct bench *b = ((struct fixture *)*state)->b;
    assert_int_equal(dma(b, FW_CFG_FILE_FIRST, SELECT | WRITE, 2, BUFFER), ERROR);
    assert_int_equal(dma(b, FW_CFG_FILE_FIRST, SELECT | READ, 4, UINT64_C(0xfee00000)), ERROR);
    assert_int_equal(dma(b, FW_CFG_FILE_FIRST, SELECT | READ, UINT32_MAX, BENCH_RAM - 4), ERROR);
    assert_int_equal(space_load(b->mem, BENCH_RAM - 4, 4), 0x64636261);
    assert_int_equal(dma(b, FW_CFG_FILE_FIRST, SELECT | READ, 1, BUFFER), 0);
    assert_int_equal(space_load(b->mem, BUFFER, 1), 'a');
}

static void test_reset(void **state)
{
    struct fixture *f = *state;
    outw(f->b, SELECTOR, FW_CFG_FILE_FIRST);
    inb(f->b, DATA);
    fw_cfg_reset(f->f);
    assert_int_equal(big(f->b, 4), 0x51454d55);
}

/* ---- debug ports ----------------------------------------------------------------------------- */

static int status, events;
static void asked(void *opaque, int v) { status = v; }
static void reported(void *opaque, uint8_t v) { events |= v; }
static char written[4];
static void write_char(struct chardev *c, const void *data, size_t len) { memcpy(written, data, len); }

static void test_debug_ports(void **state)
{
    struct bench *b = ((struct fixture *)*state)->b;
    static const struct chardev_ops ops = { .write = write_char };
    struct chardev c = { &ops, "test" };
    struct isa_debug *exit_ = debug_exit_new(b->io, 0x501, 2, asked, NULL);
    struct isa_debug *console = debugcon_new(b->io, 0xe9, 0xe9, &c);
    struct isa_debug *panic_ = pvpanic_new(b->io, 0x505, PVPANIC_PANICKED, reported, NULL);
    static const int written_status[][2] = { { 0, 1 }, { 1, 3 }, { 0x10, 33 }, { 0x7f, 255 }, { 0x80, 1 } };
    for (unsigned i = 0; i < ARRAY_LEN(written_status); i++) {
        status = -1;
        outb(b, 0x501, (unsigned)written_status[i][0]);
        assert_int_equal(status, written_status[i][1]);
    }
    outw(b, 0x501, 0x1002);
    assert_int_equal(status, 5);
    status = -1;
    outb(b, 0x503, 1);
    assert_int_equal(status, -1);
    assert_int_equal(inb(b, 0xe9), 0xe9);
    outb(b, 0xe9, '!');
    assert_int_equal(written[0], '!');
    assert_int_equal(inb(b, 0x505), PVPANIC_PANICKED);
    outb(b, 0x505, PVPANIC_CRASH_LOADED | 0x80);     /* not offered, so nothing */
    assert_int_equal(events, 0);
    outb(b, 0x505, 3);
    assert_int_equal(events, PVPANIC_PANICKED);
    isa_debug_free(exit_);
    isa_debug_free(console);
    isa_debug_free(panic_);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_port), TEST(test_dma), TEST(test_dma_errors), TEST(test_reset), TEST(test_debug_ports),
    };
    return cmocka_run_group_tests_name("fw_cfg", tests, NULL, NULL);
}
