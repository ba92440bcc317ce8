# SPDX-License-Identifier: Apache-2.0
"""HTTPS and wss with clients that we did not write: Python's ssl, curl, openssl, Node, websockets."""
import asyncio
import json
import os
import shutil
import signal
import ssl
import subprocess
import tempfile
import unittest

import websockets
from squall_wire import DEADLINE, Raw, Server, WireTest, main
from tls_files import Authority


def setUpModule():
    global authority, files  # pylint: disable=global-variable-undefined
    authority = Authority()
    files = authority.issue("localhost", "127.0.0.1")


def tearDownModule():
    authority.directory.cleanup()


def context(version=None, alpn=None):
    made = ssl.create_default_context(cafile=authority.file)
    if version:
        made.minimum_version = made.maximum_version = version
    if alpn:
        made.set_alpn_protocols(alpn)
    return made


class Secure(Raw):
    """A TLS connection that is read by the strict parser."""

    def __init__(self, server, using=None, name="localhost", session=None):
        super().__init__(server.address)
        self.socket = (using or context()).wrap_socket(self.socket, server_hostname=name,
                                                       session=session)

    def ask(self, path="/tls"):
        self.send_request("GET", path)
        return self.read_response()


class TLSTest(WireTest):
    @classmethod
    def setUpClass(cls):
        cls.server = Server("--cert", files.certificate, "--key", files.key, *cls.OPTIONS)

        def get(path, method="GET"):
            with Secure(cls.server) as raw:
                raw.send_request(method, path)
                return raw.read_response(head=method == "HEAD")
        cls.server.get = get

    def url(self, path, scheme="https"):
        return f"{scheme}://localhost:{self.server.port}{path}"

    def curl(self, *arguments, status=0):
        done = subprocess.run(["curl", "-sS", "--noproxy", "*", "--cacert", authority.file,
                               *arguments], capture_output=True, timeout=DEADLINE, check=False)
        self.assertIn(done.returncode, status if isinstance(status, tuple) else (status,), done.stderr)
        return done.stdout

    def s_client(self, *arguments, server=None):
        target = f"127.0.0.1:{(server or self.server).port}"
        done = subprocess.run(["openssl", "s_client", "-connect", target, "-CAfile", authority.file,
                               *arguments], input=b"", capture_output=True, timeout=DEADLINE,
                              check=False)
        return (done.stdout + done.stderr).decode(errors="replace")


