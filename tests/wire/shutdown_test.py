# SPDX-License-Identifier: Apache-2.0
"""SIGTERM and SIGINT: what is in flight ends, what is idle is closed, what hangs is broken."""
import signal
import time
import unittest

from squall_wire import Raw, Server, main, wait_for
from ws_frames import TEXT, close_frame, connect, frame


def accepts(server):
    """Whether a new connection is taken; one that waits in a closing listener's queue is reset."""
    try:
        with Raw(server.address, deadline=5) as raw:
            raw.send_request("GET", "/hello")
            raw.read_response()
            return True
    except (OSError, AssertionError):
        return False


class Shutdown(unittest.TestCase):
    def test_idle(self):
        for number in (signal.SIGTERM, signal.SIGINT):
            with Server() as server:
                server.signal(number)
                self.assertEqual(server.wait_for_exit(), 0)

    def test_after_requests(self):
        with Server() as server:
            self.assertEqual(server.get("/hello").status, 200)
            server.signal()
            self.assertEqual(server.wait_for_exit(), 0)

    def test_a_request_in_flight_ends_and_says_close(self):
        with Server() as server, server.connect() as raw:
            raw.send_request("GET", "/sleep/400")
            server.wait_for_counter("sleep.started")
            server.signal()
            response = raw.read_response()
            self.assertEqual((response.status, response.body), (200, b"slept"))
            self.assertTrue(response.has_close(), response)
            raw.expect_closed()
            self.assertEqual(server.wait_for_exit(), 0)

    def test_nothing_new_is_taken_meanwhile(self):
        with Server() as server, server.connect() as raw:
            raw.send_request("GET", "/sleep/1500")
            server.wait_for_counter("sleep.started")
            server.signal()
            wait_for(lambda: not accepts(server), "the listener to be closed")
            self.assertEqual(raw.read_response().body, b"slept")
            self.assertEqual(server.wait_for_exit(), 0)

    def test_connections_that_wait_to_be_accepted_are_answered(self):
        for workers in ((), ("--workers=2",)):
            with Server(*workers) as server:
                server.signal(signal.SIGSTOP)
                raws = [server.connect() for _ in range(100)]
                for raw in raws:
                    raw.send_request("GET", "/hello")
                server.signal()
                server.signal(signal.SIGCONT)
                for raw in raws:
                    response = raw.read_response()
                    self.assertEqual((response.status, response.body), (200, b"hello"))
                    raw.close()
                self.assertEqual(server.wait_for_exit(), 0)

    def test_pipelined_requests_behind_the_one_in_flight_are_not_begun(self):
        with Server() as server, server.connect() as raw:
            raw.send(b"GET /sleep/300 HTTP/1.1\r\nHost: a\r\n\r\nGET /hello HTTP/1.1\r\nHost: a\r\n\r\n")
            server.wait_for_counter("sleep.started")
            server.signal()
            self.assertTrue(raw.read_response().has_close())
            raw.expect_closed()
            self.assertEqual(server.wait_for_exit(), 0)

    def test_a_stream_in_flight_ends(self):
        with Server() as server, server.connect() as raw:
            raw.send_request("GET", "/slow-stream/20")
            raw.read_head()
            server.signal()
            self.assertEqual(len(list(raw.read_chunks())), 20)
            raw.expect_closed()
            self.assertEqual(server.wait_for_exit(), 0)

    def test_a_large_response_that_is_being_read_ends(self):
        with Server() as server, server.connect() as raw:
            raw.send_request("GET", "/large-stream/20000000")
            raw.read_head()
            server.signal()
            self.assertEqual(sum(map(len, raw.read_chunks())), 20_000_000)
            self.assertEqual(server.wait_for_exit(), 0)

    def test_a_finished_response_that_the_kernel_has_not_taken_is_sent(self):
        with Server() as server, server.connect(receive_buffer=65536) as raw:
            raw.send_request("GET", "/large/20000000")
            head = raw.read_head()
            server.signal()
            self.assertEqual(len(raw.take(int(head.get("Content-Length")))), 20_000_000)
            self.assertEqual(server.wait_for_exit(), 0)

    def test_a_request_that_is_being_received_is_answered_or_closed(self):
        with Server("--shutdown-timeout-ms=3000") as server, server.connect() as raw:
            raw.send(b"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhe")
            self.assertEqual(server.get("/hello").status, 200)
            server.signal()
            wait_for(lambda: not accepts(server), "the listener to be closed")
            raw.send(b"llo")
            response = raw.read_response()
            self.assertEqual(response.body, b"hello")
            self.assertTrue(response.has_close())
            self.assertEqual(server.wait_for_exit(), 0)

    def test_idle_connections_are_closed(self):
        with Server() as server:
            raws = [server.connect() for _ in range(20)]
            for raw in raws[:10]:
                raw.send_request("GET", "/hello")
                raw.read_response()
            self.assertEqual(server.get("/hello").status, 200)
            server.signal()
            for raw in raws:
                raw.expect_closed()
                raw.close()
            self.assertEqual(server.wait_for_exit(), 0)

    def test_websockets_get_1001(self):
        with Server() as server:
            peers = [connect(server, path) for path in ("/ws", "/ws/room", "/ws/silent") * 5]
            server.signal()
            for peer in peers:
                self.assertEqual(peer.read_close().code, 1001)
                peer.send(close_frame(1001))
                peer.expect_closed()
                peer.close()
            self.assertEqual(server.wait_for_exit(), 0)
            stopped = server.process.stdout.read().decode()
            self.assertIn('"ws.closed":5', stopped)
            self.assertIn('"ws.closed.1001":5', stopped)
            self.assertIn('"room.left":5', stopped)

    def test_a_websocket_that_does_not_answer_does_not_hold_it_up(self):
        with Server("--shutdown-timeout-ms=500") as server, connect(server) as peer:
            begin = time.monotonic()
            server.signal()
            self.assertEqual(peer.read_close().code, 1001)
            self.assertEqual(server.wait_for_exit(), 0)
            self.assertLess(time.monotonic() - begin, 8)
            self.assertIn('"ws.closed":1', server.process.stdout.read().decode())

    def test_a_handler_that_never_ends_is_cut_off(self):
        with Server("--shutdown-timeout-ms=500") as server, server.connect() as raw:
            raw.send_request("GET", "/never")
            server.wait_for_counter("never.started")
            begin = time.monotonic()
            server.signal()
            self.assertEqual(server.wait_for_exit(), 0)
            self.assertGreater(time.monotonic() - begin, 0.4)
            self.assertLess(time.monotonic() - begin, 8)
            self.assertEqual(raw.expect_broken(), b"")
            stopped = server.process.stdout.read().decode()
            self.assertIn('"never.destroyed":1', stopped)
            self.assertIn('"never.on_connection_close":1', stopped)

    def test_a_message_handler_that_never_ends_is_cut_off(self):
        with Server("--shutdown-timeout-ms=500") as server, connect(server, "/ws/never") as peer:
            peer.send(frame(TEXT, b"wait"))
            server.wait_for_counter("ws.never.started")
            server.signal()
            self.assertEqual(server.wait_for_exit(), 0)
            self.assertIn('"ws.closed":1', server.process.stdout.read().decode())

    def test_a_second_signal_ends_it_at_once(self):
        for second in (signal.SIGINT, signal.SIGTERM):
            with Server("--shutdown-timeout-ms=60000") as server, server.connect() as raw:
                raw.send_request("GET", "/never")
                server.wait_for_counter("never.started")
                server.signal(signal.SIGINT)
                wait_for(lambda: not accepts(server), "the first signal to have its effect")
                server.signal(second)
                self.assertEqual(server.wait_for_exit(5), 0)

    def test_the_port_is_free_again(self):
        with Server() as server:
            port = server.port
            server.get("/hello")
            server.stop()
        with Server(f"--port={port}") as server:
            self.assertEqual(server.get("/hello").body, b"hello")


