#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""killed.py BUILD IMAGE [SEED]: `kill -9` at twenty random moments of a recording that is typed at: each log replays to
its last frame, says where it ends, and prints what the recording printed up to there."""
import pathlib
import random
import re
import tempfile
import time

from echo import Console, Lab, check, one_sentence, parse

TIMES = 20


def kill_at(lab, log, moment, rng):
    c = Console(lab.line(f"shift=7,rr=record,rrfile={log}"))
    end = time.monotonic() + moment
    while time.monotonic() < end:
        c.process.stdin.write(rng.choice("abc?xyz").encode())
        c.process.stdin.flush()
        c.read_some(0.02)
    c.process.kill()
    while c.read_some(1):
        pass
    c.process.wait()
    return c.output


def main():
    build, image, rest = parse()
    seed = int(rest[0]) if rest else random.SystemRandom().randrange(1 << 32)
    print(f"seed {seed}")
    rng = random.Random(seed)
    with tempfile.TemporaryDirectory() as tmp:
        lab = Lab(build, image, pathlib.Path(tmp))
        for turn in range(TIMES):
            log = lab.tmp / f"{turn}.bin"
            moment = rng.uniform(0.01, 2)
            recorded = kill_at(lab, log, moment, rng)
            if not log.exists() or not log.stat().st_size:
                print(f"{moment:.2f} s: killed before the machine stood")
                continue
            out, err, status = lab.replay(log)
            check(status == 0, f"{moment:.2f} s: replay ended with {status}", err)
            one_sentence(err, "the log is cut at byte", "it is complete up to position")
            check(recorded.startswith(out), f"{moment:.2f} s: recorded {recorded!r}, replayed {out!r}")
            position = int(re.search(rb"up to position (\d+)", err).group(1))
            info, err, status = lab.reprise("info", log)
            check(status == 0 and b"%d positions" % position in info,
                  f"info knows another length than {position}:", info)
            out, err, status = lab.reprise("verify", log)
            check(status == 0, "verify:", err)
            print(f"{moment:.2f} s: complete up to position {position}, {len(recorded)} bytes of output")


main()
