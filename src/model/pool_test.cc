#include "model/pool.h"

#include <gtest/gtest.h>

#include <string>

#include "model/catalogue.h"
#include "model/testing/json.h"

namespace elb::model {
namespace {

using testing::CreateProblem;
using testing::PathOf;
using testing::UpdateProblem;

std::string Created(const std::string& fields) {
  Pool pool;
  return CreateProblem(PoolSchema(),
                       R"({"protocol":"HTTP","lb_algorithm":"ROUND_ROBIN")" + fields + "}", &pool);
}

Pool Make(const std::string& protocol, const std::string& algorithm = "ROUND_ROBIN") {
  return {.protocol = protocol, .lb_algorithm = algorithm, .loadbalancer_id = "b"};
}

Pool Sticky(const std::string& protocol, const std::string& type) {
  Pool pool = Make(protocol);
  pool.session_persistence = SessionPersistence{.type = type};
  return pool;
}

std::string Problem(Pool pool, Kind kind = Kind::kDedicated, const Given& given = {}) {
  return PathOf(CheckPool(pool, nullptr, kind, given));
}

std::string Changed(Pool pool, const Pool& before, Kind kind = Kind::kDedicated) {
  return PathOf(CheckPool(pool, &before, kind, {}));
}

TEST(PoolTest, NamesFieldsThatAreMissingOrWrong) {
  Pool pool;
  EXPECT_EQ(CreateProblem(PoolSchema(), R"({"lb_algorithm":"ROUND_ROBIN"})", &pool),
            "pool.protocol");
  EXPECT_EQ(CreateProblem(PoolSchema(), R"({"protocol":"HTTP"})", &pool), "pool.lb_algorithm");
  EXPECT_EQ(Created(R"(,"protocol":"http")"), "pool.protocol");
  EXPECT_EQ(Created(R"(,"lb_algorithm":"RANDOM")"), "pool.lb_algorithm");
  EXPECT_EQ(Created(R"(,"listener_id":5)"), "pool.listener_id");
  EXPECT_EQ(Created(R"(,"type":"vm")"), "pool.type");
  EXPECT_EQ(Created(R"(,"slow_start":{"duration":29})"), "pool.slow_start.duration");
  EXPECT_EQ(Created(R"(,"slow_start":{"duration":1200})"), "");
  EXPECT_EQ(Created(R"(,"pool_health":{"minimum_healthy_member_count":2})"),
            "pool.pool_health.minimum_healthy_member_count");
  EXPECT_EQ(Created(R"(,"session_persistence":{"type":"COOKIE"})"),
            "pool.session_persistence.type");
  EXPECT_EQ(Created(R"(,"session_persistence":{"type":"HTTP_COOKIE","persistence_timeout":1441})"),
            "pool.session_persistence.persistence_timeout");
  EXPECT_EQ(Created(R"(,"session_persistence":{"type":"APP_COOKIE","cookie_name":"a b"})"),
            "pool.session_persistence.cookie_name");
  EXPECT_EQ(Created(R"(,"session_persistence":"HTTP_COOKIE")"), "pool.session_persistence");
}

TEST(PoolTest, KeepsWhatIsFixed) {
  Pool pool = Make("HTTP");
  EXPECT_EQ(UpdateProblem(PoolSchema(), R"({"protocol":"TCP"})", &pool), "pool.protocol");
  EXPECT_EQ(UpdateProblem(PoolSchema(), R"({"loadbalancer_id":"c"})", &pool),
            "pool.loadbalancer_id");
  EXPECT_EQ(UpdateProblem(PoolSchema(), R"({"protocol":"HTTP","loadbalancer_id":"b"})", &pool), "");
}

TEST(PoolTest, SwitchesPartsOffOnNull) {
  Pool pool = Sticky("HTTP", "HTTP_COOKIE");
  pool.slow_start = SlowStart{.enable = true};
  pool.pool_health = PoolHealth{};
  EXPECT_EQ(
      UpdateProblem(PoolSchema(),
                    R"({"session_persistence":null,"slow_start":null,"pool_health":null})", &pool),
      "");
  EXPECT_EQ(pool, Make("HTTP"));
  EXPECT_EQ(UpdateProblem(PoolSchema(), R"({"lb_algorithm":null})", &pool), "pool.lb_algorithm");
}

TEST(PoolTest, NeedsAPlace) {
  Pool pool = Make("HTTP");
  pool.loadbalancer_id.clear();
  EXPECT_EQ(Problem(pool), "pool.loadbalancer_id");
  pool.type = "ip";
  EXPECT_EQ(Problem(pool), "");
}

TEST(PoolTest, SetsTypeAndVpcOnce) {
  Pool before = Make("HTTP");
  Pool after = before;
  after.type = "instance";
  EXPECT_EQ(Changed(after, before), "pool.vpc_id");
  after.vpc_id = "v";
  EXPECT_EQ(Changed(after, before), "");
  before = after;
  after.vpc_id = "w";
  EXPECT_EQ(Changed(after, before), "pool.vpc_id");
  after = before;
  after.type = "";
  EXPECT_EQ(Changed(after, before), "pool.type");
  Pool ip = Make("HTTP");
  ip.type = "ip";
  ip.vpc_id = "v";
  EXPECT_EQ(Problem(ip), "pool.vpc_id");
}

TEST(StickinessTest, GoesWithRoundRobinOnly) {
  Pool pool = Sticky("HTTP", "HTTP_COOKIE");
  EXPECT_EQ(Problem(pool), "");
  pool.lb_algorithm = "LEAST_CONNECTIONS";
  EXPECT_EQ(Problem(pool), "pool.session_persistence");
}

TEST(StickinessTest, HasTheTypeOfTheProtocol) {
  EXPECT_EQ(Problem(Sticky("TCP", "SOURCE_IP")), "");
  EXPECT_EQ(Problem(Sticky("UDP", "HTTP_COOKIE")), "pool.session_persistence.type");
  EXPECT_EQ(Problem(Sticky("HTTPS", "SOURCE_IP")), "pool.session_persistence.type");
}

TEST(StickinessTest, UsesTheApplicationsCookieOnSharedLoadBalancersOnly) {
  Pool pool = Sticky("HTTP", "APP_COOKIE");
  EXPECT_EQ(Problem(pool, Kind::kShared), "pool.session_persistence.cookie_name");
  pool.session_persistence->cookie_name = "id";
  EXPECT_EQ(Problem(pool, Kind::kShared), "");
  EXPECT_EQ(Problem(pool, Kind::kDedicated), "pool.session_persistence.type");
  pool = Sticky("HTTP", "HTTP_COOKIE");
  pool.session_persistence->cookie_name = "id";
  EXPECT_EQ(Problem(pool), "pool.session_persistence.cookie_name");
}

TEST(StickinessTest, LastsOneMinuteAtLayer4AndADayAtLayer7UnlessSaid) {
  Pool tcp = Sticky("TCP", "SOURCE_IP");
  ASSERT_TRUE(CheckPool(tcp, nullptr, Kind::kDedicated, {}));
  EXPECT_EQ(tcp.session_persistence->persistence_timeout, 1);
  Pool http = Sticky("HTTP", "HTTP_COOKIE");
  ASSERT_TRUE(CheckPool(http, nullptr, Kind::kDedicated, {}));
  EXPECT_EQ(http.session_persistence->persistence_timeout, 1440);
  tcp.session_persistence->persistence_timeout = 61;
  EXPECT_EQ(Problem(tcp), "pool.session_persistence.persistence_timeout");
}

TEST(StickinessTest, ReplacesTheStoredObjectButKeepsItsTypeAndTime) {
  Pool before = Sticky("HTTP", "HTTP_COOKIE");
  before.session_persistence->persistence_timeout = 20;
  Pool after = before;
  ASSERT_EQ(UpdateProblem(PoolSchema(), R"({"session_persistence":{}})", &after), "");
  ASSERT_TRUE(CheckPool(after, &before, Kind::kDedicated, {}));
  EXPECT_EQ(after, before);
}

TEST(StickinessTest, TakesTheDefaultTimeWhenTheTypeChanges) {
  Pool before = Sticky("HTTP", "HTTP_COOKIE");
  before.session_persistence->persistence_timeout = 20;
  Pool after = before;
  ASSERT_EQ(
      UpdateProblem(PoolSchema(),
                    R"({"session_persistence":{"type":"APP_COOKIE","cookie_name":"id"}})", &after),
      "");
  ASSERT_TRUE(CheckPool(after, &before, Kind::kShared, {}));
  EXPECT_EQ(after.session_persistence->persistence_timeout, std::nullopt);
}

TEST(StickinessTest, NeedsATypeAtFirst) {
  EXPECT_EQ(Problem(Sticky("HTTP", "")), "pool.session_persistence.type");
}

TEST(StickinessTest, IsMandatoryForQuicWithAnyAlgorithm) {
  EXPECT_EQ(Problem(Make("QUIC", "QUIC_CID")), "pool.session_persistence");
  Pool pool = Sticky("QUIC", "SOURCE_IP");
  for (const char* algorithm : {"QUIC_CID", "ROUND_ROBIN", "LEAST_CONNECTIONS"}) {
    pool.lb_algorithm = algorithm;
    EXPECT_EQ(Problem(pool), "") << algorithm;
  }
  EXPECT_EQ(Problem(Make("UDP", "QUIC_CID")), "pool.lb_algorithm");
}

TEST(PoolTest, WarmsServersUpForHttpOnly) {
  Pool pool = Make("TCP");
  pool.slow_start = SlowStart{};
  EXPECT_EQ(Problem(pool, Kind::kDedicated, {"slow_start"}), "pool.slow_start");
  pool.protocol = "HTTPS";
  EXPECT_EQ(Problem(pool, Kind::kDedicated, {"slow_start"}), "");
}

TEST(PoolTest, RestrictsWhatSharedLoadBalancersLack) {
  EXPECT_EQ(Problem(Make("HTTPS"), Kind::kShared), "pool.protocol");
  Pool pool = Make("HTTP");
  pool.slow_start = SlowStart{};
  EXPECT_EQ(Problem(pool, Kind::kShared), "pool.slow_start");
  pool = Make("HTTP");
  pool.member_deletion_protection_enable = true;
  EXPECT_EQ(Problem(pool, Kind::kShared), "pool.member_deletion_protection_enable");
}

TEST(CatalogueTest, FitsPoolsToListeners) {
  EXPECT_TRUE(PoolFitsListener("UDP", "QUIC", Kind::kDedicated));
  EXPECT_FALSE(PoolFitsListener("UDP", "QUIC", Kind::kShared));
  EXPECT_TRUE(PoolFitsListener("HTTPS", "HTTPS", Kind::kDedicated));
  EXPECT_FALSE(PoolFitsListener("TERMINATED_HTTPS", "HTTPS", Kind::kShared));
  EXPECT_FALSE(PoolFitsListener("HTTP", "TCP", Kind::kDedicated));
}

TEST(CatalogueTest, FitsChecksToPools) {
  EXPECT_TRUE(MonitorFitsPool("UDP_CONNECT", "QUIC", Kind::kDedicated));
  EXPECT_FALSE(MonitorFitsPool("TCP", "UDP", Kind::kDedicated));
  EXPECT_TRUE(MonitorFitsPool("HTTPS", "TCP", Kind::kDedicated));
  EXPECT_FALSE(MonitorFitsPool("HTTPS", "TCP", Kind::kShared));
}

}  // namespace
}  // namespace elb::model
