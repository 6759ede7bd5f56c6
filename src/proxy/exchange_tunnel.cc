#include <algorithm>
#include <optional>
#include <string_view>

#include "proxy/exchange.h"
#include "proxy/limits.h"

namespace elb::proxy {

/// Relays the 101 and turns both connections into a pipe (data-plane.md 4.6).
void Exchange::StartTunnel(const http::ResponseHead& head, std::string_view behind) {
  TakeResponseFields(head);
  worker_->response_fields.push_back(
      {.name = "Upgrade", .value = "websocket", .known = http::FieldName::kUpgrade});
  stream_->SendHead({.status = 101,
                     .reason = head.reason,
                     .fields = worker_->response_fields,
                     .content_length = std::nullopt,
                     .close = true},
                    {}, server::BodyEnd::kMore);
  head_sent_ = true;
  answered_ = true;
  outcome_.status = 101;
  std::string_view already_read;
  tunnel_ = stream_->TakeOver(already_read);
  if (tunnel_ == nullptr) {
    phase_ = Phase::kDone;
    return;
  }
  phase_ = Phase::kTunnel;
  outcome_.tunnel_sent = behind.size();
  outcome_.tunnel_received = already_read.size();
  const bool to_client = behind.empty() || tunnel_->Write(behind).has_value();
  const bool to_member = already_read.empty() || upstream_->stream->Write(already_read).has_value();
  if (!to_client || !to_member) {
    phase_ = Phase::kDone;
  }
}

Exchange::Progress Exchange::PumpTunnel() {
  const std::span<std::byte> scratch = worker_->reactor->read_scratch();
  const auto relay = [&](net::Stream& from, net::Stream& to, MonotonicTime& progress,
                         std::uint64_t& relayed) {
    if (to.pending() > kBufferedBytesLow) {
      return Progress::kNone;
    }
    const std::size_t room = std::min(kBufferedBytesMax - to.pending(), to.WriteRoom());
    if (to.pending() > 0 && room < kReadAheadBytesMin) {
      return Progress::kNone;  // Its signal tells when what waits was taken.
    }
    const net::ReadResult read = from.TryRead(scratch.first(std::max(room, kReadAheadBytesMin)));
    if (read.kind == net::ReadResult::Kind::kWouldBlock) {
      return Progress::kNone;
    }
    if (read.kind != net::ReadResult::Kind::kData ||
        !to.Write(std::string_view(reinterpret_cast<const char*>(scratch.data()), read.bytes))) {
      phase_ = Phase::kDone;
      return Progress::kSome;
    }
    progress = now();
    turn_bytes_ += read.bytes;
    relayed += read.bytes;
    return Progress::kSome;
  };
  const Progress up =
      relay(*tunnel_, *upstream_->stream, client_progress_, outcome_.tunnel_received);
  if (phase_ == Phase::kDone) {
    return up;
  }
  const Progress down =
      relay(*upstream_->stream, *tunnel_, upstream_progress_, outcome_.tunnel_sent);
  return up == Progress::kSome ? up : down;
}

}  // namespace elb::proxy
