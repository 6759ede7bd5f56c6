#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "base/assert.h"
#include "base/error.h"
#include "store/document.h"
#include "store/transaction.h"

namespace elb::store {

/// Keeps a watcher registered. Its destructor returns when no call of the callback is running any
/// more (except the one it may itself be called from). Must not outlive the store.
class Subscription {
 public:
  Subscription() = default;
  Subscription(const Subscription&) = delete;
  Subscription& operator=(const Subscription&) = delete;
  Subscription(Subscription&&) = delete;
  Subscription& operator=(Subscription&&) = delete;
  virtual ~Subscription() = default;
};

/// Receives the changes of one or more committed transactions, in order, none twice.
using ChangeCallback = std::function<void(std::span<const Change>)>;

/// Typed documents, revisions, a change feed and an area for state: what the control plane knows,
/// so that it survives. Thread-safe; one transaction writes at a time, the others wait; readers
/// never wait for writers. All calls block on the disk: for control threads only.
class Store {
 public:
  Store() = default;
  Store(const Store&) = delete;
  Store& operator=(const Store&) = delete;
  Store(Store&&) = delete;
  Store& operator=(Store&&) = delete;
  virtual ~Store() = default;

  /// Runs `fn(Transaction&)`, which returns a `Result`, and commits what it did, all or nothing:
  /// when `fn` fails or the commit fails (kStorage) nothing is kept. When this returns with success
  /// the changes survive a crash of process and machine. Must not be nested on one thread.
  template <typename Fn>
  [[nodiscard]] std::invoke_result_t<Fn, Transaction&> Transact(Fn&& fn);

  /// Runs `fn(Reader&)`, which returns a `Result`, on one consistent committed state. Inside a
  /// `Transact` of the same thread it does not see that transaction.
  template <typename Fn>
  [[nodiscard]] std::invoke_result_t<Fn, Reader&> Read(Fn&& fn);

  /// Calls `callback` with every change behind `from_sequence`: first, before this returns, those
  /// already made, then those of each commit. Calls come from committing threads, one at a time,
  /// after the commit and outside its lock; the callback may use the store but should be short.
  /// kNotFound: the feed is no longer kept that far back.
  [[nodiscard]] virtual Result<std::unique_ptr<Subscription>> Watch(std::uint64_t from_sequence,
                                                                    ChangeCallback callback) = 0;

  /// Writes a batch of the state area at once, all or nothing. No revisions, not in the feed.
  /// For what is written behind: member states, ticket keys, sticky keys.
  [[nodiscard]] virtual Result<void> PutState(std::string_view area,
                                              std::span<const StateEntry> entries,
                                              Protection protection = Protection::kPlain) = 0;
  /// All entries of one area, by key.
  [[nodiscard]] virtual Result<std::vector<StateEntry>> LoadState(std::string_view area) = 0;

  /// Writes one consistent copy, while writes go on, to a new file of mode 0600. kConflict: the
  /// file exists. kUnsupported: the implementation has no files.
  [[nodiscard]] virtual Result<void> BackUp(const std::filesystem::path& target) = 0;

 protected:
  [[nodiscard]] virtual Result<void> RunTransaction(
      const std::function<Result<void>(Transaction&)>& fn) = 0;
  [[nodiscard]] virtual Result<void> RunRead(const std::function<Result<void>(Reader&)>& fn) = 0;
};

template <typename Fn>
std::invoke_result_t<Fn, Transaction&> Store::Transact(Fn&& fn) {
  std::optional<std::invoke_result_t<Fn, Transaction&>> result;
  const Result<void> status = RunTransaction([&](Transaction& transaction) -> Result<void> {
    result.emplace(std::forward<Fn>(fn)(transaction));
    if (!*result) {
      return std::unexpected(result->error());
    }
    return {};
  });
  if (!status) {
    return std::unexpected(status.error());
  }
  ELB_ASSERT(result.has_value());  // Set whenever the callback ran, and it did.
  return *std::move(result);
}

template <typename Fn>
std::invoke_result_t<Fn, Reader&> Store::Read(Fn&& fn) {
  std::optional<std::invoke_result_t<Fn, Reader&>> result;
  const Result<void> status = RunRead([&](Reader& reader) -> Result<void> {
    result.emplace(std::forward<Fn>(fn)(reader));
    if (!*result) {
      return std::unexpected(result->error());
    }
    return {};
  });
  if (!status) {
    return std::unexpected(status.error());
  }
  ELB_ASSERT(result.has_value());  // Set whenever the callback ran, and it did.
  return *std::move(result);
}

}  // namespace elb::store
