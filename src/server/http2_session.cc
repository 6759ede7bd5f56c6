#include "server/http2_session.h"

#include <nghttp2/nghttp2.h>

#include <array>
#include <chrono>
#include <string>
#include <utility>

#include "server/http2_callbacks.h"
#include "server/own_answer.h"
#include "server/refusal_text.h"

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

/// Time for clients to hear that the session retires, before what they opened last is told.
constexpr std::chrono::seconds kRetireNotice{1};

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
  const bool orderly = co_await Pump();
  for (auto& [id, entry] : streams_) {
    entry.stream->OnClosed();
  }
  scope_.set_observer(signal_);
  signal_->ClearDeadline();
  co_await signal_->Yield();
  while (scope_.size() > 0) {  // Handlers see that the client is gone and end.
    if (co_await signal_->Wait() == net::Wake::kCancelled) {
      break;
    }
  }
  co_return orderly;
}

/// Reads, serves and writes until the session is over.
net::Task<bool> Http2Session::Pump() {
  while (true) {
    if (!Receive()) {
      co_return false;
    }
    ServeNewStreams();
    Retire();
    if (!Flush()) {
      co_return false;
    }
    if (IsOver() && stream_->pending() == 0) {
      co_return true;
    }
    signal_->SetDeadline(NextDeadline().at);
    const net::Wake wake = co_await signal_->Wait();
    if (stream_->pending() < last_pending_) {
      write_progress_ = signal_->reactor().now();
    }
    if (wake == net::Wake::kCancelled || stream_->broken()) {
      co_return false;
    }
    if (wake == net::Wake::kDeadline && !OnDeadline()) {
      co_return false;
    }
  }
}

bool Http2Session::IsOver() const {
  return shutdown_ || (nghttp2_session_want_read(session_.get()) == 0 &&
                       nghttp2_session_want_write(session_.get()) == 0);
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
    if (used == NGHTTP2_ERR_FLOODED || used == NGHTTP2_ERR_TOO_MANY_CONTINUATIONS) {
      Fail(NGHTTP2_ENHANCE_YOUR_CALM);
    } else if (used < 0 && !guard_.tripped()) {
      Fail(NGHTTP2_PROTOCOL_ERROR);
    }
    StopAbuse();
    ForgetFinished();
  }
  if (total >= kTurnReadMax) {
    signal_->Notify();
  }
  return true;
}

void Http2Session::StopAbuse() {
  if (guard_.tripped() && !shutdown_) {
    Fail(NGHTTP2_ENHANCE_YOUR_CALM);
  }
}

/// Hands frames to the stream until it holds enough.
bool Http2Session::Flush() {
  const bool was_empty = stream_->pending() == 0;
  for (bool again = true; again;) {
    if (!WriteFrames()) {
      return false;
    }
    again = !finished_.empty() || (guard_.tripped() && !shutdown_);
    ForgetFinished();
    StopAbuse();  // Resets of our own count as well.
  }
  last_pending_ = stream_->pending();
  if (was_empty && last_pending_ > 0) {
    write_progress_ = signal_->reactor().now();
  }
  return true;
}

bool Http2Session::WriteFrames() {
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
  return true;
}

