/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/optvalue.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>

#include "base/alloc.h"

bool parse_number(const char *s, uint64_t max, uint64_t *out)
{
    char *end;
    if (!isdigit((unsigned char)*s))
        return false;
    errno = 0;
    unsigned long long v = strtoull(s, &end, 0);
    if (*end || errno || v > max)
        return false;
    *out = v;
    return true;
}

bool parse_size(const char *s, uint64_t *bytes)
{
    static const char units[] = "KMGT";
    char digits[24];
    size_t len = strlen(s);
    unsigned shift = 20;
    if (!len || len >= sizeof digits)
        return false;
    memcpy(digits, s, len + 1);
    const char *u = strchr(units, toupper((unsigned char)s[len - 1]));
    if (u) {
        shift = 10 * (unsigned)(u - units + 1);
        digits[len - 1] = 0;
    }
    uint64_t v;
    if (!parse_number(digits, UINT64_MAX >> shift, &v))
        return false;
    *bytes = v << shift;
    return true;
}

/* Cuts the item at *p off (undoubling commas) and moves *p behind it. */
static char *next_item(char **p)
{
    char *start = *p, *out = *p, *in = *p;
    for (; *in; in++) {
        if (*in == ',' && in[1] != ',')
            break;
        if (*in == ',')
            in++;
        *out++ = *in;
    }
    *p = *in ? in + 1 : in;
    *out = 0;
    return start;
}

bool optlist_parse(struct optlist *l, const char *option, const char *text, const char *implied, struct error *err)
{
    *l = (struct optlist){ .option = option, .text = alloc_string(text) };
    char *p = l->text;
    if (!*p) {
        error_set(err, "%s: its value is empty", option);
        return optlist_fail(l);
    }
    while (*p) {
        char *item = next_item(&p), *eq = strchr(item, '=');
        const char *key = item, *value = "on";
        if (l->n == OPTLIST_MAX) {
            error_set(err, "%s: '%s' has more than %d parts", option, text, OPTLIST_MAX);
            return optlist_fail(l);
        }
        if (eq) {
            *eq = 0;
            value = eq + 1;
        } else if (implied && !l->n) {
            key = implied;
            value = item;
        } else if (!strncmp(item, "no", 2) && item[2]) {
            key = item + 2;
            value = "off";
        }
        if (!*key) {
            error_set(err, "%s: '%s' has a part without a name", option, text);
            return optlist_fail(l);
        }
        l->item[l->n].key = key;
        l->item[l->n++].value = value;
    }
    return true;
}

const char *optlist_take(struct optlist *l, const char *key)
{
    const char *value = NULL;
    for (unsigned i = 0; i < l->n; i++) {
        if (!strcmp(l->item[i].key, key)) {
            l->item[i].taken = true;
            value = l->item[i].value;
        }
    }
    return value;
}

bool optlist_take_bool(struct optlist *l, const char *key, bool *out, struct error *err)
{
    const char *v = optlist_take(l, key);
    if (!v)
        return true;
    if (!strcmp(v, "on") || !strcmp(v, "yes") || !strcmp(v, "true"))
        *out = true;
    else if (!strcmp(v, "off") || !strcmp(v, "no") || !strcmp(v, "false"))
        *out = false;
    else
        return error_set(err, "%s: %s is 'on' or 'off', not '%s'", l->option, key, v);
    return true;
}

bool optlist_take_number(struct optlist *l, const char *key, uint64_t max, uint64_t *out, struct error *err)
{
    const char *v = optlist_take(l, key);
    if (v && !parse_number(v, max, out))
        return error_set(err, "%s: %s is a number up to %llu, not '%s'", l->option, key, (unsigned long long)max, v);
    return true;
}

bool optlist_done(struct optlist *l, struct error *err)
{
    for (unsigned i = 0; i < l->n; i++) {
        if (!l->item[i].taken) {
            error_set(err, "%s: there is no property '%s'", l->option, l->item[i].key);
            return optlist_fail(l);
        }
    }
    free(l->text);
    return true;
}

bool optlist_fail(struct optlist *l)
{
    free(l->text);
    l->text = NULL;
    return false;
}
