/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The engine kind "jit": chaining, the jump cache, and runs. */
#include "engine/x64/compiler.h"

#include <stdlib.h>

static bool init(struct engine *e, struct error *err)
{
    struct jit *j = NEW(struct jit);
    e->own = j;
    x64_host_probe(&j->host);
    const struct x64_host *h = &j->host;
    if (!(h->avx && h->bmi1 && h->bmi2 && h->lzcnt && h->popcnt && h->sse42))
        return error_set(err, "the host's CPU lacks AVX, BMI1, BMI2, LZCNT or POPCNT");
    x64_recent_init(j);
    for (unsigned k = 0; k < N_PINS; k++)
        j->pin[x64_pins[k]] = (uint8_t)(k + 1);
    if (!x64_memory_init(e, err))
        return false;
    for (unsigned k = 0; k < JUMP_ENTRIES; k++)
        j->jump[k].flags = NO_BLOCK;
    return true;
}

static void fini(struct engine *e)
{
    struct jit *j = jit_of(e);
    x64_memory_fini(e);
    free(j);
    e->own = NULL;
}

static const void *runs_at(const struct jit *j, const struct x64_code *code)
{
    return (const void *)((uintptr_t)code->start + (uintptr_t)j->exec_delta);
}

static uint32_t where(const struct jit *j, const struct block *b)
{
    return (uint32_t)(((struct x64_code *)b->code)->start - j->memory.write) | b->key.fetch_mode;
}

static uint64_t addend_of(const struct block *b) { return x64_addend(b->ram, b->ram_offset, b->key.va); }

static void killed(struct engine *e, struct block *b)
{
    struct jit *j = jit_of(e);
    unsigned at = x64_jump_index(b->key.pc);
    for (unsigned k = 0; k < 2; k++) {
        struct x64_jump *entry = &j->jump[at ^ k];
        if (entry->pc == b->key.pc && entry->where == where(j, b))
            entry->flags = NO_BLOCK;
    }
}

/* Blocks that run much. */
static bool follows(const struct engine *e, const struct ram *ram, uint64_t offset)
{
    return x64_has_place(jit_of(e)->hot, ram, offset);
}

/* At least some samples, and about as many runs. */
static bool is_likely(const struct engine *e, const struct ram *ram, uint64_t begin, uint64_t target)
{
    const uint32_t *often = jit_of(e)->often;
    uint32_t there = often[x64_often_index(ram, target)];
    return there >= OFTEN_SAMPLE / 2 && there * 2 > often[x64_often_index(ram, begin)];
}

static void free_code(struct engine *e, struct block *b)
{
    x64_memory_forget(e, b);
    struct x64_code *code = b->code;
    x64_recent_free(e, code->recent);
    pool_free(&e->pool, code, code->bytes);
}

/* Is the entry b's, as it is mapped now? */
static bool is_entry_of(const struct jit *j, const struct x64_jump *entry, const struct block *b)
{
    return entry->pc == b->key.pc && entry->flags == b->key.flags && entry->where == where(j, b) &&
           entry->addend == addend_of(b);
}

/*
 * The jump cache knows b from now on.  Of two entries that b may have, it gets the first, whose block moves to the
 * second.
 * Between two of these at most two entries become trusted, so the list of those cannot overflow.
 */
static void note_jump(struct jit *j, struct vcpu *v, const struct block *b)
{
    if (b->limit || !b->ram || !x64_jumps_to(&b->key))
        return;
    unsigned at = x64_jump_index(b->key.pc);
    struct x64_jump *first = &j->jump[at], *second = &j->jump[at ^ 1];
    if (is_entry_of(j, first, b) || is_entry_of(j, second, b))
        return;
    if (++j->n_noted == JUMP_ENTRIES / 2) {
        tlb_drop_recent(v);
        j->n_noted = 0;
    }
    if (first->flags != NO_BLOCK && first->pc != b->key.pc) {
        *second = *first;
        second->code = j->doubt;
    }
    *first = (struct x64_jump){ .pc = b->key.pc, .code = j->doubt, .addend = addend_of(b),
                                .flags = (uint32_t)b->key.flags, .where = where(j, b) };
}
_Static_assert(2 * JUMP_ENTRIES + LINK_PAGES <= RECENT_TRUSTED, "entries, and two for each that is noted; pages");

/*
 * Code written through one address runs through another: SDM vol. 3, 9.1.3 asks for a
 * serialising instruction between.  IRET is the cheapest that a hypervisor does not intercept.
 */
static void serialise(void)
{
    __asm__ volatile("movl %%ss, %%eax\n\t"
                     "leaq -128(%%rsp), %%rsp\n\t"      /* the red zone */
                     "movq %%rsp, %%rcx\n\t"
                     "pushq %%rax\n\t"
                     "pushq %%rcx\n\t"
                     "pushfq\n\t"
                     "movl %%cs, %%eax\n\t"
                     "pushq %%rax\n\t"
                     "leaq 1f(%%rip), %%rax\n\t"
                     "pushq %%rax\n\t"
                     "iretq\n"
                     "1:\n\t"
                     "leaq 128(%%rsp), %%rsp"
                     :
                     :
                     : "rax", "rcx", "memory", "cc");
}

