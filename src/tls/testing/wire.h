#pragma once

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "net/signal.h"
#include "net/stream.h"

namespace elb::tls::testing {

/// A lower stream in memory whose other end is the test. The test owns the state, so that it can
/// look at it after the stream died.
struct WireState {
  std::string inbound;                 ///< What the stream under test may read.
  std::string outbound;                ///< What it wrote.
  std::optional<net::ReadResult> end;  ///< After `inbound`.
  std::optional<Fault> write_fault;
  std::size_t read_max = SIZE_MAX;  ///< Bytes one read gives at most.
  std::size_t pending = 0;
  int reads = 0;
  int writes = 0;
  bool connected = true;
  bool write_closed = false;
  bool aborted = false;
  bool destroyed = false;
  net::Signal* signal = nullptr;

  void Finish() { end = net::ReadResult{.kind = net::ReadResult::Kind::kEnd}; }
  void Break(FaultCode code) {
    end = net::ReadResult{.kind = net::ReadResult::Kind::kFault, .fault = {.code = code}};
  }
  [[nodiscard]] std::string TakeOutbound() { return std::exchange(outbound, {}); }
};

class Wire final : public net::Stream {
 public:
  explicit Wire(WireState& state) : state_(&state) {}
  ~Wire() override { state_->destroyed = true; }

  void SetSignal(net::Signal* signal) override { state_->signal = signal; }
  Outcome<bool> TryEstablish() override { return state_->connected; }
  net::ReadResult TryRead(std::span<std::byte> into) override {
    ++state_->reads;
    const std::size_t count = std::min({into.size(), state_->inbound.size(), state_->read_max});
    if (count == 0) {
      return state_->end.value_or(net::ReadResult{});
    }
    std::memcpy(into.data(), state_->inbound.data(), count);
    state_->inbound.erase(0, count);
    return {.kind = net::ReadResult::Kind::kData, .bytes = count};
  }
  using net::Stream::Write;
  Outcome<void> Write(std::span<const std::string_view> pieces) override {
    ++state_->writes;
    if (state_->write_fault) {
      return std::unexpected(*state_->write_fault);
    }
    for (const std::string_view piece : pieces) {
      state_->outbound += piece;
    }
    return {};
  }
  std::size_t pending() const override { return state_->pending; }
  void CloseWrite() override { state_->write_closed = true; }
  void Abort() override { state_->aborted = true; }
  bool peer_gone() const override { return state_->end.has_value(); }
  bool broken() const override {
    return state_->end && state_->end->kind == net::ReadResult::Kind::kFault;
  }
  bool Quiet() override { return !peer_gone() && state_->inbound.empty(); }
  Endpoint local() const override { return {.address = {}, .port = 443}; }
  Endpoint peer() const override { return {.address = {}, .port = 50000}; }
  std::uint32_t RoundTripMicros() const override { return 77; }

 private:
  WireState* state_;
};

}  // namespace elb::tls::testing
