#pragma once

#include <filesystem>
#include <string>

#include "base/error.h"
#include "daemon/log.h"
#include "daemon/sample_backend.h"

namespace elb::daemon {

struct ServeOptions {
  std::filesystem::path data_directory;
  std::string config_file;  ///< Empty: none.
  LogFormat log_format = LogFormat::kText;
  bool sample = false;      ///< Create the sample service at the first start.
  std::string api_address;  ///< Empty: as configured.
  int api_port = -1;        ///< Negative: as configured.
  /// Goes on where the process that serves the data directory is; as a first start when none does.
  bool take_over = false;
};

/// `elbd serve`: runs until SIGINT or SIGTERM, or until another process has taken over.
[[nodiscard]] Result<void> Serve(const ServeOptions& options);

struct InitOptions {
  std::filesystem::path data_directory;
  std::string admin;
  std::string password_file;  ///< Empty: a password is generated and printed.
  std::string project = "eu-de";
};

/// `elbd init`: makes the first administrator on a stopped node.
[[nodiscard]] Result<void> Init(const InitOptions& options);

/// `elbd check`: reads configuration file and store, and prepares everything that `serve` would put
/// in force, without serving.
[[nodiscard]] Result<void> Check(const ServeOptions& options);

}  // namespace elb::daemon
