#include "model/l7_policy.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "model/document.h"
#include "model/testing/json.h"

namespace elb::model {
namespace {

using testing::CreateProblem;
using testing::PathOf;
using testing::UpdateProblem;
using testing::ValueOf;

const ForwardingTraits kBasic{.listener_protocol = "HTTP"};
const ForwardingTraits kAdvanced{.listener_protocol = "HTTP", .advanced = true};

std::string Problem(L7Policy policy, const ForwardingTraits& traits = kAdvanced) {
  return PathOf(CheckL7Policy(policy, traits, 10));
}

std::string Created(const std::string& fields) {
  L7Policy policy;
  return CreateProblem(L7PolicySchema(),
                       R"({"listener_id":"l","action":"REDIRECT_TO_POOL")" + fields + "}", &policy);
}

L7Policy ToPool() {
  return {.listener_id = "l", .action = "REDIRECT_TO_POOL", .redirect_pool_id = "p"};
}

L7Policy ToUrl(RedirectUrl url) {
  url.status_code = "301";
  return {.listener_id = "l", .action = "REDIRECT_TO_URL", .redirect_url_config = url};
}

TEST(L7PolicyTest, NamesFieldsOutOfRange) {
  EXPECT_EQ(Created(R"(,"position":0)"), "l7policy.position");
  EXPECT_EQ(Created(R"(,"position":101)"), "l7policy.position");
  EXPECT_EQ(Created(R"(,"priority":10001)"), "l7policy.priority");
  EXPECT_EQ(Created(R"(,"priority":10000)"), "");
  EXPECT_EQ(Created(R"(,"action":"DROP")"), "l7policy.action");
  EXPECT_EQ(Created(R"(,"rules":[{"type":"PATH"}])"), "l7policy.rules[0].compare_type");
}

TEST(L7PolicyTest, NamesPartsOfConfigurationsThatAreWrong) {
  const auto url = [](const std::string& part) {
    return Created(R"(,"redirect_url_config":{"status_code":"301",)" + part + "}");
  };
  EXPECT_EQ(url(R"("protocol":"ftp")"), "l7policy.redirect_url_config.protocol");
  EXPECT_EQ(url(R"("host":"-a.b")"), "l7policy.redirect_url_config.host");
  EXPECT_EQ(url(R"("host":"www.${host}")"), "");
  EXPECT_EQ(url(R"("port":"0")"), "l7policy.redirect_url_config.port");
  EXPECT_EQ(url(R"("port":443)"), "l7policy.redirect_url_config.port");
  EXPECT_EQ(url(R"("path":"a")"), "l7policy.redirect_url_config.path");
  EXPECT_EQ(url(R"("path":"x${path}")"), "");
  EXPECT_EQ(url(R"("query":"${query}&a=1")"), "");
  EXPECT_EQ(url(R"("query":"a b")"), "l7policy.redirect_url_config.query");
  EXPECT_EQ(Created(R"(,"redirect_url_config":{"host":"a"})"),
            "l7policy.redirect_url_config.status_code");
  EXPECT_EQ(Created(R"(,"fixed_response_config":{"status_code":"301"})"),
            "l7policy.fixed_response_config.status_code");
  EXPECT_EQ(Created(R"(,"fixed_response_config":{"status_code":"599","content_type":"a/b"})"),
            "l7policy.fixed_response_config.content_type");
}

TEST(L7PolicyTest, BoundsTheBodyOfAFixedResponse) {
  const auto body = [](std::size_t size) {
    return Created(R"(,"fixed_response_config":{"status_code":"200","message_body":")" +
                   std::string(size, 'x') + "\"}");
  };
  EXPECT_EQ(body(1024), "");
  EXPECT_EQ(body(1025), "l7policy.fixed_response_config.message_body");
}

TEST(L7PolicyTest, ShowsWeightsInTheTypeSent) {
  L7Policy policy;
  ASSERT_EQ(CreateProblem(L7PolicySchema(),
                          R"({"listener_id":"l","action":"REDIRECT_TO_POOL","redirect_pools_config":
                              [{"pool_id":"a","weight":"7"},{"pool_id":"b","weight":8}]})",
                          &policy),
            "");

  EXPECT_EQ(
      ValueOf(WriteText(L7PolicySchema(), &policy, Purpose::kResponse), "redirect_pools_config"),
      R"([{"pool_id":"a","weight":"7"},{"pool_id":"b","weight":8}])");
}

TEST(L7PolicyTest, NamesTheWeightThatIsWrong) {
  for (const char* weight : {"101", "-1", "\"x\"", "\"\"", "\"1.5\"", "1.5", "true", "null"}) {
    EXPECT_EQ(Created(std::string(R"(,"redirect_pools_config":[{"pool_id":"a","weight":)") +
                      weight + "}]"),
              "l7policy.redirect_pools_config[0].weight")
        << weight;
  }
  EXPECT_EQ(Created(R"(,"redirect_pools_config":[{"weight":1}])"),
            "l7policy.redirect_pools_config[0].pool_id");
  EXPECT_EQ(Created(R"(,"redirect_pools_config":{})"), "l7policy.redirect_pools_config");
}

TEST(L7PolicyTest, ClearsTargetsOnNull) {
  L7Policy policy = ToPool();
  policy.redirect_pools_config = {{.pool_id = "p", .weight = 1}};
  policy.priority = 3;

  EXPECT_EQ(UpdateProblem(L7PolicySchema(),
                          R"({"redirect_pool_id":null,"redirect_pools_config":null,"priority":null,
                              "redirect_url":null,"redirect_listener_id":"","rules":null})",
                          &policy),
            "");

  EXPECT_EQ(policy.redirect_pool_id, "");
  EXPECT_TRUE(policy.redirect_pools_config.empty());
  EXPECT_EQ(policy.priority, std::nullopt);
}

