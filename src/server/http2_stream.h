#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "net/signal.h"
#include "server/byte_queue.h"
#include "server/connection_policy.h"
#include "server/http2_field_rules.h"
#include "server/server_stream.h"

namespace elb::server {

class Http2Session;

/// One request and its answer on an HTTP/2 connection (RFC 9113 section 8). One thread. Lives until
/// its handler's task has ended and the session has closed the stream.
class Http2Stream final : public ServerStream {
 public:
  Http2Stream(Http2Session& session, std::int32_t id, net::Reactor& reactor);

  // What the session tells.
  /// One field of the request's header block.
  void AddField(std::string_view name, std::string_view value, const http::h1::Limits& limits);
  void AddTrailer(std::string_view name, std::string_view value, const http::h1::Limits& limits);
  /// The header block is complete; `end` when no content follows. Decides about `refusal`.
  void CompleteHead(BodyEnd end, const http::h1::Limits& limits);
  void AddContent(std::string_view content);
  /// Content was received, whether or not somebody will read it.
  void CountContent(std::size_t bytes);
  /// END_STREAM was received, behind all content and trailers.
  void CompleteBody();
  /// The stream is closed, by either side.
  void OnClosed();
  /// Copies the next response content into `into`; `end` when that was the last of it.
  [[nodiscard]] std::size_t TakeOutput(std::span<char> into, bool& end);
  [[nodiscard]] bool has_output() const { return !output_.empty() || output_ended_; }
  /// The content that was written has been taken, and no more will come: time for the reset.
  [[nodiscard]] bool is_cut() const { return cut_code_ != 0 && output_.empty(); }
  [[nodiscard]] std::uint32_t cut_code() const { return cut_code_; }
  /// END_STREAM was handed to the socket.
  void OnEndSent() { end_sent_ = true; }
  /// Forgets content that nobody will read; returns how much it was.
  [[nodiscard]] std::size_t DropInput();

  [[nodiscard]] std::int32_t id() const { return id_; }
  /// Why no handler may see the request.
  [[nodiscard]] http::h1::Refusal refusal() const { return refusal_; }
  /// The request breaks RFC 9113 section 8: the stream is to be reset.
  [[nodiscard]] bool is_malformed() const { return malformed_; }
  [[nodiscard]] bool closed() const { return closed_; }
  [[nodiscard]] bool end_received() const { return end_received_; }
  [[nodiscard]] bool end_sent() const { return end_sent_; }
  /// When response content was last taken, or began to wait.
  [[nodiscard]] MonotonicTime output_progress() const { return output_progress_; }
  /// Fields that follow the response content.
  [[nodiscard]] const std::vector<std::pair<std::string, std::string>>& response_trailers() const {
    return response_trailers_;
  }

  // ServerStream
  [[nodiscard]] const http::RequestHead& request() const override { return head_; }
  [[nodiscard]] const ConnectionFacts& connection() const override;
  [[nodiscard]] MonotonicTime started() const override { return started_; }
  [[nodiscard]] net::Signal& signal() override { return signal_; }
  [[nodiscard]] BodyRead TryReadBody(std::size_t limit) override;
  [[nodiscard]] bool body_complete() const override;
  [[nodiscard]] const http::FieldList& request_trailers() const override { return trailers_; }
  [[nodiscard]] std::uint64_t bytes_received() const override { return bytes_received_; }
  void SendInformational(int status, std::span<const http::Field> fields) override;
  void SendHead(const ResponseOut& head, std::string_view content, BodyEnd end) override;
  void SendContent(std::string_view content, BodyEnd end) override;
  void SendTrailers(std::span<const http::Field> fields) override;
  void Cut() override;
  void CutSilent() override;
  void CutStalled() override;
  [[nodiscard]] std::size_t pending_output() const override { return output_.size(); }
  [[nodiscard]] std::size_t output_window() const override;
  [[nodiscard]] std::uint64_t bytes_sent() const override { return bytes_sent_; }
  [[nodiscard]] std::uint64_t content_bytes_sent() const override { return content_bytes_sent_; }
  [[nodiscard]] bool client_gone() const override { return closed_ && !output_taken_; }
  [[nodiscard]] net::Stream* TakeOver(std::string_view& already_read) override;

 private:
  void CutWith(std::uint32_t error_code);
  void ResetWith(std::uint32_t error_code);
  /// A field whose text lies in `text_` at these places; views are made when the block is complete.
  struct FieldPlace {
    std::size_t name = 0;
    std::size_t name_size = 0;
    std::size_t value = 0;
    std::size_t value_size = 0;
  };
  [[nodiscard]] static FieldPlace Place(std::string& text, std::string_view name,
                                        std::string_view value);
  [[nodiscard]] std::string_view Text(std::size_t at, std::size_t size) const {
    return std::string_view(text_).substr(at, size);
  }
  [[nodiscard]] bool ReadPseudoFields();
  [[nodiscard]] bool ReadTarget(std::string_view path);
  void ReadFields(BodyEnd end);
  void Append(std::string_view content);

  Http2Session* session_;
  std::int32_t id_;
  net::Signal signal_;
  MonotonicTime started_;
  Http2FieldRules rules_;
  http::RequestHead head_;
  http::FieldList trailers_;
  std::string text_;  ///< Names and values of the header block.
  std::string trailer_text_;
  std::string cookies_;  ///< Crumbs joined (RFC 9113 section 8.2.3).
  std::vector<FieldPlace> places_;
  std::vector<FieldPlace> trailer_places_;
  std::vector<std::pair<std::string, std::string>> response_trailers_;
  ByteQueue input_;   ///< Content received and not taken.
  ByteQueue output_;  ///< Content to send.
  MonotonicTime output_progress_;
  std::uint64_t bytes_received_ = 0;
  std::uint64_t content_received_ = 0;
  std::uint64_t bytes_sent_ = 0;
  std::uint64_t content_bytes_sent_ = 0;
  std::uint32_t cut_code_ = 0;  ///< To be reset with it once what was written is out; 0: no.
  http::h1::Refusal refusal_ = http::h1::Refusal::kNone;
  bool malformed_ = false;
  bool end_received_ = false;
  bool trailers_too_large_ = false;
  bool output_ended_ = false;
  bool output_taken_ = false;  ///< The end of the response was handed to the session.
  bool end_sent_ = false;
  bool content_follows_ = false;  ///< The session pulls content behind the head.
  bool no_body_ = false;
  bool closed_ = false;
};

}  // namespace elb::server
