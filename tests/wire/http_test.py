# SPDX-License-Identifier: Apache-2.0
"""Routes, arguments, headers, cookies and static files, as they look on the wire."""
import os
import tempfile

from squall_wire import Server, WireTest, main, wait_for


class Routing(WireTest):
    def ask(self, method, path, headers=(), body=None):
        with self.server.connect() as raw:
            raw.send_request(method, path, headers, body)
            return raw.read_response(head=method == "HEAD")

    def assert_answer(self, path, status, body=None, method="GET"):
        response = self.ask(method, path)
        self.assertEqual(response.status, status, response)
        if body is not None:
            self.assertEqual(response.body, body)
        return response

    def test_every_verb_plain_and_as_a_coroutine(self):
        for kind in ("plain", "coroutine"):
            for verb in ("get", "post", "put", "patch", "delete"):
                self.assert_answer(f"/{kind}", 200, f"{kind} {verb}".encode(), verb.upper())

    def test_head_and_options_come_by_themselves(self):
        response = self.ask("HEAD", "/plain")
        self.assertEqual((response.status, response.get("Content-Length")), (200, "9"))
        response = self.ask("OPTIONS", "/plain")
        self.assertIn(response.status, (200, 204))
        self.assertEqual(self.methods(response),
                         {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})

    def methods(self, response):
        return {name.strip() for name in response.get("Allow", "").split(",")}

    def test_head_and_options_can_be_defined(self):
        self.assertEqual(self.ask("HEAD", "/own").get("X-Own-Head"), "yes")
        response = self.ask("OPTIONS", "/own")
        self.assertEqual((response.status, response.get("X-Own-Options")), (204, "yes"))

    def test_405_says_what_is_allowed(self):  # RFC 9110 section 15.5.6
        for method in ("POST", "PUT", "DELETE", "PATCH", "TRACE"):
            response = self.ask(method, "/get-only")
            self.assertEqual(response.status, 405)
            self.assertEqual(self.methods(response), {"GET", "HEAD", "OPTIONS"})
        self.assertEqual(self.methods(self.ask("DELETE", "/lambda/x")),
                         {"GET", "HEAD", "POST", "OPTIONS"})

    def test_unknown_paths_are_404(self):
        for path in ("/", "/nowhere", "/plain/", "//plain", "/Plain", "/int", "/int/", "/int/1/2"):
            self.assert_answer(path, 404)

    def test_integers(self):
        for text, value in (("0", b"0"), ("42", b"42"), ("-1", b"-1"),
                            ("2147483647", b"2147483647"), ("-2147483648", b"-2147483648")):
            self.assert_answer(f"/int/{text}", 200, value)
        for text in ("a", "1a", "+1", "1.0", "%201", "1%20", "2147483648", "-2147483649", "9" * 40,
                     "0x1", "%00", "-"):
            self.assert_answer(f"/int/{text}", 404)

    def test_doubles(self):
        for text in ("0.5", ".5", "5e-1", "0.500"):
            self.assert_answer(f"/double/{text}", 200, b"a half")
        for text in ("a", "1.2.3", "1e999999", "%20.5", "0.5x"):
            self.assert_answer(f"/double/{text}", 404)

    def test_texts_are_decoded_once(self):
        for path, text in (("a%20b", b"<a b>"), ("a+b", b"<a+b>"), ("%2525", b"<%25>"),
                           ("a%2Fb", b"<a/b>"), ("caf%C3%A9", "<café>".encode())):
            self.assert_answer(f"/text/{path}", 200, text)

    def test_two_arguments(self):
        self.assert_answer("/two/255/x%20y", 200, b"255|x y|x y")
        self.assert_answer("/two/256/x", 404)

    def test_the_tail(self):
        for path, text in (("a", b"<a>"), ("a/b/c", b"<a/b/c>"), ("a//b/", b"<a//b/>"),
                           ("a%2Fb", b"<a/b>"), ("..%2F..", b"<../..>")):
            self.assert_answer(f"/tail/{path}", 200, text)

    def test_regular_expressions_match_the_whole_path(self):
        self.assert_answer("/re/12-abc", 200, b"abc=12")
        for path in ("/re/12-", "/re/12-abcD", "/re/12-abc/", "/x/re/12-abc"):
            self.assert_answer(path, 404)
        self.assert_answer("/re/99999999999-abc", 404)

    def test_functions(self):
        response = self.assert_answer("/lambda/Ann%20B", 200, b"hello, Ann B")
        self.assertEqual(response.get("X-Lambda"), "yes")
        response = self.ask("POST", "/lambda/bob")
        self.assertEqual(response.json(), {"posted": "bob"})
        self.assertIn("application/json", response.get("Content-Type"))
        self.assert_answer("/lambda-task/1", 200, b"slept 1")

    def test_arguments_of_query_and_body(self):
        got = self.ask("GET", "/arguments?a=1&a=2&b=x+y&c=%C3%A9&d").json()
        self.assertEqual(got, {"a": ["1", "2"], "b": ["x y"], "c": ["é"], "last": "2"})
        form = (("Content-Type", "application/x-www-form-urlencoded"),)
        got = self.ask("POST", "/arguments?a=query", form, b"a=body&b=%20trim%20").json()
        self.assertEqual(sorted(got["a"]), ["body", "query"])
        self.assertEqual((got["b"], got["last"]), (["trim"], "body"))
        self.assertEqual(self.ask("GET", "/required?needed=1").body, b"1")
        self.assert_answer("/required", 400)
        self.assert_answer("/required?needed=%ff", 400)
        self.assert_answer("/required?" + "&".join(f"x{i}=" for i in range(1001)), 400)

    def test_json_bodies(self):
        kind = (("Content-Type", "application/json"),)
        response = self.ask("POST", "/json", kind, b'{"a": [1, "\\u00e9", null]}')
        self.assertEqual(response.json(), {"got": {"a": [1, "é", None]}})
        for body in (b"", b"{", b"[1,]", b"{} x", b"\xff", b"[" * 100_000):
            self.assertEqual(self.ask("POST", "/json", kind, body).status, 400, body[:20])
        self.assertEqual(self.ask("POST", "/json", (("Content-Type", "text/plain"),),
                                  b"{}").status, 415)

    def test_headers_reach_the_handler(self):
        response = self.ask("GET", "/headers", (("X-A", "1"), ("x-a", "2"), ("Empty", "")))
        self.assertEqual(response.json(), [["Host", "wire.example"], ["X-A", "1"], ["x-a", "2"],
                                           ["Empty", ""]])

    def test_facts_of_a_request(self):
        facts = self.ask("GET", "/facts?a=b%20c").json()
        self.assertEqual(facts, {
            "method": "GET", "uri": "/facts?a=b%20c", "path": "/facts", "query": "a=b%20c",
            "version": "HTTP/1.1", "host": "wire.example", "protocol": "http",
            "full_url": "http://wire.example/facts?a=b%20c", "remote_ip": "127.0.0.1"})

    def test_bodies_of_every_verb_are_echoed(self):
        for method in ("GET", "POST", "PUT", "PATCH", "DELETE"):
            response = self.ask(method, "/echo", (("Content-Type", "x/y"),), b"\0\xff body")
            self.assertEqual((response.body, response.get("Content-Type")), (b"\0\xff body", "x/y"))

    def test_cookies(self):
        got = self.ask("GET", "/cookies", (("Cookie", 'a=1; b="2"'), ("Cookie", "c=3"))).json()
        self.assertEqual(got["a"], "1")
        self.assertEqual(self.ask("GET", "/cookies").json(), {"a": "", "b": "none"})
        lines = self.ask("POST", "/cookies?name=a&value=x").all("Set-Cookie")
        self.assertEqual(len(lines), 2)
        self.assertTrue(lines[0].startswith("a=x;"), lines)
        for attribute in ("Path=/", "Max-Age=3600", "HttpOnly", "SameSite=Lax"):
            self.assertIn(attribute, [part.strip() for part in lines[0].split(";")])
        cleared = self.ask("DELETE", "/cookies").get("Set-Cookie")
        self.assertRegex(cleared, r"^a=(\"\")?;")
        self.assertRegex(cleared, r"Max-Age=0|[Ee]xpires=")
        quoted = self.ask("POST", "/cookies?name=a&value=%22%3B%2C").get("Set-Cookie")
        sent_back = (("Cookie", quoted.split("; Max")[0]),)
        self.assertEqual(self.ask("GET", "/cookies", sent_back).json()["a"], '";,')
        for query in ("name=a%20b&value=x", "name=a&value=x%20y", "name=&value=x"):
            self.assert_answer("/cookies?" + query, 500, method="POST")

    def test_redirects(self):
        for query, status in (("", 302), ("&permanent=1", 301)):
            response = self.ask("GET", "/redirect?to=/facts" + query)
            self.assertEqual((response.status, response.get("Location")), (status, "/facts"))
        self.assertEqual(self.ask("POST", "/redirect").status, 303)

    def test_no_header_can_be_injected(self):
        for method in ("GET", "POST", "PUT", "PATCH"):
            response = self.ask(method, "/injection")
            self.assertEqual(response.all("X-Injected"), [], response)
            self.assertNotIn("X-Injected", response.reason)
        response = self.ask("GET", "/redirect?to=/a%0d%0aX-Injected:%20yes")
        self.assertEqual(response.all("X-Injected"), [], response)

    def test_prepare_comes_before_the_verb_and_may_end_the_request(self):
        before = self.server.counter("prepared.on_finish")
        self.assert_answer("/prepared", 200, b"past prepare")
        self.assert_answer("/prepared?stop=1", 403, b"stopped in prepare")
        self.server.wait_for_counter("prepared.on_finish", before + 2)

    def test_the_executor_runs_elsewhere(self):
        self.assert_answer("/executor/1", 200, b"another thread")
        self.assert_answer("/executor/13", 500)

    def test_errors_have_pages(self):
        response = self.assert_answer("/teapot", 418)
        self.assertEqual(response.reason, "Short and Stout")
        self.assertNotIn(b"only the log knows", response.body)
        self.assertIn("text/html", response.get("Content-Type"))
        response = self.assert_answer("/error-page", 409, b"page of 409 with an error")
        self.assertEqual(response.get("Content-Type"), "text/x-error")

    def test_errors_keep_the_connection(self):
        with self.server.connect() as raw:
            for path, status in (("/teapot", 418), ("/nowhere", 404), ("/throw", 500),
                                 ("/int/x", 404), ("/hello", 200)):
                raw.send_request("GET", path)
                response = raw.read_response()
                self.assertEqual(response.status, status)
                self.assertFalse(response.has_close(), response)


