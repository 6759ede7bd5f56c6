#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "base/clock.h"
#include "base/mutex.h"
#include "net/timer_wheel.h"

namespace elb::net {

class ReadyList;

/// Something that can stand on a reactor's ready list. Removes itself when destroyed.
class ReadyNode {
 public:
  ReadyNode() = default;
  ReadyNode(const ReadyNode&) = delete;
  ReadyNode& operator=(const ReadyNode&) = delete;
  ReadyNode(ReadyNode&&) = delete;
  ReadyNode& operator=(ReadyNode&&) = delete;

 protected:
  ~ReadyNode() { Unlink(); }
  /// The reactor reached this node; it is off the list again.
  virtual void OnReady() = 0;

 private:
  friend class Reactor;
  friend class ReadyList;
  void Unlink();
  ReadyList* list_ = nullptr;  ///< Null when on none.
  ReadyNode* previous_ = nullptr;
  ReadyNode* next_ = nullptr;
};

/// Doubly linked list of nodes, in the order in which they became ready. One thread.
class ReadyList {
 public:
  void Append(ReadyNode& node);
  void Remove(ReadyNode& node);
  void TakeAll(ReadyList& from);
  /// Lets go of all nodes.
  void Clear();
  [[nodiscard]] bool empty() const { return head_ == nullptr; }

 private:
  friend class Reactor;
  ReadyNode* head_ = nullptr;
  ReadyNode* tail_ = nullptr;
};

/// Told about a descriptor's edges. `events` are EPOLL* bits.
class DescriptorHandler {
 public:
  virtual ~DescriptorHandler() = default;
  virtual void OnEvents(std::uint32_t events) = 0;
};

/// One thread's event loop: ready list, timers, posted work, and (in `EpollReactor`) descriptors.
/// All members but `Post` and `Stop` belong to the thread that runs it. The base class alone, with
/// a `ManualClock`, drives simulations: nothing in it touches the kernel. Signals and timers may
/// outlive it.
class Reactor {
 public:
  using Work = std::move_only_function<void()>;

  explicit Reactor(const Clock& clock);
  virtual ~Reactor();
  Reactor(const Reactor&) = delete;
  Reactor& operator=(const Reactor&) = delete;
  Reactor(Reactor&&) = delete;
  Reactor& operator=(Reactor&&) = delete;

  /// Time at the start of this turn.
  [[nodiscard]] MonotonicTime now() const { return now_; }
  /// Wall clock time at the start of this turn.
  [[nodiscard]] WallTime wall_now() const { return wall_now_; }

  /// Number of this turn; tells turns apart that began at the same time.
  [[nodiscard]] std::uint64_t turn() const { return turn_; }

  /// Appends to the ready list; a node already on it stays where it is.
  void MakeReady(ReadyNode& node);
  [[nodiscard]] TimerWheel& timers() { return timers_; }

  /// Runs `work` on the reactor's thread in a later turn. Thread-safe. Work posted to a reactor
  /// that never runs again is destroyed with it, unrun.
  void Post(Work work) ELB_EXCLUDES(posted_mutex_);

  /// One turn without waiting: clock, posted work, due timers, everything that is ready now (what
  /// becomes ready meanwhile runs in the next turn). False when there was nothing to do.
  bool RunTurn();

  /// Per-thread scratch, valid until the next suspension; never held across a `co_await`.
  /// `read_scratch` is for bytes taken from a stream by the code that pumps it, `head_scratch` for
  /// message heads being written.
  [[nodiscard]] std::span<std::byte> read_scratch() { return read_scratch_; }
  [[nodiscard]] std::span<char> head_scratch() { return head_scratch_; }

  static constexpr std::size_t kReadScratchBytes = 256 * 1024;
  static constexpr std::size_t kHeadScratchBytes = 160 * 1024;

 protected:
  /// Called after work was posted from another thread.
  virtual void WakeUp() {}
  void UpdateTime();
  [[nodiscard]] bool HasReady() const { return !ready_.empty(); }
  [[nodiscard]] MonotonicTime timers_next() const { return timers_.NextWakeUp(); }
  [[nodiscard]] bool HasPosted() const { return has_posted_.load(std::memory_order_seq_cst); }

 private:
  void RunPosted() ELB_EXCLUDES(posted_mutex_);
  bool RunReady();

  const Clock* clock_;
  MonotonicTime now_;
  WallTime wall_now_;
  std::uint64_t turn_ = 0;
  TimerWheel timers_;
  ReadyList ready_;
  Mutex posted_mutex_;
  std::vector<Work> posted_ ELB_GUARDED_BY(posted_mutex_);
  std::atomic<bool> has_posted_ = false;
  std::vector<std::byte> read_scratch_storage_;
  std::vector<char> head_scratch_storage_;
  std::span<std::byte> read_scratch_;
  std::span<char> head_scratch_;
};

/// The reactor over epoll. Descriptors are added once, edge-triggered, for everything
/// (EPOLLIN|EPOLLOUT|EPOLLRDHUP|EPOLLET), and never modified.
class EpollReactor final : public Reactor {
 public:
  explicit EpollReactor(const Clock& clock);
  ~EpollReactor() override;
  EpollReactor(const EpollReactor&) = delete;
  EpollReactor& operator=(const EpollReactor&) = delete;
  EpollReactor(EpollReactor&&) = delete;
  EpollReactor& operator=(EpollReactor&&) = delete;

  /// Registers `descriptor`; `handler` must outlive the registration. False: errno tells why.
  [[nodiscard]] bool Add(int descriptor, DescriptorHandler& handler);
  /// As `Add`, level-triggered and for input only: listening sockets.
  [[nodiscard]] bool AddListening(int descriptor, DescriptorHandler& handler);
  /// Events of a registered descriptor go to `handler` from now on.
  void Rebind(int descriptor, DescriptorHandler& handler);
  /// Before the descriptor is closed. Events already fetched for it are not delivered any more.
  void Remove(int descriptor, DescriptorHandler& handler);

  /// Runs turns until `Stop`. Waits in the kernel when nothing is ready. A stop that came before
  /// ends it at once; after it has returned it may be called again.
  void Run();
  /// Ends `Run` after the current turn. Thread-safe.
  void Stop();

 protected:
  void WakeUp() override;

 private:
  /// What epoll hands back for a descriptor. Kept until the batch is over after `Remove`, so that a
  /// late event finds a dead registration instead of a dead handler.
  struct Registration {
    DescriptorHandler* handler = nullptr;
    int descriptor = -1;
  };
  [[nodiscard]] bool AddWith(int descriptor, DescriptorHandler& handler, std::uint32_t events);
  void Poll(int timeout_ms);
  [[nodiscard]] int TimeoutMillis() const;

  int epoll_ = -1;
  int wake_ = -1;
  std::atomic<bool> stopping_ = false;
  std::atomic<bool> sleeping_ = false;
  std::vector<std::unique_ptr<Registration>> registrations_;  ///< By descriptor.
  std::vector<std::unique_ptr<Registration>> removed_;        ///< Freed after the batch.
};

}  // namespace elb::net
