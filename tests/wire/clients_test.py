# SPDX-License-Identifier: Apache-2.0
"""HTTP clients that we did not write: curl, wrk, aiohttp."""
import asyncio
import os
import re
import shutil
import subprocess
import tempfile
import unittest

import aiohttp

from squall_wire import DEADLINE, WireTest, main


@unittest.skipUnless(shutil.which("curl"), "curl is not installed")
class Curl(WireTest):
    def curl(self, *arguments, status=(0,)):
        done = subprocess.run(["curl", "-sS", "--noproxy", "*", "--max-time", str(int(DEADLINE)),
                               *arguments], capture_output=True, timeout=2 * DEADLINE, check=False)
        self.assertIn(done.returncode, status, done.stderr)
        return done.stdout

    def test_get(self):
        self.assertEqual(self.curl(self.server.url("/hello")), b"hello")
        self.assertEqual(self.curl("--http1.0", self.server.url("/stream/2")), b"chunk 0\nchunk 1\n")
        self.assertEqual(self.curl("--raw", self.server.url("/stream/1")),
                         b"8\r\nchunk 0\n\r\n0\r\n\r\n")

    def test_post(self):
        self.assertEqual(self.curl("-d", "a=1&b=2", self.server.url("/echo")), b"a=1&b=2")
        self.assertIn(b'"a":["1"]', self.curl("-d", "a=1", self.server.url("/arguments")))
        self.assertEqual(self.curl("-X", "PUT", "-d", "x", self.server.url("/echo")), b"x")
        self.assertEqual(self.curl("-X", "DELETE", self.server.url("/plain")), b"plain delete")
        self.assertEqual(self.curl("-H", "Transfer-Encoding: chunked", "-d", "chunked",
                                   self.server.url("/echo")), b"chunked")
        self.assertEqual(self.curl("--http1.0", "-d", "old", self.server.url("/echo")), b"old")

    def test_head(self):
        head = self.curl("-I", self.server.url("/large/12345"))
        self.assertTrue(head.startswith(b"HTTP/1.1 200 OK\r\n"), head)
        self.assertIn(b"\r\nContent-Length: 12345\r\n", head)

    def test_options(self):
        head = self.curl("-i", "-X", "OPTIONS", self.server.url("/plain"))
        self.assertRegex(head, rb"\r\nAllow: .*PATCH")

    def test_one_connection_serves_two_urls(self):
        told = self.curl("-w", "%{num_connects}\n", "-o", os.devnull, "-o", os.devnull,
                         self.server.url("/hello"), self.server.url("/plain"))
        self.assertEqual(told.split(), [b"1", b"0"])

    def test_an_upload_of_two_megabytes_waits_for_100_continue(self):
        with tempfile.NamedTemporaryFile() as file:
            file.write(os.urandom(2_000_000))
            file.flush()
            done = subprocess.run(
                ["curl", "-sSv", "--noproxy", "*", "-H", "Expect: 100-continue", "--data-binary",
                 f"@{file.name}", "-o", "/dev/stdout", self.server.url("/length")],
                capture_output=True, timeout=DEADLINE, check=True)
            self.assertEqual(done.stdout, b"2000000")
            self.assertIn(b"< HTTP/1.1 100 Continue", done.stderr)
            echoed = self.curl("--data-binary", f"@{file.name}", self.server.url("/echo"))
            with open(file.name, "rb") as sent:
                self.assertEqual(echoed, sent.read())

    def test_redirects_are_followed(self):
        url = self.server.url("/redirect?to=/hello")
        self.assertEqual(self.curl("-L", url), b"hello")
        self.assertIn(b'"method":"GET"', self.curl("-L", "-d", "x=y", self.server.url("/redirect")))

    def test_cookies_come_back(self):
        with tempfile.NamedTemporaryFile() as jar:
            self.curl("-c", jar.name, "-X", "POST",
                      self.server.url("/cookies?name=a&value=remembered"))
            self.assertIn(b'"a":"remembered"', self.curl("-b", jar.name, self.server.url("/cookies")))
            self.curl("-b", jar.name, "-c", jar.name, "-X", "DELETE", self.server.url("/cookies"))
            self.assertIn(b'"a":""', self.curl("-b", jar.name, self.server.url("/cookies")))

    def test_a_truncated_response_is_noticed(self):
        broken = (18, 52, 56)  # a part of the body, nothing at all, a reset
        for method in ("GET", "POST", "PUT"):
            self.curl("-X", method, self.server.url("/truncated"), status=broken)
        self.curl(self.server.url("/short-body"), status=broken)
        self.assert_healthy()

    def test_fail_with_a_status(self):
        self.curl("-f", self.server.url("/nowhere"), status=(22,))

    def test_a_websocket_handshake(self):
        head = self.curl("-i", "--http1.1", "-H", "Upgrade: websocket", "-H", "Connection: Upgrade",
                         "-H", "Sec-WebSocket-Version: 8",
                         "-H", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", self.server.url("/ws"))
        self.assertTrue(head.startswith(b"HTTP/1.1 426 "), head)


@unittest.skipUnless(shutil.which("wrk"), "wrk is not installed")
class Wrk(WireTest):
    def wrk(self, path, *arguments):
        done = subprocess.run(["wrk", "-t1", "-d2s", *arguments, self.server.url(path)],
                              capture_output=True, text=True, timeout=60, check=True)
        self.assertNotIn("Non-2xx", done.stdout)
        self.assertNotIn("Socket errors", done.stdout)
        self.assertGreater(int(re.search(r"(\d+) requests in", done.stdout)[1]), 100, done.stdout)

    def test_without_errors(self):
        self.wrk("/hello", "-c64")
        self.assert_healthy()

    def test_coroutines_without_errors(self):
        self.wrk("/coroutine", "-c64")
        self.wrk("/stream/3", "-c16")
        self.assert_healthy()


class Aiohttp(WireTest):
    def run_with_session(self, work):
        async def run():
            timeout = aiohttp.ClientTimeout(total=DEADLINE)
            async with aiohttp.ClientSession(timeout=timeout) as session:
                return await work(session)
        return asyncio.run(run())

    def test_json(self):
        async def work(session):
            async with session.post(self.server.url("/json"), json={"a": [1, "é"]}) as response:
                self.assertEqual(await response.json(), {"got": {"a": [1, "é"]}})
        self.run_with_session(work)

    def test_a_form(self):
        async def work(session):
            form = {"a": "x y&z", "b": "é"}
            async with session.post(self.server.url("/arguments"), data=form) as response:
                got = await response.json()
                self.assertEqual((got["a"], got["b"]), (["x y&z"], ["é"]))
        self.run_with_session(work)

    def test_cookies(self):
        async def run():
            jar = aiohttp.CookieJar(unsafe=True)  # the host is an address
            async with aiohttp.ClientSession(cookie_jar=jar) as session:
                async with session.post(self.server.url("/cookies?name=a&value=kept")) as response:
                    self.assertEqual(response.cookies["a"].value, "kept")
                async with session.get(self.server.url("/cookies")) as response:
                    self.assertEqual((await response.json())["a"], "kept")
        asyncio.run(run())

    def test_a_stream_is_read_as_it_comes(self):
        async def work(session):
            async with session.get(self.server.url("/slow-stream/5")) as response:
                lines = [line async for line in response.content]
                self.assertEqual(b"".join(lines), b"".join(b"data: %d\n\n" % i for i in range(5)))
        self.run_with_session(work)

    def test_a_chunked_upload(self):
        async def pieces():
            for _ in range(50):
                yield b"p" * 10_000

        async def work(session):
            async with session.post(self.server.url("/length"), data=pieces()) as response:
                self.assertEqual(await response.text(), "500000")
        self.run_with_session(work)

    def test_two_hundred_at_once(self):
        async def ask(session, at):
            async with session.get(self.server.url(f"/lambda-task/{at % 50}")) as response:
                self.assertEqual(await response.text(), f"slept {at % 50}")

        async def work(session):
            await asyncio.gather(*(ask(session, at) for at in range(200)))
        self.run_with_session(work)

    def test_a_truncated_response_is_noticed(self):
        async def work(session):
            with self.assertRaises((aiohttp.ClientPayloadError, aiohttp.ClientConnectionError)):
                async with session.get(self.server.url("/truncated")) as response:
                    await response.read()
        self.run_with_session(work)

    def test_a_websocket(self):
        async def work(session):
            async with session.ws_connect(self.server.url("/ws"), max_msg_size=0) as socket:
                for size in (0, 1, 125, 126, 65535, 65536, 1 << 20):
                    await socket.send_str("t" * size)
                    self.assertEqual(await socket.receive_str(), "t" * size)
                    await socket.send_bytes(b"b" * size)
                    self.assertEqual(await socket.receive_bytes(), b"b" * size)
                await socket.ping(b"x")
                await socket.close(code=4321, message=b"done")
                self.assertEqual(socket.close_code, 4321)
        self.run_with_session(work)

    def test_a_websocket_that_the_server_closes(self):
        async def work(session):
            async with session.ws_connect(self.server.url("/ws/close")) as socket:
                await socket.send_str("4001 go away")
                message = await socket.receive()
                self.assertEqual((message.type, message.data, message.extra),
                                 (aiohttp.WSMsgType.CLOSE, 4001, "go away"))
        self.run_with_session(work)


if __name__ == "__main__":
    main()
