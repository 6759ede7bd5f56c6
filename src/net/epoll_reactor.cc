#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <utility>

#include "base/assert.h"
#include "net/reactor.h"

namespace elb::net {
namespace {

constexpr int kEventsPerPoll = 256;

}  // namespace

EpollReactor::EpollReactor(const Clock& clock)
    : Reactor(clock),
      epoll_(epoll_create1(EPOLL_CLOEXEC)),
      wake_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  ELB_ASSERT(epoll_ >= 0 && wake_ >= 0);
  epoll_event event{};
  event.events = EPOLLIN | EPOLLET;
  event.data.ptr = nullptr;
  ELB_ASSERT(epoll_ctl(epoll_, EPOLL_CTL_ADD, wake_, &event) == 0);
}

EpollReactor::~EpollReactor() {
  close(wake_);
  close(epoll_);
}

bool EpollReactor::AddWith(int descriptor, DescriptorHandler& handler, std::uint32_t events) {
  const auto index = static_cast<std::size_t>(descriptor);
  if (registrations_.size() <= index) {
    registrations_.resize(std::max(index + 1, registrations_.size() * 2));
  }
  auto registration =
      std::make_unique<Registration>(Registration{.handler = &handler, .descriptor = descriptor});
  epoll_event event{};
  event.events = events;
  event.data.ptr = registration.get();
  if (epoll_ctl(epoll_, EPOLL_CTL_ADD, descriptor, &event) != 0) {
    return false;
  }
  registrations_[index] = std::move(registration);
  return true;
}

bool EpollReactor::Add(int descriptor, DescriptorHandler& handler) {
  return AddWith(descriptor, handler, EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET);
}

bool EpollReactor::AddListening(int descriptor, DescriptorHandler& handler) {
  return AddWith(descriptor, handler, EPOLLIN);
}

void EpollReactor::Rebind(int descriptor, DescriptorHandler& handler) {
  const auto& registration = registrations_[static_cast<std::size_t>(descriptor)];
  ELB_ASSERT(registration != nullptr && registration->handler != nullptr);
  registration->handler = &handler;
}

void EpollReactor::Remove(int descriptor, DescriptorHandler& handler) {
  auto& registration = registrations_[static_cast<std::size_t>(descriptor)];
  ELB_ASSERT(registration != nullptr && registration->handler == &handler);
  registration->handler = nullptr;
  epoll_event unused{};
  epoll_ctl(epoll_, EPOLL_CTL_DEL, descriptor, &unused);
  removed_.push_back(std::move(registration));
}

void EpollReactor::WakeUp() {
  if (!sleeping_.load(std::memory_order_seq_cst)) {
    return;  // The reactor looks at posted work before it sleeps.
  }
  const std::uint64_t one = 1;
  static_cast<void>(!write(wake_, &one, sizeof(one)));
}

void EpollReactor::Stop() {
  stopping_.store(true, std::memory_order_seq_cst);
  const std::uint64_t one = 1;
  static_cast<void>(!write(wake_, &one, sizeof(one)));
}

int EpollReactor::TimeoutMillis() const {
  const MonotonicTime next = timers_next();
  if (next == MonotonicTime::max()) {
    return -1;
  }
  const auto wait = std::chrono::ceil<std::chrono::milliseconds>(next - now());
  return static_cast<int>(std::clamp<std::int64_t>(wait.count(), 0, 60'000));
}

void EpollReactor::Poll(int timeout_ms) {
  // NOLINTNEXTLINE(cppcoreguidelines-pro-type-member-init): the kernel fills what is read.
  std::array<epoll_event, kEventsPerPoll> events;
  const int count = epoll_wait(epoll_, events.data(), kEventsPerPoll, timeout_ms);
  sleeping_.store(false, std::memory_order_relaxed);
  if (count > 0) {
    UpdateTime();
  }
  for (int i = 0; i < count; ++i) {
    const epoll_event& event = events[static_cast<std::size_t>(i)];
    auto* registration = static_cast<Registration*>(event.data.ptr);
    if (registration == nullptr) {
      std::uint64_t ignored = 0;
      static_cast<void>(!read(wake_, &ignored, sizeof(ignored)));
    } else if (registration->handler != nullptr) {
      registration->handler->OnEvents(event.events);
    }
  }
  removed_.clear();
}

void EpollReactor::Run() {
  while (!stopping_.load(std::memory_order_acquire)) {
    RunTurn();
    if (HasReady()) {
      Poll(0);
      continue;
    }
    sleeping_.store(true, std::memory_order_seq_cst);
    if (HasPosted() || stopping_.load(std::memory_order_seq_cst)) {
      sleeping_.store(false, std::memory_order_relaxed);
      Poll(0);
      continue;
    }
    Poll(TimeoutMillis());
  }
  stopping_.store(false, std::memory_order_relaxed);
}

}  // namespace elb::net
