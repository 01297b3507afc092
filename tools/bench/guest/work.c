// SPDX-License-Identifier: GPL-2.0-or-later
// The benchmark's guest program: work NAME SIZE runs one workload and prints a checksum of what it computed.
#define _GNU_SOURCE
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "work.h"

enum { PAGE = 4096, MIB = 1 << 20 };

static void fail(const char *what)
{
    perror(what);
    exit(1);
}

// ---- integer: a sieve, a sort, a matrix product, long division ----

static uint64_t sieve(void)
{
    enum { LIMIT = 200000 };
    static uint8_t composite[LIMIT];
    memset(composite, 0, sizeof composite);
    uint64_t sum = 0;
    for (uint32_t i = 2; i < LIMIT; i++) {
        if (composite[i])
            continue;
        sum = mix(sum, i);
        for (uint32_t j = 2 * i; j < LIMIT; j += i)
            composite[j] = 1;
    }
    return sum;
}

static void quicksort(uint32_t *a, long low, long high)
{
    while (low < high) {
        uint32_t pivot = a[(low + high) / 2];
        long i = low, j = high;
        while (i <= j) {
            while (a[i] < pivot)
                i++;
            while (a[j] > pivot)
                j--;
            if (i <= j) {
                uint32_t t = a[i];
                a[i++] = a[j];
                a[j--] = t;
            }
        }
        quicksort(a, low, j);
        low = i;
    }
}

static uint64_t sort(uint64_t *seed)
{
    enum { N = 50000 };
    static uint32_t a[N];
    for (int i = 0; i < N; i++)
        a[i] = next(seed);
    quicksort(a, 0, N - 1);
    uint64_t sum = 0;
    for (int i = 0; i < N; i += 100)
        sum = mix(sum, a[i]);
    return sum;
}

static uint64_t product(uint64_t *seed)
{
    enum { N = 96 };
    static uint32_t a[N][N], b[N][N];
    for (int i = 0; i < N * N; i++)
        a[i / N][i % N] = next(seed), b[i / N][i % N] = next(seed);
    uint64_t sum = 0;
    for (int i = 0; i < N; i++)
        for (int j = 0; j < N; j++) {
            uint32_t cell = 0;
            for (int k = 0; k < N; k++)
                cell += a[i][k] * b[k][j];
            sum = mix(sum, cell);
        }
    return sum;
}

static uint64_t divide(uint64_t *seed)
{
    uint64_t sum = 0;
    for (int i = 0; i < 20000; i++) {
        uint64_t a = (uint64_t)next(seed) << 32 | next(seed), b = next(seed) | 1;
        while (b) {
            uint64_t r = a % b;
            a = b, b = r;
        }
        sum = mix(sum, a);
    }
    return sum;
}

static uint64_t integer(long size)
{
    uint64_t seed = 1, sum = 0;
    for (long i = 0; i < size; i++)
        sum = mix(mix(mix(mix(sum, sieve()), sort(&seed)), product(&seed)), divide(&seed));
    return sum;
}

// ---- float: n bodies, a matrix product, in doubles ----

struct body {
    double place[3], speed[3], mass;
};

static void advance(struct body *bodies, int n, double dt)
{
    for (int i = 0; i < n; i++)
        for (int j = i + 1; j < n; j++) {
            double d[3], distance2 = 0.01;
            for (int k = 0; k < 3; k++)
                d[k] = bodies[i].place[k] - bodies[j].place[k], distance2 += d[k] * d[k];
            double pull = dt / (distance2 * __builtin_sqrt(distance2));
            for (int k = 0; k < 3; k++) {
                bodies[i].speed[k] -= d[k] * bodies[j].mass * pull;
                bodies[j].speed[k] += d[k] * bodies[i].mass * pull;
            }
        }
    for (int i = 0; i < n; i++)
        for (int k = 0; k < 3; k++)
            bodies[i].place[k] += dt * bodies[i].speed[k];
}

static double matrix(uint64_t *seed)
{
    enum { N = 64 };
    static double a[N][N], b[N][N];
    for (int i = 0; i < N * N; i++)
        a[i / N][i % N] = next(seed) % 1000 / 999.0, b[i / N][i % N] = next(seed) % 1000 / 999.0;
    double trace = 0;
    for (int i = 0; i < N; i++)
        for (int j = 0; j < N; j++) {
            double cell = 0;
            for (int k = 0; k < N; k++)
                cell += a[i][k] * b[k][j];
            trace += i == j ? cell : cell / 1024;
        }
    return trace;
}

static uint64_t floating(long size)
{
    enum { N = 6 };
    struct body bodies[N];
    uint64_t seed = 2, sum = 0;
    for (int i = 0; i < N; i++) {
        for (int k = 0; k < 3; k++)
            bodies[i].place[k] = next(&seed) % 1000 / 100.0, bodies[i].speed[k] = next(&seed) % 1000 / 1000.0;
        bodies[i].mass = 1 + i;
    }
    for (long turn = 0; turn < size; turn++) {
        for (int i = 0; i < 2000; i++)
            advance(bodies, N, 0.001);
        double trace = matrix(&seed) + bodies[0].place[0];
        uint64_t bits;
        memcpy(&bits, &trace, sizeof bits);
        sum = mix(sum, bits);
    }
    return sum;
}

// ---- memory ----

