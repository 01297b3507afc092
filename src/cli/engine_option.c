/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/engine_option.h"

#include <stdio.h>

#include "cli/optvalue.h"

enum { MAX_CACHE_MIB = 4096 };

const char *engine_default(void)
{
    const char *fastest = NULL;
    for (unsigned i = 0; engine_kind_name(i); i++)
        fastest = engine_kind_name(i);
    return fastest;
}

/* The engine called name (of len bytes), or NULL. */
static const char *find(const char *name, size_t len)
{
    if (len == 3 && !memcmp(name, "tcg", 3))
        return engine_default();
    for (unsigned i = 0; engine_kind_name(i); i++)
        if (strlen(engine_kind_name(i)) == len && !memcmp(engine_kind_name(i), name, len))
            return engine_kind_name(i);
    return NULL;
}

static bool unknown(const char *option, const char *name, struct error *err)
{
    char list[100] = "";
    size_t n = 0;
    for (unsigned i = 0; engine_kind_name(i) && n < sizeof list; i++)
        n += (size_t)snprintf(list + n, sizeof list - n, "%s, ", engine_kind_name(i));
    return error_set(err, "%s: this program has no engine '%s' (there are %sand tcg, which means %s)", option, name,
                     list, engine_default());
}

bool engine_option_any(const char *option, const char *kinds, struct engine_config *config, struct error *err)
{
    for (const char *p = kinds; *p;) {
        size_t len = strcspn(p, ":");
        const char *kind = find(p, len);
        if (kind) {
            config->kind = kind;
            return true;
        }
        p += len + (p[len] == ':');
    }
    return unknown(option, kinds, err);
}

bool engine_option(const char *option, const char *text, struct engine_config *config, struct error *err)
{
    struct optlist l;
    uint64_t mib = config->cache_bytes >> 20, seed = config->perturb_seed;
    if (!optlist_parse(&l, option, text, "accel", err))
        return false;
    const char *name = optlist_take(&l, "accel"), *thread = optlist_take(&l, "thread");
    const char *kind = name ? find(name, strlen(name)) : NULL;
    if (!kind) {
        unknown(option, name ? name : "", err);
        return optlist_fail(&l);
    }
    if (thread && strcmp(thread, "single") != 0) {
        error_set(err, "%s: every CPU runs on one thread, so thread= is 'single', not '%s'", option, thread);
        return optlist_fail(&l);
    }
    if (!optlist_take_number(&l, "tb-size", MAX_CACHE_MIB, &mib, err) ||
        !optlist_take_number(&l, "perturb", INT64_MAX, &seed, err))
        return optlist_fail(&l);
    config->perturb_seed = seed;
    config->kind = kind;
    config->cache_bytes = (size_t)mib << 20;
    return optlist_done(&l, err);
}
