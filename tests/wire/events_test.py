# SPDX-License-Identifier: Apache-2.0
"""Streams of events against clients that we did not write: curl, aiohttp, and a reader after the
HTML standard's own rules."""
import asyncio
import os
import random
import re
import subprocess
import threading
import unittest
import zlib

import aiohttp

from squall_wire import DEADLINE, Server, WireTest, main, wait_for

PROGRAM = os.environ["SQUALL_WIRE_REALTIME"]


class EventReader:
    """Parses text/event-stream (HTML Living Standard, 9.2.6), fed with pieces of any size."""

    def __init__(self):
        self.buffer = b""
        self.events = []
        self.comments = []
        self.last_id = ""
        self.retry = None
        self._reset()

    def _reset(self):
        self.name = ""
        self.data = []

    def feed(self, piece):
        self.buffer += piece
        while True:
            match = re.search(rb"\r\n|\n|\r(?=.)", self.buffer, re.S)
            if not match:
                return
            line, self.buffer = self.buffer[:match.start()].decode(), self.buffer[match.end():]
            self._line(line)

    def _line(self, line):
        if not line:
            if self.data:
                self.events.append((self.name or "message", "\n".join(self.data), self.last_id))
            self._reset()
            return
        name, _, value = line.partition(":")
        value = value[1:] if value.startswith(" ") else value
        if not name:
            self.comments.append(value)
        elif name == "event":
            self.name = value
        elif name == "data":
            self.data.append(value)
        elif name == "id" and "\0" not in value:
            self.last_id = value
        elif name == "retry" and value.isdigit():
            self.retry = int(value)


class EventsTest(WireTest):
    @classmethod
    def setUpClass(cls):
        cls.server = Server("--spread-ms=300", program=PROGRAM)

    @classmethod
    def tearDownClass(cls):
        try:
            cls.server.stop()
        finally:
            cls.server.kill()

    def counters(self):
        return self.server.get("/counters").json()


def expected(count, last_id=""):
    lines = [("start", last_id, "s")]
    return lines + [("message", f"line {at}\nmore", str(at)) for at in range(count)]


class Clients(EventsTest):
    def curl(self, path, *options):
        done = subprocess.run(["curl", "-sN", "--max-time", "20", *options, self.server.url(path)],
                              capture_output=True, check=True, timeout=DEADLINE)
        reader = EventReader()
        reader.feed(done.stdout)
        return reader

    def test_curl_gets_every_event(self):
        reader = self.curl("/some/25")
        self.assertEqual(reader.events, expected(25))
        self.assertEqual(reader.comments, ["end"])
        self.assertEqual(reader.retry, 200)

    def test_curl_with_http_1_0_gets_the_same(self):
        self.assertEqual(self.curl("/some/25", "--http1.0").events, expected(25))

    def test_curl_decodes_what_is_compressed(self):
        self.assertEqual(self.curl("/compressed/200", "--compressed").events, expected(200))

    def test_the_last_id_comes_by_field_or_argument(self):
        self.assertEqual(self.curl("/some/1", "-H", "Last-Event-ID: a:7").events, expected(1, "a:7"))
        self.assertEqual(self.curl("/some/1?lastEventId=a%3A8").events, expected(1, "a:8"))

    def test_head(self):
        response = self.server.get("/some/3", "HEAD")
        self.assertEqual(response.status, 200)
        self.assertEqual(response.get("Content-Type"), "text/event-stream; charset=utf-8")
        self.assertIsNone(response.get("Content-Length"))

    def test_each_event_can_be_decoded_when_it_comes(self):
        """A compressed stream is flushed with every event."""
        with self.server.connect() as raw:
            raw.send_request("GET", "/compressed/3", [("Accept-Encoding", "gzip")])
            head = raw.read_head()
            self.assertEqual(head.get("Content-Encoding"), "gzip")
            decoder = zlib.decompressobj(31)
            for chunk in raw.read_chunks():
                text = decoder.decompress(chunk)
                self.assertTrue(text == b"" or text.endswith(b"\n\n"), text)

    def test_the_connection_is_used_again(self):
        with self.server.connect() as raw:
            for count in (0, 3, 12):
                raw.send_request("GET", f"/some/{count}")
                reader = EventReader()
                reader.feed(raw.read_response().body)
                self.assertEqual(reader.events, expected(count))


