# SPDX-License-Identifier: GPL-2.0-or-later
"""What the boot tests share: Debian's kernels, the initrd, a typed-at console."""
import argparse
import os
import pathlib
import re
import select
import subprocess
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
PROGRAM = {"amd64": "reprise-system-x86_64", "i386": "reprise-system-i386"}
PROMPT = rb"(?:^|\n|\r)[^\n]*# (?:\x1b\[6n)?$"
TYPED = ["date", "head -c16 /dev/urandom | sha256sum", "sleep 2", "cat /proc/interrupts", "poweroff -f"]


def arguments(**defaults):
    """A test's command line: --build FOLDER, and an option of its default's type for each of defaults."""
    p = argparse.ArgumentParser()
    p.add_argument("--build", required=True)
    for name, value in defaults.items():
        p.add_argument("--" + name, default=value, type=type(value))
    return p.parse_args()


def kernel(arch):
    """The netboot kernel of debian-installer-12-netboot-ARCH."""
    base = pathlib.Path(f"/usr/lib/debian-installer/images/12/{arch}/text/debian-installer/{arch}")
    return base / "linux"


def installer_initrd(arch):
    return kernel(arch).parent / "initrd.gz"


def initrd(build, arch):
    """Made once per build directory from Debian's busybox-static; tests that make it at once make the same."""
    out = pathlib.Path(build) / f"initrd-{arch}.gz"
    if not out.exists():
        part = out.with_suffix(f".{os.getpid()}")
        subprocess.run([ROOT / "tools" / "make-initrd.sh", arch, part], check=True, stdout=subprocess.DEVNULL)
        part.rename(out)
    return out


def command(build, arch, icount, smp="1", append="console=ttyS0", ram=None, extra=()):
    return [str(pathlib.Path(build) / "src" / "cli" / PROGRAM[arch]), "-M", "pc", "-m", "512", "-smp", smp,
            "-display", "none", "-serial", "stdio", "-monitor", "none", "-no-reboot", "-net", "none",
            "-icount", icount, "-kernel", str(kernel(arch)), "-initrd", str(ram or initrd(build, arch)),
            "-append", append, *extra]


class Console:
    """A running emulator whose serial port is our pipe."""

    def __init__(self, argv, stdin=True, echo=None):
        self.echo = echo        # a binary stream that shows the console as it comes
        self.process = subprocess.Popen(argv, stdin=subprocess.PIPE if stdin else subprocess.DEVNULL,
                                        stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.output = b""
        self.seen = 0

    def read_some(self, timeout):
        ready, _, _ = select.select([self.process.stdout], [], [], timeout)
        if not ready:
            return True
        data = os.read(self.process.stdout.fileno(), 65536)
        self.output += data
        if self.echo:
            self.echo.write(data)
            self.echo.flush()
        return bool(data)

    def expect(self, pattern, timeout):
        """Waits until pattern appears in what came since the last match."""
        deadline = time.monotonic() + timeout
        while True:
            m = re.search(pattern, self.output[self.seen:])
            if m:
                self.seen += m.end()
                return
            if time.monotonic() > deadline or not self.read_some(1):
                raise SystemExit(f"no {pattern!r} on the console; it ends with:\n"
                                 + self.output[-1500:].decode(errors="replace") + "\n"
                                 + self.stop().decode(errors="replace"))

    def type(self, line):
        self.process.stdin.write(line.encode() + b"\n")
        self.process.stdin.flush()

    def finish(self, timeout):
        """Reads to the end; returns (output, stderr, exit status)."""
        deadline = time.monotonic() + timeout
        while self.read_some(1):
            if time.monotonic() > deadline:
                raise SystemExit("the emulator did not end; the console ends with:\n"
                                 + self.output[-1500:].decode(errors="replace") + self.stop().decode(errors="replace"))
        errors = self.process.stderr.read()
        return self.output, errors, self.process.wait()

    def stop(self):
        self.process.kill()
        return self.process.stderr.read()


def record(argv, commands=TYPED, timeout=300, echo=None):
    c = Console(argv, echo=echo)
    for line in commands:
        c.expect(PROMPT, timeout)
        c.type(line)
    return c.finish(timeout)


def first_difference(a, b):
    for i, (x, y) in enumerate(zip(a, b)):
        if x != y:
            return i, a[max(0, i - 60):i + 60], b[max(0, i - 60):i + 60]
    return min(len(a), len(b)), a[-60:], b[-60:]
