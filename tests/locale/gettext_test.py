# SPDX-License-Identifier: Apache-2.0
"""Catalogues that msgfmt makes, as we and as Python's gettext module read them."""
import gettext
import os
import shutil
import subprocess
import sys
import tempfile
import unittest

from locale_tool import ask

# By language: Plural-Forms as their catalogues have it.
RULES = {
    "ja": "nplurals=1; plural=0;",
    "de": "nplurals=2; plural=n != 1;",
    "fr": "nplurals=2; plural=n>1;",
    "pt_BR": "nplurals=2; plural=(n > 1);",
    "lv": "nplurals=3; plural=n%10==1 && n%100!=11 ? 0 : n != 0 ? 1 : 2;",
    "ga": "nplurals=5; plural=n==1 ? 0 : n==2 ? 1 : n<7 ? 2 : n<11 ? 3 : 4;",
    "gd": "nplurals=4; plural=(n==1 || n==11) ? 0 : (n==2 || n==12) ? 1 : (n > 2 && n < 20) ? 2 : 3;",
    "ro": "nplurals=3; plural=n==1 ? 0 : (n==0 || (n%100 > 0 && n%100 < 20)) ? 1 : 2;",
    "lt": "nplurals=3; plural=n%10==1 && n%100!=11 ? 0 : n%10>=2 && (n%100<10 || n%100>=20) ? 1 : 2;",
    "ru": "nplurals=3; plural=n%10==1 && n%100!=11 ? 0 : n%10>=2 && n%10<=4 && "
          "(n%100<10 || n%100>=20) ? 1 : 2;",
    "cs": "nplurals=3; plural=(n==1) ? 0 : (n>=2 && n<=4) ? 1 : 2;",
    "pl": "nplurals=3; plural=n==1 ? 0 : n%10>=2 && n%10<=4 && (n%100<12 || n%100>14) ? 1 : 2;",
    "sl": "nplurals=4; plural=n%100==1 ? 0 : n%100==2 ? 1 : n%100==3 || n%100==4 ? 2 : 3;",
    "ar": "nplurals=6; plural=n==0 ? 0 : n==1 ? 1 : n==2 ? 2 : n%100>=3 && n%100<=10 ? 3 : "
          "n%100>=11 ? 4 : 5;",
    "cy": "nplurals=4; plural=(n==1) ? 0 : (n==2) ? 1 : (n != 8 && n != 11) ? 2 : 3;",
    "is": "nplurals=2; plural=(n%10!=1 || n%100==11);",
    "mk": "nplurals=2; plural= n==1 || n%10==1 ? 0 : 1;",
    "mt": "nplurals=4; plural=(n==1 ? 0 : n==0 || ( n%100>1 && n%100<11) ? 1 : "
          "(n%100>10 && n%100<20 ) ? 2 : 3);",
    "xa": "nplurals=4; plural=n*3/2%4;",
    "xb": "nplurals=3; plural=!n ? 0 : !(n == 1) ? 1 : 2;",
    "xc": "nplurals=2; plural=n<3 == 1 != 0;",
}
COUNTS = [*range(0, 230), 999, 1000, 1001, 1002, 1011, 1111, 123456789, 10**15]


def catalogue(code, rule):
    forms = int(rule.split("=")[1].split(";")[0])
    lines = ['msgid ""', 'msgstr ""', f'"Language: {code}\\n"',
             '"Content-Type: text/plain; charset=UTF-8\\n"',
             '"Content-Transfer-Encoding: 8bit\\n"', f'"Plural-Forms: {rule}\\n"']

    def message(texts, plural, context=None):
        lines.append("")
        if context:
            lines.append(f'msgctxt "{context}"')
        lines.append(f'msgid "{texts}"')
        if plural:
            lines.append(f'msgid_plural "{plural}"')
            for form in range(forms):
                lines.append(f'msgstr[{form}] "{context or ""} ünf{form}"')
        else:
            lines.append(f'msgstr "{texts} → {code} {context or ""}"')
    message("Hello", None)
    message("two\\nlines \\\"quoted\\\"", None)
    message("right", None, "law")
    message("right", None, "good")
    message("club", "clubs")
    message("club", "clubs", "stick")
    message("only in context", "onlies", "here")
    for number in range(300):
        message(f"message {number}", None)
    lines += ["", '#, fuzzy', 'msgid "fuzzy"', 'msgstr "unsure"', "", 'msgid "empty"', 'msgstr ""']
    return "\n".join(lines) + "\n"


class GettextTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.mkdtemp()
        for endianness in ("little", "big"):
            for code, rule in RULES.items():
                place = os.path.join(cls.folder, endianness, code, "LC_MESSAGES")
                os.makedirs(place)
                cls.msgfmt(catalogue(code, rule), os.path.join(place, "app.mo"), endianness)

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.folder)

    @staticmethod
    def msgfmt(text, file, endianness="little", *arguments):
        subprocess.run(["msgfmt", f"--endianness={endianness}", "-o", file, *arguments, "-"],
                       input=text.encode(), check=True, timeout=60, stderr=subprocess.DEVNULL)

    def compare(self, ask_python):
        """Asks both about each catalogue; `ask_python` gives questions and Python's answers."""
        for endianness in ("little", "big"):
            directory = os.path.join(self.folder, endianness)
            for code in RULES:
                questions, expected = ask_python(code, gettext.translation("app", directory, [code]))
                answers = ask("gettext", directory, "app", questions)
                for question, ours, theirs in zip(questions, answers, expected):
                    self.assertEqual(ours, theirs, (endianness, question))
                self.assertTrue(any("ünf" in text or "→" in text for text in expected))

    def test_plural_forms_are_those_of_python(self):
        def ask_python(code, theirs):
            questions, expected = [], []
            for count in COUNTS:
                questions.append(["plural", code, "club", "clubs", count])
                expected.append(theirs.ngettext("club", "clubs", count))
                questions.append(["npgettext", code, "stick", "club", "clubs", count])
                expected.append(theirs.npgettext("stick", "club", "clubs", count))
            return questions, expected
        self.compare(ask_python)

    def test_messages_are_those_of_python(self):
        def ask_python(code, theirs):
            messages = ["Hello", 'two\nlines "quoted"', "right", "not there", "fuzzy", "empty",
                        "club x", *(f"message {n}" for n in range(0, 310, 7))]
            questions = [["translate", code, message] for message in messages]
            expected = [theirs.gettext(message) for message in messages]
            for context, message in (("law", "right"), ("good", "right"), ("bad", "right"),
                                     ("law", "Hello"), ("", "Hello")):
                questions.append(["pgettext", code, context, message])
                expected.append(theirs.pgettext(context, message))
            return questions, expected
        self.compare(ask_python)

    def test_what_python_refuses_is_refused_and_the_rest_loaded(self):
        directory = os.path.join(self.folder, "bad")
        for code, text in {
                "de": catalogue("de", RULES["de"]),
                "xd": catalogue("xd", "nplurals=2; plural=n &&;"),
                "xe": catalogue("xe", "nplurals=2; plural=(n != 1;"),
        }.items():
            place = os.path.join(directory, code, "LC_MESSAGES")
            os.makedirs(place)
            self.msgfmt(text, os.path.join(place, "app.mo"))
        for code in ("xd", "xe"):
            with self.assertRaises(ValueError):
                gettext.translation("app", directory, [code])
        errors, hello = ask("gettext", directory, "app", [["errors"], ["translate", "de", "Hello"]])
        self.assertEqual(len(errors.splitlines()), 2, errors)
        self.assertIn("plural expression", errors)
        self.assertIn("→", hello)

    def test_another_charset_is_refused_with_what_to_do(self):
        place = os.path.join(self.folder, "latin", "de", "LC_MESSAGES")
        os.makedirs(place)
        text = catalogue("de", RULES["de"]).replace("→", "").replace("UTF-8", "ISO-8859-1")
        subprocess.run(["msgfmt", "-o", os.path.join(place, "app.mo"), "-"], check=True, timeout=60,
                       input=text.encode("latin-1"))
        (errors,) = ask("gettext", os.path.join(self.folder, "latin"), "app", [["errors"]])
        self.assertIn('app.mo: its charset is "ISO-8859-1"', errors)
        self.assertIn("msgconv --to-code=UTF-8", errors)


if __name__ == "__main__":
    if shutil.which("msgfmt") is None:
        print("skipped: there is no msgfmt (gettext)")
        sys.exit(77)
    unittest.main()
