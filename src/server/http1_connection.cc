#include "server/http1_connection.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include "base/assert.h"
#include "http/h1/content.h"
#include "net/frame_pool.h"
#include "server/date_cache.h"
#include "server/field_lists.h"
#include "server/refusal_text.h"

namespace elb::server {
namespace {

using http::FieldName;
using http::h1::HeadWriter;
using http::h1::ParseStatus;
using http::h1::Refusal;

constexpr std::string_view kAllowedMethods = "GET, HEAD, POST, PUT, DELETE, PATCH, OPTIONS";

/// Whether a request that was not understood has the method HEAD, whose answer has no content.
bool IsHead(std::string_view received) {
  return received.substr(std::min(received.find_first_not_of("\r\n"), received.size()))
      .starts_with("HEAD ");
}

bool HasNoBody(http::Method method, int status) {
  return method == http::Method::kHead || status < 200 || status == 204 || status == 304;
}

}  // namespace

struct Http1Connection::Exchange {
  explicit Exchange(const http::h1::Limits& current)
      : limits(current), parser(limits), body(limits) {
    head.fields = TakeFieldList();
  }
  ~Exchange() { GiveFieldList(std::move(head.fields)); }
  Exchange(const Exchange&) = delete;
  Exchange& operator=(const Exchange&) = delete;
  Exchange(Exchange&&) = delete;
  Exchange& operator=(Exchange&&) = delete;
  static void* operator new(std::size_t bytes) { return net::AllocateFrame(bytes); }
  static void operator delete(void* memory, std::size_t bytes) noexcept {
    net::ReleaseFrame(memory, bytes);
  }

