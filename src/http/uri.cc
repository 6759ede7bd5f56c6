#include "http/uri.h"

#include <algorithm>
#include <charconv>
#include <cstddef>

#include "base/ip.h"

namespace elb::http {
namespace {

/// Value of a hexadecimal digit, -1 for anything else.
int HexValue(char digit) {
  if (digit >= '0' && digit <= '9') {
    return digit - '0';
  }
  const char lower = static_cast<char>(digit | 0x20);
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

/// The character of an escape `%HH` at `at`; nothing if there is no escape.
std::optional<char> EscapeAt(std::string_view text, std::size_t at) {
  if (text[at] != '%' || text.size() - at < 3) {
    return std::nullopt;
  }
  const int high = HexValue(text[at + 1]);
  const int low = HexValue(text[at + 2]);
  if (high < 0 || low < 0) {
    return std::nullopt;
  }
  return static_cast<char>(high * 16 + low);
}

/// RFC 3986 section 2.3.
bool IsUnreserved(char letter) {
  const char lower = static_cast<char>(letter | 0x20);
  return (lower >= 'a' && lower <= 'z') || (letter >= '0' && letter <= '9') || letter == '-' ||
         letter == '.' || letter == '_' || letter == '~';
}

void DecodeUnreserved(std::string_view path, std::string& decoded) {
  decoded.clear();
  for (std::size_t i = 0; i < path.size(); ++i) {
    const std::optional<char> escaped = EscapeAt(path, i);
    if (escaped && IsUnreserved(*escaped)) {
      decoded += *escaped;
      i += 2;
    } else {
      decoded += path[i];
    }
  }
}

/// RFC 3986 section 5.2.4 for a path that starts with `/`, in place. Segments keep their leading
/// slash: `/a`, `/.`, `/`.
void RemoveDotSegments(std::string& path) {
  std::size_t out = 0;
  for (std::size_t from = 0; from < path.size();) {
    const std::size_t next = std::min(path.find('/', from + 1), path.size());
    const std::string_view segment(path.data() + from, next - from);
    const bool last = next == path.size();
    if (segment == "/." || segment == "/..") {
      if (segment.size() == 3) {
        const std::size_t slash = std::string_view(path.data(), out).rfind('/');
        out = slash == std::string_view::npos ? 0 : slash;
      }
      if (last) {
        path[out++] = '/';
      }
    } else {
      std::ranges::copy(segment, path.begin() + static_cast<std::ptrdiff_t>(out));
      out += segment.size();
    }
    from = next;
  }
  path.resize(out);
}

}  // namespace

std::optional<Authority> SplitAuthority(std::string_view authority) {
  Authority parts;
  std::string_view behind;
  if (authority.starts_with('[')) {
    const std::size_t close = authority.find(']');
    if (close == std::string_view::npos) {
      return std::nullopt;
    }
    parts.host = authority.substr(1, close - 1);
    parts.is_ip_literal = true;
    behind = authority.substr(close + 1);
  } else {
    const std::size_t colon = std::min(authority.find(':'), authority.size());
    parts.host = authority.substr(0, colon);
    behind = authority.substr(colon);
  }
  if (parts.host.empty() || (!behind.empty() && behind.front() != ':')) {
    return std::nullopt;
  }
  if (behind.size() > 1) {
    std::uint16_t port = 0;
    const char* const end = behind.data() + behind.size();
    const auto [read, error] = std::from_chars(behind.data() + 1, end, port);
    if (error != std::errc{} || read != end) {
      return std::nullopt;
    }
    parts.port = port;
  }
  return parts;
}

bool IsIpAddress(std::string_view host) { return IpAddress::Parse(host).has_value(); }

std::string_view MatchHost(std::string_view authority, std::string& space) {
  const std::optional<Authority> parts = SplitAuthority(authority);
  if (!parts) {
    return {};
  }
  std::string_view host = parts->host;
  if (host.ends_with('.')) {
    host.remove_suffix(1);
  }
  const auto is_upper = [](char letter) { return letter >= 'A' && letter <= 'Z'; };
  if (std::ranges::none_of(host, is_upper)) {
    return host;
  }
  space.assign(host);
  for (char& letter : space) {
    letter = is_upper(letter) ? static_cast<char>(letter | 0x20) : letter;
  }
  return space;
}

std::string_view MatchPath(std::string_view path, std::string& space) {
  if (!path.starts_with('/') || (!path.contains('%') && !path.contains("/."))) {
    return path;
  }
  DecodeUnreserved(path, space);
  RemoveDotSegments(space);
  return space;
}

bool NextQueryParameter(std::string_view& query, QueryParameter& parameter) {
  while (!query.empty()) {
    const std::size_t end = std::min(query.find('&'), query.size());
    const std::string_view pair = query.substr(0, end);
    query.remove_prefix(std::min(end + 1, query.size()));
    if (!pair.empty()) {
      const std::size_t equals = std::min(pair.find('='), pair.size());
      parameter = {.key = pair.substr(0, equals),
                   .value = pair.substr(std::min(equals + 1, pair.size()))};
      return true;
    }
  }
  return false;
}

std::string_view DecodeQueryText(std::string_view text, std::string& space) {
  if (!text.contains('%') && !text.contains('+')) {
    return text;
  }
  space.clear();
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (const std::optional<char> escaped = EscapeAt(text, i)) {
      space += *escaped;
      i += 2;
    } else {
      space += text[i] == '+' ? ' ' : text[i];
    }
  }
  return space;
}

}  // namespace elb::http
