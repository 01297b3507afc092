#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""
Records a typed-at boot of Debian's kernel and verifies it with an engine that varies at random what must not matter:
every state hash agrees.  A recording that does not verify is kept in the build directory.
"""
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time

import guest


def main():
    a = guest.arguments(arch="amd64", shift="3", smp="1", engine="jit", seed=0)   # seed 0: from the clock
    seed = a.seed or int(time.time())
    with tempfile.TemporaryDirectory() as tmp:
        log = pathlib.Path(tmp) / "r.bin"
        line = guest.command(a.build, a.arch, f"shift={a.shift},rr=record,rrfile={log}", a.smp)
        out, err, status = guest.record(line)
        if status != 0 or b"Power down" not in out:
            sys.exit(f"recording ended with status {status}: {err.decode()}\n{out[-3000:].decode(errors='replace')}")
        reprise = pathlib.Path(a.build) / "src" / "cli" / "reprise"
        r = subprocess.run([reprise, "verify", log, "--engine", f"{a.engine},perturb={seed}"], capture_output=True)
        print(r.stdout.decode(), r.stderr.decode())
        if r.returncode != 0 or b"final state hash" not in r.stdout:
            kept = pathlib.Path(a.build) / f"perturbed-{a.arch}-{seed}.rr"
            shutil.copy(log, kept)
            sys.exit(f"seed {seed}: status {r.returncode}; the recording is {kept}")


main()
