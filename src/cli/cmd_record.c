/* SPDX-License-Identifier: GPL-2.0-or-later */
/* reprise record: runs a machine and records it. */
#include "cli/command.h"
#include "cli/optvalue.h"

static int record(const struct command *self, struct options *o, int argc, char **argv)
{
    struct error err;
    struct run_request q = { .o = o };
    struct run_result result;
    if (!host_signals_start(&err))
        return command_fail(self, &err);
    q.args = options_machine_args(o, argc, argv, &q.n_args);
    bool ok = run_machine(&q, &result);
    command_error(self, "%s", result.text.text);
    return run_status(&result, o, ok);
}

static int run(const struct command *self, int argc, char **argv)
{
    struct arguments a = { argc, 1, argv };
    struct error err;
    struct options o;
    const char *output = NULL, *arch = "x86_64", *hash = NULL, *arg;
    while ((arg = argument_next(&a)) && strcmp(arg, "--") != 0) {
        const char **slot = argument_is(arg, "-o")        ? &output
                            : argument_is(arg, "--arch")  ? &arch
                            : argument_is(arg, "--hash")  ? &hash
                                                          : NULL;
        if (!slot)
            return command_error(self, "unknown option '%s' (the machine's options come after --)", arg);
        const char *name = slot == &output ? "-o" : slot == &arch ? "--arch" : "--hash";
        if (!(*slot = argument_value(&a, arg, name, &err)))
            return command_fail(self, &err);
    }
    if (!output)
        return command_error(self, "say -o FILE: where to record");
    if (strcmp(arch, "x86_64") != 0 && strcmp(arch, "i386") != 0)
        return command_error(self, "--arch is x86_64 or i386, not '%s'", arch);
    uint64_t positions = 0;
    if (hash && !parse_number(hash, UINT64_MAX, &positions))
        return command_error(self, "--hash is a number of positions (0: no state hashes), not '%s'", hash);
    const char *program = !strcmp(arch, "i386") ? "reprise-system-i386" : "reprise-system-x86_64";
    /* argv[at - 1] is "--" (or the last argument): the place of the machine program's argv[0]. */
    int machine_argc = argc - a.at + 1;
    char **machine_argv = argv + a.at - 1;
    if (!options_parse(machine_argc, machine_argv, program, &o, &err)) {
        options_free(&o);
        return command_fail(self, &err);
    }
    int status = 1;
    if (o.help || o.version || o.cpu_help || o.machine_help || o.device_help) {
        command_error(self, "ask %s for help on its options", program);
    } else if (o.rr) {
        command_error(self, "-icount: rr= and rrfile= are what 'reprise record -o' is for");
    } else {
        o.rr = RR_RECORD;
        o.rrfile = output;
        o.rrhash_given = hash != NULL;
        o.rrhash = positions;
        status = record(self, &o, machine_argc, machine_argv);
    }
    options_free(&o);
    return status;
}

const struct command cmd_record = {
    .name = "record",
    .summary = "run a machine and record it",
    .help = "-o FILE [--arch x86_64|i386] [--hash POSITIONS] -- OPTIONS\n\n"
            "Runs the machine that OPTIONS describe (those of reprise-system-x86_64) and records it\n"
            "into FILE.\n\n"
            "  -o FILE            the recording; an older one is replaced when the machine starts\n"
            "  --arch ARCH        which program's options these are (x86_64)\n"
            "  --hash POSITIONS   positions between two state hashes; 0: none (50000000)\n\n"
            "example:\n"
            "  reprise record -o boot.rr -- -m 512 -nographic -no-reboot \\\n"
            "      -kernel linux -initrd initrd.gz -append console=ttyS0\n",
    .run = run,
};
