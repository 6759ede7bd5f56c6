#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "balancer/scheduler.h"

namespace elb::balancer::testing {

inline const IpAddress kClient = *IpAddress::Parse("127.0.0.1");

/// A pool under construction; members are named A, B, C, ...
class Pool {
 public:
  explicit Pool(const std::vector<std::uint32_t>& weights,
                contract::Algorithm algorithm = contract::Algorithm::kRoundRobin) {
    config_.algorithm = algorithm;
    for (const std::uint32_t weight : weights) {
      Add(weight);
    }
  }

  contract::MemberCell& Add(std::uint32_t weight, std::uint64_t registration = 1) {
    const auto index = config_.members.size();
    const std::string name(1, static_cast<char>('A' + static_cast<char>(index)));
    config_.members.push_back({.id = MemberId(name),
                               .endpoint = {.address = *IpAddress::Parse("127.0.0.1"),
                                            .port = static_cast<std::uint16_t>(8000 + index)},
                               .weight = weight,
                               .registration = registration,
                               .slow_start_at_registration = config_.slow_start.has_value()});
    cells_.push_back(std::make_shared<contract::MemberCell>());
    return *cells_.back();
  }

  void Remove(std::size_t index) {
    const auto at = static_cast<std::ptrdiff_t>(index);
    config_.members.erase(config_.members.begin() + at);
    cells_.erase(cells_.begin() + at);
  }

  /// As the first configuration of a new process.
  std::shared_ptr<Scheduler> Restart(MonotonicTime now) {
    auto scheduler = CreateScheduler({.config = std::make_shared<contract::PoolConfig>(config_),
                                      .cells = cells_,
                                      .at_process_start = true},
                                     nullptr);
    scheduler->Activate(now);
    return scheduler;
  }

  /// As a configuration that follows `predecessor`'s, or that of a new pool.
  std::shared_ptr<Scheduler> Schedule(MonotonicTime now = {},
                                      std::shared_ptr<Scheduler> predecessor = nullptr) {
    auto scheduler = CreateScheduler(
        {.config = std::make_shared<contract::PoolConfig>(config_), .cells = cells_}, predecessor);
    scheduler->Activate(now);
    return scheduler;
  }

  contract::PoolConfig& config() { return config_; }
  contract::MemberCell& cell(std::size_t index) { return *cells_[index]; }

 private:
  contract::PoolConfig config_;
  std::vector<std::shared_ptr<contract::MemberCell>> cells_;
};

/// How often each of `picks` picks chose whom.
inline std::map<char, int> Count(Scheduler& scheduler, int picks, MonotonicTime now = {}) {
  std::map<char, int> counts;
  for (int i = 0; i < picks; ++i) {
    ++counts[static_cast<char>(
        'A' + static_cast<char>(*scheduler.Pick({.client = &kClient, .now = now})))];
  }
  return counts;
}

using Counts = std::map<char, int>;

}  // namespace elb::balancer::testing
