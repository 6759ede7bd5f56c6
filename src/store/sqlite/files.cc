#include "store/sqlite/files.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <string>
#include <string_view>

namespace elb::store::sqlite {
namespace {

using std::filesystem::path;

std::unexpected<Error> FileFailure(const path& file, std::string_view problem) {
  return Failure(ErrorKind::kStorage, file.string(), fmt::format("{} {}", file.string(), problem));
}
std::unexpected<Error> SystemFailure(const path& file, std::string_view action) {
  return FileFailure(file, fmt::format("{}: {}", action, std::strerror(errno)));
}
std::unexpected<Error> Taken(const path& file) {
  return Conflict(file.string(), fmt::format("{} exists already", file.string()));
}

/// Closes a descriptor at the end of a scope.
class Descriptor {
 public:
  explicit Descriptor(int number) : number_(number) {}
  ~Descriptor() {
    if (number_ >= 0) {
      close(number_);
    }
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  Descriptor(Descriptor&&) = delete;
  Descriptor& operator=(Descriptor&&) = delete;
  [[nodiscard]] int get() const { return number_; }
  [[nodiscard]] bool valid() const { return number_ >= 0; }

 private:
  int number_;
};

/// What is created in the folder of `file` is found there after a crash.
Result<void> SyncFolderOf(const path& file) {
  const path folder = file.has_parent_path() ? file.parent_path() : path(".");
  const Descriptor opened(open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!opened.valid() || fsync(opened.get()) != 0) {
    return SystemFailure(folder, "cannot be written to the disk");
  }
  return {};
}

Result<void> MakePrivate(const path& file) {
  struct stat facts{};
  if (stat(file.c_str(), &facts) != 0) {
    return SystemFailure(file, "cannot be examined");
  }
  if (!S_ISREG(facts.st_mode)) {
    return FileFailure(file, "is not a regular file");
  }
  if ((facts.st_mode & 077) != 0 && chmod(file.c_str(), 0600) != 0) {
    return SystemFailure(file, "is open to others and its mode cannot be changed to 0600");
  }
  return {};
}

/// The number of the process that wrote itself into the lock file.
std::string HolderOf(int descriptor) {
  std::array<char, 20> text{};
  const ssize_t size = pread(descriptor, text.data(), text.size(), 0);
  return size <= 0 ? "another process"
                   : fmt::format("process {}", std::string_view(text.data(), std::size_t(size)));
}

}  // namespace

Result<std::unique_ptr<LockFile>> LockFile::Acquire(const path& path) {
  const int descriptor = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (descriptor < 0) {
    return SystemFailure(path, "cannot be opened");
  }
  std::unique_ptr<LockFile> lock(new LockFile(descriptor));
  if (flock(descriptor, LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK) {
      return SystemFailure(path, "cannot be locked");
    }
    return FileFailure(
        path, fmt::format("is locked: {} uses this data; stop it first", HolderOf(descriptor)));
  }
  const std::string holder = std::to_string(getpid());
  if (ftruncate(descriptor, 0) != 0 ||
      pwrite(descriptor, holder.data(), holder.size(), 0) != ssize_t(holder.size())) {
    return SystemFailure(path, "cannot be written");
  }
  return lock;
}

LockFile::~LockFile() { close(descriptor_); }

Result<void> PrepareFile(const path& file, IfExists existing) {
  {
    const Descriptor created(open(file.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
    if (!created.valid() && errno != EEXIST) {
      return SystemFailure(file, "cannot be created");
    }
    if (created.valid()) {
      return SyncFolderOf(file);
    }
  }
  return existing == IfExists::kUse ? MakePrivate(file) : Result<void>(Taken(file));
}

Result<void> Publish(const path& temporary, const path& target) {
  const Descriptor file(open(temporary.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file.valid() || fsync(file.get()) != 0) {
    return SystemFailure(temporary, "cannot be written to the disk");
  }
  if (renameat2(AT_FDCWD, temporary.c_str(), AT_FDCWD, target.c_str(), RENAME_NOREPLACE) != 0) {
    return errno == EEXIST ? Taken(target) : SystemFailure(target, "cannot be created");
  }
  return SyncFolderOf(target);
}

}  // namespace elb::store::sqlite
