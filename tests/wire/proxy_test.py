# SPDX-License-Identifier: Apache-2.0
"""Forwarding fields and the PROXY protocol, of proxies that are trusted and of others."""
import os
import socket
import ssl
import struct
import tempfile
import unittest

from squall_wire import Raw, Server, WireTest, main, run_to_end
from tls_files import Authority
from ws_frames import handshake

TRUSTED, STRANGER = "127.0.0.1", "127.0.0.9"
V2 = b"\r\n\r\n\0\r\nQUIT\n"


def ask(server, *fields, source=TRUSTED, path="/whoami"):
    with Raw(server.address, source=source) as raw:
        raw.send_request("GET", path, fields)
        return raw.read_response()


def v1(source="192.0.2.1", port=4711):
    return f"PROXY TCP4 {source} 198.51.100.2 {port} 443\r\n".encode()


def v2(source="192.0.2.1", port=4711, options=b"", command=0x21):
    body = socket.inet_aton(source) + socket.inet_aton("198.51.100.2") + struct.pack(">HH", port, 443)
    body += options
    return V2 + bytes([command, 0x11]) + struct.pack(">H", len(body)) + body


class Fields(WireTest):
    OPTIONS = (f"--trusted-proxies={TRUSTED},10.0.0.0/8,unix", "--hsts-seconds=60")

    def test_a_trusted_proxy_is_believed(self):
        answer = ask(self.server, ("X-Forwarded-For", "192.0.2.1, 10.1.1.1"),
                     ("X-Forwarded-Proto", "https"), ("X-Forwarded-Host", "shop.example"))
        self.assertEqual(answer.json(), {
            "remote_ip": "192.0.2.1", "connection_ip": TRUSTED, "protocol": "https",
            "host": "shop.example", "full_url": "https://shop.example/whoami"})
        self.assertIn("max-age=60", answer.get("Strict-Transport-Security"))

    def test_a_stranger_is_not(self):
        answer = ask(self.server, ("X-Forwarded-For", "192.0.2.1"), ("X-Forwarded-Proto", "https"),
                     ("X-Forwarded-Host", "evil.example"), source=STRANGER)
        self.assertEqual(answer.json(), {
            "remote_ip": STRANGER, "connection_ip": STRANGER, "protocol": "http",
            "host": "wire.example", "full_url": "http://wire.example/whoami"})
        self.assertIsNone(answer.get("Strict-Transport-Security"))

    def test_fields_that_were_not_chosen_say_nothing(self):
        answer = ask(self.server, ("Forwarded", "for=192.0.2.1;proto=https"), ("X-Real-IP", "1.1.1.1"))
        self.assertEqual(answer.json()["remote_ip"], TRUSTED)
        self.assertEqual(answer.json()["protocol"], "http")

    def test_what_one_request_said_is_forgotten_with_it(self):
        with Raw(self.server.address, source=TRUSTED) as raw:
            for address in ("192.0.2.1", None, "192.0.2.2", None):
                fields = [("X-Forwarded-For", address), ("X-Forwarded-Proto", "https")] if address else []
                raw.send_request("GET", "/whoami", fields)
                answer = raw.read_response().json()
                self.assertEqual(answer["remote_ip"], address or TRUSTED)
                self.assertEqual(answer["protocol"], "https" if address else "http")

    def test_a_coroutine_knows_it_after_its_await(self):
        answer = ask(self.server, ("X-Forwarded-For", "192.0.2.1"), ("X-Forwarded-Host", "shop.example"),
                     path="/whoami/later")
        self.assertEqual(answer.body, b"192.0.2.1 http://shop.example/whoami/later")

    def test_the_origin_of_a_websocket_is_compared_with_what_the_browser_saw(self):
        forwarded = (("X-Forwarded-Host", "shop.example"), ("X-Forwarded-Proto", "https"))
        cases = [
            (TRUSTED, forwarded, "https://shop.example", 101),
            (TRUSTED, forwarded, "http://shop.example", 403),  # a page without TLS is anybody's
            (TRUSTED, forwarded, "https://wire.example", 403),
            (TRUSTED, (), "http://wire.example", 101),
            (STRANGER, forwarded, "https://shop.example", 403),
        ]
        for source, fields, origin, status in cases:
            with Raw(self.server.address, source=source) as raw:
                raw.send_request("GET", "/ws", [("Upgrade", "websocket"), ("Connection", "Upgrade"),
                                                ("Sec-WebSocket-Version", "13"),
                                                ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="),
                                                ("Origin", origin), *fields])
                self.assertEqual(raw.read_head().status, status, (source, fields, origin))

    def test_the_access_log_names_the_client(self):
        with Server(*self.OPTIONS, "--access-log=1") as server:
            ask(server, ("X-Forwarded-For", "192.0.2.77"))
            server.wait_for_log("GET /whoami (192.0.2.77)")


