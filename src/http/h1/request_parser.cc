#include <algorithm>
#include <cstddef>

#include "http/h1/fields.h"
#include "http/h1/parser.h"
#include "http/h1/request_rules.h"
#include "http/h1/scan.h"

namespace elb::http::h1 {
namespace {

constexpr std::size_t kEmptyLinesMax = 2;

/// What a part of a parse comes to: go on (kDone), wait, or the reason to stop.
struct Step {
  ParseStatus status = ParseStatus::kDone;
  Refusal refusal = Refusal::kNone;

  [[nodiscard]] bool GoesOn() const { return status == ParseStatus::kDone; }
};

constexpr Step kGoOn{};
constexpr Step kWait{.status = ParseStatus::kNeedMore};

constexpr Step Refuse(Refusal refusal) {
  return {.status = ParseStatus::kRefused, .refusal = refusal};
}

constexpr Step StepOf(Refusal refusal) {
  return refusal == Refusal::kNone ? kGoOn : Refuse(refusal);
}

Step StepOf(LineStatus status) {
  switch (status) {
    case LineStatus::kDone:
      return kGoOn;
    case LineStatus::kNeedMore:
      return kWait;
    case LineStatus::kTooMany:
      return Refuse(Refusal::kHeaderTooLarge);
    case LineStatus::kMalformed:
      break;
  }
  return Refuse(Refusal::kMalformed);
}

/// Reads a head from its first byte on.
class HeadReader {
 public:
  HeadReader(std::string_view buffer, const Limits& limits, OpenLine& open, RequestHead& head)
      : buffer_(buffer), limits_(limits), open_(open), head_(head) {}

  Step Read(std::string& rewritten) {
    Step step = SkipEmptyLines();
    open_ = {.head = position_, .start = position_};
    buffer_ = buffer_.substr(0, position_ + limits_.head_bytes_max);
    for (const auto part :
         {&HeadReader::ReadMethod, &HeadReader::ReadTarget, &HeadReader::ReadVersion}) {
      if (step.GoesOn()) {
        step = (this->*part)();
      }
    }
    if (step.GoesOn()) {
      const Refusal refusal = ReadTargetForm(head_, rewritten);
      is_not_allowed_ = refusal == Refusal::kMethodNotAllowed;
      step = is_not_allowed_ ? kGoOn : StepOf(refusal);
    }
    if (step.GoesOn()) {
      open_.is_field = true;
      step = StepOf(ReadFields(buffer_, position_, limits_.fields_max, head_.fields));
      open_.start = position_;
      open_.fields = head_.fields.size();
    }
    return step;
  }

  [[nodiscard]] std::size_t position() const { return position_; }
  /// The head is whole and well-formed, but has a method that nobody may use.
  [[nodiscard]] bool is_not_allowed() const { return is_not_allowed_; }

 private:
  [[nodiscard]] std::string_view rest() const { return buffer_.substr(position_); }

  Step SkipEmptyLines() {
    for (std::size_t i = 0; i < kEmptyLinesMax && rest().starts_with('\r'); ++i) {
      if (rest().size() == 1) {
        return kWait;
      }
      if (rest()[1] != '\n') {
        return Refuse(Refusal::kMalformed);
      }
      position_ += 2;
    }
    return rest().empty() ? kWait : kGoOn;
  }

  /// The part of the request line that is `size` bytes long at most `size_max` and ends in a space.
  Step TakePart(std::size_t size, std::size_t size_max, Refusal too_long, std::string_view& part) {
    if (size > size_max) {
      return Refuse(too_long);
    }
    if (size == rest().size()) {
      return kWait;
    }
    if (size == 0 || rest()[size] != ' ') {
      return Refuse(Refusal::kMalformed);
    }
    part = rest().substr(0, size);
    position_ += size + 1;
    return kGoOn;
  }

  Step ReadMethod() {
    const std::size_t size_max = limits_.method_bytes_max;
    const std::size_t size = TokenLength(rest().substr(0, size_max + 1));
    const Step step = TakePart(size, size_max, Refusal::kMalformed, head_.method_text);
    head_.method = MethodOf(head_.method_text);
    return step;
  }

  Step ReadTarget() {
    const std::size_t size_max = limits_.target_bytes_max;
    const std::size_t size = TargetLength(rest().substr(0, size_max + 1));
    return TakePart(size, size_max, Refusal::kUriTooLong, head_.target);
  }

  /// `HTTP/1.x` and the line end; `x` above 1 is read as 1 (RFC 9110 section 2.5).
  Step ReadVersion() {
    constexpr std::string_view kPattern = "HTTP/0.0\r\n";
    constexpr std::size_t kMajor = 5;
    constexpr std::size_t kMinor = 7;
    const std::string_view text = rest().substr(0, kPattern.size());
    for (std::size_t i = 0; i < text.size(); ++i) {
      const bool digit = text[i] >= '0' && text[i] <= '9';
      if (kPattern[i] == '0' ? !digit : text[i] != kPattern[i]) {
        return Refuse(Refusal::kMalformed);
      }
      if (i == kMinor && text[kMajor] != '1') {
        return Refuse(Refusal::kUnsupportedVersion);
      }
    }
    if (text.size() < kPattern.size()) {
      return kWait;
    }
    head_.version = text[kMinor] == '0' ? Version::kHttp10 : Version::kHttp11;
    position_ += kPattern.size();
    return kGoOn;
  }

  std::string_view buffer_;
  const Limits& limits_;
  OpenLine& open_;
  RequestHead& head_;
  std::size_t position_ = 0;
  bool is_not_allowed_ = false;
};

}  // namespace

ParseStatus RequestParser::Parse(std::string_view buffer, RequestHead& head) {
  if (refusal_ != Refusal::kNone) {
    return ParseStatus::kRefused;
  }
  Step step;
  if (IsStillOpen(buffer, open_)) {
    const std::string_view visible = buffer.substr(0, open_.head + limits_->head_bytes_max);
    step = StepOf(ReadOpenField(visible, open_, limits_->fields_max, head.fields));
  } else {
    head.Clear();
    HeadReader reader(buffer, *limits_, open_, head);
    step = reader.Read(rewritten_target_);
    if (step.GoesOn()) {
      head.head_bytes = reader.position() - open_.head;
      step = reader.is_not_allowed() ? Refuse(Refusal::kMethodNotAllowed)
                                     : StepOf(ApplyFieldRules(head));
      consumed_ = step.GoesOn() ? reader.position() : 0;
    }
  }
  open_.scanned = buffer.size();
  if (step.status == ParseStatus::kNeedMore &&
      buffer.size() >= open_.head + limits_->head_bytes_max) {
    step = Refuse(Refusal::kHeaderTooLarge);
  }
  refusal_ = step.refusal;
  return step.status;
}

void RequestParser::Reset() {
  open_ = {};
  consumed_ = 0;
  refusal_ = Refusal::kNone;
}

}  // namespace elb::http::h1