class Clients(TLSTest):
    OPTIONS = ("--hsts-seconds=31536000",)

    def test_the_handler_knows(self):
        for version, name in ((ssl.TLSVersion.TLSv1_2, "TLSv1.2"), (ssl.TLSVersion.TLSv1_3, "TLSv1.3")):
            with Secure(self.server, context(version, ["http/1.1"])) as raw:
                told = raw.ask().json()
                self.assertEqual(told["version"], name)
                self.assertEqual(told["cipher"], raw.socket.cipher()[0])
                self.assertEqual((told["protocol"], told["alpn"], told["server_name"]),
                                 ("https", "http/1.1", "localhost"))

    def test_old_versions_are_refused(self):
        for version in ("-tls1", "-tls1_1"):
            told = self.s_client(version, "-cipher", "ALL:@SECLEVEL=0")
            self.assertIn("alert protocol version", told)

    def test_curl(self):
        head = self.curl("-i", self.url("/hello"))
        self.assertIn(b"Strict-Transport-Security: max-age=31536000; includeSubDomains\r\n", head)
        self.assertTrue(head.endswith(b"hello"), head)
        for limits in (("--tls-max", "1.2"), ("--tlsv1.3",), ("--http2",)):
            self.assertEqual(self.curl(*limits, self.url("/hello")), b"hello")
        self.curl("--cacert", files.key, self.url("/hello"), status=77)
        self.curl("--resolve", f"other.example:{self.server.port}:127.0.0.1",
                  f"https://other.example:{self.server.port}/hello", status=60)

    def test_large_bodies_both_ways(self):
        with tempfile.NamedTemporaryFile() as file:
            file.write(os.urandom(5_000_000))
            file.flush()
            echoed = self.curl("--data-binary", f"@{file.name}", self.url("/echo"))
            with open(file.name, "rb") as sent:
                self.assertEqual(echoed, sent.read())
        self.assertEqual(len(self.curl(self.url("/large-stream/30000000"))), 30_000_000)

    def test_pipelined_requests(self):
        with Secure(self.server) as raw:
            raw.send(b"GET /hello HTTP/1.1\r\nHost: x\r\n\r\n" * 500)
            for _ in range(500):
                self.assertEqual(raw.read_response().body, b"hello")

    def test_a_truncated_response_is_noticed(self):
        self.curl(self.url("/truncated"), status=(18, 56))

    def test_the_end_is_announced(self):
        with Secure(self.server) as raw:
            raw.send_request("GET", "/hello", [("Connection", "close")])
            raw.read_response()
            self.assertEqual(raw.socket.recv(1), b"")  # SSLEOFError without close_notify
            raw.socket.unwrap()

    def test_tickets_resume(self):
        for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
            using = context(version)
            with Secure(self.server, using) as raw:
                self.assertFalse(raw.ask().json()["session_reused"])
                session = raw.socket.session
            with Secure(self.server, using, session=session) as raw:
                self.assertTrue(raw.ask().json()["session_reused"])
                self.assertTrue(raw.socket.session_reused)
        reconnected = self.s_client("-reconnect", "-tls1_2")
        self.assertEqual(reconnected.count("Reused, TLSv1.2"), 5, reconnected)

    def test_alpn(self):
        self.assertIn("ALPN protocol: http/1.1", self.s_client("-alpn", "h2,http/1.1"))
        self.assertIn("no application protocol", self.s_client("-alpn", "h2"))

    def test_no_compression_no_renegotiation_no_early_data(self):
        told = self.s_client("-tls1_2")
        self.assertIn("Compression: NONE", told)
        self.assertIn("Secure Renegotiation IS supported", told)
        self.assertNotIn("Max Early Data: 1", self.s_client("-tls1_3"))

    def test_plain_http_is_answered(self):
        with Raw(self.server.address) as raw:
            raw.send_request("GET", "/hello")
            response = raw.read_response()
            self.assertEqual(response.status, 400)
            self.assertIn(b"HTTPS", response.body)
            raw.expect_closed()

    def test_scans_are_quiet(self):
        before = self.server.log()
        with Raw(self.server.address):
            pass
        with Raw(self.server.address) as raw:
            raw.send(b"\x16\x03\x01")
        with Raw(self.server.address) as raw:
            raw.send(b"SSH-2.0-scanner\r\n")
        self.assert_healthy()
        self.assertEqual(self.server.log(), before)

    def test_wss(self):
        async def run():
            async with websockets.connect(self.url("/ws", "wss"), ssl=context(), max_size=None,
                                          origin=self.url("")) as connection:
                for size in (0, 1, 125, 126, 65536, 3_000_000):
                    await connection.send(b"w" * size)
                    self.assertEqual(await connection.recv(), b"w" * size)
            async with websockets.connect(self.url("/ws/tls", "wss"), ssl=context()) as connection:
                self.assertEqual(json.loads(await connection.recv())["version"], "TLSv1.3")
            with self.assertRaises(websockets.InvalidStatusCode) as refused:
                await websockets.connect(self.url("/ws", "wss"), ssl=context(),
                                         origin=self.url("", "http"))
            self.assertEqual(refused.exception.status_code, 403)
        asyncio.run(asyncio.wait_for(run(), DEADLINE))

    @unittest.skipUnless(shutil.which("node"), "node is not installed")
    def test_node(self):
        program = """
            const response = await fetch(process.argv[1] + "/hello");
            console.log(response.status, await response.text());
            const upload = await fetch(process.argv[1] + "/length",
                                       {method: "POST", body: "x".repeat(1000000)});
            console.log(await upload.text());"""
        done = subprocess.run(["node", "--input-type=module", "-e", program, self.url("")],
                              capture_output=True, text=True, timeout=DEADLINE, check=False,
                              env={**os.environ, "NODE_EXTRA_CA_CERTS": authority.file})
        self.assertEqual(done.stdout, "200 hello\n1000000\n", done.stderr)

    def test_a_hundred_handshakes_at_once(self):
        async def ask():
            reader, writer = await asyncio.open_connection("localhost", self.server.port,
                                                           ssl=context())
            writer.write(b"GET /hello HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            answer = await reader.read()
            writer.close()
            return answer.endswith(b"hello")

        async def run():
            return await asyncio.gather(*(ask() for _ in range(100)))
        self.assertTrue(all(asyncio.run(asyncio.wait_for(run(), DEADLINE))))


class StalledHandshake(TLSTest):
    OPTIONS = ("--handshake-timeout-ms=200", "--header-timeout-ms=200", "--idle-timeout-ms=300")

    def test_it_ends(self):
        for said in (b"", b"\x16\x03\x01\x02\x00"):
            with Raw(self.server.address) as raw:
                raw.send(said)
                raw.expect_broken()

    def test_a_head_has_its_own_time_after_it(self):
        with Secure(self.server) as raw:
            raw.send(b"GET / HT")
            self.assertEqual(raw.read_response().status, 408)


class Workers(TLSTest):
    OPTIONS = ("--workers=3",)

    def test_tickets_are_good_for_all_workers(self):
        using = context(ssl.TLSVersion.TLSv1_2)
        with Secure(self.server, using) as raw:
            raw.ask()
            session = raw.socket.session
        for _ in range(12):
            with Secure(self.server, using, session=session) as raw:
                self.assertTrue(raw.ask().json()["session_reused"])


class ManyNames(unittest.TestCase):
    def test_names_choose_certificates(self):
        wild = authority.issue("*.wild.example", kind="rsa")
        with Server("--cert", files.certificate, "--key", files.key, "--more-cert",
                    wild.certificate, "--more-key", wild.key) as server:
            for name, subject in (("a.wild.example", "*.wild.example"), ("localhost", "localhost")):
                with Secure(server, name=name) as raw:
                    shown = dict(pair[0] for pair in raw.socket.getpeercert()["subject"])
                    self.assertEqual(shown["commonName"], subject)
            with self.assertRaises(ssl.SSLCertVerificationError):
                Secure(server, name="unknown.example")
        with Server("--cert", files.certificate, "--key", files.key,
                    "--refuse-unknown-names=1") as server:
            with self.assertRaisesRegex(ssl.SSLError, "UNRECOGNIZED_NAME"):
                Secure(server, name="unknown.example")


class Files(unittest.TestCase):
    def test_sighup_reads_them_again(self):
        own = authority.issue("localhost", file="reloaded")
        with Server("--cert", own.certificate, "--key", own.key, "--reload-on-hangup=1") as server:
            def serial():
                with Secure(server) as raw:
                    return raw.socket.getpeercert()["serialNumber"]
            first = serial()
            with Secure(server) as old:
                authority.issue("localhost", file="reloaded")
                server.signal(signal.SIGHUP)
                server.wait_for_log("certificates are read again")
                self.assertEqual(old.ask("/hello").body, b"hello")
            second = serial()
            self.assertNotEqual(first, second)
            with open(own.certificate, "w", encoding="ascii") as file:
                file.write("nonsense")
            server.signal(signal.SIGHUP)
            server.wait_for_log("the old certificates stay")
            self.assertEqual(serial(), second)

    def test_stapled_responses(self):
        own = authority.issue("localhost")
        for revoked, word in ((False, "good"), (True, "revoked")):
            with Server("--cert", own.certificate, "--key", own.key, "--ocsp",
                        authority.ocsp(own, revoked)) as server:
                for version in ("-tls1_2", "-tls1_3"):
                    told = TLSTest.s_client(self, "-status", version, server=server)
                    self.assertIn("OCSP Response Status: successful", told)
                    self.assertIn(f"Cert Status: {word}", told)

    def test_certificates_of_clients(self):
        mine = authority.issue("alice", usage="clientAuth")
        with Server("--cert", files.certificate, "--key", files.key, "--client-ca", authority.file,
                    "--client-cert=required") as server:
            known = context()
            known.load_cert_chain(mine.certificate, mine.key)
            with Secure(server, known) as raw:
                told = raw.ask().json()
                self.assertEqual((told["subject"], told["names"]), ("CN=alice", ["DNS:alice"]))
            with self.assertRaises((ssl.SSLError, ConnectionError)):
                with Secure(server, context(ssl.TLSVersion.TLSv1_2)) as raw:
                    raw.ask()
            server.wait_for_log("the client has shown no certificate")

    def test_a_key_log_opens_the_connection(self):
        log = authority.path("keys")
        with Server("--cert", files.certificate, "--key", files.key, "--key-log", log) as server:
            with Secure(server) as raw:
                raw.ask()
        with open(log, encoding="ascii") as file:
            self.assertRegex(file.read(), r"(?m)^SERVER_TRAFFIC_SECRET_0 [0-9a-f]{64} [0-9a-f]+$")
        self.assertEqual(os.stat(log).st_mode & 0o777, 0o600)


class Redirect(WireTest):
    OPTIONS = ("--redirect-to-https=8443",)

    def location(self, request):
        with self.server.connect() as raw:
            raw.send(request)
            response = raw.read_response()
            return response.status, response.get("Location")

    def test_requests_are_sent_to_https(self):
        self.assertEqual(self.location(b"GET /a/b%20c?d=e HTTP/1.1\r\nHost: x.example:80\r\n\r\n"),
                         (301, "https://x.example:8443/a/b%20c?d=e"))
        self.assertEqual(self.location(b"POST / HTTP/1.1\r\nHost: [::1]:80\r\nContent-Length: 1\r\n\r\n"),
                         (308, "https://[::1]:8443/"))
        self.assertEqual(self.location(b"GET http://y.example/z HTTP/1.1\r\nHost: y.example\r\n\r\n"),
                         (301, "https://y.example:8443/z"))
        self.assertEqual(self.location(b"GET / HTTP/1.0\r\n\r\n"), (400, None))

    def test_plain_responses_say_nothing_of_hsts(self):
        with Server("--hsts-seconds=60") as server:
            self.assertIsNone(server.get("/hello").get("Strict-Transport-Security"))

    def assert_healthy(self):
        pass


class Misuse(unittest.TestCase):
    def test_a_bad_file_ends_the_start(self):
        done = subprocess.run([os.environ.get("SQUALL_WIRE_SERVER", ""), "--cert=/nowhere.pem"],
                              capture_output=True, text=True, timeout=DEADLINE, check=False)
        self.assertEqual(done.returncode, 2)
        self.assertIn("cannot read /nowhere.pem: No such file", done.stderr)


if __name__ == "__main__":
    main()
