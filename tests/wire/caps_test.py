# SPDX-License-Identifier: Apache-2.0
"""Limits on connections: in total, and of one address."""
import contextlib
import ssl
import unittest

from squall_wire import Raw, Server, main, wait_for
from tls_files import Authority
from ws_frames import connect, close_frame


def answered(raw):
    """Whether the connection is served; False when the answer is 503 or the end."""
    raw.send_request("GET", "/hello")
    try:
        return raw.read_response().status == 200
    except (AssertionError, OSError):
        return False


def is_quiet(raw, seconds=0.3):
    raw.socket.settimeout(seconds)
    try:
        return raw.socket.recv(1) is None
    except TimeoutError:
        return True
    finally:
        raw.socket.settimeout(raw.deadline)


class Total(unittest.TestCase):
    def test_past_the_limit_connections_wait_until_others_end(self):
        for workers in ((), ("--workers=2",)):
            limit = 5
            with Server(f"--max-connections={limit}", *workers) as server, contextlib.ExitStack() as stack:
                served, waiting = [], []
                raws = [stack.enter_context(server.connect()) for _ in range(3 * limit)]
                for raw in raws:
                    raw.send_request("GET", "/hello")
                server.wait_for_log("connections are open, which is the limit")
                for raw in raws:
                    (waiting if is_quiet(raw) else served).append(raw)
                # Loops that accept at the same moment may each be one beyond.
                self.assertIn(len(served), range(1, limit + 1 + (1 if workers else 0)))
                if not workers:
                    self.assertEqual(len(served), limit)
                for raw in served:  # each that leaves lets another in
                    raw.close()
                done = 0
                while waiting:
                    raw = waiting.pop(0)
                    self.assertEqual(raw.read_response().status, 200)
                    raw.close()
                    done += 1
                self.assertGreaterEqual(done, 2 * limit - 1)
                self.assertEqual(server.get("/hello").status, 200)

    def test_websockets_count_once(self):
        with Server("--max-connections=3") as server:
            peers = [connect(server) for _ in range(2)]
            self.assertEqual(server.get("/hello").status, 200)
            for peer in peers:
                peer.send(close_frame(1000))
                peer.read_close()
                peer.expect_closed()
                peer.close()
            for _ in range(10):  # none was forgotten, none counted twice
                with server.connect() as one, server.connect() as two:
                    self.assertTrue(answered(one) and answered(two))

    def test_who_holds_the_limit_without_asking_is_sent_away(self):
        with Server("--max-connections=4", "--header-timeout-ms=300", "--idle-timeout-ms=300") as server:
            lorises = [server.connect() for _ in range(4)]
            for raw in lorises:
                raw.send(b"GET / HTTP/1.1\r\nHo")
            try:
                self.assertEqual(server.get("/hello").status, 200)  # after the time of the others
            finally:
                for raw in lorises:
                    raw.close()

    def test_half_a_head_a_byte_at_a_time_does_not_help(self):
        with Server("--max-connections=2", "--header-timeout-ms=500") as server:
            lorises = [server.connect() for _ in range(2)]
            try:
                with server.connect() as raw:
                    raw.send_request("GET", "/hello")
                    raw.socket.settimeout(0.02)
                    slow = iter(b"GET /hello HTTP/1.1\r\nHost: " + b"x" * 10_000)

                    def trickle():
                        byte = bytes([next(slow)])
                        for loris in lorises:
                            with contextlib.suppress(OSError):
                                loris.send(byte)
                        with contextlib.suppress(TimeoutError):
                            raw.buffer += raw.socket.recv(4096)
                        return raw.buffer
                    wait_for(trickle, "the answer", 10)
            finally:
                for loris in lorises:
                    loris.close()

    def test_the_end_does_not_wait_for_room(self):
        with Server("--max-connections=2") as server, server.connect() as one, server.connect() as two:
            self.assertTrue(answered(one) and answered(two))
            with server.connect():
                server.wait_for_log("which is the limit")
                server.signal()
                self.assertEqual(server.wait_for_exit(), 0)

    def test_without_a_setting_descriptors_are_the_limit(self):
        with Server(nofile=64) as server, contextlib.ExitStack() as stack:
            for _ in range(100):
                stack.enter_context(server.connect())
            server.wait_for_log("which is the limit")
            self.assertNotIn("cannot accept", server.log())
            self.assertLess(server.descriptors(), 60)


class OfAnAddress(unittest.TestCase):
    def test_one_more_is_answered_503(self):
        for workers in ((), ("--workers=3",)):
            with Server("--max-per-address=3", *workers) as server, contextlib.ExitStack() as stack:
                raws = [stack.enter_context(server.connect()) for _ in range(3)]
                self.assertTrue(all(answered(raw) for raw in raws))
                with server.connect() as raw:
                    refused = raw.read_response()
                    self.assertEqual(refused.status, 503)
                    self.assertTrue(refused.has_close())
                    self.assertEqual(refused.get("Retry-After"), "1")
                    raw.expect_closed()
                # Others are not concerned.
                with Raw(server.address, source="127.0.0.2") as other:
                    self.assertTrue(answered(other))
                # And when one leaves there is room for one.
                raws[0].close()

                def retry():
                    with server.connect() as raw:
                        return answered(raw)
                wait_for(retry, "room for another")

    def test_the_log_does_not_grow_with_the_attack(self):
        with Server("--max-per-address=1") as server, server.connect() as raw:
            self.assertTrue(answered(raw))
            for _ in range(300):
                with server.connect() as other:
                    other.read_response()
            server.wait_for_log("too many connections")
            self.assertLessEqual(server.log().count("too many connections"), 20)

    def test_over_tls_it_is_closed(self):
        with Authority() as authority:
            files = authority.issue("localhost", "127.0.0.1")
            context = ssl.create_default_context(cafile=authority.file)
            with Server("--max-per-address=1", "--cert", files.certificate, "--key", files.key) as server:
                with Raw(server.address) as raw:
                    raw.socket = context.wrap_socket(raw.socket, server_hostname="localhost")
                    self.assertTrue(answered(raw))
                    with Raw(server.address) as other:
                        self.assertEqual(other.expect_broken(), b"")

    def test_of_proxies_their_clients_count(self):
        line = "PROXY TCP4 192.0.2.{} 198.51.100.2 1 2\r\n"
        options = ("--trusted-proxies=127.0.0.1", "--max-per-address=1")
        with Server(*options, "--proxy-protocol=1") as server, contextlib.ExitStack() as stack:
            for client in (1, 2, 3):
                raw = stack.enter_context(server.connect())
                raw.send(line.format(client).encode())
                self.assertTrue(answered(raw))
            with server.connect() as raw:
                raw.send(line.format(2).encode())
                self.assertEqual(raw.read_response().status, 503)
        with Server(*options) as server, contextlib.ExitStack() as stack:
            raws = [stack.enter_context(server.connect()) for _ in range(5)]
            self.assertTrue(all(answered(raw) for raw in raws))

    def test_websockets_count_once(self):
        with Server("--max-per-address=2") as server, contextlib.ExitStack() as stack:
            for _ in range(2):
                stack.enter_context(connect(server))
            with server.connect() as raw:
                self.assertEqual(raw.read_response().status, 503)


if __name__ == "__main__":
    main()
