# SPDX-License-Identifier: GPL-2.0-or-later
"""Bad input: one sentence that names what and where, exit status 1, and nothing half-written."""
import os
import pathlib
import shutil
import struct
import unittest

from cli import BIN, Case, GUEST, GUEST_END, I386, MACHINE, REPRISE, X86_64, record, run

FILES = {"-kernel": "kernel", "-initrd": "initrd", "-bios": "BIOS image"}


class Options(Case):
    def test_unknown_option(self):
        for option in ("-frobnicate", "--frobnicate", "-drive", "-hda", "-cdrom", "-netdev", "-object", "-vnc", "-gdb",
                       "-s", "-S", "-qmp", "-usb", "-audiodev", "-soundhw", "-enable-kvm", "-loadvm", "-smbios",
                       "-daemonize", "-snapshot", "-mon", "-k", "-incoming", "-blockdev", "-sandbox", "-numa"):
            self.refused(option, says=f"'{option}'")
        self.refused("disk.img", says="'disk.img'")
        self.refused("", says="''")

    def test_option_without_value(self):
        for option in ("-kernel", "-m", "-M", "-cpu", "-smp", "-icount", "-serial", "-append", "--initrd", "-device",
                       "-chardev", "-accel", "-uuid", "-rtc", "-boot", "-display", "-D", "-d", "-name", "-bios"):
            self.refused(option, says=[f"'{option}'", "value"])

    def test_machine(self):
        self.refused(*MACHINE, "-M", "q35", says=["-machine", "'q35'", "pc"])
        self.refused("-machine", "pc,flux=on", says=["-machine", "'flux'"])
        self.refused("-machine", "pc,usb=on", says=["-machine", "usb=off"])
        self.refused("-machine", "", says="-machine")
        self.refused("-machine", "pc,accel=kvm", says=["-machine", "'kvm'"])

    def test_accel(self):
        self.refused("-accel", "kvm", says=["-accel", "'kvm'", "interp"])
        self.refused("-accel", "", says="-accel")
        for size in ("lots", "-1", "99999999999", "1G"):
            self.refused("-accel", f"tcg,tb-size={size}", says=["-accel", "tb-size", f"'{size}'"])
        self.refused("-accel", "tcg,thread=multi", says=["-accel", "thread", "'multi'"])
        self.refused("-accel", "tcg,turbo=on", says=["-accel", "'turbo'"])

    def test_cpu(self):
        self.refused(*MACHINE, "-cpu", "z80", says=["-cpu", "'z80'"])
        self.refused(*MACHINE, "-cpu", "", says="-cpu")
        self.refused(*MACHINE, "-cpu", "host", says=["-cpu", "'host'"])
        self.refused(*MACHINE, "-cpu", "max,+flux", says=["-cpu", "'flux'"])
        self.refused(*MACHINE, "-cpu", "max,flux=on", says=["-cpu", "'flux'"])
        self.refused(*MACHINE, "-cpu", "max,sse2=maybe", says=["-cpu", "sse2=maybe"])

    def test_memory(self):
        for size in ("0", "1K", "100T", "9G", "8193", "16777216T", "lots", "-5", "", "1.5G", "12X", "0x",
                     "99999999999999999999", "size=", "size=many", "1025K"):
            self.refused("-m", size, says="-m")
        self.refused("-m", "512,slots=2", says=["-m", "'slots'"])
        self.refused(*MACHINE, "-m", "1", says="4 MiB")

    def test_cpus(self):
        for n in ("0", "33", "99", "-1", "two", "1.5", "2,cores=2", "2,threads=2", "2,sockets=1", "2,maxcpus=4"):
            self.refused("-smp", n, says=["-smp", "1 to 32"])
        self.refused("-smp", "", says=["-smp", "empty"])
        self.refused("-smp", "2,dies=1", says=["-smp", "'dies'"])

    def test_icount(self):
        for value, says in (("shift=11", "shift"), ("shift=-1", "'-1'"), ("shift=fast", "'fast'"), ("shift=", "shift"),
                            ("99", "'99'"), ("", "-icount"), ("shift=7,sleep=perhaps", "'perhaps'"),
                            ("shift=auto,align=on", "align"), ("shift=7,sleep=off,align=on", "align"),
                            ("shift=7,rr=rewind,rrfile=x", "'rewind'"), ("shift=7,rr=record", "rrfile"),
                            ("shift=7,rr=replay", "rrfile"), ("shift=7,rrfile=x", "rr="), ("shift=7,rrfile=", "rrfile"),
                            ("shift=7,rrhash=5", "rrhash"), ("shift=7,rr=record,rrfile=x,rrhash=often", "'often'"),
                            ("shift=7,rr=replay,rrfile=x,rrhash=5", "rrhash"),
                            ("shift=7,rr=record,rrfile=x,rrsnapshot=s", "rrsnapshot"), ("shift=7,speed=9", "'speed'")):
            self.refused(*MACHINE, "-icount", value, says=["-icount", says], cwd=self.tmp)
        self.assertEqual(os.listdir(self.tmp), [])

    def test_rtc(self):
        for value in ("base=yesterday", "base=2026-02-31", "base=2026-01-01T25:00:00", "base=2026-01-01T1", "base=",
                      "base=1969-12-31", "clock=sundial", "base=2026-13-01"):
            self.refused("-rtc", value, says=["-rtc", f"'{value.split('=')[1]}'"])
        self.refused("-rtc", "driftfix=slew", says=["-rtc", "driftfix"])
        self.refused("-rtc", "flux=1", says=["-rtc", "'flux'"])

    def test_devices(self):
        self.refused("-device", "flux-capacitor", says=["-device", "'flux-capacitor'"])
        self.refused("-device", "virtio-net-pci,netdev=n0", says=["-device", "'virtio-net-pci'"])
        self.refused("-device", "", says="-device")
        self.refused("-device", "isa-debug-exit,flux=1", says=["-device isa-debug-exit", "'flux'"])
        self.refused("-device", "isa-debug-exit,iobase=10000000",
                     says=["-device isa-debug-exit", "iobase", "'10000000'"])
        self.refused("-device", "isa-debug-exit,iobase=here", says=["-device isa-debug-exit", "iobase", "'here'"])
        self.refused("-device", "isa-debug-exit,iosize=5", says=["-device isa-debug-exit", "iosize", "'5'"])
        self.refused("-device", "isa-debug-exit,iosize=0", says=["-device isa-debug-exit", "iosize"])
        self.refused("-device", "isa-serial", says=["-device isa-serial", "chardev="])
        self.refused("-device", "isa-serial,chardev=nobody", says=["-device", "'nobody'"])
        self.refused("-chardev", "null,id=a", "-device", "isa-serial,chardev=a,index=4", says=["isa-serial", "index"])
        self.refused("-chardev", "null,id=a", "-device", "isa-serial,chardev=a", "-device", "isa-serial,chardev=a",
                     says=["'a'", "in use"])
        self.refused("-device", "isa-debugcon,chardev=nobody", says=["-device", "'nobody'"])
        self.refused("-device", "pvpanic,flux=1", says=["-device pvpanic", "'flux'"])

    def test_what_there_is_not_yet(self):
        for option, value in (("-display", "gtk"), ("-vga", "std"), ("-net", "user"),
                              ("-nic", "user,model=e1000")):
            self.refused(option, value, says=[option, f"'{value}'"])

    def test_other_values(self):
        self.refused("-uuid", "not-a-uuid", says=["-uuid", "'not-a-uuid'"])
        self.refused("-uuid", "00112233-4455-6677-8899-aabbccddeefg", says=["-uuid"])
        self.refused("-boot", "order=xyz", says=["-boot", "'xyz'"])
        self.refused("-boot", "order=", says="-boot")
        self.refused("-boot", "menu=perhaps", says=["-boot", "'perhaps'"])
        self.refused("-boot", "flux=1", says=["-boot", "'flux'"])
        for value in ("panic=perhaps", "reboot=never", "shutdown=soon", "flux=1", ""):
            self.refused("-action", value, says=["-action"])
        for value in ("name=x", "name=x,file=a,string=b", "file=a", f"name={'x' * 56},string=a", "name=x,string=", ""):
            self.refused("-fw_cfg", value, says=["-fw_cfg"])
        self.refused(*MACHINE, "-fw_cfg", f"name=opt/x,file={self.tmp / 'missing'}",
                     says=["fw_cfg:opt/x", str(self.tmp / "missing"), "No such file"])
        self.refused("-boot", "once=z", says=["-boot", "'z'"])
        self.refused("-d", "everything", says=["-d", "'everything'"])
        self.refused("-name", "x,flux=1", says=["-name", "'flux'"])
        self.refused("-initrd", GUEST, says=["-initrd", "-kernel"])
        self.refused("-append", "x", says=["-append", "-kernel"])
        self.refused("-name", ",".join("abcdefghijklmnopqrstuvwxyz"), says=["-name", "parts"])
        self.refused("-machine", "pc,=on", says=["-machine", "without a name"])


