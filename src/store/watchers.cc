#include "store/watchers.h"

#include <deque>
#include <thread>
#include <utility>

namespace elb::store {

/// The queue of one callback. At any time at most one thread delivers from it.
class Watchers::Watcher {
 public:
  Watcher(ChangeCallback callback, std::vector<Change> backlog) : callback_(std::move(callback)) {
    if (!backlog.empty()) {
      queue_.push_back(std::make_shared<const std::vector<Change>>(std::move(backlog)));
    }
  }

  void Push(const std::shared_ptr<const std::vector<Change>>& batch) ELB_EXCLUDES(mutex_) {
    const MutexLock lock(mutex_);
    queue_.push_back(batch);
  }

  /// Makes this thread the delivering one unless there is one, and delivers. The registering
  /// thread is it from the start.
  void Start() ELB_EXCLUDES(mutex_) {
    {
      const MutexLock lock(mutex_);
      runner_ = std::this_thread::get_id();
    }
    Run();
  }
  void Deliver() ELB_EXCLUDES(mutex_) {
    {
      const MutexLock lock(mutex_);
      if (running_) {
        return;
      }
      running_ = true;
      runner_ = std::this_thread::get_id();
    }
    Run();
  }

  /// No call begins after this, and none is running, except one that this is called from.
  void Close() ELB_EXCLUDES(mutex_) {
    const MutexLock lock(mutex_);
    closed_ = true;
    if (runner_ == std::this_thread::get_id()) {
      return;
    }
    while (running_) {
      stopped_.Wait(mutex_);
    }
  }

 private:
  void Run() ELB_EXCLUDES(mutex_) {
    while (const auto batch = Next()) {
      callback_(*batch);
    }
  }
  std::shared_ptr<const std::vector<Change>> Next() ELB_EXCLUDES(mutex_) {
    const MutexLock lock(mutex_);
    if (closed_ || queue_.empty()) {
      running_ = false;
      runner_ = std::thread::id();
      stopped_.NotifyAll();
      return nullptr;
    }
    auto batch = std::move(queue_.front());
    queue_.pop_front();
    return batch;
  }

  const ChangeCallback callback_;
  Mutex mutex_;
  ConditionVariable stopped_;
  std::deque<std::shared_ptr<const std::vector<Change>>> queue_ ELB_GUARDED_BY(mutex_);
  bool running_ ELB_GUARDED_BY(mutex_) = true;
  bool closed_ ELB_GUARDED_BY(mutex_) = false;
  std::thread::id runner_ ELB_GUARDED_BY(mutex_);
};

class Watchers::Registration final : public Subscription {
 public:
  Registration(Watchers& watchers, std::shared_ptr<Watcher> watcher)
      : watchers_(watchers), watcher_(std::move(watcher)) {}
  ~Registration() override {
    watchers_.Remove(watcher_);
    watcher_->Close();
  }
  Registration(const Registration&) = delete;
  Registration& operator=(const Registration&) = delete;
  Registration(Registration&&) = delete;
  Registration& operator=(Registration&&) = delete;

 private:
  Watchers& watchers_;
  std::shared_ptr<Watcher> watcher_;
};

Watchers::Watchers() = default;
Watchers::~Watchers() = default;

std::shared_ptr<Watchers::Watcher> Watchers::Register(ChangeCallback callback,
                                                      std::vector<Change> backlog) {
  auto watcher = std::make_shared<Watcher>(std::move(callback), std::move(backlog));
  const MutexLock lock(mutex_);
  watchers_.push_back(watcher);
  return watcher;
}

std::unique_ptr<Subscription> Watchers::Start(std::shared_ptr<Watcher> watcher) {
  watcher->Start();
  return std::make_unique<Registration>(*this, std::move(watcher));
}

void Watchers::Enqueue(std::vector<Change> changes) {
  const auto batch = std::make_shared<const std::vector<Change>>(std::move(changes));
  const MutexLock lock(mutex_);
  for (const auto& watcher : watchers_) {
    watcher->Push(batch);
  }
}

void Watchers::Deliver() {
  std::vector<std::shared_ptr<Watcher>> watchers;
  {
    const MutexLock lock(mutex_);
    watchers = watchers_;
  }
  for (const auto& watcher : watchers) {
    watcher->Deliver();
  }
}

void Watchers::Remove(const std::shared_ptr<Watcher>& watcher) {
  const MutexLock lock(mutex_);
  std::erase(watchers_, watcher);
}

}  // namespace elb::store
