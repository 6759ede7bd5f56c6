#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "contract/data_plane.h"

namespace elb::control {

/// A data plane that remembers what it was told and answers as a test wants. One thread.
class FakeDataPlane final : public contract::DataPlane {
 public:
  /// `Prepare` fails with it.
  std::optional<Error> refusal;
  bool acknowledges = true;
  std::map<std::string, contract::MemberHealth> health;  ///< By member id.
  std::vector<contract::ListenerProblem> problems;
  /// Called by each `Apply`, before it returns.
  std::function<void()> on_apply;

  /// What is in force; null before the first `Apply`.
  [[nodiscard]] const contract::ConfigSnapshot& current() const { return *current_; }
  [[nodiscard]] std::shared_ptr<const contract::ConfigSnapshot> snapshot() const {
    return current_;
  }
  [[nodiscard]] int applied() const { return applied_; }

  [[nodiscard]] Result<std::shared_ptr<const contract::PreparedSnapshot>> Prepare(
      std::shared_ptr<const contract::ConfigSnapshot> next) override {
    if (refusal) {
      return std::unexpected(*refusal);
    }
    return std::make_shared<const Prepared>(std::move(next));
  }
  [[nodiscard]] contract::ApplyReport Apply(
      std::shared_ptr<const contract::PreparedSnapshot> prepared) override {
    current_ = static_cast<const Prepared&>(*prepared).snapshot;
    ++applied_;
    if (on_apply) {
      on_apply();
    }
    return {.every_worker_acknowledged = acknowledges, .problems = problems};
  }
  [[nodiscard]] std::optional<contract::MemberHealth> Health(
      const PoolId& /*pool*/, const MemberId& member) const override {
    const auto found = health.find(member.value());
    return found == health.end() ? std::nullopt : std::optional(found->second);
  }
  [[nodiscard]] std::vector<contract::ListenerProblem> Problems() const override {
    return problems;
  }

 private:
  struct Prepared final : contract::PreparedSnapshot {
    explicit Prepared(std::shared_ptr<const contract::ConfigSnapshot> of)
        : snapshot(std::move(of)) {}
    std::shared_ptr<const contract::ConfigSnapshot> snapshot;
  };

  std::shared_ptr<const contract::ConfigSnapshot> current_;
  int applied_ = 0;
};

}  // namespace elb::control