class OtherFields(unittest.TestCase):
    def test_forwarded(self):
        with Server(f"--trusted-proxies={TRUSTED}", "--proxy-headers=forwarded") as server:
            answer = ask(server, ("Forwarded", 'for="[2001:db8::7]:4711";proto=https;host=a.example'),
                         ("X-Forwarded-For", "1.1.1.1"), ("X-Forwarded-Proto", "http"))
            self.assertEqual(answer.json()["remote_ip"], "2001:db8::7")
            self.assertEqual(answer.json()["full_url"], "https://a.example/whoami")

    def test_x_real_ip(self):
        with Server(f"--trusted-proxies={TRUSTED}", "--proxy-headers=x-real-ip") as server:
            answer = ask(server, ("X-Real-IP", "192.0.2.9"), ("X-Forwarded-For", "1.1.1.1"))
            self.assertEqual(answer.json()["remote_ip"], "192.0.2.9")

    def test_without_trusted_proxies_nobody_is_believed(self):
        with Server() as server:
            answer = ask(server, ("X-Forwarded-For", "1.1.1.1"), ("Forwarded", "for=1.1.1.1"))
            self.assertEqual(answer.json()["remote_ip"], TRUSTED)

    def test_a_protocol_that_is_set_stands_in_for_proxies_that_do_not_tell(self):
        with Server("--protocol=https", f"--trusted-proxies={TRUSTED}", "--hsts-seconds=60") as server:
            self.assertEqual(ask(server).json()["protocol"], "https")
            self.assertEqual(ask(server, source=STRANGER).json()["protocol"], "https")
            self.assertIsNotNone(ask(server).get("Strict-Transport-Security"))
            self.assertEqual(ask(server, ("X-Forwarded-Proto", "http")).json()["protocol"], "http")

    def test_unix_sockets_may_be_trusted(self):
        with tempfile.TemporaryDirectory() as directory:
            path = os.path.join(directory, "socket")
            with Server("--trusted-proxies=unix", f"--unix={path}"):
                with Raw(path) as raw:
                    raw.send_request("GET", "/whoami", [("X-Forwarded-For", "192.0.2.1")])
                    answer = raw.read_response().json()
                    self.assertEqual((answer["remote_ip"], answer["connection_ip"]), ("192.0.2.1", "unix"))
            with Server(f"--trusted-proxies={TRUSTED}", f"--unix={path}"):
                with Raw(path) as raw:
                    raw.send_request("GET", "/whoami", [("X-Forwarded-For", "192.0.2.1")])
                    self.assertEqual(raw.read_response().json()["remote_ip"], "unix")

    def test_what_is_no_network_is_a_usage_error(self):
        code, complaint = run_to_end("--trusted-proxies=10.0.0.1/8")
        self.assertEqual(code, 2)
        self.assertIn('UsageError: "10.0.0.1/8"', complaint)


