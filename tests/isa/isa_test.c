/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * isa_test [-n CASES_PER_ROW] [-q SEQUENCES] [-s SEED] [-r NAME] [-e ENGINE] [-v]
 *
 * Runs random cases of every decoder row that user mode can run, on the host
 * and on Reprise, in 64-bit and in 32-bit code, and compares registers, flags,
 * memory, x87 and SSE state, and faults; then random sequences of instructions that set and read flags.
 * Exit status 1 on any difference, and if a row that can be compared (rows.c) got no case at all.  A seed of 0 is
 * taken from the clock; it is printed.
 */
#define _GNU_SOURCE
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "gen_impl.h"
#include "guest/x86/cpu.h"
#include "guest/x86/cpuid.h"
#include "guest/x86/mode.h"

enum { MAX_ROWS = 4096, CHUNK = 64, MAX_REPORTS = 4 };

static struct {
    struct isa_gen gen;
    struct isa_emu *emu;
    unsigned per_row, sequences;
    uint64_t seed;
    const char *only;
    bool verbose;
    uint64_t cases, differences;
    unsigned rows_run, rows_different, rows_empty;
} t;

/* ---- comparing -------------------------------------------------------------- */

static bool differs(char *why, size_t n, const char *what, uint64_t host, uint64_t ours)
{
    if (host == ours)
        return false;
    snprintf(why, n, "%s: host %016" PRIx64 ", ours %016" PRIx64, what, host, ours);
    return true;
}

/* Is each of the two floats, or the double, a NaN on both sides where they differ? */
static bool both_nans(uint64_t a, uint64_t b)
{
    bool singles = true;
    for (unsigned k = 0; k < 64; k += 32) {
        uint32_t x = (uint32_t)(a >> k) << 1, y = (uint32_t)(b >> k) << 1;
        singles &= (uint32_t)(a >> k) == (uint32_t)(b >> k) || (x > 0xff000000 && y > 0xff000000);
    }
    return singles || (a << 1 > UINT64_C(0xffe) << 52 && b << 1 > UINT64_C(0xffe) << 52);
}

static bool word_differs(char *why, size_t n, const char *what, const uint8_t *host, const uint8_t *ours, uint32_t let)
{
    uint64_t a = load_le(host, 8), b = load_le(ours, 8);
    return !(let & ISA_LET_SIMD || (let & ISA_LET_NANS && both_nans(a, b))) && differs(why, n, what, a, b);
}

static bool compare_vectors(const struct isa_result *h, const struct isa_result *o, uint32_t let, char *why, size_t n)
{
    char name[32];
    for (unsigned i = 0; i < 32; i++) {
        snprintf(name, sizeof name, "xmm%u.%s", i / 2, i & 1 ? "high" : "low");
        if (word_differs(why, n, name, h->out.fx + 160 + 8 * i, o->out.fx + 160 + 8 * i, let))
            return true;
    }
    for (unsigned i = 0; i < 32; i++) {
        snprintf(name, sizeof name, "ymm%u upper.%s", i / 2, i & 1 ? "high" : "low");
        unsigned at = 8 * (i & 1);
        if (word_differs(why, n, name, h->out.high[i / 2] + at, o->out.high[i / 2] + at, let))
            return true;
    }
    return false;
}

static bool compare_fx(const struct isa_result *h, const struct isa_result *o, uint32_t let, char *why, size_t n)
{
    char name[32];
    const uint8_t *a = h->out.fx, *b = o->out.fx;
    if (!(let & ISA_LET_MXCSR) && differs(why, n, "MXCSR", load_le(a + 24, 4), load_le(b + 24, 4)))
        return true;
    if (compare_vectors(h, o, let, why, n) || differs(why, n, "FCW", load_le(a, 2), load_le(b, 2)))
        return true;
    if (let & ISA_LET_X87)
        return false;
    if (differs(why, n, "FSW", load_le(a + 2, 2), load_le(b + 2, 2)) || differs(why, n, "FTW", a[4], b[4]))
        return true;
    for (unsigned i = 0; i < 8; i++) {
        snprintf(name, sizeof name, "st%u mantissa", i);
        if (differs(why, n, name, load_le(a + 32 + 16 * i, 8), load_le(b + 32 + 16 * i, 8)))
            return true;
        snprintf(name, sizeof name, "st%u exponent", i);
        if (differs(why, n, name, load_le(a + 40 + 16 * i, 2), load_le(b + 40 + 16 * i, 2)))
            return true;
    }
    return false;
}

