# SPDX-License-Identifier: Apache-2.0
"""The example of accounts, driven by curl with its own cookie jar."""
import os
import shutil
import tempfile
import unittest

from squall_wire import Curl, Example, main


@unittest.skipUnless(shutil.which("curl"), "curl is not installed")
class Login(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.sessions = os.path.join(self.folder.name, "sessions")
        self.server = Example("login", self.sessions)
        self.addCleanup(self.server.kill)

    def curl(self, path, *arguments, jar="jar"):
        return Curl(self.server, self.folder.name, jar).ask(path, *arguments)

    def send(self, path, jar="jar", **fields):
        return Curl(self.server, self.folder.name, jar).send(path, "/login", **fields)

    def test_an_account_from_its_beginning_to_log_out(self):
        self.assertEqual(self.curl("/")[::2], (302, "/login?next=%2F"))
        self.assertEqual(self.send("/register", name="ann", password="short")[0], 400)
        self.assertEqual(self.send("/register", name="<b>", password="correct horse")[0], 400)
        self.assertEqual(self.send("/register", name="ann", password="correct horse")[::2], (303, "/"))
        self.assertIn("<h1>Hello, ann</h1>", self.curl("/")[1])
        kept = os.listdir(self.sessions)
        self.assertEqual(len(kept), 1)
        self.assertEqual(self.send("/logout")[::2], (303, "/login"))
        self.assertEqual(os.listdir(self.sessions), [])
        self.assertEqual(self.curl("/")[0], 302)
        self.server.stop()

    def test_wrong_passwords_forged_forms_and_too_many_tries(self):
        self.send("/register", jar="ann", name="ann", password="correct horse")
        self.assertEqual(self.send("/register", name="ann", password="another one")[0], 400)
        self.assertEqual(self.send("/login", name="ann", password="another one")[0], 403)
        self.assertEqual(self.send("/login", name="eve", password="another one")[0], 403)
        self.assertEqual(self.curl("/logout", "-d", "x=y", jar="ann")[0], 403)  # no token
        self.assertEqual(self.curl("/")[0], 302)
        self.assertIn("Hello, ann", self.curl("/", jar="ann")[1])
        statuses = {self.curl("/login")[0] for _ in range(10)}
        self.assertEqual(statuses, {200, 429})
        self.server.stop()


if __name__ == "__main__":
    main()
