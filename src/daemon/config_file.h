#pragma once

#include <cstdint>
#include <string>

#include "base/error.h"
#include "control/node_config.h"
#include "proxy/access_log.h"

namespace elb::daemon {

/// The configuration file of `elbd serve` (api-extensions.md 12) with the defaults of a laptop.
struct DaemonConfig {
  control::NodeConfig node;
  std::string api_address = "127.0.0.1";
  std::uint16_t api_port = 9080;  ///< 0: any free one.
  std::size_t workers = 0;        ///< 0: one per core.
  bool access_log = false;
  proxy::AccessLogOptions access_log_options;
  std::string access_log_file;  ///< Empty: standard output.
};

/// Reads `path` over the defaults in `config`. Errors name file, line and key.
[[nodiscard]] Result<void> ReadConfigFile(const std::string& path, DaemonConfig& config);

/// A subnet from its name and range: ids are derived, so that they are the same at every start.
[[nodiscard]] Result<control::SubnetConfig> MakeSubnet(const std::string& name,
                                                       const std::string& cidr,
                                                       const std::string& vpc_id);

/// Where automatic addresses of a range begin.
struct FirstAddresses {
  std::string vip;
  std::string eip;
};
[[nodiscard]] FirstAddresses FirstAddressesOf(const control::SubnetConfig& subnet);

}  // namespace elb::daemon
