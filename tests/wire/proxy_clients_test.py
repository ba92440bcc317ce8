# SPDX-License-Identifier: Apache-2.0
"""The proxies that people put in front of a server, with the configurations of docs/proxies.md."""
import json
import ssl
import subprocess
import unittest

from proxies import find, from_page, haproxy, nginx
from squall_wire import Raw, Server, main
from tls_files import Authority
from ws_frames import TEXT, Peer, frame, handshake

CLIENT = "127.0.0.7"  # a loopback address of its own, so that it is not the proxy's


def ask(port, path="/whoami", fields=(), source=CLIENT):
    with Raw(("127.0.0.1", port), source=source) as raw:
        raw.send_request("GET", path, fields)
        return raw.read_response().json()


@unittest.skipUnless(find("nginx"), "nginx is missing")
class Nginx(unittest.TestCase):
    def test_it_tells_the_client_and_a_client_cannot(self):
        block = from_page("nginx", "nginx in front of Squall")
        with Server("--trusted-proxies=127.0.0.1") as server, nginx(block, server.port) as proxy:
            spoof = [("X-Forwarded-For", "1.1.1.1"), ("X-Forwarded-Proto", "https"),
                     ("X-Forwarded-Host", "evil.example"), ("Forwarded", "for=2.2.2.2;proto=https"),
                     ("X-Real-IP", "3.3.3.3")]
            for fields in ([], spoof):
                self.assertEqual(ask(proxy.port, fields=fields), {
                    "remote_ip": CLIENT, "connection_ip": "127.0.0.1", "protocol": "http",
                    "host": "wire.example", "full_url": "http://wire.example/whoami"})
            with Raw(("127.0.0.1", proxy.port), source=CLIENT) as raw:
                raw.send(handshake("/ws"))
                self.assertEqual(raw.read_head().status, 101)

    def test_who_goes_past_it_is_not_believed(self):
        with Server("--trusted-proxies=127.0.0.1") as server:
            answer = ask(server.port, fields=[("X-Forwarded-For", "1.1.1.1")])
            self.assertEqual(answer["remote_ip"], CLIENT)


@unittest.skipUnless(find("haproxy"), "haproxy is missing")
class HAProxy(unittest.TestCase):
    def test_header_fields(self):
        block = from_page("haproxy", "HAProxy with header fields")
        with Server("--trusted-proxies=127.0.0.1") as server, \
                haproxy(block, port_8888=server.port) as proxy:
            spoof = [("X-Forwarded-For", "1.1.1.1"), ("X-Forwarded-Proto", "https"),
                     ("X-Forwarded-Host", "evil.example")]
            for fields in ([], spoof):
                answer = ask(proxy.port, fields=fields)
                self.assertEqual(answer["remote_ip"], CLIENT)
                self.assertEqual(answer["full_url"], "http://wire.example/whoami")

    def proxy_protocol(self, version, *options):
        block = from_page("haproxy", "HAProxy with the PROXY protocol").replace("send-proxy-v2", version)
        server = Server("--trusted-proxies=127.0.0.1", "--proxy-protocol=1", *options)
        return server, haproxy(block, port_8888=server.port)

    def test_the_proxy_protocol(self):
        for version in ("send-proxy", "send-proxy-v2", "send-proxy-v2 proxy-v2-options crc32c",
                        "send-proxy-v2 proxy-v2-options crc32c,unique-id,authority check inter 50ms"):
            server, proxy = self.proxy_protocol(version)
            with server, proxy:
                for _ in range(3):
                    answer = ask(proxy.port, fields=[("X-Forwarded-For", "1.1.1.1")])
                    self.assertEqual(answer["remote_ip"], CLIENT, version)
                    self.assertEqual(answer["connection_ip"], CLIENT, version)
                self.assertNotIn("refused", server.log())

    def test_the_proxy_protocol_in_front_of_tls(self):
        with Authority() as authority:
            files = authority.issue("localhost", "127.0.0.1")
            context = ssl.create_default_context(cafile=authority.file)
            for version in ("send-proxy", "send-proxy-v2"):
                server, proxy = self.proxy_protocol(version, "--cert", files.certificate, "--key",
                                                    files.key)
                with server, proxy, Raw(("127.0.0.1", proxy.port), source=CLIENT) as raw:
                    raw.socket = context.wrap_socket(raw.socket, server_hostname="localhost")
                    for _ in range(2):
                        raw.send_request("GET", "/whoami")
                        answer = raw.read_response().json()
                        self.assertEqual((answer["remote_ip"], answer["protocol"]), (CLIENT, "https"))

    def test_a_websocket_through_the_proxy_protocol(self):
        server, proxy = self.proxy_protocol("send-proxy-v2")
        with server, proxy, Peer(("127.0.0.1", proxy.port), source=CLIENT) as peer:
            peer.send(handshake("/ws"))
            self.assertEqual(peer.read_head().status, 101)
            peer.send(frame(TEXT, b"through"))
            self.assertEqual(peer.read_frame().payload, b"through")


class Curl(unittest.TestCase):
    def test_it_speaks_the_proxy_protocol(self):
        with Server("--trusted-proxies=127.0.0.1", "--proxy-protocol=1") as server:
            done = subprocess.run(["curl", "-sS", "--haproxy-protocol", server.url("/whoami")],
                                  capture_output=True, text=True, timeout=20, check=True)
            self.assertEqual(json.loads(done.stdout)["remote_ip"], "127.0.0.1")
            without = subprocess.run(["curl", "-sS", server.url("/whoami")], capture_output=True,
                                     text=True, timeout=20, check=False)
            self.assertNotEqual(without.returncode, 0)


if __name__ == "__main__":
    main()
