# SPDX-License-Identifier: GPL-2.0-or-later
"""
What the tests of the command line share: the programs, a tiny guest, and ways to run both.

The guest (tests/cli/guest_serial.c) echoes what it receives on its first serial port, shows a break as
"<break>", causes a few exceptions at a '!', and ends with isa-debug-exit (status 1) when it receives a 'q'.
"""
import os
import pathlib
import pty
import re
import select
import subprocess
import tempfile
import termios
import time
import tty
import unittest

BUILD = pathlib.Path(os.environ["REPRISE_BUILD"])
GUEST = os.environ["REPRISE_GUEST"]
ROOT = pathlib.Path(__file__).resolve().parents[2]
BIN = BUILD / "src" / "cli"
X86_64, I386, REPRISE = (str(BIN / name) for name in ("reprise-system-x86_64", "reprise-system-i386", "reprise"))
DEBUG_EXIT = ["-device", "isa-debug-exit,iobase=0xf4,iosize=4"]
GUEST_END = 1           # the exit status after a 'q': value 0 through isa-debug-exit
FAREWELL = b"PASSED\n"  # what it sends then
PATIENCE = 60           # seconds until a hanging test is given up; no test waits for it otherwise

# The guest's machine, without its serial port.
MACHINE = ["-M", "pc", "-m", "16", "-display", "none", "-monitor", "none", "-net", "none", "-no-reboot",
           "-kernel", GUEST, *DEBUG_EXIT]


def run(*argv, stdin=b"", cwd=None, env=None):
    """Runs a program to its end; stdin is given as a pipe that ends behind the bytes."""
    return subprocess.run([str(a) for a in argv], input=stdin, capture_output=True, timeout=PATIENCE, cwd=cwd,
                          env=None if env is None else {**os.environ, **env})


def record(log, *options, stdin=b"hello\nq", rr=""):
    """Records the guest while it is typed at."""
    return run(I386, *MACHINE, "-serial", "stdio", *options,
               "-icount", f"shift=7,rr=record,rrfile={log}{rr}", stdin=stdin)


class Case(unittest.TestCase):
    """A test with a directory of its own, and checks with the words of this program."""

    def setUp(self):
        self.tmp = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))

    def assertSentence(self, result, *words, status=1):
        """One sentence on stderr that has all the words, nothing on stdout, and the exit status."""
        said = result.stderr.decode()
        self.assertEqual(result.returncode, status, said)
        self.assertEqual(result.stdout, b"")
        self.assertEqual(said.count("\n"), 1, f"not one line: {said!r}")
        self.assertRegex(said, r"^reprise[a-z0-9_ -]*: .")
        for word in words:
            self.assertIn(word, said)

    def refused(self, *options, says, program=X86_64, **how):
        """The program refuses the options with one sentence that has all the words of says."""
        if isinstance(says, str):
            says = [says]
        with self.subTest(" ".join(str(o) for o in options)):
            self.assertSentence(run(program, *options, **how), *says)


class Process:
    """A running program; its stdin and stdout are pipes, or a terminal of ours."""

    def __init__(self, *argv, terminal=False):
        argv = [str(a) for a in argv]
        self.errors = tempfile.TemporaryFile()
        self.output = b""
        if terminal:
            self.fd, self.slave = pty.openpty()
            self.mode_before = self.mode()
            self.process = subprocess.Popen(argv, stdin=self.slave, stdout=self.slave, stderr=self.errors,
                                            process_group=0)
            self.write_fd = self.fd
        else:
            self.slave = None
            self.process = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.errors)
            self.fd, self.write_fd = self.process.stdout.fileno(), self.process.stdin.fileno()

    def __enter__(self):
        return self

    def __exit__(self, *why):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self.errors.close()
        if self.slave is not None:
            os.close(self.slave)
            os.close(self.fd)
        else:
            self.process.stdin.close()
            self.process.stdout.close()

    def mode(self):
        return termios.tcgetattr(self.slave)

    def is_raw(self):
        return not self.mode()[tty.LFLAG] & (termios.ECHO | termios.ICANON | termios.ISIG)

    def wait_until_raw(self):
        wait_until(self.is_raw, f"raw mode in {self}")

    def type(self, data):
        os.write(self.write_fd, data)

    def expect(self, text):
        """Waits until the program's output has the text."""
        wait_until(lambda: self.read_some() and text in self.output, f"{text!r} in {self}")

    def expect_error(self, pattern):
        """Waits until stderr matches the pattern; returns the match."""
        return wait_until(lambda: re.search(pattern, self.stderr()), f"{pattern!r} in {self}")

    def read_some(self):
        if select.select([self.fd], [], [], 0.02)[0]:
            try:
                self.output += os.read(self.fd, 65536)
            except OSError:     # a terminal's end
                pass
        return True

    def stderr(self):
        self.errors.flush()
        return os.pread(self.errors.fileno(), 1 << 20, 0).decode(errors="replace")

    def finish(self):
        """Waits for the end; returns the exit status."""
        wait_until(lambda: self.read_some() and self.process.poll() is not None, f"the end of {self}")
        while select.select([self.fd], [], [], 0)[0]:
            before = len(self.output)
            self.read_some()
            if len(self.output) == before:
                break
        return self.process.returncode

    def __str__(self):
        return f"{self.process.args}, which said {self.output!r} and {self.stderr()!r}"


def wait_until(condition, what):
    deadline = time.monotonic() + PATIENCE
    while not (result := condition()):
        if time.monotonic() > deadline:
            raise AssertionError(f"there is no {what}")
        time.sleep(0.005)
    return result
