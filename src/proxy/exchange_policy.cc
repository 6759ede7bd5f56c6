// What forwarding policies do with a request (data-plane.md 10).

#include <array>
#include <string>
#include <string_view>

#include "proxy/exchange.h"
#include "proxy/policy_target.h"
#include "proxy/redirect.h"
#include "proxy/routing.h"
#include "server/own_answer.h"

namespace elb::proxy {

using contract::L7PolicyConfig;
using contract::PolicyAction;
using server::BodyRead;

/// Finds who answers. True: `pool_` is to be asked. False: answered, or `AnswerByPolicy` is next.
bool Exchange::Route() {
  if (listener_->router != nullptr) {
    const RouteRequest request{.head = &stream_->request(), .client = &client_->address};
    outcome_.route = listener_->router->Decide(request, worker_->routing);
  }
  if (outcome_.route.reason != RouteReason::kFirstMatch) {
    return AskPool(listener_->default_pool.get());
  }
  return policy().action == PolicyAction::kToPool &&
         AskPool(ChoosePool(listener_->targets[outcome_.route.policy]).pool);
}

/// The request is for the members of `pool`; null: there is none, and 503 is the answer.
bool Exchange::AskPool(const CompiledPool* pool) {
  pool_ = pool;
  if (pool_ == nullptr) {
    AnswerNoPool("no_default_pool");
    return false;
  }
  outcome_.pool_name = pool_->config->id.value();
  return true;
}

/// Nobody could ever answer: a fault of the policy's configuration, or else of the listener's.
void Exchange::AnswerNoPool(std::string_view default_reason) {
  if (outcome_.route.reason == RouteReason::kFirstMatch) {
    Answer(503, "pool_empty_policy", "40001");
  } else {
    Answer(503, default_reason, "40000");
  }
}

/// Answers in place of members, as the policy that matched says.
net::Task<void> Exchange::AnswerByPolicy() {
  if (!stream_->body_complete()) {
    co_await DrainRequest();
  }
  if (answered_) {
    co_return;
  }
  switch (policy().action) {
    case PolicyAction::kFixedResponse:
      AnswerFixed();
      break;
    case PolicyAction::kToListener:
      AnswerRedirect(301);
      break;
    case PolicyAction::kToUrl:
      AnswerRedirect(policy().status_code);
      break;
    case PolicyAction::kToPool:  // `Route` has answered or gone on.
      break;
  }
}

/// Reads what is left of a small body, so that the connection can be kept (data-plane.md 10.7). A
/// client that waits for a 100 or is slow gets its answer and the connection closes.
net::Task<void> Exchange::DrainRequest() {
  const http::RequestHead& request = stream_->request();
  if (request.expect_continue ||
      (request.framing == http::Framing::kLength && request.content_length > kDrainBytesMax)) {
    co_return;
  }
  net::Signal& signal = stream_->signal();
  signal.SetDeadline(now() + client_timeout());
  for (std::size_t drained = 0; drained <= kDrainBytesMax;) {
    const BodyRead read = stream_->TryReadBody(kDrainBytesMax);
    if (read.kind == BodyRead::Kind::kData) {
      drained += read.data.size();
      signal.SetDeadline(now() + client_timeout());
    } else if (read.kind != BodyRead::Kind::kWouldBlock) {
      EndDrain(read);
      break;
    } else if (const net::Wake wake = co_await signal.Wait(); stream_->client_gone()) {
      Abandon("client_closed");
      break;
    } else if (wake == net::Wake::kCancelled) {
      Abandon("internal_error");
      break;
    } else if (wake == net::Wake::kDeadline) {
      break;
    }
  }
  signal.ClearDeadline();
}

/// The content ended, well or not.
void Exchange::EndDrain(const server::BodyRead& read) {
  if (read.kind == BodyRead::Kind::kRefused) {
    Answer(read.status, read.reason);
  } else if (read.kind == BodyRead::Kind::kGone) {
    Abandon("client_closed");
  }
}

void Exchange::AnswerFixed() {
  const L7PolicyConfig& fixed = policy();
  const std::array<http::Field, 2> fields{
      http::Field{.name = "Server", .value = "elb"},
      http::Field{.name = "Content-Type",
                  .value = fixed.content_type.empty() ? std::string_view("text/plain")
                                                      : std::string_view(fixed.content_type)}};
  const bool no_content = fixed.status_code == 204 || fixed.status_code == 205;
  SendOwn({.status = fixed.status_code, .fields = fields},
          no_content ? std::string_view() : std::string_view(fixed.message_body));
}

void Exchange::AnswerRedirect(int status) {
  const RedirectRequest request{.head = &stream_->request(),
                                .listener = listener_->config.get(),
                                .local = stream_->connection().local().address,
                                .tls = stream_->connection().tls != nullptr};
  std::string& location = worker_->routing.location;
  location.clear();
  const LocationMade made =
      policy().action == PolicyAction::kToListener
          ? AppendListenerLocation(request, policy().listener_port, location)
          : listener_->targets[outcome_.route.policy].url.AppendLocation(request, location);
  if (made == LocationMade::kTooLong) {
    Answer(414, "uri_too_long");
    return;
  }
  server::OwnAnswer answer(status, {}, server::AnswerForm::kHtml);
  answer.AddField("Location", location);
  SendOwn({.status = status, .fields = answer.fields()}, answer.content());
}

}  // namespace elb::proxy
