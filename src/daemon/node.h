#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

#include "balancer/sticky_keys.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/random.h"
#include "contract/member_cell.h"
#include "control/accounts.h"
#include "control/control.h"
#include "control/executor.h"
#include "daemon/api_server.h"
#include "daemon/config_file.h"
#include "daemon/data_directory.h"
#include "daemon/health_thread.h"
#include "daemon/kept_state.h"
#include "daemon/log.h"
#include "daemon/ticker.h"
#include "proxy/access_log.h"
#include "proxy/data_plane.h"
#include "proxy/metrics_page.h"
#include "rest/api.h"
#include "rest/rest_handler.h"
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
  /// Puts the stored configuration in force, then opens the API. Errors: configuration, data
  /// directory, TLS set-up, the API's address.
  [[nodiscard]] static Result<std::unique_ptr<Node>> Start(const Options& options, Log& log);
  /// Ends without grace what `Stop` has not ended.
  ~Node();
  Node(const Node&) = delete;
  Node& operator=(const Node&) = delete;
  Node(Node&&) = delete;
  Node& operator=(Node&&) = delete;

  /// Closes the API, stops accepting, lets answers finish for at most `grace`.
  void Stop(std::chrono::milliseconds grace);

  [[nodiscard]] std::string api_url() const;
  /// Creates the sample service unless that was done before (see `sample.h`).
  [[nodiscard]] Result<void> CreateSample();
  /// Whether somebody can sign in.
  [[nodiscard]] bool has_administrator();

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
  [[nodiscard]] Result<void> LoadState();
  [[nodiscard]] Result<void> StartControl();
  [[nodiscard]] Result<void> StartApi();
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
  std::unique_ptr<DataDirectory> data_;
  std::unique_ptr<proxy::ProxyDataPlane> data_plane_;
  std::unique_ptr<proxy::MetricsPage> metrics_page_;
  std::unique_ptr<control::Control> control_;
  std::unique_ptr<control::Accounts> accounts_;
  std::unique_ptr<rest::Api> api_;
  std::unique_ptr<control::Executor> executor_;
  std::unique_ptr<control::Executor> sign_in_;
  std::unique_ptr<KeptState> kept_;
  std::unique_ptr<HealthThread> health_;
  std::unique_ptr<rest::RestHandler> handler_;
  std::unique_ptr<ApiServer> api_server_;
  std::unique_ptr<Ticker> ticker_;
};

}  // namespace elb::daemon
