#include "daemon/node.h"

#include <malloc.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <span>
#include <thread>
#include <utility>

#include "crypto/hash.h"
#include "tls/client_stream.h"

namespace elb::daemon {
namespace {

constexpr std::chrono::milliseconds kFailureGrace{5000};

/// Every connection needs descriptors: use all that the system allows.
void RaiseDescriptorLimit() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < limit.rlim_max) {
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
  }
}

std::string_view StatusWord(contract::MemberStatus status) {
  switch (status) {
    case contract::MemberStatus::kNoMonitor:
      return "NO_MONITOR";
    case contract::MemberStatus::kOnline:
      return "ONLINE";
    case contract::MemberStatus::kOffline:
      break;
  }
  return "OFFLINE";
}

/// The first 24 bits of the SHA-256 of the host's name: ids of requests end with them.
std::uint32_t NodeTag() {
  std::array<char, 256> name{};
  gethostname(name.data(), name.size() - 1);
  const crypto::Digest digest = crypto::Sha256(name.data());
  return std::to_integer<std::uint32_t>(digest[0]) << 16 |
         std::to_integer<std::uint32_t>(digest[1]) << 8 | std::to_integer<std::uint32_t>(digest[2]);
}

}  // namespace

Node::Node(Options options, Log& log)
    : options_(std::move(options)),
      log_(&log),
      ticket_keys_(random_, clock_),
      sticky_keys_(random_, clock_) {
  if (options_.config.workers == 0) {
    options_.config.workers = std::max(1U, std::thread::hardware_concurrency());
  }
}

Result<std::unique_ptr<Node>> Node::Start(Options options, Log& log, HandedSockets inherited) {
  RaiseDescriptorLimit();
  auto node = std::unique_ptr<Node>(new Node(std::move(options), log));
  ELB_RETURN_IF_ERROR(node->OpenManagement());
  ELB_RETURN_IF_ERROR(node->StartDataPlane());
  node->data_plane_->Adopt(std::move(inherited.listeners));
  Result<void> started = node->StartManagement(std::move(inherited.api));
  node->data_plane_->DropAdopted();
  if (!started) {
    node->Stop({.total = kFailureGrace, .idle = {}});  // It may have accepted connections.
    return std::unexpected(std::move(started).error());
  }
  return node;
}

Node::~Node() { Stop({}); }

void Node::Stop(const proxy::ProxyDataPlane::Grace& grace) {
  management_.reset();
  api_sockets_.clear();
  if (health_ != nullptr) {
    health_->Stop();
  }
  if (data_plane_ != nullptr) {
    data_plane_->Stop(grace);
  }
}

HandedSockets Node::HandOver() {
  HandedSockets sockets;
  if (management_ != nullptr) {
    sockets.api = management_->ShareSockets();
    api_sockets_ = management_->ShareSockets();
    management_.reset();
  }
  sockets.listeners = data_plane_->ShareSockets();
  return sockets;
}

Result<void> Node::Resume() {
  Result<void> resumed = OpenManagement();
  if (resumed) {
    resumed = StartManagement(std::move(api_sockets_));
  }
  if (!resumed) {
    management_.reset();
  }
  return resumed;
}

Result<void> Node::OpenManagement() {
  ELB_ASSIGN_OR_RETURN(management_, Management::Open({.config = &options_.config,
                                                      .data_directory = options_.data_directory,
                                                      .clock = &clock_,
                                                      .random = &random_,
                                                      .log = log_,
                                                      .kept = &kept_}));
  return RestoreKeys();
}

Result<void> Node::StartManagement(std::vector<Descriptor> api_sockets) {
  return management_->Start(*data_plane_, [this] { EachSecond(); }, std::move(api_sockets));
}

/// Goes on with the keys of before a restart, and keeps those of a first start.
Result<void> Node::RestoreKeys() {
  ELB_RETURN_IF_ERROR(kept_.LoadTicketKeys(ticket_keys_));
  ELB_RETURN_IF_ERROR(kept_.SaveTicketKeys(ticket_keys_));
  ELB_RETURN_IF_ERROR(kept_.LoadStickyKeys(sticky_keys_));
  return kept_.SaveStickyKeys(sticky_keys_);
}

Result<void> Node::StartDataPlane() {
  const DaemonConfig& config = options_.config;
  if (config.access_log) {
    ELB_ASSIGN_OR_RETURN(access_log_.writer,
                         telemetry::LogWriter::Create(config.access_log_file, config.workers));
  }
  ELB_ASSIGN_OR_RETURN(auto probe_tls,
                       tls::ClientContext::Create(tls::ClientVersions::kTls12AndUp));
  health_ = std::make_unique<HealthThread>(HealthThread::Parts{
      .clock = &clock_,
      .random = &random_,
      .cells = &cells_,
      .tls = std::move(probe_tls),
      .on_transition = [this](
                           const PoolId& pool,
                           const MemberId& member) { data_plane_->OnHealthChanged(pool, member); },
      .observer =
          [this](const contract::SavedMemberHealth& saved) {
            LogHealth(saved);
            kept_.OnHealth(saved);
          }});
  ELB_ASSIGN_OR_RETURN(const std::vector<contract::SavedMemberHealth> saved, kept_.LoadHealth());
  health_->Restore(saved);
  proxy::ProxyDataPlane::Parts parts;
  parts.workers = config.workers;
  parts.clock = &clock_;
  parts.ticket_keys = &ticket_keys_;
  parts.sticky_keys = &sticky_keys_;
  parts.cells = &cells_;
  reject_log_.writer = telemetry::LogWriter::OnStandardError(config.workers);
  parts.logs = {.options = config.access_log_options,
                .access = config.access_log ? &access_log_ : nullptr,
                .reject = &reject_log_};
  parts.health = health_.get();
  parts.node_tag = NodeTag();
  random_.Fill(std::as_writable_bytes(std::span(&parts.first_request_number, 1)));
  ELB_ASSIGN_OR_RETURN(data_plane_, proxy::ProxyDataPlane::Create(parts));
  return {};
}

void Node::EachSecond() {
  data_plane_->RetryBinding();
  RotateKeys();
  if (trimmer_.Due(data_plane_->frames(), clock_.Now())) {
    malloc_trim(0);
  }
}

void Node::RotateKeys() {
  const auto report = [this](std::string_view event, const Result<void>& saved) {
    if (!saved) {
      log_->Error(event, {{.name = "reason", .value = saved.error().message}});
    }
  };
  if (ticket_keys_.RotateIfDue()) {
    report("ticket_keys_not_saved", kept_.SaveTicketKeys(ticket_keys_));
  }
  if (sticky_keys_.RotateIfDue()) {
    report("sticky_keys_not_saved", kept_.SaveStickyKeys(sticky_keys_));
  }
}

void Node::LogHealth(const contract::SavedMemberHealth& saved) {
  log_->Info("member_health",
             {{.name = "pool", .value = saved.pool.value()},
              {.name = "member", .value = saved.member.value()},
              {.name = "status", .value = std::string(StatusWord(saved.health.status))}});
}

}  // namespace elb::daemon
