/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef REPRISE_GUEST_X86_MODEL_H
#define REPRISE_GUEST_X86_MODEL_H

#include "guest/x86/cpuid.h"

struct x86_cpu;

struct x86_cache {
    uint32_t kib;             /* 0: there is none */
    uint16_t ways;            /* lines have 64 bytes */
};

struct x86_model {
    const char *name, *vendor, *brand;
    uint32_t signature;       /* leaf 1 EAX */
    uint32_t max_leaf, max_ext;
    uint64_t words[CPUID_WORDS];
    struct x86_cache cache[4];   /* L1 data, L1 instructions, L2, L3 */
    bool everything;          /* all features that there are */
};

/* "model,+f,-f,f=on": the model and its feature words.  NULL: err names what is unknown. */
const struct x86_model *x86_model_parse(const char *text, uint64_t words[CPUID_WORDS], struct error *err);
bool x86_model_is_intel(const struct x86_model *m);

/* CPUID: r is EAX, EBX, ECX, EDX. */
void x86_cpuid(struct x86_cpu *c, uint32_t leaf, uint32_t sub, uint32_t r[4]);

#endif
