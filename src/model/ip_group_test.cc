#include "model/ip_group.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "model/testing/json.h"

namespace elb::model {
namespace {

using testing::CreateProblem;
using testing::PathOf;
using testing::UpdateProblem;

TEST(IpGroupTest, TakesAddressesAndNetworksOfBothVersions) {
  IpGroup group{.ip_list = {{.ip = "192.0.2.1"},
                            {.ip = "10.0.0.77/8"},
                            {.ip = "2001:db8::1"},
                            {.ip = "2001:db8::/32"}}};

  EXPECT_EQ(PathOf(CheckIpGroup(group, 300)), "");
  EXPECT_EQ(group.ip_list[1].ip, "10.0.0.77/8");
}

TEST(IpGroupTest, NamesTheEntryThatIsNoNetwork) {
  for (const char* bad :
       {"192.0.2", "192.0.2.1/33", "::/129", "shop.example", "10.0.0.1-10.0.0.9"}) {
    IpGroup group{.ip_list = {{.ip = "192.0.2.1"}, {.ip = bad}}};
    EXPECT_EQ(PathOf(CheckIpGroup(group, 300)), "ipgroup.ip_list[1].ip") << bad;
  }
}

TEST(IpGroupTest, MergesEqualNetworksAtTheFirstPositionWithTheLastDescription) {
  IpGroup group{.ip_list = {{.ip = "10.0.0.1", .description = "a"},
                            {.ip = "2001:db8::1", .description = "b"},
                            {.ip = "10.0.0.1/32", .description = "c"},
                            {.ip = "2001:db8:0:0::1", .description = "d"}}};

  ASSERT_TRUE(CheckIpGroup(group, 300));

  EXPECT_EQ(group.ip_list, (std::vector<IpEntry>{{.ip = "10.0.0.1", .description = "c"},
                                                 {.ip = "2001:db8::1", .description = "d"}}));
}

TEST(IpGroupTest, CountsMergedEntriesAgainstTheQuota) {
  IpGroup group{.ip_list = {{.ip = "10.0.0.1"}, {.ip = "10.0.0.1"}, {.ip = "10.0.0.2"}}};
  EXPECT_TRUE(CheckIpGroup(group, 2));

  group.ip_list.push_back({.ip = "10.0.0.3"});
  const auto over = CheckIpGroup(group, 2);
  ASSERT_FALSE(over);
  EXPECT_EQ(over.error().kind, ErrorKind::kQuota);
  EXPECT_TRUE(CheckIpGroup(group, -1));
}

TEST(IpGroupTest, AddsNewEntriesAndRedescribesKnownOnes) {
  std::vector<IpEntry> list{{.ip = "10.0.0.1", .description = "a"}};

  ASSERT_TRUE(AddIpEntries(
      list, {{.ip = "10.0.0.2", .description = "b"}, {.ip = "10.0.0.1/32", .description = "c"}}));

  EXPECT_EQ(list, (std::vector<IpEntry>{{.ip = "10.0.0.1", .description = "c"},
                                        {.ip = "10.0.0.2", .description = "b"}}));
}

TEST(IpGroupTest, RemovesEntriesByNetworkAndIgnoresUnknownOnes) {
  std::vector<IpEntry> list{{.ip = "10.0.0.1"}, {.ip = "10.0.0.2"}};

  ASSERT_TRUE(RemoveIpEntries(list, {{.ip = "10.0.0.1/32"}, {.ip = "192.0.2.1"}}));

  EXPECT_EQ(list, (std::vector<IpEntry>{{.ip = "10.0.0.2"}}));
}

TEST(IpGroupTest, TakesAnAbsentOrNullListForAnEmptyOne) {
  IpGroup group;
  EXPECT_EQ(CreateProblem(IpGroupSchema(), R"({})", &group), "");
  group.ip_list = {{.ip = "10.0.0.1"}};
  EXPECT_EQ(UpdateProblem(IpGroupSchema(), R"({"ip_list":null})", &group), "");
  EXPECT_TRUE(group.ip_list.empty());
}

TEST(IpGroupTest, ReplacesTheWholeListOnUpdate) {
  IpGroup group{.ip_list = {{.ip = "10.0.0.1"}, {.ip = "10.0.0.2"}}};

  EXPECT_EQ(UpdateProblem(IpGroupSchema(), R"({"ip_list":[{"ip":"192.0.2.1"}]})", &group), "");

  EXPECT_EQ(group.ip_list, (std::vector<IpEntry>{{.ip = "192.0.2.1"}}));
}

TEST(IpGroupTest, NamesTheEntryOfAWrongForm) {
  IpGroup group;
  EXPECT_EQ(CreateProblem(IpGroupSchema(), R"({"ip_list":"10.0.0.1"})", &group), "ipgroup.ip_list");
  EXPECT_EQ(CreateProblem(IpGroupSchema(), R"({"ip_list":["10.0.0.1"]})", &group),
            "ipgroup.ip_list[0]");
  EXPECT_EQ(CreateProblem(IpGroupSchema(), R"({"ip_list":[{"description":"a"}]})", &group),
            "ipgroup.ip_list[0].ip");
  EXPECT_EQ(CreateProblem(IpGroupSchema(),
                          R"({"ip_list":[{"ip":"10.0.0.1","description":")" +
                              std::string(256, 'x') + R"("}]})",
                          &group),
            "ipgroup.ip_list[0].description");
}

}  // namespace
}  // namespace elb::model
