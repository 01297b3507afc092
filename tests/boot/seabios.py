#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""
SeaBIOS starts, shows its boot menu when ESC is typed at the serial console, leaves it by ESC and finds nothing
bootable; the recording of all that replays to the same screen.
"""
import pathlib
import sys
import tempfile
import time

import guest


def leave_menu(c, timeout):
    """The menu does not take ESC in its first 1.5 s (of its own time), so type it until it does."""
    deadline = time.monotonic() + timeout
    while b"Booting from" not in c.output:
        if time.monotonic() > deadline or not c.read_some(0.5):
            sys.exit("ESC did not leave the boot menu:\n" + c.output.decode(errors="replace"))
        c.process.stdin.write(b"\x1b")
        c.process.stdin.flush()


def main():
    a = guest.arguments(arch="amd64", memory="128", smp="1")
    with tempfile.TemporaryDirectory() as tmp:
        log = pathlib.Path(tmp) / "r.bin"

        def command(how, boot):
            icount = ["-icount", f"shift=7,rr={how},rrfile={log}"] if how else []
            return [str(pathlib.Path(a.build) / "src" / "cli" / guest.PROGRAM[a.arch]), "-M", "pc", "-m", a.memory,
                    "-smp", a.smp, "-display", "none", "-serial", "stdio", "-monitor", "none", "-net", "none",
                    "-boot", boot, *icount]

        c = guest.Console(command("record", "menu=on,order=cad"))
        c.expect(rb"SeaBIOS \(version", 60)
        c.expect(rb"Press ESC for boot menu", 60)
        c.process.stdin.write(b"\x1b")
        c.process.stdin.flush()
        c.expect(rb"Select boot device:", 60)
        leave_menu(c, 60)
        c.expect(rb"Booting from Hard Disk(?s:.)*No bootable device\.\r\n", 60)
        c.process.terminate()
        recorded, errors, status = c.finish(30)
        print(recorded.decode(errors="replace"))
        if status != 0:
            sys.exit(f"ended with status {status}: {errors.decode()}")
        c = guest.Console(command("replay", "menu=on,order=cad"), stdin=False)
        replayed, errors, status = c.finish(100)
        print(errors.decode())
        if status != 0 or replayed != recorded:
            sys.exit(f"replay ended with status {status}, "
                     f"first difference {guest.first_difference(recorded, replayed)}")

        # No menu; a failed boot is tried again.
        c = guest.Console(command(None, "reboot-timeout=50"))
        c.expect(rb"No bootable device\.  Retrying in", 60)
        c.expect(rb"SeaBIOS \(version", 60)
        if b"Press ESC" in c.output:
            sys.exit("the menu's prompt came without menu=on")
        c.stop()


main()
