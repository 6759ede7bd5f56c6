// What every store promises about transactions, reading beside them, and the state area.

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "store/testing/store_test_base.h"

namespace elb::store {
namespace {

using testing::Describe;
using testing::MakeDocument;
using testing::PutAll;

ELB_ON_EVERY_STORE(TransactionsTest);

constexpr Key kFirst{.project = "p", .kind = "listener", .id = "1"};

TEST_P(TransactionsTest, ReturnWhatTheFunctionReturns) {
  const auto value =
      store().Transact([](Transaction& /*unused*/) -> Result<std::string> { return "made"; });
  EXPECT_EQ(value, "made");
}

TEST_P(TransactionsTest, SeeTheirOwnChanges) {
  ASSERT_TRUE(store().Transact([](Transaction& transaction) -> Result<void> {
    ELB_RETURN_IF_ERROR(transaction.Put(MakeDocument("listener", "1", "x"), {{"port", "80"}}));
    EXPECT_EQ(Describe(*transaction.List("p", "listener")), "listener/1=x");
    EXPECT_EQ(Describe(*transaction.FindByIndex("listener", "port", "80")), "listener/1=x");
    EXPECT_EQ(transaction.Count("p", "listener"), 1);
    return {};
  }));
}

TEST_P(TransactionsTest, AreNotSeenBeforeTheyAreCommitted) {
  ASSERT_TRUE(store().Transact([&](Transaction& transaction) -> Result<void> {
    ELB_RETURN_IF_ERROR(transaction.Put(MakeDocument("listener", "1", "x")));
    EXPECT_EQ(ListText("listener"), "");
    return {};
  }));
  EXPECT_EQ(ListText("listener"), "listener/1=x");
}

TEST_P(TransactionsTest, LeaveNothingWhenTheyFail) {
  const auto failed = store().Transact([](Transaction& transaction) -> Result<void> {
    ELB_RETURN_IF_ERROR(transaction.Put(MakeDocument("listener", "1", "x"), {{"port", "80"}}));
    ELB_RETURN_IF_ERROR(transaction.AppendRevision("p", "r"));
    return Conflict("name", "taken");
  });

  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().kind, ErrorKind::kConflict);
  EXPECT_EQ(failed.error().path, "name");
  EXPECT_EQ(ListText("listener"), "");
  EXPECT_EQ(FeedBehind(0), "");
  EXPECT_EQ(Ask([](Reader& reader) { return reader.CountByIndex("listener", "port", "80"); }), 0);
  EXPECT_FALSE(Ask([](Reader& reader) { return reader.GetRevision("p", 1); })->has_value());
}

TEST_P(TransactionsTest, LeaveNothingWhenTheyAreDiscarded) {
  const auto value = store().Transact([](Transaction& transaction) -> Result<int> {
    transaction.Discard();
    ELB_RETURN_IF_ERROR(transaction.Put(MakeDocument("listener", "1", "x", 1)));
    ELB_RETURN_IF_ERROR(transaction.AppendRevision("p", "r"));
    return 7;
  });

  EXPECT_EQ(value, 7);
  EXPECT_EQ(ListText("listener"), "");
  EXPECT_EQ(Revision(), 0);
  EXPECT_EQ(FeedBehind(0), "");
}

TEST_P(TransactionsTest, GoOnAfterAPreconditionThatDidNotHold) {
  ASSERT_TRUE(store().Transact([](Transaction& transaction) -> Result<void> {
    EXPECT_FALSE(transaction.Put(MakeDocument("listener", "1", "x"), {}, 5));
    return transaction.Put(MakeDocument("listener", "2", "y"));
  }));

  EXPECT_EQ(ListText("listener"), "listener/2=y");
  EXPECT_EQ(FeedBehind(0), "1 p r0 create listener/2");
}

TEST_P(TransactionsTest, UndoANestedPartAlone) {
  ASSERT_TRUE(PutAll(store(), {MakeDocument("listener", "1", "a")}));
  ASSERT_TRUE(store().Transact([](Transaction& transaction) -> Result<void> {
    ELB_RETURN_IF_ERROR(transaction.Put(MakeDocument("listener", "2", "b")));
    const auto part = transaction.Nested([&]() -> Result<void> {
      ELB_RETURN_IF_ERROR(transaction.Put(MakeDocument("listener", "3", "c"), {{"n", "v"}}));
      ELB_RETURN_IF_ERROR(transaction.Put(MakeDocument("listener", "2", "b2")));
      ELB_RETURN_IF_ERROR(transaction.Delete(kFirst));
      return Conflict("", "no");
    });
    EXPECT_EQ(part.error().kind, ErrorKind::kConflict);
    EXPECT_EQ(Describe(*transaction.List("p", "listener")), "listener/1=a listener/2=b");
    return {};
  }));

  EXPECT_EQ(ListText("listener"), "listener/1=a listener/2=b");
  EXPECT_EQ(FeedBehind(1), "2 p r0 create listener/2");
}

TEST_P(TransactionsTest, KeepANestedPartThatSucceeds) {
  ASSERT_TRUE(store().Transact([](Transaction& transaction) -> Result<void> {
    const auto part = transaction.Nested([&]() -> Result<int> {
      ELB_RETURN_IF_ERROR(transaction.Put(MakeDocument("listener", "1", "a")));
      return 3;
    });
    EXPECT_EQ(part, 3);
    return {};
  }));

  EXPECT_EQ(ListText("listener"), "listener/1=a");
}

TEST_P(TransactionsTest, NestDeeply) {
  ASSERT_TRUE(store().Transact([](Transaction& transaction) -> Result<void> {
    return transaction.Nested([&]() -> Result<void> {
      ELB_RETURN_IF_ERROR(transaction.Put(MakeDocument("listener", "1", "a")));
      EXPECT_FALSE(transaction.Nested([&]() -> Result<void> {
        ELB_RETURN_IF_ERROR(transaction.Nested(
            [&] { return transaction.Put(MakeDocument("listener", "2", "b")); }));
        return Conflict("", "no");
      }));
      return transaction.Put(MakeDocument("listener", "3", "c"));
    });
  }));

  EXPECT_EQ(ListText("listener"), "listener/1=a listener/3=c");
}

TEST_P(TransactionsTest, WaitForEachOther) {
  constexpr int kThreads = 4;
  constexpr int kEach = 25;
  std::vector<std::thread> writers;
  for (int writer = 0; writer < kThreads; ++writer) {
    writers.emplace_back([&, writer] {
      for (int number = 0; number < kEach; ++number) {
        EXPECT_TRUE(Write(std::to_string(writer) + "-" + std::to_string(number), ""));
      }
    });
  }
  for (std::thread& writer : writers) {
    writer.join();
  }

  EXPECT_EQ(Revision(), 100);
  EXPECT_EQ(Ask([](Reader& reader) { return reader.ListRevisions("p", 1000, 1000); })->size(), 100);
  EXPECT_EQ(Ask([](Reader& reader) { return reader.LastChange(); }), 100);
}

TEST_P(TransactionsTest, AreReadWholeByTwoThreadsWhileOneWrites) {
  ASSERT_TRUE(
      PutAll(store(), {MakeDocument("listener", "1", "0"), MakeDocument("listener", "2", "0")}));
  std::atomic<bool> over = false;
  std::atomic<int> reads = 0;
  const auto read = [&] {
    while (!over || reads < 20) {
      const auto equal = Ask([](Reader& reader) -> Result<bool> {
        ELB_ASSIGN_OR_RETURN(const auto first, reader.Get(kFirst));
        ELB_ASSIGN_OR_RETURN(const auto all, reader.List("p", "listener"));
        return all.size() == 2 && first->json == all[0].json && all[0].json == all[1].json;
      });
      EXPECT_EQ(equal, true);
      ++reads;
    }
  };
  std::thread first(read);
  std::thread second(read);
  for (int number = 1; number <= 50; ++number) {
    const std::string json = std::to_string(number);
    EXPECT_TRUE(PutAll(store(),
                       {MakeDocument("listener", "1", json), MakeDocument("listener", "2", json)}));
  }
  over = true;
  first.join();
  second.join();
}

TEST_P(TransactionsTest, DoNotKeepReadersWaiting) {
  ASSERT_TRUE(store().Transact([&](Transaction& transaction) -> Result<void> {
    ELB_RETURN_IF_ERROR(transaction.Put(MakeDocument("listener", "1", "x")));
    std::thread reader([&] { EXPECT_EQ(ListText("listener"), ""); });
    reader.join();
    return {};
  }));
}

TEST_P(TransactionsTest, DoNotWaitForReaders) {
  ASSERT_TRUE(Ask([&](Reader& reader) -> Result<void> {
    EXPECT_EQ(reader.Count("p", "listener"), 0);
    std::thread writer([&] { EXPECT_TRUE(PutAll(store(), {MakeDocument("listener", "1", "x")})); });
    writer.join();
    EXPECT_EQ(reader.Count("p", "listener"), 0);
    return {};
  }));
  EXPECT_EQ(ListText("listener"), "listener/1=x");
}

ELB_ON_EVERY_STORE(StateAreaTest);

std::string TextOf(const Result<std::vector<StateEntry>>& entries) {
  std::string text;
  for (const StateEntry& entry : *entries) {
    text += entry.key + "=" + entry.value.value_or("?") + ";";
  }
  return text;
}

TEST_P(StateAreaTest, KeepsEntriesByKey) {
  const std::vector<StateEntry> entries{{"b", std::string("x\0y", 3)}, {"a", ""}};
  ASSERT_TRUE(store().PutState("health", entries));

  EXPECT_EQ(TextOf(store().LoadState("health")), std::string("a=;b=x\0y;", 9));
  EXPECT_EQ(TextOf(store().LoadState("tokens")), "");
}

TEST_P(StateAreaTest, ReplacesAndDeletes) {
  ASSERT_TRUE(
      store().PutState("health", std::vector<StateEntry>{{"a", "1"}, {"b", "2"}, {"c", "3"}}));
  ASSERT_TRUE(store().PutState(
      "health",
      std::vector<StateEntry>{{"a", "4"}, {"b", std::nullopt}, {"unknown", std::nullopt}}));

  EXPECT_EQ(TextOf(store().LoadState("health")), "a=4;c=3;");
}

TEST_P(StateAreaTest, GivesSealedValuesBack) {
  ASSERT_TRUE(store().PutState("keys", std::vector<StateEntry>{{"a", "secret"}, {"b", ""}},
                               Protection::kSealed));
  ASSERT_TRUE(store().PutState("keys", std::vector<StateEntry>{{"c", "plain"}}));

  EXPECT_EQ(TextOf(store().LoadState("keys")), "a=secret;b=;c=plain;");
}

TEST_P(StateAreaTest, MakesNoRevisionsAndNoChanges) {
  ASSERT_TRUE(store().PutState("health", std::vector<StateEntry>{{"a", "1"}}));

  EXPECT_EQ(FeedBehind(0), "");
}

}  // namespace
}  // namespace elb::store
