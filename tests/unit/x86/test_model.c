/* SPDX-License-Identifier: GPL-2.0-or-later */
/* CPU models and features: what CPUID says, and that it is what is decoded. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "guest/x86/cpu.h"
#include "guest/x86/decode.h"
#include "guest/x86/mode.h"
#include "guest/x86/model.h"

static struct x86_cpu *cpu(const char *text)
{
    struct error err;
    struct x86_cpu *c = calloc(1, sizeof *c);
    c->model = x86_model_parse(text, c->features, &err);
    if (!c->model)
        fail_msg("%s: %s", text, err.text);
    c->n_cpus = 1;
    c->s.xcr0 = XSAVE_X87;
    return c;
}

static void assert_refused(const char *text, const char *why)
{
    struct error err;
    uint64_t words[CPUID_WORDS];
    assert_null(x86_model_parse(text, words, &err));
    assert_string_equal(err.text, why);
}

static void test_families(void **state)
{
    static const struct {
        const char *name, *vendor;
        uint32_t signature, family, avx2;
    } expected[] = {
        { "Nehalem", "GenuntelineI", 0x106a3, 6, 0 },
        { "Haswell", "GenuntelineI", 0x306c4, 6, 1 },
        { "EPYC", "AuthcAMDenti", 0x800f12, 0x17, 1 },
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(expected); i++) {
        struct x86_cpu *c = cpu(expected[i].name);
        uint32_t r[4];
        x86_cpuid(c, 0, 0, r);
        assert_memory_equal(&r[1], expected[i].vendor, 12);      /* EBX, ECX, EDX */
        x86_cpuid(c, 1, 0, r);
        assert_int_equal(r[0], expected[i].signature);
        uint32_t family = r[0] >> 8 & 15;
        assert_int_equal(family == 15 ? family + (r[0] >> 20 & 255) : family, expected[i].family);
        assert_int_equal(r[2] >> 20 & 1, 1);                     /* SSE4.2 */
        assert_int_equal(r[2] >> 28 & 1, expected[i].avx2);
        x86_cpuid(c, 7, 0, r);
        assert_int_equal(r[1] >> 5 & 1, expected[i].avx2);
        free(c);
    }
}

static void test_caches(void **state)
{
    struct x86_cpu *c = cpu("Haswell");
    uint32_t r[4], l3[4];
    (void)state;
    x86_cpuid(c, 4, 2, r);
    /* ways * lines * sets */
    assert_int_equal(((r[1] >> 22) + 1) * ((r[1] & 0xfff) + 1) * (r[2] + 1), 256 * 1024);
    x86_cpuid(c, 4, 3, l3);
    assert_int_equal(l3[0] >> 5 & 7, 3);
    x86_cpuid(c, 4, 4, r);
    assert_int_equal(r[0], 0);
    free(c);
    c = cpu("EPYC");
    x86_cpuid(c, 0x80000006, 0, r);
    assert_int_equal(r[2] >> 16, 512);
    assert_int_equal((r[3] >> 18) * 512, 8192);
    free(c);
}

/* Leaf 0xD follows XCR0 and the features. */
static void test_state_area(void **state)
{
    struct x86_cpu *c = cpu("max");
    uint32_t r[4];
    (void)state;
    x86_cpuid(c, 0xd, 0, r);
    assert_int_equal(r[0], 7);
    assert_int_equal(r[1], 576);
    assert_int_equal(r[2], 832);
    c->s.xcr0 = XSAVE_X87 | XSAVE_SSE | XSAVE_AVX;
    x86_cpuid(c, 0xd, 0, r);
    assert_int_equal(r[1], 832);
    free(c);
    c = cpu("max,-avx");
    x86_cpuid(c, 0xd, 0, r);
    assert_int_equal(r[0], 3);
    x86_cpuid(c, 0xd, 2, r);
    assert_int_equal(r[0], 0);
    free(c);
}

static bool decodes(const struct x86_cpu *c, const char *bytes, size_t n)
{
    struct x86_decoder *d = x86_decoder_new();
    struct x86_insn insn;
    uint8_t text[16] = { 0 };
    memcpy(text, bytes, n);
    bool ok = x86_decode(d, text, 15, MODE_PE | MODE_LMA | MODE_CS64, c->features, &insn) == X86_DECODE_OK;
    x86_decoder_free(d);
    return ok;
}
#define VADDPS_128 "\xc5\xf0\x58\xc2", 4
#define VPADDB_128 "\xc5\xf1\xfc\xc2", 4
#define VPADDB_256 "\xc5\xf5\xfc\xc2", 4
#define VFMADD132PS "\xc4\xe2\x71\x98\xc2", 5
#define VCVTPH2PS "\xc4\xe2\x79\x13\xc1", 5
#define VAESENC_128 "\xc4\xe2\x71\xdc\xc2", 5
#define VAESENC_256 "\xc4\xe2\x75\xdc\xc2", 5

static void test_decoding_follows(void **state)
{
    struct x86_cpu *all = cpu("max"), *avx = cpu("max,-avx2,-fma,-f16c,-vaes"), *none = cpu("EPYC,avx=off");
    (void)state;
    assert_true(decodes(all, VADDPS_128) && decodes(all, VPADDB_256) && decodes(all, VFMADD132PS));
    assert_true(decodes(all, VCVTPH2PS) && decodes(all, VAESENC_256));
    assert_true(decodes(avx, VADDPS_128) && decodes(avx, VPADDB_128) && decodes(avx, VAESENC_128));
    assert_false(decodes(avx, VPADDB_256) || decodes(avx, VFMADD132PS) || decodes(avx, VCVTPH2PS));
    assert_false(decodes(avx, VAESENC_256));
    assert_false(decodes(none, VADDPS_128) || decodes(none, VAESENC_128) || decodes(none, VFMADD132PS));
    assert_false(x86_has(none->features, F_AVX2) || x86_has(none->features, F_FMA));
    free(all);
    free(avx);
    free(none);
}

static void test_refused(void **state)
{
    (void)state;
    assert_refused("haswell", "-cpu: unknown CPU model 'haswell' (-cpu help lists them)");
    assert_refused("max,+avx512f", "-cpu: unknown CPU feature 'avx512f' (is 'avx2' meant? -cpu help lists them)");
    assert_refused("max,avx2=maybe", "-cpu: 'avx2=maybe' is neither on nor off");
    assert_refused("qemu64,+avx2", "-cpu: feature 'avx2' needs 'avx'");
    assert_refused("qemu64,+avx", "-cpu: feature 'avx' needs 'xsave'");
    free(cpu("qemu64,+xsave,+avx,+avx2"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_families),         cmocka_unit_test(test_caches),  cmocka_unit_test(test_state_area),
        cmocka_unit_test(test_decoding_follows), cmocka_unit_test(test_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
