# SPDX-License-Identifier: Apache-2.0
"""The workloads, in the order in which they run."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Workload:
    name: str
    about: str
    unit: str = "request"
    needs: str = "http"  # what a server must offer: http, echo, static, ws, deflate, sse
    gate: float = 0.0  # Squall's limit as a ratio to the floor; bytes a connection for idle ones
    kind: str = "load"  # load, wrk, idle
    most_rounds: int = 99  # where a round is long, and what it measures steady


WORKLOADS = [
    Workload("plaintext", "GET /plaintext, keep-alive, 64 connections", gate=1.15),
    Workload("wrk", "the same by wrk -t1 -c64", kind="wrk"),
    Workload("pipeline16", "16 GETs in one write, 64 connections", gate=2.0),
    Workload("json", "GET /json, 64 connections", gate=1.25),
    Workload("echo16k", "POST /echo of 16 KiB, 64 connections", needs="echo", gate=1.35),
    Workload("static100k", "GET a file of 100 KiB, 64 connections", needs="static", gate=1.25),
    Workload("churn", "one GET a connection, Connection: close", gate=1.1),
    Workload("ws64", "WebSocket echo of 64 B text, 64 connections", "message", "ws", 1.05),
    Workload("ws16k", "WebSocket echo of 16 KiB binary, 64 connections", "message", "ws", 1.15),
    Workload("ws64x16", "16 frames of 64 B in one write, 64 connections", "message", "ws", 1.3),
    Workload("room1k", "64 B to 1,000 members, next when the last has it", "delivery", "ws", 1.05),
    Workload("room1kx16", "the same, 16 messages in one write", "delivery", "ws", 1.1),
    Workload("room10k", "64 B to 10,000 members", "delivery", "ws", most_rounds=3),
    Workload("sse1k", "an event of 64 B to 1,000 event streams", "delivery", "sse", 1.15),
    Workload("idle_http", "10,000 idle connections, one GET each", "connection", kind="idle",
             most_rounds=3),
    Workload("idle_ws", "10,000 idle WebSockets, one echo each", "connection", "ws", 300,
             kind="idle", most_rounds=3),
    Workload("idle_wsz", "the same with permessage-deflate, one echo of 2 KiB, compressed",
             "connection", "deflate", 300, kind="idle", most_rounds=3),
]

BY_NAME = {workload.name: workload for workload in WORKLOADS}
ALIASES = {"idle": ["idle_http", "idle_ws", "idle_wsz"],
           "realtime": ["ws64", "ws16k", "ws64x16", "room1k", "room1kx16", "room10k", "sse1k",
                        "idle_ws", "idle_wsz"]}


def select(names):
    """The workloads of a comma-separated list, in their own order; all of them for None."""
    if names is None:
        return WORKLOADS
    chosen = set()
    for name in names.split(","):
        for real in ALIASES.get(name, [name]):
            if real not in BY_NAME:
                raise SystemExit(f"unknown workload {real}; --list names them")
            chosen.add(real)
    return [workload for workload in WORKLOADS if workload.name in chosen]
