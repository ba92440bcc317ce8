# SPDX-License-Identifier: Apache-2.0
"""Conditions and ranges of static files beside nginx's answers: an oracle, not an authority.

Every request goes to both servers. Where they differ, the row says what the RFC has to say.
"""
import os
import re
import shutil
import subprocess
import tempfile
import unittest

from squall_wire import Raw, Server, WireTest, main, wait_for

NGINX = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
LARGE = b"".join(b"%07d\n" % i for i in range(12_500))  # 100,000 bytes
SMALL = b"abcdefghijklmnopqrstuvwxyz"
MODIFIED = 1_000_000_000  # Sun, 09 Sep 2001 01:46:40 GMT
DATE, BEFORE, AFTER = ("Sun, 09 Sep 2001 01:46:40 GMT", "Sun, 09 Sep 2001 01:46:39 GMT",
                       "Sun, 09 Sep 2001 01:46:41 GMT")

CONFIGURATION = """
daemon off; master_process off; worker_processes 1; error_log stderr crit; pid {folder}/nginx.pid;
events {{ worker_connections 64; }}
http {{
  access_log off; sendfile on; client_body_temp_path {folder}/b; proxy_temp_path {folder}/p;
  fastcgi_temp_path {folder}/f; uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
  types {{ text/plain txt; }}
  server {{ listen unix:{folder}/socket; root {folder}/site; location /static/ {{ alias {folder}/site/; }} }}
}}
"""


class Answer:
    """What of a response is compared."""

    def __init__(self, response):
        self.status = response.status
        self.body = response.body
        kind = response.get("Content-Type") or ""
        self.ranges = [response.get("Content-Range")] if response.get("Content-Range") else []
        if kind.startswith("multipart/byteranges"):
            boundary = kind.split("boundary=")[1].encode()
            parts = re.split(rb"(?:^|\r\n)--" + re.escape(boundary), response.body)
            assert parts[-1] == b"--\r\n" and parts[0] == b"", parts
            self.body = []
            for part in parts[1:-1]:
                head, data = part.split(b"\r\n\r\n", 1)
                self.ranges.append(re.search(rb"Content-Range: (.*)", head)[1].decode().strip())
                self.body.append(data)
        if self.status not in (200, 206):
            self.body = None  # error pages differ

    def __eq__(self, other):
        return vars(self) == vars(other)

    def __repr__(self):
        size = len(self.body) if self.body is not None else None
        return f"{self.status} {self.ranges} ({size})"


