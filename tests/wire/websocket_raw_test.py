# SPDX-License-Identifier: Apache-2.0
"""RFC 6455 by hand-made frames: what breaks the protocol, how connections end, handshakes."""
import struct

from squall_wire import WireTest, main, wait_for
from ws_frames import (BINARY, CLOSE, CONTINUATION, PING, PONG, TEXT, close_frame, connect, frame,
                       handshake)

MAX_MESSAGE = 256 * 1024

# What is wrong, the bytes, the close code.
VIOLATIONS = [
    # section 5.1
    ("an unmasked text", frame(TEXT, b"hello", mask=False), 1002),
    ("an unmasked ping", frame(PING, mask=False), 1002),
    ("an unmasked close", frame(CLOSE, struct.pack("!H", 1000), mask=False), 1002),
    ("an unmasked frame in a message", frame(TEXT, b"a", fin=False) +
     frame(CONTINUATION, b"b", mask=False), 1002),
    # section 5.2
    ("RSV1 without an extension", frame(TEXT, b"hello", reserved=4), 1002),
    ("RSV2", frame(TEXT, b"hello", reserved=2), 1002),
    ("RSV3", frame(BINARY, b"hello", reserved=1), 1002),
    ("all reserved bits", frame(TEXT, reserved=7), 1002),
    ("RSV1 on a ping", frame(PING, reserved=4), 1002),
    ("RSV1 on a continuation", frame(TEXT, b"a", fin=False) + frame(CONTINUATION, reserved=4), 1002),
    *((f"opcode {opcode}", frame(opcode, b"hello"), 1002) for opcode in (3, 4, 5, 6, 7)),
    *((f"opcode {opcode}", frame(opcode, b"hello"), 1002) for opcode in (11, 12, 13, 14, 15)),
    ("16 bits for a length of 5", frame(TEXT, b"hello", form=16), 1002),
    ("16 bits for a length of 125", frame(TEXT, b"h" * 125, form=16), 1002),
    ("64 bits for a length of 5", frame(TEXT, b"hello", form=64), 1002),
    ("64 bits for a length of 65535", frame(BINARY, b"h" * 65535, form=64), 1002),
    ("a length with the top bit", frame(BINARY, length=1 << 63, form=64), 1002),
    # section 5.4
    ("a continuation of nothing", frame(CONTINUATION, b"hello"), 1002),
    ("an unfinished continuation of nothing", frame(CONTINUATION, b"hello", fin=False), 1002),
    ("a text within a message", frame(TEXT, b"a", fin=False) + frame(TEXT, b"b"), 1002),
    ("a binary within a message", frame(TEXT, b"a", fin=False) + frame(BINARY, b"b"), 1002),
    ("another start within a message", frame(BINARY, fin=False) + frame(BINARY, fin=False), 1002),
    # section 5.5
    ("a fragmented ping", frame(PING, b"a", fin=False), 1002),
    ("a fragmented pong", frame(PONG, b"a", fin=False), 1002),
    ("a fragmented close", frame(CLOSE, b"\3\xe8", fin=False), 1002),
    ("a ping of 126 bytes", frame(PING, b"p" * 126), 1002),
    ("a pong of 126 bytes", frame(PONG, b"p" * 126), 1002),
    ("a close of 126 bytes", close_frame(1000, b"r" * 124), 1002),
    ("a ping of 64 bits", frame(PING, b"p", form=64), 1002),
    # sections 5.5.1 and 7.4
    ("a close of one byte", frame(CLOSE, b"\3"), 1002),
    *((f"close code {code}", close_frame(code), 1002) for code in
      (0, 1, 999, 1004, 1005, 1006, 1015, 1016, 1100, 1999, 2000, 2999, 5000, 65535)),
    ("a close reason that is not UTF-8", close_frame(1000, b"\xff"), 1007),
    ("a close reason that ends within a character", close_frame(1000, "é".encode()[:1]), 1007),
    # sections 5.6 and 8.1
    ("text that is not UTF-8", frame(TEXT, b"\xff"), 1007),
    ("half a character", frame(TEXT, "é".encode()[:1]), 1007),
    ("an overlong character", frame(TEXT, b"\xc0\xaf"), 1007),
    ("an overlong NUL", frame(TEXT, b"\xe0\x80\x80"), 1007),
    ("a surrogate", frame(TEXT, b"\xed\xa0\x80"), 1007),
    ("a character past U+10FFFF", frame(TEXT, b"\xf4\x90\x80\x80"), 1007),
    ("a lonely continuation byte", frame(TEXT, b"hello\x80"), 1007),
    ("bad UTF-8 late in a long text", frame(TEXT, b"a" * 70_000 + b"\xfe"), 1007),
    ("bad UTF-8 in the last fragment", frame(TEXT, b"a", fin=False) + frame(CONTINUATION, b"\xff"),
     1007),
    ("bad UTF-8 in the first fragment", frame(TEXT, b"\xff", fin=False), 1007),
    ("a character that never ends", frame(TEXT, "é".encode()[:1], fin=False) + frame(CONTINUATION),
     1007),
    ("bad UTF-8 in a frame of which more is to come", frame(TEXT, b"\xff" * 50, length=100), 1007),
    # section 7.4.1
    ("a message past the limit", frame(BINARY, b"m" * (MAX_MESSAGE + 1)), 1009),
    ("a message past the limit, announced", frame(BINARY, length=MAX_MESSAGE + 1, form=64), 1009),
    ("a message of 2^62 bytes, announced", frame(TEXT, length=1 << 62, form=64), 1009),
    ("fragments past the limit", frame(BINARY, b"m" * MAX_MESSAGE, fin=False) +
     frame(CONTINUATION, b"m"), 1009),
]


