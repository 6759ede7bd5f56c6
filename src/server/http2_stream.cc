#include "server/http2_stream.h"

#include <cstring>
#include <limits>
#include <utility>

#include "http/h1/body.h"
#include "http/h1/fields.h"
#include "server/http2_session.h"

namespace elb::server {
namespace {

using http::Field;
using http::FieldName;
using http::h1::Refusal;

/// What a field costs in SETTINGS_MAX_HEADER_LIST_SIZE terms (RFC 9113 section 6.5.2).
constexpr std::size_t kFieldOverhead = 32;

/// Error codes of RFC 9113 section 7.
constexpr std::uint32_t kInternalError = 2;
constexpr std::uint32_t kCancel = 8;

constexpr std::uint64_t kUnbounded = std::numeric_limits<std::uint64_t>::max();

}  // namespace

Http2Stream::Http2Stream(Http2Session& session, std::int32_t id, net::Reactor& reactor)
    : session_(&session),
      id_(id),
      signal_(reactor),
      started_(reactor.now()),
      output_progress_(started_) {}

const ConnectionFacts& Http2Stream::connection() const { return session_->facts(); }

Http2Stream::FieldPlace Http2Stream::Place(std::string& text, std::string_view name,
                                           std::string_view value) {
  const FieldPlace place{.name = text.size(),
                         .name_size = name.size(),
                         .value = text.size() + name.size(),
                         .value_size = value.size()};
  text.append(name);
  text.append(value);
  return place;
}

void Http2Stream::AddField(std::string_view name, std::string_view value,
                           const http::h1::Limits& limits) {
  bytes_received_ += name.size() + value.size() + 4;
  if (refusal_ == Refusal::kHeaderTooLarge) {
    return;  // One byte on the wire may name 4 KiB again and again: they are not looked at.
  }
  malformed_ = malformed_ || !rules_.TakeField(name, value);
  if (text_.size() + (places_.size() + 1) * kFieldOverhead + name.size() + value.size() >
          limits.head_bytes_max ||
      places_.size() >= limits.fields_max) {
    refusal_ = Refusal::kHeaderTooLarge;
  } else {
    places_.push_back(Place(text_, name, value));
  }
}

void Http2Stream::AddTrailer(std::string_view name, std::string_view value,
                             const http::h1::Limits& limits) {
  bytes_received_ += name.size() + value.size() + 4;
  if (trailers_too_large_) {
    return;
  }
  malformed_ = malformed_ || !Http2FieldRules::TakeTrailer(name, value);
  trailers_too_large_ =
      trailer_places_.size() >= limits.fields_max ||
      trailer_text_.size() + trailer_places_.size() * 4 + name.size() + value.size() >
          limits.trailer_bytes_max;
  if (!trailers_too_large_) {
    trailer_places_.push_back(Place(trailer_text_, name, value));
  }
}

/// Reads `:path` into target, path and query.
bool Http2Stream::ReadTarget(std::string_view path) {
  const bool asterisk = path == "*" && head_.method == http::Method::kOptions;
  if (path.empty() || (path.front() != '/' && !asterisk)) {
    return false;
  }
  for (const char letter : path) {
    const auto byte = static_cast<unsigned char>(letter);
    if (byte <= 0x20 || byte == 0x7f || letter == '#') {
      return false;
    }
  }
  head_.target = path;
  const std::size_t question = path.find('?');
  head_.path = path.substr(0, question);
  head_.query = question == std::string_view::npos ? std::string_view{} : path.substr(question + 1);
  return !head_.path.contains("%00");
}

bool Http2Stream::ReadPseudoFields() {
  std::string_view path;
  std::string_view host;
  for (const FieldPlace& place : places_) {
    const std::string_view name = Text(place.name, place.name_size);
    const std::string_view value = Text(place.value, place.value_size);
    if (name == ":method") {
      head_.method_text = value;
      head_.method = http::MethodOf(value);
    } else if (name == ":path") {
      path = value;
    } else if (name == ":authority") {
      head_.authority = value;
    } else if (name == "host") {
      host = value;
    }
  }
  if (!head_.authority.empty() && !host.empty() &&
      !http::h1::EqualsIgnoringCase(host, head_.authority)) {
    return false;
  }
  if (head_.authority.empty()) {
    head_.authority = host;
  }
  if (head_.method == http::Method::kConnect) {
    head_.target = head_.path = head_.authority;
    return http::h1::IsValidAuthority(head_.authority);
  }
  return http::h1::IsValidAuthority(head_.authority) && ReadTarget(path);
}

/// Regular fields; cookie crumbs become one field (RFC 9113 section 8.2.3).
void Http2Stream::ReadFields(BodyEnd end) {
  for (const FieldPlace& place : places_) {
    const std::string_view name = Text(place.name, place.name_size);
    const std::string_view value = Text(place.value, place.value_size);
    if (name.starts_with(':') || name == "host") {
      continue;
    }
    const FieldName known = http::InternFieldName(name);
    if (known == FieldName::kCookie) {
      cookies_ += cookies_.empty() ? "" : "; ";
      cookies_ += value;
      continue;
    }
    head_.fields.push_back({.name = name, .value = value, .known = known});
    if (known == FieldName::kContentLength &&
        http::h1::ParseContentLength(value, head_.content_length)) {
      head_.framing = http::Framing::kLength;
    } else if (known == FieldName::kTe) {
      head_.accepts_trailers = true;
    } else if (known == FieldName::kExpect) {
      head_.expect_continue = http::h1::EqualsIgnoringCase(value, "100-continue");
      head_.expect_unknown = !head_.expect_continue;
    }
  }
  if (!cookies_.empty()) {
    head_.fields.push_back({.name = "cookie", .value = cookies_, .known = FieldName::kCookie});
  }
  if (head_.framing != http::Framing::kLength && end == BodyEnd::kMore) {
    head_.framing = http::Framing::kUntilEnd;
  }
}

void Http2Stream::CompleteHead(BodyEnd end, const http::h1::Limits& limits) {
  head_.version = http::Version::kHttp2;
  head_.head_bytes = text_.size() + places_.size() * 4;
  end_received_ = end == BodyEnd::kLast;
  const bool lacks_content = end_received_ && rules_.content_length().value_or(0) > 0;
  malformed_ = malformed_ || !rules_.HasWholeHead() || lacks_content;
  if (malformed_) {
    return;
  }
  const bool understood = ReadPseudoFields();
  ReadFields(end);
  if (refusal_ != Refusal::kNone) {
    return;
  }
  if (head_.target.size() > limits.target_bytes_max) {
    refusal_ = Refusal::kUriTooLong;
  } else if (!understood || head_.method_text.size() > limits.method_bytes_max) {
    refusal_ = Refusal::kMalformed;
  }
}

void Http2Stream::AddContent(std::string_view content) {
  input_.Append(content);
  bytes_received_ += content.size();
  signal_.Notify();
}

void Http2Stream::CountContent(std::size_t bytes) {
  content_received_ += bytes;
  malformed_ = malformed_ || content_received_ > rules_.content_length().value_or(kUnbounded);
}

void Http2Stream::CompleteBody() {
  malformed_ =
      malformed_ || content_received_ != rules_.content_length().value_or(content_received_);
  if (malformed_) {
    return;
  }
  for (const FieldPlace& place : trailer_places_) {
    const std::string_view text = trailer_text_;
    const std::string_view name = text.substr(place.name, place.name_size);
    const Field trailer{.name = name,
                        .value = text.substr(place.value, place.value_size),
                        .known = http::InternFieldName(name)};
    if (!http::h1::IsForbiddenTrailer(trailer)) {
      trailers_.push_back(trailer);
    }
  }
  end_received_ = true;
  signal_.Notify();
}

void Http2Stream::OnClosed() {
  closed_ = true;
  signal_.Notify();
}

std::size_t Http2Stream::DropInput() {
  const std::size_t dropped = input_.size();
  input_.Clear();
  return dropped;
}

bool Http2Stream::body_complete() const {
  return end_received_ && input_.empty() && !trailers_too_large_;
}

BodyRead Http2Stream::TryReadBody(std::size_t limit) {
  const std::uint64_t bytes_max = session_->policy().request_body_bytes_max();
  if (head_.content_length > bytes_max || content_received_ > bytes_max) {
    return {
        .kind = BodyRead::Kind::kRefused, .data = {}, .status = 413, .reason = "body_too_large"};
  }
  if (trailers_too_large_) {
    return {.kind = BodyRead::Kind::kRefused, .data = {}, .status = 400, .reason = "bad_framing"};
  }
  if (!input_.empty()) {
    const std::string_view data = input_.Take(limit);
    session_->Consume(*this, data.size());
    return {.kind = BodyRead::Kind::kData, .data = data};
  }
  if (end_received_) {
    return {.kind = BodyRead::Kind::kEnd};
  }
  return {.kind = closed_ ? BodyRead::Kind::kGone : BodyRead::Kind::kWouldBlock};
}

void Http2Stream::SendInformational(int status, std::span<const Field> fields) {
  if (!closed_) {
    session_->SubmitInformational(*this, status, fields);
  }
}

void Http2Stream::Append(std::string_view content) {
  if (output_.empty()) {
    output_progress_ = session_->reactor().now();
  }
  output_.Append(content);
  content_bytes_sent_ += content.size();
  bytes_sent_ += content.size();
}

void Http2Stream::SendHead(const ResponseOut& head, std::string_view content, BodyEnd end) {
  no_body_ = head_.method == http::Method::kHead || head.status == 204 || head.status == 304;
  output_ended_ = end == BodyEnd::kLast;
  for (const Field& field : head.fields) {
    bytes_sent_ += field.name.size() + field.value.size() + 4;
  }
  if (closed_) {
    return;
  }
  const bool has_content = !no_body_ && !(output_ended_ && content.empty());
  content_follows_ = has_content;
  if (has_content) {
    Append(content);
  } else {
    output_ended_ = output_taken_ = true;
  }
  session_->SubmitHead(*this, head, has_content);
}

void Http2Stream::SendContent(std::string_view content, BodyEnd end) {
  if (no_body_ || closed_ || output_ended_) {
    return;
  }
  Append(content);
  output_ended_ = end == BodyEnd::kLast;
  session_->ResumeContent(*this);
}

void Http2Stream::SendTrailers(std::span<const Field> fields) {
  if (no_body_ || closed_ || output_ended_) {
    return;
  }
  for (const Field& field : fields) {
    response_trailers_.emplace_back(field.name, field.value);
  }
  SendContent({}, BodyEnd::kLast);
}

void Http2Stream::Cut() { CutWith(kInternalError); }

void Http2Stream::CutSilent() { CutWith(kCancel); }

void Http2Stream::CutStalled() { ResetWith(kCancel); }

/// A reset would overtake content that was written, and a head: it waits for them.
void Http2Stream::CutWith(std::uint32_t error_code) {
  if (!content_follows_ || output_ended_) {
    ResetWith(error_code);
  } else if (!closed_) {
    cut_code_ = error_code;
    session_->ResumeContent(*this);
  }
}

void Http2Stream::ResetWith(std::uint32_t error_code) {
  if (!closed_) {
    session_->Reset(*this, error_code);
  }
}

std::size_t Http2Stream::output_window() const { return session_->WindowOf(*this); }

std::size_t Http2Stream::TakeOutput(std::span<char> into, bool& end) {
  const std::string_view taken = output_.Take(into.size());
  std::memcpy(into.data(), taken.data(), taken.size());
  output_progress_ = session_->reactor().now();
  end = output_ended_ && output_.empty();
  output_taken_ = end;
  signal_.Notify();
  return taken.size();
}

net::Stream* Http2Stream::TakeOver(std::string_view& /*already_read*/) { return nullptr; }

}  // namespace elb::server
