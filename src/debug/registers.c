/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "debug/registers.h"

#include <stdio.h>
#include <stdlib.h>

#include "guest/x86/cpu.h"
#include "guest/x86/flags.h"

enum { WIDTH = 110, MAX_ITEM = 100 };

struct walk {
    struct vcpu *v;
    struct registers *last;   /* NULL: everything is shown */
    bool first;
    size_t i;
    struct buf *out;
    size_t column;
};

/* The descriptors' names where the manual has others. */
static const char *const gpr[16] = { "rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi",
                                     "r8",  "r9",  "r10", "r11", "r12", "r13", "r14", "r15" };
static const char *const seg[8] = { "es", "cs", "ss", "ds", "fs", "gs", "ldtr", "tr" };

/* "gpr[3]" is "rbx", "seg[1].base" is "cs.base"; ymm is an array of 64-bit quarters. */
static void name(const char *field, char *out, size_t size)
{
    unsigned long n;
    if (!strncmp(field, "gpr[", 4) && (n = strtoul(field + 4, NULL, 10)) < ARRAY_LEN(gpr))
        snprintf(out, size, "%s", gpr[n]);
    else if (!strncmp(field, "seg[", 4) && (n = strtoul(field + 4, NULL, 10)) < ARRAY_LEN(seg))
        snprintf(out, size, "%s%s", seg[n], strchr(field, ']') + 1);
    else if (!strncmp(field, "ymm[", 4))
        n = strtoul(field + 4, NULL, 10), snprintf(out, size, "ymm%lu.q%lu", n / 4, n % 4);
    else
        snprintf(out, size, "%s", field);
}

static void put(struct walk *w, const char *field, uint64_t value)
{
    char label[MAX_ITEM / 2], item[MAX_ITEM];
    name(field, label, sizeof label);
    size_t len = (size_t)snprintf(item, sizeof item, "%s=%0*llx", label, strncmp(field, "gpr[", 4) ? 1 : 16,
                                  (unsigned long long)value);
    if (w->column && w->column + 1 + len > WIDTH) {
        buf_put_byte(w->out, '\n');
        w->column = 0;
    }
    if (w->column++)
        buf_put_byte(w->out, ' ');
    buf_put(w->out, item, len);
    w->column += len;
}

static void visit(void *opaque, const char *path, uint64_t value)
{
    struct walk *w = opaque;
    const char *field = strchr(path, '.') + 1;   /* behind "cpu0" */
    size_t i = w->i++;
    if (!strncmp(field, "cc_", 3))
        return;                                  /* the lazy form of what is in rflags */
    if (!strcmp(field, "rflags"))
        value = x86_get_rflags(x86_of(w->v));
    bool is_element = strchr(field, '[') && strncmp(field, "gpr[", 4) != 0;
    if (!w->last || w->first) {
        if (value || !is_element)
            put(w, field, value);
    } else if (w->last->value[i] != value) {
        put(w, field, value);
    }
    if (w->last)
        w->last->value[i] = value;
}

static void count(void *opaque, const char *path, uint64_t value) { ++*(size_t *)opaque; }

void registers_print(struct vcpu *v, struct registers *last, struct buf *out)
{
    struct state_set *set = sim_state(v->sim);
    struct walk w = { .v = v, .last = last, .first = last && !last->value, .out = out };
    char cpu[16];
    snprintf(cpu, sizeof cpu, "cpu%u", v->index);
    if (w.first) {
        state_set_print(set, cpu, count, &last->n);
        last->value = NEW_ARRAY(uint64_t, last->n);
    }
    state_set_print(set, cpu, visit, &w);
    if (w.column)
        buf_put_byte(out, '\n');
}

void registers_forget(struct registers *r)
{
    free(r->value);
    *r = (struct registers){ 0 };
}
