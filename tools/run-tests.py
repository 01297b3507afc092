#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Runs meson's tests in BUILD and ends with one line `N passed, N failed, N skipped`."""
import json
import pathlib
import subprocess
import sys

build = sys.argv[1]
status = subprocess.run(["meson", "test", "-C", build, "--print-errorlogs", "--num-processes", "2", *sys.argv[2:]]).returncode
counts = {"passed": 0, "failed": 0, "skipped": 0}
for line in (pathlib.Path(build) / "meson-logs" / "testlog.json").read_text().splitlines():
    result = json.loads(line)["result"]
    kind = "passed" if result in ("OK", "EXPECTEDFAIL") else "skipped" if result == "SKIP" else "failed"
    counts[kind] += 1
print(f"{counts['passed']} passed, {counts['failed']} failed, {counts['skipped']} skipped")
sys.exit(status or counts["failed"] or not counts["passed"])
