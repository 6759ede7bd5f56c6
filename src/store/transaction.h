#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "base/error.h"
#include "store/document.h"

namespace elb::store {

/// One consistent state of the store. Lives during one `Store::Read` or `Store::Transact`, on the
/// thread of that call. Every failure is `ErrorKind::kStorage` unless said otherwise.
class Reader {
 public:
  Reader() = default;
  Reader(const Reader&) = delete;
  Reader& operator=(const Reader&) = delete;
  Reader(Reader&&) = delete;
  Reader& operator=(Reader&&) = delete;
  virtual ~Reader() = default;

  /// The document with its secrets in plain text, `nullopt` when there is none.
  [[nodiscard]] virtual Result<std::optional<Document>> Get(Key key) = 0;
  /// Documents of one kind in one project, in creation order (api-v3.md 1.8.1).
  [[nodiscard]] virtual Result<std::vector<Document>> List(std::string_view project,
                                                           std::string_view kind,
                                                           ListRange range = {}) = 0;
  /// Documents of one kind in all projects, in creation order.
  [[nodiscard]] virtual Result<std::vector<Document>> ListAll(std::string_view kind,
                                                              ListRange range = {}) = 0;
  /// Documents of one kind, in all projects, whose last `Put` gave this index key; creation order.
  /// Costs the same whatever else is stored.
  [[nodiscard]] virtual Result<std::vector<Document>> FindByIndex(std::string_view kind,
                                                                  std::string_view name,
                                                                  std::string_view value) = 0;
  [[nodiscard]] virtual Result<std::uint64_t> Count(std::string_view project,
                                                    std::string_view kind) = 0;
  [[nodiscard]] virtual Result<std::uint64_t> CountByIndex(std::string_view kind,
                                                           std::string_view name,
                                                           std::string_view value) = 0;

  /// Number of the newest revision; 0 before the first.
  [[nodiscard]] virtual Result<std::uint64_t> CurrentRevision(std::string_view project) = 0;
  /// `nullopt`: never made or no longer kept.
  [[nodiscard]] virtual Result<std::optional<RevisionRecord>> GetRevision(std::string_view project,
                                                                          std::uint64_t number) = 0;
  /// Newest first, only numbers below `before`.
  [[nodiscard]] virtual Result<std::vector<RevisionRecord>> ListRevisions(std::string_view project,
                                                                          std::uint64_t before,
                                                                          std::size_t limit) = 0;
  /// Every document of the project as it was when `revision` was the newest one, in creation
  /// order. Only kinds that make revisions. kNotFound: no longer kept, or not made yet.
  [[nodiscard]] virtual Result<std::vector<Document>> ListAt(std::string_view project,
                                                             std::uint64_t revision) = 0;

  /// Sequence number of the newest transaction in the change feed; 0 before the first.
  [[nodiscard]] virtual Result<std::uint64_t> LastChange() = 0;
  /// The feed behind `sequence`, oldest first, whole transactions, at least one if there is one,
  /// further ones while fewer than `limit` changes are in the answer. kNotFound: no longer kept
  /// that far back; the caller has to read everything anew.
  [[nodiscard]] virtual Result<std::vector<Change>> ChangesSince(std::uint64_t sequence,
                                                                 std::size_t limit) = 0;
};

/// A state that can be changed. Sees its own changes; nobody else does before it is committed.
/// After a failure of kind kStorage the transaction can only be given up.
class Transaction : public Reader {
 public:
  /// Creates or replaces the document and all its index keys. kPrecondition: `expected` does not
  /// hold; nothing was changed. Documents and index keys are bound to the newest `Put`.
  [[nodiscard]] virtual Result<void> Put(const Document& document,
                                         const std::vector<IndexKey>& indexes = {},
                                         ExpectedRevision expected = std::nullopt) = 0;
  /// True when there was one. kPrecondition: `expected` does not hold.
  [[nodiscard]] virtual Result<bool> Delete(Key key, ExpectedRevision expected = std::nullopt) = 0;

  /// The number of the revision that this transaction makes of the project: allocated by the first
  /// call, the same for later ones, given back when the transaction is not committed; so numbers
  /// have no gaps. To be called only when something changes.
  [[nodiscard]] virtual Result<std::uint64_t> NextRevision(std::string_view project) = 0;
  /// Stores the description of the revision that this transaction makes; the last call counts.
  [[nodiscard]] virtual Result<void> AppendRevision(std::string_view project,
                                                    std::string_view json) = 0;
  /// Forgets revisions below `oldest_kept` together with the states that only they need.
  [[nodiscard]] virtual Result<void> TrimRevisions(std::string_view project,
                                                   std::uint64_t oldest_kept) = 0;

  /// Lets the transaction end without effect although its function succeeds (dry run).
  virtual void Discard() = 0;

  /// Runs `fn` (callable without arguments, returns a `Result`) as a part that is undone alone when
  /// it fails: the operations of a change set that are left out (api-extensions.md 3.1).
  template <typename Fn>
  [[nodiscard]] std::invoke_result_t<Fn> Nested(Fn&& fn);

 protected:
  [[nodiscard]] virtual Result<void> RunNested(const std::function<Result<void>()>& fn) = 0;
};

template <typename Fn>
std::invoke_result_t<Fn> Transaction::Nested(Fn&& fn) {
  std::optional<std::invoke_result_t<Fn>> result;
  const Result<void> status = RunNested([&]() -> Result<void> {
    result.emplace(std::forward<Fn>(fn)());
    if (!*result) {
      return std::unexpected(result->error());
    }
    return {};
  });
  if (!status) {
    return std::unexpected(status.error());
  }
  return *std::move(result);
}

}  // namespace elb::store
