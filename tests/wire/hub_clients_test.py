# SPDX-License-Identifier: Apache-2.0
"""Long polls by aiohttp and HubSocketHandler's protocol by Python's websockets."""
import asyncio
import json
import os
import unittest

import aiohttp
import websockets

from squall_wire import DEADLINE, Server, WireTest, main, wait_for

PROGRAM = os.environ["SQUALL_WIRE_REALTIME"]


class HubTest(WireTest):
    @classmethod
    def setUpClass(cls):
        cls.server = Server(program=PROGRAM)

    def subscriptions(self):
        return self.server.get("/counters").json()["subscriptions"]

    def publish(self, channel, text):
        response = self.server.get(f"/publish/{channel}/{text}")
        self.assertEqual(response.status, 200)
        return response.body.decode()


class Polls(HubTest):
    def run_async(self, work):
        async def run():
            timeout = aiohttp.ClientTimeout(total=DEADLINE)
            connector = aiohttp.TCPConnector(limit=0)
            async with aiohttp.ClientSession(connector=connector, timeout=timeout) as session:
                await asyncio.wait_for(work(session), DEADLINE)
        asyncio.run(run())

    async def poll(self, session, **query):
        async with session.get(self.server.url("/poll"), params=query) as response:
            return response.status, await response.json()

    def test_clients_that_poll_get_every_message_once_and_in_order(self):
        async def work(session):
            count = 50

            async def client():
                _, answer = await self.poll(session, channel="polled")
                ready.append(1)
                texts = []
                while len(texts) < count:
                    status, answer = await self.poll(session, channel="polled", timeout="10",
                                                     cursor=answer["position"])
                    self.assertEqual(status, 200)
                    self.assertTrue(answer["recovered"])
                    texts += [message["data"] for message in answer["messages"]]
                    await asyncio.sleep(0)
                self.assertEqual(texts, [str(at) for at in range(count)])
            ready = []
            clients = [asyncio.create_task(client()) for _ in range(20)]
            while len(ready) < 20:
                await asyncio.sleep(0.01)
            for at in range(count):
                async with session.get(self.server.url(f"/publish/polled/{at}")) as response:
                    self.assertEqual(response.status, 200)
            await asyncio.gather(*clients)
        # Between two polls nothing is subscribed: the history bridges it.
        self.run_async(work)

    def test_a_poll_ends_when_its_client_leaves(self):
        position = self.publish("left", "x")
        with self.server.connect() as raw:
            raw.send_request("GET", f"/poll?channel=left&timeout=60&cursor={position}")
            wait_for(lambda: self.subscriptions() == 1, "the poll to wait")
        wait_for(lambda: self.subscriptions() == 0, "the poll to end")

    def test_refusals_are_json(self):
        async def work(session):
            status, answer = await self.poll(session, channel="secret")
            self.assertEqual((status, answer["error"]["code"]), (403, "forbidden"))
            status, answer = await self.poll(session, channel="x", cursor="?")
            self.assertEqual((status, answer["error"]["code"]), (400, "bad_request"))
        self.run_async(work)


