/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where the host allows no code to be made, or not enough of it, one sentence says so and the portable engine runs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "board/machine.h"
#include "host/host.h"

static uint64_t host_clock(void *opaque, enum sim_clock clock) { return UINT64_C(1700000000) * NS_PER_SEC; }
static void host_wait(void *opaque, uint64_t timeout_ns) {}
static void host_notify(void *opaque) {}
static void host_random(void *opaque, void *out, size_t len) { memset(out, 0x5a, len); }
static const struct sim_host host = { host_clock, host_wait, host_notify, host_random, NULL };

static char said[400];
static unsigned sentences;

static void say(void *opaque, enum sink_level level, const char *text)
{
    if (level != SINK_WARN)
        return;
    snprintf(said, sizeof said, "%s", text);
    sentences++;
}

static bool no_code(void *opaque, size_t size, size_t data_size, struct code_memory *out, struct error *err)
{
    return error_set(err, "the test gives none of %zu bytes", size);
}

static const struct host_code nothing = { .alloc = no_code };

/* jmp . at the reset vector; the kind of the engine that ran it for a while. */
static const char *kind_that_runs(const struct host_code *code, size_t cache_bytes)
{
    static uint8_t bios[65536];
    static const struct sim_config sim_config = { .shift = 7 };
    struct machine_config c = { .machine = "pc", .cpus = 1, .ram_bytes = 4 << 20, .bios = { "bios", bios, sizeof bios },
                                .engine = { .kind = "jit", .code = code, .cache_bytes = cache_bytes },
                                .memory = host_memory, .sink = { say, NULL } };
    struct error err = { "" };
    memcpy(bios + 0xfff0, "\xeb\xfe", 2);
    said[0] = 0;
    sentences = 0;
    struct sim *sim = sim_new(&sim_config, &c.sink);
    struct input_port *port = input_live_new(sim, &host);
    sim_set_port(sim, port);
    struct machine *m = machine_new(&c, sim, port, &err);
    if (!m)
        fail_msg("%s", err.text);
    assert_int_equal(machine_run(m, 100000), MACHINE_LIMIT);
    const char *kind = engine_kind(machine_engine(m));
    input_port_close(port, "the test ended");
    machine_free(m);
    sim_free(sim);
    return kind;
}

static void test_plenty(void **state)
{
    assert_string_equal(kind_that_runs(&host_code, 0), "jit");
    assert_int_equal(sentences, 0);
}

static void test_no_memory_for_code(void **state)
{
    assert_string_equal(kind_that_runs(&nothing, 0), "interp");
    assert_int_equal(sentences, 1);
    assert_non_null(strstr(said, "'jit' cannot run here: the test gives none of"));
    assert_non_null(strstr(said, "the portable engine runs instead"));
    assert_string_equal(kind_that_runs(NULL, 0), "interp");
    assert_int_equal(sentences, 1);
}

/* Every size either runs or says that it is too small; none crashes. */
static void test_small(void **state)
{
    bool ran = false;
    for (size_t kib = 1; kib < 2048; kib += kib < 1000 ? 97 : 13) {
        const char *kind = kind_that_runs(&host_code, kib << 10);
        bool jit = !strcmp(kind, "jit");
        assert_true(!ran || jit);
        ran = jit;
        assert_int_equal(sentences, !jit);
        assert_true(jit || strstr(said, "too small"));
    }
    assert_true(ran);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_plenty),
        cmocka_unit_test(test_no_memory_for_code),
        cmocka_unit_test(test_small),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