class ProxyProtocol(WireTest):
    OPTIONS = (f"--trusted-proxies={TRUSTED}", "--proxy-protocol=1", "--header-timeout-ms=500")

    # Requests of the harness itself come without a header.
    def setUp(self):
        self.assertIsNone(self.server.process.poll())

    def connect(self, header=b"", source=TRUSTED):
        raw = Raw(self.server.address, source=source)
        raw.send(header)
        return raw

    def who(self, header, source=TRUSTED, fields=()):
        with self.connect(header, source) as raw:
            raw.send_request("GET", "/whoami", fields)
            return raw.read_response().json()["remote_ip"]

    def test_both_versions_name_the_client(self):
        for header in (v1(), v2(), v2(options=b"\x01\0\2h2\xe0\0\0")):
            self.assertEqual(self.who(header), "192.0.2.1")
            with self.connect(header + b"GET /whoami HTTP/1.1\r\nHost: a\r\n\r\n") as raw:  # in one piece
                self.assertEqual(raw.read_response().json()["connection_ip"], "192.0.2.1")

    def test_a_connection_is_kept_with_its_client(self):
        with self.connect(v2()) as raw:
            for _ in range(3):
                raw.send_request("GET", "/whoami")
                self.assertEqual(raw.read_response().json()["remote_ip"], "192.0.2.1")

    def test_a_header_may_come_in_any_pieces(self):
        request = b"GET /whoami HTTP/1.1\r\nHost: a\r\n\r\n"
        with Server(f"--trusted-proxies={TRUSTED}", "--proxy-protocol=1") as server:
            for whole in (v1() + request, v2() + request):
                raws = []
                for cut in range(1, len(whole)):
                    raw = Raw(server.address, source=TRUSTED)
                    raw.send(whole[:cut])
                    raws.append((raw, whole[cut:]))
                with Raw(server.address, source=TRUSTED) as raw:  # by then the first pieces have come
                    raw.send(whole)
                    self.assertEqual(raw.read_response().status, 200)
                for raw, rest in raws:
                    raw.send(rest)
                    self.assertEqual(raw.read_response().json()["remote_ip"], "192.0.2.1")
                    raw.close()

    def test_connections_of_the_proxy_itself_have_its_address(self):
        for header in (b"PROXY UNKNOWN\r\n", v2(command=0x20)):
            self.assertEqual(self.who(header), TRUSTED)

    def test_the_client_that_it_names_may_be_a_trusted_proxy_too(self):
        fields = [("X-Forwarded-For", "192.0.2.50")]
        self.assertEqual(self.who(v2(source=TRUSTED), fields=fields), "192.0.2.50")
        self.assertEqual(self.who(v2(source="192.0.2.1"), fields=fields), "192.0.2.1")

    def test_strangers_are_refused(self):
        with Server(*self.OPTIONS) as server:
            for header in (v1(), v2(), b""):
                with Raw(server.address, source=STRANGER) as raw:
                    try:
                        raw.send(header + b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
                    except OSError:
                        pass
                    self.assertEqual(raw.expect_broken(), b"")
            server.wait_for_log("not among trusted_proxies")
            self.assertEqual(server.log().count("refused"), 1)  # at most one line a second
            with Raw(server.address, source=TRUSTED) as raw:
                raw.send(v1())
                raw.send_request("GET", "/hello")
                self.assertEqual(raw.read_response().status, 200)

    def test_what_is_no_header_is_refused_at_once(self):
        for begin in (b"GET / HTTP/1.1\r\nHost: a\r\n\r\n", b"PROXY TCP4 1\r\n", V2 + b"\x31\x11\0\0",
                      b"\x16\x03\x01", V2 + b"\x21\x11\xff\xff", b"PROXY " + b"x" * 200):
            with self.connect(begin) as raw:
                self.assertEqual(raw.expect_broken(), b"")

    def test_a_header_that_does_not_come_is_not_waited_for(self):
        for begin in (b"", b"PROXY TCP4 192", V2):
            with self.connect(begin) as raw:
                self.assertEqual(raw.expect_broken(), b"")

    def test_health_checks_that_leave_again_are_no_news(self):
        with Server(*self.OPTIONS) as server:
            for _ in range(5):
                Raw(server.address, source=TRUSTED).close()
            with Raw(server.address, source=TRUSTED) as raw:
                raw.send(v1() + b"GET /hello HTTP/1.1\r\nHost: a\r\n\r\n")
                self.assertEqual(raw.read_response().status, 200)
            self.assertNotIn("refused", server.log())

    def test_websockets(self):
        with self.connect(v2()) as raw:
            raw.send(handshake())
            self.assertEqual(raw.read_head().status, 101)

    def test_it_comes_before_tls(self):
        with Authority() as authority:
            files = authority.issue("localhost", "127.0.0.1")
            context = ssl.create_default_context(cafile=authority.file)
            with Server(*self.OPTIONS, "--cert", files.certificate, "--key", files.key) as server:
                for header in (v1(), v2()):
                    with Raw(server.address, source=TRUSTED) as raw:
                        raw.send(header)
                        raw.socket = context.wrap_socket(raw.socket, server_hostname="localhost")
                        raw.send_request("GET", "/whoami")
                        answer = raw.read_response().json()
                        self.assertEqual(answer["remote_ip"], "192.0.2.1")
                        self.assertEqual(answer["protocol"], "https")
                # Header and ClientHello in one piece, as a proxy sends them.
                incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
                client = context.wrap_bio(incoming, outgoing, server_hostname="localhost")
                with self.assertRaises(ssl.SSLWantReadError):
                    client.do_handshake()
                with Raw(server.address, source=TRUSTED) as raw:
                    raw.send(v2() + outgoing.read())
                    self.assertTrue(raw.receive())
                    self.assertEqual(raw.buffer[:2], b"\x16\x03")

    def test_it_needs_trusted_proxies(self):
        code, complaint = run_to_end("--proxy-protocol=1")
        self.assertEqual(code, 2)
        self.assertIn("trusted_proxies", complaint)

    def test_half_a_header_does_not_hold_up_the_end(self):
        with Server(f"--trusted-proxies={TRUSTED}", "--proxy-protocol=1") as server:
            with Raw(server.address, source=TRUSTED) as raw, Raw(server.address, source=TRUSTED) as other:
                raw.send(b"PROXY TCP4")
                other.send(v1() + b"GET /hello HTTP/1.1\r\nHost: a\r\n\r\n")
                self.assertEqual(other.read_response().status, 200)
                server.signal()
                self.assertEqual(server.wait_for_exit(5), 0)


if __name__ == "__main__":
    main()