class Chardevs(Case):
    def test_kinds(self):
        self.refused("-serial", "carrier-pigeon", says=["-serial", "'carrier-pigeon'"])
        self.refused("-serial", "", says=["-serial", "''"])
        self.refused("-serial", "udp::4555", says=["-serial", "'udp::4555'"])
        self.refused("-serial", "mon:pty", says=["-serial", "'mon:pty'"])
        self.refused("-serial", "file:", says=["-serial", "'file:'"])
        self.refused("-serial", "chardev:nobody", says=["-serial", "'nobody'"])
        self.refused("-chardev", "pigeon,id=a", says=["-chardev", "'pigeon'"])
        self.refused("-chardev", "null", says=["-chardev", "id="])
        self.refused("-chardev", "", says=["-chardev"])
        self.refused("-chardev", "file,id=a", says=["-chardev file", "path="])
        self.refused("-chardev", "pipe,id=a,path=", says=["-chardev pipe", "path="])
        self.refused("-chardev", "socket,id=a", says=["-chardev socket", "port="])
        self.refused("-chardev", "socket,id=a,path=p,port=1", says=["-chardev socket", "port="])
        self.refused("-chardev", "socket,id=a,port=1,server=perhaps", says=["-chardev", "'perhaps'"])
        self.refused("-chardev", "socket,id=a,port=1,reconnect=often", says=["-chardev", "reconnect", "'often'"])
        self.refused("-chardev", "socket,id=a,port=1,server=on,reconnect=1", says=["-chardev", "reconnect"])
        self.refused("-chardev", "null,id=a,flux=1", says=["-chardev", "'flux'"])
        self.refused("-chardev", "null,id=a", says=["-chardev", "'a'"])
        self.refused("-chardev", "null,id=a", "-chardev", "null,id=a", says=["-chardev", "'a'"])

    def test_counts(self):
        self.refused(*["-serial", "null"] * 5, says=["-serial", "4"])
        self.refused("-serial", "stdio", "-serial", "stdio", says=["-serial", "standard input"])
        many = [word for i in range(17) for word in ("-chardev", f"null,id=c{i}")]
        self.refused(*many, says=["-chardev", "16"])
        self.refused("-debugcon", "null", "-debugcon", "null", says="-debugcon")

    def test_places(self):
        missing = self.tmp / "missing" / "file"
        self.refused(*MACHINE, "-serial", f"file:{missing}", says=[str(missing), "No such file"])
        self.refused(*MACHINE, "-serial", f"file:{self.tmp}", says=[str(self.tmp), "directory"])
        self.refused(*MACHINE, "-serial", f"pipe:{missing}", says=[str(missing), "No such file"])
        self.refused(*MACHINE, "-serial", f"pipe:{GUEST}", says=[GUEST, "mkfifo"])
        self.refused(*MACHINE, "-serial", f"unix:{missing}", says=[str(missing), "No such file"])
        self.refused(*MACHINE, "-serial", f"unix:{missing},server=on", says=[str(missing), "No such file"])
        self.refused(*MACHINE, "-serial", f"unix:{'x' * 200},server=on", says=["xxx", "107"])
        self.refused(*MACHINE, "-serial", "tcp:nowhere", says=["tcp:nowhere"])
        self.refused(*MACHINE, "-serial", "tcp:127.0.0.1:nosuchport", says=["tcp:127.0.0.1:nosuchport"])
        self.refused(*MACHINE, "-serial", "tcp:127.0.0.1:1", says=["tcp:127.0.0.1:1", "refused"])
        self.refused(*MACHINE, "-serial", "tcp:127.0.0.1:70000", says=["70000"])
        self.assertEqual(os.listdir(self.tmp), [])


