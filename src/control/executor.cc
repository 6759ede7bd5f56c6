#include "control/executor.h"

#include <pthread.h>

#include <memory>
#include <utility>

namespace elb::control {

Executor::Executor(const char* name) : thread_([this, name] { Loop(name); }) {}

Executor::~Executor() {
  {
    const MutexLock lock(mutex_);
    stopping_ = true;
    changed_.NotifyAll();
  }
  thread_.join();
}

void Executor::Run(Work work) {
  const MutexLock lock(mutex_);
  queue_.push_back(std::move(work));
  changed_.NotifyAll();
}

void Executor::RunAndWait(Work work) {
  struct Done {
    Mutex mutex;
    ConditionVariable changed;
    bool done ELB_GUARDED_BY(mutex) = false;
  };
  auto done = std::make_shared<Done>();
  Run([done, work = std::move(work)]() mutable {
    work();
    const MutexLock lock(done->mutex);
    done->done = true;
    done->changed.NotifyAll();
  });
  const MutexLock lock(done->mutex);
  while (!done->done) {
    done->changed.Wait(done->mutex);
  }
}

void Executor::Loop(const char* name) {
  pthread_setname_np(pthread_self(), name);
  while (true) {
    Work work;
    {
      const MutexLock lock(mutex_);
      while (queue_.empty() && !stopping_) {
        changed_.Wait(mutex_);
      }
      if (queue_.empty()) {
        return;
      }
      work = std::move(queue_.front());
      queue_.pop_front();
    }
    work();
  }
}

}  // namespace elb::control
