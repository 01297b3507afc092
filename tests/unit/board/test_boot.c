/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Direct boot: what the Linux and Multiboot loaders put where, and what they refuse, on images made here. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "board/boot.h"

enum { MIB = 1 << 20, LOW_RAM = 64 * MIB, SETUP_SECTORS = 4, PAYLOAD = 40000 };

static void *host_alloc(void *opaque, uint64_t size, struct error *err) { return alloc_zero(size); }
static void host_free(void *opaque, void *p, uint64_t size) { free(p); }

struct fixture {
    struct ram *ram;
    struct space *mem;
    struct sink sink;
    struct machine_config config;
    struct boot_info info;
    struct error err;
    uint8_t image[(SETUP_SECTORS + 1) * 512 + PAYLOAD];
    uint8_t initrd[10000];
};

/* A bzImage of protocol `version` with a recognisable payload. */
static void make_bzimage(struct fixture *f, unsigned version)
{
    uint8_t *d = f->image;
    memset(d, 0, sizeof f->image);
    memset(d + (SETUP_SECTORS + 1) * 512, 0xc3, PAYLOAD);
    d[0x1f1] = SETUP_SECTORS;
    store_le(d + 0x1fe, 2, 0xaa55);
    d[0x200] = 0xeb;
    d[0x201] = 0x66;
    memcpy(d + 0x202, "HdrS", 4);
    store_le(d + 0x206, 2, version);
    d[0x211] = 1;
    store_le(d + 0x22c, 4, 0x7fffffff);
    store_le(d + 0x238, 4, 2047);
    store_le(d + 0x258, 8, 16 * MIB);
    store_le(d + 0x260, 4, 8 * MIB);
    f->config.kernel = (struct machine_blob){ "vmlinuz", d, sizeof f->image };
}

static int setup(void **state)
{
    static const struct host_memory memory = { host_alloc, host_free, NULL };
    struct fixture *f = NEW(struct fixture);
    f->ram = ram_new("ram", LOW_RAM, &memory, &f->err);
    f->mem = space_new("memory", UINT64_C(1) << 40, &f->sink);
    space_map_ram(f->mem, "ram", 0, LOW_RAM, 0, f->ram, 0, true);
    f->info = (struct boot_info){ .config = &f->config, .mem = f->mem, .ram_below_4g = LOW_RAM, .acpi = { .cpus = 2 },
                                  .long_mode = true };
    memset(f->initrd, 0x1d, sizeof f->initrd);
    make_bzimage(f, 0x20f);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    space_free(f->mem);
    ram_free(f->ram);
    free(f);
    return 0;
}

static uint64_t at(struct fixture *f, uint64_t address, unsigned size) { return space_load(f->mem, address, size); }

static void refused(struct fixture *f, const char *why)
{
    f->err.text[0] = 0;
    assert_false(boot_load(&f->info, &f->err));
    if (!strstr(f->err.text, why))
        fail_msg("'%s' does not say '%s'", f->err.text, why);
}

static void loads(struct fixture *f)
{
    if (!boot_load(&f->info, &f->err))
        fail_msg("%s", f->err.text);
}

/* ---- memory map ---------------------------------------------------------------------------------- */

static void test_memory_map(void **state)
{
    struct fixture *f = *state;
    struct e820_entry map[E820_MAX];
    f->info.ram_below_4g = UINT64_C(3) << 30;
    f->info.ram_above_4g = UINT64_C(5) << 30;
    for (unsigned direct = 0; direct < 2; direct++) {
        unsigned n = boot_e820(&f->info, direct, map);
        uint64_t ram = 0, end = 0;
        for (unsigned i = 0; i < n; i++) {
            assert_true(map[i].base >= end);         /* sorted, nothing twice */
            end = map[i].base + map[i].size;
            ram += map[i].type == E820_RAM || map[i].type == E820_ACPI ? map[i].size : 0;
        }
        assert_true(end == UINT64_C(9) << 30);
        assert_true(ram >= (UINT64_C(8) << 30) - MIB && ram <= UINT64_C(8) << 30);
    }
}

/* ---- Linux ----------------------------------------------------------------------------------------- */

