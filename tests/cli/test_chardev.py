# SPDX-License-Identifier: GPL-2.0-or-later
"""Character devices: what the guest sends comes out, what one types goes in, and the terminal is given back."""
import fcntl
import os
import signal
import socket
import termios
import time
import tty

from cli import Case, FAREWELL, GUEST_END, I386, PATIENCE, MACHINE, Process, REPRISE, run, wait_until

SECOND_PORT = ["-serial", "null", "-serial"]


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as s:
        return s.getsockname()[1]


def connect(make):
    """Connects as soon as somebody listens."""
    def attempt():
        s = make()
        try:
            s.settimeout(10)
            s.connect(s.address)
            return s
        except (ConnectionRefusedError, FileNotFoundError):
            s.close()
    return wait_until(attempt, "listener")


class Peer(socket.socket):
    def __init__(self, address):
        super().__init__(socket.AF_UNIX if isinstance(address, str) else socket.AF_INET)
        self.address = address


def receive(s, n):
    data = b""
    while len(data) < n and (more := s.recv(n - len(data))):
        data += more
    return data


class Terminal(Case):
    def start(self, *options):
        p = self.enterContext(Process(I386, *MACHINE, *(options or ["-serial", "mon:stdio"]), terminal=True))
        p.wait_until_raw()
        return p

    def test_typing(self):
        for options in (["-serial", "stdio"], ["-serial", "mon:stdio"], ["-nographic"],
                        ["-chardev", "stdio,id=s,mux=on", "-serial", "chardev:s"],
                        ["-chardev", "stdio,id=s", "-device", "isa-serial,chardev=s"]):
            with self.subTest(options):
                p = self.start(*options)
                p.type(b"hello\r")
                p.expect(b"hello\r")
                p.type(b"\x03\x1a\x1c")     # what would raise signals otherwise
                p.expect(b"\x03\x1a\x1c")
                p.type(b"q")
                self.assertEqual(p.finish(), GUEST_END)
                self.assertEqual(p.mode(), p.mode_before)

    def test_keys(self):
        p = self.start()
        p.type(b"\x01h")
        p.expect_error("Ctrl-A x")
        p.type(b"\x01\x01")
        p.expect(b"\x01")
        p.type(b"\x01b")
        p.expect(b"<break>")
        p.type(b"\x01z!")                   # no command: both keys go nowhere
        p.expect(b"!")
        self.assertNotIn(b"z", p.output)
        before = p.output
        p.type(b"\x01x")
        self.assertEqual(p.finish(), 0)
        self.assertEqual(p.output, before)
        self.assertEqual(p.mode(), p.mode_before)

    def test_split_command(self):
        p = self.start()
        p.type(b"a\x01")
        p.expect(b"a")
        p.type(b"x")
        self.assertEqual(p.finish(), 0)

    def test_given_back_whatever_happens(self):
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGQUIT, signal.SIGABRT, signal.SIGSEGV,
                       signal.SIGBUS, signal.SIGFPE, signal.SIGILL):
            with self.subTest(number.name):
                p = self.start("-serial", "stdio")
                p.type(b"hello")
                p.expect(b"hello")
                p.process.send_signal(number)
                status = p.finish()
                self.assertEqual(p.mode(), p.mode_before)
                if number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
                    self.assertEqual(status, 0)
                    self.assertIn(f"signal {int(number)} at position", p.stderr())
                else:
                    self.assertEqual(status, -number)

    def test_given_back_after_a_failed_start(self):
        with Process(I386, "-kernel", "/bin/true", "-serial", "stdio", terminal=True) as p:
            self.assertEqual(p.finish(), 1)
            self.assertEqual(p.mode(), p.mode_before)

    def test_job_control(self):
        """A stopped emulator has given the terminal back; continued, it takes it again."""
        p = self.start()
        p.process.send_signal(signal.SIGTSTP)
        wait_until(lambda: os.waitid(os.P_PID, p.process.pid, os.WSTOPPED | os.WNOHANG | os.WNOWAIT), "stop")
        self.assertEqual(p.mode(), p.mode_before)
        p.process.send_signal(signal.SIGCONT)
        p.wait_until_raw()
        p.type(b"bq")
        self.assertEqual(p.finish(), GUEST_END)
        self.assertIn(b"b", p.output)

    def test_signals_on_request(self):
        with Process(I386, *MACHINE, "-chardev", "stdio,id=s,signal=on", "-serial", "chardev:s", terminal=True) as p:
            wait_until(lambda: not p.mode()[tty.LFLAG] & termios.ECHO, "raw mode")
            self.assertTrue(p.mode()[tty.LFLAG] & termios.ISIG)

    def test_end_of_input_is_not_the_end(self):
        with Process(I386, *MACHINE, "-serial", "stdio") as p:
            p.type(b"a")
            p.expect(b"a")
            p.process.stdin.close()
            time.sleep(0.1)
            self.assertIsNone(p.process.poll())
            p.process.terminate()
            self.assertEqual(p.finish(), 0)


