// SPDX-License-Identifier: Apache-2.0
#include "base/hex.hpp"
#include "base/secrets.hpp"
#include "web/digest_fields.hpp"
#include "web/web_testing.hpp"

#include <squall/coro/sleep.hpp>
#include <squall/web/application.hpp>
#include <squall/web/digest_auth.hpp>
#include <squall/web/request_handler.hpp>

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>

namespace squall::web {
namespace {

using namespace std::chrono_literals;

// RFC 7616 §3.9.1
constexpr std::string_view realm = "http-auth@example.org";
constexpr std::string_view user = "Mufasa";
constexpr std::string_view password = "Circle of Life";

TEST(AuthParameters, AreTokensAndQuotedStrings) {
  AuthParameters read("a=b, C = \"d, \\\"e\\\\\" ,,f=\"\"");
  ASSERT_TRUE(read.next());
  EXPECT_EQ(read.name(), "a");
  EXPECT_EQ(read.value(), "b");
  ASSERT_TRUE(read.next());
  EXPECT_EQ(read.name(), "C");
  EXPECT_EQ(read.value(), "d, \"e\\");
  ASSERT_TRUE(read.next());
  EXPECT_EQ(read.value(), "");
  EXPECT_FALSE(read.next());
  EXPECT_FALSE(read.is_malformed());
}

TEST(AuthParameters, AreRefusedInOtherForms) {
  for (const std::string_view text :
       {"a", "a=", "=b", "a=b c=d", "a=\"b", "a=\"b\\", "a=\"b\"c", "a=b=c", "a=b;c=d", "a b=c"}) {
    AuthParameters read(text);
    while (read.next()) {
    }
    EXPECT_TRUE(read.is_malformed()) << text;
  }
}

TEST(DigestHash, IsOfUserRealmAndPassword) {
  const DigestAuth digest(realm);
  EXPECT_EQ(digest.hash(user, password, DigestAlgorithm::md5), "3d78807defe7de2157e2b0b6573a855f");
  EXPECT_EQ(digest.hash(user, password),
            "7987c64c30e25f1b74be53f966b49b90f2808aa92faf9a00262392d7b4794232");
  EXPECT_NE(digest.hash("", password), digest.hash(user, password));
}

std::int64_t now_ms = 0;
std::int64_t test_clock() { return now_ms; }

struct Guarded : RequestHandler {
  static inline DigestAuth* digest = nullptr;
  Task<> load_current_user() override {
    const DigestResponse sent = digest->require(*this);
    co_await sleep(1ms);
    const bool known = sent.user == user;
    digest->verify(*this, sent, known ? digest->hash(user, password, sent.algorithm) : "");
    set_current_user(sent.user);
  }
  void get() { write("hello " + *current_user()); }
  void post() { write("posted"); }
};

class DigestTest : public WebTest {
 protected:
  DigestTest() { now_ms = 1'000'000; }
  ~DigestTest() override { Guarded::digest = nullptr; }

  void make(DigestOptions options = {}) {
    options.clock = &test_clock;
    digest_ = std::make_unique<DigestAuth>(realm, options);
    Guarded::digest = digest_.get();
  }
  std::string ask(std::string_view fields = {}, std::string_view line = "GET /dir/index.html?a=b") {
    Application app({{"/dir/index.html", handler<Guarded>}});
    return request(app, line, fields);
  }
  std::string new_nonce() {
    const std::string challenge = field(ask(), "WWW-Authenticate");
    const std::size_t at = challenge.find("nonce=\"") + 7;
    return challenge.substr(at, challenge.find('"', at) - at);
  }

  using Fields = std::map<std::string, std::string>;
  /// What a client sends; `change` may do so with the parameters, before or after they are signed.
  std::string sign(const std::string& nonce, const std::string& count,
                   const std::function<void(Fields&)>& before = {},
                   const std::function<void(Fields&)>& after = {}) {
    Fields fields = {{"username", std::string(user)},
                     {"realm", std::string(realm)},
                     {"uri", "/dir/index.html?a=b"},
                     {"algorithm", "SHA-256"},
                     {"nonce", nonce},
                     {"nc", count},
                     {"cnonce", "f2/wE4q74E6zIJEt"},
                     {"qop", "auth"},
                     {"method", "GET"},
                     {"password", std::string(password)}};
    if (before) before(fields);
    const auto h = [&](const std::string& text) {
      std::string out;
      append_hex(out, fields["algorithm"] == "SHA-256" ? sha256(text) : md5(text));
      return out;
    };
    const std::string secret =
        h(fields["username"] + ":" + fields["realm"] + ":" + fields["password"]);
    const std::string request = h(fields["method"] + ":" + fields["uri"]);
    fields["response"] = h(secret + ":" + nonce + ":" + count + ":" + fields["cnonce"] + ":" +
                           fields["qop"] + ":" + request);
    if (after) after(fields);
    std::string text = "Authorization: Digest ";
    for (const auto& [name, value] : fields) {
      if (name == "method" || name == "password") continue;
      const bool is_token = name == "nc" || name == "qop" || name == "algorithm";
      text += name + (is_token ? "=" + value : "=\"" + value + "\"") + ", ";
    }
    return text + "x=y\r\n";
  }

