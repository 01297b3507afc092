#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""
What Debian's kernel finds on the board: fw_cfg and pvpanic in ACPI, every CPU, memory up to the last GiB, and a panic
that it reports ends the run; recorded and replayed.
"""
import pathlib
import re
import sys
import tempfile

import guest

PVPANIC = 0x505
COMMANDS = ["cat /sys/bus/acpi/devices/QEMU0002:00/path /sys/bus/acpi/devices/QEMU0001:00/path",
            "nproc; grep MemTotal /proc/meminfo",
            "cat /sys/devices/system/clocksource/clocksource0/available_clocksource",
            "cat /proc/interrupts",
            f"echo panics; sync; printf '\\001' | dd of=/dev/port bs=1 seek={PVPANIC} 2>/dev/null"]


def main():
    a = guest.arguments(arch="amd64", smp="4", memory=4)   # memory in GiB
    with tempfile.TemporaryDirectory() as tmp:
        log = pathlib.Path(tmp) / "r.bin"

        def command(how):
            argv = guest.command(a.build, a.arch, f"shift=3,rr={how},rrfile={log}", a.smp,
                                 extra=("-device", "pvpanic", "-action", "panic=exit-failure"))
            argv[argv.index("-m") + 1] = f"{a.memory}G"
            return argv

        out, err, status = guest.record(command("record"), COMMANDS, timeout=500)
        text = out.decode(errors="replace")
        print(text[-3000:])
        if status != 1 or b"guest panicked" not in err:
            sys.exit(f"recording ended with status {status}: {err.decode()}")
        for needle in (r"\\_SB_\.PCI0\.ISA_\.FWCF", r"\\_SB_\.PCI0\.ISA_\.PEVT", rf"(?m)^{a.smp}\r?$",
                       r"\bhpet\b.*\bacpi_pm\b",
                       r"IO-APIC +\d+-edge +ttyS0", r"IO-APIC +1-edge +i8042"):
            if not re.search(needle, text):
                sys.exit(f"the console lacks {needle!r}")
        total = int(re.search(r"MemTotal: +(\d+) kB", text).group(1))
        if total < a.memory * 900000:
            sys.exit(f"the kernel found {total} kB of {a.memory} GiB")
        c = guest.Console(command("replay"), stdin=False)
        again, err, status = c.finish(500)
        if status != 1 or again != out:
            sys.exit(f"replay ended with status {status}: {err.decode()}, first difference "
                     f"{guest.first_difference(out, again)}")


main()