class StaticFiles(WireTest):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory(prefix="squall-wire-static-")
        root = os.path.join(cls.folder.name, "public")
        os.makedirs(os.path.join(root, "sub"))
        for name, data in (("public/hello.txt", b"hello, file\n"), ("public/empty.css", b""),
                           ("public/sub/page.html", b"<p>"), ("public/large.bin", b"L" * 3_000_000),
                           ("public/a b.js", b"1"), ("secret.txt", b"secret")):
            with open(os.path.join(cls.folder.name, name), "wb") as file:
                file.write(data)
        os.symlink("../secret.txt", os.path.join(root, "leak.txt"))
        os.symlink("hello.txt", os.path.join(root, "inside.txt"))
        os.mkfifo(os.path.join(root, "pipe"))
        cls.server = Server("--static", root)

    @classmethod
    def tearDownClass(cls):
        super().tearDownClass()
        cls.folder.cleanup()

    def ask(self, path, headers=(), method="GET"):
        with self.server.connect() as raw:
            raw.send_request(method, path, headers)
            return raw.read_response(head=method == "HEAD")

    def test_files_are_served_with_their_type(self):
        for path, kind, body in (("hello.txt", "text/plain", b"hello, file\n"),
                                 ("sub/page.html", "text/html", b"<p>"),
                                 ("empty.css", "text/css", b""), ("a%20b.js", "javascript", b"1"),
                                 ("inside.txt", "text/plain", b"hello, file\n")):
            response = self.ask(f"/static/{path}")
            self.assertEqual((response.status, response.body), (200, body), path)
            self.assertIn(kind, response.get("Content-Type"))

    def test_head(self):
        response = self.ask("/static/large.bin", method="HEAD")
        self.assertEqual((response.status, response.get("Content-Length")), (200, "3000000"))

    def test_large_files_arrive_whole_and_side_by_side(self):
        raws = [self.server.connect() for _ in range(8)]
        for raw in raws:
            raw.send_request("GET", "/static/large.bin")
        for raw in raws:
            self.assertEqual(raw.read_response().body, b"L" * 3_000_000)
            raw.send_request("GET", "/static/hello.txt")
            self.assertEqual(raw.read_response().body, b"hello, file\n")
            raw.close()

    def test_conditional_requests(self):  # RFC 9110 section 13
        first = self.ask("/static/hello.txt")
        etag, modified = first.get("ETag"), first.get("Last-Modified")
        self.assertRegex(etag, r'^"[^"]+"$')
        for header in (("If-None-Match", etag), ("If-None-Match", f'"x", W/{etag}'),
                       ("If-None-Match", "*"), ("If-Modified-Since", modified)):
            response = self.ask("/static/hello.txt", (header,))
            self.assertEqual((response.status, response.body), (304, b""), header)
            self.assertEqual(response.get("ETag"), etag)
        for headers in ((("If-None-Match", '"x"'),),
                        (("If-Modified-Since", "Thu, 01 Jan 1970 00:00:00 GMT"),),
                        (("If-Modified-Since", "yesterday"),),
                        (("If-None-Match", '"x"'), ("If-Modified-Since", modified))):
            self.assertEqual(self.ask("/static/hello.txt", headers).status, 200, headers)

    def test_nothing_outside_is_served(self):
        for path in ("../secret.txt", "%2e%2e/secret.txt", "..%2fsecret.txt", "sub/../../secret.txt",
                     "leak.txt", "hello.txt%00.html", "%00", "sub", "sub/", "", ".", "nothing.txt",
                     "hello.txt/", "..", "/etc/passwd", "%2fetc%2fpasswd", "..%5csecret.txt", "pipe",
                     "a" * 300, "a/" * 3000):
            response = self.ask(f"/static/{path}")
            self.assertEqual(response.status, 404, path[:100])
            self.assertNotIn(b"secret", response.body.replace(b"secret.txt", b""))

    def test_other_verbs_are_405(self):
        self.assertEqual(self.ask("/static/hello.txt", method="POST").status, 405)

    def test_descriptors_are_given_back(self):
        self.ask("/static/hello.txt")
        before = self.server.descriptors()
        for _ in range(50):
            self.ask("/static/hello.txt")
            self.ask("/static/large.bin", method="HEAD")
            with self.server.connect() as raw:  # leaves in the middle
                raw.send_request("GET", "/static/large.bin")
                raw.take(100)
        wait_for(lambda: self.server.descriptors() <= before + 2, "descriptors to be closed")


if __name__ == "__main__":
    main()
