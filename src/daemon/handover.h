#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "base/descriptor.h"
#include "base/error.h"

namespace elb::daemon {

/// How a process gives its place to another on the same data directory without losing a request
/// (data-plane.md 13, process upgrade). Over a socket in the directory, one message at a time:
///
///     successor                              predecessor
///     take-over 1                     ->     closes API and store
///                                     <-     sockets (in parts, with descriptors), released
///     (opens the store, serves) ready ->     stops accepting, finishes what it has, exits
///
/// A connection that ends before `ready` means that the successor failed: the predecessor goes on.

/// Listening sockets of a node that goes on in another process.
struct HandedSockets {
  std::vector<Descriptor> listeners;
  std::vector<Descriptor> api;
};

/// The process that wants to go on, as the running one sees it. One thread.
class Successor {
 public:
  explicit Successor(Descriptor connection) : connection_(std::move(connection)) {}

  /// Gives it the sockets and says that the store is free.
  [[nodiscard]] Result<void> Send(const HandedSockets& sockets) const;

  enum class Outcome : std::uint8_t { kReady, kGone, kStopped };
  /// Waits until it serves, has failed, or `stop` can be read.
  [[nodiscard]] Outcome Wait(const Descriptor& stop) const;

 private:
  Descriptor connection_;
};

/// Where successors ask. Kept by the process that has the store open.
class HandoverSocket {
 public:
  /// Makes the socket in `directory` anew.
  [[nodiscard]] static Result<HandoverSocket> Open(const std::filesystem::path& directory);
  /// Waits for a successor. Nothing: `stop` can be read.
  [[nodiscard]] std::optional<Successor> Accept(const Descriptor& stop) const;

 private:
  explicit HandoverSocket(Descriptor socket) : socket_(std::move(socket)) {}
  Descriptor socket_;
};

/// The process that serves now, as its successor sees it. One thread.
class Predecessor {
 public:
  /// Nothing: no process serves `directory`.
  [[nodiscard]] static Result<std::optional<Predecessor>> Find(
      const std::filesystem::path& directory);
  /// Asks it to hand over. Its store is free afterwards, and its sockets still accept.
  [[nodiscard]] Result<HandedSockets> TakeOver() const;
  /// Everything is in force here: it may go.
  void Release() const;

 private:
  explicit Predecessor(Descriptor connection) : connection_(std::move(connection)) {}
  Descriptor connection_;
};

}  // namespace elb::daemon
