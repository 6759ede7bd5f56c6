#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace elb::http {

/// An authority in its parts (RFC 3986 section 3.2, without userinfo). Views into what was split.
struct Authority {
  std::string_view host;              ///< Without brackets; an IP literal's address.
  std::optional<std::uint16_t> port;  ///< Absent when there is none or it is empty.
  bool is_ip_literal = false;         ///< Was in brackets: an IPv6 address.
};

/// Splits `host`, `host:port`, `[v6]` and `[v6]:port`. Empty when the host is empty, the port is no
/// number up to 65535, or a bracket is missing. Does not look at the characters of the host: that
/// is `h1::IsValidAuthority`.
[[nodiscard]] std::optional<Authority> SplitAuthority(std::string_view authority);

/// True for an IPv4 or IPv6 address without brackets: no name, so it has no SNI (RFC 6066
/// section 3) and no wildcard.
[[nodiscard]] bool IsIpAddress(std::string_view host);

/// The host of an authority as rules compare it (data-plane.md 10.3): no port, no brackets, no
/// trailing dot, lower case. Views into `authority` or `space`; empty when it has no host.
[[nodiscard]] std::string_view MatchHost(std::string_view authority, std::string& space);

/// The path as rules match it (data-plane.md 10.3, RFC 3986 section 6.2.2): percent-encoded
/// unreserved characters decoded, then dot segments resolved; everything else stays as it is, also
/// repeated slashes, other escapes and the case of their digits. `path` is a request path without
/// query, or `*`. Views into `path` or `space`.
[[nodiscard]] std::string_view MatchPath(std::string_view path, std::string& space);

/// One `key=value` of a query, not decoded. Without `=`, the value is empty.
struct QueryParameter {
  std::string_view key;
  std::string_view value;
};

/// Takes the next parameter off the front of `query` (parameters are separated by `&`; empty ones
/// are skipped). False at the end.
[[nodiscard]] bool NextQueryParameter(std::string_view& query, QueryParameter& parameter);

/// Decodes `%HH` and `+` (a space) of a key or value of a query; an escape that is none stays.
/// Views into `text` or `space`.
[[nodiscard]] std::string_view DecodeQueryText(std::string_view text, std::string& space);

}  // namespace elb::http
