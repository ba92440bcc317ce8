# SPDX-License-Identifier: Apache-2.0
"""What the tools code, we decode; what we code, the tools decode. gzip, brotli and zstd are the oracles."""
import os
import random
import shutil
import subprocess
import unittest
import zlib

CODINGS = os.environ.get("SQUALL_CODINGS", "squall_codings")
TOOLS = {
    "gzip": (["gzip", "-c"], ["gzip", "-dc"]),
    "br": (["brotli", "-c"], ["brotli", "-dc"]),
    "zstd": (["zstd", "-q", "-c"], ["zstd", "-q", "-dc"]),
}


def run(command, data, status=0):
    done = subprocess.run(command, input=data, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          timeout=60, check=False)
    if done.returncode != status:
        raise AssertionError(f"{command} ended with {done.returncode}: {done.stderr[:500]!r}")
    return done.stderr if status else done.stdout


def contents():
    noise = random.Random(7)
    words = [b"loop ", b"event ", b"stream ", b"of ", b"the ", b"\r\n", b"socket "]
    yield b""
    yield b"a"
    yield b"".join(noise.choice(words) for _ in range(60_000))
    yield noise.randbytes(300_000)
    yield b"\0" * 900_000


class ToolsTest(unittest.TestCase):
    def test_tools_decode_what_we_code(self):
        for name, (_, decode) in TOOLS.items():
            for content in contents():
                for piece in ("1000000", "4096", "777"):
                    with self.subTest(name=name, size=len(content), piece=piece):
                        coded = run([CODINGS, "encode", name, piece], content)
                        self.assertTrue(run(decode, coded) == content)

    def test_we_decode_what_tools_code(self):
        for name, (encode, _) in TOOLS.items():
            for level in ("-1", "-6", "-9"):
                for content in contents():
                    with self.subTest(name=name, size=len(content), level=level):
                        option = ["-q", level[1:]] if name == "br" else [level]
                        coded = run(encode + option, content)
                        for piece in ("1000000", "1", "100"):
                            self.assertTrue(run([CODINGS, "decode", name, piece], coded) == content)

    def test_deflate_is_the_zlib_format(self):
        for content in contents():
            self.assertTrue(zlib.decompress(run([CODINGS, "encode", "deflate"], content)) == content)
            coded = zlib.compress(content)
            self.assertTrue(run([CODINGS, "decode", "deflate", "10"], coded) == content)
        raw = zlib.compressobj(wbits=-15)
        run([CODINGS, "decode", "deflate"], raw.compress(b"text" * 100) + raw.flush(), status=1)

    def test_members_that_tools_put_together(self):
        for name, (encode, _) in TOOLS.items():
            if name == "br":
                continue
            coded = run(encode, b"one ") + run(encode, b"two")
            self.assertEqual(run([CODINGS, "decode", name, "3"], coded), b"one two")

    def test_zstd_with_a_large_window_is_refused(self):
        content = random.Random(1).randbytes(10_000_000)
        self.assertIn(b"window too large",
                      run([CODINGS, "decode", "zstd"], run(["zstd", "-c", "--long=27"], content), 1))
        coded = run(["zstd", "-q", "-c", "--long=23"], content)
        self.assertTrue(run([CODINGS, "decode", "zstd"], coded) == content)


if __name__ == "__main__":
    missing = [tool for tool in ("gzip", "brotli", "zstd") if not shutil.which(tool)]
    assert not missing, missing
    unittest.main()
