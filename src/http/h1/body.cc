#include "http/h1/body.h"

#include <algorithm>

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

/// Fields that a trailer must not carry (RFC 9110 section 6.5.1).
bool MayBeTrailer(FieldName name) {
  switch (name) {
    case FieldName::kHost:
    case FieldName::kContentLength:
    case FieldName::kTransferEncoding:
    case FieldName::kConnection:
    case FieldName::kKeepAlive:
    case FieldName::kProxyConnection:
    case FieldName::kUpgrade:
    case FieldName::kTe:
    case FieldName::kTrailer:
    case FieldName::kCookie:
    case FieldName::kSetCookie:
    case FieldName::kAuthorization:
    case FieldName::kContentType:
    case FieldName::kContentEncoding:
    case FieldName::kCacheControl:
    case FieldName::kExpect:
    case FieldName::kLocation:
    case FieldName::kDate:
      return false;
    default:
      return true;
  }
}

}  // namespace

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

/// One byte of chunk framing (RFC 9112 section 7.1).
Refusal BodyDecoder::Step(char letter) {
  switch (state_) {
    case State::kSize: {
      const int digit = HexValue(letter);
      if (digit >= 0) {
        remaining_ = remaining_ << 4 | static_cast<std::uint64_t>(digit);
        return ++digits_ > kChunkSizeDigitsMax || remaining_ > kChunkBytesMax ? Refusal::kBadFraming
                                                                              : Refusal::kNone;
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

/// Collects the trailer section and ends the body with it.
BodyPiece BodyDecoder::ReadTrailers(std::string_view input, std::size_t used) {
  const std::size_t before = trailer_text_.size();
  const std::size_t room =
      limits_->trailer_bytes_max + 1 - std::min(before, limits_->trailer_bytes_max + 1);
  const std::string_view more = input.substr(used, room);
  const bool line_ended = more.find('\n') != std::string_view::npos;
  trailer_text_.append(more);
  if (line_ended || trailer_text_.size() <= 2) {
    trailers_.clear();
    std::size_t position = 0;
    switch (ReadFields(trailer_text_, position, limits_->fields_max, trailers_)) {
      case LineStatus::kDone:
        std::erase_if(trailers_, [](const Field& field) { return !MayBeTrailer(field.known); });
        complete_ = true;
        return {.kind = BodyPiece::Kind::kEnd, .data = {}, .consumed = used + position - before};
      case LineStatus::kMalformed:
      case LineStatus::kTooMany:
        return Refuse(Refusal::kBadFraming, used);
      case LineStatus::kNeedMore:
        break;
    }
  }
  if (trailer_text_.size() > limits_->trailer_bytes_max) {
    return Refuse(Refusal::kBadFraming, used);
  }
  return {.kind = BodyPiece::Kind::kNeedMore, .data = {}, .consumed = used + more.size()};
}

}  // namespace elb::http::h1
