#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""
What recording costs: boots the same guest with and without rr=record, alternating,
and prints the ratio of the median CPU times, and the log's size.

    tools/bench-record.py BUILD [--runs N] [--hash POSITIONS]

CPU time of the process is taken rather than wall time: the boot waits for nothing.
"""
import argparse
import os
import pathlib
import resource
import statistics
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests" / "boot"))
import guest  # noqa: E402

# The kernel has nothing to run and gives up: it resets at once.
APPEND = "console=ttyS0 panic=-1 rdinit=/nothing"


def cpu_time(argv):
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(argv, check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("build")
    p.add_argument("--runs", type=int, default=5)
    p.add_argument("--hash", help="positions between state hashes (0: none)")
    a = p.parse_args()
    with tempfile.TemporaryDirectory() as tmp:
        log = os.path.join(tmp, "boot.rr")
        rr = f",rr=record,rrfile={log}" + (f",rrhash={a.hash}" if a.hash else "")
        times = {"plain": [], "record": []}
        for i in range(a.runs):
            order = list(times) if i % 2 else list(reversed(times))
            for kind in order:
                argv = guest.command(a.build, "amd64", "shift=7" + (rr if kind == "record" else ""), append=APPEND)
                times[kind].append(cpu_time(argv))
            print(f"run {i + 1}: plain {times['plain'][-1]:.2f} s, record {times['record'][-1]:.2f} s", flush=True)
        ratio = statistics.median(times["record"]) / statistics.median(times["plain"])
        paired = statistics.median(r / q for r, q in zip(times["record"], times["plain"]))
        print(f"recording takes {ratio:.3f} times as long (median of pairs: {paired:.3f}); "
              f"the log has {os.path.getsize(log)} bytes")


main()
