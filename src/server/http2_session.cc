#include "server/http2_session.h"

#include <nghttp2/nghttp2.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include "base/assert.h"
#include "server/date_cache.h"
#include "server/http2_callbacks.h"
#include "server/own_answer.h"

namespace elb::server {
namespace {

constexpr std::uint32_t kStreamsMax = 128;
constexpr std::uint32_t kStreamWindow = 262'144;
constexpr std::int32_t kConnectionWindow = 1'048'576;
constexpr std::uint32_t kHeaderListMax = 65'536;

/// Output that waits for the socket before more is taken from the session.
constexpr std::size_t kOutputHigh = 256 * 1024;
constexpr std::size_t kOutputStep = 64 * 1024;

/// Bytes read in one turn before other connections run.
constexpr std::size_t kTurnReadMax = 512 * 1024;

nghttp2_nv ToNameValue(std::string_view name, std::string_view value) {
  return {.name = reinterpret_cast<std::uint8_t*>(const_cast<char*>(name.data())),
          .value = reinterpret_cast<std::uint8_t*>(const_cast<char*>(value.data())),
          .namelen = name.size(),
          .valuelen = value.size(),
          .flags = NGHTTP2_NV_FLAG_NONE};
}

/// Fields for nghttp2, with names in lower case.
class FieldBlock {
 public:
  explicit FieldBlock(std::size_t expected) {
    fields_.reserve(expected + 4);
    names_.reserve(expected + 4);
  }
  void Add(std::string_view name, std::string_view value) {
    std::string& lower = names_.emplace_back(name);
    for (char& letter : lower) {
      if (letter >= 'A' && letter <= 'Z') {
        letter = static_cast<char>(letter + ('a' - 'A'));
      }
    }
    fields_.push_back(ToNameValue(lower, value));
  }
  [[nodiscard]] const nghttp2_nv* data() const { return fields_.data(); }
  [[nodiscard]] std::size_t size() const { return fields_.size(); }

