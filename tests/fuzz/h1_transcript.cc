#include "h1_transcript.h"

#include <fmt/format.h>

#include <cstdint>
#include <utility>

#include "check.h"
#include "http/h1/body.h"
#include "http/testing/describe.h"

namespace elb::fuzz {
namespace {

using http::h1::BodyDecoder;
using http::h1::BodyPiece;
using http::h1::Limits;
using http::h1::ParseStatus;

/// Where a connection's input stands: what arrived, and what of it is used up.
struct Arrival {
  std::string_view input;
  Cuts cuts;
  std::size_t begin = 0;    ///< Of what is not used up.
  std::size_t arrived = 0;  ///< At least `begin`.

  [[nodiscard]] bool all() const { return arrived == input.size(); }
  void More() { arrived += cuts.Next(input.size() - arrived); }
};

void ReadBody(Arrival& arrival, BodyDecoder& decoder, SeenMessage& message) {
  const std::size_t start = arrival.begin;
  while (true) {
    const Tight piece_of_input(
        arrival.input.substr(arrival.begin, arrival.arrived - arrival.begin));
    const BodyPiece piece = decoder.Next(piece_of_input.view());
    Require(piece.consumed <= piece_of_input.view().size(), "consumed is within the input");
    Require(piece.data.size() <= piece.consumed, "content was consumed");
    message.content += piece.data;
    arrival.begin += piece.consumed;
    if (piece.kind == BodyPiece::Kind::kEnd) {
      message.complete = true;
      break;
    }
    if (piece.kind == BodyPiece::Kind::kRefused) {
      message.end = fmt::format("refused {}", static_cast<int>(decoder.refusal()));
      return;
    }
    Require(piece.kind == BodyPiece::Kind::kNeedMore || piece.consumed > 0, "content moves on");
    if (piece.kind == BodyPiece::Kind::kNeedMore) {
      Require(arrival.begin == arrival.arrived, "a decoder that needs more has used everything");
      if (arrival.all()) {
        message.complete = decoder.Finish();
        break;
      }
      arrival.More();
    }
  }
  Require(decoder.content_bytes() == message.content.size(), "content is counted");
  Require(message.content.size() <= arrival.begin - start, "no content out of nothing");
  message.end =
      message.complete ? "complete " + http::testing::Describe(decoder.trailers()) : "need more";
}

std::string TargetOf(const http::RequestHead& head) { return std::string(head.target); }
std::string TargetOf(const http::ResponseHead& /*head*/) { return {}; }
std::string MethodOf(const http::RequestHead& head) { return std::string(head.method_text); }
std::string MethodOf(const http::ResponseHead& /*head*/) { return {}; }

/// `parse` takes the buffer and gives the status; head and parser are its own.
template <typename Parser, typename Head, typename Parse>
bool ReadHead(Arrival& arrival, Parser& parser, Head& head, SeenMessage& message,
              const Parse& parse) {
  while (true) {
    // A new place each time: the buffer may move.
    const Tight buffer(arrival.input.substr(arrival.begin, arrival.arrived - arrival.begin));
    const ParseStatus status = parse(buffer.view());
    if (status == ParseStatus::kNeedMore && !arrival.all()) {
      arrival.More();
      continue;
    }
    message.head = http::testing::DescribeEnd(status, parser, head);
    message.head_done = status == ParseStatus::kDone;
    if (message.head_done) {
      Require(parser.consumed() <= buffer.view().size(), "consumed is within the buffer");
      message.storage = buffer.view().substr(0, parser.consumed());
      message.target = TargetOf(head);
      message.method = MethodOf(head);
      for (const http::Field& field : head.fields) {
        const auto place = [&](std::string_view text) {
          return std::string_view(message.storage)
              .substr(static_cast<std::size_t>(text.data() - buffer.view().data()), text.size());
        };
        message.fields.push_back(
            {.name = place(field.name), .value = place(field.value), .known = field.known});
      }
      arrival.begin += parser.consumed();
    }
    return message.head_done;
  }
}

}  // namespace

std::vector<SeenMessage> ReadRequests(std::string_view input, const Limits& limits, Cuts cuts) {
  std::vector<SeenMessage> seen;
  Arrival arrival{.input = input, .cuts = cuts};
  http::h1::RequestParser parser(limits);
  BodyDecoder decoder(limits);
  while (arrival.begin < input.size()) {
    const std::size_t start = arrival.begin;
    SeenMessage& message = seen.emplace_back();
    http::RequestHead head;
    const auto parse = [&](std::string_view buffer) { return parser.Parse(buffer, head); };
    if (!ReadHead(arrival, parser, head, message, parse)) {
      break;
    }
    decoder.Start(head.framing, head.content_length);
    ReadBody(arrival, decoder, message);
    message.bytes = input.substr(start, arrival.begin - start);
    if (!message.complete) {
      break;
    }
    parser.Reset();
  }
  return seen;
}

std::vector<SeenMessage> ReadResponses(std::string_view input, http::Method request,
                                       const Limits& limits, Cuts cuts) {
  std::vector<SeenMessage> seen;
  Arrival arrival{.input = input, .cuts = cuts};
  http::h1::ResponseParser parser(limits);
  BodyDecoder decoder(limits);
  while (arrival.begin < input.size()) {
    const std::size_t start = arrival.begin;
    SeenMessage& message = seen.emplace_back();
    http::ResponseHead head;
    const auto parse = [&](std::string_view buffer) { return parser.Parse(buffer, request, head); };
    if (!ReadHead(arrival, parser, head, message, parse)) {
      break;
    }
    decoder.Start(head.framing, head.content_length);
    ReadBody(arrival, decoder, message);
    message.bytes = input.substr(start, arrival.begin - start);
    if (!message.complete) {
      break;
    }
    parser.Reset();
  }
  return seen;
}

std::string Transcript(const std::vector<SeenMessage>& messages) {
  std::string text;
  for (const SeenMessage& message : messages) {
    text += fmt::format("{}\n{}\n{}\n", message.head, message.content, message.end);
  }
  return text;
}

}  // namespace elb::fuzz
