/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The version of the programs and of this interface, as MAJOR.MINOR.PATCH. */
#ifndef REPRISE_VERSION_H
#define REPRISE_VERSION_H

#define REPRISE_VERSION "0.1.0"

#endif