static void test_linux(void **state)
{
    struct fixture *f = *state;
    f->config.append = "console=ttyS0";
    f->config.initrd = (struct machine_blob){ "initrd", f->initrd, sizeof f->initrd };
    loads(f);
    assert_int_equal(f->info.eip, MIB);
    assert_int_equal(at(f, MIB, 4), 0xc3c3c3c3);
    assert_int_equal(at(f, MIB + PAYLOAD - 1, 2), 0xc3);
    uint64_t zp = f->info.esi, cmdline = at(f, zp + 0x228, 4), initrd = at(f, zp + 0x218, 4);
    assert_int_equal(at(f, zp + 0x202, 4), 0x53726448);
    assert_int_equal(at(f, zp + 0x210, 1), 0xff);    /* no loader with an assigned number */
    assert_int_equal(at(f, cmdline, 4), 0x736e6f63);
    assert_int_equal(at(f, cmdline + 13, 1), 0);
    assert_int_equal(at(f, zp + 0x21c, 4), sizeof f->initrd);
    assert_int_equal(initrd % PAGE_SIZE, 0);
    assert_int_equal(at(f, initrd, 1), 0x1d);
    assert_int_equal(at(f, initrd + sizeof f->initrd - 1, 2), 0x1d);
    assert_true(initrd + sizeof f->initrd <= LOW_RAM - BOOT_ACPI_BYTES);
    /* The map in the zero page is boot_e820's; the RSDP is where it says, and sums to 0. */
    struct e820_entry map[E820_MAX];
    unsigned n = boot_e820(&f->info, true, map);
    assert_int_equal(at(f, zp + 0x1e8, 1), n);
    for (unsigned i = 0; i < n; i++) {
        assert_true(at(f, zp + 0x2d0 + 20 * i, 8) == map[i].base);
        assert_true(at(f, zp + 0x2d0 + 20 * i + 8, 8) == map[i].size);
        assert_int_equal(at(f, zp + 0x2d0 + 20 * i + 16, 4), map[i].type);
    }
    uint64_t rsdp = at(f, zp + 0x70, 8);
    uint8_t sum = 0;
    assert_true(at(f, rsdp, 8) == UINT64_C(0x2052545020445352));
    for (unsigned i = 0; i < 20; i++)
        sum = (uint8_t)(sum + at(f, rsdp + i, 1));
    assert_int_equal(sum, 0);
}

/* The header is copied to its own end, which the jump at 0x200 gives, and not beyond: what follows it is code. */
static void test_header_length(void **state)
{
    struct fixture *f = *state;
    memset(f->image + 0x268, 0x77, 0x40);
    loads(f);
    assert_int_equal(at(f, f->info.esi + 0x260, 4), 8 * MIB);
    assert_int_equal(at(f, f->info.esi + 0x268, 1), 0);
}

static void test_versions(void **state)
{
    struct fixture *f = *state;
    make_bzimage(f, 0x201);
    refused(f, "too old");
    make_bzimage(f, 0x202);
    loads(f);
    f->image[0x211] = 0;                             /* a zImage */
    refused(f, "not a bzImage");
    make_bzimage(f, 0x20f);
    f->image[0x1f1] = 0;                             /* means 4 */
    loads(f);
    assert_int_equal(at(f, MIB, 4), 0xc3c3c3c3);
    f->image[0x202] = 'h';
    refused(f, "neither a Linux bzImage nor a Multiboot image");
    make_bzimage(f, 0x20f);
    f->config.kernel.size = (SETUP_SECTORS + 1) * 512;
    refused(f, "cut short");
    f->config.kernel.size = 100;
    refused(f, "neither");
}

static void test_command_line_limits(void **state)
{
    struct fixture *f = *state;
    static char text[2100];
    memset(text, 'x', sizeof text - 1);
    f->config.append = text;
    text[2047] = 0;
    loads(f);
    text[2047] = 'x', text[2048] = 0;
    refused(f, "takes at most 2047");
    make_bzimage(f, 0x205);                          /* before 2.06: 255 */
    text[255] = 0;
    loads(f);
    text[255] = 'x', text[256] = 0;
    refused(f, "takes at most 255");
}

static void test_initrd_limits(void **state)
{
    struct fixture *f = *state;
    f->config.initrd = (struct machine_blob){ "initrd", f->initrd, sizeof f->initrd };
    store_le(f->image + 0x22c, 4, 48 * MIB - 1);     /* the highest address of its last byte */
    loads(f);
    uint64_t initrd = at(f, f->info.esi + 0x218, 4);
    assert_int_equal(initrd, 48 * MIB - 3 * PAGE_SIZE);
    /* The kernel unpacks from its preferred address on: 16 MiB, 8 MiB long. */
    store_le(f->image + 0x22c, 4, 24 * MIB + 3 * PAGE_SIZE - 1);
    loads(f);
    store_le(f->image + 0x22c, 4, 24 * MIB + 2 * PAGE_SIZE - 1);
    refused(f, "do not fit");
    make_bzimage(f, 0x209);                          /* no init_size yet: only the file counts */
    store_le(f->image + 0x22c, 4, 24 * MIB - 1);
    loads(f);
    f->config.initrd.size = LOW_RAM;
    refused(f, "do not fit");
    f->config.initrd.size = 0;
    make_bzimage(f, 0x20f);
    store_le(f->image + 0x260, 4, 60 * MIB);
    refused(f, "needs 77 MiB of memory, the machine has 64");
}