/* True: `why` names the first field that differs.  insn is NULL of a sequence. */
static bool compare(const struct isa_case *c, const struct x86_insn *insn, uint64_t undefined,
                    const struct isa_result *h, const struct isa_result *o, char *why, size_t n)
{
    char name[32];
    uint32_t let = insn ? isa_vendor_lets(insn, h, o, t.gen.intel) : 0;
    if (let & ISA_LET_ALL)
        return false;
    if (differs(why, n, "end (0 fell through, 1 branched, 2 fault)", h->end, o->end) ||
        differs(why, n, "rip of the fault", h->rip, o->rip))
        return true;
    if (!(let & ISA_LET_FAULT) &&
        (differs(why, n, "vector", h->vector, o->vector) || differs(why, n, "error code", h->error, o->error) ||
         (h->has_cr2 && !(let & ISA_LET_CR2) && differs(why, n, "cr2", h->cr2, o->cr2))))
        return true;
    uint32_t lost = insn && h->end == ISA_FAULT ? isa_undefined_gprs(insn) : 0;
    for (unsigned i = 0; i < 16; i++) {
        if (lost >> i & 1)
            continue;
        snprintf(name, sizeof name, "gpr%u", i);
        uint64_t mask = c->mode32 ? (i < 8 ? UINT32_MAX : 0) : UINT64_MAX;
        if (differs(why, n, name, h->out.gpr[i] & mask, o->out.gpr[i] & mask))
            return true;
    }
    uint64_t compared = (FLAGS_ARITH | FLAG_DF | FLAG_AC | FLAG_ID) & ~(h->end == ISA_FAULT ? 0 : undefined);
    if (!(let & ISA_LET_FLAGS) && differs(why, n, "rflags", h->out.rflags & compared, o->out.rflags & compared))
        return true;
    for (unsigned i = 0; !(let & ISA_LET_MEMORY) && i < ISA_WINDOW_SIZE; i += 8) {
        /* MXCSR_MASK: AMD's have a bit more. */
        bool masked = insn && !strcmp(insn->row->name, "fxsave") && i == isa_fxsave_mask_at(insn, c);
        uint64_t keep = masked ? UINT32_MAX : UINT64_MAX;
        snprintf(name, sizeof name, "memory %08x", ISA_WINDOW + i);
        if (differs(why, n, name, load_le(h->out.window + i, 8) & keep, load_le(o->out.window + i, 8) & keep))
            return true;
    }
    return (!(let & ISA_LET_MEMORY) && differs(why, n, "memory around the window", h->outside, o->outside)) ||
           compare_fx(h, o, let, why, n);
}

static void report(const struct isa_case *c, const struct x86_insn *insn, const char *why)
{
    const char *mode = c->mode32 ? "32-bit" : "64-bit";
    if (insn)
        printf("DIFFERENT %s (%s, map %u opcode %02x /%d pfx %x):", insn->row->name, mode, insn->row->map,
               insn->row->opcode, insn->row->reg, insn->row->pfx);
    else
        printf("DIFFERENT sequence (%s), %u first:", mode, c->split);
    for (unsigned i = 0; i < c->len; i++)
        printf(" %02x", c->code[i]);
    printf("\n  %s\n", why);
    if (!t.verbose)
        return;
    for (unsigned i = 0; i < 16; i++)
        printf("  in gpr%-2u %016" PRIx64 "%s", i, c->in.gpr[i], i % 4 == 3 ? "\n" : "");
    for (unsigned i = 0; i < ISA_WINDOW_SIZE; i += 32)
        printf("  in %08x %016" PRIx64 " %016" PRIx64 " %016" PRIx64 " %016" PRIx64 "\n", ISA_WINDOW + i,
               load_le(c->in.window + i, 8), load_le(c->in.window + i + 8, 8), load_le(c->in.window + i + 16, 8),
               load_le(c->in.window + i + 24, 8));
    printf("  in rflags %08" PRIx64 " fcw %04x fsw %04x ftw %02x mxcsr %08x\n", c->in.rflags,
           (unsigned)load_le(c->in.fx, 2), (unsigned)load_le(c->in.fx + 2, 2), c->in.fx[4],
           (unsigned)load_le(c->in.fx + 24, 4));
    for (unsigned i = 0; i < 16; i++)
        printf("  in ymm%-2u %016" PRIx64 "%016" PRIx64 " %016" PRIx64 "%016" PRIx64 "\n", i,
               load_le(c->in.high[i] + 8, 8), load_le(c->in.high[i], 8), load_le(c->in.fx + 168 + 16 * i, 8),
               load_le(c->in.fx + 160 + 16 * i, 8));
    for (unsigned i = 0; i < 8; i++)
        printf("  in st%u %04x:%016" PRIx64 "  xmm%u %016" PRIx64 "%016" PRIx64 "\n", i,
               (unsigned)load_le(c->in.fx + 40 + 16 * i, 2), load_le(c->in.fx + 32 + 16 * i, 8), i,
               load_le(c->in.fx + 168 + 16 * i, 8), load_le(c->in.fx + 160 + 16 * i, 8));
}

