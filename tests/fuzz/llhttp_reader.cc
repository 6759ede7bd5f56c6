#include "llhttp_reader.h"

#include <fmt/format.h>
#include <llhttp.h>

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdint>

#include "http/h1/fields.h"

namespace elb::fuzz {
namespace {

/// What the callbacks collect.
struct Collector {
  LlhttpMessage message;
  std::string name;
  std::string value;
  bool in_trailers = false;

  void EndField() {
    if (!name.empty() && !in_trailers) {
      const std::size_t last = value.find_last_not_of(" \t");
      value.resize(last == std::string::npos ? 0 : last + 1);
      message.fields += fmt::format("[{}|{}]", name, value);
    }
    name.clear();
    value.clear();
  }
};

Collector& Of(llhttp_t* parser) { return *static_cast<Collector*>(parser->data); }

int OnUrl(llhttp_t* parser, const char* at, std::size_t length) {
  Of(parser).message.target.append(at, length);
  return 0;
}
int OnName(llhttp_t* parser, const char* at, std::size_t length) {
  Of(parser).name.append(at, length);
  return 0;
}
int OnValue(llhttp_t* parser, const char* at, std::size_t length) {
  Of(parser).value.append(at, length);
  return 0;
}
int OnValueComplete(llhttp_t* parser) {
  Of(parser).EndField();
  return 0;
}
int OnHeadersComplete(llhttp_t* parser) {
  Collector& collector = Of(parser);
  collector.message.head_done = true;
  collector.message.method = llhttp_method_name(static_cast<llhttp_method_t>(parser->method));
  collector.in_trailers = true;
  return 0;
}
int OnBody(llhttp_t* parser, const char* at, std::size_t length) {
  Of(parser).message.content.append(at, length);
  return 0;
}
int OnMessageBegin(llhttp_t* parser) {
  ++Of(parser).message.messages;
  return 0;
}
int OnMessageComplete(llhttp_t* parser) {
  Of(parser).message.complete = true;
  return 0;
}

bool LlhttpKnows(std::string_view method) {
#define ELB_IS_METHOD(number, name, text) \
  if (method == #text) {                  \
    return true;                          \
  }
  HTTP_METHOD_MAP(ELB_IS_METHOD)
#undef ELB_IS_METHOD
  return false;
}

/// Where the parts of the request line are: `start` of the line, both spaces.
struct LinePlaces {
  std::size_t start = 0;
  std::size_t first_space = 0;
  std::size_t second_space = 0;
};

LinePlaces PlacesOf(std::string_view head) {
  const std::size_t start = head.find_first_not_of("\r\n");
  const std::size_t first = head.find(' ', start);
  return {.start = start, .first_space = first, .second_space = head.find(' ', first + 1)};
}

/// A chunked body that was accepted, up to where it is complete or cut, without its extensions.
std::string WithoutExtensions(std::string_view body) {
  std::string result;
  while (!body.empty()) {
    const std::size_t size_end = std::min(body.find_first_of(";\r"), body.size());
    const std::string_view digits = body.substr(0, size_end);
    const std::size_t line_end = std::min(body.find('\r'), body.size());
    std::uint64_t size = 0;
    std::from_chars(digits.data(), digits.data() + digits.size(), size, 16);
    // The line end and the content, with the line end behind it; the last chunk has trailers there.
    const std::size_t rest =
        size == 0 ? body.size() : std::min<std::uint64_t>(body.size(), line_end + size + 4);
    result.append(digits).append(body.substr(line_end, rest - line_end));
    body.remove_prefix(rest);
  }
  return result;
}

}  // namespace

LlhttpMessage ReadWithLlhttp(std::string_view bytes) {
  llhttp_settings_t settings;
  llhttp_settings_init(&settings);
  settings.on_message_begin = OnMessageBegin;
  settings.on_url = OnUrl;
  settings.on_header_field = OnName;
  settings.on_header_value = OnValue;
  settings.on_header_value_complete = OnValueComplete;
  settings.on_headers_complete = OnHeadersComplete;
  settings.on_body = OnBody;
  settings.on_message_complete = OnMessageComplete;
  Collector collector;
  llhttp_t parser;
  llhttp_init(&parser, HTTP_REQUEST, &settings);
  parser.data = &collector;
  const llhttp_errno_t error = llhttp_execute(&parser, bytes.data(), bytes.size());
  collector.message.upgrade = error == HPE_PAUSED_UPGRADE;
  collector.message.refused = error != HPE_OK && error != HPE_PAUSED_UPGRADE;
  collector.message.trailing = (parser.flags & F_TRAILING) != 0;
  collector.message.error = llhttp_errno_name(error);
  const char* const reason = llhttp_get_error_reason(&parser);
  collector.message.reason = reason == nullptr ? "" : reason;
  return collector.message;
}

/// Framing fields in a trailer section: llhttp judges them, we drop them unread, as RFC 9110
/// section 6.5.1 permits.
bool IsKnownRefusal(const LlhttpMessage& message) {
  const bool framing =
      message.reason.contains("Transfer-Encoding") || message.reason.contains("Content-Length");
  return message.trailing && framing;
}

/// Known differences that can be replaced:
/// - Methods: llhttp has a list, we take any token (RFC 9110 section 9.1; data-plane.md 4.2).
/// - Versions: llhttp knows 1.0 and 1.1, we serve 1.x as RFC 9110 section 2.5 asks.
/// - Targets: strict llhttp refuses bytes from 0x80 on; we relay them (data-plane.md 4.2).
/// - Chunk extensions: llhttp asks for tokens and quoted strings, and reads a second one as a chunk
///   size. RFC 9112 section 7.1.1 lets a recipient ignore them; we drop them, having checked that
///   they hold neither line ends nor other control characters. They are taken out.
/// - `Transfer-Encoding: identity` alone means no body (data-plane.md 4.3); llhttp refuses it.
Comparable MakeComparable(const SeenMessage& message) {
  Comparable result{.bytes = std::string(message.bytes),
                    .method = message.method,
                    .target = ReceivedTarget(message)};
  const LinePlaces places = PlacesOf(result.bytes);
  const std::size_t minor = places.second_space + std::string_view(" HTTP/1.").size();
  if (result.bytes[minor] > '1') {
    result.bytes[minor] = '1';
  }
  const auto replace = [](char letter) {
    return static_cast<unsigned char>(letter) >= 0x80 ? '~' : letter;
  };
  std::ranges::transform(result.target, result.target.begin(), replace);
  result.bytes.replace(places.first_space + 1, places.second_space - places.first_space - 1,
                       result.target);
  const bool chunked = std::ranges::any_of(message.fields, [](const http::Field& field) {
    return field.known == http::FieldName::kTransferEncoding &&
           http::h1::EqualsIgnoringCase(field.value, "chunked");
  });
  if (chunked) {
    result.bytes.resize(message.storage.size());
    result.bytes += WithoutExtensions(message.bytes.substr(message.storage.size()));
  }
  for (const http::Field& field : message.fields) {
    std::string name(field.name);
    if (field.known == http::FieldName::kTransferEncoding &&
        http::h1::EqualsIgnoringCase(field.value, "identity")) {
      name.front() = 'x';
      result.bytes[static_cast<std::size_t>(field.name.data() - message.storage.data())] = 'x';
    }
    result.fields += fmt::format("[{}|{}]", name, field.value);
  }
  if (!LlhttpKnows(result.method)) {
    result.method = "POST";
    result.bytes.replace(places.start, places.first_space - places.start, result.method);
  }
  return result;
}

std::string ReceivedTarget(const SeenMessage& message) {
  const LinePlaces places = PlacesOf(message.storage);
  return message.storage.substr(places.first_space + 1,
                                places.second_space - places.first_space - 1);
}

}  // namespace elb::fuzz
