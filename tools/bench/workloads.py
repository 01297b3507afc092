# SPDX-License-Identifier: GPL-2.0-or-later
"""What the benchmark measures, on what, and by whom: three tables."""
from collections import namedtuple

# A workload's size is chosen so that plain QEMU takes some seconds; user: runs almost only user-mode code.
Workload = namedtuple("Workload", "name what size quick unit user cpu")

WORKLOADS = [Workload(*row) for row in (
    # name      what it is                                        size  quick  unit                user   cpu
    ("boot",    "from the emulator's start to /init",                1,     1, "",                 False, None),
    ("integer", "sieve, quicksort, matrix product, division",      150,     1, "rounds",           True,  None),
    ("hash",    "busybox sha256sum",                                64,     1, "MiB",              True,  None),
    ("gzip",    "busybox gzip -9",                               12000,    64, "KiB",              True,  None),
    ("awk",     "busybox awk: arithmetic, arrays, strings",     150000,  4000, "turns",            True,  None),
    ("float",   "n bodies, matrix product, in doubles",            300,     2, "rounds",           True,  None),
    ("sse2",    "packed float, double and integer",                100,     1, "rounds",           True,  None),
    ("avx2",    "the same, 256 bits wide",                          80,     1, "rounds",           True,  "max"),
    ("fork",    "fork, exec, wait of a static program",           1500,    20, "times",            False, None),
    ("stream",  "copy and add over 24 MiB",                         40,     1, "rounds",           True,  None),
    ("fault",   "mmap, touch 1024 pages, munmap",                  220,     2, "times",            False, None),
    ("syscall", "getpid",                                         6000,    10, "thousand",         False, None),
    ("pipe",    "a byte to and fro between two processes",          40,     1, "thousand",         False, None),
    ("trap",    "breakpoint exception, signal, return",            350,     1, "thousand",         False, None),
)]
BY_NAME = {w.name: w for w in WORKLOADS}

# The sets that the geometric means are taken over.
MEANS = {
    "all": [w.name for w in WORKLOADS],
    "everyday": ["boot", "hash", "gzip", "awk", "fork"],
    "floating point and SIMD": ["float", "sse2", "avx2"],
    "system": ["fork", "fault", "syscall", "pipe", "trap"],
}

# rr: None without, else record or replay.  A replay replays its own program's recording of the same turn.
Emulator = namedtuple("Emulator", "name program rr icount")

EMULATORS = [Emulator(*row) for row in (
    ("reprise",        "reprise", None,     True),
    ("reprise-record", "reprise", "record", True),
    ("reprise-replay", "reprise", "replay", True),
    ("reprise-verify", "reprise", "verify", True),
    ("qemu-plain",     "qemu",    None,     False),
    ("qemu-record",    "qemu",    "record", True),
    ("qemu-replay",    "qemu",    "replay", True),
    ("native",         "native",  None,     False),
)]
EMULATOR = {e.name: e for e in EMULATORS}

# Columns of the table: title, numerator, denominator.
RATIOS = [
    ("record:QEMU record", "qemu-record", "reprise-record"),
    ("record:QEMU plain", "qemu-plain", "reprise-record"),
    ("replay:QEMU replay", "qemu-replay", "reprise-replay"),
    ("record/no rr", "reprise-record", "reprise"),
    ("replay/record", "reprise-replay", "reprise-record"),
    ("record/native", "reprise-record", "native"),
    ("QEMU plain/native", "qemu-plain", "native"),
]
