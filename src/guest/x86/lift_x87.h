/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef REPRISE_GUEST_X86_LIFT_X87_H
#define REPRISE_GUEST_X86_LIFT_X87_H

#include "guest/x86/lift.h"

x86_lift_fn lift_fxsave, lift_fninit, lift_fnclex, lift_fldcw, lift_fnstcw, lift_fnstsw, lift_fwait, lift_fnop, lift_emms, lift_fild;

#endif
