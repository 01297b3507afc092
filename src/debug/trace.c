/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From the callbacks of the engine and of the vCPUs to text. */
#include "debug/trace.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "debug/disasm.h"
#include "debug/registers.h"
#include "guest/x86/mode.h"
#include "ir/ir.h"

struct trace {
    struct trace_config config;
    struct trace_output out;
    struct buf text;                           /* of one callback */
    struct vcpu_listener listener;
    struct registers last[MACHINE_MAX_CPUS];   /* -d cpu */
};

static void PRINTF_LIKE(2, 3) add(struct trace *t, const char *fmt, ...)
{
    char line[512];
    va_list args;
    va_start(args, fmt);
    int n = vsnprintf(line, sizeof line, fmt, args);
    va_end(args);
    buf_put(&t->text, line, n < 0 ? 0 : (size_t)n < sizeof line ? (size_t)n : sizeof line - 1);
}

static void flush(struct trace *t)
{
    t->out.put(t->out.opaque, (const char *)t->text.data, t->text.len);
    t->text.len = 0;
}

static bool wanted(const struct trace *t, const struct block_key *key)
{
    for (unsigned i = 0; i < t->config.n_ranges; i++)
        if (key->pc >= t->config.range[i].first && key->pc <= t->config.range[i].last)
            return true;
    return !t->config.n_ranges;
}

static void add_key(struct trace *t, const struct block_key *key)
{
    add(t, "pc 0x%llx, cs base 0x%llx, flags 0x%llx", (unsigned long long)key->pc, (unsigned long long)key->cs_base,
        (unsigned long long)key->flags);
}

/* ---- blocks -------------------------------------------------------------------------------- */

/* One instruction's line; returns its bytes. */
static size_t add_insn(struct trace *t, unsigned bits, uint64_t address, const uint8_t *code, size_t len)
{
    char text[DISASM_TEXT];
    unsigned n = disasm_x86(bits, address, code, len, text);
    size_t bytes = n ? n : 1;
    add(t, "0x%08llx:  ", (unsigned long long)address);
    for (size_t i = 0; i < bytes; i++)
        add(t, "%02x ", code[i]);
    add(t, "%*s%s\n", bytes < 11 ? (int)(11 - bytes) * 3 : 0, "", text);
    return bytes;
}

static unsigned code_bits(uint64_t flags) { return flags & MODE_CS64 ? 64 : flags & MODE_CS32 ? 32 : 16; }

/* Guest memory without side effects.  False: it is not RAM. */
static bool peek(struct vcpu *v, uint64_t va, uint8_t *out)
{
    uint64_t pa;
    if (!v->ops->debug_walk(v, va, &pa))
        return false;
    struct space_target at = space_lookup(v->mem, pa);
    if (at.ram)
        *out = at.ram->host[at.ram_offset];
    return at.ram;
}

static void translated(void *opaque, struct vcpu *v, const struct block_key *key, uint32_t n_insns,
                       uint32_t guest_bytes)
{
    struct trace *t = opaque;
    uint8_t code[PAGE_SIZE];
    size_t len = 0;
    if (!wanted(t, key))
        return;
    while (len < guest_bytes && len < sizeof code && peek(v, (key->va + len) & key->va_mask, &code[len]))
        len++;
    add(t, "----------------\nIN: ");
    add_key(t, key);
    add(t, ", %u instruction%s, %u-bit\n", n_insns, n_insns == 1 ? "" : "s", code_bits(key->flags));
    for (size_t at = 0; at < len;)
        at += add_insn(t, code_bits(key->flags), (key->va + at) & key->va_mask, code + at, len - at);
    if (len < guest_bytes)
        add(t, "(%zu bytes that are not in RAM)\n", guest_bytes - len);
    flush(t);
}

static void ir(void *opaque, const struct block_key *key, const struct ir_block *ir, bool optimised)
{
    struct trace *t = opaque;
    if (!(t->config.items & (optimised ? TRACE_OP_OPT : TRACE_OP)) || !wanted(t, key))
        return;
    add(t, optimised ? "OP after optimisation: " : "OP: ");
    add_key(t, key);
    add(t, "\n");
    ir_print(ir, &t->text);
    flush(t);
}

