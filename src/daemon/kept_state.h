#pragma once

#include <map>
#include <string>
#include <vector>

#include "balancer/sticky_keys.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/mutex.h"
#include "contract/data_plane.h"
#include "control/executor.h"
#include "control/state.h"
#include "store/store.h"
#include "tls/ticket_keys.h"

namespace elb::daemon {

/// Runtime state that a restart must find again, written behind to the store's state area: member
/// health (data-plane.md 9.3), session ticket keys (2.7) and the keys of sticky cookies (7.2).
class KeptState {
 public:
  /// From now on `executor` writes to `store`, first what was remembered meanwhile.
  void Attach(store::Store& store, control::Executor& executor) ELB_EXCLUDES(mutex_);
  /// From now on nothing is handed to the executor; what it has, it still writes. Transitions are
  /// remembered for the next `Attach`.
  void Detach() ELB_EXCLUDES(mutex_);

  /// Remembers one transition; it is on the disk soon. Any thread, never blocks.
  void OnHealth(const contract::SavedMemberHealth& saved) ELB_EXCLUDES(mutex_);
  /// What was known before the restart.
  [[nodiscard]] Result<std::vector<contract::SavedMemberHealth>> LoadHealth();
  /// Drops what is kept about members that are not in `state` any more. Control thread.
  [[nodiscard]] Result<void> ForgetOthers(const control::State& state);

  [[nodiscard]] Result<void> SaveTicketKeys(const tls::TicketKeys& keys);
  [[nodiscard]] Result<void> LoadTicketKeys(tls::TicketKeys& keys);
  [[nodiscard]] Result<void> SaveStickyKeys(const balancer::StickyKeys& keys);
  [[nodiscard]] Result<void> LoadStickyKeys(balancer::StickyKeys& keys);

 private:
  void Flush() ELB_EXCLUDES(mutex_);

  store::Store* store_ = nullptr;  ///< Of whoever runs on the control thread, or before it does.
  Mutex mutex_;
  control::Executor* executor_ ELB_GUARDED_BY(mutex_) = nullptr;
  std::map<std::string, std::string> waiting_ ELB_GUARDED_BY(mutex_);
};

}  // namespace elb::daemon
