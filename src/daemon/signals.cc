#include "daemon/signals.h"

#include <poll.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>
#include <csignal>

#include <array>
#include <cstdint>
#include <thread>
#include <utility>

#include "base/assert.h"

namespace elb::daemon {

struct StopSignals::State {
  std::function<void()> on_stop;
  int signals = -1;
  int quit = -1;
  std::jthread thread;

  void Wait() const {
    std::array<pollfd, 2> descriptors{pollfd{.fd = signals, .events = POLLIN, .revents = 0},
                                      pollfd{.fd = quit, .events = POLLIN, .revents = 0}};
    while (poll(descriptors.data(), descriptors.size(), -1) < 0) {
    }
    if (descriptors[0].revents != 0) {
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
  state_->signals = signalfd(-1, &set, SFD_CLOEXEC);
  state_->quit = eventfd(0, EFD_CLOEXEC);
  ELB_ASSERT(state_->signals >= 0 && state_->quit >= 0);
  state_->thread = std::jthread([state = state_.get()] { state->Wait(); });
}

StopSignals::~StopSignals() {
  const std::uint64_t one = 1;
  ELB_ASSERT(write(state_->quit, &one, sizeof(one)) == sizeof(one));
  state_->thread.join();
  close(state_->signals);
  close(state_->quit);
}

}  // namespace elb::daemon
