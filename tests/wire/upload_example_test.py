# SPDX-License-Identifier: Apache-2.0
"""The example of uploads, driven by curl."""
import os
import shutil
import subprocess
import tempfile
import unittest

from squall_wire import DEADLINE, Example, main


@unittest.skipUnless(shutil.which("curl"), "curl is not installed")
class Upload(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.server = Example("upload", self.folder.name)
        self.addCleanup(self.server.kill)

    def curl(self, path, *arguments):
        return subprocess.run(["curl", "-sS", "--noproxy", "*", "--max-time", str(int(DEADLINE)),
                               *arguments, self.server.url(path)],
                              capture_output=True, check=True).stdout.decode()

    def test_files_are_saved_and_forms_are_read_as_they_come(self):
        with tempfile.NamedTemporaryFile() as small, tempfile.NamedTemporaryFile() as large:
            small.write(b"small file")
            small.flush()
            large.truncate(60_000_000)
            told = self.curl("/save", "-F", f"file=@{small.name};filename=../a.txt", "-F",
                             f"file=@{small.name};filename=b.txt", "-F", "note=Grüße")
            self.assertEqual(told, "saved ../a.txt (10 bytes)\nsaved b.txt (10 bytes)\nnote: Grüße\n")
            for name in ("upload-1", "upload-2"):
                with open(os.path.join(self.folder.name, name), "rb") as file:
                    self.assertEqual(file.read(), b"small file")
            self.assertEqual(len(os.listdir(self.folder.name)), 2)
            before = self.server.resident_mib()
            told = self.curl("/measure", "-F", f"file=@{large.name}", "-F", "note=x")
            self.assertEqual(told, "file: 60000000 bytes\nnote: 1 bytes\n")
            self.assertLess(self.server.resident_mib() - before, 20)
        self.assertIn("<form", self.curl("/"))
        self.server.stop()


if __name__ == "__main__":
    main()
