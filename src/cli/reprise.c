/* SPDX-License-Identifier: GPL-2.0-or-later */
/* reprise: the friendly front.  Chooses a subcommand. */
#include "cli/command.h"
#include "reprise/version.h"

static const struct command *const commands[] = { &cmd_record, &cmd_replay, &cmd_info, &cmd_log, &cmd_verify };

static const struct command *find(const char *name)
{
    for (size_t i = 0; i < ARRAY_LEN(commands); i++)
        if (!strcmp(commands[i]->name, name))
            return commands[i];
    return NULL;
}

static void print_usage(FILE *to)
{
    fprintf(to, "usage: reprise COMMAND ...\n\nRecords whole machines and replays them exactly.\n\n");
    for (size_t i = 0; i < ARRAY_LEN(commands); i++)
        fprintf(to, "  %-8s %s\n", commands[i]->name, commands[i]->summary);
    fprintf(to, "  %-8s %s\n\n", "help", "help on a command: reprise help COMMAND, or reprise COMMAND --help");
    fprintf(to, "example:\n"
                "  reprise record -o boot.rr -- -m 512 -nographic -no-reboot -kernel linux -initrd initrd.gz \\\n"
                "      -append console=ttyS0\n"
                "  reprise replay boot.rr\n");
}

static int print_help(const struct command *c)
{
    printf("usage: reprise %s %s", c->name, c->help);
    return 0;
}

static bool is_help(const char *arg) { return !strcmp(arg, "--help") || !strcmp(arg, "-h"); }

int main(int argc, char **argv)
{
    const char *name = argc > 1 ? argv[1] : "";
    if (!strcmp(name, "help") && argc > 2)
        name = argv[2];
    else if (is_help(name) || !strcmp(name, "help"))
        return print_usage(stdout), 0;
    if (!strcmp(name, "--version"))
        return printf("reprise %s\n", REPRISE_VERSION), 0;
    const struct command *c = find(name);
    if (!c) {
        if (argc < 2)
            print_usage(stderr);
        else
            fprintf(stderr, "reprise: there is no command '%s' (reprise help lists them)\n", name);
        return 1;
    }
    if (!strcmp(argv[1], "help"))
        return print_help(c);
    for (int i = 2; i < argc && strcmp(argv[i], "--") != 0; i++)
        if (is_help(argv[i]))
            return print_help(c);
    return c->run(c, argc - 1, argv + 1);
}
