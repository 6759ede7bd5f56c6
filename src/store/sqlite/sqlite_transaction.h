#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "base/error.h"
#include "crypto/sealing.h"
#include "store/reader_over.h"
#include "store/sqlite/connection.h"
#include "store/sqlite/queries.h"
#include "store/transaction.h"

namespace elb::store::sqlite {

/// What one transaction of the writing connection does. The caller begins and ends it there.
class SqliteTransaction final : public ReaderOver<Transaction, Queries> {
 public:
  SqliteTransaction(Connection& connection, const crypto::Sealer& sealer);

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
  /// Writes what belongs to the transaction as a whole, before it is committed: history and change
  /// feed, of which the newest `feed_kept` transactions stay. Returns its part of the feed.
  [[nodiscard]] Result<std::vector<Change>> Finish(std::uint64_t feed_kept);

 protected:
  [[nodiscard]] Result<void> RunNested(const std::function<Result<void>()>& fn) override;

 private:
  using Name = std::tuple<std::string, std::string, std::string>;  // Project, kind, id.
  struct Touched {
    Name name;
    bool existed_before;
  };
  struct Stored {
    std::uint64_t number;
    std::uint64_t revision;
  };

  [[nodiscard]] Result<std::optional<Stored>> Find(Key key);
  /// Notes the first touch of a document and keeps its present state for `ListAt`.
  [[nodiscard]] Result<void> Touch(Key key, const std::optional<Stored>& stored);
  [[nodiscard]] Result<std::uint64_t> Insert(const Document& document, std::string_view secrets);
  [[nodiscard]] Result<void> Replace(std::uint64_t number, const Document& document,
                                     std::string_view secrets);
  [[nodiscard]] Result<void> PutIndexes(std::uint64_t number, std::string_view kind,
                                        const std::vector<IndexKey>& indexes);
  /// The revision that this transaction makes of the project, or would make.
  [[nodiscard]] Result<std::uint64_t> PendingRevision(std::string_view project);
  /// Moves the history of a document to the newest revision: no new one was made.
  [[nodiscard]] Result<void> KeepInRevision(const Name& name, std::uint64_t revision);
  [[nodiscard]] Result<std::optional<ChangeAction>> ActionOn(const Touched& touched);
  [[nodiscard]] Result<void> WriteFeed(const std::vector<Change>& changes, std::uint64_t feed_kept);
  void ForgetTouched(std::size_t kept);

  Connection* connection_;
  const crypto::Sealer* sealer_;
  std::vector<Touched> touched_;  // In the order of the first touch.
  std::set<Name> touched_names_;
  std::map<std::string, std::uint64_t, std::less<>> made_;  // Revisions, by project.
  bool discarded_ = false;
};

}  // namespace elb::store::sqlite
