# SPDX-License-Identifier: Apache-2.0
"""What `syscalls` and `allocations` share: one server under one workload, stopped at both ends
of the measured window."""

import argparse
import contextlib
import tempfile

from harness import servers
from harness.sample import Sampler, finished

ROOT = servers.HERE.parent.parent


def arguments(about):
    parser = argparse.ArgumentParser(description=about)
    parser.add_argument("server", nargs="?", default="squall")
    parser.add_argument("workload", nargs="?", default="plaintext")
    parser.add_argument("--seconds", type=float, default=1.0)
    parser.add_argument("--build-dir", default=str(ROOT / "build" / "release"))
    return parser.parse_args()


@contextlib.contextmanager
def running(options, environment=None):
    """Yields (sampler, started server)."""
    known = {server.name: server for server in servers.all_servers(options.build_dir)}
    server = known.get(options.server)
    if server is None or server.missing:
        raise SystemExit(server.missing if server else f"servers: {', '.join(known)}")
    server_core, load_core = servers.cores()
    with tempfile.TemporaryDirectory(prefix="squall-bench-") as static:
        servers.write_static(static)
        sampler = Sampler(options.build_dir, server_core, load_core, static, options.seconds)
        with sampler.start(server, environment) as started:
            yield sampler, started


def window(sampler, options, started, at_start, at_end):
    """Runs the workload, calls the functions at the window's ends, returns the operations."""
    with sampler.load(options.workload, started, interactive=True) as load:
        for phase, act in (("start", at_start), ("end", at_end)):
            line = load.next()
            if line.get("phase") != phase:
                raise SystemExit(f"failed: {line.get('error', line)}")
            act()
            load.go_on()
        result = finished(load.next())
    if "failed" in result:
        raise SystemExit(f"failed: {result['failed']}")
    return result["operations"]
