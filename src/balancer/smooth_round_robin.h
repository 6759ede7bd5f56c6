#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace elb::balancer {

/// Smooth weighted round robin over positions 0..n-1 (data-plane.md 6.2): each pick adds every
/// candidate's share to its credit, takes the largest credit (ties: lowest position) and subtracts
/// the sum of shares from it. Exact: from zero credit, each cycle gives everyone its weight.
///
/// Candidates of equal share keep their order, so a pick costs O(distinct shares + log n) instead
/// of O(n). Pure; not thread-safe.
class SmoothRoundRobin {
 public:
  struct Candidate {
    std::uint32_t position = 0;
    std::int64_t share = 0;  ///< > 0.
    std::int64_t credit = 0;
  };

  SmoothRoundRobin() = default;
  /// Credits are used as given; see `BalanceCredits`.
  explicit SmoothRoundRobin(std::span<const Candidate> candidates);

  /// Picks a position that is not in `excluded`; nullopt when all are.
  [[nodiscard]] std::optional<std::uint32_t> Pick(std::span<const std::uint32_t> excluded);

  /// Candidates with their present credits, in no particular order.
  [[nodiscard]] std::vector<Candidate> Candidates() const;
  [[nodiscard]] bool empty() const { return sum_ == 0; }

 private:
  /// A candidate within its class: its credit is `base` + share x ticks.
  struct Entry {
    std::int64_t base = 0;
    std::uint32_t position = 0;
    /// Heap order: the smaller one comes later.
    static bool IsLess(const Entry& a, const Entry& b) {
      return a.base != b.base ? a.base < b.base : a.position > b.position;
    }
  };
  struct Class {
    std::int64_t share = 0;
    std::vector<Entry> heap;  ///< Max-heap.
  };

  [[nodiscard]] Class* BestClass();

  std::vector<Class> classes_;
  std::vector<std::pair<Class*, Entry>> skipped_;  ///< Scratch of `Pick`.
  std::int64_t sum_ = 0;
  std::int64_t ticks_ = 0;
};

/// After a change: clips credits to +-`sum` of the shares and makes them add up to zero, so that no
/// one starts far ahead or behind (data-plane.md 6.2).
void BalanceCredits(std::vector<SmoothRoundRobin::Candidate>& candidates);

}  // namespace elb::balancer
