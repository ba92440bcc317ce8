# SPDX-License-Identifier: Apache-2.0
"""The example of a blog, driven by curl, on SQLite and on a PostgreSQL of its own."""
import os
import re
import shutil
import sqlite3
import subprocess
import tempfile
import threading
import unittest
import xml.etree.ElementTree as xml

import private_postgresql
from squall_wire import DEADLINE, EXAMPLES, Curl, Example, main, wait_for

AUTHOR = {"name": "Ann <i>O'Hara</i>", "email": "ann@example.com", "password": "correct horse"}
INJECTION = "'); DROP TABLE entries; -- $1 ? %s \\' \" Robert"
MARKUP = "<script>alert(1)</script> & <img src=x onerror=alert(1)> ]]> &amp;"
ATOM = "{http://www.w3.org/2005/Atom}"


class Blog:
    """The tests, of whichever database."""

    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.database = self.new_database()
        self.start()
        self.ann = Curl(self.server, self.folder.name)

    def start(self, *options):
        self.server = Example("blog", "--database", self.database, "--title", "<A> blog", *options,
                              port=("--port", "0"))
        self.addCleanup(self.server.kill)

    def create_author(self):
        told = self.ann.send("/auth/create", "/auth/create", **AUTHOR)
        self.assertEqual(told[::2], (303, "/"), told[1])

    def publish(self, title, text, who=None, **fields):
        told = (who or self.ann).send("/compose", "/compose", title=title, text=text, **fields)
        self.assertEqual(told[0], 303, told[1])
        return told[2]

    def at_once(self, count, function):
        results = []
        threads = [threading.Thread(target=lambda i=i: results.append(function(i)))
                   for i in range(count)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(DEADLINE)
        return results

    def test_from_the_first_start_to_the_second(self):
        reader = Curl(self.server, self.folder.name, "reader")
        self.assertIn('<a href="/auth/create">', reader.ask("/")[1])
        self.assertEqual(self.ann.ask("/compose")[::2], (302, "/auth/login?next=%2Fcompose"))
        self.create_author()
        self.assertEqual(reader.ask("/auth/create")[::2], (302, "/auth/login"))
        where = self.publish("Hello, World!", "One\ntwo\n\n\nthree")
        self.assertEqual(where, "/entry/hello-world")
        page = reader.ask(where)[1]
        self.assertIn("<p>One<br>\ntwo</p>\n<p>three</p>", page)
        self.assertNotIn("Edit", page)
        identity = re.search(r'"/compose\?id=(\d+)"', self.ann.ask(where)[1])[1]
        self.assertIn(">\nOne\ntwo", self.ann.ask(f"/compose?id={identity}")[1])
        self.assertEqual(self.publish("Goodbye", "Changed.", id=identity), where)
        self.assertIn("<p>Changed.</p>", reader.ask("/")[1])
        # A second start on the same database: all is there, and the author still logged in.
        self.server.stop()
        self.start()
        self.ann.server = reader.server = self.server
        self.assertIn("Goodbye", reader.ask("/archive")[1])
        self.assertIn("New entry", self.ann.ask("/")[1])
        self.assertEqual(self.ann.send("/auth/logout", "/compose")[::2], (303, "/"))
        self.assertNotIn("New entry", self.ann.ask("/")[1])
        wrong = {**AUTHOR, "password": "another one"}
        self.assertEqual(self.ann.send("/auth/login", "/auth/login", **wrong)[0], 403)
        told = self.ann.send("/auth/login?next=/archive", "/auth/login", **AUTHOR)
        self.assertEqual(told[::2], (303, "/archive"))
        self.server.stop()

    def test_what_is_typed_is_shown_and_does_nothing(self):
        self.create_author()
        shown = {INJECTION: "&#39;); DROP TABLE entries; -- $1 ? %s \\&#39; &quot; Robert",
                 MARKUP: "&lt;script&gt;alert(1)&lt;/script&gt; &amp; &lt;img src=x "
                         "onerror=alert(1)&gt; ]]&gt; &amp;amp;"}
        for typed, escaped in shown.items():
            where = self.publish(typed, typed)
            for path in (where, "/", "/archive"):
                page = self.ann.ask(path)[1]
                self.assertIn(escaped, page)
                self.assertNotIn(typed, page)
            self.assertEqual(self.ann.ask(where)[1].count(escaped), 3)  # its text, and titles
            # A form that is wrong comes back with what was typed.
            told = self.ann.send("/compose", "/compose", title=typed, text="")
            self.assertEqual(told[0], 400)
            self.assertIn(f'value="{escaped}"', told[1])
            told = self.ann.send("/auth/login", "/auth/login", email=typed, password=typed)
            self.assertEqual(told[0], 403)
            self.assertIn(f'value="{escaped}"', told[1])
        self.assertIn("by Ann &lt;i&gt;O&#39;Hara&lt;/i&gt;", self.ann.ask("/")[1])
        feed = xml.fromstring(self.ann.ask("/feed")[1])
        titles = {entry.find(f"{ATOM}title").text for entry in feed.iter(f"{ATOM}entry")}
        self.assertEqual(titles, set(shown))
        self.assertEqual(feed.find(f"{ATOM}title").text, "<A> blog")
        link = next(feed.iter(f"{ATOM}entry")).find(f"{ATOM}link").get("href")
        self.assertTrue(link.startswith(self.server.url("/entry/")), link)
        for path in ("/entry/' OR 1=1 --", "/entry/%00", "/compose?id=1 OR 1=1", "/compose?id=99"):
            self.assertEqual(self.ann.ask(path.replace(" ", "%20"))[0], 404, path)
        self.assertEqual(self.ann.ask("/entry/%FF")[0], 400)
        self.server.stop()

    def test_of_two_at_a_time_one_is_first(self):
        guests = [Curl(self.server, self.folder.name, f"guest{i}") for i in range(3)]
        told = self.at_once(3, lambda i: guests[i].send(
            "/auth/create", "/auth/create", **{**AUTHOR, "email": f"{i}@example.com"}))
        self.assertEqual(sorted(status for status, _, _ in told), [303, 400, 400])
        author = next(guest for guest in guests if "New entry" in guest.ask("/")[1])
        jars = [Curl(self.server, self.folder.name, f"jar{i}") for i in range(6)]
        for jar in jars:
            shutil.copy(author.jar, jar.jar)
        places = self.at_once(6, lambda i: self.publish("Same", "text", jars[i]))
        self.assertEqual(set(places), {"/entry/same", *(f"/entry/same-{i}" for i in range(2, 7))})
        self.server.stop()


@unittest.skipUnless(shutil.which("curl"), "curl is not installed")
class OnSQLite(Blog, unittest.TestCase):
    def new_database(self):
        return os.path.join(self.folder.name, "blog.sqlite3")

    def test_a_feed_that_has_not_changed_is_not_sent_again(self):
        self.server.stop()
        self.start("--url", "https://blog.example/")
        self.ann.server = self.server
        self.create_author()
        self.publish("Grüße aus Köln", "text")
        head, _, body = self.ann.ask("/feed", "-i")[1].replace("\r", "").partition("\n\n")
        self.assertIn("application/atom+xml", head)
        self.assertIn("<id>https://blog.example/entry/gr%C3%BC%C3%9Fe-aus-k%C3%B6ln</id>", body)
        tag = re.search(r"(?i)^etag: (.*)$", head, re.M)[1]
        self.assertEqual(self.ann.ask("/feed", "-H", f"If-None-Match: {tag}")[0], 304)
        self.server.stop()

    def test_a_stranger_does_not_become_the_author(self):
        self.server.stop()
        self.start("--author", AUTHOR["email"])
        self.ann.server = self.server
        told = self.ann.send("/auth/create", "/auth/create", **{**AUTHOR, "email": "eve@example.com"})
        self.assertEqual(told[0], 400)
        for wrong in ({"name": ""}, {"email": "@"}, {"password": "short"}):
            self.assertEqual(self.ann.send("/auth/create", "/auth/create", **{**AUTHOR, **wrong})[0], 400)
        self.create_author()
        self.server.stop()

    def test_who_may_not_is_refused(self):
        eve = Curl(self.server, self.folder.name, "eve")
        self.create_author()
        where = self.publish("Mine", "The text.")
        evil = ("-H", "Origin: https://evil.example")
        self.assertEqual(self.ann.ask("/compose", "-d", "title=x&text=y")[0], 403)
        self.assertEqual(self.ann.ask("/auth/logout", "-d", "")[0], 403)
        self.assertEqual(self.ann.ask("/auth/logout", "-X", "POST", *evil)[0], 403)
        self.assertEqual(eve.send("/compose", "/auth/login", title="x", text="y")[0], 403)
        told = eve.send("/auth/create", "/auth/login", **{**AUTHOR, "email": "eve@example.com"})
        self.assertEqual(told[0], 400)
        self.assertIn("There is an author already.", told[1])
        self.assertEqual(eve.ask("/compose", "-b", "blog_author=1")[0], 302)
        self.assertEqual(eve.ask("/entry/nothing")[0], 404)
        self.assertIn("<h1>404</h1>", eve.ask("/nothing")[1])
        # Redirects stay on this host.
        told = self.ann.send("/auth/login?next=//evil.example", "/auth/login", **AUTHOR)
        self.assertEqual(told[::2], (303, "/"))
        self.assertIn("The text.", eve.ask(where)[1])
        told = [eve.ask("/auth/login") for _ in range(20)]
        self.assertEqual({status for status, _, _ in told}, {200, 429})
        self.assertIn("Too many tries", told[-1][1])
        self.server.stop()

    def test_the_loop_goes_on_while_the_database_keeps_somebody_waiting(self):
        self.create_author()
        other = sqlite3.connect(self.database)
        other.execute("BEGIN EXCLUSIVE")
        before, results = self.server.descriptors(), []
        thread = threading.Thread(target=lambda: results.append(self.publish("Late", "text")))
        thread.start()
        reader = Curl(self.server, self.folder.name, "reader")
        wait_for(lambda: "GET /compose" in self.server.log() and self.server.descriptors() > before,
                 "the writer's request")
        for _ in range(3):
            self.assertEqual(reader.ask("/")[0], 200)
        self.assertEqual(results, [])
        other.rollback()
        other.close()
        thread.join(DEADLINE)
        self.assertEqual(results, ["/entry/late"])
        self.server.stop()

    def test_a_database_that_cannot_be_used_is_named(self):
        def refused(*options):
            done = subprocess.run([os.path.join(EXAMPLES, "blog"), "--port", "0", *options],
                                  capture_output=True, text=True, timeout=DEADLINE, check=False)
            return done.returncode, done.stderr
        junk = os.path.join(self.folder.name, "junk")
        with open(junk, "wb") as file:
            file.write(b"no database" * 1000)
        for path in (junk, "/proc/nothing/blog", self.folder.name):
            code, text = refused("--database", path)
            self.assertEqual(code, 1)
            self.assertRegex(text, rf"^blog: cannot \w+ the database {path}: ")
        self.assertEqual(refused("--database", "")[0], 2)
        self.server.stop()
        database = sqlite3.connect(self.database)
        with database:
            database.execute("INSERT INTO migrations (step) VALUES (1000)")
        database.close()
        self.assertIn("a newer version", refused("--database", self.database)[1])
        self.assertEqual(os.stat(self.database).st_mode & 0o777, 0o600)


@unittest.skipUnless(shutil.which("curl"), "curl is not installed")
@unittest.skipUnless(private_postgresql.is_installed(), "PostgreSQL is not installed")
class OnPostgreSQL(Blog, unittest.TestCase):
    cluster, count = None, 0

    @classmethod
    def setUpClass(cls):
        cls.cluster = private_postgresql.PostgreSQL()

    @classmethod
    def tearDownClass(cls):
        cls.cluster.remove()

    def new_database(self):
        OnPostgreSQL.count += 1
        return self.cluster.new_database(f"blog{self.count}")

    def test_it_goes_on_when_the_database_comes_back(self):
        self.create_author()
        where = self.publish("Here", "text")
        self.cluster.stop()
        self.assertEqual(self.ann.ask(where)[0], 503)
        self.assertIn("The database does not answer", self.ann.ask("/")[1])
        self.assertEqual(self.ann.ask("/static/style.css")[0], 200)
        self.cluster.start()
        for _ in range(5):
            self.assertEqual(self.ann.ask(where)[0], 200)
        self.cluster.stop()  # while connections rest
        self.cluster.start()
        for _ in range(5):
            self.assertEqual(self.ann.ask(where)[0], 200)
        self.server.stop()


if __name__ == "__main__":
    main()
