#include "health/tracker.h"

#include <gtest/gtest.h>

#include "health/expected_codes.h"

namespace elb::health {
namespace {

constexpr ProbeOutcome kGood = ProbeOutcome::kSuccess;
constexpr ProbeOutcome kBad = ProbeOutcome::kFailure;

TEST(TrackerTest, LetsTheFirstProbeDecide) {
  Tracker good(State::kUnprobed, 3, 3);
  Tracker bad(State::kUnprobed, 3, 3);

  EXPECT_TRUE(good.Record(kGood));
  EXPECT_TRUE(bad.Record(kBad));
  EXPECT_EQ(good.state(), State::kOnline);
  EXPECT_EQ(bad.state(), State::kOffline);
}

TEST(TrackerTest, T9_3_NeedsThreeSuccessesInARowToComeBack) {
  Tracker tracker(State::kOffline, 3, 3);

  EXPECT_FALSE(tracker.Record(kGood));
  EXPECT_FALSE(tracker.Record(kGood));
  EXPECT_FALSE(tracker.Record(kBad));
  EXPECT_FALSE(tracker.Record(kGood));
  EXPECT_FALSE(tracker.Record(kGood));
  EXPECT_TRUE(tracker.Record(kGood));
  EXPECT_EQ(tracker.state(), State::kOnline);
}

TEST(TrackerTest, GoesDownAfterEnoughFailuresInARow) {
  Tracker tracker(State::kOnline, 1, 2);

  EXPECT_FALSE(tracker.Record(kBad));
  EXPECT_FALSE(tracker.Record(kGood));
  EXPECT_FALSE(tracker.Record(kBad));
  EXPECT_TRUE(tracker.Record(kBad));
  EXPECT_EQ(tracker.state(), State::kOffline);
}

TEST(TrackerTest, ServesOnUntilTheFirstResultOfANewMonitor) {
  Tracker tracker(State::kServing, 3, 3);

  EXPECT_TRUE(tracker.Record(kBad));
  EXPECT_EQ(tracker.state(), State::kOffline);
}

TEST(TrackerTest, CountsAnewAfterAnEdit) {
  Tracker tracker(State::kOnline, 3, 2);
  tracker.Record(kBad);

  tracker.Reset(3, 2);

  EXPECT_FALSE(tracker.Record(kBad));
  EXPECT_TRUE(tracker.Record(kBad));
}

TEST(ExpectedCodesTest, ReadsListsAndRanges) {
  const auto codes = ExpectedCodes::Parse("200-204, 301,404");

  ASSERT_TRUE(codes.has_value());
  EXPECT_TRUE(codes->Contains(204));
  EXPECT_TRUE(codes->Contains(301));
  EXPECT_FALSE(codes->Contains(205));
  EXPECT_FALSE(codes->Contains(302));
}

TEST(ExpectedCodesTest, RefusesWhatBreaksTheGrammar) {
  for (const char* text :
       {"", "199", "600", "204-200", "200,", "2000", "abc", "200-", "200 ,201"}) {
    EXPECT_FALSE(ExpectedCodes::Parse(text).has_value()) << text;
  }
}

}  // namespace
}  // namespace elb::health
