# SPDX-License-Identifier: Apache-2.0
"""CSV files, the choice of locales, dates, lists and numbers against Tornado's own locale module."""
import datetime
import logging
import os
import random
import sys
import tempfile
import unittest

from locale_tool import ask

try:
    import tornado.locale
    import tornado.web
    from tornado import httputil
    from tornado._locale_data import LOCALE_NAMES
except ImportError:
    print("skipped: there is no python3-tornado")
    sys.exit(77)

ROWS = '''"I love you","Te amo"
"%(name)s liked this","A %(name)s les gustó esto","plural"
"%(name)s liked this","A %(name)s le gustó esto","singular"
plain,ebene
"with, comma","mit, Komma",
"with ""quotes""","mit ""Anführung"""
  spaced  ,  gesperrt  , unknown
one column

"two
lines","zwei
Zeilen"
a"b"c,d"e"f
"a"b,"c"d
,empty key
empty value,
twice,first
twice,second
emoji,😀 \u00a0
many,viele,dual
more,columns,singular,than,three
'''
KEYS = ["I love you", "%(name)s liked this", "plain", "with, comma", 'with "quotes"', "spaced",
        "one column", "two\nlines", 'a"b"c', "ab", "", "empty value", "twice", "emoji", "many",
        "more", "nowhere"]
DATES = '''1 second ago,hace 1 segundo,singular
%(seconds)d seconds ago,hace %(seconds)d segundos,plural
1 minute ago,hace 1 minuto,singular
%(minutes)d minutes ago,hace %(minutes)d minutos,plural
1 hour ago,hace 1 hora,singular
%(hours)d hours ago,hace %(hours)d horas,plural
%(time)s,a las %(time)s
yesterday,ayer
yesterday at %(time)s,ayer a las %(time)s
%(weekday)s,el %(weekday)s
%(weekday)s at %(time)s,el %(weekday)s a las %(time)s
%(month_name)s %(day)s,%(day)s de %(month_name)s
%(month_name)s %(day)s at %(time)s,%(day)s de %(month_name)s a las %(time)s
"%(month_name)s %(day)s, %(year)s",%(day)s de %(month_name)s de %(year)s
"%(month_name)s %(day)s, %(year)s at %(time)s",%(day)s de %(month_name)s de %(year)s a las %(time)s
"%(weekday)s, %(month_name)s %(day)s","%(weekday)s, %(day)s de %(month_name)s"
%(commas)s and %(last)s,%(commas)s y %(last)s
January,enero
March,marzo
Monday,lunes
Sunday,domingo
'''
NOW = 1_710_511_506


def at(seconds):
    return datetime.datetime(1970, 1, 1) + datetime.timedelta(seconds=seconds)


class StoppedClock(datetime.datetime):
    @classmethod
    def utcnow(cls):
        return at(NOW)


class TornadoTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name
        logging.getLogger("tornado.general").setLevel(logging.CRITICAL)
        tornado.locale._use_gettext = False

    def tornado(self, directory, encoding=None, default="en_US"):
        tornado.locale.Locale._cache.clear()
        tornado.locale.load_translations(directory, encoding)
        tornado.locale.set_default_locale(default)

    def write(self, name, data):
        path = os.path.join(self.folder, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as file:
            file.write(data)
        return os.path.dirname(path)

    def test_csv_files_in_each_encoding(self):
        for name, encoding in (("utf-8", ""), ("utf-8-sig", ""), ("utf-16", ""), ("utf-8", "utf-8"),
                               ("utf-16-le", "utf-16-le"), ("utf-16-be", "utf-16-be")):
            for breaks in ("\n", "\r\n"):
                with self.subTest(name=name, encoding=encoding, breaks=breaks):
                    directory = self.write(f"{name}{encoding}{len(breaks)}/es_LA.csv",
                                           ROWS.replace("\n", breaks).encode(name))
                    self.tornado(directory, encoding or None)
                    theirs = tornado.locale.Locale.get("es_LA")
                    questions, expected = [], []
                    for key in KEYS:
                        questions.append(["translate", "es_LA", key])
                        expected.append(theirs.translate(key))
                        for count in (-1, 0, 1, 2, 1000):
                            questions.append(["plural", "es_LA", key, key, count])
                            expected.append(theirs.translate(key, key, count))
                    self.assertEqual(ask("csv", directory, encoding, questions), expected)
                    self.assertIn("Te amo", expected)

    def test_the_closest_locale(self):
        for code in ("de", "de_DE", "fr", "pt_BR", "zh_TW", "es"):
            directory = self.write(f"codes/{code}.csv", b"a,b\n")
        lists = [[code] for code in (
            "de", "de-DE", "DE-de", "de_AT", "fr-CA", "pt", "pt-PT", "pt-br", "zh", "zh-TW", "ZH_tw",
            "es-419", "es_MX", "xx", "", "en", "en-US", "FR")]
        lists += [["xx", "fr"], ["", "pt-PT", "pt-BR", "de"], ["yy-YY", "xx"]]
        for default in ("en_US", "de", "it_IT"):
            self.tornado(directory, default=default)
            expected = [tornado.locale.get(*codes).code for codes in lists]
            self.assertEqual(
                ask("csv", directory, "", [["closest", *codes] for codes in lists], default), expected)

    def test_the_browsers_locale(self):
        for code in ("de", "fr", "pt_BR", "es"):
            directory = self.write(f"browser/{code}.csv", b"a,b\n")
        self.tornado(directory)
        fields = ["de", "de,fr", "fr;q=0.5,de;q=0.8", "xx,fr;q=0.1", "pt-BR,pt;q=0.9,en;q=0.8",
                  "fr;q=0, de;q=0.1", "fr;q=bad,de;q=0.2", "fr;q=-1,es", "es;q=0.5,fr;q=0.5,de;q=0.5",
                  "xx", "en-GB,en;q=0.7,*;q=0.1", " de ; q=0.3 , fr;q=0.4"]
        application = tornado.web.Application()

        class Connection:
            def set_close_callback(self, callback):
                pass

        expected = []
        for value in fields:
            request = httputil.HTTPServerRequest(
                method="GET", uri="/", connection=Connection(),
                headers=httputil.HTTPHeaders({"Accept-Language": value}))
            handler = tornado.web.RequestHandler(application, request)
            expected.append(handler.get_browser_locale().code)
        self.assertEqual(ask("csv", directory, "", [["accepted", value] for value in fields]),
                         expected)

    def test_dates_lists_and_numbers(self):
        directory = self.write("dates/es_ES.csv", DATES.encode())
        self.tornado(directory)
        dice = random.Random(7)
        spans = [0, 1, 49, 50, 59, 60, 89, 90, 91, 150, 2999, 3000, 3001, 5400, 86399, 86400, 86401,
                 172799, 172800, 431999, 432000, 334 * 86400 - 1, 334 * 86400, -1, -59, -60, -86300]
        spans += [dice.randrange(10 ** dice.randrange(1, 9)) for _ in range(400)]
        self.addCleanup(setattr, tornado.locale, "datetime", datetime)
        stopped = type(sys)("datetime")
        stopped.datetime, stopped.timedelta = StoppedClock, datetime.timedelta
        tornado.locale.datetime = stopped
        questions, expected = [], []
        for code in ("en_US", "es_ES"):
            theirs = tornado.locale.Locale.get(code)
            for span in spans:
                offset = dice.choice([0, 300, -60, -330, 720])
                flags = [dice.randrange(2) for _ in range(3)]
                questions.append(["date", code, NOW - span, NOW, offset, *flags])
                expected.append(theirs.format_date(at(NOW - span), offset, *map(bool, flags)))
                questions.append(["day", code, NOW - span, offset, flags[0]])
                expected.append(theirs.format_day(at(NOW - span), offset, bool(flags[0])))
            for parts in ([], ["A"], ["A", "B"], ["A", "B", "C", "D"], ["", ""]):
                questions.append(["list", code, *parts])
                expected.append(theirs.list(parts))
        english = tornado.locale.Locale.get("en_US")
        for value in (0, 7, 999, 1000, 12345, 1234567, 10**18):
            questions.append(["number", "en_US", value])
            expected.append(english.friendly_number(value))
        for question, ours, theirs in zip(questions, ask("csv", directory, "", questions), expected):
            self.assertEqual(ours, theirs, question)

    def test_names_of_languages(self):
        for code in LOCALE_NAMES:
            directory = self.write(f"names/{code}.csv", b"a,b\n")
        self.assertEqual(ask("csv", directory, "", [["name", code] for code in LOCALE_NAMES]),
                         [LOCALE_NAMES[code]["name"] for code in LOCALE_NAMES])


if __name__ == "__main__":
    unittest.main()
