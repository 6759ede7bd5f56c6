#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "base/error.h"
#include "control/control.h"
#include "model/resources.h"
#include "rest/message.h"

namespace elb::rest {

/// How the text of a filter parameter is compared (api-v3.md 1.8.2).
enum class Compare : std::uint8_t {
  kText,
  kNumber,
  kFlag,
  kDomain,     ///< One of the comma-separated names, or all of them.
  kNetworks,   ///< Comma-separated addresses or networks; an entry of the list contains one.
  kKeyed,      ///< `key=value`, a member of the objects in a list: `eip_address=1.2.3.4`.
  kIpVersion,  ///< 4 or 6: whether the load balancer has such an address.
  kMember,     ///< Address of a member below the object; needs `control`.
  kZero,       ///< A field that is "0" on every object, shown or not.
  kNoFilter,   ///< A flag that changes how objects are shown.
  kNothing,    ///< A field that no object has a value in.
};

/// A parameter and where its value stands in a representation: `a`, `a[]` or `a[].b`.
struct Parameter {
  std::string_view name;
  std::string_view place;
  Compare compare = Compare::kText;
};

/// Asks for whole rules in a list of policies (api-v3.md 2.9).
inline constexpr std::string_view kDisplayAllRules = "display_all_rules";

/// Words, fields and parameters of a resource.
[[nodiscard]] const model::Resource& TableOf(control::Resource resource);

/// Parameters of the resource's list (api-v3.md 1.8.3).
[[nodiscard]] std::span<const Parameter> ParametersOf(control::Resource resource);
[[nodiscard]] std::span<const Parameter> FlavorParameters();

/// One parameter of a request with its values, any of which may match.
struct Condition {
  const Parameter* parameter = nullptr;
  std::vector<std::string> wanted;
};
using Conditions = std::vector<Condition>;

/// The known parameters of a query. Errors (kInvalid): a flag or number that is none.
[[nodiscard]] Result<Conditions> ReadConditions(std::span<const Parameter> parameters,
                                                const Query& query);
/// Takes the conditions out that `Control::Select` can apply without looking at representations.
[[nodiscard]] control::Selection TakeSelection(Conditions& conditions);
/// Is the flag among the conditions, and true?
[[nodiscard]] bool IsSet(const Conditions& conditions, std::string_view flag);
/// Do all conditions hold? Those of kind kMember are the caller's.
[[nodiscard]] bool Matches(const nlohmann::ordered_json& object, const Conditions& conditions);

/// Which part of a list a request wants (api-v3.md 1.8.1).
struct PageRange {
  std::size_t limit = 0;
  std::optional<std::string> marker;
  bool reverse = false;
};
/// Errors: kInvalid.
[[nodiscard]] Result<PageRange> ReadPageRange(const Query& query);

/// One page of a list.
struct Page {
  std::vector<nlohmann::ordered_json> items;
  bool more = false;  ///< There are further objects behind this page.
};

/// Shows an object of the list, or nullopt when it does not match.
using ShowMatching = std::function<std::optional<nlohmann::ordered_json>(const std::string& id)>;

/// Cuts a page out of `ids`, showing no more objects than needed. Errors (kInvalid): `marker` is
/// none of `ids`.
[[nodiscard]] Result<Page> CollectPage(const std::vector<std::string>& ids, const PageRange& range,
                                       const ShowMatching& show);

/// `page_info` of a page.
[[nodiscard]] nlohmann::ordered_json PageInfo(const Page& page);

}  // namespace elb::rest
