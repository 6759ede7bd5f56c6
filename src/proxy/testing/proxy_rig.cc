#include "proxy/testing/proxy_rig.h"

#include <charconv>
#include <utility>

#include "base/assert.h"
#include "net/testing/collect.h"

namespace elb::proxy::testing {
namespace {

using net::ReadResult;

const Endpoint kFrontend{.address = IpAddress::V4({10, 0, 0, 1}), .port = 80};

Endpoint MemberAddress(std::size_t index) {
  return {.address = IpAddress::V4({10, 0, 1, static_cast<std::uint8_t>(index + 1)}), .port = 8080};
}

MemberId MemberName(std::size_t index) {
  return MemberId(std::string(1, static_cast<char>('A' + index)));
}

/// Whether `text` holds a whole answer of a declared length.
bool IsComplete(std::string_view text) {
  constexpr std::string_view kLength = "Content-Length: ";
  const std::size_t end = text.find("\r\n\r\n");
  if (end == std::string_view::npos) {
    return false;
  }
  const std::size_t at = text.find(kLength);
  std::size_t length = 0;
  if (at < end) {
    std::from_chars(text.data() + at + kLength.size(), text.data() + end, length);
  }
  return text.size() >= end + 4 + length;
}

}  // namespace

ScriptedMember::ScriptedMember(net::Reactor& reactor, net::Network& network, const Endpoint& at)
    : reactor_(&reactor), scope_(reactor) {
  auto acceptor = network.Listen(at, {}, *this);
  ELB_ASSERT(acceptor.has_value());
  acceptor_ = *std::move(acceptor);
}

void ScriptedMember::OnAccept(std::unique_ptr<net::Stream> stream) {
  scope_.Spawn(Serve(this, std::move(stream)));
}

class ScriptedMember::Listed {
 public:
  Listed(ScriptedMember& member, net::Signal& signal) : member_(&member), signal_(&signal) {
    member.signals_.push_back(&signal);
  }
  Listed(const Listed&) = delete;
  Listed& operator=(const Listed&) = delete;
  Listed(Listed&&) = delete;
  Listed& operator=(Listed&&) = delete;
  ~Listed() { std::erase(member_->signals_, signal_); }

 private:
  ScriptedMember* member_;
  net::Signal* signal_;
};

void ScriptedMember::Resume(std::string_view bytes) {
  answer = bytes;
  for (net::Signal* signal : signals_) {
    signal->Notify();
  }
}

net::Task<void> ScriptedMember::Serve(ScriptedMember* member, std::unique_ptr<net::Stream> stream) {
  net::Signal signal(*member->reactor_);
  stream->SetSignal(&signal);
  const Listed listed(*member, signal);
  std::string received;
  std::size_t waiting = 0;
  while (true) {
    const ReadResult read = net::testing::ReadOnto(received, *stream);
    for (std::size_t end = received.find("\r\n\r\n"); end != std::string::npos;
         end = received.find("\r\n\r\n")) {
      member->requests.push_back(received.substr(0, end + 4));
      received.erase(0, end + 4);
      ++waiting;
    }
    for (; waiting > 0 && !member->answer.empty(); --waiting) {
      if (!stream->Write(member->answer)) {
        co_return;
      }
    }
    if (read.kind != ReadResult::Kind::kWouldBlock ||
        co_await signal.Wait() != net::Wake::kNotified) {
      co_return;
    }
  }
}

ProxyRig::ProxyRig(std::size_t members_count) {
  pool.id = PoolId("pool");
  listener.id = ListenerId("listener");
  listener.port = kFrontend.port;
  listener.addresses = {kFrontend.address};
  listener.default_pool = pool.id;
  AddMembers(pool, members_count);
  worker_ = std::make_unique<Worker>(
      Worker::Parts{.index = 0,
                    .reactor = &reactor,
                    .network = &network,
                    .logs = {.options = {}, .access = &access_log, .reject = &reject_log},
                    .ids = RequestIds(0xABCDEF, 1)});
  Apply();
}

void ProxyRig::AddMembers(contract::PoolConfig& to, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t index = members.size();
    members.push_back(std::make_unique<ScriptedMember>(reactor, network, MemberAddress(index)));
    to.members.push_back({.id = MemberName(index), .endpoint = MemberAddress(index)});
  }
}

