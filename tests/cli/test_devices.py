# SPDX-License-Identifier: GPL-2.0-or-later
"""Ports by which a guest talks to its emulator: pvpanic, isa-debug-exit, isa-debugcon, fw_cfg, as options give them."""
import signal
import struct

from cli import Case, I386, REPRISE, X86_64, Process, run

MOV_DX = b"\x66\xba"
OUT_AL, OUT_AX, IN_AL = b"\xee", b"\x66\xef", b"\xec"
EXIT_7 = MOV_DX + struct.pack("<H", 0xf4) + b"\xb0\x07" + OUT_AL + b"\xf4"       # status 15
QUIET = ["-M", "pc", "-m", "16", "-display", "none", "-serial", "none", "-net", "none",
         "-device", "isa-debug-exit,iobase=0xf4,iosize=4"]


def image(code):
    """A Multiboot image of plain 32-bit code, loaded at 1 MiB."""
    header = struct.pack("<8I", 0x1badb002, 0x10000, -(0x1badb002 + 0x10000) & 0xffffffff, 0x100000, 0x100000, 0, 0,
                         0x100020)
    return header + code + b"\xeb\xfe"


def out(port, value):
    return MOV_DX + struct.pack("<H", port) + b"\xb0" + bytes([value]) + OUT_AL


def dump_item(key, size):
    """Sends size bytes of a fw_cfg item to the debug console, then ends."""
    select = MOV_DX + struct.pack("<H", 0x510) + b"\x66\xb8" + struct.pack("<H", key) + OUT_AX
    loop = MOV_DX + struct.pack("<H", 0x511) + IN_AL + MOV_DX + struct.pack("<H", 0xe9) + OUT_AL
    return select + b"\xb9" + struct.pack("<I", size) + loop + b"\xe2" + bytes([256 - len(loop) - 2]) + EXIT_7


