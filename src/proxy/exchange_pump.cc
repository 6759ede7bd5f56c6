// The two directions of an exchange. Everything here tries and returns; waiting is RunAttempt's.

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <utility>

#include "base/assert.h"
#include "http/h1/content.h"
#include "http/h1/serialize.h"
#include "proxy/exchange.h"
#include "proxy/upstream_name.h"

namespace elb::proxy {

using contract::RequestIdMode;

namespace {

/// Length that a response declares, also one without content (HEAD, 304).
std::optional<std::uint64_t> DeclaredLength(const http::ResponseHead& head) {
  if (head.framing == http::Framing::kLength) {
    return head.content_length;
  }
  if (head.framing != http::Framing::kNone) {
    return std::nullopt;
  }
  for (const http::Field& field : head.fields) {
    if (field.known == http::FieldName::kContentLength) {
      std::uint64_t value = 0;
      const auto [end, error] =
          std::from_chars(field.value.data(), field.value.data() + field.value.size(), value);
      if (error == std::errc{} && end == field.value.data() + field.value.size()) {
        return value;
      }
    }
  }
  return std::nullopt;
}

std::span<char> Chars(std::span<std::byte> bytes, std::size_t count) {
  return {reinterpret_cast<char*>(bytes.data()), count};
}

}  // namespace

Exchange::Progress Exchange::Pump() {
  if (phase_ == Phase::kConnecting) {
    return PumpConnect();
  }
  if (phase_ == Phase::kTunnel) {
    return PumpTunnel();
  }
  const Progress sent = PumpRequest();
  if (phase_ == Phase::kDone) {
    return sent;
  }
  const Progress received = PumpResponse();
  return sent == Progress::kSome ? sent : received;
}

Exchange::Progress Exchange::PumpConnect() {
  const Outcome<bool> established = upstream_->stream->TryEstablish();
  if (!established) {
    FailAttempt(tls_started_ ? AttemptFailure::kTls : FailureOfConnect(established.error()));
    return Progress::kSome;
  }
  if (!*established) {
    return Progress::kNone;
  }
  upstream_->gauge.SetEstablished();
  if (tls_pending_ && !tls_started_) {
    upstream_->stream = tls::CreateClientStream(std::move(upstream_->stream), pool_->tls,
                                                upstream_->sni, *worker_->reactor);
    upstream_->stream->SetSignal(&stream_->signal());
    tls_started_ = true;
    connect_deadline_ = now() + listener_->connect_timeout;
    return Progress::kSome;
  }
  attempt().connected = now();
  phase_ = Phase::kAwaitingHead;
  SendRequestHead();
  return Progress::kSome;
}

void Exchange::SendRequestHead() {
  const http::RequestHead& request = stream_->request();
  http::h1::HeadWriter writer(worker_->reactor->head_scratch());
  WriteRequestHead(
      {.request = &request,
       .listener = listener_->config.get(),
       .connection = &stream_->connection(),
       .client = &client_->address,
       .request_id = listener_->config->request_id.mode == RequestIdMode::kOff ? std::string_view()
                                                                               : identity_.value(),
       .framing = framing_,
       .hidden_cookies = listener_->own_cookies,
       .upgrade = request.upgrade_websocket},
      writer);
  if (writer.overflowed()) {
    Answer(400, "header_too_large");
    phase_ = Phase::kDone;
    return;
  }
  body_progress_ = now();
  hold_until_ = now() + kContinueWait;
  std::string_view content = replay_;
  if (content.empty() && framing_ != UpstreamFraming::kNone && !HoldsBody()) {
    const server::BodyRead read = stream_->TryReadBody(ReceiveStep());
    if (read.kind == server::BodyRead::Kind::kRefused) {
      OnBodyRefused(read);
      return;
    }
    content = read.data;
    KeepForReplay(content);
  }
  WriteUpstream(writer.text(), content);
}

/// Writes head and content in one go, and the end of the message when the content is complete.
void Exchange::WriteUpstream(std::string_view head, std::string_view content) {
  std::array<char, 24> chunk_space{};
  std::array<std::string_view, 5> pieces{};
  std::size_t count = 0;
  const bool chunked = framing_ == UpstreamFraming::kChunked;
  if (!head.empty()) {
    pieces[count++] = head;
  }
  if (!content.empty()) {
    if (chunked) {
      pieces[count++] = http::h1::ChunkHeader(content.size(), chunk_space);
    }
    pieces[count++] = content;
    if (chunked) {
      pieces[count++] = http::h1::kChunkEnd;
    }
  }
  if (framing_ == UpstreamFraming::kNone || stream_->body_complete()) {
    request_done_ = true;
    if (chunked) {
      pieces[count++] = LastChunk();
    }
  }
  if (count == 0) {
    return;
  }
  turn_bytes_ += content.size();
  sent_ = Sent::kSomething;
  upstream_progress_ = now();
  if (!upstream_->stream->Write({pieces.data(), count})) {
    request_done_ = true;  // The member may have answered before it closed: reading decides.
  }
  last_upstream_pending_ = upstream_->stream->pending();
}

/// The end of chunked content with the client's trailers (RFC 9112 section 7.1.2).
std::string_view Exchange::LastChunk() {
  const http::FieldList& trailers = stream_->request_trailers();
  if (trailers.empty()) {
    return http::h1::kLastChunk;
  }
  const contract::RequestIdConfig& id = listener_->config->request_id;
  trailers_ = "0\r\n";
  for (const http::Field& field : trailers) {
    if (id.mode == RequestIdMode::kOff || !IsSpellingOf(field.name, id.header)) {
      trailers_.append(field.name).append(": ").append(field.value).append("\r\n");
    }
  }
  trailers_ += "\r\n";
  return trailers_;
}

bool Exchange::HoldsBody() const { return stream_->request().expect_continue && !continue_seen_; }

void Exchange::KeepForReplay(std::string_view content) {
  if (content.empty() || !replayable_) {
    return;
  }
  if (replay_.size() + content.size() > kReplayBytesMax) {
    replayable_ = false;
    replay_ = std::string();
    return;
  }
  replay_.append(content);
}

std::size_t Exchange::ReceiveStep() const {
  // While a retry is possible no more is read than can be replayed, unless the client has more.
  return kBufferedBytesMax - std::min(upstream_->stream->pending(), kBufferedBytesMax);
}

Exchange::Progress Exchange::PumpRequest() {
  if (request_done_ || HoldsBody() || upstream_->stream->pending() > kBufferedBytesLow) {
    return Progress::kNone;
  }
  const server::BodyRead read = stream_->TryReadBody(ReceiveStep());
  switch (read.kind) {
    case server::BodyRead::Kind::kWouldBlock:
      return Progress::kNone;
    case server::BodyRead::Kind::kData:
      body_progress_ = now();
      KeepForReplay(read.data);
      WriteUpstream({}, read.data);
      break;
    case server::BodyRead::Kind::kEnd:
      WriteUpstream({}, {});
      request_done_ = true;
      break;
    case server::BodyRead::Kind::kRefused:
      OnBodyRefused(read);
      break;
    case server::BodyRead::Kind::kGone:
      Abandon(head_sent_ ? std::string_view{} : "client_closed");
      break;
  }
  return Progress::kSome;
}

void Exchange::OnBodyRefused(const server::BodyRead& read) {
  if (head_sent_) {
    CutResponse(read.reason);
    return;
  }
  Answer(read.status, read.reason);
  phase_ = Phase::kDone;
}

/// How much of a response may be read now. What the client does not take is held, so it is little
/// more than what the client takes. 0: later, when some of what waits was taken.
std::size_t Exchange::ResponseRoom() const {
  const std::size_t waiting = stream_->pending_output();
  if (waiting > kBufferedBytesLow) {
    return 0;
  }
  const std::size_t window = stream_->output_window();
  const auto ahead = static_cast<std::size_t>(std::clamp<std::uint64_t>(
      stream_->content_bytes_sent() / 4, kReadAheadBytesMin, kReadAheadBytesMax));
  std::size_t room = kBufferedBytesMax - waiting;
  if (phase_ == Phase::kAwaitingHead) {
    room = std::min(room, window == SIZE_MAX ? kHeadReadBytesMax : kHeadReadBytesMaxInWindow);
    return std::max(std::min(room, window), ahead);
  }
  room = std::min(
      {room, window - std::min(window, waiting), stream_->connection().stream->WriteRoom()});
  return waiting == 0 || room >= ahead ? std::max(room, ahead) : 0;
}

Exchange::Progress Exchange::PumpResponse() {
  const std::size_t room = ResponseRoom();
  client_full_ = room == 0;
  if (client_full_) {
    return Progress::kNone;
  }
  const std::span<std::byte> scratch = worker_->reactor->read_scratch();
  const net::ReadResult read = upstream_->stream->TryRead(scratch.first(room));
  if (read.kind == net::ReadResult::Kind::kWouldBlock) {
    return Progress::kNone;
  }
  if (read.kind != net::ReadResult::Kind::kData) {
    OnUpstreamEnd(read);
    return Progress::kSome;
  }
  response_bytes_ = true;
  upstream_progress_ = now();
  turn_bytes_ += read.bytes;
  if (phase_ == Phase::kAwaitingHead) {
    ConsumeHead(Chars(scratch, read.bytes));
  } else {
    RelayContent(Chars(scratch, read.bytes));
  }
  return Progress::kSome;
}

/// Parses heads at the front of what was received, informational ones included. Only a head that
/// comes in several pieces is copied.
void Exchange::ConsumeHead(std::span<char> bytes) {
  std::span<char> input = bytes;
  if (!partial_head_.empty()) {
    partial_head_.append(bytes.data(), bytes.size());
    input = {partial_head_.data(), partial_head_.size()};
  }
  while (phase_ == Phase::kAwaitingHead) {
    http::ResponseHead& head = worker_->response_head;
    head.Clear();
    switch (parser_.Parse({input.data(), input.size()}, stream_->request().method, head)) {
      case http::h1::ParseStatus::kNeedMore:
        if (partial_head_.data() != input.data()) {
          partial_head_ = std::string(input.data(), input.size());
        }
        return;
      case http::h1::ParseStatus::kRefused:
        FailAttempt(parser_.refusal() == http::h1::Refusal::kHeaderTooLarge
                        ? AttemptFailure::kHeaderTooLarge
                        : AttemptFailure::kBadResponse);
        return;
      case http::h1::ParseStatus::kDone:
        break;
    }
    const std::span<char> behind = input.subspan(parser_.consumed());
    if (head.status >= 200 || head.status == 101) {
      OnFinalHead(head, behind);
      return;
    }
    if (++informational_ > kInformationalMax) {
      FailAttempt(AttemptFailure::kBadResponse);
      return;
    }
    OnInformational(head);
    parser_.Reset();
    input = behind;
    if (input.empty()) {
      partial_head_.clear();
      return;
    }
  }
}

void Exchange::OnInformational(const http::ResponseHead& head) {
  if (head.status == 100) {
    continue_seen_ = true;
    body_progress_ = now();
  }
  FilterResponseFields(head, worker_->response_fields);
  stream_->SendInformational(head.status, worker_->response_fields);
}

/// The fields of a final response that go to the client, with those of the load balancer.
void Exchange::TakeResponseFields(const http::ResponseHead& head) {
  FilterResponseFields(head, worker_->response_fields);
  sticky_.OnResponse(head, member_,
                     stream_->connection().tls != nullptr ? balancer::ClientTransport::kTls
                                                          : balancer::ClientTransport::kPlain,
                     worker_->response_fields);
  if (ShowsId()) {
    SetField(worker_->response_fields, listener_->config->request_id.header, identity_.value());
  }
}

void Exchange::OnFinalHead(const http::ResponseHead& head, std::span<char> behind) {
  attempt().head = now();
  attempt().status = head.status;
  if (head.status == 101) {
    if (stream_->request().upgrade_websocket) {
      StartTunnel(head, {behind.data(), behind.size()});
    } else {
      FailAttempt(AttemptFailure::kBadResponse);
    }
    return;
  }
  decoder_.Start(head.framing, head.content_length);
  const http::h1::Extracted extracted = http::h1::ExtractContent(decoder_, behind);
  if (extracted.refused) {
    FailAttempt(AttemptFailure::kBadResponse);
    return;
  }
  TakeResponseFields(head);
  const bool complete = decoder_.complete();
  const bool trailers = complete && !decoder_.trailers().empty();
  stream_->SendHead({.status = head.status,
                     .reason = head.reason,
                     .fields = worker_->response_fields,
                     .content_length = DeclaredLength(head),
                     .close = false},
                    extracted.content,
                    complete && !trailers ? server::BodyEnd::kLast : server::BodyEnd::kMore);
  if (trailers) {
    stream_->SendTrailers(decoder_.trailers());
  }
  head_sent_ = true;
  client_progress_ = now();
  last_client_pending_ = stream_->pending_output();
  outcome_.status = head.status;
  member_keeps_alive_ = head.keep_alive;
  phase_ = Phase::kRelaying;
  if (complete) {
    FinishResponse(extracted.consumed < behind.size());
  }
}

void Exchange::RelayContent(std::span<char> bytes) {
  const http::h1::Extracted extracted = http::h1::ExtractContent(decoder_, bytes);
  if (extracted.refused) {
    CutResponse("backend_bad_response");
    return;
  }
  const bool complete = decoder_.complete();
  const bool trailers = complete && !decoder_.trailers().empty();
  stream_->SendContent(extracted.content,
                       complete && !trailers ? server::BodyEnd::kLast : server::BodyEnd::kMore);
  if (trailers) {
    stream_->SendTrailers(decoder_.trailers());
  }
  last_client_pending_ = stream_->pending_output();
  if (complete) {
    FinishResponse(extracted.consumed < bytes.size());
  } else if (stream_->client_gone()) {
    Abandon({});
  }
}

void Exchange::FinishResponse(bool surplus) {
  answered_ = true;
  phase_ = Phase::kDone;
  reusable_ = member_keeps_alive_ && !surplus && request_done_ &&
              upstream_->stream->pending() == 0 && !upstream_->stream->peer_gone();
}

void Exchange::OnUpstreamEnd(const net::ReadResult& read) {
  const bool orderly = read.kind == net::ReadResult::Kind::kEnd;
  if (phase_ == Phase::kAwaitingHead) {
    if (response_bytes_ && !continue_seen_) {
      FailAttempt(AttemptFailure::kBadResponse);
    } else {
      FailAttempt(orderly ? AttemptFailure::kClosed : AttemptFailure::kReset);
    }
    return;
  }
  if (orderly && decoder_.Finish()) {
    stream_->SendContent({}, server::BodyEnd::kLast);
    member_keeps_alive_ = false;
    FinishResponse(true);
    return;
  }
  CutResponse("backend_truncated");
}

/// Output that a socket took since the last look is progress of its side.
void Exchange::NoteProgress() {
  const std::size_t client = stream_->pending_output();
  if (client < last_client_pending_) {
    client_progress_ = now();
  }
  last_client_pending_ = client;
  if (upstream_ != nullptr) {
    const std::size_t upstream = upstream_->stream->pending();
    if (upstream < last_upstream_pending_) {
      upstream_progress_ = body_progress_ = now();
    }
    last_upstream_pending_ = upstream;
  }
}

}  // namespace elb::proxy
