// SPDX-License-Identifier: Apache-2.0
#include "locale/locale_testing.hpp"

#include <squall/base/error.hpp>
#include <squall/base/log.hpp>
#include <squall/locale.hpp>

#include <gtest/gtest.h>

#include <string>
#include <system_error>
#include <thread>
#include <vector>

namespace squall::locale {
namespace {

using namespace std::string_literals;
using Codes = std::vector<std::string>;

class TranslationsTest : public ::testing::Test {
 protected:
  TranslationsTest() {
    log::set_sink(
        [](void* self, log::Level, std::string_view channel, std::string_view message) {
          static_cast<TranslationsTest*>(self)->log_.append(channel).append(": ").append(message) +=
              '\n';
        },
        this);
  }
  ~TranslationsTest() override { log::set_sink(nullptr, nullptr); }

  Translations with(std::initializer_list<std::string_view> codes) const {
    for (const std::string_view code : codes) {
      files_.write(std::string(code) + "/LC_MESSAGES/app.mo",
                   mo_file({{"", "Content-Type: text/plain; charset=UTF-8\n"},
                            {"hello", "hello of " + std::string(code)}}));
    }
    return load_gettext_translations(files_.path(), "app");
  }

  TemporaryDirectory files_;
  std::string log_;
};

TEST_F(TranslationsTest, WithoutFilesThereIsTheDefaultLocale) {
  const Translations none;
  EXPECT_EQ(none.get_supported_locales(), Codes{"en_US"});
  EXPECT_EQ(none.get("en_US").translate("Hello"), "Hello");
  EXPECT_EQ(none.get("en_US").translate("club", "clubs", 2), "clubs");
  EXPECT_EQ(none.get("en_US").translate("club", "clubs", 1), "club");
  EXPECT_EQ(none.get("en_US").pgettext("law", "right"), "right");
  EXPECT_EQ(none.get("en_US").pgettext("stick", "club", "clubs", 0), "clubs");
  EXPECT_EQ(&none.get_closest({"de", "fr"}), &none.default_locale());
}

TEST_F(TranslationsTest, TheClosestLocaleIsFoundAsRFC4647Says) {
  const Translations some = with({"de", "pt_BR", "zh", "zh_TW", "zh_Hant_HK", "sr_Latn", "de_CH"});
  const auto closest = [&some](std::string_view code) { return some.get_closest({code}).code(); };
  EXPECT_EQ(closest("pt-BR"), "pt_BR");
  EXPECT_EQ(closest("PT_br"), "pt_BR");
  EXPECT_EQ(closest("de-AT"), "de");
  EXPECT_EQ(closest("de-CH-1996"), "de_CH");
  EXPECT_EQ(closest("zh-Hant-HK"), "zh_Hant_HK");
  EXPECT_EQ(closest("zh-Hant-TW"), "zh_TW");
  EXPECT_EQ(closest("zh-Hans-CN"), "zh");
  EXPECT_EQ(closest("sr-Latn-RS"), "sr_Latn");
  EXPECT_EQ(closest("de-x-goethe"), "de");
  EXPECT_EQ(closest("pt"), "en_US");  // a country was not asked for
  EXPECT_EQ(closest(""), "en_US");
  EXPECT_EQ(closest("*"), "en_US");
  EXPECT_EQ(some.get_closest({"fr", "", "de-AT", "zh"}).code(), "de");
}

TEST_F(TranslationsTest, AcceptLanguageChooses) {
  const Translations some = with({"de", "fr_FR"});
  EXPECT_EQ(some.get_accepted("es, fr-FR;q=0.5, de;q=0.9")->code(), "de");
  EXPECT_EQ(some.get_accepted("fr-FR, de")->code(), "fr_FR");
  EXPECT_EQ(some.get_accepted("es")->code(), "en_US");
  EXPECT_EQ(some.get_accepted(""), nullptr);
  EXPECT_EQ(some.get_accepted("de;q=0"), nullptr);
}

TEST_F(TranslationsTest, GetWantsWhatIsSupported) {
  const Translations some = with({"de", "pt_BR"});
  EXPECT_EQ(some.get("pt-br").code(), "pt_BR");
  EXPECT_EQ(some.get("pt_BR").translate("hello"), "hello of pt_BR");
  EXPECT_EQ(some.get_supported_locales(), (Codes{"de", "en_US", "pt_BR"}));
  try {
    static_cast<void>(some.get("fr"));
    FAIL();
  } catch (const UsageError& error) {
    EXPECT_NE(std::string(error.what()).find("\"fr\" is not supported, but de, en_US, pt_BR"),
              std::string::npos)
        << error.what();
  }
}

TEST_F(TranslationsTest, TheDefaultLocaleMayHaveTranslationsToo) {
  const Translations some = with({"de", "fr"}).with_default_locale("de");
  EXPECT_EQ(some.get_supported_locales(), (Codes{"de", "fr"}));
  EXPECT_EQ(some.get_closest({"es"}).translate("hello"), "hello of de");
}

TEST_F(TranslationsTest, CSVFilesAreLoadedEachInItsEncoding) {
  files_.write("es.csv", "hello,hola\n");
  files_.write("fr_FR.csv", "\xef\xbb\xbfhello,\"\xc3\xa0 toi\"\n");
  files_.write("ru.csv",
               "\xff\xfe"
               "a\0,\0\x31\x04\n\0"s);
  files_.write("notes.txt", "not looked at");
  const Translations some = load_translations(files_.path());
  EXPECT_TRUE(some.errors().empty());
  EXPECT_EQ(some.get_supported_locales(), (Codes{"en_US", "es", "fr_FR", "ru"}));
  EXPECT_EQ(some.get("es").translate("hello"), "hola");
  EXPECT_EQ(some.get("fr_FR").translate("hello"), "\xc3\xa0 toi");
  EXPECT_EQ(some.get("ru").translate("a"), "\xd0\xb1");
}

TEST_F(TranslationsTest, BadFilesAreLeftOutAndTheOthersLoaded) {
  files_.write("de.csv", "hello,hallo\n");
  files_.write("es.csv", "hello,\xff\n");
  files_.write("Elvish.csv", "hello,suilad\n");
  files_.write("fr.csv", "hello,salut\nx,y,dual\n");
  files_.write("it.csv", "hello,\"ciao\n");
  const Translations some = load_translations(files_.path());
  EXPECT_EQ(some.get_supported_locales(), (Codes{"de", "en_US", "fr"}));
  ASSERT_EQ(some.errors().size(), 4u);
  EXPECT_EQ(some.errors()[0].file, files_.path() + "/Elvish.csv");
  EXPECT_EQ(some.errors()[1].file, files_.path() + "/es.csv");
  EXPECT_EQ(some.errors()[1].what, "line 1: not UTF-8");
  EXPECT_EQ(some.errors()[2].what.substr(0, 15), "line 2: \"dual\" ");
  EXPECT_EQ(some.errors()[3].what, "line 1: a quote that does not end");
  EXPECT_EQ(some.get("fr").translate("hello"), "salut");
  EXPECT_NE(log_.find("locale: " + files_.path() + "/es.csv: line 1: not UTF-8\n"),
            std::string::npos)
      << log_;
}

TEST_F(TranslationsTest, BadCataloguesAreLeftOutAndTheOthersLoaded) {
  files_.write("xx/LC_MESSAGES/app.mo", "no catalogue at all, but long enough");
  files_.write("yy/LC_MESSAGES/other.mo", "");
  files_.write("README", "");
  const Translations some = with({"de"});
  EXPECT_EQ(some.get_supported_locales(), (Codes{"de", "en_US"}));
  ASSERT_EQ(some.errors().size(), 1u);
  EXPECT_EQ(some.errors()[0].file, files_.path() + "/xx/LC_MESSAGES/app.mo");
}

TEST_F(TranslationsTest, TooLargeFilesAreLeftOut) {
  files_.write("de.csv", "hello,hallo\n");
  files_.write("fr.csv", "hello,salut salut\n");
  const Translations some = load_translations(files_.path(), {}, {.max_file_size = 12});
  EXPECT_EQ(some.get_supported_locales(), (Codes{"de", "en_US"}));
  ASSERT_EQ(some.errors().size(), 1u);
  EXPECT_EQ(some.errors()[0].what, "it has more than 12 bytes");
  EXPECT_EQ(load_translations(files_.path(), {}, {.max_messages = 0}).errors().size(), 2u);
}

TEST_F(TranslationsTest, TwoFilesForOneLocaleAreAnError) {
  const Translations some = with({"pt_BR", "pt-br"});
  ASSERT_EQ(some.errors().size(), 1u);
  EXPECT_EQ(some.errors()[0].what, "it is for the same locale as pt-br");
}

TEST_F(TranslationsTest, WhatCannotBeMeantIsRefused) {
  EXPECT_THROW(static_cast<void>(load_translations(files_.path() + "/missing")), std::system_error);
  EXPECT_THROW(static_cast<void>(load_gettext_translations("/nowhere", "app")), std::system_error);
  EXPECT_THROW(static_cast<void>(load_translations(files_.path(), "koi8-r")), UsageError);
  EXPECT_THROW(static_cast<void>(load_gettext_translations(files_.path(), "../app")), UsageError);
  EXPECT_EQ(load_gettext_translations(files_.path(), "app").errors().size(), 1u);
}

TEST_F(TranslationsTest, CSVFilesHaveNoContexts) {
  files_.write("de.csv", "right,rechts\nclub,Verein,singular\nclubs,Vereine,plural\n");
  const Translations some = load_translations(files_.path());
  EXPECT_EQ(some.get("de").pgettext("law", "right"), "rechts");
  EXPECT_EQ(some.get("de").pgettext("law", "club", "clubs", 3), "Vereine");
  EXPECT_NE(log_.find("have no contexts"), std::string::npos) << log_;
}

TEST_F(TranslationsTest, LocalesTellTheirNameAndDirection) {
  const Translations some = with({"de_DE", "fa_IR", "he", "arn", "tlh", "uz_Arab"});
  EXPECT_EQ(some.get("de_DE").name(), "Deutsch");
  EXPECT_FALSE(some.get("de_DE").rtl());
  EXPECT_TRUE(some.get("fa_IR").rtl());
  EXPECT_TRUE(some.get("he").rtl());
  EXPECT_TRUE(some.get("uz_Arab").rtl());
  EXPECT_FALSE(some.get("arn").rtl());  // Mapudungun, which Arabic's code begins
  EXPECT_EQ(some.get("tlh").name(), "Unknown");
}

TEST_F(TranslationsTest, ViewsLiveAsLongAsAnyShare) {
  std::string_view hello;
  Translations kept;
  {
    const Translations some = with({"de"});
    hello = some.get("de").translate("hello");
    kept = some;
  }
  EXPECT_EQ(hello, "hello of de");
}

TEST_F(TranslationsTest, ThreadsShareThem) {
  const Translations some = with({"de", "fr"});
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([some] {
      for (int round = 0; round < 200; ++round) {
        const Translations copy(some);
        EXPECT_EQ(copy.get_closest({"fr-CA"}).translate("hello"), "hello of fr");
        EXPECT_EQ(copy.get("de").format_date(1000, {.now = 1010}).empty(), false);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
}

TEST_F(TranslationsTest, TheProcessMayHaveTranslationsOfItsOwn) {
  EXPECT_EQ(get_supported_locales(), Codes{"en_US"});
  set_default_translations(with({"de", "fr"}));
  const Locale& german = locale::get("de_AT");
  EXPECT_EQ(german.translate("hello"), "hello of de");
  set_default_locale("fr");
  EXPECT_EQ(locale::get("es", "it").code(), "fr");
  EXPECT_EQ(Locale::get("fr").translate("hello"), "hello of fr");
  EXPECT_THROW(static_cast<void>(Locale::get("es")), UsageError);
  set_default_translations(Translations());
  EXPECT_EQ(german.translate("hello"), "hello of de");  // for good
  EXPECT_EQ(get_supported_locales(), Codes{"en_US"});
}

TEST_F(TranslationsTest, TheProcessesTranslationsAreSetOnlySoOften) {
  const auto set_for_ever = [] {
    for (;;) set_default_locale("en_US");
  };
  EXPECT_THROW(set_for_ever(), UsageError);
}

}  // namespace
}  // namespace squall::locale