class Replay(Case):
    """In replay a back end shows output and ignores input."""

    def record(self):
        log = self.tmp / "log"
        with Process(I386, *MACHINE, "-serial", "stdio", "-icount", f"shift=7,rr=record,rrfile={log}") as p:
            for word in (b"one ", b"two ", b"three"):
                p.type(word)
                p.expect(word)
            p.type(b"q")
            self.assertEqual(p.finish(), GUEST_END)
        return log, p.output

    def test_typing_is_ignored(self):
        log, output = self.record()
        line = [I386, *MACHINE, "-icount", f"shift=7,rr=replay,rrfile={log}", "-serial"]
        for argv in ([*line, "stdio"], [REPRISE, "replay", log]):
            again = run(*argv, stdin=b"qqqqqqqqqq and more\n")
            self.assertEqual(again.stdout, output, argv)
            self.assertEqual(again.returncode, GUEST_END)
            self.assertIn(b"agrees", again.stderr)
        console = self.tmp / "console"
        self.assertEqual(run(*line, f"file:{console}").returncode, GUEST_END)
        self.assertEqual(console.read_bytes(), output)

    def test_break_replays(self):
        log = self.tmp / "log"
        with Process(I386, *MACHINE, "-serial", "mon:stdio", "-icount", f"shift=7,rr=record,rrfile={log}") as p:
            p.type(b"\x01b")
            p.expect(b"<break>")
            p.type(b"q")
            self.assertEqual(p.finish(), GUEST_END)
        self.assertEqual(run(REPRISE, "replay", log).stdout, p.output)

    def test_ctrl_a_x(self):
        log, _ = self.record()
        with Process(REPRISE, "replay", log, terminal=True) as p:
            p.type(b"\x01x")
            self.assertIn(p.finish(), (0, GUEST_END))    # quick as it is, it may have ended by itself


