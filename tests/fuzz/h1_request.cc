/// Requests of clients: any bytes, in any pieces; what we accept, llhttp reads the same.

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <utility>

#include "check.h"
#include "cuts.h"
#include "h1_transcript.h"
#include "llhttp_reader.h"

namespace elb::fuzz {
namespace {

void CutsMakeNoDifference(std::string_view input, const http::h1::Limits& limits) {
  const std::string whole = Transcript(ReadRequests(input, limits, Cuts(0, SIZE_MAX)));
  for (const std::size_t piece_max : {std::size_t{1}, std::size_t{5}, std::size_t{60}}) {
    const std::string cut = Transcript(ReadRequests(input, limits, Cuts(input.size(), piece_max)));
    RequireEqual(whole, cut, "a request means the same however it was cut");
  }
}

void LlhttpAgrees(const SeenMessage& message) {
  const Comparable comparable = MakeComparable(message);
  const LlhttpMessage other = ReadWithLlhttp(comparable.bytes);
  const std::string shown =
      fmt::format("{}\nllhttp: {} {}", comparable.bytes, other.error, other.reason);
  if (other.refused && IsKnownRefusal(other)) {
    return;
  }
  Require(!other.refused, "llhttp accepts what we accept", shown);
  Require(other.head_done, "llhttp sees the end of the head where we do", shown);
  RequireEqual(comparable.method, other.method, "llhttp reads the same method");
  RequireEqual(comparable.target, other.target, "llhttp reads the same target");
  RequireEqual(comparable.fields, other.fields, "llhttp reads the same fields");
  if (other.upgrade) {
    return;  // It leaves the body of a request for an upgrade to its caller.
  }
  RequireEqual(message.content, other.content, "llhttp reads the same content");
  Require(other.complete == message.complete, "llhttp sees the end where we do", shown);
  Require(other.messages <= 1, "llhttp sees one message where we do", shown);
}

/// The target that is passed on, from the one that was received.
void TargetIsThatReceived(const SeenMessage& message) {
  const std::string received = ReceivedTarget(message);
  const bool origin_form = received.starts_with('/') || received == "*";
  const bool rewritten = message.target == "/" || message.target == "*" ||
                         (message.target.starts_with("/?") &&
                          received.ends_with(std::string_view(message.target).substr(1)));
  Require(
      origin_form ? message.target == received : received.ends_with(message.target) || rewritten,
      "the target is the received one, at most without scheme and authority", received);
  Require(message.target.starts_with('/') || message.target == "*", "the target has origin-form",
          message.target);
}

}  // namespace
}  // namespace elb::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input = elb::fuzz::Text(data, size);
  const elb::http::h1::Limits limits;
  // So small that inputs of a fuzzer reach them.
  const elb::http::h1::Limits tight{.target_bytes_max = 24,
                                    .head_bytes_max = 96,
                                    .fields_max = 3,
                                    .method_bytes_max = 8,
                                    .chunk_extension_bytes_max = 8,
                                    .trailer_bytes_max = 24,
                                    .request_body_bytes_max = 100};
  elb::fuzz::CutsMakeNoDifference(input, limits);
  elb::fuzz::CutsMakeNoDifference(input, tight);
  for (const elb::fuzz::SeenMessage& message :
       elb::fuzz::ReadRequests(input, limits, elb::fuzz::Cuts(0, SIZE_MAX))) {
    if (message.head_done && !message.end.starts_with("refused")) {
      elb::fuzz::TargetIsThatReceived(message);
      elb::fuzz::LlhttpAgrees(message);
    }
  }
  return 0;
}
