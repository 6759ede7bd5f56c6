#include "server/http2_field_rules.h"

#include <nghttp2/nghttp2.h>

#include <algorithm>
#include <utility>

#include "http/field_name.h"
#include "http/h1/fields.h"

namespace elb::server {
namespace {

using http::FieldName;

const std::uint8_t* Bytes(std::string_view text) {
  return reinterpret_cast<const std::uint8_t*>(text.data());
}

/// RFC 3986 section 3.1.
bool IsScheme(std::string_view text) {
  const auto is_letter = [](char letter) {
    return (letter >= 'a' && letter <= 'z') || (letter >= 'A' && letter <= 'Z');
  };
  return !text.empty() && is_letter(text.front()) && std::ranges::all_of(text, [&](char letter) {
    return is_letter(letter) || (letter >= '0' && letter <= '9') || letter == '+' ||
           letter == '-' || letter == '.';
  });
}

/// Fields of HTTP/1 connections (RFC 9113 section 8.2.2).
bool IsOfConnection(FieldName name) {
  switch (name) {
    case FieldName::kConnection:
    case FieldName::kKeepAlive:
    case FieldName::kProxyConnection:
    case FieldName::kTransferEncoding:
    case FieldName::kUpgrade:
      return true;
    default:
      return false;
  }
}

bool IsRegularField(std::string_view name, std::string_view value) {
  if (name.empty() || name.front() == ':' ||
      nghttp2_check_header_name(Bytes(name), name.size()) == 0 ||
      nghttp2_check_header_value_rfc9113(Bytes(value), value.size()) == 0) {
    return false;
  }
  const FieldName known = http::InternFieldName(name);
  return !IsOfConnection(known) &&
         (known != FieldName::kTe || http::h1::EqualsIgnoringCase(value, "trailers"));
}

bool IsAuthority(std::string_view value) {
  return nghttp2_check_authority(Bytes(value), value.size()) != 0;
}

}  // namespace

bool Http2FieldRules::TakeField(std::string_view name, std::string_view value) {
  if (name.starts_with(':')) {
    return !regular_ && TakePseudoField(name, value);
  }
  regular_ = true;
  if (!IsRegularField(name, value)) {
    return false;
  }
  if (name == "host") {
    return !std::exchange(host_, true) && IsAuthority(value);
  }
  if (name == "content-length") {
    const bool repeated = content_length_.has_value();
    return !repeated && http::h1::ParseContentLength(value, content_length_.emplace());
  }
  return true;
}

bool Http2FieldRules::TakeTrailer(std::string_view name, std::string_view value) {
  return IsRegularField(name, value);
}

bool Http2FieldRules::TakePseudoField(std::string_view name, std::string_view value) {
  if (name == ":method") {
    connect_ = value == "CONNECT";
    options_ = value == "OPTIONS";
    return !std::exchange(method_, true) && nghttp2_check_method(Bytes(value), value.size()) != 0;
  }
  if (name == ":scheme") {
    return !std::exchange(scheme_, true) && IsScheme(value);
  }
  if (name == ":path") {
    rooted_path_ = value.starts_with('/');
    asterisk_path_ = value == "*";
    return !std::exchange(path_, true) && nghttp2_check_path(Bytes(value), value.size()) != 0;
  }
  if (name == ":authority") {
    return !std::exchange(authority_, true) && IsAuthority(value);
  }
  return false;
}

bool Http2FieldRules::HasWholeHead() const {
  if (connect_) {
    return authority_ && !scheme_ && !path_;
  }
  return method_ && scheme_ && path_ && (rooted_path_ || (options_ && asterisk_path_));
}

}  // namespace elb::server
