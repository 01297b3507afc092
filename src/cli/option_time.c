/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/option_time.h"

#include <stdio.h>
#include <time.h>

#include "cli/optvalue.h"

enum { MAX_SHIFT = 10 };

static bool take_shift(struct options *o, struct optlist *l, struct error *err)
{
    const char *v = optlist_take(l, "shift");
    uint64_t n;
    if (!v)
        return true;
    o->shift_given = true;
    o->sim.shift_auto = !strcmp(v, "auto");
    if (o->sim.shift_auto)
        o->sim.shift = DEFAULT_SHIFT;
    else if (parse_number(v, MAX_SHIFT, &n))
        o->sim.shift = (unsigned)n;
    else
        return error_set(err, "-icount: shift is a number from 0 to %d or 'auto', not '%s'", MAX_SHIFT, v);
    return true;
}

static bool take_rr(struct options *o, struct optlist *l, struct error *err)
{
    const char *rr = optlist_take(l, "rr"), *file = optlist_take(l, "rrfile"), *hash = optlist_take(l, "rrhash");
    if (optlist_take(l, "rrsnapshot"))
        return error_set(err, "-icount: there are no snapshots yet, so rrsnapshot= cannot be had");
    if (rr && strcmp(rr, "record") != 0 && strcmp(rr, "replay") != 0)
        return error_set(err, "-icount: rr is 'record' or 'replay', not '%s'", rr);
    if (rr)
        o->rr = !strcmp(rr, "record") ? RR_RECORD : RR_REPLAY;
    if (file && !*file)
        return error_set(err, "-icount: rrfile= names no file");
    if (file)
        o->rrfile = options_string(o, file, strlen(file));
    if (hash && !parse_number(hash, UINT64_MAX, &o->rrhash))
        return error_set(err, "-icount: rrhash is a number of positions (0: no state hashes), not '%s'", hash);
    o->rrhash_given |= hash != NULL;
    return true;
}

bool set_icount(struct options *o, const char *v, struct error *err)
{
    struct optlist l;
    if (!optlist_parse(&l, "-icount", v, "shift", err))
        return false;
    if (!take_shift(o, &l, err) || !optlist_take_bool(&l, "sleep", &o->sim.sleep, err) ||
        !optlist_take_bool(&l, "align", &o->sim.align, err) || !take_rr(o, &l, err))
        return optlist_fail(&l);
    if (o->sim.align && (o->sim.shift_auto || !o->sim.sleep)) {
        error_set(err, "-icount: align=on needs a fixed shift and sleep=on");
        return optlist_fail(&l);
    }
    return optlist_done(&l, err);
}

/* YYYY-MM-DD or YYYY-MM-DDTHH:MM:SS, as UTC. */
static bool parse_date(const char *s, uint64_t *seconds)
{
    struct tm tm = { 0 };
    int used = 0;
    int n = sscanf(s, "%4d-%2d-%2d%n", &tm.tm_year, &tm.tm_mon, &tm.tm_mday, &used);
    if (n != 3)
        return false;
    if (s[used]) {
        int more = 0;
        if (sscanf(s + used, "T%2d:%2d:%2d%n", &tm.tm_hour, &tm.tm_min, &tm.tm_sec, &more) != 3 || s[used + more])
            return false;
    }
    struct tm given = tm;
    tm.tm_year -= 1900;
    tm.tm_mon -= 1;
    time_t t = timegm(&tm);
    *seconds = (uint64_t)t;
    /* timegm() mends the 31st of February; we do not. */
    return t > 0 && tm.tm_mday == given.tm_mday && tm.tm_mon == given.tm_mon - 1 && tm.tm_hour == given.tm_hour &&
           tm.tm_min == given.tm_min && tm.tm_sec == given.tm_sec;
}

bool set_rtc(struct options *o, const char *v, struct error *err)
{
    struct optlist l;
    if (!optlist_parse(&l, "-rtc", v, NULL, err))
        return false;
    const char *base = optlist_take(&l, "base"), *clock = optlist_take(&l, "clock");
    if (base) {
        o->machine.rtc_start = 0;
        o->rtc_local = !strcmp(base, "localtime");
        o->machine.rtc_utc = !o->rtc_local;
        if (!o->rtc_local && strcmp(base, "utc") != 0 && !parse_date(base, &o->machine.rtc_start)) {
            error_set(err, "-rtc: base is 'utc', 'localtime' or a date like 2026-01-31T12:00:00, not '%s'", base);
            return optlist_fail(&l);
        }
    }
    if (clock && strcmp(clock, "host") != 0 && strcmp(clock, "vm") != 0) {
        error_set(err, "-rtc: clock is 'host' or 'vm', not '%s'", clock);
        return optlist_fail(&l);
    }
    const char *driftfix = optlist_take(&l, "driftfix");
    if (driftfix && strcmp(driftfix, "none") != 0) {
        error_set(err, "-rtc: no tick of the clock is ever lost, so driftfix is 'none', not '%s'", driftfix);
        return optlist_fail(&l);
    }
    if (clock)
        o->machine.rtc_clock_vm = !strcmp(clock, "vm");
    return optlist_done(&l, err);
}
