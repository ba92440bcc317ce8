# SPDX-License-Identifier: Apache-2.0
"""Raw requests: those that must be refused, and odd ones that must not (RFC 9110, RFC 9112)."""
import re

from raw_requests import MAX_BODY, REFUSED
from squall_wire import WireError, WireTest, main


class Refused(WireTest):
    OPTIONS = (f"--max-body={MAX_BODY}",)

    def refuse(self, data, status):
        with self.server.connect() as raw:
            try:
                raw.send(data)
            except (BrokenPipeError, ConnectionResetError):
                pass  # refused before all of it was sent
            response = raw.read_response()
            self.assertEqual(response.status, status, response)
            self.assertTrue(response.has_close(), response)
            raw.expect_closed()

    def test_every_kind_gets_its_status_and_a_closed_connection(self):
        self.assertGreaterEqual(len(REFUSED), 100)
        self.assertEqual(len(REFUSED), len({name for name, _, _ in REFUSED}))
        for number, (name, data, status) in enumerate(REFUSED):
            with self.subTest(name):
                self.refuse(data, status)
            if number % 10 == 9:
                self.assert_healthy()
        self.assert_healthy()

    def test_pieces_are_refused_as_the_whole_is(self):
        for name, data, status in REFUSED:
            if len(data) > 400:
                continue
            with self.subTest(name), self.server.connect() as raw:
                half = len(data) // 2
                try:
                    raw.send(data[:half])
                    raw.send(data[half:])
                except (BrokenPipeError, ConnectionResetError):
                    pass
                self.assertEqual(raw.read_response().status, status)
                raw.expect_closed()
        self.assert_healthy()

    def test_behind_a_good_request_only_the_bad_one_is_refused(self):
        good = b"GET /hello HTTP/1.1\r\nHost: a\r\n\r\n"
        for name, data, status in REFUSED[::5]:
            with self.subTest(name), self.server.connect() as raw:
                try:
                    raw.send(good + data)
                except (BrokenPipeError, ConnectionResetError):
                    pass
                self.assertEqual(raw.read_response().body, b"hello")
                self.assertEqual(raw.read_response().status, status)
                raw.expect_closed()
        self.assert_healthy()

    def test_nothing_of_a_smuggled_request_is_answered(self):
        inner = b"GET /counters HTTP/1.1\r\nHost: a\r\n\r\n"
        for framing in (b"Content-Length: 0\r\nTransfer-Encoding: chunked\r\n",
                        b"Transfer-Encoding: chunked\r\nContent-Length: 100\r\n",
                        b"Content-Length: 0\r\nContent-Length: 36\r\n",
                        b"Transfer-Encoding: xchunked\r\n"):
            with self.subTest(framing), self.server.connect() as raw:
                raw.send(b"POST /echo HTTP/1.1\r\nHost: a\r\n" + framing + b"\r\n" + inner)
                self.assertEqual(raw.read_response().status, 400)
                raw.expect_closed()

    def test_a_refusal_says_no_more_than_its_status(self):
        with self.server.connect() as raw:
            raw.send(b"GET /hello HTTP/1.1\r\nHost: a\r\nB\0: <script>\r\n\r\n")
            response = raw.read_response()
            self.assertNotIn(b"script", response.body)
            self.assertIn("text/plain", response.get("Content-Type"))


