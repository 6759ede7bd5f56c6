#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "server/http2_session.h"
#include "server/testing/connection_rig.h"
#include "server/testing/http2_client.h"

namespace elb::server::testing {

/// An HTTP/2 session without TLS below it, and its client.
class Http2Rig : public ConnectionRig {
 public:
  explicit Http2Rig(bool auto_window = true) : client(auto_window) {}
  ~Http2Rig() { Close(); }
  Http2Rig(const Http2Rig&) = delete;
  Http2Rig& operator=(const Http2Rig&) = delete;
  Http2Rig(Http2Rig&&) = delete;
  Http2Rig& operator=(Http2Rig&&) = delete;

  /// Starts the session without any byte of the client.
  void Listen() {
    stream_ = std::make_unique<WireStream>(wire);
    signal_ = std::make_unique<net::Signal>(reactor);
    stream_->SetSignal(signal_.get());
    scope = std::make_unique<net::TaskScope>(reactor);
    scope->Spawn(RunSession(this));
    Settle();
  }
  /// And exchanges the SETTINGS.
  void Start() {
    Listen();
    Exchange();
  }
  /// Carries bytes both ways until there are none.
  void Exchange() {
    while (true) {
      const std::string up = client.Output();
      if (!up.empty()) {
        Send(up);
      }
      const std::string down = Received();
      if (!down.empty()) {
        client.Feed(down);
      } else if (up.empty()) {
        return;
      }
    }
  }
  void Pass(std::chrono::milliseconds time) {
    Advance(time);
    Exchange();
  }
  void Close() {
    scope.reset();
    signal_.reset();
    stream_.reset();
  }
  void RequestCancel() { signal_->Cancel(); }
  void Cancel() {
    RequestCancel();
    Settle();
  }
  void WakeSession() {
    signal_->Notify();
    Settle();
  }

  Http2Client client;
  std::optional<bool> orderly;  ///< What `Run` returned.

 private:
  static net::Task<void> RunSession(Http2Rig* rig) {
    Http2Session session(*rig->stream_, rig->facts_, rig->handler, rig->policy, *rig->signal_);
    rig->orderly = co_await session.Run();
  }
  ConnectionFacts facts_;
  std::unique_ptr<WireStream> stream_;
  std::unique_ptr<net::Signal> signal_;
};

/// Fields of a request.
inline FieldPairs Get(std::string_view path = "/", FieldPairs more = {}) {
  FieldPairs fields{
      {":method", "GET"}, {":scheme", "https"}, {":path", std::string(path)}, {":authority", "a"}};
  fields.insert(fields.end(), more.begin(), more.end());
  return fields;
}
inline FieldPairs Post(std::string_view path = "/", FieldPairs more = {}) {
  FieldPairs fields = Get(path, std::move(more));
  fields[0].second = "POST";
  return fields;
}

/// A frame as raw bytes.
inline std::string Frame(std::uint8_t type, std::uint8_t flags, std::int32_t id,
                         std::string_view payload) {
  std::string frame;
  for (const int shift : {16, 8, 0}) {
    frame.push_back(static_cast<char>(payload.size() >> shift));
  }
  frame.push_back(static_cast<char>(type));
  frame.push_back(static_cast<char>(flags));
  for (const int shift : {24, 16, 8, 0}) {
    frame.push_back(static_cast<char>(id >> shift));
  }
  return frame.append(payload);
}

/// A header block of literals that touch no table (RFC 7541 section 6.2.2).
inline std::string Literals(const FieldPairs& fields) {
  std::string block;
  const auto text = [&block](const std::string& value) {
    block.push_back(static_cast<char>(value.size()));  // Up to 126 bytes.
    block += value;
  };
  for (const auto& [name, value] : fields) {
    block.push_back('\0');
    text(name);
    text(value);
  }
  return block;
}

inline constexpr std::string_view kPreface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

}  // namespace elb::server::testing
