#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include <absl/container/flat_hash_map.h>

#include "net/signal.h"
#include "net/stream.h"
#include "net/task.h"
#include "net/task_scope.h"
#include "server/abuse_guard.h"
#include "server/connection_policy.h"
#include "server/http2_stream.h"
#include "server/server_stream.h"

struct nghttp2_session;

namespace elb::server {

/// Serves one HTTP/2 client connection (RFC 9113, data-plane.md 4.4): framing and HPACK by nghttp2,
/// message rules, limits and abuse guards here. One coroutine reads and writes; each stream's
/// handler runs as a task of its own. Runs on the connection's thread; everything referenced
/// outlives it.
class Http2Session {
 public:
  Http2Session(net::Stream& stream, const ConnectionFacts& facts, Handler& handler,
               const ConnectionPolicy& policy, net::Signal& signal);
  ~Http2Session();
  Http2Session(const Http2Session&) = delete;
  Http2Session& operator=(const Http2Session&) = delete;
  Http2Session(Http2Session&&) = delete;
  Http2Session& operator=(Http2Session&&) = delete;

  /// Serves until the connection is to be closed. True: orderly.
  [[nodiscard]] net::Task<bool> Run();

  // For streams.
  [[nodiscard]] const ConnectionFacts& facts() const { return *facts_; }
  [[nodiscard]] const ConnectionPolicy& policy() const { return *policy_; }
  [[nodiscard]] net::Reactor& reactor() const { return signal_->reactor(); }
  void SubmitInformational(const Http2Stream& stream, int status,
                           std::span<const http::Field> fields);
  void SubmitHead(Http2Stream& stream, const ResponseOut& head, bool has_content);
  void SubmitTrailers(const Http2Stream& stream);
  void ResumeContent(const Http2Stream& stream);
  /// Content that both windows let go for this stream.
  [[nodiscard]] std::size_t WindowOf(const Http2Stream& stream) const;
  void Reset(const Http2Stream& stream, std::uint32_t error_code);
  /// Received content was taken by the handler: the windows open again.
  void Consume(const Http2Stream& stream, std::size_t bytes);
  /// The handler of the stream has ended.
  [[nodiscard]] bool IsServed(std::int32_t id) const;

 private:
  friend struct Http2Callbacks;
  struct SessionDeleter {
    void operator()(nghttp2_session* session) const;
  };
  /// What the session waits for at most until `at`.
  enum class DeadlineKind : std::uint8_t {
    kNone,
    kEnd,     ///< A first or next request, or the rest of a header block.
    kSocket,  ///< The socket takes output.
    kStream,  ///< The client opens the window of an answer whose handler has ended.
    kRetire,  ///< Clients have heard that the session retires.
  };
  struct Deadline {
    MonotonicTime at = MonotonicTime::max();
    DeadlineKind kind = DeadlineKind::kNone;
  };
  struct Entry {
    std::unique_ptr<Http2Stream> stream;
    bool started = false;  ///< Handed to the handler, or refused.
    bool served = false;   ///< Nobody will use it any more.
  };

  [[nodiscard]] net::Task<bool> Pump();
  [[nodiscard]] bool Receive();
  [[nodiscard]] bool Flush();
  [[nodiscard]] bool WriteFrames();
  [[nodiscard]] bool IsOver() const;
  void ServeNewStreams();
  [[nodiscard]] static net::Task<void> ServeStream(Http2Session* session, Http2Stream* stream);
  void RefuseStream(Http2Stream& stream);
  void OnServed(Http2Stream& stream);
  void OnEndSent(Http2Stream& stream);
  void OnStreamClosed(Http2Stream& stream);
  void AskForNoMore(const Http2Stream& stream);
  void ForgetFinished();
  [[nodiscard]] Deadline NextDeadline() const;
  [[nodiscard]] bool OnDeadline();
  void CancelStalledStreams();
  void Retire();
  void GoAway(std::uint32_t error_code);
  void Fail(std::uint32_t error_code);
  void StopAbuse();

  net::Stream* stream_;
  const ConnectionFacts* facts_;
  Handler* handler_;
  const ConnectionPolicy* policy_;
  net::Signal* signal_;
  std::unique_ptr<nghttp2_session, SessionDeleter> session_;
  absl::flat_hash_map<std::int32_t, Entry> streams_;
  std::vector<std::int32_t> ready_;     ///< Streams whose head is complete, to be served.
  std::vector<std::int32_t> finished_;  ///< Streams to look at after a callback.
  AbuseGuard guard_;
  MonotonicTime idle_since_;
  MonotonicTime head_since_ = MonotonicTime::max();  ///< A header block is being received,
  std::int32_t head_stream_ = 0;                     ///< on this stream.
  std::size_t head_block_bytes_ = 0;
  MonotonicTime write_progress_;
  MonotonicTime retire_since_ = MonotonicTime::max();
  std::size_t last_pending_ = 0;
  std::size_t draining_ = 0;  ///< Streams served and not closed.
  bool first_request_ = true;
  bool going_away_ = false;  ///< The last GOAWAY was submitted.
  bool shutdown_ = false;    ///< Nothing is read any more.
  net::TaskScope scope_;     // Last: its tasks use everything above.
};

}  // namespace elb::server
