#include "proxy/attempt.h"

#include <gtest/gtest.h>

namespace elb::proxy {
namespace {

using http::Method;

TEST(PermitsRetryTest, AlwaysWhenNothingWasSent) {
  for (const AttemptFailure failure :
       {AttemptFailure::kConnectRefused, AttemptFailure::kConnectUnreachable,
        AttemptFailure::kConnectTimeout, AttemptFailure::kTls}) {
    EXPECT_TRUE(PermitsRetry(failure, Method::kGet, Sent::kNothing));
    EXPECT_TRUE(PermitsRetry(failure, Method::kPost, Sent::kNothing));
  }
}

TEST(PermitsRetryTest, OnlyIdempotentMethodsOnceBytesWereSent) {
  for (const AttemptFailure failure :
       {AttemptFailure::kClosed, AttemptFailure::kReset, AttemptFailure::kResponseTimeout}) {
    EXPECT_TRUE(PermitsRetry(failure, Method::kGet, Sent::kSomething));
    EXPECT_TRUE(PermitsRetry(failure, Method::kPut, Sent::kSomething));
    EXPECT_FALSE(PermitsRetry(failure, Method::kPost, Sent::kSomething));
    EXPECT_FALSE(PermitsRetry(failure, Method::kPatch, Sent::kSomething));
    EXPECT_FALSE(PermitsRetry(failure, Method::kOther, Sent::kSomething));
  }
}

TEST(PermitsRetryTest, NeverAfterAMalformedAnswer) {
  EXPECT_FALSE(PermitsRetry(AttemptFailure::kBadResponse, Method::kGet, Sent::kSomething));
  EXPECT_FALSE(PermitsRetry(AttemptFailure::kHeaderTooLarge, Method::kGet, Sent::kSomething));
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
