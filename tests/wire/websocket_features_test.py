# SPDX-License-Identifier: Apache-2.0
"""Slow readers, pings, and handlers that read, with Python's websockets and with raw frames."""
import asyncio
import time

import websockets

from squall_wire import DEADLINE, WireTest, main, wait_for
from ws_frames import BINARY, CLOSE, CONTINUATION, PING, PONG, TEXT, close_frame, connect, frame

SENT, DISPLACED, CONFLATED, DROPPED, CLOSED, OVERFLOW = range(6)


class SlowReaders(WireTest):
    def flooded(self, result):
        return self.server.counter(f"flooded.{result}")

    def start(self, policy, messages):
        peer = connect(self.server, f"/ws/flooded?policy={policy}", receive_buffer=65536)
        self.before = self.server.resident_mib()
        self.sums = [self.flooded(result) for result in range(6)]
        peer.send(frame(TEXT, str(messages).encode()))
        return peer

    def wait_until_written(self, messages):
        """Meanwhile others are served, and the memory stays where it was."""
        slowest = 0
        with connect(self.server) as other:
            def is_done():
                nonlocal slowest
                begin = time.monotonic()
                other.send(frame(TEXT, b"quick"))
                self.assertEqual(other.read_frame().payload, b"quick")
                slowest = max(slowest, time.monotonic() - begin)
                return sum(self.flooded(result) for result in range(6)) - sum(self.sums) >= messages
            wait_for(is_done, "the messages to be written")
        if not self.server.is_sanitized():
            self.assertLess(self.server.resident_mib() - self.before, 4)
        self.assertLess(slowest, 1.0)

    def numbers(self, peer):
        """What the peer reads at last, up to "done"."""
        found = []
        while True:
            got = peer.read_frame()
            self.assertTrue(got.fin)
            if got.payload == b"done":
                return found
            self.assertEqual(len(got.payload), 16384, "a part of a message is missing")
            found.append(int(got.payload.split()[0]))

    def test_drop_oldest(self):
        with self.start("drop_oldest", 2000) as peer:
            self.wait_until_written(2000)
            found = self.numbers(peer)
        self.assertEqual(found, sorted(found))
        self.assertEqual(found[0], 0)
        self.assertEqual(found[-5:], [1995, 1996, 1997, 1998, 1999])
        self.assertLess(len(found), 2000)
        self.assertGreater(self.flooded(DISPLACED), 1000)

    def test_drop_newest(self):
        with self.start("drop_newest", 2000) as peer:
            self.wait_until_written(2000)
            found = self.numbers(peer)
        sent = self.flooded(SENT) - self.sums[SENT]
        self.assertEqual(found, sorted(found))
        self.assertEqual(len(found), sent)
        self.assertEqual(found[:10], list(range(10)))
        self.assertEqual(sent + self.flooded(DROPPED) - self.sums[DROPPED], 2000)

    def test_conflate(self):
        with self.start("conflate", 2000) as peer:
            self.wait_until_written(2000)
            found = self.numbers(peer)
        self.assertEqual(sorted(found[-3:]), [1997, 1998, 1999], "the latest of each key")
        self.assertEqual(len(found), self.flooded(SENT) - self.sums[SENT])
        self.assertGreater(self.flooded(CONFLATED), 1000)

    def test_disconnect(self):
        closed = self.server.counter("flooded.closed.1006")
        with self.start("disconnect", 2000):
            self.server.wait_for_counter("flooded.closed.1006", closed + 1)
        self.assertEqual(self.flooded(OVERFLOW), 1)
        self.server.wait_for_log("reads too slowly")


class Pings(WireTest):
    OPTIONS = ("--ws-ping-interval-ms=100", "--ws-ping-timeout-ms=50")

    def test_a_client_that_answers_stays_and_one_that_does_not_goes(self):
        with connect(self.server) as good, connect(self.server) as bad:
            for _ in range(4):
                ping = good.read_frame()
                self.assertEqual(ping.opcode, PING)
                good.send(frame(PONG, ping.payload))
            self.assertEqual(bad.read_frame().opcode, PING)
            bad.expect_broken()
            good.send(frame(TEXT, b"still here"))
            self.assertEqual(good.read_frame().payload, b"still here")
        self.server.wait_for_log("does not answer pings")

    def test_pings_come_while_the_handler_is_busy(self):
        with connect(self.server, "/ws/never") as peer:
            peer.send(frame(TEXT, b"x"))
            for _ in range(3):
                self.assertEqual(peer.read_frame().opcode, PING)
                peer.send(frame(PONG))

    def test_python_answers_by_itself(self):
        async def run():
            async with websockets.connect(self.server.url("/ws", "ws")) as socket:
                for at in range(5):
                    await asyncio.sleep(0.1)
                    await socket.send(str(at))
                    self.assertEqual(await socket.recv(), str(at))
        asyncio.run(asyncio.wait_for(run(), DEADLINE))


class Readers(WireTest):
    def test_messages_and_the_end(self):
        ended = self.server.counter("read.ended")

        async def run():
            async with websockets.connect(self.server.url("/ws/read", "ws")) as socket:
                for at in range(200):
                    await socket.send(str(at))
                await socket.send("slow")
                await socket.send(b"binary")
                for at in range(200):
                    self.assertEqual(await socket.recv(), str(at))
                self.assertEqual(await socket.recv(), "slow")
                self.assertEqual(await socket.recv(), b"binary")
        asyncio.run(asyncio.wait_for(run(), DEADLINE))
        self.server.wait_for_counter("read.ended", ended + 1)
        self.server.wait_for_counter("read.closed", self.server.counter("read.closed"))

    def test_open_that_returns_closes_with_1000(self):
        with connect(self.server, "/ws/read") as peer:
            peer.send(frame(TEXT, b"enough"))
            self.assertEqual(peer.read_close().code, 1000)
            peer.send(close_frame(1000))

    def test_a_client_that_leaves_ends_the_reading(self):
        ended = self.server.counter("read.ended")
        connect(self.server, "/ws/read").close()
        self.server.wait_for_counter("read.ended", ended + 1)

    def test_a_message_larger_than_memory_may_be(self):
        """Thirty times 1 MiB in one message; the server holds little of it at any time."""
        total = 30
        piece = b"p" * (1 << 20)
        with connect(self.server, "/ws/pieces") as peer:
            before = self.server.resident_mib()
            back = 0
            for at in range(total):
                peer.send(frame(BINARY if at == 0 else CONTINUATION, piece, fin=at == total - 1))
                while back < (at + 1) * len(piece):
                    got = peer.read_frame()
                    self.assertEqual(got.opcode, BINARY if back == 0 else CONTINUATION)
                    self.assertEqual(got.payload.strip(b"p"), b"")
                    back += len(got.payload)
            while not got.fin:
                got = peer.read_frame()
            if not self.server.is_sanitized():
                self.assertLess(self.server.resident_mib() - before, 6)
            peer.send(close_frame(1000))
            self.assertEqual(peer.read_frame().opcode, CLOSE)


if __name__ == "__main__":
    main()
