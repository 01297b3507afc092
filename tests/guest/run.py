#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Runs a bare-metal test image: run.py BUILD IMAGE plain|replay [i386|x86_64]

plain: every check passes.  replay: recorded and replayed, the console is equal and every check passes.
"""
import pathlib
import subprocess
import sys
import tempfile

build, image, mode, *target = sys.argv[1:]
program = pathlib.Path(build) / "src" / "cli" / ("reprise-system-" + (target or ["i386"])[0])
line = [program, "-M", "pc", "-cpu", "max", "-m", "64", "-display", "none", "-serial", "stdio", "-monitor", "none",
        "-no-reboot", "-net", "none", "-device", "isa-debug-exit,iobase=0xf4,iosize=4", "-kernel", image]


def run(icount):
    r = subprocess.run(line + ["-icount", icount], stdin=subprocess.DEVNULL, capture_output=True, timeout=100)
    out = r.stdout.decode(errors="replace").replace("\r", "")
    print(out, r.stderr.decode(errors="replace"))
    # isa-debug-exit: status = value << 1 | 1
    if r.returncode != 1 or "PASSED" not in out or "FAIL" in out:
        sys.exit(f"{icount}: exit status {r.returncode}")
    return out


if mode == "plain":
    for shift in ("3", "7"):
        run(f"shift={shift}")
else:
    with tempfile.TemporaryDirectory() as tmp:
        log = pathlib.Path(tmp) / "r.bin"
        recorded = run(f"shift=7,rr=record,rrfile={log}")
        if run(f"shift=7,rr=replay,rrfile={log}") != recorded:
            sys.exit("the replayed console differs")
