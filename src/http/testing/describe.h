#pragma once

#include <fmt/format.h>

#include <string>
#include <string_view>

#include "http/h1/parser.h"
#include "http/message.h"

/// Texts that show everything about a parse, so that tests compare results as strings.
namespace elb::http::testing {

inline std::string Describe(const FieldList& fields) {
  std::string text;
  for (const Field& field : fields) {
    text += fmt::format("[{}|{}|{}]", field.name, field.value, static_cast<int>(field.known));
  }
  return text;
}

inline std::string Describe(const RequestHead& head) {
  return fmt::format(
      "{} {} path={} query={} authority={} version={} framing={} length={} bytes={} keep_alive={} "
      "continue={} unknown={} trailers={} websocket={} {}",
      head.method_text, head.target, head.path, head.query, head.authority,
      static_cast<int>(head.version), static_cast<int>(head.framing), head.content_length,
      head.head_bytes, head.keep_alive, head.expect_continue, head.expect_unknown,
      head.accepts_trailers, head.upgrade_websocket, Describe(head.fields));
}

inline std::string Describe(const ResponseHead& head) {
  return fmt::format("{} {} version={} framing={} length={} bytes={} keep_alive={} {}", head.status,
                     head.reason, static_cast<int>(head.version), static_cast<int>(head.framing),
                     head.content_length, head.head_bytes, head.keep_alive, Describe(head.fields));
}

/// The end of a parse; `head` only where it means something.
template <typename Parser, typename Head>
std::string DescribeEnd(h1::ParseStatus status, const Parser& parser, const Head& head) {
  switch (status) {
    case h1::ParseStatus::kNeedMore:
      return "need more";
    case h1::ParseStatus::kRefused:
      return fmt::format("refused {}", static_cast<int>(parser.refusal()));
    case h1::ParseStatus::kDone:
      break;
  }
  return fmt::format("done {} {}", parser.consumed(), Describe(head));
}

}  // namespace elb::http::testing
