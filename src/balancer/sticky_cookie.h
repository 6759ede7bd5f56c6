#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <string>
#include <string_view>

#include "balancer/sticky_keys.h"
#include "base/id.h"

namespace elb::balancer {

/// Characters of a load balancer cookie's value: base64url of 36 bytes.
inline constexpr std::size_t kStickyCookieSize = 48;

/// How far a cookie may lie in the future: clocks of nodes differ (data-plane.md 7.2).
inline constexpr std::chrono::minutes kStickyCookieFutureMax{5};

/// Names a member in cookies and tables without disclosing anything about it. The same on every
/// node and at every time.
using MemberTag = std::uint64_t;
[[nodiscard]] MemberTag TagOf(const PoolId& pool, const MemberId& member);

/// `ELBSTICKY_` and 8 hex digits that follow from the pool, so that two pools of one host do not
/// overwrite each other's cookie.
[[nodiscard]] std::string StickyCookieName(const PoolId& pool);

/// What a load balancer cookie says.
struct StickyCookie {
  MemberTag member = 0;
  std::chrono::sys_seconds issued;
};

/// Why a load balancer cookie counts as absent.
enum class StickyCookieFault : std::uint8_t {
  kForged,  ///< Not 36 bytes, another version, an unknown key, or a MAC of other bytes or pool.
  kExpired,
  kFromTheFuture,
};

/// What is needed to read and write the cookies of one pool at one moment. The pool stays with the
/// caller.
struct StickyCookieContext {
  const StickyKeyRing* keys = nullptr;
  const PoolId* pool = nullptr;
  std::chrono::seconds duration{0};
  std::chrono::sys_seconds now;
};

/// The value of a cookie that binds to `member` from now on: version 1, key id, unix time, member
/// tag, and the first 18 bytes of an HMAC-SHA-256 over these and the pool id (data-plane.md 7.2).
[[nodiscard]] std::string WriteStickyCookie(const StickyCookieContext& context, MemberTag member);

/// Reads what `WriteStickyCookie` wrote, with any key of the ring.
[[nodiscard]] std::expected<StickyCookie, StickyCookieFault> ReadStickyCookie(
    const StickyCookieContext& context, std::string_view value);

/// Whether a valid cookie is so old that the response renews it: older than a tenth of the
/// duration, at most a minute.
[[nodiscard]] bool NeedsRenewal(const StickyCookieContext& context, const StickyCookie& cookie);

/// How the client reached the listener.
enum class ClientTransport : std::uint8_t { kPlain, kTls };

/// A `Set-Cookie` field value with the attributes of data-plane.md 7.2.
[[nodiscard]] std::string StickySetCookie(std::string_view name, std::string_view value,
                                          std::chrono::seconds duration, ClientTransport transport);

}  // namespace elb::balancer
