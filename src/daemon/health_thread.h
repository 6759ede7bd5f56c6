#pragma once

#include <memory>
#include <thread>

#include "base/clock.h"
#include "base/random.h"
#include "contract/data_plane.h"
#include "contract/member_cell.h"
#include "health/prober.h"
#include "net/reactor.h"
#include "net/tcp_stream.h"
#include "proxy/data_plane.h"
#include "tls/client_stream.h"

namespace elb::daemon {

/// The thread that probes members, and what the data plane tells it.
class HealthThread final : public proxy::HealthChecks {
 public:
  struct Parts {
    const Clock* clock = nullptr;
    Random* random = nullptr;
    contract::MemberCells* cells = nullptr;
    std::shared_ptr<const tls::ClientContext> tls;
    health::TransitionHandler on_transition;  ///< Health thread.
    contract::HealthObserver observer;        ///< Health thread.
  };
  explicit HealthThread(Parts parts);
  /// Probes end at once.
  ~HealthThread() override;
  HealthThread(const HealthThread&) = delete;
  HealthThread& operator=(const HealthThread&) = delete;
  HealthThread(HealthThread&&) = delete;
  HealthThread& operator=(HealthThread&&) = delete;

  /// States from before a restart. Before the first `Apply`.
  void Restore(const std::vector<contract::SavedMemberHealth>& saved) { prober_.Restore(saved); }
  void Apply(std::shared_ptr<const contract::ConfigSnapshot> next) override {
    prober_.Apply(std::move(next));
  }
  /// Ends the probes; `Apply` has no effect any more.
  void Stop();

 private:
  net::EpollReactor reactor_;
  net::TcpNetwork network_;
  health::HealthProber prober_;
  std::jthread thread_;
};

}  // namespace elb::daemon
