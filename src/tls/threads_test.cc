// What threads share: contexts, their OpenSSL objects and the ticket keys.

#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "tls/testing/pki.h"
#include "tls/testing/rig.h"

namespace elb::tls {
namespace {

using testing::Pair;

/// A worker's view of a context that others use too.
class Worker final : public ContextSource {
 public:
  explicit Worker(std::shared_ptr<const ServerContext> context) : context_(std::move(context)) {}
  [[nodiscard]] std::shared_ptr<const ServerContext> Current() override { return context_; }

  /// Handshakes, each resuming the one before; true when all but the first resumed.
  bool Run(int rounds) {
    testing::SessionPointer session;
    bool resumed = true;
    for (int i = 0; i < rounds; ++i) {
      testing::WireState wire;
      testing::OpenSslClient client({.session = session.get()});
      const auto server =
          ServerStream::Create(std::make_unique<testing::Wire>(wire), *this, reactor_);
      for (int step = 0; step < 4; ++step) {
        client.Step();
        wire.inbound += client.TakeOutput();
        static_cast<void>(server->TryEstablish());
        client.Feed(wire.TakeOutbound());
        client.Step();
      }
      resumed = resumed && client.resumed() == (i > 0);
      session = client.TakeSession();
    }
    return resumed;
  }

 private:
  std::shared_ptr<const ServerContext> context_;
  SystemClock clock_;
  net::Reactor reactor_{clock_};
};

TEST(ThreadsTest, ShareContextsAndTicketKeys) {
  testing::Listener listener;
  listener.Use(testing::SpecWith(testing::Issue({.common_name = "a"})));
  std::array<std::atomic<bool>, 4> resumed{};
  std::vector<std::thread> threads;
  threads.reserve(resumed.size());
  for (std::atomic<bool>& result : resumed) {
    threads.emplace_back(
        [&result, context = listener.context] { result = Worker(context).Run(25); });
  }
  listener.context = nullptr;
  for (int i = 0; i < 100; ++i) {
    listener.keys.Restore(listener.keys.Keys());
  }
  for (std::thread& thread : threads) {
    thread.join();
  }

  for (const std::atomic<bool>& result : resumed) {
    EXPECT_TRUE(result);
  }
}

}  // namespace
}  // namespace elb::tls
