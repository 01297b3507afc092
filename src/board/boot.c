/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Direct boot: the memory map and ACPI tables that every kernel gets, and the
 * Linux boot protocol (Documentation/x86/boot.rst, "32-bit boot protocol";
 * 64-bit bzImages enter through the same 32-bit entry point).
 */
#include "board/boot.h"

enum { MIB = 1 << 20 };

/* ---- memory map ------------------------------------------------------------ */

unsigned boot_e820(const struct boot_info *info, bool direct, struct e820_entry out[E820_MAX])
{
    unsigned n = 0;
    uint64_t low_end = info->ram_below_4g;
    if (direct) {
        out[n++] = (struct e820_entry){ 0, BOOT_EBDA, E820_RAM };
        out[n++] = (struct e820_entry){ BOOT_EBDA, 0xa0000 - BOOT_EBDA, E820_RESERVED };
        out[n++] = (struct e820_entry){ 0xf0000, 0x10000, E820_RESERVED };
        out[n++] = (struct e820_entry){ MIB, low_end - BOOT_ACPI_BYTES - MIB, E820_RAM };
        out[n++] = (struct e820_entry){ low_end - BOOT_ACPI_BYTES, BOOT_ACPI_BYTES, E820_ACPI };
        out[n++] = (struct e820_entry){ 0xfffc0000, 0x40000, E820_RESERVED };
    } else {
        out[n++] = (struct e820_entry){ 0, low_end, E820_RAM };
    }
    if (info->ram_above_4g)
        out[n++] = (struct e820_entry){ UINT64_C(1) << 32, info->ram_above_4g, E820_RAM };
    return n;
}

/* ---- what every direct boot needs ---------------------------------------------- */

static void write_gdt(struct boot_info *info)
{
    /* Null, unused, flat 4 GiB code (0x10), flat 4 GiB data (0x18). */
    static const uint64_t gdt[4] = { 0, 0, UINT64_C(0x00cf9b000000ffff), UINT64_C(0x00cf93000000ffff) };
    space_write(info->mem, BOOT_GDT, gdt, sizeof gdt);
    info->gdt_limit = sizeof gdt - 1;
}

static bool write_acpi(struct boot_info *info, struct error *err)
{
    struct acpi_tables t;
    uint64_t base = info->ram_below_4g - BOOT_ACPI_BYTES;
    acpi_build(&info->acpi, &t);
    bool fits = t.tables.len <= BOOT_ACPI_BYTES;
    if (fits) {
        acpi_relocate(&t, (uint32_t)base);
        space_write(info->mem, base, t.tables.data, t.tables.len);
        /* A search for the RSDP starts in the EBDA, whose segment is at 0x40e (ACPI 5.2.5.1). */
        space_write(info->mem, BOOT_EBDA + 16, t.rsdp.data, t.rsdp.len);
        space_store(info->mem, BOOT_EBDA, 1, 1);
        space_store(info->mem, 0x40e, 2, BOOT_EBDA >> 4);
        space_store(info->mem, 0x413, 2, BOOT_EBDA >> 10);
    }
    acpi_free(&t);
    return fits || error_set(err, "ACPI tables for %u CPUs do not fit in %u KiB", info->acpi.cpus,
                             BOOT_ACPI_BYTES / 1024);
}

/* ---- Linux --------------------------------------------------------------------- */

