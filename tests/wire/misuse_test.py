# SPDX-License-Identifier: Apache-2.0
"""Mistakes of the programmer and of the administrator: told clearly, and nothing dies of them."""
import os
import socket
import unittest

from squall_wire import Raw, Server, WireTest, main, run_to_end


class Handlers(WireTest):
    def ask(self, method, path):
        with self.server.connect() as raw:
            raw.send_request(method, path)
            return raw.read_response()

    def test_an_exception_is_500_and_in_the_log(self):
        for method, text in (("GET", "the wheel came off"), ("POST", "the wheel came off later")):
            response = self.ask(method, "/throw")
            self.assertEqual(response.status, 500)
            self.assertNotIn(b"wheel", response.body)
            self.assertNotIn(b"never seen", response.body)
            self.server.wait_for_log(text)

    def test_an_error_page_that_throws_is_still_an_answer(self):
        response = self.ask("GET", "/error-page-throws")
        self.assertIn(response.status, (409, 500))
        self.server.wait_for_log("the page of the error has an error")

    def test_writing_after_finish_is_told_and_harms_nobody(self):
        for method in ("GET", "POST"):
            response = self.ask(method, "/write-after-finish")
            self.assertEqual((response.status, response.body), (200, b"first"))
        self.server.wait_for_log("finish")
        self.assert_healthy()

    def test_finishing_twice_is_told_and_harms_nobody(self):
        response = self.ask("GET", "/finish-twice")
        self.assertEqual((response.status, response.body), (200, b"once"))
        self.server.wait_for_log("finish")
        self.assert_healthy()

    def test_the_connection_goes_on_after_misuse(self):
        with self.server.connect() as raw:
            for path in ("/write-after-finish", "/finish-twice", "/throw", "/hello"):
                raw.send_request("GET", path)
                response = raw.read_response()
            self.assertEqual(response.body, b"hello")

    def test_an_exception_after_a_flush_truncates(self):
        for method in ("GET", "POST"):
            with self.server.connect() as raw:
                raw.send_request(method, "/truncated")
                got = raw.expect_broken()
                self.assertFalse(got.endswith(b"0\r\n\r\n"), got)
        with self.server.connect() as raw:
            raw.send_request("PUT", "/truncated")
            got = raw.expect_broken()
            if got:
                self.assertIn(b"Content-Length: 1000\r\n", got)
                self.assertLess(len(got), 1000)
        self.server.wait_for_log("lost the thread")
        self.assert_healthy()

    def test_a_body_shorter_than_announced_truncates(self):
        with self.server.connect() as raw:
            raw.send_request("GET", "/short-body")
            got = raw.expect_broken()
            self.assertTrue(got == b"" or got.endswith(b"short"), got)
        self.server.wait_for_log("short of its Content-Length")

    def test_a_body_longer_than_announced_never_leaves(self):
        with self.server.connect() as raw:
            raw.send_request("POST", "/short-body")
            self.assertNotIn(b"defgh", raw.expect_broken())
        self.server.wait_for_log("longer than its Content-Length")

    def test_a_status_out_of_range_is_told(self):
        for code in (0, 99, 1000, -1):
            response = self.ask("GET", f"/status/{code}")
            self.assertEqual(response.status, 500, code)

    def test_clients_cannot_forge_log_lines(self):
        with self.server.connect() as raw:
            raw.send(b"GET /nowhere%0a[E]%1b[31m HTTP/1.1\r\nHost: a\r\n\r\n")
            raw.read_response()
        self.assertNotIn("\x1b[31m", self.server.log())


class Debug(WireTest):
    OPTIONS = ("--debug=1",)

    def test_the_error_page_names_the_exception(self):
        self.assertIn(b"the wheel came off", self.server.get("/throw").body)


class Starting(unittest.TestCase):
    def test_duplicate_routes(self):
        status, told = run_to_end("--duplicate-routes=1")
        self.assertEqual(status, 2)
        self.assertIn("UsageError", told)
        self.assertIn("/twice/", told)

    def test_a_port_in_use(self):
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            address = f"127.0.0.1:{taken.getsockname()[1]}"
            for workers in ("1", "2"):
                status, told = run_to_end(f"--port={taken.getsockname()[1]}", f"--workers={workers}")
                self.assertEqual(status, 2)
                self.assertIn(address, told)
                self.assertIn("in use", told)

    def test_another_server_on_the_port(self):
        with Server() as first:
            status, told = run_to_end(f"--port={first.port}")
            self.assertEqual(status, 2)
            self.assertIn(f"127.0.0.1:{first.port}", told)

    def test_an_address_that_is_not_ours(self):
        status, told = run_to_end("--address=192.0.2.1")
        self.assertEqual(status, 2)
        self.assertIn("192.0.2.1", told)

    def test_an_engine_that_is_not_there(self):
        status, told = run_to_end("--port=0", env={"SQUALL_ENGINE": "nonsense"})
        self.assertEqual(status, 2)
        self.assertIn("nonsense", told)
        self.assertIn("epoll", told)

    def test_every_address(self):
        for address in ("127.0.0.1", "localhost", "0.0.0.0"):
            with Server(f"--address={address}") as server:
                self.assertEqual(server.get("/hello").body, b"hello")

    def test_a_unix_socket(self):
        path = f"/tmp/squall-wire-{os.getpid()}.sock"
        self.addCleanup(lambda: os.path.exists(path) and os.unlink(path))
        with Server(f"--unix={path}") as server:
            self.assertEqual(os.stat(path).st_mode & 0o777, 0o600)
            with Raw(path) as raw:
                raw.send_request("GET", "/facts")
                self.assertEqual(raw.read_response().json()["remote_ip"], "unix")
            self.assertEqual(server.get("/hello").body, b"hello")


if __name__ == "__main__":
    main()
