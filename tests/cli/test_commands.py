# SPDX-License-Identifier: GPL-2.0-or-later
"""reprise record, replay, info, log and verify on a small recording."""
import json
import os
import pathlib
import pty
import re
import select
import subprocess

from cli import Case, DEBUG_EXIT, FAREWELL, GUEST, GUEST_END, I386, Process, REPRISE, run

LINE = ["-m", "16", "-serial", "stdio", "-no-reboot", "-kernel", GUEST, *DEBUG_EXIT]
TYPED = b"hello q"
CONSOLE = TYPED + FAREWELL


class Recording(Case):
    def setUp(self):
        super().setUp()
        self.log = self.tmp / "log"
        result = self.record()
        self.assertEqual(result.returncode, GUEST_END, result.stderr)
        self.assertEqual(result.stdout, CONSOLE)

    def record(self, *options, line=LINE, stdin=TYPED, arch="i386"):
        return run(REPRISE, "record", "-o", self.log, "--arch", arch, "--hash", "500", *options, "--", *line,
                   "-icount", "7", stdin=stdin)

    def good(self, *argv, status=0):
        result = run(REPRISE, *argv)
        self.assertEqual(result.returncode, status, result.stderr)
        return result

    def test_record_says_how_it_ended(self):
        self.assertRegex(self.record().stderr.decode(),
                         r"^reprise record: guest wrote to isa-debug-exit at position \d+\n$")

    def test_record_replaces_a_recording(self):
        before = self.log.read_bytes()
        self.assertEqual(self.record(stdin=b"another q").returncode, GUEST_END)
        self.assertNotEqual(self.log.read_bytes(), before)
        self.assertEqual(self.good("replay", self.log, status=GUEST_END).stdout, b"another q" + FAREWELL)

    def test_record_stopped_by_a_signal(self):
        with Process(REPRISE, "record", "-o", self.log, "--arch", "i386", "--", *LINE) as p:
            p.type(b"abc")
            p.expect(b"abc")
            p.process.terminate()
            self.assertEqual(p.finish(), 0)
        self.assertEqual(self.good("replay", self.log).stdout, b"abc")
        self.assertRegex(self.good("info", self.log).stdout.decode(), r"\nend +clean: ended by signal 15 at position")

    def test_two_recorders(self):
        """One log cannot be recorded by two at a time."""
        with Process(REPRISE, "record", "-o", self.log, "--arch", "i386", "--", *LINE) as p:
            p.type(b"abc")
            p.expect(b"abc")
            self.assertSentence(self.record(), str(self.log), "another run")
            p.type(b"q")
            self.assertEqual(p.finish(), GUEST_END)
        self.assertEqual(self.good("replay", self.log, status=GUEST_END).stdout, b"abcq" + FAREWELL)

    def test_engine_and_traces_are_not_recorded(self):
        trace = self.tmp / "trace"
        line = ["-M", "pc,accel=tcg", "-accel", "interp", "-d", "guest_errors", "-D", trace, *LINE]
        self.assertEqual(self.record(line=line).returncode, GUEST_END)
        machine = re.search(r"^machine .*$", self.good("info", self.log).stdout.decode(), re.M)[0]
        for word in ("accel", "interp", "guest_errors", str(trace)):
            self.assertNotIn(word, machine)
        self.assertIn(" -M pc ", machine)
        trace.write_text("mine")
        self.good("replay", self.log, status=GUEST_END)
        self.assertEqual(trace.read_text(), "mine")

    def test_replay(self):
        for _ in range(3):
            result = self.good("replay", self.log, status=GUEST_END)
            self.assertEqual(result.stdout, CONSOLE)
            self.assertRegex(result.stderr.decode(), r"^reprise replay: end of the recording .*agrees\n$")
        console = self.tmp / "console"
        self.assertEqual(self.good("replay", self.log, "--serial", f"file:{console}", status=GUEST_END).stdout, b"")
        self.assertEqual(console.read_bytes(), CONSOLE)
        self.assertEqual(self.good("replay", self.log, "--serial", "none", status=GUEST_END).stdout, b"")
        self.refused("replay", self.log, "--serial", f"file:{self.log}", program=REPRISE, says=["log of this run"])
        self.assertEqual(self.good("replay", self.log, "--engine=interp", status=GUEST_END).stdout, CONSOLE)

    def test_replay_opens_none_of_the_recorded_devices(self):
        console = self.tmp / "console"
        line = [*LINE, "-serial", f"file:{console}"]
        self.assertEqual(self.record(line=line).returncode, GUEST_END)
        console.write_text("mine")
        self.good("replay", self.log, status=GUEST_END)
        self.assertEqual(console.read_text(), "mine")

    def test_info(self):
        text = self.good("info", self.log).stdout.decode()
        size = os.path.getsize(GUEST)
        for pattern in (r"^recorded +\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC$",
                        rf"^machine +reprise-system-i386 -m 16 -serial stdio .*-kernel {re.escape(GUEST)}",
                        rf"^kernel +{re.escape(GUEST)} \({size} bytes, xxh3 [0-9a-f]{{16}}\)$",
                        r"^shift +7$", r"^length +\d+ positions$", r"^virtual time +\d+\.\d{3} s$",
                        r"^real time +\d+\.\d{3} s$", r"^events +\d+$", r"^  input +\d+ +\d+ bytes$",
                        r"^  hash +\d+ +\d+ bytes$", r"^  end +1 +\d+ bytes$",
                        rf"^file +{self.log.stat().st_size} bytes", r"^final state +[0-9a-f]{16}$",
                        r"^end +clean: guest wrote to isa-debug-exit at position \d+$"):
            self.assertRegex(text, re.compile(pattern, re.M))
        counts = [int(n) for n in re.findall(r"^  \S+ +(\d+) +\d+ bytes$", text, re.M)]
        self.assertEqual(sum(counts), int(re.search(r"^events +(\d+)", text, re.M)[1]))

    def test_info_of_a_cut_log(self):
        data = self.log.read_bytes()
        self.log.write_bytes(data[:len(data) // 2])
        self.assertRegex(self.good("info", self.log).stdout.decode(),
                         re.compile(r"^end +cut short: .*position \d+$", re.M))

    def test_log(self):
        plain = self.good("log", self.log).stdout.decode().splitlines()
        events = [json.loads(line) for line in self.good("log", self.log, "--json").stdout.splitlines()]
        self.assertEqual(len(plain), len(events))
        for line, event in zip(plain, events):
            where, kind = line.split()[:2]
            self.assertEqual(int(where.split("+")[0]), event["position"])
            self.assertEqual(kind, event["kind"])
        self.assertEqual(events[-1]["kind"], "end")
        self.assertEqual([e["position"] for e in events], sorted(e["position"] for e in events))
        typed = b"".join(bytes.fromhex(e["data"]) for e in events if e["kind"] == "input")
        self.assertEqual(typed, TYPED)
        self.assertRegex(events[-1]["hash"], "^[0-9a-f]{16}$")

    def test_log_range(self):
        events = [json.loads(line) for line in self.good("log", self.log, "--json").stdout.splitlines()]
        positions = sorted({e["position"] for e in events})
        a, b = positions[1], positions[-2]
        for argv, low, high in ((["--from", a], a, 1 << 64), (["--to", b], 0, b), ([f"--from={a}", f"--to={b}"], a, b),
                                (["--from", hex(a), "--to", hex(a)], a, a),
                                (["--from", positions[-1] + 1], 1 << 64, 0)):
            got = [json.loads(line) for line in self.good("log", self.log, "--json", *argv).stdout.splitlines()]
            self.assertEqual(got, [e for e in events if low <= e["position"] <= high])

    def test_log_into_a_closed_pipe(self):
        """As `reprise log F | head -1` does: no noise."""
        result = subprocess.run(f"'{REPRISE}' log '{self.log}' | true", shell=True, capture_output=True)
        self.assertEqual((result.returncode, result.stderr), (0, b""))

    def test_verify(self):
        for engine in ([], ["--engine", "interp"], ["--engine", "jit"], ["--engine=tcg,tb-size=8"]):
            result = self.good("verify", self.log, *engine)
            self.assertRegex(result.stdout.decode(), r"verified \d+ positions .*; end of the recording .* agrees\n$")
            self.assertEqual(result.stderr, b"")

    def test_lockstep(self):
        """Both engines side by side, compared as often as one likes; perturbed ones too."""
        for every in ([], ["--every", "1000"], ["--every=7"]):
            for engine in ([], ["--engine", "interp"], ["--engine", "jit,perturb=5"]):
                result = self.good("verify", self.log, "--lockstep", *every, *engine)
                self.assertRegex(result.stdout.decode(),
                                 r"agree over \d+ positions, .*; end of the recording .* agrees\n$")
                self.assertEqual(result.stderr, b"")

    def test_perturbed_engines(self):
        """No seed moves a state hash."""
        for seed in range(1, 6):
            for engine in ("interp", "jit", "jit,tb-size=2"):
                self.good("verify", self.log, "--engine", f"{engine},perturb={seed}")
        self.assertEqual(self.record(line=[*LINE, "-accel", "jit,perturb=77"]).returncode, GUEST_END)
        self.good("verify", self.log, "--engine", "interp")

    def test_no_room_for_code(self):
        """A cache too small, or too large for the host: one sentence, and the portable engine does it."""
        def little(*argv, kib):
            return run("sh", "-c", f'ulimit -v {kib} && exec "$@"', "sh", *argv, stdin=TYPED)

        machine = [I386, *LINE, "-display", "none", "-icount", "7"]
        results = [run(*machine, "-accel", "jit,tb-size=1", stdin=TYPED)]
        if b"__asan_init" not in pathlib.Path(I386).read_bytes():   # which itself needs more room than any limit here
            results.append(little(*machine, "-accel", "jit,tb-size=4096", kib=1 << 20))
        for result in results:
            self.assertEqual((result.returncode, result.stdout), (GUEST_END, CONSOLE), result.stderr)
            said = result.stderr.decode().splitlines()[0]
            self.assertRegex(said, r"the engine 'jit' cannot run here: .*(too small|no memory).*; "
                                   r"the portable engine runs instead$")
            self.assertEqual(result.stderr.decode().count("portable engine"), 1)

    def test_engines_agree(self):
        """What one recorded the other replays."""
        for recorder in ("interp", "jit"):
            self.assertEqual(self.record(line=[*LINE, "-accel", recorder]).returncode, GUEST_END)
            for player in ("interp", "jit"):
                self.good("verify", self.log, "--engine", player)

    def test_verify_a_cut_log(self):
        data = self.log.read_bytes()
        self.log.write_bytes(data[:len(data) // 2])
        self.assertIn(b"cut at byte", self.good("verify", self.log).stdout)

    def test_progress_bar_only_on_a_terminal(self):
        for command in ("verify", "replay"):
            master, slave = pty.openpty()
            result = subprocess.run([REPRISE, command, self.log], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                    stderr=slave)
            os.close(slave)
            drawn = b""
            while select.select([master], [], [], 0)[0]:
                try:
                    drawn += os.read(master, 4096)
                except OSError:
                    break
            os.close(master)
            self.assertRegex(drawn, rb"\r" + command.encode() + rb" \[[#-]{40}\] +\d+ %")
            self.assertNotIn(b"[", run(REPRISE, command, self.log).stderr)
            self.assertIn(result.returncode, (0, GUEST_END))
