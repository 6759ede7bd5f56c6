#include "tls/engine.h"

#include <openssl/err.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>
#include <vector>

#include "base/assert.h"

namespace elb::tls {
namespace {

constexpr std::size_t kInputBytes = 128 * 1024;
constexpr std::size_t kRecordBytes = 16 * 1024;
constexpr std::size_t kOutputBytesMax = 288 * 1024;

/// Buffers that all engines of a thread share; each is empty between calls.
struct Scratch {
  std::vector<std::byte> input = std::vector<std::byte>(kInputBytes);
  std::size_t input_begin = 0;
  std::size_t input_end = 0;
  std::string output;
  std::array<char, kRecordBytes> plain{};
};

Scratch& ThreadScratch() {
  thread_local const auto scratch = std::make_unique<Scratch>();
  return *scratch;
}

int EngineSlot() {
  static const int slot = SSL_get_ex_new_index(0, nullptr, nullptr, nullptr, nullptr);
  return slot;
}

constexpr Fault kResetFault{.side = FaultSide::kInternal, .code = FaultCode::kReset, .detail = 0};
constexpr Fault kClosedFault{.side = FaultSide::kInternal, .code = FaultCode::kClosed, .detail = 0};

}  // namespace

/// The BIO whose two ends are the engine's.
struct EngineBio {
  static int Read(BIO* bio, char* into, int size) {
    BIO_clear_retry_flags(bio);
    const int count = static_cast<Engine*>(BIO_get_data(bio))->OnBioRead(into, size);
    if (count < 0) {
      BIO_set_retry_read(bio);
    }
    return count;
  }
  static int Write(BIO* bio, const char* from, int size) {
    BIO_clear_retry_flags(bio);
    return static_cast<Engine*>(BIO_get_data(bio))->OnBioWrite(from, size);
  }
  static long Control(BIO* /*bio*/, int command, long /*number*/, void* /*pointer*/) {
    return command == BIO_CTRL_FLUSH || command == BIO_CTRL_PUSH || command == BIO_CTRL_POP ? 1 : 0;
  }
  static BIO_METHOD* Method() {
    static BIO_METHOD* const method = [] {
      BIO_METHOD* made = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "elb");
      BIO_meth_set_read(made, &Read);
      BIO_meth_set_write(made, &Write);
      BIO_meth_set_ctrl(made, &Control);
      return made;
    }();
    return method;
  }
};

Engine::Engine(std::unique_ptr<net::Stream> lower) : lower_(std::move(lower)) {}

Engine::~Engine() = default;

void Engine::Attach(SslPtr ssl) {
  ssl_ = std::move(ssl);
  BIO* bio = BIO_new(EngineBio::Method());
  ELB_ASSERT(bio != nullptr);
  BIO_set_data(bio, this);
  BIO_set_init(bio, 1);
  SSL_set_bio(ssl_.get(), bio, bio);
  SSL_set_ex_data(ssl_.get(), EngineSlot(), this);
  SSL_set_info_callback(ssl_.get(), &OnInfo);
}

void Engine::OnInfo(const SSL* ssl, int where, int value) {
  if ((where & SSL_CB_ALERT) != 0 && (value & 0xff) != SSL_AD_CLOSE_NOTIFY) {
    static_cast<Engine*>(SSL_get_ex_data(ssl, EngineSlot()))->alert_ = value & 0xff;
  }
}

