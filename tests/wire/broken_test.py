# SPDX-License-Identifier: Apache-2.0
"""Connections that the kernel breaks, and a kernel without memory or descriptors: clients meet the
break or a whole answer, never a half one, and the server stays as it was."""
import os
import tempfile
import threading
import unittest

from squall_wire import FAULTS, Server, WireError, main, wait_for

KINDS = {"FAULTY_KINDS": "short,again,interrupt,reset,memory,descriptors", "FAULTY_RATE": "9"}


@unittest.skipUnless(FAULTS, "needs the library of tests/fault")
class Broken(unittest.TestCase):
    def ask(self, server, path, size):
        """Whether an answer came; one that looks whole must be."""
        try:
            response = server.get(path)
        except (OSError, WireError):
            return False
        self.assertEqual(response.status, 200)
        self.assertEqual(len(response.body), size)
        return True

    def test_clients_get_whole_answers_or_a_break_and_nothing_is_left_behind(self):
        with tempfile.NamedTemporaryFile() as report:
            with Server(env={**KINDS, "FAULTY_REPORT": report.name}) as server:
                descriptors = server.descriptors()
                counts = {True: 0, False: 0}
                lock = threading.Lock()

                def work():
                    for _ in range(60):
                        for path, size in (("/hello", 5), ("/large-stream/300000", 300_000)):
                            came = self.ask(server, path, size)
                            with lock:
                                counts[came] += 1

                threads = [threading.Thread(target=work) for _ in range(4)]
                for thread in threads:
                    thread.start()
                for thread in threads:
                    thread.join()
                self.assertGreater(counts[True], 20, counts)
                self.assertIsNone(server.process.poll(), server.log())
                wait_for(lambda: server.descriptors() <= descriptors,
                         f"{descriptors} descriptors; there are {server.descriptors()}")
            report.seek(0)
            faults = {name: int(count) for name, count in
                      (line.decode().split() for line in report.read().splitlines())}
        wanted = ["short", "interrupt"]
        if os.environ.get("SQUALL_ENGINE") == "epoll":  # io_uring makes its calls without the C library
            wanted += ["again", "reset", "memory", "descriptors"]
            self.assertGreater(counts[False], 0, counts)
        for name in wanted:
            self.assertGreater(faults[name], 0, faults)


if __name__ == "__main__":
    main()
