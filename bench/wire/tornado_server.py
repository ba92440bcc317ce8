# SPDX-License-Identifier: Apache-2.0
"""The ancestor: the same routes in Tornado, with its defaults and no access log."""

import argparse
import logging

import tornado.ioloop
import tornado.locks
import tornado.web
import tornado.websocket


class Plaintext(tornado.web.RequestHandler):
    def get(self):
        self.set_header("Content-Type", "text/plain")
        self.write("Hello, World!")


class Json(tornado.web.RequestHandler):
    def get(self):
        self.write({"message": "Hello, World!"})


class Echo(tornado.web.RequestHandler):
    def post(self):
        self.set_header("Content-Type", "application/octet-stream")
        self.write(self.request.body)


class EchoSocket(tornado.websocket.WebSocketHandler):
    def on_message(self, message):
        self.write_message(message, binary=isinstance(message, bytes))


class DeflateSocket(EchoSocket):
    def get_compression_options(self):
        return {}


class Feed(tornado.web.RequestHandler):
    streams = set()

    async def get(self):
        self.set_header("Content-Type", "text/event-stream")
        self.set_header("Cache-Control", "no-store")
        self.gone = tornado.locks.Event()
        await self.flush()
        self.streams.add(self)
        await self.gone.wait()

    def on_connection_close(self):
        self.streams.discard(self)
        self.gone.set()


class Publish(tornado.web.RequestHandler):
    def post(self):
        event = b"data: " + self.request.body + b"\n\n"
        for stream in Feed.streams:
            stream.write(event)
            stream.flush()
        self.set_status(204)


class RoomSocket(tornado.websocket.WebSocketHandler):
    members = set()

    def open(self):
        self.members.add(self)

    def on_message(self, message):
        for member in self.members:
            member.write_message(message)

    def on_close(self):
        self.members.discard(self)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--static", required=True)
    options = parser.parse_args()
    logging.getLogger("tornado.access").disabled = True
    application = tornado.web.Application(
        [
            ("/plaintext", Plaintext),
            ("/json", Json),
            ("/echo", Echo),
            ("/feed", Feed),
            ("/feed/publish", Publish),
            ("/ws", EchoSocket),
            ("/ws/deflate", DeflateSocket),
            ("/ws/room", RoomSocket),
            ("/static/(.*)", tornado.web.StaticFileHandler, {"path": options.static}),
        ],
        log_function=lambda handler: None,
    )
    application.listen(options.port, "127.0.0.1", backlog=4096)
    tornado.ioloop.IOLoop.current().start()


main()
