#pragma once

#include <memory>
#include <vector>

#include "base/mutex.h"
#include "store/document.h"
#include "store/store.h"

namespace elb::store {

/// Brings the changes of commits to those who watch the store. Thread-safe. An implementation of
/// `Store` calls `Register` and `Enqueue` while it holds its commit lock, so that every watcher
/// gets the commits in order and none twice, and `Start` and `Deliver` without it.
class Watchers {
 public:
  class Watcher;

  Watchers();
  ~Watchers();
  Watchers(const Watchers&) = delete;
  Watchers& operator=(const Watchers&) = delete;
  Watchers(Watchers&&) = delete;
  Watchers& operator=(Watchers&&) = delete;

  /// From now on commits wait for the new watcher behind `backlog`, until `Start`.
  [[nodiscard]] std::shared_ptr<Watcher> Register(ChangeCallback callback,
                                                  std::vector<Change> backlog) ELB_EXCLUDES(mutex_);
  /// Delivers what waits; when it returns the watcher is up to date and registered as long as the
  /// answer lives.
  [[nodiscard]] std::unique_ptr<Subscription> Start(std::shared_ptr<Watcher> watcher);

  /// Remembers the changes of one commit for every watcher.
  void Enqueue(std::vector<Change> changes) ELB_EXCLUDES(mutex_);
  /// Delivers on this thread what waits for watchers that no other thread is delivering to.
  void Deliver() ELB_EXCLUDES(mutex_);

 private:
  class Registration;
  void Remove(const std::shared_ptr<Watcher>& watcher) ELB_EXCLUDES(mutex_);

  Mutex mutex_;
  std::vector<std::shared_ptr<Watcher>> watchers_ ELB_GUARDED_BY(mutex_);
};

}  // namespace elb::store