static void name_code(const struct trace *t, const struct engine_code *code)
{
    const struct block_key *k = code->key;
    const char *colon = code->name ? ":" : "", *part = code->name ? code->name : "";
    char name[80];
    if (!k)
        snprintf(name, sizeof name, "jit:%s", code->name);
    else if (k->cs_base)
        snprintf(name, sizeof name, "guest:%llx+%llx:%llx%s%s", (unsigned long long)k->cs_base,
                 (unsigned long long)k->pc, (unsigned long long)k->flags, colon, part);
    else
        snprintf(name, sizeof name, "guest:%llx:%llx%s%s", (unsigned long long)k->pc, (unsigned long long)k->flags,
                 colon, part);
    t->out.code_named(t->out.opaque, code->address, code->size, name);
}

static void code_added(void *opaque, const struct engine_code *code)
{
    struct trace *t = opaque;
    if (t->out.code_named)
        name_code(t, code);
    if (!(t->config.items & TRACE_OUT_ASM) || (code->key && !wanted(t, code->key)))
        return;
    add(t, "OUT: [size=%zu] ", code->size);
    if (code->key)
        add_key(t, code->key);
    if (code->name)
        add(t, "%s%s", code->key ? ", " : "", code->name);
    add(t, "\n");
    for (size_t at = 0; at < code->size;)
        at += add_insn(t, 64, code->address + at, code->bytes + at, code->size - at);
    flush(t);
}

static void entered(void *opaque, struct vcpu *v, const struct block_key *key)
{
    struct trace *t = opaque;
    if (!wanted(t, key))
        return;
    if (t->config.items & TRACE_EXEC) {
        add(t, "Trace %u: position %llu, ", v->index, (unsigned long long)sim_position(v->sim));
        add_key(t, key);
        add(t, "\n");
    }
    if (t->config.items & TRACE_CPU) {
        add(t, "CPU %u: position %llu\n", v->index, (unsigned long long)sim_position(v->sim));
        registers_print(v, &t->last[v->index], &t->text);
    }
    flush(t);
}

/* ---- interrupts ------------------------------------------------------------------------------- */

static void event(void *opaque, struct vcpu *v, const struct vcpu_event *e)
{
    struct trace *t = opaque;
    add(t, "%s 0x%02x: cpu %u, ", e->kind, e->vector, v->index);
    if (e->has_error)
        add(t, "error code 0x%04x, ", e->error);
    if (e->has_address)
        add(t, "address 0x%llx, ", (unsigned long long)e->address);
    add(t, "position %llu, pc 0x%llx\n", (unsigned long long)sim_position(v->sim), (unsigned long long)e->pc);
    flush(t);
}

/* ---- life ----------------------------------------------------------------------------------------- */

struct trace *trace_new(const struct trace_config *config, const struct trace_output *out)
{
    struct trace *t = NEW(struct trace);
    *t = (struct trace){ .config = *config, .out = *out, .listener = { event, t } };
    return t;
}

void trace_free(struct trace *t)
{
    if (!t)
        return;
    for (unsigned i = 0; i < MACHINE_MAX_CPUS; i++)
        registers_forget(&t->last[i]);
    buf_free(&t->text);
    free(t);
}

void trace_wire_engine(struct trace *t, struct engine_trace *out)
{
    unsigned items = t->config.items;
    *out = (struct engine_trace){
        .translated = items & TRACE_IN_ASM ? translated : NULL,
        .ir = items & (TRACE_OP | TRACE_OP_OPT) ? ir : NULL,
        .code_added = items & TRACE_OUT_ASM || t->out.code_named ? code_added : NULL,
        .entered = items & (TRACE_EXEC | TRACE_CPU) ? entered : NULL,
        .unchained = items & TRACE_NOCHAIN,
        .opaque = t,
    };
}

void trace_wire_machine(struct trace *t, struct machine *m)
{
    for (unsigned i = 0; t->config.items & TRACE_INT && i < machine_vcpus(m); i++)
        machine_vcpu(m, i)->listener = &t->listener;
}

static void put_line(void *opaque, const char *text)
{
    struct trace *t = opaque;
    add(t, "%s\n", text);
}

void trace_end(struct trace *t, struct machine *m)
{
    if (t->config.items & TRACE_STATS)
        engine_print_stats(machine_engine(m), put_line, t);
    if (t->config.items & TRACE_HASH)
        add(t, "end: position %llu, state hash %016llx\n", (unsigned long long)sim_position(machine_sim(m)),
            (unsigned long long)machine_hash(m));
    flush(t);
}
