# SPDX-License-Identifier: Apache-2.0
"""multipart/form-data as curl, Node's fetch, aiohttp, requests and Python's email package write it."""
import asyncio
import email.message
import email.policy
import json
import os
import shutil
import socket
import subprocess
import tempfile
import threading
import unittest

CODINGS = os.environ.get("SQUALL_CODINGS", "squall_codings")
# name, file name or None, data
PLAIN = [("text", None, b"plain value"), ("empty", None, b""), ("umlaut", None, "Grüße".encode()),
         ("file", "notes.txt", b"line\r\nline\r\n--not-the-boundary\r\n\r\n"),
         ("file", "second one.bin", bytes(range(256)) * 300)]


def parts_of(content_type, body):
    """What we make of a body; the same for any pieces."""
    seen = []
    for piece in (len(body) + 1, 1, 64):
        done = subprocess.run([CODINGS, "form", content_type, str(piece)], input=body,
                              capture_output=True, timeout=60, check=False)
        assert done.returncode == 0, (content_type, done.stderr, body[:300])
        seen.append([[None if field == "-" else bytes.fromhex(field[1:]) for field in line.split()]
                     for line in done.stdout.decode().splitlines()])
    assert seen[0] == seen[1] == seen[2]
    return [(name.decode(), filename.decode() if filename is not None else None, data)
            for name, filename, _, data in seen[0]]


class Catcher:
    """Takes one request on a port of its own: `content_type` and `body` are there after it."""

    def __init__(self):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.listener.getsockname()[1]}/"
        self.thread = threading.Thread(target=self.serve, daemon=True)
        self.thread.start()

    def serve(self):
        connection, _ = self.listener.accept()
        connection.settimeout(20)
        with connection, connection.makefile("rb") as stream:
            fields = {}
            stream.readline()
            while (line := stream.readline().strip()):
                name, value = line.decode("latin-1").split(":", 1)
                fields[name.lower()] = value.strip()
            if fields.get("expect"):
                connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
            self.content_type = fields["content-type"]
            if "content-length" in fields:
                self.body = stream.read(int(fields["content-length"]))
            else:
                self.body = b""
                while (size := int(stream.readline(), 16)):
                    self.body += stream.read(size)
                    stream.readline()
            connection.sendall(b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n")

    def parts(self):
        self.thread.join(20)
        self.listener.close()
        return parts_of(self.content_type, self.body)


class FormsTest(unittest.TestCase):
    def curl(self, *arguments):
        catcher = Catcher()
        subprocess.run(["curl", "-sS", "--max-time", "20", *arguments, catcher.url], check=True)
        return catcher.parts()

    def test_curl(self):
        with tempfile.TemporaryDirectory() as folder:
            arguments = []
            for number, (name, filename, data) in enumerate(PLAIN):
                path = os.path.join(folder, str(number))
                with open(path, "wb") as file:
                    file.write(data)
                source = f"@{path};filename={filename}" if filename else f"<{path}"
                arguments += ["-F", f"{name}={source}"]
            self.assertEqual(self.curl(*arguments), PLAIN)

            odd = [("a", 'q"uo\\te;.txt', b"")]
            path = os.path.join(folder, 'q"uo\\te;.txt')
            with open(path, "wb"):
                pass
            quoted = path.replace("\\", "\\\\").replace('"', '\\"')
            for extra in ([], ["--form-escape"]):
                self.assertEqual(self.curl(*extra, "-F", f'a=@"{quoted}"'), odd)

    def test_requests(self):
        try:
            import requests
        except ImportError:
            self.skipTest("python3-requests is not there")
        files = [(name, (filename, data)) for name, filename, data in PLAIN]
        request = requests.Request("POST", "http://localhost/", files=files).prepare()
        self.assertEqual(parts_of(request.headers["Content-Type"], request.body), PLAIN)
        files = [("a", ("é\"\\.txt", b"1"))]
        request = requests.Request("POST", "http://localhost/", files=files).prepare()
        self.assertEqual(parts_of(request.headers["Content-Type"], request.body),
                         [("a", "é\"\\.txt", b"1")])

    def test_aiohttp(self):
        import aiohttp

        async def send(url):
            form = aiohttp.FormData()
            for name, filename, data in PLAIN:
                if filename:
                    form.add_field(name, data, filename=filename)
                else:
                    form.add_field(name, data.decode(), content_type="text/plain")
            async with aiohttp.ClientSession() as session, session.post(url, data=form):
                pass

        catcher = Catcher()
        asyncio.run(send(catcher.url))
        # aiohttp percent-encodes what needs not be; nobody else does, and it cannot be told apart.
        want = [(name, filename and filename.replace(" ", "%20"), data)
                for name, filename, data in PLAIN]
        self.assertEqual(catcher.parts(), want)

    def test_node_fetch(self):
        node = shutil.which("node")
        if not node:
            self.skipTest("node is not there")
        script = """
          const form = new FormData();
          for (const [name, filename, data] of JSON.parse(require('fs').readFileSync(0))) {
            const bytes = Buffer.from(data, 'hex');
            if (filename === null) form.append(name, bytes.toString('utf8'));
            else form.append(name, new Blob([bytes]), filename);
          }
          fetch(process.argv[1], {method: 'POST', body: form}).catch(error => {
            console.error(error);
            process.exit(1);
          });
        """
        for parts in (PLAIN, [], [("na\"me", "q\"uo\\te\r\n.txt", b"1"), ("é", "ü.txt", b"2")]):
            catcher = Catcher()
            told = json.dumps([(name, filename, data.hex()) for name, filename, data in parts])
            subprocess.run([node, "-e", script, catcher.url], input=told.encode(),
                           check=True, timeout=30)
            self.assertEqual(catcher.parts(), parts)

    def test_email_package(self):
        """RFC 2231 parameters, a preamble and an epilogue, folded nowhere."""
        message = email.message.EmailMessage(policy=email.policy.HTTP)
        message["Content-Type"] = "multipart/form-data"
        message.preamble = "This is a multi-part message in MIME format."
        message.epilogue = "The end."
        for name, filename, data in PLAIN:
            part = email.message.EmailMessage(policy=email.policy.HTTP)
            part.set_content(data, "application", "octet-stream", cte="binary")
            part.add_header("Content-Disposition", "form-data", name=name,
                            **({"filename": filename} if filename else {}))
            message.attach(part)
        wire = message.as_bytes()
        body = wire.split(b"\r\n\r\n", 1)[1]
        self.assertEqual([(name, filename) for name, filename, _ in parts_of(message["Content-Type"], body)],
                         [(name, filename) for name, filename, _ in PLAIN])


if __name__ == "__main__":
    unittest.main()
