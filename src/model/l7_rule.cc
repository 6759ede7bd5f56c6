#include "model/l7_rule.h"

#include <fmt/format.h>
#include <re2/re2.h>

#include <algorithm>
#include <array>

#include "base/ip.h"
#include "model/common_fields.h"

namespace elb::model {
namespace {

constexpr std::int64_t kValueMax = 128;

const Schema& ConditionSchema() {
  static const Schema schema{"conditions",
                             {
                                 Field("key", &RuleCondition::key)
                                     .Label("Key")
                                     .Range(0, kValueMax)
                                     .OnNull(Null::kClear)
                                     .Set(Access::kCreateAndUpdate)
                                     .Doc("Name of the header field or query parameter; empty "
                                          "with all other types."),
                                 Field("value", &RuleCondition::value)
                                     .Label("Value")
                                     .Range(1, kValueMax)
                                     .Required()
                                     .Set(Access::kCreateAndUpdate)
                                     .Doc("Value to compare with, in the form of the type."),
                             }};
  return schema;
}

std::vector<FieldSpec> OwnFields() {
  using T = L7Rule;
  return {
      Field("type", &T::type)
          .Label("Type")
          .OneOf({"HOST_NAME", "PATH", "METHOD", "HEADER", "QUERY_STRING", "SOURCE_IP"})
          .Required()
          .Set(Access::kCreate)
          .Doc("What is compared. Without advanced forwarding only HOST_NAME and PATH."),
      Field("compare_type", &T::compare_type)
          .Label("Operator")
          .OneOf({"EQUAL_TO", "STARTS_WITH", "REGEX"})
          .Required()
          .Set(Access::kCreateAndUpdate)
          .Doc("How it is compared; STARTS_WITH and REGEX with PATH only."),
      Field("value", &T::value)
          .Label("Value")
          .Range(0, kValueMax)
          .OnNull(Null::kClear)
          .Set(Access::kCreateAndUpdate)
          .Doc("Value to compare with; mandatory without conditions, without effect with them."),
      Field("conditions", &T::conditions, ConditionSchema())
          .Label("Conditions")
          .Range(0, 10)
          .OnNull(Null::kClear)
          .Set(Access::kCreateAndUpdate)
          .Doc("Values of which any may match, all with the same key; advanced forwarding only. "
               "An update replaces all."),
      Field("invert", &T::invert)
          .Label("Invert")
          .Set(Access::kCreateAndUpdate)
          .Doc("True: the rule holds when nothing matches; advanced forwarding only."),
      Field("key", &T::key)
          .Label("Key")
          .Range(0, kTextMax)
          .OnNull(Null::kClear)
          .NullWhenEmpty()
          .Set(Access::kCreateAndUpdate)
          .Doc("Name of the header field or query parameter that value belongs to."),
      Field("admin_state_up", &T::admin_state_up)
          .Label("Enabled")
          .Set(Access::kCreateAndUpdate)
          .Doc("Administrative status."),
  };
}

/// The form of one value, by the type of its rule (the table at the end of api-v3.md 2.10).
struct Form {
  std::string_view type;
  const char* key;  ///< RE2; empty: no key.
  const char* value;
};

constexpr const char* kPathForm = R"(/[A-Za-z0-9_~';@^\-%#&$.*+?,=!:|/()\[\]{}]*)";
constexpr auto kForms = std::to_array<Form>({
    {"HOST_NAME", "", R"((\*|[A-Za-z0-9][A-Za-z0-9-]*)(\.[A-Za-z0-9-]+)*\.?)"},
    {"METHOD", "", "GET|PUT|POST|DELETE|PATCH|HEAD|OPTIONS"},
    {"HEADER", "[A-Za-z0-9_-]{1,40}", R"([^ "]{1,128})"},
    {"QUERY_STRING", R"([^ \[\]{}<>\\"#&|%~]{1,128})", R"([^ \[\]{}<>\\"#&|%~]{1,128})"},
});

bool IsRegularExpression(const std::string& text) {
  re2::RE2::Options options;
  options.set_log_errors(false);
  return re2::RE2(text, options).ok();
}

bool FitsForm(const L7Rule& rule, const std::string& value, const ForwardingTraits& traits) {
  if (rule.type == "PATH") {
    return rule.compare_type == "REGEX" ? IsRegularExpression(value)
                                        : re2::RE2::FullMatch(value, kPathForm);
  }
  if (rule.type == "SOURCE_IP") {
    return IpPrefix::Parse(value).has_value();
  }
  if (rule.type == "HOST_NAME" && value.starts_with('*') && !traits.advanced) {
    return false;
  }
  const auto* form = std::ranges::find(kForms, rule.type, &Form::type);
  return form != std::end(kForms) && re2::RE2::FullMatch(value, form->value);
}

Result<void> CheckKey(const L7Rule& rule, const std::string& key, const std::string& path) {
  const auto* form = std::ranges::find(kForms, rule.type, &Form::type);
  const std::string_view wanted = form == std::end(kForms) ? "" : form->key;
  if (wanted.empty()) {
    return key.empty()
               ? Result<void>()
               : Result<void>(Invalid(path, fmt::format("{} rules have no key", rule.type)));
  }
  if (!re2::RE2::FullMatch(key, std::string(wanted))) {
    return Invalid(path, fmt::format("'{}' is not a key of {} rules", key, rule.type));
  }
  return {};
}

Result<void> CheckValue(const L7Rule& rule, const std::string& value, const std::string& path,
                        const ForwardingTraits& traits) {
  if (!FitsForm(rule, value, traits)) {
    return Invalid(path, fmt::format("'{}' is not a value of {} {} rules here", value, rule.type,
                                     rule.compare_type));
  }
  return {};
}

Result<void> CheckConditions(const L7Rule& rule, const std::string& path,
                             const ForwardingTraits& traits) {
  for (std::size_t i = 0; i < rule.conditions.size(); ++i) {
    const RuleCondition& condition = rule.conditions[i];
    const std::string at = fmt::format("{}.conditions[{}]", path, i);
    ELB_RETURN_IF_ERROR(CheckKey(rule, condition.key, at + ".key"));
    if (condition.key != rule.conditions.front().key) {
      return Invalid(at + ".key", "all conditions of a rule have the same key");
    }
    ELB_RETURN_IF_ERROR(CheckValue(rule, condition.value, at + ".value", traits));
    const auto end = rule.conditions.begin() + static_cast<std::ptrdiff_t>(i);
    if (std::find(rule.conditions.begin(), end, condition) != end) {
      return Invalid(at + ".value", "the value is given twice");
    }
  }
  return {};
}

/// What basic forwarding lacks.
Result<void> CheckBasic(const L7Rule& rule, const std::string& path,
                        const ForwardingTraits& traits) {
  const ErrorKind kind =
      traits.kind == Kind::kShared ? ErrorKind::kRestricted : ErrorKind::kInvalid;
  const auto needs = [&](const char* field, std::string_view what) {
    return Failure(kind, fmt::format("{}.{}", path, field),
                   fmt::format("{} needs advanced forwarding", what));
  };
  if (traits.advanced) {
    return {};
  }
  if (rule.type != "HOST_NAME" && rule.type != "PATH") {
    return needs("type", rule.type);
  }
  if (!rule.conditions.empty()) {
    return needs("conditions", "conditions");
  }
  if (rule.invert) {
    return needs("invert", "invert");
  }
  return {};
}

}  // namespace

const Schema& L7RuleSchema() {
  static const Schema schema{
      "rule", Concat({IdentityFields(),
                      OwnFields(),
                      {
                          Field::Derived("provisioning_status", ValueType::kText)
                              .Label("Provisioning Status")
                              .OneOf({"ACTIVE", "ERROR"})
                              .Doc("ERROR when another policy of the listener has the same rules."),
                          ExtensionsField(),
                      }})};
  return schema;
}

const Schema& L7RuleInternalSchema() {
  static const Schema schema{"rule",
                             {
                                 Field("l7policy_id", &L7Rule::l7policy_id)
                                     .Label("Forwarding Policy")
                                     .Doc("Forwarding policy of the rule."),
                             }};
  return schema;
}

Result<void> CheckL7Rule(const L7Rule& rule, const std::string& path,
                         const ForwardingTraits& traits) {
  ELB_RETURN_IF_ERROR(CheckBasic(rule, path, traits));
  if (rule.type != "PATH" && rule.compare_type != "EQUAL_TO") {
    return Invalid(path + ".compare_type",
                   fmt::format("{} rules compare with EQUAL_TO only", rule.type));
  }
  if (!rule.conditions.empty()) {
    return CheckConditions(rule, path, traits);
  }
  if (rule.value.empty()) {
    return Missing(path + ".value", "value is mandatory without conditions");
  }
  if (rule.type == "HEADER" || rule.type == "QUERY_STRING") {
    ELB_RETURN_IF_ERROR(CheckKey(rule, rule.key, path + ".key"));
  }
  return CheckValue(rule, rule.value, path + ".value", traits);
}

Result<void> CheckRuleSet(const std::vector<L7Rule>& rules, const std::string& path,
                          std::int64_t conditions_max) {
  std::size_t conditions = 0;
  for (std::size_t i = 0; i < rules.size(); ++i) {
    conditions += std::max<std::size_t>(rules[i].conditions.size(), 1);
    const std::string& type = rules[i].type;
    const auto end = rules.begin() + static_cast<std::ptrdiff_t>(i);
    const bool once = type != "HEADER" && type != "QUERY_STRING";
    if (once && std::find_if(rules.begin(), end,
                             [&](const L7Rule& rule) { return rule.type == type; }) != end) {
      return Conflict(fmt::format("{}[{}].type", path, i),
                      fmt::format("the policy has a {} rule already", type));
    }
  }
  if (conditions_max >= 0 && static_cast<std::int64_t>(conditions) > conditions_max) {
    return Failure(
        ErrorKind::kQuota, path,
        fmt::format("quota exceeded: condition_per_policy is limited to {}", conditions_max));
  }
  return {};
}

}  // namespace elb::model
