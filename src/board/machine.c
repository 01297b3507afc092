/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The simulation loop.
 *
 * What it must keep apart: what the guest sees (whose turn it is, which timer
 * is due) follows from the position alone; how long one call of the engine
 * runs (a slice, the next logged event) must leave no trace.
 */
#include "board/machine.h"

#include <stdlib.h>

#include "board/board.h"

/*
 * The quantum is a prime: were it a multiple of a loop's length, a vCPU that takes and frees a lock in a loop would be
 * stopped at the same instruction each time, and if it holds the lock there the others would never get it.
 */
enum { SLICE = 1 << 19, DEFAULT_QUANTUM = 19997 };

static const struct state_field fields[] = {
    STATE_UINT(struct machine_state, current),
    STATE_UINT(struct machine_state, quantum_left),
    STATE_UINT(struct machine_state, resets),
};
static STATE_DESC(machine_desc, struct machine_state, 1, fields);

/* ---- requests ------------------------------------------------------------------------- */

void machine_request_reset(struct machine *m)
{
    m->want_reset = true;
    sim_request_exit(m->sim);
}

void machine_request_poweroff(struct machine *m)
{
    m->want_poweroff = true;
    sim_request_exit(m->sim);
}

void machine_request_exit(struct machine *m, int code)
{
    m->want_exit = true;
    m->exit_code = code;
    sim_request_exit(m->sim);
}

void machine_request_panic(struct machine *m)
{
    m->want_panic = true;
    sim_request_exit(m->sim);
}

static void on_request(void *opaque, enum input_request r)
{
    struct machine *m = opaque;
    switch (r) {
    case REQUEST_QUIT:
        m->want_quit = true;
        break;
    case REQUEST_SHUTDOWN:
        m->want_poweroff = true;
        break;
    case REQUEST_RESET:
        m->want_reset = true;
        break;
    case REQUEST_POWER_BUTTON:
        pc_power_button(m);
        break;
    }
}

static uint64_t on_hash(void *opaque) { return machine_hash(opaque); }

/* ---- life ------------------------------------------------------------------------------- */

bool machine_known(const char *name)
{
    return !strcmp(name, "pc") || !strncmp(name, "pc-i440fx-", 10);
}

/* Where the host allows no fast engine, the portable one does the same, slower. */
static struct engine *new_engine(const struct engine_config *config, const struct sink *sink, struct error *err)
{
    struct engine *e = engine_new(config, err);
    if (e || !strcmp(config->kind, "interp"))
        return e;
    struct engine_config portable = *config;
    portable.kind = "interp";
    portable.cache_bytes = 0;
    sink_printf(sink, SINK_WARN, "the engine '%s' cannot run here: %s; the portable engine runs instead", config->kind,
                err->text);
    return engine_new(&portable, err);
}

struct machine *machine_new(const struct machine_config *config, struct sim *sim, struct input_port *port,
                            struct error *err)
{
    if (!machine_known(config->machine)) {
        error_set(err, "unknown machine '%s' (there is: pc)", config->machine);
        return NULL;
    }
    struct machine *m = NEW(struct machine);
    m->config = *config;
    m->sim = sim;
    m->port = port;
    state_set_add(sim_state(sim), "machine", &machine_desc, &m->s, NULL, NULL, NULL);
    input_on_request(port, on_request, m);
    input_on_hash(port, on_hash, m);
    if (!m->config.quantum)
        m->config.quantum = DEFAULT_QUANTUM;
    m->s.quantum_left = m->config.quantum;
    m->engine = new_engine(&config->engine, &config->sink, err);
    if (!m->engine || !pc_create(m, err)) {
        machine_free(m);
        return NULL;
    }
    input_checkpoint(port, CHECKPOINT_INIT);
    return m;
}

void machine_free(struct machine *m)
{
    pc_free(m);
    if (m->engine)
        engine_free(m->engine);
    if (m->mem)
        space_free(m->mem);
    if (m->io)
        space_free(m->io);
    ram_free(m->ram);
    ram_free(m->rom);
    free(m);
}

/* ---- the loop ------------------------------------------------------------------------------ */

static bool asleep(const struct machine *m, unsigned i)
{
    struct vcpu *v = &m->cpu[i]->v;
    return v->ops->halted(v) && !v->ops->pending(v);
}

/* Whose turn is it?  A vCPU that sleeps gives its turn away; false: all sleep. */
static bool choose(struct machine *m)
{
    if (!m->s.quantum_left) {
        m->s.current = (m->s.current + 1) % m->n_cpus;
        m->s.quantum_left = m->config.quantum;
    }
    for (unsigned k = 0; k < m->n_cpus; k++) {
        if (!asleep(m, (unsigned)m->s.current))
            return true;
        m->s.current = (m->s.current + 1) % m->n_cpus;
        m->s.quantum_left = m->config.quantum;
    }
    return false;
}

