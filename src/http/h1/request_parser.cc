#include <algorithm>
#include <array>
#include <utility>

#include "http/h1/fields.h"
#include "http/h1/parser.h"
#include "http/h1/scan.h"

namespace elb::http::h1 {
namespace {

constexpr std::size_t kEmptyLinesMax = 2;

/// What the parts of a parse come to: go on, wait, or the reason to stop.
struct Step {
  ParseStatus status = ParseStatus::kDone;
  Refusal refusal = Refusal::kNone;
};

constexpr Step kGoOn{};
constexpr Step kWait{.status = ParseStatus::kNeedMore};

constexpr Step Refuse(Refusal refusal) {
  return {.status = ParseStatus::kRefused, .refusal = refusal};
}

Method MethodOf(std::string_view text) {
  using Entry = std::pair<std::string_view, Method>;
  static constexpr std::array kMethods = {
      Entry{"GET", Method::kGet},         Entry{"POST", Method::kPost},
      Entry{"HEAD", Method::kHead},       Entry{"PUT", Method::kPut},
      Entry{"DELETE", Method::kDelete},   Entry{"OPTIONS", Method::kOptions},
      Entry{"PATCH", Method::kPatch},     Entry{"TRACE", Method::kTrace},
      Entry{"CONNECT", Method::kConnect},
  };
  for (const auto& [name, method] : kMethods) {
    if (name == text) {
      return method;
    }
  }
  return Method::kOther;
}

bool StartsWithScheme(std::string_view target, std::size_t& length) {
  for (const std::string_view scheme : {"http://", "https://"}) {
    if (target.size() >= scheme.size() &&
        EqualsIgnoringCase(target.substr(0, scheme.size()), scheme)) {
      length = scheme.size();
      return true;
    }
  }
  return false;
}

/// Parses one complete or incomplete head from its first byte on.
class HeadParse {
 public:
  HeadParse(std::string_view buffer, const Limits& limits, std::string& rewritten,
            RequestHead& head)
      : buffer_(buffer), limits_(limits), rewritten_(rewritten), head_(head) {}

  Step Run() {
    Step step = SkipEmptyLines();
    start_ = position_;
    for (Step (HeadParse::*part)() :
         {&HeadParse::ReadMethod, &HeadParse::ReadTarget, &HeadParse::ReadVersion,
          &HeadParse::ReadFieldLines, &HeadParse::CheckTarget, &HeadParse::CheckHost,
          &HeadParse::CheckFraming, &HeadParse::ReadOptions}) {
      if (step.status != ParseStatus::kDone) {
        return step;
      }
      step = (this->*part)();
    }
    return step;
  }

  [[nodiscard]] std::size_t position() const { return position_; }

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

  Step ReadMethod() {
    const std::size_t size = TokenLength(rest().substr(0, limits_.method_bytes_max + 1));
    if (size > limits_.method_bytes_max) {
      return Refuse(Refusal::kMalformed);
    }
    if (size == rest().size()) {
      return kWait;
    }
    if (size == 0 || rest()[size] != ' ') {
      return Refuse(Refusal::kMalformed);
    }
    head_.method_text = rest().substr(0, size);
    head_.method = MethodOf(head_.method_text);
    position_ += size + 1;
    return kGoOn;
  }

  Step ReadTarget() {
    const std::size_t size = TargetLength(rest().substr(0, limits_.target_bytes_max + 1));
    if (size > limits_.target_bytes_max) {
      return Refuse(Refusal::kUriTooLong);
    }
    if (size == rest().size()) {
      return kWait;
    }
    if (size == 0 || rest()[size] != ' ') {
      return Refuse(Refusal::kMalformed);
    }
    head_.target = rest().substr(0, size);
    position_ += size + 1;
    return kGoOn;
  }

