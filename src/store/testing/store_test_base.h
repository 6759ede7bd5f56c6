#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "store/testing/stores.h"

namespace elb::store::testing {

/// A test that runs on every implementation of `Store`.
class StoreTest : public ::testing::TestWithParam<StoreKind> {
 protected:
  /// Begins anew with a feed of that length.
  void KeepFeed(std::uint64_t transactions) {
    under_test_ = std::make_unique<StoreUnderTest>(GetParam(), transactions);
  }
  [[nodiscard]] Store& store() { return under_test_->store(); }

  /// Runs a question about the committed state.
  template <typename Fn>
  auto Ask(Fn&& question) {
    return store().Read([&](Reader& reader) { return question(reader); });
  }
  std::string ListText(std::string_view kind, ListRange range = {}) {
    const auto found = Ask([&](Reader& reader) { return reader.List("p", kind, range); });
    return found ? Describe(*found) : found.error().message;
  }
  std::string AtRevision(std::uint64_t revision) {
    const auto found = Ask([&](Reader& reader) { return reader.ListAt("p", revision); });
    return found ? Describe(*found) : found.error().message;
  }
  std::string FeedBehind(std::uint64_t sequence, std::size_t limit = 1000) {
    const auto found = Ask([&](Reader& reader) { return reader.ChangesSince(sequence, limit); });
    return found ? Describe(*found) : found.error().message;
  }
  std::uint64_t Revision(std::string_view project = "p") {
    return Ask([&](Reader& reader) { return reader.CurrentRevision(project); }).value_or(999);
  }

  /// Makes the next revision of "p" with one document.
  Result<void> Write(const std::string& id, const std::string& json) {
    return store().Transact([&](Transaction& transaction) -> Result<void> {
      ELB_ASSIGN_OR_RETURN(const std::uint64_t revision, transaction.NextRevision("p"));
      ELB_RETURN_IF_ERROR(transaction.Put(MakeDocument("listener", id, json, revision)));
      return transaction.AppendRevision("p", "wrote " + id);
    });
  }
  /// Makes the next revision of "p" by deleting one document.
  Result<void> Remove(const std::string& id) {
    return store().Transact([&](Transaction& transaction) -> Result<void> {
      // The number is asked for late: the history does not depend on it.
      ELB_RETURN_IF_ERROR(transaction.Delete({.project = "p", .kind = "listener", .id = id}));
      return transaction.AppendRevision("p", "removed " + id);
    });
  }

 private:
  std::unique_ptr<StoreUnderTest> under_test_ =
      std::make_unique<StoreUnderTest>(GetParam(), 10'000);
};

/// Defines a fixture of its own name for the tests of one file.
#define ELB_ON_EVERY_STORE(Fixture)                                                      \
  class Fixture : public ::elb::store::testing::StoreTest {};                            \
  INSTANTIATE_TEST_SUITE_P(Stores, Fixture,                                              \
                           ::testing::Values(::elb::store::testing::StoreKind::kSqlite,  \
                                             ::elb::store::testing::StoreKind::kMemory), \
                           [](const auto& info) { return ::testing::PrintToString(info.param); })

}  // namespace elb::store::testing
