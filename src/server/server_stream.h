#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>

#include "base/fault.h"
#include "base/ip.h"
#include "http/message.h"
#include "net/signal.h"
#include "net/stream.h"
#include "net/task.h"
#include "tls/server_stream.h"

namespace elb::server {

/// Facts of a client connection that its requests share.
struct ConnectionFacts {
  Endpoint client;                   ///< Whom the peer speaks for; else the peer.
  tls::ServerStream* tls = nullptr;  ///< Null on cleartext connections.
  net::Stream* stream = nullptr;

  [[nodiscard]] Endpoint peer() const { return stream->peer(); }
  [[nodiscard]] Endpoint local() const { return stream->local(); }
};

/// What `ServerStream::TryReadBody` found.
struct BodyRead {
  enum class Kind : std::uint8_t {
    kData,        ///< `data` is content; valid until the next suspension or stream operation.
    kWouldBlock,  ///< Nothing now; the signal will be notified.
    kEnd,         ///< The body is complete.
    kRefused,     ///< Bad framing or too large: `status` and `reason` are what to answer.
    kGone,        ///< The client went away before the body was complete.
  };
  Kind kind = Kind::kWouldBlock;
  std::string_view data;
  int status = 0;
  std::string_view reason;  ///< Token of data-plane.md 12.2.
};

/// Whether a write completes the message.
enum class BodyEnd : std::uint8_t { kMore, kLast };

/// A response head to send. `fields` are the end-to-end fields; framing and connection fields are
/// the stream's own business and must not be among them.
struct ResponseOut {
  int status = 200;
  std::string_view reason;  ///< Empty: the standard phrase.
  std::span<const http::Field> fields;
  /// Declared length of the content; nullopt: unknown, the stream chooses the framing. For an
  /// answer to HEAD and for 304 it is what GET would have had.
  std::optional<std::uint64_t> content_length;
  bool close = false;  ///< Close the connection afterwards (HTTP/1), whatever else says.
};

/// One request and its answer, HTTP/1 or HTTP/2 alike, as a `Handler` sees it. One thread; lives
/// until the handler's task ends. Nothing here suspends: operations try, `signal()` tells of news
/// (body bytes, output drained, client gone), the handler waits on it.
class ServerStream {
 public:
  ServerStream() = default;
  virtual ~ServerStream() = default;
  ServerStream(const ServerStream&) = delete;
  ServerStream& operator=(const ServerStream&) = delete;
  ServerStream(ServerStream&&) = delete;
  ServerStream& operator=(ServerStream&&) = delete;

  [[nodiscard]] virtual const http::RequestHead& request() const = 0;
  [[nodiscard]] virtual const ConnectionFacts& connection() const = 0;
  /// When the first byte of this request was read.
  [[nodiscard]] virtual MonotonicTime started() const = 0;
  /// The signal this exchange waits on; upstream streams may be attached to it as well.
  [[nodiscard]] virtual net::Signal& signal() = 0;

  /// The next piece of request content, at most `limit` bytes. Bytes that are not asked for stay
  /// with the client: that is the back-pressure.
  [[nodiscard]] virtual BodyRead TryReadBody(std::size_t limit) = 0;
  [[nodiscard]] virtual bool body_complete() const = 0;
  /// Trailers of a complete chunked or HTTP/2 body.
  [[nodiscard]] virtual const http::FieldList& request_trailers() const = 0;
  /// Request bytes received so far, head and framing included.
  [[nodiscard]] virtual std::uint64_t bytes_received() const = 0;

  /// Sends an informational response (100, 103) at once; dropped for HTTP/1.0.
  virtual void SendInformational(int status, std::span<const http::Field> fields) = 0;
  /// Sends the head of the final response with the first bytes of content. Once.
  virtual void SendHead(const ResponseOut& head, std::string_view content, BodyEnd end) = 0;
  /// Sends more content. `content` may be empty with kLast.
  virtual void SendContent(std::string_view content, BodyEnd end) = 0;
  /// Ends the message with trailers, instead of kLast.
  virtual void SendTrailers(std::span<const http::Field> fields) = 0;
  /// The message cannot be completed: HTTP/1 closes without completing it, HTTP/2 resets the
  /// stream, both behind what was written.
  virtual void Cut() = 0;
  /// As `Cut`, because the client sends nothing any more (data-plane.md 5.2): HTTP/2 says CANCEL.
  virtual void CutSilent() = 0;
  /// Because the client takes nothing any more (data-plane.md 5.2): at once, HTTP/1 resets the
  /// connection and what it did not take, HTTP/2 the stream with CANCEL.
  virtual void CutStalled() = 0;
  /// Response bytes not yet taken by the socket (HTTP/2: by flow control).
  [[nodiscard]] virtual std::size_t pending_output() const = 0;
  /// Content that the protocol's flow control lets go now, `pending_output` included.
  [[nodiscard]] virtual std::size_t output_window() const { return SIZE_MAX; }
  /// Response bytes handed over so far, head included / content only.
  [[nodiscard]] virtual std::uint64_t bytes_sent() const = 0;
  [[nodiscard]] virtual std::uint64_t content_bytes_sent() const = 0;
  /// The client left: RST, FIN, TLS close, RST_STREAM, or a write stall that ended it.
  [[nodiscard]] virtual bool client_gone() const = 0;

  /// After a 101: the raw byte stream of an HTTP/1 connection, and what was already read behind the
  /// request head. The connection ends when the handler's task does. Null for HTTP/2.
  [[nodiscard]] virtual net::Stream* TakeOver(std::string_view& already_read) = 0;
};

/// Why a request was refused before a handler saw it.
struct RefusedRequest {
  int status = 0;
  std::string_view reason;  ///< Token of data-plane.md 12.2.
  std::string_view bytes;   ///< At most the first 256 bytes received.
  std::uint64_t bytes_sent = 0;
};

/// Serves the requests of connections. One per listener and worker (or one for the API): calls come
/// on that thread. Virtual functions, since `std::function` may not return a task.
class Handler {
 public:
  Handler() = default;
  virtual ~Handler() = default;
  Handler(const Handler&) = delete;
  Handler& operator=(const Handler&) = delete;
  Handler(Handler&&) = delete;
  Handler& operator=(Handler&&) = delete;

  /// Answers one request completely: when the task ends, a final response was sent or the stream
  /// was cut. Request content that was not read is the connection's business.
  [[nodiscard]] virtual net::Task<void> Serve(ServerStream& stream) = 0;
  /// A request was refused with `refused.status` by the connection itself (400, 408, 414, ...).
  virtual void OnRefused(const ConnectionFacts& connection, const RefusedRequest& refused) = 0;
  /// A connection ended before its TLS handshake was complete.
  virtual void OnHandshakeFailed(const ConnectionFacts& connection, const Fault& fault) = 0;
};

}  // namespace elb::server
