#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""forms.py FORMS: every instruction that FORMS assembles, against the GNU assembler, byte for byte.

Equal bytes are equal meanings and, as the GNU assembler picks the shortest encoding, the shortest.
"""
import pathlib
import subprocess
import sys
import tempfile

with tempfile.TemporaryDirectory() as folder:
    d = pathlib.Path(folder)
    subprocess.run([sys.argv[1], d / "f.s", d / "f.bin", d / "f.lines"], check=True)
    subprocess.run(["as", "--64", "-o", d / "f.o", d / "f.s"], check=True)
    subprocess.run(["objcopy", "-O", "binary", "-j", ".text", d / "f.o", d / "f.ref"], check=True)
    ours, ref = (d / "f.bin").read_bytes(), (d / "f.ref").read_bytes()
    ends = [int(x) for x in (d / "f.lines").read_text().split()]
    text = (d / "f.s").read_text().splitlines()[1:]

assert len(ends) == len(text) and ends[-1] == len(ours) > 100000, "nothing to compare"
start = 0
for end, line in zip(ends, text):
    if ours[start:end] != ref[start:end]:
        print(f"{line}: {ours[start:end].hex(' ')}, but as: {ref[start:start + 15].hex(' ')}")
        sys.exit(1)
    start = end
print(f"{len(text)} instructions, {len(ours)} bytes: the same")
sys.exit(len(ours) != len(ref))
