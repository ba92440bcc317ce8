# SPDX-License-Identifier: Apache-2.0
"""Requests that must be refused: what is wrong, the bytes, the status (RFC 9110, RFC 9112)."""

MAX_BODY = 64 * 1024  # of the server under test

HOST = b"Host: a\r\n"


def line(text):
    """A request that is good but for its request line."""
    return text + b"\r\n" + HOST + b"\r\n"


def fields(text, method=b"GET", path=b"/hello"):
    """A request that is good but for what `text` adds to its fields, and has after them."""
    return method + b" " + path + b" HTTP/1.1\r\n" + HOST + text


def post(text):
    return fields(text, b"POST", b"/echo")


def chunked(body):
    return post(b"Transfer-Encoding: chunked\r\n\r\n" + body)


REQUEST_LINES = [  # RFC 9112 section 3
    ("no target", line(b"GET HTTP/1.1"), 400),
    ("no version (HTTP/0.9)", line(b"GET /hello"), 400),
    ("nothing but a method", line(b"GET"), 400),
    ("two spaces before the target", line(b"GET  /hello HTTP/1.1"), 400),
    ("two spaces before the version", line(b"GET /hello  HTTP/1.1"), 400),
    ("a tab for a space", line(b"GET\t/hello HTTP/1.1"), 400),
    ("a tab before the version", line(b"GET /hello\tHTTP/1.1"), 400),
    ("a space after the version", line(b"GET /hello HTTP/1.1 "), 400),
    ("a space before the method", line(b" GET /hello HTTP/1.1"), 400),
    ("a space in the target", line(b"GET /he llo HTTP/1.1"), 400),
    ("a version in small letters", line(b"GET /hello http/1.1"), 400),
    ("another protocol", line(b"GET /hello ICY/1.1"), 400),
    ("HTTPS for HTTP", line(b"GET /hello HTTPS/1.1"), 400),
    ("a version without a minor", line(b"GET /hello HTTP/1"), 400),
    ("a version with two digits", line(b"GET /hello HTTP/1.10"), 400),
    ("a version with a leading zero", line(b"GET /hello HTTP/01.1"), 400),
    ("a version with a sign", line(b"GET /hello HTTP/+1.1"), 400),
    ("a version of letters", line(b"GET /hello HTTP/a.b"), 400),
    ("HTTP/0.9 by name", line(b"GET /hello HTTP/0.9"), 505),
    ("HTTP/2.0", line(b"GET /hello HTTP/2.0"), 505),
    ("HTTP/3.0", line(b"GET /hello HTTP/3.0"), 505),
    ("HTTP/9.9", line(b"GET /hello HTTP/9.9"), 505),
    ("the preface of HTTP/2", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505),
    ("a method with a slash", line(b"GE/T /hello HTTP/1.1"), 400),
    ("a method with a colon", line(b"GET: /hello HTTP/1.1"), 400),
    ("a method with quotes", line(b"\"GET\" /hello HTTP/1.1"), 400),
    ("a method with a NUL", line(b"G\0T /hello HTTP/1.1"), 400),
    ("a method of UTF-8", line("GÉT /hello HTTP/1.1".encode()), 400),
    ("a method that is not there", line(b"BREW /hello HTTP/1.1"), 501),
    ("a method in small letters", line(b"get /hello HTTP/1.1"), 501),
    ("a very long method", line(b"A" * 500 + b" /hello HTTP/1.1"), 400),
    ("CONNECT", line(b"CONNECT wire.example:443 HTTP/1.1"), 501),
    ("a TLS hello", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\xab" * 300, 400),
    ("an SSH banner", b"SSH-2.0-OpenSSH_9.2\r\n", 400),
    ("binary noise", bytes(range(128, 256)) * 4, 400),
    ("NULs", b"\0" * 64, 400),
    ("a SOCKS greeting", b"\x05\x01\x00\x0d\x0a\x0d\x0a", 400),
    ("a memcached command", b"stats\r\nstats\r\n", 400),
    ("a redis command", b"*1\r\n$4\r\nPING\r\n", 400),
    ("two empty lines first", b"\r\n\r\n" + fields(b"\r\n"), 400),
    ("a line without end", b"GET /" + b"a" * 20_000, 414),
    ("a target of 20 kB", line(b"GET /" + b"a" * 20_000 + b" HTTP/1.1"), 414),
    ("a query of 40 kB", line(b"GET /hello?" + b"a" * 40_000 + b" HTTP/1.1"), 414),
]

LINE_ENDS = [  # RFC 9112 section 2.2
    ("bare LF after the request line", b"GET /hello HTTP/1.1\n" + HOST + b"\r\n", 400),
    ("bare LF after a field", b"GET /hello HTTP/1.1\r\nHost: a\n\r\n", 400),
    ("bare LF as the empty line", b"GET /hello HTTP/1.1\r\nHost: a\r\n\n", 400),
    ("nothing but bare LF", b"GET /hello HTTP/1.1\nHost: a\n\n", 400),
    ("bare CR after the request line", b"GET /hello HTTP/1.1\rHost: a\r\n\r\n", 400),
    ("bare CR after a field", fields(b"B: c\rD: e\r\n\r\n"), 400),
    ("CR CR LF", fields(b"B: c\r\r\n\r\n"), 400),
    ("bare CR in a value", fields(b"B: c\rd\r\n\r\n"), 400),
    ("bare LF in a name", fields(b"B\nC: d\r\n\r\n"), 400),
    ("a leading bare LF", b"\n" + fields(b"\r\n"), 400),
    ("a leading bare CR", b"\rG" + fields(b"\r\n"), 400),
    ("a length behind a bare LF", post(b"Content-Length: 5\nX: y\r\n\r\nhello"), 400),
]

TARGETS = [  # RFC 9112 section 3.2, RFC 3986
    ("a relative target", line(b"GET hello HTTP/1.1"), 400),
    ("only a query", line(b"GET ?a=b HTTP/1.1"), 400),
    ("an asterisk for GET", line(b"GET * HTTP/1.1"), 400),
    ("a fragment", line(b"GET /hello#top HTTP/1.1"), 400),
    ("a NUL in the target", line(b"GET /he\0llo HTTP/1.1"), 400),
    ("a DEL in the target", line(b"GET /he\x7fllo HTTP/1.1"), 400),
    ("an escape sequence in the target", line(b"GET /\x1b[31m HTTP/1.1"), 400),
    ("half an escape", line(b"GET /%4 HTTP/1.1"), 400),
    ("an escape without digits", line(b"GET /%zz HTTP/1.1"), 400),
    ("an escape at the end", line(b"GET /% HTTP/1.1"), 400),
    ("an authority for GET", line(b"GET wire.example:80 HTTP/1.1"), 400),
    ("an absolute target without a host", line(b"GET http:///hello HTTP/1.1"), 400),
    ("an absolute target with user info", line(b"GET http://me:pw@a/hello HTTP/1.1"), 400),
    ("an absolute target of another scheme", line(b"GET ftp://a/hello HTTP/1.1"), 400),
    ("an absolute target with a bad port", line(b"GET http://a:70000/hello HTTP/1.1"), 400),
    ("an absolute target with half an address", line(b"GET http://[::1/hello HTTP/1.1"), 400),
    ("CONNECT without a port", line(b"CONNECT wire.example HTTP/1.1"), 400),
    ("CONNECT to a path", line(b"CONNECT /hello HTTP/1.1"), 400),
]

HOSTS = [  # RFC 9112 section 3.2
    ("no Host", b"GET /hello HTTP/1.1\r\n\r\n", 400),
    ("an empty Host", b"GET /hello HTTP/1.1\r\nHost:\r\n\r\n", 400),
    ("two Hosts", fields(b"Host: b\r\n\r\n"), 400),
    ("the same Host twice", fields(b"Host: a\r\n\r\n"), 400),
    ("a list of Hosts", b"GET /hello HTTP/1.1\r\nHost: a, b\r\n\r\n", 400),
    ("a Host with a path", b"GET /hello HTTP/1.1\r\nHost: a/b\r\n\r\n", 400),
    ("a Host with a scheme", b"GET /hello HTTP/1.1\r\nHost: http://a\r\n\r\n", 400),
    ("a Host with user info", b"GET /hello HTTP/1.1\r\nHost: me@a\r\n\r\n", 400),
    ("a Host with a space", b"GET /hello HTTP/1.1\r\nHost: a b\r\n\r\n", 400),
    ("a Host with a bad port", b"GET /hello HTTP/1.1\r\nHost: a:http\r\n\r\n", 400),
    ("a Host with a port too large", b"GET /hello HTTP/1.1\r\nHost: a:65536\r\n\r\n", 400),
    ("a Host that is half an address", b"GET /hello HTTP/1.1\r\nHost: [::1\r\n\r\n", 400),
    ("two Hosts in HTTP/1.0", b"GET /hello HTTP/1.0\r\nHost: a\r\nHost: b\r\n\r\n", 400),
]

FIELDS = [  # RFC 9112 section 5, RFC 9110 section 5
    ("a space before the colon", fields(b"B : c\r\n\r\n"), 400),
    ("a tab before the colon", fields(b"B\t: c\r\n\r\n"), 400),
    ("a space before the colon of a length", post(b"Content-Length : 0\r\n\r\n"), 400),
    ("no colon", fields(b"B\r\n\r\n"), 400),
    ("no name", fields(b": c\r\n\r\n"), 400),
    ("a space in a name", fields(b"B C: d\r\n\r\n"), 400),
    ("brackets in a name", fields(b"B[0]: d\r\n\r\n"), 400),
    ("UTF-8 in a name", fields("É: d\r\n\r\n".encode()), 400),
    ("a NUL in a name", fields(b"B\0: d\r\n\r\n"), 400),
    ("a NUL in a value", fields(b"B: c\0d\r\n\r\n"), 400),
    ("a control character in a value", fields(b"B: c\x01d\r\n\r\n"), 400),
    ("an escape sequence in a value", fields(b"B: \x1b[31m\r\n\r\n"), 400),
    ("a DEL in a value", fields(b"B: c\x7f\r\n\r\n"), 400),
    ("a folded line", fields(b"B: c\r\n d\r\n\r\n"), 400),
    ("a line folded by a tab", fields(b"B: c\r\n\td\r\n\r\n"), 400),
    ("a folded coding", post(b"Transfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n"), 400),
    ("white space before the first field", b"GET /hello HTTP/1.1\r\n Host: a\r\n\r\n", 400),
    ("a request line as a field", fields(b"GET /hello HTTP/1.1\r\n\r\n"), 400),
    ("101 fields", fields(b"".join(b"B%d: c\r\n" % i for i in range(100)) + b"\r\n"), 431),
    ("a field of 70 kB", fields(b"B: " + b"c" * 70_000 + b"\r\n\r\n"), 431),
    ("a name of 70 kB", fields(b"B" * 70_000 + b": c\r\n\r\n"), 431),
    ("70 kB of fields", fields(b"".join(b"B%d: %s\r\n" % (i, b"c" * 1000) for i in range(70))
                               + b"\r\n"), 431),
    ("a field without end", fields(b"B: " + b"c" * 70_000), 431),
]

LENGTHS = [  # RFC 9112 section 6
    ("a negative length", post(b"Content-Length: -1\r\n\r\n"), 400),
    ("a length with a sign", post(b"Content-Length: +5\r\n\r\nhello"), 400),
    ("a hexadecimal length", post(b"Content-Length: 0x5\r\n\r\nhello"), 400),
    ("a length with a point", post(b"Content-Length: 5.0\r\n\r\nhello"), 400),
    ("a length of letters", post(b"Content-Length: five\r\n\r\nhello"), 400),
    ("an empty length", post(b"Content-Length:\r\n\r\n"), 400),
    ("a length with a space in it", post(b"Content-Length: 1 0\r\n\r\n"), 400),
    ("a length of other digits", post("Content-Length: ٥\r\n\r\nhello".encode()), 400),
    ("two lengths that differ", post(b"Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello!"), 400),
    ("a list of lengths that differ", post(b"Content-Length: 5, 6\r\n\r\nhello!"), 400),
    ("a list with a hole", post(b"Content-Length: 5,\r\n\r\nhello"), 400),
    ("a bad length of GET", fields(b"Content-Length: x\r\n\r\n"), 400),
    ("a length past the limit", post(b"Content-Length: %d\r\n\r\n" % (MAX_BODY + 1)), 413),
    ("a length past 2^63", post(b"Content-Length: 9223372036854775808\r\n\r\n"), 413),
    ("a length past 2^64", post(b"Content-Length: 18446744073709551617\r\n\r\n"), 413),
    ("a length of 100 digits", post(b"Content-Length: " + b"9" * 100 + b"\r\n\r\n"), 413),
    ("length and chunks", post(b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n"
                               b"0\r\n\r\n"), 400),
    ("chunks and length", post(b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n"
                               b"0\r\n\r\n"), 400),
    ("an empty coding", post(b"Transfer-Encoding:\r\n\r\n"), 400),
    ("chunked twice", post(b"Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n"), 400),
    ("chunked in two fields", post(b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n"
                                   b"\r\n0\r\n\r\n"), 400),
    ("chunked and then gzip", post(b"Transfer-Encoding: chunked, gzip\r\n\r\n0\r\n\r\n"), 400),
    ("only gzip", post(b"Transfer-Encoding: gzip\r\n\r\n"), 400),
    ("identity", post(b"Transfer-Encoding: identity\r\n\r\n"), 400),
    ("a coding with a quote", post(b"Transfer-Encoding: \"chunked\"\r\n\r\n0\r\n\r\n"), 400),
    ("chunked with a parameter", post(b"Transfer-Encoding: chunked;a=b\r\n\r\n0\r\n\r\n"), 400),
    ("almost chunked", post(b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n"), 400),
    ("chunked behind a vertical tab", post(b"Transfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n"), 400),
    ("gzip before chunked", post(b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n"), 501),
    ("chunks in HTTP/1.0", b"POST /echo HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n"
                           b"0\r\n\r\n", 400),
    ("an unknown expectation", post(b"Expect: a-miracle\r\nContent-Length: 0\r\n\r\n"), 417),
    ("two expectations", post(b"Expect: 100-continue, more\r\nContent-Length: 0\r\n\r\n"), 417),
]

CHUNKS = [  # RFC 9112 section 7.1
    ("no size", chunked(b"\r\nhello\r\n0\r\n\r\n"), 400),
    ("a size of letters", chunked(b"five\r\nhello\r\n0\r\n\r\n"), 400),
    ("a negative size", chunked(b"-5\r\nhello\r\n0\r\n\r\n"), 400),
    ("a size with a sign", chunked(b"+5\r\nhello\r\n0\r\n\r\n"), 400),
    ("a size with 0x", chunked(b"0x5\r\nhello\r\n0\r\n\r\n"), 400),
    ("white space before the size", chunked(b" 5\r\nhello\r\n0\r\n\r\n"), 400),
    ("white space after the size", chunked(b"5 \r\nhello\r\n0\r\n\r\n"), 400),
    ("bare LF after the size", chunked(b"5\nhello\r\n0\r\n\r\n"), 400),
    ("bare CR after the size", chunked(b"5\rhello\r\n0\r\n\r\n"), 400),
    ("bare LF in an extension", chunked(b"5;a\nhello\r\n0\r\n\r\n"), 400),
    ("a NUL in an extension", chunked(b"5;\0\r\nhello\r\n0\r\n\r\n"), 400),
    ("data that is too long", chunked(b"5\r\nhello!\r\n0\r\n\r\n"), 400),
    ("data that is too short", chunked(b"5\r\nhell\r\n0\r\n\r\n"), 400),
    ("no CRLF after the data", chunked(b"5\r\nhello0\r\n\r\n"), 400),
    ("bare LF after the data", chunked(b"5\r\nhello\n0\r\n\r\n"), 400),
    ("bare LF at the end", chunked(b"0\r\n\n"), 400),
    ("a size past 2^64", chunked(b"10000000000000005\r\nhello\r\n0\r\n\r\n"), 400),
    ("a size with many zeros", chunked(b"0" * 40 + b"5\r\nhello\r\n0\r\n\r\n"), 400),
    ("an extension of 5 kB", chunked(b"5;" + b"e" * 5000 + b"\r\nhello\r\n0\r\n\r\n"), 400),
    ("a trailer without a colon", chunked(b"0\r\nB\r\n\r\n"), 400),
    ("a trailer with a space", chunked(b"0\r\nB : c\r\n\r\n"), 400),
    ("a folded trailer", chunked(b"0\r\nB: c\r\n d\r\n\r\n"), 400),
    ("a NUL in a trailer", chunked(b"0\r\nB: \0\r\n\r\n"), 400),
    ("bare LF in a trailer", chunked(b"0\r\nB: c\n\r\n"), 400),
    ("101 trailers", chunked(b"0\r\n" + b"".join(b"B%d: c\r\n" % i for i in range(101)) + b"\r\n"),
     431),
    ("a trailer of 20 kB", chunked(b"0\r\nB: " + b"c" * 20_000 + b"\r\n\r\n"), 431),
    ("chunks past the limit", chunked(b"%x\r\n%s\r\n0\r\n\r\n" % (MAX_BODY + 1, b"d" * (MAX_BODY + 1))),
     413),
    ("small chunks past the limit", chunked(b"1000\r\n%s\r\n" % (b"d" * 4096) * 20 + b"0\r\n\r\n"),
     413),
]

REFUSED = (REQUEST_LINES + LINE_ENDS + TARGETS + HOSTS + FIELDS + LENGTHS + CHUNKS)
