#include "daemon/data_directory.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <system_error>
#include <utility>

#include "store/sqlite/sqlite_store.h"

namespace elb::daemon {
namespace {

namespace fs = std::filesystem;

std::unexpected<Error> FileFailure(const fs::path& file, std::string_view action) {
  return Failure(ErrorKind::kStorage, file.string(),
                 fmt::format("{} {}: {}", file.string(), action, std::strerror(errno)));
}

Result<void> MakeDirectory(const fs::path& path) {
  std::error_code failed;
  if (path.has_parent_path()) {
    fs::create_directories(path.parent_path(), failed);
  }
  if (mkdir(path.c_str(), 0700) != 0 && errno != EEXIST) {
    return FileFailure(path, "cannot be made");
  }
  if (!fs::is_directory(path, failed)) {
    return Failure(ErrorKind::kStorage, path.string(),
                   fmt::format("{} is not a directory", path.string()));
  }
  return {};
}

std::string EnvironmentOr(const char* name, const std::string& otherwise) {
  const char* value = std::getenv(name);  // NOLINT(concurrency-mt-unsafe): before any thread.
  return value != nullptr && *value != '\0' ? value : otherwise;
}

}  // namespace

fs::path DataDirectory::Default() {
  if (const std::string own = EnvironmentOr("ELB_DATA_DIR", ""); !own.empty()) {
    return own;
  }
  const fs::path home = EnvironmentOr("HOME", "/");
  return fs::path(EnvironmentOr("XDG_STATE_HOME", (home / ".local/state").string())) / "elb";
}

DataDirectory::DataDirectory(fs::path path, std::unique_ptr<crypto::Sealer> sealer)
    : path_(std::move(path)), sealer_(std::move(sealer)) {}

Result<std::unique_ptr<DataDirectory>> DataDirectory::Open(const fs::path& path) {
  ELB_RETURN_IF_ERROR(MakeDirectory(path));
  const fs::path database = path / "elb.db";
  // A store without its key would be a new, empty one in the user's eyes: say what is missing.
  std::error_code failed;
  const auto missing =
      fs::exists(database, failed) ? crypto::KeyFile::kMustExist : crypto::KeyFile::kCreate;
  ELB_ASSIGN_OR_RETURN(std::unique_ptr<crypto::Sealer> sealer,
                       crypto::Sealer::Open(path / "node.key", missing));
  auto directory = std::unique_ptr<DataDirectory>(new DataDirectory(path, std::move(sealer)));
  ELB_ASSIGN_OR_RETURN(directory->store_, store::SqliteStore::Open(database, *directory->sealer_));
  return directory;
}

Result<void> DataDirectory::WriteFile(const std::string& name, const std::string& content) const {
  const fs::path target = path_ / name;
  fs::path temporary = target;
  temporary += ".new";
  const int file =
      open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (file < 0) {
    return FileFailure(temporary, "cannot be created");
  }
  const ssize_t written = write(file, content.data(), content.size());
  const bool complete = written == static_cast<ssize_t>(content.size()) && fsync(file) == 0;
  close(file);
  if (!complete || rename(temporary.c_str(), target.c_str()) != 0) {
    return FileFailure(target, "cannot be written");
  }
  return {};
}

}  // namespace elb::daemon
