/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which rows of the decoder's tables a process on the host can be compared with, and why not the others. */
#include <string.h>

#include "gen.h"
#include "guest/x86/cpu.h"

size_t isa_rows(const struct x86_row **rows, size_t max)
{
    size_t n = 0;
    for (const struct x86_row *const *t = x86_row_tables; *t; t++)
        for (const struct x86_row *r = *t; r->lift; r++)
            if (n < max)
                rows[n++] = r;
    return n;
}

/* Privileged rows are not here: in user mode they fault, and that is compared. */
static const struct {
    const char *names;      /* separated by blanks */
    const char *why;
} skipped[] = {
    { " cpuid xgetbv rdpid ", "says who the CPU is" },
    { " rdtsc rdtscp rdpmc ", "reads a clock" },
    { " rdrand rdseed ", "random" },
    { " syscall sysenter ", "enters the host's kernel" },
    { " sgdt sidt sldt str smsw ", "the host's kernel answers for the CPU (UMIP)" },
    { " rdfsbase rdgsbase wrfsbase ", "the base belongs to the host's C library" },
    { " rcpps rcpss rsqrtps rsqrtss vrcpps vrcpss vrsqrtps vrsqrtss ", "approximations that Reprise defines" },
    { " f2xm1 fyl2x fyl2xp1 fptan fpatan fsin fcos fsincos ", "transcendentals that Reprise defines" },
    { " xsave xsaveopt xsavec xrstor ", "the host has more components in use" },
};

static bool listed(const char *names, const char *name)
{
    size_t n = strlen(name);
    for (const char *at = names; (at = strstr(at, name)); at++)
        if (at[-1] == ' ' && at[n] == ' ')
            return true;
    return false;
}

const char *isa_row_skip(const struct x86_row *row)
{
    for (size_t i = 0; i < ARRAY_LEN(skipped); i++)
        if (listed(skipped[i].names, row->name))
            return skipped[i].why;
    return NULL;
}

bool isa_row_exists(const struct x86_row *row, bool mode32)
{
    if (mode32 && row->flags & ROW_W1 && !(row->flags & ROW_VEX))
        return false;                 /* REX.W */
    return !(row->flags & (mode32 ? ROW_ONLY64 : ROW_NO64));
}
