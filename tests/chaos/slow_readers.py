# SPDX-License-Identifier: Apache-2.0
"""Clients that subscribe and then do not read: a WebSocket and an event stream, with small buffers."""
import asyncio
import base64
import json
import os
import socket
import struct

from cluster import end_tasks

PATIENCE = 6.0


async def _connect(port):
    connection = socket.socket()
    connection.setblocking(False)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    try:
        await asyncio.wait_for(
            asyncio.get_running_loop().sock_connect(connection, ("127.0.0.1", port)), PATIENCE)
    except BaseException:
        connection.close()
        raise
    return connection


def _masked_text(text):
    data = text.encode()
    mask = os.urandom(4)
    size = bytes([0x80 | len(data)]) if len(data) < 126 else b"\xfe" + struct.pack(">H", len(data))
    return b"\x81" + size + mask + bytes(c ^ mask[i % 4] for i, c in enumerate(data))


class SlowReader:
    """Comes again whenever the server has disconnected it, which it notices without reading."""

    def __init__(self, kind, channel, server, random):
        self.kind = kind
        self.channel = channel
        self.server = server
        self.random = random
        self.disconnects = 0
        self.longest = 0.0  # seconds for which it was not disconnected
        self._task = None

    def start(self):
        self._task = asyncio.create_task(self._live(), name=f"slow {self.kind}")
        return self._task

    async def stop(self):
        await end_tasks([self._task])

    async def _live(self):
        loop = asyncio.get_running_loop()
        while True:
            try:
                connection = await _connect(self.server.port)
            except (OSError, asyncio.TimeoutError):
                await asyncio.sleep(0.3)
                continue
            try:
                began = loop.time()
                await loop.sock_sendall(connection, self._request())
                if self.kind == "ws":
                    await asyncio.wait_for(loop.sock_recv(connection, 512), PATIENCE)
                    command = {"id": 1, "command": "subscribe", "channel": self.channel}
                    await loop.sock_sendall(connection, _masked_text(json.dumps(command)))
                await self._until_disconnected(connection)
                self.disconnects += 1
                self.longest = max(self.longest, loop.time() - began)
            except (OSError, asyncio.TimeoutError):
                pass
            finally:
                connection.close()
            await asyncio.sleep(0.3)

    def _request(self):
        path = "/realtime" if self.kind == "ws" else f"/events/{self.channel}"
        head = f"GET {path} HTTP/1.1\r\nHost: {self.server.address}\r\n"
        if self.kind == "ws":
            key = base64.b64encode(os.urandom(16)).decode()
            head += ("Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                     f"Sec-WebSocket-Key: {key}\r\n")
        return (head + "\r\n").encode()

    async def _until_disconnected(self, connection):
        """A reset or an end, seen by the kernel's state of the connection (TCP_INFO)."""
        established = 1
        while connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1)[0] == established:
            await asyncio.sleep(0.1)
