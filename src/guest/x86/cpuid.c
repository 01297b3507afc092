/* SPDX-License-Identifier: GPL-2.0-or-later */
/* CPU models, `-cpu` parsing and the CPUID leaves (SDM vol. 2, CPUID; AMD APM vol. 3, appendix E). */
#include "guest/x86/cpuid.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "guest/x86/cpu.h"
#include "guest/x86/model.h"

struct feature_name {
    const char *name;
    uint16_t feature;
};

/* What Reprise implements; nothing else can be switched on. */
static const struct feature_name features[] = {
    { "fpu", F_FPU }, { "vme", F_VME }, { "de", F_DE }, { "pse", F_PSE },
    { "tsc", F_TSC }, { "msr", F_MSR }, { "pae", F_PAE }, { "mce", F_MCE },
    { "cx8", F_CX8 }, { "apic", X86_F(CPUID_1_EDX, 9) }, { "sep", F_SEP }, { "mtrr", F_MTRR },
    { "pge", F_PGE }, { "mca", F_MCA }, { "cmov", F_CMOV },
    { "pat", F_PAT }, { "pse36", X86_F(CPUID_1_EDX, 17) }, { "clflush", F_CLFLUSH },
    { "mmx", F_MMX }, { "fxsr", F_FXSR }, { "sse", F_SSE }, { "sse2", F_SSE2 },
    { "sse3", F_SSE3 }, { "pclmulqdq", F_PCLMULQDQ }, { "monitor", F_MONITOR }, { "ssse3", F_SSSE3 },
    { "cx16", F_CX16 }, { "pcid", F_PCID }, { "sse4.1", F_SSE4_1 }, { "sse4.2", F_SSE4_2 }, { "x2apic", F_X2APIC },
    { "movbe", F_MOVBE }, { "popcnt", F_POPCNT }, { "tsc-deadline", F_TSC_DEADLINE }, { "aes", F_AES },
    { "xsave", F_XSAVE }, { "rdrand", F_RDRAND },
    { "fsgsbase", F_FSGSBASE }, { "bmi1", F_BMI1 }, { "smep", F_SMEP }, { "bmi2", F_BMI2 }, { "erms", F_ERMS },
    { "invpcid", F_INVPCID }, { "rdseed", F_RDSEED }, { "adx", F_ADX }, { "smap", F_SMAP },
    { "clflushopt", F_CLFLUSHOPT }, { "clwb", F_CLWB }, { "umip", F_UMIP }, { "rdpid", F_RDPID },
    { "syscall", F_SYSCALL }, { "nx", F_NX }, { "pdpe1gb", F_PDPE1GB }, { "rdtscp", F_RDTSCP }, { "lm", F_LM },
    { "lahf-lm", F_LAHF_LM }, { "abm", F_ABM }, { "3dnowprefetch", F_PREFETCHW },
    { "xsaveopt", F_XSAVEOPT }, { "xsavec", F_XSAVEC }, { "xgetbv1", F_XGETBV1 },
};

/* Words of the bits above, for models made of "everything in these words". */
enum {
    BASE_EDX = 1 << 0 | 1 << 2 | 1 << 3 | 1 << 4 | 1 << 5 | 1 << 6 | 1 << 7 | 1 << 8 | 1 << 9 | 1 << 11 | 1 << 12 |
               1 << 13 | 1 << 14 | 1 << 15 | 1 << 16 | 1 << 17 | 1 << 19 | 1 << 23 | 1 << 24 | 1 << 25 | 1 << 26,
};

struct x86_model {
    const char *name, *vendor, *brand;
    uint32_t signature;       /* leaf 1 EAX */
    uint32_t max_leaf, max_ext;
    uint64_t words[CPUID_WORDS];
    bool everything;
};

static const struct x86_model models[] = {
    { "qemu32", "GenuineIntel", "QEMU Virtual CPU version 2.5+", 0x663, 0xd, 0x80000004,
      { BASE_EDX & ~(1 << 14 | 1 << 7), 1 << 0, 0, 0, 0, 0, 0, 0 }, false },
    { "qemu64", "AuthenticAMD", "QEMU Virtual CPU version 2.5+", 0x60fb1, 0xd, 0x8000000a,
      { BASE_EDX, 1 << 0 | 1 << 13, 0, 0, 0, 1u << 11 | 1u << 20 | 1u << 29, 1 << 0, 0 }, false },
    { "max", "AuthenticAMD", "Reprise Virtual CPU", 0x60fb1, 0xd, 0x8000000a, { 0 }, true },
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

/* One item of -cpu behind the model's name: +f, -f, f=on, f=off. */
static bool parse_item(const char *item, size_t len, uint64_t *words, struct error *err)
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
    return true;
}

const struct x86_model *x86_model_parse(const char *text, uint64_t words[CPUID_WORDS], struct error *err)
{
    size_t len = strcspn(text, ",");
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
        if (!parse_item(text, len, words, err))
            return NULL;
    }
    return m;
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

/* ---- leaves ---------------------------------------------------------------------------------- */

static uint32_t pack4(const char *s) { return (uint32_t)load_le(s, 4); }

static void leaf_1(struct x86_cpu *c, uint32_t r[4])
{
    r[0] = c->model->signature;
    r[1] = c->v.index << 24 | c->n_cpus << 16 | 8 << 8;
    r[2] = (uint32_t)c->features[CPUID_1_ECX] | (c->s.cr4 & CR4_OSXSAVE ? 1u << 27 : 0) | 1u << 31;
    r[3] = (uint32_t)c->features[CPUID_1_EDX] | (c->n_cpus > 1 ? 1u << 28 : 0);
    if (!(c->s.apic_base & 1 << 11))
        r[3] &= ~(1u << 9);
}

