#include "proxy/pattern.h"

#include <gtest/gtest.h>

#include <string>

namespace elb::proxy {
namespace {

bool RegexMatches(std::string_view expression, std::string_view text) {
  return WholeRegex::Create(expression)->Matches(text);
}

bool WildcardMatches(std::string_view pattern, std::string_view text) {
  return Wildcard::Create(pattern)->Matches(text);
}

TEST(WholeRegexTest, MatchesWholeTextsOnly) {
  EXPECT_TRUE(RegexMatches("/a+", "/aaa"));
  EXPECT_FALSE(RegexMatches("/a+", "/aaab"));
  EXPECT_FALSE(RegexMatches("a+", "/aaa"));
}

TEST(WholeRegexTest, LooksAtLiteralBeginningsWithoutLosingMatches) {
  EXPECT_TRUE(RegexMatches("/abc*", "/ab"));
  EXPECT_TRUE(RegexMatches("/abc?/d", "/ab/d"));
  EXPECT_TRUE(RegexMatches("/abc{0,2}", "/ab"));
  EXPECT_TRUE(RegexMatches("/abc+", "/abcc"));
  EXPECT_FALSE(RegexMatches("/abc+", "/ab"));
  EXPECT_TRUE(RegexMatches("/abc|/xyz", "/xyz"));
  EXPECT_TRUE(RegexMatches("/a(b|c)", "/ac"));
  EXPECT_TRUE(RegexMatches("^/abc$", "/abc"));
  EXPECT_TRUE(RegexMatches("(?i)/abc", "/ABC"));
  EXPECT_TRUE(RegexMatches("^.+$", "/"));
}

TEST(WholeRegexTest, RefusesWhatRe2DoesNotKnow) {
  EXPECT_FALSE(WholeRegex::Create("/a(?=b)").has_value());
  EXPECT_FALSE(WholeRegex::Create(R"(/(a)\1)").has_value());
  EXPECT_FALSE(WholeRegex::Create("/a[").has_value());
}

TEST(WholeRegexTest, RefusesWhatNeedsTooMuchMemory) {
  EXPECT_FALSE(WholeRegex::Create(R"((\pL{300}){3})").has_value());
}

TEST(WildcardTest, ComparesTextWithoutWildcards) {
  EXPECT_TRUE(WildcardMatches("a.b", "a.b"));
  EXPECT_FALSE(WildcardMatches("a.b", "axb"));
  EXPECT_FALSE(WildcardMatches("a", "A"));
}

TEST(WildcardTest, TakesAnyRunForAStar) {
  EXPECT_TRUE(WildcardMatches("*", ""));
  EXPECT_TRUE(WildcardMatches("ab*", "ab"));
  EXPECT_TRUE(WildcardMatches("ab*", "abc"));
  EXPECT_FALSE(WildcardMatches("ab*", "xab"));
  EXPECT_TRUE(WildcardMatches("*ab", "xxab"));
  EXPECT_FALSE(WildcardMatches("*ab", "abx"));
  EXPECT_TRUE(WildcardMatches("*ab*", "xaby"));
  EXPECT_FALSE(WildcardMatches("*ab*", "xa-by"));
  EXPECT_TRUE(WildcardMatches("a*b*c", "a--b--c"));
  EXPECT_FALSE(WildcardMatches("a*b*c", "a--c--b"));
  EXPECT_TRUE(WildcardMatches("a**c", "ac"));
}

TEST(WildcardTest, TakesOneByteForAQuestionMark) {
  EXPECT_TRUE(WildcardMatches("a?c", "abc"));
  EXPECT_FALSE(WildcardMatches("a?c", "ac"));
  EXPECT_FALSE(WildcardMatches("?", ""));
  EXPECT_TRUE(WildcardMatches("?*", "x"));
  EXPECT_TRUE(WildcardMatches("*b?", "aaabc"));
  EXPECT_FALSE(WildcardMatches("*b?", "aaab"));
  EXPECT_TRUE(WildcardMatches("a?c",
                              "a\xff"
                              "c"));
  EXPECT_TRUE(WildcardMatches("a?c*", "a\nc\n"));
}

TEST(WildcardTest, TakesEverythingElseAsItStands) {
  EXPECT_TRUE(WildcardMatches("(a+)[b]*?", "(a+)[b]--"));
  EXPECT_FALSE(WildcardMatches(".?.*", "abc"));
}

}  // namespace
}  // namespace elb::proxy