void Http2Session::ServeNewStreams() {
  for (const std::int32_t id : std::exchange(ready_, {})) {
    const auto found = streams_.find(id);
    if (found == streams_.end()) {
      continue;  // Reset behind its head.
    }
    Http2Stream& stream = *found->second.stream;
    found->second.started = true;
    if (shutdown_) {
      found->second.served = true;
    } else if (stream.refusal() != http::h1::Refusal::kNone) {
      RefuseStream(stream);
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
void Http2Session::RefuseStream(Http2Stream& stream) {
  const RefusalText text = TextOf(stream.refusal());
  const OwnAnswer answer(text.status, text.reason, PreferredForm(stream.request().fields));
  stream.SendHead({.status = text.status,
                   .reason = {},
                   .fields = answer.fields(),
                   .content_length = answer.content().size()},
                  answer.content(), BodyEnd::kLast);
  handler_->OnRefused(*facts_, {.status = text.status,
                                .reason = text.reason,
                                .bytes = {},
                                .bytes_sent = stream.bytes_sent()});
  OnServed(stream);
}

/// The handler of the stream has ended; its answer may still be on its way.
void Http2Session::OnServed(Http2Stream& stream) {
  streams_[stream.id()].served = true;
  if (const std::size_t unread = stream.DropInput(); unread > 0) {
    nghttp2_session_consume_connection(session_.get(), unread);
  }
  if (stream.closed()) {
    finished_.push_back(stream.id());
  } else {
    ++draining_;
    if (stream.end_sent()) {
      AskForNoMore(stream);
    }
  }
  signal_->Notify();
}

void Http2Session::OnEndSent(Http2Stream& stream) {
  stream.OnEndSent();
  if (IsServed(stream.id())) {
    AskForNoMore(stream);
  }
}

/// Content that nobody wants any more, behind a complete answer (RFC 9113 section 8.1).
void Http2Session::AskForNoMore(const Http2Stream& stream) {
  if (!stream.end_received()) {
    Reset(stream, NGHTTP2_NO_ERROR);
  }
}

void Http2Session::OnStreamClosed(Http2Stream& stream) {
  Entry& entry = streams_[stream.id()];
  if (entry.served) {
    --draining_;
  }
  entry.served = entry.served || !entry.started;
  if (head_stream_ == stream.id()) {
    head_since_ = MonotonicTime::max();
  }
  stream.OnClosed();
  finished_.push_back(stream.id());
}

/// Forgets streams that are both served and closed.
void Http2Session::ForgetFinished() {
  for (const std::int32_t id : std::exchange(finished_, {})) {
    const auto found = streams_.find(id);
    if (found == streams_.end() || !found->second.served || !found->second.stream->closed()) {
      continue;
    }
    if (const std::size_t unread = found->second.stream->DropInput(); unread > 0) {
      nghttp2_session_consume_connection(session_.get(), unread);
    }
    streams_.erase(found);
    if (streams_.empty()) {
      idle_since_ = signal_->reactor().now();
      if (policy_->keepalive_timeout() == std::chrono::seconds{0}) {
        GoAway(NGHTTP2_NO_ERROR);
      }
    }
  }
}

Http2Session::Deadline Http2Session::NextDeadline() const {
  Deadline next;
  const auto consider = [&next](MonotonicTime at, DeadlineKind kind) {
    if (at < next.at) {
      next = {.at = at, .kind = kind};
    }
  };
  const std::chrono::seconds timeout = policy_->client_timeout();
  if (stream_->pending() > 0) {
    consider(write_progress_ + timeout, DeadlineKind::kSocket);
  } else if (draining_ > 0) {  // The socket took all: only closed windows hold answers back.
    for (const auto& [id, entry] : streams_) {
      if (entry.served && !entry.stream->closed()) {
        consider(entry.stream->output_progress() + timeout, DeadlineKind::kStream);
      }
    }
  }
  if (head_since_ != MonotonicTime::max()) {
    consider(head_since_ + timeout, DeadlineKind::kEnd);
  }
  if (retire_since_ != MonotonicTime::max() && !going_away_) {
    consider(retire_since_ + kRetireNotice, DeadlineKind::kRetire);
  }
  if (streams_.empty() && stream_->pending() == 0) {
    consider(idle_since_ + (first_request_ ? timeout : policy_->keepalive_timeout()),
             DeadlineKind::kEnd);
  }
  return next;
}

/// False: the connection is over.
bool Http2Session::OnDeadline() {
  const Deadline next = NextDeadline();
  if (next.at > signal_->reactor().now()) {
    return true;
  }
  switch (next.kind) {
    case DeadlineKind::kSocket:
      stream_->Abort();  // The client takes nothing (data-plane.md 5.2).
      return false;
    case DeadlineKind::kStream:
      CancelStalledStreams();
      break;
    case DeadlineKind::kRetire:
      GoAway(NGHTTP2_NO_ERROR);
      break;
    case DeadlineKind::kEnd:
      Fail(NGHTTP2_NO_ERROR);
      break;
    case DeadlineKind::kNone:
      break;
  }
  return true;
}

void Http2Session::CancelStalledStreams() {
  const MonotonicTime since = signal_->reactor().now() - policy_->client_timeout();
  for (const auto& [id, entry] : streams_) {
    if (entry.served && !entry.stream->closed() && entry.stream->output_progress() <= since) {
      Reset(*entry.stream, NGHTTP2_CANCEL);
    }
  }
}

/// First step of a graceful end (RFC 9113 section 6.8): streams on their way are still served.
void Http2Session::Retire() {
  if (policy_->retiring() && !going_away_ && retire_since_ == MonotonicTime::max()) {
    retire_since_ = signal_->reactor().now();
    nghttp2_submit_shutdown_notice(session_.get());
  }
}

void Http2Session::GoAway(std::uint32_t error_code) {
  if (going_away_ && error_code == NGHTTP2_NO_ERROR) {
    return;
  }
  going_away_ = true;
  nghttp2_submit_goaway(session_.get(), NGHTTP2_FLAG_NONE,
                        nghttp2_session_get_last_proc_stream_id(session_.get()), error_code,
                        nullptr, 0);
}

/// Ends the session as soon as the client has been told.
void Http2Session::Fail(std::uint32_t error_code) {
  GoAway(error_code);
  shutdown_ = true;
}

}  // namespace elb::server
