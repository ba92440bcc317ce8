# SPDX-License-Identifier: Apache-2.0
"""Certificates for the TLS tests, made with the openssl command as they are needed."""
import collections
import os
import subprocess
import tempfile

Files = collections.namedtuple("Files", "certificate key")


def run(*command, **options):
    return subprocess.run(command, check=True, capture_output=True, **options)


class Authority:
    """A certificate authority in a directory of its own; a context manager."""

    def __init__(self):
        self.directory = tempfile.TemporaryDirectory()
        self.file = self.path("ca.pem")
        self.key = self.path("ca.key")
        self.serial = 1000
        self.make_key(self.key, "ec")
        run("openssl", "req", "-x509", "-new", "-key", self.key, "-out", self.file, "-days", "30",
            "-subj", "/CN=Squall test authority", "-addext", "keyUsage=critical,keyCertSign,cRLSign")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.directory.cleanup()

    def path(self, name):
        return os.path.join(self.directory.name, name)

    @staticmethod
    def make_key(path, kind):
        how = {"ec": ("EC", "ec_paramgen_curve:P-256"), "rsa": ("RSA", "rsa_keygen_bits:2048")}[kind]
        run("openssl", "genpkey", "-algorithm", how[0], "-pkeyopt", how[1], "-out", path)

    def issue(self, *names, kind="ec", usage="serverAuth", days=30, file=None):
        """A certificate for DNS names and IP addresses, of which the first is the common name."""
        self.serial += 1
        stem = self.path(file or f"{self.serial}")
        files = Files(stem + ".pem", stem + ".key")
        self.make_key(files.key, kind)
        request = run("openssl", "req", "-new", "-key", files.key, "-subj", f"/CN={names[0]}").stdout
        alternatives = ",".join(("IP:" if name[0].isdigit() else "DNS:") + name for name in names)
        with open(stem + ".ext", "w", encoding="ascii") as file_of_extensions:
            file_of_extensions.write("basicConstraints=critical,CA:false\n"
                                     "keyUsage=critical,digitalSignature\n"
                                     f"extendedKeyUsage={usage}\nsubjectAltName={alternatives}\n")
        run("openssl", "x509", "-req", "-CA", self.file, "-CAkey", self.key, "-days", str(days),
            "-set_serial", str(self.serial), "-extfile", stem + ".ext", "-out", files.certificate,
            input=request)
        return files

    def ocsp(self, files, revoked=False):
        """A stapled response's file for a certificate of this authority."""
        stem = files.certificate
        index = stem + ".index"
        serial = run("openssl", "x509", "-in", stem, "-noout", "-serial").stdout.decode()
        serial = serial.strip().partition("=")[2]
        state = f"R\t301231235959Z\t250101000000Z\t{serial}" if revoked else \
            f"V\t301231235959Z\t\t{serial}"
        with open(index, "w", encoding="ascii") as file:
            file.write(f"{state}\tunknown\t/CN=x\n")
        run("openssl", "ocsp", "-issuer", self.file, "-cert", stem, "-reqout", stem + ".req")
        run("openssl", "ocsp", "-index", index, "-CA", self.file, "-rsigner", self.file, "-rkey",
            self.key, "-reqin", stem + ".req", "-respout", stem + ".ocsp", "-ndays", "7")
        return stem + ".ocsp"