 private:
  std::vector<nghttp2_nv> fields_;
  std::vector<std::string> names_;  // Reserved: views into it must not move.
};

struct NumberText {
  std::array<char, 20> digits{};
  std::size_t size;
  explicit NumberText(std::uint64_t value)
      : size(static_cast<std::size_t>(
            std::to_chars(digits.data(), digits.data() + digits.size(), value).ptr -
            digits.data())) {}
  [[nodiscard]] std::string_view view() const { return {digits.data(), size}; }
};

/// Content of a response, pulled by nghttp2 as flow control allows.
// NOLINTNEXTLINE(readability-function-size): nghttp2's signature.
ssize_t ReadContent(nghttp2_session* session, std::int32_t id, std::uint8_t* into, std::size_t size,
                    std::uint32_t* flags, nghttp2_data_source* /*source*/, void* /*user*/) {
  auto* stream = static_cast<Http2Stream*>(nghttp2_session_get_stream_user_data(session, id));
  if (stream == nullptr) {
    return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
  }
  if (!stream->has_output()) {
    return NGHTTP2_ERR_DEFERRED;
  }
  bool end = false;
  const std::size_t count = stream->TakeOutput({reinterpret_cast<char*>(into), size}, end);
  if (end) {
    *flags |= NGHTTP2_DATA_FLAG_EOF;
    if (stream->trailers_follow()) {
      *flags |= NGHTTP2_DATA_FLAG_NO_END_STREAM;
    }
  }
  return static_cast<ssize_t>(count);
}

}  // namespace

void Http2Session::SessionDeleter::operator()(nghttp2_session* session) const {
  nghttp2_session_del(session);
}

Http2Session::Http2Session(net::Stream& stream, const ConnectionFacts& facts, Handler& handler,
                           const ConnectionPolicy& policy, net::Signal& signal)
    : stream_(&stream),
      facts_(&facts),
      handler_(&handler),
      policy_(&policy),
      signal_(&signal),
      session_(MakeHttp2Session(*this)),
      idle_since_(signal.reactor().now()),
      write_progress_(signal.reactor().now()),
      scope_(signal.reactor()) {
  const std::array<nghttp2_settings_entry, 4> settings{
      nghttp2_settings_entry{NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, kStreamsMax},
      nghttp2_settings_entry{NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, kStreamWindow},
      nghttp2_settings_entry{NGHTTP2_SETTINGS_HEADER_TABLE_SIZE, 4096},
      nghttp2_settings_entry{NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, kHeaderListMax}};
  nghttp2_submit_settings(session_.get(), NGHTTP2_FLAG_NONE, settings.data(), settings.size());
  nghttp2_session_set_local_window_size(session_.get(), NGHTTP2_FLAG_NONE, 0, kConnectionWindow);
}

Http2Session::~Http2Session() {
  scope_.Clear();  // Handlers use streams and session until their frames are gone.
}

net::Task<bool> Http2Session::Run() {
  while (true) {
    if (!Receive()) {
      break;
    }
    ServeNewStreams();
    if (policy_->retiring() && !going_away_) {
      GoAway(NGHTTP2_NO_ERROR);
    }
    if (!Flush()) {
      break;
    }
    if (Finished()) {
      co_return true;
    }
    signal_->SetDeadline(NextDeadline());
    if (!OnWake(co_await signal_->Wait())) {
      break;
    }
  }
  for (auto& [id, entry] : streams_) {
    entry.stream->OnClosed();
  }
  while (scope_.size() > 0) {  // Handlers see that the client is gone and end.
    scope_.set_observer(signal_);
    signal_->ClearDeadline();
    if (co_await signal_->Wait() == net::Wake::kCancelled) {
      break;
    }
  }
  co_return false;
}

/// Whether nothing is left to read or to send.
bool Http2Session::Finished() const {
  const bool over = shutdown_ || (nghttp2_session_want_read(session_.get()) == 0 &&
                                  nghttp2_session_want_write(session_.get()) == 0);
  return over && stream_->pending() == 0;
}

/// False: the connection is over.
bool Http2Session::OnWake(net::Wake wake) {
  const std::size_t pending = stream_->pending();
  if (pending < last_pending_) {
    write_progress_ = signal_->reactor().now();
  }
  last_pending_ = pending;
  if (wake == net::Wake::kCancelled || stream_->broken()) {
    return false;
  }
  if (wake == net::Wake::kDeadline && NextDeadline() <= signal_->reactor().now()) {
    if (pending > 0) {
      stream_->Abort();  // The client takes nothing (data-plane.md 5.2).
      return false;
    }
    GoAway(NGHTTP2_NO_ERROR);
    shutdown_ = true;
  }
  return true;
}

/// Reads what is there. False: the connection is over.
bool Http2Session::Receive() {
  std::size_t total = 0;
  while (total < kTurnReadMax && !shutdown_) {
    const std::span<std::byte> scratch = signal_->reactor().read_scratch();
    const net::ReadResult read = stream_->TryRead(scratch);
    if (read.kind == net::ReadResult::Kind::kWouldBlock) {
      return true;
    }
    if (read.kind != net::ReadResult::Kind::kData) {
      return false;
    }
    total += read.bytes;
    const ssize_t used = nghttp2_session_mem_recv(
        session_.get(), reinterpret_cast<const std::uint8_t*>(scratch.data()), read.bytes);
    if (used < 0) {
      static_cast<void>(Flush());  // The GOAWAY that says why.
      return false;
    }
    for (const std::int32_t id : std::exchange(finished_, {})) {
      RemoveIfDone(id);
    }
    if (Abused()) {
      return true;
    }
  }
  if (total >= kTurnReadMax) {
    signal_->Notify();
  }
  return true;
}

bool Http2Session::Abused() {
  if (guard_.tripped() && !shutdown_) {
    GoAway(NGHTTP2_ENHANCE_YOUR_CALM);
    shutdown_ = true;
  }
  return shutdown_;
}

/// Hands frames to the stream until it holds enough.
bool Http2Session::Flush() {
  static thread_local std::string step;
  while (stream_->pending() < kOutputHigh) {
    step.clear();
    while (step.size() < kOutputStep) {
      const std::uint8_t* data = nullptr;
      const ssize_t size = nghttp2_session_mem_send(session_.get(), &data);
      if (size < 0) {
        return false;
      }
      if (size == 0) {
        break;
      }
      step.append(reinterpret_cast<const char*>(data), static_cast<std::size_t>(size));
    }
    if (step.empty()) {
      break;
    }
    if (!stream_->Write(std::string_view(step))) {
      return false;
    }
  }
  for (const std::int32_t id : std::exchange(finished_, {})) {
    RemoveIfDone(id);
  }
  last_pending_ = stream_->pending();
  return true;
}

void Http2Session::ServeNewStreams() {
  for (const std::int32_t id : std::exchange(refused_, {})) {
    if (const auto found = streams_.find(id); found != streams_.end()) {
      RefuseStream(*found->second.stream, 400, "malformed_request");
    }
  }
  for (const std::int32_t id : std::exchange(ready_, {})) {
    const auto found = streams_.find(id);
    if (found == streams_.end()) {
      continue;
    }
    Http2Stream& stream = *found->second.stream;
    if (stream.head_too_large()) {
      RefuseStream(stream, 400, "header_too_large");
    } else {
      scope_.Spawn(ServeStream(this, &stream));
    }
  }
}

bool Http2Session::IsServed(std::int32_t id) const {
  const auto found = streams_.find(id);
  return found == streams_.end() || found->second.served;
}

net::Task<void> Http2Session::ServeStream(Http2Session* session, Http2Stream* stream) {
  co_await session->handler_->Serve(*stream);
  session->OnServed(*stream);
}

/// Answers a request that no handler sees.
void Http2Session::RefuseStream(Http2Stream& stream, int status, std::string_view reason) {
  const OwnAnswer answer(status, reason, AnswerForm::kHtml);
  stream.SendHead({.status = status,
                   .reason = {},
                   .fields = answer.fields(),
                   .content_length = answer.content().size()},
                  answer.content(), BodyEnd::kLast);
  handler_->OnRefused(
      *facts_,
      {.status = status, .reason = reason, .bytes = {}, .bytes_sent = stream.bytes_sent()});
  OnServed(stream);
}

void Http2Session::OnServed(Http2Stream& stream) {
  streams_[stream.id()].served = true;
  if (!stream.body_complete() && !stream.closed() && stream.response_ended()) {
    // Content that nobody wants any more (RFC 9113 section 8.1).
    nghttp2_submit_rst_stream(session_.get(), NGHTTP2_FLAG_NONE, stream.id(), NGHTTP2_NO_ERROR);
  }
  finished_.push_back(stream.id());
  signal_->Notify();
}

void Http2Session::RemoveIfDone(std::int32_t id) {
  const auto found = streams_.find(id);
  if (found == streams_.end() || !found->second.served || !found->second.stream->closed()) {
    return;
  }
  streams_.erase(found);
  if (streams_.empty()) {
    idle_since_ = signal_->reactor().now();
    if (policy_->keepalive_timeout() == std::chrono::seconds{0}) {
      GoAway(NGHTTP2_NO_ERROR);
    }
  }
}

MonotonicTime Http2Session::NextDeadline() const {
  if (stream_->pending() > 0) {
    return write_progress_ + policy_->client_timeout();
  }
  if (head_since_ != MonotonicTime::max()) {
    return head_since_ + policy_->client_timeout();
  }
  if (!streams_.empty()) {
    return MonotonicTime::max();
  }
  return idle_since_ + (first_request_ ? policy_->client_timeout() : policy_->keepalive_timeout());
}

void Http2Session::GoAway(std::uint32_t error_code) {
  going_away_ = true;
  nghttp2_submit_goaway(session_.get(), NGHTTP2_FLAG_NONE,
                        nghttp2_session_get_last_proc_stream_id(session_.get()), error_code,
                        nullptr, 0);
}

void Http2Session::SubmitInformational(const Http2Stream& stream, int status,
                                       std::span<const http::Field> fields) {
  FieldBlock block(fields.size());
  const NumberText text(static_cast<std::uint64_t>(status));
  block.Add(":status", text.view());
  for (const http::Field& field : fields) {
    block.Add(field.name, field.value);
  }
  nghttp2_submit_headers(session_.get(), NGHTTP2_FLAG_NONE, stream.id(), nullptr, block.data(),
                         block.size(), nullptr);
  signal_->Notify();
}

void Http2Session::SubmitHead(Http2Stream& stream, const ResponseOut& head, bool has_content) {
  FieldBlock block(head.fields.size());
  const NumberText status(static_cast<std::uint64_t>(head.status));
  block.Add(":status", status.view());
  bool has_date = false;
  for (const http::Field& field : head.fields) {
    has_date = has_date || field.known == http::FieldName::kDate;
    block.Add(field.name, field.value);
  }
  if (!has_date) {
    block.Add("date", DateText(signal_->reactor().wall_now()));
  }
  const NumberText length(head.content_length.value_or(0));
  if (head.content_length && head.status != 204) {
    block.Add("content-length", length.view());
  }
  nghttp2_data_provider provider{.source = {.ptr = nullptr}, .read_callback = &ReadContent};
  nghttp2_submit_response(session_.get(), stream.id(), block.data(), block.size(),
                          has_content ? &provider : nullptr);
  signal_->Notify();
}

void Http2Session::SubmitTrailers(const Http2Stream& stream, std::span<const http::Field> fields) {
  FieldBlock block(fields.size());
  for (const http::Field& field : fields) {
    block.Add(field.name, field.value);
  }
  nghttp2_submit_trailer(session_.get(), stream.id(), block.data(), block.size());
}

void Http2Session::ResumeContent(const Http2Stream& stream) {
  nghttp2_session_resume_data(session_.get(), stream.id());
  signal_->Notify();
}

void Http2Session::Reset(const Http2Stream& stream, std::uint32_t error_code) {
  nghttp2_submit_rst_stream(session_.get(), NGHTTP2_FLAG_NONE, stream.id(), error_code);
  signal_->Notify();
}

void Http2Session::Consume(const Http2Stream& stream, std::size_t bytes) {
  nghttp2_session_consume(session_.get(), stream.id(), bytes);
  signal_->Notify();
}

}  // namespace elb::server
