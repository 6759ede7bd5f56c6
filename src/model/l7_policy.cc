#include "model/l7_policy.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <string_view>

#include "model/common_fields.h"

namespace elb::model {
namespace {

FieldSpec WeightField() {
  FieldSpec field = Field::Derived("weight", ValueType::kNumber)
                        .Label("Weight")
                        .Range(0, 100)
                        .Required()
                        .Set(Access::kCreateAndUpdate)
                        .Doc(
                            "Share of the requests. A decimal string is accepted too and then "
                            "shown as one.");
  field.or_text = true;
  return field;
}

const Schema& WeightedPoolSchema() {
  static const Schema schema{"redirect_pools_config",
                             {
                                 Field::Derived("pool_id", ValueType::kText)
                                     .Label("Backend Server Group")
                                     .Required()
                                     .Set(Access::kCreateAndUpdate)
                                     .Doc("Backend server group; each one once."),
                                 WeightField(),
                             }};
  return schema;
}

const Schema& RedirectUrlSchema() {
  using T = RedirectUrl;
  static const Schema schema{
      "redirect_url_config",
      {
          Field("protocol", &T::protocol)
              .Label("Protocol")
              .OneOf({"HTTP", "HTTPS", "${protocol}"})
              .OnNull(Null::kReset)
              .Set(Access::kCreateAndUpdate)
              .Doc("Protocol of the new URL."),
          Field("host", &T::host)
              .Label("Domain Name")
              .Range(1, 128)
              .Pattern(R"((\$\{host\}|[A-Za-z0-9])(\$\{host\}|[A-Za-z0-9.-])*)")
              .OnNull(Null::kReset)
              .Set(Access::kCreateAndUpdate)
              .Doc("Host of the new URL; may embed ${host}."),
          Field("port", &T::port)
              .Label("Port")
              .Pattern(R"(\$\{port\}|[1-9][0-9]{0,4})")
              .OnNull(Null::kReset)
              .Set(Access::kCreateAndUpdate)
              .Doc("Port of the new URL: 1 to 65535, or ${port}."),
          Field("path", &T::path)
              .Label("Path")
              .Range(1, 128)
              .Pattern(R"(/[A-Za-z0-9_~';@^\-%#&$.*+?,=!:|/()\[\]{}]*)"
                       R"(|[A-Za-z0-9_~';@^\-%#&$.*+?,=!:|/()\[\]{}]*\$\{path\})"
                       R"([A-Za-z0-9_~';@^\-%#&$.*+?,=!:|/()\[\]{}]*)")
              .OnNull(Null::kReset)
              .Set(Access::kCreateAndUpdate)
              .Doc("Path of the new URL: starts with / or embeds ${path}."),
          Field("query", &T::query)
              .Label("Query String")
              .Range(0, 128)
              .Pattern(R"(([A-Za-z0-9!$&'()*+,\-./:;=?@^_`]|\$\{query\})*)")
              .OnNull(Null::kReset)
              .Set(Access::kCreateAndUpdate)
              .Doc("Query of the new URL; may embed ${query}."),
          Field("status_code", &T::status_code)
              .Label("Return Code")
              .OneOf({"301", "302", "303", "307", "308"})
              .Required()
              .Set(Access::kCreateAndUpdate)
              .Doc("Status code of the redirect."),
      }};
  return schema;
}

const Schema& FixedResponseSchema() {
  using T = FixedResponse;
  static const Schema schema{"fixed_response_config",
                             {
                                 Field("status_code", &T::status_code)
                                     .Label("HTTP Status Code")
                                     .Pattern("[245][0-9]{2}")
                                     .Required()
                                     .Set(Access::kCreateAndUpdate)
                                     .Doc("200 to 299, 400 to 499 or 500 to 599."),
                                 Field("content_type", &T::content_type)
                                     .Label("Content-Type")
                                     .OneOf({"text/plain", "text/css", "text/html",
                                             "application/javascript", "application/json"})
                                     .OnNull(Null::kReset)
                                     .Set(Access::kCreateAndUpdate)
                                     .Doc("Type of the body."),
                                 Field("message_body", &T::message_body)
                                     .Label("Message Body")
                                     .Range(0, 1024)
                                     .OnNull(Null::kClear)
                                     .Set(Access::kCreateAndUpdate)
                                     .Doc("Body of the answer."),
                             }};
  return schema;
}

std::vector<FieldSpec> GeneralFields() {
  using T = L7Policy;
  return {
      Field("listener_id", &T::listener_id)
          .Label("Listener")
          .Required()
          .Set(Access::kCreate)
          .Doc("HTTP or HTTPS listener of the policy."),
      Field("action", &T::action)
          .Label("Action")
          .OneOf({"REDIRECT_TO_POOL", "REDIRECT_TO_LISTENER", "REDIRECT_TO_URL", "FIXED_RESPONSE"})
          .Required()
          .Set(Access::kCreate)
          .Doc("What happens to the requests. REDIRECT_TO_LISTENER is for HTTP listeners; "
               "REDIRECT_TO_URL and FIXED_RESPONSE need advanced forwarding."),
      NameField(&T::name, "forwarding policy"),
      DescriptionField(&T::description, "forwarding policy"),
      Field("admin_state_up", &T::admin_state_up)
          .Label("Enabled")
          .Set(Access::kCreateAndUpdate)
          .Doc("False: the policy is skipped."),
      Field("position", &T::position)
          .Label("Position")
          .Range(1, 100)
          .Set(Access::kCreate)
          .Doc("Without meaning; stored only."),
      Field("priority", &T::priority)
          .Label("Priority")
          .Range(0, 10000)
          .OnNull(Null::kClear)
          .DefaultNote("one more than the listener's largest, from 1; 0 with REDIRECT_TO_LISTENER; "
                       "null without advanced forwarding")
          .Set(Access::kCreateAndUpdate)
          .Doc("Smaller ones come first; unique within the listener. Advanced forwarding only."),
  };
}

std::vector<FieldSpec> TargetFields() {
  using T = L7Policy;
  return {
      Field("redirect_pool_id", &T::redirect_pool_id)
          .Label("Backend Server Group")
          .OnNull(Null::kClear)
          .EmptyClears()
          .NullWhenEmpty()
          .Set(Access::kCreateAndUpdate)
          .Doc("Target of REDIRECT_TO_POOL, which needs this or redirect_pools_config."),
      Field("redirect_pools_config", &T::redirect_pools_config, WeightedPoolSchema(),
            &ReadWeightedPools, &WriteWeightedPools)
          .Label("Backend Server Groups")
          .OnNull(Null::kClear)
          .Set(Access::kCreateAndUpdate)
          .Doc("Several targets of REDIRECT_TO_POOL with weights; wins over redirect_pool_id."),
      Field("redirect_listener_id", &T::redirect_listener_id)
          .Label("Redirect to Listener")
          .OnNull(Null::kClear)
          .EmptyClears()
          .NullWhenEmpty()
          .Set(Access::kCreateAndUpdate)
          .Doc("HTTPS listener of the same load balancer; REDIRECT_TO_LISTENER needs it."),
      Field("redirect_url", &T::redirect_url)
          .Label("Redirect URL")
          .Range(0, kTextMax)
          .OnNull(Null::kClear)
          .NullWhenEmpty()
          .Set(Access::kCreateAndUpdate)
          .Doc("Stored only; redirect_url_config is what acts."),
      Field("redirect_url_config", &T::redirect_url_config, RedirectUrlSchema())
          .Label("Redirect to URL")
          .OnNull(Null::kClear)
          .Set(Access::kCreateAndUpdate)
          .Doc(
              "Where REDIRECT_TO_URL sends clients; at least one part differs from the request's."),
      Field("fixed_response_config", &T::fixed_response_config, FixedResponseSchema())
          .Label("Fixed Response")
          .OnNull(Null::kClear)
          .Set(Access::kCreateAndUpdate)
          .Doc("What FIXED_RESPONSE answers."),
      Field("rules", &T::rules, L7RuleSchema())
          .Label("Forwarding Rules")
          .OnNull(Null::kClear)
          .Lives(Life::kRequest)
          .Set(Access::kCreateAndUpdate)
          .Doc("Rules that a request must fit, all of them; an update replaces all. Not with "
               "REDIRECT_TO_LISTENER."),
  };
}

bool HasAdvancedAction(const L7Policy& policy) {
  return policy.action == "REDIRECT_TO_URL" || policy.action == "FIXED_RESPONSE";
}

Result<void> CheckAction(const L7Policy& policy, const ForwardingTraits& traits) {
  const std::string& protocol = traits.listener_protocol;
  if (protocol != "HTTP" && protocol != "HTTPS" && protocol != "TERMINATED_HTTPS") {
    return Invalid("l7policy.listener_id", "forwarding policies need an HTTP or HTTPS listener");
  }
  if (policy.action == "REDIRECT_TO_LISTENER" && protocol != "HTTP") {
    return Invalid("l7policy.action", "only HTTP listeners redirect to a listener");
  }
  if (HasAdvancedAction(policy) && !traits.advanced) {
    return Failure(traits.kind == Kind::kShared ? ErrorKind::kRestricted : ErrorKind::kInvalid,
                   "l7policy.action", fmt::format("{} needs advanced forwarding", policy.action));
  }
  return {};
}

/// Every target belongs to one action, which needs it and is alone in having it.
Result<void> CheckTargets(const L7Policy& policy) {
  struct Target {
    std::string_view field;
    std::string_view action;
    bool given;
  };
  const std::array targets{
      Target{"redirect_pool_id", "REDIRECT_TO_POOL", !policy.redirect_pool_id.empty()},
      Target{"redirect_pools_config", "REDIRECT_TO_POOL", !policy.redirect_pools_config.empty()},
      Target{"redirect_listener_id", "REDIRECT_TO_LISTENER", !policy.redirect_listener_id.empty()},
      Target{"redirect_url_config", "REDIRECT_TO_URL", policy.redirect_url_config.has_value()},
      Target{"fixed_response_config", "FIXED_RESPONSE", policy.fixed_response_config.has_value()},
  };
  for (const Target& target : targets) {
    if (target.given && target.action != policy.action) {
      return Invalid(fmt::format("l7policy.{}", target.field),
                     fmt::format("{} does not go with {}", target.field, policy.action));
    }
  }
  const bool any = std::ranges::any_of(targets, &Target::given);
  if (!any) {
    const auto* needed = std::ranges::find(targets, policy.action, &Target::action);
    return Missing(fmt::format("l7policy.{}", needed->field),
                   fmt::format("{} is mandatory with {}", needed->field, policy.action));
  }
  if (!policy.redirect_listener_id.empty() && policy.redirect_listener_id == policy.listener_id) {
    return Invalid("l7policy.redirect_listener_id", "a listener cannot redirect to itself");
  }
  return {};
}

Result<void> CheckPools(const std::vector<WeightedPool>& pools) {
  for (std::size_t i = 0; i < pools.size(); ++i) {
    const auto end = pools.begin() + static_cast<std::ptrdiff_t>(i);
    if (std::find_if(pools.begin(), end, [&](const WeightedPool& pool) {
          return pool.pool_id == pools[i].pool_id;
        }) != end) {
      return Invalid(fmt::format("l7policy.redirect_pools_config[{}].pool_id", i),
                     "the backend server group is given twice");
    }
  }
  return {};
}

Result<void> CheckRedirect(const RedirectUrl& url) {
  const std::string path = "l7policy.redirect_url_config";
  int port = 1;
  if (url.port != "${port}") {
    std::from_chars(url.port.data(), url.port.data() + url.port.size(), port);
  }
  if (port < 1 || port > 65535) {
    return Invalid(path + ".port", "port must be 1 to 65535 or ${port}");
  }
  RedirectUrl inherited;
  inherited.status_code = url.status_code;
  if (url == inherited) {
    return Invalid(path, "a redirect to the request's own URL would never end");
  }
  return {};
}

Result<void> CheckPriority(L7Policy& policy, const ForwardingTraits& traits) {
  const std::int64_t given = policy.priority.value_or(0);
  if (!traits.advanced) {
    if (given != 0) {
      return Failure(traits.kind == Kind::kShared ? ErrorKind::kRestricted : ErrorKind::kInvalid,
                     "l7policy.priority", "priority needs advanced forwarding");
    }
    policy.priority.reset();
    return {};
  }
  if (policy.action == "REDIRECT_TO_LISTENER") {
    if (given != 0) {
      return Invalid("l7policy.priority", "REDIRECT_TO_LISTENER has priority 0");
    }
    policy.priority = 0;
  }
  return {};
}

Result<void> CheckRules(const L7Policy& policy, const ForwardingTraits& traits,
                        std::int64_t conditions_max) {
  const std::string path = "l7policy.rules";
  if (!policy.rules.empty() && policy.action == "REDIRECT_TO_LISTENER") {
    return Invalid(path, "rules do not go with REDIRECT_TO_LISTENER");
  }
  for (std::size_t i = 0; i < policy.rules.size(); ++i) {
    ELB_RETURN_IF_ERROR(CheckL7Rule(policy.rules[i], fmt::format("{}[{}]", path, i), traits));
  }
  return CheckRuleSet(policy.rules, path, conditions_max);
}

}  // namespace

std::vector<std::string> L7Policy::PoolIds() const {
  std::vector<std::string> ids;
  if (!redirect_pool_id.empty()) {
    ids.push_back(redirect_pool_id);
  }
  for (const WeightedPool& pool : redirect_pools_config) {
    if (pool.pool_id != redirect_pool_id) {
      ids.push_back(pool.pool_id);
    }
  }
  return ids;
}

const Schema& L7PolicySchema() {
  static const Schema schema{
      "l7policy",
      Concat({IdentityFields(),
              GeneralFields(),
              TargetFields(),
              {
                  Field::Derived("rules", ValueType::kObjectList, &ReferenceSchema())
                      .Label("Forwarding Rules")
                      .Doc("Rules of the policy; with display_all_rules whole rules."),
                  Field::Derived("provisioning_status", ValueType::kText)
                      .Label("Provisioning Status")
                      .OneOf({"ACTIVE", "ERROR"})
                      .Doc("ERROR when another policy of the listener has the same rules; it is "
                           "then not applied."),
                  ExtensionsField(),
              }})};
  return schema;
}

Result<void> CheckL7Policy(L7Policy& policy, const ForwardingTraits& traits,
                           std::int64_t conditions_max) {
  ELB_RETURN_IF_ERROR(CheckAction(policy, traits));
  ELB_RETURN_IF_ERROR(CheckTargets(policy));
  ELB_RETURN_IF_ERROR(CheckPools(policy.redirect_pools_config));
  if (policy.redirect_url_config) {
    ELB_RETURN_IF_ERROR(CheckRedirect(*policy.redirect_url_config));
  }
  ELB_RETURN_IF_ERROR(CheckPriority(policy, traits));
  return CheckRules(policy, traits, conditions_max);
}

}  // namespace elb::model
