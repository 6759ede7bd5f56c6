#include "proxy/attempt.h"

#include <gtest/gtest.h>

namespace elb::proxy {
namespace {

using contract::Stickiness;
using http::Method;

TEST(PermitsRetryTest, AlwaysWhenNothingWasSent) {
  for (const AttemptFailure failure :
       {AttemptFailure::kConnectRefused, AttemptFailure::kConnectUnreachable,
        AttemptFailure::kConnectTimeout, AttemptFailure::kTls}) {
    EXPECT_TRUE(PermitsRetry(failure, Method::kGet, Sent::kNothing, Stickiness::kOff));
    EXPECT_TRUE(PermitsRetry(failure, Method::kPost, Sent::kNothing, Stickiness::kOff));
  }
}

TEST(PermitsRetryTest, OnlyIdempotentMethodsOnceBytesWereSent) {
  for (const AttemptFailure failure :
       {AttemptFailure::kClosed, AttemptFailure::kReset, AttemptFailure::kResponseTimeout}) {
    EXPECT_TRUE(PermitsRetry(failure, Method::kGet, Sent::kSomething, Stickiness::kOff));
    EXPECT_TRUE(PermitsRetry(failure, Method::kPut, Sent::kSomething, Stickiness::kOff));
    EXPECT_FALSE(PermitsRetry(failure, Method::kPost, Sent::kSomething, Stickiness::kOff));
    EXPECT_FALSE(PermitsRetry(failure, Method::kPatch, Sent::kSomething, Stickiness::kOff));
    EXPECT_FALSE(PermitsRetry(failure, Method::kOther, Sent::kSomething, Stickiness::kOff));
  }
}

TEST(PermitsRetryTest, T5_6_NeverAfterAResponseTimeoutOfAStickyPool) {
  for (const Stickiness stickiness :
       {Stickiness::kLoadBalancerCookie, Stickiness::kApplicationCookie, Stickiness::kSourceIp}) {
    EXPECT_FALSE(
        PermitsRetry(AttemptFailure::kResponseTimeout, Method::kGet, Sent::kSomething, stickiness));
  }
}

TEST(PermitsRetryTest, T5_6_RepeatsConnectionFailuresOfAStickyPoolElsewhere) {
  EXPECT_TRUE(PermitsRetry(AttemptFailure::kConnectRefused, Method::kPost, Sent::kNothing,
                           Stickiness::kLoadBalancerCookie));
  EXPECT_TRUE(PermitsRetry(AttemptFailure::kConnectTimeout, Method::kPost, Sent::kNothing,
                           Stickiness::kLoadBalancerCookie));
  EXPECT_TRUE(PermitsRetry(AttemptFailure::kReset, Method::kGet, Sent::kSomething,
                           Stickiness::kLoadBalancerCookie));
  EXPECT_FALSE(PermitsRetry(AttemptFailure::kReset, Method::kPost, Sent::kSomething,
                            Stickiness::kLoadBalancerCookie));
}

TEST(PermitsRetryTest, NeverAfterAMalformedAnswer) {
  EXPECT_FALSE(
      PermitsRetry(AttemptFailure::kBadResponse, Method::kGet, Sent::kSomething, Stickiness::kOff));
  EXPECT_FALSE(PermitsRetry(AttemptFailure::kHeaderTooLarge, Method::kGet, Sent::kSomething,
                            Stickiness::kOff));
}

TEST(StatusOfTest, Says504ForTimeoutsAnd502ForTheRest) {
  EXPECT_EQ(StatusOf(AttemptFailure::kConnectTimeout), 504);
  EXPECT_EQ(StatusOf(AttemptFailure::kResponseTimeout), 504);
  EXPECT_EQ(StatusOf(AttemptFailure::kConnectRefused), 502);
  EXPECT_EQ(StatusOf(AttemptFailure::kTls), 502);
  EXPECT_EQ(StatusOf(AttemptFailure::kClosed), 502);
  EXPECT_EQ(StatusOf(AttemptFailure::kBadResponse), 502);
}

}  // namespace
}  // namespace elb::proxy
