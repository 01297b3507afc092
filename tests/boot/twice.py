#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Without rr, boots of Debian's kernel with one command line show the same console and end in the same state."""
import pathlib
import re
import subprocess
import sys
import tempfile

import guest

END = r"^end: position \d+, state hash [0-9a-f]{16}\n$"


def boot(a, end, accel):
    # The kernel boots, finds nothing to run and resets at once.
    line = guest.command(a.build, a.arch, f"shift={a.shift}", a.smp, "console=ttyS0 panic=-1 rdinit=/nothing",
                         extra=["-rtc", "base=2026-01-02T03:04:05,clock=vm", "-accel", accel, "-d", "hash",
                                "-D", str(end)])
    r = subprocess.run(line, stdin=subprocess.DEVNULL, capture_output=True, timeout=300)
    if r.returncode != 0 or b"Kernel panic" not in r.stdout:
        sys.exit(f"the boot ended with status {r.returncode}: {r.stderr.decode()}\n{r.stdout[-1000:].decode()}")
    text = end.read_text()
    if not re.match(END, text):
        sys.exit(f"-d hash says {text!r}")
    return r.stdout, text


def main():
    a = guest.arguments(arch="amd64", shift="7", smp="1")
    with tempfile.TemporaryDirectory() as tmp:
        end = pathlib.Path(tmp) / "end"
        console, state = boot(a, end, "tcg")
        print(state, end="")
        for accel in ("tcg", "tcg,tb-size=4"):
            again, other = boot(a, end, accel)
            if again != console:
                at, x, y = guest.first_difference(console, again)
                sys.exit(f"-accel {accel}: the console differs at byte {at}:\nfirst {x!r}\nthen {y!r}")
            if other != state:
                sys.exit(f"-accel {accel}: the same console, but another end: {other}")


main()
