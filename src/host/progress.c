/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A progress bar for people: "replay [#######---------]  44 %  12 s". */
#include "host/host.h"

#include <stdio.h>
#include <unistd.h>


enum { BAR = 40 };

void host_progress_begin(struct host_progress *p, const char *what, uint64_t total)
{
    *p = (struct host_progress){ .what = what, .total = total, .start_ns = host_monotonic_ns(),
                                 .active = total != 0 && isatty(STDERR_FILENO) };
}

void host_progress_update(struct host_progress *p, uint64_t done)
{
    if (!p->active)
        return;
    uint64_t now = host_monotonic_ns();
    if (now - p->last_ns < NS_PER_SEC / 10)
        return;
    p->last_ns = now;
    p->shown = true;
    if (done > p->total)
        done = p->total;
    /* Divide first: positions of a long recording times 100 would not fit. */
    unsigned percent = (unsigned)(p->total >= 100 ? done / (p->total / 100) : done * 100 / p->total);
    percent = percent > 100 ? 100 : percent;
    char bar[BAR + 1];
    for (unsigned i = 0; i < BAR; i++)
        bar[i] = i < percent * BAR / 100 ? '#' : '-';
    bar[BAR] = 0;
    fprintf(stderr, "\r%s [%s] %3u %%  %llu s\033[K", p->what, bar, percent,
            (unsigned long long)((now - p->start_ns) / NS_PER_SEC));
}

void host_progress_end(struct host_progress *p)
{
    if (p->shown)
        fputs("\r\033[K", stderr);
    p->active = p->shown = false;
}
