# SPDX-License-Identifier: Apache-2.0
"""A server that is replaced by new processes of its own, and clients that never stop asking."""
import collections
import ctypes
import os
import signal
import socket
import tempfile
import threading
import time

from squall_wire import DEADLINE, Raw, Server, WireError, wait_for

PR_SET_CHILD_SUBREAPER = 36


def adopt_orphans():
    """Processes whose parent has ended become this one's, which can then wait for them."""
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


class Restarting(Server):
    """Every process that it becomes is ended by SIGTERM, and must end with 0."""

    def __init__(self, *options, **more):
        adopt_orphans()
        self.directory = tempfile.TemporaryDirectory()
        self.pid_file = self.path("pid")
        self.generations = []
        super().__init__("--outlive-parent=1", "--restart-on-hangup=1", f"--pid-file={self.pid_file}",
                         *options, **more)
        wait_for(lambda: self.serving() is not None, "the file with its number")
        self.generations.append(self.process.pid)

    def path(self, name):
        return os.path.join(self.directory.name, name)

    def serving(self):
        try:
            with open(self.pid_file, encoding="ascii") as file:
                return int(file.read())
        except (OSError, ValueError):
            return None

    def restart(self):
        """SIGHUP; gives the new process's number when the old one has ended."""
        old = self.generations[-1]
        os.kill(old, signal.SIGHUP)
        new = wait_for(lambda: (pid := self.serving()) and pid != old and pid, "a new process")
        self.generations.append(new)
        self.wait_for_end(old)
        return new

    def wait_for_end(self, pid):
        if pid == self.process.pid:
            code = self.wait_for_exit()
        else:
            code = wait_for(lambda: (done := os.waitpid(pid, os.WNOHANG)) != (0, 0) and [done[1]],
                            f"the end of {pid}")[0]
        if code != 0:
            raise WireError(f"{pid} ended with {code}\n{self.log()}")

    def stop(self):
        last = self.generations[-1]
        os.kill(last, signal.SIGTERM)
        self.wait_for_end(last)
        log = self.log()
        if "Sanitizer" in log or "runtime error:" in log:
            raise WireError(log)

    def kill(self):
        for pid in self.generations[1:]:
            try:
                if os.waitpid(pid, os.WNOHANG) == (0, 0):
                    os.kill(pid, signal.SIGKILL)
                    os.waitpid(pid, 0)
            except OSError:
                pass  # has been waited for
        super().kill()
        self.directory.cleanup()


class Load:
    """Clients of two kinds: each request on a connection of its own, and many on one that is kept.

    A kept connection may be closed while a request is on its way. As HTTP clients do, the request is
    sent again on a new connection when no byte of an answer has come (RFC 9112 section 9.3.1); the
    first request of a connection never is.
    """

    def __init__(self, address, wrap=lambda raw: raw, threads=2):
        self.address = address
        self.wrap = wrap
        self.stopping = threading.Event()
        self.failures = []
        self.answers = collections.Counter()  # by the process that gave them
        self.again = 0
        self.threads = [threading.Thread(target=self.run, args=(kind,))
                        for kind in (self.fresh, self.kept) for _ in range(threads)]

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.stopping.set()
        for thread in self.threads:
            thread.join(DEADLINE * 2)

    def run(self, kind):
        while not self.stopping.is_set():
            try:
                kind()
            except Exception as error:  # pylint: disable=broad-except
                self.failures.append(repr(error))
                time.sleep(0.05)

    def connect(self):
        return self.wrap(Raw(self.address))

    def ask(self, raw, close=False):
        raw.send_request("GET", "/pid", [("Connection", "close")] if close else [])
        answer = raw.read_response()
        if answer.status != 200:
            raise WireError(f"answered {answer}")
        self.answers[int(answer.body)] += 1
        return answer.has_close()

    def fresh(self):
        with self.connect() as raw:
            self.ask(raw, close=True)

    def kept(self):
        with self.connect() as raw:
            first = True
            while not self.stopping.is_set():
                try:
                    if self.ask(raw):
                        return
                except (OSError, AssertionError):
                    if first or raw.buffer:
                        raise
                    self.again += 1
                    return
                first = False

    def wait_for_answers_of(self, pid, count=20):
        wait_for(lambda: self.answers[pid] >= count or self.failures, f"answers of {pid}")


class ServiceManager:
    """Receives what a service tells systemd."""

    def __init__(self):
        self.directory = tempfile.TemporaryDirectory()
        self.path = os.path.join(self.directory.name, "notify")
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(self.path)
        self.socket.settimeout(20)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()
        self.directory.cleanup()

    def next(self):
        return self.socket.recv(4096).decode().split("\n")

    def is_silent(self):
        self.socket.setblocking(False)
        try:
            return not self.socket.recv(4096)
        except BlockingIOError:
            return True
        finally:
            self.socket.settimeout(20)


def is_alive(pid):
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii") as file:
            return file.read().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False

