#include "rest/message.h"

#include <gtest/gtest.h>

namespace elb::rest {
namespace {

using Texts = std::vector<std::string>;

TEST(QueryTest, KeepsAllValuesInOrder) {
  const Query query("a=1&b=2&a=3&&c&=x");

  EXPECT_EQ(query.All("a"), (Texts{"1", "3"}));
  EXPECT_EQ(query.First("a"), "1");
  EXPECT_EQ(query.First("c"), "");
  EXPECT_EQ(query.First("d"), std::nullopt);
}

TEST(QueryTest, DecodesNamesAndValues) {
  const Query query("a%20b=c+d%2B&e=%zz%4");

  EXPECT_EQ(query.First("a b"), "c d+");
  EXPECT_EQ(query.First("e"), "%zz%4");
}

TEST(SplitPathTest, LeavesEmptySegmentsOut) {
  EXPECT_EQ(SplitPath("/v3/p/elb/pools/"), (Texts{"v3", "p", "elb", "pools"}));
  EXPECT_EQ(SplitPath("/"), Texts{});
}

TEST(SplitPathTest, DecodesSegmentsAfterSplitting) {
  EXPECT_EQ(SplitPath("/a%2Fb/c+d/%41"), (Texts{"a/b", "c+d", "A"}));
}

}  // namespace
}  // namespace elb::rest
