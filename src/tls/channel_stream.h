#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <utility>

#include "net/stream.h"
#include "tls/channel.h"

namespace elb::tls {

/// What both sides of TLS share as a `net::Stream`: everything but the handshake's beginning.
/// `Base` is `net::Stream` or an interface derived from it.
template <typename Base>
class ChannelStream : public Base {
 public:
  ChannelStream(std::unique_ptr<net::Stream> lower, FaultSide side)
      : channel_(std::move(lower), side) {}

  void SetSignal(net::Signal* signal) override { channel_.SetSignal(signal); }
  [[nodiscard]] net::ReadResult TryRead(std::span<std::byte> into) override {
    return channel_.Read(into);
  }
  using Base::Write;
  [[nodiscard]] Outcome<void> Write(std::span<const std::string_view> pieces) override {
    return channel_.Write(pieces);
  }
  [[nodiscard]] std::size_t pending() const override { return channel_.lower().pending(); }
  [[nodiscard]] std::size_t WriteRoom() const override { return channel_.lower().WriteRoom(); }
  void CloseWrite() override { channel_.CloseWrite(); }
  void Abort() override { channel_.Abort(); }
  [[nodiscard]] bool peer_gone() const override { return channel_.peer_gone(); }
  [[nodiscard]] bool broken() const override { return channel_.broken(); }
  [[nodiscard]] bool Quiet() override { return channel_.Quiet(); }
  [[nodiscard]] Endpoint local() const override { return channel_.lower().local(); }
  [[nodiscard]] Endpoint peer() const override { return channel_.lower().peer(); }
  [[nodiscard]] net::Traffic TakeTraffic(net::PacketCount packets) override {
    return channel_.lower().TakeTraffic(packets);
  }
  [[nodiscard]] std::uint32_t RoundTripMicros() const override {
    return channel_.lower().RoundTripMicros();
  }

 protected:
  [[nodiscard]] Channel& channel() { return channel_; }
  [[nodiscard]] const Channel& channel() const { return channel_; }

 private:
  Channel channel_;
};

}  // namespace elb::tls
