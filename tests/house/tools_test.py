#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The house's tools, on small trees and snippets that break each of their rules once."""
import importlib.machinery
import importlib.util
import pathlib
import re
import sys
import tempfile
import unittest

HERE = pathlib.Path(__file__).resolve().parent
TOOLS = HERE.parent.parent / "tools"
sys.path.insert(0, str(TOOLS))
sys.dont_write_bytecode = True


def load(name):
    loader = importlib.machinery.SourceFileLoader(name, str(TOOLS / name))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader(name, loader))
    loader.exec_module(module)
    return module


class Tree(unittest.TestCase):
    """A test with a checkout of its own."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = pathlib.Path(folder.name)

    def put(self, path, text):
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")


class CheckCoroutines(unittest.TestCase):
    def findings(self, name):
        tool = load("check_coroutines")
        text = tool.Text((HERE / name).read_text())
        known = tool.owning_aggregates(text)
        return [(line, why.split(":")[0]) for _, line, why in
                tool.check_text(pathlib.PurePath(name), text, known, False)]

    def test_refuses_every_bad_line_and_no_other(self):
        lines = (HERE / "coroutines_bad.cpp").read_text().splitlines()
        expected = [(number, match[1]) for number, line in enumerate(lines, 1)
                    if (match := re.search(r"// expect: ([\w.]+)", line))]
        self.assertGreater(len(expected), 15)
        self.assertEqual(self.findings("coroutines_bad.cpp"), expected)

    def test_lets_good_code_through(self):
        self.assertEqual(self.findings("coroutines_good.cpp"), [])

    def test_reads_code_blocks_of_documents(self):
        tool = load("check_coroutines")
        with tempfile.TemporaryDirectory() as folder:
            root = pathlib.Path(folder)
            (root / "guide.md").write_text(
                "# Guide\n\n```cpp\nTask<> f() {\n  if (co_await g()) h();\n}\n```\n")
            found = tool.check(root, [pathlib.PurePosixPath("guide.md")])
        self.assertEqual([(str(path), line) for path, line, _ in found], [("guide.md", 5)])


class CheckLayers(Tree):
    def reasons(self, path, text):
        self.put("tools/layers.txt", (TOOLS / "layers.txt").read_text())
        self.put(path, text)
        found = [(line, why) for _, line, why in load("check_layers").check(self.root)]
        (self.root / path).unlink()
        return found

    def refuses(self, path, text, part):
        found = self.reasons(path, text)
        self.assertEqual(len(found), 1, found)
        self.assertIn(part, found[0][1])

    def test_refuses_a_room_above(self):
        self.refuses("src/http/x.cpp", '#include "loop/engine.hpp"\n', "loop is not below")
        self.refuses("include/squall/net/x.hpp", "#include <squall/web.hpp>\n", "web is not below")

    def test_refuses_a_room_beside(self):
        self.refuses("src/http/x.cpp", "#include <squall/coro/task.hpp>\n", "coro is not below")

    def test_refuses_what_is_in_no_room(self):
        self.refuses("src/cellar/x.cpp", "", "no room")
        self.refuses("src/http/y.cpp", '#include "cellar/x.hpp"\n', "no room")

    def test_refuses_private_headers_in_public_ones(self):
        self.refuses("include/squall/http/a.hpp", '#include "http/x.hpp"\n', "public header")

    def test_refuses_foreign_headers_in_public_ones(self):
        for name in ("sys/socket.h", "openssl/ssl.h", "boost/json.hpp", "unistd.h"):
            self.refuses("include/squall/net/a.hpp", f"#include <{name}>\n", "third party")

    def test_refuses_costly_headers_in_public_ones(self):
        for name in ("iostream", "regex", "filesystem", "thread", "future", "ranges", "stop_token",
                     "functional", "memory", "chrono"):
            self.refuses("include/squall/net/a.hpp", f"#include <{name}>\n", "costs too much")
        found = self.reasons("include/squall/testing/a.hpp", "#include <memory>\n")
        self.assertEqual(found, [])

    def test_refuses_json_in_public_ones(self):
        self.refuses("include/squall/web/a.hpp", "#include <squall/json.hpp>\n", "too costly")

    def test_refuses_system_calls_and_clocks_in_protocols(self):
        self.refuses("src/http/a.cpp", "#include <unistd.h>\n", "no system call")
        self.refuses("src/http/a.cpp", "auto t = std::chrono::steady_clock::now();\n", "no clock")

    def test_refuses_gtest_outside_of_tests(self):
        self.refuses("src/loop/a.cpp", "#include <gtest/gtest.h>\n", "outside of tests")

    def test_lets_the_rest_through(self):
        self.put("include/squall/json.hpp", "#include <boost/json.hpp>\n")
        self.put("src/net/a.cpp", "#include <sys/socket.h>\n#include <openssl/ssl.h>\n"
                 '#include "net/a.hpp"\n#include <squall/loop/io_loop.hpp>\n#include <chrono>\n')
        self.put("src/net/a_test.cpp", "#include <gtest/gtest.h>\n")
        self.put("src/http/b_test.cpp", "#include <unistd.h>\n")
        self.put("include/squall/net/d.hpp", "#include <chrono>  // layers-ok: durations\n")
        self.assertEqual(self.reasons("include/squall/web/a.hpp",
                                      "#include <squall/http/method.hpp>\n#include <string>\n"), [])

    def test_refuses_a_table_with_a_cycle(self):
        table = load("check_layers").Table("a: b\nb: a\n")
        self.assertEqual(len(table.errors), 1)


class CheckSize(Tree):
    def test_fails_past_the_wall_and_not_before(self):
        tool = load("check_size")
        for path, wall in (("include/squall/a.hpp", 500), ("src/a/a.cpp", 700),
                           ("src/a/a_test.cpp", 800), ("src/CMakeLists.txt", 150)):
            for lines, status in ((wall, 0), (wall + 1, 1)):
                self.put(path, "\n" * lines)
                sys.argv = ["check_size", "--root", str(self.root)]
                with self.subTest(path=path, lines=lines):
                    self.assertEqual(tool.main(), status)
            (self.root / path).unlink()

    def test_does_not_count_tables(self):
        self.assertIsNone(load("check_size").kind_of(pathlib.PurePath("src/web/mime_table.inc")))


class CheckLimits(Tree):
    def test_compares_both_ways(self):
        self.put("include/squall/base/limits.hpp",
                 "inline constexpr int a = 4 * 1024;\ninline constexpr int b = 10'000;\n"
                 "inline constexpr std::chrono::seconds c{60};\n")
        page = "| `a` | 4 KiB | x |\n| `b` | 10000 | y |\n| `c` | 60 s | z |\n"
        for before, after, count in (("", "", 0), ("4 KiB", "5 KiB", 1), ("`b`", "`d`", 2)):
            self.put("docs/limits.md", page.replace(before, after, 1) if before else page)
            self.assertEqual(len(load("check_limits").check(self.root)), count, after)


class CheckParity(Tree):
    def test_looks_up_every_name(self):
        self.put("include/squall/web/a.hpp", "struct A { void same(); int field; };  // void gone();\n")
        page = ("| Tornado | Squall | differs in |\n|---|---|---|\n| `same(x)` | the same | |\n"
                "| `other` | `A::same`, `{.field = 1}` | `nothing` |\n| `left_out` | – | why |\n")
        for before, after, count in (("", "", 0), ("A::same", "A::gone", 1), (".field", ".none", 1),
                                     ("`same(x)`", "`differs`", 1), ("A::same", "B::same", 1)):
            self.put("docs/parity.md", page.replace(before, after, 1) if before else page)
            self.assertEqual(len(load("check_parity").check(self.root)[0]), count, after)


class CheckWords(Tree):
    def findings(self, path, text):
        self.put(path, text)
        found = load("check_words").check(self.root)
        (self.root / path).unlink()
        return len(found)

    def test_wants_the_licence_line(self):
        self.assertEqual(self.findings("a.cpp", "int a;\n"), 1)
        self.assertEqual(self.findings("a.cpp", "// SPDX-License-Identifier: Apache-2.0\n"), 0)

    def test_refuses_paths_of_one_machine(self):
        for path in ("/ho" "me/ann/x", "/ro" "ot/x", "/wo" "rk/main/x", "/Us" "ers/ann/x"):
            self.assertEqual(self.findings("a.md", f"see {path}\n"), 1, path)
        self.assertEqual(self.findings("a.md", "GET /home HTTP/1.1, http://a.example/home/b/c\n"), 0)

    def test_refuses_package_hosts(self):
        self.assertEqual(self.findings("a.md", "https://registry.np" "mjs.org/x\n"), 1)
        self.assertEqual(self.findings("t/package-lock.json", '"resolved": "x"\n'), 1)

    def test_wants_an_issue_for_what_is_to_do(self):
        self.assertEqual(self.findings("a.md", "TO" "DO: later\n"), 1)
        self.assertEqual(self.findings("a.md", "TO" "DO(#12): later\n"), 0)


if __name__ == "__main__":
    unittest.main()
