#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>

#include "base/fault.h"
#include "net/stream.h"
#include "tls/input_buffer.h"
#include "tls/openssl_handles.h"

namespace elb::tls {

struct ServerHandshake;

/// One OpenSSL connection over a lower stream, either side, through a BIO of our own: one read of
/// the lower stream feeds many records, and what a call produces goes to the lower stream in one
/// piece. Between calls it holds at most one block of ciphertext, and none when idle. One thread.
class Channel {
 public:
  Channel(std::unique_ptr<net::Stream> lower, FaultSide side);
  ~Channel();
  Channel(const Channel&) = delete;
  Channel& operator=(const Channel&) = delete;
  Channel(Channel&&) = delete;
  Channel& operator=(Channel&&) = delete;

  /// Sets what every context used with channels needs: callbacks and modes.
  static void Prepare(SSL_CTX& context);
  /// Ciphertext bytes that a peer may send before a handshake is complete.
  static constexpr std::size_t kHandshakeBytesMax = 192 * 1024;

  [[nodiscard]] net::Stream& lower() { return *lower_; }
  [[nodiscard]] const net::Stream& lower() const { return *lower_; }
  [[nodiscard]] std::unique_ptr<net::Stream> ReleaseLower();
  [[nodiscard]] InputBuffer& input() { return input_; }
  [[nodiscard]] SSL* ssl() const { return ssl_.get(); }
  /// The channel that an SSL object is attached to. Found through its BIO: application data of an
  /// SSL object costs each connection two more allocations.
  [[nodiscard]] static Channel& Of(const SSL* ssl);
  /// The server's side of the handshake in progress; null after it and on clients.
  [[nodiscard]] ServerHandshake* server_handshake() const { return server_handshake_; }
  void set_server_handshake(ServerHandshake* handshake) { server_handshake_ = handshake; }
  [[nodiscard]] bool established() const { return established_; }
  /// Why the handshake failed.
  [[nodiscard]] const std::optional<Fault>& failure() const { return failure_; }

  /// One read of the lower stream into `input`, without an SSL object yet. False: nothing now.
  [[nodiscard]] Outcome<bool> Receive();
  /// Takes the connection's SSL object, whose state (client or server) is set.
  void Attach(SslPointer ssl);
  /// Goes on with the handshake. True when it is complete; a fault is final, and the alert was
  /// handed to the lower stream.
  [[nodiscard]] Outcome<bool> Handshake();
  /// Ends the handshake before OpenSSL took part.
  [[nodiscard]] std::unexpected<Fault> Refuse(FaultCode code, std::int16_t detail);
  /// As `Refuse`, telling the peer why.
  [[nodiscard]] std::unexpected<Fault> RefuseWithAlert(std::uint8_t alert);

  // As in net::Stream, after the handshake.
  void SetSignal(net::Signal* signal);
  [[nodiscard]] net::ReadResult Read(std::span<std::byte> into);
  [[nodiscard]] Outcome<void> Write(std::span<const std::string_view> pieces);
  void CloseWrite();
  void Abort();
  [[nodiscard]] bool Quiet();
  [[nodiscard]] bool peer_gone() const { return lower_->peer_gone() || end_.has_value(); }
  [[nodiscard]] bool broken() const { return lower_->broken() || fatal_; }

 private:
  class Call;
  enum class Step : std::uint8_t { kDone, kAgain, kEnded };

  static BIO_METHOD* Method();
  static int ReadBio(BIO* bio, char* into, std::size_t size, std::size_t* count);
  static int WriteBio(BIO* bio, const char* from, std::size_t size, std::size_t* count);
  static long ControlBio(BIO* bio, int command, long number, void* pointer);
  static void OnInfo(const SSL* ssl, int where, int value);

  [[nodiscard]] std::size_t Pull(std::span<std::byte> into);
  [[nodiscard]] bool Refill();
  void Push(std::string_view bytes);
  void Flush();
  [[nodiscard]] Step AfterRead(int result);
  [[nodiscard]] bool Encrypt(std::string_view plain);
  [[nodiscard]] bool EncryptAll(std::span<const std::string_view> pieces);
  [[nodiscard]] Fault EndFault() const;
  [[nodiscard]] Fault TlsFault() const;
  [[nodiscard]] bool Abused() const;

  std::unique_ptr<net::Stream> lower_;
  SslPointer ssl_;
  net::Signal* signal_ = nullptr;
  ServerHandshake* server_handshake_ = nullptr;
  InputBuffer input_;
  std::size_t room_ = 0;             ///< Plaintext bytes the caller still takes in this call.
  std::size_t handshake_bytes_ = 0;  ///< Ciphertext received before the end of the handshake.
  FaultSide side_;
  bool established_ = false;
  bool closing_ = false;          ///< `CloseWrite` was called.
  bool fatal_ = false;            ///< OpenSSL refuses any further work.
  std::uint8_t refusals_ = 0;     ///< Renegotiations that were refused.
  std::uint16_t idle_steps_ = 0;  ///< Protocol messages since the last plaintext.
  std::int16_t alert_ = 0;        ///< The fatal alert sent or received.
  // Every idle connection has these: a fault with code kNone is an orderly end.
  std::optional<Fault> lower_end_;  ///< How the lower stream ended.
  std::optional<Fault> end_;        ///< How this one ended for reading.
  std::optional<Fault> failure_;
  std::optional<Fault> write_fault_;
};

}  // namespace elb::tls