class Sockets(HubTest):
    def run_with(self, work, **options):
        async def run():
            url = self.server.url("/realtime", "ws")
            async with websockets.connect(url, open_timeout=DEADLINE, **options) as socket:
                await asyncio.wait_for(work(socket), DEADLINE)
        asyncio.run(run())

    async def say(self, socket, **command):
        await socket.send(json.dumps(command))

    async def hear(self, socket, key):
        """The next message that has `key`, and those before it."""
        before = []
        while True:
            message = json.loads(await socket.recv())
            if key in message:
                return message, before
            before.append(message)

    def test_many_channels_on_one_connection(self):
        async def work(socket):
            hello = json.loads(await socket.recv())
            self.assertEqual(hello["push"], "hello")
            for at in range(128):
                await self.say(socket, id=at, command="subscribe", channel=f"c{at}")
            await self.say(socket, id=128, command="subscribe", channel="one too many")
            answers = {}
            while len(answers) < 129:
                message = json.loads(await socket.recv())
                answers[message["id"]] = message
            self.assertTrue(all("ok" in answers[at] for at in range(128)))
            self.assertEqual(answers[128]["error"]["code"], "too_many_channels")
            await asyncio.to_thread(self.publish, "c77", "hi")
            message, _ = await self.hear(socket, "data")
            self.assertEqual((message["channel"], message["data"]), ("c77", "hi"))
        self.run_with(work)
        wait_for(lambda: self.subscriptions() == 0, "subscriptions to go")

    def test_recovery(self):
        async def work(socket):
            position = await asyncio.to_thread(self.publish, "news", "a")
            for text in "bcd":
                last = await asyncio.to_thread(self.publish, "news", text)
            await self.say(socket, id=1, command="subscribe", channel="news", since=position)
            answer, _ = await self.hear(socket, "id")
            self.assertEqual(answer["ok"], {"channel": "news", "position": last, "recovered": True,
                                            "missed": 3})
            texts = []
            while len(texts) < 3:
                message, _ = await self.hear(socket, "data")
                texts.append(message["data"])
            self.assertEqual(texts, list("bcd"))
        self.run_with(work)

    def test_members_see_each_other_come_and_go(self):
        async def work(socket):
            first = json.loads(await socket.recv())["client"]
            await self.say(socket, id=1, command="subscribe", channel="news")
            await self.hear(socket, "id")

            async def guest(other):
                client = json.loads(await other.recv())["client"]
                await self.say(other, id=1, command="subscribe", channel="news")
                await self.hear(other, "id")
                joined = first
                while joined == first:  # one's own is told, too
                    message, _ = await self.hear(socket, "push")
                    self.assertEqual(message["push"], "join")
                    joined = message["client"]
                self.assertEqual(joined, client)
                await self.say(other, id=2, command="presence", channel="news")
                answer, _ = await self.hear(other, "id")
                members = {member["client"] for member in answer["ok"]["members"]}
                self.assertEqual(members, {first, client})
                return client
            async with websockets.connect(self.server.url("/realtime", "ws")) as other:
                client = await guest(other)
            message, _ = await self.hear(socket, "push")
            self.assertEqual((message["push"], message["client"]), ("leave", client))
        self.run_with(work)

    def test_what_is_no_command_does_no_harm(self):
        async def work(socket):
            await socket.recv()
            for text in ("", "nonsense", "[]", "1", '{"id":1}', "{" * 1000, '{"id":1,"command":7}',
                         '{"id":1,"command":"subscribe","channel":7}', "\0"):
                await socket.send(text)
                answer = json.loads(await socket.recv())
                self.assertIn("error", answer)
            await self.say(socket, id=9, command="ping")
            self.assertEqual(json.loads(await socket.recv()), {"id": 9, "ok": {}})
        self.run_with(work)

    def test_a_command_that_is_too_long_ends_it(self):
        async def work(socket):
            await socket.send("x" * (64 * 1024 + 1))
            with self.assertRaises(websockets.ConnectionClosed):
                while True:
                    await socket.recv()
            self.assertEqual(socket.close_code, 1009)
        self.run_with(work, compression=None)

    def test_binary_commands_are_refused(self):
        async def work(socket):
            await socket.send(b"x")
            with self.assertRaises(websockets.ConnectionClosed):
                while True:
                    await socket.recv()
            self.assertEqual(socket.close_code, 1003)
        self.run_with(work)


class Shutdown(unittest.TestCase):
    def test_sigterm_answers_polls_and_closes_sockets_with_1001(self):
        async def work(server):
            timeout = aiohttp.ClientTimeout(total=DEADLINE)
            async with aiohttp.ClientSession(timeout=timeout) as session, \
                    websockets.connect(server.url("/realtime", "ws")) as socket:
                async with session.get(server.url("/publish/news/x")) as response:
                    position = await response.text()

                async def poll():
                    async with session.get(server.url("/poll"), params={
                            "channel": "news", "cursor": position, "timeout": "60"}) as response:
                        return await response.json()
                polling = asyncio.create_task(poll())
                while True:
                    async with session.get(server.url("/counters")) as response:
                        if (await response.json())["subscriptions"] == 1:
                            break
                server.signal()
                self.assertEqual(await polling, {"position": position, "recovered": True,
                                                 "messages": []})
                with self.assertRaises(websockets.ConnectionClosed):
                    while True:
                        await socket.recv()
                self.assertEqual(socket.close_code, 1001)
        with Server(program=PROGRAM) as server:
            asyncio.run(asyncio.wait_for(work(server), DEADLINE))
            self.assertEqual(server.wait_for_exit(), 0)


if __name__ == "__main__":
    main()
