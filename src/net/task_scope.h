#pragma once

#include <cstddef>
#include <memory>

#include "net/reactor.h"
#include "net/task.h"

namespace elb::net {

class Signal;

/// Owns tasks that nobody awaits. Last member of its owner; never destroyed from inside one of its
/// own tasks. One thread.
///
/// A spawned task runs to its first suspension inside `Spawn`. When it ends, its frame is destroyed
/// in a later turn. The destructor destroys what is still suspended without resuming it.
class TaskScope {
 public:
  explicit TaskScope(Reactor& reactor);
  ~TaskScope();
  TaskScope(const TaskScope&) = delete;
  TaskScope& operator=(const TaskScope&) = delete;
  TaskScope(TaskScope&&) = delete;
  TaskScope& operator=(TaskScope&&) = delete;

  /// Starts `task`. `signal` is what `Close` cancels to end it: null for none, else alive whenever
  /// the task is suspended.
  void Spawn(Task<void> task, Signal* signal = nullptr);
  /// Cancels the signals of all tasks, also of those spawned from now on, and waits on `waiter`
  /// until every task has ended. False: `waiter` was cancelled or reached its deadline before.
  [[nodiscard]] Task<bool> Close(Signal& waiter);
  /// Destroys what is still suspended, as the destructor does.
  void Clear();
  /// Tasks that have not ended.
  [[nodiscard]] std::size_t size() const;
  /// Notified whenever a task ends; null for none.
  void set_observer(Signal* observer) { observer_ = observer; }

 private:
  class Entry;
  class Reaper;
  class Observing;
  [[nodiscard]] static Task<void> Wrap(TaskScope* scope, Entry* entry, Task<void> task);
  void OnEnd(Entry* entry);
  Reactor* reactor_;
  Signal* observer_ = nullptr;
  Entry* entries_ = nullptr;
  std::size_t size_ = 0;
  bool closing_ = false;
  std::unique_ptr<Reaper> reaper_;
};

}  // namespace elb::net