class Sockets(Case):
    def addresses(self):
        path = str(self.tmp / "socket")
        yield ("127.0.0.1", port := free_port()), f"tcp:127.0.0.1:{port}"
        yield path, f"unix:{path}"

    def test_server(self):
        """Clients may come and go; what nobody receives is dropped."""
        for address, text in self.addresses():
            for suffix in ("server=on,wait=off", "server,nowait"):
                with self.subTest(text), Process(I386, *MACHINE, "-serial", f"{text},{suffix}") as p:
                    for word in (b"first", b"second"):
                        with connect(lambda: Peer(address)) as s:
                            s.sendall(word)
                            self.assertEqual(receive(s, len(word)), word)
                    with connect(lambda: Peer(address)) as s:
                        s.sendall(b"q")
                        self.assertEqual(p.finish(), GUEST_END)
                        self.assertEqual(receive(s, 100), b"q" + FAREWELL)
        self.assertEqual(os.listdir(self.tmp), [])

    def test_server_waits(self):
        for address, text in self.addresses():
            log = self.tmp / "log"
            with self.subTest(text), Process(I386, *MACHINE, "-serial", f"{text},server=on",
                                             "-icount", f"shift=7,rr=record,rrfile={log}") as p:
                p.expect_error("waiting for a connection")
                with connect(lambda: Peer(address)) as s:
                    s.sendall(b"hi")
                    self.assertEqual(receive(s, 2), b"hi")
                    s.sendall(b"q")
                    self.assertEqual(p.finish(), GUEST_END)
            self.assertEqual(run(REPRISE, "replay", log).stdout, b"hiq" + FAREWELL)

    def test_nobody_connects(self):
        for _, text in self.addresses():
            log = self.tmp / "log"
            with self.subTest(text), Process(I386, *MACHINE, "-serial", f"{text},server=on",
                                             "-icount", f"shift=7,rr=record,rrfile={log}") as p:
                p.expect_error("waiting for a connection")
                p.process.terminate()
                self.assertEqual(p.finish(), 1)
        self.assertEqual(os.listdir(self.tmp), [])

    def test_client(self):
        for address, text in self.addresses():
            family = socket.AF_UNIX if isinstance(address, str) else socket.AF_INET
            with self.subTest(text), socket.create_server(address, family=family) as server, \
                    Process(I386, *MACHINE, "-chardev", self.backend(address), "-serial", "chardev:s") as p:
                server.settimeout(10)
                s = server.accept()[0]
                with s:
                    s.settimeout(10)
                    s.sendall(b"hi")
                    self.assertEqual(receive(s, 2), b"hi")
                    s.sendall(b"q")
                    self.assertEqual(p.finish(), GUEST_END)

    def backend(self, address, more=""):
        where = f"path={address}" if isinstance(address, str) else f"host={address[0]},port={address[1]}"
        return f"socket,id=s,{where}{more}"

    def test_client_without_server(self):
        for address, _ in self.addresses():
            self.refused(*MACHINE, "-chardev", self.backend(address), "-serial", "chardev:s", says="cannot connect")

    def test_client_reconnects(self):
        """A server that is not there yet, and one that goes and comes again."""
        for address, text in self.addresses():
            family = socket.AF_UNIX if isinstance(address, str) else socket.AF_INET
            with self.subTest(text), Process(I386, *MACHINE, "-chardev", self.backend(address, ",reconnect=1"),
                                             "-serial", "chardev:s") as p:
                for word in (b"first", b"second"):
                    if isinstance(address, str) and os.path.exists(address):
                        os.unlink(address)
                    with socket.create_server(address, family=family) as server:
                        server.settimeout(10)
                        with server.accept()[0] as s:
                            s.settimeout(10)
                            s.sendall(word)
                            self.assertEqual(receive(s, len(word)), word)
                            if word == b"second":
                                s.sendall(b"q")
                self.assertEqual(p.finish(), GUEST_END)

    def test_stale_socket(self):
        """A dead server's socket is replaced; a live one's, or a file, is not."""
        path = str(self.tmp / "socket")
        with socket.socket(socket.AF_UNIX) as dead:
            dead.bind(path)
        serial = ["-serial", f"unix:{path},server=on,wait=off"]
        with Process(I386, *MACHINE, *serial) as p:
            with connect(lambda: Peer(path)) as s:
                s.sendall(b"a")
                self.assertEqual(receive(s, 1), b"a")
                self.refused(*MACHINE, *serial, says=[path, "in use"])
                s.sendall(b"q")
                self.assertEqual(p.finish(), GUEST_END)
        with open(path, "w") as f:
            f.write("precious")
        self.refused(*MACHINE, *serial, says=[path, "in use"])
        with open(path) as f:
            self.assertEqual(f.read(), "precious")

    def test_port_in_use(self):
        with socket.create_server(("127.0.0.1", 0)) as s:
            port = s.getsockname()[1]
            self.refused(*MACHINE, "-serial", f"tcp:127.0.0.1:{port},server=on,wait=off", says=[str(port), "in use"])


