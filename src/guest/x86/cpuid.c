/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The CPUID leaves (SDM vol. 2, CPUID; AMD APM vol. 3, appendix E). */
#include "guest/x86/cpuid.h"

#include "guest/x86/cpu.h"
#include "guest/x86/model.h"

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

/* Deterministic cache parameters: data, instructions, second and third level. */
static void leaf_4(const struct x86_cpu *c, uint32_t sub, uint32_t r[4])
{
    enum { DATA = 1, CODE = 2, UNIFIED = 3, LINE = 64 };
    static const uint8_t type[4] = { DATA, CODE, UNIFIED, UNIFIED }, level[4] = { 1, 1, 2, 3 };
    if (sub >= ARRAY_LEN(c->model->cache) || !c->model->cache[sub].kib)
        return;
    const struct x86_cache *cache = &c->model->cache[sub];
    r[0] = type[sub] | (uint32_t)level[sub] << 5 | 1 << 8;
    if (sub == 3)
        r[0] |= (c->n_cpus - 1) << 14;        /* shared by all */
    r[1] = (cache->ways - 1u) << 22 | (LINE - 1);
    r[2] = cache->kib * 1024 / (cache->ways * LINE) - 1;
    r[3] = 1;
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

/* The code of an associativity in leaf 0x80000006. */
static uint32_t ways_code(unsigned ways) { return ways >= 16 ? 8 : ways >= 8 ? 6 : 4; }

static void extended_caches(const struct x86_cpu *c, uint32_t leaf, uint32_t r[4])
{
    const struct x86_cache *cache = c->model->cache;
    bool amd = !x86_model_is_intel(c->model);
    if (leaf == 0x80000005 && amd) {
        r[2] = cache[0].kib << 24 | (uint32_t)cache[0].ways << 16 | 1 << 8 | 64;
        r[3] = cache[1].kib << 24 | (uint32_t)cache[1].ways << 16 | 1 << 8 | 64;
    } else if (leaf == 0x80000006) {
        r[2] = cache[2].kib << 16 | ways_code(cache[2].ways) << 12 | (amd ? 1 << 8 : 0) | 64;
        if (amd && cache[3].kib)
            r[3] = cache[3].kib / 512 << 18 | ways_code(cache[3].ways) << 12 | 1 << 8 | 64;
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
    case 0x80000006:
        extended_caches(c, leaf, r);
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
        r[3] = c->model->cache[3].kib ? 0xff : 0x002c307d;     /* 0xff: see leaf 4 */
        break;
    case 4:
        leaf_4(c, sub, r);
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
