#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The log of a bare boot of Debian's amd64 kernel, nothing typed, is at most 100 KB, and its hashes agree."""
import pathlib
import subprocess
import sys
import tempfile

import guest

LIMIT = 100_000


def main():
    a = guest.arguments()
    with tempfile.TemporaryDirectory() as tmp:
        log = pathlib.Path(tmp) / "r.bin"
        # The kernel boots, finds nothing to run and resets at once.
        line = guest.command(a.build, "amd64", f"shift=7,rr=record,rrfile={log}",
                             append="console=ttyS0 panic=-1 rdinit=/nothing")
        r = subprocess.run(line, stdin=subprocess.DEVNULL, capture_output=True, timeout=600)
        if r.returncode != 0 or b"Kernel panic" not in r.stdout:
            sys.exit(f"the boot ended with status {r.returncode}: {r.stderr.decode()}\n{r.stdout[-1000:].decode()}")
        reprise = pathlib.Path(a.build) / "src" / "cli" / "reprise"
        subprocess.run([reprise, "info", log], check=True)
        subprocess.run([reprise, "verify", log], check=True)
        if log.stat().st_size > LIMIT:
            sys.exit(f"the log has {log.stat().st_size} bytes, more than {LIMIT}")


main()
