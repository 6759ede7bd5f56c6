#include <optional>

#include "http/h1/fields.h"
#include "http/h1/parser.h"
#include "http/h1/scan.h"

namespace elb::http::h1 {
namespace {

/// `HTTP/1.x CODE [reason]` CRLF (RFC 9112 section 4).
LineStatus ReadStatusLine(std::string_view buffer, std::size_t& position, ResponseHead& head) {
  constexpr std::string_view kPrefix = "HTTP/1.";
  constexpr std::size_t kFixed = 12;  // HTTP/1.1 200
  if (!buffer.starts_with(kPrefix.substr(0, buffer.size()))) {
    return LineStatus::kMalformed;
  }
  if (buffer.size() <= kFixed) {
    return LineStatus::kNeedMore;
  }
  const auto digit = [&](std::size_t at) { return buffer[at] >= '0' && buffer[at] <= '9'; };
  if (!digit(7) || buffer[8] != ' ' || buffer[9] == '0' || !digit(9) || !digit(10) || !digit(11)) {
    return LineStatus::kMalformed;
  }
  head.version = buffer[7] == '0' ? Version::kHttp10 : Version::kHttp11;
  head.status = (buffer[9] - '0') * 100 + (buffer[10] - '0') * 10 + (buffer[11] - '0');
  std::size_t at = kFixed;
  if (buffer[at] == ' ') {
    const std::size_t size = FieldValueLength(buffer.substr(at + 1));
    head.reason = buffer.substr(at + 1, size);
    at += 1 + size;
  }
  const std::string_view end = buffer.substr(at, 2);
  if (end != std::string_view("\r\n").substr(0, end.size())) {
    return LineStatus::kMalformed;
  }
  position = at + 2;
  return end.size() < 2 ? LineStatus::kNeedMore : LineStatus::kDone;
}

/// One unambiguous framing, or nothing (data-plane.md 4.8).
std::optional<Refusal> ReadFraming(ResponseHead& head) {
  std::optional<std::uint64_t> length;
  const Field* coding = nullptr;
  for (const Field& field : head.fields) {
    if (field.known == FieldName::kContentLength) {
      std::uint64_t value = 0;
      if (!ParseContentLength(field.value, value) || (length && *length != value)) {
        return Refusal::kBadFraming;
      }
      length = value;
    } else if (field.known == FieldName::kTransferEncoding) {
      if (coding != nullptr) {
        return Refusal::kBadFraming;
      }
      coding = &field;
    }
  }
  if (coding != nullptr) {
    if (length || head.version == Version::kHttp10 ||
        !EqualsIgnoringCase(coding->value, "chunked")) {
      return Refusal::kBadFraming;
    }
    head.framing = Framing::kChunked;
  } else if (length) {
    head.framing = Framing::kLength;
    head.content_length = *length;
  } else {
    head.framing = Framing::kUntilEnd;
  }
  return std::nullopt;
}

bool HasNoBody(Method request, int status) {
  return request == Method::kHead || status < 200 || status == 204 || status == 304;
}

}  // namespace

ParseStatus ResponseParser::Parse(std::string_view buffer, Method request, ResponseHead& head) {
  if (scanned_ > 0 && buffer.substr(scanned_).find('\n') == std::string_view::npos &&
      buffer.size() <= limits_->head_bytes_max) {
    scanned_ = buffer.size();
    return ParseStatus::kNeedMore;
  }
  head.Clear();
  std::size_t position = 0;
  LineStatus status = ReadStatusLine(buffer, position, head);
  if (status == LineStatus::kDone) {
    status = ReadFields(buffer, position, limits_->fields_max, head.fields);
  }
  scanned_ = buffer.size();
  if (status == LineStatus::kTooMany || position > limits_->head_bytes_max ||
      (status == LineStatus::kNeedMore && buffer.size() > limits_->head_bytes_max)) {
    refusal_ = Refusal::kHeaderTooLarge;
    return ParseStatus::kRefused;
  }
  if (status == LineStatus::kNeedMore) {
    return ParseStatus::kNeedMore;
  }
  std::optional<Refusal> refusal;
  if (status == LineStatus::kMalformed) {
    refusal = Refusal::kMalformed;
  } else {
    refusal = ReadFraming(head);
  }
  if (refusal) {
    refusal_ = *refusal;
    return ParseStatus::kRefused;
  }
  if (HasNoBody(request, head.status)) {
    head.framing = Framing::kNone;
  }
  const ConnectionOptions connection = ReadConnection(head.fields);
  head.keep_alive = !connection.close &&
                    (head.version == Version::kHttp11 || connection.keep_alive) &&
                    head.framing != Framing::kUntilEnd;
  head.head_bytes = consumed_ = position;
  return ParseStatus::kDone;
}

void ResponseParser::Reset() {
  scanned_ = 0;
  consumed_ = 0;
  refusal_ = Refusal::kNone;
}

}  // namespace elb::http::h1
