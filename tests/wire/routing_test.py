# SPDX-License-Identifier: Apache-2.0
"""Virtual hosts, groups, redirects and middleware, asked by curl, Python's http.client and websockets."""
import asyncio
import http.client
import os
import re
import shutil
import subprocess
import unittest

import websockets

from squall_wire import DEADLINE, Server, main

PROGRAM = os.environ.get("SQUALL_WIRE_ROUTING", "/tmp/build-wire/bin/squall_wire_routing")


class RoutingTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = Server(program=PROGRAM)

    @classmethod
    def tearDownClass(cls):
        try:
            cls.server.stop()
        finally:
            cls.server.kill()

    def ask(self, method, path, headers=None, body=None, host=None):
        connection = http.client.HTTPConnection(*self.server.address, timeout=DEADLINE)
        try:
            connection.request(method, path, body, {**({"Host": host} if host else {}), **(headers or {})})
            response = connection.getresponse()
            return response, response.read().decode()
        finally:
            connection.close()

    def curl(self, *arguments):
        done = subprocess.run(["curl", "-sS", "--noproxy", "*", "--max-time", str(int(DEADLINE)), *arguments],
                              capture_output=True, timeout=2 * DEADLINE, check=True)
        return done.stdout.decode()


@unittest.skipUnless(shutil.which("curl"), "curl is not installed")
class Curl(RoutingTest):
    def of_host(self, host, path="/"):
        return self.curl("--resolve", f"{host}:{self.server.port}:127.0.0.1",
                         f"http://{host}:{self.server.port}{path}")

    def test_hosts(self):
        self.assertEqual(self.of_host("www.example"), "www")
        self.assertEqual(self.of_host("WWW.EXAMPLE"), "www")
        self.assertEqual(self.of_host("www.example", "/about"), "about www")
        self.assertEqual(self.of_host("a.b.example"), "a subdomain")
        self.assertEqual(self.of_host("example"), "any host")
        self.assertEqual(self.of_host("other.org", "/about"), "about www")  # the default host

    def test_redirects_are_followed(self):
        url = self.server.url("/old/api/item/a%20b%2Fc?x=1")
        self.assertEqual(self.curl("-L", url), "a b/c")
        self.assertEqual(self.curl("-L", "-X", "PUT", "-d", "", self.server.url("/moved/a%2Fb")),
                         "/api/item/a%2Fb")
        self.assertIn("\r\nLocation: /evil.org/\r\n", self.curl("-i", self.server.url("/old//evil.org/")))

    def test_preflight(self):
        head = self.curl("-i", "-X", "OPTIONS", "-H", "Origin: https://app.example",
                         "-H", "Access-Control-Request-Method: PUT",
                         "-H", "Access-Control-Request-Headers: content-type,x-token",
                         self.server.url("/api/item/x"))
        self.assertTrue(head.startswith("HTTP/1.1 204 "), head)
        for line in ("Access-Control-Allow-Origin: https://app.example",
                     "Access-Control-Allow-Credentials: true", "Access-Control-Max-Age: 600",
                     "Access-Control-Allow-Headers: content-type,x-token"):
            self.assertIn(f"\r\n{line}\r\n", head)
        self.assertRegex(head, r"\r\nAccess-Control-Allow-Methods: .*PUT")
        self.assertRegex(head, r"\r\nVary: .*Origin")


class Python(RoutingTest):
    def test_only_the_group_has_cors(self):
        origin = {"Origin": "https://app.example"}
        for method, path, status in (("GET", "/api/item/x", 200), ("DELETE", "/api/item/x", 405)):
            response, _ = self.ask(method, path, origin)
            self.assertEqual(response.status, status)
            self.assertEqual(response.getheader("Access-Control-Allow-Origin"), "https://app.example")
        response, _ = self.ask("GET", "/", origin)
        self.assertIsNone(response.getheader("Access-Control-Allow-Origin"))
        response, _ = self.ask("GET", "/api/item/x", {"Origin": "https://evil.example"})
        self.assertIsNone(response.getheader("Access-Control-Allow-Origin"))
        self.assertEqual(response.getheader("Vary"), "Origin")

    def test_allow_knows_all_methods(self):
        response, _ = self.ask("DELETE", "/api/item/x")
        self.assertEqual(response.getheader("Allow"), "GET, HEAD, PUT, OPTIONS")

    def test_every_response_has_an_id_and_the_security_headers(self):
        ids = set()
        for method, path, status in (("GET", "/", 200), ("GET", "/none", 404), ("POST", "/", 405),
                                     ("GET", "/gone", 410), ("GET", "/old/x", 301), ("OPTIONS", "/", 204),
                                     ("GET", "/events", 200), ("GET", "/socket", 400)):
            response, _ = self.ask(method, path)
            self.assertEqual(response.status, status, path)
            self.assertRegex(response.getheader("X-Request-Id"), re.compile(r"^[0-9a-f]{32}$"))
            self.assertEqual(response.getheader("X-Content-Type-Options"), "nosniff")
            ids.add(response.getheader("X-Request-Id"))
        self.assertEqual(len(ids), 8)

    def test_around(self):
        response, _ = self.ask("GET", "/")
        self.assertEqual(response.getheader("X-Around"), "yes")
        response, _ = self.ask("POST", "/slow", body=b"x" * 100_000)
        self.assertEqual(response.status, 404)

    def test_rate_limit(self):
        for left in (1, 0):
            response, body = self.ask("GET", "/limited")
            self.assertEqual(body, "limited")
            self.assertEqual(response.getheader("RateLimit-Policy"), '"default";q=2;w=3600')
            self.assertRegex(response.getheader("RateLimit"), rf'^"default";r={left};t=\d+$')
        response, _ = self.ask("GET", "/limited")
        self.assertEqual(response.status, 429)
        self.assertTrue(1 <= int(response.getheader("Retry-After")) <= 1800)
        response, _ = self.ask("GET", "/")
        self.assertEqual(response.status, 200)

    def test_body_limit(self):
        self.assertEqual(self.ask("POST", "/api/small", body=b"x" * 10)[1], "x" * 10)
        response, _ = self.ask("POST", "/api/small", {"Origin": "https://app.example"}, b"x" * 11)
        self.assertEqual(response.status, 413)
        self.assertEqual(response.getheader("Access-Control-Allow-Origin"), "https://app.example")

    def test_handshakes_have_the_headers(self):
        async def talk():
            async with websockets.connect(f"ws://127.0.0.1:{self.server.port}/socket") as socket:
                await socket.send("hello")
                self.assertEqual(await socket.recv(), "hello")
                headers = getattr(socket, "response_headers", None) or socket.response.headers
                self.assertRegex(headers["X-Request-Id"], re.compile(r"^[0-9a-f]{32}$"))

        asyncio.run(asyncio.wait_for(talk(), DEADLINE))


if __name__ == "__main__":
    main()
