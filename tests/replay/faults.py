#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""faults.py BUILD IMAGE TAMPER: what the programs say of logs that are damaged, foreign, newer, of another machine,
with other input files, or cut by a full disk; and how a divergence is named."""
import os
import pathlib
import re
import resource
import shutil
import signal
import subprocess
import sys
import tempfile

from echo import Lab, check, one_sentence, parse


def refused(lab, log, *needles):
    """Every program that reads logs says it in one sentence and ends with status 1."""
    for how in ("info", "log", "replay", "verify"):
        out, err, status = lab.reprise(how, log)
        check(status == 1, how, "ended with", status, err)
        one_sentence(err, *needles)
    out, err, status = lab.replay(log)
    check(status == 1, "rr=replay ended with", status, err)
    one_sentence(err, *needles)


def foreign_and_newer(lab, log):
    data = log.read_bytes()
    bad = lab.tmp / "bad.bin"
    refused(lab, lab.tmp / "missing.bin", "missing.bin", "No such file")
    refused(lab, lab.tmp, "directory")
    for contents in (b"", b"REPRISE", b"\x7fELF" + bytes(200), os.urandom(5000)):
        bad.write_bytes(contents)
        refused(lab, bad, "bad.bin", "not a Reprise log")
    bad.write_bytes(data[:8] + (int.from_bytes(data[8:12], "little") + 1).to_bytes(4, "little") + data[12:])
    refused(lab, bad, "bad.bin", "format version")
    bad.write_bytes(data[:30])
    refused(lab, bad, "bad.bin", "header")
    bad.write_bytes(data[:30] + bytes([data[30] ^ 4]) + data[31:])
    refused(lab, bad, "bad.bin", "header is damaged")
    bad.unlink()
    os.mkfifo(bad)
    refused(lab, bad, "bad.bin", "not a regular file")
    bad.unlink()


def other_machines(lab, log):
    for extra, name in ((("-m", "17"), "-m"), (("-cpu", "max"), "-cpu"), (("-smp", "2"), "-smp"),
                        (("-append", "x"), "-append"), (("-serial", "null"), "-serial"),
                        (("-no-reboot",), "-no-reboot"), (("-rtc", "clock=vm"), "-rtc"),
                        (("-device", "pvpanic"), "pvpanic"), (("-boot", "menu=on"), "-boot")):
        out, err, status = lab.replay(log, extra=extra)
        check(status == 1, extra, "was accepted")
        one_sentence(err, "another machine", name)
    out, err, status = lab.replay(log, icount="shift=3")
    check(status == 1, "another shift was accepted")
    one_sentence(err, "another machine", "-icount")


def other_files(lab):
    """Kernel, initrd and BIOS: other contents, another size, gone; found again by --file."""
    files = {}
    for role in ("kernel", "initrd", "bios"):
        files[role] = lab.tmp / role
    shutil.copy(lab.image, files["kernel"])
    files["initrd"].write_bytes(os.urandom(1000))
    shutil.copy("/usr/share/seabios/bios-256k.bin", files["bios"])
    log = lab.tmp / "files.bin"
    how = {"kernel": str(files["kernel"]), "extra": ("-initrd", str(files["initrd"]), "-bios", str(files["bios"]))}
    # SeaBIOS starts the kernel through fw_cfg or we start it at once: which one is not our matter here.
    c = subprocess.Popen(lab.line(f"shift=7,rr=record,rrfile={log}", *how["extra"], kernel=how["kernel"]),
                         stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    c.stdout.read(1)
    c.send_signal(signal.SIGTERM)
    c.communicate(timeout=60)
    out, err, status = lab.replay(log, **how)
    check(status == 0, "the files are the same:", err)
    for role, path in files.items():
        good = path.read_bytes()
        for bad, word in ((good[:-1] + bytes([good[-1] ^ 1]), "contents differ"), (good + b"x", "bytes, not")):
            path.write_bytes(bad)
            out, err, status = lab.replay(log, **how)
            check(status == 1, f"another {role} was accepted")
            one_sentence(err, str(path), role, word)
            out, err, status = lab.reprise("replay", log)
            check(status == 1, f"another {role} was accepted")
            one_sentence(err, str(path), role, word)
        path.write_bytes(good)
        moved = lab.tmp / f"{role}.moved"
        path.rename(moved)
        out, err, status = lab.reprise("verify", log)
        check(status == 1, f"a missing {role} was accepted")
        one_sentence(err, str(path), f"--file {role}=")
        out, err, status = lab.reprise("verify", log, "--file", f"{role}={moved}")
        check(status == 0, err)
        moved.rename(path)


def full_disk(lab, whole):
    """The recording stops with one sentence, and what is there replays."""
    size = whole.stat().st_size
    log = lab.tmp / "full.bin"
    for limit in [1, 100, 300, *range(600, size, max(1, size // 8))]:
        def small_disk():
            signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
        # The limit would also concern the fast engine's code, which is a file in memory.
        c = subprocess.Popen(lab.line(f"shift=7,rr=record,rrfile={log}", "-accel", "interp"), stdin=subprocess.PIPE,
                             stdout=subprocess.PIPE, stderr=subprocess.PIPE, preexec_fn=small_disk)
        out, err = c.communicate(input=b"ab?xyz?", timeout=60) if limit < 600 else drive(c)
        check(c.returncode == 1, f"limit {limit}: ended with {c.returncode}", err)
        one_sentence(err, "full.bin", "File too large")
        check(log.stat().st_size <= limit, "the log outgrew the disk")
        again, err, status = lab.replay(log)
        if status == 0:
            one_sentence(err, "the log is cut", "complete up to position")
            check(out.startswith(again), f"limit {limit}: the replay is no beginning of the recording")
        else:
            check(limit < 600 and status == 1, f"limit {limit}: replay ended with {status}", err)
            one_sentence(err)
    c = subprocess.run(lab.line("shift=7,rr=record,rrfile=/dev/full"), stdin=subprocess.DEVNULL, capture_output=True)
    check(c.returncode == 1, "/dev/full ended with", c.returncode)
    one_sentence(c.stderr, "/dev/full", "No space left")


def drive(c):
    """Types until the recorder gives up."""
    try:
        while c.poll() is None:
            c.stdin.write(b"ab?")
            c.stdin.flush()
            try:
                c.wait(0.02)
            except subprocess.TimeoutExpired:
                pass
    except BrokenPipeError:
        pass
    c.stdin = None
    return c.communicate(timeout=60)


def divergence(lab, log, tamper):
    """One event changed, all sealed again: the sentence has the place, what the machine did and what the log has."""
    bad = lab.tmp / "tampered.bin"

    def verify(how, kind, n):
        subprocess.run([tamper, log, bad, how, kind, str(n)], check=True)
        out, err, status = lab.reprise("verify", bad)
        check(status == 1, f"{how} {kind} {n} was not noticed:", out, err)
        text = err.decode(errors="replace")
        check("instruction at 0x" in text, "no instruction:", text)
        check("both go the same way" in text, "the log was changed, the engine is not to blame:", text)
        return text

    def want(text, pattern):
        check(re.search(pattern, text), f"'{pattern}' is not in: {text}")

    want(verify("drop", "clock", 5),
         r"diverged at position \d+.*: the machine read a clock, the log has .* at position \d+")
    want(verify("later", "clock", 5), r"diverged at position \d+.*: the machine .*, the log has clock at position \d+")
    want(verify("value", "seed", 1), r"between positions 0 and \d+.*0x[0-9a-f]+, the log has 0x[0-9a-f]+")
    # The time of day stays in the chip's registers until it is read again.
    events, err, status = lab.reprise("log", log)
    want(verify("value", "clock", len(re.findall(rb"  clock  ", events))),
         r"diverged between positions \d+ and \d+ \(.*hash [0-9a-f]{16}, the log has [0-9a-f]{16}\): "
         r"\S+ is 0x[0-9a-f]+, the log has 0x[0-9a-f]+")
    want(verify("value", "input", 2), r"diverged between positions \d+ and \d+ |diverged at position \d+")
    want(verify("drop", "input", 2), r"diverged between positions \d+ and \d+ |diverged at position \d+")
    want(verify("value", "hash", 1),
         r"between positions \d+ and \d+ .*registers and devices are equal, the contents of memory")
    want(verify("value", "end", 1), r"final state hash")
    out, err, status = lab.reprise("verify", bad, "--lockstep")
    check(status == 1, "a lockstep over a changed log:", out, err)
    want(err.decode(), r"both engines go the same way, but not as recorded: .*final state hash")


def mutations(lab, log, fuzz):
    """Damage of every kind, through the programs: one line, status 0 or 1, nothing else."""
    bad = lab.tmp / "mutated.bin"
    for turn in range(60):
        subprocess.run([fuzz, "-s", "7", "-f", str(turn), "-i", str(log), "-o", str(bad)], check=True,
                       stdout=subprocess.DEVNULL)
        for how in ("info", "log", "verify"):
            out, err, status = lab.reprise(how, bad)
            check(status in (0, 1), f"turn {turn}: {how} ended with {status}", err)
            if status == 1 and how != "verify":
                one_sentence(err)


def main():
    build, image, (tamper, fuzz) = parse()
    with tempfile.TemporaryDirectory() as tmp:
        lab = Lab(build, image, tmp)
        log = pathlib.Path(tmp) / "r.bin"
        out, err, status = lab.record(log, "shift=7,rrhash=20000")
        check(status == 1 and b"xyz" in out, "recording ended with", status, out, err)   # isa-debug-exit: 0 << 1 | 1
        again, err, status = lab.replay(log)
        check(again == out and status == 1, "replay differs:", out, again, err)
        foreign_and_newer(lab, log)
        other_machines(lab, log)
        other_files(lab)
        full_disk(lab, log)
        divergence(lab, log, tamper)
        mutations(lab, log, fuzz)


main()
