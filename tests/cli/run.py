#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Runs the tests of the command line: run.py BUILD GUEST [NAME..], NAME as unittest takes it."""
import os
import pathlib
import sys
import unittest

os.environ["REPRISE_BUILD"], os.environ["REPRISE_GUEST"] = (os.path.abspath(a) for a in sys.argv[1:3])
HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
sys.dont_write_bytecode = True
names = sys.argv[3:]
loader = unittest.defaultTestLoader
suite = loader.loadTestsFromNames(names) if names else loader.discover(str(HERE))
result = unittest.TextTestRunner(verbosity=2).run(suite)
sys.exit(not result.wasSuccessful())
