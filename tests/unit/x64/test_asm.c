/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The assembler at its limits, and assembled code at work. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "engine/x64/host.h"
#include "exec_memory.h"

static struct exec_memory memory;

static void *run_at(const uint8_t *written) { return memory.run + (written - memory.write); }

/* However small the buffer, nothing is written behind its end, and what does not fit is reported. */
static void test_full(void **state)
{
    (void)state;
    uint8_t buffer[256];
    for (unsigned size = 0; size < 200; size++) {
        struct x64_asm a;
        struct x64_label l = { 0 };
        memset(buffer, 0xa5, sizeof buffer);
        x64_init(&a, buffer, size);
        for (unsigned i = 0; i < 20; i++) {
            x64_mov_ri(&a, HOST_RAX, UINT64_MAX / 3);
            x64_mov_mi(&a, 64, x64_index(HOST_R13, HOST_R14, 3, INT32_MIN), INT32_MIN);
            x64_vex_rmi(&a, X64_VEX(1, 3, 1, 0x22), 9, 9, x64_index(HOST_R13, HOST_R14, 3, INT32_MIN), 1);
            x64_jcc(&a, X64_E, &l);
        }
        x64_bind(&a, &l);
        x64_nop(&a, 100);
        x64_align(&a, 64);
        assert_true(a.failed);
        assert_true(a.p <= buffer + size);
        for (unsigned i = size; i < sizeof buffer; i++)
            assert_int_equal(buffer[i], 0xa5);
    }
}

static bool short_jump_fails(unsigned distance, bool second_near)
{
    uint8_t buffer[1024];
    struct x64_asm a;
    struct x64_label l = { 0 };
    x64_init(&a, buffer, sizeof buffer);
    x64_jmp8(&a, &l);
    x64_nop(&a, distance);
    if (second_near)
        x64_jcc8(&a, X64_E, &l);
    x64_bind(&a, &l);
    return a.failed;
}

static void test_reach(void **state)
{
    (void)state;
    assert_false(short_jump_fails(127, false));
    assert_true(short_jump_fails(128, false));
    assert_false(short_jump_fails(125, true));
    assert_true(short_jump_fails(126, true));
    assert_true(short_jump_fails(300, true));

    struct x64_asm a = exec_memory_asm(&memory);
    const uint8_t *far = memory.run + ((int64_t)1 << 32);
    assert_true(x64_reaches(&a, memory.run + 4096));
    assert_false(x64_reaches(&a, far));
    x64_mov_rm(&a, 64, HOST_RAX, x64_at(memory.run + 4096));
    x64_call_to(&a, memory.run);
    assert_false(a.failed);
    x64_call_to(&a, far);
    assert_true(a.failed);
    a = exec_memory_asm(&memory);
    x64_mov_rm(&a, 64, HOST_RAX, x64_at(far));
    assert_true(a.failed);
}

/* Greatest common divisor: loops, both kinds of jump, both directions. */
static void test_loop(void **state)
{
    (void)state;
    struct x64_asm a = exec_memory_asm(&memory);
    struct x64_label again = { 0 }, done = { 0 };
    x64_mov_rr(&a, 64, HOST_RAX, HOST_RDI);
    x64_bind(&a, &again);
    x64_test_rr(&a, 64, HOST_RSI, HOST_RSI);
    x64_jcc8(&a, X64_E, &done);
    x64_zero(&a, HOST_RDX);
    x64_unary_r(&a, X64_DIV, 64, HOST_RSI);
    x64_mov_rr(&a, 64, HOST_RAX, HOST_RSI);
    x64_mov_rr(&a, 64, HOST_RSI, HOST_RDX);
    x64_jmp(&a, &again);
    x64_bind(&a, &done);
    x64_ret(&a);
    assert_false(a.failed);
    uint64_t (*gcd)(uint64_t, uint64_t) = (uint64_t (*)(uint64_t, uint64_t))(uintptr_t)memory.run;
    assert_int_equal(gcd(1071, 462), 21);
    assert_int_equal(gcd(UINT64_C(600851475143) * 12, UINT64_C(600851475143) * 35), UINT64_C(600851475143));
}

