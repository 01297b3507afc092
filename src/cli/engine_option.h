/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which engine runs the guest: -accel, accel= of -machine, and --engine. */
#ifndef REPRISE_CLI_ENGINE_OPTION_H
#define REPRISE_CLI_ENGINE_OPTION_H

#include "engine/engine.h"

/* The fastest engine of this build. */
const char *engine_default(void);

/*
 * text: "KIND[,tb-size=MB]".  KIND is "interp", "jit", or "tcg" for the default.  Leaves alone in *config what
 * text does not say.  option: for messages.
 */
bool engine_option(const char *option, const char *text, struct engine_config *config, struct error *err);

/* "KIND[:KIND..]": the first that there is, as -machine accel= takes it. */
bool engine_option_any(const char *option, const char *kinds, struct engine_config *config, struct error *err);

#endif
