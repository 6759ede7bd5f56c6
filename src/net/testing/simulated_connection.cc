#include "net/testing/simulated_connection.h"

#include <algorithm>
#include <cerrno>
#include <utility>

#include "net/socket_address.h"
#include "net/testing/simulated_listening.h"

namespace elb::net::testing {

SimulatedConnection::SimulatedConnection(SimulatedNetwork& network, std::uint64_t number,
                                         const Endpoint& client, const Endpoint& server)
    : network_(&network), number_(number) {
  const auto round_trip = static_cast<std::uint32_t>(2 * conditions().latency.count());
  for (MemoryEnd& end : ends_) {
    end.transport = this;
    end.connected = false;
    end.round_trip_micros = round_trip;
  }
  ends_[kClient].local = ends_[kServer].peer = client;
  ends_[kClient].peer = ends_[kServer].local = server;
}

SimulatedConnection::~SimulatedConnection() {
  if (network_ != nullptr) {
    network_->connections_.erase(number_);
  }
}

std::unique_ptr<Stream> SimulatedConnection::NewStream(std::size_t side) {
  return std::make_unique<MemoryStream>(
      std::shared_ptr<MemoryEnd>(shared_from_this(), &ends_[side]));
}

const LinkConditions& SimulatedConnection::conditions() const {
  return network_->ConditionsOf(server());
}

void SimulatedConnection::OnActivity(MemoryEnd& end) {
  if (network_ == nullptr) {
    return;
  }
  const std::size_t side = &end == &ends_[kClient] ? kClient : kServer;
  if (end.destroyed && !end.aborted) {
    if (!end.inbound.empty()) {
      end.aborted = true;  // As the kernel does: the peer must learn that bytes were not read.
    } else {
      end.write_closed = true;
      end.outbound.resize(std::min(end.outbound.size(), conditions().send_buffer_bytes));
    }
  }
  if (end.aborted) {
    end.outbound.clear();
    SendReset(side);
    return;
  }
  LimitReads(end);
  Pump(side);
  if (!ends_[1 - side].outbound.empty()) {
    PumpLater(1 - side);  // Reading opened the window.
  }
}

void SimulatedConnection::LimitReads(MemoryEnd& end) {
  end.read_max =
      end.inbound.empty() ? SIZE_MAX : network_->PieceOf(end.inbound.size(), conditions().pieces);
}

void SimulatedConnection::UpdatePending(std::size_t side) {
  MemoryEnd& end = ends_[side];
  const std::size_t buffered = end.connected ? conditions().send_buffer_bytes : 0;
  end.pending = end.outbound.size() - std::min(end.outbound.size(), buffered);
}

/// Sends what the peer's window has room for.
void SimulatedConnection::Pump(std::size_t from) {
  MemoryEnd& end = ends_[from];
  Direction& direction = directions_[from];
  const std::size_t pending_before = end.pending;
  while (end.connected && !direction.end_sent && !end.outbound.empty()) {
    const std::size_t used = direction.bytes + ends_[1 - from].inbound.size();
    const std::size_t window = conditions().receive_buffer_bytes;
    if (used >= window) {
      break;
    }
    const std::size_t most =
        std::min({end.outbound.size(), window - used, conditions().segment_bytes_max});
    const std::size_t size = network_->PieceOf(most, conditions().pieces);
    Send(from, {.kind = Kind::kData, .bytes = end.outbound.substr(0, size), .arrival = {}});
    end.outbound.erase(0, size);
  }
  UpdatePending(from);
  if (end.pending < pending_before) {
    end.Notify();
  }
  if (end.connected && end.write_closed && end.outbound.empty() && !direction.end_sent) {
    Send(from, {.kind = Kind::kEnd, .bytes = {}, .arrival = {}});
    direction.end_sent = true;
  }
}

void SimulatedConnection::PumpLater(std::size_t from) {
  network_->reactor_->After(conditions().latency, [self = shared_from_this(), from] {
    if (self->network_ != nullptr) {
      self->Pump(from);
    }
  });
}

void SimulatedConnection::Send(std::size_t from, Segment segment) {
  Direction& direction = directions_[from];
  const auto jitter = static_cast<std::uint64_t>(conditions().jitter.count());
  const std::chrono::microseconds extra(jitter == 0 ? 0 : network_->random_.Below(jitter + 1));
  segment.arrival =
      std::max(direction.last_arrival, network_->reactor_->now() + conditions().latency + extra);
  direction.last_arrival = segment.arrival;
  direction.bytes += segment.bytes.size();
  network_->reactor_->At(segment.arrival,
                         [self = shared_from_this(), from] { self->Arrive(from); });
  direction.segments.push_back(std::move(segment));
}

void SimulatedConnection::SendReset(std::size_t from) {
  if (!std::exchange(directions_[from].end_sent, true)) {
    Send(from, {.kind = Kind::kReset, .bytes = {}, .arrival = {}});
  }
}

void SimulatedConnection::Arrive(std::size_t from) {
  if (network_ == nullptr || lost_ || network_->ReachOf(server()) == Reach::kBlackhole) {
    return;
  }
  Direction& direction = directions_[from];
  while (!direction.segments.empty() &&
         direction.segments.front().arrival <= network_->reactor_->now()) {
    const Segment segment = std::move(direction.segments.front());
    direction.segments.pop_front();
    direction.bytes -= segment.bytes.size();
    Deliver(from, segment);
    if (network_ == nullptr || lost_) {
      return;
    }
  }
}

void SimulatedConnection::Resume() {
  Arrive(kClient);
  if (network_ != nullptr) {
    Arrive(kServer);
  }
}

void SimulatedConnection::Deliver(std::size_t from, const Segment& segment) {
  MemoryEnd& end = ends_[1 - from];
  switch (segment.kind) {
    case Kind::kConnect:
      OpenServer();
      return;
    case Kind::kAccepted:
      if (end.destroyed) {
        SendReset(kClient);
        return;
      }
      end.connected = true;
      end.Notify();
      Pump(kClient);
      return;
    case Kind::kRefused:
      end.establish_fault = end.write_fault = FaultOfErrno(ECONNREFUSED);
      end.outbound.clear();
      end.pending = 0;
      end.Break(*end.establish_fault);
      end.Notify();
      return;
    case Kind::kData:
      DeliverData(from, segment.bytes);
      return;
    case Kind::kEnd:
      if (!end.end) {
        end.Finish();
        end.Notify();
      }
      return;
    case Kind::kReset:
      Break(1 - from);
      return;
  }
}

void SimulatedConnection::DeliverData(std::size_t from, const std::string& bytes) {
  MemoryEnd& end = ends_[1 - from];
  if (end.destroyed || end.aborted) {
    SendReset(1 - from);
    return;
  }
  if (end.end) {
    return;
  }
  if (network_->Chance(conditions().reset_permille)) {
    Reset();
    return;
  }
  end.inbound += bytes;
  LimitReads(end);
  end.Notify();
}

/// The client's first segment arrived where it may find a listener.
void SimulatedConnection::OpenServer() {
  if (network_->Chance(conditions().blackhole_permille)) {
    lost_ = true;
    return;
  }
  if (ends_[kClient].destroyed || ends_[kClient].aborted) {
    return;
  }
  SimulatedNetwork::Listening* listening = network_->ChooseListener(server());
  if (listening == nullptr || network_->ReachOf(server()) == Reach::kRefused ||
      network_->Chance(conditions().refuse_permille)) {
    Send(kServer, {.kind = Kind::kRefused, .bytes = {}, .arrival = {}});
    directions_[kServer].end_sent = true;
    return;
  }
  ends_[kServer].connected = true;
  Send(kServer, {.kind = Kind::kAccepted, .bytes = {}, .arrival = {}});
  listening->handler().OnAccept(NewStream(kServer));
}

/// RST reached this end: what it has not sent is lost, what it received may still be read.
void SimulatedConnection::Break(std::size_t side) {
  MemoryEnd& end = ends_[side];
  directions_[side].end_sent = true;
  if (end.end && end.end->kind == ReadResult::Kind::kFault) {
    return;
  }
  end.outbound.clear();
  end.pending = 0;
  end.write_fault = FaultOfErrno(ECONNRESET);
  if (!end.connected) {
    end.establish_fault = end.write_fault;
  }
  end.Break(*end.write_fault);
  end.Notify();
}

void SimulatedConnection::Reset() {
  for (Direction& direction : directions_) {
    direction.segments.clear();
    direction.bytes = 0;
  }
  Break(kClient);
  Break(kServer);
}

}  // namespace elb::net::testing