int Engine::OnBioRead(char* into, int size) {
  const auto wanted = static_cast<std::size_t>(size);
  if (unused_at_ < unused_.size()) {
    const std::size_t count = std::min(wanted, unused_.size() - unused_at_);
    std::memcpy(into, unused_.data() + unused_at_, count);
    unused_at_ += count;
    return static_cast<int>(count);
  }
  Scratch& scratch = ThreadScratch();
  if (scratch.input_begin == scratch.input_end) {
    if (lower_waits_) {
      return -1;
    }
    const net::ReadResult read = lower_->TryRead(scratch.input);
    if (read.kind == net::ReadResult::Kind::kWouldBlock) {
      lower_waits_ = true;
      return -1;
    }
    if (read.kind != net::ReadResult::Kind::kData) {
      lower_end_ = read.kind;
      read_fault_ = read.fault;
      return 0;
    }
    scratch.input_begin = 0;
    scratch.input_end = read.bytes;
  }
  const std::size_t count = std::min(wanted, scratch.input_end - scratch.input_begin);
  std::memcpy(into, scratch.input.data() + scratch.input_begin, count);
  scratch.input_begin += count;
  return static_cast<int>(count);
}

int Engine::OnBioWrite(const char* from, int size) {
  Scratch& scratch = ThreadScratch();
  scratch.output.append(from, static_cast<std::size_t>(size));
  if (scratch.output.size() > kOutputBytesMax) {
    FlushOutput();
  }
  return size;
}

/// Ciphertext left in the thread's buffer moves to this engine before the call ends.
void Engine::KeepUnused() {
  lower_waits_ = false;
  if (unused_at_ == unused_.size()) {
    unused_at_ = 0;
    if (!unused_.empty()) {
      unused_ = std::string();
    }
  }
  Scratch& scratch = ThreadScratch();
  if (scratch.input_begin < scratch.input_end) {
    unused_.append(reinterpret_cast<const char*>(scratch.input.data()) + scratch.input_begin,
                   scratch.input_end - scratch.input_begin);
  }
  scratch.input_begin = scratch.input_end = 0;
}

bool Engine::FlushOutput() {
  std::string& output = ThreadScratch().output;
  if (output.empty()) {
    return true;
  }
  const Outcome<void> written = lower_->Write(std::string_view(output));
  output.clear();
  if (!written) {
    write_fault_ = written.error();
    return false;
  }
  return true;
}

int Engine::PeekFirstByte(Fault& fault) {
  if (unused_.empty()) {
    Scratch& scratch = ThreadScratch();
    const net::ReadResult read = lower_->TryRead(scratch.input);
    if (read.kind == net::ReadResult::Kind::kEnd || read.kind == net::ReadResult::Kind::kFault) {
      fault = read.kind == net::ReadResult::Kind::kEnd ? kClosedFault : read.fault;
      return -1;
    }
    unused_.assign(reinterpret_cast<const char*>(scratch.input.data()), read.bytes);
  }
  return unused_.empty() ? -1 : static_cast<unsigned char>(unused_.front());
}

Fault Engine::FaultOf(int result) {
  const int error = SSL_get_error(ssl_.get(), result);
  ERR_clear_error();
  if (alert_ >= 0 && error == SSL_ERROR_SSL) {
    return {.side = FaultSide::kInternal,
            .code = FaultCode::kTls,
            .detail = static_cast<std::int16_t>(alert_)};
  }
  if (lower_end_ == net::ReadResult::Kind::kFault) {
    return read_fault_;
  }
  if (lower_end_ == net::ReadResult::Kind::kEnd) {
    return kResetFault;  // FIN without close_notify.
  }
  return {.side = FaultSide::kInternal, .code = FaultCode::kTls, .detail = -1};
}

Outcome<bool> Engine::Handshake() {
  ERR_clear_error();
  const int result = SSL_do_handshake(ssl_.get());
  const int error = result == 1 ? SSL_ERROR_NONE : SSL_get_error(ssl_.get(), result);
  KeepUnused();
  const bool flushed = FlushOutput();
  if (error == SSL_ERROR_NONE) {
    return true;
  }
  if (error == SSL_ERROR_WANT_READ && lower_end_ == net::ReadResult::Kind::kData) {
    return flushed ? Outcome<bool>(false) : std::unexpected(write_fault_);
  }
  return std::unexpected(FaultOf(result));
}