@unittest.skipUnless(NGINX, "nginx is not installed")
class BesideNginx(WireTest):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory(prefix="squall-wire-oracle-")
        folder = cls.folder.name
        root = os.path.join(folder, "site")
        os.mkdir(root)
        os.chmod(folder, 0o755)
        for name, data in (("large.txt", LARGE), ("small.txt", SMALL), ("empty.txt", b"")):
            with open(os.path.join(root, name), "wb") as file:
                file.write(data)
            os.utime(os.path.join(root, name), (MODIFIED, MODIFIED))
        with open(os.path.join(folder, "nginx.conf"), "w", encoding="ascii") as file:
            file.write(CONFIGURATION.format(folder=folder))
        cls.nginx = subprocess.Popen([NGINX, "-p", folder, "-c", f"{folder}/nginx.conf"],
                                     stdin=subprocess.DEVNULL, stderr=subprocess.PIPE)
        wait_for(lambda: os.path.exists(f"{folder}/socket") or cls.nginx.poll() is not None, "nginx")
        cls.server = Server("--static", root)

    @classmethod
    def tearDownClass(cls):
        cls.nginx.terminate()
        cls.nginx.communicate()
        super().tearDownClass()
        cls.folder.cleanup()

    def both(self, file, headers, method="GET"):
        answers = []
        for address in (self.server.address, f"{self.folder.name}/socket"):
            with Raw(address) as raw:
                raw.send_request(method, f"/static/{file}.txt", headers)
                answers.append(raw.read_response(head=method == "HEAD"))
        return answers

    def agree(self, rows, files=("large", "small"), method="GET"):
        for headers in rows:
            for file in files:
                with self.subTest(file=file, headers=headers, method=method):
                    ours, theirs = map(Answer, self.both(file, headers, method))
                    self.assertEqual(ours, theirs)

    def differ(self, file, headers, ours, theirs, method="GET"):
        """They answer `theirs`, we `ours`: what a row says about it is the reason."""
        with self.subTest(file=file, headers=headers, method=method):
            mine, others = map(Answer, self.both(file, headers, method))
            self.assertEqual((mine.status, others.status), (ours, theirs))

    def test_single_ranges(self):  # RFC 9110 section 14.1.2
        self.agree([[("Range", f"bytes={spec}")] for spec in
                    ("0-0", "0-9", "5-9", "1-", "25-25", "20-1000000", "-1", "-5", "26-26",
                     "100000-", "100001-100002", "9-8", "-0")])
        self.agree([[("Range", "BYTES=1-2")]])  # section 14.1: in any case

    def test_what_is_no_range(self):  # RFC 9110 section 14.2: ignored
        self.agree([[("Range", value)] for value in ("items=0-1", "0-1", "=0-1", "bytes", "bytes=")])

    def test_several_ranges(self):  # RFC 9110 section 14.6
        self.agree([[("Range", f"bytes={spec}")] for spec in
                    ("0-1,1000-1001", "0-1,-2", "90000-90001,5-6", "0-0,500-599,99999-",
                     "5-6,100000-", "0-9, 1000-1009")], files=("large",))

    def test_conditions(self):  # RFC 9110 section 13
        self.agree([[(name, value)] for name in ("If-Modified-Since", "If-Unmodified-Since")
                    for value in (DATE, BEFORE)])
        self.agree([[("If-Modified-Since", "yesterday")], [("If-Modified-Since", "")],
                    [("If-Unmodified-Since", AFTER)]])
        self.agree([[("If-None-Match", '"other"')], [("If-None-Match", "*")],
                    [("If-Match", '"other"')], [("If-Match", "*")],
                    [("If-None-Match", '"other"'), ("If-Modified-Since", DATE)],
                    [("If-Match", '"other"'), ("If-None-Match", '"other"')]])

    def test_tags(self):
        for file in ("large", "small"):
            tags = [response.get("ETag") for response in self.both(file, [])]
            for text in ("{}", "W/{}", '"x", {}', "{} , \"y\"", ',"x",, {}', '"a,b", {}'):
                for name in ("If-None-Match", "If-Match", "If-Range"):
                    # RFC 9110 sections 13.1.2 (weak), 13.1.1 and 13.1.5 (strong): nginx agrees.
                    with self.subTest(file=file, field=name, text=text):
                        answers = []
                        for which, tag in enumerate(tags):
                            headers = [(name, text.format(tag)), ("Range", "bytes=1-2")]
                            answers.append(Answer(self.both(file, headers)[which]))
                        self.assertEqual(*answers)

    def test_if_range(self):  # RFC 9110 section 13.1.5
        self.agree([[("Range", "bytes=1-2"), ("If-Range", value)]
                    for value in (DATE, BEFORE, AFTER, '"other"', 'W/"other"', "")])

    def test_ranges_after_conditions(self):  # RFC 9110 section 13.2.2
        self.agree([[("Range", "bytes=1-2"), ("If-Modified-Since", DATE)],
                    [("Range", "bytes=1-2"), ("If-Unmodified-Since", BEFORE)],
                    [("Range", "bytes=1-2"), ("If-None-Match", "*")],
                    [("Range", "bytes=900000-"), ("If-None-Match", "*")]])

    def test_head(self):
        self.agree([[], [("If-None-Match", "*")], [("If-Modified-Since", DATE)],
                    [("If-Match", '"other"')]], method="HEAD")

    def test_where_we_differ(self):
        # "GET is the only method for which range handling is defined": RFC 9110 section 14.2.
        self.differ("large", [("Range", "bytes=1-2")], 200, 206, method="HEAD")
        self.differ("large", [("Range", "bytes=900000-")], 200, 416, method="HEAD")
        # A range of everything is no part; a server may ignore Range (section 14.2).
        for spec in ("0-", "0-99999", "-100000", "-200000", "0-99999999"):
            self.differ("large", [("Range", f"bytes={spec}")], 200, 206)
        # A number of any size is one (section 14.1.1), and past the end it is clipped (14.1.2).
        self.differ("large", [("Range", "bytes=1-18446744073709551616")], 206, 416)
        # What does not follow the grammar is ignored, not refused (section 14.2 allows both).
        for spec in ("-", "a-b", "0-1x", "1", "0--1", "0-1;2-3"):
            self.differ("large", [("Range", f"bytes={spec}")], 200, 416)
        # Empty elements of a list are ignored (section 5.6.1.2).
        self.differ("large", [("Range", "bytes=,0-1")], 206, 416)
        # A range that is the wrong way round makes the set invalid (section 14.1.1), so that it is
        # rejected (section 15.5.17); nginx sends the others.
        self.differ("large", [("Range", "bytes=0-1,9-8")], 416, 206)
        # If-Modified-Since is "later or equal" (section 13.1.3); nginx's default wants the date to
        # be the same.
        self.differ("large", [("If-Modified-Since", AFTER)], 304, 200)
        # A date that is none is ignored (section 13.1.4); nginx takes it for the oldest.
        for value in ("yesterday", ""):
            self.differ("large", [("If-Unmodified-Since", value)], 200, 412)
        # The lines of a field are one list (section 5.2); nginx looks at one of them.
        tag = self.both("large", [])[0].get("ETag")
        with Raw(self.server.address) as raw:
            raw.send_request("GET", "/static/large.txt",
                             [("If-None-Match", '"x"'), ("If-None-Match", tag)])
            self.assertEqual(raw.read_response().status, 304)

    def test_overlaps_become_one(self):
        # RFC 9110 section 15.3.7.2: ranges that overlap, or nearly touch, may be coalesced; nginx
        # sends each, and the whole where they are longer together than that.
        for spec, ranges in (("0-9,5-14", ["bytes 0-14/100000"]),
                             ("0-9,10-19", ["bytes 0-19/100000"]),
                             ("0-9,20-29", ["bytes 0-29/100000"]),
                             ("5-5,0-0", ["bytes 0-5/100000"])):
            ours = Answer(self.both("large", [("Range", f"bytes={spec}")])[0])
            self.assertEqual((ours.status, ours.ranges), (206, ranges), spec)
        attack = ",".join(["0-"] * 16)
        self.assertEqual(self.both("large", [("Range", f"bytes={attack}")])[0].status, 200)
        many = ",".join(f"{i * 1000}-{i * 1000}" for i in range(17))
        self.assertEqual(self.both("large", [("Range", f"bytes={many}")])[0].status, 200)

    def test_empty_files(self):
        # A range of nothing: RFC 9110 section 14.1.2 calls it unsatisfiable; like nginx we send the
        # nothing, for clients that send Range with every request.
        self.agree([[("Range", "bytes=0-")], [("Range", "bytes=0-9")], [], [("If-None-Match", "*")]],
                   files=("empty",))

    def test_not_modified_says_what_a_cache_needs(self):  # RFC 9110 section 15.4.5
        ours, theirs = self.both("large", [("If-None-Match", "*")])
        for response in (ours, theirs):
            self.assertTrue(response.get("ETag"))
            self.assertTrue(response.get("Date"))
            self.assertIsNone(response.get("Content-Type"))
        self.assertIsNone(ours.get("Last-Modified"))  # "other than the above listed": has an ETag


if __name__ == "__main__":
    main()
