# SPDX-License-Identifier: Apache-2.0
"""fork_processes(): workers share a socket, are restarted, replaced, and ended."""
import os
import signal
import tempfile
import threading
import unittest

from restarting import ServiceManager
from squall_wire import Server, main, wait_for

PROGRAM = os.environ.get("SQUALL_WIRE_WORKERS", "/tmp/b-lead/bin/squall_wire_workers")


def is_alive(pid):
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii") as file:
            return file.read().split()[2] != "Z"
    except OSError:
        return False


class Workers(Server):
    def __init__(self, count=2, env=None, **options):
        self.directory = tempfile.TemporaryDirectory()
        options = [f"--{name.replace('_', '-')}={value}" for name, value in options.items()]
        super().__init__(f"--count={count}", f"--directory={self.directory.name}", *options,
                         program=PROGRAM, env=env)

    def __exit__(self, *error):
        super().__exit__(*error)
        self.directory.cleanup()

    def mark(self, name):
        with open(os.path.join(self.directory.name, name), "w", encoding="ascii"):
            pass

    def unmark(self, name):
        os.remove(os.path.join(self.directory.name, name))

    def children(self):
        with open(f"/proc/{self.process.pid}/task/{self.process.pid}/children",
                  encoding="ascii") as file:
            return {int(pid) for pid in file.read().split()}

    def serving(self):
        """Which worker has which pid, among those that answer now."""
        found = {}
        for _ in range(40):
            number, pid, task_id = self.get("/").body.split()
            assert number == task_id, (number, task_id)
            found[int(number)] = int(pid)
        return found

    def wait_for_workers(self, count):
        return wait_for(lambda: (s := self.serving()) and len(s) == count and s, f"{count} workers")


class ForkProcesses(unittest.TestCase):
    def test_all_workers_share_the_socket_and_sigterm_ends_them(self):
        for number in (signal.SIGTERM, signal.SIGINT):
            with Workers(3) as server:
                pids = server.wait_for_workers(3)
                self.assertEqual(set(pids), {0, 1, 2})
                self.assertEqual(set(pids.values()), server.children())
                server.signal(number)
                self.assertEqual(server.wait_for_exit(), 0)
                self.assertFalse([pid for pid in pids.values() if is_alive(pid)])

    def test_a_request_in_flight_is_answered_before_the_worker_ends(self):
        with Workers(1) as server, server.connect() as raw:
            raw.send_request("GET", "/slow")
            server.get("/")  # the other came before it
            server.signal()
            self.assertTrue(raw.read_response().has_close())
            self.assertEqual(server.wait_for_exit(), 0)

    def test_a_crashed_worker_is_started_again_with_its_number(self):
        with Workers(2) as server:
            before = server.wait_for_workers(2)
            os.kill(before[1], signal.SIGKILL)
            after = wait_for(lambda: (s := server.wait_for_workers(2))[1] != before[1] and s,
                             "another worker 1")
            self.assertEqual(after[0], before[0])
            server.wait_for_log("signal Killed")

    def test_a_worker_that_finishes_is_not_started_again(self):
        with Workers(1) as server:
            with server.connect() as raw:
                raw.send_request("POST", "/exit/0", body=b"")
            self.assertEqual(server.wait_for_exit(), 0)
            self.assertIn("has finished", server.log())

    def test_too_many_crashes_end_it_with_an_error(self):
        server = Workers(2, max_restarts=3)
        try:
            server.wait_for_workers(2)
            server.mark("crash")
            os.kill(next(iter(server.children())), signal.SIGKILL)
            self.assertEqual(server.wait_for_exit(), 1)
            self.assertIn("giving up", server.log())
            self.assertIn("exit code 3", server.log())
        finally:
            server.kill()
            server.directory.cleanup()

    def test_sighup_replaces_every_worker_and_loses_no_request(self):
        with Workers(2) as server:
            before = server.wait_for_workers(2)
            stop = threading.Event()
            failures, answers = [], []

            def ask():
                while not stop.is_set():
                    try:
                        answers.append(server.get("/").status)
                    except Exception as error:  # pylint: disable=broad-except
                        failures.append(error)

            threads = [threading.Thread(target=ask) for _ in range(4)]
            for thread in threads:
                thread.start()
            try:
                for _ in range(3):
                    server.signal(signal.SIGHUP)
                    wait_for(lambda old=before: not any(is_alive(pid) for pid in old.values()),
                             "the old workers to end")
                    before = server.wait_for_workers(2)
            finally:
                stop.set()
                for thread in threads:
                    thread.join()
            self.assertEqual(failures, [])
            self.assertEqual(set(answers), {200})

    def test_a_replacement_that_crashes_leaves_the_old_workers(self):
        with Workers(2) as server:
            before = server.wait_for_workers(2)
            server.mark("crash")
            server.signal(signal.SIGHUP)
            server.wait_for_log("the old workers stay")
            self.assertEqual(server.wait_for_workers(2), before)
            server.unmark("crash")
            server.signal(signal.SIGHUP)
            wait_for(lambda: not set(server.serving().values()) & set(before.values()), "new workers")

    def test_a_replacement_that_never_gets_ready_leaves_the_old_workers(self):
        with Workers(2, ready_ms=100) as server:
            before = server.wait_for_workers(2)
            server.mark("hang")
            server.signal(signal.SIGHUP)
            server.wait_for_log("was not ready in time")
            wait_for(lambda: server.children() == set(before.values()), "the hanging one to be killed")
            self.assertEqual(server.wait_for_workers(2), before)

    def test_a_worker_that_ignores_sigterm_is_killed_in_time(self):
        with Workers(1, stop_ms=100) as server:
            server.get("/stubborn")
            server.signal()
            self.assertEqual(server.wait_for_exit(), 0)
            self.assertIn("is killed", server.log())

    def test_workers_end_with_a_supervisor_that_is_killed(self):
        with Workers(2) as server:
            pids = server.wait_for_workers(2).values()
            server.process.kill()
            server.process.wait()
            wait_for(lambda: not any(is_alive(pid) for pid in pids), "the workers to end")
            server.process.returncode = 0  # as wanted

    def test_the_service_manager_hears_when_all_are_ready(self):
        with ServiceManager() as manager:
            with Workers(3, env={"NOTIFY_SOCKET": manager.path}) as server:
                self.assertEqual(manager.next(), ["READY=1"])
                before = server.wait_for_workers(3)
                server.signal(signal.SIGHUP)
                self.assertEqual(manager.next()[0], "RELOADING=1")
                self.assertEqual(manager.next(), ["READY=1"])
                self.assertFalse(set(server.serving().values()) & set(before.values()))
            self.assertEqual(manager.next(), ["STOPPING=1"])

    def test_workers_may_be_pinned_to_cpus(self):
        with Workers(2, pin=1) as server:
            self.assertEqual(server.get("/cpus").body, b"1")


if __name__ == "__main__":
    main()