class Devices(Case):
    def guest(self, code):
        path = self.tmp / "guest.bin"
        path.write_bytes(image(code))
        return path

    def start(self, code, *options, program=X86_64):
        return run(program, *QUIET, "-kernel", self.guest(code), *options)

    def test_debug_exit(self):
        for value, status in ((0, 1), (1, 3), (0x7f, 255), (0x80, 1)):
            self.assertEqual(self.start(out(0xf4, value)).returncode, status)
        other = run(I386, "-M", "pc", "-m", "16", "-display", "none", "-serial", "none", "-device", "isa-debug-exit",
                    "-kernel", self.guest(out(0x501, 2)))
        self.assertEqual(other.returncode, 5)

    def test_debugcon(self):
        hello = b"".join(out(0xe9, c) for c in b"hello\n") + EXIT_7
        result = self.start(hello, "-debugcon", "stdio")
        self.assertEqual((result.stdout, result.returncode), (b"hello\n", 15))
        moved = b"".join(out(0x402, c) for c in b"moved") + MOV_DX + struct.pack("<H", 0x402) + IN_AL + OUT_AL + EXIT_7
        result = self.start(moved, "-device", "isa-debugcon,iobase=0x402,readback=0x21,chardev=d",
                            "-chardev", "stdio,id=d")      # named before it is made
        self.assertEqual(result.stdout, b"moved!")

    def test_panic(self):
        panics = out(0x505, 1) + EXIT_7
        for options, status in (((), 0), (("-action", "panic=shutdown"), 0), (("-action", "panic=exit-failure"), 1),
                                (("-action", "panic=none"), 15)):
            with self.subTest(options):
                result = self.start(panics, "-device", "pvpanic", *options)
                self.assertEqual(result.returncode, status)
                self.assertIn(b"panicked", result.stderr)
        for device in ("pvpanic,events=2", "pvpanic,ioport=0x600"):
            result = self.start(panics, "-device", device)
            self.assertEqual((result.returncode, result.stderr), (15, b""))
        self.assertEqual(self.start(panics).returncode, 15)          # no such device: nobody listens
        moved = self.start(out(0x600, 1) + EXIT_7, "-device", "pvpanic,ioport=0x600")
        self.assertEqual(moved.returncode, 0)
        crash = self.start(out(0x505, 2) + EXIT_7, "-device", "pvpanic")
        self.assertEqual(crash.returncode, 15)
        self.assertIn(b"crash kernel", crash.stderr)

    def test_panic_waits(self):
        for options in (["-action", "panic=pause"], ["-no-shutdown"]):
            with Process(X86_64, *QUIET, "-kernel", self.guest(out(0x505, 1) + EXIT_7), "-device", "pvpanic",
                         *options) as p:
                p.expect_error("waiting for a signal")
                p.process.send_signal(signal.SIGTERM)
                self.assertEqual(p.finish(), 0)

    def test_panic_replays(self):
        log = self.tmp / "r.bin"
        recorded = self.start(out(0x505, 1), "-device", "pvpanic", "-action", "panic=exit-failure", "-icount",
                              f"shift=7,rr=record,rrfile={log}")
        self.assertEqual(recorded.returncode, 1)
        replayed = run(REPRISE, "replay", log)
        self.assertEqual(replayed.returncode, 1)
        self.assertIn(b"guest panicked", replayed.stderr)

    def test_fw_cfg(self):
        given = self.tmp / "given.txt"
        given.write_bytes(b"from a file")
        options = ["-debugcon", "stdio", "-fw_cfg", "name=opt/text,string=a,,b=c", "-fw_cfg", f"opt/file,file={given}"]
        directory = self.start(dump_item(0x19, 4 + 64 * 24), *options).stdout
        count, = struct.unpack(">I", directory[:4])
        files = {}
        for i in range(count):
            size, key, _, name = struct.unpack(">IHH56s", directory[4 + 64 * i:68 + 64 * i])
            files[name.rstrip(b"\0").decode()] = key, size
        for name, content in (("opt/text", b"a,b=c"), ("opt/file", b"from a file")):
            key, size = files[name]
            self.assertEqual(size, len(content))
            self.assertEqual(self.start(dump_item(key, size), *options).stdout, content)
        for name in ("etc/e820", "etc/acpi/tables", "etc/acpi/rsdp", "etc/table-loader", "etc/boot-fail-wait"):
            self.assertIn(name, files)
        # The log knows the file by its contents, and the string.
        log = self.tmp / "r.bin"
        recorded = self.start(dump_item(files["opt/file"][0], 11), *options, "-icount",
                              f"shift=7,rr=record,rrfile={log}")
        self.assertEqual(recorded.stdout, b"from a file")
        self.assertEqual(run(REPRISE, "verify", log).returncode, 0)
        given.write_bytes(b"from a fire")
        self.assertSentence(run(REPRISE, "verify", log), "given.txt", "fw_cfg:opt/file", "its contents differ")
        moved = self.tmp / "moved.txt"
        moved.write_bytes(b"from a file")
        given.unlink()
        self.assertSentence(run(REPRISE, "verify", log), "given.txt", "no longer there", "--file fw_cfg:opt/file=PATH")
        self.assertEqual(run(REPRISE, "verify", log, "--file", f"fw_cfg:opt/file={moved}").returncode, 0)
        given.write_bytes(b"from a file")
        options[3] = "name=opt/text,string=another"
        other = self.start(dump_item(files["opt/file"][0], 11), *options, "-icount", f"shift=7,rr=replay,rrfile={log}")
        self.assertSentence(other, "made on another machine", "-fw_cfg")

    def test_modules(self):
        """A Multiboot guest that shows its modules' texts; they stay the same when the first file moves."""
        show = bytes.fromhex("8b7318 8b4b14  8b7e08  8a07 66bae900 84c0 7404 ee 47 ebf2"
                             "b03b ee 83c610 49 75e6") + EXIT_7
        for name in ("one", "two,three"):
            (self.tmp / name).write_bytes(b"x")
        modules = f"{self.tmp}/one a=b c,{self.tmp}/two,,three"
        log = self.tmp / "r.bin"
        result = self.start(show, "-debugcon", "stdio", "-initrd", modules, "-icount",
                            f"shift=7,rr=record,rrfile={log}")
        self.assertEqual(result.stdout, b"one a=b c;two,three;")
        self.assertEqual(run(REPRISE, "verify", log).returncode, 0)
        (self.tmp / "one").rename(self.tmp / "moved")
        self.assertSentence(run(REPRISE, "verify", log), "initrd", "no longer there", "--file initrd=PATH")
        self.assertEqual(run(REPRISE, "verify", log, "--file", f"initrd={self.tmp}/moved").returncode, 0)
        self.refused(*QUIET, "-kernel", self.guest(show), "-initrd", f"{self.tmp}/none", says=["initrd", "none"])
        many = ",".join(17 * [f"{self.tmp}/moved"])
        self.refused(*QUIET, "-kernel", self.guest(show), "-initrd", many, says="16 modules")

    def test_refused(self):
        for options, says in (
                (["-device", "pvpanic,events=4"], "events"),
                (["-device", "pvpanic,ioport=0"], "ioport"),
                (["-device", "pvpanic", "-device", "pvpanic"], "already"),
                (["-device", "pvpanic,color=red"], "color"),
                (["-device", "isa-debug-exit,iobase=0xffff"], "iobase"),
                (["-device", "isa-debugcon,chardev=x"], "x"),
                (["-action", "panic=dance"], "panic=dance"),
                (["-action", "watchdog=none"], "watchdog"),
                (["-fw_cfg", "opt/a"], "file=PATH or string=TEXT"),
                (["-fw_cfg", "name=opt/a,file=x,string=y"], "file=PATH or string=TEXT"),
                (["-fw_cfg", "name=" + 56 * "n" + ",string=y"], "55 characters"),
                (["-fw_cfg", "opt/a,string=x", "-fw_cfg", "opt/a,string=y"], "already"),
                (["-fw_cfg", f"opt/a,file={self.tmp}/none"], "none"),
                (["-boot", "order=ax"], "order"),
                (["-boot", "order=aa"], "twice"),
                (["-boot", "once=z"], "once"),
                (["-boot", "reboot-timeout=-2"], "reboot-timeout"),
                (["-boot", "splash-time=70000"], "splash-time"),
                (["-boot", "splash=x.jpg"], "splash")):
            self.refused(*options, says=says)