class Files(Case):
    def bad_files(self):
        """(path, what the sentence says) for every way in which an input file cannot be read at all."""
        empty = self.tmp / "empty"
        empty.touch()
        fifo = self.tmp / "fifo"
        if not fifo.exists():
            os.mkfifo(fifo)
        yield self.tmp / "missing", "No such file"
        yield "", "No such file"
        yield self.tmp, "directory"
        yield empty, "empty"
        yield fifo, "regular file"
        yield self.tmp / "empty" / "below", "Not a directory"
        yield "x" * 5000, "too long"

    def test_unreadable(self):
        for option, role in FILES.items():
            base = ["-kernel", GUEST] if option == "-initrd" else []
            for path, says in self.bad_files():
                self.refused(*base, option, path, says=[role, says])

    @unittest.skipIf(os.geteuid() == 0 and not shutil.which("setpriv"), "root may read everything")
    def test_no_permission(self):
        secret, kernel, program = (self.tmp / name for name in ("secret", "kernel", "program"))
        for path, of, mode in ((secret, GUEST, 0), (kernel, GUEST, 0o644), (program, X86_64, 0o755)):
            shutil.copy(of, path)
            path.chmod(mode)
        self.tmp.chmod(0o755)
        as_nobody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"] if os.geteuid() == 0 else []
        for option, role in FILES.items():
            base = ["-kernel", kernel] if option == "-initrd" else []
            result = run(*as_nobody, program, *base, option, secret)
            self.assertSentence(result, role, str(secret), "Permission denied")
        result = run(*as_nobody, program, "-kernel", kernel, "-icount", f"shift=7,rr=record,rrfile={self.tmp / 'log'}")
        self.assertSentence(result, str(self.tmp / "log"), "Permission denied")

    def test_kernel(self):
        text = self.tmp / "text"
        text.write_bytes(b"I am no kernel\n" * 1000)
        self.refused("-kernel", text, says=[str(text), "kernel"])
        self.refused("-kernel", "/bin/true", says=["/bin/true", "kernel"])
        whole = pathlib.Path(GUEST).read_bytes()
        for size in (1, 16, 100, 4096, len(whole) // 2):
            cut = self.tmp / f"cut{size}"
            cut.write_bytes(whole[:size])
            self.refused("-kernel", cut, says=[str(cut)])

    def test_linux_kernel(self):
        """A bzImage's first sectors, as the boot protocol has them, with one thing wrong each."""
        def image(version=0x20f, loadflags=1, sectors=4, size=8192, command_line=255, init_size=0x1000):
            k = bytearray(size)
            k[0x1f1] = sectors
            struct.pack_into("<H", k, 0x1fe, 0xaa55)
            k[0x202 - 0:0x206] = b"\0" * 4
            k[0x202:0x206] = b"HdrS"
            struct.pack_into("<H", k, 0x206, version)
            k[0x211] = loadflags
            struct.pack_into("<I", k, 0x22c, 0x7fffffff)
            struct.pack_into("<I", k, 0x238, command_line)
            struct.pack_into("<I", k, 0x260, init_size)
            path = self.tmp / "bzImage"
            path.write_bytes(k)
            return path
        self.refused("-kernel", image(version=0x200), says=["bzImage", "2.00"])
        self.refused("-kernel", image(loadflags=0), says=["bzImage", "2.02"])
        self.refused("-kernel", image(sectors=64), says=["bzImage", "cut short"])
        self.refused("-kernel", image(init_size=512 << 20), "-m", "64", says=["bzImage", "MiB of memory"])
        self.refused("-kernel", image(), "-append", "x" * 300, says=["command line", "300", "255"])
        big = self.tmp / "big"
        with open(big, "wb") as f:
            f.truncate(64 << 20)
        self.refused("-kernel", image(), "-initrd", big, "-m", "32", says=[str(big), "32 MiB"])

    def test_initrd(self):
        big = self.tmp / "big"
        with open(big, "wb") as f:
            f.truncate(64 << 20)
        self.refused(*MACHINE, "-initrd", big, says=[str(big), "memory"])
        with open(big, "wb") as f:
            f.truncate((2 << 30) + 1)
        self.refused(*MACHINE, "-initrd", big, says=[str(big), "2 GiB"])

    def test_bios(self):
        odd = self.tmp / "odd.bin"
        odd.write_bytes(b"\xf4" * 1000)
        self.refused("-bios", odd, says=[str(odd), "64 KiB"])
        self.refused("-L", self.tmp, "-bios", "nowhere.bin", says=["BIOS image", "nowhere.bin"])


class Outputs(Case):
    def test_record_to(self):
        missing = self.tmp / "missing" / "r"
        for path, says in ((missing, "No such file"), (self.tmp, "irectory"), ("/proc/version", "")):
            self.refused(*MACHINE, "-icount", f"shift=7,rr=record,rrfile={path}", says=[str(path), says])
            self.refused("record", "-o", path, "--", *MACHINE, says=[str(path), says], program=REPRISE)
        self.assertEqual(os.listdir(self.tmp), [])

    def test_trace_to(self):
        missing = self.tmp / "missing" / "trace"
        self.refused(*MACHINE, "-D", missing, says=["-D", str(missing), "No such file"])
        self.refused(*MACHINE, "-D", self.tmp, says=["-D", str(self.tmp), "directory"])

    def test_failed_start_changes_nothing(self):
        """What was there before stays: logs, consoles, traces."""
        log, console, trace = (self.tmp / name for name in ("log", "console", "trace"))
        self.assertEqual(record(log).returncode, GUEST_END)
        before = log.read_bytes()
        console.write_text("old console")
        trace.write_text("old trace")
        wrong = [I386, "-serial", f"file:{console}", "-D", trace, "-icount", f"shift=7,rr=record,rrfile={log}"]
        for options in (["-kernel", "/bin/true"], ["-kernel", GUEST, "-cpu", "z80"], ["-kernel", GUEST, "-M", "q35"],
                        ["-kernel", GUEST, "-serial", "tcp:127.0.0.1:1"], ["-kernel", GUEST, "-m", "1"]):
            result = run(*wrong, *options)
            self.assertSentence(result)
            self.assertEqual(log.read_bytes(), before)
            self.assertEqual(console.read_text(), "old console")
            self.assertEqual(trace.read_text(), "old trace")
        for path in (log, console, trace):
            path.unlink()
        self.assertSentence(run(*wrong, "-kernel", "/bin/true"))
        self.assertEqual(os.listdir(self.tmp), [])

    def test_inputs_are_not_outputs(self):
        kernel = self.tmp / "kernel"
        shutil.copy(GUEST, kernel)
        before = kernel.read_bytes()
        alias = self.tmp / "alias"
        alias.symlink_to(kernel)
        machine = [kernel if word == GUEST else word for word in MACHINE]
        for path in (kernel, alias):
            self.refused(*machine, "-icount", f"shift=7,rr=record,rrfile={path}", says=[str(path), "kernel"])
            self.refused(*machine, "-D", path, says=["-D", str(path), "kernel"])
            self.refused(*machine, "-serial", f"file:{path}", says=[str(path), "kernel"])
        self.assertEqual(kernel.read_bytes(), before)
        log = self.tmp / "log"
        self.refused(*machine, "-icount", f"shift=7,rr=record,rrfile={log}", "-serial", f"file:{log}", says=str(log))
        self.refused(*machine, "-serial", f"file:{log}", "-D", log, says=str(log))
        self.assertFalse(log.exists())

    def test_no_recording_is_overwritten_by_mistake(self):
        """Only a recording may be recorded over."""
        diary = self.tmp / "diary"
        diary.write_text("Dear diary")
        self.refused(*MACHINE, "-icount", f"shift=7,rr=record,rrfile={diary}", says=[str(diary), "not a recording"])
        self.assertEqual(diary.read_text(), "Dear diary")

    def test_full_disk(self):
        result = record("/dev/full")
        self.assertEqual(result.returncode, 1)
        self.assertIn(b"/dev/full", result.stderr)
        self.assertIn(b"No space left", result.stderr)


class Logs(Case):
    def setUp(self):
        super().setUp()
        self.log = self.tmp / "log"
        self.assertEqual(record(self.log, rr=",rrhash=500").returncode, GUEST_END)

    def replay_line(self, log):
        return [*MACHINE, "-serial", "stdio", "-icount", f"shift=7,rr=replay,rrfile={log}"]

    def each_reader(self, log, says):
        """Every program that reads logs refuses this one."""
        self.refused(*self.replay_line(log), program=I386, says=says)
        for command in ("replay", "info", "log", "verify"):
            self.refused(command, log, program=REPRISE, says=says)

    def test_unreadable(self):
        empty = self.tmp / "empty"
        empty.touch()
        text = self.tmp / "text"
        text.write_text("no log at all, but long enough to look at")
        self.each_reader(self.tmp / "missing", [str(self.tmp / "missing"), "No such file"])
        self.each_reader(self.tmp, [str(self.tmp), "directory"])
        self.each_reader(empty, [str(empty), "empty"])
        self.each_reader(text, [str(text), "not a Reprise log"])
        self.each_reader("/dev/null", ["/dev/null", "regular file"])

    def test_newer_version(self):
        data = bytearray(self.log.read_bytes())
        struct.pack_into("<I", data, 8, 999)
        self.log.write_bytes(data)
        self.each_reader(self.log, [str(self.log), "999"])

    def test_cut_anywhere(self):
        """A log cut in its header is refused; cut behind it, it replays to its last frame and says so."""
        data = self.log.read_bytes()
        header = 16 + struct.unpack_from("<I", data, 12)[0] + 8
        cut = self.tmp / "cut"
        for size in (1, 7, 8, 15, 16, header // 2, header - 1):
            cut.write_bytes(data[:size])
            self.each_reader(cut, str(cut))
        for size in (header, header + 1, header + 40, len(data) - 40, len(data) - 1):
            cut.write_bytes(data[:size])
            with self.subTest(size):
                for argv in ([I386, *self.replay_line(cut)], [REPRISE, "replay", cut]):
                    result = run(*argv)
                    # The guest's own end, if the log still has it.
                    end = (0, b"cut at byte") if size < len(data) // 2 else (GUEST_END, b"end of the recording")
                    self.assertEqual(result.returncode, end[0], result.stderr)
                    self.assertIn(end[1], result.stderr)
                for command in ("verify", "info", "log"):
                    result = run(REPRISE, command, cut)
                    self.assertEqual(result.returncode, 0, result.stderr)

    def test_flipped_bytes(self):
        data = self.log.read_bytes()
        bad = self.tmp / "bad"
        for at in range(0, len(data), max(1, len(data) // 40)):
            flipped = bytearray(data)
            flipped[at] ^= 0x10
            bad.write_bytes(flipped)
            result = run(REPRISE, "verify", bad)
            with self.subTest(at):
                self.assertIn(result.returncode, (0, 1))
                if result.returncode:
                    self.assertSentence(result)

    def test_another_machine(self):
        for change, says in ((["-m", "32"], "-m"), (["-smp", "2"], "-smp"), (["-cpu", "max"], "-cpu"),
                             (["-append", "x"], "-append"), (["-serial", "null"], "-serial"),
                             (["-device", "pvpanic"], "pvpanic"), (["-boot", "c"], "-boot"),
                             (["-rtc", "clock=vm"], "-rtc"),
                             (["-uuid", "00112233-4455-6677-8899-aabbccddeeff"], "-uuid")):
            self.refused(*self.replay_line(self.log), *change, program=I386, says=["another machine", says])
        self.refused(*self.replay_line(self.log), program=X86_64, says=["another machine", "program"])
        shifted = [word.replace("shift=7", "shift=3") for word in self.replay_line(self.log)]
        self.refused(*shifted, program=I386, says=["another machine", "-icount"])

    def test_another_kernel(self):
        other = self.tmp / "kernel"
        data = bytearray(pathlib.Path(GUEST).read_bytes())
        for change, says in ((data + b"\0", "bytes"), (data[:-1] + bytes([data[-1] ^ 1]), "contents differ")):
            other.write_bytes(change)
            line = [other if word == GUEST else word for word in self.replay_line(self.log)]
            self.refused(*line, program=I386, says=[str(other), "kernel", says])
            self.refused("replay", self.log, "--file", f"kernel={other}", program=REPRISE, says=[str(other), says])
        self.refused(*self.replay_line(self.log), "-initrd", other, program=I386,
                     says=["without", "initrd", str(other)])


class Commands(Case):
    def test_command_lines(self):
        for argv, says in ((["rewind"], "'rewind'"), (["info"], "recording"), (["info", "a", "b"], "recording"),
                           (["info", "--flux", "a"], "'--flux'"), (["log"], "recording"),
                           (["log", "a", "--from"], "--from"), (["log", "a", "--from", "here"], "'here'"),
                           (["log", "a", "--to=-1"], "'-1'"), (["log", "a", "--flux"], "'--flux'"),
                           (["log", "a", "--from", "9", "--to", "3"], "--from"),
                           (["log", "a", "b"], "'b'"), (["replay"], "recording"), (["replay", "a", "b"], "'b'"),
                           (["replay", "a", "--flux"], "'--flux'"), (["replay", "a", "--file"], "--file"),
                           (["replay", "a", "--file", "kernel"], "'kernel'"),
                           (["replay", "a", "--file", "flux=x"], "'flux=x'"), (["replay", "a", "--serial"], "--serial"),
                           (["verify"], "recording"), (["verify", "a", "--engine", "steam"], "'steam'"),
                           (["verify", "a", "--engine"], "--engine"), (["verify", "a", "b"], "'b'"),
                           (["verify", "a", "--lockstep", "--every", "0"], "'0'"),
                           (["verify", "a", "--every", "5"], "--lockstep"),
                           (["verify", "a", "--engine", "jit,perturb=x"], "perturb"),
                           (["record"], "-o"), (["record", "-o"], "-o"), (["record", "--flux"], "'--flux'"),
                           (["record", "-o", "x", "-m", "5"], "'-m'"),
                           (["record", "-o", "x", "--arch", "vax", "--"], "'vax'"),
                           (["record", "-o", "x", "--hash", "often", "--"], "'often'"),
                           (["record", "-o", "x", "--", "-flux"], "'-flux'"),
                           (["record", "-o", "x", "--", "-icount", "shift=3,rr=record,rrfile=y"], "rr="),
                           (["record", "-o", "x", "--", "-h"], "help"), (["help", "rewind"], "'rewind'")):
            self.refused(*argv, program=REPRISE, says=says, cwd=self.tmp)
        self.assertEqual(os.listdir(self.tmp), [])

    def test_moved_file(self):
        log, kernel = self.tmp / "log", self.tmp / "kernel"
        shutil.copy(GUEST, kernel)
        line = [kernel if word == GUEST else word for word in MACHINE]
        result = run(REPRISE, "record", "-o", log, "--arch", "i386", "--", *line, "-serial", "stdio", stdin=b"q")
        self.assertEqual(result.returncode, GUEST_END, result.stderr)
        kernel.rename(self.tmp / "moved")
        self.refused("replay", log, program=REPRISE, says=[str(kernel), "--file kernel="])
        self.refused("replay", log, "--file", "initrd=x", program=REPRISE, says="no initrd")
        self.refused("replay", log, "--file", f"kernel={self.tmp / 'moved'}", "--serial", "null", "--serial", "null",
                     program=REPRISE, says="1 serial port")
        self.assertEqual(run(REPRISE, "replay", log, "--file", f"kernel={self.tmp / 'moved'}").returncode, GUEST_END)