static void test_long_mode(void **state)
{
    struct fixture *f = *state;
    f->info.long_mode = false;
    loads(f);
    store_le(f->image + 0x236, 2, 1);
    refused(f, "no long mode");
    f->info.long_mode = true;
    loads(f);
}

/* ---- Multiboot ----------------------------------------------------------------------------------------- */

enum { MAGIC = 0x1badb002, KLUDGE = 1 << 16, HEADER_AT = 64 };

static void word(struct fixture *f, unsigned offset, uint32_t v) { store_le(f->image + offset, 4, v); }

static void header(struct fixture *f, uint32_t flags)
{
    word(f, HEADER_AT, MAGIC);
    word(f, HEADER_AT + 4, flags);
    word(f, HEADER_AT + 8, -(uint32_t)MAGIC - flags);
}

/* Load addresses in the header: 0x200000 on, from the file's byte 32. */
static void make_flat(struct fixture *f, uint32_t flags)
{
    memset(f->image, 0x90, sizeof f->image);
    header(f, flags | KLUDGE);
    word(f, HEADER_AT + 12, 0x200000 + HEADER_AT - 32);
    word(f, HEADER_AT + 16, 0x200000);
    word(f, HEADER_AT + 20, 0x201000);
    word(f, HEADER_AT + 24, 0x202000);
    word(f, HEADER_AT + 28, 0x200123);
    f->config.kernel = (struct machine_blob){ "flat", f->image, 8192 };
}

static void make_elf(struct fixture *f)
{
    static const uint8_t ident[7] = { 0x7f, 'E', 'L', 'F', 1, 1, 1 };
    memset(f->image, 0, sizeof f->image);
    memcpy(f->image, ident, sizeof ident);
    store_le(f->image + 16, 2, 2);
    store_le(f->image + 18, 2, 3);
    word(f, 24, 0xc0100010);                         /* entry, virtual */
    word(f, 28, 128);                                /* program headers */
    store_le(f->image + 42, 2, 32);
    store_le(f->image + 44, 2, 1);
    header(f, 0);
    word(f, 128, 1);
    word(f, 132, 4096);
    word(f, 136, 0xc0100000);
    word(f, 140, 0x100000);
    word(f, 144, 100);
    word(f, 148, 8192);
    memset(f->image + 4096, 0xab, 100);
    f->config.kernel = (struct machine_blob){ "elf", f->image, 8192 };
}

static void test_multiboot_flat(void **state)
{
    struct fixture *f = *state;
    make_flat(f, 3);
    f->config.append = "a b";
    f->config.n_modules = 2;
    f->config.module[0] = (struct machine_module){ { "one", f->initrd, sizeof f->initrd }, "one -x" };
    f->config.module[1] = (struct machine_module){ { "two", f->initrd + 100, 200 }, "two" };
    memset(f->ram->host + 0x201000, 0xee, 0x1000);
    loads(f);
    assert_int_equal(f->info.eax, 0x2badb002);
    assert_int_equal(f->info.eip, 0x200123);
    assert_int_equal(at(f, 0x200000, 4), 0x90909090);
    assert_int_equal(at(f, 0x200000 + HEADER_AT - 32, 4), MAGIC);
    assert_int_equal(at(f, 0x200ffc, 8), 0x90909090);       /* then bss, zeroed */
    assert_int_equal(at(f, 0x201ff8, 8), 0);
    uint64_t info = f->info.ebx;
    uint32_t flags = (uint32_t)at(f, info, 4);
    assert_int_equal(flags & 0x4d, 0x4d);                   /* memory, command line, modules, map */
    assert_int_equal(flags & 1 << 12, 0);                   /* no framebuffer */
    assert_int_equal(at(f, info + 4, 4), 639);
    assert_int_equal(at(f, info + 8, 4), (LOW_RAM - BOOT_ACPI_BYTES) / 1024 - 1024);
    assert_int_equal(at(f, at(f, info + 16, 4), 4), 0x00622061);
    assert_int_equal(at(f, info + 20, 4), 2);
    uint64_t module = at(f, info + 24, 4), start = at(f, module, 4), end = at(f, module + 4, 4);
    assert_int_equal(end - start, sizeof f->initrd);
    assert_int_equal(start % PAGE_SIZE, 0);
    assert_true(start >= 0x202000);
    assert_int_equal(at(f, start, 2), 0x1d1d);
    assert_int_equal(at(f, at(f, module + 8, 4), 8) & UINT64_C(0xffffffffffffff), UINT64_C(0x00782d20656e6f));
    uint64_t second = at(f, module + 16, 4);
    assert_int_equal(second, align_up(end, PAGE_SIZE));
    assert_int_equal(at(f, module + 20, 4) - second, 200);
    assert_int_equal(at(f, second + 199, 2), 0x1d);
    assert_int_equal(at(f, at(f, module + 24, 4), 4), 0x006f7774);
    uint64_t map = at(f, info + 48, 4), length = at(f, info + 44, 4), ram = 0;
    for (uint64_t e = map; e < map + length; e += at(f, e, 4) + 4)
        ram += at(f, e + 20, 4) == 1 ? at(f, e + 12, 8) : 0;
    assert_true(ram > LOW_RAM - 2 * MIB && ram < LOW_RAM);
}

