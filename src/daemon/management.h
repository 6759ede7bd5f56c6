#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/descriptor.h"
#include "base/error.h"
#include "base/random.h"
#include "control/accounts.h"
#include "control/control.h"
#include "control/executor.h"
#include "daemon/api_server.h"
#include "daemon/config_file.h"
#include "daemon/data_directory.h"
#include "daemon/kept_state.h"
#include "daemon/log.h"
#include "daemon/ticker.h"
#include "proxy/data_plane.h"
#include "proxy/metrics_page.h"
#include "rest/api.h"
#include "rest/rest_handler.h"

namespace elb::daemon {

/// The management plane of one node: store, control thread, API. Traffic goes on without it, which
/// is how the node is handed to another process. Made, used and destroyed on one thread.
class Management {
 public:
  struct Parts {
    const DaemonConfig* config = nullptr;
    std::filesystem::path data_directory;
    const Clock* clock = nullptr;
    Random* random = nullptr;
    Log* log = nullptr;
    KeptState* kept = nullptr;  ///< Attached while this lives.
  };
  /// Opens the store. Errors: the data directory.
  [[nodiscard]] static Result<std::unique_ptr<Management>> Open(const Parts& parts);
  /// Puts the stored configuration in force on `data_plane`, then opens the API, with a socket of
  /// `api_sockets` where one fits. `each_second` runs on the control thread. Errors: the stored
  /// configuration, the API's address.
  [[nodiscard]] Result<void> Start(proxy::ProxyDataPlane& data_plane,
                                   std::function<void()> each_second,
                                   std::vector<Descriptor> api_sockets);
  /// Finishes the calls in progress, then closes the store.
  ~Management();
  Management(const Management&) = delete;
  Management& operator=(const Management&) = delete;
  Management(Management&&) = delete;
  Management& operator=(Management&&) = delete;

  [[nodiscard]] std::string api_url() const;
  [[nodiscard]] std::vector<Descriptor> ShareSockets() const { return api_server_->ShareSockets(); }
  /// Creates the sample service unless that was done before (see `sample.h`).
  [[nodiscard]] Result<void> CreateSample();
  /// Whether somebody can sign in.
  [[nodiscard]] bool has_administrator();

 private:
  explicit Management(Parts parts) : parts_(std::move(parts)) {}
  [[nodiscard]] Result<void> LoadState();
  [[nodiscard]] Result<void> StartControl(proxy::ProxyDataPlane& data_plane);
  [[nodiscard]] Result<void> StartApi(proxy::ProxyDataPlane& data_plane,
                                      std::vector<Descriptor> sockets);
  void TrimRevisions();

  // Destroyed from the last to the first: whoever calls goes before who is called.
  Parts parts_;
  std::unique_ptr<DataDirectory> data_;
  std::unique_ptr<proxy::MetricsPage> metrics_page_;
  std::unique_ptr<control::Control> control_;
  std::unique_ptr<control::Accounts> accounts_;
  std::unique_ptr<rest::Api> api_;
  std::unique_ptr<control::Executor> executor_;
  std::unique_ptr<control::Executor> sign_in_;
  std::unique_ptr<rest::RestHandler> handler_;
  std::unique_ptr<ApiServer> api_server_;
  std::unique_ptr<Ticker> ticker_;
};

}  // namespace elb::daemon
