#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""
The main job, shown: records Debian's kernel booting to a shell in which commands
are typed, replays the recording without any input, and sets both consoles side by
side.  Exit status 0 only if they are the same byte for byte and the state hashes agree.
"""
import pathlib
import re
import shlex
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests" / "boot"))
import guest  # noqa: E402

COMMANDS = ["uname -a", "date", "head -c16 /dev/urandom | sha256sum", "sleep 2", "poweroff -f"]
COLUMN = 62
ESCAPE = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


def say(text):
    print(text, flush=True)


def lines_of(console):
    """The console as a reader sees it: no terminal escapes, one entry a line."""
    text = ESCAPE.sub("", console.decode(errors="replace"))
    return [line.rstrip() for line in text.replace("\r", "").split("\n")]


def side_by_side(left, right):
    a, b = lines_of(left), lines_of(right)
    height = max(len(a), len(b))
    a += [""] * (height - len(a))
    b += [""] * (height - len(b))
    rows = [f"  {'RECORDED':{COLUMN}} | {'REPLAYED'}", f"  {'-' * COLUMN}-+-{'-' * COLUMN}"]
    for x, y in zip(a, b):
        mark = " " if x == y else "!"
        rows.append(f"{mark} {x[:COLUMN]:{COLUMN}} | {y[:COLUMN]}")
    return rows


def final_state(reprise, log):
    """The state hash at the end of the recording."""
    info = subprocess.run([reprise, "info", log], check=True, capture_output=True, text=True).stdout
    match = re.search(r"^final state\s+([0-9a-f]{16})$", info, re.M)
    if not match:
        sys.exit(f"the recording does not end with a state hash:\n{info}")
    return info, match.group(1)


def main():
    build = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else "build").resolve()
    out = build / "demo"
    out.mkdir(parents=True, exist_ok=True)
    log = out / "boot.rr"
    reprise = build / "src" / "cli" / "reprise"

    rrfile = str(log).replace(",", ",,")    # as lists of options write a comma
    record = guest.command(build, "amd64", f"shift=7,rr=record,rrfile={rrfile}", append="console=ttyS0 panic=-1")
    say("recording: " + shlex.join(record))
    started = time.monotonic()
    live = sys.stdout.buffer if sys.stdout.isatty() else None
    recorded, errors, status = guest.record(record, COMMANDS, echo=live)
    took_record = time.monotonic() - started
    if status:
        sys.exit(f"recording failed:\n{errors.decode(errors='replace')}")

    replay = [word.replace("rr=record", "rr=replay") for word in record]
    say("replaying: " + shlex.join(replay))
    started = time.monotonic()
    console = guest.Console(replay, stdin=False, echo=live)
    replayed, errors, status = console.finish(600)
    took_replay = time.monotonic() - started
    verdict = errors.decode(errors="replace").strip()

    info, recorded_hash = final_state(reprise, log)
    agrees = re.search(r"final state hash ([0-9a-f]{16}) agrees", verdict)
    replayed_hash = agrees.group(1) if agrees else "none"
    same = recorded == replayed and recorded_hash == replayed_hash and status == 0

    rows = side_by_side(recorded, replayed)
    summary = [
        f"typed           {', '.join(repr(c) for c in COMMANDS)}",
        f"console         recorded {len(recorded)} bytes, replayed {len(replayed)} bytes: "
        + ("the same" if recorded == replayed else "DIFFERENT"),
        f"state hash      recorded {recorded_hash}, replayed {replayed_hash}: "
        + ("equal" if recorded_hash == replayed_hash else "DIFFERENT"),
        f"time            recorded in {took_record:.1f} s (typing included), replayed in {took_replay:.1f} s",
        f"log             {log} ({log.stat().st_size} bytes)",
    ]
    report = out / "report.txt"
    report.write_text("\n".join(rows + ["", *summary, "", info]))
    say("\n".join(rows[:2] + ["  ..."] + rows[-24:]))
    say("")
    say("\n".join(summary))
    say(f"report          {report} (every line of both consoles)")
    if status:
        say(verdict)
    sys.exit(0 if same else 1)


main()
