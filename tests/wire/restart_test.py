# SPDX-License-Identifier: Apache-2.0
"""SIGHUP replaces the program under load, and no request is lost."""
import contextlib
import os
import re
import shutil
import signal
import ssl
import subprocess
import tempfile
import threading
import time
import unittest

import squall_wire
from restarting import Load, Restarting, ServiceManager, is_alive
from squall_wire import Raw, main, run_to_end, wait_for
from tls_files import Authority
from ws_frames import TEXT, close_frame, connect, frame


@contextlib.contextmanager
def doomed(how, *options):
    """A server whose next generation will `crash` or `hang` as it starts, and the file that says so."""
    with tempfile.TemporaryDirectory() as directory:
        mark = os.path.join(directory, how)
        with Restarting(f"--{how}-if={mark}", *options) as server:
            with open(mark, "w", encoding="ascii"):
                pass
            yield server, mark


class UnderLoad(unittest.TestCase):
    def restart_under_load(self, server, address, rounds=3, **load):
        with Load(address, **load) as clients:
            for _ in range(rounds):
                clients.wait_for_answers_of(server.generations[-1])
                server.restart()
            clients.wait_for_answers_of(server.generations[-1])
        self.assertEqual(clients.failures, [], server.log())
        self.assertEqual(set(clients.answers), set(server.generations))
        return clients

    def test_no_request_is_lost(self):
        with Restarting() as server:
            clients = self.restart_under_load(server, server.address)
            # Kept connections are told to close with their next answer, so none was in vain.
            self.assertEqual(clients.again, 0)

    def test_with_several_workers(self):
        with Restarting("--workers=3") as server:
            self.restart_under_load(server, server.address)

    def test_over_tls(self):
        with Authority() as authority:
            files = authority.issue("localhost", "127.0.0.1")
            context = ssl.create_default_context(cafile=authority.file)

            def wrap(raw):
                raw.socket = context.wrap_socket(raw.socket, server_hostname="localhost")
                return raw
            with Restarting("--cert", files.certificate, "--key", files.key) as server:
                self.restart_under_load(server, server.address, wrap=wrap)

    def test_on_a_unix_socket(self):
        with tempfile.TemporaryDirectory() as directory:
            path = os.path.join(directory, "socket")
            with Restarting(f"--unix={path}") as server:
                inode = os.stat(path).st_ino
                self.restart_under_load(server, path)
                self.assertEqual(os.stat(path).st_ino, inode)

    @unittest.skipUnless(shutil.which("wrk"), "wrk is missing")
    def test_wrk_sees_no_error(self):
        # It never sends a request again: whatever is closed under it counts.
        with Restarting("--workers=2") as server:
            load = subprocess.Popen(["wrk", "-t2", "-c32", "-d6s", server.url("/hello")], text=True,
                                    stdout=subprocess.PIPE)
            try:
                for _ in range(3):
                    server.restart()
            finally:
                report = load.communicate(timeout=60)[0]
            self.assertIsNone(load.poll() or None)
            self.assertNotIn("Socket errors", report)
            self.assertNotIn("Non-2xx", report)
            self.assertGreater(int(re.search(r"(\d+) requests in", report)[1]), 1000)


