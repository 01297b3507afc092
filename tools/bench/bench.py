#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""
Boots the same guests side by side under Reprise and Debian's QEMU, alternating, and compares their times.

    tools/bench/bench.py BUILD [--only boot,hash] [--arch amd64] [--emulators reprise-record,qemu-plain] [--runs 3]

Each run boots Debian's kernel with an initrd whose /init runs one workload between marks on the serial port.  What
the workloads compute must be the same everywhere, or the benchmark fails.
"""
import argparse
import collections
import datetime
import json
import os
import pathlib
import platform
import shutil
import signal
import subprocess
import sys
import tempfile

import measure
import prepare
import report
from workloads import BY_NAME, EMULATOR, EMULATORS, WORKLOADS

RAM = 512           # MiB
LIMIT = 200 << 20   # bytes that may be resident beyond the guest's RAM
SYSTEM = {"amd64": "x86_64", "i386": "i386"}


def chosen(text, among, what):
    names = text.split(",")
    for n in names:
        if n not in among:
            sys.exit(f"bench: there is no {what} '{n}' (there are {', '.join(among)})")
    return [n for n in among if n in names]


def options():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("build", help="the build folder")
    p.add_argument("--only", default=",".join(BY_NAME), help="workloads: " + ", ".join(BY_NAME))
    p.add_argument("--arch", default="amd64,i386")
    p.add_argument("--emulators", default=",".join(EMULATOR), help=", ".join(EMULATOR))
    p.add_argument("--runs", type=int, default=3)
    p.add_argument("--scale", type=float, default=1, help="multiplies every workload's size")
    p.add_argument("--shift", type=int, default=7, help="of -icount, where there is one")
    p.add_argument("--accel", default="tcg",
                   help="Reprise's engine, as its -accel takes it: interp, jit; tcg, if not given, is the fastest there is")
    p.add_argument("--metric", default="wall", choices=["wall", "cpu"], help="what the tables show")
    p.add_argument("--together", action="store_true", help="all workloads after one boot")
    p.add_argument("--quick", action="store_true", help="a smoke test: smallest sizes, one run, together")
    p.add_argument("--timeout", type=float, default=900, help="seconds for one run")
    p.add_argument("--out", help="folder for bench.json and bench.png (BUILD/bench)")
    a = p.parse_args()
    if a.runs < 1 or not 0 < a.scale <= 1000:
        sys.exit("bench: --runs must be 1 or more, --scale more than 0 and at most 1000")
    if not (pathlib.Path(a.build) / "src" / "cli" / "reprise").exists():
        sys.exit(f"bench: {a.build} is not a folder that Reprise is built in")
    a.only = chosen(a.only, list(BY_NAME), "workload")
    a.arch = chosen(a.arch, list(SYSTEM), "architecture")
    a.emulators = chosen(a.emulators, list(EMULATOR), "emulator")
    for e in EMULATORS:
        if e.rr in ("replay", "verify") and e.name in a.emulators and f"{e.program}-record" not in a.emulators:
            sys.exit(f"bench: {e.name} needs {e.program}-record among --emulators")
    if a.quick:
        a.runs, a.together = 1, True
    a.out = pathlib.Path(a.out or pathlib.Path(a.build) / "bench")
    return a


def groups(a):
    """What is run after one boot: [(CPU model, [workload, ..]), ..]; an empty list is the boot alone."""
    if a.quick:
        return [("max", [w for w in WORKLOADS if w.name in a.only and w.name != "boot"])]
    if not a.together:
        return [(BY_NAME[n].cpu, [w for w in [BY_NAME[n]] if n != "boot"]) for n in a.only]
    models = collections.defaultdict(list)
    for n in a.only:
        models[BY_NAME[n].cpu] += [BY_NAME[n]] if n != "boot" else []
    return list(models.items())


class Bench:
    def __init__(self, a):
        self.a = a
        self.about = describe(a)
        self.problems = []
        self.fatal = False
        self.native = True          # the host can run the guest's programs
        self.results = {}
        self.commands = {}
        self.expected = {}          # (architecture, NAME:SIZE): what it computed, and whose word that is

    def say(self, line):
        if sys.stderr.isatty():
            sys.stderr.write(f"\r\x1b[K{line}")
            sys.stderr.flush()

    def problem(self, line, fatal):
        self.problems.append(line)
        self.fatal |= fatal

    def sizes(self, group):
        return ",".join(f"{w.name}:{w.quick if self.a.quick else max(1, round(w.size * self.a.scale))}" for w in group)

    def command(self, emulator, arch, cpu, group, tmp):
        """The argument vector; Reprise's and QEMU's differ in the program's name and in the engine."""
        a, folder = self.a, self.a.out / arch
        log = f"{tmp}/{emulator.program}.rr"
        if emulator.program == "native":
            root = folder / "root"
            return [root / "bin" / "busybox", "sh", root / "bench" / "run.sh", root / "bin", tmp,
                    self.sizes(group), "time"]
        if emulator.rr == "verify":
            return [pathlib.Path(a.build) / "src" / "cli" / "reprise", "verify", log, "--engine", a.accel]
        if emulator.program == "qemu":
            argv = [f"qemu-system-{SYSTEM[arch]}", "-accel", "tcg"]
        else:
            argv = [pathlib.Path(a.build) / "src" / "cli" / f"reprise-system-{SYSTEM[arch]}", "-accel", a.accel]
        argv += ["-M", "pc", "-m", str(RAM), "-display", "none", "-serial", "stdio", "-monitor", "none",
                 "-no-reboot", "-net", "none"]
        argv += ["-cpu", cpu] if cpu else []
        if emulator.icount:
            argv += ["-icount", f"shift={a.shift}" + (f",rr={emulator.rr},rrfile={log}" if emulator.rr else "")]
        return argv + ["-kernel", prepare.kernel(arch), "-initrd", folder / "initrd.gz",
                       "-append", f"console=ttyS0 bench={self.sizes(group)}"]

    def order(self, turn):
        """The programs take turns in going first; a replay follows its recording."""
        families = collections.defaultdict(list)
        for n in self.a.emulators:
            e = EMULATOR[n]
            families[(e.program, e.rr is not None)].append(e)
        order = list(families.values())
        return [e for f in (order if turn % 2 == 0 else reversed(order)) for e in f]

    def turn(self, arch, cpu, group, turn):
        """One run of every emulator on one group of workloads."""
        runs, recordings = {}, {}
        with tempfile.TemporaryDirectory(prefix="reprise-bench-") as tmp:
            for e in self.order(turn):
                if e.program == "native" and not (group and self.native):
                    continue
                if e.rr in ("replay", "verify") and e.program not in recordings:
                    continue
                where = f"{arch} {self.sizes(group) or 'boot'} {e.name}"
                self.say(f"{where}, run {turn + 1} of {self.a.runs}")
                argv = [str(x) for x in self.command(e, arch, cpu, group, tmp)]
                self.commands.setdefault(e.name, argv)
                # A replay that hangs, as QEMU's may, should not cost a quarter of an hour.
                limit = self.a.timeout
                if e.rr in ("replay", "verify"):
                    limit = min(limit, 60 + 5 * recordings[e.program].total[0])
                try:
                    run = measure.Run(argv, RAM << 20, limit)
                except measure.Failed as reason:
                    self.problem(f"{where} {reason}", fatal=e.program != "qemu")
                    continue
                runs[e.name] = run
                if e.rr == "record":
                    recordings[e.program] = run
                if e.rr == "replay" and run.console != recordings[e.program].console:
                    self.problem(f"{where}: the console is not the recorded one", fatal=e.program == "reprise")
                self.keep(arch, cpu, group, e, run, where)

    def keep(self, arch, cpu, group, emulator, run, where):
        of = self.results[arch]
        if emulator.rr != "verify":
            for w in group:
                if w.name not in run.seconds and w.name not in run.absent:
                    self.problem(f"{where}: no figures of {w.name}", fatal=emulator.program != "qemu")
            for name, value in run.results.items():
                size = self.sizes([BY_NAME[name]])
                expected = self.expected.setdefault((arch, size), (value, emulator.name))
                if value != expected[0]:
                    self.problem(f"{arch} {size}: {emulator.name} computes {value}, {expected[1]} {expected[0]}", True)
        for name, (wall, cpu_seconds) in run.seconds.items():
            # A boot counts, whatever follows it, where the CPU is the one that boots are measured with.
            if name != "boot" or ("boot" in self.a.only and (self.a.quick or not cpu)):
                of["seconds"][name][emulator.name].append({"wall": wall, "cpu": cpu_seconds})
        if emulator.name in ("reprise-record", "reprise-verify") and "reprise-verify" in self.a.emulators:
            of["verify"][emulator.name].append(dict(zip(("wall", "cpu"), run.total)))
        if emulator.program != "native" and emulator.rr != "verify":
            self.check_memory(emulator, run, where)
            of["memory"][emulator.name].append(
                {"peak": run.peak, "touched": run.touched, "threads": run.threads, "run": where})

    def check_memory(self, emulator, run, where):
        beyond = run.peak - run.touched
        if emulator.program == "reprise" and beyond > LIMIT:
            self.problem(f"{where}: {beyond >> 20} MiB resident beyond the guest's {run.touched >> 20} MiB", True)

    def all(self):
        for arch in self.a.arch:
            self.native = prepare.runs_here(prepare.guest(self.a.out, arch))
            if "native" in self.a.emulators and not self.native:
                self.problem(f"the host's kernel runs no {arch} programs: no native figures", fatal=False)
            self.results[arch] = {"seconds": {n: collections.defaultdict(list) for n in self.a.only},
                                  "memory": collections.defaultdict(list), "verify": collections.defaultdict(list)}
            for cpu, group in groups(self.a):
                for turn in range(self.a.runs):
                    self.turn(arch, cpu, group, turn)
                    self.save()
        self.say("")

    def save(self):
        """Writes bench.json, after every turn, so that an interrupted benchmark has not been for nothing."""
        for of in self.results.values():
            of["means"] = report.means(report.medians(of["seconds"], self.a.metric))
        data = {**self.about, "commands": self.commands, "results": self.results, "problems": self.problems}
        (self.a.out / "bench.json").write_text(json.dumps(data, indent=1) + "\n")
        return data


