# SPDX-License-Identifier: Apache-2.0
"""A PostgreSQL server of a test's own, in a temporary folder, on a unix socket alone."""
import ctypes
import glob
import os
import pwd
import shutil
import signal
import subprocess
import tempfile

from squall_wire import DEADLINE, wait_for


def program(name):
    """Its path; Debian keeps those of each version in a folder of their own."""
    found = sorted(glob.glob(f"/usr/lib/postgresql/*/bin/{name}"))
    return found[-1] if found else shutil.which(name)


def is_installed():
    return all(program(name) for name in ("initdb", "postgres", "psql"))


def end_with_parent():
    pr_set_pdeathsig = 1
    ctypes.CDLL(None).prctl(pr_set_pdeathsig, signal.SIGQUIT)


class PostgreSQL:
    def __init__(self):
        self.folder = tempfile.mkdtemp(prefix="squall-pg-")
        self.data = os.path.join(self.folder, "data")
        self.process = None
        # It refuses to be run by root.
        self.identity = {}
        if os.getuid() == 0:
            names = {entry.pw_name: entry for entry in pwd.getpwall()}
            user = names.get("postgres") or names["nobody"]
            os.chown(self.folder, user.pw_uid, user.pw_gid)
            self.identity = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
        try:
            self.run("initdb", "-D", self.data, "-U", "blog", "--auth=trust", "--encoding=UTF8",
                     "--no-locale", "--no-sync")
            self.start()
        except BaseException:
            self.remove()
            raise

    def run(self, name, *arguments):
        done = subprocess.run([program(name), *arguments], cwd=self.folder, capture_output=True,
                              text=True, timeout=60, check=False, **self.identity)
        if done.returncode != 0:
            raise AssertionError(f"{name} failed: {done.stdout}{done.stderr}")
        return done.stdout

    def ask(self, sql, database="postgres"):
        return self.run("psql", "-X", "-q", "-t", "-A", "-h", self.folder, "-U", "blog", "-d",
                        database, "-c", sql)

    def start(self):
        with open(os.path.join(self.folder, "log"), "ab") as log:
            self.process = subprocess.Popen(
                [program("postgres"), "-D", self.data, "-k", self.folder, "-c", "listen_addresses=",
                 "-c", "fsync=off"], cwd=self.folder, stdin=subprocess.DEVNULL, stdout=log,
                stderr=log, preexec_fn=end_with_parent, **self.identity)
        wait_for(self.is_ready, "PostgreSQL to start")

    def is_ready(self):
        if self.process.poll() is not None:
            with open(os.path.join(self.folder, "log"), encoding="utf-8") as log:
                raise AssertionError(f"PostgreSQL ended: {log.read()}")
        try:
            return self.ask("SELECT 1") == "1\n"
        except AssertionError:
            return False

    def stop(self):
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)  # it breaks connections, and ends
            self.process.wait(DEADLINE)

    def remove(self):
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def new_database(self, name):
        """Its URL."""
        self.ask(f"CREATE DATABASE {name}")
        return f"postgresql://blog@/{name}?host={self.folder}"
