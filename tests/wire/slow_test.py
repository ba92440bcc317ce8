# SPDX-License-Identifier: Apache-2.0
"""Clients that are slow, that do not read, and that leave in the middle."""
import select
import socket
import time

from squall_wire import Server, WireError, WireTest, main, wait_for
from ws_frames import BINARY, TEXT, connect, frame


def trickle(raw, data, pause, deadline=20.0):
    """Sends a byte each `pause` seconds until an answer comes; gives the seconds that took."""
    begin = time.monotonic()
    for at in range(len(data)):
        if select.select([raw.socket], [], [], pause)[0]:
            return time.monotonic() - begin
        if time.monotonic() - begin > deadline:
            break
        try:
            raw.send(data[at:at + 1])
        except (BrokenPipeError, ConnectionResetError):
            return time.monotonic() - begin
    raise WireError(f"{time.monotonic() - begin:.1f} s of trickling and no answer")


class SlowInput(WireTest):
    OPTIONS = ("--header-timeout-ms=400", "--body-timeout-ms=400", "--idle-timeout-ms=400")

    def test_a_head_that_trickles_is_408(self):
        with self.server.connect() as raw:
            took = trickle(raw, b"GET /hello HTTP/1.1\r\nHost: a\r\nX: " + b"y" * 1000, 0.05)
            self.assertGreaterEqual(took, 0.3)
            self.assertEqual(raw.read_response().status, 408)
            raw.expect_closed()
        self.assert_healthy()

    def test_many_that_trickle_do_not_hold_up_the_others(self):
        raws = [self.server.connect() for _ in range(200)]
        for raw in raws:
            raw.send(b"GET /hello HTTP/1.1\r\nHost: a\r\nX: ")
        begin = time.monotonic()
        for _ in range(20):
            self.assert_healthy()
        self.assertLess(time.monotonic() - begin, 10)
        for raw in raws:
            self.assertEqual(raw.read_response().status, 408)
            raw.expect_closed()
            raw.close()

    def test_the_second_head_of_a_connection_has_a_deadline_too(self):
        with self.server.connect() as raw:
            raw.send(b"GET /hello HTTP/1.1\r\nHost: a\r\n\r\nGET /hel")
            self.assertEqual(raw.read_response().body, b"hello")
            self.assertEqual(raw.read_response().status, 408)
            raw.expect_closed()

    def test_a_connection_that_says_nothing_is_closed(self):
        with self.server.connect() as raw:
            raw.expect_closed()

    def test_an_idle_connection_is_closed_without_a_word(self):
        with self.server.connect() as raw:
            raw.send_request("GET", "/hello")
            self.assertFalse(raw.read_response().has_close())
            begin = time.monotonic()
            raw.expect_closed()
            self.assertGreater(time.monotonic() - begin, 0.2)

    def test_requests_renew_the_idle_time(self):
        with self.server.connect() as raw:
            begin = time.monotonic()
            while time.monotonic() - begin < 1.2:
                raw.send_request("GET", "/lambda-task/100")
                self.assertEqual(raw.read_response().status, 200)

    def test_a_body_that_stops_is_408(self):
        for start in (b"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\n",
                      b"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\nsome",
                      b"POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n",
                      b"POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhe",
                      b"POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX"):
            with self.subTest(start), self.server.connect() as raw:
                raw.send(start)
                self.assertEqual(raw.read_response().status, 408)
                raw.expect_closed()

    def test_a_slow_handler_is_no_slow_client(self):
        with self.server.connect() as raw:
            raw.send_request("GET", "/lambda-task/1500")
            self.assertEqual(raw.read_response().body, b"slept 1500")

    def test_a_websocket_may_be_idle(self):
        with connect(self.server, "/ws") as peer:
            self.server.get("/lambda-task/1500")
            peer.send(frame(TEXT, b"still here"))
            self.assertEqual(peer.read_frame().payload, b"still here")


