#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>

#include "base/error.h"
#include "crypto/sealing.h"
#include "store/store.h"

namespace elb::daemon {

/// Everything a node keeps: the store, the key that seals its secrets, small files for tools.
class DataDirectory {
 public:
  /// `$ELB_DATA_DIR`, else `$XDG_STATE_HOME/elb`, else `~/.local/state/elb`.
  [[nodiscard]] static std::filesystem::path Default();
  /// Makes the directory (mode 0700) when it does not exist and opens the store in it, which no
  /// other process may have open. Errors name the file and what to do.
  [[nodiscard]] static Result<std::unique_ptr<DataDirectory>> Open(
      const std::filesystem::path& path);

  [[nodiscard]] store::Store& store() { return *store_; }
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

  /// Writes `name` anew, complete or not at all, readable for the owner alone.
  [[nodiscard]] Result<void> WriteFile(const std::string& name, const std::string& content) const;

 private:
  DataDirectory(std::filesystem::path path, std::unique_ptr<crypto::Sealer> sealer);

  std::filesystem::path path_;
  std::unique_ptr<crypto::Sealer> sealer_;
  std::unique_ptr<store::Store> store_;
};

}  // namespace elb::daemon
