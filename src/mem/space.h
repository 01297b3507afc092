/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Address spaces: the machine's physical memory map and its I/O port map.
 *
 * A space maps ranges to RAM (pages of a ram block), ROM (RAM whose writes go
 * to an io_ops or nowhere) or devices.  Ranges are page granular for RAM and
 * byte granular for devices.  Later mappings win over earlier ones at a higher
 * or equal priority; unmapping uncovers what was below (PAM, PCI BARs, VGA holes).
 *
 * Invariants
 *  1. Reading unmapped space gives all ones and writing it does nothing; both
 *     are reported to the sink at SINK_GUEST.
 *  2. A change of the map calls every listener (TLBs flush themselves).
 *  3. Every write to RAM, from whatever side, passes ram_note_write()
 *     (dirty epochs and code invalidation), except stores through a TLB entry
 *     whose page is already dirty and holds no code.
 */
#ifndef REPRISE_MEM_SPACE_H
#define REPRISE_MEM_SPACE_H

#include "base/error.h"
#include "base/sink.h"
#include "mem/ram.h"

struct space;

/*
 * A device's registers.  addr is relative to the mapping's base; size is 1, 2,
 * 4 or 8.  Accesses outside [min_size, max_size] are split or widened by the
 * space before the device sees them; accesses are little-endian.
 */
struct io_ops {
    uint64_t (*read)(void *opaque, uint64_t addr, unsigned size);
    void (*write)(void *opaque, uint64_t addr, unsigned size, uint64_t value);
    uint8_t min_size, max_size;   /* 0 means 1 and 4 */
};

struct space_map;   /* one mapping; freed with the space */

/* size: the space's extent in bytes (65536 for ports, up to 1 << 52 for memory). */
struct space *space_new(const char *name, uint64_t size, const struct sink *sink);
void space_free(struct space *s);

/*
 * Mappings are created enabled.  base and size are page aligned for RAM.
 * priority: 0 normal, higher wins.  name is copied, for messages.
 */
struct space_map *space_map_ram(struct space *s, const char *name, uint64_t base, uint64_t size, int priority,
                                struct ram *ram, uint64_t ram_offset, bool writable);
struct space_map *space_map_io(struct space *s, const char *name, uint64_t base, uint64_t size, int priority,
                               const struct io_ops *ops, void *opaque);

/* Moves, enables or disables a mapping; writable is only for RAM.  Listeners are called if anything changes. */
void space_map_move(struct space_map *m, uint64_t base);
void space_map_enable(struct space_map *m, bool enabled);
void space_map_writable(struct space_map *m, bool writable);

/* A flat view of one address, for the soft MMU: what backs the page or byte there. */
struct space_target {
    struct ram *ram;             /* RAM or ROM; NULL for a device or nothing */
    uint64_t ram_offset;         /* offset of addr in it */
    bool writable;               /* RAM: stores go to memory */
    bool page_uniform;           /* the whole 4 KiB page around addr is this one RAM mapping */
};
struct space_target space_lookup(const struct space *s, uint64_t addr);

/* Any length, RAM or devices (devices get naturally aligned pieces of up to their max_size). */
void space_read(struct space *s, uint64_t addr, void *out, size_t len);
void space_write(struct space *s, uint64_t addr, const void *data, size_t len);

/* One access of size 1, 2, 4 or 8. */
uint64_t space_load(struct space *s, uint64_t addr, unsigned size);
void space_store(struct space *s, uint64_t addr, unsigned size, uint64_t value);

/*
 * Sets bits in a page-table entry of 4 or 8 bytes, as a page walk does for accessed and dirty:
 * TLBs stay as they are (mem/ram.h, ram_note_walk).  Nothing happens outside writable RAM.
 */
void space_set_bits(struct space *s, uint64_t addr, unsigned size, uint64_t bits);

void space_listen(struct space *s, void (*changed)(void *opaque), void *opaque);

#endif
