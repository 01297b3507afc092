#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""SeaBIOS starts, shows its boot menu when ESC is typed at the serial console, and the recording of that replays."""
import argparse
import pathlib
import sys
import tempfile

import guest


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--build", required=True)
    p.add_argument("--arch", default="amd64")
    p.add_argument("--memory", default="128")
    p.add_argument("--smp", default="1")
    a = p.parse_args()
    with tempfile.TemporaryDirectory() as tmp:
        log = pathlib.Path(tmp) / "r.bin"

        def command(how):
            return [str(pathlib.Path(a.build) / "src" / "cli" / guest.PROGRAM[a.arch]), "-M", "pc", "-m", a.memory,
                    "-smp", a.smp, "-display", "none", "-serial", "stdio", "-monitor", "none", "-net", "none",
                    "-boot", "menu=on", "-icount", f"shift=7,rr={how},rrfile={log}"]

        c = guest.Console(command("record"))
        c.expect(rb"SeaBIOS \(version", 60)
        c.expect(rb"Press ESC for boot menu", 60)
        c.process.stdin.write(b"\x1b")
        c.process.stdin.flush()
        c.expect(rb"Select boot device:", 60)
        c.process.stdin.write(b"\x1b")
        c.process.stdin.flush()
        c.expect(rb"No bootable device", 60)
        c.process.terminate()
        recorded, errors, status = c.finish(30)
        print(recorded.decode(errors="replace"))
        if status != 0:
            sys.exit(f"ended with status {status}: {errors.decode()}")
        c = guest.Console(command("replay"), stdin=False)
        replayed, errors, status = c.finish(100)
        print(errors.decode())
        if status != 0 or replayed != recorded:
            sys.exit(f"replay ended with status {status}, first difference {guest.first_difference(recorded, replayed)}")


main()
