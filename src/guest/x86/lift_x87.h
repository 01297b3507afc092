/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef REPRISE_GUEST_X86_LIFT_X87_H
#define REPRISE_GUEST_X86_LIFT_X87_H

#include "guest/x86/lift.h"

x86_lift_fn lift_fxsave, lift_xsave, lift_xrstor, lift_fninit, lift_fnclex, lift_fldcw, lift_fnstcw, lift_fnstsw,
    lift_fwait, lift_fnop, lift_x87_arith, lift_x87_compare, lift_x87_compare_flags, lift_x87_unary, lift_x87_load,
    lift_x87_load80, lift_x87_store, lift_x87_store80, lift_x87_fld_st, lift_x87_fst_st, lift_x87_fxch, lift_x87_cmov,
    lift_x87_free, lift_x87_env;

#endif
