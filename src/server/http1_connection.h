#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>

#include "http/h1/body.h"
#include "http/h1/parser.h"
#include "http/h1/serialize.h"
#include "net/signal.h"
#include "net/task.h"
#include "server/connection_policy.h"
#include "server/own_answer.h"
#include "server/receive_buffer.h"
#include "server/server_stream.h"

namespace elb::server {

/// Serves the requests of one HTTP/1.0 or 1.1 client connection, strictly one after the other
/// (RFC 9112, data-plane.md 4 and 5). It is itself the `ServerStream` of the request in progress.
/// Runs on the connection's thread; everything referenced outlives it.
class Http1Connection final : public ServerStream {
 public:
  Http1Connection(net::Stream& stream, const ConnectionFacts& facts, Handler& handler,
                  const ConnectionPolicy& policy, net::Signal& signal);
  ~Http1Connection() override;

  /// Serves until the connection is to be closed. The caller then closes the stream:
  /// orderly after kClose, at once after kDrop.
  enum class End : std::uint8_t { kClose, kDrop };
  [[nodiscard]] net::Task<End> Run();
  /// No byte of a request was received that is not answered.
  [[nodiscard]] bool idle() const { return exchange_ == nullptr; }

  [[nodiscard]] const http::RequestHead& request() const override;
  [[nodiscard]] const ConnectionFacts& connection() const override { return *facts_; }
  [[nodiscard]] MonotonicTime started() const override { return started_; }
  [[nodiscard]] net::Signal& signal() override { return *signal_; }
  [[nodiscard]] BodyRead TryReadBody(std::size_t limit) override;
  [[nodiscard]] bool body_complete() const override;
  [[nodiscard]] const http::FieldList& request_trailers() const override;
  [[nodiscard]] std::uint64_t bytes_received() const override { return bytes_received_; }
  void SendInformational(int status, std::span<const http::Field> fields) override;
  void SendHead(const ResponseOut& head, std::string_view content, BodyEnd end) override;
  void SendContent(std::string_view content, BodyEnd end) override;
  void SendTrailers(std::span<const http::Field> fields) override;
  void Cut() override { cut_ = true; }
  void CutSilent() override { Cut(); }
  void CutStalled() override;
  [[nodiscard]] std::size_t pending_output() const override { return stream_->pending(); }
  [[nodiscard]] std::uint64_t bytes_sent() const override { return bytes_sent_; }
  [[nodiscard]] std::uint64_t content_bytes_sent() const override { return content_bytes_sent_; }
  [[nodiscard]] bool client_gone() const override;
  [[nodiscard]] net::Stream* TakeOver(std::string_view& already_read) override;

 private:
  /// What one request needs beyond its bytes; an idle connection has none.
  struct Exchange;
  enum class Framing : std::uint8_t { kNoBody, kLength, kChunked, kUntilClose };
  enum class HeadRead : std::uint8_t { kComplete, kRefused, kTimeout, kSilent, kGone };

  [[nodiscard]] net::Task<HeadRead> ReadHead();
  [[nodiscard]] HeadRead ParseBuffered();
  [[nodiscard]] bool ReceiveHeadBytes(bool& would_block);
  [[nodiscard]] net::Task<bool> DrainOutput();
  [[nodiscard]] bool AtRequest() const;
  void BeginRequest();
  void FinishRequest();
  void Refuse(int status, std::string_view reason, std::string_view allow);
  void RefuseHead();
  [[nodiscard]] BodyRead DecodeInPlace(std::span<char> input, std::size_t& used);
  [[nodiscard]] bool ReadFresh(std::size_t limit, BodyRead& result);
  [[nodiscard]] Framing ChooseFraming(const ResponseOut& head, BodyEnd end) const;
  [[nodiscard]] std::optional<std::uint64_t> DeclaredLength(const ResponseOut& head,
                                                            std::string_view content) const;
  void AppendConnectionFields(http::h1::HeadWriter& writer, const ResponseOut& head);
  void Send(std::span<const std::string_view> pieces);

  net::Stream* stream_;
  const ConnectionFacts* facts_;
  Handler* handler_;
  const ConnectionPolicy* policy_;
  net::Signal* signal_;
  std::unique_ptr<Exchange> exchange_;
  ReceiveBuffer received_;  ///< Head of the request in progress, then what was read behind it.
  MonotonicTime started_;
  std::uint64_t bytes_received_ = 0;
  std::uint64_t bytes_sent_ = 0;
  std::uint64_t content_bytes_sent_ = 0;
  Framing framing_ = Framing::kNoBody;
  bool first_request_ = true;
  bool close_ = false;
  bool cut_ = false;
  bool head_sent_ = false;
  bool write_failed_ = false;
  bool taken_over_ = false;
};

}  // namespace elb::server
