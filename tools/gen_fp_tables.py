#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Writes src/fp/tables.c: the constants of the x87 transcendentals, by integer arithmetic.

Usage: gen_fp_tables.py > src/fp/tables.c

Everything comes from series: atan by Euler's x/(1+x^2) series, pi by Machin's formula,
ln 2 and ln 10 by atanh, each with 192 bits and rounded to nearest at the end.
"""
W = 192                      # working fraction bits
ONE = 1 << W


def atan_frac(num, den):
    """atan(num/den) * 2^W, Euler's series: converges for every argument in [0, 1]."""
    x2n, x2d = num * num, den * den
    term = (ONE * num * den) // (x2n + x2d)
    total, k = 0, 1
    while term:
        total += term
        term = term * 2 * k * x2n // ((2 * k + 1) * (x2n + x2d))
        k += 1
    return total


def atanh_inverse(n):
    """atanh(1/n) * 2^W."""
    power, total, k = ONE // n, 0, 1
    while power:
        total += power // k
        power //= n * n
        k += 2
    return total


PI = 4 * (4 * atan_frac(1, 5) - atan_frac(1, 239))
LN2 = 2 * atanh_inverse(3)
LN10 = 3 * LN2 + 2 * atanh_inverse(9)       # ln 10 = 3 ln 2 + ln(5/4)


def rounded(v, bits):
    """v / 2^W as an integer multiple of 2^-bits."""
    return (v + (1 << (W - bits - 1))) >> (W - bits)


def words(v):
    assert 0 <= v < 1 << 128
    return "{ UINT64_C(0x%016x), UINT64_C(0x%016x) }" % (v >> 64, v & (1 << 64) - 1)


def table(name, comment, values):
    print(f"\n/* {comment} */\nconst struct fp_word128 {name}[{len(values)}] = {{")
    for v in values:
        print(f"    {words(v)},")
    print("};")


def constant(name, comment, v, exp):
    """A number of exponent exp as sig:ext, truncated (all are irrational)."""
    v = v >> (W - 127 + exp) if W - 127 + exp >= 0 else v << (127 - W - exp)
    assert v >> 127 == 1
    print(f"\n/* {comment} */\nconst struct fp_word128 {name} = {words(v)};")


def main():
    print("/* SPDX-License-Identifier: GPL-2.0-or-later */")
    print("/* Made by tools/gen_fp_tables.py; constants of the x87 transcendentals. */")
    print('#include "fp/wide.h"')
    inverse_factorials, f = [], 1
    for n in range(36):
        f *= max(n, 1)
        inverse_factorials.append(rounded(ONE // f, 127))
    table("fp_inverse_factorial", "1/n! * 2^127", inverse_factorials)
    table("fp_inverse_odd", "1/(2k+1) * 2^127", [rounded(ONE // (2 * k + 1), 127) for k in range(28)])
    table("fp_atan_16th", "atan(i/16) * 2^127", [rounded(atan_frac(i, 16), 127) for i in range(17)])
    constant("fp_ln2", "ln 2, exponent -1", LN2, -1)
    constant("fp_log2_e", "log2 e, exponent 0", ONE * ONE // LN2, 0)
    constant("fp_pi", "pi, exponent 1", PI, 1)
    constant("fp_log2_10", "log2 10, exponent 1", ONE * LN10 // LN2, 1)
    constant("fp_log10_2", "log10 2, exponent -2", ONE * LN2 // LN10, -2)


main()
