// SPDX-License-Identifier: Apache-2.0
#include "web/route_table.hpp"

#include <squall/base/error.hpp>
#include <squall/web/handler.hpp>

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace squall::web {
namespace {

template <int Number>
struct Target : RequestHandler {
  void get() {}
};
struct TakesTwo : RequestHandler {
  void get(int, std::string) {}
};

class RouteTableTest : public ::testing::Test {
 protected:
  /// "pattern arg arg", or "none".
  std::string find(std::string_view path) {
    RouteTable::Match match;
    std::string storage;
    if (!router.find(normalise_path(path, storage), match)) return "none";
    std::string text = match.target->pattern;
    for (std::size_t i = 0; i < match.argument_count; ++i) {
      text += " ";
      text += match.arguments[i];
    }
    return text;
  }
  void add(std::string_view pattern) { router.add_pattern(pattern, handler<Target<0>>); }
  std::string refusal(std::string_view pattern) {
    try {
      add(pattern);
    } catch (const UsageError& error) {
      return error.what();
    }
    return "accepted";
  }

  RouteTable router;
};

TEST_F(RouteTableTest, FindsLiteralsExactly) {
  add("/");
  add("/story");
  add("/stories");
  add("/story/");
  EXPECT_EQ(find("/"), "/");
  EXPECT_EQ(find("/story"), "/story");
  EXPECT_EQ(find("/stories"), "/stories");
  EXPECT_EQ(find("/story/"), "/story/");
  EXPECT_EQ(find("/stor"), "none");
  EXPECT_EQ(find("/storys"), "none");
  EXPECT_EQ(find(""), "none");
}

TEST_F(RouteTableTest, APlaceTakesOneSegmentThatIsNotEmpty) {
  add("/story/{id}");
  EXPECT_EQ(find("/story/12"), "/story/{id} 12");
  EXPECT_EQ(find("/story/"), "none");
  EXPECT_EQ(find("/story/1/2"), "none");
}

TEST_F(RouteTableTest, ATailTakesAllTheRest) {
  add("/static/{path...}");
  EXPECT_EQ(find("/static/a/b.css"), "/static/{path...} a/b.css");
  EXPECT_EQ(find("/static/"), "/static/{path...} ");
  EXPECT_EQ(find("/static"), "none");
}

TEST_F(RouteTableTest, TheMoreSpecificWinsWhereverItStands) {
  add("/{path...}");
  add("/user/{name}");
  add("/user/me");
  add("/user/{name}/posts");
  EXPECT_EQ(find("/user/me"), "/user/me");
  EXPECT_EQ(find("/user/meg"), "/user/{name} meg");
  EXPECT_EQ(find("/user/me/posts"), "/user/{name}/posts me");
  EXPECT_EQ(find("/user/me/other"), "/{path...} user/me/other");
  EXPECT_EQ(find("/"), "/{path...} ");
}

TEST_F(RouteTableTest, APlaceMayHaveTextAroundItInItsSegment) {
  add("/v{version}/file/{name}.json");
  add("/v{version}/file/{name}");
  EXPECT_EQ(find("/v2/file/a.json"), "/v{version}/file/{name}.json 2 a");
  EXPECT_EQ(find("/v2/file/a.b.json"), "/v{version}/file/{name}.json 2 a.b");
  EXPECT_EQ(find("/v2/file/a.txt"), "/v{version}/file/{name} 2 a.txt");
  EXPECT_EQ(find("/v2/file/.json"), "/v{version}/file/{name} 2 .json");
}

TEST_F(RouteTableTest, EquivalentEscapesAreTheSamePath) {  // RFC 3986 §6.2.2
  add("/caf\xc3\xa9/~user");
  EXPECT_EQ(find("/caf%C3%A9/~user"), "/caf\xc3\xa9/~user");
  EXPECT_EQ(find("/c%61f%c3%a9/%7euser"), "/caf\xc3\xa9/~user");
}

TEST_F(RouteTableTest, AnEscapedSlashDoesNotEndASegment) {
  add("/file/{name}");
  EXPECT_EQ(find("/file/a%2fb"), "/file/{name} a%2Fb");
}

TEST_F(RouteTableTest, RegularExpressionsMatchTheWholePath) {
  router.add_regex(R"(/n/([0-9]+)(?:/(\w+))?)", handler<Target<0>>);
  EXPECT_EQ(find("/n/12"), R"(/n/([0-9]+)(?:/(\w+))? 12 )");
  EXPECT_EQ(find("/n/12/x"), R"(/n/([0-9]+)(?:/(\w+))? 12 x)");
  EXPECT_EQ(find("/n/12/x/"), "none");
  EXPECT_EQ(find("/a/n/12"), "none");
}

TEST_F(RouteTableTest, ARegularExpressionWinsOverPatternsBehindItOnly) {
  add("/a/{x}");
  router.add_regex("/[ab]/(.*)", handler<Target<0>>);
  add("/b/{x}");
  EXPECT_EQ(find("/a/1"), "/a/{x} 1");
  EXPECT_EQ(find("/b/1"), "/[ab]/(.*) 1");
}

TEST_F(RouteTableTest, MalformedPatternsAreRefusedWithTheReason) {
  EXPECT_NE(refusal("story").find("begins with a slash"), std::string::npos);
  EXPECT_NE(refusal("").find("begins with a slash"), std::string::npos);
  EXPECT_NE(refusal("/{id").find("{ without }"), std::string::npos);
  EXPECT_NE(refusal("/id}").find("} without {"), std::string::npos);
  EXPECT_NE(refusal("/{}").find("identifier"), std::string::npos);
  EXPECT_NE(refusal("/{1a}").find("identifier"), std::string::npos);
  EXPECT_NE(refusal("/{a}{b}").find("one place"), std::string::npos);
  EXPECT_NE(refusal("/{a...}/b").find("at the end"), std::string::npos);
  EXPECT_NE(refusal("/{a}/{a}").find("same name"), std::string::npos);
  EXPECT_THROW(router.add_regex("/(", handler<Target<0>>), UsageError);
}

TEST_F(RouteTableTest, ConflictsAreRefusedAndNamed) {
  add("/story/{id}");
  EXPECT_NE(refusal("/story/{id}").find("there already"), std::string::npos);
  EXPECT_NE(refusal("/story/{name}").find("same paths as \"/story/{id}\""), std::string::npos);
  router.add_regex("/x", handler<Target<0>>);
  EXPECT_THROW(router.add_regex("/x", handler<Target<0>>), UsageError);
}

TEST_F(RouteTableTest, MethodsShareAPatternButNotTwice) {
  router.add_pattern("/x", http::Method::get, handler<Target<0>>);
  router.add_pattern("/x", http::Method::post, handler<Target<1>>);
  EXPECT_THROW(router.add_pattern("/x", http::Method::get, handler<Target<2>>), UsageError);
  EXPECT_THROW(router.add_pattern("/x", handler<Target<3>>), UsageError);
}

TEST_F(RouteTableTest, AVerbsParametersMustFitItsPattern) {
  EXPECT_THROW(router.add_pattern("/one/{a}", handler<TakesTwo>), UsageError);
  EXPECT_NO_THROW(router.add_pattern("/two/{a}/{b}", handler<TakesTwo>));
  EXPECT_NO_THROW(router.add_pattern("/none/{a}/{b}/{c}", handler<Target<0>>));
}

}  // namespace
}  // namespace squall::web
