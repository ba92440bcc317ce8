#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The `squall` command and `squall run` without --watch: in CMake's projects, and on what is wrong."""
import subprocess
import unittest

from squall_command import COMMAND, DEADLINE, Project
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
            self.assertIn("'nothing' was not declared", done.stdout.replace("‘", "'").replace("’", "'"))


if __name__ == "__main__":
    main()
