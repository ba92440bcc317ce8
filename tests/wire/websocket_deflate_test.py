# SPDX-License-Identifier: Apache-2.0
"""permessage-deflate (RFC 7692) between the server and Python's websockets."""
import asyncio
import itertools
import random

import websockets
from websockets.extensions.permessage_deflate import ClientPerMessageDeflateFactory

from squall_wire import DEADLINE, WireTest, main
from ws_frames import BINARY, TEXT, connect, frame

EXTENSION = "Sec-WebSocket-Extensions"


def messages(seed):
    chance = random.Random(seed)
    words = ["alpha", "beta", "gamma", "délta", "\n", "0123456789" * 20]
    yield ""
    yield b""
    for size in (1, 100, 2000, 70_000):
        yield "".join(chance.choice(words) for _ in range(size))[:size]
        yield chance.randbytes(size)
    same = chance.randbytes(3000)
    yield same
    yield same
    yield "x" * 1_000_000


class Deflate(WireTest):
    OPTIONS = (f"--max-message={2 << 20}",)

    def talk(self, path, extension, work):
        async def run():
            async with websockets.connect(
                    self.server.url(path, "ws"), open_timeout=DEADLINE, max_size=None,
                    compression=None, extensions=[extension]) as socket:
                return await asyncio.wait_for(work(socket), DEADLINE)
        return asyncio.run(run())

    def test_every_set_of_parameters_both_ways(self):
        windows = (None, 9, 15)
        for server, client, theirs, ours, takeover, window in itertools.product(
                (False, True), (False, True), windows, (True, 9, 15), "01", "9 15".split()):
            extension = ClientPerMessageDeflateFactory(
                server_no_context_takeover=server, client_no_context_takeover=client,
                server_max_window_bits=theirs, client_max_window_bits=ours)

            async def work(socket):
                self.assertEqual(len(socket.extensions), 1, "not agreed on")
                for message in messages(7):
                    await socket.send(message)
                    self.assertEqual(await socket.recv(), message)
            with self.subTest(server=server, client=client, theirs=theirs, ours=ours,
                              takeover=takeover, window=window):
                self.talk(f"/ws/deflate?takeover={takeover}&window={window}", extension, work)

    def test_fragments_of_compressed_messages(self):
        async def work(socket):
            await socket.send(["one ", "", "é" * 5000, " three"])
            self.assertEqual(await socket.recv(), "one " + "é" * 5000 + " three")
        self.talk("/ws/deflate", ClientPerMessageDeflateFactory(), work)
        self.talk("/ws/deflate?takeover=1", ClientPerMessageDeflateFactory(), work)

    def test_a_shared_message(self):
        async def work(socket):
            for at in range(5):
                text = f"shared {at} " + "text " * 1000
                await socket.send(text)
                self.assertEqual(await socket.recv(), text)
                self.assertEqual(await socket.recv(), text)
        for takeover in "01":
            self.talk(f"/ws/deflate?takeover={takeover}", ClientPerMessageDeflateFactory(), work)

    def test_what_inflates_past_the_limit_is_1009(self):
        async def work(socket):
            await socket.send("m" * (2 << 20))
            self.assertEqual(len(await socket.recv()), 2 << 20)
            await socket.send("m" * ((2 << 20) + 1))
            with self.assertRaises(websockets.ConnectionClosed):
                await socket.recv()
            self.assertEqual(socket.close_code, 1009)
        self.talk("/ws/deflate", ClientPerMessageDeflateFactory(), work)

    def test_what_is_agreed_on(self):
        for offer, wanted in (
                ("permessage-deflate", "permessage-deflate"),
                ("permessage-deflate; server_no_context_takeover", "server_no_context_takeover"),
                ("unknown, permessage-deflate; client_max_window_bits", "permessage-deflate"),
                ("permessage-deflate; unknown", None),
                ("permessage-deflate; server_max_window_bits=16", None),
                ("x-webkit-deflate-frame", None)):
            with connect(self.server, "/ws/deflate?takeover=1", [(EXTENSION, offer)]) as peer:
                answer = peer.handshake.get(EXTENSION)
                if wanted is None:
                    self.assertIsNone(answer, offer)
                else:
                    self.assertIn(wanted, answer, offer)

    def test_bad_data_and_bits_that_were_not_agreed_on(self):
        for path, headers, bytes_, code in (
                ("/ws/deflate", [(EXTENSION, "permessage-deflate")],
                 frame(TEXT, b"\xff\xff\xff\xff", reserved=4), 1007),
                ("/ws/deflate", [(EXTENSION, "permessage-deflate")],
                 frame(BINARY, b"x", reserved=2), 1002),
                ("/ws/deflate", [], frame(TEXT, b"\x00", reserved=4), 1002),
                ("/ws", [(EXTENSION, "permessage-deflate")], frame(TEXT, b"\x00", reserved=4), 1002)):
            with connect(self.server, path, headers) as peer:
                peer.send(bytes_)
                self.assertEqual(peer.read_close().code, code)


if __name__ == "__main__":
    main()