static void test_multiboot_flat_refused(void **state)
{
    struct fixture *f = *state;
    make_flat(f, 1 << 2);
    refused(f, "asks for a video mode, the machine has no display");
    make_flat(f, 1 << 3);
    refused(f, "a feature that is unknown");
    make_flat(f, 0);
    word(f, HEADER_AT + 16, 0x300000);
    refused(f, "does not fit header address");
    make_flat(f, 0);
    word(f, HEADER_AT + 20, 0x300000);
    refused(f, "lies outside the file");
    make_flat(f, 0);
    word(f, HEADER_AT + 20, 0x1fffff);
    refused(f, "precede its load address");
    make_flat(f, 0);
    word(f, HEADER_AT + 24, 0xfffff000);
    refused(f, "does not fit into memory");
    make_flat(f, 0);
    word(f, HEADER_AT + 12, 0x1000 + HEADER_AT - 32);
    word(f, HEADER_AT + 16, 0x1000);
    word(f, HEADER_AT + 20, 0x2000);
    word(f, HEADER_AT + 24, 0);
    refused(f, "where boot data lies");
    make_flat(f, 0);
    f->config.kernel.size = HEADER_AT + 20;
    refused(f, "cut short");
    make_flat(f, 0);
    f->config.n_modules = 1;
    f->config.module[0] = (struct machine_module){ { "module", f->initrd, LOW_RAM }, "m" };
    refused(f, "does not fit into memory");
    static char text[0x10000];
    memset(text, 'x', sizeof text - 1);
    f->config.module[0] = (struct machine_module){ { "module", f->initrd, 1 }, text };
    refused(f, "too long");
    f->config.n_modules = 0;
    word(f, HEADER_AT + 24, 0x200000 + LOW_RAM - 1);         /* a bss as large as memory */
    refused(f, "does not fit into memory");
}

static void test_multiboot_elf(void **state)
{
    struct fixture *f = *state;
    make_elf(f);
    memset(f->ram->host + 0x100000, 0xee, 0x2000);
    loads(f);
    assert_int_equal(f->info.eip, 0x100010);                /* where the virtual entry was loaded */
    assert_int_equal(at(f, 0x100000 + 96, 8), 0xabababab);
    assert_int_equal(at(f, 0x101ff8, 8), 0);
    word(f, 132, 1 << 30);
    refused(f, "lies outside the file");
    make_elf(f);
    store_le(f->image + 44, 2, 0);
    refused(f, "nothing to load");
    make_elf(f);
    word(f, 28, 8192 - 16);
    refused(f, "program headers lie outside");
    make_elf(f);
    f->image[4] = 2;
    refused(f, "not a 32-bit i386 ELF file");
    make_elf(f);
    f->image[0] = 0;
    refused(f, "neither ELF nor has load addresses");
    make_elf(f);
    word(f, HEADER_AT + 8, 0);                              /* a wrong checksum: no Multiboot header at all */
    refused(f, "neither a Linux bzImage nor a Multiboot image");
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_memory_map), TEST(test_linux), TEST(test_header_length), TEST(test_versions),
        TEST(test_command_line_limits), TEST(test_initrd_limits), TEST(test_long_mode), TEST(test_multiboot_flat),
        TEST(test_multiboot_flat_refused), TEST(test_multiboot_elf),
    };
    return cmocka_run_group_tests_name("boot", tests, NULL, NULL);
}
