/* SPDX-License-Identifier: GPL-2.0-or-later */
/* reprise-system-x86_64 and reprise-system-i386: one machine, run to its end. */
#include <stdio.h>

#include "cli/compare.h"
#include "cli/run.h"
#include "cli/say.h"
#include "guest/x86/cpu.h"
#include "reprise/version.h"

#ifdef PROGRAM_IS_I386
#define PROGRAM "reprise-system-i386"
#else
#define PROGRAM "reprise-system-x86_64"
#endif

static int fail(const struct error *err) { return say_error(PROGRAM, err); }

static void print_line(void *opaque, const char *text) { puts(text); }

static void print_trace_items(void)
{
    for (unsigned i = 0; trace_item(i); i++)
        printf("%-14s %s\n", trace_item(i)->name, trace_item(i)->help);
}

/* -help and its like.  False: there was none of them. */
static bool answer(const struct options *o)
{
    if (o->help)
        options_print_help(PROGRAM);
    else if (o->version)
        printf("%s %s\n", PROGRAM, REPRISE_VERSION);
    else if (o->cpu_help)
        x86_cpu_list(print_line, NULL);
    else if (o->machine_help)
        puts("pc    standard PC (i440FX and PIIX3); pc-i440fx-* means the same");
    else if (o->device_help)
        options_print_devices();
    else if (o->trace_help)
        print_trace_items();
    else
        return false;
    return true;
}

/* Whoever reads the console must not wonder why it went silent; a guest that powered off needs no comment. */
static bool worth_saying(const struct options *o, const struct run_result *r)
{
    return o->rr == RR_REPLAY || (r->why != MACHINE_POWEROFF && r->why != MACHINE_DEBUG_EXIT);
}

static int run(struct options *o, int argc, char **argv)
{
    struct error err;
    struct run_request q = { .o = o };
    struct run_result result;
    struct log_machine recorded;
    if (!host_signals_start(&err))
        return fail(&err);
    if (o->rr == RR_RECORD)
        q.args = options_machine_args(o, argc, argv, &q.n_args);
    if (o->rr == RR_REPLAY) {
        if (!(q.log = open_log(o->rrfile, &recorded, &err)))
            return fail(&err);
        q.recorded = &recorded;
        q.progress = "replay";
        if (!compare_options(o, &recorded, &err)) {
            log_close(q.log);
            return fail(&err);
        }
        o->sim = recorded.sim;
    }
    bool ok = run_machine(&q, &result);
    int status = run_status(&result, o, ok);
    if (!ok || worth_saying(o, &result))
        fail(&result.text);
    return status;
}

int main(int argc, char **argv)
{
    struct options o;
    struct error err;
    int status = 0;
    if (!options_parse(argc, argv, PROGRAM, &o, &err))
        status = fail(&err);
    else if (!answer(&o))
        status = run(&o, argc, argv);
    options_free(&o);
    return status;
}
