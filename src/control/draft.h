#pragma once

#include <functional>
#include <set>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/random.h"
#include "control/documents.h"
#include "control/state.h"
#include "model/schema.h"
#include "store/transaction.h"

namespace elb::control {

/// Objects whose part of the snapshot has to be compiled anew.
struct Dirty {
  std::set<std::string> listeners;
  std::set<std::string> pools;
  std::set<std::string> certificates;
  std::set<std::string> ip_groups;
};

/// One write in progress: changes the state in place and can undo everything. Control thread.
class Draft {
 public:
  Draft(State& state, WallTime now, Random& random);
  /// Undoes what was not kept.
  ~Draft();
  Draft(const Draft&) = delete;
  Draft& operator=(const Draft&) = delete;
  Draft(Draft&&) = delete;
  Draft& operator=(Draft&&) = delete;

  [[nodiscard]] const State& state() const { return state_; }
  [[nodiscard]] const Dirty& dirty() const { return dirty_; }
  [[nodiscard]] bool empty() const { return changes_.empty(); }
  [[nodiscard]] Random& random() { return random_; }

  /// Adds a new object: identity apart from `id` and `project_id` is filled in.
  template <typename T>
  void Create(T object);
  /// Replaces a stored object when something differs.
  template <typename T>
  void Update(T object);
  template <typename T>
  void Delete(const std::string& id);
  /// The object counts as updated though only what belongs to it has changed.
  template <typename T>
  void Touch(const std::string& id);

  /// The next free private address search in a subnet begins here; public ones under "".
  [[nodiscard]] IpAddress& AddressCursor(const std::string& subnet) {
    return state_.next_addresses[subnet];
  }

  /// Gives every changed object the next revision number of the project, writes documents and the
  /// revision's record. `origin`: author, address, comment and so on (api-extensions.md 4.1).
  [[nodiscard]] Result<void> Store(store::Transaction& transaction, const model::Json& origin);
  /// The transaction is committed: nothing is undone any more.
  void Keep();

 private:
  /// One object of the write, for store and revision record.
  struct Change {
    std::string project;
    std::string kind;
    std::string id;
    std::string name;
    std::string action;
    bool recorded = true;  ///< Makes a revision.
    std::function<Result<void>(store::Transaction&)> store;
    std::function<void(std::uint64_t revision)> number;
    std::function<void(model::Json& fields)> fields;  ///< Writes the changed fields.
  };

  template <typename T>
  void Replace(std::uint64_t sequence, const std::shared_ptr<const T>& before,
               const std::shared_ptr<const T>& after);
  template <typename T>
  void Record(std::uint64_t sequence, const std::shared_ptr<const T>& before,
              const std::shared_ptr<const T>& after);
  template <typename T>
  [[nodiscard]] Change Describe(std::uint64_t sequence, const std::shared_ptr<const T>& before,
                                const std::shared_ptr<const T>& after);
  template <typename T>
  void MarkDirty(const T& object);
  void MarkListener(const std::string& id);
  void MarkPool(const std::string& id);

  State& state_;
  WallTime at_;
  std::string now_;
  Random& random_;
  Dirty dirty_;
  std::vector<Change> changes_;
  std::vector<std::function<void()>> undo_;
  std::string project_;         ///< Whose revision `Store` made.
  std::uint64_t revision_ = 0;  ///< 0: none.
};

/// `2024-05-01T10:00:00Z`: every time in vendor objects.
[[nodiscard]] std::string TimeText(WallTime time);

}  // namespace elb::control
