/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdio.h>

#include "ir/ir.h"

static const char *const cond_names[] = { "eq", "ne", "ltu", "geu", "leu", "gtu", "lts", "ges", "les", "gts" };

static void put(struct buf *out, const char *fmt, unsigned long long a, unsigned long long b)
{
    char text[96];
    int n = snprintf(text, sizeof text, fmt, a, b);
    buf_put(out, text, n < 0 ? 0 : (size_t)n);
}

static void put_string(struct buf *out, const char *s) { buf_put(out, s, strlen(s)); }

static void print_details(const struct ir_insn *i, struct buf *out)
{
    switch (i->op) {
    case IR_INSN_START:
        put(out, " pc=0x%llx meta=%llu", i->imm, i->aux32);
        break;
    case IR_BRCOND:
    case IR_SETCOND:
        put_string(out, " ");
        put_string(out, cond_names[i->aux]);
        if (i->op == IR_BRCOND)
            put(out, " L%llu", i->imm, 0);
        break;
    case IR_EXIT_IF:
        put_string(out, " ");
        put_string(out, cond_names[i->aux & 0xff]);
        put(out, " 0x%llx slot=%llu", i->imm, i->aux >> 8);
        break;
    case IR_TRAP_IF:
        put_string(out, " ");
        put_string(out, cond_names[i->aux]);
        /* fall through */
    case IR_CALL:
        put_string(out, " ");
        put_string(out, ((const struct ir_helper *)(uintptr_t)i->imm)->name);
        break;
    case IR_LABEL:
    case IR_BR:
        put(out, " L%llu", i->imm, 0);
        break;
    default:
        if (i->imm || i->aux || i->op == IR_CONST)
            put(out, " 0x%llx aux=%llu", i->imm, i->aux);
    }
}

void ir_print(const struct ir_block *b, struct buf *out)
{
    static const char types[] = " wxv";
    for (uint32_t n = 0; n < b->n; n++) {
        const struct ir_insn *i = &b->insn[n];
        put_string(out, i->op == IR_INSN_START ? "-- " : "   ");
        if (i->dst)
            put(out, "%%%llu = ", i->dst, 0);
        put_string(out, ir_op_name((enum ir_op)i->op));
        if (i->type)
            put(out, ".%c", (unsigned long long)types[i->type], 0);
        for (unsigned k = 0; k < 4 && i->arg[k]; k++)
            put(out, " %%%llu", i->arg[k], 0);
        print_details(i, out);
        put_string(out, "\n");
    }
}