class Restart(unittest.TestCase):
    def test_a_request_in_flight_is_answered_by_the_old_process(self):
        with Restarting() as server, server.connect() as raw:
            raw.send_request("GET", "/sleep/1000")
            server.wait_for_counter("sleep.started")
            os.kill(server.generations[-1], signal.SIGHUP)
            new = wait_for(lambda: (pid := server.serving()) != server.generations[-1] and pid, "another")
            server.generations.append(new)
            response = raw.read_response()
            self.assertEqual((response.status, response.body), (200, b"slept"))
            self.assertTrue(response.has_close())
            server.wait_for_end(server.generations[0])
            self.assertEqual(int(server.get("/pid").body), new)

    def test_websockets_get_1001_and_come_back(self):
        with Restarting() as server, connect(server) as peer:
            done = threading.Thread(target=server.restart)
            done.start()
            self.assertEqual(peer.read_close().code, 1001)
            peer.send(close_frame(1001))
            peer.expect_closed()
            done.join(20)
            with connect(server) as again:
                again.send(frame(TEXT, b"back"))
                self.assertEqual(again.read_frame().payload, b"back")

    def test_an_idle_connection_gets_its_next_answer(self):
        with Restarting() as server, server.connect() as raw:
            raw.send_request("GET", "/pid")
            raw.read_response()
            os.kill(server.generations[0], signal.SIGHUP)
            wait_for(lambda: (pid := server.serving()) != server.generations[0] and pid, "another")
            server.generations.append(server.serving())
            server.wait_for_log("has taken over")
            raw.send_request("GET", "/pid")
            answer = raw.read_response()
            self.assertTrue(answer.has_close())
            self.assertEqual(int(answer.body), server.generations[0])
            server.wait_for_end(server.generations[0])

    def test_the_new_process_is_what_the_file_holds_by_then(self):
        # Replaced as package managers do: another file under the same name.
        with tempfile.TemporaryDirectory() as directory:
            program = os.path.join(directory, "server")
            shutil.copy2(squall_wire.SERVER, program)
            with Restarting(program=program) as server:
                shutil.copy2(squall_wire.SERVER, program + ".new")
                os.rename(program + ".new", program)
                inode = os.stat(program).st_ino
                new = server.restart()
                self.assertEqual(os.stat(f"/proc/{new}/exe").st_ino, inode)

    def test_no_connection_and_no_descriptor_goes_along(self):
        with Restarting("--workers=2") as server:
            before = server.descriptors()
            raws = [server.connect() for _ in range(20)]
            self.assertEqual(server.get("/hello").status, 200)
            for _ in range(2):
                new = server.restart()
            self.assertLessEqual(len(os.listdir(f"/proc/{new}/fd")), before)
            for raw in raws:
                raw.close()

    def test_the_file_with_its_number_goes_in_the_end(self):
        with Restarting() as server:
            server.restart()
            server.stop()
            self.assertFalse(os.path.exists(server.pid_file))
            server.stop = lambda: None

    def test_connections_that_wait_for_a_port_that_is_given_up_are_answered(self):
        with Restarting("--port-if-not=/nonexistent") as server:
            pass
        with tempfile.TemporaryDirectory() as directory:
            mark = os.path.join(directory, "no-port")
            with Restarting(f"--unix={directory}/s", f"--port-if-not={mark}") as server:
                with open(mark, "w", encoding="ascii"):
                    pass
                with Load(server.address, threads=1) as clients:
                    clients.wait_for_answers_of(server.generations[0])
                    clients.stopping.set()
                server.restart()
                self.assertEqual(clients.failures, [])
                server.wait_for_log("any more")
                with self.assertRaises(ConnectionRefusedError):
                    server.connect()
                with Raw(f"{directory}/s") as raw:
                    raw.send_request("GET", "/hello")
                    self.assertEqual(raw.read_response().status, 200)

    def test_another_number_of_workers_serves_all_sockets(self):
        with tempfile.TemporaryDirectory() as directory:
            # The program's path leads to a script that adds what is to change.
            count, program = os.path.join(directory, "count"), os.path.join(directory, "server")
            with open(program, "w", encoding="ascii") as file:
                file.write("#!/bin/bash\n"
                           f'exec -a "$0" "{squall_wire.SERVER}" "$@" --workers=$(cat "{count}")\n')
            os.chmod(program, 0o755)

            def choose(number):
                with open(count, "w", encoding="ascii") as file:
                    file.write(str(number))

            def threads(server):
                return {server.get("/thread").body for _ in range(60)}
            for numbers in ((1, 3, 2), (4, 1, 5)):
                choose(numbers[0])
                with Restarting(program=program) as server, Load(server.address) as clients:
                    for number in numbers[1:]:
                        choose(number)
                        clients.wait_for_answers_of(server.restart(), 200)
                        self.assertEqual(clients.failures, [])
                        self.assertLessEqual(len(threads(server)), number)
                        wait_for(lambda n=number, s=server: len(threads(s)) == n or n == 5, "all threads")


