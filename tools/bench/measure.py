# SPDX-License-Identifier: GPL-2.0-or-later
"""
One run of one emulator, measured from outside.

The guest prints marks, `bench: WHAT NAME.`, on its serial port, which is our pipe.  When a mark arrives we note the
wall clock and the CPU time that the emulator's threads have used: so boot and workloads separate cleanly, and both
emulators are measured by the same means.
"""
import os
import re
import select
import subprocess
import time

MARK = re.compile(rb"bench: (init|absent|begin|end|result)(?: ([^\n\r]*?))?\.[\r\n]")
CPU = re.compile(r"bench: cpu (\S+) ([0-9.]+)\.\n")


class Failed(Exception):
    """The run gave no figures; the text says why, in one sentence."""


def cpu_time(pid):
    """CPU seconds of all threads of a process, living or ended."""
    return time.clock_gettime(~pid << 3 | 2)


def memory(pid, ram):
    """(peak resident bytes, resident bytes of guest RAM, threads); RAM is what is mapped in a piece of its size."""
    with open(f"/proc/{pid}/status") as f:
        status = dict(line.split(":", 1) for line in f)
    if "VmHWM" not in status:       # it has just ended
        return 0, 0, 0
    touched = size = 0
    with open(f"/proc/{pid}/smaps") as f:
        for line in f:
            if line.startswith("Size:"):
                size = int(line.split()[1]) * 1024
            elif line.startswith("Rss:") and size >= ram * 7 // 8:
                touched += int(line.split()[1]) * 1024
    return int(status["VmHWM"].split()[0]) * 1024, touched, int(status["Threads"])


class Run:
    """Figures of one run: seconds = {workload: (wall, cpu)}, results, console, total, memory, log."""

    def __init__(self, argv, ram, timeout):
        self.seconds, self.results, self.absent = {}, {}, set()
        self.console = b""
        self.peak = self.touched = self.threads = 0
        self.open = {}
        self.ram = ram
        self.argv = argv
        self.follow(timeout)

    def follow(self, timeout):
        self.started = time.monotonic()
        with subprocess.Popen(self.argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE) as p:
            seen = 0
            try:
                while self.read(p, self.started + timeout):
                    for m in MARK.finditer(self.console, seen):
                        self.mark(p.pid, m[1].decode(), (m[2] or b"").decode())
                        seen = m.end()
                os.waitid(os.P_PID, p.pid, os.WEXITED | os.WNOWAIT)
                self.total = time.monotonic() - self.started, cpu_time(p.pid)
            except BaseException:
                p.kill()
                raise
            errors = p.stderr.read().decode(errors="replace")
        # The host's workloads are processes of their own, and say themselves what they used.
        for name, used in CPU.findall(errors):
            self.seconds[name] = self.seconds[name][0], float(used)
        if p.returncode:
            raise Failed(f"ended with status {p.returncode}: {errors[-300:].strip()}")

    def read(self, p, deadline):
        left = deadline - time.monotonic()
        if left <= 0 or not select.select([p.stdout], [], [], left)[0]:
            tail = self.console[-80:].decode(errors="replace").strip()
            raise Failed(f"did not end in time; its console ends with {tail!r}")
        data = os.read(p.stdout.fileno(), 65536)
        self.console += data
        return bool(data)

    def mark(self, pid, what, rest):
        now = time.monotonic(), cpu_time(pid)
        name, _, value = rest.partition(" ")
        if what == "init":
            self.seconds["boot"] = now[0] - self.started, now[1]
        elif what == "begin":
            self.open[name] = now
        elif what == "end" and name in self.open:
            begin = self.open.pop(name)
            self.seconds[name] = now[0] - begin[0], now[1] - begin[1]
        elif what == "absent":
            self.absent.add(name)
        elif what == "result":
            self.results[name] = value
        if what in ("init", "end"):
            self.peak, self.touched, self.threads = max(memory(pid, self.ram), (self.peak, self.touched, self.threads))
