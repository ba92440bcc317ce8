# SPDX-License-Identifier: Apache-2.0
"""One sample: one server under one workload once."""

import json
import os
import re
import shutil
import subprocess
import time
from pathlib import Path

from harness.servers import Running, pin_to

CPUCLOCK_SCHED = 2


def process_cpu_ns(pids):
    """CPU time of processes, all threads, exact: the clock of clock_getcpuclockid(3)."""
    return sum(time.clock_gettime_ns((~pid << 3) | CPUCLOCK_SCHED) for pid in pids)


def busy_ns(core):
    """Time this core was not idle, in the kernel's ticks."""
    for line in Path("/proc/stat").read_text().splitlines():
        if line.startswith(f"cpu{core} "):
            ticks = [int(field) for field in line.split()[1:9]]
            idle = ticks[3] + ticks[4]
            return (sum(ticks) - idle) * (1_000_000_000 // os.sysconf("SC_CLK_TCK"))
    return 0


def memory_bytes(pids):
    """RSS and PSS of processes together."""
    total = {"Rss": 0, "Pss": 0}
    for pid in pids:
        text = Path(f"/proc/{pid}/smaps_rollup").read_text()
        for name in total:
            total[name] += int(re.search(rf"^{name}:\s+(\d+) kB", text, re.M)[1]) * 1024
    return total


class Load:
    """The load generator on its core; in interactive mode it stops at every phase."""

    def __init__(self, build_dir, core, workload, running, seconds, interactive=False):
        command = [
            str(Path(build_dir) / "bin" / "bench_load"),
            *("--workload", workload, "--port", str(running.port)),
            *("--pid", ",".join(map(str, running.pids()))),
            *("--seconds", str(seconds), "--warmup", str(min(0.3, seconds / 2))),
        ]
        if interactive:
            command += ["--interactive", "1"]
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            preexec_fn=pin_to(core),
        )

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait()
        self._process.stdin.close()
        self._process.stdout.close()

    def next(self):
        """The next line: a phase, or the result."""
        line = self._process.stdout.readline()
        return json.loads(line) if line else {"errors": 1, "error": "the load generator died"}

    def go_on(self):
        self._process.stdin.write("\n")
        self._process.stdin.flush()


def failed(text):
    return {"failed": text}


def finished(result):
    """The figures of a checked result, or why it does not count."""
    if result["errors"]:
        return failed(result["error"])
    operations = result["operations"]
    return {
        "operations": operations,
        "per_second": operations / result["seconds"],
        "cpu_us": result["cpu_ns"] / operations / 1000,
        "core_share": result["cpu_ns"] / 1e9 / result["seconds"],
        "p50_us": result["p50_us"],
        "p99_us": result["p99_us"],
    }


class Sampler:
    def __init__(self, build_dir, server_core, load_core, static, seconds):
        self.build_dir = build_dir
        self.server_core = server_core
        self.load_core = load_core
        self.static = static
        self.seconds = seconds

    def start(self, server, environment=None):
        return Running(server, self.server_core, self.static, environment)

    def load(self, workload, running, interactive=False):
        return Load(
            self.build_dir, self.load_core, workload, running, self.seconds, interactive
        )

    def take(self, workload, running):
        """One sample, with the share of the server's core that others used meanwhile."""
        try:
            pids = running.pids()
            began, busy, cpu = time.monotonic_ns(), busy_ns(self.server_core), process_cpu_ns(pids)
            if workload.kind == "wrk":
                sample = self._wrk(running, pids)
            else:
                with self.load(workload.name, running) as load:
                    sample = finished(load.next())
            if "failed" not in sample:
                others = busy_ns(self.server_core) - busy - (process_cpu_ns(pids) - cpu)
                sample["others_share"] = max(0, others) / (time.monotonic_ns() - began)
            return sample
        except OSError as error:
            return failed(f"{running.server.name}: {error}; {running.log_tail()}")

    def take_idle(self, workload, server):
        """Memory of idle connections: always a fresh server."""
        with self.start(server) as running:
            pids = running.pids()
            with self.load(workload.name, running, interactive=True) as load:
                memory = []
                for phase in ("before", "open"):
                    line = load.next()
                    if line.get("phase") != phase:
                        return failed(line.get("error", "unexpected line"))
                    if phase == "open":
                        time.sleep(0.5)  # let deferred work end; the figure is the idle state
                    memory.append(memory_bytes(pids))
                    load.go_on()
                sample = finished(load.next())
            if "failed" in sample:
                return sample
            count = sample["operations"]
            for name in ("Rss", "Pss"):
                sample[f"{name.lower()}_bytes"] = (memory[1][name] - memory[0][name]) / count
            sample["base_rss_bytes"] = memory[0]["Rss"]
            return sample

    def _wrk(self, running, pids):
        wrk = shutil.which("wrk")
        if wrk is None:
            return failed("wrk is not installed")
        duration = max(1, round(self.seconds))
        url = f"http://127.0.0.1:{running.port}/plaintext"
        before = process_cpu_ns(pids)
        text = subprocess.run(
            [wrk, "-t1", "-c64", f"-d{duration}s", "--latency", url],
            capture_output=True,
            text=True,
            preexec_fn=pin_to(self.load_core),
        ).stdout
        cpu = process_cpu_ns(pids) - before
        count = re.search(r"(\d+) requests in ([\d.]+)(ms|s|m)", text)
        if not count or "Non-2xx" in text or "Socket errors" in text:
            return failed("wrk: " + " ".join(text.split())[-200:])
        return finished(
            {
                "errors": 0,
                "operations": int(count[1]),
                "seconds": float(count[2]) * {"ms": 1e-3, "s": 1, "m": 60}[count[3]],
                "cpu_ns": cpu,
                "p50_us": _wrk_latency(text, "50%"),
                "p99_us": _wrk_latency(text, "99%"),
            }
        )


def _wrk_latency(text, percentile):
    found = re.search(rf"{percentile}\s+([\d.]+)(us|ms|s)", text)
    return float(found[1]) * {"us": 1, "ms": 1e3, "s": 1e6}[found[2]] if found else 0.0
