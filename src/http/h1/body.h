#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "http/h1/parser.h"
#include "http/message.h"

namespace elb::http::h1 {

/// True for fields that a trailer section must not carry (RFC 9110 section 6.5.1): framing,
/// routing, request modifiers, authentication, response control data, how to read the content, and
/// the names that the load balancer manages. All interned names belong to the head.
[[nodiscard]] bool IsForbiddenTrailer(const Field& field);

/// What `BodyDecoder::Next` found at the front of its input.
struct BodyPiece {
  enum class Kind : std::uint8_t {
    kData,      ///< `data` is body content, `consumed` bytes of input are used up.
    kNeedMore,  ///< Input holds no further content; `consumed` bytes are used up all the same.
    kEnd,       ///< The body is complete; what lies behind `consumed` is the next message.
    kRefused,   ///< Bad framing or a limit passed; `decoder.refusal()` says which.
  };
  Kind kind = Kind::kNeedMore;
  std::string_view data;  ///< Views into the input.
  std::size_t consumed = 0;
};

/// Takes the body of one HTTP/1 message out of its framing (RFC 9112 section 7.1, data-plane.md
/// 4.3). Pure; never copies content. Trailers are validated and kept, except those that a trailer
/// section must not carry and the names that the load balancer manages; `trailers()` views into
/// decoder-owned storage. How the input is cut makes no difference.
class BodyDecoder {
 public:
  explicit BodyDecoder(const Limits& limits) : limits_(&limits) {}
  ~BodyDecoder() = default;
  BodyDecoder(const BodyDecoder&) = delete;
  BodyDecoder& operator=(const BodyDecoder&) = delete;
  BodyDecoder(BodyDecoder&&) = delete;
  BodyDecoder& operator=(BodyDecoder&&) = delete;

  /// Starts a body. `kUntilEnd`: everything is content until `Finish`.
  void Start(Framing framing, std::uint64_t content_length);

  /// Returns the next piece at the front of `input`. Call again behind `consumed` until it says
  /// kNeedMore, kEnd or kRefused. An incomplete chunk-size line is not consumed until complete or
  /// refused, except that consumption never stalls: the decoder keeps partial lines itself.
  [[nodiscard]] BodyPiece Next(std::string_view input);

  /// The peer closed: true when that completes the body (kUntilEnd, or already complete).
  [[nodiscard]] bool Finish();

  [[nodiscard]] bool complete() const { return complete_; }
  [[nodiscard]] Refusal refusal() const { return refusal_; }
  /// Content bytes so far.
  [[nodiscard]] std::uint64_t content_bytes() const { return content_bytes_; }
  /// Content bytes that are still to come with Framing::kLength.
  [[nodiscard]] std::uint64_t remaining() const { return remaining_; }
  [[nodiscard]] const FieldList& trailers() const { return trailers_; }

 private:
  enum class State : std::uint8_t { kSize, kExtension, kSizeLf, kData, kDataCr, kDataLf, kTrailer };

  [[nodiscard]] BodyPiece NextChunked(std::string_view input);
  [[nodiscard]] BodyPiece TakeData(std::string_view input, std::size_t used);
  [[nodiscard]] BodyPiece ReadTrailers(std::string_view input, std::size_t used);
  [[nodiscard]] BodyPiece Complete(std::size_t used);
  [[nodiscard]] BodyPiece Refuse(Refusal refusal, std::size_t used);
  [[nodiscard]] Refusal Step(char letter);
  [[nodiscard]] Refusal StepSize(char letter);
  [[nodiscard]] Refusal CountExtension();

  const Limits* limits_;
  std::uint64_t remaining_ = 0;  ///< Of the body, or of the chunk.
  std::uint64_t content_bytes_ = 0;
  std::size_t extension_bytes_ = 0;
  std::size_t digits_ = 0;
  State state_ = State::kSize;
  FieldList trailers_;
  std::string trailer_text_;      ///< What `trailers_` views into.
  std::size_t trailer_line_ = 0;  ///< Where its first incomplete line starts.
  Framing framing_ = Framing::kNone;
  Refusal refusal_ = Refusal::kNone;
  bool complete_ = true;
};

}  // namespace elb::http::h1
