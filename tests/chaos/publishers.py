# SPDX-License-Identifier: Apache-2.0
"""Who publishes: over HTTP, at whichever server, numbered messages, none of them twice."""
import asyncio

import aiohttp

from cluster import end_tasks
from ledger import parse_position

TIMEOUT = 3.0


class Publisher:
    """Publishes one message after the other, and goes on when one was not acknowledged."""

    def __init__(self, name, channels, interval, cluster, random, ledger, padding=0):
        self.name = name
        self.channels = channels
        self.interval = interval
        self.cluster = cluster
        self.random = random
        self.ledger = ledger
        self.padding = "x" * padding
        self.number = 0
        self._task = None

    def start(self, session):
        self._task = asyncio.create_task(self._publish_all(session), name=self.name)
        return self._task

    async def stop(self):
        await end_tasks([self._task])

    async def _publish_all(self, session):
        while True:
            await self.publish(session, self.random.choice(self.channels))
            await asyncio.sleep(self.random.uniform(0.5, 1.5) * self.interval)

    async def publish(self, session, channel):
        """True when it was acknowledged."""
        self.number += 1
        text = f"{self.name} {self.number} {self.padding}"
        server = self.random.choice(self.cluster.servers)
        self.ledger.attempt(channel, text)
        try:
            async with session.post(f"http://{server.address}/publish/{channel}",
                                    data=text.encode()) as response:
                said = await response.text()
                if response.status != 200:
                    self.ledger.failed_publishes += 1
                    return False
        except (OSError, asyncio.TimeoutError, aiohttp.ClientError):
            self.ledger.failed_publishes += 1
            return False
        self.ledger.acknowledge(channel, text, parse_position(said), self.name, self.number)
        return True


def publishing_session():
    # A connection each: one that is reused might be closed by then, and aiohttp would send again.
    return aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=TIMEOUT),
                                 connector=aiohttp.TCPConnector(force_close=True, limit=0))
