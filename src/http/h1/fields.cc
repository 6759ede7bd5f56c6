#include "http/h1/fields.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "base/ip.h"
#include "http/h1/scan.h"

namespace elb::http::h1 {
namespace {

constexpr std::uint64_t kContentLengthMax = INT64_MAX;

/// One field line at the front of `rest`; `size` is its length with the line end.
LineStatus ReadField(const Scanner& scanner, std::string_view rest, Field& field,
                     std::size_t& size) {
  const std::size_t name_size = scanner.token_length(rest);
  if (name_size == rest.size()) {
    return LineStatus::kNeedMore;
  }
  if (name_size == 0 || rest[name_size] != ':') {
    return LineStatus::kMalformed;
  }
  std::size_t value_start = name_size + 1;
  if (value_start < rest.size() && rest[value_start] == ' ') {
    ++value_start;
  }
  const std::size_t value_end = value_start + scanner.field_value_length(rest.substr(value_start));
  if (value_end == rest.size()) {
    return LineStatus::kNeedMore;
  }
  if (rest[value_end] != '\r') {
    return LineStatus::kMalformed;
  }
  if (value_end + 1 == rest.size()) {
    return LineStatus::kNeedMore;
  }
  if (rest[value_end + 1] != '\n') {
    return LineStatus::kMalformed;
  }
  field.name = rest.substr(0, name_size);
  field.value = TrimSpace(rest.substr(value_start, value_end - value_start));
  field.known = InternFieldName(field.name);
  size = value_end + 2;
  return LineStatus::kDone;
}

/// unreserved and sub-delims without the comma (RFC 3986 section 3.2.2).
constexpr std::array<bool, 256> MakeRegNameTable() {
  std::array<bool, 256> table{};
  for (std::size_t i = 0; i < 128; ++i) {
    const bool digit = i >= '0' && i <= '9';
    const bool letter = (i >= 'A' && i <= 'Z') || (i >= 'a' && i <= 'z');
    table[i] = digit || letter || std::string_view("-._~!$&'()*+;=").contains(static_cast<char>(i));
  }
  return table;
}

constexpr auto kRegName = MakeRegNameTable();

bool IsHexDigit(char letter) {
  return (letter >= '0' && letter <= '9') || (letter >= 'a' && letter <= 'f') ||
         (letter >= 'A' && letter <= 'F');
}

bool IsRegName(std::string_view host) {
  for (std::size_t i = 0; i < host.size(); ++i) {
    if (host[i] == '%') {
      if (host.size() - i < 3 || !IsHexDigit(host[i + 1]) || !IsHexDigit(host[i + 2])) {
        return false;
      }
      i += 2;
    } else if (!kRegName[static_cast<unsigned char>(host[i])]) {
      return false;
    }
  }
  return !host.empty();
}

bool IsValidPort(std::string_view port) {
  unsigned value = 0;
  const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), value);
  return port.empty() ||
         (error == std::errc{} && end == port.data() + port.size() && value <= 65535);
}

}  // namespace

LineStatus ReadFields(std::string_view buffer, std::size_t& position, std::size_t fields_max,
                      FieldList& fields) {
  const Scanner& scanner = BestScanner();
  Field field;
  std::size_t size = 0;
  while (position < buffer.size()) {
    const std::string_view rest = buffer.substr(position);
    if (rest.front() == '\r') {
      if (rest.size() == 1) {
        return LineStatus::kNeedMore;
      }
      if (rest[1] != '\n') {
        return LineStatus::kMalformed;
      }
      position += 2;
      return LineStatus::kDone;
    }
    if (fields.size() >= fields_max) {
      return LineStatus::kTooMany;
    }
    const LineStatus status = ReadField(scanner, rest, field, size);
    if (status != LineStatus::kDone) {
      return status;
    }
    fields.push_back(field);
    position += size;
  }
  return LineStatus::kNeedMore;
}

bool IsStillOpen(std::string_view buffer, const OpenLine& open) {
  return open.is_field && !buffer.substr(std::min(open.scanned, buffer.size())).contains('\n');
}

LineStatus ReadOpenField(std::string_view buffer, const OpenLine& open, std::size_t fields_max,
                         FieldList& scratch) {
  scratch.clear();
  std::size_t position = open.start;
  return ReadFields(buffer, position, fields_max - open.fields, scratch);
}

std::string_view TrimSpace(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) {
    text.remove_prefix(1);
  }
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) {
    text.remove_suffix(1);
  }
  return text;
}

bool NextListElement(std::string_view& list, std::string_view& element) {
  while (!list.empty()) {
    const std::size_t comma = list.find(',');
    element = TrimSpace(list.substr(0, comma));
    list.remove_prefix(comma == std::string_view::npos ? list.size() : comma + 1);
    if (!element.empty()) {
      return true;
    }
  }
  return false;
}

bool EqualsIgnoringCase(std::string_view one, std::string_view other) {
  const auto lower = [](char letter) {
    return letter >= 'A' && letter <= 'Z' ? static_cast<char>(letter | 0x20) : letter;
  };
  return std::ranges::equal(one, other, {}, lower, lower);
}

bool ParseContentLength(std::string_view text, std::uint64_t& value) {
  if (text.empty() || text.front() < '0' || text.front() > '9') {
    return false;
  }
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc{} && end == text.data() + text.size() && value <= kContentLengthMax;
}

ConnectionOptions ReadConnection(const FieldList& fields) {
  ConnectionOptions options;
  for (const Field& field : fields) {
    if (field.known != FieldName::kConnection) {
      continue;
    }
    std::string_view list = field.value;
    std::string_view element;
    while (NextListElement(list, element)) {
      options.close = options.close || EqualsIgnoringCase(element, "close");
      options.keep_alive = options.keep_alive || EqualsIgnoringCase(element, "keep-alive");
      options.upgrade = options.upgrade || EqualsIgnoringCase(element, "upgrade");
    }
  }
  return options;
}

bool IsValidAuthority(std::string_view authority) {
  if (authority.starts_with('[')) {
    const std::size_t close = authority.find(']');
    if (close == std::string_view::npos) {
      return false;
    }
    const std::string_view host = authority.substr(1, close - 1);
    const std::string_view rest = authority.substr(close + 1);
    return host.contains(':') && IpAddress::Parse(host).has_value() &&
           (rest.empty() || (rest.front() == ':' && IsValidPort(rest.substr(1))));
  }
  const std::size_t colon = authority.find(':');
  return IsRegName(authority.substr(0, colon)) &&
         (colon == std::string_view::npos || IsValidPort(authority.substr(colon + 1)));
}

}  // namespace elb::http::h1