/* Data beside the code, a call within it, one to C, and a jump that is changed afterwards. */
static uint64_t thrice(uint64_t v) { return 3 * v; }

static void test_places(void **state)
{
    (void)state;
    struct x64_asm a = exec_memory_asm(&memory);
    struct x64_label callee = { 0 }, out = { 0 }, table = { 0 };
    x64_push(&a, HOST_RBX);
    x64_call(&a, &callee);
    x64_mov_ri(&a, HOST_RAX, (uint64_t)(uintptr_t)thrice);
    x64_call_r(&a, HOST_RAX);
    x64_jmp_to(&a, run_at(a.p));
    uint8_t *field = a.p - 4;
    x64_alu_ri(&a, X64_ADD, 64, HOST_RAX, 1000);
    x64_bind(&a, &out);
    x64_pop(&a, HOST_RBX);
    x64_ret(&a);
    x64_align(&a, 32);
    assert_int_equal((uintptr_t)run_at(a.p) % 32, 0);
    x64_bind(&a, &callee);
    x64_lea_label(&a, HOST_RBX, &table);
    x64_movzx_rm(&a, 32, HOST_RDI, 8, x64_index(HOST_RBX, HOST_RDI, 0, 0));
    x64_ret(&a);
    x64_bind(&a, &table);
    for (unsigned i = 0; i < 8; i++)
        x64_byte(&a, 10 * i);
    assert_false(a.failed);
    uint64_t (*f)(uint64_t) = (uint64_t (*)(uint64_t))(uintptr_t)memory.run;
    x64_patch32(field, field + 4);
    assert_int_equal(f(7), 1210);
    x64_patch32(field, out.at);
    assert_int_equal(f(7), 210);
}

/* The host runs this test, so it has what every x86-64 has; and nothing that its superset lacks. */
static void test_probe(void **state)
{
    (void)state;
    struct x64_host h;
    x64_host_probe(&h);
    assert_true(h.x64);
    assert_int_equal(h.avx, __builtin_cpu_supports("avx") != 0);
    assert_int_equal(h.avx2, __builtin_cpu_supports("avx2") != 0);
    assert_int_equal(h.fma, __builtin_cpu_supports("fma") != 0);
    assert_int_equal(h.aes, __builtin_cpu_supports("aes") != 0);
    assert_int_equal(h.pclmul, __builtin_cpu_supports("pclmul") != 0);
    assert_int_equal(h.sse41, __builtin_cpu_supports("sse4.1") != 0);
    assert_int_equal(h.sse42, __builtin_cpu_supports("sse4.2") != 0);
    assert_int_equal(h.ssse3, __builtin_cpu_supports("ssse3") != 0);
    assert_int_equal(h.popcnt, __builtin_cpu_supports("popcnt") != 0);
    assert_int_equal(h.bmi1, __builtin_cpu_supports("bmi") != 0);
    assert_int_equal(h.bmi2, __builtin_cpu_supports("bmi2") != 0);
#ifndef __clang__                                /* which knows these by no name */
    assert_int_equal(h.lzcnt, __builtin_cpu_supports("lzcnt") != 0);
    assert_int_equal(h.f16c, __builtin_cpu_supports("f16c") != 0);
    assert_int_equal(h.movbe, __builtin_cpu_supports("movbe") != 0);
    assert_int_equal(h.adx, __builtin_cpu_supports("adx") != 0);
#endif
}

int main(void)
{
    memory = exec_memory_new(1 << 16);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_full), cmocka_unit_test(test_reach), cmocka_unit_test(test_loop),
        cmocka_unit_test(test_places), cmocka_unit_test(test_probe),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
