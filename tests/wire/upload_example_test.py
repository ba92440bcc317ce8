# SPDX-License-Identifier: Apache-2.0
"""The example of uploads, driven by curl."""
import hashlib
import json
import os
import shutil
import subprocess
import tempfile
import unittest

from squall_wire import DEADLINE, Example, main, wait_for


@unittest.skipUnless(shutil.which("curl"), "curl is not installed")
class Upload(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.server = Example("upload", "--directory", self.folder.name, "--max-size", "32MiB",
                              port=("--port", "0"))
        self.addCleanup(self.server.kill)

    def curl(self, path, *arguments):
        """Status and text."""
        told = subprocess.run(["curl", "-sS", "--noproxy", "*", "--max-time", str(int(DEADLINE)),
                               "-w", "\n%{http_code}", *arguments, self.server.url(path)],
                              capture_output=True, check=True).stdout.decode()
        text, _, status = told.rpartition("\n")
        return int(status), text

    def send(self, name, content, *arguments):
        with tempfile.NamedTemporaryFile() as file:
            file.write(content)
            file.flush()
            return self.curl("/save", "-F", f"file=@{file.name};filename={name}", *arguments)

    def test_files_are_kept_under_safe_names_and_told_of(self):
        content = b"\0small file"
        names = {"../../etc/passwd": "passwd", "a.txt": "a.txt", ".bashrc": "bashrc",
                 "C:\\dir\\b;rm -rf *.txt": "b_rm -rf _.txt", "Grüße.pdf": "Grüße.pdf",
                 "x" * 200 + ".tar": "x" * 96 + ".tar"}
        for sent, kept in names.items():
            escaped = sent.replace("\\", "\\\\")
            status, text = self.send(f'"{escaped}"', content)
            digest = hashlib.sha256(content).hexdigest()
            self.assertEqual((status, json.loads(text)["files"]),
                             (200, [{"name": kept, "size": len(content), "sha256": digest}]))
        status, text = self.send("a.txt", b"another")
        self.assertEqual(json.loads(text)["files"][0]["name"], "a (2).txt")
        self.assertEqual(set(os.listdir(self.folder.name)), {*names.values(), "a (2).txt"})
        with open(os.path.join(self.folder.name, "passwd"), "rb") as file:
            self.assertEqual(file.read(), content)
        listed = [file["name"] for file in json.loads(self.curl("/files")[1])["files"]]
        self.assertEqual(listed, ["a (2).txt", *reversed(names.values())])
        status, text = self.curl("/files/a.txt", "-D", "-")
        self.assertIn("Content-Disposition: attachment", text)
        self.assertEqual(self.curl("/files/.upload-x")[0], 404)
        self.server.stop()

    def test_a_large_file_goes_to_the_disk_and_not_into_memory(self):
        before = self.server.resident_mib()
        content = os.urandom(1 << 20) * 30
        status, text = self.send("large", content, "-F", "note=x")
        file = json.loads(text)["files"][0]
        self.assertEqual((status, file["size"]), (200, len(content)))
        self.assertEqual(file["sha256"], hashlib.sha256(content).hexdigest())
        self.assertEqual(os.path.getsize(os.path.join(self.folder.name, "large")), len(content))
        if not self.server.is_sanitized():  # those keep what is freed for a while
            self.assertLess(self.server.resident_mib() - before, 20)
        self.server.stop()

    def test_what_is_too_large_is_refused_in_words(self):
        just, far = (32 << 20) + 1, 200 << 20
        for size, header in ((just, "Expect:"), (far, "Expect:"), (far, "Expect: 100-continue"),
                             (far, "Transfer-Encoding: chunked")):
            with tempfile.NamedTemporaryFile() as file:
                file.truncate(size)
                status, text = self.curl("/save", "-F", f"file=@{file.name}", "-H", header)
            self.assertEqual((status, json.loads(text)["error"]),
                             (413, "That is too large: at most 32MiB are taken."), (header, size))
        wait_for(lambda: not os.listdir(self.folder.name), "what was refused to go")
        self.server.stop()

    def test_one_that_is_cancelled_leaves_nothing_and_is_watched_until_then(self):
        part = (b'--x\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n' +
                b"0" * 700_000)
        head = [("Content-Type", "multipart/form-data; boundary=x"), ("Content-Length", 5_000_000)]
        with self.server.connect() as sender, self.server.connect() as viewer:
            viewer.send_request("GET", "/progress/abc-1")
            sender.send_request("POST", "/save?id=abc-1", head)
            sender.send(part)
            viewer.take_until(b'data: {"received":700000,"written":')  # the last bytes are read
            wait_for(lambda: os.listdir(self.folder.name), "the file")
            self.assertTrue(os.listdir(self.folder.name)[0].startswith(".upload-"))
            with self.server.connect() as other:
                other.send_request("POST", "/save?id=abc-1", head)
                self.assertEqual(other.read_response().status, 409)
            sender.close()
            viewer.take_until(b"event: end\n")
        wait_for(lambda: not os.listdir(self.folder.name), "the file to go")
        self.server.stop()

    def test_wrong_requests_are_refused(self):
        self.assertEqual(self.curl("/save", "-d", "a=b")[0], 415)
        self.assertEqual(self.curl("/save", "-F", "note=no file")[0], 400)
        self.assertEqual(self.curl("/save?id=../x", "-F", "note=x")[0], 400)
        self.assertEqual(self.send("a", b"x", "-H", "Origin: https://evil.example")[0], 403)
        os.rmdir(self.folder.name)
        status, text = self.send("a", b"x")
        self.assertEqual((status, json.loads(text)["error"]), (500, "The server said 500."))
        os.mkdir(self.folder.name)
        self.assertEqual(self.send("a", b"x")[0], 200)
        self.server.stop()


if __name__ == "__main__":
    main()
