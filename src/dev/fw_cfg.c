/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Items are wiring, fixed when the machine is made; state is only what is
 * selected and how far it was read.
 */
#include "dev/fw_cfg.h"

#include <stdlib.h>

enum { NAME_SIZE = 56, DIR_ENTRY = 64, LOCAL_KEYS = 1 };
enum { DMA_ERROR = 1, DMA_READ = 2, DMA_SKIP = 4, DMA_SELECT = 8, DMA_WRITE = 16 };
#define DMA_SIGNATURE UINT64_C(0x51454d5520434647)    /* "QEMU CFG", big-endian */

struct fw_cfg_state {
    uint64_t dma_address;
    uint32_t offset;
    uint16_t key;
    uint16_t pad;
};

static const struct state_field fields[] = {
    STATE_UINT(struct fw_cfg_state, dma_address), STATE_UINT(struct fw_cfg_state, offset),
    STATE_UINT(struct fw_cfg_state, key),         STATE_PAD(struct fw_cfg_state, pad),
};
static STATE_DESC(fw_cfg_desc, struct fw_cfg_state, 1, fields);

struct item {
    uint16_t key;
    struct buf data;
};

struct fw_cfg {
    struct fw_cfg_state s;
    struct space *mem;
    struct item item[FW_CFG_FILE_FIRST + FW_CFG_FILES + LOCAL_KEYS];
    unsigned n_items, n_files;
    char name[FW_CFG_FILES][NAME_SIZE];
};

/* ---- reading ----------------------------------------------------------------------- */

static const struct buf *selected(const struct fw_cfg *f)
{
    for (unsigned i = 0; i < f->n_items; i++)
        if (f->item[i].key == (f->s.key & 0xbfff))     /* bit 14: write channel, as good as this one */
            return &f->item[i].data;
    return NULL;
}

static uint8_t next_byte(struct fw_cfg *f)
{
    const struct buf *b = selected(f);
    return b && f->s.offset < b->len ? b->data[f->s.offset++] : 0;
}

static void select_key(struct fw_cfg *f, uint16_t key)
{
    f->s.key = key;
    f->s.offset = 0;
}

/* ---- DMA ------------------------------------------------------------------------------ */

static uint32_t load_be32(const uint8_t *p) { return __builtin_bswap32((uint32_t)load_le(p, 4)); }

/* Copies left bytes of the item, zeros behind its end, to memory that must be RAM.  False: it is not. */
static bool dma_read(struct fw_cfg *f, uint64_t to, uint32_t left)
{
    static const uint8_t zeros[PAGE_SIZE];
    const struct buf *b = selected(f);
    for (uint32_t n; left; left -= n, to += n) {
        uint32_t have = b && f->s.offset < b->len ? (uint32_t)b->len - f->s.offset : 0;
        n = PAGE_SIZE - (uint32_t)(to % PAGE_SIZE);
        n = n < left ? n : left;
        if (have)
            n = n < have ? n : have;
        struct space_target target = space_lookup(f->mem, to);
        if (!target.ram || !target.writable)
            return false;
        space_write(f->mem, to, have ? b->data + f->s.offset : zeros, n);
        f->s.offset += have ? n : 0;
    }
    return true;
}

static void dma_skip(struct fw_cfg *f, uint32_t n)
{
    const struct buf *b = selected(f);
    uint64_t end = b ? b->len : 0, to = (uint64_t)f->s.offset + n;
    f->s.offset = (uint32_t)(to < end ? to : end);
}

/* One at a time: read before write before skip; nothing here takes writes. */
static void run_dma(struct fw_cfg *f)
{
    uint8_t d[16], result[4] = { 0 };
    uint64_t at = f->s.dma_address;
    space_read(f->mem, at, d, sizeof d);
    uint32_t control = load_be32(d), length = load_be32(d + 4);
    uint64_t address = (uint64_t)load_be32(d + 8) << 32 | load_be32(d + 12);
    f->s.dma_address = 0;
    if (control & DMA_SELECT)
        select_key(f, (uint16_t)(control >> 16));
    if (control & DMA_READ)
        result[3] = dma_read(f, address, length) ? 0 : DMA_ERROR;
    else if (control & DMA_WRITE)
        result[3] = length ? DMA_ERROR : 0;
    else if (control & DMA_SKIP)
        dma_skip(f, length);
    space_write(f->mem, at, result, sizeof result);
}

/* ---- ports -------------------------------------------------------------------------------- */

static uint64_t control_read(void *opaque, uint64_t addr, unsigned size)
{
    if (size == 1 && addr == 1)
        return next_byte(opaque);
    return 0;
}

