/* SPDX-License-Identifier: GPL-2.0-or-later */
/* CPU models, their features, and the syntax of `-cpu`. */
#include "guest/x86/model.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "guest/x86/cpu.h"

struct feature_name {
    const char *name;
    uint16_t feature;
};

/* What Reprise implements; nothing else can be switched on. */
static const struct feature_name features[] = {
    { "fpu", F_FPU }, { "vme", F_VME }, { "de", F_DE }, { "pse", F_PSE }, { "tsc", F_TSC }, { "msr", F_MSR },
    { "pae", F_PAE }, { "mce", F_MCE }, { "cx8", F_CX8 }, { "apic", X86_F(CPUID_1_EDX, 9) }, { "sep", F_SEP },
    { "mtrr", F_MTRR }, { "pge", F_PGE }, { "mca", F_MCA }, { "cmov", F_CMOV }, { "pat", F_PAT },
    { "pse36", X86_F(CPUID_1_EDX, 17) }, { "clflush", F_CLFLUSH }, { "mmx", F_MMX }, { "fxsr", F_FXSR },
    { "sse", F_SSE }, { "sse2", F_SSE2 }, { "sse3", F_SSE3 }, { "pclmulqdq", F_PCLMULQDQ }, { "monitor", F_MONITOR },
    { "ssse3", F_SSSE3 }, { "cx16", F_CX16 }, { "pcid", F_PCID }, { "sse4.1", F_SSE4_1 }, { "sse4.2", F_SSE4_2 },
    { "x2apic", F_X2APIC }, { "movbe", F_MOVBE }, { "popcnt", F_POPCNT }, { "tsc-deadline", F_TSC_DEADLINE },
    { "aes", F_AES }, { "xsave", F_XSAVE }, { "avx", F_AVX }, { "f16c", F_F16C }, { "rdrand", F_RDRAND },
    { "fma", F_FMA }, { "fsgsbase", F_FSGSBASE }, { "bmi1", F_BMI1 }, { "avx2", F_AVX2 }, { "smep", F_SMEP },
    { "bmi2", F_BMI2 }, { "erms", F_ERMS }, { "invpcid", F_INVPCID }, { "rdseed", F_RDSEED }, { "adx", F_ADX },
    { "smap", F_SMAP }, { "clflushopt", F_CLFLUSHOPT }, { "clwb", F_CLWB }, { "umip", F_UMIP }, { "vaes", F_VAES },
    { "vpclmulqdq", F_VPCLMULQDQ }, { "rdpid", F_RDPID }, { "syscall", F_SYSCALL }, { "nx", F_NX },
    { "pdpe1gb", F_PDPE1GB }, { "rdtscp", F_RDTSCP }, { "lm", F_LM }, { "lahf-lm", F_LAHF_LM }, { "abm", F_ABM },
    { "3dnowprefetch", F_PREFETCHW }, { "xsaveopt", F_XSAVEOPT }, { "xsavec", F_XSAVEC }, { "xgetbv1", F_XGETBV1 },
};

/* A set of features as CPUID words. */
#define BIT(f) (UINT64_C(1) << (((f)-1) % 32))
enum {
    BASE_EDX = 1 << 0 | 1 << 2 | 1 << 3 | 1 << 4 | 1 << 5 | 1 << 6 | 1 << 7 | 1 << 8 | 1 << 9 | 1 << 11 | 1 << 12 |
               1 << 13 | 1 << 14 | 1 << 15 | 1 << 16 | 1 << 17 | 1 << 19 | 1 << 23 | 1 << 24 | 1 << 25 | 1 << 26,
    VME_EDX = 1 << 1,
};
#define LONG_EDX (BIT(F_SYSCALL) | BIT(F_NX) | BIT(F_LM))
#define SSE42_ECX \
    (BIT(F_SSE3) | BIT(F_SSSE3) | BIT(F_CX16) | BIT(F_SSE4_1) | BIT(F_SSE4_2) | BIT(F_POPCNT))
#define AVX2_ECX                                                                                                     \
    (SSE42_ECX | BIT(F_PCLMULQDQ) | BIT(F_FMA) | BIT(F_MOVBE) | BIT(F_AES) | BIT(F_XSAVE) | BIT(F_AVX) | BIT(F_F16C) | \
     BIT(F_RDRAND))
#define AVX2_EBX (BIT(F_FSGSBASE) | BIT(F_BMI1) | BIT(F_AVX2) | BIT(F_SMEP) | BIT(F_BMI2))

#define PLAIN_CACHES { { 32, 8 }, { 32, 8 }, { 512, 16 }, { 0, 0 } }
#define INTEL_CACHES { { 32, 8 }, { 32, 8 }, { 256, 8 }, { 8192, 16 } }

/*
 * QEMU's names.  A family's features are what its maker documents, as far as Reprise has them: no TSX for Haswell,
 * no SSE4A and SHA for EPYC.
 */
