#include "net/held_connections.h"

#include <sys/epoll.h>
#include <sys/socket.h>

#include <algorithm>
#include <utility>

#include "net/tcp_stream.h"

namespace elb::net {

class HeldConnections::Node final : public DescriptorHandler {
 public:
  Node(HeldConnections& owner, Descriptor socket, const Endpoint& peer)
      : owner_(&owner),
        arrived_at_(owner.reactor_->now()),
        socket_(std::move(socket)),
        peer_(peer) {}
  Node(const Node&) = delete;
  Node& operator=(const Node&) = delete;
  Node(Node&&) = delete;
  Node& operator=(Node&&) = delete;
  ~Node() override = default;

 private:
  friend class HeldConnections;
  void OnEvents(std::uint32_t events) override {
    if ((events & ~std::uint32_t{EPOLLOUT}) != 0) {  // That it can be written to is no news.
      owner_->HandOver(*this, events);
    }
  }
  [[nodiscard]] bool HasBytes() const {
    char byte = 0;
    return recv(socket_.get(), &byte, 1, MSG_PEEK | MSG_DONTWAIT) > 0;
  }

  HeldConnections* owner_;
  Node* older_ = nullptr;
  Node* newer_ = nullptr;
  MonotonicTime arrived_at_;
  Descriptor socket_;
  Endpoint peer_;
};

HeldConnections::~HeldConnections() {
  while (Node* node = oldest_) {
    Unlink(*node);
    reactor_->Remove(node->socket_.get(), *node);
    delete node;
  }
}

void HeldConnections::Add(Descriptor socket, const Endpoint& peer) {
  auto node = std::make_unique<Node>(*this, std::move(socket), peer);
  if (!reactor_->Add(node->socket_.get(), *node)) {
    handler_->OnHeldGone(nullptr);
    return;
  }
  node->older_ = newest_;
  (newest_ != nullptr ? newest_->newer_ : oldest_) = node.get();
  newest_ = node.release();
  if (oldest_ == newest_) {
    Arm();
  }
}

void HeldConnections::Unlink(Node& node) {
  (node.older_ != nullptr ? node.older_->newer_ : oldest_) = node.newer_;
  (node.newer_ != nullptr ? node.newer_->older_ : newest_) = node.older_;
}

/// May destroy its owner's caller, never the owner.
void HeldConnections::HandOver(Node& node, std::uint32_t events) {
  Unlink(node);
  const std::unique_ptr<Node> owned(&node);
  const bool gone = (events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0 && !node.HasBytes();
  auto stream = RegisteredStream(*reactor_, std::move(node.socket_), node.peer_, events);
  if (gone) {
    handler_->OnHeldGone(std::move(stream));
  } else {
    handler_->OnHeld(std::move(stream), node.arrived_at_);
  }
}

void HeldConnections::Release() {
  while (oldest_ != nullptr) {
    HandOver(*oldest_, 0);
  }
}

/// For the oldest one. A time that passes meanwhile for nobody costs one look.
void HeldConnections::Arm() {
  const auto time = std::chrono::ceil<std::chrono::milliseconds>(handler_->hold_time());
  reactor_->timers().Arm(*this, std::max(oldest_->arrived_at_ + time, reactor_->now()));
}

void HeldConnections::OnTimer() {
  const MonotonicTime due = reactor_->now() - handler_->hold_time();
  for (int i = 0; i < kOverduePerTurn && oldest_ != nullptr && oldest_->arrived_at_ <= due; ++i) {
    HandOver(*oldest_, 0);
  }
  if (oldest_ != nullptr) {
    Arm();
  }
}

}  // namespace elb::net
