#include "http/h1/fields.h"

#include <charconv>

#include "base/ip.h"
#include "http/h1/scan.h"

namespace elb::http::h1 {
namespace {

constexpr std::uint64_t kContentLengthMax = INT64_MAX;

std::string_view TrimSpace(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) {
    text.remove_prefix(1);
  }
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) {
    text.remove_suffix(1);
  }
  return text;
}

/// One field line at `position`.
LineStatus ReadField(std::string_view buffer, std::size_t& position, Field& field) {
  const std::string_view rest = buffer.substr(position);
  const std::size_t name_size = TokenLength(rest);
  if (name_size == rest.size()) {
    return LineStatus::kNeedMore;
  }
  if (name_size == 0 || rest[name_size] != ':') {
    return LineStatus::kMalformed;
  }
  const std::string_view behind = rest.substr(name_size + 1);
  const std::size_t value_size = FieldValueLength(behind);
  if (value_size + 1 >= behind.size()) {
    return value_size < behind.size() && behind[value_size] != '\r' ? LineStatus::kMalformed
                                                                    : LineStatus::kNeedMore;
  }
  if (behind[value_size] != '\r' || behind[value_size + 1] != '\n') {
    return LineStatus::kMalformed;
  }
  field.name = rest.substr(0, name_size);
  field.value = TrimSpace(behind.substr(0, value_size));
  field.known = InternFieldName(field.name);
  position += name_size + 1 + value_size + 2;
  return LineStatus::kDone;
}

bool IsRegNameChar(char letter) {
  return IsTokenChar(letter) ? letter != '#' && letter != '^' && letter != '`' && letter != '|'
                             : letter == '(' || letter == ')' || letter == ';' || letter == '=';
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
  while (true) {
    if (position >= buffer.size()) {
      return LineStatus::kNeedMore;
    }
    if (buffer[position] == '\r') {
      if (position + 1 == buffer.size()) {
        return LineStatus::kNeedMore;
      }
      if (buffer[position + 1] != '\n') {
        return LineStatus::kMalformed;
      }
      position += 2;
      return LineStatus::kDone;
    }
    if (fields.size() == fields_max) {
      return LineStatus::kTooMany;
    }
    Field& field = fields.emplace_back();
    const LineStatus status = ReadField(buffer, position, field);
    if (status != LineStatus::kDone) {
      return status;
    }
  }
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

bool EqualsIgnoringCase(std::string_view text, std::string_view lower_case) {
  if (text.size() != lower_case.size()) {
    return false;
  }
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char letter = text[i];
    if ((letter >= 'A' && letter <= 'Z' ? static_cast<char>(letter + ('a' - 'A')) : letter) !=
        lower_case[i]) {
      return false;
    }
  }
  return true;
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
  if (authority.empty()) {
    return false;
  }
  if (authority.front() == '[') {
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
  const std::string_view host = authority.substr(0, colon);
  if (host.empty()) {
    return false;
  }
  for (const char letter : host) {
    if (!IsRegNameChar(letter) && static_cast<unsigned char>(letter) < 0x80) {
      return false;
    }
    if (static_cast<unsigned char>(letter) >= 0x80) {
      return false;
    }
  }
  return colon == std::string_view::npos || IsValidPort(authority.substr(colon + 1));
}

}  // namespace elb::http::h1
