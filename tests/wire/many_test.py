# SPDX-License-Identifier: Apache-2.0
"""Crowds: more connections than descriptors, churn, and thousands of idle WebSockets."""
import resource
import select
import threading
import time
import unittest

from squall_wire import Raw, Server, WireTest, main, wait_for
from ws_frames import TEXT, close_frame, connect, frame, handshake, Peer

SPARE = 300  # descriptors that a process needs besides its connections


def descriptor_limit():
    """Raises this process's limit as far as it goes; the servers it starts inherit it."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    if hard == resource.RLIM_INFINITY:
        hard = 20_000
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
    return hard


LIMIT = descriptor_limit()


def crowd(server, size, kind=Raw):
    """Connections from several loopback addresses, so that ports do not run out."""
    raws = []
    try:
        for at in range(size):
            raws.append(kind(server.address, source=f"127.0.0.{2 + at % 8}"))
    except BaseException:
        close_all(raws)
        raise
    return raws


def close_all(raws):
    for raw in raws:
        raw.close()


class RunningOut(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        with Server() as server:
            if server.is_sanitized():  # it looks at memory through a pipe, for which there is no room
                raise unittest.SkipTest("UBSan takes a lack of descriptors for a bad object")

    def run_out(self, limit, size):
        with Server("--idle-timeout-ms=60000", "--header-timeout-ms=60000",
                    "--max-connections=1000000", nofile=limit) as server:
            raws = crowd(server, size)
            try:
                for raw in raws:
                    raw.send_request("GET", "/hello")
                # As many as there are descriptors are answered; the others wait in the kernel.
                answered = []
                wait_for(lambda: self.collect(raws, answered) >= limit - 60, "most answers")
                server.wait_for_log("cannot accept connections")
                self.assertLessEqual(self.collect(raws, answered), limit)
                while True:  # each that leaves makes room for another
                    for raw in answered:
                        raw.close()
                    waiting = [raw for raw in raws if raw.socket.fileno() >= 0]
                    if not waiting:
                        break
                    answered = []
                    wait_for(lambda found=answered, among=waiting: self.collect(among, found),
                             "the next answers")
                self.assertEqual(server.get("/hello").status, 200)
            finally:
                close_all(raws)
            # It says so when it begins and when it ends, not for each that waits.
            self.assertLessEqual(server.log().count("cannot accept connections"), 30)

    def collect(self, raws, answered):
        """Adds those with an answer to `answered`, and tells how many these are by now."""
        done = set(answered)
        poll = select.poll()
        by_descriptor = {raw.socket.fileno(): raw for raw in raws if raw not in done}
        for descriptor in by_descriptor:
            poll.register(descriptor, select.POLLIN)
        for descriptor, _ in poll.poll(0):
            raw = by_descriptor[descriptor]
            self.assertEqual(raw.read_response().body, b"hello")
            answered.append(raw)
        return len(answered)

    def test_out_of_descriptors_at_256(self):
        self.run_out(256, 600)

    def test_out_of_descriptors_at_4096(self):
        self.run_out(4096, 5000)

    def test_it_says_so_once(self):
        with Server("--max-connections=1000000", nofile=64) as server:
            raws = crowd(server, 100)
            try:
                server.wait_for_log("cannot accept connections")
                begin = time.monotonic()
                # Ten tries to accept later it has not said it again, and has not spun either.
                ticks = self.cpu_ticks(server)
                wait_for(lambda: time.monotonic() - begin > 1, "ten more attempts")
                self.assertEqual(server.log().count("cannot accept connections"), 1)
                self.assertLess(self.cpu_ticks(server) - ticks, 50)
            finally:
                close_all(raws)

    def cpu_ticks(self, server):
        with open(f"/proc/{server.process.pid}/stat", encoding="ascii") as file:
            fields = file.read().rsplit(")", 1)[1].split()
        return int(fields[11]) + int(fields[12])


class Crowds(WireTest):
    OPTIONS = ("--idle-timeout-ms=120000", "--header-timeout-ms=120000")

    def test_as_many_connections_as_the_limit_allows(self):
        size = min(LIMIT - SPARE, 15_000)
        raws = crowd(self.server, size)
        try:
            for _ in range(2):
                for raw in raws:
                    raw.send_request("GET", "/hello")
                for raw in raws:
                    self.assertEqual(raw.read_response().body, b"hello")
            begin = time.monotonic()
            self.assert_healthy()
            self.assertLess(time.monotonic() - begin, 5)
        finally:
            close_all(raws)
        wait_for(lambda: self.server.descriptors() < 100, "descriptors to be closed")

    def test_churn(self):
        descriptors = self.server.descriptors()
        for at in range(5000):
            raw = Raw(self.server.address, source=f"127.0.0.{2 + at % 8}")
            if at % 4 < 3:
                raw.send_request("GET", "/hello", (("Connection", "close"),) if at % 2 else ())
            if at % 4 < 2:
                self.assertEqual(raw.read_response().body, b"hello")
            if at % 8 < 4:
                raw.close()
            else:
                raw.reset()
        self.assert_healthy()
        wait_for(lambda: self.server.descriptors() <= descriptors + 1, "descriptors to be closed")

    def test_churn_from_several_threads(self):
        failures = []

        def churn(number):
            try:
                for _ in range(300):
                    with Raw(self.server.address, source=f"127.0.0.{10 + number}") as raw:
                        raw.send(b"GET /hello HTTP/1.1\r\nHost: a\r\n\r\n" * 5)
                        for _ in range(5):
                            assert raw.read_response().body == b"hello"
            except Exception as error:  # pylint: disable=broad-except
                failures.append(error)

        threads = [threading.Thread(target=churn, args=(number,)) for number in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(failures, [])

    def test_a_room_stays_quick_beside_ten_thousand_idle_sockets(self):
        size = min(LIMIT - SPARE, 10_000)
        sanitized = self.server.is_sanitized()
        before = self.server.resident_mib()
        idle = crowd(self.server, size, Peer)
        active = []
        try:
            for peer in idle:
                peer.send(handshake("/ws"))
            for peer in idle:
                self.assertEqual(peer.read_head().status, 101)
            if not sanitized:
                grown = self.server.resident_mib() - before
                print(f"{size} idle WebSockets: {grown * 1024 / size:.2f} KiB each")
                self.assertLess(grown * 1024 / size, 8)
            active = [connect(self.server, "/ws/room") for _ in range(2)]
            begin = time.monotonic()
            for at in range(200):
                message = b"message %d" % at
                active[at % 2].send(frame(TEXT, message))
                for peer in active:
                    self.assertEqual(peer.read_frame().payload, message)
            self.assertLess(time.monotonic() - begin, 10)
            for peer in idle[::97]:  # and the idle ones are there
                peer.send(frame(TEXT, b"hello"))
                self.assertEqual(peer.read_frame().payload, b"hello")
            for peer in idle[::2]:
                peer.send(close_frame(1000))
            for peer in idle[::2]:
                self.assertEqual(peer.read_close().code, 1000)
        finally:
            close_all(idle + active)
        self.server.wait_for_counter("ws.closed", self.server.counter("ws.opened"))

    def test_five_hundred_in_one_room(self):
        members = [connect(self.server, "/ws/room") for _ in range(500)]
        try:
            for at in range(10):
                members[at].send(frame(TEXT, b"from %d" % at))
                for member in members:
                    self.assertEqual(member.read_frame().payload, b"from %d" % at)
        finally:
            close_all(members)


if __name__ == "__main__":
    main()
