#pragma once

#include <openssl/ssl.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "net/stream.h"
#include "tls/internal.h"

namespace elb::tls {

/// One SSL object over a lower stream, through our own BIO. Ciphertext is read into a per-thread
/// buffer of 128 KiB, from which many records are served, and what one call produces goes to the
/// lower stream in one write. Only ciphertext that a call could not use up is kept. One thread.
class Engine {
 public:
  explicit Engine(std::unique_ptr<net::Stream> lower);
  ~Engine();
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;
  Engine(Engine&&) = delete;
  Engine& operator=(Engine&&) = delete;

  /// Takes `ssl` over and connects it to the lower stream.
  void Attach(SslPtr ssl);
  [[nodiscard]] SSL* ssl() const { return ssl_.get(); }
  [[nodiscard]] net::Stream& lower() const { return *lower_; }
  [[nodiscard]] std::unique_ptr<net::Stream> ReleaseLower() { return std::move(lower_); }

  /// Reads ciphertext ahead; the first byte of it, or -1 when there is none yet. `fault` is set
  /// when the lower stream ended.
  [[nodiscard]] int PeekFirstByte(Fault& fault);

  [[nodiscard]] Outcome<bool> Handshake();
  [[nodiscard]] net::ReadResult Read(std::span<std::byte> into);
  [[nodiscard]] Outcome<void> Write(std::span<const std::string_view> pieces);
  void CloseWrite();
  /// No byte of content is waiting; handles tickets and the like that came meanwhile.
  [[nodiscard]] bool Quiet();
  /// The last alert sent or received, -1 for none.
  [[nodiscard]] int alert() const { return alert_; }

 private:
  friend struct EngineBio;
  [[nodiscard]] int OnBioRead(char* into, int size);
  [[nodiscard]] int OnBioWrite(const char* from, int size);
  void KeepUnused();
  bool FlushOutput();
  [[nodiscard]] bool WritePlain(std::string_view plain);
  [[nodiscard]] Fault FaultOf(int result);
  static void OnInfo(const SSL* ssl, int where, int value);

  std::unique_ptr<net::Stream> lower_;
  SslPtr ssl_;
  std::string unused_;  ///< Ciphertext read but not used up; empty while idle.
  std::size_t unused_at_ = 0;
  Fault write_fault_;
  net::ReadResult::Kind lower_end_ = net::ReadResult::Kind::kData;  ///< kEnd, kFault once seen.
  Fault read_fault_;
  int alert_ = -1;
  bool lower_waits_ = false;  ///< The lower stream said kWouldBlock in this call.
};

}  // namespace elb::tls