/* ---- running ---------------------------------------------------------------- */

/* Returns the number of differences among up to CHUNK cases of the row; -1: no case could be made. */
static int run_chunk(const struct x86_row *row, bool mode32, unsigned reported)
{
    static struct isa_case cases[CHUNK];
    static struct isa_result host[CHUNK], ours;
    static struct x86_insn insns[CHUNK];
    unsigned n = 0;
    int bad = 0;
    for (unsigned draw = 0; draw < 400 * CHUNK && n < CHUNK; draw++) {
        if (isa_generate(&t.gen, row, mode32, &cases[n], &insns[n]))
            n++;
        if (draw > 4000 && n == 0)
            return -1;
    }
    if (!isa_host_run(cases, host, n))
        exit(1);
    for (unsigned i = 0; i < n; i++) {
        char why[128];
        isa_emu_run(t.emu, &cases[i], &ours);
        t.cases++;
        uint64_t undefined = isa_undefined_flags(&insns[i], &cases[i]);
        if (compare(&cases[i], &insns[i], undefined, &host[i], &ours, why, sizeof why)) {
            if (reported + (unsigned)bad < MAX_REPORTS)
                report(&cases[i], &insns[i], why);
            bad++;
        }
    }
    return bad;
}

/* CHUNK sequences. */
static void run_sequences(bool mode32)
{
    static struct isa_case cases[CHUNK];
    static struct isa_result host[CHUNK], ours;
    uint64_t undefined[CHUNK];
    for (unsigned i = 0; i < CHUNK; i++)
        undefined[i] = isa_sequence(&t.gen, mode32, &cases[i]);
    if (!isa_host_run(cases, host, CHUNK))
        exit(1);
    for (unsigned i = 0; i < CHUNK; i++) {
        char why[128];
        isa_emu_run(t.emu, &cases[i], &ours);
        t.cases++;
        if (compare(&cases[i], NULL, undefined[i], &host[i], &ours, why, sizeof why) && t.differences++ < MAX_REPORTS)
            report(&cases[i], NULL, why);
    }
}

/* Random numbers that depend on the seed and on what they are for, so that -r finds what a whole run has found. */
static void start_random(uint64_t what)
{
    t.gen.rng = what;
    t.gen.rng = gen_next(&t.gen) ^ t.seed;
    t.gen.rng = gen_next(&t.gen);
}

static void run_row(const struct x86_row *row, size_t number, bool mode32)
{
    unsigned bad = 0;
    bool any = false;
    if (!isa_row_exists(row, mode32))
        return;
    start_random(2 * number + mode32);
    for (unsigned done = 0; done < t.per_row; done += CHUNK) {
        t.gen.astray = done / CHUNK % 2;
        int k = run_chunk(row, mode32, bad);
        if (k < 0)
            break;
        any = true;
        bad += (unsigned)k;
    }
    t.rows_run += any;
    t.rows_empty += !any;
    if (!any)
        printf("NO CASE for %s (map %u opcode %02x, %s-bit)\n", row->name, row->map, row->opcode, mode32 ? "32" : "64");
    t.rows_different += bad != 0;
    t.differences += bad;
}

static void parse(int argc, char **argv, const char **engine)
{
    int opt;
    while ((opt = getopt(argc, argv, "n:q:s:r:e:v")) != -1) {
        switch (opt) {
        case 'n':
            t.per_row = (unsigned)strtoul(optarg, NULL, 10);
            break;
        case 'q':
            t.sequences = (unsigned)strtoul(optarg, NULL, 10);
            break;
        case 's':
            t.seed = strtoull(optarg, NULL, 10);
            break;
        case 'r':
            t.only = optarg;
            break;
        case 'e':
            *engine = optarg;
            break;
        case 'v':
            t.verbose = true;
            break;
        default:
            fprintf(stderr, "usage: isa_test [-n CASES_PER_ROW] [-q SEQUENCES] [-s SEED] [-r NAME] [-e ENGINE] [-v]\n");
            exit(1);
        }
    }
}

