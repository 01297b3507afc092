#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Records a typed-at boot of Debian's kernel and replays it: the outputs must be equal byte for byte."""
import pathlib
import subprocess
import sys
import tempfile
import time

import guest


def main():
    a = guest.arguments(arch="amd64", shift="7", smp="1", replays=1)
    with tempfile.TemporaryDirectory() as tmp:
        log = pathlib.Path(tmp) / "r.bin"
        icount = f"shift={a.shift},rr=%s,rrfile={log}"
        started = time.monotonic()
        out, err, status = guest.record(guest.command(a.build, a.arch, icount % "record", a.smp))
        recorded = time.monotonic() - started
        print(f"recorded {len(out)} bytes of console in {recorded:.1f} s, log {log.stat().st_size} bytes")
        if status != 0:
            sys.exit(f"recording ended with status {status}: {err.decode()}")
        for needle in (b"Linux version", b"UTC 20", b"Power down"):
            if needle not in out:
                sys.exit(f"the recorded console lacks {needle!r}:\n{out[-3000:].decode(errors='replace')}")
        if a.smp != "1" and f"Brought up 1 node, {a.smp} CPUs".encode() not in out \
                and f"Total of {a.smp} processors activated".encode() not in out:
            sys.exit("the kernel did not bring up all CPUs:\n" + out.decode(errors="replace"))
        for turn in range(a.replays):
            started = time.monotonic()
            c = guest.Console(guest.command(a.build, a.arch, icount % "replay", a.smp), stdin=False)
            again, err, status = c.finish(300)
            print(f"replayed in {time.monotonic() - started:.1f} s")
            if status != 0:
                sys.exit(f"replay {turn + 1} ended with status {status}: {err.decode()}")
            if again != out:
                at, x, y = guest.first_difference(out, again)
                sys.exit(f"replay {turn + 1} differs at byte {at}:\nrecorded {x!r}\nreplayed {y!r}")
        reprise = pathlib.Path(a.build) / "src" / "cli" / "reprise"
        if a.replays > 1:   # what the JIT recorded, the portable engine confirms
            subprocess.run([reprise, "verify", log, "--engine", "interp"], check=True)
        subprocess.run([reprise, "info", log], check=True)


main()
