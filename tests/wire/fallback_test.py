#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Where the kernel or a sandbox refuses io_uring the server runs on epoll, and says so once.

The refusals are real: a seccomp filter in front of the system calls, as containers have it.
"""
import ctypes
import errno
import os
import struct
import subprocess
import sys
import unittest

from squall_wire import Server, main

SETUP, ENTER, REGISTER = 425, 426, 427  # the same on all architectures but Alpha and MIPS
PR_SET_NO_NEW_PRIVS, PR_SET_SECCOMP, SECCOMP_MODE_FILTER = 38, 22, 2
LOAD, JUMP_IF_EQUAL, RETURN = 0x20, 0x15, 0x06  # BPF
ALLOW, ERRNO = 0x7FFF0000, 0x00050000


class Program(ctypes.Structure):
    _fields_ = [("length", ctypes.c_ushort), ("code", ctypes.c_void_p)]


def refuse(call, error):
    """From here on this process and its children get `error` from system call `call`."""
    code = b"".join(struct.pack("=HBBI", *step) for step in (
        (LOAD, 0, 0, 0),  # the call's number
        (JUMP_IF_EQUAL, 0, 1, call),
        (RETURN, 0, 0, ERRNO | error),
        (RETURN, 0, 0, ALLOW)))
    buffer = ctypes.create_string_buffer(code, len(code))
    program = Program(len(code) // 8, ctypes.addressof(buffer))
    prctl = ctypes.CDLL(None, use_errno=True).prctl
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0
            or prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, ctypes.byref(program), 0, 0) != 0):
        raise OSError(ctypes.get_errno(), "no seccomp filter")


def serve():
    """In a process of its own: one server with two loops, one request, and its log."""
    with Server("--workers=2") as server:
        assert server.get("/hello").body == b"hello"
        sys.stdout.write(server.log())


def log_with(*refusals, engine="uring"):
    words = [f"{call}:{error}" for call, error in refusals]
    done = subprocess.run([sys.executable, "-B", __file__, "--refuse", *words], text=True,
                          env={**os.environ, "SQUALL_ENGINE": engine}, timeout=60,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    if done.returncode != 0:
        raise AssertionError(f"the server failed:\n{done.stdout}")
    return done.stdout


class FallbackTest(unittest.TestCase):
    def assert_falls_back(self, *refusals):
        log = log_with(*refusals)
        self.assertIn("(epoll", log)
        self.assertNotIn("(io_uring", log)
        self.assertEqual(log.count("io_uring cannot be used"), 1, log)
        return log

    def test_without_a_refusal_it_is_used(self):
        log = log_with()
        if "(io_uring" not in log:
            self.skipTest("no io_uring here")
        self.assertNotIn("cannot be used", log)

    def test_rings_are_refused(self):
        # Container runtimes and kernel.io_uring_disabled, other sandboxes, no memory, managed hosts.
        for error in (errno.EPERM, errno.ENOSYS, errno.ENOMEM, errno.EOPNOTSUPP):
            with self.subTest(errno.errorcode[error]):
                log = self.assert_falls_back((SETUP, error))
                self.assertIn(os.strerror(error), log)

    def test_buffers_are_refused(self):
        self.assert_falls_back((REGISTER, errno.EINVAL))

    def test_entering_is_refused(self):
        self.assert_falls_back((ENTER, errno.EPERM))

    def test_epoll_asks_for_no_ring(self):
        log = log_with((SETUP, errno.EPERM), engine="epoll")
        self.assertIn("(epoll", log)
        self.assertNotIn("io_uring", log)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--refuse"]:
        for word in sys.argv[2:]:
            refuse(*map(int, word.split(":")))
        serve()
    else:
        main()
