#include "net/signal.h"

#include <utility>

namespace elb::net {

Signal::~Signal() {
  if (waiting_ != nullptr) {
    waiting_->owner_ = {};
  }
}

bool Signal::HasNews() const { return notified_ || cancelled_ || deadline_ <= reactor_->now(); }

Wake Signal::TakeNews() {
  if (cancelled_) {
    return Wake::kCancelled;
  }
  if (std::exchange(notified_, false)) {
    return Wake::kNotified;
  }
  return deadline_ <= reactor_->now() ? Wake::kDeadline : Wake::kNotified;
}

void Signal::Notify() {
  notified_ = true;
  if (waiting_ != nullptr) {
    reactor_->MakeReady(*this);
  }
}

void Signal::Cancel() {
  cancelled_ = true;
  if (waiting_ != nullptr) {
    reactor_->MakeReady(*this);
  }
}

void Signal::SetDeadline(MonotonicTime deadline) {
  deadline_ = deadline;
  reactor_->timers().Arm(*this, deadline);
}

void Signal::ClearDeadline() {
  deadline_ = MonotonicTime::max();
  reactor_->timers().Arm(*this, MonotonicTime::max());
}

void Signal::OnReady() {
  if (waiting_ != nullptr) {
    std::exchange(std::exchange(waiting_, nullptr)->owner_, {}).resume();
  }
}

void Signal::OnTimer() {
  if (waiting_ != nullptr) {
    reactor_->MakeReady(*this);
  }
}

}  // namespace elb::net