static const struct x86_model models[] = {
    { "qemu32", "GenuineIntel", "QEMU Virtual CPU version 2.5+", 0x663, 0xd, 0x80000004,
      { [CPUID_1_EDX] = BASE_EDX & ~(1 << 14 | 1 << 7), [CPUID_1_ECX] = BIT(F_SSE3) }, PLAIN_CACHES, false },
    { "qemu64", "AuthenticAMD", "QEMU Virtual CPU version 2.5+", 0x60fb1, 0xd, 0x8000000a,
      { [CPUID_1_EDX] = BASE_EDX, [CPUID_1_ECX] = BIT(F_SSE3) | BIT(F_CX16), [CPUID_81_EDX] = LONG_EDX,
        [CPUID_81_ECX] = BIT(F_LAHF_LM) }, PLAIN_CACHES, false },
    { "Nehalem", "GenuineIntel", "Intel Core i7 9xx (Nehalem Class Core i7)", 0x106a3, 0xb, 0x80000008,
      { [CPUID_1_EDX] = BASE_EDX | VME_EDX, [CPUID_1_ECX] = SSE42_ECX, [CPUID_81_EDX] = LONG_EDX,
        [CPUID_81_ECX] = BIT(F_LAHF_LM) }, INTEL_CACHES, false },
    { "Haswell", "GenuineIntel", "Intel Core Processor (Haswell)", 0x306c4, 0xd, 0x80000008,
      { [CPUID_1_EDX] = BASE_EDX | VME_EDX,
        [CPUID_1_ECX] = AVX2_ECX | BIT(F_PCID) | BIT(F_X2APIC) | BIT(F_TSC_DEADLINE),
        [CPUID_7_EBX] = AVX2_EBX | BIT(F_ERMS) | BIT(F_INVPCID), [CPUID_81_EDX] = LONG_EDX | BIT(F_RDTSCP),
        [CPUID_81_ECX] = BIT(F_LAHF_LM) | BIT(F_ABM), [CPUID_D1_EAX] = BIT(F_XSAVEOPT) }, INTEL_CACHES, false },
    { "EPYC", "AuthenticAMD", "AMD EPYC Processor", 0x800f12, 0xd, 0x8000001e,
      { [CPUID_1_EDX] = BASE_EDX | VME_EDX, [CPUID_1_ECX] = AVX2_ECX | BIT(F_MONITOR),
        [CPUID_7_EBX] = AVX2_EBX | BIT(F_RDSEED) | BIT(F_ADX) | BIT(F_SMAP) | BIT(F_CLFLUSHOPT),
        [CPUID_81_EDX] = LONG_EDX | BIT(F_RDTSCP) | BIT(F_PDPE1GB),
        [CPUID_81_ECX] = BIT(F_LAHF_LM) | BIT(F_ABM) | BIT(F_PREFETCHW),
        [CPUID_D1_EAX] = BIT(F_XSAVEOPT) | BIT(F_XSAVEC) | BIT(F_XGETBV1) },
      { { 32, 8 }, { 64, 4 }, { 512, 8 }, { 8192, 16 } }, false },
    { "max", "AuthenticAMD", "Reprise Virtual CPU", 0x60fb1, 0xd, 0x8000000a, { 0 }, PLAIN_CACHES, true },
};

static const struct feature_name *find_feature(const char *name, size_t len)
{
    char canonical[32];
    if (len >= sizeof canonical)
        return NULL;
    for (size_t i = 0; i < len; i++)
        canonical[i] = name[i] == '_' ? '-' : name[i];
    canonical[len] = 0;
    if (!strcmp(canonical, "sse4-1") || !strcmp(canonical, "sse4-2"))
        canonical[4] = '.';
    for (size_t i = 0; i < ARRAY_LEN(features); i++)
        if (!strcmp(features[i].name, canonical))
            return &features[i];
    return NULL;
}

/* The least number of letters to insert, delete or replace; names are short. */
static unsigned edit_distance(const char *a, size_t na, const char *b)
{
    enum { LONGEST = 32 };
    unsigned row[LONGEST + 1];
    size_t nb = strlen(b);
    na = na < LONGEST ? na : LONGEST;
    for (size_t i = 0; i <= na; i++)
        row[i] = (unsigned)i;
    for (size_t j = 1; j <= nb; j++) {
        unsigned diagonal = row[0]++;
        for (size_t i = 1; i <= na; i++) {
            unsigned best = diagonal + (a[i - 1] != b[j - 1]);
            diagonal = row[i];
            best = best < row[i] + 1 ? best : row[i] + 1;
            row[i] = best < row[i - 1] + 1 ? best : row[i - 1] + 1;
        }
    }
    return row[na];
}

