#include <nlohmann/json.hpp>

#include "control/rules.h"
#include "control/services.h"

namespace elb::control {
namespace {

/// Builds the tree and notices on the way down what degrades it (api-v3.md 2.16).
class TreeBuilder {
 public:
  TreeBuilder(const State& state, const LiveState& live) : state_(state), live_(live) {
    if (live.data_plane != nullptr) {
      problems_ = live.data_plane->Problems();
    }
  }

  Json Build(const model::LoadBalancer& balancer) {
    const std::string& id = balancer.identity.id;
    Json shown{{"id", id},
               {"name", balancer.name},
               {"provisioning_status", "ACTIVE"},
               {"operating_status", "ONLINE"},
               {"listeners", Json::array()},
               {"pools", Json::array()}};
    bool degraded = false;
    for (const auto& [sequence, listener] : state_.By(kListenersOfLoadBalancer, id)) {
      shown["listeners"].push_back(Listener(*state_.listeners.Find(listener), degraded));
    }
    for (const auto& [sequence, pool] : state_.By(kPoolsOfLoadBalancer, id)) {
      shown["pools"].push_back(Pool(*state_.pools.Find(pool)));
      degraded = degraded || shown["pools"].back()["operating_status"] != "ONLINE";
    }
    if (degraded) {
      shown["operating_status"] = "DEGRADED";
    }
    return shown;
  }

 private:
  /// `troubled` is set when the load balancer is concerned too, which policies in ERROR are not.
  Json Listener(const model::Listener& listener, bool& troubled) {
    Json shown{{"id", listener.identity.id},      {"name", listener.name},
               {"provisioning_status", "ACTIVE"}, {"operating_status", "ONLINE"},
               {"pools", Json::array()},          {"l7policies", Json::array()}};
    bool degraded = false;
    if (const model::Pool* pool = state_.pools.Find(listener.default_pool_id)) {
      shown["pools"].push_back(Pool(*pool));
      degraded = shown["pools"].back()["operating_status"] != "ONLINE";
    }
    bool conflicting = false;
    for (const auto& [sequence, id] : state_.By(kPoliciesOfListener, listener.identity.id)) {
      const model::L7Policy& policy = *state_.l7_policies.Find(id);
      for (const std::string& pool : policy.PoolIds()) {
        shown["pools"].push_back(Pool(*state_.pools.Find(pool)));
        degraded = degraded || shown["pools"].back()["operating_status"] != "ONLINE";
      }
      shown["l7policies"].push_back(Policy(policy));
      conflicting = conflicting || state_.IsDuplicate(id);
    }
    if (!listener.is_l7()) {  // The data plane does not know them yet, so they serve nobody.
      degraded = true;
      shown["reason"] = listener.protocol + " listeners are not served by this release";
    }
    for (const contract::ListenerProblem& problem : problems_) {
      if (problem.listener.value() == listener.identity.id) {
        degraded = true;
        shown["reason"] = problem.reason;
      }
    }
    if (degraded || conflicting) {
      shown["operating_status"] = "DEGRADED";
    }
    troubled = troubled || degraded;
    return shown;
  }

  Json Policy(const model::L7Policy& policy) {
    const std::string& id = policy.identity.id;
    const char* status = state_.IsDuplicate(id) ? "ERROR" : "ACTIVE";
    Json shown{{"id", id},
               {"name", policy.name},
               {"action", policy.action},
               {"provisioning_status", status},
               {"rules", Json::array()}};
    for (const auto& [sequence, rule] : state_.By(kRulesOfPolicy, id)) {
      shown["rules"].push_back({{"id", rule},
                                {"type", state_.l7_rules.Find(rule)->type},
                                {"provisioning_status", status}});
    }
    return shown;
  }

  Json Pool(const model::Pool& pool) {
    const std::string& id = pool.identity.id;
    Json shown{{"id", id},
               {"name", pool.name},
               {"provisioning_status", "ACTIVE"},
               {"operating_status", "ONLINE"},
               {"healthmonitor", Json::object()},
               {"members", Json::array()}};
    for (const auto& [sequence, monitor_id] : state_.By(kMonitorsOfPool, id)) {
      const model::HealthMonitor* monitor = state_.monitors.Find(monitor_id);
      shown["healthmonitor"] = {{"id", monitor_id},
                                {"name", monitor->name},
                                {"type", monitor->type},
                                {"provisioning_status", "ACTIVE"}};
    }
    for (const auto& [sequence, member_id] : state_.By(kMembersOfPool, id)) {
      const model::Member* member = state_.members.Find(member_id);
      const std::string status =
          member->admin_state_up ? MemberStatusText(state_, live_, *member) : "DISABLED";
      shown["members"].push_back({{"id", member_id},
                                  {"address", member->address},
                                  {"protocol_port", member->protocol_port},
                                  {"operating_status", status},
                                  {"provisioning_status", "ACTIVE"}});
      if (status == "OFFLINE") {
        shown["operating_status"] = "DEGRADED";
      }
    }
    return shown;
  }

  const State& state_;
  const LiveState& live_;
  std::vector<contract::ListenerProblem> problems_;
};

}  // namespace

Json ShowStatusTree(const State& state, const LiveState& live,
                    const model::LoadBalancer& balancer) {
  return TreeBuilder(state, live).Build(balancer);
}

}  // namespace elb::control
