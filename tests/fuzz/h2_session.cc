/// HTTP/2 clients: any frames, in any pieces, and silence afterwards. The session has to end, to
/// give handlers only requests that follow RFC 9113 section 8, and to send well-formed frames.

#include <algorithm>
#include <array>
#include <chrono>
#include <cstring>
#include <string>

#include "base/clock.h"
#include "check.h"
#include "cuts.h"
#include "net/reactor.h"
#include "net/signal.h"
#include "net/stream.h"
#include "net/task_scope.h"
#include "server/http2_session.h"

namespace elb::fuzz {
namespace {

constexpr std::string_view kPreface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
constexpr std::string_view kEmptySettings{"\0\0\0\4\0\0\0\0\0", 9};
/// More turns without an end are a loop.
constexpr int kTurnsMax = 100'000;

/// The client's end of the wire: bytes in pieces, then nothing, then an end.
class ScriptedStream final : public net::Stream {
 public:
  ScriptedStream(std::string input, Cuts cuts) : input_(std::move(input)), cuts_(cuts) {}

  void Arrive() {
    if (arrived_ < input_.size()) {
      arrived_ += cuts_.Next(input_.size() - arrived_);
    }
    Notify();
  }
  void End() {
    ended_ = true;
    Notify();
  }
  [[nodiscard]] bool all_arrived() const { return arrived_ == input_.size(); }
  [[nodiscard]] const std::string& output() const { return output_; }

  void SetSignal(net::Signal* signal) override { signal_ = signal; }
  [[nodiscard]] Outcome<bool> TryEstablish() override { return true; }
  [[nodiscard]] net::ReadResult TryRead(std::span<std::byte> into) override {
    const std::size_t count = std::min(into.size(), arrived_ - read_);
    if (count == 0) {
      return {.kind = ended_ ? net::ReadResult::Kind::kEnd : net::ReadResult::Kind::kWouldBlock,
              .bytes = 0,
              .fault = {}};
    }
    std::memcpy(into.data(), input_.data() + read_, count);
    read_ += count;
    return {.kind = net::ReadResult::Kind::kData, .bytes = count, .fault = {}};
  }
  using net::Stream::Write;
  [[nodiscard]] Outcome<void> Write(std::span<const std::string_view> pieces) override {
    for (const std::string_view piece : pieces) {
      output_ += piece;
    }
    return {};
  }
  [[nodiscard]] std::size_t pending() const override { return 0; }
  void CloseWrite() override {}
  void Abort() override { ended_ = true; }
  [[nodiscard]] bool peer_gone() const override { return ended_; }
  [[nodiscard]] bool broken() const override { return false; }
  [[nodiscard]] bool Quiet() override { return false; }
  [[nodiscard]] Endpoint local() const override { return {}; }
  [[nodiscard]] Endpoint peer() const override { return {}; }

 private:
  void Notify() {
    if (signal_ != nullptr) {
      signal_->Notify();
    }
  }

  std::string input_;
  Cuts cuts_;
  std::string output_;
  net::Signal* signal_ = nullptr;
  std::size_t arrived_ = 0;
  std::size_t read_ = 0;
  bool ended_ = false;
};

/// Reads the request's content, answers with it.
class EchoHandler final : public server::Handler {
 public:
  [[nodiscard]] net::Task<void> Serve(server::ServerStream& stream) override {
    CheckHead(stream.request());
    std::string content;
    while (true) {
      const server::BodyRead read = stream.TryReadBody(4096);
      if (read.kind == server::BodyRead::Kind::kData) {
        Require(!read.data.empty() && read.data.size() <= 4096,
                "content comes as it was asked for");
        content += read.data;
        continue;
      }
      if (read.kind == server::BodyRead::Kind::kEnd) {
        Require(stream.body_complete(), "an end is an end");
        break;
      }
      if (read.kind != server::BodyRead::Kind::kWouldBlock || stream.client_gone()) {
        stream.Cut();
        co_return;
      }
      if (co_await stream.signal().Wait() == net::Wake::kCancelled) {
        co_return;
      }
    }
    const http::RequestHead& head = stream.request();
    Require(head.framing != http::Framing::kLength || head.content_length == content.size(),
            "complete content has the length that was declared");
    for (const http::Field& trailer : stream.request_trailers()) {
      Require(!trailer.name.starts_with(':'), "trailers hold no pseudo fields", trailer.name);
    }
    stream.SendHead({.status = 200, .reason = {}, .fields = {}, .content_length = content.size()},
                    content, server::BodyEnd::kLast);
  }
  void OnRefused(const server::ConnectionFacts& /*connection*/,
                 const server::RefusedRequest& refused) override {
    Require(refused.status >= 400 && !refused.reason.empty(), "a refusal has a reason");
  }
  void OnHandshakeFailed(const server::ConnectionFacts& /*connection*/,
                         const Fault& /*fault*/) override {}

