# SPDX-License-Identifier: Apache-2.0
"""Our WebSocket client against servers and proxies that we did not write: Python's websockets, aiohttp and
Tornado, Node's ws, nginx, tinyproxy. The client (wire_client.cpp) sends back what it gets; the servers ask."""
import asyncio
import base64
import contextlib
import hashlib
import json
import os
import random
import re
import ssl
import subprocess
import unittest

import aiohttp.web
import tornado.httpserver
import tornado.web
import tornado.websocket
import websockets

import proxies
from squall_wire import DEADLINE, EXAMPLES, free_port, main
from tls_files import Authority

CLIENT = os.environ.get("SQUALL_WIRE_CLIENT", "/tmp/build-wire/bin/squall_wire_client")
RANDOM = random.Random(5)
# Both as large as they come with one frame head and another, and of all kinds of bytes.
MESSAGES = [kind(size) for size in (0, 1, 125, 126, 65535, 65536, 1 << 20)
            for kind in (lambda size: "t" * size, RANDOM.randbytes)] + ["grüße " * 1000]


class Run:
    """The client, as a process that is on its way."""

    def __init__(self, process):
        self.process = process

    @classmethod
    async def start(cls, url, *options, env=None):
        clean = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
        return cls(await asyncio.create_subprocess_exec(
            CLIENT, url, *options, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            env={**clean, **(env or {})}))

    async def result(self):
        try:
            out, err = await asyncio.wait_for(self.process.communicate(), 2 * DEADLINE)
        except asyncio.TimeoutError:
            self.process.kill()
            await self.process.wait()
            raise
        if self.process.returncode != 0 or b"Sanitizer" in err:
            raise AssertionError(f"the client exited with {self.process.returncode}\n{err.decode()}")
        return json.loads(out)


async def client(url, *options, env=None):
    return await (await Run.start(url, *options, env=env)).result()


class Clients(unittest.TestCase):
    def run_async(self, work):
        return asyncio.run(asyncio.wait_for(work, 6 * DEADLINE))

    async def ask(self, send, receive):
        """Every message comes back, one by one and many at a time."""
        for message in MESSAGES:
            await send(message)
            self.assertEqual(await receive(), message)
        for at in range(500):
            await send(str(at))
        for at in range(500):
            self.assertEqual(await receive(), str(at))

    def check(self, result, **expected):
        self.assertNotIn("error", result)
        self.assertEqual({name: result[name] for name in expected}, expected)


@contextlib.asynccontextmanager
async def serve(handler, **options):
    """A server of Python's websockets on a free port; gives the port."""
    options.setdefault("max_size", None)
    options.setdefault("ping_interval", None)
    async with websockets.serve(handler, "127.0.0.1", 0, **options) as server:
        yield server.sockets[0].getsockname()[1]


