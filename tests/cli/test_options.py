# SPDX-License-Identifier: GPL-2.0-or-later
"""What must be accepted, in QEMU's forms; and that help, manual pages and programs tell the same story."""
import re

from cli import Case, DEBUG_EXIT, GUEST, GUEST_END, I386, MACHINE, REPRISE, ROOT, X86_64, run


def page(name):
    """A manual page's source, and the options that it has, without their dashes (mdoc's Fl adds one)."""
    text = (ROOT / "man" / f"{name}.1").read_text()
    return text, set(re.findall(r"(?:^\.|\s)(?:It |Op |Ns )?Fl (-?[A-Za-z][\w-]*)", text, re.M))


def listed_options(text):
    """The options that a --help lists: "  -M, -machine MACHINE"."""
    names = set()
    for line in re.findall(r"^  (-[\w-]+(?:, -[\w-]+)*)", text, re.M):
        names |= {word[1:] for word in line.split(", ")}
    return names


class Accepted(Case):
    def runs(self, *options, program=I386):
        with self.subTest(options):
            result = run(program, "-serial", "stdio", "-kernel", GUEST, *DEBUG_EXIT, *options, stdin=b"q")
            self.assertEqual(result.returncode, GUEST_END, result.stderr)
            self.assertEqual(result.stderr, b"")

    def test_everything_at_once(self):
        options = ["-M", "pc", "-cpu", "qemu32", "-m", "16", "-smp", "2", "-append", "one two", "-display", "none",
                   "-vga", "none", "-monitor", "none", "-net", "none", "-nic", "none", "-nodefaults", "-no-reboot",
                   "-icount", "shift=7,sleep=on,align=off", "-rtc", "base=utc,clock=host", "-boot", "order=c,menu=off",
                   "-accel", "tcg,thread=single,tb-size=64", "-d", "guest_errors", "-D", self.tmp / "trace", "-name",
                   "guest=test", "-uuid", "00112233-4455-6677-8899-aabbccddeeff", "-L", self.tmp]
        self.runs(*options)
        self.runs(*options, program=X86_64)
        # "--option" means "-option".
        self.runs(*["-" + str(o) if re.match("-[A-Za-z]", str(o)) else o for o in options])

    def test_memory(self):
        for size in ("16", "16M", "16384K", "1G", "8G", "size=16", "size=16M", "0x10", "8192"):
            self.runs("-m", size)

    def test_machine(self):
        for machine in ("pc", "pc-i440fx-7.2", "type=pc", "pc,accel=tcg", "accel=kvm:tcg", "pc,usb=off,acpi=on"):
            self.runs("-machine", machine)

    def test_accel(self):
        for accel in ("interp", "jit", "tcg", "accel=interp", "interp,tb-size=16", "tcg,tb-size=0"):
            self.runs("-accel", accel)

    def test_cpus(self):
        for cpus in ("1", "cpus=2", "4,sockets=4,cores=1,threads=1,maxcpus=4", "32"):
            self.runs("-smp", cpus)

    def test_icount(self):
        for icount in ("0", "10", "auto", "shift=3", "shift=auto,sleep=off", "shift=7,align=on", "3,sleep=off"):
            self.runs("-icount", icount)

    def test_rtc(self):
        for rtc in ("base=localtime", "base=2026-01-31", "base=2026-01-31T12:00:00,clock=vm", "clock=host",
                    "base=utc,driftfix=none"):
            self.runs("-rtc", rtc)

    def test_models(self):
        help_text = run(X86_64, "-cpu", "help").stdout.decode()
        for model in ("qemu32", "qemu64", "max"):
            self.assertIn(model, help_text)
            self.runs("-cpu", model, program=X86_64)
        self.runs("-cpu", "max,-sse2,+sse3,popcnt=off", program=X86_64)

    def test_debug_exit_status(self):
        result = run(I386, *MACHINE, "-serial", "stdio", stdin=b"q")
        self.assertEqual(result.returncode, GUEST_END)

    def test_a_sentence_stays_a_line(self):
        self.refused("-kernel", "two\nlines", says="two\\x0alines")


class Help(Case):
    def asks(self, *argv):
        result = run(*argv)
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertEqual(result.stderr, b"")
        self.assertTrue(result.stdout)
        return result.stdout.decode()

    def test_machine_programs(self):
        for program in (X86_64, I386):
            for option in ("-h", "-help", "--help"):
                self.assertIn("usage: reprise-system", self.asks(program, option))
            self.assertRegex(self.asks(program, "-version"), r"^reprise-system-\w+ \d")
            for option in ("-M", "-machine", "-cpu", "-device"):
                for word in ("help", "?"):
                    self.asks(program, option, word)

    def test_reprise(self):
        for argv in (["help"], ["--help"], ["-h"]):
            self.assertIn("usage: reprise", self.asks(REPRISE, *argv))
        self.assertRegex(self.asks(REPRISE, "--version"), r"^reprise \d")
        for command in self.commands():
            text = self.asks(REPRISE, command, "--help")
            self.assertEqual(text, self.asks(REPRISE, "help", command))
            self.assertEqual(text, self.asks(REPRISE, command, "some", "-h"))
            self.assertRegex(text, rf"\nexamples?:\n  reprise {command} ")

    def test_no_command(self):
        result = run(REPRISE)
        self.assertEqual(result.returncode, 1)
        self.assertIn(b"usage: reprise", result.stderr)

    def commands(self):
        return re.findall(r"^  ([a-z]+) +\S", self.asks(REPRISE, "help").split("example")[0], re.M)[:-1]

    def test_lines_fit(self):
        for argv in ([X86_64, "-h"], [REPRISE, "help"], *([REPRISE, c, "--help"] for c in self.commands())):
            for line in self.asks(*argv).splitlines():
                self.assertLessEqual(len(line), 112, line)

    def test_manual_of_machine_programs(self):
        """The parser's table prints -help, so this compares the page with the parser."""
        _, in_page = page("reprise-system-x86_64")
        self.assertEqual(listed_options(self.asks(X86_64, "-help")), in_page)

    def test_manual_of_reprise(self):
        text, in_page = page("reprise")
        options = set()
        for command in self.commands():
            self.assertIn(f".Cm {command}", text)
            self.assertIn(f".It Cm {command}", text)
            options |= listed_options(self.asks(REPRISE, command, "--help"))
        self.assertEqual(options, in_page - {"accel"})     # which names another program's option
        self.assertEqual(set(re.findall(r"^\.It Cm (\w+)", text, re.M)), set(self.commands()))

    def test_manual_of_devices(self):
        text, _ = page("reprise-system-x86_64")
        for device in re.findall(r"^(\S+)", self.asks(X86_64, "-device", "help"), re.M):
            self.assertIn(device, text)
        for model in re.findall(r"^(\S+)", self.asks(X86_64, "-cpu", "help").split("\n\n")[0], re.M):
            self.assertIn(model, text)
