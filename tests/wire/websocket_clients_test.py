# SPDX-License-Identifier: Apache-2.0
"""Python's websockets against the server."""
import asyncio

import websockets

from squall_wire import DEADLINE, WireTest, main


class Websockets(WireTest):
    OPTIONS = (f"--max-message={2 << 20}",)

    def url(self, path):
        return self.server.url(path, "ws")

    def run_with(self, path, work, **options):
        async def run():
            options.setdefault("max_size", None)
            async with websockets.connect(self.url(path), open_timeout=DEADLINE, **options) as socket:
                return await asyncio.wait_for(work(socket), DEADLINE)
        return asyncio.run(run())

    def test_echo_of_every_size(self):
        async def work(socket):
            for size in (0, 1, 125, 126, 65535, 65536, 1 << 20):
                for message in ("t" * size, b"b" * size):
                    await socket.send(message)
                    self.assertEqual(await socket.recv(), message)
        self.run_with("/ws", work)
        self.run_with("/ws", work, compression=None)

    def test_many_messages_at_once_keep_their_order(self):
        async def work(socket):
            async def send():
                for at in range(2000):
                    await socket.send(str(at))
            sender = asyncio.create_task(send())
            for at in range(2000):
                self.assertEqual(await socket.recv(), str(at))
            await sender
        self.run_with("/ws", work)

    def test_fragments(self):
        async def work(socket):
            await socket.send(["one ", "", "é", " three"])
            self.assertEqual(await socket.recv(), "one é three")
            await socket.send([b"1", b"", b"23"] * 100)
            self.assertEqual(await socket.recv(), b"123" * 100)
        self.run_with("/ws", work)

    def test_pings(self):
        async def work(socket):
            for data in (b"", b"p" * 125, None):
                await asyncio.wait_for(await socket.ping(data), DEADLINE)
        self.run_with("/ws", work)

    def test_pings_overlap_with_a_handler_that_is_busy(self):
        async def work(socket):
            for at in range(5):
                await socket.send(str(at))
            waiters = [await socket.ping() for _ in range(20)]
            await asyncio.gather(*waiters)
            for at in range(5):
                self.assertEqual(await socket.recv(), str(at))
        self.run_with("/ws/slow", work)
        self.assertEqual(self.server.counter("slow.pings"), 20)
        self.assertEqual(self.server.counter("slow.overlapped"), 0)

    def test_close_codes_of_the_client(self):
        for code in (1000, 1001, 3000, 4999):
            name = f"ws.closed.{code}"
            before = self.server.counter(name)

            async def work(socket, code=code):
                await socket.close(code, "reason of the client")
                self.assertEqual(socket.close_code, code)
            self.run_with("/ws", work)
            self.server.wait_for_counter(name, before + 1)
        self.server.wait_for_counter("ws.reason.reason of the client", 4)

    def test_close_codes_of_the_server(self):
        for code, reason in ((1000, ""), (1001, "x"), (3000, "é"), (4999, "r" * 123)):
            async def work(socket, code=code, reason=reason):
                await socket.send(f"{code} {reason}")
                with self.assertRaises(websockets.ConnectionClosed):
                    await socket.recv()
                self.assertEqual((socket.close_code, socket.close_reason), (code, reason))
            self.run_with("/ws/close", work)

    def test_subprotocols(self):
        async def work(socket):
            self.assertEqual(socket.subprotocol, "squall.v2")
            self.assertEqual(await socket.recv(), "chose squall.v2")
        self.run_with("/ws/sub", work, subprotocols=["other", "squall.v1", "squall.v2"])

    def test_origins(self):
        async def work(socket):
            await socket.send("hello")
            self.assertEqual(await socket.recv(), "hello")
        for origin in (f"http://127.0.0.1:{self.server.port}", "https://friend.example"):
            self.run_with("/ws", work, origin=origin)
        with self.assertRaises(websockets.InvalidStatusCode) as caught:
            self.run_with("/ws", work, origin="http://enemy.example")
        self.assertEqual(caught.exception.status_code, 403)

    def test_a_message_too_big(self):
        async def work(socket):
            await socket.send(b"m" * (2 << 20))
            self.assertEqual(len(await socket.recv()), 2 << 20)
            with self.assertRaises(websockets.ConnectionClosed):
                await socket.send(b"m" * ((2 << 20) + 1))
                await socket.recv()
            self.assertEqual(socket.close_code, 1009)
        self.run_with("/ws", work)

    def test_a_throwing_handler(self):
        async def work(socket):
            await socket.send("go")
            with self.assertRaises(websockets.ConnectionClosedError):
                await socket.recv()
            self.assertEqual(socket.close_code, 1011)
        self.run_with("/ws/throw", work)
        self.run_with("/ws/throw-task", work)

    def test_a_hundred_in_a_room(self):
        async def run():
            members = await asyncio.gather(*(websockets.connect(self.url("/ws/room"))
                                             for _ in range(100)))
            for at in range(20):
                await members[at].send(f"message {at}")
                got = await asyncio.gather(*(member.recv() for member in members))
                self.assertEqual(set(got), {f"message {at}"})
            await asyncio.gather(*(member.close() for member in members))
        asyncio.run(asyncio.wait_for(run(), 2 * DEADLINE))
        self.server.wait_for_counter("room.left", 100)

    def test_a_hundred_that_talk_at_once(self):
        async def talk(at):
            async with websockets.connect(self.url("/ws")) as socket:
                for turn in range(20):
                    await socket.send(f"{at} {turn}")
                    self.assertEqual(await socket.recv(), f"{at} {turn}")

        async def run():
            await asyncio.gather(*(talk(at) for at in range(100)))
        asyncio.run(asyncio.wait_for(run(), 2 * DEADLINE))


if __name__ == "__main__":
    main()