class Websockets(Clients):
    def echo(self, *options, **server_options):
        async def work():
            seen = []

            async def handler(socket, *_):
                seen.append([extension.name for extension in socket.extensions])
                await self.ask(socket.send, socket.recv)
                await socket.close(4001, "that is all")
            async with serve(handler, **server_options) as port:
                result = await client(f"ws://127.0.0.1:{port}/x", *options)
            self.check(result, code=4001, reason="that is all", messages=len(MESSAGES) + 500)
            return result, seen
        return self.run_async(work())

    def test_echo(self):
        for options in ((), ("--callbacks",), ("--pieces",)):
            result, seen = self.echo(*options, compression=None)
            self.assertFalse(result["compressed"])
            self.assertEqual(seen, [[]])

    def test_compression_is_not_forced_on_anyone(self):
        self.assertFalse(self.echo("--compression=on", compression=None)[0]["compressed"])
        self.assertFalse(self.echo()[0]["compressed"])

    def test_compression_with_and_without_context_takeover(self):
        for how, style in (("on", "--"), ("takeover", "--"), ("on", "--pieces"), ("takeover", "--pieces")):
            with self.subTest(how=how, style=style):
                result, seen = self.echo(f"--compression={how}", style)
                self.assertTrue(result["compressed"])
                self.assertEqual(seen, [["permessage-deflate"]])

    def test_fragments(self):
        async def work():
            async def handler(socket, *_):
                await socket.send(["one ", "", "é", " three"])
                self.assertEqual(await socket.recv(), "one é three")
                await socket.send([b"1", b"", b"23"] * 100)
                self.assertEqual(await socket.recv(), b"123" * 100)
            for compression in (None, "deflate"):
                async with serve(handler, compression=compression) as port:
                    for style in ("--", "--pieces"):
                        self.check(await client(f"ws://127.0.0.1:{port}", "--compression=on", style),
                                   messages=2, code=1000)
        self.run_async(work())

    def test_the_client_closes(self):
        async def work():
            ends = []

            async def handler(socket, *_):
                for at in range(3):
                    await socket.send(str(at))
                with contextlib.suppress(websockets.ConnectionClosed):
                    while True:
                        await socket.recv()
                ends.append((socket.close_code, socket.close_reason))
            async with serve(handler) as port:
                url = f"ws://127.0.0.1:{port}"
                # No message is called back after a close; those that came before it are read.
                self.check(await client(url, "--close-after=2", "--callbacks"), code=4000, messages=2)
                result = await client(url, "--close-after=2", "--compression=on")
                self.check(result, code=4000)
                self.assertIn(result["messages"], (2, 3))  # the third may have been on its way
            self.assertEqual(ends, [(4000, "enough")] * 2)
        self.run_async(work())

    def test_a_message_past_the_limit(self):
        async def work():
            ends = []

            async def handler(socket, *_):
                await socket.send("x" * 100_000)
                with contextlib.suppress(websockets.ConnectionClosed):
                    await socket.recv()
                ends.append(socket.close_code)
            for compression in (None, "deflate"):
                async with serve(handler, compression=compression) as port:
                    self.check(await client(f"ws://127.0.0.1:{port}", "--max-message=50000", "--compression=on"),
                               code=1009, messages=0)
            self.assertEqual(ends, [1009, 1009])
        self.run_async(work())

    def test_pings_of_both_sides(self):
        async def work():
            async def handler(socket, *_):
                for data in (b"", b"p" * 125):
                    await asyncio.wait_for(await socket.ping(data), DEADLINE)
                await socket.close()
            async with serve(handler) as port:
                self.check(await client(f"ws://127.0.0.1:{port}", "--ping-ms=5"), code=1000)

            async def sleepy(socket, *_):  # it answers pings all the same
                await asyncio.sleep(0.3)
            async with serve(sleepy) as port:
                self.check(await client(f"ws://127.0.0.1:{port}", "--ping-ms=20"), code=1000)
        self.run_async(work())

    def test_basic_authentication(self):
        async def work():
            async def handler(socket, *_):
                await socket.send(socket.username)
                await socket.close()
            protocol = websockets.basic_auth_protocol_factory(realm="here", credentials=("user", "p:w"))
            async with serve(handler, create_protocol=protocol) as port:
                options = ("--username=user", "--password=p:w")
                self.check(await client(f"ws://127.0.0.1:{port}", *options), bytes=4, code=1000)
                self.check(await client(f"ws://user:p%3Aw@127.0.0.1:{port}"), bytes=4, code=1000)
                self.assertEqual((await client(f"ws://127.0.0.1:{port}", "--username=user"))["status"], 401)
                self.assertEqual((await client(f"ws://127.0.0.1:{port}"))["status"], 401)
        self.run_async(work())

    def test_subprotocols_and_origin(self):
        async def work():
            async def handler(socket, *_):
                await socket.send(socket.subprotocol or "none")
            async with serve(handler, subprotocols=["two", "one"], origins=["https://a.example"]) as port:
                url = f"ws://127.0.0.1:{port}"
                # Of equally liked ones websockets takes any.
                self.check(await client(url, "--subprotocols=two,one,three", "--origin=https://a.example"),
                           subprotocol="two", bytes=3)
                self.check(await client(url, "--subprotocols=three", "--origin=https://a.example"),
                           subprotocol="", bytes=4)
                refused = await client(url, "--origin=https://b.example")
                self.assertEqual(refused["status"], 403)
        self.run_async(work())

    def test_a_slow_reader_holds_the_server_back_and_its_memory_stays(self):
        async def work():
            count = 1600  # 105 MB

            async def handler(socket, *_):
                for _ in range(count):
                    await socket.send(b"x" * 65536)

            async with serve(handler, compression=None) as port:
                result = await self.with_little_memory(f"ws://127.0.0.1:{port}", "--silent", "--pause-ms=1")
            self.check(result, code=1000, messages=count, bytes=count * 65536)
        self.run_async(work())

    def test_a_large_message_in_pieces_is_never_held_whole(self):
        async def work():
            block = RANDOM.randbytes(1 << 20)
            count = 100  # MiB, of which the other side holds none whole either
            digests = []

            async def handler(reader, writer):
                head = await reader.readuntil(b"\r\n\r\n")
                key = re.search(rb"Sec-WebSocket-Key: (\S+)", head).group(1)
                accept = base64.b64encode(hashlib.sha1(key + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest())
                writer.write(b"HTTP/1.1 101 x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                             b"Sec-WebSocket-Accept: " + accept + b"\r\n\r\n")
                writer.write(b"\x82\x7f" + (count << 20).to_bytes(8, "big"))
                reading = asyncio.ensure_future(self.digest_of_message(reader))
                for _ in range(count):
                    writer.write(block)
                    await writer.drain()
                digests.append(await reading)
                writer.write(b"\x88\x02\x03\xe8")
                await reader.read()
                writer.close()
            server = await asyncio.start_server(handler, "127.0.0.1", 0)
            async with server:
                port = server.sockets[0].getsockname()[1]
                result = await self.with_little_memory(
                    f"ws://127.0.0.1:{port}", "--pieces", f"--max-message={count << 20}")
            self.check(result, code=1000, messages=1, bytes=count << 20)
            self.assertEqual(digests, [(count << 20, hashlib.sha256(block * count).hexdigest())])
        self.run_async(work())

    async def digest_of_message(self, reader):
        """Of the next binary message, in however many frames."""
        digest, size, opcode = hashlib.sha256(), 0, 2
        while True:
            first, length = await reader.readexactly(2)
            self.assertEqual(first & 0x7f, opcode)
            length &= 0x7f
            if length > 125:
                length = int.from_bytes(await reader.readexactly(2 if length == 126 else 8), "big")
            key = int.from_bytes(await reader.readexactly(4) * 2, "big")
            payload = await reader.readexactly(length)
            mask = (key.to_bytes(8, "big") * (length // 8 + 1))[:length]
            digest.update((int.from_bytes(payload, "big") ^ int.from_bytes(mask, "big")).to_bytes(length, "big"))
            size, opcode = size + length, 0
            if first & 0x80:
                return size, digest.hexdigest()

    async def with_little_memory(self, *arguments):
        """The client's result; it never had more than 40 MiB."""
        def most_memory(pid):
            try:
                with open(f"/proc/{pid}/status", encoding="ascii") as file:
                    return max((int(line.split()[1]) for line in file if line.startswith("VmHWM")), default=0)
            except FileNotFoundError:
                return 0
        peak = 0
        run = await Run.start(*arguments)
        reading = asyncio.ensure_future(run.result())
        while not reading.done():
            peak = max(peak, most_memory(run.process.pid))
            await asyncio.wait([reading], timeout=0.05)
        self.assertGreater(peak, 0)
        if "Sanitizer" not in os.environ.get("SQUALL_WIRE_BUILD", ""):
            self.assertLess(peak, 40 * 1024)  # KiB
        return reading.result()


class Others(Clients):
    def test_aiohttp(self):
        async def work():
            async def handler(request):
                socket = aiohttp.web.WebSocketResponse(max_msg_size=0, compress=True)
                await socket.prepare(request)

                async def send(message):
                    await (socket.send_str if isinstance(message, str) else socket.send_bytes)(message)

                async def receive():
                    return (await socket.receive()).data
                await self.ask(send, receive)
                await socket.close(code=4002, message=b"done")
                return socket

            async def redirect(request):
                raise aiohttp.web.HTTPFound("/ws?" + request.query_string)

            async def refuse(request):
                return aiohttp.web.Response(status=401, text="who are you, " + request.headers["X-Test"])
            app = aiohttp.web.Application()
            app.router.add_get("/ws", handler)
            app.router.add_get("/old", redirect)
            app.router.add_get("/no", refuse)
            runner = aiohttp.web.AppRunner(app)
            await runner.setup()
            site = aiohttp.web.TCPSite(runner, "127.0.0.1", 0)
            await site.start()
            port = runner.addresses[0][1]
            try:
                for how in ("", "on", "takeover"):
                    with self.subTest(how):
                        result = await client(f"http://127.0.0.1:{port}/old?a=b", f"--compression={how}")
                        self.check(result, code=4002, reason="done", compressed=how != "",
                                   url=f"ws://127.0.0.1:{port}/ws?a=b")
                refused = await client(f"ws://127.0.0.1:{port}/no", "--header=stranger")
                self.assertEqual((refused["status"], refused["body"]), (401, "who are you, stranger"))
            finally:
                await runner.cleanup()
        self.run_async(work())

    def test_tornado(self):
        async def work():
            failures = []
            ask = self.ask

            class Handler(tornado.websocket.WebSocketHandler):
                def open(self):
                    self.messages = asyncio.Queue()
                    asyncio.ensure_future(self.work())

                async def work(self):
                    try:
                        async def send(message):
                            await self.write_message(message, binary=isinstance(message, bytes))
                        await ask(send, self.messages.get)
                    except BaseException as error:
                        failures.append(error)
                    self.close(4003, "done")

                def on_message(self, message):
                    self.messages.put_nowait(message)

                def get_compression_options(self):
                    return {}
            server = tornado.httpserver.HTTPServer(tornado.web.Application([("/ws", Handler)]))
            sockets = tornado.netutil.bind_sockets(0, "127.0.0.1")
            server.add_sockets(sockets)
            port = sockets[0].getsockname()[1]
            for how, style in (("", "--"), ("on", "--"), ("takeover", "--"), ("takeover", "--pieces")):
                with self.subTest(how=how, style=style):
                    result = await client(f"ws://127.0.0.1:{port}/ws", f"--compression={how}", style)
                    self.assertEqual(failures, [])
                    self.check(result, code=4003, reason="done", compressed=how != "")
            self.assertEqual((await client(f"ws://127.0.0.1:{port}/none"))["status"], 404)
            server.stop()
        self.run_async(work())

    NODE = """
        const { WebSocketServer } = require('ws');
        const server = new WebSocketServer({ host: '127.0.0.1', port: 0, maxPayload: 1 << 24,
                                             perMessageDeflate: { threshold: 0 } },
                                           () => console.log(server.address().port));
        const messages = ['', 'x', 'y'.repeat(65536), 'grüße '.repeat(1000), Buffer.alloc(1 << 20, 7)];
        server.on('connection', (socket) => {
          let next = 0;
          socket.on('message', (data, binary) => {
            const sent = messages[next];
            if (binary !== Buffer.isBuffer(sent) || !data.equals(Buffer.from(sent))) socket.close(4999, 'other');
            else if (++next < messages.length) socket.send(messages[next]);
            else socket.close(4004, 'done');
          });
          socket.send(messages[0]);
        });
        process.stdin.on('end', () => process.exit(0)).resume();
    """

    def test_node_ws(self):
        async def work():
            node = await asyncio.create_subprocess_exec(
                "node", "-e", self.NODE, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
            try:
                port = int(await asyncio.wait_for(node.stdout.readline(), DEADLINE))
                for how, style in (("", "--"), ("on", "--"), ("takeover", "--"), ("", "--pieces"), ("on", "--pieces")):
                    with self.subTest(how=how, style=style):
                        result = await client(f"ws://127.0.0.1:{port}/", f"--compression={how}", style)
                        self.check(result, code=4004, reason="done", messages=5, compressed=how != "")
            finally:
                node.kill()
                await node.wait()
        self.run_async(work())


class TLS(Clients):
    @classmethod
    def setUpClass(cls):
        cls.authority = Authority()
        cls.addClassCleanup(cls.authority.directory.cleanup)

    def attempt(self, files, host, *options, clients=None):
        async def work():
            async def handler(socket, *_):
                await self.ask(socket.send, socket.recv)
                await socket.close(4005)
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(files.certificate, files.key)
            if clients:
                context.load_verify_locations(clients)
                context.verify_mode = ssl.CERT_REQUIRED
            async with serve(handler, ssl=context) as port:
                return await client(f"wss://{host}:{port}/", *options)
        return self.run_async(work())

    def test_a_good_certificate(self):
        files = self.authority.issue("localhost")
        self.check(self.attempt(files, "localhost", f"--ca={self.authority.file}", "--compression=on"), code=4005)

    def test_a_certificate_of_the_client(self):
        files = self.authority.issue("localhost")
        ca = f"--ca={self.authority.file}"
        mine = self.authority.issue("alice", usage="clientAuth")
        result = self.attempt(files, "localhost", ca, f"--certificate={mine.certificate}", f"--key={mine.key}",
                              clients=self.authority.file)
        self.check(result, code=4005)
        self.assertIn("error", self.attempt(files, "localhost", ca, clients=self.authority.file))

    def test_certificates_that_are_not_good(self):
        good = self.authority.issue("localhost")
        expired = self.authority.issue("localhost", days=-1)
        mine = f"--ca={self.authority.file}"
        for files, host, options, word in ((good, "127.0.0.1", (mine,), "another host name"), (good, "localhost", (), ""),
                                           (expired, "localhost", (mine,), "not valid at this time")):
            with self.subTest(host=host, options=options, files=files):
                result = self.attempt(files, host, *options)
                self.assertEqual(result["category"], "tls", result)
                self.assertIn(word, result["error"])
        self.check(self.attempt(expired, "127.0.0.1", "--insecure"), code=4005)

    def test_a_server_without_tls(self):
        async def work():
            async def handler(socket, *_):
                await socket.close()
            async with serve(handler) as port:
                result = await client(f"wss://127.0.0.1:{port}/", "--insecure")
                self.assertEqual(result["category"], "tls")
        self.run_async(work())


@unittest.skipUnless(proxies.find("nginx"), "there is no nginx")
class BehindNginx(Clients):
    def test_echo(self):
        async def work():
            async def handler(socket, *_):
                await self.ask(socket.send, socket.recv)
                await socket.close(4006, "done")
            async with serve(handler) as port:
                front = free_port()
                proxy = proxies.Proxy(port=front)
                where = proxy.directory.name
                config = proxy.write("nginx.conf", f"""
                    daemon off; pid {where}/pid; error_log stderr;
                    events {{}}
                    http {{
                      access_log off;
                      client_body_temp_path {where}/a; proxy_temp_path {where}/b; fastcgi_temp_path {where}/c;
                      uwsgi_temp_path {where}/d; scgi_temp_path {where}/e;
                      server {{
                        listen 127.0.0.1:{front};
                        location /ws {{
                          proxy_pass http://127.0.0.1:{port};
                          proxy_http_version 1.1;
                          proxy_set_header Upgrade $http_upgrade;
                          proxy_set_header Connection "upgrade";
                        }}
                        location /moved {{ return 307 /ws; }}
                        location /none {{ return 404; }}
                      }}
                    }}""")
                proxy.command = (proxies.find("nginx"), "-p", where, "-c", config)
                with proxy:
                    for path in ("ws", "moved"):
                        result = await client(f"ws://127.0.0.1:{front}/{path}", "--compression=on")
                        self.check(result, code=4006, reason="done", compressed=True)
                    refused = await client(f"ws://127.0.0.1:{front}/none")
                    self.assertEqual(refused["status"], 404)
                    self.assertIn("nginx", refused["body"])
        self.run_async(work())


@unittest.skipUnless(proxies.find("tinyproxy"), "there is no tinyproxy")
class ThroughTinyproxy(Clients):
    @contextlib.contextmanager
    def proxy(self, *lines):
        port = free_port()
        made = proxies.Proxy(port=port)
        config = made.write("tinyproxy.conf", "\n".join((
            f"Port {port}", "Listen 127.0.0.1", "Timeout 60", "Allow 127.0.0.1", "LogLevel Info", *lines)) + "\n")
        made.command = (proxies.find("tinyproxy"), "-d", "-c", config)
        with made:
            yield port

    def server(self):
        async def handler(socket, *_):
            await self.ask(socket.send, socket.recv)
            await socket.close(4007)
        return serve(handler)

    def test_with_credentials(self):
        async def work():
            async with self.server() as port:
                with self.proxy("BasicAuth user p.w") as proxy:
                    url = f"ws://127.0.0.1:{port}/"
                    self.check(await client(url, f"--proxy=http://user:p.w@127.0.0.1:{proxy}"), code=4007)
                    for wrong in ("", "user:wrong@"):
                        result = await client(url, f"--proxy=http://{wrong}127.0.0.1:{proxy}")
                        self.assertEqual(result["category"], "squall.client")
                        self.assertIn("credentials", result["error"])
        self.run_async(work())

    def test_of_the_environment(self):
        async def work():
            async with self.server() as port:
                with self.proxy() as proxy:
                    url = f"ws://127.0.0.1:{port}/"
                    env = {"http_proxy": f"http://127.0.0.1:{proxy}"}
                    self.check(await client(url, "--environment", env=env), code=4007)
                # Now that it is gone it is still asked for, unless nobody wants it.
                self.assertIn("error", await client(url, "--environment", env=env))
                self.check(await client(url, env=env), code=4007)
                self.check(await client(url, "--environment", env={**env, "no_proxy": "127.0.0.1"}), code=4007)
        self.run_async(work())

    def test_tls_through_it(self):
        async def work():
            with Authority() as authority:
                files = authority.issue("localhost")
                context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
                context.load_cert_chain(files.certificate, files.key)

                async def handler(socket, *_):
                    await self.ask(socket.send, socket.recv)
                    await socket.close(4008)
                async with serve(handler, ssl=context) as port:
                    with self.proxy() as proxy:
                        result = await client(f"wss://localhost:{port}/", f"--proxy=127.0.0.1:{proxy}",
                                              f"--ca={authority.file}")
                        self.check(result, code=4008)
        self.run_async(work())

    def test_a_server_that_it_cannot_reach(self):
        async def work():
            with self.proxy() as proxy:
                closed = free_port()
                result = await client(f"ws://127.0.0.1:{closed}/", f"--proxy=127.0.0.1:{proxy}")
                self.assertIn("the proxy does not connect", result["error"])
        self.run_async(work())


@unittest.skipUnless(proxies.find("microsocks"), "there is no microsocks")
class ThroughMicrosocks(Clients):
    def test_with_and_without_credentials(self):
        async def work():
            async def handler(socket, *_):
                await self.ask(socket.send, socket.recv)
                await socket.close(4009)
            async with serve(handler) as port:
                url = f"ws://localhost:{port}/"
                for options, user in ((("-u", "user", "-P", "p.w"), "user:p.w@"), ((), "")):
                    front = free_port()
                    program = proxies.find("microsocks")
                    with proxies.Proxy(program, "-i", "127.0.0.1", "-p", str(front), *options, port=front):
                        self.check(await client(url, f"--proxy=socks5://{user}127.0.0.1:{front}"), code=4009)
                        if user:
                            result = await client(url, f"--proxy=socks5://user:wrong@127.0.0.1:{front}")
                            self.assertIn("credentials", result["error"])
                        closed = free_port()
                        result = await client(f"ws://127.0.0.1:{closed}/",
                                              f"--proxy=socks5://{user}127.0.0.1:{front}")
                        self.assertIn("error", result)
        self.run_async(work())


@unittest.skipUnless(EXAMPLES, "the examples are not built")
class Example(Clients):
    def test_lines_are_messages(self):
        async def work():
            got = []

            async def handler(socket, *_):
                await socket.send("welcome")
                async for message in socket:
                    got.append(message)
                    await socket.send(message.upper())
            async with serve(handler) as port:
                program = await asyncio.create_subprocess_exec(
                    os.path.join(EXAMPLES, "ws_client"), f"ws://127.0.0.1:{port}/", stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE, stderr=subprocess.PIPE)
                self.assertEqual(await program.stdout.readline(), b"welcome\n")
                program.stdin.write(b"hello\n")
                self.assertEqual(await program.stdout.readline(), b"HELLO\n")
                program.stdin.close()
                _, err = await asyncio.wait_for(program.communicate(), DEADLINE)
                self.assertEqual((program.returncode, err), (0, b"closed: 1000 \n"))
            self.assertEqual(got, ["hello"])
        self.run_async(work())


if __name__ == "__main__":
    main()
