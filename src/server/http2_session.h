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
  void SubmitTrailers(const Http2Stream& stream, std::span<const http::Field> fields);
  void ResumeContent(const Http2Stream& stream);
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
  [[nodiscard]] bool Finished() const;
  [[nodiscard]] bool OnWake(net::Wake wake);
  [[nodiscard]] bool Receive();
  [[nodiscard]] bool Flush();
  void ServeNewStreams();
  [[nodiscard]] static net::Task<void> ServeStream(Http2Session* session, Http2Stream* stream);
  void RefuseStream(Http2Stream& stream, int status, std::string_view reason);
  void OnServed(Http2Stream& stream);
  void RemoveIfDone(std::int32_t id);
  [[nodiscard]] MonotonicTime NextDeadline() const;
  void GoAway(std::uint32_t error_code);
  [[nodiscard]] bool Abused();

  struct Entry {
    std::unique_ptr<Http2Stream> stream;
    bool served = false;
  };

  net::Stream* stream_;
  const ConnectionFacts* facts_;
  Handler* handler_;
  const ConnectionPolicy* policy_;
  net::Signal* signal_;
  std::unique_ptr<nghttp2_session, SessionDeleter> session_;
  absl::flat_hash_map<std::int32_t, Entry> streams_;
  std::vector<std::int32_t> ready_;     ///< Streams whose head is complete, to be served.
  std::vector<std::int32_t> refused_;   ///< Streams whose head is malformed: 400.
  std::vector<std::int32_t> finished_;  ///< Streams to look at after a callback.
  AbuseGuard guard_;
  MonotonicTime idle_since_;
  MonotonicTime head_since_ = MonotonicTime::max();  ///< A header block is being received.
  MonotonicTime write_progress_;
  std::size_t last_pending_ = 0;
  bool first_request_ = true;
  bool going_away_ = false;
  bool shutdown_ = false;
  net::TaskScope scope_;  // Last: its tasks use everything above.
};

}  // namespace elb::server