class Others(Case):
    def test_file(self):
        console = self.tmp / "console"
        with_input = ["-serial", "stdio"]
        for content, how, expected in (("old", "", ""), ("old", ",append=on", "old")):
            console.write_text(content)
            result = run(I386, *MACHINE, *with_input, "-chardev", f"file,id=f,path={console}{how}",
                         "-serial", "chardev:f", stdin=b"q")
            self.assertEqual(result.returncode, GUEST_END, result.stderr)
            self.assertEqual(console.read_text(), expected)

    def test_commas_in_names(self):
        console = self.tmp / "a,b"
        doubled = str(console).replace(",", ",,")
        result = run(I386, *MACHINE, "-serial", "stdio", "-chardev", f"file,id=f,path={doubled}",
                     "-serial", "chardev:f", stdin=b"q")
        self.assertEqual(result.returncode, GUEST_END, result.stderr)
        self.assertTrue(console.exists())

    def test_pty(self):
        with Process(I386, *MACHINE, "-serial", "pty") as p:
            name = p.expect_error(r"redirected to (\S+) \(label serial0\)")[1]
            for word in (b"first", b"second"):      # a terminal program may come and go
                fd = os.open(name, os.O_RDWR | os.O_NOCTTY)
                os.write(fd, word)
                got = b""
                while got != word:
                    got += os.read(fd, 100)
                os.close(fd)
            fd = os.open(name, os.O_RDWR | os.O_NOCTTY)
            os.write(fd, b"q")
            self.assertEqual(p.finish(), GUEST_END)
            os.close(fd)

    def test_pipe(self):
        path = str(self.tmp / "pipe")
        for names in ([path + ".in", path + ".out"],):
            for name in names:
                os.mkfifo(name)
            with Process(I386, *MACHINE, "-serial", f"pipe:{path}") as p:
                with open(path + ".in", "wb", buffering=0) as to, open(path + ".out", "rb", buffering=0) as out:
                    to.write(b"hello")
                    got = b""
                    while got != b"hello":
                        got += out.read(100)
                    to.write(b"q")
                    self.assertEqual(p.finish(), GUEST_END)
                    self.assertEqual(out.read(100), b"q" + FAREWELL)

    def test_one_pipe(self):
        path = str(self.tmp / "pipe")
        os.mkfifo(path)
        with Process(I386, *MACHINE, "-serial", f"pipe:{path}") as p:
            with open(path, "wb", buffering=0) as to:
                to.write(b"q")
                self.assertEqual(p.finish(), GUEST_END)

    def test_null_and_none(self):
        for device in ("null", "none"):
            with Process(I386, *MACHINE, "-serial", device) as p:
                time.sleep(0.1)
                p.process.terminate()
                self.assertEqual(p.finish(), 0)
                self.assertEqual(p.output, b"")

    def test_several_ports(self):
        """The second port's input does not reach the first."""
        log = self.tmp / "log"
        with Process(I386, *MACHINE, "-serial", "stdio", "-serial", "pty", "-serial", "null", "-serial", "none",
                     "-icount", f"shift=7,rr=record,rrfile={log}") as p:
            name = p.expect_error(r"redirected to (\S+) \(label serial1\)")[1]
            fd = os.open(name, os.O_RDWR | os.O_NOCTTY)
            os.write(fd, b"q")
            p.type(b"hello")
            p.expect(b"hello")
            self.assertIsNone(p.process.poll())
            p.type(b"q")
            self.assertEqual(p.finish(), GUEST_END)
            os.close(fd)
        self.assertEqual(run(REPRISE, "replay", log).stdout, p.output)

    def small_pipe(self, p):
        fcntl.fcntl(p.fd, fcntl.F_SETPIPE_SZ, 8192)     # two pages: with one, each byte would wait for us

    def test_no_reader(self):
        """A reader that does not read stops the guest, but not the user."""
        with Process(I386, *MACHINE, "-serial", "stdio") as p:
            self.small_pipe(p)
            p.type(b"x" * 20000)
            time.sleep(0.2)
            p.process.terminate()
            self.assertEqual(p.process.wait(PATIENCE), 0)

    def test_slow_reader(self):
        """A slow reader loses nothing."""
        with Process(I386, *MACHINE, "-serial", "stdio") as p:
            self.small_pipe(p)
            p.type(b"x" * 20000)
            p.expect(b"x" * 4096)
            p.type(b"q")
            self.assertEqual(p.finish(), GUEST_END)
            self.assertEqual(p.output, b"x" * 20000 + b"q" + FAREWELL)
