#include "http/uri.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>

namespace elb::http {
namespace {

std::string Path(std::string_view path) {
  std::string space;
  return std::string(MatchPath(path, space));
}

std::string Host(std::string_view authority) {
  std::string space;
  return std::string(MatchHost(authority, space));
}

std::string Decoded(std::string_view text) {
  std::string space;
  return std::string(DecodeQueryText(text, space));
}

TEST(AuthorityTest, SplitsHostAndPort) {
  EXPECT_EQ(SplitAuthority("a.test")->host, "a.test");
  EXPECT_EQ(SplitAuthority("a.test")->port, std::nullopt);
  EXPECT_EQ(SplitAuthority("a.test:8080")->host, "a.test");
  EXPECT_EQ(SplitAuthority("a.test:8080")->port, 8080);
  EXPECT_EQ(SplitAuthority("a.test:65535")->port, 65535);
  EXPECT_EQ(SplitAuthority("a.test:")->port, std::nullopt);
  EXPECT_FALSE(SplitAuthority("192.0.2.1:80")->is_ip_literal);
}

TEST(AuthorityTest, TakesBracketsOffIpLiterals) {
  EXPECT_EQ(SplitAuthority("[::1]")->host, "::1");
  EXPECT_TRUE(SplitAuthority("[::1]")->is_ip_literal);
  EXPECT_EQ(SplitAuthority("[::1]:443")->port, 443);
}

TEST(AuthorityTest, RefusesWhatIsNoAuthority) {
  for (const char* text :
       {"", ":80", "[", "[]", "[::1", "[::1]80", "a:65536", "a:x", "a:-1", "a:1:2"}) {
    EXPECT_FALSE(SplitAuthority(text)) << text;
  }
}

TEST(AuthorityTest, TellsAddressesFromNames) {
  EXPECT_TRUE(IsIpAddress("192.0.2.1"));
  EXPECT_TRUE(IsIpAddress("2001:db8::1"));
  EXPECT_FALSE(IsIpAddress("a.test"));
  EXPECT_FALSE(IsIpAddress("192.0.2"));
  EXPECT_FALSE(IsIpAddress("[::1]"));
  EXPECT_FALSE(IsIpAddress(""));
}

TEST(MatchHostTest, ComparesWithoutPortDotBracketsAndCase) {
  EXPECT_EQ(Host("a.test"), "a.test");
  EXPECT_EQ(Host("A.Test.:8080"), "a.test");
  EXPECT_EQ(Host("[2001:DB8::1]:443"), "2001:db8::1");
  EXPECT_EQ(Host("192.0.2.1"), "192.0.2.1");
  EXPECT_EQ(Host(""), "");
}

TEST(MatchPathTest, LeavesPlainPathsWhereTheyAre) {
  const std::string_view path = "/a/b.c/d";
  std::string space;

  EXPECT_EQ(MatchPath(path, space).data(), path.data());
  EXPECT_EQ(Path("*"), "*");
  EXPECT_EQ(Path("/"), "/");
}

TEST(MatchPathTest, DecodesUnreservedCharactersOnly) {
  EXPECT_EQ(Path("/%61%5A%30%2d%2E%5f%7e"), "/aZ0-._~");
  EXPECT_EQ(Path("/a%2Fb%3f%25%20%C3%a4"), "/a%2Fb%3f%25%20%C3%a4");
  EXPECT_EQ(Path("/%2561"), "/%2561");
}

TEST(MatchPathTest, KeepsEscapesThatAreNone) {
  EXPECT_EQ(Path("/%"), "/%");
  EXPECT_EQ(Path("/%6"), "/%6");
  EXPECT_EQ(Path("/%zz%6g"), "/%zz%6g");
}

/// RFC 3986 sections 5.2.4 and 5.4.
TEST(MatchPathTest, ResolvesDotSegments) {
  EXPECT_EQ(Path("/a/b/c/./../../g"), "/a/g");
  EXPECT_EQ(Path("/x/../admin"), "/admin");
  EXPECT_EQ(Path("/x/%2e%2E/admin"), "/admin");
  EXPECT_EQ(Path("/x/.%2e/admin"), "/admin");
  EXPECT_EQ(Path("/../../a"), "/a");
  EXPECT_EQ(Path("/a/."), "/a/");
  EXPECT_EQ(Path("/a/.."), "/");
  EXPECT_EQ(Path("/a/b/.."), "/a/");
  EXPECT_EQ(Path("/."), "/");
  EXPECT_EQ(Path("/.."), "/");
  EXPECT_EQ(Path("/./a"), "/a");
}

TEST(MatchPathTest, KeepsSegmentsThatOnlyStartWithDots) {
  EXPECT_EQ(Path("/.a/..b/...//.c."), "/.a/..b/...//.c.");
  EXPECT_EQ(Path("/..%2fadmin"), "/..%2fadmin");
}

TEST(MatchPathTest, KeepsRepeatedSlashes) {
  EXPECT_EQ(Path("//a///b/"), "//a///b/");
  EXPECT_EQ(Path("/a//../b"), "/a/b");
  EXPECT_EQ(Path("//.."), "/");
}

TEST(QueryTest, SplitsParameters) {
  std::string_view query = "a=1&&b&=c&d=e=f&";
  const std::pair<const char*, const char*> expected[] = {
      {"a", "1"}, {"b", ""}, {"", "c"}, {"d", "e=f"}};
  QueryParameter parameter;

  for (const auto& [key, value] : expected) {
    ASSERT_TRUE(NextQueryParameter(query, parameter));
    EXPECT_EQ(parameter.key, key);
    EXPECT_EQ(parameter.value, value);
  }
  EXPECT_FALSE(NextQueryParameter(query, parameter));
}

TEST(QueryTest, HasNoParametersWhenEmpty) {
  std::string_view query;
  QueryParameter parameter;

  EXPECT_FALSE(NextQueryParameter(query, parameter));
}

TEST(QueryTest, DecodesEscapesAndPlus) {
  EXPECT_EQ(Decoded("plain"), "plain");
  EXPECT_EQ(Decoded("a+b%20c%2Bd%c3%A4"), "a b c+d\xc3\xa4");
  EXPECT_EQ(Decoded("100%&%4"), "100%&%4");
}

}  // namespace
}  // namespace elb::http