/* The run loop has asked for the second page of a block that crosses: the block may expect it. */
static void expect_second(struct engine *e, const struct block *b, const struct x64_code *code)
{
    uint64_t expected = x64_addend(b->ram2, b->ram2_offset, (b->key.va + b->guest_bytes - 1) & b->key.va_mask);
    if (load_le((const uint8_t *)runs_at(jit_of(e), code) + code->second, 8) == expected)
        return;
    x64_memory_writes(e, code->start + code->second, 8);
    store_le(code->start + code->second, 8, expected);
}

static enum leave exec(struct engine *e, struct vcpu *v, struct block *b)
{
    struct jit *j = jit_of(e);
    if (unlikely(!v->recent))
        x64_recent_turn(e, v);
    if (likely(!e->config.trace.unchained) && e->left_by != LEAVE_CHAIN && e->left_by != LEAVE_SHORT)
        note_jump(j, v, b);
    const struct x64_code *code = b->code;
    if (b->ram2)
        expect_second(e, b, code);
    if (j->modified) {
        j->modified = false;
        serialise();
    }
    /* What is not cached was translated just now, from what both pages map to. */
    const char *entry = runs_at(j, code);
    struct x64_left left = j->enter(v, b->ram ? entry : entry + code->checked);
    if (j->ended) {
        x64_budget_ended(e, j->ended);
        j->ended = NULL;
        return LEAVE_SHORT;
    }
    if (left.why != LEFT_SITE)
        return (enum leave)left.why;
    struct site_mark mark;
    memcpy(&mark, (const void *)(uintptr_t)left.ret, sizeof mark);
    b = mark.block;
    uint64_t *pc = (uint64_t *)(void *)((char *)v + v->ops->pc_offset);
    if (mark.slot == SITE_MARK_SHORT) {
        v->pos.left += b->n_insns;
        *pc = b->key.pc;
        return LEAVE_SHORT;
    }
    *pc = ((struct x64_code *)b->code)->exit[mark.slot].pc;
    if (!b->ram)
        return LEAVE_LOOKUP;                      /* not cached: it is freed by the next translation */
    e->leave_block = b;
    e->leave_slot = mark.slot;
    return LEAVE_CHAIN;
}

void x64_show(const struct engine *e, const struct block_key *key, const char *name, const uint8_t *start, size_t size)
{
    const struct engine_trace *trace = &e->config.trace;
    if (trace->code_added)
        trace->code_added(trace->opaque, &(struct engine_code){ (uintptr_t)start + (uintptr_t)jit_of(e)->exec_delta,
                                                                start, size, key, name });
}

static void show_thunks(const struct engine *e, size_t bytes)
{
    static const char *const names[] = { "enter", "find_page", "leave_site", "leave_plain", "doubt", "second",
                                         "astray", "bottom", "lookup", "loop", "slow", "slow_vector", "access",
                                         "access_vector", "fault", "fault_vector", "sync_out", "sync_in",
                                         "sync_out_fp", "sync_in_fp" };
    const struct jit *j = jit_of(e);
    const uint8_t *end = j->memory.exec + bytes;
    const void *at[ARRAY_LEN(names) + 1] = { j->memory.exec, j->find_page, j->leave_site, j->leave_plain, j->doubt,
                                             j->second, j->astray, j->bottom, j->lookup, j->loop, j->slow,
                                             j->slow_vector, j->access, j->access_vector, j->fault, j->fault_vector,
                                             j->sync_out, j->sync_in, j->sync_out_fp, j->sync_in_fp, end };
    for (size_t k = 0; k < ARRAY_LEN(names); k++) {
        const uint8_t *start = at[k], *next = at[k + 1];
        x64_show(e, NULL, names[k], j->memory.write + (start - j->memory.exec), (size_t)(next - start));
    }
}

/* The guest is known from the first vCPU on. */
static void vcpu_added(struct engine *e, struct vcpu *v)
{
    struct jit *j = jit_of(e);
    if (e->n_vcpus > 1)
        return;
    show_thunks(e, x64_write_thunks(j, v->ops));
    j->few_links = e->config.perturb_seed;
    x64_links_init(j);
    for (unsigned k = 0; k < N_PINS && k < v->ops->n_hot; k++)
        j->pin_of_word[(v->ops->hot[k] - sizeof(struct vcpu)) / 8] = (uint8_t)(k + 1);
}

static void count(const struct engine *e, struct engine_stats *out)
{
    const struct jit *j = jit_of(e);
    out->evictions = j->evictions;
    out->code_bytes_limit = N_REGIONS * j->region_bytes;
    out->code_bytes_now = 0;
    for (unsigned k = 0; k < N_REGIONS; k++)
        out->code_bytes_now += j->region[k].code_bytes;
}

const struct engine_kind x64_kind = {
    .name = "jit", .bounded = true, .meters = true, .checks_mapping = true, .scratch_bytes = sizeof(struct compiler),
    .init = init, .fini = fini, .vcpu_added = vcpu_added, .compile = x64_compile, .free_code = free_code,
    .chained = x64_chained, .unchained = x64_unchained, .follows = follows, .is_likely = is_likely, .killed = killed,
    .gives_way = x64_gives_way, .exec = exec, .count = count,
};
