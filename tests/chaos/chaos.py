# SPDX-License-Identifier: Apache-2.0
"""Three server processes with a hub on one Redis, hundreds of clients that come back by themselves,
and a seeded schedule of what goes wrong. At the end every client must have had, channel by channel,
exactly what was published, in its order, or must have been told that it has not."""
import argparse
import asyncio
import os
import random
import shutil
import sys
import tempfile
import time
from statistics import median

from clients import EventStreamClient, LongPollClient, WebSocketClient
from cluster import Cluster, end_tasks
from ledger import Broken, Ledger, Story
from publishers import Publisher, publishing_session
from schedule import Chaos, draw
from slow_readers import SlowReader

SKIPPED = 77
ROOMS = [f"room:{i}" for i in range(8)]
BRIEF = ["brief:0", "brief:1"]
BULK = "bulk"
# What chaos_server.cpp keeps, and is therefore owed to those who come back.
HISTORY = {**dict.fromkeys(ROOMS, 250), **dict.fromkeys(BRIEF, 20), BULK: 40}
CALM_SECONDS = 4.0
PATIENCE = 45.0  # for a machine that others use, too


def arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--server", default=os.environ.get("SQUALL_CHAOS_SERVER"), required=False)
    parser.add_argument("--seconds", type=float, default=15.0, help="of chaos")
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument("--clients", type=int, default=300)
    parser.add_argument("--servers", type=int, default=3)
    parser.add_argument("--durable", action="store_true",
                        help="the broker is said to keep what it has acknowledged")
    parser.add_argument("--rss-mib", type=float, default=48.0,
                        help="what a server may grow by, slow readers and all")
    parser.add_argument("--calm-ms", type=float, default=1000.0,
                        help="what a message may take while nothing is disturbed")
    return parser.parse_args()