  http::h1::Limits limits;  ///< A copy: the configuration may be replaced meanwhile.
  http::RequestHead head;
  http::h1::RequestParser parser;
  http::h1::BodyDecoder body;
  ReceiveBuffer next;      ///< Read beyond the end of a chunked body: the next request.
  bool too_large = false;  ///< The content passed its limit: it will never be complete.
};

Http1Connection::Http1Connection(net::Stream& stream, const ConnectionFacts& facts,
                                 Handler& handler, const ConnectionPolicy& policy,
                                 net::Signal& signal)
    : stream_(&stream), facts_(&facts), handler_(&handler), policy_(&policy), signal_(&signal) {}

Http1Connection::~Http1Connection() = default;

net::Task<Http1Connection::End> Http1Connection::Run() {
  if (facts_->tls != nullptr) {  // Without TLS it counts from the accept.
    signal_->SetDeadline(signal_->reactor().now() + policy_->client_timeout());
  }
  while (true) {
    const HeadRead read = co_await ReadHead();
    if (read == HeadRead::kGone || read == HeadRead::kSilent) {
      co_return read == HeadRead::kGone ? End::kDrop : End::kClose;
    }
    if (read == HeadRead::kTimeout) {
      Refuse(408, "client_header_timeout", {});
    } else if (read == HeadRead::kRefused) {
      RefuseHead();
    } else {
      co_await handler_->Serve(*this);
      if (cut_ && framing_ == Framing::kUntilClose) {
        stream_->Abort();  // A clean end would look like a complete message.
        co_return End::kDrop;
      }
    }
    const bool waiting = write_failed_ || stream_->pending() > 0;
    if ((waiting && !co_await DrainOutput()) || cut_) {
      co_return End::kDrop;
    }
    if (close_ || taken_over_ || !body_complete()) {
      co_return End::kClose;
    }
    FinishRequest();
    signal_->SetDeadline(signal_->reactor().now() + policy_->keepalive_timeout());
  }
}

/// Waits until the socket took everything; false on a stall or when the client is gone.
ELB_OWN_FRAME net::Task<bool> Http1Connection::DrainOutput() {
  std::size_t pending = stream_->pending();
  if (pending > 0) {
    signal_->SetDeadline(signal_->reactor().now() + policy_->client_timeout());
  }
  while (pending > 0) {
    if (write_failed_ || stream_->broken()) {
      co_return false;
    }
    const net::Wake wake = co_await signal_->Wait();
    const std::size_t left = stream_->pending();
    if (wake == net::Wake::kCancelled || (wake == net::Wake::kDeadline && left >= pending)) {
      stream_->Abort();
      co_return false;
    }
    if (left < pending) {  // Only what the client takes gives it more time.
      signal_->SetDeadline(signal_->reactor().now() + policy_->client_timeout());
    }
    pending = left;
  }
  co_return !write_failed_;
}

net::Task<Http1Connection::HeadRead> Http1Connection::ReadHead() {
  if (AtRequest()) {
    BeginRequest();
    co_await signal_->Yield();  // Pipelined: others first.
  }
  while (true) {
    if (exchange_) {
      const HeadRead parsed = ParseBuffered();
      if (parsed != HeadRead::kSilent) {
        co_return parsed;
      }
    }
    bool would_block = false;
    if (!ReceiveHeadBytes(would_block)) {
      co_return HeadRead::kGone;
    }
    if (!would_block) {
      continue;
    }
    received_.ReleaseIfEmpty();
    const net::Wake wake = co_await signal_->Wait();
    if (wake == net::Wake::kDeadline) {
      co_return exchange_ ? HeadRead::kTimeout : HeadRead::kSilent;
    }
    if (wake == net::Wake::kCancelled) {
      co_return exchange_ ? HeadRead::kGone : HeadRead::kSilent;
    }
  }
}

/// kSilent stands for "more bytes are needed".
Http1Connection::HeadRead Http1Connection::ParseBuffered() {
  const ParseStatus status = exchange_->parser.Parse(received_.view(), exchange_->head);
  if (status == ParseStatus::kNeedMore) {
    return HeadRead::kSilent;
  }
  if (status == ParseStatus::kRefused) {
    return HeadRead::kRefused;
  }
  received_.Consume(exchange_->parser.consumed());
  bytes_received_ = exchange_->parser.consumed();
  exchange_->body.Start(exchange_->head.framing, exchange_->head.content_length);
  signal_->ClearDeadline();
  return HeadRead::kComplete;
}

/// One read into the buffer. False: the connection is over.
bool Http1Connection::ReceiveHeadBytes(bool& would_block) {
  const net::ReadResult read = stream_->TryRead(received_.Space());
  switch (read.kind) {
    case net::ReadResult::Kind::kData:
      received_.Commit(read.bytes);
      if (!exchange_ && AtRequest()) {
        BeginRequest();
      }
      return true;
    case net::ReadResult::Kind::kWouldBlock:
      would_block = true;
      return true;
    case net::ReadResult::Kind::kEnd:
    case net::ReadResult::Kind::kFault:
      break;
  }
  return false;
}

/// True when a request has begun: empty lines before it do not count (data-plane.md 5.1).
bool Http1Connection::AtRequest() const {
  constexpr std::string_view kIgnored = "\r\n\r\n";
  return !received_.empty() && !kIgnored.starts_with(received_.view());
}

/// The first byte of a request is here.
void Http1Connection::BeginRequest() {
  exchange_ = std::make_unique<Exchange>(policy_->limits());
  started_ = signal_->reactor().now();
  bytes_received_ = bytes_sent_ = content_bytes_sent_ = 0;
  head_sent_ = false;
  framing_ = Framing::kNoBody;
  if (!first_request_) {
    signal_->SetDeadline(started_ + policy_->client_timeout());
  }
  first_request_ = false;
}

void Http1Connection::FinishRequest() {
  if (exchange_ != nullptr && !exchange_->next.empty()) {
    received_.Swap(exchange_->next);
  } else {
    received_.ReleaseIfEmpty();
  }
  exchange_.reset();
}

void Http1Connection::RefuseHead() {
  const Refusal refusal = exchange_->parser.refusal();
  const RefusalText text = TextOf(refusal);
  Refuse(text.status, text.reason,
         refusal == Refusal::kMethodNotAllowed ? kAllowedMethods : std::string_view{});
}

/// Answers a request that no handler saw; the connection closes.
void Http1Connection::Refuse(int status, std::string_view reason, std::string_view allow) {
  const bool has_fields = exchange_->head.head_bytes > 0;
  OwnAnswer answer(status, reason,
                   has_fields ? PreferredForm(exchange_->head.fields) : AnswerForm::kHtml);
  if (!allow.empty()) {
    answer.AddField("Allow", allow);
  }
  const std::string_view seen = received_.view().substr(0, 256);
  exchange_->head.method = IsHead(received_.view()) ? http::Method::kHead : http::Method::kGet;
  bytes_received_ = received_.size();
  SendHead({.status = status,
            .reason = {},
            .fields = answer.fields(),
            .content_length = answer.content().size(),
            .close = true},
           answer.content(), BodyEnd::kLast);
  handler_->OnRefused(
      *facts_, {.status = status, .reason = reason, .bytes = seen, .bytes_sent = bytes_sent_});
}

const http::RequestHead& Http1Connection::request() const { return exchange_->head; }

bool Http1Connection::body_complete() const {
  return exchange_->body.complete() && !exchange_->too_large;
}

const http::FieldList& Http1Connection::request_trailers() const {
  return exchange_->body.trailers();
}

bool Http1Connection::client_gone() const {
  return write_failed_ || stream_->broken() || (stream_->peer_gone() && !head_sent_);
}

BodyRead Http1Connection::TryReadBody(std::size_t limit) {
  constexpr BodyRead kTooLarge{
      .kind = BodyRead::Kind::kRefused, .data = {}, .status = 413, .reason = "body_too_large"};
  const std::uint64_t bytes_max = policy_->request_body_bytes_max();
  exchange_->too_large = exchange_->too_large || exchange_->head.content_length > bytes_max;
  if (exchange_->too_large) {
    return kTooLarge;
  }
  if (exchange_->body.complete()) {
    return {.kind = BodyRead::Kind::kEnd};
  }
  BodyRead result;
  bool more = true;
  while (more && result.kind == BodyRead::Kind::kWouldBlock) {  // Only framing so far.
    if (!received_.empty()) {
      std::size_t used = 0;
      const auto input = received_.bytes();
      result = DecodeInPlace(input.first(std::min(limit, input.size())), used);
      received_.Consume(used);
    } else {
      more = ReadFresh(limit, result);
    }
  }
  exchange_->too_large = exchange_->body.content_bytes() > bytes_max;
  return exchange_->too_large ? kTooLarge : result;
}

/// Reads from the stream into the thread's scratch, never beyond a body of known length. False:
/// the stream has nothing now.
bool Http1Connection::ReadFresh(std::size_t limit, BodyRead& result) {
  const std::span<std::byte> scratch = signal_->reactor().read_scratch();
  std::size_t room = std::min(limit, scratch.size());
  if (exchange_->head.framing == http::Framing::kLength) {
    room = static_cast<std::size_t>(std::min<std::uint64_t>(room, exchange_->body.remaining()));
  }
  const net::ReadResult read = stream_->TryRead(scratch.first(room));
  if (read.kind == net::ReadResult::Kind::kWouldBlock) {
    return false;
  }
  if (read.kind != net::ReadResult::Kind::kData) {
    result = {.kind = BodyRead::Kind::kGone};
    return true;
  }
  std::size_t used = 0;
  const std::span<char> input(reinterpret_cast<char*>(scratch.data()), read.bytes);
  result = DecodeInPlace(input, used);
  exchange_->next.Append({input.data() + used, input.size() - used});
  return true;
}

BodyRead Http1Connection::DecodeInPlace(std::span<char> input, std::size_t& used) {
  const http::h1::Extracted extracted = http::h1::ExtractContent(exchange_->body, input);
  used = extracted.consumed;
  bytes_received_ += extracted.consumed;
  if (extracted.refused) {
    const RefusalText text = TextOf(exchange_->body.refusal());
    return {
        .kind = BodyRead::Kind::kRefused, .data = {}, .status = text.status, .reason = text.reason};
  }
  if (!extracted.content.empty()) {
    return {.kind = BodyRead::Kind::kData, .data = extracted.content};
  }
  return {.kind = extracted.complete ? BodyRead::Kind::kEnd : BodyRead::Kind::kWouldBlock};
}

void Http1Connection::SendInformational(int status, std::span<const http::Field> fields) {
  if (exchange_->head.version == http::Version::kHttp10) {
    return;
  }
  HeadWriter writer(signal_->reactor().head_scratch());
  writer.AppendStatusLine(status, {});
  for (const http::Field& field : fields) {
    writer.AppendField(field.name, field.value);
  }
  writer.End();
  const std::string_view text = writer.text();
  Send({&text, 1});
}

Http1Connection::Framing Http1Connection::ChooseFraming(const ResponseOut& head,
                                                        BodyEnd end) const {
  if (HasNoBody(exchange_->head.method, head.status)) {
    return Framing::kNoBody;
  }
  if (head.content_length || end == BodyEnd::kLast) {
    return Framing::kLength;
  }
  return exchange_->head.version == http::Version::kHttp10 ? Framing::kUntilClose
                                                           : Framing::kChunked;
}

void Http1Connection::AppendConnectionFields(HeadWriter& writer, const ResponseOut& head) {
  if (head.status == 101) {
    writer.AppendField("Connection", "upgrade");
    return;
  }
  if (close_) {
    writer.AppendField("Connection", "close");
  } else if (exchange_->head.version == http::Version::kHttp10) {
    writer.AppendField("Connection", "keep-alive");
  }
}

/// The length to declare; nullopt: none.
std::optional<std::uint64_t> Http1Connection::DeclaredLength(const ResponseOut& head,
                                                             std::string_view content) const {
  if (head.status < 200 || head.status == 204) {
    return std::nullopt;
  }
  if (!head.content_length && framing_ == Framing::kLength) {
    return content.size();
  }
  return head.content_length;
}

void Http1Connection::SendHead(const ResponseOut& head, std::string_view content, BodyEnd end) {
  ELB_ASSERT(!head_sent_);
  framing_ = ChooseFraming(head, end);
  const std::optional<std::uint64_t> length = DeclaredLength(head, content);
  const bool http10 = exchange_->head.version == http::Version::kHttp10;
  close_ = head.close || !exchange_->head.keep_alive || !body_complete() || (http10 && !length) ||
           policy_->retiring() || policy_->keepalive_timeout() == std::chrono::seconds{0};
  HeadWriter writer(signal_->reactor().head_scratch());
  writer.AppendStatusLine(head.status, head.reason);
  bool has_date = false;
  for (const http::Field& field : head.fields) {
    has_date = has_date || field.known == FieldName::kDate;
    writer.AppendField(field.name, field.value);
  }
  if (!has_date && head.status >= 200) {
    writer.AppendField("Date", DateText(signal_->reactor().wall_now()));
  }
  if (length) {
    writer.AppendField("Content-Length", *length);
  } else if (framing_ == Framing::kChunked) {
    writer.AppendField("Transfer-Encoding", "chunked");
  }
  AppendConnectionFields(writer, head);
  writer.End();
  ELB_ASSERT(!writer.overflowed());
  head_sent_ = true;

  std::array<char, 24> chunk_space{};
  std::array<std::string_view, 4> pieces{writer.text()};
  std::size_t count = 1;
  if (framing_ != Framing::kNoBody && !content.empty()) {
    if (framing_ == Framing::kChunked) {
      pieces[count++] = http::h1::ChunkHeader(content.size(), chunk_space);
    }
    pieces[count++] = content;
    if (framing_ == Framing::kChunked) {
      pieces[count++] = http::h1::kChunkEnd;
    }
    content_bytes_sent_ += content.size();
  }
  Send({pieces.data(), count});
}

void Http1Connection::SendContent(std::string_view content, BodyEnd end) {
  if (framing_ == Framing::kNoBody) {
    return;
  }
  std::array<char, 24> chunk_space{};
  std::array<std::string_view, 4> pieces{};
  std::size_t count = 0;
  const bool chunked = framing_ == Framing::kChunked;
  if (!content.empty()) {
    if (chunked) {
      pieces[count++] = http::h1::ChunkHeader(content.size(), chunk_space);
    }
    pieces[count++] = content;
    if (chunked) {
      pieces[count++] = http::h1::kChunkEnd;
    }
    content_bytes_sent_ += content.size();
  }
  if (chunked && end == BodyEnd::kLast) {
    pieces[count++] = http::h1::kLastChunk;
  }
  if (count > 0) {
    Send({pieces.data(), count});
  }
}

void Http1Connection::SendTrailers(std::span<const http::Field> fields) {
  if (framing_ != Framing::kChunked || !exchange_->head.accepts_trailers) {
    SendContent({}, BodyEnd::kLast);
    return;
  }
  HeadWriter writer(signal_->reactor().head_scratch());
  writer.Append("0\r\n");
  for (const http::Field& field : fields) {
    writer.AppendField(field.name, field.value);
  }
  writer.End();
  const std::string_view text = writer.text();
  Send({&text, 1});
}

void Http1Connection::Send(std::span<const std::string_view> pieces) {
  for (const std::string_view piece : pieces) {
    bytes_sent_ += piece.size();
  }
  if (!write_failed_ && !stream_->Write(pieces)) {
    write_failed_ = true;
  }
}

void Http1Connection::CutStalled() {
  cut_ = true;
  stream_->Abort();
}

net::Stream* Http1Connection::TakeOver(std::string_view& already_read) {
  taken_over_ = true;
  already_read = received_.view();
  return stream_;
}

}  // namespace elb::server
