/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Multiboot images (Multiboot Specification 0.6.96): ELF32 or a header with
 * load addresses, and modules behind it, each on a page of its own.
 */
#include "board/boot.h"

enum { MB_HEADER_MAGIC = 0x1badb002, MB_BOOT_MAGIC = 0x2badb002, MB_SEARCH = 8192 };
enum { MB_FLAG_VIDEO = 1 << 2, MB_FLAG_ADDRESSES = 1 << 16, MB_MUST_KNOW = 0xffff };

/* Information structure (section 3.3): flags, and where we put its parts after BOOT_INFO. */
enum {
    INFO_MEMORY = 1 << 0,
    INFO_CMDLINE = 1 << 2,
    INFO_MODULES = 1 << 3,
    INFO_MMAP = 1 << 6,
    INFO_LOADER_NAME = 1 << 9,
    INFO_SIZE = 120,
    AT_MODULE = BOOT_INFO + 0x100,
    AT_NAME = BOOT_INFO + 0x200,
    AT_MMAP = BOOT_INFO + 0x300,
    AT_TEXT = BOOT_INFO + 0x1000,    /* of the modules, up to BOOT_CMDLINE */
    MMAP_ENTRY = 24,
    MODULE_ENTRY = 16,
};

static uint32_t word(const struct machine_blob *k, size_t offset)
{
    return (uint32_t)load_le(k->data + offset, 4);
}

/* Offset of the header in the file, or SIZE_MAX. */
static size_t find_header(const struct machine_blob *k)
{
    size_t end = k->size < MB_SEARCH ? k->size : MB_SEARCH;
    for (size_t at = 0; at + 12 <= end; at += 4)
        if (word(k, at) == MB_HEADER_MAGIC && (uint32_t)(word(k, at) + word(k, at + 4) + word(k, at + 8)) == 0)
            return at;
    return SIZE_MAX;
}

bool multiboot_detect(const struct machine_blob *kernel) { return find_header(kernel) != SIZE_MAX; }

/* Copies file bytes and zeroes up to mem_size; everything must be RAM below 4 GiB. */
static bool load_segment(struct boot_info *info, uint64_t address, uint64_t offset, uint64_t file_size,
                         uint64_t mem_size, uint64_t *top, struct error *err)
{
    const struct machine_blob *k = &info->config->kernel;
    static const uint8_t zeros[PAGE_SIZE];
    if (offset > k->size || file_size > k->size - offset || mem_size < file_size)
        return error_set(err, "Multiboot image '%s': a segment at file offset %llu lies outside the file", k->path,
                         (unsigned long long)offset);
    if (address < BOOT_CMDLINE + 0x10000 && mem_size)
        return error_set(err, "Multiboot image '%s': load address 0x%llx is below 192 KiB, where boot data lies",
                         k->path, (unsigned long long)address);
    uint64_t end = info->ram_below_4g - BOOT_ACPI_BYTES;
    if (address > end || mem_size > end - address)
        return error_set(err, "Multiboot image '%s': segment 0x%llx+0x%llx does not fit into memory", k->path,
                         (unsigned long long)address, (unsigned long long)mem_size);
    space_write(info->mem, address, k->data + offset, file_size);
    for (uint64_t done = file_size; done < mem_size;) {
        uint64_t n = mem_size - done < sizeof zeros ? mem_size - done : sizeof zeros;
        space_write(info->mem, address + done, zeros, n);
        done += n;
    }
    if (address + mem_size > *top)
        *top = address + mem_size;
    return true;
}

/* Section 3.1.3: the header's address fields. */
static bool load_by_header(struct boot_info *info, size_t at, uint64_t *top, struct error *err)
{
    const struct machine_blob *k = &info->config->kernel;
    if (at + 32 > k->size)
        return error_set(err, "Multiboot image '%s': the header is cut short", k->path);
    uint32_t header_addr = word(k, at + 12), load_addr = word(k, at + 16);
    uint32_t load_end = word(k, at + 20), bss_end = word(k, at + 24);
    if (load_addr > header_addr || header_addr - load_addr > at)
        return error_set(err, "Multiboot image '%s': load address 0x%x does not fit header address 0x%x", k->path,
                         load_addr, header_addr);
    uint64_t offset = at - (header_addr - load_addr);
    uint64_t size = load_end ? (uint64_t)load_end - load_addr : k->size - offset;
    uint64_t mem = bss_end ? (uint64_t)bss_end - load_addr : size;
    if ((load_end && load_end < load_addr) || (bss_end && bss_end < load_addr))
        return error_set(err, "Multiboot image '%s': the header's end addresses precede its load address", k->path);
    info->eip = word(k, at + 28);
    return load_segment(info, load_addr, offset, size, mem < size ? size : mem, top, err);
}