def first_line(*argv):
    try:
        return subprocess.run(argv, capture_output=True, text=True, check=True).stdout.splitlines()[0]
    except (OSError, subprocess.CalledProcessError, IndexError):
        return None


def describe(a):
    with open("/proc/cpuinfo") as f:
        model = next((line.split(":", 1)[1].strip() for line in f if line.startswith("model name")), platform.machine())
    return {
        "date": datetime.date.today().isoformat(),
        "machine": {"cpu": model, "cores": os.cpu_count(), "kernel": platform.release()},
        "versions": {
            "reprise": first_line(pathlib.Path(a.build) / "src" / "cli" / "reprise-system-x86_64", "-version"),
            "commit": first_line("git", "-C", prepare.TOOLS, "describe", "--always", "--dirty"),
            "qemu": first_line("qemu-system-x86_64", "--version"),
            "gcc": first_line("gcc", "--version"),
            "guest kernel": first_line("dpkg-query", "-W", "-f", "${Version}", "debian-installer-12-netboot-amd64"),
        },
        "options": {k: str(v) if isinstance(v, pathlib.Path) else v for k, v in vars(a).items()},
    }


def main():
    a = options()
    if not shutil.which("qemu-system-x86_64"):
        kept = [e for e in a.emulators if not e.startswith("qemu")]
        if kept != a.emulators:
            print("qemu-system-x86 is not installed: Reprise and the host only")
        a.emulators = kept
    a.out.mkdir(parents=True, exist_ok=True)
    bench = Bench(a)
    # A signal ends the emulator too, and what is measured until then is shown.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        bench.all()
    except KeyboardInterrupt:
        bench.say("")
        bench.problem("interrupted: these are the figures until then", True)
    except prepare.Missing as reason:
        print(f"bench: {reason}", file=sys.stderr)
        sys.exit(77 if a.quick else 1)      # meson counts 77 as skipped
    data = bench.save()
    print(report.text(data))
    if not a.quick:
        try:
            report.plot(data, a.out / "bench.png")
            print(f"\n{a.out}/bench.json has every figure, {a.out}/bench.png the plot")
        except ImportError:
            print(f"\n{a.out}/bench.json has every figure; without python3-matplotlib there is no plot")
    sys.exit(1 if bench.fatal else 0)


main()
