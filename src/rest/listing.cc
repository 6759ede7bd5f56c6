#include "rest/listing.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <nlohmann/json.hpp>
#include <string_view>
#include <utility>

#include "model/resources.h"

namespace elb::rest {
namespace {

using Json = nlohmann::ordered_json;
using control::Resource;

using model::ListParameter;
using model::ValueType;

std::string_view KindOf(Resource resource) {
  switch (resource) {
    case Resource::kLoadBalancer:
      return "loadbalancer";
    case Resource::kListener:
      return "listener";
    case Resource::kPool:
      return "pool";
    case Resource::kMember:
      return "member";
    case Resource::kHealthMonitor:
      return "healthmonitor";
    case Resource::kCertificate:
      break;
  }
  return "certificate";
}

std::string Lower(std::string text) {
  for (char& letter : text) {
    letter = static_cast<char>(std::tolower(static_cast<unsigned char>(letter)));
  }
  return text;
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
    return std::to_string(value.get<std::int64_t>()) == wanted;
  }
  return value.is_null() && wanted.empty();
}

/// All values at `place` of an object.
std::vector<const Json*> ValuesAt(const Json& object, std::string_view place) {
  const std::size_t bracket = place.find("[]");
  const auto found = object.find(std::string(place.substr(0, bracket)));
  if (found == object.end()) {
    return {};
  }
  if (bracket == std::string_view::npos) {
    return {&*found};
  }
  std::vector<const Json*> values;
  const std::string_view rest = place.substr(bracket + 2);
  for (const Json& element : *found) {
    values.push_back(rest.empty() ? &element : &element[std::string(rest.substr(1))]);
  }
  return values;
}

bool MatchesDomain(const Json& object, const std::string& wanted) {
  const Json& domain = object["domain"];
  if (!domain.is_string()) {
    return wanted.empty();
  }
  const std::string list = ',' + domain.get<std::string>() + ',';
  return domain == wanted || list.contains(',' + wanted + ',');
}

bool Matches(const Json& object, const ListParameter& parameter,
             const std::vector<std::string>& wanted) {
  return std::ranges::any_of(wanted, [&](const std::string& text) {
    if (parameter.name == "domain") {
      return MatchesDomain(object, text);
    }
    return std::ranges::any_of(ValuesAt(object, parameter.place),
                               [&](const Json* value) { return Equals(*value, text); });
  });
}

/// Numbers and flags must look like such (api-v3.md 1.8.2).
Result<void> CheckForm(const ListParameter& parameter, const std::vector<std::string>& wanted) {
  const std::string path(parameter.name);
  for (const std::string& text : wanted) {
    if (parameter.form == ValueType::kNumber) {
      std::int64_t number = 0;
      const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
      if (!text.empty() && (error != std::errc{} || end != text.data() + text.size())) {
        return Invalid(path, fmt::format("{} must be an integer", path));
      }
    } else if (parameter.form == ValueType::kFlag && Lower(text) != "true" &&
               Lower(text) != "false") {
      return Invalid(path, fmt::format("{} must be true or false", path));
    }
  }
  return {};
}

Result<std::size_t> ReadLimit(const Query& query) {
  constexpr std::size_t kLimitMax = 2000;
  const auto text = query.First("limit");
  if (!text) {
    return kLimitMax;
  }
  std::size_t limit = 0;
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), limit);
  if (text->empty() || error != std::errc{} || end != text->data() + text->size() ||
      limit > kLimitMax) {
    return Invalid("limit", "limit must be 0 to 2000");
  }
  return limit == 0 ? kLimitMax : limit;
}

Result<bool> ReadReverse(const Query& query) {
  const std::string text = Lower(query.First("page_reverse").value_or("false"));
  if (text != "true" && text != "false") {
    return Invalid("page_reverse", "page_reverse must be true or false");
  }
  return text == "true";
}

}  // namespace

Result<std::vector<Json>> Filter(std::vector<Json> all, const Query& query, Resource resource) {
  for (const ListParameter& parameter : model::FindResource(KindOf(resource))->parameters) {
    const std::vector<std::string> wanted = query.All(parameter.name);
    if (wanted.empty()) {
      continue;
    }
    ELB_RETURN_IF_ERROR(CheckForm(parameter, wanted));
    std::erase_if(all, [&](const Json& object) { return !Matches(object, parameter, wanted); });
  }
  return all;
}

Result<Page> Paginate(std::vector<Json> all, const Query& query) {
  ELB_ASSIGN_OR_RETURN(const std::size_t limit, ReadLimit(query));
  ELB_ASSIGN_OR_RETURN(const bool reverse, ReadReverse(query));
  std::size_t begin = 0;
  std::size_t end = all.size();
  if (const auto marker = query.First("marker")) {
    const auto found =
        std::ranges::find_if(all, [&](const Json& object) { return object["id"] == *marker; });
    if (found == all.end()) {
      return Invalid("marker", "marker names no object of the list");
    }
    const auto at = static_cast<std::size_t>(found - all.begin());
    (reverse ? end : begin) = reverse ? at : at + 1;
  }
  if (reverse) {
    begin = end > limit ? end - limit : 0;
  }
  const std::size_t stop = std::min(end, begin + limit);
  Page page{.items = {}, .more = stop < all.size()};
  for (std::size_t i = begin; i < stop; ++i) {
    page.items.push_back(std::move(all[i]));
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
