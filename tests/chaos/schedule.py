# SPDX-License-Identifier: Apache-2.0
"""What goes wrong, and when: a list drawn from a seeded random source before anything runs."""
import asyncio
from dataclasses import dataclass

from cluster import end_tasks


@dataclass(frozen=True)
class Step:
    at: float  # seconds since the chaos began
    action: str
    target: int = 0
    amount: float = 0.0

    def __str__(self):
        return f"{self.at:7.2f} {self.action} {self.target} {self.amount:.2f}"


# action: (weight, needs the broker disturbed)
ACTIONS = {
    "cut clients": (8, False),
    "close clients": (5, False),
    "kill server": (4, False),
    "stop server": (2, False),
    "pause server": (3, False),
    "drop broker clients": (2, True),
    "drop subscriptions": (4, True),
    "kill broker": (3, True),
    "pause broker": (2, True),
    "wipe broker": (1, True),
    "flush broker": (1, True),
    "rewind broker": (1, True),
}


def draw(random, seconds, server_count, durable):
    """First a time in which only clients and servers suffer, then everything."""
    steps = []
    at = 0.0
    while True:
        at += random.uniform(0.2, 1.4)
        if at > seconds:
            break
        with_broker = at > seconds * 0.35
        names = [name for name, (_, broker) in ACTIONS.items()
                 if (with_broker or not broker) and not (durable and name == "rewind broker")]
        name = random.choices(names, [ACTIONS[n][0] for n in names])[0]
        steps.append(Step(at, name, random.randrange(server_count), random.random()))
    # Each kind of trouble at the broker is met at least once in every run.
    for i, name in enumerate(n for n, (_, broker) in ACTIONS.items() if broker):
        if durable and name == "rewind broker":
            continue  # it is promised not to
        steps.append(Step(seconds * (0.4 + 0.08 * i), name, random.randrange(server_count),
                          random.random()))
    return sorted(steps, key=lambda step: step.at)


class Chaos:
    """Carries the steps out; those at the broker one after the other."""

    def __init__(self, cluster, clients, ledger, random, say):
        self.cluster = cluster
        self.clients = clients
        self.ledger = ledger
        self.random = random
        self.say = say
        self._tasks = set()
        self._broker = asyncio.Lock()
        self._servers = [asyncio.Lock() for _ in cluster.servers]

    async def run(self, steps):
        began = self.ledger.now()
        try:
            for step in steps:
                await asyncio.sleep(max(0.0, began + step.at - self.ledger.now()))
                self.say(f"{self.ledger.now():8.3f} {step.action} {step.target} {step.amount:.2f}")
                self._tasks.add(asyncio.create_task(self._do(step)))
            await asyncio.gather(*self._tasks)
        finally:
            await end_tasks(self._tasks)

    async def _do(self, step):
        server = self.cluster.servers[step.target]
        if step.action == "cut clients":
            self._cut(step.amount * 0.5)
        elif step.action == "close clients":
            await self._close(server, step.amount)
        elif ACTIONS[step.action][1]:
            async with self._broker:
                await self._disturb_broker(step.action, step.amount)
        else:
            async with self._servers[step.target]:
                await self._disturb_server(server, step.action, step.amount)

    def _cut(self, share):
        for client in self.clients:
            if self.random.random() < share:
                client.cut()

    async def _close(self, server, share):
        """The server closes connections of its own accord."""
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
            writer.write(f"POST /close/{int(share * 100)} HTTP/1.0\r\nContent-Length: 0\r\n\r\n".encode())
            await asyncio.wait_for(reader.read(), 3)
            writer.close()
        except (OSError, asyncio.TimeoutError):
            pass  # it is down at the moment

    async def _disturb_server(self, server, action, amount):
        if action == "kill server":
            server.kill()
            await asyncio.sleep(amount)
            await server.start()
        elif action == "stop server":
            code = await server.terminate()
            if code != 0:
                raise RuntimeError(f"{server.name} ended with {code} after SIGTERM\n{server.log_tail()}")
            await asyncio.sleep(amount * 0.3)
            await server.start()
        elif action == "pause server":
            server.pause()
            await asyncio.sleep(amount * 3)
            server.go_on()

    async def _disturb_broker(self, action, amount):
        redis = self.cluster.redis
        began = self.ledger.now()
        self.ledger.interruptions.append(began)
        if action == "drop broker clients":
            for kind in ("normal", "pubsub"):
                await self._command(f"CLIENT KILL TYPE {kind} SKIPME yes")
        elif action == "drop subscriptions":
            # What is published goes on, unheard, until they are subscribed again: several times, as
            # each time is short.
            for _ in range(3):
                await self._command("CLIENT KILL TYPE pubsub")
                await asyncio.sleep(0.15)
        elif action == "pause broker":
            redis.pause()
            await asyncio.sleep(0.5 + amount * 3)
            redis.go_on()
        elif action == "flush broker":
            self.ledger.losses.append(self.ledger.now())
            await self._command("FLUSHALL")
            self.ledger.losses.append(self.ledger.now())
        else:
            redis.kill()
            if action == "wipe broker":
                self.ledger.losses.append(self.ledger.now())
                redis.forget()
            elif action == "rewind broker" and redis.go_back():
                self.ledger.losses.append(self.ledger.now())
            else:
                redis.remember()
                if not self.cluster.durable:
                    self.ledger.losses.append(self.ledger.now())  # for all that the hubs know
            await asyncio.sleep(amount * 1.5)
            await redis.start()
            if action in ("wipe broker", "rewind broker") or not self.cluster.durable:
                self.ledger.losses.append(self.ledger.now())
        self.ledger.interruptions.append(self.ledger.now())

    async def _command(self, text):
        reader, writer = await asyncio.open_connection("127.0.0.1", self.cluster.redis.port)
        writer.write(text.encode() + b"\r\n")
        await asyncio.wait_for(reader.readline(), 3)
        writer.close()
