# SPDX-License-Identifier: Apache-2.0
"""The example of a chat by long polling, with the HTTP client of Python's library."""
import http.client
import json
import re
import threading
import time
import unittest
from urllib.parse import urlencode

from squall_wire import DEADLINE, Example, main, wait_for


class Client:
    """One connection, as a browser keeps it."""

    def __init__(self, port):
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=DEADLINE)

    def ask(self, path, form=None, headers=()):
        body = None if form is None else urlencode(form)
        kind = {} if form is None else {"Content-Type": "application/x-www-form-urlencoded"}
        self.connection.request("GET" if form is None else "POST", path, body, {**kind, **dict(headers)})
        answer = self.connection.getresponse()
        return answer.status, answer.read()

    def get(self, action, **fields):
        status, body = self.ask(f"/a/message/{action}?{urlencode(fields)}")
        if status != 200:
            raise AssertionError(f"{status} {body}")
        return json.loads(body)

    def say(self, body, room="lobby", name="Ann"):
        status, answer = self.ask("/a/message/new", {"room": room, "name": name, "body": body})
        if status != 200:
            raise AssertionError(f"{status} {answer}")
        return json.loads(answer)["position"]


def bodies(answer):
    return [json.loads(message["data"])["body"] for message in answer["messages"]]


class LongpollChat(unittest.TestCase):
    def setUp(self):
        self.server = Example("longpoll_chat", port=("--port", "0"))
        self.addCleanup(self.server.kill)

    def client(self):
        client = Client(self.server.port)
        self.addCleanup(client.connection.close)
        return client

    def waiting(self):
        text = self.server.get("/metrics").body.decode()
        return int(re.search(r"^squall_realtime_subscriptions (\d+)$", text, re.M)[1])

    def poll_later(self, client, **fields):
        """A poll that is under way; the function that is returned gives its answer."""
        before, answers = self.waiting(), []
        thread = threading.Thread(target=lambda: answers.append(client.get("updates", **fields)))
        thread.start()
        self.addCleanup(thread.join)
        wait_for(lambda: self.waiting() == before + 1, "the poll to wait")

        def answer():
            thread.join(DEADLINE)
            return answers[0]
        return answer

    def test_two_clients_talk_and_one_recovers_by_its_cursor(self):
        ann, bob = self.client(), self.client()
        start = bob.get("updates", room="lobby")
        self.assertEqual(start["messages"], [])
        heard = self.poll_later(bob, room="lobby", cursor=start["position"])
        position = ann.say("<b>Hello</b>, Grüße\nfrom here")
        answer = heard()
        self.assertEqual(bodies(answer), ["<b>Hello</b>, Grüße\nfrom here"])
        self.assertEqual((answer["position"], answer["recovered"]), (position, True))
        # Bob is away meanwhile.
        for text in ("one", "two", "three"):
            ann.say(text)
        ann.say("elsewhere", room="garden")
        answer = bob.get("updates", room="lobby", cursor=answer["position"])
        self.assertEqual((bodies(answer), answer["recovered"]), (["one", "two", "three"], True))
        again = bob.get("updates", room="lobby", cursor=answer["position"], timeout="0.05")
        self.assertEqual((again["messages"], again["position"]), ([], answer["position"]))
        told = bob.get("history", room="lobby")
        self.assertEqual(bodies(told)[1:], ["one", "two", "three"])
        self.assertEqual(told["position"], answer["position"])
        self.assertEqual(bodies(bob.get("history", room="garden")), ["elsewhere"])
        self.server.stop()

    def test_one_who_missed_too_much_is_told(self):
        ann = self.client()
        first = ann.say("first")
        for number in range(200):  # as many as are kept
            ann.say(str(number))
        answer = ann.get("updates", room="lobby", cursor=first)
        self.assertEqual((answer["recovered"], len(answer["messages"])), (True, 200))
        ann.say("one more")
        answer = ann.get("updates", room="lobby", cursor=first)
        self.assertFalse(answer["recovered"])
        stranger = ann.get("updates", room="lobby", cursor="another:7")  # of a server before this one
        self.assertFalse(stranger["recovered"])
        self.server.stop()

    def test_one_who_leaves_waits_no_more(self):
        ann, bob, eve = self.client(), self.client(), self.server.connect()
        start = ann.get("updates", room="lobby")["position"]
        eve.send_request("GET", f"/a/message/updates?room=lobby&cursor={start}")
        wait_for(lambda: self.waiting() == 1, "Eve to wait")
        heard = self.poll_later(bob, room="lobby", cursor=start)
        eve.close()
        wait_for(lambda: self.waiting() == 1, "Eve to be forgotten")
        ann.say("still here?")
        self.assertEqual(bodies(heard()), ["still here?"])
        self.server.stop()

    def test_a_waiting_client_is_answered_when_the_server_ends(self):
        bob = self.client()
        start = bob.get("updates", room="lobby")["position"]
        heard = self.poll_later(bob, room="lobby", cursor=start)
        began = time.monotonic()
        self.server.stop()
        self.assertEqual(heard()["position"], start)
        self.assertLess(time.monotonic() - began, DEADLINE / 2)

    def test_wrong_requests_are_refused(self):
        ann = self.client()
        long = "x" * 8001
        for form in ({"room": "../x"}, {"room": "x" * 33}, {"name": ""}, {"name": "n" * 97},
                     {"body": "   "}, {"body": long}):
            whole = {"room": "lobby", "name": "Ann", "body": "hi", **form}
            self.assertEqual(ann.ask("/a/message/new", whole)[0], 400, form)
        self.assertEqual(ann.ask("/a/message/new", {"room": "lobby"})[0], 400)
        self.assertEqual(ann.ask("/a/message/updates?room=lobby&cursor=nonsense")[0], 400)
        self.assertEqual(ann.ask("/a/message/updates?room=LOBBY")[0], 400)
        foreign = [("Origin", "https://evil.example"), ("Sec-Fetch-Site", "cross-site")]
        form = {"room": "lobby", "name": "Ann", "body": "forged"}
        self.assertEqual(ann.ask("/a/message/new", form, foreign)[0], 403)
        self.assertEqual(ann.get("history", room="lobby")["messages"], [])
        self.assertEqual(ann.ask("/room/garden")[0], 200)
        self.server.stop()


if __name__ == "__main__":
    main()