net::ReadResult Engine::Read(std::span<std::byte> into) {
  ERR_clear_error();
  std::size_t total = 0;
  int error = SSL_ERROR_NONE;
  int result = 1;
  while (total < into.size()) {
    std::size_t count = 0;
    result = SSL_read_ex(ssl_.get(), into.data() + total, into.size() - total, &count);
    if (result != 1) {
      error = SSL_get_error(ssl_.get(), result);
      break;
    }
    total += count;
  }
  KeepUnused();
  static_cast<void>(FlushOutput());  // Alerts, key updates; a fault shows at the next write.
  if (total > 0) {
    ERR_clear_error();
    return {.kind = net::ReadResult::Kind::kData, .bytes = total, .fault = {}};
  }
  if (error == SSL_ERROR_WANT_READ && lower_end_ == net::ReadResult::Kind::kData) {
    return {};
  }
  if (error == SSL_ERROR_ZERO_RETURN) {
    return {.kind = net::ReadResult::Kind::kEnd, .bytes = 0, .fault = {}};
  }
  return {.kind = net::ReadResult::Kind::kFault, .bytes = 0, .fault = FaultOf(result)};
}

bool Engine::WritePlain(std::string_view plain) {
  while (!plain.empty()) {
    std::size_t count = 0;
    if (SSL_write_ex(ssl_.get(), plain.data(), plain.size(), &count) != 1) {
      return false;
    }
    plain.remove_prefix(count);
  }
  return true;
}

/// Small pieces share a record; the long rest is encrypted from where it lies.
Outcome<void> Engine::Write(std::span<const std::string_view> pieces) {
  ERR_clear_error();
  std::array<char, kRecordBytes>& plain = ThreadScratch().plain;
  std::size_t gathered = 0;
  bool good = true;
  for (std::string_view piece : pieces) {
    while (good && !piece.empty()) {
      if (gathered == 0 && piece.size() >= plain.size()) {
        const std::size_t whole = piece.size() - piece.size() % plain.size();
        good = WritePlain(piece.substr(0, whole));
        piece.remove_prefix(whole);
        continue;
      }
      const std::size_t count = std::min(piece.size(), plain.size() - gathered);
      std::memcpy(plain.data() + gathered, piece.data(), count);
      gathered += count;
      piece.remove_prefix(count);
      if (gathered == plain.size()) {
        good = WritePlain({plain.data(), gathered});
        gathered = 0;
      }
    }
  }
  good = good && (gathered == 0 || WritePlain({plain.data(), gathered}));
  const bool flushed = FlushOutput();
  if (!good) {
    ERR_clear_error();
    return std::unexpected(kResetFault);
  }
  return flushed && write_fault_.code == FaultCode::kNone ? Outcome<void>()
                                                          : std::unexpected(write_fault_);
}

void Engine::CloseWrite() {
  if (ssl_ != nullptr && SSL_is_init_finished(ssl_.get()) == 1) {
    ERR_clear_error();
    static_cast<void>(SSL_shutdown(ssl_.get()));
    ERR_clear_error();
    KeepUnused();
    static_cast<void>(FlushOutput());
  }
  lower_->CloseWrite();
}

bool Engine::Quiet() {
  if (SSL_pending(ssl_.get()) > 0 || unused_at_ < unused_.size()) {
    return false;
  }
  if (lower_->Quiet()) {
    return true;
  }
  if (lower_->peer_gone()) {
    return false;
  }
  std::byte unused{};
  std::size_t count = 0;
  ERR_clear_error();
  const int result = SSL_peek_ex(ssl_.get(), &unused, 1, &count);
  const int error = result == 1 ? SSL_ERROR_NONE : SSL_get_error(ssl_.get(), result);
  ERR_clear_error();
  KeepUnused();
  static_cast<void>(FlushOutput());
  return error == SSL_ERROR_WANT_READ && unused_.empty() && lower_->Quiet();
}

}  // namespace elb::tls
