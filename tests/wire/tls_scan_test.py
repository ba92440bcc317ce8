# SPDX-License-Identifier: Apache-2.0
"""What scanners say of a server with the defaults: sslscan and testssl.sh must find no weakness."""
import json
import os
import shutil
import subprocess
import unittest
from xml.etree import ElementTree

from squall_wire import Server, main
from tls_files import Authority

# What they say of a certificate that was made for the test, of headers that are an application's
# to send, and of the scanner's own OpenSSL, which need not have the GOST engine.
NOT_OURS = ("cert_", "security_headers", "HSTS", "engine_problem")
ALLOWED_CIPHERS = ("TLS_AES_", "TLS_CHACHA20_", "ECDHE-ECDSA-", "ECDHE-RSA-")


def tool(*names):
    return next((name for name in names if shutil.which(name)), None)


class Scanners(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.authority = Authority()
        files = cls.authority.issue("localhost", days=80)
        more = cls.authority.issue("localhost", kind="rsa", days=80)
        cls.server = Server("--cert", files.certificate, "--key", files.key, "--more-cert",
                            more.certificate, "--more-key", more.key, "--ocsp",
                            cls.authority.ocsp(files), "--hsts-seconds=31536000")

    @classmethod
    def tearDownClass(cls):
        try:
            cls.server.stop()
        finally:
            cls.server.kill()
            cls.authority.directory.cleanup()

    @unittest.skipUnless(tool("sslscan"), "sslscan is not installed")
    def test_sslscan(self):
        report = self.authority.path("sslscan.xml")
        subprocess.run(["sslscan", "--no-colour", f"--xml={report}",
                        f"localhost:{self.server.port}"], check=True, capture_output=True,
                       timeout=60)
        scan = ElementTree.parse(report).getroot().find("ssltest")
        on = {f"{each.get('type')}{each.get('version')}" for each in scan.findall("protocol")
              if each.get("enabled") == "1"}
        self.assertEqual(on, {"tls1.2", "tls1.3"})
        ciphers = [each.get("cipher") for each in scan.findall("cipher")]
        self.assertGreaterEqual(len(ciphers), 6)
        for cipher in ciphers:
            self.assertTrue(cipher.startswith(ALLOWED_CIPHERS), cipher)
            self.assertTrue("GCM" in cipher or "CHACHA20" in cipher, cipher)
        self.assertEqual([each for each in scan.findall("heartbleed")
                          if each.get("vulnerable") != "0"], [])
        for each in scan.findall("renegotiation"):
            self.assertEqual(each.get("supported"), "0")
        for each in scan.findall("compression"):
            self.assertEqual(each.get("supported"), "0")

    def look(self, report):
        """What it says, and what it found; its own client gives up now and then where the machine is
        busy, and says so: that is no finding, but nothing was looked at either."""
        for _ in range(3):
            if os.path.exists(report):
                os.remove(report)
            said = self.look_once(report)
            with open(report, encoding="utf-8") as file:
                findings = json.load(file)
            if not any("because of connect problem" in each["finding"] for each in findings):
                break
        return said, findings

    def look_once(self, report):
        return subprocess.run(
            [tool("testssl", "testssl.sh"), "--warnings", "off", "--nodns", "none", "--ip",
             "127.0.0.1", "--color", "0", "--quiet", "--connect-timeout", "5", "--openssl-timeout",
             "5", "--add-ca", self.authority.file, "-p", "-s", "-P", "-S", "-U", "-f", "-h",
             "--jsonfile", report, f"https://localhost:{self.server.port}"],
            capture_output=True, text=True, timeout=170, check=False).stdout

    @unittest.skipUnless(tool("testssl", "testssl.sh"), "testssl.sh is not installed")
    def test_testssl(self):
        said, findings = self.look(self.authority.path("testssl.json"))
        self.assertGreater(len(findings), 60, said)
        for must in ("heartbleed", "secure_renego", "secure_client_renego", "CRIME_TLS", "ROBOT",
                     "fallback_SCSV", "SWEET32", "LUCKY13", "PFS"):
            found = [each["severity"] for each in findings if each["id"] == must]
            self.assertEqual(found, ["OK"], must)
        weak = [f"{each['severity']} {each['id']}: {each['finding']}" for each in findings
                if each["severity"] not in ("OK", "INFO") and not each["id"].startswith(NOT_OURS)]
        self.assertEqual(weak, [], said)


if __name__ == "__main__":
    main()
