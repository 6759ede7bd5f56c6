#include "proxy/counters.h"

#include <gtest/gtest.h>

namespace elb::proxy {
namespace {

TEST(LatencyExtremesTest, AreThoseOfAllWorkers) {
  LatencyExtremes extremes(2);
  extremes.Record(0, 7, 300);
  extremes.Record(0, 7, 200);
  extremes.Record(1, 7, 900);
  extremes.Record(1, 7, 500);

  const auto bounds = extremes.Between(7);

  EXPECT_EQ(bounds.least_micros, 200U);
  EXPECT_EQ(bounds.most_micros, 900U);
}

TEST(LatencyExtremesTest, ReachOneMinuteBack) {
  LatencyExtremes extremes(1);
  extremes.Record(0, 7, 300);
  extremes.Record(0, 8, 100);

  EXPECT_EQ(extremes.Between(8).most_micros, 300U);
  EXPECT_EQ(extremes.Between(9).most_micros, 100U);
  EXPECT_EQ(extremes.Between(10).most_micros, 0U);
  EXPECT_EQ(extremes.Between(10).least_micros, 0U);
}

TEST(LatencyExtremesTest, StartAnewWhenAMinuteComesBackToItsPlace) {
  LatencyExtremes extremes(1);
  extremes.Record(0, 7, 900);
  extremes.Record(0, 9, 50);

  EXPECT_EQ(extremes.Between(9).most_micros, 50U);
  EXPECT_EQ(extremes.Between(9).least_micros, 50U);
}

}  // namespace
}  // namespace elb::proxy
