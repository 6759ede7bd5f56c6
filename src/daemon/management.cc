#include "daemon/management.h"

#include <fmt/format.h>

#include <utility>

#include "daemon/sample.h"
#include "model/reference.h"

namespace elb::daemon {
namespace {

constexpr std::chrono::milliseconds kTick{1000};
/// For calls in progress at the end.
constexpr std::chrono::milliseconds kCallGrace{5000};

}  // namespace

Result<std::unique_ptr<Management>> Management::Open(const Parts& parts) {
  auto management = std::unique_ptr<Management>(new Management(parts));
  ELB_ASSIGN_OR_RETURN(management->data_, DataDirectory::Open(parts.data_directory));
  management->executor_ = std::make_unique<control::Executor>();
  management->sign_in_ = std::make_unique<control::Executor>("elb-sign-in");
  parts.kept->Attach(management->data_->store(), *management->executor_);
  return management;
}

Result<void> Management::Start(proxy::ProxyDataPlane& data_plane, std::function<void()> each_second,
                               std::vector<Descriptor> api_sockets) {
  ELB_RETURN_IF_ERROR(StartControl(data_plane));
  ELB_RETURN_IF_ERROR(StartApi(data_plane, std::move(api_sockets)));
  ticker_ = std::make_unique<Ticker>(kTick, [this, each_second = std::move(each_second)] {
    executor_->RunAndWait([&] {
      each_second();
      TrimRevisions();
    });
  });
  return {};
}

Management::~Management() {
  ticker_.reset();
  if (api_server_ != nullptr) {
    api_server_->Finish(kCallGrace);
    api_server_.reset();
  }
  handler_.reset();
  parts_.kept->Detach();
  sign_in_.reset();
  executor_.reset();  // Finishes what was handed over.
}

/// Control thread.
Result<void> Management::LoadState() {
  ELB_RETURN_IF_ERROR(accounts_->Load());
  ELB_RETURN_IF_ERROR(control_->Start());
  return parts_.kept->ForgetOthers(control_->state());
}

Result<void> Management::StartControl(proxy::ProxyDataPlane& data_plane) {
  control_ = std::make_unique<control::Control>(control::Control::Parts{.node = parts_.config->node,
                                                                        .store = &data_->store(),
                                                                        .data_plane = &data_plane,
                                                                        .clock = parts_.clock,
                                                                        .random = parts_.random});
  accounts_ = std::make_unique<control::Accounts>(
      control::Accounts::Parts{.store = &data_->store(),
                               .clock = parts_.clock,
                               .random = parts_.random,
                               .token_life = parts_.config->node.token_life});
  Result<void> started;
  executor_->RunAndWait([&] { started = LoadState(); });
  ELB_RETURN_IF_ERROR(std::move(started));
  for (const contract::ListenerProblem& problem : data_plane.Problems()) {
    parts_.log->Warn("listener_degraded", {{.name = "listener", .value = problem.listener.value()},
                                           {.name = "reason", .value = problem.reason}});
  }
  return {};
}

Result<void> Management::StartApi(proxy::ProxyDataPlane& data_plane,
                                  std::vector<Descriptor> sockets) {
  metrics_page_ = std::make_unique<proxy::MetricsPage>(data_plane, *parts_.clock);
  rest::Pages pages;
  pages.metrics = [this] { return metrics_page_->Text(); };
  pages.not_ready = [this] { return control_->degraded(); };
  pages.openapi = model::OpenApiText();
  api_ = std::make_unique<rest::Api>(*control_, *accounts_, std::move(pages));
  handler_ = std::make_unique<rest::RestHandler>(
      *api_, rest::RestHandler::Threads{.control = executor_.get(), .sign_in = sign_in_.get()});
  const auto address = IpAddress::Parse(parts_.config->api_address);
  if (!address) {
    return Invalid("api.address", "must be an IP address");
  }
  ELB_ASSIGN_OR_RETURN(api_server_,
                       ApiServer::Create({.address = *address, .port = parts_.config->api_port},
                                         *handler_, *parts_.clock, std::move(sockets)));
  return data_->WriteFile("api.port", fmt::format("{}\n", api_server_->local().port));
}

void Management::TrimRevisions() {
  if (const Result<void> trimmed = control_->TrimRevisions(); !trimmed) {
    parts_.log->Error("revisions_not_trimmed",
                      {{.name = "reason", .value = trimmed.error().message}});
  }
}

std::string Management::api_url() const { return "http://" + api_server_->local().ToString(); }

bool Management::has_administrator() {
  bool found = false;
  executor_->RunAndWait([&] { found = accounts_->has_users(); });
  return found;
}

Result<void> Management::CreateSample() {
  Result<void> made;
  executor_->RunAndWait([&] {
    made = MakeSample({.control = control_.get(),
                       .accounts = accounts_.get(),
                       .data = data_.get(),
                       .clock = parts_.clock});
  });
  return made;
}

}  // namespace elb::daemon
