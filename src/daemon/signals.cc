#include "daemon/signals.h"

#include <pthread.h>
#include <sys/signalfd.h>
#include <csignal>

#include <thread>
#include <utility>

#include "base/assert.h"
#include "base/descriptor.h"
#include "daemon/event_flag.h"

namespace elb::daemon {

struct StopSignals::State {
  std::function<void()> on_stop;
  Descriptor signals;
  EventFlag quit;
  std::jthread thread;

  void Wait() const {
    if (WaitForEither(signals, quit.descriptor())) {
      on_stop();
    }
  }
};

StopSignals::StopSignals(std::function<void()> on_stop) : state_(std::make_unique<State>()) {
  std::signal(SIGPIPE, SIG_IGN);
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGINT);
  sigaddset(&set, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  state_->on_stop = std::move(on_stop);
  state_->signals = Descriptor(signalfd(-1, &set, SFD_CLOEXEC));
  ELB_ASSERT(state_->signals.valid());
  state_->thread = std::jthread([state = state_.get()] { state->Wait(); });
}

StopSignals::~StopSignals() {
  state_->quit.Set();
  state_->thread.join();
}

}  // namespace elb::daemon