static void control_write(void *opaque, uint64_t addr, unsigned size, uint64_t value)
{
    if (size == 2 && addr == 0)
        select_key(opaque, (uint16_t)value);
}

static uint64_t dma_port_read(void *opaque, uint64_t addr, unsigned size)
{
    (void)opaque;
    uint64_t le = __builtin_bswap64(DMA_SIGNATURE);     /* byte i of the register is byte i in memory */
    return le >> 8 * addr & mask64(8 * size);
}

/* Big-endian; the low half starts it. */
static void dma_port_write(void *opaque, uint64_t addr, unsigned size, uint64_t value)
{
    struct fw_cfg *f = opaque;
    if (size == 4 && addr == 0)
        f->s.dma_address = (uint64_t)__builtin_bswap32((uint32_t)value) << 32;
    if (size == 4 && addr == 4) {
        f->s.dma_address |= __builtin_bswap32((uint32_t)value);
        run_dma(f);
    }
}

static const struct io_ops control_ops = { control_read, control_write, 1, 2 };
static const struct io_ops dma_ops = { dma_port_read, dma_port_write, 1, 4 };

/* ---- items ---------------------------------------------------------------------------------- */

void fw_cfg_add(struct fw_cfg *f, uint16_t key, const void *data, size_t len)
{
    struct item *i = NULL;
    for (unsigned n = 0; n < f->n_items && !i; n++)
        if (f->item[n].key == key)
            i = &f->item[n];
    if (!i) {
        require(f->n_items < ARRAY_LEN(f->item));
        i = &f->item[f->n_items++];
    }
    i->key = key;
    i->data.len = 0;
    buf_put(&i->data, data, len);
}

void fw_cfg_add_number(struct fw_cfg *f, uint16_t key, uint64_t v, unsigned len)
{
    uint8_t bytes[8];
    store_le(bytes, len, v);
    fw_cfg_add(f, key, bytes, len);
}

/* The directory: count, then size, key, name of each, big-endian. */
static void list_files(struct fw_cfg *f)
{
    struct buf dir = { 0 };
    uint8_t count[4];
    store_le(count, 4, __builtin_bswap32(f->n_files));
    buf_put(&dir, count, 4);
    for (unsigned i = 0; i < f->n_files; i++) {
        uint8_t e[DIR_ENTRY] = { 0 };
        for (unsigned n = 0; n < f->n_items; n++)
            if (f->item[n].key == FW_CFG_FILE_FIRST + i)
                store_le(e, 4, __builtin_bswap32((uint32_t)f->item[n].data.len));
        store_le(e + 4, 2, __builtin_bswap16((uint16_t)(FW_CFG_FILE_FIRST + i)));
        memcpy(e + 8, f->name[i], NAME_SIZE);
        buf_put(&dir, e, sizeof e);
    }
    fw_cfg_add(f, FW_CFG_FILE_DIR, dir.data, dir.len);
    buf_free(&dir);
}

void fw_cfg_add_file(struct fw_cfg *f, const char *name, const void *data, size_t len)
{
    require(f->n_files < FW_CFG_FILES && strlen(name) < NAME_SIZE);
    memcpy(f->name[f->n_files], name, strlen(name));
    fw_cfg_add(f, (uint16_t)(FW_CFG_FILE_FIRST + f->n_files++), data, len);
    list_files(f);
}

/* ---- life --------------------------------------------------------------------------------------- */

struct fw_cfg *fw_cfg_new(struct sim *sim, struct space *io, struct space *mem)
{
    struct fw_cfg *f = NEW(struct fw_cfg);
    f->mem = mem;
    state_set_add(sim_state(sim), "fw_cfg", &fw_cfg_desc, &f->s, NULL, NULL, NULL);
    space_map_io(io, "fw_cfg", 0x510, 2, 0, &control_ops, f);
    space_map_io(io, "fw_cfg.dma", 0x514, 8, 0, &dma_ops, f);
    fw_cfg_add(f, FW_CFG_SIGNATURE, "QEMU", 4);
    fw_cfg_add_number(f, FW_CFG_ID, 3, 4);         /* port and DMA */
    list_files(f);
    return f;
}

void fw_cfg_free(struct fw_cfg *f)
{
    for (unsigned i = 0; i < f->n_items; i++)
        buf_free(&f->item[i].data);
    free(f);
}

void fw_cfg_reset(struct fw_cfg *f) { f->s = (struct fw_cfg_state){ 0 }; }
