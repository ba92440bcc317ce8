# SPDX-License-Identifier: Apache-2.0
"""The processes: a redis-server and the program under test several times, on free ports of this
machine, in a temporary directory. None of them outlives this process."""
import asyncio
import ctypes
import os
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path

PR_SET_PDEATHSIG = 1
LIBC = ctypes.CDLL(None)
START_PATIENCE = 30.0  # seconds


def die_with_parent():
    LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def free_ports(count):
    """Ports that were free a moment ago, below those which the kernel gives to clients."""
    low = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    found = []
    port = 10_000 + os.getpid() * 7 % max(1, low - 12_000)
    while len(found) < count:
        port += 1
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        found.append(port)
    return found


async def end_tasks(tasks):
    """Cancels tasks until they end: asyncio.wait_for() may swallow a cancellation."""
    tasks = [task for task in tasks if task is not None]
    while pending := [task for task in tasks if not task.done()]:
        for task in pending:
            task.cancel()
        await asyncio.wait(pending, timeout=0.5)
    for task in tasks:
        if not task.cancelled():
            task.exception()  # what matters of it was looked at before


class Process:
    """A program that is started, killed, paused, and started again."""

    def __init__(self, name, directory):
        self.name = name
        self.directory = Path(directory)
        self.process = None
        self.paused = False
        self.starts = 0

    def command(self):
        raise NotImplementedError

    def environment(self):
        return None

    async def is_ready(self):
        raise NotImplementedError

    def spawn(self):
        with open(self.directory / f"{self.name}.log", "ab") as log:
            self.process = subprocess.Popen(
                self.command(), stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                preexec_fn=die_with_parent, env={**os.environ, **(self.environment() or {})},
                cwd=self.directory)
        self.starts += 1

    async def start(self):
        self.spawn()
        end = time.monotonic() + START_PATIENCE
        while not await self.is_ready():
            if self.process.poll() is not None:
                raise RuntimeError(f"{self.name} ended with {self.process.returncode}:\n{self.log_tail()}")
            if time.monotonic() > end:
                raise RuntimeError(f"{self.name} is not there after {START_PATIENCE} s\n{self.log_tail()}")
            await asyncio.sleep(0.02)

    def is_alive(self):
        return self.process is not None and self.process.poll() is None

    def pause(self):
        if self.is_alive():
            self.process.send_signal(signal.SIGSTOP)
            self.paused = True

    def go_on(self):
        if self.paused and self.is_alive():
            self.process.send_signal(signal.SIGCONT)
        self.paused = False

    def kill(self):
        if self.is_alive():
            self.process.kill()
            self.process.wait()
        self.paused = False

    async def terminate(self, patience=10.0):
        """SIGTERM, as an administrator does it; returns the exit code."""
        self.go_on()
        if self.is_alive():
            self.process.terminate()
        end = time.monotonic() + patience
        while self.is_alive():
            if time.monotonic() > end:
                raise RuntimeError(f"{self.name} has not ended {patience} s after SIGTERM")
            await asyncio.sleep(0.02)
        return self.process.returncode

    def log_tail(self, size=3000):
        try:
            return (self.directory / f"{self.name}.log").read_text(errors="replace")[-size:]
        except OSError:
            return ""

    def rss_bytes(self):
        try:
            pages = int(Path(f"/proc/{self.process.pid}/statm").read_text().split()[1])
        except (OSError, IndexError, AttributeError):
            return 0
        return pages * os.sysconf("SC_PAGE_SIZE")


async def speaks(port, request, answer):
    """Whether who listens there answers the request so."""
    try:
        reader, writer = await asyncio.wait_for(asyncio.open_connection("127.0.0.1", port), 2)
    except (OSError, asyncio.TimeoutError):
        return False
    try:
        writer.write(request)
        return (await asyncio.wait_for(reader.read(64), 2)).startswith(answer)
    except (OSError, asyncio.TimeoutError):
        return False
    finally:
        writer.close()


class Redis(Process):
    """Keeps what it has in an append-only file, so that a kill loses nothing that it has answered."""

    def __init__(self, directory, port):
        super().__init__("redis", directory)
        self.port = port
        self.data = self.directory / "redis-data"
        self.data.mkdir()

    @property
    def url(self):
        return f"redis://127.0.0.1:{self.port}"

    def command(self):
        return ["redis-server", "--port", str(self.port), "--bind", "127.0.0.1", "--save", "",
                "--appendonly", "yes", "--appendfsync", "no", "--dir", str(self.data),
                "--daemonize", "no"]

    async def is_ready(self):
        return await speaks(self.port, b"PING\r\n", b"+PONG")

    def forget(self):
        """Its data is gone. Only while it does not run."""
        shutil.rmtree(self.data)
        self.data.mkdir()

    def remember(self):
        """A copy of its data as it is now, to go back to. Only while it does not run."""
        copy = self.directory / "redis-copy"
        shutil.rmtree(copy, ignore_errors=True)
        shutil.copytree(self.data, copy)

    def go_back(self):
        """Its data is what it was when remember() was called. Only while it does not run."""
        copy = self.directory / "redis-copy"
        if not copy.exists():
            return False
        shutil.rmtree(self.data)
        shutil.copytree(copy, self.data)
        return True


class Server(Process):
    """The program under test."""

    def __init__(self, number, directory, program, port, redis_url, durable):
        super().__init__(f"server{number}", directory)
        self.program = os.path.abspath(program)
        self.port = port
        self.redis_url = redis_url
        self.durable = durable

    @property
    def address(self):
        return f"127.0.0.1:{self.port}"

    def command(self):
        return [self.program, "--port", str(self.port), "--redis", self.redis_url,
                *(["--durable"] if self.durable else [])]

    async def is_ready(self):
        return await speaks(self.port, b"GET /ready HTTP/1.0\r\n\r\n", b"HTTP/1.1 200")


class Cluster:
    def __init__(self, directory, program, server_count, durable):
        ports = free_ports(1 + server_count)
        self.durable = durable  # the broker is said to lose nothing, and so it does not
        self.redis = Redis(directory, ports[0])
        self.servers = [Server(i, directory, program, port, self.redis.url, durable)
                        for i, port in enumerate(ports[1:])]

    async def start(self):
        await self.redis.start()
        await asyncio.gather(*(server.start() for server in self.servers))

    def stop(self):
        for process in (*self.servers, self.redis):
            process.kill()
