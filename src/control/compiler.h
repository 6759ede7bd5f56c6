#pragma once

#include <memory>

#include "contract/config_snapshot.h"
#include "control/draft.h"
#include "control/node_config.h"
#include "control/state.h"

namespace elb::control {

/// Compiles state into snapshots. Only what a write touched is made anew; everything else is shared
/// with the snapshot before. Control thread.
class Compiler {
 public:
  explicit Compiler(const NodeConfig& node) : node_(&node) {}

  /// The snapshot after `dirty` changed in `state`; nothing of `base` is modified.
  [[nodiscard]] std::shared_ptr<const contract::ConfigSnapshot> Compile(
      const State& state, const Dirty& dirty, const contract::ConfigSnapshot* base) const;
  /// Everything, at start.
  [[nodiscard]] std::shared_ptr<const contract::ConfigSnapshot> CompileAll(
      const State& state) const;

 private:
  const NodeConfig* node_;
};

}  // namespace elb::control
