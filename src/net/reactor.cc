#include "net/reactor.h"

#include <utility>

namespace elb::net {

void ReadyNode::Unlink() {
  if (list_ != nullptr) {
    list_->Remove(*this);
  }
}

void ReadyList::Append(ReadyNode& node) {
  node.list_ = this;
  node.previous_ = tail_;
  node.next_ = nullptr;
  (tail_ != nullptr ? tail_->next_ : head_) = &node;
  tail_ = &node;
}

void ReadyList::Remove(ReadyNode& node) {
  (node.previous_ != nullptr ? node.previous_->next_ : head_) = node.next_;
  (node.next_ != nullptr ? node.next_->previous_ : tail_) = node.previous_;
  node.previous_ = node.next_ = nullptr;
  node.list_ = nullptr;
}

void ReadyList::TakeAll(ReadyList& from) {
  while (ReadyNode* node = from.head_) {
    from.Remove(*node);
    Append(*node);
  }
}

void ReadyList::Clear() {
  while (head_ != nullptr) {
    Remove(*head_);
  }
}

Reactor::Reactor(const Clock& clock)
    : clock_(&clock),
      now_(clock.Now()),
      wall_now_(clock.WallNow()),
      timers_(now_),
      read_scratch_storage_(kReadScratchBytes),
      head_scratch_storage_(kHeadScratchBytes),
      read_scratch_(read_scratch_storage_),
      head_scratch_(head_scratch_storage_) {}

Reactor::~Reactor() { ready_.Clear(); }

void Reactor::MakeReady(ReadyNode& node) {
  if (node.list_ == nullptr) {
    ready_.Append(node);
  }
}

void Reactor::Post(Work work) {
  bool first = false;
  {
    const MutexLock lock(posted_mutex_);
    first = posted_.empty();
    posted_.push_back(std::move(work));
    // Ordered before `WakeUp` looks whether the reactor sleeps, as the reactor says that it sleeps
    // before it looks here: one of the two sees the other.
    has_posted_.store(true, std::memory_order_seq_cst);
  }
  if (first) {
    WakeUp();
  }
}

void Reactor::UpdateTime() {
  now_ = clock_->Now();
  wall_now_ = clock_->WallNow();
  ++turn_;
}

void Reactor::RunPosted() {
  std::vector<Work> work;
  {
    const MutexLock lock(posted_mutex_);
    work = std::move(posted_);
    posted_.clear();
    has_posted_.store(false, std::memory_order_relaxed);
  }
  for (Work& item : work) {
    item();
    item = nullptr;
  }
}

/// What becomes ready meanwhile waits for the next turn, so that descriptors get their share.
bool Reactor::RunReady() {
  ReadyList turn;
  turn.TakeAll(ready_);
  bool any = false;
  while (ReadyNode* node = turn.head_) {
    turn.Remove(*node);
    node->OnReady();
    any = true;
  }
  return any;
}

bool Reactor::RunTurn() {
  UpdateTime();
  bool any = false;
  if (has_posted_.load(std::memory_order_acquire)) {
    RunPosted();
    any = true;
  }
  any |= timers_.Advance(now_);
  any |= RunReady();
  return any;
}

}  // namespace elb::net
