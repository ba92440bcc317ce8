# SPDX-License-Identifier: Apache-2.0
"""Static files as clients see them: curl, http.client, aiohttp, and raw sockets."""
import asyncio
import http.client
import gzip
import os
import shutil
import subprocess
import tempfile
import threading
import time
import unittest

import aiohttp

from squall_wire import DEADLINE, Server, WireTest, main, wait_for

LARGE = os.urandom(3_000_000)
MEDIUM = b"".join(b"%07d\n" % i for i in range(5_000))  # 40,000 bytes
PAGE = b"<!doctype html>" * 100


class StaticFiles(WireTest):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory(prefix="squall-wire-static-")
        cls.root = os.path.join(cls.folder.name, "public")
        os.makedirs(cls.root)
        cls.write("large.bin", LARGE)
        cls.write("medium.txt", MEDIUM)
        cls.write("page.html", PAGE)
        cls.write("page.html.gz", gzip.compress(PAGE))
        cls.server = Server("--static", cls.root)

    @classmethod
    def tearDownClass(cls):
        super().tearDownClass()
        cls.folder.cleanup()

    @classmethod
    def write(cls, name, data):
        with open(os.path.join(cls.root, name), "wb") as file:
            file.write(data)

    def ask(self, path, *headers):
        with self.server.connect() as raw:
            raw.send_request("GET", path, headers)
            return raw.read_response()

    def curl(self, *arguments, status=0):
        done = subprocess.run(["curl", "-sS", "--noproxy", "*", "--max-time", str(int(DEADLINE)),
                               *arguments], capture_output=True, timeout=2 * DEADLINE, check=False)
        self.assertEqual(done.returncode, status, done.stderr)
        return done.stdout

    @unittest.skipUnless(shutil.which("curl"), "curl is not installed")
    def test_curl_reads_parts(self):
        url = self.server.url("/static/large.bin")
        self.assertEqual(self.curl("-r", "1000000-1000099", url), LARGE[1_000_000:1_000_100])
        self.assertEqual(self.curl("-r", "-100", url), LARGE[-100:])
        self.assertEqual(self.curl("-r", "2999000-", url), LARGE[2_999_000:])
        several = self.curl("-r", "0-9,2000000-2000009", url)
        self.assertIn(b"Content-Range: bytes 2000000-2000009/3000000\r\n\r\n"
                      + LARGE[2_000_000:2_000_010], several)

    @unittest.skipUnless(shutil.which("curl"), "curl is not installed")
    def test_curl_resumes_a_download(self):
        with tempfile.NamedTemporaryFile() as file:
            file.write(LARGE[:1_234_567])
            file.flush()
            self.curl("-C", "-", "-o", file.name, self.server.url("/static/large.bin"))
            with open(file.name, "rb") as whole:
                self.assertEqual(whole.read(), LARGE)

    @unittest.skipUnless(shutil.which("curl"), "curl is not installed")
    def test_curl_keeps_tags_and_decodes(self):
        url = self.server.url("/static/page.html")
        self.assertEqual(self.curl("--compressed", url), PAGE)
        with tempfile.NamedTemporaryFile() as tag:
            self.assertEqual(self.curl("--etag-save", tag.name, url), PAGE)
            self.assertEqual(self.curl("--etag-compare", tag.name, "-w", "%{http_code}", url), b"304")

    def test_http_client(self):
        connection = http.client.HTTPConnection(*self.server.address, timeout=DEADLINE)
        for first, last in ((0, 9), (5_000, 39_998), (39_999, 39_999)):
            connection.request("GET", "/static/medium.txt", headers={"Range": f"bytes={first}-{last}"})
            response = connection.getresponse()
            self.assertEqual((response.status, response.read()), (206, MEDIUM[first:last + 1]))
        connection.close()

    def test_aiohttp(self):
        async def run():
            async with aiohttp.ClientSession() as session:
                async with session.get(self.server.url("/static/page.html")) as response:
                    self.assertEqual(await response.read(), PAGE)
                    self.assertEqual(response.headers["Content-Encoding"], "gzip")
                    self.assertEqual(response.headers["Vary"], "Accept-Encoding")
                parts = [session.get(self.server.url("/static/large.bin"),
                                     headers={"Range": f"bytes={i * 300_000}-{i * 300_000 + 299_999}"})
                         for i in range(10)]
                bodies = [await (await part).read() for part in parts]
                self.assertEqual(b"".join(bodies), LARGE)
        asyncio.run(asyncio.wait_for(run(), DEADLINE))

    def test_parts_of_a_large_file_arrive_in_one_answer(self):  # RFC 9110 section 14.6
        spec = ",".join(f"{i * 200_000}-{i * 200_000 + 99_999}" for i in range(15))
        response = self.ask("/static/large.bin", ("Range", f"bytes={spec}"))
        boundary = response.get("Content-Type").split("boundary=")[1].encode()
        parts = response.body.split(b"--" + boundary)
        self.assertEqual(len(parts), 17)
        for i, part in enumerate(parts[1:-1]):
            data = part.split(b"\r\n\r\n", 1)[1][:-2]
            self.assertEqual(data, LARGE[i * 200_000:i * 200_000 + 100_000])
        again = self.ask("/static/large.bin", ("Range", f"bytes={spec}"))
        self.assertNotEqual(again.get("Content-Type"), response.get("Content-Type"))

    def test_a_changed_file_is_seen(self):
        self.write("change.txt", b"first")
        tag = self.ask("/static/change.txt").get("ETag")
        self.write("change.txt", b"the second")

        def changed():
            response = self.ask("/static/change.txt", ("If-None-Match", tag))
            self.assertIn(response.body, (b"", b"the second"))
            return response.status == 200

        wait_for(changed, "the new version")
        os.unlink(os.path.join(self.root, "change.txt"))
        wait_for(lambda: self.ask("/static/change.txt").status == 404, "the file to be gone")

    def test_versions_are_never_mixed(self):
        # Files of one letter each, put in place and written in place while they are read.
        done = threading.Event()

        def change():
            turn = 0
            while not done.is_set():
                turn += 1
                letter = bytes([ord("a") + turn % 26])
                self.write("next", letter * (20_000 + turn % 7 * 10_000))
                os.replace(os.path.join(self.root, "next"), os.path.join(self.root, "moved"))
                self.write("next", letter * (turn % 9 * 1_000))
                os.replace(os.path.join(self.root, "next"), os.path.join(self.root, "small"))
                done.wait(0.001)

        self.write("moved", b"")
        self.write("small", b"")
        writer = threading.Thread(target=change)
        writer.start()
        try:
            with self.server.connect() as raw:
                seen = set()
                deadline = time.monotonic() + DEADLINE
                i = 0
                while i < 3_000 or len(seen) < 2 and time.monotonic() < deadline:
                    i += 1
                    raw.send_request("GET", "/static/" + ("moved", "small")[i % 2])
                    response = raw.read_response()
                    self.assertEqual(response.status, 200)
                    self.assertLessEqual(len(set(response.body)), 1)
                    seen.add(response.body[:1])
                self.assertGreater(len(seen), 1)
        finally:
            done.set()
            writer.join()

    def test_a_file_that_is_replaced_while_it_is_sent_arrives_whole(self):
        self.write("replaced", LARGE)
        with self.server.connect(receive_buffer=4096) as raw:
            raw.send_request("GET", "/static/replaced")
            raw.read_head()
            self.write("other", b"x" * 100)
            os.replace(os.path.join(self.root, "other"), os.path.join(self.root, "replaced"))
            self.assertEqual(raw.take(len(LARGE)), LARGE)

    def test_a_file_that_shrinks_while_it_is_sent_breaks_the_connection(self):
        self.write("shrinks", LARGE * 4)
        with self.server.connect(receive_buffer=4096) as raw:
            raw.send_request("GET", "/static/shrinks")
            raw.read_head()
            os.truncate(os.path.join(self.root, "shrinks"), 10_000)
            try:
                rest = raw.read_to_end()
            except ConnectionResetError:
                rest = b""
            self.assertLess(len(rest), 4 * len(LARGE))
        self.assertEqual(self.ask("/static/page.html").body, PAGE)

    def test_descriptors_do_not_grow_with_requests(self):
        for _ in range(3):
            self.ask("/static/large.bin")
        before = self.server.descriptors()
        for _ in range(100):
            self.ask("/static/large.bin", ("Range", "bytes=5-9"))
            self.ask("/static/none")
        wait_for(lambda: self.server.descriptors() <= before + 1, "the descriptors to be closed")

    def test_what_is_not_for_everyone_is_not_there(self):
        os.makedirs(os.path.join(self.root, ".git"), exist_ok=True)
        self.write(".git/config", b"secret")
        for path in (".git/config", ".git", "%2egit/config", "x%5c..%5csecret", "page.html%00.txt",
                     "%2e%2e/public/page.html", "..%2fpublic%2fpage.html", "./page.html"):
            self.assertIn(self.ask(f"/static/{path}").status, (400, 404), path)


if __name__ == "__main__":
    main()
