#include "net/prefixed_stream.h"

#include <gtest/gtest.h>

#include <array>
#include <string>

#include "base/clock.h"
#include "net/reactor.h"
#include "net/signal.h"
#include "net/testing/collect.h"
#include "net/testing/memory_stream.h"

namespace elb::net {
namespace {

class PrefixedStreamTest : public ::testing::Test {
 protected:
  std::unique_ptr<Stream> Make() {
    return PutBack("abc", std::make_unique<testing::MemoryStream>(end_));
  }
  static std::string Read(Stream& stream, std::size_t most) {
    std::array<std::byte, 16> space{};
    const ReadResult read = stream.TryRead(std::span(space).first(most));
    return {reinterpret_cast<const char*>(space.data()), read.bytes};
  }

  testing::MemoryEnd end_;
};

TEST_F(PrefixedStreamTest, GivesThePrefixFirstAndThenWhatTheStreamHas) {
  const auto stream = Make();
  end_.inbound = "def";

  EXPECT_EQ(Read(*stream, 2), "ab");
  EXPECT_EQ(Read(*stream, 16), "c");
  EXPECT_EQ(Read(*stream, 16), "def");
  EXPECT_EQ(Read(*stream, 16), "");
}

TEST_F(PrefixedStreamTest, GivesThePrefixBeforeTheEnd) {
  const auto stream = Make();
  end_.Finish();
  std::string text;

  EXPECT_EQ(testing::ReadOnto(text, *stream).kind, ReadResult::Kind::kEnd);
  EXPECT_EQ(text, "abc");
}

TEST_F(PrefixedStreamTest, TellsThatThereIsSomethingToRead) {
  const ManualClock clock;
  Reactor reactor(clock);
  Signal signal(reactor);
  const auto stream = Make();

  EXPECT_FALSE(stream->Quiet());
  stream->SetSignal(&signal);
  EXPECT_TRUE(signal.Wait().await_ready());
  EXPECT_EQ(Read(*stream, 16), "abc");
  EXPECT_TRUE(stream->Quiet());
  stream->SetSignal(nullptr);
}

TEST_F(PrefixedStreamTest, LeavesEverythingElseToTheStream) {
  const auto stream = Make();
  end_.peer.port = 4711;
  end_.pending = 5;

  EXPECT_TRUE(stream->Write("out").has_value());
  EXPECT_EQ(end_.outbound, "out");
  EXPECT_EQ(stream->peer().port, 4711);
  EXPECT_EQ(stream->local().port, 443);
  EXPECT_EQ(stream->pending(), 5U);
  EXPECT_EQ(stream->RoundTripMicros(), 77U);
  EXPECT_FALSE(stream->peer_gone());
  stream->CloseWrite();
  EXPECT_TRUE(end_.write_closed);
  stream->Abort();
  EXPECT_TRUE(end_.aborted);
}

}  // namespace
}  // namespace elb::net
