# SPDX-License-Identifier: Apache-2.0
"""What the tests of this folder share: questions to squall_locale_tool."""
import os
import subprocess

TOOL = os.environ.get("SQUALL_LOCALE_TOOL", "squall_locale_tool")


def ask(kind, directory, argument, questions, default="en_US"):
    """The answers to questions, each a list of words, of translations loaded from there."""
    text = "".join(" ".join("x" + str(word).encode().hex() for word in question) + "\n"
                   for question in questions)
    done = subprocess.run([TOOL, kind, directory, argument, default], input=text.encode(),
                          capture_output=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    answers = [bytes.fromhex(line[1:]).decode() for line in done.stdout.decode().splitlines()]
    assert len(answers) == len(questions), done.stderr
    return answers
