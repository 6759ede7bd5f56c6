// What every store promises about the change feed and those who watch it.

#include <gtest/gtest.h>

#include <future>
#include <thread>

#include "base/mutex.h"
#include "store/testing/store_test_base.h"

namespace elb::store {
namespace {

using testing::Describe;
using testing::MakeDocument;
using testing::PutAll;

ELB_ON_EVERY_STORE(FeedTest);

TEST_P(FeedTest, TellsWhatEachTransactionDid) {
  ASSERT_TRUE(Write("1", "a"));
  ASSERT_TRUE(store().Transact([](Transaction& transaction) -> Result<void> {
    ELB_ASSIGN_OR_RETURN(const std::uint64_t revision, transaction.NextRevision("p"));
    ELB_RETURN_IF_ERROR(transaction.Put(MakeDocument("listener", "2", "b", revision)));
    ELB_RETURN_IF_ERROR(transaction.Put(MakeDocument("listener", "1", "c", revision)));
    return transaction.Put(MakeDocument("listener", "2", "d", revision));
  }));
  ASSERT_TRUE(Remove("1"));

  EXPECT_EQ(FeedBehind(0),
            "1 p r1 create listener/1, 2 p r2 create listener/2, 2 p r2 update listener/1, "
            "3 p r3 delete listener/1");
  EXPECT_EQ(FeedBehind(2), "3 p r3 delete listener/1");
  EXPECT_EQ(FeedBehind(3), "");
  EXPECT_EQ(Ask([](Reader& reader) { return reader.LastChange(); }), 3);
}

TEST_P(FeedTest, TellsNothingOfWhatCameAndWentInOneTransaction) {
  ASSERT_TRUE(store().Transact([](Transaction& transaction) -> Result<bool> {
    ELB_RETURN_IF_ERROR(transaction.Put(MakeDocument("listener", "1", "a")));
    return transaction.Delete({.project = "p", .kind = "listener", .id = "1"});
  }));

  EXPECT_EQ(FeedBehind(0), "");
  EXPECT_EQ(Ask([](Reader& reader) { return reader.LastChange(); }), 0);
}

TEST_P(FeedTest, TakesDeletionAndReturnForAnUpdate) {
  ASSERT_TRUE(PutAll(store(), {MakeDocument("listener", "1", "a")}));
  ASSERT_TRUE(store().Transact([](Transaction& transaction) -> Result<void> {
    ELB_RETURN_IF_ERROR(transaction.Delete({.project = "p", .kind = "listener", .id = "1"}));
    return transaction.Put(MakeDocument("listener", "1", "b"));
  }));

  EXPECT_EQ(FeedBehind(1), "2 p r0 update listener/1");
}

TEST_P(FeedTest, GivesWholeTransactionsUpToTheLimit) {
  ASSERT_TRUE(
      PutAll(store(), {MakeDocument("listener", "1", ""), MakeDocument("listener", "2", "")}));
  ASSERT_TRUE(PutAll(store(), {MakeDocument("listener", "3", "")}));
  ASSERT_TRUE(PutAll(store(), {MakeDocument("listener", "4", "")}));

  EXPECT_EQ(FeedBehind(0, 0), "1 p r0 create listener/1, 1 p r0 create listener/2");
  EXPECT_EQ(FeedBehind(0, 1), "1 p r0 create listener/1, 1 p r0 create listener/2");
  EXPECT_EQ(FeedBehind(0, 3),
            "1 p r0 create listener/1, 1 p r0 create listener/2, 2 p r0 create listener/3");
}

TEST_P(FeedTest, SaysWhenItNoLongerReachesBack) {
  KeepFeed(2);
  for (const char* id : {"1", "2", "3", "4"}) {
    ASSERT_TRUE(PutAll(store(), {MakeDocument("listener", id, "")}));
  }

  EXPECT_EQ(FeedBehind(1), "changes behind 1 are no longer kept");
  EXPECT_EQ(FeedBehind(2), "3 p r0 create listener/3, 4 p r0 create listener/4");
  EXPECT_EQ(Ask([](Reader& reader) { return reader.ChangesSince(0, 1); }).error().kind,
            ErrorKind::kNotFound);
  EXPECT_EQ(store().Watch(0, [](std::span<const Change> /*unused*/) {}).error().kind,
            ErrorKind::kNotFound);
}

ELB_ON_EVERY_STORE(WatchTest);

TEST_P(WatchTest, TellsWhatWasMadeBeforeAndWhatIsMadeLater) {
  ASSERT_TRUE(PutAll(store(), {MakeDocument("listener", "1", "")}));
  ASSERT_TRUE(PutAll(store(), {MakeDocument("listener", "2", "")}));
  std::string seen;
  const auto watch =
      store().Watch(1, [&](std::span<const Change> changes) { seen += Describe(changes) + ";"; });

  EXPECT_EQ(seen, "2 p r0 create listener/2;");
  ASSERT_TRUE(PutAll(store(), {MakeDocument("listener", "3", "")}));
  EXPECT_EQ(seen, "2 p r0 create listener/2;3 p r0 create listener/3;");
}

TEST_P(WatchTest, TellsNothingOfFailedTransactions) {
  int calls = 0;
  const auto watch = store().Watch(0, [&](std::span<const Change> /*unused*/) { ++calls; });
  EXPECT_FALSE(store().Transact([](Transaction& transaction) -> Result<void> {
    ELB_RETURN_IF_ERROR(transaction.Put(MakeDocument("listener", "1", "")));
    return Conflict("", "no");
  }));

  EXPECT_EQ(calls, 0);
}

TEST_P(WatchTest, EndsWithItsSubscription) {
  int calls = 0;
  auto watch = store().Watch(0, [&](std::span<const Change> /*unused*/) { ++calls; });
  watch->reset();
  ASSERT_TRUE(PutAll(store(), {MakeDocument("listener", "1", "")}));

  EXPECT_EQ(calls, 0);
}

TEST_P(WatchTest, LetsTheCallbackReadAndWrite) {
  std::string seen;
  const auto watch = store().Watch(0, [&](std::span<const Change> changes) {
    seen += Describe(changes) + " with " + ListText("listener") + ";";
    if (changes.front().sequence == 1) {
      EXPECT_TRUE(PutAll(store(), {MakeDocument("listener", "2", "b")}));
    }
  });
  ASSERT_TRUE(PutAll(store(), {MakeDocument("listener", "1", "a")}));

  EXPECT_EQ(seen,
            "1 p r0 create listener/1 with listener/1=a;"
            "2 p r0 create listener/2 with listener/1=a listener/2=b;");
}

TEST_P(WatchTest, CanEndFromInsideItsCallback) {
  int calls = 0;
  std::unique_ptr<Subscription> watch;
  watch = *store().Watch(0, [&](std::span<const Change> /*unused*/) {
    ++calls;
    watch.reset();
  });
  ASSERT_TRUE(PutAll(store(), {MakeDocument("listener", "1", "")}));
  ASSERT_TRUE(PutAll(store(), {MakeDocument("listener", "2", "")}));

  EXPECT_EQ(calls, 1);
}

TEST_P(WatchTest, EndsOnlyWhenNoCallRuns) {
  std::promise<void> entered;
  std::promise<void> leave;
  std::atomic<bool> running = false;
  auto watch = store().Watch(0, [&](std::span<const Change> /*unused*/) {
    running = true;
    entered.set_value();
    leave.get_future().wait();
    running = false;
  });
  std::thread writer([&] { EXPECT_TRUE(PutAll(store(), {MakeDocument("listener", "1", "")})); });
  entered.get_future().wait();
  std::thread releaser([&] { leave.set_value(); });
  watch->reset();

  EXPECT_FALSE(running);
  writer.join();
  releaser.join();
}

TEST_P(WatchTest, KeepsTheOrderOfManyWriters) {
  Mutex mutex;
  std::vector<std::uint64_t> sequences;
  auto watch = store().Watch(0, [&](std::span<const Change> changes) {
    const MutexLock lock(mutex);
    for (const Change& change : changes) {
      sequences.push_back(change.sequence);
    }
  });
  std::vector<std::thread> writers;
  for (int writer = 0; writer < 4; ++writer) {
    writers.emplace_back([&, writer] {
      for (int number = 0; number < 10; ++number) {
        const std::string id = std::to_string(writer) + "-" + std::to_string(number);
        EXPECT_TRUE(PutAll(store(), {MakeDocument("listener", id, "")}));
      }
    });
  }
  for (std::thread& writer : writers) {
    writer.join();
  }
  watch->reset();

  ASSERT_EQ(sequences.size(), 40);
  for (std::size_t index = 0; index < sequences.size(); ++index) {
    EXPECT_EQ(sequences[index], index + 1);
  }
}

}  // namespace
}  // namespace elb::store