class Failing(unittest.TestCase):
    def expect_to_go_on(self, server, log):
        old = server.generations[-1]
        with Load(server.address, threads=1) as clients:
            clients.wait_for_answers_of(old)
            os.kill(old, signal.SIGHUP)
            server.wait_for_log(log)
            before = clients.answers[old]
            clients.wait_for_answers_of(old, before + 20)
        self.assertEqual(clients.failures, [])
        self.assertEqual(set(clients.answers), {old})
        self.assertEqual(server.serving(), old)
        with open(f"/proc/{old}/task/{old}/children", encoding="ascii") as file:
            self.assertEqual(file.read().split(), [])

    def test_a_program_that_ends_at_once_leaves_the_old_process(self):
        with doomed("crash") as (server, mark):
            self.expect_to_go_on(server, "ended with exit code 3 before it was ready; this one goes on")
            os.remove(mark)
            server.restart()  # the next attempt is a new one
            self.assertEqual(server.get("/hello").status, 200)

    def test_a_program_that_is_never_ready_leaves_the_old_process(self):
        with doomed("hang", "--restart-timeout-ms=300") as (server, _):
            self.expect_to_go_on(server, "was not ready in time")

    def test_a_file_that_cannot_be_executed_leaves_the_old_process(self):
        with tempfile.TemporaryDirectory() as directory:
            program = os.path.join(directory, "server")
            shutil.copy2(squall_wire.SERVER, program)
            with Restarting(program=program) as server:
                os.remove(program)
                with open(program, "w", encoding="ascii") as file:
                    file.write("no program")
                os.chmod(program, 0o755)
                self.expect_to_go_on(server, "cannot be executed: Exec format error")
                os.remove(program)
                self.expect_to_go_on(server, "cannot be executed: No such file or directory")

    def test_sigterm_while_it_waits_ends_both(self):
        with doomed("hang") as (server, _):
            os.kill(server.generations[0], signal.SIGHUP)
            server.wait_for_log("is to take over")
            child = int(re.search(r"process (\d+) is to take over", server.log())[1])
            server.stop()
            wait_for(lambda: not is_alive(child), "the new process to end")
            server.stop = lambda: None

    def test_a_second_sighup_meanwhile_is_no_second_process(self):
        with doomed("hang", "--restart-timeout-ms=1000") as (server, _):
            os.kill(server.generations[0], signal.SIGHUP)
            server.wait_for_log("is to take over")
            os.kill(server.generations[0], signal.SIGHUP)
            server.wait_for_log("under way already")
            server.wait_for_log("was not ready in time")
            self.assertEqual(server.log().count("is to take over"), 1)

    def test_both_meanings_of_sighup_at_once_are_a_usage_error(self):
        code, complaint = run_to_end("--restart-on-hangup=1", "--reload-on-hangup=1")
        self.assertEqual(code, 2)
        self.assertIn("UsageError", complaint)


class Notify(unittest.TestCase):
    def test_the_service_manager_hears_of_every_step(self):
        with ServiceManager() as manager:
            with Restarting(env={"NOTIFY_SOCKET": manager.path}) as server:
                self.assertEqual(manager.next(), ["READY=1"])
                new = server.restart()
                reloading = manager.next()
                self.assertEqual(reloading[0], "RELOADING=1")
                self.assertLess(abs(int(reloading[1].partition("=")[2]) / 1e6 - time.monotonic()), 60)
                self.assertEqual(manager.next(), ["READY=1", f"MAINPID={new}"])
                self.assertTrue(manager.is_silent())  # the old one does not say that it stops
            self.assertEqual(manager.next(), ["STOPPING=1"])

    def test_a_failed_restart_is_ready_again(self):
        with ServiceManager() as manager, tempfile.TemporaryDirectory() as directory:
            mark = os.path.join(directory, "crash")
            with Restarting(f"--crash-if={mark}", env={"NOTIFY_SOCKET": manager.path}) as server:
                self.assertEqual(manager.next(), ["READY=1"])
                with open(mark, "w", encoding="ascii"):
                    pass
                os.kill(server.generations[0], signal.SIGHUP)
                self.assertEqual(manager.next()[0], "RELOADING=1")
                self.assertEqual(manager.next(), ["READY=1"])

    def test_a_program_may_say_itself_when_it_is_ready(self):
        with ServiceManager() as manager:
            with Restarting("--wait-for-notify-ready=1", env={"NOTIFY_SOCKET": manager.path}) as server:
                self.assertEqual(server.get("/hello").status, 200)
                self.assertTrue(manager.is_silent())
                server.get("/notify-ready")
                self.assertEqual(manager.next(), ["READY=1"])


if __name__ == "__main__":
    main()
