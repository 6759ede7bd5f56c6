#include "net/task_scope.h"

#include <utility>

#include "base/assert.h"
#include "net/signal.h"

namespace elb::net {

/// One spawned task and the wrapper coroutine that tells its end.
class TaskScope::Entry {
 public:
  Task<void> runner;
  Signal* signal = nullptr;
  Entry* previous = nullptr;
  Entry* next = nullptr;
};

/// Destroys frames of ended tasks, in a later turn: never from inside the task itself.
class TaskScope::Reaper final : public ReadyNode {
 public:
  explicit Reaper(TaskScope& scope) : scope_(&scope) {}
  void Add(Entry* entry) {
    entry->next = ended_;
    ended_ = entry;
    scope_->reactor_->MakeReady(*this);
  }
  void DestroyEnded() {
    while (ended_ != nullptr) {
      Entry* entry = std::exchange(ended_, ended_->next);
      delete entry;
    }
  }

 private:
  void OnReady() override { DestroyEnded(); }
  TaskScope* scope_;
  Entry* ended_ = nullptr;
};

/// Lets another signal observe the ends of tasks for a while.
class TaskScope::Observing {
 public:
  Observing(TaskScope& scope, Signal& observer)
      : scope_(&scope), before_(std::exchange(scope.observer_, &observer)) {}
  Observing(const Observing&) = delete;
  Observing& operator=(const Observing&) = delete;
  Observing(Observing&&) = delete;
  Observing& operator=(Observing&&) = delete;
  ~Observing() { scope_->observer_ = before_; }

 private:
  TaskScope* scope_;
  Signal* before_;
};

TaskScope::TaskScope(Reactor& reactor)
    : reactor_(&reactor), reaper_(std::make_unique<Reaper>(*this)) {}

TaskScope::~TaskScope() { Clear(); }

Task<void> TaskScope::Wrap(TaskScope* scope, Entry* entry, Task<void> task) {
  co_await task;
  scope->OnEnd(entry);
}

void TaskScope::OnEnd(Entry* entry) {
  (entry->previous != nullptr ? entry->previous->next : entries_) = entry->next;
  if (entry->next != nullptr) {
    entry->next->previous = entry->previous;
  }
  --size_;
  reaper_->Add(entry);
  if (observer_ != nullptr) {
    observer_->Notify();
  }
}

void TaskScope::Spawn(Task<void> task, Signal* signal) {
  if (closing_ && signal != nullptr) {
    signal->Cancel();
  }
  auto* entry = new Entry;
  entry->signal = signal;
  entry->next = entries_;
  if (entries_ != nullptr) {
    entries_->previous = entry;
  }
  entries_ = entry;
  ++size_;
  entry->runner = Wrap(this, entry, std::move(task));
  entry->runner.Start();
}

Task<bool> TaskScope::Close(Signal& waiter) {
  closing_ = true;
  for (Entry* entry = entries_; entry != nullptr; entry = entry->next) {
    if (entry->signal != nullptr) {
      entry->signal->Cancel();
    }
  }
  const Observing observing(*this, waiter);
  while (size_ > 0) {
    if (co_await waiter.Wait() != Wake::kNotified) {
      co_return size_ == 0;
    }
  }
  co_return true;
}

void TaskScope::Clear() {
  while (entries_ != nullptr) {
    Entry* entry = std::exchange(entries_, entries_->next);
    if (entries_ != nullptr) {
      entries_->previous = nullptr;
    }
    --size_;
    delete entry;
  }
  reaper_->DestroyEnded();
}

std::size_t TaskScope::size() const { return size_; }

}  // namespace elb::net
