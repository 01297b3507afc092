# SPDX-License-Identifier: GPL-2.0-or-later
"""The monitor: behind Ctrl-A c, on a terminal of its own, in replay, and beside a guest that has stopped."""
import os
import re
import tty

from cli import Case, FAREWELL, GUEST_END, I386, MACHINE, Process, REPRISE, run, wait_until

PROMPT = b"(reprise) "
NOW = b"not possible now"
# The shared machine's line has -no-reboot, -monitor none.
MACHINE = [a for a in MACHINE if a != "-no-reboot"]


class Session:
    """A monitor on a file descriptor of ours."""

    def __init__(self, fd):
        self.fd = fd
        self.said = b""

    def read(self):
        os.set_blocking(self.fd, False)
        try:
            self.said += os.read(self.fd, 65536)
        except BlockingIOError:
            pass
        return self.said

    def ask(self, command):
        """The answer, without echo and prompt."""
        self.said = b""
        os.write(self.fd, command + b"\r")
        wait_until(lambda: self.read().endswith(b"\r\n" + PROMPT), f"prompt behind {command!r}")
        echo, rest = self.said.split(b"\r\n", 1)
        assert echo.endswith(command), (echo, command)
        return rest[:-len(PROMPT)].replace(b"\r\n", b"\n").decode()


