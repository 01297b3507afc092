/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The monitor's commands: a function each, and a line in the table at the end. */
#include "debug/monitor_impl.h"
#include "debug/registers.h"

static void help(struct monitor *m, const char *args)
{
    for (const struct monitor_command *c = monitor_commands; c->name; c++)
        if (!strncmp(c->name, args, strlen(args)))
            monitor_printf(m, "%s%s%s -- %s\n", c->name, *c->args ? " " : "", c->args, c->help);
}

static void info(struct monitor *m, const char *args)
{
    if (*args)
        monitor_printf(m, "there is no 'info %s'; there are:\n", args);
    help(m, "info ");
}

static void put_line(void *opaque, const char *text) { monitor_printf(opaque, "%s\n", text); }

static void info_jit(struct monitor *m, const char *args)
{
    engine_print_stats(machine_engine(m->config.machine), put_line, m);
}

static void put_registers(struct monitor *m, unsigned cpu)
{
    struct buf text = { 0 };
    monitor_printf(m, "CPU#%u\n", cpu);
    registers_print(machine_vcpu(m->config.machine, cpu), NULL, &text);
    monitor_put(m, (const char *)text.data, text.len);
    buf_free(&text);
}

static void info_registers(struct monitor *m, const char *args)
{
    struct machine *machine = m->config.machine;
    if (!*args)
        put_registers(m, machine_current(machine));
    else if (strcmp(args, "-a") != 0)
        monitor_printf(m, "info registers: only -a (all CPUs) may follow, not '%s'\n", args);
    else
        for (unsigned i = 0; i < machine_vcpus(machine); i++)
            put_registers(m, i);
}

static void info_status(struct monitor *m, const char *args)
{
    struct sim *sim = machine_sim(m->config.machine);
    uint64_t ms = sim_now(sim) / (NS_PER_SEC / 1000);
    const char *why = m->config.fixed;
    monitor_printf(m, "VM status: %s%s%s%s\n", m->stopped ? "paused" : "running", why ? " (" : "", why ? why : "",
                   why ? ")" : "");
    monitor_printf(m, "position %llu, virtual time %llu.%03llu s\n", (unsigned long long)sim_position(sim),
                   (unsigned long long)(ms / 1000), (unsigned long long)(ms % 1000));
}

static void info_version(struct monitor *m, const char *args) { monitor_printf(m, "%s\n", m->config.version); }

static void quit(struct monitor *m, const char *args) { m->config.quit(m->config.opaque); }

static void system_reset(struct monitor *m, const char *args) { input_post_request(m->config.port, REQUEST_RESET); }

static void system_powerdown(struct monitor *m, const char *args)
{
    input_post_request(m->config.port, REQUEST_POWER_BUTTON);
}

const struct monitor_command monitor_commands[] = {
    { "help|?", "[COMMAND]", "list the commands, or those that begin so", false, help },
    { "info", "[WHAT]", "list what there is to ask for", false, info },
    { "info jit", "", "what the engine has counted", false, info_jit },
    { "info registers", "[-a]", "the registers of the CPU whose turn it is, or of all", false, info_registers },
    { "info status", "", "where the machine stands", false, info_status },
    { "info version", "", "the program's version", false, info_version },
    { "quit|q", "", "end the program; a recording is completed", false, quit },
    { "system_powerdown", "", "press the power button", true, system_powerdown },
    { "system_reset", "", "reset the machine", true, system_reset },
    { NULL, NULL, NULL, false, NULL },
};