class Run:
    def __init__(self, options, directory):
        self.options = options
        self.random = random.Random(options.seed)
        self.cluster = Cluster(directory, options.server, options.servers, options.durable)
        self.ledger = Ledger()
        self.clients = self._make_clients()
        self.stories = [story for client in self.clients for story in client.stories.values()]
        self.slow = [SlowReader(kind, BULK, server, self.random)
                     for server in self.cluster.servers for kind in ("ws", "sse")]
        self.publishers = [
            *(Publisher(f"p{i}", ROOMS, 0.1, self.cluster, self.random, self.ledger)
              for i in range(8)),
            Publisher("brief", BRIEF, 0.05, self.cluster, self.random, self.ledger),
            Publisher("bulk", [BULK], 0.02, self.cluster, self.random, self.ledger, 24 * 1024),
        ]
        self.steps = draw(random.Random(options.seed), options.seconds, options.servers,
                          options.durable)
        self.said = []
        self.rss = {}
        self._watched = []

    def _make_clients(self):
        clients = []
        for i in range(self.options.clients):
            kind = (WebSocketClient, EventStreamClient, WebSocketClient, EventStreamClient,
                    LongPollClient)[i % 5]
            channels = [ROOMS[i % len(ROOMS)]]
            if i % 30 < 2:
                channels = [BULK]
            elif i % 10 == 5:
                channels = [BRIEF[i // 10 % 2]]
            elif kind is WebSocketClient:
                channels.append(ROOMS[(i + 3) % len(ROOMS)])
            name = f"{kind.kind} {i}"
            stories = [Story(self.ledger, name, channel, HISTORY[channel]) for channel in channels]
            own = random.Random(self.random.random())
            clients.append(kind(i, stories, self.cluster, own, self.ledger))
        return clients

    def say(self, text):
        self.said.append(text)

    def watch(self, task):
        self._watched.append(task)

    def check_tasks(self):
        """What went wrong in one of them comes out here."""
        for task in self._watched:
            if task.done() and not task.cancelled() and task.exception() is not None:
                raise task.exception()

    async def until(self, condition, what, patience=PATIENCE):
        end = time.monotonic() + patience
        while True:
            self.check_tasks()
            if condition():
                return
            if time.monotonic() > end:
                raise Broken(f"waited {patience:g} s in vain until {what}")
            await asyncio.sleep(0.05)

    async def sample_memory(self):
        while True:
            for server in self.cluster.servers:
                size = server.rss_bytes()
                if size == 0:
                    continue  # it is being started
                least, most = self.rss.get((server.name, server.starts), (size, size))
                self.rss[server.name, server.starts] = (least, max(most, size))
            await asyncio.sleep(0.2)

    async def go(self):
        await self.cluster.start()
        for client in self.clients:
            self.watch(client.start())
            await asyncio.sleep(0.002)
        await self.until(lambda: all(client.has_come for client in self.clients), "all have come")
        self.watch(asyncio.create_task(self.sample_memory()))
        async with publishing_session() as session:
            for publisher in self.publishers:
                self.watch(publisher.start(session))
            for slow in self.slow:
                self.watch(slow.start())
            await self.calm()
            chaos = Chaos(self.cluster, self.clients, self.ledger, self.random, self.say)
            task = asyncio.create_task(chaos.run(self.steps))
            self.watch(task)
            await self.until(task.done, "the schedule is through", self.options.seconds + 90)
            await self.settle(session)
        self.check_memory()
        self.check_counts()

    async def calm(self):
        """Nothing is disturbed but by the slow readers, and nobody else may notice them."""
        self.ledger.calm_since, self.ledger.calm = time.monotonic(), True
        await self.until(lambda: self.ledger.calm_since + CALM_SECONDS < time.monotonic(), "calm")
        await self.until(lambda: all(slow.disconnects for slow in self.slow),
                         "each slow reader was disconnected")
        self.ledger.calm = False
        if self.ledger.counts:
            unexpected = {what: n for what, n in self.ledger.counts.items()
                          if not what.startswith("recovered")}
            if unexpected:
                raise Broken(f"somebody was told of a hole in calm: {unexpected}")
        for channel, taken in self.ledger.latencies.items():
            taken.sort()
            worst = taken[int(len(taken) * 0.99)] * 1000
            self.say(f"calm: {channel}: {len(taken)} deliveries, median {median(taken) * 1000:.1f} ms,"
                     f" 99 % within {worst:.1f} ms")
            if worst > self.options.calm_ms:
                raise Broken(f"{channel}: 1 % took more than {worst:.0f} ms beside slow readers")

    async def settle(self, session):
        """All is well again: everyone must get to the end of every channel."""
        for process in (self.cluster.redis, *self.cluster.servers):
            process.go_on()
        await asyncio.sleep(1.0)
        for publisher in self.publishers:
            await publisher.stop()
        last = Publisher("last", list(HISTORY), 0, self.cluster, self.random, self.ledger)
        for channel in HISTORY:
            end = time.monotonic() + PATIENCE
            while not await last.publish(session, channel):
                self.check_tasks()
                if time.monotonic() > end:
                    raise Broken(f"nothing can be published on {channel} though all is well")
                await asyncio.sleep(0.1)
        await self.until(self.agree, "all stand at the same place")
        for story in self.stories:
            story.finish()
        await asyncio.gather(*(client.stop() for client in self.clients))

    def agree(self):
        places = {}
        for story in self.stories:
            places.setdefault(story.channel, set()).add(story.position)
        for channel, positions in places.items():
            last = self.ledger.last[channel]
            if len(positions) != 1 or None in positions:
                return False
            (position,) = positions
            # What was never acknowledged may have come after the last that was.
            if position[0] != last[0] or position[1] < last[1]:
                return False
            self.ledger.last[channel] = position
        return True

    def check_memory(self):
        for (name, start), (least, most) in self.rss.items():
            grown = (most - least) / 2**20
            self.say(f"memory: {name} (start {start}) grew by {grown:.1f} MiB to {most / 2**20:.1f}")
            if grown > self.options.rss_mib:
                raise Broken(f"{name} grew by {grown:.0f} MiB")

    def check_counts(self):
        counts = self.ledger.counts
        acknowledged = sum(map(len, self.ledger.acknowledged.values()))
        self.say(f"published {sum(map(len, self.ledger.attempted.values()))}, acknowledged "
                 f"{acknowledged}; received {sum(story.messages for story in self.stories)}; "
                 f"connections {sum(client.connections for client in self.clients)}; "
                 f"slow readers disconnected {sum(slow.disconnects for slow in self.slow)} times, "
                 f"the longest after {max(slow.longest for slow in self.slow):.1f} s")
        self.say("told: " + ", ".join(f"{what} {n}" for what, n in sorted(counts.items())))
        # A hub that recovers nothing would pass all the rest.
        if counts["recovered with missed ones"] < self.options.clients / 4:
            raise Broken(f"only {counts['recovered with missed ones']} recoveries of missed messages")
        if counts["not recovered"] + sum(n for what, n in counts.items()
                                         if what.startswith("lost")) == 0:
            raise Broken("the broker lost its data, and nobody was told")

    async def stop(self):
        self.cluster.stop()
        await end_tasks(self._watched)


def explain(run, error):
    print("\nschedule, and what was done of it:")
    for line in run.said:
        print(" ", line)
    story = getattr(error, "story", None)
    if story is not None:
        print(f"\n{story.name}:\n{story.history_text(200)}")
    else:
        last = run.ledger.last
        behind = [s for s in run.stories if s.position != last.get(s.channel)]
        for one in behind[:3]:
            print(f"\n{one.name}: at {one.position}, the channel at {last.get(one.channel)}\n"
                  f"{one.history_text()}")
    for process in (*run.cluster.servers, run.cluster.redis):
        print(f"\nlog of {process.name}:\n{process.log_tail()}")


async def main():
    options = arguments()
    if options.seed is None:
        options.seed = random.SystemRandom().randrange(2**31)
    if shutil.which("redis-server") is None:
        print("skipped: redis-server is not installed")
        return SKIPPED
    if not options.server or not os.path.exists(options.server):
        print(f"there is no {options.server}; --server names squall_chaos_server")
        return 2
    print(f"chaos: seed {options.seed}, {options.seconds:g} s, {options.clients} clients", flush=True)
    with tempfile.TemporaryDirectory(prefix="squall-chaos-") as directory:
        run = Run(options, directory)
        try:
            await run.go()
        except Exception as error:  # whatever it is, it must be repeatable
            await run.stop()
            explain(run, error)
            print(f"\nFAILED with --seed {options.seed}: {type(error).__name__}: {error}")
            return 1
        finally:
            await run.stop()
        print("\n".join(line for line in run.said if not line.startswith(" ")))
        print(f"passed: seed {options.seed}")
        return 0


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
