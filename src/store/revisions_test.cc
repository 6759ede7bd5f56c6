// What every store promises about revisions and former states.

#include <gtest/gtest.h>

#include <limits>

#include "store/testing/store_test_base.h"

namespace elb::store {
namespace {

using testing::Describe;
using testing::MakeDocument;
using testing::PutAll;

ELB_ON_EVERY_STORE(RevisionsTest);

TEST_P(RevisionsTest, BeginAtOneInEachProject) {
  const auto next = [&](const char* project) {
    return store().Transact(
        [&](Transaction& transaction) { return transaction.NextRevision(project); });
  };

  EXPECT_EQ(Revision("p"), 0);
  EXPECT_EQ(next("p"), 1);
  EXPECT_EQ(next("p"), 2);
  EXPECT_EQ(next("q"), 1);
  EXPECT_EQ(Revision("p"), 2);
}

TEST_P(RevisionsTest, AreOnePerTransaction) {
  ASSERT_TRUE(store().Transact([](Transaction& transaction) -> Result<void> {
    EXPECT_EQ(transaction.NextRevision("p"), 1);
    EXPECT_EQ(transaction.NextRevision("p"), 1);
    EXPECT_EQ(transaction.CurrentRevision("p"), 1);
    return {};
  }));
}

TEST_P(RevisionsTest, AreGivenBackWhenTheTransactionFails) {
  EXPECT_FALSE(store().Transact([](Transaction& transaction) -> Result<void> {
    EXPECT_EQ(transaction.NextRevision("p"), 1);
    return Conflict("", "no");
  }));

  EXPECT_EQ(Revision(), 0);
  ASSERT_TRUE(Write("1", "x"));
  EXPECT_EQ(Revision(), 1);
}

TEST_P(RevisionsTest, AreGivenBackWhenTheNestedPartFails) {
  ASSERT_TRUE(store().Transact([](Transaction& transaction) -> Result<void> {
    EXPECT_FALSE(transaction.Nested([&]() -> Result<void> {
      EXPECT_EQ(transaction.NextRevision("p"), 1);
      return Conflict("", "no");
    }));
    EXPECT_EQ(transaction.CurrentRevision("p"), 0);
    EXPECT_EQ(transaction.NextRevision("p"), 1);
    return {};
  }));

  EXPECT_EQ(Revision(), 1);
}

TEST_P(RevisionsTest, KeepTheirLastDescription) {
  ASSERT_TRUE(store().Transact([](Transaction& transaction) -> Result<void> {
    ELB_RETURN_IF_ERROR(transaction.AppendRevision("p", "first"));
    return transaction.AppendRevision("p", "second");
  }));

  const auto found = Ask([](Reader& reader) { return reader.GetRevision("p", 1); });
  EXPECT_EQ(*found, (RevisionRecord{.number = 1, .json = "second"}));
}

TEST_P(RevisionsTest, AreUnknownBeforeTheyAreMade) {
  const auto found = Ask([](Reader& reader) { return reader.GetRevision("p", 1); });
  ASSERT_TRUE(found);
  EXPECT_FALSE(found->has_value());
}

TEST_P(RevisionsTest, AreListedNewestFirst) {
  for (const char* id : {"a", "b", "c"}) {
    ASSERT_TRUE(Write(id, ""));
  }
  const auto list = [&](std::uint64_t before, std::size_t limit) {
    std::string text;
    const auto records =
        Ask([&](Reader& reader) { return reader.ListRevisions("p", before, limit); });
    for (const RevisionRecord& record : *records) {
      text += std::to_string(record.number) + ":" + record.json + ";";
    }
    return text;
  };

  EXPECT_EQ(list(std::numeric_limits<std::uint64_t>::max(), 2), "3:wrote c;2:wrote b;");
  EXPECT_EQ(list(3, 10), "2:wrote b;1:wrote a;");
  EXPECT_EQ(list(1, 10), "");
}

TEST_P(RevisionsTest, ShowEachFormerState) {
  ASSERT_TRUE(Write("1", "a"));
  ASSERT_TRUE(Write("2", "b"));
  ASSERT_TRUE(Write("1", "c"));
  ASSERT_TRUE(Remove("2"));
  ASSERT_TRUE(Write("2", "d"));

  EXPECT_EQ(AtRevision(0), "");
  EXPECT_EQ(AtRevision(1), "listener/1=a");
  EXPECT_EQ(AtRevision(2), "listener/1=a listener/2=b");
  EXPECT_EQ(AtRevision(3), "listener/1=c listener/2=b");
  EXPECT_EQ(AtRevision(4), "listener/1=c");
  EXPECT_EQ(AtRevision(5), "listener/1=c listener/2=d");
}

TEST_P(RevisionsTest, ShowFormerSecrets) {
  const auto write = [&](const char* secret) {
    return store().Transact([&](Transaction& transaction) -> Result<void> {
      ELB_ASSIGN_OR_RETURN(const std::uint64_t revision, transaction.NextRevision("p"));
      Document document = MakeDocument("certificate", "1", "", revision);
      document.secrets["private_key"] = secret;
      return transaction.Put(document);
    });
  };
  ASSERT_TRUE(write("old"));
  ASSERT_TRUE(write("new"));

  const auto found = Ask([](Reader& reader) { return reader.ListAt("p", 1); });
  EXPECT_EQ(found->front().secrets, (Secrets{{"private_key", "old"}}));
}

TEST_P(RevisionsTest, ShowOnlyTheLastStateOfATransaction) {
  ASSERT_TRUE(Write("1", "a"));
  ASSERT_TRUE(store().Transact([](Transaction& transaction) -> Result<void> {
    ELB_ASSIGN_OR_RETURN(const std::uint64_t revision, transaction.NextRevision("p"));
    ELB_RETURN_IF_ERROR(transaction.Put(MakeDocument("listener", "1", "b", revision)));
    ELB_RETURN_IF_ERROR(transaction.Delete({.project = "p", .kind = "listener", .id = "1"}));
    ELB_RETURN_IF_ERROR(transaction.Put(MakeDocument("listener", "1", "c", revision)));
    ELB_RETURN_IF_ERROR(transaction.Put(MakeDocument("listener", "2", "d", revision)));
    ELB_RETURN_IF_ERROR(transaction.Delete({.project = "p", .kind = "listener", .id = "2"}));
    return {};
  }));

  EXPECT_EQ(AtRevision(1), "listener/1=a");
  EXPECT_EQ(AtRevision(2), "listener/1=c");
}

TEST_P(RevisionsTest, TakeInWhatChangesWithoutARevision) {
  ASSERT_TRUE(Write("1", "a"));
  ASSERT_TRUE(Write("2", "b"));
  ASSERT_TRUE(PutAll(store(), {MakeDocument("listener", "1", "a2", 1)}));
  ASSERT_TRUE(PutAll(store(), {MakeDocument("listener", "1", "a3", 1)}));
  ASSERT_TRUE(Write("2", "c"));

  EXPECT_EQ(AtRevision(1), "listener/1=a");
  EXPECT_EQ(AtRevision(2), "listener/1=a3 listener/2=b");
  EXPECT_EQ(AtRevision(3), "listener/1=a3 listener/2=c");
}

TEST_P(RevisionsTest, TakeInWhatIsDeletedWithoutARevision) {
  ASSERT_TRUE(Write("1", "a"));
  ASSERT_TRUE(Write("2", "b"));
  ASSERT_TRUE(store().Transact([](Transaction& transaction) {
    return transaction.Delete({.project = "p", .kind = "listener", .id = "1"});
  }));

  EXPECT_EQ(AtRevision(1), "listener/1=a");
  EXPECT_EQ(AtRevision(2), "listener/2=b");
}

TEST_P(RevisionsTest, LeaveOutKindsThatMakeNone) {
  ASSERT_TRUE(Write("1", "a"));
  ASSERT_TRUE(PutAll(store(), {MakeDocument("setting", "x", "s", 0)}));

  EXPECT_EQ(AtRevision(1), "listener/1=a");
}

TEST_P(RevisionsTest, ShowTheirStateInsideTheTransactionThatMovesOn) {
  ASSERT_TRUE(Write("1", "a"));
  ASSERT_TRUE(store().Transact([](Transaction& transaction) -> Result<void> {
    ELB_ASSIGN_OR_RETURN(const std::uint64_t revision, transaction.NextRevision("p"));
    ELB_RETURN_IF_ERROR(transaction.Put(MakeDocument("listener", "1", "b", revision)));
    EXPECT_EQ(Describe(*transaction.ListAt("p", 1)), "listener/1=a");
    EXPECT_EQ(Describe(*transaction.ListAt("p", 2)), "listener/1=b");
    return {};
  }));
}

TEST_P(RevisionsTest, HaveNoStateBeforeTheyAreMade) {
  ASSERT_TRUE(Write("1", "a"));

  const auto found = Ask([](Reader& reader) { return reader.ListAt("p", 2); });
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().kind, ErrorKind::kNotFound);
}

TEST_P(RevisionsTest, AreForgottenWithTheirStates) {
  for (const char* json : {"a", "b", "c", "d"}) {
    ASSERT_TRUE(Write("1", json));
  }
  ASSERT_TRUE(
      store().Transact([](Transaction& transaction) { return transaction.TrimRevisions("p", 3); }));

  EXPECT_EQ(AtRevision(2), "revision 2 is no longer kept");
  EXPECT_EQ(AtRevision(3), "listener/1=c");
  EXPECT_EQ(AtRevision(4), "listener/1=d");
  EXPECT_FALSE(Ask([](Reader& reader) { return reader.GetRevision("p", 2); })->has_value());
  EXPECT_TRUE(Ask([](Reader& reader) { return reader.GetRevision("p", 3); })->has_value());
}

TEST_P(RevisionsTest, StayForgotten) {
  for (const char* json : {"a", "b", "c"}) {
    ASSERT_TRUE(Write("1", json));
  }
  for (const std::uint64_t oldest : {3U, 1U}) {
    ASSERT_TRUE(store().Transact(
        [&](Transaction& transaction) { return transaction.TrimRevisions("p", oldest); }));
  }

  EXPECT_EQ(AtRevision(2), "revision 2 is no longer kept");
}

TEST_P(RevisionsTest, ContinueTheirNumbersAfterAllWereForgotten) {
  ASSERT_TRUE(Write("1", "a"));
  ASSERT_TRUE(store().Transact(
      [](Transaction& transaction) { return transaction.TrimRevisions("p", 1000); }));
  ASSERT_TRUE(Write("1", "b"));

  EXPECT_EQ(AtRevision(1), "revision 1 is no longer kept");
  EXPECT_EQ(AtRevision(2), "listener/1=b");
}

TEST_P(RevisionsTest, OfOtherProjectsStay) {
  ASSERT_TRUE(Write("1", "a"));
  ASSERT_TRUE(Write("1", "b"));
  ASSERT_TRUE(
      store().Transact([](Transaction& transaction) { return transaction.TrimRevisions("q", 2); }));

  EXPECT_EQ(AtRevision(1), "listener/1=a");
}

}  // namespace
}  // namespace elb::store
