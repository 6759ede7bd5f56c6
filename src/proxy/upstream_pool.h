#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <absl/container/flat_hash_map.h>

#include "base/clock.h"
#include "base/ip.h"
#include "net/stream.h"
#include "proxy/runtime.h"

namespace elb::proxy {

/// Counts one connection in the gauges of its member, which outlives it.
class ConnectionGauge {
 public:
  explicit ConnectionGauge(MemberRuntime& member);
  ~ConnectionGauge();
  ConnectionGauge(const ConnectionGauge&) = delete;
  ConnectionGauge& operator=(const ConnectionGauge&) = delete;
  ConnectionGauge(ConnectionGauge&&) = delete;
  ConnectionGauge& operator=(ConnectionGauge&&) = delete;

  /// The connection is open now, TLS apart.
  void SetEstablished();

 private:
  MemberRuntime* member_;
  bool established_ = false;
};

/// A connection to a member, idle or in use.
struct UpstreamConnection {
  UpstreamConnection(std::unique_ptr<net::Stream> connecting, std::shared_ptr<MemberRuntime> to)
      : stream(std::move(connecting)), member(std::move(to)), gauge(*member) {}
  std::unique_ptr<net::Stream> stream;
  std::shared_ptr<MemberRuntime> member;
  Endpoint endpoint;
  std::string sni;  ///< Of its TLS; empty without.
  MonotonicTime idle_since;
  ConnectionGauge gauge;
};

/// What a connection must match to be used again.
struct UpstreamKey {
  const MemberRuntime* member = nullptr;
  Endpoint endpoint;
  bool tls = false;
  std::string_view sni;
};

/// Idle upstream connections of one worker, newest first (data-plane.md 4.9). Worker's thread.
class UpstreamPool {
 public:
  /// A live connection that went idle less than `idle_max` ago, or null. Dead ones met on the way
  /// are closed.
  [[nodiscard]] std::unique_ptr<UpstreamConnection> Take(const UpstreamKey& key, MonotonicTime now,
                                                         MonotonicTime::duration idle_max);
  /// Keeps a connection whose last exchange left it clean.
  void Give(std::unique_ptr<UpstreamConnection> connection, MonotonicTime now);
  /// Closes idle connections that the peer closed or that are older than `kUpstreamIdleMax`.
  void Sweep(MonotonicTime now);
  /// Closes idle connections to a member that left the eligible set.
  void CloseMember(const MemberRuntime* member);
  [[nodiscard]] std::size_t size() const { return size_; }

 private:
  using List = std::vector<std::unique_ptr<UpstreamConnection>>;
  absl::flat_hash_map<const MemberRuntime*, List> idle_;
  std::size_t size_ = 0;
};

}  // namespace elb::proxy
