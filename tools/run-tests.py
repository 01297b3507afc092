#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""
Runs meson's tests of one or more builds and ends with one line `N passed, N failed, N skipped` for all of them.

    tools/run-tests.py BUILD [OPTIONS OF MESON TEST..] [-- BUILD [OPTIONS..]]..
"""
import json
import os
import pathlib
import subprocess
import sys

# A sanitizer that finds something is a test that fails.
SANITIZERS = {"ASAN_OPTIONS": "abort_on_error=1:detect_stack_use_after_return=1",
              "UBSAN_OPTIONS": "halt_on_error=1:abort_on_error=1:print_stacktrace=1"}


def runs(arguments):
    """Splits the arguments at every "--"."""
    current = []
    for word in arguments:
        if word == "--":
            yield current
            current = []
        else:
            current.append(word)
    yield current


def run(build, *options):
    """Runs one build's tests; returns the exit status and the results' names."""
    log = pathlib.Path(build) / "meson-logs" / "testlog.json"
    log.unlink(missing_ok=True)
    status = subprocess.run(["meson", "test", "-C", build, "--print-errorlogs", "--num-processes", "2", *options],
                            env={**SANITIZERS, **os.environ}).returncode
    results = [json.loads(line)["result"] for line in log.read_text().splitlines()] if log.exists() else []
    if not results:
        print(f"no test ran in {build}", file=sys.stderr)
        status = status or 1
    return status, results


def main():
    counts = {"passed": 0, "failed": 0, "skipped": 0}
    worst = 0
    for words in runs(sys.argv[1:]):
        status, results = run(*words)
        worst = worst or status
        for result in results:
            counts["passed" if result in ("OK", "EXPECTEDFAIL") else "skipped" if result == "SKIP" else "failed"] += 1
    print(", ".join(f"{number} {name}" for name, number in counts.items()))
    sys.exit(1 if worst or counts["failed"] or not counts["passed"] else 0)


main()
