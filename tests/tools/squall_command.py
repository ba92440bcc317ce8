# SPDX-License-Identifier: Apache-2.0
"""What the tests of the `squall` command share: projects in temporary folders, and the command as a
process whose terminal is kept."""
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "wire"))

from squall_wire import DEADLINE, Raw, WireError, wait_for  # noqa: E402

COMMAND = os.environ["SQUALL_COMMAND"]
PROGRAM = os.environ["SQUALL_RELOAD_PROGRAM"]

# A source that a real compiler reads in no time; its program writes what the server will answer.
BUILD = "g++ -O0 -o maker answer.cpp && ./maker > answer.new && mv answer.new answer"
SOURCE = """extern "C" int puts(const char*);
int main() { return puts("%s") < 0; }
"""


class Project:
    """A folder with a source; a context manager."""

    def __init__(self):
        self.folder = tempfile.mkdtemp(prefix="squall-tools-")

    def path(self, name):
        return os.path.join(self.folder, name)

    def write(self, name, text):
        os.makedirs(os.path.dirname(self.path(name)), exist_ok=True)
        with open(self.path(name), "w", encoding="utf-8") as file:
            file.write(text)

    def answer(self, text):
        self.write("answer.cpp", SOURCE % text)

    def break_source(self):
        self.write("answer.cpp", 'int main() { return "<b>"; }\n')

    def __enter__(self):
        return self

    def __exit__(self, *_):
        shutil.rmtree(self.folder, ignore_errors=True)


def processes_with(variable):
    """The numbers of the processes in whose environment that stands."""
    found = []
    for name in os.listdir("/proc"):
        if not name.isdigit():
            continue
        try:
            with open(f"/proc/{name}/environ", "rb") as file:
                if variable.encode() in file.read().split(b"\0"):
                    found.append(int(name))
        except OSError:
            pass
    return found


class Squall:
    """A `squall` process in a folder. All that it starts has a variable by which it is found."""

    count = 0

    def __init__(self, folder, *arguments):
        Squall.count += 1
        self.mark = f"SQUALL_TOOLS_TEST={os.getpid()}.{Squall.count}"
        name, value = self.mark.split("=")
        self.process = subprocess.Popen(
            [COMMAND, *arguments], cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, env={**os.environ, name: value})
        self.said = b""
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def _read(self):
        while piece := os.read(self.process.stdout.fileno(), 1 << 16):
            self.said += piece

    def terminal(self):
        return self.said.decode(errors="replace")

    def wait_for_terminal(self, text, count=1):
        wait_for(lambda: self.terminal().count(text) >= count,
                 f"{text!r} in the terminal, which is\n{self.terminal()}")

    def wait_until_nothing_is_left(self):
        wait_for(lambda: not processes_with(self.mark), "the end of all processes")

    def stop(self, number=signal.SIGTERM):
        """As a user ends it; gives the exit code."""
        self.process.send_signal(number)
        code = self.process.wait(DEADLINE)
        self.wait_until_nothing_is_left()
        return code

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        if kind is not None:
            print(f"the terminal:\n{self.terminal()}", file=sys.stderr)
        for number in processes_with(self.mark):
            try:
                os.kill(number, signal.SIGKILL)
            except ProcessLookupError:
                pass
        self.process.wait()
        self.reader.join(DEADLINE)
        self.process.stdout.close()


def fetch(port, path="/", headers=()):
    with Raw(("127.0.0.1", port)) as raw:
        raw.send_request("GET", path, [*headers, ("Connection", "close")])
        return raw.read_response()


def answers(port, path="/api"):
    """The body, or None while nobody listens."""
    try:
        return fetch(port, path).body.decode().strip()
    except (ConnectionError, WireError):
        return None
