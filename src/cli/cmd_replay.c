/* SPDX-License-Identifier: GPL-2.0-or-later */
/* reprise replay: runs a recording again, from the log alone. */
#include "cli/command.h"

static int replay(const struct command *self, const char *path, const struct rebuild *b)
{
    struct rebuilt r;
    if (!rebuild_run(self, path, b, &r))
        return 1;
    command_error(self, "%s", r.result.text.text);
    int status = run_status(&r.result, &r.o, r.ok);
    options_free(&r.o);
    return status;
}

static int run(const struct command *self, int argc, char **argv)
{
    struct arguments a = { argc, 1, argv };
    struct rebuild b = { 0 };
    struct error err;
    const char *path = NULL, *arg, *value;
    while ((arg = argument_next(&a))) {
        bool ok;
        if (rebuild_argument(&b, &a, arg, &ok, &err)) {
            if (!ok)
                return command_fail(self, &err);
        } else if (argument_is(arg, "--serial")) {
            if (!(value = argument_value(&a, arg, "--serial", &err)))
                return command_fail(self, &err);
            if (b.n_serial == REBUILD_SERIALS)
                return command_error(self, "--serial: a machine has at most %d serial ports", REBUILD_SERIALS);
            b.serial[b.n_serial++] = value;
        } else if (!argument_recording(self, arg, &path)) {
            return 1;
        }
    }
    b.log = path;
    return path ? replay(self, path, &b) : command_error(self, "name the recording");
}

const struct command cmd_replay = {
    .name = "replay",
    .summary = "run a recording again",
    .help = "FILE [--file ROLE=PATH] [--serial DEV] [--engine ENGINE]\n\n"
            "Replays FILE: the same output and the same machine state, without waiting for anything.\n"
            "The recording knows its machine, so no other options are needed.  What is typed is\n"
            "ignored, but for Ctrl-A x, which quits, and Ctrl-A c, which leads to the monitor.\n\n"
            "  --file ROLE=PATH   an input file that has moved; ROLE: kernel, initrd, bios, fw_cfg:NAME\n"
            "  --serial DEV       where the next serial port's output goes (the first: stdio)\n"
            "  --engine ENGINE    as -accel names it: interp, jit, tcg (the fastest there is)\n\n"
            "examples:\n"
            "  reprise replay boot.rr\n"
            "  reprise replay boot.rr --file kernel=/tmp/linux --serial file:console.txt\n",
    .run = run,
};
