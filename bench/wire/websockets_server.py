# SPDX-License-Identifier: Apache-2.0
"""The peer: the WebSocket routes with Python's `websockets`, on its defaults (asyncio's own loop,
compression for whoever offers it), but without the pings that the other servers do not send."""

import argparse
import asyncio

import websockets

members = set()


async def echo(socket):
    async for message in socket:
        await socket.send(message)


async def room(socket):
    members.add(socket)
    try:
        async for message in socket:
            websockets.broadcast(members, message)
    finally:
        members.discard(socket)


async def handle(socket):
    await (room(socket) if socket.path == "/ws/room" else echo(socket))


async def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--static")
    options = parser.parse_args()
    async with websockets.serve(
        handle, "127.0.0.1", options.port, backlog=4096, ping_interval=None
    ):
        await asyncio.get_running_loop().create_future()


asyncio.run(main())
