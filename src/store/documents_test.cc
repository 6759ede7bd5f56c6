// What every store promises about documents and index keys.

#include <gtest/gtest.h>

#include <chrono>

#include "store/testing/store_test_base.h"

namespace elb::store {
namespace {

using testing::Describe;
using testing::MakeDocument;
using testing::PutAll;

ELB_ON_EVERY_STORE(DocumentsTest);

constexpr Key kFirst{.project = "p", .kind = "listener", .id = "1"};

TEST_P(DocumentsTest, GivesBackWhatWasPut) {
  Document document = MakeDocument("listener", "1", "{\"name\":\"\xc3\xa4\"}", 5);
  document.secrets = {{"private_key", std::string("a\0b", 3)}, {"password", ""}};
  document.sequence = 41;
  document.created_at = WallTime(std::chrono::milliseconds(1'700'000'000'123));

  ASSERT_TRUE(PutAll(store(), {document}));

  const auto found = Ask([](Reader& reader) { return reader.Get(kFirst); });
  ASSERT_TRUE(found && *found);
  EXPECT_EQ(**found, document);
}

TEST_P(DocumentsTest, KeepsCreationTimesToTheMillisecond) {
  Document document = MakeDocument("listener", "1", "");
  document.created_at = WallTime(std::chrono::microseconds(1'500'999));

  ASSERT_TRUE(PutAll(store(), {document}));

  const auto found = Ask([](Reader& reader) { return reader.Get(kFirst); });
  EXPECT_EQ((*found)->created_at, WallTime(std::chrono::milliseconds(1'500)));
}

TEST_P(DocumentsTest, HasNothingUnderAnUnknownKey) {
  ASSERT_TRUE(PutAll(store(), {MakeDocument("listener", "1", "x")}));

  for (const Key& other : {Key{.project = "q", .kind = "listener", .id = "1"},
                           Key{.project = "p", .kind = "pool", .id = "1"},
                           Key{.project = "p", .kind = "listener", .id = "2"}}) {
    const auto found = Ask([&](Reader& reader) { return reader.Get(other); });
    ASSERT_TRUE(found);
    EXPECT_FALSE(found->has_value());
  }
}

TEST_P(DocumentsTest, ReplacesEverythingButPlaceAndCreationTime) {
  Document first = MakeDocument("listener", "1", "old", 1);
  first.secrets = {{"key", "s"}};
  first.created_at = WallTime(std::chrono::seconds(10));
  ASSERT_TRUE(PutAll(store(), {first}));

  Document second = MakeDocument("listener", "1", "new", 2);
  second.sequence = 77;
  second.created_at = WallTime(std::chrono::seconds(20));
  ASSERT_TRUE(PutAll(store(), {second}));

  const auto found = Ask([](Reader& reader) { return reader.Get(kFirst); });
  Document expected = MakeDocument("listener", "1", "new", 2);
  expected.sequence = 1;
  expected.created_at = WallTime(std::chrono::seconds(10));
  EXPECT_EQ(**found, expected);
}

TEST_P(DocumentsTest, ListsInCreationOrder) {
  ASSERT_TRUE(PutAll(store(), {MakeDocument("listener", "b", "1"), MakeDocument("pool", "x", "2"),
                               MakeDocument("listener", "a", "3")}));
  ASSERT_TRUE(PutAll(store(), {MakeDocument("listener", "b", "4")}));

  EXPECT_EQ(ListText("listener"), "listener/b=4 listener/a=3");
}

TEST_P(DocumentsTest, ListsAPartBehindASequence) {
  ASSERT_TRUE(
      PutAll(store(), {MakeDocument("listener", "1", ""), MakeDocument("listener", "2", ""),
                       MakeDocument("listener", "3", ""), MakeDocument("listener", "4", "")}));

  EXPECT_EQ(ListText("listener", {.after_sequence = 1, .limit = 2}), "listener/2= listener/3=");
  EXPECT_EQ(ListText("listener", {.after_sequence = 4}), "");
  EXPECT_EQ(ListText("listener", {.limit = 0}), "");
}

TEST_P(DocumentsTest, ListsOneProjectOrAll) {
  Document other = MakeDocument("listener", "1", "q");
  other.project = "q";
  ASSERT_TRUE(PutAll(store(), {other, MakeDocument("listener", "2", "p")}));

  EXPECT_EQ(ListText("listener"), "listener/2=p");
  const auto all = Ask([](Reader& reader) { return reader.ListAll("listener"); });
  EXPECT_EQ(Describe(*all), "listener/1=q listener/2=p");
}

TEST_P(DocumentsTest, CountsOneKindOfOneProject) {
  Document other = MakeDocument("listener", "1", "");
  other.project = "q";
  ASSERT_TRUE(PutAll(store(), {other, MakeDocument("listener", "1", ""),
                               MakeDocument("listener", "2", ""), MakeDocument("pool", "1", "")}));

  EXPECT_EQ(Ask([](Reader& reader) { return reader.Count("p", "listener"); }), 2);
}

TEST_P(DocumentsTest, NeverUsesAPlaceTwice) {
  ASSERT_TRUE(PutAll(store(), {MakeDocument("listener", "1", "")}));
  ASSERT_TRUE(
      store().Transact([](Transaction& transaction) { return transaction.Delete(kFirst); }));
  ASSERT_TRUE(PutAll(store(), {MakeDocument("listener", "2", "")}));

  const auto found = Ask([](Reader& reader) { return reader.List("p", "listener"); });
  EXPECT_EQ(found->front().sequence, 2);
}

TEST_P(DocumentsTest, BringsADeletedDocumentBackToItsPlace) {
  ASSERT_TRUE(
      PutAll(store(), {MakeDocument("listener", "1", ""), MakeDocument("listener", "2", "")}));
  ASSERT_TRUE(
      store().Transact([](Transaction& transaction) { return transaction.Delete(kFirst); }));

  Document again = MakeDocument("listener", "1", "");
  again.sequence = 1;
  ASSERT_TRUE(PutAll(store(), {again, MakeDocument("listener", "3", "")}));

  EXPECT_EQ(ListText("listener"), "listener/1= listener/2= listener/3=");
}

TEST_P(DocumentsTest, CountsOnBehindAPlaceGivenByTheCaller) {
  Document document = MakeDocument("listener", "1", "");
  document.sequence = 100;
  ASSERT_TRUE(PutAll(store(), {document, MakeDocument("listener", "2", "")}));

  const auto found = Ask([](Reader& reader) { return reader.List("p", "listener"); });
  EXPECT_EQ(found->back().sequence, 101);
}

TEST_P(DocumentsTest, DeletesOnce) {
  ASSERT_TRUE(PutAll(store(), {MakeDocument("listener", "1", "")}));
  const auto remove = [](Transaction& transaction) { return transaction.Delete(kFirst); };

  EXPECT_EQ(store().Transact(remove), true);
  EXPECT_EQ(store().Transact(remove), false);
  EXPECT_EQ(ListText("listener"), "");
}

TEST_P(DocumentsTest, FindsByIndexKeyInAllProjects) {
  Document other = MakeDocument("member", "2", "");
  other.project = "q";
  ASSERT_TRUE(store().Transact([&](Transaction& transaction) -> Result<void> {
    ELB_RETURN_IF_ERROR(transaction.Put(other, {{"pool", "a"}}));
    ELB_RETURN_IF_ERROR(
        transaction.Put(MakeDocument("member", "1", ""), {{"pool", "a"}, {"subnet", "s"}}));
    ELB_RETURN_IF_ERROR(transaction.Put(MakeDocument("member", "3", ""), {{"pool", "b"}}));
    return transaction.Put(MakeDocument("monitor", "4", ""), {{"pool", "a"}});
  }));

  const auto found = Ask([](Reader& reader) { return reader.FindByIndex("member", "pool", "a"); });
  EXPECT_EQ(Describe(*found), "member/2= member/1=");
  EXPECT_EQ(Ask([](Reader& reader) { return reader.CountByIndex("member", "pool", "a"); }), 2);
  EXPECT_EQ(Ask([](Reader& reader) { return reader.CountByIndex("member", "pool", "s"); }), 0);
}

TEST_P(DocumentsTest, ForgetsTheIndexKeysOfEarlierPuts) {
  const auto put = [&](const std::vector<IndexKey>& indexes) {
    return store().Transact([&](Transaction& transaction) {
      return transaction.Put(MakeDocument("member", "1", ""), indexes);
    });
  };
  ASSERT_TRUE(put({{"pool", "a"}}));
  ASSERT_TRUE(put({{"pool", "b"}, {"pool", "b"}}));

  EXPECT_EQ(Ask([](Reader& reader) { return reader.CountByIndex("member", "pool", "a"); }), 0);
  EXPECT_EQ(Ask([](Reader& reader) { return reader.CountByIndex("member", "pool", "b"); }), 1);
}

TEST_P(DocumentsTest, ForgetsTheIndexKeysOfDeletedDocuments) {
  ASSERT_TRUE(store().Transact([](Transaction& transaction) -> Result<bool> {
    ELB_RETURN_IF_ERROR(transaction.Put(MakeDocument("listener", "1", ""), {{"port", "80"}}));
    return transaction.Delete(kFirst);
  }));

  EXPECT_EQ(Ask([](Reader& reader) { return reader.CountByIndex("listener", "port", "80"); }), 0);
}

struct Expectation {
  ExpectedRevision expected;
  bool holds;
};

TEST_P(DocumentsTest, PutsOnlyWhenTheExpectedRevisionHolds) {
  ASSERT_TRUE(PutAll(store(), {MakeDocument("listener", "1", "old", 4)}));

  for (const auto& [expected, holds] : {Expectation{std::nullopt, true}, Expectation{4, true},
                                        Expectation{3, false}, Expectation{kAbsent, false}}) {
    const auto put = store().Transact([&](Transaction& transaction) {
      return transaction.Put(MakeDocument("listener", "1", "new", 4), {}, expected);
    });
    EXPECT_EQ(put.has_value(), holds);
    EXPECT_TRUE(put || put.error().kind == ErrorKind::kPrecondition);
  }
}

TEST_P(DocumentsTest, CreatesOnlyWhenAbsenceOrNothingIsExpected) {
  for (const auto& [expected, holds] :
       {Expectation{0, false}, Expectation{1, false}, Expectation{kAbsent, true}}) {
    const auto put = store().Transact([&](Transaction& transaction) {
      return transaction.Put(MakeDocument("listener", "1", ""), {}, expected);
    });
    EXPECT_EQ(put.has_value(), holds);
  }
}

TEST_P(DocumentsTest, DeletesOnlyWhenTheExpectedRevisionHolds) {
  ASSERT_TRUE(PutAll(store(), {MakeDocument("listener", "1", "", 4)}));
  const auto remove = [&](ExpectedRevision expected) {
    return store().Transact(
        [&](Transaction& transaction) { return transaction.Delete(kFirst, expected); });
  };

  EXPECT_EQ(remove(3).error().kind, ErrorKind::kPrecondition);
  EXPECT_EQ(remove(kAbsent).error().kind, ErrorKind::kPrecondition);
  EXPECT_EQ(remove(4), true);
  EXPECT_EQ(remove(4).error().kind, ErrorKind::kPrecondition);
  EXPECT_EQ(remove(kAbsent), false);
}

TEST_P(DocumentsTest, TakesTheEmptyProjectForTheInstallation) {
  Document user = MakeDocument("user", "1", "u");
  user.project = "";
  ASSERT_TRUE(PutAll(store(), {user}));

  const auto found = Ask([](Reader& reader) { return reader.List("", "user"); });
  EXPECT_EQ(Describe(*found), "user/1=u");
}

TEST_P(DocumentsTest, TakesAnyTextAsIdAndIndexValue) {
  const std::string odd("a'\"\0%\xff", 6);
  ASSERT_TRUE(store().Transact([&](Transaction& transaction) {
    return transaction.Put(MakeDocument("listener", odd, odd), {{odd, odd}});
  }));

  const auto found = Ask([&](Reader& reader) { return reader.FindByIndex("listener", odd, odd); });
  ASSERT_EQ(found->size(), 1);
  EXPECT_EQ(found->front().id, odd);
  EXPECT_EQ(found->front().json, odd);
}

}  // namespace
}  // namespace elb::store
