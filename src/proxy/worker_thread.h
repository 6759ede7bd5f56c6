#pragma once

#include <atomic>
#include <cstddef>
#include <functional>
#include <memory>
#include <thread>
#include <vector>

#include "base/descriptor.h"
#include "net/reactor.h"
#include "net/tcp_stream.h"
#include "proxy/worker.h"

namespace elb::proxy {

/// A worker with its reactor, network and thread. The worker is made and destroyed on that thread.
class WorkerThread {
 public:
  WorkerThread(std::size_t index, const Clock& clock, const LogSinks& logs, const RequestIds& ids);
  ~WorkerThread();
  WorkerThread(const WorkerThread&) = delete;
  WorkerThread& operator=(const WorkerThread&) = delete;
  WorkerThread(WorkerThread&&) = delete;
  WorkerThread& operator=(WorkerThread&&) = delete;

  /// Listening sockets of another process, for the listeners that the next generations bring.
  void Adopt(std::vector<Descriptor> sockets);
  /// Closes what no listener took.
  void DropAdopted();
  /// Passes duplicates of all listening sockets to `taker`, on the worker's thread.
  void Share(std::move_only_function<void(std::vector<Descriptor>)> taker);

  /// Coroutine frames in use, as of the last sweep. Thread-safe.
  [[nodiscard]] std::size_t frames() const { return frames_.load(std::memory_order_relaxed); }

  /// Runs `work` on the worker's thread, later. Thread-safe.
  void Post(std::move_only_function<void(Worker&)> work);

 private:
  void Run(std::size_t index, const LogSinks& logs, const RequestIds& ids);

  std::atomic<std::size_t> frames_ = 0;
  net::EpollReactor reactor_;
  net::TcpNetwork network_;
  std::unique_ptr<Worker> worker_;
  std::jthread thread_;
};

}  // namespace elb::proxy
