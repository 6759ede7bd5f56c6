#include "server/http1_connection.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>
#include <vector>

#include "base/assert.h"
#include "http/h1/content.h"
#include "net/frame_pool.h"
#include "server/date_cache.h"

namespace elb::server {
namespace {

using http::FieldName;
using http::h1::HeadWriter;
using http::h1::ParseStatus;
using http::h1::Refusal;

constexpr std::string_view kAllowedMethods = "GET, HEAD, POST, PUT, DELETE, PATCH, OPTIONS";

struct RefusalText {
  int status;
  std::string_view reason;
};

RefusalText TextOf(Refusal refusal) {
  switch (refusal) {
    case Refusal::kBadFraming:
      return {400, "bad_framing"};
    case Refusal::kHeaderTooLarge:
      return {400, "header_too_large"};
    case Refusal::kUriTooLong:
      return {414, "uri_too_long"};
    case Refusal::kMethodNotAllowed:
      return {405, "method_not_allowed"};
    case Refusal::kUnsupportedTe:
      return {501, "unsupported_te"};
    case Refusal::kUnsupportedVersion:
      return {505, "unsupported_version"};
    case Refusal::kNone:
    case Refusal::kMalformed:
      break;
  }
  return {400, "malformed_request"};
}

/// Field lists of this thread that keep their capacity between requests.
thread_local std::vector<http::FieldList> free_field_lists;
constexpr std::size_t kFreeFieldListsMax = 64;

http::FieldList TakeFieldList() {
  if (free_field_lists.empty()) {
    http::FieldList list;
    list.reserve(32);
    return list;
  }
  http::FieldList list = std::move(free_field_lists.back());
  free_field_lists.pop_back();
  return list;
}

void GiveFieldList(http::FieldList list) {
  if (free_field_lists.size() < kFreeFieldListsMax) {
    list.clear();
    free_field_lists.push_back(std::move(list));
  }
}

bool HasNoBody(http::Method method, int status) {
  return method == http::Method::kHead || status < 200 || status == 204 || status == 304;
}

}  // namespace

struct Http1Connection::Exchange {
  explicit Exchange(const http::h1::Limits& limits) : parser(limits), body(limits) {
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

  http::RequestHead head;
  http::h1::RequestParser parser;
  http::h1::BodyDecoder body;
};

Http1Connection::Http1Connection(net::Stream& stream, const ConnectionFacts& facts,
                                 Handler& handler, const ConnectionPolicy& policy,
                                 net::Signal& signal)
    : stream_(&stream), facts_(&facts), handler_(&handler), policy_(&policy), signal_(&signal) {}

Http1Connection::~Http1Connection() = default;

net::Task<Http1Connection::End> Http1Connection::Run() {
  signal_->SetDeadline(signal_->reactor().now() + policy_->client_timeout());
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
    if (!co_await DrainOutput() || cut_) {
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
net::Task<bool> Http1Connection::DrainOutput() {
  std::size_t pending = stream_->pending();
  while (pending > 0) {
    if (write_failed_ || stream_->broken()) {
      co_return false;
    }
    signal_->SetDeadline(signal_->reactor().now() + policy_->client_timeout());
    const net::Wake wake = co_await signal_->Wait();
    const std::size_t left = stream_->pending();
    if (wake == net::Wake::kCancelled || (wake == net::Wake::kDeadline && left >= pending)) {
      stream_->Abort();
      co_return false;
    }
    pending = left;
  }
  co_return !write_failed_;
}

net::Task<Http1Connection::HeadRead> Http1Connection::ReadHead() {
  if (!received_.empty()) {
    BeginRequest();
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
      co_return received_.empty() ? HeadRead::kSilent : HeadRead::kTimeout;
    }
    if (wake == net::Wake::kCancelled) {
      co_return HeadRead::kGone;
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
      if (!exchange_) {
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
  exchange_.reset();
  if (!next_.empty()) {
    received_.Swap(next_);
    next_.Release();
  } else {
    received_.ReleaseIfEmpty();
  }
}

void Http1Connection::RefuseHead() {
  const Refusal refusal = exchange_->parser.refusal();
  const RefusalText text = TextOf(refusal);
  Refuse(text.status, text.reason,
         refusal == Refusal::kMethodNotAllowed ? kAllowedMethods : std::string_view{});
}

/// Answers a request that no handler saw; the connection closes.
void Http1Connection::Refuse(int status, std::string_view reason, std::string_view allow) {
  OwnAnswer answer(status, reason, AnswerForm::kHtml);
  if (!allow.empty()) {
    answer.AddField("Allow", allow);
  }
  const std::string_view seen = received_.view().substr(0, 256);
  exchange_->head.method = http::Method::kGet;
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

bool Http1Connection::body_complete() const { return exchange_->body.complete(); }

const http::FieldList& Http1Connection::request_trailers() const {
  return exchange_->body.trailers();
}

bool Http1Connection::client_gone() const {
  return write_failed_ || stream_->broken() || (stream_->peer_gone() && !head_sent_);
}

BodyRead Http1Connection::TryReadBody(std::size_t limit) {
  if (exchange_->body.complete()) {
    return {.kind = BodyRead::Kind::kEnd};
  }
  BodyRead result;
  if (!received_.empty()) {
    std::size_t used = 0;
    const auto input = received_.bytes();
    result = DecodeInPlace(input.first(std::min(limit, input.size())), used);
    received_.Consume(used);
  } else {
    result = ReadFresh(limit);
  }
  if (exchange_->body.content_bytes() > policy_->request_body_bytes_max()) {
    return {
        .kind = BodyRead::Kind::kRefused, .data = {}, .status = 413, .reason = "body_too_large"};
  }
  return result;
}

/// Reads from the stream into the thread's scratch, never beyond a body of known length.
BodyRead Http1Connection::ReadFresh(std::size_t limit) {
  std::span<std::byte> scratch = signal_->reactor().read_scratch();
  std::size_t room = std::min(limit, scratch.size());
  if (exchange_->head.framing == http::Framing::kLength) {
    room = static_cast<std::size_t>(std::min<std::uint64_t>(room, exchange_->body.remaining()));
  }
  const net::ReadResult read = stream_->TryRead(scratch.first(room));
  if (read.kind == net::ReadResult::Kind::kWouldBlock) {
    return {.kind = BodyRead::Kind::kWouldBlock};
  }
  if (read.kind != net::ReadResult::Kind::kData) {
    return {.kind = BodyRead::Kind::kGone};
  }
  std::size_t used = 0;
  const std::span<char> input(reinterpret_cast<char*>(scratch.data()), read.bytes);
  BodyRead result = DecodeInPlace(input, used);
  next_.Append({input.data() + used, input.size() - used});
  return result;
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

void Http1Connection::SendHead(const ResponseOut& head, std::string_view content, BodyEnd end) {
  ELB_ASSERT(!head_sent_);
  framing_ = ChooseFraming(head, end);
  close_ = head.close || !exchange_->head.keep_alive || !body_complete() ||
           framing_ == Framing::kUntilClose || policy_->retiring() ||
           policy_->keepalive_timeout() == std::chrono::seconds{0};
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
  if (head.content_length && head.status >= 200 && head.status != 204) {
    writer.AppendField("Content-Length", *head.content_length);
  } else if (framing_ == Framing::kLength) {
    writer.AppendField("Content-Length", content.size());
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

net::Stream* Http1Connection::TakeOver(std::string_view& already_read) {
  taken_over_ = true;
  already_read = received_.view();
  return stream_;
}

}  // namespace elb::server
