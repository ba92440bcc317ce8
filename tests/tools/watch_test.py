#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""`squall run --watch`: what a developer and a browser see while the source changes."""
import os
import re
import signal
import socket
import ssl
import threading
import unittest

from squall_command import BUILD, PROGRAM, Project, Squall, answers, fetch
from squall_wire import DEADLINE, Raw, free_port, main, wait_for
from tls_files import Authority

HTML = [("Accept", "text/html"), ("Sec-Fetch-Dest", "document")]


def generation(body):
    return re.search(rb'reload\.js\?g=([^"]+)"', body)[1].decode()


class Client:
    """Asks again and again, on connections of its own; any that is refused or cut is kept."""

    def __init__(self, ask):
        self.ask, self.seen, self.failures, self.done = ask, [], [], False
        self.thread = threading.Thread(target=self.run)

    def run(self):
        while not self.done:
            try:
                body = self.ask().strip()
                if not self.seen or self.seen[-1] != body:
                    self.seen.append(body)
            except Exception as error:  # noqa: BLE001: each is a failure
                self.failures.append(repr(error))

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.done = True
        self.thread.join(DEADLINE)


class Page:
    """A page's stream of events."""

    def __init__(self, port):
        self.raw = Raw(("127.0.0.1", port))
        self.raw.send_request("GET", "/_squall/reload")
        head = self.raw.read_head()
        assert head.get("Content-Type").startswith("text/event-stream"), head

    def next(self):
        """(generation, error) of the next event."""
        event = self.raw.take_until(b"\n\n").decode()
        lines = re.findall(r"^data: ?(.*)$", event, re.M)
        return lines[0], "\n".join(lines[1:])

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.raw.close()


