# SPDX-License-Identifier: Apache-2.0
"""Bodies in pieces, both ways, with clients that we did not write; limits; interim responses and trailers."""
import asyncio
import http.client
import json
import os
import shutil
import subprocess
import tempfile
import time
import unittest

import aiohttp

from squall_wire import DEADLINE, WireTest, main

MEBI = 1 << 20


def fnv(data):
    value = 14695981039346656037
    for byte in data:
        value = ((value ^ byte) * 1099511628211) & 0xFFFFFFFFFFFFFFFF
    return str(value)


DATA = os.urandom(3 * MEBI // 2)
EXPECTED = {"bytes": len(DATA), "sum": fnv(DATA)}


class Uploads(WireTest):
    def assert_whole(self, answer):
        self.assertEqual({key: answer[key] for key in EXPECTED}, EXPECTED)

    @unittest.skipUnless(shutil.which("curl"), "curl is not installed")
    def test_curl(self):
        with tempfile.NamedTemporaryFile() as file:
            file.write(DATA)
            file.flush()
            for path in ("/pulled", "/pushed", "/pulled?pause_ms=1"):
                for how in (["-T", file.name], ["-T", "-"]):  # by length, and in chunks
                    with self.subTest(path=path, how=how), open(file.name, "rb") as body:
                        done = subprocess.run(
                            ["curl", "-sS", "--noproxy", "*", *how, self.server.url(path)],
                            stdin=body, capture_output=True, timeout=DEADLINE, check=True)
                        self.assert_whole(json.loads(done.stdout))

    def test_pythons_http_client_in_chunks(self):
        connection = http.client.HTTPConnection(*self.server.address, timeout=DEADLINE)
        pieces = (DATA[at:at + 10_000] for at in range(0, len(DATA), 10_000))
        connection.request("POST", "/pulled", body=pieces, encode_chunked=True,
                           headers={"Transfer-Encoding": "chunked"})
        self.assert_whole(json.loads(connection.getresponse().read()))
        connection.request("GET", "/hello")  # the same connection goes on
        self.assertEqual(connection.getresponse().read(), b"hello")
        connection.close()

    def test_aiohttp_sends_and_receives_at_once(self):
        async def talk():
            async def pieces():
                for at in range(0, len(DATA), 50_000):
                    yield DATA[at:at + 50_000]
            async with aiohttp.ClientSession() as session:
                async with session.post(self.server.url("/echo-pieces"), data=pieces()) as answer:
                    return await answer.read()
        self.assertEqual(asyncio.run(asyncio.wait_for(talk(), DEADLINE)), DATA)

    def test_an_echo_begins_before_the_body_has_ended(self):
        with self.server.connect() as raw:
            raw.send(b"POST /echo-pieces HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n")
            for word in (b"one", b"three", b"seventeen"):
                raw.send(b"%x\r\n%s\r\n" % (len(word), word))
                raw.take_until(word + b"\r\n")
            raw.send(b"0\r\n\r\n")
            raw.take_until(b"0\r\nX-Bytes: 17\r\n\r\n")

    def upload_once(self):
        with self.server.connect() as raw:
            raw.send(b"POST /pulled?most=50000000 HTTP/1.1\r\nHost: a\r\n"
                     b"Content-Length: 50000000\r\n\r\n" + bytes(50_000_000))
            self.assertEqual(raw.read_response().status, 200)

    def test_a_slow_reader_holds_the_client_back_and_not_in_memory(self):
        if self.server.is_sanitized():
            self.skipTest("memory under a sanitizer means nothing")
        self.upload_once()  # what that allocates once and for all is not asked for
        before = self.server.resident_mib()
        with self.server.connect() as raw:
            raw.send(b"POST /pulled?pause_ms=1000000&most=1000000000 HTTP/1.1\r\nHost: a\r\n"
                     b"Content-Length: 1000000000\r\n\r\n")
            raw.socket.setblocking(False)
            block = bytes(MEBI)
            sent, stuck_since = 0, None
            while stuck_since is None or time.monotonic() - stuck_since < 0.5:
                try:
                    sent += raw.socket.send(block)
                    stuck_since = None
                except BlockingIOError:
                    stuck_since = stuck_since or time.monotonic()
                    time.sleep(0.01)
                self.assertLess(sent, 100 * MEBI, "the server takes it all")
            self.assertLess(self.server.resident_mib() - before, 4)
        self.server.wait_for_counter("pulled.left")

    def test_a_client_that_leaves_ends_its_handler(self):
        left = self.server.counter("pulled.left")
        raw = self.server.connect()
        raw.send(b"POST /pulled HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\nabc")
        raw.reset()
        self.server.wait_for_counter("pulled.left", left + 1)
        self.assert_healthy()


class UploadLimits(WireTest):
    OPTIONS = ("--max-body=1000", "--max-streamed-body=2000", "--body-timeout-ms=400",
               "--max-requests=3")

    def post(self, path, size, chunked=False):
        with self.server.connect() as raw:
            head = b"POST %s HTTP/1.1\r\nHost: a\r\n" % path
            if chunked:
                raw.send(head + b"Transfer-Encoding: chunked\r\n\r\n" +
                         b"64\r\n%s\r\n" % (b"x" * 100) * (size // 100) + b"0\r\n\r\n")
            else:
                raw.send(head + b"Content-Length: %d\r\n\r\n" % size + b"x" * size)
            return raw.read_response().status

    def test_sizes(self):
        for chunked in (False, True):
            with self.subTest(chunked=chunked):
                self.assertEqual(self.post(b"/length", 1000, chunked), 200)
                self.assertEqual(self.post(b"/length", 1100, chunked), 413)
                self.assertEqual(self.post(b"/pulled", 2000, chunked), 200)
                self.assertEqual(self.post(b"/pulled", 2100, chunked), 413)
                self.assertEqual(self.post(b"/pushed", 2100, chunked), 413)
                self.assertEqual(self.post(b"/pulled?most=5000", 5000, chunked), 200)
                self.assertEqual(self.post(b"/pulled?most=500", 600, chunked), 413)

    def test_a_refusal_comes_instead_of_100(self):
        for path in (b"/pulled?refuse=1", b"/pulled?most=10", b"/nowhere"):
            with self.subTest(path), self.server.connect() as raw:
                raw.send(b"POST %s HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n"
                         b"Content-Length: 1000\r\n\r\n" % path)
                response = raw.read_response()
                self.assertIn(response.status, (403, 404, 413))
                self.assertTrue(response.has_close())
                raw.expect_closed()

    def test_a_streamed_body_that_stops_is_408(self):
        with self.server.connect() as raw:
            raw.send(b"POST /pulled HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\nabc")
            self.assertEqual(raw.read_response().status, 408)
            raw.expect_closed()

    def test_a_slow_handler_is_not_the_clients_fault(self):
        with self.server.connect() as raw:
            raw.send(b"POST /pulled?pause_ms=1000 HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc")
            self.assertEqual(raw.read_response().status, 200)

    def test_a_connection_serves_only_so_many_requests(self):
        with self.server.connect() as raw:
            for number in range(3):
                raw.send_request("GET", "/hello")
                self.assertEqual(raw.read_response().has_close(), number == 2)
            raw.expect_closed()


class Rates(WireTest):
    OPTIONS = ("--min-body-rate=10000", "--write-timeout-ms=1000", "--min-write-rate=1000000")

    def test_a_body_that_trickles_is_408_though_each_piece_is_in_time(self):
        with self.server.connect() as raw:
            raw.send(b"POST /length HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n")
            raw.socket.setblocking(False)
            begin = time.monotonic()
            answer = b""
            while not answer:
                self.assertLess(time.monotonic() - begin, DEADLINE)
                time.sleep(0.05)
                try:
                    answer = raw.socket.recv(4096)
                except BlockingIOError:
                    raw.socket.send(b"x")
            self.assertTrue(answer.startswith(b"HTTP/1.1 408 "), answer)

    def test_a_client_that_takes_a_little_now_and_then_is_too_slow(self):
        with self.server.connect(receive_buffer=4096) as raw:
            raw.send_request("GET", "/down?bytes=200000000")
            begin = time.monotonic()
            try:
                while raw.socket.recv(512):
                    self.assertLess(time.monotonic() - begin, DEADLINE, "it was never broken")
                    if time.monotonic() - begin < 3:
                        time.sleep(0.05)
            except ConnectionResetError:
                pass
            self.assert_healthy()


class Around(WireTest):
    def test_a_framing_that_does_not_hold_breaks_the_connection(self):
        for kind in ("less", "more"):
            with self.subTest(kind), self.server.connect() as raw:
                raw.send_request("GET", f"/misframed?kind={kind}")
                head = raw.read_head()
                self.assertEqual(head.get("Content-Length"), "10")
                raw.expect_broken()

    @unittest.skipUnless(shutil.which("curl"), "curl is not installed")
    def test_curl_sees_the_hints_and_the_trailers(self):
        done = subprocess.run(["curl", "-sSi", "--noproxy", "*", self.server.url("/hints")],
                              capture_output=True, timeout=DEADLINE, check=True)
        self.assertEqual(done.stdout.count(b"HTTP/1.1 103 Early Hints\r\n"), 2)
        self.assertTrue(done.stdout.endswith(b"\r\n\r\npage"), done.stdout)
        done = subprocess.run(
            ["curl", "-sSv", "--raw", "--noproxy", "*", "-d", "abc", self.server.url("/echo-pieces")],
            capture_output=True, timeout=DEADLINE, check=True)
        self.assertTrue(done.stdout.endswith(b"\r\n0\r\nX-Bytes: 3\r\n\r\n"), done.stdout)

    def test_trailers_come_to_the_handler(self):
        with self.server.connect() as raw:
            raw.send(b"POST /pulled HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
                     b"3;ext=\"1\"\r\nabc\r\n0\r\nX-Sum: abc\r\nHost: evil\r\n\r\n")
            self.assertEqual(raw.read_response().json()["trailer"], "abc")

    def test_connect_is_refused_cleanly_and_upgrades_that_are_not_known_are_not_taken(self):
        with self.server.connect() as raw:
            raw.send(b"CONNECT example.org:443 HTTP/1.1\r\nHost: example.org:443\r\n\r\n")
            response = raw.read_response()
            self.assertEqual(response.status, 501)
            raw.expect_closed()
        with self.server.connect() as raw:  # RFC 9110 §7.8: it may be ignored
            raw.send(b"GET /hello HTTP/1.1\r\nHost: a\r\nConnection: Upgrade, HTTP2-Settings\r\n"
                     b"Upgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n\r\n")
            self.assertEqual(raw.read_response().body, b"hello")

    def test_a_handler_may_go_on_with_a_protocol_of_its_own(self):
        ask = (b"GET /shout HTTP/1.1\r\nHost: a\r\nConnection: keep-alive, Upgrade\r\n"
               b"Upgrade: other/1, Shout\r\n\r\n")
        for early in (b"", b"one\ntw"):  # what comes behind the request is the protocol's
            with self.subTest(early), self.server.connect() as raw:
                raw.send(ask + early)
                head = raw.read_head()
                self.assertEqual(head.status, 101)
                self.assertEqual((head.get("Upgrade"), head.get("X-Greeting")), ("shout", "hello"))
                raw.send((b"one\ntwo\n" + bytes(0))[len(early):])
                self.assertEqual(raw.take(8), b"ONE\nTWO\n")
                raw.half_close()
                raw.expect_closed()
        self.server.wait_for_counter("shout.end", 2)
        with self.server.connect() as raw:
            raw.send_request("GET", "/shout")
            self.assertEqual(raw.read_response().status, 426)

    def test_every_form_of_target(self):  # RFC 9112 §3.2
        for target, status in ((b"/hello", 200), (b"http://a/hello", 200), (b"http://a", 404),
                               (b"HTTP://a/hello?x", 200)):
            with self.subTest(target), self.server.connect() as raw:
                raw.send(b"GET %s HTTP/1.1\r\nHost: a\r\n\r\n" % target)
                self.assertEqual(raw.read_response().status, status)
        with self.server.connect() as raw:
            raw.send(b"OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n")
            response = raw.read_response()
            self.assertEqual(response.status, 204)
            self.assertIn("GET", response.get("Allow"))


if __name__ == "__main__":
    main()
