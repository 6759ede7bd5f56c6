#include "daemon/node.h"

#include <fmt/format.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <map>
#include <span>
#include <thread>
#include <utility>

#include "crypto/hash.h"
#include "daemon/sample.h"
#include "model/reference.h"
#include "tls/client_stream.h"

namespace elb::daemon {
namespace {

constexpr std::chrono::milliseconds kTick{1000};

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

Result<std::unique_ptr<Node>> Node::Start(const Options& options, Log& log) {
  RaiseDescriptorLimit();
  auto node = std::unique_ptr<Node>(new Node(options, log));
  ELB_ASSIGN_OR_RETURN(node->data_, DataDirectory::Open(options.data_directory));
  node->executor_ = std::make_unique<control::Executor>();
  node->sign_in_ = std::make_unique<control::Executor>("elb-sign-in");
  node->kept_ = std::make_unique<KeptState>(node->data_->store(), *node->executor_);
  ELB_RETURN_IF_ERROR(node->RestoreKeys());
  ELB_RETURN_IF_ERROR(node->StartDataPlane());
  ELB_RETURN_IF_ERROR(node->StartControl());
  ELB_RETURN_IF_ERROR(node->StartApi());
  node->ticker_ = std::make_unique<Ticker>(
      kTick, [node = node.get()] { node->executor_->RunAndWait([node] { node->EachSecond(); }); });
  return node;
}

Node::~Node() { Stop(std::chrono::milliseconds{0}); }

void Node::Stop(std::chrono::milliseconds grace) {
  ticker_.reset();
  api_server_.reset();
  handler_.reset();
  if (health_ != nullptr) {
    health_->Stop();
  }
  sign_in_.reset();
  executor_.reset();  // Finishes what was handed over.
  if (data_plane_ != nullptr) {
    data_plane_->Stop(grace);
  }
}

/// Goes on with the keys of before a restart, and keeps those of a first start.
Result<void> Node::RestoreKeys() {
  ELB_RETURN_IF_ERROR(kept_->LoadTicketKeys(ticket_keys_));
  ELB_RETURN_IF_ERROR(kept_->SaveTicketKeys(ticket_keys_));
  ELB_RETURN_IF_ERROR(kept_->LoadStickyKeys(sticky_keys_));
  return kept_->SaveStickyKeys(sticky_keys_);
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
            kept_->OnHealth(saved);
          }});
  ELB_ASSIGN_OR_RETURN(const std::vector<contract::SavedMemberHealth> saved, kept_->LoadHealth());
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

/// Control thread.
Result<void> Node::LoadState() {
  ELB_RETURN_IF_ERROR(accounts_->Load());
  ELB_RETURN_IF_ERROR(control_->Start());
  return kept_->ForgetOthers(control_->state());
}

Result<void> Node::StartControl() {
  control_ =
      std::make_unique<control::Control>(control::Control::Parts{.node = options_.config.node,
                                                                 .store = &data_->store(),
                                                                 .data_plane = data_plane_.get(),
                                                                 .clock = &clock_,
                                                                 .random = &random_});
  accounts_ = std::make_unique<control::Accounts>(
      control::Accounts::Parts{.store = &data_->store(),
                               .clock = &clock_,
                               .random = &random_,
                               .token_life = options_.config.node.token_life});
  Result<void> started;
  executor_->RunAndWait([&] { started = LoadState(); });
  ELB_RETURN_IF_ERROR(std::move(started));
  for (const contract::ListenerProblem& problem : data_plane_->Problems()) {
    log_->Warn("listener_degraded", {{.name = "listener", .value = problem.listener.value()},
                                     {.name = "reason", .value = problem.reason}});
  }
  return {};
}

Result<void> Node::StartApi() {
  metrics_page_ = std::make_unique<proxy::MetricsPage>(*data_plane_, clock_);
  rest::Pages pages;
  pages.metrics = [this] { return metrics_page_->Text(); };
  pages.not_ready = [this] { return control_->degraded(); };
  pages.openapi = model::OpenApiText();
  api_ = std::make_unique<rest::Api>(*control_, *accounts_, std::move(pages));
  handler_ = std::make_unique<rest::RestHandler>(
      *api_, rest::RestHandler::Threads{.control = executor_.get(), .sign_in = sign_in_.get()});
  const auto address = IpAddress::Parse(options_.config.api_address);
  if (!address) {
    return Invalid("api.address", "must be an IP address");
  }
  ELB_ASSIGN_OR_RETURN(api_server_,
                       ApiServer::Create({.address = *address, .port = options_.config.api_port},
                                         *handler_, clock_));
  return data_->WriteFile("api.port", fmt::format("{}\n", api_server_->local().port));
}

void Node::EachSecond() {
  data_plane_->RetryBinding();
  RotateKeys();
  if (const Result<void> trimmed = control_->TrimRevisions(); !trimmed) {
    log_->Error("revisions_not_trimmed", {{.name = "reason", .value = trimmed.error().message}});
  }
}

void Node::RotateKeys() {
  const auto report = [this](std::string_view event, const Result<void>& saved) {
    if (!saved) {
      log_->Error(event, {{.name = "reason", .value = saved.error().message}});
    }
  };
  if (ticket_keys_.RotateIfDue()) {
    report("ticket_keys_not_saved", kept_->SaveTicketKeys(ticket_keys_));
  }
  if (sticky_keys_.RotateIfDue()) {
    report("sticky_keys_not_saved", kept_->SaveStickyKeys(sticky_keys_));
  }
}

void Node::LogHealth(const contract::SavedMemberHealth& saved) {
  log_->Info("member_health",
             {{.name = "pool", .value = saved.pool.value()},
              {.name = "member", .value = saved.member.value()},
              {.name = "status", .value = std::string(StatusWord(saved.health.status))}});
}

std::string Node::api_url() const { return "http://" + api_server_->local().ToString(); }

bool Node::has_administrator() {
  bool found = false;
  executor_->RunAndWait([&] { found = accounts_->has_users(); });
  return found;
}

Result<void> Node::CreateSample() {
  Result<void> made;
  executor_->RunAndWait([&] {
    made = MakeSample({.control = control_.get(),
                       .accounts = accounts_.get(),
                       .data = data_.get(),
                       .clock = &clock_});
  });
  return made;
}

}  // namespace elb::daemon
