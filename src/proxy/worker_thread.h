#pragma once

#include <memory>
#include <thread>

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

  /// Runs `work` on the worker's thread, later. Thread-safe.
  void Post(std::move_only_function<void(Worker&)> work);

 private:
  void Run(std::size_t index, const LogSinks& logs, const RequestIds& ids);

  net::EpollReactor reactor_;
  net::TcpNetwork network_;
  std::unique_ptr<Worker> worker_;
  std::jthread thread_;
};

}  // namespace elb::proxy
