# SPDX-License-Identifier: Apache-2.0
"""Signed cookies against Tornado's own code in both directions, and browsers' flows of a login and of
forms with curl and requests, which keep cookies as browsers do."""
import os
import re
import shutil
import subprocess
import tempfile
import time
import unittest
import urllib.parse

from squall_wire import DEADLINE, Server, WireTest, main

try:
    import tornado.web
except ImportError:
    tornado = None
try:
    import requests
except ImportError:
    requests = None

SECRET = "a secret of the wire tests: 0123456789"
TOKEN = re.compile(r'<input type="hidden" name="_xsrf" value="([^"]+)"/>')


@unittest.skipUnless(tornado, "python3-tornado is not installed")
class Oracle(WireTest):
    OPTIONS = (f"--cookie-secret={SECRET}",)

    def read(self, value):
        """What the server makes of a signed cookie."""
        with self.server.connect() as raw:
            raw.send_request("POST", "/signed", [("Cookie", f"value={value}")], b"")
            return raw.read_response().body.decode()

    def write(self, value):
        """The two cookies, of version 2 and 1, that the server sets."""
        response = self.server.get("/signed?value=" + urllib.parse.quote(value))
        cookies = dict(line.split(";")[0].split("=", 1) for line in response.all("Set-Cookie"))
        return cookies["value"], cookies["old"]

    def test_tornado_reads_what_the_server_signs(self):
        for value in ("v", "", "a|b:c", "Grüße", "x" * 2000):
            new, old = self.write(value)
            self.assertEqual(tornado.web.decode_signed_value(SECRET, "value", new).decode(), value)
            self.assertEqual(tornado.web.decode_signed_value(SECRET, "old", old).decode(), value)
            self.assertIsNone(tornado.web.decode_signed_value(SECRET, "old", new))
            self.assertIsNone(tornado.web.decode_signed_value("another", "value", new))
            self.assertEqual(tornado.web.get_signature_key_version(new), 0)
            stamp = int(new.split("|")[2].split(":")[1])
            self.assertEqual(new, tornado.web.create_signed_value(
                SECRET, "value", value, clock=lambda: stamp).decode())
            self.assertEqual(old, tornado.web.create_signed_value(
                SECRET, "old", value, version=1,
                clock=lambda: int(old.split("|")[1])).decode())

    def test_the_server_reads_what_tornado_signs(self):
        def sign(*arguments, **options):
            return tornado.web.create_signed_value(*arguments, **options).decode()

        for value in ("v", "a|b:c", "Grüße", "x" * 2000):
            self.assertEqual(self.read(sign(SECRET, "value", value)), f"<{value}> 0")
            self.assertEqual(self.read(sign(SECRET, "value", value, version=1)), f"<{value}> -1")
        self.assertEqual(self.read(sign({5: SECRET, 6: "x"}, "value", "v", key_version=5)), "<v> 5")
        self.assertEqual(self.read(sign(SECRET, "other", "v")), "none 0")
        self.assertEqual(self.read(sign("another", "value", "v")), "none 0")
        day = 86400
        self.assertEqual(self.read(sign(SECRET, "value", "v", clock=lambda: time.time() - 30 * day)),
                         "<v> 0")
        self.assertEqual(self.read(sign(SECRET, "value", "v", clock=lambda: time.time() - 32 * day)),
                         "none 0")

    def test_both_refuse_the_same(self):
        whole = tornado.web.create_signed_value(SECRET, "value", "v").decode()
        for i in range(len(whole)):
            for value in (whole[:i] + whole[i + 1:], whole[:i] + "7" + whole[i:]):
                self.assertIsNone(tornado.web.decode_signed_value(SECRET, "value", value))
                self.assertTrue(self.read(value).startswith("none "), value)