class Hubs(EventsTest):
    def run_async(self, work):
        async def run():
            timeout = aiohttp.ClientTimeout(total=DEADLINE)
            connector = aiohttp.TCPConnector(limit=0)
            async with aiohttp.ClientSession(connector=connector, timeout=timeout) as session:
                await asyncio.wait_for(work(session), DEADLINE)
        asyncio.run(run())

    async def publish(self, session, channel, text):
        async with session.get(self.server.url(f"/publish/{channel}/{text}")) as response:
            self.assertEqual(response.status, 200)
            return await response.text()

    async def read_until(self, response, done, reader=None):
        reader = reader or EventReader()
        while not done(reader):
            piece = await response.content.readany()
            self.assertTrue(piece, f"the stream ended with {reader.events}")
            reader.feed(piece)
        return reader

    def open(self, session, channel, last_id=None):
        headers = {"Last-Event-ID": last_id} if last_id else {}
        return session.get(self.server.url(f"/channel/{channel}"), headers=headers)

    def test_what_is_published_comes_to_all_in_order(self):
        async def work(session):
            clients = []
            for _ in range(50):
                response = await self.open(session, "room")
                clients.append((response, await self.read_until(response, lambda r: r.last_id)))
            for at in range(20):
                await self.publish(session, "room", f"m{at}")
            for response, reader in clients:
                await self.read_until(response, lambda r: len(r.events) == 20, reader)
                self.assertEqual([data for _, data, _ in reader.events],
                                 [f"m{at}" for at in range(20)])
                response.close()
        self.run_async(work)
        wait_for(lambda: self.counters()["subscriptions"] == 0, "subscriptions to go")

    def test_a_client_that_comes_back_misses_nothing(self):
        async def work(session):
            got = []
            last_id = None
            seeded = random.Random(7)
            count = 60

            async def publisher():
                for at in range(count):
                    await self.publish(session, "news", f"n{at}")
            async with self.open(session, "news") as response:
                reader = await self.read_until(response, lambda r: r.last_id)
                last_id = reader.last_id
            publishing = asyncio.create_task(publisher())
            while len(got) < count:
                async with self.open(session, "news", last_id) as response:
                    wanted = min(seeded.randrange(1, 8), count - len(got))
                    reader = await self.read_until(
                        response, lambda r: sum(e[0] == "message" for e in r.events) >= wanted)
                    self.assertEqual(reader.events[0][0], "recovered", reader.events)
                    got += [event[1] for event in reader.events if event[0] == "message"]
                    last_id = reader.last_id
            self.assertEqual(got, [f"n{at}" for at in range(count)])
            await publishing
        self.run_async(work)

    def test_a_client_is_told_when_it_missed_something(self):
        async def work(session):
            first = await self.publish(session, "short", "a")
            for text in "bcdef":
                last = await self.publish(session, "short", text)
            async with self.open(session, "short", first) as response:
                reader = await self.read_until(response, lambda r: r.events)
                self.assertEqual(reader.events[0][0], "reset")
                self.assertEqual(reader.last_id, last)
        self.run_async(work)

    def test_who_may_not_is_refused(self):
        self.assertEqual(self.server.get("/channel/secret").status, 403)


class Leaving(EventsTest):
    def test_a_stream_ends_at_once_when_its_client_leaves(self):
        before = self.counters()
        clients = [self.server.connect() for _ in range(20)]
        for raw in clients:
            raw.send_request("GET", "/crowd")
            raw.read_head()
        wait_for(lambda: self.counters()["crowd"] == 20, "20 to listen")
        for at, raw in enumerate(clients):
            (raw.close, raw.reset, raw.half_close)[at % 3]()
        wait_for(lambda: self.counters()["crowd"] == 0, "all to be gone")
        self.assertEqual(self.counters()["closed"] - before["closed"], 20)
        for raw in clients:
            raw.close()

    def test_an_idle_stream_has_a_heartbeat(self):
        with self.server.connect() as raw:
            raw.send_request("GET", "/crowd?heartbeat_ms=20")
            raw.read_head()
            chunks = raw.read_chunks()
            self.assertEqual([next(chunks) for _ in range(3)], [b":\n\n"] * 3)


