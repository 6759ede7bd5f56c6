#include "proxy/forwarded_client.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <ranges>
#include <string_view>

#include "http/h1/fields.h"

namespace elb::proxy {
namespace {

using contract::FrontProxyMode;
using http::h1::TrimSpace;

/// 0 for an obfuscated port (RFC 7239 section 6.3); nullopt when it is none.
std::optional<std::uint16_t> ParsePort(std::string_view text) {
  if (text.starts_with('_')) {
    return std::uint16_t{0};
  }
  std::uint16_t port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (error != std::errc{} || end != text.data() + text.size()) {
    return std::nullopt;
  }
  return port;
}

std::optional<Endpoint> Join(std::string_view address, std::string_view port) {
  const auto parsed = IpAddress::Parse(address);
  const auto number = port.empty() ? std::uint16_t{0} : ParsePort(port);
  if (!parsed || !number) {
    return std::nullopt;
  }
  return Endpoint{.address = *parsed, .port = *number};
}

/// An address, IPv6 with or without brackets, perhaps with a port.
std::optional<Endpoint> ParseNode(std::string_view text) {
  if (text.starts_with('[')) {
    const std::size_t close = text.find(']');
    if (close == std::string_view::npos) {
      return std::nullopt;
    }
    const std::string_view address = text.substr(1, close - 1);
    const std::string_view rest = text.substr(close + 1);
    if (!address.contains(':') || (!rest.empty() && (rest[0] != ':' || rest.size() == 1))) {
      return std::nullopt;
    }
    return Join(address, rest.substr(std::min<std::size_t>(rest.size(), 1)));
  }
  if (std::ranges::count(text, ':') != 1) {
    return Join(text, {});
  }
  const std::size_t colon = text.find(':');
  return colon + 1 == text.size() ? std::nullopt
                                  : Join(text.substr(0, colon), text.substr(colon + 1));
}

/// Text of a quoted string (RFC 9110 section 5.6.4); longer ones hold no address.
class Unquoted {
 public:
  /// False: malformed, or too long.
  [[nodiscard]] bool Read(std::string_view quoted) {
    if (quoted.size() < 2 || !quoted.ends_with('"')) {
      return false;
    }
    quoted = quoted.substr(1, quoted.size() - 2);
    for (std::size_t i = 0; i < quoted.size(); ++i) {
      if (quoted[i] == '"') {
        return false;
      }
      i += quoted[i] == '\\' ? 1 : 0;
      if (i == quoted.size() || size_ == text_.size()) {
        return false;
      }
      text_[size_++] = quoted[i];
    }
    return true;
  }
  [[nodiscard]] std::string_view view() const { return {text_.data(), size_}; }

 private:
  std::array<char, 64> text_{};
  std::size_t size_ = 0;
};

/// Where the quoted string that ends before `end` begins; npos: nowhere.
std::size_t OpeningQuote(std::string_view text, std::size_t end) {
  for (std::size_t at = end - 1; at-- > 0;) {
    std::size_t escapes = 0;
    while (text[at] == '"' && escapes < at && text[at - escapes - 1] == '\\') {
      ++escapes;
    }
    if (text[at] == '"' && escapes % 2 == 0) {
      return at;
    }
  }
  return std::string_view::npos;
}

/// Takes the part behind the last `separator` off the end of `text`; one inside a quoted string
/// does not count. The text before it cannot change what is found: quotes are matched from the end.
std::string_view TakeLast(std::string_view& text, char separator) {
  for (std::size_t end = text.size(); end > 0; --end) {
    const char letter = text[end - 1];
    if (letter == separator) {
      const std::string_view part = text.substr(end);
      text = text.substr(0, end - 1);
      return part;
    }
    if (letter == '"') {
      const std::size_t open = OpeningQuote(text, end);
      if (open == std::string_view::npos) {
        break;
      }
      end = open + 1;
    }
  }
  const std::string_view part = text;
  text = {};
  return part;
}

/// The `for` of one element of Forwarded; nullopt: none, several, or no address.
std::optional<Endpoint> ParseElement(std::string_view element) {
  std::optional<Endpoint> client;
  bool seen = false;
  while (!element.empty()) {
    const std::string_view pair = TakeLast(element, ';');
    const std::size_t equals = pair.find('=');
    if (equals == std::string_view::npos ||
        !http::h1::EqualsIgnoringCase(TrimSpace(pair.substr(0, equals)), "for")) {
      continue;
    }
    if (seen) {
      return std::nullopt;
    }
    seen = true;
    const std::string_view value = TrimSpace(pair.substr(equals + 1));
    Unquoted unquoted;
    if (!value.starts_with('"')) {
      client = ParseNode(value);
    } else if (unquoted.Read(value)) {
      client = ParseNode(unquoted.view());
    }
  }
  return client;
}

/// One way of telling: the field, how its value is cut, what an element means.
struct Language {
  bool (*is_field)(const http::Field& field);
  std::string_view (*take_last)(std::string_view& list);
  std::optional<Endpoint> (*parse)(std::string_view element);
};

constexpr Language kXForwardedFor{
    .is_field =
        [](const http::Field& field) { return field.known == http::FieldName::kXForwardedFor; },
    .take_last =
        [](std::string_view& list) {
          const std::size_t comma = list.rfind(',');
          const std::size_t begin = comma == std::string_view::npos ? 0 : comma + 1;
          const std::string_view element = list.substr(begin);
          list = list.substr(0, begin == 0 ? 0 : comma);
          return element;
        },
    .parse = &ParseNode};

constexpr Language kForwarded{
    .is_field =
        [](const http::Field& field) {
          return http::h1::EqualsIgnoringCase(field.name, "forwarded");
        },
    .take_last = [](std::string_view& list) { return TakeLast(list, ','); },
    .parse = &ParseElement};

}  // namespace

Endpoint ForwardedClient(const http::RequestHead& request, FrontProxyMode mode,
                         const AddressSet& proxies, const Endpoint& peer) {
  const Language& language = mode == FrontProxyMode::kForwarded ? kForwarded : kXForwardedFor;
  Endpoint client = peer;
  for (const http::Field& field : std::views::reverse(request.fields)) {
    std::string_view list = language.is_field(field) ? field.value : std::string_view();
    while (!list.empty()) {
      const std::string_view element = TrimSpace(language.take_last(list));
      if (element.empty()) {
        continue;
      }
      const auto told = language.parse(element);
      client = told.value_or(client);
      if (!told || !proxies.Contains(client.address)) {
        return client;
      }
    }
  }
  return client;
}

}  // namespace elb::proxy
