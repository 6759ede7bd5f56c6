#include "proxy/usage.h"

#include <gtest/gtest.h>

#include <chrono>

namespace elb::proxy {
namespace {

using std::chrono::seconds;

const LoadBalancerId kId("lb");
const MonotonicTime kStart{seconds{1000}};

TotalsByLoadBalancer Totals(std::uint64_t requests, std::uint64_t bytes = 0) {
  return {{kId,
           {.limits = {.connections = 200,
                       .connections_per_s = 10,
                       .requests_per_s = 50,
                       .kilobits_per_s = 80},
            .connections = 50,
            .opened = requests,
            .requests = requests,
            .bytes_in = bytes,
            .bytes_out = 2 * bytes}}};
}

TEST(UsageWindowTest, TellsTheShareOfConnectionsAtOnce) {
  UsageWindow window;

  const auto usage = window.Update(kStart, Totals(1000)).at(kId);

  EXPECT_DOUBLE_EQ(usage.connections, 25);
  EXPECT_DOUBLE_EQ(usage.requests, 0);
}

TEST(UsageWindowTest, TurnsGrowthIntoSharesOfEachRate) {
  UsageWindow window;
  static_cast<void>(window.Update(kStart, Totals(0)));

  const auto usage = window.Update(kStart + seconds(10), Totals(50, 10'000)).at(kId);

  EXPECT_DOUBLE_EQ(usage.opened, 50);
  EXPECT_DOUBLE_EQ(usage.requests, 10);
  EXPECT_DOUBLE_EQ(usage.bytes_in, 10);
  EXPECT_DOUBLE_EQ(usage.bytes_out, 20);
}

TEST(UsageWindowTest, ForgetsWhatIsOlderThanTwoMinutes) {
  UsageWindow window;
  static_cast<void>(window.Update(kStart, Totals(0)));
  static_cast<void>(window.Update(kStart + seconds(60), Totals(3000)));
  static_cast<void>(window.Update(kStart + seconds(120), Totals(3000)));

  const auto usage = window.Update(kStart + seconds(130), Totals(3000)).at(kId);

  EXPECT_DOUBLE_EQ(usage.requests, 0);
}

TEST(UsageWindowTest, IsZeroWithoutASpecificationAndWhenTotalsFall) {
  UsageWindow window;
  static_cast<void>(window.Update(kStart, Totals(500)));
  EXPECT_DOUBLE_EQ(window.Update(kStart + seconds(10), Totals(400)).at(kId).requests, 0);

  TotalsByLoadBalancer bare = Totals(900);
  bare.at(kId).limits = {};
  const auto usage = window.Update(kStart + seconds(20), bare).at(kId);

  EXPECT_DOUBLE_EQ(usage.connections, 0);
  EXPECT_DOUBLE_EQ(usage.requests, 0);
}

}  // namespace
}  // namespace elb::proxy
