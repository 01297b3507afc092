/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How fast an engine runs the toy: positions a second for a few loops.  Prints; asserts nothing. */
#include <stdio.h>
#include <time.h>

#include "toy.h"

static double now(void)
{
    struct timespec t;
    timespec_get(&t, TIME_UTC);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static void run(const char *name, void (*make)(struct toy_machine *, uint64_t *))
{
    struct engine_config config = { .kind = "interp" };
    struct toy_machine *m = toy_machine_new(&config);
    uint64_t at = TOY_CODE, n = 100000000;
    m->cpu.s.r[12] = TOY_DATA;
    toy_enable_paging(m);
    make(m, &at);
    double start = now();
    toy_run(m, n);
    printf("%-28s %7.1f million positions/s\n", name, (double)n / (now() - start) * 1e-6);
    toy_machine_free(m);
}

static void arithmetic(struct toy_machine *m, uint64_t *at)
{
    toy_emit(m, at, T_ADD, 1, 2, 0);
    toy_emit(m, at, T_XOR, 3, 1, 0);
    toy_emit(m, at, T_SUB, 4, 3, 0);
    toy_emit(m, at, T_ADDI, 2, 0, 3);
    toy_emit(m, at, T_SHL, 5, 2, 0);
    toy_emit(m, at, T_MOV, 6, 5, 0);
    toy_emit(m, at, T_JMP, 0, 0, -6 * TOY_LENGTH);
}

static void memory(struct toy_machine *m, uint64_t *at)
{
    toy_emit(m, at, T_LD64, 1, 12, 8);
    toy_emit(m, at, T_ADD, 1, 2, 0);
    toy_emit(m, at, T_ST64, 1, 12, 16);
    toy_emit(m, at, T_LD32, 3, 12, 4000);
    toy_emit(m, at, T_ADDI, 2, 0, 1);
    toy_emit(m, at, T_ST8, 3, 12, 24);
    toy_emit(m, at, T_JMP, 0, 0, -6 * TOY_LENGTH);
}

static void branches(struct toy_machine *m, uint64_t *at)
{
    toy_emit(m, at, T_ADDI, 1, 0, 1);
    toy_emit(m, at, T_JLTU, 1, 2, 2 * TOY_LENGTH);
    toy_emit(m, at, T_ADDI, 3, 0, 1);
    toy_emit(m, at, T_JNZ, 0, 0, 6);
    toy_emit(m, at, T_JMP, 0, 0, -4 * TOY_LENGTH);
}

int main(void)
{
    run("arithmetic", arithmetic);
    run("loads and stores", memory);
    run("branches", branches);
    return 0;
}
