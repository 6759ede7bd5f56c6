#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace elb::proxy {

/// Attempts per request, the first included (data-plane.md 5.6).
inline constexpr int kAttemptsMax = 3;

/// Request content kept for a retry (data-plane.md 5.6).
inline constexpr std::size_t kReplayBytesMax = 64 * 1024;

/// Bytes of one direction of one exchange that wait for a socket (data-plane.md 4.1). Large enough
/// that a relay step moves 64 to 256 KiB: smaller steps cost more system calls per byte.
inline constexpr std::size_t kBufferedBytesMax = 256 * 1024;

/// Below this many waiting bytes a direction reads again; between the marks it waits, so that steps
/// stay large.
inline constexpr std::size_t kBufferedBytesLow = 64 * 1024;

/// The first read of a response: its head, and content that the client may not be ready for. With
/// flow control of its own (HTTP/2) a client has many responses at once.
inline constexpr std::size_t kHeadReadBytesMax = 32 * 1024;
inline constexpr std::size_t kHeadReadBytesMaxInWindow = 16 * 1024;

/// Read of a response whose client takes nothing now: enough to learn when it takes something
/// again, and once the client has taken four times as much, enough for a whole DATA frame. Pieces as
/// small as each window update would make the next updates as small.
inline constexpr std::size_t kReadAheadBytesMin = 1024;
inline constexpr std::size_t kReadAheadBytesMax = 16 * 1024;

/// Informational responses of one attempt (data-plane.md 4.5): a member that sends more floods.
inline constexpr int kInformationalMax = 64;

/// Bytes one exchange moves before it lets others run: one fast peer starves nobody.
inline constexpr std::size_t kTurnBytesMax = 1024 * 1024;

/// Response status line and fields (data-plane.md 4.1).
inline constexpr std::size_t kResponseHeadBytesMax = 64 * 1024;

/// Life of an idle upstream connection, and its age beyond which a request that must not be
/// repeated does not use it (data-plane.md 4.9).
inline constexpr std::chrono::seconds kUpstreamIdleMax{60};
inline constexpr std::chrono::seconds kUpstreamIdleUnsafeAfter{1};

/// Idle connections kept per worker and member; more were needed only in a burst.
inline constexpr std::size_t kUpstreamIdlePerMemberMax = 512;

/// Values of the sticky cookie that are looked at; each costs an HMAC.
inline constexpr std::size_t kStickyCookiesMax = 8;

/// How long request content waits for a 100 of the backend (data-plane.md 4.5).
inline constexpr std::chrono::seconds kContinueWait{1};

/// Memory one regular expression may take, automaton included: tenants write them, clients make
/// their automata grow.
inline constexpr std::int64_t kRegexBytesMax = 1024 * 1024;

/// Request content that is read before a policy answers by itself, so that the connection can be
/// kept (data-plane.md 10.7).
inline constexpr std::size_t kDrainBytesMax = 64 * 1024;

/// A header of the PROXY protocol, and how long it may take (api-extensions.md 10.3).
inline constexpr std::size_t kProxyHeaderBytesMax = 4096;
inline constexpr std::chrono::seconds kProxyHeaderWait{5};

/// Location of a redirect: a template may repeat the 16 KiB of a target.
inline constexpr std::size_t kLocationBytesMax = 32 * 1024;

/// How long `Apply` waits for the workers (architecture: degraded after that).
inline constexpr std::chrono::seconds kApplyWait{1};

/// Retry of addresses that could not be bound.
inline constexpr std::chrono::seconds kBindRetry{1};

}  // namespace elb::proxy
