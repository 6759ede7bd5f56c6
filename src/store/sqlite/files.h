#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>

#include "base/error.h"

namespace elb::store::sqlite {

/// Keeps other processes, and other stores of this one, away from a data file: a lock (`flock(2)`)
/// on a file of its own, which the kernel gives back whatever way the process ends.
class LockFile {
 public:
  /// kStorage when another holds it; the message names the process.
  [[nodiscard]] static Result<std::unique_ptr<LockFile>> Acquire(const std::filesystem::path& path);
  ~LockFile();
  LockFile(const LockFile&) = delete;
  LockFile& operator=(const LockFile&) = delete;
  LockFile(LockFile&&) = delete;
  LockFile& operator=(LockFile&&) = delete;

 private:
  explicit LockFile(int descriptor) : descriptor_(descriptor) {}
  int descriptor_;
};

enum class IfExists : std::uint8_t { kUse, kRefuse };

/// Makes an empty file of mode 0600 that survives a crash, or takes rights of group and others away
/// from an existing one. kConflict: it exists and must not; kStorage: anything else.
[[nodiscard]] Result<void> PrepareFile(const std::filesystem::path& file, IfExists existing);

/// Gives `temporary` its final name, which must not be taken (kConflict), and writes both to the
/// disk.
[[nodiscard]] Result<void> Publish(const std::filesystem::path& temporary,
                                   const std::filesystem::path& target);

}  // namespace elb::store::sqlite
