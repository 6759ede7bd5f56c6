#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "store/memory/memory_state.h"
#include "store/reader_over.h"
#include "store/transaction.h"

namespace elb::store::memory {

/// Changes a copy of the committed state.
class MemoryTransaction final : public ReaderOver<Transaction, Queries> {
 public:
  /// `committed` and `draft`, a copy of it, must outlive the transaction.
  MemoryTransaction(const State& committed, State& draft);

  [[nodiscard]] Result<void> Put(const Document& document, const std::vector<IndexKey>& indexes,
                                 ExpectedRevision expected) override;
  [[nodiscard]] Result<bool> Delete(Key key, ExpectedRevision expected) override;
  [[nodiscard]] Result<std::uint64_t> NextRevision(std::string_view project) override;
  [[nodiscard]] Result<void> AppendRevision(std::string_view project,
                                            std::string_view json) override;
  [[nodiscard]] Result<void> TrimRevisions(std::string_view project,
                                           std::uint64_t oldest_kept) override;
  void Discard() override { discarded_ = true; }

  [[nodiscard]] bool discarded() const { return discarded_; }
  /// Adds history and change feed, of which the newest `feed_kept` transactions stay. Returns the
  /// transaction's part of the feed.
  [[nodiscard]] std::vector<Change> Finish(std::uint64_t feed_kept);

 protected:
  [[nodiscard]] Result<void> RunNested(const std::function<Result<void>()>& fn) override;

 private:
  /// Notes the first touch of a document and keeps its committed state for `ListAt`.
  void Touch(const Name& name);
  /// Moves the history of a document to the newest revision: no new one was made.
  void KeepInRevision(const Name& name);
  [[nodiscard]] std::uint64_t CommittedRevision(std::string_view project) const;

  const State& committed_;
  State& draft_;
  std::vector<Name> touched_;  // In the order of the first touch.
  bool discarded_ = false;
};

}  // namespace elb::store::memory
