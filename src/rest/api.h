#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "control/accounts.h"
#include "control/control.h"
#include "rest/message.h"

namespace elb::rest {

/// Plain-text pages beside the API, made elsewhere.
struct Pages {
  std::function<std::string()> metrics;    ///< Prometheus text.
  std::function<std::string()> not_ready;  ///< Why the node is not ready; empty when it is.
  std::string openapi;                     ///< `/openapi.json`
};

/// The management API v3 and what its clients need around it, as one function from request to
/// response. Control thread: calls may block.
class Api {
 public:
  Api(control::Control& control, control::Accounts& accounts, Pages pages);
  [[nodiscard]] Response Handle(const Request& request);

 private:
  struct Call;
  [[nodiscard]] Response Route(Call& call);
  [[nodiscard]] std::optional<Response> RouteOpen(Call& call);
  [[nodiscard]] Response RouteElb(Call& call);
  [[nodiscard]] Response RouteCollection(Call& call, control::Resource resource,
                                         const std::string& parent);
  [[nodiscard]] Response RouteObject(Call& call, control::Resource resource,
                                     const std::string& parent, const std::string& id);
  [[nodiscard]] Response RouteBelow(Call& call);
  [[nodiscard]] std::optional<Response> RouteCatalogue(Call& call);
  [[nodiscard]] Response RouteQuotas(Call& call);
  [[nodiscard]] Response RouteNetwork(Call& call);
  [[nodiscard]] Result<void> Authenticate(Call& call) const;

  [[nodiscard]] Response Create(Call& call, control::Resource resource, const std::string& parent);
  [[nodiscard]] Response List(Call& call, control::Resource resource, const std::string& parent);
  [[nodiscard]] Response Fail(const Call& call, const Error& error) const;
  [[nodiscard]] Response Show(const Call& call, const control::Shown& shown,
                              control::Resource resource, int status) const;

  control::Control& control_;
  control::Accounts& accounts_;
  Pages pages_;
};

}  // namespace elb::rest
