# SPDX-License-Identifier: Apache-2.0
"""Compressed responses and forms with files, with the eyes of curl, aiohttp, zlib, brotli and zstandard."""
import asyncio
import json
import os
import shutil
import subprocess
import tempfile
import unittest
import zlib

import aiohttp
import brotli
import zstandard

from squall_wire import DEADLINE, WireTest, main


def lines(size):
    text = b"".join(b"line %d\n" % i for i in range(size // 6 + 1))
    return text[:size]


class Incremental:
    """Decodes as bytes come, with the library that owns the coding."""

    def __init__(self, coding):
        if coding == "gzip":
            self.decode = zlib.decompressobj(31).decompress
        elif coding == "br":
            self.decode = brotli.Decompressor().process
        else:
            self.decode = zstandard.ZstdDecompressor().decompressobj().decompress


def decoded_size(raw, coding):
    """Reads a chunked body to its last chunk; how many bytes it decodes to."""
    decoder = Incremental(coding)
    total = 0
    while size := int(raw.take_until(b"\r\n"), 16):
        total += len(decoder.decode(raw.take(size)))
        raw.take(2)
    return total


class Compression(WireTest):
    def get(self, path, coding, method="GET"):
        with self.server.connect() as raw:
            raw.send_request(method, path, [("Accept-Encoding", coding)])
            return raw.read_response(head=method == "HEAD")

    def test_libraries_decode_every_coding(self):
        for coding in ("gzip", "br", "zstd"):
            for size in (1024, 20_000, 128 * 1024, 128 * 1024 + 1, 5_000_000):
                with self.subTest(coding=coding, size=size):
                    response = self.get(f"/compressed/{size}", coding)
                    self.assertEqual(response.get("content-encoding"), coding)
                    self.assertEqual(response.get("vary"), "Accept-Encoding")
                    self.assertEqual(response.get("etag"), 'W/"strong"')
                    self.assertLess(len(response.body), size / 2)
                    self.assertTrue(Incremental(coding).decode(response.body) == lines(size))

    def test_the_client_may_refuse(self):
        for field in ("gzip;q=0", "identity", "deflate", "gzip;q=0, br;q=0, zstd;q=0, *"):
            response = self.get("/compressed/20000", field)
            self.assertIsNone(response.get("content-encoding"))
            self.assertEqual(response.get("etag"), '"strong"')
            self.assertTrue(response.body == lines(20_000))

    def test_head_has_the_fields_of_get(self):
        for size in (100, 20_000, 1_000_000):
            told = [{name: value for name, value in response.headers
                     if name.lower() not in ("date", "transfer-encoding")}
                    for response in (self.get(f"/compressed/{size}", "gzip", method)
                                     for method in ("GET", "HEAD"))]
            self.assertEqual(*told)

    def test_events_arrive_one_by_one(self):
        for coding in ("gzip", "br", "zstd"):
            with self.subTest(coding=coding), self.server.connect() as raw:
                raw.send_request("GET", "/compressed-events/5", [("Accept-Encoding", coding)])
                raw.read_head()
                decoder = Incremental(coding)
                for i in range(5):
                    want = b"data: %d\n\n" % i
                    seen = b""
                    while len(seen) < len(want):
                        size = int(raw.take_until(b"\r\n"), 16)
                        self.assertGreater(size, 0)
                        seen += decoder.decode(raw.take(size))
                        raw.take(2)
                    self.assertEqual(seen, want)
                    with self.server.connect() as other:
                        other.send_request("POST", "/next-event", body=b"")
                        other.read_response()

    def test_a_large_body_does_not_block_the_loop(self):
        """The watchdog reports turns that take too long."""
        with self.server.connect() as raw:
            raw.send_request("GET", "/compressed/40000000", [("Accept-Encoding", "gzip")])
            raw.read_head()
            for _ in range(20):
                self.assert_healthy()
            self.assertEqual(decoded_size(raw, "gzip"), 40_000_000)

    def test_a_client_that_leaves_in_the_middle_is_no_harm(self):
        for coding in ("gzip", "br", "zstd"):
            for _ in range(10):
                with self.server.connect() as raw:
                    raw.send_request("GET", "/compressed/8000000", [("Accept-Encoding", coding)])
                    raw.read_head()
                    raw.reset()
        self.assert_healthy()

    def test_a_slow_client_bounds_the_memory(self):
        with self.server.connect(receive_buffer=8192) as raw:
            raw.send_request("GET", "/compressed-stream/60", [("Accept-Encoding", "zstd")])
            raw.read_head()
            self.assert_healthy()
            self.assertEqual(decoded_size(raw, "zstd"), 60_000_000)

    @unittest.skipUnless(shutil.which("curl"), "curl is not installed")
    def test_curl(self):
        for size in (20_000, 3_000_000):
            got = subprocess.run(["curl", "-sS", "--noproxy", "*", "--compressed", "--max-time",
                                  str(int(DEADLINE)), self.server.url(f"/compressed/{size}")],
                                 capture_output=True, check=True).stdout
            self.assertTrue(got == lines(size))
            got = subprocess.run(["curl", "-sS", "--noproxy", "*", "--http1.0", "--compressed",
                                  self.server.url(f"/compressed/{size}")],
                                 capture_output=True, check=True).stdout
            self.assertTrue(got == lines(size))

    def test_aiohttp(self):
        async def fetch():
            async with aiohttp.ClientSession() as session:
                for size in (20_000, 3_000_000):
                    async with session.get(self.server.url(f"/compressed/{size}"),
                                           headers={"Accept-Encoding": "gzip, deflate, br"}) as got:
                        self.assertEqual(got.headers["Content-Encoding"], "br")
                        self.assertTrue(await got.read() == lines(size))

        asyncio.run(asyncio.wait_for(fetch(), DEADLINE))


class Forms(WireTest):
    def test_curl(self):
        data = os.urandom(300_000)
        with tempfile.NamedTemporaryFile() as file:
            file.write(data)
            file.flush()
            got = subprocess.run(
                ["curl", "-sS", "--noproxy", "*", "--max-time", str(int(DEADLINE)), "-F", "text=one",
                 "-F", "text=two", "-F", f"upload=@{file.name};filename=a b.bin;type=image/x-test",
                 "-F", f"upload=@{os.devnull};filename=empty", self.server.url("/form")],
                capture_output=True, check=True).stdout
        self.assertEqual(json.loads(got), {"text": ["one", "two"], "files": [
            {"name": "upload", "filename": "a b.bin", "type": "image/x-test", "size": len(data),
             "sum": sum(data)},
            {"name": "upload", "filename": "empty", "type": "application/octet-stream", "size": 0,
             "sum": 0}]})

    def test_aiohttp(self):
        data = os.urandom(200_000)

        async def post():
            form = aiohttp.FormData()
            form.add_field("text", "Grüße")
            form.add_field("file", data, filename="x.bin")
            async with aiohttp.ClientSession() as session, \
                    session.post(self.server.url("/form"), data=form) as got:
                return await got.json()

        told = asyncio.run(asyncio.wait_for(post(), DEADLINE))
        self.assertEqual(told["text"], ["Grüße"])
        self.assertEqual(told["files"][0]["sum"], sum(data))

    def test_what_is_malformed_is_400(self):
        for content_type, body in (
                ("multipart/form-data; boundary=x", b"--x\r\n"),
                ("multipart/form-data; boundary=x", b"--x\r\n\r\n\r\n--x--"),
                ("multipart/form-data", b"--x--"),
        ):
            with self.server.connect() as raw:
                raw.send_request("POST", "/form", [("Content-Type", content_type)], body=body)
                self.assertEqual(raw.read_response().status, 400)


if __name__ == "__main__":
    main()
