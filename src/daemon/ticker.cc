#include "daemon/ticker.h"

#include <pthread.h>

#include <utility>

namespace elb::daemon {

Ticker::Ticker(std::chrono::milliseconds period, std::function<void()> on_tick)
    : period_(period), on_tick_(std::move(on_tick)), thread_([this] { Loop(); }) {}

Ticker::~Ticker() {
  {
    const MutexLock lock(mutex_);
    stopping_ = true;
    changed_.NotifyAll();
  }
  thread_.join();
}

void Ticker::Loop() {
  pthread_setname_np(pthread_self(), "elb-ticker");
  while (true) {
    {
      const MutexLock lock(mutex_);
      const auto next = std::chrono::steady_clock::now() + period_;
      while (!stopping_ && changed_.WaitUntil(mutex_, next)) {
      }
      if (stopping_) {
        return;
      }
    }
    on_tick_();
  }
}

}  // namespace elb::daemon