static const char *nearest_feature(const char *name, size_t len)
{
    const char *best = features[0].name;
    for (size_t i = 1; i < ARRAY_LEN(features); i++)
        if (edit_distance(name, len, features[i].name) < edit_distance(name, len, best))
            best = features[i].name;
    return best;
}

static void set_feature(uint64_t *words, unsigned f, bool on)
{
    uint64_t bit = UINT64_C(1) << ((f - 1) % 32);
    words[(f - 1) / 32] = on ? words[(f - 1) / 32] | bit : words[(f - 1) / 32] & ~bit;
}

/* One item of -cpu behind the model's name: +f, -f, f=on, f=off.  asked: features that were switched on by name. */
static bool parse_item(const char *item, size_t len, uint64_t *words, uint64_t *asked, struct error *err)
{
    bool on = true;
    const char *name = item;
    size_t n = len;
    if (n && (*name == '+' || *name == '-')) {
        on = *name == '+';
        name++;
        n--;
    } else {
        const char *eq = memchr(item, '=', len);
        if (eq) {
            n = (size_t)(eq - item);
            size_t vn = len - n - 1;
            if (vn == 2 && !memcmp(eq + 1, "on", 2))
                on = true;
            else if (vn == 3 && !memcmp(eq + 1, "off", 3))
                on = false;
            else
                return error_set(err, "-cpu: '%.*s' is neither on nor off", (int)len, item);
        }
    }
    const struct feature_name *f = find_feature(name, n);
    if (!f)
        return error_set(err, "-cpu: unknown CPU feature '%.*s' (is '%s' meant? -cpu help lists them)", (int)n, name,
                         nearest_feature(name, n));
    set_feature(words, f->feature, on);
    set_feature(asked, f->feature, on);
    return true;
}

/* In this order: what an earlier line takes away, a later one sees. */
static const struct {
    uint16_t feature, needs;
} needs[] = {
    { F_AVX, F_XSAVE },      { F_XSAVEOPT, F_XSAVE }, { F_XSAVEC, F_XSAVE }, { F_XGETBV1, F_XSAVE },
    { F_AVX2, F_AVX },       { F_FMA, F_AVX },        { F_F16C, F_AVX },     { F_VAES, F_AVX },
    { F_VPCLMULQDQ, F_AVX }, { F_VAES, F_AES },       { F_VPCLMULQDQ, F_PCLMULQDQ },
};

static const char *feature_name(unsigned f)
{
    for (size_t i = 0; i < ARRAY_LEN(features); i++)
        if (features[i].feature == f)
            return features[i].name;
    return "?";
}

/* A feature goes with what it needs; one that was asked for cannot. */
static bool drop_dependent(uint64_t *words, const uint64_t *asked, struct error *err)
{
    for (size_t i = 0; i < ARRAY_LEN(needs); i++) {
        if (!x86_has(words, needs[i].feature) || x86_has(words, needs[i].needs))
            continue;
        if (x86_has(asked, needs[i].feature))
            return error_set(err, "-cpu: feature '%s' needs '%s'", feature_name(needs[i].feature),
                             feature_name(needs[i].needs));
        set_feature(words, needs[i].feature, false);
    }
    return true;
}

const struct x86_model *x86_model_parse(const char *text, uint64_t words[CPUID_WORDS], struct error *err)
{
    size_t len = strcspn(text, ",");
    uint64_t asked[CPUID_WORDS] = { 0 };
    const struct x86_model *m = NULL;
    for (size_t i = 0; i < ARRAY_LEN(models); i++)
        if (strlen(models[i].name) == len && !memcmp(models[i].name, text, len))
            m = &models[i];
    if (!m) {
        error_set(err, "-cpu: unknown CPU model '%.*s' (-cpu help lists them)", (int)len, text);
        return NULL;
    }
    memcpy(words, m->words, sizeof m->words);
    if (m->everything)
        for (size_t i = 0; i < ARRAY_LEN(features); i++)
            set_feature(words, features[i].feature, true);
    for (text += len; *text; text += len) {
        text++;
        len = strcspn(text, ",");
        if (!parse_item(text, len, words, asked, err))
            return NULL;
    }
    return drop_dependent(words, asked, err) ? m : NULL;
}

void x86_cpu_list(void (*line)(void *opaque, const char *text), void *opaque)
{
    char text[128];
    line(opaque, "CPU models:");
    for (size_t i = 0; i < ARRAY_LEN(models); i++) {
        snprintf(text, sizeof text, "  %-10s %s", models[i].name, models[i].brand);
        line(opaque, text);
    }
    line(opaque, "CPU features (+NAME, -NAME, NAME=on|off):");
    for (size_t i = 0; i < ARRAY_LEN(features); i++) {
        snprintf(text, sizeof text, "  %s", features[i].name);
        line(opaque, text);
    }
}

bool x86_model_is_intel(const struct x86_model *m) { return m->vendor[0] == 'G'; }