static uint64_t min64(uint64_t a, uint64_t b) { return a < b ? a : b; }

static uint64_t budget(struct machine *m, uint64_t limit)
{
    uint64_t position = sim_position(m->sim);
    uint64_t until = min64(limit, input_next_position(m->port));
    uint64_t deadline = sim_next_deadline(m->sim, SIM_CLOCK_VIRTUAL);
    if (deadline != NO_DEADLINE)
        until = min64(until, sim_position_of(m->sim, deadline));
    uint64_t n = min64(until - position, SLICE);
    return m->n_cpus > 1 ? min64(n, m->s.quantum_left) : n;
}

static enum engine_stop run_slice(struct machine *m, uint64_t positions)
{
    struct vcpu *v = &m->cpu[m->s.current]->v;
    uint64_t before = sim_position(m->sim);
    sim_run_begin(m->sim, &v->pos, positions);
    enum engine_stop stop = engine_run(m->engine, v);
    sim_run_end(m->sim);
    if (m->n_cpus > 1)
        m->s.quantum_left -= sim_position(m->sim) - before;
    return stop;
}

static bool do_reset(struct machine *m)
{
    m->want_reset = false;
    input_checkpoint(m->port, CHECKPOINT_RESET);
    m->s.current = 0;
    m->s.quantum_left = m->config.quantum;
    m->s.resets++;
    engine_flush(m->engine);
    return pc_reset(m, &m->load_error);
}

/* True: the run ends, *why says how. */
static bool act_on_requests(struct machine *m, enum machine_stop *why)
{
    if (m->want_quit)
        *why = MACHINE_QUIT;
    else if (m->want_exit)
        *why = MACHINE_DEBUG_EXIT;
    else if (m->want_panic)
        *why = MACHINE_GUEST_PANIC;
    else if (m->want_poweroff)
        *why = MACHINE_POWEROFF;
    else if (m->want_reset && m->config.no_reboot)
        *why = MACHINE_RESET_STOP;
    else if (m->want_reset && !do_reset(m))
        *why = MACHINE_BROKEN;
    else
        return false;
    m->want_quit = false;
    return true;
}

enum machine_stop machine_run(struct machine *m, uint64_t limit)
{
    enum machine_stop why;
    for (;;) {
        input_poll(m->port);
        if (input_status(m->port) != INPUT_RUNNING)
            return MACHINE_INPUT_END;
        sim_run_timers(m->sim);
        if (act_on_requests(m, &why))
            return why;
        if (sim_position(m->sim) >= limit)
            return MACHINE_LIMIT;
        if (!choose(m)) {
            uint64_t deadline = sim_next_deadline(m->sim, SIM_CLOCK_VIRTUAL);
            if (!input_idle(m->port, deadline))
                return input_status(m->port) == INPUT_RUNNING ? MACHINE_STUCK : MACHINE_INPUT_END;
            continue;
        }
        uint64_t n = budget(m, limit);
        if (n && run_slice(m, n) == STOP_SHUTDOWN)
            m->want_reset = true;          /* a triple fault resets the machine, as the chipset does */
    }
}

int machine_exit_code(const struct machine *m) { return m->exit_code; }

const char *machine_stop_text(const struct machine *m, enum machine_stop why)
{
    switch (why) {
    case MACHINE_QUIT:
        return "stopped by the user";
    case MACHINE_POWEROFF:
        return "guest powered off";
    case MACHINE_RESET_STOP:
        return "guest reset the machine";
    case MACHINE_DEBUG_EXIT:
        return "guest wrote to isa-debug-exit";
    case MACHINE_GUEST_PANIC:
        return "guest panicked";
    case MACHINE_BROKEN:
        return m->load_error.text;
    case MACHINE_INPUT_END:
        return input_status_text(m->port);
    case MACHINE_LIMIT:
        return "reached the given position";
    case MACHINE_STUCK:
        return "every CPU sleeps and nothing can wake them";
    }
    return "";
}

uint64_t machine_hash(struct machine *m)
{
    uint64_t h = state_set_hash(sim_state(m->sim));
    h = (h ^ ram_hash(m->ram)) * UINT64_C(0x9e3779b97f4a7c15);
    if (m->rom)
        h = (h ^ ram_hash(m->rom)) * UINT64_C(0x9e3779b97f4a7c15);
    return h;
}

struct sim *machine_sim(struct machine *m) { return m->sim; }
struct vcpu *machine_vcpu(struct machine *m, unsigned i) { return &m->cpu[i]->v; }
unsigned machine_vcpus(const struct machine *m) { return m->n_cpus; }
unsigned machine_current(const struct machine *m) { return (unsigned)m->s.current; }
struct engine *machine_engine(struct machine *m) { return m->engine; }
struct space *machine_memory(struct machine *m) { return m->mem; }
struct ram *machine_ram(struct machine *m) { return m->ram; }
