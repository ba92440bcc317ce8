// SPDX-License-Identifier: Apache-2.0
#include "locale/plural_rule.hpp"

#include <squall/base/limits.hpp>

#include <gtest/gtest.h>

#include <limits>
#include <string>

namespace squall::locale {
namespace {

// The forms of 0, 1, 2, ... as digits.
std::string forms(const std::string& field, std::uint64_t count) {
  std::string why;
  const auto rule = PluralRule::parse(field, why);
  if (!rule) return why;
  std::string out;
  for (std::uint64_t n = 0; n < count; ++n) out += std::to_string(rule->form(n));
  return out;
}

std::string refusal(const std::string& field) {
  std::string why;
  EXPECT_FALSE(PluralRule::parse(field, why)) << field;
  return why;
}

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

TEST(PluralRuleTest, WithoutAFieldOneIsSingular) {
  const PluralRule rule;
  EXPECT_EQ(rule.form(0), 1u);
  EXPECT_EQ(rule.form(1), 0u);
  EXPECT_EQ(rule.form(2), 1u);
  EXPECT_EQ(rule.form_count(), 2u);
}

TEST(PluralRuleTest, RulesOfLanguagesAreEvaluated) {
  EXPECT_EQ(forms("nplurals=1; plural=0;", 5), "00000");
  EXPECT_EQ(forms("nplurals=2; plural=n > 1", 4), "0011");
  EXPECT_EQ(forms("nplurals=3; plural=n%10==1 && n%100!=11 ? 0 : n%10>=2 && n%10<=4 && (n%100<10 "
                  "|| n%100>=20) ? 1 : 2;",
                  26),
            "20111222222222222222201112");
  EXPECT_EQ(forms("nplurals=6; plural=n==0 ? 0 : n==1 ? 1 : n==2 ? 2 : n%100>=3 && n%100<=10 ? 3 "
                  ": n%100>=11 ? 4 : 5;",
                  13),
            "0123333333344");
}

TEST(PluralRuleTest, PrecedencesAreThoseOfC) {
  const auto value = [](const std::string& expression) {
    return forms("nplurals=10; plural=" + expression + ";", 1);
  };
  EXPECT_EQ(value("1+2*3"), "7");
  EXPECT_EQ(value("(1+2)*3"), "9");
  EXPECT_EQ(value("9-3-2"), "4");
  EXPECT_EQ(value("8/2/2"), "2");
  EXPECT_EQ(value("7%4*2"), "6");
  EXPECT_EQ(value("1 || 0 && 0"), "1");
  EXPECT_EQ(value("1 < 2 == 1"), "1");
  EXPECT_EQ(value("2 == 1 < 2"), "0");
  EXPECT_EQ(value("!n + 1"), "2");
  EXPECT_EQ(value("!!5"), "1");
  EXPECT_EQ(value("1 ? 2 : 0 ? 3 : 4"), "2");
  EXPECT_EQ(value("0 ? 2 : 0 ? 3 : 4"), "4");
  EXPECT_EQ(value("1 ? 0 ? 5 : 6 : 7"), "6");
  EXPECT_EQ(value("3 >= 3"), "1");
  EXPECT_EQ(value("3 != 3"), "0");
}

TEST(PluralRuleTest, BranchesThatAreNotTakenDoNotMatter) {
  EXPECT_EQ(forms("nplurals=2; plural=n == 0 || 5 / n > 2;", 4), "1100");
}

TEST(PluralRuleTest, MalformedFieldsAreRefusedWithThePlace) {
  EXPECT_TRUE(has(refusal("nplurals=2;"), "nplurals=NUMBER; plural=EXPRESSION"));
  EXPECT_TRUE(has(refusal("plural=n;"), "nplurals=NUMBER"));
  EXPECT_TRUE(has(refusal("nplurals=0; plural=0;"), "nplurals is 1 to 16"));
  EXPECT_TRUE(has(refusal("nplurals=17; plural=0;"), "nplurals is 1 to 16"));
  EXPECT_TRUE(has(refusal("nplurals=INTEGER; plural=EXPRESSION;"), "not \"INTEGER\""));
  EXPECT_TRUE(has(refusal("nplurals=99999999999999999999999; plural=0;"), "nplurals is"));
  EXPECT_TRUE(has(refusal("nplurals=2; plural=;"), "character 1: expected a number"));
  EXPECT_TRUE(has(refusal("nplurals=2; plural=n==1 ? 0;"), "character 9: expected ':'"));
  EXPECT_TRUE(has(refusal("nplurals=2; plural=(n;"), "expected ')'"));
  EXPECT_TRUE(has(refusal("nplurals=2; plural=n n;"), "character 3: what is this"));
  EXPECT_TRUE(has(refusal("nplurals=2; plural=n=1;"), "character 2: what is this"));
  EXPECT_TRUE(has(refusal("nplurals=2; plural=-1;"), "expected a number"));
  EXPECT_TRUE(has(refusal("nplurals=2; plural=9999999999999999;"), "too large"));
  EXPECT_TRUE(has(refusal("nplurals=2; plural=system(n);"), "expected a number"));
}

TEST(PluralRuleTest, FormsThatThereAreNotAreRefused) {
  EXPECT_TRUE(has(refusal("nplurals=2; plural=n;"), "none of the 2 forms for 2"));
  EXPECT_TRUE(has(refusal("nplurals=2; plural=1/n;"), "none of the 2 forms for 0"));
  EXPECT_TRUE(has(refusal("nplurals=2; plural=n-1;"), "for 0"));
}

TEST(PluralRuleTest, CountsPastThoseTriedHaveNoFormRatherThanAWrongOne) {
  std::string why;
  const auto rule = PluralRule::parse("nplurals=2; plural=n / 5000;", why);
  ASSERT_TRUE(rule) << why;
  EXPECT_EQ(rule->form(9999), 1u);
  EXPECT_EQ(rule->form(10'000), PluralRule::npos);
  EXPECT_EQ(rule->form(std::numeric_limits<std::uint64_t>::max()), PluralRule::npos);
}

TEST(PluralRuleTest, SizesAreBounded) {
  const auto nested = [](std::size_t depth) {
    return "nplurals=2; plural=" + std::string(depth, '(') + "n==1" + std::string(depth, ')');
  };
  EXPECT_EQ(forms(nested(limits::plural_expression_depth), 3), "010");
  EXPECT_TRUE(has(refusal(nested(limits::plural_expression_depth + 1)), "within each other"));
  EXPECT_TRUE(has(refusal(nested(100'000)), "within each other"));
  EXPECT_TRUE(has(refusal("nplurals=2; plural=" + std::string(100'000, '!') + "n"), "within"));
  std::string chain = "nplurals=2; plural=n==1";
  for (std::size_t i = 0; i < limits::plural_expression_nodes; ++i) chain += "||n==1";
  EXPECT_TRUE(has(refusal(chain), "too many parts"));
}

}  // namespace
}  // namespace squall::locale
