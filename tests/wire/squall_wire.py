# SPDX-License-Identifier: Apache-2.0
"""What the wire tests share: a server process, raw sockets with deadlines, a strict response parser.

Every wait has a deadline and ends as soon as its condition holds. The program under test comes from
SQUALL_WIRE_SERVER, its engine from SQUALL_ENGINE; both are set by CTest.
"""
import json
import os
import random
import re
import resource
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import unittest

SERVER = os.environ.get("SQUALL_WIRE_SERVER", "/tmp/build-wire/bin/squall_wire_server")
EXAMPLES = os.environ.get("SQUALL_EXAMPLES", "")  # the directory they are in
# A library that makes the server's system calls misbehave; see tests/fault.
FAULTS = {"LD_PRELOAD": os.environ["SQUALL_WIRE_FAULTS"]} if "SQUALL_WIRE_FAULTS" in os.environ else {}
assert not FAULTS or os.path.exists(FAULTS["LD_PRELOAD"]), FAULTS
DEADLINE = 20.0  # seconds: long past any honest wait; only a hang comes near it
TOKEN = re.compile(rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+\Z")
STATUS_LINE = re.compile(rb"HTTP/1\.1 ([1-5][0-9][0-9]) ([\t\x20-\x7e\x80-\xff]*)\Z")


class WireError(AssertionError):
    """The server said something that is not HTTP, or nothing at all."""


def free_port():
    """A port that may be bound on all interfaces. It is below those that the kernel gives to clients,
    where another test's connection may take it before it is bound."""
    with open("/proc/sys/net/ipv4/ip_local_port_range", encoding="ascii") as file:
        low = int(file.read().split()[0])
    while True:
        port = random.SystemRandom().randrange(10_000, max(low, 12_000))
        with socket.socket(socket.AF_INET6) as probe:
            probe.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
            try:
                probe.bind(("::", port))
                return port
            except OSError:
                pass


def wait_for(condition, what, deadline=DEADLINE):
    """Polls until `condition()` is true, and returns what it gave."""
    end = time.monotonic() + deadline
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise WireError(f"waited {deadline} s in vain for {what}")
        time.sleep(0.01)


class Server:
    """One server process; a context manager. `stop()` wants a clean exit."""

    def __init__(self, *options, nofile=None, env=None, program=SERVER, pass_fds=()):
        self.options = options
        self.log_file = tempfile.TemporaryFile()

        def limit():
            if nofile:
                resource.setrlimit(resource.RLIMIT_NOFILE, (nofile, nofile))

        self.process = subprocess.Popen(
            [program, "--access-log=0", *options], stdout=subprocess.PIPE, stderr=self.log_file,
            stdin=subprocess.DEVNULL, env={**os.environ, **FAULTS, **(env or {})}, preexec_fn=limit,
            pass_fds=pass_fds)
        self.port = None
        try:
            self.port = self._read_port()
        except BaseException:
            self.kill()
            raise

    def _read_port(self):
        guard = threading.Timer(DEADLINE, self.process.kill)
        guard.start()
        try:
            line = self.process.stdout.readline().decode()
        finally:
            guard.cancel()
        match = re.search(r"(?:listening on |http://localhost:)(\d+)$", line.strip())
        if not match:
            raise WireError(f"the server did not start: {line!r}\n{self.log()}")
        return int(match[1])

    @property
    def address(self):
        return ("127.0.0.1", self.port)

    def url(self, path="/", scheme="http"):
        return f"{scheme}://127.0.0.1:{self.port}{path}"

    def log(self):
        descriptor = self.log_file.fileno()  # shared with the server: its offset must stay
        return os.pread(descriptor, os.fstat(descriptor).st_size, 0).decode(errors="replace")

    def wait_for_log(self, text, deadline=DEADLINE):
        wait_for(lambda: text in self.log(), f"{text!r} in the log, which is\n{self.log()}", deadline)

    def connect(self, **options):
        return Raw(self.address, **options)

    def get(self, path, method="GET"):
        """One request on a connection of its own."""
        with self.connect() as raw:
            raw.send_request(method, path)
            return raw.read_response(head=method == "HEAD")

    def counters(self):
        return json.loads(self.get("/counters").body)

    def counter(self, name):
        return self.counters().get(name, 0)

    def wait_for_counter(self, name, value=1, deadline=DEADLINE):
        wait_for(lambda: self.counter(name) == value,
                 f"counter {name} to be {value}; it is {self.counter(name)}", deadline)

    def is_sanitized(self):
        return bool(self.get("/sanitizer").body)

    def resident_mib(self):
        with open(f"/proc/{self.process.pid}/status", encoding="ascii") as file:
            return int(re.search(r"^VmRSS:\s+(\d+) kB", file.read(), re.M)[1]) / 1024

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))

    def signal(self, number=signal.SIGTERM):
        self.process.send_signal(number)

    def wait_for_exit(self, deadline=DEADLINE):
        try:
            return self.process.wait(deadline)
        except subprocess.TimeoutExpired:
            raise WireError(f"the server did not exit in {deadline} s\n{self.log()}") from None

    def stop(self):
        """Ends it as an administrator would; an exit that is not clean is a failure."""
        if self.process.poll() is None:
            self.signal()
        code = self.wait_for_exit()
        log = self.log()
        if code != 0 or "Sanitizer" in log or "runtime error:" in log:
            raise WireError(f"the server exited with {code}\n{log}")

    def kill(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self.process.stdout.close()
        self.log_file.close()

    def __enter__(self):
        return self

    def __exit__(self, kind, error, trace):
        try:
            if kind is None:
                self.stop()
            elif self.process.poll() is not None:
                print(f"the server is gone: {self.process.returncode}\n{self.log()}", file=sys.stderr)
        finally:
            self.kill()


class Example(Server):
    """A server that is one of the examples, on a free port: `port` says how it is told of that."""

    def __init__(self, name, *arguments, port=("0",)):
        self.options, self.port = (), None
        self.log_file = tempfile.TemporaryFile()
        self.process = subprocess.Popen(
            [os.path.join(EXAMPLES, name), *port, *arguments], stdout=subprocess.PIPE,
            stderr=self.log_file, stdin=subprocess.DEVNULL)
        try:
            self.port = self._read_port()
        except BaseException:
            self.kill()
            raise

    def is_sanitized(self):
        with open(f"/proc/{self.process.pid}/status", encoding="ascii") as file:
            size_kb = int(re.search(r"^VmSize:\s+(\d+) kB", file.read(), re.M)[1])
        return size_kb > 1 << 30  # a terabyte is reserved for nothing but shadows


class Curl:
    """curl as somebody's browser: with a jar for cookies, and forms with the token of their page."""

    def __init__(self, server, folder, name="jar"):
        self.server = server  # may be another one later
        self.jar = os.path.join(folder, name)

    def ask(self, path, *arguments):
        """Status, page, and where it leads."""
        told = subprocess.run(
            ["curl", "-sS", "--noproxy", "*", "--max-time", str(int(DEADLINE)), "-b", self.jar,
             "-c", self.jar, "-w", "\n%{http_code} %{redirect_url}", *arguments, self.server.url(path)],
            capture_output=True, check=True).stdout.decode()
        page, _, last = told.rpartition("\n")
        status, _, location = last.partition(" ")
        return int(status), page, location.removeprefix(self.server.url(""))

    def send(self, path, form_page, **fields):
        """Fills in a form whose token is on `form_page`."""
        token = re.search(r'name="_xsrf" value="([^"]+)"', self.ask(form_page)[1])[1]
        data = [x for name, value in {"_xsrf": token, **fields}.items()
                for x in ("--data-urlencode", f"{name}={value}")]
        return self.ask(path, *data)


def run_to_end(*options, env=None):
    """Starts a server that is expected to refuse; gives its exit status and what it complained of."""
    done = subprocess.run([SERVER, *options], capture_output=True, text=True, timeout=DEADLINE,
                          env={**os.environ, **(env or {})}, check=False)
    return done.returncode, done.stderr


class Response:
    def __init__(self, status, reason, headers, body=b""):
        self.status = status
        self.reason = reason
        self.headers = headers  # (name, value) as sent
        self.body = body
        self.is_chunked = False
        self.chunks = []

    def all(self, name):
        return [value for key, value in self.headers if key.lower() == name.lower()]

    def get(self, name, default=None):
        values = self.all(name)
        return values[0] if values else default

    def has_close(self):
        return self.get("Connection", "").lower() == "close"

    def json(self):
        return json.loads(self.body)

    def __repr__(self):
        return f"<{self.status} {self.reason} {self.headers} {self.body[:200]!r}>"


class Raw:
    """A TCP connection that is read by a parser of our own, which forgives nothing."""

    def __init__(self, address, receive_buffer=None, source=None, deadline=DEADLINE):
        family = socket.AF_INET if isinstance(address, tuple) else socket.AF_UNIX
        self.socket = socket.socket(family, socket.SOCK_STREAM)
        if family == socket.AF_INET:
            self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if receive_buffer:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.deadline = deadline
        self.socket.settimeout(deadline)
        try:
            if source:
                self.socket.bind((source, 0))
            self.socket.connect(address)
        except BaseException:
            self.socket.close()
            raise
        self.buffer = b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.socket.close()

    def reset(self):
        """Leaves with RST, as a killed client behind a router does."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        self.socket.close()

    def half_close(self):
        self.socket.shutdown(socket.SHUT_WR)

    def send(self, data):
        self.socket.sendall(data)

    def send_request(self, method, path, headers=(), body=None, version="HTTP/1.1"):
        lines = [f"{method} {path} {version}", "Host: wire.example"]
        lines += [f"{name}: {value}" for name, value in headers]
        if body is not None:
            lines.append(f"Content-Length: {len(body)}")
        self.send("\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + (body or b""))

    def receive_some(self):
        try:
            return self.socket.recv(1 << 16)
        except socket.timeout:
            raise WireError(f"nothing came in {self.deadline} s; so far {self.buffer[:500]!r}") from None

    def receive(self):
        """More bytes into the buffer; False at the end of the stream."""
        more = self.receive_some()
        self.buffer += more
        return bool(more)

    def take(self, count):
        # Joined once: a buffer that grows by pieces is copied for each of them, and a test that
        # takes megabytes against a deadline would measure that.
        pieces, size = [self.buffer], len(self.buffer)
        while size < count:
            more = self.receive_some()
            if not more:
                raise WireError(f"the stream ended with {size} of {count} bytes: "
                                f"{b''.join(pieces)[:500]!r}")
            pieces.append(more)
            size += len(more)
        buffer = b"".join(pieces)
        taken, self.buffer = buffer[:count], buffer[count:]
        return taken

    def take_until(self, mark):
        while mark not in self.buffer:
            if not self.receive():
                raise WireError(f"the stream ended before {mark!r}: {self.buffer[:500]!r}")
        taken, self.buffer = self.buffer.split(mark, 1)
        return taken

    def read_head(self):
        lines = self.take_until(b"\r\n\r\n").split(b"\r\n")
        match = STATUS_LINE.match(lines[0])
        if not match:
            raise WireError(f"not a status line: {lines[0]!r}")
        headers = []
        for line in lines[1:]:
            name, colon, value = line.partition(b":")
            if not colon or not TOKEN.match(name) or re.search(rb"[\x00-\x08\x0a-\x1f\x7f]", value):
                raise WireError(f"not a field line: {line!r}")
            headers.append((name.decode(), value.strip(b" \t").decode("latin-1")))
        response = Response(int(match[1]), match[2].decode("latin-1"), headers)
        for once in ("Content-Length", "Transfer-Encoding", "Date", "Server", "Connection"):
            if len(response.all(once)) > 1:
                raise WireError(f"{once} stands twice in {response}")
        if response.get("Content-Length") and response.get("Transfer-Encoding"):
            raise WireError(f"two lengths in {response}")
        return response

    def read_response(self, head=False, version="HTTP/1.1"):
        """A whole final response. An interim one is left to read_head()."""
        response = self.read_head()
        length = response.get("Content-Length")
        coding = response.get("Transfer-Encoding")
        bodiless = response.status < 200 or response.status in (204, 304)
        if bodiless and (coding or (length and response.status != 304)):
            raise WireError(f"a body is announced that cannot be: {response}")
        if head or bodiless:
            return response
        if coding:
            if coding != "chunked" or version != "HTTP/1.1":
                raise WireError(f"{coding} towards {version}")
            response.is_chunked = True
            response.chunks = list(self.read_chunks())
            response.body = b"".join(response.chunks)
        elif length is not None:
            if not re.match(r"\d+\Z", length):
                raise WireError(f"Content-Length: {length}")
            response.body = self.take(int(length))
        else:
            if not response.has_close():
                raise WireError(f"no length, and not closed: {response}")
            response.body = self.read_to_end()
        return response

    def read_chunks(self):
        while True:
            size = self.take_until(b"\r\n")
            if not re.match(rb"[0-9a-f]+\Z", size):
                raise WireError(f"not a chunk size: {size!r}")
            data = self.take(int(size, 16))
            if self.take(2) != b"\r\n":
                raise WireError("no CRLF after a chunk")
            if not data:
                return
            yield data

    def read_to_end(self):
        while self.receive():
            pass
        taken, self.buffer = self.buffer, b""
        return taken

    def expect_closed(self):
        """Nothing more comes and the server ends the stream; a reset counts as an end."""
        try:
            rest = self.read_to_end()
        except ConnectionResetError:
            rest = self.buffer
        if rest:
            raise WireError(f"more came: {rest[:500]!r}")

    def expect_broken(self):
        """The stream ends by a reset, or ends short of what was announced; gives what came."""
        try:
            while self.receive():
                pass
        except ConnectionResetError:
            pass
        return self.buffer


class WireTest(unittest.TestCase):
    """A class of tests with one server, of which all must be well at the end."""

    OPTIONS = ()
    server = None

    @classmethod
    def setUpClass(cls):
        cls.server = Server(*cls.OPTIONS)

    @classmethod
    def tearDownClass(cls):
        server, cls.server = cls.server, None
        try:
            server.stop()
        finally:
            server.kill()

    def setUp(self):
        if self.server and self.server.process.poll() is not None:
            self.fail(f"the server is gone: {self.server.process.returncode}\n{self.server.log()}")

    def assert_healthy(self):
        response = self.server.get("/hello")
        self.assertEqual((response.status, response.body), (200, b"hello"))


def main():
    unittest.main(verbosity=2 if os.environ.get("SQUALL_WIRE_VERBOSE") else 1)
