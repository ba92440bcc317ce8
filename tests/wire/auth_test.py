# SPDX-License-Identifier: Apache-2.0
"""HTTP authentication with curl and requests, hashes of passwords with Argon2's own program and its
Python library, and sessions as browsers keep them."""
import os
import re
import shutil
import subprocess
import tempfile
import unittest
import urllib.parse

from squall_wire import DEADLINE, Server, WireTest, main

try:
    import requests
    import requests.auth
except ImportError:
    requests = None
try:
    import argon2
except ImportError:
    argon2 = None

PASSWORD = "pass:wörd"
SECRET = "a secret of the wire tests: 0123456789"


def curl(*arguments):
    """The answer's body, and its status."""
    out = subprocess.run(["curl", "-sS", "--noproxy", "*", "--max-time", str(int(DEADLINE)),
                          "-w", "\n%{http_code}", *arguments],
                         capture_output=True, timeout=2 * DEADLINE, check=True).stdout.decode()
    body, status = out.rsplit("\n", 1)
    return body, int(status)


@unittest.skipUnless(shutil.which("curl"), "curl is not installed")
class Curl(WireTest):
    def test_basic(self):
        url = self.server.url("/auth/basic")
        self.assertEqual(curl("--basic", "-u", f"Ann:{PASSWORD}", url), ("hello Ann", 200))
        self.assertEqual(curl("--anyauth", "-u", f"Grüße:{PASSWORD}", url), ("hello Grüße", 200))
        self.assertEqual(curl("--basic", "-u", "Ann:wrong", url)[1], 401)
        self.assertEqual(curl(url)[1], 401)

    def test_bearer(self):
        url = self.server.url("/auth/bearer")
        self.assertEqual(curl("--oauth2-bearer", "a.token~1=", url), ("hello", 200))
        self.assertEqual(curl("--oauth2-bearer", "another", url)[1], 401)

    def test_digest_with_sha256(self):
        url = self.server.url("/auth/digest?a=b%20c")
        self.assertEqual(curl("--digest", "-u", f"Ann:{PASSWORD}", url), ("hello Ann", 200))
        self.assertEqual(curl("--anyauth", "-u", f"Grüße:{PASSWORD}", url), ("hello Grüße", 200))
        self.assertEqual(curl("--digest", "-u", "Ann:wrong", url)[1], 401)
        self.assertEqual(curl("--digest", "-u", f"Bob:{PASSWORD}", url)[1], 401)
        verbose = subprocess.run(["curl", "-sv", "--noproxy", "*", "--digest", "-u",
                                  f"Ann:{PASSWORD}", "-d", "note=n", url],
                                 capture_output=True, timeout=2 * DEADLINE, check=True)
        self.assertEqual(verbose.stdout, b"Ann sent n")
        self.assertRegex(verbose.stderr.decode(), "> Authorization: Digest .*algorithm=SHA-256")

    def test_digest_with_the_better_of_two_challenges(self):
        url = self.server.url("/auth/digest-md5")
        done = subprocess.run(["curl", "-sv", "--noproxy", "*", "--digest", "-u",
                               f"Ann:{PASSWORD}", url],
                              capture_output=True, timeout=2 * DEADLINE, check=True)
        self.assertEqual(done.stdout, b"hello Ann")
        self.assertEqual(done.stderr.count(b"< HTTP/1.1 401"), 1)
        self.assertRegex(done.stderr.decode(), "> Authorization: Digest .*algorithm=SHA-256")


@unittest.skipUnless(requests, "python3-requests is not installed")
class Requests(WireTest):
    def setUp(self):
        self.session = requests.Session()
        self.session.trust_env = False
        self.addCleanup(self.session.close)

    def ask(self, method, path, **options):
        return self.session.request(method, self.server.url(path), timeout=DEADLINE, **options)

    def test_basic(self):
        done = self.ask("GET", "/auth/basic", auth=("Ann".encode(), PASSWORD.encode()))
        self.assertEqual(done.text, "hello Ann")
        refused = self.ask("GET", "/auth/basic", auth=("Ann", "wrong"))
        self.assertEqual(refused.status_code, 401)
        self.assertEqual(refused.headers["WWW-Authenticate"],
                         'Basic realm="wire", charset="UTF-8"')

    def test_digest_with_both_algorithms(self):
        for path, algorithm in (("/auth/digest", "SHA-256"), ("/auth/digest-md5", "MD5")):
            # of two challenges, this client sees the last
            auth = requests.auth.HTTPDigestAuth("Ann", PASSWORD)
            for count in range(1, 6):
                done = self.ask("GET", path, auth=auth)
                self.assertEqual(done.text, "hello Ann")
                self.assertIn(f'algorithm="{algorithm}"', done.request.headers["Authorization"])
                self.assertIn(f"nc={count:08}", done.request.headers["Authorization"])
                self.assertEqual(len(done.history), 1 if count == 1 else 0)
            wrong = requests.auth.HTTPDigestAuth("Ann", "wrong")
            self.assertEqual(self.ask("GET", path, auth=wrong).status_code, 401)

    def test_a_digest_is_for_one_request(self):
        auth = requests.auth.HTTPDigestAuth("Ann", PASSWORD)
        sent = self.ask("GET", "/auth/digest", auth=auth).request.headers["Authorization"]
        for path in ("/auth/digest", "/auth/digest?a=b"):
            again = self.ask("GET", path, headers={"Authorization": sent})
            self.assertEqual(again.status_code, 401)
            self.assertEqual("stale=true" in again.headers["WWW-Authenticate"],
                             path == "/auth/digest")
        self.assertEqual(self.ask("GET", "/auth/digest", auth=auth).text, "hello Ann")