class Monitor(Case):
    def start(self, *options, terminal=True, serial="mon:stdio"):
        return self.enterContext(Process(I386, *MACHINE, "-serial", serial, *options, terminal=terminal))

    def enter(self, p):
        """Ctrl-A c; p's output so far is forgotten."""
        p.type(b"\x01c")
        p.expect(PROMPT)

    def ask(self, p, command):
        p.output = b""
        p.type(command + b"\r")
        wait_until(lambda: p.read_some() and p.output.endswith(b"\n" + PROMPT), f"an answer to {command!r} in {p}")
        echo, rest = p.output.replace(b"\r", b"").split(b"\n", 1)
        self.assertEqual(echo, command)
        return rest[:-len(PROMPT)].decode()

    def test_switching(self):
        """What is typed goes to one of the two; the guest does not see the monitor's."""
        p = self.start()
        p.wait_until_raw()
        p.type(b"abc")
        p.expect(b"abc")
        self.enter(p)
        self.assertRegex(p.output,
                         rb"reprise \d+\.\d+\.\d+ monitor - type 'help' for more information\r+\n\(reprise\) $")
        self.assertRegex(self.ask(p, b"info version"), r"^reprise \d+\.\d+\.\d+\n$")
        p.type(b"\x01c")
        p.output = b""
        p.type(b"def")
        p.expect(b"def")
        p.type(b"\x01c")
        p.expect(PROMPT)
        self.assertNotIn(b"monitor - ", p.output)       # it greets once
        p.type(b"\x01cq")
        self.assertEqual(p.finish(), GUEST_END)
        self.assertIn(FAREWELL.strip(), p.output)
        self.assertEqual(p.mode(), p.mode_before)

    def test_all_at_once(self):
        """Keys and commands in one read take their places."""
        p = self.start(terminal=False)
        p.type(b"ab\x01cinfo version\r\x01ccd\x01cbogus\r\x01cq")
        self.assertEqual(p.finish(), GUEST_END)
        self.assertEqual(re.findall(rb"unknown command: '\w+'|reprise \d\S+\r\n", p.output)[-1],
                         b"unknown command: 'bogus'")
        guest = re.sub(rb"\r\n.*monitor - .*\r\n|\(reprise\) |info version\r\n|bogus\r\n|unknown.*\r\n|reprise \S+\r\n",
                       b"", p.output)
        self.assertEqual(guest.replace(b"\r\n", b""), b"abcdq" + FAREWELL)

    def test_commands(self):
        p = self.start()
        p.wait_until_raw()
        p.type(b"a")
        p.expect(b"a")
        self.enter(p)
        text = self.ask(p, b"help")
        for command in ("help", "info jit", "info status", "info registers", "info version", "quit", "system_reset",
                        "system_powerdown"):
            self.assertRegex(text, rf"(?m)^{command}\b.* -- \w")
        self.assertEqual(self.ask(p, b"?"), text)
        self.assertEqual(self.ask(p, b"info"),
                         "".join(l + "\n" for l in text.splitlines() if re.match("info [a-z]", l)))
        self.assertIn("there is no 'info nothing'", self.ask(p, b"info nothing"))
        self.assertRegex(self.ask(p, b"info status"),
                         r"^VM status: running\nposition \d+, virtual time \d+\.\d{3} s\n$")
        registers = self.ask(p, b"info registers")
        self.assertRegex(registers, r"^CPU#0\nrax=[0-9a-f]{16} rcx=")
        self.assertIn(" halted=1 ", registers.replace("\n", " "))
        self.assertRegex(self.ask(p, b"info jit"), r"^engine \w+\nblocks translated +\d+\n")
        self.assertEqual(self.ask(p, b""), "")
        self.assertEqual(self.ask(p, b"bogus thing"), "unknown command: 'bogus thing' (help lists them)\n")
        self.assertEqual(self.ask(p, b"info version now"), "info version: nothing may follow, so not 'now'\n")
        self.assertIn("'-b'", self.ask(p, b"info registers -b"))
        p.type(b"quit\r")
        self.assertEqual(p.finish(), 0)
        self.assertIn("stopped by the user", p.stderr())

    def test_every_cpu(self):
        p = self.start("-smp", "3")
        p.wait_until_raw()
        self.enter(p)
        self.assertEqual(re.findall("CPU#(.)", self.ask(p, b"info registers -a")), ["0", "1", "2"])
        self.assertEqual(len(re.findall("CPU#(.)", self.ask(p, b"info registers"))), 1)

    def test_editing(self):
        p = self.start()
        p.wait_until_raw()
        self.enter(p)
        for typed in (b"infx\x7fo version", b"nonsense\x15info version", b"info nonsense \x17version",
                      b"\x1b[Ainfo\x1b[3~ version", b"\x08\x7finfo version", b"  info   version  ",
                      b"rubbish\x03info version"):
            p.output = b""
            p.type(typed + b"\r")
            p.expect(b"\r\nreprise ")
            p.expect(b"\n" + PROMPT)
        self.assertNotIn("unknown", self.ask(p, b"info version" + b" " * 200))
        p.output = b""
        p.type(b"x" * 1000 + b"\r")
        p.expect(b"unknown command: '" + b"x" * 255 + b"'")

    def test_a_terminal_of_its_own(self):
        for options, serial in ((["-monitor", "pty"], "stdio"),
                        (["-chardev", "pty,id=m", "-mon", "m,mode=readline"], "stdio"),
                        (["-chardev", "pty,id=m", "-monitor", "chardev:m"], "stdio")):
            with self.subTest(options):
                p = self.start(*options, serial=serial)
                fd = os.open(p.expect_error(r"redirected to (\S+) ")[1], os.O_RDWR | os.O_NOCTTY)
                self.addCleanup(os.close, fd)
                tty.setraw(fd)
                p.type(b"abc")
                p.expect(b"abc")
                monitor = Session(fd)
                self.assertIn("monitor - ", monitor.ask(b""))
                self.assertIn("VM status: running", monitor.ask(b"info status"))
                p.type(b"q")
                self.assertEqual(p.finish(), GUEST_END)

    def test_alone_on_stdio(self):
        p = self.start("-monitor", "stdio", serial="null", terminal=False)
        p.type(b"info version\r")
        p.expect(PROMPT)
        p.type(b"q\r")
        self.assertEqual(p.finish(), 0)
        self.assertEqual(p.output.count(b"reprise 0"), 2)      # the greeting and the answer

    def test_mux(self):
        p = self.start("-chardev", "stdio,id=s,mux=on", "-mon", "chardev=s", serial="chardev:s")
        p.wait_until_raw()
        self.enter(p)
        p.type(b"\x01cq")
        self.assertEqual(p.finish(), GUEST_END)

    def test_no_monitor(self):
        p = self.start(serial="stdio")
        p.wait_until_raw()
        p.type(b"\x01c")
        p.expect_error("no monitor here")
        p.type(b"q")
        self.assertEqual(p.finish(), GUEST_END)

    def test_reset_is_recorded(self):
        """What the monitor does to the guest is in the log and replays; looking leaves no trace in it."""
        log = self.tmp / "log"
        with Process(I386, *MACHINE, "-serial", "mon:stdio", "-icount", f"shift=7,rr=record,rrfile={log},rrhash=1000",
                     terminal=True) as p:
            p.wait_until_raw()
            p.type(b"abc")
            p.expect(b"abc")
            self.enter(p)
            position = int(re.search(r"position (\d+)", self.ask(p, b"info status"))[1])
            for _ in range(10):
                self.ask(p, b"info registers")
            self.ask(p, b"system_reset")
            wait_until(lambda: int(re.search(r"position (\d+)", self.ask(p, b"info status"))[1]) > position, "reset")
            p.type(b"\x01cdef")
            p.expect(b"def")
            p.type(b"q")
            self.assertEqual(p.finish(), GUEST_END)
        events = run(REPRISE, "log", log, "--json").stdout.decode()
        self.assertEqual(len(re.findall('"kind":"request"', events)), 1)
        typed = b"".join(bytes.fromhex(data) for data in re.findall(r'"input".*"data": ?"([0-9a-f]*)"', events))
        self.assertEqual(typed, b"abcdefq")
        self.assertEqual(run(REPRISE, "verify", log).returncode, 0)
        self.assertEqual(run(REPRISE, "replay", log).stdout, b"abcdefq" + FAREWELL)

    def test_powerdown_and_quit_are_recorded(self):
        log = self.tmp / "log"
        with Process(I386, *MACHINE, "-serial", "mon:stdio", "-icount", f"shift=7,rr=record,rrfile={log}",
                     terminal=True) as p:
            p.wait_until_raw()
            p.type(b"abc")
            p.expect(b"abc")
            self.enter(p)
            self.assertEqual(self.ask(p, b"system_powerdown"), "")
            p.type(b"q\r")
            self.assertEqual(p.finish(), 0)
        events = run(REPRISE, "log", log).stdout.decode()
        self.assertRegex(events, r"request +.*power")
        self.assertRegex(events, r"request +.*quit")
        result = run(REPRISE, "replay", log)
        self.assertEqual(result.stdout, b"abc")
        self.assertIn(b"agrees", result.stderr)

    def test_replay(self):
        """A replay can be looked at and ended, not changed."""
        log = self.tmp / "log"
        recorded = run(I386, *MACHINE, "-serial", "stdio", "-icount", f"shift=7,rr=record,rrfile={log}", stdin=b"~q")
        self.assertEqual(recorded.returncode, GUEST_END)
        for argv in ([I386, *MACHINE, "-serial", "mon:stdio", "-accel", "interp", "-icount",
                      f"shift=7,rr=replay,rrfile={log}"], [REPRISE, "replay", log, "--engine", "interp"]):
            # Typed before the replay begins, so it is read while the guest computes.
            result = run(*argv, stdin=b"\x01cinfo status\rsystem_reset\rsystem_powerdown\rinfo registers\r\x01cxyz")
            self.assertEqual(result.returncode, GUEST_END, result.stderr)
            self.assertIn(b"agrees", result.stderr)
            said = result.stdout
            self.assertEqual(said.count(NOW + b": this is a replay\r\n"), 2)
            self.assertIn(b"VM status: running (this is a replay)\r\n", said)
            self.assertIn(b"CPU#0\r\nrax=", said)
            self.assertIn(FAREWELL, said)
        quit_early = run(REPRISE, "replay", log, "--engine", "interp", stdin=b"\x01cquit\r")
        self.assertEqual(quit_early.returncode, 0)
        self.assertIn(b"stopped by the user", quit_early.stderr)

    def test_stopped(self):
        """A machine that stays when it has powered off can still be looked at."""
        p = self.start("-no-shutdown", "-no-reboot")
        p.wait_until_raw()
        p.type(b"abc")
        p.expect(b"abc")
        self.enter(p)
        self.ask(p, b"system_reset")    # with -no-reboot that is the end
        p.expect_error("waiting for a signal")
        self.assertIn("VM status: paused (the guest has", self.ask(p, b"info status"))
        self.assertIn(NOW.decode(), self.ask(p, b"system_reset"))
        self.assertIn("rax=", self.ask(p, b"info registers"))
        p.type(b"quit\r")
        self.assertEqual(p.finish(), 0)

    def test_bad_input(self):
        self.refused("-monitor", "gtk", says=["-monitor", "'gtk'"])
        self.refused("-monitor", "mon:stdio", says=["-monitor", "'mon:stdio'"])
        self.refused("-monitor", "chardev:m", says=["-monitor", "'m'"])
        self.refused("-monitor", "stdio", "-serial", "mon:stdio", says=["standard input"])
        self.refused("-chardev", "null,id=m", "-mon", "m", "-mon", "m", says=["-mon", "'m'", "already in use"])
        self.refused("-chardev", "null,id=m", "-mon", "m", "-serial", "chardev:m", says=["'m'", "already in use"])
        self.refused("-chardev", "null,id=m", "-serial", "chardev:m", "-mon", "m", says=["'m'", "already in use"])
        self.refused("-mon", "mode=readline", says=["-mon", "chardev=ID"])
        self.refused("-chardev", "null,id=m", "-mon", "m,mode=control", says=["-mon", "mode=control"])
        self.refused("-chardev", "null,id=m", "-mon", "m,pretty=on", says=["-mon", "pretty"])