TEST(L7PolicyTest, KeepsListenerActionAndPosition) {
  L7Policy policy = ToPool();
  EXPECT_EQ(UpdateProblem(L7PolicySchema(), R"({"listener_id":"m"})", &policy),
            "l7policy.listener_id");
  EXPECT_EQ(UpdateProblem(L7PolicySchema(), R"({"action":"FIXED_RESPONSE"})", &policy),
            "l7policy.action");
  EXPECT_EQ(UpdateProblem(L7PolicySchema(), R"({"position":5})", &policy), "l7policy.position");
  EXPECT_EQ(UpdateProblem(L7PolicySchema(), R"({"position":100})", &policy), "");
}

TEST(L7PolicyTest, NeedsAnHttpOrHttpsListener) {
  EXPECT_EQ(Problem(ToPool(), {.listener_protocol = "TCP"}), "l7policy.listener_id");
  EXPECT_EQ(Problem(ToPool(), {.listener_protocol = "TERMINATED_HTTPS", .kind = Kind::kShared}),
            "");
}

TEST(L7PolicyTest, RedirectsToAListenerFromHttpOnlyAndNotToItself) {
  L7Policy policy{
      .listener_id = "l", .action = "REDIRECT_TO_LISTENER", .redirect_listener_id = "m"};
  EXPECT_EQ(Problem(policy, kBasic), "");
  EXPECT_EQ(Problem(policy, {.listener_protocol = "HTTPS"}), "l7policy.action");
  policy.redirect_listener_id = "l";
  EXPECT_EQ(Problem(policy, kBasic), "l7policy.redirect_listener_id");
}

TEST(L7PolicyTest, NeedsAdvancedForwardingForRedirectsAndFixedResponses) {
  EXPECT_EQ(Problem(ToUrl({.host = "a"}), kBasic), "l7policy.action");
  EXPECT_EQ(Problem(ToUrl({.host = "a"}), kAdvanced), "");
}

TEST(L7PolicyTest, NeedsTheTargetOfItsActionAndNoOther) {
  EXPECT_EQ(Problem({.listener_id = "l", .action = "REDIRECT_TO_POOL"}),
            "l7policy.redirect_pool_id");
  EXPECT_EQ(Problem({.listener_id = "l", .action = "REDIRECT_TO_URL"}),
            "l7policy.redirect_url_config");
  EXPECT_EQ(Problem({.listener_id = "l", .action = "FIXED_RESPONSE"}),
            "l7policy.fixed_response_config");
  L7Policy both = ToPool();
  both.fixed_response_config = FixedResponse{.status_code = "200"};
  EXPECT_EQ(Problem(both), "l7policy.fixed_response_config");
  L7Policy stored = ToPool();
  stored.redirect_url = "https://a/";
  EXPECT_EQ(Problem(stored), "");
}

TEST(L7PolicyTest, NamesEachGroupOnce) {
  L7Policy policy = ToPool();
  policy.redirect_pools_config = {{.pool_id = "a"}, {.pool_id = "b"}, {.pool_id = "a"}};
  EXPECT_EQ(Problem(policy), "l7policy.redirect_pools_config[2].pool_id");
}

TEST(L7PolicyTest, RefusesARedirectToTheSameUrl) {
  EXPECT_EQ(Problem(ToUrl({})), "l7policy.redirect_url_config");
  EXPECT_EQ(Problem(ToUrl({.query = "a=1"})), "");
  EXPECT_EQ(Problem(ToUrl({.port = "65535"})), "");
  EXPECT_EQ(Problem(ToUrl({.port = "65536"})), "l7policy.redirect_url_config.port");
}

TEST(L7PolicyTest, HasAPriorityWithAdvancedForwardingOnly) {
  L7Policy policy = ToPool();
  policy.priority = 0;
  ASSERT_TRUE(CheckL7Policy(policy, kBasic, 10));
  EXPECT_EQ(policy.priority, std::nullopt);
  policy.priority = 5;
  EXPECT_EQ(Problem(policy, kBasic), "l7policy.priority");
  EXPECT_EQ(Problem(policy, kAdvanced), "");
}

TEST(L7PolicyTest, RedirectsToAListenerWithPriorityZero) {
  L7Policy policy{
      .listener_id = "l", .action = "REDIRECT_TO_LISTENER", .redirect_listener_id = "m"};
  ASSERT_TRUE(CheckL7Policy(policy, kAdvanced, 10));
  EXPECT_EQ(policy.priority, 0);
  policy.priority = 1;
  EXPECT_EQ(Problem(policy), "l7policy.priority");
}

TEST(L7PolicyTest, ChecksInlineRules) {
  L7Policy policy = ToPool();
  policy.rules = {{.type = "PATH", .compare_type = "EQUAL_TO", .value = "/a"},
                  {.type = "HOST_NAME", .compare_type = "EQUAL_TO", .value = "a b"}};
  EXPECT_EQ(Problem(policy), "l7policy.rules[1].value");
  L7Policy redirect{
      .listener_id = "l", .action = "REDIRECT_TO_LISTENER", .redirect_listener_id = "m"};
  redirect.rules = {{.type = "PATH", .compare_type = "EQUAL_TO", .value = "/a"}};
  EXPECT_EQ(Problem(redirect), "l7policy.rules");
}

}  // namespace
}  // namespace elb::model
