# SPDX-License-Identifier: Apache-2.0
"""The examples of plain TCP, driven by clients that we did not write: nc, socat, curl, and Python's
sockets."""
import http.server
import os
import random
import shutil
import socket
import struct
import subprocess
import threading
import unittest

import squall_wire
from squall_wire import DEADLINE, EXAMPLES, Example, WireError, main, wait_for


def run(command, data=b""):
    return subprocess.run(command, input=data, capture_output=True, timeout=DEADLINE, check=False)


class Echo(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = Example("echo_server")
        cls.addClassCleanup(cls.server.kill)

    @classmethod
    def tearDownClass(cls):
        cls.server.stop()

    def test_the_bytes_come_back(self):
        with self.server.connect() as raw:
            raw.send(b"hello")
            self.assertEqual(raw.take(5), b"hello")
            raw.half_close()
            self.assertEqual(raw.read_to_end(), b"")

    def test_megabytes_come_back_to_a_client_that_reads_later(self):
        data = random.Random(7).randbytes(20_000_000)
        with self.server.connect() as raw:
            sender = threading.Thread(target=lambda: (raw.send(data), raw.half_close()))
            sender.start()
            back = bytearray()
            while raw.receive():
                back += raw.buffer
                raw.buffer = b""
            sender.join()
            self.assertEqual(bytes(back), data)

    def test_many_at_a_time(self):
        raws = [self.server.connect() for _ in range(500)]
        for number, raw in enumerate(raws):
            raw.send(b"%06d" % number)
        for number, raw in enumerate(raws):
            self.assertEqual(raw.take(6), b"%06d" % number)
            raw.close()
        before = self.server.descriptors()
        wait_for(lambda: self.server.descriptors() < 50, f"{before} descriptors to be closed")

    def test_clients_that_are_killed_do_no_harm(self):
        for _ in range(50):
            with self.server.connect() as raw:
                raw.send(b"x" * 100_000)
                raw.reset()
        self.test_the_bytes_come_back()

    @unittest.skipUnless(shutil.which("nc"), "there is no nc")
    def test_netcat(self):
        done = run(["nc", "-N", "127.0.0.1", str(self.server.port)], b"typed\n")
        self.assertEqual(done.stdout, b"typed\n")

    @unittest.skipUnless(shutil.which("socat"), "there is no socat")
    def test_socat(self):
        data = os.urandom(1_000_000)
        done = run(["socat", "-t", "10", "-", f"TCP:127.0.0.1:{self.server.port}"], data)
        self.assertEqual(done.stdout, data)


class Chat(unittest.TestCase):
    def setUp(self):
        self.server = Example("line_chat")
        self.addCleanup(self.server.kill)

    def join(self, name):
        raw = self.server.connect()
        self.addCleanup(raw.close)
        self.assertEqual(raw.take_until(b"\n"), b"Your name?")
        raw.send(name + b"\r\n")
        self.assertTrue(raw.take_until(b"\n").startswith(b"Welcome, " + name))
        return raw

    def test_what_one_types_the_others_read(self):
        anna = self.join(b"anna")
        ben = self.join(b"ben")
        self.assertEqual(anna.take_until(b"\n"), b"ben has come.")
        ben.send(b"hello, ")
        ben.send(b"anna\nsecond line\n")
        self.assertEqual(anna.take_until(b"\n"), b"ben: hello, anna")
        self.assertEqual(anna.take_until(b"\n"), b"ben: second line")
        anna.send(b"hi\r\n")
        self.assertEqual(ben.take_until(b"\n"), b"anna: hi")
        ben.reset()
        self.assertEqual(anna.take_until(b"\n"), b"ben has left.")
        self.server.stop()

    def test_a_line_without_end_ends_the_connection_only(self):
        anna = self.join(b"anna")
        with self.server.connect() as raw:
            raw.take_until(b"\n")
            raw.send(b"x" * 5000)
            raw.expect_closed()
        self.join(b"ben")
        self.assertEqual(anna.take_until(b"\n"), b"ben has come.")
        self.server.stop()

    def test_a_member_who_does_not_read_is_let_go(self):
        sleeper = self.join(b"sleeper")
        talker = self.join(b"talker")
        left = False
        for _ in range(100):
            talker.send((b"y" * 900 + b"\n") * 1000)
            talker.socket.setblocking(False)
            try:
                left = b"has left" in talker.socket.recv(1000)
            except BlockingIOError:
                pass
            talker.socket.settimeout(DEADLINE)
            if left:
                break
        if not left:
            self.assertEqual(talker.take_until(b"\n"), b"sleeper has left.")
        sleeper.close()
        self.server.stop()


class Web(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        body = b"z" * int(self.path[1:])
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


class Socks(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = Example("socks5_proxy")
        cls.addClassCleanup(cls.server.kill)
        cls.web = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Web)
        threading.Thread(target=cls.web.serve_forever, daemon=True).start()
        cls.addClassCleanup(cls.web.server_close)
        cls.addClassCleanup(cls.web.shutdown)

    @classmethod
    def tearDownClass(cls):
        cls.server.stop()

    def request(self, raw, host_field, port, command=1):
        raw.send(b"\5\1\0")
        self.assertEqual(raw.take(2), b"\5\0")
        raw.send(bytes([5, command, 0]) + host_field + struct.pack(">H", port))
        reply = raw.take(10)
        self.assertEqual(reply[0], 5)
        return reply[1]

    @unittest.skipUnless(shutil.which("curl"), "there is no curl")
    def test_curl_through_it(self):
        proxy = f"127.0.0.1:{self.server.port}"
        for option in ("--socks5-hostname", "--socks5"):
            for size in (10, 5_000_000):
                url = f"http://localhost:{self.web.server_port}/{size}"
                done = run(["curl", "-sS", "-4", "--noproxy", "", option, proxy, url])
                self.assertEqual((done.returncode, len(done.stdout)), (0, size), done.stderr)

    def test_it_passes_on_the_end_of_either_side(self):
        with socket.create_server(("127.0.0.1", 0)) as listener, self.server.connect() as raw:
            listener.settimeout(DEADLINE)
            address = b"\1" + socket.inet_aton("127.0.0.1")
            self.assertEqual(self.request(raw, address, listener.getsockname()[1]), 0)
            far, _ = listener.accept()
            with far:
                far.settimeout(DEADLINE)
                raw.send(b"question")
                raw.half_close()
                got = b""
                while more := far.recv(1000):
                    got += more
                self.assertEqual(got, b"question")
                far.sendall(b"answer after the end")
                far.shutdown(socket.SHUT_WR)
                self.assertEqual(raw.read_to_end(), b"answer after the end")

    def test_a_port_that_refuses_and_a_name_that_is_none(self):
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
        with self.server.connect() as raw:
            self.assertEqual(self.request(raw, b"\1" + socket.inet_aton("127.0.0.1"), port), 5)
            raw.expect_closed()
        with self.server.connect() as raw:
            self.assertEqual(self.request(raw, b"\3\x0cnone.invalid", 80), 4)

    def test_what_it_cannot_do(self):
        with self.server.connect() as raw:
            raw.send(b"\5\1\2")  # a password only
            self.assertEqual(raw.take(2), b"\5\xff")
            raw.expect_closed()
        with self.server.connect() as raw:
            self.assertEqual(self.request(raw, b"\1\x7f\0\0\1", 80, command=2), 7)
        with self.server.connect() as raw:
            raw.send(b"GET / HTTP/1.1\r\n\r\n")
            raw.expect_closed()
        self.assertEqual(self.server.log(), "")


if __name__ == "__main__":
    if not EXAMPLES:
        raise WireError("SQUALL_EXAMPLES names no directory")
    squall_wire.SERVER = ""
    main()