@unittest.skipUnless(requests, "python3-requests is not installed")
class Flow(WireTest):
    OPTIONS = (f"--cookie-secret={SECRET}", "--xsrf=cookies,origin")

    def setUp(self):
        self.session = requests.Session()
        self.session.trust_env = False
        self.addCleanup(self.session.close)

    def ask(self, method, path, **options):
        return self.session.request(method, self.server.url(path), timeout=DEADLINE, **options)

    def token_of(self, response):
        self.assertEqual(response.status_code, 200, response.text)
        return TOKEN.search(response.text)[1]

    def log_in(self):
        page = self.ask("GET", "/members?a=1")
        self.assertEqual(page.url, self.server.url("/login?next=%2Fmembers%3Fa%3D1"))
        members = self.ask("POST", page.url[len(self.server.url("")):],
                           data={"user": "Ann", "_xsrf": self.token_of(page)})
        self.assertEqual(members.url, self.server.url("/members?a=1"))
        self.assertIn("hello Ann", members.text)
        return members

    def test_a_user_logs_in_and_out(self):
        token = self.token_of(self.log_in())
        self.assertEqual(self.ask("POST", "/logout").status_code, 403)
        self.assertIn("hello", self.ask("GET", "/members").text)
        self.assertTrue(self.ask("POST", "/logout", data={"_xsrf": token}).url.endswith("/login"))
        self.assertIn("/login?next=", self.ask("GET", "/members").url)

    def test_a_form_wants_the_token(self):
        token = self.token_of(self.log_in())
        self.assertNotEqual(token, self.session.cookies["_xsrf"])
        self.assertEqual(self.ask("POST", "/members", data={"note": "n"}).status_code, 403)
        done = self.ask("POST", "/members", data={"note": "n", "_xsrf": token})
        self.assertEqual(done.text, "noted for Ann: n")
        done = self.ask("POST", "/members", data={"note": "n"}, headers={"X-XSRFToken": token})
        self.assertEqual(done.text, "noted for Ann: n")
        done = self.ask("POST", "/members", files={"file": b"x" * 300_000},
                        data={"note": "long", "_xsrf": token})
        self.assertEqual(done.text, "noted for Ann: long")
        with requests.Session() as other:
            other.trust_env = False
            refused = other.post(self.server.url("/members"), data={"note": "n", "_xsrf": token},
                                 timeout=DEADLINE)
            self.assertEqual(refused.status_code, 403)

    def test_a_streamed_body_wants_the_token_in_a_header(self):
        token = self.token_of(self.log_in())
        body = b"x" * 1_000_000
        done = self.ask("PUT", "/members/upload", data=body, headers={"X-CSRFToken": token})
        self.assertEqual(done.text, str(len(body)))
        self.assertEqual(self.ask("PUT", "/members/upload", data=b"x").status_code, 403)

    def test_another_site_is_refused_even_with_the_token(self):
        token = self.token_of(self.log_in())
        for headers in ({"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example"},
                        {"Origin": "https://evil.example"}, {"Origin": "null"}):
            refused = self.ask("POST", "/members", data={"note": "n", "_xsrf": token},
                               headers=headers)
            self.assertEqual(refused.status_code, 403)
        own = {"Origin": self.server.url("")}
        done = self.ask("POST", "/members", data={"note": "n", "_xsrf": token}, headers=own)
        self.assertEqual(done.status_code, 200)

    @unittest.skipUnless(tornado, "python3-tornado is not installed")
    def test_tornados_tokens_are_taken(self):
        """What Tornado's own code makes of one secret, as cookie and as header."""
        raw = bytes(range(16))
        mask = b"\x01\x80\xff\x00"
        masked = tornado.util._websocket_mask(mask, raw)
        forms = [raw.hex(), f"2|{mask.hex()}|{masked.hex()}|1300000000"]
        for cookie in forms:
            for header in forms:
                with self.server.connect() as connection:
                    connection.send_request(
                        "PUT", "/members/upload",
                        [("Cookie", f"_xsrf={cookie}"), ("X-XSRFToken", header)], b"x")
                    self.assertEqual(connection.read_response().status, 200)


@unittest.skipUnless(shutil.which("curl"), "curl is not installed")
class Curl(WireTest):
    OPTIONS = (f"--cookie-secret={SECRET}", "--xsrf=cookies")

    def test_a_login_with_a_jar_of_cookies(self):
        with tempfile.TemporaryDirectory() as folder:
            jar = os.path.join(folder, "jar")

            def curl(*arguments):
                return subprocess.run(
                    ["curl", "-sS", "--noproxy", "*", "--max-time", str(int(DEADLINE)), "-L",
                     "-b", jar, "-c", jar, *arguments],
                    capture_output=True, timeout=2 * DEADLINE, check=True).stdout.decode()

            token = TOKEN.search(curl(self.server.url("/members")))[1]
            page = curl("--data-urlencode", f"_xsrf={token}", "-d", "user=Ann",
                        self.server.url("/login"))
            self.assertIn("hello Ann", page)
            with open(jar, encoding="ascii") as file:
                self.assertIn("#HttpOnly_127.0.0.1", file.read())
            refused = curl("-o", os.devnull, "-w", "%{http_code}", "-d", "note=n",
                           self.server.url("/members"))
            self.assertEqual(refused, "403")
            self.assertEqual(curl("-d", "note=n", "-H", f"X-XSRFToken: {token}",
                                  self.server.url("/members")), "noted for Ann: n")


class NoSecret(unittest.TestCase):
    def test_the_log_says_what_to_set(self):
        with Server() as server:
            self.assertEqual(server.get("/signed?value=v").status, 500)
            server.wait_for_log("set Settings::cookie_secret")


if __name__ == "__main__":
    main()
