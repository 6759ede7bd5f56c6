#include "model/l7_rule.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "model/testing/json.h"

namespace elb::model {
namespace {

using testing::CreateProblem;
using testing::PathOf;
using testing::UpdateProblem;

const ForwardingTraits kBasic{.listener_protocol = "HTTP"};
const ForwardingTraits kAdvanced{.listener_protocol = "HTTP", .advanced = true};

std::string Problem(const L7Rule& rule, const ForwardingTraits& traits = kAdvanced) {
  return PathOf(CheckL7Rule(rule, "rule", traits));
}

L7Rule Make(const std::string& type, const std::string& compare_type, const std::string& value) {
  return {.type = type, .compare_type = compare_type, .value = value};
}

TEST(L7RuleTest, RefusesWrongTypesAndUnknownWords) {
  L7Rule rule;
  const auto created = [&](const char* body) { return CreateProblem(L7RuleSchema(), body, &rule); };
  EXPECT_EQ(created(R"({"compare_type":"EQUAL_TO","value":"/"})"), "rule.type");
  EXPECT_EQ(created(R"({"type":"path","compare_type":"EQUAL_TO"})"), "rule.type");
  EXPECT_EQ(created(R"({"type":"PATH","compare_type":"CONTAINS"})"), "rule.compare_type");
  EXPECT_EQ(created(R"({"type":"PATH","compare_type":"REGEX","value":1})"), "rule.value");
  EXPECT_EQ(created(R"({"type":"PATH","compare_type":"REGEX","conditions":[{"key":""}]})"),
            "rule.conditions[0].value");
}

TEST(L7RuleTest, TakesTenConditionsAndNotMore) {
  const auto conditions = [](int count) {
    std::string body = R"({"type":"PATH","compare_type":"EQUAL_TO","conditions":[)";
    for (int i = 0; i < count; ++i) {
      body += (i > 0 ? ",{\"value\":\"/" : "{\"value\":\"/") + std::to_string(i) + "\"}";
    }
    return body + "]}";
  };
  L7Rule rule;
  EXPECT_EQ(CreateProblem(L7RuleSchema(), conditions(10), &rule), "");
  EXPECT_EQ(CreateProblem(L7RuleSchema(), conditions(11), &rule), "rule.conditions");
}

TEST(L7RuleTest, KeepsItsTypeAndTakesAnyOneFieldInAnUpdate) {
  L7Rule rule = Make("PATH", "EQUAL_TO", "/a");
  EXPECT_EQ(UpdateProblem(L7RuleSchema(), R"({"type":"HOST_NAME"})", &rule), "rule.type");
  EXPECT_EQ(UpdateProblem(L7RuleSchema(), R"({"compare_type":"STARTS_WITH"})", &rule), "");
  EXPECT_EQ(rule.value, "/a");
  EXPECT_EQ(rule.compare_type, "STARTS_WITH");
}

TEST(L7RuleTest, ClearsKeyAndConditionsOnNullAndRefusesANullFlag) {
  L7Rule rule = Make("HEADER", "EQUAL_TO", "");
  rule.key = "X";
  rule.conditions = {{.key = "X", .value = "1"}};
  EXPECT_EQ(UpdateProblem(L7RuleSchema(), R"({"key":null,"conditions":null})", &rule), "");
  EXPECT_EQ(rule.key, "");
  EXPECT_TRUE(rule.conditions.empty());
  EXPECT_EQ(UpdateProblem(L7RuleSchema(), R"({"invert":null})", &rule), "rule.invert");
}

TEST(L7RuleTest, ComparesOnlyPathsOtherwiseThanByEquality) {
  EXPECT_EQ(Problem(Make("PATH", "STARTS_WITH", "/a")), "");
  EXPECT_EQ(Problem(Make("HOST_NAME", "STARTS_WITH", "a.b")), "rule.compare_type");
  EXPECT_EQ(Problem(Make("METHOD", "REGEX", "GET")), "rule.compare_type");
}

TEST(L7RuleTest, NeedsAValueOrConditions) {
  EXPECT_EQ(Problem(Make("PATH", "EQUAL_TO", "")), "rule.value");
  L7Rule rule = Make("PATH", "EQUAL_TO", "");
  rule.conditions = {{.value = "/a"}};
  EXPECT_EQ(Problem(rule), "");
}

TEST(L7RuleTest, KnowsTheFormOfEachType) {
  struct Row {
    const char* type;
    const char* value;
    bool good;
  };
  for (const Row& row : std::vector<Row>{{"HOST_NAME", "www.shop.example", true},
                                         {"HOST_NAME", "*.shop.example", true},
                                         {"HOST_NAME", "www.*.example", false},
                                         {"HOST_NAME", "-shop.example", false},
                                         {"HOST_NAME", "shop_1.example", false},
                                         {"PATH", "/a-b_c~';@^%#&$.*+?,=!:|/()[]{}", true},
                                         {"PATH", "a", false},
                                         {"PATH", "/a b", false},
                                         {"METHOD", "PATCH", true},
                                         {"METHOD", "TRACE", false},
                                         {"METHOD", "get", false},
                                         {"SOURCE_IP", "192.0.2.0/24", true},
                                         {"SOURCE_IP", "2001:db8::/32", true},
                                         {"SOURCE_IP", "192.0.2.0/33", false}}) {
    EXPECT_EQ(Problem(Make(row.type, "EQUAL_TO", row.value)), row.good ? "" : "rule.value")
        << row.type << ' ' << row.value;
  }
}

TEST(L7RuleTest, TakesAnyRegularExpressionOfRe2) {
  EXPECT_EQ(Problem(Make("PATH", "REGEX", "^.+$")), "");
  EXPECT_EQ(Problem(Make("PATH", "REGEX", R"(/elb[^\s]*)")), "");
  EXPECT_EQ(Problem(Make("PATH", "REGEX", "(")), "rule.value");
  EXPECT_EQ(Problem(Make("PATH", "REGEX", "(?=a)")), "rule.value");
  EXPECT_EQ(Problem(Make("PATH", "REGEX", R"((a)\1)")), "rule.value");
}

TEST(L7RuleTest, NeedsKeysForHeadersAndQueriesOnly) {
  L7Rule header = Make("HEADER", "EQUAL_TO", "");
  header.conditions = {{.key = "X-Tenant", .value = "a*"}, {.key = "X-Tenant", .value = "b?"}};
  EXPECT_EQ(Problem(header), "");
  header.conditions[1].key = "X-Other";
  EXPECT_EQ(Problem(header), "rule.conditions[1].key");
  header.conditions = {{.key = "X Tenant", .value = "a"}};
  EXPECT_EQ(Problem(header), "rule.conditions[0].key");
  header.conditions = {{.key = "X-Tenant", .value = "a b"}};
  EXPECT_EQ(Problem(header), "rule.conditions[0].value");

  L7Rule query = Make("QUERY_STRING", "EQUAL_TO", "a");
  EXPECT_EQ(Problem(query), "rule.key");
  query.key = "region";
  EXPECT_EQ(Problem(query), "");

  L7Rule path = Make("PATH", "EQUAL_TO", "");
  path.conditions = {{.key = "k", .value = "/a"}};
  EXPECT_EQ(Problem(path), "rule.conditions[0].key");
}

TEST(L7RuleTest, RefusesEqualConditions) {
  L7Rule rule = Make("PATH", "EQUAL_TO", "");
  rule.conditions = {{.value = "/a"}, {.value = "/b"}, {.value = "/a"}};
  EXPECT_EQ(Problem(rule), "rule.conditions[2].value");
}

TEST(L7RuleTest, KeepsBasicForwardingBasic) {
  EXPECT_EQ(Problem(Make("PATH", "REGEX", "/a"), kBasic), "");
  EXPECT_EQ(Problem(Make("METHOD", "EQUAL_TO", "GET"), kBasic), "rule.type");
  EXPECT_EQ(Problem(Make("HOST_NAME", "EQUAL_TO", "*.a"), kBasic), "rule.value");
  L7Rule rule = Make("PATH", "EQUAL_TO", "/a");
  rule.invert = true;
  EXPECT_EQ(Problem(rule, kBasic), "rule.invert");
  rule.conditions = {{.value = "/b"}};
  EXPECT_EQ(Problem(rule, kBasic), "rule.conditions");
}

TEST(L7RuleTest, CallsItRestrictedOnSharedLoadBalancers) {
  const auto checked = CheckL7Rule(Make("METHOD", "EQUAL_TO", "GET"), "rule",
                                   {.listener_protocol = "HTTP", .kind = Kind::kShared});
  ASSERT_FALSE(checked);
  EXPECT_EQ(checked.error().kind, ErrorKind::kRestricted);
}

TEST(RuleSetTest, HasHostPathMethodAndSourceOnce) {
  const L7Rule path = Make("PATH", "EQUAL_TO", "/a");
  const L7Rule header = Make("HEADER", "EQUAL_TO", "a");

  EXPECT_EQ(PathOf(CheckRuleSet({header, path, header}, "rules", 10)), "");
  const auto twice = CheckRuleSet({path, header, path}, "rules", 10);
  ASSERT_FALSE(twice);
  EXPECT_EQ(twice.error().path, "rules[2].type");
  EXPECT_EQ(twice.error().kind, ErrorKind::kConflict);
}

TEST(RuleSetTest, CountsConditionsOfAllRules) {
  L7Rule rule = Make("HEADER", "EQUAL_TO", "");
  rule.conditions.resize(9);
  EXPECT_TRUE(CheckRuleSet({rule, Make("PATH", "EQUAL_TO", "/")}, "rules", 10));
  rule.conditions.resize(10);
  const auto over = CheckRuleSet({rule, Make("PATH", "EQUAL_TO", "/")}, "rules", 10);
  ASSERT_FALSE(over);
  EXPECT_EQ(over.error().kind, ErrorKind::kQuota);
}

}  // namespace
}  // namespace elb::model
