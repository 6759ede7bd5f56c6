#include "tls/channel.h"

#include <openssl/err.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include "base/assert.h"
#include "net/signal.h"

namespace elb::tls {
namespace {

constexpr std::size_t kRecordBytes = SSL3_RT_MAX_PLAIN_LENGTH;
constexpr std::size_t kInputBytes = 128 * 1024;
/// A relay step of 256 KiB as full records, with a handshake's last flight before it.
constexpr std::size_t kOutputBytes = (256 + 16) * 1024;
/// Headers, tags and padding of the records of one read.
constexpr std::size_t kOverheadBytes = 1024;

/// Steps of the protocol machine (2 to 4 per message) that a peer may cause without sending any
/// application data: key updates, tickets.
constexpr std::uint16_t kIdleStepsMax = 256;
/// The first renegotiation is answered by a warning, the second ends the connection.
constexpr std::uint8_t kRefusalsMax = 2;

/// What the channels of a thread share during calls.
// NOLINTNEXTLINE(cppcoreguidelines-pro-type-member-init): written before it is read.
struct Scratch {
  std::array<std::byte, kInputBytes> input;
  std::array<char, kOutputBytes> output;
  std::array<char, kRecordBytes> gather;
  std::size_t output_size = 0;
  bool in_use = false;
};

Scratch& ThreadScratch() {
  thread_local const auto scratch = std::make_unique_for_overwrite<Scratch>();
  return *scratch;
}

std::string_view OutputOf(const Scratch& scratch) {
  return {scratch.output.data(), scratch.output_size};
}

/// What is kept of the end of a stream: nothing is wrong with an orderly one.
Fault FaultOfEnd(const net::ReadResult& end) {
  return end.kind == net::ReadResult::Kind::kFault ? end.fault : Fault{};
}

/// What a reader is told of an end.
net::ReadResult EndOf(const Fault& end) {
  using Kind = net::ReadResult::Kind;
  return {
      .kind = end.code == FaultCode::kNone ? Kind::kEnd : Kind::kFault, .bytes = 0, .fault = end};
}

}  // namespace

/// Holds the thread's scratch while OpenSSL works; sends and keeps what is left afterwards.
class Channel::Call {
 public:
  explicit Call(Channel& channel) : channel_(&channel) {
    Scratch& scratch = ThreadScratch();
    ELB_ASSERT(!scratch.in_use);
    scratch.in_use = true;
    scratch.output_size = 0;
    ERR_clear_error();
  }
  ~Call() {
    channel_->Flush();
    if (channel_->end_ || channel_->failure_) {
      channel_->input_.Clear();  // Nobody will read on.
    }
    channel_->input_.Keep();
    ThreadScratch().in_use = false;
  }
  Call(const Call&) = delete;
  Call& operator=(const Call&) = delete;
  Call(Call&&) = delete;
  Call& operator=(Call&&) = delete;

