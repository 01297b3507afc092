# SPDX-License-Identifier: GPL-2.0-or-later
"""What these tests share: the echo guest, which starts in milliseconds, recorded and replayed by the programs."""
import os
import pathlib
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "boot"))
from guest import Console  # noqa: E402


def check(condition, *words):
    if not condition:
        sys.exit(" ".join(w.decode(errors="replace") if isinstance(w, bytes) else str(w) for w in words))


class Lab:
    def __init__(self, build, image, tmp):
        self.build = pathlib.Path(build)
        self.image = str(image)
        self.tmp = pathlib.Path(tmp)
        self.programs = self.build / "src" / "cli"

    def line(self, icount, *extra, kernel=None, memory="16"):
        return [str(self.programs / "reprise-system-i386"), "-M", "pc", "-m", memory, "-display", "none", "-serial",
                "stdio", "-monitor", "none", "-net", "none", "-device", "isa-debug-exit,iobase=0xf4,iosize=4",
                "-kernel", kernel or self.image, "-icount", icount, *extra]

    def record(self, log, icount="shift=7", typed="ab?xyz?q", extra=(), pause=0.05, **how):
        """Types the text a character at a time; returns (output, stderr, status)."""
        c = Console(self.line(f"{icount},rr=record,rrfile={log}", *extra, **how))
        c.expect(rb"echo guest\r?\n", 30)
        for character in typed:
            time.sleep(pause)
            c.process.stdin.write(character.encode())
            c.process.stdin.flush()
        return c.finish(60)

    def replay(self, log, icount="shift=7", extra=(), **how):
        r = subprocess.run(self.line(f"{icount},rr=replay,rrfile={log}", *extra, **how), stdin=subprocess.DEVNULL,
                           capture_output=True, timeout=120)
        return r.stdout, r.stderr, r.returncode

    def reprise(self, *arguments):
        r = subprocess.run([self.programs / "reprise", *map(str, arguments)], stdin=subprocess.DEVNULL,
                           capture_output=True, timeout=120)
        return r.stdout, r.stderr, r.returncode

    def seconds(self, log):
        """The recording's (virtual, real) time by `reprise info`."""
        out, err, status = self.reprise("info", log)
        check(status == 0, "info:", err)
        found = dict(line.split(b" time", 1) for line in out.splitlines() if b" time" in line)
        return tuple(float(found[k].split()[0]) for k in (b"virtual", b"real"))


def one_sentence(err, *needles):
    """An error is one line that names what and where."""
    text = err.decode(errors="replace").strip()
    check(text and "\n" not in text, "not one sentence:", text)
    check("internal error" not in text and "anitizer" not in text, text)
    for n in needles:
        check(n in text, f"'{n}' is missing in: {text}")


def parse():
    build, image, *rest = sys.argv[1:]
    return build, image, rest


def sleep_until(moment):
    time.sleep(max(0, moment - time.monotonic()))
