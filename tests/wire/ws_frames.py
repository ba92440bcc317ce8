# SPDX-License-Identifier: Apache-2.0
"""WebSocket frames made by hand (RFC 6455), for tests that need them wrong."""
import base64
import hashlib
import os
import struct

from squall_wire import Raw, WireError

CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0, 1, 2, 8, 9, 10
GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
KEY = "dGhlIHNhbXBsZSBub25jZQ=="
ACCEPT = base64.b64encode(hashlib.sha1((KEY + GUID).encode()).digest()).decode()


def frame(opcode, payload=b"", fin=True, mask=True, reserved=0, length=None, form=None):
    """One frame; `length` and `form` (7, 16 or 64 bits) lie about its payload if they are given."""
    length = len(payload) if length is None else length
    form = form or (7 if length < 126 else 16 if length < 65536 else 64)
    first = (0x80 if fin else 0) | reserved << 4 | opcode
    bit = 0x80 if mask else 0
    if form == 7:
        head = struct.pack("!BB", first, bit | length)
    elif form == 16:
        head = struct.pack("!BBH", first, bit | 126, length)
    else:
        head = struct.pack("!BBQ", first, bit | 127, length)
    if not mask:
        return head + payload
    key = os.urandom(4)
    stream = (key * (len(payload) // 4 + 1))[:len(payload)]
    masked = (int.from_bytes(payload, "big") ^ int.from_bytes(stream, "big")).to_bytes(
        len(payload), "big")
    return head + key + masked


def close_frame(code=None, reason=b""):
    return frame(CLOSE, b"" if code is None else struct.pack("!H", code) + reason)


class Frame:
    def __init__(self, opcode, payload, fin):
        self.opcode = opcode
        self.payload = payload
        self.fin = fin

    @property
    def code(self):
        """The close code, None when there is none."""
        return struct.unpack("!H", self.payload[:2])[0] if self.payload else None

    @property
    def reason(self):
        return self.payload[2:]

    def __repr__(self):
        return f"<frame {self.opcode} fin={self.fin} {self.payload[:100]!r}>"


class Peer(Raw):
    """A client after its handshake."""

    def read_frame(self):
        first, second = self.take(2)
        if first & 0x70:
            raise WireError(f"reserved bits in {first:#x}")
        if second & 0x80:
            raise WireError("a server's frame is masked (RFC 6455 section 5.1)")
        length = second
        if length == 126:
            length = struct.unpack("!H", self.take(2))[0]
        elif length == 127:
            length = struct.unpack("!Q", self.take(8))[0]
            if length < 65536:
                raise WireError("a length is not in its shortest form")
        if 126 <= second and length < 126:
            raise WireError("a length is not in its shortest form")
        return Frame(first & 0xF, self.take(length), bool(first & 0x80))

    def read_close(self):
        """Expects a close frame next, and then the end of the stream."""
        got = self.read_frame()
        if got.opcode != CLOSE:
            raise WireError(f"expected a close frame, got {got}")
        return got


def handshake(path="/ws", headers=(), **replaced):
    """The bytes of a handshake; `replaced` changes or (None) drops one of its fields."""
    fields = {"Host": "wire.example", "Upgrade": "websocket", "Connection": "Upgrade",
              "Sec-WebSocket-Key": KEY, "Sec-WebSocket-Version": "13"}
    for name, value in replaced.items():
        fields[name.replace("_", "-")] = value
    lines = [f"GET {path} HTTP/1.1"]
    lines += [f"{name}: {value}" for name, value in fields.items() if value is not None]
    lines += [f"{name}: {value}" for name, value in headers]
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n"


def connect(server, path="/ws", headers=(), after=b"", **options):
    """A connection that has shaken hands; `after` goes out in the same packet."""
    peer = Peer(server.address, **options)
    try:
        peer.send(handshake(path, headers) + after)
        peer.handshake = peer.read_head()
        if peer.handshake.status != 101:
            raise WireError(f"the handshake failed: {peer.handshake}")
        if peer.handshake.get("Sec-WebSocket-Accept") != ACCEPT:
            raise WireError(f"a wrong Sec-WebSocket-Accept: {peer.handshake}")
    except BaseException:
        peer.close()
        raise
    return peer