class Slow(EventsTest):
    def flood(self, policy):
        """Somebody does not read; another one does, and gets everything."""
        with self.server.connect(receive_buffer=4096) as slow, self.server.connect() as quick:
            for raw, query in ((slow, policy), (quick, "disconnect")):
                raw.send_request("GET", f"/crowd?policy={query}")
                raw.read_head()
            wait_for(lambda: self.counters()["crowd"] == 2, "both to listen")
            got = EventReader()
            total = 100 * 10

            def read():
                for chunk in quick.read_chunks():
                    got.feed(chunk)
                    if len(got.events) == total:
                        return
            reading = threading.Thread(target=read)
            reading.start()
            before = self.server.resident_mib()
            most = 0
            for at in range(1, 101):
                self.server.get("/shout/10/16000")
                most = max(most, self.server.resident_mib() - before)
                wait_for(lambda: len(got.events) == at * 10, "who reads to have it")
            reading.join(DEADLINE)
            self.assertEqual(len(got.events), total)
            if not self.counters()["sanitized"]:
                self.assertLess(most, 12)  # of 16 MB that were sent
            return self.rest_of(slow) if policy != "disconnect" else None

    def rest_of(self, slow):
        """What the slow one gets in the end; up to an event of its own, "0" without more."""
        reader = EventReader()

        def read():
            for chunk in slow.read_chunks():
                reader.feed(chunk)
                if reader.events and reader.events[-1][1] == "0":
                    return
        reading = threading.Thread(target=read)
        reading.start()

        def is_read():
            self.server.get("/shout/1/0")
            return not reading.is_alive()
        wait_for(is_read, "the slow one to catch up")
        reader.events.pop()
        return reader

    def test_disconnect(self):
        before = self.counters()["closed"]
        self.flood("disconnect")
        wait_for(lambda: self.counters()["closed"] - before == 2, "both to be gone")

    def test_drop_oldest(self):
        reader = self.flood("drop_oldest")
        dropped = [event for event in reader.events if event[0] == "dropped"]
        self.assertTrue(dropped)
        self.assertEqual(reader.events[-1][2], "9")  # the newest is there
        lost = sum(int(re.search(r"\d+", data)[0]) for _, data, _ in dropped)
        self.assertEqual(lost + len(reader.events) - len(dropped), 1000)

    def test_drop_newest(self):
        reader = self.flood("drop_newest")
        self.assertTrue([event for event in reader.events if event[0] == "dropped"])

    def test_conflate(self):
        reader = self.flood("conflate")  # up to the newest
        self.assertFalse([event for event in reader.events if event[0] == "dropped"])
        self.assertLess(len(reader.events), 1000)


class Shutdown(unittest.TestCase):
    def test_sigterm_ends_streams_in_order_and_spreads_the_return_of_clients(self):
        with Server("--spread-ms=400", program=PROGRAM) as server:
            clients = [server.connect() for _ in range(20)]
            for raw in clients:
                raw.send_request("GET", "/crowd")
                raw.read_head()
            wait_for(lambda: server.get("/counters").json()["crowd"] == 20, "20 to listen")
            server.signal()
            retries = []
            for raw in clients:
                reader = EventReader()
                for chunk in raw.read_chunks():  # to its proper end
                    reader.feed(chunk)
                retries.append(reader.retry)
                raw.close()
            self.assertEqual(server.wait_for_exit(), 0)
            self.assertTrue(all(1 <= retry <= 400 for retry in retries), retries)
            self.assertGreater(len(set(retries)), 5)


if __name__ == "__main__":
    main()
