#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "cuts.h"
#include "http/h1/parser.h"
#include "http/message.h"

namespace elb::fuzz {

/// One message of a connection as the codec saw it.
struct SeenMessage {
  std::string head;        ///< Described; how parsing it ended if it is not complete.
  std::string content;     ///< Of the body.
  std::string end;         ///< How the body ended: `complete`, `need more`, `refused N`; trailers.
  std::string_view bytes;  ///< Of the input: head and as much of the body as was consumed.
  bool head_done = false;
  bool complete = false;
  std::string target;      ///< Requests.
  http::FieldList fields;  ///< Views into `storage`.
  std::string method;
  std::string storage;  ///< The head as it was received.
};

/// Reads requests off `input` until one is incomplete or refused, with the bytes arriving as
/// `cuts` says.
[[nodiscard]] std::vector<SeenMessage> ReadRequests(std::string_view input,
                                                    const http::h1::Limits& limits, Cuts cuts);

/// As `ReadRequests` for the answers to requests of one method. A final answer without a length
/// reaches to the end of the input.
[[nodiscard]] std::vector<SeenMessage> ReadResponses(std::string_view input, http::Method request,
                                                     const http::h1::Limits& limits, Cuts cuts);

/// All that has to be the same for every way of cutting.
[[nodiscard]] std::string Transcript(const std::vector<SeenMessage>& messages);

}  // namespace elb::fuzz
