#include "http/h1/body.h"

#include <algorithm>
#include <array>

#include "http/h1/fields.h"

namespace elb::http::h1 {
namespace {

constexpr std::size_t kChunkSizeDigitsMax = 16;
constexpr std::uint64_t kChunkBytesMax = INT64_MAX;

/// Value of a hexadecimal digit, -1 for anything else.
int HexValue(char digit) {
  if (digit >= '0' && digit <= '9') {
    return digit - '0';
  }
  const char lower = static_cast<char>(digit | 0x20);
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

/// Bytes that a chunk extension may hold: HTAB, visible, obs-text.
bool IsExtensionByte(char letter) {
  const auto byte = static_cast<unsigned char>(letter);
  return letter == '\t' || (byte >= 0x20 && byte != 0x7f);
}

}  // namespace

bool IsForbiddenTrailer(const Field& field) {
  static constexpr std::array<std::string_view, 18> kForbidden = {
      "age",
      "authentication-info",
      "content-range",
      "expires",
      "forwarded",
      "if-match",
      "if-none-match",
      "if-modified-since",
      "if-range",
      "max-forwards",
      "if-unmodified-since",
      "pragma",
      "range",
      "proxy-authenticate",
      "proxy-authorization",
      "retry-after",
      "vary",
      "www-authenticate",
  };
  return field.known != FieldName::kOther || IsDisguisedManagedName(field.name) ||
         std::ranges::any_of(kForbidden, [&field](std::string_view name) {
           return EqualsIgnoringCase(field.name, name);
         });
}

void BodyDecoder::Start(Framing framing, std::uint64_t content_length) {
  framing_ = framing;
  remaining_ = framing == Framing::kLength ? content_length : 0;
  content_bytes_ = 0;
  extension_bytes_ = 0;
  digits_ = 0;
  refusal_ = Refusal::kNone;
  state_ = State::kSize;
  trailers_.clear();
  trailer_text_.clear();
  trailer_line_ = 0;
  complete_ = framing == Framing::kNone || (framing == Framing::kLength && content_length == 0);
}

bool BodyDecoder::Finish() {
  if (framing_ == Framing::kUntilEnd) {
    complete_ = true;
  }
  return complete_;
}

BodyPiece BodyDecoder::TakeData(std::string_view input, std::size_t used) {
  const auto count =
      static_cast<std::size_t>(std::min<std::uint64_t>(input.size() - used, remaining_));
  remaining_ -= count;
  content_bytes_ += count;
  return {
      .kind = BodyPiece::Kind::kData, .data = input.substr(used, count), .consumed = used + count};
}

BodyPiece BodyDecoder::Next(std::string_view input) {
  if (refusal_ != Refusal::kNone) {
    return {.kind = BodyPiece::Kind::kRefused};
  }
  if (complete_) {
    return {.kind = BodyPiece::Kind::kEnd};
  }
  if (framing_ == Framing::kChunked) {
    return NextChunked(input);
  }
  if (input.empty()) {
    return {};
  }
  if (framing_ == Framing::kUntilEnd) {
    content_bytes_ += input.size();
    return {.kind = BodyPiece::Kind::kData, .data = input, .consumed = input.size()};
  }
  const BodyPiece piece = TakeData(input, 0);
  complete_ = remaining_ == 0;
  return piece;
}

BodyPiece BodyDecoder::Refuse(Refusal refusal, std::size_t used) {
  refusal_ = refusal;
  return {.kind = BodyPiece::Kind::kRefused, .data = {}, .consumed = used};
}

BodyPiece BodyDecoder::NextChunked(std::string_view input) {
  std::size_t used = 0;
  while (used < input.size()) {
    if (state_ == State::kData) {
      const BodyPiece piece = TakeData(input, used);
      if (remaining_ == 0) {
        state_ = State::kDataCr;
      }
      return piece;
    }
    if (state_ == State::kTrailer) {
      return ReadTrailers(input, used);
    }
    const Refusal refusal = Step(input[used]);
    if (refusal != Refusal::kNone) {
      return Refuse(refusal, used);
    }
    ++used;
  }
  return {.kind = BodyPiece::Kind::kNeedMore, .data = {}, .consumed = used};
}

/// One byte of a chunk size: 1 to 16 hexadecimal digits, then `;` or the line end.
Refusal BodyDecoder::StepSize(char letter) {
  if (const int digit = HexValue(letter); digit >= 0) {
    remaining_ = remaining_ << 4 | static_cast<std::uint64_t>(digit);
    const bool fits = ++digits_ <= kChunkSizeDigitsMax && remaining_ <= kChunkBytesMax;
    return fits ? Refusal::kNone : Refusal::kBadFraming;
  }
  if (digits_ == 0) {
    return Refusal::kBadFraming;
  }
  digits_ = 0;
  if (letter == ';') {
    state_ = State::kExtension;
    return CountExtension();
  }
  state_ = State::kSizeLf;
  return letter == '\r' ? Refusal::kNone : Refusal::kBadFraming;
}

/// One byte of chunk framing (RFC 9112 section 7.1).
Refusal BodyDecoder::Step(char letter) {
  switch (state_) {
    case State::kSize:
      return StepSize(letter);
    case State::kExtension:
      if (letter == '\r') {
        state_ = State::kSizeLf;
        return Refusal::kNone;
      }
      return IsExtensionByte(letter) ? CountExtension() : Refusal::kBadFraming;
    case State::kSizeLf:
      state_ = remaining_ == 0 ? State::kTrailer : State::kData;
      return letter == '\n' ? Refusal::kNone : Refusal::kBadFraming;
    case State::kDataCr:
      state_ = State::kDataLf;
      return letter == '\r' ? Refusal::kNone : Refusal::kBadFraming;
    case State::kDataLf:
      state_ = State::kSize;
      return letter == '\n' ? Refusal::kNone : Refusal::kBadFraming;
    case State::kData:
    case State::kTrailer:
      break;
  }
  return Refusal::kBadFraming;
}

Refusal BodyDecoder::CountExtension() {
  return ++extension_bytes_ > limits_->chunk_extension_bytes_max ? Refusal::kBadFraming
                                                                 : Refusal::kNone;
}

BodyPiece BodyDecoder::Complete(std::size_t used) {
  std::erase_if(trailers_, IsForbiddenTrailer);
  complete_ = true;
  return {.kind = BodyPiece::Kind::kEnd, .data = {}, .consumed = used};
}

/// Collects the trailer section and ends the body with it. Lines already read are read again only
/// when the text had to move.
BodyPiece BodyDecoder::ReadTrailers(std::string_view input, std::size_t used) {
  if (trailer_text_.empty() && input.substr(used).starts_with("\r\n")) {
    return Complete(used + 2);
  }
  const std::size_t before = trailer_text_.size();
  const std::string_view more = input.substr(used, limits_->trailer_bytes_max - before);
  const char* const place = trailer_text_.data();
  trailer_text_.append(more);
  if (trailer_text_.data() != place) {
    trailers_.clear();
    trailer_line_ = 0;
  }
  switch (ReadFields(trailer_text_, trailer_line_, limits_->fields_max, trailers_)) {
    case LineStatus::kDone:
      return Complete(used + trailer_line_ - before);
    case LineStatus::kMalformed:
    case LineStatus::kTooMany:
      return Refuse(Refusal::kBadFraming, used);
    case LineStatus::kNeedMore:
      break;
  }
  if (trailer_text_.size() >= limits_->trailer_bytes_max) {
    return Refuse(Refusal::kBadFraming, used);
  }
  return {.kind = BodyPiece::Kind::kNeedMore, .data = {}, .consumed = used + more.size()};
}

}  // namespace elb::http::h1
