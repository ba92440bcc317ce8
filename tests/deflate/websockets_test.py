# SPDX-License-Identifier: Apache-2.0
"""permessage-deflate both ways against Python's websockets: what we compress it inflates, what it compresses we
inflate, and each agrees to what the other offers."""
import collections
import os
import random
import struct
import subprocess
import unittest
from unittest import mock

from websockets import exceptions, frames, headers
from websockets.extensions import permessage_deflate as peer

DEFLATE = os.environ.get("SQUALL_DEFLATE", "squall_deflate")
WINDOWS = (9, 10, 12, 15)  # Python's zlib cannot compress with 8


# What the peer's factories make, without zlib, which would refuse the window of 8 that they accept.
Agreed = collections.namedtuple("Agreed", ["remote_no_context_takeover", "local_no_context_takeover",
                                           "remote_max_window_bits", "local_max_window_bits", "settings"])


class Ours:
    def __init__(self):
        self.process = subprocess.Popen([DEFLATE], stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def close(self):
        self.process.stdin.close()
        self.process.wait(timeout=20)
        self.process.stdout.close()

    def ask(self, verb, data):
        data = data if isinstance(data, bytes) else data.encode()
        self.process.stdin.write(verb.encode() + struct.pack(">I", len(data)) + data)
        self.process.stdin.flush()
        size = struct.unpack(">I", self.process.stdout.read(4))[0]
        return self.process.stdout.read(size)

    def receive(self, data):
        """Messages as (is_text, data), and the close code last where it failed."""
        rest, seen = self.ask("f", data), []
        while rest:
            line, rest = rest.split(b"\n", 1)
            kind, number = line.split()
            if kind == b"failed":
                seen.append(int(number))
                continue
            seen.append((kind == b"text", rest[:int(number)]))
            rest = rest[int(number):]
        return seen


class Case(unittest.TestCase):
    def setUp(self):
        self.ours = Ours()
        self.random = random.Random(2)

    def tearDown(self):
        self.ours.close()


class MessageTest(Case):
    def message(self):
        size = self.random.choice((0, 1, 5, 60, 700, 4096, 20_000, 70_000))
        kind = self.random.randrange(3)
        if kind == 0:
            return self.random.randbytes(size)
        if kind == 1:
            return bytes([self.random.randrange(128)]) * size
        words = [b"price ", b"event ", b"stream ", b"12.5 ", "grün ".encode(), b"\n"]
        return b"".join(self.random.choice(words) for _ in range(size // 6))

    def parameter_sets(self):
        for takeover in (False, True):
            for bits in WINDOWS:
                for level, memory in ((1, 1), (6, 8), (9, 9)):
                    yield takeover, bits, level, memory

    def begin(self, role, takeover, bits, level, memory):
        """A connection of ours, and the peer's extension for the same direction both ways."""
        self.ours.ask("p", f"{role} {int(takeover)} {bits} {int(takeover)} {bits} {level} {memory}")
        return peer.PerMessageDeflate(not takeover, not takeover, bits, bits, {"level": level, "memLevel": memory})

    def test_the_peer_inflates_what_we_compress(self):
        for role in ("server", "client"):
            for parameters in self.parameter_sets():
                extension = self.begin(role, *parameters)
                for number in range(12):
                    message = self.message()
                    answer = self.ours.ask("dw"[number % 2], message)
                    payload, is_compressed = answer[1:], answer[:1] == b"1"
                    got = extension.decode(frames.Frame(frames.OP_BINARY, payload, rsv1=is_compressed))
                    self.assertTrue(got.data == message, (role, parameters, len(message)))
                    if parameters[0]:
                        self.assertTrue(is_compressed)

    def test_we_inflate_what_the_peer_compresses(self):
        for role in ("server", "client"):
            for parameters in self.parameter_sets():
                extension = self.begin(role, *parameters)
                sent, wire = [], b""
                for number in range(12):
                    message = self.message()
                    sent.append((False, message))
                    cuts = sorted(self.random.randrange(len(message) + 1) for _ in range(number % 4))
                    parts = [message[a:b] for a, b in zip([0] + cuts, cuts + [len(message)])]
                    for index, part in enumerate(parts):
                        opcode = frames.OP_CONT if index else frames.OP_BINARY
                        frame = frames.Frame(opcode, part, fin=index == len(parts) - 1)
                        wire += frame.serialize(mask=role == "server", extensions=[extension])
                seen = []
                while wire:
                    size = self.random.choice((1, 7, 1000, 50_000))
                    seen += self.ours.receive(wire[:size])
                    wire = wire[size:]
                self.assertTrue(seen == sent, (role, parameters))


@mock.patch.object(peer, "PerMessageDeflate", Agreed)
class NegotiationTest(Case):
    def options(self):
        return [self.random.randrange(2), self.random.choice((0, 8) + WINDOWS),
                self.random.randrange(2), self.random.choice((0, 8) + WINDOWS), 6, 0]

    def agreed(self, numbers):
        return [int(number) for number in numbers.split()]

    def peer_agreed(self, extension, role):
        ours = [not extension.local_no_context_takeover, extension.local_max_window_bits]
        theirs = [not extension.remote_no_context_takeover, extension.remote_max_window_bits]
        return [int(n) for n in (ours + theirs if role == "server" else theirs + ours)]

    def test_our_server_answers_the_peers_offers(self):
        for _ in range(400):
            factory = peer.ClientPerMessageDeflateFactory(
                bool(self.random.randrange(2)), bool(self.random.randrange(2)),
                self.random.choice((None, 8, 9, 12, 15)), self.random.choice((None, True, 8, 9, 12, 15)))
            offer = headers.build_extension([(factory.name, factory.get_request_params())])
            options = self.options()
            with self.subTest(offer=offer, options=options):
                answer, numbers = self.ours.ask("a", " ".join(map(str, options)) + "\n" + offer).decode().split("\n")
                (name, parameters), = headers.parse_extension(answer)
                self.assertEqual(name, factory.name)
                try:
                    extension = factory.process_response_params(parameters, [])
                except exceptions.NegotiationError as error:
                    self.fail(f"{answer}: {error}")
                ours = self.agreed(numbers)
                self.assertEqual(ours[:2], self.peer_agreed(extension, "client")[:2])
                # A client may keep to less than we know of, never to more.
                theirs = self.peer_agreed(extension, "client")
                self.assertLessEqual(theirs[2], ours[2])
                self.assertLessEqual(theirs[3], ours[3])

    def test_our_client_takes_the_peers_answers(self):
        taken = 0
        for _ in range(400):
            options = self.options()
            offer = self.ours.ask("o", " ".join(map(str, options))).decode()
            factory = peer.ServerPerMessageDeflateFactory(
                bool(self.random.randrange(2)), bool(self.random.randrange(2)),
                self.random.choice((None, 8, 9, 12, 15)), self.random.choice((None, 8, 9, 12, 15)))
            with self.subTest(offer=offer):
                name, parameters = self.random.choice(headers.parse_extension(offer))
                response, extension = factory.process_request_params(parameters, [])
                answer = headers.build_extension([(name, response)])
                verdict = self.ours.ask("c", " ".join(map(str, options)) + "\n" + answer).decode()
                self.assertNotIn("refused", verdict, answer)
                self.assertEqual(self.agreed(verdict), self.peer_agreed(extension, "server"), answer)
                taken += 1
        self.assertEqual(taken, 400)

    def test_both_refuse_the_same_offers(self):
        """Parameters at random, right and wrong: we take what the peer takes, and decline what it declines."""
        names = ["server_no_context_takeover", "client_no_context_takeover", "server_max_window_bits",
                 "client_max_window_bits", "foo"]
        values = [None, None, "8", "9", "15", "16", "7", "09", "x"]
        taken = 0
        for _ in range(3000):
            chosen = [(self.random.choice(names), self.random.choice(values)) for _ in range(self.random.randrange(4))]
            offer = headers.build_extension([("permessage-deflate", chosen)])
            try:
                peer.ServerPerMessageDeflateFactory().process_request_params(chosen, [])
                takes = True
            except exceptions.NegotiationError:
                takes = False
            answer = self.ours.ask("a", "1 15 1 15 6 0\n" + offer).decode()
            self.assertEqual(answer != "declined", takes, offer)
            taken += takes
        self.assertGreater(taken, 100)

    def test_both_refuse_the_same_answers(self):
        names = ["server_no_context_takeover", "client_no_context_takeover", "server_max_window_bits",
                 "client_max_window_bits", "foo"]
        values = [None, None, "8", "9", "15", "16", "7", "09", "x"]
        taken = 0
        for _ in range(3000):
            chosen = [(self.random.choice(names), self.random.choice(values)) for _ in range(self.random.randrange(4))]
            options = [self.random.randrange(2), self.random.choice((10, 15)), 1, self.random.choice((10, 15)), 6, 0]
            # False: what a server need not keep to has a second offer without it.
            factory = peer.ClientPerMessageDeflateFactory(
                False, False, None if options[1] == 15 else options[1],
                True if options[3] == 15 else options[3])
            answer = headers.build_extension([("permessage-deflate", chosen)])
            try:
                factory.process_response_params(chosen, [])
                takes = True
            except exceptions.NegotiationError:
                takes = False
            verdict = self.ours.ask("c", " ".join(map(str, options)) + "\n" + answer).decode()
            self.assertEqual("refused" not in verdict, takes, (answer, options, verdict))
            taken += takes
        self.assertGreater(taken, 100)


if __name__ == "__main__":
    unittest.main()
