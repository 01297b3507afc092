# SPDX-License-Identifier: GPL-2.0-or-later
"""-d, -D, -dfilter and -perfmap on the tiny guest."""
import pathlib
import re
import subprocess

from cli import Case, FAREWELL, GUEST, GUEST_END, I386, MACHINE, Process, X86_64, record, run

KEY = r"pc 0x([0-9a-f]+), cs base 0x[0-9a-f]+, flags 0x[0-9a-f]+"


def entry_point():
    """Where the guest starts, by binutils."""
    text = subprocess.run(["readelf", "-h", GUEST], capture_output=True, text=True, check=True).stdout
    return int(re.search(r"Entry point address: +(0x[0-9a-f]+)", text)[1], 16)


def objdump():
    """address -> (bytes, mnemonic) of the guest's code."""
    text = subprocess.run(["objdump", "-d", "-M", "intel", "--insn-width=15", GUEST], capture_output=True, text=True,
                          check=True).stdout
    return {int(a, 16): (b.replace(" ", ""), m)
            for a, b, m in re.findall(r"^ +([0-9a-f]+):\t([0-9a-f ]+?) *\t(\S+)", text, re.M)}


class Trace(Case):
    def trace(self, items, *options, stdin=b"q"):
        """What -d shows of a run."""
        path = self.tmp / "trace"
        result = run(I386, *MACHINE, "-serial", "stdio", "-d", items, "-D", path, *options, stdin=stdin)
        self.assertEqual(result.returncode, GUEST_END, result.stderr)
        self.assertEqual(result.stdout, stdin + FAREWELL)
        text = path.read_text()
        self.assertNotIn("\0", text)
        return text

    def test_in_asm(self):
        """The instructions are those that another disassembler finds, from the first on."""
        known = objdump()
        for engine in ("jit", "interp"):
            text = self.trace("in_asm", "-accel", engine)
            lines = re.findall(r"^0x([0-9a-f]{8}):  ((?:[0-9a-f]{2} )+) *(\S+)", text, re.M)
            self.assertEqual(int(lines[0][0], 16), entry_point())
            self.assertGreater(len(lines), 200)
            for address, code, mnemonic in lines:
                self.assertEqual(known[int(address, 16)][0], code.replace(" ", ""))
            same = sum(known[int(a, 16)][1] == m for a, _, m in lines)
            self.assertGreater(same, len(lines) * 3 // 4)       # the two spell some mnemonics differently
            heads = re.findall(rf"^IN: {KEY}, (\d+) instructions?, 32-bit$", text, re.M)
            self.assertEqual(sum(int(n) for _, n in heads), len(lines))

    def test_op(self):
        """Optimisation leaves fewer operations of the same instructions."""
        before, after = self.trace("op"), self.trace("op_opt")
        both = self.trace("op,op_opt")
        self.assertRegex(before, rf"^OP: {KEY}\n-- INSN_START pc=0x{entry_point():x} ")
        self.assertRegex(after, rf"^OP after optimisation: {KEY}\n-- INSN_START pc=0x{entry_point():x} ")
        self.assertEqual(before.count("INSN_START"), after.count("INSN_START"))
        self.assertGreater(before.count("\n"), after.count("\n"))
        self.assertEqual(both.count("\n"), before.count("\n") + after.count("\n"))
        self.assertEqual(self.trace("op", "-accel", "interp"), before)

    def test_out_asm(self):
        text = self.trace("out_asm,in_asm")
        self.assertRegex(text, r"^OUT: \[size=\d+\] enter\n0x[0-9a-f]+:  53 +push rbx\n")
        blocks = re.findall(rf"^OUT: \[size=(\d+)\] {KEY}\n((?:0x.*\n)+)", text, re.M)
        self.assertEqual([pc for _, pc, _ in blocks], re.findall(rf"^IN: {KEY}", text, re.M))
        for size, _, lines in blocks:
            insns = re.findall(r"^0x([0-9a-f]+):  ((?:[0-9a-f]{2} )+)", lines, re.M)
            first, last = int(insns[0][0], 16), int(insns[-1][0], 16)
            self.assertEqual(last + len(insns[-1][1]) // 3 - first, int(size))
        self.assertEqual(self.trace("out_asm", "-accel", "interp"), "")     # which makes no host code

    def test_exec(self):
        """Positions go up from 0; without chaining every block is there, in both engines the same."""
        def blocks(*options):
            found = re.findall(rf"^Trace 0: position (\d+), {KEY}$", self.trace(*options), re.M)
            return [(int(position), int(pc, 16)) for position, pc in found]
        some, every = blocks("exec"), blocks("exec,nochain")
        self.assertEqual(every[0], (0, entry_point()))
        self.assertLess(len(some), len(every))
        self.assertLessEqual(set(some[:10]), set(every))
        self.assertEqual(every, sorted(every, key=lambda b: b[0]))
        rest = [pc for _, pc in every[:1000]]
        self.assertEqual(rest, [pc for _, pc in blocks("exec,nochain", "-accel", "interp")[:1000]])
        self.assertTrue(set(pc for _, pc in every) <= set(objdump()))

    def test_cpu(self):
        text = self.trace("cpu,exec,nochain")
        blocks = re.split(r"^CPU 0: position \d+\n", text, flags=re.M)
        self.assertRegex(blocks[1], rf"\bcpl=0 rip={entry_point():x} rflags=2 ")
        self.assertIn("rax=000000002badb002", blocks[1])        # Multiboot's magic number
        pcs = re.findall(KEY, text)
        self.assertGreater(len(pcs), 100)
        for before, pc, registers in zip(pcs, pcs[1:], blocks[2:]):
            self.assertEqual(f"rip={pc} " in registers.replace("\n", " "), pc != before)
            self.assertNotIn("cr3=", registers)                 # it never changes

    def test_int(self):
        text = self.trace("int", stdin=b"hello q")
        events = re.findall(r"^interrupt 0x24: cpu 0, position (\d+), pc 0x([0-9a-f]+)$", text, re.M)
        self.assertEqual(text.count("\n"), len(events))
        self.assertGreaterEqual(len(events), 1)
        for _, pc in events:
            self.assertEqual(objdump()[int(pc, 16)][1], "cli")  # woken from hlt
        self.assertEqual(len(set(p for p, _ in events)), len(events))

    def test_exceptions(self):
        text = self.trace("int", stdin=b"!q")
        where = r"position (\d+), pc 0x([0-9a-f]+)\n"
        found = re.search("(?:interrupt 0x24: .*\n)+"
                          f"exception 0x0d: cpu 0, error code 0x1238, {where}"
                          f"software interrupt 0x40: cpu 0, {where}"
                          f"exception 0x0d: cpu 0, error code 0x0202, {where}"
                          f"exception 0x0e: cpu 0, error code 0x0002, address 0x40000000, {where}", text)
        self.assertTrue(found, text)
        gp, _, no_gate, page = (int(pc, 16) for pc in found.groups()[1::2])
        self.assertEqual([objdump()[pc][0] for pc in (gp, no_gate, page)], ["8ee8", "cd40", "a300000040"])

    def test_stats(self):
        for engine in ("jit", "interp"):
            text = self.trace("stats", "-accel", engine)
            count = {name.strip(): int(n) for name, n in re.findall(r"^([ \w'(),-]+?) +(\d+)(?:  .*)?$", text, re.M)}
            self.assertIn(f"engine {engine}\n", text)
            self.assertGreater(count["blocks translated"], 10)
            self.assertEqual(sum(n for name, n in count.items() if name.startswith("left ")),
                             count["translated code entered"])
            self.assertGreater(count["lookups"], 0)
            self.assertGreaterEqual(count["events taken"], 1)
            self.assertGreater(count["TLB fills"], 0)

    def test_filter(self):
        entry = entry_point()
        def pcs(ranges, items="exec,nochain"):
            return {int(pc, 16) for pc in re.findall(KEY, self.trace(items, "-dfilter", ranges))}
        every = pcs("0..0xffffffffffffffff")
        for ranges, wanted in ((f"{entry:#x}+1", {entry}),
                               (f"{entry}..{entry + 1}", {pc for pc in every if entry <= pc <= entry + 1}),
                               (f"{entry + 0x10:#x}-0x20", {pc for pc in every if entry - 0xf <= pc <= entry + 0x10}),
                               ("0+1,0x1000..0x2000", set()), (f"0+1,{entry}+1", {entry})):
            self.assertEqual(pcs(ranges), wanted, ranges)
        for items in ("in_asm", "op", "op_opt", "out_asm"):
            self.assertEqual(pcs(f"{entry}+1", items), {entry}, items)

    def test_on_stderr(self):
        result = run(I386, *MACHINE, "-serial", "stdio", "-d", "exec", stdin=b"q")
        self.assertEqual(result.stdout, b"q" + FAREWELL)
        self.assertRegex(result.stderr, b"^Trace 0: position 0, ")

    def test_traces_change_nothing(self):
        """What was recorded with all traces replays without, and the other way round; a hash every 100 positions."""
        log, trace = self.tmp / "log", self.tmp / "trace"
        traces = ["-d", "in_asm,op,op_opt,out_asm,exec,nochain,cpu,int,stats,guest_errors", "-D", trace]
        for recording, replaying in (([], traces), (traces, [])):
            self.assertEqual(record(log, *recording, rr=",rrhash=100").returncode, GUEST_END)
            result = run(I386, *MACHINE, "-serial", "stdio", "-icount", f"shift=7,rr=replay,rrfile={log}", *replaying)
            self.assertIn(b"agrees", result.stderr)
            self.assertGreater(trace.stat().st_size, 10000)
            trace.unlink()

    def test_bad_input(self):
        self.refused("-d", "exec,foo", says=["-d", "'foo'", "-d help"])
        self.refused("-d", "", says=["-d", "''"])
        self.refused("-d", "int,", says=["-d", "''"])
        for text in ("", "1", "1..", "2..1", "1+0", "1..2,", "x+1", "1+1x", "-1+1", "0-2"):
            self.refused("-dfilter", text, says=["-dfilter", f"'{text}'"])
        self.refused("-dfilter", ",".join(["1+1"] * 17), says=["-dfilter", "16"])

    def test_help(self):
        result = run(X86_64, "-d", "help")
        self.assertEqual(result.returncode, 0)
        listed = re.findall(r"^(\w+) +\S.*$", result.stdout.decode(), re.M)
        self.assertEqual(len(listed), result.stdout.count(b"\n"))
        for item in ("in_asm", "op", "op_opt", "out_asm", "exec", "int", "cpu", "guest_errors"):
            self.assertIn(item, listed)
        self.trace(",".join(listed))        # all of them are understood


class PerfMap(Case):
    def run_with_map(self, *options):
        """The lines of the map of a run: (address, size, name)."""
        with Process(I386, *MACHINE, "-serial", "stdio", "-perfmap", *options) as p:
            path = pathlib.Path(f"/tmp/perf-{p.process.pid}.map")
            self.addCleanup(path.unlink, missing_ok=True)
            p.type(b"q")
            self.assertEqual(p.finish(), GUEST_END)
        lines = path.read_text().splitlines()
        found = [re.fullmatch(r"([0-9a-f]+) ([0-9a-f]+) (\S+)", line).groups() for line in lines]
        return [(int(address, 16), int(size, 16), name) for address, size, name in found]

    def test_map(self):
        trace = self.tmp / "trace"
        code = self.run_with_map("-d", "out_asm", "-D", trace)
        shown = re.findall(r"^OUT: \[size=(\d+)\] "
                           r"(?:pc 0x([0-9a-f]+), cs base 0x0, flags 0x([0-9a-f]+)(, cold)?|(\w+))\n0x([0-9a-f]+):",
                           trace.read_text(), re.M)
        self.assertEqual(code, [(int(address, 16), int(size), f"jit:{own}" if own else
                                 f"guest:{pc}:{flags}{':cold' if cold else ''}")
                                for size, pc, flags, cold, own, address in shown])
        self.assertIn(f"guest:{entry_point():x}:", " ".join(name for *_, name in code))
        cold = [c for c in code if c[2].endswith(":cold")]
        main = [c for c in code if c not in cold]
        self.assertEqual([f"{name}:cold" for *_, name in main if name.startswith("guest:")],
                         [name for *_, name in cold])
        for part in main, cold:
            for (a, size, _), (b, *_) in zip(part, part[1:]):
                self.assertLessEqual(a + size, b)       # nothing was evicted: one behind the other
        self.assertLess(main[-1][0] + main[-1][1], cold[0][0])

    def test_portable_engine(self):
        self.assertEqual(self.run_with_map("-accel", "interp"), [])

    def test_no_run_no_map(self):
        """A run that fails to start leaves no map."""
        with Process(I386, "-perfmap", "-kernel", GUEST, "-serial", f"file:{self.tmp}/missing/file") as p:
            self.assertEqual(p.finish(), 1)
            self.assertFalse(pathlib.Path(f"/tmp/perf-{p.process.pid}.map").exists())
