#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "net/signal.h"
#include "net/stream.h"

namespace elb::server::testing {

/// A client's end of a connection in memory. Owned by the test, so that it can be looked at after
/// the stream died. Tells news as edges, as the kernel does: once for each thing the client does.
struct ClientWire {
  std::string inbound;   ///< Sent by the client, not yet read.
  std::string outbound;  ///< Taken by the socket: what the client can see.
  std::string unsent;    ///< Written, not yet taken by the socket.
  std::size_t room = std::numeric_limits<std::size_t>::max();  ///< What the socket still takes.
  std::size_t read_max = std::numeric_limits<std::size_t>::max();
  std::size_t pending_max = 0;  ///< Most that ever waited.
  std::optional<net::ReadResult::Kind> end;
  net::Signal* signal = nullptr;
  bool write_closed = false;
  bool aborted = false;
  bool destroyed = false;

  void Send(std::string_view bytes) {
    inbound += bytes;
    Notify();
  }
  /// FIN.
  void Finish() {
    end = net::ReadResult::Kind::kEnd;
    Notify();
  }
  /// RST.
  void Break() {
    end = net::ReadResult::Kind::kFault;
    Notify();
  }
  /// The client reads `bytes` more.
  void Take(std::size_t bytes) {
    room = bytes;
    Move();
    Notify();
  }
  void Notify() {
    if (signal != nullptr) {
      signal->Notify();
    }
  }
  void Move() {
    const std::size_t count = std::min(room, unsent.size());
    outbound += unsent.substr(0, count);
    unsent.erase(0, count);
    room -= count;
    pending_max = std::max(pending_max, unsent.size());
  }
  [[nodiscard]] std::string TakeOutbound() { return std::exchange(outbound, {}); }
};

/// The stream under a connection whose client is a `ClientWire`.
class WireStream final : public net::Stream {
 public:
  explicit WireStream(ClientWire& wire) : wire_(&wire) {}
  ~WireStream() override {
    wire_->destroyed = true;
    wire_->signal = nullptr;
  }

  void SetSignal(net::Signal* signal) override {
    wire_->signal = signal;
    if (!wire_->inbound.empty() || wire_->end) {
      wire_->Notify();
    }
  }
  Outcome<bool> TryEstablish() override { return true; }
  net::ReadResult TryRead(std::span<std::byte> into) override {
    if (wire_->aborted) {
      return {.kind = net::ReadResult::Kind::kFault, .bytes = 0, .fault = Reset()};
    }
    const std::size_t count = std::min({into.size(), wire_->inbound.size(), wire_->read_max});
    if (count == 0) {
      return wire_->end ? net::ReadResult{.kind = *wire_->end, .bytes = 0, .fault = Reset()}
                        : net::ReadResult{};
    }
    std::memcpy(into.data(), wire_->inbound.data(), count);
    wire_->inbound.erase(0, count);
    return {.kind = net::ReadResult::Kind::kData, .bytes = count, .fault = {}};
  }
  using net::Stream::Write;
  Outcome<void> Write(std::span<const std::string_view> pieces) override {
    if (broken() || wire_->write_closed) {
      return std::unexpected(Reset());
    }
    for (const std::string_view piece : pieces) {
      wire_->unsent += piece;
    }
    wire_->Move();
    return {};
  }
  std::size_t pending() const override { return wire_->unsent.size(); }
  void CloseWrite() override { wire_->write_closed = true; }
  void Abort() override {
    wire_->aborted = true;
    wire_->unsent.clear();
  }
  bool peer_gone() const override { return wire_->end.has_value(); }
  bool broken() const override {
    return wire_->aborted || wire_->end == net::ReadResult::Kind::kFault;
  }
  bool Quiet() override { return !peer_gone() && wire_->inbound.empty(); }
  Endpoint local() const override { return {.address = {}, .port = 443}; }
  Endpoint peer() const override { return {.address = {}, .port = 50000}; }

 private:
  static Fault Reset() {
    return {.side = FaultSide::kDownstream, .code = FaultCode::kReset, .detail = 0};
  }
  ClientWire* wire_;
};

}  // namespace elb::server::testing
