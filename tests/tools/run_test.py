#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The `squall` command without --watch: run, new and routes; in CMake's projects, and on what is wrong."""
import json
import os
import subprocess
import unittest

from squall_command import COMMAND, DEADLINE, PROGRAM, Project
from squall_wire import main

LISTS = "cmake_minimum_required(VERSION 3.25)\nproject(shop LANGUAGES CXX)\n"
TELL = """#include <cstdio>
int main(int argc, char** argv) { for (int i = 0; i < argc; ++i) std::puts(argv[i]); return 3; }
"""


def run(*arguments, folder="/"):
    return subprocess.run([COMMAND, *arguments], cwd=folder, capture_output=True, text=True,
                          timeout=6 * DEADLINE, stdin=subprocess.DEVNULL, check=False)


class CommandTest(unittest.TestCase):
    def expect_complaint(self, text, *arguments, folder="/"):
        done = run(*arguments, folder=folder)
        self.assertEqual((done.returncode, done.stderr.splitlines()[-1]), (2, text), done)

    def test_help_and_version(self):
        for arguments in (["--help"], ["help"]):
            done = run(*arguments)
            self.assertEqual((done.returncode, done.stderr), (0, ""))
            self.assertIn("\n  run  ", done.stdout)
        self.assertRegex(run("--version").stdout, r"^squall \d+\.\d+\.\d+\n$")
        done = run("run", "--help")
        self.assertEqual(done.returncode, 0)
        for option in ("--watch", "--build", "--path", "--port", "--address"):
            self.assertIn(option, done.stdout)

    def test_what_is_wrong_is_one_line_and_two(self):
        self.expect_complaint("squall: a command is missing; see squall --help")
        self.expect_complaint("squall: unknown command walk; see squall --help", "walk")
        self.expect_complaint("squall: --build needs the PROGRAM that it builds; see squall run --help",
                              "run", "--build", "make")
        with Project() as project:
            self.expect_complaint(
                "squall: a PROGRAM is missing, and there is no CMakeLists.txt here that makes one; "
                "see squall run --help", "run", folder=project.folder)
            done = run("run", "--watch", "--path", "nowhere", "--", "true", folder=project.folder)
            self.assertEqual((done.returncode, done.stderr),
                             (1, 'squall: cannot watch "nowhere": No such file or directory\n'))
            done = run("run", "./nothing", folder=project.folder)
            self.assertEqual((done.returncode, done.stderr),
                             (1, 'squall: cannot run "./nothing": No such file or directory\n'))

    def test_a_program_gets_its_arguments_and_its_exit_code_is_ours(self):
        with Project() as project:
            done = run("run", "--", "sh", "-c", 'echo "$0 $1"; exit 7', "--watch", "two words",
                       folder=project.folder)
        self.assertEqual((done.returncode, done.stdout), (7, "--watch two words\n"))

    def test_the_one_executable_of_a_project_is_built_and_run(self):
        with Project() as project:
            project.write("tell.cpp", TELL)
            project.write("CMakeLists.txt", LISTS + "add_executable(tell tell.cpp)\n")
            done = run("run", folder=project.folder)
            self.assertEqual((done.returncode, done.stdout.splitlines()[-1]), (3, "build/tell"), done)
            done = run("run", "tell", "--fast", folder=project.folder)
            self.assertEqual((done.returncode, done.stdout.splitlines()[-1]), (3, "--fast"), done)

            # Of several, the one that is called as the project, or the one that is named.
            project.write("CMakeLists.txt", LISTS + "add_executable(tell tell.cpp)\nadd_executable(ask tell.cpp)\n")
            self.expect_complaint(
                "squall: the project makes several executables: name one of ask, tell; see squall run --help",
                "run", folder=project.folder)
            done = run("run", "ask", folder=project.folder)
            self.assertEqual((done.returncode, done.stdout.splitlines()[-1]), (3, "build/ask"), done)

            project.write("tell.cpp", "int main() { return nothing; }\n")
            done = run("run", "tell", folder=project.folder)
            self.assertNotEqual(done.returncode, 0)
            self.assertIn("'nothing' was not declared", done.stderr.replace("‘", "'").replace("’", "'"))

    def test_a_new_project_has_its_name_and_overwrites_nothing(self):
        with Project() as project:
            done = run("new", "web-shop/", folder=project.folder)
            self.assertEqual((done.returncode, done.stderr), (0, ""))
            for name in ("CMakeLists.txt", "src/app.cpp", "public/index.html", "tests/app_test.cpp",
                         "deploy/web-shop.service", "Dockerfile", ".gitignore"):
                with open(project.path(f"web-shop/{name}"), encoding="utf-8") as file:
                    self.assertNotIn("@NAME@", file.read(), name)
            done = run("new", "web-shop", folder=project.folder)
            self.assertEqual((done.returncode, done.stderr),
                             (1, "squall: web-shop is there already, and is no empty folder\n"))
            for name in ("Shop", "1shop", "a b", "test", "a" * 41, ".."):
                done = run("new", name, folder=project.folder)
                self.assertEqual(done.returncode, 2, done)
                self.assertIn("is no name for a project", done.stderr)
            self.assertEqual(os.listdir(project.folder), ["web-shop"])

    def test_routes_are_listed_without_listening(self):
        with Project() as project:
            project.write("answer", "text")
            # A port that nobody may have: it is not bound.
            program = (PROGRAM, "1", project.path("answer"))
            done = run("routes", *program)
            self.assertEqual((done.returncode, done.stderr), (0, ""))
            self.assertIn(["GET", "/api", "function"], [line.split() for line in done.stdout.splitlines()])
            done = run("routes", "--json", *program)
            routes = [json.loads(line) for line in done.stdout.splitlines()]
            self.assertEqual([(route["methods"], route["pattern"]) for route in routes][:2],
                             [(["GET"], "/strict"), (["GET"], "/")])
            done = run("routes", "--json", PROGRAM, "0", project.path("answer"), "fork")
            self.assertEqual([json.loads(line)["pattern"] for line in done.stdout.splitlines()],
                             [route["pattern"] for route in routes], done)
            project.write("answer", "throw")
            done = run("routes", *program)
            self.assertEqual((done.returncode, done.stderr.splitlines()[-1]),
                             (1, f'squall: "{PROGRAM}" has failed'))
        done = run("routes", "--timeout=100ms", "sleep", "60")
        self.assertEqual(done.returncode, 1)
        self.assertIn("has not called listen() within 100ms", done.stderr)


if __name__ == "__main__":
    main()