/* Offsets in the setup header and the zero page (struct boot_params). */
enum {
    ZP_ACPI_RSDP = 0x70,
    ZP_E820_COUNT = 0x1e8,
    HDR_START = 0x1f1,
    HDR_SETUP_SECTS = 0x1f1,
    HDR_VID_MODE = 0x1fa,
    HDR_JUMP = 0x200,
    HDR_MAGIC = 0x202,
    HDR_VERSION = 0x206,
    HDR_LOADER = 0x210,
    HDR_LOADFLAGS = 0x211,
    HDR_CODE32 = 0x214,
    HDR_RAMDISK = 0x218,
    HDR_RAMDISK_SIZE = 0x21c,
    HDR_HEAP_END = 0x224,
    HDR_CMDLINE = 0x228,
    HDR_INITRD_MAX = 0x22c,
    HDR_XLOADFLAGS = 0x236,
    HDR_CMDLINE_SIZE = 0x238,
    HDR_PREF_ADDRESS = 0x258,
    HDR_INIT_SIZE = 0x260,
    ZP_E820 = 0x2d0,
    ZP_SIZE = 0x1000,
};
enum { LOADFLAG_HIGH = 1, LOADFLAG_HEAP = 0x80, XLF_KERNEL_64 = 1 };

struct linux_image {
    const uint8_t *data;
    size_t size;
    size_t setup_bytes;      /* the protected-mode part starts here */
    unsigned version;
    uint32_t cmdline_max, initrd_max;
    uint64_t end;            /* the first byte that the kernel does not need before it reads the memory map */
};

/*
 * Loaded at 1 MiB, the kernel unpacks itself within init_size bytes from there or, if that is higher, from its
 * preferred address.
 */
static uint64_t kernel_end(const struct linux_image *img)
{
    uint64_t end = MIB + (img->size - img->setup_bytes), start = MIB;
    if (img->version < 0x20a)
        return end;
    uint64_t preferred = load_le(img->data + HDR_PREF_ADDRESS, 8), size = load_le(img->data + HDR_INIT_SIZE, 4);
    if (preferred > start && preferred < UINT64_C(1) << 32)
        start = preferred;
    return start + size > end ? start + size : end;
}

static bool parse_bzimage(const struct machine_blob *k, bool long_mode, struct linux_image *img, struct error *err)
{
    const uint8_t *d = k->data;
    if (k->size < 0x400 || load_le(d + 0x1fe, 2) != 0xaa55 || load_le(d + HDR_MAGIC, 4) != 0x53726448)
        return error_set(err, "kernel '%s' is neither a Linux bzImage nor a Multiboot image", k->path);
    *img = (struct linux_image){ .data = d, .size = k->size, .version = (unsigned)load_le(d + HDR_VERSION, 2) };
    if (img->version < 0x202 || !(d[HDR_LOADFLAGS] & LOADFLAG_HIGH))
        return error_set(err, "kernel '%s' is too old: boot protocol %u.%02u, not a bzImage of 2.02 or later", k->path,
                         img->version >> 8, img->version & 0xff);
    img->setup_bytes = 512 * ((d[HDR_SETUP_SECTS] ? d[HDR_SETUP_SECTS] : 4) + 1u);
    if (img->setup_bytes >= k->size)
        return error_set(err, "kernel '%s' is cut short: its setup code alone is %zu bytes, the file %zu", k->path,
                         img->setup_bytes, k->size);
    if (img->version >= 0x20c && load_le(d + HDR_XLOADFLAGS, 2) & XLF_KERNEL_64 && !long_mode)
        return error_set(err, "kernel '%s' is for x86-64, and the CPU (-cpu) has no long mode", k->path);
    img->cmdline_max = img->version >= 0x206 ? (uint32_t)load_le(d + HDR_CMDLINE_SIZE, 4) : 255;
    img->initrd_max = img->version >= 0x203 ? (uint32_t)load_le(d + HDR_INITRD_MAX, 4) : 0x37ffffff;
    img->end = kernel_end(img);
    return true;
}