  Step ReadVersion() {
    constexpr std::string_view kPrefix = "HTTP/";
    constexpr std::size_t kSize = 8;  // HTTP/1.1
    const std::string_view text = rest().substr(0, kSize);
    if (!text.starts_with(kPrefix.substr(0, text.size()))) {
      return Refuse(Refusal::kMalformed);
    }
    if (text.size() < kSize) {
      return kWait;
    }
    const auto digit = [](char letter) { return letter >= '0' && letter <= '9'; };
    if (!digit(text[5]) || text[6] != '.' || !digit(text[7])) {
      return Refuse(Refusal::kMalformed);
    }
    const std::string_view end = rest().substr(kSize, 2);
    if (end != std::string_view("\r\n").substr(0, end.size())) {
      return Refuse(Refusal::kMalformed);
    }
    if (text[5] != '1') {
      return Refuse(Refusal::kUnsupportedVersion);
    }
    if (end.size() < 2) {
      return kWait;
    }
    head_.version = text[7] == '0' ? Version::kHttp10 : Version::kHttp11;
    position_ += kSize + 2;
    return kGoOn;
  }

  Step ReadFieldLines() {
    switch (ReadFields(buffer_, position_, limits_.fields_max, head_.fields)) {
      case LineStatus::kNeedMore:
        return kWait;
      case LineStatus::kMalformed:
        return Refuse(Refusal::kMalformed);
      case LineStatus::kTooMany:
        return Refuse(Refusal::kHeaderTooLarge);
      case LineStatus::kDone:
        break;
    }
    head_.head_bytes = position_ - start_;
    return head_.head_bytes > limits_.head_bytes_max ? Refuse(Refusal::kHeaderTooLarge) : kGoOn;
  }

  /// Origin-form, absolute-form or `*` (RFC 9112 section 3.2).
  Step CheckTarget() {
    if (head_.method == Method::kConnect) {
      return Refuse(Refusal::kMethodNotAllowed);
    }
    std::size_t scheme = 0;
    if (head_.target == "*") {
      if (head_.method != Method::kOptions) {
        return Refuse(Refusal::kMalformed);
      }
    } else if (StartsWithScheme(head_.target, scheme)) {
      if (!SplitAbsolute(head_.target.substr(scheme))) {
        return Refuse(Refusal::kMalformed);
      }
    } else if (head_.target.front() != '/') {
      return Refuse(Refusal::kMalformed);
    }
    const std::size_t question = head_.target.find('?');
    head_.path = head_.target.substr(0, question);
    head_.query =
        question == std::string_view::npos ? std::string_view{} : head_.target.substr(question + 1);
    return head_.path.contains("%00") ? Refuse(Refusal::kMalformed) : kGoOn;
  }

  bool SplitAbsolute(std::string_view behind_scheme) {
    const std::size_t end = std::min(behind_scheme.find_first_of("/?"), behind_scheme.size());
    head_.authority = behind_scheme.substr(0, end);
    const std::string_view local = behind_scheme.substr(end);
    if (local.starts_with('/')) {
      head_.target = local;
    } else if (local.empty()) {
      head_.target = "/";
    } else {
      rewritten_ = "/";
      rewritten_ += local;
      head_.target = rewritten_;
    }
    return IsValidAuthority(head_.authority);
  }

  Step CheckHost() {
    const Field* host = nullptr;
    for (const Field& field : head_.fields) {
      if (field.known == FieldName::kHost) {
        if (host != nullptr) {
          return Refuse(Refusal::kMalformed);
        }
        host = &field;
      }
    }
    if (host == nullptr) {
      return head_.version == Version::kHttp10 ? kGoOn : Refuse(Refusal::kMalformed);
    }
    if (!IsValidAuthority(host->value)) {
      return Refuse(Refusal::kMalformed);
    }
    if (head_.authority.empty()) {
      head_.authority = host->value;
    }
    return kGoOn;
  }

  /// RFC 9112 section 6.3, without any of its second chances (data-plane.md 4.3).
  Step CheckFraming() {
    const Field* length = nullptr;
    const Field* coding = nullptr;
    for (const Field& field : head_.fields) {
      if (field.known == FieldName::kContentLength) {
        if (length != nullptr) {
          return Refuse(Refusal::kBadFraming);
        }
        length = &field;
      } else if (field.known == FieldName::kTransferEncoding) {
        if (coding != nullptr) {
          return Refuse(Refusal::kBadFraming);
        }
        coding = &field;
      }
    }
    if (coding != nullptr) {
      return length != nullptr || head_.version == Version::kHttp10 ? Refuse(Refusal::kBadFraming)
                                                                    : CheckCoding(coding->value);
    }
    if (length != nullptr) {
      if (!ParseContentLength(length->value, head_.content_length)) {
        return Refuse(Refusal::kBadFraming);
      }
      head_.framing = Framing::kLength;
    }
    return kGoOn;
  }

