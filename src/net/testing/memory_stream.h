#pragma once

#include <climits>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "net/stream.h"

namespace elb::net::testing {

struct MemoryEnd;

/// Told of everything that a stream in memory does.
class Transport {
 public:
  virtual ~Transport() = default;
  /// The stream on `end` read, wrote, closed its output, aborted or was destroyed.
  virtual void OnActivity(MemoryEnd& end) = 0;
};

/// One end of a connection in memory: what its stream sees, and what it did. Somebody else moves
/// the bytes: a test by hand, or a `SimulatedNetwork`. It outlives the stream, so that a test can
/// look at it afterwards.
struct MemoryEnd {
  std::string inbound;            ///< What the stream may read.
  std::string outbound;           ///< What it wrote and nobody took yet.
  std::optional<ReadResult> end;  ///< After `inbound`.
  std::optional<Fault> establish_fault;
  std::optional<Fault> write_fault;
  std::size_t read_max = SIZE_MAX;  ///< Bytes one read gives at most.
  std::size_t pending = 0;          ///< Of `outbound`, what the stream calls not yet taken.
  int reads = 0;
  int writes = 0;
  bool connected = true;
  bool write_closed = false;
  bool aborted = false;
  bool destroyed = false;
  Signal* signal = nullptr;
  bool untold = false;             ///< News came while no signal was set.
  Transport* transport = nullptr;  ///< Null: nobody is told.
  Endpoint local{.address = {}, .port = 443};
  Endpoint peer{.address = {}, .port = 50000};
  std::uint32_t round_trip_micros = 77;

  void Finish() { end = ReadResult{.kind = ReadResult::Kind::kEnd}; }
  void Break(FaultCode code) { Break(Fault{.code = code}); }
  void Break(const Fault& fault) {
    end = ReadResult{.kind = ReadResult::Kind::kFault, .bytes = 0, .fault = fault};
  }
  [[nodiscard]] std::string TakeOutbound() { return std::exchange(outbound, {}); }
  /// Tells the signal, now or when one is set.
  void Notify();
};

/// A stream over a `MemoryEnd`. One thread.
class MemoryStream final : public Stream {
 public:
  /// `end` outlives the stream.
  explicit MemoryStream(MemoryEnd& end) : end_(&end) {}
  explicit MemoryStream(std::shared_ptr<MemoryEnd> end) : end_(end.get()), owned_(std::move(end)) {}
  ~MemoryStream() override;
  MemoryStream(const MemoryStream&) = delete;
  MemoryStream& operator=(const MemoryStream&) = delete;
  MemoryStream(MemoryStream&&) = delete;
  MemoryStream& operator=(MemoryStream&&) = delete;

  void SetSignal(Signal* signal) override;
  [[nodiscard]] Outcome<bool> TryEstablish() override;
  [[nodiscard]] ReadResult TryRead(std::span<std::byte> into) override;
  using Stream::Write;
  [[nodiscard]] Outcome<void> Write(std::span<const std::string_view> pieces) override;
  [[nodiscard]] std::size_t pending() const override { return end_->pending; }
  void CloseWrite() override;
  void Abort() override;
  [[nodiscard]] bool peer_gone() const override { return end_->end.has_value(); }
  [[nodiscard]] bool broken() const override {
    return end_->end && end_->end->kind == ReadResult::Kind::kFault;
  }
  [[nodiscard]] bool Quiet() override { return !peer_gone() && end_->inbound.empty(); }
  [[nodiscard]] Endpoint local() const override { return end_->local; }
  [[nodiscard]] Endpoint peer() const override { return end_->peer; }
  [[nodiscard]] std::uint32_t RoundTripMicros() const override { return end_->round_trip_micros; }

 private:
  void Tell();

  MemoryEnd* end_;
  std::shared_ptr<MemoryEnd> owned_;
};

}  // namespace elb::net::testing
