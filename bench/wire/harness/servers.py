# SPDX-License-Identifier: Apache-2.0
"""The servers: how each is found, started, watched and ended."""

import ctypes
import os
import resource
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent.parent
FLOOR = "floor_epoll"
EVERYTHING = frozenset({"http", "echo", "static", "ws", "deflate", "sse"})
PR_SET_PDEATHSIG = 1
LIBC = ctypes.CDLL(None)


def pin_to(core):
    """What a child does before it runs: one core, all descriptors, and no life after ours."""

    def prepare():
        LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        os.sched_setaffinity(0, {core})
        hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))

    return prepare


def cores():
    """The server's core and the load's."""
    allowed = sorted(os.sched_getaffinity(0))
    if len(allowed) < 2:
        raise SystemExit("two cores are needed: one for the server, one for the load")
    return allowed[0], allowed[1]


def free_port():
    with socket.socket() as probe:
        probe.bind(("", 0))  # some listen on every address
        return probe.getsockname()[1]


def write_static(directory):
    """The file that every server serves; load/requests.hpp expects the same bytes."""
    data = bytes((i * 131 + (i >> 8) * 29) & 0xFF for i in range(100 * 1024))
    (Path(directory) / "100k.bin").write_bytes(data)


@dataclass(frozen=True)
class Server:
    """One row of the table. `command` makes the argument list from (port, static, prefix)."""

    name: str
    missing: str  # why it cannot run; empty when it can
    command: object
    offers: frozenset = EVERYTHING
    extra: bool = False  # runs only when named
    environment: dict = None


def _binary(name, build_dir, file, *options, extra=False, lacks=()):
    path = Path(build_dir) / "bin" / file
    missing = "" if path.is_file() else f"{path} is not built"
    return Server(
        name,
        missing,
        lambda port, static, prefix: [str(path), "--port", str(port), "--static", static,
                                      *options],
        EVERYTHING - set(lacks),
        extra,
    )


def _script(name, program, script, probe, package, offers=EVERYTHING, environment=None):
    """A server that an interpreter runs; `probe` is a program that fails where a module is not."""
    path = shutil.which(program)
    known = {**os.environ, **(environment or {})}
    missing = ""
    if path is None:
        missing = f"{program} is not installed"
    elif subprocess.run([path, *probe], capture_output=True, env=known).returncode != 0:
        missing = f"{package} is not installed"
    return Server(
        name,
        missing,
        lambda port, static, prefix: [path, str(HERE / script), "--port", str(port),
                                      "--static", static],
        offers,
        environment=environment,
    )


def _tornado():
    return _script("tornado", "/usr/bin/python3", "tornado_server.py", ["-c", "import tornado"],
                   "python3-tornado")


def _node():
    return _script("node", "node", "node_server.mjs", ["-e", "require('ws')"], "node-ws",
                   environment={"NODE_PATH": "/usr/share/nodejs"})


def _websockets():
    return _script("websockets", "/usr/bin/python3", "websockets_server.py",
                   ["-c", "import websockets"], "python3-websockets",
                   frozenset({"ws", "deflate"}))


def _nginx():
    path = shutil.which("nginx", path="/usr/sbin:/usr/bin:" + os.environ.get("PATH", ""))

    def command(port, static, prefix):
        text = (HERE / "nginx.conf.in").read_text()
        for name, value in (("PORT", port), ("STATIC", static), ("PREFIX", prefix)):
            text = text.replace(f"@{name}@", str(value))
        conf = Path(prefix) / "nginx.conf"
        conf.write_text(text)
        return [path, "-p", prefix, "-e", "stderr", "-c", str(conf)]

    missing = "" if path else "nginx is not installed"
    return Server("nginx", missing, command, frozenset({"http", "static"}))


def all_servers(build_dir):
    return [
        _binary(FLOOR, build_dir, "bench_floor_epoll", lacks={"deflate"}),
        _binary("floor_uring", build_dir, "bench_floor_uring", extra=True, lacks={"deflate"}),
        _binary("squall", build_dir, "bench_server"),
        _binary("squall_epoll", build_dir, "bench_server", "--engine", "epoll", extra=True),
        _binary("squall_uring", build_dir, "bench_server", "--engine", "uring", extra=True),
        _binary("beast", build_dir, "bench_beast", lacks={"sse"}),
        _nginx(),
        _node(),
        _tornado(),
        _websockets(),
    ]


class Running:
    """A started server; ends with the `with` block."""

    def __init__(self, server, core, static, environment=None):
        self.server = server
        self.port = free_port()
        self._prefix = tempfile.TemporaryDirectory(prefix="squall-bench-")
        self._log = open(Path(self._prefix.name) / "log", "w+b")
        self._process = subprocess.Popen(
            server.command(self.port, static, self._prefix.name),
            stdin=subprocess.DEVNULL,
            stdout=self._log,
            stderr=self._log,
            start_new_session=True,
            preexec_fn=pin_to(core),
            env={**os.environ, **(server.environment or {}), **(environment or {})},
        )
        try:
            self._wait_until_listening()
        except BaseException:
            self.stop()
            raise

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    def _wait_until_listening(self):
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            if not self.is_alive():
                raise RuntimeError(f"{self.server.name} ended at once: {self.log_tail()}")
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                return
            except OSError:
                time.sleep(0.02)
        raise RuntimeError(f"{self.server.name} does not listen after 20 s")

    def is_alive(self):
        return self._process.poll() is None

    def log_tail(self):
        self._log.flush()
        return Path(self._log.name).read_text(errors="replace")[-300:].strip()

    def pids(self):
        """The server's processes: the one started and its descendants."""
        parents = {}
        for entry in os.listdir("/proc"):
            if entry.isdigit():
                try:
                    fields = Path(f"/proc/{entry}/stat").read_text().rpartition(")")[2].split()
                except OSError:
                    continue
                parents.setdefault(int(fields[1]), []).append(int(entry))
        found, queue = [], [self._process.pid]
        while queue:
            pid = queue.pop()
            found.append(pid)
            queue += parents.get(pid, [])
        return found

    def stop(self):
        for number, patience in ((signal.SIGTERM, 2), (signal.SIGKILL, 5)):
            try:
                os.killpg(self._process.pid, number)
            except ProcessLookupError:
                pass
            try:
                self._process.wait(patience)
                break
            except subprocess.TimeoutExpired:
                continue
        self._log.close()
        self._prefix.cleanup()
