#include "telemetry/log_writer.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <pthread.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <utility>

namespace elb::telemetry {
namespace {

constexpr std::size_t kRingBytes = 8 * 1024 * 1024;
constexpr std::size_t kSmallRingBytes = 64 * 1024;
constexpr std::chrono::milliseconds kPeriod{50};

int OpenFile(const std::string& path) {
  return open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
}

}  // namespace

Result<std::unique_ptr<LogWriter>> LogWriter::Create(const std::string& path, std::size_t writers) {
  const int descriptor = path.empty() ? STDOUT_FILENO : OpenFile(path);
  if (descriptor < 0) {
    return Failure(ErrorKind::kInvalid, "access_log.file",
                   fmt::format("cannot open {}: {}", path, std::strerror(errno)));
  }
  return std::unique_ptr<LogWriter>(new LogWriter(path, descriptor, writers, kRingBytes));
}

std::unique_ptr<LogWriter> LogWriter::OnStandardError(std::size_t writers) {
  return std::unique_ptr<LogWriter>(new LogWriter({}, STDERR_FILENO, writers, kSmallRingBytes));
}

LogWriter::LogWriter(std::string path, int descriptor, std::size_t writers, std::size_t ring_bytes)
    : path_(std::move(path)), descriptor_(descriptor) {
  for (std::size_t i = 0; i < writers; ++i) {
    rings_.push_back(std::make_unique<LineRing>(ring_bytes));
  }
  thread_ = std::jthread([this] { Loop(); });
}

LogWriter::~LogWriter() {
  {
    const MutexLock lock(mutex_);
    stopping_ = true;
    changed_.NotifyAll();
  }
  thread_.join();
  if (!path_.empty() && descriptor_ >= 0) {
    close(descriptor_);
  }
}

void LogWriter::Loop() {
  pthread_setname_np(pthread_self(), "elb-log");
  bool last = false;
  while (!last) {
    {
      const MutexLock lock(mutex_);
      if (!stopping_) {
        changed_.WaitUntil(mutex_, std::chrono::steady_clock::now() + kPeriod);
      }
      last = stopping_;
    }
    for (const auto& ring : rings_) {
      if (!ring->Peek().first.empty()) {
        ReopenIfMoved();
        WriteOut(*ring);
      }
    }
  }
}

// Straight from the ring: a disk that is slow for a while costs no second buffer.
void LogWriter::WriteOut(LineRing& ring) const {
  const LineRing::Lines lines = ring.Peek();
  for (std::string_view left : {lines.first, lines.second}) {
    while (!left.empty()) {
      const ssize_t count = write(descriptor_, left.data(), left.size());
      if (count < 0 && errno == EINTR) {
        continue;
      }
      // A full disk must not stop the service; the lines are lost.
      const std::size_t done = count < 0 ? left.size() : static_cast<std::size_t>(count);
      left.remove_prefix(done);
      ring.Release(done);
    }
  }
}

void LogWriter::ReopenIfMoved() {
  if (path_.empty()) {
    return;
  }
  struct stat named{};
  struct stat opened{};
  const bool same = stat(path_.c_str(), &named) == 0 && fstat(descriptor_, &opened) == 0 &&
                    named.st_ino == opened.st_ino && named.st_dev == opened.st_dev;
  if (same) {
    return;
  }
  const int fresh = OpenFile(path_);
  if (fresh >= 0) {
    close(std::exchange(descriptor_, fresh));
  }
}

}  // namespace elb::telemetry
