#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Kills a recording at random moments: each log must replay to its last frame and say where it ends."""
import pathlib
import random
import subprocess
import sys
import tempfile
import time

import guest


def main():
    a = guest.arguments(times=20, seed=1)
    rng = random.Random(a.seed)
    guest.initrd(a.build, "amd64")
    for turn in range(a.times):
        with tempfile.TemporaryDirectory() as tmp:
            log = pathlib.Path(tmp) / "r.bin"
            icount = f"shift=7,rr=%s,rrfile={log}"
            c = guest.Console(guest.command(a.build, "amd64", icount % "record"))
            if turn % 2:        # every other one with some console behind it: unpacking the kernel is silent
                c.expect(rb"Linux version", 300)
            end = time.monotonic() + rng.uniform(0.3, 18)
            while time.monotonic() < end:
                c.read_some(0.05)
            c.stop()
            replay = subprocess.run(guest.command(a.build, "amd64", icount % "replay"), capture_output=True,
                                    stdin=subprocess.DEVNULL, timeout=300)
            print(f"kill {turn + 1}: status {replay.returncode}, {len(replay.stdout)} of {len(c.output)} bytes, "
                  f"{replay.stderr.decode(errors='replace').strip()[-160:]}")
            if replay.returncode != 0 or b"cut" not in replay.stderr:
                sys.exit("a cut log must replay to its last frame and say where it ends")
            if not c.output.startswith(replay.stdout):
                at, x, y = guest.first_difference(c.output, replay.stdout)
                sys.exit(f"replay differs at byte {at}:\nrecorded {x!r}\nreplayed {y!r}")


main()