  Step CheckCoding(std::string_view value) {
    if (EqualsIgnoringCase(value, "chunked")) {
      head_.framing = Framing::kChunked;
      return kGoOn;
    }
    if (EqualsIgnoringCase(value, "identity")) {
      return kGoOn;
    }
    std::size_t chunked = 0;
    bool last_is_chunked = false;
    std::string_view element;
    while (NextListElement(value, element)) {
      last_is_chunked = EqualsIgnoringCase(element, "chunked");
      chunked += last_is_chunked ? 1 : 0;
    }
    const bool ambiguous = chunked > 1 || (chunked == 1 && !last_is_chunked);
    return Refuse(ambiguous ? Refusal::kBadFraming : Refusal::kUnsupportedTe);
  }

  Step ReadOptions() {
    const ConnectionOptions connection = ReadConnection(head_.fields);
    head_.keep_alive =
        !connection.close && (head_.version == Version::kHttp11 || connection.keep_alive);
    bool websocket = false;
    for (const Field& field : head_.fields) {
      if (field.known == FieldName::kExpect) {
        const bool known = EqualsIgnoringCase(field.value, "100-continue");
        head_.expect_continue = known && head_.version == Version::kHttp11;
        head_.expect_unknown = head_.expect_unknown || !known;
      } else if (field.known == FieldName::kTe) {
        std::string_view list = field.value;
        std::string_view element;
        while (NextListElement(list, element)) {
          head_.accepts_trailers =
              head_.accepts_trailers || EqualsIgnoringCase(element, "trailers");
        }
      } else if (field.known == FieldName::kUpgrade) {
        websocket = EqualsIgnoringCase(field.value, "websocket");
      }
    }
    const bool no_body = head_.framing == Framing::kNone ||
                         (head_.framing == Framing::kLength && head_.content_length == 0);
    head_.upgrade_websocket = websocket && connection.upgrade && no_body &&
                              head_.method == Method::kGet && head_.version == Version::kHttp11;
    return kGoOn;
  }

  std::string_view buffer_;
  const Limits& limits_;
  std::string& rewritten_;
  RequestHead& head_;
  std::size_t position_ = 0;
  std::size_t start_ = 0;
};

/// True when the bytes behind `from` cannot complete the head: no line end among them.
bool HasNoLineEnd(std::string_view buffer, std::size_t from) {
  return buffer.substr(from).find('\n') == std::string_view::npos;
}

}  // namespace

ParseStatus RequestParser::Parse(std::string_view buffer, RequestHead& head) {
  // A head that comes byte by byte is not parsed anew for each byte: only when a line ends.
  const bool may_be_new = scanned_ == 0 || !HasNoLineEnd(buffer, scanned_) ||
                          buffer.size() <= limits_->method_bytes_max;
  const std::size_t lines_limit = limits_->head_bytes_max + 2 * kEmptyLinesMax;
  if (!may_be_new && buffer.size() <= lines_limit && !TargetMayBeTooLong(buffer)) {
    scanned_ = buffer.size();
    return ParseStatus::kNeedMore;
  }
  head.Clear();
  HeadParse parse(buffer, *limits_, rewritten_target_, head);
  const Step step = parse.Run();
  scanned_ = buffer.size();
  refusal_ = step.refusal;
  if (step.status == ParseStatus::kNeedMore && buffer.size() > lines_limit) {
    refusal_ = Refusal::kHeaderTooLarge;
    return ParseStatus::kRefused;
  }
  if (step.status == ParseStatus::kDone) {
    consumed_ = parse.position();
  }
  return step.status;
}

bool RequestParser::TargetMayBeTooLong(std::string_view buffer) const {
  return buffer.size() > limits_->target_bytes_max && buffer.find('\n') == std::string_view::npos;
}

void RequestParser::Reset() {
  scanned_ = 0;
  consumed_ = 0;
  refusal_ = Refusal::kNone;
}

}  // namespace elb::http::h1