 private:
  Channel* channel_;
};

Channel::Channel(std::unique_ptr<net::Stream> lower, FaultSide side)
    : lower_(std::move(lower)), side_(side) {}

Channel::~Channel() {
  if (ssl_ != nullptr) {
    // Otherwise SSL_free locks the shared context to drop a session that it never stored.
    SSL_set_shutdown(ssl_.get(), SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
  }
}

void Channel::Prepare(SSL_CTX& context) {
  SSL_CTX_set_mode(&context, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_NO_AUTO_CHAIN);
  SSL_CTX_set_info_callback(&context, &Channel::OnInfo);
  SSL_CTX_set_session_cache_mode(&context, SSL_SESS_CACHE_OFF);
}

std::unique_ptr<net::Stream> Channel::ReleaseLower() {
  if (lower_ != nullptr) {
    lower_->SetSignal(nullptr);
  }
  return std::move(lower_);
}

Outcome<bool> Channel::Receive() {
  const net::ReadResult read = input_.Append(*lower_);
  switch (read.kind) {
    case net::ReadResult::Kind::kData:
      return true;
    case net::ReadResult::Kind::kWouldBlock:
      input_.Keep();
      return false;
    case net::ReadResult::Kind::kEnd:
    case net::ReadResult::Kind::kFault:
      break;
  }
  input_.Keep();
  lower_end_ = FaultOfEnd(read);
  failure_ = EndFault();
  return std::unexpected(*failure_);
}

void Channel::Attach(SslPointer ssl) {
  ssl_ = std::move(ssl);
  BIO* bio = BIO_new(Method());
  BIO_set_data(bio, this);
  BIO_set_init(bio, 1);
  SSL_set_bio(ssl_.get(), bio, bio);
  handshake_bytes_ = input_.bytes().size();
}

Outcome<bool> Channel::Handshake() {
  if (failure_) {
    return std::unexpected(*failure_);
  }
  const Call call(*this);
  room_ = 0;
  const int result = SSL_do_handshake(ssl_.get());
  Flush();
  if (result == 1) {
    if (write_fault_) {
      return Refuse(write_fault_->code, write_fault_->detail);
    }
    established_ = true;
    idle_steps_ = 0;
    return true;
  }
  if (SSL_get_error(ssl_.get(), result) != SSL_ERROR_WANT_READ) {
    fatal_ = true;
    return Refuse(FaultCode::kTls, alert_);
  }
  if (lower_end_) {
    const Fault fault = EndFault();
    return Refuse(fault.code, fault.detail);
  }
  if (handshake_bytes_ > kHandshakeBytesMax) {
    return Refuse(FaultCode::kTooLarge, 0);
  }
  return false;
}

std::unexpected<Fault> Channel::RefuseWithAlert(std::uint8_t alert) {
  const std::array<char, 7> record{SSL3_RT_ALERT,           3, 1, 0, 2, SSL3_AL_FATAL,
                                   static_cast<char>(alert)};
  const std::string_view piece(record.data(), record.size());
  static_cast<void>(lower_->Write(piece));  // The connection ends anyway.
  return Refuse(FaultCode::kTls, alert);
}

void Channel::SetSignal(net::Signal* signal) {
  signal_ = signal;
  lower_->SetSignal(signal);
  const bool has_news = !input_.empty() || end_ || (established_ && SSL_pending(ssl_.get()) > 0);
  if (signal != nullptr && has_news) {
    signal->Notify();
  }
}

net::ReadResult Channel::Read(std::span<std::byte> into) {
  ELB_ASSERT(established_);
  if (end_) {
    return EndOf(*end_);
  }
  const Call call(*this);
  std::size_t done = 0;
  while (done < into.size()) {
    room_ = into.size() - done;
    if (input_.empty() && SSL_pending(ssl_.get()) == 0 && !Refill()) {
      if (lower_end_) {
        end_ = EndFault();
      }
      break;
    }
    std::size_t count = 0;
    const int result = SSL_read_ex(ssl_.get(), into.data() + done, room_, &count);
    if (result != 1) {
      if (AfterRead(result) == Step::kAgain) {
        continue;
      }
      break;
    }
    done += count;
    idle_steps_ = 0;
  }
  if (done == 0) {
    return end_ ? EndOf(*end_) : net::ReadResult{};
  }
  if (end_ && signal_ != nullptr) {
    signal_->Notify();  // The lower stream told its end already; this one's is still to be told.
  }
  return {.kind = net::ReadResult::Kind::kData, .bytes = done, .fault = {}};
}

/// Judges a read without plaintext. kAgain: there may be more to try.
Channel::Step Channel::AfterRead(int result) {
  const int error = SSL_get_error(ssl_.get(), result);
  if (error == SSL_ERROR_WANT_READ && !Abused()) {
    return !lower_end_ && input_.empty() ? Step::kDone : Step::kAgain;
  }
  if (error == SSL_ERROR_ZERO_RETURN) {
    end_ = Fault{};
    return Step::kEnded;
  }
  fatal_ = true;
  end_ = TlsFault();
  ERR_clear_error();
  return Step::kEnded;
}

Outcome<void> Channel::Write(std::span<const std::string_view> pieces) {
  ELB_ASSERT(established_);
  if (!write_fault_ && (fatal_ || closing_)) {
    write_fault_ = fatal_ ? TlsFault() : Fault{.side = side_, .code = FaultCode::kClosed};
  }
  if (write_fault_) {
    return std::unexpected(*write_fault_);
  }
  const Call call(*this);
  if (!EncryptAll(pieces)) {
    fatal_ = true;
    write_fault_ = TlsFault();
  }
  Flush();
  if (write_fault_) {
    return std::unexpected(*write_fault_);
  }
  return {};
}

/// Small pieces share records; long ones are encrypted where they lie.
bool Channel::EncryptAll(std::span<const std::string_view> pieces) {
  std::array<char, kRecordBytes>& gather = ThreadScratch().gather;
  std::size_t gathered = 0;
  for (std::size_t i = 0; i < pieces.size(); ++i) {
    std::string_view piece = pieces[i];
    if (gathered == 0 && i + 1 == pieces.size()) {
      return Encrypt(piece);
    }
    if (gathered > 0) {
      const std::size_t count = std::min(piece.size(), kRecordBytes - gathered);
      std::memcpy(gather.data() + gathered, piece.data(), count);
      gathered += count;
      piece.remove_prefix(count);
      if (gathered < kRecordBytes) {
        continue;
      }
      if (!Encrypt({gather.data(), gathered})) {
        return false;
      }
    }
    const std::size_t whole = piece.size() - piece.size() % kRecordBytes;
    if (!Encrypt(piece.substr(0, whole))) {
      return false;
    }
    gathered = piece.size() - whole;
    std::memcpy(gather.data(), piece.data() + whole, gathered);
  }
  return Encrypt({gather.data(), gathered});
}

bool Channel::Encrypt(std::string_view plain) {
  std::size_t written = 0;
  return plain.empty() || SSL_write_ex(ssl_.get(), plain.data(), plain.size(), &written) == 1;
}

void Channel::CloseWrite() {
  if (std::exchange(closing_, true)) {
    return;
  }
  if (established_ && !fatal_) {
    const Call call(*this);
    SSL_shutdown(ssl_.get());
    ERR_clear_error();
  }
  lower_->CloseWrite();
}

void Channel::Abort() {
  fatal_ = true;
  lower_->Abort();
}

bool Channel::Quiet() {
  if (!established_ || fatal_ || peer_gone() || SSL_pending(ssl_.get()) > 0) {
    return false;
  }
  if (input_.empty() && lower_->Quiet()) {
    return true;
  }
  // Something came. It may be a ticket or a key update, which OpenSSL takes in here.
  const Call call(*this);
  room_ = 1;
  while (true) {
    char unused = 0;
    std::size_t count = 0;
    const int result = SSL_peek_ex(ssl_.get(), &unused, 1, &count);
    if (result == 1) {
      return false;
    }
    if (lower_end_ || AfterRead(result) != Step::kAgain) {
      return !lower_end_ && !end_;
    }
  }
}

std::unexpected<Fault> Channel::Refuse(FaultCode code, std::int16_t detail) {
  failure_ = Fault{.side = side_, .code = code, .detail = detail};
  ERR_clear_error();
  return std::unexpected(*failure_);
}

/// What the end of the lower stream means here: an orderly end is a cut once there is TLS.
Fault Channel::EndFault() const {
  // NOLINTNEXTLINE(bugprone-unchecked-optional-access): asked only once the lower stream ended.
  const Fault& end = *lower_end_;
  if (end.code != FaultCode::kNone) {
    return {.side = side_, .code = end.code, .detail = end.detail};
  }
  return {.side = side_, .code = established_ ? FaultCode::kReset : FaultCode::kClosed};
}

Fault Channel::TlsFault() const {
  return {.side = side_,
          .code = Abused() ? FaultCode::kProtocol : FaultCode::kTls,
          .detail = Abused() ? std::int16_t{0} : alert_};
}

bool Channel::Abused() const {
  return refusals_ >= kRefusalsMax || (established_ && idle_steps_ > kIdleStepsMax);
}

/// Takes ciphertext for OpenSSL; 0: nothing now.
std::size_t Channel::Pull(std::span<std::byte> into) {
  if (input_.empty() && !Refill()) {
    return 0;
  }
  const std::size_t count = std::min(into.size(), input_.bytes().size());
  std::memcpy(into.data(), input_.bytes().data(), count);
  input_.Consume(count);
  return count;
}

/// Reads the lower stream once. The limit makes what this call cannot take fit into one block.
bool Channel::Refill() {
  if (lower_end_ || (!established_ && handshake_bytes_ > kHandshakeBytesMax)) {
    return false;
  }
  const std::size_t limit = std::min(std::max(room_, kRecordBytes) + kOverheadBytes, kInputBytes);
  const net::ReadResult read = input_.Fill(*lower_, std::span(ThreadScratch().input).first(limit));
  using Kind = net::ReadResult::Kind;
  if (read.kind == Kind::kEnd || read.kind == Kind::kFault) {
    lower_end_ = FaultOfEnd(read);
  }
  if (!established_) {
    handshake_bytes_ += read.bytes;
  }
  return read.kind == Kind::kData;
}

/// Collects ciphertext from OpenSSL.
void Channel::Push(std::string_view bytes) {
  Scratch& scratch = ThreadScratch();
  if (bytes.size() > kOutputBytes - scratch.output_size) {
    Flush();
  }
  std::memcpy(scratch.output.data() + scratch.output_size, bytes.data(), bytes.size());
  scratch.output_size += bytes.size();
}

void Channel::Flush() {
  Scratch& scratch = ThreadScratch();
  if (scratch.output_size == 0) {
    return;
  }
  const std::string_view output = OutputOf(scratch);
  scratch.output_size = 0;
  if (write_fault_) {
    return;
  }
  if (const Outcome<void> written = lower_->Write(output); !written) {
    write_fault_ =
        Fault{.side = side_, .code = written.error().code, .detail = written.error().detail};
  }
}

BIO_METHOD* Channel::Method() {
  static BIO_METHOD* const method = [] {
    BIO_METHOD* made = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "stream");
    BIO_meth_set_read_ex(made, &Channel::ReadBio);
    BIO_meth_set_write_ex(made, &Channel::WriteBio);
    BIO_meth_set_ctrl(made, &Channel::ControlBio);
    return made;
  }();
  return method;
}

int Channel::ReadBio(BIO* bio, char* into, std::size_t size, std::size_t* count) {
  auto* channel = static_cast<Channel*>(BIO_get_data(bio));
  BIO_clear_retry_flags(bio);
  if (channel->Abused()) {
    return -1;
  }
  *count = channel->Pull(std::as_writable_bytes(std::span(into, size)));
  if (*count == 0) {
    BIO_set_retry_read(bio);
    return -1;
  }
  return 1;
}

int Channel::WriteBio(BIO* bio, const char* from, std::size_t size, std::size_t* count) {
  static_cast<Channel*>(BIO_get_data(bio))->Push({from, size});
  BIO_clear_retry_flags(bio);
  *count = size;
  return 1;
}

long Channel::ControlBio(BIO* /*bio*/, int command, long /*number*/, void* /*pointer*/) {
  return command == BIO_CTRL_FLUSH ? 1 : 0;
}

Channel& Channel::Of(const SSL* ssl) {
  return *static_cast<Channel*>(BIO_get_data(SSL_get_rbio(ssl)));
}

/// Counts what a peer makes us do, and remembers the alert that ended the connection.
void Channel::OnInfo(const SSL* ssl, int where, int value) {
  Channel* channel = &Of(ssl);
  if ((where & SSL_CB_ALERT) != 0) {
    const int alert = value & 0xff;
    if (value >> 8 == SSL3_AL_FATAL) {
      channel->alert_ = static_cast<std::int16_t>(alert);
    } else if (alert == SSL_AD_NO_RENEGOTIATION && (where & SSL_CB_WRITE) != 0) {
      ++channel->refusals_;
    }
  } else if ((where & SSL_CB_LOOP) != 0 && channel->established_) {
    channel->idle_steps_ = std::min<std::uint16_t>(channel->idle_steps_ + 1, kIdleStepsMax + 1);
  }
}

}  // namespace elb::tls