class SlowOutput(WireTest):
    OPTIONS = ("--write-timeout-ms=1500", "--max-queue=1048576")

    def setUp(self):
        super().setUp()
        self.raws = []
        self.measures_memory = not self.server.is_sanitized()
        self.descriptors = self.server.descriptors()

    def tearDown(self):
        for raw in self.raws:
            raw.close()
        self.wait_until_given_up()

    def wait_until_given_up(self):
        """Until the server has lost patience with all its clients, which may still be there."""
        wait_for(lambda: self.server.descriptors() <= self.descriptors, "connections to be given up")

    def lazy(self, path=None):
        """A client with a small window, which asks and does not read."""
        raw = self.server.connect(receive_buffer=4096)
        self.raws.append(raw)
        if path:
            raw.send_request("GET", path)
        return raw

    def assert_prompt(self):
        begin = time.monotonic()
        for _ in range(20):
            self.assert_healthy()
        self.assertLess(time.monotonic() - begin, 10)

    def assert_grew_less(self, before, mib):
        if self.measures_memory:
            self.assertLess(self.server.resident_mib() - before, mib)

    def test_a_stream_waits_for_its_client(self):
        before = self.server.resident_mib()
        for _ in range(10):
            self.lazy("/large-stream/50000000")
        self.assert_prompt()
        self.assert_grew_less(before, 60)
        self.wait_until_given_up()

    def test_an_endless_stream_ends_with_the_patience_for_its_client(self):
        before = self.server.counter("endless.ended")
        self.lazy("/endless")
        self.server.wait_for_counter("endless.ended", before + 1)

    def test_an_endless_stream_ends_when_its_client_leaves(self):
        before = self.server.counter("endless.ended")
        with self.server.connect() as raw:
            raw.send_request("GET", "/endless")
            raw.take(1_000_000)
        self.server.wait_for_counter("endless.ended", before + 1)

    def test_a_large_response_that_is_not_read_is_given_back(self):
        before = self.server.resident_mib()
        for _ in range(4):
            self.lazy("/large/50000000")
        self.assert_prompt()
        self.wait_until_given_up()
        if self.measures_memory:
            wait_for(lambda: self.server.resident_mib() - before < 60, "the memory to be given back")

    def test_a_client_that_reads_slowly_but_steadily_is_not_given_up(self):
        # Our kernel holds megabytes for it, and wakes the server only when a third of them has gone.
        size = 10_000_000
        with Server("--write-timeout-ms=1000") as server, \
                server.connect(receive_buffer=65536) as raw:
            raw.send_request("GET", f"/large/{size}")
            raw.read_head()
            got = len(raw.buffer)
            begin = time.monotonic()
            while time.monotonic() - begin < 3:
                got += len(raw.socket.recv(10_000))
                select.select([], [], [], 0.05)
            while more := raw.socket.recv(1 << 20):
                got += len(more)
                if got == size:
                    break
            self.assertEqual(got, size)

    def test_a_flood_of_pipelined_requests_is_not_read_on(self):
        before = self.server.resident_mib()
        for _ in range(4):
            raw = self.lazy()
            raw.socket.settimeout(0.5)
            data = b"GET /large/10000 HTTP/1.1\r\nHost: a\r\n\r\n" * 1000
            try:
                for _ in range(1000):  # asks for 10 GB
                    raw.send(data)
                self.fail("all was read")
            except (socket.timeout, BrokenPipeError, ConnectionResetError):
                pass
            raw.socket.settimeout(raw.deadline)
            self.assert_grew_less(before, 100)
        self.assert_prompt()

    def test_a_flooded_websocket_is_dropped(self):
        before = self.server.resident_mib()
        peer = connect(self.server, "/ws/flood", receive_buffer=4096)
        self.raws.append(peer)
        peer.send(frame(TEXT, b"go"))
        self.server.wait_for_counter("flood.overflow")
        self.assert_grew_less(before, 60)
        self.assertEqual(self.server.counter("flood.written_after_overflow"), 0)
        self.assertEqual(self.server.counter("flood.open_after_overflow"), 0)
        self.assert_prompt()
        self.server.wait_for_counter("ws.closed.1006")

    def test_a_websocket_that_waits_for_its_client_loses_nothing(self):
        peer = connect(self.server, "/ws/flood", receive_buffer=4096)
        self.raws.append(peer)
        peer.send(frame(TEXT, b"drain 200"))
        for _ in range(200):
            message = peer.read_frame()
            self.assertEqual((message.opcode, message.payload), (BINARY, b"f" * 32768))
        self.assertEqual(peer.read_frame().payload, b"drained")

    def test_an_echo_that_is_not_read_is_not_read_on(self):
        before = self.server.resident_mib()
        peer = connect(self.server, "/ws", receive_buffer=4096)
        self.raws.append(peer)
        peer.socket.settimeout(0.5)
        message = frame(BINARY, b"e" * 60_000)
        try:
            for _ in range(3000):  # 180 MB
                peer.send(message)
            self.fail("all was read")
        except (socket.timeout, BrokenPipeError, ConnectionResetError):
            pass
        self.assert_grew_less(before, 60)
        self.assert_prompt()

    def test_pings_whose_pongs_are_not_read_take_no_memory(self):
        # RFC 6455 section 5.5.3: of pings that wait for an answer, the latest may be the only one
        # that gets it. So they are read on, and nothing is kept of them.
        before = self.server.resident_mib()
        peer = connect(self.server, "/ws", receive_buffer=4096)
        self.raws.append(peer)
        pings = frame(9, b"p" * 125) * 400
        for _ in range(3000):  # 1.2 million
            peer.send(pings)
        peer.send(frame(9, b"the last one"))
        self.assert_grew_less(before, 8)
        self.assert_prompt()
        while peer.read_frame().payload != b"the last one":
            pass