  std::unique_ptr<DigestAuth> digest_;
};

TEST_F(DigestTest, WithoutAResponseTheClientIsChallenged) {
  make();
  const std::string answer = ask();
  EXPECT_EQ(code(answer), "401");
  const std::string challenge = field(answer, "WWW-Authenticate");
  EXPECT_TRUE(challenge.starts_with(
      "Digest realm=\"http-auth@example.org\", qop=\"auth\", algorithm=SHA-256, nonce=\""))
      << challenge;
  EXPECT_TRUE(challenge.ends_with(", charset=UTF-8")) << challenge;
  EXPECT_EQ(answer.find("algorithm=MD5"), std::string::npos);
  EXPECT_NE(new_nonce(), new_nonce());
}

TEST_F(DigestTest, MD5IsOfferedSecondAndTakenOnlyWhereItIsWanted) {
  make();
  const auto with_md5 = [](Fields& fields) { fields["algorithm"] = "MD5"; };
  const auto without_name = [](Fields& fields) { fields.erase("algorithm"); };
  EXPECT_EQ(code(ask(sign(new_nonce(), "00000001", with_md5))), "401");
  make({.md5 = true});
  const std::string answer = ask();
  EXPECT_LT(answer.find("algorithm=SHA-256"), answer.find("algorithm=MD5"));
  EXPECT_NE(answer.find("algorithm=MD5"), std::string::npos);
  EXPECT_EQ(body_of(ask(sign(new_nonce(), "00000001", with_md5))), "hello Mufasa");
  EXPECT_EQ(body_of(ask(sign(new_nonce(), "00000001", with_md5, without_name))), "hello Mufasa");
  EXPECT_EQ(body_of(ask(sign(new_nonce(), "00000001"))), "hello Mufasa");
}

TEST_F(DigestTest, TheResponsesOfTheStandardAreRight) {  // RFC 7616 §3.9.1
  make({.md5 = true});
  const auto sent = [&](const std::string& algorithm, const std::string& response) {
    return ask(
        "Authorization: Digest username=\"Mufasa\", realm=\"http-auth@example.org\", "
        "uri=\"/dir/index.html\", algorithm=" +
            algorithm +
            ", nonce=\"7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v\", nc=00000001, "
            "cnonce=\"f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ\", qop=auth, "
            "response=\"" +
            response + "\", opaque=\"FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS\"\r\n",
        "GET /dir/index.html");
  };
  // The nonce is not ours: a right response is answered with "stale", a wrong one without.
  const auto is_right = [](const std::string& answer) {
    return answer.find(", stale=true\r\n") != std::string::npos;
  };
  EXPECT_TRUE(is_right(sent("MD5", "8ca523f5e9506fed4657c9700eebdbec")));
  EXPECT_FALSE(is_right(sent("MD5", "8ca523f5e9506fed4657c9700eebdbed")));
  EXPECT_TRUE(is_right(
      sent("SHA-256", "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1")));
  EXPECT_FALSE(is_right(
      sent("SHA-256", "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c2")));
}

TEST_F(DigestTest, WhatIsNotWholeOrOfAnotherRequestIsRefused) {
  make();
  const auto asked = [&](const std::function<void(Fields&)>& before,
                         const std::function<void(Fields&)>& after = {}) {
    const std::string answer = ask(sign(new_nonce(), "00000001", before, after));
    EXPECT_EQ(answer.find("stale"), std::string::npos) << answer;
    return code(answer);
  };
  EXPECT_EQ(asked({}), "200");
  const std::pair<std::string, std::string> changes[] = {
      {"username", "Scar"},     {"password", "circle of life"},
      {"realm", "another"},     {"uri", "/dir/index.html"},
      {"method", "POST"},       {"qop", "auth-int"},
      {"algorithm", "SHA-512"}, {"userhash", "true"},
  };
  for (const auto& change : changes) {
    const auto apply = [&](Fields& fields) { fields[change.first] = change.second; };
    EXPECT_EQ(asked(apply), "401") << change.first;
  }
  for (const char* const name :
       {"username", "realm", "uri", "nonce", "nc", "cnonce", "qop", "response"}) {
    EXPECT_EQ(asked({}, [&](Fields& fields) { fields.erase(name); }), "401") << name;
    EXPECT_EQ(
        asked({}, [&](Fields& fields) { fields["x"] = "y\", " + std::string(name) + "=\"z"; }),
        "401")
        << name;
  }
  for (const char* const count : {"1", "0000001", "000000001", "0000000g", "+0000001"}) {
    EXPECT_EQ(asked({}, [&](Fields& fields) { fields["nc"] = count; }), "401") << count;
  }
}

TEST_F(DigestTest, OneResponseIsForOneRequest) {
  make();
  const std::string nonce = new_nonce();
  const std::string first = sign(nonce, "00000001");
  EXPECT_EQ(code(ask(first)), "200");
  const std::string again = ask(first);
  EXPECT_EQ(code(again), "401");
  EXPECT_NE(again.find(", stale=true"), std::string::npos);
  EXPECT_EQ(code(ask(sign(nonce, "00000000"))), "401");
  EXPECT_EQ(code(ask(sign(nonce, "00000003"))), "200");
  EXPECT_EQ(code(ask(sign(nonce, "00000002"))), "200");  // it was overtaken
  EXPECT_EQ(code(ask(sign(nonce, "00000002"))), "401");
  EXPECT_EQ(code(ask(sign(nonce, "00000043"))), "200");  // 64 on
  EXPECT_EQ(code(ask(sign(nonce, "00000003"))), "401");
  EXPECT_EQ(code(ask(sign(nonce, "00000004"))), "200");
  EXPECT_EQ(code(ask(sign(nonce, "00000100"))), "200");
  EXPECT_EQ(code(ask(sign(nonce, "00000043"))), "401");
  EXPECT_EQ(code(ask(sign(nonce, "000000c0"))), "200");
  EXPECT_EQ(code(ask(sign(nonce, "ffffffff"))), "200");
}

TEST_F(DigestTest, ANonceGrowsOld) {
  make({.nonce_lifetime = 60s});
  const std::string nonce = new_nonce();
  now_ms += 59'999;
  EXPECT_EQ(code(ask(sign(nonce, "00000001"))), "200");
  now_ms += 1;
  const std::string answer = ask(sign(nonce, "00000002"));
  EXPECT_EQ(code(answer), "401");
  EXPECT_NE(answer.find(", stale=true"), std::string::npos);
  EXPECT_EQ(code(ask(sign(new_nonce(), "00000001"))), "200");
  now_ms -= 10'000;  // the clock is set back
  EXPECT_EQ(code(ask(sign(nonce, "00000001"))), "401");
}

TEST_F(DigestTest, ANonceIsSigned) {
  make();
  const std::string nonce = new_nonce();
  for (std::size_t i = 0; i < nonce.size(); ++i) {
    std::string other = nonce;
    other[i] = other[i] == 'A' ? 'E' : 'A';
    ASSERT_NE(other, nonce);
    EXPECT_EQ(code(ask(sign(other, "00000001"))), "401") << other;
  }
  make();  // another secret
  EXPECT_EQ(code(ask(sign(nonce, "00000001"))), "401");
  make({.secret = "of all processes"});
  const std::string shared = new_nonce();
  make({.secret = "of all processes"});
  EXPECT_EQ(code(ask(sign(shared, "00000001"))), "200");
}

TEST_F(DigestTest, OfManyNoncesTheOldestAreForgottenButNotTakenAgain) {
  make({.max_nonces = 2});
  std::string nonces[3];
  for (std::string& nonce : nonces) {
    now_ms += 10;
    nonce = new_nonce();
    EXPECT_EQ(code(ask(sign(nonce, "00000001"))), "200");
  }
  EXPECT_EQ(code(ask(sign(nonces[0], "00000001"))), "401");
  EXPECT_EQ(code(ask(sign(nonces[0], "00000002"))), "401");
  EXPECT_EQ(code(ask(sign(nonces[1], "00000001"))), "401");
  EXPECT_EQ(code(ask(sign(nonces[1], "00000002"))), "200");
  EXPECT_EQ(code(ask(sign(nonces[2], "00000002"))), "200");
}

TEST_F(DigestTest, OptionsThatMeanNothingAreAMisuse) {
  EXPECT_THROW(make({.nonce_lifetime = 0s}), UsageError);
  EXPECT_THROW(make({.max_nonces = 0}), UsageError);
  EXPECT_THROW(DigestAuth("a\nb"), UsageError);
}

}  // namespace
}  // namespace squall::web
