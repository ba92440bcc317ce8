# SPDX-License-Identifier: Apache-2.0
"""<squall/escape.hpp> against Tornado's escape module and Python's html."""
import html
import html.entities
import os
import random
import subprocess
import sys
import unittest

try:
    from tornado import escape
except ImportError:
    print("skipped: there is no python3-tornado")
    sys.exit(77)

TOOL = os.environ["SQUALL_ESCAPE_TOOL"]
random.seed(20261127)


def ours(function, texts):
    done = subprocess.run([TOOL, function], input="".join(text + "\0" for text in texts).encode(),
                          stdout=subprocess.PIPE, check=True, timeout=60)
    return done.stdout.decode().split("\0")[:-1]


def sentences(pieces, count=3000):
    return ["".join(random.choices(pieces, k=random.randint(1, 9))) for _ in range(count)]


TEXTS = sentences(["a", "Z", " ", "\t", "\n", "&", "<", ">", '"', "'", "é", "€", "😀", "/", "?", "=",
                   "%", "%41", "%c3%a9", "+", "~", "-", "_", ".", ";", "#"])
# A scheme has a host behind it: of "http://)" Tornado makes a link, which leads nowhere.
LINKED = sentences(["http://a.com", "https://example.org:8080/path", "ftp://a.com/file.txt", "www.b.org",
                    "javascript:alert", "mailto:ann", "/x", "/path/to/it.html", "?q=1", "&r=2", "(", ")",
                    "(c)", ".", ",", "!", " ", " ", "see", "é", '"', "'", "<b>", "-", ":", "#top"])
NAMES = list(html.entities.html5)
REFERENCES = (["&" + name for name in NAMES] + ["&" + name.rstrip(";") + "x" for name in NAMES] +
              [f"&#{number}; &#x{number:x}" for number in list(range(0x20, 0x7f)) +
               list(range(0x80, 0xa0)) + [0x20ac, 0xd800, 0x1f600, 0x10ffff + 1]])


def linkify(text, **options):
    return escape.linkify(text, **options).replace("&#39;", "&#x27;")  # older versions wrote that


class Escape(unittest.TestCase):
    maxDiff = None

    def compare(self, function, texts, theirs):
        for text, got in zip(texts, ours(function, texts), strict=True):
            self.assertEqual(theirs(text), got, repr(text))

    def test_html(self):
        self.compare("xhtml_escape", TEXTS, html.escape)
        self.compare("xhtml_unescape", TEXTS, html.unescape)

    def test_character_references(self):
        # Python drops what a browser keeps: U+0081 and its like.
        kept = [text for text in REFERENCES if html.unescape(text).strip()]
        self.assertGreater(len(kept), 4000)
        self.compare("xhtml_unescape", kept, html.unescape)

    def test_urls(self):
        self.compare("url_escape", TEXTS, escape.url_escape)
        self.compare("url_escape_path", TEXTS, lambda text: escape.url_escape(text, plus=False))
        self.compare("url_unescape", TEXTS, escape.url_unescape)
        self.compare("url_unescape_path", TEXTS, lambda text: escape.url_unescape(text, plus=False))

    def test_squeeze(self):
        self.compare("squeeze", TEXTS, escape.squeeze)

    def test_linkify(self):
        self.compare("linkify", LINKED, linkify)
        self.compare("linkify_strict", LINKED, lambda text: linkify(
            text, require_protocol=True, permitted_protocols=["http", "ftp"]))

    def test_shortened_links(self):
        # Tornado counts the characters of references.
        texts = [text for text in LINKED if not set(text) & set("&\"'<>")]
        self.compare("linkify_shorten", texts, lambda text: linkify(text, shorten=True))


if __name__ == "__main__":
    unittest.main()
