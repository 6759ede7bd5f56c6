#include <fcntl.h>
#include <fmt/format.h>
#include <openssl/crypto.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <span>
#include <string>

#include "base/random.h"
#include "crypto/sealing.h"

namespace elb::crypto {
namespace {

using std::filesystem::path;

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

std::unexpected<Error> KeyFileFailure(const path& file, std::string_view problem) {
  return Failure(ErrorKind::kStorage, file.string(),
                 fmt::format("node key file {}: {}", file.string(), problem));
}
std::unexpected<Error> SystemFailure(const path& file, std::string_view action) {
  const int code = errno;
  return KeyFileFailure(file, fmt::format("{}: {}", action, std::strerror(code)));
}

path FolderOf(const path& file) { return file.has_parent_path() ? file.parent_path() : path("."); }

/// Writes a fresh key under a temporary name, all of it on the disk.
Result<void> WriteKey(const path& temporary) {
  const Descriptor file(
      open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!file.valid()) {
    return SystemFailure(temporary, "cannot be created");
  }
  SealingKey key;
  SystemRandom random;
  random.Fill(key);
  const ssize_t written = write(file.get(), key.data(), key.size());
  OPENSSL_cleanse(key.data(), key.size());
  if (written != static_cast<ssize_t>(key.size()) || fsync(file.get()) != 0) {
    return SystemFailure(temporary, "cannot be written");
  }
  return {};
}

/// Makes the key file complete or not at all; an existing one (made at the same time by another
/// process) stays.
Result<void> CreateKeyFile(const path& file) {
  SystemRandom random;
  path temporary = file;
  temporary += fmt::format(".{}.new", NewHex32(random));
  const Result<void> written = WriteKey(temporary);
  const bool linked = written && link(temporary.c_str(), file.c_str()) == 0;
  const int code = errno;
  unlink(temporary.c_str());
  if (!written) {
    return written;
  }
  errno = code;
  if (!linked && code != EEXIST) {
    return SystemFailure(file, "cannot be created");
  }
  const Descriptor folder(open(FolderOf(file).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!folder.valid() || fsync(folder.get()) != 0) {
    return SystemFailure(file, "its folder cannot be written to the disk");
  }
  return {};
}

Result<void> CheckKeyFile(int file, const path& name) {
  struct stat facts{};
  if (fstat(file, &facts) != 0) {
    return SystemFailure(name, "cannot be examined");
  }
  if (!S_ISREG(facts.st_mode)) {
    return KeyFileFailure(name, "is not a regular file");
  }
  if ((facts.st_mode & 077) != 0) {
    return KeyFileFailure(name, fmt::format("mode {:04o} lets others use it; run: chmod 600 {}",
                                            facts.st_mode & 07777, name.string()));
  }
  if (facts.st_size != static_cast<off_t>(sizeof(SealingKey))) {
    return KeyFileFailure(name, fmt::format("has {} bytes instead of {}; it is damaged or not a "
                                            "node key file",
                                            facts.st_size, sizeof(SealingKey)));
  }
  return {};
}

}  // namespace

Result<std::unique_ptr<Sealer>> Sealer::Open(const path& path, KeyFile missing) {
  if (missing == KeyFile::kCreate && access(path.c_str(), F_OK) != 0 && errno == ENOENT) {
    ELB_RETURN_IF_ERROR(CreateKeyFile(path));
  }
  // O_NONBLOCK: opening a FIFO by mistake must not hang.
  const Descriptor file(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!file.valid()) {
    return SystemFailure(path, "cannot be opened");
  }
  ELB_RETURN_IF_ERROR(CheckKeyFile(file.get(), path));
  SealingKey key;
  if (read(file.get(), key.data(), key.size()) != static_cast<ssize_t>(key.size())) {
    return SystemFailure(path, "cannot be read");
  }
  auto sealer = std::make_unique<Sealer>(key);
  OPENSSL_cleanse(key.data(), key.size());
  return sealer;
}

}  // namespace elb::crypto