class Passwords(WireTest):
    def setUp(self):
        with self.server.connect() as raw:
            raw.send_request("GET", "/auth/password?password=x")
            answer = raw.read_response()
        if answer.status != 200:
            self.server.wait_for_log("no libargon2")
            self.skipTest("built without libargon2")

    def hash(self, password):
        return self.server.get("/auth/password?password=" +
                               urllib.parse.quote(password)).body.decode()

    def verify(self, password, hash):
        with self.server.connect() as raw:
            raw.send_request("POST", "/auth/password",
                             [("Content-Type", "application/x-www-form-urlencoded")],
                             urllib.parse.urlencode({"password": password, "hash": hash}).encode())
            return raw.read_response().body.decode()

    @unittest.skipUnless(argon2, "python3-argon2 is not installed")
    def test_another_library_and_the_server_know_each_others_hashes(self):
        hasher = argon2.PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1,
                                       hash_len=32, salt_len=16)
        for password in ("p", "Grüße", "x" * 200):
            made = self.hash(password)
            self.assertTrue(hasher.verify(made, password))
            self.assertFalse(hasher.check_needs_rehash(made))
            with self.assertRaises(argon2.exceptions.VerifyMismatchError):
                hasher.verify(made, password + "x")
            self.assertEqual(self.verify(password, hasher.hash(password)), "right")
            self.assertEqual(self.verify(password + "x", hasher.hash(password))[:5], "wrong")
        for kind in (argon2.Type.I, argon2.Type.D, argon2.Type.ID):
            other = argon2.PasswordHasher(time_cost=3, memory_cost=1000, parallelism=4, type=kind)
            self.assertEqual(self.verify("p", other.hash("p")), "right old")
            self.assertEqual(self.verify("q", other.hash("p")), "wrong old")

    @unittest.skipUnless(shutil.which("argon2"), "argon2 is not installed")
    def test_the_reference_program_makes_the_same(self):
        made = self.hash("a password")
        salt = re.search(r"p=1\$([^$]+)\$", made)[1]
        program = subprocess.run(
            ["argon2", "0123456789abcdef", "-id", "-t", "2", "-k", "19456", "-p", "1", "-e"],
            input=b"a password", capture_output=True, timeout=DEADLINE, check=True)
        theirs = program.stdout.decode().strip()
        self.assertEqual(self.verify("a password", theirs), "right")
        self.assertEqual(self.verify("a passwort", theirs), "wrong")
        self.assertEqual(len(salt), len("MDEyMzQ1Njc4OWFiY2RlZg"))


@unittest.skipUnless(requests, "python3-requests is not installed")
class Sessions(unittest.TestCase):
    def client(self):
        session = requests.Session()
        session.trust_env = False
        self.addCleanup(session.close)
        return session

    def flow(self, server):
        url = server.url("/auth/session")
        browser = self.client()
        self.assertEqual(browser.get(url, timeout=DEADLINE).text, "nobody")
        self.assertFalse(browser.cookies)
        browser.put(url, data={"cart": "apples"}, timeout=DEADLINE)
        before = browser.cookies["session"]
        done = browser.post(url, data={"user": "Ann"}, timeout=DEADLINE)
        self.assertEqual(done.text, "apples")
        self.assertIn("HttpOnly", done.headers["Set-Cookie"])
        self.assertIn("SameSite=Lax", done.headers["Set-Cookie"])
        self.assertEqual(browser.get(url, timeout=DEADLINE).text, "Ann")
        return url, browser, before

    def check_fixation(self, url, before):
        other = self.client()
        other.cookies.set("session", before)
        self.assertEqual(other.get(url, timeout=DEADLINE).text, "nobody")

    def check_logout(self, url, browser):
        after = browser.cookies["session"]
        browser.delete(url, timeout=DEADLINE)
        self.assertFalse(browser.cookies)
        other = self.client()
        other.cookies.set("session", after)
        self.assertEqual(other.get(url, timeout=DEADLINE).text, "nobody")

    def test_in_memory(self):
        with Server("--session-store=memory") as server:
            url, browser, before = self.flow(server)
            self.check_fixation(url, before)
            self.check_logout(url, browser)

    def test_in_files_over_a_restart(self):
        with tempfile.TemporaryDirectory() as folder:
            store = os.path.join(folder, "sessions")
            with Server(f"--session-store={store}") as server:
                url, browser, before = self.flow(server)
                self.check_fixation(url, before)
                self.assertEqual(os.stat(store).st_mode & 0o777, 0o700)
                names = os.listdir(store)
                self.assertEqual(len(names), 1)
                with open(os.path.join(store, names[0]), "rb") as file:
                    self.assertNotIn(browser.cookies["session"].encode(), file.read())
            with Server(f"--session-store={store}") as server:
                url = server.url("/auth/session")
                self.assertEqual(browser.get(url, timeout=DEADLINE).text, "Ann")
                self.check_logout(url, browser)
                self.assertEqual(os.listdir(store), [])

    def test_in_a_signed_cookie(self):
        with Server(f"--cookie-secret={SECRET}") as server:
            url, browser, _ = self.flow(server)
            browser.delete(url, timeout=DEADLINE)
            self.assertFalse(browser.cookies)
            self.assertEqual(browser.get(url, timeout=DEADLINE).text, "nobody")


if __name__ == "__main__":
    main()
