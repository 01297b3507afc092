#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Writes a file's bytes as a C initialiser list: bin2c.py IN OUT"""
import sys

data = open(sys.argv[1], "rb").read()
with open(sys.argv[2], "w") as out:
    for i in range(0, len(data), 16):
        out.write(", ".join(f"0x{b:02x}" for b in data[i:i + 16]) + ",\n")
