#include "proxy/worker_thread.h"

#include <pthread.h>

#include <string>
#include <utility>

namespace elb::proxy {

WorkerThread::WorkerThread(std::size_t index, const Clock& clock, const LogSinks& logs,
                           const RequestIds& ids)
    : reactor_(clock),
      network_(reactor_),
      thread_([this, index, logs, ids] { Run(index, logs, ids); }) {}

WorkerThread::~WorkerThread() {
  reactor_.Stop();
  thread_.join();
}

void WorkerThread::Run(std::size_t index, const LogSinks& logs, const RequestIds& ids) {
  pthread_setname_np(pthread_self(), ("elb-worker-" + std::to_string(index)).c_str());
  worker_ = std::make_unique<Worker>(Worker::Parts{.index = index,
                                                   .reactor = &reactor_,
                                                   .network = &network_,
                                                   .logs = logs,
                                                   .ids = ids,
                                                   .frames = &frames_});
  reactor_.Run();
  worker_.reset();
}

void WorkerThread::Post(std::move_only_function<void(Worker&)> work) {
  reactor_.Post([this, work = std::move(work)]() mutable { work(*worker_); });
}

void WorkerThread::Adopt(std::vector<Descriptor> sockets) {
  reactor_.Post(
      [this, sockets = std::move(sockets)]() mutable { network_.Adopt(std::move(sockets)); });
}

void WorkerThread::DropAdopted() {
  reactor_.Post([this] { network_.DropAdopted(); });
}

void WorkerThread::Share(std::move_only_function<void(std::vector<Descriptor>)> taker) {
  reactor_.Post([this, taker = std::move(taker)]() mutable { taker(network_.Share()); });
}

}  // namespace elb::proxy