 private:
  static void CheckHead(const http::RequestHead& head) {
    Require(
        head.target.starts_with('/') || head.target == "*" || head.method == http::Method::kConnect,
        "the target has origin-form", head.target);
    Require(!head.method_text.empty(), "there is a method");
    for (const char letter : head.target) {
      Require(static_cast<unsigned char>(letter) > 0x20 && letter != 0x7F, "a target is one word",
              head.target);
    }
    for (const http::Field& field : head.fields) {
      Require(!field.name.empty() && !field.name.starts_with(':'), "names are names", field.name);
      Require(std::ranges::none_of(field.name,
                                   [](char letter) { return letter >= 'A' && letter <= 'Z'; }),
              "names have lower case", field.name);
      Require(field.value.find_first_of(std::string_view("\r\n\0", 3)) == std::string_view::npos,
              "values hold no line ends", field.value);
    }
  }
};

class Policy final : public server::ConnectionPolicy {
 public:
  [[nodiscard]] std::chrono::seconds keepalive_timeout() const override {
    return std::chrono::seconds{60};
  }
  [[nodiscard]] std::chrono::seconds client_timeout() const override {
    return std::chrono::seconds{60};
  }
  [[nodiscard]] std::uint64_t request_body_bytes_max() const override { return 10'000; }
  [[nodiscard]] bool retiring() const override { return false; }
  [[nodiscard]] const http::h1::Limits& limits() const override { return limits_; }

 private:
  http::h1::Limits limits_;
};

net::Task<void> Serve(server::Http2Session* session, bool* ended) {
  static_cast<void>(co_await session->Run());
  *ended = true;
}

void OutputIsWellFormed(std::string_view output) {
  while (!output.empty()) {
    Require(output.size() >= 9, "frames have whole headers");
    const auto byte = [&](std::size_t at) {
      return static_cast<std::size_t>(static_cast<unsigned char>(output[at]));
    };
    const std::size_t length = (byte(0) << 16U) | (byte(1) << 8U) | byte(2);
    Require(byte(3) <= 9, "frames are of RFC 9113");
    Require(output.size() >= 9 + length, "frames are whole");
    output.remove_prefix(9 + length);
  }
}

void RunSession(std::string input, Cuts cuts) {
  ManualClock clock;
  net::Reactor reactor(clock);
  net::Signal signal(reactor);
  ScriptedStream stream(std::move(input), cuts);
  stream.SetSignal(&signal);
  const server::ConnectionFacts facts;
  EchoHandler handler;
  const Policy policy;
  bool ended = false;
  server::Http2Session session(stream, facts, handler, policy, signal);
  net::TaskScope scope(reactor);
  scope.Spawn(Serve(&session, &ended));
  int turns = 0;
  const auto settle = [&] {
    while (reactor.RunTurn()) {
      Require(++turns < kTurnsMax, "a session at rest rests");
    }
  };
  settle();
  while (!ended && !stream.all_arrived()) {
    stream.Arrive();
    settle();
  }
  // Half of the clients fall silent, the others close.
  for (int round = 0; !ended && round < 4; ++round) {
    if (turns % 2 == 0 || round > 1) {
      stream.End();
    }
    clock.Advance(std::chrono::seconds{61});
    settle();
  }
  Require(ended, "a session ends after its client");
  OutputIsWellFormed(stream.output());
}

}  // namespace
}  // namespace elb::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 1) {
    return 0;
  }
  // The first byte chooses the pieces; an input need not start with what every connection has.
  static constexpr std::array<std::size_t, 4> kPieces = {SIZE_MAX, 1, 9, 100};
  std::string input(elb::fuzz::kPreface);
  input += elb::fuzz::kEmptySettings;
  input += elb::fuzz::Text(data + 1, size - 1);
  elb::fuzz::RunSession(std::move(input), elb::fuzz::Cuts(size, kPieces[data[0] % kPieces.size()]));
  return 0;
}