/* Returns the initrd's address, 0 without one; as high as the kernel and RAM allow. */
static bool place_initrd(struct boot_info *info, const struct linux_image *img, uint32_t *address, struct error *err)
{
    const struct machine_blob *initrd = &info->config->initrd;
    *address = 0;
    if (!initrd->size)
        return true;
    uint64_t end = info->ram_below_4g - BOOT_ACPI_BYTES;
    if (end > (uint64_t)img->initrd_max + 1)
        end = (uint64_t)img->initrd_max + 1;
    if (initrd->size > end || align_down(end - initrd->size, PAGE_SIZE) < img->end)
        return error_set(err, "initrd '%s' (%zu bytes) and the kernel do not fit into %llu MiB of memory",
                         initrd->path, initrd->size, (unsigned long long)(info->ram_below_4g / MIB));
    *address = (uint32_t)align_down(end - initrd->size, PAGE_SIZE);
    space_write(info->mem, *address, initrd->data, initrd->size);
    return true;
}

static void fill_zero_page(const struct boot_info *info, const struct linux_image *img, uint32_t initrd,
                           uint8_t zp[ZP_SIZE])
{
    struct e820_entry map[E820_MAX];
    unsigned n = boot_e820(info, true, map);
    size_t header_end = HDR_MAGIC + img->data[HDR_JUMP + 1];
    memset(zp, 0, ZP_SIZE);
    memcpy(zp + HDR_START, img->data + HDR_START, header_end - HDR_START);
    zp[HDR_LOADER] = 0xff;
    zp[HDR_LOADFLAGS] |= LOADFLAG_HEAP;
    store_le(zp + HDR_VID_MODE, 2, 0xffff);
    store_le(zp + HDR_HEAP_END, 2, 0xfe00);
    store_le(zp + HDR_CMDLINE, 4, BOOT_CMDLINE);
    store_le(zp + HDR_RAMDISK, 4, initrd);
    store_le(zp + HDR_RAMDISK_SIZE, 4, info->config->initrd.size);
    store_le(zp + ZP_ACPI_RSDP, 8, BOOT_EBDA + 16);
    zp[ZP_E820_COUNT] = (uint8_t)n;
    for (unsigned i = 0; i < n; i++) {
        uint8_t *e = zp + ZP_E820 + 20 * i;
        store_le(e, 8, map[i].base);
        store_le(e + 8, 8, map[i].size);
        store_le(e + 16, 4, map[i].type);
    }
}

static bool linux_load(struct boot_info *info, struct error *err)
{
    const struct machine_config *c = info->config;
    struct linux_image img = { 0 };
    uint8_t zp[ZP_SIZE];
    uint32_t initrd;
    const char *append = c->append ? c->append : "";
    if (!parse_bzimage(&c->kernel, info->long_mode, &img, err))
        return false;
    size_t payload = img.size - img.setup_bytes;
    if (img.end > info->ram_below_4g - BOOT_ACPI_BYTES)
        return error_set(err, "kernel '%s' needs %llu MiB of memory, the machine has %llu", c->kernel.path,
                         (unsigned long long)((img.end + BOOT_ACPI_BYTES - 1) / MIB + 1),
                         (unsigned long long)(info->ram_below_4g / MIB));
    if (strlen(append) > img.cmdline_max)
        return error_set(err, "kernel command line is %zu bytes, kernel '%s' takes at most %u", strlen(append),
                         c->kernel.path, img.cmdline_max);
    if (!place_initrd(info, &img, &initrd, err))
        return false;
    fill_zero_page(info, &img, initrd, zp);
    space_write(info->mem, BOOT_INFO, zp, sizeof zp);
    space_write(info->mem, BOOT_CMDLINE, append, strlen(append) + 1);
    space_write(info->mem, MIB, img.data + img.setup_bytes, payload);
    info->eip = MIB;
    info->esi = BOOT_INFO;
    info->eax = info->ebx = 0;
    info->esp = BOOT_INFO;
    return true;
}

bool boot_load(struct boot_info *info, struct error *err)
{
    if (info->ram_below_4g < 4 * MIB)
        return error_set(err, "booting a kernel needs at least 4 MiB of memory");
    write_gdt(info);
    if (!write_acpi(info, err))
        return false;
    return multiboot_detect(&info->config->kernel) ? multiboot_load(info, err) : linux_load(info, err);
}
