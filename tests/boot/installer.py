#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""
Debian's installer, with its own initrd, comes to its first menu; ended there by a signal, the recording
replays to the same screen.
"""
import pathlib
import sys
import tempfile
import time

import guest

MENU = rb"Choose language|Select a language|\[!!\] "


def main():
    a = guest.arguments(arch="amd64", memory="1G")
    with tempfile.TemporaryDirectory() as tmp:
        log = pathlib.Path(tmp) / "r.bin"

        def command(how):
            argv = guest.command(a.build, a.arch, f"shift=7,rr={how},rrfile={log}", ram=guest.installer_initrd(a.arch))
            argv[argv.index("-m") + 1] = a.memory
            return argv

        started = time.monotonic()
        c = guest.Console(command("record"))
        c.expect(MENU, 400)
        print(f"the menu came after {time.monotonic() - started:.1f} s")
        settle = time.monotonic() + 3
        while time.monotonic() < settle:
            c.read_some(1)
        c.process.terminate()
        recorded, errors, status = c.finish(30)
        if status != 0 or b"signal" not in errors:
            sys.exit(f"ended with status {status}: {errors.decode()}")
        started = time.monotonic()
        c = guest.Console(command("replay"), stdin=False)
        replayed, errors, status = c.finish(400)
        print(f"replayed in {time.monotonic() - started:.1f} s: {errors.decode()}")
        if status != 0 or replayed != recorded:
            sys.exit(f"replay ended with status {status}, "
                     f"first difference {guest.first_difference(recorded, replayed)}")
        screen = recorded[recorded.rindex(b"\x1b[H"):] if b"\x1b[H" in recorded else recorded[-800:]
        print(screen.decode(errors="replace"))


main()
