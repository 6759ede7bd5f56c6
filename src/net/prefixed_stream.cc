#include "net/prefixed_stream.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "base/assert.h"
#include "net/signal.h"

namespace elb::net {
namespace {

class PrefixedStream final : public Stream {
 public:
  PrefixedStream(std::string prefix, std::unique_ptr<Stream> stream)
      : prefix_(std::move(prefix)), stream_(std::move(stream)) {}

  void SetSignal(Signal* signal) override {
    stream_->SetSignal(signal);
    if (signal != nullptr && !read_through()) {
      signal->Notify();
    }
  }
  Outcome<bool> TryEstablish() override { return stream_->TryEstablish(); }
  ReadResult TryRead(std::span<std::byte> into) override {
    if (read_through()) {
      return stream_->TryRead(into);
    }
    ELB_ASSERT(!into.empty());
    const std::size_t count = std::min(into.size(), prefix_.size() - taken_);
    std::memcpy(into.data(), prefix_.data() + taken_, count);
    taken_ += count;
    if (read_through()) {
      prefix_ = std::string();
      taken_ = 0;
    }
    return {.kind = ReadResult::Kind::kData, .bytes = count, .fault = {}};
  }
  using Stream::Write;
  Outcome<void> Write(std::span<const std::string_view> pieces) override {
    return stream_->Write(pieces);
  }
  [[nodiscard]] std::size_t pending() const override { return stream_->pending(); }
  [[nodiscard]] std::size_t WriteRoom() const override { return stream_->WriteRoom(); }
  void CloseWrite() override { stream_->CloseWrite(); }
  void Abort() override {
    prefix_ = std::string();
    taken_ = 0;
    stream_->Abort();
  }
  [[nodiscard]] bool peer_gone() const override { return stream_->peer_gone(); }
  [[nodiscard]] bool broken() const override { return stream_->broken(); }
  bool Quiet() override { return read_through() && stream_->Quiet(); }
  [[nodiscard]] Endpoint local() const override { return stream_->local(); }
  [[nodiscard]] Endpoint peer() const override { return stream_->peer(); }
  [[nodiscard]] std::uint32_t RoundTripMicros() const override {
    return stream_->RoundTripMicros();
  }
  Traffic TakeTraffic(PacketCount packets) override { return stream_->TakeTraffic(packets); }

 private:
  [[nodiscard]] bool read_through() const { return taken_ == prefix_.size(); }

  std::string prefix_;
  std::size_t taken_ = 0;
  std::unique_ptr<Stream> stream_;
};

}  // namespace

std::unique_ptr<Stream> PutBack(std::string prefix, std::unique_ptr<Stream> stream) {
  ELB_ASSERT(!prefix.empty());
  return std::make_unique<PrefixedStream>(std::move(prefix), std::move(stream));
}

}  // namespace elb::net
