#include "daemon/commands.h"

#include <fmt/format.h>

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <fstream>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "base/descriptor.h"
#include "base/random.h"
#include "control/accounts.h"
#include "crypto/encoding.h"
#include "daemon/config_file.h"
#include "daemon/event_flag.h"
#include "daemon/handover.h"
#include "daemon/node.h"
#include "daemon/signals.h"

namespace elb::daemon {
namespace {

constexpr proxy::ProxyDataPlane::Grace kStopGrace{.total = std::chrono::seconds{30}, .idle = {}};
/// After another process has taken over (data-plane.md 13).
constexpr proxy::ProxyDataPlane::Grace kUpgradeGrace{.total = std::chrono::seconds{60},
                                                     .idle = std::chrono::seconds{10}};

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

struct Serving {
  std::unique_ptr<Node> node;
  HandoverSocket successors;
};

/// Starts the node, on the sockets of the process that serves now where there is one.
Result<Serving> Start(const ServeOptions& options, Log& log) {
  ELB_ASSIGN_OR_RETURN(DaemonConfig config, ReadConfig(options));
  std::optional<Predecessor> predecessor;
  HandedSockets inherited;
  if (options.take_over) {
    ELB_ASSIGN_OR_RETURN(predecessor, Predecessor::Find(options.data_directory));
  }
  if (predecessor) {
    ELB_ASSIGN_OR_RETURN(inherited, predecessor->TakeOver());
    log.Info("taking_over",
             {{.name = "sockets", .value = std::to_string(inherited.listeners.size())}});
  }
  ELB_ASSIGN_OR_RETURN(auto node, Node::Start({.config = std::move(config),
                                               .data_directory = options.data_directory},
                                              log, std::move(inherited)));
  ELB_ASSIGN_OR_RETURN(HandoverSocket successors, HandoverSocket::Open(options.data_directory));
  if (predecessor) {
    predecessor->Release();
  }
  return Serving{.node = std::move(node), .successors = std::move(successors)};
}

/// Gives the node to `successor`; goes on with it when the successor fails.
Successor::Outcome HandOver(Node& node, const Successor& successor, const Descriptor& stop,
                            Log& log) {
  log.Info("handing_over");
  const Result<void> sent = successor.Send(node.HandOver());
  const auto outcome = sent ? successor.Wait(stop) : Successor::Outcome::kGone;
  if (outcome == Successor::Outcome::kGone) {
    log.Error(
        "successor_failed",
        {{.name = "reason", .value = sent ? "it ended before it served" : sent.error().message}});
    if (const Result<void> resumed = node.Resume(); !resumed) {
      // Traffic goes on without an API.
      log.Error("not_resumed", {{.name = "reason", .value = resumed.error().message}});
    }
  }
  return outcome;
}

/// Serves successors until one has taken over, or `stop`. Returns the grace for what is on its way.
proxy::ProxyDataPlane::Grace ServeUntilEnd(Node& node, HandoverSocket successors,
                                           const ServeOptions& options, const EventFlag& stop,
                                           Log& log) {
  while (const auto successor = successors.Accept(stop.descriptor())) {
    switch (HandOver(node, *successor, stop.descriptor(), log)) {
      case Successor::Outcome::kReady:
        return kUpgradeGrace;
      case Successor::Outcome::kStopped:
        return kStopGrace;
      case Successor::Outcome::kGone:
        break;
    }
    // The failed one may have put its own in this one's place.
    if (auto again = HandoverSocket::Open(options.data_directory)) {
      successors = *std::move(again);
    }
  }
  return kStopGrace;
}

}  // namespace

Result<void> Serve(const ServeOptions& options) {
  const EventFlag stop;
  const StopSignals signals([&stop] { stop.Set(); });  // Before any other thread.
  Log log(options.log_format);
  ELB_ASSIGN_OR_RETURN(Serving serving, Start(options, log));
  const std::unique_ptr<Node>& node = serving.node;
  if (!node->management().has_administrator()) {
    log.Warn("no_administrator",
             {{.name = "hint",
               .value = fmt::format("stop, then: elbd init --admin NAME --data-dir {}",
                                    options.data_directory.string())}});
  } else if (options.sample) {
    ELB_RETURN_IF_ERROR(node->management().CreateSample());
  }
  log.Info("serving", {{.name = "api", .value = node->management().api_url()},
                       {.name = "data_dir", .value = options.data_directory.string()}});
  const auto grace = ServeUntilEnd(*node, std::move(serving.successors), options, stop, log);
  log.Info("stopping");
  node->Stop(grace);
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
