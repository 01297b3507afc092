/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The items of -d and the ranges of -dfilter, as they are written. */
#include <stdlib.h>

#include "debug/trace.h"

static const struct trace_item_info items[] = {
    { "in_asm", TRACE_IN_ASM, "the guest's instructions of each block that is translated" },
    { "op", TRACE_OP, "its intermediate representation as lifted" },
    { "op_opt", TRACE_OP_OPT, "the same after optimisation" },
    { "out_asm", TRACE_OUT_ASM, "the host code made of it, with its addresses (-accel jit)" },
    { "exec", TRACE_EXEC, "each block that the run loop enters, with its position (chained blocks follow unseen)" },
    { "cpu", TRACE_CPU, "the CPU's registers that have changed, before each block that the run loop enters" },
    { "nochain", TRACE_NOCHAIN, "chain no blocks, so that exec and cpu show them all (slow)" },
    { "int", TRACE_INT, "each interrupt and exception that is taken: vector, error code, position, pc" },
    { "stats", TRACE_STATS, "the engine's statistics, when the run ends" },
    { "hash", TRACE_HASH, "the position and the state hash, when the run ends" },
    { "guest_errors", TRACE_GUEST_ERRORS, "what the guest does that no guest should: unknown ports, registers, .." },
};

const struct trace_item_info *trace_item(unsigned i) { return i < ARRAY_LEN(items) ? &items[i] : NULL; }

static unsigned item_bit(const char *name, size_t len)
{
    for (size_t i = 0; i < ARRAY_LEN(items); i++)
        if (strlen(items[i].name) == len && !memcmp(items[i].name, name, len))
            return items[i].bit;
    return 0;
}

bool trace_parse_items(const char *text, struct trace_config *config, struct error *err)
{
    unsigned found = 0;
    for (const char *p = text;; p++) {
        size_t len = strcspn(p, ",");
        unsigned bit = item_bit(p, len);
        if (!bit)
            return error_set(err, "-d: there is no item '%.*s' (-d help lists them)", (int)len, p);
        found |= bit;
        p += len;
        if (!*p)
            break;
    }
    config->items |= found;
    return true;
}

/* A number as C writes it; *end is what follows. */
static bool number(const char *p, const char **end, uint64_t *out)
{
    char *after;
    if (*p < '0' || *p > '9')
        return false;
    *out = strtoull(p, &after, 0);
    *end = after;
    return true;
}

static bool range(const char *p, const char **end, struct trace_range *out)
{
    uint64_t a, b;
    if (!number(p, &p, &a))
        return false;
    if (p[0] == '.' && p[1] == '.' && number(p + 2, end, &b))
        *out = (struct trace_range){ a, b };
    else if (*p == '+' && number(p + 1, end, &b) && b)
        *out = (struct trace_range){ a, a + (b - 1) };
    else if (*p == '-' && number(p + 1, end, &b) && b)
        *out = (struct trace_range){ a - (b - 1), a };
    else
        return false;
    return out->first <= out->last && (**end == ',' || !**end);
}

bool trace_parse_filter(const char *text, struct trace_config *config, struct error *err)
{
    config->n_ranges = 0;
    for (const char *p = text;; p++) {
        if (config->n_ranges == TRACE_RANGES)
            return error_set(err, "-dfilter: there are more than %d ranges", TRACE_RANGES);
        if (!range(p, &p, &config->range[config->n_ranges]))
            return error_set(err, "-dfilter: '%s' is not made of FIRST..LAST, START+SIZE or END-SIZE", text);
        config->n_ranges++;
        if (!*p)
            return true;
    }
}
