# SPDX-License-Identifier: Apache-2.0
"""Listening sockets that the process is started with, by systemd-socket-activate and by ourselves."""
import os
import shutil
import socket
import subprocess
import tempfile
import unittest

import squall_wire
from restarting import Load, Restarting
from squall_wire import Raw, Server, free_port, main, wait_for

ACTIVATE = shutil.which("systemd-socket-activate")


def try_connect(address):
    try:
        return Raw(address)
    except OSError:
        return None


class Activated(Restarting):
    """The server behind systemd-socket-activate, which starts it when the first client comes."""

    def __init__(self, listen, *options, address, name=None):
        self.first_address = address
        self.directory = tempfile.TemporaryDirectory()
        script = os.path.join(self.directory.name, "start")
        fdname = f"--fdname={name}" if name else ""
        with open(script, "w", encoding="ascii") as file:
            file.write("#!/bin/bash\nexec systemd-socket-activate -E SQUALL_ENGINE -E ASAN_OPTIONS "
                       f'-l "{listen}" {fdname} "{squall_wire.SERVER}" "$@"\n')
        os.chmod(script, 0o755)
        self.script_directory = self.directory
        super().__init__(*options, program=script)

    def _read_port(self):
        self.first = wait_for(lambda: try_connect(self.first_address), "systemd-socket-activate to listen")
        self.first.send_request("GET", "/hello")
        return super()._read_port()

    def kill(self):
        if hasattr(self, "first"):
            self.first.close()
        super().kill()
        self.script_directory.cleanup()


@unittest.skipUnless(ACTIVATE, "systemd-socket-activate is missing")
class SystemdSocketActivate(unittest.TestCase):
    def expect_answers(self, server):
        """Of the client that woke it, and of others, also after a restart."""
        self.assertEqual(server.first.read_response().body, b"hello")
        with Load(server.first_address) as clients:
            clients.wait_for_answers_of(server.generations[0])
            clients.wait_for_answers_of(server.restart())
        self.assertEqual(clients.failures, [])

    def test_a_port_is_known_by_its_address(self):
        port = free_port()
        with Activated(f"127.0.0.1:{port}", f"--port={port}", address=("127.0.0.1", port)) as server:
            self.assertEqual(server.port, port)
            self.expect_answers(server)

    def test_workers_share_one_socket(self):
        port = free_port()
        with Activated(f"127.0.0.1:{port}", f"--port={port}", "--workers=3",
                       address=("127.0.0.1", port)) as server:
            self.expect_answers(server)

    def test_a_socket_of_both_families_stands_for_all_interfaces(self):
        port = free_port()
        with Activated(str(port), f"--port={port}", "--address=", address=("127.0.0.1", port)) as server:
            self.expect_answers(server)
            self.assertEqual(server.log().count("listening on"), 2)  # one each before and after

    def test_a_socket_is_found_by_its_name(self):
        port = free_port()
        with Activated(f"127.0.0.1:{port}", "--inherited=web", name="web",
                       address=("127.0.0.1", port)) as server:
            self.assertEqual(server.port, port)
            self.expect_answers(server)  # so the name goes along in a restart

    def test_a_unix_socket_is_known_by_its_path(self):
        with tempfile.TemporaryDirectory() as directory:
            path = os.path.join(directory, "socket")
            with Activated(path, f"--unix={path}", address=path) as server:
                self.expect_answers(server)


class Environment(unittest.TestCase):
    def start(self, listen_pid, *options, fds="1", **more):
        """The server with a listening socket as descriptor 3, and what the environment says of it."""
        with socket.create_server(("127.0.0.1", 0)) as listener:
            port = listener.getsockname()[1]
            # The number of the process that it becomes is the shell's.
            script = f'exec 3<&{listener.fileno()}; LISTEN_PID={listen_pid} LISTEN_FDS={fds} exec "$0" "$@"'
            process = subprocess.run(["bash", "-c", script, squall_wire.SERVER, f"--port={port}", *options],
                                     pass_fds=[listener.fileno()], capture_output=True, text=True,
                                     timeout=20, check=False, **more)
            return process

    def test_sockets_of_another_process_are_not_taken(self):
        for pid, fds in (("1", "1"), ("x", "1"), ("", "1"), ("$$", "0"), ("$$", "-1"), ("$$", "x"),
                         ("$$", "99999999999"), ("$$", "5000")):
            done = self.start(pid, fds=fds)
            self.assertEqual(done.returncode, 2, (pid, fds))
            self.assertIn("cannot listen on", done.stderr)

    def test_a_number_that_is_too_large_takes_what_there_is(self):
        # Of descriptors that are closed, or no listening sockets, nothing is made.
        with socket.create_server(("127.0.0.1", 0)) as listener, \
                tempfile.TemporaryDirectory() as directory:
            port = listener.getsockname()[1]
            program = os.path.join(directory, "start")
            with open(program, "w", encoding="ascii") as file:
                file.write(f"#!/bin/bash\nexec 3<&{listener.fileno()}\n"
                           f'LISTEN_PID=$$ LISTEN_FDS=9 exec "{squall_wire.SERVER}" "$@"\n')
            os.chmod(program, 0o755)
            server = Server(f"--port={port}", program=program, pass_fds=[listener.fileno()])
            listener.close()  # the server's copy is the only one
            with server:
                self.assertEqual(server.get("/hello").body, b"hello")


if __name__ == "__main__":
    main()
