/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The verifier: the invariants at the top of ir.h, one function each. */
#include "ir/ir.h"

/* What is known while walking the block in order. */
struct verifier {
    const struct ir_block *b;
    struct error *err;
    uint32_t at;
    uint8_t defined[IR_MAX_VALUES];       /* 1: defined on every path to here */
    bool half_done;                       /* between an FVEC of part FIRST and its LAST */
    bool reachable;                       /* false between an E op (or BR) and the next label */
    uint32_t first_use[IR_MAX_LABELS];    /* 1 + index of the first branch to the label; 0: none */
    bool placed[IR_MAX_LABELS];
};

static bool fail(struct verifier *v, const char *what)
{
    return error_set(v->err, "IR op %u (%s): %s", v->at, ir_op_name((enum ir_op)v->b->insn[v->at].op), what);
}

static bool type_fits(char want, enum ir_type t, enum ir_type have)
{
    return want == 'T' ? have == t : want == 'W' ? have == IR_W : want == 'X' ? have == IR_X : have == IR_V;
}

static bool check_call(struct verifier *v, const struct ir_insn *i)
{
    const struct ir_helper *h = (const struct ir_helper *)(uintptr_t)i->imm;
    for (unsigned k = 0; k < 4; k++) {
        if ((k < h->n_args) != (i->arg[k] != IR_NONE))
            return fail(v, "argument count differs from the helper's");
        if (i->arg[k] && v->b->type_of[i->arg[k]] != h->arg[k])
            return fail(v, "argument type differs from the helper's");
    }
    if ((i->dst != IR_NONE) != (h->ret != IR_VOID))
        return fail(v, "result differs from the helper's");
    return true;
}

static bool check_types(struct verifier *v, const struct ir_insn *i, const struct ir_op_info *info)
{
    if (i->op == IR_CALL)
        return check_call(v, i);
    for (unsigned k = 0; k < 4; k++) {
        bool vector = i->op == IR_VEC || i->op == IR_FVEC;
        if (info->arg[k] == '_' ? i->arg[k] != IR_NONE : i->arg[k] == IR_NONE && !vector)
            return fail(v, info->arg[k] == '_' ? "has an argument too many" : "lacks an argument");
        if (k && i->arg[k] && !i->arg[k - 1])
            return fail(v, "an argument behind one that is missing");
        if (i->arg[k] && !type_fits(info->arg[k], (enum ir_type)i->type, (enum ir_type)v->b->type_of[i->arg[k]]))
            return fail(v, "argument of the wrong type");
    }
    if ((info->result == '_') != (i->dst == IR_NONE))
        return fail(v, "result where none belongs, or none where one does");
    if (i->dst && !type_fits(info->result, (enum ir_type)i->type, (enum ir_type)v->b->type_of[i->dst]))
        return fail(v, "result of the wrong type");
    return true;
}

static bool check_values(struct verifier *v, const struct ir_insn *i)
{
    for (unsigned k = 0; k < 4; k++) {
        if (i->arg[k] >= v->b->n_values)
            return fail(v, "argument out of range");
        if (i->arg[k] && !v->defined[i->arg[k]])
            return fail(v, "uses a value that is not defined on every path");
    }
    if (i->dst >= v->b->n_values)
        return fail(v, "result out of range");
    if (i->dst && v->defined[i->dst])
        return fail(v, "defines a value again");
    if (i->dst)
        v->defined[i->dst] = 1;
    return true;
}

/* Values defined between a forward branch and its label are not defined behind the label. */
static void enter_label(struct verifier *v, unsigned label)
{
    for (uint32_t k = v->first_use[label] - 1; k < v->at; k++)
        if (v->b->insn[k].dst)
            v->defined[v->b->insn[k].dst] = 0;
    v->reachable = true;
}

static bool check_flow(struct verifier *v, const struct ir_insn *i, const struct ir_op_info *info)
{
    if (i->op == IR_LABEL) {
        if (i->imm >= v->b->n_labels || v->placed[i->imm])
            return fail(v, "label unknown or placed twice");
        v->placed[i->imm] = true;
        if (v->first_use[i->imm])
            enter_label(v, (unsigned)i->imm);
        return true;
    }
    if (!v->reachable)
        return fail(v, "follows the block's end without a label");
    bool exits = i->op == IR_EXIT_IF || i->op == IR_EXIT_JUMP || i->op == IR_RETURN_POINT;
    if (exits && (i->op == IR_EXIT_IF ? i->aux >> 8 : i->aux) >= v->b->n_exits)
        return fail(v, "unknown exit slot");
    if (i->op == IR_BR || i->op == IR_BRCOND) {
        if (i->imm >= v->b->n_labels || v->placed[i->imm])
            return fail(v, "branches backwards or to an unknown label");
        if (!v->first_use[i->imm])
            v->first_use[i->imm] = v->at + 1;
    }
    if (info->flags & IR_FLAG_E || i->op == IR_BR)
        v->reachable = false;
    return true;
}

static bool check_parts(struct verifier *v, const struct ir_insn *i, const struct ir_op_info *info)
{
    bool last = i->op == IR_FVEC && i->aux32 == IR_FVEC_LAST;
    if (last != v->half_done && (last || !(info->flags & IR_FLAG_P)))
        return fail(v, last ? "is the LAST part of nothing" : "stands between the parts of an FVEC");
    if (!(info->flags & IR_FLAG_P))
        v->half_done = i->op == IR_FVEC && i->aux32 == IR_FVEC_FIRST;
    return true;
}

bool ir_verify(const struct ir_block *b, struct error *err)
{
    struct verifier v = { .b = b, .err = err, .reachable = true };
    if (!b->n || b->insn[0].op != IR_INSN_START)
        return error_set(err, "IR block does not begin with INSN_START");
    for (v.at = 0; v.at < b->n; v.at++) {
        const struct ir_insn *i = &b->insn[v.at];
        if (i->op >= IR_OP_COUNT)
            return error_set(err, "IR op %u: unknown operation %u", v.at, i->op);
        const struct ir_op_info *info = &ir_op_info[i->op];
        if (!check_flow(&v, i, info) || !check_types(&v, i, info) || !check_values(&v, i) ||
            !check_parts(&v, i, info))
            return false;
    }
    for (uint32_t l = 0; l < b->n_labels; l++)
        if (v.first_use[l] && !v.placed[l])
            return error_set(err, "IR label %u is branched to and never placed", l);
    return !v.reachable || error_set(err, "IR block runs off its end");
}
