#include "rest/listing.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <nlohmann/json.hpp>
#include <string_view>
#include <utility>

#include "base/ip.h"

namespace elb::rest {
namespace {

using Json = nlohmann::ordered_json;

std::string Lower(std::string text) {
  for (char& letter : text) {
    letter = static_cast<char>(std::tolower(static_cast<unsigned char>(letter)));
  }
  return text;
}

std::optional<std::int64_t> NumberIn(std::string_view text) {
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  const bool whole = error == std::errc{} && end == text.data() + text.size();
  return whole ? std::optional(number) : std::nullopt;
}

/// Does one value of an object equal the text of a parameter?
bool Equals(const Json& value, const std::string& wanted) {
  if (value.is_string()) {
    return value.get_ref<const std::string&>() == wanted;
  }
  if (value.is_boolean()) {
    return Lower(wanted) == (value.get<bool>() ? "true" : "false");
  }
  if (value.is_number_integer()) {
    return NumberIn(wanted) == value.get<std::int64_t>();
  }
  return value.is_null() && wanted.empty();
}

/// All values at `place` of an object; null stands for a list without elements.
std::vector<const Json*> ValuesAt(const Json& object, std::string_view place) {
  static const Json null;
  const std::size_t bracket = place.find("[]");
  const auto found = object.find(std::string(place.substr(0, bracket)));
  if (found == object.end()) {
    return {};
  }
  if (bracket == std::string_view::npos) {
    return {&*found};
  }
  if (found->empty()) {
    return {&null};
  }
  std::vector<const Json*> values;
  const std::string_view rest = place.substr(bracket + 2);
  for (const Json& element : *found) {
    values.push_back(rest.empty() ? &element : &element.at(std::string(rest.substr(1))));
  }
  return values;
}

bool MatchesDomain(const Json& object, const std::string& wanted) {
  const Json& domain = object.at("domain");
  if (!domain.is_string()) {
    return wanted.empty();
  }
  const std::string list = ',' + domain.get<std::string>() + ',';
  return domain == wanted || (!wanted.empty() && list.contains(',' + wanted + ','));
}

/// Does an entry of a group contain the whole network?
bool Covers(const Json& entry, const IpPrefix& network) {
  const auto prefix =
      entry.is_string() ? IpPrefix::Parse(entry.get_ref<const std::string&>()) : std::nullopt;
  return prefix && prefix->length <= network.length && prefix->Contains(network.address);
}

/// Does the group contain one of the addresses or networks in `wanted`, separated by commas?
bool MatchesNetworks(const std::vector<const Json*>& entries, std::string_view wanted) {
  if (wanted.empty()) {
    return entries.size() == 1 && entries.front()->is_null();
  }
  while (!wanted.empty()) {
    const std::size_t comma = std::min(wanted.find(','), wanted.size());
    const auto network = IpPrefix::Parse(wanted.substr(0, comma));
    wanted.remove_prefix(std::min(comma + 1, wanted.size()));
    if (network &&
        std::ranges::any_of(entries, [&](const Json* entry) { return Covers(*entry, *network); })) {
      return true;
    }
  }
  return false;
}

/// `wanted` is `key=value` of one object in the list at `place`.
bool MatchesKeyed(const Json& object, std::string_view place, const std::string& wanted) {
  const std::size_t equals = wanted.find('=');
  if (equals == std::string::npos) {
    return false;
  }
  const std::string key = wanted.substr(0, equals);
  return std::ranges::any_of(object.at(std::string(place)), [&](const Json& element) {
    const auto found = element.find(key);
    return found != element.end() && Equals(*found, wanted.substr(equals + 1));
  });
}

bool HasAddress(const Json& balancer, std::int64_t version) {
  if (version == 4) {
    return balancer.at("vip_address").is_string() || !balancer.at("eips").empty();
  }
  return version == 6 && balancer.at("ipv6_vip_address").is_string();
}

bool MatchesOne(const Json& object, const Parameter& parameter, const std::string& wanted) {
  switch (parameter.compare) {
    case Compare::kText:
    case Compare::kNumber:
    case Compare::kFlag:
      return std::ranges::any_of(ValuesAt(object, parameter.place),
                                 [&](const Json* value) { return Equals(*value, wanted); });
    case Compare::kDomain:
      return MatchesDomain(object, wanted);
    case Compare::kNetworks:
      return MatchesNetworks(ValuesAt(object, parameter.place), wanted);
    case Compare::kKeyed:
      return MatchesKeyed(object, parameter.place, wanted);
    case Compare::kIpVersion:
      return HasAddress(object, NumberIn(wanted).value_or(0));
    case Compare::kMember:
    case Compare::kNoFilter:
      return true;
    case Compare::kZero:
      return wanted == "0";
    case Compare::kNothing:
      break;
  }
  return false;
}

Result<void> CheckForm(const Parameter& parameter, const std::string& text) {
  const std::string name(parameter.name);
  const bool number =
      parameter.compare == Compare::kNumber || parameter.compare == Compare::kIpVersion;
  if (number && !text.empty() && !NumberIn(text)) {
    return Invalid(name, fmt::format("{} must be an integer", name));
  }
  const bool flag = parameter.compare == Compare::kFlag || parameter.compare == Compare::kNoFilter;
  if (flag && Lower(text) != "true" && Lower(text) != "false") {
    return Invalid(name, fmt::format("{} must be true or false", name));
  }
  return {};
}

Result<void> CheckForms(const Parameter& parameter, const std::vector<std::string>& texts) {
  for (const std::string& text : texts) {
    ELB_RETURN_IF_ERROR(CheckForm(parameter, text));
  }
  return {};
}

/// Where `Selection` holds what a parameter wants; null when it cannot.
std::vector<std::string>* SelectedBy(control::Selection& selection, const Condition& condition) {
  const std::string_view name = condition.parameter->name;
  const std::string_view place = condition.parameter->place;
  if (name == "id") {
    return &selection.ids;
  }
  if (name == "name") {
    return &selection.names;
  }
  const bool owner = place == "loadbalancers[].id" || place == "pools[].id" || place == "pool_id" ||
                     place == "listener_id";
  const bool none = std::ranges::find(condition.wanted, "") != condition.wanted.end();
  return owner && !none ? &selection.owners : nullptr;
}

}  // namespace

Result<Conditions> ReadConditions(std::span<const Parameter> parameters, const Query& query) {
  Conditions conditions;
  for (const Parameter& parameter : parameters) {
    std::vector<std::string> wanted = query.All(parameter.name);
    ELB_RETURN_IF_ERROR(CheckForms(parameter, wanted));
    if (!wanted.empty()) {
      conditions.push_back({.parameter = &parameter, .wanted = std::move(wanted)});
    }
  }
  return conditions;
}

control::Selection TakeSelection(Conditions& conditions) {
  control::Selection selection;
  std::erase_if(conditions, [&](Condition& condition) {
    std::vector<std::string>* place = SelectedBy(selection, condition);
    if (place == nullptr) {
      return false;
    }
    *place = std::move(condition.wanted);
    return true;
  });
  return selection;
}

bool IsSet(const Conditions& conditions, std::string_view flag) {
  return std::ranges::any_of(conditions, [&](const Condition& condition) {
    return condition.parameter->name == flag && Lower(condition.wanted.front()) == "true";
  });
}

bool Matches(const Json& object, const Conditions& conditions) {
  return std::ranges::all_of(conditions, [&](const Condition& condition) {
    return std::ranges::any_of(condition.wanted, [&](const std::string& wanted) {
      return MatchesOne(object, *condition.parameter, wanted);
    });
  });
}

Result<PageRange> ReadPageRange(const Query& query) {
  constexpr std::int64_t kLimitMax = 2000;
  PageRange range{.limit = kLimitMax, .marker = query.First("marker"), .reverse = false};
  if (const auto text = query.First("limit")) {
    const auto limit = NumberIn(*text);
    if (!limit || *limit < 0 || *limit > kLimitMax) {
      return Invalid("limit", "limit must be 0 to 2000");
    }
    range.limit = static_cast<std::size_t>(*limit == 0 ? kLimitMax : *limit);
  }
  const std::string reverse = Lower(query.First("page_reverse").value_or("false"));
  if (reverse != "true" && reverse != "false") {
    return Invalid("page_reverse", "page_reverse must be true or false");
  }
  range.reverse = reverse == "true";
  return range;
}

Result<Page> CollectPage(const std::vector<std::string>& ids, const PageRange& range,
                         const ShowMatching& show) {
  std::size_t begin = 0;
  std::size_t end = ids.size();
  if (range.marker) {
    const auto found = std::ranges::find(ids, *range.marker);
    if (found == ids.end()) {
      return Invalid("marker", "marker names no object of the list");
    }
    const auto at = static_cast<std::size_t>(found - ids.begin());
    (range.reverse ? end : begin) = range.reverse ? at : at + 1;
  }
  Page page;
  if (range.reverse) {
    for (std::size_t i = end; i > begin && page.items.size() < range.limit; --i) {
      if (auto shown = show(ids[i - 1])) {
        page.items.push_back(*std::move(shown));
      }
    }
    std::ranges::reverse(page.items);
    page.more = end < ids.size();  // At least the marker.
    return page;
  }
  for (std::size_t i = begin; i < end && !page.more; ++i) {
    auto shown = show(ids[i]);
    if (shown && page.items.size() == range.limit) {
      page.more = true;
    } else if (shown) {
      page.items.push_back(*std::move(shown));
    }
  }
  return page;
}

Json PageInfo(const Page& page) {
  Json info = Json::object();
  if (!page.items.empty()) {
    info["previous_marker"] = page.items.front()["id"];
    if (page.more) {
      info["next_marker"] = page.items.back()["id"];
    }
  }
  info["current_count"] = page.items.size();
  return info;
}

}  // namespace elb::rest
