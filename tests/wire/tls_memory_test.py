# SPDX-License-Identifier: Apache-2.0
"""How much memory of the server an idle TLS connection takes, after one request."""
import resource
import ssl
import unittest

from squall_wire import Raw, Server, main
from tls_files import Authority

CONNECTIONS = 2000
LIMIT_BYTES = 12 * 1024


class Memory(unittest.TestCase):
    def connect(self, server, context):
        raw = Raw(server.address)
        raw.socket = context.wrap_socket(raw.socket, server_hostname="localhost")
        raw.send_request("GET", "/hello")
        self.assertEqual(raw.read_response().body, b"hello")
        return raw

    def bytes_a_connection(self, version):
        with Authority() as authority:
            files = authority.issue("localhost")
            context = ssl.create_default_context(cafile=authority.file)
            context.minimum_version = context.maximum_version = version
            with Server("--cert", files.certificate, "--key", files.key,
                        "--idle-timeout-ms=600000", nofile=CONNECTIONS + 300) as server:
                with Raw(server.address) as first:
                    first.socket = context.wrap_socket(first.socket, server_hostname="localhost")
                    first.send_request("GET", "/sanitizer")
                    if first.read_response().body:
                        self.skipTest("memory means nothing under a sanitizer")
                warm = [self.connect(server, context) for _ in range(50)]
                before = server.resident_mib()
                idle = [self.connect(server, context) for _ in range(CONNECTIONS)]
                each = (server.resident_mib() - before) * 1024 * 1024 / CONNECTIONS
                for raw in (*warm, *idle):
                    raw.close()
        print(f"{version.name}: {each:.0f} bytes for an idle connection", flush=True)
        return each

    def test_idle_connections_are_small(self):
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        if hard < CONNECTIONS + 100:
            self.skipTest(f"only {hard} descriptors are allowed")
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, CONNECTIONS + 100), hard))
        for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
            with self.subTest(version=version.name):
                self.assertLessEqual(self.bytes_a_connection(version), LIMIT_BYTES)


if __name__ == "__main__":
    main()
