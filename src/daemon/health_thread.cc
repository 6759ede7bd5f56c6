#include "daemon/health_thread.h"

#include <pthread.h>

#include <utility>

namespace elb::daemon {

HealthThread::HealthThread(Parts parts)
    : reactor_(*parts.clock),
      network_(reactor_),
      prober_({.reactor = &reactor_,
               .network = &network_,
               .cells = parts.cells,
               .random = parts.random,
               .tls = std::move(parts.tls),
               .on_transition = std::move(parts.on_transition),
               .observer = std::move(parts.observer)}),
      thread_([this] {
        pthread_setname_np(pthread_self(), "elb-health");
        reactor_.Run();
      }) {}

HealthThread::~HealthThread() { Stop(); }

void HealthThread::Stop() {
  if (thread_.joinable()) {
    reactor_.Stop();
    thread_.join();
  }
}

}  // namespace elb::daemon
