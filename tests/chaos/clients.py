# SPDX-License-Identifier: Apache-2.0
"""The clients: WebSockets (Python's websockets), event streams and long polls (aiohttp). Each comes
back by itself, to whichever server, with the position at which it stands, and tells its stories."""
import asyncio
import json

import aiohttp
import websockets

from cluster import end_tasks
from ledger import parse_position

BACK_OFF = (0.05, 0.6)  # seconds; between two attempts
PATIENCE = 6.0  # for an answer; a server that is paused is left
SILENCE = 4.0  # without a message, after which a client looks elsewhere

# What a client may meet when a server is killed, paused or not there.
FAILURES = (OSError, asyncio.TimeoutError, aiohttp.ClientError, websockets.WebSocketException,
            asyncio.IncompleteReadError)


class Refused(Exception):
    """The server said that it cannot do it now."""


class Client:
    kind = ""

    def __init__(self, number, stories, cluster, random, ledger):
        self.name = f"{self.kind} {number}"
        self.stories = {story.channel: story for story in stories}
        self.cluster = cluster
        self.random = random
        self.ledger = ledger
        self.connections = 0
        self.has_come = False
        self._task = None

    def start(self):
        self._task = asyncio.create_task(self._live(), name=self.name)
        return self._task

    async def stop(self):
        await end_tasks([self._task])

    async def _live(self):
        while True:
            server = self.random.choice(self.cluster.servers)
            try:
                await self.talk(server)
                self.note("end", server.name)
            except FAILURES as error:
                self.note("failure", f"{server.name}: {type(error).__name__} {error}")
            except Refused as error:
                self.note("refused", f"{server.name}: {error}")
            await asyncio.sleep(self.random.uniform(*BACK_OFF))

    def note(self, what, detail):
        for story in self.stories.values():
            story.note(what, detail)

    def begin(self, server):
        self.connections += 1
        self.note("connect", server.name)

    async def talk(self, server):
        raise NotImplementedError

    def cut(self):
        """Breaks the connection off, without a goodbye."""

    def took(self, story, position, text):
        story.message(position, text)
        self.ledger.took(story.channel, text)


class WebSocketClient(Client):
    """The channels over a HubSocketHandler; docs/realtime_web.md has the protocol."""

    kind = "ws"
    _socket = None

    async def talk(self, server):
        self.begin(server)
        self._socket = await asyncio.wait_for(
            websockets.connect(f"ws://{server.address}/realtime", ping_interval=2, ping_timeout=3,
                               close_timeout=0.2, compression=self.random.choice(["deflate", None])),
            PATIENCE)
        try:
            pending = {}
            for number, story in enumerate(self.stories.values()):
                asked = story.position
                pending[number] = (story, asked)
                command = {"id": number, "command": "subscribe", "channel": story.channel}
                if asked is not None:
                    command["since"] = f"{asked[0]}:{asked[1]}"
                await self._socket.send(json.dumps(command))
            while True:
                text = await asyncio.wait_for(self._socket.recv(), PATIENCE if pending else 30)
                self._take(json.loads(text), pending)
        finally:
            self._socket.transport.abort()

    def _take(self, said, pending):
        if "id" in said:
            story, asked = pending.pop(said["id"])
            if "error" in said:
                raise Refused(said["error"]["code"])
            answer = said["ok"]
            story.subscribed(parse_position(answer["position"]), asked, answer["recovered"])
            self.has_come = self.has_come or not pending
        elif said["push"] == "message":
            self.took(self.stories[said["channel"]], parse_position(said["position"]), said["data"])
        elif said["push"] == "lost":
            self.stories[said["channel"]].lost(parse_position(said["position"]), said["reason"])
        elif said["push"] == "unsubscribed":
            raise Refused(f"unsubscribed: {said['reason']}")

    def cut(self):
        if self._socket is not None:
            self._socket.transport.abort()


class EventStreamClient(Client):
    """One channel as server-sent events; resumes by Last-Event-ID as a browser does."""

    kind = "sse"

    def __init__(self, *arguments):
        super().__init__(*arguments)
        (self.story,) = self.stories.values()
        self._response = None
        self._last_id = ""

    async def talk(self, server):
        self.begin(server)
        asked = self.story.position
        headers = {"Accept": "text/event-stream"}
        if asked is not None:
            headers["Last-Event-ID"] = f"{asked[0]}:{asked[1]}"
        timeout = aiohttp.ClientTimeout(total=None, sock_connect=PATIENCE, sock_read=SILENCE)
        async with aiohttp.ClientSession(timeout=timeout) as session:
            url = f"http://{server.address}/events/{self.story.channel}"
            async with session.get(url, headers=headers) as response:
                if response.status != 200:
                    raise Refused(response.status)
                self._response = response
                self._asked = asked
                fields = {}
                async for line in response.content:
                    line = line.decode().rstrip("\n")
                    if line == "":
                        self._take(fields)
                        fields = {}
                    elif not line.startswith(":"):
                        name, _, value = line.partition(":")
                        value = value.removeprefix(" ")
                        fields[name] = fields[name] + "\n" + value if name in fields else value

    def _take(self, fields):
        if "event" not in fields and "data" not in fields:
            if fields.get("id"):  # where a new stream begins
                self.story.subscribed(parse_position(fields["id"]), self._asked, False)
                self.has_come = True
            return
        event = fields.get("event", "message")
        if event == "message":
            self.took(self.story, parse_position(fields["id"]), fields["data"])
        elif event == "recovered":
            missed = json.loads(fields["data"])["missed"]
            epoch, offset = self._asked
            self.story.subscribed((epoch, offset + missed), self._asked, True)
            self.has_come = True
        elif event == "reset":
            said = json.loads(fields["data"])
            position = parse_position(said["position"])
            if said["reason"] == "not_recovered":
                self.story.subscribed(position, self._asked, False)
                self.has_come = True
            else:
                self.story.lost(position, said["reason"])

    def cut(self):
        if self._response is not None and self._response.connection is not None:
            self._response.connection.transport.abort()


class LongPollClient(Client):
    """One channel, one request after the other; another server each time."""

    kind = "poll"

    def __init__(self, *arguments):
        super().__init__(*arguments)
        (self.story,) = self.stories.values()

    async def talk(self, server):
        self.begin(server)
        timeout = aiohttp.ClientTimeout(total=PATIENCE)
        async with aiohttp.ClientSession(timeout=timeout) as session:
            for _ in range(self.random.randint(1, 8)):
                asked = self.story.position
                query = {"channel": self.story.channel, "timeout": "2"}
                if asked is not None:
                    query["cursor"] = f"{asked[0]}:{asked[1]}"
                async with session.get(f"http://{server.address}/poll", params=query) as response:
                    answer = await response.json()
                if response.status != 200:
                    raise Refused(answer["error"]["code"])
                self._take(answer, asked)

    def _take(self, answer, asked):
        position = parse_position(answer["position"])
        if asked is None or not answer["recovered"] or len(answer["messages"]) > 1:
            self.story.subscribed(position, asked, answer["recovered"])
        self.has_come = True
        if not answer["recovered"]:
            return
        for message in answer["messages"]:
            self.took(self.story, parse_position(message["position"]), message["data"])
        if self.story.position != position:
            self.story.note("cursor", answer["position"])
            self.story.ahead(position)
