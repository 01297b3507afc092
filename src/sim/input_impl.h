/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * For implementations of the input port only (sim/input_live.c, rr/): the
 * common part and the operations each of them supplies.  Devices include
 * sim/input.h.
 *
 * The core owner fills this in: struct input_port { const struct input_port_ops
 * *ops; ... } with queue, sources and a completion queue.
 */
#ifndef REPRISE_SIM_INPUT_IMPL_H
#define REPRISE_SIM_INPUT_IMPL_H

#include "sim/input.h"

#endif
