#include "daemon/commands.h"

#include <fmt/format.h>

#include <array>
#include <cstddef>
#include <cstdio>
#include <fstream>
#include <semaphore>

#include "base/random.h"
#include "control/accounts.h"
#include "crypto/encoding.h"
#include "daemon/config_file.h"
#include "daemon/node.h"
#include "daemon/signals.h"

namespace elb::daemon {
namespace {

Result<DaemonConfig> ReadConfig(const ServeOptions& options) {
  DaemonConfig config;
  if (!options.config_file.empty()) {
    ELB_RETURN_IF_ERROR(ReadConfigFile(options.config_file, config));
  }
  if (!options.api_address.empty()) {
    config.api_address = options.api_address;
  }
  if (options.api_port >= 0) {
    config.api_port = static_cast<std::uint16_t>(options.api_port);
  }
  return config;
}

/// The first line of a file, as the password.
Result<std::string> ReadPassword(const std::string& path) {
  std::ifstream file(path);
  std::string password;
  if (!std::getline(file, password)) {
    return Invalid("password-file", fmt::format("{} cannot be read", path));
  }
  return password;
}

std::string GeneratePassword(Random& random) {
  std::array<std::byte, 18> bits{};
  random.Fill(bits);
  return crypto::Base64UrlEncode(crypto::AsText(bits));
}

}  // namespace

Result<void> Serve(const ServeOptions& options) {
  std::binary_semaphore stop(0);
  const StopSignals signals([&stop] { stop.release(); });  // Before any other thread.
  Log log(options.log_format);
  ELB_ASSIGN_OR_RETURN(DaemonConfig config, ReadConfig(options));
  ELB_ASSIGN_OR_RETURN(
      const std::unique_ptr<Node> node,
      Node::Start({.config = std::move(config), .data_directory = options.data_directory}, log));
  if (!node->has_administrator()) {
    log.Warn("no_administrator",
             {{.name = "hint",
               .value = fmt::format("stop, then: elbd init --admin NAME --data-dir {}",
                                    options.data_directory.string())}});
  } else if (options.sample) {
    ELB_RETURN_IF_ERROR(node->CreateSample());
  }
  log.Info("serving", {{.name = "api", .value = node->api_url()},
                       {.name = "data_dir", .value = options.data_directory.string()}});
  stop.acquire();
  log.Info("stopping");
  node->Stop(options.grace);
  log.Info("stopped");
  return {};
}

Result<void> Init(const InitOptions& options) {
  SystemRandom random;
  std::string password = GeneratePassword(random);
  if (!options.password_file.empty()) {
    ELB_ASSIGN_OR_RETURN(password, ReadPassword(options.password_file));
  }
  ELB_ASSIGN_OR_RETURN(const auto data, DataDirectory::Open(options.data_directory));
  ELB_RETURN_IF_ERROR(control::Accounts::CreateAdministrator(data->store(), random, options.admin,
                                                             password, options.project));
  if (options.password_file.empty()) {
    fmt::print("{}\n", password);
  }
  return {};
}

Result<void> Check(const ServeOptions& options) {
  ELB_ASSIGN_OR_RETURN(const DaemonConfig config, ReadConfig(options));
  ELB_ASSIGN_OR_RETURN(const auto data, DataDirectory::Open(options.data_directory));
  SystemClock clock;
  SystemRandom random;
  tls::TicketKeys ticket_keys(random, clock);
  const balancer::StickyKeys sticky_keys(random, clock);
  contract::MemberCells cells;
  proxy::ProxyDataPlane::Parts parts;
  parts.workers = 0;  // Prepares everything, serves nothing.
  parts.clock = &clock;
  parts.ticket_keys = &ticket_keys;
  parts.sticky_keys = &sticky_keys;
  parts.cells = &cells;
  ELB_ASSIGN_OR_RETURN(const auto data_plane, proxy::ProxyDataPlane::Create(parts));
  control::Control control({.node = config.node,
                            .store = &data->store(),
                            .data_plane = data_plane.get(),
                            .clock = &clock,
                            .random = &random});
  ELB_RETURN_IF_ERROR(control.Start());
  fmt::print("configuration and store are good\n");
  return {};
}

}  // namespace elb::daemon