/* Deterministic cache parameters: 32 KiB L1d and L1i, 512 KiB L2. */
static void leaf_4(uint32_t sub, uint32_t r[4])
{
    static const uint32_t leaves[3][4] = { { 0x121, 7u << 22 | 63, 63, 1 },
                                           { 0x122, 7u << 22 | 63, 63, 1 },
                                           { 0x143, 15u << 22 | 63, 511, 1 } };
    if (sub < 3)
        memcpy(r, leaves[sub], sizeof leaves[sub]);
}

static void leaf_b(const struct x86_cpu *c, uint32_t sub, uint32_t r[4])
{
    unsigned shift = 0;
    while (1u << shift < c->n_cpus)
        shift++;
    r[2] = sub;
    r[3] = c->v.index;
    if (sub == 0) {
        r[1] = 1;
        r[2] |= 1 << 8;
    } else if (sub == 1) {
        r[0] = shift;
        r[1] = c->n_cpus;
        r[2] |= 2 << 8;
    }
}

static void leaf_d(const struct x86_cpu *c, uint32_t sub, uint32_t r[4])
{
    if (!x86_has(c->features, F_XSAVE))
        return;
    uint32_t supported = XSAVE_X87 | XSAVE_SSE | (x86_has(c->features, F_AVX) ? XSAVE_AVX : 0);
    if (sub == 0) {
        r[0] = supported;
        r[1] = c->s.xcr0 & XSAVE_AVX ? 832 : 576;
        r[2] = supported & XSAVE_AVX ? 832 : 576;
    } else if (sub == 1) {
        r[0] = (uint32_t)c->features[CPUID_D1_EAX];
        r[1] = c->s.xcr0 & XSAVE_AVX ? 832 : 576;
    } else if (sub == 2 && supported & XSAVE_AVX) {
        r[0] = 256;
        r[1] = 576;
    }
}

static void extended(const struct x86_cpu *c, uint32_t leaf, uint32_t r[4])
{
    char brand[48] = { 0 };
    memcpy(brand, c->model->brand, strlen(c->model->brand));
    bool amd = c->model->vendor[0] == 'A';
    switch (leaf) {
    case 0x80000000:
        r[0] = c->model->max_ext;
        memcpy(&r[1], c->model->vendor, 4);
        memcpy(&r[3], c->model->vendor + 4, 4);
        memcpy(&r[2], c->model->vendor + 8, 4);
        break;
    case 0x80000001:
        r[0] = c->model->signature;
        r[2] = (uint32_t)c->features[CPUID_81_ECX];
        r[3] = (uint32_t)c->features[CPUID_81_EDX];
        if (amd)            /* AMD repeats leaf 1's bits here */
            r[3] |= (uint32_t)c->features[CPUID_1_EDX] & 0x0183f3ff;
        break;
    case 0x80000002:
    case 0x80000003:
    case 0x80000004:
        for (unsigned i = 0; i < 4; i++)
            r[i] = pack4(brand + 16 * (leaf - 0x80000002) + 4 * i);
        break;
    case 0x80000005:
        r[2] = 32u << 24 | 8u << 16 | 1u << 8 | 64;
        r[3] = 32u << 24 | 8u << 16 | 1u << 8 | 64;
        break;
    case 0x80000006:
        r[2] = 512u << 16 | 8u << 12 | 1u << 8 | 64;
        break;
    case 0x80000007:
        r[3] = 1u << 8;       /* invariant TSC */
        break;
    case 0x80000008:
        r[0] = 48u << 8 | 40;
        r[2] = c->n_cpus > 1 ? c->n_cpus - 1 : 0;
        break;
    default:
        break;
    }
}

void x86_cpuid(struct x86_cpu *c, uint32_t leaf, uint32_t sub, uint32_t r[4])
{
    memset(r, 0, 4 * sizeof *r);
    if (leaf >= 0x80000000 && leaf <= c->model->max_ext) {
        extended(c, leaf, r);
        return;
    }
    if (leaf >= 0x40000000 && leaf < 0x40000100)
        return;
    if (leaf > c->model->max_leaf)
        leaf = c->model->max_leaf;
    switch (leaf) {
    case 0:
        r[0] = c->model->max_leaf;
        r[1] = pack4(c->model->vendor);
        r[3] = pack4(c->model->vendor + 4);
        r[2] = pack4(c->model->vendor + 8);
        break;
    case 1:
        leaf_1(c, r);
        break;
    case 2:
        r[0] = 0x00000001;
        r[3] = 0x002c307d;
        break;
    case 4:
        leaf_4(sub, r);
        break;
    case 5:                   /* MONITOR's line; no extensions */
        r[0] = r[1] = x86_has(c->features, F_MONITOR) ? 64 : 0;
        break;
    case 6:
        r[0] = 1u << 2;       /* the APIC timer never stops */
        break;
    case 7:
        if (sub == 0) {
            r[1] = (uint32_t)c->features[CPUID_7_EBX];
            r[2] = (uint32_t)c->features[CPUID_7_ECX];
            r[3] = (uint32_t)c->features[CPUID_7_EDX];
        }
        break;
    case 0xb:
        leaf_b(c, sub, r);
        break;
    case 0xd:
        leaf_d(c, sub, r);
        break;
    default:
        break;
    }
}

bool x86_model_is_intel(const struct x86_model *m) { return m->vendor[0] == 'G'; }
