#include <cstddef>
#include <optional>

#include "http/h1/fields.h"
#include "http/h1/parser.h"
#include "http/h1/scan.h"

namespace elb::http::h1 {
namespace {

/// `HTTP/1.x CODE [reason]` CRLF (RFC 9112 section 4). Behind the code either the line ends or a
/// space follows.
LineStatus ReadStatusLine(std::string_view buffer, std::size_t& position, ResponseHead& head) {
  constexpr std::string_view kPattern = "HTTP/1.0 000";
  constexpr std::size_t kMinor = 7;
  constexpr std::size_t kCode = 9;
  const std::string_view fixed = buffer.substr(0, kPattern.size());
  for (std::size_t i = 0; i < fixed.size(); ++i) {
    const bool digit = fixed[i] >= (i == kCode ? '1' : '0') && fixed[i] <= '9';
    if (kPattern[i] == '0' ? !digit : fixed[i] != kPattern[i]) {
      return LineStatus::kMalformed;
    }
  }
  if (buffer.size() <= kPattern.size()) {
    return LineStatus::kNeedMore;
  }
  head.version = fixed[kMinor] == '0' ? Version::kHttp10 : Version::kHttp11;
  head.status =
      (fixed[kCode] - '0') * 100 + (fixed[kCode + 1] - '0') * 10 + (fixed[kCode + 2] - '0');
  std::size_t at = kPattern.size();
  if (buffer[at] == ' ') {
    const std::size_t size = FieldValueLength(buffer.substr(at + 1));
    head.reason = buffer.substr(at + 1, size);
    at += 1 + size;
  }
  const std::string_view end = buffer.substr(at, 2);
  if (end != std::string_view("\r\n").substr(0, end.size())) {
    return LineStatus::kMalformed;
  }
  if (end.size() < 2) {
    return LineStatus::kNeedMore;
  }
  position = at + 2;
  return LineStatus::kDone;
}

/// One unambiguous framing, or nothing (data-plane.md 4.8).
std::optional<Framing> ReadFraming(ResponseHead& head) {
  std::optional<std::uint64_t> length;
  const Field* coding = nullptr;
  for (const Field& field : head.fields) {
    if (field.known == FieldName::kContentLength) {
      std::uint64_t value = 0;
      if (!ParseContentLength(field.value, value) || (length && *length != value)) {
        return std::nullopt;
      }
      length = value;
    } else if (field.known == FieldName::kTransferEncoding) {
      if (coding != nullptr) {
        return std::nullopt;
      }
      coding = &field;
    }
  }
  if (coding != nullptr) {
    const bool chunked =
        !length && head.version != Version::kHttp10 && EqualsIgnoringCase(coding->value, "chunked");
    return chunked ? std::optional(Framing::kChunked) : std::nullopt;
  }
  head.content_length = length.value_or(0);
  return length ? Framing::kLength : Framing::kUntilEnd;
}

bool HasNoBody(Method request, int status) {
  return request == Method::kHead || status < 200 || status == 204 || status == 304;
}

/// Rules over the fields of a complete head.
Refusal ApplyRules(Method request, ResponseHead& head) {
  const std::optional<Framing> framing = ReadFraming(head);
  if (!framing) {
    return Refusal::kBadFraming;
  }
  head.framing = HasNoBody(request, head.status) ? Framing::kNone : *framing;
  const ConnectionOptions connection = ReadConnection(head.fields);
  head.keep_alive = !connection.close &&
                    (head.version != Version::kHttp10 || connection.keep_alive) &&
                    head.framing != Framing::kUntilEnd;
  return Refusal::kNone;
}

}  // namespace

ParseStatus ResponseParser::Parse(std::string_view buffer, Method request, ResponseHead& head) {
  if (refusal_ != Refusal::kNone) {
    return ParseStatus::kRefused;
  }
  const std::string_view visible = buffer.substr(0, limits_->head_bytes_max);
  LineStatus status = LineStatus::kNeedMore;
  if (IsStillOpen(buffer, open_)) {
    status = ReadOpenField(visible, open_, limits_->fields_max, head.fields);
  } else {
    head.Clear();
    open_ = {};
    status = ReadStatusLine(visible, open_.start, head);
    if (status == LineStatus::kDone) {
      open_.is_field = true;
      status = ReadFields(visible, open_.start, limits_->fields_max, head.fields);
      open_.fields = head.fields.size();
    }
  }
  open_.scanned = buffer.size();
  if (status == LineStatus::kDone) {
    head.head_bytes = open_.start;
    refusal_ = ApplyRules(request, head);
    consumed_ = refusal_ == Refusal::kNone ? open_.start : 0;
  } else if (status == LineStatus::kMalformed) {
    refusal_ = Refusal::kMalformed;
  } else if (status == LineStatus::kTooMany || buffer.size() >= limits_->head_bytes_max) {
    refusal_ = Refusal::kHeaderTooLarge;
  } else {
    return ParseStatus::kNeedMore;
  }
  return refusal_ == Refusal::kNone ? ParseStatus::kDone : ParseStatus::kRefused;
}

void ResponseParser::Reset() {
  open_ = {};
  consumed_ = 0;
  refusal_ = Refusal::kNone;
}

}  // namespace elb::http::h1
