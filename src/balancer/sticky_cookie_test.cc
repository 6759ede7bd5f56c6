#include "balancer/sticky_cookie.h"

#include <gtest/gtest.h>

#include "crypto/encoding.h"

namespace elb::balancer {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;

class StickyCookieTest : public ::testing::Test {
 protected:
  [[nodiscard]] StickyCookieContext Context() const {
    return {.keys = &keys_.Current(),
            .pool = &pool_,
            .duration = minutes{20},
            .now = std::chrono::floor<seconds>(clock_.WallNow())};
  }
  [[nodiscard]] StickyCookieFault FaultOf(std::string_view value) const {
    const auto cookie = ReadStickyCookie(Context(), value);
    EXPECT_FALSE(cookie.has_value());
    return cookie.has_value() ? StickyCookieFault{} : cookie.error();
  }

  ManualClock clock_;
  SeededRandom random_{7};
  StickyKeys keys_{random_, clock_};
  PoolId pool_{"5a9a3e9e-d1aa-448e-af37-a70171f2a332"};
};

TEST_F(StickyCookieTest, IsNamedAfterThePool) {
  // printf 5a9a3e9e-d1aa-448e-af37-a70171f2a332 | sha256sum
  EXPECT_EQ(StickyCookieName(pool_), "ELBSTICKY_fb4e3ff2");
}

TEST_F(StickyCookieTest, ReadsWhatItWrote) {
  const std::string value = WriteStickyCookie(Context(), 0x0123456789abcdef);

  const auto cookie = ReadStickyCookie(Context(), value);

  ASSERT_TRUE(cookie.has_value());
  EXPECT_EQ(cookie->member, 0x0123456789abcdef);
  EXPECT_EQ(cookie->issued.time_since_epoch(), seconds{1'700'000'000});
}

TEST_F(StickyCookieTest, HasTheLayoutOfTheContract) {
  const std::string value = WriteStickyCookie(Context(), 0x0123456789abcdef);

  ASSERT_EQ(value.size(), 48);
  const std::string bytes = *crypto::Base64UrlDecode(value);
  EXPECT_EQ(crypto::HexEncode(bytes.substr(0, 18)),
            "01"                  // Version.
            "01"                  // Key id.
            "000000006553f100"    // Issued at 1700000000.
            "0123456789abcdef");  // Member tag.
  const std::string message = bytes.substr(0, 18) + pool_.value();
  const auto mac = crypto::HmacSha256(crypto::AsText(keys_.Current().newest().secret), message);
  EXPECT_EQ(bytes.substr(18), crypto::AsText(mac).substr(0, 18));
}

TEST_F(StickyCookieTest, T7_2_RefusesEveryChangedCharacter) {
  const std::string value = WriteStickyCookie(Context(), 42);

  for (std::size_t i = 0; i < value.size(); ++i) {
    std::string changed = value;
    changed[i] = changed[i] == 'A' ? 'B' : 'A';
    EXPECT_EQ(FaultOf(changed), StickyCookieFault::kForged) << i;
  }
}

TEST_F(StickyCookieTest, T7_2_RefusesTheCookieOfAnotherPool) {
  const PoolId other("another");
  StickyCookieContext context = Context();
  context.pool = &other;

  EXPECT_EQ(FaultOf(WriteStickyCookie(context, 42)), StickyCookieFault::kForged);
}

TEST_F(StickyCookieTest, RefusesWhatIsNoCookieOfOurs) {
  const std::string value = WriteStickyCookie(Context(), 42);

  EXPECT_EQ(FaultOf(""), StickyCookieFault::kForged);
  EXPECT_EQ(FaultOf("deleted"), StickyCookieFault::kForged);
  EXPECT_EQ(FaultOf(value + "AAAA"), StickyCookieFault::kForged);
  EXPECT_EQ(FaultOf(std::string(48, '=')), StickyCookieFault::kForged);
  EXPECT_EQ(FaultOf(std::string(48, 'A')), StickyCookieFault::kForged);
}

TEST_F(StickyCookieTest, ExpiresAfterTheCurrentDuration) {
  const std::string value = WriteStickyCookie(Context(), 42);

  clock_.Advance(minutes{20});
  EXPECT_TRUE(ReadStickyCookie(Context(), value).has_value());
  clock_.Advance(seconds{1});
  EXPECT_EQ(FaultOf(value), StickyCookieFault::kExpired);
}

TEST_F(StickyCookieTest, ToleratesFiveMinutesOfTheFuture) {
  StickyCookieContext ahead = Context();
  ahead.now += minutes{5};
  EXPECT_TRUE(ReadStickyCookie(Context(), WriteStickyCookie(ahead, 42)).has_value());

  ahead.now += seconds{1};
  EXPECT_EQ(FaultOf(WriteStickyCookie(ahead, 42)), StickyCookieFault::kFromTheFuture);
}

TEST_F(StickyCookieTest, AcceptsThePreviousKeyAndNoOlderOne) {
  StickyCookieContext context = Context();
  context.duration = std::chrono::hours{1000};
  const std::string value = WriteStickyCookie(context, 42);

  clock_.Advance(std::chrono::hours{48});
  keys_.RotateIfDue();
  context.keys = &keys_.Current();
  EXPECT_TRUE(ReadStickyCookie(context, value).has_value());

  clock_.Advance(std::chrono::hours{48});
  keys_.RotateIfDue();
  context.keys = &keys_.Current();
  EXPECT_FALSE(ReadStickyCookie(context, value).has_value());
}

TEST_F(StickyCookieTest, IsRenewedAfterATenthOfTheDurationButWithinAMinute) {
  const StickyCookie cookie{.member = 42, .issued = Context().now};
  StickyCookieContext context = Context();

  context.now = cookie.issued + seconds{60};
  EXPECT_FALSE(NeedsRenewal(context, cookie));
  context.now = cookie.issued + seconds{61};
  EXPECT_TRUE(NeedsRenewal(context, cookie));

  context.duration = minutes{1};
  context.now = cookie.issued + seconds{6};
  EXPECT_FALSE(NeedsRenewal(context, cookie));
  context.now = cookie.issued + seconds{7};
  EXPECT_TRUE(NeedsRenewal(context, cookie));
}

TEST_F(StickyCookieTest, T7_3_HasTheAttributesOfTheTransport) {
  EXPECT_EQ(StickySetCookie("ELBSTICKY_01234567", "v", minutes{20}, ClientTransport::kTls),
            "ELBSTICKY_01234567=v; Path=/; Max-Age=1200; HttpOnly; Secure; SameSite=None");
  EXPECT_EQ(StickySetCookie("ELBSTICKY_01234567", "v", minutes{20}, ClientTransport::kPlain),
            "ELBSTICKY_01234567=v; Path=/; Max-Age=1200; HttpOnly");
}

TEST_F(StickyCookieTest, TagsDifferByMemberAndPool) {
  const MemberTag tag = TagOf(pool_, MemberId("a"));

  EXPECT_EQ(TagOf(pool_, MemberId("a")), tag);
  EXPECT_NE(TagOf(pool_, MemberId("b")), tag);
  EXPECT_NE(TagOf(PoolId("other"), MemberId("a")), tag);
}

}  // namespace
}  // namespace elb::balancer
