#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "base/error.h"
#include "base/mutex.h"
#include "telemetry/line_ring.h"

namespace elb::telemetry {

/// Collects the lines of several writers and puts them into a file or on standard output, within a
/// tenth of a second. Writers never wait. A file that was renamed or removed is opened anew, so
/// that rotation by rename loses nothing.
class LogWriter {
 public:
  /// `path` empty: standard output. Errors: the file cannot be opened.
  [[nodiscard]] static Result<std::unique_ptr<LogWriter>> Create(const std::string& path,
                                                                 std::size_t writers);
  /// As `Create`, onto standard error, for lines that are rare and may be lost in a flood.
  [[nodiscard]] static std::unique_ptr<LogWriter> OnStandardError(std::size_t writers);
  /// Writes what is left.
  ~LogWriter();
  LogWriter(const LogWriter&) = delete;
  LogWriter& operator=(const LogWriter&) = delete;
  LogWriter(LogWriter&&) = delete;
  LogWriter& operator=(LogWriter&&) = delete;

  /// From `writer`'s own thread. False: dropped, the ring is full.
  [[nodiscard]] bool Offer(std::size_t writer, std::string_view line) {
    return rings_[writer]->Offer(line);
  }

 private:
  LogWriter(std::string path, int descriptor, std::size_t writers, std::size_t ring_bytes);
  void Loop();
  void WriteOut(LineRing& ring) const;
  void ReopenIfMoved();

  std::string path_;
  int descriptor_;
  std::vector<std::unique_ptr<LineRing>> rings_;
  Mutex mutex_;
  ConditionVariable changed_;
  bool stopping_ ELB_GUARDED_BY(mutex_) = false;
  std::jthread thread_;
};

}  // namespace elb::telemetry
