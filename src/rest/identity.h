#pragma once

#include <optional>
#include <string>
#include <vector>

#include "control/accounts.h"
#include "rest/message.h"

namespace elb::rest {

/// The identity faces of api-v3.md 4.1 to 4.3: tokens, catalogue, projects, domains, discovery.
class Identity {
 public:
  Identity(control::Accounts& accounts, std::string region)
      : accounts_(&accounts), region_(std::move(region)) {}

  /// The password that a call has to check: that of a sign-in. nullopt: none, or the call is
  /// refused without.
  [[nodiscard]] std::optional<control::PasswordCheck> CheckFor(const Request& request) const;

  /// Answers a path below `/v3` that belongs to identity; nullopt when it does not.
  [[nodiscard]] std::optional<Response> Route(const Request& request,
                                              const std::vector<std::string>& path,
                                              const std::string& base_url);

 private:
  [[nodiscard]] Response IssueToken(const Request& request, const std::string& base_url);
  [[nodiscard]] Response RouteTokens(const Request& request, const std::string& base_url);
  [[nodiscard]] Response RouteLists(const Request& request, const std::vector<std::string>& path,
                                    const std::string& base_url);

  control::Accounts* accounts_;
  std::string region_;
};

}  // namespace elb::rest