class WatchTest(unittest.TestCase):
    def setUp(self):
        self.project = Project()
        self.addCleanup(self.project.__exit__)
        self.port = free_port()

    def start(self, *more, workers="1", build=BUILD):
        command = Squall(self.project.folder, "run", "--watch", "--build", build,
                         "--port", str(self.port), "--address", "127.0.0.1", "--", PROGRAM,
                         str(self.port), "answer", workers, *more)
        self.addCleanup(command.__exit__, None)
        return command

    def wait_for_answer(self, text):
        wait_for(lambda: answers(self.port) == text, f"the answer {text!r}")

    def test_a_change_is_answered_on_the_same_port_and_nobody_is_refused(self):
        for workers in ("1", "3", "fork"):
            with self.subTest(workers=workers):
                self.project.answer("one")
                command = self.start(workers=workers)
                self.wait_for_answer("one")
                with Client(lambda: fetch(self.port, "/api").body.decode()) as client:
                    for text in ("two", "three"):
                        self.project.answer(text)
                        wait_for(lambda: text in client.seen, f"{text} among {client.seen}")
                self.assertEqual(client.failures, [])
                self.assertEqual(client.seen, ["one", "two", "three"])
                self.assertEqual(command.stop(), 0)

    def test_a_build_that_fails_leaves_the_program_and_tells_the_pages(self):
        self.project.answer("one")
        command = self.start()
        self.wait_for_answer("one")
        pid = answers(self.port, "/pid")
        page = fetch(self.port, "/", HTML)
        with Page(self.port) as stream:
            self.assertEqual(stream.next(), (generation(page.body), ""))
            self.project.break_source()
            same, error = stream.next()
            self.assertEqual(same, generation(page.body))
            self.assertIn("answer.cpp:1:", error)
            self.assertIn("error: invalid conversion", error)
        command.wait_for_terminal("error: invalid conversion")
        command.wait_for_terminal("squall: the build failed with exit code 1")
        self.assertEqual((answers(self.port), answers(self.port, "/pid")), ("one", pid))
        with Page(self.port) as later:  # a page that is opened now hears of it too
            self.assertIn("error: invalid conversion", later.next()[1])
        self.project.answer("two")
        self.wait_for_answer("two")
        with Page(self.port) as mended:
            another, error = mended.next()
            self.assertNotEqual(another, same)
            self.assertEqual(error, "")

    def test_a_program_that_ends_at_start_is_answered_for(self):
        self.project.answer("one")
        command = self.start()
        self.wait_for_answer("one")
        with Client(lambda: fetch(self.port, "/api").body.decode()) as client:
            self.project.answer("throw")
            command.wait_for_terminal("what():  no such table: <users>")
            wait_for(lambda: fetch(self.port).status == 503, "the page of the error")
            page = fetch(self.port, "/some/page", HTML)
            self.assertEqual(page.status, 503)
            self.assertEqual(page.get("Content-Type"), "text/html; charset=UTF-8")
            self.assertIn(b"no such table: &lt;users&gt;", page.body)
            self.assertIn(b"ended with signal 6 (Aborted)", page.body)
            with Page(self.port) as stream:
                self.assertEqual(stream.next(), (generation(page.body), ""))
                self.project.answer("two")
                self.wait_for_answer("two")
                self.assertEqual(stream.raw.read_to_end().strip(b"0\r\n"), b"")
        self.assertEqual(client.failures, [])
        self.assertNotEqual(generation(fetch(self.port, "/", HTML).body), generation(page.body))

    def test_the_first_build_that_fails_is_seen_in_the_browser(self):
        self.project.break_source()
        self.start()
        wait_for(lambda: answers(self.port, "/"), "an answer")
        page = fetch(self.port, "/", HTML)
        self.assertEqual(page.status, 503)
        self.assertIn(b"invalid conversion from", page.body)
        self.assertNotIn(b'"<b>"', page.body)
        self.project.answer("one")
        self.wait_for_answer("one")

    def test_the_script_goes_into_whole_pages_alone(self):
        self.project.answer("one")
        self.start()
        self.wait_for_answer("one")
        page = fetch(self.port, "/", HTML)
        self.assertRegex(page.body, rb'</p><script src="/_squall/reload\.js\?g=[^"]+"></script></body>')
        self.assertEqual(page.get("Cache-Control"), "no-store")
        self.assertEqual(fetch(self.port, "/fragment", [("Sec-Fetch-Dest", "empty")]).body, b"<li>one</li>")
        self.assertEqual(fetch(self.port, "/fragment").body, b"<li>one</li>")
        self.assertEqual(answers(self.port, "/api"), "one")
        for condition in ([], [("If-None-Match", '"fixed"')]):
            strict = fetch(self.port, "/strict", [*HTML, *condition])
            self.assertEqual((strict.status, strict.get("ETag")), (200, None))
            self.assertIn(b' nonce="abc123"></script></body>', strict.body)
        with Raw(("127.0.0.1", self.port)) as raw:
            raw.send_request("HEAD", "/", HTML)
            self.assertEqual(int(raw.read_response(head=True).get("Content-Length")), len(page.body))
        script = fetch(self.port, "/_squall/reload.js?g=1")
        self.assertEqual((script.status, script.get("Content-Type")),
                         (200, "text/javascript; charset=UTF-8"))
        with Raw(("127.0.0.1", self.port)) as raw:
            raw.send_request("OPTIONS", "/_squall/reload")
            self.assertEqual(raw.read_response().status, 404)

    def test_what_pages_ask_for_anew_restarts_nothing(self):
        self.project.answer("one")
        self.project.write("static/site.css", "p { color: red }")
        self.start()
        self.wait_for_answer("one")
        pid = answers(self.port, "/pid")
        with Page(self.port) as stream:
            before, _ = stream.next()
            self.project.write("static/site.css", "p { color: blue }")
            after, error = stream.next()
            self.assertNotEqual(after, before)
            self.assertEqual(error, "")
        self.assertEqual(answers(self.port, "/pid"), pid)
        self.project.write("templates/new/page.html", "<p>")  # in folders that were not there
        wait_for(lambda: answers(self.port, "/pid") not in (pid, None), "another process")
        self.assertEqual(answers(self.port), "one")

    def test_what_nobody_edits_is_no_change(self):
        self.project.answer("one")
        self.start()
        self.wait_for_answer("one")
        with Page(self.port) as stream:
            first, _ = stream.next()
            for name in ("build/made.cpp", ".git/index.cpp", ".answer.cpp.swp", "answer.cpp~", "app.db",
                         "build-asan/x.cpp", "node_modules/x/x.js", "#answer.cpp#"):
                self.project.write(name, "x")
            self.project.write("last.css", "")
            second, _ = stream.next()
            # One generation further, for the last of them.
            self.assertEqual(int(second.split(".")[1]), int(first.split(".")[1]) + 1)

    def test_a_build_that_is_out_of_date_is_given_up(self):
        self.project.answer("one")
        # The first build of "slow" waits for a file that never comes.
        command = self.start(build=f"if grep -q slow answer.cpp; then echo waits; tail -f /dev/null; fi; {BUILD}")
        self.wait_for_answer("one")
        self.project.answer("slow")
        command.wait_for_terminal("waits")
        self.project.answer("two")
        self.wait_for_answer("two")
        self.assertEqual(command.stop(), 0)

    def test_a_port_with_tls_is_kept_and_waits_for_the_program(self):
        with Authority() as authority:
            files = authority.issue("localhost")
            trust = ssl.create_default_context(cafile=authority.file)

            def ask():
                with socket.create_connection(("127.0.0.1", self.port), DEADLINE) as plain:
                    with trust.wrap_socket(plain, server_hostname="localhost") as stream:
                        stream.sendall(b"GET /api HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
                        return b"".join(iter(lambda: stream.recv(4096), b"")).split(b"\r\n\r\n")[1].decode()

            def is_there():
                try:
                    return ask()
                except OSError:
                    return None

            self.project.answer("one")
            command = self.start(files.certificate, files.key)
            wait_for(is_there, "an answer")
            with Client(ask) as client:
                self.project.answer("throw")
                command.wait_for_terminal("ended with signal 6")
                self.project.answer("two")
                wait_for(lambda: "two" in client.seen, "the second answer")
            self.assertEqual((client.failures, client.seen), ([], ["one", "two"]))

    def test_a_program_that_restarts_itself_stays_in_our_hands(self):
        self.project.answer("one")
        command = self.start()
        self.wait_for_answer("one")
        pid = answers(self.port, "/pid")
        os.kill(int(pid), signal.SIGHUP)
        wait_for(lambda: not os.path.exists(f"/proc/{pid}"), "the end of the first process")
        self.assertEqual(answers(self.port), "one")
        self.assertNotIn("waiting for a change", command.terminal())
        self.project.answer("two")
        self.wait_for_answer("two")
        self.assertEqual(command.stop(), 0)

    def test_signals_leave_no_process_behind(self):
        for number in (signal.SIGTERM, signal.SIGINT):
            with self.subTest(number=number):
                self.project.answer("one")
                command = self.start(workers="2")
                self.wait_for_answer("one")
                with Page(self.port) as stream:  # which has to end
                    stream.next()
                    self.assertEqual(command.stop(number), 0)
                with self.assertRaises(ConnectionRefusedError):
                    fetch(self.port)

    def test_a_program_ends_with_a_command_that_was_killed(self):
        self.project.answer("one")
        command = self.start()
        self.wait_for_answer("one")
        command.process.kill()
        command.wait_until_nothing_is_left()

    def test_a_port_that_another_has_is_told(self):
        self.project.break_source()
        with socket.socket() as other:
            other.bind(("127.0.0.1", self.port))
            other.listen()
            command = self.start()
            command.wait_for_terminal(f"squall: no page shows the error: cannot listen on 127.0.0.1:{self.port}")
            self.assertEqual(command.stop(), 0)

    def test_an_address_that_changes_takes_the_port_along(self):
        self.project.break_source()
        command = Squall(self.project.folder, "run", "--watch", "--build", BUILD, "--port", str(self.port),
                         PROGRAM, str(self.port), "answer")  # shown on all addresses, served on one
        self.addCleanup(command.__exit__, None)
        wait_for(lambda: answers(self.port, "/"), "an answer")
        self.project.answer("one")
        self.wait_for_answer("one")
        self.assertNotIn("cannot listen", command.terminal())


if __name__ == "__main__":
    main()
