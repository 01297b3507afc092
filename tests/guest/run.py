#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Runs a bare-metal test image: run.py BUILD IMAGE plain|replay [i386|x86_64]

plain: every check passes on every engine, with the same console, and every run of one shift, without rr, ends in the
same state.  replay: what one engine recorded every engine replays, also
perturbed ones, to the same console and the same state hashes on the way; and both replay it in step.
"""
import pathlib
import subprocess
import sys
import tempfile

build, image, mode, *target = sys.argv[1:]
programs = pathlib.Path(build) / "src" / "cli"
line = [programs / ("reprise-system-" + (target or ["i386"])[0]), "-M", "pc", "-cpu", "max", "-m", "64",
        "-display", "none", "-serial", "stdio", "-monitor", "none", "-no-reboot", "-net", "none", "-device",
        "isa-debug-exit,iobase=0xf4,iosize=4", "-kernel", image]
ENGINES = ("interp", "jit")
PERTURBED = [f"{engine},perturb={seed}" for engine in ("interp", "jit", "jit,tb-size=2") for seed in (1, 2, 3)]


def run(icount, engine, *options):
    r = subprocess.run([*line, "-icount", icount, "-accel", engine, *options], stdin=subprocess.DEVNULL,
                       capture_output=True, timeout=100)
    out = r.stdout.decode(errors="replace").replace("\r", "")
    # isa-debug-exit: status = value << 1 | 1
    if r.returncode != 1 or b"portable engine" in r.stderr or "PASSED" not in out or "FAIL" in out:
        sys.exit(f"{icount}, {engine}: exit status {r.returncode}\n{out}\n{r.stderr.decode(errors='replace')}")
    return out


def verify(log, *options):
    r = subprocess.run([programs / "reprise", "verify", log, *options], capture_output=True, timeout=100)
    if r.returncode:
        sys.exit(f"verify {' '.join(options)}: {r.stdout.decode()} {r.stderr.decode()}")


consoles = set()
if mode == "plain":
    with tempfile.TemporaryDirectory() as tmp:
        for shift in ("3", "7"):
            ends = set()
            for turn, engine in enumerate((*ENGINES, "jit", PERTURBED[3])):
                end = pathlib.Path(tmp) / f"{shift}.{turn}"
                consoles.add(run(f"shift={shift}", engine, "-rtc", "base=2026-01-02,clock=vm", "-d", "hash", "-D", end))
                ends.add(end.read_text())
            if len(ends) != 1 or "state hash" not in min(ends):
                sys.exit(f"shift={shift}: runs end differently:\n{''.join(ends)}")
else:
    with tempfile.TemporaryDirectory() as tmp:
        for recorder in ENGINES:
            log = pathlib.Path(tmp) / recorder
            consoles.add(run(f"shift=7,rr=record,rrfile={log},rrhash=5000", recorder))
            consoles |= {run(f"shift=7,rr=replay,rrfile={log}", engine) for engine in ENGINES}
            for engine in (*ENGINES, *PERTURBED):
                verify(log, "--engine", engine)
            verify(log, "--lockstep", "--every", "1000")
print(*consoles, sep="\n")
if len(consoles) != 1:
    sys.exit("the consoles differ")