class Workers(unittest.TestCase):
    def test_requests_are_served_by_several_threads(self):
        with Server("--workers=3") as server:
            threads = set()
            wait_for(lambda: threads.add(server.get("/thread").body) or len(threads) == 3,
                     "three threads to have answered")

    def test_a_connection_stays_on_its_thread(self):
        with Server("--workers=3") as server, server.connect() as raw:
            threads = set()
            for _ in range(50):
                raw.send_request("GET", "/thread")
                threads.add(raw.read_response().body)
            self.assertEqual(len(threads), 1)

    def test_all_are_drained(self):
        with Server("--workers=3") as server:
            raws = [server.connect() for _ in range(30)]
            for raw in raws:
                raw.send_request("GET", "/sleep/500")
            server.wait_for_counter("sleep.started", 30)
            peers = [connect(server) for _ in range(12)]
            idle = [server.connect() for _ in range(12)]
            server.signal()
            for raw in raws:
                response = raw.read_response()
                self.assertEqual(response.body, b"slept")
                self.assertTrue(response.has_close())
            for peer in peers:
                self.assertEqual(peer.read_close().code, 1001)
                peer.send(close_frame(1001))
            for raw in raws + peers + idle:
                raw.expect_closed()
                raw.close()
            self.assertEqual(server.wait_for_exit(), 0)
            self.assertIn('"ws.closed":12', server.process.stdout.read().decode())

    def test_handlers_that_never_end_are_cut_off_on_every_thread(self):
        with Server("--workers=3", "--shutdown-timeout-ms=300") as server:
            raws = [server.connect() for _ in range(12)]
            for raw in raws:
                raw.send_request("GET", "/never")
            server.wait_for_counter("never.started", 12)
            server.signal()
            self.assertEqual(server.wait_for_exit(), 0)
            self.assertIn('"never.destroyed":12', server.process.stdout.read().decode())
            for raw in raws:
                raw.close()

    def test_a_second_signal_ends_all_at_once(self):
        with Server("--workers=3", "--shutdown-timeout-ms=60000") as server:
            raws = [server.connect() for _ in range(12)]
            for raw in raws:
                raw.send_request("GET", "/never")
            server.wait_for_counter("never.started", 12)
            server.signal(signal.SIGINT)
            wait_for(lambda: not accepts(server), "the first signal to have its effect")
            server.signal(signal.SIGINT)
            self.assertEqual(server.wait_for_exit(5), 0)
            for raw in raws:
                raw.close()


if __name__ == "__main__":
    main()
