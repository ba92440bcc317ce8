#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Runs a test when the server gets the engine that SQUALL_ENGINE names; else ends with 77, which
CTest reports as skipped. usage: with_engine.py command..."""
import os
import sys

from squall_wire import Server

ENGINES = {"epoll": "epoll", "uring": "io_uring"}


def main():
    wanted = ENGINES[os.environ["SQUALL_ENGINE"]]
    with Server() as server:
        log = server.log()
    if f"({wanted}" not in log:
        print(f"skipped: there is no {wanted} here; the server says\n{log}")
        return 77
    os.execvp(sys.argv[1], sys.argv[1:])


if __name__ == "__main__":
    sys.exit(main())
