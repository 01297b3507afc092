#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""clocks.py BUILD IMAGE: every way in which time can pass records and replays, and passes as it says; a recording
ended by a signal ends cleanly."""
import pathlib
import signal
import tempfile

from echo import Console, Lab, check, parse


def round_trip(lab, icount, extra=()):
    log = lab.tmp / "r.bin"
    out, err, status = lab.record(log, icount + ",rrhash=100000", extra=extra)
    check(status == 1 and b"xyz" in out, icount, extra, "ended with", status, out, err)
    for turn in range(2):
        again, err, status = lab.replay(log, icount, extra=extra)
        check(again == out and status == 1, icount, extra, "replay differs:", out, again, err)
    out, err, status = lab.reprise("verify", log)
    check(status == 0, icount, extra, "verify:", err)
    events, _, _ = lab.reprise("log", log)
    return events, lab.seconds(log)


def times(lab):
    # Idle time passes at the host's speed: no faster; what was executed adds a little.
    events, (virtual, real) = round_trip(lab, "shift=7")
    check(b"warp" in events, "a keystroke must cut a sleep short")
    check(virtual < real * 1.5, "sleep=on: virtual time ran away:", virtual, real)
    events, (virtual, real) = round_trip(lab, "shift=7,sleep=off")
    check(b" warp " not in events, "sleep=off must not sleep")
    check(virtual > real * 2, "sleep=off: idle time was not skipped:", virtual, real)
    events, (virtual, real) = round_trip(lab, "shift=10,align=on")
    check(virtual < real * 1.1, "align=on: virtual time ran ahead:", virtual, real)
    events, _ = round_trip(lab, "shift=auto")
    events, _ = round_trip(lab, "shift=0")


def time_of_day(lab):
    events, _ = round_trip(lab, "shift=7", ("-rtc", "base=utc,clock=host"))
    check(b" clock " in events and b"host 1" in events, "the RTC's reads of the host clock must be logged")
    round_trip(lab, "shift=7", ("-rtc", "base=localtime"))
    round_trip(lab, "shift=7", ("-rtc", "base=2031-02-03T04:05:06,clock=host"))
    events, _ = round_trip(lab, "shift=7", ("-rtc", "base=2031-02-03T04:05:06,clock=vm"))
    check(b"clock" not in events, "clock=vm reads no host clock while it runs")


def signals(lab):
    log = lab.tmp / "s.bin"
    for sig in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        c = Console(lab.line(f"shift=7,rr=record,rrfile={log}"))
        c.expect(rb"echo guest\r?\n", 30)
        c.process.stdin.write(b"abc")
        c.process.stdin.flush()
        c.expect(b"abc", 30)
        c.process.send_signal(sig)
        out, err, status = c.finish(30)
        check(status == 0 and b"signal %d" % sig in err, sig, "ended with", status, err)
        events, err, status = lab.reprise("log", log)
        check(b"request    quit" in events and not err, "no clean end:", events, err)
        again, err, status = lab.replay(log)
        check(again == out and status == 0, sig, "replay differs:", out, again, err)
        check(b"hash" in err and b"agrees" in err, err)
    log.unlink()


def main():
    build, image, _ = parse()
    with tempfile.TemporaryDirectory() as tmp:
        lab = Lab(build, image, pathlib.Path(tmp))
        times(lab)
        time_of_day(lab)
        signals(lab)


main()
