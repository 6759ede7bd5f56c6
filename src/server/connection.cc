#include "server/connection.h"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <utility>

#include "http/h1/serialize.h"
#include "server/date_cache.h"
#include "server/http1_connection.h"
#include "server/http2_session.h"
#include "server/own_answer.h"

namespace elb::server {
namespace {

using std::chrono::seconds;

/// Closing reads and discards this much and this long, so that no RST destroys the answer
/// (data-plane.md 12.3).
constexpr std::size_t kLingerBytesMax = 1024 * 1024;
constexpr seconds kLingerTime{5};

/// Handshake steps per reactor turn: an RSA-4096 signature takes 4 ms, and others wait meanwhile.
constexpr int kHandshakeStepsPerTurn = 8;

/// Counts handshake steps in the current turn of this thread's reactor.
bool TakeHandshakeBudget(const net::Reactor& reactor) {
  thread_local std::uint64_t counted_turn = 0;
  thread_local int steps = 0;
  if (counted_turn != reactor.turn()) {
    counted_turn = reactor.turn();
    steps = 0;
  }
  return ++steps <= kHandshakeStepsPerTurn;
}

std::unique_ptr<net::Stream> Layer(std::unique_ptr<net::Stream> stream,
                                   tls::ContextSource* contexts, net::Reactor& reactor,
                                   tls::ServerStream*& tls) {
  if (contexts == nullptr) {
    return stream;
  }
  auto layered = tls::ServerStream::Create(std::move(stream), *contexts, reactor);
  tls = layered.get();
  return layered;
}

}  // namespace

Connection::Connection(std::unique_ptr<net::Stream> stream, tls::ContextSource* contexts,
                       Handler& handler, const ConnectionPolicy& policy, net::Reactor& reactor)
    : handler_(&handler),
      policy_(&policy),
      stream_(Layer(std::move(stream), contexts, reactor, tls_)),
      facts_{.client = stream_->peer(), .tls = tls_, .stream = stream_.get()},
      signal_(reactor) {}

Connection::~Connection() { stream_->SetSignal(nullptr); }

net::Task<void> Connection::Run(MonotonicTime arrived_at) {
  signal_.SetDeadline(arrived_at + policy_->client_timeout());  // data-plane.md 5.2
  stream_->SetSignal(&signal_);
  return Serve();
}

net::Task<void> Connection::Serve() {
  const Established established = co_await Establish();
  bool orderly = established != Established::kNo;
  if (established == Established::kYes) {
    orderly = tls_ != nullptr && tls_->facts().alpn == tls::Alpn::kHttp2 ? co_await RunHttp2()
                                                                         : co_await RunHttp1();
  } else if (orderly) {
    DropTls();
    if (established == Established::kPlainHttp) {
      AnswerPlainHttp();
    }
  }
  if (orderly) {
    co_await Linger();
  }
}

ELB_OWN_FRAME net::Task<bool> Connection::RunHttp1() {
  Http1Connection http(*stream_, facts_, *handler_, *policy_, signal_);
  http1_ = &http;
  const Http1Connection::End end = co_await http.Run();
  http1_ = nullptr;
  co_return end == Http1Connection::End::kClose;
}

ELB_OWN_FRAME net::Task<bool> Connection::RunHttp2() {
  Http2Session http2(*stream_, facts_, *handler_, *policy_, signal_);
  http2_ = &http2;
  const bool orderly = co_await http2.Run();
  http2_ = nullptr;
  co_return orderly;
}

void Connection::TellRetiring() {
  if (http2_ != nullptr) {
    signal_.Notify();  // The session sees that it retires, and says GOAWAY.
  }
}

void Connection::EndWhenIdle() {
  if (http2_ != nullptr) {
    TellRetiring();
  } else if (http1_ == nullptr || http1_->idle()) {
    signal_.Cancel();
  }
}

ELB_OWN_FRAME net::Task<Connection::Established> Connection::Establish() {
  while (true) {
    while (tls_ != nullptr && !TakeHandshakeBudget(signal_.reactor())) {
      co_await signal_.Yield();
    }
    const Outcome<bool> done = stream_->TryEstablish();
    if (!done) {
      const Fault fault = done.error();
      if (fault.code == FaultCode::kProtocol && fault.detail == tls::ServerStream::kPlainHttp) {
        co_return Established::kPlainHttp;
      }
      handler_->OnHandshakeFailed(facts_, fault);
      // A client that is still sending must get to see why (data-plane.md 2.6).
      const bool has_alert = fault.code == FaultCode::kTls && fault.detail != 0;
      co_return has_alert ? Established::kAlert : Established::kNo;
    }
    if (*done) {
      co_return Established::kYes;
    }
    const net::Wake wake = co_await signal_.Wait();
    if (wake != net::Wake::kNotified) {
      handler_->OnHandshakeFailed(
          facts_,
          {.side = FaultSide::kDownstream,
           .code = wake == net::Wake::kDeadline ? FaultCode::kTimeout : FaultCode::kCancelled,
           .detail = 0});
      co_return Established::kNo;
    }
  }
}

/// Goes on with the stream below TLS after a failed handshake.
void Connection::DropTls() {
  std::unique_ptr<net::Stream> lower = tls_->ReleaseLower();
  tls_ = nullptr;
  facts_.tls = nullptr;
  stream_ = std::move(lower);
  facts_.stream = stream_.get();
  stream_->SetSignal(&signal_);
}

/// Plain HTTP on a TLS port gets a plain 400 (data-plane.md 2.10).
void Connection::AnswerPlainHttp() {
  const OwnAnswer answer(400, "plain_http_on_tls", AnswerForm::kHtml);
  http::h1::HeadWriter writer(signal_.reactor().head_scratch());
  writer.AppendStatusLine(answer.status(), {});
  for (const http::Field& field : answer.fields()) {
    writer.AppendField(field.name, field.value);
  }
  writer.AppendField("Date", DateText(signal_.reactor().wall_now()));
  writer.AppendField("Content-Length", answer.content().size());
  writer.AppendField("Connection", "close");
  writer.End();
  writer.Append(answer.content());
  const bool written = stream_->Write(writer.text()).has_value();
  handler_->OnRefused(facts_, {.status = answer.status(),
                               .reason = "plain_http_on_tls",
                               .bytes = {},
                               .bytes_sent = written ? writer.size() : 0});
}

ELB_OWN_FRAME net::Task<void> Connection::Linger() {
  stream_->CloseWrite();
  signal_.SetDeadline(signal_.reactor().now() + kLingerTime);
  std::size_t discarded = 0;
  while (discarded < kLingerBytesMax) {
    const net::ReadResult read = stream_->TryRead(signal_.reactor().read_scratch());
    if (read.kind == net::ReadResult::Kind::kData) {
      discarded += read.bytes;
      continue;
    }
    if (read.kind != net::ReadResult::Kind::kWouldBlock ||
        co_await signal_.Wait() != net::Wake::kNotified) {
      co_return;
    }
  }
}

}  // namespace elb::server