class Accepted(WireTest):
    OPTIONS = (f"--max-body={MAX_BODY}",)

    def answer(self, data, head=False, version="HTTP/1.1"):
        with self.server.connect() as raw:
            raw.send(data)
            return raw.read_response(head=head, version=version)

    def assert_hello(self, data, **how):
        response = self.answer(data, **how)
        self.assertEqual((response.status, response.body), (200, b"hello"), response)
        return response

    def test_heads_that_are_odd_but_good(self):
        for head in (
                b"GET /hello HTTP/1.1\r\nhost: a\r\n\r\n",
                b"GET /hello HTTP/1.1\r\nHOST:a\r\n\r\n",
                b"GET /hello HTTP/1.1\r\nHost: \t a \t \r\n\r\n",
                b"GET /hello HTTP/1.1\r\nHost: a:8080\r\n\r\n",
                b"GET /hello HTTP/1.1\r\nHost: a:\r\n\r\n",
                b"GET /hello HTTP/1.1\r\nHost: [::1]:8080\r\n\r\n",
                b"GET /hello HTTP/1.1\r\nHost: a\r\nEmpty:\r\n\r\n",
                b"GET /hello HTTP/1.1\r\nHost: a\r\nLatin: caf\xe9\r\nUtf: caf\xc3\xa9\r\n\r\n",
                b"GET /hello HTTP/1.1\r\nHost: a\r\n!#$%&'*+-.^_`|~09: odd\r\n\r\n",
                b"GET /hello HTTP/1.2\r\nHost: a\r\n\r\n",  # RFC 9110 section 2.5
                b"GET /hello?a=b?c=/d HTTP/1.1\r\nHost: a\r\n\r\n",
                b"GET /hello? HTTP/1.1\r\nHost: a\r\n\r\n",
                b"GET /%68ello HTTP/1.1\r\nHost: a\r\n\r\n",
                b"GET http://a/hello HTTP/1.1\r\nHost: a\r\n\r\n",
                b"GET HTTP://a:8080/hello HTTP/1.1\r\nHost: other\r\n\r\n",
                b"\r\nGET /hello HTTP/1.1\r\nHost: a\r\n\r\n",  # RFC 9112 section 2.2
                b"GET /hello HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n",
                b"GET /hello HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello",
                b"GET /hello HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
                b"GET /hello HTTP/1.1\r\nHost: a\r\nConnection: foo, bar\r\n\r\n",
                b"GET /hello HTTP/1.1\r\nHost: a\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n\r\n",
                b"GET /hello HTTP/1.1\r\nHost: a\r\n" + b"B: c\r\n" * 99 + b"\r\n",
                b"GET /hello?" + b"q" * 8000 + b" HTTP/1.1\r\nHost: a\r\n\r\n",
                b"GET /hello HTTP/1.1\r\nHost: a\r\nB: " + b"c" * 60_000 + b"\r\n\r\n"):
            with self.subTest(head[:100]):
                self.assert_hello(head)

    def test_the_absolute_form_names_the_host(self):  # RFC 9112 section 3.2.2
        facts = self.answer(b"GET http://right.example/facts?q HTTP/1.1\r\nHost: wrong\r\n\r\n").json()
        self.assertEqual((facts["host"], facts["path"], facts["query"]),
                         ("right.example", "/facts", "q"))
        self.assertEqual(facts["full_url"], "http://right.example/facts?q")

    def test_options_of_the_whole_server(self):  # RFC 9110 section 9.3.7
        response = self.answer(b"OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n")
        self.assertIn(response.status, (200, 204), response)

    def test_bodies_that_are_odd_but_good(self):
        for framing, body, wanted in (
                (b"Content-Length: 5", b"hello", b"hello"),
                (b"Content-Length: 5, 5", b"hello", b"hello"),
                (b"Content-Length: 5\r\nContent-Length: 5", b"hello", b"hello"),
                (b"Content-Length: 0000000000005", b"hello", b"hello"),
                (b"content-length:5", b"hello", b"hello"),
                (b"Transfer-Encoding: chunked", b"5\r\nhello\r\n0\r\n\r\n", b"hello"),
                (b"Transfer-Encoding: CHUNKED", b"5\r\nhello\r\n0\r\n\r\n", b"hello"),
                (b"Transfer-Encoding: chunked", b"0\r\n\r\n", b""),
                (b"Transfer-Encoding: chunked", b"2\r\nhe\r\n3;last\r\nllo\r\n0\r\n\r\n", b"hello"),
                (b"Transfer-Encoding: chunked", b"005;a=b;c=\"d e\"\r\nhello\r\n000\r\n\r\n", b"hello"),
                (b"Transfer-Encoding: chunked", b"a\r\n0123456789\r\nA\r\n0123456789\r\n0\r\n\r\n",
                 b"0123456789" * 2),
                (b"Transfer-Encoding: chunked", b"5\r\nhello\r\n0\r\nChecksum: 1\r\nX: y\r\n\r\n",
                 b"hello"),
                (b"Content-Length: %d" % MAX_BODY, b"m" * MAX_BODY, b"m" * MAX_BODY),
                (b"Transfer-Encoding: chunked", b"%x\r\n%s\r\n0\r\n\r\n" % (MAX_BODY, b"m" * MAX_BODY),
                 b"m" * MAX_BODY)):
            with self.subTest(framing + b" " + body[:60]), self.server.connect() as raw:
                raw.send(b"POST /echo HTTP/1.1\r\nHost: a\r\n" + framing + b"\r\n\r\n" + body +
                         b"GET /hello HTTP/1.1\r\nHost: a\r\n\r\n")
                self.assertEqual(raw.read_response().body, wanted)
                self.assertEqual(raw.read_response().body, b"hello")

    def test_a_post_without_a_length_has_no_body(self):  # RFC 9112 section 6.3, point 7
        response = self.answer(b"POST /length HTTP/1.1\r\nHost: a\r\n\r\n")
        self.assertEqual((response.status, response.body), (200, b"0"))

    def test_http_1_0(self):
        with self.server.connect() as raw:
            raw.send(b"GET /hello HTTP/1.0\r\n\r\n")
            response = raw.read_response(version="HTTP/1.0")
            self.assertEqual((response.status, response.body), (200, b"hello"))
            raw.expect_closed()
        with self.server.connect() as raw:
            for _ in range(3):
                raw.send(b"GET /hello HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n")
                response = raw.read_response(version="HTTP/1.0")
                self.assertEqual(response.body, b"hello")
                self.assertEqual(response.get("Connection", "").lower(), "keep-alive")

    def test_connection_close_is_heeded(self):
        for value in (b"close", b"CLOSE", b"foo, close", b"keep-alive, close"):
            with self.subTest(value), self.server.connect() as raw:
                raw.send(b"GET /hello HTTP/1.1\r\nHost: a\r\nConnection: " + value + b"\r\n\r\n")
                response = raw.read_response()
                self.assertEqual(response.body, b"hello")
                self.assertTrue(response.has_close())
                raw.expect_closed()

    def test_after_connection_close_no_request_is_answered(self):
        with self.server.connect() as raw:
            raw.send(b"GET /hello HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
                     b"GET /hello HTTP/1.1\r\nHost: a\r\n\r\n")
            raw.read_response()
            raw.expect_closed()

    def test_expect_100_continue(self):  # RFC 9110 section 10.1.1
        with self.server.connect() as raw:
            raw.send(b"POST /echo HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n"
                     b"Content-Length: 5\r\n\r\n")
            interim = raw.read_head()
            self.assertEqual((interim.status, interim.headers), (100, []))
            raw.send(b"hello")
            self.assertEqual(raw.read_response().body, b"hello")

    def test_expect_with_the_body_already_there_needs_no_interim_response(self):
        response = self.answer(b"POST /echo HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n"
                               b"Content-Length: 5\r\n\r\nhello")
        self.assertEqual((response.status, response.body), (200, b"hello"))

    def test_expect_of_a_body_too_large_is_refused_at_once(self):
        with self.server.connect() as raw:
            raw.send(b"POST /echo HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n"
                     b"Content-Length: 99999999\r\n\r\n")
            self.assertEqual(raw.read_response().status, 413)
            raw.expect_closed()

    def test_expect_means_nothing_in_http_1_0(self):
        with self.server.connect() as raw:
            raw.send(b"POST /echo HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n")
            raw.send(b"hello")
            self.assertEqual(raw.read_response(version="HTTP/1.0").body, b"hello")

    def test_a_hundred_pipelined_requests_are_answered_in_order(self):
        with self.server.connect() as raw:
            raw.send(b"".join(b"GET /int/%d HTTP/1.1\r\nHost: a\r\n\r\n" % i for i in range(100)))
            self.assertEqual([raw.read_response().body for _ in range(100)],
                             [b"%d" % i for i in range(100)])

    def test_pipelined_requests_keep_their_order_when_the_first_is_slow(self):
        with self.server.connect() as raw:
            raw.send(b"".join(b"GET /lambda-task/%d HTTP/1.1\r\nHost: a\r\n\r\n" % ms
                              for ms in (60, 0, 20, 1)) + b"GET /hello HTTP/1.1\r\nHost: a\r\n\r\n")
            self.assertEqual([raw.read_response().body for _ in range(5)],
                             [b"slept 60", b"slept 0", b"slept 20", b"slept 1", b"hello"])

    def test_pipelined_streams_do_not_mix(self):
        with self.server.connect() as raw:
            raw.send(b"".join(b"GET /stream/%d HTTP/1.1\r\nHost: a\r\n\r\n" % n for n in (5, 1, 3)))
            for chunks in (5, 1, 3):
                self.assertEqual(raw.read_response().body,
                                 b"".join(b"chunk %d\n" % i for i in range(chunks)))

    def test_a_megabyte_of_pipelined_requests_behind_a_slow_one(self):
        count = 20_000
        with self.server.connect() as raw:
            raw.send(b"GET /lambda-task/50 HTTP/1.1\r\nHost: a\r\n\r\n")
            raw.socket.setblocking(False)
            data = b"GET /hello HTTP/1.1\r\nHost: a\r\n\r\n" * count
            try:
                sent = raw.socket.send(data)
            finally:
                raw.socket.settimeout(raw.deadline)
            whole = sent // 36
            self.assertEqual(raw.read_response().body, b"slept 50")
            for _ in range(whole):
                self.assertEqual(raw.read_response().body, b"hello")

    def test_a_request_behind_the_body_of_another(self):
        for framing, body in ((b"Content-Length: 5", b"hello"),
                              (b"Transfer-Encoding: chunked", b"5\r\nhello\r\n0\r\n\r\n")):
            with self.subTest(framing), self.server.connect() as raw:
                raw.send((b"POST /echo HTTP/1.1\r\nHost: a\r\n" + framing + b"\r\n\r\n" + body) * 3 +
                         b"GET /int/7 HTTP/1.1\r\nHost: a\r\n\r\n")
                self.assertEqual([raw.read_response().body for _ in range(4)],
                                 [b"hello", b"hello", b"hello", b"7"])

    def test_a_body_that_no_handler_wants_is_skipped(self):
        for method, path, status in ((b"GET", b"/hello", 200), (b"POST", b"/get-only", 405),
                                     (b"POST", b"/nowhere", 404)):
            with self.subTest(path), self.server.connect() as raw:
                raw.send(method + b" " + path + b" HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n"
                         b"hello")
                response = raw.read_response()
                self.assertEqual(response.status, status)
                if not response.has_close():
                    raw.send(b"GET /hello HTTP/1.1\r\nHost: a\r\n\r\n")
                    self.assertEqual(raw.read_response().body, b"hello")

    def test_a_body_in_many_pieces_arrives_as_it_was_sent(self):
        body = b"".join(b"%07d\n" % i for i in range(MAX_BODY // 8))
        for size in (100, 1000, 16_384, 30_000):
            pieces = [body[at:at + size] for at in range(0, len(body), size)]
            for framing, data in (
                    (b"Content-Length: %d" % len(body), pieces),
                    (b"Transfer-Encoding: chunked",
                     [b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces] + [b"0\r\n\r\n"])):
                with self.subTest(framing + b" by %d" % size), self.server.connect() as raw:
                    raw.send(b"POST /echo HTTP/1.1\r\nHost: a\r\n" + framing + b"\r\n\r\n")
                    for piece in data:
                        # Another's bytes go through the loop's buffer between any two pieces.
                        self.assertEqual(self.server.get("/hello").body, b"hello")
                        raw.send(piece)
                    self.assertTrue(raw.read_response().body == body, "the body is another")

    REQUESTS = (b"POST /echo?x=y HTTP/1.1\r\nHost: a\r\nX: y\r\nContent-Length: 5\r\n\r\nhello",
                b"POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
                b"3;e\r\nhel\r\n2\r\nlo\r\n0\r\nT: u\r\n\r\n")

    def test_every_split_in_two_writes(self):
        for data in self.REQUESTS:
            for cut in range(1, len(data)):
                with self.server.connect() as raw:
                    raw.send(data[:cut])
                    raw.send(data[cut:] + data[:cut])  # the next begins with the last of this
                    self.assertEqual(raw.read_response().body, b"hello", cut)
                    raw.send(data[cut:])
                    self.assertEqual(raw.read_response().body, b"hello", cut)

    def test_byte_by_byte(self):
        for data in self.REQUESTS:
            with self.subTest(data[:40]), self.server.connect() as raw:
                for at in range(len(data)):
                    raw.send(data[at:at + 1])
                self.assertEqual(raw.read_response().body, b"hello")


class Responses(WireTest):
    def test_every_response_has_date_and_server(self):
        for path in ("/hello", "/nowhere", "/status/204", "/stream/2"):
            response = self.server.get(path)
            self.assertRegex(response.get("Date"),
                             r"^(Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d [A-Z][a-z]{2} \d{4} "
                             r"\d\d:\d\d:\d\d GMT$")
            self.assertTrue(response.get("Server"))

    def test_head_has_the_length_and_no_body(self):
        with self.server.connect() as raw:
            raw.send_request("HEAD", "/hello")
            response = raw.read_response(head=True)
            self.assertEqual((response.status, response.get("Content-Length")), (200, "5"))
            raw.send_request("HEAD", "/large/100000")
            self.assertEqual(raw.read_response(head=True).get("Content-Length"), "100000")
            raw.send_request("HEAD", "/stream/3")
            raw.read_response(head=True)
            raw.send_request("HEAD", "/nowhere")
            self.assertEqual(raw.read_response(head=True).status, 404)
            raw.send_request("HEAD", "/throw")
            self.assertEqual(raw.read_response(head=True).status, 500)
            raw.send_request("GET", "/hello")  # nothing of a body lies before it
            self.assertEqual(raw.read_response().body, b"hello")

    def test_204_and_304_have_no_body(self):
        with self.server.connect() as raw:
            for status in (204, 304):
                raw.send_request("GET", f"/status/{status}")
                response = raw.read_response()
                self.assertEqual(response.status, status)
                self.assertIsNone(response.get("Transfer-Encoding"))
            raw.send_request("GET", "/hello")
            self.assertEqual(raw.read_response().body, b"hello")

    def test_a_stream_is_chunked_in_http_1_1(self):
        with self.server.connect() as raw:
            raw.send_request("GET", "/stream/3")
            response = raw.read_response()
            self.assertTrue(response.is_chunked)
            self.assertEqual(response.chunks, [b"chunk 0\n", b"chunk 1\n", b"chunk 2\n"])
            raw.send_request("GET", "/hello")
            self.assertEqual(raw.read_response().body, b"hello")

    def test_a_stream_ends_with_the_connection_in_http_1_0(self):
        for keep_alive in ((), (("Connection", "keep-alive"),)):
            with self.server.connect() as raw:
                raw.send_request("GET", "/stream/3", keep_alive, version="HTTP/1.0")
                response = raw.read_response(version="HTTP/1.0")
                self.assertFalse(response.is_chunked)
                self.assertEqual(response.body, b"chunk 0\nchunk 1\nchunk 2\n")

    def test_flush_sends_at_once(self):
        with self.server.connect() as raw:
            raw.send_request("GET", "/slow-stream/100000")
            self.assertEqual(raw.read_head().status, 200)
            chunks = raw.read_chunks()
            self.assertEqual(next(chunks), b"data: 0\n\n")
            self.assertEqual(next(chunks), b"data: 1\n\n")
        self.server.wait_for_counter("slow-stream.on_connection_close")

    def test_a_status_may_have_a_reason_of_its_own(self):
        response = self.server.get("/status/299?reason=Fair%20Enough")
        self.assertEqual((response.status, response.reason), (299, "Fair Enough"))

    def test_sizes_arrive_whole(self):
        for size in (0, 1, 15_000, 16_383, 16_384, 16_385, 65_535, 65_536, 1 << 20, 50_000_000):
            with self.subTest(size), self.server.connect() as raw:
                raw.send_request("GET", f"/large/{size}")
                response = raw.read_head()
                self.assertEqual(response.get("Content-Length"), str(size))
                self.assertEqual(self.drain(raw, size), size)
                raw.send_request("GET", "/hello")
                self.assertEqual(raw.read_response().body, b"hello")

    def drain(self, raw, size):
        """Reads a body of x without keeping it."""
        got = len(raw.buffer)
        self.assertEqual(raw.buffer.count(b"x"), got)
        raw.buffer = b""
        while got < size:
            piece = raw.socket.recv(min(1 << 20, size - got))
            if not piece or piece.count(b"x") != len(piece):
                raise WireError(f"after {got} bytes came {piece[:100]!r}")
            got += len(piece)
        return got

    def test_a_large_stream_arrives_whole(self):
        response = self.server.get("/large-stream/5000000")
        self.assertEqual(len(response.body), 5_000_000)
        self.assertEqual(re.sub(b"y", b"", response.body), b"")


if __name__ == "__main__":
    main()
