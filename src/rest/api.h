#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "control/accounts.h"
#include "control/control.h"
#include "rest/call.h"
#include "rest/discovery.h"
#include "rest/message.h"

namespace elb::rest {

/// The management API v3 and what its clients need around it, as one function from request to
/// response. Control thread: calls may block.
class Api {
 public:
  Api(control::Control& control, control::Accounts& accounts, Pages pages);
  [[nodiscard]] Response Handle(const Request& request);
  /// Does the request ask to sign in? Such calls check a password, which takes long. Any thread.
  [[nodiscard]] static bool SignsIn(const Request& request);
  /// The password that `Handle` will need checked; nullopt: none. Whoever signs in has to do so one
  /// after the other, from here to the end of `Handle` (`control::Accounts`).
  [[nodiscard]] std::optional<control::PasswordCheck> CheckFor(const Request& request);
  /// The answer to a request that is not looked at because of `error`.
  [[nodiscard]] Response Refuse(const Request& request, const Error& error);

 private:
  [[nodiscard]] Call Begin(const Request& request) const;
  [[nodiscard]] Response Route(Call& call);
  [[nodiscard]] Result<void> Authenticate(Call& call) const;
  [[nodiscard]] Response RouteElb(Call& call);
  [[nodiscard]] Response RouteResource(Call& call);
  [[nodiscard]] Response RouteCollection(Call& call, control::Resource resource,
                                         const std::string& parent);
  [[nodiscard]] Response RouteObject(Call& call, control::Resource resource,
                                     const std::string& parent, const std::string& id);
  [[nodiscard]] Response RouteBelow(Call& call, control::Resource resource);

  [[nodiscard]] Response Create(Call& call, control::Resource resource, const std::string& parent);
  [[nodiscard]] Response Update(Call& call, const control::Place& place);
  [[nodiscard]] Response Delete(Call& call, const control::Place& place, control::DeleteMode mode);
  [[nodiscard]] Response List(Call& call, control::Resource resource, const std::string& parent);

  control::Control& control_;
  control::Accounts& accounts_;
  Pages pages_;
};

}  // namespace elb::rest
