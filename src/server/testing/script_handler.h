#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "net/task.h"
#include "server/server_stream.h"

namespace elb::server::testing {

enum class Step : std::uint8_t { kWait, kDone };

/// Answers 200 with `content`, all at once.
inline void AnswerWith(ServerStream& stream, std::string_view content, int status = 200) {
  stream.SendHead({.status = status,
                   .reason = {},
                   .fields = {},
                   .content_length = content.size(),
                   .close = false},
                  content, BodyEnd::kLast);
}

/// A handler whose answers are scripts: functions that run at the start and at each wake until they
/// say that they are done. Without a script for its path a request's content is read whole, and the
/// answer shows what was received. Everything that happened is kept as text.
class ScriptHandler final : public Handler {
 public:
  using Script = std::function<Step(ServerStream&)>;

  void On(std::string path, Script script) { scripts_[std::move(path)] = std::move(script); }

  [[nodiscard]] net::Task<void> Serve(ServerStream& stream) override {
    const Presence presence(*this);
    const http::RequestHead& head = stream.request();
    served.emplace_back(std::string(head.method_text) + " " + std::string(head.target));
    const auto found = scripts_.find(std::string(head.path));
    std::string body;
    while (true) {
      const Step step =
          found != scripts_.end() ? found->second(stream) : ReadThenAnswer(stream, body);
      if (step == Step::kDone) {
        break;
      }
      wakes.push_back(co_await stream.signal().Wait());
      if (wakes.back() == net::Wake::kCancelled) {
        stream.Cut();
        break;
      }
    }
    ended.push_back(served.back());
  }

  void OnRefused(const ConnectionFacts& /*connection*/, const RefusedRequest& refusal) override {
    refused.emplace_back(std::to_string(refusal.status) + " " + std::string(refusal.reason));
    refused_bytes = std::string(refusal.bytes);
    refused_bytes_sent = refusal.bytes_sent;
  }
  void OnHandshakeFailed(const ConnectionFacts& /*connection*/, const Fault& fault) override {
    handshake_faults.push_back(fault);
  }

  std::vector<std::string> served;   ///< "METHOD target" of each request, as they began.
  std::vector<std::string> ended;    ///< One for each handler that ran to its end.
  std::vector<std::string> refused;  ///< "status reason"
  std::vector<BodyRead> body_ends;   ///< What ended the reading of each body.
  std::vector<std::string> trailers;
  std::vector<Fault> handshake_faults;
  std::vector<net::Wake> wakes;
  std::string refused_bytes;
  std::uint64_t refused_bytes_sent = 0;
  std::size_t read_limit = 64 * 1024;
  int present = 0;  ///< Handlers whose frames exist.

 private:
  class Presence {
   public:
    explicit Presence(ScriptHandler& owner) : owner_(&owner) { ++owner_->present; }
    ~Presence() { --owner_->present; }
    Presence(const Presence&) = delete;
    Presence& operator=(const Presence&) = delete;
    Presence(Presence&&) = delete;
    Presence& operator=(Presence&&) = delete;

   private:
    ScriptHandler* owner_;
  };

  Step ReadThenAnswer(ServerStream& stream, std::string& body) {
    while (true) {
      const BodyRead read = stream.TryReadBody(read_limit);
      switch (read.kind) {
        case BodyRead::Kind::kData:
          body += read.data;
          continue;
        case BodyRead::Kind::kWouldBlock:
          if (stream.client_gone()) {
            stream.Cut();
            return Step::kDone;
          }
          return Step::kWait;
        case BodyRead::Kind::kGone:
          body_ends.push_back(read);
          stream.Cut();
          return Step::kDone;
        case BodyRead::Kind::kRefused:
          body_ends.push_back(read);
          AnswerWith(stream, read.reason, read.status);
          return Step::kDone;
        case BodyRead::Kind::kEnd:
          body_ends.push_back(read);
          for (const http::Field& field : stream.request_trailers()) {
            trailers.emplace_back(std::string(field.name) + ": " + std::string(field.value));
          }
          AnswerWith(stream, "<" + body + ">");
          return Step::kDone;
      }
    }
  }

  std::map<std::string, Script> scripts_;
};

}  // namespace elb::server::testing