class Leaving(WireTest):
    OPTIONS = ()

    def leave_everywhere(self, leave):
        head = b"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\n"
        for data in (b"", b"G", b"POST /echo HTTP/1.1\r\nHost: a\r\n", head, head + b"half of it",
                     b"POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhe"):
            raw = self.server.connect()
            raw.send(data)
            leave(raw)
        for path in ("/large/50000000", "/large-stream/50000000", "/slow-stream/1000000", "/sleep/50",
                     "/stream/100000"):
            raw = self.server.connect()
            raw.send_request("GET", path)
            if not path.startswith("/sleep"):
                raw.take(100)
            leave(raw)
        for data in (b"", frame(TEXT, b"hello")[:1], frame(TEXT, b"hello")[:4], frame(TEXT, b"hello")[:8],
                     frame(TEXT, b"hello", fin=False), frame(BINARY, b"x" * 100_000)[:50_000]):
            peer = connect(self.server, "/ws")
            peer.send(data)
            leave(peer)

    def test_leaving_anywhere_gives_everything_back(self):
        self.assert_healthy()
        descriptors = self.server.descriptors()
        for _ in range(5):
            self.leave_everywhere(lambda raw: raw.close())
            self.leave_everywhere(lambda raw: raw.reset())
        self.assert_healthy()
        wait_for(lambda: self.server.descriptors() <= descriptors + 1, "descriptors to be closed")
        opened = self.server.counter("ws.opened")
        self.server.wait_for_counter("ws.closed", opened)
        self.server.wait_for_counter("ws.destroyed", opened)
        self.assertEqual(self.server.counter("ws.closed.twice"), 0)

    def test_a_waiting_handler_is_cancelled_when_its_client_leaves(self):
        for leave in (lambda raw: raw.close(), lambda raw: raw.reset()):
            before = self.server.counters()
            raw = self.server.connect()
            raw.send_request("GET", "/never")
            self.server.wait_for_counter("never.started", before.get("never.started", 0) + 1)
            leave(raw)
            for what in ("never.on_connection_close", "never.cancelled", "never.destroyed"):
                self.server.wait_for_counter(what, before.get(what, 0) + 1)
        self.assertEqual(self.server.counter("never.on_finish"), 0)

    def test_leaving_is_noticed_behind_a_pile_of_pipelined_requests(self):
        started, cancelled = (self.server.counter(f"never.{what}") for what in ("started", "cancelled"))
        raw = self.server.connect()
        raw.send_request("GET", "/never")
        self.server.wait_for_counter("never.started", started + 1)
        raw.send(b"GET /hello HTTP/1.1\r\nHost: a\r\n\r\n" * 5000)  # more than is read ahead
        raw.close()
        self.server.wait_for_counter("never.cancelled", cancelled + 1, 5)

    def test_a_handler_may_go_on_without_its_client(self):
        raw = self.server.connect()
        raw.send_request("GET", "/stubborn")
        self.server.wait_for_counter("stubborn.started")
        raw.close()
        self.server.wait_for_counter("stubborn.ended")
        self.assert_healthy()

    def test_a_waiting_message_handler_is_cancelled_when_its_client_leaves(self):
        peer = connect(self.server, "/ws/never")
        peer.send(frame(TEXT, b"wait"))
        self.server.wait_for_counter("ws.never.started")
        peer.close()
        self.server.wait_for_counter("ws.never.cancelled")
        self.server.wait_for_counter("ws.closed", self.server.counter("ws.opened"))

    def test_half_closed_after_the_request_still_gets_its_answer(self):
        for path in ("/hello", "/large/5000000"):
            with self.server.connect() as raw:
                raw.send_request("GET", path)
                raw.half_close()
                self.assertEqual(raw.read_response().status, 200)
                raw.expect_closed()

    def test_half_closed_after_pipelined_requests_gets_all_answers(self):
        with self.server.connect() as raw:
            raw.send(b"GET /hello HTTP/1.1\r\nHost: a\r\n\r\n" * 50)
            raw.half_close()
            for _ in range(50):
                self.assertEqual(raw.read_response().body, b"hello")
            raw.expect_closed()

    def test_half_closed_within_a_request_gets_nothing_or_400(self):
        for data in (b"GET /hel", b"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nhalf"):
            with self.server.connect() as raw:
                raw.send(data)
                raw.half_close()
                answer = raw.expect_broken()
                self.assertTrue(answer in (b"",) or answer.startswith(b"HTTP/1.1 400 "), answer)


if __name__ == "__main__":
    main()