/* Only what the host has can be compared. */
static void host_features(uint64_t *features)
{
    uint32_t a, b, c, d;
#define CPUID(leaf) \
    __asm__ volatile("cpuid" : "=a"(a), "=b"(b), "=c"(c), "=d"(d) : "a"(leaf), "c"(0))
    CPUID(1);
    features[CPUID_1_EDX] = d;
    features[CPUID_1_ECX] = isa_host_has_avx() ? c : c & ~(1u << 28);
    CPUID(7);
    features[CPUID_7_EBX] = b;
    features[CPUID_7_ECX] = c;
    features[CPUID_7_EDX] = d;
    CPUID(0x80000001);
    features[CPUID_81_EDX] = d;
    features[CPUID_81_ECX] = c;
#undef CPUID
}

/*
 * A hypervisor that runs its guest's kernel in user mode shows by having no 32-bit code segment.  It answers INT by
 * gates of its own, and SYSEXIT by what it emulates.
 */
static bool hypervisor_answers(const struct x86_row *row)
{
    return !isa_host_has_mode32() && (!strcmp(row->name, "int") || !strcmp(row->name, "sysexit"));
}

static const char *why_not(const struct x86_row *row)
{
    if (hypervisor_answers(row))
        return "this host's hypervisor answers for the CPU";
    if (!x86_has(t.gen.features, row->feature) || (row->flags & ROW_AVX && !x86_has(t.gen.features, F_AVX)))
        return "this host lacks it";
    return isa_row_skip(row);
}

static void run_encodings(bool mode32)
{
    uint64_t different, compared = isa_vex_encodings(&t.gen, mode32, &different);
    printf("%" PRIu64 " VEX encodings in %s-bit code, %" PRIu64 " differences\n", compared, mode32 ? "32" : "64",
           different);
    t.differences += different;
}

int main(int argc, char **argv)
{
    static const struct x86_row *rows[MAX_ROWS];
    const char *engine = "interp";
    t.per_row = 256;
    t.sequences = 20000;
    t.seed = 1;
    parse(argc, argv, &engine);
    if (!t.seed)
        t.seed = (uint64_t)time(NULL);
    if (!isa_host_start())
        return 1;
    bool mode32 = isa_host_has_mode32();
    if (!mode32)
        printf("the host cannot run 32-bit code: 64-bit rows only\n");
    t.gen.decoder = x86_decoder_new();
    host_features(t.gen.features);
    t.gen.intel = isa_host_is_intel();
    t.emu = isa_emu_new(engine);
    size_t n = isa_rows(rows, MAX_ROWS);
    unsigned skipped = 0;
    for (size_t i = 0; i < n; i++) {
        const char *why = why_not(rows[i]);
        if (t.only && strcmp(rows[i]->name, t.only) != 0)
            continue;
        if (why) {
            skipped++;
            printf("not compared: %s (map %u opcode %02x): %s\n", rows[i]->name, rows[i]->map, rows[i]->opcode, why);
            continue;
        }
        run_row(rows[i], i, false);
        if (mode32)
            run_row(rows[i], i, true);
    }
    /* What decodes is no matter of the engine. */
    for (unsigned m = 0; m <= mode32 && !t.only && isa_host_has_avx() && !strcmp(engine, "interp"); m++)
        run_encodings(m);
    t.gen.astray = false;
    start_random(2 * MAX_ROWS);
    for (unsigned done = 0; done < t.sequences && !t.only; done += CHUNK)
        run_sequences(mode32 && done / CHUNK % 2);
    if (t.gen.intel)
        printf("an Intel host: what its processors do otherwise than AMD's is let off (vendor.c)\n");
    printf("seed %" PRIu64 ": %zu rows, %u skipped, %u row x mode runs, %u without a case, %" PRIu64 " cases, %" PRIu64
           " differences in %u\n",
           t.seed, n, skipped, t.rows_run, t.rows_empty, t.cases, t.differences, t.rows_different);
    isa_emu_free(t.emu);
    isa_host_stop();
    return t.differences != 0 || t.cases == 0 || t.rows_empty != 0;
}