/* ELF32 program headers (System V ABI, chapter 5).  The entry is a virtual address; we jump to where it was loaded. */
static bool load_by_elf(struct boot_info *info, uint64_t *top, struct error *err)
{
    enum { ELF_HEADER = 52, PHDR = 32, PT_LOAD = 1, EM_386 = 3 };
    const struct machine_blob *k = &info->config->kernel;
    if (k->size < ELF_HEADER || memcmp(k->data, "\177ELF", 4) != 0)
        return error_set(err, "Multiboot image '%s' is neither ELF nor has load addresses", k->path);
    if (k->data[4] != 1 || load_le(k->data + 18, 2) != EM_386)
        return error_set(err, "Multiboot image '%s' is not a 32-bit i386 ELF file", k->path);
    uint64_t phoff = word(k, 28);
    unsigned phentsize = (unsigned)load_le(k->data + 42, 2), phnum = (unsigned)load_le(k->data + 44, 2);
    if (phentsize < PHDR || phoff > k->size || (uint64_t)phentsize * phnum > k->size - phoff)
        return error_set(err, "Multiboot image '%s': its program headers lie outside the file", k->path);
    uint32_t entry = word(k, 24);
    info->eip = entry;
    for (unsigned i = 0; i < phnum; i++) {
        size_t ph = phoff + (size_t)phentsize * i;
        uint32_t offset = word(k, ph + 4), virtual_ = word(k, ph + 8), physical = word(k, ph + 12);
        uint32_t size = word(k, ph + 20);
        if (word(k, ph) != PT_LOAD)
            continue;
        if (!load_segment(info, physical, offset, word(k, ph + 16), size, top, err))
            return false;
        if (entry >= virtual_ && entry - virtual_ < size)
            info->eip = entry - virtual_ + physical;
    }
    return *top || error_set(err, "Multiboot image '%s' has nothing to load", k->path);
}

static void write_string(struct boot_info *info, uint64_t at, const char *s)
{
    space_write(info->mem, at, s, strlen(s) + 1);
}

/* Section 3.3, mods: each module behind `top`, in order, on a page boundary; its entry says where, and its text. */
static bool load_modules(struct boot_info *info, uint64_t top, struct error *err)
{
    const struct machine_config *c = info->config;
    uint64_t end = info->ram_below_4g - BOOT_ACPI_BYTES, text = AT_TEXT;
    for (unsigned i = 0; i < c->n_modules; i++) {
        const struct machine_module *m = &c->module[i];
        uint64_t at = align_up(top, PAGE_SIZE), entry = AT_MODULE + MODULE_ENTRY * i;
        if (at > end || m->blob.size > end - at)
            return error_set(err, "module '%s' (%zu bytes) does not fit into memory", m->blob.path, m->blob.size);
        if (strlen(m->text) >= BOOT_CMDLINE - text)
            return error_set(err, "the arguments of module '%s' are too long", m->blob.path);
        top = at + m->blob.size;
        space_write(info->mem, at, m->blob.data, m->blob.size);
        write_string(info, text, m->text);
        space_store(info->mem, entry, 4, at);
        space_store(info->mem, entry + 4, 4, top);
        space_store(info->mem, entry + 8, 4, text);
        space_store(info->mem, entry + 12, 4, 0);
        text += strlen(m->text) + 1;
    }
    return true;
}

/* Section 3.3. */
static void write_info(struct boot_info *info)
{
    const struct machine_config *c = info->config;
    struct e820_entry map[E820_MAX];
    unsigned n = boot_e820(info, true, map);
    uint8_t mb[INFO_SIZE] = { 0 };
    uint32_t flags = INFO_MEMORY | INFO_CMDLINE | INFO_MODULES | INFO_MMAP | INFO_LOADER_NAME;
    for (unsigned i = 0; i < n; i++) {
        uint64_t at = AT_MMAP + MMAP_ENTRY * i;
        space_store(info->mem, at, 4, MMAP_ENTRY - 4);
        space_store(info->mem, at + 4, 8, map[i].base);
        space_store(info->mem, at + 12, 8, map[i].size);
        space_store(info->mem, at + 20, 4, map[i].type);
    }
    write_string(info, AT_NAME, "reprise");
    write_string(info, BOOT_CMDLINE, c->append ? c->append : "");
    store_le(mb, 4, flags);
    store_le(mb + 4, 4, BOOT_EBDA / 1024);
    store_le(mb + 8, 4, (info->ram_below_4g - BOOT_ACPI_BYTES) / 1024 - 1024);
    store_le(mb + 16, 4, BOOT_CMDLINE);
    store_le(mb + 20, 4, c->n_modules);
    store_le(mb + 24, 4, AT_MODULE);
    store_le(mb + 44, 4, MMAP_ENTRY * n);
    store_le(mb + 48, 4, AT_MMAP);
    store_le(mb + 64, 4, AT_NAME);
    space_write(info->mem, BOOT_INFO, mb, sizeof mb);
}

bool multiboot_load(struct boot_info *info, struct error *err)
{
    const struct machine_config *c = info->config;
    size_t at = find_header(&c->kernel);
    uint32_t flags = word(&c->kernel, at + 4);
    uint64_t top = 0;
    if (flags & MB_MUST_KNOW & ~7u)
        return error_set(err, "Multiboot image '%s' asks for a feature that is unknown: flags 0x%x", c->kernel.path,
                         flags);
    if (flags & MB_FLAG_VIDEO)
        return error_set(err, "Multiboot image '%s' asks for a video mode, the machine has no display",
                         c->kernel.path);
    if (c->append && strlen(c->append) >= 0x10000)
        return error_set(err, "kernel command line is longer than 64 KiB");
    if (!(flags & MB_FLAG_ADDRESSES ? load_by_header(info, at, &top, err) : load_by_elf(info, &top, err)))
        return false;
    if (!load_modules(info, top, err))
        return false;
    write_info(info);
    info->eax = MB_BOOT_MAGIC;
    info->ebx = BOOT_INFO;
    info->esi = 0;
    info->esp = BOOT_INFO;
    return true;
}