// Copies and adds arrays larger than any cache that an emulator has to warm up.
static uint64_t stream(long size)
{
    enum { N = 8 * MIB / sizeof(uint64_t) };
    static uint64_t a[N], b[N], c[N];
    for (size_t i = 0; i < N; i++)
        b[i] = i, c[i] = i * 3;
    for (long turn = 0; turn < size; turn++) {
        for (size_t i = 0; i < N; i++)
            a[i] = b[i] + 3 * c[i];
        for (size_t i = 0; i < N; i++)
            c[i] = a[i];
        for (size_t i = 0; i < N; i++)
            b[i] = a[i] ^ c[N - 1 - i];
    }
    uint64_t sum = 0;
    for (size_t i = 0; i < N; i += 1000)
        sum = mix(sum, a[i] + b[i]);
    return sum;
}

// Maps 4 MiB, touches every page, unmaps.
static uint64_t fault(long size)
{
    uint64_t sum = 0;
    for (long turn = 0; turn < size; turn++) {
        uint8_t *p = mmap(NULL, 4 * MIB, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (p == MAP_FAILED)
            fail("mmap");
        madvise(p, 4 * MIB, MADV_NOHUGEPAGE);
        for (int i = 0; i < 4 * MIB; i += PAGE)
            sum += p[i]++ + 1;
        munmap(p, 4 * MIB);
    }
    return sum;
}

// ---- the kernel's entries ----

static uint64_t call(long size)
{
    uint64_t sum = 0;
    for (long i = 0; i < size * 1000; i++)
        sum += syscall(SYS_getpid) > 0;
    return sum;
}

// One byte to and fro between two processes.
static uint64_t ping(long size)
{
    int to[2], fro[2];
    if (pipe(to) || pipe(fro))
        fail("pipe");
    pid_t child = fork();
    if (child < 0)
        fail("fork");
    uint8_t byte = 0;
    if (!child) {
        close(to[1]);
        while (read(to[0], &byte, 1) == 1)
            if (byte++, write(fro[1], &byte, 1) != 1)
                _exit(1);
        _exit(0);
    }
    uint64_t sum = 0;
    for (long i = 0; i < size * 1000; i++) {
        if (write(to[1], &byte, 1) != 1 || read(fro[0], &byte, 1) != 1)
            fail("ping");
        sum += byte;
    }
    close(to[1]);
    waitpid(child, NULL, 0);
    return sum;
}

static volatile sig_atomic_t traps;

static void trapped(int signal)
{
    traps += signal == SIGTRAP;
}

// Breakpoint exceptions, each a signal to this process.
static uint64_t trap(long size)
{
    signal(SIGTRAP, trapped);
    for (long i = 0; i < size * 1000; i++)
        __asm__ volatile("int3");
    return (uint64_t)traps;
}

static uint64_t spawn(long size, char *program)
{
    uint64_t sum = 0;
    for (long i = 0; i < size; i++) {
        pid_t child = fork();
        if (child < 0)
            fail("fork");
        if (!child) {
            execl(program, program, "nothing", NULL);
            _exit(127);
        }
        int status;
        if (waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0)
            sum++;
    }
    return sum;
}

// ---- what is not a workload ----

// Writes SIZE units of UNIT bytes of text: words of a vocabulary, short ones often, in lines.
static void text(long bytes)
{
    uint64_t seed = 3;
    int column = 0;
    for (long done = 0; done < bytes;) {
        uint32_t word = next(&seed) % (1 << next(&seed) % 12);
        uint64_t letters = word * 2654435761u + 7;
        int length = 2 + (int)(word % 9);
        for (int i = 0; i < length && done < bytes; i++, done++)
            putchar('a' + (int)(next(&letters) % 26));
        column += length + 1;
        if (done++ < bytes)
            putchar(column > 70 ? '\n' : ' ');
        if (column > 70)
            column = 0;
    }
}

// Runs a command and says on standard error what CPU time it took: clocks that the shell can read are too coarse.
static int timed(const char *name, char **command)
{
    pid_t child = fork();
    if (child < 0)
        fail("fork");
    if (!child) {
        execv(command[0], command);
        _exit(127);
    }
    int status;
    struct rusage used;
    if (wait4(child, &status, 0, &used) != child)
        fail("wait4");
    fprintf(stderr, "bench: cpu %s %.6f.\n", name,
            (double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) +
                (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e6);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128;
}

// A mark has left the serial port when this returns, so its time of arrival is its time.
static void mark(const char *what)
{
    printf("bench: %s.\n", what);
    fflush(stdout);
    tcdrain(STDOUT_FILENO);
}

static const struct {
    const char *name;
    uint64_t (*run)(long size);
} workloads[] = {
    { "integer", integer }, { "float", floating }, { "sse2", simd_sse2 }, { "avx2", simd_avx2 }, { "stream", stream },
    { "fault", fault }, { "syscall", call }, { "pipe", ping }, { "trap", trap },
};

int main(int argc, char **argv)
{
    const char *name = argc > 1 ? argv[1] : "";
    long size = argc > 2 ? atol(argv[2]) : 0;
    if (!strcmp(name, "nothing"))
        return 0;
    if (!strcmp(name, "has-avx2"))
        return __builtin_cpu_supports("avx2") ? 0 : 1;
    if (!strcmp(name, "mark") && argc == 3)
        return mark(argv[2]), 0;
    if (!strcmp(name, "time") && argc > 3)
        return timed(argv[2], argv + 3);
    if (!strcmp(name, "text"))
        return text(size * (argc > 3 ? atol(argv[3]) : MIB)), 0;
    if (!strcmp(name, "fork") && argc == 4)
        return printf("%ld\n", (long)spawn(size, argv[3])), 0;
    for (size_t i = 0; i < sizeof workloads / sizeof *workloads; i++)
        if (!strcmp(name, workloads[i].name))
            return printf("%016llx\n", (unsigned long long)workloads[i].run(size)), 0;
    fprintf(stderr, "work: there is no workload '%s'\n", name);
    return 1;
}