contract::PoolConfig& ProxyRig::AddPool(std::string id, std::size_t members_count) {
  contract::PoolConfig& added = more_pools.emplace_back();
  added.id = PoolId(std::move(id));
  AddMembers(added, members_count);
  return added;
}

void ProxyRig::Apply() {
  auto snapshot = std::make_shared<contract::ConfigSnapshot>();
  snapshot->pools[pool.id] = std::make_shared<contract::PoolConfig>(pool);
  for (const contract::PoolConfig& more : more_pools) {
    snapshot->pools[more.id] = std::make_shared<contract::PoolConfig>(more);
  }
  snapshot->listeners[listener.id] = std::make_shared<contract::ListenerConfig>(listener);
  snapshot->ip_groups = groups_;
  CompileContext context;
  context.registry = &registry_;
  context.ticket_keys = &ticket_keys_;
  context.sticky_keys = &sticky_keys_;
  auto compiled = Compile(snapshot, current_.get(), context);
  ELB_ASSERT(compiled.has_value());
  for (const auto& changed : (*compiled)->changed_pools) {
    changed->scheduler->Activate(clock.Now());
  }
  for (const auto& choice : (*compiled)->changed_choices) {
    choice->Activate();
  }
  MarkInService(**compiled, current_.get());
  ELB_ASSERT(worker_->Apply(*compiled).empty());
  current_ = *std::move(compiled);
}

void ProxyRig::SetStatus(std::size_t member, contract::MemberStatus status) {
  for (const auto& [id, compiled] : current_->pools) {
    for (const auto& runtime : compiled->members) {
      if (runtime->id != MemberName(member)) {
        continue;
      }
      runtime->cell->status = status;
      compiled->scheduler->Refresh(clock.Now());
      if (status == contract::MemberStatus::kOffline) {
        worker_->CloseIdle(runtime.get());
      }
    }
  }
}

void ProxyRig::Refuse(std::size_t member) {
  network.SetReach(MemberAddress(member), net::testing::Reach::kRefused);
}

std::unique_ptr<net::Stream> ProxyRig::Send(std::string_view request) {
  auto client = network.ConnectFrom(source, kFrontend);
  ELB_ASSERT(client.has_value());
  const auto established = [&] {
    const Outcome<bool> done = (*client)->TryEstablish();
    return done.has_value() && *done;
  };
  ELB_ASSERT(reactor.RunUntil(established, std::chrono::seconds{1}));
  static_cast<void>((*client)->Write(request));  // It may have been reset already.
  return *std::move(client);
}

std::string ProxyRig::Receive(net::Stream& client) {
  std::string answer;
  const bool complete = reactor.RunUntil(
      [&] {
        static_cast<void>(net::testing::ReadOnto(answer, client));
        return IsComplete(answer);
      },
      std::chrono::seconds{10});
  return complete ? answer : std::string();
}

std::string ProxyRig::Ask(std::string_view request) {
  const auto client = Send(request);
  return Receive(*client);
}

std::vector<std::size_t> ProxyRig::Seen() const {
  std::vector<std::size_t> seen;
  seen.reserve(members.size());
  for (const auto& member : members) {
    seen.push_back(member->requests.size());
  }
  return seen;
}

void ProxyRig::SetGroup(const std::string& id, const std::vector<std::string>& prefixes) {
  auto group = std::make_shared<contract::IpGroupConfig>();
  group->id = IpGroupId(id);
  for (const std::string& prefix : prefixes) {
    const auto parsed = IpPrefix::Parse(prefix);
    ELB_ASSERT(parsed.has_value());
    group->prefixes.push_back(*parsed);
  }
  groups_[group->id] = std::move(group);
}

std::uint64_t ProxyRig::Counted(ListenerCounter counter) const {
  return compiled_listener().runtime->counters.Sum(counter);
}

std::uint64_t ProxyRig::Counted(PoolCounter counter) const {
  return compiled_pool().runtime->counters.Sum(counter);
}

}  // namespace elb::proxy::testing