class Protocol(WireTest):
    OPTIONS = (f"--max-message={MAX_MESSAGE}",)

    def assert_echo(self, peer, payload=b"still well"):
        peer.send(frame(TEXT, payload))
        got = peer.read_frame()
        self.assertEqual((got.opcode, got.payload), (TEXT, payload))

    def test_violations_get_their_close_code_and_the_end(self):
        self.assertEqual(len(VIOLATIONS), len({name for name, _, _ in VIOLATIONS}))
        for name, data, code in VIOLATIONS:
            with self.subTest(name), connect(self.server) as peer:
                peer.send(data)
                got = peer.read_close()
                self.assertEqual(got.code, code, got)
                got.reason.decode()
                peer.expect_closed()
        with connect(self.server) as peer:
            self.assert_echo(peer)

    def test_violations_after_a_good_message_and_in_the_handshakes_packet(self):
        for name, data, code in VIOLATIONS[::3]:
            with self.subTest(name), connect(self.server, after=frame(TEXT, b"good") + data) as peer:
                self.assertEqual(peer.read_frame().payload, b"good")
                self.assertEqual(peer.read_close().code, code)
                peer.expect_closed()

    def test_violations_sent_byte_by_byte(self):
        for name, data, code in VIOLATIONS:
            if len(data) > 300:
                continue
            with self.subTest(name), connect(self.server) as peer:
                try:
                    for at in range(len(data)):
                        peer.send(data[at:at + 1])
                except (BrokenPipeError, ConnectionResetError):
                    pass
                self.assertEqual(peer.read_close().code, code)

    def test_after_a_violation_nothing_is_answered(self):
        with connect(self.server) as peer:
            peer.send(frame(3) + frame(TEXT, b"hello") + frame(PING))
            self.assertEqual(peer.read_close().code, 1002)
            peer.expect_closed()

    def test_messages_of_every_kind_of_length(self):
        with connect(self.server) as peer:
            for size in (0, 1, 124, 125, 126, 127, 65535, 65536, 65537, MAX_MESSAGE):
                for opcode in (TEXT, BINARY):
                    payload = (b"0123456789" * (size // 10 + 1))[:size]
                    peer.send(frame(opcode, payload))
                    got = peer.read_frame()
                    self.assertEqual((got.opcode, got.fin), (opcode, True))
                    self.assertEqual(got.payload, payload)

    def test_texts_of_every_width(self):
        with connect(self.server) as peer:
            for text in ("é", "€", "𐍈", "\0", "\u07ff\u0800\uffff\U00010000\U0010ffff", "\ufeffBOM"):
                self.assert_echo(peer, text.encode())

    def test_fragments_make_one_message(self):
        pieces = [b"one ", "é".encode()[:1], "é".encode()[1:], b"", b" five"]
        with connect(self.server) as peer:
            for opcode in (TEXT, BINARY):
                for at, piece in enumerate(pieces):
                    peer.send(frame(opcode if at == 0 else CONTINUATION, piece, fin=at == 4))
                got = peer.read_frame()
                self.assertEqual((got.opcode, got.payload), (opcode, "one é five".encode()))
            peer.send(frame(TEXT, fin=False) + frame(CONTINUATION, fin=False) * 1000 +
                      frame(CONTINUATION, b"end"))
            self.assertEqual(peer.read_frame().payload, b"end")

    def test_controls_within_a_message_are_answered_at_once(self):  # section 5.4
        with connect(self.server) as peer:
            peer.send(frame(TEXT, b"a", fin=False) + frame(PING, b"in between"))
            got = peer.read_frame()
            self.assertEqual((got.opcode, got.payload), (PONG, b"in between"))
            peer.send(frame(PONG, b"unasked") + frame(CONTINUATION, b"b", fin=False) + frame(PING) +
                      frame(CONTINUATION, b"c"))
            self.assertEqual(peer.read_frame().opcode, PONG)
            self.assertEqual(peer.read_frame().payload, b"abc")

    def test_a_message_that_is_whole_cannot_be_continued(self):
        with connect(self.server) as peer:
            peer.send(frame(TEXT, b"a", fin=False) + frame(CONTINUATION) + frame(CONTINUATION, b"x"))
            self.assertEqual(peer.read_frame().payload, b"a")
            self.assertEqual(peer.read_close().code, 1002)

    def test_a_close_within_a_message(self):
        with connect(self.server) as peer:
            peer.send(frame(TEXT, b"a", fin=False) + close_frame(1000))
            self.assertEqual(peer.read_close().code, 1000)
            peer.expect_closed()

    def test_pings_are_answered_with_their_payload(self):
        with connect(self.server) as peer:
            for payload in (b"", b"p", bytes(range(125)), b"p" * 125):
                peer.send(frame(PING, payload))
                got = peer.read_frame()
                self.assertEqual((got.opcode, got.payload), (PONG, payload))
            peer.send(b"".join(frame(PING, b"%d" % i) for i in range(500)))
            for i in range(500):
                self.assertEqual(peer.read_frame().payload, b"%d" % i)

    def test_pongs_that_nobody_asked_for_are_ignored(self):
        with connect(self.server) as peer:
            peer.send(frame(PONG) + frame(PONG, b"hello"))
            self.assert_echo(peer)

    def test_every_split_of_a_stream_of_frames(self):
        stream = (frame(TEXT, b"first") + frame(PING, b"p") + frame(BINARY, b"x", fin=False) +
                  frame(PING) + frame(CONTINUATION, b"y") + frame(TEXT, "é€".encode()) +
                  frame(BINARY, b"z" * 130))
        wanted = [(TEXT, b"first"), (PONG, b"p"), (PONG, b""), (BINARY, b"xy"),
                  (TEXT, "é€".encode()), (BINARY, b"z" * 130)]
        with connect(self.server) as peer:
            for cut in range(len(stream)):
                peer.send(stream[:cut])
                peer.send(stream[cut:])
                for opcode, payload in wanted:
                    got = peer.read_frame()
                    self.assertEqual((got.opcode, got.payload), (opcode, payload), cut)
            for at in range(len(stream)):
                peer.send(stream[at:at + 1])
            for opcode, payload in wanted:
                got = peer.read_frame()
                self.assertEqual((got.opcode, got.payload), (opcode, payload))

    def test_bytes_behind_the_handshake_in_its_packet(self):
        first, rest = frame(TEXT, b"eager"), frame(TEXT, b"x" * 1000)
        for path in ("/ws", "/ws/string"):
            for cut in (0, 1, 7):
                with connect(self.server, path, after=first + rest[:cut]) as peer:
                    self.assertEqual(peer.read_frame().payload, b"eager")
                    peer.send(rest[cut:])
                    self.assertEqual(peer.read_frame().payload, b"x" * 1000)

    def test_messages_wait_for_an_open_that_takes_its_time(self):
        for path, first in (("/ws/open/7", b"opened 7"), ("/ws/prepared?token=good", None)):
            messages = b"".join(frame(TEXT, b"%d" % i) for i in range(20))
            with connect(self.server, path, after=messages) as peer:
                if first:
                    self.assertEqual(peer.read_frame().payload, first)
                for i in range(20):
                    self.assertEqual(peer.read_frame().payload, b"%d" % i)


class Endings(WireTest):
    def setUp(self):
        super().setUp()
        wait_for(lambda: self.server.counter("ws.opened") == self.server.counter("ws.closed"),
                 "the sockets of earlier tests to be closed")
        self.before = self.server.counters()

    def assert_closed_once(self, code, sockets=1):
        self.server.wait_for_counter("ws.closed", self.before.get("ws.closed", 0) + sockets)
        name = f"ws.closed.{code}"
        now = self.server.counters()
        self.assertEqual(now.get(name, 0), self.before.get(name, 0) + sockets, now)
        self.server.wait_for_counter("ws.destroyed", now["ws.opened"])
        self.assertEqual(now.get("ws.closed.twice", 0), 0)

    def test_a_close_code_is_echoed(self):  # section 5.5.1
        codes = (1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 3999,
                 4000, 4999)
        for code in codes:
            with self.subTest(code), connect(self.server) as peer:
                self.before = self.server.counters()
                peer.send(close_frame(code, b"some reason"))
                self.assertEqual(peer.read_close().code, code)
                peer.expect_closed()
                self.assert_closed_once(code)
        self.assertEqual(self.server.counter("ws.reason.some reason"), len(codes))

    def test_a_close_without_a_code(self):
        with connect(self.server) as peer:
            peer.send(close_frame())
            self.assertIn(peer.read_close().code, (None, 1000))
            peer.expect_closed()
        self.assert_closed_once(1005)

    def test_the_longest_reason(self):
        with connect(self.server) as peer:
            peer.send(close_frame(1000, ("é" * 61 + "!").encode()))
            self.assertEqual(peer.read_close().code, 1000)
        self.assert_closed_once(1000)

    def test_what_follows_a_close_is_not_looked_at(self):
        with connect(self.server) as peer:
            peer.send(close_frame(1000) + frame(TEXT, b"more") + b"\xff" * 100)
            self.assertEqual(peer.read_close().code, 1000)
            peer.expect_closed()
        self.assert_closed_once(1000)

    def test_leaving_without_a_close(self):
        for leave in (lambda peer: peer.close(), lambda peer: peer.reset(),
                      lambda peer: peer.half_close()):
            self.before = self.server.counters()
            peer = connect(self.server)
            peer.send(frame(TEXT, b"hello"))
            peer.read_frame()
            leave(peer)
            self.assert_closed_once(1006)
            peer.close()

    def test_a_violation(self):
        with connect(self.server) as peer:
            peer.send(frame(3))
            peer.read_close()
        self.assert_closed_once(1002)

    def test_the_server_closes(self):
        with connect(self.server, "/ws/close") as peer:
            peer.send(frame(TEXT, b"4001 enough of this"))
            got = peer.read_close()
            self.assertEqual((got.code, got.reason), (4001, b"enough of this"))
            peer.send(frame(TEXT, b"too late"))  # on its way when the close came
            peer.send(close_frame(4001))
            peer.expect_closed()
        self.assert_closed_once(4001)
        self.assertEqual(self.server.counter("ws.written_after_close"), 0)

    def test_the_server_closes_and_the_client_leaves_without_an_answer(self):
        with connect(self.server, "/ws/close") as peer:
            peer.send(frame(TEXT, b"4001 bye"))
            peer.read_close()
        self.server.wait_for_counter("ws.closed", self.before.get("ws.closed", 0) + 1)

    def test_both_close_at_once(self):
        with connect(self.server, "/ws/close") as peer:
            peer.send(frame(TEXT, b"4001 bye") + close_frame(1000))
            self.assertEqual(peer.read_close().code, 4001)
            peer.expect_closed()
        self.server.wait_for_counter("ws.closed", self.before.get("ws.closed", 0) + 1)

    def test_a_long_reason_is_cut_between_characters(self):
        with connect(self.server, "/ws/close") as peer:
            peer.send(frame(TEXT, ("4001 " + "é" * 100).encode()))
            got = peer.read_close()
            self.assertEqual(got.reason.decode(), "é" * 61)

    def test_a_handler_that_throws_closes_with_1011(self):  # RFC 6455 section 7.4.1
        for path, sends in (("/ws/throw", True), ("/ws/throw-task", True), ("/ws/open-throws", False)):
            self.before = self.server.counters()
            with self.subTest(path), connect(self.server, path) as peer:
                if sends:
                    peer.send(frame(TEXT, b"go"))
                got = peer.read_close()
                self.assertEqual(got.code, 1011)
                self.assertNotIn(b"wheel", got.reason)
                peer.send(close_frame(1011))
                peer.expect_closed()
                self.server.wait_for_counter("ws.closed", self.before.get("ws.closed", 0) + 1)
        self.assertIn("the socket's wheel came off later", self.server.log())
        self.assertIn("no way in", self.server.log())

    def test_a_code_that_may_not_be_sent_is_misuse(self):
        with connect(self.server, "/ws/close") as peer:
            peer.send(frame(TEXT, b"1005 no"))
            self.assertEqual(peer.read_close().code, 1011)
        self.server.wait_for_log("1005")

    def test_open_may_close(self):
        with connect(self.server, "/ws/open-closes") as peer:
            self.assertEqual(peer.read_frame().payload, b"goodbye")
            got = peer.read_close()
            self.assertEqual((got.code, got.reason), (4000, b"closed in open"))
            peer.send(close_frame(4000))
            peer.expect_closed()
        self.assert_closed_once(4000)


class Handshakes(WireTest):
    def refuse(self, data, status):
        with self.server.connect() as raw:
            raw.send(data)
            response = raw.read_response()
            self.assertEqual(response.status, status, response)
            self.assertIsNone(response.get("Sec-WebSocket-Accept"))
            return response

    def test_good_ones(self):
        for data in (
                handshake(), handshake(Upgrade="WebSocket"), handshake(Connection="keep-alive, Upgrade"),
                handshake(Connection="upgrade"), handshake(Upgrade="h2c, websocket"),
                handshake(headers=(("Origin", "http://wire.example"),)),
                handshake(headers=(("Origin", "https://friend.example"),)),
                handshake(headers=(("Origin", "http://friend.example:8080"),)),
                handshake(headers=(("Sec-WebSocket-Extensions", "permessage-deflate"),)),
                handshake(headers=(("Sec-WebSocket-Extensions", "x-unknown; a=b"),)),
                handshake(headers=(("Sec-WebSocket-Protocol", "chat"),)),
                handshake().replace(b"Sec-WebSocket-Key", b"sec-websocket-key")):
            with self.subTest(data), self.server.connect() as raw:
                raw.send(data)
                response = raw.read_head()
                self.assertEqual(response.status, 101, response)
                self.assertEqual(response.get("Upgrade").lower(), "websocket")
                self.assertEqual(response.get("Connection").lower(), "upgrade")
                self.assertEqual(response.get("Sec-WebSocket-Accept"),
                                 "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=")  # of section 1.3
                self.assertIsNone(response.get("Sec-WebSocket-Extensions"))
                self.assertIsNone(response.get("Sec-WebSocket-Protocol"))
                self.assertIsNone(response.get("Content-Length"))

    def test_bad_ones_are_400(self):  # section 4.2.1
        for replaced in ({"Upgrade": None}, {"Upgrade": "h2c"}, {"Connection": None},
                         {"Connection": "keep-alive"}, {"Sec-WebSocket-Key": None},
                         {"Sec-WebSocket-Key": ""}, {"Sec-WebSocket-Key": "short"},
                         {"Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ"},
                         {"Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZSE="},
                         {"Sec-WebSocket-Key": "!!!!IHNhbXBsZSBub25jZQ=="}):
            with self.subTest(replaced):
                by_name = {name.replace("-", "_"): value for name, value in replaced.items()}
                self.refuse(handshake(**by_name), 400)
        self.refuse(handshake(headers=(("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="),)), 400)
        self.refuse(handshake().replace(b"HTTP/1.1", b"HTTP/1.0"), 400)
        self.refuse(b"GET /ws HTTP/1.1\r\nHost: a\r\n\r\n", 400)

    def test_other_methods_are_405(self):
        for method in (b"POST", b"PUT", b"DELETE", b"PATCH"):
            response = self.refuse(handshake().replace(b"GET", method, 1), 405)
            self.assertIn("GET", response.get("Allow"))

    def test_other_versions_are_426(self):  # section 4.4
        for version in ("8", "7", "0", "14", "13, 8", "", None, "thirteen"):
            with self.subTest(version):
                response = self.refuse(handshake(Sec_WebSocket_Version=version), 426)
                self.assertEqual(response.get("Sec-WebSocket-Version"), "13")

    def test_other_origins_are_403(self):  # section 10.2
        for origin in ("http://enemy.example", "null", "http://wire.example.enemy.example",
                       "http://wire.example:81", "https://friend.example.enemy.example",
                       "http://friend.example", "https://friend.example:444", "wire.example", "http://",
                       "http://enemy.example@wire.example"):
            with self.subTest(origin):
                self.refuse(handshake(headers=(("Origin", origin),)), 403)

    def test_an_unknown_path_is_404(self):
        self.refuse(handshake("/nowhere"), 404)
        self.refuse(handshake("/ws/open/seven"), 404)

    def test_prepare_may_refuse(self):
        response = self.refuse(handshake("/ws/prepared?token=bad"), 401)
        self.assertFalse(response.has_close() and response.status == 101)

    def test_a_websocket_request_to_an_ordinary_route_is_an_ordinary_request(self):
        with self.server.connect() as raw:
            raw.send(handshake("/hello"))
            self.assertEqual(raw.read_response().body, b"hello")

    def test_subprotocols(self):
        for offered, chosen in (("squall.v1", "squall.v1"), ("squall.v1, squall.v2", "squall.v2"),
                                ("other, squall.v1", "squall.v1"), ("other", None)):
            with connect(self.server, "/ws/sub", (("Sec-WebSocket-Protocol", offered),)) as peer:
                self.assertEqual(peer.handshake.get("Sec-WebSocket-Protocol"), chosen)
                self.assertEqual(peer.read_frame().payload, f"chose {chosen or ''}".encode())

    def test_the_request_may_be_kept(self):
        with connect(self.server, "/ws/request", (("X-Mine", "kept"),)) as peer:
            for _ in range(20):
                self.server.get("/headers")  # uses the loop's buffers for other heads
            peer.send(frame(TEXT, b"x-mine"))
            self.assertEqual(peer.read_frame().payload, b"kept")

    def test_a_handler_without_any_function(self):
        with connect(self.server, "/ws/silent") as peer:
            peer.send(frame(TEXT, b"hello") + frame(PING, b"there?"))
            self.assertEqual(peer.read_frame().payload, b"there?")
            peer.send(close_frame(1000))
            self.assertEqual(peer.read_close().code, 1000)

    def test_pings_of_the_server(self):
        with connect(self.server, "/ws/ping") as peer:
            peer.send(frame(TEXT, b"hello"))
            got = peer.read_frame()
            self.assertEqual((got.opcode, got.payload), (PING, b"hello"))
            peer.send(frame(PONG, b"hello"))
            self.assertEqual(peer.read_frame().payload, b"pong hello")
            peer.send(frame(PING, b"you?"))
            self.assertEqual({peer.read_frame().payload for _ in range(2)}, {b"you?", b"ping you?"})
            peer.send(frame(TEXT, b"p" * 126))  # too long for a ping: misuse
            self.assertEqual(peer.read_close().code, 1011)


if __name__ == "__main__":
    main()
