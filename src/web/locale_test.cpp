// SPDX-License-Identifier: Apache-2.0
#include "web/web_testing.hpp"

#include <squall/coro/sleep.hpp>
#include <squall/locale.hpp>
#include <squall/web/application.hpp>
#include <squall/web/request_handler.hpp>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <string>
#include <unistd.h>

namespace squall::web {
namespace {

using namespace std::chrono_literals;

locale::Translations some_translations() {
  std::string name = (std::filesystem::temp_directory_path() / "squall-XXXXXX").string();
  const std::filesystem::path path = ::mkdtemp(name.data());
  std::ofstream(path / "de.csv") << "Hello,Hallo\n";
  std::ofstream(path / "fr_CA.csv") << "Hello,Salut\n";
  auto loaded = locale::load_translations(path.string());
  std::filesystem::remove_all(path);
  return loaded;
}

class LocaleTest : public WebTest {
 protected:
  std::string hello(Application& app, std::string_view fields = {}) {
    return body_of(request(app, "GET /", fields));
  }
};

struct Hello : RequestHandler {
  void get() {
    write(locale().translate("Hello"));
    write(" " + std::string(locale().code()));
  }
};

TEST_F(LocaleTest, AcceptLanguageChoosesTheLocale) {
  const locale::Translations translations = some_translations();
  Application app({{"/", handler<Hello>}}, {.translations = &translations});
  EXPECT_EQ(hello(app, "Accept-Language: de-AT\r\n"), "Hallo de");
  EXPECT_EQ(hello(app, "Accept-Language: de;q=0.5, fr-CA;q=0.9\r\n"), "Salut fr_CA");
  EXPECT_EQ(hello(app, "Accept-Language: es, de;q=0\r\n"), "Hello en_US");
  EXPECT_EQ(hello(app, "Accept-Language: es\r\nAccept-Language: de\r\naccept-language: fr-CA\r\n"),
            "Hallo de");
  EXPECT_EQ(hello(app), "Hello en_US");
}

TEST_F(LocaleTest, CachesAreToldWhatItDependsOn) {
  struct Varying : RequestHandler {
    void get() {
      set_header("Vary", "Cookie");
      static_cast<void>(locale());
      static_cast<void>(get_browser_locale());
    }
  };
  struct Late : RequestHandler {
    void get() {
      write("some");
      flush();
      write(locale().code());
    }
  };
  struct Other : RequestHandler {
    void get() {}
  };
  Application app({{"/", handler<Varying>}, {"/late", handler<Late>}, {"/other", handler<Other>}});
  EXPECT_EQ(field(request(app, "GET /"), "Vary"), "Cookie, Accept-Language");
  EXPECT_EQ(field(request(app, "GET /other"), "Vary"), "");
  const std::string late = request(app, "GET /late");
  EXPECT_EQ(field(late, "Vary"), "");
  EXPECT_NE(late.find("en_US"), std::string::npos) << late;
}

int asked = 0;

struct Chosen : Hello {
  const locale::Locale* get_user_locale() override {
    ++asked;
    const std::string code = get_cookie("lang");
    return code.empty() ? nullptr : &settings().translations->get_closest({code});
  }
};

TEST_F(LocaleTest, TheUsersChoiceGoesFirstAndIsAskedForOnce) {
  const locale::Translations translations = some_translations();
  Application app({{"/", handler<Chosen>}}, {.translations = &translations});
  asked = 0;
  const std::string chosen = request(app, "GET /", "Cookie: lang=fr_CA\r\nAccept-Language: de\r\n");
  EXPECT_EQ(body_of(chosen), "Salut fr_CA");
  EXPECT_EQ(field(chosen, "Vary"), "");
  EXPECT_EQ(asked, 1);
  EXPECT_EQ(hello(app, "Accept-Language: de\r\n"), "Hallo de");
}

struct Loaded : Hello {
  Task<> prepare() override {
    co_await sleep(1ms);
    set_locale(settings().translations->get("de"));
  }
};

TEST_F(LocaleTest, ItMayBeSetByPrepare) {
  const locale::Translations translations = some_translations();
  Application app({{"/", handler<Loaded>}, {"/plain", handler<Hello>}},
                  {.translations = &translations});
  // The next request of the connection has its own.
  const std::string two = send(app,
                               "GET / HTTP/1.1\r\nHost: a\r\n\r\n"
                               "GET /plain HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
                               false);
  EXPECT_NE(two.find("Hallo de"), std::string::npos) << two;
  EXPECT_NE(two.find("Hello en_US"), std::string::npos) << two;
}

struct Fallback : RequestHandler {
  void get() { write(get_browser_locale("fr-CA").code()); }
};

TEST_F(LocaleTest, WithoutTheFieldTheDefaultIsTheHandlers) {
  const locale::Translations translations = some_translations();
  Application app({{"/", handler<Fallback>}}, {.translations = &translations});
  EXPECT_EQ(hello(app), "fr_CA");
  EXPECT_EQ(hello(app, "Accept-Language: es\r\n"), "en_US");
}

TEST_F(LocaleTest, TheApplicationKeepsAShareInTheTranslations) {
  auto* translations = new locale::Translations(some_translations());
  Application app({{"/", handler<Hello>}}, {.translations = translations});
  delete translations;
  EXPECT_EQ(hello(app, "Accept-Language: de\r\n"), "Hallo de");
}

TEST_F(LocaleTest, WithoutTranslationsTheProcessesAreTaken) {
  Application before({{"/", handler<Hello>}});
  locale::set_default_translations(some_translations());
  Application after({{"/", handler<Hello>}});
  locale::set_default_translations(locale::Translations());
  EXPECT_EQ(hello(before, "Accept-Language: de\r\n"), "Hello en_US");
  EXPECT_EQ(hello(after, "Accept-Language: de\r\n"), "Hallo de");
}

}  // namespace
}  // namespace squall::web
