#pragma once

#include <string>
#include <string_view>

#include "h1_transcript.h"

namespace elb::fuzz {

/// A request as llhttp, in its strict mode, reads it.
struct LlhttpMessage {
  bool refused = false;
  std::string error;
  std::string reason;
  std::string method;
  std::string target;
  std::string fields;  ///< `[name|value]` each, trailers left out.
  std::string content;
  int messages = 0;
  bool head_done = false;
  bool complete = false;
  bool upgrade = false;
  bool trailing = false;  ///< It got as far as the trailer section.
};

/// Whether llhttp is known to refuse for that reason what is good and cannot be replaced.
[[nodiscard]] bool IsKnownRefusal(const LlhttpMessage& message);

[[nodiscard]] LlhttpMessage ReadWithLlhttp(std::string_view bytes);

/// A request that we accepted, with everything replaced that llhttp is known to read in another
/// way for a reason; the list is in the .cc.
struct Comparable {
  std::string bytes;
  std::string method;
  std::string target;
  std::string fields;  ///< `[name|value]` each.
};

[[nodiscard]] Comparable MakeComparable(const SeenMessage& message);

/// What stands between the spaces of the request line.
[[nodiscard]] std::string ReceivedTarget(const SeenMessage& message);

}  // namespace elb::fuzz
