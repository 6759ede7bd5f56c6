#include "server/http2_stream.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>
#include <utility>

#include "http/h1/fields.h"
#include "server/http2_session.h"

namespace elb::server {
namespace {

using http::Field;
using http::FieldName;

/// What a field costs in SETTINGS_MAX_HEADER_LIST_SIZE terms (RFC 9113 section 6.5.2).
constexpr std::size_t kFieldOverhead = 32;

http::Method MethodOf(std::string_view text) {
  using Entry = std::pair<std::string_view, http::Method>;
  static constexpr auto kMethods = std::to_array<Entry>({
      {"GET", http::Method::kGet},
      {"POST", http::Method::kPost},
      {"HEAD", http::Method::kHead},
      {"PUT", http::Method::kPut},
      {"DELETE", http::Method::kDelete},
      {"OPTIONS", http::Method::kOptions},
      {"PATCH", http::Method::kPatch},
      {"TRACE", http::Method::kTrace},
      {"CONNECT", http::Method::kConnect},
  });
  for (const auto& [name, method] : kMethods) {
    if (name == text) {
      return method;
    }
  }
  return http::Method::kOther;
}

}  // namespace

Http2Stream::Http2Stream(Http2Session& session, std::int32_t id, net::Reactor& reactor)
    : session_(&session), id_(id), signal_(reactor), started_(reactor.now()) {}

const ConnectionFacts& Http2Stream::connection() const { return session_->facts(); }

bool Http2Stream::AddField(std::string_view name, std::string_view value,
                           const http::h1::Limits& limits) {
  bytes_received_ += name.size() + value.size() + 4;
  if (text_.size() + (places_.size() + 1) * kFieldOverhead + name.size() + value.size() >
          limits.head_bytes_max ||
      places_.size() >= limits.fields_max) {
    head_too_large_ = true;
    return false;
  }
  places_.push_back({.name = text_.size(),
                     .name_size = name.size(),
                     .value = text_.size() + name.size(),
                     .value_size = value.size()});
  text_.append(name);
  text_.append(value);
  return true;
}

void Http2Stream::AddTrailer(std::string_view name, std::string_view value) {
  bytes_received_ += name.size() + value.size() + 4;
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
      head_.method = MethodOf(value);
    } else if (name == ":path") {
      path = value;
    } else if (name == ":authority") {
      head_.authority = value;
    } else if (name == "host") {
      host = value;
    }
  }
  if (!head_.authority.empty() && !host.empty() && host != head_.authority) {
    return false;
  }
  if (head_.authority.empty()) {
    head_.authority = host;
  }
  if (head_.method == http::Method::kConnect) {
    head_.target = head_.path = head_.authority;
    return true;
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

bool Http2Stream::CompleteHead(BodyEnd end) {
  head_.version = http::Version::kHttp2;
  head_.head_bytes = text_.size() + places_.size() * 4;
  body_complete_ = end == BodyEnd::kLast;
  if (!ReadPseudoFields()) {
    return false;
  }
  ReadFields(end);
  return true;
}

void Http2Stream::AddContent(std::string_view content) {
  if (input_at_ == input_.size()) {
    input_.clear();
    input_at_ = 0;
  }
  input_.append(content);
  bytes_received_ += content.size();
  content_received_ += content.size();
  signal_.Notify();
}

void Http2Stream::CompleteBody() {
  body_complete_ = true;
  signal_.Notify();
}

void Http2Stream::OnClosed() {
  closed_ = true;
  signal_.Notify();
}

bool Http2Stream::body_complete() const { return body_complete_ && input_at_ == input_.size(); }

BodyRead Http2Stream::TryReadBody(std::size_t limit) {
  if (content_received_ > session_->policy().request_body_bytes_max()) {
    return {
        .kind = BodyRead::Kind::kRefused, .data = {}, .status = 413, .reason = "body_too_large"};
  }
  if (input_at_ < input_.size()) {
    const std::size_t count = std::min(limit, input_.size() - input_at_);
    const std::string_view data = std::string_view(input_).substr(input_at_, count);
    input_at_ += count;
    session_->Consume(*this, count);
    return {.kind = BodyRead::Kind::kData, .data = data};
  }
  if (body_complete_) {
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
  if (output_at_ == output_.size()) {
    output_.clear();
    output_at_ = 0;
  }
  output_.append(content);
  content_bytes_sent_ += content.size();
  bytes_sent_ += content.size();
}

void Http2Stream::SendHead(const ResponseOut& head, std::string_view content, BodyEnd end) {
  head_sent_ = true;
  no_body_ = head_.method == http::Method::kHead || head.status == 204 || head.status == 304;
  if (!no_body_) {
    Append(content);
  }
  output_ended_ = end == BodyEnd::kLast;
  for (const Field& field : head.fields) {
    bytes_sent_ += field.name.size() + field.value.size() + 4;
  }
  if (closed_) {
    return;
  }
  const bool has_content = !no_body_ && !(output_ended_ && content.empty());
  if (!has_content) {
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
  if (fields.empty()) {
    SendContent({}, BodyEnd::kLast);
    return;
  }
  trailers_follow_ = true;
  output_ended_ = true;
  session_->SubmitTrailers(*this, fields);
  session_->ResumeContent(*this);
}

void Http2Stream::Cut() {
  constexpr std::uint32_t kInternalError = 2;
  CutWith(kInternalError);
}

void Http2Stream::CutStalled() {
  constexpr std::uint32_t kCancel = 8;
  CutWith(kCancel);
}

void Http2Stream::CutWith(std::uint32_t error_code) {
  cut_ = true;
  if (!closed_) {
    session_->Reset(*this, error_code);
  }
}

std::size_t Http2Stream::TakeOutput(std::span<char> into, bool& end) {
  const std::size_t count = std::min(into.size(), output_.size() - output_at_);
  std::memcpy(into.data(), output_.data() + output_at_, count);
  output_at_ += count;
  end = output_ended_ && output_at_ == output_.size();
  output_taken_ = end;
  signal_.Notify();
  return count;
}

net::Stream* Http2Stream::TakeOver(std::string_view& /*already_read*/) { return nullptr; }

}  // namespace elb::server
