#include "health/probe.h"

#include <fmt/format.h>

#include <array>
#include <utility>

#include "http/h1/parser.h"

namespace elb::health {
namespace {

using contract::HealthReason;
using contract::ProbeType;

const http::h1::Limits kLimits;

http::Method MethodOf(const std::string& text) {
  if (text == "HEAD") {
    return http::Method::kHead;
  }
  return text == "CONNECT" ? http::Method::kConnect : http::Method::kOther;
}

HealthReason ReasonOfConnect(const Fault& fault) {
  switch (fault.code) {
    case FaultCode::kRefused:
    case FaultCode::kReset:
      return HealthReason::kConnectRefused;
    case FaultCode::kTimeout:
      return HealthReason::kConnectTimeout;
    default:
      return HealthReason::kConnectFailed;
  }
}

/// One attempt in progress.
class Probe {
 public:
  Probe(const ProbeTarget& target, const ProbeContext& context, net::Signal& signal)
      : target_(target), context_(context), signal_(signal) {}
  Probe(const Probe&) = delete;
  Probe& operator=(const Probe&) = delete;
  Probe(Probe&&) = delete;
  Probe& operator=(Probe&&) = delete;
  ~Probe() {
    if (stream_ != nullptr) {
      stream_->SetSignal(nullptr);
    }
  }

  net::Task<ProbeResult> Run() {
    signal_.SetDeadline(signal_.reactor().now() + target_.timeout);
    auto connected = context_.network->Connect(target_.endpoint);
    if (!connected) {
      co_return ProbeResult{.reason = ReasonOfConnect(connected.error())};
    }
    stream_ = *std::move(connected);
    HealthReason reason = co_await Establish(HealthReason::kConnectTimeout, false);
    if (reason == HealthReason::kNone && target_.type == ProbeType::kTcp) {
      stream_->Abort();
      co_return ProbeResult{};
    }
    if (reason == HealthReason::kNone && target_.type == ProbeType::kHttps) {
      stream_ =
          tls::CreateClientStream(std::move(stream_), context_.tls, target_.sni, signal_.reactor());
      reason = co_await Establish(HealthReason::kSslHandshakeError, true);
    }
    if (reason == HealthReason::kNone) {
      reason = co_await Send();
    }
    if (reason != HealthReason::kNone) {
      co_return ProbeResult{.reason = reason};
    }
    co_return co_await Receive();
  }

 private:
  net::Task<HealthReason> Establish(HealthReason on_timeout, bool tls) {
    stream_->SetSignal(&signal_);
    while (true) {
      const Outcome<bool> done = stream_->TryEstablish();
      if (!done) {
        co_return tls ? HealthReason::kSslHandshakeError : ReasonOfConnect(done.error());
      }
      if (*done) {
        co_return HealthReason::kNone;
      }
      if (co_await signal_.Wait() != net::Wake::kNotified) {
        co_return on_timeout;
      }
    }
  }

  net::Task<HealthReason> Send() {
    if (!stream_->Write(target_.request)) {
      co_return HealthReason::kSendRequestFailed;
    }
    while (stream_->pending() > 0) {
      if (co_await signal_.Wait() != net::Wake::kNotified) {
        co_return HealthReason::kSendRequestTimeout;
      }
      if (stream_->broken()) {
        co_return HealthReason::kSendRequestFailed;
      }
    }
    co_return HealthReason::kNone;
  }

  net::Task<ProbeResult> Receive() {
    while (true) {
      std::array<std::byte, 4096> piece{};
      const net::ReadResult read = stream_->TryRead(piece);
      if (read.kind == net::ReadResult::Kind::kData) {
        received_.append(reinterpret_cast<const char*>(piece.data()), read.bytes);
        if (const auto result = Judge()) {
          co_return *result;
        }
        continue;
      }
      if (read.kind != net::ReadResult::Kind::kWouldBlock) {
        co_return ProbeResult{.reason = received_.empty() && !informational_
                                            ? HealthReason::kConnectInterrupt
                                            : HealthReason::kRecvResponseFailed};
      }
      if (co_await signal_.Wait() != net::Wake::kNotified) {
        co_return ProbeResult{.reason = HealthReason::kRecvResponseTimeout};
      }
    }
  }

  /// What the bytes received so far say; nullopt: more are needed.
  std::optional<ProbeResult> Judge() {
    while (true) {
      head_.Clear();
      switch (parser_.Parse(received_, target_.method, head_)) {
        case http::h1::ParseStatus::kNeedMore:
          return std::nullopt;
        case http::h1::ParseStatus::kRefused:
          return ProbeResult{.reason = HealthReason::kResponseFormatError};
        case http::h1::ParseStatus::kDone:
          break;
      }
      if (head_.status >= 200) {
        const bool expected = target_.expected.Contains(head_.status);
        return ProbeResult{
            .reason = expected ? HealthReason::kNone : HealthReason::kResponseMismatch,
            .response_code = head_.status};
      }
      informational_ = true;
      received_.erase(0, parser_.consumed());
      parser_.Reset();
    }
  }

  const ProbeTarget& target_;
  const ProbeContext& context_;
  net::Signal& signal_;
  std::unique_ptr<net::Stream> stream_;
  http::h1::ResponseParser parser_{kLimits};
  http::ResponseHead head_;
  std::string received_;
  bool informational_ = false;
};

}  // namespace

ProbeTarget MakeTarget(const contract::PoolConfig& pool, const contract::MemberConfig& member) {
  // NOLINTNEXTLINE(bugprone-unchecked-optional-access): pools that are probed have one.
  const contract::HealthMonitorConfig& monitor = *pool.monitor;
  ProbeTarget target{.type = monitor.type,
                     .endpoint = {.address = member.endpoint.address,
                                  .port = monitor.port.value_or(member.endpoint.port)},
                     .timeout = monitor.timeout,
                     .request = {},
                     .method = MethodOf(monitor.http_method),
                     .sni = monitor.domain_name,
                     .expected = {}};
  if (target.type == ProbeType::kHttp || target.type == ProbeType::kHttps) {
    target.request = fmt::format(
        "{} {} HTTP/1.1\r\nHost: {}\r\nUser-Agent: ELB-HealthChecker/1.0\r\nAccept: */*\r\n"
        "Connection: close\r\n\r\n",
        monitor.http_method, monitor.url_path,
        monitor.domain_name.empty() ? pool.probe_host : monitor.domain_name);
    if (auto expected = ExpectedCodes::Parse(monitor.expected_codes)) {
      target.expected = *std::move(expected);
    }
  }
  return target;
}

net::Task<ProbeResult> RunProbe(const ProbeTarget& target, const ProbeContext& context,
                                net::Signal& signal) {
  Probe probe(target, context, signal);
  co_return co_await probe.Run();
}

}  // namespace elb::health
