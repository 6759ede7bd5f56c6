#pragma once

#include <filesystem>
#include <memory>
#include <string_view>
#include <vector>

#include "balancer/sticky_keys.h"
#include "base/clock.h"
#include "base/descriptor.h"
#include "base/error.h"
#include "base/random.h"
#include "contract/member_cell.h"
#include "daemon/config_file.h"
#include "daemon/handover.h"
#include "daemon/health_thread.h"
#include "daemon/kept_state.h"
#include "daemon/log.h"
#include "daemon/management.h"
#include "daemon/memory_trimmer.h"
#include "proxy/access_log.h"
#include "proxy/data_plane.h"
#include "telemetry/log_writer.h"
#include "tls/ticket_keys.h"

namespace elb::daemon {

/// Both planes of one node, wired: the composition root. Made, used and destroyed on one thread.
class Node {
 public:
  struct Options {
    DaemonConfig config;
    std::filesystem::path data_directory;
  };
  /// Puts the stored configuration in force, then opens the API; on `inherited` sockets where they
  /// fit. Errors: configuration, data directory, TLS set-up, the API's address.
  [[nodiscard]] static Result<std::unique_ptr<Node>> Start(Options options, Log& log,
                                                           HandedSockets inherited = {});
  /// Ends without grace what `Stop` has not ended.
  ~Node();
  Node(const Node&) = delete;
  Node& operator=(const Node&) = delete;
  Node(Node&&) = delete;
  Node& operator=(Node&&) = delete;

  /// Closes the API, stops accepting, lets answers finish.
  void Stop(const proxy::ProxyDataPlane::Grace& grace);

  /// Closes API and store, and returns what another process needs to go on with. Traffic is served
  /// meanwhile, by the configuration in force.
  [[nodiscard]] HandedSockets HandOver();
  /// The other process failed: opens store and API again. Errors: as `Start`; traffic goes on.
  [[nodiscard]] Result<void> Resume();

  /// Not between `HandOver` and `Resume`.
  [[nodiscard]] Management& management() { return *management_; }

 private:
  /// Hands workers' lines to the writer.
  class FileSink final : public proxy::LineSink {
   public:
    [[nodiscard]] bool Offer(std::size_t worker, std::string_view line) override {
      return writer->Offer(worker, line);
    }
    std::unique_ptr<telemetry::LogWriter> writer;
  };

  Node(Options options, Log& log);
  [[nodiscard]] Result<void> StartDataPlane();
  [[nodiscard]] Result<void> OpenManagement();
  [[nodiscard]] Result<void> StartManagement(std::vector<Descriptor> api_sockets);
  [[nodiscard]] Result<void> RestoreKeys();
  void EachSecond();
  void RotateKeys();
  void LogHealth(const contract::SavedMemberHealth& saved);

  // Destroyed from the last to the first: whoever calls goes before who is called.
  Options options_;
  Log* log_;
  SystemClock clock_;
  SystemRandom random_;
  tls::TicketKeys ticket_keys_;
  balancer::StickyKeys sticky_keys_;
  contract::MemberCells cells_;
  FileSink access_log_;
  FileSink reject_log_;
  KeptState kept_;
  std::unique_ptr<proxy::ProxyDataPlane> data_plane_;
  MemoryTrimmer trimmer_;
  std::unique_ptr<HealthThread> health_;
  std::vector<Descriptor> api_sockets_;  ///< After `HandOver`, for `Resume`.
  std::unique_ptr<Management> management_;
};

}  // namespace elb::daemon
